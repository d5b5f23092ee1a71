"""A serial port as a stream: serial:///dev/ttyUSB0?baud=115200."""

from __future__ import annotations

import os
import select
import termios
import threading
import tty
from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

from skykeep.config import FeedSettings
from skykeep.errors import InputError
from skykeep.feed.contract import Framer
from skykeep.feed.inbox import Inbox
from skykeep.feed.sources import LOOK_S, lost

DEFAULT_BAUD = 115_200
_RECEIVE_BYTES = 4_096


class SerialPort:
    """Reads a device in raw mode and cuts what it says."""

    def __init__(self, settings: FeedSettings, framer: Callable[[], Framer]) -> None:
        parts = urlsplit(settings.address)
        self.path, self.framer = parts.path, framer
        where = f"feeds[{settings.feed_id}].address"
        if not self.path.startswith("/dev/"):
            problem = f"{settings.address!r} names no device"
            raise InputError(where, problem, "Give one such as serial:///dev/ttyUSB0?baud=115200")
        baud = parse_qs(parts.query).get("baud", [str(DEFAULT_BAUD)])[0]
        self.speed = getattr(termios, f"B{baud}", None) if baud.isdigit() else None
        if self.speed is None:
            raise InputError(where, f"{baud} is no speed of a serial port", "Give baud=115200")

    def run(self, inbox: Inbox, stop: threading.Event) -> None:
        """See `contract.Source`."""
        try:
            port = os.open(self.path, os.O_RDONLY | os.O_NOCTTY | os.O_NONBLOCK)
        except OSError as error:
            raise lost(self.path, error) from None
        try:
            self._set_up(port)
            inbox.connected()
            framer = self.framer()
            while not stop.is_set():
                ready, _, _ = select.select([port], [], [], LOOK_S)
                if not ready:
                    continue
                data = os.read(port, _RECEIVE_BYTES)
                if not data:
                    raise InputError(self.path, "is not there any more", "Plug it in again")
                for message in framer.push(data):
                    inbox.put(message, self.path)
        except OSError as error:
            raise lost(self.path, error) from None
        finally:
            os.close(port)

    def _set_up(self, port: int) -> None:
        try:
            tty.setraw(port)
            modes = termios.tcgetattr(port)
            modes[4] = modes[5] = self.speed
            termios.tcsetattr(port, termios.TCSANOW, modes)
        except termios.error:
            mend = "Name a serial port"
            raise InputError(self.path, "is no serial port", mend) from None
