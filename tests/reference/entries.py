"""The record's leaf and facts as docs/decisions/0009 has them, written down step by step."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Sequence

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes


def leaf(at_ns: int, count: int, kind: str, root: bytes, source: str) -> bytes:
    said = {
        "source": source, "at": at_ns, "kind": kind, "v": 1, "root": root.hex(), "count": count,
    }  # fmt: skip
    return json.dumps(said, sort_keys=True, separators=(",", ":")).encode("ascii")


def salt(key: bytes, index: int, place: int) -> bytes:
    own = hmac.new(key, b"skykeep salt 1", hashlib.sha256).digest()
    cipher = Cipher(algorithms.AES(own), modes.ECB()).encryptor()
    return cipher.update(index.to_bytes(8, "big") + place.to_bytes(8, "big")) + cipher.finalize()


def commitment(key: bytes, index: int, place: int, fact: bytes) -> bytes:
    """RFC 6962 section 2.1: a leaf's hash begins with a byte 0."""
    return hashlib.sha256(b"\x00" + salt(key, index, place) + fact).digest()


def inner_root(commitments: Sequence[bytes]) -> bytes:
    """RFC 6962 section 2.1 over hashes of leaves."""
    if not commitments:
        return hashlib.sha256(b"").digest()
    if len(commitments) == 1:
        return commitments[0]
    split = 1
    while split * 2 < len(commitments):
        split *= 2
    left, right = inner_root(commitments[:split]), inner_root(commitments[split:])
    return hashlib.sha256(b"\x01" + left + right).digest()
