"""Runs the service: binds, recovers, serves, and on a signal finishes what it has begun."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import signal
import socket
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import uvicorn

from skykeep import __version__
from skykeep.config import (
    Delivery,
    FeedSettings,
    PublicSettings,
    TimestampPlace,
    WatchdogSettings,
    WitnessPlace,
)
from skykeep.core.airspace import Site
from skykeep.core.observation import Sensor
from skykeep.core.retention import RetentionPolicy
from skykeep.deliver.settings import RecipientSettings, WarningSettings
from skykeep.errors import InputError, RecordError
from skykeep.service import log
from skykeep.service.app import create_app
from skykeep.service.socket_protocol import SocketProtocol
from skykeep.service.tokens import Tokens
from skykeep.service.web_page import Page
from skykeep.service.web_socket import FIRST_MESSAGE_BYTES
from skykeep.service.writer import Writer

#: Requests that are under way when a signal comes may take this long to end.
GRACE_S = 10
#: Idle connections are kept for clients that post once in a few seconds.
KEEP_ALIVE_S = 75
BACKLOG = 512
MAX_PORT = 65_535
#: Objects that live as long as the service are many; the collector looks at them seldom.
GC_THRESHOLDS = (20_000, 50, 100)


@dataclass(frozen=True, slots=True)
class Place:
    """Where to listen, where the record lies, who may speak, who cosigns."""

    host: str
    port: int
    data: Path
    tokens: Path
    witnesses: tuple[WitnessPlace, ...] = ()
    retention: RetentionPolicy = field(default_factory=RetentionPolicy)
    timestamps: tuple[TimestampPlace, ...] = ()
    watchdog: WatchdogSettings | None = None


#: Plays a story to a writer until its end; it is told where the service listens.
Play = Callable[[Writer, socket.socket], Coroutine[Any, Any, None]]


class _Server(uvicorn.Server):
    """uvicorn's server; signals are ours, and it says when it is ready."""

    def __init__(
        self, config: uvicorn.Config, ready: Callable[[], None], leave: Callable[[], None]
    ) -> None:
        super().__init__(config)
        self._ready, self._leave = ready, leave

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop)
        try:
            yield
        finally:
            for number in (signal.SIGTERM, signal.SIGINT):
                loop.remove_signal_handler(number)

    def _stop(self) -> None:
        self.force_exit = self.should_exit  # the second signal does not wait
        self.should_exit = True
        self._leave()  # answers that never end by themselves

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._ready()


def serve(
    place: Place,
    site: Site,
    sensors: Sequence[Sensor],
    clock: Callable[[], int],
    say: Callable[[str], None],
    page: Page | None = None,
    play: Play | None = None,
    delivery: Delivery | None = None,
    shown: PublicSettings | None = None,
    feeds: Sequence[FeedSettings] = (),
    recipients: Sequence[RecipientSettings] = (),
    warn: WarningSettings | None = None,
) -> None:
    """Serve until a signal. InputError for a place to listen that cannot be had; RecordError
    for a record that does not hold, or that could not be kept to the end.

    With `play` the site's inputs, its clock's too, come from a story that runs beside the
    service, under `clock`; an error of the story ends the service and is raised.
    """
    listener = _listener(place)
    try:
        writer = Writer(place.data, site, sensors, clock, ticks=play is None)
        asyncio.run(
            _serve(
                place, listener, writer, say, page, play, delivery, shown, (feeds, sensors),
                recipients, warn,
            )
        )  # fmt: skip
    finally:
        listener.close()


async def _serve(
    place: Place,
    listener: socket.socket,
    writer: Writer,
    say: Callable[[str], None],
    page: Page | None,
    play: Play | None,
    delivery: Delivery | None,
    shown: PublicSettings | None,
    fed: tuple[Sequence[FeedSettings], Sequence[Sensor]],
    recipients: Sequence[RecipientSettings],
    warn: WarningSettings | None,
) -> None:
    tokens = Tokens(place.tokens)
    tokens.refresh()
    try:
        await writer.start()
    except RecordError:
        writer.close()
        raise
    app = create_app(
        writer, tokens, page, delivery, shown, place.witnesses, place.retention, fed, recipients,
        place.timestamps, warn, place.watchdog,
    )  # fmt: skip
    config = uvicorn.Config(
        app,
        loop="asyncio",
        http="h11",
        ws=SocketProtocol,
        ws_max_size=FIRST_MESSAGE_BYTES,
        ws_per_message_deflate=False,  # frames are shared as they are, and short of repetition
        lifespan="off",
        log_config=None,  # the log is ours: log.py
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=GRACE_S,
        backlog=BACKLOG,
    )

    def ready() -> None:
        log.event(logging.INFO, "service.start", version=__version__, entries=writer.size)
        host, port = listener.getsockname()[:2]
        shown = f"[{host}]" if ":" in host else host
        say(f"{writer.site.name}: {writer.size} entries, serving on http://{shown}:{port}")
        if tokens.problem:
            say(f"nobody may speak yet ({tokens.problem}): make a token with skykeep token new")
        if play is None and (first := app.state.sign_in.first_invitation()) is not None:
            say(f"no administrator yet: http://{shown}:{port}/invitation/{first}")

    server = _Server(config, ready, app.state.streams.leave)
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)
    at_work = asyncio.ensure_future(writer.run())
    state = app.state
    # A story's clock is not the world's: nothing of it is a person's.
    own_time = [state.retention, state.stamper] if play is None else []
    rooms = [state.hub, state.outbox, state.publisher, state.log_publisher, *own_time]
    rooms += [state.history, state.dispatcher, state.streams, state.troubles.disk]
    if play is None:
        rooms.append(state.watchdog)
    last_words = {room: asyncio.ensure_future(room.run()) for room in (state.feeds, state.looks)}
    beside = [asyncio.ensure_future(room.run()) for room in rooms]
    at_work.add_done_callback(lambda _: server.handle_exit(signal.SIGTERM, None))
    playing = None if play is None else asyncio.ensure_future(play(writer, listener))
    if playing is not None:
        playing.add_done_callback(lambda done: _end_if_failed(done, server))
    try:
        await server.serve([listener])
        if playing is not None:
            await _ended(playing)
        for room, running in last_words.items():
            room.stop()
            await asyncio.wait([running])  # what came, and who looked, is still recorded
        for room in rooms:
            room.stop()
        writer.stop()
        await asyncio.wait([at_work, *beside])
        await at_work
    finally:
        app.state.sign_in.people.close()
        writer.close()
        log.event(logging.INFO, "service.stop", entries=writer.size)


def _end_if_failed(playing: asyncio.Future[None], server: _Server) -> None:
    if not playing.cancelled() and playing.exception() is not None:
        server.handle_exit(signal.SIGTERM, None)


async def _ended(playing: asyncio.Future[None]) -> None:
    """The story stops with the service; what made it fail is raised."""
    playing.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await playing


def _listener(place: Place) -> socket.socket:
    where = f"{place.host}:{place.port}"
    if not 0 <= place.port <= MAX_PORT:
        raise InputError(where, "is no port", f"Give 0 to {MAX_PORT}")
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            place.host, place.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
    except OSError as error:
        raise InputError(where, str(error), "Give a host of this machine") from None
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
    except OSError as error:
        listener.close()
        raise InputError(where, str(error), "Give another --host or --port") from None
    return listener
