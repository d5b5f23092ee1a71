"""The record on disk: one SQLite file for entries, one for the keys of sealed facts.

Duties: `append` returns after its entries, the keys that seal them and the checkpoint over
them have reached the disk (WAL, synchronous FULL: SQLite syncs the log at each commit). A
failure leaves nothing of the append; the store then refuses to go on until it is opened
again, and opening computes the root anew from the stored leaves.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from skykeep.errors import RecordError
from skykeep.record import checkpoint as checkpoints
from skykeep.record.checkpoint import Checkpoint
from skykeep.record.entry import (
    RECORD_KEY_BYTES,
    SEAL_KEY_BYTES,
    Entry,
    Placed,
    commitment,
    committed_to,
    hour_of,
    inner_root,
    keep_open,
    read_leaf,
    salt,
    seal,
    sealed_hour,
    unseal,
    write_leaf,
)
from skykeep.record.keys import (
    Ed25519Signer,
    ed25519_verifier,
    new_seed,
    parse_secret,
    signer,
)
from skykeep.record.merkle import Frontier, StoredTree, leaf_hash
from skykeep.record.note import Note

RECORD_FILE, KEYS_FILE = "record.sqlite", "keys.sqlite"
SECRET_FILE, PUBLIC_FILE = "log.skey", "log.vkey"
#: SQLite waits this long for another process's lock; there should be none.
BUSY_S = 2.0
#: Rows fetched at a time when the whole record is read.
PAGE = 2_000
#: A snapshot is no fact of the log; a place that no fact has keeps its nonces apart.
SNAPSHOT_PLACE = 0xFFFF_FFFF

_RECORD_TABLES = """
CREATE TABLE IF NOT EXISTS entries (
  idx INTEGER PRIMARY KEY, leaf BLOB NOT NULL, hash BLOB NOT NULL, facts BLOB NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS checkpoints (size INTEGER PRIMARY KEY, note BLOB NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS batches (
  batch_id TEXT PRIMARY KEY, idx INTEGER NOT NULL, digest BLOB NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS snapshots (size INTEGER PRIMARY KEY, sealed BLOB NOT NULL) STRICT;
"""
_KEY_TABLES = """
CREATE TABLE IF NOT EXISTS record_key (one INTEGER PRIMARY KEY CHECK (one = 1), key BLOB) STRICT;
CREATE TABLE IF NOT EXISTS seal_keys (
  source TEXT NOT NULL, hour INTEGER NOT NULL, key BLOB NOT NULL, PRIMARY KEY (source, hour)
) STRICT, WITHOUT ROWID;
"""


@dataclass(frozen=True, slots=True)
class KnownBatch:
    """A batch that is in the record: where, and what it said."""

    index: int
    digest: bytes


@dataclass(frozen=True, slots=True, eq=False)
class Staged:
    """Entries hashed and signed, ready for the disk; nothing of them is durable yet."""

    rows: list[tuple[int, bytes, bytes, bytes]]
    batches: list[tuple[str, int, bytes]]
    frontier: Frontier
    note: bytes
    snapshot: bytes | None


class RecordStore:
    """One record. Only one process may hold it; a lock says so."""

    def __init__(self, folder: Path, origin: str, audit: bool = False) -> None:
        """Open or begin a record; with `audit` a damaged one too, to look at only."""
        self.folder = folder
        self._broken: str | None = None
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._signer = _signer_in(folder, origin)
            self._db = _open(folder / RECORD_FILE, _RECORD_TABLES)
            self._keys = _open(folder / KEYS_FILE, _KEY_TABLES)
            self._record_key = self._own_key()
        except (sqlite3.Error, OSError) as error:
            raise RecordError(f"the record in {folder} cannot be opened: {error}") from None
        self._audit_size: int | None = None
        self._cache: dict[tuple[str, int], bytes] = {}
        self.frontier = Frontier()
        fault = next(self.faults(), None)
        if fault is not None and not audit:
            raise RecordError(f"the record in {folder} does not hold: {fault}")
        if audit:
            self._broken = fault or "it was opened to be looked at"
            last = self._db.execute("SELECT max(idx) FROM entries").fetchone()[0]
            self._audit_size = 0 if last is None else last + 1

    @property
    def size(self) -> int:
        """How many entries there are."""
        return self.frontier.size if self._audit_size is None else self._audit_size

    @property
    def signer(self) -> Ed25519Signer:
        """Who signs the checkpoints."""
        return self._signer

    def close(self) -> None:
        """Let go of the files; everything acknowledged is in them already."""
        self._db.close()
        self._keys.close()

    # -- writing --------------------------------------------------------------------------

    def append(
        self,
        entries: Sequence[Entry],
        batches: Sequence[tuple[str, int, bytes]] = (),
        snapshot: bytes | None = None,
    ) -> range:
        """Make entries durable under one signed checkpoint; returns their indices.

        `batches` are (batch id, offset in `entries`, digest) to be known by; `snapshot` is
        the engine's state after the last entry. RecordError if the disk did not take it:
        nothing of it is in the record then.
        """
        return self.commit(self.stage(entries, batches, snapshot))

    def stage(
        self,
        entries: Sequence[Entry],
        batches: Sequence[tuple[str, int, bytes]] = (),
        snapshot: bytes | None = None,
    ) -> Staged:
        """All of an append that needs no disk; the next stage waits for this one's commit."""
        self._check()
        first = self.size
        try:
            placed = [self._place(e, first + i) for i, e in enumerate(entries)]
            if snapshot is not None:
                snapshot = self._sealed_snapshot(snapshot, first + len(entries))
        except sqlite3.Error as error:
            raise self._broke(error) from None
        rows = [(p.index, p.leaf, p.hash, _pack(p.stored)) for p in placed]
        frontier = self.frontier.extend([row[2] for row in rows])
        known = [(b, first + offset, digest) for b, offset, digest in batches]
        return Staged(rows, known, frontier, self._checkpoint(frontier).to_bytes(), snapshot)

    def commit(self, staged: Staged) -> range:
        """Make durable what was staged last; SQLite works without holding up other threads."""
        self._check()
        first, size = self.size, staged.frontier.size
        if first + len(staged.rows) != size:
            raise RecordError("what was staged does not follow the record's last entry")
        try:
            if self._keys.in_transaction:
                self._keys.commit()  # the keys first: a sealed fact without its key is lost
            with self._db:
                self._db.executemany("INSERT INTO entries VALUES (?, ?, ?, ?)", staged.rows)
                self._db.executemany("INSERT INTO batches VALUES (?, ?, ?)", staged.batches)
                self._db.execute(
                    "INSERT OR REPLACE INTO checkpoints VALUES (?, ?)", (size, staged.note)
                )
                if staged.snapshot is not None:
                    self._db.execute("DELETE FROM snapshots")
                    self._db.execute(
                        "INSERT INTO snapshots VALUES (?, ?)", (size, staged.snapshot)
                    )
        except (sqlite3.Error, OSError) as error:
            raise self._broke(error) from None
        self.frontier = staged.frontier
        return range(first, size)

    def _check(self) -> None:
        if self._broken is not None:
            raise RecordError(f"the record stopped: {self._broken}. Open it again")

    def _broke(self, error: Exception) -> RecordError:
        self._broken = str(error)
        return RecordError(f"the disk did not take the record: {error}")

    def _place(self, entry: Entry, index: int) -> Placed:
        stored: list[bytes] = []
        commitments: list[bytes] = []
        for place, fact in enumerate(entry.facts):
            if fact.private:
                key, hour = self._seal_key(entry), hour_of(entry.at_ns)
                kept, committed = seal(key, hour, index, place, fact.data)
            else:
                kept, committed = keep_open(self._record_key, index, place, fact.data)
            stored.append(kept)
            commitments.append(committed)
        return Placed(index, write_leaf(entry, inner_root(commitments)), tuple(stored))

    def _checkpoint(self, frontier: Frontier) -> Note:
        said = Checkpoint(self._signer.name, frontier.size, frontier.root())
        return checkpoints.sign(said, [self._signer])

    def _seal_key(self, entry: Entry) -> bytes:
        return self._key_of(entry.source, hour_of(entry.at_ns), make=True) or b""

    def _key_of(self, source: str, hour: int, make: bool = False) -> bytes | None:
        known = self._cache.get((source, hour))
        if known is not None:
            return known
        row = self._keys.execute(
            "SELECT key FROM seal_keys WHERE source = ? AND hour = ?", (source, hour)
        ).fetchone()
        key: bytes | None = None if row is None else row[0]
        if key is None and make:
            key = os.urandom(SEAL_KEY_BYTES)
            self._keys.execute("INSERT INTO seal_keys VALUES (?, ?, ?)", (source, hour, key))
        if key is not None:
            self._cache[source, hour] = key
        return key

    def _own_key(self) -> bytes:
        row = self._keys.execute("SELECT key FROM record_key").fetchone()
        if row is None:
            with self._keys:
                key = os.urandom(RECORD_KEY_BYTES)
                self._keys.execute("INSERT INTO record_key VALUES (1, ?)", (key,))
            return key
        found: bytes = row[0]
        return found

    def _sealed_snapshot(self, snapshot: bytes, size: int) -> bytes:
        key = self._key_of("snapshot", 0, make=True) or b""
        return seal(key, 0, size, SNAPSHOT_PLACE, snapshot)[0]

    # -- reading --------------------------------------------------------------------------

    def entries(self, start: int = 0, end: int | None = None) -> Iterator[Placed]:
        """The entries from `start` until before `end`, as they are stored."""
        upto = self.size if end is None else end
        while start < upto:
            rows = self._db.execute(
                "SELECT idx, leaf, facts FROM entries WHERE idx >= ? AND idx < ? "
                "ORDER BY idx LIMIT ?",
                (start, upto, PAGE),
            ).fetchall()
            if not rows:
                return
            for index, leaf, facts in rows:
                yield Placed(index, leaf, _unpack(facts))
            start = rows[-1][0] + 1

    def facts(self, placed: Placed) -> tuple[bytes, ...]:
        """An entry's facts as they were handed in; RecordError where a key is gone."""
        source = read_leaf(placed.leaf).source
        return tuple(
            unseal(self._fact_key(source, stored), placed.index, place, stored)
            for place, stored in enumerate(placed.stored)
        )

    def _fact_key(self, source: str, stored: bytes) -> bytes | None:
        hour = sealed_hour(stored)
        return None if hour is None else self._key_of(source, hour)

    def check_facts(self, placed: Placed) -> None:
        """Whether the stored facts are those that the leaf commits to; else RecordError."""
        leaf = read_leaf(placed.leaf)
        if leaf.count != len(placed.stored):
            raise RecordError(
                f"entry {placed.index} ({leaf.kind}) has {len(placed.stored)} facts, "
                f"its leaf says {leaf.count}"
            )
        commitments = self.commitments(placed)
        if inner_root(commitments) != leaf.root:
            raise RecordError(f"entry {placed.index} ({leaf.kind}): a stored fact was altered")
        for place, stored in enumerate(placed.stored):
            key = self._fact_key(leaf.source, stored)
            if sealed_hour(stored) is None or key is None:
                continue
            data = unseal(key, placed.index, place, stored)
            if commitment(salt(key, placed.index, place), data) != commitments[place]:
                raise RecordError(f"entry {placed.index}, fact {place}: not what was committed")

    def commitments(self, placed: Placed) -> list[bytes]:
        """What stands for each of an entry's facts in its inner tree."""
        return [
            committed_to(self._record_key, placed.index, place, stored)
            for place, stored in enumerate(placed.stored)
        ]

    def salts(self, placed: Placed) -> list[bytes]:
        """The salts that disclose an entry's facts; RecordError where a key is gone."""
        source = read_leaf(placed.leaf).source
        found = []
        for place, stored in enumerate(placed.stored):
            sealed = sealed_hour(stored) is not None
            key = self._fact_key(source, stored) if sealed else self._record_key
            if key is None:
                raise RecordError(f"entry {placed.index}, fact {place}: its key is gone")
            found.append(salt(key, placed.index, place))
        return found

    def batch(self, batch_id: str) -> KnownBatch | None:
        """Where a batch is in the record, if it is."""
        row = self._db.execute(
            "SELECT idx, digest FROM batches WHERE batch_id = ?", (batch_id,)
        ).fetchone()
        return None if row is None else KnownBatch(row[0], row[1])

    def snapshot(self) -> tuple[int, bytes] | None:
        """The last snapshot and how many entries it takes in."""
        row = self._db.execute(
            "SELECT size, sealed FROM snapshots ORDER BY size DESC LIMIT 1"
        ).fetchone()
        if row is None or row[0] > self.size:
            return None
        return row[0], unseal(self._key_of("snapshot", 0), row[0], SNAPSHOT_PLACE, row[1])

    def checkpoint(self) -> bytes:
        """The newest signed checkpoint as a note; RecordError while there is none."""
        row = self._db.execute(
            "SELECT note FROM checkpoints WHERE size = ?", (self.size,)
        ).fetchone()
        if row is None:
            raise RecordError(f"there is no checkpoint over {self.size} entries")
        note: bytes = row[0]
        return note

    def tree(self) -> StoredTree:
        """The log's tree, for proofs."""

        def hashes(start: int, end: int) -> list[bytes]:
            rows = self._db.execute(
                "SELECT hash FROM entries WHERE idx >= ? AND idx < ? ORDER BY idx", (start, end)
            )
            return [row[0] for row in rows]

        return StoredTree(hashes)

    def faults(self) -> Iterator[str]:
        """Everything that does not hold between leaves, order, hashes and signed checkpoints."""
        signed = dict(self._db.execute("SELECT size, note FROM checkpoints"))
        frontier, last_good, expected = Frontier(), 0, 0
        rows = self._db.execute("SELECT idx, leaf, hash FROM entries ORDER BY idx")
        for index, leaf, kept in rows:
            if index != expected:
                yield f"entry {expected} is missing from the record"
                return
            if leaf_hash(leaf) != kept:
                yield f"entry {index}: its leaf was altered"
                return
            frontier = frontier.append(kept)
            expected += 1
            note = signed.pop(expected, None)
            if note is None:
                continue
            try:
                root = self._signed(note).root
            except RecordError as error:
                yield f"the checkpoint over {expected} entries: {error}"
                return
            if root != frontier.root():
                yield f"entries {last_good} to {expected - 1} do not give the root signed over them"
                return
            last_good = expected
        if signed:
            yield f"{max(signed)} entries were signed, {expected} are there"
        elif last_good != expected:
            yield f"no checkpoint is over entries {last_good} to {expected - 1}"
        self.frontier = frontier

    def _signed(self, note: bytes) -> Checkpoint:
        verifier = ed25519_verifier(self._signer.key)
        return checkpoints.check(note, self._signer.name, [verifier]).checkpoint


def _open(path: Path, tables: str) -> sqlite3.Connection:
    db = sqlite3.connect(path, timeout=BUSY_S, check_same_thread=False)
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = FULL")
    db.execute("PRAGMA locking_mode = EXCLUSIVE")
    db.executescript(tables)
    return db


def _signer_in(folder: Path, origin: str) -> Ed25519Signer:
    """The log's key; made, with the public half beside it, where there is none."""
    path = folder / SECRET_FILE
    if path.exists():
        return parse_secret(path.read_text(encoding="utf-8"))
    made = signer(origin, new_seed())
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(made.to_secret_text() + "\n")
        file.flush()
        os.fsync(file.fileno())
    (folder / PUBLIC_FILE).write_text(made.key.to_text() + "\n", encoding="utf-8")
    return made


def _pack(facts: Sequence[bytes]) -> bytes:
    """Facts one behind another, each after its length in four bytes."""
    return b"".join(len(f).to_bytes(4, "big") + f for f in facts)


def _unpack(data: bytes) -> tuple[bytes, ...]:
    facts, at = [], 0
    while at < len(data):
        length = int.from_bytes(data[at : at + 4], "big")
        fact = data[at + 4 : at + 4 + length]
        if len(fact) != length:
            raise RecordError("stored facts are cut short")
        facts.append(fact)
        at += 4 + length
    return tuple(facts)
