"""The commands about public statements, from an article to a page."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from skykeep.cli import main
from tests.unit.accounts.test_ledger import FOUND  # the finding of P1

ARTICLE = Path(__file__).parents[2] / "vectors" / "news" / "tuning" / "02.txt"
ROW = {
    "speaker": {
        "kind": "office_holder", "name": "Ines Faber", "role": "spokeswoman",
        "organisation": "Keepers",
    },
    "reported_by": "Northline", "words": "A drone was over our roof.", "language": "en",
    "stance": "asserts", "claimed": "2026-09-12T23:53:00Z", "propositions": ["P1"],
}  # fmt: skip
PROPOSITION = {
    "proposition_id": "P1", "words": "A drone was over the roof", "predicate": "present",
    "place": {"lat_deg": 49.6, "lon_deg": 6.1, "radius_m": 60},
    "from": "2026-09-12T21:53:00Z", "to": "2026-09-12T21:54:20Z",
}  # fmt: skip


def test_a_draft_is_a_list_of_rows(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["statements", "draft", "--json", str(ARTICLE)]) == 0
    out, err = capsys.readouterr()
    rows = json.loads(out)
    assert {"speaker", "stance", "words", "position"} <= set(rows[0])
    assert rows[0]["speaker"] == "Tarnhaven Airport"
    begin, end = rows[0]["position"]
    assert ARTICLE.read_text(encoding="utf-8")[begin:end] == rows[0]["words"]
    assert "3 readers' comments" in err


def test_an_article_that_is_not_there_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["statements", "draft", "nowhere.html"]) == 2
    assert "nowhere.html" in capsys.readouterr().err


def test_a_row_goes_its_way(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ledger = str(tmp_path / "said.sqlite")

    def do(*words: str) -> int:
        return main(["statements", *words])

    def step(what: str, *more: str) -> int:
        return do("step", ledger, "S00001", what, *more)

    (tmp_path / "p.json").write_text(json.dumps(PROPOSITION))
    (tmp_path / "r.json").write_text(json.dumps([ROW]))
    assert do("new", ledger) == 0
    assert do("enter", ledger, str(tmp_path / "r.json"), "--by", "Ana") == 1  # no proposition yet
    assert do("propose", ledger, str(tmp_path / "p.json"), "--by", "Ana") == 0
    assert do("enter", ledger, str(tmp_path / "r.json"), "--by", "Ana") == 0
    assert step("confirm", "--by", "Ana") == 0
    assert step("reply", "--words", "Yes.", "--by", "Ana") == 0
    assert step("release", "--by", "Cleo", "--role", "release_officer") == 1  # no finding yet
    capsys.readouterr()
    assert do("list", ledger, "--json") == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert (row["state"], row["statement"]["claimed"]) == ("confirmed", "2026-09-12T23:53:00Z")
    assert FOUND.proposition_id not in {f["proposition_id"] for f in row["findings"]}
    assert do("export", ledger, "--format", "csv", "--out", str(tmp_path / "x.csv")) == 0
    assert "Ines" not in (tmp_path / "x.csv").read_text()
    capsys.readouterr()
    assert do("log", ledger) == 0
    assert capsys.readouterr().out.count("Ana (statements_clerk)") == 4


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"claimed": 5}, "claimed"),
        ({"stance": "shouts"}, "stance"),
        ({"colour": "red"}, "colour"),
        ({"speaker": {**ROW["speaker"], "role": "resident"}}, "speaker.role"),  # type: ignore[dict-item]
    ],
)
def test_a_row_that_is_none_is_refused_by_its_field(
    change: dict[str, object], where: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ledger, file = str(tmp_path / "said.sqlite"), tmp_path / "r.json"
    file.write_text(json.dumps({**ROW, "propositions": [], **change}))
    assert main(["statements", "new", ledger]) == 0
    assert main(["statements", "enter", ledger, str(file), "--by", "Ana"]) == 2
    assert where in capsys.readouterr().err
