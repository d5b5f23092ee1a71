"""The hash tree of the record: roots, proofs and their checks.

RFC 9162 section 2.1 (the same tree as RFC 6962 section 2.1) with SHA-256. A hash is 32
bytes. Leaves are numbered from 0; `size` is a count of leaves; a range `[start, end)` does
not hold its end.

Provers follow the recursive definition; checkers walk the bits of index and size, so that
a slip in one shows against the other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256

from skykeep.errors import RecordError

HASH_BYTES = 32
EMPTY_ROOT = sha256(b"").digest()
MAX_SIZE = 2**63 - 1  # a signed 64-bit integer, as SQLite and Go's log tools keep it

_LEAF = b"\x00"  # RFC 9162 section 2.1.1: leaf and node never share an input
_NODE = b"\x01"
_SIZE_BYTES = 8

# Complete subtrees from this height are remembered: 256 leaves, one tile of C2SP tlog-tiles.
_CHUNK_LEVEL = 8
_CACHED_SUBTREES = 1 << 16  # about 10 MB; covers 8 million leaves


def leaf_hash(data: bytes) -> bytes:
    """The hash of one entry's bytes."""
    return sha256(_LEAF + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of two subtrees' roots."""
    return sha256(_NODE + left + right).digest()


@dataclass(frozen=True, slots=True)
class Frontier:
    """The right edge of a tree: all that appending needs, in O(log size).

    `peaks` are the roots of the complete subtrees that the tree is made of, largest first:
    one for each 1 in the binary form of `size`. A value: appending gives a new one, so that
    a writer keeps the old one until the new leaves are on disk.
    """

    size: int = 0
    peaks: tuple[bytes, ...] = ()

    def append(self, hash_of_leaf: bytes) -> Frontier:
        """The edge after one more leaf; RecordError for what is no hash."""
        _check_hashes((hash_of_leaf,), "leaf hash")
        _check_size(self.size + 1)
        joined, left, kept = hash_of_leaf, self.size, len(self.peaks)
        while left & 1:
            kept -= 1
            joined = node_hash(self.peaks[kept], joined)
            left >>= 1
        return Frontier(self.size + 1, (*self.peaks[:kept], joined))

    def extend(self, leaf_hashes: Sequence[bytes]) -> Frontier:
        """The edge after more leaves, in order; RecordError for what is no hash.

        Level by level: a peak of that height joins on the left, neighbours pair up, an odd
        one out on the right stays behind as the new peak.
        """
        _check_hashes(leaf_hashes, "leaf hash")
        size = self.size + len(leaf_hashes)
        _check_size(size)
        old = list(self.peaks)
        new: list[bytes] = []
        row = list(leaf_hashes)
        left = self.size
        while row:
            if left & 1:
                row.insert(0, old.pop())
            if len(row) & 1:
                new.append(row.pop())
            pairs = iter(row)
            row = [sha256(_NODE + a + b).digest() for a, b in zip(pairs, pairs, strict=True)]
            left >>= 1
        new.reverse()
        return Frontier(size, (*old, *new))

    def root(self) -> bytes:
        """The root of the tree; of an empty one, the hash of nothing."""
        if not self.peaks:
            return EMPTY_ROOT
        rest = reversed(self.peaks)
        joined = next(rest)
        for peak in rest:
            joined = node_hash(peak, joined)
        return joined

    def to_bytes(self) -> bytes:
        """The size in 8 bytes, big-endian, then the peaks, largest first."""
        return self.size.to_bytes(_SIZE_BYTES, "big") + b"".join(self.peaks)

    @classmethod
    def from_bytes(cls, data: bytes) -> Frontier:
        """What `to_bytes` gave; RecordError if size and length do not fit each other.

        Whether the peaks are the true ones shows only in the root.
        """
        if len(data) < _SIZE_BYTES:
            raise RecordError(f"the tree's edge is cut short: {len(data)} bytes")
        size = int.from_bytes(data[:_SIZE_BYTES], "big")
        if size > MAX_SIZE:
            raise RecordError(f"the tree's edge gives a size of {size}, beyond {MAX_SIZE}")
        wanted = _SIZE_BYTES + size.bit_count() * HASH_BYTES
        if len(data) != wanted:
            raise RecordError(
                f"the tree's edge for {size} leaves has {len(data)} bytes, not {wanted}"
            )
        starts = range(_SIZE_BYTES, wanted, HASH_BYTES)
        return cls(size, tuple(data[at : at + HASH_BYTES] for at in starts))


class StoredTree:
    """Roots and proofs over leaf hashes that lie in a store.

    `hashes(start, end)` gives the hashes of a range, in order; they may not change once
    given. Roots of complete subtrees of 256 leaves and more are remembered, in bounded
    memory. RecordError if the store gives too few, too many or what is no hash.
    """

    def __init__(self, hashes: Callable[[int, int], Sequence[bytes]]) -> None:
        self._hashes = hashes
        self._remembered = lru_cache(maxsize=_CACHED_SUBTREES)(self._complete)

    def root(self, size: int) -> bytes:
        """The root of the first `size` leaves."""
        _check_size(size)
        return self._range_root(0, size) if size else EMPTY_ROOT

    def inclusion_proof(self, index: int, size: int) -> tuple[bytes, ...]:
        """That leaf `index` is in the tree of the first `size`; leaf's neighbour first.

        RFC 9162 section 2.1.3.1. RecordError if there is no such leaf.
        """
        _check_place(index, size)
        return tuple(self._range_root(*span) for span in _inclusion_spans(index, size))

    def consistency_proof(self, old: int, new: int) -> tuple[bytes, ...]:
        """That the first `new` leaves begin with the first `old`.

        RFC 9162 section 2.1.4.1. RecordError if `old` is 0 or above `new`.
        """
        _check_growth(old, new)
        return tuple(self._range_root(*span) for span in _consistency_spans(old, new))

    def range_proof(self, start: int, end: int, size: int) -> tuple[bytes, ...]:
        """That leaves [start, end) stand side by side in the first `size`; left to right.

        The roots of the largest subtrees wholly outside the range, by RFC 6962's split: at
        most two a level. RecordError if the range is empty or not in the tree.
        """
        _check_place(start, size)
        if not start < end <= size:
            raise RecordError(f"leaves {start} to {end} are no range of a tree of {size}")

        def outside(low: int, high: int) -> list[bytes]:
            if high <= start or end <= low:
                return [self._range_root(low, high)]
            if start <= low and high <= end:
                return []
            middle = low + _split(high - low)
            return [*outside(low, middle), *outside(middle, high)]

        return tuple(outside(0, size))

    def _range_root(self, start: int, end: int) -> bytes:
        """The root over a range whose start divides by the power of 2 that spans it."""
        count = end - start
        if count & (count - 1) == 0:
            return self._subtree(count.bit_length() - 1, start)
        split = start + _split(count)
        return node_hash(self._range_root(start, split), self._range_root(split, end))

    def _subtree(self, level: int, start: int) -> bytes:
        if level < _CHUNK_LEVEL:
            return self._complete(level, start)
        return self._remembered(level, start)

    def _complete(self, level: int, start: int) -> bytes:
        """The root of the complete subtree of 2**level leaves from `start`."""
        if level > _CHUNK_LEVEL:
            half = 1 << (level - 1)
            return node_hash(
                self._subtree(level - 1, start), self._subtree(level - 1, start + half)
            )
        return Frontier().extend(self._read(start, start + (1 << level))).root()

    def _read(self, start: int, end: int) -> Sequence[bytes]:
        found = self._hashes(start, end)
        if len(found) != end - start:
            raise RecordError(
                f"leaves {start} to {end - 1}: the store gave {len(found)} hashes "
                f"instead of {end - start}"
            )
        return found


def root(leaf_hashes: Sequence[bytes]) -> bytes:
    """The root over leaf hashes in memory (RFC 9162 section 2.1.1, MTH)."""
    return Frontier().extend(leaf_hashes).root()


def inclusion_proof(leaf_hashes: Sequence[bytes], index: int) -> tuple[bytes, ...]:
    """That leaf `index` is among these (see StoredTree.inclusion_proof)."""
    return _in_memory(leaf_hashes).inclusion_proof(index, len(leaf_hashes))


def consistency_proof(leaf_hashes: Sequence[bytes], old: int, new: int) -> tuple[bytes, ...]:
    """That the first `new` of these begin with the first `old` (see StoredTree)."""
    if new > len(leaf_hashes):
        raise RecordError(f"a tree of {new} leaves is asked for, {len(leaf_hashes)} are there")
    return _in_memory(leaf_hashes).consistency_proof(old, new)


def verify_inclusion(
    hash_of_leaf: bytes, index: int, size: int, proof: Sequence[bytes], root_hash: bytes
) -> None:
    """Returns if the leaf is at `index` in the tree of that size and root.

    RFC 9162 section 2.1.3.2. RecordError says what does not fit.
    """
    _check_place(index, size)
    _check_hashes((hash_of_leaf,), "leaf hash")
    # Up to where index and last leaf part, the neighbour may lie on either side; above, the
    # path runs along the right edge, where neighbours are on the left.
    inner = (index ^ (size - 1)).bit_length()
    steps = inner + (index >> inner).bit_count()
    what = f"inclusion of leaf {index} in a tree of {size}"
    _check_proof(proof, steps, what)
    joined = hash_of_leaf
    for height, neighbour in enumerate(proof):
        on_left = height >= inner or index >> height & 1
        joined = node_hash(neighbour, joined) if on_left else node_hash(joined, neighbour)
    _check_root(joined, root_hash, f"{what}: the proof leads to the root")


def verify_consistency(
    old: int, new: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]
) -> None:
    """Returns if the tree of `new` leaves begins with the tree of `old` leaves.

    RFC 9162 section 2.1.4.2. RecordError says what does not fit. From an empty tree there
    is nothing to prove, so `old` of 0 is refused.
    """
    _check_growth(old, new)
    what = f"growth from {old} to {new} leaves"
    _check_proof(proof, _consistency_steps(old, new), what)
    if old == new:
        if old_root != new_root:
            raise RecordError(
                f"{what}: two roots for one size, {old_root.hex()} and {new_root.hex()}"
            )
        return
    # Start at the largest complete subtree at the right end of the old tree.
    level = (old & -old).bit_length() - 1
    place, last = (old - 1) >> level, (new - 1) >> level
    rest = list(proof)
    start = old_root if place == 0 else rest.pop(0)
    was = now = start
    for neighbour in rest:
        if place & 1 or place == last:
            was, now = node_hash(neighbour, was), node_hash(neighbour, now)
            while place and not place & 1:
                place, last = place >> 1, last >> 1
        else:
            now = node_hash(now, neighbour)
        place, last = place >> 1, last >> 1
    _check_root(was, old_root, f"{what}: the proof leads to the old root")
    _check_root(now, new_root, f"{what}: the proof leads to the new root")


def _in_memory(leaf_hashes: Sequence[bytes]) -> StoredTree:
    return StoredTree(lambda start, end: leaf_hashes[start:end])


def _split(count: int) -> int:
    """The largest power of 2 below a count of 2 or more."""
    return 1 << ((count - 1).bit_length() - 1)


def _inclusion_spans(index: int, size: int) -> list[tuple[int, int]]:
    """The ranges whose roots make the proof, lowest first."""
    start, end = 0, size
    spans: list[tuple[int, int]] = []
    while end - start > 1:
        split = start + _split(end - start)
        if index < split:
            spans.append((split, end))
            end = split
        else:
            spans.append((start, split))
            start = split
    spans.reverse()
    return spans


def _consistency_spans(old: int, new: int) -> list[tuple[int, int]]:
    """The ranges whose roots make the proof, lowest first."""
    start, end = 0, new
    spans: list[tuple[int, int]] = []
    while end != old:
        split = start + _split(end - start)
        if old <= split:
            spans.append((split, end))
            end = split
        else:
            spans.append((start, split))
            start = split
    if start:  # else the checker has this one: it is the old root
        spans.append((start, end))
    spans.reverse()
    return spans


def _consistency_steps(old: int, new: int) -> int:
    """How many hashes a proof of growth has, counted from the bits of the sizes."""
    if old == new:
        return 0
    level = (old & -old).bit_length() - 1
    place, last = (old - 1) >> level, (new - 1) >> level
    inner = (place ^ last).bit_length()
    return (place > 0) + inner + (place >> inner).bit_count()


def _check_size(size: int) -> None:
    if not 0 <= size <= MAX_SIZE:
        raise RecordError(f"a tree cannot have {size} leaves")


def _check_place(index: int, size: int) -> None:
    _check_size(size)
    if not 0 <= index < size:
        raise RecordError(f"there is no leaf {index} in a tree of {size} leaves")


def _check_growth(old: int, new: int) -> None:
    _check_size(old)
    _check_size(new)
    if old == 0:
        raise RecordError("every tree begins with the empty one: there is nothing to prove")
    if old > new:
        raise RecordError(f"a tree cannot shrink from {old} to {new} leaves")


def _check_hashes(hashes: Iterable[bytes], what: str) -> None:
    for length in set(map(len, hashes)):
        if length != HASH_BYTES:
            raise RecordError(f"a {what} has {length} bytes, not {HASH_BYTES}")


def _check_proof(proof: Sequence[bytes], steps: int, what: str) -> None:
    if len(proof) != steps:
        raise RecordError(f"{what}: the proof has {len(proof)} hashes, {steps} are needed")
    for number, found in enumerate(proof):
        if len(found) != HASH_BYTES:
            raise RecordError(
                f"{what}: hash {number} of the proof has {len(found)} bytes, not {HASH_BYTES}"
            )


def _check_root(reached: bytes, wanted: bytes, what: str) -> None:
    if reached != wanted:
        raise RecordError(f"{what} {reached.hex()}, not to {wanted.hex()}")
