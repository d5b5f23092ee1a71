"""Raw bytes beside the record, found by their hash, sealed, bounded, and gone after some days.

What a batch's `raw_sha256` names can be looked up here: to decode it again, to show it. It may
name people, so it is sealed under keys of source and hour, as claims in the record are, and the
keys are destroyed with it (secure_delete, the log emptied). A power failure may lose the last
moments: the hash in the record stays.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Collection, Sequence
from hashlib import sha256
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from skykeep.errors import RecordError
from skykeep.record.entry import hour_of
from skykeep.store.record_files import empty_log

FILE = "raw.sqlite"
HOURS_OF_DAY = 24
_KEY_BYTES, _NONCE_BYTES = 32, 12
_TABLES = """
CREATE TABLE IF NOT EXISTS raw_keys (source TEXT, hour INTEGER, key BLOB NOT NULL,
    PRIMARY KEY (source, hour)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS raw (sha256 BLOB, source TEXT, hour INTEGER, sealed BLOB NOT NULL,
    PRIMARY KEY (sha256, source, hour)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS raw_days (source TEXT, day INTEGER, kept_bytes INTEGER NOT NULL,
    left_pieces INTEGER NOT NULL, left_bytes INTEGER NOT NULL,
    PRIMARY KEY (source, day)) WITHOUT ROWID;
"""


class RawStore:
    """One file for all sources of a site; for use by several threads."""

    def __init__(self, folder: Path) -> None:
        """RecordError where the file cannot be used."""
        self._lock = threading.Lock()
        try:
            self._db = sqlite3.connect(folder / FILE, timeout=10.0, check_same_thread=False)
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA secure_delete = ON")
            self._db.execute("PRAGMA synchronous = NORMAL")
            self._db.executescript(_TABLES)
        except sqlite3.Error as error:
            raise RecordError(f"{folder / FILE}: {error}") from None

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._db.close()

    def keep(self, source: str, pieces: Sequence[tuple[int, bytes]], day_bytes: int) -> None:
        """Keep pieces, each with its receipt in ns; at most so many bytes of a source and day.

        What is over that is left out, and counted. RecordError where the disk takes nothing.
        """
        try:
            with self._lock, self._db:
                for at_ns, data in pieces:
                    self._keep(source, hour_of(at_ns), data, day_bytes)
        except sqlite3.Error as error:
            raise RecordError(f"raw bytes are not kept: {error}") from None

    def _keep(self, source: str, hour: int, data: bytes, day_bytes: int) -> None:
        day = hour // HOURS_OF_DAY
        row = self._db.execute(
            "SELECT kept_bytes FROM raw_days WHERE source = ? AND day = ?", (source, day)
        ).fetchone()
        digest = sha256(data).digest()
        if (0 if row is None else row[0]) + len(data) > day_bytes:
            self._db.execute(
                "INSERT INTO raw_days VALUES (?, ?, 0, 1, ?) ON CONFLICT DO UPDATE SET "
                "left_pieces = left_pieces + 1, left_bytes = left_bytes + excluded.left_bytes",
                (source, day, len(data)),
            )
            return
        nonce = os.urandom(_NONCE_BYTES)
        sealed = nonce + AESGCM(self._key(source, hour)).encrypt(nonce, data, digest)
        done = self._db.execute(
            "INSERT OR IGNORE INTO raw VALUES (?, ?, ?, ?)", (digest, source, hour, sealed)
        )
        if done.rowcount:
            self._db.execute(
                "INSERT INTO raw_days VALUES (?, ?, ?, 0, 0) ON CONFLICT DO UPDATE SET "
                "kept_bytes = kept_bytes + excluded.kept_bytes",
                (source, day, len(data)),
            )

    def _key(self, source: str, hour: int) -> bytes:
        row = self._db.execute(
            "SELECT key FROM raw_keys WHERE source = ? AND hour = ?", (source, hour)
        ).fetchone()
        if row is not None:
            return bytes(row[0])
        key = os.urandom(_KEY_BYTES)
        self._db.execute("INSERT INTO raw_keys VALUES (?, ?, ?)", (source, hour, key))
        return key

    def get(self, digest: bytes) -> bytes | None:
        """The bytes of a hash; None where they were never kept, or are gone."""
        try:
            with self._lock:
                row = self._db.execute(
                    "SELECT sealed, key FROM raw JOIN raw_keys USING (source, hour) "
                    "WHERE sha256 = ? LIMIT 1",
                    (digest,),
                ).fetchone()
        except sqlite3.Error as error:
            raise RecordError(f"raw bytes cannot be read: {error}") from None
        if row is None:
            return None
        sealed, key = row
        try:
            return AESGCM(key).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], digest)
        except (InvalidTag, ValueError, TypeError):
            raise RecordError(f"the raw bytes of {digest.hex()} were altered") from None

    def drop(self, source: str, before_hour: int) -> bool:
        """Destroy keys and bytes of a source's hours before one; whether there were any."""
        return self._drop("source = ? AND hour < ?", (source, before_hour))

    def drop_others(self, sources: Collection[str]) -> bool:
        """Destroy what is kept of sources that are not named: they keep nothing any more."""
        marks = ", ".join("?" * len(sources))
        return self._drop(f"source NOT IN ({marks})", tuple(sources))

    def _drop(self, which: str, values: tuple[str | int, ...]) -> bool:
        try:
            with self._lock:
                with self._db:
                    gone = self._db.execute(f"DELETE FROM raw_keys WHERE {which}", values).rowcount
                    self._db.execute(f"DELETE FROM raw WHERE {which}", values)
                if gone:
                    empty_log(self._db)
        except (sqlite3.Error, OSError) as error:
            raise RecordError(f"raw bytes are not destroyed: {error}") from None
        return gone > 0

    def left_out(self, source: str) -> tuple[int, int]:
        """Pieces and bytes of a source that found no room, on all days."""
        try:
            with self._lock:
                row = self._db.execute(
                    "SELECT coalesce(sum(left_pieces), 0), coalesce(sum(left_bytes), 0) "
                    "FROM raw_days WHERE source = ?",
                    (source,),
                ).fetchone()
        except sqlite3.Error as error:
            raise RecordError(f"raw bytes cannot be read: {error}") from None
        return row[0], row[1]
