"""What a witness answers, in the specification's statuses; forks that prove themselves."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skykeep.errors import RecordError
from skykeep.record import checkpoint as checkpoints
from skykeep.record import keys, merkle, note, witness, witness_fork
from skykeep.record.checkpoint import Checkpoint
from skykeep.record.merkle import StoredTree, leaf_hash
from skykeep.record.witness import Accepted, AddCheckpoint, Refused, judge
from skykeep.record.witness_fork import Fork
from tests.unit.record.test_cosignature import LOG, LOG_KEY, ORIGIN, W

HASHES = [leaf_hash(b"leaf %d" % n) for n in range(40)]
FORKED = [*HASHES[:10], *(leaf_hash(b"other %d" % n) for n in range(30))]
LOGS = {ORIGIN: [LOG_KEY]}


def head(size: int, hashes: list[bytes] = HASHES) -> Checkpoint:
    return Checkpoint(ORIGIN, size, merkle.root(hashes[:size]))


def signed(size: int, hashes: list[bytes] = HASHES) -> bytes:
    return checkpoints.sign(head(size, hashes), [LOG]).to_bytes()


def request(old: int, size: int, hashes: list[bytes] = HASHES) -> bytes:
    proof = merkle.consistency_proof(hashes, old, size) if 0 < old <= size else ()
    return AddCheckpoint(old, proof, signed(size, hashes)).to_bytes()


def tree(hashes: list[bytes]) -> StoredTree:
    return StoredTree(lambda low, high: hashes[low:high])


def test_a_request_by_the_letter() -> None:
    lines = request(3, 7).decode().split("\n")
    empty = lines.index("")
    assert (lines[0], empty) == ("old 3", 1 + len(merkle.consistency_proof(HASHES, 3, 7)))
    assert "\n".join(lines[empty + 1 :]).encode() == signed(7)
    assert witness.origin_of(request(3, 7)) == ORIGIN


@settings(deadline=None)
@given(st.integers(0, 40), st.integers(0, 40))
def test_what_continues_is_accepted(first: int, second: int) -> None:
    old, new = sorted((first, second))
    held = head(old) if old else None
    found = judge(request(old, new), LOGS, held)
    assert isinstance(found, Accepted)
    assert found.checkpoint == head(new)
    assert found.note.to_bytes() == signed(new)


def test_signatures_of_strangers_are_left_out() -> None:
    noisy = note.cosign(checkpoints.sign(head(7), [LOG]), [W[0].at(5)])
    found = judge(AddCheckpoint(0, (), noisy.to_bytes()).to_bytes(), LOGS, None)
    assert isinstance(found, Accepted)
    assert found.note.to_bytes() == signed(7)


OTHER = keys.signer("other/log", bytes(32))
THIEF = keys.signer(ORIGIN, bytes(32))


def by(who: keys.Ed25519Signer, origin: str = ORIGIN) -> bytes:
    made = checkpoints.sign(replace(head(20), origin=origin), [who]).to_bytes()
    return AddCheckpoint(0, (), made).to_bytes()


@pytest.mark.parametrize(
    ("data", "held", "status", "size"),
    [
        (b"", None, 400, None),
        (b"old 1", None, 400, None),
        (b"old 01\n\n" + signed(7), None, 400, None),
        (b"old 0\n\nno checkpoint\n", None, 400, None),
        (by(OTHER, "other/log"), None, 404, None),
        (by(THIEF), None, 403, None),
        (AddCheckpoint(9, (), signed(7)).to_bytes(), 9, 400, None),
        (request(0, 20), 12, 409, 12),
        (request(5, 20), 12, 409, 12),
        (request(5, 20), None, 409, 0),
        (AddCheckpoint(0, (bytes(32),), signed(20)).to_bytes(), None, 422, None),
        (AddCheckpoint(12, (), signed(20)).to_bytes(), 12, 422, None),
        (AddCheckpoint(12, (bytes(32),), signed(12)).to_bytes(), 12, 422, None),
        (request(12, 20, FORKED), 12, 422, None),
        (request(20, 20, FORKED), 20, 409, None),
    ],
)
def test_what_is_refused(data: bytes, held: int | None, status: int, size: int | None) -> None:
    found = judge(data, LOGS, None if held is None else head(held))
    assert isinstance(found, Refused)
    assert (found.status, found.size) == (status, size), found.problem
    assert (found.signed is None) == (status in (400, 403, 404) and b"old 9" not in data)


@settings(deadline=None)
@given(st.binary(max_size=200) | st.sampled_from([request(3, 7)]).flatmap(
    lambda data: st.integers(0, len(data) - 1).map(lambda at: data[:at] + b"\xff" + data[at + 1 :])
))  # fmt: skip
def test_whatever_the_request(data: bytes) -> None:
    found = judge(data, LOGS, head(3))
    assert isinstance(found, Refused)
    assert found.status in (400, 403, 404, 409, 422)


# -- forks ----------------------------------------------------------------------------------


@pytest.mark.parametrize(("size", "other"), [(20, 20), (15, 30), (30, 15), (11, 40), (12, 13)])
def test_a_fork_proves_itself(size: int, other: int) -> None:
    larger = tree(HASHES if size > other else FORKED)
    found = witness_fork.between(signed(size), signed(other, FORKED), ORIGIN, [LOG_KEY], larger)
    assert found is not None
    again = witness_fork.parse(found.to_bytes())
    assert again == found
    older, newer = witness_fork.check(again, ORIGIN, [LOG_KEY])
    assert [older.size, newer.size] == sorted((size, other))


@settings(deadline=None)
@given(st.integers(0, 40), st.integers(0, 40))
def test_heads_that_agree_are_no_fork(one: int, other: int) -> None:
    """Also where one was taken from before the two ways parted."""
    whole = tree(HASHES)
    assert witness_fork.between(signed(one), signed(other), ORIGIN, [LOG_KEY], whole) is None
    if one <= 10 < other:
        kept = signed(other, FORKED)
        forked = tree(FORKED)
        assert witness_fork.between(signed(one), kept, ORIGIN, [LOG_KEY], forked) is None


def test_nobody_can_make_up_a_fork() -> None:
    older, newer = signed(15), signed(30)
    proof = merkle.consistency_proof(HASHES, 15, 30)
    lies = [
        Fork(older, older),
        Fork(older, newer),
        Fork(newer, older, head(15).root, proof),
        Fork(older, newer, head(15).root, proof),
        Fork(older, newer, bytes(32), proof),
        Fork(older, newer, head(15, FORKED).root, merkle.consistency_proof(FORKED, 15, 30)),
        Fork(older, checkpoints.sign(head(15, FORKED), [THIEF]).to_bytes()),
    ]
    for lie in lies:
        with pytest.raises(RecordError):
            witness_fork.check(lie, ORIGIN, [LOG_KEY])
    with pytest.raises(RecordError, match="not that of the head"):
        witness_fork.between(older, newer, ORIGIN, [LOG_KEY], tree(FORKED))
    with pytest.raises(RecordError, match="not that of the head"):
        witness_fork.between(older, newer, ORIGIN, [LOG_KEY], None)


PARTS = st.none() | st.integers() | st.text(max_size=9) | st.lists(st.text(max_size=9), max_size=3)


@settings(deadline=None)
@given(
    st.binary(max_size=100)
    | st.fixed_dictionaries(
        {"format": st.just(witness_fork.FORMAT)},
        optional={"older": PARTS, "newer": PARTS, "prefix": PARTS, "proof": PARTS},
    ).map(lambda said: json.dumps(said).encode())
)
def test_whatever_the_file(data: bytes) -> None:
    try:
        found = witness_fork.parse(data)
    except RecordError:
        return
    with pytest.raises(RecordError):
        witness_fork.check(found, ORIGIN, [LOG_KEY])
