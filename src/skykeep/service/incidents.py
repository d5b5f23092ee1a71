"""Incidents: what alerts were gathered into, what was reported, what was concluded by whom."""

from __future__ import annotations

import asyncio
import sqlite3
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from skykeep.codec.moment import format_moment
from skykeep.core.casebook import (
    Assess,
    CaseCommand,
    Conclusion,
    FileReport,
    FoundPart,
    HoldIncident,
    Incident,
    IncidentStep,
    MoveIncident,
    OpenIncident,
)
from skykeep.dossier.build import Order, build_dossier, file_name_of
from skykeep.dossier.withholding import Withholding
from skykeep.runtime import Recorded
from skykeep.service.desk import (
    COMMANDS,
    READS,
    Done,
    done,
    found_or_404,
    holder_of,
    needs,
    plain,
    writer_of,
)
from skykeep.service.desk import problems as statuses
from skykeep.service.examples import shown
from skykeep.service.looks import looked
from skykeep.service.rights import may
from skykeep.service.tokens import Holder
from skykeep.service.writer import UnavailableError, Writer
from skykeep.service.zones import Id, Text
from skykeep.units import AlertId, IncidentId

router = APIRouter(tags=["incidents"])

Title = Annotated[str, Field(min_length=1, max_length=200)]
Names = Annotated[list[Annotated[str, Field(max_length=64)]], Field(max_length=100)]
Evidence = Annotated[list[Id], Field(max_length=1_000)]


class IncidentOut(BaseModel):
    """An incident in short."""

    incident_id: str
    title: str
    state: str
    opened: str
    opened_by: str
    alerts: list[str]
    tracks: list[str]
    reports: int
    sightings: int
    assessments: int
    held: bool


class IncidentList(BaseModel):
    """Incidents, oldest first."""

    incidents: list[IncidentOut]


class IncidentWhole(BaseModel):
    """An incident with its history, the people's reports and their assessments."""

    incident: IncidentOut
    history: list[dict[str, Any]]
    sightings: list[dict[str, Any]]
    reports: list[dict[str, Any]]
    assessments: list[dict[str, Any]]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Opening(_Strict):
    """A title, and the alerts that belong together."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {"title": "Two drones over the citadel", "alerts": ["A00001"]}
        }
    )
    title: Title
    alerts: Annotated[list[Id], Field(min_length=1, max_length=1_000)]


class PartIn(_Strict):
    """A part that was found, and where."""

    lat_deg: Annotated[float, Field(ge=-90, le=90, allow_inf_nan=False)]
    lon_deg: Annotated[float, Field(ge=-180, le=180, allow_inf_nan=False)]
    words: Text


class ReportIn(_Strict):
    """What the responders say they found."""

    model_config = ConfigDict(
        json_schema_extra=shown(
            {
                "incident_id": "I0001",
                "words": "a drone lay in the moat, its camera was warm",
                "parts": [{"lat_deg": 49.6102, "lon_deg": 6.1288, "words": "a rotor"}],
                "injuries": "none",
                "damage": "a window",
            }
        )
    )
    incident_id: Id
    words: Text
    parts: Annotated[list[PartIn], Field(max_length=1_000)] = []
    injuries: Text = ""
    damage: Text = ""


class AssessmentIn(_Strict):
    """A conclusion, and the evidence it rests on: tracks, alerts, `report 1`, `sighting 1`."""

    model_config = ConfigDict(
        json_schema_extra=shown(
            {
                "incident_id": "I0001",
                "conclusion": "confirmed",
                "words": "two drones, seen by radar and found",
                "evidence": ["T00012", "report 1"],
            }
        )
    )
    incident_id: Id
    conclusion: Conclusion
    words: Text
    evidence: Evidence = []


class Moving(_Strict):
    """Close or reopen an incident, and why."""

    model_config = ConfigDict(
        json_schema_extra=shown({"incident_id": "I0001", "step": "close", "why": "all is said"})
    )
    incident_id: Id
    step: IncidentStep
    why: Text


class Holding(_Strict):
    """Hold an incident or let it go, and why."""

    model_config = ConfigDict(
        json_schema_extra=shown(
            {"incident_id": "I0001", "held": False, "why": "the court has decided"}
        )
    )
    incident_id: Id
    held: bool
    why: Text


IncidentPath = Annotated[str, Path(description="as in the list", examples=["I0001"])]


@router.get("/v1/incidents", responses=READS)
async def get_incidents(
    request: Request,
    holder: Annotated[Holder, needs("incidents.list")],
) -> IncidentList:
    """All incidents in short; who opened one is for officers only."""

    named = may(holder, "incidents.list_openers")

    def look(recorded: Recorded) -> IncidentList:
        known = recorded.runtime.casebook.incidents.values()
        return IncidentList(incidents=[short(i, named) for i in known])

    return await writer_of(request).ask(look)


@router.get("/v1/incidents/{incident_id}", responses=READS | statuses(404))
async def get_incident(
    request: Request, incident_id: IncidentPath, holder: Annotated[Holder, needs("incidents.read")]
) -> IncidentWhole:
    """One incident with all that belongs to it; identities are in it, so it is for officers."""

    def look(recorded: Recorded) -> IncidentWhole | None:
        incident = recorded.runtime.casebook.incidents.get(IncidentId(incident_id))
        return None if incident is None else _whole(incident)

    found = await writer_of(request).ask(look)
    whole: IncidentWhole = found_or_404(request, found, f"incident {incident_id[:40]}")
    await looked(request, holder, f"incident {whole.incident.incident_id}")
    return whole


@router.get(
    "/v1/incidents/{incident_id}/dossier",
    response_class=Response,
    responses=READS
    | statuses(404)
    | {
        200: {
            "description": "the dossier, to be saved as a .zip file",
            "content": {"application/zip": {"schema": {"type": "string", "format": "binary"}}},
        }
    },
)
async def get_dossier(
    request: Request,
    incident_id: IncidentPath,
    holder: Annotated[Holder, needs("dossier.build")],
    withhold: Annotated[
        Names, Query(description="sensors of which nothing is shown", examples=["radar"])
    ] = [],  # noqa: B006
    withhold_kind: Annotated[
        Names, Query(description="the same by kind, or `identity`", examples=["person"])
    ] = [],  # noqa: B006
    reason: Annotated[str, Query(max_length=1_000, description="why it is withheld")] = "",
    whole: Annotated[bool, Query(description="also who is not part of the incident")] = False,
) -> Response:
    """The incident as one file that anyone can check offline; it takes some seconds.

    What is withheld is counted and named in it, with your name and the reason; that is for the
    evidence officer, as is showing everybody.
    """
    if withhold or withhold_kind or whole:
        holder_of(request, "dossier.withhold")

    def look(recorded: Recorded) -> Incident | None:
        return recorded.runtime.casebook.incidents.get(IncidentId(incident_id))

    writer = writer_of(request)
    found = await writer.ask(look)
    incident: Incident = found_or_404(request, found, f"incident {incident_id[:40]}")
    await looked(request, holder, f"dossier of incident {incident.incident_id}")
    decisions = [Withholding(holder.actor, reason, sensor=name) for name in withhold]
    decisions += [Withholding(holder.actor, reason, kind=name) for name in withhold_kind]
    published = request.app.state.log_publisher.published
    order = Order(
        tuple(decisions),
        None if published is None else published.note.to_bytes(),
        whole,
        request.app.state.stamper.after(incident),
    )
    data = await make_dossier(writer, incident, order)
    named = {"Content-Disposition": f'attachment; filename="{file_name_of(incident.incident_id)}"'}
    return Response(data, media_type="application/zip", headers=named)


async def make_dossier(writer: Writer, incident: Incident, order: Order) -> bytes:
    """The dossier from the record as it is now; the site goes on while it is made."""
    store = await writer.ask(lambda recorded: recorded.store.as_it_is())
    try:
        return await asyncio.to_thread(build_dossier, store, incident, order)
    except sqlite3.Error:
        raise UnavailableError("the record was closed while the dossier was made") from None


@router.post("/v1/commands/open_incident", responses=COMMANDS)
async def open_incident(
    request: Request, body: Opening, holder: Annotated[Holder, needs("incidents.open")]
) -> Done:
    """Gather alerts into an incident."""
    alerts = tuple(AlertId(a) for a in body.alerts)
    return await _step(request, OpenIncident(holder.actor, body.title, alerts))


@router.post("/v1/commands/file_report", responses=COMMANDS)
async def file_report(
    request: Request, body: ReportIn, holder: Annotated[Holder, needs("incidents.report")]
) -> Done:
    """File what responders reported."""
    parts = tuple(FoundPart(p.lat_deg, p.lon_deg, p.words) for p in body.parts)
    incident_id = IncidentId(body.incident_id)
    command = FileReport(holder.actor, incident_id, body.words, parts, body.injuries, body.damage)
    return await _step(request, command)


@router.post("/v1/commands/assess", responses=COMMANDS)
async def assess(
    request: Request, body: AssessmentIn, holder: Annotated[Holder, needs("incidents.assess")]
) -> Done:
    """Conclude, by name; another person may conclude otherwise."""
    command = Assess(
        holder.actor,
        IncidentId(body.incident_id),
        body.conclusion,
        body.words,
        tuple(body.evidence),
    )
    return await _step(request, command)


@router.post("/v1/commands/move_incident", responses=COMMANDS)
async def move_incident(
    request: Request, body: Moving, holder: Annotated[Holder, needs("incidents.move")]
) -> Done:
    """Close or reopen an incident."""
    command = MoveIncident(holder.actor, IncidentId(body.incident_id), body.step, body.why)
    return await _step(request, command)


@router.post("/v1/commands/hold_incident", responses=COMMANDS)
async def hold_incident(
    request: Request, body: Holding, holder: Annotated[Holder, needs("incidents.hold")]
) -> Done:
    """Keep what points to a person for an incident, or let it go; each incident begins held.

    What is let go of is destroyed when its time is over, and at once if it is over already.
    """
    command = HoldIncident(holder.actor, IncidentId(body.incident_id), body.held, body.why)
    said = await _step(request, command)
    request.app.state.retention.wake()
    return said


async def _step(request: Request, command: CaseCommand) -> Done:
    return await done(writer_of(request), [command])


def short(incident: Incident, named: bool) -> IncidentOut:
    """An incident for those who may read names, and for others."""
    return IncidentOut(
        incident_id=incident.incident_id,
        title=incident.title,
        state=incident.state,
        opened=format_moment(incident.opened_ns),
        opened_by=incident.opened_by.name if named else "",
        alerts=list(incident.alerts),
        tracks=list(incident.tracks),
        reports=len(incident.reports),
        sightings=len(incident.sightings),
        assessments=len(incident.assessments),
        held=incident.held,
    )


def _whole(incident: Incident) -> IncidentWhole:
    return IncidentWhole(
        incident=short(incident, True),
        history=[plain(event) for event in incident.history],
        sightings=[plain(event) for event in incident.sightings],
        reports=[msgspec.to_builtins(r) for r in incident.reports],
        assessments=[msgspec.to_builtins(a) for a in incident.assessments],
    )
