"""Permits and standing exemptions: who may fly what, where, when, and in which state."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from skykeep.core.event import Actor
from skykeep.core.geo import Volume4D
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
