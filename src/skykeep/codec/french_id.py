"""French electronic signalling: the fields of a Wi-Fi beacon's vendor element.

Source: arrêté du 27 décembre 2019 (NOR ECOI1934044A), annex: type, length and value, numbers
big endian; 1 protocol version, 2 French identifier (30 characters: maker, model, serial), 3
ANSI/CTA-2063 serial, 4 and 5 position in 1e-5 degrees, 6 altitude above mean sea level in m, 7
height above take-off in m, 8 and 9 place of take-off, 10 ground speed in m/s, 11 heading in
degrees. It gives no time and no accuracy.
"""

from __future__ import annotations

import struct

from skykeep.codec.remote_id_messages import (
    BasicId,
    HeightAboveTakeOff,
    IdType,
    Location,
    Message,
    OperatorLocation,
    System,
    UaType,
)
from skykeep.core.event import Finding, Severity
from skykeep.core.geo import HeightAmsl
from skykeep.errors import InputError

VERSION = 1
COUNTS_PER_DEGREE = 100_000
_VERSION, _FRENCH, _SERIAL, _LAT, _LON, _ALTITUDE = 1, 2, 3, 4, 5, 6
_HEIGHT, _HOME_LAT, _HOME_LON, _SPEED, _HEADING = 7, 8, 9, 10, 11
_NAMES = {
    _VERSION: "version", _LAT: "lat_deg", _LON: "lon_deg", _ALTITUDE: "altitude_m",
    _HEIGHT: "height_m", _HOME_LAT: "take_off_lat_deg", _HOME_LON: "take_off_lon_deg",
    _SPEED: "speed_mps", _HEADING: "direction_deg",
}  # fmt: skip
_FORMATS = {
    _VERSION: ">B", _LAT: ">i", _LON: ">i", _ALTITUDE: ">h", _HEIGHT: ">h",
    _HOME_LAT: ">i", _HOME_LON: ">i", _SPEED: ">B", _HEADING: ">H",
}  # fmt: skip
_TEXTS = {_FRENCH: ("french_id", 30), _SERIAL: ("serial", 20)}


def decode_french(data: bytes) -> tuple[tuple[Message, ...], tuple[Finding, ...]]:
    """The identities, the location and the place of take-off in an element's fields.

    Raises InputError where no field could be read.
    """
    findings: list[Finding] = []
    numbers: dict[int, int] = {}
    texts: dict[int, str] = {}
    at = 0
    while at + 2 <= len(data):
        kind, size = data[at], data[at + 1]
        value = data[at + 2 : at + 2 + size]
        if len(value) < size:
            findings.append(_finding(at, "length", f"ends after {len(value)} of {size} bytes"))
        elif kind in _FORMATS:
            if size == struct.calcsize(_FORMATS[kind]):
                (numbers[kind],) = struct.unpack(_FORMATS[kind], value)
            else:
                findings.append(_finding(at, _NAMES[kind], f"{size} bytes"))
        elif kind in _TEXTS:
            name, most = _TEXTS[kind]
            text = value.rstrip(b"\0").decode("ascii", "replace").strip()
            if text and text.isascii() and text.isprintable() and len(text) <= most:
                texts[kind] = text
            else:
                findings.append(_finding(at, name, "no text of the length allowed"))
        at += 2 + size
    if not numbers and not texts:
        raise InputError("byte 0: french", "no field that can be read", "Send types 1 to 11.")
    if numbers.get(_VERSION, VERSION) != VERSION:
        problem = f"protocol version {numbers[_VERSION]}"
        where = f"french.{_NAMES[_VERSION]}"
        findings.append(Finding(where, problem, f"read as {VERSION}", Severity.WARNING))
    return tuple(_messages(numbers, texts, findings)), tuple(findings)


def _messages(
    numbers: dict[int, int], texts: dict[int, str], findings: list[Finding]
) -> list[Message]:
    messages: list[Message] = []
    if _SERIAL in texts:
        messages.append(BasicId(IdType.SERIAL_NUMBER, UaType.NONE, texts[_SERIAL]))
    if _FRENCH in texts:
        messages.append(BasicId(IdType.FRENCH, UaType.NONE, texts[_FRENCH]))
    home = _place(numbers, _HOME_LAT, _HOME_LON, findings)
    if home is not None:
        messages.append(System(OperatorLocation.TAKE_OFF, *home))
    place = _place(numbers, _LAT, _LON, findings)
    lat, lon = (None, None) if place is None else place
    heading, speed = numbers.get(_HEADING), numbers.get(_SPEED)
    if heading is not None and heading > 360:
        findings.append(_finding(0, "direction_deg", f"{heading} degrees"))
        heading = None
    altitude, height = numbers.get(_ALTITUDE), numbers.get(_HEIGHT)
    location = Location(
        lat_deg=lat,
        lon_deg=lon,
        altitude_amsl=None if altitude is None else HeightAmsl(float(altitude)),
        height=None if height is None else HeightAboveTakeOff(float(height)),
        direction_deg=None if heading is None else float(heading % 360),
        speed_mps=None if speed is None else float(speed),
    )
    if location != Location():
        messages.append(location)
    return messages


def _place(
    numbers: dict[int, int], lat: int, lon: int, findings: list[Finding]
) -> tuple[float, float] | None:
    if lat not in numbers or lon not in numbers or numbers[lat] == numbers[lon] == 0:
        return None
    lat_deg, lon_deg = numbers[lat] / COUNTS_PER_DEGREE, numbers[lon] / COUNTS_PER_DEGREE
    if abs(lat_deg) > 90.0 or abs(lon_deg) > 180.0:
        findings.append(_finding(0, _NAMES[lat], "not on the globe"))
        return None
    return lat_deg, lon_deg


def _finding(at: int, what: str, problem: str) -> Finding:
    where = f"byte {at}: french.{what}"
    return Finding(where, problem, "this field is left out", Severity.ERROR)


def encode_french(
    location: Location,
    french_id: str | None = None,
    serial: str | None = None,
    take_off: tuple[float, float] | None = None,
) -> bytes:
    """The fields, for tests and simulations; InputError for what they cannot say.

    Numbers are rounded to the element's steps; a height or an altitude of another kind than
    the element's own is left out.
    """
    parts = [(_VERSION, bytes((VERSION,)))]
    for kind, text in ((_FRENCH, french_id), (_SERIAL, serial)):
        if text is not None:
            name, most = _TEXTS[kind]
            if not (text and text.isascii() and len(text) <= most):
                raise InputError(f"french.{name}", "no text of the length allowed", "Correct it.")
            parts.append((kind, text.encode("ascii")))
    home_lat, home_lon = take_off or (None, None)
    altitude, height = location.altitude_amsl, location.height
    numbers: tuple[tuple[int, float | None], ...] = (
        (_LAT, _counts(location.lat_deg)),
        (_LON, _counts(location.lon_deg)),
        (_ALTITUDE, None if altitude is None else altitude.m),
        (_HEIGHT, height.m if isinstance(height, HeightAboveTakeOff) else None),
        (_HOME_LAT, _counts(home_lat)),
        (_HOME_LON, _counts(home_lon)),
        (_SPEED, location.speed_mps),
        (_HEADING, location.direction_deg),
    )
    for kind, value in numbers:
        if value is not None:
            try:
                parts.append((kind, struct.pack(_FORMATS[kind], round(value))))
            except (struct.error, ValueError, OverflowError):
                problem = f"{value!r} does not fit"
                raise InputError(f"french.{_NAMES[kind]}", problem, "Correct it.") from None
    return b"".join(bytes((kind, len(value))) + value for kind, value in parts)


def _counts(degrees: float | None) -> float | None:
    return None if degrees is None else degrees * COUNTS_PER_DEGREE
