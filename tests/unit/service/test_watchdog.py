"""The signal to an outside watchdog: there while the line works, gone when any of it does not."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from skykeep.config import WatchdogSettings, read_watchdog
from skykeep.errors import InputError
from skykeep.service import watchdog as room
from skykeep.service.watchdog import Watchdog
from tests.desk import Desk
from tests.unit.service.line import PATIENCE_S
from tests.unit.service.watched import hub_of, watched

__all__ = ["watched"]


class Outside:
    """A watchdog of the outside on the loopback: it counts who calls."""

    def __init__(self) -> None:
        self.calls, self.status = 0, 204
        outside = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                outside.calls += 1
                self.send_response(outside.status)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                return

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.02,))
        self.thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}/alive"

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@pytest.fixture
def outside() -> Iterator[Outside]:
    made = Outside()
    yield made
    made.close()


def until(desk: Desk, done: object) -> None:
    async def wait() -> None:
        while not done():  # type: ignore[operator]
            await asyncio.sleep(0.005)

    desk.loop.run_until_complete(asyncio.wait_for(wait(), PATIENCE_S))


def begun(desk: Desk, dog: Watchdog) -> asyncio.Task[None]:
    """At work, with ticks of the clock that a test's clock does not give by itself."""

    async def ticking() -> None:
        running = asyncio.ensure_future(dog.run())
        while not running.done():
            desk.clock.on(0.1)
            await asyncio.sleep(0.01)
        await running

    return desk.loop.create_task(ticking())


def ended(desk: Desk, dog: Watchdog, task: asyncio.Task[None]) -> None:
    dog.stop()
    desk.loop.run_until_complete(asyncio.wait_for(task, PATIENCE_S))


def test_the_signal_stops_while_the_writer_hangs_and_comes_back(
    watched: Desk, outside: Outside, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "TICK_OLD_S", 0.5)
    dog = Watchdog(watched.writer, hub_of(watched), WatchdogSettings(outside.url, 0.02), {})
    task = begun(watched, dog)
    until(watched, lambda: outside.calls >= 3)

    recorded = watched.writer.look()
    assert recorded is not None
    go_on, commit = threading.Event(), recorded.commit

    def hangs(prepared: object) -> None:
        go_on.wait(PATIENCE_S)
        commit(prepared)  # type: ignore[arg-type]

    monkeypatch.setattr(recorded, "commit", hangs)
    until(watched, lambda: "no tick" in dog.cannot_alert())
    withheld = dog.withheld
    until(watched, lambda: dog.withheld > withheld)
    calls = outside.calls
    until(watched, lambda: time.monotonic() - watched.writer.ticked_s > 0.8)
    assert outside.calls == calls
    monkeypatch.setattr(recorded, "commit", commit)
    go_on.set()
    until(watched, lambda: outside.calls > calls)
    ended(watched, dog, task)


def test_each_part_of_the_line_is_needed(watched: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    dog = Watchdog(watched.writer, hub_of(watched), None, {})
    until(watched, lambda: not dog.cannot_alert())
    monkeypatch.setattr(hub_of(watched), "told_s", time.monotonic() - room.TOLD_OLD_S - 1.0)
    assert "picture" in dog.cannot_alert()
    monkeypatch.undo()
    until(watched, lambda: not dog.cannot_alert())
    monkeypatch.setattr(room, "QUEUE_STUCK", 0)
    assert "wait" in dog.cannot_alert()
    monkeypatch.undo()
    monkeypatch.setattr(watched.writer, "problem", "no room")
    assert dog.cannot_alert() == "no room"


def test_a_hub_that_never_told_does_not_pass_for_alive(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    dog = Watchdog(desk.writer, hub_of(desk), None, {})
    assert dog.cannot_alert()
    desk.close()


def test_a_watchdog_that_is_away_is_a_trouble(watched: Desk, outside: Outside) -> None:
    outside.status = 500
    dog = Watchdog(watched.writer, hub_of(watched), WatchdogSettings(outside.url, 0.02), {})
    task = begun(watched, dog)
    until(watched, lambda: dog.problem)
    assert dog.problem == "it answered 500"
    assert dog.sent == 0
    outside.status = 200
    until(watched, lambda: dog.sent)
    assert dog.problem == ""
    ended(watched, dog, task)


@pytest.mark.parametrize("abstract", [False, True])
def test_systemd_hears_it(watched: Desk, tmp_path: Path, abstract: bool) -> None:
    name = f"@skykeep-{tmp_path.name}" if abstract else str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind("\0" + name[1:] if abstract else name)
        systemd.setblocking(False)
        said = {"NOTIFY_SOCKET": name, "WATCHDOG_USEC": "40000"}
        dog = Watchdog(watched.writer, hub_of(watched), None, said)
        task = begun(watched, dog)
        until(watched, lambda: dog.sent >= 2)
        assert systemd.recv(100) == b"READY=1\nWATCHDOG=1"
        assert systemd.recv(100) == b"WATCHDOG=1"
        ended(watched, dog, task)


def test_nobody_is_told_without_a_place(watched: Desk) -> None:
    dog = Watchdog(watched.writer, hub_of(watched), None, {})
    watched.loop.run_until_complete(asyncio.wait_for(dog.run(), PATIENCE_S))
    assert dog.sent == 0


SITE = """{"authority": "x", "name": "X", "time_zone": "UTC",
 "origin": {"lat_deg": 49.6, "lon_deg": 6.1, "height_hae_m": 337.0}%s}"""


def test_the_site_file_names_it(tmp_path: Path) -> None:
    file = tmp_path / "site.json"
    file.write_text(SITE % "")
    assert read_watchdog(file) is None
    file.write_text(SITE % ', "watchdog": {"url": "https://hc.example/1", "every_s": 30}')
    assert read_watchdog(file) == WatchdogSettings("https://hc.example/1", 30.0)
    file.write_text(SITE % ', "watchdog": {"url": "ftp://hc.example/1"}')
    with pytest.raises(InputError, match=r"watchdog\.url"):
        read_watchdog(file)
