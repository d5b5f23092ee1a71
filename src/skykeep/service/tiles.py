"""The record as a public log under `/log/`: C2SP tlog-tiles, for everybody, read only.

    GET /log/checkpoint                  the published head, a signed note
    GET /log/tile/<L>/<N>[.p/<W>]        hashes
    GET /log/tile/entries/<N>[.p/<W>]    public leaves
    GET /log/witnesses                   what each witness has cosigned
    GET /log/handovers                   changes of the log's key, signed by both

What a tile says never changes, so it may be kept for ever. A request reads at most 256 hashes
or leaves; those above level 0 come from memory, which follows the record in bounded steps.
"""

from __future__ import annotations

import asyncio
import gzip
import sqlite3
import threading
from collections.abc import Callable
from typing import TypeVar

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, Response

from skykeep.errors import RecordError
from skykeep.record.tiles import (
    TILE_WIDTH,
    Tile,
    TileHashes,
    TileTree,
    parse_path,
    write_bundle,
)
from skykeep.service.problems import Refused
from skykeep.service.writer import UnavailableError, Writer
from skykeep.store.record_store import RecordStore

T = TypeVar("T")
router = APIRouter(prefix="/log", include_in_schema=False)

PREFIX = "/log/"
#: tlog-tiles: long-lived for what never changes, seconds at the most for the checkpoint.
_FOR_EVER = "public, max-age=31536000, immutable"
_NOT_KEPT = "no-cache"
#: Hashed in one step while memory follows a long record: some tens of milliseconds.
STEP_LEAVES = 256 * TILE_WIDTH
#: Requests that read at the same time; more wait, and beyond that they are turned away.
READERS, MOST_WAITING = 2, 64
_GZIP_LEVEL = 6


class LogTiles:
    """Reads tiles, and trees for proofs, from the record while it grows."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self._hashes = TileHashes()
        self._growing = threading.Lock()
        self._room = asyncio.Semaphore(READERS)
        self._waiting = 0

    async def read(self, what: Callable[[RecordStore], T]) -> T:
        """Ask the record on another thread; UnavailableError while it is away or asked a lot."""
        recorded = self._writer.look()
        if recorded is None:
            raise UnavailableError("the record is not open")
        if self._waiting >= MOST_WAITING:
            raise UnavailableError("too many requests read the log at once")
        self._waiting += 1
        try:
            async with self._room:
                return await asyncio.to_thread(what, recorded.store.as_it_is())
        except sqlite3.Error:
            raise UnavailableError("the record was closed while it was read") from None
        finally:
            self._waiting -= 1

    def tree(self, store: RecordStore, size: int, whole: bool = False) -> TileTree:
        """The tree of that many leaves; UnavailableError while memory has not come so far.

        `whole` waits for it instead: once after a start, some seconds for millions of leaves.
        """
        self._follow(store, size, whole)
        return TileTree(store.leaf_hashes, self._hashes)

    def data(self, store: RecordStore, tile: Tile) -> bytes:
        """A tile's bytes; RecordError if the tree has no such tile."""
        if tile.leaves_end > store.size:
            raise RecordError(f"the log has {store.size} entries, too few for {tile.path()}")
        if tile.level is None:
            return write_bundle(store.leaves(tile.first, tile.end))
        if tile.level == 0:
            return b"".join(store.leaf_hashes(tile.first, tile.end))
        self._follow(store, tile.leaves_end)
        return b"".join(self._hashes.hashes(tile.level, tile.first, tile.end))

    def _follow(self, store: RecordStore, size: int, whole: bool = False) -> None:
        """Take in one step of what is not there yet; a longer record needs several requests."""
        wanted, end = size // TILE_WIDTH * TILE_WIDTH, -1
        while end < wanted and (whole or end < 0):
            with self._growing:
                have = self._hashes.size
                end = min(wanted, have + STEP_LEAVES)
                if end > have:
                    self._hashes.grow(store.leaf_hashes(have, end))
        if end < wanted:
            raise UnavailableError(f"the tree is being built, {end} of {wanted} leaves so far")


def tiles_of_app(request: Request) -> LogTiles:
    """The reader of the application that a request came to."""
    tiles: LogTiles = request.app.state.log_tiles
    return tiles


@router.api_route("/tile/{path:path}", methods=["GET", "HEAD"])
async def get_tile(request: Request, path: str) -> Response:
    """One tile, or one bundle of leaves."""
    tiles = tiles_of_app(request)
    try:
        tile = parse_path(f"tile/{path}")
        data = await tiles.read(lambda store: tiles.data(store, tile))
    except RecordError as error:
        raise Refused(404, "path", str(error), "Ask for tiles of the checkpoint's size") from None
    headers = {"Cache-Control": _FOR_EVER}
    if tile.level is None:  # hashes do not get smaller
        headers["Vary"] = "Accept-Encoding"
        if _takes_gzip(request):
            headers["Content-Encoding"] = "gzip"
            data = gzip.compress(data, _GZIP_LEVEL, mtime=0)
    return Response(data, headers=headers, media_type="application/octet-stream")


@router.api_route("/checkpoint", methods=["GET", "HEAD"])
async def get_checkpoint(request: Request) -> Response:
    """The newest head that is published: signed, and cosigned where the site has witnesses."""
    return Response(
        request.app.state.log_publisher.note,
        headers={"Cache-Control": _NOT_KEPT},
        media_type="text/plain; charset=utf-8",
    )


@router.api_route("/witnesses", methods=["GET", "HEAD"])
async def get_witnesses(request: Request) -> Response:
    """Every witness's newest cosigned head, and where it can be asked itself."""
    return JSONResponse(
        request.app.state.log_publisher.shown(), headers={"Cache-Control": _NOT_KEPT}
    )


@router.api_route("/handovers", methods=["GET", "HEAD"])
async def get_handovers(request: Request) -> Response:
    """The changes of the log's key, each as both keys signed it, oldest first."""
    signed = await tiles_of_app(request).read(RecordStore.handovers)
    told = {"handovers": [note.decode() for note in signed]}
    return JSONResponse(told, headers={"Cache-Control": _NOT_KEPT})


def _takes_gzip(request: Request) -> bool:
    """RFC 9110 section 12.5.3, as far as clients use it."""
    for part in request.headers.get("accept-encoding", "").split(","):
        name, _, weight = part.partition(";")
        if name.strip().lower() in ("gzip", "*"):
            return weight.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    return False
