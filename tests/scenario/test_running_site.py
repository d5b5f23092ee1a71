"""A site as its keepers use it: served, told, watched, asked for a dossier, stopped, checked."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from skykeep.cli import main
from skykeep.codec.ed318_write import write_ed318
from skykeep.codec.permits import encode_permits
from skykeep.core.geo import Circle, HeightAgl, Volume, Volume4D
from skykeep.core.permit import Permit, PermitState
from skykeep.core.zone import Authority, Restriction, Zone
from skykeep.units import PermitId, ZoneId

PLACE = {"lat_deg": 49.6083, "lon_deg": 6.1337}
SITE = {
    "authority": "city-x",
    "name": "Citadel",
    "origin": PLACE | {"height_hae_m": 337.0},
    "terrain": {"lowest_amsl_m": 230, "highest_amsl_m": 400, "geoid_low_m": 47, "geoid_high_m": 48},
    "sensors": [
        {"sensor": "radar-1", "kind": "position", "height_hae_m": 340, "range_max_m": 8000} | PLACE
    ],
}
AROUND = Volume(Circle(49.6083, 6.1337, 500.0), HeightAgl(0.0), HeightAgl(300.0))
READY_S = 30.0


@dataclass
class Running:
    folder: Path
    url: str
    process: subprocess.Popen[str]

    def token(self, name: str) -> list[str]:
        return ["--token-file", str(self.folder / f"{name}.token")]

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=READY_S)


@pytest.fixture
def running(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Running]:
    (tmp_path / "site.json").write_text(json.dumps(SITE))
    tokens = str(tmp_path / "tokens.json")
    roles = (("watch_officer", []), ("permit_officer", []), ("sensor", ["--sensor", "radar-1"]))
    for role, more in roles:
        assert main(["token", "new", tokens, "--name", role, "--role", role, *more]) == 0
        lines = capsys.readouterr().out.split()
        (tmp_path / f"{role}.token").write_text(lines[-1])
    site, data = str(tmp_path / "site.json"), str(tmp_path / "data")
    command = [sys.executable, "-m", "skykeep", "serve", "--site", site, "--data", data]
    process = subprocess.Popen(
        [*command, "--tokens", tokens, "--port", "0"], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    said = process.stdout.readline()
    found = re.search(r"http://127\.0\.0\.1:\d+", said)
    assert found, said
    yield Running(tmp_path, found.group(), process)
    if process.poll() is None:
        process.kill()
    process.wait()
    process.stdout.close()


def post(running: Running, path: str, body: object, token: str) -> Any:
    secret = (running.folder / f"{token}.token").read_text()
    request = urllib.request.Request(
        running.url + path,
        json.dumps(body).encode(),
        {"Authorization": f"Bearer {secret}", "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=READY_S) as answer:
        return json.load(answer)


def hover(running: Running, turns: int) -> None:
    """A drone in the middle of the zone, seen a few times a second."""
    for turn in range(turns):
        now = datetime.now(UTC).isoformat().replace("+00:00", "Z")
        place = PLACE | {"height_m": 400, "height_reference": "AMSL"}
        sigmas = {"sigma_east_m": 5, "sigma_north_m": 5, "sigma_height_m": 5}
        kind = {"drone": 0.9, "bird": 0.03, "aircraft": 0.03, "clutter": 0.04}
        seen = {"sensor": "radar-1", "time": now, "position": place | sigmas, "kind": kind}
        batch = {"batch_id": f"turn {turn}", "observations": [seen]}
        answer = post(running, "/v1/batches", batch, "sensor")
        assert answer["rejected"] == []
        assert post(running, "/v1/batches", batch, "sensor")["repeated"]
        time.sleep(0.3)  # the site's clock is the real one


def test_a_day_at_a_running_site(running: Running, capsys: pytest.CaptureFixture[str]) -> None:
    folder, url = running.folder, running.url
    office = Authority("City", "AUTHORIZATION", email="a@city.example")
    zone = Zone(
        ZoneId("Z1"), "Citadel", "city-x", Restriction.PROHIBITED, (AROUND,), country="LUX",
        reasons=("SENSITIVE",), authorities=(office,),
    )  # fmt: skip
    (folder / "zones.json").write_bytes(write_ed318((zone,)))
    permit = Permit(
        PermitId("P1"), "city-x", "A pilot", ("SKV18SRV00017",), (ZoneId("Z1"),),
        (Volume4D(AROUND, None, None),), PermitState.SUBMITTED,
    )  # fmt: skip
    (folder / "permits.json").write_bytes(encode_permits("city-x", (permit,)))

    def run(*words: str) -> int:
        return main(list(words))

    zones, permits = str(folder / "zones.json"), str(folder / "permits.json")
    officer, office_token = running.token("watch_officer"), running.token("permit_officer")
    assert run("zones", "publish", zones, "--to", url, *officer) == 0
    assert run("permit", "put", permits, "--to", url, *office_token) == 0
    assert run("permit", "grant", url, "P1", *office_token) == 0
    assert run("permit", "grant", url, "P1", *office_token) == 1  # granted already
    assert run("permit", "revoke", url, "P1", "--why", "flew low", *officer) == 0
    assert run("permit", "revoke", url, "P9", "--why", "x", *officer) == 1
    assert run("permit", "list", url, *running.token("sensor")) == 1  # not for a sensor
    capsys.readouterr()
    assert run("permit", "list", url, *officer) == 0
    (kept,) = json.loads(capsys.readouterr().out)["permits"]
    assert (kept["state"], kept["state_why"]) == ("revoked", "flew low")

    hover(running, 12)
    opened = post(
        running,
        "/v1/commands/open_incident",
        {"title": "One", "alerts": ["A00001"]},
        "watch_officer",
    )
    assert opened["incident"] == "I0001"
    dossier, key = str(folder / "d.zip"), str(folder / "data" / "log.vkey")
    assert run("incident", "dossier", url, "I0001", "--out", dossier, *officer) == 0
    assert run("verify", dossier, "--key", key) == 0
    assert run("incident", "dossier", url, "I0009", "--out", dossier, *officer) == 2
    assert run("zones", "propose", zones, "--to", url, "--why", "a park", *officer) == 0
    assert run("zones", "approve", url, "Z1", *officer) == 1  # the permit office's step
    assert run("zones", "approve", url, "Z1", *office_token) == 1  # it names no legal basis
    assert run("zones", "ban", zones, "--to", url, "--why", "x", *officer) == 1
    assert run("zones", "withdraw", url, "Z1", "--why", "over", "--version", "1", *officer) == 0
    capsys.readouterr()
    assert run("zones", "versions", url, "Z1", *officer) == 0
    versions = json.loads(capsys.readouterr().out)["versions"]
    assert [v["state"] for v in versions] == ["withdrawn", "proposed"]
    assert run("zones", "list", url, "--at", versions[0]["since"], *officer) == 0
    (feature,) = json.loads(capsys.readouterr().out)["features"]
    assert feature["properties"]["identifier"] == "Z1"
    assert run("zones", "list", url, "--at", versions[0]["until"], *officer) == 0
    assert json.loads(capsys.readouterr().out)["features"] == []

    assert running.stop() == 0
    data = str(folder / "data")
    capsys.readouterr()
    assert run("recompute", data) == 0
    assert "verdicts and alerts are the same" in capsys.readouterr().out
    assert run("incident", "list", data) == 0
    assert "I0001  open" in capsys.readouterr().out
    assert run("permit", "list", url, *officer) == 2  # nobody answers any more
