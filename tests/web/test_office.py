"""The permit office at work: an application from submitted to revoked, a ban that two people make.

With SKYKEEP_SHOTS=FOLDER the screenshots are kept there, to be looked at.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from skykeep.codec.permit_card import Answer, check, read_card, read_status
from skykeep.core.permit import PERMIT_TRANSITIONS, PermitEvent
from skykeep.service.permits import OFFICER_STEPS
from skykeep.service.permits_card import verifier_of
from tests.web.axe import faults_of
from tests.web.conftest import TIMEOUT_MS, PageWatcher
from tests.web.office_desk import OFFICE, OFFICER, SECOND, Office, moment, open_office

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

SHOTS = os.environ.get("SKYKEEP_SHOTS")
#: Every pixel of the map is drawn in software: as many as people have only for pictures.
DESK = {"width": 1440, "height": 900} if SHOTS else {"width": 1000, "height": 700}
PHONE = {"width": 390, "height": 844}
WEB = Path(__file__).parents[2] / "web" / "src" / "office"
#: What a watch officer has for an emergency exemption, in seconds of a person's time.
EMERGENCY_S = 20.0


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    with open_office(tmp_path_factory.mktemp("office")) as made:
        yield made


def opened(watcher: PageWatcher, office: Office, token: str, view: dict[str, int]) -> Page:
    from playwright.sync_api import expect

    expect.set_options(timeout=TIMEOUT_MS)
    page = watcher.open(f"http://127.0.0.1:{office.keeper.port}/#token={token}", viewport=view)
    expect(page.get_by_test_id("link-state")).to_contain_text("Live")
    return page


def shoot(page: Page, moment: str) -> None:
    if SHOTS:
        page.screenshot(path=f"{SHOTS}/office-{moment}.png")


def permits(page: Page) -> Locator:
    page.get_by_test_id("tab-permits").click()
    return page.get_by_test_id("permits-page")


def row(page: Page, permit_id: str) -> Locator:
    return page.locator(f'[data-testid="permit-row"][data-permit-id="{permit_id}"]')


def test_the_office_decides_checks_a_card_revokes_and_enters_new_ones(
    watcher: PageWatcher, office: Office, tmp_path: Path
) -> None:
    page = opened(watcher, office, OFFICE, DESK)
    queue = permits(page)
    decided(page, queue, office, tmp_path)
    page.get_by_role("button", name="← All permits").click()
    applied_for(page)
    page.get_by_role("button", name="← All permits").click()
    imported(page)


def decided(page: Page, queue: Locator, office: Office, folder: Path) -> None:
    """One application from submitted to granted with a condition, and revoked."""
    from playwright.sync_api import expect

    due = queue.get_by_test_id("due-row")
    expect(due).to_have_count(2)
    expect(due.first).to_contain_text("Overdue")
    expect(queue.get_by_test_id("permit-row").first).to_contain_text("P-2040")
    shoot(page, "queue-desk")
    assert faults_of(page) == []
    page.get_by_test_id("permit-filter").fill("survey 0017")
    expect(queue.get_by_test_id("permit-row")).to_have_count(1)
    row(page, "P-2041").click()

    detail = page.get_by_test_id("permit-detail")
    met = detail.get_by_test_id("permit-check")
    expect(met).to_contain_text("Citadel (CITADEL), prohibited: a permit opens it")
    expect(met).to_contain_text("Ask: aviation, drones@aviation.example (5 days before)")
    expect(met).to_contain_text("Permit P-2031, granted")
    expect(met).to_contain_text("Exemption (police) POL-7")
    expect(detail).to_contain_text("FIN87astrdge12k8")
    offered = detail.locator("[data-testid='permit-steps'] .of-buttons > button")
    assert offered.all_inner_texts() == [
        "Take under review …", "Request information …", "Grant …", "Refuse …"
    ]  # fmt: skip
    shoot(page, "application-desk")
    assert faults_of(page) == []

    page.get_by_test_id("take-grant").click()
    page.get_by_test_id("step-condition-template").select_option("Height")
    conditions = page.get_by_test_id("step-conditions")
    expect(conditions).to_have_value("Not higher than 60 m above ground.")
    conditions.press("Control+a")
    conditions.type("Not higher than 70 m above ground.")
    shoot(page, "grant-desk")
    page.get_by_test_id("step-do").click()
    expect(page.get_by_test_id("permit-status")).to_contain_text("Granted: entry")
    history = page.get_by_test_id("permit-history")
    expect(history).to_contain_text("P. Office, permit office")
    expect(history.get_by_test_id("permit-notices")).to_contain_text("e-mail")

    card = carded(page, office, folder)
    page.get_by_test_id("take-revoke").click()
    page.get_by_test_id("step-do").click()
    expect(page.locator(".of-fault")).to_contain_text("Say why")
    page.get_by_test_id("step-template").select_option("Condition broken")
    page.get_by_test_id("step-land-in").fill("5")
    shoot(page, "revoke-desk")
    page.get_by_test_id("step-do").click()
    expect(page.get_by_test_id("permit-status")).to_contain_text("Revoked: entry")
    expect(page.get_by_test_id("permit-landing")).to_contain_text("Land by")
    expect(detail).to_contain_text("In writing within 30 days")
    expect(page.locator(".of-cardface")).to_have_count(0)
    assert answered(office, card) is Answer.REVOKED
    shoot(page, "revoked-desk")
    assert faults_of(page) == []


def answered(office: Office, text: str) -> Answer:
    """What somebody on the spot is told of a card, with today's list."""
    verify = verifier_of(bytes.fromhex(office.public("/permits/key").decode()))
    listed = read_status(office.public("/permits/status"), verify)
    return check(read_card(text, verify), listed, round(time.time()), (49.612, 6.136))[0]


def carded(page: Page, office: Office, folder: Path) -> str:
    """The text of the card that is shown; it is valid, and stands in the picture and on paper."""
    from playwright.sync_api import expect

    page.get_by_test_id("permit-card-show").click()
    text = page.get_by_test_id("permit-card-text").text_content() or ""
    assert answered(office, text) is Answer.VALID
    picture = page.locator(".of-cardface svg").first
    shot = folder / "card.png"
    picture.screenshot(path=shot)
    if shutil.which("zbarimg"):
        command = ["zbarimg", "--quiet", "--raw", "-Sdisable", "-Sqrcode.enable", str(shot)]
        read = subprocess.run(command, capture_output=True, text=True, check=False)
        assert read.stdout.strip() == text
    shoot(page, "card-desk")
    page.emulate_media(media="print")
    expect(page.locator(".of-paper")).to_be_visible()
    expect(page.locator(".app")).to_be_hidden()
    shoot(page, "card-print")
    page.emulate_media(media="screen")
    return text


def test_an_officer_exempts_by_keyboard_within_seconds_and_bans(
    watcher: PageWatcher, office: Office
) -> None:
    watcher.allow("status of 409")  # the minutes that are refused
    page = opened(watcher, office, OFFICER, PHONE)
    exempted(page, office)
    banned(page, office)


def exempted(page: Page, office: Office) -> None:
    """An emergency exemption by keyboard alone, confirmed afterwards."""
    from playwright.sync_api import expect

    permits(page)
    expect(page.get_by_test_id("permit-row").first).to_be_visible()
    expect(page.get_by_test_id("permit-new")).to_be_disabled()
    shoot(page, "queue-phone")
    assert faults_of(page) == []
    keys, began = page.keyboard, time.monotonic()
    page.get_by_test_id("permits-page").click(position={"x": 5, "y": 5})
    keys.press("e")
    keys.press("p")  # police; the list opens at rescue
    for typed in ("SKV18HEL00001", "", "9999"):
        keys.press("Tab")
        keys.press("Control+a") if typed else None
        keys.type(typed)
    keys.press("Enter")
    minutes = page.get_by_test_id("emergency-minutes")
    expect(page.locator(".of-fault")).to_contain_text("longer than 240 minutes")
    expect(minutes).to_be_focused()
    keys.press("Control+a")
    keys.type("20")
    keys.press("Enter")
    done = page.get_by_test_id("emergency-done")
    expect(done).to_contain_text("to be confirmed before that")
    assert time.monotonic() - began < EMERGENCY_S
    shoot(page, "emergency-phone")
    assert faults_of(page) == []
    keys.press("Enter")
    detail = page.get_by_test_id("permit-detail")
    expect(detail).to_contain_text("Emergency, unconfirmed")
    expect(page.get_by_test_id("permit-deadline")).to_contain_text("Confirm by")
    shoot(page, "exemption-phone")
    page.get_by_test_id("take-confirm").click()
    page.get_by_test_id("step-why").fill("the sergeant called back")
    page.get_by_test_id("step-do").click()
    expect(page.get_by_test_id("permit-status")).to_contain_text("Confirmed")
    exempt = office.get("/v1/exemptions")["exemptions"][0]
    assert (exempt["id"], exempt["class"], exempt["state"]) == ("E0001", "police", "granted")
    assert exempt["serials"] == ["SKV18HEL00001"]


def applied_for(page: Page) -> None:
    """A new application is checked before it is sent."""
    from playwright.sync_api import expect

    page.get_by_test_id("permit-new").click()
    fields = {
        "permit-id": "P-2050", "permit-holder": "<b>Tower</b> Ltd", "permit-serials": "1596A3",
        "permit-endurance": "25", "permit-operator": "FIN87astrdge12k8",
        "permit-lat": "49.61", "permit-lon": "6.13", "permit-radius": "150",
    }  # fmt: skip
    for name, value in fields.items():
        page.get_by_test_id(name).fill(value)
    ahead = datetime.now(UTC) + timedelta(days=2)
    page.get_by_test_id("permit-start").fill(f"{ahead:%Y-%m-%dT%H:%M}")
    page.get_by_test_id("permit-end").fill(f"{ahead + timedelta(hours=2):%Y-%m-%dT%H:%M}")
    page.get_by_test_id("permit-check-first").click()
    expect(page.locator(".of-fault")).to_contain_text("Pick at least one zone")
    page.locator('[data-testid="permit-zone"][data-zone-id="CITADEL"]').check()
    mail = page.get_by_test_id("permit-email")
    mail.fill("nobody")
    page.get_by_test_id("permit-check-first").click()
    expect(page.locator(".of-fault").first).to_contain_text("Is no e-mail address")
    expect(mail).to_be_focused()
    mail.fill("")
    expect(page.get_by_test_id("permit-submit")).to_be_hidden()
    page.get_by_test_id("permit-check-first").click()
    met = page.locator("form").get_by_test_id("permit-check")
    expect(met).to_contain_text("(CITADEL), prohibited: a permit opens it")
    expect(met).to_contain_text("who applies has not been proven")
    expect(page.get_by_test_id("permit-submit")).to_be_focused()
    shoot(page, "new-desk")
    assert faults_of(page) == []
    page.get_by_test_id("permit-submit").click()
    page.get_by_test_id("permit-open-entered").click()
    expect(page.get_by_test_id("permit-detail")).to_contain_text("<b>Tower</b> Ltd")


def imported(page: Page) -> None:
    """A table of exemptions is read line by line."""
    from playwright.sync_api import expect

    page.get_by_test_id("permit-import").click()
    start, end = moment(days=-1), moment(days=90)
    head = "id,class,holder,serials,lat_deg,lon_deg,radius_m,start,end"
    table = [
        f"FIRE-1,fire,City Fire,SKV18F0000001,49.61,6.13,3000,{start},{end}",
        f"FIRE-2,fire,City Fire,SKV18F0000002,91,6.13,3000,{start},{end}",
        f"SPY-1,spies,City Fire,SKV18F0000003,49.61,6.13,3000,{start},{end}",
    ]
    page.get_by_test_id("import-text").fill("\n".join([head, *table]))
    page.get_by_test_id("import-send").click()
    expect(page.get_by_test_id("import-done")).to_contain_text("1 exemption entered, 2 faults")
    findings = page.get_by_test_id("import-findings")
    expect(findings).to_contain_text("line 3")
    expect(findings).to_contain_text("line 4, class")
    shoot(page, "import-desk")
    assert faults_of(page) == []
    page.get_by_role("button", name="← All permits").click()
    flights = page.get_by_test_id("exemption-flights")
    flights.locator("summary").click()
    expect(flights).to_contain_text("None was made yet.")


def test_one_proposes_a_zone_and_another_person_approves_it(
    watcher: PageWatcher, office: Office
) -> None:
    from playwright.sync_api import expect

    page = opened(watcher, office, OFFICE, DESK)
    page.get_by_test_id("tab-zones").click()
    page.locator('[data-testid="zone-row"][data-zone-id="CITADEL"]').click()
    expect(page.get_by_test_id("zone-version")).to_have_count(1)
    page.get_by_test_id("zone-new-version").click()
    page.get_by_test_id("zone-name").fill("Citadel and park")
    page.get_by_test_id("zone-anew").check()
    for name, value in {"lat": "49.612", "lon": "6.13", "radius": "1400"}.items():
        page.get_by_test_id(f"zone-{name}").fill(value)
    page.get_by_test_id("zone-propose-why").fill("the park is opened for the visit")
    shoot(page, "proposal-desk")
    assert faults_of(page) == []
    page.get_by_test_id("zone-propose").click()
    expect(page.get_by_test_id("zone-proposed")).to_contain_text("Proposed: CITADEL, entry")
    page.get_by_test_id("zone-open-done").click()
    versions = page.get_by_test_id("zone-versions")
    expect(versions).to_contain_text("another person of the permit office approves it")
    expect(versions.get_by_test_id("zone-approve")).to_have_count(0)

    other = opened(watcher, office, SECOND, DESK)
    other.get_by_test_id("tab-zones").click()
    waits = other.locator('[data-testid="pending-row"][data-zone-id="CITADEL"]')
    expect(waits).to_contain_text("Approve: Citadel and park")
    shoot(other, "zones-desk")
    waits.click()
    newest = other.locator('[data-testid="zone-version"][data-version="2"]')
    changes = newest.get_by_test_id("zone-changes")
    expect(changes).to_contain_text("Name: Citadel → Citadel and park")
    expect(changes).to_contain_text("circle of 900 m around 49.61000, 6.13000")
    expect(changes).to_contain_text("circle of 1400 m around 49.61200, 6.13000")
    for step in ("approve", "enter-into-force"):
        newest.get_by_test_id(f"zone-{step}").click()
        newest.get_by_test_id(f"zone-{step}-do").click()
        expect(newest).to_contain_text("approved it" if step == "approve" else "put it into force")
    expect(newest).to_contain_text("S. Second approved it")
    expect(newest).to_contain_text("P. Office proposed it")
    shoot(other, "versions-desk")
    assert faults_of(other) == []
    other.get_by_role("button", name="← All zones").click()
    other.get_by_role("button", name="Confirm: Gas leak").click()
    other.get_by_test_id("zone-confirm").click()
    other.get_by_test_id("zone-confirm-do").click()
    expect(other.get_by_test_id("zone-status")).to_contain_text("is confirmed")
    expect(other.get_by_test_id("zone-confirm")).to_have_count(0)
    first, second = office.get("/v1/zones/versions?zone_id=CITADEL")["versions"]
    assert (first["state"], second["state"]) == ("withdrawn", "in_force")
    features = {f["properties"]["identifier"]: f for f in office.get("/v1/zones")["features"]}
    assert features["CITADEL"]["geometry"]["extent"]["radius"] == 1_400
    contact = features["CITADEL"]["properties"]["zoneAuthority"][0]
    assert contact["email"] == "drones@city.example"  # what was not changed is still there


def banned(page: Page, office: Office) -> None:
    """An emergency ban, which says when it lapses."""
    from playwright.sync_api import expect

    page.get_by_test_id("tab-zones").click()
    page.get_by_test_id("ban-open").click()
    said = {"name": "Gas leak", "legal-basis": "Police Act, section 7", "why": "a pipe was hit"}
    for name, value in said.items() | {("lat", "49.6"), ("lon", "6.12")}:
        page.get_by_test_id(f"ban-{name}").fill(value)
    page.get_by_test_id("ban-review").click()
    page.get_by_test_id("ban-confirm").click()
    expect(page.get_by_test_id("ban-done")).to_contain_text("In force")
    expect(page.get_by_test_id("ban-lapse")).to_contain_text("unless the permit office confirms it")
    shoot(page, "ban-phone")
    assert faults_of(page) == []
    features = office.get("/v1/zones")["features"]
    zone_id = next(f for f in features if "Gas leak" in str(f))["properties"]["identifier"]
    (version,) = office.get(f"/v1/zones/versions?zone_id={zone_id}")["versions"]
    assert (version["emergency"], version["steps"][0]["why"]) == (True, "a pipe was hit")
    assert version["confirm_by"] is not None


def test_the_page_offers_the_steps_of_the_table_and_no_others() -> None:
    source = (WEB / "permit-steps.ts").read_text(encoding="utf-8")
    lists = dict(re.findall(r"^const (\w+) = (\[[^\]]*\]);", source, re.M))
    found: set[tuple[str, str]] = set()
    by_officer = set()
    for block in source.partition("export const STEPS")[2].split("...PLAIN,")[1:]:
        step = re.search(r'step: "(\w+)"', block)
        origin = re.search(r"from: (\w+|\[[^\]]*\])", block)
        assert step is not None
        assert origin is not None
        text = re.sub(r"\.\.\.(\w+)", lambda m: lists[m[1]], lists.get(origin[1], origin[1]))
        found |= {(state, step[1]) for state in re.findall(r'"(\w+)"', text)}
        by_officer |= {step[1]} if "officer: true" in block else set()
    by_itself = {PermitEvent.EXPIRE, PermitEvent.DECLARE_EMERGENCY}  # time's own, and a form's
    table = {(s.value, e.value) for s, e in PERMIT_TRANSITIONS if e not in by_itself}
    assert found == table
    assert by_officer == {e.value for e in OFFICER_STEPS}
