"""How well drafted rows are those that are known: precision, recall (the vectors' README)."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from skykeep.accounts.draft import draft
from skykeep.accounts.drafted import Draft, DraftRow

NEWS = Path(__file__).parents[2] / "vectors" / "news"
#: So much of a known row must be drafted, with no more than so many characters around it.
COVERED, AROUND = 0.6, 80
_ARTICLE = re.compile(r"^(?:the|a|an|le|la|les|der|die|das|dr\.?|mr|ms) +")


@dataclass
class Score:
    right: int = 0
    drafted: int = 0
    known: int = 0
    missed: list[str] = field(default_factory=list)
    extra: list[str] = field(default_factory=list)
    never: list[str] = field(default_factory=list)

    @property
    def precision(self) -> float:
        return self.right / self.drafted

    @property
    def recall(self) -> float:
        return self.right / self.known


def _name(text: str) -> set[str]:
    return set(_ARTICLE.sub("", text.casefold().replace("’", "'")).split())


def _same(row: DraftRow, known: dict[str, Any]) -> bool:
    drafted = _name(row.speaker.name)
    names = [_name(n) for n in (known["speaker"], *known.get("also", []))]
    return row.stance == known["stance"] and any(drafted <= n or n <= drafted for n in names)


def _covers(row: DraftRow, known: dict[str, Any]) -> bool:
    (a, b), (c, d) = row.position, known["position"]
    both = max(0, min(b, d) - max(a, c))
    return both >= COVERED * (d - c) and c - a <= AROUND and b - d <= AROUND


def _meets(row: DraftRow, position: list[int]) -> bool:
    return min(row.position[1], position[1]) > max(row.position[0], position[0])


def score(folder: str) -> Score:
    """All articles of `tuning` or `held_out`."""
    total = Score()
    for path in sorted((NEWS / folder).glob("*.json")):
        known = json.loads(path.read_text(encoding="utf-8"))
        source = (path.parent / known["text"]).read_text(encoding="utf-8")
        _score(total, path.stem, known, draft(source))
    return total


def _score(total: Score, name: str, known: dict[str, Any], made: Draft) -> None:
    left = list(known["statements"])
    for row in made.rows:
        hit = next((k for k in left if _covers(row, k) and _same(row, k)), None)
        if hit is not None:
            left.remove(hit)
            if hit.get("counted", True):
                total.right += 1
                total.drafted += 1
            continue
        if any(not k.get("counted", True) and _meets(row, k["position"]) for k in left):
            continue
        total.drafted += 1
        total.extra.append(f"{name}: {row.speaker.name} {row.stance}: {row.words}")
    for k in left:
        if k.get("counted", True):
            total.missed.append(f"{name}: {k['speaker']} {k['stance']}: {k['words']}")
    total.known += sum(k.get("counted", True) for k in known["statements"])
    total.never += [
        f"{name}: {row.words}"
        for row in made.rows for n in known["never"] if _meets(row, n["position"])
    ]  # fmt: skip


if __name__ == "__main__":
    import sys

    found = score(sys.argv[1])
    print(f"precision {found.precision:.3f}, recall {found.recall:.3f} of {found.known}")
    for line in found.missed:
        print("missed ", line)
    for line in found.extra:
        print("extra  ", line)
