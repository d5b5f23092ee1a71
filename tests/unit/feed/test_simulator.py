"""The generic simulator: its rates and errors against the truth it was given."""

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from skykeep.core.event import Actor, Tick
from skykeep.core.geo import Frame
from skykeep.core.observation import Batch, Coverage, Form, Sensor, SensorKind, TargetKind
from skykeep.core.permit import ChangePermit, PermitEvent
from skykeep.feed.paths import ArcBuilder, Path, Standing
from skykeep.feed.simulator import (
    CONFUSION,
    FinderModel,
    Order,
    PersonModel,
    Placement,
    RadarModel,
    Scene,
    SensorModel,
    Sighting,
    simulate,
)
from skykeep.feed.targets import Flock, Target
from skykeep.units import NS_PER_S, PermitId, SensorId

START_NS = 1_789_249_680 * NS_PER_S
FRAME = Frame(49.6083, 6.1337, 337.5)
DURATION_S = 900
LATER_S = 1e9


def sensor(name: str, kind: SensorKind, coverage: Coverage, **more: float) -> Sensor:
    lat, lon, hae = FRAME.to_geodetic(300.0, -700.0, 55.0)
    return Sensor(SensorId(name), kind, lat, lon, hae, coverage, **more)


RADAR_SENSOR = sensor(
    "radar",
    SensorKind.RADAR,
    Coverage(150.0, 6_000.0, elevation_min_deg=-6.0, elevation_max_deg=40.0),
    detection_probability=0.9,
    false_per_turn=22.0,
)
RADAR = RadarModel(RADAR_SENSOR, (10.0, 0.4, 1.0), 20)
FINDER = FinderModel(
    sensor("df", SensorKind.DIRECTION_FINDER, Coverage(0.0, 4_000.0), detection_probability=0.8),
    3.5,
    phase_s=0.5,
)


def circling() -> Path:
    builder = ArcBuilder(0.0, (1_500.0, 0.0, 100.0), 0.0)
    return builder.leg(1.0, speed_mps=10.0, turn_radps=0.01).path()


def drone(path: Path, **more: Any) -> Target:
    return replace(Target("d", TargetKind.DRONE, path, 0.0, LATER_S), **more)


def scene(*models: SensorModel, targets: tuple[Target, ...] = (), **more: Any) -> Scene:
    bare = Scene(3, START_NS, DURATION_S, FRAME, targets, None, models, ())
    return replace(bare, **more)


def batches(of: Scene, name: str = "") -> list[Batch]:
    found = [item for item in simulate(of) if isinstance(item, Batch)]
    return [b for b in found if not name or b.sensor_id == name]


def polar_truth(path: Path, batch: Batch, radar: Sensor) -> np.ndarray:
    """The slow way: through geodetic coordinates, one position at a time."""
    time_s = (int(batch.event_time_ns[0]) - START_NS) / NS_PER_S
    east, north, up = path.states(np.array([time_s]))[0][0].tolist()
    own = Frame(radar.lat_deg, radar.lon_deg, radar.height_hae_m)
    e, n, u = own.to_enu(*FRAME.to_geodetic(east, north, up))
    return np.array(
        [
            math.sqrt(e * e + n * n + u * u),
            math.degrees(math.atan2(e, n)) % 360.0,
            math.degrees(math.atan2(u, math.hypot(e, n))),
        ]
    )


def residuals(path: Path, found: list[Batch], radar: Sensor) -> np.ndarray:
    """Of the plot nearest the truth in each scan, where one lies within six sigma."""
    rows = []
    for batch in found:
        gap = batch.values - polar_truth(path, batch, radar)
        gap[:, 1] = (gap[:, 1] + 180.0) % 360.0 - 180.0
        score = np.abs(gap / batch.sigmas).max(axis=1)
        if score.min() < 6.0:
            rows.append(gap[score.argmin()])
    return np.array(rows)


def test_seconds_end_with_a_tick_and_batches_come_in_order_of_receipt() -> None:
    target = drone(circling(), control_link=True)
    items = list(simulate(scene(RADAR, FINDER, targets=(target,), duration_s=130)))
    assert items[0] == Tick(START_NS)
    ticks = [item.at_ns for item in items if isinstance(item, Tick)]
    assert ticks == [START_NS + k * NS_PER_S for k in range(131)]
    now = START_NS
    for item in items:
        if isinstance(item, Tick):
            now = item.at_ns
        elif isinstance(item, Batch):
            assert now < item.receipt_time_ns <= now + NS_PER_S
    receipts = [item.receipt_time_ns for item in items if isinstance(item, Batch)]
    assert receipts == sorted(receipts)
    ids = [item.batch_id for item in items if isinstance(item, Batch)]
    assert len(set(ids)) == len(ids)


def test_orders_stand_right_after_their_tick() -> None:
    orders = tuple(
        Order(at_s, ChangePermit(Actor("a", "b"), PermitId(f"{at_s}"), PermitEvent.REVOKE, "w"))
        for at_s in (70, 0, 70)
    )
    items = list(simulate(scene(RADAR, duration_s=80, orders=orders)))
    assert items[1] == orders[1].command
    at = items.index(orders[0].command)
    assert items[at - 1] == Tick(START_NS + 70 * NS_PER_S)
    assert items[at + 1] == orders[2].command


def test_a_receipt_after_the_stretch_is_not_lost() -> None:
    late = replace(RADAR, delay_s=1.35)
    found = batches(scene(late, duration_s=121))
    # The last two scans are still under way when the scene ends.
    assert len(found) == 119
    assert all(b.receipt_time_ns - int(b.event_time_ns[0]) == 1_350_000_000 for b in found)


def test_detection_rate() -> None:
    found = batches(scene(RADAR, targets=(drone(circling()),)))
    hits = len(residuals(circling(), found, RADAR_SENSOR))
    # Four standard deviations of a binomial share.
    assert hits / DURATION_S == pytest.approx(0.9, abs=4 * math.sqrt(0.09 / DURATION_S))
    half = batches(scene(RADAR, targets=(drone(circling(), radar_share=0.5),)))
    hits = len(residuals(circling(), half, RADAR_SENSOR))
    assert hits / DURATION_S == pytest.approx(0.45, abs=4 * math.sqrt(0.25 / DURATION_S))


def test_errors_are_as_large_as_said_and_without_bias() -> None:
    found = batches(scene(RADAR, targets=(drone(circling()),)))
    gaps = residuals(circling(), found, RADAR_SENSOR)
    n = len(gaps)
    sigmas = np.array([10.0, 0.4, 1.0])
    # A sample's standard deviation scatters by sigma / sqrt(2 n), its mean by sigma / sqrt(n).
    np.testing.assert_allclose(gaps.std(axis=0) / sigmas, 1.0, atol=4 / math.sqrt(2 * n))
    assert (np.abs(gaps.mean(axis=0) / sigmas) < 4 / math.sqrt(n)).all()
    lag_one = np.corrcoef(gaps[1:, 0], gaps[:-1, 0])[0, 1]
    assert abs(lag_one) < 4 / math.sqrt(n)


def test_clutter_rate_and_spread() -> None:
    found = batches(scene(RADAR))
    counts = np.array([len(b) for b in found])
    assert len(found) == DURATION_S
    assert counts.min() >= 20
    assert counts.mean() == pytest.approx(22.0, abs=4 * math.sqrt(2.0 / DURATION_S))
    values = np.concatenate([b.values for b in found])
    low, high = np.array([150.0, 0.0, -6.0]), np.array([6_000.0, 360.0, 40.0])
    share = (values - low) / (high - low)
    assert share.min() >= 0.0
    assert share.max() <= 1.0
    for column in share.T:
        bins = np.histogram(column, bins=10, range=(0, 1))[0]
        expected = len(column) / 10
        chi2 = ((bins - expected) ** 2 / expected).sum()
        assert chi2 < 36.0  # nine degrees of freedom: once in 25,000


def test_plots_stand_in_order_of_azimuth_and_carry_their_sigmas() -> None:
    flock = Flock(3, 9, 30, 2_500.0, (10.0, 130.0), (300.0, 900.0))
    for batch in batches(scene(RADAR, flock=flock, duration_s=60)):
        assert batch.form is Form.POLAR
        assert (np.diff(batch.values[:, 1]) >= 0.0).all()
        assert (batch.sigmas == (10.0, 0.4, 1.0)).all()
        assert (batch.event_time_ns == batch.event_time_ns[0]).all()
        assert batch.receipt_time_ns - int(batch.event_time_ns[0]) == 50_000_000


@pytest.mark.parametrize("kind", list(TargetKind))
def test_the_classifier_confuses_as_its_table_says(kind: TargetKind) -> None:
    # Without clutter: one target of one kind.
    clean = replace(RADAR, sensor=replace(RADAR_SENSOR, false_per_turn=0.0), false_floor=0)
    found = batches(scene(clean, targets=(drone(circling(), kind=kind),)))
    rows = np.concatenate([b.kind_likelihood for b in found if b.kind_likelihood is not None])
    labels = [int(np.flatnonzero((row == CONFUSION.T).all(axis=1))[0]) for row in rows]
    share = np.bincount(labels, minlength=4) / len(labels)
    np.testing.assert_allclose(share, CONFUSION[kind], atol=4 * 0.4 / math.sqrt(len(labels)))


def test_confusion_rows_are_probabilities() -> None:
    np.testing.assert_allclose(CONFUSION.sum(axis=1), 1.0)
    assert (CONFUSION.argmax(axis=1) == np.arange(4)).all()


@pytest.mark.parametrize(
    ("place", "seen"),
    [
        ((300.0, 0.0, 55.0), True),  # 700 m away, level
        ((300.0, -560.0, 55.0), False),  # under 150 m
        ((6_500.0, -700.0, 300.0), False),  # over 6 km
        ((300.0, 0.0, -30.0), False),  # 85 m below at 700 m: 7 degrees down
        ((300.0, 0.0, 0.0), True),  # 4.5 degrees down
        ((300.0, -300.0, 450.0), False),  # 45 degrees up
    ],
)
def test_only_coverage_is_seen(place: tuple[float, float, float], seen: bool) -> None:
    found = batches(scene(RADAR, targets=(drone(Standing(place)),), duration_s=100))
    hits = len(residuals(Standing(place), found, RADAR_SENSOR))
    assert (hits > 70) if seen else (hits < 10)


def test_coverage_over_north() -> None:
    area = replace(RADAR_SENSOR.coverage, azimuth_from_deg=300.0, azimuth_to_deg=420.0)
    model = replace(RADAR, sensor=replace(RADAR_SENSOR, coverage=area))
    targets = (drone(Standing((300.0, 0.0, 55.0))), drone(Standing((300.0, -1_400.0, 55.0))))
    found = batches(scene(model, targets=targets, duration_s=100))
    assert len(residuals(targets[0].path, found, RADAR_SENSOR)) > 70
    assert not len(residuals(targets[1].path, found, RADAR_SENSOR))
    azimuth = np.concatenate([b.values[:, 1] for b in found])
    assert ((azimuth >= 299.0) | (azimuth <= 61.0)).all()
    assert (azimuth < 61.0).any()


def test_targets_are_seen_only_while_they_fly() -> None:
    target = drone(circling(), start_s=30.0, end_s=75.0)
    found = batches(scene(RADAR, targets=(target,), duration_s=150))
    before = [b for b in found if not 30 <= (int(b.event_time_ns[0]) - START_NS) / 1e9 < 75]
    assert len(residuals(circling(), before, RADAR_SENSOR)) < 5
    assert len(residuals(circling(), found, RADAR_SENSOR)) > 35


def test_placement_agrees_with_the_way_through_geodetic_coordinates() -> None:
    placement = Placement.of(RADAR_SENSOR, FRAME)
    for place in [(4_000.0, -3_000.0, 150.0), (-9_000.0, 8_000.0, 20.0), (0.0, 0.0, 0.0)]:
        batch = batches(scene(RADAR, duration_s=1))[0]
        want = polar_truth(Standing(place), batch, RADAR_SENSOR)
        np.testing.assert_allclose(placement.polar(np.array(place)), want, atol=1e-6)


def test_bearings() -> None:
    heard = drone(circling(), control_link=True)
    silent = drone(Standing((-900.0, 0.0, 50.0)))
    found = batches(scene(FINDER, targets=(heard, silent)))
    assert all(len(b) == 1 and b.form is Form.BEARING for b in found)
    share = len(found) / DURATION_S
    assert share == pytest.approx(0.8, abs=4 * math.sqrt(0.16 / DURATION_S))
    gaps = []
    for batch in found:
        truth = polar_truth(circling(), batch, FINDER.sensor)
        gaps.append((batch.values[0, 0] - truth[1] + 180.0) % 360.0 - 180.0)
        assert np.isnan(batch.values[0, 1:]).all()
        assert batch.sigmas[0, 0] == 3.5
        assert batch.claims == ()
    n = len(gaps)
    assert np.std(gaps) == pytest.approx(3.5, abs=3.5 * 4 / math.sqrt(2 * n))
    assert abs(np.mean(gaps)) < 3.5 * 4 / math.sqrt(n)


def test_a_finder_hears_no_further_than_it_can() -> None:
    far = drone(Standing((300.0, 3_400.0, 55.0)), control_link=True)
    assert not batches(scene(FINDER, targets=(far,)))


def test_people_say_what_is_written_and_when() -> None:
    person = PersonModel(
        sensor("guard", SensorKind.PERSON, Coverage(0.0, 5_000.0)),
        (Sighting(60.0, 96.3, 262.0, "a light"), Sighting(90.0, 130.0, None, "another")),
        15.0,
    )
    one, other = batches(scene(person))
    assert one.words == ("a light",)
    assert one.values[0, 0] == 262.0
    assert one.sigmas[0, 0] == 15.0
    assert int(one.event_time_ns[0]) == START_NS + 60 * NS_PER_S
    assert one.receipt_time_ns == START_NS + 96_300_000_000
    assert np.isnan(other.values).all()
    assert other.form is Form.SIGHTING


def test_people_repeat_themselves() -> None:
    person = PersonModel(
        sensor("guard", SensorKind.PERSON, Coverage(0.0, 5_000.0)),
        (Sighting(60.0, 96.3, 262.0, "a light"),),
        15.0,
        repeat_s=200,
    )
    told = [(b.receipt_time_ns - START_NS) / 1e9 for b in batches(scene(person))]
    assert told == [96.3, 296.3, 496.3, 696.3, 896.3]


def same(one: list[Batch], other: list[Batch]) -> bool:
    return len(one) == len(other) and all(
        a.values.tobytes() == b.values.tobytes()
        and a.event_time_ns.tobytes() == b.event_time_ns.tobytes()
        and a.batch_id == b.batch_id
        for a, b in zip(one, other, strict=True)
    )


def test_a_new_sensor_leaves_the_others_as_they_were() -> None:
    target = drone(circling(), control_link=True)
    alone = scene(RADAR, targets=(target,), duration_s=200)
    both = scene(FINDER, RADAR, targets=(target,), duration_s=200)
    assert same(batches(alone), batches(both, "radar"))
    assert batches(both, "df")


def test_sensors_err_independently() -> None:
    twin = replace(FINDER, sensor=replace(FINDER.sensor, sensor_id=SensorId("twin")))
    target = drone(circling(), control_link=True)
    found = batches(scene(FINDER, twin, targets=(target,), duration_s=200))
    one, other = (
        {int(b.event_time_ns[0]): b.values[0, 0] for b in found if b.sensor_id == name}
        for name in ("df", "twin")
    )
    both = sorted(one.keys() & other.keys())
    assert len(both) > 80
    assert sum(one[at] == other[at] for at in both) == 0


def test_the_seed_alone_decides() -> None:
    one = scene(RADAR, targets=(drone(circling()),), duration_s=70)
    assert same(batches(one), batches(one))
    assert not same(batches(one), batches(replace(one, seed=4)))
