"""The public page from plain files: asked, read, printed, and by whom cannot use a mouse."""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any

import pytest

from skykeep.core.geo import Circle, HeightAgl, HeightAmsl, Polygon, Volume
from skykeep.core.schedule import DailyPeriod, Period, TimeOfDay
from skykeep.core.zone import Authority, PublishZone, Restriction, Zone
from skykeep.core.zone_book import ZoneBook
from skykeep.record import checkpoint as checkpoints
from skykeep.record.checkpoint import Checkpoint
from skykeep.record.keys import signer
from skykeep.service.publication import Known, publish
from skykeep.service.publication_folder import write_folder
from skykeep.units import NS_PER_S, ZoneId
from tests.sky import CITY, OFFICER, SITE
from tests.web.conftest import BUILT_PAGE, HOST, TIMEOUT_MS, PageWatcher

if TYPE_CHECKING:
    from playwright.sync_api import Page

PHONE = {
    "viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True,
    "device_scale_factor": 2, "locale": "en-GB",
}  # fmt: skip
DESK = {"viewport": {"width": 1440, "height": 900}, "locale": "en-GB"}
#: Development only (MPL-2.0); it is no part of the page.
AXE = Path(__file__).parents[2] / "web/node_modules/axe-core/axe.min.js"
#: Before anybody moves the map: many pixels are of the colour of what is forbidden.
ZONES_DRAWN = """() => {
  const from = document.querySelector(".map canvas"), to = document.createElement("canvas");
  to.width = to.height = 100;
  const flat = to.getContext("2d");
  flat.drawImage(from, 0, 0, 100, 100);
  const { data } = flat.getImageData(0, 0, 100, 100);
  let count = 0;
  for (let i = 0; i < data.length; i += 4) if (data[i] - data[i + 1] > 25) count++;
  return count > 50;
}"""
DAY_S = 86_400
EVERY_DAY = (0, 1, 2, 3, 4, 5, 6)
LUX = "Europe/Luxembourg"
OFFICE = Authority(
    "City aviation office", "AUTHORIZATION", "Permits", phone="+352 1234 5678",
    email="drones@city.example", site_url="https://city.example/drones", interval_before="P3D",
)  # fmt: skip


def zone(name: str, title: str, restriction: Restriction, *volumes: Volume, **more: Any) -> Zone:
    plain = Zone(ZoneId(name), title, CITY, restriction, volumes, time_zone=LUX)
    return replace(plain, authorities=(OFFICE,), legal_basis="City law 12, article 3", **more)


def circle(lat: float, lon: float, m: float, top: Any) -> Volume:
    return Volume(Circle(lat, lon, m), HeightAgl(0.0), top)


def zones() -> tuple[Zone, ...]:
    ring = ((6.150, 49.595), (6.190, 49.595), (6.190, 49.625), (6.150, 49.625), (6.150, 49.595))
    night = DailyPeriod(EVERY_DAY, TimeOfDay(22 * 3_600, False), TimeOfDay(6 * 3_600, False))
    return (
        zone("CIT", "The citadel", Restriction.PROHIBITED, circle(49.61, 6.13, 700.0, None),
             reasons=("SENSITIVE", "POPULATION"), message="No flights for any purpose."),
        zone("AIR", "Airport approach", Restriction.REQ_AUTHORISATION,
             Volume(Polygon((ring,)), HeightAmsl(350.0), None), reasons=("AIR_TRAFFIC",)),
        zone("PARK", "Valley park at night", Restriction.CONDITIONAL,
             circle(49.585, 6.12, 900.0, HeightAgl(50.0)), periods=(Period(None, None, (night,)),),
             reasons=("NATURE",), conditions="Keep 30 m from trees where birds breed."),
    )  # fmt: skip


def publication(at_ns: int, *extra: Zone, contact: str = "drones@city.example") -> dict[str, bytes]:
    book = ZoneBook(CITY, SITE.zone_policy)
    for one in (*zones(), *extra):
        book.apply(PublishZone(OFFICER, one), at_ns - 100 * NS_PER_S)
    key = signer(f"{CITY}/skykeep", bytes(range(32)))
    head = checkpoints.sign(Checkpoint(key.name, 7, bytes(32)), [key]).to_bytes()
    site = replace(SITE, name="Citadel City", time_zone=LUX)
    made = publish(Known(site, book.all_versions(), at_ns, head, key), contact)
    return {name: file.data for name, file in made.files.items()}


class Host:
    """A plain web server over a folder."""

    def __init__(self, folder: Path) -> None:
        class Quiet(SimpleHTTPRequestHandler):
            def log_message(self, *_: Any) -> None: ...

        self.folder = folder
        self.server = ThreadingHTTPServer((HOST, 0), partial(Quiet, directory=str(folder)))
        self.thread = Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()
        self.address = f"http://{HOST}:{self.server.server_address[1]}/"

    def close(self) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


@pytest.fixture(scope="module")
def host(built_page: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    if not (built_page / "public.html").is_file():
        pytest.skip("the public page is not built (`make web` builds it)")
    made = Host(tmp_path_factory.mktemp("public"))
    yield made
    made.close()


Open = Callable[..., "Page"]


@pytest.fixture
def open_page(watcher: PageWatcher, host: Host, built_page: Path) -> Open:
    """Opens the page over zones that are so many seconds old; without a map it is quick."""
    from playwright.sync_api import expect

    expect.set_options(timeout=TIMEOUT_MS)

    def opened(
        options: dict[str, Any], *extra: Zone, age_s: float = 60.0, with_map: bool = False
    ) -> Page:
        at_ns = time.time_ns() - round(age_s * NS_PER_S)
        write_folder(host.folder, publication(at_ns, *extra), built_page)
        page = watcher.open(**options)
        if not with_map:
            watcher.allow("ERR_FAILED")
            page.route("**/assets/map-*.js", lambda route: route.abort())
        page.goto(host.address)
        expect(page.get_by_test_id("data-date")).to_be_visible()
        return page

    return opened


def find(page: Page, text: str) -> None:
    page.get_by_test_id("search").fill(text)
    page.get_by_test_id("hits").get_by_role("button").first.click()


def shot(page: Page, name: str, full: bool = False) -> None:
    """Kept where SKYKEEP_SHOTS says, to be looked at."""
    folder = os.environ.get("SKYKEEP_SHOTS")
    if folder:
        page.wait_for_timeout(1_500)  # the map draws its names last
        page.screenshot(path=Path(folder) / f"public-{name}.png", full_page=full)


def faults(page: Page) -> list[Any]:
    """Serious and critical findings of axe-core."""
    if not AXE.is_file():
        pytest.skip("axe-core is not installed (npm ci in web/)")
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    assert found["passes"]
    return [
        (v["id"], [n["html"][:200] for n in v["nodes"]])
        for v in found["violations"]
        if v["impact"] in ("serious", "critical")
    ]


@pytest.mark.parametrize(
    ("name", "options"),
    [("phone", PHONE), pytest.param("desk", DESK, marks=pytest.mark.soak)],
)
def test_may_i_fly_here(open_page: Open, name: str, options: dict[str, Any]) -> None:
    from playwright.sync_api import expect

    page = open_page(options, with_map=True)
    canvas = page.get_by_test_id("map").locator("canvas")
    expect(canvas).to_be_visible()
    page.wait_for_function(ZONES_DRAWN)
    shot(page, f"{name}-first")
    find(page, "citadel")
    headline = page.get_by_test_id("headline")
    expect(headline).to_contain_text("No. Flying is forbidden here.")
    told = page.locator("#answer")
    for words in ("a sensitive site", "+352 1234 5678", "at least 3 days before", "City law 12"):
        expect(told).to_contain_text(words)
    expect(page.get_by_test_id("next")).to_contain_text("No change is known")
    expect(page.get_by_test_id("banner")).to_be_hidden()
    expect(page.locator("main")).to_contain_text("It is not a permit")
    box = headline.bounding_box()
    assert box is not None
    assert box["y"] + box["height"] < options["viewport"]["height"]  # seen without scrolling
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    shot(page, f"{name}-forbidden")
    assert faults(page) == []
    where = page.get_by_test_id("place")
    expect(where).to_have_text("49.61000, 6.13000")
    if name == "phone":
        canvas.tap(position={"x": 40, "y": 40})
    else:  # a step up, and ask about the middle
        canvas.focus()
        page.keyboard.press("ArrowUp")
        page.wait_for_timeout(500)  # the map glides to its end
        page.keyboard.press("Enter")
    expect(where).not_to_have_text("49.61000, 6.13000")
    shot(page, f"{name}-elsewhere", full=True)


def test_heights_times_and_the_way_up_then_on_paper(open_page: Open, host: Host) -> None:
    from playwright.sync_api import expect

    page = open_page(DESK)
    expect(page.get_by_test_id("map")).to_contain_text("map cannot be drawn")
    find(page, "49.585, 6.12")
    headline, height = page.get_by_test_id("headline"), page.get_by_test_id("height")
    when, told = page.get_by_test_id("when"), page.locator("#answer")
    year = time.gmtime().tm_year + 1
    height.fill("40")
    when.fill(f"{year}-07-01T12:00")
    expect(headline).to_contain_text("No zone restricts it.")
    expect(told).to_contain_text("general rules")
    expect(page.get_by_test_id("next")).to_contain_text("22:00: Only under conditions.")
    when.fill(f"{year}-07-01T23:30")
    expect(headline).to_contain_text("Only under conditions.")
    expect(told).to_contain_text("Keep 30 m from trees")
    expect(page.get_by_test_id("next")).to_contain_text("06:00: No zone restricts it.")
    height.fill("80")  # above the zone, and through it
    expect(headline).to_contain_text("Only under conditions.")
    expect(told).to_contain_text("On the way up you pass through")
    expect(told).to_contain_text("At that height itself: No zone restricts it.")
    find(page, "Airport")
    expect(headline).to_contain_text("Only with an authorisation.")
    height.fill("30")  # 330 m above the sea, where the ground is known to be at 300 m
    expect(headline).to_contain_text("No zone restricts it.")
    height.fill("")
    expect(headline).to_contain_text("It cannot be told.")
    expect(told).to_contain_text("depend on the height")
    height.fill("-5")
    expect(headline).to_contain_text("Give a height from 0")
    height.fill("10")
    when.fill("2020-01-01T00:00")
    expect(headline).to_contain_text("before the data’s date")
    when.fill(f"{year + 20}-01-01T00:00")
    expect(headline).to_contain_text("too far ahead")
    page.get_by_role("button", name="Now").click()
    find(page, "49.66, 6.05")
    expect(headline).to_contain_text("No zone restricts it.")
    # A page that is left open learns of a ban, and keeps what was asked.
    ban = zone("BAN", "A visit", Restriction.PROHIBITED, circle(49.66, 6.05, 500.0, None))
    write_folder(host.folder, publication(time.time_ns(), ban), BUILT_PAGE)
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    expect(headline).to_contain_text("No. Flying is forbidden here.")
    expect(height).to_have_value("10")
    find(page, "citadel")
    expect(headline).to_contain_text("No. Flying is forbidden here.")
    page.emulate_media(media="print")
    expect(page.get_by_test_id("search")).to_be_hidden()
    for words in ("Flying is forbidden", "Asked: 49.61000, 6.13000", "+352 1234 5678"):
        expect(page.locator("main")).to_contain_text(words)
    expect(page.get_by_test_id("data-date")).to_be_visible()
    expect(page.locator("footer")).to_contain_text("Printed from http")
    assert page.pdf(format="A4").startswith(b"%PDF")


def test_with_the_keyboard_alone_among_unreadable_zones(open_page: Open) -> None:
    from playwright.sync_api import expect

    broken = replace(zones()[0], zone_id=ZoneId("BAD"), name="Broken", readable=False, volumes=())
    page = open_page(DESK, broken)
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    page.get_by_test_id("search").focus()
    page.keyboard.type("49.66, 6.05")
    page.keyboard.press("Enter")
    headline = page.get_by_test_id("headline")
    expect(headline).to_contain_text("It cannot be told. Ask before you fly.")
    expect(page.locator("#answer")).to_contain_text("could not be read")
    page.get_by_test_id("search").fill("CITADÈL")
    page.keyboard.press("Enter")  # forbidden for sure, whatever the other says
    expect(headline).to_contain_text("No. Flying is forbidden here.")
    page.get_by_test_id("all-zones").locator("summary").press("Enter")
    expect(page.get_by_test_id("all-zones").get_by_test_id("zone")).to_have_count(4)
    shot(page, "desk-unreadable", full=True)
    assert faults(page) == []


def test_old_data_are_called_old_and_altered_ones_tell_nothing(open_page: Open, host: Host) -> None:
    from playwright.sync_api import expect

    page = open_page(PHONE, age_s=2.9 * DAY_S)
    banner = page.get_by_test_id("banner")
    expect(banner).to_contain_text("OLD DATA: these zones are 2 days old")
    find(page, "49.66, 6.05")
    expect(page.get_by_test_id("headline")).to_contain_text("By data that are 2 days old:")
    shot(page, "phone-old")
    assert faults(page) == []
    write_folder(host.folder, publication(time.time_ns() + 3_600 * NS_PER_S), BUILT_PAGE)
    page.reload()
    expect(banner).to_contain_text("clock is behind")
    data = (host.folder / "zones.geojson").read_bytes()
    (host.folder / "zones.geojson").write_bytes(data.replace(b"PROHIBITED", b"CONDITIONAL"))
    page.reload()
    expect(page.get_by_test_id("failed")).to_contain_text("Nothing can be told")
    expect(page.locator("main")).to_contain_text("not the file that the signed list names")
    assert faults(page) == []


def test_in_the_readers_language(open_page: Open) -> None:
    from playwright.sync_api import expect

    page = open_page(PHONE | {"locale": "fr-LU"})
    for language, words in (
        ("fr", "Non. Le vol est interdit ici."),
        ("de", "Nein. Fliegen ist hier verboten."),
        ("en", "No. Flying is forbidden here."),
    ):
        if language != "fr":
            page.get_by_test_id("language").select_option(language)
        expect(page.locator("html")).to_have_attribute("lang", language)
        find(page, "citadel")
        expect(page.get_by_test_id("headline")).to_contain_text(words)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        shot(page, f"phone-{language}", full=True)


def test_the_languages_say_the_same_things() -> None:
    folder = Path(__file__).parents[2] / "web/src/public/messages"
    texts = {p.stem: json.loads(p.read_text("utf-8")) for p in sorted(folder.glob("*.json"))}
    assert list(texts) == ["de", "en", "fr"]
    for name, said in texts.items():
        assert list(said) == list(texts["en"]), name
        for key, text in said.items():
            holes = sorted(re.findall(r"\{\w+\}", text))
            assert holes == sorted(re.findall(r"\{\w+\}", texts["en"][key])), (name, key)
