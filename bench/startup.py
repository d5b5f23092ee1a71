"""How long a person waits for `skykeep --help`, and how much of it is Python's own start."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from bench.figure import Figure

RUNS = 15
#: Under a third of a second, help feels immediate.
AIM_S = 0.3


def median_wall_s(command: Sequence[str], runs: int = RUNS) -> float:
    """Median wall time in s of a command, after one run that warms the disk's cache."""
    times_s: list[float] = []
    for run in range(runs + 1):
        begun = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
        if run:
            times_s.append(time.perf_counter() - begun)
    return statistics.median(times_s)


def figures() -> list[Figure]:
    """Start-up of the installed command beside an empty Python program."""
    skykeep_s = median_wall_s([str(Path(sys.executable).with_name("skykeep")), "--help"])
    python_s = median_wall_s([sys.executable, "-c", "pass"])
    return [
        Figure("skykeep --help", skykeep_s, "s", AIM_S, less_is_better=True, note=f"of {RUNS}"),
        Figure("python -c pass, for comparison", python_s, "s", note=f"of {RUNS}"),
    ]
