"""Registration: how far a sensor is off, learnt from aircraft that say where they are.

A radar that was set up three degrees askew sees an aircraft at 5 km 260 m from where it is:
farther than the next aircraft. So the bias is first found by a vote (which one would let most
claims have a plot, turn after turn?), then measured by comparing each claim with the one plot
that fits it. An aircraft's word is never believed alone: several must agree, each may err by
what its kind errs by, and who would need more than that is left out. Claims late by a common
time look like a sensor whose clock is early: a time bias is applied only where it is far beyond
what the claims' own lateness explains.

Measured minus true is the bias; what was announced last, as an event, is what is taken away.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skykeep.core.event import Bias, RegistrationChanged
from skykeep.core.geo import F64, Frame
from skykeep.core.observation import I64, Batch, Coverage, Form, Sensor, SensorKind
from skykeep.core.track.bias_kernels import (
    CANDIDATES,
    OWN,
    SHARED,
    STATES,
    absorb,
    agreed,
    candidates,
    estimate,
    pairs,
    support,
    vote,
)
from skykeep.core.track.tracker import SensorView, view_of
from skykeep.units import NS_PER_S, BatchId, SensorId

#: A bias beyond this is no misalignment but a sensor that was entered wrongly: m, rad, rad.
MOST_BIAS = (150.0, math.radians(5.0), math.radians(4.0))
#: What is believed before anything was compared, as sigmas: m, rad, rad, s. Half of the above;
#: clocks set by NTP over a radio link are within tenths of a second.
PRIOR_SIGMA = (75.0, math.radians(2.5), math.radians(2.0), 0.3)
#: The lateness of an aircraft's claims (see identity.CLAIM_LATENCY_SIGMA_S), a constant of each.
LATE_SIGMA_S = 0.3
#: No GNSS receiver in the open is surely better than this, whatever it says (one sigma).
LEAST_HORIZONTAL_M, LEAST_VERTICAL_M = 3.0, 5.0
#: Remote ID gives speeds to 0.25 m/s and headings to a degree (ASD-STAN 4709-002); of one that
#: gives none, what the tracker believes of a new track (TrackerConfig.new_sigma_horizontal_mps).
VELOCITY_SIGMA_MPS, UNKNOWN_VELOCITY_SIGMA_MPS = 0.5, 15.0
#: All devices may tell heights that are wrong alike: over the sea instead of the ellipsoid (up to
#: 60 m in Europe, by EGM2008), or by the air's pressure. An elevation bias does not look the same
#: at every range, and that tells them apart.
COMMON_HEIGHT_SIGMA_M = 30.0
#: It is supposed beyond so many sigmas alone: else it would take from what is known of elevation.
COMMON_HEIGHT_SIGMAS = 3.0
#: A claim that is worse than this tells nothing about a sensor.
MOST_CLAIM_SIGMA_M = 30.0
#: Aircraft that must agree: two can err alike by chance, or be one liar's.
LEAST_AIRCRAFT = 3
#: Turns of an aircraft before it has a voice, and comparisons before it counts.
ENOUGH_TURNS, ENOUGH_PAIRS = 4, 4.0
#: Turns that the vote looks back on, and how often there is one when all is well.
WINDOW = 8
#: Sigmas of what the vote finds, until something better is known: m, rad, rad.
VOTED_SIGMA = (15.0, math.radians(0.4), math.radians(0.4))
#: chi2 of three at 99.9 %: beyond, a plot is none of this aircraft's.
PAIR_GATE2 = 16.3
#: chi2 of four at 99.9 %: beyond, an aircraft would need improbable errors of its own.
MOST_MISFIT = 18.5
#: Older comparisons count less: a mount settles, sways and warms within many minutes, and
#: the error of a GNSS position changes in as many.
MEMORY_S = 300.0
#: No pause makes what is known older than this, or it would be forgotten at once.
MOST_AGEING_S = 10.0
#: A bias wanders: this much in an hour's square root (1 m, 0.1, 0.1 degrees, 10 ms).
_HOUR = math.sqrt(3600.0)
DRIFT = (1.0 / _HOUR, math.radians(0.1) / _HOUR, math.radians(0.1) / _HOUR, 0.01 / _HOUR)
#: Known no better than this, a part of the bias is held at 0 and its plots left as they are:
#: the errors of a good plot of a small radar.
KNOWN_SIGMA = (15.0, math.radians(0.5), math.radians(0.5), 0.2)
#: A time bias is applied beyond so many sigmas, and until fewer are left.
TIME_APPLY_SIGMAS, TIME_KEEP_SIGMAS = 3.0, 2.0
#: Told again when it moved by this share of its sigma, or the sigma by these factors.
MATERIAL_SHARE, MATERIAL_SHRINK, MATERIAL_GROWTH = 0.5, 0.7, 1.5
#: Aircraft that are followed for one sensor, claims looked at a turn, and how long one that
#: has gone is remembered while there is room.
MOST_WITNESSES, MOST_LOOKED_AT = 32, 64
GONE_NS = 900 * NS_PER_S
#: A corrected plot lies no nearer than this.
LEAST_RANGE_M = 1.0

PARTS = ("range", "azimuth", "elevation", "time")
_KNOWN = 1.0 / np.array([*PRIOR_SIGMA, COMMON_HEIGHT_SIGMA_M]) ** 2
_NONE_HELD = np.zeros(SHARED, np.bool_)
_REACH = np.array(MOST_BIAS)


@dataclass(frozen=True, slots=True, eq=False)
class Cooperative:
    """Aircraft that say where they are, each once, in the order of their keys.

    keys (n) name the aircraft; at_ns (n,); place_m, velocity_mps (n, 3) in the site's frame,
    the latter NaN where it is not told; sigma_m (n, 2) horizontal and vertical as claimed.
    """

    keys: tuple[str, ...]
    at_ns: I64
    place_m: F64
    velocity_mps: F64
    sigma_m: F64

    def taken(self, at: I64) -> Cooperative:
        """Some of them."""
        keys = tuple(self.keys[i] for i in at.tolist())
        return Cooperative(
            keys, self.at_ns[at], self.place_m[at], self.velocity_mps[at], self.sigma_m[at]
        )


@dataclass(slots=True)
class _Witnesses:
    """Parallel arrays over the aircraft that one sensor was compared with, by key."""

    info: F64  # (n, STATES, STATES)
    rhs: F64  # (n, STATES)
    own: F64  # (n, 4) inverse variances of lateness and displacement
    pairs: F64  # (n,) comparisons, older ones count less
    last_ns: I64  # (n,)
    windows: F64  # (n, WINDOW, CANDIDATES, 3)
    tolerance: F64  # (n, 3)
    turns: I64  # (n,)

    @staticmethod
    def empty(n: int) -> _Witnesses:
        return _Witnesses(
            np.zeros((n, STATES, STATES)), np.zeros((n, STATES)), np.ones((n, OWN)),
            np.zeros(n), np.zeros(n, np.int64), np.full((n, WINDOW, CANDIDATES, 3), np.nan),
            np.zeros((n, 3)), np.zeros(n, np.int64),
        )  # fmt: skip

    def each(self) -> tuple[NDArray[Any], ...]:
        return (
            self.info, self.rhs, self.own, self.pairs, self.last_ns, self.windows,
            self.tolerance, self.turns,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class RegistrationSnapshot:
    """What is known of one sensor's bias, as plain values; columns as little-endian bytes."""

    said: RegistrationChanged | None
    keys: tuple[str, ...]
    columns: tuple[bytes, ...]
    centre: tuple[float, ...]
    turn: int
    learnt_ns: int
    comparisons: int


@dataclass(slots=True)
class Registration:
    """The bias of one sensor, learnt as it goes. `said` is what was announced last.

    `centre` is what the vote found (empty before); `learnt_ns` the newest comparison.
    """

    said: RegistrationChanged | None = None
    keys: tuple[str, ...] = ()
    centre: tuple[float, ...] = ()
    turn: int = 0
    learnt_ns: int = 0
    comparisons: int = 0
    _w: _Witnesses = field(default_factory=lambda: _Witnesses.empty(0))

    # -- learning -------------------------------------------------------------------------

    def observe(
        self, batch: Batch, rows: I64, view: SensorView, heard: Cooperative, now_ns: int
    ) -> RegistrationChanged | None:
        """Compare a turn of a radar or direction finder with what aircraft say of themselves.

        `rows` are those of the batch that can be used. Returns what changed materially.
        """
        if batch.form not in (Form.POLAR, Form.BEARING) or not rows.shape[0]:
            return None
        if not heard.keys and self.said is None:
            return None
        z, s, plot_ns = _polar(batch, rows)
        newest_ns = int(plot_ns.max())
        heard = self._worth_comparing(heard)
        if heard.keys:
            heard = self._remember(z, s, plot_ns, view, heard)
            self._elect()
            if self.centre and heard.keys:
                self._learn(z, s, plot_ns, view, heard)
        return self._news(view, newest_ns, now_ns)

    def _worth_comparing(self, heard: Cooperative) -> Cooperative:
        good = np.flatnonzero(heard.sigma_m[:, 0] <= MOST_CLAIM_SIGMA_M)
        if good.shape[0] > MOST_LOOKED_AT:
            known = set(self.keys)
            ranked = sorted(good.tolist(), key=lambda i: (heard.keys[i] not in known, i))
            good = np.array(sorted(ranked[:MOST_LOOKED_AT]), np.int64)
        return heard.taken(good)

    def _remember(
        self, z: F64, s: F64, plot_ns: I64, view: SensorView, heard: Cooperative
    ) -> Cooperative:
        """Note which plots may be whose; returns the aircraft that have any, each a witness."""
        found, tolerance = candidates(
            z, s, plot_ns, heard.at_ns, heard.place_m, np.nan_to_num(heard.velocity_mps),
            _spread(heard),
            view.place, view.axes, _REACH, LATE_SIGMA_S,
        )  # fmt: skip
        any_plot = np.flatnonzero(~np.isnan(found[:, 0, 1]))
        heard = heard.taken(any_plot)
        newest_ns = int(plot_ns.max())
        self._admit(heard.keys, newest_ns)
        inside = np.array([k in self.keys for k in heard.keys], np.bool_)
        heard, any_plot = heard.taken(np.flatnonzero(inside)), any_plot[inside]
        w = self._w
        for i, at in zip(any_plot.tolist(), self._at(heard.keys), strict=True):
            w.windows[at, w.turns[at] % WINDOW] = found[i]
            w.tolerance[at] = tolerance[i]
            w.turns[at] += 1
            w.last_ns[at] = newest_ns
        return heard

    def _at(self, keys: tuple[str, ...]) -> list[int]:
        place = {key: i for i, key in enumerate(self.keys)}
        return [place[key] for key in keys]

    def _admit(self, keys: tuple[str, ...], now_ns: int) -> None:
        """Make room for these aircraft: those that were silent longest go first."""
        silent = {k: int(t) for k, t in zip(self.keys, self._w.last_ns, strict=True)}
        fresh = dict.fromkeys(keys, now_ns)
        wanted = sorted(
            (silent | fresh).items(), key=lambda kt: (-kt[1], kt[0] not in silent, kt[0])
        )
        kept = sorted(k for k, t in wanted[:MOST_WITNESSES] if now_ns - t <= GONE_NS)
        if tuple(kept) == self.keys:
            return
        before = {key: i for i, key in enumerate(self.keys)}
        made = _Witnesses.empty(len(kept))
        for new, old in zip(made.each(), self._w.each(), strict=True):
            for i, key in enumerate(kept):
                if key in before:
                    new[i] = old[before[key]]
        self.keys, self._w = tuple(kept), made

    def _elect(self) -> None:
        """Find the bias that most aircraft speak for, where none is known or it fits no more."""
        self.turn += 1
        if self.centre and self.turn % WINDOW:
            return
        w = self._w
        newest = (w.turns - 1) % WINDOW
        voices = int(np.count_nonzero(w.turns >= ENOUGH_TURNS))
        if voices < LEAST_AIRCRAFT:
            return
        won, centre = vote(w.windows, w.turns, w.tolerance, ENOUGH_TURNS, newest)
        if won < LEAST_AIRCRAFT or 2 * won <= voices:
            return
        if self.centre:
            now = self._best()[0][:3]
            held, _ = support(w.windows, w.turns, w.tolerance, ENOUGH_TURNS, now, np.empty(3))
            if won <= 2 * held:
                return
            w.info[:], w.rhs[:], w.pairs[:] = 0.0, 0.0, 0.0
        self.centre = tuple(centre.tolist())

    def _learn(self, z: F64, s: F64, plot_ns: I64, view: SensorView, heard: Cooperative) -> None:
        w, newest_ns = self._w, int(plot_ns.max())
        bias, sigma = self._best()
        spread = _spread(heard)
        chosen, rows, nu, noise, weight = pairs(
            z, s, plot_ns, heard.at_ns, heard.place_m, np.nan_to_num(heard.velocity_mps),
            spread, view.place, view.axes, bias, sigma**2, LATE_SIGMA_S, PAIR_GATE2,
        )  # fmt: skip
        if not (chosen >= 0).any():
            return
        passed_s = min(MOST_AGEING_S, max(0.0, (newest_ns - self.learnt_ns) / NS_PER_S))
        left = math.exp(-passed_s / MEMORY_S)
        w.info, w.rhs, w.pairs = w.info * left, w.rhs * left, w.pairs * left
        for i, at in enumerate(self._at(heard.keys)):
            if chosen[i] < 0:
                continue
            absorb(w.info[at], w.rhs[at], rows[i], nu[i], noise[i], weight[i])
            w.own[at, 0] = 1.0 / LATE_SIGMA_S**2
            w.own[at, 1:3], w.own[at, 3] = 1.0 / spread[i, 0], 1.0 / spread[i, 1]
            w.pairs[at] += weight[i]
            self.comparisons += 1
        self.learnt_ns = max(self.learnt_ns, newest_ns)

    # -- what is known --------------------------------------------------------------------

    def _agreed(self) -> tuple[F64, F64, int]:
        """Information, right side (see `put_together`) and how many aircraft they rest on."""
        w = self._w
        live = w.pairs >= ENOUGH_PAIRS
        matrix, vector, kept = agreed(w.info, w.rhs, w.own, live, _KNOWN, MOST_MISFIT)
        return matrix, vector, int(np.count_nonzero(kept))

    def _best(self) -> tuple[F64, F64]:
        """What is shared and its sigmas, to find plots with: the vote's until there is better."""
        matrix, vector, aircraft = self._agreed()
        if aircraft < LEAST_AIRCRAFT:
            sigma = (*VOTED_SIGMA, PRIOR_SIGMA[3], COMMON_HEIGHT_SIGMA_M)
            return np.array([*self.centre, 0.0, 0.0]), np.array(sigma)
        shared, sigmas = estimate(matrix, vector, _NONE_HELD)
        return shared, sigmas

    def _news(self, view: SensorView, newest_ns: int, now_ns: int) -> RegistrationChanged | None:
        matrix, vector, aircraft = self._agreed()
        if aircraft < LEAST_AIRCRAFT:
            return None
        shared, sigmas = estimate(matrix, vector, _NONE_HELD)
        alike = abs(shared[4]) >= COMMON_HEIGHT_SIGMAS * sigmas[4]
        free, sigma = shared[:4], sigmas[:4]
        idle_s = max(0.0, (newest_ns - self.learnt_ns) / NS_PER_S)
        sigma = np.sqrt(sigma**2 + idle_s * np.array(DRIFT) ** 2)
        was = () if self.said is None else self.said.applied
        held = sigma > KNOWN_SIGMA
        needed = TIME_KEEP_SIGMAS if PARTS[3] in was else TIME_APPLY_SIGMAS
        held[3] |= abs(free[3]) < needed * sigma[3]
        fixed, _ = estimate(matrix, vector, np.append(held, not alike))
        bias = np.where(held, free, fixed[:4])
        applied = tuple(p for p, h in zip(PARTS, held.tolist(), strict=True) if not h)
        said = RegistrationChanged(
            now_ns, view.sensor.sensor_id, applied, _rounded(bias), _rounded(sigma), aircraft,
            self.comparisons,
        )  # fmt: skip
        if self.said is not None and not _material(self.said, said):
            return None
        self.said = said
        return said

    # -- applying -------------------------------------------------------------------------

    def corrected(self, batch: Batch) -> Batch:
        """The batch without its sensor's bias; what the bias is not sure of joins the sigmas."""
        said = self.said
        if said is None or not said.applied or batch.form not in (Form.POLAR, Form.BEARING):
            return batch
        values, sigmas = batch.values.copy(), batch.sigmas.copy()
        columns = PARTS[:3] if batch.form is Form.POLAR else PARTS[1:3]
        parts = (
            (said.bias.range_m, said.sigma.range_m),
            (said.bias.azimuth_deg, said.sigma.azimuth_deg),
            (said.bias.elevation_deg, said.sigma.elevation_deg),
        )
        for column, name in enumerate(columns):
            if name in said.applied:
                off, sigma = parts[PARTS.index(name)]
                values[:, column] -= off
                sigmas[:, column] = np.sqrt(sigmas[:, column] ** 2 + sigma**2)
        azimuth = columns.index("azimuth")
        values[:, azimuth] %= 360.0
        values[:, azimuth + 1] = np.clip(values[:, azimuth + 1], -90.0, 90.0)
        if azimuth:
            values[:, 0] = np.maximum(values[:, 0], LEAST_RANGE_M)
        late_ns = round(said.bias.time_s * NS_PER_S) if PARTS[3] in said.applied else 0
        event_time_ns = batch.event_time_ns - late_ns
        return replace(batch, values=values, sigmas=sigmas, event_time_ns=event_time_ns)

    # -- state ----------------------------------------------------------------------------

    def snapshot(self) -> RegistrationSnapshot:
        """The whole state as plain values."""
        columns = tuple(
            np.ascontiguousarray(a).astype(a.dtype.newbyteorder("<")).tobytes()
            for a in self._w.each()
        )
        return RegistrationSnapshot(
            self.said, self.keys, columns, self.centre, self.turn, self.learnt_ns,
            self.comparisons,
        )  # fmt: skip

    @staticmethod
    def restore(saved: RegistrationSnapshot) -> Registration:
        """A registration that goes on exactly where `saved` was taken."""
        witnesses = _Witnesses.empty(len(saved.keys))
        for column, raw in zip(witnesses.each(), saved.columns, strict=True):
            kept = np.frombuffer(raw, column.dtype.newbyteorder("<"))
            column[:] = kept.reshape(column.shape)
        return Registration(
            saved.said, saved.keys, saved.centre, saved.turn, saved.learnt_ns,
            saved.comparisons, witnesses,
        )  # fmt: skip


def _polar(batch: Batch, rows: I64) -> tuple[F64, F64, I64]:
    """Plots as range, azimuth, elevation (m, rad, rad) with sigmas, in an order of their own.

    NaN where a direction finder does not measure.
    """
    values, sigmas, at_ns = batch.values[rows], batch.sigmas[rows], batch.event_time_ns[rows]
    if batch.form is Form.BEARING:
        nothing = np.full(rows.shape[0], np.nan)
        values = np.column_stack((nothing, values[:, :2]))
        sigmas = np.column_stack((nothing, sigmas[:, :2]))
        values[:, 2] = np.where(sigmas[:, 2] > 0.0, values[:, 2], np.nan)
    unit = np.array([1.0, math.pi / 180.0, math.pi / 180.0])
    order = np.lexsort((values[:, 2], values[:, 0], values[:, 1], at_ns))
    return (values * unit)[order], (sigmas * unit)[order], at_ns[order]


def _spread(heard: Cooperative) -> F64:
    """Variances (n, 3) of what aircraft claim: horizontal, vertical, of their velocity."""
    place = np.maximum(heard.sigma_m, (LEAST_HORIZONTAL_M, LEAST_VERTICAL_M))
    told = ~np.isnan(heard.velocity_mps[:, :2]).any(axis=1)
    speed = np.where(told, VELOCITY_SIGMA_MPS, UNKNOWN_VELOCITY_SIGMA_MPS)
    return np.asarray(np.column_stack((place, speed)) ** 2)


def _rounded(parts: F64) -> Bias:
    """To the millimetre, a ten-thousandth of a degree (1 cm at 5 km) and of a second."""
    return Bias(
        round(float(parts[0]), 3),
        round(math.degrees(parts[1]), 4),
        round(math.degrees(parts[2]), 4),
        round(float(parts[3]), 4),
    )


def _material(before: RegistrationChanged, now: RegistrationChanged) -> bool:
    """Whether it is worth telling: another part applied, or one of them moved or got surer."""
    if before.applied != now.applied:
        return True
    for name in before.applied:
        old, new, sigma_old, sigma_new = (
            _part(bias, name) for bias in (before.bias, now.bias, before.sigma, now.sigma)
        )
        if abs(new - old) > MATERIAL_SHARE * sigma_old:
            return True
        if not MATERIAL_SHRINK * sigma_old <= sigma_new <= MATERIAL_GROWTH * sigma_old:
            return True
    return False


def _part(bias: Bias, name: str) -> float:
    return (bias.range_m, bias.azimuth_deg, bias.elevation_deg, bias.time_s)[PARTS.index(name)]


def rehearse() -> None:
    """Register a radar on three aircraft that hover, so that every kernel is compiled."""
    frame = Frame(50.0, 6.0, 0.0)
    seen = Coverage(1.0, 10_000.0)
    radar = Sensor(SensorId("rehearsal"), SensorKind.RADAR, *frame.origin, seen)
    view, made, n = view_of(radar, frame), Registration(), LEAST_AIRCRAFT
    azimuth = np.linspace(0.5, 2.0, n)
    place = 1_000.0 * np.column_stack((np.sin(azimuth), np.cos(azimuth), np.zeros(n)))
    values = np.column_stack((np.full(n, 1_000.0), np.degrees(azimuth), np.zeros(n)))
    for turn in range(WINDOW * 2):
        at_ns = np.full(n, turn * NS_PER_S, np.int64)
        heard = Cooperative(("a", "b", "c"), at_ns, place, np.zeros((n, 3)), np.ones((n, 2)))
        batch = Batch(
            BatchId(""), radar.sensor_id, 0, Form.POLAR, at_ns, values, np.ones((n, 3)),
            np.full((n, 3), np.nan), np.zeros(n, np.int8),
        )  # fmt: skip
        made.observe(batch, np.arange(n), view, heard, turn * NS_PER_S)
