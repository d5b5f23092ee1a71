"""What an alert's card says beside the track: who could have seen it, and what else it could be.

Each question of the checklist has an answer of the site's state: `yes`, something speaks for it;
`no`, nothing does; `unknown`, the site cannot tell.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from skykeep.core.alert import Alert, AlertState
from skykeep.core.coverage import in_view
from skykeep.core.geo import Frame, PreparedArea, depth_m, in_time, prepare
from skykeep.core.observation import SensorKind
from skykeep.core.permit import Permit, PermitState
from skykeep.core.picture import TrackView
from skykeep.core.stations import WORKING, StationSnapshot
from skykeep.service.moment import Moment
from skykeep.units import NS_PER_S

#: An aircraft so near may be what a sensor saw: some seconds of flight at a jet's speed.
NEAR_M = 2_000.0
#: Who flies with a right begins early and ends late by so much.
NEAR_NS = 15 * 60 * NS_PER_S
#: From here on nothing else is likely (core/alert, AlertPolicy's own default).
SURELY_DRONE = 0.9
EVEN = 0.5
#: Cards told at once: the worst stand first, and nobody works on more.
CARDS_TOLD = 30
#: They speak of themselves, or for others: that they said nothing says nothing.
_NOT_WATCHING = frozenset({SensorKind.PERSON, SensorKind.UPSTREAM})
_ACTIVE = frozenset({PermitState.GRANTED, PermitState.ACTIVATED, PermitState.PROVISIONAL})


@dataclass(frozen=True, slots=True)
class Check:
    """One question, its answer, and why in words."""

    what: str
    answer: str
    words: str


@dataclass(frozen=True, slots=True)
class _Allowed:
    permit: Permit
    areas: tuple[PreparedArea, ...]


def cards_of(alerts: Sequence[Alert], moment: Moment, frame: Frame) -> dict[str, Any]:
    """By alert id, for those whose track is held: `missed` by which sensors, and the `checks`."""
    tracks = {t.track_id: t for t in moment.tracks}
    allowed = _allowed(moment)
    cards: dict[str, Any] = {}
    for alert in alerts:
        held = [tracks[t] for t in alert.tracks if t in tracks]
        if alert.state is AlertState.CLOSED or not held:
            continue
        cards[alert.alert_id] = {
            "missed": missed_by(held[-1], moment.stations, frame),
            "checks": [
                {"what": c.what, "answer": c.answer, "words": c.words}
                for c in _checks(held[-1], moment, frame, allowed)
            ],
        }
        if len(cards) >= CARDS_TOLD:
            break
    return cards


def missed_by(
    track: TrackView, stations: Sequence[StationSnapshot], frame: Frame
) -> list[dict[str, str]]:
    """The sensors whose stated coverage takes it in and that do not report it."""
    lat_deg, lon_deg, hae_m = _place(track, frame)
    found = []
    for station in stations:
        sensor = station.sensor
        if sensor.kind in _NOT_WATCHING or sensor.sensor_id in track.state.sensors:
            continue
        if in_view(sensor, frame, lat_deg, lon_deg, hae_m):
            found.append({"sensor_id": str(sensor.sensor_id), "health": station.health})
    return found


def checks(track: TrackView, moment: Moment, frame: Frame) -> tuple[Check, ...]:
    """What else a track could be, in the order in which it is asked."""
    return tuple(_checks(track, moment, frame, _allowed(moment)))


def _checks(
    track: TrackView, moment: Moment, frame: Frame, allowed: Sequence[_Allowed]
) -> Iterator[Check]:
    yield _crewed(track, moment)
    lat_deg, lon_deg, _ = _place(track, frame)
    for what, exempt in (("own or police drone", True), ("permitted flight", False)):
        those = [a for a in allowed if bool(a.permit.exemption_class) is exempt]
        yield _permitted(what, those, lat_deg, lon_deg)
    yield _bird(track)
    yield _fault(track, moment.stations)


def _crewed(track: TrackView, moment: Moment) -> Check:
    what = "crewed aircraft"
    receivers = [s for s in moment.stations if s.sensor.kind is SensorKind.ADSB]
    names = {s.sensor.sensor_id for s in receivers}
    if names & set(track.state.sensors):
        return Check(what, "yes", "an ADS-B receiver hears it")
    near = [
        (_apart_m(track, other), other)
        for other in moment.tracks
        if other.track_id != track.track_id and names & set(other.state.sensors)
    ]
    near = [found for found in near if found[0] <= NEAR_M]
    if near:
        apart_m, other = min(near, key=lambda found: (found[0], found[1].track_id))
        higher_m = (other.state.up_mm - track.state.up_mm) / 1e3
        said = f"ADS-B: {other.track_id} {apart_m:.0f} m away, {abs(higher_m):.0f} m "
        return Check(what, "yes", said + ("higher" if higher_m >= 0 else "lower"))
    if not any(s.health == WORKING for s in receivers):
        return Check(what, "unknown", "no ADS-B receiver works here")
    return Check(what, "no", f"ADS-B: none within {NEAR_M / 1e3:.0f} km")


def _permitted(what: str, those: Sequence[_Allowed], lat_deg: float, lon_deg: float) -> Check:
    near: list[tuple[float, str]] = []
    for one in those:
        outside_m = min(max(0.0, -depth_m(area, lat_deg, lon_deg)) for area in one.areas)
        if outside_m <= NEAR_M:
            near.append((outside_m, str(one.permit.permit_id)))
    if not near:
        return Check(what, "no", f"none active within {NEAR_M / 1e3:.0f} km and 15 min")
    outside_m, name = min(near)
    where = "takes this place in" if outside_m == 0.0 else f"begins {outside_m:.0f} m away"
    more = f", and {len(near) - 1} more" if len(near) > 1 else ""
    return Check(what, "yes", f"{name} {where}{more}")


def _bird(track: TrackView) -> Check:
    drone = track.state.probability_drone
    words = f"a drone at {100 * drone:.0f} %, else a bird, an aircraft or clutter"
    if drone >= SURELY_DRONE:
        return Check("bird or clutter", "no", f"a drone at {100 * drone:.0f} %")
    return Check("bird or clutter", "yes" if drone < EVEN else "unknown", words)


def _fault(track: TrackView, stations: Sequence[StationSnapshot]) -> Check:
    what, heard = "sensor fault", track.state.sensors
    unwell = [
        f"{s.sensor.sensor_id} is {s.health}"
        for s in stations
        if s.sensor.sensor_id in heard and s.health != WORKING
    ]
    if unwell:
        return Check(what, "yes", ", ".join(unwell))
    if not track.measured:
        return Check(what, "unknown", "nobody measured it: a broadcast can be made up")
    if len(heard) < 2:
        return Check(what, "unknown", "one sensor alone reports it")
    return Check(what, "no", f"{len(heard)} sensors report it")


def _allowed(moment: Moment) -> list[_Allowed]:
    found = []
    for permit in moment.permits:
        if permit.state not in _ACTIVE:
            continue
        areas = tuple(
            prepare(v.volume.area)
            for v in permit.volumes
            if in_time(
                None if v.start_ns is None else v.start_ns - NEAR_NS,
                None if v.end_ns is None else v.end_ns + NEAR_NS,
                moment.at_ns,
            )
        )
        if areas:
            found.append(_Allowed(permit, areas))
    return found


def _place(track: TrackView, frame: Frame) -> tuple[float, float, float]:
    state = track.state
    return frame.to_geodetic(state.east_mm / 1e3, state.north_mm / 1e3, state.up_mm / 1e3)


def _apart_m(one: TrackView, other: TrackView) -> float:
    """Over the ground."""
    east_mm = one.state.east_mm - other.state.east_mm
    return math.hypot(east_mm, one.state.north_mm - other.state.north_mm) / 1e3
