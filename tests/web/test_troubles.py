"""When things break: each state is unmistakable on the page within three seconds.

With SKYKEEP_SHOTS=FOLDER the screenshots are kept there, to be looked at.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from tests.faults.keeper import OFFICER, SITE, Keeper, prepare
from tests.web.conftest import TIMEOUT_MS, PageWatcher

if TYPE_CHECKING:
    from playwright.sync_api import Page

DESK = {"width": 1440, "height": 900}


@pytest.fixture(scope="module")
def keeper(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Keeper]:
    folder = tmp_path_factory.mktemp("site")
    prepare(folder)
    (radar,) = SITE["sensors"]
    # A feed of which nobody is at the other end, and a radar that turns once a second.
    site = SITE | {
        "sensors": [radar | {"period_s": 1.0}],
        "feeds": [
            {
                "feed": "roof", "sensor": "radar-1", "kind": "json",
                "address": "tcp://127.0.0.1:9",
            }
        ],
    }  # fmt: skip
    (folder / "site.json").write_text(json.dumps(site), encoding="utf-8")
    kept = Keeper(folder)
    yield kept
    kept.process.send_signal(signal.SIGCONT)
    assert kept.stop() == 0


class Cable:
    """A line to a port that can be cut: both ends stay open, and nothing goes through."""

    def __init__(self, port: int) -> None:
        self._to, self._cut = port, threading.Event()
        # A thread of its own: in this one playwright's loop is at work.
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        begun = asyncio.start_server(self._carry, "127.0.0.1", 0)
        self._server = asyncio.run_coroutine_threadsafe(begun, self._loop).result(10.0)
        self.port = int(self._server.sockets[0].getsockname()[1])

    def cut(self, cut: bool = True) -> None:
        (self._cut.set if cut else self._cut.clear)()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there = await asyncio.open_connection("127.0.0.1", self._to)
        ways = ((reader, there[1]), (there[0], writer))
        tasks = [asyncio.ensure_future(self._one_way(*way)) for way in ways]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            writer.transport.abort()
            there[1].transport.abort()

    async def _one_way(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65_536):
            while self._cut.is_set():
                await asyncio.sleep(0.05)
            writer.write(data)

    def close(self) -> None:
        async def end() -> None:
            self._server.close()
            others = asyncio.all_tasks() - {asyncio.current_task()}
            for task in others:
                task.cancel()
            await asyncio.gather(*others, return_exceptions=True)
            await asyncio.sleep(0.05)  # transports end in the loop's next turns

        asyncio.run_coroutine_threadsafe(end(), self._loop).result(10.0)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


def opened(watcher: PageWatcher, port: int, script: str = "") -> Page:
    from playwright.sync_api import expect

    expect.set_options(timeout=TIMEOUT_MS)
    page = watcher.open(viewport=DESK)
    if script:
        page.add_init_script(script)
    page.goto(f"http://127.0.0.1:{port}/#token={OFFICER}")
    expect(page.get_by_test_id("link-state")).to_contain_text("Live")
    return page


def shoot(page: Page, name: str) -> None:
    folder = os.environ.get("SKYKEEP_SHOTS")
    page.screenshot(path=f"{folder}/trouble-{name}.png" if folder else None)


def test_a_lost_feed_and_a_silent_sensor_are_words_on_one_bar(
    watcher: PageWatcher, keeper: Keeper
) -> None:
    from playwright.sync_api import expect

    assert keeper.post(1)[0] == 200
    page = opened(watcher, keeper.port)
    bar = page.get_by_test_id("troubles")
    expect(bar).to_contain_text("feed roof:")
    expect(bar).to_contain_text("sensor radar-1 is silent, since ")
    assert "CLOCK" not in bar.inner_text()
    shoot(page, "sensor-silent")
    told = {t["what"] for t in keeper.request("GET", "/health")[1]["troubles"]}
    assert {"feed", "sensor"} <= told


def test_a_machine_whose_clock_is_wrong_is_told(watcher: PageWatcher, keeper: Keeper) -> None:
    from playwright.sync_api import expect

    page = opened(watcher, keeper.port, "const now = Date.now; Date.now = () => now() - 90_000;")
    bar = page.get_by_test_id("troubles")
    expect(bar).to_contain_text("CLOCK WRONG: this machine is 1 min 30 s behind the service")
    shoot(page, "clock-wrong")


def test_a_cut_network_and_a_stopped_service_are_not_live(
    watcher: PageWatcher, keeper: Keeper
) -> None:
    from playwright.sync_api import expect

    cable = Cable(keeper.port)
    try:
        page = opened(watcher, cable.port)
        banner = page.get_by_test_id("not-live-banner")
        cable.cut()
        expect(banner).to_be_visible()
        expect(banner).to_contain_text("NOT LIVE: last data")
        shoot(page, "network-cut")
        cable.cut(False)
        expect(banner).to_be_hidden()
        keeper.process.send_signal(signal.SIGSTOP)
        expect(banner).to_be_visible()
        expect(banner).to_contain_text("no data comes")
        shoot(page, "server-stopped")
        keeper.process.send_signal(signal.SIGCONT)
        expect(banner).to_be_hidden()
        page.close()
    finally:
        cable.close()


@pytest.mark.soak
def test_data_whose_time_stands_still_is_old(watcher: PageWatcher, keeper: Keeper) -> None:
    """Frames that come and say the same moment over and over are a frozen picture."""
    from playwright.sync_api import expect

    # Every message is handed on with the first `tracks`' moment: FLOAT64 after the key `at_ms`.
    script = """
      const real = WebSocket.prototype, found = Object.getOwnPropertyDescriptor(real, "onmessage");
      let first = null;
      Object.defineProperty(real, "onmessage", { ...found, set(tell) {
        found.set.call(this, (event) => {
          const bytes = new Uint8Array(event.data), view = new DataView(event.data);
          const text = new TextDecoder("latin1").decode(bytes.subarray(0, 60));
          const at = text.indexOf("\\u00a5at_ms\\u00cb");
          if (text.includes("\\u00a6tracks") && at >= 0) {
            first ??= view.getFloat64(at + 7);
            view.setFloat64(at + 7, first);
          }
          tell(event);
        });
      }});
    """
    page = opened(watcher, keeper.port, script)
    banner = page.get_by_test_id("not-live-banner")
    expect(banner).to_be_visible()
    expect(banner).to_contain_text("the site's time stands still")
    shoot(page, "data-old")
