"""People's reports: the form's bounds, what is kept of it, and that it detects nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlencode

import httpx
import pytest

from skykeep.config import SightingSettings, read_public
from skykeep.core.observation import SensorKind
from skykeep.errors import InputError
from skykeep.service import sightings as room
from skykeep.service.sightings import Limits, Sightings, read_form
from skykeep.units import NS_PER_S, SensorId
from tests.desk import OFFICER, PATROL, READER, Desk
from tests.sky import RADAR

PEOPLE = replace(RADAR, sensor_id=SensorId("people"), kind=SensorKind.PERSON, period_s=None)
SETTINGS = SightingSettings(PEOPLE.sensor_id, "art. 1 <b>", "Kept for ever in the open log.")
GOOD = {
    "kind": "multirotor", "doing": "hovering", "ago": "10", "direction": "90", "azimuth": "47",
    "elevation": "12", "lat": "49,6123", "lon": "6.1301",
}  # fmt: skip


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path, (RADAR, PEOPLE))
    made.app.state.sightings = Sightings(made.writer, SETTINGS, (RADAR, PEOPLE))
    hub = made.loop.create_task(made.app.state.hub.run())
    yield made
    made.app.state.hub.stop()
    made.loop.run_until_complete(hub)
    made.close()


def post(desk: Desk, **told: str) -> httpx.Response:
    body = urlencode(GOOD | told)
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    return desk.loop.run_until_complete(
        desk.client.post("/sighting", content=body, headers=headers)
    )


def test_it_is_off_unless_the_site_switches_it_on(tmp_path: Path) -> None:
    desk = Desk(tmp_path, (RADAR, PEOPLE))
    assert desk.get("/sighting", None).status_code == 404
    assert desk.get("/sighting.js", None).status_code == 404
    assert post(desk).status_code == 404
    desk.close()
    with pytest.raises(InputError, match="no sensor 'people' of kind person"):
        Sightings(desk.writer, SETTINGS, (RADAR,))


def test_the_form_says_its_law_and_needs_no_script(desk: Desk) -> None:
    answer = desk.get("/sighting", None)
    assert answer.status_code == 200
    assert "Legal basis: art. 1 &lt;b&gt;. Kept for ever in the open log." in answer.text
    assert '<form method="post" action="/sighting">' in answer.text
    assert "script-src 'self'" in answer.headers["content-security-policy"]
    assert "getCurrentPosition" in desk.get("/sighting.js", None).text


def test_a_report_is_kept_as_a_report_with_a_receipt(desk: Desk) -> None:
    answer = post(desk)
    assert answer.status_code == 200
    entry = int(answer.text.partition("/log/receipts/")[2].partition('"')[0])
    recorded = desk.writer.look()
    assert recorded is not None
    (placed,) = recorded.store.entries(entry, entry + 1)
    assert b"a drone with rotors, hovering, 12 degrees up" in b"".join(recorded.store.facts(placed))
    (told,) = desk.get("/v1/sightings", OFFICER).json()["sightings"]
    assert told["words"] == "a drone with rotors, hovering, 12 degrees up"
    assert (told["azimuth_deg"], told["sensor"]) == (47.0, "people")
    assert (told["lat_deg"], told["lon_deg"]) == (49.612, 6.13)
    seen_ns = desk.clock.now_ns - 600 * NS_PER_S
    assert told["seen"].startswith(room.format_moment(seen_ns)[:19])
    assert desk.get("/v1/tracks", OFFICER).json()["tracks"] == []
    assert desk.get("/v1/sightings", READER).status_code == 403


def test_duplicates_are_suggested_and_stay_two(desk: Desk) -> None:
    post(desk, azimuth="45", lat="49.61", lon="6.13")
    post(desk, azimuth="315", lat="49.61", lon="6.1438")
    first, second = desk.get("/v1/sightings", OFFICER).json()["sightings"]
    assert first["may_be_one"] == {}
    assert "their directions cross" in second["may_be_one"]["0"]


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ({"kind": "ufo"}, "kind: is none of the choices"),
        ({"doing": "x"}, "doing: is none"),
        ({"ago": "3"}, "doing: is none"),
        ({"lat": "91"}, "is no number from -90 to 90"),
        ({"lon": "nan"}, "is no number from -180 to 180"),
        ({"lat": ""}, "lat: is missing"),
        ({"azimuth": "361"}, "is no number from 0 to 360"),
        ({"lat": "<script>"}, "&lt;script&gt;"),
        ({"more": "x" * 5_000}, "form: is too large"),
    ],
)
def test_what_cannot_be_read_is_named(desk: Desk, told: dict[str, str], words: str) -> None:
    answer = post(desk, **told)
    assert answer.status_code == 422
    assert words in answer.text
    assert "<script>" not in answer.text


def test_bytes_that_are_no_form() -> None:
    for body in (b"\xff", b"&".join(b"a=1" for _ in range(50)), b""):
        with pytest.raises(InputError):
            read_form(body)
    words, ago_min, azimuth, place = read_form(urlencode({"kind": "light"}).encode())
    assert (words, ago_min, azimuth[1]) == ("a light that moved like a drone", 0.0, 22.5)
    assert azimuth[0] != azimuth[0]
    assert place[0] != place[0]
    assert read_form(b"kind=light&direction=45")[2] == (45.0, 22.5)
    assert read_form(b"kind=light&direction=45&azimuth=50")[2] == (50.0, 15.0)


def test_who_reports_too_often_waits(desk: Desk) -> None:
    for _ in range(room.MOST_OF_ONE):
        assert post(desk).status_code == 200
    answer = post(desk)
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "600")
    assert desk.get("/v1/sightings", OFFICER).json()["refused"] == 1


def test_limits_of_one_of_all_and_of_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "MOST_OF_ALL", 8)
    monkeypatch.setattr(room, "MOST_ADDRESSES", 3)
    limits = Limits()
    assert [limits.take("a", 0.0) for _ in range(7)] == [True] * 6 + [False]
    assert [limits.take(name, 1.0) for name in "bcd"] == [True, True, False]
    assert len(limits._of) == 3
    assert limits.take("b", 599.0) is False
    assert limits.take("b", 600.0) is True
    assert limits.refused == 3


def test_a_guard_reports_in_words(desk: Desk) -> None:
    told = {"words": "two lights over the yard", "azimuth_deg": 10.0, "seconds_ago": 30.0}
    assert desk.request("POST", "/v1/sightings", READER, json=told).status_code == 403
    answer = desk.request("POST", "/v1/sightings", PATROL, json=told)
    assert answer.status_code == 200
    (kept,) = desk.get("/v1/sightings", OFFICER).json()["sightings"]
    assert kept["words"] == "two lights over the yard (told by B. Patrol)"
    assert (kept["lat_deg"], kept["azimuth_deg"]) == (None, 10.0)
    half = desk.request("POST", "/v1/sightings", OFFICER, json=told | {"lat_deg": 49.0})
    assert half.status_code == 422


def test_the_site_file_switches_it_on(tmp_path: Path) -> None:
    file = tmp_path / "site.json"
    head = '{"authority": "c", "name": "n", "origin": {"lat_deg": 1, "lon_deg": 1, '
    said = '"height_hae_m": 1}, "public": {"sightings": {"sensor": "people", "legal_basis": "art."'
    file.write_text(head + said + ', "retention": "30 days"}}}')
    assert read_public(file).sightings == SightingSettings(PEOPLE.sensor_id, "art.", "30 days")
    file.write_text(head + said + "}}}")
    with pytest.raises(InputError, match="retention"):
        read_public(file)
