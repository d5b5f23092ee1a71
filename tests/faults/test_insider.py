"""Somebody with all keys rewrites the record: what recompute finds, and what it cannot know.

Whoever holds all keys, and rewrites everything behind a change, leaves a record that holds in
itself. Only somebody else's copy of an older checkpoint (a witness, a dossier given away)
shows that it is another one. The last test here pins that down.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from skykeep.codec import entries
from skykeep.record import checkpoint as checkpoints
from skykeep.record.checkpoint import Checkpoint
from skykeep.record.entry import Entry, Fact, pack_fact, read_leaf
from skykeep.record.merkle import Frontier
from skykeep.store.record_files import NEWEST_FILE
from skykeep.store.record_store import KEYS_FILE, RECORD_FILE, RecordStore
from tests.faults import scene
from tests.faults.scene import database, faults, middle

Change = Callable[[int, Entry], Entry]


class Insider:
    """Whoever holds the folder with all its keys can write what the record would have written."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.store = RecordStore(folder, "", audit=True)

    def rewrite(self, change: Change) -> list[int]:
        """All entries through `change`, then everything that follows from them."""
        altered, rows, frontier = [], [], Frontier()
        for placed in list(self.store.entries()):
            leaf = read_leaf(placed.leaf)
            facts = zip(self.store.facts(placed), placed.stored, strict=True)
            was = Entry(
                leaf.kind, leaf.at_ns, leaf.source,
                tuple(Fact(data, private=stored[:1] == b"\x01") for data, stored in facts),
            )  # fmt: skip
            row = (placed.leaf, placed.hash, b"".join(map(pack_fact, placed.stored)))
            now = change(placed.index, was)
            if now != was:
                altered.append(placed.index)
                made = self.store._group([now], placed.index)
                row = (made.leaves[0], made.hashes[0], made.facts[0])
            frontier = frontier.append(row[1])
            rows.append((placed.index, *row, self.signed(frontier)))
        self.store._keys.commit()
        self.store.close()
        self._write(rows)
        return altered

    def signed(self, frontier: Frontier) -> bytes:
        said = Checkpoint(self.store.signer.name, frontier.size, frontier.root())
        return checkpoints.sign(said, [self.store.signer]).to_bytes()

    def _write(self, rows: list[Any]) -> None:
        with database(self.folder) as db:
            for index, leaf, kept, facts, note in rows:
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
                entry = entries.batch_entry(batch)
                digest = entries.content_digest(batch, entry)
                rows.append((store._salted(entry, placed.index, digest), placed.index))
        store.close()
        with database(self.folder) as db:
            db.executemany("UPDATE batches SET digest = ? WHERE idx = ?", rows)


def with_facts(entry: Entry, *facts: bytes) -> Entry:
    """The entry with other facts, each as open or sealed as it was."""
    pairs = zip(entry.facts, facts, strict=True)
    return replace(entry, facts=tuple(replace(f, data=data) for f, data in pairs))


def test_an_insider_who_forgets_nothing_but_the_answers_is_found(folder: Path) -> None:
    """Radar plots moved, leaves, hashes and signatures made anew: the answers give it away."""
    target = middle(folder, "batch")

    def moved(index: int, entry: Entry) -> Entry:
        if index < target or not entry.source.startswith("radar"):
            return entry
        head, *rows = [fact.data for fact in entry.facts]
        plots = [msgspec.json.decode(row) for row in rows]
        moved_m = [[at, [first + 40.0, *rest], *more] for at, (first, *rest), *more in plots]
        return with_facts(entry, head, *map(msgspec.json.encode, moved_m))

    insider = Insider(folder)
    assert insider.rewrite(moved)
    insider.mend_batches()
    RecordStore(folder, "").close()  # the record holds in itself: leaves, order, signatures
    (fault,) = faults(folder)
    assert re.match(r"entry \d+ \((tracks|verdict)\)", fault) or "was computed" in fault


def test_an_insider_who_alters_a_verdict_is_found(folder: Path) -> None:
    target = middle(folder, "verdict")

    def later(index: int, entry: Entry) -> Entry:
        fact = entry.facts[0].data if index == target else b""
        return with_facts(entry, fact.replace(b'"at_ns":1', b'"at_ns":2')) if fact else entry

    assert Insider(folder).rewrite(later) == [target]
    RecordStore(folder, "").close()
    (fault,) = faults(folder)
    assert fault.startswith(f"entry {target} (verdict), fact 0 differs: recorded ")
    assert ", computed [" in fault


@pytest.mark.parametrize("kind", ["batch", "command", "tracks", "verdict"])
@pytest.mark.parametrize(
    "change",
    [
        lambda entry: replace(entry, at_ns=entry.at_ns + 1),
        lambda entry: replace(entry, source=entry.source + "x"),
        lambda entry: replace(entry, facts=(*entry.facts, Fact(b"{}"))),
        lambda entry: replace(entry, facts=entry.facts[:-1]),
        lambda entry: replace(entry, facts=tuple(replace(f, private=True) for f in entry.facts)),
        lambda entry: with_facts(entry, *(b" " + f.data for f in entry.facts)),
        lambda entry: replace(entry, kind="site"),
        lambda entry: replace(entry, kind="alert"),
        lambda entry: replace(entry, kind="tick"),
        lambda entry: replace(entry, kind="unheard-of"),
    ],
    ids=["time", "source", "more", "fewer", "sealed", "written", "site", "alert", "tick", "other"],
)
def test_an_entry_that_is_not_as_it_would_have_been_written_is_named(
    small: Path, kind: str, change: Any
) -> None:
    """Even where the answers are the same."""
    target = middle(small, kind)
    Insider(small).rewrite(lambda index, entry: change(entry) if index == target else entry)
    (fault,) = faults(small)
    assert fault.startswith(f"entry {target}")


def test_a_sealed_fact_that_lies_open_is_named(folder: Path) -> None:
    target = middle(folder, "command")

    def laid_open(index: int, entry: Entry) -> Entry:
        return replace(entry, facts=tuple(replace(f, private=False) for f in entry.facts))

    altered = Insider(folder).rewrite(laid_open)
    assert altered
    assert target not in altered  # this one was open already
    assert faults(folder) == [
        f"entry {altered[0]} (command), fact 0: sealed or open, it should not be so"
    ]


def test_the_site_comes_once(small: Path) -> None:
    """A second beginning would let the engine forget what it had seen."""
    target = middle(small, "tick")
    first: list[Entry] = []

    def again(index: int, entry: Entry) -> Entry:
        first.extend([entry] if index == 0 else [])
        return replace(first[0], at_ns=entry.at_ns) if index == target else entry

    assert Insider(small).rewrite(again) == [target]
    (fault,) = faults(small)
    assert fault == f"entry {target}: the record begins with its site, and has no other"


def test_a_checkpoint_over_another_size_is_named(small: Path) -> None:
    """The log itself signed the right root with a wrong count."""
    store = RecordStore(small, "", audit=True)
    said = store._signed(store.checkpoint())
    note = checkpoints.sign(replace(said, size=said.size - 1), [store.signer]).to_bytes()
    size = store.size
    store.close()
    with database(small) as db:
        db.execute("UPDATE checkpoints SET note = ? WHERE size = ?", (note, size))
    assert re.match(rf"entries \d+ to {size - 1} do not give the root", faults(small)[0])


@pytest.mark.parametrize("what", ["nothing that anybody can read", "[[[[", '{"is":"Nobody"}', "7"])
@pytest.mark.parametrize("kind", ["batch", "command", "tracks", "verdict", "site"])
def test_whatever_an_insider_writes_is_named_and_never_a_trace(
    small: Path, kind: str, what: str
) -> None:
    target = middle(small, kind)

    def nonsense(index: int, entry: Entry) -> Entry:
        rest = [fact.data for fact in entry.facts[1:]]
        return with_facts(entry, what.encode(), *rest) if index == target else entry

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
