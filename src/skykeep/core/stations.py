"""The registered sensors at work: who reports, who has fallen silent, who would see what."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from skykeep.core.event import RegistrationChanged
from skykeep.core.geo import F64, Frame
from skykeep.core.identity import TWO_PLACES, ClaimBook, ClaimTrack
from skykeep.core.numbering import Numbered, Numbering
from skykeep.core.observation import I64, Batch, Scheme, Sensor, SensorKind
from skykeep.core.track.kernels import covered_many
from skykeep.core.track.registration import Cooperative, Registration, RegistrationSnapshot
from skykeep.core.track.tracker import SensorView, view_of
from skykeep.errors import DecisionError
from skykeep.units import NS_PER_S, SensorId

#: A sensor is silent after this many periods without a word, and never sooner than 3 s.
SILENT_PERIODS = 3.0
SILENT_LEAST_S = 3.0
#: A Remote ID receiver counts as listening while it has heard anybody within this time.
LISTENING_NS = 10 * NS_PER_S
#: A sensor without a period reports what it sees when it sees it: about once a second.
ANY_PERIOD_S = 1.0
#: A sensor that says it detects nothing is not waited for longer than a hundred turns.
LEAST_SHARE = 0.01
#: Sensors that would see an aircraft whatever it says of itself.
MEASURING_KINDS = frozenset({SensorKind.RADAR, SensorKind.POSITION})
#: Sensors that measure range and direction, or direction alone, from where they stand.
REGISTERED_KINDS = frozenset({SensorKind.RADAR, SensorKind.DIRECTION_FINDER})

WORKING, SILENT, UNKNOWN = "working", "silent", "unknown"
MAINTENANCE = "maintenance"


@dataclass(slots=True)
class Station:
    """A registered sensor at work; `ambiguous` counts bearings that fitted several tracks."""

    view: SensorView
    since_ns: int
    last_ns: int = 0
    health: str = UNKNOWN
    ambiguous: int = 0
    registration: Registration = field(default_factory=Registration)
    numbering: Numbering = field(default_factory=Numbering)

    def counted(self, batch: Batch) -> tuple[Numbered, ...]:
        """Take note of a batch's number; DecisionError for one that must not be taken."""
        key, signed = self.view.sensor.key, batch.signed
        if not key:
            return ()
        if signed is None or signed.key != key:
            raise DecisionError(f"{batch.sensor_id} signs, and this is not signed with its key")
        self.numbering, said = self.numbering.after(signed.session, signed.sequence)
        return said

    def registered(
        self, batch: Batch, rows: I64, claims: ClaimBook, now_ns: int
    ) -> tuple[Batch, tuple[RegistrationChanged, ...]]:
        """A batch of this sensor without its bias, and what it taught about that, if anything."""
        if self.view.sensor.kind not in REGISTERED_KINDS:
            return batch, ()
        heard = cooperative_of(claims)
        said = self.registration.observe(batch, rows, self.view, heard, now_ns)
        return self.registration.corrected(batch), () if said is None else (said,)


@dataclass(frozen=True, slots=True)
class StationSnapshot:
    """A registered sensor at work, as values."""

    sensor: Sensor
    since_ns: int
    last_ns: int
    health: str
    ambiguous: int
    registration: RegistrationSnapshot
    numbering: Numbering


@dataclass(slots=True)
class Stations:
    """All registered sensors, in the order of their registration."""

    frame: Frame
    by_id: dict[SensorId, Station] = field(default_factory=dict)

    def register(self, sensor: Sensor, now_ns: int) -> None:
        """Enter a sensor, or a new version of it; under the same key it counts on."""
        known, station = (
            self.by_id.get(sensor.sensor_id),
            Station(view_of(sensor, self.frame), now_ns),
        )
        if known is not None and known.view.sensor.key == sensor.key:
            station.numbering = known.numbering
        self.by_id[sensor.sensor_id] = station

    def maintain(self, sensor_id: SensorId, begins: bool, now_ns: int) -> str:
        """A sensor is being worked on, or no more: its new health; DecisionError if it was so."""
        station = self.by_id.get(sensor_id)
        if station is None:
            raise DecisionError(f"there is no sensor {sensor_id}")
        if (station.health == MAINTENANCE) == begins:
            raise DecisionError(f"{sensor_id} is {'' if begins else 'not '}in maintenance already")
        station.health, station.since_ns = MAINTENANCE if begins else UNKNOWN, now_ns
        return station.health

    def heard(self, station: Station, now_ns: int) -> bool:
        """Note a word from a sensor; True where it had not been working."""
        station.last_ns = now_ns
        if station.health == MAINTENANCE:
            return False
        was, station.health = station.health, WORKING
        return was != WORKING

    def fallen_silent(self, now_ns: int) -> list[SensorId]:
        """Sensors that have said nothing for too long since the last look."""
        fallen = []
        for sensor_id, station in self.by_id.items():
            period_s = station.view.sensor.period_s
            if period_s is None or station.health in (SILENT, MAINTENANCE):
                continue
            allowed_s = max(SILENT_LEAST_S, SILENT_PERIODS * period_s)
            if now_ns - max(station.last_ns, station.since_ns) > allowed_s * NS_PER_S:
                station.health = SILENT
                fallen.append(sensor_id)
        return fallen

    def measuring(self) -> list[SensorView]:
        """Working sensors that would see an aircraft whatever it says of itself."""
        return [
            s.view
            for s in self.by_id.values()
            if s.health == WORKING and s.view.sensor.kind in MEASURING_KINDS
        ]

    def listening(self, now_ns: int) -> list[SensorView]:
        """Remote ID receivers that are known to hear."""
        return [
            s.view
            for s in self.by_id.values()
            if s.view.sensor.kind is SensorKind.REMOTE_ID
            and s.last_ns
            and now_ns - s.last_ns <= LISTENING_NS
        ]

    def snapshot(self) -> tuple[StationSnapshot, ...]:
        """All sensors as values."""
        return tuple(
            StationSnapshot(
                s.view.sensor, s.since_ns, s.last_ns, s.health, s.ambiguous,
                s.registration.snapshot(), s.numbering,
            )
            for s in self.by_id.values()
        )  # fmt: skip

    @staticmethod
    def restore(frame: Frame, saved: tuple[StationSnapshot, ...]) -> Stations:
        """Sensors that go on exactly where `saved` was taken."""
        return Stations(
            frame,
            {
                s.sensor.sensor_id: Station(
                    view_of(s.sensor, frame), s.since_ns, s.last_ns, s.health,
                    s.ambiguous, Registration.restore(s.registration), s.numbering,
                )
                for s in saved
            },
        )  # fmt: skip


def seen_by(views: list[SensorView], places_m: F64) -> NDArray[np.bool_]:
    """Which of the places (n, 3) any of the sensors covers."""
    seen = np.zeros(places_m.shape[0], np.bool_)
    for view in views:
        seen |= covered_many(places_m, view.place, view.axes, view.limits)
    return seen


def detections_s(views: list[SensorView], places_m: F64) -> F64:
    """Seconds between two detections at each of the places (n, 3) by the best of the sensors.

    Infinite where none covers the place.
    """
    best = np.full(places_m.shape[0], np.inf)
    for view in views:
        inside = covered_many(places_m, view.place, view.axes, view.limits)
        share = max(view.sensor.detection_probability, LEAST_SHARE)
        each_s = (view.sensor.period_s or ANY_PERIOD_S) / share
        best[inside] = np.minimum(best[inside], each_s)
    return best


def cooperative_of(claims: ClaimBook) -> Cooperative:
    """The aircraft that fly and say where, each once, by the name that they give.

    Two transmitters of one name are one aircraft, heard last counts; a name that is in two
    places at once says nothing.
    """
    newest: dict[str, ClaimTrack] = {}
    for track in claims.tracks.values():
        if track.claim.airborne is False or track.claim.scheme is Scheme.MODE_S:
            continue  # what a radar says of itself corrects no radar
        if any(reason.code == TWO_PLACES for reason in track.reasons):
            continue
        key = f"{track.claim.scheme}:{track.claim.identity or track.claim.transmitter}"
        known = newest.get(key)
        if known is None or _order(track) > _order(known):
            newest[key] = track
    keys = tuple(sorted(newest))
    states = [newest[key].state for key in keys]
    n = len(keys)
    return Cooperative(
        keys,
        np.array([s.at_ns for s in states], np.int64),
        np.array([(s.east_m, s.north_m, s.up_m) for s in states]).reshape(n, 3),
        np.array([s.velocity_mps for s in states]).reshape(n, 3),
        np.array([(s.sigma_horizontal_m, s.sigma_vertical_m) for s in states]).reshape(n, 2),
    )


def _order(track: ClaimTrack) -> tuple[int, str]:
    return track.last_ns, track.claim.transmitter
