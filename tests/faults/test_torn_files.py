"""A record whose files were torn: it is named, or what was altered lies in unused space."""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from skykeep.commands.recompute import Recomputed, recompute
from skykeep.errors import RecordError
from skykeep.record.entry import Entry, Fact
from skykeep.store.record_files import DATABASE_ERRORS
from skykeep.store.record_store import KEYS_FILE, RECORD_FILE, RecordStore
from tests.faults.scene import database

#: So many places of a torn database are tried, with a fixed seed.
FLIPS = 30


def content(folder: Path) -> list[Any]:
    """Everything that the record says, from a copy."""
    copy = Path(shutil.copytree(folder, folder.parent / "read"))
    found: list[Any] = []
    for name in (RECORD_FILE, KEYS_FILE):
        with database(copy, name) as db:
            tables = ("entries", "checkpoints", "batches", "snapshots")
            for table in tables if name == RECORD_FILE else ("record_key", "seal_keys"):
                found.append(db.execute(f"SELECT * FROM {table} ORDER BY 1, 2").fetchall())
    shutil.rmtree(copy)
    return found


def named(folder: Path) -> str:
    """What recompute says is wrong; nothing if all holds. It never ends in a trace."""
    try:
        found: Recomputed = recompute(folder)
    except RecordError as error:
        return str(error)
    return "; ".join(found.faults)


def flipped(folder: Path, name: str, places: list[int]) -> Iterator[tuple[int, str, bool]]:
    """Each place with what is said of it, and whether the record says what it said."""
    whole, sound = (folder / name).read_bytes(), content(folder)
    chance = random.Random(11)
    for at in places:
        data = bytearray(whole)
        data[at] ^= chance.randrange(1, 256)
        (folder / name).write_bytes(data)
        said = named(folder)
        try:
            same = content(folder) == sound
        except DATABASE_ERRORS:
            same = False
        shutil.rmtree(folder.parent / "read", ignore_errors=True)
        yield at, said, same
        for left in folder.glob("*-*"):
            left.unlink()
        (folder / name).write_bytes(whole)


@pytest.mark.parametrize(("name", "flips"), [(RECORD_FILE, FLIPS), (KEYS_FILE, FLIPS)])
def test_a_byte_altered_anywhere_is_named_or_lies_in_unused_space(
    small: Path, name: str, flips: int
) -> None:
    used = [at for at, byte in enumerate((small / name).read_bytes()) if byte]
    places = sorted(random.Random(5).sample(used, flips))
    outcomes = list(flipped(small, name, places))
    silent = [at for at, said, same in outcomes if not said and not same]
    assert silent == []
    assert sum(bool(said) for _, said, _ in outcomes) > flips // 2


def test_a_byte_altered_in_the_databases_head_is_named_or_does_nothing(small: Path) -> None:
    """The first 100 bytes, and the tables' own definitions behind them."""
    places = [*range(0, 100, 7), *range(100, 140, 9), *range(3_400, 4_096, 60)]
    outcomes = list(flipped(small, RECORD_FILE, places))
    assert [at for at, said, same in outcomes if not said and not same] == []
    assert any(said for _, said, _ in outcomes)


def test_damage_that_leaves_every_value_readable_is_named(small: Path) -> None:
    path = small / RECORD_FILE
    data = bytearray(path.read_bytes())
    data[36:40] = (5).to_bytes(4, "big")  # SQLite file format 1.3: the count of free pages
    path.write_bytes(data)
    assert "record.sqlite is damaged" in named(small)
    path.write_bytes(data[:36] + bytes(4) + data[40:])
    with database(small, KEYS_FILE) as db:
        db.execute("PRAGMA ignore_check_constraints = ON")
        db.execute("UPDATE record_key SET one = 2")
        db.execute("INSERT INTO record_key SELECT 1, key FROM record_key")
    assert named(small).startswith("keys.sqlite is damaged: CHECK")
    with pytest.raises(RecordError, match=r"keys\.sqlite is damaged"):
        RecordStore(small, "")


@pytest.mark.parametrize("share", [0.0, 0.001, 0.01, 0.3, 0.6, 0.9, 0.999])
def test_a_database_cut_short_is_named(small: Path, share: float) -> None:
    path = small / RECORD_FILE
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    assert named(small)


@pytest.mark.parametrize("share", [0.0, 0.2, 0.7])
def test_keys_cut_short_are_named(small: Path, share: float) -> None:
    path = small / KEYS_FILE
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    assert named(small)


def test_a_damaged_log_of_the_database_does_not_lose_entries_in_silence(tmp_path: Path) -> None:
    """SQLite takes a damaged write-ahead log for one that ends there."""
    store = RecordStore(tmp_path / "record", "city/skykeep")
    for number in range(6):
        store.append([Entry("tick", number, "clock", ()), Entry("x", 0, "y", (Fact(b"z"),))])
    copy = Path(shutil.copytree(tmp_path / "record", tmp_path / "killed"))
    store.close()
    log = copy / f"{RECORD_FILE}-wal"
    data = log.read_bytes()
    log.write_bytes(data[: len(data) * 2 // 3] + b"?" + data[len(data) * 2 // 3 + 1 :])
    with pytest.raises(RecordError, match="is missing: 12 were signed, "):
        RecordStore(copy, "city/skykeep")
    assert "is missing: 12 were signed, " in named(copy)
