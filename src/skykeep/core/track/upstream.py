"""Tracks of somebody else's system: held beside ours, and fused by covariance intersection.

What their reports err hangs together over time, and with our own plots where both systems hear
one radar. So they never reach the tracker's filters: our track and theirs are joined anew
whenever somebody looks, by a rule that needs no knowledge of how far they hang together
(Julier and Uhlmann 1997). The same report twice says what it said once.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from skykeep.core.geo import F64
from skykeep.core.observation import I64, Batch, Claim, Form
from skykeep.core.track.columns import Plots
from skykeep.core.track.intersection import advance, join, misfits
from skykeep.core.track.tracker import KIND_TEMPER, Confirmed, TrackerConfig
from skykeep.units import NS_PER_S, BatchId, SensorId

#: An upstream track of which nothing was heard for so long is gone: surveillance of aircraft
#: is renewed every 4 to 12 s, and it grows as vague as one of our own that coasts this long.
SILENT_NS = 15 * NS_PER_S
#: Errors of place and of velocity in a track hang together; of their correlation nothing is
#: said. In a constant-velocity Kalman filter at rest it is 1/sqrt(2) (the Kalman-Bucy solution
#: for white acceleration), and a diagonal times (1 + it) bounds every smaller one.
PLACE_VELOCITY_CORRELATION = 1.0 / math.sqrt(2.0)
#: One sigma of a velocity that came without: what a drone at full tilt changes in a second.
GIVEN_SIGMA_MPS = (5.0, 5.0, 2.0)
#: One sigma where no velocity came at all: Remote ID's 100 m/s at most (identity) as two.
UNKNOWN_SIGMA_MPS = (50.0, 50.0, 10.0)
#: Bounds of chi-squared with six degrees of freedom: 99 % to be taken for one aircraft, and
#: 99.9 % to stay it. The covariance of the difference is bounded (see `misfits`), so that
#: either holds whatever the correlation.
JOIN_BOUND, PART_BOUND = 16.81, 22.46
#: So many reports in a row before two tracks become one, or one becomes two.
ENOUGH = 3
#: While that is being found out only one of the two is told, for no longer than this.
WAIT_NS = 15 * NS_PER_S
#: Upstream tracks held at once; more are refused, row by row.
UPSTREAM_LIMIT = 2_000

NO_ROOM = f"there are {UPSTREAM_LIMIT} upstream tracks already"


@dataclass(frozen=True, slots=True)
class UpstreamTrack:
    """The latest word on one track of another system, and which of ours it was found to be.

    x: east, north, up in m, velocities in m/s; variances of the same; `kinds` log likelihoods
    over `TargetKind`. `bound` is the number of our track (0: none), `was` the one that it was
    until that ended; `candidate` one that fitted the last `fits` reports; `looked_ns` the state
    that was last compared. `told` says that it stands in the picture by itself.
    """

    number: int
    sensor_id: SensorId
    upstream_id: str
    first_ns: int
    at_ns: int
    x: tuple[float, ...]
    variances: tuple[float, ...]
    kinds: tuple[float, ...]
    claim: Claim | None
    bound: int = 0
    was: int = 0
    candidate: int = 0
    fits: int = 0
    misfits: int = 0
    looked_ns: int = 0
    told: bool = False


@dataclass(frozen=True, slots=True)
class Upstream:
    """What the picture must know of upstream tracks, by their numbers.

    `claims` as their systems tell them; `bound` and `was` as in `UpstreamTrack`; `live` all
    numbers; `pending` numbers of our tracks that may yet be an upstream track already told.
    """

    claims: Mapping[int, Claim] = field(default_factory=dict)
    bound: Mapping[int, int] = field(default_factory=dict)
    was: Mapping[int, int] = field(default_factory=dict)
    live: tuple[int, ...] = ()
    pending: frozenset[int] = frozenset()


NO_UPSTREAM = Upstream()


@dataclass(frozen=True, slots=True)
class UpstreamSnapshot:
    """All upstream tracks as values."""

    next_number: int
    held: tuple[UpstreamTrack, ...]


@dataclass(slots=True)
class UpstreamTracks:
    """The tracks of other systems, by sensor and the system's own name, oldest first."""

    next_number: int = 1
    held: dict[tuple[SensorId, str], UpstreamTrack] = field(default_factory=dict)

    def receive(self, batch: Batch, rows: I64, plots: Plots) -> list[int]:
        """Take rows of a TRACK batch, `plots` their places in the frame; the number of each.

        0 where there is no room. Of one name the newest counts, whatever the order of the rows.
        """
        given = [_track(batch, row, plots, at) for at, row in enumerate(rows.tolist())]
        numbers = [0] * len(given)
        for at in sorted(range(len(given)), key=lambda at: _rank(given[at])):
            new = given[at]
            key = (new.sensor_id, new.upstream_id)
            known = self.held.get(key)
            if known is None:
                if len(self.held) >= UPSTREAM_LIMIT:
                    continue
                known = replace(new, number=self.next_number)
                self.next_number += 1
                self.held[key] = known
            elif _rank(new) > _rank(known):
                self.held[key] = replace(
                    known, at_ns=new.at_ns, x=new.x, variances=new.variances, kinds=new.kinds,
                    claim=new.claim,
                )  # fmt: skip
            numbers[at] = known.number
        return numbers

    def follow(self, now_ns: int, ours: Confirmed, config: TrackerConfig) -> None:
        """Drop what has fallen silent, and find which of our tracks each of the others is."""
        for key in [k for k, t in self.held.items() if now_ns - t.at_ns > SILENT_NS]:
            del self.held[key]
        if not self.held:
            return
        alive = set(ours.number.tolist())
        for key, track in self.held.items():
            if track.bound and track.bound not in alive:
                self.held[key] = replace(track, bound=0, was=track.bound, misfits=0)
        self._compare(now_ns, ours, config)
        for key, track in self.held.items():
            waits = bool(track.candidate) and now_ns - track.first_ns <= WAIT_NS
            alone = not track.bound and (track.told or not waits)
            self.held[key] = replace(track, told=alone)

    def _compare(self, now_ns: int, ours: Confirmed, config: TrackerConfig) -> None:
        """Each new report against our tracks; one of a system for one of ours, the best first."""
        fresh = [k for k, t in self.held.items() if t.at_ns > t.looked_ns]
        x, variances, time_ns = _columns(self.held[k] for k in fresh)
        off, weight = misfits(
            ours.x, ours.p, ours.time_ns, x, variances, time_ns, now_ns, mean_q(config), PART_BOUND
        )
        row_of = {n: row for row, n in enumerate(ours.number.tolist())}
        for at, key in enumerate(fresh):
            track = replace(self.held[key], looked_ns=self.held[key].at_ns)
            if track.bound:
                fits = bool(off[at, row_of[track.bound]] <= PART_BOUND)
                track = replace(track, misfits=0 if fits else track.misfits + 1)
                if track.misfits >= ENOUGH:
                    track = replace(track, bound=0, was=0, candidate=0, fits=0, misfits=0)
            self.held[key] = track
        taken = {(t.sensor_id, t.bound) for t in self.held.values() if t.bound}
        pairs = [
            (float(weight[at, row]), self.held[key].number, int(ours.number[row]), key)
            for at, key in enumerate(fresh)
            if not self.held[key].bound
            for row in np.flatnonzero(off[at] <= JOIN_BOUND).tolist()
        ]
        found = {}
        for _, _, number, key in sorted(pairs):
            if key not in found and (key[0], number) not in taken:
                found[key] = number
                taken.add((key[0], number))
        for key in fresh:
            if not self.held[key].bound:
                self.held[key] = _after(self.held[key], found.get(key, 0))

    def shown(
        self, now_ns: int, ours: Confirmed, config: TrackerConfig
    ) -> tuple[Confirmed, Upstream]:
        """Our tracks, joined at one moment with those of others that are theirs, then the rest.

        A track that is another system's alone has its number negated.
        """
        if not self.held:
            return ours, NO_UPSTREAM
        bound = [t for t in self.held.values() if t.bound]
        lone = [t for t in self.held.values() if t.told]
        row_of = {n: row for row, n in enumerate(ours.number.tolist())}
        rows = np.array([row_of[t.bound] for t in bound], np.int64)
        x, p, time_ns = ours.x.copy(), ours.p.copy(), ours.time_ns.copy()
        q = mean_q(config)
        join(x, p, time_ns, rows, *_columns(bound), now_ns, q)
        kinds, last_ns = ours.kinds.copy(), ours.last_ns.copy()
        for row, track in zip(rows.tolist(), bound, strict=True):
            last_ns[row] = max(int(last_ns[row]), track.at_ns)
            if (kinds[row] == kinds[row, 0]).all():  # both may rest on one classifier
                kinds[row] = track.kinds
        tracks = _with_lone(Confirmed(ours.number, x, p, time_ns, ours.first_ns, last_ns, kinds),
                            lone, now_ns, q)  # fmt: skip
        first_ns = dict(zip(ours.number.tolist(), ours.first_ns.tolist(), strict=True))
        return tracks, Upstream(
            {t.number: t.claim for t in lone if t.claim is not None},
            {t.number: t.bound for t in bound},
            {t.number: t.was for t in lone if t.was},
            tuple(t.number for t in self.held.values()),
            frozenset(
                t.candidate for t in lone
                if now_ns - first_ns.get(t.candidate, now_ns) <= WAIT_NS
            ),
        )  # fmt: skip

    def snapshot(self) -> UpstreamSnapshot:
        """All upstream tracks as values."""
        return UpstreamSnapshot(self.next_number, tuple(self.held.values()))

    @staticmethod
    def restore(saved: UpstreamSnapshot) -> UpstreamTracks:
        """Upstream tracks that go on exactly where `saved` was taken."""
        held = {(t.sensor_id, t.upstream_id): t for t in saved.held}
        return UpstreamTracks(saved.next_number, held)


def rehearse() -> None:
    """A track of another system beside one of ours, so that every kernel is compiled."""
    held, config = UpstreamTracks(), TrackerConfig()
    ones, nothing = np.ones((1, 3)), np.zeros((1, 4))
    for second in range(1, ENOUGH + 1):
        at_ns = np.full(1, second * NS_PER_S, np.int64)
        batch = Batch(
            BatchId(""), SensorId("rehearsal"), second * NS_PER_S, Form.TRACK, at_ns, ones, ones,
            ones, np.zeros(1, np.int8), upstream_ids=("a",),
        )  # fmt: skip
        held.receive(batch, np.arange(1), Plots(ones, np.eye(3)[None], np.zeros(1), nothing))
        x, p, number = np.ones((1, 6)), 9.0 * np.eye(6)[None], np.ones(1, np.int64)
        ours = Confirmed(number, x, p, at_ns, at_ns, at_ns, nothing)
        held.follow(second * NS_PER_S, ours, config)
        held.shown((second + 1) * NS_PER_S, ours, config)
    no_time = at_ns[:0]
    none = Confirmed(number[:0], x[:0], p[:0], no_time, no_time, no_time, nothing[:0])
    held.follow(second * NS_PER_S, none, config)
    held.shown((second + 1) * NS_PER_S, none, config)


def mean_q(config: TrackerConfig) -> F64:
    """The density of acceleration noise over long: calm and manoeuvres by their shares, (2,)."""
    calm = np.array([config.q_horizontal_m2ps3, config.q_vertical_m2ps3])
    if not config.manoeuvres:
        return calm
    quick = [config.q_manoeuvre_horizontal_m2ps3, config.q_manoeuvre_vertical_m2ps3]
    whole_s = config.calm_s + config.manoeuvre_s
    mean: F64 = (config.calm_s * calm + config.manoeuvre_s * np.array(quick)) / whole_s
    return mean


def _after(track: UpstreamTrack, number: int) -> UpstreamTrack:
    """A track that is none of ours yet, after a report that best fits ours of this number."""
    if not number:
        return replace(track, candidate=0, fits=0)
    fits = track.fits + 1 if number == track.candidate else 1
    if fits < ENOUGH:
        return replace(track, candidate=number, fits=fits)
    return replace(track, bound=number, was=0, candidate=0, fits=0, misfits=0)


def _rank(track: UpstreamTrack) -> tuple[object, ...]:
    """The newest state of a name wins; of two at one moment the same one in every order."""
    state = (track.at_ns, track.x, track.variances, track.kinds, repr(track.claim))
    return (track.upstream_id, *state)


def _track(batch: Batch, row: int, plots: Plots, at: int) -> UpstreamTrack:
    """A row as a track. Its kind counts whole: it is one conclusion, not one plot of many."""
    velocity, sigmas = batch.velocities_mps[row], batch.velocity_sigmas_mps
    x, variances = plots.z[at].tolist(), plots.r[at].diagonal().tolist()
    for axis in range(3):
        given = math.isfinite(velocity[axis])
        sigma = float(sigmas[row, axis]) if sigmas is not None and given else math.nan
        if math.isnan(sigma):
            sigma = (GIVEN_SIGMA_MPS if given else UNKNOWN_SIGMA_MPS)[axis]
        x.append(float(velocity[axis]) if given else 0.0)
        variances.append(sigma * sigma)
    at_ns = int(batch.event_time_ns[row])
    return UpstreamTrack(
        0, batch.sensor_id, batch.upstream_ids[row], at_ns, at_ns, tuple(x),
        tuple(v * (1.0 + PLACE_VELOCITY_CORRELATION) for v in variances),
        tuple((plots.kinds[at] / KIND_TEMPER).tolist()), batch.claim_at(row),
    )  # fmt: skip


def _columns(tracks: Iterable[UpstreamTrack]) -> tuple[F64, F64, I64]:
    """States (m, 6), variances (m, 6) and times (m,)."""
    many = list(tracks)
    x = np.array([t.x for t in many], np.float64).reshape(-1, 6)
    variances = np.array([t.variances for t in many], np.float64).reshape(-1, 6)
    return x, variances, np.array([t.at_ns for t in many], np.int64)


def _with_lone(tracks: Confirmed, lone: list[UpstreamTrack], now_ns: int, q: F64) -> Confirmed:
    """The tracks and, behind them, those of other systems that are none of ours."""
    if not lone:
        return tracks
    x, variances, time_ns = _columns(lone)
    p = variances[:, :, None] * np.eye(6)
    advance(x, p, time_ns, now_ns, q)
    number = np.array([-t.number for t in lone], np.int64)
    first_ns = np.array([t.first_ns for t in lone], np.int64)
    last_ns = np.array([t.at_ns for t in lone], np.int64)
    kinds = np.array([t.kinds for t in lone], np.float64)
    rest = Confirmed(number, x, p, time_ns, first_ns, last_ns, kinds)
    return Confirmed(
        np.concatenate((tracks.number, rest.number)), np.concatenate((tracks.x, rest.x)),
        np.concatenate((tracks.p, rest.p)), np.concatenate((tracks.time_ns, rest.time_ns)),
        np.concatenate((tracks.first_ns, rest.first_ns)),
        np.concatenate((tracks.last_ns, rest.last_ns)),
        np.concatenate((tracks.kinds, rest.kinds)),
    )  # fmt: skip
