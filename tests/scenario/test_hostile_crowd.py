"""A crowd of invented drones: who is real is told of all the same, and what was left out counted.

The bench says how late that is (bench/hostile.py); here nothing is timed but by the site's clock.
"""

from __future__ import annotations

import pytest

from bench.hostile import CROWD_FROM_S, NEW_FROM_S, OLD_FROM_S, RADAR_FROM_S, Crowd, Played, play
from skykeep.feed.admission import MOST_KNOWN


@pytest.fixture(scope="module")
def calm() -> Played:
    return play(None, None, at_leisure=True)


def test_without_a_crowd(calm: Played) -> None:
    assert calm.shed == 0
    assert RADAR_FROM_S < calm.told_s["radar"] < RADAR_FROM_S + 8.0
    assert OLD_FROM_S < calm.told_s["REAL0"] < OLD_FROM_S + 8.0
    assert NEW_FROM_S < calm.told_s["REAL1"] < NEW_FROM_S + 8.0


@pytest.mark.parametrize("persistent", [False, pytest.param(True, marks=pytest.mark.soak)])
def test_with_one(calm: Played, persistent: bool) -> None:
    crowd = Crowd(persistent, per_s=1_000)
    crowded = play(crowd, None, at_leisure=True)
    who = {"radar", "REAL0"} if persistent else {"radar", "REAL0", "REAL1"}
    for name in who:
        assert crowded.told_s[name] - calm.told_s[name] <= 2.0
    sent = crowded.pieces - calm.pieces
    assert sent == 1_000 * (30 - CROWD_FROM_S)
    spoke = crowded.told_s.keys() - {"radar", "REAL0", "REAL1"}
    assert len(spoke) <= MOST_KNOWN
    if persistent:
        assert 0.5 * sent < crowded.shed < sent
    else:
        assert 0.9 * sent < crowded.shed < sent
