"""`skykeep feeds`: an integrator sees in seconds whether the cable is right."""

from __future__ import annotations

import json
import socket
import threading
import time
from pathlib import Path

import pytest

from skykeep.cli import main
from skykeep.codec.moment import format_moment

SENSOR = {
    "sensor": "radar-1", "kind": "radar", "lat_deg": 49.61, "lon_deg": 6.13, "height_hae_m": 340,
    "range_max_m": 6_000,
}  # fmt: skip


def free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def site(folder: Path, port: int) -> str:
    file = folder / "site.json"
    document = {
        "authority": "city-x", "name": "Try", "sensors": [SENSOR],
        "origin": {"lat_deg": 49.61, "lon_deg": 6.13, "height_hae_m": 340},
        "feeds": [{"feed": "radar", "sensor": "radar-1", "kind": "json",
                   "address": f"udp://127.0.0.1:{port}"}],
    }  # fmt: skip
    file.write_text(json.dumps(document))
    return str(file)


def told(port: int, done: threading.Event) -> None:
    polar = {"range_m": 900, "azimuth_deg": 40, "elevation_deg": 5, "sigma_range_m": 5,
             "sigma_azimuth_deg": 1, "sigma_elevation_deg": 1}  # fmt: skip
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        for number in range(2_000):
            if done.is_set():
                return
            row = {"sensor": "radar-1", "time": format_moment(time.time_ns()), "polar": polar}
            document = {"batch_id": f"r:{number}", "observations": [row]}
            one.sendto(json.dumps(document).encode(), ("127.0.0.1", port))
            one.sendto(b"no json", ("127.0.0.1", port))
            time.sleep(0.02)


def test_what_is_heard_is_printed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    port = free_port()
    file = site(tmp_path, port)
    done = threading.Event()
    sender = threading.Thread(target=told, args=(port, done))
    sender.start()
    try:
        assert main(["feeds", "try", file, "--seconds", "0.7"]) == 0
    finally:
        done.set()
        sender.join()
    said = capsys.readouterr().out
    assert said.startswith(f"radar (json from udp://127.0.0.1:{port}): well\n")
    assert said.count("radar-1 polar: 900 m, 40 deg, 5 deg up") == 5
    assert "error: radar-try 127.0.0.1: $: broken JSON" in said


def test_silence_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = site(tmp_path, free_port())
    assert main(["feeds", "try", file, "--seconds", "0.1", "--json"]) == 1
    (state,) = json.loads(capsys.readouterr().out)["feeds"]
    assert (state["feed"], state["connected"], state["pieces"], state["seen"]) == (
        "radar", True, 0, [],
    )  # fmt: skip
    assert main(["feeds", "try", file, "--seconds", "0.1"]) == 1
    assert "nothing came: is anything sent there?" in capsys.readouterr().out


def test_what_cannot_be_tried_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = site(tmp_path, free_port())
    assert main(["feeds", "try", file, "--feed", "adsb"]) == 2
    assert "names no feed 'adsb'" in capsys.readouterr().err
    assert main(["feeds", "try", file, "--seconds", "nan"]) == 2


def test_kinds_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["feeds", "kinds"]) == 0
    text = capsys.readouterr().out
    assert "sapient: SAPIENT edge nodes" in text
    assert "from listen://" in text
    assert main(["feeds", "kinds", "--json"]) == 0
    kinds = {k["kind"]: k for k in json.loads(capsys.readouterr().out)["kinds"]}
    assert "mqtt" in kinds["json"]["schemes"]
    assert "headings" in kinds["sapient"]["options"]
