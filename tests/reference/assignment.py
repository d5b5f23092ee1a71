"""The best assignment: every way there is for a few, scipy's solver for many."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

Pairs = dict[tuple[int, int], float]


def best_by_trying(pairs: Pairs) -> float:
    """Greatest total gain over all sets of pairs that share no track and no plot."""
    if not pairs:
        return 0.0
    (track, plot), gain = next(iter(pairs.items()))
    without = {k: g for k, g in pairs.items() if k != (track, plot)}
    apart = {k: g for k, g in without.items() if k[0] != track and k[1] != plot}
    return max(best_by_trying(without), gain + best_by_trying(apart))


def best_pairs(pairs: Pairs, tracks: int, plots: int) -> list[tuple[int, int]]:
    """The best set of pairs by scipy; a forbidden pair gains nothing and is left out."""
    gain: NDArray[np.float64] = np.zeros((tracks, plots))
    for (i, j), value in pairs.items():
        gain[i, j] = value
    rows, columns = linear_sum_assignment(gain, maximize=True)
    found = zip(rows.tolist(), columns.tolist(), strict=True)
    return [pair for pair in found if pair in pairs and pairs[pair] > 0.0]
