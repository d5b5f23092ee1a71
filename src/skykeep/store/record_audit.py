"""One walk over a stored record: order, leaves, hashes, and the roots that were signed."""

from __future__ import annotations

import sqlite3
from collections import deque
from collections.abc import Callable, Generator, Sequence

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
    sizes = deque(sorted(size for size in notes if size > 0))
    frontier, last_good = Frontier(), 0
    stored = read(db, -MAX_SIZE, MAX_SIZE)
    while True:
        try:
            group = next(stored)
        except StopIteration:
            break
        except RecordError as error:
            yield str(error)
            return frontier
        first, expected = group.first, frontier.size
        if first != expected:
            what = "is missing from the record" if first > expected else "is stored twice"
            yield f"entry {min(first, expected)} {what}"
            return frontier
        hashes = [*map(leaf_hash, group.leaves)]
        altered = _first_difference(hashes, group.hashes)
        del hashes[altered:]
        while hashes:
            # As far as the next root that was signed, or to the group's end.
            due = sizes[0] if sizes else MAX_SIZE
            part = hashes[: due - frontier.size]
            del hashes[: len(part)]
            frontier = frontier.extend(part)
            if frontier.size != due:
                continue
            fault = _head_fault(notes.pop(sizes.popleft()), signed, frontier, last_good)
            if fault:
                yield fault
                return frontier
            last_good = frontier.size
        if altered < len(group.hashes):
            yield f"entry {first + altered}: its leaf was altered"
            return frontier
    expected = frontier.size
    most = max([*notes, acknowledged])
    if most > expected:
        yield f"entry {expected} is missing: {most} were signed, {expected} are there"
    elif notes:
        yield f"a checkpoint is over {min(notes)} entries, which no record has"
    elif last_good != expected:
        yield f"no checkpoint is over entries {last_good} to {expected - 1}"
    return frontier


def _first_difference(one: Sequence[bytes], other: Sequence[bytes]) -> int:
    """Where two sequences of one length differ first; their length where they do not."""
    if list(one) == list(other):
        return len(one)
    return next(at for at, pair in enumerate(zip(one, other, strict=True)) if pair[0] != pair[1])


def _head_fault(
    note: bytes, signed: Callable[[bytes], Checkpoint], frontier: Frontier, last_good: int
) -> str:
    """What is wrong with a checkpoint over so many entries; empty where it holds."""
    try:
        said = signed(note)
    except RecordError as error:
        return f"the checkpoint over {frontier.size} entries: {error}"
    if (said.size, said.root) != (frontier.size, frontier.root()):
        return f"entries {last_good} to {frontier.size - 1} do not give the root signed over them"
    return ""
