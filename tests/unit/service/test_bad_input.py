"""Whatever comes in: a clear word that names the field, never a trace, the good kept."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from skykeep.codec.posted import MAX_ROWS
from skykeep.commands.recompute import recompute
from skykeep.service.guard import MAX_BODY_BYTES
from tests.desk import OFFICE, OFFICER, RADAR_TOKEN, RECEIVER_TOKEN, Desk, posted
from tests.sky import START_NS, at, plots
from tests.unit.service.test_routes import MAY

PLACE = (100.0, 0.0, 80.0)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path)
    made.clock.now_ns = at(1.0)
    yield made
    made.close()
    assert recompute(tmp_path / "data").faults == []


def good(name: str = "good", *places: Any) -> dict[str, Any]:
    return posted(plots(1.0, *(places or (PLACE,)))) | {"batch_id": name}


def refused(answer: httpx.Response, status: int, where: str, words: str) -> None:
    assert answer.status_code == status, answer.text
    said = answer.json()
    assert set(said) == {"where", "problem", "mend"}
    assert where in said["where"], said
    assert words in said["problem"], said
    assert said["mend"]
    assert "Traceback" not in answer.text


def taken(desk: Desk, name: str = "good") -> None:
    """A good batch is taken as if nothing had happened."""
    answer = desk.post(good(name))
    assert answer.status_code == 200, answer.text
    assert answer.json() | {"entry": 0} == {
        "batch_id": name, "entry": 0, "repeated": False, "rejected": []
    }  # fmt: skip


BROKEN: dict[str, tuple[bytes, str, str]] = {
    "no json": (b"{", "$", "broken JSON"),
    "nothing": (b"", "$", "broken JSON"),
    "no text": (b"\xff\xfe\x00", "$", "broken JSON"),
    "nan": (b'{"batch_id": "x", "observations": [NaN]}', "$", "broken JSON"),
    "deep": (b"[" * 100_000, "$", ""),
    "a list": (b"[]", "$", "Expected `object`"),
    "no id": (b'{"observations": []}', "$", "batch_id"),
    "id of a number": (b'{"batch_id": 4, "observations": []}', "$.batch_id", "Expected `str`"),
    "id too long": (json.dumps({"batch_id": "x" * 101, "observations": []}).encode(),
                    "$.batch_id", "length"),
    "misspelt": (b'{"batch_id": "x", "observation": []}', "$", "observation"),
    "rows of a number": (b'{"batch_id": "x", "observations": 3}', "$.observations", "array"),
    "nobody's nothing": (b'{"batch_id": "x", "observations": []}', "$.sensor", "missing"),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_a_body_that_is_no_batch(desk: Desk, name: str) -> None:
    body, where, words = BROKEN[name]
    refused(desk.post(body), 422, where, words)
    taken(desk)


def changed(field: str, value: Any) -> dict[str, Any]:
    row = good()["observations"][0]
    parts = field.split(".")
    inner = row
    for part in parts[:-1]:
        inner = inner[part]
    inner[parts[-1]] = value
    return row


FAULTY = {
    "time": (0, "$.time", "2000 to 2199"),
    "time ": ("1970-01-01T00:00:00Z", "$.time", "2000 to 2199"),
    "position.lat_deg": (91.0, "$.position.lat_deg", "<= 90"),
    "position.lon_deg": ("6.1", "$.position.lon_deg", "Expected `float`"),
    "position.sigma_east_m": (0.0, "$.position.sigma_east_m", "> 0"),
    "position.height_m": (None, "$.position", "not all there"),
    "kind.drone": (-1.0, "$.kind.drone", ">= 0"),
    "sensor": ("", "$.sensor", "length >= 1"),
    "colour": ("red", "$", "colour"),
}


@pytest.mark.parametrize("field", FAULTY)
def test_a_bad_row_is_named_and_the_good_ones_beside_it_are_kept(desk: Desk, field: str) -> None:
    value, where, words = FAULTY[field]
    body = good("mixed", PLACE, (500.0, 0.0, 80.0))
    body["observations"].insert(1, changed(field.strip(), value))
    answer = desk.post(body)
    assert answer.status_code == 200, answer.text
    (fault,) = answer.json()["rejected"]
    assert (fault["row"], fault["field"]) == (1, where)
    assert words in fault["problem"]
    recorded = desk.writer.look()
    assert recorded is not None
    batch = next(recorded.store.facts(p) for p in recorded.store.entries(answer.json()["entry"]))
    head = json.loads(batch[0])
    assert (head["rows"], len(head["findings"])) == (2, 1)


@pytest.mark.parametrize("field", FAULTY)
def test_a_batch_of_which_nothing_can_be_used_is_refused(desk: Desk, field: str) -> None:
    value, where, words = FAULTY[field]
    body = {"batch_id": "bad", "observations": [changed(field.strip(), value)]}
    refused(desk.post(body), 422, where.replace("$", "$.observations[0]", 1), words)
    taken(desk, "bad")  # nothing of it is in the record, so its id is free


def test_a_row_that_only_the_engine_can_judge_is_named_at_its_place(desk: Desk) -> None:
    body = good("old", PLACE, PLACE, PLACE)
    body["observations"][0] = changed("time", 0)
    body["observations"][2]["time"] = START_NS - 3_600 * 10**9
    answer = desk.post(body).json()
    assert [(r["row"], r["field"]) for r in answer["rejected"]] == [
        (0, "$.time"),
        (2, "event_time"),
    ]
    assert "before its receipt" in answer["rejected"][1]["problem"]


def test_rows_that_do_not_belong_together(desk: Desk) -> None:
    body = good("x", PLACE, PLACE)
    body["observations"][1]["sensor"] = "rid"
    refused(desk.post(body), 422, "$.observations[1].sensor", "in a batch of")
    body = good("x", PLACE, PLACE)
    del body["observations"][1]["position"], body["observations"][1]["kind"]
    body["observations"][1]["bearing"] = {"azimuth_deg": 1.0, "sigma_azimuth_deg": 1.0}
    refused(desk.post(body), 422, "$.observations[1]", "bearing in a batch of position")
    body = good("x", PLACE, PLACE)
    del body["observations"][1]["kind"]
    refused(desk.post(body), 422, "$.observations[1].kind", "some rows only")
    body = good("x") | {"observations": good()["observations"] * (MAX_ROWS + 1)}
    refused(desk.post(body), 422, "$.observations", f"more than {MAX_ROWS}")
    taken(desk)


def test_bad_rows_are_named_in_their_order(desk: Desk) -> None:
    body = good("x")
    body["observations"] += [changed("time", 0), changed("sensor", 3), changed("time", 1)]
    assert [fault["row"] for fault in desk.post(body).json()["rejected"]] == [1, 2, 3]


def test_many_bad_rows_are_counted(desk: Desk) -> None:
    body = good("x") | {"observations": [*good()["observations"], *[changed("time", 0)] * 150]}
    rejected = desk.post(body).json()["rejected"]
    assert len(rejected) == 101
    assert rejected[-1] == {"row": -1, "field": "$", "problem": "50 more rows cannot be used"}


def test_a_turn_in_which_nothing_was_seen_keeps_the_sensor_at_work(desk: Desk) -> None:
    empty = {"batch_id": "turn 1", "sensor": "radar", "observations": []}
    assert desk.post(empty).status_code == 200
    assert desk.get("/health", None).json()["sensors"]["radar"] == "working"
    other = empty | {"batch_id": "turn 2", "sensor": "rid"}
    refused(desk.post(other), 403, "sensor", "speaks for 'radar', not for 'rid'")


def test_the_same_batch_twice_is_once_in_the_record(desk: Desk) -> None:
    first = desk.post(good()).json()
    size = desk.writer.size
    desk.clock.on(0.05)
    spaced = json.dumps(good(), indent=3).encode()
    second = desk.post(spaced).json()
    assert second == first | {"repeated": True}
    assert desk.writer.size == size


def test_a_batch_id_twice_with_other_content_is_refused(desk: Desk) -> None:
    taken(desk)
    size = desk.writer.size
    refused(desk.post(good("good", (300.0, 0.0, 80.0))), 422, "batch_id", "with other content")
    with_fault = good()
    with_fault["observations"].append(changed("time", 0))
    refused(desk.post(with_fault), 422, "batch_id", "with other content")
    assert desk.writer.size == size
    taken(desk, "another")


def test_a_sensor_speaks_only_for_itself(desk: Desk) -> None:
    refused(desk.post(good(), RECEIVER_TOKEN), 403, "sensor", "speaks for 'rid', not for 'radar'")
    refused(desk.post(good(), OFFICER), 403, "/v1/batches", "has the role watch_officer")
    taken(desk)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": ""},
        {"Authorization": "Bearer"},
        {"Authorization": "Bearer wrong"},
        {"Authorization": "Basic radar"},
        {"Authorization": f"Bearer {RADAR_TOKEN}x"},
        {"Authorization": "Bearer \xe4"},
    ],
)
def test_without_a_known_token_nothing_is_said(desk: Desk, headers: dict[str, str]) -> None:
    raw = {k: v.encode("latin-1") for k, v in headers.items()}
    for path in ("batches", *(f"commands/{name}" for name in MAY)):
        answer = desk.request("POST", f"/v1/{path}", None, json=good(), headers=raw)
        refused(answer, 401, "header Authorization", "token")
        assert answer.headers["WWW-Authenticate"] == "Bearer"
    refused(desk.request("GET", "/v1/nothing", None, headers=raw), 401, "Authorization", "token")


def test_a_token_taken_out_of_the_file_stops_at_once(desk: Desk, tmp_path: Path) -> None:
    path = tmp_path / "tokens.json"
    kept = path.read_bytes()
    path.write_bytes(b"{ broken")
    refused(desk.post(good()), 401, "Authorization", "not known")
    assert desk.get("/health", None).status_code == 503
    path.write_bytes(b'{"tokens": [ ]}')
    refused(desk.post(good()), 401, "Authorization", "not known")
    path.unlink()
    refused(desk.post(good()), 401, "Authorization", "not known")
    path.write_bytes(kept)
    taken(desk)
    assert desk.get("/health", None).status_code == 200


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"\xff", b"[]", b"null", b"3", b'"x"', b"{}", b'{"alert_id": {}}', b"[" * 50_000,
     b'{"alert_id": "\\ud800", "incident_id": "\\ud800", "why": "x"}',
     b'{"alert_id": "' + b"x" * 5_000 + b'", "permit_id": 1e999}'],
    ids=["nothing", "cut", "no text", "list", "null", "number", "text", "empty", "type", "deep",
         "surrogate", "long"],
)  # fmt: skip
def test_a_command_that_cannot_be_read(desk: Desk, body: bytes) -> None:
    """Each command, at one desk: to set one up costs more than all of them."""
    for name in sorted(MAY):
        token = OFFICE if OFFICE in MAY[name] else OFFICER
        answer = desk.command(name, body, token)
        assert answer.status_code in (400, 422), (name, answer.text)
        assert set(answer.json()) == {"where", "problem", "mend"}, name


def test_a_field_that_does_not_fit_is_named(desk: Desk) -> None:
    parts = {
        "incident_id": "I1",
        "words": "w",
        "parts": [{"lat_deg": 99, "lon_deg": 0, "words": ""}],
    }
    refused(desk.command("file_report", parts), 422, "body.parts[0].lat_deg", "90")
    extra = {"alert_id": "A1", "actor": "somebody else"}
    refused(desk.command("acknowledge_alert", extra), 422, "body.actor", "not permitted")
    until = {"alert_id": "A1", "until": "tomorrow", "why": "x"}
    refused(desk.command("shelve_alert", until), 422, "body.until", "not a time")
    refused(desk.command("close_alert", b"{"), 422, "body", "broken JSON")
    refused(desk.get("/v1/alerts?closed=perhaps"), 422, "query.closed", "boolean")


def test_a_path_or_method_that_is_not_there(desk: Desk) -> None:
    refused(desk.get("/nothing"), 404, "/nothing", "nothing here")
    refused(
        desk.request("DELETE", "/v1/zones", OFFICER), 405, "/v1/zones", "history does not change"
    )


def test_a_body_that_is_too_large(desk: Desk) -> None:
    large = b" " * (MAX_BODY_BYTES + 1)
    refused(desk.post(large), 413, "body", "over 8000000 bytes")
    refused(desk.command("publish_zone", large), 413, "body", "over 8000000 bytes")
    refused(desk.command("assess", large), 413, "body", "over 8000000 bytes")
    taken(desk)
