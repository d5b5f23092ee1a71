"""How the service does, and the record's newest checkpoint: for everybody, without a token."""

from __future__ import annotations

import base64

from fastapi import APIRouter, Request
from pydantic import BaseModel
from starlette.responses import JSONResponse, PlainTextResponse, Response

from skykeep import __version__
from skykeep.codec.moment import format_moment
from skykeep.service.desk import problems, writer_of
from skykeep.service.examples import CHECKPOINT, text_answer

router = APIRouter(tags=["service"])


class Head(BaseModel):
    """The record's newest checkpoint in short: entries and their root (base64)."""

    size: int
    root: str


class Published(BaseModel):
    """The head that a quorum of witnesses has cosigned: its entries, how long ago it was the
    newest, and the entries that each witness has cosigned. Without witnesses, what is signed."""

    entries: int
    lag_s: float
    quorum: int
    witnesses: dict[str, int]
    problem: str


class TroubleOut(BaseModel):
    """One thing that is wrong with the watch; `grave`: something may be missed."""

    what: str
    name: str
    words: str
    grave: bool
    since: str


class Health(BaseModel):
    """Whether all is well. `shed` counts what was turned away since the start; `feeds` and
    `timestamps` say what is wrong with each, nothing where all is well; `troubles` tells all
    that is wrong with the watch, the grave first; `clock_back_s` is
    how far the machine's clock is behind the record, which was kept while it was ahead."""

    ok: bool
    problem: str
    version: str
    site: str
    entries: int
    checkpoint: Head
    published: Published
    sensors: dict[str, str]
    feeds: dict[str, str]
    timestamps: dict[str, str]
    troubles: list[TroubleOut]
    clock_back_s: float
    waiting: int
    shed_requests: int
    shed_observations: int


@router.get("/health", response_model=Health, responses={503: {"model": Health}})
async def get_health(request: Request) -> Response:
    """Whether the service takes what is sent; status 503 while it does not."""
    writer = writer_of(request)
    recorded = writer.look()
    stations = () if recorded is None else recorded.runtime.airspace.stations()
    problem = writer.problem or request.app.state.tokens.problem
    found = Health(
        ok=not problem,
        problem=problem,
        version=__version__,
        site=writer.site.name,
        entries=writer.size,
        checkpoint=Head(size=writer.size, root=base64.b64encode(writer.root).decode("ascii")),
        published=Published(**request.app.state.log_publisher.told()),
        sensors={s.sensor.sensor_id: s.health for s in stations},
        feeds=request.app.state.feeds.troubles(),
        timestamps=request.app.state.stamper.troubles(),
        troubles=[
            TroubleOut(
                what=t.what,
                name=t.name,
                words=t.words,
                grave=t.grave,
                since=format_moment(t.since_ns),
            )
            for t in request.app.state.troubles.now(stations)
        ],
        clock_back_s=round(writer.clock_back_s(), 3),
        waiting=writer.waiting,
        shed_requests=writer.shed_jobs,
        shed_observations=writer.shed_rows,
    )
    return JSONResponse(found.model_dump(), 503 if problem else 200)


@router.get(
    "/checkpoint",
    response_class=PlainTextResponse,
    responses=problems(503) | text_answer(CHECKPOINT, "the signed note"),
)
async def get_checkpoint(request: Request) -> Response:
    """The newest signed checkpoint (C2SP tlog-checkpoint)."""
    return PlainTextResponse(writer_of(request).checkpoint)
