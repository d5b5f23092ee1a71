"""Cosignatures by the letter of C2SP tlog-cosignature, against the literal signer."""

from __future__ import annotations

import struct
from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skykeep.errors import RecordError
from skykeep.record import checkpoint as checkpoints
from skykeep.record import cosignature, keys, note
from skykeep.record.checkpoint import Checkpoint
from skykeep.record.cosignature import (
    check_cosigned,
    cosignature_verifier,
    cosigned_at,
    cosigner,
    majority,
    ml_dsa_message,
    ml_dsa_signer,
    ml_dsa_verifier,
    parse_cosigner,
)
from skykeep.record.keys import ED25519, PublicKey
from tests.reference import ed25519

ORIGIN = "site.example/log"
LOG = keys.signer(ORIGIN, bytes(range(32)))
LOG_KEY = keys.verifier(LOG.key)
HEAD = Checkpoint(ORIGIN, 5, bytes(range(32)))
W = [cosigner(f"witness.example/w{n}", bytes((n,)) * 32) for n in range(1, 4)]
NOON_S = 1_679_315_147


def cosigned(*who: int, at_s: int = NOON_S) -> bytes:
    signed = checkpoints.sign(HEAD, [LOG])
    return note.cosign(signed, [W[n].at(at_s) for n in who]).to_bytes()


def test_a_cosignature_by_the_letter() -> None:
    """Key id, time and message as the specification spells them, under the literal signer."""
    seed, name = W[0].seed, W[0].key.name
    public = ed25519.public_key(seed)
    text = HEAD.text()
    message = f"cosignature/v1\ntime {NOON_S}\n{text}".encode()
    signature = W[0].at(NOON_S).sign(text.encode())
    assert signature == struct.pack(">Q", NOON_S) + ed25519.sign(seed, message)
    assert W[0].key.key_id == sha256(name.encode() + b"\n\x04" + public).digest()[:4]
    assert cosigned_at(signature) == NOON_S
    assert cosignature_verifier(W[0].key).verify(text.encode(), signature)


def test_a_cosigners_key_comes_back_and_is_nobody_elses() -> None:
    assert parse_cosigner(W[0].to_secret_text() + "\n") == W[0]
    assert keys.parse_public(W[0].key.to_text()) == W[0].key
    assert W[0].seed.hex() not in repr(W[0])
    with pytest.raises(RecordError, match="type 0x04"):
        parse_cosigner(LOG.to_secret_text())
    with pytest.raises(RecordError, match="type 0x01"):
        keys.parse_secret(W[0].to_secret_text())
    with pytest.raises(RecordError, match="cannot be checked here"):
        keys.verifier(W[0].key)  # a witness's key never stands in for a log's


def test_a_quorum_is_counted() -> None:
    all_keys = [w.key for w in W]
    assert [majority(n) for n in range(6)] == [0, 1, 2, 2, 3, 3]
    found = check_cosigned(cosigned(0, 2), ORIGIN, [LOG_KEY], all_keys, 2)
    assert found.cosigners == ((W[0].key.name, NOON_S), (W[2].key.name, NOON_S))
    with pytest.raises(RecordError, match="cosigned by nobody, 2 of 3"):
        check_cosigned(cosigned(), ORIGIN, [LOG_KEY], all_keys, 2)
    with pytest.raises(RecordError, match=r"cosigned by witness\.example/w2, 2 of 3"):
        check_cosigned(cosigned(1), ORIGIN, [LOG_KEY], all_keys, 2)
    with pytest.raises(RecordError, match="2 of 2"):  # one that is not known does not count
        check_cosigned(cosigned(0, 1, 2), ORIGIN, [LOG_KEY], [W[0].key, LOG_LIKE.key], 2)


LOG_LIKE = cosigner("witness.example/other", bytes((9,)) * 32)


def test_one_key_counts_once_whatever_its_names() -> None:
    twin = cosigner("witness.example/twin", W[0].seed)
    signed = note.cosign(checkpoints.sign(HEAD, [LOG]), [W[0].at(1), twin.at(2), W[0].at(3)])
    given = [W[0].key, twin.key, W[1].key]
    with pytest.raises(RecordError, match="2 of 3"):
        check_cosigned(signed.to_bytes(), ORIGIN, [LOG_KEY], given, 2)


def test_witnesses_do_not_stand_in_for_the_log() -> None:
    alone = note.sign(HEAD.text(), [w.at(NOON_S) for w in W]).to_bytes()
    with pytest.raises(RecordError, match="no key of the log"):
        check_cosigned(alone, ORIGIN, [LOG_KEY], [w.key for w in W], 2)
    with pytest.raises(RecordError, match="is no cosigner's"):
        check_cosigned(cosigned(0), ORIGIN, [LOG_KEY], [LOG.key], 1)


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_any_flipped_bit_is_found(data: st.DataObject) -> None:
    text = HEAD.text().encode()
    signature = bytearray(W[0].at(NOON_S).sign(text))
    bit = data.draw(st.integers(0, len(signature) * 8 - 1))
    signature[bit // 8] ^= 1 << bit % 8
    assert not cosignature_verifier(W[0].key).verify(text, bytes(signature))


@settings(deadline=None)
@given(st.binary(max_size=100))
def test_whatever_the_signature(data: bytes) -> None:
    assert not cosignature_verifier(W[0].key).verify(b"x\n1\n", data)
    try:
        assert 0 <= cosigned_at(data) < 2**63
    except RecordError:
        assert len(data) <= 8 or data[0] >= 0x80


@pytest.mark.parametrize("at_s", [-1, 2**63])
def test_times_that_cannot_be(at_s: int) -> None:
    with pytest.raises(RecordError, match="no time"):
        W[0].at(at_s)


@pytest.mark.parametrize("material", [b"", bytes(31), bytes(33)])
def test_keys_that_cannot_be(material: bytes) -> None:
    for algorithm in (ED25519, cosignature.ED25519_COSIGNATURE):
        with pytest.raises(RecordError, match="no Ed25519 cosigner"):
            cosignature_verifier(PublicKey("w", algorithm, material))
    with pytest.raises(RecordError, match="not an ML-DSA-44 key"):
        ml_dsa_verifier(PublicKey("w", cosignature.ML_DSA_44_COSIGNATURE, material))
    with pytest.raises(RecordError, match="a seed has 32 bytes"):
        cosigner("w", material)


def test_a_log_signs_with_a_second_kind_beside_the_first() -> None:
    """Ed25519 and ML-DSA-44 under one head: old readers ignore the second, new ones check it."""
    pytest.importorskip("cryptography.hazmat.primitives.asymmetric.mldsa")
    second = ml_dsa_signer(ORIGIN, bytes(range(32)), NOON_S)
    data = checkpoints.sign(HEAD, [LOG, second]).to_bytes()
    old = checkpoints.check(data, ORIGIN, [LOG_KEY])
    assert [one.key_id for one in old.signed.unknown] == [second.key_id]
    second_key = keys.verifier(keys.parse_public(second.key.to_text()), cosignature.COSIGNERS)
    new = checkpoints.check(data, ORIGIN, [LOG_KEY, second_key])
    assert len(new.signed.held) == 2
    assert checkpoints.check(data, ORIGIN, [second_key]).checkpoint == HEAD
    other = Checkpoint(ORIGIN, 6, HEAD.root).text()
    altered = note.Note(other, note.parse(data).signatures[1:]).to_bytes()
    with pytest.raises(RecordError, match="did not sign this text"):
        checkpoints.check(altered, ORIGIN, [second_key])


def test_a_witness_of_the_second_kind_counts() -> None:
    pytest.importorskip("cryptography.hazmat.primitives.asymmetric.mldsa")
    strong = ml_dsa_signer("witness.example/pq", bytes(32), NOON_S)
    data = note.cosign(checkpoints.sign(HEAD, [LOG]), [strong, W[0].at(7)]).to_bytes()
    found = check_cosigned(data, ORIGIN, [LOG_KEY], [strong.key, W[0].key, W[1].key], 2)
    assert found.cosigners == (("witness.example/pq", NOON_S), (W[0].key.name, 7))


def test_the_second_kinds_message_by_the_letter() -> None:
    """struct cosigned_message: label, name, timestamp, origin, start, end, hash."""
    made = ml_dsa_message("w", HEAD.text().encode(), 7)
    size = struct.pack(">QQ", 0, 5)
    name, origin = b"\x01w", bytes((len(ORIGIN),)) + ORIGIN.encode()
    assert made == b"subtree/v1\n\0" + name + struct.pack(">Q", 7) + origin + size + HEAD.root
    for cosigner_name, text in (("x" * 256, HEAD.text().encode()), ("w", b"\xff"), ("w", b"a\n")):
        with pytest.raises(RecordError):
            ml_dsa_message(cosigner_name, text, 7)
