"""Beside another system: its tracks come in, ours and its are one, verdicts and alerts follow."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from skykeep.codec import entries, wire
from skykeep.core.airspace import Airspace
from skykeep.core.event import (
    AlertChanged,
    Event,
    IdentityChanged,
    ObservationRejected,
    Permission,
    SensorChanged,
    Strength,
    TrackContinued,
    TrackEnded,
    TrackStarted,
    TrackUpdated,
    VerdictChanged,
)
from skykeep.core.observation import Batch, Form
from skykeep.core.permit import PutPermit
from skykeep.core.track.upstream import NO_ROOM, SILENT_NS, UPSTREAM_LIMIT
from skykeep.core.verdict import INSIDE, VerdictPolicy
from skykeep.units import NS_PER_S
from tests.sky import (
    C2,
    OFFICER,
    RADAR,
    RECEIVER,
    SENSORS,
    SITE,
    Place,
    at,
    claim_of,
    claims,
    engine,
    only,
    permit_named,
    plots,
    tracks,
    zone_named,
)

SILENT_S = SILENT_NS // NS_PER_S
SPEED = (10.0, 0.0, 0.0)
BOTH = (*SENSORS, C2)
LIKELY = np.array([(0.99, 0.004, 0.003, 0.003)])


def drone_at(second: float) -> Place:
    """Inside the zone, east at 10 m/s."""
    return (-300.0 + 10.0 * second, 0.0, 100.0)


def told(second: float, name: str = "7", place: Place | None = None, **changes: object) -> Batch:
    changes = {"kind_likelihood": LIKELY, "velocity": SPEED, **changes}
    return tracks(second, (name, place or drone_at(second)), **changes)  # type: ignore[arg-type]


def run(made: Airspace, seconds: range, *, ours: bool = False, theirs: bool = True) -> list[Event]:
    """Second by second: a turn of our radar, a word of the other system, a tick."""
    events: list[Event] = []
    for second in seconds:
        if ours:
            events += made.receive(plots(second, drone_at(second)))
        if theirs:
            events += made.receive(told(second))
        events += made.advance(at(second))
    return events


def alone() -> Airspace:
    return engine(zone_named(), sensors=(C2,))


# -- shadow mode --------------------------------------------------------------------------


def test_a_site_with_another_systems_tracks_alone_has_tracks_verdicts_and_alerts() -> None:
    events = run(alone(), range(1, 20))
    (started,) = only(events, TrackStarted)
    assert (started.source, started.first_seen_ns) == ("upstream", at(1.0))
    updates = only(events, TrackUpdated)
    assert [u.track_id for u in updates] == [started.track_id] * 19
    assert updates[3].sensors == (C2.sensor_id,)
    assert updates[3].observations == ("c2:4/0",)
    place = np.array([updates[3].east_mm, updates[3].north_mm, updates[3].up_mm])
    off = place - 1e3 * np.array(drone_at(4))
    assert max(map(abs, off)) < 2.0
    verdict = only(events, VerdictChanged)[-1]
    assert (verdict.presence, verdict.permission) == (INSIDE, Permission.NOT_PERMITTED)
    raised = only(events, AlertChanged)[0]
    assert (raised.event, raised.tracks) == ("raised", (started.track_id,))


def test_what_is_not_known_to_be_a_drone_stays_undetermined() -> None:
    made = alone()
    events: list[Event] = []
    for second in range(1, 5):
        events += made.receive(told(second, kind_likelihood=None))
        events += made.advance(at(second))
    (verdict,) = only(events, VerdictChanged)
    assert verdict.permission is Permission.UNDETERMINED
    assert [r.code for r in verdict.reasons] == ["kind_unknown"]


def test_a_silent_system_loses_its_tracks() -> None:
    made = alone()
    run(made, range(1, 10))
    events = run(made, range(10, 10 + SILENT_S + 2), theirs=False)
    (ended,) = only(events, TrackEnded)
    assert ended.last_seen_ns == at(9.0)
    assert ended.at_ns == at(10.0 + SILENT_S)
    assert made.tracks() == ()


def test_who_it_is_counts_as_broadcast_only() -> None:
    policy = VerdictPolicy(broadcast_only_counts=True)
    for site, wanted in (
        (SITE, Permission.UNDETERMINED),
        (replace(SITE, verdict_policy=policy), Permission.PERMITTED),
    ):
        made = engine(zone_named(), site=site, sensors=(C2,))
        made.apply(PutPermit(OFFICER, permit_named()), at(0.5))
        events: list[Event] = []
        for second in range(1, 8):
            events += made.receive(told(second, claims=(claim_of(),)))
            events += made.advance(at(second))
        (said,) = only(events, IdentityChanged)
        assert (said.strength, said.identity) == (Strength.BROADCAST_ONLY, claim_of().identity)
        last = only(events, VerdictChanged)[-1]
        assert last.strength is Strength.BROADCAST_ONLY
        assert last.permission is wanted


def test_a_claim_is_not_confirmed_by_tracks_that_may_be_made_of_it() -> None:
    made = engine(zone_named(), sensors=(C2, RECEIVER))
    events: list[Event] = []
    for second in range(1, 30):
        events += made.receive(told(second))
        events += made.receive(claims(second, (claim_of(), drone_at(second))))
        events += made.advance(at(second))
    strengths = {e.strength for e in only(events, IdentityChanged)}
    assert strengths == {Strength.BROADCAST_ONLY}


# -- theirs and ours ----------------------------------------------------------------------


def test_when_ours_takes_over_the_id_stays_and_when_ours_ends_too() -> None:
    made = engine(zone_named(), sensors=BOTH)
    events = run(made, range(1, 6))
    events += run(made, range(6, 16), ours=True)
    assert made.tracks()[0].state.sensors == (C2.sensor_id, RADAR.sensor_id)
    assert made.tracks()[0].state.sigma_horizontal_mm > 0
    for second in range(16, 36):  # the radar turns and sees nothing
        events += made.receive(plots(second, (-9_000.0, 4_000.0, 300.0)))
        events += made.receive(told(second))
        events += made.advance(at(second))
    theirs = [t for t in made.tracks() if C2.sensor_id in t.state.sensors]
    assert [t.track_id for t in theirs] == ["T00001"]
    near = [e for e in only(events, TrackStarted) if e.track_id != "T00001"]
    assert all(e.at_ns >= at(16.0) for e in near)
    assert not [e for e in only(events, TrackEnded) if e.track_id == "T00001"]
    assert len({e.alert_id for e in only(events, AlertChanged) if "T00001" in e.tracks}) == 1


def test_a_track_that_is_ours_already_gets_no_second_one() -> None:
    made = engine(zone_named(), sensors=BOTH)
    events = run(made, range(1, 8), ours=True, theirs=False)
    events += run(made, range(8, 20), ours=True)
    (started,) = only(events, TrackStarted)
    assert started.source == "measured"
    (track,) = made.tracks()
    assert track.state.sensors == (RADAR.sensor_id, C2.sensor_id)
    assert track.state.observations == ("radar:19/0", "c2:19/0")


def test_two_that_turn_out_to_be_one_become_one_with_one_alert() -> None:
    """Told 80 m off at first, the other system's track is another aircraft; then it is not."""
    made = engine(zone_named(), sensors=BOTH)
    events: list[Event] = []
    for second in range(1, 25):
        east, north, up = drone_at(second)
        off_m = 80.0 if second < 12 else 0.0
        events += made.receive(plots(second, (east, north, up)))
        events += made.receive(told(second, place=(east, north + off_m, up)))
        events += made.advance(at(second))
    assert len(only(events, TrackStarted)) == 2
    (joined,) = only(events, TrackContinued)
    (ended,) = only(events, TrackEnded)
    assert (joined.earlier, joined.at_ns) == (ended.track_id, ended.at_ns)
    (track,) = made.tracks()
    assert track.track_id == joined.track_id
    assert track.alert_id is not None
    open_alerts = [a for a in made.alerts() if a.active]
    assert [a.alert_id for a in open_alerts] == [track.alert_id]


def test_our_own_tracks_are_fed_nothing() -> None:
    """Whatever the other system says, the tracker's bytes are those without it."""
    with_it, without = (engine(zone_named(), sensors=BOTH) for _ in range(2))
    for second in range(1, 20):
        with_it.receive(plots(second, drone_at(second)))
        with_it.receive(told(second, sigmas=(1.0, 1.0, 2.0)))
        with_it.advance(at(second))
    run(without, range(1, 20), ours=True, theirs=False)
    assert with_it.snapshot().timeline == without.snapshot().timeline
    joined, own = with_it.tracks()[0].state, without.tracks()[0].state
    assert joined.sigma_horizontal_mm < own.sigma_horizontal_mm


# -- what comes in ------------------------------------------------------------------------


def problems(events: tuple[Event, ...]) -> list[tuple[int, str, str]]:
    return [(e.row, e.field, e.problem) for e in only(events, ObservationRejected)]


def test_tracks_come_from_an_upstream_system_and_nothing_else_does() -> None:
    made = engine(zone_named(), sensors=BOTH)
    problem = "an upstream system sends tracks, nobody else does"
    assert problems(made.receive(told(1.0, of=RADAR))) == [(-1, "form", problem)]
    as_plots = replace(plots(1.0, drone_at(1.0)), sensor_id=C2.sensor_id)
    assert problems(made.receive(as_plots)) == [(-1, "form", problem)]
    empty = replace(tracks(2.0), form=Form.POSITION)
    assert problems(made.receive(empty)) == []
    assert made.advance(at(2.0)) == ()


def test_an_empty_batch_says_that_the_system_is_there() -> None:
    made = engine(sensors=(C2,))
    (said,) = made.receive(tracks(1.0))
    assert isinstance(said, SensorChanged)
    assert said.health == "working"


def test_what_there_is_no_room_for_is_named() -> None:
    made = alone()
    places = [(f"{i:05d}", drone_at(1.0)) for i in range(UPSTREAM_LIMIT + 1)]
    events = made.receive(tracks(1.0, *places))
    assert problems(events) == [(UPSTREAM_LIMIT, "id", NO_ROOM)]


# -- exactly the same again ---------------------------------------------------------------


def mixed_night() -> list[Batch | float]:
    """Our radar comes and goes, two systems with two aircraft; a float is a tick."""
    other = replace(C2, sensor_id=type(C2.sensor_id)("c3"))
    items: list[Batch | float] = []
    for second in range(1, 45):
        far: Place = (900.0 - 8.0 * second, 700.0, 120.0)
        if not 15 <= second < 32:
            items.append(plots(second, drone_at(second)))
        if second != 20:
            items.append(tracks(second + 0.1, ("1", drone_at(second + 0.1)), ("2", far),
                                velocity=None, slack=None))  # fmt: skip
        if second % 4 == 0 and second < 24:
            items.append(told(second - 0.7, place=far, of=other))
        items.append(claims(second + 0.2, (claim_of(), drone_at(second + 0.2))))
        items.append(second + 0.5)
    return items


def feed(made: Airspace, item: Batch | float) -> bytes:
    said = made.receive(item) if isinstance(item, Batch) else made.advance(at(item))
    return b"\n".join(map(wire.encode_event, said))


def mixed_engine() -> Airspace:
    other = replace(C2, sensor_id=type(C2.sensor_id)("c3"))
    return engine(zone_named(), sensors=(*BOTH, other))


def test_a_snapshot_at_every_step_goes_on_to_the_same_bytes() -> None:
    straight, hopping = mixed_engine(), mixed_engine()
    for item in mixed_night():
        assert feed(straight, item) == feed(hopping, item)
        hopping = Airspace.restore(SITE, wire.decode(wire.encode(hopping.snapshot())))
    assert wire.encode(straight.snapshot()) == wire.encode(hopping.snapshot())


def test_what_the_record_keeps_gives_the_same_bytes_again() -> None:
    first, again = mixed_engine(), mixed_engine()
    for item in mixed_night():
        kept: Batch | float = item
        if isinstance(item, Batch):
            kept = entries.batch_of([fact.data for fact in entries.batch_entry(item).facts])
        assert feed(first, item) == feed(again, kept)


def test_the_order_of_rows_changes_nothing_but_their_names() -> None:
    sides = []
    for turn in (False, True):
        made = mixed_engine()
        for item in mixed_night():
            if turn and isinstance(item, Batch) and item.form is Form.TRACK:
                turned = item.values[::-1].copy()
                ids = item.upstream_ids[::-1]
                feed(made, replace(item, values=turned, upstream_ids=ids))
            else:
                feed(made, item)
        sides.append([t.state for t in made.tracks()])
    assert [replace(s, observations=()) for s in sides[0]] == [
        replace(s, observations=()) for s in sides[1]
    ]
