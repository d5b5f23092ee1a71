"""What will do as a password, and what is kept of it."""

from __future__ import annotations

import pytest

from skykeep.service.auth.passwords import NOBODY, fits, hash_of, problem_of


@pytest.mark.parametrize(
    ("password", "problem"),
    [
        ("short", "fewer than 10"),
        ("x" * 201, "more than 200"),
        ("aaaabbbbcccc", "repeats"),
        ("Password1234", "little more than 'password'"),
        ("c.weber2026!", "little more than 'c.weber'"),
        ("brass lantern over water", ""),
        ("Zitadelle-bei-Nacht", ""),
    ],
)
def test_what_will_not_do_is_said(password: str, problem: str) -> None:
    said = problem_of(password, "c.weber")
    assert problem in said
    assert bool(said) == bool(problem)


def test_the_hash_is_argon2id_and_fits_one_password_alone() -> None:
    kept = hash_of("Zur schönen Aussicht")
    assert kept.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert fits(kept, "Zur scho\u0308nen Aussicht")  # the same, typed on another keyboard
    assert not fits(kept, "Zur schonen Aussicht")
    assert not fits("", "anything")
    assert not fits(NOBODY, "")
