"""When a zone applies: periods, weekly windows, the clock of a time zone, and the sun.

A window is one span of time for each of its weekdays, start included, end excluded:

- The weekday is that of its start, in UTC where the start is in UTC, else in the zone's own
  time zone. A sun event belongs to the day whose noon is nearest to the sun's.
- Two clock times: the end lies on the same day if it is later on the clock, else on the next.
  Equal times are a whole day.
- With a sun event in it: the end is the first one after the start as they lie at an equinox
  (sunrise at 6, sunset at 18 mean solar time, twilight half an hour outside; clocks at
  standard time), so that a window means the same all year. Where the seasons then put the
  end before the start, the window is empty that day: "sunset until 21:00" is nothing in a
  northern June, not a night and a day.
- A start that the clock shows twice (autumn) is the first, an end the last; what the clock
  skips (spring) is the moment at which it jumps.
- Where the sun does not rise or set, core/sun.py says what stands in.

Time zone data come from the installed tzdata package alone, never from the machine, so that
its version (`TIME_ZONE_DATA_VERSION`) is an input that can be recorded.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from importlib import import_module, resources
from zoneinfo import ZoneInfo

from skykeep.core.sun import (
    CIVIL_TWILIGHT_ALTITUDE_DEG,
    DAY_NS,
    SUNRISE_ALTITUDE_DEG,
    mean_noon_ns,
    sun_crossing_ns,
)
from skykeep.units import NS_PER_S, to_datetime, to_ns

TIME_ZONE_DATA_VERSION: str = import_module("tzdata").IANA_VERSION

#: A window starts on its day (up to 14 h off UTC) and lasts up to two days with a sun event.
_DAYS_BACK, _DAYS_AHEAD = 5, 3
#: Answers are worked out this far to both sides of a moment.
_HORIZON_NS = DAY_NS


class SunEvent(enum.StrEnum):
    """A moment of the day that the sun sets (ED-318 codes)."""

    BMCT = "BMCT"  # beginning of morning civil twilight
    SR = "SR"
    SS = "SS"
    EECT = "EECT"  # end of evening civil twilight


@dataclass(frozen=True, slots=True)
class TimeOfDay:
    """Seconds after midnight, 0 to 86400, with the zone's time zone or a fixed offset."""

    seconds: int
    utc: bool  # True: in UTC; False: in the zone's own time zone


@dataclass(frozen=True, slots=True)
class DailyPeriod:
    """A window on weekdays (0 Monday to 6 Sunday) from start to end; may run over midnight."""

    weekdays: tuple[int, ...]
    start: TimeOfDay | SunEvent
    end: TimeOfDay | SunEvent


@dataclass(frozen=True, slots=True)
class Period:
    """When a zone applies: between two moments (None is open), and then by its windows.

    No windows means all the time.
    """

    start_ns: int | None = None
    end_ns: int | None = None
    windows: tuple[DailyPeriod, ...] = ()


@dataclass(frozen=True, slots=True)
class Place:
    """Where the sun is looked at, and by which clock local times are meant."""

    lat_deg: float
    lon_deg: float
    zone: ZoneInfo


@dataclass(frozen=True, slots=True)
class Applicability:
    """An answer that holds from `from_ns` until before `until_ns`; None is for ever."""

    applies: bool
    from_ns: int | None
    until_ns: int | None


#: Altitude, whether before noon, and hours from solar noon at an equinox.
_SUN: dict[SunEvent, tuple[float, bool, float]] = {
    SunEvent.BMCT: (CIVIL_TWILIGHT_ALTITUDE_DEG, True, -6.5),
    SunEvent.SR: (SUNRISE_ALTITUDE_DEG, True, -6.0),
    SunEvent.SS: (SUNRISE_ALTITUDE_DEG, False, 6.0),
    SunEvent.EECT: (CIVIL_TWILIGHT_ALTITUDE_DEG, False, 6.5),
}


@lru_cache(maxsize=1)
def _zone_names() -> frozenset[str]:
    listed = resources.files("tzdata").joinpath("zones").read_text(encoding="ascii")
    return frozenset(listed.split())


@lru_cache(maxsize=64)
def time_zone_of(name: str) -> ZoneInfo | None:
    """The IANA time zone of a name ("Europe/Luxembourg"); None if there is no such name."""
    if name not in _zone_names():
        return None
    data = resources.files("tzdata").joinpath("zoneinfo", *name.split("/"))
    with data.open("rb") as stream:
        return ZoneInfo.from_file(stream, key=name)


def needs_clock(periods: tuple[Period, ...]) -> bool:
    """Whether a time zone is needed to read the periods' windows."""
    return any(
        not (isinstance(moment, TimeOfDay) and moment.utc)
        for period in periods
        for window in period.windows
        for moment in (window.start, window.end)
    )


def applicability(periods: tuple[Period, ...], place: Place, at_ns: int) -> Applicability:
    """Whether any of the periods holds at a moment, and how long that stays so."""
    applies = False
    low: int | None = None
    high: int | None = None
    for period in periods:
        edges: list[int] = [e for e in (period.start_ns, period.end_ns) if e is not None]
        inside = (period.start_ns is None or at_ns >= period.start_ns) and (
            period.end_ns is None or at_ns < period.end_ns
        )
        if inside and period.windows:
            inside = False
            edges += (at_ns - _HORIZON_NS, at_ns + _HORIZON_NS)
            for start_ns, end_ns in spans_near(period.windows, place, at_ns):
                inside = inside or start_ns <= at_ns < end_ns
                edges += (start_ns, end_ns)
        applies = applies or inside
        before = [e for e in edges if e <= at_ns]
        after = [e for e in edges if e > at_ns]
        if before:
            low = max(before) if low is None else max(low, *before)
        if after:
            high = min(after) if high is None else min(high, *after)
    return Applicability(applies, low, high)


def spans_between(
    periods: tuple[Period, ...], place: Place, start_ns: int, end_ns: int
) -> list[tuple[int, int]]:
    """When any of the periods holds within [start_ns, end_ns): spans that do not touch, in order.

    The same answers as `applicability` gives moment by moment, worked out day by day.
    """
    found: list[tuple[int, int]] = []
    for period in periods:
        low = start_ns if period.start_ns is None else max(start_ns, period.start_ns)
        high = end_ns if period.end_ns is None else min(end_ns, period.end_ns)
        if low >= high:
            continue
        spans = _spans_of_days(period.windows, place, low, high) if period.windows else ()
        if not period.windows:
            found.append((low, high))
        found += ((max(a, low), min(b, high)) for a, b in spans if a < high and b > low)
    joined: list[tuple[int, int]] = []
    for a, b in sorted(found):
        if joined and a <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], b))
        else:
            joined.append((a, b))
    return joined


def _spans_of_days(
    windows: tuple[DailyPeriod, ...], place: Place, start_ns: int, end_ns: int
) -> Iterator[tuple[int, int]]:
    first, last = to_datetime(start_ns).date(), to_datetime(end_ns).date()
    for offset in range(-_DAYS_BACK, (last - first).days + _DAYS_AHEAD + 1):
        yield from _spans_on(windows, place, first + timedelta(days=offset))


def spans_near(
    windows: tuple[DailyPeriod, ...], place: Place, at_ns: int
) -> Iterator[tuple[int, int]]:
    """The windows' spans (start, end in UTC ns) that touch the day before or after a moment."""
    today = to_datetime(at_ns).date()
    for offset in range(-_DAYS_BACK, _DAYS_AHEAD + 1):
        yield from _spans_on(windows, place, today + timedelta(days=offset))


def _spans_on(
    windows: tuple[DailyPeriod, ...], place: Place, day: date
) -> Iterator[tuple[int, int]]:
    for window in windows:
        if day.weekday() in window.weekdays:
            start_ns, end_ns = span_on(window, place, day)
            if start_ns < end_ns:
                yield start_ns, end_ns


@lru_cache(maxsize=8192)  # pure, and a day is asked for again at every moment of nine days
def span_on(window: DailyPeriod, place: Place, day: date) -> tuple[int, int]:
    """Start and end (UTC ns) of a window on a day; end not after start is an empty window."""
    start, end = window.start, window.end
    start_ns = _moment_ns(start, place, day, last=False)
    if isinstance(start, TimeOfDay) and isinstance(end, TimeOfDay) and start.utc == end.utc:
        end_day = day if end.seconds > start.seconds else day + timedelta(days=1)
        return start_ns, _moment_ns(end, place, end_day, last=True)
    usual_start_ns = _usual_ns(start, place, day)
    end_day = day - timedelta(days=2)
    while _usual_ns(end, place, end_day) <= usual_start_ns:
        end_day += timedelta(days=1)
    return start_ns, _moment_ns(end, place, end_day, last=True)


def _moment_ns(moment: TimeOfDay | SunEvent, place: Place, day: date, last: bool) -> int:
    if isinstance(moment, SunEvent):
        altitude_deg, morning, _ = _SUN[moment]
        noon_ns = _clock_ns(place.zone, day, 43_200, last=False)
        return sun_crossing_ns(noon_ns, place.lat_deg, place.lon_deg, altitude_deg, morning)
    if moment.utc:
        return to_ns(datetime(day.year, day.month, day.day, tzinfo=UTC)) + (
            moment.seconds * NS_PER_S
        )
    return _clock_ns(place.zone, day, moment.seconds, last)


def _usual_ns(moment: TimeOfDay | SunEvent, place: Place, day: date) -> int:
    """A moment as it lies at an equinox, by mean sun and standard time: alike all year."""
    midnight_ns: int = to_ns(datetime(day.year, day.month, day.day, tzinfo=UTC))
    if isinstance(moment, TimeOfDay) and moment.utc:
        return midnight_ns + moment.seconds * NS_PER_S
    midnight_ns -= _standard_offset_s(place.zone, day.year) * NS_PER_S
    if isinstance(moment, TimeOfDay):
        return midnight_ns + moment.seconds * NS_PER_S
    noon_ns = mean_noon_ns(midnight_ns + DAY_NS // 2, place.lon_deg)
    return noon_ns + round(_SUN[moment][2] * 3600.0) * NS_PER_S


def _standard_offset_s(zone: ZoneInfo, year: int) -> int:
    """Seconds ahead of UTC when it is not summer time: the lesser of January's and July's."""
    return min(
        round(offset.total_seconds())
        for month in (1, 7)
        if (offset := datetime(year, month, 1, tzinfo=zone).utcoffset()) is not None
    )


def _clock_ns(zone: ZoneInfo, day: date, seconds: int, last: bool) -> int:
    """When a clock in a time zone shows a time of a day; see the module's text for its jumps."""
    wall = datetime(day.year, day.month, day.day) + timedelta(seconds=seconds)
    first = wall.replace(tzinfo=zone, fold=0)
    second = wall.replace(tzinfo=zone, fold=1)
    offset, later_offset = first.utcoffset(), second.utcoffset()
    if offset is None or later_offset is None or offset == later_offset:
        return to_ns(first.astimezone(UTC))
    if offset > later_offset:  # set back: the clock shows it twice
        earlier = (wall - timedelta(seconds=1)).replace(tzinfo=zone)
        if last and earlier.utcoffset() != earlier.replace(fold=1).utcoffset():
            return to_ns(second.astimezone(UTC))
        return to_ns(first.astimezone(UTC))  # of what it is set back to, nothing came before
    return _jump_ns(zone, to_ns(second.astimezone(UTC)), to_ns(first.astimezone(UTC)))


def _jump_ns(zone: ZoneInfo, low_ns: int, high_ns: int) -> int:
    """The first whole second after `low_ns` at which the offset is no longer that of `low_ns`."""
    before = to_datetime(low_ns).astimezone(zone).utcoffset()
    low, high = low_ns // NS_PER_S, high_ns // NS_PER_S
    while high - low > 1:
        middle = (low + high) // 2
        if to_datetime(middle * NS_PER_S).astimezone(zone).utcoffset() == before:
            low = middle
        else:
            high = middle
    return high * NS_PER_S
