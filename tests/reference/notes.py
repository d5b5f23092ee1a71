"""Signed notes and keys as C2SP signed-note has them, made with the literal signer."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256

from tests.reference import ed25519


def key_id(name: str, public_key: bytes, kind: bytes = b"\x01") -> bytes:
    """SHA-256 of name, newline, the kind's byte and the key, cut to 4 bytes."""
    return sha256(name.encode() + b"\n" + kind + public_key).digest()[:4]


def verifier_key(name: str, seed: bytes, kind: bytes = b"\x01") -> str:
    """The key line NAME+ID+BASE64 for the key of a 32-byte seed; a witness's kind is 04."""
    public_key = ed25519.public_key(seed)
    encoded = b64encode(kind + public_key).decode()
    return f"{name}+{key_id(name, public_key, kind).hex()}+{encoded}"


def cosignature(text: str, name: str, seed: bytes, at_s: int) -> bytes:
    """A witness's line under a checkpoint's text (C2SP tlog-cosignature)."""
    signature = ed25519.sign(seed, f"cosignature/v1\ntime {at_s}\n{text}".encode())
    raw = key_id(name, ed25519.public_key(seed), b"\x04") + at_s.to_bytes(8, "big") + signature
    return f"— {name} {b64encode(raw).decode()}\n".encode()


def signature_line(text: str, name: str, seed: bytes) -> str:
    """One line of signature under a text that ends in a newline."""
    raw = key_id(name, ed25519.public_key(seed)) + ed25519.sign(seed, text.encode())
    return f"— {name} {b64encode(raw).decode()}\n"


def signed(text: str, name: str, seed: bytes) -> bytes:
    """A note with one signature."""
    return f"{text}\n{signature_line(text, name, seed)}".encode()


def checkpoint(name: str, size: int, root: bytes, seed: bytes) -> bytes:
    """A signed checkpoint whose origin is the key's name."""
    return signed(f"{name}\n{size}\n{b64encode(root).decode()}\n", name, seed)
