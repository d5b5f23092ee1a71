"""What an application meets before it is sent: zones, permits and exemptions, and its own gaps.

Pure, from values: the same check can be made by the applicant, the office and a test.
Everything is a hint for people. It grants nothing and refuses nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from skykeep.core.application import Category
from skykeep.core.geo import (
    F64,
    Circle,
    Fix,
    Height,
    PreparedArea,
    Terrain,
    Tri,
    Volume,
    Volume4D,
    depth_m,
    in_heights,
    prepare,
)
from skykeep.core.identifiers import operator_fault, serial_fault
from skykeep.core.permit import LIVE_STATES, UNDECIDED_STATES, Permit, PermitState
from skykeep.core.zone import PreparedZone, Restriction, Zone, applies_until
from skykeep.units import NS_PER_S, PermitId, ZoneId

#: An application without an end is checked for so long; nobody grants more at once.
HORIZON_NS = 366 * 86_400 * NS_PER_S
#: Weekly windows change their answer some dozens of times a month; this covers a year of days.
MOST_CHANGES = 2_000
#: Other permits that count as being in the way.
_STANDING = frozenset({*LIVE_STATES, *UNDECIDED_STATES, PermitState.SUSPENDED})


@dataclass(frozen=True, slots=True)
class TouchedZone:
    """A zone that the application's volumes reach while it applies.

    `surely` is False where a height or a schedule leaves it open. `named`: the application
    asks for it. `whom`: how its authority is reached, and how long before.
    """

    zone_id: ZoneId
    name: str
    authority_id: str
    restriction: Restriction
    surely: bool
    named: bool
    whom: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Overlap:
    """Another permit or exemption in the same place at the same time; names no holder."""

    permit_id: PermitId
    kind: str  # "permit", or the class of an exemption
    state: PermitState
    start_ns: int | None
    end_ns: int | None
    surely: bool


@dataclass(frozen=True, slots=True)
class Gap:
    """What is missing or wrong in an application: where, what, and by which rule."""

    where: str
    problem: str
    rule: str = ""


@dataclass(frozen=True, slots=True)
class Conflicts:
    """All that was found: what this authority can open, what others must, who is in the way."""

    own_zones: tuple[TouchedZone, ...]
    other_zones: tuple[TouchedZone, ...]
    overlaps: tuple[Overlap, ...]
    gaps: tuple[Gap, ...]


def conflicts(
    permit: Permit,
    zones: Iterable[PreparedZone],
    permits: Sequence[Permit],
    terrain: Terrain | None,
    now_ns: int,
) -> Conflicts:
    """Hold an application against the zones in force and the permits of its authority.

    A permit opens only zones of the authority that issues it: for the others the applicant
    is told whom to ask.
    """
    areas = [(v, prepare(v.volume.area)) for v in permit.volumes]
    touched = [t for z in zones if (t := _touched(permit, areas, z, terrain, now_ns)) is not None]
    own = tuple(t for t in touched if t.authority_id == permit.authority_id)
    others = tuple(t for t in touched if t.authority_id != permit.authority_id)
    overlaps = tuple(
        found
        for other in permits
        if other.permit_id != permit.permit_id and other.state in _STANDING
        for found in _overlaps(areas, other, terrain)
    )
    return Conflicts(own, others, overlaps, (*gaps(permit, now_ns), *_zone_gaps(permit, own)))


def _touched(
    permit: Permit,
    areas: Sequence[tuple[Volume4D, PreparedArea]],
    prepared: PreparedZone,
    terrain: Terrain | None,
    now_ns: int,
) -> TouchedZone | None:
    zone = prepared.zone
    if zone.restriction is Restriction.NO_RESTRICTION:
        return None
    answer = Tri.NO
    for volume4d, area in areas:
        if not zone.readable:
            reached = Tri.MAYBE
        else:
            reached = Tri.NO
            for other, other_area in zip(zone.volumes, prepared.areas, strict=True):
                reached |= _meet(volume4d.volume, area, other, other_area, terrain)
        if reached is not Tri.NO:
            answer |= reached & _applies_within(zone, volume4d, now_ns)
    if answer is Tri.NO:
        return None
    return TouchedZone(
        zone.zone_id, zone.name, zone.authority_id, zone.restriction, answer is Tri.YES,
        zone.zone_id in permit.zones, _whom(zone),
    )  # fmt: skip


def _whom(zone: Zone) -> tuple[str, ...]:
    told = []
    for authority in zone.authorities:
        ways = (authority.name, authority.email, authority.phone, authority.site_url)
        words = ", ".join(w for w in ways if w)
        before = f" ({authority.interval_before} before)" if authority.interval_before else ""
        told.append(f"{words or 'no contact is published'}{before}")
    return tuple(told)


def _applies_within(zone: Zone, volume4d: Volume4D, now_ns: int) -> Tri:
    """Whether a zone applies at any moment of a volume's time."""
    at_ns = now_ns if volume4d.start_ns is None else volume4d.start_ns
    end_ns = at_ns + HORIZON_NS if volume4d.end_ns is None else volume4d.end_ns
    answer = Tri.NO
    for _ in range(MOST_CHANGES):
        found = applies_until(zone, at_ns)
        answer |= found.answer
        if answer is Tri.YES or found.until_ns is None or found.until_ns >= end_ns:
            return answer
        at_ns = found.until_ns
    return answer | Tri.MAYBE


def _overlaps(
    areas: Sequence[tuple[Volume4D, PreparedArea]], other: Permit, terrain: Terrain | None
) -> list[Overlap]:
    found = []
    for volume4d in other.volumes:
        area: PreparedArea | None = None
        answer = Tri.NO
        for own, own_area in areas:
            if _time_apart(own, volume4d):
                continue
            area = prepare(volume4d.volume.area) if area is None else area
            answer |= _meet(own.volume, own_area, volume4d.volume, area, terrain)
        if answer is not Tri.NO:
            kind = other.exemption_class or "permit"
            found.append(
                Overlap(
                    other.permit_id, kind, other.state, volume4d.start_ns, volume4d.end_ns,
                    answer is Tri.YES,
                )
            )  # fmt: skip
    return found


def _time_apart(a: Volume4D, b: Volume4D) -> bool:
    a_over = a.end_ns is not None and b.start_ns is not None and a.end_ns <= b.start_ns
    b_over = b.end_ns is not None and a.start_ns is not None and b.end_ns <= a.start_ns
    return a_over or b_over


# -- space --------------------------------------------------------------------------------


def _meet(
    a: Volume, a_area: PreparedArea, b: Volume, b_area: PreparedArea, terrain: Terrain | None
) -> Tri:
    if not areas_meet(a_area, b_area):
        return Tri.NO
    lat, lon = a_area.south_deg, a_area.west_deg
    return _below(a.lower, b.upper, lat, lon, terrain) & _below(b.lower, a.upper, lat, lon, terrain)


def _below(
    lower: Height | None, upper: Height | None, lat: float, lon: float, terrain: Terrain | None
) -> Tri:
    """Whether a lower limit lies below an upper one."""
    if lower is None or upper is None:
        return Tri.YES
    return in_heights(Fix(lat, lon, 0.0, lower, 0.0), None, upper, terrain)


def areas_meet(a: PreparedArea, b: PreparedArea) -> bool:
    """Whether two areas have a place in common; a border that only touches may count."""
    if a.south_deg > b.north_deg or b.south_deg > a.north_deg:
        return False
    if a.west_deg > b.east_deg or b.west_deg > a.east_deg:
        return False
    if isinstance(a.area, Circle):
        return depth_m(b, a.area.lat_deg, a.area.lon_deg) >= -a.area.radius_m
    if isinstance(b.area, Circle):
        return depth_m(a, b.area.lat_deg, b.area.lon_deg) >= -b.area.radius_m
    for one, other in ((a, b), (b, a)):
        start = 0
        for end in one.ring_ends.tolist():  # a ring that crosses nothing is in or out as a whole
            lon, lat = one.vertices[start].tolist()
            start = end
            if depth_m(other, lat, lon) >= 0.0:
                return True
    return _cross(_edges(a), _edges(b))


def _edges(prepared: PreparedArea) -> F64:
    """All edges, (n, 4): lon, lat, lon, lat."""
    starts = [0, *prepared.ring_ends.tolist()]
    rings = [prepared.vertices[s:e] for s, e in pairwise(starts)]
    return np.concatenate([np.hstack([r[:-1], r[1:]]) for r in rings])


def _cross(a: F64, b: F64) -> bool:
    """Whether any edge of one set crosses any of the other."""
    for x1, y1, x2, y2 in a.tolist():
        near = b[
            (np.maximum(b[:, 0], b[:, 2]) >= min(x1, x2))
            & (np.minimum(b[:, 0], b[:, 2]) <= max(x1, x2))
            & (np.maximum(b[:, 1], b[:, 3]) >= min(y1, y2))
            & (np.minimum(b[:, 1], b[:, 3]) <= max(y1, y2))
        ]
        if not len(near):
            continue
        side_1 = (x2 - x1) * (near[:, 1] - y1) - (y2 - y1) * (near[:, 0] - x1)
        side_2 = (x2 - x1) * (near[:, 3] - y1) - (y2 - y1) * (near[:, 2] - x1)
        dx, dy = near[:, 2] - near[:, 0], near[:, 3] - near[:, 1]
        other_1 = dx * (y1 - near[:, 1]) - dy * (x1 - near[:, 0])
        other_2 = dx * (y2 - near[:, 1]) - dy * (x2 - near[:, 0])
        if ((side_1 * side_2 <= 0.0) & (other_1 * other_2 <= 0.0)).any():
            return True
    return False


# -- the application itself -----------------------------------------------------------------

_ANNEX = "(EU) 2021/664, Annex IV"


def gaps(permit: Permit, now_ns: int) -> tuple[Gap, ...]:
    """What is missing or wrong in an application, by the numbers of Annex IV."""
    found: list[Gap] = []
    if not permit.serials:
        found.append(Gap("serials", "no aircraft is named", f"{_ANNEX} (1)"))
    for i, serial in enumerate(permit.serials):
        problem = serial_fault(serial.strip())
        if problem is not None:
            found.append(Gap(f"serials[{i}]", problem, "ANSI/CTA-2063-A section 4"))
    if not permit.volumes:
        found.append(Gap("volumes", "no volume is given", f"{_ANNEX} (5)"))
    for i, volume in enumerate(permit.volumes):
        for name, at_ns in (("start", volume.start_ns), ("end", volume.end_ns)):
            if at_ns is None:
                found.append(Gap(f"volumes[{i}].{name}", "is open", f"{_ANNEX} (5)"))
        if volume.end_ns is not None and volume.end_ns <= now_ns:
            found.append(Gap(f"volumes[{i}].end", "is past"))
        if volume.volume.upper is None:
            found.append(Gap(f"volumes[{i}].upper", "is without limit", f"{_ANNEX} (5)"))
    found += _application_gaps(permit)
    if not permit.procedure.identity_proof:
        found.append(Gap("procedure.identity_proof", "who applies has not been proven"))
    if not permit.procedure.channels:
        words = "no e-mail or webhook: a revocation stands on the permit's page alone"
        found.append(Gap("procedure.channels", words))
    return tuple(found)


def _application_gaps(permit: Permit) -> list[Gap]:
    own = permit.application
    if own is None:
        return [Gap("application", "items (2) to (4) and (6) to (10) are missing", _ANNEX)]
    needed = [
        ("identification", own.identification, "(6)"),
        ("connectivity", own.connectivity, "(7)"),
        ("lost_link", own.lost_link, "(9)"),
    ]
    if own.category is not Category.OPEN:
        needed.append(("aircraft_class", own.aircraft_class, "(4)"))
    found = [
        Gap(f"application.{name}", "is missing", f"{_ANNEX} {item}")
        for name, value, item in needed
        if not value
    ]
    problem = operator_fault(own.operator)
    if problem is not None:
        found.append(Gap("application.operator", problem, f"EN 4709-002; {_ANNEX} (10)"))
    for name, value in (("name", own.contact_name), ("phone", own.contact_phone)):
        if not value:
            found.append(Gap(f"application.contact.{name}", "nobody can be called on the day"))
    return found


def _zone_gaps(permit: Permit, own: Sequence[TouchedZone]) -> list[Gap]:
    """Zones that are touched and not asked for, or asked for and not touched."""
    reached = {t.zone_id for t in own}
    found = [
        Gap("zones", f"{t.zone_id} is reached and not asked for: it would stay closed")
        for t in own
        if not t.named and not (permit.exemption_class and not permit.zones)
    ]
    found += [
        Gap("zones", f"{z} is asked for and not reached, or not one that this authority can open")
        for z in permit.zones
        if z not in reached
    ]
    return found
