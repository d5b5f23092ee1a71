"""A broker of others: a hand-over is taken when the broker has it, also after it was killed."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import time
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from skykeep.core.handover import Recipient
from skykeep.deliver.settings import Caps, MqttChannel, RecipientSettings
from skykeep.service import dispatch
from skykeep.service import hub as hub_room
from tests.desk import Desk
from tests.scenario.test_tak import configured
from tests.taky import free_port

MOSQUITTO = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin")


def broker(folder: Path, port: int) -> subprocess.Popen[bytes]:
    conf = folder / "mosquitto.conf"
    conf.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\nlog_dest none\n")
    process = subprocess.Popen([str(MOSQUITTO), "-c", str(conf)], stderr=subprocess.DEVNULL)
    for _ in range(400):
        try:
            socket.create_connection(("127.0.0.1", port), 1.0).close()
        except OSError:
            time.sleep(0.02)
        else:
            return process
    process.kill()
    raise AssertionError("mosquitto does not listen")


@pytest.mark.skipif(MOSQUITTO is None, reason="mosquitto (Debian) is not installed")
def test_a_hand_over_outlives_the_broker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub_room, "BEAT_S", 0.05)
    monkeypatch.setattr(dispatch, "RETRIES_S", (0.2,))
    port, heard = free_port(), list[tuple[str, Any]]()
    process = broker(tmp_path, port)
    police = Recipient("police", "responder", ("mqtt",), automatic=(1,), answer_within_s=600.0)
    way = MqttChannel("127.0.0.1", port, "city/police")
    desk = Desk(tmp_path / "site", recipients=(RecipientSettings(police, {"mqtt": way}, Caps()),))
    works = configured(desk)
    link = desk.app.state.dispatcher.links["police", "mqtt"]
    works.until(lambda: link.state.connected)
    process.kill()
    process.wait()
    works.until(lambda: not link.state.connected)
    works.fly(1, 8)
    assert works.state == "waiting"
    process = broker(tmp_path, port)
    listener = paho.Client(CallbackAPIVersion.VERSION2)
    listener.on_message = lambda *m: heard.append((m[2].topic, json.loads(m[2].payload)))
    listener.connect("127.0.0.1", port)
    listener.subscribe("city/police/#", 1)
    listener.loop_start()
    works.until(lambda: works.state == "taken")
    works.fly(8, 9)
    works.until(lambda: any(topic.endswith("tracks") and said["tracks"] for topic, said in heard))
    told = {m["message_id"] for topic, m in heard if topic.endswith("handovers")}
    assert told == {"H00001.1"}
    listener.disconnect()
    listener.loop_stop()
    works.end()
    process.kill()
    process.wait()
