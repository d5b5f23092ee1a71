"""A simulated sky, seen by simulated sensors: batches, ticks and commands in time order.

The scene is cut into seconds, each of which ends with a `Tick`. Every sensor draws from a
random stream of its own, named by its id, so that a new sensor leaves the others' reports
as they were. What a sensor cannot see in one stretch costs nothing in the next: memory
does not grow with the scene.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from skykeep.core.airspace import Command
from skykeep.core.event import Tick
from skykeep.core.geo import F64, Frame, HeightReference
from skykeep.core.observation import I64, Batch, Form, Sensor, TargetKind
from skykeep.feed.targets import Flock, FlockCursor, Target, generator
from skykeep.units import NS_PER_S, BatchId, seconds

Input = Batch | Tick | Command

#: Seconds that are computed in one go; only memory and speed depend on it, and the random
#: draws of a scene, so that it is part of what a seed means.
STRETCH_S = 60


@dataclass(frozen=True, slots=True)
class Stretch:
    """A run of seconds to be observed: [start_s, start_s + steps), and who flies in it."""

    start_ns: int  # of the scene
    start_s: int
    steps: int
    frame: Frame
    targets: tuple[Target, ...]

    def times_s(self, phase_s: float) -> F64:
        """One moment in each second, `phase_s` after its start (steps,)."""
        return np.arange(self.start_s, self.start_s + self.steps, dtype=np.float64) + phase_s

    def at_ns(self, time_s: float) -> int:
        """A moment of the scene in UTC nanoseconds."""
        return self.start_ns + seconds(time_s)


class Observer(Protocol):
    """A sensor at work: called with stretches in order, returns what was reported."""

    def observe(self, stretch: Stretch) -> list[Batch]:
        """The batches of a stretch; receipt may come after its end."""
        ...


class SensorModel(Protocol):
    """A sensor and how it errs."""

    @property
    def sensor(self) -> Sensor:
        """As it is registered."""
        ...

    def observer(self, seed: int) -> Observer:
        """A fresh start of this sensor in a scene with this seed."""
        ...


@dataclass(frozen=True, slots=True)
class Order:
    """A command and the whole second at which it is given."""

    at_s: int
    command: Command


@dataclass(frozen=True, slots=True)
class Scene:
    """A sky, its sensors and what people order meanwhile."""

    seed: int
    start_ns: int
    duration_s: int
    frame: Frame
    targets: tuple[Target, ...]
    flock: Flock | None
    sensors: tuple[SensorModel, ...]
    orders: tuple[Order, ...]


def simulate(scene: Scene) -> Iterator[Input]:
    """The scene from its start: a tick, then second by second what came in, then a tick.

    Orders stand right after the tick of their second, in the order given; batches in the
    order of receipt (ties in the order of the scene's sensors). The same scene yields the
    same values each time.
    """
    observers = [model.observer(scene.seed) for model in scene.sensors]
    cursor = None if scene.flock is None else FlockCursor(scene.flock)
    orders = sorted(scene.orders, key=lambda order: order.at_s)
    waiting: list[Batch] = []
    given = 0
    yield Tick(scene.start_ns)
    for start_s in range(0, scene.duration_s, STRETCH_S):
        steps = min(STRETCH_S, scene.duration_s - start_s)
        end_s = start_s + steps
        targets = tuple(t for t in scene.targets if t.start_s < end_s and t.end_s > start_s)
        if cursor is not None:
            targets += cursor.between(float(start_s), float(end_s))
        stretch = Stretch(scene.start_ns, start_s, steps, scene.frame, targets)
        waiting += [batch for observer in observers for batch in observer.observe(stretch)]
        waiting.sort(key=lambda batch: batch.receipt_time_ns)
        sent = 0
        for second in range(start_s, end_s):
            while given < len(orders) and orders[given].at_s <= second:
                yield orders[given].command
                given += 1
            until_ns = scene.start_ns + (second + 1) * NS_PER_S
            while sent < len(waiting) and waiting[sent].receipt_time_ns <= until_ns:
                yield waiting[sent]
                sent += 1
            yield Tick(until_ns)
        waiting = waiting[sent:]


def stream(seed: int, sensor: Sensor, *keys: int) -> np.random.Generator:
    """The random stream of a sensor in a scene."""
    return generator(seed, zlib.crc32(sensor.sensor_id.encode()), *keys)


@dataclass(frozen=True, slots=True, eq=False)
class Placement:
    """The rigid motion from the site's frame into a sensor's own east-north-up."""

    turn: F64  # (3, 3)
    shift_m: F64  # (3,)

    @staticmethod
    def of(sensor: Sensor, frame: Frame) -> Placement:
        """Exact: both frames are Cartesian, so three axes and the origin say it all."""
        own = Frame(sensor.lat_deg, sensor.lon_deg, sensor.height_hae_m)
        length = 1000.0
        shift = np.array(own.to_enu(*frame.to_geodetic(0.0, 0.0, 0.0)))
        axes = [
            (np.array(own.to_enu(*frame.to_geodetic(*(length * unit)))) - shift) / length
            for unit in np.eye(3)
        ]
        return Placement(np.stack(axes), shift)

    def polar(self, position_m: F64) -> F64:
        """Range m, azimuth deg and elevation deg (..., 3) of site positions (..., 3)."""
        own = np.einsum("...i,ij->...j", position_m, self.turn) + self.shift_m
        level = np.hypot(own[..., 0], own[..., 1])
        return np.stack(
            (
                np.hypot(level, own[..., 2]),
                np.degrees(np.arctan2(own[..., 0], own[..., 1])) % 360.0,
                np.degrees(np.arctan2(own[..., 2], level)),
            ),
            axis=-1,
        )


def covered(sensor: Sensor, polar: F64) -> NDArray[np.bool_]:
    """Whether positions (..., 3) as range, azimuth, elevation lie in a sensor's coverage."""
    area = sensor.coverage
    width = area.azimuth_to_deg - area.azimuth_from_deg
    around = (polar[..., 1] - area.azimuth_from_deg) % 360.0 <= width
    return np.asarray(
        (polar[..., 0] >= area.range_min_m)
        & (polar[..., 0] <= area.range_max_m)
        & (polar[..., 2] >= area.elevation_min_deg)
        & (polar[..., 2] <= area.elevation_max_deg)
        & around
    )


def states_of(targets: tuple[Target, ...], times_s: F64) -> tuple[F64, NDArray[np.bool_]]:
    """Positions (n, targets, 3) and whether each target flies (n, targets)."""
    position = np.empty((len(times_s), len(targets), 3))
    alive = np.empty((len(times_s), len(targets)), np.bool_)
    for i, target in enumerate(targets):
        position[:, i] = target.path.states(times_s)[0]
        alive[:, i] = target.alive(times_s)
    return position, alive


#: What a micro-Doppler classifier says (columns: drone, bird, aircraft, clutter) of what
#: is there (rows): rotors and wing beats tell well, clutter passes for birds most easily.
CONFUSION = np.array(
    [
        [0.88, 0.04, 0.03, 0.05],
        [0.04, 0.85, 0.02, 0.09],
        [0.04, 0.02, 0.92, 0.02],
        [0.05, 0.11, 0.02, 0.82],
    ]
)


@dataclass(frozen=True, slots=True)
class RadarModel:
    """A turning 3-D radar: one scan a second, ended `phase_s` after the full second.

    All plots of a scan carry the scan's end as their time and stand in order of azimuth.
    False plots are uniform in range, azimuth and elevation over the coverage: at least
    `false_floor` a scan, on average the sensor's `false_per_turn`.
    """

    sensor: Sensor
    sigmas: tuple[float, float, float]  # range m, azimuth deg, elevation deg
    false_floor: int
    phase_s: float = 0.9
    delay_s: float = 0.05

    def observer(self, seed: int) -> Observer:
        """See `SensorModel`."""
        return _Radar(self, stream(seed, self.sensor))


class _Radar:
    def __init__(self, model: RadarModel, rng: np.random.Generator) -> None:
        self._model = model
        self._rng = rng
        self._cumulative = np.cumsum(CONFUSION, axis=1)
        self._cumulative[:, -1] = 1.0

    def observe(self, stretch: Stretch) -> list[Batch]:
        times = stretch.times_s(self._model.phase_s)
        found = self._targets(stretch, times)
        false = self._false_plots(len(times))
        step = np.concatenate((found[0], false[0]))
        values = np.concatenate((found[1], false[1]))
        kinds = np.concatenate((found[2], false[2]))
        order = np.lexsort((values[:, 1], step))
        likelihood = self._likelihood(kinds[order])
        ends = np.searchsorted(step[order], np.arange(len(times) + 1))
        columns = (values[order], np.tile(self._model.sigmas, (len(order), 1)), likelihood)
        return [
            self._batch(stretch, i, tuple(c[ends[i] : ends[i + 1]] for c in columns))
            for i in range(len(times))
        ]

    def _targets(self, stretch: Stretch, times: F64) -> tuple[I64, F64, I64]:
        sensor = self._model.sensor
        position, alive = states_of(stretch.targets, times)
        polar = Placement.of(sensor, stretch.frame).polar(position)
        chance = sensor.detection_probability * np.array([t.radar_share for t in stretch.targets])
        hit = self._rng.random(alive.shape) < chance
        noise = self._rng.standard_normal(polar.shape) * self._model.sigmas
        step, target = np.nonzero(alive & covered(sensor, polar) & hit)
        values = (polar + noise)[step, target]
        values[:, 1] %= 360.0
        kinds = np.array([t.kind for t in stretch.targets], np.int64)
        return step, values, kinds[target]

    def _false_plots(self, scans: int) -> tuple[I64, F64, I64]:
        sensor, area = self._model.sensor, self._model.sensor.coverage
        extra = sensor.false_per_turn - self._model.false_floor
        counts = self._model.false_floor + self._rng.poisson(extra, scans)
        step = np.repeat(np.arange(scans), counts)
        low = (area.range_min_m, area.azimuth_from_deg, area.elevation_min_deg)
        high = (area.range_max_m, area.azimuth_to_deg, area.elevation_max_deg)
        values = self._rng.uniform(low, high, (len(step), 3))
        values[:, 1] %= 360.0
        return step, values, np.full(len(step), TargetKind.CLUTTER, np.int64)

    def _likelihood(self, kinds: I64) -> F64:
        """Draw the classifier's label for each true kind; p(label | kind) for all kinds."""
        draw = self._rng.random(len(kinds))
        label = (draw[:, None] > self._cumulative[kinds]).sum(axis=1)
        return np.ascontiguousarray(CONFUSION.T[label])

    def _batch(self, stretch: Stretch, i: int, columns: tuple[F64, ...]) -> Batch:
        values, sigmas, likelihood = columns
        at_s = stretch.start_s + i + self._model.phase_s
        return batch_from(
            self._model.sensor,
            stretch.at_ns(at_s),
            stretch.at_ns(at_s + self._model.delay_s),
            Form.POLAR,
            (values, sigmas, likelihood),
        )


def batch_from(
    sensor: Sensor,
    event_ns: int,
    receipt_ns: int,
    form: Form,
    columns: tuple[F64, F64, F64 | None],
    words: tuple[str, ...] = (),
) -> Batch:
    """A batch of reports of one moment: values, sigmas (n, 3) and likelihoods (n, 4)."""
    values, sigmas, likelihood = columns
    n = len(values)
    return Batch(
        BatchId(f"{sensor.sensor_id}:{receipt_ns}"),
        sensor.sensor_id,
        receipt_ns,
        form,
        event_time_ns=np.full(n, event_ns, np.int64),
        values=values,
        sigmas=sigmas,
        velocities_mps=np.full((n, 3), np.nan),
        height_references=np.full(n, HeightReference.NONE, np.int8),
        kind_likelihood=likelihood,
        words=words,
    )


@dataclass(frozen=True, slots=True)
class FinderModel:
    """A direction finder: one bearing a second of each control link it hears, no identity.

    It hears a link in its coverage with the sensor's detection probability.
    """

    sensor: Sensor
    sigma_deg: float
    phase_s: float
    delay_s: float = 0.1

    def observer(self, seed: int) -> Observer:
        """See `SensorModel`."""
        return _Finder(self, stream(seed, self.sensor))


class _Finder:
    def __init__(self, model: FinderModel, rng: np.random.Generator) -> None:
        self._model = model
        self._rng = rng

    def observe(self, stretch: Stretch) -> list[Batch]:
        heard = tuple(t for t in stretch.targets if t.control_link)
        if not heard:
            return []
        model, sensor = self._model, self._model.sensor
        times = stretch.times_s(model.phase_s)
        position, alive = states_of(heard, times)
        polar = Placement.of(sensor, stretch.frame).polar(position)
        chosen = self._rng.random(alive.shape) < sensor.detection_probability
        chosen &= alive & covered(sensor, polar)
        noise = self._rng.standard_normal(alive.shape) * model.sigma_deg
        azimuth = (polar[..., 1] + noise) % 360.0
        batches = []
        for i, time_s in enumerate(times):
            own = azimuth[i, chosen[i]]
            if not len(own):
                continue
            values = np.full((len(own), 3), np.nan)
            values[:, 0] = np.sort(own)
            sigmas = np.full((len(own), 3), np.nan)
            sigmas[:, 0] = model.sigma_deg
            event_ns = stretch.at_ns(time_s)
            receipt_ns = stretch.at_ns(time_s + model.delay_s)
            columns = (values, sigmas, None)
            batches.append(batch_from(sensor, event_ns, receipt_ns, Form.BEARING, columns))
        return batches


@dataclass(frozen=True, slots=True)
class Sighting:
    """What one person says: seen at, told at (scene seconds), where to, and in what words."""

    seen_s: float
    told_s: float
    azimuth_deg: float | None
    words: str


@dataclass(frozen=True, slots=True)
class PersonModel:
    """A person who reports now and then; with `repeat_s` the same again in each such time."""

    sensor: Sensor
    sightings: tuple[Sighting, ...]
    sigma_deg: float
    repeat_s: int | None = None

    def observer(self, seed: int) -> Observer:
        """See `SensorModel`; what people say is written, not drawn."""
        return _Person(self)


class _Person:
    def __init__(self, model: PersonModel) -> None:
        self._model = model

    def observe(self, stretch: Stretch) -> list[Batch]:
        batches = []
        for sighting in self._model.sightings:
            for shift_s in self._shifts(sighting, stretch):
                azimuth = np.nan if sighting.azimuth_deg is None else sighting.azimuth_deg
                sigma = np.nan if sighting.azimuth_deg is None else self._model.sigma_deg
                batches.append(
                    batch_from(
                        self._model.sensor,
                        stretch.at_ns(sighting.seen_s + shift_s),
                        stretch.at_ns(sighting.told_s + shift_s),
                        Form.SIGHTING,
                        (
                            np.array([[azimuth, np.nan, np.nan]]),
                            np.array([[sigma, np.nan, np.nan]]),
                            None,
                        ),
                        (sighting.words,),
                    )
                )
        return batches

    def _shifts(self, sighting: Sighting, stretch: Stretch) -> list[int]:
        """By how much the sighting is put off to be told in this stretch."""
        repeat = self._model.repeat_s
        shift = 0
        if repeat is not None and stretch.start_s > sighting.told_s:
            shift = repeat * int(-(-(stretch.start_s - sighting.told_s) // repeat))
        told_s = sighting.told_s + shift
        return [shift] if stretch.start_s <= told_s < stretch.start_s + stretch.steps else []
