"""OpenAir's points and arcs."""

from __future__ import annotations

import math
import re

from skykeep.core.geo import metres_per_degree

METRES_PER_NM = 1852.0
#: Chords of two degrees leave out 0.015 % of the radius.
STEP_DEG = 2.0
#: Twice the largest area that core/geometry.py takes.
MAX_ARC_NM = 540.0

_ANGLE = r"(\d{1,3})(?:[:° ]\s*(\d{1,2}(?:\.\d{1,9})?))?(?:[:' ]\s*(\d{1,2}(?:\.\d{1,9})?))?\"?"
_DECIMAL = r"(\d{1,3}\.\d{1,12})°?"
_POINT = re.compile(
    rf"(?:{_ANGLE}|{_DECIMAL})\s*([NS])[\s,]*(?:{_ANGLE}|{_DECIMAL})\s*([EW])",
    re.IGNORECASE | re.ASCII,
)

Position = tuple[float, float]


def parse_point(words: str) -> Position | None:
    """Longitude and latitude in degrees; None where the words are no point on the globe."""
    match = _POINT.fullmatch(words.strip()[:100])
    if match is None:
        return None
    lat, lon = _degrees(*match.group(1, 2, 3, 4)), _degrees(*match.group(6, 7, 8, 9))
    if lat is None or lon is None or lat > 90.0 or lon > 180.0:
        return None
    south, west = match[5].upper() == "S", match[10].upper() == "W"
    return (-lon if west else lon, -lat if south else lat)


def _degrees(
    whole: str | None, minutes: str | None, seconds: str | None, decimal: str | None
) -> float | None:
    if decimal is not None:
        return float(decimal)
    parts = [float(part or 0.0) for part in (whole, minutes, seconds)]
    if max(parts[1:]) >= 60.0:
        return None
    return parts[0] + parts[1] / 60.0 + parts[2] / 3600.0


def arc(centre: Position, code: str, words: str, clockwise: bool) -> list[Position] | None:
    """Points along an arc: DA "radius NM, from, to" or DB "point, point"; None if it is none."""
    parts = [part.strip() for part in words.split(",")]
    if code == "DA":
        try:
            radius_nm, start_deg, end_deg = map(float, parts)
        except ValueError:
            return None
        if not (0.0 < radius_nm <= MAX_ARC_NM and abs(start_deg) <= 720 and abs(end_deg) <= 720):
            return None
        radius_m = radius_nm * METRES_PER_NM
        angles = _angles(start_deg, end_deg, clockwise)
        return [_at(centre, radius_m, radius_m, angle, 0.0) for angle in angles]
    points = [parse_point(part) for part in parts]
    if len(points) != 2 or points[0] is None or points[1] is None:
        return None
    (first_m, first_deg), (last_m, last_deg) = (_from(centre, p) for p in points if p)
    if not 0.0 < max(first_m, last_m) <= MAX_ARC_NM * METRES_PER_NM:
        return None
    angles = _angles(first_deg, last_deg, clockwise)
    share = 1.0 / max(len(angles) - 1, 1)
    between = [_at(centre, first_m, last_m, angle, i * share) for i, angle in enumerate(angles)]
    return [points[0], *between[1:-1], points[1]]


def _angles(start_deg: float, end_deg: float, clockwise: bool) -> list[float]:
    """Bearings from start to end in steps of at most two degrees."""
    sweep = (end_deg - start_deg) % 360.0 if clockwise else -((start_deg - end_deg) % 360.0)
    if sweep == 0.0:
        sweep = 360.0 if clockwise else -360.0
    steps = max(1, math.ceil(abs(sweep) / STEP_DEG))
    return [start_deg + sweep * i / steps for i in range(steps + 1)]


def _at(centre: Position, first_m: float, last_m: float, bearing: float, share: float) -> Position:
    """A point at a bearing; the radius runs evenly from first to last."""
    per_lon, per_lat = metres_per_degree(centre[1])
    radius_m = first_m + (last_m - first_m) * share
    east, north = math.sin(math.radians(bearing)), math.cos(math.radians(bearing))
    return (
        centre[0] + radius_m * east / max(per_lon, 1.0),
        centre[1] + radius_m * north / per_lat,
    )


def _from(centre: Position, point: Position) -> tuple[float, float]:
    """Distance in metres and bearing in degrees."""
    per_lon, per_lat = metres_per_degree(centre[1])
    east, north = (point[0] - centre[0]) * per_lon, (point[1] - centre[1]) * per_lat
    return math.hypot(east, north), math.degrees(math.atan2(east, north))
