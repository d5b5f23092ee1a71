"""Permits and exemptions, in the form of a permits file (codec/permits)."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict

from skykeep.codec.permits import decode_permits, permit_record
from skykeep.core.event import Severity
from skykeep.core.permit import ChangePermit, PermitEvent, PutPermit
from skykeep.errors import InputError
from skykeep.runtime import Recorded
from skykeep.service.desk import COMMANDS, READS, Done, done, needs, writer_of
from skykeep.service.tokens import Holder, Role
from skykeep.service.zones import Id, Text
from skykeep.units import PermitId

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


@router.get("/v1/permits", responses=READS)
async def get_permits(
    request: Request, holder: Annotated[Holder, needs(Role.OFFICER, Role.PERMIT_OFFICE)]
) -> PermitDocument:
    """All permits and exemptions, each in its present state."""

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
    request: Request, holder: Annotated[Holder, needs(Role.OFFICER, Role.PERMIT_OFFICE)]
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
async def put_permit(
    request: Request, holder: Annotated[Holder, needs(Role.PERMIT_OFFICE)]
) -> Done:
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


@router.post("/v1/commands/grant_permit", responses=COMMANDS)
async def grant_permit(
    request: Request, body: PermitStep, holder: Annotated[Holder, needs(Role.PERMIT_OFFICE)]
) -> Done:
    """Grant a permit that was submitted."""
    return await _step(request, body, holder, PermitEvent.GRANT)


@router.post("/v1/commands/revoke_permit", responses=COMMANDS)
async def revoke_permit(
    request: Request,
    body: PermitStep,
    holder: Annotated[Holder, needs(Role.PERMIT_OFFICE, Role.OFFICER)],
) -> Done:
    """Revoke a permit or exemption; a reason is needed."""
    return await _step(request, body, holder, PermitEvent.REVOKE)


async def _step(request: Request, body: PermitStep, holder: Holder, event: PermitEvent) -> Done:
    command = ChangePermit(holder.actor, PermitId(body.permit_id), event, body.why)
    return await done(writer_of(request), [command])
