"""Skykeep's tracker on any scenario here: all that knows the tracker's interface.

Parameters are those of the scenario, like the peers': true motion model and noise, gate at
4 sigma. Tracks start and end by score instead of by counting: two plots that fit start one
(over a town a plot is a drone's twice as often as a false one), five misses end it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

import numpy as np

from bench.tracking import batches, meeting
from bench.tracking import scenario as given
from bench.tracking.result import RunResult, ScanTracks, now_s
from bench.tracking.scenario import Scenario
from skykeep.core.observation import Batch, Coverage, Sensor, SensorKind
from skykeep.core.track.tracker import (
    Plots,
    SensorView,
    Tracker,
    TrackerConfig,
    plots_of,
    view_of,
)
from skykeep.units import SensorId

_T = TypeVar("_T")

#: Wherever a scenario's drones fly, they are in coverage.
RANGE_M = 1e6
RANGE_VOLUME_M3 = 4.0 / 3.0 * math.pi * RANGE_M**3
SENSOR_ID = SensorId("bench")
MISS = math.log(1.0 - given.DETECTION_PROBABILITY)
CAP = 16.0
TOWN = TrackerConfig(
    new_score=0.0,
    confirm_score=6.0,
    confirm_hits=2,
    score_cap=CAP,
    drop_tentative_score=2.0 * MISS,
    drop_confirmed_score=CAP + 4.9 * MISS,
    track_limit=400_000,
)
#: Forty false plots for each drone: what Skykeep does unless told otherwise.
CLUTTER = TrackerConfig()

#: The meeting's own model: a track is shown from an existence of 0.4 on, as its authors do, and
#: what is certain to be there is so with the survival probability one step later.
_SHOWN = math.log(0.4 / 0.6)
_BORN = math.log(given.DETECTION_PROBABILITY * meeting.BIRTH_DENSITY_PER_M2) - math.log(
    meeting.FALSE_DENSITY_PER_M2
)
MEETING = TrackerConfig(
    new_sigma_horizontal_mps=meeting.BIRTH_SPEED_SIGMA_MPS,
    new_sigma_vertical_mps=1e-4,
    gate_sigmas=4.5,
    new_score=_BORN + math.log(meeting.BIRTHS_A_STEP),
    confirm_score=_SHOWN,
    confirm_hits=1,
    score_cap=math.log(meeting.SURVIVAL / (1.0 - meeting.SURVIVAL)),
    drop_tentative_score=_BORN + math.log(meeting.BIRTHS_A_STEP) + 0.9 * MISS,
    drop_confirmed_score=_SHOWN,
)
MEETING_BEGINS = replace(MEETING, new_score=_BORN + math.log(meeting.BIRTHS_AT_FIRST))


def run(
    scenario: Scenario, config: TrackerConfig = TOWN, first: TrackerConfig | None = None
) -> RunResult:
    """The kernel: every scan's plots, prepared, through one tracker, timed one by one.

    `first` holds for the first scan alone, where other drones appear than later on.
    """
    log_clutter = math.log(scenario.false_density_per_m3)
    r = np.diag(np.square(scenario.sigmas_m))
    prepared = [
        Plots(
            np.ascontiguousarray(z),
            np.tile(r, (len(z), 1, 1)),
            np.full(len(z), log_clutter),
            np.zeros((len(z), 4)),
        )
        for z in scenario.plots
    ]
    return _drive(scenario, prepared, lambda plots, view: plots, config, first)


def run_batches(scenario: Scenario, config: TrackerConfig = TOWN) -> RunResult:
    """The public call: batches of positions, as a feed hands them over, through one tracker."""

    def plots(batch: Batch, view: SensorView) -> Plots:
        return plots_of(batch, np.arange(len(batch)), view, batches.SITE, None)

    handed = [
        batches.positions(SENSOR_ID, k * given.PERIOD_S, k * given.PERIOD_S, z, scenario.sigmas_m)
        for k, z in enumerate(scenario.plots)
    ]
    return _drive(scenario, handed, plots, config)


def _drive(
    scenario: Scenario,
    scans: list[_T],
    plots_from: Callable[[_T, SensorView], Plots],
    config: TrackerConfig,
    first: TrackerConfig | None = None,
) -> RunResult:
    horizontal, vertical = scenario.densities_m2ps3
    own = replace(config, q_horizontal_m2ps3=horizontal, q_vertical_m2ps3=vertical)
    start = own if first is None else replace(own, new_score=first.new_score)
    view, tracker = view_for(scenario), Tracker(start)
    times, shown = [], []
    for number, scan in enumerate(scans):
        begun = now_s()
        tracker.scan(
            batches.ns(number * given.PERIOD_S), plots_from(scan, view), view, whole_turn=True
        )
        tracks = tracker.confirmed()
        times.append(now_s() - begun)
        tracker.config = own
        shown.append(ScanTracks(tracks.number, tracks.x[:, :3], tracks.x[:, 3:]))
    return RunResult(np.array(times), tuple(shown))


def view_for(scenario: Scenario) -> SensorView:
    """A sensor that sees the whole scenario, with its false plots, in the scenario's frame."""
    sensor = Sensor(
        SENSOR_ID,
        SensorKind.POSITION,
        *batches.SITE.origin,
        Coverage(0.0, RANGE_M),
        period_s=given.PERIOD_S,
        detection_probability=given.DETECTION_PROBABILITY,
        false_per_turn=scenario.false_density_per_m3 * RANGE_VOLUME_M3,
    )
    return view_of(sensor, batches.SITE)
