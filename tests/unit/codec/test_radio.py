"""Headers of captured Wi-Fi frames: strength, channel, where the frame lies."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skykeep.codec.radio import Framed, wifi_frame
from skykeep.core.event import Finding

FRAME = bytes(range(40))


def radiotap(present: int, fields: bytes) -> bytes:
    return struct.pack("<BxHI", 0, 8 + len(fields), present) + fields + FRAME


def ppi(flags: int, signal: int, linktype: int = 105) -> bytes:
    common = struct.pack("<QHHHHBBbb", 0, flags, 12, 2437, 0, 0, 0, signal, -95)
    other = struct.pack("<HH4x", 30_002, 4)
    fields = other + struct.pack("<HH", 2, len(common)) + common
    return struct.pack("<BBHI", 0, 0, 8 + len(fields), linktype) + fields + FRAME


def avs(kind: int, signal: int) -> bytes:
    head = struct.pack(">IIQQIIIIIIiiII", 0x80211001, 64, 0, 0, 4, 6, 10, 0, 0, kind, signal, -90,
                       1, 1)  # fmt: skip
    return head + FRAME


@pytest.mark.parametrize(
    ("linktype", "data", "framed"),
    [
        (105, FRAME, Framed(0, 40)),
        # flags, rate, channel (frequency, flags), signal
        (127, radiotap(0x2E, struct.pack("<BBHHb", 0, 2, 2437, 0xA0, -48)),
         Framed(15, 55, -48, 2437)),
        # time (8 aligned), flags with a check sequence, channel after a byte of alignment
        (127, radiotap(0x2B, struct.pack("<QBxHHb", 1, 0x10, 5745, 0x140, -80)),
         Framed(23, 59, -80, 5745)),
        # channel, hopping, signal
        (127, radiotap(0x38, struct.pack("<HHHb", 2412, 0, 0, -33)), Framed(15, 55, -33, 2412)),
        (127, radiotap(0x20, b""), Framed(8, 48)),  # announced, but not there
        (192, ppi(0, -51), Framed(40, 80, -51, 2437)),
        (192, ppi(1, -128), Framed(40, 76, None, 2437)),
        (119, struct.pack("<II", 0x44, 144) + bytes(136) + FRAME, Framed(144, 184)),
        (119, struct.pack(">II", 0x44, 144) + bytes(136) + FRAME, Framed(144, 184)),
        (163, avs(2, -67), Framed(64, 104, -67)),
        (163, avs(1, 120), Framed(64, 104, None)),
    ],
)  # fmt: skip
def test_headers(linktype: int, data: bytes, framed: Framed) -> None:
    assert wifi_frame(linktype, data) == framed


@pytest.mark.parametrize(
    ("linktype", "data", "where"),
    [
        (192, b"", "byte 0: ppi"),
        (192, b"\1" + ppi(0, 0)[1:], "byte 0: ppi.version"),
        (192, ppi(0, 0)[:20], "byte 2: ppi.length"),
        (192, ppi(0, 0, 1), "byte 4: ppi.linktype"),
        (192, ppi(4, 0), "byte 28: ppi.flags"),
        (119, b"1234", "byte 0: prism"),
        (119, bytes(150), "byte 4: prism.length"),
        (163, b"", "byte 0: avs"),
        (163, bytes(64), "byte 0: avs.version"),
        (163, avs(2, 0)[:60], "byte 4: avs.length"),
    ],
)
def test_broken_headers(linktype: int, data: bytes, where: str) -> None:
    found = wifi_frame(linktype, data)
    assert isinstance(found, Finding)
    assert found.where == where


@given(st.sampled_from([105, 119, 127, 163, 192]), st.binary(max_size=200))
def test_any_bytes(linktype: int, data: bytes) -> None:
    framed = wifi_frame(linktype, data)
    if isinstance(framed, Framed):
        assert 0 <= framed.start <= framed.end <= len(data)
    else:
        assert isinstance(framed, Finding)
