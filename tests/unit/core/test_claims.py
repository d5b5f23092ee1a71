"""A transmitter held against itself: the lies that show without a measurement, and no oddity."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from skykeep.core.claims import (
    BACK_NS,
    ECHO_PLACES,
    FROZEN_NS,
    MISFITS,
    REPLAYED,
    SPEED_MISFIT,
    STAMPS_BACK,
    STAMPS_FROZEN,
    STEPS_BACK,
    TOLD_LIMIT,
    ClaimedState,
    Habits,
    Told,
    contradictions,
    listen,
    place_key,
)
from skykeep.units import NS_PER_S, SensorId
from tests.sky import Place, at, claimed_at

EAST = (10.0, 0.0, 0.0)


def said(second: float, place: Place, velocity: Place = EAST, **changes: object) -> ClaimedState:
    return claimed_at(second, place, velocity_mps=velocity, **changes)


def flight(seconds: Iterable[float], speed: float = 10.0, seed: int = 0) -> list[ClaimedState]:
    """East at a speed, with satellite errors that make no two places alike."""
    rng = np.random.default_rng(seed)
    off = {s: rng.normal(0.0, 0.5, 2).tolist() for s in seconds}
    return [said(s, (speed * s + e, n, 100.0), (speed, 0.0, 0.0)) for s, (e, n) in off.items()]


def codes(states: Iterable[ClaimedState], told: Told | None = None) -> list[str]:
    habits, told = Habits(), told or Told()
    for state in states:
        habits = listen(habits, state, told.hear(habits, state))
    return [reason.code for reason in contradictions(habits)]


# -- declared against flown speed -------------------------------------------------------------


def test_a_declared_speed_that_is_not_flown_is_found() -> None:
    for declared, found in (
        (10.0, []),
        (13.0, []),
        (20.0, [SPEED_MISFIT]),
        (0.0, [SPEED_MISFIT]),
        (60.0, [SPEED_MISFIT]),
    ):
        states = [said(s, (10.0 * s, 0.0, 100.0), (declared, 0.0, 0.0)) for s in range(30)]
        assert codes(states) == found


def test_a_wrong_direction_is_a_wrong_velocity() -> None:
    states = [said(s, (10.0 * s, 0.0, 100.0), (0.0, 10.0, 0.0)) for s in range(30)]
    assert codes(states) == [SPEED_MISFIT]


def test_a_turning_and_braking_flight_is_no_misfit() -> None:
    states = []
    for step in range(120):
        t = 0.5 * step  # circles of 60 m at 15 m/s: 3.75 m/s^2
        angle = 15.0 * t / 60.0
        place = (60.0 * math.cos(angle), 60.0 * math.sin(angle), 100.0)
        velocity = (-15.0 * math.sin(angle), 15.0 * math.cos(angle), 0.0)
        states.append(said(t, place, velocity))
    assert codes(states) == []


def test_a_lost_fix_and_a_jump_when_it_is_found_are_no_misfit() -> None:
    before = flight(range(20))
    stuck = [said(s, (before[-1].east_m, before[-1].north_m, 100.0)) for s in range(20, 40)]
    after = flight(range(40, 60), seed=1)
    assert codes([*before, *stuck, *after]) == []
    jumped = [said(s, (10.0 * s + (90.0 if s >= 15 else 0.0), 0.0, 100.0)) for s in range(30)]
    assert codes(jumped) == []


def test_where_no_velocity_is_told_there_is_nothing_to_hold_it_against() -> None:
    nothing = (math.nan, math.nan, math.nan)
    assert codes(said(s, (30.0 * s, 0.0, 100.0), nothing) for s in range(30)) == []


# -- stamps -----------------------------------------------------------------------------------


def test_new_places_under_one_stamp_are_found_and_a_repeated_beacon_is_not() -> None:
    still = [
        said(0.0, (float(s), 0.0, 100.0), heard_ns=at(s)) for s in range(FROZEN_NS // NS_PER_S + 1)
    ]
    assert STAMPS_FROZEN in codes(still)
    assert codes(still[:-1]) == []
    beacon = [said(0.0, (0.0, 0.0, 100.0), heard_ns=at(0.2 * s)) for s in range(300)]
    assert codes(beacon) == []
    assert codes([*still, said(1.0, (0.0, 5.0, 100.0))]) == []  # the clock goes again


def test_stamps_that_go_back_again_and_again_are_found_and_one_clock_set_right_is_not() -> None:
    loop = [said(s % 12, (float(i), 0.0, 100.0), heard_ns=at(i)) for i, s in enumerate(range(60))]
    assert STAMPS_BACK in codes(loop)
    assert STAMPS_BACK not in codes(loop[: 12 * STEPS_BACK])
    set_right = [said(s if s < 20 else s - 18.0, (10.0 * s, 0.0, 100.0)) for s in range(60)]
    assert STAMPS_BACK not in codes(set_right)


def test_a_second_receiver_that_delivers_late_is_no_step_back() -> None:
    live = flight(range(60))
    late = [
        claimed_at(
            s.at_ns / NS_PER_S - at(0.0) / NS_PER_S, (s.east_m, s.north_m, s.up_m),
            velocity_mps=s.velocity_mps, at_ns=s.at_ns, heard_ns=s.heard_ns + 4 * BACK_NS,
            heard_by=SensorId("other"),
        )
        for s in live
    ]  # fmt: skip
    heard = sorted([*live, *late], key=lambda s: s.heard_ns)
    assert codes(heard) == []


# -- a flight told before ---------------------------------------------------------------------


def replay(states: list[ClaimedState], after_s: float) -> list[ClaimedState]:
    """The same places and speeds again under new stamps."""
    return [
        said(
            (s.at_ns - at(0.0)) / NS_PER_S + after_s, (s.east_m, s.north_m, s.up_m),
            s.velocity_mps, lat_deg=s.lat_deg, lon_deg=s.lon_deg,
        )
        for s in states
    ]  # fmt: skip


def test_a_flight_that_is_played_again_is_found_also_with_gaps() -> None:
    told, first = Told(), flight(range(60))
    assert codes(first, told) == []
    assert codes(replay(first, 600.0), told) == [REPLAYED]
    told = Told()
    assert codes(first[::2] + first[1::8], told) == []
    assert codes(replay(first, 600.0), told) == [REPLAYED]


def test_the_same_route_flown_again_and_one_flight_heard_twice_are_none() -> None:
    told, first = Told(), flight(range(60))
    assert codes(first, told) == []
    assert codes(flight(range(600, 660), seed=3), told) == []
    assert codes(replay(first, 20.0), told) == []  # a slow receiver
    standing = [said(s, (0.0, 0.0, 0.0), (0.0, 0.0, 0.0)) for s in range(200)]
    assert codes(standing, told) == []


def test_a_few_places_that_were_told_before_are_chance() -> None:
    told, first = Told(), flight(range(60))
    codes(first, told)
    assert codes(replay(first[: ECHO_PLACES - 1], 600.0), told) == []


def test_what_was_told_is_bounded_and_goes_on_after_a_restart() -> None:
    told, habits = Told(), Habits()
    for i in range(TOLD_LIMIT + 5):
        told.hear(habits, said(float(i), (0.0, 0.0, 0.0), lat_deg=i * 1e-6, lon_deg=-1.0))
    assert len(told.first_ns) == TOLD_LIMIT
    assert Told.restore(told.snapshot()) == told
    assert list(Told.restore(told.snapshot()).first_ns) == list(told.first_ns)


@given(
    st.lists(st.tuples(st.floats(-90, 90), st.floats(-180, 180)), min_size=2, max_size=5),
)
def test_places_have_keys_of_their_own(places: list[tuple[float, float]]) -> None:
    states = [said(0.0, (0.0, 0.0, 0.0), lat_deg=lat, lon_deg=lon) for lat, lon in places]
    for a, b in itertools.combinations(states, 2):
        alike = round(a.lat_deg * 1e7) == round(b.lat_deg * 1e7) and (
            round(a.lon_deg * 1e7) == round(b.lon_deg * 1e7)
        )
        assert (place_key(a) == place_key(b)) is alike


moments = st.integers(-300 * NS_PER_S, 300 * NS_PER_S)


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.tuples(moments, st.floats(-5e3, 5e3), st.floats(-60, 60) | st.just(math.nan)),
        max_size=30,
    )
)
def test_whatever_is_said_it_can_be_held_against_itself(
    heard: list[tuple[int, float, float]],
) -> None:
    states = [
        said(float(i), (east, 0.0, 100.0), (speed, 0.0, 0.0), at_ns=at(i) + off)
        for i, (off, east, speed) in enumerate(heard)
    ]
    found = codes(states)
    assert len(found) == len(set(found))
    assert len(states) >= MISFITS or SPEED_MISFIT not in found
