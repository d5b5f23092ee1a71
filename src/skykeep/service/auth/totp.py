"""One-time codes of an authenticator app (RFC 6238: SHA-1, 6 digits, 30 s)."""

from __future__ import annotations

import base64
import hmac
from urllib.parse import quote

from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.hotp import HOTP

from skykeep.units import NS_PER_S

#: RFC 4226, section 4, R6.
SECRET_BYTES = 20
STEP_S, DIGITS = 30, 6
#: A phone's clock, and the time to type: one step on either side (RFC 6238, section 5.2).
SKEW_STEPS = 1


def code_at(secret: bytes, step: int) -> str:
    """The code of a step of 30 s since 1970."""
    return HOTP(secret, DIGITS, SHA1()).generate(step).decode("ascii")


def step_of(code: str, secret: bytes, at_ns: int, last_step: int) -> int | None:
    """The step that a code is of, later than the last that was used; None where there is none.

    A code serves once (RFC 6238, section 5.2).
    """
    digits = "".join(code.split())
    now = at_ns // NS_PER_S // STEP_S
    found = None
    for step in range(now - SKEW_STEPS, now + SKEW_STEPS + 1):
        right = hmac.compare_digest(code_at(secret, step).encode(), digits.encode("utf-8"))
        if right and step > last_step:
            found = step
    return found


def address_of(secret: bytes, login: str, issuer: str) -> str:
    """What an authenticator app reads from a QR code (otpauth://)."""
    said = base64.b32encode(secret).decode("ascii").rstrip("=")
    label = quote(f"{issuer}:{login}", safe="")
    return f"otpauth://totp/{label}?secret={said}&issuer={quote(issuer, safe='')}"
