"""What is wrong with the watch itself, in words and since when, for the page and `/health`.

Whoever looks at a quiet screen must know that it is quiet for want of drones, not of eyes.
"""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import statistics
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from skykeep.core.observation import Batch, SensorKind
from skykeep.core.stations import SILENT, StationSnapshot
from skykeep.service.writer import Group, Writer, error_of, told
from skykeep.units import NS_PER_S

#: Told at once; somebody with more has one trouble, and knows it.
TROUBLES_TOLD = 50
_LONGEST_WORDS = 300
#: A synchronised clock is within milliseconds; so much is one that is not, or a wrong zone.
CLOCK_OFF_S = 1.0
#: What is so old when it comes shows where a drone was, not where it is.
OLD_S = 10.0
#: Of so many batches of a sensor the delay is known: a steady one is its clock or its line.
DELAYS = 20
ENOUGH_DELAYS = 5
#: With less the disk is full within a night of raw data; with the least it is full at any moment.
DISK_LOW_BYTES = 5_000_000_000
DISK_LEAST_BYTES = 500_000_000
#: At the growth of late the disk holds so long: time for an order of a disk on a Friday.
DISK_LOW_S = 4 * 86_400.0
DISK_LOOK_S = 10.0
#: Growth over less is a matter of chance.
GROWTH_OVER_S = 1_800.0
#: Rounds of the witnesses come every 2 s; a head that is so old is not published any more.
WITNESS_LAG_S = 60.0
_RECORD_FILES = ("record.sqlite*", "keys.sqlite*", "history/*/*/*.parquet")


@dataclass(frozen=True, slots=True)
class Trouble:
    """One thing that is wrong. `grave`: something may be missed, or what is shown may be wrong."""

    what: str
    name: str
    words: str
    grave: bool
    since_ns: int = 0


class Told(Protocol):
    """A room that says what is wrong with each of its parts; empty words where all is well."""

    def troubles(self) -> dict[str, str]:
        """Words by name."""


class Publishes(Protocol):
    """Whoever has the record's heads cosigned."""

    problem: str

    def lag_s(self) -> float:
        """How long ago the published head was the newest."""


@dataclass(frozen=True, slots=True)
class DiskState:
    """Free bytes of the data folder's disk, and the record's growth in bytes a second."""

    free_bytes: int
    growth_bytes_s: float | None


class Disk:
    """The data folder's room, looked at by `run` every few seconds, away from the loop."""

    def __init__(self, folder: Path) -> None:
        self.state: DiskState | None = None
        self.problem = ""
        self._folder = folder
        self._sizes: deque[tuple[float, int]] = deque(maxlen=1_000)
        self._stopping = asyncio.Event()

    async def run(self) -> None:
        """Look until `stop`."""
        while not self._stopping.is_set():
            error = await error_of(asyncio.to_thread(self.look))
            self.problem = "" if error is None else _unread(error)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(DISK_LOOK_S):
                    await self._stopping.wait()

    def stop(self) -> None:
        """Look no more."""
        self._stopping.set()

    def look(self) -> None:
        """Measure once; OSError where the folder cannot be looked at."""
        free_bytes = shutil.disk_usage(self._folder).free
        files = [f for kind in _RECORD_FILES for f in self._folder.glob(kind)]
        self.note(time.monotonic(), free_bytes, sum(f.stat().st_size for f in files))

    def note(self, now_s: float, free_bytes: int, record_bytes: int) -> None:
        """One measurement: of the disk's room, and of the record's size."""
        sizes = self._sizes
        sizes.append((now_s, record_bytes))
        first_s, first = sizes[0]
        took_s, growth_bytes_s = now_s - first_s, None
        if took_s >= GROWTH_OVER_S:
            growth_bytes_s = max(0.0, (record_bytes - first) / took_s)
        self.state = DiskState(free_bytes, growth_bytes_s)


def disk_trouble(state: DiskState) -> Trouble | None:
    """Whether there is too little room, by the thresholds above."""
    free_bytes, growth = state.free_bytes, state.growth_bytes_s
    left_s = free_bytes / growth if growth else None
    if free_bytes >= DISK_LOW_BYTES and (left_s is None or left_s >= DISK_LOW_S):
        return None
    words = f"the disk is filling: {free_bytes / 1e9:.1f} GB free"
    if left_s is not None:
        words += f", full in {_span(left_s)} at the record's growth of late"
    full = free_bytes < DISK_LEAST_BYTES
    words += "; without room nothing is recorded, and nothing that is not recorded alerts"
    return Trouble("disk", "", words, full)


class Troubles:
    """All that is wrong with one site's watch; `now` is asked by whoever tells it."""

    def __init__(
        self,
        writer: Writer,
        feeds: Told,
        publisher: Publishes,
        stamper: Told,
        watchdog: Callable[[], str] = str,
    ) -> None:
        self.disk = Disk(writer.folder)
        self._writer, self._feeds, self._publisher = writer, feeds, publisher
        self._stamper, self._watchdog = stamper, watchdog
        self._delays_s: dict[str, deque[float]] = {}
        self._since_ns: dict[tuple[str, str], int] = {}
        writer.listeners.append(self.hear)

    def hear(self, group: Group) -> None:
        """A group has become durable: how old was what each sensor said?"""
        for item, answer in zip(group.items, group.answers, strict=True):
            if isinstance(item, Batch) and len(item) and answer.refused is None:
                delay_ns = item.receipt_time_ns - int(item.event_time_ns.max())
                known = self._delays_s.setdefault(item.sensor_id, deque(maxlen=DELAYS))
                known.append(delay_ns / NS_PER_S)

    def now(self, stations: Sequence[StationSnapshot], problem: str = "") -> tuple[Trouble, ...]:
        """What is wrong, the grave first, then the oldest; at most `TROUBLES_TOLD`.

        `problem` is what the one who asks knows of the record; it must not ask the writer anew.
        """
        at_ns, since_ns = self._writer.now_ns(), self._since_ns
        found = {(t.what, t.name): t for t in self._look(stations, problem)}
        self._since_ns = {k: since_ns.get(k) or t.since_ns or at_ns for k, t in found.items()}
        dated = [
            Trouble(t.what, t.name, t.words[:_LONGEST_WORDS], t.grave, self._since_ns[k])
            for k, t in found.items()
        ]
        dated.sort(key=lambda t: (not t.grave, t.since_ns, t.what, t.name))
        return tuple(dated[:TROUBLES_TOLD])

    def _look(self, stations: Sequence[StationSnapshot], problem: str) -> Iterator[Trouble]:
        writer = self._writer
        if problem or writer.problem:
            words = f"nothing is recorded and nothing alerts: {problem or writer.problem}"
            yield Trouble("record", "", words, True)
        back_s = writer.clock_back_s()
        if back_s > CLOCK_OFF_S:
            words = f"the service's clock is {_span(back_s)} behind the record: its times stand"
            yield Trouble("clock", "", f"{words} still until it has caught up", True)
        yield from self._sensors(stations)
        for name, words in self._feeds.troubles().items():
            if words:
                yield Trouble("feed", name, f"feed {name}: {words}", True)
        yield from self._disk_troubles()
        if self._publisher.problem:
            lag_s = self._publisher.lag_s()
            words = f"witnesses: {self._publisher.problem}"
            yield Trouble("witnesses", "", words, lag_s > WITNESS_LAG_S)
        elif (lag_s := self._publisher.lag_s()) > WITNESS_LAG_S:
            words = f"witnesses are behind: the published head is {_span(lag_s)} old"
            yield Trouble("witnesses", "", words, False)
        for name, words in self._stamper.troubles().items():
            if words:
                yield Trouble("timestamps", name, f"time-stamp authority {name}: {words}", False)
        if words := self._watchdog():
            yield Trouble("watchdog", "", f"the outside watchdog is not reached: {words}", False)

    def _disk_troubles(self) -> Iterator[Trouble]:
        if self.disk.problem:
            words = f"the data folder's room is not known: {self.disk.problem}"
            yield Trouble("disk", "", words, True)
        elif self.disk.state is not None:
            filling = disk_trouble(self.disk.state)
            if filling is not None:
                yield filling

    def _sensors(self, stations: Sequence[StationSnapshot]) -> Iterator[Trouble]:
        for station in stations:
            name = station.sensor.sensor_id
            if station.health == SILENT:
                # Since it was heard last: until then all that it could see was seen.
                since_ns = station.last_ns or station.since_ns
                yield Trouble("sensor", name, f"sensor {name} is silent", True, since_ns)
                continue
            if station.sensor.kind is SensorKind.PERSON:
                continue  # people tell of what they saw a while ago
            delays_s = self._delays_s.get(name, ())
            if len(delays_s) < ENOUGH_DELAYS:
                continue
            if (ahead_s := -max(delays_s)) > CLOCK_OFF_S:
                words = f"the clock of sensor {name} is at least {_span(ahead_s)} ahead of ours"
                yield Trouble("sensor_clock", name, words, True)
            elif (old_s := statistics.median(delays_s)) > OLD_S:
                words = f"what sensor {name} says is {_span(old_s)} old when it comes: its clock"
                yield Trouble("sensor_clock", name, f"{words} is behind, or its line is slow", True)


def _unread(error: BaseException) -> str:
    return str(error) if isinstance(error, OSError) else str(told(error))


def _span(for_s: float) -> str:
    """Words for a span of time."""
    for unit, unit_s in (("d", 86_400.0), ("h", 3_600.0), ("min", 60.0)):
        if for_s >= 2 * unit_s:
            return f"{for_s / unit_s:.0f} {unit}"
    return f"{for_s:.1f} s" if for_s < 10.0 else f"{for_s:.0f} s"
