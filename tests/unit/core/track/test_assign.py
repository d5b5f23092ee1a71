"""The assignment of one component against every way there is, and against scipy."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skykeep.core.track.assign import OPTIMAL_LIMIT, assign_component
from tests.reference.assignment import Pairs, best_by_trying, best_pairs


def taken(pairs: Pairs, tracks: int, plots: int) -> dict[int, int]:
    """What was chosen: plots of which only one track may still follow the pair.

    To each plot a track is added that could not care less, so that a plot which nobody was
    given shows: that track may follow it still.
    """
    whole = {**pairs, **{(tracks + j, j): -50.0 for j in range(plots)}}
    start = np.searchsorted(sorted(i for i, _ in whole), np.arange(tracks + plots + 1))
    keys = sorted(whole)
    plot = np.array([j for _, j in keys], np.int64)
    weight = np.array([math.exp(whole[key]) for key in keys])
    mine = np.ones(len(keys), np.bool_)
    none = np.ones(tracks + plots)
    assign_component(np.arange(tracks + plots), start, plot, weight, none, mine)
    kept = [key for key, yes in zip(keys, mine.tolist(), strict=True) if yes]
    free = {j for i, j in kept if i >= tracks}
    found = [(i, j) for i, j in kept if i < tracks and j not in free]
    assert len({j for _, j in found}) == len(found)
    assert len({i for i, _ in found}) == len(found)
    return dict(found)


def total(pairs: Pairs, chosen: dict[int, int]) -> float:
    return sum(pairs[pair] for pair in chosen.items())


@given(
    st.dictionaries(
        st.tuples(st.integers(0, 4), st.integers(0, 4)),
        st.one_of(st.floats(0.01, 20.0), st.integers(1, 4).map(float)),
        max_size=11,
    )
)
@settings(max_examples=150, deadline=None)
def test_a_few_pairs_reach_the_greatest_gain(pairs: Pairs) -> None:
    assert total(pairs, taken(pairs, 5, 5)) == pytest.approx(best_by_trying(pairs))


def scattered(seed: int, tracks: int, plots: int, share: float) -> Pairs:
    rng = np.random.default_rng(seed)
    allowed = np.argwhere(rng.random((tracks, plots)) < share)
    return {(int(i), int(j)): float(rng.uniform(0.01, 20.0)) for i, j in allowed}


@given(st.integers(0, 2**32 - 1), st.integers(1, 40), st.integers(1, 40), st.floats(0.0, 1.0))
@settings(max_examples=80, deadline=None)
def test_many_pairs_reach_the_greatest_gain(
    seed: int, tracks: int, plots: int, share: float
) -> None:
    pairs = scattered(seed, tracks, plots, share)
    best = sum(pairs[pair] for pair in best_pairs(pairs, tracks, plots))
    assert total(pairs, taken(pairs, tracks, plots)) == pytest.approx(best)


def test_what_is_worse_than_no_plot_is_not_given() -> None:
    assert taken({(0, 0): -1.0, (1, 1): 2.0}, 2, 2) == {1: 1}


def chain(n: int) -> Pairs:
    """One component in which taking the best pair first costs the two beside it."""
    pairs: Pairs = {}
    for i in range(n):
        pairs[i, i] = 10.0 - 1e-3 * i
        pairs[i, (i + 1) % n] = 9.0 - 1e-3 * i if i % 2 else 10.5 - 1e-3 * i
    return pairs


def literal_greedy(pairs: Pairs) -> dict[int, int]:
    chosen: dict[int, int] = {}
    for i, j in sorted(pairs, key=lambda pair: -pairs[pair]):
        if i not in chosen and j not in chosen.values():
            chosen[i] = j
    return chosen


@pytest.mark.parametrize(
    ("size", "greedy"), [(OPTIMAL_LIMIT // 2, False), (OPTIMAL_LIMIT // 2 + 1, True)]
)
def test_a_crowd_beyond_the_limit_is_taken_greedily(size: int, greedy: bool) -> None:
    """As many tracks again stand beside these (see taken)."""
    pairs = chain(size)
    chosen = taken(pairs, size, size)
    assert (chosen == literal_greedy(pairs)) is greedy
    best = sum(pairs[pair] for pair in best_pairs(pairs, size, size))
    assert (total(pairs, chosen) == pytest.approx(best)) is not greedy
