"""Cosignatures: a witness says that a head continues all that it saw of the log before.

C2SP tlog-cosignature. Behind the key id in the signature line stand 8 bytes, big-endian, the
POSIX time of signing in seconds, then the signature:

    0x04  Ed25519 over "cosignature/v1", "time <seconds>" and the checkpoint's whole text
    0x06  ML-DSA-44 (FIPS 204) over the structure `cosigned_message`; also what a log may sign
          its own heads with, besides Ed25519. It says nothing of extension lines.

A time is the signer's own clock's. One public key counts once in a quorum, whatever its names.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import ModuleType
from typing import Final, Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from skykeep.errors import RecordError
from skykeep.record import checkpoint as checkpoints
from skykeep.record.checkpoint import Checkpoint
from skykeep.record.keys import (
    KEY_BYTES,
    Maker,
    PublicKey,
    public_half,
    secret_text,
    split_secret,
)
from skykeep.record.note import Note, Verifier, check_name, shown

ED25519_COSIGNATURE: Final = 0x04  # signature type bytes of signed-note
ML_DSA_44_COSIGNATURE: Final = 0x06
MAX_TIME_S = 2**63 - 1  # tlog-cosignature, Format
_TIME_BYTES = 8
_ED25519_BYTES = 64
ML_DSA_44_KEY_BYTES, _ML_DSA_44_BYTES = 1_312, 2_420  # FIPS 204, table 2
_LABEL = b"subtree/v1\n\x00"
_LONGEST_NAME = 255


def cosigned_at(signature: bytes) -> int:
    """The POSIX time in seconds that a cosignature says; RecordError if it can say none."""
    if len(signature) <= _TIME_BYTES:
        raise RecordError(f"a cosignature of {len(signature)} bytes is too short")
    at_s = int.from_bytes(signature[:_TIME_BYTES], "big")
    if at_s > MAX_TIME_S:
        raise RecordError(f"a cosignature of the time {at_s}, beyond {MAX_TIME_S}")
    return at_s


def ed25519_message(text: bytes, at_s: int) -> bytes:
    """What an Ed25519 cosigner signs (tlog-cosignature, Ed25519 signed message)."""
    return b"cosignature/v1\ntime %d\n" % at_s + text


def ml_dsa_message(cosigner: str, text: bytes, at_s: int) -> bytes:
    """What an ML-DSA-44 cosigner signs; RecordError if the text is no checkpoint."""
    try:
        head = checkpoints.parse(text.decode())
    except UnicodeDecodeError as error:
        raise RecordError("checkpoint: not UTF-8") from error
    names = []
    for name in (cosigner, head.origin):
        raw = name.encode()
        if not 0 < len(raw) <= _LONGEST_NAME:
            raise RecordError(f"the name {shown(name)} has {len(raw)} bytes, 1 to 255 may be")
        names.append(bytes((len(raw),)) + raw)
    numbers = struct.pack(">QQ", 0, head.size)
    return _LABEL + names[0] + struct.pack(">Q", at_s) + names[1] + numbers + head.root


@dataclass(frozen=True, slots=True)
class Cosigner:
    """A witness's Ed25519 key. Its repr does not show the seed."""

    key: PublicKey
    seed: bytes = field(repr=False)

    def at(self, at_s: int) -> CosignerAt:
        """Who signs at that POSIX time in seconds; RecordError for a time that cannot be."""
        if not 0 <= at_s <= MAX_TIME_S:
            raise RecordError(f"{at_s} is no time to cosign at")
        return CosignerAt(self, self.key.key_id, at_s)

    def to_secret_text(self) -> str:
        """The signer key, without a newline. Whoever has it can cosign."""
        return secret_text(self.key, self.seed)


@dataclass(frozen=True, slots=True)
class CosignerAt:
    """A cosigner at one moment: a `Signer`."""

    cosigner: Cosigner
    key_id: bytes
    at_s: int

    @property
    def name(self) -> str:
        """The key's name."""
        return self.cosigner.key.name

    def sign(self, text: bytes) -> bytes:
        """The time and the signature."""
        private = Ed25519PrivateKey.from_private_bytes(self.cosigner.seed)
        signed = private.sign(ed25519_message(text, self.at_s))
        return self.at_s.to_bytes(_TIME_BYTES, "big") + signed


def cosigner(name: str, seed: bytes) -> Cosigner:
    """The cosigner that a name and a secret seed of 32 bytes make."""
    check_name(name)
    if len(seed) != KEY_BYTES:
        raise RecordError(f"key {shown(name)}: a seed has {KEY_BYTES} bytes, not {len(seed)}")
    return Cosigner(PublicKey(name, ED25519_COSIGNATURE, public_half(seed)), seed)


def parse_cosigner(text: str) -> Cosigner:
    """A witness's signer key; RecordError says what is wrong, and never shows the key."""
    return cosigner(*split_secret(text, ED25519_COSIGNATURE))


@dataclass(frozen=True, slots=True)
class CosignatureVerifier:
    """Checks the cosignatures of one Ed25519 key."""

    key: PublicKey
    key_id: bytes

    @property
    def name(self) -> str:
        """The key's name."""
        return self.key.name

    def verify(self, text: bytes, signature: bytes) -> bool:
        """Whether this key cosigned this text, at whatever time."""
        if len(signature) != _TIME_BYTES + _ED25519_BYTES:
            return False
        at_s = int.from_bytes(signature[:_TIME_BYTES], "big")
        if at_s > MAX_TIME_S:
            return False
        try:
            public = Ed25519PublicKey.from_public_bytes(self.key.material)
            public.verify(signature[_TIME_BYTES:], ed25519_message(text, at_s))
        except InvalidSignature:
            return False
        return True


def cosignature_verifier(key: PublicKey) -> CosignatureVerifier:
    """What checks this key's cosignatures; RecordError if it is no such key."""
    if key.algorithm != ED25519_COSIGNATURE or len(key.material) != KEY_BYTES:
        raise RecordError(
            f"key {shown(key.name)}: type {key.algorithm:#04x} with {len(key.material)} bytes is "
            f"no Ed25519 cosigner's, type {ED25519_COSIGNATURE:#04x} with {KEY_BYTES}"
        )
    return CosignatureVerifier(key, key.key_id)


class _MlDsaPublic(Protocol):
    def verify(self, signature: bytes, data: bytes) -> None: ...


class _MlDsaPrivate(Protocol):
    def sign(self, data: bytes) -> bytes: ...


@dataclass(frozen=True, slots=True)
class MlDsaVerifier:
    """Checks the ML-DSA-44 signatures of one key, a witness's or a log's."""

    key: PublicKey
    key_id: bytes
    public: _MlDsaPublic = field(repr=False, compare=False)

    @property
    def name(self) -> str:
        """The key's name."""
        return self.key.name

    def verify(self, text: bytes, signature: bytes) -> bool:
        """Whether this key signed the head that this text is."""
        if len(signature) != _TIME_BYTES + _ML_DSA_44_BYTES:
            return False
        at_s = int.from_bytes(signature[:_TIME_BYTES], "big")
        try:
            message = ml_dsa_message(self.name, text, at_s)
            self.public.verify(signature[_TIME_BYTES:], message)
        except (InvalidSignature, RecordError):
            return False
        return at_s <= MAX_TIME_S


@dataclass(frozen=True, slots=True)
class MlDsaSigner:
    """Signs heads with one ML-DSA-44 key at one moment: a `Signer`."""

    key: PublicKey
    private: _MlDsaPrivate = field(repr=False, compare=False)
    at_s: int

    @property
    def name(self) -> str:
        """The key's name."""
        return self.key.name

    @property
    def key_id(self) -> bytes:
        """The 4 bytes before each of its signatures."""
        return self.key.key_id

    def sign(self, text: bytes) -> bytes:
        """The time and the signature; each differs, as FIPS 204 hedges with chance."""
        signed = self.private.sign(ml_dsa_message(self.name, text, self.at_s))
        return self.at_s.to_bytes(_TIME_BYTES, "big") + signed


def ml_dsa_verifier(key: PublicKey) -> MlDsaVerifier:
    """What checks this key's signatures; RecordError if it is no such key, or nothing here can."""
    if key.algorithm != ML_DSA_44_COSIGNATURE or len(key.material) != ML_DSA_44_KEY_BYTES:
        raise RecordError(f"key {shown(key.name)}: not an ML-DSA-44 key")
    public = _ml_dsa().MLDSA44PublicKey.from_public_bytes(key.material)
    return MlDsaVerifier(key, key.key_id, public)


def ml_dsa_signer(name: str, seed: bytes, at_s: int) -> MlDsaSigner:
    """Who signs at that time with the ML-DSA-44 key of a seed of 32 bytes."""
    check_name(name)
    private = _ml_dsa().MLDSA44PrivateKey.from_seed_bytes(seed)
    public = private.public_key().public_bytes_raw()
    return MlDsaSigner(PublicKey(name, ML_DSA_44_COSIGNATURE, public), private, at_s)


COSIGNERS: Final[Mapping[int, Maker]] = {
    ED25519_COSIGNATURE: cosignature_verifier,
    ML_DSA_44_COSIGNATURE: ml_dsa_verifier,
}


@dataclass(frozen=True, slots=True)
class Cosigned:
    """A head that the log signed, with who of the witnesses given cosigned it, and when (s)."""

    checkpoint: Checkpoint
    note: Note
    cosigners: tuple[tuple[str, int], ...]


def majority(count: int) -> int:
    """The quorum among so many witnesses: more than half, so that any two share one."""
    return count // 2 + 1 if count else 0


def check_cosigned(
    data: bytes,
    origin: str,
    log_keys: Iterable[Verifier],
    witnesses: Sequence[PublicKey],
    quorum: int,
) -> Cosigned:
    """The head in these bytes, if the log signed it and `quorum` of the witnesses cosigned it.

    RecordError says what does not hold; also if a known key's signature is false.
    """
    makers = [COSIGNERS.get(key.algorithm) for key in witnesses]
    for key, maker in zip(witnesses, makers, strict=True):
        if maker is None:
            raise RecordError(f"key {shown(key.name)}: type {key.algorithm:#04x} is no cosigner's")
    others = [maker(key) for key, maker in zip(witnesses, makers, strict=True) if maker is not None]
    found = checkpoints.check(data, origin, log_keys, others)
    known = {(key.name, key.key_id): key.material for key in witnesses}
    cosigners: dict[bytes, tuple[str, int]] = {}
    for one in found.signed.held:
        material = known.get((one.name, one.key_id))
        if material is not None:
            cosigners.setdefault(material, (one.name, cosigned_at(one.signature)))
    if len(cosigners) < quorum:
        names = ", ".join(name for name, _ in cosigners.values()) or "nobody"
        raise RecordError(
            f"checkpoint over {found.checkpoint.size} entries: cosigned by {names}, "
            f"{quorum} of {len(witnesses)} witnesses are needed"
        )
    return Cosigned(found.checkpoint, found.signed.note, tuple(cosigners.values()))


def _ml_dsa() -> ModuleType:
    try:
        from cryptography.hazmat.primitives.asymmetric import mldsa
    except ImportError:
        raise RecordError("ML-DSA-44 needs a newer release of the package cryptography") from None
    return mldsa
