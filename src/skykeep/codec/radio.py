"""What a capture says of a radio frame before its first byte: where it lies, how loud it was.

Sources: radiotap.org (radiotap), Linux `include/net/ieee80211_radiotap.h` for the fields' sizes
and alignments; PPI Packet Header 1.0.7 with its 802.11-Common field; the Prism header of
linux-wlan-ng; the AVS capture header 2.1.1. Strengths are dBm, frequencies MHz; None where the
header gives none, or gives a number in a unit of the card's own.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from skykeep.core.event import Finding, Severity

LINKTYPE_IEEE802_11 = 105
LINKTYPE_IEEE802_11_PRISM = 119
LINKTYPE_IEEE802_11_RADIOTAP = 127
LINKTYPE_IEEE802_11_AVS = 163
LINKTYPE_PPI = 192

FCS_BYTES = 4


@dataclass(frozen=True, slots=True)
class Heard:
    """Remote ID bytes from one transmitter: its address, the message counter, the carrier.

    `carrier` is `beacon`, `nan`, `bt4`, `bt5`, `french` or `dji`. The messages of the first four
    are for `remote_id.decode`, those of the others for the codec of that name; only the first
    four have a counter.
    """

    transmitter: str
    counter: int
    messages: bytes
    carrier: str
    rssi_dbm: int | None = None
    frequency_mhz: int | None = None


@dataclass(frozen=True, slots=True)
class Framed:
    """Where a frame lies in a packet, and what its receiver measured."""

    start: int
    end: int
    rssi_dbm: int | None = None
    frequency_mhz: int | None = None


def wifi_frame(linktype: int, data: bytes) -> Framed | Finding | None:
    """The 802.11 frame in a captured packet; None for a link type that is not Wi-Fi."""
    match linktype:
        case 105:
            return Framed(0, len(data))
        case 127:
            return _radiotap(data)
        case 192:
            return _ppi(data)
        case 119:
            return _prism(data)
        case 163:
            return _avs(data)
    return None


def broken(offset: int, what: str, problem: str) -> Finding:
    """A fault for which a whole frame is left out."""
    return Finding(f"byte {offset}: {what}", problem, "the frame is left out", Severity.ERROR)


def cut(offset: int, what: str, there: int, size: int) -> Finding:
    """A part that ends early."""
    return Finding(
        f"byte {offset}: {what}",
        f"ends after {there} of {size} bytes",
        "what is there is read",
        Severity.WARNING,
    )


_MORE = 0x8000_0000
#: Bytes and alignment of radiotap's first fields, in the order of their bits: TSFT, flags, rate,
#: channel, FHSS, signal in dBm.
_FIELDS = ((8, 8), (1, 1), (1, 1), (4, 2), (2, 2), (1, 1))
_FLAGS, _CHANNEL, _SIGNAL = 1, 3, 5
_HAS_FCS, _BAD_FCS = 0x10, 0x40


def _radiotap(frame: bytes) -> Framed | Finding:
    if len(frame) < 8:
        return broken(0, "radiotap", "cut short")
    version, length, present = struct.unpack_from("<BxHI", frame)
    if version != 0:
        return broken(0, "radiotap.version", f"version {version}")
    if not 8 <= length <= len(frame):
        return broken(2, "radiotap.length", f"{length} of {len(frame)} bytes")
    at, word = 8, present
    while word & _MORE:
        if at + 4 > length:
            return broken(4, "radiotap.present", "runs beyond the header")
        (word,) = struct.unpack_from("<I", frame, at)
        at += 4
    end, rssi, mhz = len(frame), None, None
    for bit, (size, alignment) in enumerate(_FIELDS):
        if not present >> bit & 1:
            continue
        at = (at + alignment - 1) // alignment * alignment
        if at + size > length:
            # What stands behind is not needed; the flags say whether the frame can be read at all.
            if bit > _FLAGS:
                break
            return broken(4, "radiotap.flags", "runs beyond the header")
        if bit == _FLAGS:
            if frame[at] & _BAD_FCS:
                return broken(at, "radiotap.flags", "the frame's check sequence failed")
            if frame[at] & _HAS_FCS:
                end = max(length, end - FCS_BYTES)
        elif bit == _CHANNEL:
            (mhz,) = struct.unpack_from("<H", frame, at)
        elif bit == _SIGNAL:
            (rssi,) = struct.unpack_from("<b", frame, at)
        at += size
    return Framed(length, end, rssi, mhz or None)


_PPI_COMMON = 2
_PPI_HAS_FCS, _PPI_BAD_FCS, _PPI_BAD_PHY = 0x1, 0x4, 0x8
_PPI_NO_SIGNAL = -128


def _ppi(data: bytes) -> Framed | Finding:
    if len(data) < 8:
        return broken(0, "ppi", "cut short")
    version, length, linktype = struct.unpack_from("<BxHI", data)
    if version != 0:
        return broken(0, "ppi.version", f"version {version}")
    if not 8 <= length <= len(data):
        return broken(2, "ppi.length", f"{length} of {len(data)} bytes")
    if linktype != LINKTYPE_IEEE802_11:
        return broken(4, "ppi.linktype", f"link type {linktype} is not 802.11")
    at, end, rssi, mhz = 8, len(data), None, None
    while at + 4 <= length:
        kind, size = struct.unpack_from("<HH", data, at)
        if kind == _PPI_COMMON and size >= 20 and at + 24 <= length:
            flags, mhz = struct.unpack_from("<8xH2xH", data, at + 4)
            (rssi,) = struct.unpack_from("<b", data, at + 22)
            if flags & (_PPI_BAD_FCS | _PPI_BAD_PHY):
                return broken(at + 12, "ppi.flags", "the frame's check sequence failed")
            if flags & _PPI_HAS_FCS:
                end = max(length, end - FCS_BYTES)
        at += 4 + size
    return Framed(length, end, None if rssi == _PPI_NO_SIGNAL else rssi, mhz or None)


_PRISM_LEAST_BYTES = 144  # code, length, device name and ten items of twelve bytes


def _prism(data: bytes) -> Framed | Finding:
    if len(data) < 8:
        return broken(0, "prism", "cut short")
    for order in "<>":
        (length,) = struct.unpack_from(order + "4xI", data)
        if _PRISM_LEAST_BYTES <= length <= len(data):
            # Its signal is in the card's own unit, so nothing is said of it.
            return Framed(length, len(data))
    return broken(4, "prism.length", f"{data[4:8].hex()} of {len(data)} bytes")


_AVS_LEAST_BYTES = 64
_AVS_MAGIC = 0x8021_1000
_AVS_DBM = 2  # ssi_type: dBm


def _avs(data: bytes) -> Framed | Finding:
    if len(data) < 8:
        return broken(0, "avs", "cut short")
    magic, length = struct.unpack_from(">II", data)
    if magic & 0xFFFF_F000 != _AVS_MAGIC & 0xFFFF_F000:
        return broken(0, "avs.version", f"{magic:#x}")
    if not _AVS_LEAST_BYTES <= length <= len(data):
        return broken(4, "avs.length", f"{length} of {len(data)} bytes")
    kind, signal = struct.unpack_from(">Ii", data, 44)
    known = kind == _AVS_DBM and -128 <= signal <= 0
    return Framed(length, len(data), signal if known else None)
