"""The topics that are lists of maps: which alerts are told, when a zone is looked at again."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import msgspec
import pytest

from skykeep.core.alert import Alert, AlertState
from skykeep.core.event import Bias, Permission, RegistrationChanged
from skykeep.core.geo import HeightAgl, Polygon, Volume
from skykeep.core.zone import Period, Restriction, Zone, ZoneState
from skykeep.service import live_topics
from skykeep.service.live_topics import ALERTS_TOLD, ZoneBoard, alert_message, sensors_message
from skykeep.service.web_socket import binary_frame
from skykeep.units import AlertId, SensorId
from tests.sky import SITE, at, engine, zone_named
from tests.unit.service.line import unframed


def told(board: ZoneBoard, at_ns: int) -> list[dict[str, Any]]:
    message = msgspec.msgpack.decode(msgspec.msgpack.encode(board.message(at_ns)))
    zones: list[dict[str, Any]] = message["zones"]
    return zones


def updated(board: ZoneBoard, zones: tuple[Zone, ...], at_ns: int) -> bool:
    """The answer at the end of its turns."""
    turns = board.update(zones, at_ns)
    while True:
        try:
            next(turns)
        except StopIteration as end:
            return bool(end.value)


def test_a_zone_is_looked_at_again_only_when_its_answer_may_change(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looked: list[str] = []
    original = live_topics.applies_until

    def counted(zone: Zone, at_ns: int) -> Any:
        looked.append(zone.zone_id)
        return original(zone, at_ns)

    monkeypatch.setattr(live_topics, "applies_until", counted)
    always = zone_named("always")
    hour = zone_named("hour", periods=(Period(at(100.0), at(200.0)),))
    board = ZoneBoard(SITE)
    zones = (always, hour)
    assert updated(board, zones, at(0.0))
    assert [z["applies"] for z in told(board, at(0.0))] == ["yes", "no"]
    assert told(board, at(0.0))[1]["applies_until_ms"] == at(100.0) / 1e6
    looked.clear()
    for second in range(1, 100):
        assert not updated(board, zones, at(second))
    assert looked == []
    assert updated(board, zones, at(100.0))
    assert looked == ["hour"]
    assert [z["applies"] for z in told(board, at(100.0))] == ["yes", "yes"]
    assert updated(board, zones, at(200.0))
    assert [z["applies"] for z in told(board, at(200.0))] == ["yes", "no"]
    assert told(board, at(200.0))[1]["applies_until_ms"] is None
    looked.clear()
    changed = replace(always, name="renamed")
    assert updated(board, (changed, hour), at(201.0))
    assert looked == ["always"]
    assert updated(board, (changed,), at(202.0))
    assert [z["name"] for z in told(board, at(202.0))] == ["renamed"]
    assert not updated(board, (changed,), at(203.0))


def test_zones_of_others_and_those_that_nobody_can_read() -> None:
    border = ((6.0, 49.0), (6.1, 49.0), (6.1, 49.1), (6.0, 49.0))
    foreign = zone_named(
        "F", authority_id="country", restriction=Restriction.CONDITIONAL, reasons=("PRIVACY",),
        volumes=(Volume(Polygon((border,)), None, HeightAgl(120.0)),), state=ZoneState.PROPOSED,
    )  # fmt: skip
    dark = zone_named("D", readable=False, volumes=(), emergency=True)
    board = ZoneBoard(SITE)
    updated(board, (foreign, dark), at(0.0))
    first, second = told(board, at(0.0))
    assert (first["enforced"], first["applies"], first["state"]) == (False, "no", "proposed")
    assert first["volumes"] == [
        {
            "area": {"rings": [[list(p) for p in border]]},
            "lower": None,
            "upper": {"m": 120.0, "reference": "AGL"},
        }
    ]
    assert (second["readable"], second["applies"], second["emergency"]) == (False, "maybe", True)
    judged = ZoneBoard(replace(SITE, also_judges=("country",)))
    updated(judged, (foreign,), at(0.0))
    assert told(judged, at(0.0))[0]["enforced"]


def alert(number: int, state: AlertState, priority: int = 2) -> Alert:
    name = AlertId(f"A{number:05d}")
    permission = Permission.NOT_PERMITTED
    return Alert(name, state, True, priority, (), (), permission, (), at(float(number)))


def test_the_gravest_alerts_come_first_and_the_oldest_closed_ones_are_left_out() -> None:
    closed = [alert(n, AlertState.CLOSED) for n in range(300)]
    pending = [
        alert(300, AlertState.RAISED),
        alert(301, AlertState.SHELVED, 3),
        alert(302, AlertState.HANDED_OVER, 1),
        alert(303, AlertState.ACKNOWLEDGED),
    ]
    message = alert_message(at(400.0), [*closed, *pending], {}, {}, {}, True)
    numbers = [int(a["alert_id"][1:]) for a in message["alerts"]]
    assert numbers[:6] == [302, 303, 300, 301, 299, 298]
    assert len(numbers) == ALERTS_TOLD
    assert message["more"] == 304 - ALERTS_TOLD


def test_in_a_flood_like_alerts_are_a_group() -> None:
    pending = [alert(n, AlertState.RAISED) for n in range(3)] + [alert(9, AlertState.RAISED, 1)]
    quiet = alert_message(at(400.0), pending, {}, {}, {}, True, (False, 4))
    assert (quiet["flood"], quiet["raised_lately"], quiet["groups"]) == (False, 4, [])
    flood = alert_message(at(400.0), pending, {}, {}, {}, True, (True, 14))
    assert flood["groups"] == [("A00009", "A00000", "A00001", "A00002")]


def test_frames_of_every_size_are_whole() -> None:
    for size in (0, 1, 125, 126, 127, 65_535, 65_536, 70_000):
        payload = b"x" * size
        assert unframed(binary_frame(payload)) == payload


# -- sensors ------------------------------------------------------------------------------


def test_a_sensor_is_told_with_what_is_known_of_its_bias() -> None:
    found = RegistrationChanged(
        at(9.0), SensorId("radar"), ("azimuth",), Bias(0.0, 1.2, 0.0, 0.0),
        Bias(75.0, 0.02, 2.0, 0.3), 10, 99,
    )  # fmt: skip
    plain = engine().stations()[0]
    told = replace(plain, registration=replace(plain.registration, said=found))
    first, second = sensors_message(at(10.0), [plain, told])["sensors"]
    assert first["registration"] is None
    assert second["registration"] == {
        "at_ms": at(9.0) / 1e6,
        "applied": ("azimuth",),
        "bias": {"range_m": 0.0, "azimuth_deg": 1.2, "elevation_deg": 0.0, "time_s": 0.0},
        "sigma": {"range_m": 75.0, "azimuth_deg": 0.02, "elevation_deg": 2.0, "time_s": 0.3},
        "aircraft": 10,
        "comparisons": 99,
    }
    assert second | {"registration": None} == first
