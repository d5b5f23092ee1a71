"""Late and disordered data: what was heard is taken in the order of its time.

Inputs wait until somebody looks (`settle`), which sorts out what is a little late. What is later
than that is put where it belongs: the tracks go back to the last keyframe before it and take
everything since then again. Inside the window the result is that of the right order.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field

import numpy as np

from skykeep.core.geo import F64
from skykeep.core.geo import Frame as LocalFrame
from skykeep.core.observation import I64, Sensor
from skykeep.core.track.bearing import AMBIGUOUS, OUTSIDE
from skykeep.core.track.columns import Plots
from skykeep.core.track.tracker import (
    Confirmed,
    Keyframe,
    SensorView,
    Tracker,
    TrackerConfig,
    TrackerSnapshot,
    view_of,
)
from skykeep.units import NS_PER_S, BatchId, SensorId

#: Going back costs the inputs of this long on average half; a keyframe costs a copy.
KEYFRAME_NS = NS_PER_S
#: A new turn of a radar begins when this share of its period has passed.
TURN_SHARE = 0.9
LONG_AGO_NS = -(2**62)


@dataclass(frozen=True, slots=True, eq=False)
class HeardPlots:
    """Plots of one moment: `rows` of a batch. `given` (m,) are numbers of tracks they began."""

    at_ns: int
    batch_id: BatchId
    rows: tuple[int, ...]
    view: SensorView
    plots: Plots
    given: I64


@dataclass(frozen=True, slots=True, eq=False)
class HeardBearings:
    """Bearings of one moment, (k,) each: `rows` of a batch."""

    at_ns: int
    batch_id: BatchId
    rows: tuple[int, ...]
    view: SensorView
    azimuth_rad: F64
    sigma_rad: F64


@dataclass(frozen=True, slots=True)
class Forgotten:
    """A track's kind was forgotten."""

    at_ns: int
    number: int


@dataclass(frozen=True, slots=True)
class Pruned:
    """Tracks that nothing had touched for too long at `now_ns` were dropped."""

    at_ns: int
    now_ns: int


Heard = HeardPlots | HeardBearings
Step = Heard | Forgotten | Pruned


@dataclass(frozen=True, slots=True, eq=False)
class Taken:
    """What became of an input: the number of the track that has each row (0: none).

    Of bearings, how many were in the gate of any track, and how many of those ambiguous.
    """

    heard: Heard
    numbers: tuple[int, ...]
    in_gate: int = 0
    ambiguous: int = 0


@dataclass(frozen=True, slots=True)
class SavedStep:
    """A step as plain values: what it is, its numbers, and its arrays as little-endian bytes."""

    at_ns: int
    what: str
    batch_id: str
    rows: tuple[int, ...]
    sensor: int
    numbers: tuple[int, ...]
    arrays: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class TimelineSnapshot:
    """The timeline as values: its oldest keyframe, what was taken since, what still waits."""

    base: TrackerSnapshot
    base_ns: int
    base_turns: tuple[tuple[SensorId, int], ...]
    next_number: int
    newest_ns: int
    sensors: tuple[Sensor, ...]
    marks: tuple[int, ...]  # behind how many steps of the past the later keyframes stand
    past: tuple[SavedStep, ...]
    waiting: tuple[SavedStep, ...]


@dataclass(frozen=True, slots=True, eq=False)
class _Mark:
    """The state behind the first `taken` steps of the past, all of them up to `at_ns`."""

    at_ns: int
    taken: int
    frame: Keyframe
    turns: dict[SensorId, int]


@dataclass(slots=True)
class Timeline:
    """A tracker whose inputs may come late by up to the window of its configuration."""

    config: TrackerConfig
    tracker: Tracker = field(init=False)
    newest_ns: int = LONG_AGO_NS
    _past: list[Step] = field(default_factory=list)
    _waiting: list[Heard] = field(default_factory=list)
    _marks: list[_Mark] = field(init=False)
    _turns: dict[SensorId, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.tracker = Tracker(self.config)
        self._marks = [_Mark(LONG_AGO_NS, 0, self.tracker.keyframe(), {})]

    # -- inputs ---------------------------------------------------------------------------

    def hear(self, heard: Heard) -> bool:
        """Take an input in with the next `settle`; False if it lies before the window."""
        if heard.at_ns < self.newest_ns - self.config.late_ns:
            return False
        self.newest_ns = max(self.newest_ns, heard.at_ns)
        self._waiting.append(heard)
        return True

    def settle(self) -> list[Taken]:
        """Take what waits, in the order of its time; what became of it, in that order."""
        if not self._waiting:
            return []
        new = set(map(id, self._waiting))
        first = len(self._past)
        for heard in self._waiting:
            at = bisect_right(self._past, heard.at_ns, key=_at_ns)
            self._past.insert(at, heard)
            first = min(first, at)
        self._waiting = []
        return self._replay(first, new)

    def forget_kind(self, number: int) -> None:
        """Start again with what a track is, where it may have become another target's."""
        self._now(Forgotten(self._last_ns(), number))

    def prune(self, now_ns: int) -> None:
        """Drop tracks that no plot has touched for too long."""
        if self.tracker.stale(now_ns):
            self._now(Pruned(self._last_ns(), now_ns))

    def _now(self, step: Forgotten | Pruned) -> None:
        self._past.append(step)
        self._take(step)

    def _last_ns(self) -> int:
        return self._past[-1].at_ns if self._past else self._marks[-1].at_ns

    # -- looking --------------------------------------------------------------------------

    def confirmed(self) -> Confirmed:
        """The confirmed tracks, as far as the inputs were settled."""
        return self.tracker.confirmed()

    def numbers(self) -> I64:
        """Numbers of all live tracks, tentative ones too."""
        return self.tracker.numbers()

    # -- going back -----------------------------------------------------------------------

    def _replay(self, first: int, new: set[int]) -> list[Taken]:
        """Take the past from its step `first` on (again); answers for those in `new`."""
        while self._marks[-1].taken > first:
            self._marks.pop()
        mark = self._marks[-1]
        start = first
        if self._is_behind(first, new):
            self.tracker.rewind(mark.frame)
            self._turns = dict(mark.turns)
            start = mark.taken
        answers = []
        for at in range(start, len(self._past)):
            step = self._past[at]
            taken = self._take(step)
            if taken is not None and id(step) in new:
                answers.append(taken)
            ends = at + 1 == len(self._past) or self._past[at + 1].at_ns > step.at_ns
            if ends and step.at_ns >= self._marks[-1].at_ns + KEYFRAME_NS:
                self._mark(step.at_ns, at + 1)
        self._let_go()
        return answers

    def _mark(self, at_ns: int, taken: int) -> None:
        frame = self.tracker.keyframe()
        self._marks.append(_Mark(at_ns, taken, frame, dict(self._turns)))

    def _is_behind(self, first: int, new: set[int]) -> bool:
        """Whether any step from `first` on was taken before."""
        return any(id(step) not in new for step in self._past[first:])

    def _take(self, step: Step) -> Taken | None:
        tracker = self.tracker
        match step:
            case HeardPlots():
                turn = self._begins_turn(step.view.sensor, step.at_ns)
                numbers = tracker.scan(step.at_ns, step.plots, step.view, turn, step.given)
                return Taken(step, tuple(numbers.tolist()))
            case HeardBearings():
                numbers, fates = tracker.bearings(
                    step.at_ns, step.azimuth_rad, step.sigma_rad, step.view
                )
                in_gate, ambiguous = (fates > OUTSIDE).sum(), (fates == AMBIGUOUS).sum()
                return Taken(step, tuple(numbers.tolist()), int(in_gate), int(ambiguous))
            case Forgotten():
                tracker.forget_kind(step.number)
            case Pruned():
                tracker.prune(step.now_ns)
        return None

    def _begins_turn(self, sensor: Sensor, at_ns: int) -> bool:
        """Whether plots of this moment are a whole turn: then what they lack was missed."""
        began_ns = self._turns.get(sensor.sensor_id, LONG_AGO_NS)
        if sensor.period_s is None or at_ns - began_ns < TURN_SHARE * sensor.period_s * NS_PER_S:
            return False
        self._turns[sensor.sensor_id] = at_ns
        return True

    def _let_go(self) -> None:
        """Forget what lies before the window: the last keyframe there is enough."""
        oldest_ns = self.newest_ns - self.config.late_ns
        kept = 0
        while kept + 1 < len(self._marks) and self._marks[kept + 1].at_ns <= oldest_ns:
            kept += 1
        if not kept:
            return
        gone = self._marks[kept].taken
        del self._past[:gone]
        self._marks = [_Mark(m.at_ns, m.taken - gone, m.frame, m.turns) for m in self._marks[kept:]]

    # -- state ----------------------------------------------------------------------------

    def snapshot(self) -> TimelineSnapshot:
        """The whole state as plain values."""
        mark = self._marks[0]
        base = Tracker(self.config)
        base.rewind(mark.frame)
        sensors: dict[Sensor, int] = {}
        saved = [
            tuple(_saved(step, sensors) for step in steps) for steps in (self._past, self._waiting)
        ]
        return TimelineSnapshot(
            base.snapshot(), mark.at_ns, tuple(mark.turns.items()), self.tracker.next_number,
            self.newest_ns, tuple(sensors),
            tuple(m.taken for m in self._marks[1:]), *saved,
        )  # fmt: skip

    @staticmethod
    def restore(config: TrackerConfig, saved: TimelineSnapshot, frame: LocalFrame) -> Timeline:
        """A timeline that goes on exactly where `saved` was taken."""
        timeline = Timeline(config)
        views = [view_of(sensor, frame) for sensor in saved.sensors]
        timeline.tracker = Tracker.restore(config, saved.base)
        timeline.tracker.next_number = saved.next_number
        timeline.newest_ns = saved.newest_ns
        timeline._turns = dict(saved.base_turns)
        base = timeline.tracker.keyframe()
        timeline._marks = [_Mark(saved.base_ns, 0, base, dict(saved.base_turns))]
        timeline._past = [_step(each, views) for each in saved.past]
        for at, step in enumerate(timeline._past, 1):
            timeline._take(step)
            if at in saved.marks:
                timeline._mark(step.at_ns, at)
        waiting = [_step(each, views) for each in saved.waiting]
        timeline._waiting = [w for w in waiting if isinstance(w, HeardPlots | HeardBearings)]
        return timeline


def _at_ns(step: Step) -> int:
    return step.at_ns


def _saved(step: Step, sensors: dict[Sensor, int]) -> SavedStep:
    match step:
        case Forgotten():
            return SavedStep(step.at_ns, "forgotten", "", (), -1, (step.number,), ())
        case Pruned():
            return SavedStep(step.at_ns, "pruned", "", (), -1, (step.now_ns,), ())
    index = sensors.setdefault(step.view.sensor, len(sensors))
    head = (step.batch_id, step.rows, index)
    if isinstance(step, HeardBearings):
        arrays = _bytes(step.azimuth_rad, step.sigma_rad)
        return SavedStep(step.at_ns, "bearings", *head, (), arrays)
    given = tuple(step.given.tolist())
    return SavedStep(step.at_ns, "plots", *head, given, _bytes(*step.plots))


def _step(saved: SavedStep, views: list[SensorView]) -> Step:
    match saved.what:
        case "forgotten":
            return Forgotten(saved.at_ns, *saved.numbers)
        case "pruned":
            return Pruned(saved.at_ns, *saved.numbers)
    head = (saved.at_ns, BatchId(saved.batch_id), saved.rows, views[saved.sensor])
    if saved.what == "bearings":
        azimuth_rad, sigma_rad = (_floats(raw, (-1,)) for raw in saved.arrays)
        return HeardBearings(*head, azimuth_rad, sigma_rad)
    m = len(saved.numbers)
    shapes = ((m, 3), (m, 3, 3), (m,), (m, 4))
    arrays = zip(saved.arrays, shapes, strict=True)
    plots = Plots(*(_floats(raw, shape) for raw, shape in arrays))
    return HeardPlots(*head, plots, np.array(saved.numbers, np.int64))


def _bytes(*arrays: F64) -> tuple[bytes, ...]:
    return tuple(np.ascontiguousarray(a, "<f8").tobytes() for a in arrays)


def _floats(raw: bytes, shape: tuple[int, ...]) -> F64:
    return np.frombuffer(raw, "<f8").astype(np.float64).reshape(shape)
