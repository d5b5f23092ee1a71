"""GOSPA, OSPA and SIAP against cases done by hand and against every possible pairing."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.tracking import score as scoring
from bench.tracking.result import ScanTracks
from bench.tracking.score import CUTOFF_M, gospa, ospa, pair_up, score
from bench.tracking.siap import fewest_changes, siap


def pairings(drones: int, tracks: int) -> list[list[tuple[int, int]]]:
    """Every way to pair some of the drones with some of the tracks."""
    return [
        list(zip(rows, columns, strict=True))
        for size in range(min(drones, tracks) + 1)
        for rows in itertools.combinations(range(drones), size)
        for columns in itertools.permutations(range(tracks), size)
    ]


def literal_gospa(truth_m: np.ndarray, tracks_m: np.ndarray, cutoff_m: float) -> float:
    """The cheapest pairing: what is alone costs half the square of the cutoff."""
    costs = [
        sum(float(np.sum((truth_m[i] - tracks_m[j]) ** 2)) for i, j in pairs)
        + (len(truth_m) + len(tracks_m) - 2 * len(pairs)) * cutoff_m**2 / 2.0
        for pairs in pairings(len(truth_m), len(tracks_m))
    ]
    return math.sqrt(min(costs))


def literal_ospa(truth_m: np.ndarray, tracks_m: np.ndarray, cutoff_m: float) -> float:
    """The cheapest pairing of all of the fewer with some of the more, distances cut off."""
    fewer, more = sorted((len(truth_m), len(tracks_m)))
    if more == 0:
        return 0.0
    costs = [
        sum(min(float(np.linalg.norm(truth_m[i] - tracks_m[j])), cutoff_m) ** 2 for i, j in pairs)
        for pairs in pairings(len(truth_m), len(tracks_m))
        if len(pairs) == fewer
    ]
    return math.sqrt((min(costs) + (more - fewer) * cutoff_m**2) / more)


_points = st.lists(st.tuples(*[st.integers(0, 120)] * 3), max_size=4).map(
    lambda rows: np.array(rows, np.float64).reshape(-1, 3)
)


@given(_points, _points)
@settings(max_examples=80, deadline=None)
def test_gospa_and_ospa_are_those_of_the_cheapest_pairing(
    truth_m: np.ndarray, tracks_m: np.ndarray
) -> None:
    assert gospa(truth_m, tracks_m) == pytest.approx(literal_gospa(truth_m, tracks_m, CUTOFF_M))
    assert ospa(truth_m, tracks_m) == pytest.approx(literal_ospa(truth_m, tracks_m, CUTOFF_M))


@given(_points, _points)
@settings(max_examples=80, deadline=None)
def test_looking_at_neighbours_alone_finds_as_good_a_pairing(
    truth_m: np.ndarray, tracks_m: np.ndarray
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scoring, "DENSE_PAIRS", -1)
        found = gospa(truth_m, tracks_m)
    assert found == pytest.approx(literal_gospa(truth_m, tracks_m, CUTOFF_M))


def test_many_neighbours_are_paired_as_one_matrix_would_pair_them() -> None:
    rng = np.random.default_rng(5)
    truth_m, tracks_m = rng.uniform(0.0, 900.0, (150, 2)), rng.uniform(0.0, 900.0, (140, 2))
    rows, columns, distance = pair_up(truth_m, tracks_m, 70.0)
    assert len(truth_m) * len(tracks_m) > scoring.DENSE_PAIRS
    assert len(set(rows)) == len(set(columns)) == len(rows)
    np.testing.assert_allclose(np.linalg.norm(truth_m[rows] - tracks_m[columns], axis=1), distance)
    _, _, dense = scoring._pair_all(truth_m, tracks_m, 70.0)
    # Whatever the pairs, what they save is the same.
    assert np.sum(70.0**2 - distance**2) == pytest.approx(np.sum(70.0**2 - dense**2))


def test_a_pair_beyond_the_cutoff_is_a_miss_and_a_false_track() -> None:
    truth_m, tracks_m = np.zeros((1, 3)), np.array([[CUTOFF_M + 1.0, 0.0, 0.0]])
    assert len(pair_up(truth_m, tracks_m)[0]) == 0
    assert gospa(truth_m, tracks_m) == pytest.approx(CUTOFF_M)
    assert ospa(truth_m, tracks_m) == pytest.approx(CUTOFF_M)


def test_by_hand_one_of_two_drones_tracked_three_metres_off() -> None:
    truth_m = np.array([[0.0, 0.0, 0.0], [1_000.0, 0.0, 0.0]])
    tracks_m = np.array([[3.0, 0.0, 0.0]])
    assert gospa(truth_m, tracks_m) == pytest.approx(math.sqrt(9.0 + 1_800.0))
    assert ospa(truth_m, tracks_m) == pytest.approx(math.sqrt((9.0 + 3_600.0) / 2.0))
    assert ospa(truth_m[:0], tracks_m[:0]) == 0.0


def shown(*tracks: tuple[int, float, float]) -> ScanTracks:
    """Tracks given as number, east in m, eastward speed in m/s."""
    rows = np.array(tracks, np.float64).reshape(-1, 3)
    positions_m, velocities_mps = np.zeros((2, len(rows), 3))
    positions_m[:, 0], velocities_mps[:, 0] = rows[:, 1], rows[:, 2]
    return ScanTracks(rows[:, 0].astype(np.int64), positions_m, velocities_mps)


def test_score_by_hand() -> None:
    truth = np.zeros((2, 1, 6))
    result = score(truth, [shown((1, 3.0, 0.0)), shown((2, 4.0, 0.0), (1, 500.0, 0.0))])
    second_m = math.sqrt(16.0 + 1_800.0)
    assert result.gospa_m == pytest.approx((3.0 + second_m) / 2.0)
    assert result.gospa_rms_m == pytest.approx(math.sqrt((9.0 + second_m**2) / 2.0))
    assert result.ospa_m == pytest.approx((3.0 + math.sqrt((16.0 + 3_600.0) / 2.0)) / 2.0)
    assert result.localisation_rmse_m == pytest.approx(math.sqrt(12.5))
    assert (result.missed_per_scan, result.false_per_scan) == (0.0, 0.5)
    assert result.identity_switches == 1


def test_siap_by_hand() -> None:
    # Two drones, at 0 and 1,000 m, the second in the first two scans alone, both at 10 m/s.
    truth = np.zeros((3, 2, 6))
    truth[:, 1, 0], truth[:, :, 3] = 1_000.0, 10.0
    truth[2, 1] = np.nan
    tracks = [
        shown((1, 2.0, 10.0), (2, 4.0, 13.0)),  # two tracks of the first drone
        shown((2, 6.0, 10.0), (3, 1_008.0, 10.0), (4, 500.0, 0.0)),  # and one of none
        shown((5, 0.0, 12.0)),
    ]
    result = siap(truth, tracks)
    assert result.completeness == pytest.approx(4 / 5)
    assert result.ambiguity == pytest.approx(5 / 4)
    assert result.spuriousness == pytest.approx(1 / 6)
    assert result.position_m == pytest.approx((2.0 + 4.0 + 6.0 + 8.0 + 0.0) / 5)
    assert result.velocity_mps == pytest.approx((0.0 + 3.0 + 0.0 + 0.0 + 2.0) / 5)
    # The first drone can be covered with 2, 2, 5.
    assert result.id_changes == 1


def test_siap_without_any_track() -> None:
    result = siap(np.zeros((2, 3, 6)), [shown(), shown()])
    assert (result.completeness, result.spuriousness, result.id_changes) == (0.0, 0.0, 0)
    assert math.isnan(result.position_m)


@given(st.lists(st.sets(st.integers(0, 3), min_size=1), max_size=6))
@settings(max_examples=80, deadline=None)
def test_no_choice_of_tracks_has_fewer_changes(held: list[set[int]]) -> None:
    literal = min(
        sum(a != b for a, b in itertools.pairwise(choice)) for choice in itertools.product(*held)
    )
    assert fewest_changes(held) == literal
