"""The watch page under load: frames a second that the map draws while it never rests.

5,000 tracks with trails and 1,000 zones, new every second, against the same page with nothing on
it, in headless Chromium with software rendering. Frames are those that the map has drawn.
"""

from __future__ import annotations

import functools
import http.server
import shutil
import statistics
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from bench.figure import Figure
from skykeep.service.web_page import BUILT

FULL, EMPTY = "5000,1000", "0,0"
AIM_PER_S = 30.0
WARM_S, RUN_S = 20, 30
ARGUMENTS = (
    "--no-sandbox",
    "--use-gl=angle",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--ignore-gpu-blocklist",
)


def figures() -> list[Figure]:
    """Frames a second, loaded and empty; spoiled where there is no browser or no page."""
    program = shutil.which("chromium")
    name = "the page: frames with 5,000 tracks and 1,000 zones"
    if program is None or not (BUILT / "index.html").is_file():
        why = "no chromium" if program is None else "the page is not built"
        return [Figure(name, 0.0, "1/s", AIM_PER_S, spoiled=why)]
    with _served() as address:
        full, longest_ms = _frames(program, f"{address}/?load={FULL}")
        empty, _ = _frames(program, f"{address}/?load={EMPTY}")
    note = (
        f"median of {RUN_S} seconds, SwiftShader; longest frame {longest_ms:.0f} ms in the median"
    )
    return [
        Figure(name, full, "1/s", AIM_PER_S, note=note),
        Figure("the page: frames with nothing on the map", empty, "1/s", note="the same page"),
    ]


def _frames(program: str, url: str) -> tuple[float, float]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=list(ARGUMENTS))
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.goto(url)
        page.wait_for_function("window.__fps !== undefined", timeout=60_000)
        time.sleep(WARM_S + RUN_S)
        windows = page.evaluate("window.__fps.windows")[-RUN_S:]
        browser.close()
    rendered = statistics.median(w["render"] for w in windows)
    return rendered, statistics.median(w["longest_ms"] for w in windows)


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Nobody reads it."""


@contextmanager
def _served() -> Iterator[str]:
    handler = functools.partial(_Quiet, directory=str(BUILT))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
