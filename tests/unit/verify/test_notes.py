"""Keys, signed notes and checkpoints: what is read, and what is refused by which words."""

from __future__ import annotations

import contextlib
from base64 import b64encode
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skykeep.verify.verifier import (
    EMPTY_ROOT,
    MAX_NOTE_BYTES,
    VerifierKey,
    VerifyError,
    read_checkpoint,
    read_key,
    read_note,
)
from tests.reference import ed25519, notes

NAME = "site.example/night"
SEED = bytes(range(32))
KEY_LINE = notes.verifier_key(NAME, SEED)
KEY = read_key(KEY_LINE)
ROOT = sha256(b"root").digest()
CHECKPOINT = notes.checkpoint(NAME, 57, ROOT, SEED)

# The example of the C2SP signed-note specification's reference, Go's sumdb/note.
GO_KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
GO_TEXT = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
)
GO_NOTE = (
    GO_TEXT + "\n— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2p"
    "ZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)


def test_the_key_and_note_that_go_publishes() -> None:
    key = read_key(GO_KEY)
    assert key.name == "PeterNeumann"
    note = read_note(GO_NOTE.encode(), key, "note")
    assert note.text == GO_TEXT
    assert note.others == ()
    with pytest.raises(VerifyError, match="does not hold"):
        read_note(GO_NOTE.replace("your", "our", 1).encode(), key, "note")


def test_a_key_file_may_say_whose_it_is() -> None:
    assert read_key(f"# the authority's key\n\n  {KEY_LINE}\r\n") == KEY
    assert VerifierKey(NAME, KEY.key_id, ed25519.public_key(SEED)) == KEY


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "0 lines"),
        ("# nothing\n", "0 lines"),
        (f"{KEY_LINE}\n{KEY_LINE}\n", "2 lines"),
        ("no key at all", "not NAME"),
        (KEY_LINE.replace("+", "-", 1), "not NAME"),
        (f"+{KEY_LINE.partition('+')[2]}", "not NAME"),
        (KEY_LINE.replace("site", "si te"), "not NAME"),
        (KEY_LINE.replace("site", "s\x1bite"), "not NAME"),
        (KEY_LINE.replace("site", "sight"), "id is not that"),
        (KEY_LINE[:-4] + "====", "base64"),
        (KEY_LINE[:-4], "not an Ed25519 key"),
        (f"{KEY_LINE[:-1]}?", "not base64"),
    ],
)
def test_key_files_that_are_none(text: str, problem: str) -> None:
    with pytest.raises(VerifyError, match=problem):
        read_key(text)


def test_a_key_of_another_kind_or_of_small_order_is_refused() -> None:
    for raw, problem in (
        (b"\x04" + KEY.public_key, "not an Ed25519 key"),
        (b"\x01" + bytes(32), "small order"),
        (b"\x01" + (2).to_bytes(32, "little"), "no point"),
    ):
        key_id = sha256(NAME.encode() + b"\n" + raw).digest()[:4].hex()
        with pytest.raises(VerifyError, match=problem):
            read_key(f"{NAME}+{key_id}+{b64encode(raw).decode()}")


def test_a_checkpoint() -> None:
    point = read_checkpoint(CHECKPOINT, KEY)
    assert (point.origin, point.size, point.root) == (NAME, 57, ROOT)
    assert point.extensions == ()
    assert point.others == ()


def test_a_witness_is_named_and_not_counted() -> None:
    text = CHECKPOINT.decode().partition("\n\n")[0] + "\n"
    line = notes.signature_line(text, "witness.example", bytes(32))
    point = read_checkpoint(CHECKPOINT + line.encode(), KEY)
    assert len(point.others) == 1
    assert point.others[0].startswith("witness.example+")
    with pytest.raises(VerifyError, match=r"no signature of site\.example"):
        read_checkpoint(f"{text}\n{line}".encode(), KEY)


def test_extensions_are_kept_and_signed() -> None:
    text = f"{NAME}\n1\n{b64encode(ROOT).decode()}\nmore\nand more\n"
    assert read_checkpoint(notes.signed(text, NAME, SEED), KEY).extensions == ("more", "and more")


def test_another_key_of_the_same_name_does_not_count() -> None:
    other = read_key(notes.verifier_key(NAME, bytes(32)))
    with pytest.raises(VerifyError, match=r"no signature of site\.example"):
        read_checkpoint(CHECKPOINT, other)


def test_a_signature_that_only_claims_the_key_fails_even_beside_a_good_one() -> None:
    raw = KEY.key_id + bytes(64)
    line = f"— {NAME} {b64encode(raw).decode()}\n"
    with pytest.raises(VerifyError, match="does not hold for this text"):
        read_checkpoint(CHECKPOINT + line.encode(), KEY)


@pytest.mark.parametrize("step", range(3))
def test_any_bit_of_a_checkpoint_counts(step: int) -> None:
    for bit in range(step * 5, len(CHECKPOINT) * 8, 15):
        altered = bytearray(CHECKPOINT)
        altered[bit // 8] ^= 1 << bit % 8
        with pytest.raises(VerifyError, match="checkpoint"):
            read_checkpoint(bytes(altered), KEY)


ROOT_TEXT = b64encode(ROOT).decode()


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (f"other.example\n57\n{ROOT_TEXT}\n", "the key is for"),
        (f"{NAME}\n057\n{ROOT_TEXT}\n", "tree size"),
        (f"{NAME}\n-1\n{ROOT_TEXT}\n", "tree size"),
        (f"{NAME}\n+1\n{ROOT_TEXT}\n", "tree size"),
        (f"{NAME}\n٥\n{ROOT_TEXT}\n", "tree size"),
        (f"{NAME}\n{1 << 63}\n{ROOT_TEXT}\n", "tree size"),
        (f"{NAME}\n{'9' * 5000}\n{ROOT_TEXT}\n", "tree size"),
        (f"{NAME}\n57\n{ROOT_TEXT[:-1]}\n", "root: not base64"),
        (f"{NAME}\n57\n{ROOT_TEXT[:-2]}Z=\n", "not canonical"),
        (f"{NAME}\n57\n{b64encode(ROOT[:31]).decode()}\n", "31 bytes"),
        (f"{NAME}\n0\n{ROOT_TEXT}\n", "empty tree"),
        (f"{NAME}\n57\n", "lines origin"),
        (f"{NAME}\n57\n{ROOT_TEXT}\n\nmore\n", "lines origin"),
        (f"{NAME}\n57\r\n{ROOT_TEXT}\n", "control character"),
    ],
)
def test_signed_texts_that_are_no_checkpoint(text: str, problem: str) -> None:
    with pytest.raises(VerifyError, match=problem):
        read_checkpoint(notes.signed(text, NAME, SEED), KEY)


def test_the_empty_tree_has_its_own_root() -> None:
    assert read_checkpoint(notes.checkpoint(NAME, 0, EMPTY_ROOT, SEED), KEY).size == 0


@pytest.mark.parametrize(
    ("note", "problem"),
    [
        (b"", "no text"),
        (b"text\n", "no text"),
        (b"\n\n", "no text"),
        (CHECKPOINT[:-1], "no text"),
        (CHECKPOINT + b"\n", "no text"),
        (CHECKPOINT.replace("—".encode(), b"-"), "not a signature line"),
        (CHECKPOINT.replace(b"57", b"5\xff"), "not UTF-8"),
        (CHECKPOINT.replace(b"57", b"5\x00"), "control character"),
        (b"text\n\n" + "— a AAAA\n".encode(), "too short"),
        (b"text\n\n" + "— a AAAAAAA=\n".encode() * 101, "more than 100"),
        (b"x" * (MAX_NOTE_BYTES + 1), "longer than"),
    ],
)
def test_bytes_that_are_no_note(note: bytes, problem: str) -> None:
    with pytest.raises(VerifyError, match=problem):
        read_note(note, KEY, "note")


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_nothing_but_a_verify_error_comes_out(data: bytes) -> None:
    for attempt in (
        lambda: read_note(data, KEY, "note"),
        lambda: read_checkpoint(b"text\n\n" + "— ".encode() + data, KEY),
        lambda: read_key(data.decode("utf-8", "replace")),
    ):
        with contextlib.suppress(VerifyError):
            attempt()
