"""Raw bytes: found by hash, sealed, bounded by source and day, gone with their keys."""

from __future__ import annotations

import sqlite3
from hashlib import sha256
from pathlib import Path

import pytest

from skykeep.cli import main
from skykeep.errors import RecordError
from skykeep.record.entry import HOUR_NS
from skykeep.store.raw import FILE, RawStore

HOUR = 24 * 20_000
SECRET = b"serial 1581F5FH123456 " * 20


def at(hours: float) -> int:
    return int((HOUR + hours) * HOUR_NS)


def digest(data: bytes) -> bytes:
    return sha256(data).digest()


def everything(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(folder.iterdir()))


def test_what_is_kept_is_found_by_its_hash_and_sealed(tmp_path: Path) -> None:
    store = RawStore(tmp_path)
    store.keep("rid", [(at(0), SECRET), (at(0), b"other")], 10_000)
    store.close()
    assert SECRET[:22] not in everything(tmp_path)
    again = RawStore(tmp_path)
    assert again.get(digest(SECRET)) == SECRET
    assert again.get(digest(b"other")) == b"other"
    assert again.get(digest(b"never")) is None
    again.close()


def test_old_hours_go_with_their_keys_and_leave_nothing_on_the_disk(tmp_path: Path) -> None:
    store = RawStore(tmp_path)
    store.keep("rid", [(at(0), SECRET)], 10_000)
    store.keep("rid", [(at(1), b"young")], 10_000)
    store.keep("radar", [(at(0), b"of another source")], 10_000)
    ((key, sealed),) = store._db.execute(
        "SELECT key, sealed FROM raw JOIN raw_keys USING (source, hour) WHERE sha256 = ?",
        (digest(SECRET),),
    ).fetchall()
    assert store.drop("rid", HOUR) is False
    assert store.get(digest(SECRET)) == SECRET
    assert store.drop("rid", HOUR + 1) is True
    assert store.get(digest(SECRET)) is None
    assert store.get(digest(b"young")) == b"young"
    assert store.get(digest(b"of another source")) == b"of another source"
    left = everything(tmp_path)
    assert key not in left
    assert sealed not in left
    assert store.drop_others(["rid"]) is True
    assert store.get(digest(b"of another source")) is None
    assert store.drop_others([]) is True
    assert store.get(digest(b"young")) is None
    store.close()


def test_a_source_has_so_many_bytes_a_day_and_the_rest_is_counted(tmp_path: Path) -> None:
    store = RawStore(tmp_path)
    store.keep("a", [(at(0), b"x" * 60), (at(1), b"y" * 60), (at(2), b"z" * 40)], 100)
    store.keep("a", [(at(2), b"z" * 40)], 100)  # kept already, but there would be no room
    store.keep("b", [(at(0), b"y" * 60)], 100)
    assert store.get(digest(b"x" * 60)) is not None
    assert store.get(digest(b"z" * 40)) is not None
    assert store.left_out("a") == (2, 100)
    assert store.left_out("b") == (0, 0)
    store.keep("a", [(at(24), b"y" * 60)], 100)  # another day
    assert store.left_out("a") == (2, 100)
    store.close()


def test_the_same_bytes_in_one_hour_are_kept_once(tmp_path: Path) -> None:
    store = RawStore(tmp_path)
    store.keep("a", [(at(0), b"x" * 60)] * 3, 1_000)
    assert store._db.execute("SELECT count(*) FROM raw").fetchone() == (1,)
    assert store._db.execute("SELECT kept_bytes FROM raw_days").fetchone() == (60,)
    store.close()


def test_what_was_altered_is_not_given_out(tmp_path: Path) -> None:
    store = RawStore(tmp_path)
    store.keep("a", [(at(0), SECRET)], 1_000)
    with store._db:
        store._db.execute("UPDATE raw SET sealed = CAST(substr(sealed, 1, 40) AS BLOB)")
    with pytest.raises(RecordError, match="were altered"):
        store.get(digest(SECRET))
    store.close()


def test_a_file_that_is_none(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"no database" * 500)
    with pytest.raises(RecordError):
        RawStore(tmp_path)


def test_a_write_that_fails_keeps_all_or_nothing(tmp_path: Path) -> None:
    store = RawStore(tmp_path)
    other = sqlite3.connect(tmp_path / FILE)
    with other:
        other.execute("CREATE TRIGGER full BEFORE INSERT ON raw WHEN new.hour > "
                      f"{HOUR} BEGIN SELECT raise(ABORT, 'full'); END")  # fmt: skip
    other.close()
    with pytest.raises(RecordError, match="full"):
        store.keep("a", [(at(0), b"first"), (at(1), b"second")], 1_000)
    assert store.get(digest(b"first")) is None
    store.keep("a", [(at(0), b"first")], 1_000)
    assert store.get(digest(b"first")) == b"first"
    store.close()


def test_the_command_writes_the_bytes(tmp_path: Path) -> None:
    store = RawStore(tmp_path)
    store.keep("a", [(at(0), SECRET)], 1_000)
    store.close()
    out = tmp_path / "out"
    known, data = digest(SECRET).hex(), str(tmp_path)
    assert main(["raw", "get", known, "--data", data, "--out", str(out)]) == 0
    assert out.read_bytes() == SECRET
    assert main(["raw", "get", digest(b"").hex(), "--data", data, "--out", str(out)]) == 1
    assert main(["raw", "get", "x", "--data", data, "--out", str(out)]) == 2
