"""The live stream's other messages: alerts, zones, sensors, permits, incidents, reports.

What names a person or an aircraft is for officers alone (docs/live-stream.md).
"""

from __future__ import annotations

import math
from collections.abc import Generator, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import msgspec

from skykeep.codec.permits import permit_record
from skykeep.core.airspace import Site
from skykeep.core.alert import Alert, AlertState
from skykeep.core.event import RegistrationChanged, ReportKept
from skykeep.core.flood import groups_of
from skykeep.core.geo import Area, Circle, Height, Tri, reference_of
from skykeep.core.handover import Handover
from skykeep.core.permit import Permit
from skykeep.core.picture import TrackView
from skykeep.core.stations import StationSnapshot
from skykeep.core.zone import Applies, Zone, applies_until
from skykeep.service.handovers import handover_out
from skykeep.service.heard import Step
from skykeep.service.live_columns import Message
from skykeep.service.troubles import Trouble
from skykeep.units import NS_PER_MS

#: Told at once; a page that shows more of them helps nobody.
ALERTS_TOLD = 200
HANDOVERS_TOLD = 200
_APPLIES = {Tri.YES: "yes", Tri.NO: "no", Tri.MAYBE: "maybe"}


def ms(at_ns: int | None) -> float | None:
    """UTC milliseconds."""
    return None if at_ns is None else at_ns / NS_PER_MS


# -- alerts -------------------------------------------------------------------------------


def alerts_told(alerts: Sequence[Alert]) -> list[Alert]:
    """Those that are not closed, the gravest and newest first, then the newest closed ones."""
    pending = [a for a in alerts if a.state is not AlertState.CLOSED]
    closed = [a for a in alerts if a.state is AlertState.CLOSED]
    pending.sort(key=lambda a: (a.priority, -a.raised_ns))
    closed.sort(key=lambda a: -a.raised_ns)
    return [*pending, *closed][:ALERTS_TOLD]


def alert_message(
    at_ns: int,
    alerts: Sequence[Alert],
    tracks: Mapping[str, TrackView],
    steps: Mapping[str, Iterable[Step]],
    identities: Mapping[str, tuple[str, ...]],
    named: bool,
    flood: tuple[bool, int] = (False, 0),
    cards: Mapping[str, Any] | None = None,
) -> Message:
    """The topic `alerts`; `identities` by alert, `named` for those who may read names; `flood`
    whether too many come, and how many came of late; `cards` as card.cards_of gives them."""
    told = alerts_told(alerts)
    groups = groups_of(told, flood[0])
    pending = [a for a in told if a.state is not AlertState.CLOSED]
    return {
        "topic": "alerts",
        "at_ms": ms(at_ns),
        "alerts": [_alert(a, steps.get(a.alert_id, ()), identities, named) for a in told],
        "more": len(alerts) - len(told),
        "flood": flood[0],
        "raised_lately": flood[1],
        "cards": (cards or {}) if named else {},
        "groups": [group.alerts for group in groups if len(group.alerts) > 1],
        "distances": {t: _distance(tracks[t]) for a in pending for t in a.tracks if t in tracks},
    }


def _alert(
    alert: Alert, steps: Iterable[Step], identities: Mapping[str, tuple[str, ...]], named: bool
) -> dict[str, Any]:
    identity = identities.get(alert.alert_id) if named else None
    names = ("scheme", "identity", "transmitter", "strength")
    return {
        "alert_id": alert.alert_id,
        "state": alert.state,
        "active": alert.active,
        "priority": alert.priority,
        "tracks": alert.tracks,
        "zones": alert.zones,
        "permission": alert.permission,
        "reasons": [{"code": r.code, "words": r.words if named else ""} for r in alert.reasons],
        "raised_ms": ms(alert.raised_ns),
        "escalations": alert.escalations,
        "test": alert.test,
        "shelved_until_ms": ms(alert.shelved_until_ns),
        "steps": [
            {
                "event": s.event,
                "at_ms": ms(s.at_ns),
                "by": s.by if named else "",
                "role": s.role,
                "why": s.why if named else "",
            }
            for s in steps
        ],
        "identity": dict(zip(names, identity, strict=False)) if identity else None,
    }


def _distance(track: TrackView) -> dict[str, float]:
    """From the site's origin, over the ground of its frame."""
    east_m, north_m = track.state.east_mm / 1e3, track.state.north_mm / 1e3
    bearing_deg = math.degrees(math.atan2(east_m, north_m)) % 360.0
    return {"m": math.hypot(east_m, north_m), "bearing_deg": bearing_deg}


# -- zones --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class _Drawn:
    zone: Zone
    applies: Applies
    encoded: msgspec.Raw


@dataclass(slots=True)
class ZoneBoard:
    """The zones as they are told; a schedule is looked at only when its answer may change."""

    site: Site
    _drawn: dict[str, _Drawn] = field(default_factory=dict)
    _zones: tuple[Zone, ...] | None = None
    _due_ns: int | None = None

    def update(self, zones: tuple[Zone, ...], at_ns: int) -> Generator[None, None, bool]:
        """Bring it up to a moment; whether there is anything new to tell.

        It yields after each zone that it has looked at: a country's take a second.
        """
        same = self._zones is not None and _same(zones, self._zones)
        if same and (self._due_ns is None or at_ns < self._due_ns):
            return False
        before, self._drawn, changed = self._drawn, {}, not same
        for zone in zones:
            known = before.get(zone.zone_id)
            if known is None or known.zone is not zone or _over(known.applies, at_ns):
                known = _Drawn(zone, *self._draw(zone, at_ns))
                changed = True
                yield
            self._drawn[zone.zone_id] = known
        ends = [d.applies.until_ns for d in self._drawn.values()]
        self._due_ns = min((e for e in ends if e is not None), default=None)
        self._zones = zones
        return changed

    def message(self, at_ns: int) -> Message:
        """The topic `zones`."""
        zones = [drawn.encoded for drawn in self._drawn.values()]
        return {"topic": "zones", "at_ms": ms(at_ns), "zones": zones}

    def _draw(self, zone: Zone, at_ns: int) -> tuple[Applies, msgspec.Raw]:
        applies = applies_until(zone, at_ns)
        own = {self.site.authority_id, *self.site.also_judges}
        told = {
            "zone_id": zone.zone_id,
            "name": zone.name,
            "authority_id": zone.authority_id,
            "enforced": zone.authority_id in own,
            "restriction": zone.restriction,
            "state": zone.state,
            "applies": _APPLIES[applies.answer],
            "applies_until_ms": ms(applies.until_ns),
            "emergency": zone.emergency,
            "readable": zone.readable,
            "reasons": zone.reasons,
            "message": zone.message,
            "legal_basis": zone.legal_basis,
            "conditions": zone.conditions,
            "volumes": [
                {"area": _area(v.area), "lower": _height(v.lower), "upper": _height(v.upper)}
                for v in zone.volumes
            ],
        }
        return applies, msgspec.Raw(msgspec.msgpack.encode(told))


def _same(some: tuple[Any, ...], others: tuple[Any, ...]) -> bool:
    """Whether these are the same values, not merely alike: cheap for thousands."""
    return len(some) == len(others) and all(a is b for a, b in zip(some, others, strict=True))


def _over(applies: Applies, at_ns: int) -> bool:
    return applies.until_ns is not None and at_ns >= applies.until_ns


def _area(area: Area) -> dict[str, Any]:
    if isinstance(area, Circle):
        return {"circle": (area.lat_deg, area.lon_deg, area.radius_m)}
    return {"rings": area.rings}


def _height(height: Height | None) -> dict[str, Any] | None:
    return None if height is None else {"m": height.m, "reference": reference_of(height).name}


# -- sensors, permits, reports ------------------------------------------------------------


def sensors_message(at_ns: int, stations: Sequence[StationSnapshot]) -> Message:
    """The topic `sensors`."""
    return {"topic": "sensors", "at_ms": ms(at_ns), "sensors": [_sensor(s) for s in stations]}


def _sensor(station: StationSnapshot) -> dict[str, Any]:
    sensor, seen = station.sensor, station.sensor.coverage
    return {
        "sensor_id": sensor.sensor_id,
        "kind": sensor.kind,
        "lat_deg": sensor.lat_deg,
        "lon_deg": sensor.lon_deg,
        "height_hae_m": sensor.height_hae_m,
        "words": sensor.words,
        "health": station.health,
        "last_heard_ms": ms(station.last_ns or None),
        "period_s": sensor.period_s,
        "registration": _registration(station.registration.said),
        "coverage": {
            "range_min_m": seen.range_min_m,
            "range_max_m": seen.range_max_m,
            "azimuth_from_deg": seen.azimuth_from_deg,
            "azimuth_to_deg": seen.azimuth_to_deg,
            "elevation_min_deg": seen.elevation_min_deg,
            "elevation_max_deg": seen.elevation_max_deg,
        },
    }


def _registration(said: RegistrationChanged | None) -> dict[str, Any] | None:
    """How far a sensor was found to be off, and which parts of that are taken away."""
    if said is None:
        return None
    return {
        "at_ms": ms(said.at_ns),
        "applied": said.applied,
        "bias": asdict(said.bias),
        "sigma": asdict(said.sigma),
        "aircraft": said.aircraft,
        "comparisons": said.comparisons,
    }


def permits_message(at_ns: int, site: Site, permits: Sequence[Permit]) -> Message:
    """The topic `permits`."""
    ordered = sorted(permits, key=lambda p: p.permit_id)
    return {
        "topic": "permits",
        "at_ms": ms(at_ns),
        "authority": site.authority_id,
        "permits": [permit_record(p) for p in ordered if not p.exemption_class],
        "exemptions": [permit_record(p) for p in ordered if p.exemption_class],
    }


def handovers_message(at_ns: int, handovers: Sequence[Handover], exercise: bool) -> Message:
    """The topic `handovers`, the newest last."""
    newest = handovers[-HANDOVERS_TOLD:]
    told = [handover_out(h).model_dump() for h in newest]
    more = len(handovers) - len(newest)
    head = {"topic": "handovers", "at_ms": ms(at_ns), "exercise": exercise}
    return head | {"handovers": told, "more": more}


def reports_message(at_ns: int, reports: Sequence[ReportKept], named: bool) -> Message:
    """The topic `reports`, newest first; what people said in words is for officers."""
    told = [
        {
            "sensor_id": r.sensor_id,
            "seen_ms": ms(r.seen_at_ns),
            "received_ms": ms(r.at_ns),
            "azimuth_deg": r.azimuth_deg,
            "words": r.words if named else "",
        }
        for r in reversed(reports)
    ]
    return {"topic": "reports", "at_ms": ms(at_ns), "reports": told}


def troubles_message(at_ns: int, troubles: Sequence[Trouble]) -> Message:
    """The topic `troubles`, the grave first, then the oldest."""
    told = [
        {
            "what": t.what,
            "name": t.name,
            "words": t.words,
            "grave": t.grave,
            "since_ms": ms(t.since_ns),
        }
        for t in troubles
    ]
    return {"topic": "troubles", "at_ms": ms(at_ns), "troubles": told}
