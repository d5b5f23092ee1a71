"""The Kalman filter of the textbooks in full matrices: F P F' + Q, H P H' + R, Joseph's form."""

from __future__ import annotations

import functools
import math

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import expm

from tests.reference.earth import differences

F64 = NDArray[np.float64]


def transition(dt_s: float) -> F64:
    f = np.eye(6)
    f[:3, 3:] = dt_s * np.eye(3)
    return f


@functools.cache
def process_noise(dt_s: float, q_horizontal: float, q_vertical: float) -> F64:
    """Integral of the acceleration noise over dt (Van Loan 1978)."""
    drift, spread = np.zeros((6, 6)), np.zeros((6, 6))
    drift[:3, 3:] = np.eye(3)
    spread[3:, 3:] = np.diag([q_horizontal, q_horizontal, q_vertical])
    block = np.zeros((12, 12))
    block[:6, :6], block[:6, 6:], block[6:, 6:] = -drift, spread, drift.T
    grown = expm(block * dt_s)
    return np.asarray(grown[6:, 6:].T @ grown[:6, 6:])


def predict(x: F64, p: F64, dt_s: float, q_horizontal: float, q_vertical: float) -> tuple[F64, F64]:
    f = transition(dt_s)
    return f @ x, f @ p @ f.T + process_noise(dt_s, q_horizontal, q_vertical)


def position_model(lag_s: float) -> F64:
    """The position that the state had `lag_s` (<= 0) ago."""
    return transition(lag_s)[:3]


def innovation(x: F64, p: F64, h: F64, z: F64, r: F64) -> tuple[F64, F64, float, float]:
    """Innovation, its covariance, squared Mahalanobis distance, log determinant."""
    nu, s = z - h @ x, h @ p @ h.T + r
    return nu, s, float(nu @ np.linalg.solve(s, nu)), float(np.linalg.slogdet(s)[1])


def update(x: F64, p: F64, h: F64, z: F64, r: F64) -> tuple[F64, F64]:
    nu, s, _, _ = innovation(x, p, h, z, r)
    gain = p @ h.T @ np.linalg.inv(s)
    rest = np.eye(6) - gain @ h
    return x + gain @ nu, rest @ p @ rest.T + gain @ r @ gain.T


def bearing(x: F64, lag_s: float, east_m: float, north_m: float) -> float:
    there = position_model(lag_s) @ x
    return math.atan2(there[0] - east_m, there[1] - north_m)


def bearing_model(x: F64, lag_s: float, east_m: float, north_m: float) -> F64:
    """d bearing / d state (1, 6) by differences; the step stays clear of the wrap."""
    middle = bearing(x, lag_s, east_m, north_m)

    def off_middle(state: F64) -> F64:
        turned = bearing(state, lag_s, east_m, north_m) - middle
        return np.array([math.remainder(turned, 2.0 * math.pi)])

    return differences(off_middle, x, np.full(6, 1e-2))


def bearing_update(
    x: F64, p: F64, lag_s: float, east_m: float, north_m: float, azimuth_rad: float, sigma: float
) -> tuple[F64, F64, float, float]:
    """The extended filter's step; returns x, P, innovation and its variance."""
    h = bearing_model(x, lag_s, east_m, north_m)
    off = math.remainder(azimuth_rad - bearing(x, lag_s, east_m, north_m), 2.0 * math.pi)
    r = np.array([[sigma**2]])
    after_x, after_p = update(x, p, h, h @ x + off, r)
    return after_x, after_p, off, float((h @ p @ h.T + r)[0, 0])
