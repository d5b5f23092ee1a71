"""A statement: who publicly said what, in which capacity, as a row that a person confirmed.

Only organisations, people who speak in an office and people whom the press quotes in their
profession have statements. Of anybody else nothing becomes a row.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass

from skykeep.accounts.lexicon import OFFICES, PRIVATE
from skykeep.errors import DecisionError, InputError


class Stance(enum.StrEnum):
    """How somebody stands to what the words are about."""

    ASSERTS = "asserts"
    DENIES = "denies"
    CANNOT_CONFIRM = "cannot_confirm"
    QUESTIONS = "questions"
    DECLINES = "declines"
    WITHDRAWS = "withdraws"


class SpeakerKind(enum.StrEnum):
    """In which capacity somebody speaks. There is none for private persons."""

    ORGANISATION = "organisation"
    OFFICE_HOLDER = "office_holder"
    PROFESSIONAL = "professional"


class Basis(enum.StrEnum):
    """What a speaker says that the words rest on."""

    OWN_MEASUREMENT = "own_measurement"
    SAW_IT = "saw_it"
    CITES_ANOTHER = "cites_another"
    NONE_GIVEN = "none"


class RowState(enum.StrEnum):
    """Where a row stands."""

    DRAFT = "draft"
    CONFIRMED = "confirmed"
    PUBLISHED = "published"
    WITHDRAWN = "withdrawn"
    DISCARDED = "discarded"


class RowStep(enum.StrEnum):
    """What a person can do to a row."""

    CONFIRM = "confirm"
    DISCARD = "discard"
    RELEASE = "release"
    CORRECT = "correct"
    REPLY = "reply"
    WITHDRAW = "withdraw"


_S, _E = RowState, RowStep
ROW_TRANSITIONS: dict[tuple[RowState, RowStep], RowState] = {
    (_S.DRAFT, _E.CORRECT): _S.DRAFT,
    (_S.DRAFT, _E.CONFIRM): _S.CONFIRMED,
    (_S.DRAFT, _E.DISCARD): _S.DISCARDED,
    (_S.CONFIRMED, _E.CORRECT): _S.CONFIRMED,
    (_S.CONFIRMED, _E.REPLY): _S.CONFIRMED,
    (_S.CONFIRMED, _E.DISCARD): _S.DISCARDED,
    (_S.CONFIRMED, _E.RELEASE): _S.PUBLISHED,
    (_S.PUBLISHED, _E.CORRECT): _S.PUBLISHED,
    (_S.PUBLISHED, _E.REPLY): _S.PUBLISHED,
    (_S.PUBLISHED, _E.WITHDRAW): _S.WITHDRAWN,
    (_S.WITHDRAWN, _E.REPLY): _S.WITHDRAWN,
}


def following(state: RowState, step: RowStep) -> RowState:
    """The state after a step; DecisionError where it is not possible."""
    found = ROW_TRANSITIONS.get((state, step))
    if found is None:
        raise DecisionError(f"the row is {state}: {step} is not possible from there")
    return found


@dataclass(frozen=True, slots=True)
class Speaker:
    """Who speaks: a person in an office or a profession, or an organisation by its own name.

    `name` is the person's, or the organisation's where it speaks as such.
    """

    kind: SpeakerKind
    name: str
    role: str
    organisation: str


@dataclass(frozen=True, slots=True)
class Grading:
    """How an officer grades source (A to F) and information (1 to 6), after NATO AJP-2.1.

    Entered by a named person and never computed.
    """

    source: str
    information: str
    by: str


@dataclass(frozen=True, slots=True)
class Statement:
    """What was said. Times are UTC in ns: `claimed_ns` when it is said to have been published
    (None: not given), `recorded_ns` when it was captured. `capture_sha256` is the hash of what
    was captured, `position` from and until which character of that. `derives_from` are rows or
    addresses that it copies, `supersedes` an earlier row of the same speaker.
    """

    speaker: Speaker
    reported_by: str
    words: str
    language: str
    stance: Stance
    recorded_ns: int
    claimed_ns: int | None = None
    address: str = ""
    capture_sha256: str = ""
    position: tuple[int, int] | None = None
    basis: Basis = Basis.NONE_GIVEN
    hedges: tuple[str, ...] = ()
    derives_from: tuple[str, ...] = ()
    supersedes: str = ""
    propositions: tuple[str, ...] = ()
    grading: Grading | None = None


LONGEST_WORDS = 5_000


def check(statement: Statement) -> Statement:
    """The statement, if it can be a row; InputError names what keeps it from being one."""
    who = statement.speaker
    _need(bool(who.name.strip()), "speaker.name", "is empty", "Name who speaks")
    if who.kind is SpeakerKind.ORGANISATION:
        _need(bool(who.organisation), "speaker.organisation", "is empty", "Name the organisation")
    else:
        _need(
            bool(who.role.strip()), "speaker.role", "is empty",
            "Private persons have no statements: name the office or the profession in which "
            "they were quoted, or leave the row out",
        )  # fmt: skip
    told = {w.strip(".,").casefold() for w in who.role.split()}
    _need(
        not (told & PRIVATE) or bool(told & OFFICES), "speaker.role", "is no office or profession",
        "Private persons and commenters have no statements: leave the row out",
    )  # fmt: skip
    if who.kind is SpeakerKind.OFFICE_HOLDER:
        _need(bool(who.organisation), "speaker.organisation", "is empty", "Name whose office it is")
    _need(bool(statement.words.strip()), "words", "are empty", "Give the words as they were said")
    _need(len(statement.words) <= LONGEST_WORDS, "words", f"have over {LONGEST_WORDS} letters",
          "Make a row of each statement")  # fmt: skip
    _need(bool(statement.reported_by), "reported_by", "is empty", "Say who reported it")
    g = statement.grading
    if g is not None:
        _need(
            g.source in "ABCDEF" and len(g.source) == 1, "grading.source", "is no grade", "A to F"
        )
        _need(g.information in "123456" and len(g.information) == 1, "grading.information",
              "is no grade", "1 to 6")  # fmt: skip
        _need(bool(g.by), "grading.by", "is empty", "A grade is a named person's")
    return statement


def _need(holds: bool, where: str, problem: str, mend: str) -> None:
    if not holds:
        raise InputError(f"statement.{where}", problem, mend)
