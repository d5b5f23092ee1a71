"""Bearings: taken by the one track they fit, left out where two do."""

from __future__ import annotations

import math

import numpy as np
import pytest

from skykeep.core.observation import Coverage
from skykeep.core.track.tracker import (
    Tracker,
    TrackerConfig,
)
from skykeep.units import NS_PER_S
from tests.reference import radar

VIEW, CONFIG = radar.view(), TrackerConfig()


def _with_tracks(*places: tuple[float, float, float]) -> Tracker:
    """Confirmed tracks that stand still at these places at second 9."""
    tracker = Tracker()
    for k in range(10):
        tracker.scan(k * NS_PER_S, radar.plots_at(np.array(places)), VIEW, True)
    assert tracker.confirmed().number.tolist() == list(range(1, len(places) + 1))
    return tracker


def number_at(tracker: Tracker, place: tuple[float, ...]) -> int:
    """The number of the track nearest to a place."""
    held = tracker.confirmed()
    return int(held.number[np.linalg.norm(held.x[:, :3] - place, axis=1).argmin()])


AT_NS = 9 * NS_PER_S


@pytest.mark.parametrize("turns", [-1, 0, 1])
@pytest.mark.parametrize("off_rad", [-0.02, 0.02])
def test_a_bearing_across_north_is_taken(turns: int, off_rad: float) -> None:
    tracker = _with_tracks((0.0, 2000.0, 100.0), (2000.0, 0.0, 100.0))
    fits, before = number_at(tracker, (0.0, 2000.0, 100.0)) - 1, tracker.confirmed().x
    azimuth = off_rad + turns * 2.0 * math.pi
    assert tracker.bearing(AT_NS, azimuth, 0.03, VIEW) == (fits + 1, False)
    after = tracker.confirmed().x
    assert 0.0 < (after[fits, 0] - before[fits, 0]) * math.copysign(1.0, off_rad) < 40.0
    assert (after[1 - fits] == before[1 - fits]).all()


def test_an_ambiguous_bearing_is_left_out() -> None:
    tracker = _with_tracks((0.0, 2000.0, 100.0), (30.0, 3000.0, 100.0))
    before = tracker.snapshot()
    assert tracker.bearing(AT_NS, 0.0, 0.05, VIEW) == (0, True)
    assert tracker.snapshot() == before


@pytest.mark.parametrize("swapped", [False, True])
def test_a_rival_much_less_likely_does_not_make_it_ambiguous(swapped: bool) -> None:
    fits, rival = (0.0, 2000.0, 100.0), (2000.0 * math.sin(0.12), 2000.0 * math.cos(0.12), 100.0)
    tracker = _with_tracks(*((rival, fits) if swapped else (fits, rival)))
    assert tracker.bearing(AT_NS, 0.0, 0.045, VIEW) == (number_at(tracker, fits), False)
    assert tracker.bearing(AT_NS, 0.05, 0.045, VIEW) == (0, True)


def test_a_bearing_that_fits_nothing_is_no_ones() -> None:
    tracker = _with_tracks((0.0, 2000.0, 100.0))
    before = tracker.snapshot()
    assert tracker.bearing(AT_NS, math.pi, 0.05, VIEW) == (0, False)
    assert tracker.bearing(AT_NS, 0.3, 0.05, VIEW) == (0, False)
    assert tracker.bearing(AT_NS, 0.0, 0.05, radar.looking(Coverage(0.0, 1000.0))) == (0, False)
    assert tracker.snapshot() == before
    assert Tracker().bearing(AT_NS, 0.0, 0.05, VIEW) == (0, False)


def test_a_tentative_track_takes_no_bearing() -> None:
    tracker = Tracker()
    tracker.scan(AT_NS, radar.plots_at(np.array([[0.0, 2000.0, 100.0]])), VIEW, True)
    assert tracker.bearing(AT_NS, 0.0, 0.05, VIEW) == (0, False)


def test_a_bearing_is_the_drones_rather_than_the_birds() -> None:
    tracker = _with_tracks((0.0, 2000.0, 100.0), (30.0, 3000.0, 100.0))
    plots = radar.plots_at(np.array([[0.0, 2000.0, 100.0], [30.0, 3000.0, 100.0]]))
    plots.kinds[:] = [[-4.0, 0.0, -4.0, -4.0], [0.0, -4.0, -4.0, -4.0]]
    tracker.scan(AT_NS, plots, VIEW, True)
    assert tracker.bearing(AT_NS, 0.0, 0.05, VIEW) == (2, False)


def test_a_vague_track_is_no_rival_of_a_sharp_one() -> None:
    """Both lie on the bearing; the vague one could as well lie anywhere around."""
    tracker = Tracker()
    for k in range(10):
        plots = radar.plots_at(np.array([[0.0, 3000.0, 100.0], [0.0, 2000.0, 100.0]]))
        plots.r[1], plots.log_clutter[1] = np.eye(3) * 800.0**2, -60.0
        sharp, vague = tracker.scan(k * NS_PER_S, plots, VIEW, True).tolist()
        assert {sharp, vague} == {1, 2}
    assert tracker.confirmed().number.tolist() == [1, 2]
    assert tracker.bearing(AT_NS, 0.0, 0.003, VIEW) == (sharp, False)


def test_a_bearing_moves_the_track_on_and_keeps_it_alive() -> None:
    tracker = _with_tracks((0.0, 2000.0, 100.0))
    later_ns = AT_NS + 10 * NS_PER_S
    assert tracker.bearing(later_ns, 0.0, 0.05, VIEW) == (1, False)
    held = tracker.confirmed()
    assert (held.time_ns.tolist(), held.last_ns.tolist()) == ([later_ns], [later_ns])
    tracker.prune(AT_NS + CONFIG.coast_ns + NS_PER_S)
    assert tracker.count == 1


def test_a_late_bearing_is_held_against_where_the_target_then_was() -> None:
    tracker = Tracker()
    for k in range(20):
        place = np.array([[-950.0 + 50.0 * k, 1000.0, 100.0]])
        tracker.scan(k * NS_PER_S, radar.plots_at(place), VIEW, True)
    before = tracker.confirmed().x[0].copy()
    then = before[:2] - 1.5 * before[3:5]
    late_ns = 19 * NS_PER_S - 3 * NS_PER_S // 2
    assert tracker.bearing(late_ns, math.atan2(*then), 0.02, VIEW) == (1, False)
    held = tracker.confirmed()
    assert held.x[0] == pytest.approx(before, abs=1e-3)
    assert (held.time_ns[0], held.last_ns[0]) == (19 * NS_PER_S, 19 * NS_PER_S)


def test_a_bearing_older_than_the_window_is_not_used() -> None:
    tracker = _with_tracks((0.0, 2000.0, 100.0))
    assert tracker.bearing(AT_NS - CONFIG.late_ns - 1, 0.0, 0.05, VIEW) == (0, False)
    assert tracker.bearing(AT_NS - CONFIG.late_ns, 0.0, 0.05, VIEW) == (1, False)


def test_a_late_bearing_of_a_target_now_overhead_does_no_harm() -> None:
    """A second ago it was 15 m away, now it is right over the sensor."""
    tracker, seen_by = Tracker(), radar.looking(Coverage(0.0, 6000.0))
    for k in range(20):
        place = np.array([[-15.0 * (19 - k), 0.0, 100.0]])
        tracker.scan(k * NS_PER_S, radar.plots_at(place, 0.1, -24.0), seen_by, True)
    assert np.linalg.norm(tracker.confirmed().x[0, :2]) < 0.5
    assert tracker.bearing(18 * NS_PER_S, 1.5 * math.pi, 0.05, seen_by) == (1, False)
    assert np.isfinite(tracker.confirmed().x).all()
