"""One scan through the tracker as a single compiled call: predict, associate, update.

Tracks live in parallel arrays in the order of their birth. Each is a mixture of motion models
(see motion) with a log-odds of existence; plots are shared by probability (see share) and a
track follows the mean of its own (probabilistic data association, Bar-Shalom, Willett and Tian
2011, 3.4).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from skykeep.core.geo import kernel
from skykeep.core.track.gate import CLASSIFIED, pairs_in_gate
from skykeep.core.track.kernels import covered, innovation, update
from skykeep.core.track.motion import combine, move_all
from skykeep.core.track.share import share

#: A plot that is a track's with less than this probability does not move it.
LEAST_SHARE = 1e-3


@kernel
def _weigh(
    n: int, score: Any, share_of: Any, start: Any, like: Any, fit: Any, pd: float
) -> tuple[Any, Any]:
    """Of each pair (k,) its weight, of each track (n,) that of no plot (see share)."""
    weight, none = np.empty(like.shape[0]), np.empty(n)
    for i in range(n):
        exists = 1.0 / (1.0 + math.exp(-score[i]))
        none[i] = 1.0 - exists * pd
        for e in range(start[i], start[i + 1]):
            each = 0.0
            for m in range(like.shape[1]):
                each += share_of[i, m] * like[e, m]
            weight[e] = each * exists * fit[e]
    return weight, none


@kernel
def _believe(
    n: int, score: Any, kinds: Any, share_of: Any, start: Any, plot: Any, like: Any, fit: Any,
    nu: Any, seen: Any, order: Any, plot_kinds: Any, pd: float, missed: Any, score_cap: float,
) -> Any:  # fmt: skip
    """What the plots say about each track's existence and kind; returns who was hit (n,).

    `missed` (n,): whether a miss would count. `like` (k, M) becomes each pair's weight for the
    state, against 1 - pd for no plot. The odds of existence grow by (1 - pd) + sum of the
    likelihood ratios, each by its message nu.
    """
    hit = np.zeros(n, np.bool_)
    miss = 1.0 - pd
    for i in range(n):
        first, last = start[i], start[i + 1]
        if first == last and not missed[i]:
            continue
        exists = taken = 0.0
        for e in range(first, last):
            each = 0.0
            for m in range(like.shape[1]):
                each += share_of[i, m] * like[e, m] * nu[e]
                like[e, m] *= nu[e] * fit[e]
            exists += each
            taken += each * fit[e]
        proves = (miss if missed[i] else 1.0) + exists
        score[i] = min(score_cap, score[i] + math.log(proves))
        hit[i] = taken > miss
        for e in range(first, last):
            if seen[plot[e], CLASSIFIED] == 0.0:
                continue
            each = 0.0
            for m in range(like.shape[1]):
                each += share_of[i, m] * like[e, m]
            for k in range(4):
                kinds[i, k] += each / (miss + taken) * plot_kinds[order[plot[e]], k]
    return hit


@kernel
def _follow(
    x: Any, p: Any, i: int, lag_s: float, first: int, last: int, model: int, plot: Any,
    like: Any, mine: Any, missed: float, seen: Any, ph: Any, x0: Any, p0: Any, x_sum: Any,
    p_sum: Any,
) -> float:  # fmt: skip
    """State i (a track in one model) to the mean over its plots, in place; how well all fit.

    `like` (k, M) is how well each pair fits, `missed` how well none does. All behind `seen` is
    room to work in.
    """
    whole, best, at = missed, 0.0, -1
    for e in range(first, last):
        if mine[e]:
            whole += like[e, model]
            if like[e, model] > best:
                best, at = like[e, model], e
    if at < 0:
        return missed
    fits, least = whole, LEAST_SHARE * whole
    if best >= whole - least:
        update(x, p, i, lag_s, innovation(x, p, i, lag_s, seen, plot[at]), ph)
        return fits
    whole = missed
    for e in range(first, last):
        if mine[e] and like[e, model] >= least:
            whole += like[e, model]
    for a in range(6):
        x0[a], x_sum[a] = x[i, a], 0.0
        for b in range(6):
            p0[a, b] = p[i, a, b]
            p_sum[a, b] = missed / whole * p0[a, b]
    for e in range(first, last):
        if not mine[e] or like[e, model] < least:
            continue
        part = like[e, model] / whole
        for a in range(6):
            x[i, a] = x0[a]
            for b in range(6):
                p[i, a, b] = p0[a, b]
        update(x, p, i, lag_s, innovation(x, p, i, lag_s, seen, plot[e]), ph)
        for a in range(6):
            off = x[i, a] - x0[a]
            x_sum[a] += part * off
            for b in range(6):
                p_sum[a, b] += part * (p[i, a, b] + off * (x[i, b] - x0[b]))
    for a in range(6):
        x[i, a] = x0[a] + x_sum[a]
        for b in range(6):
            p[i, a, b] = p_sum[a, b] - x_sum[a] * x_sum[b]
    return fits


@kernel
def _follow_all(
    n: int, x: Any, p: Any, x_of: Any, p_of: Any, share_of: Any, lag_s: Any, start: Any,
    plot: Any, like: Any, mine: Any, missed: float, seen: Any,
) -> None:  # fmt: skip
    """Every track, in all its models, to the mean over its plots."""
    ph, x0, p0, x_sum, p_sum = (
        np.empty((6, 3)), np.empty(6), np.empty((6, 6)), np.empty(6), np.empty((6, 6))
    )  # fmt: skip
    models = share_of.shape[1]
    flat_x, flat_p = x_of.reshape(-1, 6), p_of.reshape(-1, 6, 6)
    for i in range(n):
        first, last = start[i], start[i + 1]
        if first == last:
            continue
        total = 0.0
        for m in range(models):
            share_of[i, m] *= _follow(
                flat_x, flat_p, i * models + m, lag_s[i], first, last, m, plot, like, mine,
                missed, seen, ph, x0, p0, x_sum, p_sum,
            )  # fmt: skip
            total += share_of[i, m]
        for m in range(models):
            share_of[i, m] /= total
        if models > 1:
            combine(x_of[i], p_of[i], share_of[i], x[i], p[i])


@kernel
def scan(
    c: Any, n: int, at_ns: int, plots: Any, place: Any, axes: Any, limits: Any, pd: float,
    whole_turn: bool, gate2: float, q: Any, leave_s: Any, score_cap: float, log_prior: Any,
    log_new: float,
) -> tuple[Any, Any, Any]:  # fmt: skip
    """Predict the first n tracks of `c` to `at_ns`, associate and update.

    `log_new` is how many new targets there are for each false plot. A miss counts only for
    tracks in the sensor's coverage, and only where the plots are a whole turn. Returns for
    each plot the likeliest track (-1 for none) and the probability that it is no known
    track's, and the finite plots in an order that does not depend on how they came.
    """
    x, p, x_of, p_of, share_of = c.x, c.p, c.x_of, c.p_of, c.share_of
    hits, misses, last_ns = c.hits, c.misses, c.last_ns
    lag_s = move_all(n, x, p, x_of, p_of, share_of, c.time_ns, at_ns, q, leave_s)
    log_null = plots.log_clutter + math.log(1.0 + math.exp(log_new))
    start, plot, like, fit, seen, order = pairs_in_gate(
        n, x, x_of, p_of, share_of, lag_s, plots.z, plots.r, log_null, c.kinds, plots.kinds,
        log_prior, math.log(pd), gate2,
    )  # fmt: skip
    weight, none = _weigh(n, c.score, share_of, start, like, fit, pd)
    nu, nobodys, owner, mine = share(start, plot, weight, none, order.shape[0])
    missed = np.zeros(n, np.bool_)
    if whole_turn:
        for i in range(n):
            missed[i] = covered(x[i], place, axes, limits)
    hit = _believe(
        n, c.score, c.kinds, share_of, start, plot, like, fit, nu, seen, order, plots.kinds, pd,
        missed, score_cap,
    )  # fmt: skip
    _follow_all(n, x, p, x_of, p_of, share_of, lag_s, start, plot, like, mine, 1.0 - pd, seen)
    for i in range(n):
        if hit[i]:
            hits[i] += 1
            last_ns[i] = max(last_ns[i], at_ns)
            if whole_turn:
                misses[i] = 0
        elif missed[i]:
            misses[i] += 1
    owner_of, nobodys_of = np.full(plots.z.shape[0], -1, np.int64), np.ones(plots.z.shape[0])
    for k in range(order.shape[0]):
        owner_of[order[k]], nobodys_of[order[k]] = owner[k], nobodys[k]
    return owner_of, nobodys_of, order
