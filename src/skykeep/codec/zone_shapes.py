"""Areas and height limits, as GeoJSON (RFC 7946), ED-269 and ED-318 write them."""

from __future__ import annotations

import math
from collections.abc import Mapping

from skykeep.codec.json_doc import shown
from skykeep.codec.zone_parts import Notes, as_list
from skykeep.core.geo import (
    Area,
    Circle,
    Height,
    HeightAgl,
    HeightAmsl,
    HeightHae,
    Polygon,
    Volume,
)
from skykeep.core.geometry import geometry_faults, is_counter_clockwise
from skykeep.units import METRES_PER_FOOT

#: Written for "no ceiling" in some countries' ED-269, in whatever unit.
NO_CEILING = 99_999.0
#: Nothing that flies under these rules is lower: the Dead Sea's shore lies at -440 m.
LOWEST_LIMIT_M = -1_000.0

_UNLIMITED = frozenset({"UNL", "UNLIMITED", "UNLTD"})
_GROUND = frozenset({"GND", "SFC", "GROUND", "SURFACE"})
_UNITS = {"M": 1.0, "FT": METRES_PER_FOOT}
_REFERENCES: dict[str, type[HeightAgl] | type[HeightAmsl] | type[HeightHae]] = {
    "AGL": HeightAgl,
    "SFC": HeightAgl,
    "AMSL": HeightAmsl,
    "MSL": HeightAmsl,
    "WGS84": HeightHae,
    "HAE": HeightHae,
}
_STANDARD_REFERENCES = ("AGL", "AMSL", "WGS84")

#: Where a circle's parts stand in GeoJSON with ED-318's extent.
_POINT_PARTS = {".radius": ".extent.radius", ".centre": ".coordinates"}


def read_number(value: object, where: str, what: str, notes: Notes) -> float | None:
    """A finite number, also one that is written as a text; None with an error for others."""
    if isinstance(value, str):
        try:
            number = float(value)
        except ValueError:
            notes.error(where, f"{what} {shown(value)} is no number")
            return None
        if math.isfinite(number):
            notes.warn(where, f"{what} is a text", f"the number {number:g}")
    elif isinstance(value, int | float) and not isinstance(value, bool):
        number = float(value)
    else:
        notes.error(where, f"{what} is {shown(value)}, not a number")
        return None
    if not math.isfinite(number):
        notes.error(where, f"{what} is not a finite number")
        return None
    return number


def read_unit(value: object, where: str, notes: Notes, needed: bool) -> float:
    """Metres in the unit of a zone's dimensions; a missing one is metres."""
    if value is None:
        if needed:
            notes.warn(where, "the unit is missing", "metres")
        return 1.0
    unit = _UNITS.get(value.strip().upper()) if isinstance(value, str) else None
    if unit is None:
        notes.error(where, f"{shown(value)} is neither metres nor feet")
        return 1.0
    return unit


def read_limits(
    found: Mapping[str, tuple[object, object]],
    places: Mapping[str, tuple[str, str]],
    metres: float,
    notes: Notes,
) -> tuple[Height | None, Height | None]:
    """Lower and upper limit of a volume; None where there is none.

    `found` has (limit, reference) for "lower" and "upper", `places` their JSON paths;
    `metres` is the unit's length.
    """
    before = notes.errors
    lower = _read_limit("lower", *found["lower"], *places["lower"], metres, notes)
    upper = _read_limit("upper", *found["upper"], *places["upper"], metres, notes)
    if (
        notes.errors == before
        and lower is not None
        and upper is not None
        and type(lower) is type(upper)
        and lower.m >= upper.m
    ):
        problem = f"the upper limit {upper.m:g} m is not above the lower limit {lower.m:g} m"
        notes.error(places["upper"][0], problem)
    return lower, upper


def _read_limit(
    side: str,
    value: object,
    reference: object,
    where: str,
    reference_where: str,
    metres: float,
    notes: Notes,
) -> Height | None:
    if value is None:
        notes.note(where, f"there is no {side} limit", f"no {side} limit")
        return None
    words = value.strip().upper() if isinstance(value, str) else ""
    if side == "upper" and words in _UNLIMITED:
        notes.note(where, f"the upper limit is {words}", "no upper limit")
        return None
    if side == "lower" and words in _GROUND:
        notes.note(where, f"the lower limit is {words}", "0 m above ground")
        return HeightAgl(0.0)
    number = read_number(value, where, f"the {side} limit", notes)
    if number is None:
        return None
    if number >= NO_CEILING:
        if side == "upper":
            notes.warn(where, f"the upper limit {number:g} stands for no ceiling", "no upper limit")
            return None
        notes.error(where, f"the lower limit {number:g} is beyond all flight")
        return None
    if number * metres < LOWEST_LIMIT_M:
        notes.error(where, f"the {side} limit {number:g} is below all land")
        return None
    height = _reference(reference, number, reference_where, notes)
    return None if height is None else height(number * metres)


def _reference(
    value: object, number: float, where: str, notes: Notes
) -> type[HeightAgl] | type[HeightAmsl] | type[HeightHae] | None:
    words = value.strip().upper() if isinstance(value, str) else ""
    found = _REFERENCES.get(words)
    if found is None and value is None and number == 0.0:
        notes.warn(where, "the limit 0 has no reference", "AGL")
        return HeightAgl
    if found is None:
        notes.error(where, f"{shown(value)} is no reference of heights")
    elif value not in _STANDARD_REFERENCES:
        notes.note(where, f"{shown(value)} is not written as the formats have it", found.__name__)
    return found


def read_position(value: object, where: str, notes: Notes) -> tuple[float, float] | None:
    """Longitude and latitude, as they stand; their ranges are the outline's matter."""
    if not isinstance(value, list) or len(value) < 2:
        notes.error(where, f"longitude and latitude are needed, not {shown(value)}")
        return None
    lon = read_number(value[0], f"{where}[0]", "the longitude", notes)
    lat = read_number(value[1], f"{where}[1]", "the latitude", notes)
    return None if lon is None or lat is None else (lon, lat)


def read_circle(
    centre: tuple[float, float] | None,
    radius_m: float | None,
    where: str,
    parts: Mapping[str, str],
    notes: Notes,
) -> Circle | None:
    """A circle that can be drawn; `parts` says where its radius and centre stand."""
    if centre is None or radius_m is None:
        return None
    circle = Circle(centre[1], centre[0], radius_m)
    for suffix, problem in geometry_faults(circle):
        notes.error(where + parts[suffix], problem)
    return circle


def read_polygon(value: object, where: str, notes: Notes) -> Polygon | None:
    """A polygon's rings: closed, the border turning left and the holes right.

    An outline with faults is given as it stands, with errors; None if it cannot be drawn.
    """
    rings_found = value if isinstance(value, list) else []
    if rings_found and _is_ring(rings_found):
        notes.warn(where, "a list of rings is needed, not a ring", "one ring")
        rings_found = [rings_found]
    rings = [_read_ring(ring, f"{where}[{i}]", notes) for i, ring in enumerate(rings_found)]
    if not rings:
        notes.error(where, f"rings of positions are needed, not {shown(value)}")
    if not rings or any(ring is None for ring in rings):
        return None
    polygon = Polygon(tuple(ring for ring in rings if ring))
    faults = geometry_faults(polygon)
    for suffix, problem in faults:
        notes.error(where + suffix, problem)
    return polygon if faults else _turned(polygon, where, notes)


def _turned(polygon: Polygon, where: str, notes: Notes) -> Polygon:
    rings = []
    for i, ring in enumerate(polygon.rings):
        left = is_counter_clockwise(ring)
        if i == 0 and not left:
            notes.note(f"{where}[{i}]", "the border turns clockwise", "turned")
        elif i > 0 and left:
            notes.note(f"{where}[{i}]", "the hole turns counter-clockwise", "turned")
        rings.append(ring if left == (i == 0) else ring[::-1])
    return Polygon(tuple(rings))


def _is_ring(value: list[object]) -> bool:
    first = value[0]
    return isinstance(first, list) and bool(first) and isinstance(first[0], int | float)


def _read_ring(value: object, where: str, notes: Notes) -> tuple[tuple[float, float], ...] | None:
    if not isinstance(value, list) or not value:
        notes.error(where, f"a ring of positions is needed, not {shown(value)}")
        return None
    points = []
    for i, found in enumerate(value):
        point = read_position(found, f"{where}[{i}]", notes)
        if point is None:
            return None
        points.append(point)
    if points[0] != points[-1]:
        notes.warn(where, "the ring is not closed", "an edge back to its first vertex")
        points.append(points[0])
    return tuple(points)


def read_areas(geometry: Mapping[str, object], where: str, notes: Notes) -> list[Area]:
    """The areas of a GeoJSON Polygon, MultiPolygon, or Point with ED-318's extent."""
    kind, coordinates = geometry.get("type"), geometry.get("coordinates")
    place = f"{where}.coordinates"
    if kind == "Polygon":
        polygon = read_polygon(coordinates, place, notes)
        return [polygon] if polygon else []
    if kind == "MultiPolygon" and isinstance(coordinates, list) and coordinates:
        found = (read_polygon(c, f"{place}[{i}]", notes) for i, c in enumerate(coordinates))
        return [polygon for polygon in found if polygon]
    if kind == "Point":
        extent = geometry.get("extent")
        if not isinstance(extent, dict):
            notes.error(f"{where}.extent", "a point without an extent is no area")
            return []
        if extent.get("subType") != "Circle":
            problem = f"{shown(extent.get('subType'))} is not Circle"
            notes.warn(f"{where}.extent.subType", problem, "Circle")
        radius_where = f"{where}.extent.radius"
        radius_m = read_number(extent.get("radius"), radius_where, "the radius", notes)
        centre = read_position(coordinates, place, notes)
        circle = read_circle(centre, radius_m, where, _POINT_PARTS, notes)
        return [circle] if circle else []
    notes.error(f"{where}.type", f"{shown(kind)} is no area")
    return []


def read_layer(layer: object, where: str, notes: Notes) -> tuple[Height | None, Height | None]:
    """ED-318's layer: limits, their references and their unit; none at all is no limits."""
    if layer is None:
        layer = {}
    if not isinstance(layer, dict):
        notes.error(where, f"a layer is needed, not {shown(layer)}")
        return None, None
    metres = read_unit(layer.get("uom"), f"{where}.uom", notes, needed=False)
    sides = ("lower", "upper")
    return read_limits(
        {side: (layer.get(side), layer.get(f"{side}Reference")) for side in sides},
        {side: (f"{where}.{side}", f"{where}.{side}Reference") for side in sides},
        metres,
        notes,
    )


def read_layered(geometry: object, where: str, notes: Notes) -> tuple[Volume, ...]:
    """ED-318's geometry: areas with a layer each, alone or in one collection."""
    if not isinstance(geometry, dict):
        notes.error(where, f"a geometry is needed, not {shown(geometry)}")
        return ()
    if geometry.get("type") != "GeometryCollection":
        lower, upper = read_layer(geometry.get("layer"), f"{where}.layer", notes)
        return tuple(Volume(a, lower, upper) for a in read_areas(geometry, where, notes))
    volumes: list[Volume] = []
    members = as_list(geometry.get("geometries"), f"{where}.geometries", notes)
    if not members:
        notes.error(f"{where}.geometries", "the collection is empty")
    for i, member in enumerate(members):
        place = f"{where}.geometries[{i}]"
        if not isinstance(member, dict) or member.get("type") == "GeometryCollection":
            notes.error(place, "an area is needed here")
            continue
        layer, layer_where = member.get("layer"), f"{place}.layer"
        if layer is None and geometry.get("layer") is not None:
            layer, layer_where = geometry["layer"], f"{where}.layer"
        lower, upper = read_layer(layer, layer_where, notes)
        volumes += [Volume(area, lower, upper) for area in read_areas(member, place, notes)]
    return tuple(volumes)
