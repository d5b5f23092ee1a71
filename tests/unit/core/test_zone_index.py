"""The index against `zone.contains` to the last bit, and against exact fractions and shapely."""

from __future__ import annotations

import math
from datetime import UTC, datetime

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from skykeep.core.geo import (
    Area,
    Circle,
    Fix,
    Height,
    HeightAgl,
    HeightAmsl,
    HeightHae,
    HeightPressure,
    HeightReference,
    Polygon,
    Terrain,
    Tri,
    Volume,
    height_of,
)
from skykeep.core.zone import (
    DailyPeriod,
    Period,
    Restriction,
    SunEvent,
    TimeOfDay,
    Zone,
    ZoneState,
    contains,
    prepare_zone,
)
from skykeep.core.zone_index import (
    Heights,
    Hits,
    ZoneIndex,
    build_index,
    zones_at,
    zones_holding,
    zones_inside,
)
from skykeep.errors import InputError
from skykeep.units import ZoneId, to_ns
from tests.reference import zones as literal

NOON = to_ns(datetime(2026, 3, 27, 12, tzinfo=UTC))
HOUR_NS = 3600 * 10**9
GROUND = Terrain(230.0, 400.0, 46.0, 48.0)
BIT = np.finfo(np.float64).eps


def zone_of(number: int, *volumes: Volume, periods: tuple[Period, ...] = ()) -> Zone:
    return Zone(
        ZoneId(f"Z{number}"), "", "a", Restriction.PROHIBITED, volumes, periods,
        time_zone="Europe/Luxembourg",
    )  # fmt: skip


def answers_of(hits: Hits, point: int) -> dict[int, int]:
    rows = slice(int(hits.offsets[point]), int(hits.offsets[point + 1]))
    zones = hits.zones[rows].tolist()
    assert zones == sorted(set(zones))
    return dict(zip(zones, hits.answers[rows].tolist(), strict=True))


def flat_answers(zones: list[Zone], lat: float, lon: float) -> dict[int, int]:
    """What core/zone.py says with every limit and period taken away."""
    found = {}
    for number, zone in enumerate(zones):
        bare = tuple(Volume(v.area, None, None) for v in zone.volumes)
        answer = contains(prepare_zone(zone_of(0, *bare)), Fix(lat, lon, 0.0, None, 0.0), 0, None)
        if answer is not Tri.NO:
            found[number] = answer.value
    return found


def check_flat(zones: list[Zone], lats: list[float], lons: list[float]) -> Hits:
    hits = zones_inside(build_index(zones), np.array(lats), np.array(lons))
    for i, (lat, lon) in enumerate(zip(lats, lons, strict=True)):
        assert answers_of(hits, i) == flat_answers(zones, lat, lon), (lat, lon)
    return hits


def ring(points: list[tuple[float, float]]) -> tuple[tuple[float, float], ...]:
    return (*points, points[0])


def star(rng: np.random.Generator, lon: float, lat: float, size: float) -> Polygon:
    """A jagged outline with a hole in it; some corners share a latitude."""
    n = int(rng.integers(3, 24))
    angles = np.sort(rng.uniform(0.0, 2.0 * math.pi, n))
    radii = size * rng.uniform(0.5, 1.0, n)
    xs, ys = lon + radii * np.cos(angles), lat + radii * np.sin(angles)
    if rng.uniform() < 0.5:
        xs, ys = np.round(xs, 2), np.round(ys, 2)
    outer = ring(list(zip(xs.tolist(), ys.tolist(), strict=True)))
    if rng.uniform() < 0.5:
        return Polygon((outer,))
    h = 0.2 * size
    hole = ring([(lon - h, lat - h), (lon - h, lat + h), (lon + h, lat + h), (lon + h, lat - h)])
    return Polygon((outer, hole))


def hard_points(index: ZoneIndex, rng: np.random.Generator) -> tuple[list[float], list[float]]:
    """Vertices, points on edges, cell corners, each also a bit aside, and any others."""
    lons, lats = [], []
    for zone in index.zones:
        for volume in zone.volumes:
            if isinstance(volume.area, Circle):
                c = volume.area
                turn = rng.uniform(0.0, 2.0 * math.pi, 4)
                far = c.radius_m / 111_000.0
                lats += (c.lat_deg + far * np.sin(turn)).tolist()
                wide = far / math.cos(math.radians(c.lat_deg))
                lons += (c.lon_deg + wide * np.cos(turn)).tolist()
                continue
            for outline in volume.area.rings:
                at = int(rng.integers(0, len(outline) - 1))
                (ax, ay), (bx, by) = outline[at], outline[at + 1]
                share = float(rng.choice([0.0, 0.5, rng.uniform()]))
                lons.append(ax + share * (bx - ax))
                lats.append(ay + share * (by - ay))
    for (west, south, per_lon, per_lat), (columns, rows, _) in zip(
        index.grid.frames, index.grid.shapes, strict=True
    ):
        column, row = rng.integers(0, columns + 1, 20), rng.integers(0, rows + 1, 20)
        lons += (west + column / per_lon).tolist()
        lats += (south + row / per_lat).tolist()
    aside = rng.integers(-2, 3, (2, len(lons))) * BIT
    lons += (np.array(lons) * (1.0 + aside[0])).tolist()
    lats += (np.array(lats) * (1.0 + aside[1])).tolist()
    lons = [math.remainder(lon, 360.0) for lon in lons]
    return np.clip(lats, -90.0, 90.0).tolist(), lons


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("middle", [(6.1, 49.6), (179.97, -17.0), (0.0, 0.0), (20.0, 89.0)])
def test_places_are_those_of_the_zones_asked_one_by_one(
    seed: int, middle: tuple[float, float]
) -> None:
    rng = np.random.default_rng(seed)
    zones = []
    for number in range(20):
        lon, lat = np.array(middle) + rng.uniform(-0.3, 0.3, 2)
        area: Area = star(rng, lon, lat, rng.uniform(0.02, 0.3))
        if number % 4 == 0:
            area = Circle(float(lat), math.remainder(float(lon), 360.0), rng.uniform(50.0, 2e4))
        zones.append(zone_of(number, Volume(area, None, None)))
    index = build_index(zones)
    lats, lons = hard_points(index, rng)
    check_flat(zones, lats, lons)


@pytest.mark.parametrize("seed", range(2))
def test_places_are_those_of_exact_fractions(seed: int) -> None:
    rng = np.random.default_rng(100 + seed)
    areas: list[Area] = [
        star(rng, *(np.array((6.1, 49.6)) + rng.uniform(-0.2, 0.2, 2)), rng.uniform(0.05, 0.2))
        for _ in range(8)
    ]
    areas += [Circle(49.6 + 0.01 * i, 6.1, 500.0 * i) for i in range(1, 4)]
    index = build_index([zone_of(i, Volume(a, None, None)) for i, a in enumerate(areas)])
    lats, lons = hard_points(index, rng)
    lats += rng.uniform(49.3, 49.9, 30).tolist()
    lons += rng.uniform(5.8, 6.4, 30).tolist()
    hits = zones_inside(index, np.array(lats), np.array(lons))
    sure = 0
    for i, (lat, lon) in enumerate(zip(lats, lons, strict=True)):
        found = answers_of(hits, i)
        for number, area in enumerate(areas):
            expected = literal.in_area(area, lat, lon)
            if expected is not None:
                assert (number in found) == expected, (number, lat, lon)
                sure += 1
    assert sure > 0.9 * len(lats) * len(areas)


def test_many_places_are_those_of_shapely() -> None:
    """So many that they are put in order first, over an index that is larger than a cache."""
    rng = np.random.default_rng(5)
    zones = [
        zone_of(
            i, Volume(Polygon(star(rng, *rng.uniform(0.0, 3.0, 2), 0.05).rings[:1]), None, None)
        )
        for i in range(1500)
    ]
    index = build_index(zones)
    lon, lat = rng.uniform(0.0, 3.0, (2, 70_000))
    tree = shapely.STRtree(
        [shapely.Polygon(v.area.rings[0]) for z in zones for v in z.volumes
         if isinstance(v.area, Polygon)]
    )  # fmt: skip
    points, found = tree.query(shapely.points(lon, lat), predicate="intersects")
    order = np.lexsort((found, points))
    for forced in (False, True):
        with pytest.MonkeyPatch.context() as patch:
            if forced:
                patch.setattr("skykeep.core.zone_index.WORTH_ORDER_BYTES", 0)
            hits = zones_inside(index, lat, lon)
        assert np.array_equal(hits.zones, found[order])
        assert np.array_equal(np.repeat(np.arange(len(lat)), np.diff(hits.offsets)), points[order])


def test_areas_that_reach_over_the_antimeridian_are_found_on_both_sides() -> None:
    zones = [
        zone_of(0, Volume(Circle(10.0, 179.99, 5_000.0), None, None)),
        zone_of(
            1, Volume(Polygon((ring([(179.0, 0.0), (181.0, 0.0), (181.0, 1.0)]),)), None, None)
        ),
        zone_of(
            2, Volume(Polygon((ring([(-180, 0), (-179, 0), (-179, 1), (-180, 1)]),)), None, None)
        ),
        zone_of(3, Volume(Polygon((ring([(179, 0), (180, 0), (180, 1), (179, 1)]),)), None, None)),
    ]
    lons = [180.0, -180.0, 179.5, -179.5, -179.98, 179.98, 0.0]
    check_flat(zones, [10.0, 0.5, 0.25] * 7, [lon for lon in lons for _ in range(3)])
    hits = zones_inside(
        build_index(zones), np.array([10.0, 0.25, 0.5]), np.array([-179.99, -179.6, 180.0])
    )
    assert [sorted(answers_of(hits, i)) for i in range(3)] == [[0], [1, 2], [1, 2, 3]]


def test_what_fits_no_grid_is_asked_in_full() -> None:
    wide = Polygon((ring([(-100, -10), (190, -10), (190, 10), (-100, 10)]),))
    unclosed = Polygon((((5.0, 49.0), (7.0, 49.0), (7.0, 50.0), (5.0, 50.0)),))
    world = Polygon((ring([(-180, -90), (180, -90), (180, 90), (-180, 90)]),))
    pole = Circle(89.9, 0.0, 100_000.0)
    zones = [
        zone_of(0, Volume(Circle(49.6, 6.1, 900.0), None, None)),
        *(
            zone_of(i + 1, Volume(a, None, None))
            for i, a in enumerate((wide, unclosed, world, pole))
        ),
        zone_of(5, Volume(Circle(49.6, 6.1, 900.0), None, None)),
    ]
    rng = np.random.default_rng(3)
    lats = [49.6, 49.5, 0.0, 89.95, 90.0, -90.0, *rng.uniform(-90, 90, 200).tolist()]
    lons = [6.1, 6.2, -170.0, 120.0, 180.0, -180.0, *rng.uniform(-180, 180, 200).tolist()]
    check_flat(zones, lats, lons)


def test_a_crowd_and_one_zone_far_away_share_two_grids() -> None:
    rng = np.random.default_rng(4)
    zones = [
        zone_of(i, Volume(star(rng, 6.0 + 0.2 * (i % 10), 49.0 + 0.02 * i, 0.05), None, None))
        for i in range(60)
    ]
    zones.append(zone_of(60, Volume(star(rng, 100.0, 10.0, 4.0), None, None)))
    index = build_index(zones)
    assert index.grid.frames[0, 2] > 10 * index.grid.frames[1, 2]
    lats, lons = hard_points(index, rng)
    check_flat(zones, lats, lons)


_heights = st.one_of(
    st.none(),
    *(
        st.builds(kind, st.sampled_from([-5.0, 0.0, 100.0, 120.0, 350.0, 500.0, 1000.0]))
        for kind in (HeightAgl, HeightAmsl, HeightHae, HeightPressure)
    ),
)
_moments = st.one_of(
    st.builds(TimeOfDay, st.integers(0, 24).map(lambda h: h * 3600), st.booleans()),
    st.sampled_from(list(SunEvent)),
)
_windows = st.lists(
    st.builds(DailyPeriod, st.just((0, 4, 5, 6)), _moments, _moments), max_size=2
).map(tuple)
_periods = st.lists(
    st.builds(
        Period,
        st.sampled_from([None, NOON - 5 * HOUR_NS]),
        st.sampled_from([None, NOON + 30 * HOUR_NS]),
        _windows,
    ),
    max_size=2,
).map(tuple)


@st.composite
def _zones(draw: st.DrawFn) -> Zone:
    area = Circle(49.6, 6.1, draw(st.sampled_from([300.0, 900.0])))
    square = Polygon((ring([(6.09, 49.59), (6.1, 49.59), (6.1, 49.6), (6.09, 49.6)]),))
    volumes = draw(
        st.lists(
            st.builds(Volume, st.sampled_from([area, square]), _heights, _heights),
            min_size=0,
            max_size=2,
        )
    )
    return Zone(
        ZoneId("Z"), "", "a", Restriction.PROHIBITED, tuple(volumes), draw(_periods),
        draw(st.sampled_from([ZoneState.IN_FORCE] * 4 + [ZoneState.APPROVED])),
        time_zone=draw(st.sampled_from(["Europe/Luxembourg", "UTC", "Mars/Olympus"])),
        readable=draw(st.sampled_from([True] * 5 + [False])),
    )  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(
    st.lists(_zones(), max_size=5),
    st.sampled_from(list(HeightReference)),
    st.lists(st.sampled_from([-5.0, 0.0, 100.0, 120.0, 301.0, 480.0, 1000.0, 1400.0]), min_size=6,
             max_size=6),
    st.sampled_from([None, GROUND, Terrain(300.0, 300.0, 47.0, 47.0)]),
)  # fmt: skip
def test_place_height_and_time_together_are_what_core_zone_says(
    zones: list[Zone], reference: HeightReference, metres: list[float], terrain: Terrain | None
) -> None:
    lats = np.array([49.6, 49.5999, 49.595, 49.6, 49.6, 49.59])
    lons = np.array([6.1, 6.0999, 6.095, 6.11, 6.0901, 6.09])
    times = np.array([NOON + h * HOUR_NS - 1 for h in (0, 7, 13, 30, 40, 60)], np.int64)
    index = build_index(zones)
    m = np.array(metres)
    hits = zones_holding(index, lats, lons, Heights(m, reference), times, terrain)
    given_each = Heights(m, np.full(6, reference.value, np.int8))
    grounds = np.full((6, 4), np.nan)
    if terrain is not None:
        grounds[:] = (
            terrain.lowest_amsl_m, terrain.highest_amsl_m, terrain.geoid_low_m,
            terrain.geoid_high_m,
        )  # fmt: skip
    each = zones_holding(index, lats, lons, given_each, times, grounds)
    for i in range(6):
        height: Height | None = height_of(metres[i], reference)
        at = Fix(float(lats[i]), float(lons[i]), 0.0, height, 0.0)
        expected = {
            number: answer.value
            for number, zone in enumerate(zones)
            if (answer := contains(prepare_zone(zone), at, int(times[i]), terrain)) is not Tri.NO
        }
        assert answers_of(hits, i) == expected
        assert answers_of(each, i) == expected
        one = zones_at(index, at.lat_deg, at.lon_deg, height, int(times[i]), terrain)
        assert {number: answer.value for number, answer in one} == expected


@pytest.mark.parametrize(
    ("lat", "lon"), [(90.1, 0.0), (0.0, 180.5), (math.nan, 0.0), (0.0, math.inf), (0.0, -181.0)]
)
def test_a_place_off_the_map_is_named(lat: float, lon: float) -> None:
    index = build_index([zone_of(0, Volume(Circle(49.6, 6.1, 300.0), None, None))])
    with pytest.raises(InputError, match=r"points\[1\]"):
        zones_inside(index, np.array([0.0, lat]), np.array([0.0, lon]))
    with pytest.raises(InputError, match="latitude"):
        zones_at(index, lat, lon, None, NOON, None)


def test_no_zones_and_no_points_are_no_hits() -> None:
    assert zones_at(build_index([]), 49.6, 6.1, None, NOON, None) == ()
    index = build_index([zone_of(0, Volume(Circle(49.6, 6.1, 300.0), None, None))])
    hits = zones_inside(index, np.empty(0), np.empty(0))
    assert (hits.offsets.tolist(), hits.zones.tolist()) == ([0], [])
