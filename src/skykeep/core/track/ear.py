"""What the tracker remembers of each sensor whose bearings it hears (see bearing)."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

NEVER_NS = -(2**62)
#: Columns of `Ear.link`.
BIAS, VARIANCE, PRIOR, SIGHT, UNSPENT_S = range(5)
#: Bins of the map of false bearings: of 2 degrees.
MAP_BINS = 180


class Ear(NamedTuple):
    """What one sensor's bearings have taught; replaced as a whole with each frame.

    number (k,) of the tracks it was held against, ascending; last_ns (k,) of the last frame;
    link (k, 5): bias in rad (clockwise of the track), its variance, its variance before
    anything was learned, the probability that the sensor sees the track, and the seconds that
    no bearing has used up. rate (MAP_BINS,) false bearings a frame, map_ns (1,) their time.
    """

    number: Any
    last_ns: Any
    link: Any
    rate: Any
    map_ns: Any


class Habits(NamedTuple):
    """A sensor's part and the tracker's limits; times in s, gate as squared sigmas.

    false_per_rad: false bearings a frame where nothing stands; `transmitters`: whether it hears
    drones' radios, rather than sees whatever is there; white_share: of a declared variance,
    what changes from frame to frame.
    """

    detection: float
    false_per_rad: float
    transmitters: bool
    white_share: float
    extent_m: float
    correlation_s: float
    bias_s: float
    gate2: float
    ambiguity: float
    late_ns: int


def new_ear() -> Ear:
    """A sensor that has said nothing yet."""
    return Ear(
        np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros((0, 5)), np.zeros(MAP_BINS),
        np.full(1, NEVER_NS),
    )  # fmt: skip


def saved_ear(ear: Ear) -> tuple[bytes, ...]:
    """Its arrays as little-endian bytes."""
    return tuple(np.ascontiguousarray(a).astype(a.dtype.newbyteorder("<")).tobytes() for a in ear)


def ear_of(saved: tuple[bytes, ...]) -> Ear:
    """The ear that `saved_ear` was given."""
    number, last_ns, link, rate, map_ns = saved
    return Ear(
        np.frombuffer(number, "<i8").astype(np.int64),
        np.frombuffer(last_ns, "<i8").astype(np.int64),
        np.frombuffer(link, "<f8").astype(np.float64).reshape(-1, 5),
        np.frombuffer(rate, "<f8").astype(np.float64),
        np.frombuffer(map_ns, "<i8").astype(np.int64),
    )
