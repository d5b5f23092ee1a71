"""Two estimates of one state whose correlation nobody knows."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skykeep.core.geo import F64
from skykeep.core.track.intersection import advance, difference, intersect, invert, misfits
from tests.reference import kalman
from tests.reference.intersection import best_weight, intersection

SECOND = 10**9
CALM = np.array([1.0, 0.09])


def spread_of(rng: np.random.Generator) -> F64:
    """A covariance with sigmas of metres to hundreds, everything correlated."""
    scale = np.exp(rng.uniform(0.0, 5.0, 6))
    mixed = rng.normal(size=(6, 6))
    p: F64 = scale[:, None] * (mixed @ mixed.T + 0.1 * np.eye(6)) * scale
    return p


@pytest.mark.parametrize("seed", range(20))
def test_it_is_what_trying_every_weight_gives(seed: int) -> None:
    rng = np.random.default_rng(seed)
    xa, xb = rng.normal(0.0, 1e3, (2, 6))
    pa, pb = spread_of(rng), spread_of(rng)
    x, p = xa.copy(), pa.copy()
    w = intersect(x, p, xb, pb)
    assert w == pytest.approx(best_weight(pa, pb, 20_001), abs=1e-4)
    wanted_x, wanted_p = intersection(xa, pa, xb, pb, w)
    sigmas = np.sqrt(np.diag(wanted_p))
    assert np.abs((x - wanted_x) / sigmas).max() < 1e-6
    assert np.abs((p - wanted_p) / np.outer(sigmas, sigmas)).max() < 1e-6


@pytest.mark.parametrize("seed", range(20))
def test_it_is_no_smaller_than_the_truth_whatever_the_correlation(seed: int) -> None:
    """P - E[error error^T] has no negative eigenvalue, for correlations up to complete ones."""
    rng = np.random.default_rng(seed)
    pa, pb = spread_of(rng), spread_of(rng)
    p = pa.copy()
    w = intersect(np.zeros(6), p, np.zeros(6), pb)
    a, b = p @ (w * np.linalg.inv(pa)), p @ ((1.0 - w) * np.linalg.inv(pb))
    turn = np.linalg.qr(rng.normal(size=(6, 6)))[0]
    for share in (-1.0, -0.5, 0.0, 0.5, 1.0):
        cross = share * np.linalg.cholesky(pa) @ turn @ np.linalg.cholesky(pb).T
        truth = a @ pa @ a.T + a @ cross @ b.T + b @ cross.T @ a.T + b @ pb @ b.T
        scale = np.sqrt(np.diag(p))
        assert np.linalg.eigvalsh((p - truth) / np.outer(scale, scale)).min() > -1e-6


@pytest.mark.parametrize("seed", range(20))
def test_two_of_one_covariance_gain_nothing_and_a_worse_one_changes_nothing(seed: int) -> None:
    rng = np.random.default_rng(seed)
    x, p = rng.normal(size=6), spread_of(rng)
    for factor in (1.0, 3.0):
        kept_x, kept_p = x.copy(), p.copy()
        assert intersect(kept_x, kept_p, x + 1.0, factor * p) == 1.0
        assert (kept_x == x).all()
        assert (kept_p == p).all()


@given(st.lists(st.floats(1e-13, 1e15), min_size=12, max_size=12), st.floats(-1e6, 1e6))
@settings(max_examples=200, deadline=None)
def test_absurd_covariances_give_no_nonsense(variances: list[float], off: float) -> None:
    x, p = np.zeros(6), np.diag(variances[:6])
    before = p.copy()
    w = intersect(x, p, np.full(6, off), np.diag(variances[6:]))
    assert np.isfinite(x).all()
    assert np.isfinite(p).all()
    assert 0.0 <= w <= 1.0
    assert (np.diag(p) > 0.0).all()
    assert np.trace(p[:3, :3]) <= np.trace(before[:3, :3]) * (1.0 + 1e-6)


@pytest.mark.parametrize("bad", [0.0, -1.0, np.nan, np.inf])
def test_what_is_no_covariance_is_left_aside(bad: float) -> None:
    good, odd = np.eye(6), np.eye(6)
    odd[2, 2] = bad
    assert not invert(odd, np.empty((6, 6)))
    x, p = np.zeros(6), good.copy()
    assert intersect(x, p, np.ones(6), odd) == 1.0
    assert (p == good).all()
    assert not x.any()
    if not np.isfinite(bad):
        assert difference(np.zeros(6), good, 0.0, np.zeros(6), odd, 0.0, CALM)[0] == np.inf


def test_the_distance_is_that_of_two_states_whose_correlation_is_unknown() -> None:
    rng = np.random.default_rng(5)
    x, other = rng.normal(0.0, 3.0, (2, 6))
    p, variances = spread_of(rng), np.exp(rng.uniform(0.0, 5.0, 6))
    moved_x, moved_p = kalman.predict(x, p, 3.0, 1.0, 0.09)
    moved_other, spread = kalman.predict(other, np.diag(variances), 1.0, 1.0, 0.09)
    s = 2.0 * (moved_p + spread)
    d = moved_x - moved_other
    wanted = float(d @ np.linalg.solve(s, d))
    times = np.array([0]), np.array([2 * SECOND])
    args = x[None], p[None], times[0], other[None], variances[None], times[1], 3 * SECOND, CALM
    off, weight = misfits(*args, 1e6)
    assert off[0, 0] == pytest.approx(wanted)
    assert weight[0, 0] == pytest.approx(wanted + np.linalg.slogdet(s)[1])
    off, weight = misfits(*args, 0.9 * wanted)
    assert off[0, 0] == weight[0, 0] == np.inf


def test_states_move_on_to_a_moment_and_never_back() -> None:
    x, p = np.ones((2, 6)), np.tile(np.eye(6), (2, 1, 1))
    times = np.array([SECOND, 9 * SECOND])
    advance(x, p, times, 3 * SECOND, CALM)
    assert times.tolist() == [3 * SECOND, 9 * SECOND]
    wanted_x, wanted_p = kalman.predict(np.ones(6), np.eye(6), 2.0, 1.0, 0.09)
    assert x[0] == pytest.approx(wanted_x)
    assert p[0] == pytest.approx(wanted_p)
    assert (x[1] == 1.0).all()
