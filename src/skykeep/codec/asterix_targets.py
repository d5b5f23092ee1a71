"""Aircraft with a place of their own in ASTERIX: ADS-B (CAT 021) and system tracks (CAT 062).

EUROCONTROL-SPEC-0149-12, edition 2.6 (editions before 1.0 have another profile and cannot be
read), and -9, edition 1.20. Places are WGS84; flight levels are pressure altitudes.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from skykeep.codec.asterix import (
    ACCURACIES,
    DERIVED,
    Record,
    callsign_bytes,
    callsign_of,
    join,
    subfields,
)
from skykeep.codec.asterix_radar import ANGLE_LSB_DEG, FLIGHT_LEVEL_LSB_M, METRES_PER_NM
from skykeep.errors import InputError
from skykeep.units import METRES_PER_FOOT

#: I021/140, I062/130: geometric height in 6.25 ft; rates in 6.25 ft/min.
GEOMETRIC_LSB_M = 6.25 * METRES_PER_FOOT
RATE_LSB_MPS = 6.25 * METRES_PER_FOOT / 60.0
SPEED_LSB_MPS = METRES_PER_NM / 2.0**14
#: I062/185, I062/500: velocity in 0.25 m/s, Cartesian accuracy in 0.5 m.
VELOCITY_LSB_MPS, ACCURACY_LSB_M = 0.25, 0.5
#: I062/500, subfield 3: accuracy in WGS84, 180/2^25 degrees.
_ACCURACY_LSB_DEG = 180.0 / 2**25
_METRES_PER_DEG = 111_320.0
#: I021/020: the emitter category of a drone.
UNMANNED = 13


@dataclass(frozen=True, slots=True)
class Target:
    """One aircraft; None is "not in this message".

    `ticks` is the time of day in 1/128 s. `hae_m` is geometric height above the ellipsoid,
    `pressure_m` a pressure altitude.
    Velocities east, north, up in m/s. Accuracies are one sigma; `nac_p` and `nac_v` are the
    classes that ADS-B declares. `apart` says why it is no aircraft. `ended`: the last report.
    """

    sac: int
    sic: int
    ticks: int
    lat_deg: float
    lon_deg: float
    address: str | None = None
    anonymous: bool = False
    callsign: str = ""
    track_number: int | None = None
    hae_m: float | None = None
    pressure_m: float | None = None
    east_mps: float | None = None
    north_mps: float | None = None
    up_mps: float | None = None
    nac_p: int | None = None
    nac_v: int | None = None
    sigma_east_m: float | None = None
    sigma_north_m: float | None = None
    sigma_height_m: float | None = None
    sigma_east_mps: float | None = None
    sigma_north_mps: float | None = None
    category: int | None = None
    on_ground: bool | None = None
    apart: str = ""
    ended: bool = False


def adsb_of(record: Record) -> Target:
    """A CAT 021 record's values; InputError without source, address, time or place."""
    get = record.items.get
    source, moment = get(10), get(71) or get(73) or get(77)
    place, fine = get(130), get(131)
    if source is None or moment is None or (place is None and fine is None):
        raise InputError("category 21", "has no source, time or place", "Send I021/010, 073, 130")
    if fine is not None:
        lat_deg, lon_deg = (_signed(fine[k : k + 4]) * 180.0 / 2**30 for k in (0, 4))
    else:
        assert place is not None
        lat_deg, lon_deg = (_signed(place[k : k + 3]) * 180.0 / 2**23 for k in (0, 3))
    _check_place("I021/130", lat_deg, lon_deg)
    described, quality = get(40, b"\x00"), get(90)
    address, said, level, height = get(80), get(170), get(145), get(140, b"\x7f\xff")
    number, emitter, vector = get(161), get(20), get(160)
    east = north = None
    if vector is not None and not vector[0] & 0x80:
        speed = int.from_bytes(vector[:2], "big") * SPEED_LSB_MPS
        angle = math.radians(int.from_bytes(vector[2:], "big") * ANGLE_LSB_DEG)
        east, north = speed * math.sin(angle), speed * math.cos(angle)
    rate = get(157) or get(155)
    return Target(
        source[0], source[1], int.from_bytes(moment, "big"), lat_deg, lon_deg,
        address=None if address is None else address.hex(),
        anonymous=described[0] >> 5 not in (0, 1),
        callsign="" if said is None else callsign_of(said),
        track_number=None if number is None else int.from_bytes(number, "big") & 4095,
        hae_m=None if height == b"\x7f\xff" else _signed(height) * GEOMETRIC_LSB_M,
        pressure_m=None if level is None else _signed(level) * FLIGHT_LEVEL_LSB_M,
        east_mps=east, north_mps=north,
        up_mps=None if rate is None or rate[0] & 0x80 else _signed15(rate) * RATE_LSB_MPS,
        nac_p=quality[1] >> 1 & 15 if quality is not None and len(quality) > 1 else None,
        nac_v=None if quality is None else quality[0] >> 5,
        category=None if emitter is None else emitter[0],
        on_ground=bool(described[1] & 0x40) if len(described) > 1 else None,
        apart=_apart(described),
    )  # fmt: skip


def _apart(described: bytes) -> str:
    if described[0] & 0x02:
        return "a field monitor"
    if len(described) > 1 and described[1] & 0x20:
        return "simulated"
    return "a test target" if len(described) > 1 and described[1] & 0x10 else ""


def track_of(record: Record) -> Target:
    """A CAT 062 record's values; InputError without source, time, number or place.

    Of heights the geometric one comes first, then the barometric track, then the measured level.
    A barometric altitude that is corrected by a QNH is no pressure altitude and is left out.
    """
    get = record.items.get
    source, moment, place, number = get(10), get(70), get(105), get(40)
    if source is None or moment is None or place is None or number is None:
        mend = "Send I062/010, 040, 070 and 105"
        raise InputError("category 62", "has no source, time, number or place", mend)
    lat_deg, lon_deg = (_signed(place[k : k + 4]) * 180.0 / 2**25 for k in (0, 4))
    _check_place("I062/105", lat_deg, lon_deg)
    status, velocity, rate = get(80, b"\x00"), get(185), get(220)
    geometric, barometric, measured = get(130), get(135), get(136)
    pressure = None if measured is None else _signed(measured) * FLIGHT_LEVEL_LSB_M
    if barometric is not None and not barometric[0] & 0x80:
        pressure = _signed15(barometric) * FLIGHT_LEVEL_LSB_M
    derived = _parts(record.items, 380, DERIVED)
    address, said = derived.get(1), derived.get(2)
    target = get(245)
    callsign = callsign_of(said) if said is not None else ""
    if target is not None and target[0] >> 6 in (0, 1, 2):
        callsign = callsign_of(target[1:]) or callsign
    emitter = derived.get(21)
    known = _accuracies(record.items, lat_deg).get
    return Target(
        source[0], source[1], int.from_bytes(moment, "big"), lat_deg, lon_deg,
        address=None if address is None else address.hex(),
        callsign=callsign,
        track_number=int.from_bytes(number, "big"),
        hae_m=None if geometric is None else _signed(geometric) * GEOMETRIC_LSB_M,
        pressure_m=pressure,
        east_mps=None if velocity is None else _signed(velocity[:2]) * VELOCITY_LSB_MPS,
        north_mps=None if velocity is None else _signed(velocity[2:]) * VELOCITY_LSB_MPS,
        up_mps=None if rate is None else _signed(rate) * RATE_LSB_MPS,
        sigma_east_m=known("east_m"), sigma_north_m=known("north_m"),
        sigma_height_m=known("height_m"),
        sigma_east_mps=known("east_mps"), sigma_north_mps=known("north_mps"),
        category=None if emitter is None else emitter[0],
        apart="simulated" if len(status) > 1 and status[1] & 0x80 else "",
        ended=len(status) > 1 and bool(status[1] & 0x40),
    )  # fmt: skip


def _accuracies(items: Mapping[int, bytes], lat_deg: float) -> dict[str, float]:
    """Sigmas of I062/500; a zero says nothing."""
    parts, found = _parts(items, 500, ACCURACIES), {}
    if (wgs84 := parts.get(3)) is not None:
        north = int.from_bytes(wgs84[:2], "big") * _ACCURACY_LSB_DEG * _METRES_PER_DEG
        east = int.from_bytes(wgs84[2:], "big") * _ACCURACY_LSB_DEG * _METRES_PER_DEG
        found["north_m"] = north
        found["east_m"] = east * math.cos(math.radians(lat_deg))
    if (plain := parts.get(1)) is not None:
        found["east_m"] = int.from_bytes(plain[:2], "big") * ACCURACY_LSB_M
        found["north_m"] = int.from_bytes(plain[2:], "big") * ACCURACY_LSB_M
    if (geometric := parts.get(4)) is not None and 130 in items:
        found["height_m"] = geometric[0] * GEOMETRIC_LSB_M
    elif (barometric := parts.get(5)) is not None and 130 not in items:
        found["height_m"] = barometric[0] * FLIGHT_LEVEL_LSB_M
    if (speed := parts.get(6)) is not None:
        found["east_mps"] = speed[0] * VELOCITY_LSB_MPS
        found["north_mps"] = speed[1] * VELOCITY_LSB_MPS
    return {name: value for name, value in found.items() if value > 0.0}


def _parts(items: Mapping[int, bytes], item: int, layout: tuple[object, ...]) -> dict[int, bytes]:
    if (data := items.get(item)) is None:
        return {}
    found = subfields(data, 0, layout)  # type: ignore[arg-type]
    return {} if found is None else found[0]


def _signed(data: bytes) -> int:
    return int.from_bytes(data, "big", signed=True)


def _signed15(data: bytes) -> int:
    value = int.from_bytes(data, "big") & 0x7FFF
    return value - 0x8000 if value & 0x4000 else value


def _check_place(where: str, lat_deg: float, lon_deg: float) -> None:
    if abs(lat_deg) > 90.0 or abs(lon_deg) > 180.0:
        raise InputError(where, f"{lat_deg:.4f}, {lon_deg:.4f} is no place", "Correct it")


def encode_adsb(target: Target) -> bytes:
    """A CAT 021 data block of one aircraft, for tests; places to 180/2^30 degrees."""
    flags = {"simulated": 0x20, "a test target": 0x10}.get(target.apart, 0)
    first = (3 << 5 if target.anonymous else 0) | (0x02 if target.apart == "a field monitor" else 0)
    items = {
        10: bytes([target.sac, target.sic]),
        40: bytes([first | 1, flags | bool(target.on_ground) << 6]),
        71: target.ticks.to_bytes(3, "big"),
        131: _place(target, 30, 4),
    }
    if target.address is not None:
        items[80] = bytes.fromhex(target.address)
    if target.callsign:
        items[170] = callsign_bytes(target.callsign)
    if target.hae_m is not None:
        items[140] = _steps(target.hae_m, GEOMETRIC_LSB_M)
    if target.pressure_m is not None:
        items[145] = _steps(target.pressure_m, FLIGHT_LEVEL_LSB_M)
    if target.nac_p is not None:
        items[90] = bytes([(target.nac_v or 0) << 5 | 1, target.nac_p << 1])
    if target.east_mps is not None and target.north_mps is not None:
        speed = round(math.hypot(target.east_mps, target.north_mps) / SPEED_LSB_MPS)
        angle = math.degrees(math.atan2(target.east_mps, target.north_mps)) / ANGLE_LSB_DEG
        items[160] = speed.to_bytes(2, "big") + (round(angle) & 0xFFFF).to_bytes(2, "big")
    if target.category is not None:
        items[20] = bytes([target.category])
    return join(21, [items])


def encode_track(target: Target) -> bytes:
    """A CAT 062 data block of one track, for tests; places to 180/2^25 degrees."""
    items = {
        10: bytes([target.sac, target.sic]),
        70: target.ticks.to_bytes(3, "big"),
        40: (target.track_number or 0).to_bytes(2, "big"),
        105: _place(target, 25, 4),
        80: bytes([1, (target.apart == "simulated") << 7 | target.ended << 6]),
    }
    if target.east_mps is not None and target.north_mps is not None:
        items[185] = _steps(target.east_mps, VELOCITY_LSB_MPS) + _steps(
            target.north_mps, VELOCITY_LSB_MPS
        )
    if target.up_mps is not None:
        items[220] = _steps(target.up_mps, RATE_LSB_MPS)
    if target.address is not None:
        items[380] = b"\x80" + bytes.fromhex(target.address)
    if target.callsign:
        items[245] = b"\x00" + callsign_bytes(target.callsign)
    if target.hae_m is not None:
        items[130] = _steps(target.hae_m, GEOMETRIC_LSB_M)
    if target.pressure_m is not None:
        items[136] = _steps(target.pressure_m, FLIGHT_LEVEL_LSB_M)
    if target.sigma_east_m is not None and target.sigma_north_m is not None:
        sigmas = [round(s / ACCURACY_LSB_M) for s in (target.sigma_east_m, target.sigma_north_m)]
        items[500] = b"\x80" + b"".join(s.to_bytes(2, "big") for s in sigmas)
    return join(62, [items])


def _place(target: Target, bits: int, width: int) -> bytes:
    steps = [round(v * 2**bits / 180.0) for v in (target.lat_deg, target.lon_deg)]
    if bits == 30:  # 180 degrees east do not fit: they are 180 degrees west
        steps[1] = (steps[1] + 2**30) % 2**31 - 2**30
    return b"".join(s.to_bytes(width, "big", signed=True) for s in steps)


def _steps(value: float, lsb: float) -> bytes:
    return round(value / lsb).to_bytes(2, "big", signed=True)
