"""Frames of bearings, literally: full matrices, every pair, one motion model, no shortcuts."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from skykeep.core.track.tracker import TrackerConfig
from tests.reference import kalman

F64 = NDArray[np.float64]
TURN = 2.0 * math.pi


def wrapped(angle: float) -> float:
    return (angle + math.pi) % TURN - math.pi


@dataclass
class Link:
    """One track as one sensor knows it."""

    variance: float
    prior: float
    bias: float = 0.0
    sight: float = 0.2
    last_s: float | None = None
    unspent_s: float = math.inf


@dataclass
class LiteralTrack:
    x: F64
    p: F64
    exists: float
    time_s: float
    link: Link | None = None


@dataclass
class LiteralSensor:
    """A sensor at `place` that sees whatever is there, all round, and its map of false ones."""

    config: TrackerConfig
    place: F64
    detection: float
    false_per_rad: float
    rate: F64 = field(default_factory=lambda: np.zeros(180))
    map_s: float | None = None

    def density(self, azimuth: float) -> float:
        b = int(azimuth % TURN / TURN * 180) % 180
        near = sum(self.rate[(b + d) % 180] for d in (-1, 0, 1))
        return self.false_per_rad + float(near) / 3.0 / (TURN / 180)

    def frame(
        self, tracks: list[LiteralTrack], time_s: float, azimuths: F64, sigmas: F64
    ) -> tuple[F64, list[str]]:
        """Moves the tracks; returns the probabilities (n, m) and each bearing's fate."""
        g, n, m = self.config, len(tracks), len(azimuths)
        white = g.bearing_white_share * sigmas**2
        slow = sigmas**2 - white
        h, pred, var, prior, seen = np.zeros((n, 6)), np.zeros(n), np.zeros(n), np.zeros(n), []
        weight, frame_weight = np.ones(n), np.ones(n)
        for i, t in enumerate(tracks):
            q = (g.q_horizontal_m2ps3, g.q_vertical_m2ps3)
            t.x, t.p = kalman.predict(t.x, t.p, time_s - t.time_s, *q)
            t.time_s = time_s
            east, north = t.x[:2] - self.place[:2]
            r2 = east**2 + north**2
            h[i, :2] = north / r2, -east / r2
            pred[i], var[i] = math.atan2(east, north), h[i] @ t.p @ h[i]
            extent = g.bearing_extent_m**2 / r2
            prior[i] = extent
            p0 = float(slow.min()) + extent
            if t.link is None:
                t.link = Link(p0, p0, last_s=None)
            else:
                link = t.link
                assert link.last_s is not None
                dt = time_s - link.last_s
                phi = math.exp(-dt / g.bearing_bias_s)
                link.bias *= phi
                link.variance = phi**2 * link.variance + (1.0 - phi**2) * p0
                link.prior = phi**2 * link.prior + (1.0 - phi**2) * p0
                link.sight = 0.2 + (link.sight - 0.2) * math.exp(-dt / 10.0)
                link.unspent_s += dt
                frame_weight[i] = 1.0 - math.exp(-dt / (2.0 * g.bearing_correlation_s))
            t.link.last_s = time_s
            unspent_s = min(t.link.unspent_s, 20.0 * g.bearing_correlation_s)
            weight[i] = 1.0 - math.exp(-unspent_s / (2.0 * g.bearing_correlation_s))
            seen.append(self.detection * t.link.sight)
        nu, ratio, noise = np.zeros((n, m)), np.zeros((n, m)), np.zeros((n, m))
        for i, t in enumerate(tracks):
            link = t.link
            assert link is not None
            for j in range(m):
                nu[i, j] = wrapped(azimuths[j] - pred[i] - link.bias)
                p0 = slow[j] + prior[i]
                noise[i, j] = white[j] + max(p0 - link.prior, 0.0)
                s = var[i] + link.variance + noise[i, j]
                whole = var[i] + p0 + white[j]
                if abs(nu[i, j]) < g.bearing_gate_sigmas * math.sqrt(s) and (
                    abs(wrapped(nu[i, j] + link.bias)) < g.bearing_gate_sigmas * math.sqrt(whole)
                ):
                    density = math.exp(-0.5 * nu[i, j] ** 2 / s) / math.sqrt(TURN * s)
                    ratio[i, j] = density / self.density(azimuths[j])
        beta = believed(ratio, np.array(seen), np.array([t.exists for t in tracks]))
        free = np.maximum(1.0 - beta.sum(axis=0), 0.0)
        fates = []
        for j in range(m):
            if (beta[:, j] > g.bearing_ambiguity).sum() > 1:
                beta[:, j] = 0.0
                fates.append("ambiguous")
            elif n and beta[:, j].max() >= 0.1:
                fates.append("taken")
            else:
                fates.append("gate" if (ratio[:, j] > 0.0).any() else "outside")
        for i, t in enumerate(tracks):
            link = t.link
            assert link is not None
            self._update(t, h[i], var[i], nu[i], link.variance + noise[i], beta[i], weight[i])
            step = shrink = 0.0
            for j in range(m):
                gain = link.variance / (link.variance + var[i] + noise[i, j] / weight[i])
                step += gain * beta[i, j] * nu[i, j]
                shrink += gain * beta[i, j]
            link.bias += step
            link.variance *= 1.0 - shrink
            link.unspent_s = 0.0
            fit = (1.0 - self.detection + self.detection * ratio[i].sum()) ** frame_weight[i]
            odds = link.sight / (1.0 - link.sight) * fit
            link.sight = min(max(odds / (1.0 + odds), 0.02), 0.98)
        kept = 1.0 if self.map_s is None else math.exp(-(time_s - self.map_s) / 20.0)
        self.rate *= kept
        for j in range(m):
            self.rate[int(azimuths[j] % TURN / TURN * 180) % 180] += (1.0 - kept) * free[j]
        self.map_s = time_s
        return beta, fates

    @staticmethod
    def _update(
        t: LiteralTrack, h: F64, var: float, nu: F64, errors: F64, beta: F64, weight: float
    ) -> None:
        """The mixture of a Kalman update with each bearing and of none, to its two moments."""
        parts = [(1.0 - beta.sum(), t.x, t.p)]
        for j in np.flatnonzero(beta):
            s = var + errors[j] / weight
            gain = t.p @ h / s
            parts.append((beta[j], t.x + gain * nu[j], t.p - np.outer(gain, gain) * s))
        x = sum(w * each for w, each, _ in parts)
        p = sum(w * (cov + np.outer(each - x, each - x)) for w, each, cov in parts)
        t.x, t.p = x, p


def believed(ratio: F64, seen: F64, exists: F64) -> F64:
    """Probabilities (n, m), by belief propagation, that each bearing is of each track there."""
    weight = exists[:, None] * seen[:, None] * ratio
    none = (1.0 - exists * seen)[:, None]
    message = np.ones_like(weight)
    for _ in range(1000):
        taken = weight * message
        back = weight / (none + taken.sum(axis=1, keepdims=True) - taken)
        message = 1.0 / (1.0 + back.sum(axis=0, keepdims=True) - back)
    beta = seen[:, None] * ratio * message
    return np.asarray(beta / ((1.0 - seen)[:, None] + beta.sum(axis=1, keepdims=True)))
