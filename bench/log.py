"""The record as a public log: beside a tile writer of others, and a million entries checked.

The peer, aics-tlog, is fetched into a folder of its own. Both make the same leaves durable under a
signed checkpoint, group after group; the record keeps each entry's salted facts too.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from bench.figure import Figure
from bench.record import AT_NS, FACT, GROUPS, RUN_S, appends, folder_on_disk
from skykeep.record.entry import Entry, Fact
from skykeep.store.record_store import RecordStore

PACKAGE = "aics-tlog==0.2.1"
ENTRIES, VERIFY_AIM_S = 1_000_000, 3.0
ORIGIN = "bench/skykeep"
#: A leaf of the record is so long: a line of JSON.
LEAF_BYTES = 150


def figures() -> list[Figure]:
    """Ours beside the peer's by size of group; then how long a million entries take to check."""
    found: list[Figure] = []
    with folder_on_disk() as folder, tempfile.TemporaryDirectory() as fetched:
        peer = _fetched(Path(fetched))
        for group in GROUPS:
            ours, _ = appends(group, folder / f"ours-{group}")
            theirs = None if peer is None else _peer_appends(peer, group, folder / f"peer-{group}")
            found.append(_beside(group, ours, theirs))
        found.append(_verified(folder / "million"))
    return found


def _beside(group: int, ours: float, theirs: float | None) -> Figure:
    name = f"the log: appends in groups of {group}, beside aics-tlog's tile writer"
    if theirs is None:
        return Figure(name, ours, "1/s", note=f"alone: {PACKAGE} could not be fetched")
    return Figure(name, ours / theirs, "times", note=f"{ours:.0f}/s beside {theirs:.0f}/s")


def _fetched(folder: Path) -> Any | None:
    python = getattr(sys, "_base_executable", sys.executable)
    options = ["--no-deps", "--ignore-requires-python", "--disable-pip-version-check", "-q"]
    command = [python, "-m", "pip", "install", *options, "--target", str(folder), PACKAGE]
    if subprocess.run(command, check=False, capture_output=True).returncode:
        return None
    sys.path.insert(0, str(folder))
    try:
        import aics_tlog  # type: ignore[import-not-found]
    finally:
        sys.path.remove(str(folder))
    return aics_tlog


def _peer_appends(peer: Any, group: int, folder: Path) -> float:
    """Entries a second: tiles and a signed checkpoint, each written and synced."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    key = Ed25519PrivateKey.generate()
    store = peer.DirectoryTileStore(folder, fsync=True)
    writer = peer.IncrementalTileWriter(store)
    size = groups = 0
    begun = time.perf_counter()
    while time.perf_counter() < begun + RUN_S:
        leaves = [b"%0*d" % (LEAF_BYTES, size + n) for n in range(group)]
        writer.append(leaves)
        size, groups = size + group, groups + 1
        head = peer.Checkpoint(ORIGIN, size, writer.root())
        store.write_checkpoint(peer.sign_checkpoint(head, key, ORIGIN).to_bytes())
    return size / (time.perf_counter() - begun)


def _verified(folder: Path) -> Figure:
    """Every leaf hashed anew, the tree built, each root held against its signed checkpoint."""
    store = RecordStore(folder, ORIGIN)
    try:
        entries = [Entry("batch", AT_NS, "radar-1", (Fact(FACT),)) for _ in range(1_000)]
        while store.size < ENTRIES:
            store.append(entries)
        times = []
        for _ in range(3):
            begun = time.perf_counter()
            faults = list(store.faults())
            times.append(time.perf_counter() - begun)
            assert faults == [], faults
    finally:
        store.close()
    note = f"median of 3; {ENTRIES // 1_000} signed checkpoints on the way"
    return Figure(
        "the log: a million entries checked", statistics.median(times), "s",
        aim=VERIFY_AIM_S, less_is_better=True, note=note,
    )  # fmt: skip
