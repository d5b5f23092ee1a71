"""The composition root: one site's engine and casebook, driven by whatever a feed yields."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from skykeep.codec import entries, wire
from skykeep.config import read_site, read_terrain_file
from skykeep.core.airspace import Airspace, Command, Site, Snapshot
from skykeep.core.casebook import (
    Assess,
    Casebook,
    CaseCommand,
    FileReport,
    HoldIncident,
    IncidentChanged,
    MoveIncident,
    OpenIncident,
    ReportBack,
)
from skykeep.core.event import AccountActed, Event, Finding, Looked, Severity, Tick
from skykeep.core.geo import HeightHae
from skykeep.core.observation import Batch, Sensor, Signature
from skykeep.core.retention import EraseKeys
from skykeep.core.track import registration, upstream
from skykeep.core.track.arrival import Motion, foresee, target_of
from skykeep.core.track.tracker import Tracker
from skykeep.core.zone import prepare_zone
from skykeep.errors import InputError, RecordError, SkykeepError
from skykeep.feed.citadel_night import citadel_night
from skykeep.record.entry import Entry, Leaf, Placed, read_leaf
from skykeep.store.record_store import KnownBatch, RecordStore, Staged
from skykeep.store.terrain import read_terrain
from skykeep.units import NS_PER_S

Input = Batch | Tick | Command | EraseKeys | Looked | AccountActed
CASE_COMMANDS = (OpenIncident, FileReport, ReportBack, Assess, MoveIncident, HoldIncident)


def read_grounded_site(path: Path) -> tuple[Site, tuple[Sensor, ...]]:
    """The site and its sensors from a site file, with the ground from the file that it names.

    InputError names the field or the terrain's line that does not fit.
    """
    site, sensors = read_site(path)
    named = read_terrain_file(path)
    if named is None:
        return site, sensors
    file, radius_m = named
    terrain = read_terrain(file).around(site.frame.lat_deg, site.frame.lon_deg, radius_m)
    if terrain is None:
        problem = f"{file.name} has no height for a part of {radius_m:g} m around the origin"
        raise InputError(f"{path}: terrain.file", problem, "Give a larger grid or less radius_m")
    return replace(site, terrain=terrain), sensors


class Runtime:
    """A site at work. Every input goes through here, live, replayed or simulated."""

    def __init__(self, site: Site, saved: Snapshot | None = None) -> None:
        self.airspace = Airspace(site) if saved is None else Airspace.restore(site, saved)
        self.casebook = Casebook()
        self.now_ns = 0 if saved is None else saved.now_ns

    def take(self, item: Input) -> tuple[Event, ...]:
        """One input in, its events out; the casebook has them too."""
        if isinstance(item, Batch):
            events = self.airspace.receive(item)  # what is refused leaves the time as it was
            self.now_ns = max(self.now_ns, item.receipt_time_ns)
        elif isinstance(item, Tick):
            self.now_ns = max(self.now_ns, item.at_ns)
            events = self.airspace.advance(item.at_ns)
        elif isinstance(item, EraseKeys):
            self.casebook.forget(item.before_ns)
            events = ()
        elif isinstance(item, Looked | AccountActed):
            events = ()
        else:
            events = self.airspace.apply(item, self.now_ns)
        self.casebook.receive(events)
        return events

    def run(self, items: Iterable[Input]) -> Iterator[tuple[Input, tuple[Event, ...]]]:
        """All inputs in their order, each with its events."""
        for item in items:
            yield item, self.take(item)

    def decide(self, command: CaseCommand, at_ns: int) -> IncidentChanged:
        """A casebook command by a named person."""
        self.now_ns = max(self.now_ns, at_ns)
        return self.casebook.apply(command, self.now_ns)


#: Said of a batch whose operators' positions were left out.
DROPPED = "where an operator stood is not kept: the site names no legal basis for it"
#: The engine's state is kept after so many entries; starting again replays fewer than that.
SNAPSHOT_EVERY = 5_000


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of one input: its events, or why it was refused.

    `repeated` says that the same batch is in the record already; it did nothing again.
    `entry` is the input's place in the record.
    """

    events: tuple[Event, ...] = ()
    refused: SkykeepError | None = None
    repeated: bool = False
    incident: IncidentChanged | None = None
    entry: int | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """Inputs that the engine has taken, with their answers, which nobody may hear of yet."""

    answers: list[Answer]
    staged: Staged | None


class Unrecorded:
    """A site at work without a record, for what is only looked at: replays and tests."""

    def __init__(self, site: Site) -> None:
        self.runtime = Runtime(site)

    def take(self, items: Sequence[Input | CaseCommand]) -> list[Answer]:
        """Inputs in their order, each with its answer."""
        answers: list[Answer] = []
        for item in items:
            try:
                if isinstance(item, CASE_COMMANDS):
                    changed = self.runtime.decide(item, self.runtime.now_ns)
                    answers.append(Answer(incident=changed))
                else:
                    answers.append(Answer(self.runtime.take(item)))
            except SkykeepError as error:
                answers.append(Answer(refused=error))
        return answers


#: By then every sensor of the simulated night has spoken and tracks are held and judged.
REHEARSAL_S = 30


def rehearse() -> None:
    """The start of a simulated night through an engine that is thrown away.

    After it every kernel is compiled. On a machine that has compiled none that takes up to a
    minute, and the first batch of a real night must not wait for it.
    """
    registration.rehearse()
    upstream.rehearse()
    Tracker().prune(0)
    night = citadel_night(seed=1)
    desk = Unrecorded(night.site)
    for item in night.items():
        desk.take([item])
        if isinstance(item, Tick) and item.at_ns >= night.start_ns + REHEARSAL_S * NS_PER_S:
            break
    # So early in the night nothing is on its way into a zone yet.
    here = Motion(np.zeros(6), np.eye(6), 0.0, 1.0, 1.0)
    for zone in desk.runtime.airspace.zones():
        target = target_of(prepare_zone(zone), night.site.frame)
        for height in (HeightHae(0.0), None):
            foresee(here, height, target, night.start_ns, night.site.terrain)


class Recorded:
    """A site at work whose inputs and answers are in the record before anybody hears of them.

    Starting is recovering: the last snapshot, the entries after it, the root computed anew.
    After a RecordError the engine is ahead of the record; make a new one from the folder.
    """

    def __init__(self, folder: Path, site: Site) -> None:
        self.store = RecordStore(folder, f"{site.authority_id}/skykeep")
        self._since_snapshot = 0
        try:
            self.runtime = self._recover(site)
        except SkykeepError:
            self.store.close()
            raise

    def _recover(self, site: Site) -> Runtime:
        if self.store.size == 0:
            self.store.append([entries.site_entry(site, 0)])
        first = next(self.store.entries(0, 1))
        self.store.check_facts(first)
        facts = self.store.facts(first)
        try:
            recorded = entries.site_of(facts)
        except InputError as error:
            raise RecordError(
                f"the record in {self.store.folder} was written by Skykeep "
                f"{entries.written_by(facts)}, and this version cannot read it ({error}). Read it "
                "with that one; see docs/operations.md"
            ) from None
        if recorded != site:
            raise RecordError(
                f"the record in {self.store.folder} is of another site or configuration"
            )
        kept = self.store.snapshot()
        start, runtime = 1, Runtime(site)
        if kept is not None:
            start, data = kept
            state = wire.decode(data)
            runtime = Runtime(site, state[0])
            runtime.casebook = state[1]
        self._since_snapshot = self.store.size - start
        for placed in self.store.entries(start):
            self.store.check_facts(placed)  # opening looked at the leaves alone
            item = recorded_input(self.store, placed)
            if item is not None:
                feed_again(runtime, item, placed)
        return runtime

    def take(self, items: Sequence[Input | CaseCommand]) -> list[Answer]:
        """Inputs in their order; returns when all of them and their answers are durable."""
        prepared = self.prepare(items)
        self.commit(prepared)
        return prepared.answers

    def prepare(self, items: Sequence[Input | CaseCommand]) -> Prepared:
        """The part of `take` that computes; until its `commit`, prepare nothing else."""
        answers: list[Answer] = []
        pending: list[Entry] = []
        known: list[tuple[str, int, bytes]] = []
        in_group: dict[str, KnownBatch] = {}
        for item in items:
            entry, first = self.store.size + len(pending), None
            if isinstance(item, Batch):
                item = self._kept(item)  # noqa: PLW2901
                try:
                    first = entries.batch_entry(item)
                except InputError as error:
                    answers.append(Answer(refused=error))
                    continue
                digest = entries.content_digest(item, first)
                repeated = self._repeated(item, digest, in_group)
                if repeated is not None:
                    answers.append(repeated)
                    continue
            try:
                answer, made = self._one(item, first)
            except SkykeepError as error:
                answers.append(Answer(refused=error))
                continue
            if isinstance(item, Batch):
                known.append((str(item.batch_id), len(pending), digest))
                in_group[item.batch_id] = KnownBatch(entry, digest)
            pending += made
            answers.append(replace(answer, entry=entry))
        erase = tuple(k for item in items if isinstance(item, EraseKeys) for k in item.keys)
        return Prepared(answers, self._stage(pending, known, erase) if pending else None)

    def commit(self, prepared: Prepared) -> None:
        """The part of `take` that waits for the disk; it may run on another thread."""
        if prepared.staged is not None:
            self.store.commit(prepared.staged)

    def _kept(self, batch: Batch) -> Batch:
        """A batch without what the site has no basis to keep, and without hashes over it."""
        if not batch.operators or self.runtime.airspace.site.operator_basis:
            return batch
        found = Finding("operator", DROPPED, "left out", Severity.NOTE)
        findings = (*batch.findings, found)
        return replace(
            batch, operators=(), raw_sha256=(), findings=findings, signed=_unsaid(batch.signed)
        )

    def _repeated(
        self, item: Batch, digest: bytes, in_group: dict[str, KnownBatch]
    ) -> Answer | None:
        before = in_group.get(item.batch_id) or self.store.batch(item.batch_id)
        if before is None:
            return None
        known = in_group.get(item.batch_id)
        same = self.store.said_before(before, digest) if known is None else known.digest == digest
        if same:
            return Answer(repeated=True, entry=before.index)
        problem = f"{item.batch_id!r} was used before with other content"
        if same is None:
            problem = f"{item.batch_id!r} was used before; what it said then was destroyed"
        return Answer(refused=InputError("batch_id", problem, "Give each batch an id of its own"))

    def _one(self, item: Input | CaseCommand, first: Entry | None) -> tuple[Answer, list[Entry]]:
        runtime = self.runtime
        if isinstance(item, CASE_COMMANDS):
            changed = runtime.decide(item, runtime.now_ns)
            made = entries.command_entry(item, entries.CASE, runtime.now_ns)
            return Answer(incident=changed), [made]
        events = runtime.take(item)
        if isinstance(item, Tick):
            first = entries.tick_entry(item)
        elif isinstance(item, EraseKeys):
            first = entries.erasure_entry(item, runtime.now_ns)
        elif isinstance(item, Looked):
            first = entries.look_entry(item)
        elif isinstance(item, AccountActed):
            first = entries.account_entry(item)
        elif not isinstance(item, Batch):
            first = entries.command_entry(item, entries.COMMAND, runtime.now_ns)
        assert first is not None
        return Answer(events), [first, *entries.output_entries(events, runtime.now_ns)]

    def _stage(
        self,
        pending: list[Entry],
        known: list[tuple[str, int, bytes]],
        erase: tuple[tuple[str, int], ...],
    ) -> Staged:
        self._since_snapshot += len(pending)
        snapshot = None
        if self._since_snapshot >= SNAPSHOT_EVERY or erase:
            state = (self.runtime.airspace.snapshot(), self.runtime.casebook)
            snapshot = wire.encode(state)
            self._since_snapshot = 0
        return self.store.stage(pending, known, snapshot, erase)

    def close(self) -> None:
        """Let go of the files."""
        self.store.close()


_INPUT_KINDS = (
    entries.BATCH,
    entries.COMMAND,
    entries.CASE,
    entries.ERASURE,
    entries.LOOK,
    entries.ACCOUNT,
)


def _unsaid(signed: Signature | None) -> Signature | None:
    """A signature without its value: what it was made over is not kept."""
    return None if signed is None else replace(signed, value="")


def recorded_input(store: RecordStore, placed: Placed) -> Input | CaseCommand | None:
    """The input that an entry holds, or None for an answer; RecordError if it cannot be read."""
    leaf = read_leaf(placed.leaf)
    if leaf.kind not in _INPUT_KINDS:
        return input_of(leaf, ())
    is_batch = leaf.kind == entries.BATCH
    return input_of(leaf, store.lasting(placed) if is_batch else store.facts(placed))


def input_of(leaf: Leaf, facts: Sequence[bytes | None]) -> Input | CaseCommand | None:
    """The input that a leaf and its facts are, or None for an answer."""
    if leaf.kind == entries.TICK:
        return Tick(leaf.at_ns)
    if leaf.kind not in _INPUT_KINDS:
        return None
    if leaf.kind == entries.BATCH:
        return entries.batch_of(facts)
    if facts[0] is None:
        raise RecordError(f"the {leaf.kind} cannot be read")
    command: Command | CaseCommand | Looked | AccountActed = wire.decode(facts[0])
    return command


def feed_again(runtime: Runtime, item: Input | CaseCommand, placed: Placed) -> tuple[Event, ...]:
    """A recorded input through the engine once more."""
    try:
        if isinstance(item, CASE_COMMANDS):
            runtime.decide(item, read_leaf(placed.leaf).at_ns)
            return ()
        return runtime.take(item)
    except SkykeepError as error:
        raise RecordError(f"entry {placed.index} cannot be fed again: {error}") from None
