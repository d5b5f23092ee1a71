"""Many packs at once against the literal decoder, on whole, broken and any bytes."""

from __future__ import annotations

import math
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from skykeep.codec.capture import find_remote_id
from skykeep.codec.pcap import Packet, read_packets
from skykeep.codec.remote_id import Location, decode, encode_message, encode_pack
from skykeep.codec.remote_id_batch import COLUMNS, decode_many, row_of
from skykeep.codec.remote_id_messages import MESSAGE_BYTES
from skykeep.errors import InputError
from tests.unit.codec.test_remote_id import MESSAGES

VECTORS = Path(__file__).parents[2] / "vectors" / "remote_id"


def same(one: list[float], other: list[float]) -> bool:
    pairs = zip(one, other, strict=True)
    return all(a == b or (math.isnan(a) and math.isnan(b)) for a, b in pairs)


def check(packs: list[bytes]) -> int:
    """Everything that the columns say is what the literal decoder says; how many locations."""
    decoded, located = decode_many(packs), 0
    assert decoded.columns.shape[1] == COLUMNS
    for i, pack in enumerate(packs):
        try:
            messages, findings = decode(pack)
        except InputError:
            assert decoded.odd[i]
            assert decoded.first[i] == decoded.first[i + 1]
            continue
        if decoded.odd[i]:
            assert findings
            continue
        rows = range(decoded.first[i], decoded.first[i + 1])
        assert len(rows) == len(messages)
        for row, message in zip(rows, messages, strict=True):
            start = int(decoded.start[row])
            places = range(start, start + MESSAGE_BYTES)
            amiss = [f for f in findings if int(f.where.split(":")[0][5:]) in places]
            assert decoded.pack[row] == i
            assert decoded.kind[row] == pack[start] >> 4
            if isinstance(message, Location):
                assert decoded.plain[row] == (not amiss)
                if not amiss:
                    located += 1
                    assert same(decoded.columns[row].tolist(), row_of(message))
            else:
                assert not decoded.plain[row]
    return located


PACKS = st.lists(MESSAGES, min_size=1, max_size=9).map(encode_pack)


@settings(max_examples=40)
@given(st.lists(PACKS | MESSAGES.map(encode_message), max_size=6))
def test_what_is_well_formed(packs: list[bytes]) -> None:
    locations = sum(isinstance(m, Location) for p in packs for m in decode(p)[0])
    assert check(packs) <= locations


@st.composite
def broken(draw: st.DrawFn) -> bytes:
    data = bytearray(draw(PACKS))
    for _ in range(draw(st.integers(0, 4))):
        data[draw(st.integers(0, len(data) - 1))] = draw(st.integers(0, 255))
    return bytes(data[: draw(st.integers(0, len(data)))] if draw(st.booleans()) else data)


@settings(max_examples=60)
@given(st.lists(broken() | st.binary(max_size=60), max_size=5))
def test_what_is_broken(packs: list[bytes]) -> None:
    check(packs)


def test_captures() -> None:
    heard = [
        h.messages
        for name in ("odid_wifi_bcn_sample.pcap", "odid_wifi_sample.pcap")
        for p in read_packets((VECTORS / name).read_bytes())
        if isinstance(p, Packet)
        for h in (find_remote_id(p.linktype, p.data) or ((), ()))[0]
    ]
    assert len(heard) == 63
    assert check(heard) == 52
