"""Exemptions: spoken in during an emergency, brought in from a table, counted; and the check."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field

from skykeep.codec.csv_exemptions import decode_exemptions
from skykeep.codec.moment import format_moment
from skykeep.codec.permits import PermitFile, decode_permits
from skykeep.core.event import Finding, Severity
from skykeep.core.geo import Circle, Volume, Volume4D
from skykeep.core.permit import Permit, PermitState, PutPermit
from skykeep.core.permit_book import DeclareExemption
from skykeep.core.permit_conflicts import Conflicts, Overlap, TouchedZone, conflicts
from skykeep.core.zone import prepare_zone
from skykeep.errors import InputError
from skykeep.runtime import Recorded
from skykeep.service.desk import COMMANDS, READS, Done, done, needs, writer_of
from skykeep.service.examples import shown
from skykeep.service.tokens import Holder
from skykeep.service.zones import Id, Text
from skykeep.units import NS_PER_S, PermitId, ZoneId

router = APIRouter(tags=["permits"])

Class = Literal["police", "customs", "rescue", "medical", "fire", "authority"]


class Around(BaseModel):
    """A circle around a place."""

    model_config = ConfigDict(extra="forbid")
    lat_deg: Annotated[float, Field(ge=-90.0, le=90.0)]
    lon_deg: Annotated[float, Field(ge=-180.0, le=180.0)]
    radius_m: Annotated[float, Field(gt=0.0, le=50_000.0)]


class Emergency(BaseModel):
    """Whose aircraft, where (a zone, or around a place), for how many minutes from now."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {
                "exemption_class": "rescue",
                "serials": ["1596A0123456789"],
                "around": {"lat_deg": 49.61, "lon_deg": 6.13, "radius_m": 800.0},
                "minutes": 30,
                "why": "person in the river",
            }
        },
    )
    exemption_class: Class
    serials: Annotated[list[Text], Field(max_length=20)]
    minutes: Annotated[float, Field(gt=0.0, le=10_000.0)]
    zone_id: Id | None = None
    around: Around | None = None
    why: Text = ""
    must_broadcast: bool = True


class ExemptionTable(BaseModel):
    """Standing exemptions as the text of a CSV file (codec/csv_exemptions)."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {
                "csv": "id,class,holder,serials,lat_deg,lon_deg,radius_m,start,end\n"
                "POL-7,police,City Police,1596A0123456789,49.61,6.13,3000,"
                "2026-01-01T00:00:00Z,2036-01-01T00:00:00Z\n"
            }
        },
    )
    csv: Annotated[str, Field(max_length=4_000_000)]


class FlightCountItem(BaseModel):
    """Flights of a class in a month."""

    month: str
    exemption_class: str
    flights: int


class FlightCounts(BaseModel):
    """Exemption flights by month (UTC) and class; no places, no aircraft."""

    model_config = ConfigDict(
        json_schema_extra=shown(
            {"counts": [{"month": "2026-09", "exemption_class": "police", "flights": 14}]}
        )
    )
    counts: list[FlightCountItem]


class Checked(BaseModel):
    """What each application meets: zones, overlaps, gaps; and how the file was read."""

    model_config = ConfigDict(
        json_schema_extra=shown(
            {
                "applications": [
                    {
                        "permit_id": "P-1",
                        "own_zones": [
                            {
                                "zone_id": "Z1",
                                "name": "Citadel",
                                "authority": "city-x",
                                "restriction": "PROHIBITED",
                                "surely": True,
                                "asked_for": True,
                                "whom_to_ask": [],
                            }
                        ],
                        "other_zones": [],
                        "overlaps": [],
                        "gaps": [{"where": "volumes[0].end", "problem": "is past", "rule": ""}],
                    }
                ],
                "findings": [],
            }
        )
    )
    applications: list[dict[str, Any]]
    findings: list[dict[str, str]]


@router.get("/v1/exemptions/flights", responses=READS)
async def get_flights(
    request: Request,
    holder: Annotated[Holder, needs("exemptions.count")],
) -> FlightCounts:
    """How many flights were made under exemptions, by class and month; to be published."""

    def look(recorded: Recorded) -> FlightCounts:
        found = recorded.runtime.airspace.book.counts()
        return FlightCounts(counts=[FlightCountItem(**asdict(c)) for c in found])

    return await writer_of(request).ask(look)


@router.post("/v1/commands/declare_exemption", responses=COMMANDS)
async def declare_exemption(
    request: Request,
    body: Emergency,
    holder: Annotated[Holder, needs("exemptions.declare")],
) -> Done:
    """An emergency exemption: it holds at once, and lapses unless somebody confirms it in time.

    It names aircraft, area and minutes. An aircraft whose serial number nobody knows cannot be
    exempted: every other drone there would be let in with it.
    """
    if (body.zone_id is None) == (body.around is None):
        raise InputError("body", "names not exactly one of zone_id and around", "Give one of them")
    writer = writer_of(request)

    def look(recorded: Recorded) -> tuple[Volume, ...]:
        zones = {z.zone_id: z for z in recorded.runtime.airspace.zones()}
        zone = None if body.zone_id is None else zones.get(ZoneId(body.zone_id))
        if body.zone_id is not None and (zone is None or not zone.readable):
            raise InputError("body.zone_id", "is no zone here", "Give one, or around a place")
        return () if zone is None else zone.volumes

    volumes = await writer.ask(look)
    now_ns = writer.now_ns()
    if body.around is not None:
        a = body.around
        volumes = (Volume(Circle(a.lat_deg, a.lon_deg, a.radius_m), None, None),)
    end_ns = now_ns + round(body.minutes * 60.0 * NS_PER_S)
    draft = Permit(
        permit_id=PermitId(""),
        authority_id=writer.site.authority_id,
        holder="",
        serials=tuple(s.strip() for s in body.serials if s.strip()),
        zones=() if body.zone_id is None else (ZoneId(body.zone_id),),
        volumes=tuple(Volume4D(v, None, end_ns) for v in volumes),
        state=PermitState.DRAFT,
        exemption_class=body.exemption_class,
        must_broadcast=body.must_broadcast,
        state_why=body.why.strip(),
    )
    return await done(writer, [DeclareExemption(holder.actor, draft)])


@router.post("/v1/commands/import_exemptions", responses=COMMANDS)
async def import_exemptions(
    request: Request, body: ExemptionTable, holder: Annotated[Holder, needs("exemptions.import")]
) -> Done:
    """Enter the standing exemptions of a table; a line with a fault is left out and named."""
    writer = writer_of(request)
    read = decode_exemptions(body.csv.encode("utf-8", "replace"), "csv", writer.site.authority_id)
    if not read.permits:
        first = next((f for f in read.findings if f.severity is Severity.ERROR), None)
        where, problem = ("csv", "has no lines") if first is None else (first.where, first.problem)
        raise InputError(where, problem, "Mend it; nothing was entered")
    said = await done(writer, [PutPermit(holder.actor, p) for p in read.permits])
    return said.model_copy(update={"findings": _plain(read.findings)})


@router.post(
    "/v1/commands/check_permits",
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
async def check_permits(
    request: Request,
    holder: Annotated[Holder, needs("permits.check")],
) -> Checked:
    """Hold applications against zones, permits and exemptions before they are sent.

    Nothing is entered. The body is a permits file; the authority's zones that are reached, other
    authorities' zones with whom to ask, what overlaps, and what is missing come back.
    """
    file = decode_permits(await request.body(), "body")
    now_ns = writer_of(request).now_ns()

    def look(recorded: Recorded) -> list[tuple[Permit, Conflicts]]:
        return checked(file, recorded, now_ns)

    found = await writer_of(request).ask(look)
    return Checked(
        applications=[conflicts_record(p, c) for p, c in found], findings=_plain(file.findings)
    )


def checked(file: PermitFile, recorded: Recorded, now_ns: int) -> list[tuple[Permit, Conflicts]]:
    """Each permit of a file with what it meets at a site."""
    airspace = recorded.runtime.airspace
    zones = [prepare_zone(z) for z in airspace.zones()]
    return [
        (p, conflicts(p, zones, airspace.permits(), airspace.site.terrain, now_ns))
        for p in file.permits
    ]


def conflicts_record(permit: Permit, found: Conflicts) -> dict[str, Any]:
    """What an application meets, as plain values."""
    return {
        "permit_id": permit.permit_id,
        "own_zones": [_zone(z) for z in found.own_zones],
        "other_zones": [_zone(z) for z in found.other_zones],
        "overlaps": [_overlap(o) for o in found.overlaps],
        "gaps": [asdict(g) for g in found.gaps],
    }


def _zone(zone: TouchedZone) -> dict[str, Any]:
    return {
        "zone_id": zone.zone_id,
        "name": zone.name,
        "authority": zone.authority_id,
        "restriction": zone.restriction.value,
        "surely": zone.surely,
        "asked_for": zone.named,
        "whom_to_ask": list(zone.whom),
    }


def _overlap(overlap: Overlap) -> dict[str, Any]:
    return {
        "permit_id": overlap.permit_id,
        "kind": overlap.kind,
        "state": overlap.state.value,
        "start": None if overlap.start_ns is None else format_moment(overlap.start_ns),
        "end": None if overlap.end_ns is None else format_moment(overlap.end_ns),
        "surely": overlap.surely,
    }


def _plain(findings: tuple[Finding, ...]) -> list[dict[str, str]]:
    return [{k: str(v) for k, v in asdict(f).items()} for f in findings]
