"""Quotations and sentences of a paragraph.

A paragraph is read beside a frame of the same length in which all that stands in quotation marks
is one sign (`QUOTED`), so that nothing inside a quotation is taken for the article's own words.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise

from skykeep.accounts.lexicon import ABBREVIATIONS
from skykeep.accounts.verbs import VERBS

QUOTED = "\x01"
#: What is longer is no sentence that a person wrote.
LONGEST_SENTENCE = 1_500
_CLOSES = {"“": "”", "„": "“”", "«": "»", "»": "«", "‘": "’", "‚": "‘"}
_DASH = re.compile(" [–—] ")
_MARK = re.compile(r'["“”„«»]')
_SINGLE = re.compile(r"(?:(?<=\s)|^|(?<=[(—]))[‘']|(?<=[.,!?\w])[’'](?=\W|$)")


@dataclass(frozen=True, slots=True)
class Quote:
    """From and until where the words go, and the same with their marks."""

    begin: int
    end: int
    outer_begin: int
    outer_end: int


@dataclass(frozen=True, slots=True)
class Sentence:
    """A stretch of a paragraph and the quotations in it."""

    begin: int
    end: int
    quotes: tuple[Quote, ...]


def quotes_in(text: str) -> list[Quote]:
    """The outermost quotations; one that is not closed goes on until the paragraph's end."""
    found: list[Quote] = []
    open_at, closers = -1, ""
    marks = [(m.start(), m[0]) for m in _MARK.finditer(text)]
    if not marks:
        marks = [(m.start(), "‘" if m.start() == 0 or text[m.start() - 1] in " (—" else "’")
                 for m in _SINGLE.finditer(text)]  # fmt: skip
    for at, mark in marks:
        if open_at < 0:
            if mark in ("”", "’"):
                continue
            open_at, closers = at, _CLOSES.get(mark, mark)
        elif mark in closers:
            found.append(_quote(text, open_at, at))
            open_at = -1
    if open_at >= 0 and len(text) - open_at > 1 and text[open_at] != "‘":
        found.append(_quote(text, open_at, len(text)))
    return [q for q in found if q.end > q.begin]


def _quote(text: str, begin: int, end: int) -> Quote:
    a, b = begin + 1, end
    while a < b and text[a].isspace():
        a += 1
    while b > a and (text[b - 1].isspace() or text[b - 1] in ".,;"):
        b -= 1
    return Quote(a, b, begin, min(end + 1, len(text)))


def frame_of(text: str, quotes: list[Quote]) -> str:
    """The paragraph with its quotations hidden."""
    parts, at = [], 0
    for q in quotes:
        parts += [text[at : q.outer_begin], QUOTED * (q.outer_end - q.outer_begin)]
        at = q.outer_end
    # What stands between dashes stands beside, as between commas.
    return _DASH.sub(",  ", "".join([*parts, text[at:]]))


_ASKS = re.compile(
    r"\s+(?:[\w.’'-]+ ){1,6}?(?:" + "|".join(sorted(VERBS)) + r")(?= ?(?:\w+ ?){0,4}[.,])"
)
_END = re.compile(r"[.!?…](?=\s)|\x01(?=\s)")


def sentences_in(text: str) -> tuple[str, list[Sentence]]:
    """The frame of a paragraph and its sentences."""
    quotes = quotes_in(text)
    frame = frame_of(text, quotes)
    closing = {q.outer_end: q for q in quotes}
    cuts = [0]
    for m in _END.finditer(frame):
        at = m.end()
        following = frame[at : at + 3].lstrip()[:1]
        if not (following.isupper() or following.isdigit() or following in (QUOTED, "(", "[")):
            continue
        if m[0] == QUOTED:
            q = closing.get(at)
            # "..." He said. / "...?" She asked. A comma inside says that the sentence goes on.
            if q is None or text[q.outer_end - 2] not in ".!?…":
                continue
            if text[q.outer_end - 2] in "!?" and _ASKS.match(frame, at):
                continue
        elif m[0] == "." and _is_abbreviation(frame, m.start()):
            continue
        cuts.append(at)
    cuts.append(len(text))
    found, turn = [], 0
    for a, b in pairwise(cuts):
        inside = []
        while turn < len(quotes) and quotes[turn].outer_begin < b:
            inside.append(quotes[turn])
            turn += 1
        begin = a + (len(text[a:b]) - len(text[a:b].lstrip()))
        if begin < b:
            found.append(Sentence(begin, b, tuple(inside)))
    return frame, found


def _is_abbreviation(frame: str, at: int) -> bool:
    begin = max(frame.rfind(" ", 0, at) + 1, at - 12)
    word = frame[begin:at].lstrip("(").casefold()
    return word in ABBREVIATIONS or (len(word) == 1 and word.isalpha())
