"""motpy (MIT licence): Kalman filters on boxes, matched over all by their overlap.

It knows boxes, not points: each plot is the middle of a cube. At the cubes' size and least
overlap chosen here (the best of a small grid on this scenario) it pairs what is closer than
about 40 m on each axis. Noise and motion are the scenario's; its motion noise is that of a
constant acceleration within each period, alike on all axes. Tracks from three looks, given up
after five unseen.
"""

from __future__ import annotations

import warnings

import numpy as np

from bench.tracking import scenario as given
from bench.tracking.result import RunResult, ScanTracks, now_s
from bench.tracking.scenario import Scenario

HALF_BOX_M = 40.0
LEAST_OVERLAP = 0.1  # intersection over union
START_VARIANCE = 225.0  # of position in m^2 and of speed in (m/s)^2: one number for both
SIZE_VARIANCES = {"q_var_size": 0.01, "r_var_size": 1.0}  # the size never changes
CONFIRM_SCANS = 3
FORGET_SCANS = 5
RATE = [1, 3, 5]  # of x, x', y, y', z, z'


def run(scenario: Scenario) -> RunResult:
    """Track the scenario; the plots are motpy's detections before the clock starts."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its own deprecations are not ours to report
        from motpy import Detection, MultiObjectTracker

        tracker = MultiObjectTracker(
            dt=given.PERIOD_S,
            model_spec={
                "order_pos": 1,
                "dim_pos": 3,
                "order_size": 0,
                "dim_size": 3,
                "q_var_pos": scenario.densities_m2ps3[0],
                "r_var_pos": scenario.sigmas_m[0] ** 2,
                "p_cov_p0": START_VARIANCE,
                **SIZE_VARIANCES,
            },
            matching_fn_kwargs={"min_iou": LEAST_OVERLAP},
            tracker_kwargs={"max_staleness": FORGET_SCANS},
            active_tracks_kwargs={
                "min_steps_alive": CONFIRM_SCANS,
                "max_staleness_to_positive_ratio": 1.0,
                "max_staleness": FORGET_SCANS,
            },
        )
        per_scan_s = np.empty(scenario.scans)
        shown: list[ScanTracks] = []
        numbers: dict[str, int] = {}
        for scan, plots in enumerate(scenario.plots):
            boxes = np.hstack([plots - HALF_BOX_M, plots + HALF_BOX_M])
            detections = [Detection(box=box) for box in boxes]
            begun = now_s()
            tracks = tracker.step(detections)
            per_scan_s[scan] = now_s() - begun
            # A track that it hands out has no speed: its filter does.
            rates = {t.id: t._tracker.x.ravel()[RATE] for t in tracker.trackers}
            ids = [numbers.setdefault(track.id, len(numbers)) for track in tracks]
            middles = np.array([(t.box[:3] + t.box[3:]) / 2.0 for t in tracks]).reshape(-1, 3)
            speeds = np.array([rates[t.id] for t in tracks]).reshape(-1, 3)
            shown.append(ScanTracks(np.array(ids, np.int64), middles, speeds))
    return RunResult(per_scan_s, tuple(shown))
