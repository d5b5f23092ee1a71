"""Beast binary (port 30005): Mode S messages with time and level, as Mode-S Beast defines it.

    0x1A   kind   6 octets of time   1 octet of level   the message
    kind   "1" Mode A/C, 2 octets; "2" Mode S short, 7; "3" long, 14; "4" the receiver's state

An octet 0x1A within is doubled. The time counts 12 MHz since the receiver's start, or, from a
receiver with GPS, nanoseconds since midnight; which one it is the stream does not say, so that
only differences count.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

ESCAPE = 0x1A
_LENGTH = {0x31: 2, 0x32: 7, 0x33: 14, 0x34: 14}
_HEAD = 7
#: Ticks in a second of a receiver without GPS.
TICKS_PER_S = 12_000_000
#: Network receivers stamp so what they did not hear themselves but computed (MLAT).
MLAT_TICKS = 0xFF00_4D4C_4154


@dataclass(frozen=True, slots=True)
class Beast:
    """One message as received; `ticks` as above, `level` of 255."""

    kind: int
    ticks: int
    level: int
    data: bytes

    @property
    def is_mlat(self) -> bool:
        """Whether several receivers computed where it was: the position is measured, not said."""
        return self.ticks == MLAT_TICKS


class Frames:
    """Cuts a stream into frames without escapes: kind, time, level, message; others are counted.

    Whatever comes, it holds at most one frame that is not whole.
    """

    def __init__(self) -> None:
        self._rest = b""
        self.dropped = 0

    def push(self, data: bytes) -> Sequence[bytes]:
        """The frames that are whole now."""
        data = self._rest + data
        found: list[bytes] = []
        at, size = 0, len(data)
        while (at := data.find(b"\x1a", at)) >= 0:
            if at + 1 >= size:
                break
            length = _LENGTH.get(data[at + 1])
            if length is None:
                self.dropped += 1
                at += 2 if data[at + 1] == ESCAPE else 1
                continue
            frame, after = _whole(data, at + 1, 1 + _HEAD + length)
            if frame is None:
                if after < 0:
                    break
                self.dropped += 1
                at = after
                continue
            found.append(frame)
            at = after
        self._rest = data[at:] if at >= 0 else b""
        return found


def _whole(data: bytes, at: int, length: int) -> tuple[bytes | None, int]:
    """A frame of so many octets without its escapes and where it ends; None and -1: not yet."""
    end = at + length
    if data.find(b"\x1a", at, end) < 0:
        return (data[at:end], end) if end <= len(data) else (None, -1)
    out = bytearray()
    while len(out) < length:
        if at >= len(data):
            return None, -1
        if data[at] == ESCAPE:
            if at + 1 >= len(data):
                return None, -1
            if data[at + 1] != ESCAPE:
                return None, at  # another frame begins within this one
            at += 1
        out.append(data[at])
        at += 1
    return bytes(out), at


def read_frame(frame: bytes) -> Beast | None:
    """A frame that `Frames` gave; None for one that is none."""
    if len(frame) < 1 + _HEAD or len(frame) != 1 + _HEAD + _LENGTH.get(frame[0], -1):
        return None
    return Beast(frame[0] - 0x30, int.from_bytes(frame[1:7], "big"), frame[7], frame[8:])


def encode(beast: Beast) -> bytes:
    """A frame as it is sent, for tests."""
    body = beast.ticks.to_bytes(6, "big") + bytes([beast.level]) + beast.data
    return bytes([ESCAPE, 0x30 + beast.kind]) + body.replace(b"\x1a", b"\x1a\x1a")
