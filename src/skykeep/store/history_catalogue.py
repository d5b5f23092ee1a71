"""The history's catalogue: one SQLite file that is replaced whole, never changed in place.

So a plain copy has it whole, whenever it is taken, and readers need no lock. It can be made
again from the files: all that it says of one stands in the file's own foot, but for its hash.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

import msgspec

from skykeep.store.history_files import Foot, HistoryFile, put_in_place

CATALOGUE_FILE = "catalogue.sqlite"
_TABLE = """
CREATE TABLE files (
  path TEXT PRIMARY KEY, kind TEXT NOT NULL, first_entry INTEGER NOT NULL,
  end_entry INTEGER NOT NULL, rows INTEGER NOT NULL, from_ns INTEGER NOT NULL,
  to_ns INTEGER NOT NULL, south REAL, west REAL, north REAL, east REAL, sensors TEXT NOT NULL,
  bytes INTEGER NOT NULL, sha256 TEXT NOT NULL, foot TEXT NOT NULL
) STRICT
"""


def write_catalogue(folder: Path, files: Iterable[HistoryFile]) -> None:
    """Put a new catalogue in the place of the old one; it is on the disk when this returns."""
    part = folder / f"{CATALOGUE_FILE}.part"
    part.unlink(missing_ok=True)
    with closing(sqlite3.connect(":memory:")) as db:
        db.execute(_TABLE)
        db.executemany(f"INSERT INTO files VALUES ({', '.join('?' * 15)})", map(_row, files))
        db.commit()
        db.execute("VACUUM INTO ?", (str(part),))
    put_in_place(part, folder / CATALOGUE_FILE)


def read_catalogue(folder: Path) -> dict[str, HistoryFile]:
    """The files that it names, by path; empty where it is not there or not whole."""
    path = folder / CATALOGUE_FILE
    if not path.exists():
        return {}
    try:
        with closing(sqlite3.connect(f"file:{_escaped(path)}?mode=ro&immutable=1", uri=True)) as db:
            rows = db.execute("SELECT path, foot, bytes, sha256 FROM files ORDER BY path")
            return {
                path: HistoryFile(path, msgspec.json.decode(foot, type=Foot), size, digest)
                for path, foot, size, digest in rows
            }
    except (sqlite3.Error, msgspec.DecodeError, UnicodeDecodeError):
        return {}


def _row(file: HistoryFile) -> tuple[object, ...]:
    foot = file.foot
    south, west, north, east = foot.box or (None, None, None, None)
    return (
        file.path, foot.kind, foot.first, foot.end, foot.rows, foot.from_ns, foot.to_ns,
        south, west, north, east, "\n".join(foot.sensors), file.size, file.sha256,
        msgspec.json.encode(foot).decode(),
    )  # fmt: skip


def _escaped(path: Path) -> str:
    return str(path.resolve()).replace("%", "%25").replace("?", "%3f").replace("#", "%23")
