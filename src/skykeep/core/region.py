"""Where something probably is: a grid of probabilities, the smallest part that holds a share.

A region is a statement with its probability, never a point. Places are metres east and north in
the site's frame.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skykeep.core.geo import F64, Frame, kernel

#: About so many cells hold 90 %: fine enough that one more or less is below 1 % of it, coarse
#: enough that the plays fill them evenly.
CELLS_ACROSS = 300
LEAST_CELL_M = 2.0
#: The grid's side; what lies beyond is counted as such.
SIDE = 401
#: The grid reaches so many standard deviations from the mean, at least.
SIDE_SIGMAS = 6.0
#: The cells around those that any play came to: up to so many away, after all others.
FAR_PASSES = 24
FAINT = 1e-3

Ring = tuple[tuple[float, float], ...]
#: From a corner of the grid to the next, keeping the cell to the left: east, north, west, south.
_STEPS = ((1, 0), (0, 1), (-1, 0), (0, -1))


@dataclass(frozen=True, slots=True, eq=False)
class Region:
    """Probabilities (rows from south to north, columns from west to east) of square cells.

    Together with `beyond`, what lies outside the grid, they are 1. `rank`, of the same shape, is
    by which cells are taken into a set first. It is made from other plays than the
    probabilities: a set that followed the chance of its own plays would hold less than it says.
    `assumes` says in words what all rests on.
    """

    west_m: float
    south_m: float
    cell_m: float
    probability: F64
    rank: F64
    beyond: float
    assumes: tuple[str, ...]

    def smallest(self, share: float) -> NDArray[np.bool_]:
        """The smallest set of cells that holds a share; all that can be where they hold less."""
        flat = self.rank.ravel()
        order = np.argsort(-flat, kind="stable")
        held = np.cumsum(self.probability.ravel()[order])
        count = min(int(np.searchsorted(held, share)) + 1, int(np.count_nonzero(flat)))
        chosen = np.zeros(flat.shape[0], np.bool_)
        chosen[order[:count]] = True
        return chosen.reshape(self.probability.shape)

    def area_m2(self, share: float) -> float:
        """The area of the smallest set that holds a share."""
        return float(np.count_nonzero(self.smallest(share))) * self.cell_m**2

    def holds(self, share: float, east_m: float, north_m: float) -> bool:
        """Whether the smallest set that holds a share holds a place."""
        column = math.floor((east_m - self.west_m) / self.cell_m)
        row = math.floor((north_m - self.south_m) / self.cell_m)
        rows, columns = self.probability.shape
        if not (0 <= row < rows and 0 <= column < columns):
            return False
        return bool(self.smallest(share)[row, column])

    def outline(self, share: float) -> tuple[tuple[Ring, ...], ...]:
        """The smallest set that holds a share as polygons in metres, each a border and holes.

        Borders turn to the left, holes to the right; cells that touch in a corner only belong to
        different polygons.
        """
        return tuple(
            tuple(
                tuple(
                    (self.west_m + c * self.cell_m, self.south_m + r * self.cell_m) for c, r in ring
                )
                for ring in rings
            )
            for rings in _polygons(self.smallest(share))
        )

    def words(self, share: float) -> str:
        """The statement in words: "90 % region, 3.1 km2; assumes ..."."""
        m2 = self.area_m2(share)
        size = f"{m2 / 1e6:.2g} km2" if m2 < 1e7 else f"{m2 / 1e6:.0f} km2"
        size = f"{m2:.0f} m2" if m2 < 1e4 else size
        told = float(self.probability[self.smallest(share)].sum())
        short = "" if told >= share - 0.005 else f" (all that is drawn holds {100.0 * told:.0f} %)"
        return f"{100.0 * share:.0f} % region, {size}{short}; assumes {'; '.join(self.assumes)}"


def to_degrees(rings: tuple[Ring, ...], frame: Frame) -> tuple[Ring, ...]:
    """Rings in metres as rings of (lon, lat) degrees, for a `geo.Polygon` or GeoJSON."""
    return tuple(
        tuple(frame.to_geodetic(east, north, 0.0)[1::-1] for east, north in ring) for ring in rings
    )


def grid_for(mean: F64, spread: F64, coarser: int) -> tuple[float, float, float]:
    """West, south and cell size of a grid, from mean (2,) and covariance (2, 2) of the places.

    `coarser` doublings of the cell widen the grid.
    """
    area = math.pi * 4.6 * math.sqrt(max(float(np.linalg.det(spread)), 0.0))  # 90 % of a normal
    longest = math.sqrt(max(float(spread[0, 0] + spread[1, 1]), 0.0))
    cell = max(LEAST_CELL_M, math.sqrt(area / CELLS_ACROSS), 2.0 * SIDE_SIGMAS * longest / SIDE)
    cell *= 2.0**coarser
    half = 0.5 * SIDE * cell
    return float(mean[0]) - half, float(mean[1]) - half, cell


@kernel
def smoothed(cells: Any) -> Any:
    """Cells, each with a part of its neighbours (1 2 1 by 1 2 1, in sixteenths)."""
    rows, columns = cells.shape
    out = np.zeros((rows, columns))
    for r in range(rows):
        for c in range(columns):
            if cells[r, c] == 0.0:
                continue
            for i in range(-1, 2):
                for j in range(-1, 2):
                    rr, cc = min(max(r + i, 0), rows - 1), min(max(c + j, 0), columns - 1)
                    out[rr, cc] += cells[r, c] * (2 - abs(i)) * (2 - abs(j)) / 16.0
    return out


def ranked(cells: F64) -> F64:
    """By which cells are taken first: smoothed, and then those around them, the nearest first.

    Where few plays count, what they left out must be taken for a set to hold its share.
    """
    near: F64 = smoothed(cells)
    far = near
    for _ in range(FAR_PASSES):
        far = smoothed(far)
    return near + FAINT * far


def _polygons(chosen: NDArray[np.bool_]) -> list[list[list[tuple[int, int]]]]:
    """Corners of the borders and holes of each group of cells that share sides."""
    group = np.zeros(chosen.shape, np.int64)
    cells = [(int(r), int(c)) for r, c in np.argwhere(chosen)]
    count = 0
    for cell in cells:
        if group[cell]:
            continue
        count += 1
        _flood(chosen, group, cell, count)
    borders: dict[int, dict[tuple[int, int], list[int]]] = {k: {} for k in range(1, count + 1)}
    for r, c in cells:
        own = borders[int(group[r, c])]
        sides = ((r - 1, c), (r, c + 1), (r + 1, c), (r, c - 1))  # south, east, north, west
        corners = ((c, r), (c + 1, r), (c + 1, r + 1), (c, r + 1))
        for way, (side, corner) in enumerate(zip(sides, corners, strict=True)):
            rows, columns = chosen.shape
            if not (0 <= side[0] < rows and 0 <= side[1] < columns and chosen[side]):
                own.setdefault(corner, []).append(way)
    return [_rings(border) for border in borders.values()]


def _flood(
    chosen: NDArray[np.bool_], group: NDArray[np.int64], start: tuple[int, int], number: int
) -> None:
    rows, columns = chosen.shape
    waiting = [start]
    group[start] = number
    while waiting:
        r, c = waiting.pop()
        for rr, cc in ((r - 1, c), (r, c + 1), (r + 1, c), (r, c - 1)):
            if 0 <= rr < rows and 0 <= cc < columns and chosen[rr, cc] and not group[rr, cc]:
                group[rr, cc] = number
                waiting.append((rr, cc))


def _rings(border: dict[tuple[int, int], list[int]]) -> list[list[tuple[int, int]]]:
    """The border's sides, joined; the outer ring first."""
    rings: list[list[tuple[int, int]]] = []
    while border:
        corner = min(border)
        way = border[corner][0]
        ring = [corner]
        while way in border.get(corner, ()):
            border[corner].remove(way)
            if not border[corner]:
                del border[corner]
            corner = (corner[0] + _STEPS[way][0], corner[1] + _STEPS[way][1])
            # Where two ways lead on, to the right: a hole that touches the border in a corner
            # stays a ring of its own.
            ahead = [w for w in ((way + 3) % 4, way, (way + 1) % 4) if w in border.get(corner, ())]
            if ahead and ahead[0] == way:
                continue
            ring.append(corner)
            if not ahead:
                break
            way = ahead[0]
        rings.append(ring if ring[-1] == ring[0] else [*ring, ring[0]])
    return sorted(rings, key=lambda ring: -_twice_area(ring))


def _twice_area(ring: list[tuple[int, int]]) -> int:
    pairs = pairwise(ring)
    return sum(x1 * y2 - x2 * y1 for (x1, y1), (x2, y2) in pairs)


@kernel
def next_even(seed: Any) -> float:
    """The next of a fixed sequence in (0, 1); `seed` (1,) uint64 moves on (SplitMix64)."""
    seed[0] += np.uint64(0x9E3779B97F4A7C15)
    z = seed[0]
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    z = z ^ (z >> np.uint64(31))
    return (float(z >> np.uint64(11)) + 0.5) / 9007199254740992.0


@kernel
def next_normal(seed: Any) -> float:
    """The next of a fixed sequence of normal values (Box and Muller 1958)."""
    radius = math.sqrt(-2.0 * math.log(next_even(seed)))
    return radius * math.cos(2.0 * math.pi * next_even(seed))
