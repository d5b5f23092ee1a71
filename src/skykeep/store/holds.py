"""Facts that are kept past their hour's key: sealed anew, each under the key of its hold.

A hold takes the facts that it needs and no more: whoever else flew in the same hour is not held.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from skykeep.errors import RecordError
from skykeep.record.entry import SALT_BYTES, SEAL_KEY_BYTES

_NONCE_BYTES = 12  # of AES-GCM, NIST SP 800-38D section 5.2.1.1


@dataclass(frozen=True, slots=True)
class HeldFact:
    """A fact with the salt that discloses it, and its place in the record."""

    index: int
    place: int
    salt: bytes
    data: bytes


def hold(keys: sqlite3.Connection, name: str, facts: Sequence[HeldFact]) -> None:
    """Keep facts for a hold; the transaction is the caller's. What it has already stays."""
    row = keys.execute("SELECT key FROM hold_keys WHERE hold = ?", (name,)).fetchone()
    key = os.urandom(SEAL_KEY_BYTES) if row is None else row[0]
    if row is None:
        keys.execute("INSERT INTO hold_keys VALUES (?, ?)", (name, key))
    for fact in facts:
        nonce, where = os.urandom(_NONCE_BYTES), (fact.index, fact.place)
        sealed = nonce + AESGCM(key).encrypt(nonce, fact.salt + fact.data, _bound(*where))
        keys.execute("INSERT OR IGNORE INTO held VALUES (?, ?, ?, ?)", (name, *where, sealed))


def release(keys: sqlite3.Connection, name: str) -> None:
    """Let go of a hold: its key and what it sealed; the transaction is the caller's."""
    keys.execute("DELETE FROM held WHERE hold = ?", (name,))
    keys.execute("DELETE FROM hold_keys WHERE hold = ?", (name,))


def held(keys: sqlite3.Connection, index: int, place: int) -> HeldFact | None:
    """A fact that some hold keeps; RecordError where what is stored does not open."""
    row = keys.execute(
        "SELECT sealed, key FROM held JOIN hold_keys USING (hold) WHERE idx = ? AND place = ?",
        (index, place),
    ).fetchone()
    if row is None:
        return None
    sealed, key = row
    try:
        plain = AESGCM(key).decrypt(
            sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], _bound(index, place)
        )
    except (InvalidTag, ValueError, TypeError):
        raise RecordError(f"entry {index}, fact {place}: what is held of it was altered") from None
    return HeldFact(index, place, plain[:SALT_BYTES], plain[SALT_BYTES:])


def names(keys: sqlite3.Connection) -> tuple[str, ...]:
    """The holds that there are, in order."""
    rows = keys.execute("SELECT hold FROM hold_keys ORDER BY hold").fetchall()
    return tuple(name for (name,) in rows)


def _bound(index: int, place: int) -> bytes:
    return index.to_bytes(8, "big") + place.to_bytes(4, "big")
