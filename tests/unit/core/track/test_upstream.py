"""Another system's tracks beside ours: consistent together, and never more than they are worth."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import chi2

from skykeep.codec import wire
from skykeep.core.geo import F64, HeightReference
from skykeep.core.observation import Batch, Form
from skykeep.core.track.intersection import advance
from skykeep.core.track.tracker import Confirmed, Plots, Tracker, TrackerConfig
from skykeep.core.track.upstream import (
    GIVEN_SIGMA_MPS,
    PLACE_VELOCITY_CORRELATION,
    SILENT_NS,
    UNKNOWN_SIGMA_MPS,
    UPSTREAM_LIMIT,
    WAIT_NS,
    UpstreamTracks,
    mean_q,
)
from skykeep.units import NS_PER_S, BatchId, SensorId
from tests.reference import kalman, radar
from tests.sky import NOWHERE, Place, at, confirmed

VIEW = radar.view()
CALM = TrackerConfig(manoeuvres=False)
HERE: Place = (100.0, -200.0, 90.0)
GROWN = 1.0 + PLACE_VELOCITY_CORRELATION


def told(
    second: float,
    *tracks: tuple[str, Place],
    velocity: Place = (0.0, 0.0, 0.0),
    sigmas: Place = (5.0, 5.0, 8.0),
    slack: Place | None = (1.0, 1.0, 0.5),
    system: str = "c2",
) -> tuple[Batch, Plots]:
    """A TRACK batch and its places in the frame."""
    n = len(tracks)
    given = Batch(
        BatchId(f"{system}:{second}"), SensorId(system), at(second), Form.TRACK,
        np.full(n, at(second), np.int64), np.zeros((n, 3)), np.tile(sigmas, (n, 1)),
        np.tile(velocity, (n, 1)), np.full(n, HeightReference.HAE, np.int8),
        upstream_ids=tuple(name for name, _ in tracks),
        velocity_sigmas_mps=None if slack is None else np.tile(slack, (n, 1)),
    )  # fmt: skip
    z = np.array([place for _, place in tracks], float).reshape(n, 3)
    r = np.tile(np.diag(np.square(sigmas)), (n, 1, 1))
    return given, Plots(z, r, np.zeros(n), np.zeros((n, 4)))


def hear(held: UpstreamTracks, batch: Batch, plots: Plots) -> list[int]:
    return held.receive(batch, np.arange(len(batch)), plots)


def nobody(second: float) -> Confirmed:
    return confirmed(second, [])


# -- consistency --------------------------------------------------------------------------

RUNS, SCANS = 200, 25
ROUND = np.diag([25.0, 25.0, 64.0])
#: A radar to the north-west, good to 5 m in range and 25 m across, and one to the north-east.
_TURN = np.array([[1.0, 1.0, 0.0], [-1.0, 1.0, 0.0], [0.0, 0.0, np.sqrt(2.0)]]) / np.sqrt(2.0)
LONG = _TURN @ np.diag([25.0, 625.0, 400.0]) @ _TURN.T
ACROSS = _TURN.T @ np.diag([25.0, 625.0, 100.0]) @ _TURN
SHARP = np.diag([4.0, 9.0, 16.0])
H = kalman.position_model(0.0)


def paths(rng: np.random.Generator) -> F64:
    """(SCANS + 1, RUNS, 6): flights under the noise of the calm model, each second and 0.5 s on."""
    x = rng.normal(size=(RUNS, 6)) * [0.0, 0.0, 0.0, 15.0, 15.0, 3.0]
    states = [x]
    for step in range(SCANS):
        dt_s = 1.0 if step + 1 < SCANS else 0.5
        noise = np.linalg.cholesky(kalman.process_noise(dt_s, 1.0, 0.09))
        x = x @ kalman.transition(dt_s).T + rng.normal(size=(RUNS, 6)) @ noise.T
        states.append(x)
    return np.array(states)


def seen(rng: np.random.Generator, truth: F64, r: F64) -> F64:
    """Plots (SCANS, RUNS, 3) with covariance r."""
    errors: F64 = rng.normal(size=(SCANS, RUNS, 3)) @ np.linalg.cholesky(r).T
    return truth[:SCANS, :, :3] + errors


def literal_filter(sensors: list[tuple[F64, F64]]) -> list[tuple[F64, F64]]:
    """What a Kalman filter makes of all these sensors, scan by scan: x (RUNS, 6) and P."""
    x, p = np.zeros((RUNS, 6)), np.diag([1e6] * 3 + [225.0, 225.0, 9.0])
    made = []
    for second in range(SCANS):
        if second:
            x = x @ kalman.transition(1.0).T
            p = kalman.predict(np.zeros(6), p, 1.0, 1.0, 0.09)[1]
        for plots, r in sensors:
            gain = p @ H.T @ np.linalg.inv(H @ p @ H.T + r)
            x = x + (plots[second] - x @ H.T) @ gain.T
            p = kalman.update(np.zeros(6), p, H, np.zeros(3), r)[1]
        made.append((x, p))
    return made


def nees(error: F64, p: F64) -> float:
    return float(error @ np.linalg.solve(p, error))


MIXES = ["one radar", "one radar and another", "another radar"]


@pytest.mark.parametrize("mix", MIXES)
@pytest.mark.parametrize(("r", "r_other"), [(ROUND, SHARP), (LONG, ACROSS)], ids=["round", "long"])
def test_both_together_are_consistent_however_they_hang_together(
    mix: str, r: F64, r_other: F64
) -> None:
    """NEES of our track inside both its 95 % bounds, of the two together below the upper one."""
    rng = np.random.default_rng(11)
    truth = paths(rng)
    ours, other = seen(rng, truth, r), (seen(rng, truth, r_other), r_other)
    theirs = literal_filter([[(ours, r)], [(ours, r), other], [other]][MIXES.index(mix)])
    alone, joined, gains = [], [], []
    look_ns = at(SCANS - 0.5)
    for run in range(RUNS):
        tracker, held = Tracker(replace(CALM, gate_sigmas=9.0)), UpstreamTracks()
        for second in range(SCANS):
            z = ours[second, run][None]
            plots = Plots(z, r[None], np.array([-20.0]), np.zeros((1, 4)))
            tracker.scan(at(second), plots, VIEW, True)
            x, sigmas = theirs[second][0][run], np.sqrt(np.diag(theirs[second][1]))
            hear(held, *told(second, ("7", tuple(x[:3])), velocity=tuple(x[3:]),
                             sigmas=tuple(sigmas[:3]), slack=tuple(sigmas[3:])))  # fmt: skip
            held.follow(at(second), tracker.confirmed(), CALM)
        own = tracker.confirmed()
        shown, upstream = held.shown(look_ns, own, CALM)
        assert (upstream.bound, own.number.tolist()) == ({1: 1}, [1])
        advance(own.x, own.p, own.time_ns, look_ns, mean_q(CALM))
        alone.append(nees(own.x[0] - truth[-1, run], own.p[0]))
        joined.append(nees(shown.x[0] - truth[-1, run], shown.p[0]))
        gains.append(1.0 - np.trace(shown.p[0, :3, :3]) / np.trace(own.p[0, :3, :3]))
    low, high = chi2.ppf([0.025, 0.975], 6 * RUNS) / RUNS
    print(f"alone {np.mean(alone):.2f}, joined {np.mean(joined):.2f}, [{low:.2f}, {high:.2f}], "
          f"gain {np.mean(gains):.2f}")  # fmt: skip
    assert low < np.mean(alone) < high
    assert np.mean(joined) < high
    assert min(gains) >= -1e-9
    if mix == MIXES[0]:
        # Nothing new was measured; but a long ellipse is told as a circle, by east and by north.
        assert max(gains) <= (1e-9 if r is ROUND else 0.1)
    elif r is ROUND:
        assert np.mean(gains) > 0.2


# -- states -------------------------------------------------------------------------------


def test_a_track_is_bounded_for_what_its_system_does_not_say() -> None:
    held = UpstreamTracks()
    hear(held, *told(1.0, ("a", HERE), velocity=(3.0, 4.0, 1.0)))
    hear(held, *told(1.0, ("b", HERE), velocity=(3.0, 4.0, 1.0), slack=None))
    hear(held, *told(1.0, ("c", HERE), velocity=(3.0, 4.0, NOWHERE), slack=(2.0, 2.0, NOWHERE)))
    a, b, c = held.held.values()
    assert a.x == b.x == (*HERE, 3.0, 4.0, 1.0)
    assert a.variances == pytest.approx(GROWN * np.square([5.0, 5.0, 8.0, 1.0, 1.0, 0.5]))
    assert b.variances[3:] == pytest.approx(GROWN * np.square(GIVEN_SIGMA_MPS))
    assert c.x[3:] == (3.0, 4.0, 0.0)
    assert c.variances[3:] == pytest.approx(GROWN * np.square([2.0, 2.0, UNKNOWN_SIGMA_MPS[2]]))
    truth = np.array([[1.0, 0.7], [0.7, 1.0]])
    assert np.linalg.eigvalsh(GROWN * np.eye(2) - truth).min() > 0.0


def test_a_lone_track_moves_on_and_grows_until_it_falls_silent() -> None:
    held = UpstreamTracks()
    hear(held, *told(0.0, ("a", HERE), velocity=(10.0, 0.0, 0.0)))
    sizes = []
    for second in (0.0, 1.0, 5.0, 15.0):
        held.follow(at(second), nobody(second), TrackerConfig())
        shown, upstream = held.shown(at(second), nobody(second), TrackerConfig())
        assert (shown.number.tolist(), upstream.live) == ([-1], (1,))
        assert shown.x[0, :3] == pytest.approx((HERE[0] + 10.0 * second, *HERE[1:]))
        assert shown.time_ns.tolist() == [at(second)]
        assert shown.last_ns.tolist() == [at(0.0)]
        sizes.append(float(shown.p[0, 0, 0]))
    assert sizes == sorted(set(sizes))
    wanted = kalman.predict(np.zeros(6), np.diag(held.held[SensorId("c2"), "a"].variances), 15.0,
                            *mean_q(TrackerConfig()))[1]  # fmt: skip
    assert shown.p[0] == pytest.approx(wanted)
    held.follow(at(0.0) + SILENT_NS + 1, nobody(16.0), TrackerConfig())
    assert not held.held


def test_noise_over_long_is_that_of_calm_and_of_manoeuvres_by_their_shares() -> None:
    assert mean_q(CALM).tolist() == [1.0, 0.09]
    assert mean_q(TrackerConfig()) == pytest.approx([(120 + 4 * 50) / 124, (10.8 + 16) / 124])


# -- what is said again, or in another order ----------------------------------------------


def follow(held: UpstreamTracks, *seconds: float, place: Place = HERE) -> Confirmed:
    """Reports of one track beside ours at the same place; our track."""
    for second in seconds:
        ours = confirmed(second, [HERE])
        hear(held, *told(second, ("a", place)))
        held.follow(at(second), ours, CALM)
    return ours


def test_the_same_report_again_changes_nothing() -> None:
    held = UpstreamTracks()
    away, sharp = ("a", (HERE[0] + 6.0, *HERE[1:])), (2.0, 2.0, 2.0)
    for second in (1.0, 2.0, 3.0):
        ours = confirmed(second, [HERE])
        hear(held, *told(second, away, sigmas=sharp))
        held.follow(at(second), ours, CALM)
    shown = held.shown(at(3.5), ours, CALM)
    before = held.snapshot()
    assert shown[1].bound == {1: 1}
    assert shown[0].x[0, 0] != ours.x[0, 0]
    for _ in range(50):
        hear(held, *told(3.0, away, sigmas=sharp))
        held.follow(at(3.0), ours, CALM)
        again = held.shown(at(3.5), ours, CALM)
        assert (again[0].x == shown[0].x).all()
        assert (again[0].p == shown[0].p).all()
    assert held.snapshot() == before


def test_two_reports_are_not_three() -> None:
    held = UpstreamTracks()
    ours = follow(held, 1.0, 2.0)
    for _ in range(5):
        hear(held, *told(2.0, ("a", HERE)))
        held.follow(at(2.0), ours, CALM)
    assert held.shown(at(2.0), ours, CALM)[1].bound == {}


def test_looking_leaves_our_tracks_as_they_were() -> None:
    held = UpstreamTracks()
    ours = follow(held, 1.0, 2.0, 3.0)
    before = [column.copy() for column in (ours.x, ours.p, ours.time_ns, ours.kinds, ours.last_ns)]
    held.shown(at(9.0), ours, CALM)
    after = (ours.x, ours.p, ours.time_ns, ours.kinds, ours.last_ns)
    assert all((a == b).all() for a, b in zip(after, before, strict=True))


def test_the_order_of_a_batch_does_not_matter() -> None:
    places = [("b", HERE), ("a", (1.0, 2.0, 3.0)), ("b", (2.0, 2.0, 2.0)), ("b", (9.0, 1.0, 1.0))]
    seconds = [1.0, 1.0, 3.0, 3.0]
    seen = []
    for order in itertools.permutations(range(4)):
        batch, plots = told(3.0, *(places[i] for i in order))
        times = np.array([at(seconds[i]) for i in order])
        held = UpstreamTracks()
        numbers = hear(held, replace(batch, event_time_ns=times), plots)
        assert [numbers[order.index(i)] for i in range(4)] == [2, 1, 2, 2]
        seen.append(wire.encode(held.snapshot()))
    assert len(set(seen)) == 1
    assert held.held[SensorId("c2"), "b"].x[:3] == (9.0, 1.0, 1.0)


def test_what_is_older_than_what_is_known_changes_nothing() -> None:
    held = UpstreamTracks()
    hear(held, *told(3.0, ("a", HERE)))
    before = held.snapshot()
    assert hear(held, *told(2.0, ("a", (0.0, 0.0, 0.0)))) == [1]
    assert held.snapshot() == before


def test_a_snapshot_goes_on_to_the_same() -> None:
    straight, hopping = UpstreamTracks(), UpstreamTracks()
    for second in range(1, 9):
        for held in (straight, hopping):
            follow(held, second, place=(HERE[0] + second, *HERE[1:]))
        hopping = UpstreamTracks.restore(wire.decode(wire.encode(hopping.snapshot())))
    assert wire.encode(straight.snapshot()) == wire.encode(hopping.snapshot())


def test_there_is_room_for_so_many() -> None:
    held = UpstreamTracks()
    many = [(f"{i:05d}", HERE) for i in range(UPSTREAM_LIMIT + 3)]
    numbers = hear(held, *told(1.0, *many))
    assert numbers == [*range(1, UPSTREAM_LIMIT + 1), 0, 0, 0]


# -- which of ours is it ------------------------------------------------------------------


def test_one_of_two_neighbours_is_taken_and_the_better_fit_first() -> None:
    held = UpstreamTracks()
    places: list[Place] = [HERE, (HERE[0] + 15.0, *HERE[1:])]
    for second in (1.0, 2.0, 3.0):
        ours = confirmed(second, places)
        hear(held, *told(second, ("far", (HERE[0] + 13.0, *HERE[1:])), ("near", HERE)))
        held.follow(at(second), ours, CALM)
    assert {t.upstream_id: t.bound for t in held.held.values()} == {"near": 1, "far": 2}


def test_two_tracks_of_one_system_are_never_one_of_ours_but_those_of_two_systems_are() -> None:
    held = UpstreamTracks()
    for second in (1.0, 2.0, 3.0):
        hear(held, *told(second, ("a", HERE), ("b", (HERE[0] + 3.0, *HERE[1:]))))
        hear(held, *told(second, ("a", HERE), system="other"))
        ours = confirmed(second, [HERE])
        held.follow(at(second), ours, CALM)
    bound = {(t.sensor_id, t.upstream_id): t.bound for t in held.held.values()}
    assert bound == {("c2", "a"): 1, ("c2", "b"): 0, ("other", "a"): 1}
    shown, _ = held.shown(at(3.0), ours, CALM)
    assert shown.number.tolist() == [1, -2]


def test_one_misfit_parts_nothing_and_several_do() -> None:
    held = UpstreamTracks()
    follow(held, 1.0, 2.0, 3.0)
    away: Place = (HERE[0] + 300.0, *HERE[1:])
    follow(held, 4.0, place=away)
    follow(held, 5.0)
    follow(held, 6.0, 7.0, place=away)
    assert held.held[SensorId("c2"), "a"].bound == 1
    ours = follow(held, 8.0, place=away)
    shown, upstream = held.shown(at(8.0), ours, CALM)
    assert shown.number.tolist() == [1, -1]
    assert upstream.was == {}


def test_while_it_is_found_out_only_one_of_the_two_is_told() -> None:
    held = UpstreamTracks()
    ours = follow(held, 1.0)
    shown, upstream = held.shown(at(1.0), ours, CALM)
    assert (shown.number.tolist(), upstream.pending) == ([1], frozenset())
    held = UpstreamTracks()
    hear(held, *told(0.0, ("a", HERE)))
    held.follow(at(0.0), nobody(0.0), CALM)
    ours = follow(held, 1.0)
    shown, upstream = held.shown(at(1.0), ours, CALM)
    assert (shown.number.tolist(), upstream.pending) == ([1, -1], {1})
    late = held.shown(at(1.0) + WAIT_NS + NS_PER_S, ours, CALM)[1]
    assert late.pending == frozenset()


def test_when_ours_ends_theirs_goes_on() -> None:
    held = UpstreamTracks()
    follow(held, 1.0, 2.0, 3.0)
    held.follow(at(4.0), nobody(4.0), CALM)
    shown, upstream = held.shown(at(4.0), nobody(4.0), CALM)
    assert (shown.number.tolist(), upstream.was) == ([-1], {1: 1})


@pytest.mark.parametrize("sigma_m", [1e-6, 1e7])
def test_an_absurd_sigma_spoils_nothing(sigma_m: float) -> None:
    held = UpstreamTracks()
    for second in (1.0, 2.0, 3.0, 4.0):
        sigmas = (sigma_m, sigma_m, sigma_m)
        hear(held, *told(second, ("a", HERE), sigmas=sigmas, slack=sigmas))
        ours = confirmed(second, [HERE])
        held.follow(at(second), ours, CALM)
    for second in (4.0, 18.0):
        shown, upstream = held.shown(at(second), ours, CALM)
        assert upstream.bound == {1: 1}
        assert np.isfinite(shown.x).all()
        assert np.isfinite(shown.p).all()
        assert (np.diagonal(shown.p, axis1=1, axis2=2) > 0.0).all()


def test_a_kind_that_we_know_is_not_told_again() -> None:
    held = UpstreamTracks()
    ours = follow(held, 1.0, 2.0, 3.0)
    key = SensorId("c2"), "a"
    held.held[key] = replace(held.held[key], kinds=(-1.0, -2.0, -3.0, -4.0))
    assert held.shown(at(3.0), ours, CALM)[0].kinds.tolist() == [[-1.0, -2.0, -3.0, -4.0]]
    known = replace(ours, kinds=np.array([[0.0, -5.0, -5.0, -5.0]]))
    assert (held.shown(at(3.0), known, CALM)[0].kinds == known.kinds).all()
