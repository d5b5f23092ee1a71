"""A witness's state on disk: its key, and the head of each log that it cosigned last.

Duties: a cosignature leaves `add` only after the head that it is for has reached the disk
(SQLite, WAL, synchronous FULL). On an error of the disk nothing leaves, and nothing more until
the state is opened again. The key's file names the state that it belongs to: a key whose state
is gone, or is another one, cosigns nothing ever again, since it cannot know what it has said.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from skykeep.errors import RecordError
from skykeep.record import checkpoint as checkpoints
from skykeep.record import note as notes
from skykeep.record import witness, witness_fork
from skykeep.record.checkpoint import Checkpoint
from skykeep.record.cosignature import (
    Cosigner,
    cosignature_verifier,
    cosigned_at,
    cosigner,
    parse_cosigner,
)
from skykeep.record.keys import new_seed
from skykeep.record.note import Verifier
from skykeep.record.witness import Refused
from skykeep.store.durable import make_folder, write_synced
from skykeep.store.record_files import DATABASE_ERRORS, damage, open_database

STATE_FILE, SECRET_FILE, PUBLIC_FILE = "witness.sqlite", "witness.skey", "witness.vkey"
STATE_ID_BYTES = 16
#: Signed heads that were refused, kept as evidence; of each log the newest so many.
MOST_REFUSED = 20
_STATE_WORD = "state "

_TABLES = """
CREATE TABLE IF NOT EXISTS state (one INTEGER PRIMARY KEY CHECK (one = 1), id TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS heads (origin TEXT PRIMARY KEY, note BLOB NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS refused (
  number INTEGER PRIMARY KEY, origin TEXT NOT NULL, at_s INTEGER NOT NULL,
  status INTEGER NOT NULL, problem TEXT NOT NULL, note BLOB NOT NULL UNIQUE
) STRICT;
CREATE TABLE IF NOT EXISTS forks (origin TEXT PRIMARY KEY, proof BLOB NOT NULL) STRICT;
"""
Logs = Mapping[str, Sequence[Verifier]]


@dataclass(frozen=True, slots=True)
class RefusedHead:
    """A head that a log signed and the witness did not cosign: when (s), why, the note."""

    origin: str
    at_s: int
    status: int
    problem: str
    note: bytes


def make_witness(folder: Path, name: str) -> Cosigner:
    """A new witness with a new key and an empty state; RecordError where there is one already.

    RecordError too if the disk did not take it: what is there then is no witness.
    """
    for file in (SECRET_FILE, PUBLIC_FILE, STATE_FILE):
        if (folder / file).exists():
            raise RecordError(f"{folder / file} is there already: a witness is never made anew")
    made, state = cosigner(name, new_seed()), os.urandom(STATE_ID_BYTES).hex()
    try:
        make_folder(folder)
        db = open_database(folder / STATE_FILE, _TABLES)
        try:
            with db:
                db.execute("INSERT INTO state VALUES (1, ?)", (state,))
        finally:
            db.close()
        write_synced(folder / PUBLIC_FILE, made.key.to_text(), 0o644)
        # The key last: without it there is no witness yet.
        secret = f"{made.to_secret_text()}\n{_STATE_WORD}{state}"
        write_synced(folder / SECRET_FILE, secret, 0o600)
    except (*DATABASE_ERRORS, OSError) as error:
        raise RecordError(
            f"the witness could not be made: {error}. Remove {folder} and make it again"
        ) from None
    return made


def _read_key(path: Path) -> tuple[Cosigner, str]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise RecordError(f"the witness's key {path} cannot be read ({error})") from None
    if len(lines) != 2 or not lines[1].startswith(_STATE_WORD):
        raise RecordError(f"{path}: two lines are due, the key and the state that it belongs to")
    return parse_cosigner(lines[0]), lines[1][len(_STATE_WORD) :]


class WitnessState:
    """One witness at work. Only one process may hold its state; a lock says so."""

    def __init__(self, folder: Path, logs: Logs) -> None:
        """Open what `make_witness` made; `logs` are the keys of the logs it may cosign for."""
        self.logs = logs
        self._lock = threading.Lock()
        self._broken: str | None = None
        self._cosigner, state = _read_key(folder / SECRET_FILE)
        path = folder / STATE_FILE
        if not path.exists():
            raise _retired(self.name, f"its state {path} is gone")
        try:
            self._db = open_database(path, _TABLES)
        except (*DATABASE_ERRORS, OSError) as error:
            raise RecordError(f"the state {path} cannot be opened: {error}") from None
        try:
            self._check(state)
        except DATABASE_ERRORS as error:
            self.close()
            raise RecordError(f"the state {path} does not hold: {error}") from None
        except RecordError:
            self.close()
            raise

    @property
    def name(self) -> str:
        """The witness's name."""
        return self._cosigner.key.name

    @property
    def vkey(self) -> str:
        """Its public key as text."""
        return self._cosigner.key.to_text()

    @property
    def problem(self) -> str:
        """Why it cosigns nothing; empty while it does."""
        return self._broken or ""

    def close(self) -> None:
        """Let go of the files."""
        self._db.close()

    def _check(self, state: str) -> None:
        """RecordError unless this is the key's own state, and whole."""
        row = self._db.execute("SELECT id FROM state WHERE one = 1").fetchone()
        if row is None or row[0] != state:
            raise _retired(self.name, f"{STATE_FILE} is not the state of this key")
        for fault in damage(self._db, STATE_FILE):
            raise RecordError(fault)
        for origin, note in self._db.execute("SELECT origin, note FROM heads").fetchall():
            try:
                self._head(origin, note)
            except RecordError as error:
                raise _retired(self.name, f"the head of {origin} was altered: {error}") from None

    def _head(self, origin: str, note: bytes) -> Checkpoint:
        """What a stored head says, under the witness's own cosignature."""
        own = [cosignature_verifier(self._cosigner.key)]
        return checkpoints.check(note, origin, own).checkpoint

    def _held(self, origin: str) -> tuple[Checkpoint, bytes] | None:
        row = self._db.execute("SELECT note FROM heads WHERE origin = ?", (origin,)).fetchone()
        return None if row is None else (self._head(origin, row[0]), row[0])

    def add(self, data: bytes, clock_s: Callable[[], int]) -> bytes | Refused:
        """The cosignature's line for a request, its head durable; or why there is none.

        RecordError if the disk did not take it: then there is no cosignature.
        """
        try:
            origin = witness.origin_of(data)
        except RecordError as error:
            return Refused(400, str(error))
        with self._lock:
            if self._broken is not None:
                raise RecordError(f"the witness stopped: {self._broken}. Start it again")
            try:
                with contextlib.closing(self._db.cursor()) as cursor:
                    return self._add(cursor, origin, data, clock_s())
            except (*DATABASE_ERRORS, OSError) as error:
                # What the disk has now is not known: only opening it anew shows that.
                self._broken = f"its state could not be written ({error})"
                raise RecordError(f"the witness stopped: {self._broken}") from None

    def _add(self, cursor: sqlite3.Cursor, origin: str, data: bytes, now_s: int) -> bytes | Refused:
        cursor.execute("BEGIN IMMEDIATE")
        try:
            held = self._held(origin)
            found = witness.judge(data, self.logs, None if held is None else held[0])
            if isinstance(found, Refused):
                self._keep_refused(cursor, found, held, now_s)
                self._db.commit()
                return found
            # A clock that was set back: the later cosignature is never of an earlier time.
            at_s = now_s if held is None else max(now_s, self._time_of(held[1]))
            note = notes.cosign(found.note, [self._cosigner.at(at_s)])
            cursor.execute("INSERT OR REPLACE INTO heads VALUES (?, ?)", (origin, note.to_bytes()))
            self._db.commit()
        except BaseException:
            with contextlib.suppress(sqlite3.Error):
                self._db.rollback()
            raise
        return (note.signatures[-1].line() + "\n").encode()

    def _time_of(self, note: bytes) -> int:
        own = self._cosigner.key.key_id
        return max(
            cosigned_at(s.signature) for s in notes.parse(note).signatures if s.key_id == own
        )

    def _keep_refused(
        self,
        cursor: sqlite3.Cursor,
        found: Refused,
        held: tuple[Checkpoint, bytes] | None,
        now_s: int,
    ) -> None:
        """Evidence: heads that a log signed and that do not continue what it showed before."""
        if found.signed is None or found.size is not None:
            return  # nobody is to blame for a proof from another size
        origin, note = found.signed.checkpoint.origin, found.signed.note.to_bytes()
        cursor.execute(
            "INSERT OR IGNORE INTO refused (origin, at_s, status, problem, note) "
            "VALUES (?, ?, ?, ?, ?)",
            (origin, now_s, found.status, found.problem, note),
        )
        cursor.execute(
            "DELETE FROM refused WHERE origin = ? AND number NOT IN "
            "(SELECT number FROM refused WHERE origin = ? ORDER BY number DESC LIMIT ?)",
            (origin, origin, MOST_REFUSED),
        )
        if held is None or held[0].size != found.signed.checkpoint.size:
            return
        fork = witness_fork.between(held[1], note, origin, self.logs[origin], None)
        if fork is not None:
            cursor.execute("INSERT OR IGNORE INTO forks VALUES (?, ?)", (origin, fork.to_bytes()))

    # -- what anybody may know ------------------------------------------------------------

    def heads(self) -> dict[str, bytes]:
        """The newest cosigned head of each log, as a note."""
        with self._lock:
            rows = self._db.execute("SELECT origin, note FROM heads ORDER BY origin").fetchall()
        return dict(rows)

    def refused(self) -> list[RefusedHead]:
        """Signed heads that were refused, oldest first."""
        with self._lock:
            rows = self._db.execute(
                "SELECT origin, at_s, status, problem, note FROM refused ORDER BY number"
            ).fetchall()
        return [RefusedHead(*row) for row in rows]

    def forks(self) -> dict[str, bytes]:
        """Of each log that is known to have gone two ways, the first proof."""
        with self._lock:
            return dict(self._db.execute("SELECT origin, proof FROM forks").fetchall())


def _retired(name: str, why: str) -> RecordError:
    return RecordError(
        f"{why}. The witness {name} is retired: it cannot know what it has cosigned. "
        "Make another, with a new name and key: skykeep witness new"
    )
