"""The ledger on disk: a file of its own, in which every act stands once, chained by hashes.

The acts are the truth: opening the file plays them again. Each one's hash covers the hash before
it, so that an act that was altered, left out or moved is found. Whoever can write the file can
write all of it anew: keep `head()` with somebody else.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import msgspec

from skykeep.accounts.ledger import (
    Act,
    EnterProposition,
    EnterRow,
    GradeRow,
    KeepFinding,
    Ledger,
    LinkRows,
    StepRow,
)
from skykeep.core.event import Actor
from skykeep.errors import RecordError, SkykeepError

_ACTS: dict[str, type[Act]] = {
    kind.__name__: kind
    for kind in (EnterRow, StepRow, GradeRow, EnterProposition, KeepFinding, LinkRows)
}
_START = bytes(32)
_TABLE = """
CREATE TABLE IF NOT EXISTS acts (
  number INTEGER PRIMARY KEY, said BLOB NOT NULL, chain BLOB NOT NULL
) STRICT;
"""
#: The file's own mark ("SKst"), so that no other database is taken for one.
_MARK = 0x534B7374


@dataclass(frozen=True, slots=True)
class Done:
    """An act as it was done."""

    number: int
    at_ns: int
    actor: Actor
    act: Act


class Book:
    """The ledger of one file. `ledger` is to be read; it is changed by `do` alone."""

    def __init__(self, path: Path, new: bool = False) -> None:
        """Open a file, or begin one; RecordError where it does not hold."""
        if not new and not path.exists():
            raise RecordError(f"there is no ledger at {path}: begin one with `statements new`")
        if new:
            if path.exists():
                raise RecordError(f"there is something at {path} already")
            os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        self.path = path
        self.ledger = Ledger()
        self._number, self._chain = 0, _START
        try:
            self._file = sqlite3.connect(path, isolation_level=None)
            self._file.execute("PRAGMA synchronous = EXTRA")
            if new:
                self._file.execute(f"PRAGMA application_id = {_MARK}")
                self._file.executescript(_TABLE)
            elif self._file.execute("PRAGMA application_id").fetchone()[0] != _MARK:
                raise RecordError(f"{path} is no ledger of statements")
            self._play()
        except sqlite3.DatabaseError as error:
            raise RecordError(f"{path} cannot be read: {error}") from None

    def close(self) -> None:
        """Let the file go."""
        self._file.close()

    def head(self) -> str:
        """How many acts there are and the hash over all of them."""
        return f"{self._number} {self._chain.hex()}"

    def do(self, act: Act, actor: Actor, at_ns: int) -> str:
        """Do an act, durably; returns the id it is about. An act that is refused leaves nothing."""
        said = msgspec.json.encode([type(act).__name__, at_ns, actor, act])
        with self._alone():
            done = self.ledger.apply(_read(said).act, actor, at_ns)
            chain = _link(self._chain, said)
            try:
                self._file.execute(
                    "INSERT INTO acts VALUES (?, ?, ?)", (self._number + 1, said, chain)
                )
            except sqlite3.Error as error:
                raise RecordError(f"the act was not kept: {error}; open the file again") from None
        self._number, self._chain = self._number + 1, chain
        return done

    def acts(self) -> Iterator[Done]:
        """Everything that was done, oldest first."""
        for number, said in self._file.execute("SELECT number, said FROM acts ORDER BY number"):
            found = _read(said)
            yield Done(number, found.at_ns, found.actor, found.act)

    def _play(self) -> None:
        rows = self._file.execute("SELECT number, said, chain FROM acts ORDER BY number")
        for number, said, chain in rows:
            if number != self._number + 1 or _link(self._chain, said) != chain:
                raise RecordError(f"act {self._number + 1} of {self.path} does not hold")
            found = _read(said)
            try:
                self.ledger.apply(found.act, found.actor, found.at_ns)
            except SkykeepError as error:
                raise RecordError(f"act {number} of {self.path} was not allowed: {error}") from None
            self._number, self._chain = number, chain

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """One writer at a time, who has seen every act before."""
        self._file.execute("BEGIN IMMEDIATE")
        try:
            (last,) = self._file.execute("SELECT coalesce(max(number), 0) FROM acts").fetchone()
            if last != self._number:
                raise RecordError("somebody else wrote to the ledger: open it again")
            yield
            self._file.execute("COMMIT")
        except BaseException:
            if self._file.in_transaction:
                self._file.execute("ROLLBACK")
            raise


@dataclass(frozen=True, slots=True)
class _Said:
    at_ns: int
    actor: Actor
    act: Act


def _read(said: bytes) -> _Said:
    try:
        name, at_ns, actor, act = msgspec.json.decode(said)
        return _Said(at_ns, msgspec.convert(actor, Actor), msgspec.convert(act, _ACTS[name]))
    except (msgspec.MsgspecError, LookupError, ValueError, TypeError) as error:
        raise RecordError(f"an act cannot be read: {error}") from None


def _link(before: bytes, said: bytes) -> bytes:
    return sha256(before + said).digest()
