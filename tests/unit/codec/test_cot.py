"""Cursor on Target: what is written is read again, by an independent reader too; any bytes."""

from __future__ import annotations

import contextlib
import xml.etree.ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skykeep.codec.cot import (
    EVENT_BYTES,
    CotEvent,
    CotSplitter,
    Element,
    decode_xml,
    encode_xml,
)
from skykeep.codec.cot_protobuf import decode_protobuf, encode_protobuf, frame
from skykeep.errors import InputError
from tests.sky import at

# By the W3C, a parser turns these line ends into one; XML 1.0 has no other control characters.
TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff"))
NAMES = st.sampled_from(["remarks", "skykeep", "link", "a"])
ELEMENTS = st.builds(
    Element,
    NAMES,
    st.dictionaries(st.sampled_from(["x", "y"]), TEXT, max_size=2).map(lambda d: tuple(d.items())),
    TEXT,
)
TRACK = Element("track", (("speed", "11.5"), ("course", "270.0")))
CONTACT = Element("contact", (("callsign", "T1"),))
MS = st.integers(946_684_800_000, 7_000_000_000_000).map(lambda ms: ms * 1_000_000)
EVENTS = st.builds(
    CotEvent, TEXT, TEXT, TEXT, MS, MS, MS,
    st.integers(-900, 900).map(lambda n: n / 10), st.integers(-1800, 1800).map(lambda n: n / 10),
    st.integers(-5_000, 99_999).map(lambda n: n / 10),
    st.integers(0, 99_999).map(lambda n: n / 10), st.integers(0, 99_999).map(lambda n: n / 10),
    st.lists(ELEMENTS, max_size=3).map(tuple),
)  # fmt: skip
PLAIN = CotEvent("u", "a-u-A", "m-f", at(0.25), at(0.0), at(10.0), 49.61, 6.13, 431.0, 5.0, 6.0)


@given(EVENTS)
@settings(deadline=None, max_examples=40)
def test_xml_comes_back_as_it_went(event: CotEvent) -> None:
    assert decode_xml(encode_xml(event)) == event


@given(EVENTS)
@settings(deadline=None, max_examples=40)
def test_protobuf_comes_back_as_it_went(event: CotEvent) -> None:
    assert decode_protobuf(encode_protobuf(event)) == event


def test_an_event_reads_as_the_schema_says() -> None:
    root = ET.fromstring(encode_xml(PLAIN))
    assert root.attrib == {
        "version": "2.0", "uid": "u", "type": "a-u-A", "how": "m-f",
        "time": "2026-09-12T21:48:00.250Z", "start": "2026-09-12T21:48:00.000Z",
        "stale": "2026-09-12T21:48:10.000Z",
    }  # fmt: skip
    point = root.find("point")
    assert point is not None
    assert point.attrib == {
        "lat": "49.6100000", "lon": "6.1300000", "hae": "431.0", "ce": "5.0", "le": "6.0",
    }  # fmt: skip


def test_contact_and_track_have_messages_of_their_own() -> None:
    event = CotEvent("u", "t", "h", at(0.0), at(0.0), at(0.0), detail=(CONTACT, TRACK))
    data = encode_protobuf(event)
    assert b"callsign" not in data
    assert b"speed" not in data
    assert decode_protobuf(data) == event


@given(st.lists(st.tuples(EVENTS, st.booleans()), max_size=4), st.integers(1, 60))
@settings(deadline=None, max_examples=40)
def test_a_stream_in_pieces_gives_the_same_messages(
    sent: list[tuple[CotEvent, bool]], piece: int
) -> None:
    stream = b"".join(frame(e) if binary else encode_xml(e) + b"\n" for e, binary in sent)
    splitter = CotSplitter()
    found = []
    for start in range(0, len(stream), piece):
        found += splitter.feed(stream[start : start + piece])
    assert [b for b, _ in found] == [b for _, b in sent]
    read = [decode_protobuf(m) if b else decode_xml(m) for b, m in found]
    assert read == [e for e, _ in sent]


@given(st.binary(max_size=300) | st.binary(max_size=60).map(lambda b: b"<event" + b))
@settings(deadline=None, max_examples=40)
def test_any_bytes_are_an_event_or_a_fault_of_ours(data: bytes) -> None:
    for read in (decode_xml, decode_protobuf, CotSplitter().feed):
        with contextlib.suppress(InputError):
            read(data)


@given(st.data())
@settings(deadline=None, max_examples=40)
def test_a_changed_message_is_an_event_or_a_fault_of_ours(data: st.DataObject) -> None:
    for whole, read in ((encode_protobuf(PLAIN), decode_protobuf), (encode_xml(PLAIN), decode_xml)):
        changed = bytearray(whole)
        for _ in range(data.draw(st.integers(1, 4))):
            changed[data.draw(st.integers(0, len(changed) - 1))] = data.draw(st.integers(0, 255))
        with contextlib.suppress(InputError):
            read(bytes(changed))  # type: ignore[operator]


def test_what_is_too_much_is_refused() -> None:
    splitter = CotSplitter()
    with pytest.raises(InputError, match="no event ends"):
        splitter.feed(b"<event" + b" " * EVENT_BYTES)
    with pytest.raises(InputError, match="length is none"):
        CotSplitter().feed(b"\xbf" + b"\xff" * 6)
    with pytest.raises(InputError, match="over"):
        CotSplitter().feed(b"\xbf\xff\xff\xff\x7f")
    bomb = b'<!DOCTYPE x [<!ENTITY a "aa">]><event uid="&a;"></event>'
    with pytest.raises(InputError, match="declaration"):
        decode_xml(bomb)
    many = Element("x", (), "", tuple(Element("y") for _ in range(600)))
    for read in (
        lambda e: decode_xml(encode_xml(e)),
        lambda e: decode_protobuf(encode_protobuf(e)),
    ):
        with pytest.raises(InputError, match="too many"):
            read(CotEvent("u", "t", "h", at(0.0), at(0.0), at(0.0), detail=(many,)))
    far = encode_xml(PLAIN).replace(b'lat="49.6100000"', b'lat="91"')
    with pytest.raises(InputError, match="is '91'"):
        decode_xml(far)
