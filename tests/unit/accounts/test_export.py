"""What goes out: only what was released, with its finding and replies; harmless to open."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from skykeep.accounts.export import as_csv, claim_review, page, public_rows
from skykeep.accounts.ledger import EnterProposition, EnterRow, KeepFinding, Ledger, StepRow
from skykeep.accounts.statement import RowStep
from skykeep.core.proposition import Finding, Outcome, Why
from tests.unit.accounts.test_ledger import CLERK, P1, RELEASER, SAID

EVIL = '=HYPERLINK("http://evil.example")<script>alert(1)</script>'


def released(words: str = "There were three.") -> Ledger:
    ledger = Ledger()
    other = replace(P1, proposition_id="P2", words="It was meant <b>so</b>")
    for p in (P1, other):
        ledger.apply(EnterProposition(p), CLERK, 1)
    said = replace(SAID, words=words, propositions=("P1", "P2"), claimed_ns=0)
    for _ in range(3):  # the second stays confirmed, the third a draft
        ledger.apply(EnterRow(said), CLERK, 2)
    ledger.apply(KeepFinding(Finding("P1", Outcome.CONTRADICTED, None, "is incompatible",
                                     coverage=("radar: up",)), "0"), CLERK, 3)  # fmt: skip
    ledger.apply(
        KeepFinding(Finding("P2", Outcome.NOT_MEASURED, Why.NOT_MEASURABLE, "no sensor"), "0"),
        CLERK, 3,
    )  # fmt: skip
    for row in ("S00001", "S00002"):
        ledger.apply(StepRow(row, RowStep.CONFIRM), CLERK, 4)
    ledger.apply(StepRow("S00001", RowStep.REPLY, "We stand by <i>it</i>."), CLERK, 5)
    ledger.apply(StepRow("S00001", RowStep.REPLY), CLERK, 6)
    ledger.apply(StepRow("S00001", RowStep.RELEASE), RELEASER, 7)
    corrected = replace(said, language="de")
    ledger.apply(StepRow("S00001", RowStep.CORRECT, "it was German", corrected), CLERK, 8)
    return ledger


def test_only_what_was_released_goes_out() -> None:
    ledger = released()
    assert [r.row_id for r in public_rows(ledger)] == ["S00001"]
    rows = list(csv.DictReader(io.StringIO(as_csv(ledger))))
    assert [(r["row"], r["outcome"], r["why"]) for r in rows] == [
        ("S00001", "incompatible with the record", ""),
        ("S00001", "not measured", "not_measurable"),
    ]
    assert rows[0]["replies"] == "We stand by <i>it</i>. | asked, no answer"
    assert rows[0]["corrections"] == "it was German"


@pytest.mark.parametrize("first", ["=", "+", "-", "@", "\t", "\r", "\n", "＝"])
def test_no_cell_is_a_formula(first: str) -> None:
    rows = list(csv.reader(io.StringIO(as_csv(released(f"{first}1+1")), newline="")))
    assert any(f"'{first}1+1" in row for row in rows)
    assert not any(cell.startswith(first) for row in rows for cell in row)


def test_claim_review_rates_only_what_is_measured() -> None:
    (measured, open_) = claim_review(released(), "The authority", "page.html")["@graph"]
    assert measured["@type"] == "ClaimReview"
    assert measured["claimReviewed"] == P1.words
    assert measured["url"] == "page.html#S00001"
    assert measured["author"] == {"@type": "Organization", "name": "The authority"}
    assert measured["itemReviewed"]["author"]["jobTitle"] == "interior minister"
    assert measured["itemReviewed"]["datePublished"] == "1970-01-01T00:00:00Z"
    assert measured["reviewRating"]["ratingValue"] == measured["reviewRating"]["worstRating"]
    assert "ratingValue" not in open_["reviewRating"]


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.seen: set[str] = set()
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)

    def handle_data(self, data: str) -> None:
        self.text += data


def test_the_page_shows_words_as_words() -> None:
    reader = Tags()
    reader.feed(page(released(EVIL), "Citadel <night>", 0))
    assert not reader.seen & {"script", "b", "i"}
    text = reader.text
    for shown in (EVIL, "We stand by <i>it</i>.", "asked; no answer by then", "it was German",
                  "incompatible with the record", "What is not known", "radar: up",
                  "3 reports, 3 origins at most; independence not established"):  # fmt: skip
        assert shown in text
    assert text.index("It was meant <b>so</b>") > text.index("What is not known")


def test_a_withdrawn_row_says_so_and_no_more() -> None:
    ledger = released("They were ours.")
    ledger.apply(StepRow("S00001", RowStep.WITHDRAW, "said by another"), RELEASER, 9)
    assert claim_review(ledger, "A", "p")["@graph"] == []
    for told in (as_csv(ledger), page(ledger, "T", 0)):
        assert "They were ours." not in told
        assert "said by another" in told
