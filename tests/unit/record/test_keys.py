"""Keys as text: published ones, damage, and what is never shown."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skykeep.errors import RecordError
from skykeep.record import keys
from skykeep.record.keys import PublicKey

# golang.org/x/mod/sumdb/note publishes this pair in its tests.
SECRET = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
PUBLIC = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
# RFC 8032 section 7.1, tests 1 and 2: secret key, public key, message, signature.
RFC_8032 = [
    (
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ),
    (
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ),
]

names = st.text(
    st.characters(min_codepoint=0x21, exclude_categories=("Cs", "Zs", "Zl", "Zp", "Cc")),
    min_size=1,
    max_size=20,
).filter(lambda name: "+" not in name)
seeds = st.binary(min_size=32, max_size=32)


@pytest.mark.parametrize(("secret", "public", "message", "signature"), RFC_8032)
def test_signatures_are_those_of_rfc_8032(
    secret: str, public: str, message: str, signature: str
) -> None:
    signer = keys.signer("a", bytes.fromhex(secret))
    assert signer.key.material.hex() == public
    assert signer.sign(bytes.fromhex(message)).hex() == signature
    check = keys.verifier(signer.key)
    assert check.verify(bytes.fromhex(message), bytes.fromhex(signature))
    assert not check.verify(b"another", bytes.fromhex(signature))


def test_the_published_pair_belongs_together() -> None:
    signer = keys.parse_secret(SECRET)
    assert signer.key == keys.parse_public(PUBLIC)
    assert signer.key.to_text() == PUBLIC
    assert signer.to_secret_text() == SECRET


@pytest.mark.parametrize(
    "text",
    [
        # The public key of the Go checksum database, and of the specification's example.
        "sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8",
        "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
    ],
)
def test_published_keys_are_read_and_written(text: str) -> None:
    key = keys.parse_public(text + "\n")
    assert key.to_text() == text
    assert keys.verifier(key).key_id.hex() == text.split("+")[1]


@given(names, seeds)
def test_keys_come_back_from_text(name: str, seed: bytes) -> None:
    signer = keys.signer(name, seed)
    assert keys.parse_secret(signer.to_secret_text()) == signer
    assert keys.parse_public(signer.key.to_text()) == signer.key
    check = keys.verifier(signer.key)
    assert (check.name, check.key_id) == (signer.name, signer.key_id)


def test_seeds_from_the_system_differ() -> None:
    first, second = keys.new_seed(), keys.new_seed()
    assert len(first) == len(second) == 32
    assert first != second


@pytest.mark.parametrize("parse", [keys.parse_public, keys.parse_secret])
def test_no_part_of_a_key_and_no_altered_key_is_one(parse: object) -> None:
    assert callable(parse)
    whole = PUBLIC if parse is keys.parse_public else SECRET
    for at in range(len(whole)):
        for cut in (whole[:at], whole[at + 1 :], whole[:at] + whole[at + 1 :]):
            with pytest.raises(RecordError):
                parse(cut)
        for bit in range(7):
            with pytest.raises(RecordError):
                parse(whole[:at] + chr(ord(whole[at]) ^ 1 << bit) + whole[at + 1 :])


@given(st.text(max_size=120))
def test_no_text_crashes_the_readers(text: str) -> None:
    with pytest.raises(RecordError):
        keys.parse_public(text)
    with pytest.raises(RecordError):
        keys.parse_secret("PRIVATE+KEY+" + text)


@given(st.binary(min_size=32, max_size=32), st.binary(max_size=80), st.binary(max_size=80))
def test_no_key_and_no_signature_crash_the_check(key: bytes, text: bytes, signed: bytes) -> None:
    assert not keys.verifier(PublicKey("a", keys.ED25519, key)).verify(text, signed)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "not of the form"),
        ("a+b", "not of the form"),
        ("+00000000+AQ==", "name is empty"),
        ("a b+00000000+AQ==", "has ' ' in it"),
        ("a+0000000+AQ==", "'0000000' is not 8 hex digits"),
        ("a+0000000G+AQ==", "not 8 hex digits"),
        ("a+00000000+A", "not base64"),
        ("a+00000000+AQ==", "no key behind the type byte"),
        ("Peter" + PUBLIC, "key id c74f20a3 is not this key's"),
        (SECRET, "secret signer key"),
        ("a+00000000+" + "A" * 20_000, "20011 characters are no key"),
    ],
)
def test_what_is_wrong_with_a_public_key_is_named(text: str, words: str) -> None:
    with pytest.raises(RecordError, match=words):
        keys.parse_public(text)


def test_a_key_of_another_kind_or_length_is_no_ed25519_key() -> None:
    short = PublicKey("a", keys.ED25519, bytes(31))
    with pytest.raises(RecordError, match="type 0x01 with 31 bytes is not Ed25519"):
        keys.verifier(keys.parse_public(short.to_text()))
    with pytest.raises(RecordError, match="type 0x04"):
        keys.ed25519_verifier(PublicKey("a", 4, bytes(32)))
    with pytest.raises(RecordError, match="32 bytes, not 31"):
        keys.signer("a", bytes(31))
    with pytest.raises(RecordError, match="has ' ' in it"):
        keys.signer("a b", bytes(32))


def test_the_secret_is_never_shown() -> None:
    signer = keys.parse_secret(SECRET)
    coded = SECRET.rsplit("+", 1)[1]
    assert repr(signer.seed) not in repr(signer)
    assert "seed" not in repr(signer)
    for broken in (
        SECRET + "A",
        SECRET[:-1],
        SECRET.replace("PRIVATE+KEY+", "PRIVATE KEY "),
        SECRET.replace("c74f20a3", "c74f20a4"),
        SECRET.replace("c74f20a3+", "c74f20a3"),
        SECRET.replace("PeterNeumann+", ""),
    ):
        with pytest.raises(RecordError) as caught:
            keys.parse_secret(broken)
        assert coded[:8] not in str(caught.value)
    with pytest.raises(RecordError) as caught:
        keys.parse_public(SECRET)
    assert coded[:8] not in str(caught.value)
