"""SI aliases, typed ids and the few conversions that every room needs.

Time inside the core is UTC in integer nanoseconds since 1970-01-01 (`TimeNs`); aware
datetimes appear at the rim only.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import NewType

TimeNs = NewType("TimeNs", int)
SensorId = NewType("SensorId", str)
TrackId = NewType("TrackId", str)
ZoneId = NewType("ZoneId", str)
PermitId = NewType("PermitId", str)
AlertId = NewType("AlertId", str)
IncidentId = NewType("IncidentId", str)
BatchId = NewType("BatchId", str)

NS_PER_S = 1_000_000_000
NS_PER_MS = 1_000_000

METRES_PER_FOOT = 0.3048  # exact, international foot
MPS_PER_KNOT = 1852.0 / 3600.0  # exact, international knot
MPS_PER_FOOT_PER_MINUTE = METRES_PER_FOOT / 60.0

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def to_datetime(at_ns: int) -> datetime:
    """UTC nanoseconds to an aware datetime (truncated to a microsecond)."""
    return _EPOCH + timedelta(microseconds=at_ns // 1000)


def to_ns(at: datetime) -> TimeNs:
    """An aware datetime to UTC nanoseconds, exactly; a naive one raises ValueError."""
    if at.tzinfo is None:
        raise ValueError("datetime without a time zone")
    return TimeNs((at - _EPOCH) // _MICROSECOND * 1000)


def seconds(duration_s: float) -> int:
    """A duration in seconds as whole nanoseconds."""
    return round(duration_s * NS_PER_S)
