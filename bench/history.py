"""The history: rows a second from the record into files, and what a box then takes to answer.

A simulated day: four radars report aircraft on their ways and echoes all over 20 km, in batches
of 200. The record of it is written first and not measured. Beside it a plain peer does the same
work: the same rows, read from the same record, in one SQLite table with an R*Tree over places
and an index over time, asked for the same boxes.

    python -m bench.history --rows 10000000
"""

from __future__ import annotations

import argparse
import sqlite3
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from bench.figure import Figure
from bench.record import folder_on_disk
from skykeep.codec import entries
from skykeep.core.airspace import RegisterSensor, Site
from skykeep.core.event import Actor
from skykeep.core.geo import Frame, Terrain
from skykeep.core.observation import Batch, Coverage, Form, Sensor, SensorKind
from skykeep.record.entry import read_leaf
from skykeep.store.history import PART_ROWS, Follower, History
from skykeep.store.history_files import COLUMNS, OBSERVATIONS
from skykeep.store.history_query import Wanted, find_observations
from skykeep.store.history_rows import Columns, Gathered
from skykeep.store.pseudonym import Pseudonyms
from skykeep.store.record_store import RecordStore
from skykeep.units import NS_PER_S, BatchId, SensorId

#: What the figures are for: 10 million in 10 minutes.
AIM_PER_S = 10_000_000 / 600.0
AIM_BOX_MS = 50.0
#: `make bench` does a tenth of it.
ROWS = 1_000_000
BATCH_ROWS = 200
#: Entries that share a sync while the record is made.
GROUP = 500
START_NS = 1_789_171_200 * NS_PER_S  # 2026-09-12T00:00:00Z
DAY_S = 86_400.0
FRAME = Frame(49.61, 6.13, 300.0)
SITE = Site("city", "a site", FRAME, Terrain(300.0, 300.0, 0.0, 0.0), "UTC")
RADARS = tuple(
    Sensor(
        SensorId(f"radar-{i}"), SensorKind.RADAR, 49.61 + 0.01 * i, 6.13, 300.0,
        Coverage(1.0, 20_000.0), 1.0,
    )
    for i in range(4)
)  # fmt: skip
REACH_M = 10_000.0
BOX_M = 500.0
BOXES = 100
#: Half of the rows are of so many aircraft on circles of their own; the others are echoes.
AIRCRAFT = 400


def figures(rows: int = ROWS) -> list[Figure]:
    """Writes the history of so many rows, and asks both for boxes of an hour and of the day."""
    with folder_on_disk() as folder:
        _record(folder / "record", rows)
        store = RecordStore(folder / "record", "", audit=True)
        history, peer = History(folder / "history", threads=2), Peer(folder / "peer.sqlite")
        try:
            ours_s, theirs_s = _write(store, history), peer.follow(store)
            found = [_written(history, peer, rows, ours_s, theirs_s)]
            for words, hours in (("of an hour", 1.0), ("of the day", 24.0)):
                found += _asked(history, peer, words, hours)
            return found
        finally:
            history.close()
            peer.close()
            store.close()


def _written(history: History, peer: Peer, rows: int, ours_s: float, theirs_s: float) -> Figure:
    size = sum(f.size for p in history.parts for f in p.files)
    return Figure(
        "the history: rows from the record into files", rows / ours_s, "1/s", aim=AIM_PER_S,
        note=f"{rows / 1e6:g} million in {ours_s:.0f} s, {len(history.parts)} parts, "
        f"{size / rows:.0f} bytes a row; SQLite with an R*Tree: {rows / theirs_s:.0f} 1/s, "
        f"{peer.size / rows:.0f} bytes a row",
    )  # fmt: skip


def _asked(history: History, peer: Peer, words: str, hours: float) -> list[Figure]:
    """The time of a box, one after another in one process, ours and the peer's."""
    random = np.random.default_rng(7)
    wanted = []
    for _ in range(BOXES):
        east, north = random.uniform(-REACH_M, REACH_M - BOX_M, 2)
        south, west, _ = FRAME.to_geodetic(east, north, 0.0)
        top, right, _ = FRAME.to_geodetic(east + BOX_M, north + BOX_M, 0.0)
        from_ns = START_NS + int(random.uniform(0.0, DAY_S - hours * 3_600.0) * NS_PER_S)
        box = (south, west, top, right)
        wanted.append(Wanted(from_ns, from_ns + int(hours * 3_600 * NS_PER_S), box))
    ours, counts = _times(lambda w: len(find_observations(history, w).rows), wanted)
    theirs, same = _times(peer.find, wanted)
    spoiled = "" if counts == same else "the peer finds other rows"
    note = (
        f"{BOXES} boxes of {BOX_M:g} m with {np.mean(counts):.0f} rows each; "
        f"SQLite with an R*Tree: {np.median(theirs):.1f} ms, {np.quantile(theirs, 0.99):.1f} ms"
    )
    name = f"the history: a box {words}"
    half, most = float(np.median(ours)), float(np.quantile(ours, 0.99))
    return [
        Figure(f"{name}, p50", half, "ms", AIM_BOX_MS, True, note, spoiled),
        Figure(f"{name}, p99", most, "ms", AIM_BOX_MS, True, note, spoiled),
    ]


def _times(find: Callable[[Wanted], int], wanted: list[Wanted]) -> tuple[list[float], list[int]]:
    took, counts = [], []
    for one in wanted:
        begun = time.perf_counter()
        counts.append(find(one))
        took.append((time.perf_counter() - begun) * 1e3)
    return took, counts


def _write(store: RecordStore, history: History) -> float:
    """Seconds from the record into joined files, as `skykeep history rebuild` does it."""
    begun = time.perf_counter()
    follower = Follower(history, store)
    while follower.follow(store, PART_ROWS // BATCH_ROWS):
        history.join(0.0)
    follower.close_part()
    history.join(0.0)
    history.sweep(1.0)
    return time.perf_counter() - begun


class Peer:
    """The same rows in one table of SQLite, with an R*Tree and an index over time."""

    def __init__(self, path: Path) -> None:
        self.names = [n for n in COLUMNS[OBSERVATIONS] if n not in ("cell", "pseudonym")]
        self._path, self._rows = path, 0
        self._db = sqlite3.connect(path)
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute(f"CREATE TABLE rows ({', '.join(map(_quoted, self.names))})")
        self._db.execute("CREATE VIRTUAL TABLE places USING rtree(id, south, north, west, east)")
        self._db.execute("CREATE INDEX times ON rows (at_ns)")

    @property
    def size(self) -> int:
        """Bytes on the disk."""
        return self._path.stat().st_size

    def follow(self, store: RecordStore) -> float:
        """Seconds from the record into the table."""
        begun = time.perf_counter()
        gathered, names = Gathered(SITE), Pseudonyms(store)
        for placed in store.entries(1):
            gathered.take(store, names, placed, read_leaf(placed.leaf))
            if gathered.rows >= PART_ROWS:
                self._take(gathered.columns()[OBSERVATIONS])
                gathered.clear()
        if gathered.rows:
            self._take(gathered.columns()[OBSERVATIONS])
        self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return time.perf_counter() - begun

    def _take(self, columns: Columns) -> None:
        lists = [columns[name].tolist() for name in self.names]
        lat, lon = columns["lat_deg"].tolist(), columns["lon_deg"].tolist()
        ids = range(self._rows + 1, self._rows + 1 + len(lat))
        marks = ", ".join("?" * len(lists))
        with self._db:
            self._db.executemany(f"INSERT INTO rows VALUES ({marks})", zip(*lists, strict=True))
            self._db.executemany(
                "INSERT INTO places VALUES (?, ?, ?, ?, ?)",
                zip(ids, lat, lat, lon, lon, strict=True),
            )
        self._rows += len(lat)

    def find(self, wanted: Wanted) -> int:
        """How many rows it finds, all of them fetched."""
        assert wanted.box is not None
        south, west, north, east = wanted.box
        rows = self._db.execute(
            "SELECT rows.* FROM places JOIN rows ON rows.rowid = places.id "
            "WHERE places.north >= ? AND places.south <= ? AND places.east >= ? "
            "AND places.west <= ? AND lat_deg BETWEEN ? AND ? AND lon_deg BETWEEN ? AND ? "
            "AND at_ns >= ? AND at_ns < ? ORDER BY at_ns",
            (south, north, west, east, south, north, west, east, wanted.from_ns, wanted.to_ns),
        ).fetchall()
        return len(rows)

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()


def _quoted(name: str) -> str:
    return f'"{name}"'


def _record(folder: Path, rows: int) -> None:
    """The day as a record: batches of the radars in turn."""
    store = RecordStore(folder, "bench/skykeep")
    actor = Actor("bench", "configuration")
    registered = [
        entries.command_entry(RegisterSensor(actor, s), entries.COMMAND, START_NS) for s in RADARS
    ]
    try:
        store.append([entries.site_entry(SITE, 0), *registered])
        batches, random = rows // BATCH_ROWS, np.random.default_rng(1)
        for first in range(0, batches, GROUP):
            numbers = range(first, min(first + GROUP, batches))
            store.append([entries.batch_entry(_batch(n, batches, random)) for n in numbers])
    finally:
        store.close()


def _batch(number: int, batches: int, random: np.random.Generator) -> Batch:
    """One turn of a radar: aircraft on their circles, then echoes anywhere."""
    at_s = DAY_S * number / batches
    flying = np.arange(number % 4, AIRCRAFT, 4)[: BATCH_ROWS // 2]
    turn = at_s / 120.0 + flying
    centre = np.column_stack([np.sin(flying * 12.9898), np.sin(flying * 78.233)]) * REACH_M * 0.8
    circling = centre + 800.0 * np.column_stack([np.cos(turn), np.sin(turn)])
    echoes = random.uniform(-REACH_M, REACH_M, (BATCH_ROWS - len(flying), 2))
    east, north = np.concatenate([circling, echoes]).T
    radar = RADARS[number % 4]
    _, off, _ = FRAME.to_enu(radar.lat_deg, radar.lon_deg, radar.height_hae_m)
    range_m, azimuth = np.hypot(east, north - off), np.degrees(np.arctan2(east, north - off)) % 360
    values: Any = np.column_stack([range_m, azimuth, np.full(len(east), 2.0)]).round(3)
    at_ns = START_NS + int(at_s * NS_PER_S)
    return Batch(
        BatchId(f"{radar.sensor_id}:{number}"), radar.sensor_id, at_ns + 50_000_000, Form.POLAR,
        at_ns + np.arange(BATCH_ROWS, dtype=np.int64) * 5_000_000, values,
        np.tile([10.0, 0.4, 1.0], (BATCH_ROWS, 1)), np.full((BATCH_ROWS, 3), np.nan),
        np.zeros(BATCH_ROWS, np.int8), np.tile([0.7, 0.1, 0.1, 0.1], (BATCH_ROWS, 1)),
    )  # fmt: skip


def main() -> int:
    """Print the figures of any number of rows."""
    parser = argparse.ArgumentParser(prog="python -m bench.history")
    parser.add_argument("--rows", type=int, default=ROWS)
    for figure in figures(parser.parse_args().rows):
        print(f"{figure.name}: {figure.measured:.4g} {figure.unit} ({figure.note})")
    return 0


if __name__ == "__main__":
    sys.exit(main())
