"""An incident on any map: tracks, zones and found parts as GeoJSON (RFC 7946)."""

from __future__ import annotations

import math
from typing import Any

import msgspec

from skykeep.core.geo import Circle, metres_per_degree
from skykeep.core.zone import Zone
from skykeep.dossier.excerpt import Excerpt
from skykeep.units import to_datetime

#: A circle has no form of its own in GeoJSON.
CIRCLE_CORNERS = 96
DEGREE_DECIMALS = 7  # about a centimetre


def incident_geojson(excerpt: Excerpt) -> bytes:
    """A FeatureCollection; heights in metres above the ellipsoid, times in UTC.

    A track's `sigma_horizontal_m` and `sigma_up_m` are one standard deviation, one for each of
    its `times`.
    """
    features = [_zone(version.zone) for version in excerpt.own_zones()]
    for track_id, states in excerpt.states.items():
        if not states:
            continue
        places = [
            excerpt.site.frame.to_geodetic(s.east_mm / 1e3, s.north_mm / 1e3, s.up_mm / 1e3)
            for s in states
        ]
        line = [[_degrees(lon), _degrees(lat), round(hae, 1)] for lat, lon, hae in places]
        geometry: dict[str, Any] = {"type": "LineString", "coordinates": line}
        if len(line) == 1:
            geometry = {"type": "Point", "coordinates": line[0]}
        times = [to_datetime(s.state_at_ns).isoformat() for s in states]
        told = {
            "track": track_id,
            "times": times,
            "sigma_horizontal_m": [s.sigma_horizontal_mm / 1e3 for s in states],
            "sigma_up_m": [s.sigma_up_mm / 1e3 for s in states],
        }
        features.append(_feature(geometry, told))
    for report in excerpt.incident.reports:
        for part in report.parts:
            point = {"type": "Point", "coordinates": [part.lon_deg, part.lat_deg]}
            features.append(_feature(point, {"part": part.words, "by": report.author.name}))
    return msgspec.json.encode({"type": "FeatureCollection", "features": features}) + b"\n"


def _feature(geometry: dict[str, Any], properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "Feature", "geometry": geometry, "properties": properties}


def _zone(zone: Zone) -> dict[str, Any]:
    polygons = []
    for volume in zone.volumes:
        area = volume.area
        rings = circle_ring(area) if isinstance(area, Circle) else area.rings
        polygons.append([[list(point) for point in ring] for ring in rings])
    geometry = {"type": "MultiPolygon", "coordinates": polygons}
    return _feature(geometry, {"zone": zone.zone_id, "name": zone.name})


def circle_ring(circle: Circle) -> tuple[tuple[tuple[float, float], ...], ...]:
    """One closed ring of (lon, lat) degrees around a circle, counter-clockwise."""
    per_lon, per_lat = metres_per_degree(circle.lat_deg)
    turns = [2.0 * math.pi * i / CIRCLE_CORNERS for i in range(CIRCLE_CORNERS)]
    ring = [
        (
            _degrees(circle.lon_deg + circle.radius_m * math.cos(t) / per_lon),
            _degrees(circle.lat_deg + circle.radius_m * math.sin(t) / per_lat),
        )
        for t in turns
    ]
    return ((*ring, ring[0]),)


def _degrees(value: float) -> float:
    return round(value, DEGREE_DECIMALS)
