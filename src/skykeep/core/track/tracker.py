"""The tracker: from measured plots and bearings to tracks, by score.

A track's score is the log-likelihood ratio of 'a target' against 'false plots only'
(Blackman and Popoli 1999, 6.2): a hit adds what it proves, a miss in coverage takes away
log(1 - Pd). It is confirmed above one bound and dropped below another. Claims of aircraft
about themselves never come here: they are held against these tracks (see identity).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skykeep.core.geo import F64, HeightReference, Terrain, axes_between, height_of, height_span
from skykeep.core.geo import Frame as LocalFrame
from skykeep.core.observation import I64, Batch, Coverage, Form, Sensor, TargetKind
from skykeep.core.track.kernels import (
    bearing_distance,
    bearing_update,
    best_for_bearing,
    polar_to_enu,
    predict,
)
from skykeep.core.track.scan import CONFIRMED, close_ranks, scan, settle, start
from skykeep.units import NS_PER_S

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
    new_sigma_horizontal_mps: float = 15.0
    new_sigma_vertical_mps: float = 3.0
    gate_sigmas: float = 4.0
    new_score: float = -7.0  # one plot in a thousand is a new target, not a false plot
    confirm_score: float = 11.5  # one false track in 10^5 starts (Wald)
    confirm_hits: int = 3
    score_cap: float = 20.0
    drop_tentative_score: float = -10.0
    drop_confirmed_score: float = 7.5  # five misses in a row at Pd 0.9 from the cap
    coast_ns: int = 15 * NS_PER_S  # without any plot, where no sensor counts misses
    late_ns: int = 2 * NS_PER_S  # older plots are counted as too late, not used
    track_limit: int = 20_000
    bearing_gate_sigmas: float = 3.0
    bearing_ambiguity: float = 0.1  # a rival this likely makes a bearing ambiguous


@dataclass(frozen=True, slots=True, eq=False)
class SensorView:
    """A sensor as the kernels see it: its place and turn in the site's frame, its limits."""

    sensor: Sensor
    place: F64  # (3,)
    axes: F64  # (3, 3)
    limits: F64  # (6,)
    log_false_polar: float  # log density of false plots per m rad rad
    log_false_volume: float  # log density of false plots per m^3


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


@dataclass(frozen=True, slots=True, eq=False)
class Plots:
    """Measured positions of one moment in the site's frame, ready for the tracker.

    z (m, 3), r (m, 3, 3), log_clutter (m,) per m^3, kinds (m, 4) tempered log likelihoods.
    """

    z: F64
    r: F64
    log_clutter: F64
    kinds: F64


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
    n = rows.shape[0]
    z, r = np.empty((n, 3)), np.zeros((n, 3, 3))
    for k in range(n):
        i = int(rows[k])
        hae_m, sigma_m = hae_with_sigma(
            float(batch.values[i, 2]),
            HeightReference(int(batch.height_references[i])),
            float(batch.sigmas[i, 2]),
            frame,
            terrain,
        )
        z[k] = frame.to_enu(float(batch.values[i, 0]), float(batch.values[i, 1]), hae_m)
        r[k, 0, 0] = float(batch.sigmas[i, 0]) ** 2
        r[k, 1, 1] = float(batch.sigmas[i, 1]) ** 2
        r[k, 2, 2] = sigma_m**2
    return Plots(z, r, np.full(n, view.log_false_volume), kinds)


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


@dataclass(slots=True)
class _Columns:
    """Parallel arrays over all tracks, in the order of their birth."""

    x: F64
    p: F64
    time_ns: I64
    first_ns: I64
    last_ns: I64
    status: I64
    score: F64
    hits: I64
    misses: I64
    kinds: F64
    number: I64

    @staticmethod
    def empty(capacity: int) -> _Columns:
        def whole() -> I64:
            return np.zeros(capacity, np.int64)

        return _Columns(
            np.zeros((capacity, 6)), np.zeros((capacity, 6, 6)), whole(), whole(), whole(),
            whole(), np.zeros(capacity), whole(), whole(), np.zeros((capacity, 4)), whole(),
        )  # fmt: skip

    def each(self) -> tuple[NDArray[Any], ...]:
        return (
            self.x, self.p, self.time_ns, self.first_ns, self.last_ns, self.status,
            self.score, self.hits, self.misses, self.kinds, self.number,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class TrackerSnapshot:
    """The tracker's whole state as plain values: columns as little-endian bytes."""

    count: int
    next_number: int
    shed: int
    columns: tuple[bytes, ...]


@dataclass(slots=True)
class Tracker:
    """All measured tracks of a site. `number` names a track for ever."""

    config: TrackerConfig = field(default_factory=TrackerConfig)
    count: int = 0
    next_number: int = 1
    shed: int = 0
    _c: _Columns = field(default_factory=lambda: _Columns.empty(FIRST_CAPACITY))

    def scan(self, at_ns: int, plots: Plots, view: SensorView, whole_turn: bool) -> I64:
        """Take plots of one moment; returns the number of the track that took each.

        `whole_turn` says that a track in coverage without a plot here was missed. A plot
        that the limit on tracks leaves out, or whose position or covariance overflowed, gets
        0 and is counted in `shed`.
        """
        c, n, g = self._c, self.count, self.config
        owner: I64 = scan(
            c.x[:n], c.p[:n], c.time_ns[:n], c.status[:n], c.score[:n], c.hits[:n],
            c.misses[:n], c.last_ns[:n], c.kinds[:n], at_ns, plots.z, plots.r, plots.kinds,
            plots.log_clutter, view.place, view.axes, view.limits,
            min(MOST_DETECTION, max(LEAST_DETECTION, view.sensor.detection_probability)),
            whole_turn, g.gate_sigmas**2,
            g.q_horizontal_m2ps3, g.q_vertical_m2ps3, g.score_cap, _LOG_PRIOR,
        )  # fmt: skip
        self._reserve(n + owner.shape[0])
        c = self._c
        numbers: I64
        numbers, self.count = start(
            c.x, c.p, c.time_ns, c.first_ns, c.last_ns, c.status, c.score, c.hits, c.misses,
            c.kinds, c.number, n, g.track_limit, self.next_number, at_ns, owner, plots.z,
            plots.r, plots.kinds, self._variances, g.new_score,
        )  # fmt: skip
        self.next_number += self.count - n
        self.shed += int(np.count_nonzero(numbers == 0))
        n = self.count
        self._keep(
            settle(
                c.status[:n], c.score[:n], c.hits[:n], c.kinds[:n], KIND_CAP, g.confirm_score,
                g.confirm_hits, g.drop_confirmed_score, g.drop_tentative_score,
            )
        )  # fmt: skip
        return numbers

    @property
    def _variances(self) -> F64:
        g = self.config
        return np.array([g.new_sigma_horizontal_mps**2, g.new_sigma_vertical_mps**2])

    def forget_kind(self, number: int) -> None:
        """Start again with what a track is, where it may have become another target's."""
        self._c.kinds[: self.count][self._c.number[: self.count] == number] = 0.0

    def _reserve(self, wanted: int) -> None:
        capacity = self._c.number.shape[0]
        if wanted <= capacity:
            return
        while capacity < wanted:
            capacity *= 2
        larger = _Columns.empty(capacity)
        for new, old in zip(larger.each(), self._c.each(), strict=True):
            new[: self.count] = old[: self.count]
        self._c = larger

    def _keep(self, kept: NDArray[np.bool_]) -> None:
        c = self._c
        self.count = close_ranks(
            kept, c.x, c.p, c.time_ns, c.first_ns, c.last_ns, c.status, c.score, c.hits,
            c.misses, c.kinds, c.number,
        )  # fmt: skip

    def prune(self, now_ns: int) -> None:
        """Drop tracks that no plot has touched for too long."""
        self._keep(self._c.last_ns[: self.count] >= now_ns - self.config.coast_ns)

    def bearing(
        self, at_ns: int, azimuth_rad: float, sigma_rad: float, view: SensorView
    ) -> tuple[int, bool]:
        """Give a bearing to the one confirmed track it fits; returns (number or 0, ambiguous).

        A rival at least `bearing_ambiguity` as likely leaves it unused, as does a track that
        is more than `late_ns` ahead of it. Transmitters are drones more often than birds: the
        fit is weighed with the probability of a drone.
        """
        c, n, g = self._c, self.count, self.config
        east, north = float(view.place[0]), float(view.place[1])
        chosen = (c.status[:n] == CONFIRMED) & (c.time_ns[:n] <= at_ns + g.late_ns)
        best, best_weight, rival = best_for_bearing(
            c.x[:n], c.p[:n], c.time_ns[:n], chosen, c.kinds[:n], _LOG_PRIOR,
            at_ns, azimuth_rad, sigma_rad, g.bearing_gate_sigmas**2,
            view.place, view.axes, view.limits,
        )  # fmt: skip
        if best < 0:
            return 0, False
        if rival > g.bearing_ambiguity * best_weight:
            return 0, True
        dt_s = (at_ns - int(c.time_ns[best])) / NS_PER_S
        if dt_s > 0.0:
            predict(c.x[best], c.p[best], dt_s, g.q_horizontal_m2ps3, g.q_vertical_m2ps3)
            c.time_ns[best] = at_ns
        lag_s = min(0.0, dt_s)
        nu, s, _ = bearing_distance(
            c.x[best], c.p[best], lag_s, east, north, azimuth_rad, sigma_rad
        )
        bearing_update(c.x[best], c.p[best], lag_s, east, north, nu, s)
        c.last_ns[best] = max(int(c.last_ns[best]), at_ns)
        return int(c.number[best]), False

    def confirmed(self) -> Confirmed:
        """Views of the confirmed tracks; valid until the next call that changes the tracker."""
        c, n = self._c, self.count
        at = np.flatnonzero(c.status[:n] == CONFIRMED)
        return Confirmed(
            c.number[at], c.x[at], c.p[at], c.time_ns[at], c.first_ns[at], c.last_ns[at],
            c.kinds[at],
        )  # fmt: skip

    def numbers(self) -> I64:
        """Numbers of all live tracks, tentative ones too."""
        return self._c.number[: self.count]

    def snapshot(self) -> TrackerSnapshot:
        """The whole state as plain values."""
        columns = tuple(
            np.ascontiguousarray(a[: self.count]).astype(a.dtype.newbyteorder("<")).tobytes()
            for a in self._c.each()
        )
        return TrackerSnapshot(self.count, self.next_number, self.shed, columns)

    @staticmethod
    def restore(config: TrackerConfig, saved: TrackerSnapshot) -> Tracker:
        """A tracker that goes on exactly where `saved` was taken."""
        columns = _Columns.empty(max(FIRST_CAPACITY, saved.count))
        for column, raw in zip(columns.each(), saved.columns, strict=True):
            kept = np.frombuffer(raw, column.dtype.newbyteorder("<"))
            column[: saved.count] = kept.reshape(saved.count, *column.shape[1:])
        return Tracker(config, saved.count, saved.next_number, saved.shed, columns)


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
