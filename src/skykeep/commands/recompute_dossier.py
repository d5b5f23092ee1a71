"""`skykeep recompute DOSSIER.zip`: what follows from a dossier's facts, worked out again.

How far that reaches depends on what the dossier shows. With every input of the record from its
first entry on, the whole line runs again, and each answer must be the recorded one: full replay.
Else `judge()` runs again over the disclosed states of the incident's tracks, with the zones and
permits that the dossier shows. In both cases the files for people are made again from the facts.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from skykeep import __version__
from skykeep.codec import entries, wire
from skykeep.commands.rejudge import Rejudged, rejudge
from skykeep.core.airspace import Site
from skykeep.core.casebook import Casebook, Incident
from skykeep.core.event import Event
from skykeep.core.retention import EraseKeys
from skykeep.dossier.build import facts_of, head_of, told_files
from skykeep.dossier.excerpt import Excerpt
from skykeep.errors import DecisionError, InputError, RecordError, SkykeepError
from skykeep.record.entry import Entry, Leaf, Placed, read_leaf
from skykeep.runtime import Runtime, feed_again, input_of
from skykeep.verify import verifier

FULL, JUDGED = "full replay", "judge() from disclosed track states"
#: Of a fact, as much as a line of a message has room for.
SHOWN_BYTES = 200


@dataclass(slots=True)
class Shown:
    """An entry as a dossier shows it: None stands for a fact that is withheld."""

    index: int
    line: bytes
    leaf: Leaf
    raw: list[dict[str, str]]

    @property
    def facts(self) -> list[bytes | None]:
        """The facts' bytes."""
        return [f["fact"].encode() if "fact" in f else None for f in self.raw]


@dataclass(slots=True)
class Found:
    """What was worked out again, and what does not hold, the first difference first."""

    reach: str = ""
    entries: int = 0
    hidden_inputs: int = 0
    same: list[str] = field(default_factory=list)
    other: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    judged: Rejudged | None = None


class Opened:
    """The parts of a dossier that are worked with; its signatures are the verifier's matter."""

    def __init__(self, data: bytes) -> None:
        """Read it; InputError where it is no dossier of this form."""
        try:
            found = verifier.read_container(data)
        except verifier.VerifyError as error:
            raise InputError("dossier", str(error), "Run `skykeep verify` on it.") from None
        self.files = {name.partition("/data/")[2]: content for name, content in found.items()}
        info = next((c for n, c in found.items() if n.endswith("/bag-info.txt")), b"")
        self.made_by = (
            info.decode("utf-8", "replace").partition("Agent: Skykeep ")[2].split("\n")[0]
        )
        try:
            self.incident: Incident = wire.decode(self.files["incident.json"])
            self.start = int(self.files["record/proof.txt"].split()[0])
            self.shown = list(self._shown())
            self.context = [
                msgspec.json.decode(line)
                for line in self.files.get("record/context.jsonl", b"").splitlines()
            ]
            self.head = head_of(self.files)
            self.site: Site = self._site()
            self.origin = verifier.split_note(self.files["record/checkpoint.txt"], "")[0]
        except (LookupError, ValueError, TypeError, msgspec.MsgspecError) as error:
            problem = f"is not as this version of Skykeep writes it: {error!r}"
            raise InputError("dossier", problem, "Run `skykeep verify` on it.") from None

    def _shown(self) -> Iterator[Shown]:
        lines = self.files["record/leaves.jsonl"].splitlines()
        facts = facts_of(self.files["record/facts.jsonl"].splitlines())
        for offset, (line, raw) in enumerate(zip(lines, facts, strict=True)):
            yield Shown(self.start + offset, line, read_leaf(line), raw)

    def _site(self) -> Site:
        if self.start == 0:
            return entries.site_of([f for f in self.shown[0].facts if f is not None])
        return entries.site_of([self.context[0]["facts"][0]["fact"].encode()])

    def excerpt(self) -> Excerpt:
        """What the dossier's facts say, gathered as when it was made."""
        size, name = self.start + len(self.shown), self.origin.split("\n")[0]
        excerpt = Excerpt(self.site, self.incident, self.start, size, name)
        for each in self.context:
            excerpt.precede(each["leaf"].encode(), each["facts"])
        for entry in self.shown:
            excerpt.take(entry.index, entry.line, entry.raw)
        return excerpt


def recompute(data: bytes) -> Found:
    """Work everything out again that the dossier allows."""
    opened = Opened(data)
    found = Found(entries=len(opened.shown))
    inputs = [e for e in opened.shown if e.leaf.kind not in (*entries.OUTPUTS, entries.SITE)]
    found.hidden_inputs = sum(None in entry.facts for entry in inputs)
    _documents(opened, found)
    if opened.start == 0 and not found.hidden_inputs:
        found.reach = FULL
        _replay(opened, found)
    else:
        found.reach = JUDGED
        found.judged = rejudge(opened.site, opened.incident, opened.context, opened.shown)
        found.faults += found.judged.faults
    if opened.start == 0:
        _casebook(opened, found)
    return found


def _documents(opened: Opened, found: Found) -> None:
    for name, content in told_files(opened.excerpt(), opened.head):
        if opened.files.get(name) == content:
            found.same.append(name)
        elif opened.made_by == __version__:
            found.faults.append(f"{name} does not follow from the facts")
        else:
            found.other.append(name)


def _replay(opened: Opened, found: Found) -> None:
    """Every input through the engine; the first answer that differs ends it."""
    runtime = Runtime(opened.site)
    waiting: list[Entry] = []
    for entry in opened.shown:
        if entry.leaf.kind == entries.SITE:
            continue
        where = f"entry {entry.index} ({entry.leaf.kind})"
        if entry.leaf.kind in entries.OUTPUTS:
            due = waiting.pop(0) if waiting else None
            difference = _difference(entry, due)
            if difference:
                found.faults.append(f"{where}: {difference}")
                return
            continue
        if waiting:
            found.faults.append(f"{where}: computed was a {waiting[0].kind} before it")
            return
        try:
            item = input_of(entry.leaf, entry.facts)
            if item is None:
                raise RecordError("is of a kind that nobody knows")
            events = feed_again(runtime, item, Placed(entry.index, entry.line, ()))
        except SkykeepError as error:
            found.faults.append(f"{where}: {error}")
            return
        waiting = entries.output_entries(events, runtime.now_ns)


def _difference(entry: Shown, due: Entry | None) -> str:
    """What is not the same between what is recorded and what was computed; empty where nothing."""
    if due is None or due.kind != entry.leaf.kind:
        return f"computed was {'nothing' if due is None else f'a {due.kind}'}"
    if (due.at_ns, due.source) != (entry.leaf.at_ns, entry.leaf.source):
        return f"computed of {due.at_ns} from {due.source!r}"
    facts = entry.facts
    if len(facts) != len(due.facts):
        return f"{len(facts)} facts are recorded, {len(due.facts)} were computed"
    for place, (known, made) in enumerate(zip(facts, due.facts, strict=True)):
        if known is not None and known != made.data:
            return f"fact {place} differs: recorded {_cut(known)}, computed {_cut(made.data)}"
    return ""


def _cut(fact: bytes) -> str:
    return fact[:SHOWN_BYTES].decode(errors="replace")


def _casebook(opened: Opened, found: Found) -> None:
    """The incident once more from the events and from what people did."""
    book = Casebook()
    for entry in opened.shown:
        kind, facts = entry.leaf.kind, [f for f in entry.facts if f is not None]
        if kind in entries.OUTPUTS:
            kept = [f for f in facts if not f.startswith(b'["TrackUpdated"')]
            events: Sequence[Event] = [entries.event_of(fact) for fact in kept]
            book.receive(events)
        elif kind == entries.CASE and facts:
            # One about another incident may rest on what is withheld here.
            with contextlib.suppress(DecisionError):
                book.apply(wire.decode(facts[0]), entry.leaf.at_ns)
        elif kind == entries.ERASURE and facts:
            command: EraseKeys = wire.decode(facts[0])
            book.forget(command.before_ns)
    made = book.incidents.get(opened.incident.incident_id)
    if made == opened.incident:
        found.same.append("the incident itself")
        return
    names = [
        name
        for name in Incident.__dataclass_fields__
        if made is None or getattr(made, name) != getattr(opened.incident, name)
    ]
    found.faults.append(f"incident.json: {', '.join(names)} do not follow from the facts")


def run(path: Path, as_json: bool) -> int:
    """Print what was found; 0 where all is the same, 1 where it is not."""
    try:
        data = path.read_bytes()
    except OSError as error:
        problem = f"cannot be read ({error.strerror})"
        raise InputError(str(path), problem, "Check the path") from None
    found = recompute(data)
    if as_json:
        print(msgspec.json.encode(_document(found)).decode())
        return 1 if found.faults else 0
    print(f"{found.entries} entries. Reach: {found.reach}.")
    if found.reach == JUDGED:
        print(
            f"  Not the full replay: {found.hidden_inputs} inputs are withheld in part, or the "
            "range begins later than the record. Observations are not tracked again."
        )
    print(f"Made again from the facts, and the same: {', '.join(found.same) or 'nothing'}.")
    if found.other:
        print(f"Made by another version of Skykeep, and not compared: {', '.join(found.other)}.")
    if found.judged is not None:
        for line in found.judged.lines():
            print(line)
    elif not found.faults:
        print("Tracks, verdicts and alerts were derived again from the inputs, and are the same.")
    for fault in found.faults[:20]:
        print(f"does not hold: {fault}", file=sys.stderr)
    print("Signatures were not checked here: run `skykeep verify` for that.")
    return 1 if found.faults else 0


def _document(found: Found) -> dict[str, Any]:
    judged = found.judged
    return {
        "entries": found.entries,
        "reach": found.reach,
        "hidden_inputs": found.hidden_inputs,
        "same": found.same,
        "not_compared": found.other,
        "verdicts": None if judged is None else judged.counts(),
        "faults": found.faults[:20],
    }
