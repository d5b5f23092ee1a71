"""Captured Remote ID through the whole feed: the published samples, cuts, other links."""

from __future__ import annotations

import itertools
import struct
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from skykeep.codec.pcap import write_pcap
from skykeep.core.geo import HeightReference
from skykeep.core.observation import Batch, Form
from skykeep.errors import InputError
from skykeep.feed.pcap import CaptureCounts, CaptureFeed, read_pcap
from skykeep.units import SensorId

VECTORS = Path(__file__).parents[2] / "vectors" / "remote_id"
RID = SensorId("rid")
MAC = "84:cc:a8:60:43:24"


def read(path: Path) -> tuple[list[Batch], list[str], CaptureFeed]:
    feed = read_pcap(path, RID)
    batches = list(feed)
    return batches, [f"{f.where}: {f.problem}" for b in batches for f in b.findings], feed


def test_the_beacon_sample() -> None:
    batches, findings, feed = read(VECTORS / "odid_wifi_bcn_sample.pcap")
    assert feed.counts == CaptureCounts(frames=21, ours=21)
    assert (feed.remote_id.packs, feed.remote_id.messages) == (21, 105)
    # Five packs say again, 0.4 s later, what the one before said.
    assert (feed.remote_id.observations, feed.remote_id.duplicates) == (16, 5)
    rows = [row for batch in batches for row in batch.rows()]
    assert len(rows) == 16
    claims = {row.claim for row in rows}
    (claim,) = claims
    assert claim is not None
    assert (claim.identity, claim.identity_type) == ("MFG1A0123456789", "serial_number")
    assert (claim.transmitter, claim.operator_id) == (MAC, "GBR-OP-123ABCD")
    assert claim.category == "EU open C4"
    # The location time is 0 in all of them: the receipt time stands in.
    assert all(row.event_time_ns == row.receipt_time_ns for row in rows)
    assert rows[0].receipt_time_ns == 1_621_633_931_161_999_000
    assert [f for f in findings if "differs from the receipt" in f and "more like" not in f] == [
        "location.time_tenths: differs from the receipt by more than 30 s"
    ]
    assert sum("says none although an identity is there" in f for f in findings) == 1
    assert rows[0].values == (45.5457468, -122.9681496, 237.0)
    assert {row.height_reference for row in rows} == {HeightReference.HAE}
    assert {row.words for row in rows} == {""}
    assert [b.batch_id for b in batches] == [f"rid/{i}" for i in range(1, 18)]
    assert len({row.raw_sha256 for row in rows}) == 16


def test_the_beacon_sample_moves_as_it_says() -> None:
    """Speed and direction fit the positions, so that no field was taken for another."""
    rows = [r for b in read(VECTORS / "odid_wifi_bcn_sample.pcap")[0] for r in b.rows()]
    cosines = []
    for before, after in itertools.pairwise(rows):
        north = (after.values[0] - before.values[0]) * 111_150
        east = (after.values[1] - before.values[1]) * 111_320 * np.cos(np.radians(45.546))
        velocity = np.add(before.velocity_mps[:2], after.velocity_mps[:2])
        step = np.array([east, north])
        cosines.append(step @ velocity / np.linalg.norm(step) / np.linalg.norm(velocity))
        assert np.hypot(*before.velocity_mps[:2]) == pytest.approx(20.5)
    assert np.median(cosines) > 0.95


def test_the_sample_without_an_identity() -> None:
    batches, findings, feed = read(VECTORS / "odid_wifi_sample.pcap")
    assert feed.counts == CaptureCounts(frames=63, ours=42, not_ours=21)
    counts = feed.remote_id
    assert (counts.packs, counts.messages) == (42, 42)
    # 17 different locations, of which 14 came in a NaN and in a beacon frame.
    assert (counts.observations, counts.duplicates) == (17, 14)
    rows = [row for batch in batches for row in batch.rows()]
    assert len({row.values for row in rows}) == 17
    assert all(np.diff([row.event_time_ns for row in rows]) > 0)
    for row in rows:
        assert row.form is Form.POSITION
        assert row.claim is not None
        assert (row.claim.identity, row.claim.transmitter) == (None, MAC)
    assert not any("basic_id" in f for f in findings)


def test_other_makers_beacons_are_counted_and_not_kept() -> None:
    batches, _, feed = read(VECTORS / "mavic_multiple_spoofed.pcapng")
    assert batches == []
    assert feed.counts == CaptureCounts(frames=239, not_ours=239)
    assert feed.remote_id.packs == 0
    assert feed.bytes_read == feed.bytes_total == 55_608


def test_a_capture_cut_anywhere_keeps_what_stands_before(tmp_path: Path) -> None:
    data = (VECTORS / "odid_wifi_bcn_sample.pcap").read_bytes()
    whole, _, _ = read(VECTORS / "odid_wifi_bcn_sample.pcap")
    record_bytes = 16 + 207
    path = tmp_path / "cut.pcap"
    for cut in range(24, len(data), 61):  # every byte of every record: tests/unit/codec
        path.write_bytes(data[:cut])
        batches, findings, feed = read(path)
        records, rest = divmod(cut - 24, record_bytes)
        assert feed.counts.frames == records
        rows = [row for batch in batches for row in batch.rows()]
        expected = [row for batch in whole for row in batch.rows()][: len(rows)]
        assert repr(rows) == repr(expected)
        assert feed.counts.findings == (rest != 0)
        assert any("cut.pcap: byte" in f for f in findings) == (rest != 0)


def test_no_capture_at_all(tmp_path: Path) -> None:
    path = tmp_path / "x.pcap"
    with pytest.raises(InputError, match="Give a readable file"):
        read_pcap(path, RID)
    path.write_bytes(b"not a capture")
    with pytest.raises(InputError, match="neither pcap nor pcapng"):
        list(read_pcap(path, RID))
    with pytest.raises(InputError, match=r"x.pcap|directory"):
        list(read_pcap(tmp_path, RID))


def frames(name: str) -> list[bytes]:
    data, at, out = (VECTORS / name).read_bytes(), 24, []
    while at < len(data):
        size = struct.unpack_from("<I", data, at + 8)[0]
        out.append(data[at + 16 : at + 16 + size])
        at += 16 + size
    return out


def test_other_links_and_unset_clocks_are_said_and_counted(tmp_path: Path) -> None:
    beacons = frames("odid_wifi_bcn_sample.pcap")
    path = tmp_path / "x.pcap"
    path.write_bytes(write_pcap([(1_700_000_000 * 10**9, b) for b in beacons[:3]], linktype=1))
    batches, findings, feed = read(path)
    assert feed.counts == CaptureCounts(frames=3, no_radio=3, findings=1)
    assert [len(b) for b in batches] == [0]
    assert findings == ["x.pcap: byte 24: packet.linktype: link type 1 is no radio that is known"]
    # The first two from 1970, the third good; without the capture header this time.
    times = [0, 5 * 10**9, 1_700_000_000 * 10**9]
    path.write_bytes(
        write_pcap([(t, b[17:]) for t, b in zip(times, beacons, strict=False)], linktype=105)
    )
    batches, findings, feed = read(path)
    assert feed.counts == CaptureCounts(frames=3, ours=1, undated=2, findings=2)
    assert sum(len(b) for b in batches) == 1
    assert sum("a time before 2000" in f for f in findings) == 2


def test_a_broken_frame_costs_no_other(tmp_path: Path) -> None:
    beacons = frames("odid_wifi_bcn_sample.pcap")
    broken = [b"\0\0\xff\xff" + beacons[0][4:], beacons[1][:-10], beacons[2]]
    path = tmp_path / "x.pcap"
    at_ns = 1_700_000_000 * 10**9
    path.write_bytes(write_pcap([(at_ns + i * 10**9, b) for i, b in enumerate(broken)], 127))
    batches, findings, feed = read(path)
    assert feed.counts == CaptureCounts(frames=3, ours=2, not_ours=1, findings=2)
    assert [len(b) for b in batches if len(b)] == [1, 1]
    kinds = Counter(f.rpartition(": ")[0].rpartition(": ")[2] for f in findings)
    assert kinds["radiotap.length"] == 1
    assert kinds["beacon.vendor_element"] == 1
    assert kinds["pack.messages"] == 1
