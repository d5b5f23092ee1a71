"""Numbers on signed batches, held against a literal one that remembers every number."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skykeep.core.numbering import WINDOW, Numbered, Numbering
from skykeep.errors import DecisionError


def taken(*numbers: tuple[int, int]) -> tuple[Numbering, list[Numbered]]:
    state, said = Numbering(), []
    for session, sequence in numbers:
        state, more = state.after(session, sequence)
        said += more
    return state, said


def test_what_follows_says_nothing() -> None:
    assert taken((7, 5), (7, 6), (7, 7)) == (Numbering(7, 7), [])


def test_what_is_left_out_is_a_gap_that_may_be_filled() -> None:
    state, said = taken((1, 1), (1, 5), (1, 3))
    assert said == [Numbered("gap", 1, 2, 4), Numbered("filled", 1, 3, 3)]
    assert state == Numbering(1, 5, ((2, 2), (4, 4)))
    for again in (1, 3, 5):
        with pytest.raises(DecisionError, match=f"number {again} of session 1 was taken before"):
            state.after(1, again)


def test_a_start_is_told_and_ends_what_was_before() -> None:
    state, said = taken((1, 1), (1, 4), (3, 1), (9, 3))
    assert said == [
        Numbered("gap", 1, 2, 3), Numbered("restarted", 3, 1, 1), Numbered("restarted", 9, 3, 3),
        Numbered("gap", 9, 1, 2),
    ]  # fmt: skip
    assert state == Numbering(9, 3, ((1, 2),))
    with pytest.raises(DecisionError, match="session 3 is over: 9 is the sensor's last"):
        state.after(3, 2)


def test_old_gaps_are_given_up() -> None:
    state, _ = taken(*((1, 2 * n) for n in range(1, WINDOW + 3)))
    assert len(state.missing) == WINDOW
    with pytest.raises(DecisionError, match="given up"):
        state.after(1, 3)
    assert state.after(1, state.sequence - 1)[1][0].what == "filled"


@given(st.lists(st.tuples(st.integers(1, 3), st.integers(1, 8)), max_size=30))
def test_nothing_is_taken_twice_and_nothing_new_refused(numbers: list[tuple[int, int]]) -> None:
    state, seen, last = Numbering(), set[tuple[int, int]](), 0
    first: dict[int, int] = {}
    for number in numbers:
        session, sequence = number
        fresh = session > last or (
            session == last and number not in seen and (last in first and sequence >= first[last])
        )
        try:
            state, _ = state.after(session, sequence)
        except DecisionError:
            assert not fresh, number
            continue
        assert fresh, number
        # The first session known may have begun before the site knew the sensor.
        first.setdefault(session, sequence if not last else 1)
        seen.add(number)
        last = session
    known = {n for s, n in seen if s == last}
    lost = {n for a, b in state.missing for n in range(a, b + 1)}
    assert lost == set(range(first.get(last, 1), max(known, default=0) + 1)) - known
