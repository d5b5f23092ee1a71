"""Which reports may copy which: suggested by what two texts share, confirmed by a person.

Containment of word shingles finds a copy although it was cut; quoted words, names and numbers find
one whose sentences a machine wrote anew. Neither proves anything: two reporters at one press
conference quote the same words.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

from skykeep.accounts.phrases import quotes_in
from skykeep.accounts.speakers import runs_in

#: Words in a shingle. Broder (1997) used 10, for whole pages; a statement has that many in all.
SHINGLE = 3
#: A text with this share of its shingles in another may be a copy of it.
CONTAINED = 0.4
#: Of distinct quotations, names and numbers, where sentences differ; and so many of them at least.
#: Of the 153 pairs of the test articles the one that is a rewording shares 0.5, no other over 0.1.
SHARED_MARKS, LEAST_MARKS = 0.4, 4
LONGEST_TEXT = 200_000
MOST_TEXTS = 2_000
_T = TypeVar("_T")
_WORD = re.compile(r"\w+(?:[’'-]\w+)*")
_NUMBER = re.compile(r"\d+(?:[.,:]\d+)*")


@dataclass(frozen=True, slots=True)
class Suggestion:
    """`copy` may derive from `original`: the shares that speak for it, and what is shared."""

    copy: str
    original: str
    containment: float
    marks: float
    shared: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Text:
    shingles: frozenset[tuple[str, ...]]
    marks: frozenset[str]


def suggest(texts: Mapping[str, str]) -> list[Suggestion]:
    """Pairs of texts, by name in the order in which they were published, that may be copies.

    Of each pair the later one is the copy. At most the first `MOST_TEXTS` are compared, of each
    the first `LONGEST_TEXT` characters.
    """
    names = list(texts)[:MOST_TEXTS]
    read = {name: _text(texts[name][:LONGEST_TEXT]) for name in names}
    found = []
    for place, later in enumerate(names):
        for earlier in names[:place]:
            a, b = read[later], read[earlier]
            containment = max(_share(a.shingles, b.shingles), _share(b.shingles, a.shingles))
            both = a.marks & b.marks
            marks = max(_share(a.marks, b.marks), _share(b.marks, a.marks))
            enough = len(both) >= LEAST_MARKS and marks >= SHARED_MARKS
            if containment >= CONTAINED or enough:
                shared = tuple(sorted(both, key=lambda m: (-len(m), m))[:10])
                found.append(Suggestion(later, earlier, containment, marks, shared))
    return found


def _share(small: frozenset[_T], large: frozenset[_T]) -> float:
    """How much of one set lies in another: containment."""
    return len(small & large) / len(small) if small else 0.0


def _text(text: str) -> _Text:
    words = [w.casefold() for w in _WORD.findall(text)]
    shingles = frozenset(tuple(words[k : k + SHINGLE]) for k in range(len(words) - SHINGLE + 1))
    marks = {" ".join(text[q.begin : q.end].casefold().split()) for q in quotes_in(text)}
    marks = {m for m in marks if len(m.split()) >= 3}
    marks |= {m[0] for m in _NUMBER.finditer(text) if len(m[0]) > 1}
    marks |= {" ".join(r.rest) for r in runs_in(text) if len(r.rest) > 1}
    return _Text(shingles, frozenset(marks))
