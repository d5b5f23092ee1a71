"""The log's key changes: both sign, old heads hold, the old key ends, and crashes do no harm."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skykeep.cli import main
from skykeep.errors import RecordError
from skykeep.record import checkpoint as checkpoints
from skykeep.record import handover
from skykeep.record.checkpoint import Checkpoint
from skykeep.record.keys import Ed25519Signer, ed25519_verifier, parse_public, parse_secret, signer
from skykeep.store import key_handover
from skykeep.store.key_handover import NEXT_FILE
from skykeep.store.record_store import RecordStore
from tests.docs.test_docs import ROOT, shown_commands
from tests.faults.witnessed import ORIGIN, Local, connect, forked, grow, log_key, offer, record

PAGE = ROOT / "docs" / "log-key.md"
OLD, NEW, OTHER = (signer(ORIGIN, bytes((n,)) * 32) for n in (1, 2, 3))
HEAD = Checkpoint(ORIGIN, 7, bytes(range(32)))
SIGNED = handover.sign(HEAD, OLD, NEW).to_bytes()


def test_both_sign_and_one_leads_to_the_next() -> None:
    found = handover.check(SIGNED, OLD.key)
    assert (found.head, found.old, found.new) == (HEAD, OLD.key, NEW.key)
    later = handover.sign(Checkpoint(ORIGIN, 9, HEAD.root), NEW, OTHER).to_bytes()
    assert [one.new for one in handover.chain([SIGNED, later], OLD.key)] == [NEW.key, OTHER.key]
    smaller = handover.sign(Checkpoint(ORIGIN, 6, HEAD.root), NEW, OTHER).to_bytes()
    for chained, trusted in (
        ([later, SIGNED], NEW), ([SIGNED, SIGNED], OLD), ([SIGNED, smaller], OLD),
        ([SIGNED], NEW), ([later], OLD),
    ):  # fmt: skip
        with pytest.raises(RecordError, match="hand-over"):
            handover.chain(chained, trusted.key)


def test_what_is_no_hand_over() -> None:
    text = handover.HandOver(HEAD, OLD.key, NEW.key).text()
    for signers in ([OLD], [NEW], [OLD, OTHER]):
        alone = handover.notes.sign(text, signers).to_bytes()
        with pytest.raises(RecordError):
            handover.check(alone, OLD.key)
    stranger = signer("other/log", bytes(32))
    for old, new in ((OLD, OLD), (OLD, stranger), (stranger, OLD)):
        with pytest.raises(RecordError):
            handover.sign(HEAD, old, new)
    lone = checkpoints.sign(HEAD, [OLD, NEW]).to_bytes()
    with pytest.raises(RecordError, match="6 lines"):
        handover.check(lone, OLD.key)


@settings(deadline=None)
@given(st.integers(0, len(SIGNED) * 8 - 1))
def test_any_flipped_bit_is_found(bit: int) -> None:
    flipped = bytearray(SIGNED)
    flipped[bit // 8] ^= 1 << bit % 8
    with pytest.raises(RecordError):
        handover.check(bytes(flipped), OLD.key)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    record(tmp_path / "data", range(20)).close()
    return tmp_path / "data"


def changed(folder: Path) -> RecordStore:
    store = RecordStore(folder, ORIGIN)
    store.hand_over()
    with pytest.raises(RecordError, match="its key was changed"):
        grow(store, [1])
    store.close()
    return RecordStore(folder, ORIGIN)


def test_the_record_goes_on_under_the_new_key(folder: Path) -> None:
    old = parse_public((folder / "log.vkey").read_text())
    store = changed(folder)
    assert store.public_key != old
    both = checkpoints.check(store.checkpoint(), ORIGIN, store.history.verifiers())
    assert len(both.signed.held) == 2  # the head behind which it changed holds under both
    grow(store, range(20, 25))
    checkpoints.check(store.checkpoint(), ORIGIN, [ed25519_verifier(store.public_key)])
    store.close()
    again = changed(folder)  # and once more
    grow(again, range(25, 30))
    assert list(again.faults()) == []
    assert [c.head.size for c in again.history.changes] == [20, 25]
    assert handover.chain(again.handovers(), old)[-1].new == again.public_key
    again.close()
    RecordStore(folder, ORIGIN, audit=True).close()


def test_the_old_key_has_ended(folder: Path) -> None:
    """A head of more entries under it, which whoever copied it can sign, does not count."""
    thief = parse_secret((folder / "log.skey").read_text())
    store = changed(folder)
    grow(store, range(20, 25))
    size, said = store.size, store._signed(store.checkpoint())
    for who, words in ((thief, "was not the log's then"), (OTHER, "none of the keys given")):
        note = checkpoints.sign(said, [who]).to_bytes()
        with store._db:
            store._db.execute("UPDATE checkpoints SET note = ? WHERE size = ?", (note, size))
        (fault, *_) = store.faults()
        assert words in fault
    store.close()


@pytest.mark.parametrize("dies", ["before", "at once", "between", "at the end"])
def test_a_crash_in_the_middle(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dies: str
) -> None:
    old = parse_public((folder / "log.vkey").read_text())

    def put(where: Path, made: Ed25519Signer) -> None:
        if dies == "between":
            (where / "log.vkey").write_text(made.key.to_text())
        elif dies == "at the end":
            shutil.copy(where / NEXT_FILE, tmp_path / "next")
            whole(where, made)
            shutil.copy(tmp_path / "next", where / NEXT_FILE)
        raise OSError("the power fails")

    whole = key_handover._put_in_place
    store = RecordStore(folder, ORIGIN)
    monkeypatch.setattr(key_handover, "_put_in_place", put)
    if dies == "before":
        monkeypatch.setattr(handover, "sign", put)
    with pytest.raises((RecordError, TypeError, OSError)):
        store.hand_over()
    store.close()
    monkeypatch.undo()
    store = RecordStore(folder, ORIGIN)
    assert (store.public_key == old) == (dies == "before")
    grow(store, [20])
    assert list(store.faults()) == []
    store.close()
    assert parse_secret((folder / "log.skey").read_text()).key == store.public_key


def test_key_files_that_do_not_fit_are_named(folder: Path) -> None:
    changed(folder).close()
    kept = (folder / "log.skey").read_text()
    (folder / "log.skey").write_text(OTHER.to_secret_text())
    (folder / "log.vkey").write_text(OTHER.key.to_text())
    with pytest.raises(RecordError, match="is not the key that the log was handed over to"):
        RecordStore(folder, ORIGIN)
    (folder / "log.skey").write_text(kept)
    (folder / "log.vkey").unlink()
    RecordStore(folder, ORIGIN).close()


def test_the_page_as_it_is_written(
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copy(folder / "log.vkey", "old.vkey")
    witness = Local(tmp_path / "w1", "w1.example", log_key(folder))
    connect(monkeypatch, [witness])
    store = RecordStore(folder, ORIGIN)
    assert offer(store, witness.place).note is not None
    store.close()
    new_key, verify, run = shown_commands(PAGE.read_text(encoding="utf-8"))
    assert main(new_key) == 0
    told = capsys.readouterr().out
    assert main(verify) == 0
    assert Path("new.vkey").read_text() == told == (folder / "log.vkey").read_text()
    assert main([*verify[:2], "--key", "new.vkey"]) == 1
    assert "THIS CHANGES NO KEY" in capsys.readouterr().out

    keys = [ed25519_verifier(parse_public(Path(run[at]).read_text())) for at in (4, 6)]
    store = RecordStore(folder, ORIGIN)
    grow(store, range(20, 25))
    assert "it answered 403" in offer(store, witness.place, 20).problem
    witness.state.close()
    witness.logs = {ORIGIN: keys}
    witness.open()
    assert offer(store, witness.place, 20).note is not None
    witness.state.close()
    witness.logs = {ORIGIN: keys[1:]}
    witness.open()
    grow(store, [25])
    assert offer(store, witness.place, 25).note is not None
    other = forked(tmp_path / "other", store, 3, 40)
    assert "it answered 422" in offer(other, witness.place, 26).problem
    for one in (store, other):
        one.close()
    witness.state.close()
