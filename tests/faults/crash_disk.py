"""What a disk may hold after the power failed: a model of a file system that promises little.

Durable is what was synced. A write that was not may be there, or not, or by sectors; a file may
have grown to its new size and read as zeros. A name is synced by its folder alone: until then a
file that was made, renamed or removed may be found under its old name or its new one. In "journal"
states changes of names come in their order; in others any of them may be missing.
"""

from __future__ import annotations

import os
import random
from collections.abc import Iterable
from dataclasses import dataclass, field

from tests.faults.trace import Call

SECTOR_BYTES = 512
FOLDER = -1


@dataclass(slots=True)
class _Change:
    """A write or a new length (`data` is None) that is not durable yet."""

    number: int
    at: int
    data: bytes | None


@dataclass(slots=True)
class _File:
    durable: bytearray = field(default_factory=bytearray)
    pending: list[_Change] = field(default_factory=list)


@dataclass(slots=True)
class _Naming:
    """Names that change together: a file's number, FOLDER, or None for what is gone."""

    number: int
    folders: set[str]
    names: dict[str, int | None]


State = dict[str, bytes | None]


class Disk:
    """Follows the calls; `state` draws one of the contents that a power failure may leave."""

    def __init__(self, root: str, chance: random.Random, unsynced: str = "") -> None:
        """`unsynced`: a file whose syncs do nothing, as if they had been left out."""
        self.root, self._chance, self._unsynced = root, chance, unsynced
        self._files: list[_File] = []
        self._durable: dict[str, int | None] = {}
        self._live: dict[str, int | None] = {root: FOLDER}
        self._namings: list[_Naming] = []
        self._places: dict[str, int] = {}
        self._number = 0

    def follow(self, call: Call) -> None:
        """Take in one call."""
        self._number += 1
        known = {
            "open": self._open, "write": self._write, "sync": self._sync, "rename": self._rename,
            "truncate": self._truncate, "unlink": self._remove, "rmdir": self._remove,
            "mkdir": self._mkdir, "seek": self._seek,
        }  # fmt: skip
        if call.failed and call.name != "sync":
            return
        known[call.name](call)

    # -- calls ----------------------------------------------------------------------------

    def _file(self, path: str) -> _File | None:
        number = self._live.get(path)
        return None if number is None or number == FOLDER else self._files[number]

    def _open(self, call: Call) -> None:
        if "O_DIRECTORY" in call.flags or self._live.get(call.path) == FOLDER:
            return
        self._places[call.path] = 0
        if self._live.get(call.path) is None:
            if "O_CREAT" not in call.flags:
                raise ValueError(f"{call.path} was there before the recording")
            self._files.append(_File())
            self._name({call.path: len(self._files) - 1})
        elif "O_TRUNC" in call.flags:
            self._files[self._live[call.path] or 0].pending.append(_Change(self._number, 0, None))

    def _write(self, call: Call) -> None:
        file = self._file(call.path)
        if file is None:
            return  # removed meanwhile
        at = call.at
        if at < 0:
            at = self._places.get(call.path, 0)
            self._places[call.path] = at + len(call.data)
        file.pending.append(_Change(self._number, at, call.data))

    def _seek(self, call: Call) -> None:
        self._places[call.path] = call.at

    def _truncate(self, call: Call) -> None:
        file = self._file(call.path)
        if file is not None:
            file.pending.append(_Change(self._number, call.at, None))

    def _sync(self, call: Call) -> None:
        if self._unsynced and os.path.relpath(call.path, self.root) == self._unsynced:
            return
        if self._live.get(call.path) == FOLDER:
            if not call.failed:
                self._sync_folder(call.path)
            return
        file = self._file(call.path)
        if file is None:
            return
        kept = file.pending
        if call.failed:
            # The kernel calls pages clean whose writing failed: no later sync writes them.
            share = self._chance.choice((0.0, 0.5))
            kept = [self._torn(one, share) for one in kept if self._chance.random() < share]
        _apply(file.durable, kept)
        file.pending = []

    def _sync_folder(self, path: str) -> None:
        left = []
        for one in self._namings:
            if path in one.folders:
                self._durable.update(one.names)
            else:
                left.append(one)
        self._namings = left

    def _name(self, names: dict[str, int | None]) -> None:
        self._live.update(names)
        folders = {os.path.dirname(path) for path in names}
        self._namings.append(_Naming(self._number, folders, names))

    def _mkdir(self, call: Call) -> None:
        self._name({call.path: FOLDER})

    def _rename(self, call: Call) -> None:
        self._name({call.path: None, call.to: self._live[call.path]})

    def _remove(self, call: Call) -> None:
        self._name({call.path: None})

    # -- after the failure ----------------------------------------------------------------

    def state(self, chance: random.Random) -> tuple[str, State]:
        """One possible content, by path below the root, None for a folder; and how it was drawn."""
        how = chance.choice(("nothing", "everything", "prefix", "prefix", "writes", "sectors"))
        share = chance.choice((0.1, 0.5, 0.9))
        upto = chance.choice([0, *self._open_changes()])
        journal = chance.random() < 0.5
        names = dict(self._durable)
        for one in self._namings:
            if _stays(chance, how, share, one.number <= upto):
                names.update(one.names)
            elif journal and how != "prefix":
                break
        found: State = {}
        for path in sorted(names):
            number = names[path]
            if number is None or not self._reached(names, path):
                continue
            relative = os.path.relpath(path, self.root)
            if number == FOLDER:
                found[relative] = None
                continue
            file = self._files[number]
            data = bytearray(file.durable)
            kept = [
                self._torn(one, share, chance) if how == "sectors" or one.number == upto else one
                for one in file.pending
                if how == "sectors" or _stays(chance, how, share, one.number <= upto)
            ]
            if chance.random() < 0.2:  # the length is there before the data is
                data.extend(bytes(max(0, _length(file) - len(data))))
            _apply(data, kept)
            found[relative] = bytes(data)
        return f"{how} {share} {upto}", found

    def _open_changes(self) -> list[int]:
        """The numbers of the calls whose effect is not durable yet."""
        numbers = {one.number for one in self._namings}
        for file in self._files:
            numbers.update(one.number for one in file.pending)
        return sorted(numbers)

    def _reached(self, names: dict[str, int | None], path: str) -> bool:
        parent = os.path.dirname(path)
        return parent == self.root or (names.get(parent) == FOLDER and self._reached(names, parent))

    def _torn(self, change: _Change, share: float, chance: random.Random | None = None) -> _Change:
        """The change with some of its sectors alone: several changes, joined by what was there."""
        if change.data is None:
            return change
        return _Torn(change.number, change.at, change.data,
                     _sectors(change, share, chance or self._chance))  # fmt: skip


@dataclass(slots=True)
class _Torn(_Change):
    kept: list[tuple[int, int]]


def _stays(chance: random.Random, how: str, share: float, before: bool) -> bool:
    if how in ("nothing", "everything"):
        return how == "everything"
    return before if how == "prefix" else chance.random() < share


def _sectors(change: _Change, share: float, chance: random.Random) -> list[tuple[int, int]]:
    """The parts (from, to) of the data that lie in sectors which were written."""
    assert change.data is not None
    kept, at, end = [], change.at, change.at + len(change.data)
    while at < end:
        upto = min(end, (at // SECTOR_BYTES + 1) * SECTOR_BYTES)
        if chance.random() < share:
            kept.append((at - change.at, upto - change.at))
        at = upto
    return kept


def _apply(data: bytearray, changes: Iterable[_Change]) -> None:
    for one in changes:
        if one.data is None:
            del data[one.at :]
            data.extend(bytes(one.at - len(data)))
            continue
        for low, high in one.kept if isinstance(one, _Torn) else [(0, len(one.data))]:
            data.extend(bytes(max(0, one.at + low - len(data))))
            data[one.at + low : one.at + high] = one.data[low:high]


def _length(file: _File) -> int:
    """How long the file is for those who read it now."""
    length = len(file.durable)
    for one in file.pending:
        length = one.at if one.data is None else max(length, one.at + len(one.data))
    return length
