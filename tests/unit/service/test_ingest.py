"""Batches over a WebSocket: the same as posting them, in order, each answered."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from skykeep.commands.recompute import recompute
from skykeep.service import ingest, web_socket
from skykeep.service import writer as room
from tests.desk import OFFICER, RADAR_TOKEN, RECEIVER_TOKEN, TOKENS, Desk, posted
from tests.sky import at, plots
from tests.unit.service.line import Line

PLACE = (100.0, 0.0, 80.0)
PATH = "/v1/ingest"


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path)
    made.clock.now_ns = at(1.0)
    yield made
    made.close()
    assert recompute(tmp_path / "data").faults == []


def body(name: str, *places: Any) -> dict[str, Any]:
    return posted(plots(1.0, *(places or (PLACE,)))) | {"batch_id": name}


def test_answers_come_in_order_and_say_what_a_post_says(desk: Desk) -> None:
    with Line(desk, PATH, RADAR_TOKEN).opened() as line:
        for number in range(3 * ingest.IN_FLIGHT):
            line.say(body(f"b{number}"))
        answers = [line.answer() for _ in range(3 * ingest.IN_FLIGHT)]
    assert [a["batch_id"] for a in answers] == [f"b{n}" for n in range(3 * ingest.IN_FLIGHT)]
    entries = [a["entry"] for a in answers]
    assert entries == sorted(set(entries))
    assert desk.post(body("b7")).json() == answers[7] | {"repeated": True}
    assert desk.writer.size > max(entries)


def test_a_bad_message_costs_neither_its_neighbours_nor_the_line(desk: Desk) -> None:
    odd = body("odd", PLACE, PLACE)
    odd["observations"][0]["position"]["lat_deg"] = 100.0
    foreign = json.loads(json.dumps(body("foreign")).replace('"radar"', '"rid"'))
    bad: list[tuple[Any, int, str, str | None]] = [
        ("{", 422, "$", None),
        (b"\xff\xfe", 422, "$", None),
        ("[" * 100_000, 422, "$", None),
        ({"batch_id": "none", "observations": []}, 422, "$.sensor", "none"),
        (foreign, 403, "$.observations[0].sensor", "foreign"),
    ]
    with Line(desk, PATH, RADAR_TOKEN).opened() as line:
        line.say(body("first"))
        for message, *_ in bad:
            line.say(message)
        line.say(json.dumps(odd).encode())
        line.say(body("last"))
        assert line.answer()["batch_id"] == "first"
        for _, status, where, name in bad:
            said = line.answer()
            assert (said["status"], said["where"], said.get("batch_id")) == (status, where, name)
            assert said["problem"]
            assert said["mend"]
        said = line.answer()
        assert (said["batch_id"], said["rejected"][0]["row"]) == ("odd", 0)
        assert line.answer()["repeated"] is False


def test_the_token_may_come_in_the_first_message(desk: Desk) -> None:
    with Line(desk, PATH).opened() as line:
        line.say({"token": RADAR_TOKEN})
        line.say(body("b1"))
        assert line.answer()["batch_id"] == "b1"


@pytest.mark.parametrize(("token", "code"), [("wrong", 4401), (OFFICER, 4403)])
def test_only_a_sensor_may_send(desk: Desk, token: str, code: int) -> None:
    with Line(desk, PATH, token).opened() as line:
        assert line.closed() == code


def test_a_sensor_speaks_for_itself_only(desk: Desk) -> None:
    with Line(desk, PATH, RECEIVER_TOKEN).opened() as line:
        line.say(body("b1"))
        assert line.answer()["status"] == 403


def test_a_token_that_is_taken_back_ends_the_line_at_the_next_batch(
    desk: Desk, tmp_path: Path
) -> None:
    with Line(desk, PATH, RADAR_TOKEN).opened() as line:
        line.say(body("b1"))
        assert line.answer()["batch_id"] == "b1"
        (tmp_path / "tokens.json").write_bytes(b'{"tokens": []}')
        line.say(body("b2"))
        assert line.closed() == 4401
    (tmp_path / "tokens.json").write_bytes(TOKENS)
    assert desk.post(body("b2")).json()["repeated"] is False


def test_a_message_that_is_too_large_ends_the_line(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ingest, "MAX_BODY_BYTES", 10_000)
    with Line(desk, PATH, RADAR_TOKEN, door=True).opened() as line:
        assert line.door is not None
        line.say(body("b1"))
        assert line.answer()["batch_id"] == "b1"
        assert line.door.limits == [web_socket.FIRST_MESSAGE_BYTES, 10_000]
        line.say(b" " * 10_001)
        assert line.closed() == 1009


def test_what_cannot_be_taken_now_is_answered_so(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Line(desk, PATH, RADAR_TOKEN).opened() as line:
        monkeypatch.setattr(room, "QUEUE_JOBS", 0)
        line.say(body("b1"))
        said = line.answer()
        assert (said["status"], said["batch_id"]) == (503, "b1")
        monkeypatch.undo()
        monkeypatch.setattr(ingest, "MAX_BUFFERED_BYTES", 10)
        line.say(body("b1"))
        assert "too many large batches" in line.answer()["problem"]
        monkeypatch.undo()
        line.say(body("b1"))
        assert line.answer()["repeated"] is False


def test_whoever_goes_away_meanwhile_loses_only_the_answer(desk: Desk) -> None:
    with Line(desk, PATH, RADAR_TOKEN).opened() as line:
        for number in range(5):
            line.say(body(f"b{number}"))
    assert all(desk.post(body(f"b{number}")).json()["repeated"] for number in range(5))


def test_a_fault_that_nobody_foresaw_costs_one_answer(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> None:
        raise KeyError("x")

    with Line(desk, PATH, RADAR_TOKEN).opened() as line:
        monkeypatch.setattr("skykeep.service.batches.decode_posted", broken)
        line.say(body("b1"))
        assert line.answer()["status"] == 503
        monkeypatch.undo()
        line.say(body("b1"))
        assert line.answer()["repeated"] is False
