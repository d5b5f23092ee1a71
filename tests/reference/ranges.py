"""The proof of a range of leaves, by the definition: the slow prover."""

from __future__ import annotations

from collections.abc import Sequence

from tests.reference.merkle import mth, split


def range_proof(d: Sequence[bytes], a: int, b: int) -> list[bytes]:
    """What is missing to the root of `d` beside its entries [a, b), left to right; a < b.

    The roots of the largest subtrees that lie wholly outside the range.
    """

    def outside(low: int, high: int) -> list[bytes]:
        if high <= a or b <= low:
            return [mth(d[low:high])]
        if high - low == 1:
            return []
        middle = low + split(high - low)
        return [*outside(low, middle), *outside(middle, high)]

    return outside(0, len(d))
