"""How good tracks are: GOSPA and OSPA, and the kinds of error that they are made of.

GOSPA with alpha = 2: Rahmathullah, Garcia-Fernandez, Svensson, "Generalized optimal
sub-pattern assignment metric", FUSION 2017, proposition 1. OSPA: Schuhmacher, Vo, Vo, "A
consistent metric for performance evaluation of multi-object filters", IEEE TSP 56(8), 2008.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from bench.tracking.result import ScanTracks

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]

CUTOFF_M = 60.0  # six sigma of a plot: farther off, a track is not of this drone
ORDER = 2
#: Up to so many pairs one matrix over all is quicker than to look for neighbours first.
DENSE_PAIRS = 4_000


@dataclass(frozen=True, slots=True)
class Score:
    """Means over all scans; `gospa_rms_m` the root of the mean square.

    `localisation_rmse_m` is over the drones that had a track.
    """

    gospa_m: float
    gospa_rms_m: float
    ospa_m: float
    localisation_rmse_m: float
    missed_per_scan: float
    false_per_scan: float
    identity_switches: int


def pair_up(truth_m: F64, tracks_m: F64, cutoff_m: float = CUTOFF_M) -> tuple[I64, I64, F64]:
    """The best pairing of true (n, d) and tracked (m, d) positions closer than the cutoff.

    The same pairing is best for GOSPA with alpha = 2 and for OSPA: either falls, with a pair at
    distance d, by cutoff^2 - d^2. Returns rows of truth, rows of tracks, distances in m.
    """
    if len(truth_m) * len(tracks_m) <= DENSE_PAIRS:
        return _pair_all(truth_m, tracks_m, cutoff_m)
    near = cKDTree(truth_m).sparse_distance_matrix(
        cKDTree(tracks_m), cutoff_m, output_type="ndarray"
    )
    near = near[near["v"] < cutoff_m]
    rows, columns, distance = near["i"], near["j"], near["v"]
    size = len(truth_m) + len(tracks_m)
    graph = coo_matrix((np.ones(len(near)), (rows, columns + len(truth_m))), shape=(size, size))
    _, component = connected_components(graph, directed=False)
    group = component[rows]
    order = np.argsort(group, kind="stable")
    starts = np.flatnonzero(np.diff(group[order], prepend=-1))
    taken = [
        _best(members, rows, columns, distance, cutoff_m)
        for members in np.split(order, starts[1:])
        if len(members)
    ]
    chosen = np.concatenate(taken) if taken else np.empty(0, np.int64)
    return rows[chosen], columns[chosen], distance[chosen]


def _best(members: I64, rows: I64, columns: I64, distance: F64, cutoff_m: float) -> I64:
    """Those of some possible pairs, given by their places in the lists, that are the best."""
    if len(members) == 1:
        return members
    own_rows, row = np.unique(rows[members], return_inverse=True)
    own_columns, column = np.unique(columns[members], return_inverse=True)
    cost = np.full((len(own_rows), len(own_columns)), cutoff_m**ORDER)
    pair = np.full(cost.shape, -1)
    cost[row, column] = distance[members] ** ORDER
    pair[row, column] = members
    found = pair[linear_sum_assignment(cost)]
    best: I64 = found[found >= 0]
    return best


def _pair_all(truth_m: F64, tracks_m: F64, cutoff_m: float) -> tuple[I64, I64, F64]:
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


def ospa(truth_m: F64, tracks_m: F64, cutoff_m: float = CUTOFF_M) -> float:
    """OSPA in m of one scan, order 2; 0 where there is neither drone nor track."""
    _, _, distance = pair_up(truth_m, tracks_m, cutoff_m)
    return _ospa(distance, len(truth_m), len(tracks_m), cutoff_m)


def _gospa(distance: F64, drones: int, tracks: int, cutoff_m: float) -> float:
    alone = drones + tracks - 2 * len(distance)
    return float((np.sum(distance**ORDER) + alone * cutoff_m**ORDER / 2.0) ** (1.0 / ORDER))


def _ospa(distance: F64, drones: int, tracks: int, cutoff_m: float) -> float:
    most = max(drones, tracks)
    if most == 0:
        return 0.0
    total = np.sum(distance**ORDER) + (most - len(distance)) * cutoff_m**ORDER
    return float((total / most) ** (1.0 / ORDER))


def score(truth: F64, tracks: Sequence[ScanTracks], cutoff_m: float = CUTOFF_M) -> Score:
    """Score a run against truth (scans, drones, 6) with NaN for drones that do not fly."""
    gospas: list[float] = []
    ospas: list[float] = []
    squares, pairs, missed, false, switches = 0.0, 0, 0, 0, 0
    track_of: dict[int, int] = {}
    for now, shown in zip(truth, tracks, strict=True):
        flying = np.flatnonzero(~np.isnan(now[:, 0]))
        rows, columns, distance = pair_up(now[flying, :3], shown.positions_m, cutoff_m)
        gospas.append(_gospa(distance, len(flying), len(shown.ids), cutoff_m))
        ospas.append(_ospa(distance, len(flying), len(shown.ids), cutoff_m))
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
        gospa_rms_m=float(np.sqrt(np.mean(np.square(gospas)))),
        ospa_m=float(np.mean(ospas)),
        localisation_rmse_m=float(np.sqrt(squares / pairs)) if pairs else float("nan"),
        missed_per_scan=missed / scans,
        false_per_scan=false / scans,
        identity_switches=switches,
    )
