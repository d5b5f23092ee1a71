"""A sensor's side of the service: one kept connection, prepared bodies, as little as can be."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Any

#: The service compiles its kernels on first use on a machine.
START_S = 60.0


class Connection:
    """One HTTP/1.1 connection that is kept."""

    def __init__(self, port: int, token: str) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=30.0)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._head = f"Host: localhost\r\nAuthorization: Bearer {token}\r\n"

    def post(self, path: str, body: bytes) -> tuple[int, bytes]:
        """Status and body of the answer."""
        head = f"POST {path} HTTP/1.1\r\n{self._head}Content-Type: application/json\r\n"
        self._socket.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        return self._answer()

    def get(self, path: str) -> Any:
        """The JSON of the answer; ValueError for another status than 200."""
        self._socket.sendall(f"GET {path} HTTP/1.1\r\n{self._head}\r\n".encode())
        status, body = self._answer()
        if status != 200:
            raise ValueError(f"{path}: {status} {body.decode()}")
        return json.loads(body)

    def _answer(self) -> tuple[int, bytes]:
        data = b""
        while b"\r\n\r\n" not in data:
            data += self._more()
        head, _, body = data.partition(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0])
        while len(body) < length:
            body += self._more()
        return int(head.split(b" ", 2)[1]), body

    def _more(self) -> bytes:
        part = self._socket.recv(262_144)
        if not part:
            raise ConnectionError("the service closed the connection")
        return part

    def close(self) -> None:
        self._socket.close()


class Service:
    """A `skykeep serve` of its own, on a free port, for as long as the block lasts."""

    def __init__(self, folder: Path, site: dict[str, Any]) -> None:
        self.folder, self.data = folder, folder / "data"
        (folder / "site.json").write_text(json.dumps(site), encoding="utf-8")
        self.tokens: dict[str, str] = {}
        self.port = 0

    def token(self, name: str, role: str, sensor: str | None = None) -> str:
        """A token, made as a keeper makes it."""
        said = ["--name", name, "--role", role, *(("--sensor", sensor) if sensor else ())]
        made = subprocess.run(
            [*_SKYKEEP, "token", "new", str(self.folder / "tokens.json"), *said],
            check=True, capture_output=True, text=True,
        )  # fmt: skip
        return made.stdout.strip()

    def __enter__(self) -> Service:
        command = ["serve", "--site", str(self.folder / "site.json"), "--data", str(self.data)]
        tokens = ["--tokens", str(self.folder / "tokens.json"), "--port", "0"]
        self._process = subprocess.Popen(
            [*_SKYKEEP, *command, *tokens], stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        ready = self._process.stdout.readline()
        self.port = int(ready.rpartition(":")[2] or 0)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(START_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()

    def cpu_s(self) -> float:
        """Processor time that the service has taken so far."""
        fields = Path(f"/proc/{self._process.pid}/stat").read_text(encoding="utf-8").split()
        return (int(fields[13]) + int(fields[14])) / os.sysconf("SC_CLK_TCK")

    def peak_mb(self) -> float:
        """The most memory that the service has held."""
        status = Path(f"/proc/{self._process.pid}/status").read_text(encoding="utf-8")
        return int(status.partition("VmHWM:")[2].split()[0]) / 1024.0


_SKYKEEP = (sys.executable, "-m", "skykeep")


def wait_until(at_s: float) -> None:
    """Until a moment of `time.perf_counter`."""
    left_s = at_s - time.perf_counter()
    if left_s > 0:
        time.sleep(left_s)
