"""DJI DroneID as broadcast in Wi-Fi beacons: the flight telemetry of older aircraft.

Sources: Department 13, "Anatomy of DJI's Drone Identification Implementation" (2017), and the
Kaitai description of Freek van Tienen and Mike Kershaw, for version 1; the Cyber-Defence Campus'
RemoteIDReceiver for version 2. No standard says it, and where those differ nothing is said here:
heights (metres, decimetres or feet) are left out. Angles are radians times 1e7, speeds cm/s.

Little endian: version u8, sequence u16, state u16, serial 16 characters, longitude i32, latitude
i32, altitude i16, height i16, speed north, east, up i16; then version 1: pitch, roll, yaw i16,
home longitude, latitude i32; version 2: yaw i16, time u64 (ms since 1970), pilot latitude,
longitude, home longitude, latitude i32; then both: product u8, length u8 and 20 bytes of user id.
"""

from __future__ import annotations

import math
import struct

from skykeep.codec.remote_id_messages import (
    BasicId,
    IdType,
    Location,
    Message,
    OperatorLocation,
    Status,
    System,
    UaType,
)
from skykeep.core.event import Finding, Severity
from skykeep.errors import InputError

_COMMON = struct.Struct("<BHH16siihhhhh")
_V1_REST = struct.Struct("<hhhii")
_V2_REST = struct.Struct("<hQiiii")
_RADIANS_1E7 = 180.0 / math.pi / 1e7
#: Bits of the state: which fields hold.
_SERIAL, _HOME, _MOTOR, _IN_AIR, _POSITION = 0x01, 0x04, 0x10, 0x20, 0x40
_HORIZONTAL, _VERTICAL = 0x0200, 0x0400
_TAIL_BYTES = 22


def decode_dji(data: bytes) -> tuple[tuple[Message, ...], tuple[Finding, ...]]:
    """Serial, location and the operator's place of one flight telemetry record.

    The user id is not read. Raises InputError for another version or a record cut short.
    """
    if not data:
        raise InputError("byte 0: dji", "no bytes", "Give a record.")
    version = data[0]
    if version not in (1, 2):
        raise InputError("byte 0: dji.version", f"version {version}", "Send version 1 or 2.")
    rest = _V1_REST if version == 1 else _V2_REST
    if len(data) < _COMMON.size + rest.size:
        problem = f"ends after {len(data)} of {_COMMON.size + rest.size + _TAIL_BYTES} bytes"
        raise InputError(f"byte {len(data)}: dji", problem, "Send the whole record.")
    _, _, state, serial, lon, lat, _, _, north, east, up = _COMMON.unpack_from(data)
    operator = rest.unpack_from(data, _COMMON.size)[3 if version == 1 else 2 :]
    findings: list[Finding] = []
    messages: list[Message] = []
    text = serial.rstrip(b"\0").decode("ascii", "replace")
    if text and text.isascii() and text.isprintable():
        if not state & _SERIAL:
            findings.append(_note(5, "serial", "said not to hold", "read all the same"))
        messages.append(BasicId(IdType.MANUFACTURER, UaType.HELICOPTER_OR_MULTIROTOR, text))
    else:
        findings.append(_note(5, "serial", "no printable text", "no identity"))
    messages += _operator(version, state, operator, findings)
    place = _place(lat, lon, "lat_deg", findings)
    lat_deg, lon_deg = (None, None) if place is None else place
    if not state & _POSITION and place is not None:
        findings.append(_note(25, "lat_deg", "said not to hold", "read all the same"))
    moves = bool(state & _HORIZONTAL)
    airborne = Status.AIRBORNE if state & _IN_AIR else Status.GROUND
    messages.append(
        Location(
            status=airborne if state & (_MOTOR | _IN_AIR) else Status.UNDECLARED,
            lat_deg=lat_deg,
            lon_deg=lon_deg,
            speed_mps=math.hypot(north, east) / 100.0 if moves else None,
            direction_deg=math.degrees(math.atan2(east, north)) % 360.0 if moves else None,
            vertical_speed_mps=up / 100.0 if state & _VERTICAL else None,
        )
    )
    return tuple(messages), tuple(findings)


def _operator(
    version: int, state: int, places: tuple[int, ...], findings: list[Finding]
) -> list[Message]:
    """Where the pilot is (version 2), else where home is, which is where it took off."""
    if version == 2:
        pilot = _place(places[0], places[1], "pilot_lat_deg", findings)
        if pilot is not None:
            return [System(OperatorLocation.LIVE_GNSS, *pilot)]
    if not state & _HOME:
        return []
    home = _place(places[-1], places[-2], "home_lat_deg", findings)
    return [] if home is None else [System(OperatorLocation.TAKE_OFF, *home)]


def _place(lat: int, lon: int, what: str, findings: list[Finding]) -> tuple[float, float] | None:
    if lat == 0 and lon == 0:
        return None
    lat_deg, lon_deg = lat * _RADIANS_1E7, lon * _RADIANS_1E7
    if abs(lat_deg) > 90.0 or abs(lon_deg) > 180.0:
        findings.append(_note(21, what, "not on the globe", "position unknown"))
        return None
    return lat_deg, lon_deg


def _note(at: int, what: str, problem: str, assumed: str) -> Finding:
    return Finding(f"byte {at}: dji.{what}", problem, assumed, Severity.WARNING)


def encode_dji(
    location: Location, serial: str, pilot: tuple[float, float] | None = None, version: int = 2
) -> bytes:
    """A record of either version, for tests and simulations; `pilot` is home in version 1."""
    counts = [
        0 if degrees is None else round(degrees / _RADIANS_1E7)
        for degrees in (location.lat_deg, location.lon_deg, *(pilot or (None, None)))
    ]
    lat, lon, pilot_lat, pilot_lon = counts
    state = _SERIAL | (_POSITION if location.lat_deg is not None else 0)
    state |= {Status.AIRBORNE: _MOTOR | _IN_AIR, Status.GROUND: _MOTOR}.get(location.status, 0)
    north = east = up = 0
    if location.speed_mps is not None and location.direction_deg is not None:
        angle = math.radians(location.direction_deg)
        north = round(location.speed_mps * math.cos(angle) * 100.0)
        east = round(location.speed_mps * math.sin(angle) * 100.0)
        state |= _HORIZONTAL
    if location.vertical_speed_mps is not None:
        up = round(location.vertical_speed_mps * 100.0)
        state |= _VERTICAL
    if version == 1:
        state |= _HOME if pilot else 0
        rest = _V1_REST.pack(0, 0, 0, pilot_lon, pilot_lat)
    else:
        rest = _V2_REST.pack(0, 0, pilot_lat, pilot_lon, 0, 0)
    try:
        raw = serial.encode("ascii").ljust(16, b"\0")
        head = _COMMON.pack(version, 0, state, raw[:16], lon, lat, 0, 0, north, east, up)
    except (struct.error, UnicodeEncodeError):
        raise InputError("dji", "a value does not fit the record", "Correct it.") from None
    return head + rest + bytes(_TAIL_BYTES)
