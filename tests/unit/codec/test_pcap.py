"""Capture files: both formats and byte orders, every truncation, any bytes."""

from __future__ import annotations

import io
import itertools
import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skykeep.codec.pcap import (
    MAX_PACKET_BYTES,
    Packet,
    read_packets,
    write_pcap,
)
from skykeep.codec.radio import LINKTYPE_IEEE802_11, LINKTYPE_IEEE802_11_RADIOTAP
from skykeep.core.event import Finding
from skykeep.errors import InputError

VECTORS = Path(__file__).parents[2] / "vectors" / "remote_id"
AT_S = 1_700_000_000
AT_NS = AT_S * 1_000_000_000


def read(data: bytes) -> tuple[list[Packet], list[Finding]]:
    items = list(read_packets(data))
    return (
        [i for i in items if isinstance(i, Packet)],
        [i for i in items if isinstance(i, Finding)],
    )


def pcap(
    order: str,
    magic: int,
    records: list[tuple[int, int, bytes]],
    linktype: int = LINKTYPE_IEEE802_11_RADIOTAP,
) -> bytes:
    head = struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, 65_535, linktype)
    return head + b"".join(
        struct.pack(order + "IIII", s, f, len(d), len(d)) + d for s, f, d in records
    )


def block(order: str, kind: int, body: bytes) -> bytes:
    body += bytes(-len(body) % 4)
    size = struct.pack(order + "I", len(body) + 12)
    return struct.pack(order + "I", kind) + size + body + size


def section(order: str) -> bytes:
    return block(order, 0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1))


def interface(order: str, *options: tuple[int, bytes], linktype: int = 127, snap: int = 0) -> bytes:
    body = struct.pack(order + "HHI", linktype, 0, snap)
    for code, value in options:
        body += struct.pack(order + "HH", code, len(value)) + value + bytes(-len(value) % 4)
    return block(order, 1, body + bytes(4) if options else body)


def enhanced(
    order: str, ticks: int, data: bytes, number: int = 0, size: int | None = None
) -> bytes:
    size = len(data) if size is None else size
    head = struct.pack(order + "IIIII", number, ticks >> 32, ticks & 0xFFFF_FFFF, size, size)
    return block(order, 6, head + data)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(("magic", "step_ns"), [(0xA1B2C3D4, 1000), (0xA1B23C4D, 1)])
def test_pcap_in_both_orders_and_resolutions(order: str, magic: int, step_ns: int) -> None:
    packets, findings = read(pcap(order, magic, [(AT_S, 123_456, b"abc"), (AT_S + 1, 0, b"")]))
    assert findings == []
    assert packets == [
        Packet(AT_NS + 123_456 * step_ns, 127, b"abc", 24),
        Packet(AT_NS + 1_000_000_000, 127, b"", 24 + 16 + 3),
    ]


def test_linktype_without_its_check_sequence_bits() -> None:
    (packet,), _ = read(pcap("<", 0xA1B2C3D4, [(AT_S, 0, b"x")], 0xF000_0000 | 105))
    assert packet.linktype == LINKTYPE_IEEE802_11


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(
    ("options", "ticks", "at_ns"),
    [
        ((), AT_S * 1_000_000 + 7, AT_NS + 7_000),
        (((9, b"\x09"),), AT_NS + 7, AT_NS + 7),
        (((9, b"\x03"),), AT_S * 1000 + 7, AT_NS + 7_000_000),
        (((9, b"\x8a"),), AT_S * 1024 + 512, AT_NS + 500_000_000),
        (((2, b"wlan0"), (9, b"\x06")), AT_S * 1_000_000, AT_NS),
    ],
)
def test_pcapng_in_both_orders_and_resolutions(
    order: str, options: tuple[tuple[int, bytes], ...], ticks: int, at_ns: int
) -> None:
    data = section(order) + interface(order, *options) + enhanced(order, ticks, b"abcde")
    packets, findings = read(data)
    assert findings == []
    assert [(p.at_ns, p.linktype, p.data) for p in packets] == [(at_ns, 127, b"abcde")]


def test_pcapng_time_offset() -> None:
    offset = struct.pack("<q", AT_S)
    (packet,), _ = read(section("<") + interface("<", (14, offset)) + enhanced("<", 5, b"a"))
    assert packet.at_ns == AT_NS + 5_000


def test_pcapng_simple_packets_have_no_time() -> None:
    data = section("<") + interface("<", snap=3) + block("<", 3, struct.pack("<I", 9) + b"abcdef")
    (packet,), (finding,) = read(data)
    assert (packet.at_ns, packet.data) == (None, b"abc")
    assert finding.where.endswith("packet.time")


def test_pcapng_sections_and_unknown_blocks() -> None:
    data = (
        section("<")
        + interface("<")
        + block("<", 5, bytes(20))
        + enhanced("<", AT_S * 1_000_000, b"one")
        + section(">")
        + interface(">", linktype=105)
        + enhanced(">", AT_S * 1_000_000, b"two")
    )
    packets, findings = read(data)
    assert findings == []
    assert [(p.linktype, p.data) for p in packets] == [(127, b"one"), (105, b"two")]


def test_pcapng_keeps_the_good_beside_the_bad() -> None:
    good = enhanced("<", AT_S * 1_000_000, b"good")
    mismatch = bytearray(good)
    mismatch[-4] ^= 0x04
    start = section("<") + interface("<")
    for bad, where in [
        (enhanced("<", AT_S * 1_000_000, b"x", number=1), "packet.interface"),
        (enhanced("<", AT_S * 1_000_000, b"x", size=5), "packet.captured_length"),
        (block("<", 6, bytes(8)), "packet"),
        (block("<", 1, bytes(4)), "interface"),
    ]:
        packets, (finding,) = read(start + bad + good)
        assert [p.data for p in packets] == [b"good"]
        assert finding.where == f"byte {len(start)}: {where}"
    packets, (finding,) = read(start + bytes(mismatch) + good)
    assert [p.data for p in packets] == [b"good", b"good"]
    assert finding.where == f"byte {len(start) + len(good) - 4}: block.length"


@pytest.mark.parametrize("at_s", [0, 100, 7_258_118_400])
def test_a_clock_that_was_not_set_gives_no_time(at_s: int) -> None:
    ticks = at_s * 1_000_000
    (packet,), (finding,) = read(section("<") + interface("<") + enhanced("<", ticks, b"x"))
    assert packet.at_ns is None
    assert finding.where.endswith("packet.time")


def test_pcap_faults_name_their_byte() -> None:
    good = pcap("<", 0xA1B2C3D4, [(AT_S, 0, b"abc")])
    huge = struct.pack("<IIII", AT_S, 0, MAX_PACKET_BYTES + 1, 10)
    packets, (finding,) = read(good + huge + bytes(50))
    assert [p.data for p in packets] == [b"abc"]
    assert finding.where == f"byte {len(good) + 8}: record.captured_length"
    packets, (finding,) = read(pcap("<", 0xA1B2C3D4, [(AT_S, 1_500_000, b"abc")]))
    assert packets[0].at_ns == AT_NS + 1_500_000_000
    assert finding.where == "byte 28: record.fraction"
    packets, (finding,) = read(pcap("<", 0xA1B2C3D4, [(1, 0, b"abc"), (AT_S, 0, b"d")]))
    assert [p.at_ns for p in packets] == [None, AT_NS]
    assert finding.where == "byte 24: packet.time"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xd4\xc3",
        b"GIF89a",
        b"\xd4\xc3\xb2\xa1" + bytes(19),
        section("<")[:11],
        section("<")[:27],
        b"\x0a\x0d\x0d\x0a" + bytes(24),
        b"\x0a\x0d\x0d\x0a\xff\xff\xff\xff\x4d\x3c\x2b\x1a" + bytes(24),
    ],
)
def test_a_hopeless_header_is_an_error_at_once(data: bytes) -> None:
    with pytest.raises(InputError, match="byte"):
        read_packets(data)


def record_ends(data: bytes) -> list[int]:
    """Where each record or block ends, read as literally as can be."""
    ends = []
    if data[:4] == b"\xd4\xc3\xb2\xa1":
        at = 24
        ends.append(at)
        while at < len(data):
            at += 16 + struct.unpack_from("<I", data, at + 8)[0]
            ends.append(at)
        return ends
    at = 0
    while at < len(data):
        at += struct.unpack_from("<I", data, at + 4)[0]
        ends.append(at)
    return ends


@pytest.mark.parametrize("name", ["odid_wifi_bcn_sample.pcap", "odid_wifi_sample.pcap"])
def test_a_pcap_cut_at_every_byte_gives_what_stands_before(name: str) -> None:
    data = (VECTORS / name).read_bytes()
    ends = record_ends(data)
    whole, _ = read(data)
    assert ends[-1] == len(data)
    for cut in range(len(data)):
        if cut < 24:
            with pytest.raises(InputError):
                read(data[:cut])
            continue
        packets, findings = read(data[:cut])
        assert packets == whole[: sum(end <= cut for end in ends[1:])]
        assert len(findings) == (cut not in ends)
        if findings:
            last = max(end for end in ends if end <= cut)
            assert findings[0].where.startswith((f"byte {last}:", f"byte {last + 16}:"))


def test_a_pcapng_cut_at_every_byte_gives_what_stands_before() -> None:
    data = (VECTORS / "mavic_multiple_spoofed.pcapng").read_bytes()
    ends = record_ends(data)
    for cut in range(ends[0]):
        with pytest.raises(InputError):
            read(data[:cut])
    # What stands before a block does not matter to how a cut in it is read, so that the
    # section and its interface with one cut block behind them try every byte of the file.
    head = data[: ends[1]]
    for start, end in itertools.pairwise(ends):
        before = head if start >= ends[1] else data[:start]
        for cut in range(start + 1, end):
            packets, (finding,) = read(before + data[start:cut])
            assert packets == []
            assert finding.where.startswith(f"byte {len(before)}: block")
    assert len(read(data)[0]) == 239


def test_a_stream_is_read_as_bytes_are() -> None:
    path = VECTORS / "odid_wifi_sample.pcap"
    with path.open("rb") as file:
        assert list(read_packets(file)) == list(read_packets(path.read_bytes()))


@given(st.lists(st.tuples(st.integers(950_000_000 * 10**9, 2**32 * 10**9 - 1), st.binary())))
def test_what_is_written_is_read(packets: list[tuple[int, bytes]]) -> None:
    read_back, findings = read(write_pcap(packets, 105))
    assert findings == []
    assert [(p.at_ns, p.data) for p in read_back] == packets
    assert all(p.linktype == 105 for p in read_back)


def test_the_writer_names_what_it_cannot_write() -> None:
    with pytest.raises(InputError, match="time"):
        write_pcap([(-1, b"")], 105)
    with pytest.raises(InputError, match="packet"):
        write_pcap([(AT_NS, bytes(MAX_PACKET_BYTES + 1))], 105)


HEADS = [
    pcap("<", 0xA1B2C3D4, []),
    pcap(">", 0xA1B23C4D, []),
    section("<"),
    section("<") + interface("<"),
    section(">") + interface(">", (9, b"\x09")),
]


@given(st.sampled_from([b"", *HEADS]), st.binary(max_size=200))
def test_any_bytes_give_packets_findings_or_an_input_error(head: bytes, rest: bytes) -> None:
    try:
        for item in read_packets(io.BytesIO(head + rest)):
            assert isinstance(item, Packet | Finding)
    except InputError:
        assert head == b""


@given(st.data())
def test_a_flipped_byte_is_never_more_than_a_finding(data: st.DataObject) -> None:
    blocks = section("<") + interface("<", (9, b"\x09")) + enhanced("<", AT_NS, b"abcdefg") * 3
    place = data.draw(st.integers(len(section("<")), len(blocks) - 1))
    flipped = bytearray(blocks)
    flipped[place] ^= data.draw(st.integers(1, 255))
    assert len(list(read_packets(bytes(flipped)))) <= 8
