"""uvicorn's WebSocket protocol with a door for frames that are shared among listeners."""

from __future__ import annotations

import asyncio
import socket
import sys
from typing import Any

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.http11 import Request

from skykeep.service.web_socket import EXTENSION, GoneError

#: One that was told to end may go on sending for so long, or until it is quiet.
DRAIN_S, QUIET_S = 10.0, 0.5
#: A frame of 500 tracks three times over; more than that is old before it arrives.
UNSENT_BYTES = 131_072


class SocketProtocol(WebSocketsSansIOProtocol):
    """The same, and a `web_socket.Door`."""

    scope: Any
    _quiet: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep in the system's buffer only what is on its way: a slow one is to get what is new."""
        super().connection_made(transport)
        sock = transport.get_extra_info("socket")
        if sock is not None and sys.platform == "linux":
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, UNSENT_BYTES)

    def keepalive_timeout(self) -> None:
        """It is gone, or stands still: what waits to be sent to it must not keep it open."""
        super().keepalive_timeout()
        self.loop.call_later(QUIET_S, self.transport.abort)

    def handle_connect(self, event: Request) -> None:
        """Shake hands; what is served then finds the door in its scope."""
        super().handle_connect(event)
        if self.response.status_code == 101:
            self.scope["extensions"][EXTENSION] = self

    def data_received(self, data: bytes) -> None:
        """Read; after a fault, only that the other side comes to read why it ends."""
        if self._quiet is None:
            super().data_received(data)
        else:
            self._wait_for_quiet()

    def handle_parser_exception(self) -> None:
        """Say why it ends; what is still on its way is read and forgotten.

        A connection that is closed upon unread bytes is reset, and the reason is lost.
        """
        assert self.conn.close_sent is not None
        code, reason = self.conn.close_sent.code, self.conn.close_sent.reason
        self.queue.put_nowait({"type": "websocket.disconnect", "code": code, "reason": reason})
        self.transport.write(b"".join(self.conn.data_to_send()))
        self.close_sent = True
        if self.read_paused:
            self.read_paused = False
            self.transport.resume_reading()
        self.close_timer = self.loop.call_later(DRAIN_S, self.transport.close)
        self._wait_for_quiet()

    def _wait_for_quiet(self) -> None:
        if self._quiet is not None:
            self._quiet.cancel()
        self._quiet = self.loop.call_later(QUIET_S, self.transport.close)

    def connection_lost(self, exc: Exception | None) -> None:
        """The end."""
        if self._quiet is not None:
            self._quiet.cancel()
        super().connection_lost(exc)

    def write_framed(self, framed: bytes) -> None:
        """Hand over whole frames; GoneError once the socket is closed."""
        if self.disconnected or self.close_sent or self.transport.is_closing():
            raise GoneError
        self.transport.write(framed)

    def limit(self, message_bytes: int) -> None:
        """Messages that come in may have so many bytes from now on."""
        self.conn.max_message_size = message_bytes

    def abort(self) -> None:
        """Drop the connection with all that waits to be sent."""
        self.transport.abort()

    def shutdown(self) -> None:
        """The service ends: goodbye, or for one that does not read, an end without it."""
        if self.writable.is_set():
            super().shutdown()
        else:
            self.stop_keepalive()
            self.transport.abort()
