"""The first link, an account, the watch page by session; and out again."""

from __future__ import annotations

import base64
import re
import time
from pathlib import Path

import pytest

from skykeep.service.auth.totp import STEP_S, code_at
from tests.faults.keeper import Keeper, prepare
from tests.web.axe import faults_of
from tests.web.conftest import PageWatcher

WORDS = "brass lantern over water"


def shown_code(secret: str, later: int = 0) -> str:
    padded = secret + "=" * (-len(secret) % 8)
    return code_at(base64.b32decode(padded), int(time.time()) // STEP_S + later)


def test_from_the_first_link_to_the_picture_and_out(
    watcher: PageWatcher, tmp_path: Path, pytestconfig: pytest.Config
) -> None:
    from playwright.sync_api import expect

    prepare(tmp_path)
    keeper = Keeper(tmp_path)
    assert keeper.process.stdout is not None
    said = keeper.process.stdout.readline()
    link = re.search(r"http://\S+/invitation/\S+", said)
    assert link is not None, said
    page = watcher.open(link[0])
    secret = page.locator("code").inner_text().replace(" ", "")
    assert faults_of(page) == []
    page.get_by_label("Choose a password").fill(WORDS)
    page.get_by_label("The password again").fill(WORDS)
    page.get_by_label("The code that the app shows now").fill(shown_code(secret))
    page.keyboard.press("Enter")
    expect(page.get_by_label("Login")).to_be_focused()
    assert faults_of(page) == []
    page.keyboard.type("admin")
    page.get_by_label("Password").fill(WORDS)
    page.get_by_label("Code of your").fill(shown_code(secret, 1))  # the next one: each serves once
    page.keyboard.press("Enter")
    page.wait_for_url("**/")
    page.goto(f"http://127.0.0.1:{keeper.port}/people")
    page.get_by_label("Name", exact=True).fill("C. Weber")
    page.get_by_label("Login", exact=True).fill("c.weber")
    page.get_by_label("officer works the watch").check()
    page.screenshot(path=tmp_path / "people.png")
    assert faults_of(page) == []
    page.get_by_role("button", name="Invite", exact=True).click()
    theirs = page.locator("code").inner_text()
    officer = watcher.open(theirs)
    secret = officer.locator("code").inner_text().replace(" ", "")
    officer.get_by_label("Choose a password").fill(WORDS)
    officer.get_by_label("The password again").fill(WORDS)
    officer.get_by_label("The code that").fill(shown_code(secret))
    officer.screenshot(path=tmp_path / "invitation.png", full_page=True)
    officer.keyboard.press("Enter")
    officer.get_by_label("Login").fill("c.weber")
    officer.get_by_label("Password").fill(WORDS)
    officer.get_by_label("Code of your").fill(shown_code(secret, 1))
    officer.screenshot(path=tmp_path / "sign-in.png")
    officer.keyboard.press("Enter")
    expect(officer.get_by_test_id("link-state")).to_contain_text("Live")
    # Disabled by the administrator, the officer's picture ends at once.
    page.goto(f"http://127.0.0.1:{keeper.port}/people")
    watcher.allow("401")
    page.get_by_role("row", name="c.weber").get_by_role("button", name="Disable").click()
    expect(officer.get_by_test_id("sign-in-refused")).to_contain_text("does not know you")
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_label("Login")).to_be_visible()
    assert keeper.stop() == 0
