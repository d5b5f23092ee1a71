"""Areas laid over a grid: each cell knows what covers it wholly and whose border crosses it.

A cell that lies wholly in an area holds the area's number alone; where a border crosses the
cell, also the few edges that do. What lies to the right of a cell is folded into one bit, so
that the even-odd rule of core/geo.py needs no other edge: a ray to the right from a point in
row r meets

- the edges that pass through the point's own cell, tested one by one;
- edges that stay right of the cell within the row. Of such an edge only its ends matter: it
  is met if one end is above the point and the other is not. An end beyond the row counts
  alike for all points of the row (`ODD`). An end within the row belongs to two edges; if both
  are right of the cell it counts twice, that is not at all, else the other edge passes
  through the cell and carries the end's bit (`FROM_RIGHT`, `TO_RIGHT`).

All borders are taken `SLACK_DEG` wider than they are, which is far above what rounding can
move and far below what matters: a cell is called covered only if it surely is.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from skykeep.core.geo import kernel, metres_per_degree

#: 0.1 mm. Differences of degrees, and crossings worked out from them, are good to 1e-12.
SLACK_DEG = 1e-9
#: Relative; the distance to a circle's centre in core/geo.py rounds a few times at 1e-16.
SLACK_CIRCLE = 1e-9

#: What an entry says of a cell; 0 and above: where its edges start, times two, plus ODD.
WHOLE, ROUND = -1, -2
ODD = 1
#: Flags below an edge's number; LAST ends a cell's edges.
FROM_RIGHT, TO_RIGHT, LAST = 1, 2, 4
EDGE_SHIFT = 3
#: The edge does not end in this row: nothing of it is right of any cell on that account.
_NO_COLUMN = -1


@kernel
def _clip(ax: float, ay: float, bx: float, by: float, low: float, high: float) -> Any:
    """The least and greatest longitude of an edge within a band of latitude that it reaches."""
    left, right = np.inf, -np.inf
    if low <= ay <= high:
        left, right = min(left, ax), max(right, ax)
    if low <= by <= high:
        left, right = min(left, bx), max(right, bx)
    for y in (low, high):
        if (ay < y < by) or (by < y < ay):
            x = ax + (y - ay) * ((bx - ax) / (by - ay))
            x = min(max(x, min(ax, bx)), max(ax, bx))
            left, right = min(left, x), max(right, x)
    return left, right


@kernel
def _columns(frame: Any, edge: Any, low: float, high: float) -> Any:
    """The first and last column (not clipped to the grid) that an edge touches in a band."""
    left, right = _clip(edge[0], edge[1], edge[2], edge[3], low, high)
    first = math.floor((left - SLACK_DEG - frame[0]) * frame[2])
    last = math.floor((right + SLACK_DEG - frame[0]) * frame[2])
    return int(first), int(last)


@kernel
def _edge(vertices: Any, i: int, shift: float) -> Any:
    return vertices[i, 0] - shift, vertices[i, 1], vertices[i + 1, 0] - shift, vertices[i + 1, 1]


@kernel
def cells_of_box(frame: Any, shape: Any, box: Any, shift: float) -> Any:
    """The columns and rows (first, last of each) of a grid that a box touches.

    `frame`: west, south, columns and rows a degree; `shape`: columns, rows; `box`: west,
    south, east, north. The last is below the first where the box misses the grid.
    """
    west = math.floor((box[0] - shift - SLACK_DEG - frame[0]) * frame[2])
    east = math.floor((box[2] - shift + SLACK_DEG - frame[0]) * frame[2])
    south = math.floor((box[1] - SLACK_DEG - frame[1]) * frame[3])
    north = math.floor((box[3] + SLACK_DEG - frame[1]) * frame[3])
    return (
        int(max(0.0, west)),
        int(min(shape[0] - 1.0, east)),
        int(max(0.0, south)),
        int(min(shape[1] - 1.0, north)),
    )


@kernel
def _lay_edge(
    frame: Any, edges: Any, number: int, span: Any, odd: Any, counts: Any, passes: Any, n: int
) -> int:
    """Enter one edge into all rows that it reaches; the count of (cell, edge) passes so far.

    `edges` (3, 4): the edge before, this one, the one after. Returns -1 where `passes` is full.
    """
    west, east, south, north = span
    ay, by = edges[1, 1], edges[1, 3]
    lowest, highest = min(ay, by), max(ay, by)
    first_row = max(south, math.floor((lowest - SLACK_DEG - frame[1]) * frame[3]) - 1)
    last_row = min(north, math.floor((highest + SLACK_DEG - frame[1]) * frame[3]) + 1)
    for row in range(first_row, last_row + 1):
        low = frame[1] + row / frame[3] - SLACK_DEG
        high = frame[1] + (row + 1) / frame[3] + SLACK_DEG
        if highest < low or lowest > high:
            continue
        first, last = _columns(frame, edges[1], low, high)
        if (ay > high) != (by > high):
            odd[row - south, min(max(first - west, 0), east - west + 1)] ^= 1
        before = after = _NO_COLUMN
        if low < ay <= high:
            before, _ = _columns(frame, edges[0], low, high)
        if low < by <= high:
            after, _ = _columns(frame, edges[2], low, high)
        for column in range(max(first, west), min(last, east) + 1):
            if n >= passes.shape[0]:
                return -1
            flags = (FROM_RIGHT if before > column else 0) | (TO_RIGHT if after > column else 0)
            cell = (row - south) * (east - west + 1) + column - west
            counts[cell] += 1
            passes[n, 0], passes[n, 1] = cell, number << EDGE_SHIFT | flags
            n += 1
    return n


@kernel
def _lay_rings(
    frame: Any, vertices: Any, origin: int, ends: Any, shift: float, span: Any, odd: Any,
    counts: Any, passes: Any,
) -> int:  # fmt: skip
    edges = np.empty((3, 4))
    n, start = 0, 0
    for ring in range(ends.shape[0]):
        end = ends[ring]
        for i in range(start, end - 1):
            before = i - 1 if i > start else end - 2
            after = i + 1 if i < end - 2 else start
            edges[0] = _edge(vertices, origin + before, shift)
            edges[1] = _edge(vertices, origin + i, shift)
            edges[2] = _edge(vertices, origin + after, shift)
            n = _lay_edge(frame, edges, origin + i, span, odd, counts, passes, n)
            if n < 0:
                return -1
        start = end
    return n


@kernel
def grown(array: Any, needed: int) -> Any:
    """The same rows in an array with room for `needed`, at least doubled if it was too small."""
    if needed <= array.shape[0]:
        return array
    wider = np.empty((max(needed, 2 * array.shape[0]), array.shape[1]), array.dtype)
    wider[: array.shape[0]] = array
    return wider


@kernel
def _lay_polygon(
    frame: Any, columns: int, vertices: Any, origin: int, ends: Any, shift: float, span: Any,
    part: int, entries: Any, n: int, refs: Any, m: int,
) -> Any:  # fmt: skip
    west, east, south, north = span
    wide, rows = east - west + 1, north - south + 1
    odd = np.zeros((rows, wide + 1), np.uint8)
    counts = np.zeros(rows * wide, np.int32)
    passes = np.empty((4 * (rows + wide) + 4 * int(ends[-1]), 2), np.int64)
    found = _lay_rings(frame, vertices, origin, ends, shift, span, odd, counts, passes)
    while found < 0:
        passes = np.empty((4 * passes.shape[0], 2), np.int64)
        odd[:] = 0
        counts[:] = 0
        found = _lay_rings(frame, vertices, origin, ends, shift, span, odd, counts, passes)
    entries = grown(entries, n + rows * wide)
    refs = grown(refs, m + found)
    places = np.empty(rows * wide, np.int64)
    for row in range(rows):
        for column in range(wide - 1, -1, -1):
            odd[row, column] ^= odd[row, column + 1]
        for column in range(wide):
            cell = row * wide + column
            is_odd = odd[row, column + 1]
            if counts[cell] == 0 and not is_odd:
                continue
            entries[n, 0] = (south + row) * columns + west + column
            entries[n, 1] = part
            entries[n, 2] = WHOLE if counts[cell] == 0 else 2 * m + is_odd
            n += 1
            places[cell] = m
            m += counts[cell]
    for k in range(found):
        cell = passes[k, 0]
        counts[cell] -= 1
        last = LAST if counts[cell] == 0 else 0
        refs[places[cell], 0] = passes[k, 1] | last
        places[cell] += 1
    return entries, n, refs, m


@kernel
def _reach_of_cell(circle: Any, west: float, south: float, east: float, north: float) -> Any:
    """Bounds of the distance, as core/geo.py takes it, from a circle's centre to a cell."""
    lat, lon = circle[0], circle[1]
    low, high = 0.5 * (lat + south), 0.5 * (lat + north)
    flattest = max(abs(low), abs(high))
    steepest = 0.0 if low <= 0.0 <= high else min(abs(low), abs(high))
    lon_most, lat_least = metres_per_degree(steepest)
    lon_least, lat_most = metres_per_degree(flattest)
    dx_most, dy_most = (
        max(abs(west - lon), abs(east - lon)),
        max(abs(south - lat), abs(north - lat)),
    )
    dx_least = 0.0 if west <= lon <= east else min(abs(west - lon), abs(east - lon))
    dy_least = 0.0 if south <= lat <= north else min(abs(south - lat), abs(north - lat))
    return (
        math.hypot(dx_least * max(lon_least, 0.0), dy_least * lat_least),
        math.hypot(dx_most * lon_most, dy_most * lat_most),
    )


@kernel
def _lay_circle(
    frame: Any, columns: int, circle: Any, shift: float, span: Any, part: int, entries: Any, n: int
) -> Any:
    west, east, south, north = span
    entries = grown(entries, n + (east - west + 1) * (north - south + 1))
    for row in range(south, north + 1):
        low = frame[1] + row / frame[3] - SLACK_DEG
        high = frame[1] + (row + 1) / frame[3] + SLACK_DEG
        for column in range(west, east + 1):
            left = frame[0] + column / frame[2] - SLACK_DEG + shift
            right = frame[0] + (column + 1) / frame[2] + SLACK_DEG + shift
            least, most = _reach_of_cell(circle, left, low, right, high)
            if least > circle[2] * (1.0 + SLACK_CIRCLE) + SLACK_DEG:
                continue
            whole = most < circle[2] * (1.0 - SLACK_CIRCLE) - SLACK_DEG
            entries[n, 0] = row * columns + column
            entries[n, 1] = part
            entries[n, 2] = WHOLE if whole else ROUND
            n += 1
    return entries, n


@kernel
def lay(
    frame: Any, shape: Any, boxes: Any, shifts: Any, circles: Any, origins: Any,
    rings: Any, ends: Any, vertices: Any, refs: Any, m: int,
) -> Any:  # fmt: skip
    """Lay parts over a grid.

    `frame`, `shape`, `boxes` (parts, 4): as in `cells_of_box`; `shifts` (parts,): degrees that
    a part's longitudes are ahead of the grid's; `circles` (parts, 3): latitude, longitude,
    radius in metres, the radius NaN for a polygon; `origins` (parts,): a polygon's first
    vertex; `rings` (parts, 2): its first and last plus one of `ends`, which count from there;
    `vertices` (n, 2): longitude, latitude; `refs` (capacity, 1): edges so far, `m` of them.

    Returns the entries (n, 3) of cell, part and what the part is to the cell, in the order of
    the parts; `refs`, perhaps moved, and how many there are.
    """
    entries = np.empty((1024, 3), np.int32)
    n = 0
    for part in range(boxes.shape[0]):
        span = cells_of_box(frame, shape, boxes[part], shifts[part])
        if span[1] < span[0] or span[3] < span[2]:
            continue
        if math.isnan(circles[part, 2]):
            own_ends = ends[rings[part, 0] : rings[part, 1]]
            entries, n, refs, m = _lay_polygon(
                frame, shape[0], vertices, origins[part], own_ends, shifts[part], span, part,
                entries, n, refs, m,
            )  # fmt: skip
        else:
            entries, n = _lay_circle(
                frame, shape[0], circles[part], shifts[part], span, part, entries, n
            )
    return entries[:n], refs, m


@kernel
def by_cell(entries: Any, cells: int) -> Any:
    """Entries sorted by cell, the order of parts kept: starts (cells + 1,), then (n, 2)."""
    starts = np.zeros(cells + 1, np.int32)
    for i in range(entries.shape[0]):
        starts[entries[i, 0] + 1] += 1
    for cell in range(cells):
        starts[cell + 1] += starts[cell]
    filled = starts[:-1].copy()
    sorted_entries = np.empty((entries.shape[0], 2), np.int32)
    for i in range(entries.shape[0]):
        place = filled[entries[i, 0]]
        filled[entries[i, 0]] += 1
        sorted_entries[place, 0], sorted_entries[place, 1] = entries[i, 1], entries[i, 2]
    return starts, sorted_entries
