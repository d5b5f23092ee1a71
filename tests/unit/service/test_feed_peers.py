"""Feeds of real peers in other processes, killed in the middle: heard again, nothing lost."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from skykeep.codec.beast import Beast, encode
from skykeep.codec.mode_s import encode_cpr, encode_extended
from skykeep.config import FeedSettings
from skykeep.core.observation import SensorKind
from skykeep.service.feeds import Feeds
from skykeep.units import SensorId
from tests.desk import Desk
from tests.sky import RADAR, RECEIVER, at
from tests.unit.feed.test_beast import squitter
from tests.unit.service.test_feeds import line, until

ADSB = replace(
    RECEIVER, sensor_id=SensorId("adsb-1"), kind=SensorKind.ADSB, lat_deg=49.6, lon_deg=6.1
)
#: Sends a file to whoever connects, then holds the line until it is killed.
SPEAKER = """
import socket, sys, time
server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
connection, _ = server.accept()
connection.sendall(open(sys.argv[2], "rb").read())
time.sleep(60)
"""


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path, (RADAR, ADSB))
    yield made
    made.close()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def positions(address: str) -> bytes:
    """A pair of Beast messages that make one place of an aircraft."""
    made = b""
    for odd in (False, True):
        me = squitter(encode_cpr(49.61, 6.13, odd))
        made += encode(Beast(3, 1, 40, encode_extended(address, me)))
    return made


def speaker(kind: str, port: int, file: Path) -> subprocess.Popen[bytes]:
    if kind == "beast":
        return subprocess.Popen([sys.executable, "-c", SPEAKER, str(port), str(file)])
    socat = shutil.which("socat")
    if socat is None:
        pytest.skip("socat is not installed")
    heard = f"TCP-LISTEN:{port},bind=127.0.0.1,reuseaddr"
    return subprocess.Popen([socat, "-u", f"OPEN:{file},ignoreeof", heard])


@pytest.mark.parametrize("kind", ["beast", "sbs1"])
def test_a_peer_that_is_killed_is_heard_again(desk: Desk, tmp_path: Path, kind: str) -> None:
    port, file = free_port(), tmp_path / "said"
    settings = FeedSettings("adsb", ADSB.sensor_id, kind, f"tcp://127.0.0.1:{port}")
    feeds = Feeds(desk.writer, [settings], [RADAR, ADSB], desk.clock)
    desk.app.state.feeds = feeds
    desk.clock.now_ns = at(1)
    file.write_bytes(positions("4d0131") if kind == "beast" else line(1))
    peer = speaker(kind, port, file)
    at_work = desk.loop.create_task(feeds.run())
    try:
        until(desk, lambda s: bool(s["observations"] == 1))
        peer.kill()
        peer.wait()
        until(desk, lambda s: not s["connected"])
        desk.clock.now_ns = at(2)
        file.write_bytes(positions("4d0132") if kind == "beast" else line(2))
        peer = speaker(kind, port, file)
        state = until(desk, lambda s: bool(s["observations"] == 2))
        assert (state["connected"], state["problem"]) == (True, "")
    finally:
        peer.kill()
        peer.wait()
    feeds.stop()
    desk.loop.run_until_complete(at_work)
    desk.clock.on(1.0)
    rows = desk.get("/v1/observations?from=2026-09-12T00:00:00Z").json()["observations"]
    assert [row["sensor"] for row in rows] == ["adsb-1", "adsb-1"]
