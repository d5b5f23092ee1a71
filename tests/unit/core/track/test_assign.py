"""The assignment against every way there is, and against scipy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skykeep.core.track.assign import OPTIMAL_LIMIT, assign
from tests.reference.assignment import Pairs, best_by_trying, best_pairs


def taken(pairs: Pairs, tracks: int, plots: int) -> dict[int, int]:
    """What `assign` chose, checked to be an assignment over allowed pairs."""
    keys = np.array(list(pairs), np.int64).reshape(-1, 2)
    gains = np.array(list(pairs.values()), np.float64)
    plot_of, track_of = assign(keys[:, 0].copy(), keys[:, 1].copy(), gains, tracks, plots)
    assert (len(plot_of), len(track_of)) == (tracks, plots)
    forth = {i: int(j) for i, j in enumerate(plot_of) if j >= 0}
    back = {int(i): j for j, i in enumerate(track_of) if i >= 0}
    assert forth == back
    assert len(set(forth.values())) == len(forth)
    assert all(pair in pairs for pair in forth.items())
    return forth


def total(pairs: Pairs, chosen: dict[int, int]) -> float:
    return sum(pairs[pair] for pair in chosen.items())


@given(
    st.dictionaries(
        st.tuples(st.integers(0, 4), st.integers(0, 4)),
        st.one_of(st.floats(0.01, 30.0), st.integers(1, 4).map(float)),
        max_size=11,
    )
)
@settings(max_examples=150, deadline=None)
def test_a_few_pairs_reach_the_greatest_gain(pairs: Pairs) -> None:
    assert total(pairs, taken(pairs, 5, 5)) == pytest.approx(best_by_trying(pairs))


def scattered(seed: int, tracks: int, plots: int, share: float) -> Pairs:
    rng = np.random.default_rng(seed)
    allowed = np.argwhere(rng.random((tracks, plots)) < share)
    return {(int(i), int(j)): float(rng.uniform(0.01, 25.0)) for i, j in allowed}


@given(st.integers(0, 2**32 - 1), st.integers(1, 40), st.integers(1, 40), st.floats(0.0, 1.0))
@settings(max_examples=80, deadline=None)
def test_many_pairs_reach_the_greatest_gain(
    seed: int, tracks: int, plots: int, share: float
) -> None:
    pairs = scattered(seed, tracks, plots, share)
    best = sum(pairs[pair] for pair in best_pairs(pairs, tracks, plots))
    assert total(pairs, taken(pairs, tracks, plots)) == pytest.approx(best)


def test_the_order_of_the_pairs_does_not_matter() -> None:
    pairs = scattered(5, 30, 30, 0.2)
    rng = np.random.default_rng(0)
    first = taken(pairs, 30, 30)
    for _ in range(10):
        keys = list(pairs)
        rng.shuffle(keys)
        assert taken({(i, j): pairs[i, j] for i, j in keys}, 30, 30) == first


def test_a_crowd_up_to_the_limit_is_solved_wholly() -> None:
    n = OPTIMAL_LIMIT
    pairs = {(i, j): 1.0 + (i * 7919 + j * 104729) % 1000 / 37.0
             for i in range(n) for j in ((i - 1) % n, i, (i + 1) % n)}  # fmt: skip
    best = sum(pairs[pair] for pair in best_pairs(pairs, n, n))
    assert total(pairs, taken(pairs, n, n)) == pytest.approx(best)


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


@pytest.mark.parametrize(("size", "greedy"), [(OPTIMAL_LIMIT, False), (OPTIMAL_LIMIT + 1, True)])
def test_a_crowd_beyond_the_limit_is_taken_greedily(size: int, greedy: bool) -> None:
    pairs = chain(size)
    chosen = taken(pairs, size, size)
    assert (chosen == literal_greedy(pairs)) is greedy
    best = sum(pairs[pair] for pair in best_pairs(pairs, size, size))
    assert (total(pairs, chosen) == pytest.approx(best)) is not greedy


@pytest.mark.parametrize("across", [False, True])
def test_many_plots_of_one_track_are_a_crowd_too(across: bool) -> None:
    """One track with more plots than the limit, and the other way round: the best is taken."""
    n = OPTIMAL_LIMIT + 50
    gains = {k: 1.0 + (k * 7919) % 1000 for k in range(n)}
    pairs = {((k, 0) if across else (0, k)): g for k, g in gains.items()}
    best = max(gains, key=lambda k: gains[k])
    chosen = taken(pairs, n if across else 1, 1 if across else n)
    assert chosen == ({best: 0} if across else {0: best})


def test_no_pairs_assign_nothing() -> None:
    assert taken({}, 3, 2) == {}
    assert taken({}, 0, 0) == {}
