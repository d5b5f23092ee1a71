"""Passwords as argon2id hashes (RFC 9106), and what is wrong with one that somebody chooses."""

from __future__ import annotations

import unicodedata

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.profiles import RFC_9106_LOW_MEMORY

#: NIST SP 800-63B-4, 3.1.1.2: at least 8 beside a second factor, and long ones are taken whole.
SHORTEST, LONGEST = 10, 200
#: 64 MiB and three passes: RFC 9106, section 4, the second recommended choice.
_hasher = PasswordHasher.from_parameters(RFC_9106_LOW_MEMORY)
#: What everybody tries first.
_COMMON = ("password", "passwort", "motdepasse", "skykeep", "123456", "qwertz", "qwerty", "azerty")


def problem_of(password: str, login: str) -> str:
    """Why a password will not do, in words; empty if it will."""
    plain = normal(password)
    if len(plain) < SHORTEST:
        return f"it has fewer than {SHORTEST} characters"
    if len(plain) > LONGEST:
        return f"it has more than {LONGEST} characters"
    folded = plain.casefold()
    if len(set(folded)) < 5:
        return "it repeats a few characters"
    for word in (*_COMMON, login.casefold()):
        if len(word) >= 4 and word in folded and len(folded) - len(word) < 6:
            return f"it is little more than {word!r}"
    return ""


def normal(password: str) -> str:
    """One form for what looks the same, whatever keyboard it came from (NFC)."""
    return unicodedata.normalize("NFC", password)


def hash_of(password: str) -> str:
    """What is kept; takes some tenths of a second and 64 MiB."""
    return _hasher.hash(normal(password))


def fits(kept: str, password: str) -> bool:
    """Whether it is the password; takes as long whether or not."""
    try:
        return _hasher.verify(kept, normal(password))
    except (VerificationError, InvalidHashError):
        return False


#: For logins that nobody has: so they take as long as others.
NOBODY = hash_of("nobody has this password")
