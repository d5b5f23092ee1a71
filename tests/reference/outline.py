"""Containment and distance by shapely, in metres around the point that is asked about."""

from __future__ import annotations

from shapely.affinity import affine_transform
from shapely.geometry import Point
from shapely.geometry import Polygon as Outline

from tests.reference.earth import differences, ecef, np


def metres_per_degree(lat_deg: float) -> tuple[float, float]:
    """How far a degree of longitude and of latitude goes, measured over a hundredth of one."""
    grown = differences(
        lambda g: ecef(float(g[1]), float(g[0]), 0.0), np.array([0.0, lat_deg]), np.full(2, 5e-3)
    )
    return float(np.linalg.norm(grown[:, 0])), float(np.linalg.norm(grown[:, 1]))


def depth_m(
    rings: tuple[tuple[tuple[float, float], ...], ...], lat_deg: float, lon_deg: float
) -> float:
    """Distance to the nearest border or hole, positive inside."""
    per_lon, per_lat = metres_per_degree(lat_deg)
    flat = affine_transform(
        Outline(rings[0], rings[1:]),
        (per_lon, 0.0, 0.0, per_lat, -lon_deg * per_lon, -lat_deg * per_lat),
    )
    here = Point(0.0, 0.0)
    away = flat.boundary.distance(here)
    return away if flat.contains(here) else -away
