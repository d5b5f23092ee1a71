"""The one writer: it alone touches the engine and the record; requests hand it their inputs.

Whatever is waiting becomes one group. The engine takes the group on the event loop, its
commit runs on a thread of its own, and only then does anybody hear of it. Meanwhile the loop
reads the next requests. Questions are answered between groups, so that nobody is told of
anything that is not yet durable.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
import sqlite3
import time
from collections import Counter, deque
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from skykeep.core.airspace import RegisterSensor, Site
from skykeep.core.casebook import CaseCommand
from skykeep.core.event import Actor, Tick
from skykeep.core.observation import Batch, Sensor
from skykeep.errors import RecordError, SkykeepError
from skykeep.runtime import Answer, Input, Prepared, Recorded
from skykeep.service import log
from skykeep.units import NS_PER_MS, NS_PER_S

T = TypeVar("T")
_log = logging.getLogger(__name__)

#: The clock's own input comes this often: verdicts and alerts follow an observation by less.
TICK_NS = 100 * NS_PER_MS
#: Where nothing came in and no track is held, sensors' silence is all that may have to be told.
IDLE_TICK_NS = 1 * NS_PER_S
#: Observations of one group: some tens of milliseconds of work, then others get their turn.
GROUP_ROWS = 2_000
#: What may wait, in jobs and observations: a second or two of work. More is turned away.
QUEUE_JOBS = 1_000
QUEUE_ROWS = 50_000
#: A disk that did not take the record is tried again this often.
REOPEN_S = 1.0
CONFIGURATION = Actor("site file", "configuration")

Item = Input | CaseCommand


class UnavailableError(SkykeepError):
    """Not now: the queue is full, the disk does not take the record, or the service stops."""


@dataclass(frozen=True, slots=True, eq=False)
class Group:
    """Inputs that have become durable together, with their answers, and how long it took."""

    items: Sequence[Item]
    answers: Sequence[Answer]
    compute_s: float
    commit_s: float


@dataclass(slots=True, eq=False)
class _Job:
    items: Sequence[Item]
    rows: int
    answers: asyncio.Future[list[Answer]]


@dataclass(slots=True, eq=False)
class _Question:
    ask: Callable[[Recorded], Any]
    answer: asyncio.Future[Any]


class Writer:
    """Owns the record of one site while the service runs."""

    def __init__(
        self,
        folder: Path,
        site: Site,
        sensors: Sequence[Sensor],
        clock: Callable[[], int],
        ticks: bool = True,
    ) -> None:
        """`clock` gives UTC nanoseconds; it is asked for receipt times and ticks.

        Without `ticks` the clock's own inputs come with everybody else's: the night is played.
        """
        self.folder, self.site = folder, site
        self.size, self.root, self.checkpoint = 0, b"", b""
        self.problem = "not started"
        #: When a tick was last on the disk, by the monotonic clock.
        self.ticked_s = -math.inf
        self.shed_jobs = self.shed_rows = 0
        self.shed_by: Counter[str] = Counter()
        #: What a watch page is told where the site is played, not real; see docs/live-stream.md.
        self.simulation: dict[str, Any] | None = None
        #: They hear of each group once it is durable; they must be quick and may not fail.
        self.listeners: list[Callable[[Group], None]] = []
        self._sensors, self._clock, self._ticks = tuple(sensors), clock, ticks
        self._recorded: Recorded | None = None
        self._jobs: deque[_Job] = deque()
        self._questions: deque[_Question] = deque()
        self._waiting_rows = 0
        self._wake = asyncio.Event()
        self._stopping = False
        self._last_ns = self._tick_ns = 0
        self._untold = self._watched = True
        self._due_ns: int | None = None
        self._disk = ThreadPoolExecutor(1, "record")

    # -- for requests ---------------------------------------------------------------------

    def now_ns(self) -> int:
        """The service's time: the clock's, but never backwards."""
        self._last_ns = max(self._last_ns, self._clock())
        return self._last_ns

    def clock_back_s(self) -> float:
        """By how much the clock is behind what the record knows: it was ahead, or is wrong now."""
        recorded = self._recorded
        known_ns = self._last_ns if recorded is None else recorded.runtime.now_ns
        return max(0, max(known_ns, self._last_ns) - self._clock()) / NS_PER_S

    @property
    def waiting(self) -> int:
        """Jobs in the queue."""
        return len(self._jobs)

    def submit(self, items: Sequence[Item], always: bool = False) -> asyncio.Future[list[Answer]]:
        """Hand in inputs that stay together; the answers come when all is durable.

        With `always` a full queue is no reason to turn them away: for what is bounded elsewhere.
        """
        self._check()
        rows = sum(len(item) for item in items if isinstance(item, Batch))
        full = self._waiting_rows + rows > QUEUE_ROWS and self._waiting_rows
        if not always and (full or len(self._jobs) >= QUEUE_JOBS):
            self.shed_jobs += 1
            self.shed_rows += rows
            self.shed_by.update({i.sensor_id: len(i) for i in items if isinstance(i, Batch)})
            raise UnavailableError("the queue is full: more comes in than can be taken")
        answers: asyncio.Future[list[Answer]] = asyncio.get_running_loop().create_future()
        self._jobs.append(_Job(items, rows, answers))
        self._waiting_rows += rows
        self._wake.set()
        return answers

    def ask(self, question: Callable[[Recorded], T]) -> asyncio.Future[T]:
        """Look at the site as the record has it; the question may change nothing."""
        self._check()
        answer: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._questions.append(_Question(question, answer))
        self._wake.set()
        return answer

    def look(self) -> Recorded | None:
        """The site as it is this moment, for what need not be exact; None while it is away."""
        return self._recorded

    def _check(self) -> None:
        if self.problem:
            raise UnavailableError(self.problem)

    # -- at work --------------------------------------------------------------------------

    async def start(self) -> None:
        """Open the record, recover, register the site's sensors; RecordError if it cannot."""
        begun_s = time.monotonic()
        await self._open()
        took_s = round(time.monotonic() - begun_s, 3)
        log.event(logging.INFO, "record.opened", entries=self.size, duration_s=took_s)
        self.problem = ""

    async def run(self) -> None:
        """Take groups until `stop`; then what waits is still taken."""
        while not (self._stopping and not self._jobs and not self._questions):
            await self._sleep()
            error = await error_of(self._group())
            if error is not None:
                await self._recover(told(error))

    def stop(self) -> None:
        """Take nothing more; `run` ends when what waits is durable."""
        self.problem = "the service is stopping"
        self._stopping = True
        self._wake.set()

    def close(self, why: str = "the service has stopped") -> None:
        """Let go of the record; whoever still waits is told why."""
        self.problem = why
        self._refuse(self._taken_all(), why)
        self._let_go()
        self._disk.shutdown()

    async def _sleep(self) -> None:
        """Until there is something to do, or the clock's turn has come."""
        if self._jobs or self._questions:
            await asyncio.sleep(0)  # requests that are already here join the group
            return
        self._wake.clear()
        due_s = (self._next_tick_ns() - self.now_ns()) / NS_PER_S
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(max(due_s, 0.0) if self._ticks else None):
                await self._wake.wait()
        await asyncio.sleep(0)

    def _next_tick_ns(self) -> int:
        """When the clock's turn has come: regularly, and at once when an alert falls due."""
        every_ns = TICK_NS if self._untold or self._watched else IDLE_TICK_NS
        next_ns = self._tick_ns + every_ns
        return next_ns if self._due_ns is None else min(next_ns, self._due_ns)

    async def _group(self) -> None:
        recorded = self._recorded
        if recorded is None:
            raise RecordError("the record is not open")
        jobs = self._taken()
        items = [item for job in jobs for item in job.items]
        now_ns = self.now_ns()
        self._untold = self._untold or bool(items)
        if self._ticks and now_ns >= self._next_tick_ns():
            self._tick_ns, self._untold = now_ns, False
            items.append(Tick(now_ns))
        if items:
            done = False
            try:
                group = await self._durable(recorded, items)
                done = True
            finally:
                if not done:
                    self._refuse(jobs, "the record did not take it; send it again")
            self._tell(jobs, group)
        await self._reply(recorded)

    def _tell(self, jobs: list[_Job], group: Group) -> None:
        start = 0
        for job in jobs:
            end = start + len(job.items)
            if not job.answers.done():
                job.answers.set_result(list(group.answers[start:end]))
            start = end
        for hear in self.listeners:
            hear(group)

    async def _durable(self, recorded: Recorded, items: Sequence[Item]) -> Group:
        begun_s = time.perf_counter()
        prepared: Prepared = recorded.prepare(items)
        computed_s = time.perf_counter()
        airspace = recorded.runtime.airspace
        self._due_ns, self._watched = airspace.due_ns(), airspace.watches()
        if prepared.staged is not None:
            loop = asyncio.get_running_loop()
            await loop.run_in_executor(self._disk, recorded.commit, prepared)
            self.checkpoint = prepared.staged.note
            self._note_size(recorded)
        if any(isinstance(item, Tick) for item in items):
            self.ticked_s = time.monotonic()
        done_s = time.perf_counter()
        return Group(items, prepared.answers, computed_s - begun_s, done_s - computed_s)

    def _taken(self) -> list[_Job]:
        jobs: list[_Job] = []
        rows = 0
        while self._jobs and (not jobs or rows + self._jobs[0].rows <= GROUP_ROWS):
            job = self._jobs.popleft()
            self._waiting_rows -= job.rows
            if job.answers.cancelled():
                continue  # whoever sent it has gone, and was told nothing
            rows += job.rows
            jobs.append(job)
        return jobs

    def _taken_all(self) -> list[_Job]:
        jobs = list(self._jobs)
        self._jobs.clear()
        self._waiting_rows = 0
        return jobs

    async def _reply(self, recorded: Recorded) -> None:
        while self._questions:
            question = self._questions.popleft()
            if question.answer.done():
                continue
            asked = _ask(question.ask, recorded)
            error = await error_of(asked, question.answer)
            if error is not None:
                question.answer.set_exception(told(error))

    def _refuse(self, jobs: list[_Job], why: str) -> None:
        for job in jobs:
            if not job.answers.done():
                job.answers.set_exception(UnavailableError(why))
        while self._questions:
            question = self._questions.popleft()
            if not question.answer.done():
                question.answer.set_exception(UnavailableError(why))

    # -- opening --------------------------------------------------------------------------

    async def _open(self) -> None:
        loop = asyncio.get_running_loop()
        recorded = await loop.run_in_executor(self._disk, Recorded, self.folder, self.site)
        self._recorded = recorded
        now_ns = self.now_ns()
        known = {s.sensor.sensor_id: s.sensor for s in recorded.runtime.airspace.stations()}
        changed = [s for s in self._sensors if known.get(s.sensor_id) != s]
        self._tick_ns = now_ns
        registered: list[Item] = [RegisterSensor(CONFIGURATION, s) for s in changed]
        await self._durable(recorded, [Tick(now_ns), *registered])

    async def _recover(self, error: SkykeepError) -> None:
        """The engine is ahead of the record: begin again from what is durable."""
        why = str(error)
        log.event(logging.ERROR, "record.trouble", why=why)
        if not self._stopping:
            self.problem = why
        self._refuse(self._taken_all(), why)
        self._let_go()
        while not self._stopping:
            try:
                await self._open()
            except RecordError as again:
                self.problem = str(again)
                self._let_go()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(REOPEN_S):
                        await self._until_stopped()
            else:
                log.event(logging.WARNING, "record.reopened", entries=self.size)
                if not self._stopping:
                    self.problem = ""
                return

    async def _until_stopped(self) -> None:
        while not self._stopping:
            self._wake.clear()
            await self._wake.wait()

    def _note_size(self, recorded: Recorded) -> None:
        self.size, self.root = recorded.store.size, recorded.store.frontier.root()

    def _let_go(self) -> None:
        recorded, self._recorded = self._recorded, None
        if recorded is not None:
            with contextlib.suppress(sqlite3.Error):  # what is acknowledged is on the disk
                recorded.close()


async def _ask(question: Callable[[Recorded], T], recorded: Recorded) -> T:
    return question(recorded)


async def error_of(
    work: Coroutine[Any, Any, T], result: asyncio.Future[T] | None = None
) -> BaseException | None:
    """What became of a piece of work: its result goes to `result`, its error comes back."""
    task = asyncio.ensure_future(work)
    await asyncio.wait([task])
    error = task.exception()
    if error is None and result is not None:
        result.set_result(task.result())
    return error


def told(error: BaseException) -> SkykeepError:
    """What is told of an error; one that nobody foresaw goes to the log, the rest goes on."""
    if isinstance(error, SkykeepError):
        return error
    if isinstance(error, sqlite3.Error):
        return RecordError(f"the record could not be read: {error}")
    _log.error("service.fault", exc_info=error)
    return UnavailableError(f"a fault of the service ({type(error).__name__}); see its log")
