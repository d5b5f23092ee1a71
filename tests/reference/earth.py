"""The earth, slowly: WGS84 by the parametric latitude, axes and Jacobians by differences."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

F64 = NDArray[np.float64]

A_M = 6_378_137.0
B_M = 6_356_752.314_245_179  # EPSG:7030, a (1 - f)


def ecef(lat_deg: float, lon_deg: float, hae_m: float) -> F64:
    """Surface point by the parametric latitude, then out along the normal."""
    lat, lon = math.radians(lat_deg), math.radians(lon_deg)
    beta = math.atan2(B_M * math.sin(lat), A_M * math.cos(lat))
    p = A_M * math.cos(beta) + hae_m * math.cos(lat)
    z = B_M * math.sin(beta) + hae_m * math.sin(lat)
    return np.array([p * math.cos(lon), p * math.sin(lon), z])


def geodetic(point: F64) -> tuple[float, float, float]:
    """The nearest point of the ellipse, found by halving the parametric latitude."""
    x, y, z = (float(v) for v in point)
    p = math.hypot(x, y)
    low, high = -math.pi / 2, math.pi / 2
    for _ in range(200):
        mid = 0.5 * (low + high)
        slope = A_M * math.sin(mid) * (p - A_M * math.cos(mid))
        slope -= B_M * math.cos(mid) * (z - B_M * math.sin(mid))
        low, high = (low, mid) if slope > 0.0 else (mid, high)
    beta = 0.5 * (low + high)
    lat = math.atan2(A_M * math.sin(beta), B_M * math.cos(beta))
    out = (p - A_M * math.cos(beta)) * math.cos(lat) + (z - B_M * math.sin(beta)) * math.sin(lat)
    return math.degrees(lat), math.degrees(math.atan2(y, x)), out


def differences(function: Callable[[F64], F64], at: F64, steps: F64) -> F64:
    """Central differences: column k is the change of `function` along coordinate k."""
    columns = []
    for k, step in enumerate(steps):
        ahead, behind = at.copy(), at.copy()
        ahead[k] += step
        behind[k] -= step
        columns.append((function(ahead) - function(behind)) / (2.0 * step))
    return np.stack(columns, axis=1)


def axes(lat_deg: float, lon_deg: float) -> F64:
    """Rows east, north, up in ECEF: the directions in which longitude, latitude, height grow."""
    at = np.array([lon_deg, lat_deg, 0.0])
    grown = differences(lambda g: ecef(g[1], g[0], g[2]), at, np.array([1e-3, 1e-3, 100.0]))
    return np.asarray((grown / np.linalg.norm(grown, axis=0)).T)


def enu(origin: tuple[float, float, float], lat_deg: float, lon_deg: float, hae_m: float) -> F64:
    """East, north, up of a point at an origin (lat, lon, hae)."""
    there = ecef(lat_deg, lon_deg, hae_m) - ecef(*origin)
    return np.asarray(axes(origin[0], origin[1]) @ there)


def polar_to_enu(
    site: tuple[float, float, float], sensor: tuple[float, float, float], polar: F64
) -> F64:
    """Range m, azimuth and elevation rad at a sensor, to the site's east, north, up."""
    distance, azimuth, elevation = (float(v) for v in polar)
    local = distance * np.array(
        [
            math.cos(elevation) * math.sin(azimuth),
            math.cos(elevation) * math.cos(azimuth),
            math.sin(elevation),
        ]
    )
    point = ecef(*sensor) + axes(sensor[0], sensor[1]).T @ local
    return np.asarray(axes(site[0], site[1]) @ (point - ecef(*site)))


def polar_jacobian(
    site: tuple[float, float, float], sensor: tuple[float, float, float], polar: F64
) -> F64:
    """d(east, north, up) / d(range, azimuth, elevation), angles in radians."""
    steps = np.array([1.0, 1e-4, 1e-4])
    return differences(lambda v: polar_to_enu(site, sensor, v), polar, steps)


def isa_height_m(pressure_hpa: float) -> float:
    """Height in the standard atmosphere's troposphere (ICAO Doc 7488)."""
    exponent = 287.052_87 * 0.0065 / 9.806_65
    return 288.15 / 0.0065 * (1.0 - (pressure_hpa / 1013.25) ** exponent)
