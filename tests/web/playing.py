"""`skykeep demo` with its page in a process of its own, to be looked at."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any, Self

START_S = 180.0


class Demo:
    """One night that is being played; `links` holds an address for each role."""

    def __init__(self, folder: Path, speed: float) -> None:
        self.folder, self.lines = folder, list[str]()
        self.links: dict[str, str] = {}
        self._told = threading.Condition()
        command = [sys.executable, "-m", "skykeep", "demo", "--page", "--out", str(folder)]
        self.process = subprocess.Popen(
            [*command, "--speed", str(speed), "--patience", "300", "--port", "0"],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )  # fmt: skip
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def __enter__(self) -> Self:
        self.said("becomes part of it", START_S)
        for line in self.lines:
            found = re.search(r"\((\w+)\)\s+(http://\S+)", line)
            if found:
                self.links[found[1]] = found[2]
        return self

    def __exit__(self, *error: object) -> None:
        if self.process.poll() is None:
            self.stop()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            with self._told:
                self.lines.append(line)
                self._told.notify_all()

    def said(self, words: str, within_s: float) -> str:
        """The first line with these words, once it has come; AssertionError if it does not."""

        def found() -> str | None:
            return next((line for line in self.lines if words in line), None)

        with self._told:
            self._told.wait_for(lambda: found() or self.process.poll() is not None, within_s)
            line = found()
        assert line is not None, "".join(self.lines)
        return line

    def get(self, path: str, role: str = "watch_officer") -> Any:
        """A question over HTTP, as the holder of a role."""
        address, _, token = self.links[role].partition("/#token=")
        connection = http.client.HTTPConnection(address.removeprefix("http://"), timeout=30.0)
        try:
            connection.request("GET", path, headers={"Authorization": f"Bearer {token}"})
            answer = connection.getresponse()
            assert answer.status == 200, answer.read()
            return json.loads(answer.read())
        finally:
            connection.close()

    def stop(self) -> int:
        """Ctrl-C; the exit code."""
        self.process.send_signal(signal.SIGINT)
        code = self.process.wait(60.0)
        self._reader.join(10.0)
        assert self.process.stdout is not None
        self.process.stdout.close()
        return code
