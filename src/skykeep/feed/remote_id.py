"""Broadcast Remote ID from one receiver, assembled into batches of claimed positions.

Messages come one by one or in packs; who, what and where are said at different times. The
`Assembler` remembers, for each transmitter and within bounds, what was last said, and puts
it beside each new location. What is heard a thousand times a second goes through
`remote_id_batch`; what that marks as odd, and what other carriers send, message by message.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from math import isnan

import numpy as np

from skykeep.codec.dji_id import decode_dji
from skykeep.codec.french_id import decode_french
from skykeep.codec.remote_id import Location, Message, decode
from skykeep.codec.remote_id_auth import AircraftKey, Covered, join_pages, verify
from skykeep.codec.remote_id_batch import COLUMNS, Column, decode_many, row_of
from skykeep.codec.remote_id_messages import MESSAGE_BYTES, BasicId, MessageType, System
from skykeep.core.event import Finding, Severity
from skykeep.core.observation import Batch, Claim, Form, OperatorPosition, operators_of
from skykeep.errors import InputError
from skykeep.feed.findings import FindingLog
from skykeep.feed.lines import empty_batch
from skykeep.feed.remote_id_rows import measure
from skykeep.feed.remote_id_said import STANDSTILL_NS, Transmitter
from skykeep.units import NS_PER_S, BatchId, SensorId, seconds

#: The same location (with its time: the same at all) heard again within this is one: half
#: the longest interval between two (1 s, F3411-22a 5.4.3), so that a hovering drone stays seen.
REPEAT_NS = seconds(0.5)
#: Transmitters remembered: Wi-Fi within one receiver's range carries far fewer, so that only
#: an attack with invented addresses reaches it.
MAX_TRANSMITTERS = 4_096
#: Signatures looked at in a second: each costs about 0.1 ms, and whoever sends rubbish under a
#: known name must not keep the machine busy. Real aircraft sign once in some seconds.
MAX_CHECKS_PER_S = 200

_WIRE = frozenset({"beacon", "nan", "bt4", "bt5"})
_OTHERS = {"french": decode_french, "dji": decode_dji}
_BASIC_ID, _LOCATION = int(MessageType.BASIC_ID), int(MessageType.LOCATION)
_AUTHENTICATION = int(MessageType.AUTHENTICATION)
_SYSTEM = int(MessageType.SYSTEM)
#: Said again and again without a change.
_LASTING = frozenset({_BASIC_ID, _SYSTEM, int(MessageType.SELF_ID), int(MessageType.OPERATOR_ID)})


@dataclass(slots=True)
class Counts:
    """What an assembler has seen so far."""

    packs: int = 0  # what one transmitter sent at once
    messages: int = 0
    observations: int = 0
    duplicates: int = 0  # locations that said what was already taken
    without_position: int = 0
    unreadable: int = 0  # packs or messages of which nothing could be read
    forgotten: int = 0  # transmitters dropped for room
    authenticated: int = 0  # observations under a signature that held
    unchecked: int = 0  # signatures not looked at, for there were too many


@dataclass(frozen=True, slots=True)
class Packet:
    """What one transmitter sent at once: bytes as the carrier's codec takes them, or messages
    that another source has decoded, with the findings and the hash of its raw bytes.
    """

    receipt_time_ns: int
    transmitter: str
    data: bytes
    carrier: str = "beacon"
    messages: tuple[Message, ...] | None = None
    findings: tuple[Finding, ...] = ()
    rssi_dbm: int | None = None


@dataclass(slots=True)
class _Rows:
    """The rows of a batch that is being made."""

    columns: list[list[float]] = field(default_factory=list)
    timed: list[bool] = field(default_factory=list)
    event_time_ns: list[int] = field(default_factory=list)
    claims: list[Claim | None] = field(default_factory=list)
    operators: list[OperatorPosition | None] = field(default_factory=list)
    hashes: list[str] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)


class Assembler:
    """Joins one receiver's Remote ID messages by transmitter; bounded in memory.

    The operator's position is personal data: it is dropped on arrival unless
    `operator_positions` says that the site has a legal basis for it, and then stands beside
    the claims. Batches are numbered from 1: the same messages give the same ids.
    `keys` are those of aircraft whose signatures are checked.
    """

    def __init__(
        self,
        sensor_id: SensorId,
        *,
        operator_positions: bool = False,
        max_transmitters: int = MAX_TRANSMITTERS,
        keys: Sequence[AircraftKey] = (),
        live: bool = False,
    ) -> None:
        """`live`: batch ids hold the receipt time, so that none comes again after a restart."""
        self.counts = Counts()
        self._sensor_id = sensor_id
        self._operator_positions = operator_positions
        self._max_transmitters = max_transmitters
        self._keys = tuple(keys)
        self._known_names = {key.identity for key in keys}
        self._live = live
        self._transmitters: dict[str, Transmitter] = {}  # in the order of hearing
        self._log = FindingLog()
        self._batches = 0
        self._last_ns = 0
        self._checks = (0, 0)  # a second, and how many signatures were looked at in it

    @property
    def transmitters(self) -> int:
        """How many are remembered."""
        return len(self._transmitters)

    def feed(self, receipt_time_ns: int, transmitter: str, message_bytes: bytes) -> Batch | None:
        """One message or pack, as `remote_id.decode` takes it; None if it gives no new position."""
        return self.take((Packet(receipt_time_ns, transmitter, message_bytes),))

    def take(self, packets: Sequence[Packet]) -> Batch | None:
        """Packets in their order of receipt; None if they give no new position.

        One row for each new location (Form.POSITION), see `remote_id_rows.measure`; the batch's
        receipt is that of the last packet. Nothing is raised: what cannot be read becomes a
        finding of this or the next batch, the first of each kind and transmitter.
        """
        rows = _Rows()
        wire = [i for i, p in enumerate(packets) if p.messages is None and p.carrier in _WIRE]
        decoded = decode_many([packets[i].data for i in wire])
        place = {i: n for n, i in enumerate(wire)}
        first, odd = decoded.first.tolist(), decoded.odd.tolist()
        parts = list(
            zip(decoded.start.tolist(), decoded.kind.tolist(), decoded.plain.tolist(), strict=True)
        )
        located = iter(decoded.columns[decoded.plain].tolist())  # visited in their order
        for i, packet in enumerate(packets):
            self._last_ns = packet.receipt_time_ns
            self.counts.packs += 1
            n = place.get(i)
            if n is None or odd[n]:
                self._take_literally(packet, rows)
            else:
                here = slice(first[n], first[n + 1])
                self._take_decoded(packet, parts[here], located, rows)
        return self._batch(rows)

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

    # -- one packet ---------------------------------------------------------------------

    def _take_literally(self, packet: Packet, rows: _Rows) -> None:
        messages, findings = packet.messages, packet.findings
        if messages is None:
            try:
                messages, findings = _OTHERS.get(packet.carrier, decode)(packet.data)
            except InputError as e:
                self.counts.unreadable += 1
                self._log.refuse("message", e)
                return
        self.counts.messages += len(messages)
        state = self._heard(packet.transmitter)
        _keep(state, findings)
        for message in messages:
            state.learn(message, packet.receipt_time_ns, self._operator_positions)
        covered = None
        if any(isinstance(m, BasicId | Location) for m in messages):
            covered = self._covered(state, packet)
        for message in messages:
            if isinstance(message, Location):
                signer = "" if covered is None else _signer(covered, message)
                self._observe(state, packet, row_of(message), message, signer, rows)
        self._take_evidence(state, packet, covered, rows)

    def _take_decoded(
        self,
        packet: Packet,
        parts: list[tuple[int, int, bool]],
        plain_rows: Iterator[list[float]],
        rows: _Rows,
    ) -> None:
        state = self._heard(packet.transmitter)
        self.counts.messages += len(parts)
        data, at_ns = packet.data, packet.receipt_time_ns
        located: list[tuple[list[float], bytes]] = []
        signed = False
        for start, kind, plain in parts:
            raw = data[start : start + MESSAGE_BYTES]
            if plain:
                located.append((next(plain_rows), raw))
                continue
            signed |= kind == _AUTHENTICATION
            message = self._message(state, raw, kind, start)
            state.learn(message, at_ns, self._operator_positions)
            if isinstance(message, Location):
                located.append((row_of(message), raw))
        covered = self._covered(state, packet) if signed and self._keys else None
        for row, raw in located:
            signer = covered.key.name if covered is not None and raw in covered.messages else ""
            self._observe(state, packet, row, raw[1:], signer, rows)
        self._take_evidence(state, packet, covered, rows)

    def _message(self, state: Transmitter, raw: bytes, kind: int, start: int) -> Message:
        """A message that holds for a while; the same bytes as last time need no decoding."""
        key = kind << 4 | (raw[1] >> 4 if kind == _BASIC_ID else 0)
        # Of a system message, which says where a person is, not even the bytes may be kept
        # without a decision: a hash under the process's own secret is enough to know it again.
        said: bytes | int = hash(raw) if kind == _SYSTEM else raw
        known = state.known.get(key)
        if known is not None and known[0] == said:
            return known[1]
        (message,), findings = decode(raw)
        _keep(state, [replace(f, where=_placed(f.where, start)) for f in findings])
        if kind in _LASTING:
            kept = message
            if isinstance(message, System) and not self._operator_positions:
                kept = replace(message, operator_lat_deg=None, operator_lon_deg=None)
            state.known[key] = (said, kept)
        return message

    def _observe(
        self,
        state: Transmitter,
        packet: Packet,
        row: list[float],
        said: object,
        signer: str,
        rows: _Rows,
    ) -> None:
        """Keep a location as a row, unless it is one that was taken; `said` is what it compares."""
        if isnan(row[Column.LAT_DEG]):
            self.counts.without_position += 1
            problem = "no position"
            state.note("location.lat_deg", problem, "no observation", Severity.NOTE)
            return
        at_ns, tenths = packet.receipt_time_ns, row[Column.TENTHS]
        event_time_ns, timed = state.event_time(None if isnan(tenths) else int(tenths), at_ns)
        window_ns = STANDSTILL_NS if timed else REPEAT_NS
        if said == state.location and abs(at_ns - state.receipt_time_ns) <= window_ns:
            self.counts.duplicates += 1
            return
        state.location, state.receipt_time_ns = said, at_ns
        _note_height(state, row)
        claim = state.claim(int(row[Column.STATUS]), packet.transmitter, at_ns)
        if signer:
            claim = replace(claim, authenticated=signer)
            self.counts.authenticated += 1
        rows.columns.append(row)
        rows.timed.append(timed)
        rows.event_time_ns.append(event_time_ns)
        rows.claims.append(claim)
        rows.operators.append(state.operator(at_ns))
        rows.hashes.append(hashlib.sha256(packet.data).hexdigest())
        if state.log.waits:
            rows.findings.extend(state.log.drain())

    # -- signatures ---------------------------------------------------------------------

    def _covered(self, state: Transmitter, packet: Packet) -> Covered | None:
        """What a signature that has just been completed proves, if it names its aircraft."""
        if not self._keys or not state.pages:
            return None
        whole = join_pages(state.pages)
        if whole is None:
            return None
        second = packet.receipt_time_ns // NS_PER_S
        before, count = self._checks
        count = count if second == before else 0
        if count >= MAX_CHECKS_PER_S:
            self.counts.unchecked += 1
            return None
        self._checks = (second, count + 1)
        state.pages.clear()  # looked at once
        covered = verify(whole, packet.data, self._keys, packet.receipt_time_ns)
        if covered is None:
            problem = "the signature does not hold under a key that is known here"
            state.note("authentication.data", problem, "a broadcast identity")
            return None
        messages = [m for raw in covered.messages for m in _readable(raw)]
        named = any(isinstance(m, BasicId) and m.uas_id == covered.key.identity for m in messages)
        return covered if named else None

    def _take_evidence(
        self, state: Transmitter, packet: Packet, covered: Covered | None, rows: _Rows
    ) -> None:
        """Signed messages that came within the authentication itself, not in the pack."""
        if covered is None:
            return
        for raw in covered.messages:
            if raw in packet.data:
                continue
            for message in _readable(raw):
                state.learn(message, packet.receipt_time_ns, self._operator_positions)
                if isinstance(message, Location):
                    row = row_of(message)
                    self._observe(state, packet, row, raw[1:], covered.key.name, rows)

    # -- the batch ----------------------------------------------------------------------

    def _batch(self, rows: _Rows) -> Batch | None:
        n = len(rows.columns)
        if not n:
            return None
        self.counts.observations += n
        timed = np.array(rows.timed, np.bool_)
        measured = measure(np.array(rows.columns).reshape(n, COLUMNS), timed)
        return Batch(
            self._next_id(),
            self._sensor_id,
            self._last_ns,
            Form.POSITION,
            event_time_ns=np.array(rows.event_time_ns, np.int64),
            values=measured.values,
            sigmas=measured.sigmas,
            velocities_mps=measured.velocities_mps,
            height_references=measured.references,
            claims=tuple(rows.claims),
            raw_sha256=tuple(rows.hashes),
            findings=(*self._log.drain(), *rows.findings),
            operators=operators_of(rows.operators),
        )

    def _next_id(self) -> BatchId:
        self._batches += 1
        when = f"{self._last_ns}:" if self._live else ""
        return BatchId(f"{self._sensor_id}/{when}{self._batches}")

    def _heard(self, transmitter: str) -> Transmitter:
        state = self._transmitters.pop(transmitter, None) or Transmitter()
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

    def _keep_findings(self, state: Transmitter) -> None:
        for finding in state.log.close("remote_id"):
            self.note(finding)


def _keep(state: Transmitter, findings: Sequence[Finding]) -> None:
    for finding in findings:
        _, _, kind = finding.where.partition(": ")
        state.log.add(finding, kind)


def _placed(where: str, start: int) -> str:
    """ "byte N: field" of a message as a place in the pack that it starts in at `start`."""
    number, _, field_name = where.removeprefix("byte ").partition(": ")
    return f"byte {int(number) + start}: {field_name}"


def _readable(raw: bytes) -> tuple[Message, ...]:
    try:
        return decode(raw)[0]
    except InputError:
        return ()


def _signer(covered: Covered, location: Location) -> str:
    there = any(location in _readable(raw) for raw in covered.messages)
    return covered.key.name if there else ""


def _note_height(state: Transmitter, row: list[float]) -> None:
    """Say where no height is left that can be compared with anything."""
    heights_m = (row[Column.GEODETIC_M], row[Column.AMSL_M], row[Column.PRESSURE_M])
    if row[Column.OVER_GROUND] != 1.0 and all(map(isnan, heights_m)):
        unknown = isnan(row[Column.HEIGHT_M])
        problem = "no altitude" if unknown else "only a height above take-off"
        state.note("location.altitude_geodetic", problem, "height unknown")
