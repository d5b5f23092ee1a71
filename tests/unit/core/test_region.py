"""Regions: the smallest set that holds a share, and its outline on a map."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from shapely import Polygon, box, unary_union

from skykeep.core.region import (
    Region,
    grid_for,
    next_even,
    next_normal,
    ranked,
    smoothed,
    to_degrees,
)
from tests.sky import FRAME


def region(probability: NDArray[np.float64]) -> Region:
    held = probability / probability.sum()
    return Region(-100.0, 50.0, 10.0, held, held, 0.0, ("a test",))


def test_the_smallest_set_takes_the_likeliest_cells_until_they_hold_the_share() -> None:
    made = region(np.array([[0.5, 0.0, 0.1], [0.3, 0.05, 0.05]]))
    assert made.smallest(0.5).tolist() == [[True, False, False], [False, False, False]]
    assert made.smallest(0.79).tolist() == [[True, False, False], [True, False, False]]
    assert np.count_nonzero(made.smallest(1.0)) == 5
    assert made.area_m2(0.79) == 200.0
    assert made.holds(0.79, -99.0, 65.0)
    assert not made.holds(0.79, -89.0, 65.0)
    assert not made.holds(1.0, -101.0, 65.0)
    assert made.words(0.9) == "90 % region, 300 m2; assumes a test"


def test_a_region_whose_grid_holds_less_than_the_share_says_so() -> None:
    made = Region(0.0, 0.0, 10.0, np.full((1, 2), 0.4), np.full((1, 2), 1.0), 0.2, ("a test",))
    assert np.count_nonzero(made.smallest(0.9)) == 2
    assert "(all that is drawn holds 80 %)" in made.words(0.9)


@given(st.integers(0, 2**20 - 1))
@settings(max_examples=200, deadline=None)
def test_the_outline_covers_the_cells_and_nothing_else(bits: int) -> None:
    chosen = np.array([bits >> k & 1 for k in range(20)], np.float64).reshape(4, 5)
    if not bits:
        return
    made = region(chosen)
    drawn = made.outline(1.0)
    shapes = [Polygon(border, holes) for border, *holes in drawn]
    assert all(shape.is_valid for shape in shapes)
    cells = unary_union(
        [
            box(-100 + 10 * c, 50 + 10 * r, -90 + 10 * c, 60 + 10 * r)
            for r, c in np.argwhere(chosen > 0.0)
        ]
    )
    assert unary_union(shapes).symmetric_difference(cells).area == pytest.approx(0.0, abs=1e-9)
    assert sum(s.area for s in shapes) == pytest.approx(cells.area)
    for border, *holes in drawn:
        assert Polygon(border).exterior.is_ccw
        assert not any(Polygon(hole).exterior.is_ccw for hole in holes)
        for ring in (border, *holes):
            assert ring[0] == ring[-1]
            assert all((a[0] == b[0]) != (a[1] == b[1]) for a, b in pairwise(ring))


def test_rings_go_to_degrees_as_longitude_and_latitude() -> None:
    rings = ((0.0, 0.0), (100.0, 0.0), (0.0, 100.0), (0.0, 0.0))
    (ring,) = to_degrees((rings,), FRAME)
    assert ring[0] == pytest.approx((FRAME.lon_deg, FRAME.lat_deg))
    assert ring[1][0] > FRAME.lon_deg
    assert ring[2][1] > FRAME.lat_deg


def test_smoothing_moves_nothing_in_or_out() -> None:
    cells = np.random.default_rng(1).random((7, 9))
    assert smoothed(cells).sum() == pytest.approx(cells.sum())
    one = np.zeros((9, 9))
    one[4, 4] = 1.0
    assert np.unravel_index(np.argmax(ranked(one)), (9, 9)) == (4, 4)
    assert (ranked(one) > 0.0).all()
    assert smoothed(np.eye(1)).tolist() == [[1.0]]


def test_the_grid_is_around_the_mean_and_wide_enough() -> None:
    west, south, cell = grid_for(np.array([10.0, -20.0]), np.diag([400.0**2, 40.0**2]), 0)
    assert west < 10.0 - 6.0 * 400.0 < 10.0 + 6.0 * 400.0 < west + 401 * cell
    assert south < -20.0 < south + 401 * cell
    assert grid_for(np.zeros(2), np.zeros((2, 2)), 1)[2] == 4.0


def test_the_fixed_sequences_look_like_chance() -> None:
    seed = np.array([7], np.uint64)
    even = np.array([next_even(seed) for _ in range(4_000)])
    assert 0.0 < even.min() < even.max() < 1.0
    assert even.mean() == pytest.approx(0.5, abs=0.02)
    assert abs(np.corrcoef(even[1:], even[:-1])[0, 1]) < 0.05
    normal = np.array([next_normal(seed) for _ in range(4_000)])
    assert (normal.mean(), normal.std()) == pytest.approx((0.0, 1.0), abs=0.05)
