"""uvicorn's WebSocket protocol with a door for frames that are shared among listeners."""

from __future__ import annotations

from typing import Any

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.http11 import Request

from skykeep.service.web_socket import EXTENSION, GoneError


class SocketProtocol(WebSocketsSansIOProtocol):
    """The same, and a `web_socket.Door`."""

    scope: Any

    def handle_connect(self, event: Request) -> None:
        """Shake hands; what is served then finds the door in its scope."""
        super().handle_connect(event)
        if self.response.status_code == 101:
            self.scope["extensions"][EXTENSION] = self

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
