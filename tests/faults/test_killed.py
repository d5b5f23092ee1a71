"""`kill -9` at random moments: what was acknowledged is there, and it goes on as if nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from skykeep.commands.recompute import recompute
from skykeep.store.record_store import RecordStore
from tests.faults import killed_writer, scene

ROOT = Path(__file__).parents[2]
KILLS = 10
SEED = 20


def everything(folder: Path) -> list[tuple[bytes, ...]]:
    """All facts in their order; salts and keys are another record's own."""
    store = RecordStore(folder, "", audit=True)
    try:
        return [store.facts(placed) for placed in store.entries()]
    finally:
        store.close()


def test_nothing_acknowledged_is_lost_and_all_goes_on_as_if_never_killed(tmp_path: Path) -> None:
    folder = tmp_path / "killed"
    done = subprocess.run(
        [sys.executable, killed_writer.__file__, folder, str(KILLS), str(SEED)],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])},
    )
    night = scene.night()
    items = scene.stretch(night, killed_writer.UNTIL_S)
    writers = [tuple(map(int, line.split())) for line in done.stdout.splitlines()]
    assert len(writers) == KILLS + 1
    assert [how for _, _, how in writers] == [-9] * KILLS + [0]
    acknowledged = 0
    for found, last, _ in writers:
        if found < 0:
            continue  # killed before it said anything
        # One group may be durable and not yet acknowledged; half of one may never be there.
        assert found in (acknowledged, min(acknowledged + scene.GROUP, len(items)))
        acknowledged = last
    assert acknowledged == len(items)
    assert len({last for _, last, _ in writers}) > KILLS // 2  # killed on the way, not at once

    assert recompute(folder).faults == []
    straight = tmp_path / "straight"
    scene.record(straight, night, items)
    assert everything(folder) == everything(straight)
