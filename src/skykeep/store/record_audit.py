"""One walk over a stored record: order, leaves, hashes, and the roots that were signed."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Generator, Iterator
from itertools import count

from skykeep.errors import RecordError
from skykeep.record.checkpoint import Checkpoint
from skykeep.record.merkle import MAX_SIZE, Frontier, leaf_hash
from skykeep.store.groups import read


def walk(
    db: sqlite3.Connection, signed: Callable[[bytes], Checkpoint], acknowledged: int
) -> Generator[str, None, Frontier]:
    """Names what does not hold; the value is the tree's edge as far as it does.

    `signed` says what a checkpoint says, or raises RecordError; `acknowledged` is a size that
    is known from elsewhere to have been signed.
    """
    notes = dict(db.execute("SELECT size, note FROM checkpoints"))
    frontier, last_good, expected = Frontier(), 0, 0
    entries = _entries(db)
    while True:
        try:
            index, leaf, kept = next(entries)
        except StopIteration:
            break
        except RecordError as error:
            yield str(error)
            return frontier
        if index != expected:
            what = "is missing from the record" if index > expected else "is stored twice"
            yield f"entry {min(index, expected)} {what}"
            return frontier
        if leaf_hash(leaf) != kept:
            yield f"entry {index}: its leaf was altered"
            return frontier
        frontier = frontier.append(kept)
        expected += 1
        note = notes.pop(expected, None)
        if note is None:
            continue
        try:
            said = signed(note)
        except RecordError as error:
            yield f"the checkpoint over {expected} entries: {error}"
            return frontier
        if (said.size, said.root) != (frontier.size, frontier.root()):
            yield f"entries {last_good} to {expected - 1} do not give the root signed over them"
            return frontier
        last_good = expected
    most = max([*notes, acknowledged])
    if most > expected:
        yield f"entry {expected} is missing: {most} were signed, {expected} are there"
    elif notes:
        yield f"a checkpoint is over {min(notes)} entries, which no record has"
    elif last_good != expected:
        yield f"no checkpoint is over entries {last_good} to {expected - 1}"
    return frontier


def _entries(db: sqlite3.Connection) -> Iterator[tuple[int, bytes, bytes]]:
    """Number, leaf and stored hash of every entry."""
    for group in read(db, -MAX_SIZE, MAX_SIZE):
        yield from zip(count(group.first), group.leaves, group.hashes)
