"""The verifier's own Ed25519: the RFC's vectors, a literal signer, and what strict refuses."""

from __future__ import annotations

import json
import random
import time
from pathlib import Path

import pytest

from skykeep.verify.verifier import (
    BASE,
    FIELD_PRIME,
    GROUP_ORDER,
    NEUTRAL,
    ed25519_holds,
    point_add,
    point_decode,
    point_double,
    point_encode,
    public_key_point,
)
from tests.reference import ed25519 as reference

VECTORS = json.loads(
    (Path(__file__).parents[2] / "vectors" / "ed25519" / "rfc8032.json").read_text("utf-8")
)
SEED = bytes(range(32))
KEY = reference.public_key(SEED)
MESSAGE = b"the sky was empty"
SIGNATURE = reference.sign(SEED, MESSAGE)

MAX_VERIFY_MS = 10.0

# The eight points whose order divides 8, as 32 bytes: x and y of orders 1, 2, 4, 4, 8, 8, 8, 8.
# The two y of order 8 are the roots of the curve with x^2 = y^2 * sqrt(-1) or its negative.
_EIGHT = (
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
)
SMALL_ORDER = [
    (1).to_bytes(32, "little"),
    (FIELD_PRIME - 1).to_bytes(32, "little"),
    bytes(32),
    (1 << 255).to_bytes(32, "little"),
    *(bytes.fromhex(y) for y in _EIGHT),
    *(
        (int.from_bytes(bytes.fromhex(y), "little") | 1 << 255).to_bytes(32, "little")
        for y in _EIGHT
    ),
]
"""All points of small order in their canonical encodings."""


@pytest.mark.parametrize("vector", VECTORS, ids=lambda v: v["name"])
def test_rfc_8032_vectors(vector: dict[str, str]) -> None:
    seed, key, message, signature = (
        bytes.fromhex(vector[k]) for k in ("secret_key", "public_key", "message", "signature")
    )
    assert ed25519_holds(key, message, signature)
    assert not ed25519_holds(key, message + b"\x00", signature)
    # The reference signer that other tests lean on.
    assert reference.public_key(seed) == key
    assert reference.sign(seed, message) == signature


def test_single_bits_of_a_signature_count() -> None:
    for bit in range(0, 512, 3):  # each byte, each place in a byte
        altered = bytearray(SIGNATURE)
        altered[bit // 8] ^= 1 << bit % 8
        assert not ed25519_holds(KEY, MESSAGE, bytes(altered)), bit


def test_single_bits_of_key_and_message_count() -> None:
    for bit in range(0, 256, 3):
        altered = bytearray(KEY)
        altered[bit // 8] ^= 1 << bit % 8
        assert not ed25519_holds(bytes(altered), MESSAGE, SIGNATURE), bit
    for bit in range(0, len(MESSAGE) * 8, 3):
        altered = bytearray(MESSAGE)
        altered[bit // 8] ^= 1 << bit % 8
        assert not ed25519_holds(KEY, bytes(altered), SIGNATURE), bit


def test_an_s_beyond_the_group_order_is_refused() -> None:
    s = int.from_bytes(SIGNATURE[32:], "little")
    raised = SIGNATURE[:32] + (s + GROUP_ORDER).to_bytes(32, "little")
    assert not ed25519_holds(KEY, MESSAGE, raised)


@pytest.mark.parametrize("length", [0, 31, 33, 63, 65, 128])
def test_wrong_lengths_are_refused(length: int) -> None:
    assert not ed25519_holds(KEY, MESSAGE, (SIGNATURE * 2)[:length])
    assert not ed25519_holds((KEY * 4)[:length], MESSAGE, SIGNATURE)


def test_the_list_of_small_order_points_is_right() -> None:
    assert len(set(SMALL_ORDER)) == 8
    for raw in SMALL_ORDER:
        point = point_decode(raw)
        assert point is not None, raw.hex()
        eightfold = point_double(point_double(point_double(point)))
        assert point_encode(eightfold) == point_encode(NEUTRAL)


@pytest.mark.parametrize("raw", SMALL_ORDER, ids=bytes.hex)
def test_keys_of_small_order_are_refused(raw: bytes) -> None:
    assert public_key_point(raw) is None
    # R neutral and S = 0 would hold for any k that the order divides, so for many messages.
    neutral = point_encode(NEUTRAL)
    for n in range(16):
        assert not ed25519_holds(raw, bytes([n]), neutral + bytes(32))


def test_encodings_that_are_not_canonical_are_refused() -> None:
    refused = 0
    for y in range(19):
        assert point_decode((FIELD_PRIME + y).to_bytes(32, "little")) is None
        refused += point_decode(y.to_bytes(32, "little")) is not None
    assert refused > 3  # Points are there at those y: only the writing of y is refused.
    for y in (1, FIELD_PRIME - 1):  # x = 0 has no second sign
        assert point_decode(y.to_bytes(32, "little")) is not None
        assert point_decode((y | 1 << 255).to_bytes(32, "little")) is None


def test_an_r_that_is_not_canonical_is_refused() -> None:
    """R = neutral point, written as y = p + 1: the sum is right, the bytes are not."""
    h = reference.sha512(SEED).digest()
    scalar = (int.from_bytes(h[:32], "little") & (1 << 254) - 8) | 1 << 254
    for y, holds in ((1, True), (FIELD_PRIME + 1, False)):
        r = y.to_bytes(32, "little")
        k = int.from_bytes(reference.sha512(r + KEY + MESSAGE).digest(), "little")
        s = k * scalar % GROUP_ORDER
        assert ed25519_holds(KEY, MESSAGE, r + s.to_bytes(32, "little")) is holds


def test_points_add_as_the_curve_says() -> None:
    rng = random.Random(8032)
    for _ in range(3):
        a, b = (reference.multiply(rng.getrandbits(252), reference.B) for _ in range(2))
        p, q = point_decode(reference.encode(a)), point_decode(reference.encode(b))
        assert p is not None
        assert q is not None
        assert point_encode(point_add(p, q)) == reference.encode(reference.add(a, b))
        assert point_encode(point_double(p)) == reference.encode(reference.add(a, a))
        assert point_encode(point_add(p, p)) == point_encode(point_double(p))
    assert point_encode(BASE) == reference.encode(reference.B)


def test_about_half_of_all_numbers_are_points() -> None:
    rng = random.Random(1)
    decoded = [point_decode((rng.getrandbits(255) % FIELD_PRIME).to_bytes(32, "little"))
               for _ in range(200)]  # fmt: skip
    points = [p for p in decoded if p is not None]
    assert 60 < len(points) < 140
    for x, y, _, _ in points:
        d = reference.D
        assert (-x * x + y * y - 1 - d * x * x * y * y) % FIELD_PRIME == 0


def test_verification_is_quick() -> None:
    best_ms = float("inf")
    for _ in range(5):
        start_ns = time.perf_counter_ns()
        assert ed25519_holds(KEY, MESSAGE, SIGNATURE)
        best_ms = min(best_ms, (time.perf_counter_ns() - start_ns) / 1e6)
    assert best_ms < MAX_VERIFY_MS


def test_agrees_with_cryptography() -> None:
    module = pytest.importorskip("cryptography.hazmat.primitives.asymmetric.ed25519")
    serialization = pytest.importorskip("cryptography.hazmat.primitives.serialization")
    raw, raw_public = serialization.Encoding.Raw, serialization.PublicFormat.Raw
    rng = random.Random(200)
    for _ in range(200):
        secret = module.Ed25519PrivateKey.from_private_bytes(rng.randbytes(32))
        public = secret.public_key().public_bytes(raw, raw_public)
        message = rng.randbytes(rng.randrange(300))
        signature = secret.sign(message)
        assert ed25519_holds(public, message, signature)
        altered = bytearray(signature)
        altered[rng.randrange(64)] ^= 1 << rng.randrange(8)
        assert not ed25519_holds(public, message, bytes(altered))
        assert not ed25519_holds(public, message + b"!", signature)
