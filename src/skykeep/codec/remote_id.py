"""Broadcast Remote ID: bytes to message values (ASTM F3411-22a 5.4.5, EN 4709-002).

A tolerant reader: whatever makes sense is kept, and each fault is a `Finding` whose
`where` is "byte N: message.field", N counting from the start of the bytes given. Reserved
bits and bytes are not looked at, as the standard asks. Findings never quote an identity.

The three functions that most callers want are `decode`, `encode_pack` and `encode_message`.
"""

from __future__ import annotations

import enum
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from skykeep.codec.remote_id_encode import encode_message, encode_pack
from skykeep.codec.remote_id_messages import (
    ALTITUDE_STEP_M,
    ALTITUDE_ZERO_M,
    AUTH_FIRST_PAGE_BYTES,
    AUTH_MAX_PAGE,
    AUTH_PAGE_BYTES,
    COUNTS_PER_DEGREE,
    DIRECTION_UNKNOWN_DEG,
    EPOCH_2019_S,
    HORIZONTAL_BOUND_M,
    ID_BYTES,
    MESSAGE_BYTES,
    PACK_HEADER_BYTES,
    PACK_MAX_MESSAGES,
    PROTOCOL_VERSION,
    RADIUS_STEP_M,
    SPEED_BOUND_MPS,
    SPEED_CAP_CODE,
    SPEED_COARSE_FROM_MPS,
    SPEED_COARSE_STEP_MPS,
    SPEED_STEP_MPS,
    SPEED_UNKNOWN_CODE,
    TENTHS_PER_HOUR,
    TEXT_BYTES,
    TIME_BOUND_S,
    TIME_UNKNOWN_CODE,
    VERTICAL_BOUND_M,
    VERTICAL_CAP_MPS,
    VERTICAL_STEP_MPS,
    VERTICAL_UNKNOWN_CODE,
    AuthenticationPage,
    AuthType,
    BasicId,
    CategoryEu,
    Classification,
    DescriptionType,
    HeightAboveTakeOff,
    IdType,
    Location,
    Message,
    MessageType,
    OperatorId,
    OperatorLocation,
    SelfId,
    Status,
    System,
    UaType,
)
from skykeep.core.event import Finding, Severity
from skykeep.core.geo import HeightAgl, HeightHae, HeightPressure
from skykeep.errors import InputError
from skykeep.units import NS_PER_S, TimeNs

__all__ = [
    "AuthType",
    "AuthenticationPage",
    "BasicId",
    "CategoryEu",
    "Classification",
    "DescriptionType",
    "HeightAboveTakeOff",
    "IdType",
    "Location",
    "Message",
    "OperatorId",
    "OperatorLocation",
    "SelfId",
    "Status",
    "System",
    "UaType",
    "decode",
    "encode_message",
    "encode_pack",
    "resolve_time",
]

NS_PER_TENTH = NS_PER_S // 10
NS_PER_HOUR = 3600 * NS_PER_S
_SESSION_TYPES = (IdType.UTM_UUID, IdType.SPECIFIC_SESSION)
_Code = TypeVar("_Code", bound=enum.IntEnum)


def decode(data: bytes) -> tuple[tuple[Message, ...], tuple[Finding, ...]]:
    """The messages in a pack, or the one message, and what was amiss with them.

    Raises InputError where there is nothing to read: no bytes, a lone message that is cut
    short or of an unknown type, a pack whose header cannot be right.
    """
    if not data:
        raise InputError("byte 0: message", "no bytes", "Give a message or a pack.")
    if data[0] >> 4 == MessageType.PACK:
        return _decode_pack(data)
    if len(data) < MESSAGE_BYTES:
        raise InputError(
            f"byte {len(data)}: message",
            f"ends after {len(data)} of {MESSAGE_BYTES} bytes",
            "Send the whole message.",
        )
    if data[0] >> 4 not in _DECODERS:
        raise InputError(
            "byte 0: message.type", f"unknown type {data[0] >> 4}", "Send type 0 to 5 or a pack."
        )
    findings: list[Finding] = []
    message = _decode_one(_Reader(data[:MESSAGE_BYTES], 0, findings))
    _note_rest(data, MESSAGE_BYTES, findings)
    return (message,), tuple(findings)


def resolve_time(tenths: int | None, receipt_time_ns: int) -> TimeNs | None:
    """The UTC time that a location time means: of the hours around the receipt, the nearest.

    None where the time is unknown. A message from just before the full hour that arrives
    just after it (or the other way round, with clocks apart) is thus put where it belongs.
    """
    if tenths is None:
        return None
    hour_ns = receipt_time_ns // NS_PER_HOUR * NS_PER_HOUR
    same_ns = hour_ns + tenths * NS_PER_TENTH
    candidates = (same_ns - NS_PER_HOUR, same_ns, same_ns + NS_PER_HOUR)
    return TimeNs(min(candidates, key=lambda at_ns: abs(at_ns - receipt_time_ns)))


@dataclass(slots=True)
class _Reader:
    """The 25 bytes of one message, where they start in the input, and what was amiss."""

    data: bytes
    start: int
    findings: list[Finding]
    name: str = field(default="message")

    def note(
        self,
        offset: int,
        what: str,
        problem: str,
        assumed: str,
        severity: Severity = Severity.WARNING,
    ) -> None:
        where = f"byte {self.start + offset}: {self.name}.{what}"
        self.findings.append(Finding(where, problem, assumed, severity))

    def code(self, offset: int, what: str, code: int, codes: type[_Code]) -> _Code:
        """A code as its enumeration; a reserved one reads as its zero."""
        try:
            return codes(code)
        except ValueError:
            zero = codes(0)
            self.note(offset, what, f"reserved code {code}", zero.name.lower().replace("_", " "))
            return zero

    def newer(self, offset: int, what: str) -> None:
        """Something that came with F3411-22a; in an older message it is read all the same."""
        version = self.data[0] & 0x0F
        if version < PROTOCOL_VERSION:
            problem = f"is not yet in protocol version {version}"
            self.note(offset, what, problem, "read as in F3411-22a", Severity.NOTE)

    def accuracy(self, offset: int, what: str, code: int, bounds: dict[int, float]) -> float | None:
        if code and code not in bounds:
            self.note(offset, what, f"reserved code {code}", "unknown")
        return bounds.get(code)

    def position(self, offset: int, what: str) -> tuple[float | None, float | None]:
        lat, lon = struct.unpack_from("<ii", self.data, offset)
        if lat == 0 and lon == 0:
            return None, None
        lat_deg, lon_deg = lat / COUNTS_PER_DEGREE, lon / COUNTS_PER_DEGREE
        if abs(lat_deg) > 90.0 or abs(lon_deg) > 180.0:
            self.note(offset, what, "not on the globe", "position unknown", Severity.ERROR)
            return None, None
        return lat_deg, lon_deg

    def altitude_m(self, offset: int) -> float | None:
        (code,) = struct.unpack_from("<H", self.data, offset)
        return None if code == 0 else ALTITUDE_ZERO_M + code * ALTITUDE_STEP_M

    def hae(self, offset: int) -> HeightHae | None:
        m = self.altitude_m(offset)
        return None if m is None else HeightHae(m)

    def time_2019_ns(self, offset: int) -> int | None:
        (seconds,) = struct.unpack_from("<I", self.data, offset)
        return None if seconds == 0 else (EPOCH_2019_S + seconds) * NS_PER_S

    def text(self, offset: int, size: int, what: str) -> str | None:
        """ASCII up to the first zero byte; what cannot be shown stands as backslash escapes."""
        raw, _, rest = self.data[offset : offset + size].partition(b"\0")
        if rest.strip(b"\0"):
            self.note(offset, what, "bytes after the terminating zero", "left out", Severity.NOTE)
        text = raw.decode("ascii", "backslashreplace")
        if not (raw.isascii() and text.isprintable()):
            self.note(offset, what, "characters outside printable ASCII", "escaped")
            text = "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in text)
        if text != text.strip():
            self.note(offset, what, "padded with spaces", "stripped", Severity.NOTE)
            text = text.strip()
        return text or None


def _decode_pack(data: bytes) -> tuple[tuple[Message, ...], tuple[Finding, ...]]:
    if len(data) < PACK_HEADER_BYTES:
        raise InputError(
            f"byte {len(data)}: pack", "ends within its header", "Send the whole pack."
        )
    size, count = data[1], data[2]
    if size != MESSAGE_BYTES:
        raise InputError(
            "byte 1: pack.message_size", f"{size} bytes", f"Every message has {MESSAGE_BYTES}."
        )
    findings: list[Finding] = []
    if not 1 <= count <= PACK_MAX_MESSAGES:
        findings.append(
            Finding(
                "byte 2: pack.count",
                f"{count} messages, allowed are 1 to {PACK_MAX_MESSAGES}",
                "read as many as there are",
                Severity.WARNING,
            )
        )
    messages: list[Message] = []
    end = PACK_HEADER_BYTES + count * MESSAGE_BYTES
    for start in range(PACK_HEADER_BYTES, min(end, len(data)), MESSAGE_BYTES):
        part = data[start : start + MESSAGE_BYTES]
        reader = _Reader(part, start, findings)
        if part[0] >> 4 not in _DECODERS:
            reader.note(0, "type", f"type {part[0] >> 4} in a pack", "left out", Severity.ERROR)
        elif len(part) == MESSAGE_BYTES:
            messages.append(_decode_one(reader))
    if len(data) < end:
        there = (len(data) - PACK_HEADER_BYTES) // MESSAGE_BYTES
        findings.append(
            Finding(
                f"byte {len(data)}: pack.messages",
                f"ends after {there} of {count} messages",
                "the whole ones are kept",
                Severity.ERROR,
            )
        )
    _note_rest(data, end, findings)
    return tuple(messages), tuple(findings)


def _note_rest(data: bytes, end: int, findings: list[Finding]) -> None:
    if len(data) > end:
        findings.append(
            Finding(
                f"byte {end}: message.end",
                f"{len(data) - end} more bytes",
                "left out",
                Severity.NOTE,
            )
        )


def _decode_one(reader: _Reader) -> Message:
    kind = MessageType(reader.data[0] >> 4)
    version = reader.data[0] & 0x0F
    reader.name = kind.name.lower()
    if version > PROTOCOL_VERSION:
        reader.note(0, "version", f"protocol version {version}", f"read as {PROTOCOL_VERSION}")
    return _DECODERS[kind](reader)


def _basic_id(r: _Reader) -> BasicId:
    id_type = r.code(1, "id_type", r.data[1] >> 4, IdType)
    if id_type is IdType.SPECIFIC_SESSION:
        r.newer(1, "id_type")
    ua_type = UaType(r.data[1] & 0x0F)
    if id_type in _SESSION_TYPES:
        return BasicId(id_type, ua_type, _session_id(r, id_type))
    uas_id = r.text(2, ID_BYTES, "uas_id")
    if id_type is IdType.NONE and uas_id is not None and r.data[1] >> 4 == 0:
        r.note(1, "id_type", "says none although an identity is there", "a serial number")
    elif id_type is not IdType.NONE and uas_id is None:
        r.note(2, "uas_id", "empty although a type is stated", "no identity")
    return BasicId(id_type, ua_type, uas_id)


def _session_id(r: _Reader, id_type: IdType) -> str | None:
    raw = r.data[2 : 2 + ID_BYTES]
    if not any(raw):
        r.note(2, "uas_id", "empty although a type is stated", "no identity")
        return None
    if id_type is IdType.SPECIFIC_SESSION:
        return raw.hex()
    if any(raw[16:]):
        r.note(2, "uas_id", "bytes after the UUID", "left out", Severity.NOTE)
    h = raw[:16].hex()
    return f"{h[:8]}-{h[8:12]}-{h[12:16]}-{h[16:20]}-{h[20:]}"


def _location(r: _Reader) -> Location:
    d = r.data
    flags = d[1]
    lat_deg, lon_deg = r.position(5, "lat_deg")
    pressure_m, height_m = r.altitude_m(13), r.altitude_m(17)
    height: HeightAboveTakeOff | HeightAgl | None = None
    if height_m is not None:
        height = HeightAgl(height_m) if flags & 0x04 else HeightAboveTakeOff(height_m)
    status = r.code(1, "status", flags >> 4, Status)
    if status is Status.REMOTE_ID_FAILURE:
        r.newer(1, "status")
    return Location(
        status=status,
        lat_deg=lat_deg,
        lon_deg=lon_deg,
        altitude_geodetic=r.hae(15),
        altitude_pressure=None if pressure_m is None else HeightPressure(pressure_m),
        height=height,
        direction_deg=_direction(r, d[2], bool(flags & 0x02)),
        speed_mps=_speed(r, d[3], bool(flags & 0x01)),
        vertical_speed_mps=_vertical_speed(r, struct.unpack_from("<b", d, 4)[0]),
        accuracy_horizontal_m=r.accuracy(
            19, "accuracy_horizontal_m", d[19] & 0x0F, HORIZONTAL_BOUND_M
        ),
        accuracy_vertical_m=r.accuracy(19, "accuracy_vertical_m", d[19] >> 4, VERTICAL_BOUND_M),
        accuracy_pressure_m=r.accuracy(20, "accuracy_pressure_m", d[20] >> 4, VERTICAL_BOUND_M),
        accuracy_speed_mps=r.accuracy(20, "accuracy_speed_mps", d[20] & 0x0F, SPEED_BOUND_MPS),
        accuracy_time_s=r.accuracy(23, "accuracy_time_s", d[23] & 0x0F, TIME_BOUND_S),
        time_tenths=_time_tenths(r),
    )


def _direction(r: _Reader, code: int, west: bool) -> float | None:
    deg = code + 180 * west
    if deg == DIRECTION_UNKNOWN_DEG:
        return None
    if deg > 360:
        r.note(2, "direction_deg", f"{deg} degrees", "unknown")
        return None
    if code >= 180:  # the east-west bit should have carried the half circle
        r.note(2, "direction_deg", f"code {code} above 179", f"{deg % 360}")
    return float(deg % 360)


def _speed(r: _Reader, code: int, coarse: bool) -> float | None:
    if not coarse:
        return code * SPEED_STEP_MPS
    if code == SPEED_UNKNOWN_CODE:
        return None
    if code == SPEED_CAP_CODE:  # a floor and not a measurement
        r.note(3, "speed_mps", "254.25 m/s or more", "unknown", Severity.NOTE)
        return None
    return SPEED_COARSE_FROM_MPS + code * SPEED_COARSE_STEP_MPS


def _vertical_speed(r: _Reader, code: int) -> float | None:
    if code == VERTICAL_UNKNOWN_CODE:
        return None
    mps = code * VERTICAL_STEP_MPS
    if abs(mps) >= VERTICAL_CAP_MPS:  # the cap is a floor, beyond it nothing is defined
        problem = "62 m/s or more" if abs(mps) == VERTICAL_CAP_MPS else f"{mps} m/s"
        r.note(4, "vertical_speed_mps", problem, "unknown", Severity.NOTE)
        return None
    return mps


def _time_tenths(r: _Reader) -> int | None:
    (tenths,) = struct.unpack_from("<H", r.data, 21)
    if tenths == TIME_UNKNOWN_CODE:
        return None
    if tenths > TENTHS_PER_HOUR:
        r.note(21, "time_tenths", f"{tenths} tenths of a second in an hour", "unknown")
        return None
    return int(tenths)


def _authentication(r: _Reader) -> AuthenticationPage:
    auth_type, page = r.data[1] >> 4, r.data[1] & 0x0F
    if page > 0:
        return AuthenticationPage(auth_type, page, r.data[2:])
    last, length = r.data[2], r.data[3]
    if last > AUTH_MAX_PAGE:
        r.note(2, "last_page", f"page {last} of at most {AUTH_MAX_PAGE}", f"{AUTH_MAX_PAGE}")
        last = AUTH_MAX_PAGE
    if length > AUTH_FIRST_PAGE_BYTES + last * AUTH_PAGE_BYTES:
        r.note(3, "length_bytes", f"{length} bytes do not fit {last + 1} pages", "as stated")
    return AuthenticationPage(auth_type, 0, r.data[8:], last, length, r.time_2019_ns(4))


def _self_id(r: _Reader) -> SelfId:
    return SelfId(r.data[1], r.text(2, TEXT_BYTES, "text"))


def _system(r: _Reader) -> System:
    d = r.data
    version = d[0] & 0x0F
    lat_deg, lon_deg = r.position(2, "operator_lat_deg")
    class_code = d[17] & 0x0F
    if class_code > 7:
        r.note(17, "class_eu", f"reserved code {class_code}", "undeclared")
        class_code = 0
    count, radius = struct.unpack_from("<HB", d, 10)
    return System(
        operator_location=r.code(1, "operator_location", d[1] & 0x03, OperatorLocation),
        operator_lat_deg=lat_deg,
        operator_lon_deg=lon_deg,
        operator_altitude=r.hae(18),
        area_count=count,
        area_radius_m=radius * RADIUS_STEP_M,
        area_ceiling=r.hae(13),
        area_floor=r.hae(15),
        classification=r.code(1, "classification", d[1] >> 2 & 0x07, Classification),
        category_eu=r.code(17, "category_eu", d[17] >> 4, CategoryEu),
        class_eu=class_code - 1 if class_code else None,
        # Editions before F3411-22a have reserved bytes here, which may hold anything.
        at_ns=r.time_2019_ns(20) if version >= PROTOCOL_VERSION else None,
    )


def _operator_id(r: _Reader) -> OperatorId:
    return OperatorId(r.data[1], r.text(2, ID_BYTES, "operator_id"))


_DECODERS: dict[int, Callable[[_Reader], Message]] = {
    MessageType.BASIC_ID: _basic_id,
    MessageType.LOCATION: _location,
    MessageType.AUTHENTICATION: _authentication,
    MessageType.SELF_ID: _self_id,
    MessageType.SYSTEM: _system,
    MessageType.OPERATOR_ID: _operator_id,
}
