"""Boat tracks from radar and lidar: existence, soft association, constant velocity.

State (east, north, v_east, v_north). A plain tracker, so that what bearings add to it, or
spoil, is seen by itself; nothing here looks at a bearing.
"""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass, field

import numpy as np

from bench.autoferry import measured
from bench.autoferry.association import Pair, marginals, soft_update
from bench.autoferry.loader import F64, Kind, Scan

#: m^2/s^3: a boat changes its speed by about 0.3 m/s in a second.
MANOEUVRE_M2PS3 = 0.1
#: Boats here do 2 to 5 m/s.
NEW_SIGMA_MPS = 3.0
#: One plot that nobody took is a new boat once in a hundred times; being also DROP_EXISTENCE, a
#: new track that is missed at once is forgotten, else echoes from the shore live on.
NEW_EXISTENCE = 0.01
#: Shown from this on, if it has also lasted: wakes and echoes of hulls last a scan or two.
CONFIRM_EXISTENCE, CONFIRM_AGE_S = 0.99, 3.0
HIDE_EXISTENCE, DROP_EXISTENCE, MOST_EXISTENCE = 0.5, 0.01, 0.9999
#: Boats leave the view about every two minutes.
STAY_S = 120.0
#: So long a track goes on without radar or lidar: 25 m of way. Bearings do not prolong it,
#: since they cannot tell that a boat is still there, only where it would be seen.
COAST_S = 10.0
#: No new track so near to a confirmed one: it is the other end of the boat, or its wake.
SAME_BOAT_M = 20.0
#: Two tracks so near, at the same speed, are of one boat.
MERGE_M, MERGE_MPS = 7.0, 2.0
#: Chi-square of two degrees of freedom, 0.999.
GATE2 = 13.8


@dataclass(slots=True)
class Link:
    """What one track has learned of one camera.

    `bias_rad` and its `variance`: how far the camera's bearings of this boat lie clockwise of
    where radar and lidar see it. `seen`: the probability that the camera sees the boat at all.
    """

    bias_rad: float
    variance: float
    seen: float
    time_s: float | None = None


@dataclass(slots=True, eq=False)
class Track:
    """One boat that may be: state (4,), covariance (4, 4), probability of being there."""

    number: int
    x: F64
    p: F64
    time_s: float
    born_s: float
    plot_s: float
    existence: float
    confirmed: bool = False
    links: dict[Kind, Link] = field(default_factory=dict)

    def predict(self, time_s: float) -> None:
        """Move on to `time_s`."""
        dt_s = time_s - self.time_s
        if dt_s <= 0.0:
            return
        f = np.eye(4)
        f[0, 2] = f[1, 3] = dt_s
        self.x = f @ self.x
        self.p = f @ self.p @ f.T
        for a in (0, 1):
            self.p[a, a] += MANOEUVRE_M2PS3 * dt_s**3 / 3.0
            self.p[a, a + 2] += MANOEUVRE_M2PS3 * dt_s**2 / 2.0
            self.p[a + 2, a] += MANOEUVRE_M2PS3 * dt_s**2 / 2.0
            self.p[a + 2, a + 2] += MANOEUVRE_M2PS3 * dt_s
        self.existence *= math.exp(-dt_s / STAY_S)
        self.time_s = time_s

    def shown_at(self, time_s: float) -> bool:
        """Whether it is shown then."""
        return self.confirmed and self.existence > HIDE_EXISTENCE and time_s - self.plot_s < COAST_S


@dataclass(slots=True)
class Boats:
    """All tracks, in the order of their birth."""

    tracks: list[Track] = field(default_factory=list)
    next_number: int = 1

    def fork(self) -> Boats:
        """A copy that goes on by itself."""
        return copy.deepcopy(self)

    def shown(self, time_s: float) -> F64:
        """Where the confirmed boats would be at a time (m, 2)."""
        there = [t for t in self.tracks if t.shown_at(time_s)]
        return np.array([t.x[:2] + (time_s - t.time_s) * t.x[2:] for t in there]).reshape(-1, 2)

    def take_plots(self, scan: Scan) -> None:
        """One turn of the radar or the lidar; tracks without a plot in it were missed."""
        for track in self.tracks:
            track.predict(scan.time_s)
        latency_s = measured.LATENCY_S[scan.kind]
        h = np.array([[1.0, 0.0, -latency_s, 0.0], [0.0, 1.0, 0.0, -latency_s]])
        noises = [_noise(scan, z) for z in scan.values]
        existence = np.array([t.existence for t in self.tracks])
        detection = np.array([_detection(scan, t) for t in self.tracks])
        ratio, found = self._gate(scan, h, noises, detection)
        share, existence = marginals(ratio, existence, detection)
        taken = np.zeros(len(scan.values))
        for i, track in enumerate(self.tracks):
            taken += track.existence * share[i]
            track.existence = min(float(existence[i]), MOST_EXISTENCE)
            pairs = [Pair(nu, s, float(share[i, j])) for (k, j), (nu, s) in found.items() if k == i]
            track.x, track.p = soft_update(track.x, track.p, h, pairs)
            if share[i].sum() > 0.5:
                track.plot_s = scan.time_s
        for j in np.flatnonzero(taken < 0.5):
            self._begin(scan, scan.values[j], noises[j], latency_s)
        self._settle()

    def _gate(
        self, scan: Scan, h: F64, noises: list[F64], detection: F64
    ) -> tuple[F64, dict[tuple[int, int], tuple[F64, F64]]]:
        ratio = np.zeros((len(self.tracks), len(scan.values)))
        found = {}
        for i, track in enumerate(self.tracks):
            spread, expected = h @ track.p @ h.T, h @ track.x
            for j, z in enumerate(scan.values):
                nu, s = z - expected, spread + noises[j]
                if float(nu @ nu) > GATE2 * float(np.trace(s)):
                    continue  # certainly outside: no eigenvalue exceeds the trace
                d2 = float(nu @ np.linalg.solve(s, nu))
                if d2 > GATE2:
                    continue
                density = math.exp(-0.5 * d2) / (2.0 * math.pi * math.sqrt(np.linalg.det(s)))
                ratio[i, j] = detection[i] * density / measured.FALSE_PER_M2[scan.kind]
                found[i, j] = (nu, s)
        return ratio, found

    def _begin(self, scan: Scan, z: F64, noise: F64, latency_s: float) -> None:
        if any(t.confirmed and math.dist(t.x[:2], z) < SAME_BOAT_M for t in self.tracks):
            return
        x, p, v2 = np.zeros(4), np.zeros((4, 4)), NEW_SIGMA_MPS**2
        x[:2] = z
        p[:2, :2] = noise + latency_s**2 * v2 * np.eye(2)
        p[2:, 2:] = v2 * np.eye(2)
        p[:2, 2:] = p[2:, :2] = latency_s * v2 * np.eye(2)
        now_s = scan.time_s
        self.tracks.append(Track(self.next_number, x, p, now_s, now_s, now_s, NEW_EXISTENCE))
        self.next_number += 1

    def _settle(self) -> None:
        kept: list[Track] = []
        for track in self.tracks:
            if track.existence > CONFIRM_EXISTENCE and track.time_s - track.born_s > CONFIRM_AGE_S:
                track.confirmed = True
        for track in sorted(self.tracks, key=lambda t: (-t.confirmed * t.existence, t.number)):
            gone = track.existence < DROP_EXISTENCE or track.time_s - track.plot_s > COAST_S
            if not gone and not any(_same(track, other) for other in kept):
                kept.append(track)
        self.tracks = sorted(kept, key=lambda t: t.number)


def _same(track: Track, other: Track) -> bool:
    return (
        other.confirmed
        and math.dist(track.x[:2], other.x[:2]) < MERGE_M
        and math.dist(track.x[2:], other.x[2:]) < MERGE_MPS
    )


def _noise(scan: Scan, z: F64) -> F64:
    offset_m = z - scan.own_m
    across = np.array([offset_m[1], -offset_m[0]]) * measured.POSITION_SIGMA_RAD[scan.kind]
    noise: F64 = measured.POSITION_SIGMA_M[scan.kind] ** 2 * np.eye(2) + np.outer(across, across)
    return noise


def _detection(scan: Scan, track: Track) -> float:
    within = math.dist(track.x[:2], scan.own_m) < measured.RANGE_M[scan.kind]
    return measured.DETECTION[scan.kind] if within else measured.DETECTION_BEYOND
