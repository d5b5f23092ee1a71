"""Covariance intersection: two estimates of one state whose correlation nobody knows.

P^-1 = w Pa^-1 + (1 - w) Pb^-1,  P^-1 x = w Pa^-1 xa + (1 - w) Pb^-1 xb,  0 <= w <= 1:
P is no smaller than the error's true covariance if Pa and Pb are not, whatever their correlation
(Julier and Uhlmann 1997). w is the one that makes the variance of the place least, the trace of
P's upper left: what is judged is where something is, and no other system's word on its speed may
blur that. The trace is convex in w, so that the golden section finds its one least value.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from skykeep.core.geo import kernel
from skykeep.core.track.kernels import predict

#: A pivot below this share of its diagonal is rounding (1e-16 times six columns, with room).
LEAST_PIVOT_SHARE = 1e-13
GOLDEN = 0.5 * (math.sqrt(5.0) - 1.0)
#: The golden section to the power of this: w to 4e-9; the variance is flat there.
STEPS = 40
#: A smaller share of the variance is rounding: then one of the two alone is as good.
LEAST_GAIN = 1e-9
#: With errors of unknown correlation, Cov(a - b) <= Pa / w + Pb / (1 - w) for any w; at a half
#: this is twice the sum.
UNKNOWN_CORRELATION = 2.0


@kernel
def lower(p: Any, out: Any) -> bool:
    """Cholesky factor of a symmetric (6, 6) into `out`; False where it is not positive definite."""
    for r in range(6):
        for c in range(r + 1):
            total = p[r, c]
            for k in range(c):
                total -= out[r, k] * out[c, k]
            if r == c:
                least = LEAST_PIVOT_SHARE * p[r, r]
                if not (least > 0.0 and total > least and total < np.inf):
                    return False
                out[r, r] = math.sqrt(total)
            else:
                out[r, c] = total / out[c, c]
        for c in range(r + 1, 6):
            out[r, c] = 0.0
    return True


@kernel
def invert(p: Any, out: Any) -> bool:
    """Inverse of a symmetric positive definite (6, 6) into `out`; False where it is not one."""
    factor, part = np.empty((6, 6)), np.zeros((6, 6))
    if not lower(p, factor):
        return False
    for c in range(6):
        for r in range(c, 6):
            total = 1.0 if r == c else 0.0
            for k in range(c, r):
                total -= factor[r, k] * part[k, c]
            part[r, c] = total / factor[r, r]
    for r in range(6):
        for c in range(r + 1):
            total = 0.0
            for k in range(r, 6):
                total += part[k, r] * part[k, c]
            if not math.isfinite(total):
                return False
            out[r, c] = out[c, r] = total
    return True


@kernel
def place_variance(a: Any, b: Any, w: float, both: Any, p: Any) -> float:
    """Variance of place (m^2) with the information w a + (1 - w) b; fills both and p (6, 6).

    Infinite where there is none.
    """
    for r in range(6):
        for c in range(6):
            both[r, c] = w * a[r, c] + (1.0 - w) * b[r, c]
    if not invert(both, p):
        return np.inf
    return float(p[0, 0] + p[1, 1] + p[2, 2])


@kernel
def best_weight(a: Any, b: Any) -> float:
    """The weight of the first of two information matrices (6, 6) that places best.

    At an end of [0, 1] exactly that end: then one of the two is as good as both.
    """
    both, p = np.empty((6, 6)), np.empty((6, 6))
    low, high = 0.0, 1.0
    left, right = high - GOLDEN, low + GOLDEN
    at_left, at_right = place_variance(a, b, left, both, p), place_variance(a, b, right, both, p)
    for _ in range(STEPS):
        if at_left > at_right:
            low, left, at_left = left, right, at_right
            right = low + GOLDEN * (high - low)
            at_right = place_variance(a, b, right, both, p)
        else:
            high, right, at_right = right, left, at_left
            left = high - GOLDEN * (high - low)
            at_left = place_variance(a, b, left, both, p)
    w = 0.5 * (low + high)
    least = (1.0 + LEAST_GAIN) * place_variance(a, b, w, both, p)
    first, second = place_variance(a, b, 1.0, both, p), place_variance(a, b, 0.0, both, p)
    if first <= least and first <= (1.0 + LEAST_GAIN) * second:
        return 1.0
    return 0.0 if second <= least else w


@kernel
def intersect(xa: Any, pa: Any, xb: Any, pb: Any) -> float:
    """Covariance intersection of states (6,) with covariances (6, 6), into xa and pa.

    Returns the weight of the first; where either covariance is none, or the result is not
    finite, that is 1 and the first stays as it was.
    """
    a, b, p, x = np.empty((6, 6)), np.empty((6, 6)), np.empty((6, 6)), np.empty(6)
    if not (invert(pa, a) and invert(pb, b)):
        return 1.0
    w = best_weight(a, b)
    if w == 1.0 or not place_variance(a, b, w, np.empty((6, 6)), p) < np.inf:
        return 1.0
    # As a correction of the first: places far from the origin lose no digits.
    for r in range(6):
        x[r] = 0.0
        for c in range(6):
            x[r] += (1.0 - w) * b[r, c] * (xb[c] - xa[c])
    for r in range(6):
        for c in range(6):
            xa[r] += p[r, c] * x[c]
            pa[r, c] = p[r, c]
    return w


@kernel
def advance(x: Any, p: Any, time_ns: Any, now_ns: int, q: Any) -> None:
    """States (n, 6) and covariances (n, 6, 6) on to `now_ns`, in place; q (2,) in m^2/s^3."""
    for i in range(x.shape[0]):
        if time_ns[i] < now_ns:
            predict(x[i], p[i], (now_ns - time_ns[i]) * 1e-9, q[0], q[1])
            time_ns[i] = now_ns


@kernel
def join(
    x: Any, p: Any, time_ns: Any, rows: Any, theirs: Any, variances: Any, their_ns: Any,
    now_ns: int, q: Any,
) -> None:  # fmt: skip
    """Each upstream state (m, 6) with variances (m, 6) into the track in `rows` (m,), in place.

    Both are moved to the newest of their times and `now_ns` first, with process noise q (2,).
    """
    other, spread = np.empty(6), np.empty((6, 6))
    for i in range(rows.shape[0]):
        row = rows[i]
        at_ns = max(now_ns, time_ns[row], their_ns[i])
        for r in range(6):
            other[r] = theirs[i, r]
            for c in range(6):
                spread[r, c] = variances[i, r] if r == c else 0.0
        predict(other, spread, (at_ns - their_ns[i]) * 1e-9, q[0], q[1])
        predict(x[row], p[row], (at_ns - time_ns[row]) * 1e-9, q[0], q[1])
        time_ns[row] = at_ns
        intersect(x[row], p[row], other, spread)


@kernel
def difference(
    x: Any, p: Any, lag_s: float, theirs: Any, spread: Any, their_lag_s: float, q: Any
) -> tuple[float, float]:
    """How far two states are apart: squared Mahalanobis distance, and log det of its covariance.

    The covariance is the bound for an unknown correlation; each is moved on by its lag first.
    Infinite where there is no such distance.
    """
    xa, pa, xb, pb = x.copy(), p.copy(), theirs.copy(), spread.copy()
    predict(xa, pa, lag_s, q[0], q[1])
    predict(xb, pb, their_lag_s, q[0], q[1])
    s, factor = np.empty((6, 6)), np.empty((6, 6))
    for r in range(6):
        for c in range(6):
            s[r, c] = UNKNOWN_CORRELATION * (pa[r, c] + pb[r, c])
    if not lower(s, factor):
        return np.inf, np.inf
    d2, log = 0.0, 0.0
    part = np.empty(6)
    for r in range(6):
        part[r] = xa[r] - xb[r]
        for k in range(r):
            part[r] -= factor[r, k] * part[k]
        part[r] /= factor[r, r]
        d2 += part[r] * part[r]
        log += 2.0 * math.log(factor[r, r])
    return d2, log


@kernel
def misfits(
    x: Any, p: Any, time_ns: Any, theirs: Any, variances: Any, their_ns: Any, now_ns: int,
    q: Any, bound: float,
) -> tuple[Any, Any]:  # fmt: skip
    """Upstream states (m, 6) against tracks (n, 6), at the newest of their times and `now_ns`.

    Returns (m, n) squared distances, infinite beyond `bound`, and (m, n) those with the log
    determinant of their covariance: of two that fit, the lesser is the likelier.
    """
    m, n = theirs.shape[0], x.shape[0]
    off, weight = np.full((m, n), np.inf), np.full((m, n), np.inf)
    ours, ours_p, ours_ns = x.copy(), p.copy(), time_ns.copy()
    advance(ours, ours_p, ours_ns, now_ns, q)
    spread = np.zeros((m, 6, 6))
    for i in range(m):
        for r in range(6):
            spread[i, r, r] = variances[i, r]
    others, others_ns = theirs.copy(), their_ns.copy()
    advance(others, spread, others_ns, now_ns, q)
    for i in range(m):
        for j in range(n):
            at_ns = max(ours_ns[j], others_ns[i])
            if ours_ns[j] == others_ns[i]:  # most pairs are ruled out by their places alone
                apart = False
                for a in range(3):
                    d = ours[j, a] - others[i, a]
                    s = UNKNOWN_CORRELATION * (ours_p[j, a, a] + spread[i, a, a])
                    apart = apart or not d * d <= bound * s
                if apart:
                    continue
            d2, log = difference(
                ours[j], ours_p[j], (at_ns - ours_ns[j]) * 1e-9,
                others[i], spread[i], (at_ns - others_ns[i]) * 1e-9, q,
            )  # fmt: skip
            if d2 <= bound:
                off[i, j], weight[i, j] = d2, d2 + log
    return off, weight
