"""A disk that is full: nobody is told yes, the words are clear, nothing is damaged."""

from __future__ import annotations

import resource
import subprocess
import sys
from pathlib import Path

import pytest

from skykeep.commands.recompute import recompute
from tests.faults.keeper import Keeper, prepare
from tests.faults.scene import database
from tests.faults.test_kill import batches_in

#: The record's files may grow to this: room for the start and some batches.
LIMIT_BYTES = 400_000
_LIMITED = (
    sys.executable,
    "-c",
    "import os, resource, signal, sys;"
    "signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
    f"resource.setrlimit(resource.RLIMIT_FSIZE, ({LIMIT_BYTES}, {LIMIT_BYTES}));"
    "os.execv(sys.argv[1], sys.argv[1:])",
)


def test_a_full_disk_gives_no_acknowledgement_and_no_damage(tmp_path: Path) -> None:
    prepare(tmp_path)
    keeper = Keeper(tmp_path)
    keeper.post(0)
    assert keeper.stop() == 0
    keeper = Keeper(tmp_path, _LIMITED)
    assert keeper.port, keeper.ready
    acknowledged, status, answer = {"b0"}, 200, {}
    for number in range(1, 2_000):
        status, answer = keeper.post(number)
        if status != 200:
            break
        acknowledged.add(answer["batch_id"])
    assert status == 503
    # It was this batch that found the disk full, or the site's clock just before it.
    assert any(words in answer["problem"] for words in ("did not take", "could not be recorded"))
    assert "Send it again" in answer["mend"]
    status, health = keeper.request("GET", "/health")
    assert (status, health["ok"]) == (503, False)
    assert "disk" in health["problem"]
    assert keeper.post(5_000)[0] == 503
    keeper.stop()
    assert b"Traceback" not in (tmp_path / "stderr.txt").read_bytes()

    found = batches_in(tmp_path / "data")
    assert acknowledged <= set(found)
    assert len(found) - len(acknowledged) <= 1
    keeper = Keeper(tmp_path)  # with room again
    assert keeper.post(0)[1]["repeated"] is True
    assert keeper.post(9_000)[1]["repeated"] is False
    assert keeper.stop() == 0
    assert recompute(tmp_path / "data").faults == []


def test_a_record_that_was_damaged_is_not_served(tmp_path: Path) -> None:
    prepare(tmp_path)
    keeper = Keeper(tmp_path)
    for number in range(3):
        keeper.post(number)
    assert keeper.stop() == 0
    with database(tmp_path / "data") as db:
        db.execute("UPDATE entries SET leaf = CAST(leaf || ' ' AS BLOB) WHERE idx = 4")
    keeper = Keeper(tmp_path)
    assert keeper.ready == ""
    assert keeper.end() == 1
    words = (tmp_path / "stderr.txt").read_text(encoding="utf-8")
    assert "does not hold" in words
    assert "Traceback" not in words


def test_two_services_do_not_share_a_record(tmp_path: Path) -> None:
    prepare(tmp_path)
    first = Keeper(tmp_path)
    second = Keeper(tmp_path)
    assert second.ready == ""
    assert second.end() == 1
    assert "locked" in (tmp_path / "stderr.txt").read_text(encoding="utf-8")
    assert first.post(1)[0] == 200
    assert first.stop() == 0


@pytest.mark.parametrize("limit", [resource.RLIMIT_FSIZE])
def test_the_limit_bites(tmp_path: Path, limit: int) -> None:
    """The first test would show nothing if the system did not hold files to the limit."""
    script = f"open({str(tmp_path / 'x')!r}, 'wb').write(b'x' * {2 * LIMIT_BYTES})"
    done = subprocess.run(
        [*_LIMITED, sys.executable, "-c", script], check=False, capture_output=True, text=True
    )
    assert limit == resource.RLIMIT_FSIZE
    assert done.returncode != 0
