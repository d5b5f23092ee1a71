"""What radars say in ASTERIX: plots (CAT 048, edition 1.32) and service messages (CAT 034, 1.29).

EUROCONTROL-SPEC-0149-4 and -2b. A plot is polar: slant range and azimuth from true north at the
antenna, whose place the message does not say. Flight levels are pressure altitudes.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass

from skykeep.codec.asterix import (
    STATUS,
    TICKS_PER_S,
    Record,
    callsign_bytes,
    callsign_of,
    join,
    subfields,
)
from skykeep.errors import InputError
from skykeep.units import METRES_PER_FOOT

#: ICAO Annex 5: the international nautical mile.
METRES_PER_NM = 1_852.0
RANGE_LSB_M = METRES_PER_NM / 256.0
ANGLE_LSB_DEG = 360.0 / 65_536.0
#: A flight level is 100 ft; it comes in quarters.
FLIGHT_LEVEL_LSB_M = 25.0 * METRES_PER_FOOT
_NOTHING: frozenset[int] = frozenset()


class ServiceKind(enum.IntEnum):
    """What a radar's service message is (I034/000)."""

    NORTH_MARKER = 1
    SECTOR_CROSSING = 2
    GEOGRAPHICAL_FILTERING = 3
    JAMMING_STROBE = 4
    SOLAR_STORM = 5
    SSR_JAMMING_STROBE = 6
    MODE_S_JAMMING_STROBE = 7


@dataclass(frozen=True, slots=True)
class Plot:
    """One target report of a radar; None is "not in this message" or not usable.

    `ticks` is the time of day in 1/128 s. `psr`, `ssr`, `mode_s`: what detected it. `apart` says
    why it is no aircraft: a test, simulated, a fixed transponder, a ghost. `warnings` are the
    codes of I048/030. `mode_a` is four octal digits, only where validated and not garbled, and
    so is `flight_level_m`, a pressure altitude. `height_m` is what a 3D radar measured, above
    mean sea level. `address` is lower case hex.
    """

    sac: int
    sic: int
    ticks: int
    range_m: float | None
    azimuth_deg: float | None
    psr: bool
    ssr: bool
    mode_s: bool
    apart: str = ""
    mode_a: str | None = None
    flight_level_m: float | None = None
    height_m: float | None = None
    address: str | None = None
    callsign: str = ""
    track_number: int | None = None
    on_ground: bool | None = None
    warnings: frozenset[int] = _NOTHING


@dataclass(frozen=True, slots=True)
class Service:
    """One service message: the antenna's turn, the radar's health, its place where it says it.

    `lat_deg`, `lon_deg` in WGS84, `height_m` above mean sea level. `nogo`, `overload`: the
    radar's own words on itself; None where not said.
    """

    sac: int
    sic: int
    kind: int
    ticks: int | None
    azimuth_deg: float | None = None
    period_s: float | None = None
    nogo: bool | None = None
    overload: bool | None = None
    lat_deg: float | None = None
    lon_deg: float | None = None
    height_m: float | None = None


def plot_of(record: Record) -> Plot:
    """A CAT 048 record's values; InputError without source, time or descriptor."""
    items = record.items
    get = items.get
    source, moment, described, at = get(10), get(140), get(20), get(40)
    if source is None or moment is None:
        missing = "I048/010" if source is None else "I048/140"
        raise InputError(missing, "is missing", "A plot needs its source and time")
    typ = described[0] >> 5 if described else 0
    address, said, status = get(220), get(240), get(170)
    code_a, level, height, number, flight = get(70), get(90), get(110), get(161), get(230)
    state = 7 if flight is None else flight[0] >> 2 & 7
    return Plot(
        source[0],
        source[1],
        int.from_bytes(moment, "big"),
        None if at is None else (at[0] << 8 | at[1]) * RANGE_LSB_M,
        None if at is None else (at[2] << 8 | at[3]) * ANGLE_LSB_DEG,
        typ in (1, 3, 6, 7),
        typ in (2, 3),
        typ >= 4,
        _apart(described or b"\x00", status),
        None if code_a is None or code_a[0] & 0xC0 else f"{_low12(code_a):04o}",
        None if level is None or level[0] & 0xC0 else _signed14(level) * FLIGHT_LEVEL_LSB_M,
        None if height is None else _signed14(height) * 25.0 * METRES_PER_FOOT,
        None if address is None else address.hex(),
        "" if said is None else callsign_of(said),
        None if number is None else _low12(number),
        None if state > 3 else state in (1, 3),
        _warnings(items),
    )  # fmt: skip


def _apart(described: bytes, status: bytes | None) -> str:
    """Why a report is of no aircraft; empty where it may be one."""
    if described[0] & 0x10:
        return "simulated"
    if described[0] & 0x02:
        return "a field monitor"
    if len(described) > 1 and described[1] & 0x80:
        return "a test target"
    if status is not None and len(status) > 1 and status[1] & 0x40:
        return "a ghost"
    return ""


def _warnings(items: Mapping[int, bytes]) -> frozenset[int]:
    said = items.get(30)
    return _NOTHING if said is None else frozenset(octet >> 1 for octet in said)


def _low12(data: bytes) -> int:
    return (data[0] & 0x0F) << 8 | data[1]


def _signed14(data: bytes) -> int:
    value = (data[0] & 0x3F) << 8 | data[1]
    return value - 0x4000 if value & 0x2000 else value


def service_of(record: Record) -> Service:
    """A CAT 034 record's values; InputError without source or kind."""
    get = record.items.get
    source, kind = get(10), get(0)
    if source is None or kind is None:
        missing = "I034/010" if source is None else "I034/000"
        raise InputError(missing, "is missing", "A message needs its source and kind")
    ticks, sector, period, place = get(30), get(20), get(41), get(120)
    parts = None if (status := get(50)) is None else subfields(status, 0, STATUS)
    common = None if parts is None else parts[0].get(1)
    return Service(
        source[0],
        source[1],
        kind[0],
        None if ticks is None else int.from_bytes(ticks, "big"),
        None if sector is None else sector[0] * 360.0 / 256.0,
        None if period is None else int.from_bytes(period, "big") / TICKS_PER_S,
        None if common is None else bool(common[0] & 0x80),
        None if common is None else bool(common[0] & 0x18),
        None if place is None else int.from_bytes(place[2:5], "big", signed=True) * 180.0 / 2**23,
        None if place is None else int.from_bytes(place[5:8], "big", signed=True) * 180.0 / 2**23,
        None if place is None else float(int.from_bytes(place[:2], "big", signed=True)),
    )


def encode_plot(plot: Plot) -> bytes:
    """A data block of one plot, for tests and simulators; InputError for what does not fit.

    Rounds range to 1/256 NM, azimuth to 360/65536 degrees and heights to 25 ft.
    """
    typ = {
        (True, False, False): 1, (False, True, False): 2, (True, True, False): 3,
        (False, False, True): 5, (True, False, True): 7,
    }.get((plot.psr, plot.ssr, plot.mode_s), 0)  # fmt: skip
    flags = {"simulated": 0x10, "a field monitor": 0x02}.get(plot.apart, 0)
    described = bytes([typ << 5 | flags])
    if plot.apart == "a test target":
        described = bytes([typ << 5 | 1, 0x80])
    items = {
        10: bytes([plot.sac, plot.sic]),
        140: plot.ticks.to_bytes(3, "big"),
        20: described,
    }
    if plot.apart == "a ghost":
        items[170] = b"\x01\x40"
    if plot.range_m is not None and plot.azimuth_deg is not None:
        steps = round(plot.range_m / RANGE_LSB_M)
        if not 0 <= steps <= 0xFFFF:
            raise InputError("range_m", f"is {plot.range_m}", "Give up to 255 NM")
        angle = round(plot.azimuth_deg / ANGLE_LSB_DEG) & 0xFFFF
        items[40] = steps.to_bytes(2, "big") + angle.to_bytes(2, "big")
    if plot.mode_a is not None:
        items[70] = int(plot.mode_a, 8).to_bytes(2, "big")
    for item, height_m in ((90, plot.flight_level_m), (110, plot.height_m)):
        if height_m is not None:
            items[item] = (round(height_m / FLIGHT_LEVEL_LSB_M) & 0x3FFF).to_bytes(2, "big")
    if plot.address is not None:
        items[220] = bytes.fromhex(plot.address)
    if plot.callsign:
        items[240] = callsign_bytes(plot.callsign)
    if plot.track_number is not None:
        items[161] = plot.track_number.to_bytes(2, "big")
    if plot.on_ground is not None:
        items[230] = bytes([int(plot.on_ground) << 2, 0])
    if plot.warnings:
        codes = sorted(plot.warnings)
        items[30] = bytes([c << 1 | (k + 1 < len(codes)) for k, c in enumerate(codes)])
    return join(48, [items])


def encode_service(service: Service) -> bytes:
    """A data block of one service message, for tests and simulators."""
    items = {10: bytes([service.sac, service.sic]), 0: bytes([service.kind])}
    if service.ticks is not None:
        items[30] = service.ticks.to_bytes(3, "big")
    if service.azimuth_deg is not None:
        items[20] = bytes([round(service.azimuth_deg * 256.0 / 360.0) & 0xFF])
    if service.period_s is not None:
        items[41] = round(service.period_s * TICKS_PER_S).to_bytes(2, "big")
    if service.nogo is not None:
        items[50] = bytes([0x80, service.nogo << 7 | bool(service.overload) << 4])
    if service.lat_deg is not None and service.lon_deg is not None:
        place = [round(v * 2**23 / 180.0) for v in (service.lat_deg, service.lon_deg)]
        items[120] = round(service.height_m or 0.0).to_bytes(2, "big", signed=True) + b"".join(
            v.to_bytes(3, "big", signed=True) for v in place
        )
    return join(34, [items])
