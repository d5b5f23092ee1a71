"""Permits and standing exemptions: who may fly what, where, when, and in which state."""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass, replace

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
from skykeep.units import PermitId, ZoneId


class PermitState(enum.StrEnum):
    """Where a permit stands."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    GRANTED = "granted"
    REFUSED = "refused"
    ACTIVATED = "activated"
    ENDED = "ended"
    SUSPENDED = "suspended"
    REVOKED = "revoked"
    EXPIRED = "expired"


class PermitEvent(enum.StrEnum):
    """What can happen to a permit."""

    SUBMIT = "submit"
    GRANT = "grant"
    REFUSE = "refuse"
    ACTIVATE = "activate"
    END = "end"
    SUSPEND = "suspend"
    RESUME = "resume"
    REVOKE = "revoke"
    EXPIRE = "expire"


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


_S, _E = PermitState, PermitEvent

#: The lifecycle. A resumed permit is granted, not activated: the flight is announced anew.
PERMIT_TRANSITIONS: dict[tuple[PermitState, PermitEvent], PermitState] = {
    (_S.DRAFT, _E.SUBMIT): _S.SUBMITTED,
    (_S.SUBMITTED, _E.GRANT): _S.GRANTED,
    (_S.SUBMITTED, _E.REFUSE): _S.REFUSED,
    (_S.SUBMITTED, _E.EXPIRE): _S.EXPIRED,
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
}

#: States in which a permit opens anything.
LIVE_STATES = frozenset({PermitState.GRANTED, PermitState.ACTIVATED})

#: What takes a right away is never done without a reason.
REASON_NEEDED = frozenset({PermitEvent.REFUSE, PermitEvent.SUSPEND, PermitEvent.REVOKE})


def transition(permit: Permit, event: PermitEvent, at_ns: int, why: str) -> Permit:
    """The permit after one step of its lifecycle, at `at_ns` (UTC), because of `why`.

    Raises DecisionError where the table has no such step, or the reason is missing.
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
    return replace(permit, state=state, state_why=why.strip(), state_since_ns=at_ns)


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


# ANSI/CTA-2063-A, section 4: manufacturer code (4), length code (1), serial number (1 to 15),
# of digits and upper-case letters without O and I, which look like digits.
_SERIAL_ALPHABET = re.compile(r"[0-9A-HJ-NP-Z]*")
_SERIAL_LENGTH_CODES = "123456789ABCDEF"
_SERIAL_HEAD = 5


def serial_fault(serial: str) -> str | None:
    """What breaks ANSI/CTA-2063-A section 4 in a serial number, in words; None if nothing.

    For a finding only: real drones broadcast serials that break it, and fly nevertheless.
    """
    if not _SERIAL_ALPHABET.fullmatch(serial):
        return "has characters other than digits and upper-case letters without O and I"
    if len(serial) <= _SERIAL_HEAD:
        return "is shorter than manufacturer code, length code and one character"
    code = serial[_SERIAL_HEAD - 1]
    if code not in _SERIAL_LENGTH_CODES:
        return f"has the length code {code!r}, not 1 to 9 or A to F"
    stated, actual = int(code, 16), len(serial) - _SERIAL_HEAD
    if stated != actual:
        return f"states {stated} characters after its length code and has {actual}"
    return None
