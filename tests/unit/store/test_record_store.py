"""The record on disk: what was acknowledged is there, and a failure leaves nothing behind."""

from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from skykeep.errors import RecordError
from skykeep.record import checkpoint as checkpoints
from skykeep.record import merkle
from skykeep.record.entry import Entry, Fact, Placed, commitment, read_leaf
from skykeep.record.keys import Ed25519Verifier, ed25519_verifier, parse_public
from skykeep.store import groups
from skykeep.store.record_files import NEWEST_FILE
from skykeep.store.record_store import (
    KEYS_FILE,
    PUBLIC_FILE,
    RECORD_FILE,
    SECRET_FILE,
    KnownBatch,
    RecordStore,
)
from tests.reference import entries as literal
from tests.reference import merkle as literal_tree

AT_NS = 1_789_249_688_000_000_000
HOUR_NS = 3_600 * 10**9
ORIGIN = "city/skykeep"
SECRET_WORDS = b"serial SKV18SRV00017"


def entry_of(number: int, *facts: Fact, at_ns: int = AT_NS) -> Entry:
    return Entry("batch", at_ns, "radar-1", facts or (Fact(b"fact %d" % number),))


def group(first: int, count: int) -> list[Entry]:
    return [entry_of(i) for i in range(first, first + count)]


@contextmanager
def opened(folder: Path, **more: Any) -> Iterator[RecordStore]:
    store = RecordStore(folder, ORIGIN, **more)
    try:
        yield store
    finally:
        store.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "record"


def public_key(folder: Path) -> Ed25519Verifier:
    return ed25519_verifier(parse_public((folder / PUBLIC_FILE).read_text(encoding="utf-8")))


# -- append and read back -----------------------------------------------------------------


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.lists(
            st.builds(
                Entry,
                st.sampled_from(["batch", "tick"]),
                st.integers(0, 3).map(lambda h: AT_NS + h * HOUR_NS),
                st.sampled_from(["radar-1", "rid", "ä"]),
                st.lists(
                    st.builds(Fact, st.binary(max_size=30), st.booleans()), max_size=4
                ).map(tuple),
            ),
            min_size=1,
            max_size=6,
        ),
        min_size=1,
        max_size=6,
    )
)  # fmt: skip
def test_any_groups_come_back_also_after_a_restart(
    tmp_path_factory: pytest.TempPathFactory, groups: list[list[Entry]]
) -> None:
    folder = tmp_path_factory.mktemp("record")
    given_in = [entry for each in groups for entry in each]
    with opened(folder) as store:
        at = 0
        for each in groups:
            assert store.append(each) == range(at, at + len(each))
            at += len(each)
        first = list(store.entries())
        frontier = store.frontier
    with opened(folder) as store:
        assert store.frontier == frontier
        assert store.size == len(given_in)
        assert list(store.entries()) == first
        assert [p.index for p in first] == list(range(len(given_in)))
        for placed, entry in zip(first, given_in, strict=True):
            leaf = read_leaf(placed.leaf)
            assert (leaf.kind, leaf.at_ns, leaf.source) == (entry.kind, entry.at_ns, entry.source)
            assert store.facts(placed) == tuple(f.data for f in entry.facts)
            assert [s[:1] == b"\x01" for s in placed.stored] == [f.private for f in entry.facts]
            store.check_facts(placed)
            salted = zip(
                [store.salt(placed, p) for p in range(len(placed.stored))],
                store.facts(placed),
                strict=True,
            )
            committed = [commitment(salt, data) for salt, data in salted]
            assert committed == store.commitments(placed)
            assert literal.inner_root(committed) == leaf.root
        assert store.frontier.root() == literal_tree.mth([p.leaf for p in first])


def test_entries_can_be_read_from_and_to_anywhere(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(groups, "_PAGE", 2)
    with opened(folder) as store:
        for first, count in ((0, 3), (3, 1), (4, 1), (5, 5)):
            store.append(group(first, count))
        for start in range(11):
            for end in range(11):
                found = [p.index for p in store.entries(start, end)]
                assert found == list(range(start, end))
        assert [p.index for p in store.entries(8)] == [8, 9]


def test_a_large_group_comes_back(folder: Path) -> None:
    """Larger than what one row takes, several times and with a rest."""
    given_in = group(0, 3 * groups.MOST_ENTRIES + 7)
    with opened(folder) as store:
        store.append(group(0, 1))
        store.append(given_in)
        found = [store.facts(placed) for placed in store.entries(1)]
        assert found == [tuple(f.data for f in entry.facts) for entry in given_in]
        assert store.frontier.root() == literal_tree.mth([p.leaf for p in store.entries()])
    with opened(folder) as store:
        assert store.size == len(given_in) + 1


def test_nothing_is_no_group(folder: Path) -> None:
    with opened(folder) as store, pytest.raises(RecordError, match="nothing is to be recorded"):
        store.append([])
    with opened(folder) as store:
        assert store.size == 0
        store.append(group(0, 1))


def test_a_staged_group_is_not_there_until_it_is_committed(folder: Path) -> None:
    with opened(folder) as store:
        staged = store.stage(group(0, 3), [("b", 1, b"d")])
        assert (store.size, list(store.entries()), store.batch("b")) == (0, [], None)
        other = store.stage(group(5, 2))
        assert store.commit(staged) == range(3)
        with pytest.raises(RecordError, match="does not follow"):
            store.commit(other)
        assert store.size == 3


# -- checkpoints and proofs ---------------------------------------------------------------


def test_each_group_has_a_checkpoint_that_strangers_can_check(folder: Path) -> None:
    sizes = []
    with opened(folder) as store:
        with pytest.raises(RecordError, match="no checkpoint over 0"):
            store.checkpoint()
        for count in (1, 4, 2, 7):
            store.append(group(store.size, count))
            sizes.append(store.size)
            checked = checkpoints.check(store.checkpoint(), ORIGIN, [public_key(folder)])
            leaves = [p.leaf for p in store.entries()]
            assert checked.checkpoint.root == literal_tree.mth(leaves)
            assert (checked.checkpoint.size, checked.checkpoint.origin) == (len(leaves), ORIGIN)
            assert (folder / NEWEST_FILE).read_bytes() == store.checkpoint()
    with sqlite3.connect(folder / RECORD_FILE) as db:
        assert [row[0] for row in db.execute("SELECT size FROM checkpoints")] == sizes
    db.close()


def test_the_trees_proofs_verify(folder: Path) -> None:
    with opened(folder) as store:
        store.append(group(0, 3))
        old = store.frontier.root()
        store.append(group(3, 8))
        tree, root = store.tree(), store.frontier.root()
        for placed in store.entries():
            proof = tree.inclusion_proof(placed.index, 11)
            merkle.verify_inclusion(placed.hash, placed.index, 11, proof, root)
        merkle.verify_consistency(3, 11, old, root, tree.consistency_proof(3, 11))
        assert tree.root(3) == old


# -- keys ---------------------------------------------------------------------------------


def test_the_logs_key_is_made_once_and_is_nobody_elses_to_read(folder: Path) -> None:
    with opened(folder) as store:
        key = store.signer.key
        assert store.public_key == key
    assert stat.S_IMODE((folder / SECRET_FILE).stat().st_mode) == 0o600
    assert public_key(folder).key == key
    with opened(folder) as store:
        assert store.signer.key == key
    assert {p.name for p in folder.iterdir()} == {
        RECORD_FILE, KEYS_FILE, SECRET_FILE, PUBLIC_FILE,
    }  # fmt: skip


def test_a_first_start_that_died_over_its_key_is_begun_again(folder: Path) -> None:
    folder.mkdir()
    (folder / (SECRET_FILE + ".part")).write_text("PRIVATE+K", encoding="utf-8")
    (folder / PUBLIC_FILE).write_text("of a key that was never kept", encoding="utf-8")
    (folder / RECORD_FILE).touch()
    with opened(folder) as store:
        store.append(group(0, 1))
    with opened(folder) as store:
        assert public_key(folder).key == store.signer.key


def test_the_public_half_is_written_again(folder: Path) -> None:
    with opened(folder) as store:
        store.append(group(0, 1))
        key = store.signer.key
    (folder / PUBLIC_FILE).unlink()
    with opened(folder):
        assert public_key(folder).key == key


@pytest.mark.parametrize(
    ("name", "words"),
    [
        (SECRET_FILE, "log.skey is missing: the record can be read and not continued"),
        (KEYS_FILE, "keys.sqlite has no key of the record"),
        (RECORD_FILE, "entry 0 is missing: 3 were signed, 0 are there"),
    ],
)
def test_what_is_missing_is_named_and_never_made_anew(folder: Path, name: str, words: str) -> None:
    with opened(folder) as store:
        store.append(group(0, 3))
    public = (folder / PUBLIC_FILE).read_bytes()
    (folder / name).rename(folder / "elsewhere")
    for _ in range(2):
        with pytest.raises(RecordError, match=words):
            RecordStore(folder, ORIGIN)
    assert (folder / PUBLIC_FILE).read_bytes() == public
    assert not (folder / SECRET_FILE).exists() or name != SECRET_FILE
    (folder / "elsewhere").rename(folder / name)
    with opened(folder) as store:
        assert store.size == 3


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        (SECRET_FILE, b"", "signer key"),
        (SECRET_FILE, b"\xff\xfe", "log.skey is not text"),
        (PUBLIC_FILE, b"\xff\xfe", "log.vkey is not text"),
        (PUBLIC_FILE, b"city", "verifier key"),
        (KEYS_FILE, b"no database at all, but long enough to be none" * 9, "cannot be opened"),
        (RECORD_FILE, b"no database at all, but long enough to be none" * 9, "cannot be opened"),
    ],
)
def test_a_file_that_is_something_else_is_named(
    folder: Path, name: str, content: bytes, words: str
) -> None:
    with opened(folder) as store:
        store.append(group(0, 3))
    (folder / name).write_bytes(content)
    with pytest.raises(RecordError, match=words):
        RecordStore(folder, ORIGIN)


def test_another_logs_public_half_is_seen(folder: Path, tmp_path: Path) -> None:
    for each in (folder, tmp_path / "other"):
        with opened(each) as store:
            store.append(group(0, 3))
    (folder / PUBLIC_FILE).write_bytes((tmp_path / "other" / PUBLIC_FILE).read_bytes())
    with pytest.raises(RecordError, match=r"log\.vkey is not the public half"):
        RecordStore(folder, ORIGIN)


def test_another_logs_secret_half_is_seen(folder: Path, tmp_path: Path) -> None:
    for each in (folder, tmp_path / "other"):
        with opened(each) as store:
            store.append(group(0, 3))
    for name in (PUBLIC_FILE, SECRET_FILE):
        (folder / name).write_bytes((tmp_path / "other" / name).read_bytes())
    with pytest.raises(RecordError, match="over 3 entries: note: none of the keys given"):
        RecordStore(folder, ORIGIN)


# -- sealed facts -------------------------------------------------------------------------


def stored_bytes(folder: Path) -> bytes:
    return b"".join(p.read_bytes() for p in sorted(folder.iterdir()))


def private(number: int, at_ns: int = AT_NS) -> Entry:
    return entry_of(number, Fact(b"open"), Fact(SECRET_WORDS, private=True), at_ns=at_ns)


def test_a_private_fact_stands_in_no_file_in_plain(folder: Path) -> None:
    with opened(folder) as store:
        store.append([private(0)], snapshot=b"state with " + SECRET_WORDS)
        assert (folder / f"{RECORD_FILE}-wal").exists()
        assert SECRET_WORDS not in stored_bytes(folder)
        assert b"open" in stored_bytes(folder)
        assert store.facts(next(store.entries())) == (b"open", SECRET_WORDS)
    assert SECRET_WORDS not in stored_bytes(folder)


def test_an_hour_and_a_source_have_a_key_of_their_own(folder: Path) -> None:
    with opened(folder) as store:
        hours = [AT_NS, AT_NS + 1, AT_NS + HOUR_NS]
        store.append([private(i, at_ns) for i, at_ns in enumerate(hours)])
        store.append([Entry("batch", AT_NS, "rid", (Fact(b"x", private=True),))])
    db = sqlite3.connect(folder / KEYS_FILE)
    rows = db.execute("SELECT source, key FROM seal_keys").fetchall()
    db.close()
    assert sorted(source for source, _ in rows) == ["radar-1", "radar-1", "rid"]
    assert len({key for _, key in rows}) == 3


def test_with_its_key_a_fact_is_gone_and_the_record_still_holds(folder: Path) -> None:
    with opened(folder) as store:
        store.append([private(0), private(1, AT_NS + HOUR_NS), entry_of(2)])
        checkpoint = store.checkpoint()
    db = sqlite3.connect(folder / KEYS_FILE)
    with db:
        db.execute("DELETE FROM seal_keys WHERE hour = ?", (AT_NS // HOUR_NS,))
    db.close()
    with opened(folder) as store:
        assert store.checkpoint() == checkpoint
        first, second, third = store.entries()
        for placed in (first, second, third):
            store.check_facts(placed)
        for read in (store.facts, lambda placed: store.salt(placed, 1)):
            with pytest.raises(RecordError, match="entry 0, fact 1: its key is gone"):
                read(first)
        assert store.facts(second) == (b"open", SECRET_WORDS)
        # The next fact of that hour gets a new key, and does not make the old one readable.
        store.append([private(3)])
        assert store.facts(list(store.entries())[3]) == (b"open", SECRET_WORDS)
        with pytest.raises(RecordError, match="entry 0, fact 1: it was altered, or the key"):
            store.facts(first)


@pytest.mark.parametrize("key", [b"short", b"x" * 33])
def test_a_key_that_is_none_is_named(folder: Path, key: bytes) -> None:
    with opened(folder) as store:
        store.append([private(0)])
    db = sqlite3.connect(folder / KEYS_FILE)
    with db:
        db.execute("UPDATE seal_keys SET key = ?", (key,))
    db.close()
    with opened(folder) as store, pytest.raises(RecordError, match="is no key"):
        store.facts(next(store.entries()))


def swapped(one: Placed, stored: tuple[bytes, ...]) -> Placed:
    return Placed(one.index, one.leaf, stored)


def test_facts_are_held_against_their_leaf(folder: Path) -> None:
    with opened(folder) as store:
        store.append([private(0), private(1)])
        one, two = store.entries()
        for stored, words in (
            (one.stored[:1], "has 1 facts, its leaf says 2"),
            ((one.stored[1], one.stored[0]), "a stored fact was altered"),
            ((b"\x00other", one.stored[1]), "a stored fact was altered"),
            ((one.stored[0], two.stored[1]), "a stored fact was altered"),
            # A sealed fact shows its commitment; what is sealed under it must be the same.
            ((one.stored[0], one.stored[1][:37] + two.stored[1][37:]), "fact 1: it was altered"),
            ((b"", one.stored[1]), r"entry 0 \(batch\): .*neither open nor sealed"),
        ):
            with pytest.raises(RecordError, match=words):
                store.check_facts(swapped(one, stored))


def test_a_sealed_fact_that_shows_anothers_commitment_is_seen(folder: Path) -> None:
    """Whoever has the hour's key can seal one thing and show the commitment to another."""
    with opened(folder) as store:
        store.append([private(0)])
        (one,) = store.entries()
        key = store._key_of("radar-1", AT_NS // HOUR_NS)
        assert key is not None
        shown = one.stored[1][5:37]
        bound = shown + (0).to_bytes(8, "big") + (1).to_bytes(4, "big")
        lie = one.stored[1][:37] + AESGCM(key.data).encrypt(shown[:12], b"another", bound)
        assert store.facts(swapped(one, (one.stored[0], lie))) == (b"open", b"another")
        with pytest.raises(RecordError, match="entry 0, fact 1: not what was committed"):
            store.check_facts(swapped(one, (one.stored[0], lie)))


# -- one process, ids, snapshots ----------------------------------------------------------


def test_a_second_opening_fails_in_words(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also while the first has written nothing yet."""
    monkeypatch.setattr("skykeep.store.record_files.BUSY_S", 0.05)
    for count in (2, 0, 1):
        with opened(folder) as store:
            for number in range(count):
                store.append(group(number, 1))
            for audit in (False, True):
                with pytest.raises(RecordError, match=r"cannot be opened: database is locked"):
                    RecordStore(folder, ORIGIN, audit=audit)
            store.append(group(2, 1))


def test_a_second_process_fails_in_words(folder: Path) -> None:
    program = "import sys; from pathlib import Path; " + (
        "from skykeep.store import record_files, record_store; record_files.BUSY_S = 0.05; "
        "record_store.RecordStore(Path(sys.argv[1]), 'x')"
    )
    with opened(folder) as store:
        store.append(group(0, 2))
    with opened(folder):
        done = subprocess.run(
            [sys.executable, "-c", program, folder], check=False, capture_output=True, text=True
        )
    assert done.returncode != 0
    assert "RecordError" in done.stderr
    assert "database is locked" in done.stderr


def test_batches_are_known_by_their_ids_after_their_commit(folder: Path) -> None:
    with opened(folder) as store:
        store.append(group(0, 2), [("one", 0, b"d1")])
        store.append(group(2, 3), [("two", 1, b"d2"), ("three", 2, b"d3")])
        with pytest.raises(RecordError, match="UNIQUE"):
            store.append(group(5, 1), [("one", 0, b"other")])
    with opened(folder) as store:
        assert store.size == 5
        known = {"one": KnownBatch(0, b"d1"), "two": KnownBatch(3, b"d2"),
                 "three": KnownBatch(4, b"d3")}  # fmt: skip
        assert {name: store.batch(name) for name in known} == known == store.batches()
        assert store.batch("four") is None


def test_the_last_snapshot_is_kept_and_sealed(folder: Path) -> None:
    with opened(folder) as store:
        assert store.snapshot() is None
        store.append(group(0, 2), snapshot=b"first state")
        assert store.snapshot() == (2, b"first state")
        store.append(group(2, 3), snapshot=b"second state")
        store.append(group(5, 1))
    assert b"first state" not in stored_bytes(folder)
    assert b"second state" not in stored_bytes(folder)
    with opened(folder) as store:
        assert store.snapshot() == (5, b"second state")


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE snapshots SET size = 1",
        "UPDATE snapshots SET size = 99",
        "UPDATE snapshots SET sealed = x'00616263'",
        "UPDATE snapshots SET sealed = substr(sealed, 1, 60)",
    ],
)
def test_an_altered_snapshot_is_refused(folder: Path, statement: str) -> None:
    with opened(folder) as store:
        store.append(group(0, 2), snapshot=b"the state of the engine")
    db = sqlite3.connect(folder / RECORD_FILE)
    with db:
        db.execute(statement)
    db.close()
    with opened(folder) as store, pytest.raises(RecordError, match="the snapshot over"):
        store.snapshot()


# -- a disk that fails --------------------------------------------------------------------


class Failing:
    """A connection whose statements fail from the nth on, before or after they are done."""

    def __init__(self, real: sqlite3.Connection, fail_at: int, after: bool) -> None:
        self._real, self._left, self._after = real, fail_at, after

    def __getattr__(self, name: str) -> Any:
        real = getattr(self._real, name)
        if name not in ("execute", "executemany", "commit"):
            return real

        def call(*args: Any) -> Any:
            self._left -= 1
            if self._left > 0:
                return real(*args)
            if self._after and self._left == 0:
                real(*args)
            raise sqlite3.OperationalError("disk I/O error")

        return call

    def __enter__(self) -> Failing:
        self._real.__enter__()
        return self

    def __exit__(self, kind: Any, *rest: Any) -> Any:
        if kind is None:
            self.commit()
            return None
        return self._real.__exit__(kind, *rest)


KEPT = 3
NEXT = ([private(3), entry_of(4)], [("b", 0, b"d")], b"snapshot")


def begun(folder: Path) -> RecordStore:
    store = RecordStore(folder, ORIGIN)
    store.append(group(0, KEPT))
    return store


def refused(store: RecordStore, words: str) -> None:
    """Nothing of the append is there, and the store goes no further."""
    root = store.frontier
    with pytest.raises(RecordError, match=words):
        store.append(*NEXT)
    assert store.frontier == root
    for again in (lambda: store.append(group(3, 1)), lambda: store.stage(group(3, 1))):
        with pytest.raises(RecordError, match=r"the record stopped: .*\. Open it again"):
            again()


def holds(folder: Path, size: int) -> None:
    """Whole and sound, with all of the group or nothing of it; and it goes on."""
    with opened(folder) as store:
        assert store.size == size
        for placed in store.entries():
            store.check_facts(placed)
            assert len(store.facts(placed)) == len(placed.stored)
        assert (store.batch("b") is not None) == (size > KEPT)
        assert store.snapshot() == ((5, b"snapshot") if size > KEPT else None)
        if size == KEPT:
            store.append(*NEXT)
        store.append([private(9)])
    with opened(folder) as store:
        assert store.size == KEPT + len(NEXT[0]) + 1


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize(
    ("connection", "call"),
    [("_db", call) for call in range(1, 7)] + [("_keys", call) for call in range(1, 6)],
)
def test_an_error_anywhere_leaves_nothing_half_written(
    folder: Path, connection: str, call: int, after: bool
) -> None:
    store = begun(folder)
    real = getattr(store, connection)
    setattr(store, connection, Failing(real, call, after))
    refused(store, "this could not be recorded: .*disk I/O error")
    setattr(store, connection, real)
    store.close()
    # Only where the commit itself was done before the error can the group be there.
    done = (connection, call, after) == ("_db", 6, True)
    holds(folder, KEPT + len(NEXT[0]) if done else KEPT)


def test_the_places_where_it_was_made_to_fail_are_all_there_are(folder: Path) -> None:
    for connection, calls in (("_db", 6), ("_keys", 5)):
        store = begun(folder / connection)
        real = getattr(store, connection)
        setattr(store, connection, Failing(real, calls + 1, after=False))
        store.append(*NEXT)
        setattr(store, connection, real)
        store.close()


@pytest.mark.parametrize("connection", ["_db", "_keys"])
def test_a_full_disk_is_said_and_does_no_damage(folder: Path, connection: str) -> None:
    store = begun(folder)
    if connection == "_keys":  # an hour's key is small: many sources until no page is left
        big = [Entry("batch", AT_NS, f"s{i}", (Fact(b"x", private=True),)) for i in range(500)]
    else:
        big = [entry_of(0, Fact(os.urandom(20_000)))] * 10
    db = getattr(store, connection)
    pages = db.execute("PRAGMA page_count").fetchone()[0]
    db.execute(f"PRAGMA max_page_count = {pages + 3}")
    with pytest.raises(RecordError, match=r"could not be recorded: .*full"):
        store.append(big)
    refused(store, "the record stopped")
    assert store.size == KEPT
    store.close()
    holds(folder, KEPT)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
def test_the_file_of_the_newest_checkpoint_may_fail(folder: Path) -> None:
    """All that it says is durable already."""
    store = begun(folder)
    (folder / NEWEST_FILE).unlink()
    (folder / NEWEST_FILE).symlink_to("/dev/full")
    store._newest.close()
    store.append(group(3, 2))
    (folder / NEWEST_FILE).unlink()
    store.close()
    with opened(folder) as store:
        assert store.size == 5


def test_a_group_that_cannot_be_written_stops_the_record(folder: Path) -> None:
    """The engine has taken it already: only opening again brings the two together."""
    store = begun(folder)
    with pytest.raises(RecordError, match="a leaf of"):
        store.append([Entry("batch", AT_NS, "x" * 1_000, ())])
    refused(store, "the record stopped")
    store.close()
    holds(folder, KEPT)


@pytest.mark.parametrize("content", [b"", b"half a no", b"\xff" * 300])
def test_a_newest_checkpoint_that_was_torn_says_nothing(folder: Path, content: bytes) -> None:
    begun(folder).close()
    (folder / NEWEST_FILE).write_bytes(content)
    with opened(folder) as store:
        assert store.size == KEPT
        store.append(group(KEPT, 1))
        assert (folder / NEWEST_FILE).read_bytes() == store.checkpoint()


def test_every_commit_is_synced(folder: Path) -> None:
    with opened(folder) as store:
        for db in (store._db, store._keys):
            assert db.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
            assert db.execute("PRAGMA synchronous").fetchone()[0] == 2  # FULL


def test_a_record_is_read_as_it_was_while_it_grows_on_another_thread(folder: Path) -> None:
    with opened(folder) as store:
        store.append([private(n) for n in range(50)])
        view, note = store.as_it_is(), store.checkpoint()
        before = [
            (p, store.facts(p), [store.salt(p, n) for n in range(len(p.stored))])
            for p in store.entries()
        ]
        proof = store.tree().range_proof(10, 20, 50)

        def read() -> list[object]:
            return [
                (p, view.facts(p), [view.salt(p, n) for n in range(len(p.stored))])
                for p in view.entries()
            ]

        with ThreadPoolExecutor(1) as other:
            for n in range(20):
                reading = other.submit(read)
                store.append([private(50 + n)])
                assert reading.result() == before
        assert store.size == 70
        assert (view.size, view.checkpoint()) == (50, note)
        assert view.tree().range_proof(10, 20, 50) == proof
        with pytest.raises(RecordError, match="looked at"):
            view.append([private(99)])
