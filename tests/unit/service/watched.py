"""A desk whose live stream is at work, fifty beats a second."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from skykeep.commands.recompute import recompute
from skykeep.service import hub as hub_room
from skykeep.service.hub import Hub
from tests.desk import Desk
from tests.sky import FINDER, GUARD, RADAR, RECEIVER, at
from tests.unit.service.line import PATIENCE_S


@pytest.fixture
def watched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    monkeypatch.setattr(hub_room, "BEAT_S", 0.02)
    monkeypatch.setattr(hub_room, "PUSH_GAP_S", 0.0)
    made = Desk(tmp_path, (RADAR, RECEIVER))
    yield from at_work(made)
    assert recompute(tmp_path / "data").faults == []


@pytest.fixture
def watched_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    """The same with a direction finder and a guard."""
    monkeypatch.setattr(hub_room, "BEAT_S", 0.02)
    monkeypatch.setattr(hub_room, "PUSH_GAP_S", 0.0)
    made = Desk(tmp_path, (RADAR, RECEIVER, FINDER, GUARD))
    yield from at_work(made)
    assert recompute(tmp_path / "data").faults == []


def at_work(desk: Desk) -> Iterator[Desk]:
    desk.clock.now_ns = at(1.0)
    hub = hub_of(desk)
    task = desk.loop.create_task(hub.run())
    yield desk
    hub.stop()
    desk.loop.run_until_complete(asyncio.wait_for(task, PATIENCE_S))
    desk.close()


def hub_of(desk: Desk) -> Hub:
    hub: Hub = desk.app.state.hub
    return hub


def beats(desk: Desk, count: int = 3) -> None:
    """Let the hub look so many times anew."""
    hub = hub_of(desk)
    until = hub.tracks_seq + count

    async def wait() -> None:
        while hub.tracks_seq < until:
            await asyncio.sleep(0.005)

    desk.loop.run_until_complete(asyncio.wait_for(wait(), PATIENCE_S))
