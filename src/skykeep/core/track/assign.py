"""Optimal assignment of plots to tracks, component by component.

Gains are log-likelihood ratios; a pair below zero is worse than a miss and a false plot.
Source of the method: shortest augmenting paths with potentials (Jonker and Volgenant 1987).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from skykeep.core.geo import kernel

#: Above this many tracks or plots in one component the best pairs are taken greedily: an
#: optimal answer costs the cube (400^3 steps are about 0.1 s), and a flood must not stall.
OPTIMAL_LIMIT = 400


@kernel
def _root(parent: Any, i: int) -> int:
    while parent[i] != i:
        parent[i] = parent[parent[i]]
        i = parent[i]
    return i


@kernel
def _hungarian(cost: Any, rows: int, cols: int) -> Any:
    """Minimum-cost assignment of every row to a column of its own; rows <= cols."""
    u = np.zeros(rows + 1)
    v = np.zeros(cols + 1)
    owner = np.zeros(cols + 1, np.int64)  # 1-based row in each column, 0 for none
    way = np.zeros(cols + 1, np.int64)
    for row in range(1, rows + 1):
        owner[0] = row
        column = 0
        least = np.full(cols + 1, np.inf)
        used = np.zeros(cols + 1, np.bool_)
        while owner[column] != 0:
            used[column] = True
            r = owner[column]
            delta, following = np.inf, 0
            for j in range(1, cols + 1):
                if used[j]:
                    continue
                reduced = cost[r - 1, j - 1] - u[r] - v[j]
                if reduced < least[j]:
                    least[j] = reduced
                    way[j] = column
                if least[j] < delta:
                    delta, following = least[j], j
            for j in range(cols + 1):
                if used[j]:
                    u[owner[j]] += delta
                    v[j] -= delta
                else:
                    least[j] -= delta
            column = following
        while column != 0:
            owner[column] = owner[way[column]]
            column = way[column]
    column_of = np.full(rows, -1, np.int64)
    for j in range(1, cols + 1):
        if owner[j] != 0:
            column_of[owner[j] - 1] = j - 1
    return column_of


@kernel
def _greedy(track: Any, plot: Any, gain: Any, members: Any, plot_of: Any, track_of: Any) -> None:
    order = np.argsort(-gain[members], kind="mergesort")
    for k in order:
        e = members[k]
        if plot_of[track[e]] < 0 and track_of[plot[e]] < 0:
            plot_of[track[e]] = plot[e]
            track_of[plot[e]] = track[e]


@kernel
def _solve_component(
    track: Any, plot: Any, gain: Any, members: Any, plot_of: Any, track_of: Any
) -> None:
    rows = np.unique(track[members])
    cols = np.unique(plot[members])
    if max(rows.shape[0], cols.shape[0]) > OPTIMAL_LIMIT:
        _greedy(track, plot, gain, members, plot_of, track_of)
        return
    n, m = rows.shape[0], cols.shape[0]
    cost = np.full((n, m + n), np.inf)
    # A track may stay without a plot at no gain: one private column each.
    large = 1e9
    for i in range(n):
        for j in range(m + n):
            cost[i, j] = large
        cost[i, m + i] = 0.0
    for k in range(members.shape[0]):
        e = members[k]
        i = np.searchsorted(rows, track[e])
        j = np.searchsorted(cols, plot[e])
        cost[i, j] = -gain[e]
    column_of = _hungarian(cost, n, m + n)
    for i in range(n):
        j = column_of[i]
        if j < m and cost[i, j] < 0.0:
            plot_of[rows[i]] = cols[j]
            track_of[cols[j]] = rows[i]


@kernel
def assign(track: Any, plot: Any, gain: Any, track_count: int, plot_count: int) -> tuple[Any, Any]:
    """The assignment with the greatest total gain over a sparse list of pairs.

    `track`, `plot` (k,) int64 indices and `gain` (k,) > 0 of each allowed pair. Returns
    `plot_of` (track_count,) and `track_of` (plot_count,), -1 for none.
    """
    plot_of = np.full(track_count, -1, np.int64)
    track_of = np.full(plot_count, -1, np.int64)
    edges = track.shape[0]
    if edges == 0:
        return plot_of, track_of
    track_degree = np.zeros(track_count, np.int64)
    plot_degree = np.zeros(plot_count, np.int64)
    parent = np.arange(track_count + plot_count)
    for e in range(edges):
        track_degree[track[e]] += 1
        plot_degree[plot[e]] += 1
        a, b = _root(parent, track[e]), _root(parent, track_count + plot[e])
        if a != b:
            parent[max(a, b)] = min(a, b)
    component = np.empty(edges, np.int64)
    crowded = 0
    for e in range(edges):
        if track_degree[track[e]] == 1 and plot_degree[plot[e]] == 1:
            plot_of[track[e]] = plot[e]
            track_of[plot[e]] = track[e]
            component[e] = -1
        else:
            component[e] = _root(parent, track[e])
            crowded += 1
    if crowded == 0:
        return plot_of, track_of
    order = np.argsort(component, kind="mergesort")[edges - crowded :]
    start = 0
    while start < crowded:
        end = start
        while end < crowded and component[order[end]] == component[order[start]]:
            end += 1
        _solve_component(track, plot, gain, order[start:end], plot_of, track_of)
        start = end
    return plot_of, track_of
