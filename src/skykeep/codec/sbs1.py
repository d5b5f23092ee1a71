"""SBS-1 (BaseStation, port 30003): one comma-separated line a Mode S message.

Layout of the 22 fields, counted from 1, as the BaseStation socket data was published by
Kinetic Avionic Products (the "MSG" line; transmission types 1 to 8):

    1 MSG         5 hex ident     9 logged date    13 ground speed kn   17 vertical rate ft/min
    2 type 1-8    6 flight id    10 logged time    14 track deg         18 squawk, octal
    3 session     7 gen. date    11 callsign       15 latitude deg      19 alert
    4 aircraft    8 gen. time    12 altitude ft    16 longitude deg     20 emergency  21 SPI
                                                                        22 on ground, -1 or 1

Altitude is pressure altitude. Dates are yyyy/mm/dd and times hh:mm:ss.sss without a zone:
UTC is assumed. Receivers that write local time are recognised by an offset of whole
quarter-hours from the receipt time and corrected; a clock that is wrong by anything else is
not used, and the receipt time stands in. Both are said in a finding.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from datetime import UTC, datetime

from skykeep.codec.moment import EARLIEST_NS, LATEST_NS
from skykeep.core.event import Finding, Severity
from skykeep.errors import InputError
from skykeep.units import NS_PER_MS, NS_PER_S, to_datetime, to_ns

#: A full line is under 160 bytes; more than this is not SBS-1.
MAX_LINE_BYTES = 512
#: First words of the other BaseStation lines: what the user of that program did, no aircraft data.
OTHER_LINES = frozenset({"SEL", "ID", "AIR", "STA", "CLK"})
#: Generated and receipt time of one message may differ by this: a receiver holds a message for
#: a second or two and NTP keeps its clock far closer; more is a clock that is wrong.
MAX_CLOCK_DIFFERENCE_NS = 10 * NS_PER_S
#: Every civil time zone in use is a multiple of 15 minutes from UTC (IANA time zone data).
ZONE_STEP_NS = 900 * NS_PER_S
#: The furthest civil time zone from UTC (Kiribati, +14 h).
MAX_ZONE_NS = 14 * 3600 * NS_PER_S

#: What Mode S can say: altitude in Gillham code (ICAO Annex 10 vol. IV, 3.1.2.6.5.4).
ALTITUDE_RANGE_FT = (-1_200.0, 126_750.0)
#: Supersonic velocity, 1021.5 steps of 4 kn (ICAO Doc 9871, register 0,9).
GROUND_SPEED_RANGE_KN = (0.0, 4_086.0)
TRACK_RANGE_DEG = (0.0, 360.0)
LAT_RANGE_DEG = (-90.0, 90.0)
LON_RANGE_DEG = (-180.0, 180.0)
#: 509.5 steps of 64 ft/min (ICAO Doc 9871, register 0,9).
VERTICAL_RATE_RANGE_FPM = (-32_608.0, 32_608.0)

_FIELDS = 22
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)", re.ASCII)
_ICAO24 = re.compile(r"[0-9A-Fa-f]{6}")
_SQUAWK = re.compile(r"[0-7]{1,4}")
_CALLSIGN = re.compile(r"[A-Z0-9 -]{1,8}")
_DATE = re.compile(r"(\d{4})/(\d{1,2})/(\d{1,2})", re.ASCII)
_TIME = re.compile(r"(\d{1,2}):(\d{2}):(\d{2})(?:\.(\d{1,9}))?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Sbs1Message:
    """One MSG line. None is "not in this message".

    `icao24` is lower case; `altitude_ft` is pressure altitude; `event_time_ns` is the
    generated time after the checks named above, whole milliseconds.
    """

    transmission_type: int
    icao24: str
    event_time_ns: int
    receipt_time_ns: int
    callsign: str | None = None
    altitude_ft: float | None = None
    ground_speed_kn: float | None = None
    track_deg: float | None = None
    lat_deg: float | None = None
    lon_deg: float | None = None
    vertical_rate_fpm: float | None = None
    squawk: str | None = None
    on_ground: bool | None = None
    findings: tuple[Finding, ...] = ()


def is_other_line(line: bytes) -> bool:
    """Whether a line is empty or one of the BaseStation lines that carry no aircraft data."""
    word = line.split(b",", 1)[0].strip().decode("ascii", "replace")
    return not word or word in OTHER_LINES


def decode_line(line: str | bytes, receipt_time_ns: int | None) -> Sbs1Message:
    """One MSG line to its values.

    `receipt_time_ns` None means a recording: the generated time is taken as it stands and
    is the receipt time too. Trailing fields may be missing. Raises InputError that names
    the field (counted from 1).
    """
    fields = _split(line)
    kind = fields[1]
    if kind not in {"1", "2", "3", "4", "5", "6", "7", "8"}:
        raise _fault(2, "transmission type", kind, "Send 1 to 8.")
    icao24 = fields[4].lower()
    if not _ICAO24.fullmatch(icao24) or icao24 in {"000000", "ffffff"}:
        # ICAO Annex 10 vol. III, chapter 9: all zeros and all ones are no aircraft's address.
        raise _fault(5, "hex ident", fields[4], "Send a 24-bit address as six hex digits.")
    findings: list[Finding] = []
    event_ns = _event_time(fields, receipt_time_ns, findings)
    lat, lon = _position(fields, findings)
    return Sbs1Message(
        transmission_type=int(kind),
        icao24=icao24,
        event_time_ns=event_ns,
        receipt_time_ns=event_ns if receipt_time_ns is None else receipt_time_ns,
        callsign=_callsign(fields[10], findings),
        altitude_ft=_number(fields, 12, "altitude", ALTITUDE_RANGE_FT),
        ground_speed_kn=_number(fields, 13, "ground speed", GROUND_SPEED_RANGE_KN),
        track_deg=_number(fields, 14, "track", TRACK_RANGE_DEG),
        lat_deg=lat,
        lon_deg=lon,
        vertical_rate_fpm=_number(fields, 17, "vertical rate", VERTICAL_RATE_RANGE_FPM),
        squawk=_squawk(fields[17]),
        on_ground=_flag(fields[21]),
        findings=tuple(findings),
    )


def encode_line(message: Sbs1Message) -> bytes:
    r"""The MSG line of a message, ending in \r\n, times in UTC.

    Rounds as BaseStation does: time down to 1 ms, altitude to 1 ft, speed and track to 0.1,
    position to 1e-5 degrees (1 m), vertical rate to 1 ft/min. Raises InputError for what
    `decode_line` would not take back.
    """
    generated = _stamp(message.event_time_ns)
    logged = _stamp(message.receipt_time_ns)
    ground = {None: "", True: "-1", False: "0"}[message.on_ground]
    fields = [
        "MSG",
        str(message.transmission_type),
        "1",
        "1",
        message.icao24.upper(),
        "1",
        *generated,
        *logged,
        message.callsign or "",
        _text(message.altitude_ft, 0),
        _text(message.ground_speed_kn, 1),
        _text(message.track_deg, 1),
        _text(message.lat_deg, 5),
        _text(message.lon_deg, 5),
        _text(message.vertical_rate_fpm, 0),
        message.squawk or "",
        "",
        "",
        "",
        ground,
    ]
    line = ",".join(fields)
    back = decode_line(line, None)  # strict writer: what would not be read never leaves
    if back.findings or (back.callsign or "") != (message.callsign or ""):
        raise InputError("message", "would not be read back as it is", "Give usual values.")
    return line.encode("ascii") + b"\r\n"


def _split(line: str | bytes) -> list[str]:
    if len(line) > MAX_LINE_BYTES:
        raise InputError("line", f"over {MAX_LINE_BYTES} bytes long", "Send one message a line.")
    try:
        text = line if isinstance(line, str) else line.decode("ascii")
        text.encode("ascii")
    except UnicodeError:
        raise InputError("line", "not ASCII", "Send SBS-1 text lines.") from None
    fields = [f.strip() for f in text.split(",")]
    if fields[0] != "MSG":
        raise _fault(1, "message type", fields[0], "Send MSG lines.")
    if len(fields) > _FIELDS:
        raise InputError("line", f"{len(fields)} fields", f"Send {_FIELDS} fields.")
    if len(fields) < 5:
        raise InputError("line", f"only {len(fields)} fields", f"Send {_FIELDS} fields.")
    return fields + [""] * (_FIELDS - len(fields))


def _fault(number: int, name: str, got: str, mend: str) -> InputError:
    return InputError(f"field {number} ({name})", f"cannot be {got[:40]!r}", mend)


def _number(fields: list[str], number: int, name: str, bounds: tuple[float, float]) -> float | None:
    text = fields[number - 1]
    if not text:
        return None
    low, high = bounds
    if not _NUMBER.fullmatch(text) or not low <= float(text) <= high:
        raise _fault(number, name, text, f"Send a number from {low:g} to {high:g}, or nothing.")
    return float(text) + 0.0  # -0.0 becomes 0.0


def _position(fields: list[str], findings: list[Finding]) -> tuple[float | None, float | None]:
    lat = _number(fields, 15, "latitude", LAT_RANGE_DEG)
    lon = _number(fields, 16, "longitude", LON_RANGE_DEG)
    if (lat is None) != (lon is None):
        number, name = (15, "latitude") if lat is None else (16, "longitude")
        raise _fault(number, name, "", "Send latitude and longitude together.")
    if lat == 0.0 and lon == 0.0:
        # Receivers without a decoded position write zeros.
        findings.append(Finding("field 15 (latitude)", "0, 0", "no position", Severity.WARNING))
        return None, None
    return lat, lon


def _callsign(text: str, findings: list[Finding]) -> str | None:
    callsign = text.strip(" @_").upper()
    if not callsign:
        return None
    if not _CALLSIGN.fullmatch(callsign):
        problem = f"{text[:40]!r} is not up to 8 letters and digits"
        findings.append(Finding("field 11 (callsign)", problem, "no callsign", Severity.WARNING))
        return None
    return callsign


def _squawk(text: str) -> str | None:
    if not text:
        return None
    if not _SQUAWK.fullmatch(text):
        raise _fault(18, "squawk", text, "Send four octal digits, or nothing.")
    return text.zfill(4)  # some writers drop leading zeros


def _flag(text: str) -> bool | None:
    if not text:
        return None
    if text not in {"0", "1", "-1"}:
        raise _fault(22, "on ground", text, "Send -1 or 1 for on the ground, 0 for in the air.")
    return text != "0"


def _event_time(fields: list[str], receipt_ns: int | None, findings: list[Finding]) -> int:
    generated = _generated_ns(fields)
    if receipt_ns is None:
        if generated is None or not EARLIEST_NS <= generated < LATEST_NS:
            raise _fault(7, "generated date", fields[6], "Send the date and time of the message.")
        return generated
    if generated is None:
        where, problem = "field 7 (generated date)", "no date and time"
        findings.append(Finding(where, problem, "receipt time", Severity.WARNING))
        return receipt_ns
    late_ns = receipt_ns - generated
    if abs(late_ns) <= MAX_CLOCK_DIFFERENCE_NS:
        return generated
    steps = (late_ns + ZONE_STEP_NS // 2) // ZONE_STEP_NS
    offset_ns = steps * ZONE_STEP_NS
    if abs(offset_ns) <= MAX_ZONE_NS and abs(late_ns - offset_ns) <= MAX_CLOCK_DIFFERENCE_NS:
        hours = -offset_ns / (3600 * NS_PER_S)
        problem = f"local time, {hours:+g} h from UTC"
        findings.append(
            Finding("field 8 (generated time)", problem, "corrected to UTC", Severity.WARNING)
        )
        return generated + offset_ns
    problem = (
        "the date of a clock that was never set"
        if generated < EARLIEST_NS
        else f"more than {MAX_CLOCK_DIFFERENCE_NS // NS_PER_S} s away from the receipt time"
    )
    findings.append(Finding("field 7 (generated date)", problem, "receipt time", Severity.WARNING))
    return receipt_ns


def _generated_ns(fields: list[str]) -> int | None:
    if not fields[6] and not fields[7]:
        return None
    date, time = _DATE.fullmatch(fields[6]), _TIME.fullmatch(fields[7])
    if date is None:
        raise _fault(7, "generated date", fields[6], "Send yyyy/mm/dd.")
    if time is None:
        raise _fault(8, "generated time", fields[7], "Send hh:mm:ss.sss.")
    hour, minute, second = (int(time[i]) for i in (1, 2, 3))
    leap = second == 60  # a leap second counts as the last one of its minute
    try:
        at = datetime(
            int(date[1]), int(date[2]), int(date[3]), hour, minute, 59 if leap else second,
            tzinfo=UTC,
        )  # fmt: skip
    except ValueError:
        raise _fault(
            7, "generated date", f"{fields[6]} {fields[7]}", "Send a date and time that exist."
        ) from None
    milliseconds = int((time[4] or "0").ljust(3, "0")[:3])
    return to_ns(at) + milliseconds * NS_PER_MS


def _stamp(at_ns: int) -> tuple[str, str]:
    if not EARLIEST_NS <= at_ns < LATEST_NS:
        raise InputError("event_time_ns", f"cannot be {at_ns}", "Give a time from 2000 to 2199.")
    at = to_datetime(at_ns)
    return at.strftime("%Y/%m/%d"), at.strftime("%H:%M:%S.") + f"{at.microsecond // 1000:03d}"


def _text(value: float | None, digits: int) -> str:
    if value is None:
        return ""
    if not math.isfinite(value):
        raise InputError("message", f"cannot hold {value!r}", "Give finite numbers, or None.")
    text = f"{value:.{digits}f}"
    return text[1:] if text.startswith("-") and not text.strip("-0.") else text
