"""Identity: what aircraft say of themselves, held against what independent sensors measure.

A claim never moves a measured track. Claims of one transmitter form a `ClaimTrack`; each
claim is compared with the measured tracks near it, and the mean of the normalised
innovation squared over a window says whether the two are the same aircraft
(Bar-Shalom, Li and Kirubarajan 2001, 5.4).
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import numpy as np

from skykeep.core.event import Reason, Strength
from skykeep.core.geo import Height, HeightHae
from skykeep.core.observation import Claim, Scheme
from skykeep.core.track.kernels import claim_distances
from skykeep.core.track.tracker import Confirmed
from skykeep.units import NS_PER_S

#: Comparisons in the window, and how many are needed before anything is said.
WINDOW = 10
ENOUGH = 3
#: Mean NIS over 2 (or 3) degrees of freedom expected: 2 (3). A filter's errors are correlated
#: from second to second, so the bound is that of three independent comparisons at 99.9 %
#: (chi2_6 = 22.5, chi2_9 = 27.9, over 3). A bond that was made breaks later than it is made.
BOND_MEAN_NIS = {2: 7.5, 3: 9.3}
BREAK_FACTOR = 1.6
#: One wild comparison must not outweigh the window for longer than it stands in it.
NIS_CAP = 1_000.0
#: Transmission and time-stamping differ by about this much between honest devices
#: (ASD-STAN 4709-002 allows 1 s of age for the location).
CLAIM_LATENCY_SIGMA_S = 0.3
#: No comparison beyond this distance: no honest claim is further off.
COMPARE_WITHIN_M = 400.0
#: A track whose place is known no better than this fits anything near it: no comparison.
COMPARE_SIGMA_M = 40.0
#: A claim within this of a track may still turn out to be that track's.
NEAR_M = 150.0
#: In the view of a working radar for this long without a track that fits: inconsistent.
#: Five turns to start a track and three comparisons, with room.
UNMATCHED_NS = 10 * NS_PER_S
#: Two transmitters with one serial further apart than this are two aircraft, or a lie.
TWO_PLACES_M = 150.0
TWO_PLACES_NS = 10 * NS_PER_S
#: Claims of one transmitter stop being the same flight after this silence.
STRETCH_NS = 60 * NS_PER_S
#: Faster than any aircraft of the kind: the position is a jump, not a flight.
MAX_SPEED_MPS = {Scheme.REMOTE_ID: 100.0, Scheme.ADSB: 330.0}
#: A GNSS position may be off by this much more than stated without being a jump.
JUMP_SLACK_M = 100.0
#: So many plausible claims in the other place make it a place, if they follow each other
#: (Remote ID and ADS-B send about once a second).
JUMP_CONFIRM = 3
JUMP_FOLLOWS_NS = 5 * NS_PER_S
#: A 24-bit address is one airframe's, and feeds do interleave frozen positions with fresh
#: ones: what looks like two places is one aircraft. A drone's serial is easily copied.
ONE_PLACE = frozenset({Scheme.ADSB})
#: Claim tracks held at once; the longest silent go first, counted.
CLAIM_LIMIT = 2_000

CLAIM_DISPLACED = "claim_displaced"
CLAIM_UNMATCHED = "claim_without_measured_track"
TWO_PLACES = "serial_in_two_places"
MATCHES = "claim_matches_measurement"
UNCHECKED = "claim_not_checked"


@dataclass(frozen=True, slots=True)
class ClaimedState:
    """Where an aircraft says it is: the site's frame, sigmas in metres, velocity or NaN."""

    at_ns: int
    east_m: float
    north_m: float
    up_m: float
    lat_deg: float
    lon_deg: float
    height: Height | None
    sigma_horizontal_m: float
    sigma_vertical_m: float
    velocity_mps: tuple[float, float, float]

    def distance_m(self, other: ClaimedState) -> float:
        """Horizontal distance between two claimed places."""
        return math.hypot(self.east_m - other.east_m, self.north_m - other.north_m)

    def doubles(self, other: ClaimedState) -> bool:
        """Whether it is the same report again; velocities that are not known never equal."""
        own = (self.at_ns, self.east_m, self.north_m, self.up_m)
        return own == (other.at_ns, other.east_m, other.north_m, other.up_m)


@dataclass(frozen=True, slots=True)
class Identity:
    """What is claimed of a track and how far that was checked."""

    claim: Claim
    strength: Strength
    reasons: tuple[Reason, ...]


@dataclass(slots=True)
class ClaimTrack:
    """The claims of one transmitter about one aircraft, and what they were found to match."""

    number: int
    claim: Claim
    first_ns: int
    state: ClaimedState
    elsewhere: list[ClaimedState] = field(default_factory=list)
    main_since_jump: bool = False
    windows: dict[int, list[float]] = field(default_factory=dict)
    bound: int = 0
    unmatched_since_ns: int = 0
    nearest_m: float = math.inf
    broke: bool = False
    contradicted: bool = False
    strength: Strength = Strength.BROADCAST_ONLY
    reasons: tuple[Reason, ...] = ()
    dimensions: int = 2

    @property
    def last_ns(self) -> int:
        """When it was last heard."""
        return self.state.at_ns

    def mean_nis(self, number: int) -> float:
        """Mean over the window against a measured track; inf while there is too little."""
        window = self.windows.get(number, [])
        return sum(window) / len(window) if len(window) >= ENOUGH else math.inf


@dataclass(frozen=True, slots=True)
class ClaimBookSnapshot:
    """All claim tracks as values."""

    next_number: int
    shed: int
    tracks: tuple[ClaimTrack, ...]


@dataclass(slots=True)
class ClaimBook:
    """All claim tracks, oldest first; `tracks` is keyed by their number."""

    next_number: int = 1
    shed: int = 0
    tracks: dict[int, ClaimTrack] = field(default_factory=dict)

    def receive(self, claim: Claim, state: ClaimedState, measured: Confirmed) -> int:
        """Take one claim; returns the number of its claim track, 0 where it was too old.

        A position that no aircraft could have reached is held apart: it becomes a track of
        its own when it goes on beside the old place, or the new place when the old one ends.
        """
        track = self._find(claim, state)
        if track is None:
            track = self._start(claim, state)
        elif state.at_ns < track.state.at_ns or state.doubles(track.state):
            return 0
        elif _plausible(track.claim.scheme, track.state, state):
            track.state = state
            track.main_since_jump = bool(track.elsewhere)
        else:
            settled = self._hold_apart(track, state)
            if settled is None:
                return track.number
            track = settled
        track.claim = _merge(track.claim, claim)
        self._compare(track, measured)
        return track.number

    def _find(self, claim: Claim, state: ClaimedState) -> ClaimTrack | None:
        found: ClaimTrack | None = None
        for track in self.tracks.values():
            own = track.claim
            if own.scheme is not claim.scheme or own.transmitter != claim.transmitter:
                continue
            if None not in (own.identity, claim.identity) and own.identity != claim.identity:
                continue
            if abs(state.at_ns - track.last_ns) > STRETCH_NS:
                continue
            if found is None or track.state.distance_m(state) < found.state.distance_m(state):
                found = track
        return found

    def _start(self, claim: Claim, state: ClaimedState) -> ClaimTrack:
        if len(self.tracks) >= CLAIM_LIMIT:
            oldest = min(self.tracks.values(), key=lambda t: (t.last_ns, t.number))
            del self.tracks[oldest.number]
            self.shed += 1
        track = ClaimTrack(self.next_number, claim, state.at_ns, state)
        track.unmatched_since_ns = state.at_ns
        self.tracks[track.number] = track
        self.next_number += 1
        return track

    def _hold_apart(self, track: ClaimTrack, state: ClaimedState) -> ClaimTrack | None:
        if track.elsewhere and state.at_ns <= track.elsewhere[-1].at_ns:
            return None  # late, or the same again
        if track.elsewhere and not (
            state.at_ns - track.elsewhere[-1].at_ns <= JUMP_FOLLOWS_NS
            and _plausible(track.claim.scheme, track.elsewhere[-1], state)
        ):
            track.elsewhere.clear()
        if not track.elsewhere:
            track.main_since_jump = False
        track.elsewhere.append(state)
        if len(track.elsewhere) < JUMP_CONFIRM:
            return None
        track.elsewhere.clear()
        if track.main_since_jump and track.claim.scheme not in ONE_PLACE:
            return self._start(track.claim, state)
        track.state = state
        track.windows.clear()
        return track

    def _compare(self, track: ClaimTrack, measured: Confirmed) -> None:
        here = track.state
        track.dimensions = 3 if isinstance(here.height, HeightHae) else 2
        compared = claim_distances(
            measured.x,
            measured.p,
            measured.time_ns,
            here.at_ns,
            np.array([here.east_m, here.north_m, here.up_m]),
            np.array([here.sigma_horizontal_m**2, here.sigma_vertical_m**2]),
            CLAIM_LATENCY_SIGMA_S,
            track.dimensions == 3,
        )
        track.nearest_m = float(compared[:, 0].min()) if compared.shape[0] else math.inf
        near = (compared[:, 0] <= COMPARE_WITHIN_M) & (compared[:, 2] <= 2.0 * COMPARE_SIGMA_M**2)
        usable = {int(n) for n in measured.number[near]}
        for number in [n for n in track.windows if n not in usable and n != track.bound]:
            del track.windows[number]
        for i in map(int, np.flatnonzero(near | (measured.number == track.bound))):
            window = track.windows.setdefault(int(measured.number[i]), [])
            window.append(min(float(compared[i, 1]), NIS_CAP))
            del window[:-WINDOW]

    def settle(self, now_ns: int, measured: Confirmed, in_view: Iterable[int]) -> list[int]:
        """Bind claims to tracks and say how strong each identity is.

        `in_view` are the claim tracks that a working independent sensor covers. Returns the
        numbers of the measured tracks that parted from their claim: they, or the claim, may
        have changed places with something else.
        """
        parted: list[int] = []
        for number in [n for n, t in self.tracks.items() if now_ns - t.last_ns > STRETCH_NS]:
            del self.tracks[number]
        alive = {int(n) for n in measured.number}
        seen = set(in_view)
        for track in self.tracks.values():
            track.windows = {n: w for n, w in track.windows.items() if n in alive}
            if track.bound and not self._holds(track):
                track.broke = track.bound in alive
                parted.append(track.bound)
                track.bound = 0
                track.unmatched_since_ns = now_ns
            if track.number not in seen:
                track.unmatched_since_ns = now_ns
        self._bind()
        for track in self.tracks.values():
            track.strength, reasons = _strength(track)
            others = self._other_places(track, now_ns)
            if others:
                reasons = (*reasons, _two_places(track, others))
                if any(o.bound for o in others) and track.bound:
                    track.strength = Strength.BROADCAST_ONLY
            track.reasons = reasons
        return parted

    def _holds(self, track: ClaimTrack) -> bool:
        mean = track.mean_nis(track.bound)
        return mean <= BREAK_FACTOR * BOND_MEAN_NIS[track.dimensions]

    def _bind(self) -> None:
        taken = {
            (t.bound, t.claim.scheme): t.claim.identity for t in self.tracks.values() if t.bound
        }
        wishes = sorted(
            (t.mean_nis(n), t.number, n)
            for t in self.tracks.values()
            if not t.bound
            for n in t.windows
        )
        for mean, number, measured in wishes:
            track = self.tracks[number]
            key = (measured, track.claim.scheme)
            if track.bound or mean > BOND_MEAN_NIS[track.dimensions]:
                continue
            if key in taken and taken[key] != track.claim.identity:
                continue
            track.bound, track.broke, track.contradicted = measured, False, False
            taken[key] = track.claim.identity

    def _other_places(self, track: ClaimTrack, now_ns: int) -> list[ClaimTrack]:
        if track.claim.identity is None or now_ns - track.last_ns > TWO_PLACES_NS:
            return []
        return [
            other
            for other in self.tracks.values()
            if other is not track
            and other.claim.identity == track.claim.identity
            and now_ns - other.last_ns <= TWO_PLACES_NS
            and other.state.distance_m(track.state) > TWO_PLACES_M
        ]

    def twin(self, track: ClaimTrack) -> bool:
        """Whether an earlier claim track says the same of the same aircraft."""
        if track.claim.identity is None:
            return False
        return any(
            other.number < track.number
            and other.claim.identity == track.claim.identity
            and other.bound == track.bound
            and other.state.distance_m(track.state) <= TWO_PLACES_M
            for other in self.tracks.values()
        )

    def snapshot(self) -> ClaimBookSnapshot:
        """All claim tracks as values of their own."""
        return ClaimBookSnapshot(
            self.next_number, self.shed, tuple(_copy(t) for t in self.tracks.values())
        )

    @staticmethod
    def restore(saved: ClaimBookSnapshot) -> ClaimBook:
        """A book that goes on exactly where `saved` was taken."""
        return ClaimBook(saved.next_number, saved.shed, {t.number: _copy(t) for t in saved.tracks})


def _copy(track: ClaimTrack) -> ClaimTrack:
    return replace(
        track,
        elsewhere=list(track.elsewhere),
        windows={n: list(w) for n, w in track.windows.items()},
    )


def _merge(known: Claim, heard: Claim) -> Claim:
    """What is known of the transmitter, brought up to date by what was just heard."""
    return replace(
        heard,
        identity=heard.identity if heard.identity is not None else known.identity,
        identity_type=heard.identity_type or known.identity_type,
        operator_id=heard.operator_id or known.operator_id,
        category=heard.category or known.category,
        crewed=heard.crewed if heard.crewed is not None else known.crewed,
    )


def _plausible(scheme: Scheme, before: ClaimedState, after: ClaimedState) -> bool:
    elapsed = abs(after.at_ns - before.at_ns) / NS_PER_S
    slack = JUMP_SLACK_M + 3.0 * (before.sigma_horizontal_m + after.sigma_horizontal_m)
    return before.distance_m(after) <= MAX_SPEED_MPS[scheme] * elapsed + slack


def _two_places(track: ClaimTrack, others: list[ClaimTrack]) -> Reason:
    furthest = max(o.state.distance_m(track.state) for o in others)
    return Reason(TWO_PLACES, f"the same serial is broadcast {furthest:.0f} m away")


def _strength(track: ClaimTrack) -> tuple[Strength, tuple[Reason, ...]]:
    if track.bound:
        mean = track.mean_nis(track.bound)
        words = f"the claimed positions fit an independent measurement (mean NIS {mean:.1f})"
        return Strength.CONSISTENT, (Reason(MATCHES, words),)
    if track.last_ns - track.unmatched_since_ns >= UNMATCHED_NS:
        track.contradicted = True  # and stays so, out of view too, until something fits
    if track.contradicted:
        if track.broke or track.nearest_m <= COMPARE_WITHIN_M:
            words = f"the nearest measured track is {track.nearest_m:.0f} m from the claim"
            return Strength.INCONSISTENT, (Reason(CLAIM_DISPLACED, words),)
        words = "a working sensor covers the claimed place and measures nothing there"
        return Strength.INCONSISTENT, (Reason(CLAIM_UNMATCHED, words),)
    words = "no independent measurement has confirmed the claim"
    return Strength.BROADCAST_ONLY, (Reason(UNCHECKED, words),)
