"""Tiles as C2SP tlog-tiles has them; the tree from tiles is the tree from the leaves."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skykeep.errors import RecordError
from skykeep.record import merkle, tiles
from skykeep.record.merkle import MAX_SIZE, leaf_hash
from skykeep.record.tiles import MAX_LEVEL, TILE_WIDTH, Tile, TileHashes, TileTree

LEAVES = [b"leaf %d" % n for n in range(70_000)]
HASHES = [leaf_hash(leaf) for leaf in LEAVES]


@pytest.fixture(scope="module")
def grown() -> TileHashes:
    hashes = TileHashes()
    hashes.grow(HASHES[: len(HASHES) // TILE_WIDTH * TILE_WIDTH])
    return hashes


@pytest.mark.parametrize(
    ("path", "tile"),
    [
        ("tile/0/x001/x234/067", Tile(0, 1_234_067)),  # the specification's example
        ("tile/0/000", Tile(0, 0)),
        ("tile/3/999.p/255", Tile(3, 999, 255)),
        ("tile/1/x001/000.p/1", Tile(1, 1_000, 1)),
        ("tile/entries/273.p/112", Tile(None, 273, 112)),
    ],
)
def test_paths(path: str, tile: Tile) -> None:
    assert tile.path() == path
    assert tiles.parse_path(path) == tile


@pytest.mark.parametrize(
    "path",
    [
        "", "tile", "tile/0", "tile/0/", "tile/0/0", "tile/0/00", "tile/0/0000", "tile/00/000",
        "tile/0/x000/001", "tile/0/x00/001", "tile/0/001/001", "tile/0/X001/001", "tile/8/000",
        "tile/0/000.p/0", "tile/0/000.p/01", "tile/0/000.p/256", "tile/0/000.p/999",
        "tile/0/000.p/", "tile/0/000/", "/tile/0/000", "tile/0/000\n", "tile/-1/000",
        "tile/0/٠٠٠", "tile/entries/x001", "tile/7/x999/999", "tile/0/" + "x999/" * 8 + "999",
    ],
)  # fmt: skip
def test_what_is_no_path(path: str) -> None:
    with pytest.raises(RecordError):
        tiles.parse_path(path)


@settings(deadline=None)
@given(st.text(max_size=40) | st.from_regex(r"tile/[0-9a-z]+/[x0-9/]+(\.p/[0-9]+)?"))
def test_whatever_the_path(path: str) -> None:
    try:
        found = tiles.parse_path(path)
    except RecordError:
        return
    assert found.path() == path
    assert 0 < found.leaves_end <= MAX_SIZE


def test_the_tiles_of_seventy_thousand_leaves() -> None:
    """tlog-tiles, Partial Tiles: the example, and that of 256 leaves."""
    level = [list(tiles.tiles_of(70_000, n)) for n in range(MAX_LEVEL + 1)]
    assert (len(level[0]), level[0][-1]) == (274, Tile(0, 273, 112))
    assert level[1:3] == [[Tile(1, 0), Tile(1, 1, 17)], [Tile(2, 0, 1)]]
    assert level[3:] == [[]] * (MAX_LEVEL - 2)
    assert list(tiles.tiles_of(70_000, None))[-1] == Tile(None, 273, 112)
    assert [list(tiles.tiles_of(256, n)) for n in (0, 1)] == [[Tile(0, 0)], [Tile(1, 0, 1)]]
    assert list(tiles.tiles_of(0, 0)) == []


def test_each_hash_is_that_of_its_leaves(grown: TileHashes) -> None:
    """By the specification's own formula, MTH(D[(n*256+i)*256^l : (n*256+i+1)*256^l])."""
    for level, place in ((1, 0), (1, 256), (1, 272), (2, 0)):
        span = slice(place * 256**level, (place + 1) * 256**level)
        assert grown.hashes(level, place, place + 1) == [merkle.root(HASHES[span])]
    for level, end in ((1, 274), (2, 2), (3, 1), (0, 1)):
        with pytest.raises(RecordError):
            grown.hashes(level, 0, end)
    with pytest.raises(RecordError):
        TileHashes().grow(HASHES[:255])


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_the_tree_from_tiles_is_the_tree(grown: TileHashes, data: st.DataObject) -> None:
    size = data.draw(st.integers(1, len(LEAVES)))
    index = data.draw(st.integers(0, size - 1))
    tree = TileTree(lambda low, high: HASHES[low:high], grown)
    proof = tree.inclusion_proof(index, size)
    merkle.verify_inclusion(HASHES[index], index, size, proof, tree.root(size))
    old = data.draw(st.integers(1, size))
    grows = tree.consistency_proof(old, size)
    merkle.verify_consistency(old, size, tree.root(old), tree.root(size), grows)


def test_a_proof_reads_few_hashes(grown: TileHashes) -> None:
    """What one request costs does not grow with the record."""
    read: list[int] = []

    def hashes(low: int, high: int) -> list[bytes]:
        read.append(high - low)
        return HASHES[low:high]

    assert TileTree(hashes, grown).root(70_000) == merkle.root(HASHES)
    TileTree(hashes, grown).inclusion_proof(12_345, 70_000)
    assert sum(read) < 3 * TILE_WIDTH


@settings(deadline=None)
@given(st.lists(st.binary(max_size=300), min_size=1, max_size=256))
def test_bundles_round_trip(leaves: list[bytes]) -> None:
    bundle = Tile(None, 0, len(leaves))
    data = tiles.write_bundle(leaves)
    assert tiles.read_bundle(data, bundle) == leaves
    assert data[:2] == len(leaves[0]).to_bytes(2, "big")


@settings(deadline=None)
@given(st.binary(max_size=80), st.integers(1, 256))
def test_whatever_the_bundle(data: bytes, width: int) -> None:
    try:
        leaves = tiles.read_bundle(data, Tile(None, 0, width))
    except RecordError:
        return
    assert tiles.write_bundle(leaves) == data


def test_what_fits_no_bundle_or_tile() -> None:
    with pytest.raises(RecordError, match="65536 bytes"):
        tiles.write_bundle([bytes(65_536)])
    with pytest.raises(RecordError, match="32 bytes, 64 are due"):
        tiles.split_hashes(bytes(32), Tile(0, 0, 2))
