"""What witnesses have cosigned of our log: the published head, and each witness's newest.

Beside the record, in a file of its own: losing it loses no entry, and the witnesses keep what
they have said. A head is published only after it is on the disk here (SQLite, synchronous FULL).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from skykeep.errors import RecordError
from skykeep.store.durable import make_folder
from skykeep.store.record_files import DATABASE_ERRORS, damage, open_database

HEADS_FILE = "published.sqlite"

_TABLES = """
CREATE TABLE IF NOT EXISTS published (one INTEGER PRIMARY KEY CHECK (one = 1), note BLOB) STRICT;
CREATE TABLE IF NOT EXISTS cosigned (
  witness TEXT PRIMARY KEY, size INTEGER NOT NULL, note BLOB NOT NULL, retired TEXT NOT NULL
) STRICT;
"""


@dataclass(frozen=True, slots=True)
class CosignedHead:
    """The largest head that one witness cosigned; `retired` says why it is asked no more."""

    size: int
    note: bytes
    retired: str = ""


class WitnessHeads:
    """The file; one process holds it, on any of its threads."""

    def __init__(self, folder: Path) -> None:
        """Open or begin it; RecordError with the mend where it is damaged."""
        path = folder / HEADS_FILE
        try:
            make_folder(folder)
            self._db = open_database(path, _TABLES)
        except (*DATABASE_ERRORS, OSError) as error:
            raise RecordError(f"{path} cannot be opened: {error}") from None
        fault = next(iter(damage(self._db, str(path))), None)
        if fault is not None:
            self._db.close()
            raise RecordError(f"{fault}. Move it away: the witnesses will be asked anew")

    def published(self) -> bytes | None:
        """The head that a quorum has cosigned, as a note with the cosignatures."""
        row = self._db.execute("SELECT note FROM published").fetchone()
        return None if row is None else bytes(row[0])

    def cosigned(self) -> dict[str, CosignedHead]:
        """What each witness has cosigned, by its public key as text."""
        rows = self._db.execute("SELECT witness, size, note, retired FROM cosigned").fetchall()
        return {witness: CosignedHead(size, note, why) for witness, size, note, why in rows}

    def keep(self, heads: Mapping[str, CosignedHead], published: bytes | None) -> None:
        """Make durable what witnesses said, and the head that is published by it, if any."""
        try:
            with self._db:
                self._db.executemany(
                    "INSERT OR REPLACE INTO cosigned VALUES (?, ?, ?, ?)",
                    [(key, one.size, one.note, one.retired) for key, one in heads.items()],
                )
                if published is not None:
                    self._db.execute("INSERT OR REPLACE INTO published VALUES (1, ?)", (published,))
        except (*DATABASE_ERRORS, OSError) as error:
            raise RecordError(f"cosignatures could not be kept: {error}") from None

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()


def published_in(folder: Path) -> bytes | None:
    """The head that a quorum has cosigned of the record in a folder, if there is one."""
    if not (folder / HEADS_FILE).exists():
        return None
    heads = WitnessHeads(folder)
    try:
        return heads.published()
    finally:
        heads.close()
