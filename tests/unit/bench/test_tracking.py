"""The bench's scenarios and comparisons: a ruler must be checked before it measures."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from bench.tracking import clutter, compare, crowded, large, scenario, skykeep_tracker
from bench.tracking.result import RunResult, ScanTracks
from bench.tracking.scenario import Scenario
from bench.tracking.score import CUTOFF_M, pair_up, score
from bench.tracking.siap import siap


def perfect(made: Scenario) -> RunResult:
    """Tracks that are the truth, a millisecond a scan."""
    return RunResult(np.full(made.scans, 0.001), tuple(map(_as_tracks, made.truth)))


def _as_tracks(now: np.ndarray) -> ScanTracks:
    flying = np.flatnonzero(~np.isnan(now[:, 0]))
    return ScanTracks(flying.astype(np.int64), now[flying, :3], now[flying, 3:])


def shifted(made: Scenario, by_m: float = 5.0) -> RunResult:
    """The same but off on each axis, and six thousand times as fast."""
    good = perfect(made)
    tracks = tuple(replace(t, positions_m=t.positions_m + by_m) for t in good.tracks)
    return RunResult(good.per_scan_s / 6_000.0, tracks)


def nothing(made: Scenario) -> RunResult:
    """No tracks at all."""
    empty = ScanTracks(np.empty(0, np.int64), np.empty((0, 3)), np.empty((0, 3)))
    return RunResult(np.full(made.scans, 0.001), (empty,) * made.scans)


def test_perfect_tracks_score_zero_and_swapped_ids_are_counted() -> None:
    made = scenario.make(drones=5, scans=6, seed=3)
    tracks = perfect(made).tracks
    best = score(made.truth, tracks)
    assert (best.gospa_m, best.missed_per_scan, best.false_per_scan) == (0.0, 0.0, 0.0)
    assert (best.identity_switches, best.ospa_m) == (0, 0.0)
    assert siap(made.truth, tracks).velocity_mps == 0.0
    swapped = list(tracks)
    swapped[4] = replace(swapped[4], ids=swapped[4].ids[::-1] + 100)
    # All drones change to another track and, one scan later, back.
    there = len(np.intersect1d(swapped[4].ids[::-1] - 100, swapped[5].ids))
    assert score(made.truth, swapped).identity_switches == len(swapped[4].ids) + there


def test_no_tracks_miss_everything() -> None:
    made = scenario.make(drones=4, scans=3, seed=1)
    flying = np.sum(~np.isnan(made.truth[:, :, 0]), axis=1)
    result = score(made.truth, nothing(made).tracks)
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


def test_density_and_false_plots_can_be_chosen() -> None:
    made = scenario.make(drones=50, scans=20, seed=1, drones_per_km2=25.0, false_per_scan=300.0)
    assert made.side_m == pytest.approx(1_000.0 * np.sqrt(2.0))
    expected = np.sum(~np.isnan(made.truth[:, :, 0])) * 0.9 + 20 * 300
    assert sum(map(len, made.plots)) == pytest.approx(expected, rel=0.03)
    assert made.false_density_per_m3 * made.side_m**2 * 200.0 == pytest.approx(300.0)


def test_the_other_scenarios_are_as_dense_as_they_say(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clutter, "SCANS", 25)
    cluttered = clutter.make()
    assert (cluttered.side_m, cluttered.truth.shape[1]) == (5_000.0, 50)
    assert np.mean([len(p) for p in cluttered.plots]) == pytest.approx(2_000 + 45, abs=40)
    packed = crowded.make()
    assert (packed.scans, packed.truth.shape[1]) == (60, 1_000)
    assert packed.side_m == pytest.approx(6_324.6, abs=0.1)


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
    monkeypatch.setattr(compare, "SCANS", 4)

    def times(own: compare.Runner, peer: compare.Runner) -> dict[str, object]:
        found = compare.compare({compare.KERNEL: own, compare.PEER: peer}, 6, (1, 2))
        return {f.name: f for f in found}

    name = f"6 targets: {compare.KERNEL}, as fast as Stone Soup"
    slow = times(perfect, shifted)[name]
    assert (slow.measured, slow.verdict) == (pytest.approx(1 / 6_000), "below half its aim")
    worse = times(shifted, perfect)[name]
    assert (worse.measured, worse.verdict) == (pytest.approx(6_000.0), "spoiled")
    faster = times(lambda m: replace(shifted(m), tracks=perfect(m).tracks), perfect)
    assert faster[name].verdict == "holds"
    assert "SIAP: completeness 1.000" in faster[f"6 targets: {compare.KERNEL}, GOSPA"].note


def test_too_few_tracked_spoil_the_crowded_figure() -> None:
    made = scenario.make(20, 5, 1)
    runs = (lambda m: shifted(m, 1.0), shifted, nothing)
    near, off, none = (compare.outcome(run, made) for run in runs)
    assert crowded.shown(near, off)[0].measured == pytest.approx(0.2)
    assert crowded.shown(near, off)[0].verdict == "holds"
    assert crowded.shown(off, off)[0].verdict == "below its aim"
    assert crowded.shown(none, off)[0].verdict == "spoiled"


def test_a_large_figure_says_what_was_missed() -> None:
    got = large.measure(nothing, 10, 4, 2.0)
    assert (got.measured, got.verdict) == (1.0, "holds")
    assert "in the last scan 100.0% missed, 0.0% false" in got.note


def test_clutter_by_hand() -> None:
    # One drone from the start and one from the second scan on, at 0 and at 1,000 m.
    truth = np.zeros((4, 2, 6))
    truth[:, 1, 0], truth[0, 1] = 1_000.0, np.nan

    def at(*tracks: tuple[int, float]) -> ScanTracks:
        places_m = np.array([[x, 0.0, 0.0] for _, x in tracks]).reshape(-1, 3)
        return ScanTracks(np.array([i for i, _ in tracks], np.int64), places_m, 0.0 * places_m)

    # Track 7 is of the first drone, 8 is false, 9 drifts off for one scan of three.
    tracks = [at(), at((8, 500.0)), at((7, 5.0), (8, 500.0), (9, 1_000.0)), at((9, 999.0))]
    tracks = [*tracks, at((9, 700.0))]
    truth = np.vstack([truth, truth[3:]])
    assert clutter.confirm_times_s(truth, tracks) == [2.0, 1.0]
    assert clutter.false_tracks(truth, tracks) == 1
    made = Scenario(1, truth, ((np.zeros((0, 3)),) * 5), 1.0, 1.0)
    got = clutter.measure(made, RunResult(np.array([0.001] * 4 + [0.002]), tuple(tracks)))
    assert got.false_tracks_per_h == pytest.approx(3_600.0 / 5)
    assert got.confirm_s == 1.5
    assert got.completeness == pytest.approx(3 / 9)
    assert got.p99_ms == pytest.approx(1.96)
    cut = clutter.measure(made, RunResult(np.array([0.001] * 2), tuple(tracks[:2])))
    assert (cut.scans, cut.confirm_s) == (2, float("inf"))


def test_the_public_call_gives_the_tracks_of_the_scan_alone() -> None:
    made = scenario.make(drones=20, scans=8, seed=4)
    alone, handed = skykeep_tracker.run(made), skykeep_tracker.run_batches(made)
    assert len(alone.tracks[-1].ids) > 10
    for one, other in zip(alone.tracks, handed.tracks, strict=True):
        np.testing.assert_array_equal(one.ids, other.ids)
        np.testing.assert_allclose(one.positions_m, other.positions_m, atol=1e-3)
