"""Leaves, salts, seals: against the decision's own words, and strict towards anything else."""

from __future__ import annotations

import itertools
import json
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from skykeep.errors import RecordError
from skykeep.record import entry
from skykeep.record.entry import Entry, Fact, Leaf, Placed, read_leaf, write_leaf
from skykeep.record.merkle import EMPTY_ROOT
from tests.reference import entries as literal

KEY, OTHER = bytes(range(32)), bytes(range(1, 33))
AT_NS = 1_789_249_688_000_000_000
NOBODYS = entry.Salts(bytes(32))
ROOT = bytes.fromhex("9f" * 32)
HOUR = entry.hour_of(AT_NS)
LEAF = (
    b'{"at":1789249688000000000,"count":57,"kind":"batch","root":"' + b"9f" * 32 + b'",'
    b'"source":"radar-1","v":1}'
)

keys = st.binary(min_size=32, max_size=32)
places = st.integers(0, 2**32 - 1)
indices = st.integers(0, 2**63 - 1)
names = st.text(max_size=entry.LONGEST_SOURCE)


def entry_of(kind: str = "batch", source: str = "radar-1", facts: int = 57) -> Entry:
    return Entry(kind, AT_NS, source, (Fact(b"x"),) * facts)


# -- the leaf -----------------------------------------------------------------------------


def test_the_leaf_is_the_one_that_the_decision_shows() -> None:
    assert write_leaf(entry_of(), ROOT) == LEAF
    assert read_leaf(LEAF) == Leaf(AT_NS, 57, "batch", ROOT, "radar-1")


@given(st.integers(-(2**70), 2**70), st.integers(0, 50), st.sampled_from(["batch", "tick", "ä"]),
       keys, names)  # fmt: skip
def test_a_leaf_comes_back_and_is_the_literal_one(
    at_ns: int, count: int, kind: str, root: bytes, source: str
) -> None:
    written = write_leaf(Entry(kind, at_ns, source, (Fact(b""),) * count), root)
    assert written == literal.leaf(at_ns, count, kind, root, source)
    assert read_leaf(written) == Leaf(at_ns, count, kind, root, source)


@pytest.mark.parametrize("source", ["\U0001f6f8" * entry.LONGEST_SOURCE, "\x00" * 64, "ÿ" * 64])
def test_a_source_of_the_longest_kind_fits(source: str) -> None:
    written = write_leaf(Entry("command", -(2**63), source, (Fact(b""),) * 99_999), ROOT)
    assert len(written) <= entry.LONGEST_LEAF
    assert read_leaf(written).source == source


def test_no_leaf_is_written_that_could_not_be_read() -> None:
    overhead = len(write_leaf(entry_of(source=""), ROOT))
    just = "x" * (entry.LONGEST_LEAF - overhead)
    assert read_leaf(write_leaf(entry_of(source=just), ROOT)).source == just
    with pytest.raises(RecordError, match="leaf of 1001 bytes"):
        write_leaf(entry_of(source=just + "x"), ROOT)


def changed(**fields: Any) -> bytes:
    said = json.loads(LEAF) | fields
    return json.dumps(said, separators=(",", ":")).encode()


NOT_LEAVES = {
    "empty": b"",
    "not JSON": b"{",
    "not UTF-8": b'{"at":"\xff"}',
    "UTF-16": LEAF.decode().encode("utf-16"),
    "a list": b'["at","count","kind","root","source","v"]',
    "a number": b"5",
    "nothing": b"null",
    "deep": b"[" * 900,
    "spaces": LEAF.replace(b",", b", "),
    "line end": LEAF + b"\n",
    "twice a name": LEAF[:-1] + b',"v":1}',
    "one more": changed(more=1),
    "one less": LEAF.replace(b'"v":1', b'"w":1'),
    "another order": json.dumps(
        dict(reversed(json.loads(LEAF).items())), separators=(",", ":")
    ).encode(),
    "escaped": LEAF.replace(b"radar", b"\\u0072adar"),
    "not ASCII": LEAF.replace(b"radar-1", "räder".encode()),
    "another version": changed(v=2),
    "a version that is true": changed(v=True),
    "a version with a point": LEAF.replace(b'"v":1', b'"v":1.0'),
    "a time with a point": LEAF.replace(b"000,", b"000.0,"),
    "a time as text": changed(at="1789249688000000000"),
    "a time that is true": changed(at=True),
    "a time from nowhere": changed(at=None),
    "a count that is true": changed(count=True),
    "a count below none": changed(count=-1),
    "a count with zeros": LEAF.replace(b":57", b":057"),
    "a count with a sign": LEAF.replace(b":57", b":+57"),
    "a kind that is a number": changed(kind=5),
    "a kind that is a list": changed(kind=["batch"]),
    "a source that is none": changed(source=None),
    "a source that is a number": changed(source=7),
    "a root in capitals": changed(root=("9F" * 32)),
    "a root with spaces": changed(root="9f " * 32),
    "a root cut short": changed(root="9f" * 31),
    "a longer root": changed(root="9f" * 33),
    "no root": changed(root=""),
    "a root that is no number": changed(root="xy" * 32),
    "a root as bytes": changed(root=[159] * 32),
    "too long": changed(source="x" * 1_000),
    "NaN": LEAF.replace(b"57", b"NaN"),
}


@pytest.mark.parametrize("data", NOT_LEAVES.values(), ids=NOT_LEAVES.keys())
def test_nothing_else_is_a_leaf(data: bytes) -> None:
    with pytest.raises(RecordError, match="leaf"):
        read_leaf(data)


def test_a_huge_count_costs_nothing() -> None:
    assert read_leaf(changed(count=10**18)).count == 10**18


@given(st.binary(max_size=60) | st.text(max_size=40).map(str.encode))
def test_no_bytes_crash_the_reader(data: bytes) -> None:
    with pytest.raises(RecordError):
        read_leaf(data)


@settings(max_examples=400)
@given(st.integers(0, len(LEAF) - 1), st.binary(max_size=3), st.integers(0, 3))
def test_an_edited_leaf_is_refused_or_says_just_what_it_says(
    at: int, put_in: bytes, taken: int
) -> None:
    data = LEAF[:at] + put_in + LEAF[at + taken :]
    try:
        leaf = read_leaf(data)
    except RecordError:
        return
    assert literal.leaf(leaf.at_ns, leaf.count, leaf.kind, leaf.root, leaf.source) == data
    assert (data == LEAF) == (leaf == read_leaf(LEAF))


# -- facts --------------------------------------------------------------------------------


@given(keys, indices, places, st.binary(max_size=80))
def test_an_open_fact_is_kept_as_it_is_and_committed_to(
    key: bytes, index: int, place: int, data: bytes
) -> None:
    stored, committed = entry.keep_open(entry.Salts(key)(index, place), data)
    assert entry.Salts(key)(index, place) == literal.salt(key, index, place)
    assert committed == literal.commitment(key, index, place, data)
    assert stored == b"\x00" + data
    assert entry.sealed_hour(stored) is None
    assert entry.committed_to(entry.Salts(key), index, place, stored) == committed
    assert entry.unseal(None, index, place, stored) == data


@given(keys, st.integers(0, 2**32 - 1), indices, places, st.binary(max_size=80))
def test_a_sealed_fact_comes_back_with_its_key(
    key: bytes, hour: int, index: int, place: int, data: bytes
) -> None:
    stored, committed = entry.seal(entry.FactKey(key), hour, index, place, data)
    assert stored[:37] == b"\x01" + hour.to_bytes(4, "big") + committed
    assert entry.sealed_hour(stored) == hour
    # The salt comes from the hour's key: without it nobody can try what the commitment hides.
    assert committed == literal.commitment(key, index, place, data)
    assert entry.committed_to(NOBODYS, index, place, stored) == committed
    assert entry.unseal(entry.FactKey(key), index, place, stored) == data


def test_a_serial_number_is_not_found_by_trying_once_the_hours_key_is_gone() -> None:
    """All of a serial's last five digits are tried with everything else that is stored."""
    record_key, hour_key = KEY, OTHER
    facts = [f"serial {n:05d}".encode() for n in range(3_000)]
    stored, committed = entry.seal(entry.FactKey(hour_key), HOUR, 7, 2, facts[1_234])

    def found_with(key: bytes) -> list[int]:
        fact_salt = entry.Salts(key)(7, 2)
        return [n for n, f in enumerate(facts) if entry.commitment(fact_salt, f) == committed]

    assert found_with(hour_key) == [1_234]
    assert found_with(record_key) == []
    assert b"serial" not in stored


@given(st.binary(max_size=64), indices, places)
def test_salts_asked_for_together_are_the_same(key: bytes, index: int, place: int) -> None:
    salts = entry.Salts(key)
    for each in (place, place, place // 2):  # using it does not use it up
        assert salts(index, each) == literal.salt(key, index, each)
    spots = [(index, place), (place, index), (index, place)]
    assert salts.many(spots) == [literal.salt(key, *spot) for spot in spots]
    assert salts.many([]) == []


def test_every_place_has_a_salt_of_its_own() -> None:
    """Also where digits of index and place could run together."""
    spots = itertools.product(range(130), range(130))
    assert len({entry.Salts(KEY)(*spot) for spot in spots}) == 130 * 130
    assert entry.Salts(KEY)(1, 2) != entry.Salts(OTHER)(1, 2)
    assert len(entry.Salts(KEY)(1, 2)) == entry.SALT_BYTES == 16


def test_a_sealed_fact_opens_for_nobody_else() -> None:
    stored, _ = entry.seal(entry.FactKey(KEY), HOUR, 7, 2, b"who")
    for index, place, key in ((7, 2, OTHER), (8, 2, KEY), (7, 3, KEY), (7, 2, KEY[:31])):
        with pytest.raises(RecordError, match=rf"entry {index}, fact {place}: it was altered, or"):
            entry.unseal(entry.FactKey(key), index, place, stored)
    with pytest.raises(RecordError, match="entry 7, fact 2: its key is gone"):
        entry.unseal(None, 7, 2, stored)


def test_no_bit_of_a_sealed_fact_can_be_turned_but_for_its_hours() -> None:
    stored, _ = entry.seal(entry.FactKey(KEY), HOUR, 7, 2, b"who")
    for bit in range(len(stored) * 8):
        altered = bytearray(stored)
        altered[bit // 8] ^= 1 << bit % 8
        if 8 <= bit < 40:  # the hour: it leads to another key
            assert entry.sealed_hour(bytes(altered)) != HOUR
            continue
        if altered[0] == 0:  # now an open fact: what it commits to is not what was
            assert entry.committed_to(NOBODYS, 7, 2, bytes(altered)) != stored[5:37]
            continue
        with pytest.raises(RecordError):
            entry.unseal(entry.FactKey(KEY), 7, 2, bytes(altered))


def test_a_sealed_fact_cut_anywhere_is_refused() -> None:
    stored, _ = entry.seal(entry.FactKey(KEY), HOUR, 7, 2, b"who")
    for length in range(len(stored)):
        with pytest.raises(RecordError):
            entry.unseal(entry.FactKey(KEY), 7, 2, stored[:length])


@pytest.mark.parametrize("stored", [b"", b"\x02", b"\x03" * 60, b"\x01", b"\x01" * 36, b"{}"])
def test_what_is_neither_open_nor_sealed_is_refused(stored: bytes) -> None:
    for read in (entry.sealed_hour, lambda s: entry.committed_to(NOBODYS, 0, 0, s)):
        with pytest.raises(RecordError, match="neither open nor sealed"):
            read(stored)


def test_two_facts_that_take_one_place_share_no_nonce() -> None:
    """After a crash another fact may take the place of one that was lost.

    AES-GCM is a stream: under one nonce the two texts' difference would lie open.
    """
    first, second = b"serial AAAAAAAAAAAA", b"serial BBBBBBBBBBBB"
    sealed = [entry.seal(entry.FactKey(KEY), HOUR, 7, 2, data)[0][37:] for data in (first, second)]
    differ = bytes(a ^ b for a, b in zip(*sealed, strict=True))[: len(first)]
    assert differ != bytes(a ^ b for a, b in zip(first, second, strict=True))
    assert sealed[0] == entry.seal(entry.FactKey(KEY), HOUR, 7, 2, first)[0][37:]


@pytest.mark.parametrize("hour", [-1, 2**32])
def test_an_hour_that_cannot_be_written_is_refused(hour: int) -> None:
    with pytest.raises(RecordError, match="no hour"):
        entry.seal(entry.FactKey(KEY), hour, 0, 0, b"x")


def test_hours_begin_on_the_hour() -> None:
    full = 497_013 * 3_600 * 10**9
    assert [entry.hour_of(full + d) for d in (-1, 0, 3_600 * 10**9 - 1)] == [
        497_012, 497_013, 497_013,
    ]  # fmt: skip


@given(st.lists(st.binary(max_size=300), max_size=5), st.binary(min_size=1, max_size=3))
def test_packed_facts_come_back_and_a_cut_is_named(facts: list[bytes], more: bytes) -> None:
    packed = b"".join(map(entry.pack_fact, facts))
    assert entry.unpack_facts(7, packed) == tuple(facts)
    whole = {len(b"".join(map(entry.pack_fact, facts[:n]))) for n in range(len(facts) + 1)}
    for length in set(range(len(packed))) - whole:
        with pytest.raises(RecordError, match="entry 7: its stored facts are cut short"):
            entry.unpack_facts(7, packed[:length])
    with pytest.raises(RecordError, match="entry 7"):
        entry.unpack_facts(7, packed + b"\x01" + more)


@pytest.mark.parametrize("stored", [None, "text", 5])
def test_facts_that_are_no_bytes_are_named(stored: Any) -> None:
    with pytest.raises(RecordError, match="entry 7: its facts are not stored as bytes"):
        entry.unpack_facts(7, stored)


# -- inner roots --------------------------------------------------------------------------


@given(st.lists(keys, max_size=40))
@example([])
def test_the_inner_root_is_the_literal_one(commitments: list[bytes]) -> None:
    assert entry.inner_root(commitments) == literal.inner_root(commitments)


def test_an_entry_without_facts_has_the_root_of_nothing() -> None:
    assert entry.inner_root([]) == EMPTY_ROOT


def test_a_placed_entry_is_hashed_as_a_leaf_of_the_log() -> None:
    assert Placed(3, LEAF, ()).hash == sha256(b"\x00" + LEAF).digest()


@given(
    st.lists(
        st.tuples(st.sampled_from(["batch", "tick"]), st.integers(0, 3), st.binary(max_size=40)),
        max_size=12,
    ),
    st.integers(0, 2**40),
)
def test_many_with_one_open_fact_are_written_as_each_alone(
    rows: list[tuple[str, int, bytes]], first: int
) -> None:
    entries = [Entry(kind, at_ns, f"s-{at_ns}", (Fact(data),)) for kind, at_ns, data in rows]
    salts = entry.Salts(b"k" * 32)
    alone = []
    for index, one in enumerate(entries, first):
        stored, committed = entry.keep_open(salts(index, 0), one.facts[0].data)
        alone.append((write_leaf(one, committed), entry.pack_fact(stored)))
    assert list(entry.write_open(salts, entries, first)) == alone
