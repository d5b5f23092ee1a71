"""The record on disk: one SQLite file for entries, one for the keys of sealed facts.

Duties: `append` returns after its entries, the keys that seal them and the checkpoint over
them have reached the disk (WAL, synchronous FULL: SQLite syncs the log at each commit). A
failure leaves nothing of the append; the store then refuses to go on until it is opened
again, and opening computes the root anew from the stored leaves. It is longer than other files
because all that touches the two databases together stands here.
"""

from __future__ import annotations

import copy
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import count, groupby
from pathlib import Path

from skykeep.errors import RecordError
from skykeep.record import checkpoint as checkpoints
from skykeep.record.checkpoint import Checkpoint
from skykeep.record.entry import (
    RECORD_KEY_BYTES,
    SEAL_KEY_BYTES,
    Entry,
    FactKey,
    Placed,
    Salts,
    commitment,
    committed_to,
    hour_of,
    inner_root,
    is_brief,
    keep_open,
    key_source,
    pack_fact,
    read_leaf,
    seal,
    sealed_hour,
    unpack_facts,
    unseal,
    write_leaf,
    write_open,
)
from skykeep.record.keys import Ed25519Signer, PublicKey
from skykeep.record.merkle import Frontier, StoredTree, leaf_hash
from skykeep.record.note import Note
from skykeep.store import erasure, groups, holds
from skykeep.store.durable import make_folder
from skykeep.store.groups import Group
from skykeep.store.holds import HeldFact
from skykeep.store.key_handover import change_key, documents, settle
from skykeep.store.record_audit import walk
from skykeep.store.record_files import (
    DATABASE_ERRORS,
    KEYS_FILE,
    PUBLIC_FILE,
    RECORD_FILE,
    RECORD_TABLES,
    SECRET_FILE,
    Newest,
    damage,
    empty_log,
    has_begun,
    log_keys,
    newest_note,
    open_database,
    open_keys,
)

__all__ = ["KEYS_FILE", "PUBLIC_FILE", "RECORD_FILE", "SECRET_FILE", "RecordStore"]

#: A snapshot is no fact of the log; a place that no fact has keeps its seal apart.
SNAPSHOT_PLACE = 0xFFFF_FFFF
#: No sensor is called this: the snapshots' key is theirs alone.
SNAPSHOT_SOURCE = "\x00snapshot"
#: Nor is a batch's digest; its place gives it a salt of its own.
DIGEST_PLACE = 0xFFFF_FFFE


@dataclass(frozen=True, slots=True)
class KnownBatch:
    """A batch that is in the record: where, and what it said.

    The digest of one with sealed facts is salted under their key: with the key goes the means
    to hold a guess against it.
    """

    index: int
    digest: bytes


@dataclass(frozen=True, slots=True, eq=False)
class Staged:
    """Entries hashed and signed, ready for the disk; nothing of them is durable yet."""

    group: Group
    batches: list[tuple[str, int, bytes]]
    frontier: Frontier
    note: bytes
    snapshot: bytes | None
    erase: tuple[tuple[str, int], ...] = ()


def _is_one_open(entry: Entry) -> bool:
    return len(entry.facts) == 1 and not entry.facts[0].private


class RecordStore:
    """One record. Only one process may hold it; a lock says so."""

    def __init__(self, folder: Path, origin: str, audit: bool = False) -> None:
        """Open or begin a record; with `audit` a damaged one too, to look at only."""
        self.folder = folder
        self._broken: str | None = None
        self._audit_size: int | None = None
        self._cache: dict[tuple[str, int], FactKey] = {}
        self.frontier = Frontier()
        try:
            make_folder(folder)
            if audit and not has_begun(folder):
                raise RecordError(f"there is no record in {folder}, or it is empty")
            log = log_keys(folder, origin, audit)
            self._db = open_database(folder / RECORD_FILE, RECORD_TABLES)
        except (*DATABASE_ERRORS, OSError) as error:
            raise RecordError(f"the record in {folder} cannot be opened: {error}") from None
        try:
            log, self.history = settle(folder, self._db, log, audit)
        except (*DATABASE_ERRORS, OSError, RecordError) as error:
            self._db.close()
            raise RecordError(f"the keys of the log in {folder} do not fit: {error}") from None
        self._public, self._signer = log.public, log.signer
        self._newest = Newest(folder)
        try:
            self._keys = open_keys(folder, audit)
        except (*DATABASE_ERRORS, OSError) as error:
            self._db.close()
            raise RecordError(f"the keys in {folder} cannot be opened: {error}") from None
        try:
            self._begin(log.faults, audit)
        except (*DATABASE_ERRORS, OSError, RecordError) as error:
            self.close()
            raise RecordError(
                f"the record in {folder} does not hold: {error}. What verifies can be saved: "
                f"skykeep salvage {folder} --to NEW"
            ) from None

    def _begin(self, faults: Sequence[str], audit: bool) -> None:
        end = groups.end_of(self._db)
        self._record_key = self._own_key(end is None)
        self._salts = Salts(self._record_key)
        #: What is missing beside the entries themselves.
        self.key_faults = (*faults, *damage(self._keys, KEYS_FILE))
        if not self._record_key:
            gone = f"{KEYS_FILE} has no key of the record: its facts cannot be checked"
            self.key_faults = (*faults, gone)
        if audit:
            self._broken = "it was opened to be looked at"
            self._audit_size = end or 0
            return
        fault = next(iter(self.key_faults), None) or next(self.faults(), None)
        if fault is not None:
            raise RecordError(fault)
        self._destroy()  # what a crash left half done

    @property
    def size(self) -> int:
        """How many entries there are."""
        return self.frontier.size if self._audit_size is None else self._audit_size

    @property
    def signer(self) -> Ed25519Signer:
        """Who signs the checkpoints; RecordError if that key is gone."""
        if self._signer is None:
            raise RecordError(f"{SECRET_FILE} is missing")
        return self._signer

    @property
    def has_record_key(self) -> bool:
        """Whether open facts can be held against their leaves."""
        return bool(self._record_key)

    @property
    def public_key(self) -> PublicKey:
        """The key that the checkpoints are checked with."""
        return self._public

    def as_it_is(self) -> RecordStore:
        """The record as it is now, to be read while it grows, on another thread too.

        It shares the files: whoever closes the record ends this too (sqlite3.ProgrammingError).
        """
        view = copy.copy(self)
        view._audit_size, view._broken = self.size, "it was opened to be looked at"
        view._salts, view._cache = Salts(self._record_key), {}  # a cipher is one thread's own
        return view

    def close(self) -> None:
        """Let go of the files; everything acknowledged is in them already."""
        self._db.close()
        self._keys.close()
        self._newest.close()

    # -- writing --------------------------------------------------------------------------

    def append(
        self,
        entries: Sequence[Entry],
        batches: Sequence[tuple[str, int, bytes]] = (),
        snapshot: bytes | None = None,
        erase: Sequence[tuple[str, int]] = (),
    ) -> range:
        """Make entries durable under one signed checkpoint; returns their indices.

        `batches` are (batch id, offset in `entries`, digest) to be known by; `snapshot` is
        the engine's state after the last entry; `erase` the keys (source, hour) that are
        destroyed once all of it is durable. RecordError if the disk did not take it: nothing of
        it is in the record then.
        """
        return self.commit(self.stage(entries, batches, snapshot, erase))

    def stage(
        self,
        entries: Sequence[Entry],
        batches: Sequence[tuple[str, int, bytes]] = (),
        snapshot: bytes | None = None,
        erase: Sequence[tuple[str, int]] = (),
    ) -> Staged:
        """All of an append that needs no disk; the next stage waits for this one's commit."""
        self._check()
        if not entries:
            raise RecordError("nothing is to be recorded")
        if erase and snapshot is None:
            raise RecordError("keys are destroyed only behind a snapshot: what went before is gone")
        first = self.size
        try:
            group = self._group(entries, first)
            if snapshot is not None:
                snapshot = self._sealed_snapshot(
                    snapshot, first + len(entries), hour_of(entries[-1].at_ns)
                )
        except (*DATABASE_ERRORS, RecordError) as error:
            raise self._broke(error) from None
        frontier = self.frontier.extend(group.hashes)
        known = [
            (b, first + offset, self._salted(entries[offset], first + offset, digest))
            for b, offset, digest in batches
        ]
        note = self._checkpoint(frontier).to_bytes()
        return Staged(group, known, frontier, note, snapshot, tuple(erase))

    def commit(self, staged: Staged) -> range:
        """Make durable what was staged last; SQLite works without holding up other threads."""
        self._check()
        first, size = self.size, staged.group.end
        if first != staged.group.first:
            raise RecordError("what was staged does not follow the record's last entry")
        try:
            if self._keys.in_transaction:
                self._keys.commit()  # the keys first: a sealed fact without its key is lost
            with self._db:
                groups.insert(self._db, staged.group)
                self._db.executemany("INSERT INTO batches VALUES (?, ?, ?)", staged.batches)
                self._db.execute(
                    "INSERT OR REPLACE INTO checkpoints VALUES (?, ?)", (size, staged.note)
                )
                if staged.snapshot is not None:
                    self._db.execute("DELETE FROM snapshots")
                    self._db.execute("INSERT INTO snapshots VALUES (?, ?)", (size, staged.snapshot))
                if staged.erase:
                    self._db.executemany(
                        "INSERT OR IGNORE INTO erasing VALUES (?, ?)", staged.erase
                    )
            if staged.erase:
                self._destroy()
        except (*DATABASE_ERRORS, OSError) as error:
            raise self._broke(error) from None
        self._newest.write(staged.note)
        self.frontier = staged.frontier
        return range(first, size)

    def _destroy(self) -> None:
        erasure.destroy(self._db, self._keys, SNAPSHOT_SOURCE)
        self._cache.clear()

    def sealing_keys(self) -> list[tuple[str, int]]:
        """The keys (source, hour) that there are, but for the snapshots'."""
        try:
            return [k for k in erasure.sealing_keys(self._keys) if k[0] != SNAPSHOT_SOURCE]
        except DATABASE_ERRORS as error:
            raise RecordError(f"the keys cannot be read: {error}") from None

    def sealing_key(self, source: str, hour: int) -> FactKey | None:
        """The key of a source and hour; None where there is none, or none any more."""
        return self._key_of(source, hour)

    def hold(self, name: str, facts: Sequence[HeldFact]) -> None:
        """Keep facts past the end of their keys; durable when it returns."""
        self._on_keys(lambda: holds.hold(self._keys, name, facts))

    def release(self, name: str) -> None:
        """Let go of what a hold kept: where its keys are gone, it is gone."""
        self._on_keys(lambda: holds.release(self._keys, name))
        try:
            empty_log(self._keys)
        except (*DATABASE_ERRORS, OSError) as error:
            raise self._broke(error) from None

    def holds(self) -> tuple[str, ...]:
        """The holds that keep any fact."""
        return holds.names(self._keys)

    def _on_keys(self, change: Callable[[], None]) -> None:
        self._check()
        try:
            with self._keys:
                change()
        except (*DATABASE_ERRORS, OSError) as error:
            raise self._broke(error) from None

    def _check(self) -> None:
        if self._broken is not None:
            raise RecordError(f"the record stopped: {self._broken}. Open it again")

    def _broke(self, error: Exception) -> RecordError:
        self._broken = str(error)
        return RecordError(f"this could not be recorded: {error}")

    def _group(self, entries: Sequence[Entry], first: int) -> Group:
        """Entries at their places: leaves, their hashes, and facts as they are stored."""
        leaves: list[bytes] = []
        facts: list[bytes] = []
        for alone, run in groupby(entries, _is_one_open):
            if alone:
                written = write_open(self._salts, list(run), first + len(leaves))
            else:
                written = (self._written(e, i) for i, e in enumerate(run, first + len(leaves)))
            for leaf, packed in written:
                leaves.append(leaf)
                facts.append(packed)
        return Group(first, list(map(leaf_hash, leaves)), leaves, facts)

    def _written(self, entry: Entry, index: int) -> tuple[bytes, bytes]:
        """Any entry's leaf and its facts as they are stored."""
        packed: list[bytes] = []
        commitments: list[bytes] = []
        hour = hour_of(entry.at_ns)
        salts = iter(
            self._salts.many((index, p) for p, f in enumerate(entry.facts) if not f.private)
        )
        for place, fact in enumerate(entry.facts):
            if fact.private:
                key = self._made_key(key_source(entry.source, fact.brief), hour)
                kept, committed = seal(key, hour, index, place, fact.data, fact.brief)
            else:
                kept, committed = keep_open(next(salts), fact.data)
            packed.append(pack_fact(kept))
            commitments.append(committed)
        return write_leaf(entry, inner_root(commitments)), b"".join(packed)

    def _salted(self, entry: Entry, index: int, digest: bytes) -> bytes:
        if not any(fact.private for fact in entry.facts):
            return digest
        key = self._made_key(entry.source, hour_of(entry.at_ns))
        return commitment(key.salts(index, DIGEST_PLACE), digest)

    def said_before(self, known: KnownBatch, digest: bytes) -> bool | None:
        """Whether a known batch has this content; None where its key is gone: nobody can tell."""
        (placed,) = self.entries(known.index, known.index + 1)
        hour = next((h for s in placed.stored if (h := sealed_hour(s)) is not None), None)
        if hour is None:
            return known.digest == digest
        key = self._key_of(read_leaf(placed.leaf).source, hour)
        if key is None:
            return None
        return known.digest == commitment(key.salts(known.index, DIGEST_PLACE), digest)

    def _checkpoint(self, frontier: Frontier) -> Note:
        said = Checkpoint(self.signer.name, frontier.size, frontier.root())
        return checkpoints.sign(said, [self.signer])

    def _made_key(self, source: str, hour: int) -> FactKey:
        """The key of a source and hour, made if there is none; durable with the next commit."""
        known = self._key_of(source, hour)
        if known is None:
            known = self._cache[source, hour] = FactKey(os.urandom(SEAL_KEY_BYTES))
            try:
                self._keys.execute(
                    "INSERT INTO seal_keys VALUES (?, ?, ?)", (source, hour, known.data)
                )
            except DATABASE_ERRORS as error:
                raise RecordError(f"a key cannot be written: {error}") from None
        return known

    def _key_of(self, source: str, hour: int) -> FactKey | None:
        known = self._cache.get((source, hour))
        if known is not None:
            return known
        try:
            row = self._keys.execute(
                "SELECT key FROM seal_keys WHERE source = ? AND hour = ?", (source, hour)
            ).fetchone()
        except DATABASE_ERRORS as error:
            raise RecordError(f"the keys cannot be read: {error}") from None
        if row is None:
            return None
        if type(row[0]) is not bytes or len(row[0]) != SEAL_KEY_BYTES:
            raise RecordError(f"the key of {source!r} for hour {hour} is no key")
        known = self._cache[source, hour] = FactKey(row[0])
        return known

    def _own_key(self, new: bool) -> bytes:
        """The record's key, made for a record without entries; empty if it is gone."""
        row = self._keys.execute("SELECT key FROM record_key WHERE one = 1").fetchone()
        if row is None and new:
            with self._keys:
                key = os.urandom(RECORD_KEY_BYTES)
                self._keys.execute("INSERT INTO record_key VALUES (1, ?)", (key,))
            return key
        return row[0] if row is not None and type(row[0]) is bytes else b""

    def _sealed_snapshot(self, snapshot: bytes, size: int, hour: int) -> bytes:
        """Under a key of its hour: with older ones' keys what they held is gone."""
        key = self._made_key(SNAPSHOT_SOURCE, hour)
        return seal(key, hour, size, SNAPSHOT_PLACE, snapshot)[0]

    # -- reading --------------------------------------------------------------------------

    def entries(self, start: int = 0, end: int | None = None) -> Iterator[Placed]:
        """The entries from `start` until before `end`, as they are stored."""
        upto = self.size if end is None else end
        try:
            for group in groups.read(self._db, start, upto):
                low, high = max(start - group.first, 0), min(upto, group.end) - group.first
                leaves, facts = group.leaves[low:high], group.facts[low:high]
                for index, leaf, packed in zip(count(group.first + low), leaves, facts):
                    yield Placed(index, leaf, unpack_facts(index, packed))
        except DATABASE_ERRORS as error:
            raise RecordError(f"entry {start} or one behind it: {error}") from None

    def packed(self) -> Iterator[tuple[int, bytes, bytes]]:
        """Each entry's number, leaf and facts as they lie in their group: for whoever reads all."""
        try:
            for group in groups.read(self._db, 0, self.size):
                upto = min(self.size, group.end) - group.first
                rows = zip(count(group.first), group.leaves[:upto], group.facts[:upto])
                yield from rows
        except DATABASE_ERRORS as error:
            raise RecordError(f"the entries cannot be read: {error}") from None

    def facts(self, placed: Placed) -> tuple[bytes, ...]:
        """An entry's facts as they were handed in; RecordError where a key is gone."""
        source = read_leaf(placed.leaf).source
        return tuple(
            self._fact(source, placed.index, place, stored)
            for place, stored in enumerate(placed.stored)
        )

    def lasting(self, placed: Placed) -> tuple[bytes | None, ...]:
        """The same, with None for brief facts that are gone; RecordError where another one is."""
        source = read_leaf(placed.leaf).source
        return tuple(
            None
            if is_brief(stored) and self._is_gone(source, placed.index, place, stored)
            else self._fact(source, placed.index, place, stored)
            for place, stored in enumerate(placed.stored)
        )

    def readable(self, placed: Placed) -> tuple[bytes | None, ...]:
        """The same, with None for what cannot be read because its key was destroyed."""
        source = read_leaf(placed.leaf).source
        return tuple(
            None
            if self._is_gone(source, placed.index, place, stored)
            else self._fact(source, placed.index, place, stored)
            for place, stored in enumerate(placed.stored)
        )

    def _fact(self, source: str, index: int, place: int, stored: bytes) -> bytes:
        key = self._fact_key(source, stored)
        if key is None and sealed_hour(stored) is not None:
            kept = holds.held(self._keys, index, place)
            if kept is not None:
                return kept.data
        return unseal(key, index, place, stored)

    def _is_gone(self, source: str, index: int, place: int, stored: bytes) -> bool:
        if sealed_hour(stored) is None or self._fact_key(source, stored) is not None:
            return False
        return holds.held(self._keys, index, place) is None

    def _fact_key(self, source: str, stored: bytes) -> FactKey | None:
        hour = sealed_hour(stored)
        return None if hour is None else self._key_of(key_source(source, is_brief(stored)), hour)

    def check_facts(self, placed: Placed) -> None:
        """Whether the stored facts are those that the leaf commits to; else RecordError."""
        leaf = read_leaf(placed.leaf)
        if leaf.count != len(placed.stored):
            raise RecordError(
                f"entry {placed.index} ({leaf.kind}) has {len(placed.stored)} facts, "
                f"its leaf says {leaf.count}"
            )
        try:
            commitments = self.commitments(placed)
        except RecordError as error:
            raise RecordError(f"entry {placed.index} ({leaf.kind}): {error}") from None
        if inner_root(commitments) != leaf.root:
            raise RecordError(f"entry {placed.index} ({leaf.kind}): a stored fact was altered")
        for place, stored in enumerate(placed.stored):
            key = self._fact_key(leaf.source, stored)
            if sealed_hour(stored) is None or key is None:
                continue
            data = unseal(key, placed.index, place, stored)
            if commitment(key.salts(placed.index, place), data) != commitments[place]:
                raise RecordError(f"entry {placed.index}, fact {place}: not what was committed")

    def commitments(self, placed: Placed) -> list[bytes]:
        """What stands for each of an entry's facts in its inner tree."""
        return [
            committed_to(self._salts, placed.index, place, stored)
            for place, stored in enumerate(placed.stored)
        ]

    def salt(self, placed: Placed, place: int) -> bytes:
        """The salt that discloses one of an entry's facts; RecordError where its key is gone."""
        index, stored = placed.index, placed.stored[place]
        salts = self._salts if self._record_key else None
        if sealed_hour(stored) is not None:
            key = self._fact_key(read_leaf(placed.leaf).source, stored)
            salts = None if key is None else key.salts
            kept = holds.held(self._keys, index, place) if key is None else None
            if kept is not None:
                return kept.salt
        if salts is None:
            raise RecordError(f"entry {index}, fact {place}: its key is gone")
        return salts(index, place)

    def batch(self, batch_id: str) -> KnownBatch | None:
        """Where a batch is in the record, if it is; RecordError where that cannot be read."""
        try:
            row = self._db.execute(
                "SELECT idx, digest FROM batches WHERE batch_id = ?", (batch_id,)
            ).fetchone()
        except DATABASE_ERRORS as error:
            raise self._broke(error) from None
        return None if row is None else KnownBatch(row[0], row[1])

    def batches(self) -> dict[str, KnownBatch]:
        """Every batch that is known by its id."""
        try:
            rows = self._db.execute("SELECT batch_id, idx, digest FROM batches").fetchall()
        except DATABASE_ERRORS as error:
            raise RecordError(f"the list of batches cannot be read: {error}") from None
        return {batch_id: KnownBatch(index, digest) for batch_id, index, digest in rows}

    def snapshot(self) -> tuple[int, bytes] | None:
        """The last snapshot and how many entries it takes in."""
        try:
            row = self._db.execute(
                "SELECT size, sealed FROM snapshots ORDER BY size DESC LIMIT 1"
            ).fetchone()
        except DATABASE_ERRORS as error:
            raise RecordError(f"the snapshot cannot be read: {error}") from None
        if row is None:
            return None
        size, sealed = row
        if size > self.size or type(sealed) is not bytes or sealed_hour(sealed) is None:
            raise RecordError(f"the snapshot over {size} entries is none of this record")
        try:
            key = self._key_of(SNAPSHOT_SOURCE, sealed_hour(sealed) or 0)
            data = unseal(key, size, SNAPSHOT_PLACE, sealed)
        except RecordError as error:
            raise RecordError(f"the snapshot over {size} entries: {error}") from None
        return size, data

    def checkpoint(self) -> bytes:
        """The newest signed checkpoint as a note; RecordError while there is none."""
        row = self._db.execute(
            "SELECT note FROM checkpoints WHERE size = ?", (self.size,)
        ).fetchone()
        if row is None:
            raise RecordError(f"there is no checkpoint over {self.size} entries")
        note: bytes = row[0]
        return note

    def leaf_hashes(self, start: int, end: int) -> list[bytes]:
        """The leaf hashes from `start` until before `end`, as far as they are there."""
        return groups.hashes(self._db, start, end)

    def leaves(self, start: int, end: int) -> list[bytes]:
        """The public leaves from `start` until before `end`, as far as they are there."""
        return groups.leaves(self._db, start, end)

    def tree(self) -> StoredTree:
        """The log's tree, for proofs."""
        return StoredTree(partial(groups.hashes, self._db))

    def faults(self) -> Iterator[str]:
        """Everything that does not hold between leaves, order, hashes and signed checkpoints."""
        try:
            self.frontier = yield from walk(self._db, self._signed, self._acknowledged())
        except DATABASE_ERRORS as error:
            yield f"{RECORD_FILE} is damaged: {error}"
        if self._audit_size is not None:  # as long as reading all of it
            yield from damage(self._db, RECORD_FILE)

    def _acknowledged(self) -> int:
        """The size that the file beside the database knows; 0 where it cannot be read.

        It is not synced, so that a power failure may tear it: then it says nothing.
        """
        note = newest_note(self.folder)
        try:
            return 0 if note is None else self._signed(note).size
        except RecordError:
            return 0

    def _signed(self, note: bytes) -> Checkpoint:
        if type(note) is not bytes:
            raise RecordError("it is not stored as bytes")
        return self.history.check(note)

    def handovers(self) -> list[bytes]:
        """The changes of the log's key as both keys signed them, oldest first."""
        return documents(self._db)

    def hand_over(self) -> PublicKey:
        """Give the log a new key, the old one saying so; the record is to be opened anew after."""
        self._check()
        head = self._signed(self.checkpoint())
        try:
            return change_key(self.folder, self._db, self.signer, head)
        except (*DATABASE_ERRORS, OSError) as error:
            raise self._broke(error) from None
        finally:
            self._broken = self._broken or "its key was changed"
