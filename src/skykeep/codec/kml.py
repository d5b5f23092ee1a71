"""KML 2.2 and 2.3 (OGC 12-007r2), and KMZ: placemarks with an area are zones.

    Document, Folder                      nested; only their names and visibility matter
      Placemark  id, name, visibility, description
        ExtendedData                      Data name, value; SchemaData of SimpleData name
        Polygon                           extrude, altitudeMode
          outerBoundaryIs, innerBoundaryIs > LinearRing > coordinates "lon,lat,alt ..."
        MultiGeometry                     of such

KML draws; it has no word for how strict a zone is, whose it is, when and up to where it holds.
What ExtendedData says of that is taken by the names in codec/zone_names.py; limits also from a
description that holds "Upper limit: 2000 FT MSL" (United Kingdom's AIP); else from the
altitudes of an extruded outline. What is still missing is assumed, strictest first: PROHIBITED,
from the ground without limit. A line that is closed is read as an outline. A point is no area.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace

from skykeep.codec.geojson_zones import read_flat
from skykeep.codec.json_doc import shown
from skykeep.codec.kml_tree import Element, kml_in_kmz, parse_xml
from skykeep.codec.zone_names import Flat, flatten
from skykeep.codec.zone_parts import Notes
from skykeep.core.geometry import MAX_VERTICES
from skykeep.core.zone import Zone
from skykeep.errors import InputError

ZIP_MAGIC = b"PK\x03\x04"

_NUMBER = re.compile(r"[+-]?\d{1,9}(\.\d{1,9})?", re.ASCII)
_TAG = re.compile(r"<[^<>]{0,1000}>")
_LIMIT = re.compile(
    r"\b(?P<side>upper|lower) ?(?:limit ?[:=]?|[:=]) ?"
    r"(?P<words>UNL\w*|GND|SFC|FL ?\d{1,3}|\d[\d.,]{0,8} ?(?:FT|M)?\b ?(?:AGL|AMSL|MSL|SFC|ALT)?)",
    re.IGNORECASE | re.ASCII,
)
_AREAS = ("Polygon", "LinearRing", "LineString", "Point", "Model", "Track", "MultiTrack")
_AREA_MEND = "Draw the zone as a polygon"


@dataclass(frozen=True, slots=True)
class _Outline:
    """A polygon's rings as GeoJSON has them, its altitudes and what they are measured from."""

    rings: list[object]
    altitudes_m: tuple[float, ...]
    mode: str
    extruded: bool
    where: str


def read_kmz(data: bytes, source: str, most: int) -> tuple[list[Zone], list[str], Notes]:
    """Zones of a KMZ: of the KML inside; see `read_kml`."""
    text, name = kml_in_kmz(data, source)
    return read_kml(text, f"{source}: {name}", most)


def read_kml(data: bytes, source: str, most: int) -> tuple[list[Zone], list[str], Notes]:
    """Zones of a KML document, where each stands, and what was amiss.

    Raises InputError where it is no XML, no KML or has more than `most` placemarks.
    """
    root = parse_xml(data, source)
    if root.name not in ("kml", "Document", "Folder", "Placemark"):
        problem = f"the root is {shown(root.name)}, not kml"
        raise InputError(f"{source}: line {root.line}", problem, "Give a KML document")
    notes = Notes()
    placemarks = []
    for element in root.within():
        if element.name == "Placemark":
            placemarks.append(element)
        elif element.name == "NetworkLink":
            where = f"line {element.line}: NetworkLink"
            mend = "Give the document that the link leads to"
            notes.warn(where, "the document links to another one", "nothing of it", mend)
        elif element.name in ("Folder", "Document") and element.words("visibility") == "0":
            where = f"line {element.line}: {element.name}.visibility"
            notes.note(where, "the zones in it are hidden for viewers", "they hold all the same")
    if len(placemarks) > most:
        problem = f"there are {len(placemarks)} placemarks, more than {most}"
        raise InputError(source, problem, "Split the document")
    places = [f"line {p.line}: Placemark[{i}]" for i, p in enumerate(placemarks)]
    zones = [_read(p, i, places[i], notes) for i, p in enumerate(placemarks)]
    return zones, places, notes


def _read(placemark: Element, index: int, where: str, notes: Notes) -> Zone:
    before = notes.errors
    members = _members(placemark)
    flat = flatten(members, where, None, where)
    found, places = dict(flat.found), dict(flat.places)
    described = {m["side"].lower(): m["words"] for m in _LIMIT.finditer(_description(placemark))}
    for side, words in described.items():
        if found.get(f"{side}Limit") is None:
            found[f"{side}Limit"] = words
            places[f"{side}Limit"] = f"{where}.description"
    if placemark.child("TimeSpan") or placemark.child("TimeStamp"):
        mend = "Publish the times as ED-318"
        notes.warn(f"{where}.TimeSpan", "it says when to show the zone", "it always holds", mend)
    if "identifier" not in found and found.get("name"):
        notes.note(f"{where}.identifier", "the placemark has no id", "its name")
        found["identifier"] = found["name"]
    errors_elsewhere = notes.errors
    outlines = _outlines(placemark, where, notes)
    if not ({"lowerLimit", "upperLimit"} & found.keys()):
        _take_altitudes(outlines, found, places, where, notes)
    for name in ("lowerLimit", "upperLimit", "radius"):
        value = found.get(name)
        if isinstance(value, str) and _NUMBER.fullmatch(value):
            found[name] = float(value)  # all that KML says is text
    geometry, at = _geometry(placemark, outlines, where, "radius" in found)
    trial = Notes()
    zone = read_flat(Flat(found, places, where, geometry, at), index, trial)
    if geometry is None and notes.errors == errors_elsewhere:
        notes.error(where, "the placemark has no area", mend=_AREA_MEND)
    unsaid = {f"{where}.{name}" for name in ("country", "authority", "applicability")}
    if geometry is None:
        unsaid.add(at)
    notes.take(f for f in trial.findings() if f.where not in unsaid)
    return replace(zone, readable=notes.errors == before)


def _members(placemark: Element) -> dict[str, object]:
    """Name, id and what ExtendedData says, which holds before the name."""
    members: dict[str, object] = {}
    extended = placemark.child("ExtendedData")
    for element in extended.within() if extended else ():
        name = element.attributes.get("name", "")
        value = element.words("value") if element.name == "Data" else element.text.strip()
        if element.name in ("Data", "SimpleData") and name and value:
            members.setdefault(name, value)
    for name, value in (
        ("name", placemark.words("name")),
        ("id", placemark.attributes.get("id", "")),
        ("visibility", placemark.words("visibility")),
    ):
        if value:
            members.setdefault(name, value)
    return members


def _description(placemark: Element) -> str:
    words = _TAG.sub(" ", placemark.words("description")[:20_000])
    return " ".join(words.replace("&nbsp;", " ").split())


def _outlines(placemark: Element, where: str, notes: Notes) -> list[_Outline]:
    outlines = []
    for element in _geometries(placemark):
        place = f"line {element.line}: {where.partition(': ')[2]}.{element.name}"
        if element.name == "Polygon":
            outer = [e for e in element.children if e.name == "outerBoundaryIs"]
            inner = [e for e in element.children if e.name == "innerBoundaryIs"]
            if len(outer) != 1:
                problem = f"it has {len(outer)} outer boundaries"
                notes.error(place, problem, mend="Give each polygon one outerBoundaryIs")
            rings = [r for e in (*outer, *inner) for r in e.within() if r.name == "LinearRing"]
            outline = _outline(element, rings, place, notes)
            outlines += [outline] if outline.rings else []
        elif element.name in ("LinearRing", "LineString"):
            outline = _outline(element, [element], place, notes)
            ring = outline.rings[0] if outline.rings else None
            if isinstance(ring, list) and len(ring) > 3 and ring[0] == ring[-1]:
                notes.warn(place, "a closed line is no area", "its inside", _AREA_MEND)
                outlines.append(outline)
    return outlines


def _geometries(placemark: Element) -> list[Element]:
    """The geometries of a placemark, also those in a MultiGeometry, but not a polygon's rings."""
    found, waiting = [], list(reversed(placemark.children))
    while waiting:
        element = waiting.pop()
        if element.name in _AREAS:
            found.append(element)
        elif element.name == "MultiGeometry":
            waiting.extend(reversed(element.children))
    return found


def _outline(element: Element, rings: list[Element], where: str, notes: Notes) -> _Outline:
    found: list[object] = []
    altitudes: list[float] = []
    for ring in rings:
        place = f"line {ring.line}: {where.partition(': ')[2]}.coordinates"
        points = _points(ring.words("coordinates"), place, notes)
        if points is None:
            return _Outline([], (), "", False, where)
        found.append([point[:2] for point in points])
        altitudes += [point[2] for point in points if len(point) > 2]
    mode = element.words("altitudeMode") or "clampToGround"
    return _Outline(found, tuple(altitudes), mode, element.words("extrude") in ("1", "true"), where)


def _points(words: str, where: str, notes: Notes) -> list[list[float]] | None:
    """Positions of a `coordinates` element; blanks after commas are a common slip."""
    points = []
    tokens = re.sub(r"\s*,\s*", ",", words).split()
    if len(tokens) > MAX_VERTICES:
        problem = f"it has more than {MAX_VERTICES} vertices"
        notes.error(where, problem, mend="Draw the outline with fewer")
        return None
    for i, token in enumerate(tokens):
        try:
            point = [float(part) for part in token.split(",") if part]
        except ValueError:
            point = []
        if len(point) < 2 or not all(map(math.isfinite, point)):
            problem = f"{shown(token)} is no position"
            notes.error(f"{where}[{i}]", problem, mend="Write longitude,latitude,altitude")
            return None
        points.append(point)
    return points


def _take_altitudes(
    outlines: list[_Outline],
    found: dict[str, object],
    places: dict[str, str],
    where: str,
    notes: Notes,
) -> None:
    """Limits from how high the outline is drawn, if it reaches to the ground."""
    found["lowerLimit"], found["lowerVerticalReference"] = 0.0, "AGL"
    found["uomDimensions"] = "M"
    modes = {outline.mode for outline in outlines}
    tops = [max(outline.altitudes_m, default=0.0) for outline in outlines]
    drawn = modes in ({"relativeToGround"}, {"absolute"}) and min(tops, default=0.0) > 0.0
    mend = "Give lowerLimit and upperLimit in ExtendedData"
    if drawn and all(outline.extruded for outline in outlines):
        found["upperLimit"] = max(tops)
        found["upperVerticalReference"] = "AGL" if modes == {"relativeToGround"} else "AMSL"
        places["upperLimit"] = outlines[0].where
        problem = "the limits are only drawn"
        assumed = f"from the ground to {max(tops):g} m {found['upperVerticalReference']}"
    else:
        problem, assumed = "the document does not say up to where the zone holds", "no upper limit"
    notes.warn(f"{where}.upperLimit", problem, assumed, mend)


def _geometry(
    placemark: Element, outlines: list[_Outline], where: str, has_radius: bool
) -> tuple[dict[str, object] | None, str]:
    """The outlines as GeoJSON, and where it stands; a point only if it has a radius."""
    if len(outlines) == 1:
        return {"type": "Polygon", "coordinates": outlines[0].rings}, outlines[0].where
    if outlines:
        return {"type": "MultiPolygon", "coordinates": [o.rings for o in outlines]}, where
    for element in _geometries(placemark):
        if element.name == "Point" and has_radius:
            points = _points(element.words("coordinates"), where, Notes())
            place = f"line {element.line}: {where.partition(': ')[2]}.Point"
            return {"type": "Point", "coordinates": points[0] if points else None}, place
    return None, where
