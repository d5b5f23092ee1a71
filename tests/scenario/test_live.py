"""The live stream of a real service, heard by somebody else's WebSocket client."""

from __future__ import annotations

import json
import time
import urllib.request
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import msgspec
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin

from skykeep.codec.ed318_write import write_ed318
from skykeep.commands.recompute import recompute
from skykeep.core.geo import Circle, Volume
from tests.faults.keeper import OFFICER, RADAR, Keeper, batch, prepare
from tests.sky import zone_named

#: Nothing here takes so long unless it never comes.
PATIENCE_S = 30.0
ZONES = write_ed318([zone_named(volumes=(Volume(Circle(49.61, 6.13, 1_500.0), None, None),))])


@pytest.fixture
def keeper(tmp_path: Path) -> Iterator[Keeper]:
    prepare(tmp_path)
    started = Keeper(tmp_path)
    yield started
    if started.process.poll() is None:
        started.stop()
    assert recompute(tmp_path / "data").faults == []


class Stream:
    """One listener."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.seen: dict[str, dict[str, Any]] = {}

    def end(self) -> int:
        """The code it is closed with; what comes before is passed over."""
        return ended(self.socket)

    def until(
        self, holds: Callable[[dict[str, dict[str, Any]]], bool]
    ) -> dict[str, dict[str, Any]]:
        """The newest message of each topic, as soon as something holds of them."""
        give_up_s = time.monotonic() + PATIENCE_S
        while time.monotonic() < give_up_s:
            message = msgspec.msgpack.decode(self.socket.recv(PATIENCE_S))
            self.seen[message["topic"]] = message
            if holds(self.seen):
                return self.seen
        raise AssertionError({topic: str(said)[:300] for topic, said in self.seen.items()})


@contextmanager
def listening(keeper: Keeper, token: str = OFFICER) -> Iterator[Stream]:
    """A listener, by the token in its first message, as a browser does it."""
    url = f"ws://127.0.0.1:{keeper.port}/v1/live"
    with connect(url, compression=None, max_size=None) as socket:
        socket.send(json.dumps({"token": token}))
        yield Stream(socket)


def ended(socket: ClientConnection) -> int:
    with suppress(ConnectionClosed):
        deque(socket, maxlen=0)
    with pytest.raises(ConnectionClosed) as closed:
        socket.recv(PATIENCE_S)
    assert closed.value.rcvd is not None
    return closed.value.rcvd.code


def fly(keeper: Keeper, first: int, count: int, size: int = 20) -> None:
    """So many looks at some drones over the citadel."""
    for number in range(first, first + count):
        body = batch(number, size)
        assert keeper.request("POST", "/v1/batches", RADAR, body)[0] == 200
        time.sleep(0.25)


def command(keeper: Keeper, name: str, body: bytes | dict[str, Any]) -> Any:
    said = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = {"Authorization": f"Bearer {OFFICER}", "Content-Type": "application/json"}
    url = f"http://127.0.0.1:{keeper.port}/v1/commands/{name}"
    with urllib.request.urlopen(urllib.request.Request(url, said, headers)) as answer:
        return json.load(answer)


def permissions(seen: dict[str, dict[str, Any]]) -> set[str]:
    tracks = seen.get("tracks", {"permission": b"", "permissions": []})
    return {tracks["permissions"][code] for code in tracks["permission"]}


def test_from_the_first_look_to_the_acknowledgement_and_over_a_crash(
    keeper: Keeper, tmp_path: Path
) -> None:
    with listening(keeper) as stream:
        first = stream.until(lambda seen: "service" in seen and "tracks" in seen)
        assert first["site"]["name"] == "Citadel"
        assert first["tracks"]["track_id"] == []
        fly(keeper, 100, 4)
        seen = stream.until(lambda seen: len(seen["tracks"]["track_id"]) == 20)
        assert permissions(seen) == {"none"}
        number = seen["tracks"]["seq"]
        entry = command(keeper, "publish_zone", ZONES)["entries"][0]
        fly(keeper, 200, 4)
        seen = stream.until(lambda seen: "not_permitted" in permissions(seen))
        assert seen["tracks"]["seq"] > number
        assert [z["zone_id"] for z in seen["zones"]["zones"]] == ["Z1"]
        fly(keeper, 300, 6)
        seen = stream.until(lambda seen: bool(seen["alerts"]["alerts"]))
        alert_id = seen["alerts"]["alerts"][0]["alert_id"]
        acknowledged = command(keeper, "acknowledge_alert", {"alert_id": alert_id})
        stream.until(lambda seen: state_of(seen, alert_id) == "acknowledged")
        stream.until(lambda seen: seen["service"]["entries"] > acknowledged["entries"][0] > entry)
    keeper.kill()
    again = Keeper(tmp_path)
    try:
        with listening(again) as stream:
            seen = stream.until(
                lambda seen: "service" in seen and state_of(seen, alert_id) == "acknowledged"
            )
            assert [z["zone_id"] for z in seen["zones"]["zones"]] == ["Z1"]
            fly(again, 400, 4)
            stream.until(lambda seen: len(seen["tracks"]["track_id"]) >= 20)
    finally:
        again.stop()
    found = recompute(tmp_path / "data")
    assert found.counts["batch"] == 18


def state_of(seen: dict[str, dict[str, Any]], alert_id: str) -> str:
    alerts = seen.get("alerts", {"alerts": []})["alerts"]
    return next((str(a["state"]) for a in alerts if a["alert_id"] == alert_id), "")


def test_batches_over_a_socket_are_in_the_record_when_they_are_answered(
    keeper: Keeper, tmp_path: Path
) -> None:
    url = f"ws://127.0.0.1:{keeper.port}/v1/ingest"
    headers = {"Authorization": f"Bearer {RADAR}"}
    with connect(url, additional_headers=headers, compression=None) as line:
        for number in range(1, 41):
            line.send(batch(number, 5))
        line.send("{")
        line.send(batch(40, 5).decode())
        answers = [json.loads(line.recv(PATIENCE_S)) for _ in range(42)]
        keeper.kill()
    assert [a["batch_id"] for a in answers[:40]] == [f"b{n}" for n in range(1, 41)]
    assert answers[40]["status"] == 422
    assert (answers[41]["repeated"], answers[41]["entry"]) == (True, answers[39]["entry"])
    assert recompute(tmp_path / "data").counts["batch"] == 40


def test_a_batch_that_is_too_large_ends_the_line_and_nothing_else(keeper: Keeper) -> None:
    url = f"ws://127.0.0.1:{keeper.port}/v1/ingest"
    headers = {"Authorization": f"Bearer {RADAR}"}
    with connect(url, additional_headers=headers, compression=None) as line:
        line.send(batch(1))
        assert json.loads(line.recv(PATIENCE_S))["batch_id"] == "b1"
        with suppress(ConnectionClosed):  # it may be closed before all of it is sent
            line.send(" " * 9_000_000)
        assert ended(line) == 1009
    assert keeper.post(2)[0] == 200


def test_who_is_turned_away_and_how(keeper: Keeper) -> None:
    url = f"ws://127.0.0.1:{keeper.port}/v1/live"
    for token, code in (("wrong", 4401), (RADAR, 4403)):
        with listening(keeper, token) as stream:
            assert stream.end() == code
    elsewhere = Origin("http://elsewhere.example")
    with pytest.raises(InvalidStatus) as refused, connect(url, origin=elsewhere):
        pass
    assert refused.value.response.status_code == 403
    with connect(url, compression=None) as first:
        first.send("x" * 5_000)  # nobody is let in with so long a first message
        assert ended(first) == 1009


def test_a_clean_end_says_so_to_those_who_listen_and_does_not_wait_for_the_deaf(
    keeper: Keeper,
) -> None:
    with (
        listening(keeper) as stream,
        connect(
            f"ws://127.0.0.1:{keeper.port}/v1/live",
            additional_headers={"Authorization": f"Bearer {OFFICER}"},
            compression=None,
        ),
    ):
        stream.until(lambda seen: "tracks" in seen)
        assert keeper.stop() == 0
        assert stream.end() == 1012
