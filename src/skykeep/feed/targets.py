"""What is in a simulated sky: single targets, and a flock whose birds come and go."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from skykeep.core.geo import F64
from skykeep.core.observation import TargetKind
from skykeep.feed.paths import ArcBuilder, Arcs, Path


def generator(seed: int, *keys: int) -> np.random.Generator:
    """A PCG64 stream of its own for a seed and a place in the scene."""
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed, spawn_key=keys)))


@dataclass(frozen=True, slots=True, eq=False)
class Target:
    """Something that flies from `start_s` until before `end_s`.

    `control_link` is whether a direction finder can hear it; `radar_share` scales the
    radar's detection probability (small parts are seen less often).
    """

    label: str
    kind: TargetKind
    path: Path
    start_s: float
    end_s: float
    control_link: bool = False
    radar_share: float = 1.0

    def alive(self, times_s: F64) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
        """Whether it flies, at times (n,)."""
        return np.asarray((times_s >= self.start_s) & (times_s < self.end_s))


#: Birds of the size that a surveillance radar sees (gulls, crows, pigeons, raptors) cruise
#: at 8 to 14 m/s (Alerstam et al. 2007, flight speeds among bird species).
BIRD_SPEED_MPS = (8.0, 14.0)
#: A gentle turn: 1 m/s2 is a bank of 6 degrees.
BIRD_LATERAL_MPS2 = 1.0
#: How long a bird keeps to one turn before it chooses another.
BIRD_LEG_S = (6.0, 20.0)
#: Share of birds that circle in rising air instead of flying about.
SOARING_SHARE = 0.25
SOARING_RADIUS_M = (70.0, 140.0)
SOARING_CLIMB_MPS = 0.1
SOARING_WIND_MPS = 1.0
#: Beyond this share of the flock's radius a bird turns home.
HOME_SHARE = 0.64
BIRD_CLIMB_MPS = 0.5

_LIVES, _PATHS = 0, 1  # last part of a stream's key


@dataclass(frozen=True, slots=True)
class BirdPath:
    """A bird's way, built from its seed when first asked for."""

    seed: int
    key: tuple[int, ...]
    start_s: float
    end_s: float
    radius_m: float
    up_range_m: tuple[float, float]

    def states(self, times_s: F64) -> tuple[F64, F64]:
        """See `Path`."""
        return _bird_arcs(self).states(times_s)


@lru_cache(maxsize=128)
def _bird_arcs(bird: BirdPath) -> Arcs:
    rng = generator(bird.seed, *bird.key)
    reach = bird.radius_m * HOME_SHARE
    bearing, distance = rng.uniform(0.0, 2.0 * math.pi), reach * math.sqrt(rng.uniform())
    low, high = bird.up_range_m
    position = (
        distance * math.sin(bearing),
        distance * math.cos(bearing),
        float(rng.uniform(low, high)),
    )
    builder = ArcBuilder(bird.start_s, position, rng.uniform(0.0, 2.0 * math.pi))
    speed = float(rng.uniform(*BIRD_SPEED_MPS))
    if rng.uniform() < SOARING_SHARE:
        return _soaring(builder, bird, rng)
    while builder.at_s < bird.end_s:
        east, north, up = builder.position_m
        duration = float(rng.uniform(*BIRD_LEG_S))
        most = BIRD_LATERAL_MPS2 / speed
        turn = float(rng.uniform(-most, most))
        if math.hypot(east, north) > reach:
            wanted = math.atan2(-east, -north) - builder.heading_rad
            turn = math.remainder(wanted, 2.0 * math.pi) / duration
            turn = min(most, max(-most, turn))
        climb = float(rng.uniform(-BIRD_CLIMB_MPS, BIRD_CLIMB_MPS))
        if not low <= up + climb * duration <= high:
            climb = -climb
        builder.leg(duration, speed_mps=speed, turn_radps=turn, climb_mps=climb)
    return builder.path()


def _soaring(builder: ArcBuilder, bird: BirdPath, rng: np.random.Generator) -> Arcs:
    radius = float(rng.uniform(*SOARING_RADIUS_M))
    speed = min(BIRD_SPEED_MPS[1], math.sqrt(BIRD_LATERAL_MPS2 * radius))
    side = 1.0 if rng.uniform() < 0.5 else -1.0
    life = bird.end_s - bird.start_s
    # Low enough to start with that it tops out below the flock's ceiling.
    east, north, up = builder.position_m
    top = bird.up_range_m[1] - SOARING_CLIMB_MPS * life
    builder.position_m = (east, north, max(bird.up_range_m[0], min(up, top)))
    builder.leg(
        life, speed_mps=speed, turn_radps=side * speed / radius, climb_mps=SOARING_CLIMB_MPS
    )
    home = math.atan2(-east, -north)
    wind = (SOARING_WIND_MPS * math.sin(home), SOARING_WIND_MPS * math.cos(home))
    return builder.path(wind_mps=wind)


@dataclass(frozen=True, slots=True)
class Flock:
    """`count` birds within `radius_m` of the origin, always: each that goes is replaced.

    Each place in the flock has its own stream of lives, of `life_s` seconds (low, high)
    each; the first began before the scene's start.
    """

    seed: int
    key: int
    count: int
    radius_m: float
    up_range_m: tuple[float, float]
    life_s: tuple[float, float]

    def lives(self, place: int) -> Iterator[Target]:
        """The birds in one place of the flock, one after the other, without end."""
        rng = generator(self.seed, self.key, place, _LIVES)
        end_s = 0.0
        number = 0
        while True:
            life = float(rng.uniform(*self.life_s))
            start_s = -life * float(rng.uniform()) if number == 0 else end_s
            end_s = start_s + life
            key = (self.key, place, _PATHS, number)
            path = BirdPath(self.seed, key, start_s, end_s, self.radius_m, self.up_range_m)
            yield Target(f"bird-{place + 1}-{number + 1}", TargetKind.BIRD, path, start_s, end_s)
            number += 1

    def until(self, end_s: float) -> tuple[Target, ...]:
        """All birds that fly before `end_s`, place by place."""
        found: list[Target] = []
        for place in range(self.count):
            for bird in self.lives(place):
                if bird.start_s >= end_s:
                    break
                found.append(bird)
        return tuple(found)


class FlockCursor:
    """The birds of consecutive stretches of time, holding only those that still fly."""

    def __init__(self, flock: Flock) -> None:
        self._lives = [flock.lives(place) for place in range(flock.count)]
        self._held = [[next(lives)] for lives in self._lives]

    def between(self, start_s: float, end_s: float) -> tuple[Target, ...]:
        """All birds that fly at some time in [start, end); starts must not go back."""
        for lives, held in zip(self._lives, self._held, strict=True):
            while held[-1].end_s < end_s:
                held.append(next(lives))
            while held[0].end_s <= start_s:
                held.pop(0)
        return tuple(bird for held in self._held for bird in held if bird.start_s < end_s)
