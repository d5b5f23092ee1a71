"""`GET /v1/me`: who asks, in which roles, and what a page says with each change."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Request
from pydantic import BaseModel

from skykeep.service.desk import needs, problems
from skykeep.service.tokens import Holder, Role

router = APIRouter(tags=["service"])


class Me(BaseModel):
    """Who asks. `csrf` goes into the header `Skykeep-Csrf` of changes; none for a token."""

    name: str
    roles: list[Role]
    sensor: str | None
    csrf: str | None


@router.get("/v1/me", responses=problems(401))
async def get_me(request: Request, holder: Annotated[Holder, needs(*Role)]) -> Me:
    """Who asks, by token or session."""
    return Me(
        name=holder.name,
        roles=[holder.role, *holder.also],
        sensor=holder.sensor,
        csrf=request.scope.get("csrf"),
    )
