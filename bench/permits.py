"""A permit is taken back while 5,000 drones fly: how long until the verdict says so, durably.

A radar holds all of them inside a zone; twenty broadcast and have a permit each. A revocation
goes through engine and record, as it does at a running site behind its queue: the time is from
the command to the answer after the commit, in which the drone's verdict must be "not permitted".
"""

from __future__ import annotations

import math
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from bench.figure import Figure
from skykeep.core.airspace import RegisterSensor, Site
from skykeep.core.event import Actor, Permission, Tick, VerdictChanged
from skykeep.core.geo import Circle, Frame, HeightReference, Terrain, Volume, Volume4D
from skykeep.core.observation import (
    Batch,
    Claim,
    Coverage,
    Form,
    Scheme,
    Sensor,
    SensorKind,
)
from skykeep.core.permit import ChangePermit, Permit, PermitEvent, PermitState, PutPermit
from skykeep.core.zone import PublishZone, Restriction, Zone
from skykeep.runtime import Input, Recorded
from skykeep.units import NS_PER_S, BatchId, PermitId, SensorId, ZoneId

TRACKS, REVOKED = 5_000, 20
AIM_P99_S = 1.0
#: Until every track is confirmed and every identity judged.
SECONDS = 12
SPACING_M = 200.0
#: Each permit is for the drone's own surroundings.
OWN_RADIUS_M = 150.0
START_NS = 1_789_249_680 * NS_PER_S
OFFICER = Actor("A. Weber", "watch_officer")
FRAME = Frame(49.61, 6.13, 347.5)
SITE = Site("city", "a site", FRAME, Terrain(300.0, 300.0, 47.5, 47.5), "UTC")
RADAR = Sensor(
    SensorId("radar"), SensorKind.RADAR, 49.61, 6.13, 347.5, Coverage(1.0, 50_000.0), 1.0, 0.9,
    1.0,
)  # fmt: skip
RECEIVER = Sensor(
    SensorId("rid"), SensorKind.REMOTE_ID, 49.61, 6.13, 347.5, Coverage(0.0, 50_000.0), None,
    0.9, 0.0,
)  # fmt: skip
AREA = Volume(Circle(49.61, 6.13, 20_000.0), None, None)


def figures() -> list[Figure]:
    """The 50 and 99 % of the revocations: of so few, 99 % is the slowest."""
    with tempfile.TemporaryDirectory() as folder:
        recorded = Recorded(Path(folder), SITE)
        try:
            took, wrong, held = _run(recorded)
        finally:
            recorded.close()
    took.sort()
    spoiled = f"{wrong} of {REVOKED} verdicts did not turn" if wrong else ""
    if held != TRACKS:
        spoiled = f"{held} tracks, not {TRACKS}"
    note = f"{TRACKS} tracks, {REVOKED} permits taken back one by one, engine and commit"
    return [
        Figure(f"a revocation's verdict, p{share:.0%}".replace("%", ""), _at(took, share), "s",
               aim, less_is_better=True, note=note, spoiled=spoiled)
        for share, aim in ((0.5, None), (0.99, AIM_P99_S))
    ]  # fmt: skip


def _at(ordered: list[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, math.ceil(share * len(ordered)) - 1)]


def _run(recorded: Recorded) -> tuple[list[float], int, int]:
    zone = Zone(ZoneId("Z1"), "Z1", "city", Restriction.PROHIBITED, (AREA,))
    first: list[Input] = [
        Tick(START_NS), RegisterSensor(OFFICER, RECEIVER), RegisterSensor(OFFICER, RADAR),
        PublishZone(OFFICER, zone),
    ]  # fmt: skip
    recorded.take([*first, *_permits()])
    for second in range(SECONDS):
        recorded.take([_seen(second), _heard(second), Tick(START_NS + (second + 1) * NS_PER_S)])
    held = len(recorded.runtime.airspace.tracks())
    took, wrong = [], 0
    for number in range(REVOKED):
        permit_id = PermitId(f"P{number}")
        if not number % 10:
            second = SECONDS + number // 10
            recorded.take([_seen(second), _heard(second)])
        command = ChangePermit(OFFICER, permit_id, PermitEvent.REVOKE, "a helicopter comes")
        start_s = time.perf_counter()
        (answer,) = recorded.take([command])
        took.append(time.perf_counter() - start_s)
        wrong += not any(
            isinstance(e, VerdictChanged)
            and e.permit_id == permit_id
            and e.permission is Permission.NOT_PERMITTED
            for e in answer.events
        )
    return took, wrong, held


def _permits() -> Iterator[PutPermit]:
    for number in range(REVOKED):
        lat, lon, _ = FRAME.to_geodetic(*_place(number, SECONDS))
        own = Volume(Circle(lat, lon, OWN_RADIUS_M), None, None)
        always = (Volume4D(own, START_NS, START_NS + 86_400 * NS_PER_S),)
        permit = Permit(
            PermitId(f"P{number}"), "city", "", (_serial(number),), (ZoneId("Z1"),), always,
            PermitState.GRANTED,
        )  # fmt: skip
        yield PutPermit(OFFICER, permit)


def _serial(drone: int) -> str:
    return f"SKV18SRV{drone:05d}"


def _place(drone: int, second: int) -> tuple[float, float, float]:
    """On a grid around the radar, at walking pace northwards, 100 m up."""
    side = math.ceil(math.sqrt(TRACKS))
    east, north = drone % side - side // 2 + 0.5, drone // side - side // 2 + 0.5
    return SPACING_M * east, SPACING_M * north + 1.5 * second, 100.0


def _batch(of: Sensor, second: int, count: int, sigma_m: float, **more: Any) -> Batch:
    at_ns = START_NS + second * NS_PER_S
    places = [FRAME.to_geodetic(*_place(i, second)) for i in range(count)]
    velocities = (0.0, 1.5, 0.0) if of is RECEIVER else (math.nan,) * 3
    return Batch(
        BatchId(f"{of.sensor_id}:{second}"), of.sensor_id, at_ns, Form.POSITION,
        np.full(count, at_ns, np.int64), np.array(places), np.full((count, 3), sigma_m),
        np.tile(velocities, (count, 1)), np.full(count, HeightReference.HAE, np.int8),
        more.get("kinds"), more.get("claims", ()),
    )  # fmt: skip


def _seen(second: int) -> Batch:
    """What the radar sees: everything."""
    kinds = np.tile((0.97, 0.01, 0.01, 0.01), (TRACKS, 1))
    return _batch(RADAR, second, TRACKS, 5.0, kinds=kinds)


def _heard(second: int) -> Batch:
    """What those with a permit broadcast."""
    said = tuple(Claim(Scheme.REMOTE_ID, _serial(i), f"t{i}") for i in range(REVOKED))
    return _batch(RECEIVER, second, REVOKED, 4.0, claims=said)
