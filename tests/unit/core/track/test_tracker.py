"""The tracker: scan by scan against a literal one, and what it must never do."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skykeep.core.observation import Coverage
from skykeep.core.track.columns import Columns, Plots
from skykeep.core.track.tracker import (
    FIRST_CAPACITY,
    KIND_CAP,
    Tracker,
    TrackerConfig,
    plots_of,
)
from skykeep.units import NS_PER_S
from tests.reference import radar
from tests.reference.tracking import LiteralTracker, columns

F64 = np.ndarray[tuple[int, ...], np.dtype[np.float64]]
VIEW = radar.view()
CONFIG = TrackerConfig()


def now(tracker: Tracker) -> Columns:
    return columns(tracker.snapshot(), 2 if tracker.config.manoeuvres else 1)


def states(tracker: Tracker) -> list[bytes]:
    """All tracks but for their numbers, in an order of their own."""
    held = now(tracker)[:-1]
    return sorted(b"".join(column[i].tobytes() for column in held) for i in range(tracker.count))


def a_night(seed: int, scans: int, targets: int, late: bool) -> list[tuple[int, Plots, bool]]:
    """Scans of some targets that cross, with clutter, classes, gaps and late plots."""
    rng = np.random.default_rng(seed)
    start = rng.uniform([-900.0, -900.0, 50.0], [900.0, 900.0, 300.0], (targets, 3))
    velocity = rng.uniform([-25.0, -25.0, -2.0], [25.0, 25.0, 2.0], (targets, 3))
    made, now_ns = [], 0
    for _ in range(scans):
        now_ns += int(rng.choice([0.0, 0.5, 1.0, 4.0], p=[0.1, 0.1, 0.7, 0.1]) * NS_PER_S)
        at_ns = now_ns - (int(rng.uniform(0.0, 1.5) * NS_PER_S) if late else 0)
        heard = rng.random(targets) < 0.85
        z = start + at_ns / NS_PER_S * velocity
        z = np.concatenate([z[heard], rng.uniform(-1000.0, 1000.0, (rng.poisson(6), 3))])
        sigmas = rng.uniform(5.0, 25.0, z.shape)
        kinds = 0.7 * np.log(rng.dirichlet([2.0, 1.0, 1.0, 1.0], len(z)))
        kinds *= rng.random((len(z), 1)) < 0.8
        r = np.array([np.diag(s**2) for s in sigmas]).reshape(-1, 3, 3)
        noisy = z + rng.normal(size=z.shape) * sigmas
        clutter = rng.uniform(-22.0, -18.0, len(z))
        made.append((at_ns, Plots(noisy, r, clutter, kinds), bool(rng.random() < 0.8)))
    return made


# -- against the literal tracker ----------------------------------------------------------


@pytest.mark.parametrize(
    ("coverage", "late"),
    [
        (Coverage(0.0, 6_000.0), False),
        (Coverage(0.0, 6_000.0), True),
        (Coverage(200.0, 1_200.0, 300.0, 420.0, -5.0, 45.0), True),
        (Coverage(200.0, 1_200.0, 10.0, 10.0, -5.0, 45.0), False),
    ],
)
@pytest.mark.parametrize("manoeuvres", [False, True])
@pytest.mark.parametrize("seed", [0, pytest.param(1, marks=pytest.mark.soak)])
def test_every_scan_is_the_literal_trackers(
    coverage: Coverage, late: bool, seed: int, manoeuvres: bool
) -> None:
    config = replace(CONFIG, track_limit=60, manoeuvres=manoeuvres, first_score=-3.0)
    fast, seen_by = Tracker(config), radar.looking(coverage)
    slow = LiteralTracker(config, coverage, seen_by.sensor.detection_probability)
    confirmed = dropped = 0
    for at_ns, plots, turn in a_night(seed, 30, 6, late):
        before = set(fast.numbers().tolist())
        took = fast.scan(at_ns, plots, seen_by, turn)
        order = np.argsort(np.where(took == 0, fast.next_number, took)).tolist()
        owner = slow.scan(at_ns, *plots[:2], plots.log_clutter, plots.kinds, turn, order)
        held = now(fast)
        assert took.tolist() == owner
        assert held.number.tolist() == [t.number for t in slow.tracks]
        assert held.status.tolist() == [int(t.confirmed) for t in slow.tracks]
        assert held.hits.tolist() == [t.hits for t in slow.tracks]
        assert held.misses.tolist() == [t.misses for t in slow.tracks]
        assert held.time_ns.tolist() == [t.time_ns for t in slow.tracks]
        assert held.last_ns.tolist() == [t.last_ns for t in slow.tracks]
        for found, literal, tolerance in (
            (held.score, [t.score for t in slow.tracks], 1e-4),
            (held.x, [t.x for t in slow.tracks], 1e-3),
            (held.p, [t.p for t in slow.tracks], 1e-2),
            (held.x_of, [t.xs for t in slow.tracks], 1e-3),
            (held.share_of, [t.shares for t in slow.tracks], 1e-5),
            (held.kinds, [t.kinds for t in slow.tracks], 1e-5),
        ):
            expected = np.reshape(literal, found.shape)
            np.testing.assert_allclose(found, expected, rtol=1e-4, atol=tolerance)
        confirmed += int(held.status.sum())
        dropped += len(before - set(held.number.tolist()))
    assert confirmed > 50
    assert dropped > 5


def test_the_limit_sheds_and_counts() -> None:
    tracker = Tracker(replace(CONFIG, track_limit=5))
    places = np.arange(8)[:, None] * np.array([[500.0, 0.0, 0.0]])
    took = tracker.scan(0, radar.plots_at(places), VIEW, False)
    assert sorted(took.tolist()) == [0, 0, 0, 1, 2, 3, 4, 5]
    assert (tracker.count, tracker.shed) == (5, 3)
    assert tracker.scan(NS_PER_S, radar.plots_at(places), VIEW, False).tolist() == took.tolist()
    assert tracker.shed == 6


def test_a_plot_that_overflowed_is_shed_and_its_neighbours_kept() -> None:
    tracker = Tracker()
    plots = radar.plots_at(np.arange(5)[:, None] * np.array([[500.0, 0.0, 0.0]]))
    plots.z[1, 2], plots.r[3, 0, 1] = math.inf, math.nan
    assert tracker.scan(0, plots, VIEW, True).astype(bool).tolist() == [
        True,
        False,
        True,
        False,
        True,
    ]
    assert (tracker.count, tracker.shed, tracker.next_number) == (3, 2, 4)
    assert sorted(now(tracker).x[:, 0].tolist()) == [0.0, 1000.0, 2000.0]


def test_growth_keeps_every_state() -> None:
    rng = np.random.default_rng(1)
    tracker, before = Tracker(), now(Tracker())
    for k, more in enumerate((FIRST_CAPACITY - 3, FIRST_CAPACITY, 5 * FIRST_CAPACITY)):
        known = tracker.count
        places = rng.uniform(-1e5, 1e5, (more, 3)) + np.array([1e6 * k, 0.0, 0.0])
        numbers = tracker.scan(5, radar.plots_at(places), VIEW, False)
        after = now(tracker)
        for old, new in zip(before, after, strict=True):
            assert (new[:known] == old).all()
        assert sorted(numbers.tolist()) == list(range(known + 1, known + more + 1))
        assert (after.x[numbers - 1, :3] == places).all()
        before = after
    assert (tracker.numbers() == np.arange(1, 7 * FIRST_CAPACITY - 2)).all()


# -- order, snapshots, numbers ------------------------------------------------------------


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=15, deadline=None)
def test_the_order_inside_a_scan_does_not_matter(seed: int) -> None:
    rng = np.random.default_rng(seed)
    straight, shuffled = Tracker(), Tracker()
    for at_ns, plots, turn in a_night(seed, 25, 10, True):
        order = rng.permutation(len(plots.z))
        mixed = Plots(plots.z[order], plots.r[order], plots.log_clutter[order], plots.kinds[order])
        straight.scan(at_ns, plots, VIEW, turn)
        shuffled.scan(at_ns, mixed, VIEW, turn)
        assert states(straight) == states(shuffled)


def _go_on(
    tracker: Tracker, night: list[tuple[int, Plots, bool]]
) -> list[tuple[list[int], list[int], list[int]]]:
    """Scans, bearings and prunes; what each of them answered."""
    said: list[tuple[list[int], list[int], list[int]]] = []
    for at_ns, plots, turn in night:
        took = tracker.scan(at_ns, plots, VIEW, turn).tolist()
        azimuth = math.atan2(plots.z[0, 0], plots.z[0, 1])
        numbers, fates = tracker.bearings(
            at_ns + NS_PER_S // 3, np.array([azimuth]), np.array([0.05]), VIEW
        )
        said.append((took, numbers.tolist(), fates.tolist()))
        tracker.prune(at_ns)
    return said


@pytest.mark.parametrize("cut", [0, 1, 7, 20, 39, 40])
def test_a_restored_tracker_goes_on_byte_for_byte(cut: int) -> None:
    config = replace(CONFIG, coast_ns=3 * NS_PER_S, track_limit=20)
    night = a_night(4, 40, 10, True)
    whole, first = Tracker(config), Tracker(config)
    said = _go_on(whole, night)
    head = _go_on(first, night[:cut])
    saved = first.snapshot()
    second = Tracker.restore(config, saved)
    assert second.snapshot() == saved
    assert head + _go_on(second, night[cut:]) == said
    assert second.snapshot() == whole.snapshot()
    assert whole.shed > 0
    assert sum(numbers[0] > 0 for _, numbers, _ in said) > 5  # bearings did land


def test_a_large_snapshot_fits() -> None:
    tracker = Tracker()
    places = np.arange(3 * FIRST_CAPACITY)[:, None] * np.array([[500.0, 10.0, 0.0]])
    tracker.scan(0, radar.plots_at(places), VIEW, False)
    again = Tracker.restore(CONFIG, tracker.snapshot())
    assert again.snapshot() == tracker.snapshot()
    again.scan(0, radar.plots_at(places + 10_000_000.0), VIEW, False)
    assert again.count == 6 * FIRST_CAPACITY


def test_numbers_are_never_used_again() -> None:
    tracker = Tracker()
    tracker.scan(0, radar.plots_at(np.zeros((3, 3))), VIEW, False)
    tracker.prune(CONFIG.coast_ns)
    assert tracker.count == 3
    tracker.prune(CONFIG.coast_ns + 1)
    assert tracker.count == 0
    assert tracker.scan(0, radar.plots_at(np.zeros((1, 3))), VIEW, False).tolist() == [4]


# -- by score -----------------------------------------------------------------------------


def _until_confirmed(seed: int) -> int:
    """Scans of the inbound target, in clutter, until a confirmed track is within 100 m of it."""
    rng = np.random.default_rng(seed)
    tracker = Tracker()
    for k in range(30):
        there = radar.INBOUND.at(k)
        values = radar.clutter(rng)
        if rng.random() < radar.RADAR.detection_probability:
            values = np.vstack([values, radar.seen(there, rng)])
        tracker.scan(k * NS_PER_S, radar.polar_plots(values, VIEW), VIEW, True)
        off = tracker.confirmed().x[:, :3] - there
        if (np.linalg.norm(off, axis=1) < 100.0).any():
            return k + 1
    return 31


def test_a_target_is_confirmed_within_a_few_turns() -> None:
    needed = sorted(_until_confirmed(seed) for seed in range(60))
    assert needed[0] >= CONFIG.confirm_hits
    assert needed[30] <= 5
    assert needed[-1] <= 9


def test_clutter_alone_makes_hardly_a_track() -> None:
    """20 false plots a turn, as the sensor states: at most one false track in 500 turns."""
    rng = np.random.default_rng(7)
    tracker, numbers, most = Tracker(), set(), 0
    for k in range(1500):
        tracker.scan(k * NS_PER_S, radar.polar_plots(radar.clutter(rng), VIEW), VIEW, True)
        numbers.update(tracker.confirmed().number.tolist())
        most = max(most, tracker.count)
    assert len(numbers) <= 3
    assert tracker.next_number > 20_000  # each of them was given its chance
    assert most < 200


def test_a_confirmed_track_outlives_five_misses() -> None:
    tracker, nothing = Tracker(), radar.plots_at(np.empty((0, 3)))
    for k in range(20):
        plots = radar.plots_at(radar.INBOUND.at(k)[None])
        assert tracker.scan(k * NS_PER_S, plots, VIEW, True).tolist() == [1]
    for k in range(20, 25):
        tracker.scan(k * NS_PER_S, nothing, VIEW, True)
        assert tracker.confirmed().number.tolist() == [1]
    tracker.scan(25 * NS_PER_S, nothing, VIEW, True)
    assert tracker.count == 0


def test_a_miss_counts_only_in_coverage_and_in_a_whole_turn() -> None:
    places = np.array([[1000.0, 0.0, 100.0], [8000.0, 0.0, 100.0]])
    tracker, nothing = Tracker(), radar.plots_at(np.empty((0, 3)))
    tracker.scan(0, radar.plots_at(places), VIEW, True)
    for k in range(1, 10):
        tracker.scan(k * NS_PER_S // 10, nothing, VIEW, False)
    assert now(tracker).misses.tolist() == [0, 0]
    for k in range(1, 3):
        tracker.scan((k + 1) * NS_PER_S, nothing, VIEW, True)
    assert now(tracker).x[:, 0].tolist() == [8000.0]  # the other was dropped by score


def test_a_track_needs_its_hits_whatever_its_score() -> None:
    tracker = Tracker(replace(CONFIG, confirm_score=-100.0))
    for k in range(CONFIG.confirm_hits):
        assert tracker.confirmed().number.tolist() == []
        tracker.scan(k * NS_PER_S, radar.plots_at(radar.INBOUND.at(k)[None]), VIEW, True)
    assert tracker.confirmed().number.tolist() == [1]


# -- flights ------------------------------------------------------------------------------


def _numbers_kept(places: F64, seed: int, sigma_m: float) -> list[set[int]]:
    """Confirmed tracks nearest to each of the targets (scans, targets, 3) from scan 12 on."""
    rng, tracker = np.random.default_rng(seed), Tracker()
    kept: list[set[int]] = [set() for _ in places[0]]
    for k, there in enumerate(places):
        heard = there[rng.random(len(there)) < 0.9]
        noisy = heard + rng.normal(0.0, sigma_m, heard.shape)
        tracker.scan(k * NS_PER_S, radar.plots_at(noisy, sigma_m), VIEW, True)
        held = tracker.confirmed()
        for target, place in enumerate(there):
            if k >= 12:
                off = np.linalg.norm(held.x[:, :3] - place, axis=1)
                kept[target].add(int(held.number[off.argmin()]) if len(off) else 0)
    return kept


def test_a_hovering_drone_that_darts_off_and_turns_keeps_its_number() -> None:
    """It gains and loses 6 m/s in a second, as far as 30 m/s; plots are good to 10 m."""
    ramp = np.arange(0.0, 31.0, 6.0)
    forth = np.concatenate([np.zeros(25), ramp, np.full(10, 30.0), ramp[::-1], np.zeros(21)])
    across = np.concatenate([np.zeros(41), ramp, np.full(10, 30.0), ramp[::-1], np.zeros(5)])
    flown = np.cumsum(np.column_stack([forth, across]), axis=0) + np.array([1000.0, 1000.0])
    places = np.column_stack([flown, np.full(len(flown), 100.0)])[:, None]
    whole = [len(_numbers_kept(places, seed, 10.0)[0]) == 1 for seed in range(20)]
    assert sum(whole) >= 18


@pytest.mark.parametrize("seed", range(3))
def test_two_drones_side_by_side_stay_two(seed: int) -> None:
    """40 m apart with plots of 5 m for a minute and a half: neither melts into the other."""
    east = 1000.0 + 10.0 * np.arange(90)
    one = np.column_stack([east, np.full(90, 1000.0), np.full(90, 100.0)])
    numbers = _numbers_kept(np.stack([one, one + np.array([0.0, 40.0, 0.0])], axis=1), seed, 5.0)
    assert all(len(each) == 1 for each in numbers)
    assert numbers[0] != numbers[1]


# -- covariances and absurd input ---------------------------------------------------------


def _is_covariance(p: F64) -> bool:
    """Symmetric but for rounding, and positive definite."""
    spread = np.sqrt(np.outer(np.diag(p), np.diag(p)))
    return bool((np.abs(p - p.T) <= 1e-12 * spread).all() and np.linalg.eigvalsh(p)[0] > 0.0)


@pytest.mark.parametrize("seed", range(3))
def test_covariances_stay_covariances_over_long_runs(seed: int) -> None:
    """Plots of one target from millimetres to kilometres wide, late ones, bearings, gaps."""
    rng = np.random.default_rng(seed)
    tracker = Tracker(replace(CONFIG, drop_confirmed_score=-1e9, drop_tentative_score=-1e9))
    now_ns = 0
    for _ in range(600):
        now_ns += int(rng.choice([0.0, 1e-6, 0.3, 1.0, 60.0]) * NS_PER_S)
        at_ns = now_ns - int(rng.choice([0.0, 1.9]) * NS_PER_S)
        z = np.array([1000.0, 800.0, 120.0]) + rng.normal(0.0, 5.0, 3)
        sigma_m = float(10.0 ** rng.uniform(-3.0, 3.0))
        tracker.scan(at_ns, radar.plots_at(z[None], sigma_m, -60.0), VIEW, True)
        azimuth, sigma = np.array([math.atan2(z[0], z[1])]), 10.0 ** rng.uniform(-4.0, 0.0, 1)
        tracker.bearings(at_ns, azimuth, sigma, VIEW)
        held = now(tracker)
        assert all(_is_covariance(p) for p in held.p)
        assert all(_is_covariance(p) for p in held.p_of.reshape(-1, 6, 6))
    assert max(held.hits) > 100


_absurd = st.one_of(
    st.sampled_from([0.0, 1e-300, 1e-9, 1.0, 1e3, 1e12, 1e100, 1e155, 1e300]),
    st.floats(0.0, 1e308),
)


@given(
    st.lists(
        st.lists(
            st.tuples(_absurd, st.floats(-1e12, 1e12), st.floats(-90.0, 90.0), _absurd, _absurd,
                      _absurd),
            min_size=1, max_size=4,
        ),
        min_size=2, max_size=5,
    ),
    st.sampled_from([0.0, 0.5, 1.0]),
)  # fmt: skip
@settings(max_examples=80, deadline=None)
def test_no_nan_leaves_the_tracker(
    scans: list[list[tuple[float, ...]]], detection_probability: float
) -> None:
    tracker = Tracker(replace(CONFIG, confirm_score=-100.0, confirm_hits=1))
    seen_by = radar.view(replace(radar.RADAR, detection_probability=detection_probability))
    for k, rows in enumerate([*scans, *scans]):
        table = np.array(rows)
        batch = radar.polar_batch(table[:, :3])
        batch.sigmas[:] = table[:, 3:]
        plots = plots_of(batch, np.arange(len(rows)), seen_by, radar.SITE, None)
        tracker.scan(k * NS_PER_S // 2, plots, seen_by, k % 2 == 0)
        azimuth, sigma = table[:, 1].copy(), np.full(len(table), 0.05)
        tracker.bearings(k * NS_PER_S // 2 - NS_PER_S, azimuth, sigma, seen_by)
        for column in now(tracker):
            assert not np.isnan(column).any()


def test_plots_at_1e12_m_do_no_harm() -> None:
    tracker, numbers = Tracker(), set()
    for k in range(12):
        z = np.array([radar.INBOUND.at(k), [1e12, -1e12, 1e12], [1e12, 0.0, 0.0]])
        numbers.add(int(tracker.scan(k * NS_PER_S, radar.plots_at(z), VIEW, True)[0]))
    (number,) = numbers
    held = tracker.confirmed()
    (x,) = held.x[held.number == number]
    assert np.linalg.norm(x[:3] - radar.INBOUND.at(11)) < 20.0


@pytest.mark.parametrize("detection_probability", [0.0, 1.0])
def test_a_sensor_that_claims_to_be_perfect_is_not_believed(detection_probability: float) -> None:
    sensor = replace(radar.RADAR, detection_probability=detection_probability, false_per_turn=0.0)
    seen_by, tracker = radar.view(sensor), Tracker()
    numbers = set()
    for k in range(8):
        z = np.array([radar.INBOUND.at(k), radar.INBOUND.at(k) + 300.0])
        numbers.add(tuple(tracker.scan(k * NS_PER_S, radar.plots_at(z), seen_by, True).tolist()))
    assert numbers in ({(1, 2)}, {(2, 1)})
    score = now(tracker).score
    assert np.isfinite(score).all()
    assert np.isfinite([seen_by.log_false_polar, seen_by.log_false_volume]).all()


# -- kinds --------------------------------------------------------------------------------


def test_kinds_add_up_to_a_cap_and_can_turn() -> None:
    tracker, place = Tracker(), np.array([[0.0, 2000.0, 100.0]])
    for k in range(40):
        plots = radar.plots_at(place)
        plots.kinds[:] = [0.0, -3.0, -3.0, -3.0] if k < 30 else [-3.0, 0.0, -3.0, -3.0]
        tracker.scan(k * NS_PER_S, plots, VIEW, True)
        kinds = now(tracker).kinds[0]
        if k == 29:
            assert kinds == pytest.approx([0.0, -KIND_CAP, -KIND_CAP, -KIND_CAP])
    assert kinds == pytest.approx([-KIND_CAP, 0.0, -KIND_CAP, -KIND_CAP])
    tracker.forget_kind(2)
    assert (now(tracker).kinds[0] == kinds).all()
    tracker.forget_kind(1)
    assert (now(tracker).kinds == 0.0).all()
