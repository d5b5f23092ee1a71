"""How bearings of cameras are fused into tracks that radar and lidar keep.

A camera's bearing of a boat errs by a degree or two, for seconds, in the same direction. Taken
for independent, ten a second soon outvote radar and lidar. Five things keep them in their place:

1. Calibration: each track learns how far each camera's bearings of it lie beside where radar
   and lidar see it, and takes that off. The bias fades in BEARING_BIAS_TIME_S.
2. Tempering: a frame weighs w = 1 - exp(-dt / 2 tau) of a bearing, tau the correlation time.
3. Sight: each track holds how probable it is that a camera sees it. A bearing that comes into
   the gate of a boat that the camera has not seen is somebody else's.
4. A map of false bearings: houses and moored boats are seen in the same direction for minutes.
5. A bearing that may well be of either of two boats is used for neither.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from bench.autoferry import measured
from bench.autoferry.association import Pair, marginals, soft_update
from bench.autoferry.boats import Link, Track
from bench.autoferry.loader import F64, Scan

TURN = 2.0 * math.pi
GATE_SIGMAS = 2.0
#: What is believed of a camera's sight of a boat without evidence, and how soon again.
SEEN_PRIOR, SEEN_TIME_S = 0.2, 10.0
LEAST_SEEN, MOST_SEEN = 0.02, 0.98
#: Two tracks with at least this probability each: the bearing is ambiguous.
AMBIGUOUS = 0.3
#: A bearing counts as used from this probability on.
USED = 0.1
#: Nearer than this a boat is not a point at all.
LEAST_RANGE_M = 5.0

MAP_BINS = 180
#: A house that is no longer seen is forgotten in this time.
MAP_TIME_S = 20.0


@dataclass(slots=True)
class FalseMap:
    """Where a camera sees what is no track: bearings per frame in bins of 2 degrees."""

    rate: F64 = field(default_factory=lambda: np.zeros(MAP_BINS))
    time_s: float | None = None

    def density(self, azimuth_rad: F64) -> F64:
        """False bearings per rad and frame around each azimuth, of three bins."""
        bins = _bins(azimuth_rad)
        near = self.rate[bins - 1] + self.rate[bins] + self.rate[(bins + 1) % MAP_BINS]
        density: F64 = measured.FALSE_PER_RAD + near * MAP_BINS / (3.0 * TURN)
        return density

    def learn(self, time_s: float, azimuth_rad: F64, free: F64) -> None:
        """Take in a frame; `free` (m,) is how probable it is that a bearing is no track's."""
        keep = 1.0 if self.time_s is None else math.exp(-(time_s - self.time_s) / MAP_TIME_S)
        self.time_s = time_s
        self.rate *= keep
        np.add.at(self.rate, _bins(azimuth_rad), (1.0 - keep) * free)


def _bins(azimuth_rad: F64) -> np.ndarray:
    return (azimuth_rad / TURN * MAP_BINS).astype(np.int64) % MAP_BINS


def _wrapped(angle_rad: F64) -> F64:
    wrapped: F64 = (angle_rad + math.pi) % TURN - math.pi
    return wrapped


@dataclass(slots=True)
class BearingCounts:
    """Bearings in all, in the gate of a track, and used for one."""

    total: int = 0
    gated: int = 0
    used: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class _Look:
    """A track as a camera should see it in this frame."""

    track: Track
    link: Link
    h: F64  # (1, 4) d(bearing) / d(state)
    azimuth_rad: float  # with the bias that was learned
    variance: float  # of the track across, as an angle
    error: float  # variance of a bearing's error beside the bias that was learned
    whole_error: float  # ... and without it
    weight: float  # of one frame, for tempering


def take_bearings(
    tracks: list[Track], scan: Scan, false_map: FalseMap, counts: BearingCounts
) -> None:
    """One frame of one camera; `tracks` are the confirmed ones."""
    azimuth_rad = scan.values[:, 0]
    looks = [_look(track, scan) for track in tracks]
    detection = np.array([measured.DETECTION[scan.kind] * v.link.seen for v in looks])
    density = false_map.density(azimuth_rad)
    innovation = np.array([_wrapped(azimuth_rad - v.azimuth_rad) for v in looks])
    innovation = innovation.reshape(len(looks), len(azimuth_rad))
    likelihood = np.array([_likelihood(v, innovation[i]) for i, v in enumerate(looks)])
    likelihood = likelihood.reshape(innovation.shape) / density
    existence = np.array([t.existence for t in tracks])
    share, _ = marginals(detection[:, None] * likelihood, existence, detection)
    free = 1.0 - np.minimum(share.sum(axis=0), 1.0)
    share[:, np.count_nonzero(share > AMBIGUOUS, axis=0) > 1] = 0.0
    counts.total += len(azimuth_rad)
    counts.gated += int(np.count_nonzero((likelihood > 0.0).any(axis=0)))
    counts.used += int(np.count_nonzero((share >= USED).any(axis=0)))
    for i, look in enumerate(looks):
        _update(look, innovation[i], share[i])
        _see(look, measured.DETECTION[scan.kind], float(likelihood[i].sum()))
    false_map.learn(scan.time_s, azimuth_rad, free)


def _look(track: Track, scan: Scan) -> _Look:
    track.predict(scan.time_s)
    latency_s = measured.LATENCY_S[scan.kind]
    east_m, north_m = track.x[:2] - latency_s * track.x[2:] - scan.own_m
    range2 = max(east_m**2 + north_m**2, LEAST_RANGE_M**2)
    he, hn = north_m / range2, -east_m / range2
    h = np.array([[he, hn, -latency_s * he, -latency_s * hn]])
    prior = measured.BEARING_BIAS_RAD**2 + measured.EXTENT_M**2 / range2
    link = track.links.setdefault(scan.kind, Link(0.0, prior, SEEN_PRIOR))
    # The first bearing ever is worth a whole one.
    dt_s = math.inf if link.time_s is None else scan.time_s - link.time_s
    link.time_s = scan.time_s
    kept = math.exp(-dt_s / measured.BEARING_BIAS_TIME_S)
    link.bias_rad *= kept
    link.variance = kept**2 * link.variance + (1.0 - kept**2) * prior
    link.seen = SEEN_PRIOR + (link.seen - SEEN_PRIOR) * math.exp(-dt_s / SEEN_TIME_S)
    jitter = measured.BEARING_JITTER_RAD**2
    return _Look(
        track=track,
        link=link,
        h=h,
        azimuth_rad=math.atan2(east_m, north_m) + link.bias_rad,
        variance=float((h @ track.p @ h.T)[0, 0]),
        error=link.variance + jitter,
        whole_error=prior + jitter,
        weight=1.0 - math.exp(-dt_s / (2.0 * measured.BEARING_CORRELATION_S)),
    )


def _likelihood(look: _Look, innovation: F64) -> F64:
    """Density per rad of each bearing (m,), 0 outside of the gate.

    The gate holds twice, with the learned bias and without: else a bias that a passing house
    taught would follow the house.
    """
    s, whole = look.variance + look.error, look.variance + look.whole_error
    inside = (innovation**2 < GATE_SIGMAS**2 * s) & (
        (innovation + look.link.bias_rad) ** 2 < GATE_SIGMAS**2 * whole
    )
    density: F64 = np.exp(-0.5 * innovation**2 / s) / math.sqrt(TURN * s)
    return np.where(inside, density, 0.0)


def _update(look: _Look, innovation: F64, share: F64) -> None:
    """Track and bias both move, each by its part of the innovation."""
    taken = float(share.sum())
    if taken <= 0.0:
        return
    s = np.array([[look.variance + look.error / look.weight]])
    pairs = [Pair(innovation[j : j + 1], s, float(share[j])) for j in np.flatnonzero(share)]
    track, link = look.track, look.link
    track.x, track.p = soft_update(track.x, track.p, look.h, pairs)
    jitter = measured.BEARING_JITTER_RAD**2 / look.weight
    gain = link.variance / (link.variance + look.variance + jitter)
    link.bias_rad += gain * float(share @ innovation)
    link.variance *= 1.0 - gain * min(taken, 1.0)


def _see(look: _Look, detection: float, likelihood: float) -> None:
    """Bayes, tempered: frames that err alike are no independent witnesses."""
    odds = (1.0 - detection + detection * likelihood) ** look.weight
    seen = look.link.seen * odds / (1.0 - look.link.seen + look.link.seen * odds)
    look.link.seen = min(max(seen, LEAST_SEEN), MOST_SEEN)
