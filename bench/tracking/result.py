"""What each runner gives back."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

#: The clock of every runner: what one core has worked for this process. All trackers here keep to
#: one core and wait for nothing, so that on an idle machine it is wall time; on a busy one wall
#: time would charge a scan of seconds for what others do, and spare one of microseconds.
now_s = time.process_time


@dataclass(frozen=True, slots=True, eq=False)
class ScanTracks:
    """The tracks that a tracker shows after one scan.

    `ids` (n,), `positions_m` (n, 3) and `velocities_mps` (n, 3).
    """

    ids: NDArray[np.int64]
    positions_m: NDArray[np.float64]
    velocities_mps: NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class RunResult:
    """Seconds for each scan (scans,), and the tracks after each.

    A scan's time runs from handing over its plots, ready in the form that the runner names, to
    having its tracks. Starting up, compiling and scoring are outside of it.
    """

    per_scan_s: NDArray[np.float64]
    tracks: tuple[ScanTracks, ...]

    @property
    def settled_scan_s(self) -> float:
        """Median over the second half of the run, when the tracks are there."""
        return float(np.median(self.settled_s))

    @property
    def settled_s(self) -> NDArray[np.float64]:
        """The times of the second half of the run."""
        return self.per_scan_s[len(self.per_scan_s) // 2 :]
