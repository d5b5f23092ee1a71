"""`aircraft.json` of readsb and dump1090: what a receiver knows of each aircraft, once a second.

As readsb's README-json.md describes it: `now` (seconds since 1970) and `aircraft`, each with

    hex, "~" before one that is no 24-bit address   lat, lon, seen_pos (s before `now`)
    type  adsb_icao, mlat, tisb_icao, mode_s, ...    alt_baro (ft or "ground"), alt_geom (ft)
    flight, category (A0 to C7)                      gs (kn), track (deg), baro_rate, geom_rate
    nac_p, nic, rc (m)                               ft/min

`alt_geom` is above the ellipsoid. What is computed by multilateration is measured by receivers,
not said by the aircraft.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import msgspec

from skykeep.codec.moment import EARLIEST_NS, LATEST_NS
from skykeep.core.event import Finding, Severity
from skykeep.errors import InputError
from skykeep.units import NS_PER_S

#: More than one receiver hears of at once.
MOST_AIRCRAFT = 5_000
_HEX = re.compile(r"~?[0-9A-Fa-f]{6}")


class _Aircraft(msgspec.Struct):
    """Only what is used; other fields are not looked at."""

    hex: str
    type: str = ""
    flight: str = ""
    category: str = ""
    lat: float | None = None
    lon: float | None = None
    seen_pos: float = 0.0
    alt_baro: float | str | None = None
    alt_geom: float | None = None
    gs: float | None = None
    track: float | None = None
    baro_rate: float | None = None
    geom_rate: float | None = None
    nac_p: int | None = None
    rc: float | None = None


class _Document(msgspec.Struct):
    now_s: float = msgspec.field(name="now")
    aircraft: list[msgspec.Raw]


@dataclass(frozen=True, slots=True)
class Aircraft:
    """One aircraft with a position; None is "not known". Altitudes in feet, `rc_m` holds it."""

    icao24: str
    at_ns: int
    lat_deg: float
    lon_deg: float
    kind: str = ""
    anonymous: bool = False
    callsign: str = ""
    category: str = ""
    pressure_ft: float | None = None
    hae_ft: float | None = None
    on_ground: bool = False
    ground_speed_kn: float | None = None
    track_deg: float | None = None
    vertical_rate_fpm: float | None = None
    nac_p: int | None = None
    rc_m: float | None = None

    @property
    def is_mlat(self) -> bool:
        """Whether the position was computed from several receivers."""
        return self.kind == "mlat"


_decoder = msgspec.json.Decoder(_Document)
_one = msgspec.json.Decoder(_Aircraft)


def decode(data: bytes) -> tuple[list[Aircraft], list[Finding]]:
    """The aircraft that have a position, and what could not be used.

    InputError where the document itself cannot be read.
    """
    try:
        document = _decoder.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InputError("document", str(error), "Give readsb's aircraft.json") from None
    if not EARLIEST_NS <= document.now_s * NS_PER_S < LATEST_NS:
        raise InputError("now", f"cannot be {document.now_s}", "Set the receiver's clock")
    found: list[Finding] = []
    aircraft = []
    for number, raw in enumerate(document.aircraft[:MOST_AIRCRAFT]):
        try:
            one = _aircraft(_one.decode(raw), document.now_s)
        except (msgspec.DecodeError, UnicodeDecodeError, InputError) as error:
            found.append(Finding(f"aircraft[{number}]", str(error), "left out", Severity.ERROR))
            continue
        if one is not None:
            aircraft.append(one)
    if (more := len(document.aircraft) - MOST_AIRCRAFT) > 0:
        problem = f"{more} more than {MOST_AIRCRAFT}"
        found.append(Finding("aircraft", problem, "left out", Severity.ERROR))
    return aircraft, found


def _aircraft(said: _Aircraft, now_s: float) -> Aircraft | None:
    if said.lat is None or said.lon is None:
        return None
    if not _HEX.fullmatch(said.hex):
        raise InputError("hex", f"{said.hex[:20]!r} is no address", "Give six hex digits")
    limits = (
        ("lat", said.lat, -90.0, 90.0), ("lon", said.lon, -180.0, 180.0),
        ("seen_pos", said.seen_pos, 0.0, 1e6), ("gs", said.gs, 0.0, 5_000.0),
        ("alt_geom", said.alt_geom, -2_000.0, 150_000.0), ("track", said.track, -360.0, 360.0),
        ("baro_rate", said.baro_rate, -4e4, 4e4), ("geom_rate", said.geom_rate, -4e4, 4e4),
        ("rc", said.rc, 0.0, 1e7),
    )  # fmt: skip
    for name, value, low, high in limits:
        if value is not None and not low <= value <= high:
            raise InputError(name, f"cannot be {value}", f"Give {low:g} to {high:g}")
    ground = said.alt_baro == "ground"
    pressure = said.alt_baro if isinstance(said.alt_baro, float) else None
    if pressure is not None and not -2_000.0 <= pressure <= 150_000.0:
        raise InputError("alt_baro", f"cannot be {pressure}", "Give feet")
    return Aircraft(
        said.hex[-6:].lower(), round((now_s - said.seen_pos) * 1e3) * 1_000_000, said.lat, said.lon,
        said.type, said.hex.startswith("~"), said.flight.strip()[:8], said.category[:2],
        pressure, said.alt_geom, ground, said.gs, said.track,
        said.geom_rate if said.baro_rate is None else said.baro_rate, said.nac_p, said.rc or None,
    )  # fmt: skip
