"""`/v1/ingest`: batches of one sensor over a WebSocket, answered when they are durable.

Each message is what `POST /v1/batches` takes, each answer what that says: the answers come in
the order of the messages, one text message each. A batch that is refused is answered with
`{"where", "problem", "mend", "status"}`, and `batch_id` where it could be read.
"""

from __future__ import annotations

import asyncio
import contextlib
from asyncio import Semaphore
from typing import Any

import msgspec
from starlette.types import Receive, Scope, Send

from skykeep.service.batches import take_batch
from skykeep.service.guard import MAX_BODY_BYTES, MAX_BUFFERED_BYTES
from skykeep.service.problems import RETRY_AFTER_S, Refused, words_of
from skykeep.service.tokens import Holder
from skykeep.service.web_socket import (
    TOO_LARGE,
    UNKNOWN,
    GoneError,
    Sockets,
    WebSocket,
)
from skykeep.service.writer import Writer, told

#: Batches of one connection that may wait for the disk; then its next is not read.
IN_FLIGHT = 16
PATH = "/v1/ingest"


Said = dict[str, Any]
#: A batch that is being taken, and its message.
Taken = tuple[asyncio.Task[Said], bytes]


class _Named(msgspec.Struct):
    batch_id: str


_NAMED = msgspec.json.Decoder(_Named)


class Ingest:
    """ASGI: one sensor that sends, from its coming to its end."""

    def __init__(self, writer: Writer, sockets: Sockets) -> None:
        self.writer, self.sockets = writer, sockets
        self.buffered = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one WebSocket."""
        socket = WebSocket(scope, receive, send)
        with contextlib.suppress(GoneError):
            await socket.open()
            async with self.sockets.holding(socket):
                holder = await socket.introduce(self.sockets.tokens, "batches.send")
                socket.allow(MAX_BODY_BYTES)
                await self._serve(socket, holder)

    async def _serve(self, socket: WebSocket, holder: Holder) -> None:
        taken: asyncio.Queue[Taken | None] = asyncio.Queue()
        room = asyncio.Semaphore(IN_FLIGHT)
        answering = asyncio.ensure_future(_answer(socket, taken, room))
        try:
            while True:
                await room.acquire()
                body = await socket.receive()
                await self._check(socket, holder, body)
                taken.put_nowait((asyncio.ensure_future(self._take(holder, body)), body))
        finally:
            taken.put_nowait(None)
            await answering

    async def _check(self, socket: WebSocket, holder: Holder, body: bytes) -> None:
        """End it where the token has gone or nothing smaller will come."""
        self.sockets.tokens.refresh()
        if holder not in self.sockets.tokens.holders:
            await socket.close(UNKNOWN, "the token is no longer known here")
            raise GoneError
        if len(body) > MAX_BODY_BYTES:
            await socket.close(TOO_LARGE, f"a message is over {MAX_BODY_BYTES} bytes")
            raise GoneError

    async def _take(self, holder: Holder, body: bytes) -> Said:
        self.buffered += len(body)
        try:
            if self.buffered > MAX_BUFFERED_BYTES:
                mend = f"Send it again after {RETRY_AFTER_S} s"
                raise Refused(503, PATH, "too many large batches at once", mend)
            return await take_batch(self.writer, holder, body)
        finally:
            self.buffered -= len(body)


async def _answer(socket: WebSocket, taken: asyncio.Queue[Taken | None], room: Semaphore) -> None:
    """Answer in the order of the messages; after the other side has gone, only wait for them."""
    while (one := await taken.get()) is not None:
        task, body = one
        await asyncio.wait([task])
        error = task.exception()
        said = task.result() if error is None else _refusal(error, body)
        with contextlib.suppress(GoneError):
            await socket.send_text(msgspec.json.encode(said).decode())
        room.release()


def _refusal(error: BaseException, body: bytes) -> Said:
    assert isinstance(error, Exception)
    if not isinstance(error, Refused):
        error = told(error)  # what nobody foresaw goes to the log
    status, where, problem, mend = words_of(error, PATH)
    said: Said = {"where": where, "problem": problem, "mend": mend, "status": status}
    with contextlib.suppress(msgspec.DecodeError, UnicodeError, RecursionError):
        said["batch_id"] = _NAMED.decode(body).batch_id[:100]
    return said
