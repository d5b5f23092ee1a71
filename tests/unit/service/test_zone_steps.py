"""A zone's way into force over HTTP."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from skykeep.codec.ed318_write import write_ed318
from skykeep.commands.recompute import recompute
from skykeep.core.zone_book import ZonePolicy
from skykeep.units import NS_PER_S
from tests.desk import OFFICE, OFFICER, READER, Desk
from tests.sky import at, zone_named

BASIS = "Air Act, section 12"


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path)
    yield made
    made.close()
    assert recompute(tmp_path / "data").faults == []


def document(name: str = "Citadel", **changes: Any) -> dict[str, Any]:
    zone = replace(zone_named("Z1", legal_basis=BASIS, **changes), name=name)
    made: dict[str, Any] = json.loads(write_ed318([zone]))
    return made


def step(desk: Desk, name: str, token: str = OFFICE, **more: Any) -> Any:
    return desk.command("change_zone", {"zone_id": "Z1", "step": name, **more}, token)


def names(desk: Desk, at_text: str) -> list[str]:
    found = desk.get(f"/v1/zones/at?at={at_text}", READER).json()["features"]
    return [f["properties"]["name"][0]["text"] for f in found]


def test_one_proposes_another_approves_and_the_history_says_so(desk: Desk) -> None:
    body = {"document": document(), "why": "a state visit"}
    assert desk.command("propose_zones", body, OFFICER).status_code == 200
    assert step(desk, "enter_into_force").status_code == 409
    assert step(desk, "approve", OFFICER).status_code == 403
    assert step(desk, "approve", why="as proposed").status_code == 200
    said = step(desk, "enter_into_force", OFFICER).json()["changed"]
    assert [(c["state"], c["version"]) for c in said] == [("in_force", 1)]
    desk.clock.now_ns = at(100)
    wider = {"document": document("Citadel and park"), "why": "the park too"}
    assert desk.command("propose_zones", wider, OFFICER).status_code == 200
    step(desk, "approve")
    step(desk, "enter_into_force")
    told = desk.get("/v1/zones/versions?zone_id=Z1", READER).json()
    assert told["approver_differs"] is True
    first, second = told["versions"]
    assert [s["step"] for s in first["steps"]] == [
        "propose", "approve", "enter_into_force", "withdraw",
    ]  # fmt: skip
    assert first["steps"][1]["why"] == "as proposed"
    assert (first["state"], second["state"]) == ("withdrawn", "in_force")
    assert first["until"] == second["since"]
    assert [(c["field"], c["before"], c["after"]) for c in second["changes"]] == [
        ("name", "Citadel", "Citadel and park")
    ]
    assert names(desk, first["since"]) == ["Citadel"]
    assert names(desk, second["since"]) == ["Citadel and park"]
    assert names(desk, "2026-09-01T00:00:00Z") == []


def test_nobody_approves_what_they_proposed(desk: Desk) -> None:
    desk.command("propose_zones", {"document": document(), "why": "x"}, OFFICE)
    refused = step(desk, "approve")
    assert refused.status_code == 409
    assert "another person approves it" in refused.json()["problem"]


def test_what_begins_later_begins_by_itself(desk: Desk) -> None:
    body = {"document": document(), "why": "x", "effective": "2026-09-12T22:00:00Z"}
    desk.command("propose_zones", body, OFFICER)
    step(desk, "approve")
    assert names(desk, "2026-09-12T22:00:00Z") == []
    desk.clock.now_ns = at(13 * 60)
    assert desk.get("/health").status_code == 200
    (version,) = desk.get("/v1/zones/versions?zone_id=Z1").json()["versions"]
    assert (version["state"], version["steps"][-1]["name"]) == (
        "in_force", "the date that was approved",
    )  # fmt: skip


def test_an_emergency_ban_lapses_unless_the_office_confirms_it(desk: Desk) -> None:
    ban = {"document": document(), "why": "two drones over the citadel"}
    assert desk.command("declare_ban", ban, OFFICER).status_code == 200
    (version,) = desk.get("/v1/zones/versions?zone_id=Z1").json()["versions"]
    assert (version["state"], version["emergency"]) == ("in_force", True)
    assert version["confirm_by"] is not None
    assert step(desk, "confirm", OFFICER).status_code == 403
    desk.clock.now_ns += round(ZonePolicy().confirm_within_s * NS_PER_S) + NS_PER_S
    assert desk.get("/health").status_code == 200
    assert desk.get("/v1/zones").json()["features"] == []
    assert desk.command("declare_ban", ban, OFFICER).status_code == 200
    assert step(desk, "confirm", why="the danger goes on").status_code == 200
    desk.clock.now_ns += round(ZonePolicy().confirm_within_s * NS_PER_S) + NS_PER_S
    assert desk.get("/health").status_code == 200
    assert len(desk.get("/v1/zones").json()["features"]) == 1


@pytest.mark.parametrize(
    ("command", "changes", "problem"),
    [
        ("declare_ban", {"why": " "}, "needs a reason in words"),
        ("declare_ban", {"document": json.loads(write_ed318([zone_named()]))}, "no legal basis"),
        ("propose_zones", {"effective": "2020-01-01T00:00:00Z"}, "cannot enter into force"),
    ],
)
def test_what_a_ban_needs(desk: Desk, command: str, changes: dict[str, Any], problem: str) -> None:
    refused = desk.command(command, {"document": document(), "why": "x"} | changes, OFFICER)
    assert refused.status_code == 409
    assert problem in refused.json()["problem"]


def test_what_waits_for_somebody_is_listed(desk: Desk) -> None:
    def waits() -> list[tuple[Any, ...]]:
        found = desk.get("/v1/zones/pending", OFFICE).json()["pending"]
        return [(p["zone_id"], p["version"], p["state"], p["by"]) for p in found]

    body = {"document": document(), "why": "a state visit"}
    assert waits() == []
    desk.command("propose_zones", body, OFFICER)
    assert waits() == [("Z1", 1, "proposed", "A. Weber")]
    step(desk, "approve")
    assert waits() == [("Z1", 1, "approved", "P. Office")]
    step(desk, "enter_into_force")
    assert waits() == []
    desk.command("propose_zones", body | {"document": document("wider")}, OFFICER)
    assert waits() == [("Z1", 2, "proposed", "A. Weber")]
    assert desk.get("/v1/zones/pending", READER).status_code == 403


def test_bad_input_names_its_field(desk: Desk) -> None:
    body = {"document": document(), "why": "x", "effective": "tomorrow"}
    refused = desk.command("propose_zones", body, OFFICER)
    assert (refused.status_code, refused.json()["where"]) == (422, "effective")
    empty = {"document": {"type": "FeatureCollection", "features": []}, "why": "x"}
    assert desk.command("declare_ban", empty, OFFICER).status_code == 422
    assert desk.get("/v1/zones/versions?zone_id=none").status_code == 404
    assert desk.get("/v1/zones/at?at=now").status_code == 422
