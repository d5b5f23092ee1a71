"""Where parts can have fallen after a break-up: forward from the last state to the ground.

A part falls as a point with drag that grows with the square of its speed through the air. How
it is made is not known: its terminal speed stands for mass, size and tumbling together.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from skykeep.core.geo import F64, kernel
from skykeep.core.region import SIDE, Region, grid_for, next_even, next_normal, ranked
from skykeep.core.track.arrival import begin

#: Standard gravity (ISO 80000-3).
GRAVITY_MPS2 = 9.806_65
#: Parts played for each of the two halves: the cells, and what they hold.
PARTS = 16_384
#: A step of the fall; at 40 m/s it moves a part by 2 m.
STEP_S = 0.05
#: Longer than the slowest part takes from 500 m.
MOST_S = 150.0
SEEDS = (41_870_023, 77_130_559)


@dataclass(frozen=True, slots=True)
class FallModel:
    """What falls, and through which wind.

    Terminal speeds, evenly in their logarithm: 5 m/s a propeller blade or a piece of shell, 40
    m/s a battery of 0.7 kg (m g = rho v^2 c A / 2 with c A of 0.007 m2). Wind at the height of
    the fall: given with its uncertainty, or, where nobody measured it, any up to
    `wind_bound_mps`, evenly over the disc; multirotors are said to fly in up to 12 m/s (DJI
    Mavic 3, Matrice 350).
    """

    terminal_least_mps: float = 5.0
    terminal_most_mps: float = 40.0
    wind_mps: tuple[float, float] | None = None  # east, north: where the air goes to
    wind_sigma_mps: float = 1.5
    wind_bound_mps: float = 12.0

    def words(self) -> tuple[str, ...]:
        """What is assumed, in words."""
        wind = f"wind unknown, up to {self.wind_bound_mps:g} m/s"
        if self.wind_mps is not None:
            east, north = self.wind_mps
            wind = f"wind of {east:g} m/s to the east and {north:g} m/s to the north, each to "
            wind += f"{self.wind_sigma_mps:g} m/s (one sigma)"
        low, high = self.terminal_least_mps, self.terminal_most_mps
        return (
            f"parts that fall freely, with terminal speeds of {low:g} to {high:g} m/s",
            wind,
            "flat ground",
        )


def fall_region(
    x: F64, p: F64, ground_up_m: float = 0.0, model: FallModel | None = None
) -> Region | None:
    """Where a part of an aircraft that broke up in state x (6,), p (6, 6) can have come down.

    Any one part, with the model's mix of parts; `ground_up_m` is the ground's height in the
    frame. None where the state was surely below the ground.
    """
    model = FallModel() if model is None else model
    state, factor = begin(x, p, 0.0, 0.0, 0.0, float(x[2]))
    wind = np.zeros(2) if model.wind_mps is None else np.array(model.wind_mps, np.float64)
    bound = model.wind_bound_mps if model.wind_mps is None else -1.0
    speeds = np.log(np.array([model.terminal_least_mps, model.terminal_most_mps]))
    chosen, held = (
        fall(state, factor, ground_up_m, speeds, wind, model.wind_sigma_mps, bound, seed, PARTS)
        for seed in SEEDS
    )
    if not len(chosen) or not len(held):
        return None
    mean = chosen.mean(axis=0)
    off = chosen - mean
    spread = np.array([[float((off[:, a] * off[:, b]).mean()) for a in range(2)] for b in range(2)])
    west, south, cell = grid_for(mean, spread, 0)
    rank, share = (_counted(places, west, south, cell) for places in (chosen, held))
    beyond = max(0.0, 1.0 - float(share.sum()))
    return Region(west, south, cell, share, ranked(rank), beyond, model.words())


def _counted(places: F64, west_m: float, south_m: float, cell_m: float) -> F64:
    edges = np.arange(SIDE + 1) * cell_m
    counts, _, _ = np.histogram2d(
        places[:, 1], places[:, 0], bins=(south_m + edges, west_m + edges)
    )
    shares: F64 = counts / len(places)
    return shares


@kernel
def fall(
    state: Any,
    factor: Any,
    ground_m: float,
    log_speeds: Any,
    wind: Any,
    wind_sigma: float,
    wind_bound: float,
    first: int,
    parts: int,
) -> Any:
    """Where parts reach the ground (n, 2), n <= parts: those that were above it.

    state (6,) with factor (6, 6) of its covariance; log_speeds (2,) bound the logarithm of the
    terminal speed; a wind_bound below 0 says that `wind` (2,) is known.
    """
    out, count = np.empty((parts, 2)), 0
    seed = np.array([first], np.uint64)
    y = np.empty(6)
    for _ in range(parts):
        for r in range(6):
            y[r] = state[r]
        for c in range(6):
            z = next_normal(seed)
            for r in range(c, 6):
                y[r] += factor[r, c] * z
        terminal = math.exp(log_speeds[0] + (log_speeds[1] - log_speeds[0]) * next_even(seed))
        if wind_bound < 0.0:
            east = wind[0] + wind_sigma * next_normal(seed)
            north = wind[1] + wind_sigma * next_normal(seed)
        else:
            much = wind_bound * math.sqrt(next_even(seed))
            way = 2.0 * math.pi * next_even(seed)
            east, north = much * math.sin(way), much * math.cos(way)
        if y[2] <= ground_m:
            continue
        fall_one(y, terminal, east, north, ground_m)
        out[count, 0], out[count, 1] = y[0], y[1]
        count += 1
    return out[:count]


@kernel
def fall_one(y: Any, terminal_mps: float, east: float, north: float, ground_m: float) -> float:
    """Let one part (6,) fall through a wind to the ground, in place; returns the seconds.

    Midpoint steps (Runge and Kutta, second order).
    """
    drag = GRAVITY_MPS2 / (terminal_mps * terminal_mps)
    t = 0.0
    while t < MOST_S:
        ae, an, au = y[3] - east, y[4] - north, y[5]
        k = drag * math.sqrt(ae * ae + an * an + au * au)
        half = 0.5 * STEP_S
        me, mn, mu = ae - half * k * ae, an - half * k * an, au - half * (k * au + GRAVITY_MPS2)
        k = drag * math.sqrt(me * me + mn * mn + mu * mu)
        step = STEP_S
        if y[2] + STEP_S * mu <= ground_m:  # the last step ends on the ground
            step = (ground_m - y[2]) / mu
        y[0] += step * (me + east)
        y[1] += step * (mn + north)
        y[2] += step * mu
        y[3] -= step * k * me
        y[4] -= step * k * mn
        y[5] -= step * (k * mu + GRAVITY_MPS2)
        t += step
        if step < STEP_S:
            break
    return t
