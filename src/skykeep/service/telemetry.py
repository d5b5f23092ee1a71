"""Every request and connection, counted and logged: by its route's template, never its path."""

from __future__ import annotations

import logging
import time

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from skykeep.service import log
from skykeep.service.metrics import Metrics

#: Where there are sockets; these routes have no template.
SOCKETS = frozenset({"/v1/live", "/v1/ingest"})
#: What no route was found for; its path may be anything.
NO_ROUTE = "none"


class Telemetry:
    """ASGI: outermost, so that what the guard turns away counts too."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self.app, self.metrics = app, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request or connection."""
        if scope["type"] == "http":
            await self._http(scope, receive, send)
        elif scope["type"] == "websocket":
            await self._web_socket(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        begun_s, status = time.perf_counter(), 500

        async def noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, noted)
        finally:
            took_s = time.perf_counter() - begun_s
            route = route_of(scope)
            method = scope["method"] if scope["method"] in _METHODS else "other"
            self.metrics.request(method, route, status, took_s)
            level = logging.WARNING if status >= 500 else logging.INFO
            if log.wanted(level):
                ms = round(took_s * 1e3, 1)
                said = {"method": method, "route": route, "status": status, "duration_ms": ms}
                log.event(level, "http.request", **said, **log.who(scope.get("holder")))

    async def _web_socket(self, scope: Scope, receive: Receive, send: Send) -> None:
        begun_s, code = time.perf_counter(), 0

        async def noted(message: Message) -> None:
            nonlocal code
            if message["type"] == "websocket.close":
                code = message.get("code", 1000)
            await send(message)

        async def heard() -> Message:
            nonlocal code
            message = await receive()
            if message["type"] == "websocket.disconnect":
                code = code or message.get("code", 1005)
            return message

        try:
            await self.app(scope, heard, noted)
        finally:
            took_s = round(time.perf_counter() - begun_s, 1)
            said = {"route": route_of(scope), "code": code, "duration_s": took_s}
            log.event(logging.INFO, "socket.close", **said, **log.who(scope.get("holder")))


_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


def route_of(scope: Scope) -> str:
    """The template of the route that a request found."""
    path = getattr(scope.get("route"), "path", None)
    if scope["type"] == "websocket" and scope["path"] in SOCKETS:
        path = scope["path"]
    return path if isinstance(path, str) else NO_ROUTE
