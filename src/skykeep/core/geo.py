"""Where things are: WGS84, the local east-north-up frame, heights, areas and volumes.

Angles are degrees, lengths metres. Containment is three-valued (`Tri`): a point whose
uncertainty straddles a border is neither inside nor outside. (A little over 500 lines:
heights, areas and the frame share the ellipsoid and its kernels.)
"""

from __future__ import annotations

import enum
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar, cast

import numpy as np
from numba import njit
from numpy.typing import NDArray

F64 = NDArray[np.float64]
_F = TypeVar("_F", bound=Callable[..., Any])

WGS84_A_M = 6_378_137.0  # semi-major axis, EPSG:7030
WGS84_F = 1.0 / 298.257_223_563  # flattening, EPSG:7030
WGS84_E2 = WGS84_F * (2.0 - WGS84_F)
#: The shortest degree of latitude on the ellipsoid, at the equator, rounded down.
LEAST_METRES_PER_DEGREE_LAT = 110_570.0

#: A border counts as crossed when it lies this many standard deviations behind (95 % two-sided).
BORDER_SIGMAS = 2.0

# Sea-level pressure has stayed within 925..1065 hPa over Europe, which the standard
# atmosphere puts at 762 and -422 m (ICAO Doc 7488); the column's temperature adds up to 10 %
# of the height above sea level (ICAO Doc 8168, cold air).
PRESSURE_LOW_M, PRESSURE_HIGH_M = -762.0, 422.2
PRESSURE_TEMPERATURE_SHARE = 0.10


def kernel(function: _F) -> _F:
    """Compile with numba, strictly: no fastmath, no parallel reductions, IEEE division."""
    return cast(_F, njit(cache=True, fastmath=False, error_model="numpy")(function))


class Tri(enum.Enum):
    """Three-valued truth (Kleene): the answer, or that it cannot be told."""

    NO = 0
    MAYBE = 1
    YES = 2

    def __and__(self, other: Tri) -> Tri:
        if self is Tri.NO or other is Tri.YES:
            return self
        return self if other is Tri.MAYBE and self is Tri.MAYBE else other

    def __or__(self, other: Tri) -> Tri:
        if self is Tri.YES or other is Tri.NO:
            return self
        return self if other is Tri.MAYBE and self is Tri.MAYBE else other

    def __invert__(self) -> Tri:
        if self is Tri.MAYBE:
            return self
        return Tri.NO if self is Tri.YES else Tri.YES

    @staticmethod
    def of(truth: bool) -> Tri:
        """YES or NO."""
        return Tri.YES if truth else Tri.NO


class HeightReference(enum.IntEnum):
    """What a height is measured from; the integer is the code in packed columns."""

    NONE = 0  # no height given
    HAE = 1  # above the WGS84 ellipsoid
    AMSL = 2  # above mean sea level (the geoid)
    AGL = 3  # above the ground below
    PRESSURE = 4  # ICAO standard atmosphere, 1013.25 hPa


@dataclass(frozen=True, slots=True)
class HeightHae:
    """Metres above the WGS84 ellipsoid."""

    m: float


@dataclass(frozen=True, slots=True)
class HeightAmsl:
    """Metres above mean sea level."""

    m: float


@dataclass(frozen=True, slots=True)
class HeightAgl:
    """Metres above the ground below."""

    m: float


@dataclass(frozen=True, slots=True)
class HeightPressure:
    """Metres in the standard atmosphere above the 1013.25 hPa level."""

    m: float


Height = HeightHae | HeightAmsl | HeightAgl | HeightPressure

_REFERENCE_OF: dict[type, HeightReference] = {
    HeightHae: HeightReference.HAE,
    HeightAmsl: HeightReference.AMSL,
    HeightAgl: HeightReference.AGL,
    HeightPressure: HeightReference.PRESSURE,
}
_CLASS_OF: dict[HeightReference, type[Height]] = {
    HeightReference.HAE: HeightHae,
    HeightReference.AMSL: HeightAmsl,
    HeightReference.AGL: HeightAgl,
    HeightReference.PRESSURE: HeightPressure,
}


def reference_of(height: Height | None) -> HeightReference:
    """The reference that a height keeps; NONE for no height."""
    return HeightReference.NONE if height is None else _REFERENCE_OF[type(height)]


def height_of(m: float, reference: HeightReference) -> Height | None:
    """A height from its packed form; None where there is none."""
    if reference is HeightReference.NONE or not math.isfinite(m):
        return None
    return _CLASS_OF[reference](m)


@dataclass(frozen=True, slots=True)
class Terrain:
    """What a site knows of its ground: bounds that hold everywhere in its area.

    `lowest_amsl_m` to `highest_amsl_m` bound the ground; `geoid_low_m` to `geoid_high_m`
    bound the geoid's height over the ellipsoid (HAE = AMSL + geoid).
    """

    lowest_amsl_m: float
    highest_amsl_m: float
    geoid_low_m: float
    geoid_high_m: float


@dataclass(frozen=True, slots=True)
class Span:
    """A closed interval in metres that holds the true value."""

    low_m: float
    high_m: float


def height_span(
    height: Height, margin_m: float, reference: HeightReference, terrain: Terrain | None
) -> Span | None:
    """The bounds of a height, widened by `margin_m`, in another reference.

    None where the conversion needs terrain or geoid bounds that are not there.
    """
    low, high = height.m - margin_m, height.m + margin_m
    own = _REFERENCE_OF[type(height)]
    if own is reference:
        return Span(low, high)
    amsl = _to_amsl(low, high, own, terrain)
    if amsl is None:
        return None
    if reference is HeightReference.AMSL:
        return amsl
    if reference is HeightReference.PRESSURE:
        share = PRESSURE_TEMPERATURE_SHARE / (1.0 - PRESSURE_TEMPERATURE_SHARE)
        return Span(
            amsl.low_m - share * abs(amsl.low_m) - PRESSURE_HIGH_M,
            amsl.high_m + share * abs(amsl.high_m) - PRESSURE_LOW_M,
        )
    if terrain is None:
        return None
    if reference is HeightReference.HAE:
        return Span(amsl.low_m + terrain.geoid_low_m, amsl.high_m + terrain.geoid_high_m)
    return Span(amsl.low_m - terrain.highest_amsl_m, amsl.high_m - terrain.lowest_amsl_m)


def _to_amsl(low: float, high: float, own: HeightReference, terrain: Terrain | None) -> Span | None:
    if own is HeightReference.AMSL:
        return Span(low, high)
    if own is HeightReference.PRESSURE:
        low, high = low + PRESSURE_LOW_M, high + PRESSURE_HIGH_M
        return Span(
            low - PRESSURE_TEMPERATURE_SHARE * abs(low),
            high + PRESSURE_TEMPERATURE_SHARE * abs(high),
        )
    if terrain is None:
        return None
    if own is HeightReference.HAE:
        return Span(low - terrain.geoid_high_m, high - terrain.geoid_low_m)
    return Span(low + terrain.lowest_amsl_m, high + terrain.highest_amsl_m)


@dataclass(frozen=True, slots=True)
class Fix:
    """A position with one-sigma uncertainties, the height in its own reference or unknown."""

    lat_deg: float
    lon_deg: float
    sigma_horizontal_m: float
    height: Height | None
    sigma_height_m: float


@dataclass(frozen=True, slots=True)
class Circle:
    """All points within `radius_m` of a centre."""

    lat_deg: float
    lon_deg: float
    radius_m: float


@dataclass(frozen=True, slots=True)
class Polygon:
    """Rings of (lon_deg, lat_deg), each closed; the first is the border, the others holes.

    Edges are straight in longitude and latitude (RFC 7946 section 3.1.1).
    """

    rings: tuple[tuple[tuple[float, float], ...], ...]


Area = Circle | Polygon


@dataclass(frozen=True, slots=True)
class Volume:
    """An area between two heights; None means no limit on that side."""

    area: Area
    lower: Height | None
    upper: Height | None


@dataclass(frozen=True, slots=True)
class Volume4D:
    """A volume from `start_ns` until before `end_ns`; None means open on that side."""

    volume: Volume
    start_ns: int | None
    end_ns: int | None


@dataclass(frozen=True, slots=True, eq=False)
class PreparedArea:
    """An area as arrays, ready for many questions, with a box in degrees that holds it."""

    area: Area
    west_deg: float
    south_deg: float
    east_deg: float
    north_deg: float
    vertices: F64  # (n, 2) lon, lat of all rings in a row; (0, 2) for a circle
    ring_ends: NDArray[np.int64]  # (rings,) end index of each ring in `vertices`


def prepare(area: Area) -> PreparedArea:
    """Arrays and bounding box of an area."""
    if isinstance(area, Circle):
        dlat = area.radius_m / LEAST_METRES_PER_DEGREE_LAT
        # A degree of longitude is shortest at the end that is nearer to a pole.
        per_lon, _ = metres_per_degree(min(abs(area.lat_deg) + dlat, 90.0))
        dlon = area.radius_m / max(per_lon, 1.0)
        return PreparedArea(
            area,
            area.lon_deg - dlon,
            area.lat_deg - dlat,
            area.lon_deg + dlon,
            area.lat_deg + dlat,
            np.empty((0, 2)),
            np.empty(0, np.int64),
        )
    vertices = np.array([p for ring in area.rings for p in ring], dtype=np.float64).reshape(-1, 2)
    ends = np.cumsum([len(ring) for ring in area.rings], dtype=np.int64)
    low, high = vertices.min(axis=0), vertices.max(axis=0)
    return PreparedArea(
        area, float(low[0]), float(low[1]), float(high[0]), float(high[1]), vertices, ends
    )


@kernel
def metres_per_degree(lat_deg: float) -> tuple[float, float]:
    """Metres in a degree of longitude and of latitude at a latitude, on the ellipsoid."""
    lat = math.radians(lat_deg)
    s2 = math.sin(lat) ** 2
    w = math.sqrt(1.0 - WGS84_E2 * s2)
    prime_vertical = WGS84_A_M / w
    meridian = WGS84_A_M * (1.0 - WGS84_E2) / (w * w * w)
    per_rad = math.pi / 180.0
    return prime_vertical * math.cos(lat) * per_rad, meridian * per_rad


@kernel
def polygon_depth_m(lon: float, lat: float, vertices: Any, ends: Any) -> float:
    """Distance to the nearest edge, positive inside (even-odd over all rings)."""
    per_lon, per_lat = metres_per_degree(lat)
    inside = False
    best = np.inf
    start = 0
    for ring in range(ends.shape[0]):
        end = ends[ring]
        for i in range(start, end - 1):
            x1 = (vertices[i, 0] - lon) * per_lon
            y1 = (vertices[i, 1] - lat) * per_lat
            x2 = (vertices[i + 1, 0] - lon) * per_lon
            y2 = (vertices[i + 1, 1] - lat) * per_lat
            if (y1 > 0.0) != (y2 > 0.0) and x1 - y1 * (x2 - x1) / (y2 - y1) > 0.0:
                inside = not inside
            dx, dy = x2 - x1, y2 - y1
            length2 = dx * dx + dy * dy
            along = 0.0
            if length2 > 0.0:
                along = min(1.0, max(0.0, -(x1 * dx + y1 * dy) / length2))
            cx, cy = x1 + along * dx, y1 + along * dy
            best = min(best, cx * cx + cy * cy)
        start = end
    depth = math.sqrt(best)
    return depth if inside else -depth


def depth_m(prepared: PreparedArea, lat_deg: float, lon_deg: float) -> float:
    """How deep a point lies inside an area; negative is the distance outside.

    Good to 0.1 % of the distance to the border over tens of kilometres.
    """
    area = prepared.area
    if isinstance(area, Circle):
        mid = 0.5 * (lat_deg + area.lat_deg)
        per_lon, per_lat = metres_per_degree(mid)
        dx = math.remainder(lon_deg - area.lon_deg, 360.0) * per_lon
        dy = (lat_deg - area.lat_deg) * per_lat
        return area.radius_m - math.sqrt(dx * dx + dy * dy)
    lon = _lon_near(prepared, lon_deg)
    return float(polygon_depth_m(lon, lat_deg, prepared.vertices, prepared.ring_ends))


def _lon_near(prepared: PreparedArea, lon_deg: float) -> float:
    """The same meridian, counted on from the area: the far side of 180 degrees is near."""
    away = lon_deg - 0.5 * (prepared.west_deg + prepared.east_deg)
    return lon_deg if abs(away) <= 180.0 else lon_deg - math.copysign(360.0, away)


def in_area(prepared: PreparedArea, fix: Fix) -> Tri:
    """Whether a fix lies in an area, at `BORDER_SIGMAS` of its horizontal uncertainty."""
    margin = BORDER_SIGMAS * fix.sigma_horizontal_m
    per_lon, per_lat = metres_per_degree(fix.lat_deg)
    dlat, dlon = margin / per_lat, margin / max(per_lon, 1.0)
    lon_deg = _lon_near(prepared, fix.lon_deg)
    if (
        fix.lat_deg + dlat < prepared.south_deg
        or fix.lat_deg - dlat > prepared.north_deg
        or lon_deg + dlon < prepared.west_deg
        or lon_deg - dlon > prepared.east_deg
    ):
        return Tri.NO
    depth = depth_m(prepared, fix.lat_deg, lon_deg)
    if depth >= margin:
        return Tri.YES
    return Tri.NO if depth < -margin else Tri.MAYBE


def in_heights(
    fix: Fix, lower: Height | None, upper: Height | None, terrain: Terrain | None
) -> Tri:
    """Whether a fix lies between two limits, each in its own reference.

    A lower limit at or below the ground holds for anything that flies.
    """
    return _above(fix, lower, terrain) & ~_above(fix, upper, terrain, empty=Tri.NO)


def _above(fix: Fix, limit: Height | None, terrain: Terrain | None, empty: Tri = Tri.YES) -> Tri:
    if limit is None or (empty is Tri.YES and isinstance(limit, HeightAgl) and limit.m <= 0.0):
        return empty
    if fix.height is None:
        return Tri.MAYBE
    margin = BORDER_SIGMAS * fix.sigma_height_m
    span = height_span(fix.height, margin, _REFERENCE_OF[type(limit)], terrain)
    if span is None:
        return Tri.MAYBE
    if span.low_m >= limit.m:
        return Tri.YES
    return Tri.NO if span.high_m < limit.m else Tri.MAYBE


def in_time(start_ns: int | None, end_ns: int | None, at_ns: int) -> bool:
    """Whether a moment lies in [start, end); None is open."""
    return (start_ns is None or at_ns >= start_ns) and (end_ns is None or at_ns < end_ns)


@kernel
def _to_ecef(lat_deg: float, lon_deg: float, hae_m: float) -> tuple[float, float, float]:
    lat, lon = math.radians(lat_deg), math.radians(lon_deg)
    sin_lat, cos_lat = math.sin(lat), math.cos(lat)
    n = WGS84_A_M / math.sqrt(1.0 - WGS84_E2 * sin_lat * sin_lat)
    r = (n + hae_m) * cos_lat
    return r * math.cos(lon), r * math.sin(lon), (n * (1.0 - WGS84_E2) + hae_m) * sin_lat


@kernel
def _from_ecef(x: float, y: float, z: float) -> tuple[float, float, float]:
    """Bowring 1985, three rounds: below 0.1 mm within 50 km of the ellipsoid."""
    p = math.sqrt(x * x + y * y)
    lon = math.atan2(y, x)
    lat = math.atan2(z, p * (1.0 - WGS84_E2))
    n = WGS84_A_M
    for _ in range(3):
        sin_lat = math.sin(lat)
        n = WGS84_A_M / math.sqrt(1.0 - WGS84_E2 * sin_lat * sin_lat)
        lat = math.atan2(z + WGS84_E2 * n * sin_lat, p)
    sin_lat, cos_lat = math.sin(lat), math.cos(lat)
    hae = p * cos_lat + z * sin_lat - WGS84_A_M * math.sqrt(1.0 - WGS84_E2 * sin_lat * sin_lat)
    return math.degrees(lat), math.degrees(lon), hae


@kernel
def _ecef_axes(lat_deg: float, lon_deg: float) -> tuple[float, float, float, float]:
    lat, lon = math.radians(lat_deg), math.radians(lon_deg)
    return math.sin(lat), math.cos(lat), math.sin(lon), math.cos(lon)


@kernel
def enu_of(origin: Any, lat_deg: float, lon_deg: float, hae_m: float) -> tuple[float, float, float]:
    """East, north, up in metres of a geodetic point in the frame `origin` (lat, lon, hae)."""
    ox, oy, oz = _to_ecef(origin[0], origin[1], origin[2])
    x, y, z = _to_ecef(lat_deg, lon_deg, hae_m)
    sla, cla, slo, clo = _ecef_axes(origin[0], origin[1])
    dx, dy, dz = x - ox, y - oy, z - oz
    east = -slo * dx + clo * dy
    north = -sla * clo * dx - sla * slo * dy + cla * dz
    up = cla * clo * dx + cla * slo * dy + sla * dz
    return east, north, up


@kernel
def geodetic_of(
    origin: Any, east_m: float, north_m: float, up_m: float
) -> tuple[float, float, float]:
    """Latitude, longitude (degrees) and HAE (m) of a point in the frame `origin`."""
    ox, oy, oz = _to_ecef(origin[0], origin[1], origin[2])
    sla, cla, slo, clo = _ecef_axes(origin[0], origin[1])
    x = ox - slo * east_m - sla * clo * north_m + cla * clo * up_m
    y = oy + clo * east_m - sla * slo * north_m + cla * slo * up_m
    z = oz + cla * north_m + sla * up_m
    return _from_ecef(x, y, z)


@kernel
def geodetic_many(origin: Any, enu: Any) -> Any:
    """Latitude, longitude, HAE (n, 3) of points (n, 3) in the frame `origin`."""
    out = np.empty_like(enu)
    for i in range(enu.shape[0]):
        out[i, 0], out[i, 1], out[i, 2] = geodetic_of(origin, enu[i, 0], enu[i, 1], enu[i, 2])
    return out


@dataclass(frozen=True, slots=True)
class Frame:
    """A local east-north-up frame at a geodetic origin."""

    lat_deg: float
    lon_deg: float
    hae_m: float

    @property
    def origin(self) -> tuple[float, float, float]:
        """Latitude, longitude, HAE: the form that the kernels take."""
        return (self.lat_deg, self.lon_deg, self.hae_m)

    def to_enu(self, lat_deg: float, lon_deg: float, hae_m: float) -> tuple[float, float, float]:
        """East, north, up in metres."""
        return enu_of(self.origin, lat_deg, lon_deg, hae_m)

    def to_geodetic(self, east_m: float, north_m: float, up_m: float) -> tuple[float, float, float]:
        """Latitude and longitude in degrees, height above the ellipsoid in metres."""
        return geodetic_of(self.origin, east_m, north_m, up_m)


def axes_between(site: Frame, other: Frame) -> F64:
    """The rotation (3, 3) that turns east-north-up of `other` into that of `site`."""
    turn = np.empty((3, 3))
    a, b = _enu_axes(site.lat_deg, site.lon_deg), _enu_axes(other.lat_deg, other.lon_deg)
    for i in range(3):
        for j in range(3):
            turn[i, j] = a[i][0] * b[j][0] + a[i][1] * b[j][1] + a[i][2] * b[j][2]
    return turn


def _enu_axes(lat_deg: float, lon_deg: float) -> tuple[tuple[float, float, float], ...]:
    sla, cla, slo, clo = _ecef_axes(lat_deg, lon_deg)
    return (
        (-slo, clo, 0.0),
        (-sla * clo, -sla * slo, cla),
        (cla * clo, cla * slo, sla),
    )
