"""`/v1/live`: what the site sees now, to whoever may listen (docs/live-stream.md)."""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import Annotated

import msgspec
from starlette.requests import HTTPConnection
from starlette.types import Receive, Scope, Send

from skykeep.runtime import Answer
from skykeep.service.hub import OFFICER, PERSONAL, TOPICS, WATCHERS, Hub
from skykeep.service.looks import purpose_of
from skykeep.service.tokens import Holder, Role
from skykeep.service.web_socket import (
    FIRST_MESSAGE_BYTES,
    Frame,
    GoneError,
    WebSocket,
)
from skykeep.service.writer import UnavailableError, told

#: What a listener says cannot be understood (RFC 6455, section 7.4.1).
POLICY_VIOLATION = 1008
INTERNAL = 1011

_Topic = Annotated[str, msgspec.Meta(max_length=20)]


class _Want(msgspec.Struct, forbid_unknown_fields=True):
    want: Annotated[list[_Topic], msgspec.Meta(max_length=len(TOPICS))]


_WANT = msgspec.json.Decoder(_Want)


class Listener:
    """One who listens: what was sent last of each topic, and whether it takes any."""

    def __init__(self, socket: WebSocket, holder: Holder, hub: Hub, purpose: str = "") -> None:
        self.socket, self.holder, self.hub, self.purpose = socket, holder, hub, purpose
        self.wake = asyncio.Event()
        #: A shift lead is told what a watch officer is.
        self.told_as = OFFICER if holder.role is Role.SHIFT_LEAD else holder.role
        #: Since when it has not taken what was sent, by the monotonic clock.
        self.stuck_since_s: float | None = None
        #: Whether it was sent `tracks` before, and not the newest: one more is left out for it.
        self.behind: bool | None = None
        self.want = frozenset(TOPICS)
        self._sent: dict[str, Frame] = {}
        self._site_version = -1

    async def speak(self) -> None:
        """Send what is newer than what was sent, for as long as it listens."""
        while True:
            self.wake.clear()
            for topic in TOPICS:
                if self._due(topic):
                    await self._until_ready()
                    self.look(topic)
                    frame = self._frame(topic)  # not before: the latest wins
                    if frame is not None:
                        await self.socket.send_frame(frame)
                        self.hub.sent += 1
                        self._note(topic, frame)
            await self.wake.wait()

    def look(self, topic: str) -> asyncio.Future[list[Answer]] | None:
        """Whoever sees names is written down; a record that is away blinds nobody."""
        if (self.told_as, topic) not in PERSONAL:
            return None
        try:
            subject = f"live stream: {topic}"
            return self.hub.looks.touch(self.holder.actor, subject, self.purpose)
        except UnavailableError:
            return None

    def _due(self, topic: str) -> bool:
        if topic == "site":
            return self._site_version != self.hub.site_version
        if topic not in self.want:
            return False
        if topic == "trails":
            return topic not in self._sent and self.told_as in WATCHERS
        frame = self.hub.frames.get((self.told_as, topic))
        return frame is not None and frame is not self._sent.get(topic)

    def _frame(self, topic: str) -> Frame | None:
        if topic == "site":
            self._site_version = self.hub.site_version
            return self.hub.site(self.holder)
        if topic == "trails":
            return self.hub.trails()
        return self.hub.frames.get((self.told_as, topic))

    def _note(self, topic: str, frame: Frame) -> None:
        self._sent[topic] = frame
        self.behind = False if topic == "tracks" else self.behind

    async def _until_ready(self) -> None:
        if self.socket.ready:
            return
        self.stuck_since_s = time.monotonic()
        await self.socket.until_ready()
        self.stuck_since_s = None

    async def listen(self) -> None:
        """What it wants to hear, until it goes; a message that says nothing ends it."""
        while True:
            message = await self.socket.receive()
            try:
                if len(message) > FIRST_MESSAGE_BYTES:
                    raise ValueError("it is too long")
                want = frozenset(_WANT.decode(message).want)
                if not want <= set(TOPICS):
                    raise ValueError("there is no such topic")
            except (ValueError, UnicodeError, RecursionError):
                await self.socket.close(POLICY_VIOLATION, 'say {"want": [topics]} or nothing')
                raise GoneError from None
            self.want = want
            self.behind = self.behind if "tracks" in want else None
            self.wake.set()


class Live:
    """ASGI: one who listens, from its coming to its end."""

    def __init__(self, hub: Hub) -> None:
        self.hub = hub

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one WebSocket."""
        socket = WebSocket(scope, receive, send)
        sockets = self.hub.sockets
        with contextlib.suppress(GoneError):
            await socket.open()
            async with sockets.holding(socket):
                holder = await socket.introduce(sockets.tokens, "live.listen")
                purpose = purpose_of(HTTPConnection(scope))
                await self._serve(Listener(socket, holder, self.hub, purpose))

    async def _serve(self, listener: Listener) -> None:
        looks = [found for topic in TOPICS if (found := listener.look(topic)) is not None]
        if looks:
            await asyncio.wait(looks)  # before the first name is shown
        self.hub.listeners[listener] = None
        speaking = asyncio.ensure_future(listener.speak())
        speaking.add_done_callback(lambda done: _end(listener.socket, done))
        try:
            await listener.listen()
        finally:
            speaking.cancel()
            del self.hub.listeners[listener]
            await asyncio.wait([speaking])


def _end(socket: WebSocket, speaking: asyncio.Future[None]) -> None:
    """Nobody is left listening to silence: a fault that nobody foresaw hangs up."""
    error = None if speaking.cancelled() else speaking.exception()
    if error is not None and not isinstance(error, GoneError):
        told(error)
        socket.hang_up(INTERNAL, "a fault of the service")
