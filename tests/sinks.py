"""Where a site's messages arrive in tests: a web server and a mail relay on loopback."""

from __future__ import annotations

import http.server
import json
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class Hook(http.server.BaseHTTPRequestHandler):
    """Refuses the first `refuse` posts, takes those after them."""

    posted: list[dict[str, Any]]
    heads: list[dict[str, str]]
    bodies: list[bytes]
    refuse = 1

    def do_POST(self) -> None:
        raw = self.rfile.read(int(self.headers["Content-Length"]))
        self.bodies.append(raw)
        self.posted.append(json.loads(raw))
        self.heads.append({name.lower(): value for name, value in self.headers.items()})
        self.send_response(503 if len(self.posted) <= self.refuse else 204)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Say nothing."""


class Relay(socketserver.StreamRequestHandler):
    """An SMTP server by the letter of RFC 5321, for one message at a time."""

    mails: list[tuple[list[str], str]]

    def handle(self) -> None:
        self.wfile.write(b"220 relay\r\n")
        to: list[str] = []
        while line := self.rfile.readline().decode("ascii").strip():
            word = line.partition(" ")[0].upper()
            if word == "RCPT":
                to.append(line.partition("<")[2].rstrip(">"))
            if word == "DATA":
                self.wfile.write(b"354 go on\r\n")
                text = b""
                while not text.endswith(b"\r\n.\r\n"):
                    text += self.rfile.readline()
                self.mails.append((to, text.decode("utf-8")))
            self.wfile.write(b"221 bye\r\n" if word == "QUIT" else b"250 ok\r\n")
            if word == "QUIT":
                return


@contextmanager
def sinks() -> Iterator[tuple[int, int, type[Hook], type[Relay]]]:
    """Ports of both, and what arrived there."""
    hook = type("OwnHook", (Hook,), {"posted": [], "heads": [], "bodies": []})
    relay = type("OwnRelay", (Relay,), {"mails": []})
    web = http.server.ThreadingHTTPServer(("127.0.0.1", 0), hook)
    mail = socketserver.ThreadingTCPServer(("127.0.0.1", 0), relay)
    servers = (web, mail)
    threads = [threading.Thread(target=s.serve_forever, args=(0.02,)) for s in servers]
    for thread in threads:
        thread.start()
    try:
        yield web.server_address[1], mail.server_address[1], hook, relay
    finally:
        for server, thread in zip(servers, threads, strict=True):
            server.shutdown()
            thread.join()
            server.server_close()
