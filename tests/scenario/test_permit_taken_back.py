"""A drone in the air whose permit is taken back: the verdict turns at once and says why."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from skykeep.codec import entries, wire
from skykeep.codec.ed318_write import write_ed318
from skykeep.codec.permits import encode_permits
from skykeep.commands.recompute import recompute
from skykeep.core.permit import PermitState
from skykeep.record.entry import read_leaf
from skykeep.store.record_store import RecordStore
from skykeep.units import NS_PER_MS
from tests.desk import OFFICE, RECEIVER_TOKEN, Desk
from tests.sky import CITY, at, claim_of, claims, permit_named, plots, zone_named

DRONE_AT = (100.0, 0.0, 80.0)


def flying(desk: Desk) -> None:
    """A drone with a permit in the zone, measured and heard, for some seconds."""
    assert desk.command("publish_zone", write_ed318([zone_named()])).status_code == 200
    applied = encode_permits(CITY, [permit_named(state=PermitState.SUBMITTED)])
    assert desk.command("put_permit", applied, OFFICE).status_code == 200
    assert desk.command("grant_permit", {"permit_id": "P1"}, OFFICE).status_code == 200
    for second in range(1, 14):
        desk.clock.now_ns = at(second)
        heard = claims(second, (claim_of(), DRONE_AT))
        assert desk.send(heard, RECEIVER_TOKEN).status_code == 200
        assert desk.send(plots(second, DRONE_AT)).status_code == 200
        desk.clock.now_ns = at(second) + 300 * NS_PER_MS
        desk.get("/v1/sensors")


def verdict(desk: Desk) -> tuple[str, list[dict[str, Any]]]:
    (track,) = desk.get("/v1/tracks").json()["tracks"]
    (one,) = track["verdicts"]
    return one["permission"], one["reasons"]


@pytest.mark.parametrize("step", ["revoke", "suspend"])
def test_taking_a_permit_back_turns_the_verdict_with_the_same_entry(
    tmp_path: Path, step: str
) -> None:
    desk = Desk(tmp_path)
    flying(desk)
    assert verdict(desk)[0] == "permitted"
    body = {"permit_id": "P1", "step": step, "why": "a helicopter comes"}
    said = desk.command("change_permit", body).json()
    # The clock stands: no batch and no tick has come since.
    permission, reasons = verdict(desk)
    assert permission == "not_permitted"
    assert "a helicopter comes" in reasons[0]["words"]
    assert [c["event_name"] for c in said["changed"]] == ["PermitChanged", "NoticeDue"]
    desk.clock.on(1.0)
    desk.get("/v1/sensors")
    assert desk.get("/v1/alerts").json()["alerts"][0]["state"] == "raised"
    desk.close()

    store = RecordStore(tmp_path / "data", "", audit=True)
    (command,) = (e for e in store.entries(said["entries"][0], said["entries"][0] + 1))
    assert wire.decode(store.facts(command)[0]).why == "a helicopter comes"
    after = [read_leaf(e.leaf) for e in store.entries(command.index, command.index + 3)]
    assert [leaf.kind for leaf in after] == [entries.COMMAND, entries.TRACKS, entries.VERDICT]
    assert after[2].at_ns == after[0].at_ns
    store.close()
    assert recompute(tmp_path / "data").faults == []
