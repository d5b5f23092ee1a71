"""The ground's height from a file: SRTM tiles (.hgt) and ESRI ASCII grids (.asc).

.hgt: 1201 x 1201 or 3601 x 3601 big-endian 16-bit metres over the sea (EGM96), rows from
north to south, points on the degree's edges; the name (N49E006.hgt) is the south-west corner;
-32768 is no height (SRTM Topo, USGS, section 2).

.asc: lines `ncols`, `nrows`, `xllcorner` or `xllcenter`, `yllcorner` or `yllcenter`,
`cellsize` in degrees of WGS84, perhaps `NODATA_value`, then rows from north to south, metres
over the sea (ESRI, ASCII raster format).

Surface models have roofs and trees in them: "ground" is then their top. Between points the
ground may be higher or lower than both, so bounds are widened by `ERROR_M`.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from skykeep.core.geo import F64, LEAST_METRES_PER_DEGREE_LAT, Terrain, metres_per_degree
from skykeep.errors import InputError
from skykeep.store.geoid import geoid_bounds_m

#: SRTM's absolute error at 90 % (Rodriguez et al. 2006, 6 m in Eurasia), rounded up.
ERROR_M = 10.0
#: A degree at one second of arc is 26 MB; this is more than a country's ASCII grid needs.
MAX_BYTES = 256_000_000
#: Of a step: a place on a point is on it, not a bit beside.
_ROUNDING = 1e-6
_SRTM_SIZES = {1201 * 1201 * 2: 1201, 3601 * 3601 * 2: 3601}
_NO_HEIGHT = -32768
_HGT_NAME = re.compile(r"([NS])(\d{2})([EW])(\d{3})", re.IGNORECASE)
_ASC_NAMES = ("ncols", "nrows", "xll", "yll", "cellsize", "nodata_value")


@dataclass(frozen=True, slots=True, eq=False)
class TerrainRaster:
    """Heights over the sea at points of a grid in degrees; NaN where there is none.

    `heights_m` (rows, columns): from south to north, from west to east; the first is at
    `south_deg`, `west_deg`.
    """

    south_deg: float
    west_deg: float
    step_deg: float
    heights_m: F64

    def bounds(
        self, south_deg: float, west_deg: float, north_deg: float, east_deg: float
    ) -> Terrain | None:
        """Bounds of ground and geoid in a box; None if any of it has no height."""
        rows, columns = self.heights_m.shape
        first = math.floor((south_deg - self.south_deg) / self.step_deg + _ROUNDING)
        last = math.ceil((north_deg - self.south_deg) / self.step_deg - _ROUNDING)
        left = math.floor((west_deg - self.west_deg) / self.step_deg + _ROUNDING)
        right = math.ceil((east_deg - self.west_deg) / self.step_deg - _ROUNDING)
        if first < 0 or left < 0 or last >= rows or right >= columns:
            return None
        found = self.heights_m[first : last + 1, left : right + 1]
        low, high = float(found.min()), float(found.max())
        if math.isnan(low):
            return None
        geoid = geoid_bounds_m(south_deg, west_deg, north_deg, east_deg)
        return Terrain(low - ERROR_M, high + ERROR_M, *geoid)

    def around(self, lat_deg: float, lon_deg: float, radius_m: float) -> Terrain | None:
        """Bounds within a distance of a place; None if any of it has no height."""
        d_lat = radius_m / LEAST_METRES_PER_DEGREE_LAT
        d_lon = radius_m / max(metres_per_degree(min(abs(lat_deg) + d_lat, 90.0))[0], 1.0)
        return self.bounds(lat_deg - d_lat, lon_deg - d_lon, lat_deg + d_lat, lon_deg + d_lon)

    def rows(self, lat_deg: F64, lon_deg: F64) -> F64:
        """The bounds at points (n,) as `zone_index.zones_holding` takes them: (n, 4)."""
        found = np.full((len(lat_deg), 4), np.nan)
        for i, (lat, lon) in enumerate(zip(lat_deg.tolist(), lon_deg.tolist(), strict=True)):
            t = self.bounds(lat, lon, lat, lon)
            if t is not None:
                found[i] = t.lowest_amsl_m, t.highest_amsl_m, t.geoid_low_m, t.geoid_high_m
        return found


def read_terrain(path: Path) -> TerrainRaster:
    """A raster from a file, by its ending; InputError says what does not fit and where."""
    ending = path.suffix.lower()
    if ending not in (".hgt", ".asc"):
        raise InputError(str(path), f"{ending or 'no ending'} is not read", "Give .hgt or .asc")
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        problem = f"cannot be read ({error.strerror})"
        raise InputError(str(path), problem, "Check the path") from None
    if len(data) > MAX_BYTES:
        raise InputError(str(path), f"is over {MAX_BYTES} bytes", "Cut it to the site's area")
    return read_hgt(data, path.name) if ending == ".hgt" else read_asc(data, path.name)


def read_hgt(data: bytes, name: str) -> TerrainRaster:
    """An SRTM tile from its bytes; its place is in its name."""
    place, size = _HGT_NAME.match(name), _SRTM_SIZES.get(len(data))
    if place is None:
        raise InputError(name, "the name is not a place", "Name it by its corner: N49E006.hgt")
    if size is None:
        problem = f"has {len(data)} bytes, a tile has {' or '.join(map(str, _SRTM_SIZES))}"
        raise InputError(name, problem, "Fetch it again, unpacked")
    south = int(place[2]) * (-1 if place[1].upper() == "S" else 1)
    west = int(place[4]) * (-1 if place[3].upper() == "W" else 1)
    raw = np.frombuffer(data, ">i2").reshape(size, size)[::-1].astype(np.float64)
    heights_m = np.where(raw == _NO_HEIGHT, np.nan, raw)
    return TerrainRaster(float(south), float(west), 1.0 / (size - 1), heights_m)


def read_asc(data: bytes, name: str) -> TerrainRaster:
    """An ESRI ASCII grid from its bytes."""
    try:
        lines = data.decode("ascii").splitlines()
    except UnicodeDecodeError as error:
        problem = "is not plain text"
        raise InputError(
            f"{name}: byte {error.start}", problem, "Give an ESRI ASCII grid"
        ) from None
    head: dict[str, tuple[str, float]] = {}
    while len(head) < len(lines) and (words := lines[len(head)].lower().split()):
        key = next((k for k in _ASC_NAMES if words[0].startswith(k)), None)
        if key is None or len(words) != 2:
            break
        head[key] = (words[0], _number(words[1], f"{name}: line {len(head) + 1}"))
    missing = [k for k in _ASC_NAMES[:5] if k not in head]
    if missing:
        raise InputError(f"{name}: line 1", f"{missing[0]} is missing", "Give all of the header")
    columns, rows, step = (head[k][1] for k in ("ncols", "nrows", "cellsize"))
    if not (step > 0.0 and columns >= 2 and rows >= 2 and columns % 1 == 0 and rows % 1 == 0):
        problem = "the grid has no size"
        raise InputError(f"{name}: line 1", problem, "Give whole ncols, nrows and a cellsize")
    heights_m = _asc_rows(lines[len(head) :], int(rows), int(columns), name, len(head))
    if "nodata_value" in head:
        heights_m[heights_m == head["nodata_value"][1]] = np.nan
    corner = [
        head[k][1] + (0.5 * step if head[k][0].endswith("corner") else 0.0) for k in ("yll", "xll")
    ]
    if not (abs(corner[0]) <= 90.0 and abs(corner[1]) <= 180.0):
        problem = "the corner is not in degrees"
        raise InputError(f"{name}: xllcorner", problem, "Project the grid to WGS84 degrees")
    return TerrainRaster(corner[0], corner[1], step, heights_m[::-1])


def _asc_rows(lines: list[str], rows: int, columns: int, name: str, skipped: int) -> F64:
    found = []
    for i, line in enumerate(lines):
        where = f"{name}: line {skipped + i + 1}"
        numbers = [_number(word, where) for word in line.split()]
        if numbers and len(numbers) != columns:
            problem = f"has {len(numbers)} heights, ncols is {columns}"
            raise InputError(where, problem, "One line is one row")
        if numbers:
            found.append(numbers)
    if len(found) != rows:
        raise InputError(f"{name}: nrows", f"is {rows}, there are {len(found)} rows", "Correct it")
    return np.array(found, np.float64)


def _number(word: str, where: str) -> float:
    try:
        value = float(word)
    except ValueError:
        raise InputError(where, f"{word[:40]!r} is no number", "Correct it") from None
    if not math.isfinite(value):
        raise InputError(where, f"{word[:40]!r} is no height", "Use the NODATA_value")
    return value
