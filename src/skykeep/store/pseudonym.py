"""What stands for a serial number in the history: nobody without the key of its hour can tell.

    pseudonym = HMAC-SHA-256(HMAC-SHA-256(key, "skykeep history 1"), scheme || 0x00 || serial)

cut to 16 bytes; the key is the one that seals the same claim in the record, of its source and
hour. When that is destroyed the pseudonym is a random number for everybody: a list of all
serial numbers does not help. Equal ones within a source and hour still belong together.
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from typing import Protocol

from skykeep.core.observation import Scheme
from skykeep.record.entry import FactKey

LABEL = b"skykeep history 1"
PSEUDONYM_BYTES = 16


class KeyChest(Protocol):
    """Who has the keys: a record."""

    def sealing_keys(self) -> list[tuple[str, int]]:
        """The keys (source, hour) that there are."""

    def sealing_key(self, source: str, hour: int) -> FactKey | None:
        """One of them; None where it is gone."""


class Pseudonyms:
    """Pseudonyms under a chest's keys; for one piece of work, for it remembers what it used."""

    def __init__(self, chest: KeyChest) -> None:
        self._chest = chest
        self._own: dict[tuple[str, int], bytes | None] = {}

    def of(self, source: str, hour: int, scheme: str, serial: str) -> bytes | None:
        """What stands for a serial number there and then; None where the key is gone."""
        where = (source, hour)
        if where not in self._own:
            key = self._chest.sealing_key(source, hour)
            self._own[where] = None if key is None else hmac.digest(key.data, LABEL, "sha256")
        own = self._own[where]
        if own is None:
            return None
        said = scheme.encode() + b"\x00" + serial.encode("utf-8", "surrogatepass")
        return hmac.digest(own, said, "sha256")[:PSEUDONYM_BYTES]

    def all_of(self, serial: str, hours: range) -> Sequence[bytes]:
        """All that can stand for a serial number in these hours, under the keys that are left."""
        found = [
            self.of(source, hour, scheme, serial)
            for source, hour in self._chest.sealing_keys()
            if hour in hours
            for scheme in Scheme
        ]
        return [p for p in found if p is not None]
