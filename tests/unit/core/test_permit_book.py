from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skykeep.core.event import Actor, Event, NoticeDue, NoticeTold, PermitChanged
from skykeep.core.geo import Circle, Fix, Tri, Volume, Volume4D, metres_per_degree
from skykeep.core.permit import (
    ChangePermit,
    Channel,
    ChannelKind,
    PermitEvent,
    PermitPolicy,
    PermitState,
    Procedure,
    PutPermit,
    Terms,
    covers,
)
from skykeep.core.permit_book import (
    PAGE,
    STEPS_HELD,
    DeclareExemption,
    Due,
    FlightCount,
    PermitBook,
    ReportDelivery,
    due,
)
from skykeep.errors import DecisionError
from skykeep.units import NS_PER_S, PermitId
from tests.sky import CITY, OFFICER, SERIAL, at, fix_at, permit_named

POLICY = PermitPolicy(
    decide_within_s=86_400.0, land_within_s=60.0, confirm_within_s=600.0, appeal="in court"
)
MAIL = Channel(ChannelKind.EMAIL, "a@b.example")


def book(policy: PermitPolicy = POLICY, **changes: Any) -> PermitBook:
    made = PermitBook(CITY, policy)
    made.apply(PutPermit(OFFICER, permit_named(**changes)), at(0.0))
    return made


def step(
    made: PermitBook, event: PermitEvent, second: float, why: str = "why", **terms: Any
) -> list[Event]:
    command = ChangePermit(OFFICER, PermitId("P1"), event, why, Terms(**terms))
    return made.apply(command, at(second))


def emergency(**changes: Any) -> DeclareExemption:
    (volume,) = permit_named().volumes
    brief = (replace(volume, start_ns=at(1.0), end_ns=at(1_801.0)),)
    draft = permit_named(
        "", exemption_class="police", volumes=brief, zones=(), state=PermitState.DRAFT
    )
    return DeclareExemption(OFFICER, replace(draft, **changes))


def test_an_application_gets_its_deadline_from_the_sites_law() -> None:
    (permit,) = book(state=PermitState.SUBMITTED).permits()
    assert permit.procedure.submitted_ns == at(0.0)
    assert permit.procedure.decide_by_ns == at(86_400.0)
    (permit,) = book(PermitPolicy(), state=PermitState.SUBMITTED).permits()
    assert permit.procedure.decide_by_ns is None  # no law is known, so none is made up
    made = book(state=PermitState.DRAFT)
    step(made, PermitEvent.SUBMIT, 5.0)
    assert made.permits()[0].procedure.decide_by_ns == at(86_405.0)


def test_what_takes_a_right_away_says_by_when_to_land_and_how_to_appeal() -> None:
    made = book()
    changed, told = step(made, PermitEvent.REVOKE, 10.0)
    assert isinstance(changed, PermitChanged)
    assert told == NoticeDue(at(10.0), "N00001", PermitId("P1"), "revoked", (PAGE,))
    procedure = made.permits()[0].procedure
    assert (procedure.land_by_ns, procedure.appeal) == (at(70.0), "in court")
    made = book()
    step(made, PermitEvent.SUSPEND, 10.0, land_by_ns=at(20.0))
    assert made.permits()[0].procedure.land_by_ns == at(20.0)
    step(made, PermitEvent.RESUME, 30.0)
    assert made.permits()[0].procedure.land_by_ns is None


@pytest.mark.parametrize(
    ("event", "terms"),
    [
        (PermitEvent.REVOKE, {"conditions": ("low",)}),
        (PermitEvent.ACTIVATE, {"land_by_ns": at(99.0)}),
        (PermitEvent.REVOKE, {"land_by_ns": at(9.0)}),
        (PermitEvent.SUSPEND, {"decide_by_ns": at(99.0)}),
        (PermitEvent.SUSPEND, {"identity_proof": "eID"}),
    ],
)
def test_terms_go_with_their_steps_only(event: PermitEvent, terms: dict[str, Any]) -> None:
    made = book()
    before = made.permits()
    with pytest.raises(DecisionError, match=next(iter(terms)).removesuffix("_ns")):
        step(made, event, 10.0, **terms)
    assert made.permits() == before


def test_a_change_has_a_named_person() -> None:
    nobody = ChangePermit(Actor(" ", "watch_officer"), PermitId("P1"), PermitEvent.REVOKE, "x")
    with pytest.raises(DecisionError, match="named person"):
        book().apply(nobody, at(1.0))


def report(made: PermitBook, channel: str, delivered: bool, second: float = 20.0) -> list[Event]:
    command = ReportDelivery(OFFICER, made.notices()[0].notice_id, channel, delivered, "")
    return made.apply(command, at(second))


def test_a_notice_waits_until_every_channel_is_done_with() -> None:
    hook = Channel(ChannelKind.WEBHOOK, "https://b.example")
    made = book(procedure=Procedure(channels=(MAIL, hook, MAIL)))
    step(made, PermitEvent.REVOKE, 10.0)
    assert made.notices()[0].waiting == ("email", "webhook")
    (told,) = report(made, "email", True)
    assert isinstance(told, NoticeTold)
    assert made.notices()[0].waiting == ("webhook",)
    assert made.permits()[0].procedure.notified_ns == at(20.0)
    report(made, "webhook", True, 30.0)
    assert made.notices() == ()
    assert made.permits()[0].procedure.notified_ns == at(20.0)  # the first counts


def test_what_was_given_up_waits_for_somebody_to_look() -> None:
    made = book(procedure=Procedure(channels=(MAIL,)))
    step(made, PermitEvent.REVOKE, 10.0)
    report(made, "email", False)
    (notice,) = made.notices()
    assert (notice.waiting, notice.failed) == ((PAGE,), ("email",))
    assert made.permits()[0].procedure.notified_ns is None
    with pytest.raises(DecisionError, match="waits for 'email'"):
        report(made, "email", True)


def test_old_news_does_not_say_that_the_new_was_told() -> None:
    made = book(procedure=Procedure(channels=(MAIL,)))
    step(made, PermitEvent.SUSPEND, 10.0)
    step(made, PermitEvent.RESUME, 11.0)
    report(made, "email", True)  # of the suspension
    assert made.permits()[0].procedure.notified_ns is None


def test_pages_that_nobody_opens_hold_one_notice_a_permit() -> None:
    made = book()
    for second in range(20):
        step(made, PermitEvent.SUSPEND, second)
        step(made, PermitEvent.RESUME, second)
    assert len(made.notices()) == 1


def test_time_ends_a_permit_by_the_rule() -> None:
    made = book()
    assert made.advance(at(3_599.9)) == []
    (changed,) = made.advance(at(3_600.0))
    assert isinstance(changed, PermitChanged)
    assert (changed.state, changed.actor.role) == ("expired", "rule")
    assert made.advance(at(3_601.0)) == []


def test_an_application_that_nobody_decided_in_time_is_told_to_have_expired() -> None:
    made = book(state=PermitState.UNDER_REVIEW)
    assert [type(e).__name__ for e in made.advance(at(3_600.0))] == ["PermitChanged", "NoticeDue"]


def test_an_emergency_exemption_holds_at_once_and_lapses_unless_confirmed() -> None:
    made = PermitBook(CITY, POLICY)
    (changed,) = made.apply(emergency(), at(1.0))
    assert isinstance(changed, PermitChanged)
    assert (changed.permit_id, changed.state) == ("E0001", "provisional")
    (permit,) = made.permits()
    assert permit.procedure.confirm_by_ns == at(601.0)
    assert due(made.permits(), (), at(601.0)) == (
        Due(at(601.0), PermitId("E0001"), "confirm", "or the police exemption lapses"),
    )
    assert made.advance(at(600.9)) == []
    (changed, _) = made.advance(at(601.0))
    assert isinstance(changed, PermitChanged)
    assert (changed.state, changed.why) == ("expired", "nobody confirmed it in time")
    made = PermitBook(CITY, POLICY)
    made.apply(emergency(), at(1.0))
    confirm = ChangePermit(OFFICER, PermitId("E0001"), PermitEvent.CONFIRM, "")
    made.apply(confirm, at(600.0))
    assert made.advance(at(601.0)) == []
    assert made.permits()[0].state is PermitState.GRANTED
    (changed,) = made.advance(at(1_801.0))  # its own end
    assert isinstance(changed, PermitChanged)
    assert changed.state == "expired"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"serials": (" ",)}, "names no aircraft"),
        ({"volumes": ()}, "names no area"),
        ({"exemption_class": "friend"}, "no class of ours"),
        ({"authority_id": "country"}, "of another authority"),
        ({"volumes": (replace(permit_named().volumes[0], end_ns=None),)}, "has no end"),
        ({"volumes": (replace(permit_named().volumes[0], end_ns=at(1.0)),)}, "over already"),
        ({"volumes": (replace(permit_named().volumes[0], end_ns=at(14_402.0)),)}, "longer than"),
    ],
)
def test_an_emergency_exemption_is_bound(changes: dict[str, Any], words: str) -> None:
    made = PermitBook(CITY, POLICY)
    with pytest.raises(DecisionError, match=words):
        made.apply(emergency(**changes), at(1.0))
    assert made.permits() == ()


def test_nothing_slips_in_as_an_emergency_that_does_not_lapse() -> None:
    made = book(state=PermitState.DRAFT)
    with pytest.raises(DecisionError, match="declared"):
        step(made, PermitEvent.DECLARE_EMERGENCY, 1.0)
    with pytest.raises(DecisionError, match="must lapse"):
        made.apply(PutPermit(OFFICER, permit_named(state=PermitState.PROVISIONAL)), at(1.0))


def test_flights_under_an_exemption_are_counted_by_class_and_month() -> None:
    made = book(exemption_class="police")
    made.apply(PutPermit(OFFICER, permit_named("P2")), at(0.0))
    for second in (1.0, 2.0, 600.0, 1_300.0):
        made.fly(PermitId("P1"), SERIAL, at(second))
    made.fly(PermitId("P1"), SERIAL.lower(), at(1_301.0))
    made.fly(PermitId("P1"), "OTHER", at(1_301.0))
    made.fly(PermitId("P2"), SERIAL, at(1.0))  # an ordinary permit
    made.fly(None, SERIAL, at(1.0))
    assert made.counts() == (FlightCount("2026-09", "police", 3),)
    made.fly(PermitId("P1"), SERIAL, at(30 * 86_400.0))
    assert made.counts()[1] == FlightCount("2026-10", "police", 1)


def test_a_restored_book_goes_on_exactly() -> None:
    made = book(exemption_class="fire", procedure=Procedure(channels=(MAIL,)))
    made.apply(emergency(), at(1.0))
    made.fly(PermitId("P1"), SERIAL, at(1.0))
    step(made, PermitEvent.SUSPEND, 2.0)
    again = PermitBook.restore(CITY, POLICY, made.permits(), made.snapshot())
    assert again.snapshot() == made.snapshot()
    for one in (made, again):
        one.fly(PermitId("P1"), SERIAL, at(1.5))
    assert again.counts() == made.counts()
    assert again.advance(at(601.0)) == made.advance(at(601.0)) != []
    assert again.apply(emergency(), at(602.0 - 1)) == made.apply(emergency(), at(601.0))
    assert step(again, PermitEvent.RESUME, 602.0) == step(made, PermitEvent.RESUME, 602.0)
    assert again.snapshot() == made.snapshot()


def test_due_is_sorted_by_urgency() -> None:
    permits = [
        permit_named("A", state=PermitState.SUBMITTED, procedure=Procedure(decide_by_ns=at(50.0))),
        permit_named("B", state=PermitState.UNDER_REVIEW,
                     procedure=Procedure(decide_by_ns=at(10.0))),
        permit_named("C", state=PermitState.GRANTED, procedure=Procedure(decide_by_ns=at(1.0))),
    ]  # fmt: skip
    assert [d.permit_id for d in due(permits, (), at(50.0))] == ["B", "A"]
    assert [d.permit_id for d in due(permits, (), at(50.0) - NS_PER_S)] == ["B"]


def test_only_permits_that_can_bear_on_a_drone_are_judged_by() -> None:
    made = book()
    made.apply(PutPermit(OFFICER, permit_named("P2", serials=("OTHER", " other"))), at(0.0))
    made.apply(PutPermit(OFFICER, permit_named("P3", state=PermitState.REVOKED)), at(0.0))

    def named(serial: str | None, east_m: float = 0.0) -> list[str]:
        found = made.concerning(serial, fix_at((east_m, 0.0, 100.0)))
        return [str(p.permit.permit_id) for p in found]

    assert named(f" {SERIAL.lower()}", 90_000.0) == ["P1", "P3"]
    assert named("OTHER") == ["P2"]
    assert named("NONE") == []
    assert named(None) == ["P1", "P2"]
    assert named(None, 5_008.0) == ["P1", "P2"]  # within the uncertainty of the border
    assert named(None, 5_200.0) == []
    step(made, PermitEvent.REVOKE, 1.0)
    assert named(None) == ["P2"]


@given(
    st.floats(-179.9, 179.9), st.floats(-60.0, 60.0), st.floats(1.0, 40_000.0),
    st.floats(-50_000.0, 50_000.0), st.floats(-50_000.0, 50_000.0), st.floats(0.0, 500.0),
)  # fmt: skip
@settings(deadline=None)
def test_no_permit_that_covers_a_fix_is_left_aside(
    lon: float, lat: float, radius_m: float, east_m: float, north_m: float, sigma_m: float
) -> None:
    per_lon, per_lat = metres_per_degree(lat)
    where = Fix(
        lat + north_m / per_lat, math.remainder(lon + east_m / per_lon, 360.0), sigma_m, None, 0.0
    )
    volume = Volume4D(Volume(Circle(lat, lon, radius_m), None, None), None, None)
    made = book(volumes=(volume,))
    (prepared,) = made.concerning(SERIAL, where)
    if covers(prepared, where, at(1.0), None) is not Tri.NO:
        assert made.concerning(None, where) == (prepared,)


def test_steps_and_tellings_are_kept_bounded_and_survive_a_restart() -> None:
    made = book(procedure=Procedure(channels=(MAIL,)), state=PermitState.GRANTED)
    for i in range(STEPS_HELD):
        step(made, (PermitEvent.RESUME if i % 2 else PermitEvent.SUSPEND), 1.0 + i, f"why {i}")
    notice = made.notices()[0]
    made.apply(ReportDelivery(OFFICER, notice.notice_id, "email", False, "no relay"), at(99.0))
    steps, tellings = made.steps(PermitId("P1")), made.tellings(PermitId("P1"))
    assert len(steps) == STEPS_HELD
    assert (steps[0].why, steps[-1].why) == ("why 0", f"why {STEPS_HELD - 1}")
    assert steps[-1].actor == OFFICER
    assert [(t.state, t.channel, t.delivered, t.detail) for t in tellings] == [
        (PermitState.SUSPENDED, "email", False, "no relay")
    ]
    again = PermitBook.restore(CITY, POLICY, made.permits(), made.snapshot())
    assert again.snapshot() == made.snapshot()
    assert again.steps(PermitId("P1")) == steps
    assert made.steps(PermitId("P2")) == ()
