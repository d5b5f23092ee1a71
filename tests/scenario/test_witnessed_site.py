"""The page docs/witnesses.md, as it is written: each command that it shows is run.

A real service with two real witnesses: an entry is published within seconds, its receipt holds
under the verifier, the log is exported, compared, rewritten by an insider, and proven false.
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from skykeep.cli import main
from skykeep.record.keys import new_seed, signer
from skykeep.store.record_store import RecordStore
from tests.docs.test_docs import ROOT, shown_commands
from tests.faults.keeper import RADAR, SITE, Keeper, prepare
from tests.faults.witnessed import ORIGIN, Process, forked, witnessed_entry

PAGE = ROOT / "docs" / "witnesses.md"
PUBLISHED_S = 30.0


def command(name: str, *changes: tuple[str, str]) -> list[str]:
    """The one command of the page that begins so, with this run's addresses and files."""
    found = [
        c for c in shown_commands(PAGE.read_text(encoding="utf-8")) if " ".join(c).startswith(name)
    ]
    assert len(found) == 1, found
    change = dict(changes)
    return [change.get(word, word) for word in found[0]]


def published(keeper: Keeper, entry: int) -> Any:
    end_s = time.monotonic() + PUBLISHED_S
    while time.monotonic() < end_s:
        told = keeper.request("GET", "/health")[1]["published"]
        if told["entries"] > entry:
            return told
        time.sleep(0.1)
    raise AssertionError(told)


@pytest.mark.soak
def test_the_page_as_it_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    prepare(tmp_path)
    data = tmp_path / "data"
    data.mkdir()
    log = signer(ORIGIN, new_seed())
    for name, text in (("log.vkey", log.key.to_text()), ("log.skey", log.to_secret_text())):
        (data / name).write_text(text + "\n")
    (tmp_path / "log.vkey").write_text(log.key.to_text())
    assert main(command("witness new")) == 0
    assert main(["witness", "new", "w2", "--name", "w2.example"]) == 0
    witnesses = [Process(tmp_path / f"w{n}", data / "log.vkey") for n in (1, 2)]
    places = [{"key": w.place.key.to_text(), "url": w.place.url} for w in witnesses]
    (tmp_path / "site.json").write_text(json.dumps(SITE | {"witnesses": places}))
    keeper = Keeper(tmp_path)
    url = ("http://127.0.0.1:8460", f"http://127.0.0.1:{keeper.port}")
    status, answer = keeper.post(1)
    assert status == 200
    told = published(keeper, answer["entry"])
    assert (told["quorum"], told["problem"]) == (2, "")

    assert main(command("log export", url)) == 0
    assert (tmp_path / "www" / "tile" / "0").is_dir()
    name = f"{answer['entry']}.tlog-proof"
    (tmp_path / name).write_bytes(witnessed_entry(keeper.port, answer["entry"], RADAR))
    keys = [(f"w{n}.vkey", f"w{n}/witness.vkey") for n in (1, 2)]
    assert main(command("verify-receipt", ("6.tlog-proof", name), *keys)) == 0
    assert "THIS RECEIPT HOLDS" in capsys.readouterr().out
    witness = ("http://127.0.0.1:8461", witnesses[0].place.url)
    assert main(command("log compare", url, witness)) == 0

    assert keeper.stop() == 0
    honest = RecordStore(data, ORIGIN)
    forked(tmp_path / "rewritten", honest, 2, honest.size + 50).close()
    honest.close()
    assert main(command("log compare", (url[0], "rewritten"), witness)) == 1
    assert main(command("verify-fork")) == 0
    assert "THE LOG WENT TWO WAYS" in capsys.readouterr().out
    for one in witnesses:
        assert one.end() == 0
