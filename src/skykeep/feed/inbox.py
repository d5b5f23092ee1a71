"""What has arrived and waits for its decoder: bounded, and what finds no room is counted."""

from __future__ import annotations

import hashlib
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from skykeep.units import NS_PER_S

#: Peers of one source that are remembered.
MOST_PEERS = 100


@dataclass(frozen=True, slots=True)
class Piece:
    """Bytes as they arrived: a datagram, a line, a message; `origin` says from which peer.

    `settled` is called once: with True when all that they said is durable, with False where a
    part of it was refused for good. It is not called while that is open.
    """

    at_ns: int
    data: bytes
    origin: str = ""
    settled: Callable[[bool], None] | None = None


@dataclass(frozen=True, slots=True)
class Arrived:
    """What an inbox has seen since it was made. `digest` is over all that was shed, in order."""

    pieces: int = 0
    size_bytes: int = 0
    waiting: int = 0
    shed: int = 0
    shed_bytes: int = 0
    digest: str = ""
    last_ns: int = 0
    connected: bool = False
    connects: int = 0


class Inbox:
    """Takes pieces from a source's thread; gives them to the decoder's.

    What arrives while it is full, or beyond `most_per_s` in one second, is shed: what came
    first is older, and its decoder is on it.
    """

    def __init__(
        self, clock: Callable[[], int], most_pieces: int, most_bytes: int, most_per_s: int
    ) -> None:
        self._clock, self._most, self._most_bytes = clock, most_pieces, most_bytes
        self._most_per_s, self._second, self._in_second = most_per_s, 0, 0
        self._changed = threading.Condition()
        self._pieces: deque[Piece] = deque()
        self._waiting_bytes = 0
        self._arrived = self._arrived_bytes = self._shed = self._shed_bytes = 0
        self._digest = hashlib.sha256()
        self._last_ns = 0
        self._is_connected, self._connects = False, 0
        self._peers: dict[str, str] = {}

    def put(
        self, data: bytes, origin: str = "", settled: Callable[[bool], None] | None = None
    ) -> bool:
        """Take a piece, received now; False where it was shed."""
        at_ns = self._clock()
        with self._changed:
            self._arrived += 1
            self._arrived_bytes += len(data)
            self._last_ns = at_ns
            if at_ns // NS_PER_S != self._second:
                self._second, self._in_second = at_ns // NS_PER_S, 0
            full = self._waiting_bytes + len(data) > self._most_bytes
            if self._in_second >= self._most_per_s or len(self._pieces) >= self._most or full:
                self._shed += 1
                self._shed_bytes += len(data)
                self._digest.update(len(data).to_bytes(8, "big") + data)
                return False
            self._in_second += 1
            self._pieces.append(Piece(at_ns, data, origin, settled))
            self._waiting_bytes += len(data)
            self._changed.notify()
        return True

    def take(self, most: int, timeout_s: float) -> list[Piece]:
        """Up to so many pieces, as soon as there is one; empty after the time."""
        with self._changed:
            if not self._pieces:
                self._changed.wait(timeout_s)
            taken = [self._pieces.popleft() for _ in range(min(most, len(self._pieces)))]
            self._waiting_bytes -= sum(len(piece.data) for piece in taken)
        return taken

    def connected(self) -> None:
        """The source is there."""
        with self._changed:
            self._is_connected = True
            self._connects += 1

    def lost(self) -> None:
        """The source is not there any more."""
        with self._changed:
            self._is_connected = False
            self._changed.notify()

    def peer(self, name: str, words: str) -> None:
        """How one who speaks to the source does; who was told of longest ago is forgotten."""
        with self._changed:
            self._peers.pop(name, None)
            self._peers[name] = words
            if len(self._peers) > MOST_PEERS:
                del self._peers[next(iter(self._peers))]

    def peers(self) -> dict[str, str]:
        """Who speaks to the source, by name, with words on each."""
        with self._changed:
            return dict(self._peers)

    def arrived(self) -> Arrived:
        """What it has seen so far."""
        with self._changed:
            return Arrived(
                self._arrived, self._arrived_bytes, len(self._pieces), self._shed,
                self._shed_bytes, self._digest.hexdigest() if self._shed else "", self._last_ns,
                self._is_connected, self._connects,
            )  # fmt: skip
