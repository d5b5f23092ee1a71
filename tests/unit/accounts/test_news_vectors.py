"""The articles and what is known of them agree, so that figures about the reader mean something."""

from __future__ import annotations

import html
import json
import re
from pathlib import Path
from typing import Any

import pytest

NEWS = Path(__file__).parents[2] / "vectors" / "news"
KNOWN = sorted(NEWS.glob("*/*.json"))
STANCES = {"asserts", "denies", "cannot_confirm", "questions", "declines", "withdraws"}


def read(path: Path) -> tuple[str, dict[str, Any]]:
    known = json.loads(path.read_text(encoding="utf-8"))
    return (path.parent / known["text"]).read_text(encoding="utf-8"), known


def shown(raw: str) -> str:
    """What a reader sees of a stretch of the source."""
    return " ".join(html.unescape(re.sub(r"<[^>]*>", "", raw)).split())


@pytest.mark.parametrize("path", KNOWN, ids=lambda p: f"{p.parent.name}-{p.stem}")
def test_words_stand_where_their_row_says(path: Path) -> None:
    text, known = read(path)
    for row in [*known["statements"], *known["never"]]:
        begin, end = row["position"]
        words = shown(text[begin:end])
        parts = row["words"].split(" … ")
        assert words.startswith(parts[0])
        assert words.endswith(parts[-1])
        assert len(parts) > 1 or words == row["words"]
    assert {row["stance"] for row in known["statements"]} <= STANCES


def test_a_third_is_held_out_and_there_are_enough() -> None:
    counted = {"tuning": 0, "held_out": 0}
    stances: set[str] = set()
    for path in KNOWN:
        rows = [r for r in read(path)[1]["statements"] if r.get("counted", True)]
        counted[path.parent.name] += len(rows)
        stances |= {r["stance"] for r in rows}
    assert sum(counted.values()) >= 200
    assert 0.3 < counted["held_out"] / sum(counted.values()) < 0.36
    assert stances == STANCES
