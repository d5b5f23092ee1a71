"""`skykeep log export`: the record as static files that any web server can serve.

From a folder while the service is stopped, or from a running service, over and over: full
tiles that are there already are not fetched again. All that is written was checked first:
every leaf against its hash, all hashes against the root that the log signed.
"""

from __future__ import annotations

import http.client
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from skykeep.commands.atomic import write_atomically
from skykeep.commands.remote import address_of, is_remote
from skykeep.errors import InputError, RecordError
from skykeep.record import checkpoint as checkpoints
from skykeep.record.checkpoint import Checkpoint
from skykeep.record.keys import PublicKey, parse_public, verifier
from skykeep.record.merkle import Frontier, leaf_hash
from skykeep.record.tiles import (
    MAX_LEVEL,
    Tile,
    TileHashes,
    read_bundle,
    split_hashes,
    tiles_of,
    write_bundle,
)
from skykeep.store.durable import make_folder
from skykeep.store.record_files import PUBLIC_FILE
from skykeep.store.record_store import RecordStore

CHECKPOINT_FILE = "checkpoint"
TIMEOUT_S = 30.0
#: The largest tile or note that is read: 256 leaves of 65,535 bytes and their lengths.
MAX_ANSWER_BYTES = 17_000_000


@dataclass(frozen=True, slots=True)
class Source:
    """Where the log is read from: its signed head, and its tiles."""

    checkpoint: Callable[[], bytes]
    tile: Callable[[Tile], bytes]


def run(source: str, out: Path, key: Path | None) -> int:
    """Write or bring up to date the static log in `out`; 0 when it is whole."""
    if is_remote(source):
        if key is None:
            raise InputError("--key", "is missing", "Give the log's public key for a running site")
        log, read = read_key(key), remote(source)
        head = mirror(read, log, out)
    else:
        store = RecordStore(Path(source), "", audit=True)
        try:
            log = store.public_key if key is None else read_key(key)
            head = mirror(local(store), log, out)
        finally:
            store.close()
    print(f"{out}: {head.size} entries of {head.origin}, root {head.root.hex()}")
    return 0


def read_key(path: Path) -> PublicKey:
    """The one key in a file; `#` begins a comment line."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(str(path), f"cannot be read ({error})", f"Give a {PUBLIC_FILE}") from None
    lines = [line for line in map(str.strip, text.splitlines()) if line and line[0] != "#"]
    if len(lines) != 1:
        raise InputError(str(path), f"has {len(lines)} keys", "Give a file of one key, one line")
    try:
        return parse_public(lines[0])
    except RecordError as error:
        raise InputError(str(path), str(error), f"Give a {PUBLIC_FILE}") from None


def local(store: RecordStore) -> Source:
    """A record that nobody writes to meanwhile; levels above 0 are never asked for."""

    def tile(wanted: Tile) -> bytes:
        if wanted.level is None:
            return write_bundle(store.leaves(wanted.first, wanted.end))
        return b"".join(store.leaf_hashes(wanted.first, wanted.end))

    return Source(store.checkpoint, tile)


def remote(url: str) -> Source:
    """A log under a running site, or the address of any other server of tiles."""
    prefix = address_of(url)
    if not prefix.endswith("/log"):
        prefix += "/log"
    return Source(
        lambda: fetch(f"{prefix}/checkpoint"), lambda tile: fetch(f"{prefix}/{tile.path()}")
    )


def fetch(url: str) -> bytes:
    """The body at an address; InputError where there is none."""
    # No compression is asked for: what is unpacked could be of any size.
    request = urllib.request.Request(url, headers={"Accept-Encoding": "identity"})
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:
            data: bytes = answer.read(MAX_ANSWER_BYTES + 1)
    except (urllib.error.URLError, http.client.HTTPException, OSError, ValueError) as error:
        raise InputError(url, f"does not answer ({error})", "Check that the log is up") from None
    if len(data) > MAX_ANSWER_BYTES:
        raise InputError(url, f"is over {MAX_ANSWER_BYTES} bytes", "Check the address")
    return data


def mirror(source: Source, key: PublicKey, out: Path) -> Checkpoint:
    """Bring `out` up to the source's head; RecordError where the log does not hold.

    The checkpoint is written last, so that a reader finds all that it asks for.
    """
    note = source.checkpoint()
    head = checkpoints.check(note, key.name, [verifier(key)]).checkpoint
    hashes, frontier = TileHashes(), Frontier()
    new: list[tuple[Tile, bytes]] = []
    for tile in tiles_of(head.size, 0):
        below, made = _pair(source, tile, out)
        frontier = frontier.extend(below)
        if tile.is_full:
            hashes.grow(below)
        new += made
    if frontier.root() != head.root:
        raise RecordError(
            f"the log's tiles give the root {frontier.root().hex()}, signed is {head.root.hex()}; "
            f"nothing was written to {out}"
        )
    for level in range(1, MAX_LEVEL + 1):
        for tile in tiles_of(head.size, level):
            if not (tile.is_full and (out / tile.path()).exists()):
                new.append((tile, b"".join(hashes.hashes(level, tile.first, tile.end))))
    for tile, data in new:
        path = out / tile.path()
        make_folder(path.parent)
        write_atomically(path, data)
    make_folder(out)
    write_atomically(out / CHECKPOINT_FILE, note)
    return head


def _pair(source: Source, tile: Tile, out: Path) -> tuple[list[bytes], list[tuple[Tile, bytes]]]:
    """The leaf hashes of a tile, checked against its leaves, and what is to be written of both."""
    bundle = Tile(None, tile.index, tile.width)
    kept = [out / one.path() for one in (tile, bundle)]
    if tile.is_full and all(path.exists() for path in kept):
        hashes, leaves = (path.read_bytes() for path in kept)
        if _fit(tile, hashes, bundle, leaves):
            return split_hashes(hashes, tile), []  # else it was cut short or altered: once more
    hashes, leaves = source.tile(tile), source.tile(bundle)
    if not _fit(tile, hashes, bundle, leaves):
        raise RecordError(f"{bundle.path()}: its leaves do not have the hashes of {tile.path()}")
    return split_hashes(hashes, tile), [(tile, hashes), (bundle, leaves)]


def _fit(tile: Tile, hashes: bytes, bundle: Tile, leaves: bytes) -> bool:
    try:
        return list(map(leaf_hash, read_bundle(leaves, bundle))) == split_hashes(hashes, tile)
    except RecordError:
        return False
