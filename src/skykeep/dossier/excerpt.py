"""What a dossier's leaves and disclosed facts say about its incident, gathered in their order.

It sees nothing that the dossier does not show, so that whoever holds the dossier can gather
the same again.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import msgspec

from skykeep.codec import entries, wire
from skykeep.core.airspace import RegisterSensor, Site
from skykeep.core.casebook import Incident
from skykeep.core.event import (
    IdentityChanged,
    PermitChanged,
    RegistrationChanged,
    SensorChanged,
    TrackUpdated,
)
from skykeep.core.observation import Sensor
from skykeep.core.permit import ChangePermit, Permit, PutPermit, transition
from skykeep.core.permit_book import DeclareExemption
from skykeep.core.zone import PublishZone, WithdrawZone
from skykeep.core.zone_book import ChangeZone, DeclareBan, ProposeZone, ZoneBook, ZoneVersion
from skykeep.errors import DecisionError
from skykeep.record.entry import Leaf, read_leaf
from skykeep.units import SensorId, TrackId

ZONE_COMMANDS = (PublishZone, WithdrawZone, ProposeZone, ChangeZone, DeclareBan)

_TOLD = (b'["RegistrationChanged"', b'["SensorChanged"', b'["PermitChanged"')

Shown = Mapping[str, str]
"""A fact as a dossier has it: {"fact", "salt"}, or {"by", "hash", "why"} where it is withheld."""


@dataclass(slots=True)
class Source:
    """What one source of entries handed in, and how much of it is withheld."""

    leaves: int = 0
    facts: int = 0
    withheld: int = 0
    hidden_leaves: int = 0
    rows: int = 0
    raw: int = 0
    times: list[int] = field(default_factory=list)


@dataclass(slots=True)
class Group:
    """Facts of one kind and source that are withheld by one person for one reason."""

    by: str
    why: str
    kind: str
    source: str
    places: list[tuple[int, int, str]] = field(default_factory=list)  # entry, fact, commitment


@dataclass(slots=True)
class Excerpt:
    """What is gathered from the leaves `start` until before `size`."""

    site: Site
    incident: Incident
    start: int
    size: int
    key_name: str
    zones: ZoneBook = field(init=False)
    sensors: dict[SensorId, Sensor] = field(default_factory=dict)
    sources: dict[str, Source] = field(default_factory=dict)
    found_off: dict[SensorId, list[RegistrationChanged]] = field(default_factory=dict)
    health: dict[SensorId, list[SensorChanged]] = field(default_factory=dict)
    states: dict[TrackId, list[TrackUpdated]] = field(default_factory=dict)
    seen_by: dict[TrackId, Counter[str]] = field(default_factory=dict)
    seen_ns: dict[str, list[int]] = field(default_factory=dict)
    permits: dict[str, Permit] = field(default_factory=dict)
    permit_steps: dict[str, list[PermitChanged]] = field(default_factory=dict)
    hidden_permits: list[str] = field(default_factory=list)
    groups: dict[tuple[str, str, str, str], Group] = field(default_factory=dict)
    withheld: int = 0
    facts: int = 0
    last_ns: int = 0
    _declared: Permit | None = None

    def __post_init__(self) -> None:
        self.zones = ZoneBook(self.site.authority_id, self.site.zone_policy)
        for track_id in self.incident.tracks:
            self.states[track_id] = []
            self.seen_by[track_id] = Counter()

    @property
    def names(self) -> set[str]:
        """Serials and transmitters that the incident's tracks were said to have."""
        return {
            name
            for e in self.incident.history
            if isinstance(e, IdentityChanged)
            for name in (e.identity, e.transmitter)
            if name
        }

    def concerns(self, fact: bytes) -> bool:
        """Whether a private fact is about one of the incident's aircraft."""
        document = msgspec.json.decode(fact)
        if isinstance(document, list):  # an IdentityChanged
            return document[1].get("track_id") in self.states
        if entries.is_raw(fact):
            return False
        if "row" in document:  # a claim, or where its operator was
            return bool(self.names & {document["identity"], document["transmitter"]})
        command = wire.decode(fact)
        if isinstance(command, PutPermit | DeclareExemption):
            return bool(self.names & set(command.permit.serials))
        return isinstance(command, ChangePermit) and command.permit_id in self.permits

    def own_zones(self) -> tuple[ZoneVersion, ...]:
        """The versions of the zones that this site judges by, which were ever in force."""
        own = {self.site.authority_id, *self.site.also_judges}
        return tuple(
            v
            for v in self.zones.all_versions()
            if v.zone.authority_id in own and v.since_ns is not None
        )

    def precede(self, line: bytes, shown: Sequence[Shown]) -> None:
        """One entry from before the range: a command that still counts in it."""
        leaf = read_leaf(line)
        self.zones.advance(leaf.at_ns)
        for fact in shown:
            if leaf.kind == entries.COMMAND and "fact" in fact:
                self._command(wire.decode(fact["fact"].encode()), leaf.at_ns)

    def take(self, index: int, line: bytes, shown: Sequence[Shown]) -> None:
        """One entry on its way into the dossier, with each of its facts as it is shown."""
        leaf = read_leaf(line)
        source = self.sources.setdefault(leaf.source, Source())
        source.leaves += 1
        source.facts += len(shown)
        self.facts += len(shown)
        self.last_ns = max(self.last_ns, leaf.at_ns)
        facts: list[bytes] = []
        for place, fact in enumerate(shown):
            if "fact" in fact:
                facts.append(fact["fact"].encode())
            else:
                self._hide(index, place, leaf, fact)
        source.withheld += len(shown) - len(facts)
        source.hidden_leaves += bool(shown) and not facts
        if leaf.kind == entries.BATCH:
            source.times.append(leaf.at_ns)
            if facts and facts[0].startswith(b'{"batch":'):
                head = msgspec.json.decode(facts[0])
                source.rows += head["rows"]
                source.raw += len(head["raw"])
        elif leaf.kind == entries.COMMAND and facts:
            self._command(wire.decode(facts[0]), leaf.at_ns)
        elif leaf.kind == entries.TICK:
            self.zones.advance(leaf.at_ns)
        elif leaf.kind == entries.TRACKS:
            for each in facts:
                self._engine(each)

    def _hide(self, index: int, place: int, leaf: Leaf, fact: Shown) -> None:
        self.withheld += 1
        key = (fact["by"], fact["why"], leaf.kind, leaf.source)
        group = self.groups.setdefault(key, Group(*key))
        group.places.append((index, place, fact["hash"]))
        if leaf.kind == entries.COMMAND:  # only what is about a permit is ever private there
            self.hidden_permits.append(fact["hash"])

    def _engine(self, fact: bytes) -> None:
        state = entries.state_of(fact)
        if state is not None:
            self._state(state)
        elif fact.startswith(_TOLD):
            found = entries.event_of(fact)
            if isinstance(found, RegistrationChanged):
                self.found_off.setdefault(found.sensor_id, []).append(found)
            elif isinstance(found, SensorChanged):
                self.health.setdefault(found.sensor_id, []).append(found)
            elif isinstance(found, PermitChanged):
                self._permit(found)

    def _command(self, command: object, at_ns: int) -> None:
        if isinstance(command, ZONE_COMMANDS):
            # Where the range begins later than the record, a zone from before is not here.
            with contextlib.suppress(DecisionError):
                self.zones.apply(command, at_ns)
        elif isinstance(command, RegisterSensor):
            self.sensors[command.sensor.sensor_id] = command.sensor
        elif isinstance(command, PutPermit):
            self.permits[command.permit.permit_id] = command.permit
        elif isinstance(command, ChangePermit) and command.permit_id in self.permits:
            permit = self.permits[command.permit_id]
            with contextlib.suppress(DecisionError):
                self.permits[command.permit_id] = transition(
                    permit, command.event, at_ns, command.why, command.terms,
                    self.site.permit_policy,
                )  # fmt: skip
        elif isinstance(command, DeclareExemption):
            self._declared = command.permit

    def _permit(self, step: PermitChanged) -> None:
        if self._declared is not None:  # the engine has given it its number
            self.permits[step.permit_id], self._declared = self._declared, None
        self.permit_steps.setdefault(step.permit_id, []).append(step)

    def _state(self, state: TrackUpdated) -> None:
        if state.track_id not in self.states:
            return
        self.states[state.track_id].append(state)
        for reference in state.observations:
            found = [s for s in state.sensors if reference.startswith(s)]
            # The longest fits best: one sensor's id may begin with another's.
            sensor = max(found, key=len) if found else "unknown"
            self.seen_by[state.track_id][sensor] += 1
            self.seen_ns.setdefault(sensor, []).append(state.at_ns)
