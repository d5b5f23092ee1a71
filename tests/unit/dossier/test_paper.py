"""The printed pages: the same bytes each time, and every letter there or named."""

from __future__ import annotations

from dataclasses import replace

import pytest

from skykeep.dossier.paper import print_out, printable
from skykeep.dossier.paper_map import drawing
from skykeep.dossier.view import TimelineItem, WithheldView
from tests.unit.dossier.page_sample import VIEW


def test_the_same_view_gives_the_same_bytes() -> None:
    made = print_out(VIEW)
    assert made == print_out(VIEW)
    assert made.startswith(b"%PDF-")
    assert b"/CreationDate (D:20000101000000+00'00')" in made
    assert made != print_out(replace(VIEW, title="Another night"))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Škoda-straße 7 – 3 €", "Škoda-straße 7 – 3 €"),
        ("Ж", "[U+0416]"),
        ("a\tb", "a b"),
        ("two\nlines", "two\nlines"),
        ("\u202ecod", "[U+202E]cod"),
        ("\x81", "[U+0081]"),
        ("🛸", "[U+1F6F8]"),
    ],
)
def test_a_letter_that_the_font_lacks_is_named(text: str, shown: str) -> None:
    assert printable(text) == shown


@pytest.mark.parametrize(
    "text", ["<b>bold", "</para>", "a & b", "&lt;", "<a href='x'>", "<br", "🛸" * 400]
)
def test_whatever_a_text_holds_it_is_text(text: str) -> None:
    hidden = WithheldView(text, text, text, 1, (text,), True)
    view = replace(VIEW, title=text, summary=(text,), withheld=(hidden,), site_name=text)
    assert print_out(view).startswith(b"%PDF-")


def test_long_texts_and_many_rows_are_cut_and_it_is_said() -> None:
    hidden = WithheldView("w" * 5_000, "b " * 3_000, "y " * 3_000, 1, (), True)
    item = TimelineItem("23:50:33", "observed", "long " * 2_000)
    view = replace(VIEW, withheld=(hidden,) * 40, timeline=(item,) * 200)
    made = print_out(view)
    assert made.count(b"cut here: all of it is in") > 10
    assert b"140 more are in reader.html" in made


def test_an_empty_dossier_is_printed_too() -> None:
    empty = replace(VIEW, zones=(), permits=(), tracks=(), sensors=(), alerts=(), sightings=(),
                    reports=(), assessments=(), timeline=(), figures=(), summary=())  # fmt: skip
    assert drawing(empty, 400.0, printable) is None
    assert print_out(empty).startswith(b"%PDF-")
