"""The book of hand-overs: made by named persons and by rule, reminded, escalated, answered.

Everything enters as a command, with the clock, or as a change of an alert, and all of it is
state: what was not answered is still there after a restart.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from skykeep.core.alert import Alert, HandOverAlert
from skykeep.core.event import Actor, AlertChanged, Event, ExerciseChanged, HandoverChanged
from skykeep.core.handover import (
    OPEN_STATES,
    RUNNING_STATES,
    AcknowledgeHandover,
    Handover,
    HandoverCommand,
    HandoverEvent,
    HandoverState,
    Instruct,
    Recipient,
    ReportSending,
    SetExercise,
    SetRecipients,
    WithdrawHandover,
    may_have,
    transition,
)
from skykeep.errors import DecisionError
from skykeep.units import NS_PER_S, AlertId, seconds

RULE = Actor("hand-over rule", "rule")
#: Hand-overs by rule that are open at once for one recipient: nobody answers more, and
#: somebody who invents drones must not drown those that a person hands over.
OPEN_BY_RULE = 50
#: Those that are over and still held for look-up; the record keeps them all.
OVER_LIMIT = 1_000
#: An exercise ends by itself: one that is forgotten would belittle what is real.
LONGEST_EXERCISE_NS = 12 * 3_600 * NS_PER_S


@dataclass(frozen=True, slots=True)
class HandoverSnapshot:
    """The book as values."""

    next_number: int = 1
    recipients: tuple[Recipient, ...] = ()
    handovers: tuple[Handover, ...] = ()
    exercise_until_ns: int = 0
    shed: tuple[tuple[str, int], ...] = ()


@dataclass(slots=True)
class HandoverBook:
    """All hand-overs, oldest first, and who may be handed something."""

    next_number: int = 1
    recipients: dict[str, Recipient] = field(default_factory=dict)
    handovers: dict[str, Handover] = field(default_factory=dict)
    exercise_until_ns: int = 0
    #: Hand-overs by rule that were not made, by recipient: it had too many open.
    shed: Counter[str] = field(default_factory=Counter)

    # -- inputs ---------------------------------------------------------------------------

    def apply(self, command: HandoverCommand, alert: Alert | None, now_ns: int) -> list[Event]:
        """Carry out a command; `alert` is the one that it names. DecisionError leaves all."""
        match command:
            case SetRecipients(_, recipients):
                self.recipients = {r.name: r for r in recipients}
                return []
            case Instruct():
                return self._instruct(command, alert, now_ns)
            case ReportSending():
                return self._sent(command, now_ns)
            case AcknowledgeHandover():
                return self._acknowledge(command, now_ns)
            case WithdrawHandover():
                if not command.why.strip():
                    raise DecisionError("a hand-over is taken back with a reason in words")
                known = self._known(command.handover_id)
                return [self._withdraw(known, command.actor, command.why, now_ns)]
            case SetExercise():
                return self._exercise(command, now_ns)

    def admit(self, command: HandOverAlert, alert: Alert | None) -> Recipient | None:
        """The recipient that a command names, None where it is told by voice.

        DecisionError where this alert is not for it, or it has it already.
        """
        recipient = self.recipients.get(command.recipient)
        if recipient is None or alert is None:
            return None
        self._check_for(recipient, alert)
        for known in self.handovers.values():
            same = known.alert_id == alert.alert_id and known.recipient == recipient.name
            if same and known.instruction is None and known.state in OPEN_STATES:
                raise DecisionError(
                    f"alert {alert.alert_id} was handed to {recipient.name} already, "
                    f"as {known.handover_id}"
                )
        return recipient

    def hand_over(
        self, recipient: Recipient, alert: Alert, actor: Actor, note: str, now_ns: int
    ) -> list[Event]:
        """Promise it; `admit` was asked before."""
        return [self._begin(self._draft(recipient, alert.alert_id, actor, note, now_ns))]

    def follow(self, said: Iterable[Event], now_ns: int) -> list[Event]:
        """What alerts' changes ask for: a rule's hand-over, or that one is over."""
        told: list[Event] = []
        for event in said:
            if not isinstance(event, AlertChanged):
                continue
            if event.event in ("raised", "updated"):
                told += self._by_rule(event, now_ns)
            elif event.event == "close":
                why = f"the alert was closed: {event.why}" if event.why else "the alert was closed"
                told += [
                    self._withdraw(h, event.actor, why, now_ns)
                    for h in list(self.handovers.values())
                    if h.alert_id == event.alert_id and h.state is not HandoverState.WITHDRAWN
                ]
        return told

    def advance(self, now_ns: int) -> tuple[list[Event], list[AlertId]]:
        """Let the clock reach `now_ns`: remind, escalate, and the alerts that nobody answers."""
        said: list[Event] = []
        unanswered: list[AlertId] = []
        for handover in list(self.handovers.values()):
            if handover.state not in RUNNING_STATES:
                continue
            if now_ns >= handover.answer_by_ns:
                said += self._next(handover, "no answer came in time", now_ns)
                state = self.handovers[handover.handover_id].state
                if state is HandoverState.UNANSWERED and handover.alert_id is not None:
                    unanswered.append(handover.alert_id)
            elif handover.remind_at_ns is not None and now_ns >= handover.remind_at_ns:
                said += self._remind(handover, now_ns)
        return said, unanswered

    # -- looking --------------------------------------------------------------------------

    def waiting(self) -> tuple[Handover, ...]:
        """Those of which a channel has not taken the present revision yet."""
        return tuple(h for h in self.handovers.values() if h.waiting)

    def in_exercise(self, now_ns: int) -> bool:
        """Whether what goes out now is marked as an exercise."""
        return now_ns < self.exercise_until_ns

    def snapshot(self) -> HandoverSnapshot:
        """The book as values."""
        return HandoverSnapshot(
            self.next_number,
            tuple(self.recipients.values()),
            tuple(self.handovers.values()),
            self.exercise_until_ns,
            tuple(self.shed.items()),
        )

    @staticmethod
    def restore(saved: HandoverSnapshot) -> HandoverBook:
        """A book that goes on exactly where `saved` was taken."""
        return HandoverBook(
            saved.next_number,
            {r.name: r for r in saved.recipients},
            {h.handover_id: h for h in saved.handovers},
            saved.exercise_until_ns,
            Counter(dict(saved.shed)),
        )

    # -- steps ----------------------------------------------------------------------------

    def _known(self, handover_id: str) -> Handover:
        known = self.handovers.get(handover_id)
        if known is None:
            raise DecisionError(f"there is no hand-over {handover_id}")
        return known

    def _check_for(self, recipient: Recipient, alert: Alert) -> None:
        if not may_have(recipient, alert.priority, alert.zones):
            raise DecisionError(
                f"{recipient.name} is no recipient of alert {alert.alert_id}: "
                "its zone or its priority is not one of that recipient's"
            )

    def _draft(
        self,
        recipient: Recipient,
        alert_id: AlertId | None,
        actor: Actor,
        note: str,
        now_ns: int,
    ) -> Handover:
        return Handover(
            f"H{self.next_number:05d}", alert_id, recipient.name, HandoverState.WAITING, now_ns,
            actor, note, now_ns + seconds(recipient.answer_within_s),
            _remind_at(recipient, now_ns), recipient.channels,
            exercise=self.in_exercise(now_ns),
        )  # fmt: skip

    def _begin(self, handover: Handover) -> Event:
        self.next_number += 1
        return self._put(handover, "hand_over", handover.by, handover.note, handover.at_ns)

    def _by_rule(self, event: AlertChanged, now_ns: int) -> list[Event]:
        told: list[Event] = []
        for recipient in self.recipients.values():
            if event.priority not in recipient.automatic:
                continue
            if not may_have(recipient, event.priority, event.zones):
                continue
            own = [h for h in self.handovers.values() if h.recipient == recipient.name]
            if any(h.alert_id == event.alert_id for h in own):
                continue
            if sum(h.state in OPEN_STATES and h.by == RULE for h in own) >= OPEN_BY_RULE:
                self.shed[recipient.name] += 1
                continue
            told.append(self._begin(self._draft(recipient, event.alert_id, RULE, "", now_ns)))
        return told

    def _instruct(self, command: Instruct, alert: Alert | None, now_ns: int) -> list[Event]:
        recipient = self.recipients.get(command.recipient)
        if recipient is None:
            raise DecisionError(f"there is no recipient {command.recipient!r}")
        if command.alert_id is not None and alert is None:
            raise DecisionError(f"there is no alert {command.alert_id}")
        # The newest word holds: an earlier instruction to the same people is taken back.
        told = [
            self._withdraw(h, command.actor, f"replaced by: {command.instruction}", now_ns)
            for h in list(self.handovers.values())
            if h.recipient == recipient.name
            and h.instruction is not None
            and h.state is not HandoverState.WITHDRAWN
        ]
        made = self._draft(recipient, command.alert_id, command.actor, command.note, now_ns)
        return [*told, self._begin(replace(made, instruction=command.instruction))]

    def _sent(self, command: ReportSending, now_ns: int) -> list[Event]:
        known = self._known(command.handover_id)
        if command.revision != known.revision or command.channel not in known.waiting:
            raise DecisionError(
                f"hand-over {known.handover_id} does not wait for {command.channel!r}"
            )
        waiting = tuple(c for c in known.waiting if c != command.channel)
        if command.taken:
            taken = tuple(dict.fromkeys((*known.taken, command.channel)))
            moved = replace(transition(known, HandoverEvent.TAKE), waiting=waiting, taken=taken)
            return [self._put(moved, "take", command.actor, command.channel, now_ns)]
        failed = tuple(dict.fromkeys((*known.failed, command.channel)))
        moved = replace(known, waiting=waiting, failed=failed)
        why = f"{command.channel}: {command.detail}"
        said: list[Event] = [self._put(moved, "fail", command.actor, why, now_ns)]
        if not waiting and not moved.taken and moved.state in RUNNING_STATES:
            said += self._next(moved, "no channel took it", now_ns)
        return said

    def _acknowledge(self, command: AcknowledgeHandover, now_ns: int) -> list[Event]:
        known = self._known(command.handover_id)
        if not command.actor.name.strip():
            raise DecisionError("a hand-over is acknowledged by a named person: the name is empty")
        moved = replace(
            transition(known, HandoverEvent.ACKNOWLEDGE),
            answered_by=command.actor,
            answered_ns=now_ns,
            waiting=(),
            why=command.words,
        )
        return [self._put(moved, "acknowledge", command.actor, command.words, now_ns)]

    def _withdraw(self, known: Handover, actor: Actor, why: str, now_ns: int) -> Event:
        """Whoever may have heard of it hears that it is over; nobody else does."""
        moved = transition(known, HandoverEvent.WITHDRAW)
        # A channel that was tried may have delivered what it did not confirm.
        told = tuple(dict.fromkeys((*known.taken, *known.waiting)))
        over = replace(moved, revision=known.revision + 1, waiting=told, failed=(), why=why)
        return self._put(over, "withdraw", actor, why, now_ns)

    def _next(self, handover: Handover, why: str, now_ns: int) -> list[Event]:
        """The next recipient, or the officer's turn again."""
        after = self._after(handover)
        if after is None:
            moved = transition(handover, HandoverEvent.RUN_OUT)
            return [self._put(moved, "run_out", RULE, f"{why}, and nobody is next", now_ns)]
        moved = transition(handover, HandoverEvent.ESCALATE)
        said = [self._put(moved, "escalate", RULE, f"{why}: to {after.name}", now_ns)]
        made = replace(
            self._draft(after, handover.alert_id, handover.by, handover.note, now_ns),
            escalated_from=handover.handover_id,
            exercise=handover.exercise,
            instruction=handover.instruction,
        )
        return [*said, self._begin(made)]

    def _after(self, handover: Handover) -> Recipient | None:
        """Who is next; nobody is asked twice in one chain."""
        recipient = self.recipients.get(handover.recipient)
        if recipient is None or recipient.escalate_to is None:
            return None
        asked, at = {handover.recipient}, handover.escalated_from
        while at is not None and at in self.handovers:
            asked.add(self.handovers[at].recipient)
            at = self.handovers[at].escalated_from
        after = self.recipients.get(recipient.escalate_to)
        return None if after is None or after.name in asked else after

    def _remind(self, handover: Handover, now_ns: int) -> list[Event]:
        """The same once more by all channels; one that has not taken it yet is tried anyway."""
        recipient = self.recipients.get(handover.recipient)
        remind_at_ns = None if recipient is None else _remind_at(recipient, now_ns)
        if handover.state is HandoverState.WAITING:
            self.handovers[handover.handover_id] = replace(handover, remind_at_ns=remind_at_ns)
            return []
        waiting = tuple(dict.fromkeys((*handover.waiting, *handover.taken)))
        moved = transition(handover, HandoverEvent.REMIND)
        moved = replace(moved, waiting=waiting, remind_at_ns=remind_at_ns)
        return [self._put(moved, "remind", RULE, "", now_ns)]

    def _exercise(self, command: SetExercise, now_ns: int) -> list[Event]:
        if not command.why.strip():
            raise DecisionError("an exercise begins and ends with a reason in words")
        if command.until_ns - now_ns > LONGEST_EXERCISE_NS:
            raise DecisionError(
                f"an exercise lasts at most {LONGEST_EXERCISE_NS // NS_PER_S // 3_600} hours"
            )
        self.exercise_until_ns = command.until_ns
        until_ns = max(command.until_ns, now_ns)
        return [ExerciseChanged(now_ns, until_ns, command.actor, command.why)]

    def _put(self, handover: Handover, event: str, actor: Actor, why: str, now_ns: int) -> Event:
        self.handovers[handover.handover_id] = handover
        self._forget()
        return HandoverChanged(
            now_ns, handover.handover_id, handover.alert_id, handover.recipient, event,
            handover.state.value, handover.revision, handover.exercise, actor, why,
        )  # fmt: skip

    def _forget(self) -> None:
        if len(self.handovers) <= OVER_LIMIT:
            return
        over = [h for h in self.handovers.values() if h.state not in OPEN_STATES and not h.waiting]
        for handover in over[: max(0, len(over) - OVER_LIMIT)]:
            del self.handovers[handover.handover_id]


def _remind_at(recipient: Recipient, now_ns: int) -> int | None:
    return None if recipient.remind_s is None else now_ns + seconds(recipient.remind_s)
