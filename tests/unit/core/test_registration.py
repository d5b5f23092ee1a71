"""Registration: a sensor's bias from aircraft that say where they are, and from no liar."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skykeep.codec import wire
from skykeep.core.event import Bias, RegistrationChanged
from skykeep.core.geo import F64
from skykeep.core.observation import I64, Batch, Coverage, Form, SensorKind
from skykeep.core.track import registration as room
from skykeep.core.track.registration import Cooperative, Registration
from skykeep.core.track.tracker import view_of
from skykeep.feed.simulator import Placement
from skykeep.units import BatchId
from tests.reference import registration as reference
from tests.sky import FRAME, at, sensor

RADAR = sensor("radar", SensorKind.RADAR, period_s=1.0, coverage=Coverage(50.0, 10_000.0))
FINDER = sensor("finder", SensorKind.DIRECTION_FINDER)
PLACED = Placement.of(RADAR, FRAME)
SIGMAS = np.array([10.0, 0.3, 0.5])
ALL = ("range", "azimuth", "elevation")
STRAIGHT = Bias(0.0, 0.0, 0.0, 0.0)
CLAIM_SIGMA_M = 3.0
CLAIM_LAG_S = 0.6

Turn = tuple[Batch, Cooperative]


def turns(
    count: int = 40,
    bias: Bias = STRAIGHT,
    aircraft: int = 10,
    seed: int = 1,
    *,
    noise: float = 1.0,
    late_s: float = 0.0,
    strangers: int = 5,
    first: int = 0,
    lies: Sequence[tuple[float, float]] = (),
    pull_mps: float = 0.0,
) -> Iterator[Turn]:
    """Turn after turn: aircraft around the origin, each also said to be where it is.

    `lies` displace the claims of the first of them; `pull_mps` drags that of the first away.
    """
    rng = np.random.default_rng(seed)
    n = aircraft + strangers
    start = np.column_stack((rng.uniform(-4_000.0, 4_000.0, (n, 2)), rng.uniform(50.0, 300.0, n)))
    heading, speed = rng.uniform(0.0, 2.0 * math.pi, n), rng.uniform(8.0, 18.0, n)
    velocity = np.column_stack((speed * np.sin(heading), speed * np.cos(heading), np.zeros(n)))
    lasting = rng.normal(0.0, CLAIM_SIGMA_M, (aircraft, 3)) * noise
    for turn in range(first + count):
        now = start + turn * velocity
        polar = PLACED.polar(now - bias.time_s * velocity)
        polar = polar + np.array([bias.range_m, bias.azimuth_deg, bias.elevation_deg])
        values = polar + rng.standard_normal((n, 3)) * SIGMAS * noise
        said = now[:aircraft] - (CLAIM_LAG_S + late_s) * velocity[:aircraft] + lasting
        said = said + rng.normal(0.0, CLAIM_SIGMA_M, said.shape) * noise
        for i, lie in enumerate(lies):
            said[i, :2] += lie
        said[0, 0] += pull_mps * turn
        if turn < first:
            continue
        values[:, 1] %= 360.0
        yield radar_turn(turn, values), heard(turn - CLAIM_LAG_S, said, velocity[:aircraft])


def radar_turn(turn: float, values: F64, sigmas: F64 = SIGMAS) -> Batch:
    n = len(values)
    return Batch(
        BatchId(f"radar:{turn}"),
        RADAR.sensor_id,
        at(turn),
        Form.POLAR,
        np.full(n, at(turn), np.int64),
        values,
        np.tile(sigmas, (n, 1)),
        np.full((n, 3), np.nan),
        np.zeros(n, np.int8),
    )


def heard(second: float, places: F64, velocity: F64) -> Cooperative:
    n = len(places)
    keys = tuple(f"remote_id:S{i:02d}" for i in range(n))
    times = np.full(n, at(second), np.int64)
    return Cooperative(keys, times, places, velocity, np.full((n, 2), CLAIM_SIGMA_M))


def feed(made: Registration, given: Iterator[Turn]) -> list[RegistrationChanged]:
    view = view_of(RADAR, FRAME)
    told = []
    for batch, said in given:
        news = made.observe(batch, np.arange(len(batch)), view, said, batch.receipt_time_ns)
        if news is not None:
            told.append(news)
    return told


def parts(bias: Bias) -> F64:
    return np.array([bias.range_m, bias.azimuth_deg, bias.elevation_deg, bias.time_s])


# -- what is found --------------------------------------------------------------------------

BIASES = [
    STRAIGHT,
    Bias(0.0, 0.5, 0.0, 0.0),
    Bias(0.0, -1.0, 0.0, 0.0),
    Bias(0.0, 3.0, 0.0, 0.0),
    Bias(20.0, 0.0, 0.0, 0.0),
    Bias(0.0, 0.0, 0.5, 0.0),
    Bias(0.0, 0.0, 0.0, 0.2),
    Bias(-20.0, 2.0, -0.5, 0.2),
]


@pytest.mark.parametrize("bias", BIASES, ids=str)
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_bias_is_found_within_what_is_said_of_its_uncertainty(bias: Bias, seed: int) -> None:
    made = Registration()
    *_, last = feed(made, turns(bias=bias, seed=seed))
    assert last.aircraft >= 9
    assert set(ALL) <= set(last.applied)
    off = np.abs(parts(last.bias) - parts(bias))
    assert (off <= 3.0 * parts(last.sigma)).all(), off / parts(last.sigma)
    assert last.sigma.azimuth_deg < 0.1
    assert last.sigma.range_m < 3.0


def test_it_takes_a_dozen_turns() -> None:
    told = feed(Registration(), turns(bias=Bias(0.0, 3.0, 0.0, 0.0)))
    assert at(0.0) < told[0].at_ns <= at(12.0)


def test_it_does_not_chatter() -> None:
    assert len(feed(Registration(), turns(300))) <= 30


def test_recursion_is_least_squares_over_all_pairs_at_once() -> None:
    made, view = Registration(), view_of(RADAR, FRAME)
    pairs: list[reference.Pair] = []
    bias = Bias(12.0, 1.0, 0.3, 0.1)
    for batch, said in turns(30, bias, aircraft=6, noise=0.3, strangers=0):
        before = made.comparisons
        made.observe(batch, np.arange(len(batch)), view, said, batch.receipt_time_ns)
        if made.comparisons == before:
            continue
        assert made.comparisons == before + 6
        local = (said.place_m - view.place) @ view.axes
        moving = said.velocity_mps @ view.axes
        for i in range(6):
            z = batch.values[i] * [1.0, math.pi / 180.0, math.pi / 180.0]
            sigma = SIGMAS * [1.0, math.pi / 180.0, math.pi / 180.0]
            seconds = (batch.receipt_time_ns - at(0.0)) / 1e9
            pair = seconds, i, z, sigma, local[i], moving[i], CLAIM_LAG_S, view.axes[2]
            pairs.append(reference.Pair(*pair))
    assert len(pairs) > 100
    sigma_m = [room.LEAST_HORIZONTAL_M, room.LEAST_HORIZONTAL_M, room.LEAST_VERTICAL_M]
    moved = CLAIM_LAG_S**3 / 3.0 + (CLAIM_LAG_S * room.VELOCITY_SIGMA_MPS) ** 2
    found, sigma = reference.solve(
        pairs,
        np.array([*room.PRIOR_SIGMA, room.COMMON_HEIGHT_SIGMA_M]),
        np.array([room.LATE_SIGMA_S, *sigma_m]),
        np.array(sigma_m) ** 2,
        moved,
        room.MEMORY_S,
    )
    ours, our_sigma = made._best()
    assert (np.abs(ours - found) <= 1e-3 * sigma).all(), (ours - found) / sigma
    np.testing.assert_allclose(our_sigma, sigma, rtol=1e-3)


def test_a_time_bias_is_applied_only_far_beyond_what_late_claims_explain() -> None:
    (*_, small) = feed(Registration(), turns(60, Bias(0.0, 0.0, 0.0, 0.2)))
    (*_, large) = feed(Registration(), turns(60, Bias(0.0, 0.0, 0.0, 1.0)))
    assert "time" not in small.applied
    assert "time" in large.applied
    assert abs(large.bias.time_s - 1.0) <= 3.0 * large.sigma.time_s


def test_claims_that_are_late_are_not_taken_for_a_clock_that_is_wrong() -> None:
    (*_, last) = feed(Registration(), turns(60, late_s=0.25))
    assert "time" not in last.applied
    assert np.abs(parts(last.bias) / parts(last.sigma)).max() <= 3.0


@pytest.mark.parametrize("up_m", [-47.0, 47.0])
def test_heights_that_are_wrong_alike_are_not_taken_for_an_elevation(up_m: float) -> None:
    given = (
        (batch, replace(said, place_m=said.place_m + np.array([0.0, 0.0, up_m])))
        for batch, said in turns(60)
    )
    (*_, last) = feed(Registration(), given)
    assert abs(last.bias.elevation_deg) <= 3.0 * last.sigma.elevation_deg
    assert last.sigma.elevation_deg < 0.2
    assert last.aircraft >= 8


def test_a_direction_finder_is_registered_in_azimuth_alone() -> None:
    made, view = Registration(), view_of(FINDER, FRAME)
    told = []
    for batch, said in turns(60, Bias(0.0, 2.0, 0.0, 0.0)):
        columns = np.full((len(batch), 3), np.nan), np.full((len(batch), 3), np.nan)
        columns[0][:, 0], columns[1][:, 0] = batch.values[:, 1], 0.5
        bearings = replace(batch, form=Form.BEARING, values=columns[0], sigmas=columns[1])
        news = made.observe(bearings, np.arange(len(batch)), view, said, batch.receipt_time_ns)
        told += [news] if news else []
        corrected = made.corrected(bearings)
    assert told[-1].applied == ("azimuth",)
    assert abs(told[-1].bias.azimuth_deg - 2.0) <= 3.0 * told[-1].sigma.azimuth_deg
    turned = (bearings.values[:, 0] - corrected.values[:, 0]) % 360.0
    assert turned == pytest.approx(told[-1].bias.azimuth_deg)


def test_a_radar_that_was_knocked_is_found_again() -> None:
    made = Registration()
    feed(made, turns(40, Bias(0.0, 1.0, 0.0, 0.0)))
    *_, last = feed(made, turns(40, Bias(0.0, -2.5, 0.0, 0.0), first=40))
    assert abs(last.bias.azimuth_deg + 2.5) <= 3.0 * last.sigma.azimuth_deg


# -- what must not move it ------------------------------------------------------------------


def test_without_aircraft_that_speak_nothing_is_known_or_changed() -> None:
    made = Registration()
    assert feed(made, turns(aircraft=1, strangers=20)) == []
    assert feed(made, turns(aircraft=2, strangers=20)) == []
    batch, _ = next(turns(1))
    assert made.corrected(batch) is batch
    silent = Registration()
    nobody = heard(0.0, np.empty((0, 3)), np.empty((0, 3)))
    assert feed(silent, ((batch, nobody) for batch, _ in turns(20))) == []
    assert silent.snapshot() == Registration().snapshot()


@pytest.mark.parametrize("east_m", [-300.0, 60.0, 300.0])
def test_a_claim_that_is_displaced_does_not_drag_the_bias(east_m: float) -> None:
    bias = Bias(0.0, 1.0, 0.0, 0.0)
    (*_, honest) = feed(Registration(), turns(bias=bias))
    (*_, lied_to) = feed(Registration(), turns(bias=bias, lies=[(east_m, 0.0)]))
    moved = np.abs(parts(lied_to.bias) - parts(honest.bias))
    assert (moved <= parts(honest.sigma)).all()
    assert lied_to.aircraft < honest.aircraft


def test_a_lie_of_a_few_sigmas_moves_it_by_a_few() -> None:
    (*_, last) = feed(Registration(), turns(lies=[(20.0, 0.0)]))
    assert (np.abs(parts(last.bias)) <= 3.0 * parts(last.sigma)).all()


def test_a_claim_that_begins_honestly_and_walks_off_does_not_drag_it_along() -> None:
    (*_, honest) = feed(Registration(), turns(90))
    (*_, lied_to) = feed(Registration(), turns(90, pull_mps=1.0))
    moved = np.abs(parts(lied_to.bias) - parts(honest.bias))
    assert (moved <= 1.5 * parts(honest.sigma)).all()


def test_liars_who_agree_need_the_majority() -> None:
    lie = (0.0, 250.0)
    (*_, last) = feed(Registration(), turns(lies=[lie] * 4))
    assert abs(last.bias.azimuth_deg) <= 3.0 * last.sigma.azimuth_deg
    assert feed(Registration(), turns(lies=[(300.0, 0.0), (0.0, 300.0), (-300.0, 0.0)] * 3)) == []


@settings(max_examples=15, deadline=None)
@given(st.randoms(use_true_random=False))
def test_the_order_of_plots_and_aircraft_does_not_matter(random: object) -> None:
    def shuffled(turn: Turn) -> Turn:
        batch, said = turn
        plots = np.array(random.sample(range(len(batch)), len(batch)))  # type: ignore[attr-defined]
        return _taken(batch, plots), said

    plain, mixed = Registration(), Registration()
    bias = Bias(5.0, 1.0, 0.2, 0.0)
    assert feed(plain, turns(16, bias)) == feed(mixed, map(shuffled, turns(16, bias)))
    assert plain.snapshot() == mixed.snapshot()


def _taken(batch: Batch, at_rows: I64) -> Batch:
    return replace(batch, values=batch.values[at_rows], sigmas=batch.sigmas[at_rows])


# -- applying and keeping -------------------------------------------------------------------


def test_what_was_announced_is_taken_away_and_what_came_stays_as_it_came() -> None:
    made = Registration()
    *_, last = feed(made, turns(bias=Bias(20.0, 359.0 - 360.0, 0.5, 0.0)))
    batch = radar_turn(99.0, np.array([[1_000.0, 0.2, 3.0], [5.0, 359.9, 90.0]]))
    before = batch.values.copy()
    corrected = made.corrected(batch)
    np.testing.assert_array_equal(batch.values, before)
    range_m, azimuth_deg, elevation_deg, _ = parts(last.bias)
    assert corrected.values[0].tolist() == pytest.approx(
        [1_000.0 - range_m, 0.2 - azimuth_deg, 3.0 - elevation_deg]
    )
    assert corrected.values[1, 0] == room.LEAST_RANGE_M
    assert corrected.values[1, 1] == pytest.approx((359.9 - azimuth_deg) % 360.0)
    assert (np.abs(corrected.values[:, 2]) <= 90.0).all()
    np.testing.assert_allclose(
        corrected.sigmas[0], np.hypot(SIGMAS, parts(last.sigma)[:3]), rtol=1e-12
    )
    np.testing.assert_array_equal(corrected.event_time_ns, batch.event_time_ns)


def test_a_restored_registration_goes_on_as_if_nothing_had_been() -> None:
    whole, bias = Registration(), Bias(0.0, 1.0, 0.0, 0.0)
    told = feed(whole, turns(40, bias))
    for cut in (3, 9, 25):
        given = list(turns(40, bias))
        first = Registration()
        early = feed(first, iter(given[:cut]))
        saved = wire.decode(wire.encode(first.snapshot()))
        assert saved == first.snapshot()
        second = Registration.restore(saved)
        assert early + feed(second, iter(given[cut:])) == told
        assert second.snapshot() == whole.snapshot()


def test_more_aircraft_than_are_followed_cost_no_more() -> None:
    made = Registration()
    feed(made, turns(12, aircraft=100, strangers=0))
    assert len(made.keys) == room.MOST_WITNESSES
    assert made.said is not None


def test_every_kernel_is_used_by_the_rehearsal() -> None:
    room.rehearse()
