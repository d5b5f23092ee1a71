"""Packet captures: pcap and pcapng to packets, and packets to pcap.

Sources: draft-ietf-opsawg-pcap (both byte orders, micro- and nanoseconds) and
draft-ietf-opsawg-pcapng (section header, interface description, enhanced and simple
packet blocks; other blocks are passed over). Times are UTC.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import BinaryIO

from skykeep.core.event import Finding, Severity
from skykeep.errors import InputError
from skykeep.units import NS_PER_S, to_ns

LINKTYPE_ETHERNET = 1


#: The largest snapshot length that libpcap writes (MAXIMUM_SNAPLEN); more is a broken length.
MAX_PACKET_BYTES = 262_144
#: A packet with its options and comments; a longer block is a broken length.
MAX_BLOCK_BYTES = 4 * MAX_PACKET_BYTES
MAX_INTERFACES = 1_024  # of one section; no machine captures on more
#: pcap was in use before, but no clock that was ever set says less; nor more, and what is
#: later does not fit signed 64-bit nanoseconds.
EARLIEST_NS = to_ns(datetime(2000, 1, 1, tzinfo=UTC))
LATEST_NS = to_ns(datetime(2200, 1, 1, tzinfo=UTC))

_PCAP_HEADER_BYTES = 24
_RECORD_BYTES = 16
#: First four bytes of a pcap: byte order and fractions of a second.
_PCAP_MAGIC = {
    b"\xd4\xc3\xb2\xa1": ("<", 1_000_000),
    b"\xa1\xb2\xc3\xd4": (">", 1_000_000),
    b"\x4d\x3c\xb2\xa1": ("<", 1_000_000_000),
    b"\xa1\xb2\x3c\x4d": (">", 1_000_000_000),
}
_LINKTYPE_MASK = 0x0FFF_FFFF  # the upper bits tell of frame check sequences
_SECTION = b"\x0a\x0d\x0d\x0a"
_BYTE_ORDER = {b"\x4d\x3c\x2b\x1a": "<", b"\x1a\x2b\x3c\x4d": ">"}
_INTERFACE, _SIMPLE, _ENHANCED = 1, 3, 6
_OPTION_END, _OPTION_TSRESOL, _OPTION_TSOFFSET = 0, 9, 14
_BLOCK_HEADER_BYTES, _MIN_BLOCK_BYTES = 8, 12


@dataclass(frozen=True, slots=True)
class Packet:
    """One captured packet: UTC time (None where the file gives none that can be), link type,
    the bytes that were kept, and where its record starts in the file.
    """

    at_ns: int | None
    linktype: int
    data: bytes
    offset: int


@dataclass(slots=True)
class _Source:
    """The stream and how far it has been read."""

    stream: BinaryIO
    offset: int = 0

    def take(self, size: int) -> bytes:
        data = self.stream.read(size)
        self.offset += len(data)
        return data


@dataclass(frozen=True, slots=True)
class _Interface:
    linktype: int
    snap_bytes: int
    ticks_per_s: int = 1_000_000
    offset_s: int = 0


@dataclass(slots=True)
class _Section:
    order: str
    interfaces: list[_Interface] = field(default_factory=list)


def read_packets(source: bytes | BinaryIO) -> Iterator[Packet | Finding]:
    """The packets of a pcap or pcapng in the file's order, and its faults where they lie.

    A file that is cut short or broken further on gives what stands before, then a Finding
    with the byte offset. Raises InputError, at once, where the first header is neither
    pcap nor pcapng or is cut short itself.
    """
    reader = _Source(io.BytesIO(source) if isinstance(source, bytes) else source)
    magic = reader.take(4)
    if magic in _PCAP_MAGIC:
        return _read_pcap(reader, *_PCAP_MAGIC[magic])
    if magic == _SECTION:
        return _read_pcapng(reader, _first_section(reader))
    raise InputError(
        "byte 0: magic",
        "no bytes" if not magic else f"{magic.hex(' ')} is neither pcap nor pcapng",
        "Give a capture file.",
    )


def write_pcap(packets: Iterable[tuple[int, bytes]], linktype: int) -> bytes:
    """A pcap (little endian, nanoseconds) of (UTC nanoseconds, bytes) packets."""
    parts = [struct.pack("<IHHiIII", 0xA1B2_3C4D, 2, 4, 0, 0, MAX_PACKET_BYTES, linktype)]
    for at_ns, data in packets:
        seconds, fraction = divmod(at_ns, NS_PER_S)
        if not 0 <= seconds <= 0xFFFF_FFFF:
            raise InputError("time", f"{at_ns} ns is not within 1970 to 2106", "Give UTC.")
        if len(data) > MAX_PACKET_BYTES:
            raise InputError("packet", f"{len(data)} bytes", f"Keep to {MAX_PACKET_BYTES}.")
        parts.append(struct.pack("<IIII", seconds, fraction, len(data), len(data)) + data)
    return b"".join(parts)


def _read_pcap(source: _Source, order: str, per_s: int) -> Iterator[Packet | Finding]:
    header = source.take(_PCAP_HEADER_BYTES - 4)
    if len(header) < _PCAP_HEADER_BYTES - 4:
        raise InputError(f"byte {source.offset}: header", "cut short", "Give the whole file.")
    linktype = struct.unpack(order + "20xI", b"\0\0\0\0" + header)[0] & _LINKTYPE_MASK
    return _pcap_records(source, order, per_s, linktype)


def _pcap_records(
    source: _Source, order: str, per_s: int, linktype: int
) -> Iterator[Packet | Finding]:
    while True:
        start = source.offset
        head = source.take(_RECORD_BYTES)
        if not head:
            return
        if len(head) < _RECORD_BYTES:
            yield _cut(start, "record.header", len(head), _RECORD_BYTES)
            return
        seconds, fraction, size, _ = struct.unpack(order + "IIII", head)
        if size > MAX_PACKET_BYTES:
            # Without this length there is no telling where the next record starts.
            yield _lost(start + 8, "record.captured_length", f"{size} bytes")
            return
        data = source.take(size)
        if len(data) < size:
            yield _cut(start + _RECORD_BYTES, "record.data", len(data), size)
            return
        if fraction >= per_s:
            yield Finding(
                f"byte {start + 4}: record.fraction",
                f"{fraction} of {per_s} to the second",
                "added to the seconds",
                Severity.WARNING,
            )
        at_ns, finding = _checked(seconds * NS_PER_S + fraction * (NS_PER_S // per_s), start)
        if finding is not None:
            yield finding
        yield Packet(at_ns, linktype, data, start)


def _first_section(source: _Source) -> _Section:
    length, magic = source.take(4), source.take(4)
    if len(magic) < 4:
        raise InputError(f"byte {source.offset}: section", "cut short", "Give the whole file.")
    if magic not in _BYTE_ORDER:
        raise InputError(
            "byte 8: section.byte_order", magic.hex(" "), "Give a capture file that is not broken."
        )
    order = _BYTE_ORDER[magic]
    size = struct.unpack(order + "I", length)[0]
    rest = size - 3 * 4
    if size % 4 or not 0 < rest <= MAX_BLOCK_BYTES or len(source.take(rest)) < rest:
        raise InputError("byte 4: section.length", f"{size} bytes", "Give the whole file.")
    return _Section(order)


def _read_pcapng(source: _Source, section: _Section) -> Iterator[Packet | Finding]:
    while True:
        start = source.offset
        head = source.take(_BLOCK_HEADER_BYTES)
        if not head:
            return
        if len(head) < _BLOCK_HEADER_BYTES:
            yield _cut(start, "block.header", len(head), _BLOCK_HEADER_BYTES)
            return
        first = b""
        if head[:4] == _SECTION:  # a file joined from several; each may have its own byte order
            first = source.take(4)
            if first not in _BYTE_ORDER:
                yield _lost(start + 8, "section.byte_order", first.hex(" ") or "nothing")
                return
            section = _Section(_BYTE_ORDER[first])
        kind, size = struct.unpack(section.order + "II", head)
        if size % 4 or not _MIN_BLOCK_BYTES + len(first) <= size <= MAX_BLOCK_BYTES:
            yield _lost(start + 4, "block.length", f"{size} bytes")
            return
        body = first + source.take(size - _BLOCK_HEADER_BYTES - len(first))
        if len(body) < size - _BLOCK_HEADER_BYTES:
            yield _cut(start, "block", _BLOCK_HEADER_BYTES + len(body), size)
            return
        if struct.unpack(section.order + "I", body[-4:])[0] != size:
            where = f"byte {start + size - 4}: block.length"
            yield Finding(where, "the two differ", "the first", Severity.WARNING)
        if not first:
            yield from _block(section, kind, body[:-4], start)


def _block(section: _Section, kind: int, body: bytes, start: int) -> Iterator[Packet | Finding]:
    if kind == _INTERFACE:
        if len(body) < 8 or len(section.interfaces) >= MAX_INTERFACES:
            yield _skipped(start, "interface", "cut short or one too many")
        else:
            section.interfaces.append(_interface(section.order, body))
        return
    if kind not in (_ENHANCED, _SIMPLE):
        return
    head_bytes = 20 if kind == _ENHANCED else 4
    if len(body) < head_bytes:
        yield _skipped(start, "packet", "a block too short for its kind")
        return
    number, high, low, size = 0, 0, 0, 0
    if kind == _ENHANCED:
        number, high, low, size = struct.unpack_from(section.order + "IIII", body)
    if number >= len(section.interfaces):
        yield _skipped(start, "packet.interface", f"interface {number} was not described")
        return
    interface = section.interfaces[number]
    if kind == _SIMPLE:
        (size,) = struct.unpack_from(section.order + "I", body)
        size = min(size, interface.snap_bytes or size, len(body) - head_bytes)
    if size > min(len(body) - head_bytes, MAX_PACKET_BYTES):
        yield _skipped(start, "packet.captured_length", f"{size} bytes do not fit the block")
        return
    at_ns: int | None = None
    finding = _timeless(start, "a simple packet has no time")
    if kind == _ENHANCED:
        ticks = high << 32 | low
        seconds_ns = ticks * NS_PER_S // interface.ticks_per_s + interface.offset_s * NS_PER_S
        at_ns, late = _checked(seconds_ns, start)
        if late is None:
            yield Packet(at_ns, interface.linktype, body[head_bytes : head_bytes + size], start)
            return
        finding = late
    yield finding
    yield Packet(at_ns, interface.linktype, body[head_bytes : head_bytes + size], start)


def _interface(order: str, body: bytes) -> _Interface:
    linktype, snap_bytes = struct.unpack_from(order + "H2xI", body)
    ticks_per_s, offset_s, at = 1_000_000, 0, 8
    while at + 4 <= len(body):
        code, size = struct.unpack_from(order + "HH", body, at)
        value = body[at + 4 : at + 4 + size]
        if code == _OPTION_END:
            break
        if code == _OPTION_TSRESOL and len(value) == 1:
            power = value[0] & 0x7F
            ticks_per_s = 2**power if value[0] & 0x80 else 10**power
        elif code == _OPTION_TSOFFSET and len(value) == 8:
            (offset_s,) = struct.unpack(order + "q", value)
        at += 4 + (size + 3) // 4 * 4
    return _Interface(linktype, snap_bytes, ticks_per_s, offset_s)


def _checked(at_ns: int, start: int) -> tuple[int | None, Finding | None]:
    """The time, or None with a finding for a clock that was not set."""
    if EARLIEST_NS <= at_ns < LATEST_NS:
        return at_ns, None
    return None, _timeless(start, "a time before 2000 or after 2199")


def _timeless(start: int, problem: str) -> Finding:
    return Finding(f"byte {start}: packet.time", problem, "time unknown", Severity.ERROR)


def _cut(offset: int, what: str, there: int, size: int) -> Finding:
    return Finding(
        f"byte {offset}: {what}",
        f"the file ends after {there} of {size} bytes",
        "what stands before is kept",
        Severity.ERROR,
    )


def _lost(offset: int, what: str, problem: str) -> Finding:
    return Finding(
        f"byte {offset}: {what}",
        f"{problem}, which cannot be",
        "what stands before is kept, the rest cannot be read",
        Severity.ERROR,
    )


def _skipped(start: int, what: str, problem: str) -> Finding:
    return Finding(f"byte {start}: {what}", problem, "this block is left out", Severity.ERROR)
