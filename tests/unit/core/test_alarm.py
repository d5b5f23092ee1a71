"""The book of alerts: raised and ended with hysteresis by rule, moved on by named persons."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skykeep.core import alarm
from skykeep.core.alarm import RULE, SHELF, AlarmCommand, Alarms
from skykeep.core.alert import (
    AcknowledgeAlert,
    AlertPolicy,
    AlertState,
    CloseAlert,
    Concern,
    HandOverAlert,
    RaiseTestAlert,
    ShelveAlert,
    UnshelveAlert,
)
from skykeep.core.event import AlertChanged, FloodChanged, Permission, Reason
from skykeep.core.handover import Recipient, SetRecipients
from skykeep.core.picture import Held
from skykeep.core.warning import SetDrafting
from skykeep.errors import DecisionError
from skykeep.units import AlertId, SensorId, TrackId, ZoneId
from tests.sky import OFFICER, at, engine, zone_named

POLICY = AlertPolicy(raise_after_s=2.0, clear_after_s=10.0, undetermined_after_s=6.0)
FIRST = AlertId("A00001")
RADAR = SensorId("radar")


def held_as(track: str = "T1") -> Held:
    return Held(TrackId(track), 1, 0, at(0.0), at(0.0))


def grave(priority: int = 1, zone: str = "Z1", code: str = "no_permit_here") -> Concern:
    reasons = (Reason(code, "words"),)
    return Concern(priority, (ZoneId(zone),), Permission.NOT_PERMITTED, reasons, 2.0)


def raised(held: Held | None = None) -> tuple[Alarms, Held]:
    """A book with one alert, raised at 2 s, its concern last there then."""
    alarms, held = Alarms(POLICY), held or held_as()
    assert alarms.consider(held, grave(), at(0.0)) == []
    (event,) = alarms.consider(held, grave(), at(2.0))
    assert (event.event, event.alert_id) == ("raised", FIRST)
    return alarms, held


def step(alarms: Alarms, command: AlarmCommand, second: float = 3.0) -> AlertChanged:
    (event,) = alarms.apply(command, at(second))
    return event


# -- by rule ----------------------------------------------------------------------------------


def test_a_concern_must_last_before_it_is_an_alert() -> None:
    alarms, held = Alarms(POLICY), held_as()
    assert alarms.consider(held, grave(), at(0.0)) == []
    assert alarms.consider(held, grave(), at(1.999)) == []
    (event,) = alarms.consider(held, grave(), at(2.0))
    assert event == AlertChanged(
        at(2.0), FIRST, "raised", "raised", True, 1, (TrackId("T1"),), (ZoneId("Z1"),),
        Permission.NOT_PERMITTED, grave().reasons, RULE, "",
    )  # fmt: skip
    assert alarms.alerts[FIRST].raised_ns == at(2.0)


def test_each_kind_of_concern_waits_its_own_time() -> None:
    alarms, held = Alarms(POLICY), held_as()
    slow = replace(grave(3), after_s=POLICY.undetermined_after_s)
    alarms.consider(held, slow, at(0.0))
    assert alarms.consider(held, slow, at(5.9)) == []
    assert len(alarms.consider(held, slow, at(6.0))) == 1
    hasty = Alarms(POLICY)
    assert len(hasty.consider(held_as("T2"), replace(grave(), after_s=0.0), at(0.0))) == 1


def test_a_concern_ends_only_after_it_has_long_been_gone() -> None:
    alarms, held = raised()
    assert alarms.consider(held, None, at(11.9)) == []
    (event,) = alarms.consider(held, None, at(12.0))
    assert (event.event, event.state, event.active) == ("ended", "raised", False)
    assert event.actor == RULE
    assert alarms.consider(held, None, at(30.0)) == []


def test_a_flicker_neither_ends_it_nor_raises_another() -> None:
    alarms, held = raised()
    for second in range(3, 40):
        concern = grave() if second % 9 == 0 else None
        assert alarms.consider(held, concern, at(second)) == []
    assert list(alarms.alerts) == [FIRST]


def test_a_short_concern_starts_anew_after_a_long_pause() -> None:
    alarms, held = Alarms(POLICY), held_as()
    alarms.consider(held, grave(), at(0.0))
    alarms.consider(held, None, at(10.0))
    assert alarms.consider(held, grave(), at(11.0)) == []
    assert len(alarms.consider(held, grave(), at(13.0))) == 1


def test_one_intrusion_is_one_alert_that_gathers_zones() -> None:
    alarms, held = raised()
    (event,) = alarms.consider(held, grave(zone="Z0"), at(3.0))
    assert (event.event, event.alert_id, event.zones) == ("updated", FIRST, ("Z0", "Z1"))
    assert alarms.consider(held, grave(zone="Z0"), at(4.0)) == []


def test_an_alert_holds_the_gravest_that_its_cause_has_been() -> None:
    alarms, held = raised()
    assert alarms.consider(held, grave(2, code="permit_outside"), at(3.0)) == []
    assert alarms.alerts[FIRST].reasons == grave().reasons
    lighter, held = Alarms(POLICY), held_as()
    lighter.consider(held, grave(3, code="identity_unknown"), at(0.0))
    lighter.consider(held, grave(3, code="identity_unknown"), at(2.0))
    (event,) = lighter.consider(held, grave(1), at(3.0))
    assert (event.event, event.priority, event.reasons) == ("updated", 1, grave().reasons)


def test_a_cause_that_comes_back_renews_the_alert_as_it_is_now() -> None:
    alarms, held = raised()
    alarms.consider(held, None, at(12.0))
    (event,) = alarms.consider(held, grave(2, code="permit_outside"), at(20.0))
    assert (event.event, event.alert_id, event.active, event.priority) == (
        "updated", FIRST, True, 2,
    )  # fmt: skip
    assert event.reasons[0].code == "permit_outside"


def test_a_continued_track_joins_the_alert() -> None:
    alarms, held = raised()
    alarms.end(held, at(4.0), "the track is lost")
    later = held_as("T2")
    later.alert_id = held.alert_id
    (event,) = alarms.consider(later, grave(), at(9.0))
    assert (event.alert_id, event.tracks, event.active) == (FIRST, ("T1", "T2"), True)


def test_the_end_of_a_track_ends_the_cause_and_not_the_work() -> None:
    alarms, held = raised()
    (event,) = alarms.end(held, at(4.0), "the track is lost")
    assert (event.event, event.state, event.active, event.why) == (
        "ended", "raised", False, "the track is lost",
    )  # fmt: skip
    assert alarms.end(held, at(5.0), "the track is lost") == []
    assert alarms.end(held_as("T9"), at(5.0), "the track is lost") == []
    assert step(alarms, AcknowledgeAlert(OFFICER, FIRST), 6.0).state == "acknowledged"


def test_what_is_closed_and_over_does_not_come_back() -> None:
    for closed_first in (True, False):
        alarms, held = raised()
        if closed_first:
            step(alarms, CloseAlert(OFFICER, FIRST, "seen"))
            assert alarms.consider(held, grave(), at(5.0)) == []  # closed, and goes on
        alarms.consider(held, None, at(20.0))
        if not closed_first:
            step(alarms, CloseAlert(OFFICER, FIRST, "seen"), 21.0)
        assert alarms.consider(held, grave(), at(30.0)) == []
        (event,) = alarms.consider(held, grave(), at(32.0))
        assert (event.event, event.alert_id) == ("raised", "A00002")
        old = alarms.alerts[FIRST]
        assert (old.state, old.active) == (AlertState.CLOSED, False)


def test_of_closed_and_ended_alerts_only_the_newest_are_held(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(alarm, "CLOSED_LIMIT", 3)
    alarms = Alarms(POLICY)
    for i in range(6):
        held = held_as(f"T{i}")
        alarms.consider(held, replace(grave(), after_s=0.0), at(i))
        assert held.alert_id is not None
        if i != 2:
            step(alarms, CloseAlert(OFFICER, held.alert_id, "seen"), i)
            alarms.end(held, at(i), "gone")
    assert list(alarms.alerts) == ["A00003", "A00004", "A00005", "A00006"]


# -- sensors ----------------------------------------------------------------------------------


def test_a_silent_sensor_raises_once_and_ends_when_it_works_again() -> None:
    alarms = Alarms(POLICY)
    assert alarms.sensor(RADAR, False, at(0.0)) == []
    (event,) = alarms.sensor(RADAR, True, at(1.0))
    assert (event.event, event.active, event.tracks, event.zones) == ("raised", True, (), ())
    assert event.priority == alarm.SENSOR_PRIORITY
    assert event.reasons[0].code == "sensor_silent"
    assert "radar" in event.reasons[0].words
    assert alarms.sensor(RADAR, True, at(2.0)) == []
    (ended,) = alarms.sensor(RADAR, False, at(3.0))
    assert (ended.alert_id, ended.event, ended.active) == (FIRST, "ended", False)
    assert alarms.sensor(RADAR, False, at(4.0)) == []
    (again,) = alarms.sensor(RADAR, True, at(5.0))
    assert again.alert_id == "A00002"


def test_each_sensor_has_its_own_alert() -> None:
    alarms = Alarms(POLICY)
    ids = {alarms.sensor(SensorId(name), True, at(0.0))[0].alert_id for name in ("a", "b")}
    assert len(ids) == 2
    alarms.sensor(SensorId("a"), False, at(1.0))
    assert [a.active for a in alarms.alerts.values()] == [False, True]


# -- persons ----------------------------------------------------------------------------------


def test_people_move_an_alert_on_by_name() -> None:
    alarms, _ = raised()
    seen = step(alarms, AcknowledgeAlert(OFFICER, FIRST))
    assert (seen.event, seen.state, seen.actor) == ("acknowledge", "acknowledged", OFFICER)
    handed = step(alarms, HandOverAlert(OFFICER, FIRST, "police"))
    assert (handed.event, handed.state, handed.why) == ("hand_over", "handed_over", "to police")
    closed = step(alarms, CloseAlert(OFFICER, FIRST, "landed"))
    assert (closed.event, closed.state, closed.why) == ("close", "closed", "landed")
    assert closed.active  # the cause is the sensors' matter


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (AcknowledgeAlert(OFFICER, AlertId("A9")), "there is no alert A9"),
        (UnshelveAlert(OFFICER, FIRST), "alert A00001 is raised: unshelve is not possible"),
        (ShelveAlert(OFFICER, FIRST, at(3.0), ""), "21:48:03 UTC: that is past"),
    ],
)
def test_what_cannot_be_done_is_told_and_changes_nothing(command: Any, words: str) -> None:
    alarms, _ = raised()
    before = alarms.snapshot()
    with pytest.raises(DecisionError, match=words):
        alarms.apply(command, at(3.0))
    assert alarms.snapshot() == before


def test_the_shelf_gives_an_alert_back_in_time() -> None:
    alarms, held = raised()
    shelved = step(alarms, ShelveAlert(OFFICER, FIRST, at(60.0), "known flight"))
    assert (shelved.state, shelved.why) == ("shelved", "known flight")
    assert alarms.alerts[FIRST].shelved_until_ns == at(60.0)
    assert alarms.consider(held, grave(), at(30.0)) == []
    assert alarms.advance(at(59.9)) == []
    (back,) = alarms.advance(at(60.0))
    assert (back.event, back.state, back.actor) == ("unshelve", "raised", SHELF)
    assert alarms.alerts[FIRST].shelved_until_ns is None
    assert alarms.advance(at(61.0)) == []


def test_a_person_may_take_it_from_the_shelf_earlier() -> None:
    alarms, _ = raised()
    step(alarms, ShelveAlert(OFFICER, FIRST, at(60.0), ""))
    assert step(alarms, UnshelveAlert(OFFICER, FIRST), 10.0).state == "raised"
    step(alarms, AcknowledgeAlert(OFFICER, FIRST), 11.0)
    assert alarms.advance(at(61.0)) == []


def test_what_was_closed_on_the_shelf_stays_closed() -> None:
    alarms, _ = raised()
    step(alarms, ShelveAlert(OFFICER, FIRST, at(60.0), ""))
    step(alarms, CloseAlert(OFFICER, FIRST, ""), 10.0)
    assert alarms.advance(at(61.0)) == []


# -- any order --------------------------------------------------------------------------------

moves = st.sampled_from(
    ["grave", "light", "quiet", "lost", "acknowledge", "hand_over", "shelve", "unshelve", "close"]
)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(moves, st.floats(0.1, 15.0)), max_size=40), st.integers(0, 40))
def test_any_history_goes_on_the_same_from_a_snapshot(
    history: list[tuple[str, float]], cut: int
) -> None:
    alarms, held = Alarms(POLICY), held_as()
    other, other_held = alarms, held
    second = 0.0
    for i, (move, pause_s) in enumerate(history):
        if i == cut:
            other = Alarms.restore(POLICY, alarms.snapshot())
            other_held = replace(held)
        second += pause_s
        said = [_move(alarms, held, move, second)]
        if other is not alarms:
            said.append(_move(other, other_held, move, second))
            assert said[0] == said[1]
        told = [e for e in said[0] if isinstance(e, AlertChanged)]
        assert all(alarms.alerts[e.alert_id].state.value == e.state for e in told)
        active = [a for a in alarms.alerts.values() if a.active]
        assert len(active) <= 1  # one alert for one intrusion
    assert other.snapshot() == alarms.snapshot()


def _move(alarms: Alarms, held: Held, move: str, second: float) -> list[Any]:
    if move in ("grave", "light", "quiet"):
        concern = {"grave": grave(1), "light": grave(3), "quiet": None}[move]
        return [*alarms.advance(at(second)), *alarms.consider(held, concern, at(second))]
    if move == "lost":
        return [*alarms.end(held, at(second), "lost")]
    known = held.alert_id or AlertId("A9")
    command: AlarmCommand = {
        "acknowledge": AcknowledgeAlert(OFFICER, known),
        "hand_over": HandOverAlert(OFFICER, known, "police"),
        "shelve": ShelveAlert(OFFICER, known, at(second + 20.0), ""),
        "unshelve": UnshelveAlert(OFFICER, known),
        "close": CloseAlert(OFFICER, known, ""),
    }[move]
    try:
        return list(alarms.apply(command, at(second)))
    except DecisionError as error:
        return [str(error)]


# -- when nobody looks, when too many come ------------------------------------------------


def test_what_nobody_looks_at_is_told_anew_a_few_times() -> None:
    alarms, _ = raised()
    assert alarms.due_ns() == at(32.0)
    assert alarms.advance(at(31.9)) == []
    (said,) = alarms.advance(at(32.0))
    assert isinstance(said, AlertChanged)
    assert (said.event, said.actor, said.why) == (
        "escalated", RULE, "nobody has looked at it for 30 s",
    )  # fmt: skip
    assert alarms.advance(at(61.9)) == []
    later = [alarms.advance(at(s)) for s in (62.0, 92.0, 122.0, 9_000.0)]
    assert [len(told) for told in later] == [1, 1, 0, 0]
    assert alarms.due_ns() is None


def test_whoever_looks_ends_it_and_what_comes_back_begins_anew() -> None:
    alarms, _ = raised()
    step(alarms, AcknowledgeAlert(OFFICER, FIRST))
    assert alarms.due_ns() is None
    assert alarms.advance(at(100.0)) == []
    alarms, _ = raised()
    alarms.advance(at(32.0))
    step(alarms, ShelveAlert(OFFICER, FIRST, at(1_000.0), "known"), 40.0)
    assert alarms.due_ns() == at(1_000.0)
    (back,) = alarms.advance(at(1_000.0))
    assert isinstance(back, AlertChanged)
    assert back.event == "unshelve"
    assert alarms.alerts[FIRST].escalations == 0
    assert alarms.due_ns() == at(1_030.0)


def test_less_grave_ones_wait_longer() -> None:
    for priority, wait_s in ((1, 30.0), (2, 60.0), (3, 300.0)):
        alarms, held = Alarms(POLICY), held_as()
        alarms.consider(held, replace(grave(priority), after_s=0.0), at(0.0))
        assert alarms.due_ns() == at(wait_s)


def test_a_site_may_leave_it_out() -> None:
    alarms = Alarms(replace(POLICY, escalate_after_s=()))
    alarms.consider(held_as(), replace(grave(), after_s=0.0), at(0.0))
    assert alarms.due_ns() is None
    assert alarms.advance(at(10_000.0)) == []


def test_a_flood_is_told_once_and_when_it_is_over() -> None:
    alarms = Alarms(POLICY)
    told: list[Any] = []
    for n in range(15):
        told += alarms.consider(held_as(f"T{n}"), replace(grave(), after_s=0.0), at(float(n)))
    floods = [e for e in told if isinstance(e, FloodChanged)]
    assert [(e.at_ns, e.flood, e.raised) for e in floods] == [(at(10.0), True, 11)]
    alarms = Alarms.restore(POLICY, alarms.snapshot())
    assert alarms.rate.flood
    over = [e for e in alarms.advance(at(611.0)) if isinstance(e, FloodChanged)]
    assert [(e.flood, e.raised) for e in over] == [(False, 3)]


# -- a test of the alarm ------------------------------------------------------------------


def test_a_test_is_over_once_a_person_has_answered_and_counts_for_nothing() -> None:
    alarms = Alarms(POLICY)
    said = step(alarms, RaiseTestAlert(OFFICER, "Monday"))
    assert (said.event, said.state, said.priority) == ("test_raised", "raised", 1)
    assert said.reasons[0].code == "test_alarm"
    assert alarms.alerts[said.alert_id].test
    assert list(alarms.rate.raised_ns) == []
    with pytest.raises(DecisionError, match="under way, as A00001"):
        alarms.apply(RaiseTestAlert(OFFICER, "Monday"), at(4.0))
    answered, over = alarms.apply(AcknowledgeAlert(OFFICER, said.alert_id), at(5.0))
    assert (answered.event, answered.actor) == ("acknowledge", OFFICER)
    assert (over.event, over.state, over.active, over.actor) == ("close", "closed", False, RULE)
    assert OFFICER.name in over.why
    assert step(alarms, RaiseTestAlert(OFFICER, "Monday"), 6.0).alert_id == "A00002"


@pytest.mark.parametrize(
    "command",
    [
        HandOverAlert(OFFICER, FIRST, "police"),
        ShelveAlert(OFFICER, FIRST, at(100.0), "later"),
    ],
)
def test_a_test_is_nobodys_to_respond_to(command: AlarmCommand) -> None:
    alarms = Alarms(POLICY)
    step(alarms, RaiseTestAlert(OFFICER, "Monday"))
    before = alarms.snapshot()
    with pytest.raises(DecisionError, match="is a test"):
        alarms.apply(command, at(4.0))
    assert alarms.snapshot() == before


def test_a_test_that_nobody_answers_is_told_anew() -> None:
    alarms = Alarms(POLICY)
    step(alarms, RaiseTestAlert(OFFICER, "Monday"))
    due_ns = alarms.due_ns()
    assert due_ns == at(3.0 + POLICY.escalate_after_s[0])
    (told,) = alarms.advance(due_ns)
    assert isinstance(told, AlertChanged)
    assert told.event == "escalated"


def test_a_test_goes_to_no_recipient_and_into_no_warning() -> None:
    site = engine(zone_named())
    police = Recipient("police", "police", ("tak",), automatic=(1, 2, 3))
    site.apply(SetRecipients(OFFICER, (police,)), at(1.0))
    site.apply(SetDrafting(OFFICER, True), at(1.0))
    (said,) = site.apply(RaiseTestAlert(OFFICER, "Monday"), at(3.0))
    assert isinstance(said, AlertChanged)
    assert site.handovers.handovers == {}
    assert site.warnings.warnings == {}
