"""`skykeep` started from a process that has imported and compiled everything already.

A start costs seconds of imports, and the tests start a service dozens of times. What runs is the
same: `main(arguments)` in a process of its own, forked, with its own standard output and errors,
that can be killed, stopped and waited for.
"""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import signal
import socket
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path
from typing import IO, NoReturn

READY_S = 300.0


class Started:
    """One forked run, with as much of `subprocess.Popen` as the tests use."""

    def __init__(self, arguments: list[str], errors: IO[bytes]) -> None:
        self._line = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._line.connect(_forge())
        read, write = os.pipe()
        request = json.dumps(arguments).encode()
        socket.send_fds(self._line, [request], [write, errors.fileno()])
        os.close(write)
        self.stdout: IO[str] | None = os.fdopen(read, encoding="utf-8")
        self.pid = int(self._line.recv(64))
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """The exit code once it has ended, as `Popen.poll` gives it."""
        return self._ended(0.0)

    def wait(self, timeout: float | None = None) -> int:
        """The exit code, once it has ended; TimeoutExpired if that takes longer."""
        code = self._ended(timeout)
        if code is None:
            raise subprocess.TimeoutExpired(str(self.pid), timeout or 0.0)
        return code

    def send_signal(self, number: int) -> None:
        """Nothing, where it has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """End it at once."""
        self.send_signal(signal.SIGKILL)

    def _ended(self, timeout: float | None) -> int | None:
        if self.returncode is None:
            self._line.settimeout(timeout)
            with contextlib.suppress(BlockingIOError, TimeoutError):
                self.returncode = int(self._line.recv(64))
                self._line.close()
        return self.returncode


@cache
def _forge() -> str:
    """Where the process listens that everything is forked from; it ends with this one."""
    path = str(Path(tempfile.mkdtemp(prefix="skykeep-")) / "forge")
    made = subprocess.Popen(
        [sys.executable, __file__, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    _alive.append(made)  # its standard input closes when we end
    assert made.stdout is not None
    assert made.stdout.readline() == b"ready\n"
    return path


_alive: list[subprocess.Popen[bytes]] = []


def _run(arguments: list[str], output: int, errors: int) -> NoReturn:
    from skykeep.cli import main

    os.setpgid(0, 0)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for own, standard in ((nothing, 0), (output, 1), (errors, 2)):
        os.dup2(own, standard)
    code = 1
    try:
        code = main(arguments)
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _serve(path: str) -> None:
    import skykeep.commands.serve  # noqa: F401
    from skykeep.runtime import rehearse

    rehearse()
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    listener.bind(path)
    listener.listen(64)
    waiting = selectors.DefaultSelector()
    waiting.register(listener, selectors.EVENT_READ)
    waiting.register(sys.stdin, selectors.EVENT_READ)
    print("ready", flush=True)
    while True:
        for key, _ in waiting.select():
            if key.fileobj is sys.stdin:
                return
            if key.fileobj is listener:
                line, _ = listener.accept()
                request, fds, _, _ = socket.recv_fds(line, 1 << 16, 2)
                if not request:
                    line.close()
                    continue
                pid = os.fork()
                if pid == 0:
                    _run(json.loads(request), *fds)
                for fd in fds:
                    os.close(fd)
                line.send(str(pid).encode())
                waiting.register(os.pidfd_open(pid), selectors.EVENT_READ, (pid, line))
                continue
            pid, line = key.data
            code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
            with contextlib.suppress(OSError):
                line.send(str(code).encode())
            line.close()
            waiting.unregister(key.fileobj)
            os.close(key.fd)


if __name__ == "__main__":
    _serve(sys.argv[1])
