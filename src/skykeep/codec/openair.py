"""OpenAir (Winpilot, 1998, with the additions of Naviter's version 2): airspaces as lines of text.

    AC class    opens an airspace: R P Q A to G CTR TMA GP W RMZ TMZ ...; 2: class, UNC
    AY type     (2) its type: R, P, Q, CTR, TMZ ...
    AN name     AI identifier (2)     AF, AG  frequency and who is called
    AL, AH      floor and ceiling: 2500 ft MSL, 1500 AGL, FL 95, SFC, UNL; bare numbers are
                feet above mean sea level
    AA          (2) start/end of an activation, in ISO 8601
    V           X=centre of arcs and circles, D=+ or - their sense
    DP point    DA radius, from, to (NM, degrees)    DB point, point    DC radius (NM)
    *           a comment, also at a line's end

Points are "39:29:54 N 119:46:06 W", minutes and seconds may have decimals. Arcs become points
two degrees apart, which lie within 0.02 % of the radius. OpenAir speaks to gliders: what a class
means for drones is assumed, strictest where it is not known.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field, replace

from skykeep.codec.geojson_zones import read_flat
from skykeep.codec.json_doc import shown
from skykeep.codec.openair_shapes import arc, parse_point
from skykeep.codec.zone_heights import IN_WORDS, read_number
from skykeep.codec.zone_names import Flat
from skykeep.codec.zone_parts import Notes, ZoneFinding
from skykeep.core.zone import Zone
from skykeep.errors import InputError

METRES_PER_NM = 1852.0
#: Keeps arcs, which are short to write and long to draw, from filling the memory.
MAX_POINTS = 60_000
MAX_POINTS_IN_ALL = 1_000_000
#: Ten times all airspaces of Europe.
MAX_LINES = 500_000

_LINE_END = re.compile(r"\r\n|\r|\n")
_RECORD = re.compile(r"([A-Z]{1,2})(?:[ \t]+(.*))?", re.ASCII)
_FIRST = re.compile(rb"(?:^|[\r\n])[ \t]*AC[ \t]+[A-Za-z]", re.ASCII)
_BARE = re.compile(r"(\d{1,6}(?:\.\d+)?) ?(?:FT|F)?", re.IGNORECASE | re.ASCII)
#: Records that say how to draw an airspace or whom to call.
_IGNORED = frozenset({"AT", "AF", "AG", "AX", "TO", "TC", "SP", "SB", "DY"})
_CLASSES = {
    **dict.fromkeys(("P", "GP", "PROHIBITED"), "PROHIBITED"),
    **dict.fromkeys(("R", "A", "B", "C", "D", "CTR", "CTA", "TMA", "MATZ"), "REQ_AUTHORISATION"),
    **dict.fromkeys(("ATZ", "TRA", "TSA"), "REQ_AUTHORISATION"),
    **dict.fromkeys(("Q", "E", "F", "G", "W", "RMZ", "TMZ", "GSEC", "FIS"), "CONDITIONAL"),
}
_POINT_MEND = "Write degrees, minutes and seconds: 49:36:30 N 006:08:00 E"
_ARC_MEND = "Write V X= with the centre before it, then radius and angles or two points"


@dataclass(slots=True)
class _Space:
    """An airspace while its lines are read."""

    line: int
    words: dict[str, str] = field(default_factory=dict)
    lines: dict[str, int] = field(default_factory=dict)
    times: list[tuple[str, int]] = field(default_factory=list)
    points: list[tuple[float, float]] = field(default_factory=list)
    point_lines: list[int] = field(default_factory=list)
    circles: list[tuple[tuple[float, float], float, int]] = field(default_factory=list)
    centre: tuple[float, float] | None = None
    clockwise: bool = True
    errors: int = 0


def is_openair(data: bytes) -> bool:
    """Whether a document has a line that opens an airspace."""
    return _FIRST.search(data[:1_000_000]) is not None


def read_openair(data: bytes, source: str, most: int) -> tuple[list[Zone], list[str], Notes]:
    """Zones of an OpenAir document, where each stands, and what was amiss.

    Raises InputError where there are more than `most` airspaces.
    """
    notes = Notes()
    spaces: list[_Space] = []
    points = 0
    for number, line in enumerate(_LINE_END.split(_decode(data, notes)), start=1):
        text = line.partition("*")[0].strip()
        if not text:
            continue
        match = _RECORD.fullmatch(text)
        if match is None:
            problem = f"{shown(text)} is no record"
            notes.warn(f"line {number}", problem, "left out", "Write a record or a comment")
            continue
        code, words = match[1], (match[2] or "").strip()
        if code == "AC":
            points += len(spaces[-1].points) if spaces else 0
            spaces.append(_Space(number, {"AC": words}, {"AC": number}))
        elif spaces:
            before = notes.errors
            _take(spaces[-1], code, words, number, notes)
            spaces[-1].errors += notes.errors - before
        elif code not in _IGNORED:
            problem = f"{code} stands before any AC"
            notes.warn(f"line {number}", problem, "left out", "Write AC first")
        if len(spaces) > most or points > MAX_POINTS_IN_ALL or number > MAX_LINES:
            problem = f"there are more than {most} airspaces, {MAX_POINTS_IN_ALL} points or "
            problem += f"{MAX_LINES} lines"
            raise InputError(f"{source}: line {number}", problem, "Split the document")
    zones = [_zone(space, i, notes) for i, space in enumerate(spaces)]
    return zones, [f"line {space.line}" for space in spaces], notes


def _decode(data: bytes, notes: Notes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        notes.note("line 1", "the text is not in UTF-8", "Latin-1", "Save it as UTF-8")
        return data.decode("latin-1")


def _take(space: _Space, code: str, words: str, line: int, notes: Notes) -> None:
    """One record of an airspace."""
    where = f"line {line}"
    if code in ("AN", "AL", "AH", "AY", "AI"):
        if code in space.words:
            mend = f"Give one {code} to each airspace"
            notes.warn(where, f"there is a second {code}", "the first one holds", mend)
            return
        space.words[code], space.lines[code] = words, line
    elif code == "AA":
        space.times.append((words, line))
    elif code == "V":
        _set_variable(space, words, where, notes)
    elif code == "DP":
        point = parse_point(words)
        if point is None:
            notes.error(where, f"{shown(words)} is no point", mend=_POINT_MEND)
        else:
            _add_points(space, [point], line, notes)
    elif code in ("DA", "DB", "DC"):
        _take_curve(space, code, words, line, notes)
    elif code not in _IGNORED:
        problem = f"the record {code} is not known"
        notes.warn(where, problem, "left out", "Write a record of OpenAir")


def _set_variable(space: _Space, words: str, where: str, notes: Notes) -> None:
    name, _, value = (part.strip() for part in words.partition("="))
    if name.upper() == "X":
        space.centre = parse_point(value)
        if space.centre is None:
            notes.error(where, f"{shown(value)} is no point", mend=_POINT_MEND)
    elif name.upper() == "D":
        if value not in ("+", "-"):
            notes.error(where, f"{shown(value)} is no sense", mend="Write D=+ or D=-")
        space.clockwise = value != "-"
    elif name.upper() not in ("W", "Z", "T"):
        problem = f"the variable {shown(name)} is not known"
        notes.warn(where, problem, "left out", "Write V X= or V D=")


def _take_curve(space: _Space, code: str, words: str, line: int, notes: Notes) -> None:
    where = f"line {line}"
    if space.centre is None:
        notes.error(where, "there is no centre for it", mend=_ARC_MEND)
        return
    if code == "DC":
        radius_nm = read_number(words, where, "the radius", _quiet(notes, words))
        if radius_nm is not None:
            space.circles.append((space.centre, radius_nm * METRES_PER_NM, line))
        return
    points = arc(space.centre, code, words, space.clockwise)
    if points is None:
        notes.error(where, f"{shown(words)} is no arc", mend=_ARC_MEND)
    else:
        _add_points(space, points, line, notes)


def _quiet(notes: Notes, words: str) -> Notes:
    """Numbers are texts here: that is no finding, unless they are none."""
    try:
        return Notes() if math.isfinite(float(words)) else notes
    except ValueError:
        return notes


def _add_points(space: _Space, points: list[tuple[float, float]], line: int, notes: Notes) -> None:
    if len(space.points) + len(points) > MAX_POINTS:
        if len(space.points) <= MAX_POINTS:
            problem = f"the outline has more than {MAX_POINTS} points"
            notes.error(f"line {line}", problem, mend="Draw it with fewer")
        return
    space.points += points
    space.point_lines += [line] * len(points)


def _zone(space: _Space, index: int, notes: Notes) -> Zone:
    before = notes.errors - space.errors
    where = f"line {space.line}"
    words = space.words
    found: dict[str, object] = {"uomDimensions": "FT", "country": ""}
    places = {"restriction": where, "zoneAuthority": where, "identifier": where}
    for code, name in (("AN", "name"), ("AI", "identifier")):
        if code in words:
            found[name], places[name] = words[code], f"line {space.lines[code]}"
    if "identifier" not in found and words.get("AN"):
        found["identifier"] = words["AN"]
    for code, side in (("AL", "lower"), ("AH", "upper")):
        places[f"{side}Limit"] = f"line {space.lines.get(code, space.line)}"
        found[f"{side}Limit"] = _limit_words(words.get(code, ""), side)
    found["restriction"] = _restriction(words, where, notes)
    periods = _periods(space, notes)
    if periods:
        found["applicability"] = periods
        places["applicability"] = f"line {space.times[0][1]}"
    geometry = _geometry(space)
    trial = Notes()
    zone = read_flat(Flat(found, places, where, geometry, where), index, trial)
    unsaid = {f"{where}.{name}" for name in ("country", "authority", "applicability")}
    unsaid |= {f"{where}.extent", f"{where}.geometries"}
    if geometry is None:
        unsaid.add(where)
        if not space.errors:
            problem = "the airspace has no outline"
            notes.error(where, problem, mend="Give it DP, DA, DB or DC records")
    faults = [f for f in trial.findings() if not f.problem.endswith(IN_WORDS)]
    notes.take(_in_lines(f, space) for f in faults if f.where not in unsaid)
    return replace(zone, readable=notes.errors == before)


def _limit_words(words: str, side: str) -> object:
    if not words:
        return None
    bare = _BARE.fullmatch(words)
    if bare is None:
        return words
    return "SFC" if side == "lower" and float(bare[1]) == 0.0 else f"{bare[1]} FT MSL"


def _restriction(words: dict[str, str], where: str, notes: Notes) -> str:
    kind = (words.get("AY") or words["AC"]).upper()
    restriction = _CLASSES.get(kind, "PROHIBITED")
    if restriction != "PROHIBITED" or kind not in _CLASSES:
        problem = f"what class {shown(kind)} means for drones is not said"
        notes.warn(where, problem, restriction, "Publish the zone as ED-318")
    return restriction


def _periods(space: _Space, notes: Notes) -> list[object]:
    periods: list[object] = []
    for words, line in space.times:
        start, separator, end = (part.strip() for part in words.partition("/"))
        if words.upper() == "NONE" or not separator:
            mend = "Write start/end: 2026-08-01T06:00Z/2026-08-01T18:00Z"
            problem = f"{shown(words)} is no time of activation"
            notes.warn(f"line {line}", problem, "the airspace is always active", mend)
            return []
        periods.append({"startDateTime": start, "endDateTime": end})
    return periods


def _geometry(space: _Space) -> dict[str, object] | None:
    """The outline and the circles as GeoJSON with ED-318's extent."""
    areas: list[object] = []
    if space.points:
        ring = [list(point) for point in space.points]
        ring += [ring[0]] if ring[0] != ring[-1] else []  # OpenAir closes by itself
        areas.append({"type": "Polygon", "coordinates": [ring]})
    for (lon_deg, lat_deg), radius_m, _ in space.circles:
        extent = {"subType": "Circle", "radius": radius_m}
        areas.append({"type": "Point", "coordinates": [lon_deg, lat_deg], "extent": extent})
    return {"type": "GeometryCollection", "geometries": areas} if areas else None


def _in_lines(finding: ZoneFinding, space: _Space) -> ZoneFinding:
    """A finding in the outline with the line of its record in place of a JSON path."""
    path = re.search(r"\.geometries\[(\d+)\](?:\.coordinates\[0\]\[(\d+)\])?", finding.where)
    if path is None:
        return finding
    first_circle = 1 if space.points else 0
    area = int(path[1])
    if area >= first_circle:
        return replace(finding, where=f"line {space.circles[area - first_circle][2]}")
    vertex = min(int(path[2] or 0), len(space.point_lines) - 1)
    other = re.fullmatch(r"its edge meets the edge at \[0\]\[(\d+)\]", finding.problem)
    problem = finding.problem
    if other:
        far = space.point_lines[min(int(other[1]), len(space.point_lines) - 1)]
        problem = f"its edge meets the edge that starts in line {far}"
    return replace(finding, where=f"line {space.point_lines[vertex]}", problem=problem)
