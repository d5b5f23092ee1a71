"""The tracker: scan by scan against a literal one, and what it must never do."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skykeep.core.geo import Frame, HeightReference, Terrain
from skykeep.core.observation import Coverage, Form
from skykeep.core.track.scan import covered
from skykeep.core.track.tracker import (
    FIRST_CAPACITY,
    KIND_CAP,
    KIND_FLOOR,
    KIND_TEMPER,
    UNKNOWN_HEIGHT_SIGMA_M,
    Plots,
    Tracker,
    TrackerConfig,
    TrackerSnapshot,
    hae_with_sigma,
    plots_of,
    view_of,
)
from skykeep.units import NS_PER_S
from tests.reference import radar
from tests.reference.tracking import LiteralTracker

F64 = np.ndarray[tuple[int, ...], np.dtype[np.float64]]
VIEW = radar.view()
CONFIG = TrackerConfig()
SHAPES = ((6,), (6, 6), (), (), (), (), (), (), (), (4,), ())
INTEGERS = {2, 3, 4, 5, 7, 8, 10}


def columns(saved: TrackerSnapshot) -> list[F64]:
    """x, P, time, first, last, status, score, hits, misses, kinds, number."""
    kinds = ["<i8" if k in INTEGERS else "<f8" for k in range(11)]
    return [
        np.frombuffer(raw, kind).reshape(saved.count, *shape)
        for raw, kind, shape in zip(saved.columns, kinds, SHAPES, strict=True)
    ]


def states(tracker: Tracker) -> list[bytes]:
    """All tracks but for their numbers, in an order of their own."""
    saved = columns(tracker.snapshot())[:10]
    return sorted(b"".join(column[i].tobytes() for column in saved) for i in range(tracker.count))


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
@pytest.mark.parametrize("seed", range(2))
def test_every_scan_is_the_literal_trackers(coverage: Coverage, late: bool, seed: int) -> None:
    config = replace(CONFIG, track_limit=60)
    fast, seen_by = Tracker(config), radar.looking(coverage)
    slow = LiteralTracker(config, coverage, seen_by.sensor.detection_probability)
    confirmed = dropped = 0
    for at_ns, plots, turn in a_night(seed, 30, 6, late):
        before = set(fast.numbers().tolist())
        took = fast.scan(at_ns, plots, seen_by, turn)
        owner = slow.scan(at_ns, plots.z, plots.r, plots.log_clutter, plots.kinds, turn)
        assert took.tolist() == owner
        x, p, time_ns, _, last_ns, status, score, hits, misses, kinds, number = columns(
            fast.snapshot()
        )
        assert number.tolist() == [t.number for t in slow.tracks]
        assert status.tolist() == [int(t.confirmed) for t in slow.tracks]
        assert hits.tolist() == [t.hits for t in slow.tracks]
        assert misses.tolist() == [t.misses for t in slow.tracks]
        assert time_ns.tolist() == [t.time_ns for t in slow.tracks]
        assert last_ns.tolist() == [t.last_ns for t in slow.tracks]
        for found, literal, tolerance in (
            (score, [t.score for t in slow.tracks], 1e-6),
            (x, [t.x for t in slow.tracks], 1e-5),
            (p, [t.p for t in slow.tracks], 1e-4),
            (kinds, [t.kinds for t in slow.tracks], 1e-9),
        ):
            expected = np.reshape(literal, found.shape)
            np.testing.assert_allclose(found, expected, rtol=1e-6, atol=tolerance)
        confirmed += int(status.sum())
        dropped += len(before - set(number.tolist()))
    assert confirmed > 50
    assert dropped > 5


def test_the_limit_sheds_and_counts() -> None:
    tracker = Tracker(replace(CONFIG, track_limit=5))
    places = np.arange(8)[:, None] * np.array([[500.0, 0.0, 0.0]])
    took = tracker.scan(0, radar.plots_at(places), VIEW, False)
    assert took.tolist() == [1, 2, 3, 4, 5, 0, 0, 0]
    assert (tracker.count, tracker.shed) == (5, 3)
    assert tracker.scan(NS_PER_S, radar.plots_at(places), VIEW, False).tolist() == took.tolist()
    assert tracker.shed == 6


def test_a_plot_that_overflowed_is_shed_and_its_neighbours_kept() -> None:
    tracker = Tracker()
    plots = radar.plots_at(np.arange(5)[:, None] * np.array([[500.0, 0.0, 0.0]]))
    plots.z[1, 2], plots.r[3, 0, 1] = math.inf, math.nan
    assert tracker.scan(0, plots, VIEW, True).tolist() == [1, 0, 2, 0, 3]
    assert (tracker.count, tracker.shed, tracker.next_number) == (3, 2, 4)
    assert [x[0] for x in columns(tracker.snapshot())[0]] == [0.0, 1000.0, 2000.0]


def test_growth_keeps_every_state() -> None:
    rng = np.random.default_rng(1)
    tracker, before = Tracker(), columns(Tracker().snapshot())
    for k, more in enumerate((FIRST_CAPACITY - 3, FIRST_CAPACITY, 5 * FIRST_CAPACITY)):
        known = tracker.count
        places = rng.uniform(-1e5, 1e5, (more, 3)) + np.array([1e6 * k, 0.0, 0.0])
        numbers = tracker.scan(5, radar.plots_at(places), VIEW, False)
        after = columns(tracker.snapshot())
        for old, new in zip(before, after, strict=True):
            assert (new[:known] == old).all()
        assert numbers.tolist() == list(range(known + 1, known + more + 1))
        assert (after[0][known:, :3] == places).all()
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
) -> list[tuple[list[int], tuple[int, bool]]]:
    """Scans, bearings and prunes; what each of them answered."""
    said: list[tuple[list[int], tuple[int, bool]]] = []
    for at_ns, plots, turn in night:
        took = tracker.scan(at_ns, plots, VIEW, turn).tolist()
        azimuth = math.atan2(plots.z[0, 0], plots.z[0, 1])
        said.append((took, tracker.bearing(at_ns + NS_PER_S // 3, azimuth, 0.05, VIEW)))
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
    assert sum(answer[0] > 0 for _, answer in said) > 5  # bearings did land


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
    assert needed[30] <= 6
    assert needed[-1] <= 12


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
    assert columns(tracker.snapshot())[8].tolist() == [0, 0]
    for k in range(1, 3):
        tracker.scan((k + 1) * NS_PER_S, nothing, VIEW, True)
    assert columns(tracker.snapshot())[10].tolist() == [2]  # the other was dropped by score


@pytest.mark.parametrize(
    ("limits", "inside"),
    [
        ((350.0, 10.0), {0.0, 5.0, 355.0, 350.0, 10.0}),
        ((10.0, 350.0), {10.0, 350.0, 45.0, 90.0, 180.0, 270.0}),
        ((0.0, 360.0), {0.0, 5.0, 10.0, 45.0, 90.0, 180.0, 270.0, 350.0, 355.0}),
        ((-180.0, 180.0), {0.0, 5.0, 10.0, 45.0, 90.0, 180.0, 270.0, 350.0, 355.0}),
        ((45.0, 45.0), {0.0, 5.0, 10.0, 45.0, 90.0, 180.0, 270.0, 350.0, 355.0}),
        ((-90.0, 90.0), {0.0, 5.0, 10.0, 45.0, 90.0, 270.0, 350.0, 355.0}),
    ],
)
def test_coverage_goes_clockwise(limits: tuple[float, float], inside: set[float]) -> None:
    seen_by = radar.looking(Coverage(100.0, 5000.0, *limits))
    found = set()
    for azimuth in (0.0, 5.0, 10.0, 45.0, 90.0, 180.0, 270.0, 350.0, 355.0):
        # A hair inwards, where the azimuth is itself a limit.
        turned = azimuth + {limits[0] % 360.0: 1e-9, limits[1] % 360.0: -1e-9}.get(azimuth, 0.0)
        a = math.radians(turned)
        x = np.array([1000.0 * math.sin(a), 1000.0 * math.cos(a), 0.0, 0.0, 0.0, 0.0])
        if covered(x, seen_by.place, seen_by.axes, seen_by.limits):
            found.add(azimuth)
    assert found == inside


def test_coverage_is_seen_from_the_sensor_not_the_site() -> None:
    """A sensor 3 degrees east: its horizon is tilted, its north turned against the site's."""
    far = replace(radar.RADAR, lon_deg=9.13, coverage=Coverage(900.0, 1100.0, 80.0, 100.0, -1, 1))
    seen_by, own = view_of(far, radar.SITE), Frame(far.lat_deg, far.lon_deg, far.height_hae_m)

    def sees(east: float, north: float, up: float) -> bool:
        there = radar.SITE.to_enu(*own.to_geodetic(east, north, up))
        return bool(covered(np.array(there), seen_by.place, seen_by.axes, seen_by.limits))

    assert sees(1000.0, 0.0, 0.0)
    assert sees(1000.0, 170.0, 0.0)
    assert sees(1000.0, -170.0, 15.0)
    assert not sees(1000.0, 185.0, 0.0)
    assert not sees(1000.0, -185.0, 0.0)
    assert not sees(1000.0, 0.0, 20.0)
    assert not sees(1000.0, 0.0, -20.0)
    assert not sees(890.0, 0.0, 0.0)
    assert not sees(1110.0, 0.0, 0.0)
    assert not sees(0.0, 0.0, 0.0)


@given(*[st.floats(-1500.0, 1500.0)] * 3, st.floats(-60.0, 60.0), st.floats(-140.0, 140.0))
@settings(max_examples=100, deadline=None)
def test_coverage_of_a_sensor_anywhere_is_the_literal_one(
    east: float, north: float, up: float, dlat: float, dlon: float
) -> None:
    c = Coverage(300.0, 1700.0, 250.0, 40.0, -20.0, 50.0)
    sensor = replace(radar.RADAR, lat_deg=10.0 + dlat, lon_deg=dlon, coverage=c)
    seen_by = view_of(sensor, radar.SITE)
    there = seen_by.axes @ np.array([east, north, up]) + seen_by.place
    distance, azimuth, elevation = radar.polar_of(np.array([east, north, up]) + 1e-6)
    clear = min(
        abs(distance - 300.0), abs(distance - 1700.0), abs(elevation + 20.0),
        abs(elevation - 50.0), abs(azimuth - 250.0), abs(azimuth - 40.0),
    )  # fmt: skip
    if clear > 1e-3:
        inside = 300.0 < distance < 1700.0 and -20.0 < elevation < 50.0
        inside = inside and not 40.0 < azimuth < 250.0
        assert covered(there, seen_by.place, seen_by.axes, seen_by.limits) == inside


def test_no_sensor_covers_its_own_place() -> None:
    seen_by = radar.looking(Coverage(0.0, 5000.0))
    assert not covered(seen_by.place, seen_by.place, seen_by.axes, seen_by.limits)
    above = seen_by.place + np.array([0.0, 0.0, 1e-3])
    assert covered(above, seen_by.place, seen_by.axes, seen_by.limits)


def test_a_track_needs_its_hits_whatever_its_score() -> None:
    tracker = Tracker(replace(CONFIG, confirm_score=-100.0))
    for k in range(CONFIG.confirm_hits):
        assert tracker.confirmed().number.tolist() == []
        tracker.scan(k * NS_PER_S, radar.plots_at(radar.INBOUND.at(k)[None]), VIEW, True)
    assert tracker.confirmed().number.tolist() == [1]


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
        tracker.bearing(at_ns, math.atan2(z[0], z[1]), 10.0 ** rng.uniform(-4.0, 0.0), VIEW)
        saved = columns(tracker.snapshot())
        assert all(_is_covariance(p) for p in saved[1])
    assert max(saved[7]) > 100


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
@settings(max_examples=150, deadline=None)
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
        tracker.bearing(k * NS_PER_S // 2 - NS_PER_S, table[0, 1], 0.05, seen_by)
        for column in columns(tracker.snapshot()):
            assert not np.isnan(column).any()


def test_plots_at_1e12_m_do_no_harm() -> None:
    tracker = Tracker()
    for k in range(12):
        z = np.array([radar.INBOUND.at(k), [1e12, -1e12, 1e12], [1e12, 0.0, 0.0]])
        assert tracker.scan(k * NS_PER_S, radar.plots_at(z), VIEW, True)[0] == 1
    assert 1 in tracker.confirmed().number
    assert np.linalg.norm(tracker.confirmed().x[0, :3] - radar.INBOUND.at(11)) < 20.0


@pytest.mark.parametrize("detection_probability", [0.0, 1.0])
def test_a_sensor_that_claims_to_be_perfect_is_not_believed(detection_probability: float) -> None:
    sensor = replace(radar.RADAR, detection_probability=detection_probability, false_per_turn=0.0)
    seen_by, tracker = radar.view(sensor), Tracker()
    for k in range(8):
        z = np.array([radar.INBOUND.at(k), radar.INBOUND.at(k) + 300.0])
        assert tracker.scan(k * NS_PER_S, radar.plots_at(z), seen_by, True).tolist() == [1, 2]
    score = columns(tracker.snapshot())[6]
    assert np.isfinite(score).all()
    assert np.isfinite([seen_by.log_false_polar, seen_by.log_false_volume]).all()


# -- plots from batches -------------------------------------------------------------------


def test_false_plots_have_the_density_that_the_sensor_states() -> None:
    """Over the coverage, the density per m^3 adds up to the false plots of a turn."""
    seen_by = radar.looking(Coverage(500.0, 3000.0, 30.0, 150.0, -5.0, 40.0))
    rng = np.random.default_rng(2)
    values = rng.uniform([500.0, 30.0, -5.0], [3000.0, 150.0, 40.0], (20_000, 3))
    density = np.exp(radar.polar_plots(values, seen_by).log_clutter)
    jacobian = values[:, 0] ** 2 * np.cos(np.radians(values[:, 2]))
    polar_volume = 2500.0 * math.radians(120.0) * math.radians(45.0)
    assert np.mean(density * jacobian) * polar_volume == pytest.approx(20.0, rel=1e-9)
    volume = np.mean(jacobian) * polar_volume
    assert math.exp(seen_by.log_false_volume) * volume == pytest.approx(20.0, rel=0.02)


def test_kinds_are_tempered_and_never_outlaw_one() -> None:
    batch = replace(
        radar.polar_batch(np.array([[1000.0, 0.0, 0.0], [1000.0, 9.0, 0.0], [900.0, 0.0, 0.0]])),
        kind_likelihood=np.array([[0.7, 0.2, 0.1, 0.0], [0.0] * 4, [0.1, 0.2, 0.3, 0.4]]),
    )
    kinds = plots_of(batch, np.array([2, 0]), VIEW, radar.SITE, None).kinds
    expected = KIND_TEMPER * np.log([[0.1, 0.2, 0.3, 0.4], [0.7, 0.2, 0.1, KIND_FLOOR]])
    assert kinds == pytest.approx(expected)
    plain = replace(batch, kind_likelihood=None)
    assert (plots_of(plain, np.array([1]), VIEW, radar.SITE, None).kinds == 0.0).all()


def test_positions_become_plots_in_the_sites_frame() -> None:
    places = [(300.0, -400.0, 50.0), (-2000.0, 1500.0, 120.0)]
    values = np.array([radar.SITE.to_geodetic(*place) for place in places])
    values[1, 2] -= 47.0  # the second above the geoid
    batch = replace(
        radar.polar_batch(values, (3.0, 4.0, 5.0)),
        form=Form.POSITION,
        height_references=np.array([HeightReference.HAE, HeightReference.AMSL], np.int8),
    )
    plots = plots_of(batch, np.array([1, 0]), VIEW, radar.SITE, TERRAIN)
    assert plots.z == pytest.approx(np.array(places[::-1]), abs=1e-3)
    assert plots.r[0] == pytest.approx(np.diag([9.0, 16.0, 25.25]))
    assert plots.r[1] == pytest.approx(np.diag([9.0, 16.0, 25.0]))
    assert plots.log_clutter == pytest.approx(VIEW.log_false_volume)


TERRAIN = Terrain(200.0, 300.0, 46.0, 48.0)


@pytest.mark.parametrize(
    ("height_m", "reference", "sigma_m", "terrain", "expected"),
    [
        (400.0, HeightReference.HAE, 7.0, None, (400.0, 7.0)),
        (400.0, HeightReference.AMSL, 3.0, TERRAIN, (447.0, math.hypot(3.0, 0.5))),
        (100.0, HeightReference.AGL, 3.0, TERRAIN, (397.0, math.hypot(3.0, 25.5))),
        (400.0, HeightReference.AMSL, 3.0, None, (350.0, UNKNOWN_HEIGHT_SIGMA_M)),
        (math.nan, HeightReference.HAE, 3.0, TERRAIN, (350.0, UNKNOWN_HEIGHT_SIGMA_M)),
        (400.0, HeightReference.NONE, 3.0, TERRAIN, (350.0, UNKNOWN_HEIGHT_SIGMA_M)),
        (400.0, HeightReference.HAE, math.nan, None, (400.0, UNKNOWN_HEIGHT_SIGMA_M)),
        (400.0, HeightReference.HAE, 0.0, None, (400.0, UNKNOWN_HEIGHT_SIGMA_M)),
        (400.0, HeightReference.HAE, math.inf, None, (400.0, UNKNOWN_HEIGHT_SIGMA_M)),
    ],
)
def test_a_plots_height_and_its_sigma(
    height_m: float,
    reference: HeightReference,
    sigma_m: float,
    terrain: Terrain | None,
    expected: tuple[float, float],
) -> None:
    found = hae_with_sigma(height_m, reference, sigma_m, radar.SITE, terrain)
    assert found == pytest.approx(expected)


# -- bearings -----------------------------------------------------------------------------


def _with_tracks(*places: tuple[float, float, float]) -> Tracker:
    """Confirmed tracks that stand still at these places at second 9."""
    tracker = Tracker()
    for k in range(10):
        tracker.scan(k * NS_PER_S, radar.plots_at(np.array(places)), VIEW, True)
    assert tracker.confirmed().number.tolist() == list(range(1, len(places) + 1))
    return tracker


AT_NS = 9 * NS_PER_S


@pytest.mark.parametrize("turns", [-1, 0, 1])
@pytest.mark.parametrize("off_rad", [-0.02, 0.02])
def test_a_bearing_across_north_is_taken(turns: int, off_rad: float) -> None:
    tracker = _with_tracks((0.0, 2000.0, 100.0), (2000.0, 0.0, 100.0))
    before = columns(tracker.snapshot())[0]
    azimuth = off_rad + turns * 2.0 * math.pi
    assert tracker.bearing(AT_NS, azimuth, 0.03, VIEW) == (1, False)
    after = columns(tracker.snapshot())[0]
    assert 0.0 < (after[0, 0] - before[0, 0]) * math.copysign(1.0, off_rad) < 40.0
    assert (after[1] == before[1]).all()


def test_an_ambiguous_bearing_is_left_out() -> None:
    tracker = _with_tracks((0.0, 2000.0, 100.0), (30.0, 3000.0, 100.0))
    before = tracker.snapshot()
    assert tracker.bearing(AT_NS, 0.0, 0.05, VIEW) == (0, True)
    assert tracker.snapshot() == before


@pytest.mark.parametrize("swapped", [False, True])
def test_a_rival_much_less_likely_does_not_make_it_ambiguous(swapped: bool) -> None:
    fits, rival = (0.0, 2000.0, 100.0), (2000.0 * math.sin(0.12), 2000.0 * math.cos(0.12), 100.0)
    tracker = _with_tracks(*((rival, fits) if swapped else (fits, rival)))
    assert tracker.bearing(AT_NS, 0.0, 0.045, VIEW) == (2 if swapped else 1, False)
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
        assert tracker.scan(k * NS_PER_S, plots, VIEW, True).tolist() == [1, 2]
    assert tracker.confirmed().number.tolist() == [1, 2]
    assert tracker.bearing(AT_NS, 0.0, 0.003, VIEW) == (1, False)


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
    assert held.x[0] == pytest.approx(before, abs=1e-6)
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


# -- kinds --------------------------------------------------------------------------------


def test_kinds_add_up_to_a_cap_and_can_turn() -> None:
    tracker, place = Tracker(), np.array([[0.0, 2000.0, 100.0]])
    for k in range(40):
        plots = radar.plots_at(place)
        plots.kinds[:] = [0.0, -3.0, -3.0, -3.0] if k < 30 else [-3.0, 0.0, -3.0, -3.0]
        tracker.scan(k * NS_PER_S, plots, VIEW, True)
        kinds = columns(tracker.snapshot())[9][0]
        if k == 29:
            assert kinds == pytest.approx([0.0, -KIND_CAP, -KIND_CAP, -KIND_CAP])
    assert kinds == pytest.approx([-KIND_CAP, 0.0, -KIND_CAP, -KIND_CAP])
    tracker.forget_kind(2)
    assert (columns(tracker.snapshot())[9][0] == kinds).all()
    tracker.forget_kind(1)
    assert (columns(tracker.snapshot())[9] == 0.0).all()
