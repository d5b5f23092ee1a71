"""The promise of a hand-over: reminded, escalated, answered, taken back, and the same after a
restart."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from skykeep.codec import wire
from skykeep.core.alert import Alert, AlertState, HandOverAlert
from skykeep.core.event import Actor, AlertChanged, Event, HandoverChanged, Permission
from skykeep.core.handover import (
    HANDOVER_TRANSITIONS,
    AcknowledgeHandover,
    Handover,
    HandoverEvent,
    HandoverState,
    Instruct,
    Instruction,
    Recipient,
    ReportSending,
    SetExercise,
    SetRecipients,
    WithdrawHandover,
    may_have,
    transition,
)
from skykeep.core.handover_book import OPEN_BY_RULE, OVER_LIMIT, RULE, HandoverBook
from skykeep.errors import DecisionError
from skykeep.units import AlertId, ZoneId
from tests.sky import OFFICER, at

PATROL = Actor("B. Patrol", "recipient")
POLICE = Recipient(
    "police", "responder", ("tak", "email"), answer_within_s=120.0, remind_s=30.0,
    escalate_to="duty officer",
)  # fmt: skip
DUTY = Recipient("duty officer", "responder", ("email",), answer_within_s=60.0)
S = HandoverState


def alert(number: int = 1, **changes: Any) -> Alert:
    plain = Alert(
        AlertId(f"A{number:05d}"), AlertState.RAISED, True, 1, (), (ZoneId("Z1"),),
        Permission.NOT_PERMITTED, (), at(0.0),
    )  # fmt: skip
    return replace(plain, **changes)


def book_of(*recipients: Recipient) -> HandoverBook:
    book = HandoverBook()
    book.apply(SetRecipients(OFFICER, recipients or (POLICE, DUTY)), None, at(0.0))
    return book


def handed(book: HandoverBook, to: str = "police", about: Alert | None = None) -> Handover:
    about = about or alert()
    recipient = book.admit(HandOverAlert(OFFICER, about.alert_id, to), about)
    assert recipient is not None
    (said,) = book.hand_over(recipient, about, OFFICER, "by the moat", at(1.0))
    assert isinstance(said, HandoverChanged)
    return book.handovers[said.handover_id]


def raised(book: HandoverBook, about: Alert, event: str = "raised", why: str = "") -> list[Event]:
    said = AlertChanged(
        at(1.0), about.alert_id, event, about.state, True, about.priority, (), about.zones,
        about.permission, (), OFFICER, why,
    )  # fmt: skip
    return book.follow([said], at(1.0))


def sent(book: HandoverBook, handover_id: str, channel: str, taken: bool = True) -> list[Event]:
    known = book.handovers[handover_id]
    command = ReportSending(OFFICER, handover_id, known.revision, channel, taken, "no")
    return book.apply(command, None, at(2.0))


def states(book: HandoverBook) -> dict[str, tuple[str, str]]:
    return {h.handover_id: (h.recipient, h.state.value) for h in book.handovers.values()}


def test_every_state_but_the_last_can_be_left_and_a_late_answer_is_an_answer() -> None:
    for state in set(S) - {S.WITHDRAWN}:
        assert HANDOVER_TRANSITIONS[state, HandoverEvent.WITHDRAW] is S.WITHDRAWN
    for state in (S.WAITING, S.TAKEN, S.ESCALATED, S.UNANSWERED):
        assert HANDOVER_TRANSITIONS[state, HandoverEvent.ACKNOWLEDGE] is S.ACKNOWLEDGED
    reached = {S.WAITING, *HANDOVER_TRANSITIONS.values()}
    assert reached == set(S)
    with pytest.raises(DecisionError, match="acknowledge is not possible"):
        transition(replace(handed(book_of()), state=S.WITHDRAWN), HandoverEvent.ACKNOWLEDGE)


def test_each_channel_takes_it_once() -> None:
    book = book_of()
    one = handed(book)
    assert (one.state, one.waiting, one.revision) == (S.WAITING, ("tak", "email"), 1)
    sent(book, one.handover_id, "email")
    one = book.handovers[one.handover_id]
    assert (one.state, one.waiting, one.taken) == (S.TAKEN, ("tak",), ("email",))
    with pytest.raises(DecisionError, match="does not wait for 'email'"):
        sent(book, one.handover_id, "email")
    wrong = ReportSending(OFFICER, one.handover_id, 2, "tak", True, "")
    with pytest.raises(DecisionError):
        book.apply(wrong, None, at(2.0))


def test_who_does_not_answer_is_reminded_under_the_same_id_then_the_next_is_asked() -> None:
    book = book_of()
    one = handed(book)
    sent(book, one.handover_id, "tak")
    assert book.advance(at(30.9)) == ([], [])
    (said,), _ = book.advance(at(31.0))
    assert isinstance(said, HandoverChanged)
    assert (said.event, said.handover_id, said.revision) == ("remind", "H00001", 1)
    assert set(book.handovers["H00001"].waiting) == {"tak", "email"}
    assert book.advance(at(120.9)) == ([], [])
    told, unanswered = book.advance(at(121.0))
    assert [e.event for e in told if isinstance(e, HandoverChanged)] == ["escalate", "hand_over"]
    assert unanswered == []
    assert states(book) == {
        "H00001": ("police", "escalated"), "H00002": ("duty officer", "waiting"),
    }  # fmt: skip
    after = book.handovers["H00002"]
    assert (after.escalated_from, after.by, after.note) == ("H00001", OFFICER, "by the moat")
    told, unanswered = book.advance(at(181.0))
    assert unanswered == ["A00001"]
    assert states(book)["H00002"] == ("duty officer", "unanswered")
    assert book.advance(at(9_999.0)) == ([], [])
    book.apply(AcknowledgeHandover(PATROL, "H00001", "late"), None, at(300.0))
    assert states(book)["H00001"] == ("police", "acknowledged")


def test_who_answers_is_left_in_peace() -> None:
    book = book_of()
    one = handed(book)
    sent(book, one.handover_id, "tak")
    book.apply(AcknowledgeHandover(PATROL, one.handover_id, "on our way"), None, at(20.0))
    one = book.handovers[one.handover_id]
    assert (one.state, one.waiting, one.answered_by) == (S.ACKNOWLEDGED, (), PATROL)
    assert (one.answered_ns, one.why) == (at(20.0), "on our way")
    assert book.advance(at(9_999.0)) == ([], [])
    with pytest.raises(DecisionError, match="is acknowledged"):
        book.apply(AcknowledgeHandover(PATROL, one.handover_id), None, at(21.0))
    with pytest.raises(DecisionError, match="named person"):
        book.apply(AcknowledgeHandover(Actor(" ", "x"), one.handover_id), None, at(21.0))


def test_a_circle_of_recipients_asks_nobody_twice() -> None:
    book = book_of(POLICE, replace(DUTY, escalate_to="police"))
    handed(book)
    book.advance(at(121.0))
    _, unanswered = book.advance(at(400.0))
    assert unanswered == ["A00001"]
    assert len(book.handovers) == 2


def test_where_no_channel_takes_it_the_next_is_asked_at_once() -> None:
    book = book_of()
    one = handed(book)
    assert [e.event for e in sent(book, one.handover_id, "tak", False)  # type: ignore[union-attr]
            ] == ["fail"]  # fmt: skip
    said = sent(book, one.handover_id, "email", False)
    assert [e.event for e in said] == ["fail", "escalate", "hand_over"]  # type: ignore[union-attr]
    assert book.handovers["H00001"].failed == ("tak", "email")


def test_what_is_taken_back_is_told_to_whoever_may_have_heard_it() -> None:
    book = book_of()
    one = handed(book)
    sent(book, one.handover_id, "tak")
    with pytest.raises(DecisionError, match="reason"):
        book.apply(WithdrawHandover(OFFICER, one.handover_id, " "), None, at(3.0))
    book.apply(WithdrawHandover(OFFICER, one.handover_id, "a kite"), None, at(3.0))
    one = book.handovers[one.handover_id]
    assert (one.state, one.revision, one.why) == (S.WITHDRAWN, 2, "a kite")
    assert one.waiting == ("tak", "email")
    sent(book, one.handover_id, "tak")
    assert book.handovers[one.handover_id].state is S.WITHDRAWN


def test_closing_the_alert_ends_its_hand_overs_and_no_others() -> None:
    book = book_of()
    handed(book)
    handed(book, "duty officer", alert(2))
    raised(book, alert(1, state=AlertState.CLOSED), "close", "it left")
    assert states(book) == {
        "H00001": ("police", "withdrawn"), "H00002": ("duty officer", "waiting"),
    }  # fmt: skip
    assert book.handovers["H00001"].why == "the alert was closed: it left"


def test_a_rule_hands_over_its_priorities_and_zones_once() -> None:
    rule = replace(POLICE, automatic=(1,), priorities=(1, 2), zones=(ZoneId("Z1"),))
    book = book_of(rule, DUTY)
    assert raised(book, alert(1, priority=2)) == []
    assert raised(book, alert(1, zones=(ZoneId("Z2"),))) == []
    (said,) = raised(book, alert(1))
    assert isinstance(said, HandoverChanged)
    assert (said.recipient, said.actor) == ("police", RULE)
    assert raised(book, alert(1), "updated") == []
    assert len(raised(book, alert(2), "updated")) == 1  # it became graver


def test_invented_drones_do_not_drown_a_recipient() -> None:
    book = book_of(replace(POLICE, automatic=(1,)))
    for number in range(OPEN_BY_RULE + 3):
        raised(book, alert(number))
    assert len(book.handovers) == OPEN_BY_RULE
    assert book.shed == {"police": 3}
    handed(book, about=alert(999))  # what a person hands over still goes
    assert HandoverBook.restore(book.snapshot()).shed == {"police": 3}


def test_a_recipient_is_handed_only_what_is_for_it() -> None:
    narrow = replace(POLICE, zones=(ZoneId("Z2"),))
    assert not may_have(narrow, 1, (ZoneId("Z1"),))
    assert may_have(narrow, 1, (ZoneId("Z1"), ZoneId("Z2")))
    assert not may_have(narrow, 1, ())
    book = book_of(narrow)
    with pytest.raises(DecisionError, match="no recipient of alert A00001"):
        handed(book)
    book = book_of(replace(POLICE, priorities=(1,)))
    with pytest.raises(DecisionError):
        handed(book, about=alert(1, priority=2))
    handed(book)
    with pytest.raises(DecisionError, match="already, as H00001"):
        handed(book)
    assert book.admit(HandOverAlert(OFFICER, AlertId("A00001"), "patrol 4"), alert()) is None


def test_the_newest_instruction_replaces_the_one_before() -> None:
    book = book_of()
    book.apply(Instruct(OFFICER, "duty officer", Instruction.TAKE_COVER), None, at(1.0))
    book.apply(Instruct(OFFICER, "duty officer", Instruction.ALL_CLEAR), None, at(2.0))
    assert states(book) == {
        "H00001": ("duty officer", "withdrawn"), "H00002": ("duty officer", "waiting"),
    }  # fmt: skip
    assert book.handovers["H00002"].instruction is Instruction.ALL_CLEAR
    _, unanswered = book.advance(at(500.0))
    assert unanswered == []  # it belongs to no alert
    assert states(book)["H00002"] == ("duty officer", "unanswered")
    with pytest.raises(DecisionError, match="no recipient 'x'"):
        book.apply(Instruct(OFFICER, "x", Instruction.ALL_CLEAR), None, at(2.0))
    wrong = Instruct(OFFICER, "police", Instruction.ALL_CLEAR, AlertId("A9"))
    with pytest.raises(DecisionError, match="no alert A9"):
        book.apply(wrong, None, at(2.0))


def test_an_exercise_marks_what_begins_in_it_and_ends_by_itself() -> None:
    book = book_of()
    with pytest.raises(DecisionError, match="12 hours"):
        book.apply(SetExercise(OFFICER, at(43_300.0), "x"), None, at(0.0))
    with pytest.raises(DecisionError, match="reason"):
        book.apply(SetExercise(OFFICER, at(60.0), ""), None, at(0.0))
    book.apply(SetExercise(OFFICER, at(60.0), "yearly"), None, at(0.0))
    assert handed(book).exercise
    book.advance(at(121.0))
    assert book.handovers["H00002"].exercise  # what follows from it is one too
    assert not book.in_exercise(at(60.0))
    later = book.admit(HandOverAlert(OFFICER, AlertId("A00002"), "police"), alert(2))
    assert later is not None
    book.hand_over(later, alert(2), OFFICER, "", at(130.0))
    assert not book.handovers["H00003"].exercise


def test_a_book_that_was_written_down_goes_on_as_it_would_have() -> None:
    book = book_of()
    one = handed(book)
    sent(book, one.handover_id, "tak")
    again = HandoverBook.restore(wire.decode(wire.encode(book.snapshot())))
    assert again.advance(at(121.0)) == book.advance(at(121.0))
    assert again == book


def test_what_is_over_is_forgotten_in_the_end_and_what_is_open_never() -> None:
    book = book_of(replace(DUTY, name="police"))
    for number in range(OVER_LIMIT + 5):
        one = handed(book, about=alert(number))
        book.apply(AcknowledgeHandover(PATROL, one.handover_id), None, at(2.0))
    first = handed(book, about=alert(99_999))
    assert len(book.handovers) == OVER_LIMIT + 1
    assert first.handover_id in book.handovers
    assert "H00001" not in book.handovers
