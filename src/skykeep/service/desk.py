"""What every route works with: the writer, and who asks in which role."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Annotated, Any

import msgspec
from fastapi import Depends, Request, Security
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
from skykeep.service.rates import Rates
from skykeep.service.rights import RIGHTS
from skykeep.service.tokens import Holder
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
    429: "this was asked for too often; Retry-After says when to ask again",
    503: "not now: the queue is full, or the disk does not take the record",
}
READS = problems(401, 403, 422, 503)
COMMANDS = problems(400, 401, 403, 408, 409, 413, 422, 503)


def writer_of(request: Request) -> Writer:
    """The writer of the application that a request came to."""
    writer: Writer = request.app.state.writer
    return writer


def holder_of(request: Request, action: str) -> Holder:
    """Who asks, in the role that lets him: 403 in words if he has none, 429 if it is too often."""
    holder: Holder = request.scope["holder"]
    roles = RIGHTS[action].roles
    acting = holder.acting_as(roles)
    if acting is None:
        allowed, has = " or ".join(sorted(roles)), ", ".join((holder.role, *holder.also))
        words = f"{holder.name} has the role {has}, {action} needs {allowed}"
        raise Refused(403, request.url.path, words, "Use a token or an account of that role")
    rates: Rates = request.app.state.rates
    wait_s = rates.take(action, holder.sha256 or request.scope["login"])
    if wait_s:
        after_s = math.ceil(wait_s)
        words, mend = f"{action} was asked for too often", f"Ask again after {after_s} s"
        raise Refused(429, request.url.path, words, mend, after_s)
    return acting


def needs(action: str) -> Any:
    """A dependency: the holder of the token, who may do this; KeyError for an unknown action.

    In the description of the interface the action stands among what the token must be good for
    (OpenAPI 3.1, security requirement: role names that are required).
    """
    if action not in RIGHTS:
        raise KeyError(action)

    async def check(request: Request, _token: Annotated[Any, Depends(_bearer)]) -> Holder:
        return holder_of(request, action)

    return Security(check, scopes=[action])


def action_of(operation: dict[str, Any]) -> str | None:
    """The action that a described route is, None for one that is open to everybody."""
    named = [name for each in operation.get("security", ()) for name in next(iter(each.values()))]
    return named[0] if named else None


def show_budgets(document: dict[str, Any]) -> dict[str, Any]:
    """The description of the interface, with the answer to what is asked for too often."""
    for methods in document["paths"].values():
        for said in methods.values():
            action = action_of(said)
            if action is not None and RIGHTS[action].budget is not None:
                said["responses"]["429"] = said["responses"]["403"] | {"description": _WORDS[429]}
    return document


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
