"""Every route, from a zone to an assessment, and who may use it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from skykeep.codec.ed318_write import write_ed318
from skykeep.codec.permits import encode_permits
from skykeep.commands.recompute import recompute
from skykeep.core.permit import PermitState
from skykeep.units import NS_PER_MS, NS_PER_S
from tests.desk import (
    OFFICE,
    OFFICER,
    READER,
    RECEIVER_TOKEN,
    Desk,
)
from tests.sky import (
    CITY,
    RADAR,
    RECEIVER,
    SERIAL,
    at,
    claim_of,
    claims,
    permit_named,
    plots,
    zone_named,
)

ZONES = write_ed318([zone_named()])
PERMITS = encode_permits(CITY, [permit_named(state=PermitState.SUBMITTED)])
DRONE_AT = (100.0, 0.0, 80.0)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path)
    yield made
    made.close()
    found = recompute(tmp_path / "data")
    assert found.faults == []


def fly(desk: Desk, first_s: int, last_s: int) -> None:
    """A drone in the zone, seen every second, the clock ticking after each look."""
    for second in range(first_s, last_s):
        desk.clock.now_ns = at(second)
        assert desk.send(plots(second, DRONE_AT)).status_code == 200
        desk.clock.now_ns = at(second) + 300 * NS_PER_MS
        desk.get("/v1/sensors")


def alerted(desk: Desk) -> None:
    assert desk.command("publish_zone", ZONES).status_code == 200
    fly(desk, 1, 8)


def test_from_a_zone_to_an_alert_that_people_deal_with(desk: Desk) -> None:
    said = desk.command("publish_zone", ZONES).json()
    assert said["changed"][0] | {"at_ns": 0} == {
        "event_name": "ZoneChanged", "at_ns": 0, "zone_id": "Z1", "state": "in_force",
        "actor": {"name": "A. Weber", "role": "watch_officer"}, "version": 1, "why": "published",
    }  # fmt: skip
    fly(desk, 1, 8)
    (alert,) = desk.get("/v1/alerts").json()["alerts"]
    assert (alert["state"], alert["priority"], alert["zones"]) == ("raised", 1, ["Z1"])
    (track,) = desk.get("/v1/tracks").json()["tracks"]
    assert alert["tracks"] == [track["track_id"]]
    assert track["alert_id"] == alert["alert_id"]
    assert track["verdicts"][0]["permission"] == "not_permitted"
    assert track["sensors"] == ["radar"]
    assert abs(track["lat_deg"] - 49.61) < 1e-3
    one = {"alert_id": alert["alert_id"]}
    assert desk.command("acknowledge_alert", one).status_code == 200
    again = desk.command("acknowledge_alert", one)
    assert again.status_code == 409
    assert "acknowledged" in again.json()["problem"]
    assert desk.command("shelve_alert", one | {"until": "2026-09-12T21:40:00Z", "why": "x"}
                        ).status_code == 409  # that is past  # fmt: skip
    shelf = one | {"until": "2026-09-12T22:40:00Z", "why": "a kite"}
    assert desk.command("shelve_alert", shelf).json()["changed"][0]["state"] == "shelved"
    assert desk.get("/v1/alerts").json()["alerts"][0]["shelved_until"] == "2026-09-12T22:40:00Z"
    assert desk.command("unshelve_alert", one).status_code == 200
    handed = desk.command("hand_over_alert", one | {"recipient": "patrol 4"}).json()["changed"][0]
    assert (handed["why"], handed["actor"]["name"]) == ("to patrol 4", "A. Weber")
    assert desk.command("close_alert", one | {"why": "it left"}).status_code == 200
    assert desk.get("/v1/alerts?closed=false").json() == {"alerts": []}


def test_from_alerts_to_an_assessed_incident(desk: Desk) -> None:
    alerted(desk)
    assert desk.get("/v1/incidents").json() == {"incidents": []}
    opened = desk.command("open_incident", {"title": "a drone", "alerts": ["A00001"]}).json()
    number = opened["incident"]
    report = {"incident_id": number, "words": "found one", "injuries": "none", "damage": "none",
              "parts": [{"lat_deg": 49.61, "lon_deg": 6.13, "words": "a rotor"}]}  # fmt: skip
    assert desk.command("file_report", report).status_code == 200
    thin = {"incident_id": number, "conclusion": "confirmed", "words": "sure",
            "evidence": ["A00001"]}  # fmt: skip
    assert "needs 2 pieces" in desk.command("assess", thin).json()["problem"]
    firm = thin | {"evidence": ["A00001", "report 1"]}
    assert desk.command("assess", firm).json()["incident"] == number
    whole = desk.get(f"/v1/incidents/{number}").json()
    assert whole["incident"]["opened_by"] == "A. Weber"
    assert whole["assessments"][0]["author"] == {"name": "A. Weber", "role": "watch_officer"}
    assert whole["reports"][0]["parts"][0]["words"] == "a rotor"
    assert {"AlertChanged", "VerdictChanged"} <= {e["event_name"] for e in whole["history"]}
    move = {"incident_id": number, "step": "close", "why": "done"}
    assert desk.command("move_incident", move).status_code == 200
    assert desk.command("move_incident", move).status_code == 409
    assert desk.get("/v1/incidents").json()["incidents"][0]["state"] == "closed"
    missing = desk.get("/v1/incidents/I0099")
    assert (missing.status_code, missing.json()["problem"]) == (404, "there is no incident I0099")


def test_a_permit_is_put_granted_and_revoked(desk: Desk) -> None:
    assert desk.command("put_permit", PERMITS, OFFICE).status_code == 200
    assert desk.command("grant_permit", {"permit_id": "P1"}, OFFICE).status_code == 200
    assert desk.command("revoke_permit", {"permit_id": "P1", "why": ""}).status_code == 409
    assert desk.command("revoke_permit", {"permit_id": "P1", "why": "a visit"}).status_code == 200
    (permit,) = desk.get("/v1/permits", OFFICE).json()["permits"]
    assert (permit["state"], permit["state_why"]) == ("revoked", "a visit")
    assert permit["serials"] == [SERIAL]
    assert desk.command("grant_permit", {"permit_id": "P9"}, OFFICE).status_code == 409
    other = encode_permits("country", [permit_named(authority_id="country")])
    refused = desk.command("put_permit", other, OFFICE)
    assert (refused.status_code, refused.json()["where"]) == (422, "$.authority")


def test_exemptions_stand_apart(desk: Desk) -> None:
    police = permit_named("X1", exemption_class="police")
    both = encode_permits(CITY, [permit_named(state=PermitState.SUBMITTED), police])
    assert desk.command("put_permit", both, OFFICE).status_code == 200
    found = desk.get("/v1/exemptions", OFFICE).json()
    assert ([p["id"] for p in found["exemptions"]], found["permits"]) == (["X1"], [])
    assert [p["id"] for p in desk.get("/v1/permits", OFFICE).json()["permits"]] == ["P1"]


def test_a_sensor_says_what_it_covers(desk: Desk) -> None:
    radar = desk.get("/v1/sensors", READER).json()["sensors"][0]
    assert (radar["sensor"], radar["period_s"], radar["words"]) == ("radar", 1.0, "")
    assert radar["coverage"] == {
        "range_min_m": 1.0, "range_max_m": 20_000.0, "azimuth_from_deg": 0.0,
        "azimuth_to_deg": 360.0, "elevation_min_deg": -90.0, "elevation_max_deg": 90.0,
    }  # fmt: skip


def test_history_is_not_changed(desk: Desk) -> None:
    nouns = ("zones", "permits", "exemptions", "tracks", "alerts", "incidents", "incidents/I0001",
             "sensors", "observations", "batches", "commands/assess")  # fmt: skip
    for noun in nouns:
        for method in ("PUT", "PATCH", "DELETE"):
            answer = desk.request(method, f"/v1/{noun}", OFFICER)
            assert answer.status_code == 405, (method, noun)
            assert "history does not change" in answer.json()["problem"]
            assert "new entry" in answer.json()["mend"]
    other = desk.request("POST", "/v1/tracks", OFFICER)
    assert (other.status_code, "history" in other.text) == (405, False)
    assert desk.request("DELETE", "/health").json()["problem"] == "not with this method"


def test_who_opened_an_incident_is_for_officers(desk: Desk) -> None:
    alerted(desk)
    desk.command("open_incident", {"title": "t", "alerts": ["A00001"]})
    for token, name in ((OFFICER, "A. Weber"), (READER, "")):
        assert desk.get("/v1/incidents", token).json()["incidents"][0]["opened_by"] == name


def test_zones_come_out_as_they_went_in_until_they_are_withdrawn(desk: Desk) -> None:
    desk.command("publish_zone", ZONES, OFFICE)
    assert desk.get("/v1/zones", READER).json()["features"] == json.loads(ZONES)["features"]
    gone = {"zone_id": "Z1", "why": "over"}
    assert desk.command("withdraw_zone", gone).json()["changed"][0]["state"] == "withdrawn"
    assert desk.get("/v1/zones").json()["features"] == []
    assert desk.command("withdraw_zone", gone).status_code == 409


def test_a_zone_document_with_a_fault_publishes_nothing(desk: Desk) -> None:
    document = json.loads(ZONES)
    broken = json.loads(ZONES)["features"][0]
    broken["properties"]["identifier"] = "Z2"
    broken["geometry"]["extent"]["radius"] = -5.0
    document["features"].append(broken)
    refused = desk.command("publish_zone", document)
    assert refused.status_code == 422
    assert "features[1]" in refused.json()["where"]
    assert desk.get("/v1/zones").json()["features"] == []


def test_an_identity_is_for_officers_only(desk: Desk) -> None:
    desk.command("publish_zone", ZONES)
    for second in range(1, 8):
        desk.clock.now_ns = at(second)
        heard = claims(second, (claim_of(), DRONE_AT))
        assert desk.send(heard, RECEIVER_TOKEN).status_code == 200
        fly(desk, second, second + 1)
    (track,) = desk.get("/v1/tracks").json()["tracks"]
    assert track["identity"]["identity"] == SERIAL
    (track,) = desk.get("/v1/tracks", READER).json()["tracks"]
    assert (track["identity"], track["identity_withheld"]) == (None, True)
    assert SERIAL in desk.get("/v1/tracks").text
    for path in ("tracks", "alerts", "zones", "incidents", "sensors"):
        assert SERIAL not in desk.get(f"/v1/{path}", READER).text
    desk.command("open_incident", {"title": "t", "alerts": ["A00001"]})
    assert desk.get("/v1/incidents/I0001").status_code == 200
    assert desk.get("/v1/incidents/I0001", READER).status_code == 403


def test_the_sites_sensors_are_registered_once_and_their_health_is_told(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    assert [s["health"] for s in desk.get("/v1/sensors").json()["sensors"]] == ["unknown"] * 2
    desk.clock.now_ns = at(1)
    desk.send(plots(1, DRONE_AT))
    assert desk.get("/health", None).json()["sensors"] == {"radar": "working", "rid": "unknown"}
    size = desk.writer.size
    desk.close()
    desk = Desk(tmp_path)
    assert desk.writer.size == size + 1  # a tick: nothing is registered again
    assert desk.get("/health", None).json()["sensors"]["radar"] == "working"
    desk.close()
    changed = Desk(tmp_path, (RADAR, RECEIVER.__class__(**_with(RECEIVER, range_max_m=9_000.0))))
    assert changed.writer.size > size + 3
    changed.close()


def _with(sensor: Any, range_max_m: float) -> dict[str, Any]:
    from dataclasses import fields, replace

    wider = replace(sensor, coverage=replace(sensor.coverage, range_max_m=range_max_m))
    return {f.name: getattr(wider, f.name) for f in fields(wider)}


def test_health_and_checkpoint_need_no_token(desk: Desk) -> None:
    health = desk.get("/health", None).json()
    assert (health["ok"], health["problem"], health["site"]) == (True, "", "a site")
    assert health["checkpoint"]["size"] == health["entries"] == desk.writer.size
    lines = desk.get("/checkpoint", None).text.splitlines()
    assert lines[0] == "city/skykeep"
    assert int(lines[1]) >= health["entries"]


def test_the_clock_goes_on_by_itself(desk: Desk) -> None:
    before = desk.writer.size
    desk.clock.now_ns += 2 * NS_PER_S
    desk.get("/v1/sensors")
    assert desk.writer.size > before


def test_the_interface_describes_itself(desk: Desk) -> None:
    document = desk.get("/openapi.json", None).json()
    paths = set(document["paths"])
    assert {"/health", "/v1/batches", "/v1/zones", "/v1/commands/assess"} <= paths
    page = desk.get("/docs", None).text
    assert all(path in page for path in paths)
    assert "http://" not in page
    assert "https://" not in page
    assert "<script" not in page


ZONE_COMMANDS = ("publish_zone", "withdraw_zone", "propose_zones", "declare_ban", "change_zone")
PERMIT_COMMANDS = ("put_permit", "grant_permit")
OFFICER_COMMANDS = (
    "acknowledge_alert", "hand_over_alert", "close_alert", "shelve_alert", "unshelve_alert",
    "raise_test_alert",
    "open_incident", "file_report", "assess", "move_incident", "hold_incident", "maintain_sensor",
    "hand_over_incident", "instruct", "withdraw_handover", "set_exercise",
    "draft_warning", "release_warning", "cancel_warning",
)  # fmt: skip
BODIES: dict[str, Any] = {
    "publish_zone": json.loads(ZONES),
    "put_permit": json.loads(PERMITS),
    "withdraw_zone": {"zone_id": "Z9", "why": "x"},
    "propose_zones": {"document": json.loads(ZONES), "why": "x"},
    "declare_ban": {"document": json.loads(ZONES), "why": "x"},
    "change_zone": {"zone_id": "Z9", "step": "withdraw", "why": "x"},
    "grant_permit": {"permit_id": "P9"},
    "revoke_permit": {"permit_id": "P9", "why": "x"},
    "change_permit": {"permit_id": "P9", "step": "suspend", "why": "x"},
    "declare_exemption": {
        "exemption_class": "fire",
        "serials": [],
        "minutes": 5,
        "around": {"lat_deg": 49.6, "lon_deg": 6.1, "radius_m": 50.0},
    },
    "import_exemptions": {
        "csv": "id,class,holder,serials,lat_deg,lon_deg,radius_m,start,end\n"
        "X9,fire,F,S,49.6,6.1,50,2026-01-01T00:00:00Z,2027-01-01T00:00:00Z\n"
    },
    "check_permits": json.loads(PERMITS),
    "hand_over_alert": {"alert_id": "A9", "recipient": "x"},
    "maintain_sensor": {"sensor": "x", "begins": True, "why": "x"},
    "hand_over_incident": {"incident_id": "I9", "recipient": "x"},
    "instruct": {"recipient": "x", "instruction": "take_cover"},
    "withdraw_handover": {"handover_id": "H9", "why": "x"},
    "set_exercise": {"until": "2026-09-12T23:00:00Z", "why": "x"},
    "acknowledge_handover": {"handover_id": "H9"},
    "draft_warning": {"zone_id": "Z9"},
    "release_warning": {"warning_id": "W9"},
    "cancel_warning": {"warning_id": "W9"},
    "report_back": {"handover_id": "H9", "words": "x"},
    "close_alert": {"alert_id": "A9", "why": "x"},
    "shelve_alert": {"alert_id": "A9", "until": "2026-09-12T22:40:00Z", "why": "x"},
    "open_incident": {"title": "x", "alerts": ["A9"]},
    "file_report": {"incident_id": "I9", "words": "x"},
    "assess": {"incident_id": "I9", "conclusion": "unverified", "words": "x"},
    "hold_incident": {"incident_id": "I9", "held": False, "why": "x"},
    "move_incident": {"incident_id": "I9", "step": "close", "why": "x"},
}
#: Commands, and whose tokens give them with these bodies; all of it is in test_rights.
MAY = {
    **{name: {OFFICER, OFFICE} for name in ZONE_COMMANDS},
    **{name: {OFFICE} for name in PERMIT_COMMANDS},
    **{name: {OFFICER} for name in OFFICER_COMMANDS},
    "revoke_permit": {OFFICER, OFFICE},
    "change_permit": {OFFICER, OFFICE},
    "declare_exemption": {OFFICER, OFFICE},
    "import_exemptions": {OFFICE},
    "check_permits": {OFFICER, OFFICE},
    # A recipient's token too, for its own hand-overs: test_handovers.
    "acknowledge_handover": {OFFICER},
    "report_back": {OFFICER},
}
