"""What a record has to hold a proposition against: tracks, and who was in watch.

A track counts where a sensor that gave it is known. "Nothing was there" counts only where a
sensor was up that would have seen it; with which probability is worked out from the sensors'
stated coverage, period and detection probability, for the least favourable place and moment.
"""

from __future__ import annotations

import enum
import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from skykeep.core.casebook import ResponderReport
from skykeep.core.coverage import UP, SensorTime, in_view
from skykeep.core.event import AlertChanged, VerdictChanged, WarningChanged
from skykeep.core.geo import F64, Frame
from skykeep.core.observation import CLAIMING_KINDS, I64, SensorKind
from skykeep.core.proposition import Place
from skykeep.units import NS_PER_S, TrackId

#: Kinds that see what flies whether or not it sends anything. The others' silence says nothing.
UNAIDED = frozenset({SensorKind.RADAR, SensorKind.POSITION})
_TELLING = CLAIMING_KINDS | {SensorKind.PERSON}
#: Whoever comes is taken to stay so long; a multirotor crosses 300 m in that time at 10 m/s.
STAY_NS = 30 * NS_PER_S
#: So many detections make a track. The tracker's own score needs two or three.
LEAST_DETECTIONS = 3
#: "Would have been seen" from this probability on.
SURE = 0.95
#: What is less probably a drone than this is none (birds, clutter).
POSSIBLY_DRONE = 0.1
#: Borders are resolved to this many standard deviations.
SIGMAS = 2.0
#: At these heights above the site's ground an absence is looked for.
HEIGHTS_M = (30.0, 120.0)
_RING = 8
#: A proposition over more time than this is looked at in longer steps.
MOST_STEPS = 3_000


class Within(enum.Enum):
    """Whether a track was in a place."""

    YES, PERHAPS, NO = "yes", "perhaps", "no"


@dataclass(frozen=True, slots=True, eq=False)
class TrackSeen:
    """A track's states in their order: at_ns (n,), places and velocities (n, 3) in the site's
    frame (m, m/s), sigma_m and sigma_up_m (n,) one standard deviation, drone (n,) whether it was
    taken for a drone, probability (n,) of it. `earlier` is the track that it continues.
    """

    track_id: TrackId
    at_ns: I64
    places_m: F64
    velocities_mps: F64
    sigma_m: F64
    sigma_up_m: F64
    drone: NDArray[np.bool_]
    probability: F64
    sensors: tuple[str, ...]
    verdicts: tuple[VerdictChanged, ...] = ()
    earlier: TrackId | None = None

    def moments(self, spot: F64, radius_m: float, span: tuple[int, int]) -> NDArray[np.bool_]:
        """At which of its states it may have been in a circle during a span (n,)."""
        off = np.hypot(self.places_m[:, 0] - spot[0], self.places_m[:, 1] - spot[1])
        inside: NDArray[np.bool_] = off - SIGMAS * self.sigma_m <= radius_m
        return inside & (self.at_ns >= span[0]) & (self.at_ns < span[1])

    def within(self, spot: F64, radius_m: float, span: tuple[int, int]) -> Within:
        """Whether it was there, and was a drone."""
        may = self.moments(spot, radius_m, span)
        off = np.hypot(self.places_m[:, 0] - spot[0], self.places_m[:, 1] - spot[1])
        if bool((may & self.drone & (off + SIGMAS * self.sigma_m <= radius_m)).any()):
            return Within.YES
        if bool((may & (self.drone | (self.probability >= POSSIBLY_DRONE))).any()):
            return Within.PERHAPS
        return Within.NO


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a record or a dossier shows. `sensors` are those with a stated coverage."""

    frame: Frame
    sensors: tuple[SensorTime, ...]
    tracks: tuple[TrackSeen, ...]
    alerts: tuple[AlertChanged, ...] = ()
    warnings: tuple[WarningChanged, ...] = ()
    reports: tuple[ResponderReport, ...] = field(default=())

    def spot(self, place: Place) -> F64:
        """A place's centre in the site's frame, on its ground (3,)."""
        return np.array(self.frame.to_enu(place.lat_deg, place.lon_deg, self.frame.hae_m))

    @property
    def counted(self) -> tuple[TrackSeen, ...]:
        """The tracks that a sensor measured: what an aircraft says of itself carries nothing."""
        known = {o.sensor.sensor_id for o in self.sensors if o.sensor.kind not in _TELLING}
        return tuple(t for t in self.tracks if known & set(t.sensors))

    def tracks_in(
        self, place: Place, span: tuple[int, int]
    ) -> tuple[list[TrackSeen], list[TrackSeen]]:
        """Drones that were surely in a place, and those that may have been."""
        spot = self.spot(place)
        found: dict[Within, list[TrackSeen]] = {w: [] for w in Within}
        for track in self.counted:
            found[track.within(spot, place.radius_m, span)].append(track)
        return found[Within.YES], found[Within.PERHAPS]


class WatchState(enum.StrEnum):
    """How far an absence can be told."""

    WATCHED = "watched"
    NO_COVERAGE = "no_coverage"
    OUTAGE = "outage"
    BELOW_THRESHOLD = "below_threshold"


@dataclass(frozen=True, slots=True)
class Watched:
    """Who would have seen a drone in a place, with which least probability; in words too."""

    state: WatchState
    probability: float
    lines: tuple[str, ...]


def watched(evidence: Evidence, place: Place, span: tuple[int, int]) -> Watched:
    """Whether a drone that stayed for `STAY_NS` anywhere in a place would have been tracked."""
    seers = [one for one in evidence.sensors if one.sensor.kind in UNAIDED]
    points = _points(evidence.spot(place), place.radius_m)
    covers = np.array([_covers(one, evidence.frame, points) for one in seers], np.bool_)
    covers = covers.reshape(len(seers), len(points))
    begins, stay = _steps(span)
    chances = np.array([[_chance(one, t, stay) for t in begins] for one in seers], np.float64)
    chances = chances.reshape(len(seers), len(begins))
    lines = tuple(
        f"{one.sensor.sensor_id} ({one.sensor.kind}): up {_up_share(one, span):.1%} of the time, "
        + ("covers the whole place" if bool(row.all()) else
           "covers a part of the place" if bool(row.any()) else "does not cover the place")
        for one, row in zip(seers, covers, strict=True)
    )  # fmt: skip
    if not bool(covers.any(axis=0).all()):
        return Watched(WatchState.NO_COVERAGE, 0.0, lines)
    missed = np.ones((len(begins), len(points)))
    for row, chance in zip(covers, chances, strict=True):
        missed *= 1.0 - chance[:, None] * row[None, :]
    least = float(1.0 - missed.max())
    if least >= SURE:
        return Watched(WatchState.WATCHED, least, lines)
    up = np.array([[_up_ns(one, t, t + stay) > 0 for t in begins] for one in seers])
    looked = (covers[:, None, :] & up[:, :, None]).any(axis=0)
    state = WatchState.BELOW_THRESHOLD if bool(looked.all()) else WatchState.OUTAGE
    return Watched(state, least, lines)


def missed_by(evidence: Evidence, track: TrackSeen, place: Place, span: tuple[int, int]) -> str:
    """A sensor that covered a track there, was up and would have seen it, and did not; or ""."""
    there = track.moments(evidence.spot(place), place.radius_m, span)
    at_ns, places = track.at_ns[there], track.places_m[there]
    for one in evidence.sensors:
        if one.sensor.kind not in UNAIDED or one.sensor.sensor_id in track.sensors:
            continue
        if not bool(_covers(one, evidence.frame, places).all()):
            continue
        stay = int(at_ns[-1] - at_ns[0]) + NS_PER_S
        if _chance(one, int(at_ns[0]), stay) >= SURE:
            return str(one.sensor.sensor_id)
    return ""


def _points(spot: F64, radius_m: float) -> F64:
    """The centre and two rings, at both heights (m, 3)."""
    found = []
    for up in HEIGHTS_M:
        found.append((spot[0], spot[1], up))
        for share in (0.5, 1.0):
            for k in range(_RING):
                angle = 2.0 * math.pi * k / _RING
                east = spot[0] + share * radius_m * math.sin(angle)
                found.append((east, spot[1] + share * radius_m * math.cos(angle), up))
    return np.array(found)


def _covers(one: SensorTime, frame: Frame, places_m: F64) -> NDArray[np.bool_]:
    return np.array([in_view(one.sensor, frame, *frame.to_geodetic(*p)) for p in places_m])


def _steps(span: tuple[int, int]) -> tuple[list[int], int]:
    """When a stay can begin, and how long it is: no longer than the span itself."""
    stay = min(STAY_NS, span[1] - span[0])
    step = max(stay // 2, (span[1] - span[0]) // MOST_STEPS, 1)
    return [*range(span[0], span[1] - stay, step), span[1] - stay], stay


def _chance(one: SensorTime, from_ns: int, stay_ns: int) -> float:
    """The probability of `LEAST_DETECTIONS` or more in a stay (binomial)."""
    period = one.sensor.period_s
    if period is None:  # it says nothing when it sees nothing
        return 0.0
    turns = int(_up_ns(one, from_ns, from_ns + stay_ns) / (period * NS_PER_S))
    p = one.sensor.detection_probability
    below = sum(
        math.comb(turns, k) * p**k * (1.0 - p) ** (turns - k)
        for k in range(min(LEAST_DETECTIONS, turns + 1))
    )
    return 1.0 - below


def _up_ns(one: SensorTime, from_ns: int, to_ns: int) -> int:
    return sum(
        max(0, min(to_ns, s.to_ns) - max(from_ns, s.from_ns)) for s in one.spans if s.state == UP
    )


def _up_share(one: SensorTime, span: tuple[int, int]) -> float:
    return _up_ns(one, *span) / (span[1] - span[0])


def aircraft_of(tracks: Sequence[TrackSeen]) -> int:
    """How many aircraft tracks are: one that continues another is the same."""
    names = {t.track_id for t in tracks}
    return sum(t.earlier not in names for t in tracks)
