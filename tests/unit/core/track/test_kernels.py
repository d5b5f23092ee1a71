"""The kernels against full matrices, differences and the literal earth."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skykeep.core.geo import Frame, axes_between
from skykeep.core.observation import TargetKind
from skykeep.core.track import gate, kernels
from skykeep.core.track.tracker import KIND_PRIOR
from tests.reference import earth, kalman

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


def rows_of(z: list[F64], r: list[F64]) -> F64:
    """Plots as the gate lays them out."""
    rows = np.zeros((len(z), gate.PLOT_WIDTH))
    for k in range(len(z)):
        rows[k, :3], rows[k, 3:9] = z[k], r[k][np.triu_indices(3)]
    return rows


@given(_seeds, st.one_of(st.just(0.0), _lags))
@settings(max_examples=100, deadline=None)
def test_innovation_and_update_are_the_textbooks(seed: int, lag_s: float) -> None:
    rng = np.random.default_rng(seed)
    x, p = random_state(rng)
    r = random_covariance(rng, [10.0, 80.0, 90.0])
    h = kalman.position_model(lag_s)
    z = h @ x + rng.uniform(-150.0, 150.0, 3)
    slow_nu, slow_s, slow_d2, slow_log_det = kalman.innovation(x, p, h, z, r)
    xs, ps = np.array([x - 1.0, x]), np.array([2.0 * p, p])
    fit = kernels.innovation(xs, ps, 1, lag_s, rows_of([z + 9.0, z], [r, r]), 1)
    assert fit[:2] == pytest.approx((slow_d2, slow_log_det), rel=1e-9)
    assert fit[2:5] == pytest.approx(slow_nu, abs=1e-9)
    inverse = np.linalg.inv(slow_s)[np.triu_indices(3)]
    assert fit[5:] == pytest.approx(inverse, rel=1e-8, abs=1e-12)
    slow_x, slow_p = kalman.update(x, p, h, z, r)
    kernels.update(xs, ps, 1, lag_s, fit, np.empty((6, 3)))
    assert (xs[0] == x - 1.0).all()
    assert (ps[0] == 2.0 * p).all()
    x, p = xs[1], ps[1]
    assert x == pytest.approx(slow_x, rel=1e-10, abs=1e-7)
    assert p == pytest.approx(slow_p, rel=1e-8, abs=1e-6)
    assert (p == p.T).all()


def _innovation_of(p3: F64, r: F64, z: tuple[float, ...] = (0.0, 0.0, 0.0)) -> tuple[float, float]:
    x, p = np.zeros((1, 6)), np.zeros((1, 6, 6))
    p[0, :3, :3] = p3
    found: tuple[float, ...] = kernels.innovation(x, p, 0, 0.0, rows_of([np.array(z)], [r]), 0)
    return found[0], found[1]


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
    _, _, slow_nu, slow_s = kalman.bearing_update(x, p, lag_s, east, north, azimuth, 0.06)
    nu, s, distance = kernels.bearing_distance(x, p, lag_s, east, north, azimuth, 0.06)
    assert (nu, s) == pytest.approx((slow_nu, slow_s), rel=1e-6, abs=1e-10)
    assert distance == pytest.approx(math.hypot(away[0] - east, away[1] - north))


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
