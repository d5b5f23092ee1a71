"""How tracks share plots: the probability that a plot is each track's, or nobody's.

Joint association with existence (JIPDA; Musicki and Evans 2004), its marginals by belief
propagation (Williams and Lau 2014). Where tracks compete, a track's *state* follows the plot
that the optimal assignment gives it, and leaves the others' alone: averaging over exchanges of
identity would draw close tracks into one (coalescence; JPDA*, Blom and Bloem 2000).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from skykeep.core.geo import kernel
from skykeep.core.track.assign import assign_component, root_of

#: Messages that change by less than this share have converged; and when to stop asking.
CONVERGED = 1e-6
MOST_ROUNDS = 200
#: A track whose best plot has this share of its probability, uncontested, needs no assignment.
CLEAR = 0.95


@kernel
def _components(start: Any, plot: Any, plot_count: int) -> tuple[Any, Any]:
    """Tracks that compete for plots, directly or through others: root (n,), and how many (n,)."""
    n = start.shape[0] - 1
    parent = np.arange(n)
    first = np.full(plot_count, -1, np.int64)
    for i in range(n):
        for e in range(start[i], start[i + 1]):
            j = plot[e]
            if first[j] < 0:
                first[j] = i
                continue
            a, b = root_of(parent, i), root_of(parent, first[j])
            if a != b:
                parent[max(a, b)] = min(a, b)
    size = np.zeros(n, np.int64)
    for i in range(n):
        parent[i] = root_of(parent, i)
        size[parent[i]] += 1
    return parent, size


@kernel
def _propagate(
    members: Any, start: Any, plot: Any, weight: Any, none: Any, nu: Any, mu: Any, total: Any
) -> None:
    """Messages between the tracks of one component and its plots until they stand still.

    weight (k,) of each pair and none (n,) of no plot at all; nu (k,) is from plot to track, mu
    (k,) back; total (m,) ends as the sum of mu at each plot.
    """
    for _ in range(MOST_ROUNDS):
        for i in members:
            whole = none[i]
            for e in range(start[i], start[i + 1]):
                whole += weight[e] * nu[e]
                total[plot[e]] = 0.0
            for e in range(start[i], start[i + 1]):
                mu[e] = weight[e] / max(whole - weight[e] * nu[e], none[i])
        for i in members:
            for e in range(start[i], start[i + 1]):
                total[plot[e]] += mu[e]
        moved = 0.0
        for i in members:
            for e in range(start[i], start[i + 1]):
                after = 1.0 / (1.0 + max(total[plot[e]] - mu[e], 0.0))
                moved = max(moved, abs(after - nu[e]) / after)
                nu[e] = after
        if moved < CONVERGED:
            return


@kernel
def _is_clear(
    members: Any, start: Any, plot: Any, weight: Any, none: Any, nu: Any, taken: Any
) -> bool:
    """Whether each track has one plot, or none, that is surely its own; leaves `taken` clean."""
    clear = True
    for i in members:
        whole, best, at = none[i], none[i], -1
        for e in range(start[i], start[i + 1]):
            whole += weight[e] * nu[e]
            if weight[e] * nu[e] > best:
                best, at = weight[e] * nu[e], e
        if best < CLEAR * whole:
            clear = False
        if at >= 0:
            if taken[plot[at]]:
                clear = False
            taken[plot[at]] = True
    for i in members:
        for e in range(start[i], start[i + 1]):
            taken[plot[e]] = False
    return clear


@kernel
def share(
    start: Any, plot: Any, weight: Any, none: Any, plot_count: int
) -> tuple[Any, Any, Any, Any]:
    """Marginal association over all pairs (k,), grouped by track.

    weight (k,): existence times likelihood ratio; none (n,): 1 - existence * Pd. Returns
    nu (k,), by which a pair's weight counts for its track; nobodys (m,), the probability that
    a plot is no known track's; owner (m,), the likeliest track or -1; and mine (k,), whether
    a track's state may follow the pair.
    """
    n, k = start.shape[0] - 1, plot.shape[0]
    nu, mu, mine = np.ones(k), np.empty(k), np.ones(k, np.bool_)
    total, best = np.zeros(plot_count), np.zeros(plot_count)
    owner = np.full(plot_count, -1, np.int64)
    taken = np.zeros(plot_count, np.bool_)
    root, size = _components(start, plot, plot_count)
    crowded = np.empty(n, np.int64)
    many = 0
    for i in range(n):
        if size[root[i]] > 1:
            crowded[many] = i
            many += 1
            continue
        whole = none[i]
        for e in range(start[i], start[i + 1]):
            whole += weight[e]
        for e in range(start[i], start[i + 1]):
            mu[e] = weight[e] / max(whole - weight[e], none[i])
            total[plot[e]] = mu[e]
    crowded = crowded[:many]
    crowded = crowded[np.argsort(root[crowded], kind="mergesort")]
    at = 0
    while at < many:
        end = at + size[root[crowded[at]]]
        members = crowded[at:end]
        at = end
        _propagate(members, start, plot, weight, none, nu, mu, total)
        if not _is_clear(members, start, plot, weight, none, nu, taken):
            assign_component(members, start, plot, weight, none, mine)
    for i in range(n):
        for e in range(start[i], start[i + 1]):
            j = plot[e]
            if total[j] > 1.0 and mu[e] > best[j]:
                best[j], owner[j] = mu[e], i
    return nu, 1.0 / (1.0 + total), owner, mine
