"""Sensors at work: health, turns, and what a turn without any plot says."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from skykeep.core.airspace import Airspace
from skykeep.core.event import TrackEnded, TrackStarted, VerdictChanged
from skykeep.core.observation import Form, SensorKind
from skykeep.core.stations import SILENT, WORKING, Stations, seen_by
from skykeep.core.zone import WithdrawZone
from tests.sky import FRAME, OFFICER, RADAR, at, batch, engine, only, plots, sensor, zone_named

TURNING = sensor("turning", SensorKind.RADAR, period_s=1.0, false_per_turn=1.0)


def followed(made: Airspace) -> int:
    """A target hovering in view for eight turns, as radar plots; returns the last second."""
    for second in range(1, 9):
        plot = replace(
            batch(TURNING, float(second), Form.POLAR, [(1_000.0, 45.0, 10.0)], (10.0, 0.4, 1.0)),
        )
        made.receive(plot)
        made.advance(at(second))
    return 8


def test_turns_without_any_plot_end_a_track_by_its_misses() -> None:
    made = engine(sensors=(TURNING,))
    second = followed(made)
    ended = []
    while not ended and second < 30:
        second += 1
        made.receive(batch(TURNING, float(second), Form.POLAR, [], (10.0, 0.4, 1.0)))
        ended = only(made.advance(at(second)), TrackEnded)
    assert second - 8 <= 7  # five or six misses, not the 15 s of a track nobody looks at


def test_a_batch_that_is_no_turn_counts_no_misses() -> None:
    made = engine(sensors=(TURNING,))
    second = followed(made)
    for tenth in range(1, 40):  # forty empty batches within four turns
        made.receive(batch(TURNING, second + tenth / 10.0, Form.POLAR, [], (10.0, 0.4, 1.0)))
    assert only(made.advance(at(second + 4.0)), TrackEnded) == []


def test_a_withdrawn_zone_tells_who_is_no_longer_in_it() -> None:
    made = engine(zone_named(), sensors=(RADAR,))
    said = []
    for second in range(1, 9):
        made.receive(plots(float(second), (50.0, 50.0, 100.0)))
        said += made.advance(at(second))
    assert only(said, TrackStarted)
    assert only(said, VerdictChanged)[-1].presence == "inside"
    withdrawn = made.apply(WithdrawZone(OFFICER, zone_named().zone_id, "over"), at(9.0))
    (gone,) = only(withdrawn, VerdictChanged)
    assert gone.presence == "gone"
    assert only(made.advance(at(10.0)), VerdictChanged) == []


def test_a_sensor_falls_silent_after_three_periods_and_works_again() -> None:
    stations = Stations(FRAME)
    stations.register(replace(TURNING, period_s=2.0), at(0.0))
    station = stations.by_id[TURNING.sensor_id]
    assert stations.heard(station, at(1.0))
    assert station.health == WORKING
    assert stations.fallen_silent(at(7.0)) == []
    assert stations.fallen_silent(at(7.1)) == [TURNING.sensor_id]
    assert station.health == SILENT
    assert stations.fallen_silent(at(9.0)) == []  # told once
    assert stations.measuring() == []
    assert stations.heard(station, at(10.0))
    assert [v.sensor.sensor_id for v in stations.measuring()] == [TURNING.sensor_id]


def test_a_place_is_seen_where_any_sensor_covers_it() -> None:
    near = sensor("near", SensorKind.RADAR)
    stations = Stations(FRAME)
    stations.register(near, at(0.0))
    stations.heard(stations.by_id[near.sensor_id], at(0.0))
    places = np.array([[0.0, 0.0, 10.0], [50_000.0, 0.0, 10.0]])
    assert seen_by(stations.measuring(), places).tolist() == [True, False]
    assert seen_by([], places).tolist() == [False, False]
