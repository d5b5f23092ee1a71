"""A witness over HTTP: C2SP tlog-witness, and what it has seen, for everybody.

    POST /add-checkpoint     a request of tlog-witness; the answer is a cosignature line
    GET  /heads              every log's newest cosigned head, what was refused, proofs of forks
    GET  /health             200 while it cosigns

It runs by itself, on another machine than the log if it is to be of use, and imports nothing
of the site's engine.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import uvicorn
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from skykeep.errors import RecordError
from skykeep.record.witness import MAX_REQUEST_BYTES, SIZE_TYPE, Refused
from skykeep.store.witness_state import WitnessState

#: A log sends some kilobytes; who needs longer has gone, or means harm.
BODY_S = 10.0
#: Requests that wait for the disk; a witness of some logs has one every few seconds.
MOST_WAITING = 64
BACKLOG, KEEP_ALIVE_S, GRACE_S = 128, 75, 5
_log = logging.getLogger(__name__)


def witness_app(state: WitnessState, clock_s: Callable[[], int]) -> Starlette:
    """The witness as an application; `clock_s` gives POSIX seconds."""
    waiting = 0

    async def add_checkpoint(request: Request) -> Response:
        nonlocal waiting
        if waiting >= MOST_WAITING:
            return _words(503, "too many requests wait")
        waiting += 1
        try:
            body = await _body(request)
            if isinstance(body, Response):
                return body
            found = await asyncio.to_thread(state.add, body, clock_s)
        except RecordError as error:
            _log.error("witness.stopped: %s", error)
            return _words(503, str(error))
        finally:
            waiting -= 1
        if isinstance(found, Refused):
            if found.size is not None:
                # As a header: to a media type of text Starlette would add a character set.
                return Response(f"{found.size}\n", found.status, {"Content-Type": SIZE_TYPE})
            return _words(found.status, found.problem)
        return PlainTextResponse(found)

    async def heads(_: Request) -> Response:
        told = await asyncio.to_thread(seen, state)
        return JSONResponse(told, headers={"Cache-Control": "no-cache"})

    async def health(_: Request) -> Response:
        told = {"ok": not state.problem, "problem": state.problem, "witness": state.name}
        return JSONResponse(told, 503 if state.problem else 200)

    routes = [
        Route("/add-checkpoint", add_checkpoint, methods=["POST"]),
        Route("/heads", heads),
        Route("/health", health),
    ]
    return Starlette(routes=routes)


def seen(state: WitnessState) -> dict[str, object]:
    """What `GET /heads` tells."""
    refused = [
        {
            "origin": one.origin, "at": one.at_s, "status": one.status, "problem": one.problem,
            "note": one.note.decode(),
        }
        for one in state.refused()
    ]  # fmt: skip
    return {
        "witness": state.vkey,
        "heads": {origin: note.decode() for origin, note in state.heads().items()},
        "refused": refused,
        "forks": {origin: proof.decode() for origin, proof in state.forks().items()},
    }


async def _body(request: Request) -> bytes | Response:
    parts: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(BODY_S):
            async for part in request.stream():
                size += len(part)
                if size > MAX_REQUEST_BYTES:
                    return _words(413, f"the request is over {MAX_REQUEST_BYTES} bytes")
                parts.append(part)
    except TimeoutError:
        return _words(408, f"the request took over {BODY_S:.0f} s")
    except ClientDisconnect:
        return _words(400, "the request was cut short")
    return b"".join(parts)


def _words(status: int, words: str) -> Response:
    return PlainTextResponse(words + "\n", status)


class _Server(uvicorn.Server):
    """uvicorn's server; a signal ends it with the exit code 0."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop)
        yield

    def _stop(self) -> None:
        self.should_exit = True


def serve_witness(state: WitnessState, listener: socket.socket, clock_s: Callable[[], int]) -> None:
    """Serve until a signal."""
    config = uvicorn.Config(
        witness_app(state, clock_s),
        loop="asyncio",
        http="h11",
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=GRACE_S,
        backlog=BACKLOG,
    )
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_Server(config).serve([listener]))
