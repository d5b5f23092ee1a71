"""Skykeep's tracker and Stone Soup's on the same plots, turn about in one process."""

from __future__ import annotations

import gc
import statistics
from collections.abc import Callable

from bench.figure import Figure
from bench.tracking import scenario, stonesoup_gnn
from bench.tracking.result import RunResult
from bench.tracking.scenario import Scenario
from bench.tracking.score import Score, score

Runner = Callable[[Scenario], RunResult]

DRONES = 100
SCANS = 60
SEEDS = (1, 2, 3)
WARM_UP_DRONES = 10
WARM_UP_SCANS = 10
#: Times as fast as the peer, at no worse a GOSPA.
AIM_TIMES = 500.0


def _timed(run: Runner, given: Scenario) -> tuple[float, Score]:
    gc.collect()  # neither pays for what the other left behind
    result = run(given)
    return result.settled_scan_s, score(given.truth, result.tracks)


def compare(skykeep: Runner, peer: Runner) -> list[Figure]:
    """Times per scan, their ratio, and both GOSPA, each the median over the seeds."""
    warm_up = scenario.make(WARM_UP_DRONES, WARM_UP_SCANS, seed=0)
    skykeep(warm_up)
    peer(warm_up)

    ours: list[tuple[float, Score]] = []
    theirs: list[tuple[float, Score]] = []
    for turn, seed in enumerate(SEEDS):
        given = scenario.make(DRONES, SCANS, seed)
        pair = [(skykeep, ours), (peer, theirs)]
        for run, results in pair if turn % 2 == 0 else pair[::-1]:
            results.append(_timed(run, given))

    times = statistics.median(t[0] / o[0] for o, t in zip(ours, theirs, strict=True))
    our_gospa_m = statistics.median(s.gospa_m for _, s in ours)
    their_gospa_m = statistics.median(s.gospa_m for _, s in theirs)
    worse = our_gospa_m > their_gospa_m
    seeds = f"median of seeds {', '.join(map(str, SEEDS))}"
    return [
        Figure("Skykeep, a scan", statistics.median(t for t, _ in ours) * 1e3, "ms", note=seeds),
        Figure(
            "Stone Soup KD-tree GNN, a scan",
            statistics.median(t for t, _ in theirs) * 1e3,
            "ms",
            note=seeds,
        ),
        Figure(
            f"{DRONES} targets: as fast as Stone Soup",
            times,
            "times",
            AIM_TIMES,
            note="median of the pairs' ratios",
            spoiled="its GOSPA is worse than the peer's" if worse else "",
        ),
        Figure("Skykeep, GOSPA", our_gospa_m, "m", note=_errors(ours)),
        Figure("Stone Soup, GOSPA", their_gospa_m, "m", note=_errors(theirs)),
    ]


def _errors(results: list[tuple[float, Score]]) -> str:
    scores = [s for _, s in results]
    rmse_m = statistics.median(s.localisation_rmse_m for s in scores)
    missed = statistics.median(s.missed_per_scan for s in scores)
    false = statistics.median(s.false_per_scan for s in scores)
    switches = statistics.median(s.identity_switches for s in scores)
    return (
        f"{rmse_m:.1f} m off, {missed:.1f} missed and {false:.1f} false a scan, {switches} switches"
    )


def figures() -> list[Figure]:
    """The comparison with the real runners."""
    from bench.tracking import skykeep_tracker

    return compare(skykeep_tracker.run, stonesoup_gnn.run)
