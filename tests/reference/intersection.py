"""Covariance intersection as Julier and Uhlmann wrote it, with plain inverses."""

from __future__ import annotations

import numpy as np

from skykeep.core.geo import F64


def information(pa: F64, pb: F64, w: float) -> F64:
    return w * np.linalg.inv(pa) + (1.0 - w) * np.linalg.inv(pb)


def best_weight(pa: F64, pb: F64, weights: int) -> float:
    """Of so many weights from 0 to 1 the one with the least variance of place."""
    tried = np.linspace(0.0, 1.0, weights)
    sizes = [np.trace(np.linalg.inv(information(pa, pb, float(w)))[:3, :3]) for w in tried]
    return float(tried[int(np.argmin(sizes))])


def intersection(xa: F64, pa: F64, xb: F64, pb: F64, w: float) -> tuple[F64, F64]:
    """State (6,) and covariance (6, 6) at a weight of the first."""
    p = np.linalg.inv(information(pa, pb, w))
    return p @ (w * np.linalg.inv(pa) @ xa + (1.0 - w) * np.linalg.inv(pb) @ xb), p
