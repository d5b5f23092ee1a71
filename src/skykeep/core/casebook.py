"""The slow half: incidents, what was reported about them, and what named people conclude.

The casebook takes the live engine's history as values and never steers it. What a person
reported, what a sensor detected and what an officer assessed stay three things.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from skykeep.core.event import (
    Actor,
    AlertChanged,
    Event,
    IdentityChanged,
    ReportKept,
    TrackContinued,
    TrackEnded,
    TrackStarted,
    VerdictChanged,
)
from skykeep.errors import DecisionError
from skykeep.units import NS_PER_S, AlertId, IncidentId, TrackId

#: A person's report belongs to an incident when it lies this close to one of its alerts.
REPORT_WITHIN_NS = 15 * 60 * NS_PER_S
#: Events held for tracks and alerts that belong to no incident yet; the oldest go first.
PENDING_LIMIT = 50_000


class IncidentState(enum.StrEnum):
    """Where an incident stands."""

    OPEN = "open"
    CLOSED = "closed"


class IncidentStep(enum.StrEnum):
    """What can happen to an incident."""

    CLOSE = "close"
    REOPEN = "reopen"


INCIDENT_TRANSITIONS: dict[tuple[IncidentState, IncidentStep], IncidentState] = {
    (IncidentState.OPEN, IncidentStep.CLOSE): IncidentState.CLOSED,
    (IncidentState.CLOSED, IncidentStep.REOPEN): IncidentState.OPEN,
}


class Conclusion(enum.StrEnum):
    """What an assessment concludes; several may disagree."""

    UNVERIFIED = "unverified"
    CORROBORATED = "corroborated"
    CONFIRMED = "confirmed"
    IDENTIFIED_AS_OTHER = "identified_as_other"
    CLOSED_UNDETERMINED = "closed_undetermined"


#: So many pieces of evidence a conclusion must rest on.
EVIDENCE_NEEDED: dict[Conclusion, int] = {
    Conclusion.UNVERIFIED: 0,
    Conclusion.CORROBORATED: 1,
    Conclusion.CONFIRMED: 2,
    Conclusion.IDENTIFIED_AS_OTHER: 1,
    Conclusion.CLOSED_UNDETERMINED: 0,
}


@dataclass(frozen=True, slots=True)
class FoundPart:
    """A part that responders found, and where."""

    lat_deg: float
    lon_deg: float
    words: str


class ReportedOutcome(enum.StrEnum):
    """What a responder says became of what was handed over."""

    SEEN = "seen"
    NOT_FOUND = "not_found"
    LANDED = "landed"
    FELL = "fell"
    SEIZED = "seized"
    INJURIES = "injuries"
    DAMAGE = "damage"


@dataclass(frozen=True, slots=True)
class ResponderReport:
    """What the responders say they found: reported, neither detected nor assessed.

    `lat_deg` and `lon_deg` are where, if that was said. `report_id` is the sender's own name for
    it, by which a repeat is known; `handover_id` what it answers.
    """

    at_ns: int
    author: Actor
    words: str
    parts: tuple[FoundPart, ...]
    injuries: str
    damage: str
    outcomes: tuple[ReportedOutcome, ...] = ()
    lat_deg: float | None = None
    lon_deg: float | None = None
    handover_id: str = ""
    report_id: str = ""


@dataclass(frozen=True, slots=True)
class Assessment:
    """A named person's conclusion with the evidence it rests on (tracks, alerts, reports)."""

    at_ns: int
    author: Actor
    conclusion: Conclusion
    words: str
    evidence: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Incident:
    """One event to be explained. `history` is what the live engine said, in its order."""

    incident_id: IncidentId
    title: str
    state: IncidentState
    opened_ns: int
    opened_by: Actor
    alerts: tuple[AlertId, ...]
    tracks: tuple[TrackId, ...]
    history: tuple[Event, ...]
    sightings: tuple[ReportKept, ...]
    reports: tuple[ResponderReport, ...] = ()
    assessments: tuple[Assessment, ...] = ()
    held: bool = True  # what points to a person is kept for it, until somebody lets go


@dataclass(frozen=True, slots=True)
class OpenIncident:
    """Command: gather alerts into an incident."""

    actor: Actor
    title: str
    alerts: tuple[AlertId, ...]


@dataclass(frozen=True, slots=True)
class FileReport:
    """Command: file what responders reported."""

    actor: Actor
    incident_id: IncidentId
    words: str
    parts: tuple[FoundPart, ...]
    injuries: str
    damage: str


@dataclass(frozen=True, slots=True)
class ReportBack:
    """Command: file what a recipient reports about an alert that was handed to it.

    It goes to the newest incident of that alert; without one, an incident is opened.
    """

    actor: Actor
    alert_id: AlertId
    report: ResponderReport


@dataclass(frozen=True, slots=True)
class Assess:
    """Command: conclude, by name; an assessment is never changed, another may differ."""

    actor: Actor
    incident_id: IncidentId
    conclusion: Conclusion
    words: str
    evidence: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MoveIncident:
    """Command: close or reopen an incident."""

    actor: Actor
    incident_id: IncidentId
    step: IncidentStep
    why: str


@dataclass(frozen=True, slots=True)
class HoldIncident:
    """Command: keep what points to a person for an incident, or let it go."""

    actor: Actor
    incident_id: IncidentId
    held: bool
    why: str


CaseCommand = OpenIncident | FileReport | ReportBack | Assess | MoveIncident | HoldIncident


@dataclass(frozen=True, slots=True)
class IncidentChanged:
    """An incident as it now stands, what was done, by whom."""

    at_ns: int
    incident: Incident
    done: str
    actor: Actor


@dataclass(slots=True)
class Casebook:
    """All incidents, oldest first, and the history that may yet belong to one."""

    next_number: int = 1
    incidents: dict[IncidentId, Incident] = field(default_factory=dict)
    alerts: dict[AlertId, AlertChanged] = field(default_factory=dict)
    pending: list[Event] = field(default_factory=list)
    dropped: int = 0

    def receive(self, events: Iterable[Event]) -> None:
        """Take the live engine's history; open incidents grow with their alerts and tracks."""
        for event in events:
            if not isinstance(event, _KEPT):
                continue
            if isinstance(event, AlertChanged):
                self.alerts[event.alert_id] = event
            self.pending.append(event)
            for incident in self.incidents.values():
                if incident.state is IncidentState.OPEN and _belongs(event, incident):
                    self.incidents[incident.incident_id] = _grown(incident, event)
        over = len(self.pending) - PENDING_LIMIT
        if over > 0:
            del self.pending[:over]
            self.dropped += over

    def apply(self, command: CaseCommand, at_ns: int) -> IncidentChanged:
        """Carry out a command; DecisionError leaves everything as it was."""
        if isinstance(command, OpenIncident):
            return self._open(command, at_ns)
        if isinstance(command, ReportBack):
            return self._report_back(command, at_ns)
        incident = self.incidents.get(command.incident_id)
        if incident is None:
            raise DecisionError(f"there is no incident {command.incident_id}")
        if isinstance(command, MoveIncident):
            following = INCIDENT_TRANSITIONS.get((incident.state, command.step))
            if following is None:
                raise DecisionError(
                    f"incident {incident.incident_id} is {incident.state}: it cannot {command.step}"
                )
            return self._put(replace(incident, state=following), at_ns, command.step, command.actor)
        if isinstance(command, HoldIncident):
            return self._hold(incident, command, at_ns)
        if incident.state is IncidentState.CLOSED:
            raise DecisionError(f"incident {incident.incident_id} is closed; reopen it first")
        if isinstance(command, FileReport):
            report = ResponderReport(
                at_ns, command.actor, command.words, command.parts, command.injuries,
                command.damage,
            )  # fmt: skip
            filed = replace(incident, reports=(*incident.reports, report))
            return self._put(filed, at_ns, "report", command.actor)
        return self._assess(incident, command, at_ns)

    def _open(self, command: OpenIncident, at_ns: int) -> IncidentChanged:
        missing = [a for a in command.alerts if a not in self.alerts]
        if missing or not command.alerts:
            raise DecisionError(
                f"an incident needs known alerts; unknown: {missing or 'none given'}"
            )
        number = IncidentId(f"I{self.next_number:04d}")
        self.next_number += 1
        incident = Incident(
            number, command.title, IncidentState.OPEN, at_ns, command.actor, command.alerts,
            (), (), (),
        )  # fmt: skip
        for alert_id in command.alerts:
            tracks = self.alerts[alert_id].tracks
            incident = replace(incident, tracks=_union(incident.tracks, tracks))
        return self._put(self._gathered(incident), at_ns, "open", command.actor)

    def _report_back(self, command: ReportBack, at_ns: int) -> IncidentChanged:
        report = replace(command.report, at_ns=at_ns, author=command.actor)
        if not command.actor.name.strip():
            raise DecisionError("a report is made by a named person: the name is empty")
        holding = [i for i in self.incidents.values() if command.alert_id in i.alerts]
        if report.report_id and any(
            r.report_id == report.report_id for i in holding for r in i.reports
        ):
            raise DecisionError(f"the report {report.report_id} was filed before")
        if holding:
            incident = holding[-1]
        else:
            title = f"Alert {command.alert_id}, as {command.actor.name} reports"
            opening = OpenIncident(command.actor, title, (command.alert_id,))
            incident = self._open(opening, at_ns).incident
        # What a responder says late is not lost because the incident was closed.
        filed = replace(incident, state=IncidentState.OPEN, reports=(*incident.reports, report))
        return self._put(filed, at_ns, "report", command.actor)

    def _gathered(self, incident: Incident) -> Incident:
        """With all that belongs to it: later events may make earlier ones its own."""
        while True:
            grown = incident
            for event in self.pending:
                if not isinstance(event, ReportKept) and _belongs(event, incident):
                    grown = _grown(grown, event)
            if grown.tracks == incident.tracks:
                break
            incident = replace(incident, tracks=grown.tracks)
        for event in self.pending:
            if isinstance(event, ReportKept) and _belongs(event, grown):
                grown = _grown(grown, event)
        return grown

    def _assess(self, incident: Incident, command: Assess, at_ns: int) -> IncidentChanged:
        needed = EVIDENCE_NEEDED[command.conclusion]
        known = {*incident.alerts, *incident.tracks}
        known |= {f"report {i + 1}" for i in range(len(incident.reports))}
        known |= {f"sighting {i + 1}" for i in range(len(incident.sightings))}
        strange = [e for e in command.evidence if e not in known]
        if strange:
            raise DecisionError(f"not in incident {incident.incident_id}: {', '.join(strange)}")
        if len(set(command.evidence)) < needed:
            raise DecisionError(
                f"{command.conclusion} needs {needed} pieces of evidence from the incident, "
                f"{len(set(command.evidence))} given"
            )
        assessment = Assessment(
            at_ns, command.actor, command.conclusion, command.words, command.evidence
        )
        assessed = replace(incident, assessments=(*incident.assessments, assessment))
        return self._put(assessed, at_ns, "assess", command.actor)

    def _hold(self, incident: Incident, command: HoldIncident, at_ns: int) -> IncidentChanged:
        if not command.why.strip():
            raise DecisionError("to hold an incident or to let it go needs a reason in words")
        if incident.held is command.held:
            said = "held already" if incident.held else "not held"
            raise DecisionError(f"incident {incident.incident_id} is {said}")
        changed = replace(incident, held=command.held)
        done = "hold" if command.held else "release"
        return self._put(changed, at_ns, done, command.actor)

    def forget(self, before_ns: int) -> None:
        """Drop what was said of identities before a moment, but for incidents under hold."""

        def stays(event: Event) -> bool:
            return not (isinstance(event, IdentityChanged) and event.at_ns < before_ns)

        self.pending = [event for event in self.pending if stays(event)]
        for incident in list(self.incidents.values()):
            if not incident.held:
                kept = tuple(event for event in incident.history if stays(event))
                self.incidents[incident.incident_id] = replace(incident, history=kept)

    def _put(self, incident: Incident, at_ns: int, done: str, actor: Actor) -> IncidentChanged:
        self.incidents[incident.incident_id] = incident
        return IncidentChanged(at_ns, incident, done, actor)


_KEPT = (
    AlertChanged,
    IdentityChanged,
    ReportKept,
    TrackContinued,
    TrackEnded,
    TrackStarted,
    VerdictChanged,
)


def _belongs(event: Event, incident: Incident) -> bool:
    if isinstance(event, AlertChanged):
        return event.alert_id in incident.alerts
    if isinstance(event, ReportKept):
        return any(
            abs(e.at_ns - event.seen_at_ns) <= REPORT_WITHIN_NS
            for e in incident.history
            if isinstance(e, AlertChanged)
        )
    if isinstance(event, TrackContinued):
        return event.track_id in incident.tracks or event.earlier in incident.tracks
    if isinstance(event, IdentityChanged | TrackEnded | TrackStarted | VerdictChanged):
        return event.track_id in incident.tracks
    return False


def _grown(incident: Incident, event: Event) -> Incident:
    if isinstance(event, ReportKept):
        return replace(incident, sightings=(*incident.sightings, event))
    tracks = incident.tracks
    if isinstance(event, AlertChanged):
        tracks = _union(tracks, event.tracks)
    elif isinstance(event, TrackContinued):
        tracks = _union(tracks, (event.track_id, event.earlier))
    return replace(incident, tracks=tracks, history=(*incident.history, event))


def _union(known: tuple[TrackId, ...], more: tuple[TrackId, ...]) -> tuple[TrackId, ...]:
    return (*known, *(t for t in dict.fromkeys(more) if t not in known))
