"""Batches, commands and events as facts of the record: all comes back, nobody is named openly."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skykeep import __version__
from skykeep.codec import entries, wire
from skykeep.core.airspace import RegisterSensor
from skykeep.core.alert import AcknowledgeAlert, RaiseTestAlert
from skykeep.core.casebook import Assess, Conclusion, FileReport, FoundPart, OpenIncident
from skykeep.core.event import (
    AlertChanged,
    Bias,
    Finding,
    IdentityChanged,
    Permission,
    Reason,
    RegistrationChanged,
    SensorChanged,
    Severity,
    Strength,
    Tick,
    TrackEnded,
    TrackUpdated,
    VerdictChanged,
)
from skykeep.core.observation import Batch, Claim, Form, Scheme
from skykeep.core.permit import ChangePermit, PermitEvent, PutPermit
from skykeep.core.zone import PublishZone, WithdrawZone
from skykeep.errors import InputError, RecordError
from skykeep.record.entry import LONGEST_SOURCE, Entry
from skykeep.units import AlertId, BatchId, IncidentId, PermitId, SensorId, TrackId, ZoneId
from tests.sky import OFFICER, RADAR, SERIAL, SITE, at, claim_of, claims, permit_named, zone_named

floats = st.floats() | st.sampled_from([-0.0, float("inf"), float("-inf"), 5e-324, 1.8e308])
whole_64 = st.integers(-(2**63), 2**63 - 1)
texts = st.text(max_size=12)
maybe = st.none() | st.booleans()
a_claim = st.builds(
    Claim, st.sampled_from(Scheme), st.none() | texts, texts, texts, st.none() | texts, texts,
    maybe, maybe,
)  # fmt: skip
a_finding = st.builds(Finding, texts, texts, texts, st.sampled_from(Severity))


def matrix(draw: st.DrawFn, rows: int, width: int) -> Any:
    row = st.lists(floats, min_size=width, max_size=width)
    drawn = draw(st.lists(row, min_size=rows, max_size=rows))
    return np.array(drawn, np.float64).reshape(rows, width)


@st.composite
def batches(draw: st.DrawFn) -> Batch:
    """Any batch that the types allow, sensible or not."""
    n = draw(st.integers(0, 5))
    some = {"min_size": n, "max_size": n}
    return Batch(
        BatchId(draw(texts)),
        SensorId(draw(texts)),
        draw(whole_64),
        draw(st.sampled_from(Form)),
        np.array(draw(st.lists(whole_64, **some)), np.int64),
        matrix(draw, n, 3),
        matrix(draw, n, 3),
        matrix(draw, n, 3),
        np.array(draw(st.lists(st.integers(-128, 127), **some)), np.int8),
        matrix(draw, n, 4) if draw(st.booleans()) else None,
        tuple(draw(st.lists(st.none() | a_claim, **some))) if draw(st.booleans()) else (),
        tuple(draw(st.lists(texts, **some))) if draw(st.booleans()) else (),
        tuple(draw(st.lists(st.sampled_from(["ab" * 32, ""]), max_size=3))),
        tuple(draw(st.lists(a_finding, max_size=2))),
        tuple(draw(st.lists(texts, **some))) if draw(st.booleans()) else (),
        matrix(draw, n, 3) if draw(st.booleans()) else None,
    )


def data_of(entry: Entry) -> list[bytes]:
    return [fact.data for fact in entry.facts]


def bits(value: object) -> object:
    """A field to the last bit; one NaN is as good as another."""
    if isinstance(value, np.ndarray):
        plain = np.where(np.isnan(value), np.nan, value) if value.dtype == np.float64 else value
        return str(value.dtype), value.shape, plain.tobytes()
    return type(value), value


# -- batches ------------------------------------------------------------------------------


@settings(max_examples=300)
@given(batches())
def test_any_batch_comes_back_to_the_last_bit(batch: Batch) -> None:
    entry = entries.batch_entry(batch)
    back = entries.batch_of(data_of(entry))
    for field in dataclasses.fields(Batch):
        was, now = getattr(batch, field.name), getattr(back, field.name)
        assert bits(was) == bits(now), field.name
    assert data_of(entries.batch_entry(back)) == data_of(entry)
    assert (entry.kind, entry.at_ns, entry.source) == (
        "batch", batch.receipt_time_ns, batch.sensor_id,
    )  # fmt: skip


@given(batches())
def test_claims_are_sealed_and_nothing_else_is(batch: Batch) -> None:
    facts = entries.batch_entry(batch).facts
    claimed = [claim for claim in batch.claims if claim is not None]
    rows = 1 + len(batch)
    hidden = len(claimed) + bool(batch.claims)  # and the raw bytes' hashes
    assert [f.private for f in facts] == [False] * rows + [True] * hidden
    assert all(json.loads(f.data) for f in facts)  # canonical JSON has no NaN and no Infinity
    assert b"NaN" not in b"".join(f.data.replace(b'"NaN"', b"") for f in facts[1:rows])


def test_an_identity_stands_in_no_open_fact() -> None:
    said = claim_of(SERIAL, "aa:bb:cc", operator_id="OP-LUX-77", category="open", crewed=False)
    entry = entries.batch_entry(claims(3.0, (said, (0.0, 0.0, 90.0)), (said, (9.0, 0.0, 90.0))))
    in_open = b"".join(f.data for f in entry.facts if not f.private)
    sealed = [f.data for f in entry.facts if f.private]
    for name in (SERIAL, "aa:bb:cc", "OP-LUX-77"):
        assert name.encode() not in in_open
        assert all(name.encode() in data for data in sealed[1:])
    assert len(sealed) == 3


def test_rows_are_plain_arrays_in_a_fixed_order() -> None:
    """time, values, sigmas, velocity, height reference, kinds, words: as the dossier reads them."""
    batch = claims(0.0, (claim_of(), (0.0, 0.0, 90.0)), words=("seen",))
    head, row, *_ = data_of(entries.batch_entry(batch))
    values = [float(v) for v in batch.values[0]]
    assert json.loads(row) == [
        at(0.0), values, [4.0, 4.0, 6.0], [None] * 3, int(batch.height_references[0]), None, "seen",
    ]  # fmt: skip
    assert json.loads(head)["batch"] == "rid:0.0"


@pytest.mark.parametrize(
    "break_it",
    [
        lambda facts: [],
        lambda facts: facts[:1],
        lambda facts: [facts[0], *facts[2:]],
        lambda facts: [facts[0], facts[1].replace(b"178924968", b"1" * 20), facts[2]],
        lambda facts: [facts[0], facts[1].replace(b"[4.0,", b"["), facts[2]],
        lambda facts: [b"[]", *facts[1:]],
        lambda facts: [b"{}", *facts[1:]],
        lambda facts: [b"\xff", *facts[1:]],
        lambda facts: [facts[0], b"[]", facts[2]],
        lambda facts: [facts[0], b'{"a":1}', facts[2]],
        lambda facts: [facts[0], b"5", facts[2]],
        lambda facts: [*facts[:3], facts[3].replace(b'"row":0', b'"row":7')],
        lambda facts: [*facts[:3], facts[3].replace(b'"row"', b'"raw"')],
        lambda facts: [*facts[:3], facts[3].replace(b"remote_id", b"remote")],
        lambda facts: [*facts[:3], facts[3].replace(b'"identity"', b'"identities"')],
        lambda facts: [*facts[:2], b"7"],
        lambda facts: [facts[0].replace(b'"form":"position"', b'"form":"guess"'), *facts[1:]],
        lambda facts: [facts[0].replace(b'"rows":1', b'"rows":9'), *facts[1:]],
        lambda facts: [facts[0].replace(b'"rows":1', b'"rows":"1"'), *facts[1:]],
        lambda facts: [facts[0], facts[1].replace(b"[4.0,", b'["four",'), facts[2]],
    ],
)
def test_facts_that_make_no_batch_are_refused(break_it: Any) -> None:
    facts = data_of(entries.batch_entry(claims(0.0, (claim_of(), (0.0, 0.0, 90.0)))))
    broken = break_it(list(facts))
    assert broken != facts
    with pytest.raises(RecordError, match="make no batch"):
        entries.batch_of(broken)


def test_a_batch_that_no_entry_can_hold_is_the_senders_to_mend() -> None:
    plain = claims(0.0, (claim_of(), (0.0, 0.0, 90.0)))
    longest = dataclasses.replace(plain, sensor_id=SensorId("\U0001f6f8" * LONGEST_SOURCE))
    assert entries.batch_entry(longest).source == longest.sensor_id
    longer = dataclasses.replace(plain, sensor_id=SensorId("x" * (LONGEST_SOURCE + 1)))
    with pytest.raises(InputError, match="sensor_id: has 65 characters") as caught:
        entries.batch_entry(longer)
    assert caught.value.where == "sensor_id"
    for half in ({"words": ("\ud800",)}, {"batch_id": "\udfff"}, {"claims": (claim_of("\ud800"),)}):
        with pytest.raises(InputError, match="surrogate"):
            entries.batch_entry(dataclasses.replace(plain, **half))


# -- what a batch says --------------------------------------------------------------------


def digest(batch: Batch) -> bytes:
    return entries.content_digest(batch, entries.batch_entry(batch))


def test_a_batch_is_the_same_whenever_it_comes_and_another_for_any_other_content() -> None:
    plain = claims(0.0, (claim_of(), (0.0, 0.0, 90.0)), findings=())
    again = dataclasses.replace(plain, receipt_time_ns=at(7.0), raw_sha256=("ab" * 32,))
    assert digest(plain) == digest(again)
    finding = Finding("a", "b", "c", Severity.NOTE)
    others = [
        {"sensor_id": SensorId("adsb")},
        {"form": Form.BEARING},
        {"event_time_ns": plain.event_time_ns + 1},
        {"values": np.nextafter(plain.values, 1e9)},
        {"sigmas": -plain.sigmas},
        {"velocities_mps": np.zeros((1, 3))},
        {"height_references": plain.height_references + np.int8(1)},
        {"kind_likelihood": np.full((1, 4), 0.25)},
        {"claims": ()},
        {"claims": (claim_of("another"),)},
        {"words": ("a",)},
        {"findings": (finding,)},
        {"upstream_ids": ("7",)},
        {"velocity_sigmas_mps": np.ones((1, 3))},
    ]
    digests = {digest(dataclasses.replace(plain, **change)) for change in others}
    assert len(digests | {digest(plain)}) == len(others) + 1


# -- commands, ticks, the site ------------------------------------------------------------

SEALED_COMMANDS = [
    PutPermit(OFFICER, permit_named()),
    ChangePermit(OFFICER, PermitId("P1"), PermitEvent.REVOKE, "no insurance"),
]
OPEN_COMMANDS = [
    PublishZone(OFFICER, zone_named()),
    WithdrawZone(OFFICER, ZoneId("Z1"), "over"),
    RegisterSensor(OFFICER, RADAR),
    AcknowledgeAlert(OFFICER, AlertId("A1")),
    RaiseTestAlert(OFFICER, "Monday"),
    OpenIncident(OFFICER, "two drones", (AlertId("A1"),)),
    FileReport(OFFICER, IncidentId("I1"), "parts", (FoundPart(49.6, 6.1, "a part"),), "", "none"),
    Assess(OFFICER, IncidentId("I1"), Conclusion.CONFIRMED, "seen by two", ("T1", "A1")),
]


@pytest.mark.parametrize("command", SEALED_COMMANDS + OPEN_COMMANDS, ids=lambda c: type(c).__name__)
def test_a_command_comes_back_and_is_sealed_if_it_names_who_flies(command: Any) -> None:
    entry = entries.command_entry(command, entries.COMMAND, at(1.0))
    (fact,) = entry.facts
    assert wire.decode(fact.data) == command
    assert fact.private == (command in SEALED_COMMANDS)
    assert (entry.kind, entry.at_ns, entry.source) == ("command", at(1.0), "command")


def test_a_tick_is_its_time() -> None:
    assert entries.tick_entry(Tick(at(4.0))) == Entry("tick", at(4.0), "clock", ())


def test_the_first_entry_names_the_site_and_what_computed_it() -> None:
    entry = entries.site_entry(SITE, 0)
    assert (entry.kind, entry.source) == ("site", "city")
    assert entries.site_of(data_of(entry)) == SITE
    versions = json.loads(entry.facts[1].data)
    assert versions["skykeep"] == __version__
    assert versions["time_zone_data"]


def test_a_first_entry_that_names_no_site_is_refused() -> None:
    with pytest.raises(RecordError, match="names no site"):
        entries.site_of([wire.encode(OFFICER)])


# -- what the engine said -----------------------------------------------------------------

WHY = (Reason("no_permit", "no permit covers it"),)
STATE = TrackUpdated(
    at(2.0), TrackId("T1"), at(1.5), 1, -2, 3, 4, 5, -6, 7, 8, "hae", None,
    (SensorId("radar"),), ("radar:1.0/0", "radar:1.0/3"), 0.75, True,
)  # fmt: skip
IDENTITY = IdentityChanged(
    at(2.0), TrackId("T1"), "remote_id", SERIAL, "aa", Strength.CONSISTENT, WHY
)
VERDICT = VerdictChanged(
    at(2.0), TrackId("T1"), ZoneId("Z1"), "inside", Permission.NOT_PERMITTED, WHY,
    Strength.NONE, None, None,
)  # fmt: skip
ALERT = AlertChanged(
    at(2.5), AlertId("A1"), "raise", "raised", True, 1, (TrackId("T1"),), (ZoneId("Z1"),),
    Permission.NOT_PERMITTED, WHY, OFFICER, "",
)  # fmt: skip
HEALTH = SensorChanged(at(2.0), SensorId("radar"), "working")
ENDED = TrackEnded(at(2.0), TrackId("T9"), at(1.0))


def test_verdicts_and_alerts_are_entries_of_their_own_behind_the_rest_in_order() -> None:
    later = dataclasses.replace(VERDICT, at_ns=at(2.6), presence="gone")
    said = [HEALTH, VERDICT, STATE, ALERT, IDENTITY, later, ENDED]
    made = entries.output_entries(said, at(3.0))
    assert [(e.kind, e.at_ns) for e in made] == [
        ("tracks", at(3.0)), ("verdict", at(2.0)), ("alert", at(2.5)), ("verdict", at(2.6)),
    ]  # fmt: skip
    assert {e.source for e in made} == {"engine"}
    tracks = made[0].facts
    assert [json.loads(f.data)[0] for f in tracks] == [
        "SensorChanged", "TrackUpdated", "IdentityChanged", "TrackEnded",
    ]  # fmt: skip
    assert [f.private for f in tracks] == [False, False, True, False]
    assert [json.loads(e.facts[0].data)[1]["at_ns"] for e in made[1:]] == [
        at(2.0), at(2.5), at(2.6),
    ]  # fmt: skip
    assert not any(f.private for e in made[1:] for f in e.facts)


def test_nothing_said_makes_no_entry() -> None:
    assert entries.output_entries([], at(0.0)) == []
    assert [e.kind for e in entries.output_entries([VERDICT], at(0.0))] == ["verdict"]


def test_a_tracks_state_is_an_array_that_the_first_entry_explains() -> None:
    (tracks,) = entries.output_entries([STATE, HEALTH], at(3.0))
    name, values = json.loads(tracks.facts[0].data)
    named = json.loads(entries.site_entry(SITE, 0).facts[1].data)["TrackUpdated"]
    assert name == "TrackUpdated"
    assert dict(zip(named, values, strict=True)) == json.loads(
        json.dumps(dataclasses.asdict(STATE))
    )
    assert entries.state_of(tracks.facts[0].data) == STATE
    assert entries.state_of(tracks.facts[1].data) is None


@pytest.mark.parametrize("event", [HEALTH, IDENTITY, VERDICT, ALERT, ENDED])
def test_a_fact_tells_events_apart_in_every_field(event: Any) -> None:
    def written(said: Any) -> bytes:
        (entry,) = entries.output_entries([said], at(0.0))
        return entry.facts[0].data

    for field in dataclasses.fields(event):
        other = dataclasses.replace(event, **{field.name: "another"})
        assert written(other) != written(event), field.name


def test_what_is_said_of_a_bias_is_read_again_from_its_fact() -> None:
    said = RegistrationChanged(
        at(2.0), SensorId("radar"), ("azimuth",), Bias(0.0, 1.2, 0.0, 0.0),
        Bias(75.0, 0.02, 2.0, 0.3), 10, 99,
    )  # fmt: skip
    (made,) = entries.output_entries([HEALTH, said], at(3.0))
    assert [f.private for f in made.facts] == [False, False]
    assert [entries.event_of(f.data) for f in made.facts] == [HEALTH, said]


def test_every_event_is_read_again_from_its_fact() -> None:
    said = [STATE, HEALTH]
    facts = [f.data for made in entries.output_entries(said, at(3.0)) for f in made.facts]
    assert [entries.event_of(fact) for fact in facts] == said


@pytest.mark.parametrize("fact", [b"", b"[]", b"{}", b'["Nothing",{}]', b'["SensorChanged",{}]'])
def test_what_is_no_event_is_said(fact: bytes) -> None:
    with pytest.raises(RecordError, match="a fact is no event"):
        entries.event_of(fact)
