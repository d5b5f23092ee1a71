"""Sources of bytes by their address: a TCP port to connect to, a UDP port to hear, a page to ask.

tcp://HOST:PORT      connects; the stream is cut by the kind's framer
udp://HOST:PORT      binds and hears datagrams; a multicast group is joined
mqtt(s)://HOST/TOPIC  subscribes at a broker (feed/mqtt.py)
http(s)://...        asks every `interval_s` (option, 1 s), each answer one piece
"""

from __future__ import annotations

import http.client
import ipaddress
import socket
import struct
import threading
from collections.abc import Callable
from urllib.parse import SplitResult, urlsplit

from skykeep.config import FeedSettings
from skykeep.errors import InputError
from skykeep.feed.contract import FeedKind, Framer, Source, option
from skykeep.feed.inbox import Inbox

CONNECT_TIMEOUT_S = 10.0
#: How soon a source sees that it is to stop.
LOOK_S = 0.5
#: A stream that says nothing for this long is dead: even a quiet receiver repeats its aircraft.
SILENCE_S = 60.0
#: Larger answers are none that a receiver's page gives.
MOST_ANSWER_BYTES = 8_000_000
#: The largest datagram that there is, and room for a burst while the thread is away.
DATAGRAM_BYTES = 65_535
BUFFER_BYTES = 4_000_000
_RECEIVE_BYTES = 65_536


def source_of(kind: FeedKind, settings: FeedSettings, clock: Callable[[], int]) -> Source:
    """The source that an address names; InputError where this kind cannot read it."""
    parts = urlsplit(settings.address)
    where = f"feeds[{settings.feed_id}].address"
    if parts.scheme not in kind.schemes:
        mend = f"{kind.name} reads from {', '.join(f'{s}://' for s in kind.schemes)}"
        raise InputError(where, f"{settings.address!r} is no address for {kind.name}", mend)
    if kind.source is not None:
        return kind.source(settings, clock)
    if parts.scheme in ("mqtt", "mqtts"):
        from skykeep.feed.mqtt import Mqtt

        return Mqtt(settings)
    if parts.scheme in ("http", "https"):
        return HttpPoll(parts, float(option(settings, "interval_s", 1.0, (int, float))))
    host, port = host_and_port(settings)
    if parts.scheme == "udp":
        return Udp(host, port)
    if kind.framer is None:
        raise InputError(where, f"{kind.name} cannot be cut from a stream", "Give udp://")
    silence_s = float(option(settings, "silence_s", SILENCE_S, (int, float)))
    return Tcp(host, port, kind.framer, silence_s)


def host_and_port(settings: FeedSettings) -> tuple[str, int]:
    """The place in an address; InputError where it names none."""
    parts = urlsplit(settings.address)
    try:
        host, port = parts.hostname, parts.port
    except ValueError:
        host = port = None
    if not host or port is None:
        where = f"feeds[{settings.feed_id}].address"
        mend = "Give one such as tcp://127.0.0.1:30003"
        raise InputError(where, f"{settings.address!r} names no host and port", mend)
    return host, port


class Tcp:
    """Connects to a port and reads a stream."""

    def __init__(
        self, host: str, port: int, framer: Callable[[], Framer], silence_s: float = SILENCE_S
    ) -> None:
        self.host, self.port, self.framer, self.silence_s = host, port, framer, silence_s

    def run(self, inbox: Inbox, stop: threading.Event) -> None:
        """See `contract.Source`."""
        where = f"{self.host}:{self.port}"
        try:
            connection = socket.create_connection((self.host, self.port), CONNECT_TIMEOUT_S)
        except OSError as error:
            raise lost(where, error) from None
        with connection:
            connection.settimeout(LOOK_S)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            inbox.connected()
            framer, quiet_s = self.framer(), 0.0
            while not stop.is_set():
                try:
                    data = connection.recv(_RECEIVE_BYTES)
                except TimeoutError:
                    quiet_s += LOOK_S
                    if quiet_s >= self.silence_s:
                        problem = f"said nothing for {self.silence_s:g} s"
                        raise InputError(where, problem, "Check the receiver") from None
                    continue
                except OSError as error:
                    raise lost(where, error) from None
                if not data:
                    raise InputError(where, "closed the connection", "Check the receiver")
                quiet_s = 0.0
                for message in framer.push(data):
                    inbox.put(message, where)


class Udp:
    """Binds a port and hears datagrams; joins the group where the host is one."""

    def __init__(self, host: str, port: int) -> None:
        self.host, self.port = host, port

    def run(self, inbox: Inbox, stop: threading.Event) -> None:
        """See `contract.Source`."""
        with self._bound() as heard:
            inbox.connected()
            while not stop.is_set():
                try:
                    data, sender = heard.recvfrom(DATAGRAM_BYTES)
                except TimeoutError:
                    continue
                except OSError as error:
                    raise lost(f"udp {self.host}:{self.port}", error) from None
                inbox.put(data, sender[0])

    def _bound(self) -> socket.socket:
        where = f"udp {self.host}:{self.port}"
        try:
            address = ipaddress.ip_address(self.host)
        except ValueError:
            mend = "Give an address of this machine, or a multicast group"
            raise InputError(where, f"{self.host!r} is no IP address", mend) from None
        heard = socket.socket(
            socket.AF_INET6 if address.version == 6 else socket.AF_INET, socket.SOCK_DGRAM
        )
        try:
            heard.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER_BYTES)
            if address.is_multicast:
                heard.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            heard.bind((self.host, self.port))
            if address.is_multicast and address.version == 4:
                group = struct.pack("4s4s", address.packed, b"\x00" * 4)
                heard.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, group)
            elif address.is_multicast:
                group = address.packed + struct.pack("@I", 0)
                heard.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, group)
        except OSError as error:
            heard.close()
            raise lost(where, error) from None
        heard.settimeout(LOOK_S)
        return heard


class HttpPoll:
    """Asks for a page again and again; no redirect is followed."""

    def __init__(self, parts: SplitResult, interval_s: float) -> None:
        self.parts, self.interval_s = parts, max(interval_s, 0.1)

    def run(self, inbox: Inbox, stop: threading.Event) -> None:
        """See `contract.Source`."""
        parts = self.parts
        where = f"{parts.scheme}://{parts.netloc}{parts.path}"
        made = (
            http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        )
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        try:
            connection = made(parts.hostname or "", parts.port, timeout=CONNECT_TIMEOUT_S)
        except ValueError as error:
            raise InputError(where, str(error), "Correct the address") from None
        said = False
        try:
            while not stop.is_set():
                connection.request("GET", path, headers={"Accept": "application/json"})
                answer = connection.getresponse()
                data = answer.read(MOST_ANSWER_BYTES + 1)
                if answer.status != http.HTTPStatus.OK:
                    raise InputError(where, f"answered {answer.status}", "Check the receiver")
                if len(data) > MOST_ANSWER_BYTES:
                    problem = f"answered with over {MOST_ANSWER_BYTES} bytes"
                    raise InputError(where, problem, "Check the address")
                if not said:
                    inbox.connected()
                    said = True
                inbox.put(data, where)
                stop.wait(self.interval_s)
        except (OSError, ValueError, http.client.HTTPException) as error:
            raise lost(where, error) from None
        finally:
            connection.close()


def lost(where: str, error: Exception) -> InputError:
    """A source that is not there, in words."""
    problem = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return InputError(where, problem, "Check the address and the receiver")
