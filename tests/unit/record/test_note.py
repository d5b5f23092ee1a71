"""Signed notes: the published examples, several keys, other kinds of signature, damage."""

from __future__ import annotations

import base64
import hmac
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skykeep.errors import RecordError
from skykeep.record import keys, note
from skykeep.record.keys import PublicKey
from skykeep.record.note import Note, Signature

# C2SP signed-note v1.0.0, section "Verifier keys".
EXAMPLE_KEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
EXAMPLE = """\
This is an example message.

— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=
"""  # noqa: E501 a signature line cannot be broken

# golang.org/x/mod/sumdb/note, whose tests publish both keys and the signatures.
PETER_SECRET = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
PETER_KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
ENOCH_KEY = "EnochRoot+af0cfe78+ATtqJ7zOtqQtYqOo0CpvDXNlMhV3HeJDpjrASKGLWdop"
TEXT = """\
If you think cryptography is the answer to your problem,
then you don't know what your problem is.
"""
BY_PETER = "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"  # noqa: E501
BY_ENOCH = "— EnochRoot rwz+eBzmZa0SO3NbfRGzPCpDckykFXSdeX+MNtCOXm2/5n2tiOHp+vAF1aGrQ5ovTG01oOTGwnWLox33WWd1RvMc+QQ=\n"  # noqa: E501
TWICE = f"{TEXT}\n{BY_PETER}{BY_ENOCH}"

PETER = keys.verifier(keys.parse_public(PETER_KEY))
ENOCH = keys.verifier(keys.parse_public(ENOCH_KEY))

# Text as a note may hold it: lines without control characters.
characters = st.characters(min_codepoint=0x20, exclude_categories=("Cs",))
texts = st.lists(st.text(characters, max_size=12), min_size=1, max_size=6).map(
    lambda lines: "".join(line + "\n" for line in lines)
)
seeds = st.binary(min_size=32, max_size=32)


def flipped(data: bytes, bit: int) -> bytes:
    changed = bytearray(data)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


def checked(data: bytes, *verifiers: note.Verifier) -> note.CheckedNote:
    return note.check(note.parse(data), verifiers)


# --- published examples


def test_the_specification_s_example_holds() -> None:
    found = checked(EXAMPLE.encode(), keys.verifier(keys.parse_public(EXAMPLE_KEY)))
    assert found.note.text == "This is an example message.\n"
    assert [one.key for one in found.held] == ["example.com/foo+530d903a"]
    assert found.note.to_bytes() == EXAMPLE.encode()


def test_go_s_example_is_signed_to_the_byte() -> None:
    signed = note.sign(TEXT, [keys.parse_secret(PETER_SECRET)])
    assert signed.to_bytes().decode() == f"{TEXT}\n{BY_PETER}"


def test_go_s_example_of_two_signatures_holds_by_either_and_by_both() -> None:
    both = checked(TWICE.encode(), ENOCH, PETER)
    assert [one.name for one in both.held] == ["PeterNeumann", "EnochRoot"]
    assert both.unknown == ()
    one = checked(TWICE.encode(), PETER)
    assert [s.name for s in one.held] == ["PeterNeumann"]
    assert [s.key for s in one.unknown] == ["EnochRoot+af0cfe78"]


# --- signing and checking


@given(texts, st.lists(seeds, min_size=1, max_size=4, unique=True))
def test_what_is_signed_is_read_and_holds(text: str, secrets: list[bytes]) -> None:
    signers = [keys.signer(f"log.example/{i}", seed) for i, seed in enumerate(secrets)]
    data = note.sign(text, signers).to_bytes()
    found = checked(data, *(keys.verifier(one.key) for one in signers))
    assert found.note.text == text
    assert [one.name for one in found.held] == [one.name for one in signers]
    assert found.note.to_bytes() == data


def test_a_cosigner_adds_its_line_below() -> None:
    other = keys.signer("witness.example", bytes(32))
    twice = note.cosign(note.parse(f"{TEXT}\n{BY_PETER}".encode()), [other])
    found = checked(twice.to_bytes(), PETER, keys.verifier(other.key))
    assert [one.name for one in found.held] == ["PeterNeumann", "witness.example"]


def test_unknown_keys_are_passed_over_also_with_a_known_name_or_id() -> None:
    namesake = keys.signer("PeterNeumann", bytes(32))
    same_id = Signature("Somebody", PETER.key_id, b"\x00" * 64)
    parsed = note.parse(TWICE.encode())
    more = Note(TEXT, (*note.cosign(parsed, [namesake]).signatures, same_id))
    found = note.check(more, [PETER])
    assert [one.key for one in found.held] == ["PeterNeumann+c74f20a3"]
    assert len(found.unknown) == 3


def test_no_known_key_is_no_note() -> None:
    with pytest.raises(RecordError, match=r"none of the keys.*'PeterNeumann\+c74f20a3'"):
        checked(f"{TEXT}\n{BY_PETER}".encode(), ENOCH)
    with pytest.raises(RecordError, match="none of the keys"):
        checked(TWICE.encode())


def test_one_false_signature_of_a_known_key_spoils_the_note() -> None:
    first, second = note.parse(TWICE.encode()).signatures
    false = Signature(second.name, second.key_id, flipped(second.signature, 9))
    with pytest.raises(RecordError, match=r"signature 2: EnochRoot\+af0cfe78 did not sign"):
        note.check(Note(TEXT, (first, false)), [PETER, ENOCH])
    assert note.check(Note(TEXT, (first, false)), [PETER]).unknown == (false,)


def test_a_key_counts_once_however_often_it_signs() -> None:
    one = note.parse(f"{TEXT}\n{BY_PETER}{BY_PETER}".encode())
    assert len(one.signatures) == 2
    assert len(note.check(one, [PETER]).held) == 1
    false = Signature(PETER.name, PETER.key_id, bytes(64))
    with pytest.raises(RecordError, match="signature 2"):
        note.check(Note(TEXT, (one.signatures[0], false)), [PETER])


def test_two_keys_that_cannot_be_told_apart_are_refused() -> None:
    again = keys.verifier(keys.parse_public(PETER_KEY))
    with pytest.raises(RecordError, match="two keys are both PeterNeumann"):
        checked(TWICE.encode(), PETER, again)


def test_at_least_sixteen_long_signatures_are_read() -> None:
    # The specification's minimum, at 5 kB each, as post-quantum signatures are.
    lines = tuple(Signature(f"w{i}", bytes(4), bytes(5_000)) for i in range(16))
    assert note.parse(Note(TEXT, lines).to_bytes()).signatures == lines


# --- a second kind of signature


FAKE_TYPE = 0x06  # the byte that C2SP tlog-cosignature gives ML-DSA-44


@dataclass(frozen=True, slots=True)
class Tag:
    """Stands in for a second kind of signature: an HMAC under the public key."""

    key: PublicKey

    @property
    def name(self) -> str:
        return self.key.name

    @property
    def key_id(self) -> bytes:
        return self.key.key_id

    def sign(self, text: bytes) -> bytes:
        return hmac.digest(self.key.material, text, "sha512") * 38  # about as long

    def verify(self, text: bytes, signature: bytes) -> bool:
        return hmac.compare_digest(self.sign(text), signature)


def test_a_second_kind_of_signature_stands_beside_the_first() -> None:
    first = keys.signer("log.example", bytes(range(32)))
    tag = Tag(PublicKey("log.example", FAKE_TYPE, bytes(1312)))
    data = note.sign(TEXT, [first, tag]).to_bytes()

    public = keys.parse_public(tag.key.to_text())
    assert public == tag.key
    with pytest.raises(RecordError, match="type 0x06 cannot be checked here"):
        keys.verifier(public)
    second = keys.verifier(public, {**keys.MAKERS, FAKE_TYPE: Tag})

    assert len(checked(data, keys.verifier(first.key), second).held) == 2
    # Who does not know the second kind still reads the first.
    assert len(checked(data, keys.verifier(first.key)).unknown) == 1
    broken = flipped(data, len(data) * 8 - 200)
    with pytest.raises(RecordError, match="signature 2"):
        checked(broken, keys.verifier(first.key), second)


def test_the_algorithm_byte_is_part_of_the_key_s_id() -> None:
    assert note.key_id("a", 1, bytes(32)) != note.key_id("a", 4, bytes(32))


# --- damage


ONCE = f"{TEXT}\n{BY_PETER}".encode()


@pytest.mark.parametrize("byte", range(len(ONCE)))
def test_every_flipped_bit_of_a_note_fails(byte: int) -> None:
    for bit in range(8):
        with pytest.raises(RecordError):
            checked(flipped(ONCE, byte * 8 + bit), PETER)


@given(st.integers(0, len(ONCE) - 1), st.binary(min_size=1, max_size=9))
def test_what_is_cut_off_or_put_in_fails(at: int, more: bytes) -> None:
    with pytest.raises(RecordError):
        checked(ONCE[:at], PETER)
    put_in = ONCE[:at] + more + ONCE[at:]
    with pytest.raises(RecordError):
        checked(put_in, PETER)


@given(st.binary(max_size=300) | st.text(max_size=200).map(str.encode))
def test_no_bytes_crash_the_reader(data: bytes) -> None:
    try:
        found = note.parse(data)
    except RecordError:
        return
    assert found.to_bytes() == data


pieces = st.sampled_from(["— ", "a b", "\n", "\n\n", "AAAAAAA=", "AAAAAAAA", " ", "+", "\x00", "é"])


@given(st.lists(pieces, max_size=14).map("".join))
def test_what_is_read_is_written_the_same(text: str) -> None:
    try:
        found = note.parse(text.encode())
    except RecordError:
        return
    assert found.to_bytes().decode() == text


@given(st.text(max_size=30), st.text(max_size=12), st.binary(max_size=8), st.binary(max_size=8))
def test_what_could_not_be_read_is_not_written(
    text: str, name: str, identifier: bytes, signature: bytes
) -> None:
    made = Note(text, (Signature(name, identifier, signature),))
    try:
        data = made.to_bytes()
    except RecordError:
        return
    assert note.parse(data) == made


STRAY = "— a AAAAAAB=\n"  # the last character has bits that stand for nothing


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "no end"),
        (TEXT.encode(), "no empty line"),
        (TEXT.encode() + b"\n", "no signature"),
        (ONCE[:-1], "no end; is the note cut short"),
        (b"\xff" + ONCE, "byte 0 is not UTF-8"),
        (b"\x01" + ONCE, r"line 1: a control character, '\\x01'"),
        (ONCE.replace(b"\n", b"\r\n"), "control character"),
        (f"a\n\n{BY_PETER}and more\n".encode(), r"line 4 \(signature\): 'and more' does not begin"),
        (b"a\n\n- b AAAAAAA=\n", "line 3.*does not begin with a dash"),
        ("a\n\n— b\n".encode(), "line 3.*no signature behind the key name"),
        ("a\n\n—  AAAAAAA=\n".encode(), "line 3.*key name is empty"),
        ("a\n\n— b+c AAAAAAA=\n".encode(), r"line 3.*'b\+c' has '\+' in it"),
        ("a\n\n— b\u2003c AAAAAAA=\n".encode(), r"'b\\u2003c' has"),
        ("a\n\n— b c AAAAAAA=\n".encode(), "'c AAAAAAA=' is not base64"),
        ("a\n\n— b AAAA_-A=\n".encode(), "not base64"),
        ("a\n\n— b é\n".encode(), "not base64"),
        (f"a\n\n{STRAY}".encode(), "canonical"),
        ("a\n\n— b AAAAAA==\n".encode(), "4 bytes leave no signature"),
        ("a\n\n— b AAAAAAA=\n\n".encode(), "no signature under the text"),
        (b"a\n\n" + "— b AAAAAAA=\n".encode() * 101, "101 signatures, at most 100"),
        (b"a" * 1_000_001, "1000001 bytes, at most 1000000"),
    ],
)
def test_what_is_wrong_is_named(data: bytes, words: str) -> None:
    with pytest.raises(RecordError, match=words):
        note.parse(data)


def test_a_stray_bit_in_base64_would_pass_python() -> None:
    assert base64.b64decode("AAAAAAB=", validate=True) == bytes(5)


@pytest.mark.parametrize("text", ["", "no end", "a\x00b\n", "half \ud800\n"])
def test_what_cannot_be_a_text_is_not_signed(text: str) -> None:
    with pytest.raises(RecordError):
        note.sign(text, [keys.parse_secret(PETER_SECRET)])


def test_a_text_may_have_empty_lines_and_look_like_a_note() -> None:
    text = f"\n\n{TEXT}\n{BY_ENOCH}\n"
    found = checked(note.sign(text, [keys.parse_secret(PETER_SECRET)]).to_bytes(), PETER, ENOCH)
    assert found.note.text == text
    assert [one.name for one in found.held] == ["PeterNeumann"]
