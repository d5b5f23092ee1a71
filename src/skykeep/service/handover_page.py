"""A hand-over's own page, for its recipient alone: the link is the key. Plain HTML, no script.

Looking changes nothing (mail scanners follow links). What the recipient does is a button:
acknowledge, or report what became of it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape
from urllib.parse import parse_qs

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from skykeep.codec.moment import format_moment
from skykeep.core.casebook import ReportedOutcome, ResponderReport
from skykeep.core.event import Actor
from skykeep.core.handover import OPEN_STATES, AcknowledgeHandover, Handover, HandoverState
from skykeep.deliver.message import HandoverMessage
from skykeep.errors import InputError
from skykeep.runtime import Recorded
from skykeep.service.desk import carry_out, writer_of
from skykeep.service.dispatch import Dispatcher
from skykeep.service.handovers import file_back
from skykeep.service.permit_keys import HANDOVER_LABEL
from skykeep.service.permits_page import HEADERS, STYLE, Secret
from skykeep.service.problems import Refused

router = APIRouter(include_in_schema=False)

ACKNOWLEDGE, REPORT = "acknowledge", "report"
MAX_WORDS, MAX_NAME = 2_000, 100


@router.get("/answer/{secret}/{handover_id}")
async def handover_page(request: Request, secret: Secret, handover_id: str) -> Response:
    """The page of one hand-over."""
    handover, message, reports = await _found(request, secret, handover_id)
    return HTMLResponse(page_of(handover, message, reports), headers=HEADERS)


@router.post("/answer/{secret}/{handover_id}")
async def handover_step(request: Request, secret: Secret, handover_id: str) -> Response:
    """What the recipient does; then the page again."""
    handover, _, _ = await _found(request, secret, handover_id)
    form = parse_qs((await request.body()).decode("utf-8", "replace"), max_num_fields=40)
    name = _field(form, "name", MAX_NAME)
    if not name:
        raise InputError("name", "is empty", "Say who you are: it becomes part of the record")
    actor = Actor(name, f"recipient {handover.recipient}, by link")
    step = _field(form, "step", 20)
    if step == ACKNOWLEDGE:
        if handover.state in OPEN_STATES:  # pressed twice is pressed once
            words = _field(form, "words", MAX_WORDS)
            command = AcknowledgeHandover(actor, handover.handover_id, words)
            await carry_out(writer_of(request), [command])
    elif step == REPORT and handover.alert_id is not None:
        await file_back(request, handover, _report(form, handover, actor), actor)
    else:
        raise InputError("step", "is none of this page", "Use its buttons")
    return RedirectResponse(request.url.path, 303, HEADERS)


def _field(form: dict[str, list[str]], name: str, most: int) -> str:
    text = form.get(name, [""])[0].strip()
    if len(text) > most:
        raise InputError(name, f"is over {most} characters", "Shorten it")
    return text


def _report(form: dict[str, list[str]], handover: Handover, actor: Actor) -> ResponderReport:
    given = [text for text in form.get("outcome", []) if text in list(ReportedOutcome)]
    outcomes = tuple(dict.fromkeys(ReportedOutcome(text) for text in given))
    words, injuries, damage = (
        _field(form, name, MAX_WORDS) for name in ("words", "injuries", "damage")
    )
    if injuries and ReportedOutcome.INJURIES not in outcomes:
        outcomes = (*outcomes, ReportedOutcome.INJURIES)
    if damage and ReportedOutcome.DAMAGE not in outcomes:
        outcomes = (*outcomes, ReportedOutcome.DAMAGE)
    if not (outcomes or words):
        raise InputError("words", "the report says nothing", "Tick a box or give words")
    lat, lon = (_degrees(form, name, most) for name, most in (("lat", 90.0), ("lon", 180.0)))
    if (lat is None) != (lon is None):
        raise InputError("lon", "one of two numbers of a place is missing", "Give both or none")
    return ResponderReport(
        0, actor, words, (), injuries, damage, outcomes, lat, lon, handover.handover_id
    )


def _degrees(form: dict[str, list[str]], name: str, most: float) -> float | None:
    text = _field(form, name, 20).replace(",", ".")
    if not text:
        return None
    try:
        degrees = float(text)
    except ValueError:
        degrees = math.nan
    if not abs(degrees) <= most:
        raise InputError(name, f"is {text}", f"Give degrees from -{most:g} to {most:g}")
    return degrees


async def _found(
    request: Request, secret: str, handover_id: str
) -> tuple[Handover, HandoverMessage, tuple[ResponderReport, ...]]:
    dispatcher: Dispatcher = request.app.state.dispatcher

    def look(recorded: Recorded) -> tuple[Handover | None, tuple[ResponderReport, ...]]:
        incidents = recorded.runtime.casebook.incidents.values()
        reports = (r for i in incidents for r in i.reports if r.handover_id == handover_id)
        known = recorded.runtime.airspace.handovers.handovers.get(handover_id)
        return known, tuple(reports)

    opens = dispatcher.outbox.keys.opens(handover_id, secret, HANDOVER_LABEL)
    handover, reports = await writer_of(request).ask(look) if opens else (None, ())
    settings = None if handover is None else dispatcher.settings.get(handover.recipient)
    if handover is None or settings is None:
        words = "leads to nothing that was handed over"
        raise Refused(404, "the link", words, "Use the link that you were sent")
    return handover, await dispatcher.message(handover, settings), reports


def page_of(
    handover: Handover, message: HandoverMessage, reports: Sequence[ResponderReport]
) -> str:
    """The page as HTML; everything that came in is escaped."""
    title = f"{message.site}: {handover.handover_id}"
    parts = [
        "<!doctype html><html lang=en><meta charset=utf-8>",
        "<meta name=viewport content='width=device-width'>",
        f"<title>{escape(title)}</title><style>{STYLE}</style>",
        f"<h1>{escape(title)}</h1>",
    ]
    parts += [f"<p>{escape(line)}</p>" for line in _lines(message)]
    if handover.answered_by is not None and handover.answered_ns is not None:
        when = format_moment(handover.answered_ns)
        parts.append(
            f"<p class=land>Acknowledged by {escape(handover.answered_by.name)}, {when}.</p>"
        )
    elif handover.state in OPEN_STATES:
        parts.append(
            f"<form method=post>{_text('name', 'Your name', MAX_NAME, required=True)}"
            f"<button name=step value={ACKNOWLEDGE}>I have it</button></form>"
        )
    for report in reports:
        what = ", ".join(o.value.replace("_", " ") for o in report.outcomes)
        said = f"{format_moment(report.at_ns)}, {report.author.name}: {what} {report.words}"
        parts.append(f"<p>Reported {escape(said)}</p>")
    if handover.alert_id is not None and handover.state is not HandoverState.WITHDRAWN:
        parts.append(_form())
    return "\n".join(parts) + "\n"


def _lines(message: HandoverMessage) -> list[str]:
    """The words of the message, without the link to this very page."""
    lines = message.words.splitlines()
    return [line for line in lines if line and not (message.link and message.link in line)]


def _form() -> str:
    boxes = "".join(
        f"<label><input type=checkbox name=outcome value={o.value}> "
        f"{escape(o.value.replace('_', ' '))}</label><br>"
        for o in ReportedOutcome
    )
    return (
        f"<h2>Report</h2><form method=post>{_text('name', 'Your name', MAX_NAME, required=True)}"
        f"<fieldset><legend>What became of it</legend>{boxes}</fieldset>"
        f"{_text('lat', 'Where: latitude, degrees', 20)}"
        f"{_text('lon', 'Where: longitude, degrees', 20)}"
        f"{_text('injuries', 'Injuries', MAX_WORDS)}{_text('damage', 'Damage', MAX_WORDS)}"
        f"<p><label>In words<br><textarea name=words rows=4 maxlength={MAX_WORDS}></textarea>"
        f"</label></p><button name=step value={REPORT}>Send the report</button></form>"
    )


def _text(name: str, words: str, most: int, required: bool = False) -> str:
    need = " required" if required else ""
    return f"<p><label>{words}<br><input name={name} maxlength={most}{need}></label></p>"
