"""Remote ID in 802.11 frames: carriers, capture headers, cuts, and what is not ours."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skykeep.codec.pcap import Packet, read_packets
from skykeep.codec.radio import Heard
from skykeep.codec.wifi import find_in_wifi, speaker_of

VECTORS = Path(__file__).parents[2] / "vectors" / "remote_id"
MAC = "84:cc:a8:60:43:24"
SOURCE = bytes.fromhex("84cca8604324")
MESSAGES = bytes(range(100, 128))
DJI = b"\xdd\x07\x26\x37\x12secr"


def header(control: int, flags: int = 0) -> bytes:
    rest = b"\xff" * 6 + SOURCE + b"\x50\x6f\x9a\x01\x00\xff" + b"\0\0"
    return bytes((control, flags, 0, 0)) + rest + (bytes(4) if flags & 0x80 else b"")


def element(payload: bytes) -> bytes:
    return bytes((221, len(payload))) + payload


def beacon(*elements: bytes, flags: int = 0) -> bytes:
    return header(0x80, flags) + bytes(12) + b"\x00\x04name" + b"".join(elements)


def nan(control: int, optional: bytes = b"", flags: int = 0) -> bytes:
    value = bytes.fromhex("8869199d9209") + bytes((1, 0, control)) + optional
    attribute = b"\x03" + struct.pack("<H", len(value)) + value
    other = bytes.fromhex("0e0400010002aa")
    return header(0xD0, flags) + bytes.fromhex("0409506f9a13") + other + attribute


INFO = bytes((1 + len(MESSAGES), 7)) + MESSAGES
OURS = element(b"\xfa\x0b\xbc\x0d\x07" + MESSAGES)


def radiotap(frame: bytes, flags: int | None = 0, *, timed: bool = False, more: int = 0) -> bytes:
    present = (0 if flags is None else 2) | (1 if timed else 0) | (0x8000_0000 if more else 0)
    words = struct.pack("<I", present)
    for i in range(more):
        words += struct.pack("<I", 0x8000_0000 if i + 1 < more else 0)
    fields = b""
    if timed:
        fields += bytes(-(4 + len(words)) % 8) + b"\xff" * 8
    if flags is not None:
        fields += bytes((flags,))
    return b"\0\0" + struct.pack("<H", 4 + len(words) + len(fields)) + words + fields + frame


@pytest.mark.parametrize("flags", [0x00, 0x80])
def test_a_beacon(flags: int) -> None:
    frame = beacon(DJI, OURS, DJI, flags=flags)
    assert find_in_wifi(105, frame) == ((Heard(MAC, 7, MESSAGES, "beacon"),), ())


@pytest.mark.parametrize(
    ("control", "optional"),
    [
        (0x10, INFO),
        (0x50, b"\x01\x02" + INFO),
        (0x14, b"\x03abc" + INFO),
        (0x18, b"\x02xy" + INFO),
        (0x5C, b"\x01\x02" + b"\x03abc" + b"\x02xy" + INFO),
    ],
)
def test_service_discovery_with_every_optional_field(control: int, optional: bytes) -> None:
    frame = nan(control, optional)
    assert find_in_wifi(105, frame) == ((Heard(MAC, 7, MESSAGES, "nan"),), ())


@pytest.mark.parametrize("timed", [False, True])
@pytest.mark.parametrize("more", [0, 1, 2])
def test_capture_headers(timed: bool, more: int) -> None:
    expected = ((Heard(MAC, 7, MESSAGES, "beacon"),), ())
    frame = beacon(OURS)
    for flags in (None, 0x00):
        assert find_in_wifi(127, radiotap(frame, flags, timed=timed, more=more)) == (expected)
    # With a frame check sequence behind the frame, which must not be taken for message bytes.
    with_fcs = radiotap(frame[:-4] + b"\1\2\3\4", 0x10, timed=timed, more=more)
    (cut,), (finding,) = find_in_wifi(127, with_fcs)
    assert cut.messages == MESSAGES[:-4]
    assert finding.where.endswith("beacon.vendor_element")
    heard, (finding,) = find_in_wifi(127, radiotap(frame, 0x50, timed=timed, more=more))
    assert heard == ()
    assert "check sequence failed" in finding.problem


@pytest.mark.parametrize(
    ("data", "where"),
    [
        (b"", "byte 0: radiotap"),
        (b"\1\0\x08\0\0\0\0\0", "byte 0: radiotap.version"),
        (b"\0\0\x09\0\0\0\0\0", "byte 2: radiotap.length"),
        (b"\0\0\x04\0\0\0\0\0", "byte 2: radiotap.length"),
        (b"\0\0\x08\0\0\0\0\x80", "byte 4: radiotap.present"),
        (b"\0\0\x08\0\2\0\0\0", "byte 4: radiotap.flags"),
    ],
)
def test_broken_capture_headers(data: bytes, where: str) -> None:
    heard, (finding,) = find_in_wifi(127, data)
    assert (heard, finding.where) == ((), where)


@pytest.mark.parametrize(
    "frame",
    [
        b"",
        beacon(),
        beacon(DJI),
        beacon(element(b"\xfa\x0b\xbc\x0e\x07" + MESSAGES)),  # another type of the same vendor
        beacon(OURS, flags=0x40),  # encrypted
        header(0x88) + bytes(12) + OURS,  # a data frame
        header(0x40) + OURS,  # a probe request
        header(0x81) + bytes(12) + OURS,  # another protocol version
        nan(0x10, INFO).replace(b"\x88\x69\x19", b"\x88\x69\x18"),  # another service
        header(0xD0) + bytes.fromhex("0409506f9a14") + INFO,
    ],
)
def test_what_is_not_ours_leaves_nothing(frame: bytes) -> None:
    assert find_in_wifi(105, frame) == ((), ())


@pytest.mark.parametrize(
    ("frame", "field"),
    [
        (beacon(element(b"\xfa\x0b\xbc\x0d")), "beacon.vendor_element"),
        (nan(0x00), "nan.service_control"),
        (nan(0x10), "nan.service_info"),
        (nan(0x10, b"\0"), "nan.service_info"),
        (nan(0x14, b"\xff" + INFO), "nan.service_info"),
    ],
)
def test_ours_without_a_message(frame: bytes, field: str) -> None:
    heard, (finding,) = find_in_wifi(105, frame)
    assert heard == ()
    assert finding.where.endswith(field)


@pytest.mark.parametrize("frame", [beacon(OURS), nan(0x10, INFO)])
def test_a_frame_cut_at_every_byte_gives_what_is_there(frame: bytes) -> None:
    kept = []
    for cut in range(len(frame)):
        heard, findings = find_in_wifi(105, frame[:cut])
        for h in heard:
            assert (h.transmitter, h.counter) == (MAC, 7)
            assert h.messages == MESSAGES[: len(h.messages)]
            assert findings
            kept.append(len(h.messages))
    assert kept == list(range(len(MESSAGES)))


def test_two_elements_in_one_beacon() -> None:
    heard, _ = find_in_wifi(105, beacon(OURS, element(b"\xfa\x0b\xbc\x0d\x08xyz")))
    assert [(h.counter, h.messages) for h in heard] == [(7, MESSAGES), (8, b"xyz")]


@pytest.mark.parametrize(
    ("name", "frames", "nan_frames", "beacons", "counters"),
    [
        ("odid_wifi_bcn_sample.pcap", 21, 0, 21, 21),
        ("odid_wifi_sample.pcap", 63, 21, 21, 23),
        ("mavic_multiple_spoofed.pcapng", 239, 0, 0, 0),
    ],
)
def test_captures(name: str, frames: int, nan_frames: int, beacons: int, counters: int) -> None:
    packets = [p for p in read_packets((VECTORS / name).read_bytes()) if isinstance(p, Packet)]
    found = [find_in_wifi(127, p.data) for p in packets]
    assert not any(findings for _, findings in found)
    heard = [h for hs, _ in found for h in hs]
    assert len(packets) == frames
    assert sum(h.carrier == "nan" for h in heard) == nan_frames
    assert sum(h.carrier == "beacon" for h in heard) == beacons
    assert {h.transmitter for h in heard} == ({MAC} if heard else set())
    assert len({h.counter for h in heard}) == counters


STARTS = [b"", beacon(), nan(0x5C), beacon(OURS), radiotap(beacon()), radiotap(nan(0x10), 0x10)]


@given(st.sampled_from(STARTS), st.binary(max_size=200), st.booleans())
def test_any_bytes_raise_nothing(start: bytes, rest: bytes, radiotap_header: bool) -> None:
    heard, _ = find_in_wifi(127 if radiotap_header else 105, start + rest)
    for h in heard:
        assert len(h.transmitter) == 17
        assert h.messages in start + rest


@given(st.sampled_from(STARTS), st.binary(max_size=200), st.booleans())
def test_a_glance_misses_nothing(start: bytes, rest: bytes, radiotap_header: bool) -> None:
    linktype = 127 if radiotap_header else 105
    heard, _ = find_in_wifi(linktype, start + rest, dji=True)
    for h in heard:
        assert speaker_of(linktype, start + rest) == h.transmitter


def test_at_a_glance() -> None:
    assert speaker_of(105, beacon(OURS)) == speaker_of(127, radiotap(beacon(OURS))) == MAC
    assert speaker_of(105, nan(0x10, INFO)) == MAC
    assert speaker_of(105, beacon(element(b"\x00\x50\xf2\x01"))) == ""
    assert speaker_of(192, beacon(OURS)) is None
