"""Guesses are slow; nobody is locked out of a desk that he has used before."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from skykeep.service.auth.throttle import KNOWN_NS, MOST_FAILURES, STRANGERS_NS, Throttle
from skykeep.units import NS_PER_S


def test_strangers_are_stopped_and_the_known_desk_is_not() -> None:
    throttle = Throttle()
    said = [throttle.failed("weber", "", i * NS_PER_S) for i in range(MOST_FAILURES)]
    assert said == [False] * (MOST_FAILURES - 1) + [True]
    now_ns = MOST_FAILURES * NS_PER_S
    assert throttle.wait_ns("weber", "", now_ns) == STRANGERS_NS - now_ns
    assert throttle.wait_ns("weber", "desk", now_ns) == 0
    assert throttle.wait_ns("other", "", now_ns) == 0
    assert throttle.wait_ns("weber", "", STRANGERS_NS) == 0


def test_a_known_desk_waits_a_minute_and_begins_anew_after_success() -> None:
    throttle = Throttle()
    for _ in range(MOST_FAILURES):
        throttle.failed("weber", "desk", 0)
    assert throttle.wait_ns("weber", "desk", NS_PER_S) == KNOWN_NS - NS_PER_S
    throttle.succeeded("weber", "desk")
    assert throttle.wait_ns("weber", "desk", NS_PER_S) == 0


@given(st.lists(st.integers(0, 3_000), max_size=60))
def test_in_no_quarter_of_an_hour_more_tries_than_allowed(times_s: list[int]) -> None:
    throttle = Throttle()
    tried: list[int] = []
    for at_s in sorted(times_s):
        if throttle.wait_ns("weber", "", at_s * NS_PER_S) == 0:
            throttle.failed("weber", "", at_s * NS_PER_S)
            tried.append(at_s)
    window_s = STRANGERS_NS // NS_PER_S
    for at_s in tried:
        assert sum(at_s <= t < at_s + window_s for t in tried) <= MOST_FAILURES
