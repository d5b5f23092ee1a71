"""The reader of the Autoferry scenarios and their scorer, on made rows and on the real files."""

from __future__ import annotations

import gzip
import json
import math
from pathlib import Path

import numpy as np
import pytest

from bench.autoferry.loader import BEARINGS, Kind, Path2D, load, read_paths, read_scans
from bench.autoferry.score import CUTOFF_M, grid_s, score
from skykeep.errors import InputError

VECTORS = Path(__file__).parents[2] / "vectors" / "autoferry"


def _row(sensor: int, measurement: object, time_s: float = 10.0) -> dict[str, object]:
    return {
        "sensorID": sensor,
        "time": time_s,
        "ownshipPosition": [100.0, 20.0],
        "measurement": measurement,
    }


@pytest.mark.parametrize(
    ("measurement", "east_north_m"),
    [
        ([3.0, 4.0], [[24.0, 103.0]]),
        ([[3.0], [4.0]], [[24.0, 103.0]]),
        ([[3.0, 5.0], [4.0, 6.0]], [[24.0, 103.0], [26.0, 105.0]]),
        ([3.0, 5.0, 4.0, 6.0], [[24.0, 103.0], [26.0, 105.0]]),
        ([], np.empty((0, 2))),
        (None, np.empty((0, 2))),
    ],
)
def test_positions_are_norths_then_easts_from_the_ship(
    measurement: object, east_north_m: list[list[float]]
) -> None:
    (scan,), faults = read_scans([_row(Kind.RADAR, measurement)])
    assert not faults
    np.testing.assert_allclose(scan.values, east_north_m)
    np.testing.assert_allclose(scan.own_m, [20.0, 100.0])


@pytest.mark.parametrize("measurement", [-0.5, [-0.5], [[-0.5]]])
def test_a_bearing_may_stand_alone_and_is_turned_to_a_full_circle(measurement: object) -> None:
    (scan,), _ = read_scans([_row(Kind.EO, measurement)])
    np.testing.assert_allclose(scan.values, [[2.0 * math.pi - 0.5]])


def test_rows_that_cannot_be_used_cost_no_other_row() -> None:
    rows: list[object] = [
        _row(Kind.RADAR, [1.0, 2.0], time_s=12.0),
        _row(Kind.RADAR, [1.0, 2.0, 3.0]),
        _row(Kind.LIDAR, [math.nan, 2.0]),
        _row(9, [1.0, 2.0]),
        {"sensorID": 2},
        7,
        _row(Kind.IR, 1.0, time_s=11.0),
    ]
    scans, faults = read_scans(rows)
    assert [s.time_s for s in scans] == [11.0, 12.0]
    assert [f.split(":")[0] for f in faults] == [f"row {n}" for n in (1, 2, 3, 4, 5)]


def test_truth_is_one_path_a_boat() -> None:
    def point(target: int, time_s: float, north_m: float) -> dict[str, object]:
        return {"targetID": target, "time": time_s, "position": [north_m, 7.0, 0]}

    rows = [
        [point(1, 1.0, 10.0), point(2, 1.0, 50.0)],
        [point(1, 1.0, 10.0), {"targetID": 2}],
        [point(1, 2.0, 12.0), point(2, 5.0, 58.0)],
    ]
    first, second = read_paths(rows)
    np.testing.assert_allclose(first.at(1.25), [7.0, 10.5])
    np.testing.assert_allclose(first.at(2.0), [7.0, 12.0])
    assert first.at(0.9) is None
    assert first.at(2.1) is None
    assert second.at(3.0) is None  # a gap of 4 s


@pytest.mark.parametrize("number", [2, 4, 13])
def test_the_real_scenarios_are_read_whole(number: int) -> None:
    scenario = load(VECTORS / f"scenario{number}")
    assert not scenario.faults
    assert {s.kind for s in scenario.scans} == set(Kind)
    assert [p.target for p in scenario.paths] == [1, 2]
    times_s = [s.time_s for s in scenario.scans]
    assert times_s == sorted(times_s)
    # Most camera scans have a bearing of a boat within 5 degrees: north and clockwise are right.
    near = 0
    looks = [s for s in scenario.scans if s.kind in BEARINGS and len(s.values)]
    for scan in looks:
        for path in scenario.paths:
            place_m = path.at(scan.time_s)
            if place_m is not None:
                east_m, north_m = place_m - scan.own_m
                off = scan.values[:, 0] - math.atan2(east_m, north_m)
                off = (off + math.pi) % (2.0 * math.pi) - math.pi
                near += bool(np.abs(off).min() < math.radians(5.0))
    assert near > 0.75 * len(looks)


def test_a_folder_without_a_scenario_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="detections"):
        load(tmp_path)
    (tmp_path / "a_detections.json.gz").write_bytes(b"no gzip")
    with pytest.raises(InputError, match="not readable"):
        load(tmp_path)
    (tmp_path / "a_detections.json.gz").write_bytes(gzip.compress(json.dumps([7]).encode()))
    with pytest.raises(InputError, match="no row"):
        load(tmp_path)


def _path(target: int, east_m: float) -> Path2D:
    times_s = np.arange(0.0, 11.0)
    return Path2D(target, times_s, np.column_stack([np.full(11, east_m), 2.0 * times_s]))


def test_scores_of_known_errors() -> None:
    paths = [_path(1, 0.0), _path(2, 100.0)]
    times_s = np.array([1.5, 2.5])
    truth_m = [np.array([[0.0, 2.0 * t], [100.0, 2.0 * t]]) for t in times_s]
    perfect = score(paths, times_s, truth_m)
    assert (perfect.gospa_m, perfect.rmse_m, perfect.missed, perfect.false) == (0.0, 0.0, 0.0, 0.0)
    off = score(paths, times_s, [t + np.array([3.0, 4.0]) for t in truth_m])
    assert off.rmse_m == pytest.approx(5.0)
    assert off.gospa_m == pytest.approx(math.sqrt(50.0))
    one = score(paths, times_s, [truth_m[0][:1], np.vstack([truth_m[1], [[50.0, 50.0]]])])
    assert (one.missed, one.false, one.rmse_m) == (0.5, 0.5, 0.0)
    assert one.gospa_m == pytest.approx(CUTOFF_M / math.sqrt(2.0))
    late = score(paths, times_s, [np.empty((0, 2)), truth_m[1]], np.array([False, True]))
    assert (late.gospa_m, late.seconds) == (0.0, 1)


def test_scoring_is_where_there_are_scans_and_truth() -> None:
    scenario = load(VECTORS / "scenario4")
    times_s = grid_s(scenario)
    assert all(p.at(float(t)) is not None for p in scenario.paths for t in times_s[[0, -1]])
    assert len(times_s) == pytest.approx(99, abs=1)
