"""Signatures over Remote ID: what they cover, when they hold, and all the ways they do not."""

from __future__ import annotations

import dataclasses

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.ciphers.aead import AESCCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from skykeep.codec.remote_id import (
    AuthenticationPage,
    BasicId,
    IdType,
    Location,
    SelfId,
    Status,
    UaType,
    encode_message,
    encode_pack,
)
from skykeep.codec.remote_id_auth import (
    AircraftKey,
    Authentication,
    Method,
    check_key,
    join_pages,
    pack_messages,
    split_pages,
    verify,
)
from skykeep.errors import InputError
from skykeep.units import NS_PER_S

SECONDS = 240_000_000  # since 2019
AT_NS = (1_546_300_800 + SECONDS) * NS_PER_S
SERIAL = "MFG1A0123456789"
BASIC = BasicId(IdType.SERIAL_NUMBER, UaType.HELICOPTER_OR_MULTIROTOR, SERIAL)
LOCATION = Location(Status.AIRBORNE, 49.6, 6.1, speed_mps=3.0, time_tenths=100)
MESSAGES = (SelfId(0, "x"), LOCATION, BASIC)
RAW = [encode_message(m) for m in MESSAGES]
STAMP = SECONDS.to_bytes(4, "little")
ED = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
ED_PUBLIC = ED.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
EC = generate_private_key(SECP256R1())
EC_PUBLIC = EC.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
DET = bytes.fromhex("2001003ffe0014050000000000000001")
AES, IV = bytes(range(16)), b"fixed!"

ED_KEY = AircraftKey("patrol 1", Method.MESSAGE_SET, SERIAL, ED_PUBLIC)
EC_KEY = AircraftKey("patrol 2", Method.MESSAGE_SET, SERIAL, EC_PUBLIC)
DRIP_KEY = AircraftKey("patrol 3", Method.DRIP, SERIAL, ED_PUBLIC, DET)
JAPAN_KEY = AircraftKey("patrol 4", Method.JAPAN, SERIAL, AES, IV)


def packed(whole: Authentication) -> bytes:
    return encode_pack([*MESSAGES, *split_pages(whole)])


def message_set(sign_ec: bool = False) -> Authentication:
    signed = b"".join(RAW) + STAMP
    if not sign_ec:
        return Authentication(3, SECONDS, ED.sign(signed))
    r, s = decode_dss_signature(EC.sign(signed, ECDSA(SHA256())))
    return Authentication(3, SECONDS, r.to_bytes(32) + s.to_bytes(32))


def drip(evidence: bytes = b"", before: int = SECONDS - 5, after: int = SECONDS + 60) -> (
    Authentication
):  # fmt: skip
    """By RFC 9575 4.1 and 4.3: the order of types, not of the pack, where evidence is left out."""
    head = before.to_bytes(4, "little") + after.to_bytes(4, "little")
    covered = evidence or RAW[2] + RAW[1] + RAW[0]
    signature = ED.sign(head + covered + DET)
    return Authentication(5, SECONDS, b"\x02" + head + evidence + DET + signature)


def japan(tag_bytes: int = 12) -> Authentication:
    blank = Authentication(3, SECONDS, b"\x00" + bytes(tag_bytes))
    (page,) = split_pages(blank)
    plain = b"".join([*RAW, encode_message(page)])
    nonce = IV + (100).to_bytes(2, "little") + STAMP
    tag = AESCCM(AES, tag_length=tag_bytes).encrypt(nonce, plain, None)[-tag_bytes:]
    return Authentication(3, SECONDS, b"\x00" + tag)


CASES = [
    (ED_KEY, message_set()),
    (EC_KEY, message_set(sign_ec=True)),
    (DRIP_KEY, drip()),
    (JAPAN_KEY, japan()),
    (JAPAN_KEY, japan(16)),
]
NAMES = ["ed25519", "p256", "drip", "japan12", "japan16"]


@pytest.mark.parametrize(("key", "whole"), CASES, ids=NAMES)
def test_a_signature_that_holds(key: AircraftKey, whole: Authentication) -> None:
    pack = packed(whole)
    covered = verify(whole, pack, [ED_KEY, key], AT_NS + NS_PER_S)
    assert covered is not None
    assert covered.key is key or key is ED_KEY
    assert sorted(covered.messages) == sorted(RAW)


@pytest.mark.parametrize(("key", "whole"), CASES, ids=NAMES)
def test_every_flipped_bit_is_noticed(key: AircraftKey, whole: Authentication) -> None:
    """Of what is covered, of the signature and of the time; one bit of each byte."""
    pack = bytearray(packed(whole))
    for at in range(3, 3 + 3 * 25):
        pack[at] ^= 1 << at % 8
        assert verify(whole, bytes(pack), [key], AT_NS) is None
        pack[at] ^= 1 << at % 8
    for at in range(1 if key is JAPAN_KEY else 0, len(whole.data)):
        data = bytearray(whole.data)
        data[at] ^= 1 << at % 8
        broken = dataclasses.replace(whole, data=bytes(data))
        assert verify(broken, bytes(pack), [key], AT_NS) is None
    if key is not DRIP_KEY:  # whose own times are signed
        later = dataclasses.replace(whole, seconds=SECONDS + 1)
        assert verify(later, bytes(pack), [key], AT_NS) is None


@pytest.mark.parametrize(("key", "whole"), CASES, ids=NAMES)
@pytest.mark.parametrize("off_s", [-600, 600])
def test_a_recording_of_another_time_proves_nothing(
    key: AircraftKey, whole: Authentication, off_s: int
) -> None:
    assert verify(whole, packed(whole), [key], AT_NS + off_s * NS_PER_S) is None


def test_another_key_or_another_type_proves_nothing() -> None:
    for key, whole in CASES:
        pack = packed(whole)
        changed = bytes((key.material[0] ^ 1,)) + key.material[1:]
        if key is not EC_KEY:
            assert verify(whole, pack, [dataclasses.replace(key, material=changed)], AT_NS) is None
        other = dataclasses.replace(whole, auth_type=1)
        assert verify(other, pack, [key], AT_NS) is None
        assert verify(whole, b"", [key], AT_NS) is None
    wrong_tag = dataclasses.replace(DRIP_KEY, tag=bytes(16))
    assert verify(drip(), packed(drip()), [wrong_tag], AT_NS) is None


def test_drip_evidence_that_came_along_is_what_is_covered() -> None:
    whole = drip(RAW[2] + RAW[1])
    covered = verify(whole, b"", [DRIP_KEY], AT_NS)
    assert covered is not None
    assert covered.messages == (RAW[2], RAW[1])
    assert verify(drip(RAW[2] + RAW[1][:-1]), b"", [DRIP_KEY], AT_NS) is None


@given(st.binary(max_size=255), st.integers(0, 15), st.integers(0, 2**32 - 1))
def test_pages_there_and_back(data: bytes, auth_type: int, seconds: int) -> None:
    whole = Authentication(auth_type, seconds, data)
    pages = split_pages(whole)
    assert join_pages({p.page: p for p in pages}) == whole
    assert pages[0].last_page == len(pages) - 1
    for missing in pages:
        assert join_pages({p.page: p for p in pages if p is not missing}) is None
    # F3411-19 states the number of pages there: nothing changes.
    first = dataclasses.replace(pages[0], last_page=len(pages))
    assert join_pages({p.page: p for p in (first, *pages[1:])}) == whole


def test_pages_of_another_type_do_not_belong() -> None:
    first, second = split_pages(Authentication(3, SECONDS, bytes(30)))
    assert join_pages({0: first, 1: dataclasses.replace(second, auth_type=4)}) is None
    assert join_pages({0: AuthenticationPage(3, 0, bytes(17))}) is None
    with pytest.raises(InputError, match="256 bytes"):
        split_pages(Authentication(3, 0, bytes(256)))


@pytest.mark.parametrize(
    ("key", "where"),
    [
        (dataclasses.replace(ED_KEY, material=bytes(31)), "key"),
        (dataclasses.replace(EC_KEY, material=b"\x04" + bytes(64)), "key"),
        (dataclasses.replace(DRIP_KEY, tag=b""), "tag"),
        (dataclasses.replace(JAPAN_KEY, tag=bytes(16)), "tag"),
        (dataclasses.replace(JAPAN_KEY, material=ED_PUBLIC), "key"),
        (dataclasses.replace(ED_KEY, identity=""), "identity"),
    ],
)
def test_keys_that_cannot_be(key: AircraftKey, where: str) -> None:
    with pytest.raises(InputError) as caught:
        check_key(key)
    assert caught.value.where == where


def test_keys_that_can_be_and_their_secret_is_not_shown() -> None:
    for key in (ED_KEY, EC_KEY, DRIP_KEY, JAPAN_KEY):
        check_key(key)
        assert "material" not in repr(key)
        assert repr(key.material) not in repr(key)


@given(st.binary(max_size=120), st.binary(max_size=260), st.integers(0, 15))
def test_any_bytes_raise_nothing(data: bytes, pack: bytes, auth_type: int) -> None:
    keys = [ED_KEY, EC_KEY, DRIP_KEY, JAPAN_KEY]
    assert verify(Authentication(auth_type, SECONDS, data), pack, keys, AT_NS) is None
    assert all(len(m) == 25 for m in pack_messages(pack))
