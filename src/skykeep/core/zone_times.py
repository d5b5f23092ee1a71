"""When each of many zones applies, as tables: zones with the same schedule share one.

Schedules without sun events are the same wherever they are. A table covers whole days around
what was asked for and is kept until something else is asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from skykeep.core.geo import Tri
from skykeep.core.schedule import Place, SunEvent, needs_clock, spans_between, time_zone_of
from skykeep.core.sun import DAY_NS
from skykeep.core.zone import Applies, Zone, applies_until, sun_place

_LEAST_NS = np.iinfo(np.int64).min
#: Schedules with sun events are worked out for a place of their own each, a millisecond a day.
_ANYWHERE = (0.0, 0.0)


@dataclass(slots=True, eq=False)
class _Schedule:
    zone: Zone  # one of those that have it
    low_ns: int = 0
    high_ns: int = 0
    edges: tuple[int, ...] = ()
    states: tuple[int, ...] = ()
    memo: list[Applies] = field(default_factory=list)

    def table(self, low_ns: int, high_ns: int) -> None:
        """Work out the answers from `low_ns` until before `high_ns`, unless they are there."""
        if self.edges and self.low_ns <= low_ns and high_ns <= self.high_ns:
            return
        self.low_ns = low_ns // DAY_NS * DAY_NS
        self.high_ns = (high_ns // DAY_NS + 1) * DAY_NS
        zone = self.zone
        clock = time_zone_of(zone.time_zone if needs_clock(zone.periods) else "UTC")
        if clock is None or not zone.volumes:
            self.edges, self.states = (_LEAST_NS,), (Tri.MAYBE.value,)
            return
        place = Place(*sun_place(zone), clock)
        edges, states = [_LEAST_NS], [Tri.NO.value]
        for start_ns, end_ns in spans_between(zone.periods, place, self.low_ns, self.high_ns):
            edges += (start_ns, end_ns)
            states += (Tri.YES.value, Tri.NO.value)
        self.edges, self.states = tuple(edges), tuple(states)

    def at(self, at_ns: int) -> Tri:
        """`zone.applies`, remembered as long as it holds."""
        for known in self.memo:
            if (known.from_ns is None or known.from_ns <= at_ns) and (
                known.until_ns is None or at_ns < known.until_ns
            ):
                return known.answer
        found = applies_until(self.zone, at_ns)
        self.memo[:] = [found, *self.memo[:1]]
        return found.answer


class Calendar:
    """The schedules of zones that are in force; `of_zone` (zones,) is -1 for always."""

    def __init__(self, zones: Sequence[Zone]) -> None:
        known: dict[object, int] = {}
        self._schedules: list[_Schedule] = []
        self.of_zone = np.full(len(zones), -1, np.int32)
        for i, zone in enumerate(zones):
            if not zone.periods or not zone.readable:
                continue
            key = (zone.periods, zone.time_zone, _place_of(zone))
            if key not in known:
                known[key] = len(self._schedules)
                self._schedules.append(_Schedule(zone))
            self.of_zone[i] = known[key]

    def at(self, zone: int, at_ns: int) -> Tri:
        """Whether a zone that is in force applies at a moment (UTC ns)."""
        own = int(self.of_zone[zone])
        return Tri.YES if own < 0 else self._schedules[own].at(at_ns)

    def tables(
        self, zones: NDArray[np.int32], low_ns: int, high_ns: int
    ) -> tuple[NDArray[np.int32], NDArray[np.int64], NDArray[np.int64], NDArray[np.int32]]:
        """Tables of some zones (any order, repeats allowed) that hold within [low, high].

        They are the last four arguments of `zone_query.in_times`.
        """
        used = np.unique(self.of_zone[zones])
        of_zone = np.searchsorted(used, self.of_zone).astype(np.int32)
        starts, edges, states = [0], [], []
        for own in used.tolist():
            if own < 0:
                edges.append(_LEAST_NS)
                states.append(Tri.YES.value)
            else:
                schedule = self._schedules[own]
                schedule.table(low_ns, high_ns + 1)
                edges += schedule.edges
                states += schedule.states
            starts.append(len(edges))
        return (
            of_zone,
            np.array(starts, np.int64),
            np.array(edges, np.int64),
            np.array(states, np.int32),
        )


def _place_of(zone: Zone) -> tuple[float, float] | None:
    """Where the sun is looked at, if it is; None where the zone has no place to look from."""
    if not zone.volumes:
        return None
    suns = any(
        isinstance(moment, SunEvent)
        for period in zone.periods
        for window in period.windows
        for moment in (window.start, window.end)
    )
    return sun_place(zone) if suns else _ANYWHERE
