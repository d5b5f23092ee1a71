"""An insider who holds the record and the log's key, against witnesses.

Each attack is refused by them, or exposed by the heads that they publish: then the two heads
are a proof that needs nobody's word (docs/witnesses.md).
"""

from __future__ import annotations

import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from skykeep.errors import RecordError
from skykeep.record import witness_fork
from skykeep.record.cosignature import check_cosigned
from skykeep.record.merkle import StoredTree, root, verify_consistency
from skykeep.record.note import Verifier
from skykeep.record.witness import AddCheckpoint
from skykeep.store.record_store import RecordStore
from skykeep.store.witness_state import make_witness
from tests.faults import witnessed
from tests.faults.witnessed import ORIGIN, Local, Process, connect, forked, grow, offer, record

SIZE = 20


@pytest.fixture
def honest(tmp_path: Path) -> Iterator[RecordStore]:
    store = record(tmp_path / "record", range(SIZE))
    yield store
    store.close()


@pytest.fixture
def key(honest: RecordStore) -> Verifier:
    return witnessed.log_key(honest.folder)


@pytest.fixture
def three(
    tmp_path: Path, key: Verifier, honest: RecordStore, monkeypatch: pytest.MonkeyPatch
) -> list[Local]:
    """Witnesses that have all seen the honest record."""
    made = [Local(tmp_path / f"w{n}", f"w{n}.example", key) for n in (1, 2, 3)]
    connect(monkeypatch, made)
    for one in made:
        assert offer(honest, one.place).note is not None
    return made


def exposed(one: bytes, other: bytes, larger: RecordStore, key: Verifier) -> None:
    """The two heads prove that the log went two ways; the file holds for whoever has the key."""
    fork = witness_fork.between(one, other, ORIGIN, [key], larger.tree())
    assert fork is not None
    witness_fork.check(witness_fork.parse(fork.to_bytes()), ORIGIN, [key])


def test_a_record_that_was_edited_and_rebuilt_is_refused(
    tmp_path: Path, honest: RecordStore, three: list[Local], key: Verifier
) -> None:
    rebuilt = forked(tmp_path / "rebuilt", honest, 7, SIZE + 5)
    assert list(rebuilt.faults()) == []  # it holds in itself, signatures and all
    for one in three:
        for known in (SIZE, 0):
            asked = offer(rebuilt, one.place, known)
            assert asked.note is None
            assert "it answered 422" in asked.problem
        (refused,) = one.seen()["refused"]
        assert refused["note"].encode() == rebuilt.checkpoint()
        exposed(one.head, rebuilt.checkpoint(), rebuilt, key)
    rebuilt.close()


def test_a_record_that_was_rolled_back_is_refused(
    tmp_path: Path, honest: RecordStore, three: list[Local], key: Verifier
) -> None:
    """Also if it grows on from there: what was cut off had been cosigned."""
    shorter = record(tmp_path / "shorter", range(SIZE - 6), honest.folder)
    asked = offer(shorter, three[0].place)
    assert (asked.note, asked.size) == (None, SIZE)
    assert "the record has gone back" in asked.problem
    for old, status in ((SIZE, 400), (SIZE - 6, 409), (0, 409)):
        body = AddCheckpoint(old, (), shorter.checkpoint()).to_bytes()
        assert three[0].request("POST", "/add-checkpoint", body).status_code == status
    grow(shorter, range(500, 510))
    assert "it answered 422" in offer(shorter, three[0].place).problem
    exposed(three[0].head, shorter.checkpoint(), shorter, key)
    shorter.close()


def test_of_two_ways_one_gets_a_quorum_at_the_most(
    tmp_path: Path, honest: RecordStore, three: list[Local], key: Verifier
) -> None:
    """Two quorums of more than half share a witness, and it cosigns one of the two."""
    other = forked(tmp_path / "other", honest, SIZE, SIZE + 3)
    grow(honest, range(SIZE, SIZE + 4))
    first = [offer(honest, one.place).note for one in three[:2]]
    second = [offer(other, one.place).note for one in three]
    assert [note is not None for note in (*first, *second)] == [True, True, False, False, True]
    keys = [one.place.key for one in three]
    assert second[2] is not None
    with pytest.raises(RecordError, match="2 of 3 witnesses are needed"):
        check_cosigned(second[2], ORIGIN, [key], keys, 2)
    exposed(three[0].head, three[2].head, honest, key)
    other.close()


def test_another_root_over_the_same_size_proves_itself(
    tmp_path: Path, honest: RecordStore, three: list[Local], key: Verifier
) -> None:
    other = forked(tmp_path / "other", honest, 7, SIZE)
    asked = offer(other, three[0].place)
    assert asked.note is None
    assert "another root over 20 entries" in asked.problem
    proof = three[0].seen()["forks"][ORIGIN].encode()
    older, newer = witness_fork.check(witness_fork.parse(proof), ORIGIN, [key])
    assert older.size == newer.size == SIZE
    assert older.root != newer.root
    other.close()


def test_a_fork_shown_to_a_witness_that_lags_is_exposed(
    tmp_path: Path, honest: RecordStore, three: list[Local], key: Verifier
) -> None:
    """It cannot know, and cosigns. Its published head does not agree with the others'."""
    grow(honest, range(SIZE, SIZE + 10))
    assert offer(honest, three[0].place).note is not None
    other = forked(tmp_path / "other", honest, SIZE + 2, SIZE + 6)
    shown = [offer(other, one.place).note for one in three[1:]]
    assert None not in shown  # two that lag: even a quorum
    exposed(three[0].head, three[1].head, honest, key)
    grow(other, range(2_000, 2_010))
    exposed(three[0].head, other.checkpoint(), other, key)
    # From then on neither way gets anywhere: the lagging ones refuse the honest record too.
    assert "it answered 422" in offer(honest, three[1].place).problem
    other.close()


def test_a_witness_that_forgot_is_not_asked_again(
    tmp_path: Path, honest: RecordStore, three: list[Local]
) -> None:
    """One whose state was put back from an old copy: it knows less than it had cosigned."""
    lost = Local(tmp_path / "again", "w1.example", three[0].logs[ORIGIN][0])
    lost.place = three[0].place
    lost.request("POST", "/add-checkpoint", AddCheckpoint(0, (), b"").to_bytes())
    with pytest.MonkeyPatch.context() as patch:
        connect(patch, [lost])
        asked = offer(honest, lost.place, SIZE)
    assert asked.retired
    assert "has cosigned 20 entries and knows only of 0" in asked.problem


# -- the witness itself -----------------------------------------------------------------------


def post_until_it_dies(
    process: Process, ways: list[list[RecordStore]], said: list[bytes], rest: random.Random
) -> None:
    """Offer steps of two ways that part, in any order; keep every cosigned head."""
    while True:
        store = rest.choice(rest.choice(ways))
        asked = offer(store, process.place, rest.choice((0, 0, store.size - 1)))
        if asked.note is not None:
            said.append(asked.note)
        elif "does not answer" in asked.problem:
            return


def deaths(folder: Path, times: int, seed: int) -> None:
    chance = random.Random(seed)
    first = record(folder / "record", range(8))
    key, key_file = witnessed.log_key(first.folder), first.folder / "log.vkey"
    ways = [[first], [first]]
    for size in (9, 11, 14, 19):
        ways[0].append(record(folder / f"a{size}", range(size), first.folder))
        ways[1].append(forked(folder / f"b{size}", first, 8, size))
    hashes = [way[-1].leaf_hashes(0, 19) for way in ways]
    roots = {root(h[:size]): (h, size) for h in hashes for size in range(8, 20)}
    said: list[bytes] = []
    for _ in range(times):
        process = Process(folder / "w", key_file)
        assert process.ready
        args = (process, ways, said, random.Random(chance.random()))
        posting = threading.Thread(target=post_until_it_dies, args=args)
        posting.start()
        time.sleep(chance.uniform(0.0, 0.4))
        process.end(signal.SIGKILL)
        posting.join()
    process = Process(folder / "w", key_file)
    found = [check_cosigned(note, ORIGIN, [key], [process.place.key], 1) for note in said]
    heads = sorted((one.checkpoint for one in found), key=lambda head: head.size)
    assert heads[-1].size <= process.size()  # what it said, it remembers
    for old, new in pairwise(heads):
        leaves, size = roots[new.root]
        tree = StoredTree(lambda low, high, kept=leaves: kept[low:high])  # type: ignore[misc]
        consistency = tree.consistency_proof(old.size, size)
        verify_consistency(old.size, new.size, old.root, new.root, consistency)
    assert process.end() == 0
    assert b"Traceback" not in (folder / "w" / "stderr.txt").read_bytes()
    for store in {id(s): s for way in ways for s in way}.values():
        store.close()


def test_killed_at_any_moment_it_never_says_two_things(tmp_path: Path) -> None:
    deaths(tmp_path, 2, 1)


@pytest.mark.soak
@pytest.mark.parametrize("seed", [2, 3])
def test_killed_a_hundred_times(tmp_path: Path, seed: int) -> None:
    deaths(tmp_path, 100, seed)


#: The database begins with 32 kB; its log may grow by some commits beyond that.
LIMIT_BYTES = 120_000
_LIMITED = (
    sys.executable,
    "-c",
    "import os, resource, signal, sys;"
    "signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
    f"resource.setrlimit(resource.RLIMIT_FSIZE, ({LIMIT_BYTES}, {LIMIT_BYTES}));"
    "os.execv(sys.argv[1], sys.argv[1:])",
)


def test_a_full_disk_gives_no_cosignature(tmp_path: Path, honest: RecordStore) -> None:
    key_file = honest.folder / "log.vkey"
    process = Process(tmp_path / "w", key_file, before=_LIMITED)
    cosigned, asked = 0, offer(honest, process.place)
    for second in range(SIZE, SIZE + 200):
        if asked.note is None:
            break
        cosigned = asked.size
        grow(honest, [second])
        asked = offer(honest, process.place, cosigned)
    assert SIZE < cosigned < SIZE + 199
    assert "it answered 503" in asked.problem
    assert "could not be written" in asked.problem
    assert "Start it again" in offer(honest, process.place, cosigned).problem
    assert process.end() == 0
    process = Process(tmp_path / "w", key_file)  # with room again
    assert cosigned <= process.size() <= cosigned + 1
    assert offer(honest, process.place, cosigned).note is not None
    assert process.end() == 0


#: The first syncs open the database; from then on every one fails.
_FAILING_SYNC = ("strace", "-D", "-f", "-o", "/dev/null", "-e", "trace=fsync,fdatasync",
                 "-e", "inject=fsync,fdatasync:error=EIO:when={}+")  # fmt: skip


def can_trace() -> bool:
    """Whether this machine lets strace inject errors."""
    if shutil.which("strace") is None:
        return False
    done = subprocess.run(["strace", "-o", "/dev/null", "true"], check=False, capture_output=True)
    return done.returncode == 0


@pytest.mark.skipif(not can_trace(), reason="strace is not here, or may not trace")
def test_a_sync_that_fails_gives_no_cosignature(tmp_path: Path, honest: RecordStore) -> None:
    key_file = honest.folder / "log.vkey"
    before = [word.format(4) for word in _FAILING_SYNC]
    process = Process(tmp_path / "w", key_file, before=before)
    cosigned, asked = 0, offer(honest, process.place)
    for second in range(SIZE, SIZE + 4):
        if asked.note is None:
            break
        cosigned = asked.size
        grow(honest, [second])
        asked = offer(honest, process.place, cosigned)
    assert "it answered 503" in asked.problem
    assert "disk I/O error" in asked.problem
    assert "Start it again" in offer(honest, process.place, cosigned).problem
    process.end()
    process = Process(tmp_path / "w", key_file)
    assert cosigned <= process.size() <= cosigned + 1
    assert process.end() == 0


def test_a_witness_without_its_state_does_not_start(tmp_path: Path, honest: RecordStore) -> None:
    make_witness(tmp_path / "w", "w.example/1")
    (tmp_path / "w" / "witness.sqlite").unlink()
    process = Process(tmp_path / "w", honest.folder / "log.vkey")
    assert process.ready == ""
    assert process.end() == 1
    assert b"is retired" in (tmp_path / "w" / "stderr.txt").read_bytes()
