"""Stone Soup (dstl, MIT licence): global nearest neighbour over a KD-tree, its fastest way.

Parameters are those of the scenario, so that the tracker is at its best: the true motion
model, the true noise, a gate at 4 sigma (a plot of the same drone lies within it with
0.999 in three dimensions), tracks from three plots, given up after five scans unseen.
"""

from __future__ import annotations

import datetime as dt
import math
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np

from bench.tracking import scenario as given
from bench.tracking.result import RunResult, ScanTracks, now_s
from bench.tracking.scenario import Scenario

GATE_SIGMAS = 4.0
TREE_SEARCH_M = 200.0  # beyond any gate of this scenario; the tree only thins out the pairs
START_SPEED_SIGMA_MPS = 15.0
START_CLIMB_SIGMA_MPS = 3.0
CONFIRM_PLOTS = 3
FORGET_TENTATIVE_SCANS = 2
FORGET_SCANS = 5
START = dt.datetime(2026, 1, 1)  # naive: Stone Soup counts so
POSITION, RATE = [0, 2, 4], [1, 3, 5]  # of x, x', y, y', z, z'


def _tracker(
    detector: Iterator[Any], measurement_model: Any, densities: tuple[float, float]
) -> Any:
    from stonesoup.dataassociator.tree import DetectionKDTreeGNN2D
    from stonesoup.deleter.time import UpdateTimeStepsDeleter
    from stonesoup.hypothesiser.distance import DistanceHypothesiser
    from stonesoup.initiator.simple import MultiMeasurementInitiator
    from stonesoup.measures import Mahalanobis
    from stonesoup.models.transition.linear import (
        CombinedLinearGaussianTransitionModel,
        ConstantVelocity,
    )
    from stonesoup.predictor.kalman import KalmanPredictor
    from stonesoup.tracker.simple import MultiTargetTracker
    from stonesoup.types.state import GaussianState
    from stonesoup.updater.kalman import KalmanUpdater

    motion = CombinedLinearGaussianTransitionModel(
        [ConstantVelocity(q) for q in (densities[0], densities[0], densities[1])]
    )
    predictor, updater = KalmanPredictor(motion), KalmanUpdater(measurement_model)
    associator = DetectionKDTreeGNN2D(
        DistanceHypothesiser(predictor, updater, Mahalanobis(), missed_distance=GATE_SIGMAS),
        predictor=predictor,
        updater=updater,
        number_of_neighbours=None,
        max_distance=TREE_SEARCH_M,
    )
    horizontal, vertical = START_SPEED_SIGMA_MPS**2, START_CLIMB_SIGMA_MPS**2
    prior = GaussianState(
        np.zeros((6, 1)), np.diag([0.0, horizontal, 0.0, horizontal, 0.0, vertical])
    )
    initiator = MultiMeasurementInitiator(
        prior,
        deleter=UpdateTimeStepsDeleter(FORGET_TENTATIVE_SCANS),
        data_associator=associator,
        updater=updater,
        measurement_model=measurement_model,
        min_points=CONFIRM_PLOTS,
    )
    return MultiTargetTracker(
        initiator=initiator,
        deleter=UpdateTimeStepsDeleter(FORGET_SCANS),
        detector=detector,
        data_associator=associator,
        updater=updater,
    )


def run(scenario: Scenario, limit_s: float = math.inf) -> RunResult:
    """Track the scenario; the plots are Stone Soup detections before the clock starts.

    After `limit_s` seconds no further scan is begun: the result is then shorter.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its own deprecations are not ours to report
        from stonesoup.models.measurement.linear import LinearGaussian
        from stonesoup.types.detection import Detection

        model = LinearGaussian(6, POSITION, np.diag(np.square(scenario.sigmas_m)))
        scans: list[tuple[dt.datetime, set[Any]]] = []
        for number, plots in enumerate(scenario.plots):
            at = START + dt.timedelta(seconds=number * given.PERIOD_S)
            detections = {Detection(p.reshape(3, 1), at, measurement_model=model) for p in plots}
            scans.append((at, detections))
        steps = iter(_tracker(iter(scans), model, scenario.densities_m2ps3))
        return _drive(steps, len(scans), limit_s)


def _drive(steps: Iterator[tuple[Any, set[Any]]], scans: int, limit_s: float) -> RunResult:
    per_scan_s: list[float] = []
    shown: list[ScanTracks] = []
    numbers: dict[str, int] = {}
    while len(shown) < scans and sum(per_scan_s) < limit_s:
        begun = now_s()
        _, tracks = next(steps)
        per_scan_s.append(now_s() - begun)
        ids = [numbers.setdefault(track.id, len(numbers)) for track in tracks]
        means = np.array([np.asarray(t.state.mean, np.float64).ravel() for t in tracks])
        means = means.reshape(-1, 6)
        shown.append(ScanTracks(np.array(ids, np.int64), means[:, POSITION], means[:, RATE]))
    return RunResult(np.array(per_scan_s), tuple(shown))
