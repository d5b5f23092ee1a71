"""Tracks move: constant velocity in one model, or calm and manoeuvring in two that interact.

Interacting multiple models: Bar-Shalom, Li and Kirubarajan 2001, 11.6.6.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from skykeep.core.geo import kernel
from skykeep.core.track.kernels import predict


@kernel
def mix_models(x_of: Any, p_of: Any, share_of: Any, dt_s: float, leave_s: Any) -> None:
    """The mixing step of one track's two models, in place: x_of (2, 6), p_of (2, 6, 6).

    `leave_s` (2,) is the mean time for which each model holds before the other does.
    """
    stay = np.empty((2, 2))
    for m in range(2):
        leaves = 0.5 * (1.0 - math.exp(-2.0 * dt_s / leave_s[m]))
        stay[m, 1 - m], stay[m, m] = leaves, 1.0 - leaves
    x, p = np.zeros((2, 6)), np.zeros((2, 6, 6))
    after = np.zeros(2)
    for to in range(2):
        after[to] = share_of[0] * stay[0, to] + share_of[1] * stay[1, to]
        for m in range(2):
            part = share_of[m] * stay[m, to] / after[to]
            for a in range(6):
                x[to, a] += part * x_of[m, a]
        for m in range(2):
            part = share_of[m] * stay[m, to] / after[to]
            for a in range(6):
                for b in range(6):
                    off = (x_of[m, a] - x[to, a]) * (x_of[m, b] - x[to, b])
                    p[to, a, b] += part * (p_of[m, a, b] + off)
    for m in range(2):
        share_of[m] = after[m]
        for a in range(6):
            x_of[m, a] = x[m, a]
            for b in range(6):
                p_of[m, a, b] = p[m, a, b]


@kernel
def combine(x_of: Any, p_of: Any, share_of: Any, x: Any, p: Any) -> None:
    """Mean (6,) and covariance (6, 6) over the models of one track."""
    models = share_of.shape[0]
    if models == 1:  # the same memory
        return
    for a in range(6):
        x[a] = 0.0
        for m in range(models):
            x[a] += share_of[m] * x_of[m, a]
        for b in range(6):
            p[a, b] = 0.0
    for m in range(models):
        for a in range(6):
            for b in range(6):
                off = (x_of[m, a] - x[a]) * (x_of[m, b] - x[b])
                p[a, b] += share_of[m] * (p_of[m, a, b] + off)


@kernel
def move_on(
    x_of: Any, p_of: Any, share_of: Any, x: Any, p: Any, dt_s: float, q: Any, leave_s: Any
) -> None:
    """One track, all its models, on by `dt_s` > 0; q (M, 2) horizontal, vertical, m^2/s^3."""
    if share_of.shape[0] > 1:
        mix_models(x_of, p_of, share_of, dt_s, leave_s)
    for m in range(share_of.shape[0]):
        predict(x_of[m], p_of[m], dt_s, q[m, 0], q[m, 1])
    combine(x_of, p_of, share_of, x, p)


@kernel
def move_all(
    n: int, x: Any, p: Any, x_of: Any, p_of: Any, share_of: Any, time_ns: Any, at_ns: int,
    q: Any, leave_s: Any,
) -> Any:  # fmt: skip
    """The first n tracks on to `at_ns`; returns how far (s, <= 0) it lies behind each (n,)."""
    lag_s = np.zeros(n)
    for i in range(n):
        dt_s = (at_ns - time_ns[i]) * 1e-9
        if dt_s > 0.0:
            if share_of.shape[1] == 1:
                predict(x[i], p[i], dt_s, q[0, 0], q[0, 1])
            else:
                move_on(x_of[i], p_of[i], share_of[i], x[i], p[i], dt_s, q, leave_s)
            time_ns[i] = at_ns
        else:
            lag_s[i] = dt_s
    return lag_s
