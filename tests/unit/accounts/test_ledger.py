"""Who may do what to a row, what a row must have, and a file that tells when it was changed."""

from __future__ import annotations

import itertools
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from skykeep.accounts.book import Book
from skykeep.accounts.ledger import (
    EnterProposition,
    EnterRow,
    GradeRow,
    KeepFinding,
    Ledger,
    LinkRows,
    StepRow,
)
from skykeep.accounts.statement import (
    ROW_TRANSITIONS,
    RowState,
    RowStep,
    Speaker,
    SpeakerKind,
    Stance,
    Statement,
    check,
    following,
)
from skykeep.core.event import Actor
from skykeep.core.proposition import Finding, Outcome, Place, Predicate, Proposition
from skykeep.errors import DecisionError, InputError, RecordError

CLERK, OTHER = Actor("Ana", "statements_clerk"), Actor("Ben", "statements_clerk")
RELEASER = Actor("Cleo", "release_officer")
MINISTER = Speaker(SpeakerKind.OFFICE_HOLDER, "Paul Reding", "interior minister", "Government")
SAID = Statement(MINISTER, "Northline", "There were three.", "en", Stance.ASSERTS, 5,
                 propositions=("P1",))  # fmt: skip
P1 = Proposition("P1", "Three were there", Predicate.PRESENT, Place(49.6, 6.1, 50.0), 0, 9)
FOUND = Finding("P1", Outcome.SUPPORTED, None, "agrees")


def begun() -> Ledger:
    ledger = Ledger()
    ledger.apply(EnterProposition(P1), CLERK, 1)
    assert ledger.apply(EnterRow(SAID), CLERK, 2) == "S00001"
    return ledger


def step(ledger: Ledger, what: RowStep, who: Actor = CLERK, words: str = "") -> None:
    ledger.apply(StepRow("S00001", what, words), who, 3)


def test_a_row_is_published_by_a_second_person_with_a_reply_and_a_finding() -> None:
    ledger = begun()
    step(ledger, RowStep.CONFIRM)
    with pytest.raises(DecisionError, match="no reply is filed"):
        step(ledger, RowStep.RELEASE, RELEASER)
    step(ledger, RowStep.REPLY, words="We stand by it.")
    with pytest.raises(DecisionError, match="has no finding"):
        step(ledger, RowStep.RELEASE, RELEASER)
    ledger.apply(KeepFinding(FOUND, "00"), CLERK, 3)
    with pytest.raises(DecisionError, match="for the role release_officer"):
        step(ledger, RowStep.RELEASE)
    with pytest.raises(DecisionError, match="somebody else must release"):
        step(ledger, RowStep.RELEASE, replace(RELEASER, name="Ana"))
    assert ledger.row("S00001").state is RowState.CONFIRMED
    step(ledger, RowStep.RELEASE, RELEASER)
    row = ledger.row("S00001")
    assert (row.state, row.released_by, row.released_ns) == (RowState.PUBLISHED, "Cleo", 3)
    with pytest.raises(InputError, match="why the row is withdrawn"):
        step(ledger, RowStep.WITHDRAW, RELEASER)
    step(ledger, RowStep.WITHDRAW, RELEASER, "said by somebody else")
    assert ledger.row("S00001").state is RowState.WITHDRAWN


def test_a_correction_keeps_what_the_row_said_before() -> None:
    ledger = begun()
    better = replace(SAID, words="There were two.")
    ledger.apply(StepRow("S00001", RowStep.CORRECT, "a slip", better), CLERK, 3)
    assert ledger.row("S00001").corrections == ()  # nobody had read the draft
    step(ledger, RowStep.CONFIRM)
    ledger.apply(StepRow("S00001", RowStep.CORRECT, "heard again", SAID), OTHER, 4)
    (made,) = ledger.row("S00001").corrections
    assert (made.by, made.why, made.before.words) == ("Ben", "heard again", "There were two.")
    with pytest.raises(InputError, match="the new row or the reason"):
        ledger.apply(StepRow("S00001", RowStep.CORRECT, "", SAID), CLERK, 5)


@pytest.mark.parametrize(("state", "event"), list(itertools.product(RowState, RowStep)))
def test_steps_are_those_of_the_table(state: RowState, event: RowStep) -> None:
    if (state, event) in ROW_TRANSITIONS:
        assert following(state, event) is ROW_TRANSITIONS[state, event]
    else:
        with pytest.raises(DecisionError, match="is not possible"):
            following(state, event)


def test_nothing_is_published_but_by_release() -> None:
    into = {step for (_, step), state in ROW_TRANSITIONS.items() if state is RowState.PUBLISHED}
    assert into - {RowStep.CORRECT, RowStep.REPLY} == {RowStep.RELEASE}
    assert {s for (s, e) in ROW_TRANSITIONS if e is RowStep.RELEASE} == {RowState.CONFIRMED}


@pytest.mark.parametrize("role", ["resident", "eyewitness", "a passenger", "Anwohnerin", "reader"])
def test_private_persons_never_become_rows(role: str) -> None:
    for kind in (SpeakerKind.OFFICE_HOLDER, SpeakerKind.PROFESSIONAL):
        private = replace(SAID, speaker=Speaker(kind, "Wendy Holt", role, "nobody"))
        with pytest.raises(InputError) as refused:
            Ledger().apply(EnterRow(private), CLERK, 1)
        assert refused.value.where == "statement.speaker.role"
    assert {str(k) for k in SpeakerKind} == {"organisation", "office_holder", "professional"}


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"speaker": replace(MINISTER, role="")}, "speaker.role"),
        ({"speaker": replace(MINISTER, name=" ")}, "speaker.name"),
        ({"speaker": replace(MINISTER, organisation="")}, "speaker.organisation"),
        ({"words": " "}, "words"),
        ({"words": "x" * 5_001}, "words"),
        ({"reported_by": ""}, "reported_by"),
    ],
)
def test_what_a_row_must_have(change: dict[str, object], where: str) -> None:
    with pytest.raises(InputError) as refused:
        check(replace(SAID, **change))
    assert refused.value.where == f"statement.{where}"


def test_a_finding_goes_when_its_proposition_changes() -> None:
    ledger = begun()
    ledger.apply(KeepFinding(FOUND, "00"), CLERK, 3)
    ledger.apply(EnterProposition(P1), CLERK, 4)
    assert ledger.finding_of("P1") is Outcome.SUPPORTED
    ledger.apply(EnterProposition(replace(P1, to_ns=10)), CLERK, 5)
    assert ledger.finding_of("P1") is None
    with pytest.raises(DecisionError, match="no proposition P9"):
        ledger.apply(KeepFinding(replace(FOUND, proposition_id="P9"), "00"), CLERK, 6)


def test_nobody_supersedes_what_another_said() -> None:
    ledger = begun()
    taken_back = replace(SAID, stance=Stance.WITHDRAWS, supersedes="S00001")
    ledger.apply(EnterRow(taken_back), CLERK, 3)
    other = replace(taken_back, speaker=replace(MINISTER, name="Greta Moll"))
    with pytest.raises(DecisionError, match="another speaker"):
        ledger.apply(EnterRow(other), CLERK, 4)


def test_grades_are_entered_by_people() -> None:
    ledger = begun()
    assert ledger.row("S00001").statement.grading is None
    ledger.apply(GradeRow("S00001", "B", "2"), CLERK, 3)
    grading = ledger.row("S00001").statement.grading
    assert grading is not None
    assert (grading.source, grading.information, grading.by) == ("B", "2", "Ana")
    for source, information in (("G", "2"), ("B", "7"), ("AB", "1"), ("", "1")):
        with pytest.raises(InputError):
            ledger.apply(GradeRow("S00001", source, information), CLERK, 4)


def test_copies_count_with_what_they_copy() -> None:
    ledger = begun()
    for _ in range(3):
        ledger.apply(EnterRow(SAID), CLERK, 3)
    four = ledger.origins("P1")
    assert (four.rows, four.origins, four.unlinked) == (4, 4, 4)
    assert four.words().endswith("independence not established")
    ledger.apply(LinkRows("S00002", "S00001", True), CLERK, 4)
    ledger.apply(LinkRows("S00003", "S00002", True), CLERK, 4)
    ledger.apply(LinkRows("S00004", "S00001", False), CLERK, 4)
    counted = ledger.origins("P1")
    assert (counted.rows, counted.origins, counted.unlinked) == (4, 2, 1)
    assert ledger.origins("P1", Stance.DENIES).rows == 0


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    path = tmp_path / "ledger.sqlite"
    book = Book(path, new=True)
    book.do(EnterProposition(P1), CLERK, 1)
    book.do(EnterRow(SAID), CLERK, 2)
    book.do(StepRow("S00001", RowStep.CONFIRM), CLERK, 3)
    book.do(KeepFinding(FOUND, "00"), CLERK, 4)
    book.close()
    return path


def test_a_file_opens_as_it_was_left(kept: Path) -> None:
    assert kept.stat().st_mode & 0o777 == 0o600
    book = Book(kept)
    row = book.ledger.row("S00001")
    assert (row.statement, row.state, row.confirmed_by) == (SAID, RowState.CONFIRMED, "Ana")
    assert book.ledger.propositions == {"P1": P1}
    assert [(d.number, d.actor.name) for d in book.acts()] == [(k, "Ana") for k in range(1, 5)]
    head = book.head()
    with pytest.raises(DecisionError):
        book.do(StepRow("S00001", RowStep.CONFIRM), CLERK, 5)
    assert book.head() == head
    book.close()
    again = Book(kept)
    assert again.head() == head
    again.close()


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE acts SET said = replace(said, 'three', 'seven') WHERE number = 2",
        "UPDATE acts SET said = CAST(replace(said, 'Ana', 'Eva') AS BLOB) WHERE number = 3",
        "DELETE FROM acts WHERE number = 2",
        "UPDATE acts SET number = 9 WHERE number = 4",
        "UPDATE acts SET chain = zeroblob(32) WHERE number = 4",
    ],
)
def test_a_file_that_was_altered_is_refused(kept: Path, change: str) -> None:
    with sqlite3.connect(kept) as file:
        file.execute("PRAGMA ignore_check_constraints = 1")
        file.execute(change.replace("said = replace(said", "said = CAST(replace(said").replace(
            "'seven')", "'seven') AS BLOB)"))  # fmt: skip
    file.close()
    with pytest.raises(RecordError, match="does not hold"):
        Book(kept)


def test_two_who_write_do_not_write_over_each_other(kept: Path) -> None:
    one, other = Book(kept), Book(kept)
    one.do(StepRow("S00001", RowStep.REPLY, "yes"), CLERK, 5)
    with pytest.raises(RecordError, match="somebody else wrote"):
        other.do(StepRow("S00001", RowStep.REPLY, "no"), CLERK, 6)
    one.close()
    other.close()
    again = Book(kept)
    assert [r.words for r in again.ledger.row("S00001").replies] == ["yes"]
    again.close()


def test_other_files_are_not_taken_for_a_ledger(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match="no ledger at"):
        Book(tmp_path / "none")
    (tmp_path / "text").write_text("hello " * 500)
    with pytest.raises(RecordError, match="cannot be read"):
        Book(tmp_path / "text")
    with sqlite3.connect(tmp_path / "other") as file:
        file.execute("CREATE TABLE acts (x)")
    file.close()
    with pytest.raises(RecordError, match="no ledger of statements"):
        Book(tmp_path / "other")
    with pytest.raises(RecordError, match="something at"):
        Book(tmp_path / "other", new=True)
