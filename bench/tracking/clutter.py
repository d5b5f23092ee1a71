"""Fifty drones among two thousand false plots a scan: does it keep up, find them, invent none."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from bench.figure import Figure
from bench.tracking import scenario
from bench.tracking.compare import warm_up
from bench.tracking.result import RunResult, ScanTracks
from bench.tracking.scenario import PERIOD_S, Scenario
from bench.tracking.score import CUTOFF_M, F64, pair_up
from bench.tracking.siap import siap

DRONES = 50
FALSE_PLOTS = 2_000.0
SCANS = 600
SEED = 1
AIM_P99_MS = 100.0
#: The peer needs up to a minute for one scan: after so long it begins no other, and it cannot
#: come beyond so many.
PEER_S, PEER_SCANS = 60.0, 60


@dataclass(frozen=True, slots=True)
class Clutter:
    """What a run in heavy clutter comes to."""

    scans: int
    p99_ms: float
    confirm_s: float
    false_tracks_per_h: float
    completeness: float


def make() -> Scenario:
    """5 km x 5 km x 200 m for ten minutes."""
    return scenario.make(DRONES, SCANS, SEED, false_per_scan=FALSE_PLOTS)


def measure(given: Scenario, result: RunResult) -> Clutter:
    """Sum a run up; one that was broken off is held against as much of the truth."""
    scans = len(result.tracks)
    truth = given.truth[:scans]
    return Clutter(
        scans,
        float(np.percentile(result.per_scan_s, 99.0)) * 1e3,
        statistics.median(confirm_times_s(truth, result.tracks)),
        false_tracks(truth, result.tracks) * 3600.0 / (scans * PERIOD_S),
        siap(truth, result.tracks).completeness,
    )


def confirm_times_s(truth: F64, tracks: Sequence[ScanTracks]) -> list[float]:
    """From each drone's first scan to the first in which it has a track; inf where it has none."""
    begun: dict[int, int] = {}
    found: dict[int, float] = {}
    for scan, (now, shown) in enumerate(zip(truth, tracks, strict=True)):
        flying = np.flatnonzero(~np.isnan(now[:, 0]))
        for drone in flying.tolist():
            begun.setdefault(drone, scan)
        for drone in flying[pair_up(now[flying, :3], shown.positions_m)[0]].tolist():
            found.setdefault(drone, (scan - begun[drone]) * PERIOD_S)
    return [found.get(drone, math.inf) for drone in begun]


def false_tracks(truth: F64, tracks: Sequence[ScanTracks]) -> int:
    """How many tracks were within the cutoff of no drone for most of the scans they were shown."""
    balance: dict[int, int] = {}
    for now, shown in zip(truth, tracks, strict=True):
        there = now[~np.isnan(now[:, 0]), :3]
        off_m = np.linalg.norm(shown.positions_m[:, None] - there[None], axis=2)
        near = np.min(off_m, axis=1, initial=np.inf) < CUTOFF_M
        for track, right in zip(shown.ids.tolist(), near.tolist(), strict=True):
            balance[track] = balance.get(track, 0) + (1 if right else -1)
    return sum(b < 0 for b in balance.values())


def figures() -> list[Figure]:
    """Skykeep over all scans, Stone Soup as far as it comes."""
    from bench.tracking import skykeep_tracker as ours
    from bench.tracking import stonesoup_gnn

    warm_up({"Skykeep": ours.run})
    given = make()
    part = replace(given, truth=given.truth[:PEER_SCANS], plots=given.plots[:PEER_SCANS])
    return [
        *_figures("Skykeep", measure(given, ours.run(given, ours.CLUTTER)), AIM_P99_MS),
        *_figures("Stone Soup", measure(part, stonesoup_gnn.run(part, PEER_S)), None),
    ]


def _figures(name: str, got: Clutter, aim_ms: float | None) -> list[Figure]:
    note = f"{DRONES} drones, {FALSE_PLOTS:.0f} false plots a scan, {got.scans} scans"
    if got.scans < SCANS:
        note += (
            f" of {SCANS}: it was stopped after {PEER_S:.0f} s, and all its figures are of these"
        )
    head = f"heavy clutter: {name}"
    return [
        Figure(f"{head}, a scan, p99", got.p99_ms, "ms", aim_ms, aim_ms is not None, note),
        Figure(f"{head}, to confirm a drone", got.confirm_s, "s", note="median, from its first"),
        Figure(f"{head}, false tracks", got.false_tracks_per_h, "1/h"),
        Figure(f"{head}, SIAP completeness", got.completeness, "of 1"),
    ]
