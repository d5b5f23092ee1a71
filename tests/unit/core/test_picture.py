"""The picture: states moved to one moment and rounded, kinds by Bayes and held with hysteresis."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skykeep.core.identity import (
    NEAR_M,
    TWO_PLACES_NS,
    ClaimBook,
    ClaimTrack,
    Identity,
    Outcome,
)
from skykeep.core.observation import Scheme, TargetKind
from skykeep.core.picture import (
    ADSB_PRIOR,
    REMOTE_ID_PRIOR,
    Held,
    extrapolate,
    kind_probabilities,
    take_kind,
    unsettled_near,
    unsettled_of,
)
from skykeep.core.track.tracker import KIND_PRIOR
from skykeep.core.verdict import VerdictPolicy
from skykeep.units import NS_PER_S, TrackId
from tests.sky import (
    FRAME,
    RADAR,
    Place,
    at,
    claim_of,
    claimed_at,
    confirmed,
    engine,
    identity_of,
    plots,
)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), ahead_s=st.floats(0.0, 20.0))
def test_a_track_is_moved_with_all_its_covariance(seed: int, ahead_s: float) -> None:
    rng = np.random.default_rng(seed)
    tracks = confirmed(
        0.0, [tuple(rng.normal(0.0, 3e3, 3))], velocity=tuple(rng.normal(0.0, 15, 3))
    )
    half = rng.normal(0.0, 6.0, (6, 6))
    tracks.p[0] = half @ half.T
    moved = extrapolate(tracks, at(ahead_s), FRAME)
    dt = (at(ahead_s) - at(0.0)) / NS_PER_S
    step = np.eye(6) + dt * np.eye(6, k=3)
    x, p = step @ tracks.x[0], step @ tracks.p[0] @ step.T
    assert np.abs(moved.position_mm[0] - 1e3 * x[:3]).max() <= 0.501
    assert np.abs(moved.velocity_mmps[0] - 1e3 * x[3:]).max() <= 0.501
    largest = math.sqrt(np.linalg.eigvalsh(p[:2, :2])[-1])
    assert moved.sigma_horizontal_mm[0] == pytest.approx(1e3 * largest, abs=0.6)
    assert moved.sigma_up_mm[0] == pytest.approx(1e3 * math.sqrt(p[2, 2]), abs=0.6)
    _, _, hae = FRAME.to_geodetic(*(float(v) / 1e3 for v in moved.position_mm[0]))
    assert moved.height_hae_mm[0] == pytest.approx(1e3 * hae, abs=0.6)


def test_a_track_is_never_moved_back() -> None:
    tracks = confirmed(5.0, [(10.0, 20.0, 30.0)], velocity=(10.0, 0.0, 0.0))
    assert extrapolate(tracks, at(1.0), FRAME).position_mm[0].tolist() == [10_000, 20_000, 30_000]


LOGS = st.lists(st.floats(-8.0, 0.0), min_size=4, max_size=4)


@settings(max_examples=60, deadline=None)
@given(rows=st.lists(LOGS, min_size=1, max_size=4), which=st.integers(0, 2))
def test_kinds_are_the_posterior_of_bayes(rows: list[list[float]], which: int) -> None:
    identity, prior = [
        (None, KIND_PRIOR),
        (identity_of(), REMOTE_ID_PRIOR),
        (identity_of(scheme=Scheme.ADSB), ADSB_PRIOR),
    ][which]
    found = kind_probabilities(np.array(rows), [identity] * len(rows))
    for row, logs in zip(found.tolist(), rows, strict=True):
        weights = [math.exp(v) * prior[k] for v, k in zip(logs, TargetKind, strict=True)]
        assert row == pytest.approx([w / sum(weights) for w in weights], abs=1e-6)


def test_adsb_that_says_it_is_uncrewed_speaks_for_a_drone() -> None:
    flat = np.zeros((3, 4))
    said: list[Identity | None] = [
        identity_of(scheme=Scheme.ADSB, crewed=crewed) for crewed in (None, True, False)
    ]
    likeliest = kind_probabilities(flat, said).argmax(axis=1).tolist()
    assert likeliest == [TargetKind.AIRCRAFT, TargetKind.AIRCRAFT, TargetKind.DRONE]


def test_what_it_is_taken_for_holds_until_the_odds_have_turned() -> None:
    policy = VerdictPolicy()
    held = Held(TrackId("T1"), 1, 0, 0, 0)
    answers = []
    for drone in (0.9, 0.949, 0.95, 0.6, 0.5, 0.499, 0.9, 0.96):
        take_kind(held, (drone, 1.0 - drone, 0.0, 0.0), policy)
        answers.append(held.taken_for_drone)
    assert answers == [False, False, True, True, True, False, False, True]
    assert held.kinds[0] == 0.96


def book_with(second: float, place: Place, **changes: object) -> ClaimBook:
    track = ClaimTrack(1, claim_of(), at(second), claimed_at(second, place))
    for name, value in changes.items():
        setattr(track, name, value)
    return ClaimBook(2, 0, {1: track})


def test_only_a_fresh_unsettled_claim_close_by_may_still_be_this_tracks() -> None:
    made = engine()
    for second in range(1, 5):
        made.receive(plots(second, (0.0, 0.0, 100.0)))
        made.advance(at(second))
    (held,) = made.snapshot().subjects.held
    state = held.state
    assert state is not None
    assert held.sensors.keys() == {RADAR.sensor_id}
    state = replace(state, east_mm=0, north_mm=0)
    near = (NEAR_M - 1.0, 0.0, 100.0)
    assert unsettled_near(unsettled_of(book_with(4.0, near)), state)
    assert not unsettled_near(unsettled_of(book_with(4.0, (0.0, NEAR_M + 1.0, 100.0))), state)
    assert not unsettled_near(unsettled_of(book_with(4.0, near, bound=7)), state)
    assert not unsettled_near(
        unsettled_of(book_with(4.0, near, outcome=Outcome.INCONSISTENT)), state
    )
    limit_s = TWO_PLACES_NS / NS_PER_S
    assert unsettled_near(unsettled_of(book_with(4.0 - limit_s, near)), state)
    assert not unsettled_near(unsettled_of(book_with(3.9 - limit_s, near)), state)
