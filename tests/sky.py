"""A small sky built by hand for tests of the core: places in metres, plain sensors, one site.

Everything lies in `FRAME`, whose origin is on the ground: `up_m` there is the height above it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from skykeep.core.airspace import Airspace, RegisterSensor, Site
from skykeep.core.claims import ClaimedState
from skykeep.core.event import Actor, Event, Strength
from skykeep.core.geo import (
    Circle,
    Fix,
    Frame,
    HeightAgl,
    HeightHae,
    HeightReference,
    Terrain,
    Volume,
    Volume4D,
)
from skykeep.core.identity import Identity
from skykeep.core.observation import Batch, Claim, Coverage, Form, Scheme, Sensor, SensorKind
from skykeep.core.permit import Permit, PermitState
from skykeep.core.track.tracker import Confirmed
from skykeep.core.verdict import Subject, VerdictPolicy
from skykeep.core.zone import PublishZone, Restriction, Zone
from skykeep.units import NS_PER_S, BatchId, PermitId, SensorId, TrackId, ZoneId, seconds

Place = tuple[float, float, float]  # east, north, up in metres
NOWHERE = float("nan")

START_NS = 1_789_249_680 * NS_PER_S  # 2026-09-12 21:48 UTC
FRAME = Frame(49.61, 6.13, 347.5)
#: Ground and geoid known to the millimetre, so that heights can be told.
TERRAIN = Terrain(300.0, 300.0, 47.5, 47.5)
CITY, COUNTRY = "city", "country"
SITE = Site(CITY, "a site", FRAME, TERRAIN, "UTC")
OFFICER = Actor("A. Weber", "duty officer")

SERIAL = "SKV18SRV00017"
DRONE, BIRD, AIRCRAFT = (0.97, 0.01, 0.01, 0.01), (0.01, 0.97, 0.01, 0.01), (0.01, 0.01, 0.97, 0.01)


def at(second: float) -> int:
    """A moment, seconds after the start."""
    return START_NS + seconds(second)


def fix_at(place: Place, sigma_m: float = 5.0, sigma_up_m: float = 5.0) -> Fix:
    lat, lon, hae = FRAME.to_geodetic(*place)
    return Fix(lat, lon, sigma_m, HeightHae(hae), sigma_up_m)


def volume(place: Place = (0.0, 0.0, 0.0), radius_m: float = 500.0, top_m: float = 300.0) -> Volume:
    """A cylinder around a place, from the ground to `top_m` above it."""
    lat, lon, _ = FRAME.to_geodetic(*place)
    return Volume(Circle(lat, lon, radius_m), HeightAgl(0.0), HeightAgl(top_m))


def zone_named(name: str = "Z1", **changes: Any) -> Zone:
    plain = Zone(ZoneId(name), name, CITY, Restriction.PROHIBITED, (volume(),))
    return replace(plain, **changes)


def permit_named(name: str = "P1", **changes: Any) -> Permit:
    """A granted permit for `SERIAL` in zone Z1, over all of it, for an hour from the start."""
    always = Volume4D(volume(radius_m=5_000.0, top_m=1_000.0), at(0.0), at(3_600.0))
    plain = Permit(
        PermitId(name), CITY, "Survey Ltd", (SERIAL,), (ZoneId("Z1"),), (always,),
        PermitState.GRANTED,
    )  # fmt: skip
    return replace(plain, **changes)


def claim_of(identity: str | None = SERIAL, transmitter: str = "aa", **more: Any) -> Claim:
    return Claim(more.pop("scheme", Scheme.REMOTE_ID), identity, transmitter, **more)


def identity_of(
    identity: str | None = SERIAL, strength: Strength = Strength.CONSISTENT, **more: Any
) -> Identity:
    return Identity(claim_of(identity, **more), strength, ())


def subject_at(place: Place = (0.0, 0.0, 100.0), **changes: Any) -> Subject:
    """A nameless drone, long seen, hovering; taken for one where its kinds say it surely is."""
    kinds = changes.pop("kinds", (0.99, 0.0, 0.01, 0.0))
    plain = Subject(
        track_id=TrackId("T1"),
        fix=fix_at(place),
        velocity_mps=(0.0, 0.0, 0.0),
        kinds=kinds,
        kind_known=True,
        taken_for_drone=kinds[0] >= VerdictPolicy().drone_probability,
        identity=None,
        remote_id_heard_here=True,
        claim_near=False,
        age_s=60.0,
        measured=True,
        idle=False,
    )
    return replace(plain, **changes)


def claimed_at(second: float, place: Place, **changes: Any) -> ClaimedState:
    lat, lon, hae = FRAME.to_geodetic(*place)
    plain = ClaimedState(
        at(second), *place, lat, lon, HeightHae(hae), 4.0, 6.0, (0.0, 0.0, 0.0), at(second),
        RECEIVER.sensor_id,
    )  # fmt: skip
    return replace(plain, **changes)


def confirmed(
    second: float,
    places: Sequence[Place],
    *,
    velocity: Place = (0.0, 0.0, 0.0),
    sigma_m: float = 6.0,
) -> Confirmed:
    """Measured tracks numbered 1, 2 ... at a moment."""
    n = len(places)
    x = np.zeros((n, 6))
    x[:, :3] = np.array(places, float).reshape(n, 3)
    x[:, 3:] = velocity
    p = np.tile(np.diag([sigma_m**2] * 3 + [1.0] * 3), (n, 1, 1))
    times = np.full(n, at(second), np.int64)
    numbers = np.arange(1, n + 1, dtype=np.int64)
    return Confirmed(numbers, x, p, times, times.copy(), times.copy(), np.zeros((n, 4)))


# -- sensors and what they report ---------------------------------------------------------


def sensor(name: str, kind: SensorKind, **changes: Any) -> Sensor:
    """A sensor on the ground 100 m west of the origin that sees all round for 20 km."""
    lat, lon, hae = FRAME.to_geodetic(-100.0, 0.0, 0.0)
    return replace(Sensor(SensorId(name), kind, lat, lon, hae, Coverage(1.0, 20_000.0)), **changes)


RADAR = sensor("radar", SensorKind.POSITION, period_s=1.0, false_per_turn=1.0)
RECEIVER = sensor("rid", SensorKind.REMOTE_ID)
ADSB = sensor("adsb", SensorKind.ADSB)
FINDER = sensor("df", SensorKind.DIRECTION_FINDER)
GUARD = sensor("guard", SensorKind.PERSON)
C2 = sensor("c2", SensorKind.UPSTREAM)
SENSORS = (RADAR, RECEIVER, ADSB, FINDER, GUARD)


def batch(
    of: Sensor,
    second: float,
    form: Form,
    values: Sequence[Place],
    sigmas: Place = (5.0, 5.0, 8.0),
    *,
    reference: HeightReference = HeightReference.HAE,
    **changes: Any,
) -> Batch:
    """A batch received the moment it was measured."""
    n = len(values)
    plain = Batch(
        BatchId(f"{of.sensor_id}:{second}"),
        of.sensor_id,
        at(second),
        form,
        np.full(n, at(second), np.int64),
        np.array(values, float).reshape(n, 3),
        np.tile(np.array(sigmas), (n, 1)),
        np.full((n, 3), NOWHERE),
        np.full(n, reference, np.int8),
    )
    return replace(plain, **changes)


def plots(second: float, *places: Place, kinds: tuple[float, ...] = DRONE, **changes: Any) -> Batch:
    """One turn of the radar."""
    values = [FRAME.to_geodetic(*place) for place in places]
    likelihood = np.tile(np.array(kinds), (len(places), 1))
    return batch(RADAR, second, Form.POSITION, values, kind_likelihood=likelihood, **changes)


def claims(
    second: float, *said: tuple[Claim, Place], of: Sensor = RECEIVER, **changes: Any
) -> Batch:
    """What aircraft broadcast of themselves at one moment."""
    values = [FRAME.to_geodetic(*place) for _, place in said]
    return batch(
        of, second, Form.POSITION, values, (4.0, 4.0, 6.0), claims=tuple(c for c, _ in said),
        **changes,
    )  # fmt: skip


def tracks(
    second: float,
    *told: tuple[str, Place],
    of: Sensor = C2,
    sigmas: Place = (5.0, 5.0, 8.0),
    velocity: Place | None = (0.0, 0.0, 0.0),
    slack: Place | None = (1.0, 1.0, 0.5),
    **changes: Any,
) -> Batch:
    """What another system tells of its tracks, by its own names, at one moment."""
    values = [FRAME.to_geodetic(*place) for _, place in told]
    n, nowhere = len(told), (NOWHERE,) * 3
    return batch(
        of, second, Form.TRACK, values, sigmas,
        velocities_mps=np.tile(np.array(velocity or nowhere), (n, 1)),
        upstream_ids=tuple(name for name, _ in told),
        velocity_sigmas_mps=np.tile(np.array(slack or nowhere), (n, 1)), **changes,
    )  # fmt: skip


def sighting(second: float, words: str, azimuth_deg: float = NOWHERE, **changes: Any) -> Batch:
    return batch(
        GUARD, second, Form.SIGHTING, [(azimuth_deg, NOWHERE, NOWHERE)], (15.0, NOWHERE, NOWHERE),
        words=(words,), **changes,
    )  # fmt: skip


def engine(*zones: Zone, site: Site = SITE, sensors: Sequence[Sensor] = SENSORS) -> Airspace:
    """An engine with its sensors registered and its zones in force."""
    made = Airspace(site)
    for each in sensors:
        made.apply(RegisterSensor(OFFICER, each), at(0.0))
    for zone in zones:
        made.apply(PublishZone(OFFICER, zone), at(0.0))
    return made


def only(events: Sequence[Event], kind: type) -> list[Any]:
    """The events of one kind, in order."""
    return [event for event in events if isinstance(event, kind)]
