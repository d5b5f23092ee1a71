"""A record that was tampered with: recompute names what is wrong, and where."""

from __future__ import annotations

import re
import shutil
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from skykeep.cli import main
from skykeep.commands.recompute import recompute
from skykeep.errors import RecordError
from skykeep.record.entry import read_leaf, sealed_hour
from skykeep.record.merkle import leaf_hash
from skykeep.store.record_files import NEWEST_FILE
from skykeep.store.record_store import (
    KEYS_FILE,
    PUBLIC_FILE,
    RECORD_FILE,
    SECRET_FILE,
    RecordStore,
)
from tests.faults import scene
from tests.faults.scene import a_digit, database, entries_of, faults, middle, one, set_facts

# -- the sound one ------------------------------------------------------------------------


def test_a_sound_record_is_the_same_and_says_so(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = recompute(folder)
    assert found.faults == []
    assert found.entries == sum(found.counts.values()) > 500
    assert found.counts["batch"] > 300
    assert found.counts["verdict"] > 10
    assert main(["recompute", str(folder)]) == 0
    printed = capsys.readouterr()
    assert "every signed root; verdicts and alerts are the same" in printed.out
    assert printed.err == ""


def test_it_did_keep_snapshots(sound: Path, short: Path, tmp_path: Path) -> None:
    for each in (sound, short):
        with database(Path(shutil.copytree(each, tmp_path / each.parent.name))) as db:
            assert one(db, "SELECT count(*) FROM snapshots") == 1


def test_recompute_changes_nothing(folder: Path) -> None:
    before = {p.name: p.read_bytes() for p in folder.iterdir()}
    recompute(folder)
    assert {p.name: p.read_bytes() for p in folder.iterdir()} == before


def test_a_fault_is_an_exit_code_and_words(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    index = middle(folder, "batch")
    set_facts(folder, index, lambda data: a_digit(data, b"\x00["))
    assert main(["recompute", str(folder)]) == 1
    assert f"does not hold: entry {index} (batch)" in capsys.readouterr().err
    assert main(["recompute", str(folder), "--json"]) == 1
    assert f"entry {index} (batch)" in capsys.readouterr().out


# -- facts --------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "mark"), [("batch", b"\x00["), ("verdict", b"at_ns"),
                                            ("tracks", b"TrackUpdated")])  # fmt: skip
def test_one_altered_fact_is_named(folder: Path, kind: str, mark: bytes) -> None:
    with database(folder) as db:
        rows = db.execute("SELECT idx, leaf, facts FROM entries ORDER BY idx").fetchall()
    found = [i for i, leaf, facts in rows if read_leaf(leaf).kind == kind and mark in facts]
    index = found[len(found) // 2]
    set_facts(folder, index, lambda data: a_digit(data, mark))
    assert faults(folder) == [f"entry {index} ({kind}): a stored fact was altered"]


def sealed_entry(folder: Path) -> int:
    """An entry of a batch with a sealed claim."""
    with database(folder) as db:
        rows = db.execute("SELECT idx, leaf, facts FROM entries ORDER BY idx").fetchall()
    return next(i for i, leaf, facts in rows
                if read_leaf(leaf).source == "rid" or b'"claims":true' in facts)  # fmt: skip


def test_an_altered_sealed_fact_is_named_in_its_text_and_in_its_commitment(folder: Path) -> None:
    index = sealed_entry(folder)
    whole = {"text": -1, "commitment": None}
    for what, at in whole.items():
        copy = Path(shutil.copytree(folder, folder.parent / what))

        def flip(data: bytes, at: int | None = at) -> bytes:
            place = len(data) - 1 if at == -1 else data.rindex(b"\x01\x00\x07\x95") + 6
            return data[:place] + bytes((data[place] ^ 1,)) + data[place + 1 :]

        set_facts(copy, index, flip)
        (fault,) = faults(copy)
        assert re.match(rf"entry {index}[ ,]", fault)
        assert "altered" in fault


def test_facts_exchanged_between_entries_are_named(folder: Path) -> None:
    first, second = entries_of(folder, "batch")[10:12]
    with database(folder) as db:
        facts = [one(db, "SELECT facts FROM entries WHERE idx = ?", i) for i in (first, second)]
        for index, other in ((first, facts[1]), (second, facts[0])):
            db.execute("UPDATE entries SET facts = ? WHERE idx = ?", (other, index))
    (fault,) = faults(folder)
    assert fault.startswith(f"entry {first} (batch)")


@pytest.mark.parametrize("change", [lambda d: d[:-1], lambda d: d + b"\x00", lambda d: b"",
                                    lambda d: d + b"\x00\x00\x00\x00",
                                    lambda d: d + b"\x00\x00\x00\x02\x00a"])  # fmt: skip
def test_facts_cut_short_or_added_are_named(folder: Path, change: Any) -> None:
    index = middle(folder, "verdict")
    set_facts(folder, index, change)
    (fault,) = faults(folder)
    assert re.match(rf"entry {index}[ :]", fault)


# -- leaves, order, checkpoints -----------------------------------------------------------


def altered_leaf(folder: Path, index: int, with_hash: bool) -> None:
    with database(folder) as db:
        leaf = one(db, "SELECT leaf FROM entries WHERE idx = ?", index)
        other = a_digit(leaf, b'"at":')
        db.execute("UPDATE entries SET leaf = ? WHERE idx = ?", (other, index))
        if with_hash:
            db.execute("UPDATE entries SET hash = ? WHERE idx = ?", (leaf_hash(other), index))


def test_an_altered_leaf_is_named(folder: Path) -> None:
    index = middle(folder, "tick")
    altered_leaf(folder, index, with_hash=False)
    assert faults(folder)[0] == f"entry {index}: its leaf was altered"


def test_an_altered_hash_is_named(folder: Path) -> None:
    index = middle(folder, "tick")
    with database(folder) as db:
        db.execute("UPDATE entries SET hash = zeroblob(32) WHERE idx = ?", (index,))
    assert faults(folder) == [f"entry {index}: its leaf was altered"]


def test_an_altered_leaf_with_its_hash_lies_between_two_checkpoints(folder: Path) -> None:
    index = middle(folder, "tick")
    altered_leaf(folder, index, with_hash=True)
    found = re.match(r"entries (\d+) to (\d+) do not give the root signed", faults(folder)[0])
    assert found is not None
    first, last = map(int, found.groups())
    assert first <= index <= last < first + 4 * scene.GROUP


def test_an_altered_checkpoint_is_named(folder: Path) -> None:
    with database(folder) as db:
        size = one(db, "SELECT size FROM checkpoints ORDER BY size LIMIT 1 OFFSET 20")
        note = one(db, "SELECT note FROM checkpoints WHERE size = ?", size)
        other = note.replace(f"\n{size}\n".encode(), f"\n{size - 1}\n".encode())
        db.execute("UPDATE checkpoints SET note = ? WHERE size = ?", (other, size))
    (fault,) = faults(folder)
    assert fault.startswith(f"the checkpoint over {size} entries: ")
    assert "signature" in fault


def test_two_checkpoints_swapped_are_named(folder: Path) -> None:
    with database(folder) as db:
        sizes = [r[0] for r in db.execute("SELECT size FROM checkpoints ORDER BY size LIMIT 2")]
        notes = [one(db, "SELECT note FROM checkpoints WHERE size = ?", s) for s in sizes]
        for size, note in zip(sizes, reversed(notes), strict=True):
            db.execute("UPDATE checkpoints SET note = ? WHERE size = ?", (note, size))
    assert faults(folder)[0].startswith("entries 0 to 0 do not give the root")


def test_one_entry_removed_is_named(folder: Path) -> None:
    index = middle(folder, "verdict")
    with database(folder) as db:
        db.execute("DELETE FROM entries WHERE idx = ?", (index,))
    assert faults(folder)[0] == f"entry {index} is missing from the record"


def test_the_first_entry_removed_is_named(folder: Path) -> None:
    with database(folder) as db:
        db.execute("DELETE FROM entries WHERE idx = 0")
    assert faults(folder)[0] == "entry 0 is missing from the record"


def test_one_entry_removed_and_the_rest_renumbered_is_named(folder: Path) -> None:
    index = middle(folder, "verdict")
    with database(folder) as db:
        db.execute("DELETE FROM entries WHERE idx = ?", (index,))
        db.execute("UPDATE entries SET idx = -idx WHERE idx > ?", (index,))
        db.execute("UPDATE entries SET idx = -idx - 1 WHERE idx < 0")
    found = faults(folder)
    assert re.match(r"entries \d+ to \d+ do not give the root", found[0])
    # Its facts are salted by their place, so the next one does not fit where it now stands.
    assert found[1].startswith(f"entry {index} (")


def test_two_entries_swapped_are_named(folder: Path) -> None:
    first, second = entries_of(folder, "batch")[20:22]
    with database(folder) as db:
        for was, now in ((first, -1), (second, first), (-1, second)):
            db.execute("UPDATE entries SET idx = ? WHERE idx = ?", (now, was))
    found = faults(folder)
    assert re.match(r"entries \d+ to \d+ do not give the root", found[0])
    assert found[1].startswith(f"entry {first} (batch)")


def test_an_entry_put_in_at_the_end_is_named(folder: Path) -> None:
    with database(folder) as db:
        last = one(db, "SELECT max(idx) FROM entries")
        db.execute(
            "INSERT INTO entries SELECT idx + 1, leaf, hash, facts, 0 FROM entries WHERE idx = ?",
            (last,),
        )
    assert faults(folder)[0] == f"no checkpoint is over entries {last + 1} to {last + 1}"


def cut(folder: Path, with_checkpoints: bool) -> int:
    """The last groups gone; returns how many entries are left."""
    with database(folder) as db:
        size = one(db, "SELECT size FROM checkpoints ORDER BY size DESC LIMIT 1 OFFSET 3")
        db.execute("DELETE FROM entries WHERE idx >= ?", (size,))
        db.execute("DELETE FROM batches WHERE idx >= ?", (size,))
        db.execute("DELETE FROM snapshots WHERE size > ?", (size,))
        if with_checkpoints:
            db.execute("DELETE FROM checkpoints WHERE size > ?", (size,))
    return int(size)


@pytest.mark.parametrize("with_checkpoints", [False, True])
def test_the_last_entries_cut_off_are_named(folder: Path, with_checkpoints: bool) -> None:
    whole = recompute(folder).entries
    left = cut(folder, with_checkpoints)
    words = f"entry {left} is missing: {whole} were signed, {left} are there"
    assert faults(folder) == [words]
    with pytest.raises(RecordError, match=words):
        RecordStore(folder, "")


def test_entries_cut_off_inside_a_group_are_named_without_any_checkpoint(folder: Path) -> None:
    index = middle(folder, "verdict")
    with database(folder) as db:
        for table, column in (("entries", "idx"), ("checkpoints", "size - 1"), ("batches", "idx"),
                              ("snapshots", "size - 1")):  # fmt: skip
            db.execute(f"DELETE FROM {table} WHERE {column} >= ?", (index,))
    (folder / NEWEST_FILE).unlink()
    found = faults(folder)
    assert re.match(rf"no checkpoint is over entries \d+ to {index - 1}", found[0])
    assert found[1].startswith("the record ends before a verdict")


def test_entries_stored_twice_or_in_a_damaged_row_are_named(folder: Path) -> None:
    with database(folder) as db:
        first = one(db, "SELECT first FROM groups WHERE length(hashes) > 64 LIMIT 1 OFFSET 3")
    statements = {
        "INSERT INTO groups SELECT first + 1, hashes, leaves, facts FROM groups WHERE first = ?":
            r"entry \d+ is stored twice",
        "UPDATE groups SET leaves = substr(leaves, 2) WHERE first = ?":
            f"entry {first} and those stored with it: their leaves are damaged",
    }  # fmt: skip
    for number, (statement, words) in enumerate(statements.items()):
        copy = Path(shutil.copytree(folder, folder.parent / str(number)))
        db = sqlite3.connect(copy / RECORD_FILE)
        with db:
            assert db.execute(statement, (first,)).rowcount == 1
        db.close()
        assert re.fullmatch(words, faults(copy)[0])


# -- what stands beside the entries -------------------------------------------------------


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("UPDATE batches SET digest = zeroblob(32) WHERE idx = :i", "entry {i}: the list of"),
        ("UPDATE batches SET idx = idx + 1 WHERE idx = :i", "entry {i}: the list of batches"),
        ("UPDATE batches SET batch_id = 'x' WHERE idx = :i", "entry {i}: the list of batches"),
        ("DELETE FROM batches WHERE idx = :i", "entry {i}: the list of batches"),
        (
            "INSERT INTO batches SELECT 'x', idx, digest FROM batches WHERE idx = :i",
            "entry {i} is not the batch 'x'",
        ),
        ("UPDATE snapshots SET size = size - 1 WHERE :i", "the snapshot over"),
        ("UPDATE snapshots SET sealed = zeroblob(90) WHERE :i", "the snapshot over"),
    ],
)
def test_the_list_of_batches_and_the_snapshot_are_checked(
    folder: Path, statement: str, words: str
) -> None:
    index = middle(folder, "batch")
    with database(folder) as db:
        assert db.execute(statement, {"i": index}).rowcount == 1
    (fault,) = faults(folder)
    assert fault.startswith(words.format(i=index))


def test_a_snapshot_of_another_state_is_named(folder: Path) -> None:
    """Sealed with the right key, for the right place, and yet not what the inputs give."""
    with database(folder) as db:
        size = one(db, "SELECT size FROM snapshots")
        hour = sealed_hour(one(db, "SELECT sealed FROM snapshots"))
    store = RecordStore(folder, "", audit=True)
    kept = store.snapshot()
    assert kept is not None
    assert hour is not None
    sealed = store._sealed_snapshot(a_digit(kept[1], b"newest_ns"), size, hour)
    store.close()
    with database(folder) as db:
        db.execute("UPDATE snapshots SET sealed = ?", (sealed,))
    assert faults(folder) == [f"entry {size - 1}: the snapshot behind it is not the engine's state"]


# -- files that are gone ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("gone", "words"),
    [
        (SECRET_FILE, "log.skey is missing: the record can be read and not continued"),
        (KEYS_FILE, "keys.sqlite has no key of the record: its facts cannot be checked"),
    ],
)
def test_a_key_file_that_is_gone_is_named_and_not_made_anew(
    folder: Path, gone: str, words: str
) -> None:
    (folder / gone).unlink()
    before = {p.name for p in folder.iterdir()}
    assert faults(folder) == [words]
    assert {p.name for p in folder.iterdir()} == before


def test_without_any_key_of_the_log_nothing_is_said_to_hold(folder: Path) -> None:
    for name in (SECRET_FILE, PUBLIC_FILE):
        (folder / name).unlink()
    with pytest.raises(RecordError, match=r"neither log\.skey nor log\.vkey"):
        recompute(folder)


@pytest.mark.parametrize("table", ["record_key", "seal_keys"])
def test_an_altered_key_is_named(folder: Path, table: str) -> None:
    with database(folder, KEYS_FILE) as db:
        db.execute(f"UPDATE {table} SET key = ?", (bytes(32),))
    found = faults(folder)
    assert found
    assert re.match(r"entry \d+|the snapshot", found[-1])


def test_a_folder_without_a_record_is_none(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["recompute", str(tmp_path)]) == 1
    assert "there is no record in" in capsys.readouterr().err
    (tmp_path / RECORD_FILE).touch()
    with pytest.raises(RecordError, match="or it is empty"):
        recompute(tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == [RECORD_FILE]
