"""Proofs of leaves, ranges and growth against RFC 6962 to the letter, and altered ones."""

from __future__ import annotations

import base64
import contextlib
import itertools
import json
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skykeep.verify.verifier import (
    EMPTY_ROOT,
    MAX_TREE_SIZE,
    VerifyError,
    check_consistency,
    leaf_hash,
    node_hash,
    root_of_inclusion,
    root_of_range,
    tree_root,
)
from tests.reference import merkle as reference
from tests.reference.ranges import range_proof

MERKLE_VECTORS = Path(__file__).parents[2] / "vectors" / "merkle"
SIZES = 40
DATA = [bytes([i]) for i in range(SIZES)]
LEAVES = [leaf_hash(d) for d in DATA]
ROOTS = [reference.mth(DATA[:n]) for n in range(SIZES + 1)]


def vectors(kind: str) -> list[Any]:
    found = sorted(MERKLE_VECTORS.rglob(f"{kind}/**/*.json"))
    return [
        pytest.param(json.loads(p.read_text("utf-8")), id=str(p.relative_to(MERKLE_VECTORS)))
        for p in found
    ]


def raw(text: str | None) -> bytes:
    return base64.b64decode(text or "")


def include(index: int, size: int, leaf: bytes, root: bytes, proof: list[bytes]) -> None:
    if root_of_inclusion(leaf, index, size, proof) != root:
        raise VerifyError("inclusion proof", "gives another root")


def test_the_vectors_are_there() -> None:
    assert len(vectors("inclusion")) + len(vectors("consistency")) == 196


@pytest.mark.parametrize("vector", vectors("inclusion"))
def test_published_inclusion_proofs(vector: dict[str, Any]) -> None:
    proof = [raw(h) for h in vector["proof"] or ()]
    arguments = vector["leafIdx"], vector["treeSize"], raw(vector["leafHash"])
    if vector["wantErr"]:
        with pytest.raises(VerifyError):
            include(*arguments, raw(vector["root"]), proof)
    else:
        include(*arguments, raw(vector["root"]), proof)


@pytest.mark.parametrize("vector", vectors("consistency"))
def test_published_consistency_proofs(vector: dict[str, Any]) -> None:
    proof = [raw(h) for h in vector["proof"] or ()]
    arguments = vector["size1"], raw(vector["root1"]), vector["size2"], raw(vector["root2"])
    if vector["wantErr"]:
        with pytest.raises(VerifyError):
            check_consistency(*arguments, proof)
    else:
        check_consistency(*arguments, proof)


def test_roots_are_those_of_the_rfc() -> None:
    assert tree_root([]) == EMPTY_ROOT == ROOTS[0]
    assert leaf_hash(b"x") == sha256(b"\x00x").digest()
    for n in range(1, SIZES + 1):
        assert tree_root(LEAVES[:n]) == ROOTS[n]


def test_every_leaf_of_every_small_tree() -> None:
    for n in range(1, SIZES + 1):
        for i in range(n):
            proof = reference.path(i, DATA[:n])
            assert root_of_inclusion(LEAVES[i], i, n, proof) == ROOTS[n]


def test_every_growth_of_every_small_tree() -> None:
    for n in range(1, SIZES + 1):
        for m in range(1, n + 1):
            proof = reference.proof(m, DATA[:n])
            check_consistency(m, ROOTS[m], n, ROOTS[n], proof)
            for i in range(len(proof)):
                with pytest.raises(VerifyError):
                    check_consistency(m, ROOTS[m], n, ROOTS[n], proof[:i] + proof[i + 1 :])
                broken = [*proof[:i], sha256(proof[i]).digest(), *proof[i + 1 :]]
                with pytest.raises(VerifyError):
                    check_consistency(m, ROOTS[m], n, ROOTS[n], broken)
            with pytest.raises(VerifyError):
                check_consistency(m, ROOTS[m], n, ROOTS[n], [*proof, LEAVES[0]])


def ranges() -> Iterator[tuple[int, int, int]]:
    for n in range(1, SIZES + 1):
        for a in range(n):
            for b in range(a + 1, n + 1):
                yield a, b, n


def test_every_range_of_every_small_tree() -> None:
    seen = 0
    for a, b, n in ranges():
        proof = range_proof(DATA[:n], a, b)
        assert root_of_range(LEAVES[a:b], a, n, proof) == ROOTS[n]
        assert len(proof) <= 2 * (n - 1).bit_length()
        seen += 1
    assert seen == SIZES * (SIZES + 1) * (SIZES + 2) // 6


def test_a_range_of_one_is_an_inclusion_and_of_all_needs_nothing() -> None:
    for n in range(1, SIZES + 1):
        assert range_proof(DATA[:n], 0, n) == []
        for i in range(n):
            one = range_proof(DATA[:n], i, i + 1)
            assert sorted(one) == sorted(reference.path(i, DATA[:n]))


def halves(low: int, high: int) -> Iterator[tuple[bytes, bytes]]:
    """Left and right hash of every inner node of the tree over leaves [low, high)."""
    if high - low > 1:
        middle = low + reference.split(high - low)
        yield reference.mth(DATA[low:middle]), reference.mth(DATA[middle:high])
        yield from halves(low, middle)
        yield from halves(middle, high)


def test_a_range_proof_names_no_hash_that_could_be_worked_out() -> None:
    """Minimal: no two neighbours in the proof are the two halves of one subtree."""
    inner = {n: set(halves(0, n)) for n in range(1, SIZES + 1)}
    for a, b, n in ranges():
        proof = range_proof(DATA[:n], a, b)
        assert inner[n].isdisjoint(itertools.pairwise(proof))


def test_broken_range_proofs_do_not_hold() -> None:
    for a, b, n in ranges():
        if n not in (1, 5, 8, 13, 21):
            continue
        leaves, proof = LEAVES[a:b], range_proof(DATA[:n], a, b)
        with pytest.raises(VerifyError, match="too long"):
            root_of_range(leaves, a, n, [*proof, ROOTS[1]])
        if proof:
            with pytest.raises(VerifyError, match="too short"):
                root_of_range(leaves, a, n, proof[:-1])
            with pytest.raises(VerifyError, match="hash 0 of those given: 31 bytes"):
                root_of_range(leaves, a, n, [proof[0][:31], *proof[1:]])
        if len(proof) > 1:
            assert root_of_range(leaves, a, n, proof[::-1]) != ROOTS[n]
        for i in range(b - a):
            altered = [*leaves[:i], sha256(leaves[i]).digest(), *leaves[i + 1 :]]
            assert root_of_range(altered, a, n, proof) != ROOTS[n]
        if b - a > 1:
            swapped = [leaves[1], leaves[0], *leaves[2:]]
            assert root_of_range(swapped, a, n, proof) != ROOTS[n]


def test_a_range_shown_as_of_another_place_does_not_hold() -> None:
    refused = 0
    for a, b, n in ranges():
        if n > 16:
            break
        proof = range_proof(DATA[:n], a, b)
        for wrong in set(range(n)) - {a}:
            try:
                root = root_of_range(LEAVES[a:b], wrong, n, proof)
            except VerifyError:
                refused += 1
            else:
                assert root != ROOTS[n]
    assert refused > 100


@pytest.mark.parametrize(
    ("count", "start", "size"),
    [(0, 0, 0), (0, 0, 4), (1, 4, 4), (1, -1, 4), (5, 0, 4), (1, 0, 0), (1, 0, MAX_TREE_SIZE + 1)],
)
def test_ranges_that_are_none(count: int, start: int, size: int) -> None:
    with pytest.raises(VerifyError, match="range proof"):
        root_of_range(LEAVES[:count], start, size, [])


def test_a_range_at_the_edge_of_the_largest_tree() -> None:
    """62 levels deep: by hand, as no such tree can be built."""
    leaf = LEAVES[0]
    proof = [leaf_hash(bytes([i])) for i in range(62)]
    root = leaf
    for sibling in reversed(proof):
        root = node_hash(sibling, root)
    size = 1 << 62
    assert root_of_range([leaf], size - 1, size, proof) == root
    assert root_of_inclusion(leaf, size - 1, size, proof[::-1]) == root
    # One leaf more stands beside that whole tree.
    assert root_of_range([leaf], size, size + 1, [root]) == node_hash(root, leaf)
    assert root_of_range([leaf], size - 1, size + 1, [*proof, leaf]) == node_hash(root, leaf)


@given(
    st.lists(st.binary(max_size=33), max_size=5),
    st.integers(-2, 1 << 64),
    st.integers(-2, 1 << 64),
    st.lists(st.binary(min_size=30, max_size=34), max_size=70),
)
def test_nothing_but_a_verify_error_comes_out(
    leaves: list[bytes], start: int, size: int, proof: list[bytes]
) -> None:
    for attempt in (
        lambda: root_of_range(leaves, start, size, proof),
        lambda: root_of_inclusion(bytes(32), start, size, proof),
        lambda: check_consistency(start, bytes(32), size, bytes(32), proof),
    ):
        with contextlib.suppress(VerifyError):
            attempt()
