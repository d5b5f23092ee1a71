"""GOSPA and RMSE of boat tracks against the true paths, on a grid of whole seconds.

GOSPA with alpha = 2 and p = 2, as in bench.tracking.score, which does the pairing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bench.autoferry.loader import F64, Path2D, Scenario
from bench.tracking.score import ORDER, pair_up

#: Beyond this a track is not of this boat. The longer boat, Gunnerus, is 36 m long, and a
#: sensor may see its bow or stern alone, 18 m from its middle; the boats pass at 9 to 22 m, so
#: that with a wider cutoff one track would do for both.
CUTOFF_M = 20.0
#: Boats here do at most 5 m/s: a second is finer than anything that a track can follow.
STEP_S = 1.0


@dataclass(frozen=True, slots=True)
class Score:
    """Means over the scored seconds; `rmse_m` over the boats that had a track."""

    gospa_m: float
    rmse_m: float
    missed: float
    false: float
    seconds: int


def grid_s(scenario: Scenario) -> F64:
    """The scoring times: each second in which there are scans and truth."""
    first_s, last_s = scenario.span_s
    return np.arange(np.ceil(first_s), last_s, STEP_S)


def truth_at(paths: Sequence[Path2D], time_s: float) -> F64:
    """Where the boats are that have a true position at that time: (n, 2)."""
    places = [p.at(time_s) for p in paths]
    return np.array([p for p in places if p is not None]).reshape(-1, 2)


def score(
    paths: Sequence[Path2D],
    times_s: F64,
    shown_m: Sequence[F64],
    chosen: NDArray[np.bool_] | None = None,
    cutoff_m: float = CUTOFF_M,
) -> Score:
    """Score the positions (m, 2) shown at each time; `chosen` leaves the other times out."""
    gospas: list[float] = []
    squares, pairs, missed, false = 0.0, 0, 0, 0
    for k, time_s in enumerate(times_s.tolist()):
        if chosen is not None and not chosen[k]:
            continue
        truth_m = truth_at(paths, time_s)
        _, _, distance_m = pair_up(truth_m, shown_m[k], cutoff_m)
        alone = len(truth_m) + len(shown_m[k]) - 2 * len(distance_m)
        total = float(np.sum(distance_m**ORDER)) + alone * cutoff_m**ORDER / 2.0
        gospas.append(total ** (1.0 / ORDER))
        squares += float(np.sum(distance_m**2))
        pairs += len(distance_m)
        missed += len(truth_m) - len(distance_m)
        false += len(shown_m[k]) - len(distance_m)
    seconds = len(gospas)
    if not seconds:
        return Score(float("nan"), float("nan"), 0.0, 0.0, 0)
    rmse_m = float(np.sqrt(squares / pairs)) if pairs else float("nan")
    return Score(float(np.mean(gospas)), rmse_m, missed / seconds, false / seconds, seconds)
