"""MAVLink frames with Remote ID or ADS-B in them, versions 1 and 2, from a stream or datagrams.

Sources: mavlink.io/en/guide/serialization.html (frames, checksum X.25 with the extra byte of
each message, zero bytes left out at the end of version 2) and common.xml for the fields of
OPEN_DRONE_ID_* (12900 to 12905, 12915, 12919) and ADSB_VEHICLE (246), in the order of the wire.
Signatures are passed over. Every other message, control and telemetry alike, is neither decoded
nor kept.

Version 1: FE, length, sequence, system, component, id, payload, checksum. Version 2: FD, length,
incompatible flags, flags, sequence, system, component, id (3 bytes), payload, checksum.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from skykeep.codec.odid_struct import altitude, location_of, place, system_of
from skykeep.codec.remote_id import decode
from skykeep.codec.remote_id_messages import (
    AUTH_FIRST_PAGE_BYTES,
    AUTH_MAX_PAGE,
    EPOCH_2019_S,
    MESSAGE_BYTES,
    PACK_HEADER_BYTES,
    PACK_MAX_MESSAGES,
    AuthenticationPage,
    Message,
    MessageType,
    OperatorLocation,
    System,
)
from skykeep.core.event import Finding
from skykeep.core.geo import HeightHae
from skykeep.errors import InputError
from skykeep.units import NS_PER_S

V1, V2 = 0xFE, 0xFD
_SIGNED = 0x01  # the only incompatible flag that is known
_SIGNATURE_BYTES = 13
#: The longest frame: header, 255 bytes, checksum and signature.
MAX_FRAME_BYTES = 10 + 255 + 2 + _SIGNATURE_BYTES

ADSB_VEHICLE = 246
BASIC_ID, LOCATION, AUTHENTICATION, SELF_ID, SYSTEM, OPERATOR_ID = range(12_900, 12_906)
MESSAGE_PACK, SYSTEM_UPDATE = 12_915, 12_919

#: Fields in the order of the wire, and the byte that makes the checksum depend on them.
MESSAGES: dict[int, tuple[struct.Struct, int]] = {
    ADSB_VEHICLE: (struct.Struct("<IiiiHHhHHB9sBB"), 184),
    BASIC_ID: (struct.Struct("<BB20sBB20s"), 114),
    LOCATION: (struct.Struct("<iiffffHHhBB20sBBBBBBB"), 254),
    AUTHENTICATION: (struct.Struct("<IBB20sBBBB23s"), 140),
    SELF_ID: (struct.Struct("<BB20sB23s"), 249),
    SYSTEM: (struct.Struct("<iifffIHHBB20sBBBB"), 77),
    OPERATOR_ID: (struct.Struct("<BB20sB20s"), 49),
    MESSAGE_PACK: (struct.Struct("<BB20sBB225s"), 94),
    SYSTEM_UPDATE: (struct.Struct("<iifIBB"), 7),
}


@dataclass(frozen=True, slots=True)
class Frame:
    """One message that is ours: who sent it, its id, its payload in full length."""

    system: int
    component: int
    message_id: int
    payload: bytes


@dataclass(frozen=True, slots=True)
class Vehicle:
    """ADSB_VEHICLE: what is not valid is None; `altitude_m` is a pressure altitude or, if
    `geometric`, above the ellipsoid. `unmanned` says that its emitter is a drone.
    """

    icao24: str
    callsign: str
    lat_deg: float
    lon_deg: float
    altitude_m: float | None
    geometric: bool
    heading_deg: float | None
    speed_mps: float | None
    vertical_mps: float | None
    unmanned: bool
    age_s: int


def _table() -> tuple[int, ...]:
    """x^16 + x^12 + x^5 + 1, least significant bit first."""
    made = []
    for byte in range(256):
        crc = byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x8408 if crc & 1 else 0)
        made.append(crc)
    return tuple(made)


_CRC = _table()


def checksum(data: bytes, extra: int) -> int:
    """CRC-16/MCRF4XX, as MAVLink calls X.25, over all but the first byte, then the extra one."""
    crc = 0xFFFF
    for byte in data:
        crc = crc >> 8 ^ _CRC[(crc ^ byte) & 0xFF]
    return crc >> 8 ^ _CRC[(crc ^ extra) & 0xFF]


class Framer:
    """Cuts a stream into frames, whole and of any message; noise between them is counted."""

    def __init__(self) -> None:
        self._rest = b""
        self.noise = 0

    def push(self, data: bytes) -> list[bytes]:
        """The frames that are whole now; never raises."""
        data = self._rest + data
        found, at = [], 0
        while at < len(data):
            if data[at] not in (V1, V2):
                at += 1
                self.noise += 1
                continue
            if len(data) - at < 3:
                break
            size = _frame_bytes(data, at)
            if at + size > len(data):
                break
            frame = data[at : at + size]
            if _is_broken(frame):
                at += 1  # a start byte within something else
                self.noise += 1
                continue
            found.append(frame)
            at += size
        self._rest = data[at:][-MAX_FRAME_BYTES:]
        return found


def _frame_bytes(data: bytes, at: int) -> int:
    if data[at] == V1:
        return 8 + data[at + 1]
    signed = _SIGNATURE_BYTES if data[at + 2] & _SIGNED else 0
    return 12 + data[at + 1] + signed


def _id_of(frame: bytes) -> int:
    if frame[0] == V1:
        return frame[5]
    return int.from_bytes(frame[7:10], "little")


def _is_broken(frame: bytes) -> bool:
    """Whether a frame of ours fails its checksum; of others nobody here knows the extra byte."""
    known = MESSAGES.get(_id_of(frame))
    if frame[0] == V2 and frame[2] & ~_SIGNED:
        return True
    if known is None:
        return False
    end = (6 if frame[0] == V1 else 10) + frame[1]
    return checksum(frame[1:end], known[1]) != int.from_bytes(frame[end : end + 2], "little")


def frames_of(datagram: bytes) -> Iterator[Frame]:
    """The messages that are ours in a datagram or in a whole frame; nothing is raised."""
    for frame in Framer().push(datagram):
        known = MESSAGES.get(_id_of(frame))
        if known is None:
            continue
        start = 6 if frame[0] == V1 else 10
        size = known[0].size
        # Longer in a later edition: what was added stands at the end.
        payload = frame[start : start + frame[1]][:size].ljust(size, b"\0")
        system, component = frame[start - 3 : start - 1] if frame[0] == V1 else frame[5:7]
        yield Frame(system, component, _id_of(frame), payload)


def encode_frame(
    message_id: int, payload: bytes, *, version: int = 2, system: int = 1, component: int = 236,
    sequence: int = 0,
) -> bytes:  # fmt: skip
    """One frame, for tests and simulations; version 1 carries ADSB_VEHICLE alone."""
    if version == 1:
        if message_id > 255:
            raise InputError("message_id", f"{message_id} needs version 2", "Give version 2.")
        head = bytes((len(payload), sequence, system, component, message_id))
        start = V1
    else:
        payload = payload.rstrip(b"\0") or b"\0"
        head = bytes((len(payload), 0, 0, sequence, system, component))
        head += message_id.to_bytes(3, "little")
        start = V2
    crc = checksum(head + payload, MESSAGES[message_id][1])
    return bytes((start,)) + head + payload + crc.to_bytes(2, "little")


def remote_id_of(frame: Frame) -> tuple[str, tuple[Message, ...], tuple[Finding, ...]]:
    """The transmitter and the messages of a frame of Open Drone ID.

    InputError where it says nothing that can be read. The transmitter is the address that the
    frame states, else the system that sent it.
    """
    values = MESSAGES[frame.message_id][0].unpack(frame.payload)
    transmitter = f"mavlink/{frame.system}/{frame.component}"
    if frame.message_id == SYSTEM_UPDATE:
        lat, lon, metres, seconds, _, _ = values
        lat_deg, lon_deg = place(lat / 1e7, lon / 1e7)
        height = altitude(metres)
        update = System(
            OperatorLocation.LIVE_GNSS, lat_deg, lon_deg,
            None if height is None else HeightHae(height), at_ns=_time(seconds),
        )  # fmt: skip
        return transmitter, (update,), ()
    address = next(v for v in values if isinstance(v, bytes) and len(v) == 20)
    if any(address):
        transmitter = address.rstrip(b"\0").hex(":")
    match frame.message_id:
        case 12_901:
            return transmitter, (_location(values),), ()
        case 12_902:
            return transmitter, (_authentication(values),), ()
        case 12_904:
            return transmitter, (_system(values),), ()
        case 12_915:
            size, count, raw = values[3:]
            if size != MESSAGE_BYTES or not 1 <= count <= PACK_MAX_MESSAGES:
                problem = f"{count} messages of {size} bytes"
                raise InputError("message_pack", problem, f"Send 1 to {PACK_MAX_MESSAGES}.")
            head = bytes((MessageType.PACK << 4 | 2, MESSAGE_BYTES, count))
            pack = head + raw[: count * MESSAGE_BYTES]
            messages, findings = decode(pack)
            return transmitter, messages, findings
    return transmitter, *decode(_as_broadcast(frame.message_id, values))


def _as_broadcast(message_id: int, values: tuple[int | bytes, ...]) -> bytes:
    """Messages of codes and text have the same bytes in the air: read by the same decoder."""
    codes = [v for v in values[3:] if isinstance(v, int)]
    (text,) = (v for v in values[3:] if isinstance(v, bytes))
    kind = message_id - BASIC_ID
    code = (codes[0] << 4 | codes[1] & 0x0F) & 0xFF if message_id == BASIC_ID else codes[0]
    return (bytes((kind << 4 | 2, code)) + text).ljust(PACK_HEADER_BYTES + 22, b"\0")


def _time(seconds: int) -> int | None:
    return (EPOCH_2019_S + seconds) * NS_PER_S if seconds else None


def _location(v: tuple[float, ...]) -> Message:
    (lat, lon, pressure, geodetic, height, second, direction, speed, vertical, _, _, _, status,
     reference, *codes) = v  # fmt: skip
    return location_of(
        int(status), (lat / 1e7, lon / 1e7), (direction / 100.0, speed / 100.0, vertical / 100.0),
        (pressure, geodetic, height), reference == 1, tuple(int(c) for c in codes), second,
    )  # fmt: skip


def _system(v: tuple[float, ...]) -> Message:
    (lat, lon, ceiling, floor, operator, seconds, count, radius, _, _, _, source, classification,
     category, class_code) = v  # fmt: skip
    return system_of(
        int(source), int(classification), (lat / 1e7, lon / 1e7), (int(count), radius),
        (ceiling, floor, operator), (int(category), int(class_code)), int(seconds),
    )  # fmt: skip


def _authentication(v: tuple[int | bytes, ...]) -> Message:
    seconds, _, _, _, kind, page, last, length, raw = v
    assert isinstance(raw, bytes)
    seconds, kind, page, last, length = (int(n) for n in (seconds, kind, page, last, length))
    page, kind = page & AUTH_MAX_PAGE, kind & 0x0F
    if page:
        return AuthenticationPage(kind, page, raw)
    last = min(last, AUTH_MAX_PAGE)
    return AuthenticationPage(kind, 0, raw[:AUTH_FIRST_PAGE_BYTES], last, length, _time(seconds))


_COORDINATES, _ALTITUDE, _HEADING, _SPEED, _CALLSIGN, _SIMULATED, _VERTICAL = (
    1, 2, 4, 8, 16, 64, 128,
)  # fmt: skip
_UAV = 14  # ADSB_EMITTER_TYPE_UAV


def vehicle_of(frame: Frame) -> Vehicle:
    """An ADSB_VEHICLE; InputError where it has no place, or says that it is simulated."""
    (icao, lat, lon, altitude_mm, heading, speed, vertical, flags, _, kind, callsign, emitter,
     age_s) = MESSAGES[ADSB_VEHICLE][0].unpack(frame.payload)  # fmt: skip
    if flags & _SIMULATED:
        raise InputError("adsb_vehicle.flags", "simulated", "Send what was measured.")
    lat_deg, lon_deg = place(lat / 1e7, lon / 1e7)
    if not flags & _COORDINATES or lat_deg is None or lon_deg is None:
        raise InputError("adsb_vehicle.lat", "no place", "Send its position.")
    text = callsign.partition(b"\0")[0].decode("ascii", "replace").strip()
    named = flags & _CALLSIGN and text.isascii() and text.isprintable()
    return Vehicle(
        f"{icao & 0xFF_FFFF:06x}",
        text if named else "",
        lat_deg,
        lon_deg,
        altitude(altitude_mm / 1_000.0) if flags & _ALTITUDE else None,
        kind == 1,
        heading / 100.0 % 360.0 if flags & _HEADING and heading <= 36_000 else None,
        speed / 100.0 if flags & _SPEED else None,
        vertical / 100.0 if flags & _VERTICAL else None,
        emitter == _UAV,
        age_s,
    )
