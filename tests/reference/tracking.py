"""One scan of the tracker, literally: every pair tried, full matrices, scipy's assignment."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from skykeep.core.observation import Coverage, TargetKind
from skykeep.core.track.tracker import KIND_CAP, KIND_PRIOR, TrackerConfig, TrackerSnapshot
from tests.reference import kalman
from tests.reference.assignment import best_pairs

F64 = NDArray[np.float64]


SHAPES = ((6,), (6, 6), (), (), (), (), (), (), (), (4,), ())
INTEGERS = {2, 3, 4, 5, 7, 8, 10}


def columns(saved: TrackerSnapshot) -> list[F64]:
    """x, P, time, first, last, status, score, hits, misses, kinds, number."""
    kinds = ["<i8" if k in INTEGERS else "<f8" for k in range(11)]
    return [
        np.frombuffer(raw, kind).reshape(saved.count, *shape)
        for raw, kind, shape in zip(saved.columns, kinds, SHAPES, strict=True)
    ]


def kind_fit(track_kinds: F64, plot_kinds: F64) -> float:
    """Log of how likely the plot's class is from the track's kinds, over that from clutter."""
    if not plot_kinds.any():
        return 0.0
    weights = [KIND_PRIOR[k] * math.exp(track_kinds[k]) for k in TargetKind]
    likelihood = sum(w * math.exp(plot_kinds[k]) for k, w in zip(TargetKind, weights, strict=True))
    return math.log(likelihood / sum(weights)) - float(plot_kinds[TargetKind.CLUTTER])


@dataclass
class LiteralTrack:
    number: int
    x: F64
    p: F64
    time_ns: int
    last_ns: int
    score: float
    kinds: F64
    hits: int = 1
    misses: int = 0
    confirmed: bool = False


@dataclass
class LiteralTracker:
    """A sensor at the site's own origin; the rules are those of the tracker's docstrings."""

    config: TrackerConfig
    coverage: Coverage
    pd: float
    tracks: list[LiteralTrack] = field(default_factory=list)
    next_number: int = 1

    def scan(
        self, at_ns: int, z: F64, r: F64, log_clutter: F64, kinds: F64, whole_turn: bool
    ) -> list[int]:
        """Numbers of the tracks that took each plot, 0 for none."""
        g = self.config
        lags = {t.number: self._move(t, at_ns) for t in self.tracks}
        owner = [0] * len(z)
        waves = [[t for t in self.tracks if t.confirmed is wave] for wave in (True, False)]
        for wave in waves:
            free = [j for j in range(len(z)) if not owner[j]]
            gains = {}
            for (i, t), j in itertools.product(enumerate(wave), free):
                proved = self._proved(t, lags[t.number], z[j], r[j], log_clutter[j])
                gain = proved - math.log(1.0 - self.pd) + kind_fit(t.kinds, kinds[j])
                if gain > 0.0:
                    gains[i, j] = gain
            for i, j in best_pairs(gains, len(wave), len(z)):
                t = wave[i]
                owner[j] = t.number
                proved = self._proved(t, lags[t.number], z[j], r[j], log_clutter[j])
                h = kalman.position_model(lags[t.number])
                t.x, t.p = kalman.update(t.x, t.p, h, z[j], r[j])
                t.score = min(g.score_cap, t.score + proved)
                t.hits += 1
                t.last_ns = max(t.last_ns, at_ns)
                t.kinds = t.kinds + kinds[j]
        for t in self.tracks:
            t.kinds = np.maximum(t.kinds - t.kinds.max(), -KIND_CAP)
            if whole_turn and t.number in owner:
                t.misses = 0
            elif whole_turn and self._covers(t.x):
                t.misses += 1
                t.score += math.log(1.0 - self.pd)
        for j in range(len(z)):
            if not owner[j] and len(self.tracks) < g.track_limit:
                owner[j] = self._start(at_ns, z[j], r[j], kinds[j])
        self._settle()
        return owner

    def _move(self, t: LiteralTrack, at_ns: int) -> float:
        """The track moved on to a moment; how many seconds (<= 0) it is ahead of it instead."""
        g, dt_s = self.config, (at_ns - t.time_ns) / 1e9
        if dt_s > 0.0:
            t.x, t.p = kalman.predict(t.x, t.p, dt_s, g.q_horizontal_m2ps3, g.q_vertical_m2ps3)
            t.time_ns = at_ns
        return min(0.0, dt_s)

    def _proved(self, t: LiteralTrack, lag_s: float, z: F64, r: F64, clutter: float) -> float:
        """What a hit adds to the score; minus infinity outside the gate."""
        gate2 = self.config.gate_sigmas**2
        off = z - t.x[:3] - lag_s * t.x[3:]
        widest = np.trace(r) + (math.sqrt(np.trace(t.p)) * (1.0 - lag_s)) ** 2
        if off @ off > gate2 * widest:  # spares the matrices of what is far away
            return -math.inf
        h = kalman.position_model(lag_s)
        _, _, d2, log_det = kalman.innovation(t.x, t.p, h, z, r)
        if d2 > gate2:
            return -math.inf
        density = -0.5 * (d2 + log_det + 3.0 * math.log(2.0 * math.pi))
        return math.log(self.pd) + density - clutter

    def _covers(self, x: F64) -> bool:
        c, distance = self.coverage, float(np.linalg.norm(x[:3]))
        if not c.range_min_m <= distance <= c.range_max_m:
            return False
        elevation = math.degrees(math.atan2(x[2], math.hypot(x[0], x[1])))
        around = (math.degrees(math.atan2(x[0], x[1])) - c.azimuth_from_deg) % 360.0
        wide = (c.azimuth_to_deg - c.azimuth_from_deg) % 360.0 or 360.0
        return c.elevation_min_deg <= elevation <= c.elevation_max_deg and around <= wide

    def _start(self, at_ns: int, z: F64, r: F64, kinds: F64) -> int:
        g, p = self.config, np.zeros((6, 6))
        p[:3, :3] = r
        p[3:, 3:] = np.diag([g.new_sigma_horizontal_mps**2] * 2 + [g.new_sigma_vertical_mps**2])
        x = np.concatenate([z, np.zeros(3)])
        number, self.next_number = self.next_number, self.next_number + 1
        known = kinds - kinds.max()
        self.tracks.append(LiteralTrack(number, x, p, at_ns, at_ns, g.new_score, known))
        return number

    def _settle(self) -> None:
        g = self.config
        for t in self.tracks:
            t.confirmed |= bool(t.score >= g.confirm_score and t.hits >= g.confirm_hits)
        self.tracks = [
            t
            for t in self.tracks
            if t.score >= (g.drop_confirmed_score if t.confirmed else g.drop_tentative_score)
        ]
