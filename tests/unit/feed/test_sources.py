"""Sources over real sockets: they bring what comes, say what is wrong, and stop."""

from __future__ import annotations

import http.server
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from skykeep.config import FeedSettings
from skykeep.core.observation import SensorKind
from skykeep.errors import InputError
from skykeep.feed.contract import FeedKind, Source
from skykeep.feed.framers import Lines
from skykeep.feed.inbox import Inbox
from skykeep.feed.sources import source_of
from skykeep.units import SensorId

KIND = FeedKind(
    "words", "", ("tcp", "udp", "http"), (SensorKind.ADSB,), lambda _: pytest.fail("none"),
    framer=lambda: Lines(100),
)  # fmt: skip


def source(address: str, kind: FeedKind = KIND, **options: float) -> Source:
    settings = FeedSettings("f", SensorId("s"), "words", address, options)
    return source_of(kind, settings, lambda: 1)


def run(made: Source, until: Callable[[Inbox], bool]) -> tuple[Inbox, str]:
    """Let it run until something is so; what came, and the error with which it ended."""
    inbox, stop, said = Inbox(lambda: 1, 100, 10_000, 1_000), threading.Event(), [""]

    def work() -> None:
        try:
            made.run(inbox, stop)
        except InputError as error:
            said[0] = str(error)

    thread = threading.Thread(target=work)
    thread.start()
    for _ in range(500):
        if until(inbox) or not thread.is_alive():
            break
        stop.wait(0.01)
    stop.set()
    thread.join(5.0)
    assert not thread.is_alive()
    return inbox, said[0]


@contextmanager
def peer(*sent: bytes, close: bool) -> Iterator[int]:
    done = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                for data in sent:
                    connection.sendall(data)
                if not close:
                    done.wait(10.0)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield server.getsockname()[1]
        finally:
            done.set()
            thread.join()


def test_tcp_brings_whole_messages_and_stops() -> None:
    with peer(b"one\ntw", b"o\nthr", close=False) as port:
        inbox, said = run(source(f"tcp://127.0.0.1:{port}"), lambda b: b.arrived().pieces == 2)
    assert [p.data for p in inbox.take(9, 0.0)] == [b"one", b"two"]
    assert inbox.arrived().connects == 1
    assert said == ""


def test_tcp_says_that_the_other_end_closed() -> None:
    with peer(b"one\n", close=True) as port:
        inbox, said = run(source(f"tcp://127.0.0.1:{port}"), lambda _: False)
    assert "closed the connection" in said
    assert len(inbox.take(9, 0.0)) == 1


def test_tcp_that_says_nothing_is_lost() -> None:
    with peer(close=False) as port:
        made = source(f"tcp://127.0.0.1:{port}", silence_s=0.1)
        _, said = run(made, lambda _: False)
    assert "said nothing for 0.1 s" in said


def test_nobody_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    _, said = run(source(f"tcp://127.0.0.1:{port}"), lambda _: False)
    assert said.startswith(f"127.0.0.1:{port}: ")


def test_udp() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:

        def sent(inbox: Inbox) -> bool:
            if inbox.arrived().connected and not inbox.arrived().pieces:
                sender.sendto(b"plot", ("127.0.0.1", port))
            return inbox.arrived().pieces > 0

        inbox, said = run(source(f"udp://127.0.0.1:{port}"), sent)
    (piece, *_) = inbox.take(9, 0.0)
    assert (piece.data, piece.origin, said) == (b"plot", "127.0.0.1", "")


def test_udp_wants_an_address_and_a_free_port() -> None:
    _, said = run(source("udp://example.invalid:1"), lambda _: False)
    assert "is no IP address" in said
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        _, said = run(source(f"udp://127.0.0.1:{taken.getsockname()[1]}"), lambda _: False)
    assert "in use" in said


class Page(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    asked = 0

    def do_GET(self) -> None:
        Page.asked += 1
        status = 200 if Page.asked < 3 else 503
        self.send_response(status)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_: object) -> None:
        pass


def test_http_is_asked_again_until_it_refuses() -> None:
    Page.asked = 0
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        address = f"http://127.0.0.1:{server.server_address[1]}/data/aircraft.json"
        inbox, said = run(source(address, interval_s=0.1), lambda _: False)
        server.shutdown()
    assert [p.data for p in inbox.take(9, 0.0)] == [b"{}", b"{}"]
    assert "answered 503" in said


@pytest.mark.parametrize(
    ("address", "problem"),
    [
        ("mqtt://127.0.0.1:1", "is no address for words"),
        ("tcp://127.0.0.1", "names no host and port"),
        ("tcp://127.0.0.1:port", "names no host and port"),
        ("", "is no address for words"),
    ],
)
def test_an_address_that_does_not_fit(address: str, problem: str) -> None:
    with pytest.raises(InputError, match=problem):
        source(address)


def test_an_option_of_the_wrong_type() -> None:
    with pytest.raises(InputError, match=r"options.silence_s: is True"):
        source("tcp://127.0.0.1:1", silence_s=True)
