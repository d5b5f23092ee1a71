"""The dossier's page in a real browser, from disk: its time slider, and the page without it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from skykeep.dossier.reader import render
from skykeep.dossier.view import ClockView, CoverageView, DossierView, TimelineItem
from tests.unit.dossier.page_sample import FIRST, SECOND, VIEW
from tests.web.axe import faults_of

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

END_S = 1_217.0
#: 23:50:33 of the sample in Luxembourg, two hours ahead of UTC.
ZERO_S = 1_789_249_833.0


def scrubbed() -> DossierView:
    """The sample with its times: a radar that falls silent, a ban that begins at 257 s."""
    judged = tuple(replace(v, at_s=s) for v, s in zip(FIRST.verdicts, (97.0, 108.0), strict=True))
    first = replace(FIRST, sigmas_m=(40.0,) * len(FIRST.points), verdicts=judged)
    police = tuple(replace(v, at_s=982.0) for v in SECOND.verdicts)
    second = replace(SECOND, sigmas_m=(5.0,) * len(SECOND.points), verdicts=police)
    radar, finder = VIEW.sensors
    radar = replace(
        radar,
        coverage=CoverageView(100.0, 6_000.0),
        health=((0.0, 150.0, "working"), (150.0, 400.0, "silent"), (400.0, END_S, "working")),
        seen_s=(0.0, 60.0, 100.0),
    )
    finder = replace(finder, coverage=CoverageView(0.0, 4_000.0, 300.0, 60.0),
                     health=((0.0, END_S, "working"),))  # fmt: skip
    always, ban = VIEW.zones
    (alert,) = VIEW.alerts
    return replace(
        VIEW,
        tracks=(first, second),
        sensors=(radar, finder),
        zones=(replace(always, spans=((0.0, END_S),)), replace(ban, spans=((257.0, END_S),))),
        alerts=(replace(alert, steps_s=(109.0, 117.0, 134.0, 148.0)),),
        timeline=(
            TimelineItem("23:50:33", "observed", "T0003 is first seen", 0.0),
            TimelineItem("23:54:50", "declared", "the ban begins", 257.0),
            TimelineItem("01:18:00", "reported", "two parts", 5_247.0),
        ),
        clock=ClockView(ZERO_S, ((0.0, 7_200.0),)),
    )


@pytest.fixture
def page(browser: Browser, tmp_path: Path) -> Iterator[Page]:
    file = tmp_path / "reader.html"
    file.write_bytes(render(scrubbed()))
    context = browser.new_context(offline=True, viewport={"width": 1280, "height": 1000})
    opened = context.new_page()
    faults: list[str] = []
    opened.on("pageerror", lambda error: faults.append(str(error)))
    opened.on("console", lambda said: faults.append(said.text))
    opened.on("request", lambda asked: faults.append(asked.url) if asked.url[:4] == "http" else 0)
    opened.goto(file.as_uri())
    yield opened
    keep(opened)
    context.close()
    assert faults == []


def keep(page: Page) -> None:
    """The page as it stands, where screenshots are asked for."""
    folder = os.environ.get("SKYKEEP_SHOTS")
    if folder:
        name = os.environ.get("PYTEST_CURRENT_TEST", "page").split("::")[-1].split(" ")[0]
        page.screenshot(path=Path(folder) / f"dossier-{name}.png", full_page=True)


def told(page: Page) -> str:
    return " ".join(page.locator("#now").inner_text().split())


def go(page: Page, at_s: int) -> None:
    page.locator("#time").fill(str(at_s))


def test_it_begins_with_everything_at_once(page: Page) -> None:
    assert page.locator("#when").inner_text() == "everything at once"
    assert page.locator("body.going").count() == 0
    assert page.locator(".then > *").count() == 0
    assert page.locator("tr.later").count() == 0


def test_going_through_the_time_tells_what_was_then(page: Page) -> None:
    go(page, 50)
    assert page.locator("#when").inner_text() == "23:51:23"
    assert "Track T0003 140 m up, its place known within 98 m; near no zone yet" in told(page)
    assert "Track T0041 not seen yet" in told(page)
    assert "Zones that apply Citadel, 500 m" in told(page)
    assert "City-wide" not in told(page)
    assert page.locator("svg.map .then circle.doubt").count() >= 1
    assert page.locator("[data-zone='CITY-BAN'].off").count() >= 1
    assert page.locator("[data-zone='CITADEL-500'].off").count() == 0
    assert page.locator("tr.later").count() == 2
    go(page, 110)
    assert "NOT PERMITTED (CITADEL-500, inside the zone)" in told(page)
    assert "Alert A0001 Raised; nobody has acted on it yet" in told(page)
    go(page, 300)
    assert "Track T0003 held until 23:53:50" in told(page)
    assert "Zones that apply Citadel, 500 m; City-wide ban" in told(page)
    assert "Alert A0001 Handed over by C. Weber" in told(page)
    assert "Silent radar" in told(page)
    assert page.locator("tr.later").count() == 1
    page.locator("#cover").check()
    assert page.locator("svg.map .then path.covers.silent").count() >= 1


def test_it_goes_by_the_keyboard_alone(page: Page) -> None:
    page.locator("#time").focus()
    page.keyboard.press("ArrowRight")
    assert page.locator("#when").inner_text() == "23:50:34"
    assert page.locator("#time").get_attribute("aria-valuetext") == "23:50:34"
    page.keyboard.press("End")
    assert page.locator("#when").inner_text() == "00:10:50"
    page.locator("#back").focus()
    page.keyboard.press("Enter")
    assert page.locator("#when").inner_text() == "23:54:50"
    page.locator("#next").focus()
    page.locator("#all").focus()
    page.keyboard.press("Enter")
    assert page.locator("#when").inner_text() == "everything at once"
    assert page.locator(".then > *").count() == 0


def test_it_plays_and_stops(page: Page) -> None:
    page.locator("#play").click()
    for _ in range(200):  # the page's policy lets nobody evaluate a condition in it
        if "23:50:40" <= page.locator("#when").inner_text() < "24":
            break
        page.wait_for_timeout(50)
    page.locator("#play").click()
    stood = page.locator("#when").inner_text()
    assert "23:50:40" <= stood <= "23:59"
    page.wait_for_timeout(400)
    assert page.locator("#when").inner_text() == stood


def test_it_can_be_used_by_everybody(page: Page) -> None:
    go(page, 110)
    assert faults_of(page) == []


def test_without_a_program_everything_is_there(browser: Browser, tmp_path: Path) -> None:
    file = tmp_path / "reader.html"
    file.write_bytes(render(scrubbed()))
    context = browser.new_context(java_script_enabled=False, offline=True)
    page = context.new_page()
    page.goto(file.as_uri())
    assert not page.locator("#player").is_visible()
    assert page.locator("svg.map path.line").count() >= 2
    assert page.locator("svg.lanes").is_visible()
    assert page.get_by_text("T0003 is first seen").is_visible()
    context.close()
