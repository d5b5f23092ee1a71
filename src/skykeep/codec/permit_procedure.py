"""The proceeding around a permit, and what was applied for, as parts of a permits file.

    "procedure": {"identity_proof": "eID, high", "submitted": "2026-09-01T08:00:00Z",
                  "decide_by": "..", "question": "..", "confirm_by": "..", "land_by": "..",
                  "notified": "..", "appeal": "within 3 months to the court",
                  "channels": [{"kind": "email" | "webhook", "address": ".."}]}
    "application": {"mode": "VLOS" | "BVLOS", "flight_type": "", "category": "open" |
                    "specific" | "certified", "aircraft_class": "C2",
                    "identification": "direct remote id", "connectivity": "4G",
                    "endurance_s": 1500, "lost_link": "returns home",
                    "operator": "FIN87astrdge12k8", "aircraft_registration"?: "",
                    "contact": {"name": "..", "phone": ".."}}

The application's fields are the items of (EU) 2021/664, Annex IV (core/application). An
operator's number may come with its 3 secret characters: they are checked, and not kept.
"""

from __future__ import annotations

import re
from typing import TypeVar
from urllib.parse import urlsplit

from skykeep.codec.json_doc import shown
from skykeep.codec.moment import format_moment
from skykeep.codec.permit_fields import Object, moment_of, number_of, object_of, text_of
from skykeep.core.application import Application, Category, Mode
from skykeep.core.event import Finding, Severity
from skykeep.core.identifiers import operator_checkable, operator_fault, public_operator
from skykeep.core.permit import Channel, ChannelKind, Procedure
from skykeep.errors import InputError

#: More than a holder needs; each is tried for a day.
MAX_CHANNELS = 5
#: The longest flight of an unmanned aircraft so far is 64 days.
ENDURANCE_RANGE_S = (1.0, 100.0 * 86_400.0)

_MOMENTS = ("submitted", "decide_by", "confirm_by", "land_by", "notified")
_TEXTS = ("identity_proof", "question", "appeal")
_PROCEDURE_FIELDS = frozenset({*_MOMENTS, *_TEXTS, "channels"})
_APPLICATION_TEXTS = (
    "flight_type", "aircraft_class", "identification", "connectivity", "lost_link",
    "aircraft_registration",
)  # fmt: skip
_APPLICATION_FIELDS = frozenset(
    {*_APPLICATION_TEXTS, "mode", "category", "endurance_s", "operator", "contact"}
)
#: Enough to keep a header from being broken up; whether the address exists, the post tells.
_EMAIL = re.compile(r"[^\s@<>,;:\"\\]{1,64}@[A-Za-z0-9.\-]{1,190}", re.ASCII)
_E = TypeVar("_E", Mode, Category, ChannelKind)


def procedure_of(where: str, value: object) -> Procedure:
    """The proceeding; none gives the empty one. InputError at the place of a fault."""
    if value is None:
        return Procedure()
    fields = object_of(where, value)
    _known(where, fields, _PROCEDURE_FIELDS)
    channels = fields.get("channels", [])
    if not isinstance(channels, list) or len(channels) > MAX_CHANNELS:
        problem = f"is no list of up to {MAX_CHANNELS}"
        raise InputError(f"{where}.channels", problem, "Give objects with kind and address.")
    texts = {name: text_of(where, fields, name, "") for name in _TEXTS}
    moments = {name: moment_of(where, fields, name, None) for name in _MOMENTS}
    return Procedure(
        identity_proof=texts["identity_proof"],
        submitted_ns=moments["submitted"],
        decide_by_ns=moments["decide_by"],
        question=texts["question"],
        confirm_by_ns=moments["confirm_by"],
        land_by_ns=moments["land_by"],
        notified_ns=moments["notified"],
        appeal=texts["appeal"],
        channels=tuple(_channel(f"{where}.channels[{i}]", c) for i, c in enumerate(channels)),
    )


def procedure_record(procedure: Procedure) -> dict[str, object]:
    """The proceeding as it stands in a file."""
    moments = {name: getattr(procedure, f"{name}_ns") for name in _MOMENTS}
    return {
        **{name: getattr(procedure, name) for name in _TEXTS},
        **{n: None if at_ns is None else format_moment(at_ns) for n, at_ns in moments.items()},
        "channels": [{"kind": c.kind.value, "address": c.address} for c in procedure.channels],
    }


def application_of(where: str, value: object, findings: list[Finding]) -> Application | None:
    """What was applied for; None where there is nothing. InputError at the place of a fault.

    What can be kept and is doubtful goes to `findings`.
    """
    if value is None:
        return None
    fields = object_of(where, value)
    _known(where, fields, _APPLICATION_FIELDS)
    contact = object_of(f"{where}.contact", fields.get("contact", {}))
    _known(f"{where}.contact", contact, frozenset({"name", "phone"}))
    operator = text_of(where, fields, "operator")
    problem = operator_fault(operator)
    if problem is not None:
        words = f"{shown(public_operator(operator))} {problem} (EN 4709-002)"
        finding = Finding(f"{where}.operator", words, "kept as it is", Severity.WARNING)
        findings.append(finding)
    elif operator_checkable(operator):
        words = "came with its 3 secret characters, and they fit"
        finding = Finding(f"{where}.operator", words, "they are not kept", Severity.NOTE)
        findings.append(finding)
    texts = {name: text_of(where, fields, name, "") for name in _APPLICATION_TEXTS}
    return Application(
        mode=_one_of(Mode, where, fields, "mode"),
        category=_one_of(Category, where, fields, "category"),
        endurance_s=number_of(f"{where}.endurance_s", fields.get("endurance_s"), ENDURANCE_RANGE_S),
        operator=public_operator(operator),
        contact_name=text_of(f"{where}.contact", contact, "name", ""),
        contact_phone=text_of(f"{where}.contact", contact, "phone", ""),
        **texts,
    )


def application_record(application: Application) -> dict[str, object]:
    """What was applied for as it stands in a file."""
    return {
        "mode": application.mode.value,
        "category": application.category.value,
        **{name: getattr(application, name) for name in _APPLICATION_TEXTS},
        "endurance_s": application.endurance_s,
        "operator": application.operator,
        "contact": {"name": application.contact_name, "phone": application.contact_phone},
    }


def _channel(where: str, value: object) -> Channel:
    fields = object_of(where, value)
    _known(where, fields, frozenset({"kind", "address"}))
    kind = _one_of(ChannelKind, where, fields, "kind")
    address = text_of(where, fields, "address")
    if kind is ChannelKind.EMAIL and not _EMAIL.fullmatch(address):
        raise InputError(f"{where}.address", "is no e-mail address", "Give one such as a@b.org.")
    if kind is ChannelKind.WEBHOOK and not _is_url(address):
        problem = "is no http or https URL without a password"
        raise InputError(f"{where}.address", problem, "Give one such as https://b.org/hook.")
    return Channel(kind, address)


def _is_url(text: str) -> bool:
    try:
        parts = urlsplit(text)
        port_fits = parts.port is None or parts.port > 0
    except ValueError:
        return False
    plain = text.isascii() and text.isprintable() and " " not in text
    return (
        plain
        and port_fits
        and parts.scheme in ("http", "https")
        and bool(parts.hostname)
        and parts.username is None
    )


def _one_of(kind: type[_E], where: str, fields: Object, name: str) -> _E:
    value = fields.get(name)
    if value not in [k.value for k in kind]:
        known = ", ".join(k.value for k in kind)
        raise InputError(f"{where}.{name}", f"cannot be {shown(value)}", f"Give one of {known}.")
    return kind(value)


def _known(where: str, fields: Object, known: frozenset[str]) -> None:
    for name in fields:
        if name not in known:
            problem = f"{shown(name)} is no field of this format"
            raise InputError(where, problem, "Take it out, or correct its name.")
