"""One scan through the tracker as a single compiled call: predict, associate, update, start.

Tracks live in parallel arrays in the order of their birth. Confirmed tracks take their
plots first, tentative ones share what is left, and what nobody takes starts new ones.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from skykeep.core.geo import kernel
from skykeep.core.track.assign import assign
from skykeep.core.track.kernels import LOG_2PI, covered, innovation, pairs_in_gate, predict, update

TENTATIVE, CONFIRMED = 0, 1


@kernel
def _apply_hits(
    x: Any,
    p: Any,
    lag_s: Any,
    score: Any,
    hits: Any,
    last_ns: Any,
    kinds: Any,
    hit: Any,
    plot_of: Any,
    z: Any,
    r: Any,
    plot_kinds: Any,
    log_clutter: Any,
    log_pd: float,
    score_cap: float,
    at_ns: int,
) -> None:
    nu, s, s_inverse = np.empty(3), np.empty((3, 3)), np.empty((3, 3))
    for i in range(x.shape[0]):
        j = plot_of[i]
        if j < 0:
            continue
        d2, log_det = innovation(x[i], p[i], lag_s[i], z[j], r[j], nu, s, s_inverse)
        update(x[i], p[i], lag_s[i], nu, s, s_inverse)
        gained = log_pd - 0.5 * (d2 + log_det + 3.0 * LOG_2PI) - log_clutter[j]
        score[i] = min(score_cap, score[i] + gained)
        hits[i] += 1
        last_ns[i] = max(last_ns[i], at_ns)
        hit[i] = True
        for k in range(4):
            kinds[i, k] += plot_kinds[j, k]


@kernel
def scan(
    x: Any,
    p: Any,
    time_ns: Any,
    status: Any,
    score: Any,
    hits: Any,
    misses: Any,
    last_ns: Any,
    kinds: Any,
    at_ns: int,
    z: Any,
    r: Any,
    plot_kinds: Any,
    log_clutter: Any,
    place: Any,
    axes: Any,
    limits: Any,
    pd: float,
    whole_turn: bool,
    gate2: float,
    q_horizontal: float,
    q_vertical: float,
    score_cap: float,
    log_prior: Any,
) -> Any:
    """Predict all tracks to `at_ns`, associate and update; returns track index of each plot.

    Arrays over n tracks: x (n, 6), p (n, 6, 6), time_ns, status, score, hits, misses,
    last_ns, kinds (n, 4); over m plots: z (m, 3), r (m, 3, 3), plot_kinds (m, 4) log
    likelihoods, log_clutter (m,) log density per m^3. A miss counts only for tracks in the
    sensor's coverage, and only where the plots are a whole turn. -1 is a plot of no track.
    """
    n, m = x.shape[0], z.shape[0]
    lag_s = np.zeros(n)
    for i in range(n):
        dt = (at_ns - time_ns[i]) * 1e-9
        if dt > 0.0:
            predict(x[i], p[i], dt, q_horizontal, q_vertical)
            time_ns[i] = at_ns
        else:
            lag_s[i] = dt
    log_pd, log_miss = math.log(pd), math.log(1.0 - pd)
    hit = np.zeros(n, np.bool_)
    free = np.ones(m, np.bool_)
    owner = np.full(m, -1, np.int64)
    for wave in (CONFIRMED, TENTATIVE):
        chosen = status == wave
        tracks, plots, gains = pairs_in_gate(
            x, p, lag_s, chosen, z, r, free, log_clutter, kinds, plot_kinds, log_prior,
            log_pd, log_miss, gate2,
        )  # fmt: skip
        plot_of, track_of = assign(tracks, plots, gains, n, m)
        _apply_hits(
            x, p, lag_s, score, hits, last_ns, kinds, hit, plot_of,
            z, r, plot_kinds, log_clutter, log_pd, score_cap, at_ns,
        )  # fmt: skip
        for j in range(m):
            if track_of[j] >= 0:
                owner[j] = track_of[j]
                free[j] = False
    if whole_turn:
        for i in range(n):
            if hit[i]:
                misses[i] = 0
            elif covered(x[i], place, axes, limits):
                score[i] += log_miss
                misses[i] += 1
    return owner


@kernel
def start(
    x: Any,
    p: Any,
    time_ns: Any,
    first_ns: Any,
    last_ns: Any,
    status: Any,
    score: Any,
    hits: Any,
    misses: Any,
    kinds: Any,
    number: Any,
    count: int,
    limit: int,
    next_number: int,
    at_ns: int,
    owner: Any,
    z: Any,
    r: Any,
    plot_kinds: Any,
    variances: Any,
    score_of_new: float,
) -> tuple[Any, int]:
    """A new tentative track for each plot without an owner, behind the `count` that there are.

    `variances` (2,) of horizontal and vertical speed. Returns the number of the track that
    has each plot (0: shed, for want of room or of finite values) and the new count.
    """
    m = owner.shape[0]
    numbers = np.zeros(m, np.int64)
    for j in range(m):
        if owner[j] >= 0:
            numbers[j] = number[owner[j]]
            continue
        finite = True
        for a in range(3):
            finite = finite and math.isfinite(z[j, a])
            for b in range(3):
                finite = finite and math.isfinite(r[j, a, b])
        if count >= limit or not finite:
            continue
        i = count
        for a in range(6):
            x[i, a] = z[j, a] if a < 3 else 0.0
            for b in range(6):
                p[i, a, b] = r[j, a, b] if a < 3 and b < 3 else 0.0
        p[i, 3, 3] = p[i, 4, 4] = variances[0]
        p[i, 5, 5] = variances[1]
        time_ns[i] = first_ns[i] = last_ns[i] = at_ns
        status[i], score[i], hits[i], misses[i] = TENTATIVE, score_of_new, 1, 0
        for k in range(4):
            kinds[i, k] = plot_kinds[j, k]
        number[i] = numbers[j] = next_number
        next_number += 1
        count += 1
    return numbers, count


@kernel
def settle(
    status: Any,
    score: Any,
    hits: Any,
    kinds: Any,
    kind_cap: float,
    confirm_score: float,
    confirm_hits: int,
    drop_confirmed: float,
    drop_tentative: float,
) -> Any:
    """Confirm by score and hits, hold the kinds' evidence in bounds; which tracks stay (n,)."""
    n = status.shape[0]
    kept = np.empty(n, np.bool_)
    for i in range(n):
        top = max(kinds[i, 0], kinds[i, 1], kinds[i, 2], kinds[i, 3])
        for k in range(4):
            kinds[i, k] = max(kinds[i, k] - top, -kind_cap)
        if score[i] >= confirm_score and hits[i] >= confirm_hits:
            status[i] = CONFIRMED
        kept[i] = score[i] >= (drop_confirmed if status[i] == CONFIRMED else drop_tentative)
    return kept


@kernel
def close_ranks(
    kept: Any,
    x: Any,
    p: Any,
    time_ns: Any,
    first_ns: Any,
    last_ns: Any,
    status: Any,
    score: Any,
    hits: Any,
    misses: Any,
    kinds: Any,
    number: Any,
) -> int:
    """Move the kept tracks together, in their order; returns how many they are."""
    left = 0
    for i in range(kept.shape[0]):
        if not kept[i]:
            continue
        if left != i:
            x[left], p[left], kinds[left] = x[i], p[i], kinds[i]
            time_ns[left], first_ns[left], last_ns[left] = time_ns[i], first_ns[i], last_ns[i]
            status[left], score[left], hits[left] = status[i], score[i], hits[i]
            misses[left], number[left] = misses[i], number[i]
        left += 1
    return left
