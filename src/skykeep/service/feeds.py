"""Feeds at work: each one's source and decoder joined, lost sources tried again, books kept.

A source runs in a thread of its own and fills its inbox; a second thread decodes what waits. A
batch is handed to the writer and the next one is decoded when it is durable: a feed that is
faster than the record fills its inbox, and what finds no room there is counted and told.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Annotated
from urllib.parse import urlsplit

import numpy as np
from fastapi import APIRouter, Request
from pydantic import BaseModel

from skykeep.codec.moment import format_moment
from skykeep.config import FeedSettings
from skykeep.core.event import Finding, Severity
from skykeep.core.observation import Batch, Sensor
from skykeep.errors import InputError, RecordError, SkykeepError
from skykeep.feed.contract import FeedKind
from skykeep.feed.inbox import Arrived, Inbox, Piece
from skykeep.feed.kinds import kind_of
from skykeep.feed.sources import source_of
from skykeep.record.entry import hour_of
from skykeep.service import log
from skykeep.service.desk import READS, needs
from skykeep.service.tokens import Holder
from skykeep.service.writer import UnavailableError, Writer
from skykeep.store.raw import FILE, HOURS_OF_DAY, RawStore
from skykeep.units import NS_PER_S

router = APIRouter(tags=["observations"])

#: Seconds until a lost source is tried again; behind the last it stays so.
RETRIES_S = (0.5, 1.0, 2.0, 5.0, 10.0, 30.0)
#: A source that held for so long begins again with the shortest.
STEADY_S = 60.0
#: Pieces decoded in one go: some tens of milliseconds.
AT_ONCE = 2_000
#: How long the decoder's thread waits for a piece before it looks whether it is to stop.
LOOK_S = 0.5
#: The writer is away or full: so soon a batch is handed in again.
AGAIN_S = 0.2
#: What is shed goes on for a while: it is told in the record this often.
TELL_SHED_S = 10.0
#: Delays between event and receipt that are remembered for the clock's offset.
DELAYS = 600
RATE_OVER_S = 10.0


class FeedOut(BaseModel):
    """How a feed does. `shed` pieces found no room; `digest` is over them, in their order.

    `delay_least_s` is the shortest time between an event and its receipt of late, transport and
    clocks together: below zero the sensor's clock is ahead of ours. `peers` are those who speak
    to a source that listens, with words on each.
    """

    feed: str
    sensor: str
    kind: str
    address: str
    connected: bool
    problem: str
    connects: int
    last_heard: str | None
    pieces: int
    bytes: int
    pieces_per_s: float
    waiting: int
    shed: int
    digest: str
    batches: int
    observations: int
    findings: int
    delay_least_s: float | None
    delay_median_s: float | None
    peers: dict[str, str]


class FeedList(BaseModel):
    """The site's feeds, in the order of its file."""

    feeds: list[FeedOut]


@dataclass(slots=True)
class _Books:
    batches: int = 0
    observations: int = 0
    findings: int = 0
    lost: str = ""
    fault: str = ""
    raw: str = ""


class Feed:
    """One feed of a site while the service runs."""

    def __init__(
        self, settings: FeedSettings, kind: FeedKind, clock: Callable[[], int],
        raw: RawStore | None = None,
    ) -> None:  # fmt: skip
        """InputError where its address or an option does not fit its kind."""
        self.settings, self.kind = settings, kind
        self.inbox = Inbox(clock, kind.most_waiting, kind.most_bytes, kind.most_per_s)
        self.books = _Books()
        self._raw, self._clock, self._dropped_hour = raw, clock, 0
        self._source = source_of(kind, settings, clock)
        self._decoder = kind.decoder(settings)
        self._stop = threading.Event()
        self._told_shed, self._told_at_s = 0, -TELL_SHED_S
        self._looked_s, self._seen_left_out, self._before_left_out = 0.0, 0, 0
        self._lost: deque[Finding] = deque(maxlen=20)
        self._delays_s: deque[float] = deque(maxlen=DELAYS)
        self._marks: deque[tuple[float, int]] = deque([(time.monotonic(), 0)], maxlen=100)

    def stop(self) -> None:
        """Let the source go; what waits is still decoded."""
        self._stop.set()

    def watch(self) -> None:
        """Keep the source at work until `stop`; runs in a thread of its own."""
        tries = 0
        while not self._stop.is_set():
            begun_s = time.monotonic()
            try:
                self._source.run(self.inbox, self._stop)
                problem = "ended" if not self._stop.is_set() else ""
            except InputError as error:
                problem = str(error)
            except Exception as error:  # a plugin's fault is not ours to fall over
                logging.getLogger(__name__).exception("feed.fault")
                problem = f"a fault of the source ({type(error).__name__}); see the log"
            self.inbox.lost()
            if not problem:
                return
            tries = 1 if time.monotonic() - begun_s > STEADY_S else tries + 1
            if problem != self.books.lost:
                log.event(logging.WARNING, "feed.lost", feed=self.settings.feed_id, why=problem)
                words = "tried again until it is there"
                self._lost.append(Finding(self.settings.feed_id, problem, words, Severity.WARNING))
            self.books.lost = problem
            self._stop.wait(RETRIES_S[min(tries, len(RETRIES_S)) - 1])

    def decode(self) -> tuple[list[Batch], list[Piece]]:
        """What waits, decoded, and those of its pieces that are to be acknowledged.

        Waits for a piece for a moment. Runs in the decoder's thread.
        """
        pieces = self.inbox.take(AT_ONCE, LOOK_S)
        self._mark()
        self._keep_raw(pieces)
        if not pieces:
            return [], []
        self._note_troubles()
        try:
            batches = list(self._decoder.push(pieces))
        except Exception as error:  # a plugin's fault is not ours to fall over
            logging.getLogger(__name__).exception("feed.fault")
            self.books.fault = f"a fault of the decoder ({type(error).__name__}); see the log"
            self.settle(pieces, False)
            return [], []
        for batch in batches:
            self._count(batch)
        return batches, [piece for piece in pieces if piece.settled is not None]

    def _keep_raw(self, pieces: Sequence[Piece]) -> None:
        """Keep what arrived for the feed's days, and destroy what is older, once an hour."""
        if self._raw is None:
            return
        name, hour = self.settings.feed_id, hour_of(self._clock())
        try:
            if hour != self._dropped_hour:
                # An hour counts from its end, as with the record's keys.
                self._raw.drop(name, hour - math.ceil(self.settings.raw_days * HOURS_OF_DAY))
                self._dropped_hour = hour
            if pieces:
                kept = [(piece.at_ns, piece.data) for piece in pieces]
                self._raw.keep(name, kept, self.settings.raw_day_bytes)
            self.books.raw = ""
        except RecordError as error:
            self.books.raw = str(error)

    def settle(self, pieces: Sequence[Piece], durable: bool) -> None:
        """Tell the source that all which these pieces said is durable, or refused for good."""
        for piece in pieces:
            if piece.settled is None:
                continue
            try:
                piece.settled(durable)
            except Exception:  # a plugin's fault is not ours to fall over
                logging.getLogger(__name__).exception("feed.fault")

    def last(self) -> list[Batch]:
        """What the decoder has still to say."""
        with contextlib.suppress(Exception):
            if (batch := self._decoder.close()) is not None:
                return [batch]
        return []

    def _note_troubles(self) -> None:
        while self._lost:
            self._decoder.note(self._lost.popleft())
        arrived, now_s = self.inbox.arrived(), time.monotonic()
        if arrived.shed > self._told_shed and now_s - self._told_at_s >= TELL_SHED_S:
            self._told_shed, self._told_at_s = arrived.shed, now_s
            words = (
                f"{arrived.shed} pieces of {arrived.shed_bytes} bytes shed so far, "
                f"sha256 {arrived.digest}"
            )
            problem = "more came than could be taken"
            self._decoder.note(Finding(self.settings.feed_id, problem, words, Severity.ERROR))
            log.event(logging.ERROR, "feed.shed", feed=self.settings.feed_id, pieces=arrived.shed)

    def _count(self, batch: Batch) -> None:
        self.books.batches += 1
        self.books.observations += len(batch)
        self.books.findings += len(batch.findings)
        if len(batch):
            delay_ns = batch.receipt_time_ns - int(batch.event_time_ns.max())
            self._delays_s.append(delay_ns / NS_PER_S)

    def _mark(self) -> None:
        """Remember how many had come, for the rate."""
        now_s, pieces = time.monotonic(), self.inbox.arrived().pieces
        if now_s - self._looked_s >= TELL_SHED_S:
            self._looked_s, self._seen_left_out = now_s, self._before_left_out
            self._before_left_out = self._left_out()
        if now_s - self._marks[-1][0] >= RATE_OVER_S / 20:
            self._marks.append((now_s, pieces))
        while len(self._marks) > 1 and now_s - self._marks[1][0] >= RATE_OVER_S:
            self._marks.popleft()

    def trouble(self) -> str:
        """What is wrong now, in words; empty where all is well."""
        arrived = self.inbox.arrived()
        if not arrived.connected:
            return self.books.lost or "not connected yet"
        if self.books.fault or self.books.raw:
            return self.books.fault or self.books.raw
        if self._left_out() > self._seen_left_out:
            # Looked at by whoever asks how the feed does: since the last mark, not since ever.
            return f"more speak than can be followed: {self._left_out()} messages left out"
        if arrived.waiting > self.kind.most_waiting // 2:
            return f"behind: {arrived.waiting} pieces wait"
        return ""

    def _left_out(self) -> int:
        """What the decoder itself did not let in."""
        return int(getattr(self._decoder, "shed", 0))

    def state(self) -> FeedOut:
        """How it does, for whoever looks."""
        arrived: Arrived = self.inbox.arrived()
        delays_s = list(self._delays_s)
        (from_s, from_pieces), now_s = self._marks[0], time.monotonic()
        return FeedOut(
            feed=self.settings.feed_id,
            sensor=self.settings.sensor_id,
            kind=self.kind.name,
            address=shown(self.settings.address),
            connected=arrived.connected,
            problem=self.trouble(),
            connects=arrived.connects,
            last_heard=format_moment(arrived.last_ns) if arrived.last_ns else None,
            pieces=arrived.pieces,
            bytes=arrived.size_bytes,
            pieces_per_s=round((arrived.pieces - from_pieces) / max(now_s - from_s, 1.0), 2),
            waiting=arrived.waiting,
            shed=arrived.shed + self._left_out(),
            digest=arrived.digest,
            batches=self.books.batches,
            observations=self.books.observations,
            findings=self.books.findings,
            delay_least_s=round(min(delays_s), 4) if delays_s else None,
            delay_median_s=round(float(np.median(delays_s)), 4) if delays_s else None,
            peers=self.inbox.peers(),
        )


def shown(address: str) -> str:
    """An address without what may be secret in it."""
    parts = urlsplit(address)
    place = parts.netloc.rpartition("@")[2]
    return parts._replace(netloc=place, query="").geturl()


class Feeds:
    """All feeds of a site; `run` it beside the writer."""

    def __init__(
        self, writer: Writer, settings: Sequence[FeedSettings], sensors: Sequence[Sensor],
        clock: Callable[[], int],
    ) -> None:  # fmt: skip
        """InputError names the feed that does not fit its site."""
        self.writer = writer
        known = {str(s.sensor_id): s for s in sensors}
        keeping = [s.feed_id for s in settings if s.raw_days > 0.0]
        self._raw, lacking = None, ""
        if keeping or (writer.folder / FILE).exists():
            try:
                self._raw = RawStore(writer.folder)
                self._raw.drop_others(keeping)
            except RecordError as error:  # what is heard and recorded does not wait for it
                lacking = str(error)
        self.feeds = [
            Feed(replace(s, sensors=known), kind_of(s, known), clock,
                 self._raw if s.raw_days > 0.0 else None)
            for s in settings
        ]  # fmt: skip
        for feed in self.feeds:
            feed.books.raw = lacking if feed.settings.raw_days > 0.0 else ""
        self._stopping = False

    def troubles(self) -> dict[str, str]:
        """What is wrong with each feed; empty words where all is well."""
        return {str(feed.settings.feed_id): feed.trouble() for feed in self.feeds}

    def stop(self) -> None:
        """Let the sources go; `run` ends when what came is durable."""
        self._stopping = True
        for feed in self.feeds:
            feed.stop()

    async def run(self) -> None:
        """Bring what comes until `stop`."""
        await asyncio.gather(*(self._one(feed) for feed in self.feeds))
        if self._raw is not None:
            self._raw.close()

    async def _one(self, feed: Feed) -> None:
        loop = asyncio.get_running_loop()
        name = f"feed-{feed.settings.feed_id}"
        source = threading.Thread(target=feed.watch, name=name, daemon=True)
        source.start()
        with ThreadPoolExecutor(1, name) as decoder:
            while not (self._stopping and not feed.inbox.arrived().waiting):
                batches, waiting = await loop.run_in_executor(decoder, feed.decode)
                ends = [await self._submit(batch) for batch in batches]
                if None not in ends:
                    feed.settle(waiting, all(ends))
            for batch in await loop.run_in_executor(decoder, feed.last):
                await self._submit(batch)

    async def _submit(self, batch: Batch) -> bool | None:
        """Hand a batch in until it is durable; the record knows it by its id.

        False where the record refused it, None where it is away while the service ends.
        """
        while True:
            try:
                (answer,) = await self.writer.submit((batch,))
            except UnavailableError as error:
                if self._stopping:
                    log.event(
                        logging.ERROR, "feed.unrecorded", batch=batch.batch_id, why=str(error)
                    )
                    return None
                await asyncio.sleep(AGAIN_S)
                continue
            if isinstance(answer.refused, SkykeepError):
                log.event(
                    logging.ERROR, "feed.refused", batch=batch.batch_id, why=str(answer.refused)
                )
                return False
            return True


@router.get("/v1/feeds", response_model=FeedList, responses=READS)
async def get_feeds(request: Request, holder: Annotated[Holder, needs("feeds.read")]) -> FeedList:
    """The site's feeds and how each does."""
    feeds: Feeds = request.app.state.feeds
    return FeedList(feeds=[feed.state() for feed in feeds.feeds])
