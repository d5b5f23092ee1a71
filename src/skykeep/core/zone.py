"""A UAS geographical zone: where, when, how strict, by whose authority."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from skykeep.core.event import Actor
from skykeep.core.geo import Volume
from skykeep.units import ZoneId


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


class SunEvent(enum.StrEnum):
    """A moment of the day that the sun sets (ED-318 codes)."""

    BMCT = "BMCT"  # beginning of morning civil twilight
    SR = "SR"
    SS = "SS"
    EECT = "EECT"  # end of evening civil twilight


@dataclass(frozen=True, slots=True)
class TimeOfDay:
    """Seconds after midnight, 0 to 86400, with the zone's time zone or a fixed offset."""

    seconds: int
    utc: bool  # True: in UTC; False: in the zone's own time zone


@dataclass(frozen=True, slots=True)
class DailyPeriod:
    """A window on weekdays (0 Monday to 6 Sunday) from start to end; may run over midnight."""

    weekdays: tuple[int, ...]
    start: TimeOfDay | SunEvent
    end: TimeOfDay | SunEvent


@dataclass(frozen=True, slots=True)
class Period:
    """When a zone applies: between two moments (None is open), and then by its windows.

    No windows means all the time.
    """

    start_ns: int | None = None
    end_ns: int | None = None
    windows: tuple[DailyPeriod, ...] = ()


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


@dataclass(frozen=True, slots=True)
class PublishZone:
    """Command: put a zone into the state it carries; replaces an earlier version."""

    actor: Actor
    zone: Zone


@dataclass(frozen=True, slots=True)
class WithdrawZone:
    """Command: end a zone."""

    actor: Actor
    zone_id: ZoneId
    why: str
