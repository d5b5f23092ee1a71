"""Entries on disk: one row for the entries that became durable together.

A row for each entry costs SQLite more than everything else about it. A group's row holds its
first entry's number and three columns; with `n` entries:

    hashes   n leaf hashes of 32 bytes
    leaves   n lengths of 4 bytes, big-endian, then the leaves
    facts    n lengths of 4 bytes, big-endian, then each entry's facts (`record.entry.pack_fact`)
"""

from __future__ import annotations

import sqlite3
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

from skykeep.errors import RecordError
from skykeep.record.merkle import HASH_BYTES

GROUPS_TABLE = """
CREATE TABLE IF NOT EXISTS groups (
  first INTEGER PRIMARY KEY, hashes BLOB NOT NULL, leaves BLOB NOT NULL, facts BLOB NOT NULL
) STRICT;
"""
#: More go into several rows: to read one entry is to read its row.
MOST_ENTRIES = 1_000
#: Rows fetched at a time; between two fetches the record may grow.
_PAGE = 20
_LENGTH_BYTES = 4


@dataclass(frozen=True, slots=True, eq=False)
class Group:
    """Entries that follow one another; `facts` are each entry's, packed."""

    first: int
    hashes: Sequence[bytes]
    leaves: Sequence[bytes]
    facts: Sequence[bytes]

    @property
    def end(self) -> int:
        """The number behind the last entry's."""
        return self.first + len(self.hashes)


def insert(db: sqlite3.Connection, group: Group) -> None:
    """Write a group's rows; the transaction is the caller's."""
    for at in range(0, len(group.hashes), MOST_ENTRIES):
        part = slice(at, at + MOST_ENTRIES)
        db.execute(
            "INSERT INTO groups VALUES (?, ?, ?, ?)",
            (
                group.first + at,
                b"".join(group.hashes[part]),
                _packed(group.leaves[part]),
                _packed(group.facts[part]),
            ),
        )


def end_of(db: sqlite3.Connection) -> int | None:
    """The number behind the last stored entry's; None where there is no entry."""
    row = db.execute(
        "SELECT first, length(hashes) FROM groups ORDER BY first DESC LIMIT 1"
    ).fetchone()
    return None if row is None else row[0] + row[1] // HASH_BYTES


def read(db: sqlite3.Connection, start: int, end: int) -> Iterator[Group]:
    """The groups that hold entries from `start` until before `end`, as they are stored.

    RecordError names a group that is not stored as this format stores it.
    """
    after = _first_before(db, start)
    while True:
        rows = db.execute(
            "SELECT first, hashes, leaves, facts FROM groups "
            "WHERE first >= ? AND first < ? ORDER BY first LIMIT ?",
            (after, end, _PAGE),
        ).fetchall()
        for first, hashes, leaves, facts in rows:
            yield _read(first, hashes, leaves, facts)
        if len(rows) < _PAGE:
            return
        after = rows[-1][0] + 1


def as_far_as_readable(first: int, hashes: bytes, leaves: bytes, facts: bytes) -> Group:
    """A stored group, empty where leaves or facts are damaged; RecordError without its hashes."""
    empty = _packed([b""] * (len(hashes) // HASH_BYTES)) if type(hashes) is bytes else b""
    columns = [leaves, facts]
    for at, data in enumerate(columns):
        try:
            _read(first, hashes, data, empty)
        except RecordError:
            columns[at] = empty
    return _read(first, hashes, *columns)


def hashes(db: sqlite3.Connection, start: int, end: int) -> list[bytes]:
    """The leaf hashes from `start` until before `end`, as far as they are there."""
    found: list[bytes] = []
    rows = db.execute(
        "SELECT first, hashes FROM groups WHERE first >= ? AND first < ? ORDER BY first",
        (_first_before(db, start), end),
    )
    for first, kept in rows:
        low, high = max(start - first, 0), min(end - first, len(kept) // HASH_BYTES)
        spots = range(low * HASH_BYTES, high * HASH_BYTES, HASH_BYTES)
        found += [kept[at : at + HASH_BYTES] for at in spots]
    return found


def leaves(db: sqlite3.Connection, start: int, end: int) -> list[bytes]:
    """The leaves from `start` until before `end`, as far as they are there; no fact is read."""
    found: list[bytes] = []
    rows = db.execute(
        "SELECT first, hashes, leaves FROM groups WHERE first >= ? AND first < ? ORDER BY first",
        (_first_before(db, start), end),
    )
    for first, kept, packed in rows:
        parts = _parted(first, len(kept) // HASH_BYTES, "leaves", packed)
        found += parts[max(start - first, 0) : max(end - first, 0)]
    return found


def _first_before(db: sqlite3.Connection, index: int) -> int:
    """Where the group begins that would hold an entry."""
    row = db.execute("SELECT max(first) FROM groups WHERE first <= ?", (index,)).fetchone()
    return index if row[0] is None else int(row[0])


def _packed(items: Sequence[bytes]) -> bytes:
    return struct.pack(f">{len(items)}I", *map(len, items)) + b"".join(items)


def _read(first: int, hashes: bytes, leaves: bytes, facts: bytes) -> Group:
    """Only bytes leave SQLite as long as its file is sound; a torn page may say anything."""
    count, rest = divmod(len(hashes), HASH_BYTES) if type(hashes) is bytes else (0, 0)
    if rest or not count:
        raise RecordError(f"entry {first} and those stored with it: their hashes are damaged")
    found = [
        _parted(first, count, name, data) for name, data in (("leaves", leaves), ("facts", facts))
    ]
    kept = [hashes[at : at + HASH_BYTES] for at in range(0, len(hashes), HASH_BYTES)]
    return Group(first, kept, *found)


def _parted(first: int, count: int, name: str, data: bytes) -> list[bytes]:
    begin = count * _LENGTH_BYTES
    sound = type(data) is bytes and len(data) >= begin
    lengths = struct.unpack_from(f">{count}I", data) if sound else ()
    if not sound or begin + sum(lengths) != len(data):
        raise RecordError(f"entry {first} and those stored with it: their {name} are damaged")
    return [data[low:high] for low, high in pairwise(accumulate(lengths, initial=begin))]
