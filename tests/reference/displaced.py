"""The likelihood ratio of a displaced claim, written out: whole covariances, every age tried.

The window's displacements are stacked (2n,); the track's errors follow the Markov model by its
definition, so that their covariance is built from it and not derived.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.stats import norm

from skykeep.core.displacement import AGE_MOST_S, STAMP_SIGMA_S, Comparison

F64 = NDArray[np.float64]


def errors(window: Sequence[Comparison]) -> F64:
    """Covariance (2n, 2n) of e_k = rho_k e_(k-1) + w_k with cov e_k = P_k at w alone."""
    n = len(window)
    step, fresh = np.zeros((2 * n, 2 * n)), np.zeros((2 * n, 2 * n))
    for k, c in enumerate(window):
        rho = 0.0
        if k:
            before = window[k - 1]
            memory_s = (before.memory_s + c.memory_s) / 2
            rho = math.exp(-(c.at_ns - before.at_ns) / 1e9 / memory_s)
            step[2 * k : 2 * k + 2, 2 * k - 2 : 2 * k] = rho * np.eye(2)
        p = np.array([[c.var_ee, c.var_en], [c.var_en, c.var_nn]])
        fresh[2 * k : 2 * k + 2, 2 * k : 2 * k + 2] = (1 - rho * rho) * p
    through = np.linalg.inv(np.eye(2 * n) - step)
    return np.asarray(through @ fresh @ through.T)


def bias(window: Sequence[Comparison]) -> F64:
    """Covariance (2, 2) of what is the same throughout an honest window."""
    velocity = np.array([[c.v_east, c.v_north] for c in window])
    stamp = STAMP_SIGMA_S * velocity.mean(axis=0)
    elapsed_s = (window[-1].at_ns - window[0].at_ns) / 1e9
    lag = np.zeros(2)
    if elapsed_s > 0:
        memory_s = min(elapsed_s, float(np.mean([c.memory_s for c in window])))
        lag = 2 * memory_s**2 * (velocity[-1] - velocity[0]) / elapsed_s
    declared = float(np.mean([c.claim_var for c in window]))
    return declared * np.eye(2) + np.outer(stamp, stamp) + np.outer(lag, lag)


def least(function: object) -> tuple[float, float]:
    """The least of a function of the age, and that age: every 50 ms, then closer."""
    ages = np.linspace(0.0, AGE_MOST_S, 21)
    values = [function(a) for a in ages]  # type: ignore[operator]
    k = int(np.argmin(values))
    low, high = ages[max(k - 1, 0)], ages[min(k + 1, 20)]
    found = minimize_scalar(function, bounds=(low, high), method="bounded", options={"xatol": 1e-9})
    best = min((values[k], ages[k]), (float(found.fun), float(found.x)))
    return float(best[0]), float(best[1])


def surprise(window: Sequence[Comparison]) -> float:
    """-ln of the probability of the least likely of the three statistics."""
    n = len(window)
    d = np.array([[c.east_m, c.north_m] for c in window])
    v = np.array([[c.v_east, c.v_north] for c in window])
    r, b = errors(window), bias(window)
    same = np.tile(np.eye(2), (n, 1))  # (2n, 2): a bias moves each comparison alike

    def honest(age_s: float) -> float:
        residual = (d + age_s * v).ravel()
        return float(residual @ np.linalg.solve(r + same @ b @ same.T, residual))

    def free(age_s: float) -> float:
        residual = (d + age_s * v).ravel()
        weight = np.linalg.inv(r)
        estimate = np.linalg.solve(same.T @ weight @ same, same.T @ weight @ residual)
        rest = residual - same @ estimate
        return float(rest @ weight @ rest)

    honest_least, age_s = least(honest)
    # Chi-square with two degrees of freedom is beyond t with the probability exp(-t / 2).
    found = [max(0.0, honest_least - least(free)[0]) / 2]
    nis = []
    for c, offset, speed in zip(window, d, v, strict=True):
        s = np.array([[c.var_ee, c.var_en], [c.var_en, c.var_nn]]) + b
        residual = offset + age_s * speed
        nis.append(float(residual @ np.linalg.solve(s, residual)))
    found.append(float(np.mean(nis)) / 2)
    if all(c.up_counts for c in window):
        climb = AGE_MOST_S * max(abs(c.v_up) for c in window)
        variance = np.mean([c.var_up + c.claim_var_up for c in window]) + climb**2
        z = abs(np.mean([c.up_m for c in window])) / math.sqrt(variance)
        found.append(-float(norm.logsf(z)) - math.log(2.0))
    return max(found)
