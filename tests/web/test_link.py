"""What the page says when it is not live, and that it catches up by itself."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from skykeep.codec.ed318_write import write_ed318
from tests.faults.keeper import OFFICER, Keeper, prepare
from tests.sky import zone_named
from tests.web.conftest import TIMEOUT_MS, PageWatcher

if TYPE_CHECKING:
    from playwright.sync_api import Page


@pytest.fixture(scope="module")
def keeper(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Keeper]:
    """One service for all that does not end it."""
    folder = tmp_path_factory.mktemp("site")
    prepare(folder)
    kept = Keeper(folder)
    yield kept
    assert kept.stop() == 0


def live_page(watcher: PageWatcher, keeper: Keeper) -> Page:
    from playwright.sync_api import expect

    expect.set_options(timeout=TIMEOUT_MS)
    page = watcher.open(f"http://127.0.0.1:{keeper.port}/#token={OFFICER}")
    expect(page.get_by_test_id("link-state")).to_contain_text("Live")
    expect(page.get_by_test_id("not-live-banner")).to_be_hidden()
    page.evaluate("window.neverReloaded = true")
    return page


def test_a_service_that_hangs_is_unmistakable_and_so_is_its_return(
    watcher: PageWatcher, keeper: Keeper
) -> None:
    from playwright.sync_api import expect

    page = live_page(watcher, keeper)
    keeper.process.send_signal(signal.SIGSTOP)
    banner = page.get_by_test_id("not-live-banner")
    expect(banner).to_contain_text("NOT LIVE: last data")
    expect(page.get_by_test_id("link-state")).to_contain_text("NOT LIVE")
    keeper.process.send_signal(signal.SIGCONT)
    expect(banner).to_be_hidden()
    expect(page.get_by_test_id("link-state")).to_contain_text("Live")
    assert page.evaluate("window.neverReloaded")


def test_after_a_restart_the_page_goes_on_and_shows_what_came_meanwhile(
    watcher: PageWatcher, tmp_path: Path
) -> None:
    from playwright.sync_api import expect

    watcher.allow("ERR_CONNECTION_REFUSED|WebSocket connection to .* failed|ERR_EMPTY_RESPONSE")
    prepare(tmp_path)
    keeper = Keeper(tmp_path)
    page = live_page(watcher, keeper)
    page.get_by_test_id("tab-zones").click()
    port = str(keeper.port)
    keeper.kill()
    expect(page.get_by_test_id("not-live-banner")).to_be_visible()
    keeper = Keeper(tmp_path, (), "--port", port)
    zones = json.loads(write_ed318((zone_named("NEW"),)))
    body = json.dumps(zones).encode()
    assert keeper.request("POST", "/v1/commands/publish_zone", OFFICER, body)[0] == 200
    expect(page.get_by_test_id("link-state")).to_contain_text("Live")
    expect(page.get_by_test_id("zone-row")).to_have_count(1)
    assert page.evaluate("window.neverReloaded")
    page.close()
    assert keeper.stop() == 0


@pytest.mark.parametrize("token", ["", "sk_nobody"])
def test_nobody_sees_anything_without_a_token(
    watcher: PageWatcher, keeper: Keeper, token: str
) -> None:
    from playwright.sync_api import expect

    expect.set_options(timeout=TIMEOUT_MS)
    page = watcher.open(f"http://127.0.0.1:{keeper.port}/" + (f"#token={token}" if token else ""))
    expect(page.get_by_test_id("sign-in")).to_be_visible()
    page.get_by_test_id("token-field").fill(OFFICER)
    page.get_by_test_id("button-sign-in").click()
    expect(page.get_by_test_id("holder")).to_contain_text("A. Weber")
