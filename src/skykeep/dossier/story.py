"""What the leaves of a dossier say about its incident, put in order for the reader."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field, replace
from zoneinfo import ZoneInfo

import msgspec

from skykeep.codec import entries, wire
from skykeep.core.airspace import RegisterSensor, Site
from skykeep.core.casebook import Incident
from skykeep.core.event import (
    AlertChanged,
    IdentityChanged,
    Permission,
    RegistrationChanged,
    TrackContinued,
    TrackEnded,
    TrackStarted,
    TrackUpdated,
    VerdictChanged,
)
from skykeep.core.geo import (
    Circle,
    Height,
    HeightAgl,
    HeightAmsl,
    HeightHae,
    Polygon,
    reference_of,
)
from skykeep.core.observation import Sensor
from skykeep.core.permit import ChangePermit, PutPermit
from skykeep.core.verdict import INSIDE
from skykeep.core.zone import PublishZone, Zone
from skykeep.core.zone_book import DeclareBan, ProposeZone
from skykeep.dossier.found_off import off_words
from skykeep.dossier.page_words import PRESENCE, STEPS, look_of, said
from skykeep.dossier.view import (
    AlertView,
    AssessmentView,
    DossierView,
    FigureView,
    PermitView,
    ProofView,
    ReportView,
    SensorView,
    SightingView,
    TimelineItem,
    TrackView,
    VerdictView,
    ZoneView,
)
from skykeep.record.entry import Placed, read_leaf
from skykeep.units import NS_PER_S, SensorId, TrackId, ZoneId, to_datetime

CANNOT_KNOW = (
    "Whether what a sensor or a person handed in was true. The record shows that it was handed "
    "in, when it was received, and that nobody changed it since.",
    "What nobody handed in. What is withheld is counted here; what was never recorded cannot be.",
    "Whether the keeper of the record kept a second one and signed both. Only witnesses who "
    "publish what they saw of it can tell.",
)


@dataclass(slots=True)
class Excerpt:
    """What is gathered while the leaves `start` until before `size` are written."""

    site: Site
    incident: Incident
    start: int
    size: int
    key_name: str
    zones: dict[ZoneId, Zone] = field(default_factory=dict)
    zone_since: dict[ZoneId, int] = field(default_factory=dict)
    sensors: dict[SensorId, Sensor] = field(default_factory=dict)
    rows: Counter[SensorId] = field(default_factory=Counter)
    found_off: dict[SensorId, list[RegistrationChanged]] = field(default_factory=dict)
    states: dict[TrackId, list[TrackUpdated]] = field(default_factory=dict)
    seen_by: dict[TrackId, Counter[str]] = field(default_factory=dict)
    proposed: dict[ZoneId, Zone] = field(default_factory=dict)
    permits: dict[str, str] = field(default_factory=dict)
    other_permits: set[str] = field(default_factory=set)
    withheld: int = 0
    facts: int = 0

    def __post_init__(self) -> None:
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
        if isinstance(command, PutPermit):
            return bool(self.names & set(command.permit.serials))
        return isinstance(command, ChangePermit) and command.permit_id in self.permits

    def take(self, placed: Placed, facts: tuple[bytes, ...], shown: int) -> None:
        """One entry on its way into the dossier, with how many of its facts are shown."""
        leaf = read_leaf(placed.leaf)
        self.facts += len(facts)
        self.withheld += len(facts) - shown
        if leaf.kind == entries.BATCH:
            self.rows[SensorId(leaf.source)] += msgspec.json.decode(facts[0])["rows"]
        elif leaf.kind == entries.COMMAND:
            self._command(wire.decode(facts[0]), leaf.at_ns)
        elif leaf.kind == entries.TRACKS:
            for fact in facts:
                state = entries.state_of(fact)
                if state is not None:
                    self._state(state)
                elif (found := entries.registration_of(fact)) is not None:
                    self.found_off.setdefault(found.sensor_id, []).append(found)
                elif (zone_id := entries.zone_in_force(fact)) in self.proposed:
                    self._zone(self.proposed.pop(zone_id), leaf.at_ns)

    def _command(self, command: object, at_ns: int) -> None:
        if isinstance(command, PublishZone):
            self._zone(command.zone, at_ns)
        elif isinstance(command, DeclareBan):
            self._zone(replace(command.zone, emergency=True), at_ns)
        elif isinstance(command, ProposeZone):
            self.proposed[command.zone.zone_id] = command.zone
        elif isinstance(command, RegisterSensor):
            self.sensors[command.sensor.sensor_id] = command.sensor
        elif isinstance(command, PutPermit):
            permit = command.permit
            if self.names & set(permit.serials):
                self.permits[permit.permit_id] = f"{permit.state.value}: {permit.holder}"
            else:
                self.other_permits.add(permit.permit_id)

    def _zone(self, zone: Zone, at_ns: int) -> None:
        if zone.authority_id == self.site.authority_id:
            self.zones[zone.zone_id] = zone
            self.zone_since.setdefault(zone.zone_id, at_ns)

    def _state(self, state: TrackUpdated) -> None:
        if state.track_id not in self.states:
            return
        self.states[state.track_id].append(state)
        for reference in state.observations:
            found = [s for s in state.sensors if reference.startswith(s)]
            # The longest fits best: one sensor's id may begin with another's.
            self.seen_by[state.track_id][max(found, key=len) if found else "unknown"] += 1


def tell(excerpt: Excerpt, file_name: str) -> DossierView:
    """The incident as the reader shows it."""
    incident, site = excerpt.incident, excerpt.site
    clock = _Clock(site.time_zone)
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
        zones=tuple(_zone(excerpt, zone, clock) for zone in excerpt.zones.values()),
        permits=_permits(excerpt),
        tracks=tracks,
        sensors=_sensors(excerpt, clock),
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
        timeline=_timeline(excerpt, clock),
        proof=_proof(excerpt, file_name),
        figures=_figures(incident),
        minute_marks=_minute_marks(excerpt, clock),
    )


class _Clock:
    """Moments in the site's own time."""

    def __init__(self, time_zone: str) -> None:
        self._zone = ZoneInfo(time_zone)

    def __call__(self, at_ns: int) -> str:
        return f"{to_datetime(at_ns).astimezone(self._zone):%Y-%m-%d %H:%M:%S}"


def _first_ns(excerpt: Excerpt) -> int:
    return min(s[0].state_at_ns for s in excerpt.states.values() if s)


def _summary(incident: Incident, tracks: tuple[TrackView, ...], clock: _Clock) -> tuple[str, ...]:
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


def _minute_marks(excerpt: Excerpt, clock: _Clock) -> tuple[tuple[float, str], ...]:
    """The whole minutes of the tracks, in local time."""
    zero_ns = _first_ns(excerpt)
    last_ns = max(s[-1].state_at_ns for s in excerpt.states.values() if s)
    minute_ns = 60 * NS_PER_S
    whole = range(-(-zero_ns // minute_ns), last_ns // minute_ns + 1)
    return tuple(((m * minute_ns - zero_ns) / NS_PER_S, clock(m * minute_ns)[11:16]) for m in whole)


def _tracks(excerpt: Excerpt, clock: _Clock) -> tuple[TrackView, ...]:
    history = excerpt.incident.history
    zero_ns = _first_ns(excerpt)
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
                        (s.state_at_ns - zero_ns) / NS_PER_S,
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
                    )
                    for e in history
                    if isinstance(e, VerdictChanged) and e.track_id == track_id
                ),
            )
        )
    return tuple(found)


def _label(states: list[TrackUpdated]) -> str:
    kind = "taken for a drone" if any(s.taken_for_drone for s in states) else "not classified"
    first = states[0]
    return f"{kind}, came from the {_side((0.0, first.east_mm / 1e3, first.north_mm / 1e3, 0.0))}"


def _zone(excerpt: Excerpt, zone: Zone, clock: _Clock) -> ZoneView:
    volume = zone.volumes[0]
    state, since = zone.state.value.replace("_", " "), clock(excerpt.zone_since[zone.zone_id])
    return ZoneView(
        zone.zone_id,
        zone.name,
        zone.restriction.value,
        ", ".join(a.name for a in zone.authorities) or zone.authority_id,
        zone.legal_basis,
        f"{state} since {since}, as declared here",
        _outline(excerpt.site, volume.area),
        f"{_height(volume.lower, 'the ground')} to {_height(volume.upper, 'no limit')}",
        zone.emergency,
    )


def _permits(excerpt: Excerpt) -> tuple[PermitView, ...]:
    shown = [PermitView(p, words) for p, words in excerpt.permits.items()]
    count = len(excerpt.other_permits)
    if count:
        words = (
            f"{count} permits or exemptions for other aircraft stand in these entries. They name "
            "people and aircraft that are not part of this incident, and are withheld."
        )
        shown.append(PermitView("not shown", words))
    return tuple(shown)


def _outline(site: Site, area: Circle | Polygon) -> tuple[tuple[float, float], ...]:
    from skykeep.dossier.geojson import circle_ring

    ring = circle_ring(area)[0] if isinstance(area, Circle) else area.rings[0]
    places = [site.frame.to_enu(lat, lon, site.frame.hae_m) for lon, lat in ring]
    return tuple((east, north) for east, north, _ in places)


_HEIGHT_WORDS = {
    HeightAgl: "above the ground",
    HeightAmsl: "above mean sea level",
    HeightHae: "above the ellipsoid",
}


def _height(height: Height | None, none: str) -> str:
    if height is None:
        return none
    words = _HEIGHT_WORDS.get(type(height), reference_of(height).name)
    return f"{height.m:.0f} m {words}"


def _sensors(excerpt: Excerpt, clock: _Clock) -> tuple[SensorView, ...]:
    found = []
    for sensor_id, sensor in excerpt.sensors.items():
        east, north, _ = excerpt.site.frame.to_enu(
            sensor.lat_deg, sensor.lon_deg, sensor.height_hae_m
        )
        rows = excerpt.rows[sensor_id]
        off = tuple((clock(e.at_ns), off_words(e)) for e in excerpt.found_off.get(sensor_id, ()))
        kind = sensor.kind.value
        found.append(SensorView(sensor_id, kind, east, north, sensor.words, rows, off))
    return tuple(found)


def _alerts(incident: Incident, clock: _Clock) -> tuple[AlertView, ...]:
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
            )
        )
    return tuple(found)


def _reports(excerpt: Excerpt, clock: _Clock) -> tuple[ReportView, ...]:
    found = []
    for report in excerpt.incident.reports:
        parts = []
        for part in report.parts:
            east, north, _ = excerpt.site.frame.to_enu(
                part.lat_deg, part.lon_deg, excerpt.site.frame.hae_m
            )
            parts.append((east, north, part.words))
        found.append(
            ReportView(
                clock(report.at_ns),
                report.author.name,
                report.author.role,
                report.words,
                tuple(parts),
                report.injuries,
                report.damage,
            )
        )
    return tuple(found)


def _timeline(excerpt: Excerpt, clock: _Clock) -> tuple[TimelineItem, ...]:
    incident = excerpt.incident
    items: list[tuple[int, str, str]] = [
        (at_ns, "declared", f"zone {excerpt.zones[zone_id].name} is declared")
        for zone_id, at_ns in excerpt.zone_since.items()
    ]
    for event in incident.history:
        match event:
            case TrackStarted():
                items.append((event.first_seen_ns, "observed", f"{event.track_id} is first seen"))
            case TrackEnded():
                items.append((event.last_seen_ns, "observed", f"{event.track_id} is last seen"))
            case TrackContinued():
                words = f"{event.track_id} is taken for {event.earlier}: {event.basis}"
                items.append((event.at_ns, "observed", words))
            case VerdictChanged() if event.permission is not Permission.UNDETERMINED:
                where = f"{event.zone_id}, {said(PRESENCE, event.presence)}"
                look = look_of(event.permission.value).words.lower()
                items.append((event.at_ns, "decided", f"{event.track_id} in {where}: {look}"))
            case AlertChanged():
                by = "" if event.actor.role == "rule" else f" by {event.actor.name}"
                step = said(STEPS, event.event).lower()
                words = f"alert {event.alert_id}: {step}{by} {event.why}".strip()
                items.append((event.at_ns, "decided", words))
    items += [(s.at_ns, "reported", f"a person told: {s.words}") for s in incident.sightings]
    items += [(r.at_ns, "reported", f"responders: {r.words}") for r in incident.reports]
    items += [
        (a.at_ns, "assessed", f"{a.author.name}: {a.conclusion.value}: {a.words}")
        for a in incident.assessments
    ]
    items.sort(key=lambda item: item[0])
    return tuple(TimelineItem(clock(at), kind, words) for at, kind, words in items)


def _proof(excerpt: Excerpt, file_name: str) -> ProofView:
    leaves = excerpt.size - excerpt.start
    lines = [
        f"0 of {leaves} leaves are withheld: every entry of the record from {excerpt.start} to "
        f"{excerpt.size - 1} is here.",
        f"{excerpt.withheld} of {excerpt.facts} facts are withheld by {excerpt.site.authority_id}: "
        "they name persons or aircraft that are not part of this incident.",
    ]
    command = f"skykeep verify {file_name} --key KEYFILE"
    return ProofView(tuple(lines), command, CANNOT_KNOW)
