"""The durable record: entries a second by the size of the groups that share one sync.

An entry holds one small open fact. The record lies on the disk that the repository is on;
beside the figures stands what that disk takes for one synced write of the same bytes.
"""

from __future__ import annotations

import os
import shutil
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.figure import Figure
from skykeep.record.entry import Entry, Fact
from skykeep.store.record_store import RecordStore

ROOT = Path(__file__).parents[1]
GROUPS = (1, 10, 100, 1_000)
AIMED = 100
AIM_PER_S = 150_000.0
#: Long enough for SQLite to move its log into the database several times.
RUN_S = 2.0
FACT = b"[1789249688000000000,[2835.65,12.943,28.98],[10.0,0.4,1.0],null]"
AT_NS = 1_789_249_688_000_000_000
SYNCS = 200


def figures() -> list[Figure]:
    """Appends a second for each size of group, and the disk's own time for a sync."""
    with folder_on_disk() as folder:
        found = [_figure(group, folder / str(group)) for group in GROUPS]
        sync_s = _sync_s(folder / "synced", len(FACT) * 4 * AIMED)
    note = f"{len(FACT) * 4 * AIMED / 1_000:.0f} kB overwritten and synced, median of {SYNCS}"
    return [*found, Figure("the record: the disk alone", sync_s * 1e6, "us", note=note)]


def _figure(group: int, folder: Path) -> Figure:
    per_s, median_s = appends(group, folder)
    return Figure(
        f"the record: appends in groups of {group}",
        per_s,
        "1/s",
        aim=AIM_PER_S if group == AIMED else None,
        note=f"durable after {median_s * 1e6:.0f} us in the median",
    )


def appends(group: int, folder: Path) -> tuple[float, float]:
    """Entries a second, and the median time of a group in seconds."""
    store = RecordStore(folder, "bench/skykeep")
    entries = [Entry("batch", AT_NS, "radar-1", (Fact(FACT),)) for _ in range(group)]
    try:
        for _ in range(20):
            store.append(entries)
        times: list[float] = []
        begun = time.perf_counter()
        while (now := time.perf_counter()) < begun + RUN_S:
            store.append(entries)
            times.append(time.perf_counter() - now)
        took_s = time.perf_counter() - begun
    finally:
        store.close()
    return len(times) * group / took_s, statistics.median(times)


def _sync_s(path: Path, size: int) -> float:
    """The median time in seconds to write so many bytes over others and sync them."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT)
    try:
        times = []
        for _ in range(SYNCS):
            begun = time.perf_counter()
            os.pwrite(descriptor, os.urandom(size), 0)
            os.fdatasync(descriptor)
            times.append(time.perf_counter() - begun)
    finally:
        os.close(descriptor)
    return statistics.median(times)


@contextmanager
def folder_on_disk() -> Iterator[Path]:
    """A folder beside the sources: what is measured is the disk they lie on."""
    folder = Path(tempfile.mkdtemp(prefix=".bench-", dir=ROOT))
    try:
        yield folder
    finally:
        shutil.rmtree(folder)
