"""The pure line: observations a second from batches to events, with the clock ticking.

The simulated night over the citadel, everything made beforehand, goes through the engine
as fast as it can.
"""

from __future__ import annotations

import time

from bench.figure import Figure
from skykeep.core.airspace import Airspace
from skykeep.core.event import Tick
from skykeep.core.observation import Batch
from skykeep.feed.citadel_night import citadel_night
from skykeep.runtime import Input

SEED = 1
RUNS = 3


def figures() -> list[Figure]:
    """The best of the runs: the work is the same each time, the machine is not."""
    night = citadel_night(SEED)
    items = list(night.items())
    observations = sum(len(item) for item in items if isinstance(item, Batch))
    best_s = min(_run(Airspace(night.site), items) for _ in range(RUNS))
    return [
        Figure(
            "the pure line: observations",
            observations / best_s,
            "1/s",
            note=f"{observations} observations of the night, best of {RUNS}",
        ),
        Figure(
            "the pure line: as fast as time",
            night.duration_s / best_s,
            "times",
            note="simulated seconds in a second, ticks at 1 Hz",
        ),
    ]


def _run(engine: Airspace, items: list[Input]) -> float:
    now_ns = 0
    start = time.perf_counter()
    for item in items:
        if isinstance(item, Batch):
            engine.receive(item)
        elif isinstance(item, Tick):
            now_ns = item.at_ns
            engine.advance(now_ns)
        else:
            engine.apply(item, now_ns)
    return time.perf_counter() - start
