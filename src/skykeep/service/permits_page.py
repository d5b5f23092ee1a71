"""A permit's own page, for its holder alone: the link is the key. Plain HTML, no script.

It shows the present state, why, by when to land, and how to appeal. Looking changes nothing
(mail scanners follow links); what the holder does is a button: seen, answer, before take-off,
after landing.
"""

from __future__ import annotations

from html import escape
from typing import Annotated
from urllib.parse import parse_qs

from fastapi import APIRouter, Path, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from skykeep.codec.moment import format_moment
from skykeep.core.event import Actor
from skykeep.core.permit import (
    PERMIT_TRANSITIONS,
    ChangePermit,
    Permit,
    PermitEvent,
    PermitState,
)
from skykeep.core.permit_book import PAGE, Notice, ReportDelivery
from skykeep.errors import InputError
from skykeep.runtime import Recorded
from skykeep.service.desk import carry_out, writer_of
from skykeep.service.looks import Looks
from skykeep.service.outbox import Outbox
from skykeep.service.problems import Refused
from skykeep.service.writer import Item
from skykeep.units import PermitId

router = APIRouter(include_in_schema=False)

#: What a holder may do, and the words on the button.
HOLDER_STEPS = {
    PermitEvent.ACTIVATE: "Before take-off: activate",
    PermitEvent.END: "After landing: end",
    PermitEvent.ANSWER: "Send the answer",
}
SEEN = "seen"
MAX_ANSWER = 2_000
#: Of a page whose address is a secret.
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
    "Referrer-Policy": "no-referrer",  # the address is a secret
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex",
}
STYLE = """body{font:18px/1.5 system-ui,sans-serif;max-width:38rem;margin:1.5rem auto;
padding:0 1rem}h1{font-size:1.4rem}.land{border:3px solid;padding:.6rem;font-weight:700}
button{font:inherit;padding:.6rem 1rem;margin:.3rem 0}textarea{width:100%;font:inherit}
@media(prefers-color-scheme:dark){body{background:#151515;color:#ddd}}"""
Secret = Annotated[str, Path(max_length=100)]


@router.get("/permit/{secret}/{permit_id:path}")
async def permit_page(request: Request, secret: Secret, permit_id: str) -> Response:
    """The page of one permit."""
    permit, notices, site = await _found(request, secret, permit_id)
    # Who opened it is not known, only that the secret link was used: the name stays sealed.
    looks: Looks = request.app.state.looks
    await looks.note(Actor(f"link of {permit.permit_id}", "holder"), f"permit {permit.permit_id}")
    return HTMLResponse(page_of(permit, notices, site), headers=HEADERS)


@router.post("/permit/{secret}/{permit_id:path}")
async def permit_step(request: Request, secret: Secret, permit_id: str) -> Response:
    """A step by the holder; then the page again."""
    permit, notices, _ = await _found(request, secret, permit_id)
    form = parse_qs((await request.body()).decode("utf-8", "replace"), max_num_fields=10)
    step, words = (form.get(name, [""])[0].strip() for name in ("step", "words"))
    actor = Actor(permit.holder.strip() or f"holder of {permit.permit_id}", "holder")
    items: list[Item]
    if step == SEEN:
        # The e-mail may still be on its way; the page has told it already.
        items = [ReportDelivery(actor, n.notice_id, PAGE, True, "") for n in notices]
    elif step in HOLDER_STEPS:
        if len(words) > MAX_ANSWER:
            raise InputError("words", f"is over {MAX_ANSWER} characters", "Shorten it")
        items = [ChangePermit(actor, permit.permit_id, PermitEvent(step), words)]
    else:
        raise InputError("step", "is none of this page", "Use its buttons")
    if items:
        await carry_out(writer_of(request), items)
    return RedirectResponse(request.url.path, 303, HEADERS)


async def _found(
    request: Request, secret: str, permit_id: str
) -> tuple[Permit, tuple[Notice, ...], str]:
    outbox: Outbox = request.app.state.outbox

    def look(recorded: Recorded) -> tuple[Permit | None, tuple[Notice, ...]]:
        book = recorded.runtime.airspace.book
        own = (p for p in book.permits() if p.permit_id == PermitId(permit_id))
        notices = tuple(n for n in book.notices() if n.permit_id == permit_id)
        return next(own, None), notices

    known = outbox.keys.opens(permit_id, secret)
    permit, notices = await writer_of(request).ask(look) if known else (None, ())
    if permit is None:
        raise Refused(404, "the link", "leads to no permit", "Use the link that you were sent")
    return permit, notices, writer_of(request).site.name


def page_of(permit: Permit, notices: tuple[Notice, ...], site: str) -> str:
    """The page as HTML; everything that came in is escaped."""
    procedure = permit.procedure
    state = permit.state.value.replace("_", " ")
    since = f", since {format_moment(permit.state_since_ns)}" if permit.state_since_ns else ""
    rows = [
        ("Reason", permit.state_why),
        ("Asked of you", procedure.question),
        ("Decision due by", _moment(procedure.decide_by_ns)),
        *(("Condition", condition) for condition in permit.conditions),
        ("Aircraft", ", ".join(permit.serials)),
        ("Zones", ", ".join(permit.zones)),
        *(
            ("Time", f"{_moment(v.start_ns) or 'open'} to {_moment(v.end_ns) or 'open'}")
            for v in permit.volumes
        ),
        ("How to appeal", procedure.appeal),
    ]
    parts = [
        "<!doctype html><html lang=en><meta charset=utf-8>",
        "<meta name=viewport content='width=device-width'>",
        f"<title>Permit {escape(permit.permit_id)}</title><style>{STYLE}</style>",
        f"<h1>Permit {escape(permit.permit_id)}: {escape(state)}</h1>",
        f"<p>{escape(site)}{escape(since)}</p>",
    ]
    if procedure.land_by_ns is not None and permit.state in (
        PermitState.SUSPENDED,
        PermitState.REVOKED,
        PermitState.EXPIRED,
    ):
        by = escape(format_moment(procedure.land_by_ns))
        parts.append(f"<p class=land role=alert>Land now, at the latest by {by}.</p>")
    parts.append("<dl>")
    parts += [f"<dt>{escape(n)}</dt><dd>{escape(text)}</dd>" for n, text in rows if text]
    parts.append("</dl>")
    if notices:
        parts.append(_button(SEEN, "I have read this"))
    for step, words in HOLDER_STEPS.items():
        if (permit.state, step) in PERMIT_TRANSITIONS:
            parts.append(_button(step.value, words, step is PermitEvent.ANSWER))
    return "\n".join(parts) + "\n"


def _moment(at_ns: int | None) -> str:
    return "" if at_ns is None else format_moment(at_ns)


def _button(step: str, words: str, asks: bool = False) -> str:
    field = (
        f"<p><label>Your answer<br><textarea name=words rows=4 maxlength={MAX_ANSWER} required>"
        "</textarea></label>"
        if asks
        else ""
    )
    return (
        f"<form method=post>{field}<button name=step value={step}>{escape(words)}</button></form>"
    )
