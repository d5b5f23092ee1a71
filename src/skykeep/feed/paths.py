"""Paths of simulated targets: where something is and how fast, at any time asked for.

Times are seconds since the scene's start, positions metres east, north, up in the site's
frame. Headings are clockwise from north. All paths are closed forms, so that a sensor with
its own clock asks for its own times and truth is exact.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from skykeep.core.geo import F64

GRAVITY_MPS2 = 9.806_65  # standard gravity, ISO 80000-3


class Path(Protocol):
    """A motion; outside its own times it may be asked but means nothing."""

    def states(self, times_s: F64) -> tuple[F64, F64]:
        """Positions (n, 3) in metres and velocities (n, 3) in m/s at times (n,)."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Arcs:
    """Motion along straight lines and circular arcs, one after the other.

    `legs` (k, 9): start s, east m, north m, up m, heading rad, speed m/s, acceleration m/s2
    (straight legs only), turn rate rad/s clockwise, climb m/s. The last leg goes on for
    ever, unless `period_s` says that the path repeats itself. `wind_mps` (east, north)
    carries the whole along.
    """

    legs: F64
    period_s: float | None = None
    wind_mps: tuple[float, float] = (0.0, 0.0)

    def states(self, times_s: F64) -> tuple[F64, F64]:
        """See `Path`. A leg's chord is speed * time * sinc(half the angle turned)."""
        first = self.legs[0, 0]
        own = times_s if self.period_s is None else first + (times_s - first) % self.period_s
        last = len(self.legs) - 1
        at: NDArray[np.int64] = np.clip(
            np.searchsorted(self.legs[:, 0], own, side="right") - 1, 0, last
        )
        start, east, north, up, heading, speed, gain, turn, climb = self.legs[at].T
        dt = own - start
        half = 0.5 * turn * dt
        chord = (speed * dt + 0.5 * gain * dt * dt) * np.sinc(half / math.pi)
        position = np.stack(
            (
                east + chord * np.sin(heading + half) + self.wind_mps[0] * (times_s - first),
                north + chord * np.cos(heading + half) + self.wind_mps[1] * (times_s - first),
                up + climb * dt,
            ),
            axis=1,
        )
        fast, course = speed + gain * dt, heading + turn * dt
        velocity = np.stack(
            (
                fast * np.sin(course) + self.wind_mps[0],
                fast * np.cos(course) + self.wind_mps[1],
                climb,
            ),
            axis=1,
        )
        return position, velocity


class ArcBuilder:
    """Lays legs one after the other; position, heading and speed carry over."""

    def __init__(
        self, start_s: float, position_m: tuple[float, float, float], heading_rad: float
    ) -> None:
        self.at_s = start_s
        self.position_m = position_m
        self.heading_rad = heading_rad
        self.speed_mps = 0.0
        self._legs: list[tuple[float, ...]] = []

    def leg(
        self,
        duration_s: float,
        *,
        speed_mps: float | None = None,
        gain_mps2: float = 0.0,
        turn_radps: float = 0.0,
        climb_mps: float = 0.0,
    ) -> ArcBuilder:
        """One leg of `duration_s`; a new `speed_mps` takes effect at once."""
        if gain_mps2 and turn_radps:
            raise ValueError("a leg that turns keeps its speed")
        speed = self.speed_mps if speed_mps is None else speed_mps
        east, north, up = self.position_m
        row = (self.at_s, east, north, up, self.heading_rad, speed)
        self._legs.append((*row, gain_mps2, turn_radps, climb_mps))
        half = 0.5 * turn_radps * duration_s
        chord = (speed + 0.5 * gain_mps2 * duration_s) * duration_s
        chord *= math.sin(half) / half if half else 1.0
        self.position_m = (
            east + chord * math.sin(self.heading_rad + half),
            north + chord * math.cos(self.heading_rad + half),
            up + climb_mps * duration_s,
        )
        self.at_s += duration_s
        self.heading_rad += turn_radps * duration_s
        self.speed_mps = speed + gain_mps2 * duration_s
        return self

    def straight(self, length_m: float, climb_mps: float = 0.0) -> ArcBuilder:
        """A line at the present speed."""
        return self.leg(length_m / self.speed_mps, climb_mps=climb_mps)

    def turn(self, angle_rad: float, radius_m: float) -> ArcBuilder:
        """A turn, clockwise when positive, at the present speed."""
        rate = math.copysign(self.speed_mps / radius_m, angle_rad)
        return self.leg(angle_rad / rate, turn_radps=rate)

    def face(self, heading_rad: float) -> ArcBuilder:
        """A new heading, at once: for something that hangs in the air."""
        self.heading_rad = heading_rad
        return self

    def path(self, *, repeat: bool = False, wind_mps: tuple[float, float] = (0.0, 0.0)) -> Arcs:
        """The path as laid so far."""
        legs = np.array(self._legs)
        return Arcs(legs, self.at_s - float(legs[0, 0]) if repeat else None, wind_mps)


@dataclass(frozen=True, slots=True, eq=False)
class Weaving:
    """A path with a sideways swing over it: amplitude * sin(2 pi (t - still_s) / period).

    `heading_rad` is the base path's course, to which the swing is square; at `still_s` the
    swing is nil.
    """

    base: Path
    heading_rad: float
    amplitude_m: float
    period_s: float
    still_s: float

    def states(self, times_s: F64) -> tuple[F64, F64]:
        """See `Path`."""
        position, velocity = self.base.states(times_s)
        rate = 2.0 * math.pi / self.period_s
        angle = rate * (times_s - self.still_s)
        aside = np.array([math.cos(self.heading_rad), -math.sin(self.heading_rad), 0.0])
        swing = self.amplitude_m * np.sin(angle)
        swing_rate = self.amplitude_m * rate * np.cos(angle)
        return position + swing[:, None] * aside, velocity + swing_rate[:, None] * aside


@dataclass(frozen=True, slots=True)
class Falling:
    """A free fall without drag from a place, a velocity and a moment."""

    start_s: float
    position_m: tuple[float, float, float]
    velocity_mps: tuple[float, float, float]

    def states(self, times_s: F64) -> tuple[F64, F64]:
        """See `Path`."""
        dt = (times_s - self.start_s)[:, None]
        pull = np.array([0.0, 0.0, -GRAVITY_MPS2])
        start = np.array(self.velocity_mps)
        return np.array(self.position_m) + start * dt + 0.5 * pull * dt * dt, start + pull * dt

    def duration_s(self, ground_up_m: float) -> float:
        """Seconds from the start until the ground."""
        rise = self.velocity_mps[2]
        drop = self.position_m[2] - ground_up_m
        return (rise + math.sqrt(rise * rise + 2.0 * GRAVITY_MPS2 * drop)) / GRAVITY_MPS2


@dataclass(frozen=True, slots=True)
class Standing:
    """Something that stays where it is."""

    position_m: tuple[float, float, float]

    def states(self, times_s: F64) -> tuple[F64, F64]:
        """See `Path`."""
        shape = (len(times_s), 3)
        return np.broadcast_to(np.array(self.position_m), shape), np.zeros(shape)
