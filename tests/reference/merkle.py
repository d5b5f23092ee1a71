"""The hash tree as RFC 9162 section 2.1 writes it down: slow, recursive, over entries' bytes.

MTH, PATH and PROOF/SUBPROOF are the RFC's own names; D is its list of entries. The checks
rebuild the root by the same recursion from the proof's far end, without walking bits.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256


def split(n: int) -> int:
    """The largest power of two smaller than n."""
    k = 1
    while k * 2 < n:
        k *= 2
    return k


def mth(d: Sequence[bytes]) -> bytes:
    if len(d) == 0:
        return sha256(b"").digest()
    if len(d) == 1:
        return sha256(b"\x00" + d[0]).digest()
    k = split(len(d))
    return sha256(b"\x01" + mth(d[:k]) + mth(d[k:])).digest()


def path(m: int, d: Sequence[bytes]) -> list[bytes]:
    if len(d) == 1:
        return []
    k = split(len(d))
    if m < k:
        return [*path(m, d[:k]), mth(d[k:])]
    return [*path(m - k, d[k:]), mth(d[:k])]


def proof(m: int, d: Sequence[bytes]) -> list[bytes]:
    return subproof(m, d, True)


def subproof(m: int, d: Sequence[bytes], known: bool) -> list[bytes]:
    if m == len(d):
        return [] if known else [mth(d)]
    k = split(len(d))
    if m <= k:
        return [*subproof(m, d[:k], known), mth(d[k:])]
    return [*subproof(m - k, d[k:], False), mth(d[:k])]


def root_from_path(leaf: bytes, m: int, n: int, p: Sequence[bytes]) -> bytes | None:
    """The root that a path leads to, or None if it is too short or too long."""
    if n == 1:
        return None if p else leaf
    if not p:
        return None
    k = split(n)
    below = root_from_path(leaf, m, k, p[:-1]) if m < k else None
    if m >= k:
        below = root_from_path(leaf, m - k, n - k, p[:-1])
    if below is None:
        return None
    pair = below + p[-1] if m < k else p[-1] + below
    return sha256(b"\x01" + pair).digest()
