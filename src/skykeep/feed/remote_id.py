"""Broadcast Remote ID from one receiver, assembled into batches of claimed positions.

Messages come one by one or in packs; who, what and where are said at different times. The
`Assembler` remembers, for each transmitter and within bounds, what was last said, and puts
it beside each new location.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass, field, replace
from typing import Generic, TypeVar

from skykeep.codec.remote_id import (
    BasicId,
    Classification,
    IdType,
    Location,
    Message,
    OperatorId,
    Status,
    System,
    UaType,
    decode,
    resolve_time,
)
from skykeep.core.event import Finding, Severity
from skykeep.core.geo import HeightAgl, HeightReference
from skykeep.core.observation import (
    Batch,
    Claim,
    Form,
    Observation,
    OperatorPosition,
    Scheme,
    batch_of,
)
from skykeep.errors import InputError
from skykeep.feed.findings import FindingLog
from skykeep.feed.lines import empty_batch
from skykeep.units import BatchId, SensorId, seconds

NAN = math.nan
T = TypeVar("T")

#: Sigmas for undeclared accuracies: what 14 CFR 89.310 asks of every standard Remote ID
#: aircraft at 95 % (100 ft horizontally, 150 ft in geometric altitude), which is two sigma.
FALLBACK_SIGMA_HORIZONTAL_M = 100.0 * 0.3048 / 2.0
FALLBACK_SIGMA_HEIGHT_M = 150.0 * 0.3048 / 2.0
#: A position is at most one second old when it is sent (F3411-22a 5.4.3, 14 CFR 89.310):
#: taken as a bound of two sigma where no usable time says how old.
FALLBACK_SIGMA_TIME_S = 0.5
#: A location time further from its receipt is a clock that was never set: broadcasts arrive
#: within milliseconds, and a set clock (satellite time) errs by far less.
MAX_TIME_DIFFERENCE_NS = seconds(30.0)
#: How far a location time may lie after its receipt: the coarsest accuracy that can be
#: declared (F3411-22a, timestamp accuracy). The receipt is the later bound in any case.
MAX_TIME_AHEAD_NS = seconds(1.5)
#: A location time that is still said this long after it was first heard stands still: data
#: at most 1 s old, sent anew with a jitter of half a second.
STANDSTILL_NS = seconds(1.5)
#: The same location (with its time: the same at all) heard again within this is one: half
#: the longest interval between two (1 s, F3411-22a 5.4.3), so that a hovering drone stays seen.
REPEAT_NS = seconds(0.5)
#: Static messages come at least every 3 s (F3411-22a 5.4.3); ten missed ones, and what a
#: transmitter's address was called before says nothing any more.
STATIC_MAX_AGE_NS = seconds(30.0)
#: Transmitters remembered: Wi-Fi within one receiver's range carries far fewer, so that only
#: an attack with invented addresses reaches it.
MAX_TRANSMITTERS = 4_096

#: Which identity stands for the aircraft when it states several: permits name serials.
_PREFERENCE = (
    IdType.SERIAL_NUMBER,
    IdType.NONE,
    IdType.CAA_REGISTRATION,
    IdType.SPECIFIC_SESSION,
    IdType.UTM_UUID,
)
_AIRBORNE = {Status.GROUND: False, Status.AIRBORNE: True}


@dataclass(slots=True)
class Counts:
    """What an assembler has seen so far."""

    packs: int = 0  # calls of `feed`
    messages: int = 0
    observations: int = 0
    duplicates: int = 0  # locations that said what was already taken
    without_position: int = 0
    unreadable: int = 0  # packs or messages of which nothing could be read
    forgotten: int = 0  # transmitters dropped for room


@dataclass(slots=True)
class _Static(Generic[T]):
    """Something that was said once and holds for a while."""

    value: T
    heard_at_ns: int


@dataclass(slots=True)
class _Transmitter:
    """What one radio address has said."""

    identities: dict[IdType, _Static[str]] = field(default_factory=dict)
    aircraft: _Static[str] | None = None
    operator_id: _Static[str] | None = None
    category: _Static[str] | None = None
    operator_position: _Static[OperatorPosition] | None = None
    location: Location | None = None
    receipt_time_ns: int = 0
    stated_ns: int | None = None  # the location time that was last said, and when it was new
    stated_at_ns: int = 0
    bad_tenths: int | None = None
    log: FindingLog = field(default_factory=lambda: FindingLog(max_of_a_kind=1))


class Assembler:
    """Joins one receiver's Remote ID messages by transmitter; bounded in memory.

    The operator's position is personal data: it is dropped on arrival unless
    `operator_positions` says that the site has a legal basis for it, and then stands beside
    the claims. Batches are numbered from 1: the same messages give the same ids.
    """

    def __init__(
        self,
        sensor_id: SensorId,
        *,
        operator_positions: bool = False,
        max_transmitters: int = MAX_TRANSMITTERS,
    ) -> None:
        self.counts = Counts()
        self._sensor_id = sensor_id
        self._operator_positions = operator_positions
        self._max_transmitters = max_transmitters
        self._transmitters: dict[str, _Transmitter] = {}  # in the order of hearing
        self._log = FindingLog()
        self._batches = 0
        self._last_ns = 0

    def feed(self, receipt_time_ns: int, transmitter: str, message_bytes: bytes) -> Batch | None:
        """One message or pack, as `remote_id.decode` takes it; None if it gives no new position.

        One row for each new location (Form.POSITION): the height is the geodetic altitude,
        else the pressure altitude, else the height over ground, else none. Sigmas come from
        the declared accuracies, widened by what the speed covers in the time's uncertainty.
        Nothing is raised: what cannot be read becomes a finding of the next batch, the first
        of each kind and transmitter.
        """
        self._last_ns = receipt_time_ns
        self.counts.packs += 1
        try:
            messages, findings = decode(message_bytes)
        except InputError as e:
            self.counts.unreadable += 1
            self._log.refuse("message", e)
            return None
        self.counts.messages += len(messages)
        state = self._heard(transmitter)
        for finding in findings:
            _, _, kind = finding.where.partition(": ")
            state.log.add(finding, kind)
        for message in messages:
            self._learn(state, message, receipt_time_ns)
        raw_sha256 = hashlib.sha256(message_bytes).hexdigest()
        rows: list[Observation] = []
        for message in messages:
            if isinstance(message, Location):
                row = self._observe(state, message, transmitter, receipt_time_ns)
                if row is not None:
                    rows.append(replace(row, row=len(rows), raw_sha256=raw_sha256))
        if not rows:
            return None
        self.counts.observations += len(rows)
        batch_id = self._next_id()
        return batch_of(
            [replace(row, batch_id=batch_id) for row in rows],
            (*self._log.drain(), *state.log.drain()),
        )

    def note(self, finding: Finding) -> None:
        """Add a finding about the stream itself to the next batch."""
        _, _, kind = finding.where.rpartition(": ")
        self._log.add(finding, kind)

    def close(self) -> Batch | None:
        """What is still to be said at the end, in a batch without rows; None for nothing."""
        for state in self._transmitters.values():
            self._keep_findings(state)
        findings = self._log.close("remote_id")
        self._transmitters.clear()
        if not findings:
            return None
        return empty_batch(self._next_id(), self._sensor_id, self._last_ns, Form.POSITION, findings)

    def _next_id(self) -> BatchId:
        self._batches += 1
        return BatchId(f"{self._sensor_id}/{self._batches}")

    def _heard(self, transmitter: str) -> _Transmitter:
        state = self._transmitters.pop(transmitter, None) or _Transmitter()
        self._transmitters[transmitter] = state
        if len(self._transmitters) > self._max_transmitters:
            oldest = next(iter(self._transmitters))
            self._keep_findings(self._transmitters.pop(oldest))
            self.counts.forgotten += 1
            self._log.once(
                Finding(
                    "transmitter",
                    f"over {self._max_transmitters} at once",
                    "those longest unheard are forgotten",
                    Severity.WARNING,
                )
            )
        return state

    def _keep_findings(self, state: _Transmitter) -> None:
        for finding in state.log.close("remote_id"):
            self.note(finding)

    def _learn(self, state: _Transmitter, message: Message, at_ns: int) -> None:
        match message:
            case BasicId():
                _learn_identity(state, message, at_ns)
            case OperatorId(_, operator_id) if operator_id is not None:
                state.operator_id = _Static(operator_id, at_ns)
            case System():
                if message.classification is Classification.EUROPEAN_UNION:
                    state.category = _Static(_category(message), at_ns)
                place = _operator(message) if self._operator_positions else None
                if place is not None:
                    state.operator_position = _Static(place, at_ns)

    def _observe(
        self, state: _Transmitter, m: Location, transmitter: str, receipt_time_ns: int
    ) -> Observation | None:
        if m.lat_deg is None or m.lon_deg is None:
            self.counts.without_position += 1
            _note(state, "location.lat_deg", "no position", "no observation", Severity.NOTE)
            return None
        event_time_ns, timed = _event_time(state, m, receipt_time_ns)
        window_ns = STANDSTILL_NS if timed else REPEAT_NS
        if m == state.location and abs(receipt_time_ns - state.receipt_time_ns) <= window_ns:
            self.counts.duplicates += 1
            return None
        state.location, state.receipt_time_ns = m, receipt_time_ns
        height_m, sigma_height_m, reference = _height(state, m)
        velocity = _velocity(m)
        sigma_time_s = (m.sigma_time_s if timed else None) or FALLBACK_SIGMA_TIME_S
        sigma_m = m.sigma_horizontal_m or FALLBACK_SIGMA_HORIZONTAL_M
        return Observation(
            batch_id=BatchId(""),
            row=0,
            sensor_id=self._sensor_id,
            event_time_ns=event_time_ns,
            receipt_time_ns=receipt_time_ns,
            form=Form.POSITION,
            values=(m.lat_deg, m.lon_deg, height_m),
            sigmas=(
                _widened(sigma_m, velocity[0], sigma_time_s),
                _widened(sigma_m, velocity[1], sigma_time_s),
                _widened(sigma_height_m, velocity[2], sigma_time_s),
            ),
            velocity_mps=velocity,
            height_reference=reference,
            kind_likelihood=None,
            claim=_claim(state, m, transmitter, receipt_time_ns),
            words="",
            raw_sha256="",
            operator=_fresh(state.operator_position, receipt_time_ns),
        )


def _note(
    state: _Transmitter,
    where: str,
    problem: str,
    assumed: str,
    severity: Severity = Severity.WARNING,
) -> None:
    state.log.add(Finding(where, problem, assumed, severity), f"{where} {problem}")


def _learn_identity(state: _Transmitter, message: BasicId, at_ns: int) -> None:
    if message.ua_type is not UaType.NONE:
        state.aircraft = _Static(message.ua_type.name.lower(), at_ns)
    if message.uas_id is None:
        return
    earlier = state.identities.get(message.id_type)
    if earlier is not None and earlier.value != message.uas_id:
        _note(state, "basic_id.uas_id", "one transmitter states another identity", "the newest")
    state.identities[message.id_type] = _Static(message.uas_id, at_ns)


def _event_time(state: _Transmitter, m: Location, receipt_time_ns: int) -> tuple[int, bool]:
    """When the position was measured, and whether the message itself says so."""
    tenths, where = m.time_tenths, "location.time_tenths"
    stated_ns = resolve_time(tenths, receipt_time_ns)
    if stated_ns is None:
        _note(state, where, "unknown", "the receipt time")
        return receipt_time_ns, False
    if stated_ns != state.stated_ns:
        state.stated_ns, state.stated_at_ns = stated_ns, receipt_time_ns
    if abs(stated_ns - receipt_time_ns) > MAX_TIME_DIFFERENCE_NS:
        state.bad_tenths = tenths
        limit_s = MAX_TIME_DIFFERENCE_NS // seconds(1.0)
        problem = f"differs from the receipt by more than {limit_s} s"
        _note(state, where, problem, "the receipt time")
    elif receipt_time_ns - state.stated_at_ns > STANDSTILL_NS:
        state.bad_tenths = tenths
        _note(state, where, "stands still", "the receipt time")
    if tenths == state.bad_tenths:  # a clock that stands still is right once an hour
        return receipt_time_ns, False
    if stated_ns > receipt_time_ns:
        if stated_ns - receipt_time_ns > MAX_TIME_AHEAD_NS:
            _note(state, where, "later than the receipt", "the receipt time")
            return receipt_time_ns, False
        return receipt_time_ns, True
    return stated_ns, True


def _height(state: _Transmitter, m: Location) -> tuple[float, float, HeightReference]:
    """Metres, sigma and reference of the height that can be compared best."""
    if m.altitude_geodetic is not None:
        sigma_m = m.sigma_vertical_m or FALLBACK_SIGMA_HEIGHT_M
        return m.altitude_geodetic.m, sigma_m, HeightReference.HAE
    if m.altitude_pressure is not None:
        sigma_m = m.sigma_pressure_m or FALLBACK_SIGMA_HEIGHT_M
        return m.altitude_pressure.m, sigma_m, HeightReference.PRESSURE
    if isinstance(m.height, HeightAgl):
        return m.height.m, FALLBACK_SIGMA_HEIGHT_M, HeightReference.AGL
    problem = "no altitude" if m.height is None else "only a height above take-off"
    _note(state, "location.altitude_geodetic", problem, "height unknown")
    return NAN, FALLBACK_SIGMA_HEIGHT_M, HeightReference.NONE


def _velocity(m: Location) -> tuple[float, float, float]:
    """East, north, up in m/s; NaN for what is not known."""
    east = north = NAN
    if m.speed_mps == 0.0:
        east = north = 0.0  # no speed needs no direction
    elif m.speed_mps is not None and m.direction_deg is not None:
        angle = math.radians(m.direction_deg)
        east, north = m.speed_mps * math.sin(angle), m.speed_mps * math.cos(angle)
    return east, north, NAN if m.vertical_speed_mps is None else m.vertical_speed_mps


def _widened(sigma_m: float, speed_mps: float, sigma_time_s: float) -> float:
    return sigma_m if math.isnan(speed_mps) else math.hypot(sigma_m, speed_mps * sigma_time_s)


def _fresh(said: _Static[T] | None, at_ns: int) -> T | None:
    if said is None or at_ns - said.heard_at_ns > STATIC_MAX_AGE_NS:
        return None
    return said.value


def _claim(state: _Transmitter, m: Location, transmitter: str, at_ns: int) -> Claim:
    identity, identity_type = None, ""
    for id_type in _PREFERENCE:
        identity = _fresh(state.identities.get(id_type), at_ns)
        if identity is not None:
            # An identity without its type is read as the serial that it nearly always is.
            known = IdType.SERIAL_NUMBER if id_type is IdType.NONE else id_type
            identity_type = known.name.lower()
            break
    category = [_fresh(state.aircraft, at_ns), _fresh(state.category, at_ns)]
    return Claim(
        scheme=Scheme.REMOTE_ID,
        identity=identity,
        transmitter=transmitter,
        identity_type=identity_type,
        operator_id=_fresh(state.operator_id, at_ns),
        category=", ".join(c for c in category if c),
        crewed=False,  # the standard is for unmanned aircraft alone
        airborne=_AIRBORNE.get(m.status),
    )


def _category(m: System) -> str:
    class_name = "" if m.class_eu is None else f" C{m.class_eu}"
    return f"EU {m.category_eu.name.lower()}{class_name}"


def _operator(m: System) -> OperatorPosition | None:
    source = m.operator_location.name.lower().replace("_", " ")
    if m.operator_lat_deg is None or m.operator_lon_deg is None:
        return None
    return OperatorPosition(m.operator_lat_deg, m.operator_lon_deg, source)
