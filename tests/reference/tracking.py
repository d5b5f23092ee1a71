"""One scan of the tracker, literally: every pair tried, full matrices, dense messages, scipy."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from skykeep.core.observation import Coverage, TargetKind
from skykeep.core.track.columns import Columns
from skykeep.core.track.scan import LEAST_SHARE
from skykeep.core.track.share import CLEAR
from skykeep.core.track.tracker import KIND_CAP, KIND_PRIOR, TrackerConfig, TrackerSnapshot
from tests.reference import kalman
from tests.reference.assignment import best_pairs

F64 = NDArray[np.float64]

INTEGERS = {"time_ns", "first_ns", "last_ns", "hits", "misses", "status", "number"}


def columns(saved: TrackerSnapshot, models: int) -> Columns:
    """The columns of a snapshot; with one model x and p are those of the model."""
    n = saved.count
    of_models = {"x_of": (models, 6), "p_of": (models, 6, 6), "share_of": (models,)}
    shapes = {"x": (6,), "p": (6, 6), "kinds": (4,), **of_models}
    names = Columns._fields[2:] if models == 1 else Columns._fields
    found = {
        name: np.frombuffer(raw, "<i8" if name in INTEGERS else "<f8").reshape(
            n, *shapes.get(name, ())
        )
        for name, raw in zip(names, saved.columns, strict=True)
    }
    if models == 1:
        found |= {"x": found["x_of"].reshape(n, 6), "p": found["p_of"].reshape(n, 6, 6)}
    return Columns(**found)


def kind_fit(track_kinds: F64, plot_kinds: F64) -> float:
    """Log of how likely the plot's class is from the track's kinds, over that from clutter."""
    if not plot_kinds.any():
        return 0.0
    weights = [KIND_PRIOR[k] * math.exp(track_kinds[k]) for k in TargetKind]
    likelihood = sum(w * math.exp(plot_kinds[k]) for k, w in zip(TargetKind, weights, strict=True))
    return math.log(likelihood / sum(weights)) - float(plot_kinds[TargetKind.CLUTTER])


def mixture(shares: F64, xs: list[F64], ps: list[F64]) -> tuple[F64, F64]:
    """Mean and covariance of a Gaussian mixture."""
    mean = sum(s * x for s, x in zip(shares, xs, strict=True))
    spread = sum(
        s * (p + np.outer(x - mean, x - mean)) for s, x, p in zip(shares, xs, ps, strict=True)
    )
    return np.asarray(mean), np.asarray(spread)


def mixed(shares: F64, xs: list[F64], ps: list[F64], stay: F64) -> tuple[F64, list[F64], list[F64]]:
    """The mixing step of interacting models; stay[m, n] is the probability of m to n."""
    after = shares @ stay
    pairs = [mixture(shares * stay[:, n] / after[n], xs, ps) for n in range(len(xs))]
    return after, [x for x, _ in pairs], [p for _, p in pairs]


def messages(weight: F64, none: F64, rounds: int = 5_000) -> tuple[F64, F64]:
    """nu and mu of the belief propagation over a dense (n, m) matrix of weights."""
    nu = np.ones_like(weight)
    for _ in range(rounds):
        before = nu
        mu = weight / ((none + (weight * nu).sum(axis=1))[:, None] - weight * nu)
        nu = 1.0 / (1.0 + mu.sum(axis=0) - mu)
        if np.abs(nu - before).max(initial=0.0) < 1e-14:
            break
    return nu, weight / ((none + (weight * nu).sum(axis=1))[:, None] - weight * nu)


@dataclass
class LiteralTrack:
    number: int
    shares: F64
    xs: list[F64]
    ps: list[F64]
    time_ns: int
    last_ns: int
    score: float
    kinds: F64
    hits: int = 1
    misses: int = 0
    confirmed: bool = False

    @property
    def x(self) -> F64:
        return mixture(self.shares, self.xs, self.ps)[0]

    @property
    def p(self) -> F64:
        return mixture(self.shares, self.xs, self.ps)[1]


@dataclass
class LiteralTracker:
    """A sensor at the site's own origin; the rules are those of the tracker's docstrings."""

    config: TrackerConfig
    coverage: Coverage
    pd: float
    tracks: list[LiteralTrack] = field(default_factory=list)
    next_number: int = 1
    unseen: float = 1.0

    def scan(
        self, at_ns: int, z: F64, r: F64, log_clutter: F64, kinds: F64, whole_turn: bool,
        order: list[int],
    ) -> list[int]:  # fmt: skip
        """Numbers of the tracks that took each plot, 0 for none; tracks begin in `order`."""
        g, n, m = self.config, len(self.tracks), len(z)
        new = math.exp(g.new_score) + math.exp(g.first_score) * self.unseen
        lags = [self._move(t, at_ns) for t in self.tracks]
        like = np.zeros((n, m, len(self._q)))
        fit = np.ones((n, m))
        for (i, t), j in itertools.product(enumerate(self.tracks), range(m)):
            null = log_clutter[j] + math.log(1.0 + new)
            like[i, j] = self._likelihoods(t, lags[i], z[j], r[j], null)
            fit[i, j] = math.exp(kind_fit(t.kinds, kinds[j]))
        exists = np.array([1.0 / (1.0 + math.exp(-t.score)) for t in self.tracks])
        whole = (like * np.array([t.shares for t in self.tracks]).reshape(n, 1, len(self._q))).sum(
            axis=2
        )
        weight, none = whole * fit * exists[:, None], 1.0 - exists * self.pd
        nu, mu = messages(weight, none)
        mine = self._mine(weight, none, nu)
        owner = [int(np.argmax(mu[:, j])) if mu[:, j].sum() > 1.0 else -1 for j in range(m)]
        nobodys = 1.0 / (1.0 + mu.sum(axis=0))
        missed = [whole_turn and self._covers(t.x) for t in self.tracks]
        for i, t in enumerate(self.tracks):
            self._learn(t, whole[i], fit[i], nu[i], kinds, missed[i], whole_turn, at_ns)
            self._follow(t, lags[i], like[i] * (nu[i] * fit[i])[:, None], mine[i], z, r)
        numbers = [self.tracks[i].number if i >= 0 else 0 for i in owner]
        for j in order:
            if owner[j] < 0 and len(self.tracks) < g.track_limit:
                odds = new / (1.0 + new) * nobodys[j]
                numbers[j] = self._start(at_ns, z[j], r[j], kinds[j], math.log(odds / (1.0 - odds)))
        self.unseen *= 1.0 - self.pd if whole_turn else 1.0
        self._settle()
        return numbers

    @property
    def _q(self) -> list[tuple[float, float]]:
        g = self.config
        quick = (g.q_manoeuvre_horizontal_m2ps3, g.q_manoeuvre_vertical_m2ps3)
        return [(g.q_horizontal_m2ps3, g.q_vertical_m2ps3)] + [quick] * g.manoeuvres

    def _move(self, t: LiteralTrack, at_ns: int) -> float:
        """The track moved on to a moment; how many seconds (<= 0) it is ahead of it instead."""
        g, dt_s = self.config, (at_ns - t.time_ns) / 1e9
        if dt_s > 0.0:
            if g.manoeuvres:
                leave = [0.5 * (1.0 - math.exp(-2.0 * dt_s / s)) for s in (g.calm_s, g.manoeuvre_s)]
                stay = np.array([[1.0 - leave[0], leave[0]], [leave[1], 1.0 - leave[1]]])
                t.shares, t.xs, t.ps = mixed(t.shares, t.xs, t.ps, stay)
            moved = [
                kalman.predict(x, p, dt_s, *q) for x, p, q in zip(t.xs, t.ps, self._q, strict=True)
            ]
            t.xs, t.ps = [x for x, _ in moved], [p for _, p in moved]
            t.time_ns = at_ns
        return min(0.0, dt_s)

    def _likelihoods(self, t: LiteralTrack, lag_s: float, z: F64, r: F64, null: float) -> F64:
        """Of each model: this plot is the track's, to nobody's; 0 outside all their gates."""
        gate2, h = self.config.gate_sigmas**2, kalman.position_model(lag_s)
        found, inside = [], False
        for x, p in zip(t.xs, t.ps, strict=True):
            off = z - h @ x
            if off @ off > 1e4 * np.trace(r + h @ p @ h.T):  # spares matrices of what is far
                found.append(0.0)
                continue
            _, _, d2, log_det = kalman.innovation(x, p, h, z, r)
            density = -0.5 * (d2 + log_det + 3.0 * math.log(2.0 * math.pi))
            found.append(math.exp(math.log(self.pd) + density - null))
            inside |= d2 <= gate2
        return np.array(found) if inside else np.zeros(len(found))

    def _mine(self, weight: F64, none: F64, nu: F64) -> NDArray[np.bool_]:
        """Pairs that a track may follow: not another's in the best assignment of a contest."""
        n, m = weight.shape
        mine = np.ones((n, m), bool)
        for members in _components(weight > 0.0):
            part = weight[members] * nu[members]
            best = part.argmax(axis=1) if m else []
            top = part.max(axis=1, initial=0.0)
            likelier = top > none[members]
            clear = (
                np.maximum(top, none[members]) >= CLEAR * (none[members] + part.sum(axis=1))
            ).all()
            chosen = [b for b, yes in zip(best, likelier, strict=True) if yes]
            if len(members) == 1 or (clear and len(set(chosen)) == len(chosen)):
                continue
            gains = {
                (i, j): math.log(weight[i, j] / none[i])
                for i, j in itertools.product(members, range(m))
                if weight[i, j] > none[i]
            }
            for i, j in best_pairs(gains, n, m):
                others = [k for k in members if k != i]
                mine[others, j] = False
        return mine

    def _learn(
        self, t: LiteralTrack, whole: F64, fit: F64, nu: F64, kinds: F64, missed: bool,
        whole_turn: bool, at_ns: int,
    ) -> None:  # fmt: skip
        """Existence, kind and counts."""
        miss = 1.0 - self.pd
        taken = whole * fit * nu
        if not missed and not whole.any():
            return
        proved = (miss if missed else 1.0) + float((whole * nu).sum())
        t.score = min(self.config.score_cap, t.score + math.log(proved))
        t.kinds = t.kinds + (taken / (miss + taken.sum())) @ kinds
        if taken.sum() > miss:
            t.hits, t.last_ns = t.hits + 1, max(t.last_ns, at_ns)
            t.misses = 0 if whole_turn else t.misses
        elif missed:
            t.misses += 1

    def _follow(
        self, t: LiteralTrack, lag_s: float, like: F64, mine: NDArray[np.bool_], z: F64, r: F64
    ) -> None:
        """Each model to the mean over its plots; plots that hardly count are left out."""
        h, miss = kalman.position_model(lag_s), 1.0 - self.pd
        fits = np.ones(len(t.xs))
        for m in range(len(t.xs)):
            own = like[:, m] * mine
            fits[m] = miss + own.sum()
            if not own.any():
                continue
            best = int(own.argmax())
            if own[best] >= fits[m] * (1.0 - LEAST_SHARE):
                t.xs[m], t.ps[m] = kalman.update(t.xs[m], t.ps[m], h, z[best], r[best])
                continue
            used = np.flatnonzero((own >= LEAST_SHARE * fits[m]) & (own > 0.0))
            shares = np.array([miss, *own[used]])
            moved = [kalman.update(t.xs[m], t.ps[m], h, z[j], r[j]) for j in used]
            xs, ps = [t.xs[m], *(x for x, _ in moved)], [t.ps[m], *(p for _, p in moved)]
            t.xs[m], t.ps[m] = mixture(shares / shares.sum(), xs, ps)
        if like.any():
            t.shares = t.shares * fits / (t.shares * fits).sum()

    def _covers(self, x: F64) -> bool:
        c, distance = self.coverage, float(np.linalg.norm(x[:3]))
        if not c.range_min_m <= distance <= c.range_max_m:
            return False
        elevation = math.degrees(math.atan2(x[2], math.hypot(x[0], x[1])))
        around = (math.degrees(math.atan2(x[0], x[1])) - c.azimuth_from_deg) % 360.0
        wide = (c.azimuth_to_deg - c.azimuth_from_deg) % 360.0 or 360.0
        return c.elevation_min_deg <= elevation <= c.elevation_max_deg and around <= wide

    def _start(self, at_ns: int, z: F64, r: F64, kinds: F64, score: float) -> int:
        g, p = self.config, np.zeros((6, 6))
        p[:3, :3] = r
        p[3:, 3:] = np.diag([g.new_sigma_horizontal_mps**2] * 2 + [g.new_sigma_vertical_mps**2])
        x = np.concatenate([z, np.zeros(3)])
        number, self.next_number = self.next_number, self.next_number + 1
        count = len(self._q)
        shares = np.array([g.calm_s, g.manoeuvre_s][:count])
        self.tracks.append(
            LiteralTrack(
                number, shares / shares.sum(), [x] * count, [p] * count, at_ns, at_ns, score, kinds
            )
        )
        return number

    def _settle(self) -> None:
        g = self.config
        for t in self.tracks:
            t.kinds = np.maximum(t.kinds - t.kinds.max(), -KIND_CAP)
            t.confirmed |= bool(t.score >= g.confirm_score and t.hits >= g.confirm_hits)
        self.tracks = [
            t
            for t in self.tracks
            if t.score >= (g.drop_confirmed_score if t.confirmed else g.drop_tentative_score)
        ]


def _components(joined: NDArray[np.bool_]) -> list[list[int]]:
    """Tracks that share plots, directly or through others."""
    left, found = list(range(len(joined))), []
    while left:
        members, plots = [left.pop(0)], set()
        while True:
            plots |= {int(j) for i in members for j in np.flatnonzero(joined[i])}
            more = [i for i in left if plots & set(np.flatnonzero(joined[i]).tolist())]
            if not more:
                break
            members += more
            left = [i for i in left if i not in more]
        found.append(sorted(members))
    return found
