"""Copies are suggested by containment, and where sentences were reworded by what they quote."""

from __future__ import annotations

import itertools

import pytest

from skykeep.accounts.copies import CONTAINED, suggest
from skykeep.accounts.page import read_page
from tests.unit.accounts.scoring import NEWS

ARTICLES = {
    path.stem: "\n".join(p.text for p in read_page(path.read_text(encoding="utf-8")).paragraphs)
    for path in sorted(NEWS.glob("*/*.*"))
    if path.suffix != ".json"
}


def test_a_truncated_copy_is_contained() -> None:
    whole = ARTICLES["02"]
    cut = whole[: whole.index(" ", len(whole) * 36 // 100)]  # Jaccard would say 0.36
    (found,) = suggest({"first": whole, "second": cut})
    assert (found.copy, found.original) == ("second", "first")
    assert found.containment == 1.0
    (turned,) = suggest({"first": cut, "second": whole})
    assert turned.copy == "second"


def test_a_reworded_copy_is_found_by_names_numbers_and_quotations() -> None:
    (found,) = suggest({"01": ARTICLES["01"], "13": ARTICLES["13"]})
    assert found.containment < CONTAINED
    assert len(found.shared) >= 4
    assert "Ilsa Brandt" in found.shared


@pytest.mark.parametrize("pair", list(itertools.combinations(sorted(ARTICLES), 2)))
def test_other_articles_are_not_suggested(pair: tuple[str, str]) -> None:
    # 09 sums up the night that 01 and 13 report, from the same people.
    if pair != ("01", "13"):
        assert suggest({name: ARTICLES[name] for name in pair}) == []


def test_nothing_copies_nothing() -> None:
    assert suggest({"a": "", "b": "", "c": "one two"}) == []
