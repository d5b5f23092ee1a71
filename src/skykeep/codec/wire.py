"""Events, commands and snapshots as canonical JSON: one value, one sequence of bytes.

A value of ours becomes an object with its class name under "is" and its fields in order; an
enum likewise with its "value"; bytes become base64; a float that is not finite is named.
Only the classes that are registered here can come back in.
"""

from __future__ import annotations

import base64
import binascii
import dataclasses
import enum
import inspect
import math
from typing import Any

import msgspec

from skykeep.core import (
    airspace,
    alarm,
    alert,
    application,
    casebook,
    claims,
    displacement,
    event,
    flood,
    geo,
    handover,
    handover_book,
    identity,
    numbering,
    observation,
    permit,
    permit_book,
    picture,
    retention,
    schedule,
    stations,
    subjects,
    verdict,
    warning,
    zone,
    zone_book,
)
from skykeep.core.event import Event
from skykeep.core.track import registration, timeline, tracker, upstream
from skykeep.errors import InputError

_ROOMS = (
    airspace, alarm, alert, application, casebook, claims, displacement, event, flood, geo,
    handover, handover_book, identity,
    numbering, observation, permit, permit_book, picture, registration, retention, schedule,
    stations, subjects, timeline, tracker, upstream, verdict, warning, zone, zone_book,
)  # fmt: skip

_CLASSES: dict[str, type[Any]] = {
    name: found
    for room in _ROOMS
    for name, found in inspect.getmembers(room, inspect.isclass)
    if found.__module__ == room.__name__
    and (dataclasses.is_dataclass(found) or issubclass(found, enum.Enum))
}
_FIELDS = {
    name: tuple(f.name for f in dataclasses.fields(found))
    for name, found in _CLASSES.items()
    if dataclasses.is_dataclass(found)
}

#: Deeper than any of our values; a document that goes on is not ours.
DEPTH_LIMIT = 40


def encode_event(said: Event) -> bytes:
    """One event as a line of JSON (without the line end); written only, and quickly."""
    return msgspec.json.encode([type(said).__name__, said])


def encode(value: object) -> bytes:
    """Any of our values (commands, snapshots, zones ...) as canonical JSON."""
    return msgspec.json.encode(_plain(value))


def decode(data: bytes) -> Any:
    """The value that `encode` wrote; InputError names what does not fit, and where."""
    try:
        document = msgspec.json.decode(data)
    except msgspec.DecodeError as error:
        raise InputError("document", str(error), "Give JSON as Skykeep writes it.") from None
    except RecursionError:
        raise InputError("document", "is nested too deeply", "Give one value.") from None
    return _value(document, "$", 0)


def _plain(value: object) -> Any:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, enum.Enum):
        return {"is": type(value).__name__, "value": value.value}
    if isinstance(value, int | str):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else {"is": "float", "value": repr(value)}
    if isinstance(value, bytes):
        return {"is": "bytes", "value": base64.b64encode(value).decode("ascii")}
    if isinstance(value, tuple | list):
        name = "tuple" if isinstance(value, tuple) else "list"
        return {"is": name, "value": [_plain(v) for v in value]}
    if isinstance(value, dict):
        return {"is": "dict", "value": [[_plain(k), _plain(v)] for k, v in value.items()]}
    name = type(value).__name__
    if _CLASSES.get(name) is not type(value):
        raise TypeError(f"{name} is not a value that is written")
    return {"is": name, **{f: _plain(getattr(value, f)) for f in _FIELDS[name]}}


def _value(node: Any, where: str, depth: int) -> Any:
    if depth > DEPTH_LIMIT:
        raise InputError(where, "is nested too deeply", "Give a value that Skykeep wrote.")
    if not isinstance(node, dict):
        if isinstance(node, list):
            raise InputError(where, "is a bare list", "Name its class under 'is'.")
        return node
    name = node.get("is")
    if not isinstance(name, str):
        raise InputError(where, "has no class name under 'is'", "Name the class.")
    if name in _FIELDS:
        return _instance(name, node, where, depth)
    if "value" not in node:
        raise InputError(where, f"{name} has no 'value'", "Give its value.")
    return _simple(name, node["value"], where, depth)


def _simple(name: str, inner: Any, where: str, depth: int) -> Any:
    wrong = InputError(where, f"is not a {name}", "Give a value that Skykeep wrote.")
    if name in _CLASSES:
        try:
            return _CLASSES[name](inner)
        except ValueError:
            raise wrong from None
    if name == "float" and inner in ("nan", "inf", "-inf"):
        return float(inner)
    if name == "bytes" and isinstance(inner, str):
        try:
            return base64.b64decode(inner, validate=True)
        except (binascii.Error, ValueError):
            raise wrong from None
    if name in ("tuple", "list") and isinstance(inner, list):
        items = [_value(v, f"{where}[{i}]", depth + 1) for i, v in enumerate(inner)]
        return tuple(items) if name == "tuple" else items
    if name == "dict" and isinstance(inner, list):
        return dict(_pair(p, f"{where}[{i}]", depth) for i, p in enumerate(inner))
    raise wrong


def _pair(node: Any, where: str, depth: int) -> tuple[Any, Any]:
    if not isinstance(node, list) or len(node) != 2:
        raise InputError(where, "is not a key and a value", "Give both.")
    key = _value(node[0], where, depth + 1)
    try:
        hash(key)
    except TypeError:
        raise InputError(where, "has a key that cannot be one", "Give a plain key.") from None
    return key, _value(node[1], where, depth + 1)


def _instance(name: str, node: dict[str, Any], where: str, depth: int) -> Any:
    known = _FIELDS[name]
    strange = sorted(set(node) - {"is", *known})
    missing = [f for f in known if f not in node]
    if strange or missing:
        problem = f"{name} lacks {missing}" if missing else f"{name} has no {strange}"
        raise InputError(where, problem, "Give the fields that it has.")
    fields = {f: _value(node[f], f"{where}.{f}", depth + 1) for f in known}
    try:
        return _CLASSES[name](**fields)
    except (TypeError, ValueError) as error:
        raise InputError(where, f"{name}: {error}", "Give a value that Skykeep wrote.") from None
