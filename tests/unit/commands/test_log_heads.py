"""Witnesses' heads against the log's own, and the file that proves that two do not agree."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from skykeep.cli import main
from skykeep.commands import log_heads
from skykeep.commands.log_export import local
from skykeep.errors import InputError, RecordError
from skykeep.record import note as notes
from skykeep.record.merkle import root
from skykeep.record.tiles import Tile
from skykeep.store.record_store import RecordStore
from tests.faults.witnessed import Local, connect, forked, grow, log_key, offer, record

SIZE = 600


class Watched:
    """A log of 600 entries, and two witnesses of it."""

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self.store = record(folder / "record", range(SIZE))
        key = log_key(folder / "record")
        self.witnesses = [Local(folder / f"w{n}", f"w{n}.example", key) for n in (1, 2)]
        self.urls = [one.place.url for one in self.witnesses]
        connect(patch, self.witnesses)
        patch.setattr(log_heads, "fetch", self.fetch)
        for one in self.witnesses:
            offer(self.store, one.place)

    def fetch(self, url: str) -> bytes:
        base = url.removesuffix("/heads")
        by_url = dict(zip(self.urls, self.witnesses, strict=True))
        return by_url[base].request("GET", "/heads").content if base in by_url else b"[]"

    def compare(self, store: RecordStore) -> int:
        """As the command line does; the record is closed by then."""
        store.close()
        key, out = self.folder / "record" / "log.vkey", self.folder / "fork.json"
        words = ["log", "compare", str(store.folder), *self.urls]
        return main([*words, "--key", str(key), "--out", str(out)])

    def verify(self) -> int:
        key = str(self.folder / "record" / "log.vkey")
        return main(["verify-fork", str(self.folder / "fork.json"), "--key", key])


@pytest.fixture
def watched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Watched]:
    made = Watched(tmp_path, monkeypatch)
    yield made
    made.store.close()


def test_all_see_one_log(watched: Watched, capsys: pytest.CaptureFixture[str]) -> None:
    grow(watched.store, range(SIZE, SIZE + 300))
    assert watched.compare(watched.store) == 0
    said = capsys.readouterr().out
    assert "All 3 heads are of one log." in said
    assert f"{SIZE:>10} entries, root " in said
    assert not (watched.folder / "fork.json").exists()


@pytest.mark.parametrize(("common", "size"), [(500, 900), (500, SIZE)])
def test_a_rewritten_log_is_proven(
    watched: Watched, common: int, size: int, capsys: pytest.CaptureFixture[str]
) -> None:
    other = forked(watched.folder / "other", watched.store, common, size)
    assert watched.compare(other) == 1
    assert "does not agree: " in capsys.readouterr().err
    assert watched.verify() == 0
    said = capsys.readouterr().out
    assert "THE LOG WENT TWO WAYS" in said
    assert f"{SIZE:>10} entries" in said
    path = watched.folder / "fork.json"
    path.write_bytes(path.read_bytes().replace(b"skykeep fork 1", b"skykeep fork 2"))
    assert watched.verify() == 1
    assert "THIS PROVES NOTHING" in capsys.readouterr().out


def test_a_log_that_went_back_is_named(
    watched: Watched, capsys: pytest.CaptureFixture[str]
) -> None:
    shorter = record(watched.folder / "other", range(500), watched.store.folder)
    assert watched.compare(shorter) == 1
    assert "has cosigned 600 entries, the log shows 500" in capsys.readouterr().err


def test_witnesses_that_disagree_among_themselves(watched: Watched) -> None:
    """The log shows one way here, and has shown another to the second witness."""
    other = forked(watched.folder / "other", watched.store, SIZE, SIZE + 9)
    grow(watched.store, range(SIZE, SIZE + 9))
    offer(watched.store, watched.witnesses[0].place)
    offer(other, watched.witnesses[1].place)
    other.close()
    assert watched.compare(watched.store) == 1
    assert watched.verify() == 0


def test_what_cannot_be_compared(watched: Watched) -> None:
    key = watched.store.public_key
    source = local(watched.store)
    for url in ("http://nobody.example", "http://w9"):
        with pytest.raises(InputError, match="does not answer as a witness"):
            log_heads.compared(source, key, [url])
    with pytest.raises(InputError, match="cannot be read"):
        log_heads.verify_fork(watched.folder / "none", watched.store.folder / "log.vkey")

    def swapped(tile: Tile) -> bytes:
        return source.tile(Tile(tile.level, 1 - tile.index) if tile.is_full else tile)

    head = log_heads._head("x", watched.store.checkpoint(), log_key(watched.store.folder))
    with pytest.raises(RecordError, match="do not give the root"):
        log_heads.tree_of(log_heads.Source(source.checkpoint, swapped), head.checkpoint)
    tree = log_heads.tree_of(source, head.checkpoint)
    assert tree.root(300) == root(watched.store.leaf_hashes(0, 300))
    assert notes.parse(head.note).text == head.checkpoint.text()
