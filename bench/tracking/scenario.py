"""Many drones over a town, seen once a second by a sensor that gives 3-D positions.

A drone moves with nearly constant velocity (white-noise acceleration) inside a box and is
reflected at its walls. Each scan detects a drone with `DETECTION_PROBABILITY`, adds normal
noise on each axis, and mixes in false plots, uniform over the box.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

F64 = NDArray[np.float64]

PERIOD_S = 1.0
SIGMA_M = 10.0  # of a plot, on each axis
DETECTION_PROBABILITY = 0.9
FALSE_PLOTS_PER_TARGET = 0.5  # mean per scan
DRONES_PER_KM2 = 2.0
BOX_HEIGHT_M = 200.0
START_HEIGHTS_M = (30.0, 150.0)
SPEEDS_MPS = (5.0, 25.0)
CLIMB_SIGMA_MPS = 0.5
ACCELERATION_DENSITY = 1.0  # m^2/s^3, horizontal
VERTICAL_SHARE = 0.09  # vertical density over horizontal
WHOLE_TIME_SHARE = 0.8  # of drones there from the start, and of drones there to the end
LATE_START_SCANS = 15
EARLY_END_SCANS = 25
SHORTEST_LIFE_SCANS = 20


@dataclass(frozen=True, slots=True, eq=False)
class Scenario:
    """What a tracker gets, what it may know of it, and what was really there.

    `truth` (scans, drones, 6): x, y, z in m and their rates in m/s, NaN while not flying;
    `plots` one (n, 3) array of positions in m a scan, scans `PERIOD_S` apart; `sigmas_m` (3,) of
    a plot on each axis; `false_density_per_m3` the mean number of false plots per scan and cubic
    metre; `densities_m2ps3` the acceleration's, horizontal and vertical.
    """

    seed: int
    truth: F64
    plots: tuple[F64, ...]
    side_m: float
    false_density_per_m3: float
    sigmas_m: tuple[float, float, float] = (SIGMA_M, SIGMA_M, SIGMA_M)
    densities_m2ps3: tuple[float, float] = (
        ACCELERATION_DENSITY,
        ACCELERATION_DENSITY * VERTICAL_SHARE,
    )

    @property
    def scans(self) -> int:
        """How many scans there are, `PERIOD_S` apart."""
        return len(self.plots)


def make(
    drones: int = 100,
    scans: int = 60,
    seed: int = 1,
    drones_per_km2: float = DRONES_PER_KM2,
    false_per_scan: float | None = None,
) -> Scenario:
    """The scenario of a seed; the motion does not depend on what is drawn for the plots.

    `false_per_scan` is the mean number of false plots; half the number of drones if not given.
    """
    motion, sensing = (np.random.default_rng(s) for s in np.random.SeedSequence(seed).spawn(2))
    side_m = 1000.0 * float(np.sqrt(drones / drones_per_km2))
    walls_m = np.array([side_m, side_m, BOX_HEIGHT_M])
    false = FALSE_PLOTS_PER_TARGET * drones if false_per_scan is None else false_per_scan
    truth = _fly(motion, drones, scans, walls_m)
    plots = tuple(_see(sensing, now, false, walls_m) for now in truth)
    return Scenario(seed, truth, plots, side_m, false / (side_m * side_m * BOX_HEIGHT_M))


def _fly(rng: np.random.Generator, drones: int, scans: int, walls_m: F64) -> F64:
    whole = rng.random((2, drones)) < WHOLE_TIME_SHARE
    first = np.where(whole[0], 0, rng.integers(1, LATE_START_SCANS, drones))
    earliest_end = max(scans - EARLY_END_SCANS, SHORTEST_LIFE_SCANS)
    end = np.where(
        whole[1], scans, rng.integers(earliest_end, max(scans, earliest_end + 1), drones)
    )

    position = rng.random((drones, 3)) * walls_m
    position[:, 2] = rng.uniform(*START_HEIGHTS_M, drones)
    speed, heading = rng.uniform(*SPEEDS_MPS, drones), rng.uniform(0.0, 2.0 * np.pi, drones)
    climb = rng.normal(0.0, CLIMB_SIGMA_MPS, drones)
    velocity = np.column_stack([speed * np.sin(heading), speed * np.cos(heading), climb])

    truth = np.full((scans, drones, 6), np.nan)
    for scan in range(scans):
        flying = (first <= scan) & (scan < end)
        truth[scan, flying] = np.hstack([position, velocity])[flying]
        step, change = _disturbance(rng, drones)
        position = position + velocity * PERIOD_S + step
        velocity = velocity + change
        low, high = position < 0.0, position > walls_m
        position = np.where(low, -position, np.where(high, 2.0 * walls_m - position, position))
        velocity = np.where(low | high, -velocity, velocity)
    return truth


def _disturbance(rng: np.random.Generator, drones: int) -> tuple[F64, F64]:
    """What integrated white-noise acceleration adds to position and velocity in one period."""
    t = PERIOD_S
    density = ACCELERATION_DENSITY * np.array([1.0, 1.0, VERTICAL_SHARE])
    a, b = rng.standard_normal((2, drones, 3))
    change = np.sqrt(density * t) * a
    # Given the change in velocity, the step's mean is t/2 of it and its variance q t^3 / 12.
    return change * t / 2.0 + np.sqrt(density * t**3 / 12.0) * b, change


def _see(rng: np.random.Generator, now: F64, false_per_scan: float, walls_m: F64) -> F64:
    flying = now[~np.isnan(now[:, 0]), :3]
    seen = flying[rng.random(len(flying)) < DETECTION_PROBABILITY]
    noisy = seen + rng.normal(0.0, SIGMA_M, seen.shape)
    false = rng.random((rng.poisson(false_per_scan), 3)) * walls_m
    plots = np.vstack([noisy, false])
    rng.shuffle(plots)
    return plots
