from __future__ import annotations

import gzip
import json
from pathlib import Path

import numpy as np
import pytest

from skykeep.core.geo import HeightReference
from skykeep.core.observation import Form
from skykeep.errors import InputError
from skykeep.feed import adsb_rows
from skykeep.feed.adsb_rows import read_rows
from skykeep.units import NS_PER_MS, SensorId

VECTORS = Path(__file__).parents[2] / "vectors" / "adsb"
SENSOR = SensorId("adsb-1")
ROW = {"icao24": "4b43ac", "latitude": 47.0, "longitude": 8.0, "timestamp": 1_558_732_719_000}


@pytest.mark.parametrize(
    ("name", "records", "different", "aircraft"),
    [
        ("luberon", 1602, 1602, {"ddfd15"}),
        ("rega_zh", 339, 339, {"4b43ac"}),
        ("samu31", 378, 378, {"39ac45"}),
        ("zurich_airport", 17132, 14835, None),
    ],
)
def test_recordings(name: str, records: int, different: int, aircraft: set[str] | None) -> None:
    path = VECTORS / f"{name}.json.gz"
    raw = json.loads(gzip.decompress(path.read_bytes()))
    assert len(raw) == records
    batches = list(read_rows(path, SENSOR))
    times = [b.receipt_time_ns for b in batches]
    assert times == sorted(set(times))
    assert times == sorted({r["timestamp"] * NS_PER_MS for r in raw})
    assert sum(len(b) for b in batches) == different
    assert len({b.batch_id for b in batches}) == len(batches)
    seen = {c.identity for b in batches for c in b.claims if c}
    assert seen == (aircraft or {r["icao24"] for r in raw})
    for b in batches:
        assert b.form is Form.POSITION
        assert (b.event_time_ns == b.receipt_time_ns).all()
        pressure = b.height_references == HeightReference.PRESSURE
        assert (np.isfinite(b.values[:, 2]) == pressure).all()
    doubles = [f for f in batches[0].findings if "doubles" in f.problem]
    assert len(doubles) == (records != different)
    assert not any(b.findings for b in batches[1:])


def test_values_of_one_row() -> None:
    first = next(read_rows(VECTORS / "rega_zh.json.gz", SENSOR))
    (o,) = first.rows()
    assert o.values == pytest.approx((47.3665008545, 8.5006713867, 1950.0 * 0.3048))
    speed = float(np.hypot(o.velocity_mps[0], o.velocity_mps[1]))
    assert speed == pytest.approx(51.0881149611 * 1852 / 3600)
    assert o.velocity_mps[0] > 0.99 * speed  # track 93 degrees
    assert o.velocity_mps[2] == pytest.approx(768 * 0.3048 / 60)
    assert o.claim is not None
    assert (o.claim.category, o.claim.crewed, o.claim.airborne) == ("REGA1", True, True)


def test_plain_json_and_shared_times(tmp_path: Path) -> None:
    path = tmp_path / "rows.json"
    path.write_text(json.dumps([ROW, ROW | {"icao24": "abcdef"}, ROW | {"latitude": None}]))
    (batch,) = read_rows(path, SENSOR)
    assert [c.identity for c in batch.claims if c] == ["4b43ac", "abcdef"]
    assert batch.findings[0].where == "rows.json: [2].latitude"


def test_nothing_usable_is_one_empty_batch(tmp_path: Path) -> None:
    path = tmp_path / "rows.json"
    path.write_text(json.dumps([ROW | {"timestamp": 0}]))
    (batch,) = read_rows(path, SENSOR)
    assert len(batch) == 0
    assert "timestamp" in batch.findings[0].where


def test_broken_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "rows.json.gz"
    whole = gzip.compress(json.dumps([ROW]).encode())
    for data in (whole[:-12], whole[:15] + b"\xff\xff" + whole[17:], b"\x1f\x8bnonsense", b"{"):
        path.write_bytes(data)
        with pytest.raises(InputError):
            list(read_rows(path, SENSOR))
    with pytest.raises(InputError, match="No such file"):
        list(read_rows(tmp_path / "none", SENSOR))
    path.write_bytes(whole)
    monkeypatch.setattr(adsb_rows, "MAX_FILE_BYTES", 50)
    with pytest.raises(InputError, match="over 50 bytes"):
        list(read_rows(path, SENSOR))
