"""Frames of bearings: against a literal one, what they learn, and what they must never do."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skykeep.core.observation import Coverage, Sensor, SensorKind
from skykeep.core.track.bearing import AMBIGUOUS, IN_GATE, OUTSIDE, TAKEN
from skykeep.core.track.ear import BIAS, SIGHT, VARIANCE
from skykeep.core.track.timeline import HeardBearings, HeardPlots, Timeline
from skykeep.core.track.tracker import SensorView, Tracker, TrackerConfig
from skykeep.units import NS_PER_S, BatchId, SensorId
from tests.reference import radar
from tests.reference.bearings import LiteralSensor, LiteralTrack
from tests.reference.tracking import F64

CONFIG = TrackerConfig()
ONE_MODEL = replace(CONFIG, manoeuvres=False)
AT_NS = 9 * NS_PER_S
FATES = {OUTSIDE: "outside", IN_GATE: "gate", AMBIGUOUS: "ambiguous", TAKEN: "taken"}


def view(
    kind: SensorKind = SensorKind.DIRECTION_FINDER, false: float = 0.0, name: str = "finder"
) -> SensorView:
    sensor = Sensor(
        SensorId(name), kind, *radar.SITE.origin, Coverage(0.0, 9_000.0),
        period_s=1.0, detection_probability=0.8, false_per_turn=false,
    )  # fmt: skip
    return radar.view(sensor)


FINDER, CAMERA = view(), view(SensorKind.POSITION, 3.0, "camera")


def with_tracks(
    *places: tuple[float, float, float], config: TrackerConfig = CONFIG, sigma_m: float = 10.0
) -> Tracker:
    """Confirmed tracks that stand still at these places at second 9."""
    tracker = Tracker(config)
    for k in range(10):
        plots = radar.plots_at(np.array(places), sigma_m)
        tracker.scan(k * NS_PER_S, plots, radar.view(), True)
    assert tracker.confirmed().number.tolist() == list(range(1, len(places) + 1))
    return tracker


def frame(
    tracker: Tracker, at_ns: int, azimuths: list[float], sigma: float, seen_by: SensorView = FINDER
) -> tuple[list[int], list[int]]:
    numbers, fates = tracker.bearings(
        at_ns, np.array(azimuths, np.float64), np.full(len(azimuths), sigma), seen_by
    )
    return numbers.tolist(), fates.tolist()


def link(tracker: Tracker, seen_by: SensorView, number: int) -> F64:
    ear = tracker._ears[seen_by.sensor.sensor_id]
    found: F64 = ear.link[ear.number == number][0]
    return found


# -- against the literal one --------------------------------------------------------------


@pytest.mark.parametrize("seed", range(6))
def test_every_frame_is_the_literal_ones(seed: int) -> None:
    rng = np.random.default_rng(seed)
    places = rng.uniform([-900.0, 500.0, 50.0], [900.0, 2500.0, 200.0], (5, 3))
    fast = with_tracks(*map(tuple, places), config=replace(ONE_MODEL, bearing_extent_m=3.0))
    slow = LiteralSensor(fast.config, CAMERA.place, 0.8, CAMERA.false_per_rad)
    held, c = fast.confirmed(), fast._c
    tracks = [
        LiteralTrack(held.x[i].copy(), held.p[i].copy(), 1 / (1 + math.exp(-c.score[i])), 9.0)
        for i in range(len(held.number))
    ]
    at_ns, said = AT_NS, set()
    for _ in range(25):
        at_ns += int(rng.choice([0.1, 0.5, 3.0]) * NS_PER_S)
        true = np.arctan2(places[:, 0], places[:, 1])[rng.random(5) < 0.8]
        azimuths = np.concatenate([true + rng.normal(0.0, 0.03, len(true)), [0.1, -3.0]])
        sigmas = rng.uniform(0.01, 0.06, len(azimuths))
        numbers, fates = fast.bearings(at_ns, azimuths, sigmas, CAMERA)
        beta, literal = slow.frame(tracks, at_ns / NS_PER_S, azimuths, sigmas)
        assert [FATES[f] for f in fates.tolist()] == literal
        owner = np.where(fates == TAKEN, beta.argmax(axis=0) + 1, 0)
        assert numbers.tolist() == owner.tolist()
        said |= set(literal)
        for i, track in enumerate(tracks):
            assert track.link is not None
            got = link(fast, CAMERA, i + 1)
            want = (track.link.bias, track.link.variance, track.link.prior, track.link.sight)
            assert got[:4] == pytest.approx(want, rel=1e-5, abs=1e-9)
            assert fast._c.x[i] == pytest.approx(track.x, rel=1e-6, abs=1e-5)
            assert fast._c.p[i] == pytest.approx(track.p, rel=1e-5, abs=1e-5)
        rate = fast._ears[CAMERA.sensor.sensor_id].rate
        assert rate == pytest.approx(slow.rate, rel=1e-5, abs=1e-9)
    assert said >= {"outside", "taken"}


@pytest.mark.parametrize("seen_by", [FINDER, CAMERA])
def test_the_order_of_a_frame_does_not_matter(seen_by: SensorView) -> None:
    rng = np.random.default_rng(4)
    places = [(0.0, 2000.0, 100.0), (150.0, 2500.0, 100.0), (900.0, 1000.0, 100.0)]
    one, other = with_tracks(*places), with_tracks(*places)
    for k in range(10):
        azimuth, sigma = rng.normal(0.0, 0.2, 6), rng.uniform(0.02, 0.1, 6)
        azimuth[0] = azimuth[1]
        at_ns, turned = AT_NS + k * NS_PER_S // 3, rng.permutation(6)
        numbers, fates = one.bearings(at_ns, azimuth, sigma, seen_by)
        again, fates_again = other.bearings(at_ns, azimuth[turned], sigma[turned], seen_by)
        assert (again == numbers[turned]).all()
        assert (fates_again == fates[turned]).all()
        assert one.snapshot() == other.snapshot()


# -- whose it is --------------------------------------------------------------------------


@pytest.mark.parametrize("turns", [-1, 0, 1])
@pytest.mark.parametrize("off_rad", [-0.02, 0.02])
def test_a_bearing_across_north_is_taken(turns: int, off_rad: float) -> None:
    tracker = with_tracks((0.0, 2000.0, 100.0), (2000.0, 0.0, 100.0))
    numbers, fates = frame(tracker, AT_NS, [off_rad + turns * 2.0 * math.pi], 0.03)
    held = tracker.confirmed()
    north = int(held.x[:, 1].argmax())
    assert (numbers, fates) == ([held.number[north]], [TAKEN])
    assert 0.0 < held.x[north, 0] * math.copysign(1.0, off_rad) < 40.0
    assert held.x[1 - north, :2] == pytest.approx([2000.0, 0.0])


def test_a_bearing_that_may_be_of_either_of_two_is_nobodys() -> None:
    tracker = with_tracks((0.0, 2000.0, 100.0), (30.0, 3000.0, 100.0))
    before = tracker.confirmed().p.copy()
    assert frame(tracker, AT_NS, [0.0], 0.05) == ([0], [AMBIGUOUS])
    assert (tracker.confirmed().p == before).all()


@pytest.mark.parametrize("swapped", [False, True])
def test_a_rival_much_less_likely_does_not_make_it_ambiguous(swapped: bool) -> None:
    fits, rival = (0.0, 2000.0, 100.0), (2000.0 * math.sin(0.12), 2000.0 * math.cos(0.12), 100.0)
    places = (rival, fits) if swapped else (fits, rival)
    assert frame(with_tracks(*places), AT_NS, [0.0], 0.045)[1] == [TAKEN]
    assert frame(with_tracks(*places), AT_NS, [0.05], 0.045) == ([0], [AMBIGUOUS])


def test_two_bearings_of_two_tracks_are_each_the_nearer_ones() -> None:
    """Either bearing alone would be ambiguous; the two together are not."""
    places = (0.0, 2000.0, 100.0), (200.0, 2000.0, 100.0)
    numbers, fates = frame(with_tracks(*places), AT_NS, [0.0, 0.1], 0.04)
    assert fates == [TAKEN, TAKEN]
    assert sorted(numbers) == [1, 2]


def test_a_bearing_that_fits_nothing_is_no_ones() -> None:
    tracker = with_tracks((0.0, 2000.0, 100.0))
    near = radar.view(replace(FINDER.sensor, coverage=Coverage(0.0, 1000.0)))
    before = tracker.confirmed()
    assert frame(tracker, AT_NS, [math.pi, 0.3], 0.05) == ([0, 0], [OUTSIDE, OUTSIDE])
    assert frame(tracker, AT_NS, [0.0], 0.05, near) == ([0], [OUTSIDE])
    assert (tracker.confirmed().x == before.x).all()
    assert frame(Tracker(), AT_NS, [0.0], 0.05) == ([0], [OUTSIDE])


def test_a_tentative_track_takes_no_bearing() -> None:
    tracker = Tracker()
    tracker.scan(AT_NS, radar.plots_at(np.array([[0.0, 2000.0, 100.0]])), radar.view(), True)
    assert frame(tracker, AT_NS, [0.0], 0.05) == ([0], [OUTSIDE])


def test_what_a_finder_hears_is_the_drones_rather_than_the_birds() -> None:
    tracker = with_tracks((0.0, 2000.0, 100.0), (30.0, 3000.0, 100.0))
    plots = radar.plots_at(np.array([[0.0, 2000.0, 100.0], [30.0, 3000.0, 100.0]]))
    plots.kinds[:] = [[-4.0, 0.0, -4.0, -4.0], [0.0, -4.0, -4.0, -4.0]]
    tracker.scan(AT_NS, plots, radar.view(), True)
    held = tracker.confirmed()
    assert frame(tracker, AT_NS, [0.0], 0.05)[0] == [held.number[held.x[:, 1].argmax()]]


def test_a_bearing_moves_the_track_on_and_keeps_it_alive() -> None:
    tracker = with_tracks((0.0, 2000.0, 100.0))
    later_ns = AT_NS + 10 * NS_PER_S
    assert frame(tracker, later_ns, [0.0], 0.05) == ([1], [TAKEN])
    held = tracker.confirmed()
    assert (held.time_ns.tolist(), held.last_ns.tolist()) == ([later_ns], [later_ns])
    tracker.prune(AT_NS + CONFIG.coast_ns + NS_PER_S)
    assert tracker.count == 1


def test_a_late_bearing_is_held_against_where_the_target_then_was() -> None:
    tracker = Tracker()
    for k in range(20):
        place = np.array([[-950.0 + 50.0 * k, 1000.0, 100.0]])
        tracker.scan(k * NS_PER_S, radar.plots_at(place), radar.view(), True)
    before = tracker.confirmed().x[0].copy()
    then = before[:2] - 1.5 * before[3:5]
    assert frame(tracker, 35 * NS_PER_S // 2, [math.atan2(*then)], 0.02) == ([1], [TAKEN])
    held = tracker.confirmed()
    assert held.x[0] == pytest.approx(before, abs=1e-3)  # each model has its own
    assert (held.time_ns[0], held.last_ns[0]) == (19 * NS_PER_S, 19 * NS_PER_S)


def test_a_bearing_older_than_the_window_is_not_used() -> None:
    tracker = with_tracks((0.0, 2000.0, 100.0))
    assert frame(tracker, AT_NS - CONFIG.late_ns - 1, [0.0], 0.05)[0] == [0]
    assert frame(tracker, AT_NS - CONFIG.late_ns, [0.0], 0.05)[0] == [1]


def test_a_late_bearing_of_a_target_now_overhead_does_no_harm() -> None:
    """A second ago it was 15 m away, now it is right over the sensor."""
    tracker = Tracker()
    over = radar.looking(Coverage(0.0, 6000.0))
    for k in range(20):
        place = np.array([[-15.0 * (19 - k), 0.0, 100.0]])
        tracker.scan(k * NS_PER_S, radar.plots_at(place, 0.1, -24.0), over, True)
    assert np.linalg.norm(tracker.confirmed().x[0, :2]) < 0.5
    assert frame(tracker, 18 * NS_PER_S, [1.5 * math.pi], 0.05)[1] in ([TAKEN], [OUTSIDE])
    assert np.isfinite(tracker.confirmed().x).all()


# -- what is learned ----------------------------------------------------------------------


@pytest.mark.parametrize("off_deg", [-4.0, -2.0, 2.0, 4.0, 10.0])
def test_a_finder_that_is_off_moves_a_good_track_by_less_than_its_sigma(off_deg: float) -> None:
    tracker, sigma_m = with_tracks((0.0, 2000.0, 100.0)), 10.0
    for k in range(1, 121):
        at_ns = AT_NS + k * NS_PER_S // 2
        if k % 2 == 0:
            plots = radar.plots_at(np.array([[0.0, 2000.0, 100.0]]), sigma_m)
            tracker.scan(at_ns, plots, radar.view(), True)
        numbers, _ = frame(tracker, at_ns, [math.radians(off_deg)], math.radians(3.0))
        held = tracker.confirmed()
        assert abs(held.x[0, 0]) < math.sqrt(held.p[0, 0, 0])
    if abs(off_deg) <= 4.0:
        assert numbers == [1]
        bias_deg = math.degrees(link(tracker, FINDER, 1)[BIAS])
        assert 0.4 < bias_deg / off_deg < 1.1
    else:
        assert numbers == [0]


def test_many_frames_at_once_weigh_little_more_than_one() -> None:
    once, often = with_tracks((0.0, 2000.0, 100.0)), with_tracks((0.0, 2000.0, 100.0))
    frame(once, AT_NS, [0.01], 0.01)
    for k in range(50):
        frame(often, AT_NS + k * NS_PER_S // 1000, [0.01], 0.01)
    assert 0.0 < once.confirmed().x[0, 0] <= often.confirmed().x[0, 0]
    assert often.confirmed().x[0, 0] < 1.1 * once.confirmed().x[0, 0]


def test_frames_of_other_transmitters_do_not_use_up_a_finders_word() -> None:
    """Two drones, reported in turn every tenth of a second; each counts as if alone."""
    places = (0.0, 2000.0, 100.0), (2000.0, 0.0, 100.0)
    alone, both = with_tracks(*places), with_tracks(*places)
    for k in range(20):
        at_ns = AT_NS + k * NS_PER_S // 10
        if k % 2:
            frame(both, at_ns, [0.5 * math.pi], 0.05)
            continue
        assert frame(alone, at_ns, [0.01], 0.05)[1] == [TAKEN]
        assert frame(both, at_ns, [0.01], 0.05)[1] == [TAKEN]
    moved_m = [t.confirmed().x[:, 0].min() for t in (alone, both)]
    assert moved_m[1] == pytest.approx(moved_m[0], rel=0.05)


def test_what_stands_there_is_mapped_by_a_camera_and_forgotten() -> None:
    tracker, name = Tracker(), CAMERA.sensor.sensor_id
    for k in range(400):
        frame(tracker, AT_NS + k * NS_PER_S // 10, [0.01], 0.03, CAMERA)
    mapped = 1.0 - math.exp(-2.0)
    assert tracker._ears[name].rate[0] == pytest.approx(mapped, rel=0.02)
    assert np.count_nonzero(tracker._ears[name].rate) == 1
    frame(tracker, AT_NS + 240 * NS_PER_S, [], 0.03, CAMERA)
    assert tracker._ears[name].rate[0] < 1e-4


def test_what_stood_there_before_is_a_house_to_a_camera_and_a_drone_to_a_finder() -> None:
    spread = []
    for seen_by in (CAMERA, FINDER):
        tracker = Tracker()
        for k in range(600):
            frame(tracker, (k - 600) * NS_PER_S // 10, [0.0], 0.1, seen_by)
        for k in range(10):
            plots = radar.plots_at(np.array([[0.0, 2000.0, 100.0]]), 200.0)
            tracker.scan(k * NS_PER_S, plots, radar.view(), True)
        before = tracker.confirmed().p[0, 0, 0]
        _, fates = frame(tracker, AT_NS, [0.0], 0.1, seen_by)
        assert fates[0] in (IN_GATE, TAKEN)
        spread.append(tracker.confirmed().p[0, 0, 0] / before)
    assert spread[1] < spread[0]


def test_sight_rises_with_what_fits_and_falls_with_what_lacks() -> None:
    tracker = with_tracks((0.0, 2000.0, 100.0))
    for k in range(20):
        frame(tracker, AT_NS + k * NS_PER_S // 2, [0.0], 0.03, CAMERA)
    seen = link(tracker, CAMERA, 1)[SIGHT]
    assert seen > 0.8
    for k in range(20, 100):
        frame(tracker, AT_NS + k * NS_PER_S // 2, [], 0.03, CAMERA)
    assert link(tracker, CAMERA, 1)[SIGHT] < 0.2


def test_a_bearing_leaves_existence_and_births_alone() -> None:
    tracker = with_tracks((0.0, 2000.0, 100.0))
    c = tracker._c
    before = (c.score[0], c.hits[0], c.misses[0], tracker.next_number, tracker.count)
    frame(tracker, AT_NS, [0.0, 1.0, 2.0, 3.0], 0.03)
    assert (c.score[0], c.hits[0], c.misses[0], tracker.next_number, tracker.count) == before


# -- memory -------------------------------------------------------------------------------


def test_links_of_tracks_that_ended_are_dropped_and_of_others_kept() -> None:
    tracker = with_tracks((0.0, 2000.0, 100.0), (2000.0, 0.0, 100.0))
    frame(tracker, AT_NS, [0.0], 0.03)
    ear = tracker._ears[FINDER.sensor.sensor_id]
    assert ear.number.tolist() == [1, 2]
    kept = link(tracker, FINDER, 2)[:4].copy()
    tracker._keep(np.array([False, True]))
    frame(tracker, AT_NS, [0.0], 0.03)
    assert tracker._ears[FINDER.sensor.sensor_id].number.tolist() == [2]
    assert link(tracker, FINDER, 2)[[BIAS, VARIANCE]].tolist() == kept[[BIAS, VARIANCE]].tolist()


def a_watch(seed: int) -> list[HeardPlots | HeardBearings]:
    """A radar each second and two sensors' bearings, in order of time."""
    rng = np.random.default_rng(seed)
    start = np.array([[-400.0, 1500.0, 100.0], [600.0, 1200.0, 150.0]])
    velocity = np.array([[15.0, -5.0, 0.0], [-12.0, 8.0, 0.0]])
    made: list[HeardPlots | HeardBearings] = []
    for k in range(150):
        at_ns = k * NS_PER_S // 5
        places = start + velocity * k / 5.0
        if k % 5 == 0:
            plots = radar.plots_at(places + rng.normal(0.0, 8.0, (2, 3)))
            given = np.zeros(2, np.int64)
            made.append(HeardPlots(at_ns, BatchId("r"), (0, 1), radar.view(), plots, given))
        for lag_ns, seen_by in enumerate((FINDER, CAMERA), 1):
            true = np.arctan2(places[:, 0], places[:, 1])
            azimuth = np.append(true[rng.random(2) < 0.7], 1.0) + rng.normal(0.0, 0.02)
            rows = tuple(range(len(azimuth)))
            sigma = np.full(len(azimuth), 0.04)
            made.append(HeardBearings(at_ns + lag_ns, BatchId("b"), rows, seen_by, azimuth, sigma))
    return made


@pytest.mark.parametrize("config", [CONFIG, ONE_MODEL])
def test_late_frames_and_a_restored_tracker_go_on_as_if_nothing_was(config: TrackerConfig) -> None:
    straight, late, saved = Timeline(config), Timeline(config), Timeline(config)
    for step in a_watch(3):
        straight.hear(step)
        straight.settle()
    assert len(straight.tracker._ears) == 2
    rng, heard = np.random.default_rng(8), a_watch(3)
    # The plots come in time: else tracks would be numbered otherwise.
    delay_ns = [rng.uniform(0.0, 2.0 * NS_PER_S) * isinstance(h, HeardBearings) for h in heard]
    arrival = np.argsort([h.at_ns + d for h, d in zip(heard, delay_ns, strict=True)], kind="stable")
    for at in arrival.tolist():
        late.hear(heard[at])
        late.settle()
    assert late.tracker.snapshot() == straight.tracker.snapshot()
    for k, step in enumerate(a_watch(3)):
        if k % 37 == 36:
            saved = Timeline.restore(config, saved.snapshot(), radar.SITE)
        saved.hear(step)
        saved.settle()
    assert saved.snapshot() == straight.snapshot()
    assert saved.tracker.snapshot() == straight.tracker.snapshot()


# -- absurd input -------------------------------------------------------------------------

ANY = st.floats(allow_nan=True, allow_infinity=True)


@settings(max_examples=200, deadline=None)
@given(
    azimuths=st.lists(ANY, min_size=1, max_size=6),
    sigmas=st.lists(ANY | st.floats(1e-12, 3.0), min_size=6, max_size=6),
    step_s=st.floats(-5.0, 1e6),
)
def test_absurd_bearings_never_spoil_a_track(
    azimuths: list[float], sigmas: list[float], step_s: float
) -> None:
    tracker = with_tracks((0.0, 2000.0, 100.0), (900.0, 900.0, 100.0))
    for seen_by in (FINDER, CAMERA):
        for k in range(3):
            at_ns = AT_NS + int(k * step_s * NS_PER_S)
            numbers, fates = tracker.bearings(
                at_ns, np.array(azimuths), np.array(sigmas[: len(azimuths)]), seen_by
            )
            assert len(numbers) == len(fates) == len(azimuths)
            frame(tracker, at_ns, [0.0, math.atan2(1.0, 1.0)], 0.02, seen_by)
    held = tracker.confirmed()
    assert np.isfinite(held.x).all()
    assert np.isfinite(held.p).all()
    for p in held.p:
        assert (p == p.T).all()
        assert np.linalg.eigvalsh(p).min() > -1e-9 * np.linalg.eigvalsh(p).max()
    for ear in tracker._ears.values():
        assert np.isfinite(ear.link).all()
        assert np.isfinite(ear.rate).all()
