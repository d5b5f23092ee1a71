"""What the officer is told of an entry: with the verdict, and never as a reason for another."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from skykeep.codec import wire
from skykeep.core.airspace import Airspace
from skykeep.core.event import Arrival, Event, VerdictChanged
from skykeep.core.foresight import foreseen, outlook
from skykeep.core.geo import HeightHae
from skykeep.core.picture import Held
from skykeep.core.track.arrival import target_of
from skykeep.core.track.tracker import TrackerConfig
from skykeep.core.verdict import BOUND, GONE, INSIDE, Presence
from skykeep.core.zone import prepare_zone
from skykeep.units import TrackId
from tests.sky import (
    BIRD,
    FRAME,
    RECEIVER,
    SITE,
    TERRAIN,
    at,
    claim_of,
    claims,
    confirmed,
    engine,
    fix_at,
    only,
    plots,
    subject_at,
    zone_named,
)


def fly(made: Airspace, seconds: range, kinds: tuple[float, ...] | None = None) -> list[Event]:
    """Straight towards the zone at 15 m/s, 800 m from its border at the start."""
    said: list[Event] = []
    for s in seconds:
        where = (1300.0 - 15.0 * s, 0.0, 100.0)
        said += made.receive(plots(float(s), where, **({} if kinds is None else {"kinds": kinds})))
        said += made.advance(at(float(s)))
    return said


def test_a_verdict_comes_with_the_times_of_entry_and_none_comes_because_of_them() -> None:
    made = engine(zone_named())
    said = only(fly(made, range(1, 70)), VerdictChanged)
    bound = [v for v in said if v.presence == BOUND]
    assert bound
    for v in bound:
        assert v.arrival is not None
        assert 0.5 < v.arrival.probability <= 1.0
        assert v.arrival.p10_s <= v.arrival.p50_s
    inside = next(v for v in said if v.presence == INSIDE)
    assert inside.arrival == Arrival(1.0, 0.0, 0.0, 0.0)
    # The times change with every tick, what is said does not.
    gists = [(v.presence, v.permission, [r.code for r in v.reasons]) for v in said]
    assert all(one != two for one, two in pairwise(gists))


def test_the_times_are_at_hand_and_come_closer() -> None:
    made = engine(zone_named())
    fly(made, range(1, 21))
    told = []
    for s in range(21, 30):
        fly(made, range(s, s + 1))
        ((_, where, _),) = made.tracks()[0].verdicts
        assert where.what == BOUND
        assert where.arrival is not None
        told.append(where.arrival.p50_s)
        saved = wire.decode(wire.encode(made.snapshot()))
        assert Airspace.restore(SITE, saved).tracks() == made.tracks()
    assert told == sorted(told, reverse=True)
    assert told[0] > told[-1] + 4.0


def test_nobody_waits_for_a_bird_and_a_claim_without_velocity_foresees_nothing() -> None:
    zone = target_of(prepare_zone(zone_named()), FRAME)
    ahead = outlook(at(50.0), TERRAIN, TrackerConfig(), confirmed(50.0, [(800.0, 0.0, 100.0)]))
    bound = Presence(BOUND, 20.0, fix_at((800.0, 0.0, 100.0)), at(50.0))
    made = engine(zone_named())
    fly(made, range(1, 30))
    state = made.tracks()[0].state
    held = Held(TrackId("T1"), 1, 0, 0, 0, state)
    drone, bird = subject_at((800.0, 0.0, 100.0)), subject_at(kinds=BIRD)
    assert foreseen(bound, held, drone, zone, ahead).arrival is not None
    assert foreseen(bound, held, bird, zone, ahead) == bound
    gone = Presence(GONE, None, bound.fix, bound.at_ns)
    assert foreseen(gone, held, drone, zone, ahead) == gone


def test_a_lone_claim_is_foreseen_by_what_it_claims() -> None:
    made = engine(zone_named(), sensors=(RECEIVER,))
    for s in range(1, 9):
        place = (1000.0 - 15.0 * s, 0.0, 100.0)
        moving = np.array([[-15.0, 0.0, 0.0]])
        made.receive(claims(float(s), (claim_of(), place), velocities_mps=moving))
        made.advance(at(float(s)))
    ((_, where, _),) = made.tracks()[0].verdicts
    assert where.what == BOUND
    assert where.arrival is not None
    assert abs(where.arrival.p50_s - (1000.0 - 15.0 * 8 - 500.0) / 15.0) < 2.0
    assert isinstance(where.fix.height, HeightHae)
