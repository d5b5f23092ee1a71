"""Shared plots against every joint event there is."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from skykeep.core.track.share import share


def exact(weight: np.ndarray, none: np.ndarray) -> np.ndarray:
    """Marginals (n, m + 1) over all joint events; the last column is no plot."""
    n, m = weight.shape
    found = np.zeros((n, m + 1))
    for event in itertools.product(range(m + 1), repeat=n):
        used = [j for j in event if j < m]
        if len(used) == len(set(used)):
            part = np.prod([weight[i, j] if j < m else none[i] for i, j in enumerate(event)])
            for i, j in enumerate(event):
                found[i, j] += part
    return found / found.sum(axis=1, keepdims=True)


def shared(
    weight: np.ndarray, none: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Marginals as `exact`, who is nobody's, owners and pairs that may be followed."""
    n, m = weight.shape
    rows, plot = np.nonzero(weight)
    start = np.searchsorted(rows, np.arange(n + 1))
    nu, nobodys, owner, mine = share(start, plot, weight[rows, plot], none, m)
    found = np.zeros((n, m + 1))
    found[rows, plot] = weight[rows, plot] * nu
    found[:, m] = none
    return found / found.sum(axis=1, keepdims=True), nobodys, owner, mine


@pytest.mark.parametrize("seed", range(30))
def test_a_chain_is_exact(seed: int) -> None:
    rng = np.random.default_rng(seed)
    weight = np.zeros((4, 5))
    for i in range(4):
        weight[i, i : i + 2] = 10.0 ** rng.uniform(-3.0, 3.0, 2)
    none = rng.uniform(0.05, 1.0, 4)
    found, nobodys, _, _ = shared(weight, none)
    wanted = exact(weight, none)
    np.testing.assert_allclose(found, wanted, atol=1e-5)
    np.testing.assert_allclose(nobodys, 1.0 - wanted[:, :5].sum(axis=0), atol=1e-5)


@pytest.mark.parametrize("seed", range(20))
def test_extreme_weights_stay_probabilities(seed: int) -> None:
    rng = np.random.default_rng(seed)
    weight = 10.0 ** rng.uniform(-12.0, 9.0, (6, 6)) * (rng.random((6, 6)) < 0.7)
    found, nobodys, owner, mine = shared(weight, rng.uniform(0.001, 1.0, 6))
    assert np.isfinite(found).all()
    assert ((nobodys >= 0.0) & (nobodys <= 1.0)).all()
    assert ((owner < 0) == (nobodys >= 0.5)).all()
    assert len(mine) == np.count_nonzero(weight)
