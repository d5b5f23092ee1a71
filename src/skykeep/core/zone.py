"""A UAS geographical zone: where, when, how strict, by whose authority.

A zone holds at a point in space and time if one of its volumes does and one of its periods
does, while it is in force. Each part of that answer is three-valued.
"""

from __future__ import annotations

import enum
import math
from dataclasses import dataclass, field

from skykeep.core.event import Actor
from skykeep.core.geo import (
    BORDER_SIGMAS,
    LEAST_METRES_PER_DEGREE_LAT,
    Circle,
    Fix,
    PreparedArea,
    Terrain,
    Tri,
    Volume,
    depth_m,
    in_area,
    in_heights,
    prepare,
)
from skykeep.core.schedule import (
    DailyPeriod,
    Period,
    Place,
    SunEvent,
    TimeOfDay,
    applicability,
    needs_clock,
    time_zone_of,
)
from skykeep.errors import DecisionError
from skykeep.units import ZoneId

__all__ = [
    "ZONE_TRANSITIONS",
    "Applies",
    "Authority",
    "DailyPeriod",
    "Period",
    "PreparedZone",
    "PublishZone",
    "Restriction",
    "SunEvent",
    "TimeOfDay",
    "WithdrawZone",
    "Zone",
    "ZoneEvent",
    "ZoneState",
    "applies",
    "applies_until",
    "contains",
    "distance_to_zone_m",
    "prepare_zone",
    "sun_place",
    "transition",
    "within",
]


class Restriction(enum.StrEnum):
    """What a zone demands (ED-269 and ED-318 restriction type)."""

    PROHIBITED = "PROHIBITED"
    REQ_AUTHORISATION = "REQ_AUTHORISATION"
    CONDITIONAL = "CONDITIONAL"
    NO_RESTRICTION = "NO_RESTRICTION"


class ZoneState(enum.StrEnum):
    """Where a zone stands; whether it applies at a moment is its periods' matter."""

    PROPOSED = "proposed"
    APPROVED = "approved"
    IN_FORCE = "in_force"
    WITHDRAWN = "withdrawn"


class ZoneEvent(enum.StrEnum):
    """What can happen to a zone."""

    PROPOSE = "propose"
    APPROVE = "approve"
    ENTER_INTO_FORCE = "enter_into_force"
    DECLARE_EMERGENCY = "declare_emergency"
    CONFIRM = "confirm"
    LAPSE = "lapse"
    WITHDRAW = "withdraw"


_S, _E = ZoneState, ZoneEvent

#: The lifecycle of a version. Only an emergency skips the approval; unless it is confirmed, it
#: lapses. A zone that comes back is a new version.
ZONE_TRANSITIONS: dict[tuple[ZoneState, ZoneEvent], ZoneState] = {
    (_S.PROPOSED, _E.APPROVE): _S.APPROVED,
    (_S.PROPOSED, _E.DECLARE_EMERGENCY): _S.IN_FORCE,
    (_S.PROPOSED, _E.WITHDRAW): _S.WITHDRAWN,
    (_S.APPROVED, _E.ENTER_INTO_FORCE): _S.IN_FORCE,
    (_S.APPROVED, _E.WITHDRAW): _S.WITHDRAWN,
    (_S.IN_FORCE, _E.CONFIRM): _S.IN_FORCE,
    (_S.IN_FORCE, _E.LAPSE): _S.WITHDRAWN,
    (_S.IN_FORCE, _E.WITHDRAW): _S.WITHDRAWN,
}


def transition(state: ZoneState, event: ZoneEvent) -> ZoneState:
    """The state after an event; raises DecisionError where the table has no such step."""
    after = ZONE_TRANSITIONS.get((state, event))
    if after is None:
        possible = ", ".join(e for s, e in ZONE_TRANSITIONS if s is state)
        raise DecisionError(f"the zone is {state}; it cannot {event} now (possible: {possible})")
    return after


@dataclass(frozen=True, slots=True)
class Authority:
    """Who is responsible for a zone, and whom to ask."""

    name: str
    purpose: str = ""
    service: str = ""
    contact: str = ""
    email: str = ""
    phone: str = ""
    site_url: str = ""
    interval_before: str = ""


@dataclass(frozen=True, slots=True)
class Zone:
    """One zone. No periods means always. `authority_id` is the authority that enforces it.

    `readable` is False where the source could not be understood: such a zone is kept and
    every question about it is answered MAYBE.
    """

    zone_id: ZoneId
    name: str
    authority_id: str
    restriction: Restriction
    volumes: tuple[Volume, ...]
    periods: tuple[Period, ...] = ()
    state: ZoneState = ZoneState.IN_FORCE
    country: str = ""
    variant: str = "COMMON"
    reasons: tuple[str, ...] = ()
    authorities: tuple[Authority, ...] = ()
    conditions: str = ""
    message: str = ""
    legal_basis: str = ""
    time_zone: str = "UTC"
    emergency: bool = False
    readable: bool = True
    references: tuple[str, ...] = ()  # where else it is published: AIP section, NOTAM


@dataclass(frozen=True, slots=True)
class PublishZone:
    """Command: put a zone into the state it carries; replaces the version before it."""

    actor: Actor
    zone: Zone


@dataclass(frozen=True, slots=True)
class WithdrawZone:
    """Command: end a zone."""

    actor: Actor
    zone_id: ZoneId
    why: str


@dataclass(frozen=True, slots=True)
class Applies:
    """Whether a zone applies; holds from `from_ns` until before `until_ns` (None: for ever)."""

    answer: Tri
    from_ns: int | None
    until_ns: int | None


def sun_place(zone: Zone) -> tuple[float, float]:
    """Latitude and longitude at which the zone's sun events are taken.

    The middle of the first volume's bounding box: a city or an airport has one sunset.
    """
    area = zone.volumes[0].area
    if isinstance(area, Circle):
        return area.lat_deg, area.lon_deg
    lons, lats = zip(*area.rings[0], strict=True)
    return 0.5 * (min(lats) + max(lats)), 0.5 * (min(lons) + max(lons))


def applies_until(zone: Zone, at_ns: int) -> Applies:
    """Whether a zone is in force and one of its periods holds, and how long that stays so.

    An unreadable zone that is in force is MAYBE; so is one whose windows need a time zone
    that is not known. The windows' meaning is that of core/schedule.py.
    """
    if zone.state is not ZoneState.IN_FORCE:
        return Applies(Tri.NO, None, None)
    if not zone.readable:
        return Applies(Tri.MAYBE, None, None)
    if not zone.periods:
        return Applies(Tri.YES, None, None)
    clock = time_zone_of(zone.time_zone if needs_clock(zone.periods) else "UTC")
    if clock is None or not zone.volumes:
        return Applies(Tri.MAYBE, None, None)
    found = applicability(zone.periods, Place(*sun_place(zone), clock), at_ns)
    return Applies(Tri.of(found.applies), found.from_ns, found.until_ns)


def applies(zone: Zone, at_ns: int) -> Tri:
    """Whether a zone is in force and one of its periods holds at a moment (UTC ns)."""
    return applies_until(zone, at_ns).answer


@dataclass(frozen=True, slots=True, eq=False)
class PreparedZone:
    """A zone with its areas as arrays; an unreadable zone has none.

    `memo` keeps the last two answers of `applies_until`, which is pure, for as long as they
    hold: one for now, one for a moment ahead.
    """

    zone: Zone
    areas: tuple[PreparedArea, ...]
    south_deg: float
    north_deg: float
    memo: list[Applies] = field(default_factory=list)


def prepare_zone(zone: Zone) -> PreparedZone:
    """A zone ready for many questions."""
    areas = tuple(prepare(volume.area) for volume in zone.volumes) if zone.readable else ()
    return PreparedZone(
        zone,
        areas,
        min((area.south_deg for area in areas), default=math.inf),
        max((area.north_deg for area in areas), default=-math.inf),
    )


def contains(prepared: PreparedZone, fix: Fix, at_ns: int, terrain: Terrain | None) -> Tri:
    """Whether a fix at a moment (UTC ns) lies in a zone that applies then.

    The volumes' answers are joined one by one: a fix that straddles the border between two
    that touch is MAYBE. An unreadable zone that is in force is MAYBE everywhere.
    """
    answer = within(prepared, fix, terrain)
    if answer is Tri.NO or not prepared.zone.periods or not prepared.zone.readable:
        return answer
    return answer & _applies_now(prepared, at_ns)


def within(prepared: PreparedZone, fix: Fix, terrain: Terrain | None) -> Tri:
    """`contains` without the time: NO too for a zone that is not in force."""
    zone = prepared.zone
    if zone.state is not ZoneState.IN_FORCE:
        return Tri.NO
    if not zone.readable:
        return Tri.MAYBE
    margin_deg = BORDER_SIGMAS * fix.sigma_horizontal_m / LEAST_METRES_PER_DEGREE_LAT
    if (
        fix.lat_deg + margin_deg < prepared.south_deg
        or fix.lat_deg - margin_deg > prepared.north_deg
    ):
        return Tri.NO
    answer = Tri.NO
    for volume, area in zip(zone.volumes, prepared.areas, strict=True):
        inside = in_area(area, fix)
        if inside is not Tri.NO:
            answer |= inside & in_heights(fix, volume.lower, volume.upper, terrain)
        if answer is Tri.YES:
            break
    return answer


def _applies_now(prepared: PreparedZone, at_ns: int) -> Tri:
    for known in prepared.memo:
        if (known.from_ns is None or known.from_ns <= at_ns) and (
            known.until_ns is None or at_ns < known.until_ns
        ):
            return known.answer
    found = applies_until(prepared.zone, at_ns)
    prepared.memo[:] = [found, *prepared.memo[:1]]
    return found.answer


def distance_to_zone_m(prepared: PreparedZone, fix: Fix) -> float:
    """Horizontal metres from a fix to the zone's border, negative inside, whatever the height.

    Inside several volumes it is the depth in the deepest, a lower bound. `math.inf` where the
    zone has no border that could be read.
    """
    depths = (depth_m(area, fix.lat_deg, fix.lon_deg) for area in prepared.areas)
    return -max(depths, default=-math.inf)
