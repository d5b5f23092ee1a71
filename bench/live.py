"""A thousand listeners of the live stream: how late a message is when it arrives.

A `skykeep serve` of its own holds 500 confirmed tracks that a sensor in a third process keeps
posting; a second process listens, on the same two cores. A message says when it was made
(`at_ms` of `tracks`, the machine's own clock); it is read by the listener to its last byte,
but not decoded further.
"""

from __future__ import annotations

import asyncio
import json
import math
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

from bench.client import Connection, Service, wait_until
from bench.figure import Figure
from bench.service import DRONE, ZONE, body, observation, site

LISTENERS, TRACKS = 1_000, 500
SECONDS = 25
#: The stalled listener takes so much and then nothing; its socket's buffer is small.
STALLED_BUFFER_BYTES = 65_536
AIM_P99_S = 0.200
#: A sensor's batch; five of them are a turn over all tracks.
BATCH, TURN_S = 100, 1.0
#: Messages at the start of each connection and while tracks settle are not counted.
SETTLE_S = 6.0
_PING, _PONG = 0x89, b"\x8a"  # a client masks what it says: here with zeros
_TOPIC = b"\xa5topic\xa6tracks\xa5at_ms\xcb"


def figures() -> list[Figure]:
    """Quick listeners alone, then beside one that has stopped reading."""
    return [*_run(stalled=0), *_run(stalled=1)]


def _run(stalled: int) -> list[Figure]:
    with tempfile.TemporaryDirectory() as folder:
        service = Service(Path(folder), site(1))
        officer, radar = (
            service.token("watch_officer", "watch_officer"),
            service.token("r", "sensor", "radar-0"),
        )
        with service:
            desk = Connection(service.port, officer)
            assert desk.post("/v1/commands/publish_zone", json.dumps(ZONE).encode())[0] == 200
            ended = threading.Event()
            feeding = threading.Thread(target=_feed, args=(service.port, radar, ended))
            feeding.start()
            try:
                said = _listened(service.port, officer, stalled)
            finally:
                ended.set()
                feeding.join()
            held = len(desk.get("/v1/tracks")["tracks"])
            left_out = _left_out(service.port, officer)
            desk.close()
    spoiled = "" if held == TRACKS else f"{held} tracks, not {TRACKS}"
    if stalled and not left_out:
        spoiled = spoiled or "no frame was left out: the listener was not stalled"
    return _figures(said, stalled, spoiled)


def _left_out(port: int, token: str) -> float:
    """Frames left out for slow listeners."""
    headers = {"Authorization": f"Bearer {token}"}
    asked = urllib.request.Request(f"http://127.0.0.1:{port}/metrics", headers=headers)
    with urllib.request.urlopen(asked) as answer:
        lines = answer.read().decode().splitlines()
    (line,) = (one for one in lines if one.startswith("skykeep_frames_skipped_total "))
    return float(line.split()[1])


def _figures(said: dict[str, list[float]], stalled: int, spoiled: str) -> list[Figure]:
    late = sorted(said["late_s"])
    due = LISTENERS * said["beats"][0]
    if len(late) < 0.99 * due:
        spoiled = spoiled or f"{len(late)} messages came, {due:.0f} were due"
    note = (
        f"{LISTENERS} listeners, {TRACKS} tracks once a second, {len(late)} messages of "
        f"{said['bytes'][0] / 1e3:.0f} kB; from the moment they show to the last byte read"
    )
    beside = ", one listener stalled" if stalled else ""
    return [
        Figure(f"live stream{beside}, p{share * 100:.0f}", _at(late, share), "s", aim,
               less_is_better=True, note=note, spoiled=spoiled)
        for share, aim in ((0.5, None), (0.99, AIM_P99_S))
    ]  # fmt: skip


def _at(ordered: list[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else math.nan


def _feed(port: int, token: str, ended: threading.Event) -> None:
    """Every track once a second, in batches that follow one another."""
    connection = Connection(port, token)
    start_s, turn = time.perf_counter(), 0
    while not ended.is_set():
        for first in range(0, TRACKS, BATCH):
            wait_until(start_s + TURN_S * (turn + first / TRACKS))
            rows = [
                observation(0, time.time_ns(), _place(i, turn), DRONE)
                for i in range(first, first + BATCH)
            ]
            assert connection.post("/v1/batches", body(f"t{turn}-{first}", rows))[0] == 200
        turn += 1
    connection.close()


def _place(number: int, turn: int) -> tuple[float, float]:
    """Half a kilometre from its neighbours, flying north."""
    return 500.0 * (number % 25 - 12), 500.0 * (number // 25 - 10) + 8.0 * turn


def _listened(port: int, token: str, stalled: int) -> dict[str, list[float]]:
    """What the listeners' process found."""
    command = [sys.executable, "-m", "bench.live", str(port), token, str(stalled)]
    made = subprocess.run(command, check=True, capture_output=True, text=True)
    found: dict[str, list[float]] = json.loads(made.stdout)
    return found


# -- the listeners' process ---------------------------------------------------------------


class _Listener(asyncio.BufferedProtocol):
    """One WebSocket: finds the ends of frames, looks at the first bytes of each."""

    def __init__(self, note: Callable[[float, int], None], head: bytes) -> None:
        self._note, self._head = note, head
        self._buffer = bytearray(1 << 20)
        self._view = memoryview(self._buffer)
        self._filled = 0
        self._shaken = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        transport.write(self._head)

    def get_buffer(self, sizehint: int) -> memoryview:
        return self._view[self._filled :]

    def buffer_updated(self, nbytes: int) -> None:
        self._filled += nbytes
        start = 0
        if not self._shaken:
            end = self._buffer.find(b"\r\n\r\n", 0, self._filled)
            if end < 0:
                return
            self._shaken, start = True, end + 4
        while (size := self._frame(start)) and start + size[0] + size[1] <= self._filled:
            body_at = start + size[0]
            shown = bytes(self._view[body_at : body_at + min(size[1], 40)])
            at = shown.find(_TOPIC)
            if self._buffer[start] == _PING:
                self.transport.write(_PONG + bytes((0x80 | size[1], 0, 0, 0, 0)) + shown)
            elif at >= 0:
                (at_ms,) = struct.unpack_from(">d", shown, at + len(_TOPIC))
                self._note(at_ms, size[1])
            start = body_at + size[1]
        if start:
            self._buffer[: self._filled - start] = self._buffer[start : self._filled]
            self._filled -= start

    def _frame(self, at: int) -> tuple[int, int] | None:
        """Lengths of the head and the body of the frame that begins there; None: not yet."""
        if self._filled - at < 10:
            return None
        size = self._buffer[at + 1] & 0x7F
        if size == 126:
            return 4, int.from_bytes(self._view[at + 2 : at + 4], "big")
        if size == 127:
            return 10, int.from_bytes(self._view[at + 2 : at + 10], "big")
        return 2, size


async def _listen(port: int, token: str, stalled: int) -> dict[str, list[float]]:
    loop = asyncio.get_running_loop()
    begun_s = ends_s = math.inf
    late_s: list[float] = []
    beats: set[float] = set()
    size = [0.0]

    def note(at_ms: float, length: int) -> None:
        now_s = time.time()
        if begun_s * 1e3 <= at_ms < (ends_s - 1.0) * 1e3:
            late_s.append(now_s - at_ms / 1e3)
            beats.add(at_ms)
            size[0] = float(length)

    head = (
        f"GET /v1/live HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
        f"Authorization: Bearer {token}\r\n\r\n"
    ).encode()
    deaf = [_deaf(port, head) for _ in range(stalled)]
    for _ in range(LISTENERS):
        await loop.create_connection(lambda: _Listener(note, head), "127.0.0.1", port)
        await asyncio.sleep(0.002)
    begun_s = time.time() + SETTLE_S
    ends_s = begun_s + SECONDS
    await asyncio.sleep(ends_s - time.time())
    for each in deaf:
        each.close()
    return {"late_s": late_s, "beats": [float(len(beats))], "bytes": size}


def _deaf(port: int, head: bytes) -> socket.socket:
    """One that asks for the stream and then never reads."""
    made = socket.socket()
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, STALLED_BUFFER_BYTES)
    made.connect(("127.0.0.1", port))
    made.sendall(head)
    return made


if __name__ == "__main__":
    found = asyncio.run(_listen(int(sys.argv[1]), sys.argv[2], int(sys.argv[3])))
    print(json.dumps(found))
