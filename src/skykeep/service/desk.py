"""What every route works with: the writer, and who asks in which role."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Annotated, Any

import msgspec
from fastapi import Depends, Request
from fastapi.security import HTTPBearer
from pydantic import BaseModel

from skykeep.core.casebook import IncidentChanged
from skykeep.core.event import (
    AlertChanged,
    Event,
    ExerciseChanged,
    HandoverChanged,
    NoticeDue,
    PermitChanged,
    WarningChanged,
    ZoneChanged,
)
from skykeep.runtime import Answer
from skykeep.service.problems import Problem, Refused
from skykeep.service.tokens import Holder, Role
from skykeep.service.writer import Item, Writer

#: What the answer to a command tells; tracks and verdicts are to be looked at.
_TOLD = (
    AlertChanged,
    ExerciseChanged,
    HandoverChanged,
    NoticeDue,
    PermitChanged,
    WarningChanged,
    ZoneChanged,
)

#: Shows in the OpenAPI document that a token is needed; the guard checks it.
_bearer = HTTPBearer(auto_error=False, description="A token of `skykeep token new`")


class Done(BaseModel):
    """A command was carried out and is durable: its entries in the record, what it changed."""

    entries: list[int]
    changed: list[dict[str, Any]]
    incident: str | None = None
    findings: list[dict[str, str]] = []


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """For the OpenAPI document: the statuses that a route may answer with, beside its own."""
    return {status: {"model": Problem, "description": _WORDS[status]} for status in statuses}


_WORDS = {
    400: "the body cannot be read",
    401: "no token, or one that is not known",
    403: "the token's role may not do this",
    404: "there is no such thing",
    408: "the body came too slowly",
    409: "not allowed in the present state",
    413: "the body is too large",
    422: "a field does not fit",
    503: "not now: the queue is full, or the disk does not take the record",
}
READS = problems(401, 403, 422, 503)
COMMANDS = problems(400, 401, 403, 408, 409, 413, 422, 503)


def writer_of(request: Request) -> Writer:
    """The writer of the application that a request came to."""
    writer: Writer = request.app.state.writer
    return writer


def holder_of(request: Request, roles: Collection[Role]) -> Holder:
    """Who asks, in the role that lets him; 403 in words if he has none of these."""
    holder: Holder = request.scope["holder"]
    acting = holder.acting_as(roles)
    if acting is None:
        allowed, has = " or ".join(sorted(roles)), ", ".join((holder.role, *holder.also))
        words = f"{holder.name} has the role {has}, this needs {allowed}"
        raise Refused(403, request.url.path, words, "Use a token or an account of that role")
    return acting


def needs(*roles: Role) -> Any:
    """A dependency: the holder of the token, who must have one of the roles."""

    async def check(request: Request, _token: Annotated[Any, Depends(_bearer)]) -> Holder:
        return holder_of(request, roles)

    return Depends(check)


async def carry_out(writer: Writer, items: Sequence[Item]) -> list[Answer]:
    """Durable answers to commands; the first refusal is raised."""
    answers = await writer.submit(items)
    for answer in answers:
        if answer.refused is not None:
            raise answer.refused
    return answers


async def done(writer: Writer, items: Sequence[Item]) -> Done:
    """Carry out commands and say so."""
    answers = await carry_out(writer, items)
    events = [event for answer in answers for event in answer.events]
    changed: IncidentChanged | None = answers[-1].incident
    return Done(
        entries=[a.entry for a in answers if a.entry is not None],
        changed=[plain(e) for e in events if isinstance(e, _TOLD)],
        incident=None if changed is None else str(changed.incident.incident_id),
    )


def plain(event: Event) -> dict[str, Any]:
    """An event as JSON values, its name under `event_name`."""
    fields: dict[str, Any] = msgspec.to_builtins(event)
    return {"event_name": type(event).__name__, **fields}


def found_or_404(request: Request, found: Any, what: str) -> Any:
    """What was looked for; 404 in words where it is not there."""
    if found is None:
        raise Refused(404, request.url.path, f"there is no {what}", "Look at the list")
    return found
