"""The procedures of docs/operations.md, as they are written there."""

from __future__ import annotations

import os
import shutil
import signal
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from skykeep.cli import main
from skykeep.codec import entries
from skykeep.codec.ed318_write import write_ed318
from skykeep.commands.recompute import recompute
from skykeep.core.airspace import RegisterSensor
from skykeep.core.event import Tick
from skykeep.errors import RecordError
from skykeep.record.entry import Fact
from skykeep.runtime import Recorded
from skykeep.store.record_files import PUBLIC_FILE, RECORD_FILE, SECRET_FILE
from skykeep.store.record_store import RecordStore
from tests.desk import Desk
from tests.faults.keeper import Keeper, prepare
from tests.sky import OFFICER, RADAR, SITE, at, plots, zone_named

DAY_S = 86_400.0


def test_back_up_while_it_runs_and_restore_on_another_machine(tmp_path: Path) -> None:
    here, copy, there = (tmp_path / name for name in ("here", "copy", "there"))
    here.mkdir()
    prepare(here)
    keeper = Keeper(here)
    acknowledged = [keeper.post(number)[1]["entry"] for number in range(1, 6)]
    os.kill(keeper.process.pid, signal.SIGSTOP)
    try:
        shutil.copytree(here / "data", copy / "data")
    finally:
        os.kill(keeper.process.pid, signal.SIGCONT)
    assert keeper.post(6)[0] == 200  # it goes on
    assert keeper.stop() == 0
    found = recompute(copy / "data")
    assert found.faults == []
    assert found.entries > max(acknowledged)
    shutil.copytree(copy, there)
    for name in ("site.json", "tokens.json"):
        shutil.copy(here / name, there / name)
    restored = Keeper(there)
    status, answer = restored.post(5)  # sent again: it is known there
    assert (status, answer["repeated"]) == (200, True)
    status, answer = restored.post(6)  # came after the copy
    assert (status, answer["repeated"]) == (200, False)
    assert restored.stop() == 0


def test_a_record_of_another_version_is_named_and_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "data"
    first = entries.site_entry(SITE, 0)
    site, versions = first.facts
    older = site.data.replace(b',"operator_basis":""', b"")
    assert older != site.data
    said = msgspec.json.decode(versions.data) | {"skykeep": "0.0.7"}
    store = RecordStore(folder, "city/skykeep")
    store.append([replace(first, facts=(Fact(older), Fact(msgspec.json.encode(said))))])
    store.close()
    before = (folder / RECORD_FILE).read_bytes()
    with pytest.raises(RecordError, match=r"written by Skykeep 0\.0\.7, and this version cannot"):
        Recorded(folder, SITE)
    assert (folder / RECORD_FILE).read_bytes() == before


def kept(folder: Path) -> None:
    recorded = Recorded(folder, SITE)
    recorded.take([Tick(at(0.0)), RegisterSensor(OFFICER, RADAR)])
    for second in range(1, 4):
        recorded.take([plots(second, (100.0, 0.0, 80.0)), Tick(at(second + 0.5))])
    recorded.close()


def test_a_lost_key_leaves_a_record_that_is_read_checked_and_exported(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "data"
    kept(folder)
    (folder / SECRET_FILE).unlink()
    with pytest.raises(RecordError, match="can be read and not continued"):
        Recorded(folder, SITE)
    found = recompute(folder)
    assert found.faults == [f"{SECRET_FILE} is missing: the record can be read and not continued"]
    assert found.counts["batch"] == 3
    key = str(folder / PUBLIC_FILE)
    assert main(["log", "export", str(folder), "--out", str(tmp_path / "www"), "--key", key]) == 0
    assert (tmp_path / "www" / "checkpoint").exists()
    assert not (folder / SECRET_FILE).exists()  # nobody made another one
    kept(tmp_path / "new")
    assert (tmp_path / "new" / PUBLIC_FILE).read_text() != (folder / PUBLIC_FILE).read_text()
    capsys.readouterr()


def watched(desk: Desk, from_s: float) -> list[str]:
    """A zone, a drone in it for eight seconds; the alerts' reasons."""
    assert desk.command("publish_zone", write_ed318([zone_named()])).status_code == 200
    for second in range(1, 9):
        desk.clock.now_ns = at(from_s + second)
        desk.send(plots(from_s + second, (100.0, 0.0, 80.0)))
        desk.get("/v1/sensors")
    return [a["priority"] for a in desk.get("/v1/alerts").json()["alerts"] if a["tracks"]]


def test_a_clock_that_was_ahead_is_told_and_a_new_folder_watches(tmp_path: Path) -> None:
    (tmp_path / "old").mkdir()
    desk = Desk(tmp_path / "old")
    desk.clock.now_ns = at(DAY_S)
    desk.get("/v1/sensors")
    assert desk.get("/health", None).json()["clock_back_s"] == 0.0
    desk.clock.now_ns = at(0.0)  # somebody set it right
    assert watched(desk, 0.0) == []  # blind, as the page says
    back_s = desk.get("/health", None).json()["clock_back_s"]
    assert back_s == pytest.approx(DAY_S - 8.0, abs=1.0)
    desk.close()
    again = Desk(tmp_path / "old")  # to start anew does not help, and says so too
    assert again.get("/health", None).json()["clock_back_s"] > DAY_S - 10.0
    again.close()
    assert recompute(tmp_path / "old" / "data").faults == []
    new = Desk(tmp_path / "new")
    assert watched(new, 0.0) == [1]
    new.close()


def test_a_clock_that_was_behind_and_was_set_right_goes_on(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.clock.on(2.0)
    desk.get("/v1/sensors")
    assert watched(desk, 3_600.0) == [1]
    span = "from=2026-09-12T21:48:01Z&to=2026-09-12T22:48:08Z"
    times = desk.get(f"/v1/coverage?{span}").json()["sensors"]
    states = [s["state"] for t in times if t["sensor"] == "radar" for s in t["spans"]]
    assert [s for s in states if s != "unknown"] == ["not_recorded", "up"], states
    assert desk.get("/health", None).json()["clock_back_s"] == 0.0
    desk.close()
    assert recompute(tmp_path / "data").faults == []
