"""Announced tracks: one aircraft keeps one id, with its observations, its claim and its alert."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from skykeep.core.airspace import Airspace
from skykeep.core.alert import Alert, AlertState
from skykeep.core.event import (
    AlertChanged,
    Event,
    IdentityChanged,
    Permission,
    Strength,
    TrackContinued,
    TrackEnded,
    TrackStarted,
    TrackUpdated,
    VerdictChanged,
)
from skykeep.core.observation import Claim, Scheme
from skykeep.core.picture import REFERENCE_LIMIT
from skykeep.core.subjects import CONTINUE_WITHIN_NS, LONE_AFTER_NS, Subjects
from skykeep.core.verdict import INSIDE
from skykeep.units import NS_PER_S, AlertId, ZoneId
from tests.sky import (
    ADSB,
    BIRD,
    DRONE,
    FRAME,
    RADAR,
    RECEIVER,
    SERIAL,
    Place,
    at,
    claim_of,
    claims,
    engine,
    only,
    plots,
    zone_named,
)

FAR: Place = (-9_000.0, 4_000.0, 300.0)  # something else, so that every turn has a plot


def drone_at(second: float) -> Place:
    """Inside the zone, east at 10 m/s."""
    return (-300.0 + 10.0 * second, 0.0, 100.0)


def run(
    made: Airspace,
    seconds: range,
    *,
    seen: bool = True,
    said: Claim | None = None,
    path: Callable[[float], Place] = drone_at,
    kinds: tuple[float, ...] = DRONE,
) -> list[Event]:
    """Second by second: a turn of the radar, a claim, a tick."""
    events: list[Event] = []
    for second in seconds:
        if seen:
            events += made.receive(plots(second, path(second), kinds=kinds))
        if said is not None:
            of = ADSB if said.scheme is Scheme.ADSB else RECEIVER
            events += made.receive(claims(second, (said, path(second)), of=of))
        events += made.advance(at(second))
    return events


def turn_without(made: Airspace, seconds: range) -> list[Event]:
    """The radar turns and sees only something far away."""
    events: list[Event] = []
    for second in seconds:
        events += made.receive(plots(second, FAR, kinds=BIRD))
        events += made.advance(at(second))
    return events


def ids(events: list[Event], kind: Any) -> list[str]:
    return [event.track_id for event in only(events, kind)]


# -- one measured track ---------------------------------------------------------------------


def test_a_track_is_told_with_its_observations_and_its_sensors() -> None:
    events = run(engine(), range(1, 6))
    (started,) = only(events, TrackStarted)
    assert (started.source, started.first_seen_ns) == ("measured", at(1.0))
    first, second = only(events, TrackUpdated)[:2]
    assert first.observations == ("radar:1/0", "radar:2/0", "radar:3/0")
    assert second.observations == ("radar:4/0",)
    assert first.sensors == (RADAR.sensor_id,)
    east, north, up = drone_at(4)
    off = (second.east_mm - 1e3 * east, second.north_mm - 1e3 * north, second.up_mm - 1e3 * up)
    assert max(map(abs, off)) < 5_000.0
    _, _, hae = FRAME.to_geodetic(second.east_mm / 1e3, second.north_mm / 1e3, second.up_mm / 1e3)
    assert (second.height_reference, second.height_mm) == ("HAE", round(1e3 * hae))


def test_more_observations_than_the_limit_are_not_listed() -> None:
    subjects = Subjects()
    for i in range(REFERENCE_LIMIT + 10):
        subjects.refer("m1", RADAR.sensor_id, f"b/{i}")
    assert len(subjects.references["m1"]) == REFERENCE_LIMIT
    assert subjects.references["m1"][0] == (RADAR.sensor_id, "b/0")


def test_a_lost_track_is_told_once() -> None:
    made = engine(zone_named())
    run(made, range(1, 6))
    events = turn_without(made, range(6, 16))
    (ended,) = only(events, TrackEnded)
    assert (ended.track_id, ended.last_seen_ns) == ("T00001", at(5.0))
    last = only(events, AlertChanged)[-1]
    assert (last.event, last.active, last.why) == ("ended", False, "the track is lost")


# -- a gap ----------------------------------------------------------------------------------


@pytest.mark.parametrize("gap_s", [8, 16])
def test_a_track_that_comes_back_on_its_course_keeps_its_alert(gap_s: int) -> None:
    made = engine(zone_named())
    before = run(made, range(1, 8))
    (raised,) = only(before, AlertChanged)
    turn_without(made, range(8, 8 + gap_s))
    after = run(made, range(8 + gap_s, 13 + gap_s))
    (continued,) = only(after, TrackContinued)
    assert continued.earlier == "T00001"
    assert continued.gap_s == pytest.approx(gap_s + 3)
    alerts = only(after, AlertChanged)
    assert {a.alert_id for a in alerts} == {raised.alert_id}
    assert alerts[-1].active
    assert alerts[-1].tracks == ("T00001", continued.track_id)


def test_a_gap_too_long_or_a_place_off_the_course_is_another_aircraft() -> None:
    long = engine(zone_named())
    run(long, range(1, 8))
    gap_s = CONTINUE_WITHIN_NS // NS_PER_S
    turn_without(long, range(8, 8 + gap_s))
    later = run(long, range(8 + gap_s, 13 + gap_s))
    aside = engine(zone_named())
    run(aside, range(1, 8))
    turn_without(aside, range(8, 16))
    elsewhere = run(aside, range(16, 21), path=lambda s: (drone_at(s)[0], 450.0, 100.0))
    for events in (later, elsewhere):
        assert not only(events, TrackContinued)
        assert only(events, AlertChanged)[-1].alert_id == "A00002"


def test_where_two_could_be_meant_none_is() -> None:
    made = engine()
    for second in range(1, 8):
        east, north, up = drone_at(second)
        made.receive(plots(second, (east, north, up), (east, north + 60.0, up)))
        made.advance(at(second))
    turn_without(made, range(8, 16))
    events = run(made, range(16, 21), path=lambda s: (drone_at(s)[0], 30.0, 100.0))
    assert only(events, TrackStarted)
    assert not only(events, TrackContinued)


def test_nobody_needs_the_id_of_a_bird_again() -> None:
    made = engine()
    run(made, range(1, 8), kinds=BIRD)
    turn_without(made, range(8, 16))
    assert not only(run(made, range(16, 21), kinds=BIRD), TrackContinued)


# -- lone claims ----------------------------------------------------------------------------


def test_a_claim_that_nobody_could_check_is_announced_at_once() -> None:
    events = run(engine(), range(1, 3), seen=False, said=claim_of())
    (started,) = only(events, TrackStarted)
    assert (started.source, started.first_seen_ns) == ("claimed", at(1.0))
    (identity,) = only(events, IdentityChanged)
    assert (identity.identity, identity.strength) == (SERIAL, Strength.BROADCAST_ONLY)
    state = only(events, TrackUpdated)[0]
    assert (state.east_mm, state.north_mm) == pytest.approx((-290_000, 0), abs=2)
    assert (state.sigma_horizontal_mm, state.sigma_up_mm) == (4_000, 6_000)
    assert state.velocity_east_mmps == 0  # not told
    assert state.observations == ("rid:1/0",)


def test_in_view_of_a_radar_a_claim_waits_for_its_track() -> None:
    made, events = engine(), []
    for second in range(1, 9):
        events += made.receive(plots(second, FAR, kinds=BIRD))
        events += made.receive(claims(second, (claim_of(), drone_at(second))))
        events += made.advance(at(second))
    lone = next(e for e in only(events, TrackStarted) if e.source == "claimed")
    assert lone.at_ns - lone.first_seen_ns == LONE_AFTER_NS


def test_a_lone_claim_is_told_when_it_moves_and_is_not_moved_on() -> None:
    made = engine(zone_named())
    run(made, range(1, 3), seen=False, said=claim_of())
    events = run(made, range(3, 10), seen=False)
    assert not only(events, TrackUpdated)
    assert not only(events, TrackEnded)


def test_a_claim_that_has_fallen_silent_is_not_judged_any_more_and_then_ends() -> None:
    made = engine(zone_named())
    run(made, range(1, 5), seen=False, said=claim_of())
    events = run(made, range(5, 70), seen=False)
    told = [a for a in only(events, AlertChanged) if a.alert_id == "A00001"]
    ended = [(a.event, a.at_ns) for a in told if a.event != "escalated"]  # nobody looks
    assert ended == [("ended", at(24.0))]  # 10 s and 10 s
    (gone,) = only(events, TrackEnded)
    assert gone.at_ns == at(65.0)


def test_a_twin_heard_by_another_way_is_not_announced_twice() -> None:
    made = engine()
    events: list[Event] = []
    for second in range(1, 4):
        place = drone_at(second)
        events += made.receive(
            claims(second, (claim_of(transmitter="aa"), place), (claim_of(transmitter="bb"), place))
        )
        events += made.advance(at(second))
    assert len(only(events, TrackStarted)) == 1


def test_what_stands_on_the_ground_is_not_judged_unless_it_is_measured() -> None:
    parked = claim_of(airborne=False)
    lone = run(engine(zone_named()), range(1, 20), seen=False, said=parked)
    assert not only(lone, VerdictChanged)
    flying = run(engine(zone_named()), range(1, 20), said=parked)
    assert only(flying, IdentityChanged)[-1].strength is Strength.CONSISTENT
    verdict = only(flying, VerdictChanged)[-1]
    assert (verdict.presence, verdict.permission) == (INSIDE, "not_permitted")
    assert only(flying, AlertChanged)[-1].active


# -- a claim and a track --------------------------------------------------------------------


def test_a_lone_claim_that_is_found_to_be_measured_goes_on_in_the_track() -> None:
    made = engine(zone_named())
    lone = run(made, range(1, 5), seen=False, said=claim_of())
    assert ids(lone, TrackStarted) == ["T00001"]
    both = run(made, range(5, 16), said=claim_of())
    assert ids(both, TrackStarted) == ["T00002"]
    (continued,) = only(both, TrackContinued)
    assert (continued.track_id, continued.earlier, continued.gap_s) == ("T00002", "T00001", 0.0)
    assert ids(both, TrackEnded) == ["T00001"]
    assert [h.track_id for h in made.snapshot().subjects.held] == ["T00002"]


def test_no_alert_goes_on_for_a_claim_that_has_become_a_track() -> None:
    made = engine(zone_named())
    events = run(made, range(1, 5), seen=False, said=claim_of())
    events += run(made, range(5, 16), said=claim_of())
    latest = {a.alert_id: a for a in only(events, AlertChanged)}
    active = [a for a in latest.values() if a.active]
    assert [a.tracks for a in active] == [("T00002",)]


def joined(**measured: Any) -> tuple[Airspace, list[Event]]:
    """The tick that joins a lone claim T00001, with an active alert A1, to its track T00002."""
    made = engine()
    run(made, range(1, 5), seen=False, said=claim_of())
    for second in range(5, 16):
        saved = made.snapshot()
        if only(run(made, range(second, second + 1), said=claim_of()), TrackContinued):
            break
    lone, track = saved.subjects.held
    assert (lone.track_id, track.track_id) == ("T00001", "T00002")
    old = replace(lone, alert_id=AlertId("A1"), concern_since_ns=at(2.0), concern_last_ns=at(4.0))
    first = Alert(
        AlertId("A1"), AlertState.RAISED, True, 1, (lone.track_id,), (ZoneId("Z1"),),
        Permission.NOT_PERMITTED, (), at(3.0),
    )  # fmt: skip
    second_alert = replace(first, alert_id=AlertId("A2"), tracks=(track.track_id,))
    crafted = replace(
        saved,
        subjects=replace(saved.subjects, held=(old, replace(track, **measured))),
        alarms=replace(saved.alarms, alerts=(first, second_alert)),
    )
    again = Airspace.restore(made.site, crafted)
    return again, run(again, range(second, second + 1), said=claim_of())


def test_the_alert_of_a_joined_claim_goes_over_and_ends_with_its_cause() -> None:
    made, events = joined()
    (held,) = made.snapshot().subjects.held
    assert (held.track_id, held.alert_id) == ("T00002", "A1")
    assert not only(events, AlertChanged)
    (ended,) = only(run(made, range(14, 16), said=claim_of()), AlertChanged)
    assert (ended.alert_id, ended.event, ended.active) == ("A1", "ended", False)


def test_a_track_with_an_alert_of_its_own_keeps_it_and_the_other_ends() -> None:
    made, events = joined(alert_id=AlertId("A2"), concern_since_ns=at(4.0), concern_last_ns=at(6.0))
    (held,) = made.snapshot().subjects.held
    assert (held.alert_id, held.concern_since_ns) == ("A2", at(4.0))
    (ended,) = only(events, AlertChanged)
    assert (ended.alert_id, ended.event, ended.active) == ("A1", "ended", False)


def test_found_before_the_track_was_announced_the_claim_keeps_its_id() -> None:
    made = engine()
    run(made, range(1, 3), seen=False, said=claim_of())
    for second in range(3, 9):  # no tick meanwhile
        made.receive(plots(second, drone_at(second)))
        made.receive(claims(second, (claim_of(), drone_at(second))))
    events = made.advance(at(9.0))
    assert not only(events, TrackStarted)
    assert not only(events, TrackEnded)
    assert ids(events, TrackUpdated) == ["T00001"]
    assert made.snapshot().subjects.held[0].number != 0


def test_a_lost_track_lives_on_under_its_id_where_its_claim_is_still_heard() -> None:
    made = engine(zone_named())
    run(made, range(1, 9), said=claim_of())
    events: list[Event] = []
    for second in range(9, 20):
        events += made.receive(plots(second, FAR, kinds=BIRD))
        events += made.receive(claims(second, (claim_of(), drone_at(second))))
        events += made.advance(at(second))
    assert "T00001" not in ids(events, TrackEnded)
    assert [e for e in only(events, TrackUpdated) if e.track_id == "T00001"][-1].at_ns == at(19.0)
    own = next(h for h in made.snapshot().subjects.held if h.track_id == "T00001")
    assert (own.number, own.claim) == (0, 1)


def test_an_identity_is_told_when_it_changes_and_when_it_is_gone() -> None:
    made = engine()
    events = run(made, range(1, 10), said=claim_of())
    (known,) = only(events, IdentityChanged)
    assert (known.identity, known.strength) == (SERIAL, Strength.CONSISTENT)
    events = run(made, range(10, 75))
    (gone,) = only(events, IdentityChanged)
    assert (gone.identity, gone.strength) == (None, Strength.NONE)
    assert gone.reasons[0].code == "claim_gone"


def test_a_track_is_named_by_remote_id_before_adsb() -> None:
    made = engine()
    events: list[Event] = []
    for second in range(1, 9):
        place = drone_at(second)
        events += made.receive(plots(second, place))
        adsb = claim_of("4D0123", "4D0123", scheme=Scheme.ADSB)
        events += made.receive(claims(second, (adsb, place), of=ADSB))
        events += made.receive(claims(second, (claim_of(), place)))
        events += made.advance(at(second))
    assert {e.scheme for e in only(events, IdentityChanged)} == {Scheme.REMOTE_ID}
    assert len(only(events, TrackStarted)) == 1
