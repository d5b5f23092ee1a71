"""Somebody with all keys rewrites the record: what recompute finds, and what it cannot know.

Whoever holds all keys, and rewrites everything behind a change, leaves a record that holds in
itself. Only somebody else's copy of an older checkpoint (a witness, a dossier given away)
shows that it is another one. The last test here pins that down.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from skykeep.codec import entries
from skykeep.record import checkpoint as checkpoints
from skykeep.record.checkpoint import Checkpoint
from skykeep.record.entry import Entry, Fact, read_leaf
from skykeep.record.merkle import Frontier, leaf_hash
from skykeep.store.record_files import NEWEST_FILE
from skykeep.store.record_store import KEYS_FILE, RECORD_FILE, RecordStore
from tests.faults import scene
from tests.faults.scene import database, faults, middle


class Insider:
    """Whoever holds the folder with all its keys can write what the record would have written."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.store = RecordStore(folder, "", audit=True)

    def rewrite(self, change: Callable[[int, str, list[bytes]], list[bytes]]) -> list[int]:
        """All facts through `change` (index, kind, facts), then everything that follows."""
        altered, rows, frontier = [], [], Frontier()
        for placed in list(self.store.entries()):
            leaf = read_leaf(placed.leaf)
            facts = list(self.store.facts(placed))
            other = change(placed.index, leaf.kind, list(facts))
            leaf_bytes = placed.leaf
            packed = b"".join(len(f).to_bytes(4, "big") + f for f in placed.stored)
            if other != facts:
                altered.append(placed.index)
                kept = tuple(
                    Fact(data, private=stored[:1] == b"\x01")
                    for data, stored in zip(other, placed.stored, strict=True)
                )
                entry = Entry(leaf.kind, leaf.at_ns, leaf.source, kept)
                _, leaf_bytes, _, packed = self.store._row(entry, placed.index)
            frontier = frontier.append(leaf_hash(leaf_bytes))
            note = checkpoints.sign(
                Checkpoint(self.store.signer.name, frontier.size, frontier.root()),
                [self.store.signer],
            )
            kept_hash = leaf_hash(leaf_bytes)
            rows.append((leaf_bytes, kept_hash, packed, placed.index, note.to_bytes()))
        self.store.close()
        self._write(rows)
        return altered

    def _write(self, rows: list[Any]) -> None:
        with database(self.folder) as db:
            for leaf, kept, facts, index, note in rows:
                db.execute(
                    "UPDATE entries SET leaf = ?, hash = ?, facts = ? WHERE idx = ?",
                    (leaf, kept, facts, index),
                )
                db.execute("UPDATE checkpoints SET note = ? WHERE size = ?", (note, index + 1))
            db.execute("DELETE FROM snapshots")
        (self.folder / NEWEST_FILE).unlink()

    def mend_batches(self) -> None:
        """The list of batches as it follows from the entries."""
        store = RecordStore(self.folder, "", audit=True)
        rows = []
        for placed in store.entries():
            if read_leaf(placed.leaf).kind == "batch":
                batch = entries.batch_of(store.facts(placed))
                digest = entries.content_digest(batch, entries.batch_entry(batch))
                rows.append((digest, placed.index))
        store.close()
        with database(self.folder) as db:
            db.executemany("UPDATE batches SET digest = ? WHERE idx = ?", rows)


def test_an_insider_who_forgets_nothing_but_the_answers_is_found(folder: Path) -> None:
    """One radar plot moved, leaf, hashes and signatures made anew: the verdicts give it away."""
    target = middle(folder, "batch")

    def moved(index: int, kind: str, facts: list[bytes]) -> list[bytes]:
        if index >= target and kind == "batch" and b'"sensor":"radar' in facts[0]:
            rows = [msgspec.json.decode(fact) for fact in facts[1:]]
            moved_m = [[at, [first + 40.0, *rest], *more] for at, (first, *rest), *more in rows]
            return [facts[0], *map(msgspec.json.encode, moved_m)]
        return facts

    insider = Insider(folder)
    assert insider.rewrite(moved)
    insider.mend_batches()
    RecordStore(folder, "").close()  # the record holds in itself: leaves, order, signatures
    (fault,) = faults(folder)
    assert re.match(r"entry \d+ \((tracks|verdict)\)", fault) or "was computed" in fault


def test_an_insider_who_alters_a_verdict_is_found(folder: Path) -> None:
    target = middle(folder, "verdict")

    def kinder(index: int, kind: str, facts: list[bytes]) -> list[bytes]:
        return [f.replace(b'"at_ns":1', b'"at_ns":2') for f in facts] if index == target else facts

    assert Insider(folder).rewrite(kinder) == [target]
    RecordStore(folder, "").close()
    (fault,) = faults(folder)
    assert fault.startswith(f"entry {target} (verdict), fact 0 differs: recorded ")
    assert ", computed [" in fault


@pytest.mark.parametrize("what", ["nothing that anybody can read", "[[[[", '{"is":"Nobody"}', "7"])
@pytest.mark.parametrize("kind", ["batch", "command", "tracks", "verdict", "site"])
def test_whatever_an_insider_writes_is_named_and_never_a_trace(
    small: Path, kind: str, what: str
) -> None:
    target = middle(small, kind)

    def nonsense(index: int, kind: str, facts: list[bytes]) -> list[bytes]:
        return [what.encode(), *facts[1:]] if index == target else facts

    assert Insider(small).rewrite(nonsense) == [target]
    (fault,) = faults(small)
    assert fault.startswith(f"entry {target}")


def test_a_full_rebuild_cannot_be_found_without_a_witness(small: Path) -> None:
    """Another night recorded under the same keys holds in itself.

    Recompute vouches for one thing only: these inputs give these answers. That these were the
    inputs is shown by a checkpoint that somebody else has kept: the old one does not fit.
    """
    store = RecordStore(small, "", audit=True)
    old_size, old_note, key = store.size, store.checkpoint(), store.public_key
    store.close()
    for name in (RECORD_FILE, KEYS_FILE, NEWEST_FILE):
        (small / name).unlink()
    whole = scene.night()
    scene.record(small, whole, [i for i in scene.stretch(whole, scene.SHORT_S) if not_radar(i)])
    assert faults(small) == []

    store = RecordStore(small, "", audit=True)
    try:
        assert store.public_key == key
        kept = store._signed(old_note)
        assert kept.size == old_size
        rebuilt = Frontier().extend([p.hash for p in store.entries(0, old_size)])
        assert rebuilt.root() != kept.root
    finally:
        store.close()


def not_radar(item: Any) -> bool:
    return getattr(item, "sensor_id", None) != "radar-1"
