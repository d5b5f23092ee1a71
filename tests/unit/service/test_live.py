"""The live stream: who hears what, when, and what a listener that does not read costs."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from skykeep.codec.ed318_write import write_ed318
from skykeep.codec.permits import encode_permits
from skykeep.core.permit import PermitState
from skykeep.service import hub as hub_room
from skykeep.service import web_socket
from skykeep.service.hub import TOPICS
from skykeep.units import NS_PER_MS
from tests.desk import (
    OFFICE,
    OFFICER,
    RADAR_TOKEN,
    READER,
    RECEIVER_TOKEN,
    TOKENS,
    Desk,
    posted,
)
from tests.sky import (
    CITY,
    FINDER,
    NOWHERE,
    SERIAL,
    Form,
    at,
    batch,
    claim_of,
    claims,
    permit_named,
    plots,
    sighting,
    zone_named,
)
from tests.unit.service.line import PATIENCE_S, Line
from tests.unit.service.watched import beats, hub_of, watched_all

__all__ = ["watched_all"]

PATH = "/v1/live"
PLACE = (100.0, 0.0, 80.0)
ZONES = write_ed318([zone_named()])
ALL = {*TOPICS}
HEARD_BY = {
    OFFICER: ALL,
    READER: ALL - {"permits", "handovers"},
    OFFICE: {"site", "zones", "sensors", "tracks", "permits", "service", "troubles"},
}


@pytest.fixture
def desk(watched_all: Desk) -> Desk:
    return watched_all


def fly(desk: Desk, first_s: int, last_s: int, named: bool = False) -> None:
    for second in range(first_s, last_s):
        desk.clock.now_ns = at(second)
        assert desk.send(plots(second, PLACE)).status_code == 200
        if named:
            heard = claims(second, (claim_of(), PLACE))
            assert desk.send(heard, RECEIVER_TOKEN).status_code == 200
        desk.clock.now_ns = at(second) + 300 * NS_PER_MS
        desk.get("/v1/sensors")


def first_words(line: Line, count: int) -> dict[str, dict[str, Any]]:
    """The first message of so many topics."""
    found: dict[str, dict[str, Any]] = {}
    while len(found) < count:
        message = line.message()
        found.setdefault(message["topic"], message)
    return found


@pytest.mark.parametrize("token", HEARD_BY)
def test_whoever_comes_hears_every_topic_that_is_theirs(desk: Desk, token: str) -> None:
    beats(desk)
    with Line(desk, PATH, token).opened() as line:
        found = first_words(line, len(HEARD_BY[token]))
        assert set(found) == HEARD_BY[token]
        for _ in range(30):
            assert line.message()["topic"] in HEARD_BY[token]
    site = found["site"]
    assert (site["name"], site["authority"], site["time_zone"]) == ("a site", CITY, "UTC")
    assert (site["lat_deg"], site["height_hae_m"]) == (49.61, 347.5)
    assert (site["simulation"], site["basemap"], site["glyphs"]) == (None, None, None)
    assert site["at_ms"] == at(1.0) / 1e6
    assert {s["sensor_id"] for s in found["sensors"]["sensors"]} == {"radar", "rid", "df", "guard"}


def test_tracks_come_at_every_beat_and_what_stands_still_comes_once(desk: Desk) -> None:
    beats(desk)
    with Line(desk, PATH, OFFICER).opened() as line:
        heard = [line.message() for _ in range(40)]
    topics = [m["topic"] for m in heard]
    assert {t for t in TOPICS if topics.count(t) > 1} <= {"tracks", "service"}
    numbers = [m["seq"] for m in heard if m["topic"] == "tracks"]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    assert len(numbers) > 10


def test_from_a_zone_to_an_alert_and_its_acknowledgement(desk: Desk) -> None:
    with Line(desk, PATH, OFFICER).opened() as line:
        assert line.topic("zones")["zones"] == []
        assert desk.command("publish_zone", ZONES).status_code == 200
        (zone,) = line.topic("zones")["zones"]
        assert zone | {"volumes": 0} == {
            "zone_id": "Z1", "name": "Z1", "authority_id": CITY, "enforced": True,
            "restriction": "PROHIBITED", "state": "in_force", "applies": "yes",
            "applies_until_ms": None, "emergency": False, "readable": True, "reasons": [],
            "message": "", "legal_basis": "", "conditions": "", "volumes": 0,
        }  # fmt: skip
        (volume,) = zone["volumes"]
        assert volume["area"]["circle"] == pytest.approx([49.61, 6.13, 500.0])
        assert (volume["lower"], volume["upper"]) == (
            {"m": 0.0, "reference": "AGL"}, {"m": 300.0, "reference": "AGL"}
        )  # fmt: skip
        fly(desk, 2, 8)
        told = line.until("alerts", lambda said: bool(said["alerts"]))
        (alert,) = told["alerts"]
        assert (alert["alert_id"], alert["state"], alert["priority"]) == ("A00001", "raised", 1)
        assert [(s["event"], s["role"]) for s in alert["steps"]] == [("raised", "rule")]
        (track,) = alert["tracks"]
        assert told["distances"][track]["m"] == pytest.approx(100.0, abs=5.0)
        assert told["distances"][track]["bearing_deg"] == pytest.approx(90.0, abs=3.0)
        tracks = line.until("tracks", lambda said: said["alert"] == ["A00001"])
        assert (tracks["track_id"], tracks["zone_ids"]) == ([track], ["Z1"])
        assert tracks["permissions"][tracks["permission"][0]] == "not_permitted"
        assert tracks["presences"][tracks["presence"][0]] == "inside"
        assert tracks["flags"][0] == 1 | 2 | 4
        assert desk.command("acknowledge_alert", {"alert_id": "A00001"}).status_code == 200
        told = line.until("alerts", lambda said: said["alerts"][0]["state"] == "acknowledged")
        (alert,) = told["alerts"]
        assert alert["steps"][-1] == {
            "event": "acknowledge", "at_ms": alert["steps"][-1]["at_ms"], "by": "A. Weber",
            "role": "watch_officer", "why": "",
        }  # fmt: skip
        assert desk.command("close_alert", {"alert_id": "A00001", "why": "x"}).status_code == 200
        line.until("tracks", lambda said: not said["flags"][0] & 4)
        opened = desk.command("open_incident", {"title": "a drone", "alerts": ["A00001"]})
        assert opened.status_code == 200
        (incident,) = line.topic("incidents")["incidents"]
        assert (incident["title"], incident["opened_by"]) == ("a drone", "A. Weber")


def test_what_people_change_does_not_wait_for_the_beat(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    fly(desk, 2, 6)
    beats(desk)
    monkeypatch.setattr(hub_room, "BEAT_S", 3_600.0)
    beats(desk, 1)  # the next one is an hour away
    with Line(desk, PATH, OFFICER).opened() as line:
        before = first_words(line, len(ALL))["tracks"]
        assert before["permissions"][before["permission"][0]] == "none"
        assert desk.command("publish_zone", ZONES).status_code == 200
        after = [line.message() for _ in range(2)]
        told = {m["topic"]: m for m in after}
        tracks = told["tracks"]
        assert tracks["permissions"][tracks["permission"][0]] == "not_permitted"
        assert [z["zone_id"] for z in told["zones"]["zones"]] == ["Z1"]
        permits = encode_permits(CITY, [permit_named(state=PermitState.SUBMITTED)])
        assert desk.command("put_permit", permits, OFFICE).status_code == 200
        (permit,) = line.topic("permits")["permits"]
        assert (permit["id"], permit["state"]) == ("P1", "submitted")


def test_nothing_is_told_that_is_not_on_the_disk(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    from skykeep.store.record_store import RecordStore

    failing = [True]
    original = RecordStore.commit

    def commit(store: RecordStore, staged: Any) -> Any:
        if failing[0]:
            import sqlite3

            raise store._broke(sqlite3.OperationalError("disk I/O error"))
        return original(store, staged)

    monkeypatch.setattr("skykeep.service.writer.REOPEN_S", 0.01)
    with Line(desk, PATH, OFFICER).opened() as line:
        first_words(line, len(ALL))
        monkeypatch.setattr(RecordStore, "commit", commit)
        assert desk.command("publish_zone", ZONES).status_code == 503
        service = line.until("service", lambda said: not said["ok"])
        assert "disk I/O error" in service["problem"]
        assert not all_of(bytes_of(line), "zones")
        failing[0] = False
        line.until("service", lambda said: bool(said["ok"]))
        assert desk.command("publish_zone", ZONES).status_code == 200
        assert len(line.topic("zones")["zones"]) == 1


def test_names_and_identities_are_for_officers(desk: Desk) -> None:
    desk.command("publish_zone", ZONES)
    permits = encode_permits(CITY, [permit_named(state=PermitState.SUBMITTED)])
    assert desk.command("put_permit", permits, OFFICE).status_code == 200
    with (
        Line(desk, PATH, OFFICER).opened() as officer,
        Line(desk, PATH, READER).opened() as reader,
        Line(desk, PATH, OFFICE).opened() as office,
    ):
        fly(desk, 2, 9, named=True)
        desk.clock.now_ns = at(9.0)
        said = posted(sighting(9.0, "Anna Muster saw it", 40.0))
        desk.post(said, token_of(desk, "guard"))
        desk.command("acknowledge_alert", {"alert_id": "A00001"})
        handed = {"alert_id": "A00001", "recipient": "Patrol Chief Bruno"}
        desk.command("hand_over_alert", handed)
        desk.command("open_incident", {"title": "a drone", "alerts": ["A00001"]})
        beats(desk)
        told = {name: bytes_of(line) for name, line in
                (("officer", officer), ("reader", reader), ("office", office))}  # fmt: skip
    secrets = [SERIAL, "A. Weber", "Anna Muster", "Bruno"]
    assert [s for s in secrets if s.encode() not in told["officer"]] == []
    assert [s for s in secrets if s.encode() in told["reader"]] == []
    assert b"A00001" in told["reader"]
    assert b"not_permitted" in told["reader"]
    for name in ("A. Weber", "Anna Muster", "Bruno", "A00001", "T00001"):
        assert name.encode() not in told["office"]
    assert SERIAL.encode() in told["office"]  # of the permit that it keeps
    reasons = [r for m in all_of(told["reader"], "alerts") for a in m["alerts"]
               for r in a["reasons"]]  # fmt: skip
    assert {r["words"] for r in reasons} == {""}
    assert all(r["code"] for r in reasons)


def token_of(desk: Desk, sensor: str) -> str:
    """A token for one more sensor."""
    from skykeep.service.tokens import Holder, Role, digest_of

    path = desk.app.state.tokens.path
    kept = json.loads(path.read_bytes())
    new = Holder(digest_of(sensor), sensor, Role.SENSOR, sensor)
    kept["tokens"].append(msgspec.to_builtins(new))
    path.write_text(json.dumps(kept))
    return sensor


def bytes_of(line: Line) -> bytes:
    """Everything that has come, one message after the other."""
    said = []
    while not line.out.empty():
        message = line.out.get_nowait()
        assert message["type"] == "websocket.send"
        said.append(message["bytes"])
    return b"\n--\n".join(said)


def all_of(said: bytes, topic: str) -> list[dict[str, Any]]:
    decoded = [msgspec.msgpack.decode(m) for m in said.split(b"\n--\n") if m]
    return [m for m in decoded if m["topic"] == topic]


def test_the_identity_behind_an_alert_outlives_the_track(desk: Desk) -> None:
    desk.command("publish_zone", ZONES)
    with Line(desk, PATH, OFFICER).opened() as line:
        fly(desk, 2, 9, named=True)
        desk.clock.now_ns = at(120.0)
        desk.get("/v1/sensors")
        late_ms = at(120.0) / 1e6
        line.until("tracks", lambda said: said["at_ms"] >= late_ms and not said["track_id"])
        beats(desk)
        told = all_of(bytes_of(line), "alerts")
    with Line(desk, PATH, OFFICER).opened() as line:
        told.append(line.topic("alerts"))
    (alert,) = [a for a in told[-1]["alerts"] if a["zones"]]
    assert alert["identity"]["identity"] == SERIAL
    assert told[-1]["distances"] == {}


def test_bearings_are_shown_for_some_seconds_and_reports_are_kept(desk: Desk) -> None:
    tokens = {s: token_of(desk, s) for s in ("df", "guard")}
    bearing = batch(FINDER, 2.0, Form.BEARING, [(30.0, NOWHERE, NOWHERE)] * 2,
                    (4.0, NOWHERE, NOWHERE))  # fmt: skip
    bearing.sigmas[1, 0] = 60.0  # no bearing: the engine leaves it out
    with Line(desk, PATH, OFFICER).opened() as line:
        desk.clock.now_ns = at(3.0)
        assert desk.post(posted(bearing), tokens["df"]).json()["rejected"][0]["row"] == 1
        assert desk.post(posted(bearing), tokens["df"]).json()["repeated"]
        desk.post(posted(sighting(2.5, "over the gate", 210.0)), tokens["guard"])
        desk.post(posted(sighting(2.6, "gone again", NOWHERE)), tokens["guard"])
        rays = line.until("rays", lambda said: len(columns(said, "azimuth_deg")) >= 2)
        assert columns(rays, "azimuth_deg") == [30.0, 210.0]
        assert columns(rays, "sigma_deg") == [4.0, 15.0]
        assert list(rays["person"]) == [0, 1]
        assert rays["sensor_ids"] == ["df", "guard"]
        reports = line.until("reports", lambda said: len(said["reports"]) >= 2)["reports"]
        assert [r["words"] for r in reports] == ["gone again", "over the gate"]
        assert [r["azimuth_deg"] for r in reports] == [None, 210.0]
        assert reports[1]["seen_ms"] == at(2.5) / 1e6
        desk.clock.now_ns = at(20.0)
        line.until("rays", lambda said: not columns(said, "azimuth_deg"))
        beats(desk)
        assert not all_of(bytes_of(line), "rays")  # it was said once that there are none
    with Line(desk, PATH, READER).opened() as line:
        assert line.topic("service")["rejected"] == 1


def columns(message: dict[str, Any], name: str) -> list[float]:
    import struct

    data = message[name]
    return list(struct.unpack(f"<{len(data) // 4}f", data))


def test_only_what_is_wanted_comes(desk: Desk) -> None:
    with Line(desk, PATH, OFFICER).opened() as line:
        line.say({"want": ["alerts"]})
        beats(desk)
        bytes_of(line)
        assert desk.command("publish_zone", ZONES).status_code == 200
        fly(desk, 2, 8)
        beats(desk)
        assert {m["topic"] for m in all_messages(line)} == {"alerts"}
        line.say({"want": ["zones", "tracks"]})
        assert len(line.topic("zones")["zones"]) == 1
        assert line.topic("tracks")["track_id"]


def all_messages(line: Line) -> list[dict[str, Any]]:
    return [msgspec.msgpack.decode(m) for m in bytes_of(line).split(b"\n--\n")]


UNCLEAR: list[str | bytes] = [
    "{", "[]", '{"want": 4}', '{"want": ["x"]}', '{"want": [], "more": 1}', b"\xff\xfe",
    json.dumps({"want": ["tracks"] * 99}), " " * 5_000 + '{"want": []}', "[" * 4_000,
]  # fmt: skip


def test_what_cannot_be_understood_ends_the_line(desk: Desk) -> None:
    for words in UNCLEAR:
        with Line(desk, PATH, OFFICER).opened() as line:
            line.say(words)
            assert line.closed() == 1008, words
    beats(desk)
    assert hub_of(desk).listeners == {}


# -- who may ------------------------------------------------------------------------------


def test_a_token_in_the_first_message(desk: Desk) -> None:
    with Line(desk, PATH).opened() as line:
        line.say({"token": READER})
        assert line.topic("site")["holder"] == "R. Eader"


NO_TOKEN: list[str | bytes] = [
    "{", "{}", '{"token": 4}', '{"token": "wrong"}', '{"token": "officer", "x": 1}', b"\xff",
    '"officer"', "[" * 4_000,
]  # fmt: skip


def test_a_first_message_that_says_nothing(desk: Desk) -> None:
    for words in NO_TOKEN:
        with Line(desk, PATH).opened() as line:
            line.say(words)
            assert line.closed() == 4401, words


def test_a_first_message_that_is_too_long(desk: Desk) -> None:
    with Line(desk, PATH, door=True).opened() as line:
        assert line.door is not None
        assert line.door.limits == [4_096]
        line.say({"token": "x" * 5_000})
        assert line.closed() == 1009


def test_a_first_message_that_does_not_come(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web_socket, "FIRST_MESSAGE_S", 0.01)
    with Line(desk, PATH).opened() as line:
        assert line.closed() == 4401


def test_a_header_that_is_wrong_is_not_mended_by_a_message(desk: Desk) -> None:
    with Line(desk, PATH, "wrong").opened() as line:
        line.say({"token": OFFICER})
        assert line.closed() == 4401


def test_a_sensor_may_not_listen(desk: Desk) -> None:
    with Line(desk, PATH, RADAR_TOKEN).opened() as line:
        assert line.closed() == 4403


def test_a_token_that_is_taken_back_ends_its_listeners(desk: Desk, tmp_path: Path) -> None:
    with (
        Line(desk, PATH, OFFICER).opened() as officer,
        Line(desk, PATH, READER).opened() as reader,
    ):
        beats(desk)
        kept = json.loads(TOKENS)
        kept["tokens"] = [t for t in kept["tokens"] if t["role"] != "viewer"]
        (tmp_path / "tokens.json").write_text(json.dumps(kept))
        assert reader.closed() == 4401
        bytes_of(officer)
        assert officer.topic("tracks")


ORIGINS = {
    "http://desk": True,
    "https://desk": True,
    "http://desk:80": True,
    "https://desk:443": True,
    "HTTP://DESK": True,
    "http://desk:81": False,
    "http://desk.evil.example": False,
    "http://evil.example": False,
    "http://evil.example/desk": False,
    "http://desk@evil.example": False,
    "file://desk": False,
    "null": False,
    "": False,
    "http://[": False,
    "http://desk:x": False,
}


def test_a_page_from_elsewhere_is_turned_away(desk: Desk) -> None:
    for origin, ours in ORIGINS.items():
        for path in (PATH, "/v1/ingest"):
            with Line(desk, path, OFFICER, headers={"Origin": origin}) as line:
                assert (line.next()["type"] == "websocket.accept") == ours, origin


def test_there_is_an_end_to_how_many_are_served(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(web_socket, "MAX_SOCKETS", 2)
    with (
        Line(desk, PATH, OFFICER).opened(),
        Line(desk, PATH).opened(),
        Line(desk, PATH, OFFICER).opened() as third,
    ):
        assert third.closed() == 1013
    with Line(desk, PATH, OFFICER).opened() as line:
        assert line.topic("tracks")


def test_strangers_do_not_keep_out_those_who_say_who_they_are(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(web_socket, "MAX_STRANGERS", 1)
    with Line(desk, PATH).opened() as first, Line(desk, PATH).opened() as second:
        assert second.closed() == 1013
        with Line(desk, PATH, OFFICER).opened() as known:
            assert known.topic("tracks")
        first.say({"token": READER})
        assert first.topic("tracks")
        with Line(desk, PATH).opened() as third:
            third.say({"token": READER})
            assert third.topic("tracks")


def test_a_fault_in_speaking_hangs_up(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any) -> None:
        raise KeyError("x")

    with Line(desk, PATH, OFFICER).opened() as line:
        line.topic("tracks")
        monkeypatch.setattr("skykeep.service.live.Listener._note", broken)
        assert line.closed() == 1011


# -- slow ones ----------------------------------------------------------------------------


def test_a_listener_that_does_not_read_misses_states_and_delays_nobody(desk: Desk) -> None:
    with (
        Line(desk, PATH, OFFICER, door=True).opened() as slow,
        Line(desk, PATH, OFFICER, door=True).opened() as quick,
    ):
        assert slow.door is not None
        last = slow.topic("tracks")["seq"]
        slow.door.writable.clear()
        last = max([last, *(m["seq"] for m in all_of(bytes_of(slow), "tracks"))])
        for _ in range(20):
            quick.topic("tracks")
        assert desk.command("publish_zone", ZONES).status_code == 200
        desk.command("withdraw_zone", {"zone_id": "Z1", "why": "x"})
        beats(desk)
        assert slow.out.empty()  # nothing piles up
        slow.door.writable.set()
        told = slow.topic("tracks")
        assert told["seq"] > last + 20
        beats(desk)
        skipped = [m["skipped"] for m in all_of(bytes_of(quick), "tracks")]
        assert skipped == sorted(skipped)
        assert skipped[-1] >= 20
        assert hub_of(desk).skipped == told["seq"] - last - 1


def test_a_listener_that_has_stopped_reading_is_dropped(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Line(desk, PATH, OFFICER, door=True).opened() as line:
        assert line.door is not None
        line.topic("tracks")
        line.door.writable.clear()
        beats(desk)
        assert not line.door.aborted
        monkeypatch.setattr(hub_room, "STUCK_S", 0.0)
        beats(desk)
        assert line.door.aborted
    assert hub_of(desk).listeners == {}


def test_the_bytes_are_shared(desk: Desk) -> None:
    beats(desk)
    frames = hub_of(desk).frames
    for topic in ("tracks", "zones", "sensors", "service"):
        assert frames[hub_room.OFFICER, topic] is frames[hub_room.READER, topic]


def test_a_simulation_is_said_to_be_one(desk: Desk) -> None:
    simulation: dict[str, Any] = {"speed": 20, "over": False}
    desk.writer.simulation = simulation
    with Line(desk, PATH, READER).opened() as line:
        line.until("site", lambda said: said["simulation"] == {"speed": 20, "over": False})
        simulation["over"] = True
        assert line.topic("site")["simulation"] == {"speed": 20, "over": True}


def test_a_fault_that_nobody_foresaw_costs_one_look(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: Any) -> None:
        raise KeyError("x")

    with Line(desk, PATH, OFFICER).opened() as line:
        line.topic("tracks")
        monkeypatch.setattr(hub_room, "tracks_message", broken)

        async def fault() -> None:
            while "KeyError" not in caplog.text:
                await asyncio.sleep(0.01)

        desk.loop.run_until_complete(asyncio.wait_for(fault(), PATIENCE_S))
        monkeypatch.undo()
        bytes_of(line)
        assert line.topic("tracks")
