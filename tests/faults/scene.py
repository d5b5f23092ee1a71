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
from skykeep.runtime import Input, Recorded
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
    """The record's own tables, to be altered."""
    db = sqlite3.connect(folder / name)
    try:
        with db:
            yield db
    finally:
        db.close()


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
