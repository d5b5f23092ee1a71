"""Tracks begin, are confirmed, and end."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from skykeep.core.geo import kernel
from skykeep.core.track.columns import CONFIRMED, TENTATIVE
from skykeep.core.track.scan import scan


@kernel
def start_tracks(
    c: Any, count: int, limit: int, next_number: int, at_ns: int, owner: Any, nobodys: Any,
    order: Any, plots: Any, variances: Any, log_new: float, models_share: Any, given: Any,
) -> tuple[Any, int, int]:  # fmt: skip
    """A new tentative track for each plot that is nobody's, behind the `count` that there are.

    `variances` (2,) of horizontal and vertical speed; models_share (M,) of a new track. given
    (m,) is the number that each plot's track had when these plots were taken before, 0 for
    none, and is filled. Returns the number of the track that has each plot (0: shed, for want
    of room or of finite values), the new count and the next number.
    """
    z, r, plot_kinds = plots.z, plots.r, plots.kinds
    x, p, x_of, p_of, share_of = c.x, c.p, c.x_of, c.p_of, c.share_of
    new = 1.0 / (1.0 + math.exp(-log_new))
    m = owner.shape[0]
    numbers = np.zeros(m, np.int64)
    for j in order:
        if owner[j] >= 0:
            numbers[j] = c.number[owner[j]]
            continue
        finite = True
        for a in range(3):
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
        for model in range(models_share.shape[0]):
            share_of[i, model] = models_share[model]
            for a in range(6):
                x_of[i, model, a] = x[i, a]
                for b in range(6):
                    p_of[i, model, a, b] = p[i, a, b]
        c.time_ns[i] = c.first_ns[i] = c.last_ns[i] = at_ns
        exists = new * nobodys[j]
        c.score[i] = math.log(exists / (1.0 - exists))
        c.hits[i], c.misses[i] = 1, 0
        for k in range(4):
            c.kinds[i, k] = plot_kinds[j, k]
        c.status[i] = TENTATIVE
        if given[j] == 0:
            given[j] = next_number
            next_number += 1
        c.number[i] = numbers[j] = given[j]
        count += 1
    return numbers, count, next_number


@kernel
def settle(
    n: int, score: Any, hits: Any, kinds: Any, status: Any, kind_cap: float, confirm_score: float,
    confirm_hits: int, drop_confirmed: float, drop_tentative: float,
) -> Any:  # fmt: skip
    """Confirm by score and hits, hold the kinds' evidence in bounds; which of n stay (n,)."""
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
def close_ranks(kept: Any, c: Any) -> int:
    """Move the kept tracks together, in their order; returns how many they are."""
    (
        x,
        p,
        x_of,
        p_of,
        share_of,
        time_ns,
        first_ns,
        last_ns,
        score,
        hits,
        misses,
        kinds,
        status,
        number,
    ) = c
    left = 0
    for i in range(kept.shape[0]):
        if not kept[i]:
            continue
        if left != i:
            for a in range(6):
                x[left, a] = x[i, a]
                for b in range(6):
                    p[left, a, b] = p[i, a, b]
            for m in range(share_of.shape[1]):
                share_of[left, m] = share_of[i, m]
                for a in range(6):
                    x_of[left, m, a] = x_of[i, m, a]
                    for b in range(6):
                        p_of[left, m, a, b] = p_of[i, m, a, b]
            for k in range(4):
                kinds[left, k] = kinds[i, k]
            time_ns[left], first_ns[left], last_ns[left] = time_ns[i], first_ns[i], last_ns[i]
            score[left], hits[left], misses[left] = score[i], hits[i], misses[i]
            status[left], number[left] = status[i], number[i]
        left += 1
    return left


@kernel
def step(
    c: Any, n: int, next_number: int, at_ns: int, plots: Any, place: Any, axes: Any, limits: Any,
    pd: float, whole_turn: bool, gate2: float, q: Any, leave_s: Any, score_cap: float,
    log_prior: Any, log_new: float, limit: int, variances: Any, models_share: Any, given: Any,
    kind_cap: float, confirm_score: float, confirm_hits: int, drop_confirmed: float,
    drop_tentative: float,
) -> tuple[Any, int, int]:  # fmt: skip
    """A scan and what follows from it: tracks begin, are confirmed, end; see `scan`.

    One call for all: to hand the columns over costs as much as ten tracks. `c` has room for a
    track more for each plot. Returns each plot's number (m,), the count and the next number.
    """
    owner, nobodys, order = scan(
        c, n, at_ns, plots, place, axes, limits, pd, whole_turn, gate2, q, leave_s, score_cap,
        log_prior, log_new,
    )  # fmt: skip
    numbers, count, next_number = start_tracks(
        c, n, limit, next_number, at_ns, owner, nobodys, order, plots, variances, log_new,
        models_share, given,
    )  # fmt: skip
    kept = settle(
        count, c.score, c.hits, c.kinds, c.status, kind_cap, confirm_score, confirm_hits,
        drop_confirmed, drop_tentative,
    )  # fmt: skip
    return numbers, close_ranks(kept, c), next_number


@kernel
def shown(c: Any, n: int, least_score: float) -> tuple[Any, ...]:
    """Copies of the confirmed tracks among the first n whose score is at least so much.

    number, x (k, 6), p (k, 6, 6), time_ns, first_ns, last_ns, kinds (k, 4).
    """
    x, p, kinds = c.x, c.p, c.kinds
    at = np.empty(n, np.int64)
    k = 0
    for i in range(n):
        if c.status[i] == CONFIRMED and c.score[i] >= least_score:
            at[k] = i
            k += 1
    number, time_ns = np.empty(k, np.int64), np.empty(k, np.int64)
    first_ns, last_ns = np.empty(k, np.int64), np.empty(k, np.int64)
    x_shown, p_shown, kinds_shown = np.empty((k, 6)), np.empty((k, 6, 6)), np.empty((k, 4))
    for j in range(k):
        i = at[j]
        number[j], time_ns[j] = c.number[i], c.time_ns[i]
        first_ns[j], last_ns[j] = c.first_ns[i], c.last_ns[i]
        for a in range(6):
            x_shown[j, a] = x[i, a]
            for b in range(6):
                p_shown[j, a, b] = p[i, a, b]
        for a in range(4):
            kinds_shown[j, a] = kinds[i, a]
    return number, x_shown, p_shown, time_ns, first_ns, last_ns, kinds_shown
