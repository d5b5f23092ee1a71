"""The height of the sea over the ellipsoid: EGM96, packed with Skykeep.

15 minutes of arc apart, as PROJ's egm96_15.gtx, to 5 cm (docs/decisions/0016-geoid.md).
HAE = AMSL + undulation.

Layout of data/egm96-15.bin: zlib; the high bytes of 721 x 1440 16-bit steps, then the low
ones; rows from 90 S to 90 N, columns from 180 W on; each the difference to the column before
of the difference to the row before, in units of 5 cm.
"""

from __future__ import annotations

import math
import zlib
from functools import lru_cache
from importlib import resources

import numpy as np
from numpy.typing import NDArray

from skykeep.core.geo import F64

#: Goes into what is recorded: another model is another input.
GEOID = "EGM96, 15 minutes"
STEP_DEG = 0.25
_ROWS, _COLUMNS = 721, 1440
_QUANTUM_M = 0.05
#: EGM96 is good to 0.5 to 1 m (NIMA TR 8350.2, 3rd ed., 6.3); between its points add 0.3 m.
ERROR_M = 1.3


@lru_cache(maxsize=1)
def _grid_m() -> F64:
    """Undulations (721, 1441): the first column once more at the end."""
    packed = resources.files("skykeep").joinpath("data", "egm96-15.bin").read_bytes()
    planes = np.frombuffer(zlib.decompress(packed), np.uint8).reshape(2, _ROWS, _COLUMNS)
    steps: NDArray[np.int64] = planes[0].astype(np.int8).astype(np.int64) * 256 + planes[1]
    steps = np.cumsum(np.cumsum(steps, axis=0), axis=1)
    return np.concatenate([steps, steps[:, :1]], axis=1) * _QUANTUM_M


def undulation_m(lat_deg: float, lon_deg: float) -> float:
    """The geoid's height over the WGS84 ellipsoid, between the grid's points in proportion."""
    grid = _grid_m()
    row = (lat_deg + 90.0) / STEP_DEG
    column = ((lon_deg + 180.0) % 360.0) / STEP_DEG
    r, c = min(int(row), _ROWS - 2), min(int(column), _COLUMNS - 1)
    y, x = row - r, column - c
    low = grid[r, c] * (1.0 - x) + grid[r, c + 1] * x
    high = grid[r + 1, c] * (1.0 - x) + grid[r + 1, c + 1] * x
    return float(low * (1.0 - y) + high * y)


def geoid_bounds_m(
    south_deg: float, west_deg: float, north_deg: float, east_deg: float
) -> tuple[float, float]:
    """Bounds of the undulation in a box (east of west, perhaps beyond 180), `ERROR_M` wider."""
    grid = _grid_m()
    first = max(math.floor((south_deg + 90.0) / STEP_DEG), 0)
    last = min(math.ceil((north_deg + 90.0) / STEP_DEG), _ROWS - 1)
    left = math.floor((west_deg + 180.0) / STEP_DEG)
    right = max(math.ceil((east_deg + 180.0) / STEP_DEG), left)
    columns = np.arange(left, min(right, left + _COLUMNS) + 1) % _COLUMNS
    found = grid[first : last + 1][:, columns]
    return float(found.min()) - ERROR_M, float(found.max()) + ERROR_M
