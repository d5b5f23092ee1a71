"""A WebSocket client without a network: it speaks ASGI to the application in this process."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from types import TracebackType
from typing import Any

import msgspec

from skykeep.service.web_socket import EXTENSION, GoneError
from tests.desk import Desk

#: Nothing in this process takes so long.
PATIENCE_S = 20.0


class Door:
    """The server's side door: takes frames, or not while `writable` is not set."""

    def __init__(self, line: Line) -> None:
        self.line, self.writable = line, asyncio.Event()
        self.writable.set()
        self.limits: list[int] = []
        self.aborted = False

    def write_framed(self, framed: bytes) -> None:
        if self.aborted:
            raise GoneError
        self.line.out.put_nowait({"type": "websocket.send", "bytes": unframed(framed)})

    def limit(self, message_bytes: int) -> None:
        self.limits.append(message_bytes)

    def abort(self) -> None:
        self.aborted = True
        self.line.hang_up(1006)


def unframed(framed: bytes) -> bytes:
    """A whole unmasked binary frame, read by the letter of RFC 6455, section 5.2."""
    assert framed[0] == 0b1000_0010
    size, at = framed[1], 2
    if size == 126:
        size, at = int.from_bytes(framed[2:4], "big"), 4
        assert size > 125
    elif size == 127:
        size, at = int.from_bytes(framed[2:10], "big"), 10
        assert size > 65_535
    assert len(framed) == at + size
    return framed[at:]


class Line:
    """One client; `with` hangs up and sees the application's task to its end."""

    def __init__(
        self,
        desk: Desk,
        path: str,
        token: str | None = None,
        *,
        headers: dict[str, str] | None = None,
        door: bool = False,
    ) -> None:
        self.desk, self.out = desk, asyncio.Queue[dict[str, Any]]()
        self._inbox: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        said = {"host": "desk", **(headers or {})}
        if token is not None:
            said["authorization"] = f"Bearer {token}"
        self.door = Door(self) if door else None
        scope: dict[str, Any] = {
            "type": "websocket", "path": path, "raw_path": path.encode(), "query_string": b"",
            "root_path": "", "scheme": "ws", "subprotocols": [], "client": ("desk", 1),
            "headers": [(k.lower().encode(), v.encode()) for k, v in said.items()],
            "extensions": {} if self.door is None else {EXTENSION: self.door},
        }  # fmt: skip
        self._inbox.put_nowait({"type": "websocket.connect"})
        self.task = desk.loop.create_task(
            desk.app(scope, self._inbox.get, self._send)  # type: ignore[arg-type]
        )

    async def _send(self, message: dict[str, Any]) -> None:
        self.out.put_nowait(message)
        if message["type"] == "websocket.close":
            self.hang_up(message.get("code", 1000))

    def hang_up(self, code: int = 1000) -> None:
        self._inbox.put_nowait({"type": "websocket.disconnect", "code": code})

    def __enter__(self) -> Line:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.hang_up()
        self.desk.loop.run_until_complete(asyncio.wait_for(self.task, PATIENCE_S))

    def say(self, message: Any) -> None:
        """Send a message: bytes as they are, text as text, all else as JSON text."""
        if isinstance(message, bytes):
            self._inbox.put_nowait({"type": "websocket.receive", "bytes": message})
        else:
            text = message if isinstance(message, str) else json.dumps(message)
            self._inbox.put_nowait({"type": "websocket.receive", "text": text})

    def next(self) -> dict[str, Any]:
        """The next ASGI message of the application."""
        get = asyncio.wait_for(self.out.get(), PATIENCE_S)
        return self.desk.loop.run_until_complete(get)

    def opened(self) -> Line:
        assert self.next()["type"] == "websocket.accept"
        return self

    def closed(self, skip: int = 500) -> int:
        """The code it was closed with; whatever came before is passed over."""
        for _ in range(skip):
            message = self.next()
            if message["type"] == "websocket.close":
                return int(message.get("code", 1000))
        raise AssertionError(f"it is open after {skip} messages")

    def message(self) -> dict[str, Any]:
        """The next binary message, decoded."""
        said = self.next()
        assert said["type"] == "websocket.send", said
        decoded: dict[str, Any] = msgspec.msgpack.decode(said["bytes"])
        return decoded

    def topic(self, name: str, skip: int = 200) -> dict[str, Any]:
        """The next message of a topic; others are passed over."""
        for _ in range(skip):
            message = self.message()
            if message["topic"] == name:
                return message
        raise AssertionError(f"no {name} among {skip} messages")

    def until(
        self, name: str, holds: Callable[[dict[str, Any]], bool], tries: int = 300
    ) -> dict[str, Any]:
        """The first message of a topic of which something holds."""
        for _ in range(tries):
            message = self.topic(name)
            if holds(message):
                return message
        raise AssertionError(f"it does not hold of {tries} messages {name}")

    def answer(self) -> dict[str, Any]:
        """The next text message, decoded."""
        decoded: dict[str, Any] = json.loads(self.next()["text"])
        return decoded
