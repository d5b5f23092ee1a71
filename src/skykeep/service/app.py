"""The application: all routes, one form of errors, a guard in front."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from functools import partial

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import WebSocketRoute

from skykeep import __version__
from skykeep.config import (
    Delivery,
    FeedSettings,
    PublicSettings,
    TimestampPlace,
    WatchdogSettings,
    WitnessPlace,
)
from skykeep.core.observation import Sensor
from skykeep.core.retention import RetentionPolicy
from skykeep.deliver.settings import RecipientSettings, WarningSettings
from skykeep.service import (
    alerts,
    batches,
    coverage,
    feeds,
    handover_page,
    handovers,
    health,
    history,
    incidents,
    looks,
    metrics,
    observations,
    permits,
    permits_card,
    permits_exempt,
    permits_page,
    problems,
    public,
    receipts,
    sightings,
    streams,
    tiles,
    timestamps,
    tracks,
    warnings,
    zone_steps,
    zones,
)
from skykeep.service.auth import me, me_page, pages
from skykeep.service.auth.people import People
from skykeep.service.auth.sign_in import SignIn, record_note
from skykeep.service.desk import show_budgets
from skykeep.service.dispatch import Dispatcher
from skykeep.service.docs_page import docs_page
from skykeep.service.examples import show_answers
from skykeep.service.guard import Guard
from skykeep.service.hub import Hub
from skykeep.service.ingest import Ingest
from skykeep.service.live import Live
from skykeep.service.metrics import Metrics
from skykeep.service.outbox import Outbox
from skykeep.service.publication import Publisher
from skykeep.service.publish_log import LogPublisher
from skykeep.service.rates import Rates
from skykeep.service.retention import Retention
from skykeep.service.telemetry import Telemetry
from skykeep.service.tokens import Tokens
from skykeep.service.troubles import Troubles
from skykeep.service.watchdog import Watchdog
from skykeep.service.web_page import Page, router_of
from skykeep.service.web_socket import Sockets
from skykeep.service.writer import Writer

_ABOUT = """One site's no-drone zones, permits, tracks, alerts and incidents.

Whatever is answered with 200 is durable. Errors are `{"where", "problem", "mend"}`. Who acts,
and in which role, comes from the token. Times are RFC 3339 with a zone.

Under `/log/`, without a token, is the record as a public log: tiles, the published head, receipts
(docs/witnesses.md).

Two WebSockets stand beside these routes: `/v1/live` tells what the site sees now, as MessagePack
(docs/live-stream.md); `/v1/ingest` takes what `POST /v1/batches` takes, one batch a message, and
answers each in order. Both want the token in the header, or as a first message
`{"token": "TOKEN"}`."""


def create_app(
    writer: Writer,
    tokens: Tokens,
    page: Page | None = None,
    delivery: Delivery | None = None,
    shown: PublicSettings | None = None,
    witnesses: Sequence[WitnessPlace] = (),
    retention: RetentionPolicy | None = None,
    fed: tuple[Sequence[FeedSettings], Sequence[Sensor]] = ((), ()),
    recipients: Sequence[RecipientSettings] = (),
    stamps: Sequence[TimestampPlace] = (),
    warn: WarningSettings | None = None,
    watchdog: WatchdogSettings | None = None,
) -> FastAPI:
    """The service over a writer that somebody else starts and runs.

    So is the hub of the live stream, `app.state.hub`: without its `run`, listeners hear nothing;
    and `app.state.outbox`: without its `run`, no holder of a permit is told, as without that of
    `app.state.dispatcher` no recipient of a hand-over; `app.state.publisher`
    keeps the public folder in its `run`; `app.state.log_publisher` asks the witnesses in its
    `run`, `app.state.stamper` the time-stamp authorities; `app.state.retention` destroys what is
    due in its own, `app.state.looks` counts who looked in its own, and `app.state.feeds` bring what
    `fed` names, for those sensors, in theirs;
    `app.state.history` keeps the history in its `run`, and is asked without it too;
    `app.state.troubles.disk` measures the disk in its own, `app.state.watchdog` tells the outside
    watchdog in its own.
    """
    page = page or Page()
    app = FastAPI(
        title="Skykeep",
        version=__version__,
        description=_ABOUT,
        docs_url=None,  # FastAPI's pages load scripts from elsewhere
        redoc_url=None,
    )
    app.state.writer, app.state.tokens = writer, tokens
    people = People(writer.folder)
    sign_in = app.state.sign_in = SignIn(people, writer.now_ns, partial(record_note, writer))
    app.state.secure_cookies = (delivery or Delivery()).public_url is not None
    sockets = Sockets(tokens, sign_in.stands)
    app.state.looks, app.state.reading_coverage = looks.Looks(writer), asyncio.Lock()
    app.state.hub = Hub(writer, sockets, page, app.state.looks)
    app.state.outbox = Outbox(writer, delivery or Delivery())
    warn = warn or WarningSettings()
    app.state.dispatcher = Dispatcher(
        writer, app.state.outbox, delivery or Delivery(), recipients, warn.drafting
    )
    app.state.streams = streams.Streams(app.state.dispatcher, app.state.hub)
    app.state.publisher = Publisher(writer, shown or PublicSettings())
    app.state.retention = Retention(writer, retention or RetentionPolicy())
    app.state.feeds = feeds.Feeds(writer, *fed, writer.now_ns)
    told = None if shown is None else shown.sightings
    app.state.sightings = sightings.Sightings(writer, told, fed[1])
    app.state.history = history.Keeper(writer)
    app.state.log_tiles = tiles.LogTiles(writer)
    app.state.log_publisher = LogPublisher(writer, app.state.log_tiles, witnesses)
    problems.install(app)
    stamper = app.state.stamper = timestamps.Stamper(writer, stamps)
    watch = app.state.watchdog = Watchdog(writer, app.state.hub, watchdog)
    app.state.troubles = app.state.hub.troubles = Troubles(
        writer, app.state.feeds, app.state.log_publisher, stamper, lambda: watch.problem
    )
    for room in (tiles, receipts, timestamps):
        app.include_router(room.router)
    for room in (health, metrics, batches, observations, zones, permits, tracks, alerts, incidents):
        app.include_router(room.router)
    app.include_router(feeds.router)
    app.include_router(sightings.router)
    for room in (permits_card, permits_exempt, permits_page, zone_steps, looks, history, coverage):
        app.include_router(room.router)
    app.state.warnings = warn
    for room in (handovers, handover_page, streams, warnings):
        app.include_router(room.router)

    generated = app.openapi
    app.openapi = lambda: show_budgets(show_answers(generated()))  # type: ignore[method-assign]

    @app.get("/docs", include_in_schema=False)
    async def docs(request: Request) -> HTMLResponse:
        return HTMLResponse(docs_page(app.openapi()))

    app.router.routes.append(WebSocketRoute("/v1/live", Live(app.state.hub)))
    app.router.routes.append(WebSocketRoute("/v1/ingest", Ingest(writer, sockets)))
    app.include_router(pages.router)
    app.include_router(me.router)
    app.include_router(me_page.router)
    app.include_router(public.router_of(app.state.publisher, page.folder))
    app.include_router(router_of(page))
    app.state.rates = Rates(time.monotonic_ns)
    app.state.metrics = Metrics(app.state.hub, app.state.log_publisher, app.state.rates)
    app.add_middleware(Guard, tokens=tokens, sign_in=sign_in)
    app.add_middleware(Telemetry, metrics=app.state.metrics)
    return app
