"""Zones: as ED-318 out, as any zone document in."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from skykeep.codec.ed318_write import write_ed318
from skykeep.codec.zones import read_zones
from skykeep.core.event import Severity
from skykeep.core.zone import PublishZone, WithdrawZone, Zone
from skykeep.errors import InputError
from skykeep.runtime import Recorded
from skykeep.service.desk import COMMANDS, READS, Done, done, needs, writer_of
from skykeep.service.tokens import Holder
from skykeep.units import ZoneId

router = APIRouter(tags=["zones"])

Text = Annotated[str, Field(max_length=2_000)]
Id = Annotated[str, Field(min_length=1, max_length=200)]


class ZoneCollection(BaseModel):
    """An ED-318 document; what it has no room for stands in `extendedProperties.skykeep`."""

    model_config = ConfigDict(extra="allow")
    type: str
    features: list[dict[str, Any]]


class Withdrawal(BaseModel):
    """Which zone ends, and why."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"example": {"zone_id": "Z1", "why": "the visit is over"}}
    )
    zone_id: Id
    why: Text


@router.get("/v1/zones", response_model=ZoneCollection, responses=READS)
async def get_zones(
    request: Request,
    holder: Annotated[Holder, needs("zones.read")],
) -> Response:
    """The zones that are published, as ED-318."""

    def look(recorded: Recorded) -> bytes:
        zones = recorded.runtime.airspace.zones()
        name = recorded.runtime.airspace.site.name
        try:
            return write_ed318(zones, name=name)
        except InputError:
            return write_ed318((z for z in zones if _writable(z)), name=name)

    return Response(await writer_of(request).ask(look), media_type="application/json")


@router.post(
    "/v1/commands/publish_zone",
    responses=COMMANDS,
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {"schema": {"$ref": "#/components/schemas/ZoneCollection"}}
            },
        }
    },
)
async def publish_zone(request: Request, holder: Annotated[Holder, needs("zones.publish")]) -> Done:
    """Publish the zones of a document of any format that is read (docs/zone-formats.md).

    All of them or none: a document with a zone that cannot be understood changes nothing.
    """
    file = read_zones(await request.body(), "body")
    for finding in file.findings:
        if finding.severity is Severity.ERROR:
            raise InputError(finding.where, finding.problem, finding.mend or "Mend it")
    if not file.zones:
        raise InputError("$.features", "there are no zones", "Give at least one")
    write_ed318(file.zones)  # what others could not read is not published
    commands = [PublishZone(holder.actor, zone) for zone in file.zones]
    said = await done(writer_of(request), commands)
    return said.model_copy(
        update={"findings": [{k: str(v) for k, v in asdict(f).items()} for f in file.findings]}
    )


@router.post("/v1/commands/withdraw_zone", responses=COMMANDS)
async def withdraw_zone(
    request: Request,
    body: Withdrawal,
    holder: Annotated[Holder, needs("zones.change")],
) -> Done:
    """End a zone: it is judged no more, and its entries stay in the record."""
    command = WithdrawZone(holder.actor, ZoneId(body.zone_id), body.why)
    return await done(writer_of(request), [command])


def _writable(zone: Zone) -> bool:
    """Whether ED-318 can say it; one that was read from a faulty source is kept but not told."""
    try:
        write_ed318((zone,))
    except InputError:
        return False
    return True
