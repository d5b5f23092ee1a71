"""The history: observations and tracks for questions, as Parquet files beside the record.

It is derived: whatever is in it was in the record before, and it can be made again from there.

    history/catalogue.sqlite
    history/observations/2026-09-12/000000000000-000000004712.parquet
    history/tracks/2026-09-12/...      history/identities/2026-09-12/...

A *part* holds the rows of entries `first` until before `end`, one file a kind, in the folder of
the day (UTC) on which they were recorded. A file is written under another name, synced, and then
renamed; the catalogue follows. Files never change. Small neighbours of a day are joined into
one file, and stay for `GRACE_S`, so that a copy that is under way, or a question, still finds
them: where two parts hold the same entries, the longer counts.
"""

from __future__ import annotations

import shutil
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from skykeep.codec import entries, wire
from skykeep.core.observation import Sensor
from skykeep.errors import RecordError
from skykeep.record.entry import Placed, read_leaf
from skykeep.store.history_catalogue import read_catalogue, write_catalogue
from skykeep.store.history_files import (
    FORMAT,
    KINDS,
    Box,
    Foot,
    HistoryFile,
    connect,
    described,
    join_files,
    read_foot,
    told,
    write_columns,
)
from skykeep.store.history_rows import Columns, Gathered
from skykeep.store.pseudonym import Pseudonyms
from skykeep.store.record_store import RecordStore
from skykeep.units import to_datetime

if TYPE_CHECKING:
    import duckdb

HISTORY_FOLDER = "history"
#: A part is closed when it has so many rows: some 100 MB of arrays.
PART_ROWS = 250_000
#: Neighbours are joined, so many at a time, as long as they make no more rows than this.
JOINED, JOINED_ROWS = 8, 2_000_000
#: Files that were joined stay so long. A copy of one day's folder takes less.
GRACE_S = 3_600.0
#: Entries fetched at a time.
WINDOW = 1_000


@dataclass(frozen=True, slots=True)
class Part:
    """Entries `first` until before `end`: their files, by kind; there may be none."""

    first: int
    end: int
    files: tuple[HistoryFile, ...]

    @property
    def day(self) -> str:
        """The folder that the files lie in."""
        return self.files[0].path.split("/")[1]

    @property
    def rows(self) -> int:
        """Of all kinds together."""
        return sum(f.foot.rows for f in self.files)


class History:
    """A history as it is on the disk, to be asked and to be continued.

    Whoever continues it holds the record; any number may ask. `parts` is replaced, not changed.
    """

    def __init__(self, folder: Path, threads: int = 1) -> None:
        """Look at what is there; a folder without a history is an empty one."""
        self.folder = folder
        self.db: duckdb.DuckDBPyConnection = connect(folder, threads)
        self.parts: tuple[Part, ...] = ()
        self._replaced: dict[str, float] = {}
        self.refresh()

    def refresh(self) -> None:
        """Look again: the catalogue, and the files that it does not know."""
        known, found = read_catalogue(self.folder), []
        for path in sorted(self.folder.glob("*/*/*.parquet")):
            name = path.relative_to(self.folder).as_posix()
            file = known.get(name)
            with suppress(FileNotFoundError):  # it was joined with others meanwhile
                if file is None or path.stat().st_size != file.size:
                    with told():
                        foot = read_foot(self.db, path)
                        file = None if foot is None else described(self.folder, path, foot)
                if file is not None:
                    found.append(file)
        self.parts = parts_of(found)

    def close(self) -> None:
        """Let go of the database in memory."""
        self.db.close()

    @property
    def end(self) -> int:
        """The entry that the history does not reach."""
        return self.parts[-1].end if self.parts else 0

    def files(self, kind: str) -> list[HistoryFile]:
        """The files of a kind, in the order of the record."""
        return [f for part in self.parts for f in part.files if f.foot.kind == kind]

    def gaps(self) -> list[tuple[int, int]]:
        """Entries (first, end) whose rows are not there although later ones are."""
        ends = [0, *(p.end for p in self.parts)]
        return [(e, p.first) for e, p in zip(ends, self.parts, strict=False) if e < p.first]

    def faults(self) -> Iterator[str]:
        """Files that are not as the catalogue has them, by their hash."""
        for part in self.parts:
            for file in part.files:
                path = self.folder / file.path
                if not path.exists():
                    yield f"{file.path} is missing"
                elif described(self.folder, path, file.foot).sha256 != file.sha256:
                    yield f"{file.path} was altered"

    def records(self) -> frozenset[str]:
        """The records that the files say they are of."""
        return frozenset(f.foot.record for part in self.parts for f in part.files)

    # -- for whoever holds the record -------------------------------------------------------

    def keep(self, parts: Sequence[Part]) -> None:
        """From here on these are the parts."""
        self.parts = tuple(parts)
        with told():
            self.folder.mkdir(parents=True, exist_ok=True)
            write_catalogue(self.folder, [f for p in parts for f in p.files])

    def clear(self, but: Sequence[Part] = ()) -> None:
        """Take away every file that belongs to no part of these."""
        kept = {f.path for p in but for f in p.files}
        with told():
            for kind in KINDS:
                for path in (self.folder / kind).glob("*/*.parquet*"):
                    if path.relative_to(self.folder).as_posix() not in kept:
                        path.unlink(missing_ok=True)
            shutil.rmtree(self.folder / "spill", ignore_errors=True)
        if read_catalogue(self.folder) == {f.path: f for p in but for f in p.files}:
            self.parts = tuple(but)
        else:
            self.keep(but)

    def join(self, now_s: float) -> None:
        """Join small parts that follow one another on a day, as long as there are any."""
        while len(run := joinable(self.parts)) > 1:
            made = self._joined(run)
            at = self.parts.index(run[0])
            self.keep((*self.parts[:at], made, *self.parts[at + len(run) :]))
            self._replaced |= {f.path: now_s for part in run for f in part.files}
        self.sweep(now_s - GRACE_S)

    def sweep(self, before_s: float) -> None:
        """Take away the files that were joined before then."""
        for path in [p for p, since_s in self._replaced.items() if since_s < before_s]:
            with told():
                (self.folder / path).unlink(missing_ok=True)
            del self._replaced[path]

    def _joined(self, run: Sequence[Part]) -> Part:
        sources = defaultdict(list)
        for part in run:
            for file in part.files:
                sources[file.foot.kind].append(file)
        kinds = tuple(kind for kind in KINDS if kind in sources)
        first, end, day = run[0].first, run[-1].end, run[0].day
        made = []
        for kind in kinds:
            feet = [f.foot for f in sources[kind]]
            foot = replace_foot(_together(feet), first, end, kinds, run[-1].files[0].foot.stations)
            path = self.path_of(kind, day, first, end)
            with told():
                join_files(self.db, path, foot, [self.folder / f.path for f in sources[kind]])
                made.append(described(self.folder, path, foot))
        return Part(first, end, tuple(made))

    def path_of(self, kind: str, day: str, first: int, end: int) -> Path:
        """Where a file goes."""
        return self.folder / kind / day / f"{first:012d}-{end:012d}.parquet"


def parts_of(files: Sequence[HistoryFile]) -> tuple[Part, ...]:
    """Whole parts in the order of the record; of those that hold the same entries the longest.

    A part is whole when each of its kinds has its file.
    """
    spans: dict[tuple[int, int], list[HistoryFile]] = defaultdict(list)
    for file in files:
        spans[file.foot.first, file.foot.end].append(file)
    found: list[Part] = []
    for (first, end), there in sorted(spans.items(), key=lambda s: (s[0][0], -s[0][1])):
        whole = {f.foot.kind for f in there} == set(there[0].foot.kinds)
        if whole and (not found or first >= found[-1].end):
            found.append(Part(first, end, tuple(sorted(there, key=_kind_of))))
    return tuple(found)


def _kind_of(file: HistoryFile) -> int:
    return KINDS.index(file.foot.kind)


def joinable(parts: Sequence[Part]) -> Sequence[Part]:
    """The first `JOINED` neighbours of a day that are small enough to be joined, if any."""
    for at in range(len(parts) - JOINED + 1):
        run = parts[at : at + JOINED]
        rows = [p.rows for p in run]
        whole = all(a.end == b.first for a, b in pairwise(run))
        # One that is much larger than the others waits: it would be written again each time.
        near = max(rows) <= sum(rows) / 2
        if whole and near and len({p.day for p in run}) == 1 and sum(rows) <= JOINED_ROWS:
            return run
    return ()


def replace_foot(
    foot: Foot, first: int, end: int, kinds: tuple[str, ...], stations: tuple[str, ...]
) -> Foot:
    """The foot of a file of another part."""
    return Foot(
        foot.v, foot.record, foot.kind, kinds, first, end, foot.rows, foot.from_ns, foot.to_ns,
        foot.box, foot.sensors, stations,
    )  # fmt: skip


def _together(feet: Sequence[Foot]) -> Foot:
    boxes = [f.box for f in feet if f.box is not None]
    box: Box | None = None
    if boxes:
        south, west, north, east = zip(*boxes, strict=True)
        box = (min(south), min(west), max(north), max(east))
    sensors = tuple(sorted({s for f in feet for s in f.sensors}))
    return Foot(
        FORMAT, feet[0].record, feet[0].kind, (), 0, 0, sum(f.rows for f in feet),
        min(f.from_ns for f in feet), max(f.to_ns for f in feet), box, sensors,
    )  # fmt: skip


class Follower:
    """Continues a history from its record, entry by entry; only one may at a time."""

    def __init__(self, history: History, store: RecordStore) -> None:
        """Take up where the history ends; files of another record, or behind a gap, go."""
        self.history = history
        (first,) = store.leaf_hashes(0, 1)
        self._record = first.hex()
        kept = _continuous(history.parts) if history.records() <= {self._record} else ()
        if kept and kept[-1].end > store.size:  # a record that was put back to an older copy
            kept = ()
        history.clear(kept)
        site = entries.site_of(store.facts(next(store.entries(0, 1))))
        known = kept[-1].files[0].foot.stations if kept else ()
        self._gathered = Gathered(site, [_sensor(s) for s in known])
        #: The first entry of the part that is open, and the one that is to be read next.
        self._first = self.next = history.end
        self._day: str | None = None

    @property
    def waiting_rows(self) -> int:
        """Rows that are in no file yet."""
        return self._gathered.rows

    def follow(
        self, store: RecordStore, most: int | None = None, say: Callable[[int], None] | None = None
    ) -> bool:
        """Read the next entries, at most so many; returns whether there are more.

        Whatever fills a part is closed into its files. `say` hears which entry it is at.
        """
        names = Pseudonyms(store)
        end = store.size if most is None else min(store.size, self.next + most)
        while self.next < end:
            for placed in store.entries(self.next, min(self.next + WINDOW, end)):
                self._take(store, names, placed)
            if say is not None:
                say(self.next)
        return end < store.size

    def _take(self, store: RecordStore, names: Pseudonyms, placed: Placed) -> None:
        leaf = read_leaf(placed.leaf)
        day = _day_of(leaf.at_ns)
        if self._gathered.rows >= PART_ROWS or (day != self._day and self._gathered.rows):
            self.close_part()
        if not self._gathered.rows:
            self._day = day
        self._gathered.take(store, names, placed, leaf)
        self.next = placed.index + 1

    def close_part(self) -> None:
        """Write what was gathered, and catalogue it; nothing where there is no row."""
        by_kind = self._gathered.columns()
        if not by_kind:
            return
        first, end, kinds = self._first, self.next, tuple(by_kind)
        day = self._day or "none"
        stations = tuple(wire.encode(s).decode() for s in self._gathered.stations.values())
        made = []
        for kind, columns in by_kind.items():
            foot = replace_foot(_foot(self._record, kind, columns), first, end, kinds, stations)
            path = self.history.path_of(kind, day, first, end)
            with told():
                write_columns(self.history.db, path, foot, columns)
                made.append(described(self.history.folder, path, foot))
        self.history.keep((*self.history.parts, Part(first, end, tuple(made))))
        self._gathered.clear()
        self._first = end


def _foot(record: str, kind: str, columns: Columns) -> Foot:
    at_ns = columns["at_ns"]
    box: Box | None = None
    if "lat_deg" in columns:
        lat, lon = columns["lat_deg"], columns["lon_deg"]
        known = np.isfinite(lat) & np.isfinite(lon)
        if known.any():
            lat, lon = lat[known], lon[known]
            box = (float(lat.min()), float(lon.min()), float(lat.max()), float(lon.max()))
    sensors: set[Any] = set(columns["sensor"]) if "sensor" in columns else set()
    return Foot(
        FORMAT, record, kind, (), 0, 0, len(at_ns), int(at_ns.min()), int(at_ns.max()), box,
        tuple(sorted(sensors)),
    )  # fmt: skip


def _continuous(parts: Sequence[Part]) -> tuple[Part, ...]:
    """The parts from the record's beginning to the first gap."""
    kept: list[Part] = []
    for part in parts:
        if part.first != (kept[-1].end if kept else 0):
            break
        kept.append(part)
    return tuple(kept)


def _sensor(said: str) -> Sensor:
    sensor = wire.decode(said.encode())
    if not isinstance(sensor, Sensor):
        raise RecordError("a file of the history names a sensor that is none: rebuild it")
    return sensor


def _day_of(at_ns: int) -> str:
    day: date = to_datetime(max(at_ns, 0)).date()
    return day.isoformat()
