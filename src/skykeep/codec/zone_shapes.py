"""Areas, as GeoJSON (RFC 7946), ED-269 and ED-318 write them, and ED-318's layers."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

from skykeep.codec.json_doc import shown
from skykeep.codec.zone_heights import SIDES, read_limits, read_number, read_unit
from skykeep.codec.zone_parts import Notes, as_list
from skykeep.core.geo import Area, Circle, Height, Polygon, Volume
from skykeep.core.geometry import MAX_VERTICES, geometry_faults, is_counter_clockwise

#: A polygon so wide is drawn around the globe, not across the antimeridian.
WORLD_WIDTH_DEG = 359.0
#: More than any country and its seas: worth a second look.
LARGE_DEG = 60.0

_POSITION_MEND = "Write [longitude, latitude] in degrees"
_RING_MEND = "Write a ring of at least four [longitude, latitude], the last one like the first"
_AREA_MEND = "Write a Polygon, a MultiPolygon or a Point with the extent of a circle"
_RADIUS_MEND = "Write a radius in metres, above 0 and up to 500000"

#: Where a circle's parts stand in GeoJSON with ED-318's extent.
_POINT_PARTS = {".radius": ".extent.radius", ".centre": ".coordinates"}


def read_position(value: object, where: str, notes: Notes) -> tuple[float, float] | None:
    """Longitude and latitude, as they stand; their ranges are the outline's matter."""
    if not isinstance(value, list) or len(value) < 2:
        problem = f"longitude and latitude are needed, not {shown(value)}"
        notes.error(where, problem, mend=_POSITION_MEND)
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
        mend = _RADIUS_MEND if suffix == ".radius" else _POSITION_MEND
        notes.error(where + parts[suffix], problem, mend=mend)
    return circle


def read_polygons(value: object, where: str, notes: Notes) -> list[Polygon]:
    """A polygon's rings: closed, the border turning left and the holes right.

    An outline with faults is given as it stands, with errors; none if it cannot be drawn. One
    that goes around the globe comes in two halves, since no area may span more than one.
    """
    rings_found = value if isinstance(value, list) else []
    if rings_found and _is_ring(rings_found):
        notes.warn(where, "a list of rings is needed, not a ring", "one ring")
        rings_found = [rings_found]
    if sum(len(ring) for ring in rings_found if isinstance(ring, list)) > MAX_VERTICES:
        problem = f"it has more than {MAX_VERTICES} vertices"
        notes.error(where, problem, mend=_mend_of(problem))
        return []
    rings = [_read_ring(ring, f"{where}[{i}]", notes) for i, ring in enumerate(rings_found)]
    if not rings:
        problem = f"rings of positions are needed, not {shown(value)}"
        notes.error(where, problem, mend=_RING_MEND)
    if not rings or any(ring is None for ring in rings):
        return []
    polygon = Polygon(tuple(ring for ring in rings if ring))
    halves = _halves_of_the_world(polygon)
    if halves:
        problem = "the zone goes around the globe"
        notes.warn(where, problem, "all of it, in two halves", "Draw the country's outline")
        return halves
    faults = geometry_faults(polygon)
    for suffix, problem in faults:
        notes.error(where + suffix, problem, mend=_mend_of(problem))
    if faults:
        return [polygon]
    _say_if_large(polygon, where, notes)
    return [_turned(polygon, where, notes)]


def _mend_of(problem: str) -> str:
    """What to do about a fault that core/geometry.py found in an outline."""
    for words, mend in (
        ("its edge meets", "Draw the outline so that no two edges cross or touch"),
        ("latitude", "Write the longitude first; a latitude is -90 to 90"),
        ("longitude", "Write the longitude first; a longitude is -180 to 180"),
        ("half the globe", "Cut the outline at the antimeridian into two polygons"),
        ("vertices", "Draw the outline with at least 3 and at most 50000 vertices"),
        ("hole", "Move the hole into the border, or make it a polygon of its own"),
        ("encloses no area", "Draw an outline that is larger than a square metre"),
    ):
        if words in problem:
            return mend
    return _RING_MEND


def _halves_of_the_world(polygon: Polygon) -> list[Polygon]:
    """West and east half of a rectangle that goes around the globe; none for other outlines."""
    ring = polygon.rings[0]
    lons, lats = sorted({lon for lon, _ in ring}), sorted({lat for _, lat in ring})
    if (
        len(polygon.rings) != 1
        or lons[0] < -180.0
        or lons[-1] > 180.0
        or not lons[-1] - lons[0] >= WORLD_WIDTH_DEG
        or not -90.0 <= lats[0] < lats[-1] <= 90.0
        or any(lat not in (lats[0], lats[-1]) for lat in lats)
        or not {(lon, lat) for lon in (lons[0], lons[-1]) for lat in lats} <= set(ring)
    ):
        return []
    (west, east), (south, north) = (lons[0], lons[-1]), lats
    if enclosed_deg2(ring) < 0.999 * (east - west) * (north - south):
        return []
    return [
        Polygon((((left, south), (right, south), (right, north), (left, north), (left, south)),))
        for left, right in ((west, 0.0), (0.0, east))
    ]


def enclosed_deg2(ring: tuple[tuple[float, float], ...]) -> float:
    """What a closed ring encloses on the flat map, in square degrees."""
    doubled = sum(x1 * y2 - x2 * y1 for (x1, y1), (x2, y2) in pairwise(ring))
    return 0.5 * abs(doubled)


def _say_if_large(polygon: Polygon, where: str, notes: Notes) -> None:
    lons, lats = zip(*polygon.rings[0], strict=True)
    width, height = max(lons) - min(lons), max(lats) - min(lats)
    if width > LARGE_DEG or height > LARGE_DEG:
        problem = f"the zone spans {width:.0f} degrees of longitude and {height:.0f} of latitude"
        notes.warn(where, problem, "as drawn", "Check the order of longitude and latitude")


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
        problem = f"a ring of positions is needed, not {shown(value)}"
        notes.error(where, problem, mend=_RING_MEND)
        return None
    points = []
    for i, found in enumerate(value):
        point = read_position(found, f"{where}[{i}]", notes)
        if point is None:
            return None
        points.append(point)
    if points[0] != points[-1]:
        mend = "Repeat the first vertex at the end"
        notes.warn(where, "the ring is not closed", "an edge back to its first vertex", mend)
        points.append(points[0])
    return tuple(points)


def read_areas(geometry: Mapping[str, object], where: str, notes: Notes) -> list[Area]:
    """The areas of a GeoJSON Polygon, MultiPolygon, or Point with ED-318's extent."""
    kind, coordinates = geometry.get("type"), geometry.get("coordinates")
    place = f"{where}.coordinates"
    if kind == "Polygon":
        return list(read_polygons(coordinates, place, notes))
    if kind == "MultiPolygon" and isinstance(coordinates, list) and coordinates:
        found = (read_polygons(c, f"{place}[{i}]", notes) for i, c in enumerate(coordinates))
        return [polygon for polygons in found for polygon in polygons]
    if kind == "Point":
        extent = geometry.get("extent")
        if not isinstance(extent, dict):
            mend = 'Write "extent": {"subType": "Circle", "radius": metres}'
            notes.error(f"{where}.extent", "a point without an extent is no area", mend=mend)
            return []
        if extent.get("subType") != "Circle":
            problem = f"{shown(extent.get('subType'))} is not Circle"
            notes.warn(f"{where}.extent.subType", problem, "Circle")
        radius_where = f"{where}.extent.radius"
        radius_m = read_number(extent.get("radius"), radius_where, "the radius", notes)
        centre = read_position(coordinates, place, notes)
        circle = read_circle(centre, radius_m, where, _POINT_PARTS, notes)
        return [circle] if circle else []
    notes.error(f"{where}.type", f"{shown(kind)} is no area", mend=_AREA_MEND)
    return []


def read_layer(layer: object, where: str, notes: Notes) -> tuple[Height | None, Height | None]:
    """ED-318's layer: limits, their references and their unit; none at all is no limits."""
    if layer is None:
        mend = "Write the layer; for a zone without limits one with only its uom"
        notes.warn(where, "the layer is missing", "no limits", mend)
        return None, None
    if not isinstance(layer, dict):
        mend = "Write an object with lower, upper, their references and uom"
        notes.error(where, f"a layer is needed, not {shown(layer)}", mend=mend)
        return None, None
    metres = read_unit(layer.get("uom"), f"{where}.uom", notes, needed=False)
    return read_limits(
        {side: (layer.get(side), layer.get(f"{side}Reference")) for side in SIDES},
        {side: (f"{where}.{side}", f"{where}.{side}Reference") for side in SIDES},
        metres,
        notes,
    )


def read_layered(geometry: object, where: str, notes: Notes) -> tuple[Volume, ...]:
    """ED-318's geometry: areas with a layer each, alone or in one collection."""
    if not isinstance(geometry, dict):
        notes.error(where, f"a geometry is needed, not {shown(geometry)}", mend=_AREA_MEND)
        return ()
    if geometry.get("type") != "GeometryCollection":
        lower, upper = read_layer(geometry.get("layer"), f"{where}.layer", notes)
        return tuple(Volume(a, lower, upper) for a in read_areas(geometry, where, notes))
    volumes: list[Volume] = []
    members = as_list(geometry.get("geometries"), f"{where}.geometries", notes)
    if not members:
        notes.error(f"{where}.geometries", "the collection is empty", mend=_AREA_MEND)
    for i, member in enumerate(members):
        place = f"{where}.geometries[{i}]"
        if not isinstance(member, dict) or member.get("type") == "GeometryCollection":
            notes.error(place, "an area is needed here", mend=_AREA_MEND)
            continue
        layer, layer_where = member.get("layer"), f"{place}.layer"
        if layer is None and geometry.get("layer") is not None:
            layer, layer_where = geometry["layer"], f"{where}.layer"
        lower, upper = read_layer(layer, layer_where, notes)
        volumes += [Volume(area, lower, upper) for area in read_areas(member, place, notes)]
    return tuple(volumes)
