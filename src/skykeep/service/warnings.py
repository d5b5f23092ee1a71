"""Warnings: drafted, released by a named person, and what everybody may read of them.

Under `/public/warnings` are those in force as a page, all messages of the last day as an Atom feed
(RFC 4287), and each message as CAP 1.2; there is nothing there unless the site switched it on.
"""

from __future__ import annotations

from html import escape
from typing import Annotated

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import HTMLResponse, Response

from skykeep.codec.cap import CapSender, encode_cap, identifier_of
from skykeep.codec.moment import format_moment
from skykeep.core.warning import (
    CancelWarning,
    DraftWarning,
    PublicWarning,
    ReleaseWarning,
    WarningMessage,
    WarningState,
    WarningStep,
    WarningText,
)
from skykeep.deliver.settings import WarningSettings
from skykeep.deliver.words import LANGUAGES, say
from skykeep.errors import InputError
from skykeep.runtime import Recorded
from skykeep.service.desk import COMMANDS, READS, Done, done, needs, writer_of
from skykeep.service.dispatch import Dispatcher
from skykeep.service.examples import shown
from skykeep.service.permits_page import HEADERS, STYLE
from skykeep.service.problems import Refused
from skykeep.service.rights import may
from skykeep.service.tokens import Holder
from skykeep.service.zones import Id
from skykeep.units import NS_PER_S, ZoneId

router = APIRouter(tags=["warnings"])

#: How long a feed's readers find what was told, after which it is in the record alone.
FEED_NS = 24 * 3_600 * NS_PER_S
PREFIX = "/public/warnings"
_OPEN = {"Cache-Control": "public, no-cache", "Access-Control-Allow-Origin": "*",
         "X-Content-Type-Options": "nosniff"}  # fmt: skip


class TextModel(BaseModel):
    """A warning in one language (ISO 639-1)."""

    model_config = ConfigDict(extra="forbid")
    language: Annotated[str, Field(pattern="^[a-z]{2}$")]
    headline: Annotated[str, Field(min_length=1, max_length=160)]
    description: Annotated[str, Field(min_length=1, max_length=2_000)]
    instruction: Annotated[str, Field(max_length=2_000)] = ""


class MessageOut(BaseModel):
    """One thing that was told; `identifier` is its name in CAP."""

    identifier: str
    step: str
    at: str
    expires: str
    by: str
    texts: list[TextModel]


class WarningOut(BaseModel):
    """A warning; `texts` are those that it will be, or was last, released with."""

    warning_id: str
    state: str
    zone_id: str
    area: str
    drafted: str
    by: str
    exercise: bool
    alert_id: str | None
    texts: list[TextModel]
    messages: list[MessageOut]


class WarningList(BaseModel):
    """Warnings, oldest first; `public` says whether anybody can read them."""

    public: bool
    warnings: list[WarningOut]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Drafting(_Strict):
    """Which zone is warned about; without texts the site's own words are proposed."""

    model_config = ConfigDict(json_schema_extra=shown({"zone_id": "Z1", "exercise": True}))
    zone_id: Id
    texts: Annotated[list[TextModel], Field(max_length=20)] = []
    exercise: bool = False


class Releasing(_Strict):
    """Which warning is told to the public, for how long; texts replace those of the draft."""

    model_config = ConfigDict(json_schema_extra=shown({"warning_id": "W00001", "lasts_min": 30}))
    warning_id: Id
    texts: Annotated[list[TextModel], Field(max_length=20)] = []
    lasts_min: Annotated[float, Field(gt=0, le=1_440, allow_inf_nan=False)] | None = None


class Cancelling(_Strict):
    """Which warning is over; without texts the site's own words are told."""

    model_config = ConfigDict(json_schema_extra=shown({"warning_id": "W00001"}))
    warning_id: Id
    texts: Annotated[list[TextModel], Field(max_length=20)] = []


@router.get("/v1/warnings", responses=READS)
async def get_warnings(
    request: Request, holder: Annotated[Holder, needs("warnings.read")]
) -> WarningList:
    """The warnings that are held, drafts among them; who acted is for officers only."""
    settings, sender = _settings(request), _sender(request)
    named = may(holder, "identity.read")

    def look(recorded: Recorded) -> WarningList:
        known = recorded.runtime.airspace.warnings.warnings.values()
        told = [_warning(w, settings, sender, named) for w in known]
        return WarningList(public=settings.public, warnings=told)

    return await writer_of(request).ask(look)


@router.post("/v1/commands/draft_warning", responses=COMMANDS)
async def draft_warning(
    request: Request, body: Drafting, holder: Annotated[Holder, needs("warnings.draft")]
) -> Done:
    """Draft a warning about a zone; nobody is told before it is released."""
    texts = _texts(body.texts)
    command = DraftWarning(holder.actor, ZoneId(body.zone_id), texts, body.exercise)
    return await done(writer_of(request), [command])


@router.post("/v1/commands/release_warning", responses=COMMANDS)
async def release_warning(
    request: Request, body: Releasing, holder: Annotated[Holder, needs("warnings.release")]
) -> Done:
    """Tell the public, by name; a warning that was released is told anew, as an update."""
    settings = _settings(request)
    known = await _known(request, body.warning_id)
    texts = _texts(body.texts) or (known.texts if known else ()) or _words(known, settings, "warn")
    lasts_s = settings.lasts_s if body.lasts_min is None else body.lasts_min * 60.0
    command = ReleaseWarning(holder.actor, body.warning_id, texts, lasts_s)
    return await done(writer_of(request), [command])


@router.post("/v1/commands/cancel_warning", responses=COMMANDS)
async def cancel_warning(
    request: Request, body: Cancelling, holder: Annotated[Holder, needs("warnings.release")]
) -> Done:
    """Tell the public that it is over, or discard a draft."""
    known = await _known(request, body.warning_id)
    texts = _texts(body.texts) or _words(known, _settings(request), "over")
    return await done(writer_of(request), [CancelWarning(holder.actor, body.warning_id, texts)])


# -- for everybody ----------------------------------------------------------------------------


@router.get(PREFIX, include_in_schema=False)
async def page(request: Request) -> Response:
    """The warnings in force, in plain HTML."""
    warnings, _ = await _public(request)
    site = writer_of(request).site.name
    return HTMLResponse(page_of(site, warnings), headers=HEADERS | _OPEN)


@router.get(f"{PREFIX}.atom", include_in_schema=False)
async def feed(request: Request) -> Response:
    """What was told within the last day, newest first, each with its CAP message."""
    warnings, now_ns = await _public(request)
    text = feed_of(writer_of(request).site.name, _sender(request), warnings, now_ns)
    return Response(text, headers=_OPEN, media_type="application/atom+xml")


@router.get(f"{PREFIX}/{{identifier}}.xml", include_in_schema=False)
async def message(request: Request, identifier: str) -> Response:
    """One message as CAP 1.2; it stays as it was told."""
    warnings, _ = await _public(request)
    sender = _sender(request)
    for warning in warnings:
        for one in warning.messages:
            if identifier_of(sender, warning, one) == identifier:
                data = encode_cap(sender, warning, one)
                return Response(data, headers=_OPEN, media_type="application/cap+xml")
    raise Refused(404, request.url.path, "there is no such message", "Look at the feed")


async def _public(request: Request) -> tuple[tuple[PublicWarning, ...], int]:
    if not _settings(request).public:
        raise Refused(404, request.url.path, "there is nothing here", "Ask the site")

    def look(recorded: Recorded) -> tuple[PublicWarning, ...]:
        known = recorded.runtime.airspace.warnings.warnings.values()
        return tuple(w for w in known if w.messages)

    writer = writer_of(request)
    return await writer.ask(look), writer.now_ns()


def page_of(site: str, warnings: tuple[PublicWarning, ...]) -> str:
    """The page as HTML; everything that came in is escaped."""
    parts = [
        "<!doctype html><html lang=en><meta charset=utf-8>",
        "<meta name=viewport content='width=device-width'>",
        f"<title>{escape(site)}: warnings</title><style>{STYLE}</style>",
        f"<h1>{escape(site)}: warnings in force</h1>",
    ]
    in_force = [w for w in warnings if w.state is WarningState.RELEASED]
    for warning in reversed(in_force):
        last = warning.messages[-1]
        for text in last.texts:
            mark = say(text.language, "exercise") if text.language in LANGUAGES else "EXERCISE"
            parts.append(f"<section lang={escape(text.language)}>")
            parts.append(f"<p class=land>{escape(mark)}</p>" if warning.exercise else "")
            parts.append(f"<h2>{escape(text.headline)}</h2><p>{escape(text.description)}</p>")
            parts.append(f"<p class=land>{escape(text.instruction)}</p>")
            until = f"{format_moment(last.at_ns)} - {format_moment(last.expires_ns)}"
            parts.append(f"<p>{until}</p></section>")
    if not in_force:
        parts.append("<p>There is no warning in force.</p>")
    parts.append("<p><a href=/public/warnings.atom>Feed</a></p>")
    return "\n".join(parts) + "\n"


def feed_of(
    site: str, sender: CapSender, warnings: tuple[PublicWarning, ...], now_ns: int
) -> bytes:
    """The Atom feed."""
    told = [(m, w) for w in warnings for m in w.messages if now_ns - m.at_ns <= FEED_NS]
    told.sort(key=lambda t: -t[0].at_ns)
    updated = format_moment(told[0][0].at_ns if told else now_ns)
    parts = [
        '<?xml version="1.0" encoding="UTF-8"?>\n<feed xmlns="http://www.w3.org/2005/Atom">',
        f"<id>urn:skykeep:{escape(sender.authority_id)}:warnings</id>",
        f"<title>{escape(site)}: warnings</title><updated>{updated}</updated>",
        f"<author><name>{escape(sender.name)}</name></author>",
    ]
    for one, warning in told:
        name = escape(identifier_of(sender, warning, one))
        mark = "EXERCISE: " if warning.exercise else ""
        first = one.texts[0]
        parts.append(
            f"<entry><id>urn:skykeep:{name}</id><title>{escape(mark + first.headline)}</title>"
            f"<updated>{format_moment(one.at_ns)}</updated>"
            f'<link href="{PREFIX}/{name}.xml" type="application/cap+xml"/>'
            f"<summary>{escape(mark + first.description)}</summary></entry>"
        )
    return ("\n".join(parts) + "</feed>\n").encode()


# -- parts ------------------------------------------------------------------------------------


def _settings(request: Request) -> WarningSettings:
    settings: WarningSettings = request.app.state.warnings
    return settings


def _sender(request: Request) -> CapSender:
    settings, site = _settings(request), writer_of(request).site
    dispatcher: Dispatcher = request.app.state.dispatcher
    base = dispatcher.delivery.public_url
    events = tuple((name, say(name, "warn_event")) for name in LANGUAGES)
    web = None if base is None else f"{base}{PREFIX}"
    return CapSender(settings.sender or "unnamed", site.name, site.authority_id, events, web)


async def _known(request: Request, warning_id: str) -> PublicWarning | None:
    return await writer_of(request).ask(
        lambda recorded: recorded.runtime.airspace.warnings.warnings.get(warning_id)
    )


def _texts(given: list[TextModel]) -> tuple[WarningText, ...]:
    names = [t.language for t in given]
    if len(set(names)) < len(names):
        raise InputError("body.texts", "names a language twice", "Give each once")
    return tuple(WarningText(t.language, t.headline, t.description, t.instruction) for t in given)


def _words(
    warning: PublicWarning | None, settings: WarningSettings, what: str
) -> tuple[WarningText, ...]:
    """The site's own words, in its languages."""
    area = "" if warning is None else warning.area_name
    return tuple(
        WarningText(
            name,
            *(say(name, f"{what}_{p}", area=area) for p in (
                "headline", "description", "instruction",
            )),
        )
        for name in settings.languages
    )  # fmt: skip


def _warning(
    warning: PublicWarning, settings: WarningSettings, sender: CapSender, named: bool
) -> WarningOut:
    return WarningOut(
        warning_id=warning.warning_id,
        state=warning.state,
        zone_id=warning.zone_id,
        area=warning.area_name,
        drafted=format_moment(warning.drafted_ns),
        by=warning.by.name if named else "",
        exercise=warning.exercise,
        alert_id=warning.alert_id,
        texts=_shown(warning.texts or _words(warning, settings, "warn")),
        messages=[_message(warning, one, sender, named) for one in warning.messages],
    )


def _message(
    warning: PublicWarning, one: WarningMessage, sender: CapSender, named: bool
) -> MessageOut:
    return MessageOut(
        identifier=identifier_of(sender, warning, one),
        step=WarningStep(one.step),
        at=format_moment(one.at_ns),
        expires=format_moment(one.expires_ns),
        by=one.by.name if named else "",
        texts=_shown(one.texts),
    )


def _shown(texts: tuple[WarningText, ...]) -> list[TextModel]:
    return [
        TextModel(
            language=t.language,
            headline=t.headline,
            description=t.description,
            instruction=t.instruction,
        )
        for t in texts
    ]
