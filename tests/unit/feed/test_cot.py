"""Cursor on Target from another system: what flies is its track, our own words never come back."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skykeep.codec.cot import CotEvent, Element, encode_xml
from skykeep.codec.cot_protobuf import encode_protobuf, frame
from skykeep.config import FeedSettings
from skykeep.core.geo import HeightReference
from skykeep.core.observation import Batch, Form
from skykeep.errors import InputError
from skykeep.feed.cot import CotDecoder, Events
from skykeep.feed.inbox import Piece
from skykeep.units import NS_PER_S, SensorId

AT_NS = 1_789_257_600_000_000_000
SETTINGS = FeedSettings("f", SensorId("c2"), "cot", "", {"own_uid": "skykeep-"})
DETAIL = (Element("track", (("course", "90"), ("speed", "12.5"))),)


def event(uid: str = "C2.7", kind: str = "a-u-A-M-F-Q", hae_m: float = 420.0) -> CotEvent:
    later = AT_NS + 60 * NS_PER_S
    return CotEvent(uid, kind, "m-g", AT_NS, AT_NS, later, 49.6, 6.1, hae_m, 15.0, 30.0, DETAIL)


def heard(*data: bytes) -> list[Batch]:
    return list(CotDecoder(SETTINGS).push([Piece(AT_NS + NS_PER_S, d) for d in data]))


def test_what_flies_is_a_track_of_the_other_system() -> None:
    mesh = b"\xbf\x01\xbf" + encode_protobuf(event())
    (batch,) = heard(encode_xml(event()), b"\xbf" + encode_protobuf(event()), mesh)
    assert (batch.form, batch.upstream_ids) == (Form.TRACK, ("C2.7",) * 3)
    for row in batch.rows():
        assert row.event_time_ns == AT_NS
        assert row.values == pytest.approx((49.6, 6.1, 420.0))
        assert row.sigmas == pytest.approx((15.0, 15.0, 30.0))
        assert row.velocity_mps[:2] == pytest.approx((12.5, 0.0), abs=1e-9)
        assert row.height_reference is HeightReference.HAE


def test_other_events_and_our_own_words_are_passed_over() -> None:
    others = [event(kind="a-f-G-U-C"), event(kind="b-t-f"), event("skykeep-3"), event("")]
    assert heard(*map(encode_xml, others)) == []


def test_an_unknown_height_is_none() -> None:
    (batch,) = heard(encode_xml(event(hae_m=9_999_999.0)))
    (row,) = batch.rows()
    assert math.isnan(row.values[2])
    assert row.height_reference is HeightReference.NONE


def test_a_stream_is_cut_whatever_its_framing() -> None:
    stream, framer = (
        encode_xml(event()) + frame(event("C2.8")) + encode_xml(event("C2.9")),
        Events(),
    )
    found = [e for at in range(0, len(stream), 7) for e in framer.push(stream[at : at + 7])]
    (batch,) = heard(*found)
    assert batch.upstream_ids == ("C2.7", "C2.8", "C2.9")
    with pytest.raises(InputError):
        Events().push(b"\xbf\xff\xff\xff\xff\xff\xff")


@given(st.binary(max_size=80))
def test_no_bytes_raise(data: bytes) -> None:
    whole = encode_xml(event())
    heard(data, b"\xbf" + data, whole[: len(data)] + data + whole[len(data) :])
