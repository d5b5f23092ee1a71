"""Verdicts and alerts of an incident once more from the track states that a dossier discloses.

What the states do not say stays open: a verdict that rests on permits, claims or likelihoods that
are not disclosed is counted as such, never as the same.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from skykeep.codec import entries, wire
from skykeep.core.airspace import RegisterSensor, Site
from skykeep.core.alert import concern_of
from skykeep.core.casebook import Incident
from skykeep.core.event import (
    AlertChanged,
    IdentityChanged,
    Permission,
    TrackStarted,
    TrackUpdated,
    VerdictChanged,
)
from skykeep.core.identity import Identity
from skykeep.core.observation import Claim, Scheme
from skykeep.core.permit_book import PermitBook, PermitCommand
from skykeep.core.picture import fix_of
from skykeep.core.stations import Stations, seen_by
from skykeep.core.verdict import GONE, Presence, Subject, Verdict, judge, presence, usable_identity
from skykeep.core.zone_book import ZoneBook
from skykeep.dossier.excerpt import ZONE_COMMANDS
from skykeep.errors import DecisionError
from skykeep.record.entry import Leaf, read_leaf
from skykeep.units import NS_PER_S, TrackId, ZoneId

#: What `judge` says of a nameless drone where a permit that is not shown here might hold.
_ON_PERMITS = frozenset(
    {"no_permit_here", "not_broadcasting", "identity_unknown", "broadcast_without_serial"}
)
#: Reasons that rest on likelihoods or claims of which a state tells too little.
_ON_MORE = frozenset({"identity_pending", "claim_inconsistent", "kind_conflict"})


class ShownEntry(Protocol):
    """An entry of a dossier."""

    @property
    def leaf(self) -> Leaf:
        """What its leaf says."""

    @property
    def facts(self) -> list[bytes | None]:
        """Its facts; None where one is withheld."""


@dataclass(slots=True)
class Rejudged:
    """How many were worked out again with what outcome, and the differences in their order."""

    verdicts: Counter[str] = field(default_factory=Counter)
    alerts: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)

    def counts(self) -> dict[str, dict[str, int]]:
        """As plain values."""
        return {"verdicts": dict(self.verdicts), "alerts": dict(self.alerts)}

    def lines(self) -> list[str]:
        """In words."""
        return [
            f"{name}: {found['same']} the same, {found['differs']} differ, {found['open']} rest on "
            "what the dossier does not disclose."
            for name, found in (("Verdicts", self.verdicts), ("Alerts raised", self.alerts))
        ]


@dataclass(slots=True)
class _Scene:
    """The downstream half of the engine, from disclosed facts."""

    site: Site
    zones: ZoneBook
    permits: PermitBook
    stations: Stations
    tracks: frozenset[TrackId]
    hidden_permits: int = 0
    now_ns: int = 0
    started: dict[TrackId, TrackStarted] = field(default_factory=dict)
    states: dict[TrackId, TrackUpdated] = field(default_factory=dict)
    identities: dict[TrackId, Identity | None] = field(default_factory=dict)

    def command(self, fact: bytes | None, at_ns: int) -> None:
        """A command that the dossier shows, or one about a permit that it does not."""
        if fact is None:
            self.hidden_permits += 1
            return
        command = wire.decode(fact)
        with contextlib.suppress(DecisionError):  # it may follow one that is not shown
            if isinstance(command, ZONE_COMMANDS):
                self.zones.apply(command, at_ns)
            elif isinstance(command, PermitCommand):
                self.permits.apply(command, at_ns)
        if isinstance(command, RegisterSensor):
            self.stations.register(command.sensor, at_ns)

    def tick(self, at_ns: int) -> None:
        """The clock reaches a moment."""
        self.now_ns = max(self.now_ns, at_ns)
        self.zones.advance(self.now_ns)
        self.permits.advance(self.now_ns)
        self.stations.fallen_silent(self.now_ns)

    def event(self, fact: bytes) -> None:
        """What a `tracks` entry says of the incident's tracks."""
        if not fact.startswith((b'["TrackStarted"', b'["TrackUpdated"', b'["IdentityChanged"')):
            return
        said = entries.event_of(fact)
        if isinstance(said, TrackStarted):
            self.started[said.track_id] = said
        elif isinstance(said, TrackUpdated) and said.track_id in self.tracks:
            self.states[said.track_id] = said
        elif isinstance(said, IdentityChanged):
            self.identities[said.track_id] = _identity(said)

    def subject(self, track_id: TrackId) -> Subject | None:
        """The track as it is judged now; None where no state of this moment is disclosed."""
        state, started = self.states.get(track_id), self.started.get(track_id)
        if state is None or started is None or state.at_ns != self.now_ns:
            return None
        place = np.array([[state.east_mm, state.north_mm, state.up_mm]]) / 1000.0
        drone = state.probability_drone
        return Subject(
            track_id,
            fix_of(state, self.site.frame),
            (
                state.velocity_east_mmps / 1000.0,
                state.velocity_north_mmps / 1000.0,
                state.velocity_up_mmps / 1000.0,
            ),
            (drone, 0.0, 0.0, 1.0 - drone),  # what else it may be is not disclosed
            True,
            state.taken_for_drone,
            self.identities.get(track_id),
            bool(seen_by(self.stations.listening(self.now_ns), place)[0]),
            False,
            (state.at_ns - started.first_seen_ns) / NS_PER_S,
            started.source != "claimed",
            False,
        )

    def judged(self, subject: Subject) -> list[tuple[ZoneId, Presence, Verdict]]:
        """The verdicts on a track over all zones that this site judges by."""
        own = {self.site.authority_id, *self.site.also_judges}
        policy, terrain = self.site.verdict_policy, self.site.terrain
        found = []
        for zone in self.zones.prepared():
            if zone.zone.authority_id not in own:
                continue
            where = presence(subject, zone, self.now_ns, terrain, policy.bound_horizon_s)
            if where.what == GONE:
                continue
            permits = self.permits.concerning(usable_identity(subject), where.fix)
            verdict = judge(subject, zone, where, permits, terrain, policy)
            found.append((zone.zone.zone_id, where, verdict))
        return found


def rejudge(
    site: Site,
    incident: Incident,
    context: Sequence[dict[str, Any]],
    shown: Sequence[ShownEntry],
) -> Rejudged:
    """Judge the incident's tracks again at each verdict and each alert that was raised."""
    scene = _Scene(
        site,
        ZoneBook(site.authority_id, site.zone_policy),
        PermitBook(site.authority_id, site.permit_policy),
        Stations(site.frame),
        frozenset(incident.tracks),
    )
    for each in context:
        leaf = read_leaf(each["leaf"].encode())
        if leaf.kind == entries.COMMAND:
            scene.tick(leaf.at_ns)
            scene.command(each["facts"][0]["fact"].encode(), leaf.at_ns)
    if context:
        scene.hidden_permits += 1  # earlier permits of others are not in the context
    found = Rejudged()
    for entry in shown:
        _one(scene, entry, incident, found)
    return found


def _one(scene: _Scene, entry: ShownEntry, incident: Incident, found: Rejudged) -> None:
    leaf, facts = entry.leaf, entry.facts
    scene.now_ns = max(scene.now_ns, leaf.at_ns)
    if leaf.kind == entries.COMMAND:
        scene.command(facts[0], leaf.at_ns)
    elif leaf.kind == entries.TICK:
        scene.tick(leaf.at_ns)
    elif leaf.kind == entries.BATCH and leaf.source in scene.stations.by_id:
        known = {str(sensor_id): each for sensor_id, each in scene.stations.by_id.items()}
        scene.stations.heard(known[leaf.source], scene.now_ns)
    elif leaf.kind == entries.TRACKS:
        for fact in facts:
            if fact is not None:
                scene.event(fact)
    elif leaf.kind in (entries.VERDICT, entries.ALERT) and facts[0] is not None:
        said = entries.event_of(facts[0])
        if isinstance(said, VerdictChanged) and said.track_id in scene.tracks:
            outcome = _verdict(scene, said)
            found.verdicts[outcome or "differs"] += 1
            if not outcome:
                where = f"verdict on {said.track_id} in {said.zone_id} at {said.at_ns}"
                found.faults.append(f"{where}: recorded {said.permission.value}, judged otherwise")
        elif isinstance(said, AlertChanged) and said.alert_id in incident.alerts:
            _alert(scene, said, found)


def _verdict(scene: _Scene, said: VerdictChanged) -> str:
    """`same`, `open`, or empty where the verdict differs from what the states give."""
    subject = scene.subject(said.track_id)
    if subject is None:
        return "open"
    made = {zone_id: (where, verdict) for zone_id, where, verdict in scene.judged(subject)}
    if said.zone_id not in made:
        return "same" if said.presence == GONE else ""
    where, verdict = made[said.zone_id]
    if (where.what, verdict.permission) == (said.presence, said.permission):
        return "same"
    recorded, code = said.reasons[0].code, verdict.reasons[0].code
    if {recorded, code} & _ON_MORE or _kind_is_open(subject, said):
        return "open"
    if scene.hidden_permits and {recorded, code} <= _ON_PERMITS:
        return "open"
    return ""


def _kind_is_open(subject: Subject, said: VerdictChanged) -> bool:
    """Whether what it is was not settled: then a state tells only how likely a drone it was."""
    return not subject.taken_for_drone and said.permission is Permission.UNDETERMINED


def _alert(scene: _Scene, said: AlertChanged, found: Rejudged) -> None:
    """An alert that a rule raised: the concern must be there again, as grave."""
    if said.event != "raised" or not said.tracks:
        return
    subject = scene.subject(said.tracks[0])
    if subject is None:
        found.alerts["open"] += 1
        return
    concern = concern_of(subject, scene.judged(subject), scene.site.alert_policy)
    if concern is not None and (concern.priority, concern.permission) == (
        said.priority,
        said.permission,
    ):
        found.alerts["same"] += 1
    elif scene.hidden_permits and said.reasons[0].code in _ON_PERMITS and concern is None:
        found.alerts["open"] += 1
    else:
        found.alerts["differs"] += 1
        computed = "nothing to raise" if concern is None else concern.permission.value
        found.faults.append(f"alert {said.alert_id} was raised, computed is {computed}")


def _identity(said: IdentityChanged) -> Identity | None:
    if not said.scheme:
        return None
    claim = Claim(Scheme(said.scheme), said.identity, said.transmitter)
    return Identity(claim, said.strength, said.reasons)
