"""Authentication of Remote ID: pages put together, and checked against keys that a site knows.

F3411-22a 5.4.5.14 to 5.4.5.17 carry the data and leave open what is signed and how. Three ways
are checked here, and each says what it covers:

- `drip`: RFC 9575 4.3, DRIP Wrapper (authentication type 5, its type 2). Ed25519 over not
  before, not after (4 bytes each, little endian), the covered messages, the DRIP entity tag. The
  covered messages are those within the wrapper (4.3.1), or, if it holds none, those of its pack
  but the authentication's, in the order of their types (4.3.2).
- `message_set`: type 3. Ed25519, or ECDSA over P-256 with SHA-256 (64 bytes r, s), over the
  messages of the pack but the authentication's, in their order, then the time of page 0 (4 bytes,
  little endian). F3411 names the signed set, not its form; this form is the project's own.
- `japan`: type 3, one page, its first byte a header. AES-128-CCM (RFC 3610) with nonce = fixed 6
  bytes, the location's time, the time of page 0, over the pack's messages with a zero tag, the
  tag of 12 or 16 bytes. After a public implementation of MLIT's requirements for remote ID
  devices (2022); real devices have not been tried.

A check counts only where the covered messages name the key's aircraft and hold its location: a
signature over an identity alone can be recorded and sent with any position.
"""

from __future__ import annotations

import enum
import hmac
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDSA,
    SECP256R1,
    EllipticCurvePublicKey,
)
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.ciphers.aead import AESCCM
from cryptography.hazmat.primitives.hashes import SHA256

from skykeep.codec.remote_id_messages import (
    AUTH_FIRST_PAGE_BYTES,
    AUTH_MAX_PAGE,
    AUTH_PAGE_BYTES,
    EPOCH_2019_S,
    MESSAGE_BYTES,
    PACK_HEADER_BYTES,
    AuthenticationPage,
    AuthType,
    MessageType,
)
from skykeep.errors import InputError
from skykeep.units import NS_PER_S

ED25519_BYTES = 32
P256_POINT_BYTES = 65
AES_BYTES, IV_BYTES = 16, 6
DET_BYTES = 16
_SIGNATURE_BYTES = 64
_DRIP_WRAPPER = 2
_DRIP_MOST_MESSAGES = 4  # RFC 9575 4.3.3
_CCM_TAGS = (12, 16)
#: How far the time of a signature may lie from its receipt: clocks apart by some seconds, and a
#: recording of a minute ago is already another flight.
MAX_AGE_NS = 30 * NS_PER_S


class Method(enum.StrEnum):
    """What is covered, and how; see the module's words."""

    DRIP = "drip"
    MESSAGE_SET = "message_set"
    JAPAN = "japan"


@dataclass(frozen=True, slots=True)
class AircraftKey:
    """One aircraft's key: public, but for `japan`, where both sides share it.

    `identity` is what the aircraft's Basic ID says (serial, registration or session id).
    `material` is an Ed25519 key (32 bytes), an uncompressed P-256 point (65) or an AES key (16);
    `tag` the DRIP entity tag (16) or Japan's fixed part of the nonce (6).
    """

    name: str
    method: Method
    identity: str
    material: bytes = field(repr=False)
    tag: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class Authentication:
    """All pages of one authentication: type, time (seconds since 2019) and `length` bytes."""

    auth_type: int
    seconds: int
    data: bytes


def check_key(key: AircraftKey) -> None:
    """InputError where a key cannot be one of its method."""
    sizes = {
        Method.DRIP: ((ED25519_BYTES,), DET_BYTES),
        Method.MESSAGE_SET: ((ED25519_BYTES, P256_POINT_BYTES), 0),
        Method.JAPAN: ((AES_BYTES,), IV_BYTES),
    }
    lengths, tag_bytes = sizes[key.method]
    if len(key.material) not in lengths:
        words = " or ".join(str(n) for n in lengths)
        raise InputError("key", f"has {len(key.material)} bytes", f"Give {words} bytes in hex")
    if len(key.tag) != tag_bytes:
        raise InputError("tag", f"has {len(key.tag)} bytes", f"Give {tag_bytes} bytes in hex")
    if not key.identity:
        raise InputError("identity", "is missing", "Give what the aircraft's Basic ID says")
    if len(key.material) == P256_POINT_BYTES:
        try:
            EllipticCurvePublicKey.from_encoded_point(SECP256R1(), key.material)
        except ValueError:
            raise InputError("key", "is no point of P-256", "Give 04, x and y in hex") from None


def join_pages(pages: Mapping[int, AuthenticationPage]) -> Authentication | None:
    """The authentication in the pages heard, keyed by number; None while one is missing.

    Pages of another type than page 0 do not belong to it.
    """
    first = pages.get(0)
    if first is None or first.length_bytes is None:
        return None
    rest = max(first.length_bytes - AUTH_FIRST_PAGE_BYTES, 0)
    count = -(-rest // AUTH_PAGE_BYTES)
    if count > AUTH_MAX_PAGE:
        return None
    data = first.data
    for number in range(1, count + 1):
        page = pages.get(number)
        if page is None or page.auth_type != first.auth_type:
            return None
        data += page.data
    seconds = 0 if first.at_ns is None else first.at_ns // NS_PER_S - EPOCH_2019_S
    return Authentication(first.auth_type, seconds, data[: first.length_bytes])


def split_pages(whole: Authentication) -> tuple[AuthenticationPage, ...]:
    """The pages that carry an authentication; InputError for more than fits."""
    if len(whole.data) > 255:
        raise InputError("authentication.data", f"{len(whole.data)} bytes", "Give 255 at most.")
    rest = whole.data[AUTH_FIRST_PAGE_BYTES:]
    cuts = [rest[at : at + AUTH_PAGE_BYTES] for at in range(0, len(rest), AUTH_PAGE_BYTES)]
    at_ns = (whole.seconds + EPOCH_2019_S) * NS_PER_S if whole.seconds else None
    first = AuthenticationPage(
        whole.auth_type,
        0,
        whole.data[:AUTH_FIRST_PAGE_BYTES].ljust(AUTH_FIRST_PAGE_BYTES, b"\0"),
        len(cuts),
        len(whole.data),
        at_ns,
    )
    return (
        first,
        *(
            AuthenticationPage(whole.auth_type, number, part.ljust(AUTH_PAGE_BYTES, b"\0"))
            for number, part in enumerate(cuts, 1)
        ),
    )


@dataclass(frozen=True, slots=True)
class Covered:
    """Raw messages of 25 bytes that a good signature covers, under which key."""

    key: AircraftKey
    messages: tuple[bytes, ...]


def verify(
    whole: Authentication, pack: bytes, keys: Sequence[AircraftKey], receipt_time_ns: int
) -> Covered | None:
    """What an authentication proves of a pack, under the first key for which it does.

    `pack` is the whole pack as heard; other bytes mean that the authentication came alone. The
    times it states must be near the receipt. That its messages name the key's aircraft is for
    the caller to see, who decodes them. Nothing is raised.
    """
    messages = pack_messages(pack)
    for key in keys:
        found: tuple[bytes, ...] | None = None
        if key.method is Method.DRIP and whole.auth_type == AuthType.SPECIFIC_METHOD:
            found = _drip(whole, messages, key, receipt_time_ns)
        elif whole.auth_type == AuthType.MESSAGE_SET_SIGNATURE and _near(whole, receipt_time_ns):
            if key.method is Method.MESSAGE_SET:
                found = _message_set(whole, messages, key)
            elif key.method is Method.JAPAN:
                found = _japan(whole, messages, key)
        if found:
            return Covered(key, found)
    return None


def pack_messages(pack: bytes) -> list[bytes]:
    """The whole messages of a pack, raw, in its order; none of what is no pack."""
    if len(pack) < PACK_HEADER_BYTES or pack[0] >> 4 != MessageType.PACK:
        return []
    end = min(PACK_HEADER_BYTES + pack[2] * MESSAGE_BYTES, len(pack))
    return [
        pack[at : at + MESSAGE_BYTES]
        for at in range(PACK_HEADER_BYTES, end - MESSAGE_BYTES + 1, MESSAGE_BYTES)
    ]


def _near(whole: Authentication, receipt_time_ns: int) -> bool:
    at_ns = (whole.seconds + EPOCH_2019_S) * NS_PER_S
    return abs(at_ns - receipt_time_ns) <= MAX_AGE_NS


def _is_authentication(message: bytes) -> bool:
    return message[0] >> 4 == MessageType.AUTHENTICATION


def drip_signed(not_before: int, not_after: int, evidence: bytes, tag: bytes) -> bytes:
    """The bytes that a DRIP Wrapper signs (RFC 9575 4.1, figure 4); times in seconds since 2019."""
    return struct.pack("<II", not_before, not_after) + evidence + tag


def _drip(
    whole: Authentication, messages: list[bytes], key: AircraftKey, receipt_time_ns: int
) -> tuple[bytes, ...] | None:
    data = whole.data
    if len(data) < 1 + 8 + DET_BYTES + _SIGNATURE_BYTES or data[0] != _DRIP_WRAPPER:
        return None
    not_before, not_after = struct.unpack_from("<II", data, 1)
    evidence = data[9 : -DET_BYTES - _SIGNATURE_BYTES]
    tag, signature = data[-DET_BYTES - _SIGNATURE_BYTES : -_SIGNATURE_BYTES], data[-64:]
    now_s = receipt_time_ns // NS_PER_S - EPOCH_2019_S
    slack_s = MAX_AGE_NS // NS_PER_S
    if tag != key.tag or not not_before - slack_s <= now_s <= not_after:
        return None
    if evidence:
        covered = [
            evidence[at : at + MESSAGE_BYTES] for at in range(0, len(evidence), MESSAGE_BYTES)
        ]
    else:
        covered = sorted((m for m in messages if not _is_authentication(m)), key=_kind)
    if not 1 <= len(covered) <= _DRIP_MOST_MESSAGES or len(covered[-1]) != MESSAGE_BYTES:
        return None
    signed = drip_signed(not_before, not_after, b"".join(covered), tag)
    return tuple(covered) if _signature_holds(key.material, signature, signed) else None


def _kind(message: bytes) -> int:
    return message[0] >> 4


def message_set_signed(messages: Sequence[bytes], seconds: int) -> bytes:
    """The bytes that a `message_set` signature covers: raw messages, and the time."""
    covered = [m for m in messages if not _is_authentication(m)]
    return b"".join(covered) + struct.pack("<I", seconds)


def _message_set(
    whole: Authentication, messages: list[bytes], key: AircraftKey
) -> tuple[bytes, ...] | None:
    covered = tuple(m for m in messages if not _is_authentication(m))
    if not covered or len(whole.data) != _SIGNATURE_BYTES:
        return None
    signed = message_set_signed(messages, whole.seconds)
    return covered if _signature_holds(key.material, whole.data, signed) else None


def _signature_holds(material: bytes, signature: bytes, signed: bytes) -> bool:
    try:
        if len(material) == ED25519_BYTES:
            Ed25519PublicKey.from_public_bytes(material).verify(signature, signed)
        else:
            point = EllipticCurvePublicKey.from_encoded_point(SECP256R1(), material)
            r, s = (int.from_bytes(half) for half in (signature[:32], signature[32:]))
            point.verify(encode_dss_signature(r, s), signed, ECDSA(SHA256()))
    except (InvalidSignature, ValueError):
        return False
    return True


def japan_signed(messages: Sequence[bytes]) -> bytes:
    """The bytes that Japan's tag covers: the messages, that of the authentication without it."""
    blank = bytes(AUTH_FIRST_PAGE_BYTES - 1)
    return b"".join(m[:9] + blank if _is_authentication(m) else m for m in messages)


def japan_nonce(fixed: bytes, messages: Sequence[bytes], seconds: int) -> bytes | None:
    """The nonce of a pack, or None where it holds no location."""
    for message in messages:
        if message[0] >> 4 == MessageType.LOCATION:
            return fixed + message[21:23] + struct.pack("<I", seconds)
    return None


def _japan(
    whole: Authentication, messages: list[bytes], key: AircraftKey
) -> tuple[bytes, ...] | None:
    tag = whole.data[1:]
    nonce = japan_nonce(key.tag, messages, whole.seconds)
    if nonce is None or len(tag) not in _CCM_TAGS:
        return None
    signed = japan_signed(messages)
    made = AESCCM(key.material, tag_length=len(tag)).encrypt(nonce, signed, None)[-len(tag) :]
    if not hmac.compare_digest(made, tag):
        return None
    return tuple(m for m in messages if not _is_authentication(m))
