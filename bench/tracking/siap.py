"""SIAP: is the air picture whole, clear and true, over a whole run.

The measures of the Single Integrated Air Picture programme (Votruba, Nisley, Rothrock, Zombro,
"Single Integrated Air Picture (SIAP) metrics implementation", 2001). A track belongs to the
nearest drone within the cutoff; several tracks may belong to one drone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from bench.tracking.result import ScanTracks
from bench.tracking.score import CUTOFF_M, F64


@dataclass(frozen=True, slots=True)
class Siap:
    """Sums over the whole run, put in proportion.

    `completeness`: share of drones (counted once a scan) that had a track. `ambiguity`: tracks
    for each drone that had one, 1 at best. `spuriousness`: share of tracks that belong to none.
    `position_m`, `velocity_mps`: mean error of the tracks that belong to a drone. `id_changes`:
    how often a drone's track had to be replaced by another, at the least.
    """

    completeness: float
    ambiguity: float
    spuriousness: float
    position_m: float
    velocity_mps: float
    id_changes: int

    def words(self) -> str:
        """One line with everything."""
        return (
            f"completeness {self.completeness:.3f}, ambiguity {self.ambiguity:.3f}, spuriousness"
            f" {self.spuriousness:.3f}, position {self.position_m:.1f} m, velocity"
            f" {self.velocity_mps:.1f} m/s, {self.id_changes} id changes"
        )


def siap(truth: F64, tracks: Sequence[ScanTracks], cutoff_m: float = CUTOFF_M) -> Siap:
    """SIAP of a run against truth (scans, drones, 6) with NaN for drones that do not fly."""
    there, tracked, shown, belonging = 0, 0, 0, 0
    off_m, off_mps = 0.0, 0.0
    holders: dict[int, list[set[int]]] = {}
    for now, given in zip(truth, tracks, strict=True):
        flying = np.flatnonzero(~np.isnan(now[:, 0]))
        there += len(flying)
        shown += len(given.ids)
        if not (len(flying) and len(given.ids)):
            continue
        distance, nearest = cKDTree(now[flying, :3]).query(given.positions_m)
        own = np.flatnonzero(distance < cutoff_m)
        drones = flying[nearest[own]]
        belonging += len(own)
        off_m += float(np.sum(distance[own]))
        error = given.velocities_mps[own] - now[drones, 3:]
        off_mps += float(np.sum(np.linalg.norm(error, axis=1)))
        here: dict[int, set[int]] = {}
        for drone, track in zip(drones.tolist(), given.ids[own].tolist(), strict=True):
            here.setdefault(drone, set()).add(track)
        tracked += len(here)
        for drone, ids in here.items():
            holders.setdefault(drone, []).append(ids)
    nan = float("nan")
    return Siap(
        completeness=tracked / there if there else nan,
        ambiguity=belonging / tracked if tracked else nan,
        spuriousness=(shown - belonging) / shown if shown else 0.0,
        position_m=off_m / belonging if belonging else nan,
        velocity_mps=off_mps / belonging if belonging else nan,
        id_changes=sum(fewest_changes(held) for held in holders.values()),
    )


def fewest_changes(held: Sequence[set[int]]) -> int:
    """The least number of changes with which tracks cover a drone.

    `held`: the ids that it had in each scan in which it had any. To stay with those that last
    longest is never worse than to change earlier.
    """
    changes = 0
    staying: set[int] = set()
    for number, ids in enumerate(held):
        lasting = staying & ids
        if not lasting:
            changes += number > 0
            lasting = ids
        staying = lasting
    return changes
