"""Files of a data folder altered, cut short or swapped: named at the start; what holds is saved."""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from skykeep.cli import main
from skykeep.commands.recompute import recompute
from skykeep.errors import InputError, RecordError
from skykeep.record.merkle import Frontier, leaf_hash
from skykeep.runtime import Recorded
from skykeep.store.record_files import KEYS_FILE, NEWEST_FILE, PUBLIC_FILE, RECORD_FILE, SECRET_FILE
from skykeep.store.record_store import RecordStore
from skykeep.store.salvage import salvage
from skykeep.store.witness_state import WitnessState
from tests.faults import crash_writer, scene
from tests.faults.crash_writer import COSIGNING, ORIGIN, log_of

FILES = (RECORD_FILE, KEYS_FILE, SECRET_FILE, PUBLIC_FILE, NEWEST_FILE)
Said = list[tuple[bytes, tuple[bytes | None, ...]]]


def said_by(folder: Path, audit: bool = True) -> Said:
    """Every entry's leaf with its facts, None for those that cannot be read."""
    store = RecordStore(folder, "", audit)
    try:
        return [(placed.leaf, store.readable(placed)) for placed in store.entries()]
    finally:
        store.close()


def bytes_of(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def starts(folder: Path) -> str:
    """What a start says against a copy of the folder; empty if it has nothing against it."""
    copy = Path(shutil.copytree(folder, folder.parent / "started"))
    try:
        Recorded(copy, scene.night().site).close()
    except RecordError as error:
        return str(error)
    finally:
        shutil.rmtree(copy)
    return ""


def saved(folder: Path, sound: Said) -> str:
    """Saves what it can: all that is said to hold is what the sound record says."""
    to, before = folder.parent / "saved", bytes_of(folder)
    try:
        found = salvage(folder, to)
    except RecordError as error:
        assert not to.exists()
        return str(error)
    finally:
        assert bytes_of(folder) == before
    store = RecordStore(to, "", audit=True)
    named = [said for said in found.lost if said.startswith("entry ")]
    gone, lost = 0, list[str]()
    for placed in store.entries():
        if placed.index in found.empty:
            assert placed.leaf == b""
            continue
        assert placed.leaf == sound[placed.index][0]
        try:
            store.check_facts(placed)
            read = store.readable(placed)
            assert all(a in (None, b) for a, b in zip(read, sound[placed.index][1], strict=True))
            gone += read.count(None)
        except RecordError as error:
            lost.append(str(error))
    store.close()
    assert lost == named
    assert gone == found.unreadable
    assert found.entries <= len(sound)
    assert (to / SECRET_FILE).exists() == (found.is_whole and (folder / SECRET_FILE).exists())
    if found.is_whole and (to / SECRET_FILE).exists():
        assert found.entries == len(sound)
        RecordStore(to, "").close()
    shutil.rmtree(to)
    return f"{found.entries} of {found.signed}, {len(found.empty)} empty, {found.lost[:2]}"


def damages(folder: Path, other: Path, chance: random.Random) -> Iterator[str]:
    """One kind of damage after another; the folder is whole again in between."""
    whole = bytes_of(folder)
    while True:
        name = chance.choice(FILES)
        data = bytearray(whole[name])
        kind = chance.choice(("bit", "bit", "sector", "cut", "swap", "other", "gone"))
        if kind == "bit":
            data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        elif kind == "sector":
            at = chance.randrange(len(data)) // 512 * 512
            data[at : at + 512] = bytes(min(512, len(data) - at))
        elif kind == "cut":
            del data[chance.randrange(len(data)) :]
        elif kind == "other":
            data = bytearray((other / name).read_bytes())
        (folder / name).write_bytes(data)
        if kind == "swap":
            with_name = chance.choice([one for one in FILES if one != name])
            (folder / name).write_bytes(whole[with_name])
            (folder / with_name).write_bytes(whole[name])
        elif kind == "gone":
            (folder / name).unlink()
        yield f"{kind} {name}"
        for path in folder.iterdir():
            path.unlink()
        for one, content in whole.items():
            (folder / one).write_bytes(content)


def same(folder: Path, sound: Said) -> str:
    """Why a record that starts is not what it was; a fact from before the snapshot may be torn."""
    store = RecordStore(folder, "", audit=True)
    kept = store.snapshot()
    store.close()
    since = 0 if kept is None else kept[0]
    try:
        said = said_by(folder)
    except RecordError:
        return "" if recompute(folder).faults else "nobody finds a fact that is no fact"
    if [leaf for leaf, _ in said] != [leaf for leaf, _ in sound] or said[since:] != sound[since:]:
        return "it says something else"
    return "" if said == sound or recompute(folder).faults else "nobody finds the altered fact"


def damaged(folder: Path, other: Path, count: int, seed: int) -> None:
    sound, refused = said_by(folder), 0
    tried = damages(folder, other, random.Random(seed))
    for _ in range(count):
        what = next(tried)
        problem = starts(folder)
        if not problem and (folder / RECORD_FILE).exists():
            assert same(Path(shutil.copytree(folder, folder.parent / "read")), sound) == "", what
            shutil.rmtree(folder.parent / "read")
        refused += bool(problem)
        assert saved(folder, sound)
    assert refused > count / 4


def test_damage_is_named_at_the_start_and_what_holds_is_saved(small: Path, other: Path) -> None:
    damaged(small, other, 8, 1)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(2, 6))
def test_damage_of_any_kind_is_named(small: Path, other: Path, seed: int) -> None:
    damaged(small, other, 100, seed)


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A record of the same log's name, with other keys."""
    folder = tmp_path_factory.mktemp("other") / "record"
    store = RecordStore(folder, ORIGIN)
    store.append([crash_writer.meant(i) for i in range(5)])
    store.close()
    (folder / NEWEST_FILE).touch()
    return folder


# -- what is saved ------------------------------------------------------------------------


def test_a_sound_record_is_saved_whole_and_goes_on(
    small: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (small / "tokens.json").write_text("{}")
    sound, to = said_by(small), tmp_path / "new" / "saved"
    assert main(["salvage", str(small), "--to", str(to)]) == 0
    assert "nothing is lost" in capsys.readouterr().out
    assert said_by(to, audit=False) == sound
    assert not (to / "tokens.json").exists()
    assert sorted(path.name for path in to.parent.iterdir()) == ["saved"]


def test_nothing_is_ever_overwritten(
    small: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    to = tmp_path / "there"
    to.mkdir()
    assert main(["salvage", str(small), "--to", str(to)]) == 2
    assert "is there already" in capsys.readouterr().err
    assert list(to.iterdir()) == []
    with pytest.raises(InputError, match="nothing is overwritten"):
        salvage(small, small)
    with pytest.raises(RecordError, match="there is no record"):
        salvage(to, tmp_path / "new")


def test_an_altered_leaf_costs_its_entry_alone(
    small: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sound, index, to = said_by(small), scene.middle(small, "tick"), tmp_path / "saved"
    with scene.database(small) as db:
        leaf = scene.one(db, "SELECT leaf FROM entries WHERE idx = ?", index)
        other = scene.a_digit(leaf, b'"at":')
        db.execute("UPDATE entries SET leaf = ? WHERE idx = ?", (other, index))
    with pytest.raises(RecordError, match=rf"entry {index}: .*skykeep salvage .* --to NEW"):
        RecordStore(small, "")
    assert main(["salvage", str(small), "--to", str(to)]) == 1
    out = capsys.readouterr().out
    assert f"lost: entry {index}: its leaf is damaged" in out
    assert "must not be continued" in out
    store = RecordStore(to, "", audit=True)
    kept = [placed.leaf for placed in store.entries()]
    assert kept == [leaf if i != index else b"" for i, (leaf, _) in enumerate(sound)]
    hashes = store.leaf_hashes(0, store.size)
    assert hashes[index] == leaf_hash(leaf)
    assert store._signed(store.checkpoint()).root == Frontier().extend(hashes).root()
    store.close()
    with pytest.raises(RecordError, match=r"log\.skey is missing"):
        RecordStore(to, "")


def test_an_altered_hash_costs_nothing(small: Path, tmp_path: Path) -> None:
    sound, index = said_by(small), scene.middle(small, "tick")
    with scene.database(small) as db:
        db.execute("UPDATE entries SET hash = zeroblob(32) WHERE idx = ?", (index,))
    assert starts(small)
    assert salvage(small, tmp_path / "saved").is_whole
    assert said_by(tmp_path / "saved", audit=False) == sound


def test_what_was_altered_with_its_hash_ends_what_is_saved(small: Path, tmp_path: Path) -> None:
    sound, index = said_by(small), scene.middle(small, "tick")
    with scene.database(small) as db:
        leaf = scene.one(db, "SELECT leaf FROM entries WHERE idx = ?", index)
        other = scene.a_digit(leaf, b'"at":')
        db.execute(
            "UPDATE entries SET leaf = ?, hash = ? WHERE idx = ?", (other, leaf_hash(other), index)
        )
    found = salvage(small, tmp_path / "saved")
    assert index - 4 * scene.GROUP < found.entries <= index
    assert (found.signed, found.is_whole) == (len(sound), False)
    assert said_by(tmp_path / "saved") == sound[: found.entries]


def test_an_altered_fact_is_named_and_the_rest_is_saved(small: Path, tmp_path: Path) -> None:
    sound, index = said_by(small), scene.middle(small, "batch")
    scene.set_facts(small, index, lambda data: data[:-1] + bytes([data[-1] ^ 1]))
    found = salvage(small, tmp_path / "saved")
    assert (found.entries, found.empty) == (len(sound), [])
    assert [said for said in found.lost if f"entry {index}" in said]
    assert not found.is_whole


# -- a witness ----------------------------------------------------------------------------


def test_a_witness_with_a_damaged_state_never_forgets_in_silence(tmp_path: Path) -> None:
    """Whatever is altered: it says the same head as before, or it does not start."""
    scribe = crash_writer.Scribe(tmp_path, 1, public=False)
    scribe.append()
    scribe.cosign()
    scribe.shut()
    folder, logs = tmp_path / COSIGNING, log_of(tmp_path / crash_writer.RECORD)
    whole, chance, refused = bytes_of(folder), random.Random(1), 0
    head = b""
    for number in range(40):
        name = "witness.sqlite" if number % 4 else "witness.skey"
        data = bytearray(whole[name])
        used = [at for at, byte in enumerate(data) if byte]
        if number:  # the first time it is sound
            data[chance.choice(used)] ^= 1 << chance.randrange(8)
        (folder / name).write_bytes(data)
        try:
            state = WitnessState(folder, logs)
        except RecordError:
            refused += 1
        else:
            said = state.heads()[ORIGIN].partition(b"\n\n")[0]
            state.close()
            head = head or said
            assert said == head, number
        for one, content in whole.items():
            (folder / one).write_bytes(content)
    assert refused > 10
