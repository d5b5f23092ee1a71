"""Windows of a week, read off a clock minute by minute: slow, literal, and on its own.

No interval is computed. A clock window of a day holds from the first minute at which the
clock shows its start or later until the last minute at which it shows less than its end.
The sun's altitude comes from the Astronomical Almanac's low-precision formulas (page C5:
right ascension, sidereal time), not from the series that core/sun.py uses.
"""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

MINUTE = timedelta(minutes=1)


def minutes_of(start: datetime, days: int) -> list[datetime]:
    """Every UTC minute of some days."""
    return [start + i * MINUTE for i in range(days * 24 * 60)]


def clock_window_minutes(
    weekdays: tuple[int, ...], start_s: int, end_s: int, zone: str, minutes: list[datetime]
) -> set[datetime]:
    """The minutes at which a window between two times of day holds.

    `minutes` must reach two days beyond what is asked on both sides.
    """
    shown = [minute.astimezone(ZoneInfo(zone)).replace(tzinfo=None) for minute in minutes]
    held: set[datetime] = set()
    day = shown[0].date()
    while day <= shown[-1].date():
        if day.weekday() in weekdays:
            midnight = datetime(day.year, day.month, day.day)
            opens = midnight + timedelta(seconds=start_s)
            closes = midnight + timedelta(seconds=end_s, days=0 if end_s > start_s else 1)
            late_enough = [i for i, wall in enumerate(shown) if wall >= opens]
            early_enough = [i for i, wall in enumerate(shown) if wall < closes]
            if late_enough and early_enough and shown[0] < opens:
                held.update(minutes[min(late_enough) : max(early_enough) + 1])
        day += timedelta(days=1)
    return held


def sun_altitude_deg(at: datetime, lat_deg: float, lon_deg: float) -> float:
    """The sun's altitude without refraction, good to about 0.02 degrees."""
    days = (at - datetime(2000, 1, 1, 12, tzinfo=UTC)) / timedelta(days=1)
    anomaly = math.radians(357.529 + 0.98560028 * days)
    longitude = math.radians(
        280.459 + 0.98564736 * days + 1.915 * math.sin(anomaly) + 0.020 * math.sin(2 * anomaly)
    )
    obliquity = math.radians(23.439 - 0.00000036 * days)
    ascension = math.atan2(math.cos(obliquity) * math.sin(longitude), math.cos(longitude))
    declination = math.asin(math.sin(obliquity) * math.sin(longitude))
    sidereal = math.radians((280.46061837 + 360.98564736629 * days + lon_deg) % 360.0)
    lat = math.radians(lat_deg)
    return math.degrees(
        math.asin(
            math.sin(lat) * math.sin(declination)
            + math.cos(lat) * math.cos(declination) * math.cos(sidereal - ascension)
        )
    )
