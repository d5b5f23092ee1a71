"""Cursor on Target events as XML, and the two framings of a TAK stream.

Events by the CoT base schema 2.0 (MITRE, event-2.0): `event` with `uid`, `type`, `how`, `time`,
`start`, `stale`, one `point` (WGS84 degrees, height above the ellipsoid in metres, `ce` and `le`
one standard deviation in metres; 9999999.0 where unknown) and a `detail` of any elements. A stream
is one XML event after another (TAK protocol 0), or frames of 0xBF, a varint length and a protobuf
message (TAK protocol 1, codec/cot_protobuf).
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import dataclass, field
from xml.sax.saxutils import escape, quoteattr

from skykeep.codec.moment import parse_moment
from skykeep.errors import InputError
from skykeep.units import NS_PER_MS, to_datetime

#: What CoT writes where a height or an error is not known.
UNKNOWN_M = 9_999_999.0
#: An event with a photograph in it is larger; we take none.
EVENT_BYTES = 65_536
#: Elements of a detail that are read, and how deep.
ELEMENTS, DEPTH = 500, 10
#: The first byte of a frame of protocol 1.
MAGIC = 0xBF
_END = b"</event>"
#: A varint of five bytes holds any length that is taken here, and more.
_VARINT_BYTES = 5


@dataclass(frozen=True, slots=True)
class Element:
    """One element of a detail."""

    tag: str
    attributes: tuple[tuple[str, str], ...] = ()
    text: str = ""
    children: tuple[Element, ...] = ()

    def get(self, name: str) -> str:
        """An attribute, empty where it is not there."""
        return dict(self.attributes).get(name, "")


@dataclass(frozen=True, slots=True)
class CotEvent:
    """One event; times in UTC nanoseconds, written to the millisecond."""

    uid: str
    type: str
    how: str
    time_ns: int
    start_ns: int
    stale_ns: int
    lat_deg: float = 0.0
    lon_deg: float = 0.0
    hae_m: float = UNKNOWN_M
    ce_m: float = UNKNOWN_M
    le_m: float = UNKNOWN_M
    detail: tuple[Element, ...] = ()

    def find(self, tag: str) -> Element | None:
        """The first element of the detail with a tag."""
        return next((e for e in self.detail if e.tag == tag), None)


def encode_xml(event: CotEvent) -> bytes:
    """An event as XML, without a declaration, as it goes into a stream."""
    times = (("time", event.time_ns), ("start", event.start_ns), ("stale", event.stale_ns))
    head = "".join(f" {name}={quoteattr(_moment(at_ns))}" for name, at_ns in times)
    detail = "".join(encode_element(e) for e in event.detail)
    text = (
        f'<event version="2.0" uid={_attribute(event.uid)} type={_attribute(event.type)}'
        f" how={_attribute(event.how)}{head}>"
        f'<point lat="{event.lat_deg:.7f}" lon="{event.lon_deg:.7f}" hae="{event.hae_m:.1f}"'
        f' ce="{event.ce_m:.1f}" le="{event.le_m:.1f}"/><detail>{detail}</detail></event>'
    )
    return text.encode()


def encode_element(element: Element) -> str:
    """An element of a detail as XML."""
    attributes = "".join(f" {name}={_attribute(value)}" for name, value in element.attributes)
    inner = escape(_clean(element.text)) + "".join(encode_element(e) for e in element.children)
    return f"<{element.tag}{attributes}>{inner}</{element.tag}>"


def _attribute(text: str) -> str:
    return quoteattr(_clean(text))


def _clean(text: str) -> str:
    """Without what XML 1.0 cannot hold (section 2.2)."""
    return "".join(
        c for c in text if c in "\t\n\r" or "\x20" <= c <= "\ud7ff" or "\ue000" <= c <= "\ufffd"
        or c >= "\U00010000"
    )  # fmt: skip


def _moment(at_ns: int) -> str:
    whole = to_datetime(at_ns)
    return f"{whole:%Y-%m-%dT%H:%M:%S}.{at_ns % 1_000_000_000 // NS_PER_MS:03d}Z"


def decode_xml(data: bytes) -> CotEvent:
    """An event from XML; InputError names what does not fit."""
    if len(data) > EVENT_BYTES:
        raise InputError("event", f"is over {EVENT_BYTES} bytes", "Send it without attachments")
    if b"<!" in data:
        raise InputError("event", "has a declaration or comment", "Send a bare event")
    try:
        root = ET.fromstring(data)
    except (ET.ParseError, ValueError, LookupError) as error:
        raise InputError("event", f"is no XML ({error})", "Send one event") from None
    if root.tag != "event":
        raise InputError("event", f"is <{root.tag[:40]}>", "Send an <event>")
    point = root.find("point")
    place = {} if point is None else dict(point.attrib)
    detail = root.find("detail")
    return CotEvent(
        root.get("uid", ""),
        root.get("type", ""),
        root.get("how", ""),
        _time(root, "time"),
        _time(root, "start"),
        _time(root, "stale"),
        _number(place, "lat", 90.0),
        _number(place, "lon", 180.0),
        _number(place, "hae", UNKNOWN_M),
        _number(place, "ce", UNKNOWN_M),
        _number(place, "le", UNKNOWN_M),
        () if detail is None else elements_of(detail),
    )


def elements_of(parent: ET.Element) -> tuple[Element, ...]:
    """The elements within one; InputError for too many, or too deep."""
    left = [ELEMENTS]

    def read(node: ET.Element, depth: int) -> Element:
        left[0] -= 1
        if left[0] < 0 or depth > DEPTH:
            raise InputError("event.detail", "has too many elements", "Send a smaller one")
        children = tuple(read(child, depth + 1) for child in node)
        return Element(node.tag, tuple(node.attrib.items()), node.text or "", children)

    return tuple(read(child, 1) for child in parent)


def _time(root: ET.Element, name: str) -> int:
    return parse_moment(root.get(name, ""), f"event.{name}")


def _number(place: dict[str, str], name: str, most: float) -> float:
    try:
        value = float(place.get(name, ""))
    except ValueError:
        value = float("nan")
    if not abs(value) <= most:
        given = place.get(name, "")[:20]
        raise InputError(f"event.point.{name}", f"is {given!r}", "Give a number within bounds")
    return value


@dataclass(slots=True)
class CotSplitter:
    """The messages of a stream that comes in pieces; both framings, also mixed.

    Without I/O: bytes in, whole messages out. InputError for a stream that is none; it cannot be
    gone on with.
    """

    _buffer: bytearray = field(default_factory=bytearray)
    _searched: int = 0

    def feed(self, data: bytes) -> list[tuple[bool, bytes]]:
        """The messages that are whole now: whether protobuf, and the bytes."""
        self._buffer += data
        return list(self._messages())

    def _messages(self) -> Iterator[tuple[bool, bytes]]:
        while True:
            self._skip_space()
            if not self._buffer:
                return
            binary = self._buffer[0] == MAGIC
            found = self._frame() if binary else self._event()
            if found is None:
                return
            yield binary, found

    def _skip_space(self) -> None:
        length = len(self._buffer) - len(self._buffer.lstrip(b" \t\r\n\0"))
        if length:
            del self._buffer[:length]
            self._searched = 0

    def _event(self) -> bytes | None:
        end = self._buffer.find(_END, max(0, self._searched - len(_END)))
        if end < 0:
            self._searched = len(self._buffer)
            if len(self._buffer) > EVENT_BYTES:
                raise InputError("stream", f"no event ends within {EVENT_BYTES} bytes", "Reconnect")
            return None
        return self._take(0, end + len(_END))

    def _frame(self) -> bytes | None:
        length, at = 0, 1
        while True:
            if at > _VARINT_BYTES:
                raise InputError("stream", "a frame's length is none", "Reconnect")
            if at >= len(self._buffer):
                return None
            byte = self._buffer[at]
            length |= (byte & 0x7F) << (7 * (at - 1))
            at += 1
            if byte < 0x80:
                break
        if length > EVENT_BYTES:
            raise InputError("stream", f"a frame is over {EVENT_BYTES} bytes", "Reconnect")
        return None if len(self._buffer) < at + length else self._take(at, at + length)

    def _take(self, start: int, end: int) -> bytes:
        found = bytes(self._buffer[start:end])
        del self._buffer[:end]
        self._searched = 0
        if found.startswith(b"<?xml"):
            found = found.partition(b"?>")[2].lstrip()
        return found
