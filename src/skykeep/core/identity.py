"""Identity: what aircraft say of themselves, held against what independent sensors measure.

A claim never moves a measured track. Claims of one transmitter form a `ClaimTrack`; each
claim is compared with the measured tracks near it (`displacement`), and what one transmitter
says is held against itself (`claims`). The outcome is one of three, and says how large a
displacement could have been noticed.
"""

from __future__ import annotations

import enum
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from skykeep.core.claims import ClaimedState, Habits, Told, contradictions, listen
from skykeep.core.displacement import Comparison, Evidence, comparison, take, weigh
from skykeep.core.event import Reason, Strength
from skykeep.core.geo import HeightHae
from skykeep.core.observation import CREWED_SCHEMES, Claim, Scheme
from skykeep.core.track.kernels import claim_distances
from skykeep.core.track.tracker import Confirmed
from skykeep.units import NS_PER_S

#: Comparisons that are needed before anything is said.
ENOUGH = 3
#: No comparison beyond this distance: no honest claim is further off.
COMPARE_WITHIN_M = 400.0
#: A track whose place is known no better than this fits anything near it: no comparison.
COMPARE_SIGMA_M = 40.0
#: A claim within this of a track may still turn out to be that track's.
NEAR_M = 150.0
#: In the view of a working radar for this long without a track that fits: inconsistent.
#: Five turns to start a track and three comparisons, with room; and so many detections must
#: have been due, for a radar that turns slowly or misses much.
UNMATCHED_NS = 10 * NS_PER_S
UNMATCHED_DETECTIONS = 8.0
#: Two transmitters with one serial further apart than this are two aircraft, or a lie.
TWO_PLACES_M = 150.0
TWO_PLACES_NS = 10 * NS_PER_S
#: Claims of one transmitter stop being the same flight after this silence.
STRETCH_NS = 60 * NS_PER_S
#: Faster than any aircraft of the kind: the position is a jump, not a flight.
MAX_SPEED_MPS = {Scheme.REMOTE_ID: 100.0, Scheme.ADSB: 330.0, Scheme.MODE_S: 330.0}
#: A GNSS position may be off by this much more than stated without being a jump.
JUMP_SLACK_M = 100.0
#: So many plausible claims in the other place make it a place, if they follow each other
#: (Remote ID and ADS-B send about once a second).
JUMP_CONFIRM = 3
JUMP_FOLLOWS_NS = 5 * NS_PER_S
#: A 24-bit address is one airframe's, and feeds do interleave frozen positions with fresh
#: ones: what looks like two places is one aircraft. A drone's serial is easily copied.
ONE_PLACE = CREWED_SCHEMES
#: For the same reason only these are held against themselves: an ADS-B stamp is the feed's,
#: not the aircraft's, and feeds do repeat what they said.
HELD_TO_ITSELF = frozenset({Scheme.REMOTE_ID})
#: Claim tracks held at once; the longest silent go first, counted.
CLAIM_LIMIT = 2_000

CLAIM_DISPLACED = "claim_displaced"
CLAIM_UNMATCHED = "claim_without_measured_track"
TWO_PLACES = "serial_in_two_places"
MATCHES = "claim_matches_measurement"
SIGNED = "claim_signed"
UNCHECKED = "claim_not_checked"


class Outcome(enum.StrEnum):
    """What checking a claim came to."""

    CONSISTENT = "consistent"  # an independent measurement fits it
    INCONSISTENT = "inconsistent"  # a measurement contradicts it, or it contradicts itself
    CANNOT_BE_CHECKED = "cannot_be_checked"

    @property
    def strength(self) -> Strength:
        """The strength of an identity of which nothing more is known."""
        return _STRENGTHS[self]


_STRENGTHS = {
    Outcome.CONSISTENT: Strength.CONSISTENT,
    Outcome.INCONSISTENT: Strength.INCONSISTENT,
    Outcome.CANNOT_BE_CHECKED: Strength.BROADCAST_ONLY,
}


@dataclass(frozen=True, slots=True)
class Identity:
    """What is claimed of a track and how far that was checked.

    `noticeable_m`: a displacement of this much or more would have been noticed within half a
    minute in 95 % of cases; infinite where nothing independent measures there.
    """

    claim: Claim
    strength: Strength
    reasons: tuple[Reason, ...]
    noticeable_m: float = math.inf


@dataclass(slots=True)
class ClaimTrack:
    """The claims of one transmitter about one aircraft, and what they were found to match."""

    number: int
    claim: Claim
    first_ns: int
    state: ClaimedState
    elsewhere: list[ClaimedState] = field(default_factory=list)
    main_since_jump: bool = False
    windows: dict[int, list[Comparison]] = field(default_factory=dict)
    evidence: dict[int, Evidence] = field(default_factory=dict)
    habits: Habits = field(default_factory=Habits)
    bound: int = 0
    unmatched_since_ns: int = 0
    nearest_m: float = math.inf
    broke: bool = False
    contradicted: bool = False
    outcome: Outcome = Outcome.CANNOT_BE_CHECKED
    reasons: tuple[Reason, ...] = ()
    noticeable_m: float = math.inf

    @property
    def last_ns(self) -> int:
        """When it was last heard."""
        return self.state.at_ns

    @property
    def strength(self) -> Strength:
        """How far its identity was checked; a signature does not outweigh a contradiction."""
        if self.claim.authenticated and self.outcome is not Outcome.INCONSISTENT:
            return Strength.AUTHENTICATED
        return self.outcome.strength

    def fit(self, number: int) -> Evidence | None:
        """What the window against a measured track says; None while there is too little."""
        found = self.evidence.get(number)
        return None if found is None or found.comparisons < ENOUGH else found

    @property
    def settled(self) -> bool:
        """Whether it belongs to a measured track, with little doubt of which."""
        fit = self.fit(self.bound)
        return self.bound != 0 and (fit is None or not fit.doubted)

    def identity(self) -> Identity:
        """The identity it stands for, as a value."""
        return Identity(self.claim, self.strength, self.reasons, self.noticeable_m)


@dataclass(frozen=True, slots=True)
class ClaimBookSnapshot:
    """All claim tracks as values."""

    next_number: int
    shed: int
    tracks: tuple[ClaimTrack, ...]
    told: tuple[bytes, bytes]


@dataclass(slots=True)
class ClaimBook:
    """All claim tracks, oldest first; `tracks` is keyed by their number."""

    next_number: int = 1
    shed: int = 0
    tracks: dict[int, ClaimTrack] = field(default_factory=dict)
    told: Told = field(default_factory=Told)
    _indexed: tuple[int, int] = (0, 0)
    _index: dict[tuple[Scheme, str], list[ClaimTrack]] = field(default_factory=dict)

    def receive(self, claim: Claim, state: ClaimedState, measured: Confirmed) -> int:
        """Take one claim; returns the number of its claim track, 0 where it was too old.

        A position that no aircraft could have reached is held apart: it becomes a track of
        its own when it goes on beside the old place, or the new place when the old one ends.
        """
        track = self._find(claim, state)
        if track is None:
            track = self._start(claim, state)
        elif state.at_ns < track.state.at_ns or state.doubles(track.state):
            self._listen(track, state, new=False)
            return 0
        elif _plausible(track.claim.scheme, track.state, state):
            track.state = state
            track.main_since_jump = bool(track.elsewhere)
        else:
            self._listen(track, state, new=False)
            settled = self._hold_apart(track, state)
            if settled is None:
                return track.number
            track = settled
        self._listen(track, state, new=True)
        track.claim = _merge(track.claim, claim)
        self._compare(track, measured)
        return track.number

    def _listen(self, track: ClaimTrack, state: ClaimedState, *, new: bool) -> None:
        """Hold what is said against what the same transmitter, or another, said before."""
        if track.claim.scheme not in HELD_TO_ITSELF:
            return
        echo = self.told.hear(track.habits, state) if new else track.habits.echo
        track.habits = listen(track.habits, state, echo)

    def _find(self, claim: Claim, state: ClaimedState) -> ClaimTrack | None:
        found: ClaimTrack | None = None
        for track in self._of_transmitter(claim):
            own = track.claim
            if None not in (own.identity, claim.identity) and own.identity != claim.identity:
                continue
            if abs(state.at_ns - track.last_ns) > STRETCH_NS:
                continue
            if found is None or track.state.distance_m(state) < found.state.distance_m(state):
                found = track
        return found

    def _of_transmitter(self, claim: Claim) -> list[ClaimTrack]:
        """The claim tracks of a claim's scheme and transmitter, which no track ever changes."""
        held = (self.next_number, len(self.tracks))  # changes with every coming and going
        if held != self._indexed:
            self._indexed, self._index = held, {}
            for track in self.tracks.values():
                key = (track.claim.scheme, track.claim.transmitter)
                self._index.setdefault(key, []).append(track)
        return self._index.get((claim.scheme, claim.transmitter), [])

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
        track.windows.clear()  # what held there says nothing of here
        track.evidence.clear()
        track.bound, track.unmatched_since_ns = 0, state.at_ns
        return track

    def _compare(self, track: ClaimTrack, measured: Confirmed) -> None:
        here = track.state
        up_counts = isinstance(here.height, HeightHae)
        claimed = (here.east_m, here.north_m, here.up_m)
        claim_var = (here.sigma_horizontal_m**2, here.sigma_vertical_m**2)
        compared = claim_distances(
            measured.x, measured.p, measured.time_ns, here.at_ns, np.array(claimed),
            np.array(claim_var), 0.0, up_counts,
        )  # fmt: skip
        track.nearest_m = float(compared[:, 0].min()) if compared.shape[0] else math.inf
        near = (compared[:, 0] <= COMPARE_WITHIN_M) & (compared[:, 2] <= 2.0 * COMPARE_SIGMA_M**2)
        usable = {int(n) for n in measured.number[near]}
        for number in [n for n in track.windows if n not in usable and n != track.bound]:
            del track.windows[number]
            del track.evidence[number]
        for i in map(int, np.flatnonzero(near | (measured.number == track.bound))):
            new = comparison(
                here.at_ns, claimed, claim_var, up_counts, measured.x[i].tolist(),
                measured.p[i].tolist(), (here.at_ns - int(measured.time_ns[i])) / NS_PER_S,
            )  # fmt: skip
            number = int(measured.number[i])
            window = track.windows.setdefault(number, [])
            if take(window, new):
                track.evidence[number] = weigh(window)

    def settle(self, now_ns: int, measured: Confirmed, in_view: Mapping[int, float]) -> list[int]:
        """Bind claims to tracks and say how strong each identity is.

        `in_view` are the claim tracks that a working independent sensor covers, with the
        seconds between two detections that it is good for. Returns the numbers of the measured
        tracks that parted from their claim: they, or the claim, may have changed places with
        something else.
        """
        parted: list[int] = []
        for number in [n for n, t in self.tracks.items() if now_ns - t.last_ns > STRETCH_NS]:
            del self.tracks[number]
        alive = {int(n) for n in measured.number}
        for track in self.tracks.values():
            for number in [n for n in track.windows if n not in alive]:
                del track.windows[number]
                del track.evidence[number]
            if track.bound and not _holds(track, alive):
                track.broke = track.bound in alive
                parted.append(track.bound)
                track.bound = 0
                track.unmatched_since_ns = now_ns
            if track.number not in in_view or track.claim.airborne is False:
                track.unmatched_since_ns = now_ns  # what stands on the ground no radar sees
        self._bind()
        named = self.by_identity()
        for track in self.tracks.values():
            others = _other_places(track, named, now_ns)
            _conclude(track, others, in_view.get(track.number, 0.0))
        return parted

    def _bind(self) -> None:
        taken = {
            (t.bound, t.claim.scheme): t.claim.identity for t in self.tracks.values() if t.bound
        }
        wishes = sorted(
            (fit.surprise, t.number, n)
            for t in self.tracks.values()
            if not t.bound
            for n in t.windows
            if (fit := t.fit(n)) is not None and fit.fits
        )
        for _, number, measured in wishes:
            track = self.tracks[number]
            key = (measured, track.claim.scheme)
            if track.bound or (key in taken and taken[key] != track.claim.identity):
                continue
            track.bound, track.broke, track.contradicted = measured, False, False
            taken[key] = track.claim.identity

    def by_identity(self) -> dict[str, list[ClaimTrack]]:
        """The claim tracks that name an aircraft, by its name, each in their order."""
        named: dict[str, list[ClaimTrack]] = {}
        for track in self.tracks.values():
            if track.claim.identity is not None:
                named.setdefault(track.claim.identity, []).append(track)
        return named

    def snapshot(self) -> ClaimBookSnapshot:
        """All claim tracks as values of their own."""
        return ClaimBookSnapshot(
            self.next_number,
            self.shed,
            tuple(_copy(t) for t in self.tracks.values()),
            self.told.snapshot(),
        )

    @staticmethod
    def restore(saved: ClaimBookSnapshot) -> ClaimBook:
        """A book that goes on exactly where `saved` was taken."""
        tracks = {t.number: _copy(t) for t in saved.tracks}
        return ClaimBook(saved.next_number, saved.shed, tracks, Told.restore(saved.told))


def _copy(track: ClaimTrack) -> ClaimTrack:
    return replace(
        track,
        elsewhere=list(track.elsewhere),
        windows={n: list(w) for n, w in track.windows.items()},
        evidence=dict(track.evidence),
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


def _holds(track: ClaimTrack, alive: set[int]) -> bool:
    """Whether a bond goes on: its track is there, and no window with enough in it says no."""
    fit = track.fit(track.bound)
    return track.bound in alive and (fit is None or not fit.parts)


def _conclude(track: ClaimTrack, others: list[ClaimTrack], detection_s: float) -> None:
    """Write down what checking the claim came to, and why."""
    against_itself = contradictions(track.habits)
    closest = _closest(track)
    track.noticeable_m = math.inf if closest is None else closest.noticeable_m
    track.outcome, reason = _measured(track, closest, detection_s)
    reasons = (reason, *against_itself)
    if track.claim.authenticated:
        # Not which key: reasons are open facts, and who it was is not kept as long.
        reasons = (Reason(SIGNED, "signed with a key that the site knows"), *reasons)
    if track.habits.echo.replayed or (against_itself and not track.bound):
        # Who plays a record has no identity of his own, wherever he is; else a place that is
        # measured to be true outweighs a clock or a speed that is not.
        track.outcome = Outcome.INCONSISTENT
    if others:
        reasons = (*reasons, _two_places(track, others))
        if track.outcome is Outcome.CONSISTENT and any(o.bound for o in others):
            track.outcome = Outcome.CANNOT_BE_CHECKED
    track.reasons = reasons


def _closest(track: ClaimTrack) -> Evidence | None:
    """The evidence against the bound track, or else against the one that fits best."""
    if track.bound in track.evidence:
        return track.evidence[track.bound]
    return min(track.evidence.values(), key=lambda e: e.surprise, default=None)


def _measured(
    track: ClaimTrack, closest: Evidence | None, detection_s: float
) -> tuple[Outcome, Reason]:
    """What the measurements say of a claim track."""
    noticed = _noticed(track.noticeable_m)
    if track.bound:
        words = f"the claimed positions fit an independent measurement; {noticed}"
        return Outcome.CONSISTENT, Reason(MATCHES, words)
    patience_ns = max(UNMATCHED_NS, UNMATCHED_DETECTIONS * detection_s * NS_PER_S)
    # Heard again after a silence, it may have had too few turns with a track that does fit.
    waits = any(e.comparisons < ENOUGH and e.fits for e in track.evidence.values())
    if track.last_ns - track.unmatched_since_ns >= patience_ns and not waits:
        track.contradicted = True  # and stays so, out of view too, until something fits
    if track.contradicted:
        if track.broke or track.nearest_m <= COMPARE_WITHIN_M:
            off_m = track.nearest_m if closest is None else closest.displacement_m
            words = f"the claimed positions lie {off_m:.0f} m from what is measured; {noticed}"
            return Outcome.INCONSISTENT, Reason(CLAIM_DISPLACED, words)
        words = "a working sensor covers the claimed place and measures nothing there"
        return Outcome.INCONSISTENT, Reason(CLAIM_UNMATCHED, words)
    words = f"no independent measurement has confirmed the claim; {noticed}"
    return Outcome.CANNOT_BE_CHECKED, Reason(UNCHECKED, words)


def _noticed(noticeable_m: float) -> str:
    if math.isinf(noticeable_m):
        return "no displacement could have been noticed"
    return f"a displacement of {math.ceil(noticeable_m)} m or more would have been noticed"


def _other_places(
    track: ClaimTrack, named: Mapping[str, list[ClaimTrack]], now_ns: int
) -> list[ClaimTrack]:
    if track.claim.identity is None or now_ns - track.last_ns > TWO_PLACES_NS:
        return []
    return [
        other
        for other in named[track.claim.identity]
        if other is not track
        and now_ns - other.last_ns <= TWO_PLACES_NS
        and other.state.distance_m(track.state) > TWO_PLACES_M
    ]


def is_twin(track: ClaimTrack, named: Mapping[str, list[ClaimTrack]]) -> bool:
    """Whether an earlier claim track says the same of the same aircraft; see `by_identity`."""
    if track.claim.identity is None:
        return False
    return any(
        other.number < track.number
        and other.bound == track.bound
        and other.state.distance_m(track.state) <= TWO_PLACES_M
        for other in named[track.claim.identity]
    )
