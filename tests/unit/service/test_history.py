"""The history of a running site: kept behind the record, asked by those who may."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from skykeep.codec.moment import format_moment
from skykeep.core.retention import EraseKeys
from skykeep.service import history as room
from skykeep.service.history import Keeper
from tests.desk import EVIDENCE, OFFICE, OFFICER, RADAR_TOKEN, READER, RECEIVER_TOKEN, Desk
from tests.sky import OFFICER as NAMED
from tests.sky import SERIAL, at, claim_of, claims, plots

PLACES = [(100.0 * i, -50.0 * i, 80.0) for i in range(5)]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path)
    for second in range(1, 9):
        made.clock.now_ns = at(second)
        made.send(plots(second, *PLACES))
        made.send(claims(second, (claim_of(), PLACES[1])), RECEIVER_TOKEN)
        made.clock.now_ns = at(second + 0.3)
        made.get("/v1/sensors")
    yield made
    made.loop.run_until_complete(keeper(made).close())
    made.close()


def keeper(desk: Desk) -> Keeper:
    kept: Keeper = desk.app.state.history
    return kept


def keep(desk: Desk) -> None:
    desk.loop.run_until_complete(keeper(desk).round(flush=True))


def ask(desk: Desk, kind: str, serial: str | None = None, **query: Any) -> dict[str, Any]:
    headers = {} if serial is None else {"Serial": serial}
    path = f"/v1/history/{kind}?{urlencode(query)}"
    answer = desk.request("GET", path, OFFICER, headers=headers)
    assert answer.status_code == 200, answer.text
    page: dict[str, Any] = answer.json()
    return page


def pages(desk: Desk, kind: str, **query: Any) -> list[dict[str, Any]]:
    page, found = ask(desk, kind, **query), []
    for _ in range(100):
        found += page["rows"]
        if page["next"] is None:
            return found
        page = ask(desk, kind, cursor=page["next"], **query)
    raise AssertionError("it does not end")


def test_it_says_what_the_record_says(desk: Desk) -> None:
    assert ask(desk, "observations") == {"rows": [], "next": None, "reaches": 0, "problem": ""}
    keep(desk)
    found = ask(desk, "observations", limit=1_000)
    assert (len(found["rows"]), found["next"]) == (8 * 6, None)
    assert found["reaches"] == desk.writer.size
    direct = desk.get("/v1/observations?limit=1000").json()["observations"]
    own = {(o["entry"], o["row"]): o for o in direct}
    assert len(own) == len(found["rows"])
    for row in found["rows"]:
        seen = own[row["entry"], row["row"]]
        assert (row["sensor"], row["batch_id"]) == (seen["sensor"], seen["batch_id"])
        assert row["at"] == seen["event_time"]
        place = seen["place"]
        assert (row["lat_deg"], row["lon_deg"]) == (place["lat_deg"], place["lon_deg"])
        assert row["height_m"] == pytest.approx(place["height_m"], abs=1e-3)


@pytest.mark.parametrize("limit", [5, 48])
def test_pages_and_filters(desk: Desk, limit: int) -> None:
    keep(desk)
    whole = ask(desk, "observations", limit=1_000)["rows"]
    assert pages(desk, "observations", limit=limit) == whole
    only = pages(desk, "observations", limit=limit, sensor="rid")
    assert only == [r for r in whole if r["sensor"] == "rid"]
    span = {"from": format_moment(at(2.0)), "to": format_moment(at(4.0))}
    assert pages(desk, "observations", limit=limit, **span) == [
        r for r in whole if at(2.0) <= r["at_ns"] < at(4.0)
    ]
    lat, lon = whole[0]["lat_deg"], whole[0]["lon_deg"]
    box = f"{lat - 1e-4},{lon - 1e-4},{lat + 1e-4},{lon + 1e-4}"
    near = [r for r in whole if abs(r["lat_deg"] - lat) <= 1e-4 and abs(r["lon_deg"] - lon) <= 1e-4]
    assert 0 < len(near) < len(whole)
    assert pages(desk, "observations", limit=limit, box=box) == near
    states = pages(desk, "tracks", limit=limit)
    track = states[0]["track_id"]
    own = [s for s in states if s["track_id"] == track]
    assert pages(desk, "tracks", limit=limit, track=track) == own
    refs = {ref for s in own for ref in s["observations"]}
    rested = pages(desk, "observations", limit=limit, track=track)
    assert {f"{r['batch_id']}/{r['row']}" for r in rested} == refs


def test_a_serial_is_for_officers_and_each_look_is_written_down(desk: Desk) -> None:
    keep(desk)
    for kind in ("observations", "tracks"):
        path = f"/v1/history/{kind}"
        for token, status in ((OFFICE, 403), (OFFICER, 200), (READER, 403), (RADAR_TOKEN, 403)):
            answer = desk.request("GET", path, token, headers={"Serial": SERIAL})
            assert answer.status_code == status, (kind, token)
    found = ask(desk, "observations", SERIAL)["rows"]
    assert [r["sensor"] for r in found] == ["rid"] * 8
    assert {r["track_id"] for r in ask(desk, "tracks", SERIAL)["rows"]}
    assert ask(desk, "observations", "NOBODY")["rows"] == []
    looks = desk.get("/v1/looks", EVIDENCE).json()["looks"]
    subjects = [look["subject"] for look in looks]
    assert any(s.startswith("history of one serial number, 2026-09-") for s in subjects)
    assert SERIAL not in str(subjects)
    recorded = desk.writer.look()
    assert recorded is not None
    keys = tuple(recorded.store.sealing_keys())

    async def erase() -> None:
        await desk.writer.submit([EraseKeys(NAMED, keys, "its time is over")])

    desk.loop.run_until_complete(erase())
    assert ask(desk, "observations", SERIAL)["rows"] == []
    assert ask(desk, "tracks", SERIAL)["rows"] == []
    assert len(ask(desk, "observations", limit=1_000)["rows"]) == 48


def test_what_cannot_be_asked_says_so(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    for query, where in (
        ("from=yesterday", "query.from"), ("box=1,2,3", "query.box"), ("limit=0", "limit"),
        ("from=2026-09-13T00:00:00Z&to=2026-09-12T00:00:00Z", "query.from"), ("cursor=x", "cursor"),
    ):  # fmt: skip
        answer = desk.get(f"/v1/history/tracks?{query}")
        assert answer.status_code == 422, query
        assert where in answer.json()["where"], query
    monkeypatch.setattr(room, "QUESTIONS", 0)
    answer = desk.get("/v1/history/tracks")
    assert answer.status_code == 503
    assert "too many questions" in answer.json()["problem"]


def test_it_is_kept_while_the_site_runs_and_written_when_it_stops(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "LOOK_S", 0.01)
    monkeypatch.setattr(room, "PART_S", 0.0)
    own = keeper(desk)
    running = desk.loop.create_task(own.run())
    for second in range(9, 12):
        desk.clock.now_ns = at(second)
        desk.send(plots(second, *PLACES))
    while ask(desk, "observations")["reaches"] < desk.writer.size - 3:
        desk.clock.on(0.2)
    monkeypatch.setattr(room, "PART_S", 1e9)
    desk.clock.now_ns = at(20.0)
    desk.send(plots(20.0, *PLACES))
    own.stop()
    desk.loop.run_until_complete(running)
    assert own.problem == ""
    assert len(pages(desk, "observations")) >= 8 * 6 + 3 * 5


def test_who_asks_has_what_is_new(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    keep(desk)
    desk.clock.now_ns = at(20.0)
    desk.send(plots(20.0, *PLACES))
    assert len(ask(desk, "observations")["rows"]) == 48
    monkeypatch.setattr(room, "FRESH_S", 0.0)
    assert len(ask(desk, "observations")["rows"]) == 48 + len(PLACES)


def test_a_history_that_cannot_be_written_is_told_and_tried_again(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "LOOK_S", 0.01)
    monkeypatch.setattr(room, "PART_S", 0.0)
    own = keeper(desk)
    blocked = desk.writer.folder / "history"
    blocked.write_text("in the way")
    running = desk.loop.create_task(own.run())
    while not own.problem:
        desk.get("/v1/sensors")
    assert "history cannot be read or written" in own.problem
    blocked.unlink()
    while own.problem or not ask(desk, "observations")["rows"]:
        desk.clock.on(0.2)
        desk.get("/v1/sensors")
    own.stop()
    desk.loop.run_until_complete(running)
