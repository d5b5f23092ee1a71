"""Honest flights and lies about them, many side by side, through the whole engine.

Each flight has a cell of sky to itself, so that one engine judges forty at once. What is
random comes from the seed alone.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from skykeep.core.claims import REPLAYED, SPEED_MISFIT, STAMPS_BACK, STAMPS_FROZEN
from skykeep.core.event import IdentityChanged, Strength
from skykeep.core.geo import HeightReference, geodetic_many
from skykeep.core.identity import TWO_PLACES
from skykeep.core.observation import Batch, Claim, Form, Scheme
from skykeep.units import BatchId
from tests.sky import DRONE, FRAME, RADAR, RECEIVER, at, engine

F64 = NDArray[np.float64]
Bools = NDArray[np.bool_]

#: What is demanded: a radar of 10 m, once a second, nine turns of ten.
RADAR_SIGMA_M, RADAR_DETECTS = 10.0, 0.9
#: Satellite errors, east, north and up, that wander over two minutes (Gauss-Markov); what is
#: declared is the bound of 95 % above them: 10 m, which is 4.08 m one sigma.
GNSS_SIGMA_M, GNSS_MEMORY_S, DECLARED_SIGMA_M = (3.0, 3.0, 5.0), 120.0, (4.08, 4.08, 5.1)
#: A position is told this long after it was true, and stamped as if it were new.
LATENCY_S = (0.1, 1.0)
HEARD = 0.95
#: Ten steps a second, so that latency and the moments of broadcast can be told apart.
STEP_S = 0.1
FLIGHTS, ROW, CELL_M, ROAM_M = 40, 7, 4_000.0, 1_200.0
STYLES = ("hover", "cruise", "turns", "dashes")
ALARMS = frozenset({TWO_PLACES, REPLAYED, SPEED_MISFIT, STAMPS_BACK, STAMPS_FROZEN})


@dataclass(frozen=True, slots=True)
class Flights:
    """Forty flights: true position and velocity (steps, flights, 3), cells (flights, 3)."""

    position: F64
    velocity: F64
    latency_s: F64
    phase_s: F64
    style: tuple[str, ...]


def fly(rng: np.random.Generator, seconds: int, flights: int = FLIGHTS) -> Flights:
    """Flights of all styles in turn, each about the middle of its cell, 60 to 140 m up."""
    steps = round(seconds / STEP_S) + 1
    index = np.arange(flights)
    east_m, north_m = (index % ROW - ROW // 2) * CELL_M, (index // ROW - 2.5) * CELL_M
    home = np.stack([east_m, north_m, 60.0 + 80.0 * rng.random(flights)], axis=1)
    style = np.array([STYLES[i % len(STYLES)] for i in index])
    position, velocity = np.empty((steps, flights, 3)), np.empty((steps, flights, 3))
    p, v = home + rng.normal(0.0, 50.0, (flights, 3)) * [1, 1, 0], np.zeros((flights, 3))
    heading = rng.uniform(0.0, 2.0 * math.pi, flights)
    speed = np.where(
        style == "cruise", rng.uniform(5.0, 25.0, flights), rng.uniform(8.0, 15.0, flights)
    )
    speed = np.where(style == "hover", 0.0, np.where(style == "dashes", 0.0, speed))
    brisk = np.where(style == "dashes", 4.0, 3.0)  # m/s^2, of speeding up, braking and turning
    turn = brisk / np.maximum(speed, 1.0) * rng.choice([-1.0, 1.0], flights)
    for step in range(steps):
        if step % round(1.0 / STEP_S) == 0:
            _decide(rng, style, speed, heading, p - home)
        heading = np.where(style == "turns", heading + turn * STEP_S, heading)
        wanted = np.stack([speed * np.sin(heading), speed * np.cos(heading), np.zeros(flights)], 1)
        change = wanted - v
        size = np.maximum(np.linalg.norm(change, axis=1), 1e-9)
        v = v + change * np.minimum(1.0, brisk * STEP_S / size)[:, None]
        v[:, 2] = 2.0 * np.sin(0.02 * step * STEP_S + heading) * (style == "cruise")
        p = p + v * STEP_S
        position[step], velocity[step] = p, v
    latency = rng.uniform(*LATENCY_S, flights)
    return Flights(position, velocity, latency, rng.uniform(0.05, 0.85, flights), tuple(style))


def _decide(
    rng: np.random.Generator, style: NDArray[np.str_], speed: F64, heading: F64, off: F64
) -> None:
    """Once a second: a new course now and then, and home from the edge of the cell, in place."""
    n = len(speed)
    away = np.hypot(off[:, 0], off[:, 1]) > ROAM_M
    homeward = np.arctan2(-off[:, 0], -off[:, 1])
    anew = (rng.random(n) < 1.0 / 25.0) & (style != "turns")
    heading[:] = np.where(away, homeward, np.where(anew, rng.uniform(0, 2 * math.pi, n), heading))
    toggles = (rng.random(n) < 1.0 / 12.0) & (style == "dashes")
    speed[:] = np.where(toggles, np.where(speed > 0.0, 0.0, 30.0), speed)


def wander(rng: np.random.Generator, seconds: int, flights: int) -> F64:
    """Satellite errors (seconds, flights, 3) in metres."""
    keep = math.exp(-1.0 / GNSS_MEMORY_S)
    fresh = rng.standard_normal((seconds, flights, 3)) * GNSS_SIGMA_M
    errors = np.empty_like(fresh)
    errors[0] = fresh[0]
    for i in range(1, seconds):
        errors[i] = keep * errors[i - 1] + math.sqrt(1.0 - keep * keep) * fresh[i]
    return errors


#: What is told instead of the truth: (second, claimed places (n, 3)) -> places (n, 3).
Lie = Callable[[int, F64], F64]


def honest(second: int, places: F64) -> F64:
    return places


def displaced(rng: np.random.Generator, by_m: float, from_s: int, over_s: float = 0.0) -> Lie:
    """Off by so much in a direction of its own for each, at once or growing over a time."""
    angle = rng.uniform(0.0, 2.0 * math.pi, FLIGHTS)
    course = np.stack([np.sin(angle), np.cos(angle), np.zeros(FLIGHTS)], axis=1)

    def told(second: int, places: F64) -> F64:
        if second < from_s:
            return places
        share = 1.0 if over_s == 0.0 else min(1.0, (second - from_s) / over_s)
        return places + share * by_m * course

    return told


def replayed(from_s: int, back_s: int) -> Lie:
    """From a moment on, what was told `back_s` before, in the same places."""
    told_then: dict[int, F64] = {}

    def told(second: int, places: F64) -> F64:
        told_then[second] = told_then[second - back_s] if second >= from_s else places
        return told_then[second]

    return told


@dataclass(slots=True)
class Found:
    """When each flight was first found inconsistent, or flagged, in seconds (inf: never).

    `alarms` counts how often either began; `consistent_s` is when each was first consistent.
    """

    inconsistent_s: F64
    consistent_s: F64
    alarms: list[tuple[str, float, tuple[str, ...]]]


def watch(
    rng: np.random.Generator, seconds: int, lie: Lie = honest, *, outages: bool = False
) -> Found:
    """Fly, tell and judge; what the engine said of each flight."""
    flights, made = fly(rng, seconds), engine()
    n = len(flights.style)
    error = wander(rng, seconds, n)
    names = [f"SKV{i:05d}" for i in range(n)]
    said = tuple(Claim(Scheme.REMOTE_ID, names[i], f"t{i}") for i in range(n))
    found = Found(np.full(n, np.inf), np.full(n, np.inf), [])
    alarmed = [False] * n
    lost_until = np.zeros(n)
    for second in range(1, seconds):
        seen = np.flatnonzero(rng.random(n) < RADAR_DETECTS)
        made.receive(_turn(rng, second, flights.position[_step(float(second)), seen]))
        told_s = second + flights.phase_s
        true = _step(told_s - flights.latency_s)
        places = lie(second, flights.position[true, np.arange(n)] + error[second])
        if outages:
            begins = (rng.random(n) < 1.0 / 600.0) & (lost_until < second)
            lost_until[begins] = second + rng.uniform(5.0, 40.0, n)[begins]
        heard = np.flatnonzero((rng.random(n) < HEARD) & (lost_until < second))
        rows = heard[np.argsort(told_s[heard], kind="stable")]
        speeds = flights.velocity[true, np.arange(n)] + rng.normal(0.0, 0.2, (n, 3))
        made.receive(
            _broadcast(second, told_s[rows], places[rows], speeds[rows], [said[i] for i in rows])
        )
        for event in made.advance(at(second + 1.0)):
            if isinstance(event, IdentityChanged) and event.identity is not None:
                _note(found, alarmed, names.index(event.identity), second + 1.0, event)
    return found


def _step(seconds: float | F64) -> NDArray[np.int64]:
    return np.maximum(np.rint(np.asarray(seconds) / STEP_S), 0).astype(np.int64)


def _note(found: Found, alarmed: list[bool], i: int, second: float, event: IdentityChanged) -> None:
    codes = tuple(r.code for r in event.reasons)
    if event.strength is Strength.CONSISTENT:
        found.consistent_s[i] = min(found.consistent_s[i], second)
    if event.strength is Strength.INCONSISTENT:
        found.inconsistent_s[i] = min(found.inconsistent_s[i], second)
    alarm = event.strength is Strength.INCONSISTENT or bool(ALARMS.intersection(codes))
    if alarm and not alarmed[i]:
        found.alarms.append((STYLES[i % len(STYLES)], second, codes))
    alarmed[i] = alarm


def _turn(rng: np.random.Generator, second: int, places: F64) -> Batch:
    """One turn of the radar."""
    n = len(places)
    noisy = places + rng.normal(0.0, RADAR_SIGMA_M, (n, 3))
    return Batch(
        BatchId(f"radar:{second}"), RADAR.sensor_id, at(second), Form.POSITION,
        np.full(n, at(second), np.int64), geodetic_many(FRAME.origin, noisy),
        np.full((n, 3), RADAR_SIGMA_M), np.full((n, 3), np.nan),
        np.full(n, HeightReference.HAE, np.int8), np.tile(np.array(DRONE), (n, 1)),
    )  # fmt: skip


def _broadcast(second: int, told_s: F64, places: F64, speeds: F64, said: list[Claim]) -> Batch:
    """What is heard in one second, in the order of its stamps."""
    n = len(places)
    return Batch(
        BatchId(f"rid:{second}"), RECEIVER.sensor_id, at(second + 0.99), Form.POSITION,
        np.array([at(s) for s in told_s.tolist()], np.int64), geodetic_many(FRAME.origin, places),
        np.tile(np.array(DECLARED_SIGMA_M), (n, 1)), speeds,
        np.full(n, HeightReference.HAE, np.int8), None, tuple(said),
    )  # fmt: skip
