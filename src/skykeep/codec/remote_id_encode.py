"""Broadcast Remote ID: message values to bytes (ASTM F3411-22a 5.4.5, EN 4709-002).

A strict writer: what the wire cannot say raises InputError naming the field. Numbers are
rounded to the wire's step; an accuracy takes the tightest class that still covers it.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence

from skykeep.codec.remote_id_messages import (
    ALTITUDE_MAX_M,
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
    HeightAboveTakeOff,
    IdType,
    Location,
    Message,
    MessageType,
    OperatorId,
    SelfId,
    Status,
    System,
)
from skykeep.core.geo import HeightAgl, HeightHae, HeightPressure
from skykeep.errors import InputError
from skykeep.units import NS_PER_S


def encode_message(message: Message, version: int = PROTOCOL_VERSION) -> bytes:
    """One message as its 25 bytes, in the edition of a protocol version (0 to 2).

    Raises InputError naming the field for values that the wire cannot carry, or not in that
    edition: what came with F3411-22a is the system's time, the status of a Remote ID failure,
    session ids and authentication of a specific method.
    """
    _check_edition(message, version)
    match message:
        case BasicId():
            kind, body = MessageType.BASIC_ID, _basic_id(message)
        case Location():
            kind, body = MessageType.LOCATION, _location(message)
        case AuthenticationPage():
            kind, body = MessageType.AUTHENTICATION, _authentication(message)
        case SelfId():
            code = _integer(message.description_type, 0, 255, "self_id.description_type")
            text = _text(message.text, TEXT_BYTES, "self_id.text")
            kind, body = MessageType.SELF_ID, bytes((code,)) + text
        case System():
            kind, body = MessageType.SYSTEM, _system(message)
        case OperatorId():
            code = _integer(message.operator_id_type, 0, 255, "operator_id.operator_id_type")
            text = _text(message.operator_id, ID_BYTES, "operator_id.operator_id")
            kind, body = MessageType.OPERATOR_ID, bytes((code,)) + text
    return (bytes((kind << 4 | version,)) + body).ljust(MESSAGE_BYTES, b"\0")


def _check_edition(message: Message, version: int) -> None:
    if not 0 <= version <= PROTOCOL_VERSION:
        mend = f"Give 0 to {PROTOCOL_VERSION}."
        raise InputError("message.version", f"{version} is unknown", mend)
    if version == PROTOCOL_VERSION:
        return
    newer = {
        "system.at_ns": isinstance(message, System) and message.at_ns is not None,
        "location.status": isinstance(message, Location)
        and message.status is Status.REMOTE_ID_FAILURE,
        "basic_id.id_type": isinstance(message, BasicId)
        and message.id_type is IdType.SPECIFIC_SESSION,
        "authentication.auth_type": isinstance(message, AuthenticationPage)
        and message.auth_type == AuthType.SPECIFIC_METHOD,
    }
    for field, there in newer.items():
        if there:
            raise InputError(field, "came with F3411-22a", f"Write version {PROTOCOL_VERSION}.")


def encode_pack(messages: Sequence[Message], version: int = PROTOCOL_VERSION) -> bytes:
    """A message pack (type 0xF) of one to nine messages, in the order given.

    Raises InputError for none or too many, or for values that the wire cannot carry.
    """
    if not 1 <= len(messages) <= PACK_MAX_MESSAGES:
        raise InputError(
            "pack.messages", f"{len(messages)} messages", f"Give 1 to {PACK_MAX_MESSAGES}."
        )
    header = bytes((MessageType.PACK << 4 | version, MESSAGE_BYTES, len(messages)))
    return header + b"".join(encode_message(m, version) for m in messages)


def _basic_id(m: BasicId) -> bytes:
    field = "basic_id.uas_id"
    if m.id_type > 15:
        problem = f"{m.id_type.name} is no identity of this wire"
        raise InputError("basic_id.id_type", problem, "Give 0 to 4.")
    if m.id_type in (IdType.UTM_UUID, IdType.SPECIFIC_SESSION):
        size = 16 if m.id_type is IdType.UTM_UUID else ID_BYTES
        identity = _hexadecimal(m.uas_id, size, field).ljust(ID_BYTES, b"\0")
    else:
        identity = _text(m.uas_id, ID_BYTES, field)
    return bytes((m.id_type << 4 | m.ua_type,)) + identity


def _location(m: Location) -> bytes:
    if m.altitude_amsl is not None:
        problem = "has no place in this message"
        raise InputError("location.altitude_amsl", problem, "Give the height above the ellipsoid.")
    direction, east_west = _direction(m.direction_deg)
    speed, coarse = _speed(m.speed_mps)
    above_ground = isinstance(m.height, HeightAgl)
    lat, lon = _position(m.lat_deg, m.lon_deg, "location")
    tenths = TIME_UNKNOWN_CODE
    if m.time_tenths is not None:
        tenths = _integer(m.time_tenths, 0, TENTHS_PER_HOUR, "location.time_tenths")
    return struct.pack(
        "<BBBbiiHHHBBHB",
        m.status << 4 | above_ground << 2 | east_west << 1 | coarse,
        direction,
        speed,
        _vertical_speed(m.vertical_speed_mps),
        lat,
        lon,
        _altitude(m.altitude_pressure, "location.altitude_pressure"),
        _altitude(m.altitude_geodetic, "location.altitude_geodetic"),
        _altitude(m.height, "location.height"),
        _accuracy(m.accuracy_vertical_m, VERTICAL_BOUND_M, "location.accuracy_vertical_m") << 4
        | _accuracy(m.accuracy_horizontal_m, HORIZONTAL_BOUND_M, "location.accuracy_horizontal_m"),
        _accuracy(m.accuracy_pressure_m, VERTICAL_BOUND_M, "location.accuracy_pressure_m") << 4
        | _accuracy(m.accuracy_speed_mps, SPEED_BOUND_MPS, "location.accuracy_speed_mps"),
        tenths,
        _accuracy(m.accuracy_time_s, TIME_BOUND_S, "location.accuracy_time_s"),
    )


def _authentication(m: AuthenticationPage) -> bytes:
    code = _integer(m.auth_type, 0, 15, "authentication.auth_type")
    page = _integer(m.page, 0, AUTH_MAX_PAGE, "authentication.page")
    size = AUTH_FIRST_PAGE_BYTES if page == 0 else AUTH_PAGE_BYTES
    if len(m.data) != size:
        raise InputError(
            "authentication.data",
            f"{len(m.data)} bytes on page {page}",
            f"Give {size}, padded with zero bytes.",
        )
    head = bytes((code << 4 | page,))
    if page > 0:
        return head + m.data
    last = _integer(m.last_page, 0, AUTH_MAX_PAGE, "authentication.last_page")
    length = _integer(m.length_bytes, 0, 255, "authentication.length_bytes")
    return head + struct.pack("<BBI", last, length, _seconds_2019(m.at_ns)) + m.data


def _system(m: System) -> bytes:
    lat, lon = _position(m.operator_lat_deg, m.operator_lon_deg, "system.operator")
    class_code = 0
    if m.class_eu is not None:
        class_code = 1 + _integer(m.class_eu, 0, 6, "system.class_eu")
    radius = _number(m.area_radius_m, 0.0, 255 * RADIUS_STEP_M, "system.area_radius_m")
    return struct.pack(
        "<BiiHBHHBHI",
        m.classification << 2 | m.operator_location,
        lat,
        lon,
        _integer(m.area_count, 0, 0xFFFF, "system.area_count"),
        round(radius / RADIUS_STEP_M),
        _altitude(m.area_ceiling, "system.area_ceiling"),
        _altitude(m.area_floor, "system.area_floor"),
        m.category_eu << 4 | class_code,
        _altitude(m.operator_altitude, "system.operator_altitude"),
        _seconds_2019(m.at_ns),
    )


def _number(value: float, low: float, high: float, field: str) -> float:
    if not low <= value <= high:  # also catches NaN
        raise InputError(field, f"{value!r} lies outside {low} to {high}", "Give one inside.")
    return value


def _integer(value: int | None, low: int, high: int, field: str) -> int:
    if value is None or not low <= value <= high:
        raise InputError(field, f"{value!r} is not a whole number {low} to {high}", "Give one.")
    return value


def _position(lat_deg: float | None, lon_deg: float | None, field: str) -> tuple[int, int]:
    if lat_deg is None and lon_deg is None:
        return 0, 0
    if lat_deg is None or lon_deg is None:
        raise InputError(f"{field}.lat_deg", "half a position", "Give both angles or none.")
    lat = round(_number(lat_deg, -90.0, 90.0, f"{field}.lat_deg") * COUNTS_PER_DEGREE)
    lon = round(_number(lon_deg, -180.0, 180.0, f"{field}.lon_deg") * COUNTS_PER_DEGREE)
    if lat == 0 and lon == 0:
        raise InputError(
            f"{field}.lat_deg", "0/0 means unknown on this wire", "Give None or a place beside it."
        )
    return lat, lon


def _altitude(
    height: HeightHae | HeightPressure | HeightAgl | HeightAboveTakeOff | None, field: str
) -> int:
    if height is None:
        return 0
    # Code 0 says unknown, so the lowest altitude is one step above it.
    m = _number(height.m, ALTITUDE_ZERO_M + ALTITUDE_STEP_M, ALTITUDE_MAX_M, field)
    return round((m - ALTITUDE_ZERO_M) / ALTITUDE_STEP_M)


def _direction(deg: float | None) -> tuple[int, int]:
    """The code within a half circle and the east-west bit."""
    if deg is None:
        return DIRECTION_UNKNOWN_DEG - 180, 1
    whole = round(_number(deg, 0.0, 360.0, "location.direction_deg")) % 360
    return (whole - 180, 1) if whole >= 180 else (whole, 0)


def _speed(mps: float | None) -> tuple[int, int]:
    """The code and the bit that says which scale."""
    if mps is None:
        return SPEED_UNKNOWN_CODE, 1
    if not 0.0 <= mps < math.inf:
        raise InputError("location.speed_mps", f"{mps!r}", "Give a speed from 0 or None.")
    if mps < SPEED_COARSE_FROM_MPS + SPEED_STEP_MPS / 2:
        return min(round(mps / SPEED_STEP_MPS), 255), 0
    coarse = round((mps - SPEED_COARSE_FROM_MPS) / SPEED_COARSE_STEP_MPS)
    return min(coarse, SPEED_CAP_CODE), 1


def _vertical_speed(mps: float | None) -> int:
    if mps is None:
        return VERTICAL_UNKNOWN_CODE
    if not math.isfinite(mps):
        raise InputError("location.vertical_speed_mps", f"{mps!r}", "Give a speed or None.")
    return round(max(-VERTICAL_CAP_MPS, min(VERTICAL_CAP_MPS, mps)) / VERTICAL_STEP_MPS)


def _accuracy(bound: float | None, bounds: dict[int, float], field: str) -> int:
    if bound is None:
        return 0
    if not bound >= 0.0:
        raise InputError(field, f"{bound!r} is no accuracy", "Give a bound from 0 or None.")
    covering = [(b, code) for code, b in bounds.items() if b >= bound]
    return min(covering)[1] if covering else 0


def _seconds_2019(at_ns: int | None) -> int:
    if at_ns is None:
        return 0
    return _integer(at_ns // NS_PER_S - EPOCH_2019_S, 1, 0xFFFF_FFFF, "at_ns since 2019")


def _text(text: str | None, size: int, field: str) -> bytes:
    if text is None:
        return bytes(size)
    if not (text.isascii() and text.isprintable() and len(text) <= size):
        raise InputError(
            field, "not printable ASCII of the length allowed", f"Give at most {size} characters."
        )
    return text.encode("ascii").ljust(size, b"\0")


def _hexadecimal(text: str | None, size: int, field: str) -> bytes:
    if text is None:
        return bytes(size)
    try:
        raw = bytes.fromhex(text.replace("-", ""))
    except ValueError:
        raw = b""
    if len(raw) != size:
        raise InputError(field, f"not {size} bytes in hex", f"Give {2 * size} hex digits.")
    return raw
