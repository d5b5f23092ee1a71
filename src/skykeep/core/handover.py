"""A hand-over: the promise that a recipient hears of an alert, with its lifecycle.

It is kept until the recipient has acknowledged it, goes out again under the same id, and to the
next recipient when no answer comes in time. So is an instruction to people on duty in the
protected building. Nothing here sends anything.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, replace

from skykeep.core.event import Actor
from skykeep.errors import DecisionError
from skykeep.units import AlertId, ZoneId

#: Whoever may respond within minutes must answer within two, or the next one is asked.
ANSWER_WITHIN_S = 120.0


class HandoverState(enum.StrEnum):
    """Where a hand-over stands with its recipient."""

    WAITING = "waiting"  # no channel has taken it yet
    TAKEN = "taken"  # a channel took it; nobody has answered
    ACKNOWLEDGED = "acknowledged"
    ESCALATED = "escalated"  # no answer in time: the next recipient has it too
    UNANSWERED = "unanswered"  # no answer in time, and nobody is next
    WITHDRAWN = "withdrawn"  # taken back, or the alert was closed


class HandoverEvent(enum.StrEnum):
    """What can happen to a hand-over."""

    TAKE = "take"
    REMIND = "remind"
    ACKNOWLEDGE = "acknowledge"
    ESCALATE = "escalate"
    RUN_OUT = "run_out"
    WITHDRAW = "withdraw"


_S, _E = HandoverState, HandoverEvent

#: An answer that comes late is an answer.
HANDOVER_TRANSITIONS: dict[tuple[HandoverState, HandoverEvent], HandoverState] = {
    (_S.WAITING, _E.TAKE): _S.TAKEN,
    (_S.WAITING, _E.ACKNOWLEDGE): _S.ACKNOWLEDGED,
    (_S.WAITING, _E.ESCALATE): _S.ESCALATED,
    (_S.WAITING, _E.RUN_OUT): _S.UNANSWERED,
    (_S.WAITING, _E.WITHDRAW): _S.WITHDRAWN,
    (_S.TAKEN, _E.TAKE): _S.TAKEN,
    (_S.TAKEN, _E.REMIND): _S.WAITING,
    (_S.TAKEN, _E.ACKNOWLEDGE): _S.ACKNOWLEDGED,
    (_S.TAKEN, _E.ESCALATE): _S.ESCALATED,
    (_S.TAKEN, _E.RUN_OUT): _S.UNANSWERED,
    (_S.TAKEN, _E.WITHDRAW): _S.WITHDRAWN,
    (_S.ACKNOWLEDGED, _E.TAKE): _S.ACKNOWLEDGED,
    (_S.ACKNOWLEDGED, _E.WITHDRAW): _S.WITHDRAWN,
    (_S.ESCALATED, _E.TAKE): _S.ESCALATED,
    (_S.ESCALATED, _E.ACKNOWLEDGE): _S.ACKNOWLEDGED,
    (_S.ESCALATED, _E.WITHDRAW): _S.WITHDRAWN,
    (_S.UNANSWERED, _E.TAKE): _S.UNANSWERED,
    (_S.UNANSWERED, _E.ACKNOWLEDGE): _S.ACKNOWLEDGED,
    (_S.UNANSWERED, _E.WITHDRAW): _S.WITHDRAWN,
    (_S.WITHDRAWN, _E.TAKE): _S.WITHDRAWN,
}

#: From here on somebody still has to answer.
OPEN_STATES = frozenset({_S.WAITING, _S.TAKEN, _S.ESCALATED, _S.UNANSWERED})
#: Here the clock of the answer runs.
RUNNING_STATES = frozenset({_S.WAITING, _S.TAKEN})


class Instruction(enum.StrEnum):
    """What people on duty in the protected building are to do."""

    TAKE_COVER = "take_cover"
    HOLD_EVENT = "hold_event"
    ALL_CLEAR = "all_clear"


@dataclass(frozen=True, slots=True)
class Recipient:
    """Who may be handed something, and the rules that bind it.

    `channels` are names of ways to it, all of which are used. Without `zones` it gets alerts of
    all of them; `automatic` are the priorities that a rule hands over by itself. It is reminded
    every `remind_s`; after `answer_within_s` without an answer `escalate_to` is next.
    """

    name: str
    role: str
    channels: tuple[str, ...]
    zones: tuple[ZoneId, ...] = ()
    priorities: tuple[int, ...] = (1, 2, 3)
    automatic: tuple[int, ...] = ()
    answer_within_s: float = ANSWER_WITHIN_S
    remind_s: float | None = None
    escalate_to: str | None = None


@dataclass(frozen=True, slots=True)
class Handover:
    """One promise. `waiting` are the channels that have not taken its present `revision` yet:
    1 is the hand-over itself, 2 that it was taken back.

    `alert_id` is None for an instruction that belongs to no alert.
    """

    handover_id: str
    alert_id: AlertId | None
    recipient: str
    state: HandoverState
    at_ns: int
    by: Actor
    note: str
    answer_by_ns: int
    remind_at_ns: int | None
    waiting: tuple[str, ...]
    taken: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()
    revision: int = 1
    exercise: bool = False
    instruction: Instruction | None = None
    escalated_from: str | None = None
    answered_by: Actor | None = None
    answered_ns: int | None = None
    why: str = ""


@dataclass(frozen=True, slots=True)
class SetRecipients:
    """Command: these are the site's recipients from now on."""

    actor: Actor
    recipients: tuple[Recipient, ...]


@dataclass(frozen=True, slots=True)
class Instruct:
    """Command: tell people on duty in the protected building what to do."""

    actor: Actor
    recipient: str
    instruction: Instruction
    alert_id: AlertId | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class ReportSending:
    """Command: what became of sending a revision by one channel; `detail` names nobody."""

    actor: Actor
    handover_id: str
    revision: int
    channel: str
    taken: bool
    detail: str


@dataclass(frozen=True, slots=True)
class AcknowledgeHandover:
    """Command: the recipient has it, says the actor; `words` may say more."""

    actor: Actor
    handover_id: str
    words: str = ""


@dataclass(frozen=True, slots=True)
class WithdrawHandover:
    """Command: take a hand-over back, and why."""

    actor: Actor
    handover_id: str
    why: str


@dataclass(frozen=True, slots=True)
class SetExercise:
    """Command: until a moment everything that goes out is marked as an exercise."""

    actor: Actor
    until_ns: int
    why: str


HandoverCommand = (
    SetRecipients | Instruct | ReportSending | AcknowledgeHandover | WithdrawHandover | SetExercise
)


def transition(handover: Handover, event: HandoverEvent) -> Handover:
    """One step of the lifecycle; DecisionError where the table has none."""
    following = HANDOVER_TRANSITIONS.get((handover.state, event))
    if following is None:
        raise DecisionError(
            f"hand-over {handover.handover_id} is {handover.state}: "
            f"{event} is not possible from there"
        )
    return replace(handover, state=following)


def may_have(recipient: Recipient, priority: int, zones: tuple[ZoneId, ...]) -> bool:
    """Whether a recipient is one for an alert of this priority and these zones."""
    here = not recipient.zones or not set(recipient.zones).isdisjoint(zones)
    return here and priority in recipient.priorities
