"""Launch regions: they hold the true launch as often as they say, and follow the blind spots."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np
import pytest

from skykeep.core.geo import F64
from skykeep.core.observation import Coverage, SensorKind
from skykeep.core.origin import FlightModel, Watch, launch_region, watch_of
from skykeep.core.region import Region
from skykeep.core.track.tracker import view_of
from tests.reference.launches import Radar, fly
from tests.sky import FRAME, sensor

#: The first detection of a track, its velocity as it is known a few turns later.
SIGMAS = np.array([10.0, 10.0, 12.0, 1.5, 1.5, 0.8])
P = np.diag(SIGMAS**2)
#: Batteries for 5 to 15 minutes: the same model, its flights played in reasonable time.
MODEL = FlightModel(endurance_least_s=300.0, endurance_most_s=900.0)
#: Beyond the longest way that any flight has, and the farthest edge of coverage.
HALF_M = 25.0 * 900.0 + 5_000.0

LAYOUTS = {
    "one radar": [Radar((0, 0, 10), 5_000, (0, 360), (1.0, 60), 1.0, 0.9)],
    "two radars, one blind to the north": [
        Radar((0, 0, 10), 5_000, (30, 330), (1.0, 60), 1.0, 0.9),
        Radar((3_000, 500, 20), 3_000, (0, 360), (2.0, 60), 2.5, 0.8),
    ],
    "beside a building": [Radar((0, 0, 25), 4_000, (90, 45), (0.5, 45), 1.0, 0.85)],
}


def watch(radars: list[Radar], by: int = 0) -> Watch:
    views = []
    for k, r in enumerate(radars):
        first, last = r.azimuth_deg
        seen = Coverage(1.0, r.range_m, first, last % 360.0, *r.elevation_deg)
        lat, lon, hae = FRAME.to_geodetic(*r.place)
        made = sensor(
            f"radar-{k + 1}", SensorKind.RADAR, lat_deg=lat, lon_deg=lon, height_hae_m=hae,
            coverage=seen, period_s=r.period_s, detection_probability=r.detection,
        )  # fmt: skip
        views.append(view_of(made, FRAME))
    return watch_of(views, by)


def share_held(flights: int, most: int, seed: int) -> tuple[int, dict[float, int]]:
    """Of so many first detections in each layout: how many, and in how many regions they lay."""
    told, held = 0, {0.5: 0, 0.9: 0}
    for radars in LAYOUTS.values():
        first = fly(asdict(MODEL), radars, flights, HALF_M, seed)
        dice = np.random.default_rng(seed)
        for i in dice.permutation(len(first.by))[:most].tolist():
            x = first.state[i] + SIGMAS * dice.standard_normal(6)
            region = launch_region(x, P, watch(radars, int(first.by[i])), 0.0, MODEL)
            told += 1
            for share in held:
                held[share] += region is not None and region.holds(share, *first.launch[i])
    return told, held


def test_the_launch_lies_in_its_region_as_often_as_is_said() -> None:
    told, held = share_held(800, 20, 2)
    assert told >= 40
    assert held[0.9] / told >= 0.75
    assert 0.3 <= held[0.5] / told <= 0.7


@pytest.mark.soak
def test_of_a_thousand_flights_nine_in_ten_were_launched_in_their_90_percent_region() -> None:
    told, held = share_held(15_000, 334, 11)
    assert told >= 1_000
    assert 0.88 <= held[0.9] / told <= 0.92
    assert 0.46 <= held[0.5] / told <= 0.54


def state(*values: float) -> F64:
    return np.array(values)


def found(x: F64, radars: str = "one radar", model: FlightModel = MODEL) -> Region:
    made = launch_region(x, P, watch(LAYOUTS[radars]), 0.0, model)
    assert made is not None
    return made


def centre(region: Region) -> tuple[float, float]:
    rows, columns = np.nonzero(region.smallest(0.5))
    east = region.west_m + (float(columns.mean()) + 0.5) * region.cell_m
    return east, region.south_m + (float(rows.mean()) + 0.5) * region.cell_m


def test_what_comes_over_the_edge_of_coverage_came_from_beyond_it() -> None:
    region = found(state(4_990.0, 0.0, 90.0, -12.0, 0.0, 0.0))
    east, north = centre(region)
    assert east > 6_000.0
    assert abs(north) < 1_500.0
    columns = np.arange(region.probability.shape[1]) * region.cell_m + region.west_m
    inside = columns + region.cell_m < 4_800.0
    assert region.probability[:, inside].sum() < 0.02
    assert region.probability.sum() + region.beyond == pytest.approx(1.0, abs=1e-9)
    assert "90 % region" in region.words(0.9)
    assert "km2; assumes launches are equally likely" in region.words(0.9)
    assert "in watch: radar-1" in region.words(0.9)


def test_what_rises_over_the_lower_edge_was_launched_right_below() -> None:
    # At 3 km the lower edge of 1 degree lies 62 m above the ground.
    region = found(state(3_000.0, 0.0, 66.0, 0.2, -0.1, 3.0))
    assert centre(region) == pytest.approx((3_000.0, 0.0), abs=5.0)
    assert region.area_m2(0.9) < 3_000.0
    assert region.holds(0.9, 3_003.0, -4.0)


def test_what_comes_out_of_a_blind_sector_may_have_been_launched_near_in_it() -> None:
    # Blind from 45 to 90 degrees; it comes out to the north, 1 km away.
    place = 1_000.0 * np.sin(np.radians(44.9)), 1_000.0 * np.cos(np.radians(44.9))
    out = state(*place, 80.0, -7.0, 8.0, 0.0)
    blind = found(out, "beside a building")
    across = np.radians(np.arange(46.0, 89.0, 4.0))
    near = 900.0 * np.sin(across), 900.0 * np.cos(across)
    assert any(blind.holds(0.9, e, n) for e, n in zip(*near, strict=True))
    assert not any(blind.holds(0.9, -e, n) for e, n in zip(*near, strict=True))


def test_the_same_first_detection_gives_the_same_region() -> None:
    x = state(-3_000.0, 3_990.0, 100.0, 8.0, -9.0, 0.1)
    one, two = found(x), found(x)
    assert one.probability.tobytes() == two.probability.tobytes()
    assert one.rank.tobytes() == two.rank.tobytes()
    assert one.words(0.9) == two.words(0.9)


def test_what_no_flight_of_the_model_can_be_has_no_region() -> None:
    radars = watch(LAYOUTS["one radar"])
    assert launch_region(state(0.0, 3_000.0, 3_000.0, 12.0, 0.0, 0.0), P, radars) is None
    assert launch_region(state(0.0, 3_000.0, 100.0, 250.0, 0.0, 0.0), P, radars) is None
    assert launch_region(state(0.0, 90_000.0, 100.0, 12.0, 0.0, 0.0), P, radars) is None
