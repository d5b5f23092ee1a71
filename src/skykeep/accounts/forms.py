"""Rows and propositions as JSON documents, with times in RFC 3339; drafts as plain rows."""

from __future__ import annotations

from typing import Any

import msgspec

from skykeep.accounts.drafted import Draft
from skykeep.accounts.ledger import Ledger, Row
from skykeep.accounts.statement import Statement
from skykeep.codec.moment import format_moment, parse_moment
from skykeep.core.proposition import Proposition
from skykeep.errors import InputError

_TIMES = {"claimed": "claimed_ns", "recorded": "recorded_ns", "from": "from_ns", "to": "to_ns"}


def statement_of(document: object, where: str, now_ns: int) -> Statement:
    """A row from its document; without `recorded` it was captured now."""
    fields = _fields(document, where)
    fields.setdefault("recorded_ns", now_ns)
    found: Statement = _convert(fields, Statement, where)
    return found


def proposition_of(document: object, where: str) -> Proposition:
    """A proposition from its document."""
    found: Proposition = _convert(_fields(document, where), Proposition, where)
    return found


def _fields(document: object, where: str) -> dict[str, Any]:
    if not isinstance(document, dict):
        raise InputError(where, "is no JSON object", "Give an object with the fields")
    fields: dict[str, Any] = {}
    for name, value in document.items():
        if name in _TIMES:
            if not isinstance(value, str):
                raise InputError(f"{where}.{name}", "is no time", "Write it as RFC 3339")
            fields[_TIMES[name]] = parse_moment(value, f"{where}.{name}")
        else:
            fields[name] = value
    return fields


def _convert(fields: dict[str, Any], kind: type[Any], where: str) -> Any:
    unknown = sorted(set(fields) - set(kind.__dataclass_fields__))
    if unknown:
        raise InputError(f"{where}.{unknown[0]}", "is not known", "Leave it out, or mend its name")
    try:
        return msgspec.convert(fields, kind)
    except msgspec.ValidationError as error:
        raise InputError(where, str(error), "Mend the field that it names") from None


def draft_rows(name: str, draft: Draft) -> list[dict[str, Any]]:
    """The rows of a draft, to be confirmed: plain values, in the order of the article."""
    return [
        {
            "file": name,
            "speaker": r.speaker.name,
            "role": r.speaker.role,
            "organisation": r.speaker.organisation,
            "kind": str(r.speaker.kind),
            "stance": str(r.stance),
            "words": r.words,
            "position": list(r.position),
            "quoted": r.quoted,
            "hedges": list(r.hedges),
        }
        for r in draft.rows
    ]


def row_document(ledger: Ledger, row: Row) -> dict[str, Any]:
    """A row with the findings of its propositions."""
    said: dict[str, Any] = msgspec.to_builtins(row)
    statement = said["statement"]
    for short, long in _TIMES.items():
        if long in statement:
            at_ns = statement.pop(long)
            statement[short] = None if at_ns is None else format_moment(at_ns)
    said["findings"] = [
        msgspec.to_builtins(ledger.findings[p].finding)
        for p in row.statement.propositions
        if p in ledger.findings
    ]
    return said
