"""What was said against what is found: everything acknowledged is there, nothing is invented."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from skykeep.errors import SkykeepError
from skykeep.record import checkpoint as checkpoints
from skykeep.record.entry import read_leaf
from skykeep.record.merkle import Frontier
from skykeep.service.permit_keys import open_keys
from skykeep.store.record_store import RecordStore
from skykeep.store.witness_heads import WitnessHeads
from skykeep.store.witness_state import WitnessState
from tests.faults.crash_disk import State
from tests.faults.crash_writer import (
    COSIGNING,
    ORIGIN,
    RECORD,
    log_of,
    meant,
)  # fmt: skip


@dataclass(slots=True)
class Told:
    """What the writer had said when the power failed."""

    records: list[tuple[int, str]] = field(default_factory=list)
    tried: list[tuple[int, str]] = field(default_factory=list)
    files: dict[str, set[str]] = field(default_factory=dict)
    done_files: set[str] = field(default_factory=set)
    destroyed: list[str] = field(default_factory=list)
    holds: set[str] = field(default_factory=lambda: {""})
    heads: dict[str, list[tuple[int, str]]] = field(default_factory=dict)
    key: str = ""
    changing: bool = False
    witness: bool = False

    def hear(self, line: bytes) -> None:
        """One line of what it says."""
        how, what, *rest = json.loads(line)
        if how == "failed":
            return
        done = how == "done"
        if what == "record":
            if done:
                self.records.append((rest[0], rest[1]))
                self.tried.clear()
            else:
                self.tried.append((rest[0], rest[1]))
        elif what == "file":
            known = self.files.setdefault(rest[0], set())
            if done:
                known.clear()
                self.done_files.add(rest[0])
            known.add(rest[1])
        elif what == "hold":
            self.holds = {rest[0]} if done else self.holds | {rest[0]}
        elif what == "destroyed":
            self.destroyed.append(rest[2])
        elif what == "key":
            self.key, self.changing = (rest[0], False) if done else (self.key, True)
        elif what == "witness made":
            self.witness = self.witness or done
        elif done:
            self.heads.setdefault(what, []).append((rest[0], rest[1]))


def put(folder: Path, state: State) -> None:
    """Make a folder what the disk holds."""
    folder.mkdir()
    for path, data in state.items():
        if data is None:
            (folder / path).mkdir(parents=True)
        else:
            (folder / path).write_bytes(data)


def audit(folder: Path, told: Told) -> list[str]:
    """Everything that is not as it must be; the record goes on afterwards."""
    found = [
        f"a destroyed key is in {path.relative_to(folder)}"
        for path in sorted(folder.rglob("*"))
        if path.is_file()
        for data in [path.read_bytes()]
        for key in told.destroyed
        if bytes.fromhex(key) in data
    ]
    found += _files(folder, told)
    try:
        found += _record(folder / RECORD, told)
        found += _witness(folder, told)
        found += _published(folder, told)
        open_keys(folder / RECORD)
    except SkykeepError as error:
        found.append(f"refused: {error}")
    return found


def _files(folder: Path, told: Told) -> list[str]:
    found = []
    for name, allowed in told.files.items():
        path = folder / name
        if not path.exists():
            if name in told.done_files:
                found.append(f"{name} is gone")
        elif sha256(path.read_bytes()).hexdigest() not in allowed:
            found.append(f"{name} is neither what it was nor what it was to be")
    return found


def _record(data: Path, told: Told) -> list[str]:
    store = RecordStore(data, ORIGIN)
    try:
        found = _against(store, told.records, "")
        last = told.records[-1] if told.records else (0, "")
        end = (store.size, store.frontier.root().hex())
        if end not in [last, *told.tried] and store.size:
            found.append(f"invented: the record ends with {end}, told was {last}")
        for placed in store.entries():
            store.check_facts(placed)
            read, wanted = store.readable(placed), meant(placed.index)
            leaf = read_leaf(placed.leaf)
            same = all(a in (None, b.data) for a, b in zip(read, wanted.facts, strict=True))
            if not same or (leaf.source, leaf.at_ns) != (wanted.source, wanted.at_ns):
                found.append(f"invented: entry {placed.index} says something else")
            if read[0] is None:
                found.append(f"entry {placed.index}: its open fact is gone")
        if set(store.holds() or ("",)).isdisjoint(told.holds):
            found.append(f"holds are {store.holds()}, told was {told.holds}")
        if told.key and not told.changing and store.public_key.to_text() != told.key:
            found.append("the log's key is not the one that was handed over to")
        size = store.size
        store.append([meant(size)])
    finally:
        store.close()
    again = RecordStore(data, ORIGIN)
    again.close()
    return found if again.size == size + 1 else [*found, "what was appended afterwards is lost"]


def _against(store: RecordStore, acknowledged: Sequence[tuple[int, str]], what: str) -> list[str]:
    """Every acknowledged size and root is a beginning of what is there."""
    hashes = store.leaf_hashes(0, store.size)
    found, frontier = [], Frontier()
    for size, root in sorted(set(acknowledged)):
        if size > len(hashes):
            return [*found, f"lost: {size} entries were acknowledged, {len(hashes)} are there"]
        frontier = frontier.extend(hashes[frontier.size : size])
        if frontier.root().hex() != root:
            found.append(f"invented: the first {size} entries do not give the root told")
    return found


def _witness(folder: Path, told: Told) -> list[str]:
    if not told.witness:
        return []
    state = WitnessState(folder / COSIGNING, log_of(folder / RECORD))
    try:
        return _head(state.heads().get(ORIGIN), told.heads.get("witness", []), "the witness")
    finally:
        state.close()


def _published(folder: Path, told: Told) -> list[str]:
    heads = WitnessHeads(folder / RECORD)
    try:
        return _head(heads.published(), told.heads.get("published", []), "what is published")
    finally:
        heads.close()


def _head(note: bytes | None, told: Sequence[tuple[int, str]], what: str) -> list[str]:
    if not told:
        return []
    if note is None:
        return [f"{what} has lost its head"]
    said = checkpoints.parse(note.split(b"\n\n")[0].decode() + "\n")
    if said.size < told[-1][0]:
        return [f"{what} went back from {told[-1][0]} to {said.size}"]
    if said.size == told[-1][0] and said.root.hex() != told[-1][1]:
        return [f"{what} has another root over {said.size}"]
    return []
