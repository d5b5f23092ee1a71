"""XML as a tree of plain values with line numbers, and the KML inside a KMZ; both with budgets.

XML's document type may define entities that grow without end or fetch files: a document that
declares one is refused before any of it is used. Nothing here recurses.
"""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from xml.parsers import expat

from skykeep.codec.json_doc import MAX_DOCUMENT_BYTES
from skykeep.errors import InputError

#: KML's own nesting is about ten folders and ten elements deep.
MAX_DEPTH = 100
#: A country's zones have some tens of thousands of elements.
MAX_ELEMENTS = 500_000
#: A KMZ holds a document and some icons.
MAX_MEMBERS = 1_000

_MEND = "Mend the document at this place or get it anew"
_CENTRAL_ENTRY = b"PK\x01\x02"
_STORED_OR_DEFLATED = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_ENCRYPTED = 0x1


@dataclass(frozen=True, slots=True)
class Element:
    """An XML element: its name without prefix, the line it starts in, what it holds."""

    name: str
    line: int
    attributes: dict[str, str]
    text: str
    children: tuple[Element, ...]

    def child(self, name: str) -> Element | None:
        """The first child of a name."""
        return next((c for c in self.children if c.name == name), None)

    def words(self, name: str) -> str:
        """The text of the first child of a name; empty if there is none."""
        found = self.child(name)
        return found.text.strip() if found else ""

    def within(self) -> Iterator[Element]:
        """This element and all below it, in the document's order."""
        waiting = [self]
        while waiting:
            element = waiting.pop()
            yield element
            waiting.extend(reversed(element.children))


class _Open:
    """An element that is not closed yet."""

    __slots__ = ("attributes", "children", "line", "name", "texts")

    def __init__(self, name: str, line: int, attributes: dict[str, str]) -> None:
        self.name = name
        self.line = line
        self.attributes = attributes
        self.texts: list[str] = []
        self.children: list[Element] = []

    def close(self) -> Element:
        text = "".join(self.texts)
        return Element(self.name, self.line, self.attributes, text, tuple(self.children))


class _Builder:
    """Takes what expat finds; the root is there when the last element is closed."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.root: Element | None = None
        self._open: list[_Open] = []
        self._count = 0
        self.parser = expat.ParserCreate()
        self.parser.buffer_text = True
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._text
        self.parser.StartDoctypeDeclHandler = self._doctype
        self.parser.EntityDeclHandler = self._doctype

    def _refuse(self, problem: str, mend: str) -> InputError:
        return InputError(f"{self.source}: line {self.parser.CurrentLineNumber}", problem, mend)

    def _doctype(self, *_: object) -> None:
        raise self._refuse("it declares a document type or an entity", "Leave the DOCTYPE out")

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._count += 1
        if self._count > MAX_ELEMENTS:
            raise self._refuse(f"there are more than {MAX_ELEMENTS} elements", "Split the document")
        if len(self._open) >= MAX_DEPTH:
            raise self._refuse(f"elements are nested more than {MAX_DEPTH} deep", _MEND)
        local = name.rpartition(":")[2]
        self._open.append(_Open(local, self.parser.CurrentLineNumber, attributes))

    def _end(self, _: str) -> None:
        element = self._open.pop().close()
        if self._open:
            self._open[-1].children.append(element)
        else:
            self.root = element

    def _text(self, text: str) -> None:
        if self._open:
            self._open[-1].texts.append(text)


def parse_xml(data: bytes, source: str) -> Element:
    """The root of an XML document; raises InputError with the line where it is none."""
    builder = _Builder(source)
    try:
        builder.parser.Parse(data.lstrip(b" \t\r\n"), True)
    except expat.ExpatError as error:
        problem = f"broken XML ({expat.ErrorString(error.code)})"
        raise InputError(f"{source}: line {error.lineno}", problem, _MEND) from error
    except (LookupError, ValueError, TypeError) as error:  # an encoding that Python has not
        where = f"{source}: line {builder.parser.CurrentLineNumber}"
        raise InputError(where, "its encoding is not known", "Save it as UTF-8") from error
    if builder.root is None:
        raise InputError(source, "there is no element in it", _MEND)
    return builder.root


def kml_in_kmz(data: bytes, source: str) -> tuple[bytes, str]:
    """The KML of a KMZ (its doc.kml, else its first) and its name; InputError if there is none."""
    if data.count(_CENTRAL_ENTRY) > MAX_MEMBERS:
        problem = f"the archive has more than {MAX_MEMBERS} files"
        raise InputError(source, problem, "Give the KML alone")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = [m for m in archive.infolist() if m.filename.lower().endswith(".kml")]
            if not members:
                raise InputError(source, "there is no .kml file in the archive", "Give the KML")
            chosen = min(members, key=lambda m: (m.filename.lower() != "doc.kml",))
            name = re.sub(r"[^\w. -]", "_", chosen.filename[-60:], flags=re.ASCII)
            if chosen.compress_type not in _STORED_OR_DEFLATED or chosen.flag_bits & _ENCRYPTED:
                problem = f"{name} is encrypted or packed in an unusual way"
                raise InputError(source, problem, "Give the KML alone")
            with archive.open(chosen) as stream:
                text = stream.read(MAX_DOCUMENT_BYTES + 1)
    except (
        *(zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, RuntimeError),
        *(NotImplementedError, LookupError, OverflowError),
    ) as error:
        raise InputError(source, f"broken ZIP archive ({type(error).__name__})", _MEND) from error
    if len(text) > MAX_DOCUMENT_BYTES:
        problem = f"{name} unpacks to more than {MAX_DOCUMENT_BYTES} bytes"
        raise InputError(source, problem, "Split it")
    return text, name
