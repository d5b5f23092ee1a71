"""Kernels that ask a grid of zones about points; see core/zone_index.py."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skykeep.core.geo import (
    F64,
    PRESSURE_HIGH_M,
    PRESSURE_LOW_M,
    PRESSURE_TEMPERATURE_SHARE,
    kernel,
    metres_per_degree,
    polygon_depth_m,
)
from skykeep.core.zone_cells import EDGE_SHIFT, FROM_RIGHT, LAST, ODD, TO_RIGHT, WHOLE, grown

#: Nearer to an edge than this, in degrees, the exact arithmetic decides. Longitudes at which
#: an edge passes a parallel are good to 3e-13 degrees here and there.
NEAR_DEG = 1e-9
#: Three-valued answers as in `geo.Tri`: minimum is "and", maximum is "or".
NO, MAYBE, YES = 0, 1, 2
#: Points that wait for memory together: enough to hide it, few enough for the nearest cache.
BLOCK = 256
#: Tiles in a row and rows of them, when points are put in order.
TILES = 64
#: References of heights as in `geo.HeightReference`.
_NONE, _HAE, _AMSL, _AGL, _PRESSURE = 0, 1, 2, 3, 4

I32 = NDArray[np.int32]
I64 = NDArray[np.int64]


class Grid(NamedTuple):
    """Zones as arrays. A part is one area of a zone, once for each side of 180 degrees."""

    frames: F64  # (grids, 4) west, south, columns and rows a degree; finer grids first
    shapes: I64  # (grids, 3) columns, rows, first cell
    starts: I32  # (cells + 2,) where a cell's entries start; the last cell is outside all
    entries: I32  # (n, 2) part, what it is to the cell (core/zone_cells.py)
    refs: I32  # (m, 1) edges, with flags
    vertices: F64  # (v, 2) longitude, latitude
    boxes: F64  # (parts, 4) west, south, east, north, as in geo.PreparedArea
    circles: F64  # (parts, 3) latitude, longitude, radius in metres; NaN for a polygon
    shifts: F64  # (parts,) degrees that its longitudes are ahead of the grid's
    origins: I64  # (parts,) its first vertex
    rings: I32  # (parts, 2) its first and last plus one of `ends`
    ends: I32  # (rings,) counted from the part's first vertex
    zones: I32  # (parts,) whose it is
    limits: F64  # (parts, 2) lower, upper
    references: NDArray[np.int8]  # (parts, 2) of the limits; 0 is no limit
    loose: I32  # (k,) parts that are in no cell
    blind: I32  # (k,) zones that may hold anywhere


@kernel
def literally(g: Any, part: int, lat: float, lon: float) -> bool:
    """geo.in_area for a fix without uncertainty, with its arithmetic."""
    west, south, east, north = g.boxes[part]
    away = lon - 0.5 * (west + east)
    if abs(away) > 180.0:
        lon = lon - math.copysign(360.0, away)
    if lat < south or lat > north or lon < west or lon > east:
        return False
    radius = g.circles[part, 2]
    if math.isnan(radius):
        first = g.origins[part]
        ends = g.ends[g.rings[part, 0] : g.rings[part, 1]]
        vertices = g.vertices[first : first + ends[-1]]
        return bool(polygon_depth_m(lon, lat, vertices, ends) >= 0.0)
    centre_lat, centre_lon = g.circles[part, 0], g.circles[part, 1]
    per_lon, per_lat = metres_per_degree(0.5 * (lat + centre_lat))
    dlon = lon - centre_lon
    if abs(dlon) > 180.0:  # exact, as math.remainder is
        dlon -= math.copysign(360.0, dlon)
    dx, dy = dlon * per_lon, (lat - centre_lat) * per_lat
    return bool(radius - math.sqrt(dx * dx + dy * dy) >= 0.0)


@kernel
def _within_border(refs: Any, vertices: Any, k: int, inside: bool, lat: float, lon: float) -> int:
    """Even-odd over the edges that pass through the point's cell: NO, YES or near one (MAYBE)."""
    while True:
        ref = refs[k, 0]
        i = ref >> EDGE_SHIFT
        ax, ay = vertices[i, 0], vertices[i, 1]
        bx, by = vertices[i + 1, 0], vertices[i + 1, 1]
        dx, dy = bx - ax, by - ay
        turn = (ax - lon) * dy - (ay - lat) * dx
        if (
            abs(turn) <= NEAR_DEG * (abs(dx) + abs(dy))
            and min(ax, bx) - NEAR_DEG <= lon <= max(ax, bx) + NEAR_DEG
            and min(ay, by) - NEAR_DEG <= lat <= max(ay, by) + NEAR_DEG
        ):
            return MAYBE
        from_above, to_above = ay > lat, by > lat
        if from_above != to_above and (turn > 0.0) == (dy > 0.0):
            inside = not inside
        if ref & FROM_RIGHT and from_above:
            inside = not inside
        if ref & TO_RIGHT and to_above:
            inside = not inside
        if ref & LAST:
            return YES if inside else NO
        k += 1


@kernel
def _spans(own: int, wanted: int, height: float, ground: Any) -> Any:
    """geo.height_span without a margin: whether it can be told, low, high.

    `ground`: the lowest and highest ground over the sea, the geoid's lowest and highest over
    the ellipsoid; NaN where that is not known.
    """
    low = high = height
    if own == wanted:
        return True, low, high
    share = PRESSURE_TEMPERATURE_SHARE
    if own == _PRESSURE:
        low, high = low + PRESSURE_LOW_M, high + PRESSURE_HIGH_M
        low, high = low - share * abs(low), high + share * abs(high)
    elif own == _HAE:
        low, high = low - ground[3], high - ground[2]
    elif own == _AGL:
        low, high = low + ground[0], high + ground[1]
    if wanted == _PRESSURE:
        share = share / (1.0 - share)
        low, high = (
            low - share * abs(low) - PRESSURE_HIGH_M,
            high + share * abs(high) - PRESSURE_LOW_M,
        )
    elif wanted == _HAE:
        low, high = low + ground[2], high + ground[3]
    elif wanted == _AGL:
        low, high = low - ground[1], high - ground[0]
    return not (math.isnan(low) or math.isnan(high)), low, high


@kernel
def _above(own: int, height: float, limit: float, reference: int, ground: Any) -> int:
    if own == _NONE or math.isnan(height):
        return MAYBE
    told, low, high = _spans(own, reference, height, ground)
    if not told:
        return MAYBE
    if low >= limit:
        return YES
    return NO if high < limit else MAYBE


@kernel
def _between(limits: Any, references: Any, part: int, own: int, height: float, ground: Any) -> int:
    """geo.in_heights for a height without uncertainty."""
    answer = YES
    if references[part, 0] != 0:
        answer = _above(own, height, limits[part, 0], references[part, 0], ground)
    if answer != NO and references[part, 1] != 0:
        over = _above(own, height, limits[part, 1], references[part, 1], ground)
        answer = min(answer, YES - over)
    return answer


@kernel
def _cell_of(frames: Any, shapes: Any, lat: float, lon: float, nowhere: int) -> int:
    for k in range(frames.shape[0]):
        column = (lon - frames[k, 0]) * frames[k, 2]
        row = (lat - frames[k, 1]) * frames[k, 3]
        wide = shapes[k, 0]
        if column >= 0.0 and row >= 0.0 and column < wide and row < shapes[k, 1]:
            return int(shapes[k, 2] + int(row) * wide + int(column))
    return nowhere


@kernel
def _enter(zone: int, answer: int, found: Any, start: int, k: int) -> int:
    """Join an answer to those of a point, which stay sorted by zone."""
    at = k
    while at > start and found[at - 1, 0] > zone:
        at -= 1
    if at > start and found[at - 1, 0] == zone:
        found[at - 1, 1] = max(found[at - 1, 1], answer)
        return k
    for i in range(k, at, -1):
        found[i, 0], found[i, 1] = found[i - 1, 0], found[i - 1, 1]
    found[at, 0], found[at, 1] = zone, answer
    return k + 1


@kernel
def _candidates(
    entries: Any, refs: Any, vertices: Any, shifts: Any, lat: Any, lon: Any, looked: Any,
    seen: int, chosen: Any,
) -> int:  # fmt: skip
    """The parts that a block's points are in, or so near that the exact arithmetic decides.

    `lat`, `lon`: the block's; `chosen` (k, 3) is filled with point, part and YES or MAYBE.
    """
    n = 0
    for s in range(seen):
        t = looked[s, 0]
        y, x = lat[t], lon[t]
        for j in range(looked[s, 1], looked[s, 2]):
            part, what = entries[j, 0], entries[j, 1]
            inside = YES if what == WHOLE else MAYBE
            if what >= 0:
                odd = what & ODD != 0
                inside = _within_border(refs, vertices, what >> 1, odd, y, x + shifts[part])
            chosen[n, 0], chosen[n, 1], chosen[n, 2] = t, part, inside
            n += 1 if inside != NO else 0
    return n


@kernel
def _settle(
    g: Any, lat: Any, lon: Any, flat: bool, owns: Any, heights: Any, grounds: Any, chosen: Any,
    n: int, counts: Any, found: Any, k: int,
) -> int:  # fmt: skip
    """Append a block's zones and answers to `found`, from its candidates, and count them."""
    limits, references, zones = g.limits, g.references, g.zones
    own, height, ground = 0, np.nan, grounds[0]
    for c in range(n):
        t, part = chosen[c, 0], chosen[c, 1]
        if chosen[c, 2] == MAYBE and not literally(g, part, lat[t], lon[t]):
            continue
        answer = YES
        if not flat and (references[part, 0] or references[part, 1]):
            own, height = owns[t] if owns.shape[0] > 1 else owns[0], heights[t]
            if grounds.shape[0] > 1:
                ground = grounds[t]
            answer = _between(limits, references, part, own, height, ground)
            if answer == NO:
                continue
        zone = zones[part]
        if counts[t] and found[k - 1, 0] == zone:
            found[k - 1, 1] = max(found[k - 1, 1], answer)
        else:
            found[k, 0], found[k, 1] = zone, answer
            counts[t] += 1
            k += 1
    return k


@kernel
def _outside_cells(
    g: Any, lat: Any, lon: Any, flat: bool, owns: Any, heights: Any, grounds: Any, counts: Any,
    found: Any, start: int,
) -> Any:  # fmt: skip
    """Join a block's answers with what no cell knows of: areas in no grid, unreadable zones.

    Returns `found`, perhaps moved, and its count.
    """
    size, extra = lat.shape[0], g.loose.shape[0] + g.blind.shape[0]
    held = 0
    for t in range(size):
        held += counts[t]
    own_answers = found[start : start + held].copy()
    found = grown(found, start + held + size * extra)
    k, taken = start, 0
    for t in range(size):
        own, height = 0, np.nan
        if not flat:
            own, height = owns[t] if owns.shape[0] > 1 else owns[0], heights[t]
        ground = grounds[t] if grounds.shape[0] > 1 else grounds[0]
        first = k
        for _ in range(counts[t]):
            found[k] = own_answers[taken]
            k, taken = k + 1, taken + 1
        for part in g.loose:
            if literally(g, part, lat[t], lon[t]):
                answer = YES
                if not flat:
                    answer = _between(g.limits, g.references, part, own, height, ground)
                if answer != NO:
                    k = _enter(g.zones[part], answer, found, first, k)
        for zone in g.blind:
            k = _enter(zone, MAYBE, found, first, k)
        counts[t] = k - first
    return found, k


@kernel
def _look_ahead(g: Any, lat: Any, lon: Any, looked: Any, warm: Any) -> int:
    """The cells' entries of a block of points, in rounds that wait for memory side by side.

    Fills `looked` (block, 3): of the points with entries, which one, first entry, last plus
    one; returns how many. `warm` only keeps the reads alive.
    """
    frames, shapes, starts, entries = g.frames, g.shapes, g.starts, g.entries
    refs, vertices = g.refs, g.vertices
    nowhere, size = starts.shape[0] - 2, lat.shape[0]
    for t in range(size):
        y, x = lat[t], lon[t]
        looked[t, 1] = _cell_of(frames, shapes, y, x, nowhere)
    found = 0
    for t in range(size):
        cell = looked[t, 1]
        first, last = starts[cell], starts[cell + 1]
        looked[found, 0], looked[found, 1], looked[found, 2] = t, first, last
        found += 1 if last > first else 0
    if entries.shape[0] and refs.shape[0]:
        for k in range(found):
            warm[k] = max(entries[min(looked[k, 1], entries.shape[0] - 1), 1], 0) >> 1
        for k in range(found):
            warm[k] = refs[warm[k], 0] >> EDGE_SHIFT
        for k in range(found):
            warm[k] = int(vertices[warm[k], 0])
    return found


@kernel
def hold_many(g: Any, lat: Any, lon: Any, flat: bool, owns: Any, heights: Any, grounds: Any) -> Any:
    """Zones and answers at points: offsets (n + 1,), then (k, 2) sorted by zone for each point.

    `flat`: without heights, `owns` and `heights` are then not looked at. `owns` (n or 1,): the
    heights' references; `grounds` (n or 1, 4): as in `_spans`. Places must be on the map.
    """
    n = lat.shape[0]
    offsets = np.zeros(n + 1, np.int64)
    extra = g.loose.shape[0] + g.blind.shape[0]
    found = np.empty((n // 2 + 8, 2), np.int32)
    looked, warm = np.empty((BLOCK, 3), np.int32), np.empty(BLOCK, np.int32)
    chosen = np.empty((2 * BLOCK, 3), np.int32)
    k = 0
    for begin in range(0, n, BLOCK):
        end = min(begin + BLOCK, n)
        y, x, counts = lat[begin:end], lon[begin:end], offsets[begin + 1 : end + 1]
        own = owns[begin:end] if owns.shape[0] > 1 else owns
        height = heights if flat else heights[begin:end]
        ground = grounds[begin:end] if grounds.shape[0] > 1 else grounds
        seen = _look_ahead(g, y, x, looked, warm)
        asked = 0
        for s in range(seen):
            asked += looked[s, 2] - looked[s, 1]
        chosen = grown(chosen, asked + 1)
        m = _candidates(g.entries, g.refs, g.vertices, g.shifts, y, x, looked, seen, chosen)
        found = grown(found, k + m)
        held = _settle(g, y, x, flat, own, height, ground, chosen, m, counts, found, k)
        if extra:
            found, held = _outside_cells(g, y, x, flat, own, height, ground, counts, found, k)
        k = held
    for i in range(n):
        offsets[i + 1] += offsets[i]
    return offsets, found[:k].copy()


@kernel
def by_tile(g: Any, lat: Any, lon: Any) -> Any:
    """An order of points (n,) in which near ones come together, tile by tile of the first grid.

    Many points at random would each wait for memory; in this order they find it in the cache.
    """
    n = lat.shape[0]
    west, south = g.frames[0, 0], g.frames[0, 1]
    per_lon = g.frames[0, 2] / g.shapes[0, 0] * TILES
    per_lat = g.frames[0, 3] / g.shapes[0, 1] * TILES
    tiles = np.empty(n, np.int32)
    starts = np.zeros(TILES * TILES + 1, np.int32)
    for i in range(n):
        column, row = (lon[i] - west) * per_lon, (lat[i] - south) * per_lat
        tile = 0
        if 0.0 <= column < TILES and 0.0 <= row < TILES:
            tile = int(row) * TILES + int(column)
        tiles[i] = tile
        starts[tile + 1] += 1
    for tile in range(TILES * TILES):
        starts[tile + 1] += starts[tile]
    order = np.empty(n, np.int32)
    for i in range(n):
        order[starts[tiles[i]]] = i
        starts[tiles[i]] += 1
    return order


@kernel
def in_order(values: Any, order: Any) -> Any:
    """`values[order]`, several times as fast as numpy."""
    taken = np.empty(order.shape[0], values.dtype)
    for s in range(order.shape[0]):
        taken[s] = values[order[s]]
    return taken


@kernel
def put_back(order: Any, offsets: Any, found: Any) -> Any:
    """Answers of points in an order, in the points' own order again."""
    n = order.shape[0]
    own = np.zeros(n + 1, np.int64)
    for s in range(n):
        own[order[s] + 1] = offsets[s + 1] - offsets[s]
    for i in range(n):
        own[i + 1] += own[i]
    rows = np.empty_like(found)
    for s in range(n):
        to = own[order[s]]
        for j in range(offsets[s], offsets[s + 1]):
            rows[to, 0], rows[to, 1] = found[j, 0], found[j, 1]
            to += 1
    return own, rows


@kernel
def in_times(
    offsets: Any, found: Any, at_ns: Any, calendar: Any, starts: Any, edges: Any, states: Any
) -> Any:
    """The answers joined with whether each zone applies; what does not is left out.

    `calendar` (zones,): which times a zone has; `starts` (times + 1,): where they start in
    `edges` (UTC ns, ascending; the first is the least integer) and `states`, the answer from
    that edge until before the next.
    """
    n = at_ns.shape[0]
    kept = np.zeros(n + 1, np.int64)
    k = 0
    for i in range(n):
        for j in range(offsets[i], offsets[i + 1]):
            own = calendar[found[j, 0]]
            low, high = starts[own], starts[own + 1]
            while high - low > 1:
                middle = (low + high) // 2
                if edges[middle] <= at_ns[i]:
                    low = middle
                else:
                    high = middle
            answer = min(found[j, 1], states[low])
            if answer != NO:
                found[k, 0], found[k, 1] = found[j, 0], answer
                k += 1
        kept[i + 1] = k
    return kept, found[:k]
