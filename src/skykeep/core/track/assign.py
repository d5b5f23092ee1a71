"""Optimal assignment of plots to the tracks that compete for them.

Source of the method: shortest augmenting paths with potentials (Jonker and Volgenant 1987).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from skykeep.core.geo import kernel

#: Above this many tracks or plots in one component the best pairs are taken greedily: an
#: optimal answer costs the cube (400^3 steps are about 0.1 s), and a flood must not stall.
OPTIMAL_LIMIT = 400
#: Dearer than any sum of real costs, and what a pair weighs that underflowed.
UNWANTED = 1e9
LEAST_WEIGHT = 1e-300


@kernel
def root_of(parent: Any, i: int) -> int:
    """The root that stands for the set of i; paths are halved on the way."""
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
def _greedy(cost: Any, rows: int, cols: int) -> Any:
    """Row after row of the cheapest pairs that are left; a row's last columns are always free."""
    column_of = np.full(rows, -1, np.int64)
    taken = np.zeros(cols, np.bool_)
    order = np.argsort(cost.ravel(), kind="mergesort")
    for at in order:
        i, j = at // cols, at % cols
        if column_of[i] < 0 and not taken[j]:
            column_of[i] = j
            taken[j] = True
    return column_of


@kernel
def assign_component(
    members: Any, start: Any, plot: Any, weight: Any, none: Any, mine: Any
) -> None:
    """The likeliest assignment of plots to the tracks of one component.

    Pairs are grouped by track (see share). Clears `mine` (k,) of every pair whose plot goes to
    another track. A pair counts log(weight / none) against no plot at all.
    """
    count = 0
    for i in members:
        count += start[i + 1] - start[i]
    all_plots = np.empty(count, np.int64)
    count = 0
    for i in members:
        for e in range(start[i], start[i + 1]):
            all_plots[count] = plot[e]
            count += 1
    columns = np.unique(all_plots)
    n, m = members.shape[0], columns.shape[0]
    cost = np.full((n, m + n), UNWANTED)  # behind the plots a column of its own: no plot
    for row in range(n):
        i = members[row]
        cost[row, m + row] = 0.0
        for e in range(start[i], start[i + 1]):
            j = np.searchsorted(columns, plot[e])
            cost[row, j] = -math.log(max(weight[e], LEAST_WEIGHT) / none[i])
    crowd = max(n, m) > OPTIMAL_LIMIT
    column_of = _greedy(cost, n, m + n) if crowd else _hungarian(cost, n, m + n)
    row_of = np.full(m, -1, np.int64)
    for row in range(n):
        if column_of[row] < m:
            row_of[column_of[row]] = row
    for row in range(n):
        i = members[row]
        for e in range(start[i], start[i + 1]):
            other = row_of[np.searchsorted(columns, plot[e])]
            if other >= 0 and other != row:
                mine[e] = False
