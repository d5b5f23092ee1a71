"""One WebSocket as the service sees it: who speaks, what may come in, how it ends.

It speaks ASGI. Where the server lets it (socket_protocol.py), frames that were made once for
many listeners go out as they are, and nobody waits for a listener that does not read.
"""

from __future__ import annotations

import asyncio
import logging
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import urlsplit

import msgspec
from starlette.types import Message, Receive, Scope, Send

from skykeep.service import log
from skykeep.service.rights import RIGHTS
from skykeep.service.tokens import Holder, Tokens

#: Close codes: 4000 to 4999 are an application's own (RFC 6455, section 7.4.2).
UNKNOWN, FORBIDDEN = 4401, 4403
GOING_AWAY, TOO_LARGE, TRY_LATER = 1012, 1009, 1013
#: A browser cannot set headers: it says its token in the first message, soon.
FIRST_MESSAGE_S = 5.0
#: A token and its braces; a list of topics.
FIRST_MESSAGE_BYTES = 4_096
#: A listener costs a frame of some tens of kilobytes a second.
MAX_SOCKETS = 2_000
#: Those who have not said yet who they are; they must not keep out those who have.
MAX_STRANGERS = 500
#: The server's own door beside ASGI; see socket_protocol.py.
EXTENSION = "skykeep.socket"
_DEFAULT_PORT = {"http": 80, "https": 443, "ws": 80, "wss": 443}


class _First(msgspec.Struct, forbid_unknown_fields=True):
    token: str


_FIRST = msgspec.json.Decoder(_First)


class GoneError(Exception):
    """The other side has gone, or this side has hung up."""


class Door(Protocol):
    """What the server's own protocol offers beside ASGI."""

    writable: asyncio.Event

    def write_framed(self, framed: bytes) -> None:
        """Hand over whole frames; GoneError once the socket is closed."""

    def limit(self, message_bytes: int) -> None:
        """Messages that come in may have so many bytes from now on."""

    def abort(self) -> None:
        """Drop the connection with all that waits to be sent."""


def binary_frame(payload: bytes) -> bytes:
    """A server's whole binary message as one frame, unmasked (RFC 6455, section 5.2)."""
    size = len(payload)
    if size < 126:
        return struct.pack("!BB", 0x82, size) + payload
    if size < 65_536:
        return struct.pack("!BBH", 0x82, 126, size) + payload
    return struct.pack("!BBQ", 0x82, 127, size) + payload


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One message, encoded once for all who may have it; `number` grows with each."""

    number: int
    payload: bytes
    framed: bytes

    @staticmethod
    def of(number: int, payload: bytes) -> Frame:
        """The message with its frame."""
        return Frame(number, payload, binary_frame(payload))


class WebSocket:
    """An open WebSocket; `holder` is known once it has said who speaks."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.scope = scope
        self.holder: Holder | None = None
        self._receive, self._send = receive, send
        self._door: Door | None = scope.get("extensions", {}).get(EXTENSION)
        self._closing: asyncio.Task[None] | None = None
        self._open = False
        self.closed = False

    @property
    def stranger(self) -> bool:
        """Whether it has not said yet who speaks."""
        return not isinstance(self.scope.get("holder"), Holder)

    @property
    def ready(self) -> bool:
        """Whether what is sent now goes out at once."""
        return self._door is None or self._door.writable.is_set()

    async def until_ready(self) -> None:
        """Until what was sent before has gone out, but for some kilobytes."""
        if self._door is not None:
            await self._door.writable.wait()

    async def open(self) -> None:
        """Shake hands."""
        message = await self._receive()
        if message["type"] != "websocket.connect":
            raise GoneError
        if self._door is not None:
            self._door.limit(FIRST_MESSAGE_BYTES)
        await self._send({"type": "websocket.accept"})
        self._open = True

    def allow(self, message_bytes: int) -> None:
        """Let messages of this size in."""
        if self._door is not None:
            self._door.limit(message_bytes)

    async def receive(self) -> bytes:
        """The next message; GoneError at the end."""
        message: Message = await self._receive()
        if message["type"] != "websocket.receive":
            self.closed = True
            raise GoneError
        text = message.get("text")
        return text.encode() if text is not None else message.get("bytes") or b""

    async def send_text(self, text: str) -> None:
        """Send a text message; GoneError once nobody hears it."""
        await self._sent({"type": "websocket.send", "text": text})

    async def send_frame(self, frame: Frame) -> None:
        """Send a shared message; GoneError once nobody hears it."""
        if self._door is None:
            await self._sent({"type": "websocket.send", "bytes": frame.payload})
        elif self.closed:
            raise GoneError
        else:
            self._door.write_framed(frame.framed)

    async def _sent(self, message: Message) -> None:
        if self.closed:
            raise GoneError
        try:
            await self._send(message)
        except OSError:  # uvicorn's ClientDisconnected is one
            self.closed = True
            raise GoneError from None

    async def close(self, code: int, why: str) -> None:
        """Say goodbye; one that does not read is dropped."""
        if self.closed or not self._open:
            return
        self.closed = True
        if not self.ready and self._door is not None:
            self._door.abort()
            return
        try:
            await self._send({"type": "websocket.close", "code": code, "reason": why})
        except OSError:
            return

    def hang_up(self, code: int, why: str) -> None:
        """The same, from outside of the task that serves it."""
        if self._closing is None:
            self._closing = asyncio.ensure_future(self.close(code, why))

    def abort(self) -> None:
        """Drop it at once."""
        if self._door is not None:
            self.closed = True
            self._door.abort()
        else:
            self.hang_up(TRY_LATER, "it does not read")

    async def introduce(self, tokens: Tokens, action: str) -> Holder:
        """Who speaks, by header or first message, in a role that may do this.

        Otherwise the socket is closed with 4401 or 4403 and GoneError raised.
        """
        said = self.scope["holder"]
        if not isinstance(said, Holder) and not _has_header(self.scope):
            said = await self._first(tokens)
        if not isinstance(said, Holder):
            await self.close(UNKNOWN, said)
            raise GoneError
        roles = RIGHTS[action].roles
        acting = said.acting_as(roles)
        if acting is None:
            allowed = " or ".join(sorted(roles))
            await self.close(FORBIDDEN, f"the role {said.role} may not; {action} needs {allowed}")
            raise GoneError
        said = self.holder = self.scope["holder"] = acting
        log.event(logging.INFO, "socket.open", route=self.scope["path"], **log.who(said))
        return said

    async def _first(self, tokens: Tokens) -> Holder | str:
        try:
            async with asyncio.timeout(FIRST_MESSAGE_S):
                message = await self.receive()
        except TimeoutError:
            return f"no token came within {FIRST_MESSAGE_S:.0f} s"
        if len(message) > FIRST_MESSAGE_BYTES:
            await self.close(TOO_LARGE, f"the first message is over {FIRST_MESSAGE_BYTES} bytes")
            raise GoneError
        try:
            token = _FIRST.decode(message).token
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            return 'the first message must be {"token": "TOKEN"}'
        return tokens.holder_of(token.strip()) or "the token is not known here"


class Sockets:
    """All that are open, in the order of their coming.

    `stands` says whether a session's cookie still lets somebody in.
    """

    def __init__(self, tokens: Tokens, stands: Callable[[str], bool] = lambda _: False) -> None:
        self.tokens, self.stands = tokens, stands
        self.open: dict[WebSocket, None] = {}
        self._seen: tuple[Holder, ...] | None = None

    @asynccontextmanager
    async def holding(self, socket: WebSocket) -> AsyncIterator[None]:
        """One that is open, for as long as it is served; GoneError where there are too many."""
        strangers = sum(s.stranger for s in self.open) if socket.stranger else 0
        if len(self.open) >= MAX_SOCKETS or strangers >= MAX_STRANGERS:
            await socket.close(TRY_LATER, "there are too many connections already")
            raise GoneError
        self.open[socket] = None
        try:
            yield
        finally:
            del self.open[socket]

    def check(self) -> None:
        """Hang up on those whose token or session is no longer there."""
        for socket in tuple(self.open):
            cookie = socket.scope.get("session")
            if cookie is not None and not self.stands(cookie):
                socket.hang_up(UNKNOWN, "the session is over")
        self.tokens.refresh()
        if self.tokens.holders is self._seen:
            return
        self._seen = self.tokens.holders
        known = set(self._seen)
        for socket in tuple(self.open):
            by_token = socket.holder is not None and "session" not in socket.scope
            if by_token and socket.holder not in known:
                socket.hang_up(UNKNOWN, "the token is no longer known here")


def _has_header(scope: Scope) -> bool:
    return any(name == b"authorization" for name, _ in scope["headers"])


def foreign_origin(scope: Scope) -> str:
    """The origin of a page of somebody else that tries to open a socket here; else empty.

    A browser sends the session's cookie along with whatever page asks; this keeps a stranger's
    page from using it, and from trying tokens.
    """
    headers: dict[bytes, bytes] = dict(scope["headers"])
    origin = headers.get(b"origin")
    if origin is None:
        return ""  # no browser
    said = origin.decode("latin-1")
    own = headers.get(b"host", b"").decode("latin-1")
    try:
        parts = urlsplit(said)
        there = (parts.hostname, parts.port or _DEFAULT_PORT.get(parts.scheme))
        here_parts = urlsplit(f"//{own}")
        here = (here_parts.hostname, here_parts.port or _DEFAULT_PORT.get(parts.scheme))
    except ValueError:
        return said
    if parts.scheme not in ("http", "https") or there[0] is None or there != here:
        return said or "(empty)"
    return ""
