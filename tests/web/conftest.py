"""A real browser, held to what the watch page promises: no errors, and nobody else asked.

The driver is the Python package playwright, the browser the machine's own Chromium. Where one of
them or the built page is missing, the tests are skipped and say so.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

import skykeep

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page

BUILT_PAGE = Path(skykeep.__file__).parent / "data" / "web"
CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
HOST = "127.0.0.1"
ARGUMENTS = [
    "--no-sandbox",  # CI is root, whom Chromium's sandbox refuses
    # WebGL for the map without a graphics card, all in software.
    "--use-gl=angle",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--ignore-gpu-blocklist",
    # Whatever is asked of another host is refused, and then seen as a request.
    f"--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE {HOST}",
]
# Software rendering on two cores that other tests share.
TIMEOUT_MS = 30_000


class PageWatcher:
    """Opens pages and takes down what none of them may do.

    `allow()` says beforehand which complaint a test provokes: a refused token, for one, is a
    console error. Each use of `clean` or the fixture's end fails with all that was not allowed.
    """

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self._contexts: list[BrowserContext] = []
        self._allowed: list[re.Pattern[str]] = []
        self._seen: list[str] = []

    def open(self, url: str | None = None, **options: Any) -> Page:
        """A page with cookies and storage of its own; options are those of `new_context`."""
        context = self._browser.new_context(**options)
        self._contexts.append(context)
        context.set_default_timeout(TIMEOUT_MS)
        context.on("console", self._console)
        context.on("weberror", lambda error: self._seen.append(f"page error: {error.error}"))
        context.on("request", lambda request: self._asked(request.url))
        page = context.new_page()
        page.on("websocket", lambda socket: self._asked(socket.url))
        page.on("crash", lambda _: self._seen.append("the page crashed"))
        if url is not None:
            page.goto(url)
        return page

    def allow(self, pattern: str) -> None:
        """Expect complaints that this regular expression is found in."""
        self._allowed.append(re.compile(pattern))

    @property
    def complaints(self) -> list[str]:
        """What was seen so far and is not allowed, in order."""
        return [line for line in self._seen if not any(p.search(line) for p in self._allowed)]

    def close(self) -> None:
        """Close every page that was opened here."""
        while self._contexts:
            self._contexts.pop().close()

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "assert"}:
            place = message.location
            where = f"{place.get('url', '')}:{place.get('lineNumber', '')}"
            self._seen.append(f"console {message.type}: {message.text} ({where})")

    def _asked(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme in {"http", "https", "ws", "wss"} and parts.hostname != HOST:
            self._seen.append(f"asked another host: {url}")


def chromium() -> str | None:
    """The machine's Chromium, or None."""
    return next((found for name in CHROMIUM if (found := shutil.which(name))), None)


@pytest.fixture(scope="session")
def built_page() -> Path:
    """The folder of the built page."""
    if not (BUILT_PAGE / "index.html").is_file():
        pytest.skip("the watch page is not built (`make web` builds it)")
    return BUILT_PAGE


@pytest.fixture(scope="module")
def browser(built_page: Path) -> Iterator[Browser]:
    """Chromium, for one file of tests.

    Not for the whole session: while playwright's plain interface is in use the thread counts as
    inside an event loop, and tests of other files that start one of their own would fail.
    """
    program = chromium()
    if program is None:
        pytest.skip("no Chromium on this machine (Debian: apt-get install chromium)")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=program, args=ARGUMENTS)
        yield started
        started.close()


@pytest.fixture
def watcher(browser: Browser) -> Iterator[PageWatcher]:
    """Opens pages; afterwards fails if one had an error or asked another host."""
    opened = PageWatcher(browser)
    yield opened
    opened.close()
    assert opened.complaints == []


@pytest.fixture
def page(watcher: PageWatcher) -> Page:
    """One empty page, watched."""
    return watcher.open()
