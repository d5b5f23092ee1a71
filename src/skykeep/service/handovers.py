"""Hand-overs: what was promised to whom, whether it was answered, and what came back."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from skykeep.codec.moment import format_moment, parse_moment
from skykeep.core.alert import AlertState, HandOverAlert
from skykeep.core.casebook import FoundPart, ReportBack, ReportedOutcome, ResponderReport
from skykeep.core.event import Actor
from skykeep.core.handover import (
    OPEN_STATES,
    AcknowledgeHandover,
    Handover,
    HandoverState,
    Instruct,
    Instruction,
    SetExercise,
    WithdrawHandover,
)
from skykeep.errors import DecisionError, InputError
from skykeep.runtime import Recorded
from skykeep.service.desk import COMMANDS, READS, Done, done, holder_of, needs, writer_of
from skykeep.service.dispatch import Dispatcher
from skykeep.service.examples import shown
from skykeep.service.incidents import PartIn
from skykeep.service.problems import Refused
from skykeep.service.tokens import Holder, Role
from skykeep.service.zones import Id, Text
from skykeep.units import AlertId, IncidentId

router = APIRouter(tags=["hand-over"])


class ChannelOut(BaseModel):
    """A way to a recipient; `connected` is null where it does not stay open.

    `shed` counts states of tracks that a slow one was not told, since the service started.
    """

    name: str
    kind: str
    connected: bool | None
    problem: str
    sent: int
    shed: int


class RecipientOut(BaseModel):
    """A recipient of the site file, its rules and its caps.

    `shed` counts hand-overs by rule that were not made because too many were open.
    """

    name: str
    role: str
    zones: list[str]
    priorities: list[int]
    automatic: list[int]
    answer_within_s: float
    remind_s: float | None
    escalate_to: str | None
    shows: str
    precision_m: float
    rate_hz: float
    most_tracks: int
    languages: list[str]
    channels: list[ChannelOut]
    open: int
    shed: int


class RecipientList(BaseModel):
    """Who may be handed something; until when it is an exercise."""

    recipients: list[RecipientOut]
    exercise_until: str | None


class HandoverOut(BaseModel):
    """One hand-over; `waiting` are channels that have not taken it, `failed` those given up.

    `revision` 1 is the hand-over, 2 that it was taken back.
    """

    handover_id: str
    alert_id: str | None
    recipient: str
    state: str
    revision: int
    at: str
    by: str
    note: str
    instruction: str | None
    exercise: bool
    answer_by: str
    waiting: list[str]
    taken: list[str]
    failed: list[str]
    escalated_from: str | None
    answered_by: str | None
    answered: str | None
    why: str


class HandoverList(BaseModel):
    """Hand-overs, oldest first."""

    handovers: list[HandoverOut]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class IncidentHandOver(_Strict):
    """Which incident, and to whom: its alerts that are not closed are handed over."""

    model_config = ConfigDict(
        json_schema_extra=shown({"incident_id": "I0001", "recipient": "police", "note": ""})
    )
    incident_id: Id
    recipient: Annotated[str, Field(min_length=1, max_length=200)]
    note: Text = ""


class Instructing(_Strict):
    """What people on duty in the protected building are to do."""

    model_config = ConfigDict(
        json_schema_extra=shown(
            {
                "recipient": "guard",
                "instruction": "take_cover",
                "alert_id": "A00001",
                "note": "the west wing first",
            }
        )
    )
    recipient: Annotated[str, Field(min_length=1, max_length=200)]
    instruction: Instruction
    alert_id: Id | None = None
    note: Text = ""


class Answering(_Strict):
    """Which hand-over is acknowledged, and by whom where that is not the token's holder."""

    model_config = ConfigDict(
        json_schema_extra=shown(
            {"handover_id": "H00001", "words": "patrol 4 is on its way", "name": "B. Patrol"}
        )
    )
    handover_id: Id
    words: Text = ""
    name: Annotated[str, Field(max_length=100)] = ""


class Withdrawing(_Strict):
    """Which hand-over is taken back, and why."""

    model_config = ConfigDict(
        json_schema_extra=shown({"handover_id": "H00001", "why": "it was a kite"})
    )
    handover_id: Id
    why: Text


class ReportingBack(_Strict):
    """What a recipient reports about what was handed to it.

    `report_id` is the sender's own name for the report: one that is there already is not filed
    again.
    """

    model_config = ConfigDict(
        json_schema_extra=shown(
            {
                "handover_id": "H00001",
                "outcomes": ["fell", "damage"],
                "words": "it lies in the moat",
                "lat_deg": 49.6102,
                "lon_deg": 6.1288,
                "parts": [{"lat_deg": 49.6103, "lon_deg": 6.129, "words": "a rotor"}],
                "injuries": "none",
                "damage": "a window",
                "name": "B. Patrol",
                "report_id": "patrol-4/17",
            }
        )
    )
    handover_id: Id
    outcomes: Annotated[list[ReportedOutcome], Field(max_length=len(ReportedOutcome))] = []
    words: Text = ""
    lat_deg: Annotated[float, Field(ge=-90, le=90, allow_inf_nan=False)] | None = None
    lon_deg: Annotated[float, Field(ge=-180, le=180, allow_inf_nan=False)] | None = None
    parts: Annotated[list[PartIn], Field(max_length=1_000)] = []
    injuries: Text = ""
    damage: Text = ""
    name: Annotated[str, Field(max_length=100)] = ""
    report_id: Annotated[str, Field(max_length=200)] = ""


class Exercising(_Strict):
    """Until when (RFC 3339 with a zone) what goes out is marked as an exercise; a moment that is
    past ends it."""

    model_config = ConfigDict(
        json_schema_extra=shown({"until": "2026-09-13T02:00:00Z", "why": "yearly exercise"})
    )
    until: Annotated[str, Field(max_length=40)]
    why: Text


@router.get("/v1/recipients", responses=READS)
async def get_recipients(
    request: Request, holder: Annotated[Holder, needs("recipients.read")]
) -> RecipientList:
    """Who may be handed something, and how each way to it does."""
    dispatcher: Dispatcher = request.app.state.dispatcher

    def look(recorded: Recorded) -> RecipientList:
        book = recorded.runtime.airspace.handovers
        open_ = [h.recipient for h in book.handovers.values() if h.state in OPEN_STATES]
        now_ns = recorded.runtime.now_ns
        until = format_moment(book.exercise_until_ns) if book.in_exercise(now_ns) else None
        return RecipientList(
            recipients=[
                _recipient(dispatcher, name, open_.count(name), book.shed[name])
                for name in dispatcher.settings
            ],
            exercise_until=until,
        )

    return await writer_of(request).ask(look)


@router.get("/v1/handovers", responses=READS)
async def get_handovers(
    request: Request,
    holder: Annotated[Holder, needs("handovers.read")],
    pending: Annotated[bool, Query(description="only those that still want an answer")] = False,
) -> HandoverList:
    """The hand-overs that are held; a recipient sees its own."""

    def look(recorded: Recorded) -> HandoverList:
        known = recorded.runtime.airspace.handovers.handovers.values()
        return HandoverList(
            handovers=[
                handover_out(h)
                for h in known
                if (holder.recipient is None or h.recipient == holder.recipient)
                and (not pending or h.state in OPEN_STATES)
            ]
        )

    return await writer_of(request).ask(look)


@router.post("/v1/commands/hand_over_incident", responses=COMMANDS)
async def hand_over_incident(
    request: Request, body: IncidentHandOver, holder: Annotated[Holder, needs("handovers.make")]
) -> Done:
    """Hand all alerts of an incident that are not closed to whoever may respond."""

    def look(recorded: Recorded) -> list[AlertId] | None:
        incident = recorded.runtime.casebook.incidents.get(IncidentId(body.incident_id))
        if incident is None:
            return None
        held = {a.alert_id: a for a in recorded.runtime.airspace.alerts()}
        open_ = [held[a] for a in incident.alerts if a in held]
        return [a.alert_id for a in open_ if a.state is not AlertState.CLOSED]

    alerts = await writer_of(request).ask(look)
    if not alerts:
        what = "it has no alert that is not closed" if alerts is not None else "there is none"
        raise DecisionError(f"incident {body.incident_id[:40]} cannot be handed over: {what}")
    commands = [HandOverAlert(holder.actor, a, body.recipient, body.note) for a in alerts]
    return await done(writer_of(request), commands)


@router.post("/v1/commands/instruct", responses=COMMANDS)
async def instruct(
    request: Request, body: Instructing, holder: Annotated[Holder, needs("handovers.instruct")]
) -> Done:
    """Tell people on duty in the protected building what to do; it wants an answer."""
    alert_id = None if body.alert_id is None else AlertId(body.alert_id)
    command = Instruct(holder.actor, body.recipient, body.instruction, alert_id, body.note)
    return await done(writer_of(request), [command])


@router.post("/v1/commands/acknowledge_handover", responses=COMMANDS)
async def acknowledge_handover(
    request: Request, body: Answering, holder: Annotated[Holder, needs("handovers.answer")]
) -> Done:
    """The recipient has it. An officer may enter what was said by voice, naming who said it."""
    await _own(request, body.handover_id, holder)
    actor = _speaker(body.name, holder)
    command = AcknowledgeHandover(actor, body.handover_id, body.words)
    return await done(writer_of(request), [command])


@router.post("/v1/commands/withdraw_handover", responses=COMMANDS)
async def withdraw_handover(
    request: Request, body: Withdrawing, holder: Annotated[Holder, needs("handovers.withdraw")]
) -> Done:
    """Take a hand-over back; whoever was told of it is told that too."""
    command = WithdrawHandover(holder.actor, body.handover_id, body.why)
    return await done(writer_of(request), [command])


@router.post("/v1/commands/report_back", responses=COMMANDS)
async def report_back(
    request: Request, body: ReportingBack, holder: Annotated[Holder, needs("handovers.answer")]
) -> Done:
    """What became of it: a report by a person, in the alert's incident. It acknowledges too."""
    handover = await _own(request, body.handover_id, holder)
    if handover is None or handover.alert_id is None:
        raise DecisionError(
            f"{body.handover_id[:40]} is no hand-over of an alert: "
            "a report of it has no incident to go to"
        )
    if (body.lat_deg is None) != (body.lon_deg is None):
        raise InputError("body.lon_deg", "one of two numbers of a place is missing", "Give both")
    if not (body.outcomes or body.words.strip() or body.injuries or body.damage):
        raise InputError("body.words", "the report says nothing", "Give an outcome or words")
    report = ResponderReport(
        0, holder.actor, body.words,
        tuple(FoundPart(p.lat_deg, p.lon_deg, p.words) for p in body.parts),
        body.injuries, body.damage, tuple(body.outcomes), body.lat_deg, body.lon_deg,
        body.handover_id, body.report_id,
    )  # fmt: skip
    return await file_back(request, handover, report, _speaker(body.name, holder))


@router.post("/v1/commands/set_exercise", responses=COMMANDS)
async def set_exercise(
    request: Request, body: Exercising, holder: Annotated[Holder, needs("exercise.begin")]
) -> Done:
    """Mark everything that goes out as an exercise, until a moment at most 12 hours away.

    To end one before its time is the shift lead's.
    """
    until_ns = parse_moment(body.until, "body.until")
    if until_ns < await writer_of(request).ask(_exercise_until_ns):
        holder = holder_of(request, "exercise.end")
    return await done(writer_of(request), [SetExercise(holder.actor, until_ns, body.why)])


def _exercise_until_ns(recorded: Recorded) -> int:
    book = recorded.runtime.airspace.handovers
    now_ns = recorded.runtime.now_ns
    return book.exercise_until_ns if book.in_exercise(now_ns) else now_ns


async def file_back(
    request: Request, handover: Handover, report: ResponderReport, actor: Actor
) -> Done:
    """A report by a person about a hand-over, which it acknowledges too if nobody had."""
    assert handover.alert_id is not None
    commands: list[ReportBack | AcknowledgeHandover] = [
        ReportBack(actor, handover.alert_id, report)
    ]
    if handover.state in OPEN_STATES:
        commands.insert(0, AcknowledgeHandover(actor, handover.handover_id))
    return await done(writer_of(request), commands)


async def _own(request: Request, handover_id: str, holder: Holder) -> Handover | None:
    """A hand-over; 403 where it is another recipient's."""

    def look(recorded: Recorded) -> Handover | None:
        return recorded.runtime.airspace.handovers.handovers.get(handover_id)

    handover = await writer_of(request).ask(look)
    known = handover is not None and holder.recipient in (None, handover.recipient)
    if holder.role is Role.RECIPIENT and not known:
        words = f"{holder.name} has no hand-over {handover_id[:40]}"
        raise Refused(403, request.url.path, words, "Look at your own")
    return handover


def _speaker(name: str, holder: Holder) -> Actor:
    """Who said it: the token's holder, or, through it, the person who is named."""
    if not name.strip():
        return holder.actor
    through = "by voice, entered by" if holder.role is not Role.RECIPIENT else "of"
    return Actor(name.strip(), f"recipient, {through} {holder.name}")


def _recipient(dispatcher: Dispatcher, name: str, open_: int, shed: int) -> RecipientOut:
    settings = dispatcher.settings[name]
    recipient, caps = settings.recipient, settings.caps
    channels = []
    for channel, way in settings.channels.items():
        link = dispatcher.links.get((name, channel))
        state = None if link is None else link.state
        channels.append(
            ChannelOut(
                name=channel,
                kind=type(way).__name__.removesuffix("Channel").lower(),
                connected=None if state is None else state.connected,
                problem="" if state is None or state.connected else state.problem,
                sent=0 if state is None else state.sent,
                shed=0 if state is None else state.shed,
            )
        )
    return RecipientOut(
        name=name,
        role=recipient.role,
        zones=list(recipient.zones),
        priorities=list(recipient.priorities),
        automatic=list(recipient.automatic),
        answer_within_s=recipient.answer_within_s,
        remind_s=recipient.remind_s,
        escalate_to=recipient.escalate_to,
        shows=caps.shows,
        precision_m=caps.precision_m,
        rate_hz=caps.rate_hz,
        most_tracks=caps.most_tracks,
        languages=list(settings.languages),
        channels=channels,
        open=open_,
        shed=shed,
    )


def handover_out(h: Handover) -> HandoverOut:
    """A hand-over as it is told to those who may know of it."""
    answered = h.state is HandoverState.ACKNOWLEDGED or h.answered_by is not None
    return HandoverOut(
        handover_id=h.handover_id,
        alert_id=h.alert_id,
        recipient=h.recipient,
        state=h.state,
        revision=h.revision,
        at=format_moment(h.at_ns),
        by=h.by.name,
        note=h.note,
        instruction=h.instruction,
        exercise=h.exercise,
        answer_by=format_moment(h.answer_by_ns),
        waiting=list(h.waiting),
        taken=list(h.taken),
        failed=list(h.failed),
        escalated_from=h.escalated_from,
        answered_by=h.answered_by.name if answered and h.answered_by else None,
        answered=None if h.answered_ns is None else format_moment(h.answered_ns),
        why=h.why,
    )
