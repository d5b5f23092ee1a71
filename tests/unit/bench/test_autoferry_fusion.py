"""Bearings beside radar and lidar: the parts against literal forms, the whole on recordings."""

from __future__ import annotations

import itertools
import math
from pathlib import Path

import numpy as np
import pytest

from bench.autoferry.association import Pair, marginals, soft_update
from bench.autoferry.bearings import BearingCounts, FalseMap, take_bearings
from bench.autoferry.boats import Track
from bench.autoferry.loader import ALL, POSITIONS, Kind, Scan, load
from bench.autoferry.run import Fusion, follow, run

VECTORS = Path(__file__).parents[2] / "vectors" / "autoferry"


def literal_marginals(
    ratio: np.ndarray, existence: np.ndarray, detection: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Every way to give plots to tracks that exist, weighed."""
    n, m = ratio.shape
    pairs, there, total = np.zeros((n, m)), np.zeros(n), 0.0
    for choice in itertools.product(range(-2, m), repeat=n):  # -2 absent, -1 missed
        taken = [j for j in choice if j >= 0]
        if len(set(taken)) < len(taken):
            continue
        weight = 1.0
        for i, j in enumerate(choice):
            if j == -2:
                weight *= 1.0 - existence[i]
            else:
                weight *= existence[i] * (1.0 - detection[i] if j == -1 else ratio[i, j])
        total += weight
        for i, j in enumerate(choice):
            there[i] += weight * (j > -2)
            if j >= 0:
                pairs[i, j] += weight
    return pairs / there[:, None], there / total


@pytest.mark.parametrize(("tracks", "within"), [(1, 1e-12), (2, 0.06)])
def test_marginals_are_those_of_all_hypotheses(tracks: int, within: float) -> None:
    random = np.random.default_rng(5)
    for _ in range(50):
        ratio = random.exponential(2.0, (tracks, 3)) * (random.random((tracks, 3)) < 0.6)
        existence, detection = random.uniform(0.1, 0.9, tracks), random.uniform(0.2, 0.9, tracks)
        share, after = marginals(ratio, existence, detection)
        literal_share, literal_after = literal_marginals(ratio, existence, detection)
        np.testing.assert_allclose(share, literal_share, atol=within)
        np.testing.assert_allclose(after, literal_after, atol=within)


def test_a_certain_pair_is_a_kalman_update() -> None:
    x, p, h = np.array([1.0, 2.0]), np.array([[4.0, 1.0], [1.0, 2.0]]), np.array([[1.0, 0.0]])
    pair = Pair(np.array([3.0]), np.array([[5.0]]), 1.0)
    after_x, after_p = soft_update(x, p, h, [pair])
    np.testing.assert_allclose(after_x, [1.0 + 4.0 / 5.0 * 3.0, 2.0 + 1.0 / 5.0 * 3.0])
    np.testing.assert_allclose(after_p, p - np.outer([4.0, 1.0], [4.0, 1.0]) / 5.0)
    none_x, none_p = soft_update(x, p, h, [])
    assert (none_x == x).all()
    assert (none_p == p).all()


def _track(east_m: float, sigma_m: float) -> Track:
    p = np.diag([sigma_m**2, sigma_m**2, 1.0, 1.0])
    return Track(1, np.array([east_m, 100.0, 0.0, 0.0]), p, 0.0, -9.0, 0.0, 0.99, True)


def _frame(time_s: float, azimuth_deg: float) -> Scan:
    azimuth = np.array([[math.radians(azimuth_deg) % (2.0 * math.pi)]])
    return Scan(Kind.EO, time_s, np.zeros(2), azimuth)


def test_a_steady_offset_of_a_camera_is_learned_and_not_believed() -> None:
    counts, false_map = BearingCounts(), FalseMap()
    track = _track(0.0, 0.5)
    for k in range(150):
        track.p = np.diag([0.25, 0.25, 1.0, 1.0])  # radar and lidar hold it
        track.x[2:] = 0.0
        take_bearings([track], _frame(0.2 * k, 2.0), false_map, counts)
    assert counts.used > 0.9 * counts.total
    assert math.degrees(track.links[Kind.EO].bias_rad) == pytest.approx(2.0, abs=0.7)
    assert abs(track.x[0]) < 0.5 * 100.0 * math.radians(2.0)


def test_a_bearing_of_two_boats_moves_neither() -> None:
    counts = BearingCounts()
    left, right = _track(-1.0, 3.0), _track(1.0, 3.0)
    take_bearings([left, right], _frame(0.1, 0.0), FalseMap(), counts)
    assert (counts.gated, counts.used) == (1, 0)
    assert (left.x[0], right.x[0]) == (-1.0, 1.0)


def test_houses_are_remembered_and_forgotten() -> None:
    false_map, house = FalseMap(), np.array([1.0])
    clear = false_map.density(house)[0]
    for k in range(300):
        false_map.learn(0.2 * k, house, np.ones(1))
    assert false_map.density(house)[0] > 10.0 * clear
    assert false_map.density(np.array([2.0]))[0] == clear
    false_map.learn(300.0, np.empty(0), np.empty(0))
    assert false_map.density(house)[0] == pytest.approx(clear, rel=0.01)


def test_frames_without_tracks_and_tracks_without_bearings() -> None:
    counts = BearingCounts()
    take_bearings([], _frame(0.0, 5.0), FalseMap(), counts)
    empty = Scan(Kind.IR, 0.1, np.zeros(2), np.empty((0, 1)))
    take_bearings([_track(0.0, 1.0)], empty, FalseMap(), counts)
    assert (counts.total, counts.gated, counts.used) == (1, 0, 0)
    assert follow(Fusion(), [], np.array([1.0]))[0].shape == (0, 2)


@pytest.mark.parametrize("number", [2, 4, 13])
def test_four_sensors_are_no_worse_than_radar_and_lidar(number: int) -> None:
    scenario = load(VECTORS / f"scenario{number}")
    two, four = run(scenario, POSITIONS, mutes=()), run(scenario, ALL, mutes=())
    assert four.whole.gospa_m < 1.01 * two.whole.gospa_m
    assert four.whole.rmse_m < 1.01 * two.whole.rmse_m
    assert four.counts.used > 0.5 * four.counts.gated > 0
