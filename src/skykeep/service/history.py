"""`GET /v1/history/...`: the history of a running site, and its keeper.

The keeper follows the record on a thread of its own, behind what is durable; nobody waits for
it. Files are written once a minute, and when somebody asks. `reaches` says how far the history
goes; `GET /v1/observations` has the rest.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sqlite3
import threading
import time
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Header, Query, Request
from pydantic import BaseModel
from starlette.responses import Response

from skykeep.codec.moment import parse_moment
from skykeep.core.retention import DAY_NS
from skykeep.errors import InputError, RecordError, SkykeepError
from skykeep.service import log
from skykeep.service.desk import READS, holder_of, needs, writer_of
from skykeep.service.looks import looked
from skykeep.service.observations import parse_box
from skykeep.service.tokens import Holder
from skykeep.service.writer import UnavailableError, Writer
from skykeep.store.history import HISTORY_FOLDER, Follower, History
from skykeep.store.history_query import Found, Wanted, find_observations, find_tracks, looked_up
from skykeep.store.record_store import RecordStore
from skykeep.units import to_datetime

router = APIRouter(tags=["history"])

#: The keeper looks for new entries so often, and reads so many before it lets others work.
LOOK_S, STEP = 5.0, 500
#: After each step it rests as long as that took: at most half a core is its.
REST = 1.0
#: Rows wait at most so long for their file; small files are joined later.
PART_S = 60.0
#: Who asks has what is older than this, if the keeper is not far behind.
FRESH_S = 5.0
#: Without a start, so far back.
DEFAULT_SPAN_NS = DAY_NS
ROWS_DEFAULT, ROWS_MOST = 200, 1_000
#: Questions that are answered at once, or wait for that.
QUESTIONS = 8


class HistoryPage(BaseModel):
    """Rows in order of time; `next` is the cursor of what follows. Columns: docs/history.md.

    `reaches`: the first entry of the record that the history does not have yet; `problem`: why it
    does not go on, or empty.
    """

    rows: list[dict[str, Any]]
    next: str | None
    reaches: int
    problem: str


class Keeper:
    """Keeps the history while the service runs; `run` it beside the writer."""

    def __init__(self, writer: Writer) -> None:
        self.writer = writer
        self.problem = ""
        self.asking = 0
        self._turn, self._reading = asyncio.Lock(), asyncio.Lock()
        self._opening = threading.Lock()
        self._history: History | None = None
        self._follower: Follower | None = None
        self._closed_s = time.monotonic()
        self._wake = asyncio.Event()
        self._stopping = False

    def stop(self) -> None:
        """Write what was read, and begin nothing more."""
        self._stopping = True
        self._wake.set()

    async def run(self) -> None:
        """Follow until `stop`; what goes wrong is told, and tried again."""
        while not self._stopping:
            try:
                await self.round()
                self.problem = ""
            except (SkykeepError, sqlite3.Error) as error:
                self._follower = None
                self.problem = str(error)
                log.event(logging.ERROR, "history.trouble", why=self.problem)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_S):
                    await self._wake.wait()
            self._wake.clear()
        await self.close()

    async def round(self, flush: bool = False) -> None:
        """Read to the record's end; files are written where a part is full, old or `flush`."""
        async with self._reading:
            store = await self.writer.ask(lambda recorded: recorded.store.as_it_is())
            more = True
            while more and not self._stopping:
                begun_s = time.monotonic()
                more = await asyncio.to_thread(self._step, store)
                await asyncio.sleep((time.monotonic() - begun_s) * REST)
            if flush:
                await asyncio.to_thread(self._close_part)

    async def _freshen(self) -> None:
        """Write what is new, if that was not done just now, and is not being done."""
        old = time.monotonic() - self._closed_s > FRESH_S
        if old and self._follower is not None and not self._reading.locked():
            await self.round(flush=True)

    async def close(self) -> None:
        """Write what was read; let go of the files."""
        if self._follower is not None:
            try:
                await asyncio.to_thread(self._close_part)
            except SkykeepError as error:
                log.event(logging.ERROR, "history.trouble", why=str(error))
            self._follower = None
        if self._history is not None:
            async with self._turn:
                self._history.close()
                self._history = None

    def _step(self, store: RecordStore) -> bool:
        if self._follower is None:
            self._follower = Follower(self.open(), store)
            self._closed_s = time.monotonic()
        more = self._follower.follow(store, STEP)
        if time.monotonic() - self._closed_s >= PART_S:
            self._close_part()
        return more

    def _close_part(self) -> None:
        assert self._follower is not None
        assert self._history is not None
        self._follower.close_part()
        self._closed_s = time.monotonic()
        self._history.join(self._closed_s)

    def open(self) -> History:
        """The history, looked at when first needed: DuckDB takes a moment to load."""
        with self._opening:
            if self._history is None:
                self._history = History(self.writer.folder / HISTORY_FOLDER)
            return self._history

    async def ask(self, tracks: bool, wanted: Wanted, serial: str | None) -> tuple[Found, int]:
        """An answer, and how far the history reaches; one question after another."""
        if self.asking >= QUESTIONS:
            raise UnavailableError("too many questions to the history at once")
        self.asking += 1
        try:
            store = await self.writer.ask(lambda recorded: recorded.store.as_it_is())
            async with self._turn:
                await self._freshen()
                return await asyncio.to_thread(self._found, store, tracks, wanted, serial)
        except sqlite3.Error:
            raise UnavailableError("the record was closed meanwhile") from None
        except RecordError as error:
            raise UnavailableError(str(error)) from None
        finally:
            self.asking -= 1

    def _found(
        self, store: RecordStore, tracks: bool, wanted: Wanted, serial: str | None
    ) -> tuple[Found, int]:
        history = self.open()
        if serial is not None:
            wanted = looked_up(history, store, wanted, serial)
        return (find_tracks if tracks else find_observations)(history, wanted), history.end


Time = Annotated[str | None, Query(max_length=40, description="RFC 3339; what happened before it")]
Start = Annotated[
    str | None,
    Query(
        alias="from", max_length=40, description="what happened from then on; a day before `to`",
        examples=["2026-09-12T00:00:00Z"],
    ),
]  # fmt: skip
BoxText = Annotated[
    str | None,
    Query(
        max_length=100, description="south,west,north,east in degrees",
        examples=["49.59,6.10,49.63,6.16"],
    ),
]  # fmt: skip
TrackName = Annotated[
    str | None, Query(max_length=100, description="this track, or what it rests on")
]
SensorName = Annotated[
    str | None, Query(max_length=100, description="what it reported, or had a part in")
]
Serial = Annotated[
    str | None,
    Header(
        max_length=100,
        description="the aircraft's serial number, for officers; a header, so that no log of"
        " addresses has it",
    ),
]
Limit = Annotated[int, Query(ge=1, le=ROWS_MOST, description="at most so many")]
Cursor = Annotated[
    str | None,
    Query(pattern=r"^[0-9]{1,19}-[0-9]{1,12}-[0-9]{1,7}$", description="`next` of the page before"),
]


@router.get("/v1/history/observations", response_model=HistoryPage, responses=READS)
async def get_history_observations(
    request: Request,
    holder: Annotated[Holder, needs("history.read")],
    from_: Start = None,
    to: Time = None,
    box: BoxText = None,
    track: TrackName = None,
    sensor: SensorName = None,
    serial: Serial = None,
    limit: Limit = ROWS_DEFAULT,
    cursor: Cursor = None,
) -> Response:
    """What the sensors reported, by the time at which it happened; no name is in it.

    By serial number as long as the keys of its hours are kept.
    """
    wanted = _wanted(request, from_, to, box, track, sensor, limit, cursor)
    return await _answer(request, False, wanted, serial)


@router.get("/v1/history/tracks", response_model=HistoryPage, responses=READS)
async def get_history_tracks(
    request: Request,
    holder: Annotated[Holder, needs("history.read")],
    from_: Start = None,
    to: Time = None,
    box: BoxText = None,
    track: TrackName = None,
    sensor: SensorName = None,
    serial: Serial = None,
    limit: Limit = ROWS_DEFAULT,
    cursor: Cursor = None,
) -> Response:
    """The states of tracks, by their time, with the observations that each rests on.

    By serial number: the tracks that were taken for it, as long as the keys of its hours are kept.
    """
    wanted = _wanted(request, from_, to, box, track, sensor, limit, cursor)
    return await _answer(request, True, wanted, serial)


def _wanted(
    request: Request,
    from_: str | None,
    to: str | None,
    box: str | None,
    track: str | None,
    sensor: str | None,
    limit: int,
    cursor: str | None,
) -> Wanted:
    to_ns = writer_of(request).now_ns() + 1 if to is None else parse_moment(to, "query.to")
    from_ns = to_ns - DEFAULT_SPAN_NS if from_ is None else parse_moment(from_, "query.from")
    if from_ns >= to_ns:
        raise InputError("query.from", "is not before `to`", "Give a span of time")
    after = None
    if cursor is not None:
        at_ns, entry, row = map(int, cursor.split("-"))
        after = (min(at_ns, to_ns), entry, row)
    return Wanted(from_ns, to_ns, parse_box(box), track, sensor, None, limit, after)


async def _answer(request: Request, tracks: bool, wanted: Wanted, serial: str | None) -> Response:
    if serial is not None:
        holder = holder_of(request, "history.by_serial")
        days = " to ".join(f"{to_datetime(ns):%Y-%m-%d}" for ns in (wanted.from_ns, wanted.to_ns))
        await looked(request, holder, f"history of one serial number, {days}")
    keeper: Keeper = request.app.state.history
    found, reaches = await keeper.ask(tracks, wanted, serial)
    following = None if found.more is None else "-".join(map(str, found.more))
    page: dict[str, Any] = {"rows": list(found.told()), "next": following, "reaches": reaches}
    page["problem"] = keeper.problem
    return Response(msgspec.json.encode(page), media_type="application/json")
