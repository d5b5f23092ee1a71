from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from skykeep.core.observation import Form
from skykeep.errors import InputError
from skykeep.feed import jsonl
from skykeep.feed.jsonl import read_file

T = 1_789_172_820_000_000_000


def bearing(at_ns: int = T, sensor: str = "df-1", **more: Any) -> str:
    line = {"sensor": sensor, "time": at_ns, "bearing": {"azimuth_deg": 1, "sigma_azimuth_deg": 4}}
    return json.dumps(line | {"received": at_ns} | more)


def sighting(at_ns: int = T, sensor: str = "df-1") -> str:
    line = {"sensor": sensor, "time": at_ns, "received": at_ns, "sighting": {"words": "a light"}}
    return json.dumps(line)


def write(tmp_path: Path, *lines: str) -> Path:
    path = tmp_path / "night.jsonl"
    path.write_text("\n".join(lines) + "\n")
    return path


def test_lines_in_a_row_share_a_batch(tmp_path: Path) -> None:
    kind = {"drone": 1, "bird": 0, "aircraft": 0, "clutter": 0}
    path = write(
        tmp_path,
        bearing(),
        bearing(),
        "",
        sighting(),
        bearing(sensor="df-2"),
        bearing(T + 1, "df-2"),
        bearing(T + 1, "df-2", received=T + 2),
        bearing(T + 1, "df-2", received=T + 2, kind=kind),
        bearing(),
    )
    batches = list(read_file(path))
    assert [len(b) for b in batches] == [2, 1, 1, 1, 1, 1, 1]
    assert [b.form for b in batches[:2]] == [Form.BEARING, Form.SIGHTING]
    assert [b.receipt_time_ns - T for b in batches] == [0, 0, 0, 1, 2, 2, 0]
    assert batches[5].kind_likelihood is not None
    assert len({b.batch_id for b in batches}) == len(batches)
    assert [o.row for o in batches[0].rows()] == [0, 1]
    assert len(batches[0].raw_at(1)) == 64
    assert not any(b.findings for b in batches)


def test_the_group_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jsonl, "MAX_GROUP", 3)
    assert [len(b) for b in read_file(write(tmp_path, *[bearing()] * 7))] == [3, 3, 1]


def test_broken_lines_beside_good_ones(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        '{"sensor": "x", ',
        bearing(),
        bearing(0),
        bearing().replace("4}", "NaN}"),
        "x" * 20_000,
        bearing(),
        bearing(T + 1),
        bearing().replace('"azimuth_deg": 1', '"azimuth_deg": 400'),
    )
    first, last = read_file(path)
    assert (len(first), len(last)) == (2, 1)
    assert [f.where for f in first.findings] == [
        "night.jsonl line 1: $",
        "night.jsonl line 3: $.time",
        "night.jsonl line 4: $",
        "night.jsonl line 5: line",
    ]
    assert [f.where for f in last.findings] == ["night.jsonl line 8: $.bearing.azimuth_deg"]


def test_missing_receipt_is_said_once(tmp_path: Path) -> None:
    bare = json.dumps({k: v for k, v in json.loads(bearing()).items() if k != "received"})
    (batch,) = read_file(write(tmp_path, bare, bare, bare))
    assert batch.receipt_time_ns == T
    assert [f.problem for f in batch.findings] == ["no receipt time"]


def test_nothing_but_rubbish(tmp_path: Path) -> None:
    (batch,) = read_file(write(tmp_path, *["rubbish"] * 30))
    assert len(batch) == 0
    assert len(batch.findings) == 21
    assert "10 more" in batch.findings[-1].problem
    assert list(read_file(write(tmp_path, ""))) == []
    with pytest.raises(InputError, match="No such file"):
        list(read_file(tmp_path / "none"))
