"""Hourly checkpoints and what time-stamp authorities answered to them.

Beside the record, in a file of its own: losing it loses no entry.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from skykeep.errors import RecordError
from skykeep.store.durable import make_folder
from skykeep.store.record_files import DATABASE_ERRORS, damage, open_database

STAMPS_FILE = "timestamps.sqlite"
#: Ten years of hours.
MOST_HOURS = 87_660
_TABLES = """
CREATE TABLE IF NOT EXISTS hours (hour INTEGER PRIMARY KEY, note BLOB NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS tokens (
  hour INTEGER NOT NULL, authority TEXT NOT NULL, token BLOB NOT NULL,
  PRIMARY KEY (hour, authority)
) STRICT, WITHOUT ROWID;
"""


@dataclass(frozen=True, slots=True)
class StampedHour:
    """An hour's checkpoint (a signed note) and the answers to it (DER), by authority."""

    hour: int
    note: bytes
    tokens: tuple[tuple[str, bytes], ...]


class TimestampStore:
    """The file; one process holds it, on any of its threads."""

    def __init__(self, folder: Path) -> None:
        """Open or begin it; RecordError with the mend where it is damaged."""
        path = folder / STAMPS_FILE
        try:
            make_folder(folder)
            self._db = open_database(path, _TABLES)
        except (*DATABASE_ERRORS, OSError) as error:
            raise RecordError(f"{path} cannot be opened: {error}") from None
        fault = next(iter(damage(self._db, str(path))), None)
        if fault is not None:
            self._db.close()
            raise RecordError(f"{fault}. Move it away: time-stamps go on with the next hour")

    def begin(self, hour: int, note: bytes) -> None:
        """Keep an hour's checkpoint, if it has none yet."""
        with self._db:
            self._db.execute("INSERT OR IGNORE INTO hours VALUES (?, ?)", (hour, note))

    def keep(self, hour: int, authority: str, token: bytes) -> None:
        """Keep an answer; durable when it returns."""
        with self._db:
            self._db.execute(
                "INSERT OR IGNORE INTO tokens VALUES (?, ?, ?)", (hour, authority, token)
            )

    def missing(self, since: int, authorities: Sequence[str]) -> list[tuple[int, bytes, str]]:
        """(hour, note, authority) without an answer, from an hour on, the newest first."""
        rows = self._db.execute(
            "SELECT hour, note FROM hours WHERE hour >= ? ORDER BY hour DESC", (since,)
        ).fetchall()
        have = set(self._db.execute("SELECT hour, authority FROM tokens WHERE hour >= ?", (since,)))
        return [(h, note, a) for h, note in rows for a in authorities if (h, a) not in have]

    def hours(self, count: int, until: int | None = None) -> list[StampedHour]:
        """The newest hours, at most so many; only one with `until` and count 1."""
        top = (1 << 62) if until is None else until
        rows = self._db.execute(
            "SELECT hour, note FROM hours WHERE hour <= ? ORDER BY hour DESC LIMIT ?", (top, count)
        ).fetchall()
        found = []
        for hour, note in rows:
            tokens = self._db.execute(
                "SELECT authority, token FROM tokens WHERE hour = ? ORDER BY authority", (hour,)
            ).fetchall()
            found.append(StampedHour(hour, note, tuple(tokens)))
        return found

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()


def stamped_in(folder: Path) -> list[StampedHour]:
    """The stamped hours of a folder that has any; RecordError where they cannot be read."""
    if not (folder / STAMPS_FILE).exists():
        return []
    store = TimestampStore(folder)
    try:
        return store.hours(MOST_HOURS)
    finally:
        store.close()
