"""A signed batch as it is posted (docs/signing-sensors.md).

    {"session": 3, "sequence": 42, "payload": "{\"batch_id\": ...}", "signature": "base64"}

`payload` is the text of what an unsigned sensor would post. The signature is Ed25519 (RFC 8032)
over five lines, each ended by a newline: the title, the sensor's id, session and sequence in
decimal digits, and the SHA-256 of the payload's UTF-8 bytes in lower-case hexadecimal. So the
record, which keeps that hash and no raw bytes, can have the signature checked for ever.
"""

from __future__ import annotations

import base64
import binascii
from hashlib import sha256
from typing import Annotated

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from skykeep.core.observation import Batch, Signature
from skykeep.errors import InputError

TITLE = "skykeep-batch/1"
KEY_BYTES, SIGNATURE_BYTES = 32, 64
_Number = Annotated[int, msgspec.Meta(ge=1, le=2**63 - 1)]
_Text = Annotated[str, msgspec.Meta(max_length=100)]


class _Envelope(msgspec.Struct, forbid_unknown_fields=True):
    session: _Number
    sequence: _Number
    payload: str
    signature: _Text


_DECODER = msgspec.json.Decoder(_Envelope)


def open_envelope(body: bytes, sensor_id: str, key: str) -> tuple[bytes, Signature]:
    """The payload of a signed body and its signature, which holds under `key` (base64).

    InputError for what is no envelope, or where the signature does not hold.
    """
    try:
        said = _DECODER.decode(body)
        payload = said.payload.encode()
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        problem, _, path = str(error).partition(" - at `")
        mend = "This sensor signs: send session, sequence, payload and signature"
        raise InputError(path.rstrip("`") or "$", problem[:200], mend) from None
    signature = Signature(key, said.session, said.sequence, said.signature)
    if not holds(signature, sensor_id, sha256(payload).hexdigest()):
        mend = "Sign the five lines with the key that is registered for this sensor"
        raise InputError("$.signature", f"does not hold for {sensor_id!r}", mend)
    return payload, signature


def statement(sensor_id: str, session: int, sequence: int, payload_sha256: str) -> bytes:
    """What is signed; a sensor's id with a line break would be two lines, and is none."""
    return f"{TITLE}\n{sensor_id}\n{session}\n{sequence}\n{payload_sha256}\n".encode()


def holds(said: Signature, sensor_id: str, payload_sha256: str) -> bool:
    """Whether a signature is its key's over this payload."""
    key, value = raw_key(said.key), _decoded(said.value)
    if key is None or value is None or len(value) != SIGNATURE_BYTES or "\n" in sensor_id:
        return False
    signed = statement(sensor_id, said.session, said.sequence, payload_sha256)
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(value, signed)
    except InvalidSignature:
        return False
    return True


def batch_holds(batch: Batch) -> bool:
    """Whether a batch's signature holds; True where the bytes' hash is gone, or nobody signed."""
    if batch.signed is None or not batch.signed.value or not batch.raw_sha256:
        return True
    return holds(batch.signed, batch.sensor_id, batch.raw_sha256[0])


def raw_key(key: str) -> bytes | None:
    """The 32 bytes of a public key in base64; None for anything else."""
    data = _decoded(key)
    return data if data is not None and len(data) == KEY_BYTES else None


def _decoded(text: str) -> bytes | None:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
