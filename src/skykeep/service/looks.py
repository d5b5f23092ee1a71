"""Who looked at what points to a person: an entry of the record, before the answer goes out.

A page that asks every second must not flood the record. So a person's first look at a subject
in an hour, on the same grounds, is an entry at once; those that follow in that hour are counted,
and when it is over a second entry says how many they were, and when the last was. If the
service is killed in between, the first entry is there and the count is lost.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

import msgspec
from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict
from starlette.requests import HTTPConnection

from skykeep.codec import entries, wire
from skykeep.codec.moment import format_moment, parse_moment
from skykeep.core.event import Actor, Looked
from skykeep.record.entry import hour_of, read_leaf
from skykeep.runtime import Answer
from skykeep.service import log
from skykeep.service.desk import READS, needs, writer_of
from skykeep.service.examples import shown
from skykeep.service.tokens import Holder
from skykeep.service.writer import UnavailableError, Writer
from skykeep.store.record_store import RecordStore
from skykeep.units import NS_PER_S

router = APIRouter(tags=["looks"])

#: In which a client says what it looks for: a case number, an order. Without it the role stands.
PURPOSE_HEADER = "skykeep-purpose"
LONGEST_PURPOSE = 200
#: How often it is seen whether an hour is over.
EVERY_S = 60.0
#: One answer names so many at the most, and reads so many leaves at a time.
MOST_LOOKS, LEAVES = 1_000, 5_000
DEFAULT_SPAN_NS = 24 * 3_600 * NS_PER_S

_Key = tuple[Actor, str, str]


@dataclass(slots=True, eq=False)
class _Period:
    """An hour in which somebody looks at a subject."""

    hour: int
    first: Looked
    last_ns: int
    times: int
    durable: asyncio.Future[list[Answer]]


class Looks:
    """Writes down who looks; `run` it beside the writer so that counts are written too."""

    def __init__(self, writer: Writer) -> None:
        self.writer = writer
        self._open: dict[_Key, _Period] = {}
        self._over: list[Looked] = []
        self._wake = asyncio.Event()
        self._stopping = False

    async def note(self, actor: Actor, subject: str, purpose: str = "") -> None:
        """Returns when the look is in the record; UnavailableError where it cannot be."""
        await asyncio.shield(self.touch(actor, subject, purpose))

    def touch(self, actor: Actor, subject: str, purpose: str = "") -> asyncio.Future[list[Answer]]:
        """Note a look; what comes back is done when it is in the record.

        UnavailableError, now or then, where it cannot be: the next look tries again.
        """
        now_ns = self.writer.now_ns()
        hour, key = hour_of(now_ns), (actor, subject, purpose)
        period = self._open.get(key)
        if period is None or period.hour != hour or _failed(period.durable):
            if period is not None:
                self._end(key)
            first = Looked(actor, subject, purpose, now_ns, now_ns, 1)
            # Never turned away for load: it is bounded already, and whoever watches must see.
            durable = self.writer.submit([first], always=True)
            period = self._open[key] = _Period(hour, first, now_ns, 0, durable)
            durable.add_done_callback(_failed)  # asked once, so that nobody warns of it
        period.times, period.last_ns = period.times + 1, now_ns
        return period.durable

    async def run(self) -> None:
        """Write counts of hours that are over until `stop`; then those of this one."""
        while not self._stopping:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(EVERY_S):
                    await self._wake.wait()
            self._wake.clear()
            try:
                await self.settle(all_of_them=self._stopping)
            except UnavailableError as error:
                log.event(logging.ERROR, "looks.trouble", why=str(error))

    def stop(self) -> None:
        """Begin nothing more."""
        self._stopping = True
        self._wake.set()

    async def settle(self, all_of_them: bool = False) -> None:
        """Write the counts of hours that are over, or of all."""
        hour = hour_of(self.writer.now_ns())
        for key, period in list(self._open.items()):
            if all_of_them or period.hour != hour:
                self._end(key)
        over = self._over[:MOST_LOOKS]
        if over:
            await self.writer.submit(over, always=True)
            del self._over[: len(over)]

    def _end(self, key: _Key) -> None:
        period = self._open.pop(key)
        if period.times > 1 and not _failed(period.durable):
            actor, subject, purpose = key
            said = Looked(
                actor, subject, purpose, period.first.from_ns, period.last_ns, period.times
            )
            self._over.append(said)


def _failed(tried: asyncio.Future[list[Answer]]) -> bool:
    return tried.done() and (tried.cancelled() or tried.exception() is not None)


def purpose_of(connection: HTTPConnection) -> str:
    """What a client says that it looks for."""
    return connection.headers.get(PURPOSE_HEADER, "").strip()[:LONGEST_PURPOSE]


async def looked(request: Request, holder: Holder, subject: str) -> None:
    """Write down that the holder is about to see a subject that points to a person."""
    looks: Looks = request.app.state.looks
    await looks.note(holder.actor, subject, purpose_of(request))


def looks_in(store: RecordStore, from_ns: int, to_ns: int) -> Iterator[Looked]:
    """Who looked in a span of time, in the order of the record; a count stands for its first."""
    held: dict[tuple[Actor, str, str, int], Looked] = {}
    for start in range(0, store.size, LEAVES):
        leaves = store.leaves(start, min(start + LEAVES, store.size))
        for index, leaf in enumerate(leaves, start):
            if b'"kind":"look"' not in leaf or read_leaf(leaf).kind != entries.LOOK:
                continue
            (placed,) = store.entries(index, index + 1)
            said: Looked = wire.decode(store.facts(placed)[0])
            if said.until_ns >= from_ns and said.from_ns < to_ns:
                held[said.actor, said.subject, said.purpose, said.from_ns] = said
    yield from held.values()


class LookOut(BaseModel):
    """Somebody looked at a subject so many times between two moments, in a role, for a purpose."""

    name: str
    role: str
    subject: str
    purpose: str
    first: str
    last: str
    times: int


class LookList(BaseModel):
    """Who looked, oldest first; `more` says how many are left out."""

    model_config = ConfigDict(
        json_schema_extra=shown(
            {
                "looks": [
                    {
                        "name": "C. Weber",
                        "role": "watch_officer",
                        "subject": "incident I0001",
                        "purpose": "case 2026-114",
                        "first": "2026-09-12T00:27:00Z",
                        "last": "2026-09-12T00:41:10Z",
                        "times": 12,
                    }
                ],
                "more": 0,
            }
        )
    )
    looks: list[LookOut]
    more: int


def out(said: Looked) -> LookOut:
    """A look as it is told."""
    return LookOut(
        name=said.actor.name,
        role=said.actor.role,
        subject=said.subject,
        purpose=said.purpose,
        first=format_moment(said.from_ns),
        last=format_moment(said.until_ns),
        times=said.times,
    )


Moment = Annotated[str | None, Query(max_length=40, examples=["2026-09-12T00:25:00Z"])]


@router.get("/v1/looks", responses=READS)
async def get_looks(
    request: Request,
    holder: Annotated[Holder, needs("looks.read")],
    from_: Annotated[
        str | None, Query(alias="from", max_length=40, description="a day before `to`")
    ] = None,
    to: Annotated[str | None, Query(max_length=40, description="now")] = None,
) -> LookList:
    """Who looked at what points to a person, when, in which role and for what purpose."""
    writer = writer_of(request)
    to_ns = writer.now_ns() + 1 if to is None else parse_moment(to, "query.to")
    from_ns = to_ns - DEFAULT_SPAN_NS if from_ is None else parse_moment(from_, "query.from")
    store = await writer.ask(lambda recorded: recorded.store.as_it_is())
    found = await asyncio.to_thread(lambda: list(looks_in(store, from_ns, to_ns)))
    return LookList(
        looks=[out(s) for s in found[:MOST_LOOKS]], more=max(0, len(found) - MOST_LOOKS)
    )


def as_json(found: list[Looked]) -> str:
    """The same as the route tells, as one line."""
    return msgspec.json.encode([out(s).model_dump() for s in found]).decode()
