"""Who looked at what points to a person: every route that shows it, and how much is written."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from skykeep.cli import main
from skykeep.codec import entries
from skykeep.codec.ed318_write import write_ed318
from skykeep.codec.permits import encode_permits
from skykeep.commands.recompute import recompute
from skykeep.core.event import Actor, Looked
from skykeep.record.entry import read_leaf
from skykeep.runtime import Recorded
from skykeep.service.hub import PERSONAL
from skykeep.service.looks import Looks, looks_in
from skykeep.service.writer import UnavailableError
from tests.desk import EVIDENCE, OFFICE, OFFICER, READER, RECEIVER_TOKEN, Desk
from tests.sky import CITY, SERIAL, SITE, at, claim_of, claims, permit_named, plots, zone_named
from tests.unit.service.line import Line
from tests.unit.service.watched import beats, watched

__all__ = ["watched"]

HOUR_S = 3_600.0
WEBER, EADER = "A. Weber", "R. Eader"

#: Every route that answers a question: who asks, how, and what is written down of it, if anything.
#: A route that is not here fails the test below: whoever adds one decides which it is.
ROUTES: dict[str, tuple[str, str, str | None]] = {
    "/v1/tracks": (OFFICER, "/v1/tracks", "tracks"),
    "/v1/alerts": (OFFICER, "/v1/alerts", "alerts"),
    "/v1/observations": (
        OFFICER, "/v1/observations?from=2026-09-12T21:48:00Z&to=2026-09-12T21:49:00Z&sensor=rid",
        "observations of rid, 2026-09-12 21h to 2026-09-12 21h UTC",
    ),
    "/v1/incidents/{incident_id}": (OFFICER, "/v1/incidents/I0001", "incident I0001"),
    "/v1/incidents/{incident_id}/dossier": (
        OFFICER, "/v1/incidents/I0001/dossier", "dossier of incident I0001",
    ),
    "/v1/permits": (OFFICE, "/v1/permits", "permits"),
    "/v1/exemptions": (OFFICE, "/v1/exemptions", "permits"),
    "/v1/permits/history": (OFFICE, "/v1/permits/history?permit_id=P1", "permit P1"),
    "/v1/permits/card": (OFFICE, "/v1/permits/card?permit_id=P1", "permit P1"),
    "/v1/receipts/{entry}": (RECEIVER_TOKEN, "/v1/receipts/1", "receipts of rid"),
    # These show nobody but the authority's own people, if anybody.
    "/v1/looks": (EVIDENCE, "/v1/looks", None),
    "/v1/permits/due": (OFFICE, "/v1/permits/due", None),
    "/v1/exemptions/flights": (OFFICE, "/v1/exemptions/flights", None),
    "/v1/incidents": (OFFICER, "/v1/incidents", None),
    "/v1/handovers": (OFFICER, "/v1/handovers", None),
    "/v1/recipients": (OFFICER, "/v1/recipients", None),
    "/v1/me": (OFFICER, "/v1/me", None),
    "/v1/rights": (OFFICER, "/v1/rights", None),
    "/v1/sightings": (OFFICER, "/v1/sightings", "reports"),
    "/v1/warnings": (OFFICER, "/v1/warnings", None),
    "/v1/history/observations": (OFFICER, "/v1/history/observations", None),
    "/v1/history/tracks": (OFFICER, "/v1/history/tracks", None),
    "/v1/sensors": (OFFICER, "/v1/sensors", None),
    "/v1/coverage": (
        OFFICER, "/v1/coverage?from=2026-09-12T21:48:00Z&to=2026-09-12T21:49:00Z", None,
    ),
    "/v1/feeds": (OFFICER, "/v1/feeds", None),
    "/v1/zones": (OFFICER, "/v1/zones", None),
    "/v1/zones/at": (OFFICER, "/v1/zones/at?at=2026-09-12T21:48:00Z", None),
    "/v1/zones/versions": (OFFICER, "/v1/zones/versions?zone_id=Z1", None),
    "/v1/zones/pending": (OFFICER, "/v1/zones/pending", None),
    "/metrics": (OFFICER, "/metrics", None),
}  # fmt: skip
#: Open to everybody, or a page of one holder, tested by itself.
OPEN = ("/permit/", "/health", "/checkpoint", "/public")


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """For tests that leave nothing behind but looks; each begins in an hour of its own."""
    yield from flown_desk(tmp_path_factory.mktemp("shared"))


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    yield from flown_desk(tmp_path)


def flown_desk(folder: Path) -> Iterator[Desk]:
    made = Desk(folder)
    flown(made)
    yield made
    made.close()
    assert recompute(folder / "data").faults == []


def flown(desk: Desk) -> None:
    """An intruder with a name, its incident, a permit."""
    desk.command("publish_zone", write_ed318([zone_named()]))
    said = desk.command("put_permit", encode_permits(CITY, [permit_named()]), OFFICE)
    assert said.status_code == 200, said.text
    for second in range(1, 8):
        desk.clock.now_ns = at(second)
        desk.send(plots(second, (100.0, 0.0, 80.0)))
        desk.send(
            claims(second, (claim_of("SKV18OTHER7777777"), (100.0, 0.0, 80.0))), RECEIVER_TOKEN
        )
        desk.clock.now_ns = at(second + 0.3)
        desk.get("/v1/sensors")
    opened = desk.command("open_incident", {"title": "a drone", "alerts": ["A00001"]})
    assert opened.status_code == 200, opened.text


def looks_of(desk: Desk) -> list[Looked]:
    recorded = desk.writer.look()
    assert recorded is not None
    return list(looks_in(recorded.store, 0, 1 << 62))


def written(desk: Desk) -> int:
    recorded = desk.writer.look()
    assert recorded is not None
    return sum(read_leaf(p.leaf).kind == entries.LOOK for p in recorded.store.entries())


def test_every_route_is_known_for_what_it_shows(shared: Desk) -> None:
    desk = shared
    asked = {p for p, routes in desk.app.openapi()["paths"].items() if "get" in routes}
    told = {p for p in asked if p.startswith("/v1/") or p == "/metrics"}
    assert told == set(ROUTES)
    assert all(p.startswith(OPEN) for p in asked - told), asked - told
    assert {topic for _, topic in PERSONAL} == {"alerts", "permits", "reports"}


@pytest.mark.parametrize("path", sorted(ROUTES))
def test_a_look_is_in_the_record_before_the_answer(shared: Desk, path: str) -> None:
    desk, (token, url, subject) = shared, ROUTES[path]
    desk.clock.on(HOUR_S)
    before, known = written(desk), looks_of(desk)
    answer = desk.get(url, token)
    # The card's key and the published head are not set up here; the look comes before them.
    assert answer.status_code in {200, 503, 409}, answer.text
    names = (b"SKV18", b"Survey Ltd")
    if subject is None:
        assert written(desk) == before
        assert not any(name in answer.content for name in names)
        return
    (look,) = looks_of(desk)[len(known) :]
    assert (look.subject, look.times, look.purpose) == (subject, 1, "")
    assert (look.from_ns, look.until_ns) == (desk.clock.now_ns, desk.clock.now_ns)
    role = {OFFICER: "watch_officer", OFFICE: "permit_officer", RECEIVER_TOKEN: "sensor"}[token]
    assert look.actor.role == role


@pytest.mark.parametrize("path", ["/v1/tracks", "/v1/alerts", "/v1/observations"])
def test_who_is_shown_no_names_is_not_written_down(shared: Desk, path: str) -> None:
    shared.clock.on(HOUR_S)
    before = written(shared)
    answer = shared.get(ROUTES[path][1], READER)
    assert answer.status_code == 200
    assert b"SKV18" not in answer.content
    assert written(shared) == before


def test_a_page_that_asks_all_day_makes_two_entries_an_hour(desk: Desk) -> None:
    start = written(desk)
    desk.clock.now_ns = at(720.0)  # 22:00
    for _ in range(50):
        desk.clock.on(60.0)
        assert desk.get("/v1/tracks").status_code == 200
    assert written(desk) == start + 1
    desk.clock.on(HOUR_S)
    desk.get("/v1/tracks")
    desk.loop.run_until_complete(desk.app.state.looks.settle())
    assert written(desk) == start + 3  # the hour's first, its count, the next hour's first
    first, second = looks_of(desk)
    assert (first.times, second.times) == (50, 1)
    assert first.until_ns - first.from_ns == round(49 * 60 * 1e9)
    assert first.until_ns < second.from_ns


def test_other_people_subjects_and_purposes_are_apart(desk: Desk) -> None:
    for purpose in ("", "case 7", "case 7", " case 8 ", "x" * 500):
        desk.request("GET", "/v1/tracks", OFFICER, headers={"Skykeep-Purpose": purpose})
    desk.get("/v1/alerts")
    found = [(s.subject, s.purpose) for s in looks_of(desk)]
    assert found == [
        ("tracks", ""), ("tracks", "case 7"), ("tracks", "case 8"), ("tracks", "x" * 200),
        ("alerts", ""),
    ]  # fmt: skip
    desk.loop.run_until_complete(desk.app.state.looks.settle(all_of_them=True))
    assert [s.times for s in looks_of(desk)] == [1, 2, 1, 1, 1]
    told = desk.get("/v1/looks", EVIDENCE).json()
    assert told["more"] == 0
    assert told["looks"][1] == {
        "name": WEBER, "role": "watch_officer", "subject": "tracks", "purpose": "case 7",
        "times": 2, "first": "2026-09-12T21:48:07.300Z", "last": "2026-09-12T21:48:07.300Z",
    }  # fmt: skip
    span = "/v1/looks?from=2026-09-12T00:00:00Z&to=2026-09-12T21:48:07Z"
    assert desk.get(span, EVIDENCE).json()["looks"] == []
    for token in (OFFICER, OFFICE, READER):
        assert desk.get("/v1/looks", token).status_code == 403


def test_the_secret_page_of_a_permit_names_its_link_and_no_person(desk: Desk) -> None:
    secret = desk.app.state.outbox.keys.secret_of("P1")
    answer = desk.get(f"/permit/{secret}/P1", None)
    assert answer.status_code == 200, answer.text
    (look,) = looks_of(desk)
    assert look.actor == Actor("link of P1", "holder")
    assert look.subject == "permit P1"


def test_a_record_that_does_not_take_the_look_shows_nothing(desk: Desk) -> None:
    desk.writer.problem = "the disk is full"
    assert desk.get("/v1/tracks").status_code == 503
    desk.writer.problem = ""
    assert looks_of(desk) == []
    assert desk.get("/v1/tracks").status_code == 200
    assert len(looks_of(desk)) == 1


def test_a_look_that_failed_is_tried_again(desk: Desk) -> None:
    looks: Looks = desk.app.state.looks

    async def twice() -> None:
        failed: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        failed.set_exception(UnavailableError("the record did not take it"))
        submit, desk.writer.submit = desk.writer.submit, lambda *_, **__: failed  # type: ignore[method-assign]
        with pytest.raises(UnavailableError):
            await looks.note(Actor("N. Obody", "watch_officer"), "tracks")
        desk.writer.submit = submit  # type: ignore[method-assign]
        await looks.note(Actor("N. Obody", "watch_officer"), "tracks")

    desk.loop.run_until_complete(twice())
    assert [(s.actor.name, s.times) for s in looks_of(desk)] == [("N. Obody", 1)]


def test_the_live_stream_is_a_look_an_hour(watched: Desk) -> None:
    flown(watched)
    beats(watched)
    with Line(watched, "/v1/live", OFFICER).opened() as line:
        line.topic("alerts")
        line.topic("permits")
    with Line(watched, "/v1/live", READER).opened() as line:
        line.topic("alerts")
    subjects = {(s.actor.name, s.subject) for s in looks_of(watched)}
    assert {(WEBER, "live stream: alerts"), (WEBER, "live stream: permits")} <= subjects
    assert not any(name == EADER for name, _ in subjects)
    before = written(watched)
    with Line(watched, "/v1/live", OFFICER).opened() as line:
        line.topic("alerts")
        assert written(watched) == before  # within the hour it is counted
        watched.clock.on(HOUR_S)
        watched.command("put_permit", encode_permits(CITY, [permit_named("P2")]), OFFICE)
        while len(line.topic("permits")["permits"]) < 2:
            pass
        watched.get("/v1/sensors")
    assert written(watched) > before


def test_the_commands_on_a_folder_are_written_down_and_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "data"
    recorded = Recorded(folder, SITE)
    recorded.take(
        [Looked(Actor("A. Weber", "watch_officer"), "tracks", "case 7", at(0.0), at(0.0), 1)]
    )
    recorded.take(
        [Looked(Actor("A. Weber", "watch_officer"), "tracks", "case 7", at(0.0), at(9.0), 5)]
    )
    recorded.close()
    assert main(["incident", "list", str(folder), "--json"]) == 0
    assert main(["incident", "list", str(folder)]) == 0
    capsys.readouterr()
    assert main(["looks", str(folder), "--to", "2026-09-13T00:00:00Z"]) == 0
    assert capsys.readouterr().out == (
        "2026-09-12 21:48:00 to 21:48:09 UTC, 5 times  A. Weber, watch_officer: tracks (case 7)\n"
    )
    assert main(["looks", str(folder), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [s["subject"] for s in found] == ["tracks", "incidents"]
    assert found[1]["role"] == "keeper of the folder"
    assert recompute(folder).faults == []
    assert SERIAL.encode() not in json.dumps(found).encode()
