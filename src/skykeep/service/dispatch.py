"""The dispatcher: hand-overs go out by every channel, again and again until they are taken.

The record keeps what waits and what became of it. After a restart everything that no channel
confirmed goes out anew under its old id: a recipient may hear twice and never not at all.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from urllib.parse import quote

from skykeep.config import Delivery
from skykeep.core.alert import Alert
from skykeep.core.event import Actor, HandoverChanged
from skykeep.core.handover import Handover, ReportSending, SetRecipients
from skykeep.core.picture import TrackView
from skykeep.core.warning import SetDrafting
from skykeep.deliver import mail, webhook
from skykeep.deliver.link import Link
from skykeep.deliver.message import HandoverMessage, encode, message_of, subject_of
from skykeep.deliver.settings import EmailChannel, RecipientSettings, WebhookChannel
from skykeep.deliver.shared import confirmation_of, confirmations, shared
from skykeep.errors import DecisionError, InputError, SkykeepError
from skykeep.runtime import Recorded
from skykeep.service import log
from skykeep.service.outbox import Outbox
from skykeep.service.permit_keys import HANDOVER_LABEL
from skykeep.service.tries import Tries
from skykeep.service.writer import CONFIGURATION, Group, UnavailableError, Writer, told
from skykeep.units import NS_PER_S

#: Seconds until the next try: a responder's minutes, not an office's hours.
RETRIES_S = (1.0, 2.0, 5.0, 10.0, 30.0, 60.0)
#: After so many (a day) a channel is given up, which is told.
TRIES = 1_440
#: Sendings that block, at once: one for each channel, so that one that hangs holds up no other.
AT_ONCE = 100
DISPATCHER = Actor("dispatcher", "service")


class Dispatcher:
    """Sends what waits; `run` it beside the writer."""

    def __init__(
        self,
        writer: Writer,
        outbox: Outbox,
        delivery: Delivery,
        recipients: Sequence[RecipientSettings] = (),
        drafting: bool = False,
    ) -> None:
        """`drafting`: whether the system drafts warnings of the public, which goes into the record
        with the recipients."""
        self._drafting = drafting
        self.writer, self.outbox, self.delivery = writer, outbox, delivery
        self.settings = {r.recipient.name: r for r in recipients}
        #: Ways out that stay open, by recipient and channel.
        self.links: dict[tuple[str, str], Link] = {}
        self._tries: Tries[tuple[str, int, str]] = Tries(RETRIES_S)
        self._busy: dict[tuple[str, str], asyncio.Task[None]] = {}
        self._wake = asyncio.Event()
        self._stopping = False
        self._threads: ThreadPoolExecutor | None = None
        writer.listeners.append(self._hear)

    def link_of(self, handover_id: str) -> str | None:
        """The address where a hand-over is answered, if the site says where it is reached."""
        if self.delivery.public_url is None:
            return None
        secret = self.outbox.keys.secret_of(handover_id, HANDOVER_LABEL)
        return f"{self.delivery.public_url}/answer/{secret}/{quote(handover_id, safe='')}"

    def stop(self) -> None:
        """Send nothing more; what waits is in the record."""
        self._stopping = True
        self._wake.set()

    def wake(self) -> None:
        """Something has come back that may let what waits through: try it at once."""
        self._tries.again()
        self._wake.set()

    async def run(self) -> None:
        """Send until `stop`."""
        self._threads = ThreadPoolExecutor(AT_ONCE, "dispatch")
        try:
            while not self._stopping:
                self._wake.clear()
                wait_s = await self._round()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(wait_s):
                        await self._wake.wait()
        finally:
            busy = tuple(self._busy.values())
            for task in busy:
                task.cancel()
            await asyncio.gather(*busy, return_exceptions=True)
            self._threads.shutdown(wait=False, cancel_futures=True)

    def _hear(self, group: Group) -> None:
        for answer in group.answers:
            if any(isinstance(event, HandoverChanged) for event in answer.events):
                self._wake.set()
                return

    async def _round(self) -> float | None:
        """Begin to send what is due; seconds until the next, None where nothing waits.

        Of each channel one at a time, and none waits for another.
        """
        try:
            await self._configure()
            waiting = await self.writer.ask(_waiting)
        except UnavailableError:
            return RETRIES_S[0]
        held = {(h.handover_id, h.revision, channel): h for h in waiting for channel in h.waiting}
        self._tries.keep(held)
        for key in self._tries.due():
            way = (held[key].recipient, key[2])
            if way not in self._busy:
                task = asyncio.ensure_future(self._one(held[key], key))
                self._busy[way] = task
                task.add_done_callback(partial(self._ended, way, key))
        # What is due and not begun follows when its channel is free: that wakes the next round.
        return self._tries.wait_s(but={k for k in held if (held[k].recipient, k[2]) in self._busy})

    async def _configure(self) -> None:
        """The site file's recipients into the record, where they have changed."""
        wanted = tuple(s.recipient for s in self.settings.values())
        known = await self.writer.ask(
            lambda recorded: tuple(recorded.runtime.airspace.handovers.recipients.values())
        )
        if known != wanted:
            await self.writer.submit([SetRecipients(CONFIGURATION, wanted)])
        drafting = await self.writer.ask(lambda r: r.runtime.airspace.warnings.drafting)
        if drafting != self._drafting:
            await self.writer.submit([SetDrafting(CONFIGURATION, self._drafting)])

    def _ended(
        self, way: tuple[str, str], key: tuple[str, int, str], task: asyncio.Task[None]
    ) -> None:
        del self._busy[way]
        error = None if task.cancelled() else task.exception()
        if error is not None:  # one that nobody foresaw costs this try, not the others
            told(error)
            self._tries.tried(key)
        self._wake.set()

    async def _one(self, handover: Handover, key: tuple[str, int, str]) -> None:
        channel = key[2]
        problem = await self._send(handover, channel)
        tries = self._tries.tried(key)
        if problem:
            log.event(
                logging.WARNING, "handover.untold", handover=handover.handover_id,
                recipient=handover.recipient, channel=channel, why=problem, tries=tries,
            )  # fmt: skip
            if tries < TRIES:
                return
        report = ReportSending(
            DISPATCHER, handover.handover_id, handover.revision, channel, not problem, problem
        )
        try:
            answers = await self.writer.submit([report])
        except UnavailableError:
            return  # sent, and not recorded: it goes out once more
        self._tries.done(key)
        refused = answers[0].refused
        if refused is not None and not isinstance(refused, DecisionError):
            log.event(logging.ERROR, "handover.unrecorded", handover=handover.handover_id)

    async def _send(self, handover: Handover, channel: str) -> str:
        settings = self.settings.get(handover.recipient)
        if settings is None or channel not in settings.channels:
            return "the site file has no such recipient or channel any more"
        try:
            message = await self.message(handover, settings)
        except (SkykeepError, OSError) as error:
            return error.problem if isinstance(error, InputError) else str(error)
        way = settings.channels[channel]
        link = self.links.get((handover.recipient, channel))
        if link is not None:
            return await link.deliver(message, self.writer.now_ns())
        loop = asyncio.get_running_loop()
        if isinstance(way, EmailChannel):
            return await loop.run_in_executor(self._threads, self._mail, way, message)
        if isinstance(way, WebhookChannel):
            return await loop.run_in_executor(self._threads, self._post, way, message)
        return "is not connected"

    def _mail(self, way: EmailChannel, message: HandoverMessage) -> str:
        # The same Message-ID for each repeat, so that a mail program shows one mail.
        domain = message.authority.replace(" ", "-")
        named = f"<{message.message_id}.skykeep@{domain}.invalid>"
        return mail.send_mail(
            way.addresses, subject_of(message), message.words + "\n", self.delivery.smtp, named
        )

    def _post(self, way: WebhookChannel, message: HandoverMessage) -> str:
        body = encode(message)
        at_s = self.writer.now_ns() // NS_PER_S
        headers = webhook.signature_headers(way.key, message.message_id, at_s, body)
        return webhook.post_json(way.url, body, headers)

    async def message(self, handover: Handover, settings: RecipientSettings) -> HandoverMessage:
        """What a recipient is told of a hand-over at this moment."""
        site = self.writer.site

        def look(recorded: Recorded) -> tuple[Alert | None, list[TrackView], dict[str, str]]:
            airspace = recorded.runtime.airspace
            alert = next((a for a in airspace.alerts() if a.alert_id == handover.alert_id), None)
            named = set() if alert is None else set(alert.tracks)
            tracks = [t for t in airspace.tracks() if t.track_id in named]
            concluded = confirmations(recorded.runtime.casebook.incidents.values())
            return alert, tracks, {t.track_id: confirmation_of(t.track_id, concluded)
                                   for t in tracks}  # fmt: skip

        alert, views, confirmed = await self.writer.ask(look)
        exercise = handover.exercise or self.writer.simulation is not None
        tracks = [
            shared(
                v, site.frame, site.authority_id, settings.caps.precision_m,
                confirmed[v.track_id], exercise,
            )
            for v in views
        ]  # fmt: skip
        return message_of(
            handover, alert, tracks, (site.name, site.authority_id),
            self.link_of(handover.handover_id), settings.languages, exercise,
        )  # fmt: skip


def _waiting(recorded: Recorded) -> tuple[Handover, ...]:
    return recorded.runtime.airspace.handovers.waiting()
