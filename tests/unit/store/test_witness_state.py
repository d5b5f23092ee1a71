"""A witness's state: what is cosigned is on the disk first; what is lost is never begun anew."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from skykeep.errors import RecordError
from skykeep.record import checkpoint as checkpoints
from skykeep.record import note as notes
from skykeep.record import witness_fork
from skykeep.record.cosignature import check_cosigned, cosigned_at
from skykeep.record.keys import parse_public, signer, verifier
from skykeep.record.witness import AddCheckpoint, Refused
from skykeep.store import witness_state as room
from skykeep.store.witness_state import (
    PUBLIC_FILE,
    SECRET_FILE,
    STATE_FILE,
    WitnessState,
    make_witness,
)
from tests.unit.record.test_cosignature import LOG, LOG_KEY, ORIGIN
from tests.unit.record.test_witness import FORKED, LOGS, head, request, signed

NAME = "witness.example/w1"
NOON_S = 1_789_000_000


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    make_witness(tmp_path / "w", NAME)
    return tmp_path / "w"


@pytest.fixture
def state(folder: Path) -> Iterator[WitnessState]:
    made = WitnessState(folder, LOGS)
    yield made
    made.close()


def add(state: WitnessState, data: bytes, at_s: int = NOON_S) -> bytes | Refused:
    return state.add(data, lambda: at_s)


def cosigned_size(state: WitnessState) -> int:
    note = state.heads().get(ORIGIN)
    return 0 if note is None else checkpoints.parse(notes.parse(note).text).size


def test_a_head_is_cosigned_and_remembered(folder: Path) -> None:
    state = WitnessState(folder, LOGS)
    line = add(state, request(0, 7))
    assert isinstance(line, bytes)
    key = parse_public((folder / PUBLIC_FILE).read_text())
    found = check_cosigned(signed(7) + line, ORIGIN, [LOG_KEY], [key], 1)
    assert found.cosigners == ((NAME, NOON_S),)
    assert state.heads() == {ORIGIN: signed(7) + line}
    state.close()
    again = WitnessState(folder, LOGS)
    assert again.heads() == {ORIGIN: signed(7) + line}
    assert (again.vkey, again.name, again.problem) == (key.to_text(), NAME, "")
    assert isinstance(add(again, request(7, 12)), bytes)
    assert isinstance(add(again, request(12, 12)), bytes)  # once more, of another time
    again.close()


def test_time_does_not_run_backwards(state: WitnessState) -> None:
    add(state, request(0, 7), NOON_S)
    line = add(state, request(7, 8), NOON_S - 3_600)
    assert isinstance(line, bytes)
    (_, own) = notes.parse(state.heads()[ORIGIN]).signatures
    assert cosigned_at(own.signature) == NOON_S


def test_what_a_log_signed_and_was_refused_is_kept(
    state: WitnessState, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "MOST_REFUSED", 3)
    add(state, request(0, 12))
    assert state.refused() == []
    add(state, request(5, 20))  # a log that did not know how far the witness is
    assert state.refused() == []
    for size in (20, 21, 22, 22, 23):
        found = add(state, request(12, size, FORKED), NOON_S + size)
        assert isinstance(found, Refused)
        assert found.status == 422
    kept = state.refused()
    assert [(one.at_s - NOON_S, one.status) for one in kept] == [(21, 422), (22, 422), (23, 422)]
    assert kept[0].note == signed(21, FORKED)
    assert state.forks() == {}  # of other sizes, the tree is needed


def test_two_roots_of_one_size_are_a_proof(state: WitnessState) -> None:
    add(state, request(0, 12))
    found = add(state, request(12, 12, FORKED))
    assert isinstance(found, Refused)
    assert (found.status, found.size) == (409, None)
    fork = witness_fork.parse(state.forks()[ORIGIN])
    older, newer = witness_fork.check(fork, ORIGIN, [LOG_KEY])
    assert {older.root, newer.root} == {head(12).root, head(12, FORKED).root}
    assert cosigned_size(state) == 12


def test_logs_are_kept_apart(folder: Path) -> None:
    other = signer("other/log", bytes(32))
    logs = {**LOGS, "other/log": [verifier(other.key)]}
    state = WitnessState(folder, logs)
    add(state, request(0, 7))
    said = checkpoints.sign(checkpoints.Checkpoint("other/log", 3, bytes(32)), [other])
    assert isinstance(add(state, AddCheckpoint(0, (), said.to_bytes()).to_bytes()), bytes)
    assert list(state.heads()) == ["other/log", ORIGIN]
    state.close()


@pytest.mark.parametrize("lost", ["gone", "empty", "another", "row", "head"])
def test_a_witness_that_lost_its_state_is_retired(folder: Path, tmp_path: Path, lost: str) -> None:
    state = WitnessState(folder, LOGS)
    add(state, request(0, 7))
    state.close()
    path = folder / STATE_FILE
    if lost == "gone":
        path.unlink()
    elif lost == "empty":
        path.write_bytes(b"")
    elif lost == "another":
        make_witness(tmp_path / "other", NAME)
        shutil.copy(tmp_path / "other" / STATE_FILE, path)
    else:
        db = sqlite3.connect(path)
        with db:
            if lost == "row":
                db.execute("DELETE FROM state")
            else:
                db.execute("UPDATE heads SET note = CAST(replace(note, '7', '6') AS BLOB)")
        db.close()
    for _ in range(2):  # asking again does not help
        with pytest.raises(RecordError, match=r"is retired.*Make another, with a new name"):
            WitnessState(folder, LOGS)


def test_a_witness_is_made_once(folder: Path) -> None:
    for file in (STATE_FILE, PUBLIC_FILE, SECRET_FILE):
        with pytest.raises(RecordError, match="never made anew"):
            make_witness(folder, NAME)
        (folder / file).unlink()
    assert make_witness(folder, NAME).key.name == NAME
    mode = (folder / SECRET_FILE).stat().st_mode
    assert mode & 0o077 == 0
    (folder / SECRET_FILE).write_text("PRIVATE+KEY+x\n")
    with pytest.raises(RecordError, match="two lines are due"):
        WitnessState(folder, LOGS)


def test_two_processes_do_not_share_a_state(folder: Path, state: WitnessState) -> None:
    with pytest.raises(RecordError, match="locked"):
        WitnessState(folder, LOGS)


class FailingDisk:
    """A database that fails at one kind of statement."""

    def __init__(self, db: sqlite3.Connection, failing: str) -> None:
        self._db, self._failing = db, failing

    def __getattr__(self, name: str) -> object:
        if name == self._failing:
            return self.fail
        return getattr(self._db, name)

    def fail(self, *_: object) -> None:
        raise sqlite3.OperationalError("disk I/O error")


@pytest.mark.parametrize("failing", ["commit", "cursor"])
def test_a_disk_that_fails_gives_no_cosignature(folder: Path, failing: str) -> None:
    state = WitnessState(folder, LOGS)
    add(state, request(0, 7))
    whole = state._db
    state._db = FailingDisk(whole, failing)  # type: ignore[assignment]
    with pytest.raises(RecordError, match="disk I/O error"):
        add(state, request(7, 12))
    state._db = whole
    # The disk is well again; what it holds is not known until it is opened anew.
    with pytest.raises(RecordError, match="Start it again"):
        add(state, request(7, 12, FORKED))
    assert "disk I/O error" in state.problem
    state.close()
    state = WitnessState(folder, LOGS)
    assert cosigned_size(state) == 7
    assert isinstance(add(state, request(7, 12)), bytes)
    state.close()


def test_whatever_is_sent(state: WitnessState) -> None:
    for data in (b"", b"\xff", b"old 0\n\n", b"old 0\n\n" + signed(7)[:-3], bytes(1_000)):
        found = add(state, data)
        assert isinstance(found, Refused)
        assert found.status == 400
    assert state.heads() == {}
    assert LOG.key.name == ORIGIN
