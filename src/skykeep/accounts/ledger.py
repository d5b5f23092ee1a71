"""The ledger: rows, propositions, findings and links, changed only by named people's acts.

Acts are values; the same acts in the same order give the same ledger. Whoever confirms does not
release: that takes a second person, and a reply, or that one was asked for in vain.
"""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from skykeep.accounts.statement import (
    Grading,
    RowState,
    RowStep,
    Stance,
    Statement,
    check,
    following,
)
from skykeep.core import proposition
from skykeep.core.event import Actor
from skykeep.core.proposition import Finding, Outcome, Proposition
from skykeep.errors import DecisionError, InputError

MOST_ROWS, MOST_PROPOSITIONS = 100_000, 20_000


class Right(enum.StrEnum):
    """In which role somebody acts on the ledger."""

    CLERK = "statements_clerk"  # enters, confirms, corrects, files replies
    RELEASER = "release_officer"  # publishes and withdraws


@dataclass(frozen=True, slots=True)
class Reply:
    """What a speaker answered to what is to be published; `words` empty: asked, no answer yet."""

    at_ns: int
    by: str
    words: str


@dataclass(frozen=True, slots=True)
class Correction:
    """What a row said until then, and why that was changed."""

    at_ns: int
    by: str
    why: str
    before: Statement


@dataclass(frozen=True, slots=True)
class Row:
    """A statement with all that was done to it."""

    row_id: str
    statement: Statement
    state: RowState
    entered_ns: int
    replies: tuple[Reply, ...] = ()
    corrections: tuple[Correction, ...] = ()
    confirmed_by: str = ""
    released_by: str = ""
    released_ns: int | None = None
    withdrawn_why: str = ""


@dataclass(frozen=True, slots=True)
class Kept:
    """A finding as it was computed: when, and the hash of the record or dossier it rests on."""

    finding: Finding
    at_ns: int
    evidence: str


@dataclass(frozen=True, slots=True)
class EnterRow:
    """Act: enter a draft row."""

    statement: Statement


@dataclass(frozen=True, slots=True)
class StepRow:
    """Act: a step of a row. `words`: of a reply, or why; `statement` of a correction."""

    row_id: str
    step: RowStep
    words: str = ""
    statement: Statement | None = None


@dataclass(frozen=True, slots=True)
class GradeRow:
    """Act: enter an Admiralty grade for a row."""

    row_id: str
    source: str
    information: str


@dataclass(frozen=True, slots=True)
class EnterProposition:
    """Act: enter a proposition, or a new version of it: then its finding is gone."""

    proposition: Proposition


@dataclass(frozen=True, slots=True)
class KeepFinding:
    """Act: keep a finding that was computed."""

    finding: Finding
    evidence: str


@dataclass(frozen=True, slots=True)
class LinkRows:
    """Act: confirm that one row copies another (`copies`), or that it does not."""

    row_id: str
    original: str
    copies: bool


Act = EnterRow | StepRow | GradeRow | EnterProposition | KeepFinding | LinkRows
_RIGHTS = {RowStep.RELEASE: Right.RELEASER, RowStep.WITHDRAW: Right.RELEASER}


@dataclass(slots=True)
class Ledger:
    """Everything that was entered, in order."""

    rows: dict[str, Row] = field(default_factory=dict)
    propositions: dict[str, Proposition] = field(default_factory=dict)
    findings: dict[str, Kept] = field(default_factory=dict)
    links: dict[tuple[str, str], bool] = field(default_factory=dict)

    def apply(self, act: Act, actor: Actor, at_ns: int) -> str:
        """Do what an act says and return the id it is about.

        InputError: the act is no such act; DecisionError: it is not allowed now, or not to them.
        """
        if not actor.name.strip():
            raise InputError("by", "is empty", "Every act has a named person")
        step = act.step if isinstance(act, StepRow) else None
        needed = _RIGHTS.get(step, Right.CLERK) if step else Right.CLERK
        if actor.role != needed:
            raise DecisionError(f"this is for the role {needed}; {actor.name} acts as {actor.role}")
        match act:
            case EnterRow():
                return self._enter(act, at_ns)
            case StepRow():
                return self._step(act, actor, at_ns)
            case GradeRow():
                row = self.row(act.row_id)
                grading = Grading(act.source, act.information, actor.name)
                statement = check(replace(row.statement, grading=grading))
                self.rows[row.row_id] = replace(row, statement=statement)
                return row.row_id
            case EnterProposition():
                return self._propose(act.proposition)
            case KeepFinding():
                name = act.finding.proposition_id
                if name not in self.propositions:
                    raise DecisionError(f"there is no proposition {name}")
                self.findings[name] = Kept(act.finding, at_ns, act.evidence)
                return name
            case LinkRows():
                return self._link(act)

    def row(self, row_id: str) -> Row:
        """A row; DecisionError where there is none."""
        if row_id not in self.rows:
            raise DecisionError(f"there is no row {row_id}")
        return self.rows[row_id]

    def _enter(self, act: EnterRow, at_ns: int) -> str:
        if len(self.rows) >= MOST_ROWS:
            raise DecisionError(f"the ledger holds {MOST_ROWS} rows already")
        self._known(check(act.statement))
        row_id = f"S{len(self.rows) + 1:05d}"
        self.rows[row_id] = Row(row_id, act.statement, RowState.DRAFT, at_ns)
        return row_id

    def _known(self, statement: Statement) -> None:
        missing = [p for p in statement.propositions if p not in self.propositions]
        if missing:
            raise DecisionError(f"there is no proposition {missing[0]}")
        earlier = statement.supersedes
        if earlier:
            before = self.row(earlier).statement.speaker
            if (before.name, before.organisation) != (
                statement.speaker.name, statement.speaker.organisation,
            ):  # fmt: skip
                raise DecisionError(f"{earlier} is another speaker's: nobody supersedes that")

    def _propose(self, said: Proposition) -> str:
        proposition.check(said)
        if len(self.propositions) >= MOST_PROPOSITIONS:
            raise DecisionError(f"the ledger holds {MOST_PROPOSITIONS} propositions already")
        if self.propositions.get(said.proposition_id) != said:
            self.findings.pop(said.proposition_id, None)
        self.propositions[said.proposition_id] = said
        return said.proposition_id

    def _step(self, act: StepRow, actor: Actor, at_ns: int) -> str:
        row = self.row(act.row_id)
        state = following(row.state, act.step)
        changed = _STEPS[act.step](self, row, act, actor, at_ns)
        self.rows[row.row_id] = replace(changed, state=state)
        return row.row_id

    def _confirm(self, row: Row, act: StepRow, actor: Actor, at_ns: int) -> Row:
        return replace(row, confirmed_by=actor.name)

    def _correct(self, row: Row, act: StepRow, actor: Actor, at_ns: int) -> Row:
        if act.statement is None or not act.words.strip():
            raise InputError("correction", "lacks the new row or the reason", "Give both")
        self._known(check(act.statement))
        made = Correction(at_ns, actor.name, act.words, row.statement)
        corrections = (*row.corrections, made) if row.state is not RowState.DRAFT else ()
        return replace(row, statement=act.statement, corrections=corrections)

    def _reply(self, row: Row, act: StepRow, actor: Actor, at_ns: int) -> Row:
        return replace(row, replies=(*row.replies, Reply(at_ns, actor.name, act.words)))

    def _discard(self, row: Row, act: StepRow, actor: Actor, at_ns: int) -> Row:
        return row

    def _release(self, row: Row, act: StepRow, actor: Actor, at_ns: int) -> Row:
        if actor.name == row.confirmed_by:
            raise DecisionError(f"{actor.name} confirmed the row: somebody else must release it")
        if not row.replies:
            raise DecisionError(
                "no reply is filed: ask the speaker, and file the answer, or that none came"
            )
        missing = [p for p in row.statement.propositions if p not in self.findings]
        if missing:
            raise DecisionError(f"proposition {missing[0]} has no finding yet")
        return replace(row, released_by=actor.name, released_ns=at_ns)

    def _withdraw(self, row: Row, act: StepRow, actor: Actor, at_ns: int) -> Row:
        if not act.words.strip():
            raise InputError("why", "is empty", "Say why the row is withdrawn")
        return replace(row, withdrawn_why=act.words)

    def _link(self, act: LinkRows) -> str:
        self.row(act.row_id)
        self.row(act.original)
        if act.row_id == act.original:
            raise InputError("original", "is the row itself", "Name two rows")
        self.links[(act.row_id, act.original)] = act.copies
        return act.row_id

    def origins(self, proposition_id: str, stance: Stance | None = None) -> Origins:
        """How many origins speak of a proposition, copies counted with what they copy."""
        ids = [
            r.row_id for r in self.rows.values()
            if proposition_id in r.statement.propositions
            and r.state not in (RowState.DISCARDED, RowState.WITHDRAWN)
            and (stance is None or r.statement.stance is stance)
        ]  # fmt: skip
        parent = {i: i for i in ids}

        def top(i: str) -> str:
            while parent[i] != i:
                i = parent[i]
            return i

        linked = set()
        for (one, other), copies in self.links.items():
            if copies and one in parent and other in parent:
                parent[top(one)] = top(other)
                linked |= {one, other}
        origins = len({top(i) for i in ids})
        return Origins(len(ids), origins, len(ids) - len(linked))

    def finding_of(self, proposition_id: str) -> Outcome | None:
        """What the record says of a proposition; None where it was not asked yet."""
        kept = self.findings.get(proposition_id)
        return None if kept is None else kept.finding.outcome


@dataclass(frozen=True, slots=True)
class Origins:
    """Rows, how many origins they have at most, and how many of them are linked to nothing."""

    rows: int
    origins: int
    unlinked: int

    def words(self) -> str:
        """The count in words."""
        if self.rows < 2:
            return "one report" if self.rows else "no report"
        told = f"{self.rows} reports, {_origins(self.origins)} at most"
        return f"{told}; independence not established" if self.unlinked else told


def _origins(count: int) -> str:
    return "1 origin" if count == 1 else f"{count} origins"


_Step = Callable[[Ledger, Row, StepRow, Actor, int], Row]
_STEPS: dict[RowStep, _Step] = {
    RowStep.CONFIRM: Ledger._confirm,
    RowStep.CORRECT: Ledger._correct,
    RowStep.REPLY: Ledger._reply,
    RowStep.DISCARD: Ledger._discard,
    RowStep.RELEASE: Ledger._release,
    RowStep.WITHDRAW: Ledger._withdraw,
}
