"""Motion models that interact against the textbook's matrices."""

from __future__ import annotations

import numpy as np
import pytest

from skykeep.core.track.motion import mix_models


@pytest.mark.parametrize("seed", range(10))
def test_mixing_is_the_textbooks(seed: int) -> None:
    rng = np.random.default_rng(seed)
    x, root = rng.normal(size=(2, 6)), rng.normal(size=(2, 6, 6))
    p = root @ root.transpose(0, 2, 1) + np.eye(6)
    share, leave_s, dt_s = rng.dirichlet([1.0, 1.0]), np.array([20.0, 4.0]), 1.5
    leaves = 0.5 * (1.0 - np.exp(-2.0 * dt_s / leave_s))
    stay = np.array([[1.0 - leaves[0], leaves[0]], [leaves[1], 1.0 - leaves[1]]])
    after = share @ stay
    part = share[:, None] * stay / after
    mean = part.T @ x
    off = x[:, None] - mean[None]
    spread = p[:, None] + off[..., :, None] * off[..., None, :]
    wanted = np.einsum("ij,ijab->jab", part, spread)
    mix_models(x, p, share, dt_s, leave_s)
    np.testing.assert_allclose(share, after)
    assert share.sum() == pytest.approx(1.0)
    np.testing.assert_allclose(x, mean, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(p, wanted, rtol=1e-9, atol=1e-12)
    assert (np.linalg.eigvalsh(p) > 0.0).all()
