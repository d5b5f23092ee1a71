"""Remote ID in Bluetooth advertising, by every link type, and what is not ours."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skykeep.codec.capture import find_remote_id
from skykeep.codec.radio import Heard

ADDRESS = bytes.fromhex("c0ffee123456")
NAME = "c0:ff:ee:12:34:56"
MESSAGE = bytes(range(100, 125))
SERVICE = bytes((1 + 2 + 1 + 1 + len(MESSAGE), 0x16)) + b"\xfa\xff\x0d\x07" + MESSAGE
FLAGS = b"\x02\x01\x06"


def crc24(data: bytes) -> bytes:
    """Bit by bit, as the core specification draws the register (vol. 6 part B 3.1.1)."""
    register = [(0x555555 >> (23 - i)) & 1 for i in range(24)]  # position 23 first
    register.reverse()  # register[i] is position i
    for byte in data:
        for bit in range(8):
            feedback = register[23] ^ (byte >> bit & 1)
            register = [0, *register[:23]]
            for tap in (0, 1, 3, 4, 6, 9, 10):
                register[tap] ^= feedback
    out = bytearray(3)
    for i in range(24):  # position 23 is sent first, and the first bit is a byte's lowest
        out[i // 8] |= register[23 - i] << (i % 8)
    return bytes(out)


def pdu(kind: int, payload: bytes) -> bytes:
    head = bytes((kind | 0x40, len(payload)))
    return b"\xd6\xbe\x89\x8e" + head + payload + crc24(head + payload)


LEGACY = pdu(2, ADDRESS[::-1] + FLAGS + SERVICE)
#: Extended header: address and a data id (ADI), then the data.
EXTENDED = pdu(7, bytes((9, 0x09)) + ADDRESS[::-1] + b"\x01\x10" + SERVICE)
#: On the primary channel: no data, only where they are.
POINTER = pdu(7, bytes((6, 0x18)) + b"\x01\x10" + b"\x25\x10\x20")


def phdr(frame: bytes, flags: int, channel: int = 12, signal: int = -61) -> bytes:
    return struct.pack("<BbbBIH", channel, signal, -90, 0, 0x8E89BED6, flags) + frame


def h4(subevent: int, report: bytes, count: int = 1) -> bytes:
    body = bytes((subevent, count)) + report
    return bytes((0x04, 0x3E, len(body))) + body


def report(data: bytes, rssi: int = -70) -> bytes:
    return bytes((3, 1)) + ADDRESS[::-1] + bytes((len(data),)) + data + struct.pack("b", rssi)


def extended_report(data: bytes, kind: int, rssi: int = -70) -> bytes:
    head = struct.pack("<HB", kind, 1) + ADDRESS[::-1] + bytes((3, 3, 0))
    return head + struct.pack("<bbHB", 127, rssi, 0, 0) + bytes(6) + bytes((len(data),)) + data


def nordic(frame: bytes, version: int, flags: int = 1) -> bytes:
    inner = bytes((10, flags, 37, 66)) + bytes(6) + frame
    if version == 3:
        head = struct.pack("<HBHB", len(inner), 3, 99, 0x02)
    else:
        head = bytes((6, len(inner), version)) + struct.pack("<HB", 99, 0x06)
    return b"\x0b" + head + inner


def heard(carrier: str, rssi: int | None, mhz: int | None) -> Heard:
    return Heard(NAME, 7, MESSAGE, carrier, rssi, mhz)


@pytest.mark.parametrize(
    ("linktype", "packet", "expected"),
    [
        (251, LEGACY, heard("bt4", None, None)),
        (251, EXTENDED, heard("bt5", None, None)),
        (256, phdr(LEGACY, 0x0C02), heard("bt4", -61, 2426)),
        (256, phdr(LEGACY[:-3] + b"\0\0\0", 0x0C02), heard("bt4", -61, 2426)),  # checked before
        (256, phdr(EXTENDED, 0x0000, channel=39), heard("bt5", None, 2480)),
        (272, nordic(LEGACY, 2), heard("bt4", -66, 2402)),
        (272, nordic(EXTENDED, 3), heard("bt5", -66, 2402)),
        (187, h4(0x02, report(FLAGS + SERVICE)), heard("bt4", -70, None)),
        (187, h4(0x0D, extended_report(SERVICE, 0x13)), heard("bt4", -70, None)),
        (187, h4(0x0D, extended_report(SERVICE, 0x00)), heard("bt5", -70, None)),
        (201, b"\0\0\0\1" + h4(0x02, report(SERVICE, 127)), heard("bt4", None, None)),
    ],
)
def test_advertising(linktype: int, packet: bytes, expected: Heard) -> None:
    assert find_remote_id(linktype, packet) == ((expected,), ())


@pytest.mark.parametrize(
    ("linktype", "packet"),
    [
        (251, LEGACY[:-1] + bytes((LEGACY[-1] ^ 1,))),  # broken on the way
        (256, phdr(LEGACY, 0x0402)),  # the receiver says so
        (272, nordic(LEGACY, 2, flags=0)),
        (251, b"\x11" + LEGACY[1:]),  # not the advertising channel's address: a connection
        (251, pdu(5, ADDRESS[::-1] + SERVICE)),  # a request to connect
        (251, POINTER),
        (187, b"\x02" + h4(0x02, report(SERVICE))[1:]),  # data of a connection
        (187, h4(0x03, report(SERVICE))),
        (251, pdu(2, ADDRESS[::-1] + SERVICE.replace(b"\xfa\xff", b"\xfb\xff"))),
        (251, pdu(2, ADDRESS[::-1] + SERVICE.replace(b"\xff\x0d", b"\xff\x0e"))),
        (256, b""),
    ],
)
def test_what_is_not_ours_leaves_nothing(linktype: int, packet: bytes) -> None:
    found = find_remote_id(linktype, packet)
    assert found is not None
    assert found[0] == ()


def test_two_reports_in_one_event() -> None:
    found = find_remote_id(187, h4(0x02, report(SERVICE) + report(FLAGS + SERVICE, -50), 2))
    assert found is not None
    assert [h.rssi_dbm for h in found[0]] == [-70, -50]


def test_pieces_of_longer_data_are_said_and_left_out() -> None:
    found = find_remote_id(187, h4(0x0D, extended_report(SERVICE, 0x20)))
    assert found is not None
    heards, (finding,) = found
    assert (heards, finding.problem) == ((), "a piece of longer data")


def test_data_that_are_cut_are_read_as_far_as_they_go() -> None:
    found = find_remote_id(251, LEGACY[:-10])
    assert found is not None
    (one,), (finding,) = found
    assert one.messages == MESSAGE[:-7]
    assert finding.where.endswith("bt4.service_data")


STARTS = [LEGACY, EXTENDED, phdr(LEGACY, 2), h4(2, report(SERVICE)), nordic(LEGACY, 3), b""]


@given(
    st.sampled_from([251, 256, 272, 187, 201]),
    st.sampled_from(STARTS),
    st.integers(0, 60),
    st.binary(max_size=80),
)
def test_any_bytes_raise_nothing(linktype: int, start: bytes, cut: int, rest: bytes) -> None:
    found = find_remote_id(linktype, start[:cut] + rest)
    assert found is not None
    for h in found[0]:
        assert h.messages in start[:cut] + rest
