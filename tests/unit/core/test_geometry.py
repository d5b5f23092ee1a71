from __future__ import annotations

import math

import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from skykeep.core.geo import Circle, Polygon
from skykeep.core.geometry import MAX_VERTICES, geometry_faults, is_counter_clockwise

Ring = tuple[tuple[float, float], ...]


def closed(*points: tuple[float, float]) -> Ring:
    return (*points, points[0])


SQUARE = closed((6.0, 49.0), (7.0, 49.0), (7.0, 50.0), (6.0, 50.0))
HOLE = closed((6.2, 49.2), (6.2, 49.4), (6.4, 49.4), (6.4, 49.2))


def test_good_areas_have_no_faults() -> None:
    assert geometry_faults(Polygon((SQUARE,))) == ()
    assert geometry_faults(Polygon((SQUARE, HOLE))) == ()
    assert geometry_faults(Circle(49.6, 6.1, 500.0)) == ()


@pytest.mark.parametrize(
    ("area", "where", "words"),
    [
        (Polygon(()), "", "no border"),
        (Polygon(((),)), "[0]", "not closed"),
        (Polygon((SQUARE[:-1],)), "[0]", "not closed"),
        (Polygon((closed((6.0, 49.0), (7.0, 49.0)),)), "[0]", "2 different vertices"),
        (Polygon((closed((0, 0), (1, 1), (1, 0), (0, 1)),)), "[0][0]", "meets the edge at [0][2]"),
        (Polygon((closed((0, 0), (2, 0), (1, 0), (1, 1)),)), "[0][0]", "meets"),  # a spike
        (Polygon((closed((0, 0), (2, 0), (2, 2), (1, 0), (0, 2)),)), "[0][0]", "meets"),
        (Polygon((closed((0, 0), (1, 0), (2, 1e-12)),)), "[0]", "no area"),
        (Polygon((closed((6.0, 49.0), (7.0, 94.0), (7.0, 50.0)),)), "[0][1]", "latitude 94"),
        (Polygon((closed((6.0, 49.0), (270.0, 49.5), (7.0, 50.0)),)), "[0][1]", "longitude 270"),
        (Polygon((closed((6.0, 49.0), (math.nan, 49.5), (7.0, 50.0)),)), "[0][1]", "finite"),
        (Polygon((closed((6.0, 49.0), (7.0, math.inf), (7.0, 50.0)),)), "[0][1]", "finite"),
        (Polygon((closed((-179, 0), (179, 0), (179, 1), (-179, 1)),)), "[0]", "half the globe"),
        (Polygon((SQUARE, closed((8, 49.2), (8, 49.4), (8.4, 49.4)))), "[1]", "outside"),
        (Polygon((SQUARE, closed((6.5, 49.2), (6.5, 49.4), (8.4, 49.3)))), "[0][1]", "meets"),
        (Polygon((((0.0, 0.0),) * (MAX_VERTICES + 1),)), "", "vertices"),
        (Circle(49.6, 6.1, -5.0), ".radius", "not positive"),
        (Circle(49.6, 6.1, 0.0), ".radius", "not positive"),
        (Circle(49.6, 6.1, math.nan), ".radius", "finite"),
        (Circle(49.6, 6.1, 1e7), ".radius", "over"),
        (Circle(96.0, 6.1, 5.0), ".centre", "latitude"),
        (Circle(49.6, -math.inf, 5.0), ".centre", "finite"),
    ],
)
def test_a_fault_is_named_with_its_place(area: Polygon | Circle, where: str, words: str) -> None:
    faults = geometry_faults(area)
    assert faults
    assert faults[0][0] == where
    assert words in faults[0][1]


def test_touching_in_a_common_vertex_is_no_fault() -> None:
    two = closed((0, 0), (1, 1), (0, 2), (3, 2), (1, 1), (3, 0))
    assert geometry_faults(Polygon((two,))) == ()


def test_turning() -> None:
    assert is_counter_clockwise(SQUARE)
    assert not is_counter_clockwise(SQUARE[::-1])


_points = st.lists(
    st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=3, max_size=9, unique=True
)


@settings(max_examples=200, deadline=None)
@given(_points)
def test_a_ring_of_different_vertices_is_good_when_shapely_says_so(
    points: list[tuple[int, int]],
) -> None:
    ring = closed(*((float(x), float(y)) for x, y in points))
    assert (geometry_faults(Polygon((ring,))) == ()) == shapely.Polygon(ring).is_valid


@settings(max_examples=200, deadline=None)
@given(_points, st.integers(0, 3), st.integers(0, 3))
def test_a_hole_is_good_when_shapely_says_so(
    points: list[tuple[int, int]], shift_x: int, shift_y: int
) -> None:
    # An odd frame keeps vertices of hole and border apart, so that they touch in none.
    border = closed((0.5, 0.5), (8.5, 0.5), (8.5, 8.5), (0.5, 8.5))
    hole = closed(*((x + shift_x + 0.25, y + shift_y + 0.25) for x, y in points))
    expected = shapely.Polygon(border, [hole]).is_valid
    assert (geometry_faults(Polygon((border, hole))) == ()) == expected
