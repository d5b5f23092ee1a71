"""Retention at a running site: what is due goes by itself, what is held stays."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from skykeep.commands.recompute import recompute
from skykeep.core.retention import DAY_NS
from skykeep.service.retention import Retention
from tests.desk import OFFICE, RECEIVER_TOKEN, Desk
from tests.sky import SERIAL, at, claim_of, claims, plots
from tests.unit.service.test_routes import ZONES

OTHER = "SKV18OTHER7777777"
INTRUDER, PASSER = (100.0, 0.0, 80.0), (3_000.0, 2_500.0, 80.0)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path)
    yield made
    made.close()
    assert recompute(tmp_path / "data").faults == []


def said(desk: Desk) -> bytes:
    """All that can still be read of the record."""
    recorded = desk.writer.look()
    assert recorded is not None
    store = recorded.store
    return b"\n".join(d for p in store.entries() for d in store.readable(p) if d is not None)


def round_of(desk: Desk) -> Any:
    retention: Retention = desk.app.state.retention
    return desk.loop.run_until_complete(retention.round())


def test_what_is_due_is_destroyed_and_what_is_held_is_not(desk: Desk) -> None:
    desk.command("publish_zone", ZONES, OFFICE)
    for second in range(1, 14):
        desk.clock.now_ns = at(second)
        desk.send(plots(second, INTRUDER, PASSER))
        other = claim_of(OTHER, transmitter="bb")
        desk.send(claims(second, (claim_of(), INTRUDER), (other, PASSER)), RECEIVER_TOKEN)
        desk.clock.now_ns = at(second + 0.3)
        desk.get("/v1/sensors")
    opened = desk.command("open_incident", {"title": "a drone", "alerts": ["A00001"]})
    assert opened.status_code == 200
    assert round_of(desk) == ()
    desk.clock.now_ns += 29 * DAY_NS
    assert round_of(desk) == ()
    desk.clock.now_ns += 2 * DAY_NS
    assert {source for source, _ in round_of(desk)} == {"engine", "rid"}
    assert OTHER.encode() not in said(desk)
    assert SERIAL.encode() in said(desk)
    assert round_of(desk) == ()
    (incident,) = desk.get("/v1/incidents").json()["incidents"]
    assert incident["held"] is True
    let_go = {"incident_id": "I0001", "held": False, "why": "the court has decided"}
    assert desk.command("hold_incident", let_go).status_code == 200
    assert desk.command("hold_incident", let_go).status_code == 409
    round_of(desk)
    assert SERIAL.encode() not in said(desk)
    assert desk.get("/v1/incidents/I0001/dossier").status_code == 200
