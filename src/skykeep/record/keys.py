"""Keys of the record as text, and Ed25519 behind them (C2SP signed-note, verifier keys).

    name+hexid+base64(type || public key)               may be known to everybody
    PRIVATE+KEY+name+hexid+base64(type || seed)         may not

`type` is the signature type byte. A public key of any type can be read; what checks its
signatures comes from a table from type to maker, which the caller may extend.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from skykeep.errors import RecordError
from skykeep.record.note import Verifier, check_name, decode_base64, encode_base64, key_id, shown

ED25519: Final = 0x01  # signature type bytes of signed-note
KEY_BYTES = 32  # RFC 8032: both the seed and the public key
_MAX_KEY_CHARACTERS = 16_384  # the longest known, ML-DSA-87, has under 4,000
_SECRET = "PRIVATE+KEY+"
_HEX_ID = re.compile(r"[0-9a-f]{8}")


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A named public key of any signature type; not yet known to be of use."""

    name: str
    algorithm: int
    material: bytes

    @property
    def key_id(self) -> bytes:
        """The 4 bytes before each of its signatures."""
        return key_id(self.name, self.algorithm, self.material)

    def to_text(self) -> str:
        """The verifier key ("vkey"), without a newline."""
        return _to_text(self.name, self.key_id, self.algorithm, self.material)


@dataclass(frozen=True, slots=True)
class Ed25519Verifier:
    """Checks the Ed25519 signatures of one key (RFC 8032; signed-note type 0x01)."""

    key: PublicKey
    key_id: bytes

    @property
    def name(self) -> str:
        """The key's name."""
        return self.key.name

    def verify(self, text: bytes, signature: bytes) -> bool:
        """Whether this key signed this text."""
        try:
            Ed25519PublicKey.from_public_bytes(self.key.material).verify(signature, text)
        except InvalidSignature:
            return False
        return True


@dataclass(frozen=True, slots=True)
class Ed25519Signer:
    """Signs with one Ed25519 key. Its repr does not show the seed."""

    key: PublicKey
    key_id: bytes
    seed: bytes = field(repr=False)
    _private: Ed25519PrivateKey = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        # Made once: deriving it takes as long as signing.
        object.__setattr__(self, "_private", Ed25519PrivateKey.from_private_bytes(self.seed))

    @property
    def name(self) -> str:
        """The key's name."""
        return self.key.name

    def sign(self, text: bytes) -> bytes:
        """The 64 bytes of RFC 8032; the same text gives the same bytes."""
        return self._private.sign(text)

    def to_secret_text(self) -> str:
        """The signer key ("skey"), without a newline. Whoever has it can sign."""
        return secret_text(self.key, self.seed)


Maker = Callable[[PublicKey], Verifier]


def ed25519_verifier(key: PublicKey) -> Ed25519Verifier:
    """What checks this key's signatures; RecordError if it is no Ed25519 key."""
    if key.algorithm != ED25519 or len(key.material) != KEY_BYTES:
        raise RecordError(
            f"key {shown(key.name)}: type {key.algorithm:#04x} with {len(key.material)} bytes "
            f"is not Ed25519, type {ED25519:#04x} with {KEY_BYTES}"
        )
    return Ed25519Verifier(key, key.key_id)


MAKERS: Final[Mapping[int, Maker]] = {ED25519: ed25519_verifier}


def verifier(key: PublicKey, makers: Mapping[int, Maker] = MAKERS) -> Verifier:
    """What checks this key's signatures; RecordError if nothing here can."""
    maker = makers.get(key.algorithm)
    if maker is None:
        raise RecordError(
            f"key {shown(key.name)}: signatures of type {key.algorithm:#04x} cannot be checked here"
        )
    return maker(key)


def signer(name: str, seed: bytes) -> Ed25519Signer:
    """The signer that a name and a secret seed of 32 bytes make."""
    check_name(name)
    if len(seed) != KEY_BYTES:
        raise RecordError(f"key {shown(name)}: a seed has {KEY_BYTES} bytes, not {len(seed)}")
    key = PublicKey(name, ED25519, public_half(seed))
    return Ed25519Signer(key, key.key_id, seed)


def new_seed() -> bytes:
    """A secret seed from the operating system: the one place here where chance comes in."""
    return os.urandom(KEY_BYTES)


def parse_public(text: str) -> PublicKey:
    """A verifier key of any type; newline and spaces around it are taken off.

    RecordError says what is wrong, also for a secret key given by mistake.
    """
    where = "verifier key"
    if text.strip().startswith(_SECRET):
        raise RecordError(f"{where}: this is a secret signer key; give the public one")
    name, given, algorithm, material = _split(text, where)
    key = PublicKey(name, algorithm, material)
    if key.key_id != given:
        raise RecordError(f"{where} {shown(name)}: key id {given.hex()} is not this key's")
    return key


def parse_secret(text: str) -> Ed25519Signer:
    """A signer key; RecordError says what is wrong, and never shows the key."""
    return signer(*split_secret(text, ED25519))


def split_secret(text: str, algorithm: int) -> tuple[str, bytes]:
    """Name and Ed25519 seed of a signer key of that type; RecordError never shows the key."""
    where = "signer key"
    text = text.strip()
    if not text.startswith(_SECRET):
        raise RecordError(f"{where}: it does not begin with {_SECRET}")
    try:
        name, given, found, seed = _split(text[len(_SECRET) :], where)
    except RecordError:
        raise RecordError(f"{where}: not of the form {_SECRET}name+hexid+base64") from None
    if found != algorithm or len(seed) != KEY_BYTES:
        raise RecordError(
            f"{where} {shown(name)}: not an Ed25519 key of {KEY_BYTES} bytes, type {algorithm:#04x}"
        )
    if PublicKey(name, algorithm, public_half(seed)).key_id != given:
        raise RecordError(f"{where} {shown(name)}: key id {given.hex()} is not this key's")
    return name, seed


def secret_text(key: PublicKey, seed: bytes) -> str:
    """The signer key ("skey") of a key and its seed, without a newline."""
    return _SECRET + _to_text(key.name, key.key_id, key.algorithm, seed)


def public_half(seed: bytes) -> bytes:
    """The Ed25519 public key that belongs to a seed."""
    return Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()


def _to_text(name: str, identifier: bytes, algorithm: int, material: bytes) -> str:
    return f"{name}+{identifier.hex()}+{encode_base64(bytes((algorithm,)) + material)}"


def _split(text: str, where: str) -> tuple[str, bytes, int, bytes]:
    """Name, key id, type and key of `name+hexid+base64`."""
    if len(text) > _MAX_KEY_CHARACTERS:
        raise RecordError(f"{where}: {len(text)} characters are no key")
    parts = text.strip().split("+", 2)
    if len(parts) != 3:
        raise RecordError(f"{where}: {shown(text)} is not of the form name+hexid+base64")
    name, identifier, encoded = parts
    check_name(name)
    if not _HEX_ID.fullmatch(identifier):
        raise RecordError(f"{where}: the key id {shown(identifier)} is not 8 hex digits")
    data = decode_base64(encoded, where)
    if len(data) < 2:
        raise RecordError(f"{where}: no key behind the type byte")
    return name, bytes.fromhex(identifier), data[0], data[1:]
