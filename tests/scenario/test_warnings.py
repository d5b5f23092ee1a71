"""The public is warned: drafted by the system, released by a person, renewed, cancelled."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from skykeep.codec.ed318_write import write_ed318
from skykeep.commands.recompute import recompute
from skykeep.core.event import Actor
from skykeep.core.geo import Circle, HeightAgl, Polygon, Volume
from skykeep.core.warning import (
    RULE,
    WARNING_TRANSITIONS,
    ReleaseWarning,
    WarningBook,
    WarningState,
    WarningStep,
    WarningText,
)
from skykeep.deliver.settings import WarningSettings, read_warnings
from skykeep.errors import DecisionError, InputError
from skykeep.units import NS_PER_MS
from tests.desk import OFFICER, READER, Desk
from tests.reference import cap
from tests.sky import FRAME, at, plots, volume, zone_named

SETTINGS = WarningSettings(True, True, "drones@city.example", ("en", "de"), 3_600.0)
DRONE_AT = (100.0, 0.0, 80.0)
SQUARE = ((6.12, 49.60), (6.14, 49.60), (6.14, 49.62), (6.12, 49.62), (6.12, 49.60))
ZONE = zone_named(
    name="Citadel <& park>",
    zone_id="Z1",
    volumes=(volume(), Volume(Polygon((SQUARE,)), HeightAgl(0.0), HeightAgl(300.0))),
)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path, warn=SETTINGS)
    made.clock.now_ns = at(1.0)

    async def configure() -> None:
        await made.app.state.dispatcher._configure()

    made.loop.run_until_complete(configure())
    assert made.command("publish_zone", write_ed318([ZONE])).status_code == 200
    yield made
    made.close()
    assert recompute(tmp_path / "data").faults == []


def fly(desk: Desk) -> None:
    for second in range(1, 8):
        desk.clock.now_ns = at(second)
        desk.send(plots(second, DRONE_AT))
        desk.clock.now_ns = at(second) + 300 * NS_PER_MS
        desk.get("/v1/sensors")


def the_warning(desk: Desk, token: str = OFFICER) -> dict[str, Any]:
    (one,) = desk.get("/v1/warnings", token).json()["warnings"]
    return dict(one)


def cap_of(desk: Desk, number: int) -> ET.Element:
    answer = desk.get(f"/public/warnings/skykeep.city.W00001.{number}.xml", None)
    assert answer.headers["content-type"] == "application/cap+xml"
    assert cap.faults(answer.content) == []
    return ET.fromstring(answer.content)


def text(root: ET.Element, path: str) -> str:
    return root.findtext("/".join(f"{cap.SPACE}{p}" for p in path.split("/"))) or ""


def test_from_the_draft_to_the_all_clear(desk: Desk) -> None:
    fly(desk)
    draft = the_warning(desk)
    assert (draft["state"], draft["by"], draft["alert_id"]) == ("drafted", RULE.name, "A00001")
    assert draft["texts"][0]["headline"] == (
        "A drone is flying at Citadel <& park> without permission."
    )
    assert "no warning in force" in desk.get("/public/warnings", None).text  # nobody released it
    assert "<entry>" not in desk.get("/public/warnings.atom", None).text

    one = {"warning_id": "W00001"}
    assert desk.command("release_warning", one).json()["changed"][0]["state"] == "released"
    page = desk.get("/public/warnings", None).text
    assert "Citadel &lt;&amp; park&gt; without permission" in page
    assert "ohne Erlaubnis" in page
    assert "EXERCISE" not in page
    first = cap_of(desk, 1)
    assert (text(first, "status"), text(first, "msgType")) == ("Actual", "Alert")
    assert text(first, "sender") == "drones@city.example"
    assert text(first, "info/area/polygon").startswith("49.600000,6.120000 ")
    lat, lon = text(first, "info/area/circle").split()[0].split(",")
    assert (float(lat), float(lon)) == (round(FRAME.lat_deg, 6), round(FRAME.lon_deg, 6))
    assert text(first, "info/area/circle").endswith(" 0.500")
    assert [i.findtext(f"{cap.SPACE}language") for i in first.findall(f"{cap.SPACE}info")] == [
        "en", "de",
    ]  # fmt: skip

    other = {"language": "en", "headline": "Stay in", "description": "it is still there"}
    desk.command("release_warning", one | {"texts": [other], "lasts_min": 5})
    second = cap_of(desk, 2)
    assert (text(second, "msgType"), text(second, "info/headline")) == ("Update", "Stay in")
    named = f"drones@city.example,skykeep.city.W00001.1,{text(first, 'sent')}"
    assert text(second, "references") == named
    desk.command("cancel_warning", one)
    third = cap_of(desk, 3)
    assert (text(third, "msgType"), text(third, "info/responseType")) == ("Cancel", "AllClear")
    assert text(third, "references").split()[0] == named
    assert text(third, "references").count(",") == 4
    assert "no warning in force" in desk.get("/public/warnings", None).text
    feed = ET.fromstring(desk.get("/public/warnings.atom", None).content)
    atom = "{http://www.w3.org/2005/Atom}"
    assert len(feed.findall(f"{atom}entry")) == 3
    assert all(feed.findtext(f"{atom}{n}") for n in ("id", "title", "updated"))
    assert desk.command("cancel_warning", one).status_code == 409
    assert the_warning(desk)["messages"][0]["by"] == "A. Weber"
    assert the_warning(desk, READER)["messages"][0]["by"] == ""
    assert desk.get("/public/warnings/skykeep.city.W00001.9.xml", None).status_code == 404


def test_an_exercise_is_one_in_every_message_and_a_warning_lapses(desk: Desk) -> None:
    desk.command("draft_warning", {"zone_id": "Z1", "exercise": True})
    desk.command("release_warning", {"warning_id": "W00001", "lasts_min": 1})
    root = cap_of(desk, 1)
    assert (text(root, "status"), text(root, "note")) == ("Exercise", "EXERCISE " * 2 + "EXERCISE")
    for path in ("info/event", "info/headline", "info/description"):
        assert text(root, path).startswith("EXERCISE: ")
    page = desk.get("/public/warnings", None).text
    assert page.count("EXERCISE EXERCISE EXERCISE") == 1
    assert page.count("ÜBUNG ÜBUNG ÜBUNG") == 1
    assert "<title>EXERCISE: " in desk.get("/public/warnings.atom", None).text
    desk.clock.on(61.0)
    desk.get("/v1/sensors")
    assert the_warning(desk)["state"] == "expired"
    assert desk.command("draft_warning", {"zone_id": "Z9"}).status_code == 409
    desk.command("draft_warning", {"zone_id": "Z1"})
    said = desk.command("cancel_warning", {"warning_id": "W00002"}).json()["changed"][0]
    assert said["state"] == "discarded"
    assert "W00002" not in desk.get("/public/warnings.atom", None).text


def test_a_site_that_does_not_say_so_tells_the_public_nothing(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    for path in ("", ".atom", "/skykeep.city.W00001.1.xml"):
        assert desk.get(f"/public/warnings{path}", None).status_code == 404
    desk.close()


def test_a_rule_releases_nothing_and_the_table_is_the_lifecycle() -> None:
    assert {s for s, _ in WARNING_TRANSITIONS} == {WarningState.DRAFTED, WarningState.RELEASED}
    assert WARNING_TRANSITIONS[WarningState.RELEASED, WarningStep.UPDATE] is WarningState.RELEASED
    book = WarningBook(drafting=True)
    zones = {ZONE.zone_id: (ZONE.name, (Circle(49.6, 6.1, 500.0),))}
    from skykeep.core.warning import DraftWarning

    book.apply(DraftWarning(RULE, ZONE.zone_id), zones, False, at(0.0))
    texts = (WarningText("en", "h", "d", ""),)
    for actor, given, lasts_s, words in (
        (RULE, texts, 60.0, "named person"),
        (Actor(" ", "watch_officer"), texts, 60.0, "named person"),
        (Actor("A", "watch_officer"), (), 60.0, "headline"),
        (Actor("A", "watch_officer"), texts, 90_000.0, "24 hours"),
    ):
        with pytest.raises(DecisionError, match=words):
            book.apply(ReleaseWarning(actor, "W00001", given, lasts_s), zones, False, at(1.0))
    assert book.warnings["W00001"].state is WarningState.DRAFTED
    assert WarningBook.restore(book.snapshot()) == book


def test_what_a_site_file_says_of_warnings_is_checked(tmp_path: Path) -> None:
    head = '{"authority": "c", "name": "C", "origin": {"lat_deg": 49.6, "lon_deg": 6.1, '
    for part, field in (
        ('{"public": true}', "sender"), ('{"public": true, "sender": "a b"}', "sender"),
        ('{"languages": ["xx"]}', "languages"), ('{"lasts_min": 0}', "lasts_min"),
    ):  # fmt: skip
        file = tmp_path / "site.json"
        file.write_text(head + f'"height_hae_m": 1.0}}, "warnings": {part}}}')
        with pytest.raises(InputError, match=field):
            read_warnings(file)
