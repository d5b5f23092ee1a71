"""Skykeep's tracker on any scenario here: all that knows the tracker's interface.

Parameters are those of the scenario, like the peers': true motion model and noise, gate at
4 sigma. Tracks start and end by score instead of by counting: two plots that fit start one
(over a town a plot is a drone's twice as often as a false one), and one ends when it is no
longer likelier than 0.95 to be there.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

import numpy as np

from bench.tracking import batches, late, meeting
from bench.tracking import scenario as given
from bench.tracking.late import LatePlots
from bench.tracking.result import RunResult, ScanTracks, now_s
from bench.tracking.scenario import Scenario
from skykeep.core.observation import Batch, Coverage, Sensor, SensorKind
from skykeep.core.track.columns import Plots
from skykeep.core.track.timeline import HeardPlots, Timeline
from skykeep.core.track.tracker import SensorView, Tracker, TrackerConfig, plots_of, view_of
from skykeep.units import SensorId

_T = TypeVar("_T")

#: Wherever a scenario's drones fly, they are in coverage.
RANGE_M = 1e6
RANGE_VOLUME_M3 = 4.0 / 3.0 * math.pi * RANGE_M**3
SENSOR_ID = SensorId("bench")
MISS = math.log(1.0 - given.DETECTION_PROBABILITY)
#: One motion model, as in the scenario; shown from an existence of 0.95 on, and as long.
TOWN = TrackerConfig(
    manoeuvres=False,
    new_score=0.0,
    first_score=0.0,
    confirm_score=3.0,
    confirm_hits=2,
    score_cap=16.0,
    drop_tentative_score=-1.0,  # the first miss ends it
    drop_confirmed_score=3.0,
    track_limit=400_000,
)
#: Forty false plots for each drone: what Skykeep does unless told otherwise.
CLUTTER = TrackerConfig()

#: The meeting's own model: births as its authors state them, a track shown while it is likelier
#: to be there than not, and kept for two misses longer.
_BORN = math.log(given.DETECTION_PROBABILITY * meeting.BIRTH_DENSITY_PER_M2) - math.log(
    meeting.FALSE_DENSITY_PER_M2
)
MEETING = TrackerConfig(
    manoeuvres=False,
    new_sigma_horizontal_mps=meeting.BIRTH_SPEED_SIGMA_MPS,
    new_sigma_vertical_mps=1e-4,
    new_score=_BORN + math.log(meeting.BIRTHS_A_STEP),
    first_score=_BORN + math.log(meeting.BIRTHS_AT_FIRST),
    confirm_score=0.0,
    confirm_hits=1,
    score_cap=5.0,  # a miss then leaves an existence of 0.93, which is shown
    drop_tentative_score=_BORN + math.log(meeting.BIRTHS_A_STEP) + 0.9 * MISS,
    drop_confirmed_score=-3.0,
    show_score=0.0,
)


def run(scenario: Scenario, config: TrackerConfig = TOWN) -> RunResult:
    """The kernel: every scan's plots, prepared, through one tracker, timed one by one."""
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
    return _drive(scenario, prepared, lambda plots, view: plots, config)


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
) -> RunResult:
    horizontal, vertical = scenario.densities_m2ps3
    own = replace(config, q_horizontal_m2ps3=horizontal, q_vertical_m2ps3=vertical)
    view, tracker = view_for(scenario), Tracker(own)
    times, shown = [], []
    for number, scan in enumerate(scans):
        begun = now_s()
        tracker.scan(
            batches.ns(number * given.PERIOD_S), plots_from(scan, view), view, whole_turn=True
        )
        tracks = tracker.confirmed()
        times.append(now_s() - begun)
        shown.append(ScanTracks(tracks.number, tracks.x[:, :3], tracks.x[:, 3:]))
    return RunResult(np.array(times), tuple(shown))


def run_late(made: LatePlots, behind_s: float) -> list[ScanTracks]:
    """What was there at each whole second, as it is known `behind_s` later.

    Each second is a timeline of its own that hears, in the order of receipt, what had been
    received by then of what was seen up to that second.
    """
    horizontal, vertical = made.scenario.densities_m2ps3
    config = replace(TOWN, q_horizontal_m2ps3=horizontal, q_vertical_m2ps3=vertical)
    views = [view_of(sensor, batches.SITE) for sensor in late.sensors(made.scenario)]
    heard = []
    for arrival, batch in zip(made.arrivals, made.batches(), strict=True):
        rows = np.arange(len(batch))
        plots = plots_of(batch, rows, views[arrival.sensor], batches.SITE, None)
        heard.append((arrival, batch.batch_id, tuple(rows.tolist()), plots))
    shown = []
    for k in range(len(heard)):
        timeline, at_s = Timeline(config), k * given.PERIOD_S
        for arrival, name, rows, plots in heard:
            if arrival.receipt_s > at_s + behind_s or arrival.event_s > at_s:
                continue
            given_numbers = np.zeros(len(rows), np.int64)
            at_ns, view = batches.ns(arrival.event_s), views[arrival.sensor]
            timeline.hear(HeardPlots(at_ns, name, rows, view, plots, given_numbers))
            timeline.settle()
        tracks = timeline.confirmed()
        ahead_s = (batches.ns(at_s) - tracks.time_ns)[:, None] * 1e-9
        velocities = tracks.x[:, 3:]
        places = tracks.x[:, :3] + ahead_s * velocities
        shown.append(ScanTracks(tracks.number, places, velocities))
    return shown


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
