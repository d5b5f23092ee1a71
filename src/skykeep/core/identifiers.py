"""Numbers that aircraft and operators are known by, and what can be wrong with them.

Serial numbers by ANSI/CTA-2063-A; operators' registration numbers by EN 4709-002 and
AMC1 to Article 14(6) of (EU) 2019/947.
"""

from __future__ import annotations

import re

# ANSI/CTA-2063-A, section 4: manufacturer code (4), length code (1), serial number (1 to 15),
# of digits and upper-case letters without O and I, which look like digits.
_SERIAL_ALPHABET = re.compile(r"[0-9A-HJ-NP-Z]*")
_SERIAL_LENGTH_CODES = "123456789ABCDEF"
_SERIAL_HEAD = 5

#: Country (ISO 3166-1 alpha-3), 12 characters, check character; then 3 that only the operator
#: and the register know, with or without a hyphen.
_OPERATOR = re.compile(r"([A-Z]{3})([0-9a-z]{12})([0-9a-z])(?:-?([0-9a-z]{3}))?", re.ASCII)
_OPERATOR_ALPHABET = "0123456789abcdefghijklmnopqrstuvwxyz"
PUBLIC_OPERATOR_CHARACTERS = 16


def serial_fault(serial: str) -> str | None:
    """What breaks ANSI/CTA-2063-A section 4 in a serial number, in words; None if nothing.

    For a finding only: real drones broadcast serials that break it, and fly nevertheless.
    """
    if not _SERIAL_ALPHABET.fullmatch(serial):
        return "has characters other than digits and upper-case letters without O and I"
    if len(serial) <= _SERIAL_HEAD:
        return "is shorter than manufacturer code, length code and one character"
    code = serial[_SERIAL_HEAD - 1]
    if code not in _SERIAL_LENGTH_CODES:
        return f"has the length code {code!r}, not 1 to 9 or A to F"
    stated, actual = int(code, 16), len(serial) - _SERIAL_HEAD
    if stated != actual:
        return f"states {stated} characters after its length code and has {actual}"
    return None


def operator_fault(number: str) -> str | None:
    """What is wrong with an operator's registration number, in words; None if nothing.

    The check character is a Luhn sum modulo 36 over the 12 characters and the 3 secret ones:
    it can be checked only where those are given (`FIN87astrdge12k8-xyz`, the example of
    AMC1 Article 14(6)). Of a public number (16 characters) only the form is checked; see
    `operator_checkable`.
    """
    match = _OPERATOR.fullmatch(number.strip())
    if match is None:
        return (
            "is not 3 upper-case letters of a country, then 13 digits and lower-case letters"
            " (and 3 secret ones, where they are given)"
        )
    _, body, check, secret = match.groups()
    if secret is not None and check != operator_check_character(body + secret):
        return f"has the check character {check!r}, which does not fit the others"
    return None


def operator_checkable(number: str) -> bool:
    """Whether a number brings the 3 secret characters that its check needs."""
    return len(number.strip()) > PUBLIC_OPERATOR_CHARACTERS


def public_operator(number: str) -> str:
    """The part that is broadcast and kept; the secret characters prove the operator once."""
    return number.strip()[:PUBLIC_OPERATOR_CHARACTERS]


def operator_check_character(characters: str) -> str:
    """Luhn modulo 36: from the right every other value doubled, its two digits (base 36) added."""
    base = len(_OPERATOR_ALPHABET)
    total, factor = 0, 2
    for character in reversed(characters):
        value = factor * _OPERATOR_ALPHABET.index(character)
        total += value // base + value % base
        factor = 3 - factor
    return _OPERATOR_ALPHABET[-total % base]
