"""Standing exemptions from a spreadsheet: one line an exemption, as CSV (RFC 4180).

    id,class,holder,serials,zones,lat_deg,lon_deg,radius_m,upper_agl_m,start,end,must_broadcast
    POL-7,police,City Police,1596A0123456789 1596B01234567890,Z1,49.61,6.13,3000,120,\
2026-01-01T00:00:00Z,2027-01-01T00:00:00Z,yes

Several serials or zones of one line are parted by blanks or semicolons; no zone means all of the
authority. `upper_agl_m` may be empty for no limit, `must_broadcast` for yes; the other columns
are needed, in any order. Semicolons between the columns are read too, as some countries'
spreadsheets write them. A line with a fault is left out with a finding; the lines beside it hold.
"""

from __future__ import annotations

import csv
import io
import math
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from skykeep.codec.json_doc import shown
from skykeep.codec.moment import parse_moment
from skykeep.codec.permit_fields import HEIGHT_RANGE_M, MAX_TEXT
from skykeep.core.event import Finding, Severity
from skykeep.core.geo import Circle, Height, HeightAgl, Volume, Volume4D
from skykeep.core.geometry import geometry_faults
from skykeep.core.identifiers import serial_fault
from skykeep.core.permit import ExemptionClass, Permit, PermitState
from skykeep.errors import InputError
from skykeep.units import PermitId, ZoneId

#: More lines than any authority has exempt aircraft.
MAX_LINES = 10_000
MAX_BYTES = 4_000_000
_NEEDED = ("id", "class", "holder", "serials", "lat_deg", "lon_deg", "radius_m", "start", "end")
_OPTIONAL = ("zones", "upper_agl_m", "must_broadcast")
Cell = Callable[[str], str]
_FLAGS = {"": True, "yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}


@dataclass(frozen=True, slots=True)
class ExemptionLines:
    """The exemptions that could be read, by id, and what was amiss, each at its line."""

    permits: tuple[Permit, ...]
    findings: tuple[Finding, ...]


def decode_exemptions(data: bytes, source: str, authority_id: str) -> ExemptionLines:
    """The exemptions of a CSV file. InputError where the whole is no such table."""
    text = _text(data, source)
    first = text.partition("\n")[0]
    delimiter = ";" if first.count(";") > first.count(",") else ","
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    findings: list[Finding] = []
    read: list[tuple[int, Permit]] = []
    try:
        columns = _columns([cell.strip().lower() for cell in next(reader, [])], source, findings)
        for number, cells in enumerate(reader, 1):
            if number > MAX_LINES:
                raise InputError(source, f"has over {MAX_LINES} lines", "Split it.")
            line = reader.line_num
            if not any(cell.strip() for cell in cells):
                continue
            permit = _line(f"line {line}", cells, columns, authority_id, findings)
            if permit is not None:
                read.append((line, permit))
    except csv.Error as error:
        where = f"{source}: line {reader.line_num}"
        raise InputError(where, f"is no CSV ({error})", "Save the table as CSV anew.") from None
    return _without_doubles(read, findings)


def _text(data: bytes, source: str) -> str:
    if len(data) > MAX_BYTES:
        raise InputError(source, f"is over {MAX_BYTES} bytes", "Split it.")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        where = f"{source}: byte {error.start}"
        raise InputError(where, "is no UTF-8", "Save it as CSV UTF-8.") from None


def _columns(names: list[str], source: str, findings: list[Finding]) -> dict[str, int]:
    missing = [name for name in _NEEDED if name not in names]
    doubled = [name for name, times in Counter(names).items() if times > 1]
    if missing or doubled:
        problem = f"lacks {', '.join(missing)}" if missing else f"names {doubled[0]} twice"
        raise InputError(f"{source}: line 1", problem, "Head the columns as the format says.")
    for name in names:
        if name not in (*_NEEDED, *_OPTIONAL):
            problem = f"{shown(name)} is no column of this format"
            findings.append(Finding("line 1", problem, "not read", Severity.WARNING))
    return {name: names.index(name) for name in (*_NEEDED, *_OPTIONAL) if name in names}


def _line(
    where: str,
    cells: list[str],
    columns: dict[str, int],
    authority_id: str,
    findings: list[Finding],
) -> Permit | None:
    """One line, or None with an ERROR finding."""

    def cell(name: str) -> str:
        at = columns.get(name)
        text = "" if at is None or at >= len(cells) else cells[at].strip()
        if len(text) > MAX_TEXT:
            raise InputError(f"{where}, {name}", f"is over {MAX_TEXT} characters", "shorten it")
        if not text and name in _NEEDED:
            raise InputError(f"{where}, {name}", "is empty", "fill it in")
        return text

    try:
        kind = cell("class").lower()
        if kind not in list(ExemptionClass):
            classes = ", ".join(ExemptionClass)
            raise InputError(f"{where}, class", f"{shown(kind)} is none", f"give one of {classes}")
        flag = cell("must_broadcast").lower()
        if flag not in _FLAGS:
            raise InputError(f"{where}, must_broadcast", f"{shown(flag)} is none", "give yes or no")
        permit = Permit(
            permit_id=PermitId(cell("id")),
            authority_id=authority_id,
            holder=cell("holder"),
            serials=_words(cell("serials")),
            zones=tuple(ZoneId(z) for z in _words(cell("zones"))),
            volumes=(_volume(where, cell),),
            state=PermitState.GRANTED,
            exemption_class=kind,
            must_broadcast=_FLAGS[flag],
        )
    except InputError as error:
        assumed = f"the line is left out; {error.mend}"
        findings.append(Finding(error.where, error.problem, assumed, Severity.ERROR))
        return None
    for serial in permit.serials:
        problem = serial_fault(serial)
        if problem is not None:
            words = f"{shown(serial)} {problem} (ANSI/CTA-2063-A)"
            findings.append(Finding(f"{where}, serials", words, "kept as it is", Severity.NOTE))
    return permit


def _words(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(text.replace(";", " ").split()))


def _volume(where: str, cell: Cell) -> Volume4D:
    circle = Circle(
        _number(where, "lat_deg", cell), _number(where, "lon_deg", cell),
        _number(where, "radius_m", cell),
    )  # fmt: skip
    for inner, problem in geometry_faults(circle):
        raise InputError(f"{where}{inner.replace('.', ', ')}", problem, "correct it")
    upper: Height | None = None
    if cell("upper_agl_m"):
        upper_m = _number(where, "upper_agl_m", cell)
        if not 0.0 < upper_m <= HEIGHT_RANGE_M[1]:
            raise InputError(f"{where}, upper_agl_m", "is not above the ground", "correct it")
        upper = HeightAgl(upper_m)
    start_ns = parse_moment(cell("start"), f"{where}, start")
    end_ns = parse_moment(cell("end"), f"{where}, end")
    if start_ns >= end_ns:
        raise InputError(f"{where}, end", "is not after the start", "correct the times")
    return Volume4D(Volume(circle, None, upper), start_ns, end_ns)


def _number(where: str, name: str, cell: Cell) -> float:
    text = cell(name)
    try:
        value = float(text.replace(",", "."))  # a decimal comma, where semicolons part columns
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise InputError(f"{where}, {name}", f"{shown(text)} is no number", "give a number")
    return value


def _without_doubles(read: list[tuple[int, Permit]], findings: list[Finding]) -> ExemptionLines:
    count = Counter(p.permit_id for _, p in read)
    for line, permit in read:
        if count[permit.permit_id] > 1:
            problem = f"{shown(str(permit.permit_id))} occurs {count[permit.permit_id]} times"
            findings.append(
                Finding(f"line {line}, id", problem, "all of them left out", Severity.ERROR)
            )
    kept = [p for _, p in read if count[p.permit_id] == 1]
    kept.sort(key=lambda p: p.permit_id)
    return ExemptionLines(tuple(kept), tuple(findings))
