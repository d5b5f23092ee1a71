"""Publishing: what a quorum cosigned is shown, durable, and held against the record."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from skykeep.config import WitnessPlace, read_witnesses
from skykeep.errors import InputError
from skykeep.record import note as notes
from skykeep.record.checkpoint import Checkpoint
from skykeep.record.cosignature import check_cosigned
from skykeep.record.keys import ed25519_verifier
from skykeep.service import witness_client
from skykeep.service.metrics import Metrics
from skykeep.service.publish_log import LogPublisher
from skykeep.store.witness_heads import HEADS_FILE, WitnessHeads
from tests.desk import Desk
from tests.faults.keeper import SITE
from tests.faults.witnessed import ORIGIN, Local, connect

#: What a thread of its own does has come by then, on the busiest machine.
PATIENCE_S = 30.0


class Site:
    """A desk whose log has three witnesses; those that are `up` answer."""

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch) -> None:
        self.desk = Desk(folder)
        recorded = self.desk.writer.look()
        assert recorded is not None
        self.store, self.patch = recorded.store, patch
        self.key = ed25519_verifier(self.store.public_key)
        self.witnesses = [Local(folder / f"w{n}", f"w{n}.example", self.key) for n in (1, 2, 3)]
        self.up(1, 2, 3)
        self.open()

    def open(self) -> None:
        places = [one.place for one in self.witnesses]
        self.publisher = LogPublisher(self.desk.writer, self.desk.app.state.log_tiles, places)
        self.desk.app.state.log_publisher = self.publisher

    def up(self, *numbers: int) -> None:
        connect(self.patch, [self.witnesses[n - 1] for n in numbers])

    def round(self) -> int:
        """The clock ticks, the witnesses are asked; how many entries are published then."""
        self.desk.clock.on(1.0)
        self.desk.get("/v1/sensors")
        self.desk.loop.run_until_complete(self.publisher.round())
        return self.publisher.size

    def close(self) -> None:
        self.publisher.close()
        self.desk.close()


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    made = Site(tmp_path, monkeypatch)
    yield made
    made.close()


def test_a_head_is_published_when_more_than_half_cosigned(site: Site) -> None:
    answer = site.desk.get("/log/checkpoint", None)
    assert answer.status_code == 503
    assert "no head is published yet" in answer.json()["problem"]
    site.up(2)
    assert site.round() == 0
    assert "1 of 3 witnesses cosigned: " in site.publisher.problem
    assert "w1.example: it does not answer (refused)" in site.publisher.problem
    site.up(2, 3)
    size = site.round()
    assert size == site.store.size
    note = site.desk.get("/log/checkpoint", None).content
    keys = [one.place.key for one in site.witnesses]
    found = check_cosigned(note, ORIGIN, [site.key], keys, 2)
    assert {name for name, _ in found.cosigners} == {"w2.example", "w3.example"}
    site.up(1, 2, 3)
    assert site.round() > size
    note = site.desk.get("/log/checkpoint", None).content
    assert len(check_cosigned(note, ORIGIN, [site.key], keys, 3).cosigners) == 3
    assert site.publisher.problem == ""


def test_lag_is_told(site: Site) -> None:
    size = site.round()
    site.up(1)
    for _ in range(3):
        assert site.round() == size
    told = site.desk.get("/health", None).json()["published"]
    assert (told["entries"], told["lag_s"], told["quorum"]) == (size, 3.0, 2)
    assert told["witnesses"]["w1.example"] == site.store.size > size
    assert told["witnesses"]["w2.example"] == size
    assert "w3.example: it does not answer" in told["problem"]
    text = (
        Metrics(site.desk.app.state.hub, site.publisher, site.desk.app.state.rates).text().decode()
    )
    assert f"skykeep_published_entries {size:.1f}" in text
    assert "skykeep_published_lag_seconds 3.0" in text
    assert f'skykeep_witness_entries{{witness="w2.example"}} {size:.1f}' in text
    shown = site.desk.get("/log/witnesses", None).json()
    assert shown["quorum"] == 2
    first = shown["witnesses"][site.witnesses[0].place.key.to_text()]
    assert (first["url"], first["problem"]) == ("http://w1.example", "")
    check_cosigned(first["note"].encode(), ORIGIN, [site.key], [site.witnesses[0].place.key], 1)


def test_what_is_published_outlives_the_service(site: Site) -> None:
    size = site.round()
    note = site.publisher.note
    site.publisher.close()
    site.open()
    site.up()
    site.round()
    assert (site.publisher.size, site.publisher.note) == (size, note)
    assert set(site.publisher.heads) == {one.place.key.to_text() for one in site.witnesses}


def test_a_record_that_went_back_publishes_nothing(site: Site, tmp_path: Path) -> None:
    site.round()
    site.publisher.close()
    log = site.store.signer
    for size, root, words in (
        (10_000, bytes(32), "it has gone back"),
        (2, bytes(32), "the record was altered"),
    ):
        kept = WitnessHeads(tmp_path / "data")
        said = notes.sign(Checkpoint(ORIGIN, size, root).text(), [log])
        kept.keep({}, said.to_bytes())
        kept.close()
        site.open()
        asked = site.desk.loop.create_task(site.publisher.run())
        until_s = time.monotonic() + PATIENCE_S  # it reads its file in a thread of its own
        while not site.publisher.problem and time.monotonic() < until_s:
            site.desk.get("/health", None)
        assert words in site.publisher.problem
        assert site.publisher.note == said.to_bytes()  # it stays, to be held against the record
        site.publisher.stop()
        site.desk.loop.run_until_complete(asked)


def test_a_witness_that_forgot_is_retired_for_good(site: Site, tmp_path: Path) -> None:
    site.round()
    forgetful = Local(tmp_path / "again", "w1.example", site.key)
    forgetful.place = site.witnesses[0].place
    kept, site.witnesses[0] = site.witnesses[0], forgetful
    site.up(1, 2)
    size = site.publisher.size
    assert site.round() == size
    assert "knows only of 0" in site.publisher.problem
    site.publisher.close()
    site.witnesses[0] = kept
    site.open()
    site.up(1, 2)
    assert site.round() == size  # one that is retired does not come back
    site.up(1, 2, 3)
    assert site.round() > size  # two of three are a quorum without it
    vkey = kept.place.key.to_text()
    assert site.publisher.heads[vkey].retired
    forgetful.state.close()


def test_answers_that_are_none(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    good = site.witnesses[1].place.key.name
    for answer, words in (
        ((409, "text/x.tlog.size", b"07\n"), "which is no size"),
        ((409, "text/x.tlog.size", b"1\n"), "asked by somebody else too"),
        ((409, "text/x.tlog.size", b"99999\n"), "the record has gone back"),
        ((409, "text/plain", b"another root"), "it answered 409: another root"),
        ((500, "text/html", b"\xff" * 999), "it answered 500"),
        ((302, "text/html", b""), "it answered 302"),
        ((200, "text/plain", b""), "1 of 1 witnesses are needed"),
        ((200, "text/plain", b"hello\n"), "does not begin with a dash"),
        ((200, "text/plain", ("— " + good + " " + "A" * 104 + "\n").encode()), "are needed"),
    ):

        def post(*_: object, said: object = answer) -> object:
            return said

        monkeypatch.setattr(witness_client, "post", post)
        assert site.round() == 0
        assert words in site.publisher.problem, answer
    site.up(1, 2, 3)
    assert site.round() > 0


def test_without_witnesses_what_is_signed_is_published(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    assert desk.get("/log/checkpoint", None).content == desk.writer.checkpoint
    told = desk.get("/health", None).json()["published"]
    assert told == {
        "entries": desk.writer.size, "lag_s": 0.0, "quorum": 0, "witnesses": {}, "problem": "",
    }  # fmt: skip
    assert not (tmp_path / "data" / HEADS_FILE).exists()
    desk.close()


def test_witnesses_in_the_site_file(tmp_path: Path, site: Site) -> None:
    key = site.witnesses[0].place.key
    path = tmp_path / "site.json"

    def read(*witnesses: dict[str, str]) -> tuple[WitnessPlace, ...]:
        path.write_text(json.dumps(SITE | {"witnesses": witnesses}))
        return read_witnesses(path)

    url = "http://127.0.0.1:8461"
    good = {"key": key.to_text(), "url": f"{url}/"}
    assert read(good) == (WitnessPlace(key, url),)
    assert read() == ()
    for bad, words in (
        ([good, good], "is there twice"),
        ([good | {"url": "file:///etc"}], r"witnesses\[0\]\.url"),
        ([good | {"key": "x"}], r"witnesses\[0\]\.key"),
        ([good | {"key": site.store.public_key.to_text()}], "cannot be checked here"),
    ):
        with pytest.raises(InputError, match=words):
            read(*bad)
