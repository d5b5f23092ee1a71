"""The log under /log/: what the specification asks of a server of tiles, and its export."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from pathlib import Path

import pytest

from skykeep.commands import log_export
from skykeep.commands.log_export import Source
from skykeep.errors import InputError, RecordError
from skykeep.record import checkpoint as checkpoints
from skykeep.record.entry import Entry, read_leaf
from skykeep.record.keys import ed25519_verifier
from skykeep.record.merkle import leaf_hash, root
from skykeep.record.tiles import Tile, TileHashes, parse_path, read_bundle, split_hashes, tiles_of
from skykeep.service import tiles as room
from skykeep.store.record_store import RecordStore
from tests.desk import READER, Desk
from tests.sky import at

ORIGIN = "city/skykeep"


def ticks(store: RecordStore, count: int) -> None:
    """Fill a record with entries that hold nothing but their time."""
    store.append([Entry("tick", at(n / 10), "", ()) for n in range(count)])


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    made = Desk(tmp_path_factory.mktemp("desk"))
    recorded = made.writer.look()
    assert recorded is not None
    ticks(recorded.store, 70_000 - recorded.store.size)
    yield made
    made.close()


def test_what_is_served_gives_the_signed_root(desk: Desk) -> None:
    desk.clock.on(2.0)
    desk.get("/v1/sensors")  # the clock's tick is the newest entry
    answer = desk.get("/log/checkpoint", None)
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert answer.headers["Cache-Control"] == "no-cache"
    recorded = desk.writer.look()
    assert recorded is not None
    key = ed25519_verifier(recorded.store.public_key)
    head = checkpoints.check(answer.content, ORIGIN, [key]).checkpoint
    assert head.size > 70_000
    hashes: list[bytes] = []
    for tile in tiles_of(head.size, 0):
        hashes += split_hashes(desk.get(f"/log/{tile.path()}", None).content, tile)
    assert root(hashes) == head.root
    above = TileHashes()
    above.grow(hashes[: head.size // 256 * 256])
    for level in (1, 2):
        for tile in tiles_of(head.size, level):
            answer = desk.get(f"/log/{tile.path()}", None)
            assert answer.headers["Cache-Control"].startswith("public, max-age=31536000")
            assert answer.headers["Content-Type"] == "application/octet-stream"
            assert answer.content == b"".join(above.hashes(level, tile.first, tile.end))
    bundle = Tile(None, 273, 112)
    leaves = read_bundle(desk.get(f"/log/{bundle.path()}", None).content, bundle)
    assert [leaf_hash(leaf) for leaf in leaves] == hashes[bundle.first : bundle.end]
    assert read_leaf(leaves[0]).kind == "tick"


def test_bundles_are_compressed_for_those_who_ask(desk: Desk) -> None:
    path = "/log/tile/entries/001"
    plain = desk.request("GET", path, headers={"Accept-Encoding": "identity"})
    assert "Content-Encoding" not in plain.headers
    packed = desk.request("GET", path, headers={"Accept-Encoding": "br, gzip;q=0.5"})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert packed.headers["Vary"] == "Accept-Encoding"
    assert packed.content == plain.content  # the client has unpacked it
    assert int(packed.headers["Content-Length"]) < len(plain.content) / 2
    refused = desk.request("GET", path, headers={"Accept-Encoding": "gzip;q=0"})
    assert "Content-Encoding" not in refused.headers
    assert gzip.decompress(gzip.compress(b"x", mtime=0)) == b"x"
    head = desk.request("HEAD", path)
    assert (head.status_code, head.content) == (200, b"")


@pytest.mark.parametrize(
    "path",
    ["tile/0/274", "tile/0/273", "tile/0/273.p/255", "tile/1/001", "tile/2/000", "tile/3/000.p/1",
     "tile/entries/273", "tile/entries/999", "tile/0/0", "tile/0/x000/001", "tile/9/000", "tile/x"],
)  # fmt: skip
def test_what_the_tree_does_not_have(desk: Desk, path: str) -> None:
    answer = desk.get(f"/log/{path}", None)
    assert answer.status_code == 404
    assert answer.json()["where"] == "path"
    assert "immutable" not in answer.headers.get("Cache-Control", "")
    assert desk.request("POST", f"/log/{path}").status_code == 405


def test_not_one_leaf_more_than_there_is(desk: Desk) -> None:
    width = desk.writer.size % 256
    for level in ("0", "entries"):
        assert desk.get(f"/log/tile/{level}/273.p/{width}", None).status_code == 200
        assert desk.get(f"/log/tile/{level}/273.p/{width + 1}", None).status_code == 404


def test_a_long_record_is_followed_in_bounded_steps(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.app.state.log_tiles = room.LogTiles(desk.writer)
    monkeypatch.setattr(room, "STEP_LEAVES", 100 * 256)
    path = "/log/tile/1/000"
    assert desk.get(path, None).status_code == 503
    answer = desk.get(path, None)
    assert answer.status_code == 503
    assert "51200 of 65536" in answer.json()["problem"]
    assert answer.headers["Retry-After"] == "1"
    assert desk.get(path, READER).status_code == 200
    monkeypatch.setattr(room, "MOST_WAITING", 0)
    assert "too many requests" in desk.get(path, None).json()["problem"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    store = RecordStore(tmp_path / "record", ORIGIN)
    ticks(store, 700)
    store.close()
    return tmp_path / "record"


def test_the_record_as_files(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "www"
    assert log_export.run(str(folder), out, None) == 0
    names = {p.relative_to(out).as_posix() for p in out.rglob("*") if p.is_file()}
    assert names == {
        "checkpoint", "tile/0/000", "tile/0/001", "tile/0/002.p/188", "tile/1/000.p/2",
        "tile/entries/000", "tile/entries/001", "tile/entries/002.p/188",
    }  # fmt: skip
    store = RecordStore(folder, ORIGIN)
    ticks(store, 100)
    store.close()
    (out / "tile/entries/000").write_bytes(b"cut short by a power failure")
    (out / "tile/0/001").unlink()
    assert log_export.run(str(folder), out, folder / "log.vkey") == 0
    assert (out / "tile/0/002").stat().st_size == 8_192
    assert (out / "tile/0/001").stat().st_size == 8_192
    read_bundle((out / "tile/entries/000").read_bytes(), Tile(None, 0))


def test_files_that_are_there_are_not_read_again(folder: Path, tmp_path: Path) -> None:
    store = RecordStore(folder, ORIGIN, audit=True)
    asked: list[str] = []

    def tile(wanted: Tile) -> bytes:
        asked.append(wanted.path())
        return log_export.local(store).tile(wanted)

    source = Source(store.checkpoint, tile)
    log_export.mirror(source, store.public_key, tmp_path / "www")
    assert len(asked) == 6
    asked.clear()
    log_export.mirror(source, store.public_key, tmp_path / "www")
    assert asked == ["tile/0/002.p/188", "tile/entries/002.p/188"]
    store.close()


@pytest.mark.parametrize("path", ["tile/0/001", "tile/entries/001", "tile/0/002.p/188"])
def test_a_log_that_does_not_hold_is_not_copied(folder: Path, tmp_path: Path, path: str) -> None:
    store = RecordStore(folder, ORIGIN, audit=True)
    good, out = log_export.local(store), tmp_path / "www"

    def tile(wanted: Tile) -> bytes:
        data = good.tile(wanted)
        return data[:-1] + bytes((data[-1] ^ 1,)) if wanted == parse_path(path) else data

    with pytest.raises(RecordError, match="its leaves do not have the hashes"):
        log_export.mirror(Source(good.checkpoint, tile), store.public_key, out)

    def swapped(wanted: Tile) -> bytes:
        other = {0: 1, 1: 0}.get(wanted.index, wanted.index)
        return good.tile(Tile(wanted.level, other, wanted.width))

    with pytest.raises(RecordError, match="signed is"):
        log_export.mirror(Source(good.checkpoint, swapped), store.public_key, out)
    store.close()
    assert not out.exists()


def test_what_cannot_be_exported(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match="no record"):
        log_export.run(str(tmp_path / "none"), tmp_path, None)
    with pytest.raises(InputError, match="--key: is missing"):
        log_export.run("http://127.0.0.1:9", tmp_path, None)
    (tmp_path / "key").write_text("# two\na\nb\n")
    with pytest.raises(InputError, match="has 2 keys"):
        log_export.read_key(tmp_path / "key")
    with pytest.raises(InputError, match="does not answer"):
        log_export.fetch("http://127.0.0.1:9/log/checkpoint")
