"""Rows drafted from articles: how many are right, what is left out, and what does no harm."""

from __future__ import annotations

import json
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skykeep.accounts.draft import MOST_LISTED, draft
from skykeep.accounts.page import MOST_CHARACTERS, read_page
from skykeep.accounts.statement import SpeakerKind
from skykeep.errors import InputError
from tests.unit.accounts.scoring import NEWS, score

KNOWN = sorted(NEWS.glob("*/*.json"))


@pytest.mark.parametrize("folder", ["tuning", "held_out"])
def test_most_rows_are_right_and_most_statements_are_found(folder: str) -> None:
    found = score(folder)
    assert found.never == []
    assert found.precision >= 0.9, found.extra
    assert found.recall >= 0.75, found.missed


@pytest.mark.parametrize("path", KNOWN, ids=lambda p: f"{p.parent.name}-{p.stem}")
def test_comments_are_counted_and_rows_point_at_their_words(path: object) -> None:
    known = json.loads(path.read_text(encoding="utf-8"))  # type: ignore[attr-defined]
    source = (path.parent / known["text"]).read_text(encoding="utf-8")  # type: ignore[attr-defined]
    made = draft(source)
    comments = [n for n in known["never"] if n["kind"] == "reader comment"]
    # A post that somebody embedded in the article counts as a part around it.
    assert len(comments) - made.comments_left_out <= (path.stem == "11")  # type: ignore[attr-defined]
    told = json.dumps([r.words for r in made.rows] + [m.words for m in made.not_understood])
    assert not any(n["words"] in told for n in comments)
    for row in made.rows:
        begin, end = row.position
        first = row.words.split()[0].strip("“”\"'")
        assert 0 <= begin < end <= len(source)
        assert source[begin:end].lstrip("“\"'").startswith(first[:3])


def test_the_speaker_has_an_office_or_is_an_organisation() -> None:
    text = (
        "Mayor Ada Holm said the square was empty. Wendy Holt, 34, said she saw a drone. "
        "A passer-by said it was loud. Tom Reed said it fell. Dr Nils Aaker, a surgeon, said "
        "nobody was hurt. The Port Authority said the pier was closed."
    )
    made = draft(text)
    told = {(r.speaker.name, r.speaker.kind) for r in made.rows}
    assert told == {
        ("Ada Holm", SpeakerKind.OFFICE_HOLDER),
        ("Nils Aaker", SpeakerKind.PROFESSIONAL),
        ("Port Authority", SpeakerKind.ORGANISATION),
    }
    assert made.private_left_out == 2
    assert [m.words for m in made.not_understood] == ["Tom Reed said it fell."]


@pytest.mark.parametrize(
    ("sentence", "stance", "words"),
    [
        ("{} said the drone fell.", "asserts", "the drone fell"),
        ("“The drone fell,” {} said.", "asserts", "The drone fell"),
        ("“The drone,” {} said, “fell.”", "asserts", "The drone … fell"),
        ("According to {}, the drone fell.", "asserts", "the drone fell"),
        ("The drone fell, {} told reporters.", "asserts", "The drone fell"),
        ("{} denied that the drone fell.", "denies", "denied that the drone fell"),
        ("{} could not confirm the fall.", "cannot_confirm", "could not confirm the fall"),
        ("{} declined to comment.", "declines", "declined to comment"),
        ("{} withdrew the report.", "withdraws", "withdrew the report"),
        ("“Did it fall at all?” {} asked.", "questions", "Did it fall at all?"),
        ("“We had nothing to do with it,” {} said.", "denies", "We had nothing to do with it"),
    ],
)
def test_forms_of_attribution(sentence: str, stance: str, words: str) -> None:
    made = draft(sentence.format("Mayor Ada Holm"))
    assert [(r.speaker.name, r.stance, r.words) for r in made.rows] == [("Ada Holm", stance, words)]


def test_an_office_speaks_for_itself_and_not_as_its_holder() -> None:
    made = draft("President Ada Holm slept. President Holm's office said that it fell.")
    assert [(r.speaker.name, r.speaker.kind) for r in made.rows] == [
        ("President Holm's office", SpeakerKind.ORGANISATION)
    ]


def test_what_stands_between_dashes_is_who_speaks() -> None:
    text = "Mayor Bo Falk said it fell. Lena Orth – the head of the Border Office – said it flew."
    assert [r.speaker.name for r in draft(text).rows] == ["Bo Falk", "Lena Orth"]


def test_a_verb_without_words_is_no_row() -> None:
    text = "Mayor Ada Holm said it fell. Dr Nils Aaker, a surgeon, contradicted her."
    assert [r.speaker.name for r in draft(text).rows] == ["Ada Holm"]


def test_words_inside_a_quotation_attribute_nothing() -> None:
    text = "“General Iven Dask said that we fired,” Mayor Ada Holm said."
    assert [r.speaker.name for r in draft(text).rows] == ["Ada Holm"]


def test_scripts_and_hidden_marks_are_no_words() -> None:
    text = (
        "<html><body><script>'Mayor Bo Falk said it fell.'</script>"
        "<p>Mayor Ada \u202eHolm said the &lt;b&gt;drone&lt;/b&gt; fell.</p></body></html>"
    )
    (row,) = draft(text).rows
    assert (row.speaker.name, row.words) == ("Ada Holm", "the <b>drone</b> fell")


def test_lines_that_nobody_broke_are_paragraphs() -> None:
    text = "Share\nComments\n" + "\n".join(
        f"Mayor Ada Holm{k} said that the square below the town hall was empty when the thing came "
        "down beside the fountain and rolled to the steps." for k in "abc"
    )  # fmt: skip
    page = read_page(text)
    assert [p.heading for p in page.paragraphs] == [True, True, False, False, False]
    assert page.comments == 0
    assert len(draft(text).rows) == 3


def test_a_name_that_hides_the_whole_article_names_the_page() -> None:
    text = "<p>Mayor Ada Holm said it fell.</p>"
    advert = "<div class='ad'><p>Mayor Bo Falk said: buy it.</p></div>"
    assert [r.speaker.name for r in draft(f"<body>{text}{advert}</body>").rows] == ["Ada Holm"]
    page = f"<body><div class='social layout'>{text}</div></body>"
    assert [r.speaker.name for r in draft(page).rows] == ["Ada Holm"]


def test_what_is_longer_than_an_article_is_refused() -> None:
    with pytest.raises(InputError, match="article"):
        draft("x" * (MOST_CHARACTERS + 1))


SIZE = 100_000
HOSTILE = {
    "no spaces": "x" * SIZE,
    "quotes": '"' * SIZE,
    "nested quotes": "“‘«„" * (SIZE // 4),
    "open tags": "<p>" + "<div>" * (SIZE // 5),
    "half tags": "<p>" + "<" * SIZE,
    "attributes": "<p>" + "<a b='" * (SIZE // 6),
    "comments": "<p>" + "<!--" * (SIZE // 4),
    "entities": "<p>" + "&amp;" * (SIZE // 5),
    "right to left": "<p>" + "\u202e" * SIZE,
    "one sentence": "said " * (SIZE // 5),
    "verbs and commas": "Ada Holm, said, " * (SIZE // 16),
    "paragraphs": "said X.\n\n" * (SIZE // 9),
    "names": "Ada Bo Cy " * (SIZE // 10),
    "sentences": "Mayor Ada Holm said it fell. " * (SIZE // 29),
    "introductions": "\n\n".join(f"Mayor Name{k}x Holm{k} said it fell." for k in range(1_000)),
}


def lines_run(text: str) -> int:
    """How many lines of the reader are run for a text: its work, without a clock."""
    count = 0

    def trace(frame: object, event: str, _: object) -> object:
        nonlocal count
        count += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)  # type: ignore[arg-type]
    try:
        draft(text)
    finally:
        sys.settrace(before)
    return count


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_text_is_harmless(name: str) -> None:
    made = draft(HOSTILE[name])
    assert len(made.not_understood) <= MOST_LISTED


@pytest.mark.soak
@pytest.mark.parametrize("name", HOSTILE)
def test_ten_megabytes_are_harmless(name: str) -> None:
    draft(HOSTILE[name] * 100)


# Of names, each is looked for among those that were introduced, of which only so many are kept.
@pytest.mark.parametrize("name", sorted(set(HOSTILE) - {"names", "introductions"}))
def test_work_grows_with_the_length_and_no_faster(name: str) -> None:
    text = HOSTILE[name]
    small, large = lines_run(text[:4_000]), lines_run(text[:16_000])
    assert large <= 5 * small + 2_000


@given(st.text(alphabet=st.sampled_from("aA .,\"“”'<>/&;:\n\x01said MayorHolm"), max_size=300))
def test_no_text_breaks_the_reader(text: str) -> None:
    for row in draft(text).rows:
        assert row.words.strip()
    for p in read_page(text).paragraphs:
        begin, end = p.position(0, len(p.text))
        assert 0 <= begin < end <= len(text)
