"""Moments as text: RFC 3339 with a zone and up to nanoseconds, to and from UTC nanoseconds."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone

from skykeep.errors import InputError
from skykeep.units import NS_PER_S, to_datetime, to_ns

#: Nothing that Skykeep reads was recorded before; an earlier time is a clock never set.
EARLIEST_NS = to_ns(datetime(2000, 1, 1, tzinfo=UTC))
#: Later times do not fit signed 64-bit nanoseconds with room for arithmetic.
LATEST_NS = to_ns(datetime(2200, 1, 1, tzinfo=UTC))

_MOMENT = re.compile(
    r"(\d{4}-\d{2}-\d{2})[Tt ](\d{2}:\d{2}:\d{2})(?:\.(\d{1,9}))?([Zz]|[+-]\d{2}:\d{2})", re.ASCII
)


def parse_moment(text: str, where: str) -> int:
    """UTC nanoseconds of "2026-09-12T00:27:00.250Z" or with an offset such as +02:00.

    Raises InputError at `where` for another form, a date that does not exist, a missing
    zone, or a moment outside 2000 to 2199.
    """
    match = _MOMENT.fullmatch(text)
    if match is None:
        raise InputError(
            where,
            f"{text[:40]!r} is not a time with a zone",
            "Write it as 2026-09-12T00:27:00Z.",
        )
    date, time, fraction, zone = match.groups()
    try:
        at = datetime.fromisoformat(f"{date}T{time}").replace(tzinfo=_zone(zone))
    except ValueError as e:
        raise InputError(where, f"{text!r} does not exist ({e})", "Mend the time.") from None
    at_ns = to_ns(at) + int((fraction or "0").ljust(9, "0"))
    return check_moment(at_ns, where, text)


def check_moment(at_ns: int, where: str, text: str) -> int:
    """The moment itself, if it lies in 2000 to 2199; InputError at `where` if not."""
    if not EARLIEST_NS <= at_ns < LATEST_NS:
        problem = f"{text[:40]} is not in the years 2000 to 2199"
        raise InputError(where, problem, "Set the clock; an integer means nanoseconds, UTC.")
    return at_ns


def format_moment(at_ns: int) -> str:
    """RFC 3339 in UTC, exact, with as many decimals (0, 3, 6 or 9) as are needed."""
    whole, ns = divmod(at_ns, NS_PER_S)
    text = to_datetime(whole * NS_PER_S).strftime("%Y-%m-%dT%H:%M:%S")
    if ns:
        digits = f"{ns:09d}"
        while digits.endswith("000"):
            digits = digits[:-3]
        text += "." + digits
    return text + "Z"


def _zone(text: str) -> timezone:
    if text in {"Z", "z"}:
        return UTC
    offset = timedelta(hours=int(text[1:3]), minutes=int(text[4:6]))
    return timezone(-offset if text[0] == "-" else offset)
