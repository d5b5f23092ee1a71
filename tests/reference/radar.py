"""A radar at the site's own place and what it would report, for tests of the tracker."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from skykeep.core.geo import Frame
from skykeep.core.observation import Batch, Coverage, Form, Sensor, SensorKind
from skykeep.core.track.tracker import Plots, SensorView, plots_of, view_of
from skykeep.units import BatchId, SensorId

F64 = NDArray[np.float64]

SITE = Frame(49.61, 6.13, 350.0)
COVERAGE = Coverage(150.0, 6_000.0, elevation_min_deg=-6.0, elevation_max_deg=40.0)
RADAR = Sensor(
    SensorId("radar"), SensorKind.RADAR, *SITE.origin, COVERAGE,
    period_s=1.0, detection_probability=0.9, false_per_turn=20.0,
)  # fmt: skip
SIGMAS = (10.0, 0.4, 1.0)  # m, degrees, degrees


def view(sensor: Sensor = RADAR) -> SensorView:
    return view_of(sensor, SITE)


def looking(coverage: Coverage) -> SensorView:
    return view(replace(RADAR, coverage=coverage))


def polar_batch(values: F64, sigmas: tuple[float, float, float] = SIGMAS) -> Batch:
    n = len(values)
    return Batch(
        BatchId("b"), SensorId("radar"), 0, Form.POLAR, np.zeros(n, np.int64),
        np.asarray(values, np.float64).reshape(n, 3), np.tile(sigmas, (n, 1)),
        np.full((n, 3), np.nan), np.zeros(n, np.int8),
    )  # fmt: skip


def polar_plots(values: F64, seen_by: SensorView) -> Plots:
    return plots_of(polar_batch(values), np.arange(len(values)), seen_by, SITE, None)


def clutter(rng: np.random.Generator) -> F64:
    """False plots, even over range, azimuth and elevation, as many as the sensor states."""
    c = COVERAGE
    return np.asarray(
        rng.uniform(
            [c.range_min_m, 0.0, c.elevation_min_deg],
            [c.range_max_m, 360.0, c.elevation_max_deg],
            (rng.poisson(RADAR.false_per_turn), 3),
        )
    )


def polar_of(enu: F64) -> F64:
    """Range m, azimuth and elevation degrees of a place (3,)."""
    distance = float(np.linalg.norm(enu))
    return np.array(
        [
            distance,
            math.degrees(math.atan2(enu[0], enu[1])) % 360.0,
            math.degrees(math.asin(enu[2] / distance)),
        ]
    )


def seen(enu: F64, rng: np.random.Generator) -> F64:
    """A measured plot of a target."""
    return polar_of(enu) + rng.normal(0.0, SIGMAS)


@dataclass(frozen=True)
class Target:
    start: F64  # (3,) m
    velocity: F64  # (3,) m/s

    def at(self, seconds: float) -> F64:
        return np.asarray(self.start + seconds * self.velocity)


INBOUND = Target(np.array([3000.0, 1500.0, 150.0]), np.array([-14.0, -6.0, 0.0]))


def plots_at(z: F64, sigma_m: float = 10.0, log_clutter: float = -24.0) -> Plots:
    """Plots at these places (m, 3) with round covariances and no class."""
    m = len(z)
    return Plots(
        np.asarray(z, np.float64).reshape(m, 3), np.tile(np.eye(3) * sigma_m**2, (m, 1, 1)),
        np.full(m, log_clutter), np.zeros((m, 4)),
    )  # fmt: skip
