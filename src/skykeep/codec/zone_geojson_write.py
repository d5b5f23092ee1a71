"""Writes zones as plain GeoJSON (RFC 7946), for maps that know nothing of zones.

One feature a zone, its members flat as codec/geojson_zones.py reads them; circles as polygons of
96 corners drawn around them, so that none of the zone is left out. Where the plain members cannot
say a zone exactly, `properties.skykeep` does (codec/zone_extension.py), and `read_zones` of
what is written gives the same zones.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable

from skykeep.codec.geojson_zones import read_feature
from skykeep.codec.zone_extension import EXTENSION, Json
from skykeep.codec.zone_write import (
    REFERENCE_NAMES,
    exact_extension,
    outer_limits,
    read_back,
    refuse,
    short_identifiers,
)
from skykeep.core.geo import (
    Area,
    Circle,
    Height,
    metres_per_degree,
    reference_of,
)
from skykeep.core.zone import Zone

#: As countries draw them: 3.75 degrees a corner.
CIRCLE_CORNERS = 96


def write_geojson(zones: Iterable[Zone]) -> bytes:
    """A GeoJSON FeatureCollection (UTF-8) of zones, for maps and for `read_zones`.

    Raises InputError for what must not be published: an unreadable zone, one without volume,
    a faulty outline, an identifier used twice, an unknown time zone; and for a circle over a
    pole or the antimeridian, which no polygon can say.
    """
    zones = tuple(zones)
    short_identifiers(zones)  # refuses what is used twice; here long ones may stay
    features = ",\n".join(
        json.dumps(_feature(zone, f"zones[{i}]"), ensure_ascii=False, allow_nan=False)
        for i, zone in enumerate(zones)
    )
    head = '{"type": "FeatureCollection", "features": ['
    return f"{head}\n{features}\n]}}\n".encode("utf-8", "replace")


def _feature(zone: Zone, where: str) -> Json:
    refuse(zone, where)
    volumes = [outer_limits(volume) for volume in zone.volumes]
    properties: Json = {
        "identifier": str(zone.zone_id),
        "country": zone.country,
        "name": zone.name,
        "type": zone.variant,
        "restriction": str(zone.restriction),
        "reason": list(zone.reasons),
        "uomDimensions": "M",
        **_limit("lower", [v.lower for v in volumes]),
        **_limit("upper", [v.upper for v in volumes]),
        "authority": "; ".join(a.name for a in zone.authorities if a.name),
        "restrictionConditions": zone.conditions,
        "message": zone.message,
    }
    properties = {name: value for name, value in properties.items() if value not in ("", [])}
    coordinates = [_rings(volume.area) for volume in zone.volumes]
    geometry: Json = {"type": "Polygon", "coordinates": coordinates[0]}
    if len(coordinates) > 1:
        geometry = {"type": "MultiPolygon", "coordinates": coordinates}
    feature: Json = {"type": "Feature", "properties": properties, "geometry": geometry}
    extension = exact_extension(zone, feature, read_feature, where)
    if extension:
        properties[EXTENSION] = extension
        read_back(feature, read_feature, where)
    return feature


def _limit(side: str, heights: list[Height | None]) -> Json:
    """The outermost of the volumes' limits; none where they cannot be compared."""
    known = [height for height in heights if height is not None]
    if len(known) < len(heights) or len({reference_of(height) for height in known}) != 1:
        return {}
    metres = [height.m for height in known]
    return {
        f"{side}Limit": min(metres) if side == "lower" else max(metres),
        f"{side}VerticalReference": REFERENCE_NAMES[type(known[0])],
    }


def _rings(area: Area) -> list[list[list[float]]]:
    if not isinstance(area, Circle):
        return [[[lon, lat] for lon, lat in ring] for ring in area.rings]
    per_lon, per_lat = metres_per_degree(area.lat_deg)
    radius_m = area.radius_m / math.cos(math.pi / CIRCLE_CORNERS)
    ring = []
    for i in range(CIRCLE_CORNERS):
        angle = 2.0 * math.pi * i / CIRCLE_CORNERS
        lon_deg = area.lon_deg + radius_m * math.cos(angle) / max(per_lon, 1.0)
        lat_deg = area.lat_deg + radius_m * math.sin(angle) / per_lat
        ring.append([lon_deg, lat_deg])
    return [[*ring, ring[0]]]
