"""Everything about an incident in its order: observed, declared, decided, reported, assessed."""

from __future__ import annotations

from dataclasses import dataclass

from skykeep.core.event import (
    AlertChanged,
    Permission,
    TrackContinued,
    TrackEnded,
    TrackStarted,
    VerdictChanged,
)
from skykeep.core.stations import SILENT, WORKING
from skykeep.core.verdict import GONE
from skykeep.dossier.excerpt import Excerpt
from skykeep.dossier.page_words import PRESENCE, RULE_STEPS, STEPS, ZONE_STEPS, look_of, said


@dataclass(frozen=True, slots=True)
class Moment:
    """One line of the timeline: when (ns), from which kind of source, what."""

    at_ns: int
    kind: str
    words: str


def timeline_of(excerpt: Excerpt) -> tuple[Moment, ...]:
    """All moments, oldest first; of one time in the order of their kinds here."""
    found = [*_zones(excerpt), *_sensors(excerpt), *_permits(excerpt), *_history(excerpt)]
    incident = excerpt.incident
    found += [Moment(s.at_ns, "reported", f"a person told: {s.words}") for s in incident.sightings]
    found += [
        Moment(r.at_ns, "reported", f"{r.author.name} ({r.author.role}): {r.words}")
        for r in incident.reports
    ]
    opened = f"{incident.opened_by.name} opened incident {incident.incident_id}: {incident.title}"
    found.append(Moment(incident.opened_ns, "decided", opened))
    found += [
        Moment(a.at_ns, "assessed", f"{a.author.name}: {a.conclusion.value}: {a.words}")
        for a in incident.assessments
    ]
    found.sort(key=lambda moment: moment.at_ns)
    return tuple(found)


def _zones(excerpt: Excerpt) -> list[Moment]:
    found = []
    for version in excerpt.own_zones():
        for step in version.steps:
            told = said(ZONE_STEPS, step.event.value)
            why = f": {step.why}" if step.why else ""
            words = f"zone {version.zone.name} {told}, by {step.actor.name}{why}"
            found.append(Moment(step.at_ns, "declared", words))
    return found


def _sensors(excerpt: Excerpt) -> list[Moment]:
    """Who fell silent, and when it was heard again; not the first word of the night."""
    found = []
    for sensor_id, steps in excerpt.health.items():
        was_silent = False
        for step in steps:
            if step.health == SILENT:
                found.append(Moment(step.at_ns, "observed", f"sensor {sensor_id} is silent"))
            elif step.health == WORKING and was_silent:
                found.append(Moment(step.at_ns, "observed", f"sensor {sensor_id} works again"))
            was_silent = step.health == SILENT
    return found


def _permits(excerpt: Excerpt) -> list[Moment]:
    return [
        Moment(
            step.at_ns,
            "decided",
            f"permit {permit_id}: {step.state.replace('_', ' ')} by {step.actor.name} "
            f"({step.actor.role}) {step.why}".strip(),
        )
        for permit_id in excerpt.permits
        for step in excerpt.permit_steps.get(permit_id, ())
    ]


def _history(excerpt: Excerpt) -> list[Moment]:
    found = []
    for event in excerpt.incident.history:
        match event:
            case TrackStarted():
                words = f"{event.track_id} is first seen"
                found.append(Moment(event.first_seen_ns, "observed", words))
            case TrackEnded():
                words = f"{event.track_id} is last seen"
                found.append(Moment(event.last_seen_ns, "observed", words))
            case TrackContinued():
                words = f"{event.track_id} is taken for {event.earlier}: {event.basis}"
                found.append(Moment(event.at_ns, "observed", words))
            case VerdictChanged(presence=presence) if presence == GONE:
                words = f"{event.track_id} is {said(PRESENCE, GONE)}, {event.zone_id}"
                found.append(Moment(event.at_ns, "observed", words))
            case VerdictChanged() if event.permission is not Permission.UNDETERMINED:
                where = f"{event.zone_id}, {said(PRESENCE, event.presence)}"
                look = look_of(event.permission.value).words.lower()
                words = f"{event.track_id} in {where}: {look}"
                found.append(Moment(event.at_ns, "decided", words))
            case AlertChanged():
                by = "" if event.actor.role == "rule" else f" by {event.actor.name}"
                step = said({**STEPS, **RULE_STEPS}, event.event).lower()
                words = f"alert {event.alert_id}: {step}{by} {event.why}".strip()
                found.append(Moment(event.at_ns, "decided", words))
    return found
