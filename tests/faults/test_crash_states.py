"""Power failures: of what a traced writer did to the disk, any part that was not synced is lost.

`kill -9` cannot find a missing sync, since the kernel still has what was written. Here a writer of
every durable file is traced, and from the trace come the contents that a disk may have at any
moment. From each the record opens, and an auditor holds it against what the writer was told.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults import crash_writer, trace
from tests.faults.crash_audit import Told, audit, put
from tests.faults.crash_disk import Disk
from tests.faults.crash_writer import SAID
from tests.faults.trace import Call

#: What a disk may hold is put into memory, where there is such a place: thousands of syncs less.
MEMORY = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
ROOT = Path(__file__).parents[2]
ENV = os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])}


def recorded(folder: Path, seed: int, *more: str, inject: tuple[str, ...] = ()) -> list[Call]:
    """The calls of one run of the writer, in a folder of its own."""
    trace.needs_strace()
    folder.mkdir(parents=True)
    out = folder.with_name(f"{folder.name}.trace")
    command = [sys.executable, crash_writer.__file__, str(folder), str(seed), *more]
    trace.record(out, command, ENV, *inject)
    calls = list(trace.read(out, folder))
    out.unlink()
    return calls


def failures(
    calls: list[Call], folder: Path, count: int, seed: int, unsynced: str = ""
) -> Iterator[list[str]]:
    """What the auditor finds after each of `count` power failures at random moments."""
    chance, said = random.Random(seed), str(folder / SAID)
    disk, told = Disk(str(folder), chance, unsynced), Told()
    cuts = Counter(chance.randint(1, len(calls)) for _ in range(count))
    with tempfile.TemporaryDirectory(prefix="skykeep-", dir=MEMORY) as place:
        for number, call in enumerate(calls, 1):
            if call.path != said:
                disk.follow(call)
            elif call.name == "write":
                told.hear(call.data)
            for _ in range(cuts[number]):
                how, state = disk.state(chance)
                put(Path(place) / "state", state)
                found = audit(Path(place) / "state", told)
                shutil.rmtree(Path(place) / "state")
                after = f"after call {number} ({call.name} {call.path}), {how}"
                yield [f"{after}: {one}" for one in found]


def first(found: Iterator[list[str]]) -> str:
    """The first that the auditor finds; empty if that is nothing."""
    return next((said for one in found for said in one), "")


def failed(folder: Path) -> list[str]:
    """The errors that the writer met."""
    lines = map(json.loads, (folder / SAID).read_text().splitlines())
    return [f"{kind}: {words[0]}" for how, kind, *words in lines if how == "failed"]


@pytest.fixture(scope="module")
def traced(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[Call], Path]:
    """One recording, and where it was made."""
    folder = tmp_path_factory.mktemp("traced") / "site"
    return recorded(folder, 1), folder


def test_what_was_acknowledged_survives_power_failures(traced: tuple[list[Call], Path]) -> None:
    found = list(failures(*traced, count=20, seed=1))
    assert [said for one in found for said in one] == []
    assert len(found) == 20
    assert failed(traced[1]) == []


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(2, 7))
def test_what_was_acknowledged_survives_a_thousand_power_failures(
    tmp_path: Path, seed: int
) -> None:
    folder = tmp_path / "site"
    found = list(failures(recorded(folder, seed, "public"), folder, 200, seed))
    assert [said for one in found for said in one] == []
    assert len(found) == 200


@pytest.mark.parametrize("synchronous", ["OFF", "NORMAL"])
def test_a_store_that_does_not_wait_for_the_disk_is_found(tmp_path: Path, synchronous: str) -> None:
    """The planted fault: what SQLite is asked for is weaker than what the store promises."""
    folder = tmp_path / "site"
    calls = recorded(folder, 1, "30", f"synchronous={synchronous}")
    losses = ("lost: ", "went back", "were signed")
    assert any(
        word in said for one in failures(calls, folder, 60, 1) for said in one for word in losses
    )


#: Files and folders whose syncs are left out, one at a time; the folder of all is ".".
SYNCED = (
    "data/record.sqlite-wal", "data/keys.sqlite-wal", "data", "data/log.next.skey.part",
    "data/record.sqlite", "data/keys.sqlite", "data/log.skey.part", "data/log.vkey.part",
    "data/published.sqlite-wal", "data/permit-links.key.part", "witness", ".",
    "witness/witness.sqlite-wal", "witness/witness.sqlite", "witness/witness.skey.part",
)  # fmt: skip


@pytest.mark.parametrize(
    "unsynced", [*SYNCED[:3], *(pytest.param(one, marks=pytest.mark.soak) for one in SYNCED[3:])]
)
def test_a_sync_left_out_is_found(traced: tuple[list[Call], Path], unsynced: str) -> None:
    """Each sync is needed: without it, the same auditor finds something after some failure."""
    assert first(failures(*traced, count=400, seed=2, unsynced=unsynced))


#: Which of the calls fails, and how; a power failure follows at some later moment.
FAILING = [
    *(("fdatasync", n) for n in range(3, 190, 11)),
    *(("fsync", n) for n in range(2, 60, 7)),
    *(("pwrite64", n) for n in range(5, 400, 41)),
]


def fails_and_loses_power(tmp_path: Path, call: str, number: int, count: int) -> None:
    folder = tmp_path / f"{call}{number}"
    inject = ("-e", f"inject={call}:error=EIO:when={number}")
    calls = recorded(folder, number, "40", inject=inject)
    found = list(failures(calls, folder, count, number))
    assert [said for one in found for said in one] == [], (call, number)
    said = failed(folder)
    assert len(said) <= 1
    assert all("/output error" in one or "disk I/O" in one for one in said)


@pytest.mark.parametrize(("call", "number"), [("fdatasync", 80), ("fsync", 4)])
def test_a_power_failure_behind_a_sync_that_failed(tmp_path: Path, call: str, number: int) -> None:
    """What a failed sync left behind is readable and not on the disk; a later one does not help."""
    fails_and_loses_power(tmp_path, call, number, 10)


@pytest.mark.soak
@pytest.mark.parametrize(("call", "number"), FAILING)
def test_a_power_failure_behind_a_call_that_failed(tmp_path: Path, call: str, number: int) -> None:
    fails_and_loses_power(tmp_path, call, number, 10)
