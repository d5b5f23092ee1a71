"""What verifies of a damaged record, copied into a new folder; the damaged one is not touched.

Entries are taken up to the last signed checkpoint whose root they give. Where a leaf is damaged
and its hash is not, the hash stands in for it, so that all behind it can still be proven: the
entry is empty then, and named. The log's secret key comes along only if nothing is lost: a record
that went on from a shorter one would be a second history of the same log.
"""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path

from skykeep.errors import InputError, RecordError
from skykeep.record.entry import unpack_facts
from skykeep.record.keys import PublicKey
from skykeep.record.merkle import Frontier, leaf_hash
from skykeep.store import groups
from skykeep.store.durable import make_folder, sync_folder, write_synced
from skykeep.store.groups import Group
from skykeep.store.key_handover import KeyHistory, settle
from skykeep.store.record_files import (
    DATABASE_ERRORS,
    KEY_TABLES,
    KEYS_FILE,
    NEWEST_FILE,
    PUBLIC_FILE,
    RECORD_FILE,
    RECORD_TABLES,
    SECRET_FILE,
    damage,
    has_begun,
    log_keys,
    newest_note,
    open_database,
)
from skykeep.store.record_store import RecordStore

_LOGS = ("-wal", "-journal")
_KEY_ROWS = ("record_key", "seal_keys", "hold_keys", "held")


@dataclass(slots=True)
class Salvaged:
    """What is in the new folder: `entries` of the `signed` ones, and what is missing of them."""

    entries: int = 0
    signed: int = 0
    empty: list[int] = field(default_factory=list)
    #: Private facts whose keys are not there, destroyed or lost.
    unreadable: int = 0
    #: What else could not be taken, in words.
    lost: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)

    @property
    def is_whole(self) -> bool:
        """Whether the new record can go on where the damaged one ended."""
        return self.entries == self.signed and not self.empty and not self.lost


def salvage(folder: Path, to: Path) -> Salvaged:
    """Copy what verifies from a record into a folder that is not there yet.

    InputError for a folder that is there; RecordError where nothing can be saved or the disk
    does not take it: then there is no new folder.
    """
    if to.exists():
        raise InputError(str(to), "is there already", "Name a new folder: nothing is overwritten")
    if not has_begun(folder):
        raise RecordError(f"there is no record in {folder}, or it is empty")
    try:
        make_folder(to.resolve().parent)
        # SQLite writes to what it opens, if only to end its log: it gets a copy.
        with tempfile.TemporaryDirectory(prefix=".salvage-", dir=to.resolve().parent) as place:
            copy, made = Path(place) / "damaged", Path(place) / "made"
            copy.mkdir()
            made.mkdir()
            found = Salvaged(left=_copied(folder, copy))
            _salvage(copy, made, found)
            sync_folder(made)
            made.rename(to)
        sync_folder(to.resolve().parent)
    except (*DATABASE_ERRORS, OSError) as error:
        raise RecordError(f"nothing could be saved from {folder}: {error}") from None
    return found


def _copied(folder: Path, copy: Path) -> list[str]:
    """Copies the record's files; the names of what else there is."""
    own = {RECORD_FILE, KEYS_FILE, PUBLIC_FILE, SECRET_FILE, NEWEST_FILE}
    own |= {name + end for name in (RECORD_FILE, KEYS_FILE) for end in _LOGS}
    left = []
    for path in sorted(folder.iterdir()):
        if path.name in own:
            shutil.copyfile(path, copy / path.name)
        else:
            left.append(path.name)
    return left


def _salvage(copy: Path, made: Path, found: Salvaged) -> None:
    log = log_keys(copy, "", audit=True)
    with (
        closing(sqlite3.connect(copy / RECORD_FILE)) as old,
        closing(open_database(made / RECORD_FILE, RECORD_TABLES)) as new,
    ):
        log, history = settle(copy, old, log, audit=True)
        _entries(old, new, history, found)
        found.signed = max(found.entries, _most_signed(copy, old, history))
        if not found.entries:
            raise RecordError("no entry is under a signed checkpoint that holds")
        _rows(old, new, "handovers", "", found)
        _rows(old, new, "batches", f"idx < {found.entries}", found)
        _rows(old, new, "snapshots", f"size <= {found.entries}", found)
        _rows(old, new, "erasing", "", found)
    with (
        closing(sqlite3.connect(copy / KEYS_FILE)) as old,
        closing(open_database(made / KEYS_FILE, KEY_TABLES)) as new,
    ):
        found.lost += damage(old, KEYS_FILE)
        for table in _KEY_ROWS:
            _rows(old, new, table, "", found)
    write_synced(made / PUBLIC_FILE, log.public.to_text(), 0o644)
    _facts(made, found, log.public)
    if found.is_whole and log.signer is not None:
        write_synced(made / SECRET_FILE, log.signer.to_secret_text(), 0o600)


def _entries(
    old: sqlite3.Connection, new: sqlite3.Connection, history: KeyHistory, found: Salvaged
) -> None:
    """Copies groups up to each checkpoint that holds, until none does any more."""
    frontier, waiting, doubtful = Frontier(), list[Group](), list[int]()
    ended = ""
    try:
        for group, bad in _groups(old):
            waiting.append(group)
            doubtful += bad
            note = _note(old, group.end)
            if note is None or not _is_signed(history, note, group.end):
                continue
            grown = _grown(frontier, waiting, history.check(note).root)
            if grown is None:
                ended = f"entries {found.entries} to {group.end - 1} do not give the signed root"
                break
            frontier, taken = grown
            with new:
                for one in taken:
                    groups.insert(new, one)
                new.execute("INSERT INTO checkpoints VALUES (?, ?)", (group.end, note))
            found.empty += [i for i in doubtful if _is_empty(taken, i)]
            found.entries = group.end
            waiting.clear()
            doubtful.clear()
    except DATABASE_ERRORS as error:
        ended = str(error)
    except RecordError as error:
        ended = str(error)
    if ended:
        found.lost.append(f"behind entry {found.entries - 1} it cannot be read on: {ended}")


def _groups(db: sqlite3.Connection) -> Iterator[tuple[Group, list[int]]]:
    """The groups one by one, and which of their entries do not fit the hashes beside them."""
    expected = 0
    while True:
        row = db.execute(
            "SELECT first, hashes, leaves, facts FROM groups WHERE first >= ? "
            "ORDER BY first LIMIT 1",
            (expected,),
        ).fetchone()
        if row is None:
            return
        if row[0] != expected:
            raise RecordError(f"entry {expected} is missing from the record")
        group = _readable(groups.as_far_as_readable(*row))
        fits = map(lambda leaf, kept: leaf_hash(leaf) == kept, group.leaves, group.hashes)
        yield group, [index for index, fit in zip(count(group.first), fits) if not fit]
        expected = group.end


def _readable(group: Group) -> Group:
    """The group without the facts that cannot even be taken apart: they would end all reading."""
    facts = list(group.facts)
    for at, packed in enumerate(facts):
        try:
            unpack_facts(group.first + at, packed)
        except RecordError:
            facts[at] = b""
    return replace(group, facts=facts)


def _grown(
    frontier: Frontier, waiting: list[Group], root: bytes
) -> tuple[Frontier, list[Group]] | None:
    """The groups as the signed root has them: by their stored hashes, or by their leaves."""
    by_hash = frontier
    for group in waiting:
        by_hash = by_hash.extend(group.hashes)
    if by_hash.root() == root:
        return by_hash, [_emptied(group) for group in waiting]
    by_leaf, taken = frontier, []
    for group in waiting:
        hashes = [leaf_hash(leaf) for leaf in group.leaves]
        by_leaf = by_leaf.extend(hashes)
        taken.append(Group(group.first, hashes, group.leaves, group.facts))
    return (by_leaf, taken) if by_leaf.root() == root else None


def _emptied(group: Group) -> Group:
    """The group without the leaves and facts that its hashes do not prove."""
    fits = [leaf_hash(a) == b for a, b in zip(group.leaves, group.hashes, strict=True)]
    leaves = [leaf if fit else b"" for leaf, fit in zip(group.leaves, fits, strict=True)]
    facts = [fact if fit else b"" for fact, fit in zip(group.facts, fits, strict=True)]
    return Group(group.first, group.hashes, leaves, facts)


def _is_empty(taken: list[Group], index: int) -> bool:
    return any(g.first <= index < g.end and not g.leaves[index - g.first] for g in taken)


def _note(db: sqlite3.Connection, size: int) -> bytes | None:
    row = db.execute("SELECT note FROM checkpoints WHERE size = ?", (size,)).fetchone()
    return row[0] if row is not None and type(row[0]) is bytes else None


def _is_signed(history: KeyHistory, note: bytes, size: int) -> bool:
    try:
        return history.check(note).size == size
    except RecordError:
        return False


def _most_signed(copy: Path, db: sqlite3.Connection, history: KeyHistory) -> int:
    """The largest size that is known to have been signed."""
    notes = [newest_note(copy)]
    try:
        row = db.execute("SELECT note FROM checkpoints ORDER BY size DESC LIMIT 1").fetchone()
        notes += [None if row is None else row[0]]
    except DATABASE_ERRORS:
        pass  # then the file beside it is all that is known
    most = 0
    for note in notes:
        try:
            most = max(most, history.check(note).size if type(note) is bytes else 0)
        except RecordError:
            continue
    return most


def _rows(
    old: sqlite3.Connection, new: sqlite3.Connection, table: str, where: str, found: Salvaged
) -> None:
    """Copies rows as far as they can be read."""
    condition = f" WHERE {where}" if where else ""
    try:
        with new:
            for row in old.execute(f"SELECT * FROM {table}{condition}"):
                marks = ", ".join("?" * len(row))
                new.execute(f"INSERT OR IGNORE INTO {table} VALUES ({marks})", row)
    except DATABASE_ERRORS as error:
        found.lost.append(f"the table {table} cannot be read whole: {error}")


def _facts(made: Path, found: Salvaged, public: PublicKey) -> None:
    """Names the entries whose leaves hold and whose facts do not; counts those without a key."""
    store = RecordStore(made, public.name, audit=True)
    try:
        entries, following, empty = store.entries(), 0, set(found.empty)
        while following < found.entries:
            following += 1
            try:
                placed = next(entries)
                if placed.index not in empty:
                    store.check_facts(placed)
                    found.unreadable += store.readable(placed).count(None)
            except RecordError as error:
                found.lost.append(str(error))
                entries = store.entries(following)
    finally:
        store.close()
