"""Geometry against slow references: the earth, heights and their bounds, areas, truth tables."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from skykeep.core.geo import (
    PRESSURE_HIGH_M,
    PRESSURE_LOW_M,
    PRESSURE_TEMPERATURE_SHARE,
    Circle,
    Fix,
    Frame,
    Height,
    HeightAgl,
    HeightAmsl,
    HeightHae,
    HeightPressure,
    HeightReference,
    Polygon,
    Span,
    Terrain,
    Tri,
    axes_between,
    depth_m,
    height_of,
    height_span,
    in_area,
    in_heights,
    in_time,
    metres_per_degree,
    prepare,
    reference_of,
)
from tests.reference import earth, outline

NO, MAYBE, YES = Tri.NO, Tri.MAYBE, Tri.YES
LAT, LON = 49.61, 6.13
TERRAIN = Terrain(230.0, 420.0, 46.0, 48.0)

_lats = st.floats(-85.0, 85.0)
_lons = st.floats(-180.0, 180.0)


# -- three-valued truth -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("a", "b", "both", "either"),
    [
        (NO, NO, NO, NO),
        (NO, MAYBE, NO, MAYBE),
        (NO, YES, NO, YES),
        (MAYBE, NO, NO, MAYBE),
        (MAYBE, MAYBE, MAYBE, MAYBE),
        (MAYBE, YES, MAYBE, YES),
        (YES, NO, NO, YES),
        (YES, MAYBE, MAYBE, YES),
        (YES, YES, YES, YES),
    ],
)
def test_and_or_follow_kleene(a: Tri, b: Tri, both: Tri, either: Tri) -> None:
    assert (a & b, a | b) == (both, either)


def test_not_follows_kleene() -> None:
    assert [~t for t in (NO, MAYBE, YES)] == [YES, MAYBE, NO]
    assert (Tri.of(True), Tri.of(False)) == (YES, NO)


# -- heights ------------------------------------------------------------------------------

_CLASSES: dict[HeightReference, type[Height]] = {
    HeightReference.HAE: HeightHae,
    HeightReference.AMSL: HeightAmsl,
    HeightReference.AGL: HeightAgl,
    HeightReference.PRESSURE: HeightPressure,
}


@pytest.mark.parametrize("reference", list(_CLASSES))
def test_a_height_keeps_its_reference_when_packed(reference: HeightReference) -> None:
    height = height_of(12.5, reference)
    assert height == _CLASSES[reference](12.5)
    assert reference_of(height) is reference


def test_no_height_is_no_height() -> None:
    assert reference_of(None) is HeightReference.NONE
    assert height_of(12.5, HeightReference.NONE) is None
    assert height_of(math.nan, HeightReference.AMSL) is None
    assert height_of(math.inf, HeightReference.HAE) is None


@pytest.mark.parametrize(
    ("height", "reference", "low_m", "high_m"),
    [
        (HeightHae(400.0), HeightReference.HAE, 390.0, 410.0),
        (HeightHae(400.0), HeightReference.AMSL, 390.0 - 48.0, 410.0 - 46.0),
        (HeightHae(400.0), HeightReference.AGL, 390.0 - 48.0 - 420.0, 410.0 - 46.0 - 230.0),
        (HeightAmsl(400.0), HeightReference.HAE, 390.0 + 46.0, 410.0 + 48.0),
        (HeightAmsl(400.0), HeightReference.AGL, 390.0 - 420.0, 410.0 - 230.0),
        (HeightAgl(100.0), HeightReference.AMSL, 90.0 + 230.0, 110.0 + 420.0),
        (HeightAgl(100.0), HeightReference.HAE, 90.0 + 230.0 + 46.0, 110.0 + 420.0 + 48.0),
        (HeightPressure(2000.0), HeightReference.AMSL, 1228.0 * 0.9, 2432.2 * 1.1),
        (HeightPressure(0.0), HeightReference.AMSL, -772.0 * 1.1, 432.2 * 1.1),
        (HeightAmsl(1000.0), HeightReference.PRESSURE, 990.0 * 8 / 9 - 422.2, 1010.0 / 0.9 + 762.0),
    ],
)
def test_a_height_in_another_reference_has_these_bounds(
    height: Height, reference: HeightReference, low_m: float, high_m: float
) -> None:
    span = height_span(height, 10.0, reference, TERRAIN)
    assert span is not None
    assert (span.low_m, span.high_m) == pytest.approx((low_m, high_m))


_NEEDS_NO_TERRAIN = {
    frozenset({HeightReference.AMSL, HeightReference.PRESSURE}),
    *(frozenset({reference}) for reference in _CLASSES),
}


@pytest.mark.parametrize(("own", "other"), list(itertools.product(_CLASSES, repeat=2)))
def test_a_conversion_that_needs_terrain_has_no_answer_without(
    own: HeightReference, other: HeightReference
) -> None:
    span = height_span(_CLASSES[own](300.0), 5.0, other, None)
    assert (span is not None) == (frozenset({own, other}) in _NEEDS_NO_TERRAIN)


@given(
    amsl_m=st.floats(-400.0, 9000.0),
    ground=st.floats(0.0, 1.0),
    geoid=st.floats(0.0, 1.0),
    sea_level_hpa=st.floats(925.0, 1065.0),
    warmth=st.floats(-1.0, 1.0),
    margin_m=st.floats(0.0, 200.0),
    error=st.floats(-1.0, 1.0),
)
@example(2000.0, 0.5, 0.5, 925.0, -1.0, 0.0, 0.0)
@example(2000.0, 0.5, 0.5, 1065.0, 1.0, 0.0, 0.0)
@example(-300.0, 0.5, 0.5, 1065.0, -1.0, 0.0, 0.0)
@example(-300.0, 0.5, 0.5, 925.0, 1.0, 0.0, 0.0)
def test_bounds_hold_the_true_height_in_every_reference(
    amsl_m: float,
    ground: float,
    geoid: float,
    sea_level_hpa: float,
    warmth: float,
    margin_m: float,
    error: float,
) -> None:
    """A column of air that is warmer or colder than standard, on a sea at that pressure."""
    ground_m = TERRAIN.lowest_amsl_m + ground * 190.0
    geoid_m = TERRAIN.geoid_low_m + geoid * 2.0
    stretch = 1.0 + PRESSURE_TEMPERATURE_SHARE * warmth
    truth = {
        HeightReference.AMSL: amsl_m,
        HeightReference.HAE: amsl_m + geoid_m,
        HeightReference.AGL: amsl_m - ground_m,
        HeightReference.PRESSURE: amsl_m / stretch + earth.isa_height_m(sea_level_hpa),
    }
    for own, other in itertools.product(_CLASSES, repeat=2):
        measured = _CLASSES[own](truth[own] + error * margin_m)
        span = height_span(measured, margin_m, other, TERRAIN)
        assert span is not None
        assert span.low_m - 1e-6 <= truth[other] <= span.high_m + 1e-6, (own, other)


def test_the_pressure_bounds_are_those_of_the_standard_atmosphere() -> None:
    assert pytest.approx(-earth.isa_height_m(925.0), abs=0.5) == PRESSURE_LOW_M
    assert pytest.approx(-earth.isa_height_m(1065.0), abs=0.5) == PRESSURE_HIGH_M


# -- between two heights ------------------------------------------------------------------


def _at(height: Height | None, sigma_m: float = 0.0) -> Fix:
    return Fix(LAT, LON, 1.0, height, sigma_m)


@pytest.mark.parametrize(
    ("height_m", "sigma_m", "answer"),
    [
        (99.9, 0.0, NO),
        (100.0, 0.0, YES),
        (299.9, 0.0, YES),
        (300.0, 0.0, NO),
        (110.0, 5.0, YES),  # two sigma above the floor
        (109.9, 5.0, MAYBE),
        (90.1, 5.0, MAYBE),
        (89.9, 5.0, NO),
        (289.9, 5.0, YES),
        (290.1, 5.0, MAYBE),
        (309.9, 5.0, MAYBE),
        (310.0, 5.0, NO),
        (200.0, 80.0, MAYBE),
    ],
)
def test_between_two_limits_with_sigma(height_m: float, sigma_m: float, answer: Tri) -> None:
    fix = _at(HeightAmsl(height_m), sigma_m)
    assert in_heights(fix, HeightAmsl(100.0), HeightAmsl(300.0), None) is answer


def test_no_limit_leaves_no_doubt() -> None:
    assert in_heights(_at(None), None, None, None) is YES
    assert in_heights(_at(HeightAmsl(50.0), 1e6), None, None, None) is YES


def test_a_missing_height_is_maybe_at_any_limit() -> None:
    assert in_heights(_at(None), HeightAmsl(10.0), None, TERRAIN) is MAYBE
    assert in_heights(_at(None), None, HeightAmsl(10.0), TERRAIN) is MAYBE


@pytest.mark.parametrize("floor_m", [0.0, -10.0])
def test_whatever_flies_is_above_the_ground(floor_m: float) -> None:
    for height in (None, HeightPressure(50.0), HeightHae(-100.0)):
        assert in_heights(_at(height), HeightAgl(floor_m), None, None) is YES


def test_a_lower_limit_above_the_ground_is_not_taken_for_granted() -> None:
    assert in_heights(_at(None), HeightAgl(1.0), None, TERRAIN) is MAYBE
    assert in_heights(_at(HeightAmsl(500.0)), HeightAmsl(0.0), None, None) is YES
    assert in_heights(_at(HeightAmsl(-5.0)), HeightAmsl(0.0), None, None) is NO


def test_an_upper_limit_at_the_ground_leaves_nothing_below() -> None:
    assert in_heights(_at(HeightAgl(5.0)), None, HeightAgl(0.0), TERRAIN) is NO
    assert in_heights(_at(None), None, HeightAgl(0.0), TERRAIN) is MAYBE


def test_missing_terrain_leaves_an_agl_limit_undetermined() -> None:
    ceiling = HeightAgl(300.0)
    assert in_heights(_at(HeightAmsl(250.0), 5.0), HeightAgl(0.0), ceiling, None) is MAYBE
    assert in_heights(_at(HeightAmsl(500.0), 5.0), HeightAgl(0.0), ceiling, TERRAIN) is YES
    assert in_heights(_at(HeightAmsl(600.0), 5.0), HeightAgl(0.0), ceiling, TERRAIN) is MAYBE
    assert in_heights(_at(HeightAmsl(731.0), 5.0), HeightAgl(0.0), ceiling, TERRAIN) is NO
    assert in_heights(_at(HeightAgl(250.0), 5.0), HeightAgl(0.0), ceiling, None) is YES


def test_time_is_from_start_until_before_end() -> None:
    assert [in_time(10, 20, t) for t in (9, 10, 19, 20)] == [False, True, True, False]
    assert in_time(None, 20, -(10**18))
    assert in_time(10, None, 10**18)
    assert not in_time(10, None, 9)


# -- areas --------------------------------------------------------------------------------


@st.composite
def _outlines(draw: st.DrawFn) -> Polygon:
    """A star around a place, by chance with a star-shaped hole inside."""
    lat, lon = draw(st.floats(-70.0, 70.0)), draw(st.floats(-179.0, 179.0))
    size = draw(st.floats(0.0005, 0.2))
    corners = draw(st.integers(3, 12))

    def ring(low: float, high: float) -> tuple[tuple[float, float], ...]:
        turn = draw(st.floats(0.0, 1.0))
        points = []
        for k in range(corners):
            reach = size * draw(st.floats(low, high))
            angle = 2.0 * math.pi * (k + turn) / corners
            points.append((lon + reach * math.cos(angle), lat + reach * math.sin(angle)))
        return (*points, points[0])

    rings = [ring(0.6, 1.0)]
    if draw(st.booleans()):  # 0.6 cos(60 deg) is the nearest that the border of a triangle comes
        rings.append(ring(0.05, 0.25))
    return Polygon(tuple(rings))


@given(_outlines(), st.floats(-1.5, 1.5), st.floats(-1.5, 1.5))
@settings(max_examples=150, deadline=None)
def test_a_polygon_holds_what_shapely_says(polygon: Polygon, dx: float, dy: float) -> None:
    area = prepare(polygon)
    lat = 0.5 * (area.south_deg + area.north_deg) + dy * (area.north_deg - area.south_deg)
    lon = 0.5 * (area.west_deg + area.east_deg) + dx * (area.east_deg - area.west_deg)
    expected = outline.depth_m(polygon.rings, lat, lon)
    found = depth_m(area, lat, lon)
    assert found == pytest.approx(expected, rel=1e-6, abs=1e-4)
    for sigma in (0.0, 0.2 * abs(expected), 0.49 * abs(expected)):
        if abs(expected) > 1e-3:
            assert in_area(area, Fix(lat, lon, sigma, None, 0.0)) is Tri.of(expected > 0.0)
    wide = Fix(lat, lon, 0.51 * abs(expected) + 1e-3, None, 0.0)
    assert in_area(area, wide) is MAYBE


def _great_circle_m(lat1: float, lon1: float, lat2: float, lon2: float) -> float:
    """Chord over the ellipsoid; over 50 km it is 0.2 m shorter than the way along it."""
    return float(np.linalg.norm(earth.ecef(lat1, lon1, 0.0) - earth.ecef(lat2, lon2, 0.0)))


@given(
    lat=st.floats(-75.0, 75.0),
    lon=_lons,
    radius_m=st.floats(10.0, 30_000.0),
    azimuth_rad=st.floats(0.0, 2.0 * math.pi),
    share=st.floats(0.05, 2.0),
)
@example(70.0, 180.0, 30_000.0, math.pi / 2, 0.99)
@example(70.0, -180.0, 30_000.0, -math.pi / 2, 0.99)
@example(75.0, 10.0, 30_000.0, 1.45, 0.998)  # beyond the box of the centre's own degrees
@settings(max_examples=150, deadline=None)
def test_a_circle_holds_what_lies_within_its_radius(
    lat: float, lon: float, radius_m: float, azimuth_rad: float, share: float
) -> None:
    per_lon, per_lat = metres_per_degree(lat)
    there_lat = lat + share * radius_m * math.cos(azimuth_rad) / per_lat
    there_lon = lon + share * radius_m * math.sin(azimuth_rad) / per_lon
    there_lon -= 360.0 * math.floor((there_lon + 180.0) / 360.0)
    away = _great_circle_m(lat, lon, there_lat, there_lon)
    area = prepare(Circle(lat, lon, radius_m))
    assert depth_m(area, there_lat, there_lon) == pytest.approx(radius_m - away, abs=1e-3 * away)
    if abs(away - radius_m) > 1e-3 * radius_m:
        fix = Fix(there_lat, there_lon, 0.0, None, 0.0)
        assert in_area(area, fix) is Tri.of(away < radius_m)


@given(
    lat=st.floats(-80.0, 80.0),
    radius_m=st.floats(10.0, 100_000.0),
    azimuth_rad=st.floats(0.0, 2.0 * math.pi),
    share=st.floats(0.9, 1.1),
)
@example(80.0, 100_000.0, 1.52655, 1.00148)  # its widest part lies polewards of its centre
@settings(max_examples=100, deadline=None)
def test_a_circles_box_never_decides_against_its_radius(
    lat: float, radius_m: float, azimuth_rad: float, share: float
) -> None:
    per_lon, per_lat = metres_per_degree(lat)
    there_lat = lat + share * radius_m * math.cos(azimuth_rad) / per_lat
    there_lon = LON + share * radius_m * math.sin(azimuth_rad) / per_lon
    area = prepare(Circle(lat, LON, radius_m))
    inside = depth_m(area, there_lat, there_lon) >= 0.0
    assert in_area(area, Fix(there_lat, there_lon, 0.0, None, 0.0)) is Tri.of(inside)


def test_a_border_is_crossed_at_two_sigma() -> None:
    area = prepare(Circle(LAT, LON, 500.0))
    _, per_lat = metres_per_degree(LAT)

    def north_by(metres: float, sigma_m: float) -> Tri:
        return in_area(area, Fix(LAT + metres / per_lat, LON, sigma_m, None, 0.0))

    assert [north_by(m, 10.0) for m in (479.0, 481.0, 519.0, 521.0)] == [YES, MAYBE, MAYBE, NO]
    assert north_by(0.0, 251.0) is MAYBE
    assert north_by(499.9, 0.0) is YES
    assert north_by(500.1, 0.0) is NO
    assert north_by(5_000.0, math.inf) is MAYBE
    assert north_by(math.nan, 10.0) is MAYBE


def test_the_far_side_of_the_antimeridian_is_near() -> None:
    square = ((179.9, -17.0), (180.0, -17.0), (180.0, -16.9), (179.9, -16.9), (179.9, -17.0))
    for area in (prepare(Polygon((square,))), prepare(Circle(-16.95, 179.95, 5_300.0))):
        assert in_area(area, Fix(-16.95, -179.999, 100.0, None, 0.0)) is MAYBE
        assert in_area(area, Fix(-16.95, -179.9, 10.0, None, 0.0)) is NO
        assert in_area(area, Fix(-16.95, 179.95, 10.0, None, 0.0)) is YES
    here = Fix(-16.95, -179.99, 10.0, None, 0.0)
    assert in_area(prepare(Circle(-16.95, 179.99, 5_000.0)), here) is YES
    there = Fix(-16.95, 179.99, 10.0, None, 0.0)
    assert in_area(prepare(Circle(-16.95, -179.99, 5_000.0)), there) is YES


@given(_lats)
def test_metres_per_degree_as_measured(lat: float) -> None:
    assert metres_per_degree(lat) == pytest.approx(outline.metres_per_degree(lat), rel=1e-7)


# -- frames -------------------------------------------------------------------------------


@given(_lats, _lons, st.floats(-400.0, 9000.0), *[st.floats(-50_000.0, 50_000.0)] * 2,
       st.floats(-500.0, 20_000.0))  # fmt: skip
@settings(deadline=None)
def test_a_frame_agrees_with_the_literal_earth(
    lat: float, lon: float, hae: float, east: float, north: float, up: float
) -> None:
    frame = Frame(lat, lon, hae)
    there = frame.to_geodetic(east, north, up)
    assert frame.to_enu(*there) == pytest.approx((east, north, up), abs=1e-3)
    slow = earth.enu(frame.origin, *there)
    assert slow == pytest.approx(np.array([east, north, up]), abs=2e-3)
    near = earth.geodetic(earth.ecef(*there))
    per_lon, per_lat = metres_per_degree(there[0])
    assert abs(near[0] - there[0]) * per_lat < 1e-3
    assert abs(math.remainder(near[1] - there[1], 360.0)) * per_lon < 1e-3
    assert near[2] == pytest.approx(there[2], abs=1e-3)


def test_a_known_place_has_its_published_coordinates() -> None:
    """EPSG Guidance Note 7-2 (2024), section 4.1.1: a North Sea point in both forms."""
    frame = Frame(0.0, 0.0, -6_378_137.0)  # centre of the earth: up is X, east is Y, north is Z
    place = (53 + 48 / 60 + 33.82 / 3600, 2 + 7 / 60 + 46.38 / 3600, 73.0)
    east, north, up = frame.to_enu(*place)
    assert (up, east, north) == pytest.approx((3771793.968, 140253.342, 5124304.349), abs=0.2)


@given(_lats, _lons, st.floats(-0.5, 0.5), st.floats(-0.5, 0.5))
@settings(deadline=None)
def test_axes_turn_one_frame_into_another(lat: float, lon: float, dlat: float, dlon: float) -> None:
    site, other = Frame(lat, lon, 200.0), Frame(lat + dlat, lon + dlon, 350.0)
    turn = axes_between(site, other)
    start = np.array(site.to_enu(*other.origin))
    for k, step in enumerate(np.eye(3) * 1000.0):
        there = np.array(site.to_enu(*other.to_geodetic(*step)))
        assert (there - start) / 1000.0 == pytest.approx(turn[:, k], abs=1e-6)
    assert turn @ turn.T == pytest.approx(np.eye(3), abs=1e-12)


def test_axes_of_one_place_do_not_turn() -> None:
    here = Frame(LAT, LON, 300.0)
    assert axes_between(here, here) == pytest.approx(np.eye(3), abs=1e-15)


def test_a_span_is_what_its_margin_says() -> None:
    assert height_span(HeightAmsl(5.0), 2.0, HeightReference.AMSL, None) == Span(3.0, 7.0)
