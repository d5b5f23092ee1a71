"""The outbox: what the engine says is to be told goes out, again and again until it is taken.

The record keeps what waits, and what became of it: after a restart everything that was not
told goes out anew, so a holder may hear twice and never not at all.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import quote

from skykeep.config import Delivery
from skykeep.core.event import Actor, NoticeDue
from skykeep.core.permit import ChannelKind, Permit
from skykeep.core.permit_book import PAGE, Notice, ReportDelivery
from skykeep.errors import DecisionError, InputError
from skykeep.runtime import Recorded
from skykeep.service import log
from skykeep.service.notify import message_of, send
from skykeep.service.permit_keys import PermitKeys, open_keys
from skykeep.service.tries import Tries
from skykeep.service.writer import Group, UnavailableError, Writer

#: Seconds until the next try; behind the last it stays so.
RETRIES_S = (1.0, 5.0, 30.0, 120.0, 600.0, 3_600.0)
#: So many tries take a day; then a person has to call.
TRIES = 29
#: Notices that are under way at once: a relay that hangs does not hold up the others.
AT_ONCE = 4
OUTBOX = Actor("outbox", "service")


class Outbox:
    """Sends what waits; `run` it beside the writer."""

    def __init__(self, writer: Writer, delivery: Delivery) -> None:
        self.writer, self.delivery = writer, delivery
        self._keys: PermitKeys | None = None
        self._tries: Tries[tuple[str, str]] = Tries(RETRIES_S)
        self._wake = asyncio.Event()
        self._stopping = False
        self._threads = ThreadPoolExecutor(AT_ONCE, "outbox")
        writer.listeners.append(self._hear)

    @property
    def keys(self) -> PermitKeys:
        """The office's secrets; made in the data folder when they are first needed."""
        if self._keys is None:
            self._keys = open_keys(self.writer.folder)
        return self._keys

    def page_of(self, permit_id: str) -> str | None:
        """The address of a permit's own page, if the site says where it is reached."""
        if self.delivery.public_url is None:
            return None
        secret = self.keys.secret_of(permit_id)
        return f"{self.delivery.public_url}/permit/{secret}/{quote(permit_id, safe='')}"

    def stop(self) -> None:
        """Send nothing more; what waits is in the record."""
        self._stopping = True
        self._wake.set()

    async def run(self) -> None:
        """Send until `stop`."""
        try:
            while not self._stopping:
                self._wake.clear()
                wait_s = await self._round()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(wait_s):
                        await self._wake.wait()
        finally:
            self._threads.shutdown(wait=False, cancel_futures=True)

    def _hear(self, group: Group) -> None:
        for answer in group.answers:
            if any(isinstance(event, NoticeDue) for event in answer.events):
                self._wake.set()
                return

    async def _round(self) -> float | None:
        """Send what is due; seconds until the next, None where nothing waits."""
        try:
            waiting = await self.writer.ask(_waiting)
        except UnavailableError:
            return RETRIES_S[0]
        held = {(n.notice_id, c): (n, p) for n, p in waiting for c in n.waiting if c != PAGE}
        self._tries.keep(held)
        await asyncio.gather(*(self._one(*held[key], key) for key in self._tries.due()))
        return self._tries.wait_s()

    async def _one(self, notice: Notice, permit: Permit, key: tuple[str, str]) -> None:
        loop = asyncio.get_running_loop()
        kind = ChannelKind(key[1])
        try:
            message = message_of(notice, permit, self.page_of(notice.permit_id))
        except InputError as error:
            problem = error.problem
        else:
            problem = await loop.run_in_executor(
                self._threads, send, kind, permit.procedure.channels, message,
                self.writer.site.name, self.delivery,
            )  # fmt: skip
        tries = self._tries.tried(key)
        if problem:
            log.event(
                logging.WARNING, "notice.untold", notice=notice.notice_id, channel=kind.value,
                why=problem, tries=tries,
            )  # fmt: skip
            if tries < TRIES:
                return
        report = ReportDelivery(OUTBOX, notice.notice_id, kind.value, not problem, problem)
        try:
            answers = await self.writer.submit([report])
        except UnavailableError:
            return  # told, and not recorded: it goes out once more
        self._tries.done(key)
        refused = answers[0].refused
        if refused is not None and not isinstance(refused, DecisionError):
            log.event(logging.ERROR, "notice.unrecorded", notice=notice.notice_id)


def _waiting(recorded: Recorded) -> list[tuple[Notice, Permit]]:
    book = recorded.runtime.airspace.book
    permits = {p.permit_id: p for p in book.permits()}
    return [(n, permits[n.permit_id]) for n in book.notices() if n.permit_id in permits]
