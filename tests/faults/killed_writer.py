"""Writes a record while being killed: `python killed_writer.py FOLDER KILLS SEED`.

The parent starts a writer by fork (so that nothing is imported anew), reads what it says is
acknowledged, and kills it; at last one writer comes to the end. Prints, a line a writer, how
many inputs it found when it began, how many it acknowledged, and how it ended.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import time
from pathlib import Path

import skykeep.runtime
from skykeep.codec import entries
from skykeep.feed.citadel_night import Night
from skykeep.record.entry import read_leaf
from skykeep.runtime import Input, Recorded
from tests.faults import scene

UNTIL_S = 45
SNAPSHOT_EVERY = 40
#: The longest wait behind an acknowledged group before the kill: a group takes some 10 ms.
WAIT_S = 0.02
#: The most groups that a writer gets done before it is killed.
MOST_GROUPS = 6


def inputs_in(recorded: Recorded) -> int:
    """How many inputs the record has."""
    kinds = (read_leaf(placed.leaf).kind for placed in recorded.store.entries())
    return sum(kind in entries.INPUTS for kind in kinds)


def write(folder: Path, night: Night, items: list[Input], out: int) -> None:
    """Go on where the record ends; say each number of inputs once it is acknowledged."""
    recorded = Recorded(folder, night.site)
    start = inputs_in(recorded)
    os.write(out, b"%d\n" % start)
    for at in range(start, len(items), scene.GROUP):
        recorded.take(items[at : at + scene.GROUP])
        os.write(out, b"%d\n" % min(at + scene.GROUP, len(items)))
    recorded.close()


def writer(folder: Path, night: Night, items: list[Input]) -> tuple[int, int]:
    """A child that writes: its process id and what it says."""
    heard, says = os.pipe()
    child = os.fork()
    if child == 0:
        code = 1
        try:
            os.close(heard)
            write(folder, night, items, says)
            code = 0
        finally:
            os._exit(code)
    os.close(says)
    return child, heard


def main() -> None:
    """See the module's words."""
    folder, kills, seed = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    skykeep.runtime.SNAPSHOT_EVERY = SNAPSHOT_EVERY
    night = scene.night()
    items = scene.stretch(night, UNTIL_S)
    chance = random.Random(seed)
    for round_ in range(kills + 1):
        child, heard = writer(folder, night, items)
        said = b""
        if round_ < kills:
            for _ in range(chance.randint(0, MOST_GROUPS)):
                said += os.read(heard, 1)
                while said and not said.endswith(b"\n"):
                    said += os.read(heard, 1)
            time.sleep(chance.random() * WAIT_S)
            os.kill(child, signal.SIGKILL)
        while more := os.read(heard, 4_096):
            said += more
        os.close(heard)
        _, status = os.waitpid(child, 0)
        numbers = said.split() or [b"-1"]
        print(numbers[0].decode(), numbers[-1].decode(), os.waitstatus_to_exitcode(status))


if __name__ == "__main__":
    main()
