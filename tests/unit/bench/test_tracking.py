"""The bench's own scenario and scorer: a ruler must be checked before it measures."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.tracking import compare, scenario
from bench.tracking.result import RunResult, ScanTracks
from bench.tracking.scenario import Scenario
from bench.tracking.score import CUTOFF_M, gospa, pair_up, score


def literal_gospa(truth_m: np.ndarray, tracks_m: np.ndarray, cutoff_m: float) -> float:
    """Every way to pair some of the drones with some of the tracks, and the cheapest of them."""
    best = np.inf
    for size in range(min(len(truth_m), len(tracks_m)) + 1):
        for rows in itertools.combinations(range(len(truth_m)), size):
            for columns in itertools.permutations(range(len(tracks_m)), size):
                cost = sum(
                    float(np.sum((truth_m[i] - tracks_m[j]) ** 2))
                    for i, j in zip(rows, columns, strict=True)
                )
                alone = len(truth_m) + len(tracks_m) - 2 * size
                best = min(best, cost + alone * cutoff_m**2 / 2.0)
    return float(np.sqrt(best))


_points = st.lists(st.tuples(*[st.integers(0, 120)] * 3), max_size=4).map(
    lambda rows: np.array(rows, np.float64).reshape(-1, 3)
)


@given(_points, _points)
@settings(max_examples=80, deadline=None)
def test_gospa_is_the_cheapest_pairing(truth_m: np.ndarray, tracks_m: np.ndarray) -> None:
    assert gospa(truth_m, tracks_m) == pytest.approx(literal_gospa(truth_m, tracks_m, CUTOFF_M))


def test_a_pair_beyond_the_cutoff_is_a_miss_and_a_false_track() -> None:
    truth_m, tracks_m = np.zeros((1, 3)), np.array([[CUTOFF_M + 1.0, 0.0, 0.0]])
    assert len(pair_up(truth_m, tracks_m)[0]) == 0
    assert gospa(truth_m, tracks_m) == pytest.approx(CUTOFF_M)


def _perfect(made: Scenario) -> RunResult:
    shown = []
    for now in made.truth:
        flying = np.flatnonzero(~np.isnan(now[:, 0]))
        shown.append(ScanTracks(flying.astype(np.int64), now[flying, :3]))
    return RunResult(np.full(made.scans, 0.001), tuple(shown))


def test_perfect_tracks_score_zero_and_swapped_ids_are_counted() -> None:
    made = scenario.make(drones=5, scans=6, seed=3)
    perfect = _perfect(made)
    best = score(made.truth, perfect.tracks)
    assert (best.gospa_m, best.missed_per_scan, best.false_per_scan) == (0.0, 0.0, 0.0)
    assert best.identity_switches == 0
    swapped = list(perfect.tracks)
    swapped[4] = ScanTracks(swapped[4].ids[::-1] + 100, swapped[4].positions_m)
    # All drones change to another track and, one scan later, back.
    there = len(np.intersect1d(swapped[4].ids[::-1] - 100, swapped[5].ids))
    assert score(made.truth, swapped).identity_switches == len(swapped[4].ids) + there


def test_no_tracks_miss_everything() -> None:
    made = scenario.make(drones=4, scans=3, seed=1)
    nothing = [ScanTracks(np.empty(0, np.int64), np.empty((0, 3)))] * 3
    flying = np.sum(~np.isnan(made.truth[:, :, 0]), axis=1)
    result = score(made.truth, nothing)
    assert result.missed_per_scan == np.mean(flying)
    assert result.gospa_m == pytest.approx(np.mean(np.sqrt(flying * CUTOFF_M**2 / 2)))
    assert np.isnan(result.localisation_rmse_m)


def test_the_scenario_is_what_it_says() -> None:
    made = scenario.make(drones=400, scans=40, seed=7)
    flying = ~np.isnan(made.truth[:, :, 0])
    plots = sum(map(len, made.plots))
    expected = flying.sum() * 0.9 + 40 * 200
    assert plots == pytest.approx(expected, rel=0.02)
    assert (400 / (made.side_m / 1000.0) ** 2) == pytest.approx(2.0)
    walls_m = [made.side_m, made.side_m, scenario.BOX_HEIGHT_M]
    inside = made.truth[flying]
    assert (inside[:, :3] >= 0).all()
    assert (inside[:, :3] <= walls_m).all()
    # The spread of one second's change in velocity, away from the walls, is the density's.
    change = np.diff(made.truth[:, :, 3:], axis=0)
    calm = np.abs(change[..., 0]) < 6.0
    assert np.nanstd(change[..., 0][calm]) == pytest.approx(1.0, abs=0.03)
    assert np.nanstd(change[..., 2][np.abs(change[..., 2]) < 1.8]) == pytest.approx(0.3, abs=0.02)
    # A plot's noise is 10 m on each axis: the nearest of a lone drone's plots shows it.
    _, _, distance = pair_up(made.truth[0, flying[0], :3], made.plots[0])
    assert np.sqrt(np.mean(distance**2) / 3.0) == pytest.approx(10.0, abs=1.0)


def test_a_reflected_drone_leaves_the_wall() -> None:
    made = scenario.make(drones=50, scans=60, seed=2)
    position, rate = made.truth[:, :, :2], made.truth[:, :, 3:5]
    step = np.diff(position, axis=0)
    reflected = np.abs(step - (rate[1:] + rate[:-1]) / 2.0) > 3.0
    assert reflected.any()
    assert not (reflected[1:] & reflected[:-1]).any()


def test_the_same_seed_gives_the_same_plots_and_another_does_not() -> None:
    one, same, other = (scenario.make(10, 5, seed) for seed in (1, 1, 2))
    assert all(np.array_equal(a, b) for a, b in zip(one.plots, same.plots, strict=True))
    assert not np.array_equal(one.truth, other.truth)


def test_a_faster_but_worse_tracker_spoils_the_figure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compare, "DRONES", 6)
    monkeypatch.setattr(compare, "SCANS", 4)

    def shifted(made: Scenario) -> RunResult:
        good = _perfect(made)
        tracks = tuple(ScanTracks(t.ids, t.positions_m + 5.0) for t in good.tracks)
        return RunResult(good.per_scan_s / 600.0, tracks)

    good_but_slow = compare.compare(_perfect, shifted)[2]
    assert good_but_slow.measured == pytest.approx(1 / 600.0)
    assert good_but_slow.verdict == "below half its aim"
    fast_but_worse = compare.compare(shifted, _perfect)[2]
    assert fast_but_worse.measured == pytest.approx(600.0)
    assert fast_but_worse.fails
