"""Ed25519 signing, literally as RFC 8032 section 5.1.6 says, on affine points.

Slow and open to timing: for tests only. Shares no line with the verifier, so that one shows
the other's slips.
"""

from __future__ import annotations

from functools import cache
from hashlib import sha512

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = (-121665 * pow(121666, P - 2, P)) % P
# Section 5.1, the point B.
B = (
    15112221349535400772501151409588531511454012693041857206046113283949847762202,
    46316835694926478169428394003475163141307993866256225615783033603165251855960,
)

Affine = tuple[int, int]


def add(p: Affine, q: Affine) -> Affine:
    """The addition law of the curve -x^2 + y^2 = 1 + d x^2 y^2."""
    (x1, y1), (x2, y2) = p, q
    dxy = D * x1 * x2 * y1 * y2
    x = (x1 * y2 + x2 * y1) * pow(1 + dxy, -1, P)
    y = (y1 * y2 + x1 * x2) * pow(1 - dxy, -1, P)
    return x % P, y % P


def multiply(n: int, p: Affine) -> Affine:
    """n times a point."""
    total = (0, 1)
    while n:
        if n & 1:
            total = add(total, p)
        p, n = add(p, p), n >> 1
    return total


def encode(p: Affine) -> bytes:
    """Section 5.1.2."""
    x, y = p
    return (y + ((x & 1) << 255)).to_bytes(32, "little")


def _secret(seed: bytes) -> tuple[int, bytes]:
    h = sha512(seed).digest()
    scalar = int.from_bytes(h[:32], "little")
    scalar &= (1 << 254) - 8
    scalar |= 1 << 254
    return scalar, h[32:]


@cache
def public_key(seed: bytes) -> bytes:
    """Section 5.1.5."""
    return encode(multiply(_secret(seed)[0], B))


def sign(seed: bytes, message: bytes) -> bytes:
    """Section 5.1.6."""
    scalar, prefix = _secret(seed)
    key = public_key(seed)
    r = int.from_bytes(sha512(prefix + message).digest(), "little") % L
    big_r = encode(multiply(r, B))
    k = int.from_bytes(sha512(big_r + key + message).digest(), "little") % L
    return big_r + ((r + k * scalar) % L).to_bytes(32, "little")
