"""`skykeep log compare` and `skykeep verify-fork`: do all see the same log, and if not, the proof.

Anybody can run the first, and should, now and then: it takes the heads that witnesses publish,
and the log's own, and holds each against the log's tiles.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations
from pathlib import Path

from skykeep.commands.atomic import write_atomically
from skykeep.commands.log_export import Source, fetch, local, read_key, remote
from skykeep.commands.remote import address_of, is_remote
from skykeep.errors import InputError, RecordError
from skykeep.record import checkpoint as checkpoints
from skykeep.record import witness_fork
from skykeep.record.checkpoint import Checkpoint
from skykeep.record.keys import PublicKey, verifier
from skykeep.record.merkle import EMPTY_ROOT
from skykeep.record.note import Verifier, shown
from skykeep.record.tiles import TILE_WIDTH, Tile, TileHashes, TileTree, split_hashes, tiles_of
from skykeep.record.witness_fork import Fork
from skykeep.store.record_store import RecordStore

#: Of the lowest tiles, so many are kept: a proof needs the last ones of two sizes.
_KEPT_TILES = 8


@dataclass(frozen=True, slots=True)
class Head:
    """A head of the log that somebody shows, with the log's signature."""

    shown_by: str
    note: bytes
    checkpoint: Checkpoint


def compare(source: str, witnesses: Sequence[str], key_file: Path, out: Path | None) -> int:
    """Print what each shows; 1 where two do not agree, the proof then in `out`."""
    key = read_key(key_file)
    if is_remote(source):
        heads, faults, fork = compared(remote(source), key, witnesses)
    else:
        store = RecordStore(Path(source), "", audit=True)
        try:
            heads, faults, fork = compared(local(store), key, witnesses)
        finally:
            store.close()
    for head in heads:
        root = head.checkpoint.root.hex()
        print(f"{head.checkpoint.size:>10} entries, root {root}, shown by {head.shown_by}")
    for fault in faults:
        print(f"does not agree: {fault}", file=sys.stderr)
    if fork is not None and out is not None:
        write_atomically(out, fork.to_bytes())
        print(f"proof: {out}")
    if not faults:
        print(f"All {len(heads)} heads are of one log.")
    return 1 if faults else 0


def compared(
    source: Source, key: PublicKey, witnesses: Sequence[str]
) -> tuple[list[Head], list[str], Fork | None]:
    """All heads, what does not agree, and the first proof of it."""
    own = verifier(key)
    log = _head("the log", source.checkpoint(), own)
    heads = [log, *(_witness_head(url, own) for url in witnesses)]
    faults: list[str] = []
    forks: list[Fork] = []
    for one, other in combinations(heads, 2):
        if one.checkpoint.size == other.checkpoint.size:
            fork = witness_fork.between(one.note, other.note, key.name, [own], None)
            if fork is not None:
                faults.append(f"{one.shown_by} and {other.shown_by}: two roots of one size")
                forks.append(fork)
    tree = tree_of(source, log.checkpoint)
    for head in heads[1:]:
        size = head.checkpoint.size
        if size > log.checkpoint.size:
            faults.append(
                f"{head.shown_by} has cosigned {size} entries, the log shows "
                f"{log.checkpoint.size}: it lags, or it has gone back; ask again"
            )
        elif size < log.checkpoint.size:
            fork = witness_fork.between(head.note, log.note, key.name, [own], tree)
            if fork is not None:
                faults.append(f"the log does not continue the {size} entries of {head.shown_by}")
                forks.append(fork)
    return heads, faults, forks[0] if forks else None


def _head(shown_by: str, note: bytes, own: Verifier) -> Head:
    return Head(shown_by, note, checkpoints.check(note, own.name, [own]).checkpoint)


def _witness_head(url: str, own: Verifier) -> Head:
    where = f"{address_of(url)}/heads"
    try:
        note = json.loads(fetch(where))["heads"][own.name]
        data = note.encode()
    except KeyError:
        raise InputError(where, f"shows no head of {own.name}", "Is it a witness of it?") from None
    except (ValueError, TypeError, AttributeError, RecursionError):
        raise InputError(where, "does not answer as a witness", "Check the address") from None
    return _head(address_of(url), data, own)


def tree_of(source: Source, head: Checkpoint) -> TileTree:
    """The log's tree from its tiles; RecordError if they do not give the head's root."""

    @lru_cache(maxsize=_KEPT_TILES)
    def tile(index: int) -> list[bytes]:
        width = min(TILE_WIDTH, head.size - index * TILE_WIDTH)
        wanted = Tile(0, index, width)
        return split_hashes(source.tile(wanted), wanted)

    def hashes(low: int, high: int) -> list[bytes]:
        found: list[bytes] = []
        for index in range(low // TILE_WIDTH, -(-high // TILE_WIDTH)):
            first = index * TILE_WIDTH
            found += tile(index)[max(low - first, 0) : high - first]
        return found

    above = TileHashes()
    for one in tiles_of(head.size, 0):
        if one.is_full:
            above.grow(tile(one.index))
    tree = TileTree(hashes, above)
    if (tree.root(head.size) if head.size else EMPTY_ROOT) != head.root:
        raise RecordError(f"the log's tiles do not give the root it signed over {head.size}")
    return tree


def verify_fork(path: Path, key_file: Path) -> int:
    """Print what a proof of a fork shows; 0 where it holds, 1 where it proves nothing."""
    key = read_key(key_file)
    try:
        data = path.read_bytes()
    except OSError as error:
        problem = f"cannot be read ({error.strerror})"
        raise InputError(str(path), problem, "Check the path") from None
    try:
        heads = witness_fork.check(witness_fork.parse(data), key.name, [verifier(key)])
    except RecordError as error:
        print(f"THIS PROVES NOTHING.\n  {error}")
        return 1
    print(f"THE LOG WENT TWO WAYS. {shown(key.name)} signed two heads that cannot both be true:")
    for head in heads:
        print(f"  {head.size:>10} entries, root {head.root.hex()}")
    return 0
