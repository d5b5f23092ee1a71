"""Flights from launch to first detection, forward and literally, by the model as it is stated."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

F64 = NDArray[np.float64]

STEP_S = 0.5


@dataclass(frozen=True)
class Radar:
    """Its place, what it covers (azimuths clockwise from, to), how often and how well it looks."""

    place: tuple[float, float, float]
    range_m: float
    azimuth_deg: tuple[float, float]
    elevation_deg: tuple[float, float]
    period_s: float
    detection: float

    def covers(self, at: F64) -> NDArray[np.bool_]:
        """Which of the places (n, 3) it covers."""
        d = at - np.array(self.place)
        across = np.hypot(d[:, 0], d[:, 1])
        azimuth = np.degrees(np.arctan2(d[:, 0], d[:, 1])) % 360.0
        elevation = np.degrees(np.arctan2(d[:, 2], across))
        first, last = self.azimuth_deg
        wide = (last - first) % 360.0 or 360.0
        found: NDArray[np.bool_] = (
            (np.hypot(across, d[:, 2]) <= self.range_m)
            & ((azimuth - first) % 360.0 <= wide)
            & (elevation >= self.elevation_deg[0])
            & (elevation <= self.elevation_deg[1])
        )
        return found


@dataclass(frozen=True)
class First:
    """Launch (n, 2), true state at the first detection (n, 6), which radar had it (n,)."""

    launch: F64
    state: F64
    by: NDArray[np.int64]


def fly(model: dict[str, float], radars: list[Radar], n: int, half_m: float, seed: int) -> First:
    """n flights from anywhere in a square; those that were detected, as they were then."""
    dice = np.random.default_rng(seed)
    m = model
    launch = dice.uniform(-half_m, half_m, (n, 2))
    heading = dice.uniform(0.0, 2.0 * np.pi, n)
    speed = np.full(n, np.inf)
    while (bad := (speed < m["speed_least_mps"]) | (speed > m["speed_most_mps"])).any():
        drawn = dice.normal(m["speed_mean_mps"], m["speed_sigma_mps"], n)
        speed = np.where(bad, drawn, speed)
    climb = dice.uniform(m["climb_least_mps"], m["climb_most_mps"], n)
    top = dice.uniform(m["height_least_m"], m["height_most_m"], n)
    ends = dice.uniform(m["endurance_least_s"], m["endurance_most_s"], n)
    phase = [dice.integers(0, round(r.period_s / STEP_S), n) for r in radars]
    at = np.column_stack([launch, np.zeros(n)])
    alive = np.arange(n)
    launches, states, by = [], [], []
    for step in range(1, round(m["endurance_most_s"] / STEP_S)):
        t = step * STEP_S
        alive = alive[ends[alive] > t]
        rising = climb[alive] * t < top[alive]
        level = alive[~rising]
        turns = level[dice.random(len(level)) < m["turns_per_s"] * STEP_S]
        heading[turns] += dice.normal(0.0, m["turn_sigma_rad"], len(turns))
        at[alive, 2] = np.minimum(top[alive], climb[alive] * t)
        at[level, 0] += STEP_S * speed[level] * np.sin(heading[level])
        at[level, 1] += STEP_S * speed[level] * np.cos(heading[level])
        seen = np.full(len(alive), -1)
        for k, radar in enumerate(radars):
            looks = (step + phase[k][alive]) % round(radar.period_s / STEP_S) == 0
            had = looks & radar.covers(at[alive]) & (dice.random(len(alive)) < radar.detection)
            seen[had & (seen < 0)] = k
        got = alive[seen >= 0]
        moving = ~(climb[got] * t < top[got])
        velocity = np.column_stack([
            moving * speed[got] * np.sin(heading[got]),
            moving * speed[got] * np.cos(heading[got]),
            ~moving * climb[got],
        ])  # fmt: skip
        launches.append(launch[got])
        states.append(np.hstack([at[got], velocity]))
        by.append(seen[seen >= 0])
        alive = alive[seen < 0]
    return First(np.concatenate(launches), np.concatenate(states), np.concatenate(by))
