"""The files of a record: two databases, the log's key in two halves, the newest checkpoint.

What has begun is never begun again: a file that is missing from a record is named, not made.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from dataclasses import dataclass
from pathlib import Path

from skykeep.errors import RecordError
from skykeep.record.keys import Ed25519Signer, PublicKey, new_seed, parse_public, parse_secret
from skykeep.record.keys import signer as make_signer
from skykeep.store.durable import sync_folder, write_synced
from skykeep.store.groups import GROUPS_TABLE

RECORD_FILE, KEYS_FILE = "record.sqlite", "keys.sqlite"
SECRET_FILE, PUBLIC_FILE = "log.skey", "log.vkey"
#: The checkpoint that was acknowledged last, beside the database: written after each commit
#: and not synced, so it is never ahead of it, and shows when the database lost its end.
NEWEST_FILE = "newest.checkpoint"
#: SQLite waits this long for another process's lock; there should be none.
BUSY_S = 2.0

#: What reading a damaged database raises: sqlite3 decodes even its own messages.
DATABASE_ERRORS = (sqlite3.Error, UnicodeDecodeError)

RECORD_TABLES = f"""
{GROUPS_TABLE}
CREATE TABLE IF NOT EXISTS checkpoints (size INTEGER PRIMARY KEY, note BLOB NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS batches (
  batch_id TEXT PRIMARY KEY, idx INTEGER NOT NULL, digest BLOB NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS handovers (number INTEGER PRIMARY KEY, note BLOB NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS snapshots (size INTEGER PRIMARY KEY, sealed BLOB NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS erasing (
  source TEXT NOT NULL, hour INTEGER NOT NULL, PRIMARY KEY (source, hour)
) STRICT, WITHOUT ROWID;
"""
KEY_TABLES = """
CREATE TABLE IF NOT EXISTS record_key (one INTEGER PRIMARY KEY CHECK (one = 1), key BLOB) STRICT;
CREATE TABLE IF NOT EXISTS seal_keys (
  source TEXT NOT NULL, hour INTEGER NOT NULL, key BLOB NOT NULL, PRIMARY KEY (source, hour)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS hold_keys (
  hold TEXT PRIMARY KEY, key BLOB NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS held (
  hold TEXT NOT NULL, idx INTEGER NOT NULL, place INTEGER NOT NULL, sealed BLOB NOT NULL,
  PRIMARY KEY (idx, place, hold)
) STRICT, WITHOUT ROWID;
"""


@dataclass(frozen=True, slots=True)
class LogKeys:
    """The log's key: the public half, the secret one if it is there, and what is amiss."""

    public: PublicKey
    signer: Ed25519Signer | None
    faults: tuple[str, ...] = ()


def has_begun(folder: Path) -> bool:
    """Whether there is a record, and not only what a first start left behind when it died."""
    path = folder / RECORD_FILE
    return path.exists() and path.stat().st_size > 0


def open_database(path: Path, tables: str) -> sqlite3.Connection:
    """A database whose commits are on the disk, held by this process alone."""
    db = sqlite3.connect(path, timeout=BUSY_S, check_same_thread=False)
    try:
        # Before the first access to the log: then the lock is taken by it, and not by a write.
        db.execute("PRAGMA locking_mode = EXCLUSIVE")
        if db.execute("PRAGMA journal_mode = WAL").fetchone() != ("wal",):
            # SQLite raises nothing where the disk fails over it, and goes on without.
            raise sqlite3.OperationalError("disk I/O error: its log could not be begun")
        db.execute("PRAGMA synchronous = FULL")
        # What is deleted is overwritten: a key that was destroyed is in no free page.
        db.execute("PRAGMA secure_delete = ON")
        db.executescript(f"BEGIN; {tables} COMMIT;")  # one sync for all that is new
        # A sync that failed leaves in the log what can be read and is not on the disk, and no
        # later sync brings it there: what was found is written once more.
        empty_log(db)
        sync_folder(path.parent)  # SQLite does it too, and does not hear that it failed
    except (*DATABASE_ERRORS, OSError):
        db.close()
        raise
    return db


def empty_log(db: sqlite3.Connection) -> None:
    """Move the write-ahead log into the database and cut it to nothing, durably.

    SQLite does not sync what it has cut: a power failure would bring back what was deleted.
    """
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    (path,) = (row[2] for row in db.execute("PRAGMA database_list") if row[1] == "main")
    descriptor = os.open(f"{path}-wal", os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def damage(db: sqlite3.Connection, name: str) -> tuple[str, ...]:
    """What SQLite finds wrong with its own pages, if anything."""
    try:
        said = db.execute("PRAGMA integrity_check(1)").fetchone()[0]
    except DATABASE_ERRORS as error:
        said = str(error)
    return () if said == "ok" else (f"{name} is damaged: {said}",)


def open_keys(folder: Path, audit: bool) -> sqlite3.Connection:
    """The keys of sealed facts; whoever only looks makes no file where there is none."""
    path = folder / KEYS_FILE
    if audit and not path.exists():
        empty = sqlite3.connect(":memory:", check_same_thread=False)
        empty.executescript(KEY_TABLES)
        return empty
    return open_database(path, KEY_TABLES)


def log_keys(folder: Path, origin: str, audit: bool) -> LogKeys:
    """The log's key; made, both halves, where no record has begun. RecordError without any."""
    secret, public = folder / SECRET_FILE, folder / PUBLIC_FILE
    if not secret.exists():
        if not has_begun(folder) and not audit:
            return _new_keys(folder, origin)
        if not public.exists():
            raise RecordError(f"the log's key is gone: neither {SECRET_FILE} nor {PUBLIC_FILE}")
        return LogKeys(
            parse_public(_text(public)),
            None,
            (f"{SECRET_FILE} is missing: the record can be read and not continued",),
        )
    signer = parse_secret(_text(secret))
    if not public.exists():
        if not audit:
            write_synced(public, signer.key.to_text(), 0o644)
    elif parse_public(_text(public)) != signer.key:
        return LogKeys(signer.key, signer, (f"{PUBLIC_FILE} is not the public half of the key",))
    return LogKeys(signer.key, signer)


def _new_keys(folder: Path, origin: str) -> LogKeys:
    signer = make_signer(origin, new_seed())
    write_synced(folder / PUBLIC_FILE, signer.key.to_text(), 0o644)
    write_synced(folder / SECRET_FILE, signer.to_secret_text(), 0o600)
    return LogKeys(signer.key, signer)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise RecordError(f"{path.name} is not text, so it is no key") from None


class Newest:
    """The file of the newest checkpoint, opened by the first that is written."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / NEWEST_FILE
        self._descriptor: int | None = None
        self._length = -1

    def write(self, note: bytes) -> None:
        """In place; what it says is durable already, so its own failure loses nothing."""
        with contextlib.suppress(OSError):
            if self._descriptor is None:
                flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
                self._descriptor = os.open(self._path, flags, 0o644)
            os.pwrite(self._descriptor, note, 0)
            if len(note) != self._length:
                os.ftruncate(self._descriptor, len(note))
                self._length = len(note)

    def close(self) -> None:
        """Let go of the file."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def newest_note(folder: Path) -> bytes | None:
    """What was written last; None where nothing was."""
    path = folder / NEWEST_FILE
    return path.read_bytes() if path.exists() else None
