"""The service is killed at any moment, again and again, while a client posts.

After each start every batch that was acknowledged is there once, at the entry that was
told; the root recomputes, and so do all verdicts and alerts, across all the restarts.
"""

from __future__ import annotations

import json
import random
import subprocess
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from skykeep.codec import entries
from skykeep.commands.recompute import recompute
from skykeep.record.entry import read_leaf
from skykeep.store.record_store import RecordStore
from tests.faults.keeper import SKYKEEP, Keeper, prepare

#: A run is killed this long after it is ready, at most: starting takes far longer.
LONGEST_S = 0.6
#: The whole record is fed again after every so many deaths, and at the end.
RECOMPUTE_EVERY = 25
#: At the end so many of the acknowledged batches are sent once more.
SENT_AGAIN = 200


@dataclass
class Client:
    """Posts batch after batch; one without an answer is sent again after the restart."""

    acknowledged: dict[str, int] = field(default_factory=dict)
    next_number: int = 0
    strange: list[str] = field(default_factory=list)

    def post_until_it_dies(self, keeper: Keeper) -> None:
        while True:
            try:
                status, answer = keeper.post(self.next_number)
            except OSError:
                return
            if status != 200:
                self.strange.append(f"{self.next_number}: {status} {answer}")
                return
            self.acknowledged[answer["batch_id"]] = answer["entry"]
            self.next_number += 1


def batches_in(data: Path) -> dict[str, int]:
    """Every batch in the record with its entry; an id that is there twice fails."""
    store = RecordStore(data, "", audit=True)
    found: dict[str, int] = {}
    try:
        for placed in store.entries():
            if read_leaf(placed.leaf).kind == entries.BATCH:
                name = json.loads(store.facts(placed)[0])["batch"]
                assert name not in found, f"{name} is in the record twice"
                found[name] = placed.index
                known = store.batch(name)
                assert known is not None
                assert known.index == placed.index
        assert len(found) == store._db.execute("SELECT count(*) FROM batches").fetchone()[0]
    finally:
        store.close()
    return found


def check(data: Path, client: Client) -> int:
    """All that was acknowledged is there; at most the one under way is there beside it."""
    found = batches_in(data)
    assert client.acknowledged.items() <= found.items()
    assert len(found) - len(client.acknowledged) <= 1
    return len(found) - len(client.acknowledged)


def deaths(folder: Path, times: int, seed: int) -> None:
    prepare(folder)
    chance, client, unanswered = random.Random(seed), Client(), 0
    for death in range(times):
        keeper = Keeper(folder)
        assert keeper.port, keeper.ready
        posting = threading.Thread(target=client.post_until_it_dies, args=(keeper,))
        posting.start()
        time.sleep(chance.uniform(0.0, LONGEST_S))
        keeper.kill()
        posting.join()
        assert client.strange == []
        unanswered += check(folder / "data", client)
        if death % RECOMPUTE_EVERY == RECOMPUTE_EVERY - 1:
            assert recompute(folder / "data").faults == []
    keeper = Keeper(folder)
    known = len(client.acknowledged)
    for number in chance.sample(range(known), min(known, SENT_AGAIN)):
        status, answer = keeper.post(number)
        assert (status, answer["repeated"]) == (200, True)
        assert answer["entry"] == client.acknowledged[f"b{number}"]
    status, answer = keeper.post(10_000)
    assert (status, answer["repeated"]) == (200, False)
    assert keeper.stop() == 0
    found = recompute(folder / "data")
    assert found.faults == []
    assert known > times / 2, "the client hardly got anything through"


@pytest.mark.parametrize("seed", [1, 2])
def test_killed_ten_times_on_one_record(tmp_path: Path, seed: int) -> None:
    deaths(tmp_path, 10, seed)


@pytest.mark.soak
def test_killed_fifty_times(tmp_path: Path) -> None:
    deaths(tmp_path, 50, 3)


def test_killed_while_it_starts(tmp_path: Path) -> None:
    """Starting is recovering: dying in it changes nothing that was acknowledged."""
    prepare(tmp_path)
    client, chance = Client(), random.Random(3)
    keeper = Keeper(tmp_path)
    for _ in range(5):
        keeper.post(client.next_number)
        client.next_number += 1
    keeper.kill()
    before = batches_in(tmp_path / "data")
    assert len(before) == 5
    for _ in range(3):
        command = ["serve", "--site", str(tmp_path / "site.json"), "--data",
                   str(tmp_path / "data"), "--port", "0"]  # fmt: skip
        starting = subprocess.Popen(
            [*SKYKEEP, *command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        time.sleep(chance.uniform(0.3, 1.5))
        starting.kill()
        starting.wait()
        assert batches_in(tmp_path / "data") == before
    assert recompute(tmp_path / "data").faults == []
