"""Keys are destroyed: gone from the database, its free pages and its log.

What storage below the file system keeps of overwritten blocks is out of reach: an encrypted
disk whose key can be destroyed is the answer to that (docs/retention.md).
"""

from __future__ import annotations

import sqlite3

from skykeep.record.entry import sealed_hour
from skykeep.store.record_files import empty_log


def destroy(db: sqlite3.Connection, keys: sqlite3.Connection, snapshots: str) -> None:
    """Destroy the keys that the record's list `erasing` names, and older snapshots' keys.

    `snapshots` is the source of the snapshots' keys: the newest one's stays. First the keys,
    then the list: a crash between the two does it again. Both databases overwrite what they
    delete (secure_delete); emptying their logs ends what was written before.
    """
    doomed = db.execute("SELECT source, hour FROM erasing").fetchall()
    if not doomed:
        return
    row = db.execute("SELECT sealed FROM snapshots ORDER BY size DESC LIMIT 1").fetchone()
    newest = None if row is None else sealed_hour(row[0])
    with keys:
        keys.executemany("DELETE FROM seal_keys WHERE source = ? AND hour = ?", doomed)
        keys.execute(
            "DELETE FROM seal_keys WHERE source = ? AND hour IS NOT ?", (snapshots, newest)
        )
    for one in (keys, db):
        empty_log(one)
    with db:
        db.execute("DELETE FROM erasing")


def sealing_keys(keys: sqlite3.Connection) -> list[tuple[str, int]]:
    """The keys (source, hour) that there are, in order."""
    rows = keys.execute("SELECT source, hour FROM seal_keys ORDER BY source, hour").fetchall()
    return [(source, hour) for source, hour in rows]
