"""What one Remote ID transmitter has said, and how long it holds."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Generic, TypeVar

from skykeep.codec.remote_id import (
    AuthenticationPage,
    BasicId,
    Classification,
    IdType,
    Message,
    OperatorId,
    Status,
    System,
    UaType,
    resolve_time,
)
from skykeep.core.event import Finding, Severity
from skykeep.core.observation import Claim, OperatorPosition, Scheme
from skykeep.feed.findings import FindingLog
from skykeep.units import seconds

T = TypeVar("T")

#: A location time further from its receipt is a clock that was never set: broadcasts arrive
#: within milliseconds, and a set clock (satellite time) errs by far less.
MAX_TIME_DIFFERENCE_NS = seconds(30.0)
#: How far a location time may lie after its receipt: the coarsest accuracy that can be
#: declared (F3411-22a, timestamp accuracy). The receipt is the later bound in any case.
MAX_TIME_AHEAD_NS = seconds(1.5)
#: A location time that is still said this long after it was first heard stands still: data
#: at most 1 s old, sent anew with a jitter of half a second.
STANDSTILL_NS = seconds(1.5)
#: Static messages come at least every 3 s (F3411-22a 5.4.3); ten missed ones, and what a
#: transmitter's address was called before says nothing any more.
STATIC_MAX_AGE_NS = seconds(30.0)

#: Which identity stands for the aircraft when it states several: permits name serials.
_PREFERENCE = (
    IdType.SERIAL_NUMBER,
    IdType.NONE,
    IdType.FRENCH,
    IdType.CAA_REGISTRATION,
    IdType.SPECIFIC_SESSION,
    IdType.UTM_UUID,
    IdType.MANUFACTURER,
)
_AIRBORNE = {Status.GROUND: False, Status.AIRBORNE: True}


@dataclass(slots=True)
class _Static(Generic[T]):
    """Something that was said once and holds for a while."""

    value: T
    heard_at_ns: int


@dataclass(slots=True)
class Transmitter:
    """What one radio address has said."""

    identities: dict[IdType, _Static[str]] = field(default_factory=dict)
    aircraft: _Static[str] | None = None
    operator_id: _Static[str] | None = None
    category: _Static[str] | None = None
    operator_position: _Static[OperatorPosition] | None = None
    location: object = None  # what the last location was, in whatever form it compares
    receipt_time_ns: int = 0
    stated_ns: int | None = None  # the location time that was last said, and when it was new
    stated_at_ns: int = 0
    bad_tenths: int | None = None
    pages: dict[int, AuthenticationPage] = field(default_factory=dict)
    known: dict[int, tuple[bytes | int, Message]] = field(default_factory=dict)  # by kind, as heard
    log: FindingLog = field(default_factory=lambda: FindingLog(max_of_a_kind=1))
    _claim: Claim | None = None
    _claim_until_ns: int = 0

    def note(
        self, where: str, problem: str, assumed: str, severity: Severity = Severity.WARNING
    ) -> None:
        """Keep what was amiss, the first of each kind."""
        self.log.add(Finding(where, problem, assumed, severity), f"{where} {problem}")

    def learn(self, message: Message, at_ns: int, operator_positions: bool) -> None:
        """Take what a message says that holds for a while."""
        match message:
            case BasicId():
                self._learn_identity(message, at_ns)
            case AuthenticationPage():
                if message.page == 0:
                    self.pages.clear()
                self.pages[message.page] = message
            case OperatorId(_, operator_id) if operator_id is not None:
                self.operator_id = self._said(self.operator_id, operator_id, at_ns)
            case System():
                if message.classification is Classification.EUROPEAN_UNION:
                    self.category = self._said(self.category, _category(message), at_ns)
                place = _operator(message) if operator_positions else None
                if place is not None:
                    self.operator_position = _Static(place, at_ns)

    def _said(self, before: _Static[str] | None, value: str, at_ns: int) -> _Static[str]:
        if before is not None and before.value == value and _fresh(before, at_ns) is not None:
            before.heard_at_ns = at_ns
            return before
        self._claim = None  # it was put together without this
        return _Static(value, at_ns)

    def _learn_identity(self, message: BasicId, at_ns: int) -> None:
        if message.ua_type is not UaType.NONE:
            self.aircraft = self._said(self.aircraft, message.ua_type.name.lower(), at_ns)
        if message.uas_id is None:
            return
        earlier = self.identities.get(message.id_type)
        if earlier is not None and earlier.value != message.uas_id:
            problem = "one transmitter states another identity"
            self.note("basic_id.uas_id", problem, "the newest")
        self.identities[message.id_type] = self._said(earlier, message.uas_id, at_ns)

    def event_time(self, tenths: int | None, receipt_time_ns: int) -> tuple[int, bool]:
        """When the position was measured, and whether the message itself says so."""
        where = "location.time_tenths"
        stated_ns = resolve_time(tenths, receipt_time_ns)
        if stated_ns is None:
            self.note(where, "unknown", "the receipt time")
            return receipt_time_ns, False
        if stated_ns != self.stated_ns:
            self.stated_ns, self.stated_at_ns = stated_ns, receipt_time_ns
        if abs(stated_ns - receipt_time_ns) > MAX_TIME_DIFFERENCE_NS:
            self.bad_tenths = tenths
            limit_s = MAX_TIME_DIFFERENCE_NS // seconds(1.0)
            problem = f"differs from the receipt by more than {limit_s} s"
            self.note(where, problem, "the receipt time")
        elif receipt_time_ns - self.stated_at_ns > STANDSTILL_NS:
            self.bad_tenths = tenths
            self.note(where, "stands still", "the receipt time")
        if tenths == self.bad_tenths:  # a clock that stands still is right once an hour
            return receipt_time_ns, False
        if stated_ns > receipt_time_ns:
            if stated_ns - receipt_time_ns > MAX_TIME_AHEAD_NS:
                self.note(where, "later than the receipt", "the receipt time")
                return receipt_time_ns, False
            return receipt_time_ns, True
        return stated_ns, True

    def operator(self, at_ns: int) -> OperatorPosition | None:
        """Where the operator is, if that may be kept and was said of late."""
        return _fresh(self.operator_position, at_ns)

    def claim(self, status: int, transmitter: str, at_ns: int) -> Claim:
        """What it claims to be, with the status of the location."""
        airborne = _AIRBORNE.get(Status(status))
        made = self._claim
        if made is not None and at_ns <= self._claim_until_ns and made.airborne is airborne:
            return made
        identity, identity_type = None, ""
        for id_type in _PREFERENCE:
            identity = _fresh(self.identities.get(id_type), at_ns)
            if identity is not None:
                # An identity without its type is read as the serial that it nearly always is.
                known = IdType.SERIAL_NUMBER if id_type is IdType.NONE else id_type
                identity_type = known.name.lower()
                break
        category = [_fresh(self.aircraft, at_ns), _fresh(self.category, at_ns)]
        self._claim = Claim(
            scheme=Scheme.REMOTE_ID,
            identity=identity,
            transmitter=transmitter,
            identity_type=identity_type,
            operator_id=_fresh(self.operator_id, at_ns),
            category=", ".join(c for c in category if c),
            crewed=False,  # the standard is for unmanned aircraft alone
            airborne=airborne,
        )
        said = [*self.identities.values(), self.aircraft, self.category, self.operator_id]
        heard = [s.heard_at_ns for s in said if s is not None]
        still = [at + STATIC_MAX_AGE_NS for at in heard if at_ns - at <= STATIC_MAX_AGE_NS]
        self._claim_until_ns = min(still, default=at_ns)
        return self._claim


def _fresh(said: _Static[T] | None, at_ns: int) -> T | None:
    if said is None or at_ns - said.heard_at_ns > STATIC_MAX_AGE_NS:
        return None
    return said.value


def _category(m: System) -> str:
    class_name = "" if m.class_eu is None else f" C{m.class_eu}"
    return f"EU {m.category_eu.name.lower()}{class_name}"


def _operator(m: System) -> OperatorPosition | None:
    source = m.operator_location.name.lower().replace("_", " ")
    if m.operator_lat_deg is None or m.operator_lon_deg is None:
        return None
    return OperatorPosition(m.operator_lat_deg, m.operator_lon_deg, source)
