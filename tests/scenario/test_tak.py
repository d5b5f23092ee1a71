"""A TAK server of others: tracks and hand-overs reach it over its death, and people answer."""

from __future__ import annotations

import asyncio
import json
import re
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from skykeep.codec.cot import CotSplitter, decode_xml
from skykeep.codec.ed318_write import write_ed318
from skykeep.commands.recompute import recompute
from skykeep.core.handover import Recipient
from skykeep.deliver import link as link_room
from skykeep.deliver import tak as tak_room
from skykeep.deliver.settings import Caps, RecipientSettings, Shows, TakChannel
from skykeep.service import dispatch, streams
from skykeep.service import hub as hub_room
from skykeep.units import NS_PER_MS
from tests.desk import PATROL, Desk
from tests.sky import at, plots, zone_named
from tests.taky import Person, Taky, python_of_taky

DRONE_AT = (104.0, 3.0, 80.0)
#: What a stream must never say. CoT's affiliations of intent are tested apart.
FORBIDDEN = re.compile(r"hostile|enemy|threat|target|engage|shoot|neutrali[sz]e|jam\b", re.I)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub_room, "BEAT_S", 0.05)
    monkeypatch.setattr(streams, "LOOK_S", 0.05)
    monkeypatch.setattr(dispatch, "RETRIES_S", (0.2,))
    for room in (link_room, tak_room):
        monkeypatch.setattr(room, "BACK_OFF_S", (0.1,))


@pytest.fixture
def taky(tmp_path: Path) -> Iterator[Taky]:
    folder = tmp_path / "taky"
    folder.mkdir()
    server = Taky(folder)
    server.start()
    yield server
    server.kill()


def site(folder: Path, port: int, protobuf: bool = False, **caps: Any) -> Desk:
    police = Recipient("police", "responder", ("tak",), automatic=(1,), answer_within_s=600.0)
    way = TakChannel("127.0.0.1", port, protobuf)
    settings = RecipientSettings(police, {"tak": way}, Caps(**caps))
    return Desk(folder, recipients=(settings,))


class Works:
    """Everything that runs beside the writer, at work while a test waits for something."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        state = desk.app.state
        self.rooms = (state.hub, state.streams, state.dispatcher)
        self.tasks = [desk.loop.create_task(room.run()) for room in self.rooms]

    def until(self, holds: Callable[[], Any], seconds: float = 20.0) -> None:
        async def run() -> None:
            for _ in range(round(seconds / 0.02)):
                if holds():
                    return
                await asyncio.sleep(0.02)

        self.desk.loop.run_until_complete(run())
        assert holds()

    def fly(self, first_s: int, last_s: int) -> None:
        for second in range(first_s, last_s):
            self.desk.clock.now_ns = at(second)
            assert self.desk.send(plots(second, DRONE_AT)).status_code == 200
            self.desk.clock.now_ns = at(second) + 300 * NS_PER_MS
            self.desk.get("/v1/sensors")

    def end(self) -> None:
        for room in self.rooms:
            room.stop()
        self.desk.loop.run_until_complete(asyncio.wait(self.tasks, timeout=20.0))
        self.desk.close()

    @property
    def state(self) -> str:
        book = self.desk.writer.look().runtime.airspace.handovers  # type: ignore[union-attr]
        return next((h.state.value for h in book.handovers.values()), "")


def configured(desk: Desk) -> Works:
    works = Works(desk)
    book = desk.writer.look().runtime.airspace.handovers  # type: ignore[union-attr]
    works.until(lambda: book.recipients)
    assert desk.command("publish_zone", write_ed318([zone_named()])).status_code == 200
    return works


def test_a_hand_over_outlives_the_server_and_is_answered_on_it(tmp_path: Path, taky: Taky) -> None:
    desk = site(tmp_path / "site", taky.port)
    works = configured(desk)
    link = desk.app.state.dispatcher.links["police", "tak"]
    works.until(lambda: link.state.connected)
    taky.kill()
    works.until(lambda: not link.state.connected)
    works.fly(1, 8)
    assert works.state == "waiting"  # nobody has it, and it is kept
    taky.start()
    person = Person(taky.port)
    works.until(lambda: works.state == "taken")
    assert link.state.connects == 2
    (chat,) = {e.uid: e for e in person.heard_of(lambda e: e.type == "b-t-f")}.values() or [None]
    assert chat is not None
    assert chat.uid.endswith("H00001.1")
    remarks = chat.find("remarks")
    assert remarks is not None
    assert "Alert A00001, priority 1, is handed to you." in remarks.text
    works.fly(8, 10)
    works.until(lambda: person.heard_of(lambda e: e.uid.startswith("skykeep.city.T")))
    track = person.heard_of(lambda e: e.uid.startswith("skykeep.city.T"))[-1]
    assert (track.type, track.how) == ("a-u-A", "m-f")
    assert track.stale_ns - track.time_ns == 10 * 10**9
    east, north, up = desk.writer.site.frame.to_enu(track.lat_deg, track.lon_deg, track.hae_m)
    assert (round(east), round(north), round(up)) == (100, 0, 80)  # on a grid of 10 m
    assert track.ce_m > 2.9
    for event in person.heard:
        words = json.dumps([event.uid, event.type, [e.text for e in event.detail],
                            [e.attributes for e in event.detail]])  # fmt: skip
        assert not FORBIDDEN.search(words)

    person.chat("hello, nothing to do with you", 1)
    person.chat("H00009 ack", 2)  # no such hand-over
    person.chat("H00001 roger, on our way", 3)
    works.until(lambda: works.state == "acknowledged")
    person.mark("H00001 fell here, it is damaged", (49.6102, 6.1288))
    person.mark("H00001 fell here, it is damaged", (49.6102, 6.1288))  # phones repeat themselves
    casebook = desk.writer.look().runtime.casebook  # type: ignore[union-attr]
    works.until(lambda: casebook.incidents)
    works.until(lambda: not desk.app.state.streams._answers.qsize())
    (incident,) = casebook.incidents.values()
    (report,) = incident.reports
    assert (report.author.name, report.author.role) == ("PATROL-4", "recipient police, by tak")
    assert [o.value for o in report.outcomes] == ["fell", "damage"]
    assert (report.lat_deg, report.lon_deg) == (49.6102, 6.1288)
    person.hang_up()
    works.end()
    assert recompute(tmp_path / "site" / "data").faults == []


READER = """
import sys, json
from takproto.proto import TakMessage
for line in sys.stdin:
    message = TakMessage(); message.ParseFromString(bytes.fromhex(line))
    e = message.cotEvent
    print(json.dumps([e.type, e.uid, e.how, e.sendTime, e.staleTime, e.lat, e.lon, e.hae, e.ce,
                      e.le, e.detail.contact.callsign, e.detail.track.speed, e.detail.xmlDetail]))
"""


class Offering(threading.Thread):
    """A server that offers protocol 1 by the letter of its description, and keeps what comes."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self.listener.getsockname()[1]
        self.frames: list[bytes] = []
        self.xml: list[str] = []
        self.done = threading.Event()

    def run(self) -> None:
        peer, _ = self.listener.accept()
        peer.settimeout(0.05)
        splitter = CotSplitter()
        offer = event("t-x-takp-v", '<TakControl><TakProtocolSupport version="1"/></TakControl>')
        peer.sendall(offer)
        while not self.done.is_set():
            try:
                data = peer.recv(65_536)
            except TimeoutError:
                continue
            if not data:
                break
            for binary, message in splitter.feed(data):
                if binary:
                    self.frames.append(message)
                    continue
                kind = decode_xml(message).type
                self.xml.append(kind)
                if kind == "t-x-takp-q":
                    inner = '<TakControl><TakResponse status="true"/></TakControl>'
                    peer.sendall(event("t-x-takp-r", inner))
        peer.close()
        self.listener.close()


def event(kind: str, detail: str) -> bytes:
    now = "2026-09-12T00:00:00Z"
    return (
        f'<?xml version="1.0"?>\n<event version="2.0" uid="server" type="{kind}" how="m-g" '
        f'time="{now}" start="{now}" stale="{now}"><point lat="0" lon="0" hae="0" ce="9999999" '
        f'le="9999999"/><detail>{detail}</detail></event>'
    ).encode()


def test_protocol_1_is_spoken_where_it_is_offered_as_another_reader_understands_it(
    tmp_path: Path,
) -> None:
    python = python_of_taky()
    server = Offering()
    server.start()
    desk = site(tmp_path, server.port, protobuf=True, shows=Shows.ZONES, precision_m=0.0)
    works = configured(desk)
    works.until(lambda: server.frames or "t-x-takp-q" in server.xml)
    works.fly(1, 6)
    works.until(lambda: any(b"skykeep.city.T" in f for f in server.frames))
    works.end()
    server.done.set()
    server.join()
    after = server.xml[server.xml.index("t-x-takp-q") + 1 :]
    assert after == []  # once it is agreed, no XML any more
    lines = "\n".join(f.hex() for f in server.frames)
    read = subprocess.run(
        [python, "-c", READER], input=lines, capture_output=True, text=True, check=True, timeout=60
    )
    told = [json.loads(line) for line in read.stdout.splitlines()]
    track = next(t for t in told if t[1].startswith("skykeep.city.T"))
    assert (track[0], track[2], track[10]) == ("a-u-A", "m-f", track[1].rpartition(".")[2])
    east, north, up = desk.writer.site.frame.to_enu(*track[5:8])
    assert abs(east - 104.0) < 5.0
    assert abs(north - 3.0) < 5.0
    assert abs(up - 80.0) < 10.0
    assert track[4] - track[3] == 10_000
    assert "permission: not_permitted; confirmation: unverified" in track[12]


def test_a_recipients_token_reads_its_stream_as_geojson_and_csv(tmp_path: Path) -> None:
    desk = site(tmp_path, 1)  # nobody listens there: that holds nothing up
    works = configured(desk)
    works.fly(1, 8)
    works.until(lambda: works.state == "waiting")
    desk.clock.on(2.0)

    async def moving() -> None:
        while True:
            await asyncio.sleep(0.05)
            desk.clock.on(1.0)

    clock = desk.loop.create_task(moving())
    text = desk.get("/v1/stream/tracks.geojson?looks=1", PATROL).text
    assert text.startswith("\x1e")
    (feature,) = json.loads(text[1:])["features"]
    assert feature["properties"]["permission"] == "not_permitted"
    assert set(feature["properties"]) == {
        "uid", "track_id", "at", "ce_m", "le_m", "speed_mps", "course_deg", "permission",
        "confirmation", "zones", "exercise",
    }  # fmt: skip
    rows = desk.get("/v1/stream/tracks.csv?looks=2", PATROL).text.splitlines()
    assert rows[0].startswith("at,uid,track_id,lat_deg")
    assert len(rows) == 3
    assert desk.get("/v1/stream/tracks.csv?looks=1").status_code == 403
    clock.cancel()
    works.end()
