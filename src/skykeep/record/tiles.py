"""The hash tree as static files: tiles of hashes, and bundles of leaves (C2SP tlog-tiles).

    tile/<L>/<N>[.p/<W>]         W hashes of 32 bytes, at the height of 8 * L above the leaves
    tile/entries/<N>[.p/<W>]     W leaves, each behind its length in 2 bytes, big-endian

A full one has 256 and no `.p/<W>`. `<N>` is written in groups of three digits, all but the
last behind an `x`: 1234067 is `x001/x234/067`. Each hash above level 0 is the root over a full
tile below it; a partial tile is not hashed upwards.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from skykeep.errors import RecordError
from skykeep.record.merkle import HASH_BYTES, MAX_SIZE, Frontier, StoredTree
from skykeep.record.note import shown

#: tlog-tiles, Merkle Tree: "exactly 256 hashes wide", a subtree of height 8.
TILE_WIDTH, TILE_HEIGHT = 256, 8
#: 256**8 leaves are more than a tree can have; the specification would allow 63.
MAX_LEVEL = 7
ENTRIES = "entries"
_LENGTH_BYTES = 2
LONGEST_ENTRY = 0xFFFF
#: A path that is longer names no tile of a tree that can be.
_MAX_PATH_CHARACTERS = 60
_PATH = re.compile(
    r"tile/(entries|[0-7])/((?:x[0-9]{3}/)*[0-9]{3})(?:\.p/([1-9][0-9]{0,2}))?", re.ASCII
)


@dataclass(frozen=True, slots=True)
class Tile:
    """A tile of hashes, or of leaves if `level` is none: its place, and how many it holds."""

    level: int | None
    index: int
    width: int = TILE_WIDTH

    @property
    def is_full(self) -> bool:
        """Whether nothing will ever be added to it."""
        return self.width == TILE_WIDTH

    @property
    def first(self) -> int:
        """The place of its first hash in its level, or of its first leaf."""
        return self.index * TILE_WIDTH

    @property
    def end(self) -> int:
        """The place behind its last one."""
        return self.first + self.width

    @property
    def leaves_end(self) -> int:
        """How many leaves a tree must have for it."""
        return self.end << (TILE_HEIGHT * (self.level or 0))

    def path(self) -> str:
        """Where it lies, without a slash in front."""
        digits = str(self.index)
        digits = digits.zfill(-(-len(digits) // 3) * 3)
        groups = [digits[at : at + 3] for at in range(0, len(digits), 3)]
        named = "/".join([*(f"x{group}" for group in groups[:-1]), groups[-1]])
        level = ENTRIES if self.level is None else self.level
        return f"tile/{level}/{named}" + ("" if self.is_full else f".p/{self.width}")


def parse_path(text: str) -> Tile:
    """The tile at a path, in its one way of writing; RecordError if there can be none."""
    found = _PATH.fullmatch(text) if len(text) <= _MAX_PATH_CHARACTERS else None
    if found is None:
        raise RecordError(f"{shown(text)} is no tile's path; such as tile/0/x001/234.p/5")
    level, named, width = found.groups()
    index = int(re.sub(r"[x/]", "", named))
    tile = Tile(
        None if level == ENTRIES else int(level),
        index,
        TILE_WIDTH if width is None else int(width),
    )
    # A width of 256 is written as none, and zeros in front are not written.
    wide = tile.width > TILE_WIDTH or (width is not None and tile.is_full)
    if wide or tile.path() != text or tile.leaves_end > MAX_SIZE:
        raise RecordError(
            f"{shown(text)} is no tile's path: it has another way of writing, or none"
        )
    return tile


def tiles_of(size: int, level: int | None) -> Iterator[Tile]:
    """The tiles of one level that a tree of `size` leaves has, a partial one last."""
    count = size >> (TILE_HEIGHT * (level or 0))
    for index in range(count // TILE_WIDTH):
        yield Tile(level, index)
    if count % TILE_WIDTH:
        yield Tile(level, count // TILE_WIDTH, count % TILE_WIDTH)


def split_hashes(data: bytes, tile: Tile) -> list[bytes]:
    """The hashes in a tile's bytes; RecordError for another count of them."""
    if len(data) != tile.width * HASH_BYTES:
        raise RecordError(f"{tile.path()}: {len(data)} bytes, {tile.width * HASH_BYTES} are due")
    return [data[at : at + HASH_BYTES] for at in range(0, len(data), HASH_BYTES)]


def write_bundle(leaves: Sequence[bytes]) -> bytes:
    """Leaves as an entry bundle; RecordError for one that no length could stand for."""
    parts: list[bytes] = []
    for leaf in leaves:
        if len(leaf) > LONGEST_ENTRY:
            raise RecordError(f"a leaf of {len(leaf)} bytes, at most {LONGEST_ENTRY} fit a bundle")
        parts += (len(leaf).to_bytes(_LENGTH_BYTES, "big"), leaf)
    return b"".join(parts)


def read_bundle(data: bytes, tile: Tile) -> list[bytes]:
    """The leaves in a bundle's bytes; RecordError where they are not as many as it says."""
    leaves: list[bytes] = []
    at = 0
    while at < len(data):
        start = at + _LENGTH_BYTES
        at = start + int.from_bytes(data[at:start], "big")
        if start > len(data) or at > len(data):
            raise RecordError(f"{tile.path()}: cut short inside leaf {len(leaves)}")
        if len(leaves) == tile.width:
            raise RecordError(f"{tile.path()}: more than {tile.width} leaves")
        leaves.append(data[start:at])
    if len(leaves) != tile.width:
        raise RecordError(f"{tile.path()}: {len(leaves)} leaves, {tile.width} are due")
    return leaves


class TileHashes:
    """The hashes above level 0: 1/255 of the leaf hashes, so that they fit into memory.

    They grow with the tree, full tile by full tile, and never change.
    """

    def __init__(self) -> None:
        self._levels: list[bytearray] = []

    @property
    def size(self) -> int:
        """How many leaves are taken in: a multiple of 256."""
        return len(self._levels[0]) // HASH_BYTES * TILE_WIDTH if self._levels else 0

    def grow(self, leaf_hashes: Sequence[bytes]) -> None:
        """Take in full tiles of the leaf hashes that follow; RecordError for parts of one."""
        if len(leaf_hashes) % TILE_WIDTH:
            raise RecordError(f"{len(leaf_hashes)} leaf hashes are no full tiles")
        for at in range(0, len(leaf_hashes), TILE_WIDTH):
            self._add(0, leaf_hashes[at : at + TILE_WIDTH])

    def _add(self, place: int, below: Sequence[bytes]) -> None:
        if place == len(self._levels):
            self._levels.append(bytearray())
        level = self._levels[place]
        level += Frontier().extend(below).root()
        count = len(level) // HASH_BYTES
        if count % TILE_WIDTH == 0:
            self._add(place + 1, self.hashes(place + 1, count - TILE_WIDTH, count))

    def hashes(self, level: int, start: int, end: int) -> list[bytes]:
        """Hashes of a level from 1 on; RecordError if they are not there."""
        rows = self._levels[level - 1] if 1 <= level <= len(self._levels) else b""
        if not 0 <= start <= end <= len(rows) // HASH_BYTES:
            raise RecordError(f"hashes {start} to {end - 1} of level {level} are not there yet")
        spots = range(start * HASH_BYTES, end * HASH_BYTES, HASH_BYTES)
        return [bytes(rows[at : at + HASH_BYTES]) for at in spots]


class TileTree(StoredTree):
    """A tree whose higher subtrees come from tiles: a proof costs some thousand hashes, ever.

    What `tiles` has not taken in yet is computed from the leaf hashes.
    """

    def __init__(self, hashes: Callable[[int, int], Sequence[bytes]], tiles: TileHashes) -> None:
        super().__init__(hashes)
        self._tiles = tiles

    def _subtree(self, level: int, start: int) -> bytes:
        above, rest = divmod(level, TILE_HEIGHT)
        if not above or start + (1 << level) > self._tiles.size:
            return super()._subtree(level, start)
        place = start >> (TILE_HEIGHT * above)
        return Frontier().extend(self._tiles.hashes(above, place, place + (1 << rest))).root()
