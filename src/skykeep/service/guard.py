"""What stands in front of every route: who asks, and how much may come in."""

from __future__ import annotations

import asyncio
import hmac

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from skykeep.service.auth.cookies import CSRF_HEADER, SESSION, cookie_of
from skykeep.service.auth.sign_in import SignIn
from skykeep.service.problems import RETRY_AFTER_S, Refused, problem_response
from skykeep.service.tokens import Holder, Tokens
from skykeep.service.web_socket import foreign_origin

#: A batch of 5,000 rows takes about 2 MB, a country's zones some megabytes.
MAX_BODY_BYTES = 8_000_000
#: Bodies that are being read at once, all together.
MAX_BUFFERED_BYTES = 64_000_000
#: A body that is too large is still read to its end, if that is not too far off: most clients
#: do not look at the answer before they have sent everything.
DRAIN_BYTES = 256_000_000
#: A sender that needs longer for a body has gone, or means harm.
BODY_S = 30.0


class Guard:
    """ASGI: who asks, by token or session, where that matters; bounds bodies in size and time."""

    def __init__(self, app: ASGIApp, tokens: Tokens, sign_in: SignIn) -> None:
        self.app, self.tokens, self.sign_in = app, tokens, sign_in
        self.buffered = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] == "websocket":
            await self._web_socket(scope, receive, send)
            return
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        body = _Body(self, scope, receive)
        if scope["path"].startswith("/v1/") or scope["path"] == "/metrics":
            holder = self.holder(scope)
            forged = "" if isinstance(holder, str) else self.forged(scope)
            if forged:
                await body.drain()
                mend = "Send what GET /v1/me says as csrf in the header Skykeep-Csrf"
                response = problem_response(403, "header Skykeep-Csrf", forged, mend)
                await response(scope, receive, send)
                return
            if isinstance(holder, str):
                await body.drain()
                mend = "Send the header Authorization: Bearer TOKEN; skykeep token new makes one"
                response = problem_response(
                    401, "header Authorization", holder, mend, {"WWW-Authenticate": "Bearer"}
                )
                await response(scope, receive, send)
                return
            scope["holder"] = holder
        try:
            await self.app(scope, body.receive, send)
        finally:
            self.buffered -= body.read

    async def _web_socket(self, scope: Scope, receive: Receive, send: Send) -> None:
        if foreign_origin(scope):
            await receive()
            await send({"type": "websocket.close"})  # before the handshake: status 403
            return
        scope["holder"] = self.holder(scope)
        await self.app(scope, receive, send)

    def holder(self, scope: Scope) -> Holder | str:
        """Who asks, by token or by a session's cookie; or in words why that is not known."""
        given = [value for name, value in scope["headers"] if name == b"authorization"]
        if not given:
            return self._signed_in(scope) or "there is no token"
        if len(given) != 1:
            return "there are several tokens"
        kind, _, token = given[0].decode("latin-1").partition(" ")
        if kind.lower() != "bearer" or not token.strip():
            return "there is no bearer token"
        return self.tokens.holder_of(token.strip()) or "the token is not known here"

    def _signed_in(self, scope: Scope) -> Holder | None:
        cookie = cookie_of(scope, SESSION)
        found = self.sign_in.people.session(cookie, self.sign_in.clock()) if cookie else None
        if found is None:
            return None
        person, session = found
        scope["csrf"], scope["session"] = session.csrf, cookie
        scope["login"] = person.login
        return Holder("", person.name, person.roles[0], also=person.roles[1:])

    @staticmethod
    def forged(scope: Scope) -> str:
        """Why a change may not be the signed-in person's own will; empty where it is.

        A browser sends the cookie with whatever another site makes it send; what is in the
        header only a page of this site can know. Tokens come with no request by themselves.
        """
        csrf = scope.get("csrf")
        if csrf is None or scope["method"] in ("GET", "HEAD", "OPTIONS"):
            return ""
        given = [value for name, value in scope["headers"] if name == CSRF_HEADER]
        said = given[0] if len(given) == 1 else b""
        if not hmac.compare_digest(said, csrf.encode("ascii")):
            return "is missing, or is not this session's"
        return ""


class _Body:
    """The body of one request, with what it may cost."""

    def __init__(self, guard: Guard, scope: Scope, receive: Receive) -> None:
        self.guard, self.scope, self._receive = guard, scope, receive
        self.read = 0
        self.ended = False

    async def receive(self) -> Message:
        """The next part; raises `Refused` for what is too large, too much or too slow."""
        if self.ended:
            return await self._receive()
        if self.read == 0 and self._announced() > MAX_BODY_BYTES:
            await self._too_large()
        try:
            async with asyncio.timeout(BODY_S):
                message = await self._receive()
        except TimeoutError:
            words = f"nothing came for {BODY_S:.0f} s"
            raise Refused(408, "body", words, "Send it in one go") from None
        if message["type"] != "http.request":
            self.ended = True
            return message
        self.ended = not message.get("more_body", False)
        size = len(message.get("body", b""))
        self.read += size
        self.guard.buffered += size
        if self.read > MAX_BODY_BYTES:
            await self._too_large()
        if self.guard.buffered > MAX_BUFFERED_BYTES:
            await self.drain()
            words = "too many large bodies at once"
            raise Refused(503, "body", words, f"Send it again after {RETRY_AFTER_S} s")
        return message

    def _announced(self) -> int:
        for name, value in self.scope["headers"]:
            if name == b"content-length":
                return int(value) if value.isdigit() else 0
        return 0

    async def _too_large(self) -> None:
        await self.drain()
        words = f"is over {MAX_BODY_BYTES} bytes"
        raise Refused(413, "body", words, "Send it in pieces")

    async def drain(self) -> None:
        """Read on and forget it, up to a bound, so that the sender hears the answer."""
        drained = self.read
        try:
            async with asyncio.timeout(BODY_S):
                while not self.ended and drained <= DRAIN_BYTES:
                    message = await self._receive()
                    drained += len(message.get("body", b""))
                    self.ended = not message.get("more_body", False)
        except TimeoutError:
            self.ended = True
