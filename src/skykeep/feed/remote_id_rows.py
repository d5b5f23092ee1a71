"""Locations as columns to measurements as columns: one compiled loop over the rows of a batch."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skykeep.codec.remote_id_messages import SIGMAS_PER_BOUND
from skykeep.core.geo import F64, HeightReference, kernel

#: Sigmas for undeclared accuracies: what 14 CFR 89.310 asks of every standard Remote ID
#: aircraft at 95 % (100 ft horizontally, 150 ft in geometric altitude), which is two sigma.
FALLBACK_SIGMA_HORIZONTAL_M = 100.0 * 0.3048 / 2.0
FALLBACK_SIGMA_HEIGHT_M = 150.0 * 0.3048 / 2.0
#: A position is at most one second old when it is sent (F3411-22a 5.4.3, 14 CFR 89.310):
#: taken as a bound of two sigma where no usable time says how old.
FALLBACK_SIGMA_TIME_S = 0.5

_HAE, _AMSL = int(HeightReference.HAE), int(HeightReference.AMSL)
_AGL, _PRESSURE = int(HeightReference.AGL), int(HeightReference.PRESSURE)


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """Of n rows: values and sigmas (n, 3) as a batch of positions has them, velocities (n, 3)
    east, north, up in m/s or NaN, references (n,) of the heights.
    """

    values: F64
    sigmas: F64
    velocities_mps: F64
    references: NDArray[np.int8]


def measure(columns: F64, timed: NDArray[np.bool_]) -> Measured:
    """Measurements from locations (n, COLUMNS) as `remote_id_batch.Column` says.

    The height is the geodetic altitude, else that above mean sea level, else the pressure
    altitude, else the height over ground, else none. Sigmas come from the declared accuracies,
    widened by what the speed covers in the time's uncertainty; `timed` (n,) says whose stated
    time, and so its accuracy, is used.
    """
    n = columns.shape[0]
    values, sigmas, velocities = (np.empty((n, 3)) for _ in range(3))
    references = np.zeros(n, np.int8)
    _measure(columns, timed, values, sigmas, velocities, references)
    return Measured(values, sigmas, velocities, references)


@kernel
def _known_or(bound: float, fallback: float) -> float:
    sigma = bound / SIGMAS_PER_BOUND
    return sigma if sigma > 0.0 else fallback  # NaN too


@kernel
def _measure(
    columns: Any, timed: Any, values: Any, sigmas: Any, velocities: Any, references: Any
) -> None:
    for i in range(columns.shape[0]):
        c = columns[i]
        values[i, 0], values[i, 1], values[i, 2] = c[1], c[2], np.nan
        sigmas[i, 2] = FALLBACK_SIGMA_HEIGHT_M
        if not np.isnan(c[3]):
            values[i, 2], references[i] = c[3], _HAE
            sigmas[i, 2] = _known_or(c[12], FALLBACK_SIGMA_HEIGHT_M)
        elif not np.isnan(c[5]):
            values[i, 2], references[i] = c[5], _AMSL
        elif not np.isnan(c[4]):
            values[i, 2], references[i] = c[4], _PRESSURE
            sigmas[i, 2] = _known_or(c[13], FALLBACK_SIGMA_HEIGHT_M)
        elif c[7] == 1.0:
            values[i, 2], references[i] = c[6], _AGL
        velocities[i, 0] = velocities[i, 1] = np.nan
        velocities[i, 2] = c[10]
        if c[9] == 0.0:
            velocities[i, 0] = velocities[i, 1] = 0.0  # no speed needs no direction
        elif not np.isnan(c[9]) and not np.isnan(c[8]):
            angle = math.radians(c[8])
            velocities[i, 0], velocities[i, 1] = c[9] * math.sin(angle), c[9] * math.cos(angle)
        sigma_s = FALLBACK_SIGMA_TIME_S
        if timed[i]:
            sigma_s = _known_or(c[15], FALLBACK_SIGMA_TIME_S)
        sigmas[i, 0] = sigmas[i, 1] = _known_or(c[11], FALLBACK_SIGMA_HORIZONTAL_M)
        for k in range(3):
            if not np.isnan(velocities[i, k]):
                sigmas[i, k] = math.hypot(sigmas[i, k], velocities[i, k] * sigma_s)
