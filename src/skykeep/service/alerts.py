"""Alerts, and what people do about them."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from skykeep.codec.moment import format_moment, parse_moment
from skykeep.core.alarm import AlarmCommand
from skykeep.core.alert import (
    AcknowledgeAlert,
    Alert,
    AlertState,
    CloseAlert,
    HandOverAlert,
    RaiseTestAlert,
    ShelveAlert,
    UnshelveAlert,
)
from skykeep.core.event import Reason
from skykeep.runtime import Recorded
from skykeep.service.desk import COMMANDS, READS, Done, done, holder_of, needs, writer_of
from skykeep.service.looks import looked
from skykeep.service.rights import OFFICERS_SHELF_NS, may
from skykeep.service.tokens import Holder
from skykeep.service.zones import Id, Text
from skykeep.units import AlertId

router = APIRouter(tags=["alerts"])


class ReasonOut(BaseModel):
    """A stable code, and the same in words; these may name an aircraft: for officers only."""

    code: str
    words: str


class AlertOut(BaseModel):
    """One alert; `priority` 1 is the highest, `active` says whether its cause goes on,
    `test` that nothing is there and the alarm is tried."""

    alert_id: str
    state: AlertState
    active: bool
    priority: int
    tracks: list[str]
    zones: list[str]
    permission: str
    reasons: list[ReasonOut]
    raised: str
    shelved_until: str | None
    test: bool


class AlertList(BaseModel):
    """Alerts, oldest first."""

    alerts: list[AlertOut]


class AlertStep(BaseModel):
    """Which alert."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"alert_id": "A00001"}})
    alert_id: Id


class HandOver(AlertStep):
    """Which alert, and to whom: a recipient of the site is sent it until it answers, anybody else
    was told by voice."""

    model_config = ConfigDict(
        json_schema_extra={"example": {"alert_id": "A00001", "recipient": "police patrol 4"}}
    )
    recipient: Annotated[str, Field(min_length=1, max_length=200)]
    note: Text = ""


class Closing(AlertStep):
    """Which alert, and why nothing is left to do."""

    model_config = ConfigDict(
        json_schema_extra={"example": {"alert_id": "A00001", "why": "the drone has left"}}
    )
    why: Text


class Shelving(AlertStep):
    """Which alert, until when (RFC 3339 with a zone), and why."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "alert_id": "A00001",
                "until": "2026-09-12T01:00:00Z",
                "why": "a kite of the school, seen from the gate",
            }
        }
    )
    until: Annotated[str, Field(max_length=40)]
    why: Text


class Testing(BaseModel):
    """Why the alarm is tried."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"example": {"why": "the test of every Monday"}}
    )
    why: Text


@router.get("/v1/alerts", responses=READS)
async def get_alerts(
    request: Request,
    holder: Annotated[Holder, needs("alerts.read")],
    closed: Annotated[bool, Query(description="those that are closed too")] = True,
) -> AlertList:
    """The alerts that are held; `closed=false` leaves out those that are closed."""

    named = may(holder, "identity.read")
    if named:
        await looked(request, holder, "alerts")

    def look(recorded: Recorded) -> AlertList:
        alerts = recorded.runtime.airspace.alerts()
        shown = [a for a in alerts if closed or a.state is not AlertState.CLOSED]
        return AlertList(alerts=[_alert(a, named) for a in shown])

    return await writer_of(request).ask(look)


@router.post("/v1/commands/acknowledge_alert", responses=COMMANDS)
async def acknowledge_alert(
    request: Request, body: AlertStep, holder: Annotated[Holder, needs("alerts.acknowledge")]
) -> Done:
    """Somebody has seen the alert."""
    return await _step(request, AcknowledgeAlert(holder.actor, AlertId(body.alert_id)))


@router.post("/v1/commands/hand_over_alert", responses=COMMANDS)
async def hand_over_alert(
    request: Request, body: HandOver, holder: Annotated[Holder, needs("alerts.hand_over")]
) -> Done:
    """Hand the alert to whoever may respond: by the system to one of the site's recipients, which
    `changed` then shows, or by voice to anybody else."""
    alert_id = AlertId(body.alert_id)
    command = HandOverAlert(holder.actor, alert_id, body.recipient, body.note)
    said = await _step(request, command)
    if not any(c["event_name"] == "HandoverChanged" for c in said.changed):
        problem = f"{body.recipient!r} is no recipient of this site: nothing is sent to it"
        assumed = "that it was told by voice"
        said.findings.append({"where": "recipient", "problem": problem, "assumed": assumed})
    return said


@router.post("/v1/commands/close_alert", responses=COMMANDS)
async def close_alert(
    request: Request, body: Closing, holder: Annotated[Holder, needs("alerts.close")]
) -> Done:
    """Nothing is left to do about the alert."""
    return await _step(request, CloseAlert(holder.actor, AlertId(body.alert_id), body.why))


@router.post("/v1/commands/shelve_alert", responses=COMMANDS)
async def shelve_alert(
    request: Request, body: Shelving, holder: Annotated[Holder, needs("alerts.shelve")]
) -> Done:
    """Be quiet about the alert until a moment; for more than 4 hours only the shift lead may."""
    until_ns = parse_moment(body.until, "body.until")
    if until_ns - writer_of(request).now_ns() > OFFICERS_SHELF_NS:
        holder = holder_of(request, "alerts.shelve_long")
    command = ShelveAlert(holder.actor, AlertId(body.alert_id), until_ns, body.why)
    return await _step(request, command)


@router.post("/v1/commands/unshelve_alert", responses=COMMANDS)
async def unshelve_alert(
    request: Request, body: AlertStep, holder: Annotated[Holder, needs("alerts.shelve")]
) -> Done:
    """Bring a shelved alert back."""
    return await _step(request, UnshelveAlert(holder.actor, AlertId(body.alert_id)))


@router.post("/v1/commands/raise_test_alert", responses=COMMANDS)
async def raise_test_alert(
    request: Request, body: Testing, holder: Annotated[Holder, needs("alerts.test")]
) -> Done:
    """Try the whole line by an alert that is marked as a test: it is told and escalated as any
    other until somebody acknowledges it, and goes to no recipient."""
    return await _step(request, RaiseTestAlert(holder.actor, body.why))


async def _step(request: Request, command: AlarmCommand) -> Done:
    return await done(writer_of(request), [command])


def reasons_out(reasons: tuple[Reason, ...], named: bool) -> list[ReasonOut]:
    """Reasons as they are told to those who may read names, and to others."""
    return [ReasonOut(code=r.code, words=r.words if named else "") for r in reasons]


def _alert(alert: Alert, named: bool) -> AlertOut:
    until_ns = alert.shelved_until_ns
    return AlertOut(
        alert_id=alert.alert_id,
        state=alert.state,
        active=alert.active,
        priority=alert.priority,
        tracks=list(alert.tracks),
        zones=list(alert.zones),
        permission=alert.permission,
        reasons=reasons_out(alert.reasons, named),
        raised=format_moment(alert.raised_ns),
        shelved_until=None if until_ns is None else format_moment(until_ns),
        test=alert.test,
    )
