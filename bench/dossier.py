"""Checking the demo's dossier with the offline verifier, and writing it."""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path

from bench.figure import Figure
from skykeep.commands.demo import follow_up, play
from skykeep.dossier.build import Order, build_dossier
from skykeep.feed.citadel_night import citadel_night
from skykeep.runtime import Recorded
from skykeep.store.record_store import PUBLIC_FILE
from skykeep.verify import verifier

SEED = 1
RUNS = 5
AIM_S = 1.0


def figures() -> list[Figure]:
    """The night once through the record, then its dossier written once and checked often."""
    night = citadel_night(SEED)
    with tempfile.TemporaryDirectory() as folder:
        desk = Recorded(Path(folder), night.site)
        try:
            scorer = play(night, desk)
            incident = follow_up(night, desk, scorer)
            if incident is None:
                raise RuntimeError("the night made no incident")
            start = time.perf_counter()
            data = build_dossier(desk.store, incident, Order())
            wrote_s = time.perf_counter() - start
        finally:
            desk.close()
        key = verifier.read_key((Path(folder) / PUBLIC_FILE).read_text(encoding="utf-8"))
    times = []
    for _ in range(RUNS):
        start = time.perf_counter()
        report = verifier.verify(data, key)
        times.append(time.perf_counter() - start)
        if not report.holds:
            raise RuntimeError(f"the dossier does not hold:\n{report}")
    size = f"{len(data) / 1e6:.0f} MB, median of {RUNS}"
    return [
        Figure(
            "the demo's dossier: checked",
            statistics.median(times),
            "s",
            AIM_S,
            less_is_better=True,
            note=size,
        ),
        Figure("the demo's dossier: written", wrote_s, "s", note="once"),
    ]
