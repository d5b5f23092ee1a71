"""The tracker's arrays: tracks and plots as columns."""

from __future__ import annotations

from typing import Any, NamedTuple

TENTATIVE, CONFIRMED = 0, 1


class Columns(NamedTuple):
    """Parallel arrays over all tracks, in the order of their birth; times in ns.

    x (n, 6), p (n, 6, 6) are the mean over the models x_of (n, M, 6), p_of (n, M, 6, 6) with
    their probabilities share_of (n, M); with one model they are the same memory. score (n,)
    is the log-odds of existence, kinds (n, 4) log likelihoods.
    """

    x: Any
    p: Any
    x_of: Any
    p_of: Any
    share_of: Any
    time_ns: Any
    first_ns: Any
    last_ns: Any
    score: Any
    hits: Any
    misses: Any
    kinds: Any
    status: Any
    number: Any


class Plots(NamedTuple):
    """Measured positions of one moment in the site's frame, ready for the tracker.

    z (m, 3), r (m, 3, 3), log_clutter (m,) per m^3, kinds (m, 4) tempered log likelihoods.
    """

    z: Any
    r: Any
    log_clutter: Any
    kinds: Any
