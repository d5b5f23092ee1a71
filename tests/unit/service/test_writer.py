"""The one writer: groups, a full queue, a disk that fails, a clean end."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

import pytest

from skykeep.commands.recompute import recompute
from skykeep.core.alert import AcknowledgeAlert
from skykeep.errors import DecisionError, RecordError
from skykeep.service import writer as room
from skykeep.service.writer import UnavailableError, Writer
from skykeep.store.record_store import RecordStore
from skykeep.units import NS_PER_S, AlertId
from tests.desk import Desk
from tests.sky import OFFICER, RADAR, SITE, at, plots

PLACE = (100.0, 0.0, 80.0)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path)
    made.clock.now_ns = at(1.0)
    yield made
    made.close()
    assert recompute(tmp_path / "data").faults == []


def batch(number: int) -> Any:
    from dataclasses import replace

    return replace(plots(1.0, PLACE), batch_id=f"b{number}")


def test_what_waits_becomes_one_group_with_one_checkpoint(desk: Desk) -> None:
    async def together() -> list[Any]:
        return await asyncio.gather(*(desk.writer.submit((batch(i),)) for i in range(50)))

    recorded = desk.writer.look()
    assert recorded is not None
    db = recorded.store._db
    before = db.execute("SELECT count(*) FROM checkpoints").fetchone()[0]
    answers = desk.loop.run_until_complete(together())
    entries = [answer.entry for (answer,) in answers]
    assert entries == sorted(set(entries))
    assert db.execute("SELECT count(*) FROM checkpoints").fetchone()[0] - before <= 2


def test_a_full_queue_turns_away_and_counts(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "QUEUE_ROWS", 3)

    async def too_much() -> int:
        taken = [desk.writer.submit((batch(i),)) for i in range(3)]
        with pytest.raises(UnavailableError, match="queue is full"):
            desk.writer.submit((batch(3),))
        await asyncio.gather(*taken)
        return len(taken)

    assert desk.loop.run_until_complete(too_much()) == 3
    health = desk.get("/health", None).json()
    assert (health["shed_requests"], health["shed_observations"], health["waiting"]) == (1, 1, 0)
    monkeypatch.setattr(room, "QUEUE_JOBS", 0)
    answer = desk.send(batch(5))
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
    assert "queue is full" in answer.json()["problem"]
    monkeypatch.undo()
    assert desk.send(batch(5)).status_code == 200


def test_a_refused_command_does_not_cost_the_inputs_beside_it(desk: Desk) -> None:
    async def mixed() -> list[Any]:
        items = (batch(1), AcknowledgeAlert(OFFICER, AlertId("A9")), batch(2))
        return await desk.writer.submit(items)

    first, second, third = desk.loop.run_until_complete(mixed())
    assert isinstance(second.refused, DecisionError)
    assert second.entry is None
    assert first.entry < third.entry


class Failing:
    """A record whose disk fails from now on, so many times."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, name: str, times: int) -> None:
        self.left, self.original = times, getattr(RecordStore, name)
        outer = self

        def fail(store: RecordStore, *args: Any, **more: Any) -> Any:
            if outer.left > 0:
                outer.left -= 1
                raise store._broke(sqlite3.OperationalError("disk I/O error"))
            return outer.original(store, *args, **more)

        monkeypatch.setattr(RecordStore, name, fail)


@pytest.mark.parametrize("name", ["commit", "stage", "batch"])
def test_a_disk_that_fails_gives_no_acknowledgement_and_no_damage(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(room, "REOPEN_S", 0.01)
    assert desk.send(batch(1)).status_code == 200
    size = desk.writer.size
    failing = Failing(monkeypatch, name, 1)
    answer = desk.send(batch(2))
    assert answer.status_code == 503
    assert "did not take" in answer.json()["problem"]
    assert failing.left == 0
    again = desk.send(batch(2))
    while again.status_code == 503:
        again = desk.send(batch(2))
    assert again.json()["repeated"] is False
    assert desk.send(batch(1)).json()["repeated"] is True
    assert desk.writer.size > size


def test_while_the_record_is_away_the_service_says_so(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "REOPEN_S", 0.01)
    failing = Failing(monkeypatch, "commit", 1_000_000)
    assert desk.send(batch(1)).status_code == 503
    health = desk.get("/health", None)
    assert (health.status_code, health.json()["ok"]) == (503, False)
    assert "disk I/O error" in health.json()["problem"]
    assert desk.get("/v1/tracks").status_code == 503
    failing.left = 0
    while desk.get("/health", None).status_code == 503:
        desk.loop.run_until_complete(asyncio.sleep(0.01))
    assert desk.send(batch(1)).json()["repeated"] is False


def test_a_fault_that_nobody_foresaw_costs_one_answer(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(_: Any) -> NoReturn:
        raise KeyError("x")

    async def ask() -> Any:
        return await desk.writer.ask(broken)

    with caplog.at_level(logging.ERROR), pytest.raises(UnavailableError, match="KeyError"):
        desk.loop.run_until_complete(ask())
    recorded = desk.writer.look()
    assert recorded is not None
    monkeypatch.setattr(recorded.runtime.airspace, "receive", broken)
    answer = desk.send(batch(1))
    assert answer.status_code == 503
    assert "Traceback" not in answer.text
    monkeypatch.undo()
    while desk.send(batch(1)).status_code == 503:
        pass
    assert desk.send(batch(1)).json()["repeated"] is True
    assert caplog.text.count("KeyError") >= 2


def test_what_was_handed_in_before_the_end_is_still_taken(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.clock.now_ns = at(1.0)

    async def last() -> Any:
        waiting = desk.writer.submit((batch(1),))
        desk.writer.stop()
        with pytest.raises(UnavailableError, match="stopping"):
            desk.writer.submit((batch(2),))
        return await waiting

    (answer,) = desk.loop.run_until_complete(last())
    desk.close()
    assert answer.entry is not None
    assert recompute(tmp_path / "data").counts["batch"] == 1


def test_a_record_of_another_site_is_not_opened(tmp_path: Path) -> None:
    from dataclasses import replace

    Desk(tmp_path).close()

    async def other() -> None:
        writer = Writer(tmp_path / "data", replace(SITE, name="another"), (RADAR,), lambda: at(2.0))
        try:
            await writer.start()
        finally:
            writer.close()

    with pytest.raises(RecordError, match="another site"):
        asyncio.run(other())


def test_the_time_never_goes_backwards(desk: Desk) -> None:
    assert desk.writer.now_ns() == at(1.0)
    desk.clock.on(-0.5)
    assert desk.writer.now_ns() == at(1.0)
    desk.clock.on(1.0)
    assert desk.writer.now_ns() == at(1.5)


def test_an_alert_is_told_when_it_falls_due_not_at_the_next_turn(desk: Desk) -> None:
    from skykeep.core.zone import PublishZone
    from tests.sky import zone_named

    async def publish() -> None:
        await desk.writer.submit((PublishZone(OFFICER, zone_named()),))

    desk.loop.run_until_complete(publish())
    for look in range(4):
        desk.clock.now_ns = at(2.0 + 0.2 * look)
        desk.send(plots(2.0 + 0.2 * look, PLACE))
        desk.get("/v1/sensors")
    due_ns = desk.writer._due_ns
    assert due_ns is not None
    desk.clock.now_ns = due_ns - 1
    desk.get("/v1/sensors")
    desk.clock.now_ns = due_ns
    desk.get("/v1/sensors")
    (alert,) = desk.get("/v1/alerts").json()["alerts"]
    assert alert["state"] == "raised"
    recorded = desk.writer.look()
    assert recorded is not None
    assert recorded.runtime.airspace.alerts()[0].raised_ns == due_ns
    assert due_ns % NS_PER_S != 0
