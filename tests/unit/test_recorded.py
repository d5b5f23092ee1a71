"""A site at work on its record: answers after the disk, batches once, starting is recovering."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from skykeep.codec import entries, wire
from skykeep.commands.recompute import recompute
from skykeep.core.airspace import RegisterSensor
from skykeep.core.alert import AcknowledgeAlert
from skykeep.core.casebook import OpenIncident
from skykeep.core.event import AlertChanged, Event, Tick
from skykeep.core.observation import Batch
from skykeep.core.permit import PermitState, PutPermit
from skykeep.core.zone import PublishZone
from skykeep.errors import DecisionError, InputError, RecordError
from skykeep.record.entry import read_leaf, sealed_hour
from skykeep.runtime import Input, Recorded, Runtime
from skykeep.store.record_store import RECORD_FILE, RecordStore
from skykeep.units import AlertId, BatchId, SensorId
from tests.faults import scene
from tests.sky import OFFICER, RADAR, SITE, at, only, permit_named, plots, zone_named

BEGIN: list[Input] = [
    Tick(at(0.0)), RegisterSensor(OFFICER, RADAR), PublishZone(OFFICER, zone_named()),
]  # fmt: skip
HOVERING = (100.0, 0.0, 80.0)
#: Until the third aircraft that says who it is has been heard.
NIGHT_S = 185


def inputs(seconds: range) -> list[Input]:
    """A drone that hovers in the zone."""
    pairs = [(plots(s, HOVERING), Tick(at(s + 0.5))) for s in seconds]
    return [item for pair in pairs for item in pair]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "record"


def kinds(store: RecordStore) -> list[str]:
    return [read_leaf(placed.leaf).kind for placed in store.entries()]


def test_the_answers_are_the_engines_and_are_durable_when_they_come(folder: Path) -> None:
    items = BEGIN + inputs(range(1, 8))
    plain = Runtime(SITE)
    recorded = Recorded(folder, SITE)
    said: list[Event] = []
    for item in items:
        (answer,) = recorded.take([item])
        assert answer.events == plain.take(item)
        assert answer.entry is not None
        (placed,) = recorded.store.entries(answer.entry, answer.entry + 1)
        assert read_leaf(placed.leaf).kind in entries.INPUTS
        said += answer.events
    assert only(said, AlertChanged)
    recorded.close()
    assert recompute(folder).faults == []
    store = RecordStore(folder, "")
    found = kinds(store)
    store.close()
    assert found[0] == "site"
    assert found.count("alert") == len(only(said, AlertChanged))


def test_answers_that_cannot_be_recorded_are_not_given(folder: Path) -> None:
    recorded = Recorded(folder, SITE)
    recorded.take(BEGIN)
    size = recorded.store.size
    recorded.store._db.execute("PRAGMA query_only = ON")
    with pytest.raises(RecordError, match="could not be recorded"):
        recorded.take(inputs(range(1, 3)))
    with pytest.raises(RecordError, match="Open it again"):
        recorded.take(inputs(range(3, 4)))
    recorded.close()
    again = Recorded(folder, SITE)
    assert again.store.size == size
    assert [a.repeated for a in again.take(inputs(range(1, 3)))] == [False] * 4
    again.close()
    assert recompute(folder).faults == []


def test_a_batch_counts_once_in_a_group_and_over_restarts(folder: Path) -> None:
    recorded = Recorded(folder, SITE)
    recorded.take(BEGIN)
    batch = plots(1, HOVERING)
    first, second = recorded.take([batch, batch])
    assert (first.repeated, second.repeated) == (False, True)
    assert first.entry == second.entry
    size = recorded.store.size
    recorded.close()
    recorded = Recorded(folder, SITE)
    (third,) = recorded.take([dataclasses.replace(batch, receipt_time_ns=at(9.0))])
    assert (third.repeated, third.events, third.entry) == (True, (), first.entry)
    assert recorded.store.size == size
    recorded.close()


@pytest.mark.parametrize("together", [True, False])
def test_an_id_used_again_for_other_content_is_refused(folder: Path, together: bool) -> None:
    recorded = Recorded(folder, SITE)
    recorded.take(BEGIN)
    batch = plots(1, HOVERING)
    other = plots(1, (0.0, 50.0, 80.0))
    assert batch.batch_id == other.batch_id
    if together:
        _, answer = recorded.take([batch, other])
    else:
        recorded.take([batch])
        (answer,) = recorded.take([other])
    assert isinstance(answer.refused, InputError)
    assert answer.refused.where == "batch_id"
    assert "'radar:1' was used before with other content" in str(answer.refused)
    recorded.close()
    assert recompute(folder).counts["batch"] == 1


def test_what_is_refused_leaves_nothing_and_what_stands_beside_it_is_kept(folder: Path) -> None:
    recorded = Recorded(folder, SITE)
    recorded.take(BEGIN)
    size = recorded.store.size
    nameless = dataclasses.replace(
        plots(1, HOVERING), sensor_id=SensorId("x" * 65), batch_id=BatchId("long")
    )
    group = [
        plots(1, HOVERING), nameless, AcknowledgeAlert(OFFICER, AlertId("A9")),
        OpenIncident(OFFICER, "none", (AlertId("A9"),)), Tick(at(1.5)),
    ]  # fmt: skip
    answers = recorded.take(group)
    refused = [type(a.refused) for a in answers]
    assert refused == [type(None), InputError, DecisionError, DecisionError, type(None)]
    assert [a.entry is not None for a in answers] == [True, False, False, False, True]
    assert kinds(recorded.store)[size:] == ["batch", "tracks", "tick"]
    recorded.close()
    found = recompute(folder)
    assert found.faults == []
    assert (found.counts["command"], found.counts["case"]) == (2, 0)


def test_a_record_of_another_site_is_not_gone_on_with(folder: Path) -> None:
    Recorded(folder, SITE).close()
    with pytest.raises(RecordError, match="of another site or configuration") as caught:
        Recorded(folder, dataclasses.replace(SITE, name="another"))
    Recorded(folder, SITE).close()  # the lock is let go of,
    assert caught.tb is not None  # though the one that failed is not collected yet


def test_every_restart_goes_on_with_the_same_answers(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With incidents and permits, over snapshots, restarted before every third input."""
    monkeypatch.setattr("skykeep.runtime.SNAPSHOT_EVERY", 17)
    items = [
        *BEGIN,
        PutPermit(OFFICER, permit_named(state=PermitState.SUBMITTED)),
        *inputs(range(1, 12)),
    ]
    case = OpenIncident(OFFICER, "a drone", (AlertId("A00001"),))
    straight = Runtime(SITE)
    expected = [straight.take(item) for item in items]
    expected_case = straight.decide(case, straight.now_ns)
    recorded = Recorded(folder, SITE)
    for number, item in enumerate(items):
        if number % 3 == 0:
            recorded.close()
            recorded = Recorded(folder, SITE)
        assert recorded.take([item])[0].events == expected[number], f"input {number}"
    (answer,) = recorded.take([case])
    assert answer.incident == expected_case
    recorded.close()
    recorded = Recorded(folder, SITE)
    assert recorded.runtime.casebook.incidents == straight.casebook.incidents
    assert wire.encode(recorded.runtime.airspace.snapshot()) == wire.encode(
        straight.airspace.snapshot()
    )
    recorded.close()
    assert recompute(folder).faults == []


def test_restarts_do_not_put_the_snapshots_off(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Recovery replays fewer entries than that, however often it was needed."""
    monkeypatch.setattr("skykeep.runtime.SNAPSHOT_EVERY", 10)
    for start in range(1, 30, 2):
        recorded = Recorded(folder, SITE)
        for item in inputs(range(start, start + 2)) if start > 1 else BEGIN:
            recorded.take([item])
        kept = recorded.store.snapshot()
        assert recorded.store.size - (kept[0] if kept else 1) < 10 + 3
        recorded.close()


def test_nobody_who_was_heard_stands_in_any_file_in_plain(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Serial numbers and radio addresses of the night's first minutes, with a snapshot kept."""
    monkeypatch.setattr("skykeep.runtime.SNAPSHOT_EVERY", 700)
    night = scene.night()
    items = scene.stretch(night, NIGHT_S)
    heard = {
        name
        for item in items
        if isinstance(item, Batch)
        for claim in item.claims
        if claim is not None
        for name in (claim.identity, claim.transmitter, claim.operator_id)
        if name
    }
    assert len(heard) >= 6
    recorded = Recorded(folder, night.site)
    for start in range(0, len(items), 50):
        recorded.take(items[start : start + 50])
    snapshot = recorded.store.snapshot()
    assert snapshot is not None
    assert any(name.encode() in snapshot[1] for name in heard)  # it is about them
    opened, sealed = b"", b""
    for placed in recorded.store.entries():
        for fact, stored in zip(recorded.store.facts(placed), placed.stored, strict=True):
            if sealed_hour(stored) is None:
                opened += fact
            else:
                sealed += fact
    while_open = {p.name: p.read_bytes() for p in folder.iterdir()}
    recorded.close()
    when_closed = {p.name: p.read_bytes() for p in folder.iterdir()}
    assert f"{RECORD_FILE}-wal" in while_open
    for name in heard:
        assert name.encode() in sealed
        assert name.encode() not in opened
        for files in (while_open, when_closed):
            assert [n for n, data in files.items() if name.encode() in data] == []
