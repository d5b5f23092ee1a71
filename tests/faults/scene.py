"""A short stretch of the simulated night, recorded: what the fault tests damage."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from skykeep.commands.recompute import recompute
from skykeep.core.event import Tick
from skykeep.feed.citadel_night import Night, citadel_night
from skykeep.record.entry import read_leaf
from skykeep.record.merkle import MAX_SIZE
from skykeep.runtime import Input, Recorded
from skykeep.store import groups
from skykeep.store.groups import Group
from skykeep.store.record_store import RECORD_FILE
from skykeep.units import NS_PER_S

SEED = 3
#: Inputs that become durable together; a number that ticks and turns do not divide by.
GROUP = 7
UNTIL_S = 65
SHORT_S = 8


def night() -> Night:
    return citadel_night(SEED)


def stretch(whole: Night, until_s: float) -> list[Input]:
    """The night's first inputs."""
    items: list[Input] = []
    for item in whole.items():
        if isinstance(item, Tick) and item.at_ns > whole.start_ns + until_s * NS_PER_S:
            break
        items.append(item)
    return items


def record(folder: Path, whole: Night, items: Sequence[Input]) -> None:
    """The inputs, in groups, into a record."""
    recorded = Recorded(folder, whole.site)
    try:
        for start in range(0, len(items), GROUP):
            for answer in recorded.take(items[start : start + GROUP]):
                assert answer.refused is None
    finally:
        recorded.close()


@contextmanager
def database(folder: Path, name: str = RECORD_FILE) -> Iterator[sqlite3.Connection]:
    """The record's own tables, to be altered; its entries also one by one, as `entries`."""
    db = sqlite3.connect(folder / name)
    try:
        with db:
            if name == RECORD_FILE:
                _spread(db)
            yield db
            if name == RECORD_FILE:
                _gather(db)
    finally:
        db.close()


def _spread(db: sqlite3.Connection) -> None:
    """Every entry as a row of its own, in a table that lasts as long as the connection."""
    db.execute("CREATE TEMP TABLE entries (idx INTEGER PRIMARY KEY, leaf, hash, facts, group_at)")
    for group in groups.read(db, 0, MAX_SIZE):
        columns = (group.leaves, group.hashes, group.facts)
        for index, row in enumerate(zip(*columns, strict=True), group.first):
            db.execute("INSERT INTO entries VALUES (?, ?, ?, ?, ?)", (index, *row, group.first))


def _gather(db: sqlite3.Connection) -> None:
    """The entries as they now are back into the groups that they came from."""
    db.execute("DELETE FROM groups")
    rows = db.execute("SELECT idx, leaf, hash, facts, group_at FROM entries ORDER BY idx")
    runs: list[list[Any]] = []
    for row in rows:
        if not runs or runs[-1][-1][0] + 1 != row[0] or runs[-1][-1][4] != row[4]:
            runs.append([])
        runs[-1].append(row)
    for run in runs:
        numbers, leaves, hashes, facts, _ = zip(*run, strict=True)
        groups.insert(db, Group(numbers[0], hashes, leaves, facts))


def one(db: sqlite3.Connection, query: str, *values: Any) -> Any:
    """The first column of the first row."""
    return db.execute(query, values).fetchone()[0]


def entries_of(folder: Path, kind: str) -> list[int]:
    """The numbers of a kind's entries."""
    with database(folder) as db:
        rows = db.execute("SELECT idx, leaf FROM entries ORDER BY idx").fetchall()
    return [index for index, leaf in rows if read_leaf(leaf).kind == kind]


def middle(folder: Path, kind: str) -> int:
    found = entries_of(folder, kind)
    assert found
    return found[len(found) // 2]


def faults(folder: Path) -> list[str]:
    return recompute(folder).faults


def set_facts(folder: Path, index: int, change: Callable[[bytes], bytes]) -> None:
    with database(folder) as db:
        facts = one(db, "SELECT facts FROM entries WHERE idx = ?", index)
        altered = change(facts)
        assert altered != facts
        db.execute("UPDATE entries SET facts = ? WHERE idx = ?", (altered, index))


def a_digit(data: bytes, behind: bytes) -> bytes:
    """The same with one digit behind a mark another one."""
    at = data.index(behind) + len(behind)
    while not chr(data[at]).isdigit():
        at += 1
    return data[:at] + (b"1" if data[at : at + 1] != b"1" else b"2") + data[at + 1 :]
