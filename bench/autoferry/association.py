"""Whose is it? Probabilities of pairs of tracks and plots, and the update with them.

Loopy belief propagation for the marginals: Williams and Lau, "Approximate evaluation of marginal
association probabilities with belief propagation", IEEE TAES 50 (2014). The update is that of
probabilistic data association (Bar-Shalom, Daum, Huang 2009).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bench.autoferry.loader import F64

ROUNDS = 20


@dataclass(frozen=True, slots=True, eq=False)
class Pair:
    """A track and a plot inside its gate: innovation (k,), its covariance (k, k), how likely."""

    innovation: F64
    covariance: F64
    share: float


def marginals(ratio: F64, existence: F64, detection: F64) -> tuple[F64, F64]:
    """Pair probabilities (n, m), given that the track exists, and new existence (n,).

    `ratio` (n, m): detection probability times likelihood over the density of false plots.
    """
    unseen = 1.0 - existence * detection
    missed, absent = existence * (1.0 - detection) / unseen, (1.0 - existence) / unseen
    weight = existence[:, None] * ratio / unseen[:, None]
    message = np.ones_like(weight)
    for _ in range(ROUNDS if len(existence) > 1 else 1):
        taken = weight * message
        back = weight / (1.0 + taken.sum(axis=1, keepdims=True) - taken)
        message = 1.0 / (1.0 + back.sum(axis=0, keepdims=True) - back)
    taken = weight * message
    there = missed + taken.sum(axis=1)
    return taken / there[:, None], there / (there + absent)


def soft_update(x: F64, p: F64, h: F64, pairs: Sequence[Pair]) -> tuple[F64, F64]:
    """State (n,) and covariance (n, n) after plots that may be this track's, or none of them."""
    ph = p @ h.T
    shift, shrink, spread = np.zeros_like(x), np.zeros_like(p), np.zeros_like(p)
    for pair in pairs:
        gain = ph @ np.linalg.inv(pair.covariance)
        step = gain @ pair.innovation
        shift += pair.share * step
        shrink += pair.share * (gain @ ph.T)
        spread += pair.share * np.outer(step, step)
    p = p - shrink + spread - np.outer(shift, shift)
    return x + shift, 0.5 * (p + p.T)
