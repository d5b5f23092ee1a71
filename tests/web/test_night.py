"""The night before somebody's eyes: what the page shows and does, in a real browser.

With SKYKEEP_SHOTS=FOLDER the screenshots are kept there, to be looked at.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from skykeep.codec import wire
from skykeep.commands.recompute import recompute
from skykeep.core.alert import AcknowledgeAlert
from skykeep.core.event import Actor
from skykeep.record.entry import read_leaf
from skykeep.store.record_store import RecordStore
from tests.web.conftest import TIMEOUT_MS, PageWatcher
from tests.web.playing import Demo

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

SPEED = 25.0
DESK = {"width": 1440, "height": 900}
PHONE = {"width": 390, "height": 844}
NIGHT_MS = 120_000
#: What a card says while its track is seen; an officer decides by nothing less.
FIELDS = {
    "field-distance": r"\d+ (m|km)",
    "field-height": r"-?\d+ m (HAE|AMSL|AGL)",
    "field-speed": r"\d+ m/s",
    "field-entry": r"(inside|enter|on no course)",
    "field-sensors": r"radar|df-|remote-id",
    "field-strength": r"\w+",
    "field-reasons": r"\w+ \w+",
    "field-raised": r"\d\d:\d\d:\d\d",
    "field-ack": r"\w+",
    "field-age": r"\w+",
    "field-course": r"(to [NSEW]+ \d+|course unknown)",
    "field-sure": r"drone \d+ %; place .\d+ m",
    "field-missed": r"\w+",
    "field-checks": r"crewed aircraft: (no|maybe|not known) \(",
    "field-next": r"\w+",
    "field-permission": r"\w+",
    "field-confirmation": r"\w+",
    "field-state": r"\w+",
}


def shoot(pages: dict[str, Page], moment: str) -> None:
    folder = os.environ.get("SKYKEEP_SHOTS")
    for name, page in pages.items():
        picture = page.screenshot(path=f"{folder}/{moment}-{name}.png" if folder else None)
        assert len(picture) > 20_000  # an empty page of one colour is smaller


#: The first card with these words of which every field is told, in one look; "" while none is.
_FULL = """([words, raised, fields]) => {
  for (const card of document.querySelectorAll("[data-testid='alert-card']")) {
    const said = (name) => card.querySelector(`[data-testid='${name}']`)?.innerText ?? "";
    if (!card.innerText.includes(words)) continue;
    if (raised && card.querySelector("[data-testid='button-acknowledge']").hidden) continue;
    if (fields.every(([name, pattern]) => new RegExp(pattern).test(said(name))))
      return card.getAttribute("data-alert-id");
  }
  return "";
}"""


#: Whether all of these fields of the list's first card are told on the first screen.
_FIRST_SCREEN = """(fields) => {
  const card = document.querySelector("[data-testid='alert-card']");
  if (!card || document.querySelector("[data-testid='alert-list']").scrollTop > 0) return false;
  return fields.every(([name, pattern]) => {
    const field = card.querySelector(`[data-testid='${name}']`), at = field.getBoundingClientRect();
    const seen = at.height > 0 && at.top >= 0 && at.bottom <= innerHeight && at.right <= innerWidth;
    return seen && new RegExp(pattern).test(field.innerText);
  });
}"""


def full_card(page: Page, words: str, raised: bool = False) -> Locator:
    """A card with these words whose track is seen and that tells every field."""
    wanted = [words, raised, list(FIELDS.items())]
    number = page.wait_for_function(_FULL, arg=wanted, timeout=NIGHT_MS).json_value()
    return page.locator(f'[data-alert-id="{number}"]')


def acknowledge(card: Locator) -> None:
    """As a person does: press, look, and press again where a new card pushed the button away."""
    from playwright.sync_api import expect

    button, said = card.get_by_test_id("button-acknowledge"), card.get_by_test_id("field-ack")
    for _ in range(4):
        if button.is_visible():
            button.click()
        try:
            expect(said).to_contain_text("C. Weber", timeout=8_000)
        except AssertionError:
            continue
        return
    raise AssertionError(said.inner_text())


def zones_of_tracks(demo: Demo) -> dict[str, set[str]]:
    tracks = demo.get("/v1/tracks")["tracks"]
    return {t["track_id"]: {v["zone"] for v in t["verdicts"]} for t in tracks}


def draw_ban(page: Page) -> None:
    """An emergency ban over all that the map shows, by two clicks."""
    page.get_by_test_id("tab-zones").click()
    page.get_by_test_id("ban-open").click()
    page.get_by_test_id("ban-name").fill("Everything, now")
    page.get_by_test_id("ban-legal-basis").fill("order of the night of the test")
    page.get_by_test_id("ban-why").fill("drones over the citadel")
    page.get_by_test_id("ban-draw-circle").click()
    box = page.get_by_test_id("map").bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.click(x, y)
    page.mouse.move(x + 100, y, steps=4)
    page.mouse.click(x + 0.45 * box["width"], y)
    page.get_by_test_id("ban-review").click()
    page.get_by_test_id("ban-confirm").click()


def acknowledged_by_people(folder: Path) -> set[str]:
    """The alerts that the record has as acknowledged by an officer at the page."""
    store = RecordStore(folder, "", audit=True)
    try:
        commands = [
            wire.decode(store.facts(placed)[0])
            for placed in store.entries()
            if read_leaf(placed.leaf).kind == "command"
        ]
    finally:
        store.close()
    officer = Actor("C. Weber", "watch_officer")
    return {c.alert_id for c in commands if isinstance(c, AcknowledgeAlert) and c.actor == officer}


def test_the_night_is_seen_decided_on_and_kept(watcher: PageWatcher, tmp_path: Path) -> None:
    from playwright.sync_api import expect

    expect.set_options(timeout=TIMEOUT_MS)
    with Demo(tmp_path / "night", SPEED) as demo:
        desk = watcher.open(demo.links["watch_officer"], viewport=DESK)
        phone = watcher.open(demo.links["viewer"], viewport=PHONE, has_touch=True)
        pages = {"desk": desk, "phone": phone}
        for page in pages.values():
            expect(page.get_by_test_id("link-state")).to_contain_text("Live")
            expect(page.get_by_test_id("simulation-badge")).to_contain_text("25")

        card = full_card(desk, "Not permitted", raised=True)
        number = card.get_attribute("data-alert-id")
        first = [*FIELDS.items(), ("button-acknowledge", "Acknowledge")]
        desk.wait_for_function(_FIRST_SCREEN, arg=first, timeout=NIGHT_MS)
        shoot(pages, "0-first-screen")
        acknowledge(card)
        shoot(pages, "1-first-alert")

        # The first intruder breaks up within a minute of the night, the second comes late.
        intruder = full_card(desk, "Not permitted", raised=True)
        shoot(pages, "2-intruder")
        expect(phone.get_by_test_id("alert-card").first).to_be_visible()
        offered = phone.locator("[data-testid='button-acknowledge']:visible")
        assert offered.count() == 0  # a reader has no say

        before = zones_of_tracks(demo)
        draw_ban(desk)
        expect(desk.get_by_test_id("ban-done")).to_contain_text("In force")
        after = zones_of_tracks(demo)
        assert "Everything, now" in str(demo.get("/v1/zones"))
        gained = [t for t in before.keys() & after.keys() if after[t] - before[t]]
        assert gained
        shoot(pages, "3-ban")
        desk.get_by_test_id("tab-watch").click()

        demo.said("verify: skykeep verify", NIGHT_MS / 1_000)
        for page in pages.values():
            expect(page.get_by_test_id("simulation-badge")).to_contain_text("over")
        incidents = demo.get("/v1/incidents")["incidents"]
        seen = {c.get_attribute("data-alert-id") for c in desk.get_by_test_id("alert-card").all()}
        assert intruder.get_attribute("data-alert-id") in seen
        assert set(incidents[0]["alerts"]) <= seen
        assert len(incidents[0]["tracks"]) >= 2
        watcher.close()
        demo.stop()
    assert number in acknowledged_by_people(tmp_path / "night")
    assert recompute(tmp_path / "night").faults == []
