"""Proof of life to an outside watchdog: a signal that stops when Skykeep can no longer alert.

Silence is the alarm: whoever misses the signal calls somebody. So it is sent only while the whole
line works, and whatever breaks, this process too, ends it.

To the site file's `watchdog`, a URL that is asked by POST; and to systemd, where it started us with
`Type=notify` and `WatchdogSec=` (sd_notify(3): WATCHDOG=1 in a datagram to NOTIFY_SOCKET).
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import socket
import time
from collections.abc import Awaitable, Callable, Mapping

from skykeep.config import WatchdogSettings
from skykeep.errors import RecordError
from skykeep.service import log
from skykeep.service.hub import Hub
from skykeep.service.witness_client import post
from skykeep.service.writer import QUEUE_JOBS, Writer

#: A tick comes at least once a second; so many missing ones are a line that stands.
TICK_OLD_S = 5.0
#: The picture is told once a second, and waits 2 s for a record that is slow.
TOLD_OLD_S = 6.0
#: What waits is worked off within a second or two; half of the queue is no good sign.
QUEUE_STUCK = QUEUE_JOBS // 2
#: systemd wants its signal well before its time is over: sd_watchdog_enabled(3) says half of it.
SYSTEMD_EARLY = 2.0
#: Without an address nor an interval of systemd's: how often it is looked whether all is well.
LOOK_S = 10.0
_OK = range(200, 300)
#: An answer is not read for its words.
_MOST_BYTES = 10_000


class Watchdog:
    """Tells that this site can alert, as long as that is so."""

    def __init__(
        self,
        writer: Writer,
        hub: Hub,
        settings: WatchdogSettings | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        environment = os.environ if environment is None else environment
        #: Why the outside watchdog was not reached; empty while it is.
        self.problem = ""
        self.sent = self.withheld = 0
        self._writer, self._hub, self._settings = writer, hub, settings
        self._socket = environment.get("NOTIFY_SOCKET", "")
        usec = environment.get("WATCHDOG_USEC", "")
        # systemd asks it of one process; a child must not answer for its parent.
        asked = environment.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
        wanted = self._socket and asked and usec.isdigit()
        self._systemd_s = int(usec) / 1e6 / SYSTEMD_EARLY if wanted else 0.0
        self._ready_told = False
        self._stopping = asyncio.Event()

    def cannot_alert(self) -> str:
        """Why nobody would be alerted now; empty where the line works from end to end."""
        now_s, writer = time.monotonic(), self._writer
        if writer.problem:
            return writer.problem
        if now_s - writer.ticked_s > TICK_OLD_S:
            return f"no tick has become durable for {TICK_OLD_S:.0f} s"
        if writer.waiting >= QUEUE_STUCK:
            return f"{writer.waiting} inputs wait"
        if now_s - self._hub.told_s > TOLD_OLD_S:
            return f"the picture was not told for {TOLD_OLD_S:.0f} s"
        return ""

    async def run(self) -> None:
        """Tell until `stop`, each at its own pace."""
        every = []
        if self._settings is not None:
            every.append(self._every(self._settings.every_s, self._post))
        if self._socket:
            every.append(self._every(self._systemd_s or LOOK_S, self._notify))
        await asyncio.gather(*every)

    def stop(self) -> None:
        """Tell nothing more: who stops cannot alert."""
        self._stopping.set()

    async def _every(self, wait_s: float, tell: Callable[[], Awaitable[None]]) -> None:
        why_before = ""
        while not self._stopping.is_set():
            why = self.cannot_alert()
            if why:
                self.withheld += 1
                if why != why_before:
                    log.event(logging.ERROR, "watchdog.withheld", why=why)
            else:
                await tell()
            why_before = why
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(min(wait_s, 1.0) if why else wait_s):
                    await self._stopping.wait()

    async def _post(self) -> None:
        assert self._settings is not None
        try:
            status, _, _ = await asyncio.to_thread(
                post, self._settings.url, b"", "text/plain", self._settings.timeout_s, _MOST_BYTES
            )
        except RecordError as error:
            self._note(str(error))
            return
        self._note("" if status in _OK else f"it answered {status}")

    def _note(self, problem: str) -> None:
        self.sent += not problem
        if problem and problem != self.problem:
            log.event(logging.WARNING, "watchdog.lost", why=problem)
        self.problem = problem

    async def _notify(self) -> None:
        words = b"WATCHDOG=1" if self._ready_told else b"READY=1\nWATCHDOG=1"
        place = "\0" + self._socket[1:] if self._socket.startswith("@") else self._socket
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line:
                line.setblocking(False)
                line.sendto(words, place)
        except OSError as error:
            self.problem = f"systemd does not take it ({error.strerror})"
            return
        self._ready_told = True
        self.sent += 1
