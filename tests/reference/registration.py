"""A sensor's bias by least squares over everything at once: one equation a measured number.

Unknown are the bias and, for each aircraft, how late its claims are and by how much they are
displaced. Derivatives are taken numerically; nothing is eliminated and nothing is recursive.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

F64 = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Pair:
    """One plot beside one claim: range m, azimuth rad, elevation rad with sigmas; the claim's
    place and velocity as seen from the sensor (east, north, up), `lag_s` older than the plot, and
    what is up at the site.
    """

    at_s: float
    aircraft: int
    z: F64
    sigma: F64
    claimed: F64
    velocity: F64
    lag_s: float
    up: F64


def polar(place: F64) -> F64:
    east, north, up = place
    return np.array(
        [
            math.sqrt(east**2 + north**2 + up**2),
            math.atan2(east, north),
            math.atan2(up, math.hypot(east, north)),
        ]
    )


def _model(pair: Pair, bias: F64, own: F64) -> F64:
    """What is measured of an aircraft: where it really was, and the sensor's errors."""
    late_s, displaced = own[0], own[1:] + bias[4] * pair.up
    really = pair.claimed - displaced + (pair.lag_s + late_s - bias[3]) * pair.velocity
    return polar(really) + bias[:3]


def solve(
    pairs: list[Pair],
    prior_sigma: F64,
    own_sigma: F64,
    claim_variance: F64,
    moved_variance: float,
    memory_s: float,
) -> tuple[F64, F64]:
    """Bias and common height (5,) and their sigmas.

    `claim_variance` (3,) is the part of a claim's error that is new each time, to which
    `moved_variance` adds; older pairs count less, by exp(-age / memory_s).
    """
    crafts = max(p.aircraft for p in pairs) + 1
    unknowns = 5 + 4 * crafts
    zero, nothing = np.zeros(5), np.zeros(4)
    rows = [np.diag(np.concatenate([1.0 / prior_sigma, np.tile(1.0 / own_sigma, crafts)]))]
    right = [np.zeros(unknowns)]
    newest_s = max(p.at_s for p in pairs)
    for p in pairs:
        expected = _model(p, zero, nothing)
        row = np.zeros((3, unknowns))
        for k, step in enumerate(1e-4 * np.eye(5)):
            row[:, k] = (_model(p, step, nothing) - _model(p, -step, nothing)) / 2e-4
        by_own = np.empty((3, 4))
        for k, step in enumerate(1e-4 * np.eye(4)):
            by_own[:, k] = (_model(p, zero, step) - _model(p, zero, -step)) / 2e-4
        first = 5 + 4 * p.aircraft
        row[:, first : first + 4] = by_own
        by_place = by_own[:, 1:]
        variance = p.sigma**2 + by_place**2 @ (claim_variance + moved_variance)
        share = np.exp(-(newest_s - p.at_s) / memory_s) / variance
        off = p.z - expected
        off[1] = math.remainder(off[1], 2.0 * math.pi)
        rows.append(row * np.sqrt(share)[:, None])
        right.append(off * np.sqrt(share))
    a, y = np.vstack(rows), np.concatenate(right)
    solution, *_ = np.linalg.lstsq(a, y, rcond=None)
    covariance = np.linalg.inv(a.T @ a)
    return solution[:5], np.sqrt(np.diag(covariance)[:5])
