"""Groups as they lie on disk: whole again, in part, and damaged."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skykeep.errors import RecordError
from skykeep.record.merkle import leaf_hash
from skykeep.store import groups
from skykeep.store.groups import GROUPS_TABLE, Group

ITEMS = st.lists(st.tuples(st.binary(max_size=9), st.binary(max_size=9)), min_size=1, max_size=6)
Row = tuple[int, bytes, bytes, bytes]


@pytest.fixture
def db() -> Iterator[sqlite3.Connection]:
    with_table = memory()
    yield with_table
    with_table.close()


def memory() -> sqlite3.Connection:
    made = sqlite3.connect(":memory:")
    made.executescript(GROUPS_TABLE)
    return made


def group_of(first: int, items: list[tuple[bytes, bytes]]) -> Group:
    leaves = [leaf for leaf, _ in items]
    return Group(first, [leaf_hash(leaf) for leaf in leaves], leaves, [f for _, f in items])


def rows_of(group: Group) -> list[Row]:
    columns = (group.hashes, group.leaves, group.facts)
    numbers = range(group.first, group.end)
    return list(zip(numbers, *columns, strict=True))


@given(st.lists(ITEMS, min_size=1, max_size=30), st.integers(0, 200), st.integers(0, 200))
def test_what_was_written_is_read_from_and_to_anywhere(
    written: list[list[tuple[bytes, bytes]]], start: int, end: int
) -> None:
    db, rows = memory(), []
    assert groups.end_of(db) is None
    for items in written:
        group = group_of(len(rows), items)
        groups.insert(db, group)
        rows += rows_of(group)
        assert groups.end_of(db) == len(rows)
    read = list(groups.read(db, start, end))
    covered = [row for group in read for row in rows_of(group)]
    assert [row for row in covered if start <= row[0] < end] == rows[start:end]
    assert groups.hashes(db, start, end) == [row[1] for row in rows[start:end]]
    if rows[start:end]:  # and no group besides those
        assert read[0].first <= start < read[0].end
        assert read[-1].first < end
    db.close()


def test_a_large_group_is_several_rows(
    db: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(groups, "MOST_ENTRIES", 3)
    group = group_of(5, [(b"leaf %d" % i, b"facts %d" % i) for i in range(7)])
    groups.insert(db, group)
    read = list(groups.read(db, 0, 99))
    assert [(each.first, each.end) for each in read] == [(5, 8), (8, 11), (11, 12)]
    assert [row for each in read for row in rows_of(each)] == rows_of(group)


def test_what_grows_while_it_is_read_is_read_too(db: sqlite3.Connection) -> None:
    for index in range(groups._PAGE):
        groups.insert(db, group_of(index, [(b"a", b"")]))
    reading = groups.read(db, 0, 99)
    next(reading)
    groups.insert(db, group_of(groups._PAGE, [(b"b", b"")]))
    assert list(reading)[-1].leaves == [b"b"]


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ("hashes = substr(hashes, 2)", "hashes"),
        ("hashes = zeroblob(0)", "hashes"),
        ("hashes = CAST(zeroblob(64) AS TEXT)", "hashes"),
        ("hashes = CAST(hashes || zeroblob(32) AS BLOB)", "leaves"),
        ("leaves = substr(leaves, 1, length(leaves) - 1)", "leaves"),
        ("leaves = substr(leaves, 2)", "leaves"),
        ("leaves = zeroblob(0)", "leaves"),
        ("leaves = CAST(leaves AS TEXT)", "leaves"),
        ("leaves = CAST(x'ffffffff' || substr(leaves, 5) AS BLOB)", "leaves"),
        ("facts = CAST(facts || x'00' AS BLOB)", "facts"),
        ("facts = x'0001'", "facts"),
    ],
)
def test_a_damaged_row_is_named_with_its_first_entry(
    db: sqlite3.Connection, change: str, what: str
) -> None:
    groups.insert(db, group_of(7, [(b"leaf", b"facts"), (b"leaf", b"facts")]))
    db.executescript(  # not STRICT: as a torn page may have it
        "ALTER TABLE groups RENAME TO kept;"
        "CREATE TABLE groups (first INTEGER PRIMARY KEY, hashes, leaves, facts);"
        f"INSERT INTO groups SELECT * FROM kept; UPDATE groups SET {change};"
    )
    with pytest.raises(RecordError, match=rf"^entry 7 .*: their {what} are damaged"):
        list(groups.read(db, 0, 99))
