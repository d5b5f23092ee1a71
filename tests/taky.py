"""A TAK server from PyPI in its own environment, and a person on it."""

from __future__ import annotations

import fcntl
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from skykeep.codec.cot import CotEvent, CotSplitter, Element, decode_xml, encode_xml

ROOT = Path(__file__).parents[1]
ENVIRONMENT = ROOT / ".venv-taky"
PATIENCE_S = 20.0


def python_of_taky() -> Path:
    """The interpreter that has taky and takproto; the test is skipped where there is none."""
    with (ROOT / "pyproject.toml").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # of several workers one makes it
        if not (ENVIRONMENT / "bin" / "taky").exists():
            made = subprocess.run(
                [ROOT / "scripts" / "taky"], env=os.environ | {"PYTHON": sys.executable},
                capture_output=True, text=True, timeout=300, check=False,
            )  # fmt: skip
            if made.returncode:
                pytest.skip(f"taky (PyPI) cannot be installed: {made.stderr.strip()[-200:]}")
    return ENVIRONMENT / "bin" / "python"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Taky:
    """A server on a port of its own; it can be killed and begun again."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        self.python = python_of_taky()
        self.process: subprocess.Popen[bytes] | None = None
        (folder / "taky.conf").write_text(
            f"[taky]\nhostname=localhost\nbind_ip=127.0.0.1\nroot_dir={folder}\n"
            f"[cot_server]\nport={self.port}\n[dp_server]\nupload_path={folder}\n"
        )

    def start(self) -> None:
        command = [self.python, self.python.parent / "taky", "-c", self.folder / "taky.conf"]
        with (self.folder / "taky.log").open("ab") as out:
            self.process = subprocess.Popen(command, cwd=self.folder, stdout=out, stderr=out)
        until_s = time.monotonic() + PATIENCE_S
        while time.monotonic() < until_s:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1.0).close()
            except OSError:
                time.sleep(0.05)
            else:
                return
        raise AssertionError((self.folder / "taky.log").read_text()[-2_000:])

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None


class Person:
    """Somebody with a phone on the server."""

    def __init__(self, port: int, callsign: str = "PATROL-4") -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), PATIENCE_S)
        self.socket.settimeout(0.02)
        self.splitter, self.heard = CotSplitter(), list[CotEvent]()
        self.callsign, self.uid = callsign, f"ANDROID-{callsign}"
        detail = (
            Element("takv", (("device", "x"), ("platform", "ATAK"), ("os", "1"), ("version", "1"))),
            Element("contact", (("callsign", callsign), ("endpoint", "*:-1:stcp"))),
            Element("__group", (("name", "Cyan"), ("role", "Team Member"))),
            Element("status", (("battery", "90"),)),
            Element("track", (("speed", "0.0"), ("course", "0.0"))),
        )
        self.say("a-f-G-U-C", "m-g", detail, self.uid)

    def say(self, kind: str, how: str, detail: tuple[Element, ...], uid: str,
            place: tuple[float, float] = (0.0, 0.0)) -> None:  # fmt: skip
        now_ns = time.time_ns()
        event = CotEvent(uid, kind, how, now_ns, now_ns, now_ns + 60 * 10**9, *place, detail=detail)
        self.socket.sendall(encode_xml(event))

    def chat(self, words: str, number: int) -> None:
        group = Element("chatgrp", (("uid0", self.uid), ("uid1", "All Chat Rooms"),
                                    ("id", "All Chat Rooms")))  # fmt: skip
        chat = Element(
            "__chat",
            (("parent", "RootContactGroup"), ("groupOwner", "false"),
             ("chatroom", "All Chat Rooms"), ("id", "All Chat Rooms"),
             ("senderCallsign", self.callsign)),
            "", (group,),
        )  # fmt: skip
        link = Element("link", (("uid", self.uid), ("type", "a-f-G-U-C"), ("relation", "p-p")))
        remarks = Element(
            "remarks", (("source", self.uid), ("time", "2026-09-12T00:00:00Z")), words
        )
        uid = f"GeoChat.{self.uid}.All Chat Rooms.{number}"
        self.say("b-t-f", "h-g-i-g-o", (chat, link, remarks), uid)

    def mark(self, words: str, place: tuple[float, float]) -> None:
        detail = (
            Element("contact", (("callsign", "wreck"),)),
            Element("creator", (("uid", self.uid), ("callsign", self.callsign))),
            Element("remarks", (), words),
        )
        self.say("b-m-p-s-m", "h-g-i-g-o", detail, "marker-1", place)

    def listen(self) -> list[CotEvent]:
        try:
            while data := self.socket.recv(65_536):
                self.heard += [decode_xml(m) for _, m in self.splitter.feed(data)]
        except TimeoutError:
            pass
        return self.heard

    def heard_of(self, holds: Callable[[CotEvent], bool]) -> list[CotEvent]:
        return [event for event in self.listen() if holds(event)]

    def hang_up(self) -> None:
        self.socket.close()
