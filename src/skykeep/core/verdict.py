"""The permission of a track in a zone: pure, from values, with reasons.

`judge` can be run again by anyone who holds the track's state, the zone, the permits and
the site's policy. No data is never permission: what cannot be told is `undetermined`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from skykeep.core.event import Arrival, Permission, Reason, Strength
from skykeep.core.geo import Fix, Terrain, Tri, metres_per_degree
from skykeep.core.identity import Identity
from skykeep.core.observation import CREWED_SCHEMES, TargetKind
from skykeep.core.permit import (
    PermitState,
    PreparedPermit,
    covers,
    is_live,
    names_aircraft,
    opens_zone,
)
from skykeep.core.zone import PreparedZone, Restriction, contains, distance_to_zone_m
from skykeep.units import NS_PER_S, PermitId, TrackId

#: Slower than this a track is going nowhere in particular, least of all into a zone.
BOUND_LEAST_SPEED_MPS = 2.0
#: Nobody waits for a bird to reach a zone; what is less likely a drone than any new track
#: (its prior is 0.15) is judged when it is inside.
BOUND_LEAST_DRONE_PROBABILITY = 0.1
#: Steps of the search for the moment of entry; each covers the distance to the border.
BOUND_STEPS = 24
BOUND_LEAST_STEP_S = 1.0

INSIDE, MAYBE_INSIDE, BOUND, GONE = "inside", "maybe_inside", "bound", "gone"

#: Reason codes and their words; a code never changes its meaning.
WORDS: dict[str, str] = {
    "crewed_aircraft": "a crewed aircraft: the ban on drones does not apply to it",
    "crewed_claim_unchecked": "says it is a crewed aircraft; nothing independent confirms it",
    "kind_conflict": "says it is a crewed aircraft and is measured to be a drone",
    "kind_bird_likely": "more likely a bird than a drone",
    "kind_aircraft_likely": "more likely a crewed aircraft than a drone",
    "kind_clutter_likely": "may be no aircraft at all",
    "kind_drone_likely": "more likely a drone than anything else, and not yet surely one",
    "kind_unknown": "no sensor has told what it is",
    "zone_open": "the zone restricts nothing",
    "presence_uncertain": "its position or height is not known well enough to say it is inside",
    "permit_holds": "a permit or exemption covers this aircraft here and now",
    "identity_broadcast_only": "a permit would cover it, but its identity is only broadcast",
    "identity_pending": "seen too briefly to know its identity",
    "identity_unknown": "a permit is valid here and its identity cannot be told",
    "not_broadcasting": "permits here require Remote ID, and it is not broadcasting",
    "broadcast_without_serial": "it broadcasts Remote ID without a serial number",
    "claim_inconsistent": "what it broadcasts does not fit what was measured",
    "no_permit_here": "no permit or exemption covers this place at this time",
    "no_permit_for_aircraft": "no permit or exemption names this aircraft",
    "permit_revoked": "its permit was revoked",
    "permit_suspended": "its permit is suspended",
    "permit_not_granted": "its permit is not granted",
    "permit_ended": "its permit has ended",
    "permit_not_for_zone": "its permit does not name this zone of this authority",
    "permit_outside": "it is outside the volume or time of its permit",
    "permit_border": "it cannot be told whether it is inside the volume of its permit",
    "conditions_unmet": "the zone is conditional and no permit shows that its conditions are met",
}


@dataclass(frozen=True, slots=True)
class VerdictPolicy:
    """What a site counts as enough.

    `broadcast_only_counts`: whether a permit opens a zone for an identity that nothing
    independent has confirmed. `drone_probability`: from here on a track is taken for a
    drone, until it is less than `drone_until_probability`: one plot that looks like a bird
    does not change what it is. `identity_grace_s`: Remote ID sends its static part at
    least every 3 s (ASTM F3411-22a, table 1), so wait a little longer than that.
    """

    broadcast_only_counts: bool = False
    drone_probability: float = 0.95
    drone_until_probability: float = 0.5
    identity_grace_s: float = 5.0
    bound_horizon_s: float = 60.0


@dataclass(frozen=True, slots=True)
class Subject:
    """A track as it is judged.

    `kinds`: probabilities over `TargetKind`; `kind_known` is False where no sensor said
    anything of it; `taken_for_drone` is the probability's answer with hysteresis.
    `remote_id_heard_here`: whether a working receiver covers the place.
    `idle`: it stands on the ground, or was not heard for too long to say where it is.
    `claim_near`: an unsettled claim is close enough to be this track's.
    """

    track_id: TrackId
    fix: Fix
    velocity_mps: tuple[float, float, float]
    kinds: tuple[float, float, float, float]
    kind_known: bool
    taken_for_drone: bool
    identity: Identity | None
    remote_id_heard_here: bool
    claim_near: bool
    age_s: float
    measured: bool
    idle: bool

    @property
    def probability_drone(self) -> float:
        """How likely it is a drone."""
        return self.kinds[TargetKind.DRONE]


@dataclass(frozen=True, slots=True)
class Presence:
    """Whether a track is in a zone (`inside`, `maybe_inside`), or will be (`bound`), or not.

    `fix` and `at_ns` are where and when it is judged: at its entry while it is surely outside,
    here and now otherwise. `entry_in_s` is when it enters on its present course; `arrival`
    how likely and when, from the state's uncertainty: to be seen, nothing is decided on it.
    """

    what: str
    entry_in_s: float | None
    fix: Fix
    at_ns: int
    arrival: Arrival | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """Permission with its reasons, the strength of the identity, the permit it rests on."""

    permission: Permission
    reasons: tuple[Reason, ...]
    strength: Strength
    permit_id: PermitId | None


def presence(
    subject: Subject, zone: PreparedZone, at_ns: int, terrain: Terrain | None, horizon_s: float
) -> Presence:
    """Whether the track is in the zone, or on its present course will be within the horizon."""
    fix = subject.fix
    now = contains(zone, fix, at_ns, terrain)
    if now is Tri.YES:
        return Presence(INSIDE, 0.0, fix, at_ns)
    entry = _entry(subject, zone, at_ns, terrain, horizon_s)
    if entry is not None and now is Tri.NO:
        return entry
    if entry is not None:  # it may be there already: what it may do now is what counts
        return Presence(BOUND, entry.entry_in_s, fix, at_ns)
    if now is Tri.MAYBE:
        return Presence(MAYBE_INSIDE, None, fix, at_ns)
    return Presence(GONE, None, fix, at_ns)


def _entry(
    subject: Subject, zone: PreparedZone, at_ns: int, terrain: Terrain | None, horizon_s: float
) -> Presence | None:
    east, north, up = subject.velocity_mps
    speed = math.hypot(east, north)
    if speed < BOUND_LEAST_SPEED_MPS:
        return None
    if not awaited(subject):
        return None
    away = distance_to_zone_m(zone, subject.fix)
    if away > speed * horizon_s:
        return None
    elapsed = 0.0
    for _ in range(BOUND_STEPS):
        elapsed += max(BOUND_LEAST_STEP_S, away / speed)
        if elapsed > horizon_s:
            return None
        fix = moved(subject.fix, (east * elapsed, north * elapsed, up * elapsed))
        later_ns = at_ns + round(elapsed * NS_PER_S)
        away = distance_to_zone_m(zone, fix)
        if away <= 0.0 and contains(zone, fix, later_ns, terrain) is Tri.YES:
            return Presence(BOUND, elapsed, fix, later_ns)
    return None


def awaited(subject: Subject) -> bool:
    """Whether it is worth foreseeing: what may well be a drone, or nobody has told."""
    return not subject.kind_known or subject.probability_drone >= BOUND_LEAST_DRONE_PROBABILITY


def moved(fix: Fix, by_m: tuple[float, float, float]) -> Fix:
    """A fix moved east, north, up; taken as the centre of what is likely (sigma 0)."""
    per_lon, per_lat = metres_per_degree(fix.lat_deg)
    height = fix.height if fix.height is None else replace(fix.height, m=fix.height.m + by_m[2])
    return Fix(
        fix.lat_deg + by_m[1] / per_lat, fix.lon_deg + by_m[0] / max(per_lon, 1.0), 0.0, height, 0.0
    )


def judge(
    subject: Subject,
    zone: PreparedZone,
    where: Presence,
    permits: Sequence[PreparedPermit],
    terrain: Terrain | None,
    policy: VerdictPolicy,
) -> Verdict:
    """The permission of a track that is in a zone, may be, or is bound for it."""
    strength = Strength.NONE if subject.identity is None else subject.identity.strength
    kind = _judge_kind(subject, strength, policy)
    crewed = kind is not None and kind.permission is Permission.NOT_SUBJECT
    if zone.zone.restriction is Restriction.NO_RESTRICTION and not crewed:
        return _verdict(Permission.PERMITTED, strength, "zone_open")  # whatever it is
    if kind is not None:
        return kind
    verdict = _judge_permits(subject, zone, where, permits, terrain, policy)
    if verdict.permission is not Permission.NOT_PERMITTED:
        return verdict
    if zone.zone.restriction is Restriction.CONDITIONAL:
        reasons = (_reason("conditions_unmet"), *verdict.reasons)
        return replace(verdict, permission=Permission.UNDETERMINED, reasons=reasons)
    if where.what == MAYBE_INSIDE:
        reasons = (_reason("presence_uncertain"), *verdict.reasons)
        return replace(verdict, permission=Permission.UNDETERMINED, reasons=reasons)
    return verdict


def _reason(code: str, more: str = "") -> Reason:
    return Reason(code, f"{WORDS[code]}: {more}" if more else WORDS[code])


def _verdict(
    permission: Permission,
    strength: Strength,
    code: str,
    permit: PreparedPermit | None = None,
    more: str = "",
) -> Verdict:
    permit_id = None if permit is None else permit.permit.permit_id
    return Verdict(permission, (_reason(code, more),), strength, permit_id)


def _counts(strength: Strength, policy: VerdictPolicy) -> bool:
    return strength in (Strength.CONSISTENT, Strength.AUTHENTICATED) or (
        strength is Strength.BROADCAST_ONLY and policy.broadcast_only_counts
    )


def _judge_kind(subject: Subject, strength: Strength, policy: VerdictPolicy) -> Verdict | None:
    """The verdict where it follows from what the thing is; None for a drone."""
    claim = None if subject.identity is None else subject.identity.claim
    if strength is Strength.INCONSISTENT and not subject.measured:
        return _verdict(Permission.UNDETERMINED, strength, "claim_inconsistent")
    if claim is not None and claim.scheme in CREWED_SCHEMES and claim.crewed is not False:
        if subject.taken_for_drone:
            return _verdict(Permission.UNDETERMINED, strength, "kind_conflict")
        if _counts(strength, policy):
            return _verdict(Permission.NOT_SUBJECT, strength, "crewed_aircraft")
        return _verdict(Permission.UNDETERMINED, strength, "crewed_claim_unchecked")
    if subject.taken_for_drone:
        return None
    if not subject.kind_known:
        return _verdict(Permission.UNDETERMINED, strength, "kind_unknown")
    likeliest = max(range(4), key=lambda k: subject.kinds[k])
    code = {
        TargetKind.BIRD: "kind_bird_likely",
        TargetKind.AIRCRAFT: "kind_aircraft_likely",
        TargetKind.CLUTTER: "kind_clutter_likely",
        TargetKind.DRONE: "kind_drone_likely",
    }[TargetKind(likeliest)]
    return _verdict(Permission.UNDETERMINED, strength, code)


def usable_identity(subject: Subject) -> str | None:
    """What permits are looked for by: the claimed identity, unless it is known to be wrong."""
    identity = subject.identity
    if identity is None or identity.strength is Strength.INCONSISTENT:
        return None
    return identity.claim.identity


def _judge_permits(
    subject: Subject,
    zone: PreparedZone,
    where: Presence,
    permits: Sequence[PreparedPermit],
    terrain: Terrain | None,
    policy: VerdictPolicy,
) -> Verdict:
    identity = subject.identity
    strength = Strength.NONE if identity is None else identity.strength
    serial = usable_identity(subject)
    if serial is None:
        return _judge_nameless(subject, zone, where, permits, terrain, policy)
    best: tuple[int, Verdict] | None = None
    for permit in permits:
        if names_aircraft(permit.permit, serial):
            grade = _grade(permit, zone, where, terrain, strength, policy)
            best = grade if best is None or grade[0] < best[0] else best
    if best is None:
        # Without the serial: reasons are open facts, and who it was is not kept as long.
        return _verdict(Permission.NOT_PERMITTED, strength, "no_permit_for_aircraft")
    return best[1]


def _grade(
    permit: PreparedPermit,
    zone: PreparedZone,
    where: Presence,
    terrain: Terrain | None,
    strength: Strength,
    policy: VerdictPolicy,
) -> tuple[int, Verdict]:
    """What one permit that names the aircraft does for it; the lower the better."""
    own = permit.permit
    more = str(own.permit_id)

    def no(rank: int, code: str) -> tuple[int, Verdict]:
        words = f"{more}, {own.state_why}" if own.state_why else more
        return rank, _verdict(Permission.NOT_PERMITTED, strength, code, permit, words)

    if not is_live(own):
        return no(3, _STATE_CODES.get(own.state, "permit_not_granted"))
    if not opens_zone(own, zone.zone.zone_id, zone.zone.authority_id):
        return no(6, "permit_not_for_zone")
    covered = covers(permit, where.fix, where.at_ns, terrain)
    if covered is Tri.NO:
        return no(4, "permit_outside")
    if covered is Tri.MAYBE:
        return 2, _verdict(Permission.UNDETERMINED, strength, "permit_border", permit, more)
    if not _counts(strength, policy):
        unsure = _verdict(Permission.UNDETERMINED, strength, "identity_broadcast_only", permit)
        return 1, unsure
    return 0, _verdict(Permission.PERMITTED, strength, "permit_holds", permit, more)


_STATE_CODES: dict[PermitState, str] = {
    PermitState.REVOKED: "permit_revoked",
    PermitState.SUSPENDED: "permit_suspended",
    PermitState.ENDED: "permit_ended",
    PermitState.EXPIRED: "permit_ended",
}


def _judge_nameless(
    subject: Subject,
    zone: PreparedZone,
    where: Presence,
    permits: Sequence[PreparedPermit],
    terrain: Terrain | None,
    policy: VerdictPolicy,
) -> Verdict:
    """A drone of which no usable identity is known."""
    identity = subject.identity
    strength = Strength.NONE if identity is None else identity.strength
    possible = [
        permit
        for permit in permits
        if is_live(permit.permit)
        and opens_zone(permit.permit, zone.zone.zone_id, zone.zone.authority_id)
        and covers(permit, where.fix, where.at_ns, terrain) is not Tri.NO
    ]
    if not possible:
        return _verdict(Permission.NOT_PERMITTED, strength, "no_permit_here")
    if subject.age_s < policy.identity_grace_s or subject.claim_near:
        return _verdict(Permission.UNDETERMINED, strength, "identity_pending")
    if identity is not None and identity.claim.identity is None:
        return _verdict(Permission.UNDETERMINED, strength, "broadcast_without_serial")
    if subject.remote_id_heard_here and all(p.permit.must_broadcast for p in possible):
        return _verdict(Permission.NOT_PERMITTED, strength, "not_broadcasting")
    return _verdict(Permission.UNDETERMINED, strength, "identity_unknown")
