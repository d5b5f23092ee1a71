"""A real broker: batches come through, it is killed in the middle, nothing acknowledged is lost."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from skykeep.config import FeedSettings
from skykeep.service import feeds as room
from skykeep.service.feeds import Feeds
from tests.desk import Desk
from tests.sky import RADAR

MOSQUITTO = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin")
needs_broker = pytest.mark.skipif(MOSQUITTO is None, reason="mosquitto is not installed")
TOPIC = "site/radar/batches"


def document(number: int) -> bytes:
    polar = {
        "range_m": 900.0 + number, "azimuth_deg": 40.0, "elevation_deg": 5.0,
        "sigma_range_m": 5.0, "sigma_azimuth_deg": 0.5, "sigma_elevation_deg": 0.5,
    }  # fmt: skip
    row = {"sensor": "radar", "time": time.time_ns(), "polar": polar}
    return json.dumps({"batch_id": f"radar:{number}", "observations": [row]}).encode()


class Broker:
    """mosquitto on a port of this machine, with what it keeps on disk."""

    def __init__(self, folder: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as one:
            self.port = int(one.getsockname()[1])
        self.config = folder / "mosquitto.conf"
        self.config.write_text(
            f"listener {self.port} 127.0.0.1\nallow_anonymous true\npersistence true\n"
            f"persistence_location {folder}/\nautosave_interval 1\nautosave_on_changes true\n"
        )
        self.start()

    def start(self) -> None:
        assert MOSQUITTO is not None
        self.process = subprocess.Popen(
            [MOSQUITTO, "-c", str(self.config)], stderr=subprocess.DEVNULL
        )
        for _ in range(500):
            try:
                socket.create_connection(("127.0.0.1", self.port), 1.0).close()
                return
            except OSError:
                time.sleep(0.01)
        raise AssertionError("mosquitto does not listen")

    def end(self, kill: bool = False) -> None:
        if kill:
            self.process.kill()
        else:
            self.process.terminate()
        self.process.wait()

    def publish(self, *documents: bytes) -> None:
        """Hand documents to the broker; it has acknowledged them when this returns."""
        client = paho.Client(CallbackAPIVersion.VERSION2)
        client.connect("127.0.0.1", self.port)
        client.loop_start()
        for one in documents:
            client.publish(TOPIC, one, 1).wait_for_publish(10.0)
        client.disconnect()
        client.loop_stop()


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    (tmp_path / "broker").mkdir(mode=0o777)
    (tmp_path / "broker").chmod(0o777)
    made = Broker(tmp_path / "broker")
    yield made
    made.end()


def until(desk: Desk, holds: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    for _ in range(1_000):
        desk.clock.now_ns = time.time_ns()
        (state,) = desk.get("/v1/feeds").json()["feeds"]
        if holds(state):
            return dict(state)
        time.sleep(0.01)
    raise AssertionError(state)


@needs_broker
def kept_at_all(desk: Desk) -> int:
    """All batches in the record, that with what was found amiss too."""
    recorded = desk.writer.look()
    assert recorded is not None
    return len(recorded.store.batches())


def batches_of(desk: Desk) -> set[str]:
    """The batches of the documents that are in the record."""
    recorded = desk.writer.look()
    assert recorded is not None
    names = recorded.store.batches()
    return {str(n) for n in names if n.startswith("radar:") and n.count(":") == 1}


def test_a_broker_that_is_killed_loses_nothing_acknowledged(
    tmp_path: Path, broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "RETRIES_S", (0.05,))
    desk = Desk(tmp_path, (RADAR,))
    desk.clock.now_ns = time.time_ns()
    settings = FeedSettings("m", RADAR.sensor_id, "json", f"mqtt://127.0.0.1:{broker.port}/{TOPIC}")
    feeds = Feeds(desk.writer, [settings], [RADAR], desk.clock)
    desk.app.state.feeds = feeds
    at_work = desk.loop.create_task(feeds.run())
    until(desk, lambda s: bool(s["connected"]))
    broker.publish(*map(document, range(10)), b"{")
    state = until(desk, lambda s: s["pieces"] >= 11 and not s["waiting"])
    assert (state["observations"], state["findings"]) == (10, 1)
    # Durable, so that the broker has its answers: it sends 20 at the most without them.
    until(desk, lambda _: len(batches_of(desk)) >= 10 and kept_at_all(desk) >= 11)
    desk.writer.problem = "the disk is away"  # nothing is acknowledged to the broker now
    broker.publish(*map(document, range(10, 20)))
    until(desk, lambda s: s["pieces"] >= 21)
    broker.end(kill=True)
    until(desk, lambda s: not s["connected"])
    broker.start()
    desk.writer.problem = ""
    until(desk, lambda s: bool(s["connected"]))
    broker.publish(*map(document, range(20, 25)), document(3))  # one of them once more
    until(desk, lambda s: s["pieces"] >= 27 and not s["waiting"])
    feeds.stop()
    desk.loop.run_until_complete(at_work)
    kept = batches_of(desk)
    desk.close()
    assert kept == {f"radar:{n}" for n in range(25)}
