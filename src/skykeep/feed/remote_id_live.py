"""Live Remote ID: radio packets, DroneScout's messages and MAVLink as kinds of feed.

All share one decoder's end: who is let in (admission), one assembler, and the site's decisions.
Options: `operator_positions` and `dji` switch on what is personal or undocumented and are the
legal basis in words; `keys` are those of aircraft whose signatures are checked, by name, each
"METHOD IDENTITY KEY [TAG]" with key and tag in hex (codec/remote_id_auth).
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from skykeep.codec.capture import find_remote_id
from skykeep.codec.dronescout import decode_scouted
from skykeep.codec.mavlink import ADSB_VEHICLE, Frame, Framer, Vehicle, frames_of, vehicle_of
from skykeep.codec.mavlink import remote_id_of as of_mavlink
from skykeep.codec.radio import LINKTYPE_IEEE802_11_RADIOTAP
from skykeep.codec.remote_id_auth import AircraftKey, Method, check_key
from skykeep.codec.wifi import speaker_of
from skykeep.config import FeedSettings
from skykeep.core.event import Finding, Severity
from skykeep.core.geo import HeightReference
from skykeep.core.observation import Batch, Claim, Form, Scheme, SensorKind
from skykeep.errors import InputError
from skykeep.feed.admission import Admission
from skykeep.feed.adsb import SIGMAS, claim_of
from skykeep.feed.contract import FeedKind, option
from skykeep.feed.findings import FindingLog
from skykeep.feed.inbox import Piece
from skykeep.feed.monitor import Monitor
from skykeep.feed.mqtt import Mqtt
from skykeep.feed.remote_id import Assembler, Packet
from skykeep.feed.serial_port import SerialPort
from skykeep.feed.sources import Tcp, Udp, host_and_port
from skykeep.units import NS_PER_S, BatchId

#: What is shed is told in the record this often.
TELL_SHED_NS = 10 * NS_PER_S
SHARED_OPTIONS = ("operator_positions", "keys")
_KINDS = (SensorKind.REMOTE_ID,)


def basis_of(settings: FeedSettings, name: str) -> bool:
    """Whether a legal basis is written down for something; InputError for an empty one."""
    words = option(settings, name, None, str)
    if words is not None and not words.strip():
        where = f"feeds[{settings.feed_id}].options.{name}"
        raise InputError(where, "is empty", "Write down the legal basis, or leave it out")
    return words is not None


def keys_of(settings: FeedSettings) -> tuple[AircraftKey, ...]:
    """The keys that a feed's options name; InputError names the one that cannot be."""
    found = []
    for name, text in option(settings, "keys", {}, dict).items():
        where = f"feeds[{settings.feed_id}].options.keys.{name}"
        parts = str(text).split()
        if len(parts) not in (3, 4):
            raise InputError(where, "is not three or four words", "Give METHOD IDENTITY KEY [TAG]")
        try:
            raw = [bytes.fromhex(part) for part in parts[2:]]
            key = AircraftKey(name, Method(parts[0]), parts[1], *raw)
        except ValueError:
            methods = ", ".join(Method)
            mend = f"Give one of {methods}, then the identity, and key and tag in hex"
            raise InputError(where, "cannot be read", mend) from None
        try:
            check_key(key)
        except InputError as error:
            raise InputError(f"{where}: {error.where}", error.problem, error.mend) from None
        found.append(key)
    return tuple(found)


class _Decoder:
    """What the kinds share; see `contract.Decoder`. `shed` counts what was not let in."""

    def __init__(self, settings: FeedSettings) -> None:
        self._settings = settings
        self._admission = Admission()
        self._told, self._told_ns = 0, 0
        self._log = FindingLog()
        self._assembler = Assembler(
            settings.sensor_id,
            operator_positions=basis_of(settings, "operator_positions"),
            keys=keys_of(settings),
            live=True,
        )

    @property
    def shed(self) -> int:
        """Messages of transmitters that were not let in."""
        return self._admission.shed

    def push(self, pieces: Sequence[Piece]) -> Iterable[Batch]:
        """See `contract.Decoder`; one batch for all pieces, received with the last of them."""
        packets: list[Packet] = []
        for piece in pieces:
            try:
                packets += self._let_in(piece)
            except InputError as error:
                self._log.refuse(piece.origin or "message", error)
        self._tell_shed(pieces[-1].at_ns)
        for finding in self._log.drain():
            self._assembler.note(finding)
        batch = self._assembler.take(packets)
        return () if batch is None else (batch,)

    def _let_in(self, piece: Piece) -> Sequence[Packet]:
        """What a piece holds of those who are let in."""
        return self._admission.admit(tuple(self._packets(piece)))

    def _packets(self, piece: Piece) -> Iterable[Packet]:
        raise NotImplementedError

    def _tell_shed(self, now_ns: int) -> None:
        shed = self._admission.shed
        if shed > self._told and now_ns - self._told_ns >= TELL_SHED_NS:
            self._told, self._told_ns = shed, now_ns
            self._assembler.note(
                Finding(
                    f"{self._settings.feed_id}: transmitters",
                    "more speak than can be followed",
                    f"{shed} messages of {self._admission.shed_bytes} bytes left out so far, "
                    f"sha256 {self._admission.digest}",
                    Severity.ERROR,
                )
            )

    def note(self, finding: Finding) -> None:
        """Add a finding about the stream itself to the next batch."""
        self._assembler.note(finding)

    def close(self) -> Batch | None:
        """What is still to be said at the end."""
        for finding in self._log.close(self._settings.feed_id):
            self._assembler.note(finding)
        return self._assembler.close()


class RadioDecoder(_Decoder):
    """Packets of a monitor-mode interface, or captured ones sent as datagrams."""

    def __init__(self, settings: FeedSettings) -> None:
        super().__init__(settings)
        if not basis_of(settings, "legal_basis"):
            where = f"feeds[{settings.feed_id}].options.legal_basis"
            mend = "Write down on which law the site listens to the radio itself"
            raise InputError(where, "is missing", mend)
        self._dji = basis_of(settings, "dji")
        default = LINKTYPE_IEEE802_11_RADIOTAP
        self._linktype = int(option(settings, "linktype", default, int))
        if find_remote_id(self._linktype, b"") is None:
            where = f"feeds[{settings.feed_id}].options.linktype"
            raise InputError(where, f"{self._linktype} is no radio that is known", "Give 127")

    def _let_in(self, piece: Piece) -> Sequence[Packet]:
        """Who is not let in is not decoded either: a crowd costs microseconds a frame."""
        speaker = speaker_of(self._linktype, piece.data)
        if speaker is None:
            return super()._let_in(piece)
        if not speaker or not self._admission.admits(speaker, piece.at_ns, piece.data):
            return ()
        return tuple(self._packets(piece))

    def _packets(self, piece: Piece) -> Iterator[Packet]:
        heard, findings = find_remote_id(self._linktype, piece.data, dji=self._dji) or ((), ())
        for finding in findings:
            _, _, kind = finding.where.partition(": ")
            self._log.add(finding, kind)
        for h in heard:
            yield Packet(piece.at_ns, h.transmitter, h.messages, h.carrier, rssi_dbm=h.rssi_dbm)


class ScoutDecoder(_Decoder):
    """DroneScout's MQTT messages."""

    def _packets(self, piece: Piece) -> Iterator[Packet]:
        said = decode_scouted(piece.data)
        if said.messages:
            yield Packet(
                piece.at_ns, said.transmitter, piece.data, said.carrier, said.messages,
                rssi_dbm=said.rssi_dbm,
            )  # fmt: skip


class MavlinkDecoder(_Decoder):
    """Frames of MAVLink: Remote ID as claims, and aircraft with ADS-B beside them."""

    def __init__(self, settings: FeedSettings) -> None:
        super().__init__(settings)
        self._vehicles: list[tuple[Vehicle, Piece]] = []
        self._count = 0

    def push(self, pieces: Sequence[Piece]) -> Iterable[Batch]:
        """Two batches at most: what drones said, and ADS-B."""
        yield from super().push(pieces)
        if self._vehicles:
            self._count += 1
            name = f"{self._settings.sensor_id}/{pieces[-1].at_ns}:adsb-{self._count}"
            batch = _vehicles(self._vehicles, BatchId(name), self._settings, pieces[-1].at_ns)
            self._vehicles = []
            yield batch

    def _packets(self, piece: Piece) -> Iterator[Packet]:
        for frame in frames_of(piece.data):
            try:
                packet = self._packet(frame, piece)
            except InputError as error:
                self._log.refuse("mavlink", error)
                continue
            if packet is not None:
                yield packet

    def _packet(self, frame: Frame, piece: Piece) -> Packet | None:
        if frame.message_id == ADSB_VEHICLE:
            self._vehicles.append((vehicle_of(frame), piece))
            return None
        transmitter, messages, findings = of_mavlink(frame)
        return Packet(piece.at_ns, transmitter, piece.data, "mavlink", messages, findings)


def _vehicles(
    found: Sequence[tuple[Vehicle, Piece]], batch_id: BatchId, settings: FeedSettings, at_ns: int
) -> Batch:
    n = len(found)
    values = np.array(
        [(v.lat_deg, v.lon_deg, math.nan if v.altitude_m is None else v.altitude_m)
         for v, _ in found]
    )  # fmt: skip
    references = [
        HeightReference.NONE if v.altitude_m is None
        else HeightReference.HAE if v.geometric
        else HeightReference.PRESSURE
        for v, _ in found
    ]  # fmt: skip
    return Batch(
        batch_id,
        settings.sensor_id,
        at_ns,
        Form.POSITION,
        event_time_ns=np.array([p.at_ns - v.age_s * NS_PER_S for v, p in found], np.int64),
        values=values,
        sigmas=np.tile(np.array(SIGMAS), (n, 1)),
        velocities_mps=np.array([_velocity(v) for v, _ in found]),
        height_references=np.array(references, np.int8),
        claims=tuple(_claim(v) for v, _ in found),
        raw_sha256=tuple(_hash(p.data) for _, p in found),
    )


def _velocity(v: Vehicle) -> tuple[float, float, float]:
    up = math.nan if v.vertical_mps is None else v.vertical_mps
    if v.speed_mps is None or v.heading_deg is None:
        return math.nan, math.nan, up
    angle = math.radians(v.heading_deg)
    return v.speed_mps * math.sin(angle), v.speed_mps * math.cos(angle), up


def _claim(v: Vehicle) -> Claim:
    """Who says that its emitter is a drone is taken at its word; its address is the receiver's."""
    if not v.unmanned:
        return claim_of(v.icao24, v.callsign, None)
    return Claim(
        Scheme.REMOTE_ID, v.callsign or None, f"mavlink/{v.icao24}",
        "callsign" if v.callsign else "", crewed=False,
    )  # fmt: skip


def _hash(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


RADIO = FeedKind(
    "remote_id_radio",
    "Remote ID heard by a Wi-Fi interface in monitor mode, or packets with a radio's header",
    ("packet", "udp"),
    _KINDS,
    RadioDecoder,
    source=lambda settings, clock: (
        Monitor(settings)
        if settings.address.startswith("packet:")
        else Udp(*host_and_port(settings))
    ),
    options=(*SHARED_OPTIONS, "legal_basis", "dji", "linktype"),
    most_per_s=50_000,
)
DRONESCOUT = FeedKind(
    "dronescout",
    "DroneScout receivers' messages from an MQTT broker",
    ("mqtt", "mqtts"),
    _KINDS,
    ScoutDecoder,
    source=lambda settings, clock: Mqtt(settings),
    options=(*SHARED_OPTIONS, "user", "password_file", "ca_file"),
)
MAVLINK = FeedKind(
    "mavlink",
    "Remote ID and ADS-B in MAVLink, from a serial port, datagrams or a stream",
    ("udp", "tcp", "serial"),
    _KINDS,
    MavlinkDecoder,
    source=lambda settings, clock: _mavlink_source(settings),
    options=SHARED_OPTIONS,
)


def _radio_source(settings: FeedSettings) -> Monitor | Udp:
    if settings.address.startswith("packet:"):
        return Monitor(settings)
    return Udp(*host_and_port(settings))


def _mavlink_source(settings: FeedSettings) -> Udp | Tcp | SerialPort:
    if settings.address.startswith("serial:"):
        return SerialPort(settings, Framer)
    host, port = host_and_port(settings)
    return Udp(host, port) if settings.address.startswith("udp:") else Tcp(host, port, Framer)
