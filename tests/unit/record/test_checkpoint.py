"""Checkpoints: the specification's, a public log's real ones, and what is wrong with others."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skykeep.errors import RecordError
from skykeep.record import checkpoint, keys, note
from skykeep.record.checkpoint import Checkpoint
from skykeep.record.merkle import EMPTY_ROOT, MAX_SIZE

# C2SP tlog-cosignature: the example of tlog-checkpoint with a witness's signature below.
EXAMPLE = """\
example.com/behind-the-sofa
20852163
CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=
— witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==
"""  # noqa: E501 a signature line cannot be broken

# The Go checksum database: its public key and two checkpoints as it gave them out.
GO_ORIGIN = "go.sum database tree"
GO_KEY = keys.verifier(
    keys.parse_public("sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8")
)
GO_EARLY = """\
go.sum database tree
6476701
mb8QLQIs0Z0yP5Cstq6guj87oXWeC9gEM8oVikmm9Wk=

— sum.golang.org Az3grsLX85Gz+s1SiTbgkuqxgItqFq7gsMUEyVnrsa9LM7Us9S+1xbFIGu95949rj4nPRYfvimWEPWL+o3GeoWwOoAw=
""".encode()  # noqa: E501
GO_LATE = """\
go.sum database tree
65209736
5+uGFjx6xBZG8ip1+wi77v+grwbhhukIrxEUS8PXvRo=

— sum.golang.org Az3grnbssgK7ubgFX36gVETtNv0U23qxyAhAMai2QUfeGa3nB/akvkMdlUErfcZz7l/R3cVtYspg3dxXABkGZZKdsQ8=
""".encode()  # noqa: E501

LOG = keys.signer("site.example/log", bytes(range(32)))
WITNESS = keys.signer("witness.example", bytes(range(1, 33)))
LOG_KEY, WITNESS_KEY = keys.verifier(LOG.key), keys.verifier(WITNESS.key)
HEAD = Checkpoint("site.example/log", 5, bytes(range(32)))

lines = st.text(
    st.characters(min_codepoint=0x20, exclude_categories=("Cs",)), min_size=1, max_size=20
)
checkpoints = st.builds(
    Checkpoint,
    origin=lines,
    size=st.integers(1, MAX_SIZE),
    root=st.binary(min_size=32, max_size=32),
    extensions=st.lists(lines, max_size=3).map(tuple),
)


def flipped(data: bytes, bit: int) -> bytes:
    changed = bytearray(data)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


# --- published examples


def test_the_specification_s_example_is_read() -> None:
    read = note.parse(EXAMPLE.encode())
    found = checkpoint.parse(read.text)
    assert found.origin == "example.com/behind-the-sofa"
    assert found.size == 20852163
    assert found.root.hex().startswith("0ac5186a91863e8e")
    assert found.extensions == ()
    assert found.text() == read.text
    log, witness = read.signatures
    assert (log.name, log.key_id.hex(), len(log.signature)) == (found.origin, "033de0ae", 64)
    # A cosignature carries its moment in 8 bytes; the specification's says 1679315147.
    assert (witness.name, len(witness.signature)) == ("witness.example.com/w1", 72)
    assert int.from_bytes(witness.signature[:8], "big") == 1679315147


@pytest.mark.parametrize(("data", "size"), [(GO_EARLY, 6476701), (GO_LATE, 65209736)])
def test_a_public_log_s_real_checkpoint_holds(data: bytes, size: int) -> None:
    found = checkpoint.check(data, GO_ORIGIN, [GO_KEY])
    assert found.checkpoint.size == size
    assert [one.name for one in found.signed.held] == ["sum.golang.org"]


@pytest.mark.parametrize("byte", range(len(GO_EARLY)))
def test_every_flipped_bit_of_a_real_checkpoint_fails(byte: int) -> None:
    for bit in range(8):
        with pytest.raises(RecordError):
            checkpoint.check(flipped(GO_EARLY, byte * 8 + bit), GO_ORIGIN, [GO_KEY])


# --- signing and checking


@given(checkpoints)
def test_what_is_signed_is_read_and_holds(head: Checkpoint) -> None:
    data = checkpoint.sign(head, [LOG, WITNESS]).to_bytes()
    found = checkpoint.check(data, head.origin, [LOG_KEY], [WITNESS_KEY])
    assert found.checkpoint == head
    assert [one.name for one in found.signed.held] == [LOG.name, WITNESS.name]


def test_the_text_is_as_specified() -> None:
    head = Checkpoint("site.example/log", 0, EMPTY_ROOT, ("more",))
    assert head.text() == (
        "site.example/log\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\nmore\n"
    )


def test_a_witness_cannot_stand_in_for_the_log() -> None:
    data = checkpoint.sign(HEAD, [WITNESS]).to_bytes()
    with pytest.raises(RecordError, match=r"no key of the log .* has signed"):
        checkpoint.check(data, HEAD.origin, [LOG_KEY], [WITNESS_KEY])


def test_either_key_will_do_while_a_log_changes_its_key() -> None:
    new = keys.signer("site.example/log", bytes(32))
    data = checkpoint.sign(HEAD, [new]).to_bytes()
    found = checkpoint.check(data, HEAD.origin, [LOG_KEY, keys.verifier(new.key)])
    assert found.signed.held[0].key_id == new.key_id


def test_another_log_s_checkpoint_is_not_taken_though_the_key_fits() -> None:
    data = checkpoint.sign(HEAD, [LOG]).to_bytes()
    with pytest.raises(RecordError, match=r"line 1 \(origin\): it is of 'site.example/log', not"):
        checkpoint.check(data, "other.example", [LOG_KEY])


def test_a_witness_s_false_signature_is_not_passed_over() -> None:
    log, witness = checkpoint.sign(HEAD, [LOG, WITNESS]).signatures
    false = note.Signature(witness.name, witness.key_id, flipped(witness.signature, 0))
    data = note.Note(HEAD.text(), (log, false)).to_bytes()
    with pytest.raises(RecordError, match=r"signature 2: witness\.example"):
        checkpoint.check(data, HEAD.origin, [LOG_KEY], [WITNESS_KEY])
    assert checkpoint.check(data, HEAD.origin, [LOG_KEY]).signed.unknown == (false,)


# --- what is wrong


R = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "0 lines"),
        ("a\n1\n", "2 lines; origin, size and root are needed"),
        (f"a\n1\n{R}", "no end"),
        (f"\n1\n{R}\n", "line 1: empty"),
        (f"a\n1\n{R}\n\n", "line 4: empty"),
        (f"a\n1\n{R}\nb\n\nc\n", "line 5: empty"),
        (f"a\n01\n{R}\n", r"line 2 \(size\): '01'"),
        (f"a\n-1\n{R}\n", r"line 2 \(size\): '-1'"),
        (f"a\n+1\n{R}\n", "line 2"),
        (f"a\n 1\n{R}\n", "line 2"),
        (f"a\n1_0\n{R}\n", "line 2"),
        (f"a\n\u0661\n{R}\n", r"line 2 \(size\): '\\u0661'"),
        (f"a\n{2**63}\n{R}\n", "up to 9223372036854775807"),
        (f"a\n{'9' * 5000}\n{R}\n", "line 2"),
        ("a\n1\nAAAA\n", r"line 3 \(root\): 3 bytes, not 32"),
        (f"a\n1\n{R[:-1]}\n", r"line 3 \(root\): .* is not base64"),
        (f"a\n1\n{R[:-2]}B=\n", "line 3.*canonical"),
        (f"a\n0\n{R}\n", "not the root of an empty tree"),
    ],
)
def test_the_line_that_is_wrong_is_named(text: str, words: str) -> None:
    with pytest.raises(RecordError, match=words):
        checkpoint.parse(text)


@pytest.mark.parametrize(
    "head",
    [
        Checkpoint("", 5, bytes(32)),
        Checkpoint("two\nlines", 5, bytes(32)),
        Checkpoint("a", -1, bytes(32)),
        Checkpoint("a", MAX_SIZE + 1, bytes(32)),
        Checkpoint("a", 5, bytes(31)),
        Checkpoint("a", 0, bytes(32)),
        Checkpoint("a", 5, bytes(32), ("",)),
        Checkpoint("a", 5, bytes(32), ("two\nlines",)),
        Checkpoint("a\tb", 5, bytes(32)),
        Checkpoint("\ud800", 5, bytes(32)),
    ],
)
def test_what_could_not_be_read_is_not_signed(head: Checkpoint) -> None:
    with pytest.raises(RecordError):
        checkpoint.sign(head, [LOG])


@given(st.text(max_size=120) | st.lists(lines | st.just(R), max_size=6).map("\n".join))
def test_no_text_crashes_the_reader(text: str) -> None:
    try:
        found = checkpoint.parse(text)
    except RecordError:
        return
    assert found.text() == text


@given(st.binary(max_size=200))
def test_no_bytes_crash_the_check(data: bytes) -> None:
    with pytest.raises(RecordError):
        checkpoint.check(data, "a", [LOG_KEY], [WITNESS_KEY])
