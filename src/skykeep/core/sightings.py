"""What people report: which reports may be of one event. Suggested, never merged.

A report says when, from where and in which direction somebody saw something; any of the last two
may be missing. It is no detection: nothing here makes a track or an alert.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from skykeep.core.event import ReportKept
from skykeep.core.geo import metres_per_degree
from skykeep.units import NS_PER_S

#: People note a time to some minutes; a small drone stays up for twenty.
WINDOW_NS = 600 * NS_PER_S
#: Farther than this nobody sees a small drone; its lights at night a little less than twice.
SEEN_M = 3_000.0
#: Who stands together sees the same: places are kept to 100 m.
TOGETHER_M = 300.0
#: A phone's compass in a hand is off by some degrees, its holder's aim by some more.
ALONG_DEG = 30.0


@dataclass(frozen=True, slots=True)
class MayBeOne:
    """Two reports, by their places in the list, and why they may be of one event."""

    first: int
    second: int
    words: str


def may_be_one(reports: Sequence[ReportKept]) -> tuple[MayBeOne, ...]:
    """Every pair that may be of one event, in the order of the reports."""
    found = []
    for second, b in enumerate(reports):
        for first, a in enumerate(reports[:second]):
            words = _why(a, b)
            if words:
                found.append(MayBeOne(first, second, words))
    return tuple(found)


def _why(a: ReportKept, b: ReportKept) -> str:
    """Why two reports may be of one event; empty where nothing says so."""
    apart_s = abs(a.seen_at_ns - b.seen_at_ns) / NS_PER_S
    if apart_s * NS_PER_S > WINDOW_NS:
        return ""
    if a.lat_deg is None or a.lon_deg is None or b.lat_deg is None or b.lon_deg is None:
        return ""  # a time alone joins nothing
    per_lon, per_lat = metres_per_degree(a.lat_deg)
    east = ((b.lon_deg - a.lon_deg + 180.0) % 360.0 - 180.0) * per_lon
    north = (b.lat_deg - a.lat_deg) * per_lat
    apart_m = math.hypot(east, north)
    if a.azimuth_deg is None or b.azimuth_deg is None:
        if apart_m > SEEN_M:
            return ""
        return f"{apart_m:.0f} m and {apart_s:.0f} s apart"
    between = abs((a.azimuth_deg - b.azimuth_deg + 180.0) % 360.0 - 180.0)
    if apart_m <= TOGETHER_M:
        if between > ALONG_DEG:
            return ""
        return f"{apart_m:.0f} m and {apart_s:.0f} s apart, looking the same way"
    crossing = _crossing_m(a.azimuth_deg, b.azimuth_deg, east, north)
    if crossing is None or max(crossing) > SEEN_M:
        return ""
    return (
        f"{apart_s:.0f} s apart, their directions cross {crossing[0]:.0f} m from the one and "
        f"{crossing[1]:.0f} m from the other"
    )


def _crossing_m(
    first_deg: float, second_deg: float, east_m: float, north_m: float
) -> tuple[float, float] | None:
    """How far in front of each two rays cross; None where they do not."""
    ax, ay = math.sin(math.radians(first_deg)), math.cos(math.radians(first_deg))
    bx, by = math.sin(math.radians(second_deg)), math.cos(math.radians(second_deg))
    cross = ax * by - ay * bx
    if abs(cross) < math.sin(math.radians(2.0)):  # as good as parallel: they cross anywhere
        return None
    first = (east_m * by - north_m * bx) / cross
    second = (east_m * ay - north_m * ax) / cross
    return (first, second) if first > 0.0 and second > 0.0 else None
