"""The kernels against full matrices, differences and the literal earth."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skykeep.core.geo import Frame, axes_between
from skykeep.core.observation import TargetKind
from skykeep.core.track import kernels
from skykeep.core.track.tracker import KIND_PRIOR
from tests.reference import earth, kalman
from tests.reference.tracking import kind_fit

F64 = np.ndarray[tuple[int, ...], np.dtype[np.float64]]

_seeds = st.integers(0, 2**32 - 1)
_dts = st.floats(0.0, 20.0)
_lags = st.floats(-5.0, 0.0)
SITE, SENSOR = Frame(49.61, 6.13, 350.0), Frame(49.63, 6.20, 420.0)


def random_covariance(rng: np.random.Generator, sigmas: list[float]) -> F64:
    """A covariance with these sigmas and random, not extreme, correlations."""
    n = len(sigmas)
    mixed = np.eye(n) + 0.5 * rng.uniform(-1.0, 1.0, (n, n))
    p = mixed @ mixed.T
    scale = np.array(sigmas) / np.sqrt(np.diag(p))
    return np.asarray(p * np.outer(scale, scale))


def random_state(rng: np.random.Generator) -> tuple[F64, F64]:
    x = np.concatenate([rng.uniform(-6000.0, 6000.0, 3), rng.uniform(-30.0, 30.0, 3)])
    return x, random_covariance(rng, [30.0, 20.0, 60.0, 8.0, 6.0, 3.0])


@given(_seeds, _dts)
@settings(max_examples=60, deadline=None)
def test_predict_is_the_textbooks(seed: int, dt_s: float) -> None:
    x, p = random_state(np.random.default_rng(seed))
    slow_x, slow_p = kalman.predict(x, p, dt_s, 1.3, 0.09)
    kernels.predict(x, p, dt_s, 1.3, 0.09)
    assert x == pytest.approx(slow_x, rel=1e-12, abs=1e-9)
    assert p == pytest.approx(slow_p, rel=1e-9, abs=1e-9)


@given(_seeds, st.one_of(st.just(0.0), _lags))
@settings(max_examples=100, deadline=None)
def test_innovation_and_update_are_the_textbooks(seed: int, lag_s: float) -> None:
    rng = np.random.default_rng(seed)
    x, p = random_state(rng)
    r = random_covariance(rng, [10.0, 80.0, 90.0])
    h = kalman.position_model(lag_s)
    z = h @ x + rng.uniform(-150.0, 150.0, 3)
    slow_nu, slow_s, slow_d2, slow_log_det = kalman.innovation(x, p, h, z, r)
    nu, s, s_inverse = np.empty(3), np.empty((3, 3)), np.empty((3, 3))
    d2, log_det = kernels.innovation(x, p, lag_s, z, r, nu, s, s_inverse)
    assert (d2, log_det) == pytest.approx((slow_d2, slow_log_det), rel=1e-9)
    assert nu == pytest.approx(slow_nu, abs=1e-9)
    assert s == pytest.approx(slow_s, rel=1e-12)
    assert s_inverse == pytest.approx(np.linalg.inv(slow_s), rel=1e-8, abs=1e-12)
    slow_x, slow_p = kalman.update(x, p, h, z, r)
    kernels.update(x, p, lag_s, nu, s, s_inverse)
    assert x == pytest.approx(slow_x, rel=1e-10, abs=1e-7)
    assert p == pytest.approx(slow_p, rel=1e-8, abs=1e-6)
    assert (p == p.T).all()


def _innovation_of(p3: F64, r: F64, z: tuple[float, ...] = (0.0, 0.0, 0.0)) -> tuple[float, float]:
    x, p = np.zeros(6), np.zeros((6, 6))
    p[:3, :3] = p3
    room = np.empty(3), np.empty((3, 3)), np.empty((3, 3))
    found: tuple[float, float] = kernels.innovation(x, p, 0.0, np.array(z), r, *room)
    return found


_TURN = np.linalg.qr(np.array([[2.0, 1.0, 0.5], [0.3, 1.0, -1.0], [1.0, -2.0, 3.0]]))[0]


@pytest.mark.parametrize(
    "s",
    [
        np.zeros((3, 3)),
        np.diag([1.0, -1.0, -1.0]),  # its determinant is positive
        np.diag([-1.0, -1.0, 1.0]),
        np.diag([1.0, 1.0, -1.0]),
        np.diag([1.0, 1.0, 0.0]),
        np.diag([np.nan, 1.0, 1.0]),
        np.diag([1.0, 1.0, np.inf]),
        np.diag([1e200, 1e200, 1e200]),  # overflows
        np.diag([1e105, 1e105, 1e105]),  # overflows in the last product
        np.array([[1.0, 1.0 - 1e-14, 0.0], [1.0 - 1e-14, 1.0, 0.0], [0.0, 0.0, -1.0]]),
        np.ones((3, 3)),
        _TURN @ np.diag([100.0, 1e-14, 1e-14]) @ _TURN.T,  # a plot at the sensor itself
        _TURN @ np.diag([100.0, 50.0, 0.0]) @ _TURN.T,
    ],
)
def test_what_is_not_positive_definite_is_infinitely_far(s: F64) -> None:
    assert _innovation_of(np.zeros((3, 3)), s) == (math.inf, 0.0)


def test_a_long_thin_covariance_is_still_one() -> None:
    """A range good to 0.1 m beside 350 m across, at 45 degrees."""
    s = _TURN @ np.diag([0.1**2, 350.0**2, 350.0**2]) @ _TURN.T
    d2, log_det = _innovation_of(np.zeros((3, 3)), s, tuple(_TURN[:, 0]))
    assert d2 == pytest.approx(100.0, rel=1e-3)
    assert log_det == pytest.approx(2.0 * math.log(0.1 * 350.0 * 350.0), rel=1e-6)


# -- gating -------------------------------------------------------------------------------

LOG_PD, LOG_MISS, GATE2 = math.log(0.9), math.log(0.1), 16.0


def _brute_pairs(
    x: F64,
    p: F64,
    lag_s: F64,
    chosen: F64,
    z: F64,
    r: F64,
    free: F64,
    log_clutter: F64,
    kinds: F64,
    plot_kinds: F64,
) -> dict[tuple[int, int], float]:
    found = {}
    for i, j in itertools.product(range(len(x)), range(len(z))):
        h = kalman.position_model(float(lag_s[i]))
        _, _, d2, log_det = kalman.innovation(x[i], p[i], h, z[j], r[j])
        log_density = -0.5 * (d2 + log_det + 3.0 * math.log(2.0 * math.pi))
        gain = LOG_PD + log_density - log_clutter[j] - LOG_MISS
        gain += kind_fit(kinds[i], plot_kinds[j])
        if chosen[i] and free[j] and d2 <= GATE2 and gain > 0.0:
            found[i, j] = gain
    return found


@given(_seeds, st.integers(0, 12), st.integers(0, 40), st.floats(50.0, 3000.0))
@settings(max_examples=60, deadline=None)
def test_pairs_in_gate_are_those_that_trying_all_finds(
    seed: int, tracks: int, plots: int, room_m: float
) -> None:
    rng = np.random.default_rng(seed)
    states = [random_state(rng) for _ in range(tracks)]
    x = np.array([s[0] for s in states]).reshape(-1, 6)
    x[:, :3] = rng.uniform(-room_m, room_m, (tracks, 3))
    p = np.array([s[1] for s in states]).reshape(-1, 6, 6)
    z = rng.uniform(-room_m, room_m, (plots, 3))
    sigmas = rng.uniform(5.0, 150.0, (plots, 3))
    r = np.array([random_covariance(rng, list(s)) for s in sigmas]).reshape(-1, 3, 3)
    lag_s = np.where(rng.random(tracks) < 0.5, 0.0, -rng.uniform(0.0, 5.0, tracks))
    chosen, free = rng.random(tracks) < 0.8, rng.random(plots) < 0.8
    log_clutter = rng.uniform(-24.0, -12.0, plots)
    kinds = -rng.uniform(0.0, 8.0, (tracks, 4))
    plot_kinds = -rng.uniform(0.0, 4.8, (plots, 4)) * (rng.random((plots, 1)) < 0.7)
    args = x, p, lag_s, chosen, z, r, free, log_clutter, kinds, plot_kinds
    expected = _brute_pairs(*args)
    i, j, gains = kernels.pairs_in_gate(*args, LOG_PRIOR, LOG_PD, LOG_MISS, GATE2)
    found = dict(zip(zip(i.tolist(), j.tolist(), strict=True), gains.tolist(), strict=True))
    assert len(found) == len(i)
    assert found.keys() == expected.keys()
    for pair, gain in found.items():
        assert gain == pytest.approx(expected[pair], rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize(("off_m", "found"), [(95.0, 1), (-95.0, 1), (115.0, 0), (-115.0, 0)])
def test_a_late_plot_is_gated_where_the_target_then_was(
    axis: int, off_m: float, found: int
) -> None:
    """3 s ago, 300 m back; 9 m/s of doubt make 27 m of it, times four: 108 m."""
    x, p, z = np.zeros((1, 6)), np.eye(6)[None].copy(), np.zeros((1, 3))
    x[0, axis + 3], p[0, axis + 3, axis + 3] = 100.0, 81.0
    z[0, axis] = -300.0 + off_m
    args = np.full(1, -3.0), np.ones(1, np.bool_), z, np.eye(3)[None], np.ones(1, np.bool_)
    tracks, _, _ = kernels.pairs_in_gate(
        x, p, *args, np.full(1, -40.0), np.zeros((1, 4)), np.zeros((1, 4)), LOG_PRIOR,
        LOG_PD, LOG_MISS, GATE2,
    )  # fmt: skip
    assert len(tracks) == found


def _pairs_of(n: int, z: F64, r: F64, log_clutter: float) -> tuple[F64, F64, F64]:
    """Pairs of n tracks at the origin, 10 m wide, with unclassified plots."""
    m = len(z)
    found: tuple[F64, F64, F64] = kernels.pairs_in_gate(
        np.zeros((n, 6)), np.array([np.eye(6)] * n) * 100.0, np.zeros(n), np.ones(n, np.bool_),
        z, r, np.ones(m, np.bool_), np.full(m, log_clutter), np.zeros((n, 4)), np.zeros((m, 4)),
        LOG_PRIOR, LOG_PD, LOG_MISS, GATE2,
    )  # fmt: skip
    return found


def test_pairs_grow_beyond_their_first_room() -> None:
    """2 tracks and 200 plots all on one spot: 400 pairs, where 24 have room at first."""
    z, r = np.zeros((200, 3)), np.array([np.eye(3)] * 200)
    z[:, 0] = np.arange(200) * 0.01
    i, j, gains = _pairs_of(2, z, r, -20.0)
    pairs = set(zip(i.tolist(), j.tolist(), strict=True))
    assert pairs == set(itertools.product(range(2), range(200)))
    assert (gains > 0.0).all()


@pytest.mark.parametrize("sigma2", [1e200, 1e300, math.inf, math.nan])
@pytest.mark.parametrize("clutter", [-20.0, -math.inf, math.nan])
def test_an_overflow_is_no_pair(sigma2: float, clutter: float) -> None:
    assert len(_pairs_of(1, np.zeros((1, 3)), np.diag([sigma2] * 3)[None], clutter)[0]) == 0


@pytest.mark.parametrize("away_m", [1e12, 1e160, 1e308, math.inf, math.nan])
@pytest.mark.parametrize("axis", [0, 1, 2])
def test_an_absurd_place_is_no_pair(away_m: float, axis: int) -> None:
    z = np.zeros((1, 3))
    z[0, axis] = away_m
    assert len(_pairs_of(1, z, np.eye(3)[None], -math.inf)[0]) == 0


@pytest.mark.parametrize("clutter", [-math.inf, math.nan])
def test_a_gain_that_is_no_number_is_no_pair(clutter: float) -> None:
    assert len(_pairs_of(1, np.zeros((1, 3)), np.eye(3)[None], -20.0)[0]) == 1
    assert len(_pairs_of(1, np.zeros((1, 3)), np.eye(3)[None], clutter)[0]) == 0


# -- kinds --------------------------------------------------------------------------------

LOG_PRIOR = np.log([KIND_PRIOR[k] for k in TargetKind])


def test_shares_of_kinds_are_bayes() -> None:
    share = np.empty(4)
    kernels.kind_shares(np.log([0.5, 0.2, 0.2, 0.1]), LOG_PRIOR, share)
    weights = np.array([0.5, 0.2, 0.2, 0.1]) * np.exp(LOG_PRIOR)
    assert share == pytest.approx(weights / weights.sum())
    kernels.kind_shares(np.array([900.0, -900.0, 0.0, 0.0]), LOG_PRIOR, share)
    assert share == pytest.approx([1.0, 0.0, 0.0, 0.0])


def test_a_plots_class_speaks_for_its_own_kind() -> None:
    drone, bird = np.array([1.0, 0.0, 0.0, 0.0]), np.array([0.0, 1.0, 0.0, 0.0])
    seen = np.log([0.6, 0.2, 0.1, 0.1])
    assert kernels.kind_fit(drone, seen) == pytest.approx(math.log(6.0))
    assert kernels.kind_fit(bird, seen) == pytest.approx(math.log(2.0))
    assert kernels.kind_fit(drone, np.zeros(4)) == 0.0


# -- bearings -----------------------------------------------------------------------------


@given(_seeds, st.one_of(st.just(0.0), _lags), st.floats(-0.3, 0.3))
@settings(max_examples=100, deadline=None)
def test_a_bearing_is_the_literal_extended_filters(seed: int, lag_s: float, off: float) -> None:
    rng = np.random.default_rng(seed)
    x, p = random_state(rng)
    east, north = rng.uniform(-4000.0, 4000.0, 2)
    away = kalman.position_model(lag_s) @ x
    if math.hypot(away[0] - east, away[1] - north) < 100.0:
        east += 500.0
    azimuth = kalman.bearing(x, lag_s, east, north) + off
    slow_x, slow_p, slow_nu, slow_s = kalman.bearing_update(x, p, lag_s, east, north, azimuth, 0.06)
    nu, s, distance = kernels.bearing_distance(x, p, lag_s, east, north, azimuth, 0.06)
    assert (nu, s) == pytest.approx((slow_nu, slow_s), rel=1e-6, abs=1e-10)
    assert distance == pytest.approx(math.hypot(away[0] - east, away[1] - north))
    kernels.bearing_update(x, p, lag_s, east, north, nu, s)
    assert x == pytest.approx(slow_x, rel=1e-5, abs=1e-3)
    assert p == pytest.approx(slow_p, rel=1e-5, abs=1e-2)
    assert (p == p.T).all()


def test_a_bearing_ahead_of_the_state_moves_it() -> None:
    x = np.array([1000.0, 0.0, 50.0, 0.0, 100.0, 0.0])
    nu, _, distance = kernels.bearing_distance(x, np.eye(6), 10.0, 0.0, 0.0, math.pi / 4, 0.05)
    assert nu == pytest.approx(0.0, abs=1e-12)
    assert distance == pytest.approx(1000.0 * math.sqrt(2.0))


@pytest.mark.parametrize("turns", [-2, -1, 0, 1, 2])
@pytest.mark.parametrize("off", [-3.0, -0.1, 0.0, 0.1, 3.0])
def test_an_innovation_wraps_at_north(turns: int, off: float) -> None:
    for there in (0.0, 0.05, -0.05, math.pi - 0.01):
        x = np.zeros(6)
        x[0], x[1] = 2000.0 * math.sin(there), 2000.0 * math.cos(there)
        azimuth = there + off + turns * 2.0 * math.pi
        nu, _, _ = kernels.bearing_distance(x, np.eye(6), 0.0, 0.0, 0.0, azimuth, 0.05)
        assert nu == pytest.approx(off, abs=1e-9)


def test_a_target_over_the_sensor_has_no_bearing() -> None:
    x = np.array([100.5, 200.5, 50.0, 0.0, 0.0, 0.0])
    found = kernels.bearing_distance(x, np.eye(6), 0.0, 100.0, 200.0, 1.0, 0.05)
    assert found == (math.inf, math.inf, 0.0)


# -- polar plots --------------------------------------------------------------------------


@given(st.floats(50.0, 20_000.0), st.floats(0.0, 360.0), st.floats(-60.0, 80.0))
@settings(max_examples=60, deadline=None)
def test_polar_to_enu_is_the_literal_earth(rng_m: float, az_deg: float, el_deg: float) -> None:
    values, sigmas = np.array([[rng_m, az_deg, el_deg]]), np.array([[10.0, 0.4, 1.0]])
    place, axes = np.array(SITE.to_enu(*SENSOR.origin)), axes_between(SITE, SENSOR)
    z, r, log_jacobian = kernels.polar_to_enu(values, sigmas, place, axes)
    polar = np.array([rng_m, math.radians(az_deg), math.radians(el_deg)])
    assert z[0] == pytest.approx(earth.polar_to_enu(SITE.origin, SENSOR.origin, polar), abs=1e-3)
    jacobian = earth.polar_jacobian(SITE.origin, SENSOR.origin, polar)
    spread = np.diag([10.0, math.radians(0.4), math.radians(1.0)]) ** 2
    slow_r = jacobian @ spread @ jacobian.T
    assert r[0] == pytest.approx(slow_r, rel=1e-5, abs=1e-5 * float(np.trace(slow_r)))
    assert log_jacobian[0] == pytest.approx(math.log(abs(np.linalg.det(jacobian))), abs=1e-5)


def test_rows_of_polar_plots_do_not_mix() -> None:
    rng = np.random.default_rng(3)
    values = rng.uniform([100.0, 0.0, -5.0], [6000.0, 360.0, 40.0], (20, 3))
    sigmas = rng.uniform(0.1, 2.0, (20, 3))
    place, axes = np.array([10.0, 20.0, 30.0]), axes_between(SITE, SENSOR)
    together = kernels.polar_to_enu(values, sigmas, place, axes)
    for k in range(20):
        alone = kernels.polar_to_enu(values[k : k + 1], sigmas[k : k + 1], place, axes)
        for whole, single in zip(together, alone, strict=True):
            assert (whole[k] == single[0]).all()


def test_a_plot_at_the_sensor_or_the_zenith_stays_finite() -> None:
    values = np.array([[0.0, 0.0, 0.0], [1e-9, 10.0, 5.0], [5000.0, 0.0, 90.0]])
    z, r, log_jacobian = kernels.polar_to_enu(values, np.ones((3, 3)), np.zeros(3), np.eye(3))
    assert np.isfinite(z).all()
    assert np.isfinite(r).all()
    assert np.isfinite(log_jacobian).all()
