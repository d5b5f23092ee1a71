"""Lies about where an aircraft is are found, and honest flights are left alone."""

from __future__ import annotations

import numpy as np
import pytest

from skykeep.core.claims import REPLAYED
from tests.spoofing import FLIGHTS, Found, Lie, displaced, honest, replayed, watch

#: So many honest hours, and so many false alarms in them at most.
HONEST_HOURS, FALSE_ALARMS = 500, 5
FLIGHT_S = 900
#: A lie is to be found this soon, in so many of these runs.
WITHIN_S, RUNS = 30, 1_000
IN_FLIGHT_S, FROM_THE_START_S = 40, 0
#: Growing by 1 m/s, what is noticeable at all is there after a minute, and 30 s are for finding.
GROWING_M, GROWS_S = 90.0, 90.0


def rounds(seed: int, count: int, seconds: int, lie: Lie, *, outages: bool = False) -> list[Found]:
    return [
        watch(np.random.default_rng((seed, k)), seconds, lie, outages=outages) for k in range(count)
    ]


def share_found(seed: int, runs: int, by_m: float, from_s: int, over_s: float = 0.0) -> float:
    """In what share of runs a displacement is called inconsistent within the time allowed."""
    delays: list[float] = []
    within = WITHIN_S + over_s
    for k in range(runs // FLIGHTS):
        lie = displaced(np.random.default_rng((seed, 0, k)), by_m, from_s, over_s)
        (found,) = rounds(seed + k, 1, round(from_s + within) + 2, lie)
        delays += (found.inconsistent_s - max(from_s, 1)).tolist()
    return float(np.mean((np.array(delays) >= 0.0) & (np.array(delays) <= within)))


def test_honest_flights_are_consistent_and_raise_no_alarm() -> None:
    (found,) = rounds(1, 1, 60, honest, outages=True)
    assert found.alarms == []
    assert np.mean(found.consistent_s <= 15.0) > 0.9


def test_a_displacement_of_75_m_is_found_in_time() -> None:
    assert share_found(2, FLIGHTS, 75.0, FROM_THE_START_S) >= 0.95


def test_a_flight_that_is_played_again_is_found() -> None:
    (found,) = rounds(3, 1, 80, replayed(50, 40))
    played = [codes for _, second, codes in found.alarms if second > 50 and REPLAYED in codes]
    moving = FLIGHTS * 3 // 4
    assert len(found.alarms) >= moving
    assert played or np.count_nonzero(np.isfinite(found.inconsistent_s)) >= moving


@pytest.mark.soak
def test_500_honest_hours_raise_at_most_five_alarms() -> None:
    count = HONEST_HOURS * 3600 // (FLIGHTS * FLIGHT_S)
    found = rounds(11, count, FLIGHT_S, honest, outages=True)
    alarms = [alarm for each in found for alarm in each.alarms]
    print(f"{len(alarms)} alarms in {count * FLIGHTS * FLIGHT_S / 3600:.0f} honest hours: {alarms}")
    assert len(alarms) <= FALSE_ALARMS


@pytest.mark.soak
@pytest.mark.parametrize("from_s", [FROM_THE_START_S, IN_FLIGHT_S])
@pytest.mark.parametrize(("by_m", "demanded"), [(50.0, 0.95), (75.0, 0.99)])
def test_a_displacement_is_found_in_time(by_m: float, demanded: float, from_s: int) -> None:
    found = share_found(12, RUNS, by_m, from_s)
    print(f"{by_m:.0f} m from second {from_s}: {found:.1%} within {WITHIN_S} s")
    assert found >= demanded


@pytest.mark.soak
def test_a_displacement_that_grows_is_found() -> None:
    found = share_found(13, RUNS, GROWING_M, IN_FLIGHT_S, GROWS_S)
    print(f"growing by 1 m/s: {found:.1%} within {GROWS_S + WITHIN_S:.0f} s")
    assert found >= 0.95
