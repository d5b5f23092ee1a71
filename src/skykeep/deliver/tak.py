"""A connection to a TAK server: tracks as they change, hand-overs until the server has them.

A hand-over is taken when the server has answered a ping that was sent after it: events of one
connection are read in their order, so what came before the ping has been read too. Whatever was
not confirmed is sent again over the next connection, under the same uid.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections import deque
from collections.abc import Callable, Sequence

from skykeep.codec.cot import CotEvent, CotSplitter, Element, decode_xml, encode_xml
from skykeep.codec.cot_protobuf import decode_protobuf, frame
from skykeep.deliver.cot_words import (
    answer_of,
    chat_event,
    plain_event,
    self_event,
    track_event,
)
from skykeep.deliver.link import BACK_OFF_S, STUCK_S, Hear, LinkState
from skykeep.deliver.message import HandoverMessage
from skykeep.deliver.settings import TakChannel
from skykeep.deliver.shared import SharedTrack
from skykeep.errors import InputError

#: Servers drop clients that say nothing for a minute or two.
PING_S = 20.0
#: Pieces of a stream that are read at once.
READ_BYTES = 65_536
#: What a site of ours said comes back from some servers; it is nobody's answer.
OURS = ("skykeep.", "GeoChat.skykeep.")
PING, PONG = "t-x-c-t", "t-x-c-t-r"
#: TAK protocol negotiation: the server offers, the client asks, the server answers.
OFFER, ASK, ANSWER = "t-x-takp-v", "t-x-takp-q", "t-x-takp-r"


class TakLink:
    """One TAK server; `run` it until `stop`."""

    def __init__(
        self,
        channel: TakChannel,
        uid: str,
        site: str,
        place: tuple[float, float, float],
        now_ns: Callable[[], int],
        hear: Hear,
    ) -> None:
        """`uid` is the site's own on that server, `place` its latitude, longitude and height."""
        self.state = LinkState()
        self.channel, self.uid, self.site, self.place = channel, uid, site, place
        self._now_ns, self._hear = now_ns, hear
        #: Tracks that are to be told, by uid: the newest state alone.
        self._tracks: dict[str, SharedTrack] = {}
        self._urgent: deque[CotEvent] = deque()
        #: Pings that are under way, in order, with what their pong confirms.
        self._pings: deque[asyncio.Future[str] | None] = deque()
        self._waiting: list[asyncio.Future[str]] = []
        self._wake = asyncio.Event()
        self._binary = self._asking = self._stopping = False

    # -- for the site ---------------------------------------------------------------------

    def push(self, tracks: Sequence[SharedTrack], now_ns: int) -> None:
        """The tracks as they are now; what was not sent yet is replaced, and counted."""
        if not self.state.connected:
            return
        self.state.shed += len(self._tracks)
        self._tracks = {t.uid: t for t in tracks}
        self._wake.set()

    async def deliver(self, message: HandoverMessage, now_ns: int) -> str:
        """Send a hand-over; empty once the server has read it, else why not."""
        if not self.state.connected:
            return f"not connected: {self.state.problem}"
        confirmed: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._waiting.append(confirmed)
        self._urgent.append(chat_event(message, self.uid, now_ns))
        self._wake.set()
        try:
            async with asyncio.timeout(STUCK_S):
                return await confirmed
        except TimeoutError:
            return f"the server did not confirm it within {STUCK_S:.0f} s"
        finally:
            if confirmed in self._waiting:
                self._waiting.remove(confirmed)

    def stop(self) -> None:
        """Send nothing more."""
        self._stopping = True
        self._wake.set()

    # -- at work --------------------------------------------------------------------------

    async def run(self) -> None:
        """Connect, send, and connect again."""
        tries = 0
        while not self._stopping:
            begun_s = asyncio.get_running_loop().time()
            self.state.problem = await self._connection()
            self._lost()
            long_s = asyncio.get_running_loop().time() - begun_s
            tries = 0 if long_s > BACK_OFF_S[-1] else tries + 1
            if not self._stopping:
                self._wake.clear()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(BACK_OFF_S[min(tries, len(BACK_OFF_S)) - 1]):
                        await self._wake.wait()

    async def _connection(self) -> str:
        """One connection until it ends; why it did."""
        try:
            async with asyncio.timeout(STUCK_S):
                reader, writer = await asyncio.open_connection(
                    self.channel.host, self.channel.port, ssl=self._tls(),
                    server_hostname=self._server_name(),
                )  # fmt: skip
        except (OSError, ValueError, TimeoutError) as error:
            return f"cannot connect ({type(error).__name__})"
        self.state.connected, self._binary, self._asking = True, False, False
        self.state.connects += 1
        self._urgent.append(self_event(self.uid, self.site, self.place, self._now_ns()))
        tasks = [
            asyncio.ensure_future(self._write(writer)), asyncio.ensure_future(self._read(reader)),
        ]  # fmt: skip
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            return next(iter(done)).result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            writer.close()
            with contextlib.suppress(OSError, TimeoutError):
                async with asyncio.timeout(1.0):
                    await writer.wait_closed()

    def _tls(self) -> ssl.SSLContext | None:
        tls = self.channel.tls
        if tls is None:
            return None
        context = ssl.create_default_context(cafile=tls.ca_file)
        if tls.cert_file is not None:
            context.load_cert_chain(tls.cert_file, tls.key_file)
        return context

    def _server_name(self) -> str | None:
        tls = self.channel.tls
        return None if tls is None else tls.server_name or self.channel.host

    def _lost(self) -> None:
        """Whatever was not confirmed is not taken."""
        self.state.connected = False
        self.state.shed += len(self._tracks)
        self._tracks.clear()
        self._urgent.clear()
        self._pings.clear()
        for waiting in self._waiting:
            if not waiting.done():
                waiting.set_result("the connection was lost before the server confirmed it")
        self._waiting.clear()

    async def _write(self, writer: asyncio.StreamWriter) -> str:
        loop = asyncio.get_running_loop()
        ping_s = loop.time() + PING_S
        while not self._stopping:
            if not self._asking:
                self._fill(writer)
            if loop.time() >= ping_s:
                if self._pings or self._asking:
                    return "the server no longer answers pings"
                self._send(writer, self_event(self.uid, self.site, self.place, self._now_ns()))
                self._ping(writer, None)
                ping_s = loop.time() + PING_S
            try:
                async with asyncio.timeout(STUCK_S):
                    await writer.drain()
            except TimeoutError:
                return f"the server took nothing for {STUCK_S:.0f} s"
            except OSError as error:
                return f"the connection was lost ({type(error).__name__})"
            if self._asking or not (self._tracks or self._urgent):
                self._wake.clear()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(max(0.0, ping_s - loop.time())):
                        await self._wake.wait()
        return "stopped"

    def _fill(self, writer: asyncio.StreamWriter) -> None:
        """What is urgent, with pings that confirm it, and one track."""
        confirms = [w for w in self._waiting if w not in self._pings]
        while self._urgent:
            event = self._urgent.popleft()
            self._send(writer, event)
            if event.type == ASK:  # until the server has answered, nothing else may be sent
                self._asking = True
                return
        for confirmed in confirms:
            self._ping(writer, confirmed)
        if self._tracks:
            track = self._tracks.pop(next(iter(self._tracks)))
            self._send(writer, track_event(track, self._now_ns()))

    def _ping(self, writer: asyncio.StreamWriter, confirms: asyncio.Future[str] | None) -> None:
        self._pings.append(confirms)
        self._send(writer, plain_event(f"{self.uid}-ping", PING, self._now_ns()))

    def _send(self, writer: asyncio.StreamWriter, event: CotEvent) -> None:
        writer.write(frame(event) if self._binary else encode_xml(event))
        self.state.sent += 1

    async def _read(self, reader: asyncio.StreamReader) -> str:
        splitter = CotSplitter()
        while True:
            try:
                data = await reader.read(READ_BYTES)
                if not data:
                    return "the server closed the connection"
                messages = splitter.feed(data)
            except InputError as error:
                return f"the server's {error}"
            except OSError as error:
                return f"the connection was lost ({type(error).__name__})"
            for binary, message in messages:
                self._take(binary, message)

    def _take(self, binary: bool, message: bytes) -> None:
        """One message; what cannot be read costs nobody else's."""
        try:
            event = decode_protobuf(message) if binary else decode_xml(message)
        except InputError:
            self.state.refused += 1
            return
        if event is None:
            return
        if event.type == PONG:
            confirmed = self._pings.popleft() if self._pings else None
            if confirmed is not None and not confirmed.done():
                self._waiting.remove(confirmed)
                confirmed.set_result("")
        elif event.type == OFFER and self.channel.protobuf and not self._binary:
            request = Element("TakRequest", (("version", "1"),))
            ask = plain_event(self.uid, ASK, self._now_ns(), 60)
            control = Element("TakControl", (), "", (request,))
            self._urgent.appendleft(_with(ask, control))
            self._wake.set()
        elif event.type == ANSWER:
            control_ = event.find("TakControl")
            said = () if control_ is None else control_.children
            self._binary = any(e.get("status") == "true" for e in said)
            self._asking = False
            self._wake.set()
        elif not event.uid.startswith(OURS):
            answer = answer_of(event)
            if answer is not None:
                self._hear(answer)


def _with(event: CotEvent, element: Element) -> CotEvent:
    return CotEvent(
        event.uid, event.type, event.how, event.time_ns, event.start_ns, event.stale_ns,
        detail=(element,),
    )  # fmt: skip
