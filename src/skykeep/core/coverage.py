"""Who was looking: from what a record says of its sensors, when each was up, and what it saw.

"Nothing was seen" means something only where somebody looked. Each sensor's time is cut into
spans, oldest first, without a hole:

    up            it reported as it should, or within `LISTENING_NS` of a word if it has no period
    silent        from its last word until it reported again
    maintenance   somebody was working on it
    unknown       registered and not heard yet, or without a period and not heard lately
    not_recorded  the site itself wrote nothing down for longer than `SITE_AWAY_NS`
    not_registered  before it was entered
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from skykeep.core.event import SensorChanged, SensorNumbered
from skykeep.core.geo import Frame
from skykeep.core.observation import Sensor
from skykeep.core.stations import LISTENING_NS, MAINTENANCE, SILENT, WORKING, seen_by
from skykeep.core.track.tracker import view_of
from skykeep.units import NS_PER_S, SensorId

UP, NOT_RECORDED, NOT_REGISTERED, UNKNOWN = "up", "not_recorded", "not_registered", "unknown"
#: A site at work writes at least every second; a write that took longer than this is a stop.
SITE_AWAY_NS = 5 * NS_PER_S


@dataclass(frozen=True, slots=True)
class Span:
    """A sensor was in one state from a moment until before another."""

    from_ns: int
    to_ns: int
    state: str


@dataclass(frozen=True, slots=True)
class SensorTime:
    """One sensor's spans, and what its numbers said: gaps, late batches, restarts."""

    sensor: Sensor
    spans: tuple[Span, ...]
    numbered: tuple[SensorNumbered, ...]
    batches: int

    def share(self, state: str) -> float:
        """The part of the time that it was in a state."""
        whole = self.spans[-1].to_ns - self.spans[0].from_ns
        return sum(s.to_ns - s.from_ns for s in self.spans if s.state == state) / whole

    def state_at(self, at_ns: int) -> str:
        """Its state at a moment of the time that was asked for."""
        return next((s.state for s in self.spans if s.from_ns <= at_ns < s.to_ns), NOT_RECORDED)


@dataclass(slots=True)
class _One:
    sensor: Sensor
    changes: list[tuple[int, str]] = field(default_factory=list)
    numbered: list[SensorNumbered] = field(default_factory=list)
    heard_ns: int | None = None
    batches: int = 0


class WatchBook:
    """Gathers what a record says, in its order, about the time from one moment to another."""

    def __init__(self, from_ns: int, to_ns: int) -> None:
        self.from_ns, self.to_ns = from_ns, to_ns
        self._known: dict[SensorId, _One] = {}
        self._away: list[tuple[int, int]] = []
        self._last_ns: int | None = None

    def written(self, at_ns: int) -> None:
        """The site wrote something down: so it was at work."""
        last = self._last_ns
        if last is not None and at_ns - last > SITE_AWAY_NS:
            self._away.append((last, at_ns))
        self._last_ns = at_ns if last is None else max(last, at_ns)

    def registered(self, sensor: Sensor, at_ns: int) -> None:
        """A sensor was entered, or a new version of it."""
        one = self._known.setdefault(sensor.sensor_id, _One(sensor))
        one.sensor = sensor
        one.changes.append((at_ns, UNKNOWN))

    def heard(self, sensor_id: str, at_ns: int) -> None:
        """A sensor said something, be it that it saw nothing."""
        one = self._known.get(SensorId(sensor_id))
        if one is None:
            return
        one.heard_ns = at_ns
        one.batches += self.from_ns <= at_ns < self.to_ns
        if one.sensor.period_s is None and not (one.changes and one.changes[-1][1] == MAINTENANCE):
            while one.changes and one.changes[-1][0] > at_ns:
                one.changes.pop()  # the end that the word before would have had
            if not one.changes or one.changes[-1][1] != UP:
                one.changes.append((at_ns, UP))
            one.changes.append((at_ns + LISTENING_NS, UNKNOWN))

    def changed(self, said: SensorChanged) -> None:
        """What the engine said of a sensor's health."""
        one = self._known.get(said.sensor_id)
        if one is None:
            return
        if said.health == SILENT:
            since_ns = said.at_ns if one.heard_ns is None else one.heard_ns
            since_ns = max([since_ns, *(at for at, _ in one.changes[-1:])])
            one.changes.append((since_ns, SILENT))
        elif one.sensor.period_s is not None or said.health != WORKING:
            one.changes.append((said.at_ns, UP if said.health == WORKING else said.health))

    def numbered(self, said: SensorNumbered) -> None:
        """What the engine said of a sensor's numbers."""
        one = self._known.get(said.sensor_id)
        if one is not None and self.from_ns <= said.at_ns < self.to_ns:
            one.numbered.append(said)

    def sensors(self) -> tuple[SensorTime, ...]:
        """Each sensor's time, in the order of their registration."""
        away = list(self._away)
        end_ns = self.from_ns if self._last_ns is None else self._last_ns
        if self.to_ns - end_ns > SITE_AWAY_NS:
            away.append((end_ns, self.to_ns))
        return tuple(
            SensorTime(one.sensor, self._spans(one.changes, away), tuple(one.numbered), one.batches)
            for one in self._known.values()
        )

    def _spans(
        self, changes: Iterable[tuple[int, str]], away: list[tuple[int, int]]
    ) -> tuple[Span, ...]:
        """Changes and the site's own absences as spans without a hole or an overlap."""
        ordered = sorted(changes, key=lambda change: change[0])  # stable: the last said counts
        edges = {
            self.from_ns,
            self.to_ns,
            *(at for at, _ in ordered),
            *(e for a in away for e in a),
        }
        cuts = sorted(e for e in edges if self.from_ns <= e <= self.to_ns)
        found: list[Span] = []
        state, turn, absent = NOT_REGISTERED, 0, 0
        for begin, end in pairwise(cuts):
            while turn < len(ordered) and ordered[turn][0] <= begin:
                state, turn = ordered[turn][1], turn + 1
            while absent < len(away) and away[absent][1] <= begin:
                absent += 1
            gone = absent < len(away) and away[absent][0] <= begin
            now = NOT_RECORDED if gone else state
            if found and found[-1].state == now:
                found[-1] = Span(found[-1].from_ns, end, now)
            else:
                found.append(Span(begin, end, now))
        return tuple(found)


def in_view(sensor: Sensor, frame: Frame, lat_deg: float, lon_deg: float, hae_m: float) -> bool:
    """Whether a sensor's stated coverage takes in a place (height above the ellipsoid).

    What stands in between (terrain, houses) is not looked at.
    """
    place = np.array([frame.to_enu(lat_deg, lon_deg, hae_m)])
    return bool(seen_by([view_of(sensor, frame)], place)[0])
