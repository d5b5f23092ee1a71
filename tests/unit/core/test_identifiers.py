from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skykeep.core.identifiers import (
    operator_check_character,
    operator_checkable,
    operator_fault,
    public_operator,
)

#: The worked example of AMC1 Article 14(6) of (EU) 2019/947.
EXAMPLE = "FIN87astrdge12k8-xyz"
ALPHABET = "0123456789abcdefghijklmnopqrstuvwxyz"
letters = st.text(ALPHABET, min_size=15, max_size=15)


def test_the_published_example() -> None:
    assert operator_fault(EXAMPLE) is None
    assert operator_fault("FIN87astrdge12k8xyz") is None
    assert operator_fault("FIN87astrdge12k8") is None
    assert (operator_checkable(EXAMPLE), operator_checkable("FIN87astrdge12k8")) == (True, False)
    assert public_operator(f" {EXAMPLE} ") == "FIN87astrdge12k8"


@pytest.mark.parametrize(
    "number",
    ["FIN87astrdge12k9-xyz", "FIN87astrdge12k8-xyy", "FIN78astrdge12k8-xyz"],
)
def test_a_slip_is_found_where_the_secret_is_given(number: str) -> None:
    assert "check character" in str(operator_fault(number))


@pytest.mark.parametrize(
    "number", ["", "fin87astrdge12k8", "FIN87ASTRDGE12K8", "FIN87astrdge12k", "FIN87astrdge12k8-xy"]
)
def test_what_has_not_the_form(number: str) -> None:
    assert "is not 3 upper-case letters" in str(operator_fault(number))


@given(letters, st.integers(0, 14), st.sampled_from(ALPHABET))
def test_every_single_slip_changes_the_check_character(text: str, at: int, other: str) -> None:
    slipped = text[:at] + other + text[at + 1 :]
    same = operator_check_character(slipped) == operator_check_character(text)
    assert same == (slipped == text)
