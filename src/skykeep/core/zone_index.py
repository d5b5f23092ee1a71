"""Which of many zones hold at many points: place, height and time at once.

    index = build_index(zones)
    hits = zones_holding(index, lat_deg, lon_deg, heights, at_ns, terrain)
    zones_at(index, lat_deg, lon_deg, height, at_ns, terrain)      one point, in microseconds

Every answer is that of `zone.contains` for a fix without uncertainty, zone by zone, to the
last bit: a grid (core/zone_cells.py) says which zones' borders are near, and where one is
nearer than rounding could matter, the same arithmetic as in core/geo.py decides. What cannot
be laid over a grid (open rings, an area wider than half the globe that crosses the
antimeridian) is asked in full for each point.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from skykeep.core.geo import (
    F64,
    Circle,
    Height,
    HeightAgl,
    HeightReference,
    Polygon,
    Terrain,
    Tri,
    Volume,
    prepare,
    reference_of,
)
from skykeep.core.zone import Restriction, Zone, ZoneState
from skykeep.core.zone_cells import by_cell, lay
from skykeep.core.zone_query import TILES, Grid, by_tile, hold_many, in_order, in_times, put_back
from skykeep.core.zone_times import Calendar
from skykeep.errors import InputError
from skykeep.units import NS_PER_S, ZoneId

#: Cells for each part: where they are few, borders cross most; where many, they fall out of
#: the processor's cache. Measured with bench/zones.py.
CELLS_PER_PART = 64
LEAST_CELLS, MOST_CELLS = 1 << 12, 1 << 22
#: Zones that cover much cost an entry in each cell that they cover (12 bytes while building).
MOST_COVERED = 4_000_000
#: The finer grid lies where all but this share of the areas are, at each side, if they are
#: crowded: if that is less than a quarter of what all cover.
OUTLIERS = 0.02
CROWDED = 0.25
#: A grid over everything, for what is outside the finer one; a share of that one's cells.
COARSE_SHARE = 0.25
#: Beyond the boxes, so that nothing lies on a grid's own border.
_RIM_DEG = 1e-6
#: From so many points on, and an index larger than a core's own cache, their order pays.
WORTH_ORDER_POINTS, WORTH_ORDER_BYTES = 4 * TILES * TILES, 4_000_000
_Scalar = TypeVar("_Scalar", bound=np.generic)
_TRI = (Tri.NO, Tri.MAYBE, Tri.YES)


@dataclass(frozen=True, slots=True, eq=False)
class ZoneIndex:
    """Zones ready for very many questions; made by `build_index`."""

    zones: tuple[Zone, ...]
    grid: Grid
    calendar: Calendar

    @property
    def size_bytes(self) -> int:
        """What the arrays take."""
        return sum(array.nbytes for array in self.grid)


@dataclass(frozen=True, slots=True, eq=False)
class Heights:
    """Heights of points: metres (n,), NaN where there is none; one reference, or one each."""

    m: F64
    reference: HeightReference | NDArray[np.int8]


@dataclass(frozen=True, slots=True, eq=False)
class Hits:
    """The zones at n points: those of point i are rows `offsets[i]` to `offsets[i + 1]`.

    `offsets` (n + 1,); `zones` (k,): numbers in the index, ascending within a point;
    `answers` (k,): 1 for MAYBE, 2 for YES (`Tri`'s values). What is left out is NO.
    """

    offsets: NDArray[np.int64]
    zones: NDArray[np.int32]
    answers: NDArray[np.int32]


def build_index(zones: Sequence[Zone]) -> ZoneIndex:
    """An index over zones; those that are not in force are never found."""
    parts = _Parts()
    blind = []
    for number, zone in enumerate(zones):
        if zone.state is not ZoneState.IN_FORCE:
            continue
        if not zone.readable:
            blind.append(number)
            continue
        for volume in zone.volumes:
            parts.add(number, volume)
    return ZoneIndex(tuple(zones), parts.grid(blind), Calendar(zones))


def zones_inside(index: ZoneIndex, lat_deg: F64, lon_deg: F64) -> Hits:
    """The zones in force over points (n,) on the map, at whatever height and time.

    Raises InputError for a latitude outside -90 to 90 or a longitude outside -180 to 180.
    """
    none = np.zeros(1, np.int8)
    offsets, found = _asked(index, lat_deg, lon_deg, True, none, np.empty(1), _UNKNOWN_GROUND)
    return Hits(offsets, found[:, 0], found[:, 1])


def zones_holding(
    index: ZoneIndex,
    lat_deg: F64,
    lon_deg: F64,
    heights: Heights,
    at_ns: NDArray[np.int64],
    terrain: Terrain | F64 | None,
) -> Hits:
    """The zones that hold, or may, at points (n,) of place, height and time (UTC ns).

    `terrain`: bounds that hold for all points, or for each (n, 4) in the order of `Terrain`'s
    fields, NaN for what is not known. Times are worked out from the earliest to the latest,
    for each schedule that is met: some milliseconds for each of its years.
    Raises InputError as `zones_inside` does.
    """
    owns = heights.reference
    if isinstance(owns, HeightReference):
        owns = np.full(1, owns.value, np.int8)
    offsets, found = _asked(index, lat_deg, lon_deg, False, owns, heights.m, _grounds(terrain))
    if found.shape[0]:
        tables = index.calendar.tables(found[:, 0], int(at_ns.min()), int(at_ns.max()))
        offsets, found = in_times(offsets, found, np.ascontiguousarray(at_ns), *tables)
    return Hits(offsets, found[:, 0], found[:, 1])


def _asked(
    index: ZoneIndex, lat_deg: F64, lon_deg: F64, flat: bool, owns: NDArray[np.int8], m: F64,
    grounds: F64,
) -> tuple[NDArray[np.int64], NDArray[np.int32]]:  # fmt: skip
    if not (_within(lat_deg, 90.0) and _within(lon_deg, 180.0)):
        good = (np.abs(lat_deg) <= 90.0) & (np.abs(lon_deg) <= 180.0)
        raise _off_the_map(int(np.argmin(good)))
    lat, lon, m = map(np.ascontiguousarray, (lat_deg, lon_deg, m))
    if len(lat) < WORTH_ORDER_POINTS or index.size_bytes < WORTH_ORDER_BYTES:
        offsets, found = hold_many(index.grid, lat, lon, flat, owns, m, grounds)
        return offsets, found
    order = by_tile(index.grid, lat, lon)
    offsets, found = hold_many(
        index.grid, in_order(lat, order), in_order(lon, order), flat, _taken(owns, order),
        m if flat else in_order(m, order), _taken(grounds, order),
    )  # fmt: skip
    offsets, found = put_back(order, offsets, found)
    return offsets, found


def _within(degrees: F64, most: float) -> bool:
    return not len(degrees) or bool(degrees.min() >= -most and degrees.max() <= most)


def _taken(values: NDArray[_Scalar], order: NDArray[np.int32]) -> NDArray[_Scalar]:
    return values[order] if len(values) > 1 else values


def zones_at(
    index: ZoneIndex,
    lat_deg: float,
    lon_deg: float,
    height: Height | None,
    at_ns: int,
    terrain: Terrain | None,
) -> tuple[tuple[int, Tri], ...]:
    """The zones that hold, or may, at one point: numbers in the index, ascending, and answers.

    Raises InputError as `zones_inside` does.
    """
    if not (-90.0 <= lat_deg <= 90.0 and -180.0 <= lon_deg <= 180.0):
        raise _off_the_map(0)
    height_m = math.nan if height is None else height.m
    own = reference_of(height).value
    _, found = hold_many(
        index.grid, np.array([lat_deg]), np.array([lon_deg]), False, np.array([own], np.int8),
        np.array([height_m]), _grounds(terrain),
    )  # fmt: skip
    times = index.calendar
    joined = ((zone, _TRI[answer] & times.at(zone, at_ns)) for zone, answer in found.tolist())
    return tuple((zone, answer) for zone, answer in joined if answer is not Tri.NO)


def rehearse() -> None:
    """Ask everything once: on a machine that has compiled none of it that takes a minute."""
    square = Polygon((((6.0, 49.0), (6.1, 49.0), (6.1, 49.1), (6.0, 49.0)),))
    volumes = (Volume(Circle(49.0, 6.0, 500.0), None, None), Volume(square, None, None))
    zones = [Zone(ZoneId("Z"), "Z", "", Restriction.PROHIBITED, volumes)]
    index, lat, lon = build_index(zones), np.array([49.0, 49.05]), np.array([6.0, 6.05])
    zones_inside(index, lat, lon)
    heights = Heights(np.array([50.0, np.nan]), HeightReference.AMSL)
    zones_holding(index, lat, lon, heights, np.array([0, NS_PER_S]), None)
    zones_at(index, 49.0, 6.0, HeightAgl(50.0), 0, None)
    order = by_tile(index.grid, lat, lon)
    found = hold_many(
        index.grid, in_order(lat, order), in_order(lon, order), True, np.zeros(1, np.int8),
        np.empty(1), _UNKNOWN_GROUND,
    )  # fmt: skip
    put_back(order, *found)


_UNKNOWN_GROUND = np.full((1, 4), np.nan)


def _grounds(terrain: Terrain | F64 | None) -> F64:
    if terrain is None:
        return _UNKNOWN_GROUND
    return _bounds_of(terrain) if isinstance(terrain, Terrain) else terrain


@lru_cache(maxsize=16)  # a site has one, and asks about one point at a time
def _bounds_of(t: Terrain) -> F64:
    bounds = (t.lowest_amsl_m, t.highest_amsl_m, t.geoid_low_m, t.geoid_high_m)
    return np.array([bounds], np.float64)


def _off_the_map(point: int) -> InputError:
    problem = "latitude is not within 90 degrees, or longitude not within 180"
    return InputError(f"points[{point}]", problem, "Give degrees of WGS84")


class _Parts:
    """Areas collected as columns; one that reaches over 180 degrees once for each side."""

    def __init__(self) -> None:
        self._boxes: list[tuple[float, float, float, float]] = []
        self._circles: list[tuple[float, float, float]] = []
        self._shifts: list[float] = []
        self._origins: list[int] = []
        self._rings: list[tuple[int, int]] = []
        self._ends: list[int] = []
        self._vertices: list[F64] = []
        self._n_vertices = 0
        self._zones: list[int] = []
        self._limits: list[tuple[float, float]] = []
        self._references: list[tuple[int, int]] = []
        self._loose: list[int] = []

    def add(self, zone: int, volume: Volume) -> None:
        """Enter one volume of a zone."""
        area = volume.area
        whole = prepare(area)
        box = (whole.west_deg, whole.south_deg, whole.east_deg, whole.north_deg)
        origin, rings = self._n_vertices, (len(self._ends), len(self._ends))
        if isinstance(area, Polygon):
            self._ends += whole.ring_ends.tolist()
            rings = (rings[0], len(self._ends))
            self._vertices.append(whole.vertices)
            self._n_vertices += len(whole.vertices)
        shifts = _shifts(area, box)
        for shift in shifts or (0.0,):
            if not shifts:
                self._loose.append(len(self._boxes))
            self._boxes.append(box)
            self._shifts.append(shift)
            self._origins.append(origin)
            self._rings.append(rings)
            self._zones.append(zone)
            circle = area if isinstance(area, Circle) else Circle(0.0, 0.0, math.nan)
            self._circles.append((circle.lat_deg, circle.lon_deg, circle.radius_m))
            lower, upper = _lower(volume.lower), _limit(volume.upper)
            self._limits.append((lower[0], upper[0]))
            self._references.append((lower[1], upper[1]))

    def grid(self, blind: list[int]) -> Grid:
        """Lay everything over the two grids."""
        boxes = np.array(self._boxes, np.float64).reshape(-1, 4)
        shifts = np.array(self._shifts, np.float64)
        circles = np.array(self._circles, np.float64).reshape(-1, 3)
        origins = np.array(self._origins, np.int64)
        rings = np.array(self._rings, np.int32).reshape(-1, 2)
        ends = np.array(self._ends, np.int32)
        vertices = np.concatenate(self._vertices) if self._vertices else np.empty((0, 2))
        self._vertices = []
        loose = np.array(self._loose, np.int32)
        frames, shapes = _frames(boxes, shifts, loose)
        laid = boxes.copy()
        laid[loose] = (0.0, 0.0, -1e9, -1e9)  # in no cell
        starts, entries = [np.zeros(1, np.int32)], []
        refs, used = np.empty((1024, 1), np.int32), 0
        for frame, shape in zip(frames, shapes, strict=True):
            found, refs, used = lay(
                frame, shape, laid, shifts, circles, origins, rings, ends, vertices, refs, used
            )
            own_starts, own_entries = by_cell(found, int(shape[0] * shape[1]))
            starts.append(own_starts[1:] + starts[-1][-1])
            entries.append(own_entries)
        starts.append(starts[-1][-1:])
        return Grid(
            frames, shapes, np.concatenate(starts), np.concatenate(entries), refs[:used].copy(),
            vertices, boxes, circles, shifts, origins, rings, ends,
            np.array(self._zones, np.int32), np.array(self._limits, np.float64).reshape(-1, 2),
            np.array(self._references, np.int8).reshape(-1, 2), loose, np.array(blind, np.int32),
        )  # fmt: skip


def _shifts(area: Circle | Polygon, box: tuple[float, float, float, float]) -> tuple[float, ...]:
    """By how much an area's longitudes are ahead of those asked for; empty: not for a grid."""
    west, south, east, north = box
    if not all(map(math.isfinite, box)):
        return ()
    if isinstance(area, Polygon) and any(ring[0] != ring[-1] for ring in area.rings):
        return ()
    if west >= -180.0 and east <= 180.0:
        # A point at 180 degrees is one at -180 to an area there, and the other way round.
        near = (0.0, *((360.0,) if east == 180.0 else ()), *((-360.0,) if west == -180.0 else ()))
        return near if east - west <= 180.0 else (0.0,)
    if east - west > 180.0 or west < -540.0 or east > 540.0 or south > 90.0 or north < -90.0:
        return ()
    return tuple(s for s in (-360.0, 0.0, 360.0) if west - s <= 180.0 and east - s >= -180.0)


def _limit(height: Height | None) -> tuple[float, int]:
    return (0.0, 0) if height is None else (height.m, reference_of(height).value)


def _lower(height: Height | None) -> tuple[float, int]:
    """As in geo.in_heights, a lower limit at or below the ground is none."""
    if isinstance(height, HeightAgl) and height.m <= 0.0:
        return 0.0, 0
    return _limit(height)


def _frames(boxes: F64, shifts: F64, loose: NDArray[np.int32]) -> tuple[F64, NDArray[np.int64]]:
    """The grids, finer first: a frame (west, south, columns and rows a degree), and its shape."""
    kept = np.ones(len(boxes), np.bool_)
    kept[loose] = False
    spans = boxes[kept] - shifts[kept, None] * np.array([1.0, 0.0, 1.0, 0.0])
    spans = np.clip(spans, (-180.0, -90.0, -180.0, -90.0), (180.0, 90.0, 180.0, 90.0))
    if not len(spans):
        spans = np.zeros((1, 4))
    around = np.concatenate([spans[:, :2].min(axis=0), spans[:, 2:].max(axis=0)])
    middles = 0.5 * (spans[:, :2] + spans[:, 2:])
    halves = np.quantile(0.5 * (spans[:, 2:] - spans[:, :2]), 0.5, axis=0)
    low = np.maximum(np.quantile(middles, OUTLIERS, axis=0) - halves, around[:2])
    high = np.minimum(np.quantile(middles, 1.0 - OUTLIERS, axis=0) + halves, around[2:])
    if np.prod(high - low) > CROWDED * np.prod(around[2:] - around[:2]):
        low, high = around[:2], around[2:]
    cells = min(max(len(spans) * CELLS_PER_PART, LEAST_CELLS), MOST_CELLS)
    fine = _frame(np.concatenate([low, high]), spans, cells)
    coarse = _frame(around, spans, max(round(COARSE_SHARE * cells), LEAST_CELLS))
    first = np.array([0, fine[1][0] * fine[1][1]], np.int64)
    shapes = np.column_stack([np.array([fine[1], coarse[1]], np.int64), first])
    return np.array([fine[0], coarse[0]]), shapes


def _frame(around: F64, spans: F64, cells: int) -> tuple[F64, tuple[int, int]]:
    west, south = around[:2] - _RIM_DEG
    wide, tall = around[2:] + _RIM_DEG - (west, south)
    middle = math.radians(min(80.0, abs(south + 0.5 * tall)))
    squarish = math.sqrt(wide * math.cos(middle) / tall * cells)
    columns = min(max(round(squarish), 8), cells // 8)
    rows = max(round(cells / columns), 8)
    while columns * rows > LEAST_CELLS:
        in_it = np.clip(spans, np.tile(around[:2], 2), np.tile(around[2:], 2))
        covered = (in_it[:, 2] - in_it[:, 0]) / wide * columns + 1.0
        covered *= (in_it[:, 3] - in_it[:, 1]) / tall * rows + 1.0
        if covered.sum() <= max(MOST_COVERED, 4 * len(spans)):
            break
        columns, rows = max(columns // 2, 8), max(rows // 2, 8)
    return np.array([west, south, columns / wide, rows / tall]), (columns, rows)
