"""The proof of a contiguous range of leaves."""

from __future__ import annotations

import pytest

from skykeep.errors import RecordError
from skykeep.record.merkle import StoredTree, leaf_hash
from tests.reference.ranges import range_proof

LEAVES = [b"%d" % i for i in range(40)]
HASHES = [leaf_hash(leaf) for leaf in LEAVES]


def tree() -> StoredTree:
    return StoredTree(lambda start, end: HASHES[start:end])


@pytest.mark.parametrize("size", range(1, 41))
def test_every_range_has_the_proof_of_the_definition(size: int) -> None:
    for start in range(size):
        for end in range(start + 1, size + 1):
            found = list(tree().range_proof(start, end, size))
            assert found == range_proof(LEAVES[:size], start, end)


@pytest.mark.parametrize(("start", "end"), [(3, 3), (4, 3), (0, 41), (-1, 2), (40, 41)])
def test_what_is_no_range_is_refused(start: int, end: int) -> None:
    with pytest.raises(RecordError):
        tree().range_proof(start, end, 40)
