"""Roots, proofs and their checks: against published proofs, and against the RFC's recursion."""

from __future__ import annotations

import base64
import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skykeep.errors import RecordError
from skykeep.record import merkle
from skykeep.record.merkle import (
    EMPTY_ROOT,
    Frontier,
    StoredTree,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    root,
    verify_consistency,
    verify_inclusion,
)
from tests.reference import merkle as literal

VECTORS = Path(__file__).parents[2] / "vectors" / "merkle"
MOST = 300

ENTRIES = tuple(f"entry {i}".encode() * (i % 3) for i in range(MOST))
LEAVES = tuple(leaf_hash(entry) for entry in ENTRIES)

sizes = st.integers(0, MOST)
grown = st.tuples(st.integers(1, MOST), st.integers(1, MOST)).map(sorted)
placed = st.integers(1, MOST).flatmap(lambda n: st.tuples(st.integers(0, n - 1), st.just(n)))


@cache
def literal_root(size: int) -> bytes:
    return literal.mth(ENTRIES[:size])


def vectors(kind: str) -> list[Any]:
    return [
        pytest.param(
            json.loads(path.read_text()), id=str(path.relative_to(VECTORS).with_suffix(""))
        )
        for path in sorted((VECTORS / kind).rglob("*.json"))
    ]


def hashes(texts: list[str] | None) -> list[bytes]:
    return [base64.b64decode(text) for text in texts or []]


def flipped(data: bytes, bit: int) -> bytes:
    changed = bytearray(data)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


# --- published proofs


def test_all_196_vectors_are_there() -> None:
    assert {kind: len(vectors(kind)) for kind in ("inclusion", "consistency")} == {
        "inclusion": 98,
        "consistency": 98,
    }


@pytest.mark.parametrize("vector", vectors("inclusion"))
def test_published_inclusion_proof(vector: dict[str, Any]) -> None:
    arguments = (
        base64.b64decode(vector["leafHash"]),
        vector["leafIdx"],
        vector["treeSize"],
        hashes(vector["proof"]),
        base64.b64decode(vector["root"]),
    )
    if vector["wantErr"]:
        with pytest.raises(RecordError):
            verify_inclusion(*arguments)
    else:
        verify_inclusion(*arguments)


@pytest.mark.parametrize("vector", vectors("consistency"))
def test_published_consistency_proof(vector: dict[str, Any]) -> None:
    arguments = (
        vector["size1"],
        vector["size2"],
        base64.b64decode(vector["root1"]),
        base64.b64decode(vector["root2"]),
        hashes(vector["proof"]),
    )
    if vector["wantErr"]:
        with pytest.raises(RecordError):
            verify_consistency(*arguments)
    else:
        verify_consistency(*arguments)


# --- against the RFC's recursion


def test_root_of_nothing_is_the_hash_of_nothing() -> None:
    # SHA-256 of the empty string, FIPS 180-4 example.
    known = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert root(()).hex() == known == EMPTY_ROOT.hex()


@pytest.mark.parametrize("size", range(MOST + 1))
def test_root_is_the_definition_s(size: int) -> None:
    assert root(LEAVES[:size]) == literal_root(size)


@given(placed)
def test_inclusion_proof_is_the_definition_s_and_holds(place: tuple[int, int]) -> None:
    index, size = place
    proof = inclusion_proof(LEAVES[:size], index)
    assert list(proof) == literal.path(index, ENTRIES[:size])
    verify_inclusion(LEAVES[index], index, size, proof, literal_root(size))


@given(grown)
def test_consistency_proof_is_the_definition_s_and_holds(growth: list[int]) -> None:
    old, new = growth
    proof = consistency_proof(LEAVES, old, new)
    assert list(proof) == literal.proof(old, ENTRIES[:new])
    verify_consistency(old, new, literal_root(old), literal_root(new), proof)


@pytest.mark.parametrize("size", range(1, 34))
def test_every_proof_of_every_small_tree_holds(size: int) -> None:
    for index in range(size):
        proof = inclusion_proof(LEAVES[:size], index)
        assert list(proof) == literal.path(index, ENTRIES[:size])
        verify_inclusion(LEAVES[index], index, size, proof, literal_root(size))
    for old in range(1, size + 1):
        proof = consistency_proof(LEAVES, old, size)
        assert list(proof) == literal.proof(old, ENTRIES[:size])
        verify_consistency(old, size, literal_root(old), literal_root(size), proof)


# --- what is altered does not hold


@given(place=placed, data=st.data())
def test_a_flipped_bit_in_an_inclusion_proof_fails(
    place: tuple[int, int], data: st.DataObject
) -> None:
    index, size = place
    parts = [LEAVES[index], literal_root(size), *inclusion_proof(LEAVES[:size], index)]
    which = data.draw(st.integers(0, len(parts) - 1))
    parts[which] = flipped(parts[which], data.draw(st.integers(0, 255)))
    with pytest.raises(RecordError, match="leads to the root"):
        verify_inclusion(parts[0], index, size, parts[2:], parts[1])


@given(growth=grown, data=st.data())
def test_a_flipped_bit_in_a_consistency_proof_fails(growth: list[int], data: st.DataObject) -> None:
    old, new = growth
    parts = [literal_root(old), literal_root(new), *consistency_proof(LEAVES, old, new)]
    which = data.draw(st.integers(0, len(parts) - 1))
    parts[which] = flipped(parts[which], data.draw(st.integers(0, 255)))
    with pytest.raises(RecordError, match=r"leads to the|two roots"):
        verify_consistency(old, new, parts[0], parts[1], parts[2:])


@given(place=placed, other=placed)
def test_a_proof_holds_at_its_own_place_only(
    place: tuple[int, int], other: tuple[int, int]
) -> None:
    (index, size), (elsewhere, size_there) = place, other
    proof = inclusion_proof(LEAVES[:size], index)
    led_to = literal.root_from_path(LEAVES[index], elsewhere, size_there, proof)
    if led_to == literal_root(size_there):
        verify_inclusion(LEAVES[index], elsewhere, size_there, proof, literal_root(size_there))
    else:
        with pytest.raises(RecordError):
            verify_inclusion(LEAVES[index], elsewhere, size_there, proof, literal_root(size_there))


@given(
    leaf=st.binary(max_size=40),
    index=st.integers(),
    size=st.integers(),
    proof=st.lists(st.binary(max_size=40), max_size=70),
    claimed=st.binary(max_size=40),
)
def test_no_inclusion_proof_crashes(
    leaf: bytes, index: int, size: int, proof: list[bytes], claimed: bytes
) -> None:
    with pytest.raises(RecordError):  # a chance hit would be a collision of SHA-256
        verify_inclusion(leaf, index, size, proof, claimed)


@given(
    old=st.integers(),
    more=st.integers(min_value=1) | st.integers(1, 9),
    proof=st.lists(st.binary(max_size=40), max_size=70),
    roots=st.tuples(st.binary(max_size=40), st.binary(max_size=40)),
)
def test_no_consistency_proof_crashes(
    old: int, more: int, proof: list[bytes], roots: tuple[bytes, bytes]
) -> None:
    with pytest.raises(RecordError):
        verify_consistency(old, old + more, *roots, proof)


LEAF, ROOT5 = LEAVES[2], root(LEAVES[:5])
PROOF = inclusion_proof(LEAVES[:5], 2)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((LEAF, 5, 5, PROOF, ROOT5), "no leaf 5 in a tree of 5"),
        ((LEAF, -1, 5, PROOF, ROOT5), "no leaf -1"),
        ((LEAF, 2, 2**63, PROOF, ROOT5), "cannot have 9223372036854775808 leaves"),
        ((LEAF[:31], 2, 5, PROOF, ROOT5), "leaf hash has 31 bytes"),
        ((LEAF, 2, 5, PROOF[:2], ROOT5), "leaf 2 in a tree of 5: the proof has 2 hashes, 3 are"),
        ((LEAF, 2, 5, (*PROOF, LEAF), ROOT5), "4 hashes, 3 are needed"),
        ((LEAF, 2, 5, (PROOF[0], b"", PROOF[2]), ROOT5), "hash 1 of the proof has 0 bytes"),
        ((LEAF, 2, 5, PROOF, LEAF), f"root {ROOT5.hex()}, not to {LEAF.hex()}"),
        ((LEAF, 3, 5, PROOF, ROOT5), "leads to the root"),
    ],
)
def test_a_broken_inclusion_proof_is_named(arguments: tuple[Any, ...], words: str) -> None:
    with pytest.raises(RecordError, match=words):
        verify_inclusion(*arguments)


ROOT3 = root(LEAVES[:3])
GROWTH = consistency_proof(LEAVES, 3, 5)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((0, 5, EMPTY_ROOT, ROOT5, ()), "nothing to prove"),
        ((0, 0, EMPTY_ROOT, EMPTY_ROOT, ()), "nothing to prove"),
        ((5, 3, ROOT5, ROOT3, GROWTH), "cannot shrink from 5 to 3"),
        ((-1, 5, ROOT3, ROOT5, GROWTH), "cannot have -1"),
        ((3, 5, ROOT3, ROOT5, GROWTH[:-1]), "growth from 3 to 5 leaves: the proof has 3 hashes, 4"),
        ((5, 5, ROOT5, ROOT5, GROWTH), "has 4 hashes, 0 are needed"),
        ((5, 5, ROOT5, ROOT3, ()), "two roots for one size"),
        ((3, 5, ROOT3, ROOT5, (*GROWTH[:3], b"x")), "hash 3 of the proof has 1 bytes"),
        ((3, 5, LEAF, ROOT5, GROWTH), f"old root {ROOT3.hex()}, not to {LEAF.hex()}"),
        ((3, 5, ROOT3, LEAF, GROWTH), f"new root {ROOT5.hex()}, not to {LEAF.hex()}"),
    ],
)
def test_a_broken_consistency_proof_is_named(arguments: tuple[Any, ...], words: str) -> None:
    with pytest.raises(RecordError, match=words):
        verify_consistency(*arguments)


@given(placed)
def test_what_a_proof_needs_is_counted_from_bits_as_by_recursion(pair: tuple[int, int]) -> None:
    old, new = pair[0] + 1, pair[1]
    assert merkle._consistency_steps(old, new) == len(literal.proof(old, ENTRIES[:new]))


# --- the edge


@given(sizes, st.lists(st.integers(0, 40), max_size=20))
def test_the_edge_grows_the_same_in_any_portions(start: int, portions: list[int]) -> None:
    edge = Frontier().extend(LEAVES[:start])
    for portion in portions:
        edge = edge.extend(LEAVES[edge.size : edge.size + portion])
    assert edge.root() == literal_root(edge.size)
    assert len(edge.peaks) == edge.size.bit_count()


def test_the_edge_grows_leaf_by_leaf_and_leaves_the_old_one_as_it_was() -> None:
    edges = [Frontier()]
    for leaf in LEAVES:
        edges.append(edges[-1].append(leaf))
    assert [edge.size for edge in edges] == list(range(MOST + 1))
    assert [edge.root() for edge in edges] == [literal_root(n) for n in range(MOST + 1)]


@given(sizes)
def test_the_edge_comes_back_from_bytes(size: int) -> None:
    edge = Frontier().extend(LEAVES[:size])
    assert Frontier.from_bytes(edge.to_bytes()) == edge


@given(st.binary(max_size=200))
def test_bytes_that_are_no_edge_are_refused_or_stay_the_same(data: bytes) -> None:
    try:
        edge = Frontier.from_bytes(data)
    except RecordError:
        return
    assert edge.to_bytes() == data


@given(st.integers(1, MOST), st.data())
def test_a_cut_edge_is_refused_and_a_flipped_one_has_another_root(
    size: int, data: st.DataObject
) -> None:
    whole = Frontier().extend(LEAVES[:size]).to_bytes()
    with pytest.raises(RecordError, match="edge"):
        Frontier.from_bytes(whole[: data.draw(st.integers(0, len(whole) - 1))])
    with pytest.raises(RecordError, match="bytes, not"):
        Frontier.from_bytes(whole + b"\x00")
    altered = flipped(whole, data.draw(st.integers(64, len(whole) * 8 - 1)))
    assert Frontier.from_bytes(altered).root() != literal_root(size)


def test_the_edge_takes_hashes_only_and_so_many() -> None:
    with pytest.raises(RecordError, match="leaf hash has 3 bytes"):
        Frontier().extend((LEAF, b"abc"))
    with pytest.raises(RecordError, match="beyond"):
        Frontier.from_bytes(b"\xff" * 8)
    with pytest.raises(RecordError, match="cannot have"):
        Frontier(merkle.MAX_SIZE, (LEAF,) * 63).append(LEAF)


# --- leaves in a store


class Shelf:
    """Leaf hashes by range, and what was asked for."""

    def __init__(self, leaves: tuple[bytes, ...]) -> None:
        self.leaves = leaves
        self.asked: list[tuple[int, int]] = []

    def __call__(self, start: int, end: int) -> tuple[bytes, ...]:
        self.asked.append((start, end))
        return self.leaves[start:end]


MANY = tuple(leaf_hash(i.to_bytes(4, "big")) for i in range(3000))


@settings(max_examples=30)
@given(st.data())
def test_a_stored_tree_proves_what_one_in_memory_does(data: st.DataObject) -> None:
    tree = StoredTree(Shelf(MANY))
    for _ in range(3):  # the later ones from what is remembered
        size = data.draw(st.integers(1, len(MANY)))
        index = data.draw(st.integers(0, size - 1))
        whole = Frontier().extend(MANY[:size]).root()
        assert tree.root(size) == whole
        verify_inclusion(MANY[index], index, size, tree.inclusion_proof(index, size), whole)
        before = Frontier().extend(MANY[: index + 1]).root()
        growth = tree.consistency_proof(index + 1, size)
        verify_consistency(index + 1, size, before, whole, growth)


def test_a_stored_tree_reads_complete_subtrees_once_and_in_small_ranges() -> None:
    shelf = Shelf(MANY)
    tree = StoredTree(shelf)
    tree.root(len(MANY))
    assert sum(end - start for start, end in shelf.asked) == len(MANY)
    assert max(end - start for start, end in shelf.asked) == 256
    shelf.asked.clear()
    tree.inclusion_proof(1000, len(MANY))
    # Its own chunk of 256 anew, and the part after the last complete one (184 leaves).
    assert sum(end - start for start, end in shelf.asked) == 255 + 184


def test_an_empty_stored_tree_has_the_root_of_nothing() -> None:
    assert StoredTree(Shelf(())).root(0) == EMPTY_ROOT


def test_a_store_that_gives_too_few_or_no_hashes_is_named() -> None:
    with pytest.raises(RecordError, match="leaves 4 to 4: the store gave 0 hashes instead of 1"):
        StoredTree(Shelf(LEAVES[:4])).root(5)
    with pytest.raises(RecordError, match="leaf hash has 2 bytes"):
        StoredTree(lambda start, end: [b"no"] * (end - start)).root(5)
    with pytest.raises(RecordError, match="6 leaves is asked for, 5 are there"):
        consistency_proof(LEAVES[:5], 3, 6)
    with pytest.raises(RecordError, match="no leaf 5"):
        inclusion_proof(LEAVES[:5], 5)
    with pytest.raises(RecordError, match="cannot have -1"):
        StoredTree(Shelf(LEAVES)).root(-1)
