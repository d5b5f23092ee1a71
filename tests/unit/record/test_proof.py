"""Proofs as C2SP tlog-proof has them: what holds, what does not, whatever the bytes."""

from __future__ import annotations

from base64 import b64encode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skykeep.errors import RecordError
from skykeep.record import checkpoint as checkpoints
from skykeep.record import merkle, note, proof
from skykeep.record.checkpoint import Checkpoint
from skykeep.record.merkle import leaf_hash
from skykeep.record.proof import FIRST_LINE, Proof
from tests.unit.record.test_cosignature import LOG, LOG_KEY, ORIGIN, W

LEAVES = [b"leaf %d" % n for n in range(11)]
HASHES = [leaf_hash(leaf) for leaf in LEAVES]
SIGNED = checkpoints.sign(Checkpoint(ORIGIN, 11, merkle.root(HASHES)), [LOG])
NOTE = note.cosign(SIGNED, [W[0].at(7), W[1].at(8)]).to_bytes()
WITNESSES = [w.key for w in W]


def proof_of(index: int, extra: bytes | None = None) -> Proof:
    return Proof(index, merkle.inclusion_proof(HASHES, index), NOTE, extra)


def test_a_proof_by_the_letter() -> None:
    made = proof_of(3, b"more").to_bytes()
    head, _, below = made.partition(b"\n\n")
    path = [b64encode(h).decode() for h in merkle.inclusion_proof(HASHES, 3)]
    assert head.decode().split("\n") == [FIRST_LINE, "extra bW9yZQ==", "index 3", *path]
    assert below == NOTE


@settings(deadline=None)
@given(st.integers(0, 10), st.none() | st.binary(max_size=50))
def test_what_is_written_is_read_and_holds(index: int, extra: bytes | None) -> None:
    made = proof_of(index, extra)
    found = proof.parse(made.to_bytes())
    assert found == made
    head = proof.check(found, LEAVES[index], ORIGIN, [LOG_KEY], WITNESSES, 2)
    assert (head.checkpoint.size, len(head.cosigners)) == (11, 2)


def test_the_only_entry_needs_no_hash() -> None:
    alone = checkpoints.sign(Checkpoint(ORIGIN, 1, HASHES[0]), [LOG]).to_bytes()
    found = proof.parse(Proof(0, (), alone).to_bytes())
    assert proof.check(found, LEAVES[0], ORIGIN, [LOG_KEY]).checkpoint.size == 1


def test_what_does_not_hold() -> None:
    good = proof_of(3)
    with pytest.raises(RecordError, match="leads to the root"):
        proof.check(good, LEAVES[4], ORIGIN, [LOG_KEY])
    with pytest.raises(RecordError, match="no leaf 11"):
        proof.check(Proof(11, good.hashes, NOTE), LEAVES[3], ORIGIN, [LOG_KEY])
    with pytest.raises(RecordError, match="3 of 3 witnesses"):
        proof.check(good, LEAVES[3], ORIGIN, [LOG_KEY], WITNESSES, 3)
    with pytest.raises(RecordError, match="not of 'other'"):
        proof.check(good, LEAVES[3], "other", [LOG_KEY])


@pytest.mark.parametrize(
    ("was", "now", "words"),
    [
        (b"proof@v1", b"proof@v2", "line 1"),
        (b"index 3", b"index 03", "line 2"),
        (b"index 3", b"index 9223372036854775807", "line 2"),
        (b"index 3", b"index", "line 2"),
        (b"index 3\n", b"index 3\n" + b"A" * 43 + b"*\n", "base64"),
        (b"index 3\n", b"index 3\n" + b64encode(bytes(32)).join([b"", b"\n"]) * 64, "68 hashes"),
        (b"index 3", "index ٣".encode(), "not ASCII"),
        (b"\n\n", b"\n", "no empty line"),
    ],
)
def test_what_is_no_proof(was: bytes, now: bytes, words: str) -> None:
    data = proof_of(3).to_bytes()
    if was == b"\n\n":
        data = data.partition(b"\n\n")[0]
    with pytest.raises(RecordError, match=words):
        proof.parse(data.replace(was, now, 1))


@settings(deadline=None)
@given(
    st.binary(max_size=200)
    | st.lists(st.sampled_from([FIRST_LINE.encode(), b"extra YQ==", b"index 1", b"", NOTE])).map(
        b"\n".join
    )
)  # fmt: skip
def test_whatever_the_bytes(data: bytes) -> None:
    try:
        found = proof.parse(data)
    except RecordError:
        return
    assert found.to_bytes() == data
