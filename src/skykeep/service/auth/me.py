"""`GET /v1/me`: who asks, in which roles, and what a page says with each change.

`GET /v1/rights`: which roles may do what.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Request
from pydantic import BaseModel

from skykeep.service.desk import needs, problems
from skykeep.service.rights import RIGHTS
from skykeep.service.tokens import Holder, Role

router = APIRouter(tags=["service"])


class Me(BaseModel):
    """Who asks. `csrf` goes into the header `Skykeep-Csrf` of changes; none for a token."""

    name: str
    roles: list[Role]
    sensor: str | None
    csrf: str | None


class ActionOut(BaseModel):
    """What an action is, and the roles that may."""

    action: str
    words: str
    roles: list[Role]


class RightsTable(BaseModel):
    """Who may do what: what is not listed nobody may."""

    roles: list[Role]
    actions: list[ActionOut]


@router.get("/v1/me", responses=problems(401))
async def get_me(request: Request, holder: Annotated[Holder, needs("me.read")]) -> Me:
    """Who asks, by token or session."""
    asks: Holder = request.scope["holder"]  # in all roles, as they were given
    return Me(
        name=holder.name,
        roles=[asks.role, *asks.also],
        sensor=holder.sensor,
        csrf=request.scope.get("csrf"),
    )


@router.get("/v1/rights", responses=problems(401))
async def get_rights(holder: Annotated[Holder, needs("rights.read")]) -> RightsTable:
    """Each action and the roles that may do it; docs/roles.md is the same."""
    actions = [
        ActionOut(action=name, words=right.words, roles=list(right.roles))
        for name, right in sorted(RIGHTS.items())
    ]
    return RightsTable(roles=list(Role), actions=actions)
