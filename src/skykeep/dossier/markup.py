"""HTML from values: a text is always escaped, and only an element is an element.

Whatever a text holds, it ends up as text: `element` escapes its children unless they are
`Markup`, and nothing but this file makes `Markup`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import msgspec

#: Elements of HTML that have no content and no end tag (WHATWG HTML, 13.1.2).
VOID = frozenset({"br", "input", "meta"})
_NAME = re.compile("[a-zA-Z][a-zA-Z0-9-]*")
_SPECIAL = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#x27;"}
# Controls that HTML forbids, halves of UTF-16 pairs, and the marks that turn the order of the
# letters around them (Unicode UAX 9): a reader must see that they are there.
_UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Markup:
    """Finished HTML."""

    html: str


Child = Markup | str


def visible(text: str) -> str:
    """A text without characters that hide or turn around others: those become [U+202E]."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    return _UNSEEN.sub(lambda found: f"[U+{ord(found[0]):04X}]", lines)


def escape(text: str) -> str:
    """A text as HTML, for an element's content or a quoted attribute."""
    return "".join(_SPECIAL.get(c, c) for c in visible(text))


def element(name: str, /, *children: Child, **attributes: str) -> Markup:
    """One element; `class_` gives class, `aria_label` aria-label; values are escaped.

    The names of elements and attributes are the caller's own, never data.
    """
    head = [name]
    for key, value in attributes.items():
        written = key.rstrip("_").replace("_", "-")
        if not _NAME.fullmatch(written):
            raise ValueError(f"no name for an attribute: {written!r}")
        head.append(f'{written}="{escape(value)}"')
    start = f"<{' '.join(head)}>"
    return Markup(start if name in VOID else f"{start}{join(children).html}</{name}>")


def join(children: Iterable[Child], between: str = "") -> Markup:
    """Several one after the other, with a text between them."""
    parts = [c.html if isinstance(c, Markup) else escape(c) for c in children]
    return Markup(escape(between).join(parts))


def style(sheet: str) -> Markup:
    """A style sheet of our own, which HTML does not unescape: it may not hold a "<"."""
    if "<" in sheet:
        raise ValueError("a style sheet with a '<' could end its element")
    return Markup(f"<style>{sheet}</style>")


def script(program: str) -> Markup:
    """A program of our own; it may hold nothing that could end its element."""
    if "</" in program or "<!--" in program:
        raise ValueError("a program with '</' could end its element")
    return Markup(f"<script>{program}</script>")


def data_block(name: str, value: object) -> Markup:
    """Data for a program, which no browser runs: JSON in which no "<" is left."""
    text = msgspec.json.encode(value).decode().replace("<", "\\u003c")
    return Markup(f'<script type="application/json" id="{escape(name)}">{text}</script>')


def document(*children: Child, **attributes: str) -> bytes:
    """The bytes of a whole page in UTF-8."""
    return f"<!DOCTYPE html>\n{element('html', *children, **attributes).html}\n".encode()


def table(
    headings: tuple[str, ...],
    rows: Iterable[tuple[Child, ...]],
    caption: str,
    marks: Sequence[dict[str, str]] = (),
) -> Markup:
    """A table with a caption; each cell knows its heading, so that a phone can stack them.

    The roles are written out because a stacked table (`display: block`) loses its own. `marks`
    are attributes of the rows.
    """
    head = [element("th", h, scope="col", role="columnheader") for h in headings]
    body = []
    for number, row in enumerate(rows):
        own = marks[number] if marks else {}
        cells = [
            element("td", element("div", cell), role="cell", data_label=heading)
            for heading, cell in zip(headings, row, strict=True)
        ]
        body.append(element("tr", *cells, role="row", **own))
    return element(
        "table",
        element("caption", caption),
        element("thead", element("tr", *head, role="row"), role="rowgroup"),
        element("tbody", *body, role="rowgroup"),
        role="table",
    )


def listing(items: Iterable[Child], **attributes: str) -> Markup:
    """A list with bullets."""
    return element("ul", *(element("li", item) for item in items), **attributes)
