"""Incidents: what was reported, what was detected and what was concluded stay apart."""

from __future__ import annotations

from typing import Any

import pytest

from skykeep.core import casebook as room
from skykeep.core.casebook import (
    EVIDENCE_NEEDED,
    INCIDENT_TRANSITIONS,
    REPORT_WITHIN_NS,
    Assess,
    Casebook,
    Conclusion,
    FileReport,
    FoundPart,
    Incident,
    IncidentState,
    IncidentStep,
    MoveIncident,
    OpenIncident,
)
from skykeep.core.event import (
    Actor,
    AlertChanged,
    Event,
    Permission,
    ReportKept,
    SensorChanged,
    Strength,
    TrackContinued,
    TrackEnded,
    TrackStarted,
    VerdictChanged,
)
from skykeep.errors import DecisionError
from skykeep.units import (
    NS_PER_S,
    AlertId,
    BatchId,
    IncidentId,
    SensorId,
    TrackId,
    ZoneId,
)
from tests.sky import OFFICER, at

FIRST = IncidentId("I0001")
COLLEAGUE = Actor("B. Klein", "analyst")
A1, A2 = AlertId("A1"), AlertId("A2")


def alerted(second: float, alert: str = A1, *tracks: str, event: str = "raised") -> AlertChanged:
    names = tuple(TrackId(t) for t in (tracks or ("T1",)))
    return AlertChanged(
        at(second), AlertId(alert), event, "raised", True, 1, names, (ZoneId("Z1"),),
        Permission.NOT_PERMITTED, (), OFFICER, "",
    )  # fmt: skip


def seen(second: float, words: str = "a light") -> ReportKept:
    return ReportKept(at(second), BatchId("b"), 0, SensorId("guard"), at(second), None, words)


def started(second: float, track: str = "T1") -> TrackStarted:
    return TrackStarted(at(second), TrackId(track), at(second), "measured")


def ended(second: float, track: str = "T1") -> TrackEnded:
    return TrackEnded(at(second), TrackId(track), at(second))


def continued(second: float, track: str, earlier: str) -> TrackContinued:
    return TrackContinued(at(second), TrackId(track), TrackId(earlier), 4.0, "course")


def judged(second: float, track: str = "T1") -> VerdictChanged:
    return VerdictChanged(
        at(second), TrackId(track), ZoneId("Z1"), "inside", Permission.NOT_PERMITTED, (),
        Strength.NONE, None, 0.0,
    )  # fmt: skip


def opened(*events: Event, alerts: tuple[AlertId, ...] = (A1,)) -> tuple[Casebook, Incident]:
    book = Casebook()
    book.receive(events or [alerted(10.0)])
    return book, book.apply(OpenIncident(OFFICER, "at the citadel", alerts), at(100.0)).incident


def now(book: Casebook) -> Incident:
    return book.incidents[FIRST]


def file_report(book: Casebook, second: float = 200.0) -> None:
    parts = (FoundPart(49.6, 6.1, "a rotor"),)
    book.apply(
        FileReport(OFFICER, FIRST, "two parts on the roof", parts, "none", "none"), at(second)
    )


def assess(conclusion: Conclusion, *evidence: str, actor: Actor = OFFICER) -> Assess:
    return Assess(actor, FIRST, conclusion, "words", evidence)


# -- opening ----------------------------------------------------------------------------------


def test_an_incident_gathers_its_alerts_tracks_and_history() -> None:
    events = [started(1.0), judged(5.0), started(6.0, "T9"), alerted(10.0), judged(12.0, "T9")]
    _, incident = opened(*events)
    assert (incident.incident_id, incident.state, incident.opened_ns) == (
        FIRST, IncidentState.OPEN, at(100.0),
    )  # fmt: skip
    assert (incident.opened_by, incident.alerts, incident.tracks) == (OFFICER, (A1,), ("T1",))
    assert incident.history == (events[0], events[1], events[3])


def test_it_grows_with_what_is_said_later() -> None:
    book, _ = opened()
    later = [judged(101.0), alerted(102.0, A1, "T1", "T2", event="updated"), ended(103.0, "T2"),
             continued(104.0, "T3", "T2"), ended(105.0, "T3"), ended(106.0, "T8")]  # fmt: skip
    book.receive(later)
    assert now(book).tracks == ("T1", "T2", "T3")
    assert now(book).history == (alerted(10.0), *later[:-1])


def test_what_had_been_said_of_a_track_found_to_be_continued_is_in_it() -> None:
    events = [started(1.0, "T0"), ended(3.0, "T0"), started(5.0), continued(6.0, "T1", "T0"),
              alerted(10.0)]  # fmt: skip
    _, incident = opened(*events)
    assert incident.tracks == ("T1", "T0")
    assert incident.history == tuple(events)


def test_opening_needs_alerts_that_are_known() -> None:
    book = Casebook()
    book.receive([alerted(10.0)])
    for alerts, words in (((), "none given"), ((A1, A2), "A2")):
        with pytest.raises(DecisionError, match=words):
            book.apply(OpenIncident(OFFICER, "x", alerts), at(100.0))
    assert (book.incidents, book.next_number) == ({}, 1)
    book.apply(OpenIncident(OFFICER, "x", (A1,)), at(100.0))
    book.apply(OpenIncident(OFFICER, "y", (A1,)), at(101.0))
    assert list(book.incidents) == ["I0001", "I0002"]


def test_what_concerns_no_case_is_not_kept() -> None:
    book = Casebook()
    book.receive([SensorChanged(at(1.0), SensorId("radar"), "working"), started(1.0)])
    assert book.pending == [started(1.0)]


# -- reports of people ------------------------------------------------------------------------

WINDOW_S = REPORT_WITHIN_NS / NS_PER_S


@pytest.mark.parametrize(
    ("second", "belongs"),
    [(-WINDOW_S, True), (-WINDOW_S - 1, False), (WINDOW_S, True), (WINDOW_S + 1, False)],
)
@pytest.mark.parametrize("late", [False, True])
def test_a_report_belongs_to_an_incident_near_in_time(
    second: float, belongs: bool, late: bool
) -> None:
    report = seen(2_000.0 + second)
    events: list[Event] = [alerted(2_000.0)]
    if not late:
        events.insert(0 if second < 0 else 1, report)
    book, _ = opened(*events)
    if late:
        book.receive([report])
    assert now(book).sightings == ((report,) if belongs else ())
    assert report not in now(book).history  # reported is not detected


# -- lifecycle --------------------------------------------------------------------------------


def test_every_state_and_step_is_in_the_table() -> None:
    assert {s for s, _ in INCIDENT_TRANSITIONS} == set(IncidentState)
    assert {e for _, e in INCIDENT_TRANSITIONS} == set(IncidentStep)
    assert set(INCIDENT_TRANSITIONS.values()) == set(IncidentState)


def move(step: IncidentStep) -> MoveIncident:
    return MoveIncident(COLLEAGUE, FIRST, step, "why")


def test_a_closed_incident_takes_nothing_until_it_is_reopened() -> None:
    book, _ = opened()
    changed = book.apply(move(IncidentStep.CLOSE), at(150.0))
    assert (changed.incident.state, changed.done, changed.actor, changed.at_ns) == (
        IncidentState.CLOSED, "close", COLLEAGUE, at(150.0),
    )  # fmt: skip
    before = now(book)
    book.receive([judged(151.0), seen(151.0)])
    for command in (
        assess(Conclusion.UNVERIFIED),
        FileReport(OFFICER, FIRST, "", (), "", ""),
        move(IncidentStep.CLOSE),
    ):
        with pytest.raises(DecisionError, match="closed"):
            book.apply(command, at(160.0))
    assert now(book) == before
    assert book.apply(move(IncidentStep.REOPEN), at(170.0)).incident.state is IncidentState.OPEN
    with pytest.raises(DecisionError, match="is open: it cannot reopen"):
        book.apply(move(IncidentStep.REOPEN), at(170.0))


@pytest.mark.parametrize(
    "command",
    [
        FileReport(OFFICER, IncidentId("I9"), "", (), "", ""),
        Assess(OFFICER, IncidentId("I9"), Conclusion.UNVERIFIED, "", ()),
        MoveIncident(OFFICER, IncidentId("I9"), IncidentStep.CLOSE, ""),
    ],
)
def test_an_unknown_incident_is_told(command: Any) -> None:
    book, _ = opened()
    with pytest.raises(DecisionError, match="there is no incident I9"):
        book.apply(command, at(100.0))


# -- reports of responders and assessments ----------------------------------------------------


def test_a_responders_report_is_filed_beside_the_history() -> None:
    book, before = opened()
    file_report(book)
    (report,) = now(book).reports
    assert (report.at_ns, report.author, report.injuries) == (at(200.0), OFFICER, "none")
    assert report.parts[0].words == "a rotor"
    assert now(book).history == before.history
    assert now(book).assessments == ()


@pytest.mark.parametrize("conclusion", list(Conclusion))
def test_a_conclusion_needs_its_evidence(conclusion: Conclusion) -> None:
    book, _ = opened(alerted(10.0), seen(11.0))
    file_report(book)
    evidence = ("A1", "T1", "report 1", "sighting 1")
    needed = EVIDENCE_NEEDED[conclusion]
    if needed:
        with pytest.raises(DecisionError, match=f"{conclusion} needs {needed} pieces"):
            book.apply(assess(conclusion, *["A1"] * (needed - 1)), at(300.0))
        if needed > 1:
            with pytest.raises(DecisionError, match="1 given"):
                book.apply(assess(conclusion, *["A1"] * needed), at(300.0))  # one, said twice
    assert now(book).assessments == ()
    changed = book.apply(assess(conclusion, *evidence[:needed]), at(300.0))
    (own,) = changed.incident.assessments
    assert (own.conclusion, own.evidence, own.author, own.at_ns) == (
        conclusion, evidence[:needed], OFFICER, at(300.0),
    )  # fmt: skip


def test_confirming_needs_more_than_one_and_doubt_needs_none() -> None:
    assert EVIDENCE_NEEDED[Conclusion.CONFIRMED] > EVIDENCE_NEEDED[Conclusion.CORROBORATED] > 0
    assert EVIDENCE_NEEDED[Conclusion.UNVERIFIED] == 0
    assert EVIDENCE_NEEDED[Conclusion.CLOSED_UNDETERMINED] == 0


@pytest.mark.parametrize("strange", ["A9", "T9", "report 1", "report 0", "sighting 2", ""])
def test_evidence_must_be_of_the_incident(strange: str) -> None:
    book, _ = opened(alerted(10.0), seen(11.0))
    with pytest.raises(DecisionError, match=f"not in incident I0001: {strange}"):
        book.apply(assess(Conclusion.UNVERIFIED, "A1", "sighting 1", strange), at(300.0))


def test_assessments_that_disagree_stand_beside_each_other() -> None:
    book, _ = opened()
    book.apply(assess(Conclusion.CONFIRMED, "A1", "T1"), at(300.0))
    book.apply(assess(Conclusion.IDENTIFIED_AS_OTHER, "T1", actor=COLLEAGUE), at(301.0))
    book.apply(assess(Conclusion.UNVERIFIED), at(302.0))
    told = [(a.author, a.conclusion) for a in now(book).assessments]
    assert told == [
        (OFFICER, Conclusion.CONFIRMED),
        (COLLEAGUE, Conclusion.IDENTIFIED_AS_OTHER),
        (OFFICER, Conclusion.UNVERIFIED),
    ]
    assert now(book).state is IncidentState.OPEN


# -- bounds -----------------------------------------------------------------------------------


def test_the_history_that_belongs_to_nothing_is_bounded_and_counted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(room, "PENDING_LIMIT", 5)
    book, _ = opened()
    book.receive([judged(s, "T9") for s in range(20, 24)])
    assert (len(book.pending), book.dropped) == (5, 0)
    book.receive([judged(s, "T9") for s in range(24, 27)])
    assert book.pending == [judged(s, "T9") for s in range(22, 27)]
    assert book.dropped == 3
    assert now(book).history == (alerted(10.0),)  # what is in a case is not dropped
