"""A zone's way into force: proposed, approved by another, in force, emergencies, versions."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from skykeep.codec import wire
from skykeep.codec.ed318_write import write_ed318
from skykeep.codec.moment import format_moment, parse_moment
from skykeep.codec.zones import ZoneFile, read_zones
from skykeep.core.event import Severity
from skykeep.core.zone import Zone, ZoneEvent, ZoneState
from skykeep.core.zone_book import ChangeZone, DeclareBan, ProposeZone, ZoneVersion, differences
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
from skykeep.service.tokens import Holder
from skykeep.service.zones import Id, Text, ZoneCollection
from skykeep.units import ZoneId

router = APIRouter(tags=["zones"])

Moment = Annotated[str, Field(max_length=40)]
#: The competent authority speaks: a watch officer only declares, puts into force and withdraws.
OFFICE_STEPS = frozenset({ZoneEvent.APPROVE, ZoneEvent.CONFIRM})


class Proposal(BaseModel):
    """New versions of zones, as ED-318; `effective` is when they are to begin once approved."""

    model_config = ConfigDict(extra="forbid")
    document: ZoneCollection
    why: Text
    effective: Moment | None = None


class Ban(BaseModel):
    """An emergency ban as ED-318; it is in force at once and names its own legal basis."""

    model_config = ConfigDict(extra="forbid")
    document: ZoneCollection
    why: Text


class ZoneStepTaken(BaseModel):
    """One step of a version; without `version` the newest that may take it."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"example": {"zone_id": "Z1", "step": "approve", "why": "as proposed"}},
    )
    zone_id: Id
    step: Literal["approve", "enter_into_force", "confirm", "withdraw"]
    why: Text = ""
    version: Annotated[int, Field(ge=1)] | None = None


class StepView(BaseModel):
    """Who did what to a version, when and why."""

    at: str
    step: str
    name: str
    role: str
    why: str


class ChangeView(BaseModel):
    """A field in which a version differs from the one before it."""

    field: str
    before: Any
    after: Any


class VersionView(BaseModel):
    """One version of a zone; in force from `since` until `until`."""

    version: int
    name: str
    state: str
    emergency: bool
    legal_basis: str
    effective: str | None
    confirm_by: str | None
    since: str | None
    until: str | None
    steps: list[StepView]
    changes: list[ChangeView]


class Versions(BaseModel):
    """A zone's versions that are held, oldest first; older ones are in the record.

    `approver_differs`: whoever proposed a version may not approve it at this site.
    """

    zone_id: str
    approver_differs: bool
    versions: list[VersionView]


class PendingZone(BaseModel):
    """A version that waits: `by` took its last step."""

    zone_id: str
    name: str
    version: int
    state: str
    emergency: bool
    by: str
    effective: str | None
    confirm_by: str | None


class PendingZones(BaseModel):
    """Versions of zones that wait for a step."""

    pending: list[PendingZone]


def _read(document: ZoneCollection) -> ZoneFile:
    """The zones of a document; all of them are understood, and others can read them too."""
    file = read_zones(msgspec.json.encode(document.model_dump()), "document")
    for finding in file.findings:
        if finding.severity is Severity.ERROR:
            raise InputError(finding.where, finding.problem, finding.mend or "Mend it")
    if not file.zones:
        raise InputError("document.features", "there are no zones", "Give at least one")
    write_ed318(file.zones)
    return file


def _told(done_: Done, file: ZoneFile) -> Done:
    said = [
        {"where": f.where, "problem": f.problem, "assumed": f.assumed, "severity": str(f.severity)}
        for f in file.findings
    ]
    return done_.model_copy(update={"findings": said})


@router.post("/v1/commands/propose_zones", responses=COMMANDS)
async def propose_zones(
    request: Request,
    body: Proposal,
    holder: Annotated[Holder, needs("zones.propose")],
) -> Done:
    """Propose new versions of zones; what is in force stays so until another person approves."""
    file = _read(body.document)
    effective_ns = None if body.effective is None else parse_moment(body.effective, "effective")
    commands = [ProposeZone(holder.actor, z, body.why, effective_ns) for z in file.zones]
    return _told(await done(writer_of(request), commands), file)


@router.post("/v1/commands/declare_ban", responses=COMMANDS)
async def declare_ban(
    request: Request,
    body: Ban,
    holder: Annotated[Holder, needs("zones.declare")],
) -> Done:
    """Ban at once in an emergency; it lapses unless the permit office confirms it in time."""
    file = _read(body.document)
    commands = [DeclareBan(holder.actor, zone, body.why) for zone in file.zones]
    return _told(await done(writer_of(request), commands), file)


@router.post("/v1/commands/change_zone", responses=COMMANDS)
async def change_zone(
    request: Request,
    body: ZoneStepTaken,
    holder: Annotated[Holder, needs("zones.change")],
) -> Done:
    """One step of a zone's lifecycle. To approve and to confirm is the permit office's."""
    event = ZoneEvent(body.step)
    if event in OFFICE_STEPS:
        holder_of(request, "zones.approve")
    command = ChangeZone(holder.actor, ZoneId(body.zone_id), event, body.why, body.version)
    return await done(writer_of(request), [command])


@router.get("/v1/zones/versions", responses={**READS, **problems(404)})
async def get_versions(
    request: Request,
    zone_id: Annotated[str, Query(max_length=200, description="of which zone", examples=["Z1"])],
    holder: Annotated[Holder, needs("zones.read")],
) -> Versions:
    """Every held version of a zone: who did what to it and why, and what each one changed."""

    def look(recorded: Recorded) -> tuple[ZoneVersion, ...]:
        return recorded.runtime.airspace.zone_book.versions(ZoneId(zone_id))

    found = found_or_404(request, (await writer_of(request).ask(look)) or None, f"zone {zone_id}")
    before = [None, *(v.zone for v in found[:-1])]
    views = [_view(v, old) for v, old in zip(found, before, strict=True)]
    differs = writer_of(request).site.zone_policy.approver_differs
    return Versions(zone_id=zone_id, approver_differs=differs, versions=views)


@router.get("/v1/zones/pending", responses=READS)
async def get_pending(
    request: Request,
    holder: Annotated[Holder, needs("zones.pending")],
) -> PendingZones:
    """Versions that wait for somebody: to be approved, to begin, or to be confirmed."""

    def look(recorded: Recorded) -> list[PendingZone]:
        held = recorded.runtime.airspace.zone_book.all_versions()
        return [_pending(v) for v in held if _waits(v)]

    return PendingZones(pending=await writer_of(request).ask(look))


def _waits(version: ZoneVersion) -> bool:
    state = version.zone.state
    if state is ZoneState.IN_FORCE:
        return version.confirm_by_ns is not None
    return state in (ZoneState.PROPOSED, ZoneState.APPROVED)


def _pending(version: ZoneVersion) -> PendingZone:
    last = version.steps[-1] if version.steps else None
    return PendingZone(
        zone_id=version.zone.zone_id,
        name=version.zone.name,
        version=version.number,
        state=version.zone.state.value,
        emergency=version.zone.emergency,
        by="" if last is None else last.actor.name,
        effective=_moment(version.effective_ns),
        confirm_by=_moment(version.confirm_by_ns),
    )


@router.get("/v1/zones/at", response_model=ZoneCollection, responses=READS)
async def get_zones_at(
    request: Request,
    at: Annotated[str, Query(max_length=40, description="RFC 3339, with a zone")],
    holder: Annotated[Holder, needs("zones.read")],
) -> Response:
    """What was in force at a moment, as ED-318."""
    at_ns = parse_moment(at, "at")

    def look(recorded: Recorded) -> bytes:
        airspace = recorded.runtime.airspace
        zones = [v.zone for v in airspace.zone_book.in_force_at(at_ns) if v.zone.readable]
        return write_ed318(zones, name=airspace.site.name)

    return Response(await writer_of(request).ask(look), media_type="application/json")


def _view(version: ZoneVersion, before: Zone | None) -> VersionView:
    zone = version.zone
    changes = () if before is None else differences(before, zone)
    return VersionView(
        version=version.number,
        name=zone.name,
        state=zone.state.value,
        emergency=zone.emergency,
        legal_basis=zone.legal_basis,
        effective=_moment(version.effective_ns),
        confirm_by=_moment(version.confirm_by_ns),
        since=_moment(version.since_ns),
        until=_moment(version.until_ns),
        steps=[
            StepView(
                at=format_moment(s.at_ns),
                step=s.event.value,
                name=s.actor.name,
                role=s.actor.role,
                why=s.why,
            )
            for s in version.steps
        ],
        changes=[
            ChangeView(field=c.field, before=_plain(c.before), after=_plain(c.after))
            for c in changes
        ],
    )


def _moment(at_ns: int | None) -> str | None:
    return None if at_ns is None else format_moment(at_ns)


def _plain(value: object) -> Any:
    return msgspec.json.decode(wire.encode(value))
