"""`skykeep recompute DIR`: the recorded inputs once more, and whether all is the same."""

from __future__ import annotations

import sys
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from skykeep.codec import entries, wire
from skykeep.codec.signed import batch_holds
from skykeep.core.casebook import CaseCommand
from skykeep.core.event import AccountActed, Looked, Tick
from skykeep.core.observation import Batch
from skykeep.core.retention import EraseKeys
from skykeep.errors import RecordError, SkykeepError
from skykeep.record.entry import Entry, Leaf, Placed, is_brief, read_leaf, sealed_hour
from skykeep.runtime import Input, Runtime, feed_again, recorded_input
from skykeep.store.record_store import RECORD_FILE, KnownBatch, RecordStore

#: Faults named one by one; behind the first, most others follow from it.
FAULTS_NAMED = 20
#: Of a fact, as much as a line of a message has room for.
SHOWN_BYTES = 200
#: What a value of a wrong type can make the engine raise: whoever has all keys can write one.
_NOT_OURS = (TypeError, ValueError, AttributeError, LookupError, ArithmeticError)


@dataclass(slots=True)
class Recomputed:
    """What was fed again and what does not hold, the gravest first."""

    entries: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    since: int = 0  # the first entry that was fed again: what went before has lost facts
    erased: int = 0  # keys that the record says were destroyed


def recompute(folder: Path) -> Recomputed:
    """Check leaves, facts and checkpoints, then feed all inputs again and compare the answers."""
    if not (folder / RECORD_FILE).exists():
        raise RecordError(f"there is no record in {folder}")
    store = RecordStore(folder, "", audit=True)
    try:
        found = Recomputed(store.size)
        found.faults += [*store.key_faults, *store.faults()]
        if not store.size:
            found.faults.append("the record has no entries")
        elif store.has_record_key:
            _Again(store, found).run()
    finally:
        store.close()
    return found


class _Again:
    """A record fed to a new engine, entry by entry."""

    def __init__(self, store: RecordStore, found: Recomputed) -> None:
        self._store = store
        self._found = found
        self._runtime: Runtime | None = None
        self._waiting: list[Entry] = []
        self._batches: dict[str, KnownBatch] = {}
        self._snapshot: tuple[int, bytes] | None = None

    def run(self) -> None:
        """Until the first fault: what follows it was computed from what is wrong there."""
        index: int | None = None
        try:
            self._batches = self._store.batches()
            self._snapshot = self._store.snapshot()
            self._found.since = self._first_whole()
            for placed in self._store.entries():
                index = placed.index
                if index < self._found.since:
                    self._untouched(placed)
                else:
                    self._one(placed)
            index = None
            self._nothing_left_over()
        except (SkykeepError, *_NOT_OURS) as error:
            said = str(error)
            known = index is None or said.startswith("entry ")
            self._found.faults.append(said if known else f"entry {index}: {said}")

    def _first_whole(self) -> int:
        """The first entry from which all inputs can be read: keys are destroyed at a snapshot."""
        last = 0
        for placed in self._store.entries():
            if read_leaf(placed.leaf).kind == entries.ERASURE:
                command: EraseKeys = wire.decode(self._store.facts(placed)[0])
                self._found.erased += len(command.keys)
                if command.before_ns:  # the engine never needs what is kept briefly
                    last = placed.index
        if not last:
            return 0
        if self._snapshot is None or self._snapshot[0] <= last:
            raise RecordError(f"entry {last} destroyed keys, and no snapshot behind it is left")
        return self._snapshot[0]

    def _untouched(self, placed: Placed) -> None:
        """An entry that is not fed again: its facts are those that the leaf commits to."""
        leaf = read_leaf(placed.leaf)
        self._store.check_facts(placed)
        self._found.counts[leaf.kind] += 1
        if placed.index + 1 < self._found.since:
            return
        assert self._snapshot is not None
        site = entries.site_of(self._store.facts(next(self._store.entries(0, 1))))
        state = wire.decode(self._snapshot[1])
        self._runtime = Runtime(site, state[0])
        self._runtime.casebook = state[1]
        known = self._batches.items()
        self._batches = {b: k for b, k in known if k.index >= self._found.since}

    def _one(self, placed: Placed) -> None:
        leaf = read_leaf(placed.leaf)
        self._store.check_facts(placed)
        self._found.counts[leaf.kind] += 1
        if (leaf.kind == entries.SITE) != (placed.index == 0):
            raise RecordError("the record begins with its site, and has no other")
        if leaf.kind == entries.SITE:
            self._runtime = Runtime(entries.site_of(self._store.facts(placed)))
        elif leaf.kind in entries.OUTPUTS:
            if not self._waiting:
                raise RecordError(f"entry {placed.index} ({leaf.kind}) was never computed")
            self._same(placed, leaf, self._waiting.pop(0))
        else:
            self._input(placed, leaf)
        if self._snapshot is not None and self._snapshot[0] == placed.index + 1:
            self._same_state(self._snapshot[1])

    def _input(self, placed: Placed, leaf: Leaf) -> None:
        if self._waiting:
            due = self._waiting[0]
            raise RecordError(
                f"entry {placed.index} is an input where a {due.kind} was computed: {_shown(due)}"
            )
        item = recorded_input(self._store, placed)
        if item is None or self._runtime is None:
            raise RecordError(f"entry {placed.index} is of a kind that nobody knows")
        events = feed_again(self._runtime, item, placed)
        now_ns = self._runtime.now_ns
        made = _input_entry(item, leaf.kind, now_ns)
        self._same(placed, leaf, made)
        if isinstance(item, Batch):
            self._known(item, made, placed.index)
        self._waiting = entries.output_entries(events, now_ns)

    def _known(self, batch: Batch, made: Entry, index: int) -> None:
        if not batch_holds(batch):
            raise RecordError(f"entry {index}: the sensor's signature over it does not hold")
        known = self._batches.pop(str(batch.batch_id), None)
        digest = entries.content_digest(batch, made)
        fits = known is not None and known.index == index
        if known is None or not fits or not self._store.said_before(known, digest):
            raise RecordError(f"entry {index}: the list of batches does not have it like this")

    def _same(self, placed: Placed, leaf: Leaf, made: Entry) -> None:
        """The entry as it is recorded and as it was computed or is written; else RecordError."""
        where = f"entry {placed.index} ({leaf.kind})"
        if made.kind != leaf.kind:
            raise RecordError(f"{where}: computed was a {made.kind}, {_shown(made)}")
        if (made.at_ns, made.source) != (leaf.at_ns, leaf.source):
            raise RecordError(
                f"{where} is of {leaf.at_ns} from {leaf.source!r}, "
                f"computed of {made.at_ns} from {made.source!r}"
            )
        facts = self._store.lasting(placed)
        computed = [fact.data for fact in made.facts]
        for place in range(max(len(facts), len(computed))):
            known = facts[place] if place < len(facts) else b"nothing"
            gone = known is None and place < len(computed)
            if not gone and facts[place : place + 1] != tuple(computed[place : place + 1]):
                recorded = "nothing" if known is None else _cut(known)
                raise RecordError(
                    f"{where}, fact {place} differs: recorded {recorded}, "
                    f"computed {_shown(made, place)}"
                )
            stored, fact = placed.stored[place], made.facts[place]
            if (sealed_hour(stored) is not None, is_brief(stored)) != (fact.private, fact.brief):
                raise RecordError(f"{where}, fact {place}: sealed or open, it should not be so")

    def _same_state(self, snapshot: bytes) -> None:
        assert self._runtime is not None
        state = (self._runtime.airspace.snapshot(), self._runtime.casebook)
        if self._waiting or wire.encode(state) != snapshot:
            raise RecordError("the snapshot behind it is not the engine's state")

    def _nothing_left_over(self) -> None:
        if self._waiting:
            due = self._waiting[0]
            raise RecordError(f"the record ends before a {due.kind}: {_shown(due)}")
        for batch_id, known in self._batches.items():
            raise RecordError(f"entry {known.index} is not the batch {batch_id!r}")


def _input_entry(item: Input | CaseCommand, kind: str, now_ns: int) -> Entry:
    if isinstance(item, Tick):
        return entries.tick_entry(item)
    if isinstance(item, Batch):
        return entries.batch_entry(item)
    if isinstance(item, EraseKeys):
        return entries.erasure_entry(item, now_ns)
    if isinstance(item, AccountActed):
        return entries.account_entry(item)
    if isinstance(item, Looked):
        return entries.look_entry(item)
    return entries.command_entry(item, kind, now_ns)


def _shown(entry: Entry, place: int = 0) -> str:
    return _cut(entry.facts[place].data) if place < len(entry.facts) else "nothing"


def _cut(fact: bytes) -> str:
    return fact[:SHOWN_BYTES].decode(errors="replace")


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
        if found.since:
            print(
                f"Entries 0 to {found.since - 1} were not fed again: {found.erased} keys of what "
                "points to a person were destroyed. They are unaltered, as far as they can be read."
            )
        elif found.erased:
            print(f"{found.erased} keys of what is kept briefly were destroyed; nothing needs it.")
    return 1 if named else 0
