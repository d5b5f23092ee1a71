"""Who of many transmitters is let in when more speak than the engine can follow.

Anyone with a radio can invent ten thousand drones. Whoever was heard before goes first; of those
who come new, whoever speaks again goes before whoever spoke once, because an invented address is
mostly used once and an aircraft repeats itself every second (F3411-22a 5.4.3). What is left out
is counted, with a digest over all of it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from skykeep.feed.remote_id import Packet
from skykeep.units import NS_PER_S, seconds

#: Transmitters that are let in at once: many times what flies within one receiver's reach, and
#: what the engine followed without being late in two invented crowds (docs/sources/remote-id.md).
MOST_KNOWN = 300
#: What one of them may say in a second: on Bluetooth 4 each message comes alone, some five of
#: them up to ten times a second.
MOST_OF_ONE_PER_S = 50
#: New ones let in each second at their first word, and at a later one.
NEW_PER_S = 20
AGAIN_PER_S = 40
#: Heard again so much later, it is not the same frame sent on two carriers at once.
AGAIN_NS = seconds(0.2)
#: Silent for so long, its place is free.
FORGET_NS = seconds(30.0)
#: Newcomers remembered until they speak again, in two generations of `GENERATION_NS`.
MOST_NEW = 50_000
GENERATION_NS = seconds(3.0)


@dataclass(slots=True)
class _Known:
    last_ns: int
    second: int
    in_second: int


class Admission:
    """Lets packets in; bounded in memory. `shed`, `shed_bytes` and `digest` are over the rest."""

    def __init__(self, most_known: int = MOST_KNOWN) -> None:
        self.shed = self.shed_bytes = 0
        self._most_known = most_known
        self._known: dict[str, _Known] = {}  # in the order of hearing
        self._new: dict[str, int] = {}
        self._before: dict[str, int] = {}
        self._generation_ns = 0
        self._second = self._once = self._again = 0
        self._digest = hashlib.sha256()

    @property
    def digest(self) -> str:
        """SHA-256 over all that was shed, in its order; empty while nothing was."""
        return self._digest.hexdigest() if self.shed else ""

    def admit(self, packets: Sequence[Packet]) -> list[Packet]:
        """Those of the packets that may go on, in their order."""
        return [p for p in packets if self.admits(p.transmitter, p.receipt_time_ns, p.data)]

    def admits(self, transmitter: str, at_ns: int, data: bytes) -> bool:
        """Whether what a transmitter said may go on; counted where not."""
        if self._may(transmitter, at_ns):
            return True
        self.shed += 1
        self.shed_bytes += len(data)
        self._digest.update(len(data).to_bytes(8, "big") + data)
        return False

    def _may(self, transmitter: str, at_ns: int) -> bool:
        second = at_ns // NS_PER_S
        known = self._known.pop(transmitter, None)
        if known is not None:
            self._known[transmitter] = known
            if known.second != second:
                known.second, known.in_second = second, 0
            known.last_ns, known.in_second = at_ns, known.in_second + 1
            return known.in_second <= MOST_OF_ONE_PER_S
        if second != self._second:
            self._second, self._once, self._again = second, 0, 0
        if not self._has_room(at_ns) or not self._first_word(transmitter, at_ns):
            return False
        self._known[transmitter] = _Known(at_ns, second, 1)
        return True

    def _has_room(self, at_ns: int) -> bool:
        if len(self._known) < self._most_known:
            return True
        oldest = next(iter(self._known))
        if at_ns - self._known[oldest].last_ns <= FORGET_NS:
            return False
        del self._known[oldest]
        return True

    def _first_word(self, transmitter: str, at_ns: int) -> bool:
        """Whether a new one is let in, now or because it spoke before."""
        if at_ns - self._generation_ns > GENERATION_NS:
            self._before, self._new, self._generation_ns = self._new, {}, at_ns
        first_ns = self._new.get(transmitter, self._before.get(transmitter))
        if first_ns is not None and at_ns - first_ns >= AGAIN_NS and self._again < AGAIN_PER_S:
            self._again += 1
            return True
        if self._once < NEW_PER_S:
            self._once += 1
            return True
        if first_ns is None and len(self._new) < MOST_NEW:
            self._new[transmitter] = at_ns
        return False
