"""TAK protocol 1: a CoT event as a protobuf message, and its frame in a stream.

By the published schema (ATAK-CIV, takproto: TakMessage, CotEvent, Detail, Contact, Track). Field
numbers stand below. `contact` and `track` have messages of their own; all else of a detail travels
as XML in `xmlDetail`. The wire format is that of Protocol Buffers: a varint of number and type,
then a varint (0), eight bytes (1), a length and bytes (2), or four bytes (5).
"""

from __future__ import annotations

import struct
import xml.etree.ElementTree as ET
from collections.abc import Iterator

from skykeep.codec.cot import (
    EVENT_BYTES,
    MAGIC,
    UNKNOWN_M,
    CotEvent,
    Element,
    elements_of,
    encode_element,
)
from skykeep.errors import InputError
from skykeep.units import NS_PER_MS

_COT_EVENT = 2  # of TakMessage
_TYPE, _UID, _SEND, _START, _STALE, _HOW = 1, 5, 6, 7, 8, 9
_LAT, _LON, _HAE, _CE, _LE, _DETAIL = 10, 11, 12, 13, 14, 15
_XML_DETAIL, _CONTACT, _TRACK = 1, 2, 7  # of Detail
_CALLSIGN = 2  # of Contact
_SPEED, _COURSE = 1, 2  # of Track
#: Protobuf's own limit for a varint.
_VARINT_BITS = 64
#: A moment within the next eight thousand years.
_MOST_MS = 253_402_300_800_000


def frame(event: CotEvent) -> bytes:
    """An event as a frame of a stream."""
    body = encode_protobuf(event)
    return bytes([MAGIC]) + _varint(len(body)) + body


def encode_protobuf(event: CotEvent) -> bytes:
    """An event as a TakMessage."""
    parts = [
        _text(_TYPE, event.type),
        _text(_UID, event.uid),
        *(
            _tag(number, 0) + _varint(at_ns // NS_PER_MS)
            for number, at_ns in (
                (_SEND, event.time_ns), (_START, event.start_ns), (_STALE, event.stale_ns),
            )
        ),
        _text(_HOW, event.how),
        *(
            _double(number, value)
            for number, value in (
                (_LAT, event.lat_deg), (_LON, event.lon_deg), (_HAE, event.hae_m),
                (_CE, event.ce_m), (_LE, event.le_m),
            )
        ),
        _bytes(_DETAIL, _detail(event.detail)),
    ]  # fmt: skip
    return _bytes(_COT_EVENT, b"".join(parts))


def _detail(detail: tuple[Element, ...]) -> bytes:
    rest: list[str] = []
    parts: list[bytes] = []
    for element in detail:
        if element.tag == "contact" and {n for n, _ in element.attributes} == {"callsign"}:
            parts.append(_bytes(_CONTACT, _text(_CALLSIGN, element.get("callsign"))))
        elif element.tag == "track":
            speed, course = float(element.get("speed")), float(element.get("course"))
            parts.append(_bytes(_TRACK, _double(_SPEED, speed) + _double(_COURSE, course)))
        else:
            rest.append(encode_element(element))
    xml = _text(_XML_DETAIL, "".join(rest)) if rest else b""
    return xml + b"".join(parts)


def decode_protobuf(data: bytes) -> CotEvent | None:
    """The event of a TakMessage, None where it carries none; InputError for what is no message."""
    if len(data) > EVENT_BYTES:
        raise InputError("message", f"is over {EVENT_BYTES} bytes", "Send it without attachments")
    found = dict(_fields(data, "message"))
    if _COT_EVENT not in found:
        return None
    fields = dict(_fields(_as_bytes(found[_COT_EVENT], "cotEvent"), "cotEvent"))
    uid, kind, how = (_as_text(fields.get(n, b""), "cotEvent") for n in (_UID, _TYPE, _HOW))
    return CotEvent(
        uid,
        kind,
        how,
        _as_moment(fields, _SEND),
        _as_moment(fields, _START),
        _as_moment(fields, _STALE),
        _as_double(fields, _LAT, 90.0),
        _as_double(fields, _LON, 180.0),
        _as_double(fields, _HAE, UNKNOWN_M),
        _as_double(fields, _CE, UNKNOWN_M),
        _as_double(fields, _LE, UNKNOWN_M),
        _read_detail(_as_bytes(fields.get(_DETAIL, b""), "detail")),
    )


def _read_detail(data: bytes) -> tuple[Element, ...]:
    fields = dict(_fields(data, "detail"))
    xml = _as_text(fields.get(_XML_DETAIL, b""), "xmlDetail")
    if "<!" in xml:
        raise InputError("xmlDetail", "has a declaration or comment", "Send bare elements")
    try:
        found = list(elements_of(ET.fromstring(f"<detail>{xml}</detail>")))
    except (ET.ParseError, ValueError) as error:
        raise InputError("xmlDetail", f"is no XML ({error})", "Send elements") from None
    if _CONTACT in fields:
        inner = dict(_fields(_as_bytes(fields[_CONTACT], "contact"), "contact"))
        name = _as_text(inner.get(_CALLSIGN, b""), "contact")
        found.append(Element("contact", (("callsign", name),)))
    if _TRACK in fields:
        inner = dict(_fields(_as_bytes(fields[_TRACK], "track"), "track"))
        speed, course = (_as_double(inner, n, UNKNOWN_M) for n in (_SPEED, _COURSE))
        found.append(Element("track", (("speed", f"{speed}"), ("course", f"{course}"))))
    return tuple(found)


# -- the wire format --------------------------------------------------------------------------


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _tag(number: int, kind: int) -> bytes:
    return _varint(number << 3 | kind)


def _bytes(number: int, data: bytes) -> bytes:
    return _tag(number, 2) + _varint(len(data)) + data


def _text(number: int, text: str) -> bytes:
    return _bytes(number, text.encode("utf-8", "replace"))


def _double(number: int, value: float) -> bytes:
    return _tag(number, 1) + struct.pack("<d", value)


def _fields(data: bytes, where: str) -> Iterator[tuple[int, int | float | bytes]]:
    """The fields of a message in their order."""
    wrong = InputError(where, "is no protobuf message", "Send TAK protocol 1")
    at = 0
    while at < len(data):
        tag, at = _read_varint(data, at, wrong)
        number, kind = tag >> 3, tag & 7
        if kind == 0:
            value, at = _read_varint(data, at, wrong)
            yield number, value
            continue
        if kind == 2:
            size, at = _read_varint(data, at, wrong)
        elif kind in (1, 5):
            size = 8 if kind == 1 else 4
        else:
            raise wrong
        if size > len(data) - at:
            raise wrong
        part, at = data[at : at + size], at + size
        yield number, struct.unpack("<d", part)[0] if kind == 1 else part


def _read_varint(data: bytes, at: int, wrong: InputError) -> tuple[int, int]:
    value = 0
    for shift in range(0, _VARINT_BITS, 7):
        if at >= len(data):
            raise wrong
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
    raise wrong


def _as_bytes(value: int | float | bytes, where: str) -> bytes:
    if not isinstance(value, bytes):
        raise InputError(where, "is a number", "Send a message")
    return value


def _as_text(value: int | float | bytes, where: str) -> str:
    return _as_bytes(value, where).decode("utf-8", "replace")


def _as_moment(fields: dict[int, int | float | bytes], number: int) -> int:
    value = fields.get(number, 0)
    if not isinstance(value, int) or value > _MOST_MS:
        raise InputError("cotEvent", f"field {number} is no moment", "Send milliseconds")
    return value * NS_PER_MS


def _as_double(fields: dict[int, int | float | bytes], number: int, most: float) -> float:
    value = fields.get(number, 0.0)
    if not isinstance(value, float) or not abs(value) <= most:
        raise InputError("cotEvent", f"field {number} is out of bounds", "Send WGS84 and metres")
    return value
