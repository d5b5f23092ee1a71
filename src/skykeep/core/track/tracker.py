"""The tracker: from measured plots and bearings to tracks, by their probability of existence.

A track's score is its log-odds of existence: a hit adds what it proves against a false plot
(Blackman and Popoli 1999, 6.2), shared with the tracks that compete for it, a miss in coverage
takes away log(1 - Pd). It is confirmed above one bound and dropped below another. Claims of
aircraft about themselves never come here: they are held against these tracks (see identity).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skykeep.core.geo import F64, HeightReference, Terrain, axes_between, height_of, height_span
from skykeep.core.geo import Frame as LocalFrame
from skykeep.core.observation import (
    I64,
    Batch,
    Coverage,
    Form,
    Sensor,
    SensorKind,
    TargetKind,
)
from skykeep.core.track.bearing import hear_frame
from skykeep.core.track.columns import Columns, Plots
from skykeep.core.track.ear import Ear, Habits, ear_of, new_ear, saved_ear
from skykeep.core.track.kernels import plain_positions, polar_to_enu, position_to_enu
from skykeep.core.track.lifecycle import close_ranks, shown, step
from skykeep.units import NS_PER_S, SensorId

#: Successive classifications of one target are not independent (same aspect, same wind on
#: the wings): each counts for this share of its logarithm.
KIND_TEMPER = 0.7
#: Beyond this the kind is settled and more of the same adds nothing; it can turn in seconds.
KIND_CAP = 8.0
#: What a track is before anyone has classified it: over a city most things that a drone
#: radar confirms are birds. Of false plots only those are left that stay in one place long
#: enough to pass the score (masts, traffic, trees in the wind).
KIND_PRIOR = {
    TargetKind.DRONE: 0.15,
    TargetKind.BIRD: 0.6,
    TargetKind.AIRCRAFT: 0.1,
    TargetKind.CLUTTER: 0.15,
}
_HAE = int(HeightReference.HAE)
_LOG_PRIOR = np.log(np.array([KIND_PRIOR[k] for k in TargetKind]))
#: A likelihood of nought would outlaw a kind for ever because of one plot.
KIND_FLOOR = 1e-3
#: Vertical sigma where a position comes without height: anywhere from the ground to 1000 m.
UNKNOWN_HEIGHT_SIGMA_M = 300.0
#: A sensor that says it never errs is given one false plot in a hundred turns.
LEAST_FALSE_PER_TURN = 0.01
#: Nor does one see every target every turn, or none ever: log Pd and log(1 - Pd) stay finite.
LEAST_DETECTION, MOST_DETECTION = 0.01, 0.999
#: Arrays start this large and double.
FIRST_CAPACITY = 256


@dataclass(frozen=True, slots=True)
class TrackerConfig:
    """Named limits of the tracker.

    Speeds: multirotors cruise at up to about 20 m/s, so 15 m/s is the one-sigma prior of a
    new track. q: a drone changes speed by about 1 m/s in a second.
    """

    q_horizontal_m2ps3: float = 1.0
    q_vertical_m2ps3: float = 0.09
    manoeuvres: bool = True  # a second motion model beside the calm one
    q_manoeuvre_horizontal_m2ps3: float = 50.0  # 7 m/s in a second: a drone at full tilt
    q_manoeuvre_vertical_m2ps3: float = 4.0
    calm_s: float = 120.0  # how long a drone flies on before it brakes, turns hard or darts off
    manoeuvre_s: float = 4.0  # and how long that takes
    new_sigma_horizontal_mps: float = 15.0
    new_sigma_vertical_mps: float = 3.0
    gate_sigmas: float = 4.0
    new_score: float = -7.0  # one plot in a thousand is a new target, not a false plot
    first_score: float = -7.0  # the same for what was there already when the watch began
    confirm_score: float = 11.5  # one false track in 10^5 starts (Wald)
    confirm_hits: int = 3
    score_cap: float = 20.0
    drop_tentative_score: float = -10.0
    drop_confirmed_score: float = 7.5  # five misses in a row at Pd 0.9 from the cap
    show_score: float = -math.inf  # a confirmed track below it is kept, not shown
    coast_ns: int = 15 * NS_PER_S  # without any plot, where no sensor counts misses
    late_ns: int = 5 * NS_PER_S  # older plots are counted as too late, not used
    track_limit: int = 20_000
    # Bearings: beyond two sigma a pass-by is as likely as the target (bench.autoferry); so many
    # with this probability for two tracks each are ambiguous. Of a declared variance the white
    # share changes from one to the next; the rest stays for the correlation time, and as far as
    # it is the finder's and the target's own for the bias time. A drone is a metre across.
    bearing_gate_sigmas: float = 2.0
    bearing_ambiguity: float = 0.3
    bearing_white_share: float = 0.5
    bearing_extent_m: float = 0.5
    bearing_correlation_s: float = 3.0
    bearing_bias_s: float = 30.0


@dataclass(frozen=True, slots=True, eq=False)
class SensorView:
    """A sensor as the kernels see it: its place and turn in the site's frame, its limits."""

    sensor: Sensor
    place: F64  # (3,)
    axes: F64  # (3, 3)
    limits: F64  # (6,)
    log_false_polar: float  # log density of false plots per m rad rad
    log_false_volume: float  # log density of false plots per m^3
    false_per_rad: float  # density of false bearings


def view_of(sensor: Sensor, frame: LocalFrame) -> SensorView:
    """A sensor placed in a site's frame."""
    own = LocalFrame(sensor.lat_deg, sensor.lon_deg, sensor.height_hae_m)
    c = sensor.coverage
    az = math.radians(_width_deg(c))
    el = math.radians(c.elevation_max_deg - c.elevation_min_deg)
    false = max(sensor.false_per_turn, LEAST_FALSE_PER_TURN)
    depth = c.range_max_m - c.range_min_m
    sines = math.sin(math.radians(c.elevation_max_deg)) - math.sin(
        math.radians(c.elevation_min_deg)
    )
    volume = az * sines * (c.range_max_m**3 - c.range_min_m**3) / 3.0
    return SensorView(
        sensor,
        np.array(frame.to_enu(*own.origin)),
        axes_between(frame, own),
        _limits(c),
        math.log(false / (depth * az * el)),
        math.log(false / volume),
        false / az,
    )


def _width_deg(c: Coverage) -> float:
    """Clockwise from one azimuth to the other; the same azimuth twice is all round."""
    return (c.azimuth_to_deg - c.azimuth_from_deg) % 360.0 or 360.0


def _limits(c: Coverage) -> F64:
    return np.array(
        [
            c.range_min_m,
            c.range_max_m,
            c.azimuth_from_deg,
            c.azimuth_from_deg + _width_deg(c),
            c.elevation_min_deg,
            c.elevation_max_deg,
        ]
    )


def plots_of(
    batch: Batch, rows: I64, view: SensorView, frame: LocalFrame, terrain: Terrain | None
) -> Plots:
    """The given rows of a POLAR or POSITION batch as plots."""
    kinds = _log_kinds(batch, rows)
    if batch.form is Form.POLAR:
        z, r, log_jacobian = polar_to_enu(
            batch.values[rows], batch.sigmas[rows], view.place, view.axes
        )
        return Plots(z, r, view.log_false_polar - log_jacobian, kinds)
    origin = np.array(frame.origin)
    z, r, done = plain_positions(
        batch.values, batch.sigmas, batch.height_references, _HAE, rows, origin
    )
    if not done:
        hae_m, sigma_up_m = _heights(batch, rows, frame, terrain)
        z, r = position_to_enu(batch.values[rows], batch.sigmas[rows], hae_m, sigma_up_m, origin)
    return Plots(z, r, np.full(rows.shape[0], view.log_false_volume), kinds)


def _heights(
    batch: Batch, rows: I64, frame: LocalFrame, terrain: Terrain | None
) -> tuple[F64, F64]:
    """`hae_with_sigma` of each row, (n,) each: many heights come as what they are needed as."""
    hae_m, sigma_m = batch.values[rows, 2], batch.sigmas[rows, 2]
    sound = (batch.height_references[rows] == HeightReference.HAE) & np.isfinite(hae_m)
    sound &= (sigma_m > 0.0) & (sigma_m < np.inf)
    for k in np.flatnonzero(~sound).tolist():
        reference = HeightReference(int(batch.height_references[rows[k]]))
        hae_m[k], sigma_m[k] = hae_with_sigma(
            float(hae_m[k]), reference, float(sigma_m[k]), frame, terrain
        )
    return hae_m, sigma_m


def _log_kinds(batch: Batch, rows: I64) -> F64:
    if batch.kind_likelihood is None:
        return np.zeros((rows.shape[0], 4))
    return KIND_TEMPER * np.log(np.maximum(batch.kind_likelihood[rows], KIND_FLOOR))


def hae_with_sigma(
    height_m: float,
    reference: HeightReference,
    sigma_m: float,
    frame: LocalFrame,
    terrain: Terrain | None,
) -> tuple[float, float]:
    """Ellipsoid height and its sigma; the bounds of a conversion count as two sigma each way.

    A height that is missing, or cannot be converted, lies at the frame's own height with a
    sigma that says so; so does the sigma of a height that comes without one.
    """
    height = height_of(height_m, reference)
    if height is None:
        return frame.hae_m, UNKNOWN_HEIGHT_SIGMA_M
    span = height_span(height, 0.0, HeightReference.HAE, terrain)
    if span is None:
        return frame.hae_m, UNKNOWN_HEIGHT_SIGMA_M
    if not 0.0 < sigma_m < math.inf:
        sigma_m = UNKNOWN_HEIGHT_SIGMA_M
    half = 0.25 * (span.high_m - span.low_m)
    return 0.5 * (span.low_m + span.high_m), math.sqrt(sigma_m * sigma_m + half * half)


def _empty(capacity: int, models: int) -> Columns:
    def whole() -> I64:
        return np.zeros(capacity, np.int64)

    x_of, p_of = np.zeros((capacity, models, 6)), np.zeros((capacity, models, 6, 6))
    one = models == 1
    return Columns(
        x_of.reshape(capacity, 6) if one else np.zeros((capacity, 6)),
        p_of.reshape(capacity, 6, 6) if one else np.zeros((capacity, 6, 6)),
        x_of, p_of, np.zeros((capacity, models)), whole(), whole(), whole(), np.zeros(capacity),
        whole(), whole(), np.zeros((capacity, 4)), whole(), whole(),
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class TrackerSnapshot:
    """The tracker's whole state as plain values: columns as little-endian bytes."""

    count: int
    next_number: int
    shed: int
    unseen: float
    columns: tuple[bytes, ...]
    ears: tuple[tuple[SensorId, tuple[bytes, ...]], ...]  # by sensor, in order of name


@dataclass(frozen=True, slots=True, eq=False)
class Keyframe:
    """The tracks of one moment, copied."""

    count: int
    shed: int
    unseen: float
    columns: tuple[NDArray[Any], ...]
    ears: dict[SensorId, Ear]  # ears are never changed, only replaced


@dataclass(slots=True)
class Tracker:
    """All measured tracks of a site. `number` names a track for ever."""

    config: TrackerConfig = field(default_factory=TrackerConfig)
    count: int = 0
    next_number: int = 1
    shed: int = 0
    unseen: float = 1.0  # share of what was there when the watch began that nobody has seen
    _q: F64 = field(init=False)
    _leave_s: F64 = field(init=False)
    _variances: F64 = field(init=False)
    _shares: F64 = field(init=False)
    _c: Columns = field(init=False)
    _ears: dict[SensorId, Ear] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        g = self.config
        calm, quick = (
            [g.q_horizontal_m2ps3, g.q_vertical_m2ps3],
            [g.q_manoeuvre_horizontal_m2ps3, g.q_manoeuvre_vertical_m2ps3],
        )
        self._q = np.array([calm, quick] if g.manoeuvres else [calm])
        self._leave_s = np.array([g.calm_s, g.manoeuvre_s])
        self._variances = np.array([g.new_sigma_horizontal_mps**2, g.new_sigma_vertical_mps**2])
        whole_s = g.calm_s + g.manoeuvre_s
        self._shares = np.array([g.calm_s, g.manoeuvre_s]) / whole_s if g.manoeuvres else np.ones(1)
        self._c = _empty(FIRST_CAPACITY, len(self._q))

    def scan(
        self, at_ns: int, plots: Plots, view: SensorView, whole_turn: bool, given: I64 | None = None
    ) -> I64:
        """Take plots of one moment; returns the number of the track that took each.

        `whole_turn` says that a track in coverage without a plot here was missed. A plot
        that the limit on tracks leaves out, or whose position or covariance overflowed, gets
        0 and is counted in `shed`. `given` (m,) are the numbers of the tracks that the plots
        began when they were taken before (0: none), and is filled.
        """
        n, g = self.count, self.config
        pd = min(MOST_DETECTION, max(LEAST_DETECTION, view.sensor.detection_probability))
        log_new = math.log(math.exp(g.new_score) + math.exp(g.first_score) * self.unseen)
        self._reserve(n + plots.z.shape[0])
        if given is None:
            given = np.zeros(plots.z.shape[0], np.int64)
        numbers: I64
        numbers, self.count, self.next_number = step(
            self._c, n, self.next_number, at_ns, plots, view.place, view.axes, view.limits, pd,
            whole_turn, g.gate_sigmas**2, self._q, self._leave_s, g.score_cap, _LOG_PRIOR, log_new,
            g.track_limit, self._variances, self._shares, given, KIND_CAP, g.confirm_score,
            g.confirm_hits, g.drop_confirmed_score, g.drop_tentative_score,
        )  # fmt: skip
        if whole_turn:
            self.unseen *= 1.0 - pd
        self.shed += int(np.count_nonzero(numbers == 0))
        return numbers

    def forget_kind(self, number: int) -> None:
        """Start again with what a track is, where it may have become another target's."""
        self._c.kinds[: self.count][self._c.number[: self.count] == number] = 0.0

    def _reserve(self, wanted: int) -> None:
        capacity = self._c.number.shape[0]
        if wanted <= capacity:
            return
        while capacity < wanted:
            capacity *= 2
        larger = _empty(capacity, len(self._q))
        held = min(self.count, self._c.number.shape[0])
        for new, old in zip(larger, self._c, strict=True):
            new[:held] = old[:held]
        self._c = larger

    def _keep(self, kept: NDArray[np.bool_]) -> None:
        self.count = close_ranks(kept, self._c)

    def stale(self, now_ns: int) -> bool:
        """Whether `prune` would drop any track."""
        oldest_ns = now_ns - self.config.coast_ns
        return bool((self._c.last_ns[: self.count] < oldest_ns).any())

    def prune(self, now_ns: int) -> None:
        """Drop tracks that no plot has touched for too long."""
        self._keep(self._c.last_ns[: self.count] >= now_ns - self.config.coast_ns)

    def bearings(
        self, at_ns: int, azimuth_rad: F64, sigma_rad: F64, view: SensorView
    ) -> tuple[I64, I64]:
        """Give a frame of bearings (m,) of one moment to the confirmed tracks they may be of.

        Returns the number of the track that each is used for (m,), 0 for none, and what became
        of it (m,): see `hear_frame`. Transmitters are drones more often than birds: what a
        direction finder hears is weighed with the probability of a drone.
        """
        g, sensor = self.config, view.sensor
        habits = Habits(
            min(MOST_DETECTION, max(LEAST_DETECTION, sensor.detection_probability)),
            view.false_per_rad, sensor.kind is SensorKind.DIRECTION_FINDER,
            g.bearing_white_share, g.bearing_extent_m, g.bearing_correlation_s, g.bearing_bias_s,
            g.bearing_gate_sigmas**2, g.bearing_ambiguity, g.late_ns,
        )  # fmt: skip
        ear = self._ears.get(sensor.sensor_id) or new_ear()
        numbers, fates, *after = hear_frame(
            self._c, self.count, at_ns, azimuth_rad, sigma_rad, ear, habits,
            view.place, view.axes, view.limits, _LOG_PRIOR, self._q, self._leave_s,
        )  # fmt: skip
        self._ears[sensor.sensor_id] = Ear(*after)
        return numbers, fates

    def confirmed(self) -> Confirmed:
        """The confirmed tracks as they are, copied."""
        return Confirmed(*shown(self._c, self.count, self.config.show_score))

    def numbers(self) -> I64:
        """Numbers of all live tracks, tentative ones too."""
        numbers: I64 = self._c.number[: self.count]
        return numbers

    def keyframe(self) -> Keyframe:
        """The tracks as they are, to come back to; numbers are never given twice all the same."""
        columns = tuple(column[: self.count].copy() for column in self._own())
        return Keyframe(self.count, self.shed, self.unseen, columns, dict(self._ears))

    def rewind(self, frame: Keyframe) -> None:
        """The tracks as they were at a keyframe of this configuration."""
        self.count, self.shed, self.unseen = frame.count, frame.shed, frame.unseen
        self._reserve(frame.count)
        for column, kept in zip(self._own(), frame.columns, strict=True):
            column[: frame.count] = kept
        self._ears = dict(frame.ears)

    def _own(self) -> tuple[NDArray[Any], ...]:
        """The columns but for those that are another's memory (see Columns)."""
        return tuple(self._c)[2 if len(self._q) == 1 else 0 :]

    def snapshot(self) -> TrackerSnapshot:
        """The whole state as plain values."""
        columns = tuple(
            np.ascontiguousarray(a[: self.count]).astype(a.dtype.newbyteorder("<")).tobytes()
            for a in self._own()
        )
        ears = tuple((name, saved_ear(ear)) for name, ear in sorted(self._ears.items()))
        return TrackerSnapshot(self.count, self.next_number, self.shed, self.unseen, columns, ears)

    @staticmethod
    def restore(config: TrackerConfig, saved: TrackerSnapshot) -> Tracker:
        """A tracker that goes on exactly where `saved` was taken."""
        tracker = Tracker(config, saved.count, saved.next_number, saved.shed, saved.unseen)
        tracker._reserve(saved.count)
        for column, raw in zip(tracker._own(), saved.columns, strict=True):
            kept = np.frombuffer(raw, column.dtype.newbyteorder("<"))
            column[: saved.count] = kept.reshape(saved.count, *column.shape[1:])
        tracker._ears = {name: ear_of(ear) for name, ear in saved.ears}
        return tracker

    def __deepcopy__(self, memo: dict[int, Any]) -> Tracker:
        """A branch that goes on by itself; copied one by one, columns would not share memory."""
        return Tracker.restore(self.config, self.snapshot())


@dataclass(frozen=True, slots=True, eq=False)
class Confirmed:
    """The confirmed tracks as columns: number, x (n, 6), p (n, 6, 6), times, kinds (n, 4)."""

    number: I64
    x: F64
    p: F64
    time_ns: I64
    first_ns: I64
    last_ns: I64
    kinds: F64
