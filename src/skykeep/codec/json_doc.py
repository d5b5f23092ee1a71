"""JSON as it is found in the field: a byte order mark, doubled names, NaN, numbers without end.

`load_json` gives plain values. Integers of more than 18 digits become floats and NaN and the
infinities stay what they are, so that the reader of a field can name it; a doubled name
(RFC 8259 section 4) keeps its last value and is a finding.
"""

from __future__ import annotations

import codecs
import json
import re
from collections import Counter

from skykeep.core.event import Finding, Severity
from skykeep.errors import InputError

#: A country's zones take some megabytes; this keeps one document from filling the memory.
MAX_DOCUMENT_BYTES = 64 * 1024 * 1024
#: 64-bit integers hold 18 decimal digits for certain.
_MAX_INTEGER_DIGITS = 18


class _Doubled(dict[str, object]):
    """An object in which names occurred twice."""

    def __init__(self, pairs: list[tuple[str, object]]) -> None:
        super().__init__(pairs)
        counted = Counter(name for name, _ in pairs)
        self.names = [name for name, times in counted.items() if times > 1]


def load_json(data: bytes, source: str) -> tuple[object, tuple[Finding, ...]]:
    """The value of a JSON document and what was amiss with it as a document.

    `source` names the document in errors. Raises InputError where it is not JSON in UTF-8,
    with line and column, or is larger than `MAX_DOCUMENT_BYTES`.
    """
    if len(data) > MAX_DOCUMENT_BYTES:
        raise InputError(
            source,
            f"the document has {len(data)} bytes, more than {MAX_DOCUMENT_BYTES}",
            "Split it",
        )
    findings = []
    if data.startswith(codecs.BOM_UTF8):
        data = data[len(codecs.BOM_UTF8) :]
        findings.append(
            Finding("$", "the document opens with a byte order mark", "left out", Severity.NOTE)
        )
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InputError(
            f"{source}: byte {error.start}", "this is not UTF-8", "Save the document as UTF-8"
        ) from error
    doubled: list[_Doubled] = []

    def members(pairs: list[tuple[str, object]]) -> dict[str, object]:
        plain = dict(pairs)
        if len(plain) == len(pairs):
            return plain
        doubled.append(_Doubled(pairs))
        return doubled[-1]

    try:
        value: object = json.loads(text, object_pairs_hook=members, parse_int=_integer)
    except json.JSONDecodeError as error:
        raise InputError(
            f"{source}: line {error.lineno}, column {error.colno}",
            f"broken JSON ({error.msg})",
            "Mend the document at this place or get it anew",
        ) from error
    except RecursionError as error:
        raise InputError(
            source, "the JSON is nested too deeply to be a zone document", "Get it anew"
        ) from error
    if doubled:
        findings += _doubled_findings(value)
    return value, tuple(findings)


def _integer(digits: str) -> int | float:
    return int(digits) if len(digits) <= _MAX_INTEGER_DIGITS else float(digits)


def _doubled_findings(document: object) -> list[Finding]:
    """One finding for each doubled name, in the document's order."""
    findings = []
    waiting: list[tuple[str, object]] = [("$", document)]
    while waiting:
        where, value = waiting.pop()
        if isinstance(value, _Doubled):
            findings += [
                Finding(
                    where,
                    f"the name {shown(name)} occurs more than once",
                    "the last value holds",
                    Severity.WARNING,
                )
                for name in value.names
            ]
        if isinstance(value, dict):
            waiting += [(where + _step(name), inner) for name, inner in reversed(value.items())]
        elif isinstance(value, list):
            waiting += reversed([(f"{where}[{i}]", inner) for i, inner in enumerate(value)])
    return findings


def _step(name: str) -> str:
    """A member's name as a step of a JSON path."""
    return f".{name}" if re.fullmatch(r"[A-Za-z_]\w{0,40}", name, re.ASCII) else f"[{shown(name)}]"


def shown(value: object) -> str:
    """A value from outside, short and harmless, for a finding's words."""
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, str | bool) or value is None:
        value = value[:10_000] if isinstance(value, str) else value
        words = json.dumps(value, ensure_ascii=False).encode("utf-8", "replace").decode("utf-8")
    else:
        words = str(value)
    return words if len(words) <= 60 else f"{words[:50]}... ({len(words)} characters)"
