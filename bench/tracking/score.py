"""How good tracks are: GOSPA, and the kinds of error it is made of.

GOSPA with alpha = 2: Rahmathullah, Garcia-Fernandez, Svensson, "Generalized optimal
sub-pattern assignment metric", FUSION 2017, proposition 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from bench.tracking.result import ScanTracks

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]

CUTOFF_M = 60.0  # six sigma of a plot: farther off, a track is not of this drone
ORDER = 2


@dataclass(frozen=True, slots=True)
class Score:
    """Means over all scans; `localisation_rmse_m` over the drones that had a track."""

    gospa_m: float
    localisation_rmse_m: float
    missed_per_scan: float
    false_per_scan: float
    identity_switches: int


def pair_up(truth_m: F64, tracks_m: F64, cutoff_m: float = CUTOFF_M) -> tuple[I64, I64, F64]:
    """The best pairing of true (n, 3) and tracked (m, 3) positions closer than the cutoff.

    Returns rows of truth, rows of tracks, distances in m.
    """
    distance = np.linalg.norm(truth_m[:, None, :] - tracks_m[None, :, :], axis=2)
    # A pair beyond the cutoff costs what a missed drone and a false track cost together, so
    # capping lets one square assignment weigh leaving both alone.
    rows, columns = linear_sum_assignment(np.minimum(distance, cutoff_m) ** ORDER)
    near = distance[rows, columns] < cutoff_m
    rows, columns = rows[near], columns[near]
    return rows, columns, distance[rows, columns]


def gospa(truth_m: F64, tracks_m: F64, cutoff_m: float = CUTOFF_M) -> float:
    """GOSPA in m of one scan, order 2, alpha 2."""
    _, _, distance = pair_up(truth_m, tracks_m, cutoff_m)
    return _gospa(distance, len(truth_m), len(tracks_m), cutoff_m)


def _gospa(distance: F64, drones: int, tracks: int, cutoff_m: float) -> float:
    alone = drones + tracks - 2 * len(distance)
    return float((np.sum(distance**ORDER) + alone * cutoff_m**ORDER / 2.0) ** (1.0 / ORDER))


def score(truth: F64, tracks: Sequence[ScanTracks]) -> Score:
    """Score a run against truth (scans, drones, 6) with NaN for drones that do not fly."""
    gospas: list[float] = []
    squares, pairs, missed, false, switches = 0.0, 0, 0, 0, 0
    track_of: dict[int, int] = {}
    for now, shown in zip(truth, tracks, strict=True):
        flying = np.flatnonzero(~np.isnan(now[:, 0]))
        rows, columns, distance = pair_up(now[flying, :3], shown.positions_m)
        gospas.append(_gospa(distance, len(flying), len(shown.ids), CUTOFF_M))
        squares += float(np.sum(distance**2))
        pairs += len(distance)
        missed += len(flying) - len(distance)
        false += len(shown.ids) - len(distance)
        for row, column in zip(rows, columns, strict=True):
            drone, track = int(flying[row]), int(shown.ids[column])
            switches += track_of.get(drone, track) != track
            track_of[drone] = track
    scans = len(gospas)
    return Score(
        gospa_m=float(np.mean(gospas)),
        localisation_rmse_m=float(np.sqrt(squares / pairs)) if pairs else float("nan"),
        missed_per_scan=missed / scans,
        false_per_scan=false / scans,
        identity_switches=switches,
    )
