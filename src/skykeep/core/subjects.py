"""The announced tracks: which measured tracks and lone claims are one aircraft, over time."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from skykeep.core.event import (
    Event,
    IdentityChanged,
    Reason,
    Strength,
    TrackContinued,
    TrackEnded,
    TrackStarted,
    TrackUpdated,
)
from skykeep.core.geo import F64, Frame
from skykeep.core.identity import ClaimBook, ClaimTrack, Identity, is_twin
from skykeep.core.picture import (
    REFERENCE_LIMIT,
    Held,
    claimed_kinds,
    claimed_state,
    extrapolate,
    identities_of,
    kind_probabilities,
    measured_state,
    subject_of,
    take_kind,
    unsettled_near,
    unsettled_of,
)
from skykeep.core.track.tracker import Confirmed
from skykeep.core.track.upstream import NO_UPSTREAM, Upstream
from skykeep.core.verdict import Subject, VerdictPolicy
from skykeep.units import NS_PER_S, SensorId, TrackId

#: In the view of an independent sensor a lone claim waits this long for its measured track.
LONE_AFTER_NS = 5 * NS_PER_S
#: A track that ended is remembered this long for one that may be its continuation.
CONTINUE_WITHIN_NS = 30 * NS_PER_S
#: Drones change speed by about this much in a second while nobody sees them.
UNSEEN_ACCELERATION_MPS2 = 1.5
#: A continuation lies within so many sigmas of where the course led.
CONTINUE_SIGMAS = 3.0
#: Below this probability of a drone nobody needs the old id (birds come and go).
CONTINUE_DRONE_PROBABILITY = 0.5
ENDED_LIMIT = 200
TOLD_UPSTREAM = Reason("claim_told_upstream", "another system says who it is; nobody checked that")


@dataclass(frozen=True, slots=True)
class SubjectsSnapshot:
    """All announced tracks as values."""

    next_number: int
    held: tuple[Held, ...]
    ended: tuple[Held, ...]
    references: tuple[tuple[str, tuple[tuple[SensorId, str], ...]], ...]


@dataclass(slots=True)
class Subjects:
    """Announced tracks by key, oldest first.

    `m7` is a measured track, `c3` a lone claim, `u5` a track of another system's alone.

    `lost` are those that ended with the last update.
    """

    next_number: int = 1
    held: dict[str, Held] = field(default_factory=dict)
    ended: list[Held] = field(default_factory=list)
    references: dict[str, list[tuple[SensorId, str]]] = field(default_factory=dict)
    lost: list[Held] = field(default_factory=list)

    def refer(self, key: str, sensor_id: SensorId, reference: str) -> None:
        """Link an observation to the track that took it."""
        known = self.references.setdefault(key, [])
        if len(known) < REFERENCE_LIMIT:
            known.append((sensor_id, reference))

    def update(
        self,
        now_ns: int,
        frame: Frame,
        tracks: Confirmed,
        book: ClaimBook,
        live: Iterable[int],
        in_view: Mapping[int, float],
        heard_here: Callable[[F64], NDArray[np.bool_]],
        say: Callable[[Event], None],
        policy: VerdictPolicy,
        upstream: Upstream = NO_UPSTREAM,
    ) -> list[tuple[Held, Subject]]:
        """Bring all announced tracks up to `now_ns`; returns what is to be judged.

        `live` are the numbers of all tracks, `in_view` those of the claims in the view of an
        independent sensor; `heard_here` tells of places (n, 3) in metres whether a Remote ID
        receiver hears there. Events go to `say` in order.
        """
        self.lost = []
        bound = identities_of(book)
        self._follow_upstream(now_ns, {int(n) for n in tracks.number}, upstream, say)
        self._hand_back({int(n) for n in tracks.number}, book)
        self._follow_claims(now_ns, tracks, book, bound, say)
        moved = extrapolate(tracks, now_ns, frame)
        heard = heard_here(moved.position_mm / 1000.0).tolist()
        identities = [_identity(int(n), bound, upstream) for n in moved.number]
        kinds = kind_probabilities(tracks.kinds, identities).tolist()
        classified = (tracks.kinds != tracks.kinds[:, :1]).any(axis=1).tolist()
        judged: list[tuple[Held, Subject]] = []
        unsettled = unsettled_of(book)
        for row, number in enumerate(moved.number.tolist()):
            key = _key(number)
            if key not in self.held and number in upstream.pending:
                continue  # it may well be one that stands in the picture already
            held = self.held.get(key) or self._announce(
                now_ns, key, number, 0, int(tracks.first_ns[row]), say
            )
            held.last_ns = int(tracks.last_ns[row])
            identity = identities[row]
            take_kind(held, tuple(kinds[row]), policy)
            refs = self._take(held, bound.get(number, []), upstream)
            state = measured_state(now_ns, held, moved, row, refs)
            if held.state is None:
                self._continue(now_ns, held, state, say)
            held.state = state
            say(state)
            self._say_identity(now_ns, held, identity, say)
            known = identity is not None or classified[row]
            near = identity is None and unsettled_near(unsettled, state)
            subject = subject_of(held, state, frame, identity, known, heard[row], near)
            judged.append((held, subject))
        judged += self._lone(now_ns, frame, book, in_view, say, policy)
        self._drop(
            now_ns, {int(n) for n in tracks.number}, {*live, *(-n for n in upstream.live)}, book,
            say,
        )  # fmt: skip
        return judged

    def _announce(
        self,
        now_ns: int,
        key: str,
        number: int,
        claim: int,
        first_ns: int,
        say: Callable[[Event], None],
    ) -> Held:
        held = Held(TrackId(f"T{self.next_number:05d}"), number, claim, first_ns, first_ns)
        self.next_number += 1
        self.held[key] = held
        source = "measured" if number > 0 else "upstream" if number else "claimed"
        say(TrackStarted(now_ns, held.track_id, first_ns, source))
        return held

    def _take(
        self, held: Held, claims: list[ClaimTrack], upstream: Upstream = NO_UPSTREAM
    ) -> list[str]:
        """The observations since the last disclosure, and the sensors they came from."""
        keys = [_key(held.number)] if held.number else []
        keys += [f"u{n}" for n, number in upstream.bound.items() if number == held.number]
        keys += [f"c{c.number}" for c in claims]
        references: list[str] = []
        for key in keys:
            for sensor_id, reference in self.references.pop(key, ()):
                held.sensors[sensor_id] = held.last_ns
                references.append(reference)
        return references

    def _follow_claims(
        self,
        now_ns: int,
        tracks: Confirmed,
        book: ClaimBook,
        bound: dict[int, list[ClaimTrack]],
        say: Callable[[Event], None],
    ) -> None:
        """Keep the id where a lone claim was found to be a measured track, or is left alone."""
        numbers = {int(n) for n in tracks.number}
        for number, claims in bound.items():
            for claim in claims:
                lone = self.held.pop(f"c{claim.number}", None)
                if lone is None:
                    continue
                key = f"m{number}"
                if number not in numbers:
                    self.held[f"c{claim.number}"] = lone
                elif key not in self.held:
                    lone.number, lone.claim = number, 0
                    self.held[key] = lone
                else:
                    track_id = self.held[key].track_id
                    basis = "the claim fits the measured track"
                    say(TrackContinued(now_ns, track_id, lone.track_id, 0.0, basis))
                    say(TrackEnded(now_ns, lone.track_id, lone.last_ns))
                    self._join(self.held[key], lone)

    def _follow_upstream(
        self, now_ns: int, numbers: set[int], upstream: Upstream, say: Callable[[Event], None]
    ) -> None:
        """Keep the id where another system's track becomes ours too, or goes on without ours."""
        for theirs, number in upstream.was.items():
            if number not in numbers and f"u{theirs}" not in self.held:
                held = self.held.pop(f"m{number}", None)
                if held is not None:
                    held.number = -theirs
                    self.held[f"u{theirs}"] = held
        for theirs, number in upstream.bound.items():
            lone = self.held.pop(f"u{theirs}", None)
            if lone is None:
                continue
            held = self.held.setdefault(f"m{number}", lone)
            if held is lone:
                held.number = number
                continue
            basis = "the track of another system fits the measured track"
            say(TrackContinued(now_ns, held.track_id, lone.track_id, 0.0, basis))
            say(TrackEnded(now_ns, lone.track_id, lone.last_ns))
            self._join(held, lone)

    def _join(self, held: Held, lone: Held) -> None:
        """The measured track takes over the alert, or what the lone claim raised ends with it."""
        if held.alert_id is None:
            held.alert_id = lone.alert_id
            if held.concern_since_ns is None:
                held.concern_since_ns = lone.concern_since_ns
                held.concern_last_ns = lone.concern_last_ns
        else:
            self.lost.append(lone)

    def _lone(
        self,
        now_ns: int,
        frame: Frame,
        book: ClaimBook,
        in_view: Mapping[int, float],
        say: Callable[[Event], None],
        policy: VerdictPolicy,
    ) -> list[tuple[Held, Subject]]:
        judged: list[tuple[Held, Subject]] = []
        named = book.by_identity()
        for claim in book.tracks.values():
            key = f"c{claim.number}"
            held = self.held.get(key)
            if claim.bound:
                continue
            if held is None:
                waits = claim.number in in_view and now_ns - claim.first_ns < LONE_AFTER_NS
                if waits or is_twin(claim, named):
                    continue
                held = self._announce(now_ns, key, 0, claim.number, claim.first_ns, say)
            fresh = held.state is None or claim.state.at_ns != held.state.state_at_ns
            held.last_ns = claim.last_ns
            identity = claim.identity()
            take_kind(held, claimed_kinds(identity), policy)
            state = claimed_state(now_ns, held, claim, self._take(held, [claim]))
            held.state = state
            if fresh:
                say(state)
            self._say_identity(now_ns, held, identity, say)
            judged.append((held, subject_of(held, state, frame, identity, True, True, False)))
        return judged

    def _say_identity(
        self, now_ns: int, held: Held, identity: Identity | None, say: Callable[[Event], None]
    ) -> None:
        if identity is None:
            key: tuple[str, ...] = ()
        else:
            c = identity.claim
            codes = [r.code for r in identity.reasons]
            key = (c.scheme, c.identity or "", c.transmitter, identity.strength, *codes)
        if key == held.identity_key:
            return
        held.identity_key = key
        if identity is None:
            gone = (Reason("claim_gone", "no claim fits this track any more"),)
            say(IdentityChanged(now_ns, held.track_id, "", None, "", Strength.NONE, gone))
            return
        c = identity.claim
        say(
            IdentityChanged(
                now_ns, held.track_id, c.scheme, c.identity, c.transmitter,
                identity.strength, identity.reasons,
            )
        )  # fmt: skip

    def _continue(
        self, now_ns: int, held: Held, state: TrackUpdated, say: Callable[[Event], None]
    ) -> None:
        """Take a new track for one that ended a moment ago, where only one can be meant."""
        fits = [
            (off, old)
            for old in self.ended
            if old.state is not None and (off := _course_sigmas(old.state, state)) is not None
        ]
        if len(fits) != 1:
            return
        off, old = fits[0]
        self.ended.remove(old)
        gap_s = (now_ns - old.last_ns) / NS_PER_S
        basis = f"{off:.1f} sigma from where its course led, no other track fits"
        say(TrackContinued(now_ns, held.track_id, old.track_id, round(gap_s, 1), basis))
        held.alert_id = old.alert_id
        held.concern_since_ns = old.concern_since_ns
        held.concern_last_ns = old.concern_last_ns

    def _drop(
        self,
        now_ns: int,
        confirmed: set[int],
        live: set[int],
        book: ClaimBook,
        say: Callable[[Event], None],
    ) -> None:
        for key in list(self.held):
            held = self.held[key]
            if held.number in confirmed or (held.claim and held.claim in book.tracks):
                continue
            del self.held[key]
            say(TrackEnded(now_ns, held.track_id, held.last_ns))
            self.lost.append(held)
            if held.alert_id or held.kinds[0] >= CONTINUE_DRONE_PROBABILITY:
                self.ended.append(held)
        self.ended = [h for h in self.ended if now_ns - h.last_ns <= CONTINUE_WITHIN_NS]
        del self.ended[:-ENDED_LIMIT]
        known = {_key(n) for n in live} | {f"c{n}" for n in book.tracks}
        for key in [k for k in self.references if k not in known]:
            del self.references[key]

    def _hand_back(self, confirmed: set[int], book: ClaimBook) -> None:
        """A lost measured track lives on under its id where its claim is still heard."""
        for key in list(self.held):
            held = self.held[key]
            if held.number == 0 or held.number in confirmed:
                continue
            follower = self._left_alone(held, book)
            if follower is not None:
                del self.held[key]
                held.number, held.claim = 0, follower.number
                self.held[f"c{follower.number}"] = held

    def _left_alone(self, held: Held, book: ClaimBook) -> ClaimTrack | None:
        """The claim that a lost measured track was bound to, if it is still heard."""
        if not held.identity_key or held.number == 0:
            return None
        scheme, identity, transmitter = held.identity_key[:3]
        for claim in book.tracks.values():
            c = claim.claim
            own = (c.scheme.value, c.identity or "", c.transmitter)
            free = not claim.bound and f"c{claim.number}" not in self.held
            if own == (scheme, identity, transmitter) and free:
                return claim
        return None

    def snapshot(self) -> SubjectsSnapshot:
        """All announced tracks as values of their own."""
        return SubjectsSnapshot(
            self.next_number,
            tuple(_copy(h) for h in self.held.values()),
            tuple(_copy(h) for h in self.ended),
            tuple((k, tuple(v)) for k, v in self.references.items()),
        )

    @staticmethod
    def restore(saved: SubjectsSnapshot) -> Subjects:
        """Subjects that go on exactly where `saved` was taken."""
        held = {(_key(h.number) if h.number else f"c{h.claim}"): _copy(h) for h in saved.held}
        return Subjects(
            saved.next_number,
            held,
            [_copy(h) for h in saved.ended],
            {k: list(v) for k, v in saved.references},
        )


def _copy(held: Held) -> Held:
    return replace(held, sensors=dict(held.sensors), verdicts=dict(held.verdicts))


def _key(number: int) -> str:
    return f"m{number}" if number > 0 else f"u{-number}"


def _identity(
    number: int, bound: Mapping[int, list[ClaimTrack]], upstream: Upstream
) -> Identity | None:
    """Of a measured track the claim that fits it; else what another system says of its own."""
    if number in bound:
        return bound[number][0].identity()
    told = upstream.claims.get(-number)
    return None if told is None else Identity(told, Strength.BROADCAST_ONLY, (TOLD_UPSTREAM,))


def _course_sigmas(old: TrackUpdated, new: TrackUpdated) -> float | None:
    """How far the new track lies from the old one's course, in sigmas; None if too far."""
    gap_s = (new.state_at_ns - old.state_at_ns) / NS_PER_S
    east = old.east_mm + gap_s * old.velocity_east_mmps - new.east_mm
    north = old.north_mm + gap_s * old.velocity_north_mmps - new.north_mm
    drift_m = 0.5 * UNSEEN_ACCELERATION_MPS2 * gap_s * gap_s
    sigma_m = math.hypot(old.sigma_horizontal_mm / 1e3, new.sigma_horizontal_mm / 1e3) + drift_m
    off = math.hypot(east, north) / 1e3 / max(sigma_m, 1e-3)
    return off if off <= CONTINUE_SIGMAS else None
