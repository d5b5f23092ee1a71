"""What the leaves of a dossier say about its incident, put in order for the reader."""

from __future__ import annotations

import math

from skykeep.core.casebook import Incident
from skykeep.core.event import (
    AlertChanged,
    IdentityChanged,
    TrackEnded,
    TrackStarted,
    TrackUpdated,
    VerdictChanged,
)
from skykeep.core.verdict import INSIDE
from skykeep.dossier import story_places
from skykeep.dossier.clock import Clock
from skykeep.dossier.excerpt import Excerpt
from skykeep.dossier.page_words import look_of
from skykeep.dossier.story_proof import Head, proof, withheld
from skykeep.dossier.timeline import timeline_of
from skykeep.dossier.view import (
    AlertView,
    AssessmentView,
    DossierView,
    FigureView,
    ReportView,
    SightingView,
    TimelineItem,
    TrackView,
    VerdictView,
)
from skykeep.units import NS_PER_S

__all__ = ["Head", "tell"]


def tell(excerpt: Excerpt, head: Head, file_name: str) -> DossierView:
    """The incident as the reader shows it."""
    incident, site = excerpt.incident, excerpt.site
    clock, hidden = Clock(excerpt), withheld(excerpt)
    alerts = _alerts(incident, clock)
    tracks = _tracks(excerpt, clock)
    return DossierView(
        incident_id=incident.incident_id,
        title=incident.title,
        site_name=site.name,
        authority=site.authority_id,
        time_zone=site.time_zone,
        opened=f"{clock(incident.opened_ns)} by {incident.opened_by.name}",
        produced_from=(
            f"record {excerpt.key_name}, entries {excerpt.start} to {excerpt.size - 1} "
            f"of {excerpt.size}"
        ),
        summary=_summary(incident, tracks, clock),
        zones=story_places.zones(excerpt, clock),
        permits=story_places.permits(excerpt, clock),
        tracks=tracks,
        sensors=story_places.sensors(excerpt, clock),
        alerts=alerts,
        sightings=tuple(
            SightingView(
                clock(s.seen_at_ns),
                clock(s.at_ns),
                "not given" if s.azimuth_deg is None else f"about {s.azimuth_deg:.0f} degrees",
                s.words,
            )
            for s in incident.sightings
        ),
        reports=_reports(excerpt, clock),
        assessments=tuple(
            AssessmentView(
                clock(a.at_ns),
                a.author.name,
                a.author.role,
                a.conclusion.value,
                a.words,
                a.evidence,
            )
            for a in incident.assessments
        ),
        timeline=tuple(
            TimelineItem(clock(m.at_ns), m.kind, m.words, clock.seconds(m.at_ns))
            for m in timeline_of(excerpt)
        ),
        proof=proof(excerpt, head, hidden, file_name),
        figures=_figures(incident),
        minute_marks=clock.minute_marks(),
        withheld=hidden,
        clock=clock.view(),
    )


def _summary(incident: Incident, tracks: tuple[TrackView, ...], clock: Clock) -> tuple[str, ...]:
    raised = [e for e in incident.history if isinstance(e, AlertChanged) and e.event == "raised"]
    told = []
    for event in raised:
        track = next((t for t in tracks if t.track_id in event.tracks), None)
        if track is None:
            continue
        way = "" if not track.points else f" from the {_side(track.points[0])}"
        reasons = "; ".join(r.words for r in event.reasons)
        look = look_of(event.permission.value).words.lower()
        told.append(
            f"An aircraft came{way}, first seen at {track.first_seen}. From "
            f"{clock(event.at_ns)} the officer on watch was alerted: {look} ({reasons})."
        )
    for report in incident.reports:
        told.append(
            f"Responders reported {len(report.parts)} parts found; injuries: {report.injuries}; "
            f"damage: {report.damage}."
        )
    told += [
        f"{a.author.name} ({a.author.role}) concluded: {a.conclusion.value}. {a.words}"
        for a in incident.assessments
    ]
    return tuple(told)


_SIDES = ("north", "north-east", "east", "south-east", "south", "south-west", "west", "north-west")


def _side(point: tuple[float, float, float, float]) -> str:
    """The side of the site's reference point on which a place lies."""
    turn = math.degrees(math.atan2(point[1], point[2])) % 360.0
    return _SIDES[round(turn / 45.0) % 8]


def _figures(incident: Incident) -> tuple[FigureView, ...]:
    """How long before it was in a zone each alert came."""
    found = []
    for event in incident.history:
        if not isinstance(event, AlertChanged) or event.event != "raised":
            continue
        inside = [
            v.at_ns
            for v in incident.history
            if isinstance(v, VerdictChanged)
            and v.track_id in event.tracks
            and v.presence == INSIDE
            and v.at_ns >= event.at_ns
        ]
        if inside:
            ahead_s = (min(inside) - event.at_ns) / NS_PER_S
            words = f"from alert {event.alert_id} until it was inside a zone"
            found.append(FigureView("Warning", f"{ahead_s:.0f} s", words))
    return tuple(found)


def _tracks(excerpt: Excerpt, clock: Clock) -> tuple[TrackView, ...]:
    history = excerpt.incident.history
    found = []
    for track_id, states in excerpt.states.items():
        started = next(
            (e for e in history if isinstance(e, TrackStarted) and e.track_id == track_id), None
        )
        if started is None or not states:
            continue
        ended = [e for e in history if isinstance(e, TrackEnded) and e.track_id == track_id]
        identities = [
            e for e in history if isinstance(e, IdentityChanged) and e.track_id == track_id
        ]
        last = identities[-1] if identities else None
        found.append(
            TrackView(
                track_id,
                _label(states),
                clock(started.first_seen_ns),
                clock(ended[-1].last_seen_ns if ended else states[-1].state_at_ns),
                started.source,
                tuple(
                    (
                        clock.seconds(s.state_at_ns),
                        s.east_mm / 1e3,
                        s.north_mm / 1e3,
                        s.up_mm / 1e3,
                    )
                    for s in states
                ),
                tuple(sorted(excerpt.seen_by[track_id].items())),
                "none was broadcast" if last is None else (last.identity or "without a serial"),
                "none" if last is None else last.strength.value,
                tuple(
                    VerdictView(
                        clock(e.at_ns),
                        e.zone_id,
                        e.presence,
                        e.permission.value,
                        tuple((r.code, r.words) for r in e.reasons),
                        e.strength.value,
                        clock.seconds(e.at_ns),
                    )
                    for e in history
                    if isinstance(e, VerdictChanged) and e.track_id == track_id
                ),
                tuple(s.sigma_horizontal_mm / 1e3 for s in states),
            )
        )
    return tuple(found)


def _label(states: list[TrackUpdated]) -> str:
    kind = "taken for a drone" if any(s.taken_for_drone for s in states) else "not classified"
    first = states[0]
    return f"{kind}, came from the {_side((0.0, first.east_mm / 1e3, first.north_mm / 1e3, 0.0))}"


def _alerts(incident: Incident, clock: Clock) -> tuple[AlertView, ...]:
    found = []
    for alert_id in incident.alerts:
        steps = [
            e for e in incident.history if isinstance(e, AlertChanged) and e.alert_id == alert_id
        ]
        if not steps:
            continue
        gravest = min(steps, key=lambda e: e.priority)
        found.append(
            AlertView(
                alert_id,
                clock(steps[0].at_ns),
                gravest.priority,
                gravest.permission.value,
                tuple((r.code, r.words) for r in gravest.reasons),
                tuple((clock(e.at_ns), e.event, e.actor.name, e.actor.role, e.why) for e in steps),
                steps[-1].tracks,
                tuple(clock.seconds(e.at_ns) for e in steps),
            )
        )
    return tuple(found)


def _reports(excerpt: Excerpt, clock: Clock) -> tuple[ReportView, ...]:
    found = []
    frame = excerpt.site.frame
    for report in excerpt.incident.reports:
        parts = []
        for part in report.parts:
            east, north, _ = frame.to_enu(part.lat_deg, part.lon_deg, frame.hae_m)
            parts.append((east, north, part.words))
        place = None
        if report.lat_deg is not None and report.lon_deg is not None:
            place = frame.to_enu(report.lat_deg, report.lon_deg, frame.hae_m)[:2]
        found.append(
            ReportView(
                clock(report.at_ns),
                report.author.name,
                report.author.role,
                report.words,
                tuple(parts),
                report.injuries,
                report.damage,
                tuple(o.value.replace("_", " ") for o in report.outcomes),
                place,
            )
        )
    return tuple(found)
