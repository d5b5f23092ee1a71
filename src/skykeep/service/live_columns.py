"""The live stream's messages of many rows, as columns: tracks, trails, rays.

A column is the little-endian bytes of a typed array (docs/live-stream.md).
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skykeep.core.alert import Alert, AlertState
from skykeep.core.event import Permission, Strength
from skykeep.core.geo import Frame, HeightReference, geodetic_many
from skykeep.core.picture import TrackView
from skykeep.core.track.arrival import HORIZON_S
from skykeep.core.verdict import BOUND, INSIDE, MAYBE_INSIDE, Presence, Verdict
from skykeep.units import NS_PER_MS, NS_PER_S, ZoneId

Message = dict[str, Any]

REFERENCES = ("UNKNOWN", *(r.name for r in HeightReference if r))
PERMISSIONS = ("none", *(p.value for p in Permission))
PRESENCES = ("none", MAYBE_INSIDE, BOUND, INSIDE)
STRENGTHS = tuple(s.value for s in Strength)
NO_ZONE = 65_535
#: In whole seconds and hundredths: what is not reached, or not known.
NEVER = 255
TAKEN_FOR_DRONE, MEASURED, HAS_ALERT, HAS_IDENTITY = 1, 2, 4, 8
#: Where a track was: so many beats back.
TRAIL_BEATS = 60

#: The gravest verdict of a track is the one that it is shown by.
_GRAVITY = {
    Permission.NOT_SUBJECT: 0,
    Permission.PERMITTED: 1,
    Permission.UNDETERMINED: 2,
    Permission.NOT_PERMITTED: 3,
}
_PRESENCE = {what: i for i, what in enumerate(PRESENCES)}
_PERMISSION = {p: i for i, p in enumerate(PERMISSIONS)}
_STRENGTH = {s: i for i, s in enumerate(STRENGTHS)}
_REFERENCE = {r.name: int(r) for r in HeightReference}
_numbers = attrgetter(
    "east_mm", "north_mm", "up_mm", "velocity_east_mmps", "velocity_north_mmps",
    "velocity_up_mmps", "sigma_horizontal_mm", "sigma_up_mm", "state_at_ns",
)  # fmt: skip


def column(values: ArrayLike, kind: str) -> bytes:
    """The bytes of a column; `kind` as in numpy: f4, i4, u2, u1."""
    return np.asarray(values).astype(f"<{kind}").tobytes()


@dataclass(frozen=True, slots=True, eq=False)
class Places:
    """Where the tracks are at a moment: degrees times 10^7, one row a track."""

    at_ns: int
    track_id: tuple[str, ...]
    lat_e7: NDArray[np.int32]
    lon_e7: NDArray[np.int32]


def tracks_message(
    at_ns: int,
    tracks: Sequence[TrackView],
    alerts: Sequence[Alert],
    frame: Frame,
    counts: tuple[int, int],
) -> tuple[Message, Places]:
    """The topic `tracks`, and the same places for the trails.

    `counts` are the frame's number and how many were left out for slow listeners.
    """
    n = len(tracks)
    states = [t.state for t in tracks]
    numbers = np.array([_numbers(s) for s in states], np.int64).reshape(n, 9)
    places = places_of(at_ns, tracks, numbers[:, :3], frame)
    metres = numbers[:, :8] / 1e3
    pending = {a.alert_id for a in alerts if a.state is not AlertState.CLOSED}
    zones, gravest = _gravest(tracks)
    seen_by, sensor_ids = _sensors(tracks)
    last_ns = np.array([t.last_ns for t in tracks], np.int64)
    message: Message = {
        "topic": "tracks",
        "at_ms": at_ns / NS_PER_MS,
        "seq": counts[0],
        "skipped": counts[1],
        "track_id": list(places.track_id),
        "lat_e7": places.lat_e7.tobytes(),
        "lon_e7": places.lon_e7.tobytes(),
        "height_m": column(
            [math.nan if s.height_mm is None else s.height_mm / 1e3 for s in states], "f4"
        ),
        "height_reference": column([_REFERENCE[s.height_reference] for s in states], "u1"),
        "references": REFERENCES,
        "ve_mps": column(metres[:, 3], "f4"),
        "vn_mps": column(metres[:, 4], "f4"),
        "vu_mps": column(metres[:, 5], "f4"),
        "sigma_m": column(metres[:, 6], "f4"),
        "sigma_up_m": column(metres[:, 7], "f4"),
        "age_s": column((at_ns - last_ns) / NS_PER_S, "f4"),
        "state_age_s": column((at_ns - numbers[:, 8]) / NS_PER_S, "f4"),
        "permission": column(gravest[:, 0], "u1"),
        "permissions": PERMISSIONS,
        "presence": column(gravest[:, 1], "u1"),
        "presences": PRESENCES,
        "entry_s": column(gravest[:, 3], "f4"),
        "entry_within_s": HORIZON_S,
        "entry_percent": column(gravest[:, 4], "u1"),
        "entry_10_s": column(gravest[:, 5], "u1"),
        "entry_50_s": column(gravest[:, 6], "u1"),
        "entry_90_s": column(gravest[:, 7], "u1"),
        "zone": column(gravest[:, 2], "u2"),
        "zone_ids": zones,
        "strength": column([_STRENGTH[t.identity[3]] if t.identity else 0 for t in tracks], "u1"),
        "strengths": STRENGTHS,
        "drone": column([s.probability_drone for s in states], "f4"),
        "flags": column([_flags(t, pending) for t in tracks], "u1"),
        "sensors": seen_by,
        "sensor_ids": sensor_ids,
        "alert": [t.alert_id or "" for t in tracks],
    }
    return message, places


def places_of(
    at_ns: int, tracks: Sequence[TrackView], position_mm: NDArray[np.int64], frame: Frame
) -> Places:
    """Tracks' positions (n, 3) in the frame as latitudes and longitudes."""
    geodetic = geodetic_many(frame.origin, position_mm / 1e3)
    e7 = np.rint(geodetic[:, :2] * 1e7).astype("<i4")
    return Places(
        at_ns,
        tuple(t.track_id for t in tracks),
        np.ascontiguousarray(e7[:, 0]),
        np.ascontiguousarray(e7[:, 1]),
    )


def _gravest(tracks: Sequence[TrackView]) -> tuple[list[str], NDArray[np.float64]]:
    """Zones named, and for each track permission, presence, zone, seconds to its entry, then
    the probability of it in hundredths and the whole seconds by which it is 10, 50, 90 %."""
    zones: dict[str, int] = {}
    rows = np.tile(np.array([0.0, 0.0, NO_ZONE, math.nan, *[NEVER] * 4]), (len(tracks), 1))
    for row, track in enumerate(tracks):
        if not track.verdicts:
            continue
        zone_id, where, verdict = max(track.verdicts, key=_gravity)
        zone = zones.setdefault(zone_id, len(zones))
        entry_s = math.nan if where.entry_in_s is None else where.entry_in_s
        permission, presence = _PERMISSION[verdict.permission], _PRESENCE[where.what]
        rows[row] = (permission, presence, zone, entry_s, *_ahead(where))
    return list(zones), rows


def _ahead(where: Presence) -> tuple[int, ...]:
    a = where.arrival
    if a is None:
        return (NEVER,) * 4
    by_s = (NEVER if s is None else round(s) for s in (a.p10_s, a.p50_s, a.p90_s))
    return round(100.0 * a.probability), *by_s


def gravest_permission(track: TrackView) -> str:
    """The permission that a track is shown by: `none` where it is near no zone."""
    return max(track.verdicts, key=_gravity)[2].permission if track.verdicts else PERMISSIONS[0]


def _gravity(found: tuple[ZoneId, Presence, Verdict]) -> tuple[int, int, float]:
    _, where, verdict = found
    entry_s = where.entry_in_s or 0.0
    return _GRAVITY[verdict.permission], _PRESENCE[where.what], -entry_s


def _sensors(tracks: Sequence[TrackView]) -> tuple[list[list[int]], list[str]]:
    """For each track the indices of its sensors, and the sensors' ids."""
    ids: dict[str, int] = {}
    known: dict[tuple[str, ...], list[int]] = {}
    rows = []
    for track in tracks:
        names: tuple[str, ...] = track.state.sensors
        row = known.get(names)
        if row is None:
            row = known[names] = [ids.setdefault(name, len(ids)) for name in names]
        rows.append(row)
    return rows, list(ids)


def _flags(track: TrackView, pending: set[Any]) -> int:
    return (
        TAKEN_FOR_DRONE * track.state.taken_for_drone
        | MEASURED * track.measured
        | HAS_ALERT * (track.alert_id in pending)
        | HAS_IDENTITY * bool(track.identity)
    )


def nothing_seen(at_ns: int, counts: tuple[int, int], frame: Frame) -> Message:
    """The topic `tracks` for those who may see none: it tells that time goes on."""
    return tracks_message(at_ns, (), (), frame, counts)[0]


class Trails:
    """Where the tracks were on the last beats; bounded by beats and tracks."""

    def __init__(self, beats: int = TRAIL_BEATS) -> None:
        self._kept: deque[tuple[Places, NDArray[np.int64]]] = deque(maxlen=beats)
        self._number: dict[str, int] = {}
        self._next = 0

    def add(self, places: Places) -> None:
        """One beat's places."""
        numbers = np.empty(len(places.track_id), np.int64)
        known: dict[str, int] = {}
        for row, track_id in enumerate(places.track_id):
            number = self._number.get(track_id)
            if number is None:
                number, self._next = self._next, self._next + 1
            known[track_id] = numbers[row] = number
        self._number = known  # a track that is no longer held has no trail
        self._kept.append((places, numbers))

    def message(self, at_ns: int) -> Message:
        """The topic `trails`: the tracks of the last beat, each with its points."""
        ids = list(self._number)
        held = np.array([self._number[i] for i in ids], np.int64)
        numbers = np.concatenate([n for _, n in self._kept] or [held])
        lat = np.concatenate([p.lat_e7 for p, _ in self._kept] or [np.empty(0, np.int32)])
        lon = np.concatenate([p.lon_e7 for p, _ in self._kept] or [np.empty(0, np.int32)])
        ages = [np.full(len(n), (at_ns - p.at_ns) / NS_PER_S) for p, n in self._kept]
        age_s = np.concatenate(ages or [np.empty(0)])
        row = _rows_of(held, numbers)
        order = np.argsort(row, kind="stable")  # beats are in the order of time
        order = order[row[order] >= 0]
        return {
            "topic": "trails",
            "at_ms": at_ns / NS_PER_MS,
            "track_id": ids,
            "count": column(np.bincount(row[row >= 0], minlength=len(ids)), "u2"),
            "lat_e7": column(lat[order], "i4"),
            "lon_e7": column(lon[order], "i4"),
            "age_s": column(age_s[order], "f4"),
        }


def _rows_of(held: NDArray[np.int64], numbers: NDArray[np.int64]) -> NDArray[np.int64]:
    """For each number its place in `held`, -1 where it is not there."""
    if not len(held):
        return np.full(len(numbers), -1, np.int64)
    by_number = np.argsort(held)
    found = by_number[np.minimum(np.searchsorted(held[by_number], numbers), len(held) - 1)]
    return np.where(held[found] == numbers, found, -1)


@dataclass(frozen=True, slots=True)
class Ray:
    """A direction in which something was seen, from a sensor's place."""

    at_ns: int
    sensor_id: str
    azimuth_deg: float
    sigma_deg: float
    person: bool


def rays_message(at_ns: int, rays: Sequence[Ray]) -> Message:
    """The topic `rays`."""
    ids: dict[str, int] = {}
    return {
        "topic": "rays",
        "at_ms": at_ns / NS_PER_MS,
        "sensor": column([ids.setdefault(r.sensor_id, len(ids)) for r in rays], "u2"),
        "azimuth_deg": column([r.azimuth_deg for r in rays], "f4"),
        "sigma_deg": column([r.sigma_deg for r in rays], "f4"),
        "age_s": column([(at_ns - r.at_ns) / NS_PER_S for r in rays], "f4"),
        "person": column([r.person for r in rays], "u1"),
        "sensor_ids": list(ids),
    }
