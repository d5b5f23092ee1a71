"""Bearings beside radar and lidar through the core's tracker, on recordings of boats."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bench.autoferry.loader import ALL, POSITIONS, Kind, Scan, load
from bench.autoferry.run import follow, pooled, run
from bench.autoferry.through import Fusion

VECTORS = Path(__file__).parents[2] / "vectors" / "autoferry"


def test_frames_without_tracks_are_counted_and_show_nothing() -> None:
    fusion = Fusion()
    fusion.take(Scan(Kind.EO, 100.0, np.zeros(2), np.array([[0.1]])))
    fusion.take(Scan(Kind.IR, 100.1, np.zeros(2), np.empty((0, 1))))
    assert (fusion.counts.total, fusion.counts.gated, fusion.counts.used) == (1, 0, 0)
    assert follow(Fusion(), [], np.array([1.0]))[0].shape == (0, 2)


@pytest.mark.parametrize("number", [2, 4, 13])
def test_four_sensors_are_no_worse_than_radar_and_lidar(number: int) -> None:
    scenario = load(VECTORS / f"scenario{number}")
    two, four = run(scenario, POSITIONS), run(scenario, ALL)
    assert four.whole.gospa_m < 1.01 * two.whole.gospa_m
    assert four.whole.rmse_m < 1.01 * two.whole.rmse_m
    assert four.counts.used > 0.5 * four.counts.gated > 0
    less, more = pooled(two.muted), pooled(four.muted)
    assert more[0] < 1.001 * less[0]
    assert more[1] < less[1]
