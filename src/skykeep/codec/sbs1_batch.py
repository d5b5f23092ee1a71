"""SBS-1, many lines at once: the usual ones as columns, by one compiled loop.

`sbs1` says what a line means, and is this one's reference in the tests. Here only lines are read
in which every field is written in the usual way, as `sbs1.encode_line` and receivers write them;
any other is marked, and left to `sbs1`, which says what is amiss, or takes it all the same.
"""

from __future__ import annotations

import enum
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skykeep.codec.moment import EARLIEST_NS, LATEST_NS
from skykeep.codec.sbs1 import (
    ALTITUDE_RANGE_FT,
    GROUND_SPEED_RANGE_KN,
    LAT_RANGE_DEG,
    LON_RANGE_DEG,
    MAX_LINE_BYTES,
    TRACK_RANGE_DEG,
    VERTICAL_RATE_RANGE_FPM,
)
from skykeep.core.geo import F64, kernel
from skykeep.units import NS_PER_MS, NS_PER_S


class Column(enum.IntEnum):
    """The columns of numbers, NaN for what a line does not say."""

    ALTITUDE_FT = 0
    GROUND_SPEED_KN = 1
    TRACK_DEG = 2
    LAT_DEG = 3
    LON_DEG = 4
    VERTICAL_RATE_FPM = 5


@dataclass(frozen=True, slots=True, eq=False)
class Sbs1Lines:
    """Lines (n,): `kind` is the transmission type, 0 for a line that is left to `sbs1`.

    icao24 as a number; event_time_ns as generated, UTC; numbers (n, 6) by `Column`; on_ground
    1, 0 or -1 for not said; callsign (n, 2) where it begins and ends in the line.
    """

    kind: NDArray[np.int8]
    icao24: NDArray[np.int64]
    event_time_ns: NDArray[np.int64]
    numbers: F64
    on_ground: NDArray[np.int8]
    callsign: NDArray[np.int64]


_BOUNDS = np.array(
    [
        ALTITUDE_RANGE_FT, GROUND_SPEED_RANGE_KN, TRACK_RANGE_DEG, LAT_RANGE_DEG, LON_RANGE_DEG,
        VERTICAL_RATE_RANGE_FPM,
    ]
)  # fmt: skip
_FIELDS = 22
#: Where the fields of numbers stand, counted from 0.
_PLACES = np.array([11, 12, 13, 14, 15, 16])
_DAYS_BEFORE = np.array([0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365])
#: Up to 15 digits a number and its power of ten are exact, and so is their quotient rounded.
_MOST_DIGITS = 15
_COMMA, _DOT, _MINUS, _ZERO, _NINE = 44, 46, 45, 48, 57


def read_lines(lines: Sequence[bytes]) -> Sbs1Lines:
    """What the usual ones among some lines say."""
    ends = np.cumsum(np.array([len(line) for line in lines], np.int64))
    data = np.frombuffer(b"".join(lines), np.uint8)
    return Sbs1Lines(*_read(data, ends, _BOUNDS, _PLACES, _DAYS_BEFORE))


@kernel
def _digits(data: Any, begin: int, end: int) -> int:
    """A number of digits alone; -1 for anything else."""
    value = 0
    if end <= begin or end - begin > _MOST_DIGITS:
        return -1
    for k in range(begin, end):
        if data[k] < _ZERO or data[k] > _NINE:
            return -1
        value = value * 10 + (data[k] - _ZERO)
    return value


@kernel
def _decimal(data: Any, begin: int, end: int) -> float:
    """A decimal number, exactly as Python's float reads it; NaN for anything else."""
    at = begin + 1 if data[begin] == _MINUS else begin
    value, count, scale, dots = 0, 0, 1, 0
    for k in range(at, end):
        if data[k] == _DOT:
            dots += 1
            continue
        if data[k] < _ZERO or data[k] > _NINE:
            return math.nan
        value = value * 10 + (data[k] - _ZERO)
        count += 1
        if dots:
            scale *= 10
    if count == 0 or count > _MOST_DIGITS or dots > 1:
        return math.nan
    found = value / scale
    return (-found if at > begin else found) + 0.0


@kernel
def _time_ns(data: Any, date: int, date_end: int, time: int, time_end: int, before: Any) -> int:
    """yyyy/mm/dd and hh:mm:ss.sss as UTC nanoseconds; -1 for anything else."""
    if date_end - date != 10 or time_end - time != 12:
        return -1
    slashes = data[date + 4] == 47 and data[date + 7] == 47
    colons = data[time + 2] == 58 and data[time + 5] == 58 and data[time + 8] == _DOT
    year, month = _digits(data, date, date + 4), _digits(data, date + 5, date + 7)
    day, hour = _digits(data, date + 8, date + 10), _digits(data, time, time + 2)
    minute, second = _digits(data, time + 3, time + 5), _digits(data, time + 6, time + 8)
    milliseconds = _digits(data, time + 9, time + 12)
    if not (slashes and colons) or min(year, month, day, hour, minute, second) < 0:
        return -1
    if milliseconds < 0 or not 1 <= month <= 12 or hour > 23 or minute > 59 or second > 59:
        return -1
    leap = (year % 4 == 0 and year % 100 != 0) or year % 400 == 0
    long = before[month] - before[month - 1] + (1 if leap and month == 2 else 0)
    if year < 1970 or not 1 <= day <= long:
        return -1
    past = year - 1
    days = (year - 1970) * 365 + (past // 4 - past // 100 + past // 400) - 477
    days += before[month - 1] + (1 if leap and month > 2 else 0) + day - 1
    seconds = ((days * 24 + hour) * 60 + minute) * 60 + second
    return int(seconds * NS_PER_S + milliseconds * NS_PER_MS)


@kernel
def _hex24(data: Any, begin: int, end: int) -> int:
    """Six hexadecimal digits that are an aircraft's address; -1 for anything else."""
    if end - begin != 6:
        return -1
    value = 0
    for k in range(begin, end):
        c = data[k]
        if _ZERO <= c <= _NINE:
            value = value * 16 + (c - _ZERO)
        elif 65 <= c <= 70:
            value = value * 16 + (c - 55)
        elif 97 <= c <= 102:
            value = value * 16 + (c - 87)
        else:
            return -1
    return -1 if value in (0, 0xFFFFFF) else value


@kernel
def _plain_callsign(data: Any, begin: int, end: int) -> bool:
    """Empty, or 1 to 8 capital letters and digits: nothing to be cut off or said of it."""
    if end - begin > 8:
        return False
    plain = True
    for k in range(begin, end):
        plain = plain and (_ZERO <= data[k] <= _NINE or 65 <= data[k] <= 90)
    return plain


@kernel
def _octal(data: Any, begin: int, end: int) -> bool:
    """Empty, or a squawk."""
    if end - begin > 4:
        return False
    octal = True
    for k in range(begin, end):
        octal = octal and _ZERO <= data[k] <= 55
    return octal


@kernel
def _read(data: Any, ends: Any, bounds: Any, places: Any, before: Any) -> tuple[Any, ...]:
    n = ends.shape[0]
    kind, ground = np.zeros(n, np.int8), np.full(n, -1, np.int8)
    icao24, times = np.zeros(n, np.int64), np.zeros(n, np.int64)
    numbers, callsign = np.full((n, 6), np.nan), np.zeros((n, 2), np.int64)
    starts, stops = np.zeros(_FIELDS, np.int64), np.zeros(_FIELDS, np.int64)
    for i in range(n):
        begin = ends[i - 1] if i else 0
        end = ends[i]
        if end - begin > MAX_LINE_BYTES:
            continue
        while end > begin and (data[end - 1] == 10 or data[end - 1] == 13):
            end -= 1
        field, at, usual = 0, begin, True
        for k in range(begin, end + 1):
            usual = usual and (k == end or data[k] < 128)
            if k == end or data[k] == _COMMA:
                if field < _FIELDS:
                    starts[field], stops[field] = at, k
                field, at = field + 1, k + 1
        if field != _FIELDS or stops[0] - begin != 3 or stops[1] - starts[1] != 1:
            continue
        if data[begin] != 77 or data[begin + 1] != 83 or data[begin + 2] != 71:  # MSG
            continue
        type_ = data[starts[1]] - _ZERO
        address = _hex24(data, starts[4], stops[4])
        at_ns = _time_ns(data, starts[6], stops[6], starts[7], stops[7], before)
        flag = stops[21] - starts[21]
        said = data[starts[21]] if flag == 1 else 0
        usual = usual and 1 <= type_ <= 8 and address >= 0 and EARLIEST_NS <= at_ns < LATEST_NS
        usual = usual and _plain_callsign(data, starts[10], stops[10])
        usual = usual and _octal(data, starts[17], stops[17])
        minus_one = flag == 2 and data[starts[21]] == _MINUS and data[starts[21] + 1] == 49
        usual = usual and (flag == 0 or said in (_ZERO, 49) or minus_one)
        for column in range(6):
            place = places[column]
            if not usual or stops[place] == starts[place]:
                continue
            value = _decimal(data, starts[place], stops[place])
            usual = bounds[column, 0] <= value <= bounds[column, 1]
            numbers[i, column] = value
        lat, lon = numbers[i, 3], numbers[i, 4]
        if not usual or math.isnan(lat) != math.isnan(lon) or (lat == 0.0 and lon == 0.0):
            continue
        kind[i], icao24[i], times[i] = type_, address, at_ns
        callsign[i, 0], callsign[i, 1] = starts[10] - begin, stops[10] - begin
        if flag:
            ground[i] = 0 if said == _ZERO else 1
    return kind, icao24, times, numbers, ground, callsign
