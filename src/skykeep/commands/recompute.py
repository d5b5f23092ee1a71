"""`skykeep recompute DIR`: the recorded inputs once more, and whether all is the same."""

from __future__ import annotations

import sys
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from skykeep.codec import entries
from skykeep.core.event import Event
from skykeep.errors import RecordError
from skykeep.record.entry import Entry, Placed, read_leaf
from skykeep.runtime import Runtime, feed_again, recorded_input
from skykeep.store.record_store import RECORD_FILE, RecordStore

#: Faults named one by one; behind the first, most others follow from it.
FAULTS_NAMED = 20


@dataclass(slots=True)
class Recomputed:
    """What was fed again and what does not hold, the gravest first."""

    entries: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)


def recompute(folder: Path) -> Recomputed:
    """Check leaves, facts and checkpoints, then feed all inputs again and compare the answers."""
    if not (folder / RECORD_FILE).exists():
        raise RecordError(f"there is no record in {folder}")
    store = RecordStore(folder, "", audit=True)
    try:
        found = Recomputed(store.size)
        found.faults += store.faults()
        _compare(store, found)
    finally:
        store.close()
    return found


def _compare(store: RecordStore, found: Recomputed) -> None:
    runtime: Runtime | None = None
    waiting: list[Entry] = []
    for placed in store.entries():
        try:
            leaf = read_leaf(placed.leaf)
            store.check_facts(placed)
            found.counts[leaf.kind] += 1
            if leaf.kind == entries.SITE:
                runtime = Runtime(entries.site_of(store.facts(placed)))
                continue
            if runtime is None:
                raise RecordError("the record does not begin with its site")
            if leaf.kind in entries.OUTPUTS:
                _same(store, placed, waiting)
                continue
            _nothing_left(placed, waiting)
            waiting = _answers(store, runtime, placed)
        except RecordError as error:
            found.faults.append(str(error))
            return  # what follows was computed from what is wrong here
    if waiting:
        found.faults.append(f"the record ends before the answer that follows: {waiting[0].kind}")


def _answers(store: RecordStore, runtime: Runtime, placed: Placed) -> list[Entry]:
    item = recorded_input(store, placed)
    if item is None:
        raise RecordError(f"entry {placed.index} is of a kind that nobody knows")
    events: tuple[Event, ...] = feed_again(runtime, item, placed)
    return entries.output_entries(events, runtime.now_ns)


def _nothing_left(placed: Placed, waiting: list[Entry]) -> None:
    if waiting:
        expected = waiting[0]
        raise RecordError(
            f"entry {placed.index} is an input where a {expected.kind} was computed: "
            f"{_shown(expected)}"
        )


def _same(store: RecordStore, placed: Placed, waiting: list[Entry]) -> None:
    leaf = read_leaf(placed.leaf)
    if not waiting:
        raise RecordError(f"entry {placed.index} ({leaf.kind}) is recorded and was not computed")
    expected = waiting.pop(0)
    facts = store.facts(placed)
    if expected.kind != leaf.kind or expected.at_ns != leaf.at_ns:
        raise RecordError(f"entry {placed.index} is a {leaf.kind}, computed was a {expected.kind}")
    computed = tuple(fact.data for fact in expected.facts)
    if facts != computed:
        place = next(
            (i for i, (a, b) in enumerate(zip(facts, computed, strict=False)) if a != b), 0
        )
        recorded = facts[place][:200].decode() if place < len(facts) else "nothing"
        raise RecordError(
            f"entry {placed.index} ({leaf.kind}), fact {place} differs: recorded {recorded}, "
            f"computed {_shown(expected, place)}"
        )


def _shown(entry: Entry, place: int = 0) -> str:
    return entry.facts[place].data[:200].decode() if place < len(entry.facts) else "nothing"


def run(folder: Path, as_json: bool) -> int:
    """Print what was found; 0 where all is the same, 1 where it is not."""
    found = recompute(folder)
    named = found.faults[:FAULTS_NAMED]
    if as_json:
        document = {"entries": found.entries, "kinds": found.counts, "faults": named}
        print(msgspec.json.encode(document).decode())
        return 1 if named else 0
    counts = ", ".join(f"{n} {kind}" for kind, n in sorted(found.counts.items()))
    print(f"{found.entries} entries: {counts}")
    for fault in named:
        print(f"does not hold: {fault}", file=sys.stderr)
    if not named:
        print("The stored leaves give every signed root; verdicts and alerts are the same.")
    return 1 if named else 0
