"""Frames of a Wi-Fi interface in monitor mode (Linux packet sockets).

packet://wlan1mon. Off by default: the kind that uses it asks for the legal basis in words. Only
what `wifi.find_in_wifi` takes for Remote ID is ever decoded or kept; the rest of the air is
dropped frame by frame, and what cannot be Remote ID is not even queued.
"""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections.abc import Callable
from urllib.parse import urlsplit

from skykeep.config import FeedSettings
from skykeep.errors import InputError
from skykeep.feed.inbox import Inbox
from skykeep.feed.sources import BUFFER_BYTES, LOOK_S, lost

_ALL_PROTOCOLS = 0x0003  # ETH_P_ALL
_FRAME_BYTES = 65_536
_LEAST_BYTES = 8
_BEACON, _ACTION = 0x80, 0xD0


class Monitor:
    """Reads an interface; `opened` makes the socket (tests give one that needs no rights)."""

    def __init__(
        self, settings: FeedSettings, opened: Callable[[str], socket.socket] | None = None
    ) -> None:
        self.name = urlsplit(settings.address).netloc
        self._opened = opened or _open
        if not self.name or len(self.name) > 15:
            where = f"feeds[{settings.feed_id}].address"
            problem = f"{settings.address!r} names no interface"
            raise InputError(where, problem, "Give one such as packet://wlan1mon")

    def run(self, inbox: Inbox, stop: threading.Event) -> None:
        """See `contract.Source`."""
        try:
            heard = self._opened(self.name)
        except PermissionError:
            mend = "Give the service the right CAP_NET_RAW"
            raise InputError(f"packet {self.name}", "may not be read", mend) from None
        except OSError as error:
            raise lost(f"packet {self.name}", error) from None
        with heard:
            heard.settimeout(LOOK_S)
            inbox.connected()
            while not stop.is_set():
                try:
                    data = heard.recv(_FRAME_BYTES)
                except TimeoutError:
                    continue
                except OSError as error:
                    raise lost(f"packet {self.name}", error) from None
                if may_be_ours(data):
                    inbox.put(data, self.name)


def may_be_ours(data: bytes) -> bool:
    """Whether a frame behind a radiotap header is a beacon or an action frame at all."""
    if len(data) < _LEAST_BYTES:
        return False
    (length,) = struct.unpack_from("<2xH", data)
    return length < len(data) and data[length] in (_BEACON, _ACTION)


def _open(name: str) -> socket.socket:
    opened = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(_ALL_PROTOCOLS))
    try:
        with contextlib.suppress(OSError):
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER_BYTES)
        opened.bind((name, 0))
    except OSError:
        opened.close()
        raise
    return opened
