"""ADS-B recordings as a JSON array of records: what pandas writes with orient="records".

One record is one state of one aircraft, with the columns that the `traffic` library and the
OpenSky network's history use:

    icao24        24-bit address, six hex digits       groundspeed    kn
    callsign      up to 8 characters                   track          degrees, true north
    latitude      degrees, WGS84                       vertical_rate  ft/min
    longitude     degrees, WGS84                       timestamp      ms since 1970, UTC
    altitude      ft, pressure altitude                onground       true or false

Other columns are not read. Records may be in any order, doubled, and hold nulls.
"""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from typing import cast

from skykeep.codec.moment import EARLIEST_NS, LATEST_NS
from skykeep.codec.sbs1 import (
    ALTITUDE_RANGE_FT,
    GROUND_SPEED_RANGE_KN,
    LAT_RANGE_DEG,
    LON_RANGE_DEG,
    TRACK_RANGE_DEG,
    VERTICAL_RATE_RANGE_FPM,
)
from skykeep.core.event import Finding, Severity
from skykeep.errors import InputError
from skykeep.units import NS_PER_MS

_ICAO24 = re.compile(r"[0-9A-Fa-f]{6}")
_CALLSIGN_LENGTH = 8


@dataclass(frozen=True, slots=True)
class AdsbRow:
    """One record; None is null or missing. `altitude_ft` is pressure altitude."""

    at_ns: int
    icao24: str
    callsign: str
    lat_deg: float
    lon_deg: float
    altitude_ft: float | None
    ground_speed_kn: float | None
    track_deg: float | None
    vertical_rate_fpm: float | None
    on_ground: bool | None


@dataclass(frozen=True, slots=True)
class AdsbRows:
    """The records of one recording, by time, each once, and what was found amiss."""

    rows: tuple[AdsbRow, ...]
    findings: tuple[Finding, ...]


class _Tally:
    """One finding a kind: where it was met first, and how often."""

    def __init__(self) -> None:
        self._kinds: dict[tuple[str, str, Severity], tuple[str, int]] = {}

    def count(self, where: str, problem: str, assumed: str, severity: Severity) -> None:
        kind = (problem, assumed, severity)
        first, n = self._kinds.get(kind, (where, 0))
        self._kinds[kind] = (first, n + 1)

    def findings(self) -> tuple[Finding, ...]:
        return tuple(
            Finding(
                first, f"{problem}, in {n} records of which this is the first", assumed, severity
            )
            for (problem, assumed, severity), (first, n) in self._kinds.items()
        )


def decode_rows(data: bytes) -> AdsbRows:
    """The records of a recording, sorted by time (stable), exact doubles dropped.

    A record without a usable time, address or position is left out, an unusable optional
    value is taken as missing; one finding for each kind names the first place and the
    number. Raises InputError where the whole is not a JSON array.
    """
    records = _array(data)
    tally = _Tally()
    rows: list[AdsbRow] = []
    for i, record in enumerate(records):
        try:
            rows.append(_row(f"[{i}]", record, tally))
        except InputError as e:
            tally.count(f"[{i}]{e.where}", e.problem, "record left out", Severity.ERROR)
    rows.sort(key=lambda r: r.at_ns)
    once = dict.fromkeys(rows)
    findings = tally.findings()
    if len(once) < len(rows):
        n = len(rows) - len(once)
        findings += (Finding("records", f"{n} exact doubles", "each once", Severity.NOTE),)
    return AdsbRows(tuple(once), findings)


def _array(data: bytes) -> list[object]:
    try:
        # The standard library's reader takes NaN and Infinity, so that they cost a record only.
        parsed = json.loads(data)
    except (ValueError, RecursionError) as e:
        raise InputError("file", f"not JSON ({str(e)[:80]})", "Send a JSON array.") from None
    if not isinstance(parsed, list):
        raise InputError("$", "not an array", 'Send records as pandas writes orient="records".')
    return cast(list[object], parsed)


def _row(where: str, record: object, tally: _Tally) -> AdsbRow:
    if not isinstance(record, dict):
        raise _bad("", "not an object")
    fields = cast(dict[str, object], record)
    icao24 = fields.get("icao24")
    if not isinstance(icao24, str) or not _ICAO24.fullmatch(icao24):
        raise _bad(".icao24", "icao24 is not six hex digits")

    def optional(name: str, bounds: tuple[float, float]) -> float | None:
        value = fields.get(name)
        if value is None:
            return None
        if (number := _number(value, bounds)) is None:
            problem = f"{name} is not a number from {bounds[0]:g} to {bounds[1]:g}"
            tally.count(f"{where}.{name}", problem, "taken as missing", Severity.WARNING)
        return number

    ground = fields.get("onground")
    return AdsbRow(
        at_ns=_time_ns(fields.get("timestamp")),
        icao24=icao24.lower(),
        callsign=_callsign(fields.get("callsign"), where, tally),
        lat_deg=_needed(fields, "latitude", LAT_RANGE_DEG),
        lon_deg=_needed(fields, "longitude", LON_RANGE_DEG),
        altitude_ft=optional("altitude", ALTITUDE_RANGE_FT),
        ground_speed_kn=optional("groundspeed", GROUND_SPEED_RANGE_KN),
        track_deg=optional("track", TRACK_RANGE_DEG),
        vertical_rate_fpm=optional("vertical_rate", VERTICAL_RATE_RANGE_FPM),
        on_ground=ground if isinstance(ground, bool) else None,
    )


def _bad(field: str, problem: str) -> InputError:
    return InputError(field, problem, "Mend the record, or leave it out.")


def _number(value: object, bounds: tuple[float, float]) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if not bounds[0] <= value <= bounds[1]:  # NaN and infinities fail here too
        return None
    return float(value) + 0.0


def _needed(fields: dict[str, object], name: str, bounds: tuple[float, float]) -> float:
    value = fields.get(name)
    if value is None:
        raise _bad(f".{name}", f"{name} is null")
    number = _number(value, bounds)
    if number is None:
        raise _bad(f".{name}", f"{name} is not a number from {bounds[0]:g} to {bounds[1]:g}")
    return number


def _time_ns(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise _bad(".timestamp", "timestamp is not a number of milliseconds")
    at_ns = round(value * NS_PER_MS)
    if at_ns < EARLIEST_NS:
        raise _bad(".timestamp", "timestamp is before the year 2000 (milliseconds are expected)")
    if at_ns >= LATEST_NS:
        raise _bad(".timestamp", "timestamp is after the year 2199 (milliseconds are expected)")
    return at_ns


def _callsign(value: object, where: str, tally: _Tally) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        text = value.strip()
        if len(text) <= _CALLSIGN_LENGTH and text.isprintable():
            return text
    problem = f"callsign is not a text of up to {_CALLSIGN_LENGTH} characters"
    tally.count(f"{where}.callsign", problem, "taken as missing", Severity.WARNING)
    return ""
