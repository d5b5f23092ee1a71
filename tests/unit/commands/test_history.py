"""`skykeep history`: of a record, of a copy, and what it says where it cannot answer."""

from __future__ import annotations

import csv
import io
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from skykeep.cli import main
from skykeep.codec.moment import format_moment
from skykeep.commands.recompute import recompute
from skykeep.store.record_store import RecordStore
from tests.sky import SERIAL, at
from tests.unit.store.history_scene import (
    HISTORY,
    copy_of,
    keys_of,
    observations_in,
    play,
    states_in,
)

Captured = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder: Path = tmp_path_factory.mktemp("night") / "record"
    play(folder, 8)
    return folder


@pytest.fixture
def folder(night: Path, tmp_path: Path) -> Path:
    return copy_of(night, tmp_path / "record")


@pytest.fixture(scope="module")
def seen(night: Path, tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    store = RecordStore(copy_of(night, tmp_path_factory.mktemp("seen") / "record"), "", audit=True)
    try:
        return observations_in(store)
    finally:
        store.close()


def asked(capsys: Captured, *words: str) -> list[tuple[int, int]]:
    assert main(["history", "query", *words, "--format", "json"]) == 0
    return [(r["entry"], r["row"]) for r in json.loads(capsys.readouterr().out)]


def test_it_is_brought_up_to_its_record_and_asked(
    folder: Path, seen: list[dict[str, Any]], capsys: Captured
) -> None:
    where = str(folder)
    assert asked(capsys, where) == keys_of(seen, lambda r: True)
    assert asked(capsys, where, "--limit", "3") == keys_of(seen, lambda r: True)[:3]
    span = ("--from", format_moment(at(2.0)), "--to", format_moment(at(4.0)))
    assert asked(capsys, where, *span) == keys_of(
        seen, lambda r: bool(at(2.0) <= r["at_ns"] < at(4.0))
    )
    lat, lon = seen[0]["lat"], seen[0]["lon"]
    box = [f"{v:.9f}" for v in (lon - 1e-3, lat - 1e-3, lon + 1e-3, lat + 1e-3)]
    near = keys_of(seen, lambda r: abs(r["lat"] - lat) <= 1e-3 and abs(r["lon"] - lon) <= 1e-3)
    assert 0 < len(near) < len(seen)
    assert asked(capsys, where, "--box", *box) == near
    assert asked(capsys, where, "--sensor", "df") == keys_of(seen, lambda r: r["sensor"] == "df")
    assert asked(capsys, where, "--serial", SERIAL) == keys_of(
        seen, lambda r: bool(r["serial"] == SERIAL)
    )
    assert asked(capsys, where, "--serial", SERIAL, "--tracks")
    assert main(["looks", where]) == 0
    assert "history of one serial number" in capsys.readouterr().out
    assert recompute(folder).faults == []
    copy = str(copy_of(folder / HISTORY, folder.parent / "copy"))
    assert asked(capsys, copy) == keys_of(seen, lambda r: True)
    assert main(["history", "query", copy, "--serial", SERIAL]) == 2
    assert "needs the record's keys" in capsys.readouterr().err


def test_every_form_says_the_same(
    folder: Path, seen: list[dict[str, Any]], capsys: Captured
) -> None:
    query = ["history", "query", str(folder)]
    assert main([*query, "--format", "csv"]) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [(int(r["entry"]), int(r["row"])) for r in rows] == keys_of(seen, lambda r: True)
    assert main([*query, "--format", "geojson"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["type"] == "FeatureCollection"
    for feature, row in zip(document["features"], seen, strict=True):
        lon, lat = feature["geometry"]["coordinates"][:2]
        assert (lon, lat) == pytest.approx((row["lon"], row["lat"]), abs=1e-6)
        assert feature["properties"]["sensor"] == row["sensor"]
    assert main([*query, "--tracks", "--limit", "2"]) == 0
    said = capsys.readouterr()
    assert "T00001" in said.out
    assert "there is more than 2 rows" in said.err
    assert main([*query, "--sensor", "nobody"]) == 0
    assert "nothing is found" in capsys.readouterr().err


def test_list_and_rebuild(folder: Path, seen: list[dict[str, Any]], capsys: Captured) -> None:
    assert main(["history", "list", str(folder)]) == 2
    assert main(["history", "rebuild", str(folder)]) == 0
    store = RecordStore(folder, "", audit=True)
    states = len(states_in(store))
    store.close()
    assert f"{len(seen)} observations, {states} tracks, " in capsys.readouterr().out
    assert main(["history", "list", str(folder), "--check", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert sum(f["rows"] for f in document["files"]) >= len(seen) + states
    path = folder / HISTORY / document["files"][0]["path"]
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    assert main(["history", "list", str(folder)]) == 0
    assert main(["history", "list", str(folder), "--check"]) == 1
    assert f"does not hold: {document['files'][0]['path']} was altered" in capsys.readouterr().err
    shutil.rmtree(folder / HISTORY)
    assert main(["history", "rebuild", str(folder / "nothing")]) == 1


def test_while_a_service_holds_the_record(
    folder: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("skykeep.store.record_files.BUSY_S", 0.05)
    whole = asked(capsys, str(folder))
    store = RecordStore(folder, "", audit=True)
    list(store.entries())
    try:
        assert asked(capsys, str(folder)) == whole
        assert main(["history", "query", str(folder), "--limit", "1"]) == 0
        assert "as far as it is written: a service holds the record" in capsys.readouterr().err
        assert main(["history", "rebuild", str(folder)]) == 1
        assert "cannot be rebuilt now" in capsys.readouterr().err
        assert main(["history", "query", str(folder), "--serial", SERIAL]) == 2
        assert "ask it by its address" in capsys.readouterr().err
    finally:
        store.close()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--from", "yesterday"], "--from"),
        (["--from", "2026-09-13T00:00:00Z", "--to", "2026-09-12T00:00:00Z"], "is not before"),
        (["--box", "0", "9", "0", "8"], "--box"),
        (["--limit", "0"], "--limit"),
    ],
)
def test_what_cannot_be_asked(folder: Path, words: list[str], said: str, capsys: Captured) -> None:
    assert main(["history", "query", str(folder), *words]) == 2
    assert said in capsys.readouterr().err
