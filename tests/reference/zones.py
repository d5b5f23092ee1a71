"""Which zones hold at a point, asked one by one: slow and literal, in exact fractions.

No grid, no shortcut, no floating point in the even-odd rule. Where a point is so near to a
border that floating point may fall either way, the answer is None.
"""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import pairwise

from skykeep.core.geo import Area, Circle, Polygon

#: Degrees within which nothing is claimed: far above 1e-13, far below what matters.
NEAR = Fraction(1, 10**11)


def in_polygon(polygon: Polygon, lat_deg: float, lon_deg: float) -> bool | None:
    """Even-odd over all rings, with the longitude counted from the polygon's side of 180."""
    lons = [lon for ring in polygon.rings for lon, _ in ring]
    middle = 0.5 * (min(lons) + max(lons))
    x, y = Fraction(lon_deg), Fraction(lat_deg)
    if lon_deg - middle > 180.0:
        x -= 360
    elif lon_deg - middle < -180.0:
        x += 360
    inside = False
    for ring in polygon.rings:
        for (a_lon, a_lat), (b_lon, b_lat) in pairwise(ring):
            ax, ay, bx, by = map(Fraction, (a_lon, a_lat, b_lon, b_lat))
            if _near(x, y, ax, ay, bx, by):
                return None
            if (ay > y) != (by > y) and x < ax + (y - ay) * (bx - ax) / (by - ay):
                inside = not inside
    return inside


def _near(x: Fraction, y: Fraction, ax: Fraction, ay: Fraction, bx: Fraction, by: Fraction) -> bool:
    dx, dy = bx - ax, by - ay
    length2 = dx * dx + dy * dy
    along = Fraction(0)
    if length2:
        along = min(Fraction(1), max(Fraction(0), ((x - ax) * dx + (y - ay) * dy) / length2))
    return max(abs(ax + along * dx - x), abs(ay + along * dy - y)) <= NEAR


def in_circle(circle: Circle, lat_deg: float, lon_deg: float) -> bool | None:
    """By the great-circle distance; None within 0.5 % of the radius, which the flat metric errs."""
    la, lb = math.radians(circle.lat_deg), math.radians(lat_deg)
    dlon = math.radians(lon_deg - circle.lon_deg)
    half = math.sin(0.5 * (lb - la)) ** 2 + math.cos(la) * math.cos(lb) * math.sin(0.5 * dlon) ** 2
    away_m = 2.0 * 6_371_008.8 * math.asin(min(1.0, math.sqrt(half)))
    if abs(away_m - circle.radius_m) <= 0.01 * circle.radius_m:  # a sphere errs by 0.5 %
        return None
    return away_m < circle.radius_m


def in_area(area: Area, lat_deg: float, lon_deg: float) -> bool | None:
    """Whether a point is in an area; None where it is too near its border to be sure."""
    if isinstance(area, Circle):
        return in_circle(area, lat_deg, lon_deg)
    return in_polygon(area, lat_deg, lon_deg)
