"""Broadcast Remote ID, many packs at once: locations as columns, by one compiled loop.

The same layout as `remote_id`, whose literal decoder says what every byte means and is this
one's reference in the tests. Here only what comes a thousand times a second is read: which
messages there are, and what the locations among them say. A message of which anything is amiss
is marked, and left to `remote_id`, which says what.
"""

from __future__ import annotations

import enum
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skykeep.codec.remote_id_messages import (
    ALTITUDE_STEP_M,
    ALTITUDE_ZERO_M,
    COUNTS_PER_DEGREE,
    DIRECTION_UNKNOWN_DEG,
    HORIZONTAL_BOUND_M,
    MESSAGE_BYTES,
    PACK_HEADER_BYTES,
    PACK_MAX_MESSAGES,
    PROTOCOL_VERSION,
    SPEED_BOUND_MPS,
    SPEED_CAP_CODE,
    SPEED_COARSE_FROM_MPS,
    SPEED_COARSE_STEP_MPS,
    SPEED_STEP_MPS,
    SPEED_UNKNOWN_CODE,
    TENTHS_PER_HOUR,
    TIME_BOUND_S,
    TIME_UNKNOWN_CODE,
    VERTICAL_BOUND_M,
    VERTICAL_CAP_MPS,
    VERTICAL_STEP_MPS,
    VERTICAL_UNKNOWN_CODE,
    Location,
    MessageType,
    Status,
)
from skykeep.core.geo import F64, HeightAgl, kernel

I64 = NDArray[np.int64]


class Column(enum.IntEnum):
    """The columns of a location, NaN for what is unknown; bounds are those of 95 %."""

    STATUS = 0  # the code
    LAT_DEG = 1
    LON_DEG = 2
    GEODETIC_M = 3
    PRESSURE_M = 4
    AMSL_M = 5  # never on this wire
    HEIGHT_M = 6
    OVER_GROUND = 7  # 1 if the height is over ground, else over the place of take-off
    DIRECTION_DEG = 8
    SPEED_MPS = 9
    VERTICAL_MPS = 10
    BOUND_HORIZONTAL_M = 11
    BOUND_VERTICAL_M = 12
    BOUND_PRESSURE_M = 13
    BOUND_SPEED_MPS = 14
    BOUND_TIME_S = 15
    TENTHS = 16


COLUMNS = len(Column)
_KINDS = int(max(k for k in MessageType if k is not MessageType.PACK))


def _table(bounds: dict[int, float]) -> F64:
    return np.array([bounds.get(code, math.nan) for code in range(16)])


_HORIZONTAL, _VERTICAL = _table(HORIZONTAL_BOUND_M), _table(VERTICAL_BOUND_M)
_SPEED, _TIME = _table(SPEED_BOUND_MPS), _table(TIME_BOUND_S)
_LAST_STATUS = int(max(Status))
_LOCATION = int(MessageType.LOCATION)


@dataclass(frozen=True, slots=True, eq=False)
class Decoded:
    """The messages of many packs, one row each, in order.

    Of n messages: `pack` (n,) which of the packs given, `start` (n,) where in it, `kind` (n,) its
    type, `plain` (n,) whether nothing is amiss with it (only said of locations), `columns`
    (n, COLUMNS) filled for plain locations, else NaN. Of m packs: `first` (m + 1,) where its
    rows start, `odd` (m,) whether the pack itself must be looked at by `remote_id.decode`.
    """

    pack: I64
    start: I64
    kind: I64
    plain: NDArray[np.bool_]
    columns: F64
    first: I64
    odd: NDArray[np.bool_]


def decode_many(packs: Sequence[bytes]) -> Decoded:
    """Packs or lone messages, as `remote_id.decode` takes them one by one."""
    sizes = np.array([len(p) for p in packs], np.int64)
    starts = np.zeros(len(packs) + 1, np.int64)
    np.cumsum(sizes, out=starts[1:])
    return decode_joined(np.frombuffer(b"".join(packs), np.uint8), starts)


def decode_joined(data: NDArray[np.uint8], starts: I64) -> Decoded:
    """The same of packs that lie behind each other: pack i is data[starts[i] : starts[i + 1]]."""
    count = len(starts) - 1
    most = data.shape[0] // MESSAGE_BYTES + 1
    pack, start, kind = (np.empty(most, np.int64) for _ in range(3))
    plain = np.zeros(most, np.bool_)
    columns = np.empty((most, COLUMNS))
    first, odd = np.zeros(count + 1, np.int64), np.zeros(count, np.bool_)
    n = _decode(data, starts, pack, start, kind, plain, columns, first, odd)
    return Decoded(pack[:n], start[:n], kind[:n], plain[:n], columns[:n], first, odd)


def row_of(m: Location) -> list[float]:
    """A location's columns."""
    row = [math.nan] * COLUMNS
    row[Column.STATUS] = float(m.status)
    row[Column.OVER_GROUND] = float(isinstance(m.height, HeightAgl))
    for column, value in (
        (Column.LAT_DEG, m.lat_deg),
        (Column.LON_DEG, m.lon_deg),
        (Column.GEODETIC_M, None if m.altitude_geodetic is None else m.altitude_geodetic.m),
        (Column.PRESSURE_M, None if m.altitude_pressure is None else m.altitude_pressure.m),
        (Column.AMSL_M, None if m.altitude_amsl is None else m.altitude_amsl.m),
        (Column.HEIGHT_M, None if m.height is None else m.height.m),
        (Column.DIRECTION_DEG, m.direction_deg),
        (Column.SPEED_MPS, m.speed_mps),
        (Column.VERTICAL_MPS, m.vertical_speed_mps),
        (Column.BOUND_HORIZONTAL_M, m.accuracy_horizontal_m),
        (Column.BOUND_VERTICAL_M, m.accuracy_vertical_m),
        (Column.BOUND_PRESSURE_M, m.accuracy_pressure_m),
        (Column.BOUND_SPEED_MPS, m.accuracy_speed_mps),
        (Column.BOUND_TIME_S, m.accuracy_time_s),
        (Column.TENTHS, m.time_tenths),
    ):
        if value is not None:
            row[column] = float(value)
    return row


@kernel
def _decode(
    data: Any,
    starts: Any,
    pack: Any,
    start: Any,
    kind: Any,
    plain: Any,
    columns: Any,
    first: Any,
    odd: Any,
) -> int:
    n = 0
    for p in range(starts.shape[0] - 1):
        begin, end = starts[p], starts[p + 1]
        size = end - begin
        at: Any = begin
        count: Any = 0
        if size >= PACK_HEADER_BYTES and data[begin] >> 4 == 15:
            at, count = begin + PACK_HEADER_BYTES, np.int64(data[begin + 2])
            odd[p] = (
                data[begin + 1] != MESSAGE_BYTES
                or count < 1
                or count > PACK_MAX_MESSAGES
                or size != PACK_HEADER_BYTES + count * MESSAGE_BYTES
            )
        else:
            count = 1
            odd[p] = size != MESSAGE_BYTES
        if not odd[p]:
            for i in range(count):
                odd[p] |= data[at + i * MESSAGE_BYTES] >> 4 > _KINDS
        if not odd[p]:
            for i in range(count):
                here = at + i * MESSAGE_BYTES
                pack[n], start[n], kind[n] = p, here - begin, data[here] >> 4
                for c in range(columns.shape[1]):
                    columns[n, c] = np.nan
                plain[n] = False
                if kind[n] == _LOCATION:
                    plain[n] = _location(data, here, columns[n])
                n += 1
        first[p + 1] = n
    return n


@kernel
def _word(data: Any, at: Any) -> Any:
    return np.int64(data[at]) | np.int64(data[at + 1]) << 8


@kernel
def _signed(data: Any, at: Any) -> Any:
    value = _word(data, at) | _word(data, at + 2) << 16
    return value - 0x1_0000_0000 if value >= 0x8000_0000 else value


@kernel
def _altitude(data: Any, at: Any) -> Any:
    code = _word(data, at)
    return np.nan if code == 0 else ALTITUDE_ZERO_M + code * ALTITUDE_STEP_M


@kernel
def _location(data: Any, at: int, row: Any) -> bool:
    """Fills one row; False, with the row half filled, where anything is amiss."""
    flags = data[at + 1]
    version, status = data[at] & 0x0F, flags >> 4
    if version > PROTOCOL_VERSION or status > _LAST_STATUS:
        return False
    if status == _LAST_STATUS and version < PROTOCOL_VERSION:
        return False
    row[0] = status
    lat, lon = _signed(data, at + 5), _signed(data, at + 9)
    if lat != 0 or lon != 0:
        row[1], row[2] = lat / COUNTS_PER_DEGREE, lon / COUNTS_PER_DEGREE
        if abs(row[1]) > 90.0 or abs(row[2]) > 180.0:
            return False
    row[4], row[3], row[6] = (
        _altitude(data, at + 13), _altitude(data, at + 15), _altitude(data, at + 17),
    )  # fmt: skip
    row[7] = 1.0 if flags & 0x04 and not np.isnan(row[6]) else 0.0
    direction = np.int64(data[at + 2]) + (180 if flags & 0x02 else 0)
    if direction != DIRECTION_UNKNOWN_DEG:
        if data[at + 2] >= 180:
            return False
        row[8] = direction
    speed = data[at + 3]
    if not flags & 0x01:
        row[9] = speed * SPEED_STEP_MPS
    elif speed == SPEED_CAP_CODE:
        return False
    elif speed != SPEED_UNKNOWN_CODE:
        row[9] = SPEED_COARSE_FROM_MPS + speed * SPEED_COARSE_STEP_MPS
    vertical = np.int64(data[at + 4])
    vertical = vertical - 256 if vertical >= 128 else vertical
    if vertical != VERTICAL_UNKNOWN_CODE:
        row[10] = vertical * VERTICAL_STEP_MPS
        if abs(row[10]) >= VERTICAL_CAP_MPS:
            return False
    return _accuracies(data, at, row)


@kernel
def _accuracies(data: Any, at: int, row: Any) -> bool:
    horizontal, vertical = data[at + 19] & 0x0F, data[at + 19] >> 4
    speed, pressure = data[at + 20] & 0x0F, data[at + 20] >> 4
    row[11], row[12] = _HORIZONTAL[horizontal], _VERTICAL[vertical]
    row[13], row[14] = _VERTICAL[pressure], _SPEED[speed]
    row[15] = _TIME[data[at + 23] & 0x0F]
    if (horizontal and np.isnan(row[11])) or (vertical and np.isnan(row[12])):
        return False
    if (pressure and np.isnan(row[13])) or (speed and np.isnan(row[14])):
        return False
    tenths = _word(data, at + 21)
    if tenths != TIME_UNKNOWN_CODE:
        if tenths > TENTHS_PER_HOUR:
            return False
        row[16] = tenths
    return True
