"""When the tracks that are judged will have entered a zone: each from its own uncertainty."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from skykeep.core.event import TrackUpdated
from skykeep.core.geo import Terrain
from skykeep.core.picture import Held
from skykeep.core.track.arrival import SURELY_INSIDE, Motion, Target, foresee
from skykeep.core.track.tracker import Confirmed, TrackerConfig
from skykeep.core.verdict import GONE, INSIDE, Presence, Subject, awaited
from skykeep.units import NS_PER_S

#: How well an aircraft knows its own velocity by satellite: class 3 of Remote ID's speed
#: accuracy, below 1 m/s (ASTM F3411-22a, table 5).
CLAIMED_SIGMA_MPS = 1.0


@dataclass(frozen=True, slots=True, eq=False)
class Outlook:
    """The confirmed tracks at one moment, ready to be played forward."""

    now_ns: int
    terrain: Terrain | None
    config: TrackerConfig
    tracks: Confirmed
    row_of: dict[int, int]


def outlook(
    now_ns: int, terrain: Terrain | None, config: TrackerConfig, tracks: Confirmed
) -> Outlook:
    """The tracks of a moment by their numbers."""
    rows = {number: row for row, number in enumerate(tracks.number.tolist())}
    return Outlook(now_ns, terrain, config, tracks, rows)


def foreseen(
    where: Presence, held: Held, subject: Subject, target: Target, ahead: Outlook
) -> Presence:
    """A presence with the chance and times of its entry, as far as they can be told.

    Nobody waits for a bird: for what will hardly be a drone nothing is foreseen.
    """
    if where.what == INSIDE:
        return replace(where, arrival=SURELY_INSIDE)
    if where.what == GONE or held.state is None or not awaited(subject):
        return where
    row = ahead.row_of.get(held.number)
    motion = _claimed(held.state, ahead) if row is None else _measured(row, ahead)
    if motion is None:
        return where
    height = subject.fix.height
    if row is None and height is not None:  # a claim's height is as old as the claim
        height = replace(height, m=height.m + _age_s(held.state, ahead) * float(motion.x[5]))
    arrival = foresee(motion, height, target, ahead.now_ns, ahead.terrain)
    return replace(where, arrival=arrival)


def _measured(row: int, ahead: Outlook) -> Motion:
    tracks, config = ahead.tracks, ahead.config
    lag_s = max(ahead.now_ns - int(tracks.time_ns[row]), 0) / NS_PER_S
    q = config.q_horizontal_m2ps3, config.q_vertical_m2ps3
    return Motion(tracks.x[row], tracks.p[row], lag_s, *q)


def _claimed(state: TrackUpdated, ahead: Outlook) -> Motion | None:
    """The motion that an aircraft claims; None where it claims none."""
    velocity = (state.velocity_east_mmps, state.velocity_north_mmps, state.velocity_up_mmps)
    if not any(velocity):
        return None
    x = np.array([state.east_mm, state.north_mm, state.up_mm, *velocity], np.float64) / 1e3
    wide, tall = state.sigma_horizontal_mm / 1e3, state.sigma_up_mm / 1e3
    p = np.diag(np.array([wide, wide, tall, *[CLAIMED_SIGMA_MPS] * 3]) ** 2)
    config = ahead.config
    return Motion(x, p, _age_s(state, ahead), config.q_horizontal_m2ps3, config.q_vertical_m2ps3)


def _age_s(state: TrackUpdated, ahead: Outlook) -> float:
    return max(ahead.now_ns - state.state_at_ns, 0) / NS_PER_S
