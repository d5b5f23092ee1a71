"""Windows of a week over years, minute by minute: what a clock on the wall shows, where the sun is.

Nothing is worked out that could be looked at: the clock of every minute is that of Python's
own time zones, the sun's altitude at every minute is the Astronomical Almanac's (see
schedule_minutes.py), its rise is the minute at which it is first seen above. Where the sun
comes so near an altitude that `DOUBT_DEG` more or less would move an event, the minutes
between are neither in nor out.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

#: Degrees of altitude, and minutes on top of that, by which two almanacs may differ. Within
#: half a day the sun's own path moves by up to 0.2 degrees.
DOUBT_DEG = 0.3
DOUBT_MINUTES = 3
#: Altitude, before noon, hours from the sun's noon at an equinox.
SUN = {
    "BMCT": (-6.0, True, -6.5),
    "SR": (-50 / 60, True, -6.0),
    "SS": (-50 / 60, False, 6.0),
    "EECT": (-6.0, False, 6.5),
}
DAY = 1440
MINUTE = timedelta(minutes=1)
#: Minutes around what is asked for that are looked at too.
MARGIN = 8 * DAY

#: A time of day: seconds, whether in UTC; or the name of a sun event.
Moment = tuple[int, bool] | str
Booleans = NDArray[np.bool_]


class Years:
    """Every minute of some days at a place, and what can be seen at it."""

    def __init__(
        self, start: datetime, days: int, zone: str, lat_deg: float, lon_deg: float
    ) -> None:
        self.start = start - timedelta(minutes=MARGIN)
        self.asked = slice(MARGIN, MARGIN + days * DAY)
        n = 2 * MARGIN + days * DAY
        self.minutes = np.arange(n)
        local = ZoneInfo(zone)
        # Clocks are changed at quarters of an hour.
        offsets = [
            (self.start + timedelta(minutes=15 * i)).astimezone(local).utcoffset()
            for i in range(n // 15)
        ]
        shift = np.array([o.total_seconds() // 60 for o in offsets if o is not None])
        self.shown = {True: self.minutes, False: self.minutes + np.repeat(shift, 15).astype(int)}
        self.winter, self.lon_deg = int(shift.min()), lon_deg
        self.altitude_deg = _altitude_deg(self.start, n, lat_deg, lon_deg)
        inner = self.altitude_deg[1:-1]
        before, after = self.altitude_deg[:-2], self.altitude_deg[2:]
        self.noons = np.flatnonzero((inner >= before) & (inner > after)) + 1
        self.depths = np.flatnonzero((inner <= before) & (inner < after)) + 1

    def held(
        self, windows: list[tuple[tuple[int, ...], Moment, Moment]]
    ) -> tuple[Booleans, Booleans]:
        """For every minute asked for: whether it is surely in a window, and whether perhaps."""
        surely, perhaps = np.zeros((2, len(self.minutes)), np.bool_)
        for weekdays, opens, closes in windows:
            first = self.start.date() + timedelta(days=3)
            for offset in range(len(self.minutes) // DAY - 6):
                day = first + timedelta(days=offset)
                if day.weekday() in weekdays:
                    starts, ends = self._window(day, opens, closes)
                    surely[max(starts) : max(min(ends), 0)] = True
                    perhaps[min(starts) : max(0, *ends)] = True
        return surely[self.asked], perhaps[self.asked]

    def _window(self, day: date, opens: Moment, closes: Moment) -> tuple[list[int], list[int]]:
        starts = self._minutes_of(opens, day, last=False)
        if not isinstance(opens, str) and not isinstance(closes, str) and opens[1] == closes[1]:
            end_day = day if closes[0] > opens[0] else day + timedelta(days=1)
            return starts, self._minutes_of(closes, end_day, last=True)
        ends: list[int] = []
        for offset in range(-2, 3):
            end_day = day + timedelta(days=offset)
            ahead = self._usually(closes, end_day) - self._usually(opens, day)
            if ahead > -DOUBT_MINUTES:
                ends += self._minutes_of(closes, end_day, last=True)
            if ahead > DOUBT_MINUTES:
                break
        return starts, ends

    def _minutes_of(self, moment: Moment, day: date, last: bool) -> list[int]:
        """The minute of a moment, or several between which it lies."""
        if not isinstance(moment, str):
            return [self._clock(moment, day, last)]
        altitude_deg, morning, _ = SUN[moment]
        found = [
            self._crossing(day, altitude_deg + doubt, morning)
            for doubt in (-DOUBT_DEG, 0.0, DOUBT_DEG)
        ]
        return [m + d for m in found for d in (-DOUBT_MINUTES, DOUBT_MINUTES)]

    def _clock(self, moment: tuple[int, bool], day: date, last: bool) -> int:
        """The first minute at which the clock shows a time or later; as an end, the minute
        after the last at which it shows less."""
        seconds, utc = moment
        target = (datetime(day.year, day.month, day.day, tzinfo=UTC) - self.start) // timedelta(
            minutes=1
        ) + seconds // 60
        low = max(0, target - 2 * DAY)
        shown = self.shown[utc][low : target + 2 * DAY]
        if last:
            return low + int(np.flatnonzero(shown < target)[-1]) + 1
        return low + int(np.flatnonzero(shown >= target)[0])

    def _noon(self, day: date) -> int:
        wall_noon = self._clock((43_200, False), day, last=False)
        return int(self.noons[np.argmin(np.abs(self.noons - wall_noon))])

    def _crossing(self, day: date, altitude_deg: float, morning: bool) -> int:
        noon = self._noon(day)
        if self.altitude_deg[noon] <= altitude_deg:
            return noon  # it does not rise
        if morning:
            depth = int(self.depths[self.depths < noon][-1])
            below = np.flatnonzero(self.altitude_deg[depth:noon] <= altitude_deg)
            return depth + int(below[-1]) + 1 if len(below) else depth
        depth = int(self.depths[self.depths > noon][0])
        below = np.flatnonzero(self.altitude_deg[noon:depth] <= altitude_deg)
        return noon + int(below[0]) if len(below) else depth

    def _usually(self, moment: Moment, day: date) -> int:
        """As on a day in winter, by a clock and a sun that are never early or late."""
        midnight = (datetime(day.year, day.month, day.day, tzinfo=UTC) - self.start) // MINUTE
        if isinstance(moment, str):
            noons = midnight + 720 - round(self.lon_deg * 4) + np.array((-DAY, 0, DAY))
            wall_noon = midnight + 720 - self.winter
            noon = int(noons[np.argmin(np.abs(noons - wall_noon))])
            return noon + round(SUN[moment][2] * 60)
        return midnight + moment[0] // 60 - (0 if moment[1] else self.winter)


def _altitude_deg(start: datetime, n: int, lat_deg: float, lon_deg: float) -> NDArray[np.float64]:
    """schedule_minutes.sun_altitude_deg for each of n minutes (without its loop)."""
    days = (start - datetime(2000, 1, 1, 12, tzinfo=UTC)) / timedelta(days=1) + np.arange(n) / DAY
    anomaly = np.radians(357.529 + 0.98560028 * days)
    longitude = np.radians(
        280.459 + 0.98564736 * days + 1.915 * np.sin(anomaly) + 0.020 * np.sin(2 * anomaly)
    )
    obliquity = np.radians(23.439 - 0.00000036 * days)
    ascension = np.arctan2(np.cos(obliquity) * np.sin(longitude), np.cos(longitude))
    declination = np.arcsin(np.sin(obliquity) * np.sin(longitude))
    sidereal = np.radians((280.46061837 + 360.98564736629 * days + lon_deg) % 360.0)
    lat = np.radians(lat_deg)
    return np.degrees(
        np.arcsin(
            np.sin(lat) * np.sin(declination)
            + np.cos(lat) * np.cos(declination) * np.cos(sidereal - ascension)
        )
    )
