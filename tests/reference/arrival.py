"""When a track enters a zone, literally: many random flights in fine steps, each looked at."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

F64 = NDArray[np.float64]
Inside = Callable[[F64], NDArray[np.bool_]]

FLIGHTS = 20_000
STEP_S = 0.5


def entry_times(
    x: F64, p: F64, q: tuple[float, float], inside: Inside, horizon_s: float, seed: int
) -> F64:
    """The first moment (FLIGHTS,) at which each flight is inside (n, 3) -> (n,); inf: never."""
    dice = np.random.default_rng(seed)
    values, vectors = np.linalg.eigh(p)
    root = vectors * np.sqrt(np.maximum(values, 0.0))
    state = x + dice.standard_normal((FLIGHTS, 6)) @ root.T
    density = np.array([q[0], q[0], q[1]])
    cross = np.array([[STEP_S**3 / 3.0, STEP_S**2 / 2.0], [STEP_S**2 / 2.0, STEP_S]])
    lower = np.linalg.cholesky(cross)
    entered = np.full(FLIGHTS, np.inf)
    still = np.arange(FLIGHTS)
    for step in range(round(horizon_s / STEP_S) + 1):
        now = inside(state[:, :3])
        entered[still[now]] = step * STEP_S
        still, state = still[~now], state[~now]
        one = dice.standard_normal((len(still), 3)) * np.sqrt(density)
        two = dice.standard_normal((len(still), 3)) * np.sqrt(density)
        state[:, :3] += STEP_S * state[:, 3:] + lower[0, 0] * one
        state[:, 3:] += lower[1, 0] * one + lower[1, 1] * two
    return entered


def in_circle(east_m: float, north_m: float, radius_m: float, low: float, high: float) -> Inside:
    """A cylinder."""

    def inside(at: F64) -> NDArray[np.bool_]:
        near = np.hypot(at[:, 0] - east_m, at[:, 1] - north_m) <= radius_m
        found: NDArray[np.bool_] = near & (at[:, 2] >= low) & (at[:, 2] < high)
        return found

    return inside


def in_polygon(rings: list[F64], low: float, high: float) -> Inside:
    """A prism over closed rings (n, 2), even-odd."""

    def inside(at: F64) -> NDArray[np.bool_]:
        found = np.zeros(len(at), np.bool_)
        for ring in rings:
            for (e1, n1), (e2, n2) in pairwise(ring):
                spans = (n1 > at[:, 1]) != (n2 > at[:, 1])
                with np.errstate(divide="ignore", invalid="ignore"):
                    left = at[:, 0] < e1 + (at[:, 1] - n1) * (e2 - e1) / (n2 - n1)
                found ^= spans & left
        return found & (at[:, 2] >= low) & (at[:, 2] < high)

    return inside
