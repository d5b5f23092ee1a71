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


#: Gives for each whole second k from 0 the tracks' places at k, from what was received up to so
#: many seconds after k.
Runner = Callable[[LatePlots, float], Sequence[ScanTracks]]
#: Late plots may cost this much, once they are in.
AIM_TIMES = 1.12


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
    """GOSPA with late plots over that on time: once they are in, and live, when many are not."""
    lateness, timely = make(seed), make(seed, most_delay_s=0.0)
    on_time_m = gospa_m(timely, run(timely, 0.0))
    settled_m = gospa_m(lateness, run(lateness, MOST_DELAY_S))
    live_m = gospa_m(lateness, run(lateness, 0.0))
    note = f"{DRONES} drones, each scan 0 to {MOST_DELAY_S:.0f} s late, seed {seed}"
    return [
        Figure("late plots: GOSPA on time", on_time_m, "m", note=note),
        Figure(
            f"late plots: GOSPA {MOST_DELAY_S:.0f} s later over that on time",
            settled_m / on_time_m,
            "times",
            AIM_TIMES,
            less_is_better=True,
            note="where the tracks were, as known when the late plots are in",
        ),
        Figure(
            "late plots: GOSPA live over that on time",
            live_m / on_time_m,
            "times",
            note="where the tracks are now, predicted over what has not come yet",
        ),
    ]


def figures() -> list[Figure]:
    """With Skykeep's tracker."""
    from bench.tracking import skykeep_tracker as ours

    return compare(ours.run_late)
