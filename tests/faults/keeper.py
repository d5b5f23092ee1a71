"""A real `skykeep serve` in a process of its own, to be killed, starved and asked."""

from __future__ import annotations

import http.client
import json
import os
import select
import signal
import subprocess
import sys
import time
import weakref
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from skykeep.service.tokens import Holder, Role, digest_of, encode_tokens
from tests.faults.warm import Started

SKYKEEP = (sys.executable, "-m", "skykeep")
OFFICER, RADAR = "officer", "radar"
#: Kernels are compiled on the first start on a machine.
START_S = 120.0

SITE: dict[str, Any] = {
    "authority": "city",
    "name": "Citadel",
    "origin": {"lat_deg": 49.61, "lon_deg": 6.13, "height_hae_m": 347.5},
    "sensors": [
        {
            "sensor": "radar-1", "kind": "position", "lat_deg": 49.61, "lon_deg": 6.13,
            "height_hae_m": 350, "range_max_m": 20_000,
        }
    ],
}  # fmt: skip


def prepare(folder: Path) -> None:
    """Site file and tokens; batches that another site was sent are made anew."""
    _made.clear()
    (folder / "site.json").write_text(json.dumps(SITE), encoding="utf-8")
    holders = (
        Holder(digest_of(OFFICER), "A. Weber", Role.WATCH_OFFICER),
        Holder(digest_of(RADAR), "radar", Role.SENSOR, "radar-1"),
    )
    (folder / "tokens.json").write_bytes(encode_tokens(holders))


class Keeper:
    """One run of the service over the record in a folder; `before` starts it cold, if given."""

    def __init__(self, folder: Path, before: Sequence[str] = (), *more: str) -> None:
        command = ["serve", "--site", str(folder / "site.json"), "--data", str(folder / "data")]
        tokens = ["--tokens", str(folder / "tokens.json"), "--port", "0", *more]
        self.errors = (folder / "stderr.txt").open("ab+")
        self.process: Started | subprocess.Popen[str]
        if before:
            self.process = subprocess.Popen(
                [*before, *SKYKEEP, *command, *tokens],
                stdout=subprocess.PIPE, stderr=self.errors, text=True,
            )  # fmt: skip
        else:
            self.process = Started([*command, *tokens], self.errors)
        weakref.finalize(self, self.process.kill)  # a test that fails leaves nothing running
        assert self.process.stdout is not None
        readable, _, _ = select.select([self.process.stdout], [], [], START_S)
        self.ready = self.process.stdout.readline() if readable else ""
        self.port = int(self.ready.rpartition(":")[2]) if "http://" in self.ready else 0

    def request(
        self, method: str, path: str, token: str = "", body: bytes | None = None
    ) -> tuple[int, Any]:
        """Status and JSON over a connection of its own; OSError while nobody answers."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30.0)
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())
        except http.client.HTTPException as error:
            raise ConnectionError(str(error)) from None
        finally:
            connection.close()

    def post(self, number: int) -> tuple[int, Any]:
        return self.request("POST", "/v1/batches", RADAR, batch(number))

    def kill(self) -> None:
        os.kill(self.process.pid, signal.SIGKILL)
        self.end()

    def stop(self) -> int:
        """Ask it to end; its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.end()

    def end(self) -> int:
        code = self.process.wait(60.0)
        assert self.process.stdout is not None
        self.process.stdout.close()
        self.errors.close()
        return code


def batch(number: int, size: int = 20) -> bytes:
    """A turn of the radar over a few drones; the same number is the same batch."""
    made_ns = _made.setdefault(number, time.time_ns())
    rows = [
        {
            "sensor": "radar-1",
            "time": made_ns,
            "position": {
                "lat_deg": 49.61 + 0.001 * i,
                "lon_deg": 6.13 + 1e-6 * number,
                "sigma_east_m": 5.0,
                "sigma_north_m": 5.0,
                "height_m": 447.5,
                "height_reference": "HAE",
                "sigma_height_m": 8.0,
            },
            "kind": {"drone": 0.97, "bird": 0.01, "aircraft": 0.01, "clutter": 0.01},
        }
        for i in range(size)
    ]
    return json.dumps({"batch_id": f"b{number}", "observations": rows}).encode()


_made: dict[int, int] = {}
