"""Time to a zone, against random flights in fine steps and by what must hold of any."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skykeep.core.event import Arrival
from skykeep.core.geo import (
    Circle,
    HeightAgl,
    HeightAmsl,
    HeightHae,
    HeightPressure,
    Polygon,
    Terrain,
    Volume,
)
from skykeep.core.schedule import Period
from skykeep.core.track.arrival import NEVER, POINTS, Motion, Target, foresee, points, target_of
from skykeep.core.zone import Zone, ZoneState, prepare_zone
from tests.reference.arrival import FLIGHTS, Inside, entry_times, in_circle, in_polygon
from tests.sky import FRAME, TERRAIN, at, volume, zone_named

NOW = at(100.0)
TOP_M = 300.0
Q = (1.0, 0.09)
LOW, HIGH = -1e9, TOP_M
#: Of a probability: 509 points instead of random flights.
TOLERANCE = 0.03

RING = [(-500, -500), (500, -500), (500, 500), (-100, 500), (-100, 100), (-500, 100), (-500, -500)]
HOLE = [(0, 0), (60, 0), (60, 60), (0, 60), (0, 0)]

#: State, its sigmas, q: beyond what the lattice was chosen by.
CASES: dict[str, tuple[tuple[float, ...], tuple[float, ...], tuple[float, float], str]] = {
    "straight in": ((1500, 0, 100, -15, 0, 0), (5, 5, 5, 1, 1, 0.3), Q, "circle"),
    "straight in, near": ((700, 100, 100, -12, 0, 0), (8, 8, 8, 1.5, 1.5, 0.5), Q, "circle"),
    "steady": ((1500, 0, 100, -15, 0, 0), (5, 5, 5, 1, 1, 0.3), (0.1, 0.02), "circle"),
    "passing by": ((1500, 800, 100, -15, 0, 0), (5, 5, 5, 1, 1, 0.3), Q, "circle"),
    "hovering beside": ((560, 0, 100, 0, 0, 0), (6, 6, 6, 0.5, 0.5, 0.3), Q, "circle"),
    "above, descending": ((0, 0, 400, 0, 0, -3), (6, 6, 6, 0.5, 0.5, 0.5), Q, "circle"),
    "very unsure": ((700, 100, 250, -5, 0, 0), (80, 30, 40, 3, 3, 1), Q, "circle"),
    "polygon, straight in": ((1500, 0, 100, -15, 0, 0), (5, 5, 5, 1, 1, 0.3), Q, "polygon"),
    "polygon, passing": ((1000, -700, 100, -10, 2, 0), (15, 15, 15, 2, 2, 1), Q, "polygon"),
    "polygon, descending": ((100, 50, 380, 2, 0, -2), (6, 6, 6, 0.5, 0.5, 0.5), Q, "polygon"),
    "hovering in the hole": ((20, 30, 100, 0, 0, 0), (4, 4, 4, 0.3, 0.3, 0.3), Q, "polygon"),
    "fast": ((2500, 500, 200, -25, -5, -1), (20, 20, 30, 2, 2, 1), Q, "polygon"),
}  # fmt: skip


def prism(*rings: list[tuple[int, int]], top: Any = None) -> Volume:
    def lon_lat(place: tuple[int, int]) -> tuple[float, float]:
        lat, lon, _ = FRAME.to_geodetic(*place, 0.0)
        return lon, lat

    corners = tuple(tuple(map(lon_lat, ring)) for ring in rings)
    return Volume(Polygon(corners), None, HeightAgl(TOP_M) if top is None else top)


SHAPES: dict[str, tuple[Volume, Inside]] = {
    "circle": (volume(), in_circle(0.0, 0.0, 500.0, LOW, HIGH)),
    "polygon": (prism(RING, HOLE), in_polygon([np.array(RING), np.array(HOLE)], LOW, HIGH)),
}


def target(*volumes: Volume, **changes: Any) -> Target:
    return target_of(prepare_zone(zone_named(volumes=volumes, **changes)), FRAME)


def motion(x: Any, sigmas: Any, q: tuple[float, float] = Q, lag_s: float = 0.0) -> Motion:
    """Place and velocity hang together, as after a filter."""
    p = np.diag(np.array(sigmas, np.float64) ** 2)
    p[0, 3] = p[3, 0] = 0.5 * sigmas[0] * sigmas[3]
    return Motion(np.array(x, np.float64), p, lag_s, *q)


def ahead(
    move: Motion, zone: Target, horizon_s: float = 120.0, terrain: Terrain = TERRAIN
) -> Arrival:
    found = foresee(move, HeightHae(FRAME.hae_m + move.x[2]), zone, NOW, terrain, horizon_s)
    assert found is not None
    return found


@pytest.mark.parametrize("name", CASES)
def test_agrees_with_random_flights(name: str) -> None:
    x, sigmas, q, shape = CASES[name]
    drawn, inside = SHAPES[shape]
    move = motion(x, sigmas, q)
    times = np.sort(entry_times(move.x, move.p, q, inside, 120.0, 1))
    found = ahead(move, target(drawn))
    assert found.probability == pytest.approx(float(np.mean(times < np.inf)), abs=TOLERANCE)
    for share, told in ((0.1, found.p10_s), (0.5, found.p50_s), (0.9, found.p90_s)):
        # By the time told a share within the same tolerance has entered, give or take a second.
        soonest, latest = (
            float(times[min(FLIGHTS, math.ceil((share + off) * FLIGHTS)) - 1])
            for off in (-TOLERANCE, TOLERANCE)
        )
        assert soonest - 1.0 <= (math.inf if told is None else told) <= latest + 1.0


def test_same_state_gives_the_same_to_the_last_bit() -> None:
    move, zone = motion(*CASES["very unsure"][:2]), target(volume())
    assert ahead(move, zone) == ahead(move, target(volume()))
    fixed = points()
    assert points.__wrapped__().noise.tobytes() == fixed.noise.tobytes()
    assert np.abs(fixed.start.T @ fixed.start / POINTS - np.eye(6)).max() < 1e-12
    assert np.abs(fixed.start).max() < 4.0


def test_the_knots_carry_the_variance_of_integrated_white_noise() -> None:
    fixed = points()
    for axis in range(3):
        spread = (fixed.noise[:, :, axis] ** 2).mean(axis=0)
        assert spread == pytest.approx(fixed.at_s**3 / 3.0, rel=1e-9)
        assert np.abs(fixed.noise[:, :, axis].mean(axis=0)).max() < 1e-9


REAL = st.floats(-3_000.0, 3_000.0)
SPEED = st.floats(-30.0, 30.0)
SIGMA = st.floats(0.0, 200.0)


@st.composite
def motions(draw: st.DrawFn) -> Motion:
    x = [draw(REAL), draw(REAL), draw(st.floats(0.0, 600.0)), draw(SPEED), draw(SPEED)]
    sigmas = [draw(SIGMA), draw(SIGMA), draw(SIGMA), *(draw(st.floats(0.0, 20.0)) for _ in "abc")]
    return motion([*x, draw(st.floats(-5.0, 5.0))], sigmas, lag_s=draw(st.floats(0.0, 5.0)))


@given(motions(), st.floats(0.0, 120.0), st.sampled_from(list(SHAPES)))
@settings(max_examples=150, deadline=None)
def test_probabilities_and_times_are_in_order_and_grow_with_the_horizon(
    move: Motion, horizon_s: float, shape: str
) -> None:
    zone = target(SHAPES[shape][0])
    near, far = ahead(move, zone, horizon_s), ahead(move, zone)
    assert 0.0 <= near.probability <= far.probability <= 1.0
    for told, end_s in ((near, horizon_s), (far, 120.0)):
        times = [s for s in (told.p10_s, told.p50_s, told.p90_s) if s is not None]
        assert times == sorted(times)
        assert all(0.0 <= s <= end_s + 0.05 for s in times)
        reached = [told.p10_s is not None, told.p50_s is not None, told.p90_s is not None]
        assert reached == sorted(reached, reverse=True)
        if told.probability >= 0.91:
            assert told.p90_s is not None
    for one, other in ((near.p10_s, far.p10_s), (near.p50_s, far.p50_s), (near.p90_s, far.p90_s)):
        assert one is None or one == other


@given(st.floats(-300.0, 300.0), st.floats(-300.0, 300.0), SPEED, SPEED)
@settings(max_examples=50, deadline=None)
def test_surely_inside_is_certain_at_once_and_far_away_never(
    east: float, north: float, v_east: float, v_north: float
) -> None:
    sure = (5.0, 5.0, 5.0, 1.0, 1.0, 0.3)
    zone = target(volume())
    inside = ahead(motion((east, north, 100.0, v_east, v_north, 0.0), sure), zone)
    assert inside == Arrival(1.0, 0.0, 0.0, 0.0)
    away = ahead(motion((east + 40_000.0, north, 100.0, v_east, v_north, 0.0), sure), zone)
    assert away == NEVER


@given(st.lists(st.floats(-1e300, 1e300), min_size=36, max_size=36), st.floats(0.0, 1e6))
@settings(max_examples=100, deadline=None)
def test_absurd_covariances_give_a_probability(values: list[float], lag_s: float) -> None:
    p = np.array(values).reshape(6, 6)
    for move in (
        Motion(np.array([600.0, 0, 100, -9, 0, 0]), p, lag_s, *Q),
        Motion(np.array([1e300, -1e300, 1e300, 1e300, 0, 0]), p @ np.eye(6), 0.0, *Q),
    ):
        for shape in SHAPES.values():
            found = foresee(move, HeightHae(400.0), target(shape[0]), NOW, TERRAIN)
            assert found is not None
            assert 0.0 <= found.probability <= 1.0
            assert all(s is None or 0.0 <= s <= 120.0 for s in (found.p10_s, found.p50_s))


def test_of_several_volumes_the_first_counts() -> None:
    move = motion(*CASES["straight in, near"][:2])
    one, behind = volume(), volume((-900.0, 0.0, 0.0))
    assert ahead(move, target(behind, one)) == ahead(move, target(one, behind))
    assert ahead(move, target(one, behind)).probability >= ahead(move, target(one)).probability


def test_heights_are_converted_and_what_is_known_by_bounds_is_drawn_between() -> None:
    # 300 m above ground of 300 m is 600 m above the sea and 647.5 m above the ellipsoid.
    move = motion(*CASES["above, descending"][:2])
    tops = (HeightAgl(300.0), HeightAmsl(600.0), HeightHae(647.5))
    assert len({ahead(move, target(prism(RING, top=top))) for top in tops}) == 1
    rough = Terrain(200.0, 400.0, 47.5, 47.5)
    wide = ahead(move, target(prism(RING)), terrain=rough)
    low, high = (ahead(move, target(prism(RING, top=HeightAgl(t)))) for t in (200.0, 400.0))
    assert low.probability < wide.probability < high.probability
    zone = target(prism(RING))
    assert foresee(move, HeightPressure(700.0), zone, NOW, TERRAIN) is not None
    assert foresee(move, None, zone, NOW, TERRAIN) is None
    assert foresee(move, HeightHae(700.0), zone, NOW, None) is None
    far = motion((90_000, 0, 100, 0, 0, 0), (5, 5, 5, 1, 1, 0.3))
    assert foresee(far, None, zone, NOW, TERRAIN) == NEVER
    ground = target(Volume(Circle(FRAME.lat_deg, FRAME.lon_deg, 500.0), HeightAgl(0.0), None))
    assert foresee(move, None, ground, NOW, None) == Arrival(1.0, 0.0, 0.0, 0.0)


def test_only_while_the_zone_applies() -> None:
    move = motion((0, 0, 100, 0, 0, 0), (5, 5, 5, 1, 1, 0.3))

    def starting(begin_s: float, end_s: float) -> Zone:
        period = Period(at(100.0 + begin_s), at(100.0 + end_s))
        return replace(zone_named(), periods=(period,))

    def told(zone: Zone) -> Arrival | None:
        return foresee(move, HeightHae(447.5), target_of(prepare_zone(zone), FRAME), NOW, TERRAIN)

    assert told(starting(-10.0, 1_000.0)) == Arrival(1.0, 0.0, 0.0, 0.0)
    soon = told(starting(20.0, 1_000.0))
    assert soon is not None
    assert soon.p10_s == soon.p50_s == 20.0
    assert told(starting(200.0, 1_000.0)) == NEVER
    assert told(starting(-100.0, -50.0)) == NEVER
    assert told(replace(zone_named(), state=ZoneState.WITHDRAWN)) == NEVER
    assert told(replace(zone_named(), readable=False)) is None
