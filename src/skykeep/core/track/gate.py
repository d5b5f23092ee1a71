"""Which plots lie in which track's gate: a grid by hashing, then the exact distance.

Pairs come grouped by track: those of track i are `start[i]` to `start[i + 1]`.

From here on plots are rows of `seen` (k, PLOT_WIDTH), by cell, so that all of a plot lies
together and neighbours near each other: east, north, up, the upper triangle of the covariance
row by row, the log density of what else it may be, whether its class is known, and no more.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from skykeep.core.geo import kernel
from skykeep.core.track.kernels import LOG_2PI, innovation, is_classified, kind_fit, kind_shares

#: Bounds of a cell's side: a gate that touches a few cells of a few plots each costs least.
LEAST_CELL_M, MOST_CELL_M = 16.0, 4096.0
#: Beyond this many cells a gate looks at every plot instead: it costs less than the cells.
MOST_CELLS = 256
#: Cells are numbered within +- 2^31 of the site; what is farther shares the outermost.
FARTHEST_CELL = 2.0**31
#: Columns of `seen`.
PLOT_WIDTH, LOG_NULL, CLASSIFIED = 12, 9, 10
#: A plot this much likelier than a false one is certain; more would only lose digits.
MOST_LIKELIHOOD = 1e9


@kernel
def _cell(value_m: float, cell_m: float) -> int:
    return math.floor(min(max(value_m / cell_m, -FARTHEST_CELL), FARTHEST_CELL))


@kernel
def _slot(column: int, row: int, mask: int) -> int:
    """Blocks of 4 x 4 cells are scattered, a block's cells lie side by side.

    A gate touches a few neighbours: so they share a line of the processor's cache.
    """
    mixed = ((column >> 2) * 73_856_093) ^ ((row >> 2) * 19_349_663)
    mixed ^= mixed >> 15
    return ((mixed << 4) & mask) | ((row & 3) << 2) | (column & 3)


@kernel
def _before(one: Any, other: Any) -> bool:
    for a in range(3):
        if one[a] != other[a]:
            return bool(one[a] < other[a])
    return False


@kernel
def grid_of(z: Any, cell_m: float) -> tuple[Any, Any]:
    """Plots (m, 3) sorted into hashed cells: slot starts, and the plots by slot (k,).

    Inside a slot they stand by east, north and up, so that it does not matter in which order
    they came. Plots that are not finite are in no cell.
    """
    m = z.shape[0]
    size = 16
    while size < 2 * m:
        size *= 2
    slots = np.empty(m, np.int32)
    begins = np.zeros(size + 1, np.int32)
    for j in range(m):
        slots[j] = -1
        if math.isfinite(z[j, 0]) and math.isfinite(z[j, 1]) and math.isfinite(z[j, 2]):
            slots[j] = _slot(_cell(z[j, 0], cell_m), _cell(z[j, 1], cell_m), size - 1)
            begins[slots[j] + 1] += 1
    for k in range(size):
        begins[k + 1] += begins[k]
    filled = begins[:-1].copy()
    order = np.empty(begins[size], np.int64)
    for j in range(m):
        if slots[j] < 0:
            continue
        k = filled[slots[j]]
        while k > begins[slots[j]] and _before(z[j], z[order[k - 1]]):
            order[k] = order[k - 1]
            k -= 1
        order[k] = j
        filled[slots[j]] += 1
    return begins, order


@kernel
def _seen(order: Any, z: Any, r: Any, log_null: Any, plot_kinds: Any) -> Any:
    """The plots in this order, each as one row."""
    seen = np.empty((order.shape[0], PLOT_WIDTH))
    for k in range(order.shape[0]):
        j = order[k]
        seen[k, 0], seen[k, 1], seen[k, 2] = z[j, 0], z[j, 1], z[j, 2]
        seen[k, 3], seen[k, 4], seen[k, 5] = r[j, 0, 0], r[j, 0, 1], r[j, 0, 2]
        seen[k, 6], seen[k, 7], seen[k, 8] = r[j, 1, 1], r[j, 1, 2], r[j, 2, 2]
        seen[k, LOG_NULL] = log_null[j]
        seen[k, CLASSIFIED] = 1.0 if is_classified(plot_kinds, j) else 0.0
    return seen


@kernel
def _near(
    east: float, north: float, reach_e: float, reach_n: float, cell_m: float, begins: Any,
    seen: Any, found: Any,
) -> int:  # fmt: skip
    """Plots inside a box, into `found`; returns how many."""
    first_c, last_c = _cell(east - reach_e, cell_m), _cell(east + reach_e, cell_m)
    first_r, last_r = _cell(north - reach_n, cell_m), _cell(north + reach_n, cell_m)
    count = 0
    if float(last_c - first_c + 1) * float(last_r - first_r + 1) > MOST_CELLS:
        for k in range(seen.shape[0]):
            if abs(seen[k, 0] - east) <= reach_e and abs(seen[k, 1] - north) <= reach_n:
                found[count] = k
                count += 1
        return count
    mask = begins.shape[0] - 2
    for column in range(first_c, last_c + 1):
        for row in range(first_r, last_r + 1):
            slot = _slot(column, row, mask)
            for k in range(begins[slot], begins[slot + 1]):
                if abs(seen[k, 0] - east) > reach_e or abs(seen[k, 1] - north) > reach_n:
                    continue
                # Two cells of the box may share the slot.
                if _cell(seen[k, 0], cell_m) == column and _cell(seen[k, 1], cell_m) == row:
                    found[count] = k
                    count += 1
    return count


@kernel
def _reaches(n: int, x: Any, x_of: Any, p_of: Any, lag_s: Any, r: Any, gate2: float) -> Any:
    """How far east and north of a track a plot of any of its models' gates can lie, (n, 2)."""
    widest_e = widest_n = 0.0
    for j in range(r.shape[0]):
        if math.isfinite(r[j, 0, 0] + r[j, 1, 1]):
            widest_e, widest_n = max(widest_e, r[j, 0, 0]), max(widest_n, r[j, 1, 1])
    reach = np.zeros((n, 2))
    for i in range(n):
        lag = lag_s[i]
        for m in range(p_of.shape[1]):
            for a in range(2):
                spread, off = p_of[i, m, a, a], x_of[i, m, a] - x[i, a]
                if lag != 0.0:
                    spread += lag * (2.0 * p_of[i, m, a, a + 3] + lag * p_of[i, m, a + 3, a + 3])
                    off += lag * (x_of[i, m, a + 3] - x[i, a + 3])
                widest = widest_e if a == 0 else widest_n
                far = abs(off) + math.sqrt(gate2 * (spread + widest))
                # Not finite stays so: the track then has no plots.
                reach[i, a] = far if not far <= reach[i, a] else reach[i, a]
    return reach


@kernel
def _cell_side_m(reach: Any) -> float:
    """Twice as wide as a gate is on average: then it mostly touches one or two cells."""
    sure, total_m = 0, 0.0
    for i in range(reach.shape[0]):
        if math.isfinite(reach[i, 0] + reach[i, 1]):
            total_m += reach[i, 0] + reach[i, 1]
            sure += 1
    return min(max(2.0 * total_m / max(sure, 1), LEAST_CELL_M), MOST_CELL_M)


@kernel
def pairs_in_gate(
    n: int, x: Any, x_of: Any, p_of: Any, share_of: Any, lag_s: Any, z: Any, r: Any,
    log_null: Any, kinds: Any, plot_kinds: Any, log_prior: Any, log_pd: float, gate2: float,
) -> tuple[Any, Any, Any, Any, Any, Any]:  # fmt: skip
    """Pairs of tracks and plots inside the gate of any model, with their likelihood ratios.

    The first n of x (n, 6) are the tracks, x_of (n, M, 6), p_of (n, M, 6, 6) and
    share_of (n, M) their motion models. Returns start (n + 1,), plot (k,) in `seen`,
    likelihood (k, M): of 'this plot is this track's' to 'it is no known track's' for each
    model, and fit (k,): how the plot's class fits what the track is (feature-aided
    association, Blackman and Popoli 1999, 6.2), by which the ratio is to be multiplied; `seen`;
    and the finite plots in its order, which does not depend on how they came.
    """
    models = share_of.shape[1]
    reach = _reaches(n, x, x_of, p_of, lag_s, r, gate2)
    cell_m = _cell_side_m(reach)
    begins, order = grid_of(z, cell_m)
    seen = _seen(order, z, r, log_null, plot_kinds)
    found = np.empty(order.shape[0], np.int64)
    room = 4 * n + 16
    start = np.zeros(n + 1, np.int64)
    plots, fits = np.empty(room, np.int64), np.empty(room)
    likelihoods = np.empty((room, models))
    kind_share, each = np.empty(4), np.empty(models)
    flat_x, flat_p = x_of.reshape(-1, 6), p_of.reshape(-1, 6, 6)
    count = 0
    for i in range(n):
        start[i] = count
        lag = lag_s[i]
        east, north = x[i, 0] + lag * x[i, 3], x[i, 1] + lag * x[i, 4]
        reach_e, reach_n = reach[i, 0], reach[i, 1]
        if not (math.isfinite(east + reach_e) and math.isfinite(north + reach_n)):
            continue
        near = _near(east, north, reach_e, reach_n, cell_m, begins, seen, found)
        shares_known = False
        for at in range(near):
            k = found[at]
            base = log_pd - 1.5 * LOG_2PI - seen[k, LOG_NULL]
            inside = False
            for model in range(models):
                fit = innovation(flat_x, flat_p, i * models + model, lag, seen, k)
                # So written, what overflowed (NaN) is no pair.
                inside = inside or (fit[0] <= gate2 and seen[k, LOG_NULL] < np.inf)
                ratio = math.exp(min(base - 0.5 * (fit[0] + fit[1]), 30.0))
                each[model] = min(ratio, MOST_LIKELIHOOD)
            if not inside:
                continue
            if count == room:
                room *= 2
                plots = np.append(plots, np.empty(room - count, np.int64))
                fits = np.append(fits, np.empty(room - count))
                larger = np.empty((room, models))
                larger[:count] = likelihoods
                likelihoods = larger
            for model in range(models):
                likelihoods[count, model] = each[model]
            plots[count], fits[count] = k, 1.0
            if seen[k, CLASSIFIED] > 0.0:
                if not shares_known:
                    kind_shares(kinds[i], log_prior, kind_share)
                    shares_known = True
                fits[count] = math.exp(kind_fit(kind_share, plot_kinds[order[k]]))
            count += 1
    start[n] = count
    return start, plots[:count], likelihoods[:count], fits[:count], seen, order
