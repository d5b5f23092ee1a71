"""`ODID_UAS_Data` of opendroneid-core-c as it lies in memory: what DroneScout receivers publish.

Source: libopendroneid/opendroneid.h of opendroneid-core-c (Apache-2.0), laid out as its usual
compilers do on 64-bit little-endian machines: enumerations are 4 bytes, each member is aligned to
its size, the whole to 8. Two Basic IDs and a system time came with F3411-22a (920 bytes); before
it there was one Basic ID, with the time (888 bytes) or without (880). What is unknown there is a
number (direction 361, speeds 255 and 63, heights -1000, time 65535, 0/0), and None here.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from skykeep.codec.remote_id_messages import (
    ALTITUDE_MAX_M,
    ALTITUDE_ZERO_M,
    AUTH_FIRST_PAGE_BYTES,
    AUTH_MAX_PAGE,
    AUTH_PAGE_BYTES,
    DIRECTION_UNKNOWN_DEG,
    EPOCH_2019_S,
    HORIZONTAL_BOUND_M,
    SPEED_BOUND_MPS,
    SPEED_CAP_MPS,
    TENTHS_PER_HOUR,
    TIME_BOUND_S,
    VERTICAL_BOUND_M,
    VERTICAL_CAP_MPS,
    AuthenticationPage,
    BasicId,
    CategoryEu,
    Classification,
    HeightAboveTakeOff,
    IdType,
    Location,
    Message,
    OperatorId,
    OperatorLocation,
    SelfId,
    Status,
    System,
    UaType,
)
from skykeep.core.geo import HeightAgl, HeightHae, HeightPressure
from skykeep.errors import InputError
from skykeep.units import NS_PER_S

PAGES = AUTH_MAX_PAGE + 1
_BASIC = struct.Struct("<ii21s3x")
_LOCATION = struct.Struct("<ifffddffifiiiiif")
_PAGE = struct.Struct("<B3xiBB2xI24s")
_SELF = struct.Struct("<i24s")
_SYSTEM = struct.Struct("<iiddHHffiif")
_OPERATOR = struct.Struct("<i21s3x")


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the members lie; `valid` is the first of the bytes that say which are there."""

    basics: int
    timed: bool
    self_id: int
    system: int
    operator: int
    valid: int
    size: int

    @property
    def location(self) -> int:
        """Behind the Basic IDs."""
        return self.basics * _BASIC.size

    @property
    def pages(self) -> int:
        """Behind the location."""
        return self.location + _LOCATION.size


def _aligned(at: int) -> int:
    return (at + 7) // 8 * 8


def _layout(basics: int, timed: bool) -> Layout:
    self_id = basics * _BASIC.size + _LOCATION.size + PAGES * _PAGE.size
    system = _aligned(self_id + _SELF.size)
    operator = _aligned(system + _SYSTEM.size + (4 if timed else 0))
    valid = operator + _OPERATOR.size
    size = _aligned(valid + basics + 1 + PAGES + 3)
    return Layout(basics, timed, self_id, system, operator, valid, size)


LAYOUTS = {made.size: made for made in (_layout(2, True), _layout(1, True), _layout(1, False))}


def decode_struct(data: bytes) -> tuple[Message, ...]:
    """The messages that are said to be there, unknown values as None.

    Raises InputError for another size than those of `LAYOUTS`. A value that cannot be (a
    latitude of 91, a code that nobody knows) is unknown, as the receiver has read it already.
    """
    layout = LAYOUTS.get(len(data))
    if layout is None:
        sizes = ", ".join(map(str, sorted(LAYOUTS, reverse=True)))
        raise InputError("UASdata", f"{len(data)} bytes", f"Known are structures of {sizes}.")
    valid = data[layout.valid :]
    messages: list[Message] = []
    for n in range(layout.basics):
        if valid[n] == 1:
            messages.append(_basic(data, n * _BASIC.size))
    if valid[layout.basics] == 1:
        messages.append(_location(data, layout.location))
    first_page = layout.basics + 1
    for n in range(PAGES):
        if valid[first_page + n] == 1:
            messages.append(_page(data, layout.pages + n * _PAGE.size))
    rest = first_page + PAGES
    if valid[rest] == 1:
        kind, text = _SELF.unpack_from(data, layout.self_id)
        messages.append(SelfId(kind & 0xFF, _text(text)))
    if valid[rest + 1] == 1:
        messages.append(_system(data, layout))
    if valid[rest + 2] == 1:
        kind, text = _OPERATOR.unpack_from(data, layout.operator)
        messages.append(OperatorId(kind & 0xFF, _text(text)))
    return tuple(messages)


def _text(raw: bytes) -> str | None:
    text = raw.partition(b"\0")[0].decode("ascii", "backslashreplace").strip()
    return "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in text) or None


def _basic(data: bytes, at: int) -> BasicId:
    ua_code, id_code, raw = _BASIC.unpack_from(data, at)
    id_type = IdType(id_code) if 0 <= id_code <= IdType.SPECIFIC_SESSION else IdType.NONE
    ua_type = UaType(ua_code) if 0 <= ua_code <= UaType.OTHER else UaType.NONE
    if id_type is IdType.UTM_UUID:
        h = raw[:16].hex()
        uuid = f"{h[:8]}-{h[8:12]}-{h[12:16]}-{h[16:20]}-{h[20:]}"
        return BasicId(id_type, ua_type, uuid if any(raw[:16]) else None)
    if id_type is IdType.SPECIFIC_SESSION:
        return BasicId(id_type, ua_type, raw[:20].hex() if any(raw[:20]) else None)
    return BasicId(id_type, ua_type, _text(raw[:20]))


def known(value: float, low: float, high: float) -> float | None:
    """A number within its range; None outside it, or where it is none."""
    return value if low <= value <= high else None


def place(lat_deg: float, lon_deg: float) -> tuple[float | None, float | None]:
    """A place on the globe, or None twice; 0/0 means unknown."""
    if known(lat_deg, -90.0, 90.0) is None or known(lon_deg, -180.0, 180.0) is None:
        return None, None
    return (None, None) if lat_deg == lon_deg == 0.0 else (lat_deg, lon_deg)


def altitude(m: float) -> float | None:
    """A height in metres, None at -1000 and below, as the standard has it, or if absurd."""
    return m if ALTITUDE_ZERO_M < m <= ALTITUDE_MAX_M else None


def location_of(
    status: int, place_deg: tuple[float, float], motion: tuple[float, float, float],
    heights_m: tuple[float, float, float], over_ground: bool, codes: tuple[int, ...],
    second: float,
) -> Location:  # fmt: skip
    """A location from numbers in which unknown values have numbers of their own.

    `motion` is direction, speed, vertical speed; `heights_m` pressure altitude, geodetic
    altitude, height; `codes` the accuracies: horizontal, vertical, pressure, speed, time.
    """
    direction, speed, vertical = motion
    pressure, geodetic, height = map(altitude, heights_m)
    lat_deg, lon_deg = place(*place_deg)
    heading = known(direction, 0.0, DIRECTION_UNKNOWN_DEG - 1.0)
    tenths = None if known(second, 0.0, TENTHS_PER_HOUR / 10) is None else round(second * 10.0)
    above = HeightAgl if over_ground else HeightAboveTakeOff
    return Location(
        status=Status(status) if 0 <= status <= max(Status) else Status.UNDECLARED,
        lat_deg=lat_deg,
        lon_deg=lon_deg,
        altitude_geodetic=None if geodetic is None else HeightHae(geodetic),
        altitude_pressure=None if pressure is None else HeightPressure(pressure),
        height=None if height is None else above(height),
        direction_deg=None if heading is None else heading % 360.0,
        # The caps are floors, not measurements.
        speed_mps=speed if 0.0 <= speed < SPEED_CAP_MPS else None,
        vertical_speed_mps=vertical if abs(vertical) < VERTICAL_CAP_MPS else None,
        accuracy_horizontal_m=HORIZONTAL_BOUND_M.get(codes[0]),
        accuracy_vertical_m=VERTICAL_BOUND_M.get(codes[1]),
        accuracy_pressure_m=VERTICAL_BOUND_M.get(codes[2]),
        accuracy_speed_mps=SPEED_BOUND_MPS.get(codes[3]),
        accuracy_time_s=TIME_BOUND_S.get(codes[4]),
        time_tenths=tenths,
    )


def _location(data: bytes, at: int) -> Location:
    (status, direction, speed, vertical, lat, lon, pressure, geodetic, reference, height,
     *codes, second) = _LOCATION.unpack_from(data, at)  # fmt: skip
    return location_of(
        status, (lat, lon), (direction, speed, vertical), (pressure, geodetic, height),
        reference == 1, tuple(codes), second,
    )  # fmt: skip


def _page(data: bytes, at: int) -> AuthenticationPage:
    number, kind, last, length, seconds, raw = _PAGE.unpack_from(data, at)
    number, kind = number & AUTH_MAX_PAGE, kind & 0x0F
    if number:
        return AuthenticationPage(kind, number, raw[:AUTH_PAGE_BYTES])
    at_ns = (EPOCH_2019_S + seconds) * NS_PER_S if seconds else None
    return AuthenticationPage(kind, 0, raw[:AUTH_FIRST_PAGE_BYTES], last, length, at_ns)


def system_of(
    source: int, classification: int, place_deg: tuple[float, float], area: tuple[int, float],
    heights_m: tuple[float, float, float], codes: tuple[int, int], seconds: int,
) -> System:  # fmt: skip
    """The same for a system message: `area` count and radius, `heights_m` ceiling, floor and
    operator, `codes` category and class.
    """
    lat_deg, lon_deg = place(*place_deg)
    ceiling, floor, operator = (
        None if m is None else HeightHae(m) for m in map(altitude, heights_m)
    )
    category, class_code = codes
    return System(
        operator_location=(
            OperatorLocation(source) if 0 <= source <= 2 else OperatorLocation.TAKE_OFF
        ),
        operator_lat_deg=lat_deg,
        operator_lon_deg=lon_deg,
        operator_altitude=operator,
        area_count=area[0],
        area_radius_m=float(area[1]),
        area_ceiling=ceiling,
        area_floor=floor,
        classification=(
            Classification.EUROPEAN_UNION if classification == 1 else Classification.UNDECLARED
        ),
        category_eu=CategoryEu(category) if 0 <= category <= 3 else CategoryEu.UNDECLARED,
        class_eu=class_code - 1 if 1 <= class_code <= 7 else None,
        at_ns=(EPOCH_2019_S + seconds) * NS_PER_S if seconds else None,
    )


def _system(data: bytes, layout: Layout) -> System:
    (source, classification, lat, lon, count, radius, ceiling, floor, category, class_code,
     operator) = _SYSTEM.unpack_from(data, layout.system)  # fmt: skip
    seconds = 0
    if layout.timed:
        (seconds,) = struct.unpack_from("<I", data, layout.system + _SYSTEM.size)
    return system_of(
        source, classification, (lat, lon), (count, radius), (ceiling, floor, operator),
        (category, class_code), seconds,
    )  # fmt: skip


def encode_struct(messages: tuple[Message, ...], size: int = 920) -> bytes:
    """The structure of messages, at most one of a kind but for Basic IDs and pages; for tests."""
    layout = LAYOUTS[size]
    data = bytearray(layout.size)
    basics = 0
    rest = layout.valid + layout.basics + 1 + PAGES
    for m in messages:
        match m:
            case BasicId():
                text = m.uas_id or ""
                binary = m.id_type in (IdType.UTM_UUID, IdType.SPECIFIC_SESSION)
                raw = bytes.fromhex(text.replace("-", "")) if binary else text.encode("ascii")
                _BASIC.pack_into(data, basics * _BASIC.size, m.ua_type, m.id_type, raw)
                data[layout.valid + basics] = 1
                basics += 1
            case Location():
                _LOCATION.pack_into(data, layout.location, *_numbers(m))
                data[layout.valid + layout.basics] = 1
            case AuthenticationPage():
                at = layout.pages + m.page * _PAGE.size
                _PAGE.pack_into(data, at, m.page, m.auth_type, m.last_page or 0,
                                m.length_bytes or 0, _seconds(m.at_ns), m.data)  # fmt: skip
                data[layout.valid + layout.basics + 1 + m.page] = 1
            case SelfId():
                text = m.text or ""
                _SELF.pack_into(data, layout.self_id, m.description_type, text.encode("ascii"))
                data[rest] = 1
            case System():
                _pack_system(m, layout, data)
                data[rest + 1] = 1
            case OperatorId():
                text = m.operator_id or ""
                _OPERATOR.pack_into(data, layout.operator, m.operator_id_type, text.encode("ascii"))
                data[rest + 2] = 1
    return bytes(data)


def _seconds(at_ns: int | None) -> int:
    return 0 if at_ns is None else at_ns // NS_PER_S - EPOCH_2019_S


def _or(value: float | None, unknown: float) -> float:
    return unknown if value is None else value


def _code(bound: float | None, bounds: dict[int, float]) -> int:
    return next((code for code, b in bounds.items() if b == bound), 0)


def _numbers(m: Location) -> tuple[float, ...]:
    heights = [
        ALTITUDE_ZERO_M if h is None else h.m
        for h in (m.altitude_pressure, m.altitude_geodetic, m.height)
    ]
    second = 65_535.0 if m.time_tenths is None else m.time_tenths / 10.0
    return (
        m.status, _or(m.direction_deg, 361.0), _or(m.speed_mps, 255.0),
        _or(m.vertical_speed_mps, 63.0), _or(m.lat_deg, 0.0), _or(m.lon_deg, 0.0), heights[0],
        heights[1], int(isinstance(m.height, HeightAgl)), heights[2],
        _code(m.accuracy_horizontal_m, HORIZONTAL_BOUND_M),
        _code(m.accuracy_vertical_m, VERTICAL_BOUND_M),
        _code(m.accuracy_pressure_m, VERTICAL_BOUND_M),
        _code(m.accuracy_speed_mps, SPEED_BOUND_MPS), _code(m.accuracy_time_s, TIME_BOUND_S),
        second,
    )  # fmt: skip


def _pack_system(m: System, layout: Layout, data: bytearray) -> None:
    heights = [
        ALTITUDE_ZERO_M if h is None else h.m
        for h in (m.area_ceiling, m.area_floor, m.operator_altitude)
    ]
    class_code = 0 if m.class_eu is None else m.class_eu + 1
    _SYSTEM.pack_into(
        data, layout.system, m.operator_location, m.classification, _or(m.operator_lat_deg, 0.0),
        _or(m.operator_lon_deg, 0.0), m.area_count, round(m.area_radius_m), heights[0],
        heights[1], m.category_eu, class_code, heights[2],
    )  # fmt: skip
    if layout.timed:
        struct.pack_into("<I", data, layout.system + _SYSTEM.size, _seconds(m.at_ns))
