"""The live engine: bad input beside good, commands at once, and replay to the byte."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skykeep.codec import wire
from skykeep.core.airspace import SILENT, WORKING, Airspace, RegisterSensor
from skykeep.core.alert import (
    AcknowledgeAlert,
    CloseAlert,
    HandOverAlert,
    ShelveAlert,
    UnshelveAlert,
)
from skykeep.core.event import (
    AlertChanged,
    Event,
    Finding,
    IdentityChanged,
    InputFound,
    ObservationRejected,
    Permission,
    PermitChanged,
    ReportKept,
    SensorChanged,
    Severity,
    Strength,
    Tick,
    TrackStarted,
    TrackUpdated,
    VerdictChanged,
    ZoneChanged,
)
from skykeep.core.geo import HeightReference
from skykeep.core.observation import Batch, Form, Scheme
from skykeep.core.permit import ChangePermit, PermitEvent, PermitState, PutPermit
from skykeep.core.picture import fix_of
from skykeep.core.verdict import BOUND, GONE, INSIDE, judge, presence
from skykeep.core.zone import PublishZone, WithdrawZone, ZoneState, prepare_zone
from skykeep.errors import DecisionError
from skykeep.feed.citadel_night import citadel_night
from skykeep.feed.simulator import Scene, simulate
from skykeep.units import NS_PER_S, AlertId, PermitId, SensorId, ZoneId
from tests.sky import (
    ADSB,
    BIRD,
    COUNTRY,
    FINDER,
    GUARD,
    NOWHERE,
    OFFICER,
    RADAR,
    RECEIVER,
    SITE,
    Place,
    at,
    batch,
    claim_of,
    claims,
    engine,
    only,
    permit_named,
    plots,
    sensor,
    sighting,
    subject_at,
    volume,
    zone_named,
)

Input = Any


def take(made: Airspace, item: Input) -> tuple[Event, ...]:
    if isinstance(item, Batch):
        return made.receive(item)
    if isinstance(item, Tick):
        return made.advance(item.at_ns)
    return made.apply(item, made.snapshot().now_ns)


def lines(events: Iterable[Event]) -> list[bytes]:
    return [wire.encode_event(event) for event in events]


def drone_at(second: float) -> Place:
    """From 700 m east into the zone at 20 m/s; inside from 10 s on."""
    return (700.0 - 20.0 * second, 0.0, 100.0)


def flown(
    *zones: Any, seconds: range, made: Airspace | None = None
) -> tuple[Airspace, list[Event]]:
    made = made or engine(*zones)
    events: list[Event] = []
    for second in seconds:
        events += made.receive(plots(second, drone_at(second)))
        events += made.advance(at(second))
    return made, events


# -- replay is exact --------------------------------------------------------------------------


def small_night() -> list[Input]:
    """Half a minute of everything: drones, claims true and false, reports, faults, commands."""
    items: list[Input] = [Tick(at(0.0))]
    other = permit_named("P2", state=PermitState.REVOKED, serials=("GONE",), state_why="noise")
    for second in range(1, 31):
        near, far = drone_at(second), (-300.0 + 6.0 * second, 250.0, 80.0)
        seen = [near, far] if second not in (12, 13, 19) else [far]
        bird = (1_000.0 + 9.0 * second, -800.0, 60.0)
        items.append(plots(second, *seen, kinds=(0.9, 0.05, 0.03, 0.02)))
        items.append(plots(second + 0.1, bird, kinds=BIRD))
        if second != 22:
            items.append(claims(second, (claim_of(), far)))
        spoofed = claim_of(transmitter="ff", operator_id="OP")
        items.append(claims(second + 0.2, (spoofed, (2_000.0, 1_500.0, 90.0))))
        plane = claim_of("4D0123", "4D0123", scheme=Scheme.ADSB)
        items.append(
            claims(second + 0.3, (plane, (-4_000.0 + 60.0 * second, 900.0, 900.0)), of=ADSB)
        )
        azimuth = 90.0 + 0.1 * second
        items.append(batch(FINDER, second + 0.4, Form.BEARING, [(azimuth, NOWHERE, NOWHERE)],
                           (3.0, NOWHERE, NOWHERE)))  # fmt: skip
        if second % 7 == 0:
            items.append(replace(plots(second + 0.45, near), event_time_ns=np.array([at(1.0)])))
            items.append(sighting(second + 0.5, "a light", 80.0))
            items.append(plots(second + 0.5, (NOWHERE,) * 3))
        items.append(Tick(at(second + 0.9)))
        if second == 5:
            items += [PutPermit(OFFICER, permit_named()), PutPermit(OFFICER, other)]
        if second == 14:
            items.append(AcknowledgeAlert(OFFICER, AlertId("A00001")))
        if second == 20:
            items.append(ChangePermit(OFFICER, PermitId("P1"), PermitEvent.SUSPEND, "storm"))
            items.append(
                PublishZone(OFFICER, zone_named("Z2", volumes=(volume(radius_m=3_000.0),)))
            )
        if second == 25:
            items.append(WithdrawZone(OFFICER, ZoneId("Z2"), "over"))
    return items


def kinds_of(events: list[Event]) -> set[str]:
    return {type(event).__name__ for event in events}


def test_the_same_inputs_give_the_same_bytes() -> None:
    first, second = [
        [event for item in small_night() for event in take(made, item)]
        for made in (engine(zone_named()), engine(zone_named()))
    ]
    assert lines(first) == lines(second)
    told = kinds_of(first)
    assert {
        "AlertChanged", "IdentityChanged", "ObservationRejected", "PermitChanged", "ReportKept",
        "SensorChanged", "TrackStarted", "TrackUpdated", "VerdictChanged", "ZoneChanged",
    } <= told  # fmt: skip


def test_a_snapshot_at_every_step_goes_on_to_the_same_bytes() -> None:
    straight, hopping = engine(zone_named()), engine(zone_named())
    for item in small_night():
        saved = wire.encode(hopping.snapshot())
        again = wire.decode(saved)
        assert wire.encode(again) == saved
        hopping = Airspace.restore(SITE, again)
        assert lines(take(straight, item)) == lines(take(hopping, item))
    assert wire.encode(straight.snapshot()) == wire.encode(hopping.snapshot())
    assert straight.snapshot().too_late > 0


def test_a_snapshot_does_not_change_with_the_engine() -> None:
    items = small_night()
    made = engine(zone_named())
    for item in items[:120]:
        take(made, item)
    saved = made.snapshot()
    kept = wire.encode(saved)
    twin = Airspace.restore(SITE, saved)
    for item in items[120:]:
        assert lines(take(made, item)) == lines(take(twin, item))
    assert wire.encode(saved) == kept


def short_scene() -> Scene:
    """The first minute and a quarter of the citadel's night, with its sensors and birds."""
    return replace(citadel_night(3).scene, duration_s=75)


def test_a_simulated_scene_replays_and_resumes_to_the_byte() -> None:
    site = citadel_night(3).site
    straight, hopping = Airspace(site), Airspace(site)
    said: list[bytes] = []
    for i, item in enumerate(simulate(short_scene())):
        if i % 50 == 0:
            hopping = Airspace.restore(site, wire.decode(wire.encode(hopping.snapshot())))
        own = lines(take(straight, item))
        assert own == lines(take(hopping, item))
        said += own
    assert len(said) > 500
    again = Airspace(site)
    assert [line for item in simulate(short_scene()) for line in lines(take(again, item))] == said


# -- input ------------------------------------------------------------------------------------


def test_an_unknown_sensor_is_told_and_nothing_of_it_used() -> None:
    made = engine()
    stranger = replace(plots(1.0, drone_at(1)), sensor_id=SensorId("stranger"))
    (event,) = made.receive(stranger)
    assert isinstance(event, ObservationRejected)
    assert (event.row, event.field) == (-1, "sensor_id")
    assert "stranger" in event.problem
    assert heard_rows(made) == 0


def test_a_feeds_findings_are_told_even_of_an_unknown_sensor() -> None:
    finding = Finding("line 3", "broken", "skipped", Severity.ERROR)
    made = engine()
    for sensor_id in (RADAR.sensor_id, SensorId("stranger")):
        events = made.receive(replace(plots(1.0), sensor_id=sensor_id, findings=(finding,)))
        (found,) = only(events, InputFound)
        assert (found.finding, found.sensor_id) == (finding, sensor_id)


def heard_rows(made: Airspace) -> int:
    """Plots that wait to be taken by the tracks."""
    return sum(len(step.rows) for step in made.snapshot().timeline.waiting)


def spoilt(column: str, place: int | None, value: Any) -> Batch:
    """Two good plots with a bad one between them."""
    plain = plots(1.0, (100.0, 0.0, 50.0), (200.0, 0.0, 50.0), (300.0, 0.0, 50.0))
    array = getattr(plain, column).copy()
    array[(1,) if place is None else (1, place)] = value
    return replace(plain, **{column: array})


@pytest.mark.parametrize(
    ("column", "place", "value", "name"),
    [
        ("event_time_ns", None, 1_000, "event_time"),
        ("values", 0, float("nan"), "lat_deg"),
        ("values", 0, 95.0, "lat_deg"),
        ("values", 1, float("inf"), "lon_deg"),
        ("values", 2, 1e200, "height_m"),
        ("sigmas", 0, 0.0, "sigma_east_m"),
        ("sigmas", 1, -1.0, "sigma_north_m"),
        ("kind_likelihood", 0, float("nan"), "kind_likelihood"),
    ],
)
def test_a_bad_row_is_named_and_the_good_ones_beside_it_are_used(
    column: str, place: int | None, value: Any, name: str
) -> None:
    made = engine()
    events = made.receive(spoilt(column, place, value))
    (event,) = only(events, ObservationRejected)
    assert (event.row, event.field) == (1, name)
    assert heard_rows(made) == 2


def test_plots_that_come_too_late_are_named_and_counted_and_the_others_used() -> None:
    made, _ = flown(seconds=range(1, 6))
    late_s = SITE.tracker.late_ns / NS_PER_S
    times = np.array([at(6.0 - late_s - 1.5), at(5.0), at(6.0 - late_s - 1.2)], np.int64)
    places = [drone_at(5), (-800.0, 0.0, 100.0), drone_at(5)]
    mixed = replace(plots(6.0, *places), event_time_ns=times)
    before = made.snapshot()
    (event,) = only(made.receive(mixed), ObservationRejected)
    assert (event.row, event.field) == (0, "event_time")
    assert event.problem == f"{late_s + 0.5:.1f} s behind the newest: 2 rows late"
    after = made.snapshot()
    assert after.too_late - before.too_late == 2
    assert heard_rows(made) == 1


def test_one_batch_may_hold_several_moments_in_any_order() -> None:
    together, apart = engine(), engine()
    for made in (together, apart):
        flown(seconds=range(1, 6), made=made)
    places = [drone_at(6.5), drone_at(6.0)]
    times = np.array([at(6.5), at(6.0)], np.int64)
    together.receive(replace(plots(7.0, *places), event_time_ns=times))
    for i in (1, 0):
        apart.receive(replace(plots(7.0, places[i]), event_time_ns=times[i : i + 1]))
    (one,), (other,) = (only(made.advance(at(7.0)), TrackUpdated)[:1] for made in (together, apart))
    assert replace(one, observations=()) == replace(other, observations=())


def test_a_claiming_sensor_must_say_who_claims() -> None:
    made = engine()
    nobody = replace(claims(1.0, (claim_of(), drone_at(1)), (claim_of(), drone_at(1))),
                     claims=(None, claim_of()))  # fmt: skip
    (event,) = only(made.receive(nobody), ObservationRejected)
    assert (event.row, event.field) == (0, "claim")
    assert len(made.snapshot().claims.tracks) == 1


def test_a_bearing_that_says_nothing_is_refused() -> None:
    made = engine()
    wide = batch(FINDER, 1.0, Form.BEARING, [(90.0, NOWHERE, NOWHERE)], (46.0, 1.0, 1.0))
    (event,) = only(made.receive(wide), ObservationRejected)
    assert (event.field, event.problem) == ("sigma_azimuth_deg", "46.0 is no bearing")


def test_a_bearing_names_the_track_that_it_fits() -> None:
    made, _ = flown(seconds=range(1, 6))
    made.receive(batch(FINDER, 5.5, Form.BEARING, [(90.0, NOWHERE, NOWHERE)], (3.0, 1.0, 1.0)))
    (state,) = only(made.advance(at(6.0)), TrackUpdated)
    assert state.sensors == (RADAR.sensor_id, FINDER.sensor_id)
    assert state.observations == ("df:5.5/0",)


def test_a_report_is_kept_as_a_report_and_moves_nothing() -> None:
    made = engine(zone_named())
    for second in range(1, 10):
        (kept,) = only(made.receive(sighting(second, "a drone!", 45.0)), ReportKept)
        assert not only(made.advance(at(second)), TrackStarted)
    assert (kept.words, kept.azimuth_deg, kept.sensor_id) == ("a drone!", 45.0, GUARD.sensor_id)
    assert kept.seen_at_ns == at(9.0)
    (vague,) = only(made.receive(sighting(10.0, "somewhere")), ReportKept)
    assert vague.azimuth_deg is None


def test_a_claim_keeps_the_height_reference_it_came_with() -> None:
    made = engine()
    said = claims(1.0, (claim_of(), drone_at(1)), reference=HeightReference.AMSL)
    made.receive(said)
    (state,) = only(made.advance(at(1.0)), TrackUpdated)
    assert (state.height_reference, state.height_mm) == ("AMSL", round(said.values[0, 2] * 1e3))
    assert state.up_mm == pytest.approx(100_000 + 47_500, abs=100)  # the geoid lies below


wild = st.one_of(
    st.floats(), st.sampled_from([1e-300, 1e300, -1e200, 1e9, 90.0, 180.0, 400.0, 50.0, 6.0])
)


@settings(max_examples=50, deadline=None)
@given(
    form=st.sampled_from(list(Form)),
    values=st.tuples(wild, wild, wild),
    sigmas=st.tuples(wild, wild, wild),
    velocity=st.tuples(wild, wild, wild),
    times=st.one_of(st.integers(-(2**63), 2**63 - 1), st.integers(at(1.0), at(9.0))),
    reference=st.integers(-3, 7),
    which=st.sampled_from([RADAR, RECEIVER, ADSB, FINDER, GUARD]),
)
def test_no_numbers_stop_the_engine(
    form: Form,
    values: Place,
    sigmas: Place,
    velocity: Place,
    times: int,
    reference: int,
    which: Any,
) -> None:
    made = engine(zone_named())
    for second in range(1, 5):
        made.receive(plots(second, drone_at(second)))
        made.advance(at(second))
    for second in (5, 6, 7):
        odd = batch(which, second, form, [values], sigmas, claims=(claim_of(),),
                    words=("words",), height_references=np.array([reference], np.int8),
                    velocities_mps=np.array([velocity]),
                    event_time_ns=np.array([times]))  # fmt: skip
        events = [*made.receive(odd), *made.receive(plots(second, drone_at(second)))]
        events += made.advance(at(second))
        lines(events)
    assert wire.decode(wire.encode(made.snapshot())).now_ns == at(7.0)


# -- time -------------------------------------------------------------------------------------


def test_time_never_goes_back() -> None:
    made, _ = flown(zone_named(), seconds=range(1, 6))
    for events in (
        made.advance(at(1.0)),
        made.receive(sighting(2.0, "late")),
        made.apply(PublishZone(OFFICER, zone_named("Z2")), at(3.0)),
    ):
        assert events
        assert {event.at_ns for event in events} == {at(5.0)}
    assert made.snapshot().now_ns == at(5.0)


# -- commands ---------------------------------------------------------------------------------

NOBODY = AlertId("A77777")


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (WithdrawZone(OFFICER, ZoneId("Z9"), ""), "there is no zone Z9"),
        (ChangePermit(OFFICER, PermitId("P9"), PermitEvent.REVOKE, "why"), "there is no permit P9"),
        (ChangePermit(OFFICER, PermitId("P1"), PermitEvent.GRANT, "why"), "it cannot grant now"),
        (ChangePermit(OFFICER, PermitId("P1"), PermitEvent.REVOKE, " "), "needs a reason"),
        (AcknowledgeAlert(OFFICER, NOBODY), "there is no alert A77777"),
        (HandOverAlert(OFFICER, NOBODY, "police"), "there is no alert"),
        (CloseAlert(OFFICER, NOBODY, ""), "there is no alert"),
        (ShelveAlert(OFFICER, AlertId("A00001"), at(1.0), ""), "that is past"),
        (UnshelveAlert(OFFICER, AlertId("A00001")), "is raised: unshelve is not possible"),
    ],
)
def test_a_refused_command_changes_nothing(command: Any, words: str) -> None:
    made, _ = flown(zone_named(), seconds=range(1, 12))
    made.apply(PutPermit(OFFICER, permit_named()), at(11.0))
    before = wire.encode(made.snapshot())
    with pytest.raises(DecisionError, match=words):
        made.apply(command, at(20.0))
    assert wire.encode(made.snapshot()) == before
    assert {e.at_ns for e in made.apply(PutPermit(OFFICER, permit_named()), at(12.0))} == {at(12.0)}


def test_a_zone_that_is_published_judges_at_once_and_alerts_in_its_time() -> None:
    made, events = flown(seconds=range(1, 16))
    assert not only(events, VerdictChanged)
    events = list(made.apply(PublishZone(OFFICER, zone_named()), at(15.0)))
    (told,) = only(events, ZoneChanged)
    assert (told.zone_id, told.state, told.actor) == ("Z1", "in_force", OFFICER)
    (verdict,) = only(events, VerdictChanged)
    assert (verdict.at_ns, verdict.presence, verdict.permission) == (
        at(15.0), INSIDE, Permission.NOT_PERMITTED,
    )  # fmt: skip
    _, events = flown(seconds=range(16, 17), made=made)
    (alert,) = only(events, AlertChanged)
    assert (alert.event, alert.zones, alert.priority) == ("raised", ("Z1",), 1)


def test_a_zone_not_in_force_judges_nobody_and_one_that_is_withdrawn_no_more() -> None:
    made, events = flown(zone_named(state=ZoneState.APPROVED), seconds=range(1, 14))
    assert not only(events, VerdictChanged)
    made.apply(PublishZone(OFFICER, zone_named()), at(14.0))
    (told,) = made.apply(WithdrawZone(OFFICER, ZoneId("Z1"), "over"), at(14.0))[:1]
    assert (told.zone_id, told.state) == ("Z1", "withdrawn")
    _, events = flown(seconds=range(15, 40), made=made)
    assert not only(events, VerdictChanged)
    assert not only(events, AlertChanged)
    assert made.zones() == ()


def test_a_zone_that_comes_back_is_told_anew() -> None:
    made, _ = flown(zone_named(), seconds=range(1, 15))
    made.apply(WithdrawZone(OFFICER, ZoneId("Z1"), "over"), at(14.0))
    (verdict,) = only(made.apply(PublishZone(OFFICER, zone_named()), at(14.0)), VerdictChanged)
    assert (verdict.presence, verdict.permission) == (INSIDE, Permission.NOT_PERMITTED)


def test_zones_of_other_authorities_are_held_and_never_judged() -> None:
    foreign = zone_named("F1", authority_id=COUNTRY)
    made, events = flown(foreign, seconds=range(1, 16))
    assert not only(events, VerdictChanged)
    assert not only(events, AlertChanged)
    assert made.zones() == (foreign,)
    again = Airspace.restore(SITE, made.snapshot())
    _, events = flown(seconds=range(16, 20), made=again)
    assert not only(events, VerdictChanged)


def permitted_drone() -> Airspace:
    """A drone with a permit inside the zone, its claim checked."""
    made = engine(zone_named())
    made.apply(PutPermit(OFFICER, permit_named()), at(0.5))
    for second in range(1, 13):
        made.receive(plots(second, drone_at(second)))
        made.receive(claims(second, (claim_of(), drone_at(second))))
        events = made.advance(at(second))
        assert not only(events, AlertChanged)
    return made


def test_a_permit_that_is_revoked_flips_the_verdict_at_once() -> None:
    made = permitted_drone()
    revoke = ChangePermit(OFFICER, PermitId("P1"), PermitEvent.REVOKE, "flew over the crowd")
    events = list(made.apply(revoke, at(12.0)))
    (changed,) = only(events, PermitChanged)
    assert (changed.state, changed.why) == ("revoked", "flew over the crowd")
    (verdict,) = only(events, VerdictChanged)
    assert verdict.permission is Permission.NOT_PERMITTED
    assert verdict.strength is Strength.CONSISTENT
    assert [r.code for r in verdict.reasons] == ["permit_revoked"]
    assert verdict.permit_id == "P1"
    made.receive(plots(13.0, drone_at(13)))
    (alert,) = only(made.advance(at(13.0)), AlertChanged)
    assert (alert.event, alert.reasons[0].code) == ("raised", "permit_revoked")
    state = made.snapshot().permits[0]
    assert (state.state, state.state_since_ns) == (PermitState.REVOKED, at(12.0))


def test_a_permit_that_is_put_opens_at_once_and_one_that_runs_out_closes() -> None:
    made = permitted_drone()
    until = permit_named().volumes[0]
    brief = permit_named(volumes=(replace(until, end_ns=at(14.0)),))
    assert not only(made.apply(PutPermit(OFFICER, brief), at(12.0)), VerdictChanged)
    made.receive(plots(13.0, drone_at(13)))
    assert not only(made.advance(at(13.0)), VerdictChanged)
    events = list(made.advance(at(14.0)))
    (changed,) = only(events, PermitChanged)
    assert (changed.state, changed.actor.role) == ("expired", "rule")
    (verdict,) = only(events, VerdictChanged)
    assert [r.code for r in verdict.reasons] == ["permit_ended"]
    again = made.apply(PutPermit(OFFICER, permit_named()), at(14.0))
    (verdict,) = only(again, VerdictChanged)
    assert verdict.permission is Permission.PERMITTED


def test_verdicts_are_told_when_they_change_and_when_the_track_has_left() -> None:
    _, events = flown(zone_named(), seconds=range(1, 75))
    told = [(v.presence, v.permission) for v in only(events, VerdictChanged)]
    no = Permission.NOT_PERMITTED
    assert [what for what, _ in told[:2]] == [BOUND, INSIDE]
    assert told[-1] == (GONE, told[-2][1])
    assert (INSIDE, no) in told
    assert len(told) <= 4


# -- sensors ----------------------------------------------------------------------------------


def test_a_silent_sensor_is_told_raises_an_alert_and_ends_it_when_it_works() -> None:
    made, events = flown(seconds=range(1, 4))
    assert [(e.sensor_id, e.health) for e in only(events, SensorChanged)] == [("radar", WORKING)]
    assert made.advance(at(6.0))
    events = list(made.advance(at(6.1)))
    (told,) = only(events, SensorChanged)
    assert (told.sensor_id, told.health) == ("radar", SILENT)
    (alert,) = only(events, AlertChanged)
    assert (alert.event, alert.reasons[0].code) == ("raised", "sensor_silent")
    assert not only(made.advance(at(9.0)), AlertChanged)
    events = list(made.receive(plots(10.0)))
    assert [e.health for e in only(events, SensorChanged)] == [WORKING]
    (ended,) = only(events, AlertChanged)
    assert (ended.alert_id, ended.active) == (alert.alert_id, False)


def test_slower_sensors_are_given_three_of_their_periods() -> None:
    slow = sensor("slow", RADAR.kind, period_s=5.0)
    made = engine(sensors=[slow])
    assert not only(made.advance(at(15.0)), SensorChanged)
    (told,) = only(made.advance(at(15.1)), SensorChanged)
    assert told.health == SILENT  # it was never heard at all


def test_a_sensor_without_a_period_is_never_silent() -> None:
    made = engine(sensors=[RECEIVER, GUARD, ADSB])
    made.receive(claims(1.0, (claim_of(), drone_at(1))))
    assert not only(made.advance(at(3_600.0)), AlertChanged)


def test_a_sensor_entered_anew_is_used_at_its_new_place() -> None:
    made = engine()
    moved = replace(RADAR, lat_deg=RADAR.lat_deg + 1.0)
    events = made.apply(RegisterSensor(OFFICER, moved), at(1.0))
    assert [(e.sensor_id, e.health) for e in only(events, SensorChanged)] == [("radar", "unknown")]
    sensors = {s.sensor.sensor_id: s.sensor for s in made.snapshot().stations}
    assert sensors["radar"] == moved
    assert len(sensors) == 5


def silence_verdict(*heard: Batch, seconds: range = range(1, 16)) -> str:
    """What a nameless drone inside is told where a permit could be meant."""
    made = engine(zone_named())
    made.apply(PutPermit(OFFICER, permit_named()), at(0.5))
    events: list[Event] = []
    for second in seconds:
        for each in heard:
            if each.receipt_time_ns == at(second):
                events += made.receive(each)
        events += made.receive(plots(second, drone_at(second)))
        events += made.advance(at(second))
    own = [v for v in only(events, VerdictChanged) if v.track_id == "T00001"]
    return str(own[-1].reasons[-1].code)


def test_silence_counts_only_where_a_receiver_is_known_to_hear() -> None:
    other = claim_of("SKV99", "zz")
    assert silence_verdict() == "identity_unknown"
    lately = [claims(float(s), (other, (8_000.0, 0.0, 50.0))) for s in (2, 12)]
    assert silence_verdict(*lately) == "not_broadcasting"
    assert silence_verdict(lately[0]) == "identity_unknown"  # long ago


def test_an_unsettled_claim_near_a_track_keeps_its_identity_pending() -> None:
    def offset(second: float) -> Batch:
        return claims(second, (claim_of(), (drone_at(second)[0], 120.0, 100.0)))

    assert silence_verdict(*[offset(float(s)) for s in range(8, 16)]) == "identity_pending"


# -- what it is -------------------------------------------------------------------------------


def test_a_helicopter_is_not_subject_and_a_drone_that_poses_as_one_is_a_conflict() -> None:
    def last(kinds: tuple[float, ...]) -> VerdictChanged:
        made = engine(zone_named())
        plane = claim_of("4D0123", "4D0123", scheme=Scheme.ADSB)
        events: list[Event] = []
        for second in range(1, 16):
            events += made.receive(plots(second, drone_at(second), kinds=kinds))
            events += made.receive(claims(second, (plane, drone_at(second)), of=ADSB))
            events += made.advance(at(second))
        assert only(events, IdentityChanged)[-1].strength is Strength.CONSISTENT
        return only(events, VerdictChanged)[-1]

    assert last((0.05, 0.05, 0.85, 0.05)).permission is Permission.NOT_SUBJECT
    posing = last((0.9, 0.03, 0.04, 0.03))
    assert [r.code for r in posing.reasons] == ["kind_conflict"]


def test_a_track_that_parts_from_its_claim_may_be_another_thing_now() -> None:
    made = engine()
    shares: list[float] = []
    for second in range(1, 20):
        made.receive(plots(second, drone_at(second)))
        away_m = 60.0 * max(0, second - 10)
        east, north, up = drone_at(second)
        made.receive(claims(second, (claim_of(), (east, north + away_m, up))))
        (state, *_) = only(made.advance(at(second)), TrackUpdated) or [None]
        shares += [state.probability_drone] if state else []
    assert min(shares[3:8]) > 0.99
    assert min(shares[8:]) < 0.5  # what it is, is asked anew
    assert shares[-1] > 0.9


def test_what_no_sensor_classifies_is_unknown_and_a_bird_is_a_bird() -> None:
    def last(kinds: tuple[float, ...]) -> str:
        made = engine(zone_named())
        events: list[Event] = []
        for second in range(1, 16):
            events += made.receive(plots(second, drone_at(second), kinds=kinds))
            events += made.advance(at(second))
        return str(only(events, VerdictChanged)[-1].reasons[0].code)

    assert last((0.25, 0.25, 0.25, 0.25)) == "kind_unknown"
    assert last((0.1, 0.8, 0.05, 0.05)) == "kind_bird_likely"


def test_what_is_judged_is_what_is_disclosed() -> None:
    """The verdicts again from the events alone, as anybody could compute them."""
    _, events = flown(zone_named(), seconds=range(1, 75))
    zone, policy = prepare_zone(zone_named()), SITE.verdict_policy
    (started,) = only(events, TrackStarted)
    told: list[tuple[int, str, Permission]] = []
    for state in only(events, TrackUpdated):
        drone = state.probability_drone
        subject = subject_at(
            fix=fix_of(state, SITE.frame),
            velocity_mps=(
                state.velocity_east_mmps / 1e3,
                state.velocity_north_mmps / 1e3,
                state.velocity_up_mmps / 1e3,
            ),
            kinds=(drone, 1.0 - drone, 0.0, 0.0),
            taken_for_drone=state.taken_for_drone,
            age_s=(state.at_ns - started.first_seen_ns) / NS_PER_S,
        )
        where = presence(subject, zone, state.at_ns, SITE.terrain, policy.bound_horizon_s)
        if where.what == GONE:
            found = (GONE, told[-1][2])
        else:
            found = (where.what, judge(subject, zone, where, [], SITE.terrain, policy).permission)
        if not told or told[-1][1:] != found:
            told.append((state.at_ns, *found))
    assert [(v.at_ns, v.presence, v.permission) for v in only(events, VerdictChanged)] == told
    assert [what for _, what, _ in told][:2] == [BOUND, INSIDE]
    assert told[-1][1] == GONE
