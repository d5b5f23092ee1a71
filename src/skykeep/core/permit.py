"""Permits and standing exemptions: who may fly what, where, when, and in which state."""

from __future__ import annotations

import enum
from dataclasses import dataclass, replace

from skykeep.core.application import Application
from skykeep.core.event import Actor
from skykeep.core.geo import (
    Fix,
    PreparedArea,
    Terrain,
    Tri,
    Volume4D,
    in_area,
    in_heights,
    in_time,
    prepare,
)
from skykeep.errors import DecisionError
from skykeep.units import NS_PER_S, PermitId, ZoneId


class PermitState(enum.StrEnum):
    """Where a permit stands."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    INFORMATION_REQUESTED = "information_requested"
    UNDER_REVIEW = "under_review"
    GRANTED = "granted"
    REFUSED = "refused"
    ACTIVATED = "activated"
    ENDED = "ended"
    SUSPENDED = "suspended"
    REVOKED = "revoked"
    EXPIRED = "expired"
    PROVISIONAL = "provisional"  # an emergency exemption, until somebody confirms it


class PermitEvent(enum.StrEnum):
    """What can happen to a permit."""

    SUBMIT = "submit"
    REQUEST_INFORMATION = "request_information"
    ANSWER = "answer"
    REVIEW = "review"
    GRANT = "grant"
    REFUSE = "refuse"
    ACTIVATE = "activate"
    END = "end"
    SUSPEND = "suspend"
    RESUME = "resume"
    REVOKE = "revoke"
    EXPIRE = "expire"
    DECLARE_EMERGENCY = "declare_emergency"
    CONFIRM = "confirm"


class ExemptionClass(enum.StrEnum):
    """Whose flights may be exempt as a class (after Article 4(1) of (EU) 923/2012, SERA)."""

    POLICE = "police"
    CUSTOMS = "customs"
    RESCUE = "rescue"
    MEDICAL = "medical"
    FIRE = "fire"
    AUTHORITY = "authority"


class ChannelKind(enum.StrEnum):
    """By what a holder can be told; the permit's own page is always there."""

    EMAIL = "email"
    WEBHOOK = "webhook"


@dataclass(frozen=True, slots=True)
class Channel:
    """One way to reach the holder; personal data."""

    kind: ChannelKind
    address: str


@dataclass(frozen=True, slots=True)
class Procedure:
    """What the proceeding around a permit needs; moments in UTC ns, None where there is none.

    `identity_proof`: how the applicant proved who they are, and to whom. `decide_by_ns`: the
    legal deadline for a decision. `question`: what was asked of the applicant. `confirm_by_ns`:
    until when an emergency exemption holds unconfirmed. `land_by_ns`: when a drone in the
    air must be down. `notified_ns`: when the holder was told of the present state.
    """

    identity_proof: str = ""
    submitted_ns: int | None = None
    decide_by_ns: int | None = None
    question: str = ""
    confirm_by_ns: int | None = None
    land_by_ns: int | None = None
    notified_ns: int | None = None
    appeal: str = ""
    channels: tuple[Channel, ...] = ()


@dataclass(frozen=True, slots=True)
class PermitPolicy:
    """What a site's law and habits say of its proceedings; None: no deadline is known.

    `appeal`: how to appeal against a decision, in words. `land_within_s`: a small multirotor
    sinks from 120 m at 2 m/s in a minute; as long again to come back. `confirm_within_s`:
    an exemption spoken in at night is looked at before the shift ends.
    """

    decide_within_s: float | None = None
    land_within_s: float = 120.0
    confirm_within_s: float = 3_600.0
    longest_emergency_s: float = 14_400.0
    appeal: str = ""


@dataclass(frozen=True, slots=True)
class Permit:
    """One authorisation of flight, or a standing exemption of a class.

    A permit opens only the zones it names, of the authority that issued it. An exemption
    (`exemption_class` not empty) may name no zone: then it opens all zones of its
    authority. Both are bound to named aircraft (`serials`: CTA-2063-A serial numbers),
    volumes and times. `must_broadcast` is the condition that Remote ID is on.
    """

    permit_id: PermitId
    authority_id: str
    holder: str
    serials: tuple[str, ...]
    zones: tuple[ZoneId, ...]
    volumes: tuple[Volume4D, ...]
    state: PermitState
    exemption_class: str = ""
    must_broadcast: bool = True
    conditions: tuple[str, ...] = ()
    state_why: str = ""
    state_since_ns: int = 0
    procedure: Procedure = Procedure()
    application: Application | None = None


@dataclass(frozen=True, slots=True)
class Terms:
    """What a step may bring beside its reason.

    `conditions` with a grant; `land_by_ns` with what takes the right away; `decide_by_ns` and
    `identity_proof` while no decision has been made.
    """

    conditions: tuple[str, ...] = ()
    land_by_ns: int | None = None
    decide_by_ns: int | None = None
    identity_proof: str = ""


NO_TERMS = Terms()


@dataclass(frozen=True, slots=True)
class PutPermit:
    """Command: enter a permit or a new version of it, in the state that it carries."""

    actor: Actor
    permit: Permit


@dataclass(frozen=True, slots=True)
class ChangePermit:
    """Command: one step of a permit's lifecycle, by a named person, with a reason."""

    actor: Actor
    permit_id: PermitId
    event: PermitEvent
    why: str
    terms: Terms = Terms()


_S, _E = PermitState, PermitEvent

#: The lifecycle. A resumed permit is granted, not activated: the flight is announced anew. An
#: answered question leads back under review: somebody has looked at it already.
PERMIT_TRANSITIONS: dict[tuple[PermitState, PermitEvent], PermitState] = {
    (_S.DRAFT, _E.SUBMIT): _S.SUBMITTED,
    (_S.DRAFT, _E.DECLARE_EMERGENCY): _S.PROVISIONAL,
    (_S.SUBMITTED, _E.REQUEST_INFORMATION): _S.INFORMATION_REQUESTED,
    (_S.SUBMITTED, _E.REVIEW): _S.UNDER_REVIEW,
    (_S.SUBMITTED, _E.GRANT): _S.GRANTED,
    (_S.SUBMITTED, _E.REFUSE): _S.REFUSED,
    (_S.SUBMITTED, _E.EXPIRE): _S.EXPIRED,
    (_S.INFORMATION_REQUESTED, _E.ANSWER): _S.UNDER_REVIEW,
    (_S.INFORMATION_REQUESTED, _E.REFUSE): _S.REFUSED,
    (_S.INFORMATION_REQUESTED, _E.EXPIRE): _S.EXPIRED,
    (_S.UNDER_REVIEW, _E.REQUEST_INFORMATION): _S.INFORMATION_REQUESTED,
    (_S.UNDER_REVIEW, _E.GRANT): _S.GRANTED,
    (_S.UNDER_REVIEW, _E.REFUSE): _S.REFUSED,
    (_S.UNDER_REVIEW, _E.EXPIRE): _S.EXPIRED,
    (_S.GRANTED, _E.ACTIVATE): _S.ACTIVATED,
    (_S.GRANTED, _E.SUSPEND): _S.SUSPENDED,
    (_S.GRANTED, _E.REVOKE): _S.REVOKED,
    (_S.GRANTED, _E.EXPIRE): _S.EXPIRED,
    (_S.ACTIVATED, _E.END): _S.ENDED,
    (_S.ACTIVATED, _E.SUSPEND): _S.SUSPENDED,
    (_S.ACTIVATED, _E.REVOKE): _S.REVOKED,
    (_S.ACTIVATED, _E.EXPIRE): _S.EXPIRED,
    (_S.SUSPENDED, _E.RESUME): _S.GRANTED,
    (_S.SUSPENDED, _E.REVOKE): _S.REVOKED,
    (_S.SUSPENDED, _E.EXPIRE): _S.EXPIRED,
    (_S.PROVISIONAL, _E.CONFIRM): _S.GRANTED,
    (_S.PROVISIONAL, _E.REVOKE): _S.REVOKED,
    (_S.PROVISIONAL, _E.EXPIRE): _S.EXPIRED,
}

#: States in which a permit opens anything.
LIVE_STATES = frozenset({PermitState.GRANTED, PermitState.ACTIVATED, PermitState.PROVISIONAL})

#: States in which the authority owes a decision, or waits for the applicant to make it.
UNDECIDED_STATES = frozenset(
    {PermitState.SUBMITTED, PermitState.INFORMATION_REQUESTED, PermitState.UNDER_REVIEW}
)

#: What takes a right away, or asks for more, is never done without a reason.
REASON_NEEDED = frozenset(
    {
        PermitEvent.REFUSE,
        PermitEvent.SUSPEND,
        PermitEvent.REVOKE,
        PermitEvent.EXPIRE,
        PermitEvent.REQUEST_INFORMATION,
    }
)

#: What the holder must be told of; the other steps are the holder's own, or take nothing.
TOLD_TO_HOLDER = frozenset(
    {
        PermitEvent.SUBMIT,
        PermitEvent.REQUEST_INFORMATION,
        PermitEvent.GRANT,
        PermitEvent.REFUSE,
        PermitEvent.SUSPEND,
        PermitEvent.RESUME,
        PermitEvent.REVOKE,
        PermitEvent.EXPIRE,
        PermitEvent.CONFIRM,
    }
)

#: After these a drone in the air has to come down.
GROUNDING = frozenset({PermitEvent.SUSPEND, PermitEvent.REVOKE, PermitEvent.EXPIRE})


def transition(
    permit: Permit,
    event: PermitEvent,
    at_ns: int,
    why: str,
    terms: Terms = NO_TERMS,
    policy: PermitPolicy = PermitPolicy(),
) -> Permit:
    """The permit after one step of its lifecycle, at `at_ns` (UTC), because of `why`.

    Raises DecisionError where the table has no such step, the reason is missing, or a term
    does not go with the step.
    """
    state = PERMIT_TRANSITIONS.get((permit.state, event))
    if state is None:
        possible = ", ".join(e for s, e in PERMIT_TRANSITIONS if s is permit.state)
        raise DecisionError(
            f"permit {permit.permit_id} is {permit.state}; it cannot {event} now "
            f"({f'possible: {possible}' if possible else 'nothing more can happen to it'})"
        )
    if event in REASON_NEEDED and not why.strip():
        raise DecisionError(f"to {event} permit {permit.permit_id} needs a reason in words")
    _check_terms(permit, event, at_ns, terms)
    return replace(
        permit,
        state=state,
        state_why=why.strip(),
        state_since_ns=at_ns,
        conditions=tuple(dict.fromkeys((*permit.conditions, *terms.conditions))),
        procedure=_proceeded(permit, event, at_ns, why.strip(), terms, policy),
    )


def _check_terms(permit: Permit, event: PermitEvent, at_ns: int, terms: Terms) -> None:
    undecided = permit.state in UNDECIDED_STATES or permit.state is PermitState.DRAFT
    faults = (
        ("conditions", terms.conditions and event is not PermitEvent.GRANT, "go with a grant"),
        (
            "land_by",
            terms.land_by_ns is not None and event not in GROUNDING,
            "goes with a suspension or revocation",
        ),
        ("land_by", terms.land_by_ns is not None and terms.land_by_ns < at_ns, "is past"),
        ("decide_by", terms.decide_by_ns is not None and not undecided, "comes before a decision"),
        ("identity_proof", terms.identity_proof and not undecided, "comes before a decision"),
    )
    for name, wrong, words in faults:
        if wrong:
            raise DecisionError(f"permit {permit.permit_id}, {event}: {name} {words}")


def _proceeded(
    permit: Permit, event: PermitEvent, at_ns: int, why: str, terms: Terms, policy: PermitPolicy
) -> Procedure:
    """The proceeding after a step; of a state that must be told nobody has been told yet."""
    now = permit.procedure
    if event in TOLD_TO_HOLDER:
        now = replace(now, notified_ns=None)
    if event is PermitEvent.SUBMIT:
        now = handed_in(now, at_ns, policy)
    if event in (PermitEvent.REQUEST_INFORMATION, PermitEvent.ANSWER):
        now = replace(now, question=why if event is PermitEvent.REQUEST_INFORMATION else "")
    if event in (PermitEvent.REFUSE, *GROUNDING) and not now.appeal:
        now = replace(now, appeal=policy.appeal)
    if event in GROUNDING and is_live(permit):
        land_by_ns = at_ns + round(policy.land_within_s * NS_PER_S)
        now = replace(now, land_by_ns=land_by_ns if terms.land_by_ns is None else terms.land_by_ns)
    elif event in (PermitEvent.RESUME, PermitEvent.CONFIRM):
        now = replace(now, land_by_ns=None, confirm_by_ns=None)
    if event is PermitEvent.DECLARE_EMERGENCY:
        now = replace(now, confirm_by_ns=at_ns + round(policy.confirm_within_s * NS_PER_S))
    if terms.decide_by_ns is not None:
        now = replace(now, decide_by_ns=terms.decide_by_ns)
    if terms.identity_proof:
        now = replace(now, identity_proof=terms.identity_proof)
    return now


def handed_in(procedure: Procedure, at_ns: int, policy: PermitPolicy) -> Procedure:
    """The proceeding of an application that came in at `at_ns`; what it says already holds."""
    submitted_ns = at_ns if procedure.submitted_ns is None else procedure.submitted_ns
    decide_by_ns = procedure.decide_by_ns
    if decide_by_ns is None and policy.decide_within_s is not None:
        decide_by_ns = submitted_ns + round(policy.decide_within_s * NS_PER_S)
    return replace(procedure, submitted_ns=submitted_ns, decide_by_ns=decide_by_ns)


def ends_ns(permit: Permit) -> int | None:
    """When the last of a permit's times is over (UTC ns); None where one of them has no end."""
    ends = [v.end_ns for v in permit.volumes]
    return None if not ends or None in ends else max(e for e in ends if e is not None)


def is_live(permit: Permit) -> bool:
    """Whether the permit's state lets it open anything; its times are `covers`' matter."""
    return permit.state in LIVE_STATES


def names_aircraft(permit: Permit, serial: str) -> bool:
    """Whether the permit names a serial number; case and outer blanks do not matter."""
    wanted = serial.strip().upper()
    return bool(wanted) and any(wanted == s.strip().upper() for s in permit.serials)


def opens_zone(permit: Permit, zone_id: ZoneId, authority_id: str) -> bool:
    """Whether the permit is for a zone of an authority, whatever its state.

    It opens only what it names, of the authority that issued it; an exemption that names
    no zone opens all of its authority's.
    """
    if permit.authority_id != authority_id:
        return False
    if permit.zones:
        return zone_id in permit.zones
    return bool(permit.exemption_class)


@dataclass(frozen=True, slots=True, eq=False)
class PreparedPermit:
    """A permit with its areas as arrays, one for each of its volumes."""

    permit: Permit
    areas: tuple[PreparedArea, ...]


def prepare_permit(permit: Permit) -> PreparedPermit:
    """A permit ready for many questions."""
    return PreparedPermit(permit, tuple(prepare(v.volume.area) for v in permit.volumes))


def covers(prepared: PreparedPermit, fix: Fix, at_ns: int, terrain: Terrain | None) -> Tri:
    """Whether a fix at a moment lies in one of the permit's volumes; none means NO.

    A fix that straddles the border of two volumes that touch is MAYBE in each and so MAYBE.
    """
    answer = Tri.NO
    for volume4d, area in zip(prepared.permit.volumes, prepared.areas, strict=True):
        if not in_time(volume4d.start_ns, volume4d.end_ns, at_ns):
            continue
        inside = in_area(area, fix)
        if inside is not Tri.NO:
            volume = volume4d.volume
            inside &= in_heights(fix, volume.lower, volume.upper, terrain)
        answer |= inside
        if answer is Tri.YES:
            break
    return answer
