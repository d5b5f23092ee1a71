"""However a stream is cut into reads, the same messages come out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skykeep.errors import InputError
from skykeep.feed.contract import Framer
from skykeep.feed.framers import LengthPrefixed, Lines

CUTS = st.lists(st.integers(1, 9), min_size=1)


def in_reads(framer: Framer, stream: bytes, cuts: list[int]) -> list[bytes]:
    found: list[bytes] = []
    at = turn = 0
    while at < len(stream):
        end = at + cuts[turn % len(cuts)]
        found += framer.push(stream[at:end])
        at, turn = end, turn + 1
    return found


@given(st.lists(st.binary(max_size=20).map(lambda b: b.replace(b"\n", b"."))), CUTS)
def test_lines(lines: list[bytes], cuts: list[int]) -> None:
    framer = Lines(10)
    found = in_reads(framer, b"".join(line + b"\n" for line in lines), cuts)
    assert found == [line for line in lines if len(line) <= 10]
    assert framer.dropped == sum(len(line) > 10 for line in lines)


@given(
    st.lists(st.binary(max_size=20)), CUTS, st.sampled_from(["little", "big"]), st.booleans(),
    st.sampled_from([2, 4]),
)  # fmt: skip
def test_length_prefixed(
    messages: list[bytes], cuts: list[int], order: str, own: bool, width: int
) -> None:
    stream = b"".join(
        (len(m) + own * width).to_bytes(width, "big" if order == "big" else "little") + m
        for m in messages
    )
    assert in_reads(LengthPrefixed(width, order, 20, own=own), stream, cuts) == messages


def test_a_length_beyond_the_limit_is_another_protocol() -> None:
    with pytest.raises(InputError, match="announces a message of 1195725856 bytes"):
        LengthPrefixed(4, "big", 1_000_000).push(b"GET / HTTP/1.1")
    with pytest.raises(InputError, match="announces a message of -1 bytes"):
        LengthPrefixed(2, "big", 100, own=True).push(b"\x00\x01")
