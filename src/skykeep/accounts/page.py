"""An article as people find it, plain text or HTML, as paragraphs that know their place in it.

What surrounds an article (menus, adverts, captions, embedded posts) is left out. Readers'
comments are recognised, counted and kept nowhere. Time and memory grow with the source's length:
each character is looked at a fixed number of times, and nothing in it is ever run or fetched.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass, field
from html import unescape
from itertools import islice

from skykeep.accounts.lexicon import words_of
from skykeep.errors import InputError

MOST_CHARACTERS = 20_000_000
#: A paragraph of an article is shorter; what is longer is data that somebody left in the page.
LONGEST_PARAGRAPH = 20_000
#: So much of a page is looked at; an article has a hundredth of it.
#: Where lines are longer, each is a paragraph; shorter ones are broken to fit.
LONGEST_LINE = 120
#: A word such as "Comments" above the article is a link, below it a header.
LEAST_TOLD = 2
#: Where names hide so many times what is left, they name the page and not its edges.
HIDDEN_TIMES = 2
MOST_PARAGRAPHS, MOST_TAGS = 5_000, 500_000
#: Elements deeper than this hang on the one above.
DEEPEST = 256


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Text with spaces made one. `starts` and `places`: from the character `starts[i]` of the
    text on, characters lie in the source from `places[i]` on, one by one.
    """

    text: str
    starts: tuple[int, ...]
    places: tuple[int, ...]
    heading: bool = False

    def position(self, begin: int, end: int) -> tuple[int, int]:
        """From and until which character of the source a stretch of the text goes."""
        return self._place(begin), self._place(end - 1) + 1

    def _place(self, at: int) -> int:
        k = bisect_right(self.starts, at) - 1
        return self.places[k] + at - self.starts[k]


@dataclass(slots=True)
class Page:
    """The paragraphs of an article; how many readers' comments and other parts were left out."""

    paragraphs: list[Paragraph] = field(default_factory=list)
    comments: int = 0
    left_out: int = 0


_COMMENTS = re.compile(
    r"(?:\d+ )?(?:(?:reader(?:s'|s’|s)? ?)?comments?|kommentare?|leserkommentare|commentaires?|"
    r"what (?:our )?readers say|have your say|réactions|leserbriefe|discussion|letters)"
    r"(?: ?\(\d+\)| \d+)?:?", re.I,
)  # fmt: skip
_ADVERT = re.compile(
    r"(?:advertisement|advert|anzeige|werbung|publicité|sponsored|share this(?: article)?|"
    r"read more\b.*|sign up\b.*|subscribe\b.*|abonnez-vous\b.*|jetzt .*abo.*|get the app|"
    r"also on our pages|(?:more )?on this story:?|more on this story:?|you may also like:?.*|"
    r"most read:?|related(?: articles| stories)?:?|trending(?: now)?:?.*|live:.*|"
    r"(?:photo|picture|image|foto|bild|photograph)(?:graph)?s?:.*|follow us\b.*|©.*|copyright\b.*|"
    r"\((?:additional )?(?:reporting|writing|editing) by .*)", re.I | re.S,
)  # fmt: skip
_ITEM = re.compile(r"[-*•–] ")
_SPACE = re.compile(r"\s+")
_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
_MARKUP = re.compile(r"<(?:!doctype|html|head|body|div|p|article|section|span|h1)\b", re.I)


def read_page(source: str) -> Page:
    """The paragraphs of an article; InputError where it is longer than any article."""
    if len(source) > MOST_CHARACTERS:
        problem = f"has over {MOST_CHARACTERS:,} characters"
        raise InputError("article", problem, "Give the article alone")
    if _MARKUP.search(source[:5_000]):
        reader = _Markup(source)
        page = reader.page()
        kept = sum(len(p.text) for p in page.paragraphs)
        if reader.hidden > HIDDEN_TIMES * kept:
            again = _Markup(source, by_name=False).page()
            page = again if again.paragraphs else page
        return page
    return _plain(source)


def _plain(source: str) -> Page:
    page = Page()
    breaks = [m.span() for m in re.finditer(r"\n[ \t\r]*\n\s*", source)]
    begins, ends = [0, *(b for _, b in breaks)], [*(a for a, _ in breaks), len(source)]
    comments = items = False
    if len(begins) > MOST_PARAGRAPHS:
        page.left_out += len(begins) - MOST_PARAGRAPHS
    for begin, end in islice(zip(begins, ends, strict=True), MOST_PARAGRAPHS):
        lines = _lines(source, begin, end)
        # A header, and what stands below it without a blank line.
        for at, (a, b) in enumerate(lines):
            if told(page) >= LEAST_TOLD and _COMMENTS.fullmatch(source[a:b].strip()):
                comments = True
                page.comments -= 1
                lines_before = lines[:at]
                _add(page, source, lines_before, items)
                lines = lines[at:]
                break
        if comments:
            page.comments += sum(bool(source[a:b].strip()) for a, b in lines)
            continue
        items = _add(page, source, lines, items)
    return page


def told(page: Page) -> int:
    """How many paragraphs there are that are no headings."""
    return sum(not p.heading for p in page.paragraphs[:100])


def _lines(source: str, begin: int, end: int) -> list[tuple[int, int]]:
    found, at = [], begin
    while at < end:
        stop = source.find("\n", at, end)
        stop = end if stop < 0 else stop
        found.append((at, stop))
        at = stop + 1
    return found


def _add(page: Page, source: str, lines: list[tuple[int, int]], items: bool) -> bool:
    """Keep a block of lines as a paragraph; True while a list of links goes on."""
    kept: list[tuple[int, int]] = []
    for a, b in lines:
        line = source[a:b].strip()
        if len(line) <= LONGEST_PARAGRAPH and _ADVERT.fullmatch(line):
            page.left_out += 1
            items = True
        elif items and _ITEM.match(line):
            page.left_out += 1
        else:
            kept.append((a, b))
            items = items and not line
    text = [(a, source[a:b] + "\n") for a, b in kept]
    if any(len(piece) > LONGEST_LINE for _, piece in text):  # nobody broke the lines
        for at, piece in text:
            _keep(page, [(at, piece, piece)], heading=False)
    else:
        _keep(page, [(at, piece, piece) for at, piece in text], heading=False)
    return items


def _keep(page: Page, pieces: list[tuple[int, str, str]], heading: bool) -> None:
    """A paragraph of pieces (place in the source, raw, shown): what is shown, spaces made one."""
    size = sum(len(shown) for _, _, shown in pieces)
    if size > LONGEST_PARAGRAPH:
        page.left_out += 1
        return
    text: list[str] = []
    starts: list[int] = []
    places: list[int] = []
    length, due = 0, -2
    space = True
    for at, raw, shown in pieces:
        whole = raw == shown  # else one entity, which is one or two characters
        for k, character in enumerate(shown):
            here = at + k if whole else at
            if _INVISIBLE.match(character):
                continue
            blank = character.isspace()
            if blank and space:
                continue
            space = blank
            if here != due:
                starts.append(length)
                places.append(here)
            text.append(" " if blank else character)
            length += 1
            due = here + 1
    joined = "".join(text).rstrip()
    if not joined:
        return
    ended = joined[-1] in ".!?:\"”“»)’'…;"
    heading = heading or (not ended and len(joined) < 150)
    page.paragraphs.append(Paragraph(joined, tuple(starts), tuple(places), heading))


_SKIPPED = words_of(
    "script style nav aside footer form noscript svg template button select option iframe "
    "textarea video audio figure figcaption head object canvas math dialog menu"
)
_VOID = words_of("area base br col embed hr img input link meta param source track wbr")
_INLINE = words_of(
    "a abbr acronym b bdi bdo big cite code data del dfn em font i ins kbd mark q s samp small "
    "span strike strong sub sup time tt u var wbr img"
)
_HEADINGS = words_of("h1 h2 h3 h4 h5 h6 title")
_COMMENT_NAMES = words_of(
    "comment comments kommentar kommentare commentaire commentaires disqus discussion replies"
)
_COMMENT_ITEMS = words_of("comment kommentar commentaire post reply")
_LEFT_NAMES = words_of(
    "ad ads advert advertisement anzeige werbung promo newsletter cookie cookies related share "
    "sharing social sponsored subscribe subscription paywall breadcrumb breadcrumbs byline caption "
    "menu navbar sidebar teaser recommended outbrain taboola tweet twitter instagram"
)
#: These hold the article itself, whatever their names say of the page.
_OUTER = words_of("html body main")
_BEGIN = re.compile(r"<[a-zA-Z/!?]")
_RAW = {n: re.compile(f"</{n}", re.I) for n in ("script", "style", "textarea")}
_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9:-]{0,40})")
_NAMES = re.compile(r"""(?:class|id)\s*=\s*("[^"]{0,500}"|'[^']{0,500}'|[^\s>"']{1,100})""", re.I)
_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[a-zA-Z][a-zA-Z0-9]{1,31});")
_WORD = re.compile(r"[a-z]+")


class _Markup:
    """A reader of HTML that keeps each character's place, which the libraries at hand do not.

    Tags only separate and name; nothing is built. Unclosed things end with the source.
    """

    def __init__(self, source: str, by_name: bool = True) -> None:
        self.source, self.by_name = source, by_name
        self.hidden = 0  # characters that are left out for what an element is named
        self.result = Page()
        self.stack: list[tuple[str, str]] = []  # (element, "" or why it is left out)
        self.pieces: list[tuple[int, str, str]] = []
        self.heading = False

    def page(self) -> Page:
        source, at, tags = self.source, 0, 0
        while at < len(source):
            m = _BEGIN.search(source, at)
            stop = len(source) if m is None else m.start()
            self._text(at, stop)
            tags += 1
            if tags > MOST_TAGS or len(self.result.paragraphs) > MOST_PARAGRAPHS:
                self.result.left_out += 1
                break
            at = self._tag(stop) if stop < len(source) else stop
        self._end()
        return self.result

    def _text(self, begin: int, end: int) -> None:
        why = self.stack[-1][1] if self.stack else ""
        if begin == end or why:
            self.hidden += (end - begin) * (why == "named")
            return
        if len(self.pieces) > LONGEST_PARAGRAPH:  # it will be left out whole
            return
        at = begin
        for m in _ENTITY.finditer(self.source, begin, end):
            if m.start() > at:
                self._piece(at, self.source[at : m.start()])
            self.pieces.append((m.start(), m[0], unescape(m[0])))
            at = m.end()
            if len(self.pieces) > LONGEST_PARAGRAPH:
                return
        if at < end:
            self._piece(at, self.source[at:end])

    def _piece(self, at: int, raw: str) -> None:
        self.pieces.append((at, raw, raw))

    def _tag(self, at: int) -> int:
        """What stands at a "<"; returns where the text goes on."""
        source = self.source
        if source.startswith("<!--", at):
            end = source.find("-->", at + 4)
            return len(source) if end < 0 else end + 3
        m = _TAG.match(source, at)
        if m is None:
            return self._close(at)
        name, end = m[2].lower(), self._close(m.end())
        if name not in _INLINE:
            self._end()
            self.heading = name in _HEADINGS and not m[1]
        if m[1]:
            self._pop(name)
        elif name not in _VOID and not source.startswith("/>", end - 2):
            end = self._push(name, at, end)
        return end

    def _close(self, at: int) -> int:
        """Behind a tag's ">", which does not count inside quotation marks after an "="."""
        end = self.source.find(">", at)
        if end < 0:
            return len(self.source)
        head = self.source[at:end]
        for mark in "\"'":
            if head.count(mark) % 2 and f"={mark}" in head:
                # An attribute holds the sign; it ends with its mark, if it ends at all soon.
                close = self.source.find(mark, end, end + 2_000)
                after = self.source.find(">", close, close + 2_000) if close >= 0 else -1
                return after + 1 if after >= 0 else end + 1
        return end + 1

    def _push(self, name: str, at: int, end: int) -> int:
        why = self.stack[-1][1] if self.stack else ""
        if name in _RAW:
            m = _RAW[name].search(self.source, end)
            return len(self.source) if m is None else self._close(m.end())
        names = self._names(at, end)
        if why == "comment":
            self.result.comments += bool(names & _COMMENT_ITEMS)
        elif not why:
            why = self._why(name, names)
            self.result.left_out += why in ("around", "named")
        if len(self.stack) < DEEPEST:
            self.stack.append((name, why))
        return end

    def _why(self, name: str, names: set[str]) -> str:
        if name in _OUTER:
            return ""
        if names & _COMMENT_NAMES:
            self.result.comments += bool(names & _COMMENT_ITEMS) and "comments" not in names
            return "comment"
        if name in _SKIPPED:
            return "around"
        if self.by_name and names & _LEFT_NAMES:
            return "named"
        if name == "header" and not any(n in ("article", "main") for n, _ in self.stack):
            return "around"
        return ""

    def _names(self, at: int, end: int) -> set[str]:
        found: set[str] = set()
        for m in _NAMES.finditer(self.source, at, min(end, at + 2_000)):
            found.update(_WORD.findall(m[1].lower()))
        return found

    def _pop(self, name: str) -> None:
        for k in range(len(self.stack) - 1, -1, -1):
            if self.stack[k][0] == name:
                del self.stack[k:]
                return

    def _end(self) -> None:
        """What was gathered is a paragraph."""
        pieces, self.pieces = self.pieces, []
        if not pieces:
            return
        line = "".join(shown for _, _, shown in pieces[:200]).strip()
        if len(line) < LONGEST_PARAGRAPH and _ADVERT.fullmatch(line):
            self.result.left_out += 1
            return
        _keep(self.result, pieces, self.heading)
