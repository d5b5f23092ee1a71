"""RFC 6238, appendix B (SHA-1), whose codes of 8 digits end in ours of 6; each serves once."""

from __future__ import annotations

import pytest

from skykeep.service.auth.totp import address_of, code_at, step_of
from skykeep.units import NS_PER_S

SECRET = b"12345678901234567890"
VECTORS = (
    (59, "94287082"),
    (1111111109, "07081804"),
    (1111111111, "14050471"),
    (1234567890, "89005924"),
    (2000000000, "69279037"),
    (20000000000, "65353130"),
)


@pytest.mark.parametrize(("at_s", "code"), VECTORS)
def test_the_standards_vectors(at_s: int, code: str) -> None:
    assert code_at(SECRET, at_s // 30) == code[2:]
    assert step_of(code[2:5] + " " + code[5:], SECRET, at_s * NS_PER_S, 0) == at_s // 30


def test_a_step_early_or_late_is_taken_and_each_once() -> None:
    now_ns = 1_000 * 30 * NS_PER_S
    for step in (999, 1_000, 1_001):
        assert step_of(code_at(SECRET, step), SECRET, now_ns, 0) == step
        assert step_of(code_at(SECRET, step), SECRET, now_ns, step) is None
    for step in (998, 1_002):
        assert step_of(code_at(SECRET, step), SECRET, now_ns, 0) is None
    for words in ("", "12345", "٣٤٥٦٧٨", "1" * 20):
        assert step_of(words, SECRET, now_ns, 0) is None


def test_the_app_reads_an_address() -> None:
    said = address_of(SECRET, "c.weber", "Skykeep Citadel")
    assert said == (
        "otpauth://totp/Skykeep%20Citadel%3Ac.weber?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
        "&issuer=Skykeep%20Citadel"
    )
