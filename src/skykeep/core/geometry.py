"""What can be wrong with an area: answers about a faulty one would be guesses.

The rules are those of OGC Simple Features (06-103r4, 6.1.11) for polygons, but one: a border
may touch itself or another ring in a vertex that both have, since that leaves no doubt about
what lies inside.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import numpy as np

from skykeep.core.geo import F64, Area, Circle, Polygon, kernel, metres_per_degree

#: Beyond this the local flat metric of core/geo.py no longer holds; no UAS zone comes near.
MAX_RADIUS_M = 500_000.0
#: A zone smaller than a doormat is a slip.
MIN_AREA_M2 = 1.0
#: Keeps the check for crossings, quadratic at worst, to some seconds; Norway's coast fits.
MAX_VERTICES = 50_000
#: A border that spans more than half the globe was meant to cross the antimeridian.
MAX_WIDTH_DEG = 180.0

_CLOSED_TRIANGLE = 4


def geometry_faults(area: Area) -> tuple[tuple[str, str], ...]:
    """Every fault of an area as (where in it, what is wrong); empty for a good one.

    The place is `.radius` or `.centre` of a circle, `[ring][vertex]` or `[ring]` of a polygon,
    empty for a polygon as a whole.
    """
    if isinstance(area, Circle):
        return tuple(_circle_faults(area))
    if not area.rings:
        return (("", "it has no border"),)
    if sum(map(len, area.rings)) > MAX_VERTICES:
        return (("", f"it has more than {MAX_VERTICES} vertices"),)
    faults = [fault for i, ring in enumerate(area.rings) for fault in _ring_faults(i, ring)]
    if faults:
        return tuple(faults)
    lons = [lon for lon, _ in area.rings[0]]
    if max(lons) - min(lons) > MAX_WIDTH_DEG:
        return (("[0]", "it spans more than half the globe; cut it at the antimeridian"),)
    return tuple(_outline_faults(area))


def is_counter_clockwise(ring: tuple[tuple[float, float], ...]) -> bool:
    """Whether a closed ring turns to the left (RFC 7946 section 3.1.6, exterior rings)."""
    return _signed_area_deg2(ring) > 0.0


def _circle_faults(circle: Circle) -> list[tuple[str, str]]:
    faults = []
    problem = _position_problem(circle.lon_deg, circle.lat_deg)
    if problem:
        faults.append((".centre", problem))
    if not math.isfinite(circle.radius_m):
        faults.append((".radius", "the radius is not a finite number"))
    elif circle.radius_m <= 0.0:
        faults.append((".radius", f"the radius {circle.radius_m:g} m is not positive"))
    elif circle.radius_m > MAX_RADIUS_M:
        faults.append((".radius", f"the radius {circle.radius_m:g} m is over {MAX_RADIUS_M:g} m"))
    return faults


def _position_problem(lon_deg: float, lat_deg: float) -> str:
    if not (math.isfinite(lon_deg) and math.isfinite(lat_deg)):
        return "a coordinate is not a finite number"
    if not -90.0 <= lat_deg <= 90.0:
        return f"latitude {lat_deg:g} is outside -90 to 90 degrees"
    if not -180.0 <= lon_deg <= 180.0:
        return f"longitude {lon_deg:g} is outside -180 to 180 degrees"
    return ""


def _ring_faults(index: int, ring: tuple[tuple[float, float], ...]) -> list[tuple[str, str]]:
    problems = ((i, _position_problem(lon, lat)) for i, (lon, lat) in enumerate(ring))
    faults = [(f"[{index}][{i}]", problem) for i, problem in problems if problem]
    if faults:
        return faults
    if not ring or ring[0] != ring[-1]:
        faults.append((f"[{index}]", "the ring is not closed"))
    distinct = len(set(ring))
    if distinct + 1 < _CLOSED_TRIANGLE:
        faults.append((f"[{index}]", f"the ring has {distinct} different vertices, fewer than 3"))
    return faults


def _signed_area_deg2(ring: tuple[tuple[float, float], ...]) -> float:
    lon0, lat0 = ring[0]
    return 0.5 * math.fsum(
        (x1 - lon0) * (y2 - lat0) - (x2 - lon0) * (y1 - lat0)
        for (x1, y1), (x2, y2) in pairwise(ring)
    )


def _outline_faults(polygon: Polygon) -> list[tuple[str, str]]:
    edges = [
        (x1, y1, x2, y2, ring, vertex)
        for ring, vertices in enumerate(polygon.rings)
        for vertex, ((x1, y1), (x2, y2)) in enumerate(pairwise(vertices))
        if (x1, y1) != (x2, y2)
    ]
    ends = np.array([edge[:4] for edge in edges], dtype=np.float64)
    ends -= np.tile(ends[0, :2], 2)  # near the origin, differences lose nothing
    order = np.argsort(np.minimum(ends[:, 0], ends[:, 2]), kind="stable")
    first, second = _first_crossing(ends[order])
    if first >= 0:
        a, b = edges[int(order[first])], edges[int(order[second])]
        ring, vertex = min(a[4:], b[4:])
        other_ring, other_vertex = max(a[4:], b[4:])
        return [
            (f"[{ring}][{vertex}]", f"its edge meets the edge at [{other_ring}][{other_vertex}]")
        ]
    faults = []
    for index, ring_vertices in enumerate(polygon.rings):
        per_lon, per_lat = metres_per_degree(ring_vertices[0][1])
        if abs(_signed_area_deg2(ring_vertices)) * per_lon * per_lat < MIN_AREA_M2:
            faults.append((f"[{index}]", "the ring encloses no area"))
        elif index and not _surrounds(polygon.rings[0], ring_vertices):
            faults.append((f"[{index}]", "the hole lies outside the border"))
    return faults


def _surrounds(
    border: tuple[tuple[float, float], ...], hole: tuple[tuple[float, float], ...]
) -> bool:
    """Whether a hole that crosses no edge of the border lies within it."""
    on_border = set(border)
    free = [point for point in hole if point not in on_border]
    if not free:
        (x1, y1), (x2, y2) = hole[0], hole[1]
        free = [(0.5 * (x1 + x2), 0.5 * (y1 + y2))]
    x, y = free[0]
    inside = False
    for (x1, y1), (x2, y2) in pairwise(border):
        if (y1 > y) != (y2 > y) and x < x1 + (y - y1) * (x2 - x1) / (y2 - y1):
            inside = not inside
    return inside


@kernel
def _turn(ax: float, ay: float, bx: float, by: float, px: float, py: float) -> float:
    return (bx - ax) * (py - ay) - (by - ay) * (px - ax)


@kernel
def _within(ax: float, ay: float, bx: float, by: float, px: float, py: float) -> bool:
    """Whether a point on the line through a and b lies strictly between them."""
    if (px == ax and py == ay) or (px == bx and py == by):
        return False
    return min(ax, bx) <= px <= max(ax, bx) and min(ay, by) <= py <= max(ay, by)


@kernel
def _meet(a: Any, b: Any) -> bool:
    """Whether two edges share more than a common end."""
    t1 = _turn(a[0], a[1], a[2], a[3], b[0], b[1])
    t2 = _turn(a[0], a[1], a[2], a[3], b[2], b[3])
    t3 = _turn(b[0], b[1], b[2], b[3], a[0], a[1])
    t4 = _turn(b[0], b[1], b[2], b[3], a[2], a[3])
    if t1 == 0.0 and t2 == 0.0:  # on one line
        same = a[0] == b[0] and a[1] == b[1] and a[2] == b[2] and a[3] == b[3]
        turned = a[0] == b[2] and a[1] == b[3] and a[2] == b[0] and a[3] == b[1]
        if same or turned:
            return True
    if t1 * t2 < 0.0 and t3 * t4 < 0.0:
        return True
    return (
        (t1 == 0.0 and _within(a[0], a[1], a[2], a[3], b[0], b[1]))
        or (t2 == 0.0 and _within(a[0], a[1], a[2], a[3], b[2], b[3]))
        or (t3 == 0.0 and _within(b[0], b[1], b[2], b[3], a[0], a[1]))
        or (t4 == 0.0 and _within(b[0], b[1], b[2], b[3], a[2], a[3]))
    )


@kernel
def _first_crossing(edges: F64) -> Any:
    """Two edges (indices) that meet, or (-1, -1); edges are sorted by their least x."""
    for i in range(edges.shape[0]):
        right = max(edges[i, 0], edges[i, 2])
        low, high = min(edges[i, 1], edges[i, 3]), max(edges[i, 1], edges[i, 3])
        for j in range(i + 1, edges.shape[0]):
            if min(edges[j, 0], edges[j, 2]) > right:
                break
            if max(edges[j, 1], edges[j, 3]) < low or min(edges[j, 1], edges[j, 3]) > high:
                continue
            if _meet(edges[i], edges[j]):
                return i, j
    return -1, -1
