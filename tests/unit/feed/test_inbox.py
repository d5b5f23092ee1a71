"""What waits is bounded in number, size and rate; what is shed is counted with its digest."""

from __future__ import annotations

import hashlib

from hypothesis import given
from hypothesis import strategies as st

from skykeep.feed.inbox import MOST_PEERS, Inbox
from skykeep.units import NS_PER_S


def inbox(most: int = 3, most_bytes: int = 100, most_per_s: int = 1_000) -> Inbox:
    return Inbox(lambda: 5 * NS_PER_S, most, most_bytes, most_per_s)


def test_pieces_come_out_in_their_order_with_their_time() -> None:
    box = inbox()
    assert box.put(b"a", "here")
    assert box.put(b"bc")
    first, second = box.take(10, 0.0)
    assert (first.data, first.origin, first.at_ns) == (b"a", "here", 5 * NS_PER_S)
    assert second.data == b"bc"
    assert box.take(10, 0.0) == []


def test_what_finds_no_room_is_counted_and_there_is_room_again() -> None:
    box = inbox(most=2)
    assert [box.put(data) for data in (b"a", b"b", b"c", b"dd")] == [True, True, False, False]
    seen = box.arrived()
    assert (seen.pieces, seen.size_bytes, seen.waiting, seen.shed, seen.shed_bytes) == (
        4, 5, 2, 2, 3,
    )  # fmt: skip
    each = (1).to_bytes(8, "big") + b"c" + (2).to_bytes(8, "big") + b"dd"
    assert seen.digest == hashlib.sha256(each).hexdigest()
    assert [piece.data for piece in box.take(1, 0.0)] == [b"a"]
    assert box.put(b"e")


def test_size_counts_too() -> None:
    box = inbox(most_bytes=5)
    assert box.put(b"abc")
    assert not box.put(b"def")
    assert box.put(b"gh")
    box.take(2, 0.0)
    assert box.put(b"abcde")


def test_a_second_has_its_budget() -> None:
    now = [NS_PER_S]
    box = Inbox(lambda: now[0], 100, 100, 2)
    assert [box.put(b"x") for _ in range(3)] == [True, True, False]
    now[0] = 2 * NS_PER_S
    assert box.put(b"x")


def test_connections_are_counted() -> None:
    box = inbox()
    assert not box.arrived().connected
    box.connected()
    box.lost()
    box.connected()
    assert (box.arrived().connected, box.arrived().connects) == (True, 2)


@given(st.lists(st.binary(max_size=30)), st.integers(1, 5))
def test_everything_is_taken_or_counted(pieces: list[bytes], most: int) -> None:
    box = inbox(most, 40)
    taken = []
    for data in pieces:
        box.put(data)
        if len(data) % 3 == 0:
            taken += box.take(2, 0.0)
    taken += box.take(100, 0.0)
    seen = box.arrived()
    assert seen.pieces == len(pieces)
    assert len(taken) + seen.shed == len(pieces)
    assert sum(len(p.data) for p in taken) + seen.shed_bytes == seen.size_bytes
    assert seen.waiting == 0


def test_peers_are_remembered_up_to_a_number() -> None:
    box = inbox()
    for number in range(MOST_PEERS + 1):
        box.peer(str(number), "registers")
    box.peer("1", "is registered")
    peers = box.peers()
    assert len(peers) == MOST_PEERS
    assert "0" not in peers
    assert peers["1"] == "is registered"
