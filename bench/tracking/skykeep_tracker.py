"""Skykeep's tracker on the scenario: its public call, one scan of plots at a time.

Parameters are those of the scenario, like the peer's: true motion model and noise, gate at
4 sigma. Tracks start and end by score instead of by counting: two plots that fit start one
(in this scenario a plot is a drone's twice as often as a false one), five misses end it.
"""

from __future__ import annotations

import math
import time

import numpy as np

from bench.tracking import scenario as given
from bench.tracking.result import RunResult, ScanTracks
from bench.tracking.scenario import Scenario
from skykeep.core.geo import Frame
from skykeep.core.observation import Coverage, Sensor, SensorKind
from skykeep.core.track.tracker import Plots, Tracker, TrackerConfig, view_of
from skykeep.units import NS_PER_S, SensorId

EVERYWHERE = Coverage(0.0, 1e6)
ORIGIN = Frame(49.6, 6.1, 0.0)
MISS = math.log(1.0 - given.DETECTION_PROBABILITY)
CAP = 16.0
CONFIG = TrackerConfig(
    q_horizontal_m2ps3=given.ACCELERATION_DENSITY,
    q_vertical_m2ps3=given.ACCELERATION_DENSITY * given.VERTICAL_SHARE,
    new_score=0.0,
    confirm_score=6.0,
    confirm_hits=2,
    score_cap=CAP,
    drop_tentative_score=2.0 * MISS,
    drop_confirmed_score=CAP + 4.9 * MISS,
)


def run(scenario: Scenario) -> RunResult:
    """Every scan of the scenario through one tracker, timed one by one."""
    sensor = Sensor(
        SensorId("bench"),
        SensorKind.POSITION,
        *ORIGIN.origin,
        EVERYWHERE,
        period_s=given.PERIOD_S,
        detection_probability=given.DETECTION_PROBABILITY,
    )
    view, tracker = view_of(sensor, ORIGIN), Tracker(CONFIG)
    log_clutter = math.log(scenario.false_density_per_m3)
    scans = [_plots(z, log_clutter) for z in scenario.plots]
    times, shown = [], []
    for number, plots in enumerate(scans):
        start = time.perf_counter()
        tracker.scan(round(number * given.PERIOD_S * NS_PER_S), plots, view, whole_turn=True)
        tracks = tracker.confirmed()
        times.append(time.perf_counter() - start)
        shown.append(ScanTracks(tracks.number, tracks.x[:, :3]))
    return RunResult(np.array(times), tuple(shown))


def _plots(z: given.F64, log_clutter: float) -> Plots:
    r = np.tile(np.eye(3) * given.SIGMA_M**2, (len(z), 1, 1))
    return Plots(np.ascontiguousarray(z), r, np.full(len(z), log_clutter), np.zeros((len(z), 4)))
