"""SAPIENT nodes at the port: answers in words, nothing acknowledged lost, never a task."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import pytest
from sapient_msg.bsi_flex_335_v2_0.sapient_message_pb2 import SapientMessage

from skykeep.codec.sapient import framed
from skykeep.config import FeedSettings
from skykeep.core.observation import SensorKind
from skykeep.feed import sapient_server
from skykeep.service.feeds import Feeds
from skykeep.units import SensorId
from tests import sapient_messages as made
from tests.desk import Desk
from tests.sapient_node import ulid
from tests.sky import RADAR

SECOND = replace(RADAR, sensor_id=SensorId("radar-2"))
TRACKER = replace(RADAR, sensor_id=SensorId("tracks-1"), kind=SensorKind.UPSTREAM)
PROGRAM = Path(__file__).parents[2] / "sapient_node.py"
STRANGER = "00000000-0000-4000-8000-000000000000"


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as one:
        return int(one.getsockname()[1])


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made_desk = Desk(tmp_path, (RADAR, SECOND, TRACKER))
    made_desk.clock.now_ns = time.time_ns()
    yield made_desk
    made_desk.close()


@pytest.fixture
def port(desk: Desk) -> Iterator[int]:
    number = free_port()
    nodes = {made.NODE: "radar", made.OTHER: "radar-2"}
    settings = FeedSettings(
        "s", RADAR.sensor_id, "sapient", f"listen://127.0.0.1:{number}", {"nodes": nodes}
    )
    feeds = Feeds(desk.writer, [settings], [RADAR, SECOND, TRACKER], desk.clock)
    desk.app.state.feeds = feeds
    at_work = desk.loop.create_task(feeds.run())
    until(desk, lambda s: bool(s["connected"]))
    yield number
    while Node.made:
        Node.made.pop().link.close()
    feeds.stop()
    desk.loop.run_until_complete(at_work)


def until(desk: Desk, holds: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    for _ in range(1_000):
        desk.clock.now_ns = time.time_ns()
        (state,) = desk.get("/v1/feeds").json()["feeds"]
        if holds(state):
            return dict(state)
        time.sleep(0.01)
    raise AssertionError(state)


class Node:
    """A node in this process, for what the program does not do."""

    made: ClassVar[list[Node]] = []

    def __init__(self, desk: Desk, port: int) -> None:
        self.desk, self.link = desk, socket.create_connection(("127.0.0.1", port))
        self.link.setblocking(False)
        self.rest = b""
        Node.made.append(self)

    def ask(self, *messages: SapientMessage, raw: bytes = b"") -> list[SapientMessage]:
        """What comes back in answer to some messages, until nothing more comes for a while."""
        self.link.setblocking(True)
        self.link.sendall(b"".join(map(framed, messages)) + raw)
        self.link.setblocking(False)
        quiet, answers = 0, []
        while quiet < 12:
            self.desk.get("/v1/feeds")  # lets the service work
            with contextlib.suppress(BlockingIOError):
                if data := self.link.recv(65_536):
                    self.rest, quiet = self.rest + data, 0
            quiet += 1
            time.sleep(0.005)
        while len(self.rest) >= 4:
            size = int.from_bytes(self.rest[:4], "little")
            answers.append(SapientMessage.FromString(self.rest[4 : 4 + size]))
            self.rest = self.rest[4 + size :]
        return answers

    def closed(self) -> bool:
        for _ in range(200):
            try:
                if self.link.recv(100) == b"":
                    return True
            except BlockingIOError:
                time.sleep(0.01)
        return False


def now() -> int:
    return time.time_ns()


def test_who_registers_is_answered_in_words(desk: Desk, port: int) -> None:
    node = Node(desk, port)
    (early,) = node.ask(made.detection(now()))
    assert list(early.error.error_message) == ["Register first."]
    broken = made.registration(now())
    broken.registration.ClearField("icd_version")
    (no,) = node.ask(broken)
    assert no.registration_ack.acceptance is False
    assert list(no.registration_ack.ack_response_reason) == [
        "registration.icd_version: is mandatory and missing"
    ]
    (stranger,) = node.ask(made.registration(now(), STRANGER))
    assert "is not known here" in stranger.registration_ack.ack_response_reason[0]
    (yes,) = node.ask(made.registration(now()))
    assert yes.registration_ack.acceptance is True
    assert (yes.destination_id, list(yes.registration_ack.ack_response_reason)) == (made.NODE, [])
    bad = made.detection(now())
    bad.detection_report.object_id = "7"
    (told,) = node.ask(bad)
    assert list(told.error.error_message) == ["detection_report.object_id: '7' is no ULID"]
    assert told.error.packet == bad.SerializeToString()
    assert node.ask(made.detection(now()), made.status(now())) == []
    peers = until(desk, lambda s: s["observations"] == 1)["peers"]
    assert peers[STRANGER].startswith(f"refused: Node {STRANGER} is not known here")
    assert peers[made.NODE].startswith("registered as radar: Acme 3 (Acme Radar 3), from 127")
    assert node.ask(made.status(now(), system=5)) == []
    assert until(desk, lambda s: True)["peers"][made.NODE].startswith("said goodbye")
    (gone,) = node.ask(made.detection(now()))
    assert list(gone.error.error_message) == ["Register first."]


def test_bytes_that_are_none_and_a_length_that_is_none(desk: Desk, port: int) -> None:
    node = Node(desk, port)
    (told,) = node.ask(raw=(3).to_bytes(4, "little") + b"\xff\xff\xff")
    assert "is no SapientMessage" in told.error.error_message[0]
    (last,) = node.ask(raw=b"\xff\xff\xff\xffGET / HTTP/1.1")
    assert "announces a message of 4294967295 bytes" in last.error.error_message[0]
    assert node.closed()


def test_a_node_that_comes_again_ends_its_old_connection(desk: Desk, port: int) -> None:
    old, new = Node(desk, port), Node(desk, port)
    old.ask(made.registration(now()))
    assert new.ask(made.registration(now()))[0].registration_ack.acceptance
    assert old.closed()


def test_who_does_not_register_or_says_nothing_is_sent_away(
    desk: Desk, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    silent, registered = Node(desk, port), Node(desk, port)
    registered.ask(made.registration(now()))
    monkeypatch.setattr(sapient_server, "REGISTER_S", 0.1)
    assert silent.closed()
    monkeypatch.setattr(sapient_server, "SILENCE_S", 0.1)
    monkeypatch.setattr(sapient_server, "SILENT_INTERVALS", 0.01)
    assert registered.closed()
    assert "gone: said nothing" in until(desk, lambda s: True)["peers"][made.NODE]


def test_whatever_is_said_nobody_is_ever_given_a_task(desk: Desk, port: int) -> None:
    """Over every message that there is, from every type of node: three answers can leave."""
    kinds = SapientMessage.DESCRIPTOR.oneofs_by_name["content"].fields
    seen: set[str] = set()
    for node_types in ((2,), (13,), (14,), (15,), (16,), (17,), (2, 14, 20)):
        node = Node(desk, port)
        tracks = 20 in node_types
        messages = [made.registration(now(), types=node_types, tracking=1)]
        for kind in kinds:
            bare = made.message(now())
            getattr(bare, kind.name).SetInParent()
            messages.append(bare)
        messages += [made.detection(now()), made.status(now()), made.alert(now())]
        task = made.message(now())
        task.task.task_id, task.task.control = made.REPORT, 1
        task.task.command.request = "Start"
        done = made.message(now())
        done.task_ack.task_id, done.task_ack.task_status = made.REPORT, 1
        answers = node.ask(*messages, task, done)
        accepted = [
            a.registration_ack.acceptance for a in answers if a.HasField("registration_ack")
        ]
        assert accepted == [not tracks, False]  # a node that fuses is no radar
        seen |= {str(a.WhichOneof("content")) for a in answers}
        node.link.close()
    assert seen == {"registration_ack", "alert_ack", "error"}
    source = Path(sapient_server.__file__).parents[1]
    for file in source.rglob("*sapient*.py"):
        assert "task_pb2" not in file.read_text()


def test_two_nodes_that_die_and_come_again_lose_nothing_acknowledged(desk: Desk, port: int) -> None:
    acknowledged: set[str] = set()
    with contextlib.ExitStack() as stack:

        def start(node: str, first: int, count: int) -> subprocess.Popen[str]:
            return stack.enter_context(subprocess.Popen(
                [sys.executable, str(PROGRAM), str(port), node, str(first), str(count)],
                stdout=subprocess.PIPE, text=True,
            ))  # fmt: skip

        first, second = start(made.NODE, 0, 10_000), start(made.OTHER, 20_000, 12)
        until(desk, lambda s: s["observations"] >= 20)
        first.kill()  # in the middle
        third = start(made.NODE, 30_000, 5)
        while second.poll() is None or third.poll() is None:
            until(desk, lambda s: True)
        for program in (first, second, third):
            assert program.stdout is not None
            lines = program.stdout.read().splitlines()
            assert lines[0] == "registered True"
            acknowledged |= {line.split()[1] for line in lines[1:] if line.startswith("alert_ack ")}
    assert {ulid(20_000 + n) for n in range(12)} <= acknowledged
    assert {ulid(30_000 + n) for n in range(5)} <= acknowledged
    assert any(ulid(n) in acknowledged for n in range(100))
    recorded = desk.writer.look()
    assert recorded is not None
    store = recorded.store
    kept = b"".join(b"".join(store.facts(placed)) for placed in store.entries()).decode()
    missing = [alert_id for alert_id in sorted(acknowledged) if alert_id not in kept]
    assert missing == []
    peers = until(desk, lambda s: True)["peers"]
    assert peers[made.NODE].startswith("gone: closed the connection")
