"""Plots that come late and out of order: the town's hundred drones, seen by two sensors.

The sensors see the whole area in turn, one scan a second between them, so that the plots are
those of the scenario with one sensor. Each scan is one batch and is received 0 to 4 s after it
was seen; batches come in the order of their receipt.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from bench.figure import Figure
from bench.tracking import batches, scenario
from bench.tracking.result import ScanTracks
from bench.tracking.scenario import F64, PERIOD_S, Scenario
from bench.tracking.score import score
from skykeep.core.observation import Batch, Coverage, Sensor, SensorKind
from skykeep.units import SensorId

DRONES = 100
SCANS = 60
SENSORS = ("even", "odd")
MOST_DELAY_S = 4.0
SEED = 1


@dataclass(frozen=True, slots=True, eq=False)
class Arrival:
    """One scan's plots (n, 3) in m: which sensor, when it saw them, when they are received."""

    sensor: int
    event_s: float
    receipt_s: float
    plots: F64


@dataclass(frozen=True, slots=True, eq=False)
class LatePlots:
    """A scenario and its scans in the order of their receipt."""

    scenario: Scenario
    arrivals: tuple[Arrival, ...]

    def batches(self) -> list[Batch]:
        """The arrivals as a feed hands them over."""
        sigmas_m = self.scenario.sigmas_m
        return [
            batches.positions(
                SensorId(SENSORS[a.sensor]), a.event_s, a.receipt_s, a.plots, sigmas_m
            )
            for a in self.arrivals
        ]


#: Takes the arrivals in their order and gives, for each whole second k from 0, what it shows on a
#: clock that stands at k: the tracks' places at k, from what was received up to k.
Runner = Callable[[LatePlots], Sequence[ScanTracks]]


def make(seed: int = SEED, most_delay_s: float = MOST_DELAY_S) -> LatePlots:
    """Delays uniform from 0 to `most_delay_s`; 0 gives the same scans on time and in order."""
    given = scenario.make(DRONES, SCANS, seed)
    delays_s = np.random.default_rng([seed, SCANS]).uniform(0.0, most_delay_s, SCANS)
    arrivals = [
        Arrival(k % len(SENSORS), k * PERIOD_S, k * PERIOD_S + float(delays_s[k]), plots)
        for k, plots in enumerate(given.plots)
    ]
    return LatePlots(given, tuple(sorted(arrivals, key=lambda a: a.receipt_s)))


def sensors(given: Scenario, range_m: float = 1e6) -> tuple[Sensor, ...]:
    """Both sensors; either sees everything within its range, false plots at the scenario's rate."""
    volume_m3 = 4.0 / 3.0 * np.pi * range_m**3
    return tuple(
        Sensor(
            SensorId(name),
            SensorKind.POSITION,
            *batches.SITE.origin,
            Coverage(0.0, range_m),
            period_s=PERIOD_S * len(SENSORS),
            detection_probability=scenario.DETECTION_PROBABILITY,
            false_per_turn=given.false_density_per_m3 * volume_m3,
        )
        for name in SENSORS
    )


def gospa_m(made: LatePlots, shown: Sequence[ScanTracks]) -> float:
    """Mean GOSPA in m of what was shown at each second of the scenario."""
    return score(made.scenario.truth, shown).gospa_m


def compare(run: Runner, seed: int = SEED) -> list[Figure]:
    """GOSPA with late plots, and over that of the same plots on time."""
    late, timely = make(seed), make(seed, most_delay_s=0.0)
    late_m, timely_m = gospa_m(late, run(late)), gospa_m(timely, run(timely))
    note = f"{DRONES} drones, each scan 0 to {MOST_DELAY_S:.0f} s late, seed {seed}"
    return [
        Figure("late plots: GOSPA", late_m, "m", note=note),
        Figure("late plots: GOSPA over that on time", late_m / timely_m, "times"),
    ]


def figures() -> list[Figure]:
    """With Skykeep's tracker."""
    from bench.tracking import skykeep_tracker as ours

    return compare(ours.run_late)
