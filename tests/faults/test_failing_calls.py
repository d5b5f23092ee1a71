"""Writes, syncs, renames and openings that fail, one in each run, on any file of the writer.

strace lets one call fail without doing it. That a call is done and then said to have failed is the
state in which the power failed just before the answer: tests/faults/test_crash_states.py.
"""

from __future__ import annotations

import random
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.faults import crash_writer, trace
from tests.faults.crash_audit import Told, audit
from tests.faults.crash_writer import SAID
from tests.faults.test_crash_states import ENV, failed

#: Files whose calls fail: those that are durable, their logs and what they are written as first.
PATHS = (
    ".", "data", "witness", "tokens.json",
    *(f"data/{name}{end}" for name in ("record.sqlite", "keys.sqlite", "published.sqlite")
      for end in ("", "-wal", "-journal")),
    *(f"data/{name}{end}" for name in ("log.skey", "log.vkey", "log.next.skey",
                                       "permit-links.key", "permit-cards.key")
      for end in ("", ".part")),
    *(f"witness/witness.{end}" for end in ("sqlite", "sqlite-wal", "skey.part", "vkey.part")),
)  # fmt: skip
#: How often each is drawn, and which of its calls at the most.
CALLS = {
    "pwrite64": (8, 200), "fdatasync": (6, 90), "openat": (4, 90), "fsync": (3, 25),
    "ftruncate": (2, 25), "unlink": (1, 12), "rename": (1, 4), "write": (1, 3), "mkdir": (1, 2),
}  # fmt: skip
STEPS = "20"


def one_fails(folder: Path, call: str, number: int, error: str, seed: int) -> bool:
    """Whether a call failed; if so, all that was acknowledged is there, and it went on."""
    folder.mkdir()
    out = folder.with_name("injected")
    command = [sys.executable, crash_writer.__file__, str(folder), str(seed), STEPS]
    places = [part for path in PATHS for part in ("-P", str((folder / path).resolve()))]
    done = subprocess.run(
        ["strace", "-f", "--seccomp-bpf", "-o", str(out), *places, "-e", f"trace={call}",
         "-e", f"inject={call}:error={error}:when={number}", *command],
        check=False, env=ENV, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    if "(INJECTED)" not in out.read_text():
        return False
    said, told = failed(folder), Told()
    for line in (folder / SAID).read_bytes().splitlines():
        told.hear(line)
    assert audit(folder, told) == [], (call, number, error)
    # Of some that fail nobody need hear: what they were to do is done another way or later.
    assert len(said) <= 1, said
    assert all("Error: " in one and len(one) > 30 for one in said)
    return True


def faults(tmp_path: Path, count: int, seed: int) -> None:
    trace.needs_strace()
    chance, hits = random.Random(seed), 0
    for number in range(count * 3):
        call = chance.choices(list(CALLS), [share for share, _ in CALLS.values()])[0]
        which, error = chance.randint(1, CALLS[call][1]), chance.choice(("EIO", "ENOSPC"))
        folder = tmp_path / str(number)
        hits += one_fails(folder, call, which, error, number)
        shutil.rmtree(folder)
        if hits == count:
            return
    pytest.fail(f"only {hits} calls failed")


def test_a_call_that_fails_costs_nothing_acknowledged(tmp_path: Path) -> None:
    faults(tmp_path, 3, 1)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(2, 7))
def test_two_hundred_calls_that_fail(tmp_path: Path, seed: int) -> None:
    faults(tmp_path, 40, seed)
