"""Mode S downlink from aircraft that send by themselves: DF 11, 17 and 18, by their bits.

ICAO Annex 10 vol. IV, 3.1.2 (formats, parity) and Doc 9871 with RTCA DO-260B, 2.2.3 (extended
squitter, its types of message and the compact position report, CPR):

    DF 17, 18   DF (5 bits), CA or CF (3), address (24), ME (56), parity (24)
    DF 11       DF (5), CA (3), address (24), parity (24)
    ME          type code (5): 1-4 identification, 5-8 surface, 9-18 and 20-22 airborne position,
                19 velocity

Other formats answer an interrogation and carry their address only under the parity: `None`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from skykeep.codec.asterix import callsign_of
from skykeep.errors import InputError

SHORT_BYTES, LONG_BYTES = 7, 14
#: Generator of the parity, x^24 + ... (Annex 10 vol. IV, 3.1.2.3.3.1.2), without its first bit.
_GENERATOR = 0xFFF409
#: Bits of a position in CPR, and the latitude zones of one hemisphere pair (DO-260B, A.1.7).
_CPR = 131_072.0
_ZONES = 15


def _table() -> tuple[int, ...]:
    rows = []
    for octet in range(256):
        value = octet << 16
        for _ in range(8):
            value = value << 1 ^ (_GENERATOR if value & 0x800000 else 0)
        rows.append(value & 0xFFFFFF)
    return tuple(rows)


_PARITY = _table()


@dataclass(frozen=True, slots=True)
class Cpr:
    """A position as it is sent: of 131072 steps in a zone, `odd` or even, `surface` or airborne."""

    odd: bool
    surface: bool
    lat: int
    lon: int


@dataclass(frozen=True, slots=True)
class Squitter:
    """One message; None is "not in this message".

    `pressure_ft` is a pressure altitude, `hae_ft` geometric. Speeds in knots over ground east
    and north, vertical rate in ft/min. `anonymous`: the address is no 24-bit address of a state.
    `rebroadcast`: a ground station says it, of an aircraft that did not (TIS-B, ADS-R).
    """

    df: int
    address: str
    type_code: int = 0
    callsign: str | None = None
    category: str = ""
    position: Cpr | None = None
    pressure_ft: float | None = None
    hae_ft: float | None = None
    east_kn: float | None = None
    north_kn: float | None = None
    vertical_rate_fpm: float | None = None
    on_ground: bool | None = None
    anonymous: bool = False
    rebroadcast: bool = False


def parity_of(data: bytes) -> int:
    """The remainder of a message with its parity field; 0 where nothing was hurt."""
    rest, table = 0, _PARITY
    for octet in data[:-3]:
        rest = (rest << 8 & 0xFFFFFF) ^ table[rest >> 16 ^ octet]
    return rest ^ int.from_bytes(data[-3:], "big")


def decode(data: bytes) -> Squitter | None:
    """One message of 7 or 14 octets; None for a format that says nothing by itself.

    InputError for another length and for parity that does not hold.
    """
    if len(data) not in (SHORT_BYTES, LONG_BYTES):
        raise InputError("message", f"{len(data)} octets", "Send 7 or 14")
    df = data[0] >> 3
    if df not in (11, 17, 18):
        return None
    if len(data) != (SHORT_BYTES if df == 11 else LONG_BYTES):
        raise InputError("message", f"format {df} in {len(data)} octets", "Send it whole")
    rest = parity_of(data)
    # An all-call reply holds the interrogator's code in the last seven bits of its parity.
    if rest and not (df == 11 and rest < 128):
        raise InputError("parity", "does not hold", "Check the receiver")
    address, subtype = data[1:4].hex(), data[0] & 7
    if df == 11:
        return Squitter(df, address, on_ground={4: True, 5: False}.get(subtype))
    if df == 18 and subtype not in (0, 1, 2, 5, 6):
        return None  # coarse TIS-B, its management and military formats
    return _extended(
        data, df, address,
        anonymous=df == 18 and subtype in (1, 5),
        rebroadcast=df == 18 and subtype in (2, 5, 6),
    )  # fmt: skip


def _extended(
    data: bytes, df: int, address: str, *, anonymous: bool, rebroadcast: bool
) -> Squitter | None:
    me = int.from_bytes(data[4:11], "big")
    code = me >> 51
    if 1 <= code <= 4:
        letter = "DCBA"[code - 1]
        return Squitter(
            df, address, code, callsign_of(data[5:11]), f"{letter}{me >> 48 & 7}",
            anonymous=anonymous, rebroadcast=rebroadcast,
        )  # fmt: skip
    if 5 <= code <= 18 or 20 <= code <= 22:
        surface = code <= 8
        place = Cpr(bool(me >> 34 & 1), surface, me >> 17 & 0x1FFFF, me & 0x1FFFF)
        altitude_ft = None if surface else altitude_of(me >> 36 & 0xFFF)
        geometric = code >= 20
        return Squitter(
            df, address, code, None, "", place,
            None if geometric else altitude_ft, altitude_ft if geometric else None,
            on_ground=surface, anonymous=anonymous, rebroadcast=rebroadcast,
        )  # fmt: skip
    if code == 19:
        east, north, rate = _velocity(me)
        return Squitter(
            df, address, code, east_kn=east, north_kn=north, vertical_rate_fpm=rate,
            anonymous=anonymous, rebroadcast=rebroadcast,
        )  # fmt: skip
    return Squitter(df, address, code, anonymous=anonymous, rebroadcast=rebroadcast)


def altitude_of(code: int) -> float | None:
    """Feet of the 12-bit altitude code; None where not known.

    With the Q bit in steps of 25 ft from -1000; without it in 100 ft by Gillham's code (Annex 10
    vol. IV, 3.1.1.7.12.2.3 and the appendix to chapter 3).
    """
    if code == 0:
        return None
    if code & 0x10:
        return ((code & 0xFE0) >> 1 | code & 0xF) * 25.0 - 1_000.0
    # From the message's order C1 A1 C2 A2 C4 A4 B1 (Q) B2 D2 B4 D4.
    bits = [code >> k & 1 for k in range(11, -1, -1)]
    c1, a1, c2, a2, c4, a4, b1, _, b2, d2, b4, d4 = bits
    hundreds = _gray([c1, c2, c4])
    fives = _gray([d2, d4, a1, a2, a4, b1, b2, b4])
    if hundreds in (0, 5, 6):
        return None
    hundreds = 5 if hundreds == 7 else hundreds
    if fives % 2:
        hundreds = 6 - hundreds
    return fives * 500.0 + hundreds * 100.0 - 1_300.0


def _gray(bits: list[int]) -> int:
    value = last = 0
    for bit in bits:
        last ^= bit
        value = value << 1 | last
    return value


def _velocity(me: int) -> tuple[float | None, float | None, float | None]:
    """East, north (kn) over ground and vertical rate (ft/min); subtypes 3, 4 are air speed."""
    subtype = me >> 48 & 7
    rate = me >> 10 & 0x1FF
    rate_fpm = None if rate == 0 else (rate - 1) * (-64.0 if me >> 19 & 1 else 64.0)
    east, north = me >> 32 & 0x3FF, me >> 21 & 0x3FF
    if subtype not in (1, 2) or not east or not north:
        return None, None, rate_fpm
    step = 4.0 if subtype == 2 else 1.0
    west, south = me >> 42 & 1, me >> 31 & 1
    east_kn, north_kn = (east - 1) * step, (north - 1) * step
    return -east_kn if west else east_kn, -north_kn if south else north_kn, rate_fpm


def zones_at(lat_deg: float) -> int:
    """Longitude zones at a latitude, NL (DO-260B, A.1.7.2 d)."""
    if abs(lat_deg) >= 87.0:
        return 2 if abs(lat_deg) == 87.0 else 1
    if lat_deg == 0.0:
        return 59
    part = 1.0 - math.cos(math.pi / (2.0 * _ZONES))
    cosine = math.cos(math.radians(abs(lat_deg)))
    return math.floor(2.0 * math.pi / math.acos(1.0 - part / (cosine * cosine)))


def global_position(even: Cpr, odd: Cpr, newest_is_odd: bool) -> tuple[float, float] | None:
    """Latitude and longitude of two airborne reports at about one time; None where they do not fit.

    DO-260B, A.1.7.7. They do not fit where they lie in different longitude zones.
    """
    index = math.floor((59 * even.lat - 60 * odd.lat) / _CPR + 0.5)
    lats = [
        360.0 / (60 - k) * (index % (60 - k) + cpr.lat / _CPR) for k, cpr in ((0, even), (1, odd))
    ]
    lats = [lat - 360.0 if lat >= 270.0 else lat for lat in lats]
    if any(abs(lat) > 90.0 for lat in lats) or zones_at(lats[0]) != zones_at(lats[1]):
        return None
    lat, used = (lats[1], odd) if newest_is_odd else (lats[0], even)
    zones = zones_at(lat)
    n = max(zones - newest_is_odd, 1)
    at = math.floor((even.lon * (zones - 1) - odd.lon * zones) / _CPR + 0.5)
    lon = 360.0 / n * (at % n + used.lon / _CPR)
    return lat, (lon + 180.0) % 360.0 - 180.0


def local_position(cpr: Cpr, lat_deg: float, lon_deg: float) -> tuple[float, float] | None:
    """The place nearest to a known one that a report can mean (DO-260B, A.1.7.5 and A.1.7.6)."""
    span = 90.0 if cpr.surface else 360.0
    d_lat = span / (60 - cpr.odd)
    part = cpr.lat / _CPR
    lat = d_lat * (_nearest(lat_deg, d_lat, part) + part)
    if abs(lat) > 90.0:
        return None
    d_lon = span / max(zones_at(lat) - cpr.odd, 1)
    part = cpr.lon / _CPR
    lon = d_lon * (_nearest(lon_deg, d_lon, part) + part)
    return lat, (lon + 180.0) % 360.0 - 180.0


def _nearest(known_deg: float, span_deg: float, part: float) -> int:
    """The zone in which a place so far into it is nearest to a known one."""
    zone, rest_deg = divmod(known_deg, span_deg)  # as one: apart, they differ on a border
    return int(zone) + math.floor(0.5 + rest_deg / span_deg - part)


def encode_cpr(lat_deg: float, lon_deg: float, odd: bool, surface: bool = False) -> Cpr:
    """A place as a report (DO-260B, A.1.7.3), for tests."""
    span = 90.0 if surface else 360.0
    d_lat = span / (60 - odd)
    zone, rest_deg = divmod(lat_deg, d_lat)
    lat = math.floor(_CPR * rest_deg / d_lat + 0.5)
    back = d_lat * (lat / _CPR + zone)
    d_lon = span / max(zones_at(back) - odd, 1)
    lon = math.floor(_CPR * (lon_deg % d_lon) / d_lon + 0.5)
    return Cpr(odd, surface, lat % 131_072, lon % 131_072)


def encode_extended(address: str, me: int, df: int = 17, subtype: int = 5) -> bytes:
    """An extended squitter with its parity, for tests."""
    head = bytes([df << 3 | subtype]) + bytes.fromhex(address) + me.to_bytes(7, "big")
    return head + parity_of(head + bytes(3)).to_bytes(3, "big")
