"""Zones, permits and sensors of a dossier, as its pages show them."""

from __future__ import annotations

from dataclasses import replace

from skykeep.core.airspace import Site
from skykeep.core.event import PermitChanged
from skykeep.core.geo import (
    Circle,
    Height,
    HeightAgl,
    HeightAmsl,
    HeightHae,
    Polygon,
    Tri,
    reference_of,
)
from skykeep.core.observation import Coverage, Sensor
from skykeep.core.permit import Permit
from skykeep.core.zone import Zone, ZoneState, applies_until
from skykeep.core.zone_book import ZoneVersion
from skykeep.dossier.clock import Clock
from skykeep.dossier.excerpt import Excerpt, Source
from skykeep.dossier.found_off import off_words
from skykeep.dossier.geojson import circle_ring
from skykeep.dossier.view import CoverageView, PermitView, SensorView, Span, ZoneView

#: Of facts that are withheld one by one, so many are shown as rows of their own.
ROWS_SHOWN = 12
#: Stands where a permit has its number.
WITHHELD = "withheld"

_HEIGHT_WORDS = {
    HeightAgl: "above the ground",
    HeightAmsl: "above mean sea level",
    HeightHae: "above the ellipsoid",
}


def zones(excerpt: Excerpt, clock: Clock) -> tuple[ZoneView, ...]:
    """Each zone once, as its last version in force says; all versions give its times."""
    versions: dict[str, list[ZoneVersion]] = {}
    for version in excerpt.own_zones():
        versions.setdefault(version.zone.zone_id, []).append(version)
    return tuple(_zone(excerpt.site, found, clock) for found in versions.values())


def _zone(site: Site, versions: list[ZoneVersion], clock: Clock) -> ZoneView:
    zone = versions[-1].zone
    volume = zone.volumes[0]
    told = []
    for version in versions:
        since_ns, until_ns = version.since_ns, version.until_ns
        assert since_ns is not None  # `own_zones` has no others
        until = "" if until_ns is None else f" until {clock(until_ns)}"
        by = version.steps[0].actor
        told.append(f"in force since {clock(since_ns)}{until}, declared by {by.name} ({by.role})")
    return ZoneView(
        zone.zone_id,
        zone.name,
        zone.restriction.value,
        ", ".join(a.name for a in zone.authorities) or zone.authority_id,
        zone.legal_basis,
        "; ".join(told),
        _outline(site, volume.area),
        f"{_height(volume.lower, 'the ground')} to {_height(volume.upper, 'no limit')}",
        zone.emergency,
        tuple(span for version in versions for span in _spans(version, clock)),
    )


def _spans(version: ZoneVersion, clock: Clock) -> list[Span]:
    """When a version applied between the first and the last point, in the clock's seconds."""
    assert version.since_ns is not None

    zone: Zone = replace(version.zone, state=ZoneState.IN_FORCE)
    at_ns = max(version.since_ns, clock.zero_ns)
    end_ns = clock.last_ns if version.until_ns is None else min(version.until_ns, clock.last_ns)
    found: list[Span] = []
    while at_ns <= end_ns:
        held = applies_until(zone, at_ns)
        until_ns = end_ns if held.until_ns is None else min(held.until_ns, end_ns)
        if held.answer is not Tri.NO:
            found.append((clock.seconds(at_ns), clock.seconds(until_ns)))
        at_ns = max(until_ns, at_ns) + 1
    return found


def _outline(site: Site, area: Circle | Polygon) -> tuple[tuple[float, float], ...]:
    ring = circle_ring(area)[0] if isinstance(area, Circle) else area.rings[0]
    places = [site.frame.to_enu(lat, lon, site.frame.hae_m) for lon, lat in ring]
    return tuple((east, north) for east, north, _ in places)


def _height(height: Height | None, none: str) -> str:
    if height is None:
        return none
    words = _HEIGHT_WORDS.get(type(height), reference_of(height).name)
    return f"{height.m:.0f} m {words}"


def permits(excerpt: Excerpt, clock: Clock) -> tuple[PermitView, ...]:
    """Those of the incident's aircraft in words, and of the others what stands for them."""
    shown = [
        PermitView(permit_id, _permit(permit, excerpt.permit_steps.get(permit_id, []), clock))
        for permit_id, permit in excerpt.permits.items()
    ]
    hidden = excerpt.hidden_permits
    for commitment in hidden[:ROWS_SHOWN]:
        words = (
            "Withheld: a decision on a permit or an exemption. What stands for it in the record: "
            f"commitment {commitment}"
        )
        shown.append(PermitView(WITHHELD, words))
    if len(hidden) > ROWS_SHOWN:
        words = f"{len(hidden) - ROWS_SHOWN} more decisions on permits are in withheld.json."
        shown.append(PermitView(WITHHELD, words))
    return tuple(shown)


def _permit(permit: Permit, steps: list[PermitChanged], clock: Clock) -> str:
    lines = [f"For {permit.holder}, aircraft {', '.join(permit.serials) or 'none named'}."]
    if permit.zones:
        lines.append(f"It opens {', '.join(permit.zones)}.")
    for volume in permit.volumes:
        since = "any time" if volume.start_ns is None else clock(volume.start_ns)
        until = "any time" if volume.end_ns is None else clock(volume.end_ns)
        lines.append(f"From {since} to {until}.")
    lines += [f"Condition: {condition}." for condition in permit.conditions]
    for step in steps:
        state = step.state.replace("_", " ")
        why = f": {step.why}" if step.why else ""
        lines.append(f"{clock(step.at_ns)} {state} by {step.actor.name}{why}")
    return "\n".join(lines)


def sensors(excerpt: Excerpt, clock: Clock) -> tuple[SensorView, ...]:
    """Every sensor that the excerpt knows, in the order of its registration."""
    found = []
    for sensor_id, sensor in excerpt.sensors.items():
        east, north, _ = excerpt.site.frame.to_enu(
            sensor.lat_deg, sensor.lon_deg, sensor.height_hae_m
        )
        source = excerpt.sources.get(sensor_id, Source())
        off = tuple((clock(e.at_ns), off_words(e)) for e in excerpt.found_off.get(sensor_id, ()))
        found.append(
            SensorView(
                sensor_id,
                sensor.kind.value,
                east,
                north,
                _words(sensor),
                source.rows,
                off,
                _coverage(sensor.coverage),
                _health(excerpt, sensor_id, clock),
                tuple(sorted({clock.seconds(at) for at in excerpt.seen_ns.get(sensor_id, ())})),
                _withheld(source),
            )
        )
    return tuple(found)


def _words(sensor: Sensor) -> str:
    """What is said of a sensor, and which key it signs with."""
    signs = f"signs with the key {sensor.key}" if sensor.key else ""
    return "; ".join(words for words in (sensor.words, signs) if words)


def _withheld(source: Source) -> str:
    if not source.hidden_leaves:
        return ""
    return f"{source.hidden_leaves} of {source.leaves} batches withheld"


def _coverage(coverage: Coverage) -> CoverageView:
    return CoverageView(
        coverage.range_min_m,
        coverage.range_max_m,
        coverage.azimuth_from_deg,
        coverage.azimuth_to_deg,
    )


def _health(excerpt: Excerpt, sensor_id: str, clock: Clock) -> tuple[tuple[float, float, str], ...]:
    """Stretches of health between the first and the last point."""
    found: list[tuple[float, float, str]] = []
    # Where the range begins later than the record, it was heard of before; else nobody knows yet.
    source = excerpt.sources.get(sensor_id, Source())
    state, since_s = "working" if excerpt.start and source.times else "unknown", 0.0
    for step in excerpt.health.get(sensor_id, ()):  # type: ignore[call-overload]
        at_s = min(max(clock.seconds(step.at_ns), 0.0), clock.end_s)
        if at_s > since_s:
            found.append((since_s, at_s, state))
        state, since_s = step.health, at_s
    if clock.end_s > since_s:
        found.append((since_s, clock.end_s, state))
    return tuple(found)
