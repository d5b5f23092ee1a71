"""Esri JSON, in which map servers give features, as GeoJSON.

    spatialReference {wkid, latestWkid}   4326: degrees; 3857, 102100: Web Mercator metres
    features[]
      attributes                          GeoJSON's properties
      geometry {rings[], spatialReference}  outer rings clockwise, each followed by its holes

Source: Esri, ArcGIS REST API, "Geometry objects".
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from skykeep.codec.json_doc import shown
from skykeep.codec.zone_parts import Notes
from skykeep.core.geo import WGS84_A_M

_DEGREES = (4326, 4269, 4258)  # WGS84, NAD83 and ETRS89 differ by less than two metres
_WEB_MERCATOR = (3857, 102_100, 102_113, 900_913)


def is_esri(feature: object) -> bool:
    """Whether an entry is a feature of Esri's kind."""
    return isinstance(feature, dict) and isinstance(feature.get("attributes"), dict)


def to_geojson(
    feature: Mapping[str, object], reference: object, where: str, notes: Notes
) -> object:
    """A feature as GeoJSON has it; null where it cannot be turned."""
    geometry = feature.get("geometry")
    turned: object = geometry
    if isinstance(geometry, dict) and isinstance(geometry.get("rings"), list):
        own = geometry.get("spatialReference") or reference
        rings = _in_degrees(geometry["rings"], own, f"{where}.geometry", notes)
        turned = None if rings is None else _polygons(rings)
    return {"type": "Feature", "properties": feature["attributes"], "geometry": turned}


def _in_degrees(
    rings: list[object], reference: object, where: str, notes: Notes
) -> list[object] | None:
    found = reference if isinstance(reference, dict) else {}
    wkid = found.get("latestWkid") or found.get("wkid")
    if wkid is None or wkid in _DEGREES:
        return rings
    if wkid in _WEB_MERCATOR:
        notes.note(where, "the coordinates are metres of Web Mercator", "turned into degrees")
        return [_ring_in_degrees(ring) for ring in rings]
    problem = f"the coordinates are in a reference that is not known ({shown(wkid)})"
    notes.error(where, problem, mend="Ask the map server for outSR=4326")
    return None


def _ring_in_degrees(ring: object) -> object:
    return [_position_in_degrees(p) for p in ring] if isinstance(ring, list) else ring


def _position_in_degrees(position: object) -> object:
    if not (
        isinstance(position, list)
        and len(position) >= 2
        and all(isinstance(v, int | float) and math.isfinite(v) for v in position[:2])
    ):
        return position
    x, y = position[0] / WGS84_A_M, min(max(position[1] / WGS84_A_M, -50.0), 50.0)
    lat = 2.0 * math.atan(math.exp(y)) - 0.5 * math.pi
    # A tenth of a millimetre, so that 10 degrees do not read 9.999999999999998.
    return [round(math.degrees(x), 9), round(math.degrees(lat), 9)]


def _polygons(rings: list[object]) -> dict[str, object]:
    """Rings as polygons: a clockwise one opens a polygon, another is a hole in the last."""
    polygons: list[list[object]] = []
    for ring in rings:
        if not polygons or _is_clockwise(ring):
            polygons.append([ring])
        else:
            polygons[-1].append(ring)
    if len(polygons) == 1:
        return {"type": "Polygon", "coordinates": polygons[0]}
    return {"type": "MultiPolygon", "coordinates": polygons}


def _is_clockwise(ring: object) -> bool:
    try:
        points = [(float(p[0]), float(p[1])) for p in ring]  # type: ignore[attr-defined]
    except (TypeError, ValueError, IndexError, KeyError, OverflowError):
        return True
    ahead = points[1:] + points[:1]
    return sum(x1 * y2 - x2 * y1 for (x1, y1), (x2, y2) in zip(points, ahead, strict=True)) < 0.0
