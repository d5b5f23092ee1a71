"""Streams cut into messages: by line, by length."""

from __future__ import annotations

from collections.abc import Sequence

from skykeep.errors import InputError


class Lines:
    """Lines that end with a line feed, without it; longer ones are dropped and counted."""

    def __init__(self, most_bytes: int) -> None:
        self._most = most_bytes
        self._rest = b""
        self._skipping = False
        self.dropped = 0

    def push(self, data: bytes) -> Sequence[bytes]:
        """The lines that are whole now."""
        *whole, self._rest = (self._rest + data).split(b"\n")
        if whole and self._skipping:
            self._skipping = False
            del whole[0]  # the end of a line whose beginning was dropped
        kept = [line for line in whole if len(line) <= self._most]
        self.dropped += len(whole) - len(kept)
        if len(self._rest) > self._most:
            if not self._skipping:
                self.dropped += 1
            self._rest, self._skipping = b"", True
        return kept


class LengthPrefixed:
    """Messages behind their length, `width` bytes in the given order; `own` counts itself too.

    InputError for a message over `most_bytes`: where the next one begins nobody knows.
    """

    def __init__(self, width: int, order: str, most_bytes: int, *, own: bool = False) -> None:
        self._width, self._order, self._most = width, order, most_bytes
        self._own = width if own else 0
        self._rest = bytearray()

    def push(self, data: bytes) -> Sequence[bytes]:
        """The messages that are whole now, without their lengths."""
        self._rest += data
        found = []
        at = 0
        while len(self._rest) - at >= self._width:
            head = bytes(self._rest[at : at + self._width])
            length = int.from_bytes(head, "little" if self._order == "little" else "big")
            length -= self._own
            if not 0 <= length <= self._most:
                problem = f"announces a message of {length} bytes"
                mend = f"Is this the right port? At most {self._most} bytes are taken"
                raise InputError("stream", problem, mend)
            end = at + self._width + length
            if end > len(self._rest):
                break
            found.append(bytes(self._rest[at + self._width : end]))
            at = end
        del self._rest[:at]
        return found
