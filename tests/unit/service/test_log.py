"""The log: JSON lines that say what happened, and never who, with which token, or what."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

import pytest

from skykeep.codec.ed318_write import write_ed318
from skykeep.errors import InputError
from skykeep.service import log
from skykeep.service import writer as room
from skykeep.service.log import JsonLines, configure_logs
from skykeep.service.tokens import digest_of
from tests.desk import OFFICER, RADAR_TOKEN, READER, Desk
from tests.sky import SERIAL, claim_of, claims, plots, zone_named
from tests.unit.service.line import Line
from tests.unit.service.test_routes import DRONE_AT
from tests.unit.service.watched import beats, watched

__all__ = ["watched"]


@contextmanager
def configured(*level: str) -> Iterator[logging.Handler]:
    """The log as the service sets it up, until it is as it was."""
    root, ours = logging.getLogger(), logging.getLogger(log.OURS)
    before, levels = list(root.handlers), (root.level, ours.level)
    configure_logs(*level)
    (handler,) = root.handlers
    try:
        yield handler
    finally:
        root.handlers[:] = before
        root.setLevel(levels[0])
        ours.setLevel(levels[1])


def caught(handler: logging.Handler) -> io.StringIO:
    """What it would write to stderr."""
    assert isinstance(handler, logging.StreamHandler)
    stream = io.StringIO()
    handler.setStream(stream)
    return stream


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    """The log at its most talkative."""
    with configured("info") as handler:
        yield caught(handler)


def said(lines: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in lines.getvalue().splitlines()]


def test_every_request_is_a_line_of_its_own(watched: Desk, lines: io.StringIO) -> None:
    watched.get("/v1/incidents/I0007?secret=1")
    watched.get("/v1/tracks", "no such token")
    watched.get("/somewhere/else?secret=2", None)
    watched.get("/health", None)
    requests = [line for line in said(lines) if line["event"] == "http.request"]
    assert [(r["method"], r["route"], r["status"]) for r in requests] == [
        ("GET", "/v1/incidents/{incident_id}", 404), ("GET", "none", 401), ("GET", "none", 404),
        ("GET", "/health", 200),
    ]  # fmt: skip
    first = requests[0]
    assert first["level"] == "info"
    assert first["time"].endswith("Z")
    assert first["duration_ms"] >= 0
    assert (first["role"], first["token"]) == ("watch_officer", digest_of(OFFICER)[:8])
    assert "role" not in requests[1]


def test_no_line_names_anybody(
    watched: Desk, lines: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = watched
    desk.command("publish_zone", write_ed318([zone_named(message="Prinz Charming")]))
    desk.send(plots(1.0, DRONE_AT))
    desk.send(claims(1.0, (claim_of(), DRONE_AT)), "rid")
    desk.command("acknowledge_alert", {"alert_id": "A Weber's alert"})
    desk.get("/v1/zones?who=Charming", READER)
    with Line(desk, "/v1/live").opened() as line:
        line.say({"token": READER})
        line.topic("tracks")
    with Line(desk, "/v1/ingest", RADAR_TOKEN).opened() as line:
        line.say('{"batch_id": "Charming", "observations": [Charming]}')
        line.answer()
    monkeypatch.setattr(room, "QUEUE_JOBS", 0)
    desk.send(plots(2.0, DRONE_AT))
    beats(desk)
    monkeypatch.undo()

    def broken(*_: Any) -> NoReturn:
        raise KeyError("Charming", SERIAL)

    recorded = desk.writer.look()
    assert recorded is not None
    monkeypatch.setattr(recorded.runtime.airspace, "receive", broken)
    assert desk.send(plots(2.0, DRONE_AT)).status_code == 503
    monkeypatch.undo()
    while desk.send(plots(2.0, DRONE_AT)).status_code != 200:
        pass
    text = lines.getvalue()
    for secret in ("Charming", SERIAL, "Weber", "Eader", "receiver", digest_of(OFFICER)):
        assert secret not in text, secret
    found = {line["event"]: line for line in said(lines)}
    assert {"http.request", "socket.open", "socket.close", "load.shed", "record.trouble",
            "record.reopened", "service.fault"} == set(found)  # fmt: skip
    assert (found["socket.close"]["route"], found["socket.close"]["role"]) == (
        "/v1/ingest", "sensor"
    )  # fmt: skip
    assert found["load.shed"]["requests"] == 1
    fault = found["service.fault"]
    assert (fault["error"], fault["level"]) == ("KeyError", "error")
    assert any(place.endswith(" broken") for place in fault["where"])


def test_other_peoples_lines_are_cut_to_what_cannot_quote(lines: io.StringIO) -> None:
    record = logging.LogRecord(
        "asyncio", logging.ERROR, "x.py", 1, "Task failed\nfuture: %s", ("Charming",), None
    )
    told = json.loads(JsonLines().format(record))
    assert (told["event"], told["logger"]) == ("Task failed", "asyncio")
    logging.getLogger("uvicorn.error").info("WebSocket /v1/live?token=1 [accepted]")
    assert lines.getvalue() == ""


def test_by_default_only_trouble_is_told(watched: Desk) -> None:
    with configured() as handler:
        stream = caught(handler)
        watched.get("/v1/tracks")
        log.event(logging.WARNING, "load.shed", requests=3)
    assert [line["event"] for line in said(stream)] == ["load.shed"]


def test_a_level_that_is_none() -> None:
    with pytest.raises(InputError, match="loud"):
        configure_logs("loud")


def test_nothing_is_written_to_where_the_answers_go(capsys: pytest.CaptureFixture[str]) -> None:
    with configured("info"):
        log.event(logging.INFO, "service.start", version="1")
    captured = capsys.readouterr()
    assert captured.out == ""
    assert json.loads(captured.err)["version"] == "1"
