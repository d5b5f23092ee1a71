"""Permits and exemptions, in the form of a permits file (codec/permits)."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from skykeep.codec.moment import format_moment, parse_moment
from skykeep.codec.permits import decode_permits, permit_record
from skykeep.core import permit_book
from skykeep.core.event import Severity
from skykeep.core.permit import ChangePermit, PermitEvent, PutPermit, Terms
from skykeep.core.permit_book import PermitBook
from skykeep.errors import InputError
from skykeep.runtime import Recorded
from skykeep.service.desk import (
    COMMANDS,
    READS,
    Done,
    done,
    found_or_404,
    holder_of,
    needs,
    problems,
    writer_of,
)
from skykeep.service.examples import shown
from skykeep.service.looks import looked
from skykeep.service.tokens import Holder
from skykeep.service.zones import Id, Text
from skykeep.units import NS_PER_S, PermitId

router = APIRouter(tags=["permits"])


class PermitDocument(BaseModel):
    """A permits file: one authority's permits and standing exemptions."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "authority": "city-x",
                "permits": [
                    {
                        "id": "P-1",
                        "holder": "Survey Ltd",
                        "serials": ["SKV18SRV00017"],
                        "zones": ["Z1"],
                        "volumes": [
                            {
                                "area": {
                                    "circle": {"lat_deg": 49.61, "lon_deg": 6.13, "radius_m": 300}
                                },
                                "lower": {"m": 0, "reference": "AGL"},
                                "upper": {"m": 120, "reference": "AGL"},
                                "start": "2026-09-12T00:00:00Z",
                                "end": "2026-09-12T06:00:00Z",
                            }
                        ],
                        "state": "submitted",
                    }
                ],
            }
        }
    )
    authority: str
    permits: list[dict[str, Any]] = []
    exemptions: list[dict[str, Any]] = []


class PermitStep(BaseModel):
    """Which permit, and why."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"example": {"permit_id": "P-1", "why": "as applied for"}}
    )
    permit_id: Id
    why: Text = ""


#: Beside the permit office, the watch officer may take these steps: they cannot wait.
OFFICER_STEPS = frozenset(
    {
        PermitEvent.ACTIVATE,
        PermitEvent.END,
        PermitEvent.SUSPEND,
        PermitEvent.RESUME,
        PermitEvent.REVOKE,
        PermitEvent.CONFIRM,
    }
)
Step = Literal[
    "submit", "request_information", "answer", "review", "grant", "refuse", "activate", "end",
    "suspend", "resume", "revoke", "expire", "confirm",
]  # fmt: skip
Moment = Annotated[str, Field(max_length=40)]


class PermitChange(PermitStep):
    """Which permit, which step, why, and what goes with the step."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {
                "permit_id": "P-1",
                "step": "suspend",
                "why": "a rescue helicopter is on its way",
                "land_by": "2036-09-12T00:05:00Z",
            }
        },
    )
    step: Step
    conditions: Annotated[list[Text], Field(max_length=50)] = []
    land_by: Moment | None = None
    decide_by: Moment | None = None
    identity_proof: Text = ""


class DueItem(BaseModel):
    """What is to be done with a permit, and by when."""

    at: str
    permit_id: str
    what: str
    words: str


class DueList(BaseModel):
    """What an office must not forget, the most urgent first."""

    model_config = ConfigDict(
        json_schema_extra=shown(
            {
                "due": [
                    {
                        "at": "2026-09-22T08:00:00Z",
                        "permit_id": "P-1",
                        "what": "decide",
                        "words": "it is submitted",
                    }
                ]
            }
        )
    )
    due: list[DueItem]


@router.get("/v1/permits/due", responses=READS)
async def get_due(
    request: Request,
    holder: Annotated[Holder, needs("permits.read")],
    within_h: Annotated[
        float, Query(description="due within so many hours, or overdue", ge=0.0, le=100_000.0)
    ] = 72.0,
) -> DueList:
    """Decisions near their legal deadline, exemptions to be confirmed, holders still untold."""
    until_ns = writer_of(request).now_ns() + round(within_h * 3_600.0 * NS_PER_S)

    def look(recorded: Recorded) -> DueList:
        book = recorded.runtime.airspace.book
        found = permit_book.due(book.permits(), book.notices(), until_ns)
        return DueList(
            due=[
                DueItem(
                    at=format_moment(d.at_ns), permit_id=d.permit_id, what=d.what, words=d.words
                )
                for d in found
            ]
        )

    return await writer_of(request).ask(look)


class StepItem(BaseModel):
    """Which state a permit entered, when, by whom, why."""

    at: str
    state: str
    name: str
    role: str
    why: str


class TellingItem(BaseModel):
    """What became of telling the holder of a state by one channel."""

    at: str
    state: str
    channel: str
    delivered: bool
    detail: str


class WaitingItem(BaseModel):
    """What the holder is still to be told, by which channels; `failed` were given up."""

    since: str
    state: str
    waiting: list[str]
    failed: list[str]


class History(BaseModel):
    """A permit's steps and what became of telling its holder, oldest first."""

    model_config = ConfigDict(
        json_schema_extra=shown(
            {
                "permit_id": "P-1",
                "steps": [
                    {
                        "at": "2026-09-12T08:00:00Z",
                        "state": "granted",
                        "name": "P. Office",
                        "role": "permit_officer",
                        "why": "as applied for",
                    }
                ],
                "told": [
                    {
                        "at": "2026-09-12T08:00:01Z",
                        "state": "granted",
                        "channel": "email",
                        "delivered": True,
                        "detail": "",
                    }
                ],
                "waiting": [],
            }
        )
    )
    permit_id: str
    steps: list[StepItem]
    told: list[TellingItem]
    waiting: list[WaitingItem]


@router.get("/v1/permits/history", responses=READS | problems(404))
async def get_history(
    request: Request,
    holder: Annotated[Holder, needs("permits.read")],
    permit_id: Annotated[str, Query(description="of which permit", examples=["P-1"])],
) -> History:
    """A permit's steps by named persons, and when its holder was told by which channel."""
    wanted = PermitId(permit_id)

    def look(recorded: Recorded) -> History | None:
        book = recorded.runtime.airspace.book
        steps = book.steps(wanted)
        return _history(wanted, book) if steps else None

    found: History = found_or_404(request, await writer_of(request).ask(look), "such permit")
    await looked(request, holder, f"permit {wanted}")
    return found


def _history(permit_id: PermitId, book: PermitBook) -> History:
    return History(
        permit_id=permit_id,
        steps=[
            StepItem(
                at=format_moment(s.at_ns), state=s.state.value, name=s.actor.name,
                role=s.actor.role, why=s.why,
            )
            for s in book.steps(permit_id)
        ],
        told=[
            TellingItem(
                at=format_moment(t.at_ns), state=t.state.value, channel=t.channel,
                delivered=t.delivered, detail=t.detail,
            )
            for t in book.tellings(permit_id)
        ],
        waiting=[
            WaitingItem(
                since=format_moment(n.at_ns), state=n.state.value, waiting=list(n.waiting),
                failed=list(n.failed),
            )
            for n in book.notices() if n.permit_id == permit_id
        ],
    )  # fmt: skip


@router.get("/v1/permits", responses=READS)
async def get_permits(
    request: Request, holder: Annotated[Holder, needs("permits.read")]
) -> PermitDocument:
    """All permits and exemptions, each in its present state."""
    await looked(request, holder, "permits")

    def look(recorded: Recorded) -> PermitDocument:
        airspace = recorded.runtime.airspace
        ordered = sorted(airspace.permits(), key=lambda p: p.permit_id)
        return PermitDocument(
            authority=airspace.site.authority_id,
            permits=[permit_record(p) for p in ordered if not p.exemption_class],
            exemptions=[permit_record(p) for p in ordered if p.exemption_class],
        )

    return await writer_of(request).ask(look)


@router.get("/v1/exemptions", responses=READS)
async def get_exemptions(
    request: Request, holder: Annotated[Holder, needs("permits.read")]
) -> PermitDocument:
    """The standing exemptions of police, rescue and the authority's own aircraft."""
    return (await get_permits(request, holder)).model_copy(update={"permits": []})


@router.post(
    "/v1/commands/put_permit",
    responses=COMMANDS,
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {"schema": {"$ref": "#/components/schemas/PermitDocument"}}
            },
        }
    },
)
async def put_permit(request: Request, holder: Annotated[Holder, needs("permits.put")]) -> Done:
    """Enter the permits of a permits file, each in the state that it carries; all or none."""
    file = decode_permits(await request.body(), "body")
    writer = writer_of(request)
    if file.authority_id != writer.site.authority_id:
        problem = f"is {file.authority_id!r}, this office is that of {writer.site.authority_id!r}"
        raise InputError("$.authority", problem, "Enter the permits of your own authority")
    for finding in file.findings:
        if finding.severity is Severity.ERROR:
            raise InputError(finding.where, finding.problem, "Mend it; nothing was entered")
    if not file.permits:
        raise InputError("$.permits", "there are none", "Give at least one")
    said = await done(writer, [PutPermit(holder.actor, permit) for permit in file.permits])
    findings = [{k: str(v) for k, v in asdict(f).items()} for f in file.findings]
    return said.model_copy(update={"findings": findings})


@router.post("/v1/commands/change_permit", responses=COMMANDS)
async def change_permit(
    request: Request,
    body: PermitChange,
    holder: Annotated[Holder, needs("permits.step")],
) -> Done:
    """One step of a permit's lifecycle: what takes a right away needs a reason.

    `conditions` go with a grant, `land_by` with suspend, revoke and expire; `decide_by` and
    `identity_proof` before a decision. The watch officer may activate, end, suspend, resume,
    revoke and confirm, the permit office everything. The holder is told at once.
    """
    event = PermitEvent(body.step)
    if event not in OFFICER_STEPS:
        holder_of(request, "permits.decide")
    terms = Terms(
        conditions=tuple(c.strip() for c in body.conditions if c.strip()),
        land_by_ns=_moment("body.land_by", body.land_by),
        decide_by_ns=_moment("body.decide_by", body.decide_by),
        identity_proof=body.identity_proof.strip(),
    )
    command = ChangePermit(holder.actor, PermitId(body.permit_id), event, body.why, terms)
    return await done(writer_of(request), [command])


def _moment(where: str, text: str | None) -> int | None:
    return None if text is None else parse_moment(text, where)


@router.post("/v1/commands/grant_permit", responses=COMMANDS)
async def grant_permit(
    request: Request, body: PermitStep, holder: Annotated[Holder, needs("permits.decide")]
) -> Done:
    """Grant a permit that was submitted."""
    return await _step(request, body, holder, PermitEvent.GRANT)


@router.post("/v1/commands/revoke_permit", responses=COMMANDS)
async def revoke_permit(
    request: Request,
    body: PermitStep,
    holder: Annotated[Holder, needs("permits.step")],
) -> Done:
    """Revoke a permit or exemption; a reason is needed."""
    return await _step(request, body, holder, PermitEvent.REVOKE)


async def _step(request: Request, body: PermitStep, holder: Holder, event: PermitEvent) -> Done:
    command = ChangePermit(holder.actor, PermitId(body.permit_id), event, body.why)
    return await done(writer_of(request), [command])
