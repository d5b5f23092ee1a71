"""What holds where zones overlap: at a place, height and moment, for whom, and until when.

The standards define no precedence. Here (docs/precedence.md):

- The strictest zone that applies holds, whoever drew it, whatever came first or is smaller.
- A lenient zone never takes anything from a strict one. An exception is a hole in the strict
  zone, or a permit or an exemption of its authority; these open the zones that they name, and
  what is strictest among the zones that remain holds.
- What cannot be told counts as it may be: the answer then lies between the strictest zone
  that surely applies and the strictest that may, and is undetermined if these differ.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from skykeep.core.event import Reason
from skykeep.core.geo import (
    Fix,
    Height,
    HeightAgl,
    HeightHae,
    Terrain,
    Tri,
    in_area,
    reference_of,
)
from skykeep.core.permit import PreparedPermit, covers, is_live, opens_zone
from skykeep.core.sun import DAY_NS
from skykeep.core.zone import Authority, PreparedZone, Restriction, applies_until, contains, within
from skykeep.units import PermitId, ZoneId

#: From the mildest to the strictest.
STRICTNESS: tuple[Restriction, ...] = (
    Restriction.NO_RESTRICTION,
    Restriction.CONDITIONAL,
    Restriction.REQ_AUTHORISATION,
    Restriction.PROHIBITED,
)
#: Weekly windows come round within a week; a day more lets the sun's shift.
HORIZON_NS = 8 * DAY_NS

#: Reason codes and their words; a code never changes its meaning.
WORDS: dict[str, str] = {
    "inside": "the place, height and time are within the zone",
    "opened": "a permit or exemption of the zone's authority opens it here and now",
    "unreadable": "the zone could not be understood, so it may hold anywhere",
    "time_unknown": "when the zone applies cannot be told: its time zone is not known",
    "border": "the place is too near the zone's border for how well it is known",
    "height_missing": "the zone begins or ends at a height, and no height was given",
    "ground_unknown": "the height cannot be compared with the zone's limit: ground or geoid there"
    " is not known",
    "limit_near": "the height is too near the zone's limit for how well height and ground are"
    " known",
}


class Outcome(enum.StrEnum):
    """What someone who wants to fly is told."""

    OPEN = "open"  # no zone restricts it, or each that does is opened
    CONDITIONS = "conditions"  # allowed to who meets the zones' conditions
    ASK = "ask"  # an authorisation is needed
    PROHIBITED = "prohibited"
    UNDETERMINED = "undetermined"


_OUTCOMES: dict[Restriction, Outcome] = {
    Restriction.NO_RESTRICTION: Outcome.OPEN,
    Restriction.CONDITIONAL: Outcome.CONDITIONS,
    Restriction.REQ_AUTHORISATION: Outcome.ASK,
    Restriction.PROHIBITED: Outcome.PROHIBITED,
}


@dataclass(frozen=True, slots=True)
class Holding:
    """A zone that applies (YES) or may (MAYBE), and why; what opens it, if something does."""

    zone_id: ZoneId
    name: str
    restriction: Restriction
    answer: Tri
    reason: Reason
    opened_by: PermitId | None = None


@dataclass(frozen=True, slots=True)
class ToAsk:
    """An authority, and the zones for which it is to be asked, strictest first.

    `authority_id` is whose permits open them; `authority` says how it is reached and how long
    before, None where the zone does not say.
    """

    authority_id: str
    authority: Authority | None
    zones: tuple[ZoneId, ...]


@dataclass(frozen=True, slots=True)
class Ruling:
    """What holds.

    `surely` is the strictest restriction that applies, `perhaps` the strictest that may.
    `zones`: all that apply or may, strictest first, then in the order given; also those that
    are opened or restrict nothing. `ask`: for the zones that are not opened and restrict.
    `next_change_ns`: when another zone first applies here, or one no longer, or is opened
    otherwise (UTC ns), with `next_outcome` from then on; None if all stays for `HORIZON_NS`.
    """

    outcome: Outcome
    surely: Restriction
    perhaps: Restriction
    zones: tuple[Holding, ...]
    ask: tuple[ToAsk, ...]
    next_change_ns: int | None
    next_outcome: Outcome | None


def ruling(
    zones: Sequence[PreparedZone],
    fix: Fix,
    at_ns: int,
    terrain: Terrain | None,
    permits: Sequence[PreparedPermit] = (),
) -> Ruling:
    """What holds at a place and height at a moment (UTC ns).

    `zones` need be no more than those that may be near (`zone_index.zones_inside`, at any
    height and time, else `next_change_ns` misses those that are not in their hours). `permits`
    are those that the asker flies under: their aircraft is not looked at.
    """
    near = [zone for zone in zones if within(zone, fix, terrain) is not Tri.NO]
    holding = _holding(near, fix, at_ns, terrain, permits)
    surely, perhaps = _strictest(holding)
    change_ns, after = _next_change(near, fix, at_ns, terrain, permits, holding)
    return Ruling(
        outcome_of(surely, perhaps),
        surely,
        perhaps,
        holding,
        _to_ask(near, holding),
        change_ns,
        None if after is None else outcome_of(*_strictest(after)),
    )


def outcome_of(surely: Restriction, perhaps: Restriction) -> Outcome:
    """What is told where the strictest zone is between these two.

    A prohibition that surely holds leaves nothing undetermined.
    """
    return _OUTCOMES[surely] if surely is perhaps else Outcome.UNDETERMINED


def strictest(restrictions: Iterable[Restriction]) -> Restriction:
    """The strictest; NO_RESTRICTION of none."""
    return max(restrictions, key=STRICTNESS.index, default=Restriction.NO_RESTRICTION)


def _strictest(holding: Sequence[Holding]) -> tuple[Restriction, Restriction]:
    closed = [h for h in holding if h.opened_by is None]
    surely = strictest(h.restriction for h in closed if h.answer is Tri.YES)
    return surely, strictest((surely, *(_at_worst(h) for h in closed)))


def _at_worst(holding: Holding) -> Restriction:
    """What could not be read may be a prohibition, whatever its restriction was taken for."""
    if holding.reason.code == "unreadable":
        return Restriction.PROHIBITED
    return holding.restriction


def _holding(
    near: Sequence[PreparedZone],
    fix: Fix,
    at_ns: int,
    terrain: Terrain | None,
    permits: Sequence[PreparedPermit],
) -> tuple[Holding, ...]:
    found = []
    for prepared in near:
        zone, answer = prepared.zone, contains(prepared, fix, at_ns, terrain)
        if answer is Tri.NO:
            continue
        opened = _opened_by(prepared, fix, at_ns, terrain, permits)
        code = _why(prepared, fix, at_ns, terrain, answer) if opened is None else "opened"
        reason = Reason(code, WORDS[code])
        found.append(Holding(zone.zone_id, zone.name, zone.restriction, answer, reason, opened))
    return tuple(sorted(found, key=lambda h: -STRICTNESS.index(h.restriction)))


def _opened_by(
    prepared: PreparedZone,
    fix: Fix,
    at_ns: int,
    terrain: Terrain | None,
    permits: Sequence[PreparedPermit],
) -> PermitId | None:
    """The first permit that surely opens the zone; an unreadable one is not opened by guess."""
    zone = prepared.zone
    if not zone.readable:
        return None
    for permit in permits:
        own = permit.permit
        if (
            is_live(own)
            and opens_zone(own, zone.zone_id, zone.authority_id)
            and covers(permit, fix, at_ns, terrain) is Tri.YES
        ):
            return own.permit_id
    return None


def _why(prepared: PreparedZone, fix: Fix, at_ns: int, terrain: Terrain | None, answer: Tri) -> str:
    zone = prepared.zone
    if answer is Tri.YES:
        return "inside"
    if not zone.readable:
        return "unreadable"
    if within(prepared, fix, terrain) is Tri.YES:
        return "time_unknown"
    over = [
        v for v, a in zip(zone.volumes, prepared.areas, strict=True) if in_area(a, fix) is Tri.YES
    ]
    if not over:
        return "border"
    if fix.height is None:
        return "height_missing"
    limits = [limit for v in over for limit in (v.lower, v.upper) if limit is not None]
    if terrain is None and any(_needs_ground(fix.height, limit) for limit in limits):
        return "ground_unknown"
    return "limit_near"


def _needs_ground(height: Height, limit: Height) -> bool:
    kinds = (HeightAgl, HeightHae)
    return reference_of(height) is not reference_of(limit) and (
        isinstance(height, kinds) or isinstance(limit, kinds)
    )


def _to_ask(near: Sequence[PreparedZone], holding: Sequence[Holding]) -> tuple[ToAsk, ...]:
    by_id = {prepared.zone.zone_id: prepared.zone for prepared in near}
    asked: dict[tuple[str, Authority | None], list[ZoneId]] = {}
    for held in holding:
        if held.opened_by is not None or held.restriction is Restriction.NO_RESTRICTION:
            continue
        zone = by_id[held.zone_id]
        for authority in zone.authorities or (None,):
            asked.setdefault((zone.authority_id, authority), []).append(held.zone_id)
    return tuple(ToAsk(*whom, tuple(zones)) for whom, zones in asked.items())


def _next_change(
    near: Sequence[PreparedZone],
    fix: Fix,
    at_ns: int,
    terrain: Terrain | None,
    permits: Sequence[PreparedPermit],
    now: tuple[Holding, ...],
) -> tuple[int | None, tuple[Holding, ...] | None]:
    """When first another restriction holds, or the same for other zones, and what then."""
    for moment_ns in _moments(near, at_ns, permits):
        then = _holding(near, fix, moment_ns, terrain, permits)
        if then != now:
            return moment_ns, then
    return None, None


def _moments(
    near: Sequence[PreparedZone], at_ns: int, permits: Sequence[PreparedPermit]
) -> list[int]:
    """The moments until the horizon at which a zone's or permit's times may change an answer."""
    until_ns = at_ns + HORIZON_NS
    found: set[int] = set()
    for prepared in near:
        moment_ns: int | None = at_ns
        answer = None
        while moment_ns is not None and moment_ns < until_ns:
            held = applies_until(prepared.zone, moment_ns)
            if answer is not None and held.answer is not answer:
                found.add(moment_ns)
                break  # the first change of each zone; the earliest of all is what is looked for
            answer, moment_ns = held.answer, held.until_ns
    for permit in permits:
        for volume in permit.permit.volumes:
            edges = (volume.start_ns, volume.end_ns)
            found.update(e for e in edges if e is not None and at_ns < e < until_ns)
    return sorted(found)
