"""Times of applicability: moments, days, times of day, sun events, as ED-269 and ED-318 write them.

What cannot be read makes the zone unreadable: to leave a time out could open a closed sky.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

from skykeep.codec.json_doc import shown
from skykeep.codec.zone_parts import Notes, as_list
from skykeep.core.zone import DailyPeriod, Period, SunEvent, TimeOfDay
from skykeep.units import NS_PER_S, to_ns

#: The first rules on UAS geographical zones are from 2019; two decades spare those before.
EARLIEST_YEAR = 2000
#: Later years do not fit 64-bit nanoseconds everywhere and mean "no end".
LATEST_YEAR = 2200

_MOMENT_MEND = "Write a date and time with its offset: 2026-08-01T06:00:00Z"
WEEKDAYS = ("MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN")
_EVERY_DAY = tuple(range(7))
_DAY_S = 86_400

_MOMENT = re.compile(
    r"(\d{4})-(\d{2})-(\d{2})(?:[Tt ](\d{2}):(\d{2})(:\d{2}(?:\.\d{1,12})?)?)?"
    r"(Z|z|[+-]\d{2}:?\d{2})?",
    re.ASCII,
)
_TIME = re.compile(r"(\d{2}):(\d{2})(?::(\d{2})(?:\.\d{1,12})?)?(Z|z|[+-]\d{2}:?\d{2})?", re.ASCII)


@dataclass(frozen=True, slots=True)
class _Clock:
    """A time of day, and by how many days its offset moved it."""

    time: TimeOfDay
    days: int


def read_moment(value: object, where: str, notes: Notes) -> int | None:
    """UTC nanoseconds of a date and time (RFC 3339); None with an error if it is none.

    The offset may be missing (UTC), and so may the seconds or the time.
    """
    match = _MOMENT.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None:
        notes.error(where, f"{shown(value)} is no date and time", mend=_MOMENT_MEND)
        return None
    year, month, day, hour, minute, second, offset = match.groups()
    if hour is None:
        notes.warn(where, "the time is missing", "00:00:00")
    elif second is None:
        notes.note(where, "the seconds are missing", ":00")
    if offset is None:
        notes.warn(where, "the offset from UTC is missing", "UTC")
    whole, _, fraction = (second or ":00")[1:].partition(".")
    try:
        base = datetime(int(year), int(month), int(day), tzinfo=UTC)
        clock_s = _clock_seconds(hour or "00", minute or "00", whole)
        moment = base + timedelta(seconds=clock_s - _offset_seconds(offset))
    except (ValueError, OverflowError):
        notes.error(where, f"{shown(value)} is no date and time", mend=_MOMENT_MEND)
        return None
    return to_ns(moment) + int(fraction.ljust(9, "0")[:9] or 0)


def _clock_seconds(hour: str, minute: str, second: str) -> int:
    seconds = int(hour) * 3600 + int(minute) * 60 + int(second)
    if int(minute) > 59 or int(second) > 60 or seconds > _DAY_S:
        raise ValueError("no time of day")
    return seconds


def _offset_seconds(offset: str | None) -> int:
    if offset is None or offset in "Zz":
        return 0
    hours, minutes = int(offset[1:3]), int(offset[-2:])
    if hours > 14 or minutes > 59:
        raise ValueError("no offset")
    return (hours * 3600 + minutes * 60) * (-1 if offset[0] == "-" else 1)


def _year_of(at_ns: int) -> int:
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=at_ns // NS_PER_S)).year


def _read_permanent(entry: dict[str, object], where: str, notes: Notes) -> bool | None:
    value = entry.get("permanent")
    words = str(value).upper() if isinstance(value, str | bool) else ""
    if value is None or words in ("YES", "NO"):
        return None if value is None else words == "YES"
    if words in ("TRUE", "FALSE"):
        notes.note(f"{where}.permanent", f"{shown(value)} is neither YES nor NO", "yes or no")
        return words == "TRUE"
    notes.warn(f"{where}.permanent", f"{shown(value)} is neither YES nor NO", "the dates hold")
    return None


def _filled(entry: dict[str, object], name: str, where: str, notes: Notes) -> object:
    """A member's value; an empty text is none, which makes a zone longer, never shorter."""
    value = entry.get(name)
    if isinstance(value, str) and not value.strip():
        notes.note(f"{where}.{name}", "the text is empty", "not given")
        return None
    return value


def _read_start(value: object, where: str, notes: Notes) -> int | None:
    start_ns = read_moment(value, where, notes)
    if start_ns is None:
        return None
    year = _year_of(start_ns)
    if year < EARLIEST_YEAR:
        notes.warn(where, f"the year {year} is before any UAS zone", "no start")
        return None
    if year >= LATEST_YEAR:
        notes.error(where, f"the year {year} cannot be the start", mend=_MOMENT_MEND)
    return start_ns


def _read_end(value: object, where: str, notes: Notes) -> int | None:
    end_ns = read_moment(value, where, notes)
    if end_ns is None:
        return None
    year = _year_of(end_ns)
    if EARLIEST_YEAR <= year < LATEST_YEAR:
        return end_ns
    if year < EARLIEST_YEAR:
        notes.warn(where, f"the year {year} is before any UAS zone", "no end")
    else:
        notes.note(where, f"the year {year} is as good as never", "no end")
    return None


def _read_bounds(
    entry: dict[str, object], where: str, notes: Notes
) -> tuple[int | None, int | None]:
    permanent = _read_permanent(entry, where, notes)
    start, end = (_filled(entry, f"{side}DateTime", where, notes) for side in ("start", "end"))
    start_ns = None if start is None else _read_start(start, f"{where}.startDateTime", notes)
    end_ns = None if end is None else _read_end(end, f"{where}.endDateTime", notes)
    if permanent and end is not None:
        notes.warn(f"{where}.endDateTime", "a permanent zone has an end date", "it has no end")
        end_ns = None
    elif permanent is False and start is None and end is None:
        notes.warn(where, "a zone that is not permanent has no dates", "it has no end")
    if start_ns is not None and end_ns is not None and end_ns <= start_ns:
        mend = "Write an end after the start, or leave one of them out"
        notes.error(f"{where}.endDateTime", "the end is not after the start", mend=mend)
    return start_ns, end_ns


def read_periods(value: object, where: str, notes: Notes, time_zone: str) -> tuple[Period, ...]:
    """Times of applicability; a zone without any always applies.

    `time_zone` is the zone's own, if one was given, else empty: then times without an offset
    are taken for UTC.
    """
    periods = []
    for i, entry in enumerate(as_list(value, where, notes)):
        place = f"{where}[{i}]"
        if not isinstance(entry, dict):
            mend = "Write an object with startDateTime, endDateTime or schedule"
            notes.error(place, f"a period of time is needed, not {shown(entry)}", mend=mend)
            continue
        start_ns, end_ns = _read_bounds(entry, place, notes)
        schedule = as_list(entry.get("schedule"), f"{place}.schedule", notes)
        windows = [
            window
            for j, daily in enumerate(schedule)
            if (window := _read_window(daily, f"{place}.schedule[{j}]", notes, time_zone))
        ]
        periods.append(Period(start_ns, end_ns, _shortest(windows)))
    always = Period()
    return () if always in periods else tuple(periods)


def _shortest(windows: list[DailyPeriod]) -> tuple[DailyPeriod, ...]:
    """No windows where whole days already fill the week."""
    whole: set[int] = set()
    for window in windows:
        start, end = window.start, window.end
        utc = isinstance(start, TimeOfDay) and start.utc
        if (start, end) == (TimeOfDay(0, utc), TimeOfDay(_DAY_S, utc)):
            whole.update(window.weekdays)
    return () if len(whole) == len(WEEKDAYS) else tuple(windows)


def _read_window(value: object, where: str, notes: Notes, time_zone: str) -> DailyPeriod | None:
    if not isinstance(value, dict):
        mend = "Write an object with day, startTime and endTime"
        notes.error(where, f"a day's times are needed, not {shown(value)}", mend=mend)
        return None
    weekdays = _read_days(value.get("day"), f"{where}.day", notes)
    start = _read_edge(value, "start", where, notes, time_zone)
    end = _read_edge(value, "end", where, notes, time_zone)
    if weekdays is None or start is False or end is False:
        return None
    if start is None or end is None:
        if start is not None or end is not None:
            missing, stands_in = ("start", "00:00") if start is None else ("end", "24:00")
            notes.warn(where, f"the {missing} of the day's times is missing", stands_in)
        other = start or end
        utc = other.time.utc if isinstance(other, _Clock) else not time_zone
        start = start or _Clock(TimeOfDay(0, utc), 0)
        end = end or _Clock(TimeOfDay(_DAY_S, utc), 0)
    if isinstance(start, _Clock):
        weekdays = tuple(sorted((day + start.days) % 7 for day in weekdays))
    start_at = start.time if isinstance(start, _Clock) else start
    end_at = end.time if isinstance(end, _Clock) else end
    if isinstance(end_at, TimeOfDay) and end_at.seconds == 0:
        end_at = TimeOfDay(_DAY_S, end_at.utc)
    if start_at == end_at or (
        isinstance(value.get("startTime"), str)
        and value.get("startTime") == value.get("endTime")
        and not {"startEvent", "endEvent"} & value.keys()
    ):
        notes.warn(where, "the day's times start and end alike", "the whole day")
    return DailyPeriod(weekdays, start_at, end_at)


def _read_days(value: object, where: str, notes: Notes) -> tuple[int, ...] | None:
    if value is None:
        notes.warn(where, "the days are missing", "ANY")
        return _EVERY_DAY
    days: set[int] = set()
    for i, entry in enumerate(as_list(value, where, notes)):
        words = entry.strip().upper() if isinstance(entry, str) else ""
        if words == "ANY":
            days.update(_EVERY_DAY)
        elif words in WEEKDAYS:
            days.add(WEEKDAYS.index(words))
        else:
            mend = f"Write one of {', '.join(WEEKDAYS)} or ANY"
            notes.error(f"{where}[{i}]", f"{shown(entry)} is no day of the week", mend=mend)
            return None
    if not days:
        notes.warn(where, "the days are missing", "ANY")
        return _EVERY_DAY
    return tuple(sorted(days))


def _read_edge(
    entry: dict[str, object], name: str, where: str, notes: Notes, time_zone: str
) -> _Clock | SunEvent | Literal[False] | None:
    """The start or end of a day's times; None if it is missing, False if it is unreadable."""
    clock, event = (_filled(entry, f"{name}{kind}", where, notes) for kind in ("Time", "Event"))
    if clock is not None:
        if event is not None:
            # Which of the two holds cannot be told, and either could open a closed sky.
            problem = f"{name}Time is given as well, and only one of them can hold"
            mend = f"Leave out {name}Time or {name}Event"
            notes.error(f"{where}.{name}Event", problem, mend=mend)
            return False
        return _read_clock(clock, f"{where}.{name}Time", notes, time_zone, name == "end") or False
    if event is None:
        return None
    try:
        return SunEvent(event.strip().upper() if isinstance(event, str) else "")
    except ValueError:
        mend = f"Write one of {', '.join(SunEvent)}"
        notes.error(f"{where}.{name}Event", f"{shown(event)} is no event of the sun", mend=mend)
        return False


def _read_clock(
    value: object, where: str, notes: Notes, time_zone: str, is_end: bool
) -> _Clock | None:
    match = _TIME.fullmatch(value.strip()) if isinstance(value, str) else None
    try:
        if match is None:
            raise ValueError("no time of day")
        hour, minute, second, offset = match.groups()
        seconds = _clock_seconds(hour, minute, second or "00")
        offset_s = _offset_seconds(offset)
    except ValueError:
        mend = "Write hours 00 to 24, minutes and seconds: 08:30:00Z"
        notes.error(where, f"{shown(value)} is no time of day", mend=mend)
        return None
    if second is None:
        notes.note(where, "the seconds are missing", ":00")
    if is_end and seconds in (_DAY_S - 1, _DAY_S - 60):
        notes.note(where, f"{shown(value)} leaves the day's last moment out", "24:00")
        seconds = _DAY_S
    if offset is None and not time_zone:
        notes.warn(where, "the offset from UTC is missing", "UTC")
    days, seconds = divmod(seconds - offset_s, _DAY_S)
    if offset_s:
        notes.note(
            where, "the time is not in UTC", f"{seconds // 3600:02}:{seconds // 60 % 60:02}Z"
        )
    if is_end and seconds == 0:
        seconds = _DAY_S
    return _Clock(TimeOfDay(seconds, utc=offset is not None or not time_zone), days)
