"""The picture: tracks and lone claims as the subjects of verdicts, quantised.

States are rounded to 1 mm and 1 mm/s before anything is decided on them, so that a verdict
can be computed again from what a track event discloses.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from skykeep.core.event import Strength, TrackUpdated
from skykeep.core.geo import (
    F64,
    Fix,
    Frame,
    HeightReference,
    geodetic_many,
    height_of,
    reference_of,
)
from skykeep.core.identity import NEAR_M, TWO_PLACES_NS, ClaimBook, ClaimTrack, Identity
from skykeep.core.observation import CREWED_SCHEMES, I64, Scheme, TargetKind
from skykeep.core.track.tracker import KIND_PRIOR, Confirmed
from skykeep.core.verdict import Presence, Subject, Verdict, VerdictPolicy
from skykeep.units import NS_PER_S, AlertId, SensorId, TrackId, ZoneId

#: Something that broadcasts Remote ID, or ADS-B, where nothing contradicts it.
CLAIMED_DRONE = (0.99, 0.0, 0.01, 0.0)
CLAIMED_AIRCRAFT = (0.01, 0.0, 0.99, 0.0)
#: A claim that measurements contradict proves neither a drone nor its absence.
CONTRADICTED = (0.5, 0.0, 0.0, 0.5)
#: References to observations kept for the next disclosure of a track; more are counted.
REFERENCE_LIMIT = 64
#: A claim this old says nothing of where the aircraft is now (Remote ID and ADS-B send at
#: least once a second); its track waits for the next one and is not judged meanwhile.
STALE_NS = 10 * NS_PER_S

#: What a measured track is before classification, once a claim fits it. Birds do not
#: broadcast; a drone may carry an ADS-B transmitter, and a radar may then still tell.
REMOTE_ID_PRIOR = {
    TargetKind.DRONE: 0.97,
    TargetKind.BIRD: 0.01,
    TargetKind.AIRCRAFT: 0.01,
    TargetKind.CLUTTER: 0.01,
}
ADSB_PRIOR = {
    TargetKind.DRONE: 0.01,
    TargetKind.BIRD: 0.01,
    TargetKind.AIRCRAFT: 0.97,
    TargetKind.CLUTTER: 0.01,
}
_LOG_PRIORS = tuple(
    np.log(np.array([prior[kind] for kind in TargetKind]))
    for prior in (KIND_PRIOR, REMOTE_ID_PRIOR, ADSB_PRIOR)
)


@dataclass(slots=True)
class Held:
    """What the engine remembers of one announced track between inputs."""

    track_id: TrackId
    number: int  # of the measured track, negated of another system's; 0 for a lone claim
    claim: int  # number of the lone claim track; 0 for a measured one
    first_ns: int
    last_ns: int
    state: TrackUpdated | None = None
    kinds: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0)
    taken_for_drone: bool = False
    sensors: dict[SensorId, int] = field(default_factory=dict)
    identity_key: tuple[str, ...] = ()
    verdicts: dict[ZoneId, tuple[Presence, Verdict]] = field(default_factory=dict)
    concern_since_ns: int | None = None
    concern_last_ns: int = 0
    alert_id: AlertId | None = None
    due_ns: int = 0  # when the concern will have lasted long enough to alert


@dataclass(frozen=True, slots=True)
class TrackView:
    """One announced track as it was last judged, to be looked at.

    `identity` is empty, or scheme, identity, transmitter, strength, then codes of reasons.
    `measured` is False for a lone claim.
    """

    track_id: TrackId
    first_ns: int
    last_ns: int
    state: TrackUpdated
    identity: tuple[str, ...]
    verdicts: tuple[tuple[ZoneId, Presence, Verdict], ...]
    alert_id: AlertId | None
    measured: bool = True


def view_of_held(held: Held) -> TrackView | None:
    """The track as a value; None while nothing of it was disclosed."""
    if held.state is None:
        return None
    verdicts = tuple((zone_id, *found) for zone_id, found in held.verdicts.items())
    return TrackView(
        held.track_id, held.first_ns, held.last_ns, held.state, held.identity_key, verdicts,
        held.alert_id, held.number != 0,
    )  # fmt: skip


def take_kind(held: Held, kinds: tuple[float, float, float, float], policy: VerdictPolicy) -> None:
    """What the track is held to be, with hysteresis."""
    held.kinds = kinds
    needed = policy.drone_until_probability if held.taken_for_drone else policy.drone_probability
    held.taken_for_drone = kinds[TargetKind.DRONE] >= needed


@dataclass(frozen=True, slots=True, eq=False)
class Extrapolated:
    """Confirmed tracks moved to one moment and quantised: millimetres, one row a track."""

    number: I64
    position_mm: I64  # (n, 3) east, north, up
    velocity_mmps: I64  # (n, 3)
    sigma_horizontal_mm: I64
    sigma_up_mm: I64
    height_hae_mm: I64


def extrapolate(tracks: Confirmed, at_ns: int, frame: Frame) -> Extrapolated:
    """Each track on its course to `at_ns`, with the uncertainty it has gathered."""
    x, p = tracks.x, tracks.p
    dt = np.maximum(at_ns - tracks.time_ns, 0) / NS_PER_S
    position = x[:, :3] + dt[:, None] * x[:, 3:]

    def spread(a: int, b: int) -> F64:
        cross = p[:, a, b + 3] + p[:, a + 3, b]
        grown: F64 = p[:, a, b] + dt * cross + dt * dt * p[:, a + 3, b + 3]
        return grown

    ee, nn, en = spread(0, 0), spread(1, 1), spread(0, 1)
    half = 0.5 * (ee + nn)
    largest = half + np.sqrt(np.maximum(0.25 * (ee - nn) ** 2 + en * en, 0.0))
    position_mm = np.rint(position * 1000.0).astype(np.int64)
    geodetic = geodetic_many(frame.origin, position_mm / 1000.0)
    return Extrapolated(
        tracks.number,
        position_mm,
        np.rint(x[:, 3:] * 1000.0).astype(np.int64),
        np.rint(np.sqrt(np.maximum(largest, 0.0)) * 1000.0).astype(np.int64),
        np.rint(np.sqrt(np.maximum(spread(2, 2), 0.0)) * 1000.0).astype(np.int64),
        np.rint(geodetic[:, 2] * 1000.0).astype(np.int64),
    )


def kind_probabilities(log_likelihoods: F64, identities: Sequence[Identity | None]) -> F64:
    """Posterior over `TargetKind` (n, 4) from what the sensors said (n, 4) and what fits."""
    priors = np.tile(_LOG_PRIORS[0], (log_likelihoods.shape[0], 1))
    for row, identity in enumerate(identities):
        if identity is not None:
            priors[row] = _LOG_PRIORS[2 if says_crewed(identity) else 1]
    logs = log_likelihoods + priors
    weights = np.exp(logs - logs.max(axis=1, keepdims=True))
    shares: F64 = np.rint(weights / weights.sum(axis=1, keepdims=True) * 1e6) / 1e6
    return shares


def says_crewed(identity: Identity) -> bool:
    """Whether it claims to be a crewed aircraft; ADS-B without a category does."""
    return identity.claim.scheme in CREWED_SCHEMES and identity.claim.crewed is not False


def claimed_kinds(identity: Identity) -> tuple[float, float, float, float]:
    """What a claim alone says of the kind."""
    if identity.strength is Strength.INCONSISTENT:
        return CONTRADICTED
    return CLAIMED_AIRCRAFT if says_crewed(identity) else CLAIMED_DRONE


def fix_of(state: TrackUpdated, frame: Frame) -> Fix:
    """The disclosed state as a fix, its height in the reference that it keeps."""
    lat, lon, _ = frame.to_geodetic(
        state.east_mm / 1000.0, state.north_mm / 1000.0, state.up_mm / 1000.0
    )
    reference = HeightReference[state.height_reference]
    height = None if state.height_mm is None else height_of(state.height_mm / 1000.0, reference)
    return Fix(lat, lon, state.sigma_horizontal_mm / 1000.0, height, state.sigma_up_mm / 1000.0)


def measured_state(
    at_ns: int, held: Held, moved: Extrapolated, row: int, refs: list[str]
) -> TrackUpdated:
    """The disclosed state of a measured track; its height is judged above the ellipsoid."""
    east, north, up = moved.position_mm[row].tolist()
    v_east, v_north, v_up = moved.velocity_mmps[row].tolist()
    return TrackUpdated(
        at_ns, held.track_id, at_ns, east, north, up, v_east, v_north, v_up,
        int(moved.sigma_horizontal_mm[row]), int(moved.sigma_up_mm[row]),
        "HAE", int(moved.height_hae_mm[row]), tuple(held.sensors), tuple(refs), held.kinds[0],
        held.taken_for_drone,
    )  # fmt: skip


def claimed_state(at_ns: int, held: Held, claim: ClaimTrack, refs: list[str]) -> TrackUpdated:
    """The disclosed state of a lone claim, as it was claimed: it is not moved on."""
    s = claim.state
    velocity = [0 if math.isnan(v) else round(v * 1000.0) for v in s.velocity_mps]
    return TrackUpdated(
        at_ns, held.track_id, s.at_ns, round(s.east_m * 1000.0), round(s.north_m * 1000.0),
        round(s.up_m * 1000.0), velocity[0], velocity[1], velocity[2],
        round(s.sigma_horizontal_m * 1000.0), round(s.sigma_vertical_m * 1000.0),
        reference_of(s.height).name, None if s.height is None else round(s.height.m * 1000.0),
        tuple(held.sensors), tuple(refs), held.kinds[0],
        held.taken_for_drone,
    )  # fmt: skip


def subject_of(
    held: Held,
    state: TrackUpdated,
    frame: Frame,
    identity: Identity | None,
    kind_known: bool,
    heard_here: bool,
    claim_near: bool,
) -> Subject:
    """A disclosed state with what is known beside it, ready to be judged."""
    return Subject(
        held.track_id,
        fix_of(state, frame),
        (
            state.velocity_east_mmps / 1000.0,
            state.velocity_north_mmps / 1000.0,
            state.velocity_up_mmps / 1000.0,
        ),
        held.kinds,
        kind_known,
        held.taken_for_drone,
        identity,
        heard_here,
        claim_near,
        (state.at_ns - held.first_ns) / NS_PER_S,
        held.number != 0,
        state.at_ns - held.last_ns > STALE_NS or (held.number == 0 and _grounded(identity)),
    )


def _grounded(identity: Identity | None) -> bool:
    """Whether it says it stands on the ground; nothing measured is excused by that."""
    return identity is not None and identity.claim.airborne is False


def identities_of(book: ClaimBook) -> dict[int, list[ClaimTrack]]:
    """The claim tracks bound to each measured track, Remote ID first, then by age."""
    bound: dict[int, list[ClaimTrack]] = {}
    for claim in book.tracks.values():
        if claim.bound:
            bound.setdefault(claim.bound, []).append(claim)
    for claims in bound.values():
        claims.sort(key=lambda c: (c.claim.scheme is not Scheme.REMOTE_ID, c.number))
    return bound


def unsettled_of(book: ClaimBook) -> list[ClaimTrack]:
    """The claims that are not settled, or not any more."""
    return [
        claim
        for claim in book.tracks.values()
        if not claim.settled and claim.strength is not Strength.INCONSISTENT
    ]


def unsettled_near(unsettled: Sequence[ClaimTrack], state: TrackUpdated) -> bool:
    """Whether one of these claims is close enough to be this track's."""
    east, north = state.east_mm / 1000.0, state.north_mm / 1000.0
    return any(
        state.at_ns - claim.last_ns <= TWO_PLACES_NS
        and math.hypot(claim.state.east_m - east, claim.state.north_m - north) <= NEAR_M
        for claim in unsettled
    )
