"""Skykeep's tracker, Stone Soup's and motpy's on the same plots, turn about in one process."""

from __future__ import annotations

import gc
import statistics
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from bench.figure import Figure
from bench.tracking import scenario
from bench.tracking.result import RunResult
from bench.tracking.scenario import Scenario
from bench.tracking.score import Score, score
from bench.tracking.siap import Siap, siap

Runner = Callable[[Scenario], RunResult]

#: How many drones, and the seeds: the peers need seconds a scan for a thousand.
CASES: tuple[tuple[int, tuple[int, ...]], ...] = ((100, (1, 2, 3)), (300, (1, 2, 3)), (1000, (1,)))
SCANS = 60
WARM_UP_DRONES = 10
WARM_UP_SCANS = 10
KERNEL, CALL, PEER = "Skykeep, the scan alone", "Skykeep, from observations", "Stone Soup"
MOTPY = "motpy"
#: Times as fast as the peer, at no worse a GOSPA.
AIMS_TIMES = {KERNEL: 3000.0, CALL: 1500.0}


@dataclass(frozen=True, slots=True)
class Outcome:
    """One tracker on one seed."""

    scan_s: float
    score: Score
    siap: Siap


def outcome(run: Runner, given: Scenario) -> Outcome:
    """Run, time and score."""
    gc.collect()  # none pays for what another left behind
    result = run(given)
    return Outcome(
        result.settled_scan_s, score(given.truth, result.tracks), siap(given.truth, result.tracks)
    )


def warm_up(runners: Mapping[str, Runner]) -> None:
    """Compile and import what they need."""
    for run in runners.values():
        run(scenario.make(WARM_UP_DRONES, WARM_UP_SCANS, seed=0))


def compare(runners: Mapping[str, Runner], drones: int, seeds: tuple[int, ...]) -> list[Figure]:
    """Times per scan, their ratios to the peer's, and the errors of every runner."""
    found: dict[str, list[Outcome]] = {name: [] for name in runners}
    for turn, seed in enumerate(seeds):
        given = scenario.make(drones, SCANS, seed)
        for name in list(runners)[:: -1 if turn % 2 else 1]:
            found[name].append(outcome(runners[name], given))

    times = [f for name in runners for f in _speed(drones, name, found, seeds)]
    return times + [f for name in runners for f in _errors(drones, name, found[name])]


def _speed(
    drones: int, name: str, found: Mapping[str, list[Outcome]], seeds: tuple[int, ...]
) -> list[Figure]:
    own, peers = found[name], found[PEER]
    among = f"seed{'s' * (len(seeds) > 1)} {', '.join(map(str, seeds))}"
    scan = Figure(
        f"{drones} targets: {name}, a scan",
        statistics.median(o.scan_s for o in own) * 1e3,
        "ms",
        note=f"median of the second half of {SCANS} scans, {among}",
    )
    if name == PEER:
        return [scan]
    worse = _gospa_m(own) > _gospa_m(peers)
    aim = AIMS_TIMES.get(name)
    return [
        scan,
        Figure(
            f"{drones} targets: {name}, as fast as Stone Soup",
            statistics.median(p.scan_s / o.scan_s for o, p in zip(own, peers, strict=True)),
            "times",
            aim,
            note="median of the pairs' ratios",
            spoiled="its GOSPA is worse than the peer's" if worse and aim else "",
        ),
    ]


def _gospa_m(outcomes: list[Outcome]) -> float:
    return statistics.median(o.score.gospa_m for o in outcomes)


def _errors(drones: int, name: str, outcomes: list[Outcome]) -> list[Figure]:
    """GOSPA and OSPA as medians over the seeds; SIAP and the kinds of error of the first."""
    first = outcomes[0]
    return [
        Figure(
            f"{drones} targets: {name}, GOSPA",
            _gospa_m(outcomes),
            "m",
            note=f"{first.score.missed_per_scan:.1f} missed and"
            f" {first.score.false_per_scan:.1f} false a scan; SIAP: {first.siap.words()}"
            + ("; errors and SIAP of the first seed" if len(outcomes) > 1 else ""),
        ),
        Figure(
            f"{drones} targets: {name}, OSPA",
            statistics.median(o.score.ospa_m for o in outcomes),
            "m",
        ),
    ]


def figures() -> list[Figure]:
    """The comparison with the real runners."""
    from bench.tracking import motpy_iou, skykeep_tracker, stonesoup_gnn

    runners: dict[str, Runner] = {
        KERNEL: skykeep_tracker.run,
        CALL: skykeep_tracker.run_batches,
        PEER: stonesoup_gnn.run,
        MOTPY: motpy_iou.run,
    }
    warm_up(runners)
    return [f for drones, seeds in CASES for f in compare(runners, drones, seeds)]
