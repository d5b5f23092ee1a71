"""Ten thousand and a hundred thousand drones, once a second, on one core."""

from __future__ import annotations

import numpy as np

from bench.figure import Figure
from bench.tracking import scenario
from bench.tracking.compare import Runner, warm_up
from bench.tracking.result import RunResult
from bench.tracking.scenario import Scenario
from bench.tracking.score import score

SEED = 1
#: Drones, scans, and the aim in ms a scan. Tracks are there after a few scans; late drones come
#: up to the fifteenth.
CASES = ((10_000, 40, 8.0), (100_000, 20, 110.0))


def figures() -> list[Figure]:
    """With Skykeep's tracker."""
    from bench.tracking import skykeep_tracker

    warm_up({"Skykeep": skykeep_tracker.run})
    return [measure(skykeep_tracker.run, *case) for case in CASES]


def measure(run: Runner, drones: int, scans: int, aim_ms: float) -> Figure:
    """Time per scan, with what the last scan shows beside it."""
    given = scenario.make(drones, scans, SEED)
    result = run(given)
    return Figure(
        f"{drones:,} targets: Skykeep, the scan alone",
        result.settled_scan_s * 1e3,
        "ms",
        aim_ms,
        less_is_better=True,
        note=f"median of the second half of {scans} scans, longest"
        f" {float(np.max(result.settled_s)) * 1e3:.3g} ms; {_last(given, result)}",
    )


def _last(given: Scenario, result: RunResult) -> str:
    last = score(given.truth[-1:], result.tracks[-1:])
    flying = int(np.count_nonzero(~np.isnan(given.truth[-1, :, 0])))
    missed, false = last.missed_per_scan / flying, last.false_per_scan / flying
    return f"in the last scan {missed:.1%} missed, {false:.1%} false"
