"""Four targets that meet and part, a test of how well crossing tracks are kept apart.

The scenario of Garcia-Fernandez, Williams, Granstrom, Svensson, "Poisson multi-Bernoulli mixture
filter: direct derivation and implementation", IEEE TAES 54(4), 2018, section VI, after Williams,
"Marginal multi-Bernoulli filters", IEEE TAES 51(3), 2015: the targets' states at the middle
step are drawn close together at the middle of the area, and run from there forwards and
backwards. At the middle step one of them ends. Here each seed has paths of its own; the
published code draws one set for all its runs, and has half as much motion noise.

It is a scenario of the plane. Every plot lies at height 0 with a small sigma, drones' and false
ones alike, and the density of false plots is taken over the height that this sigma spans, so
that a height never speaks for or against a pair.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from bench.figure import Figure
from bench.tracking.result import RunResult
from bench.tracking.scenario import DETECTION_PROBABILITY, F64, Scenario
from bench.tracking.score import Score, score

TARGETS = 4
STEPS = 81
MIDDLE = (STEPS - 1) // 2  # counted from 0; the first target is there before it, not at it
SIDE_M = 300.0
MIDDLE_VARIANCE = 0.1  # of each position in m^2 and speed in (m/s)^2 at the middle step
DENSITY_M2PS3 = 0.02  # of white-noise acceleration
SIGMA_M = 1.0
HEIGHT_SIGMA_M = 0.1
FALSE_PLOTS = 10.0  # mean per step, over the area
FALSE_DENSITY_PER_M2 = FALSE_PLOTS / SIDE_M**2
FALSE_DENSITY_PER_M3 = FALSE_DENSITY_PER_M2 / (math.sqrt(2.0 * math.pi) * HEIGHT_SIGMA_M)

#: Of births: how many are expected in the first step and in each later one, and the normal
#: density of one of them, a square metre, at the middle of the area.
BIRTHS_AT_FIRST, BIRTHS_A_STEP = 3.0, 0.005
BIRTH_PLACE_M, BIRTH_SIGMA_M, BIRTH_SPEED_SIGMA_MPS = 100.0, 150.0, 1.0
BIRTH_DENSITY_PER_M2 = math.exp(-(((SIDE_M / 2.0 - BIRTH_PLACE_M) / BIRTH_SIGMA_M) ** 2)) / (
    2.0 * math.pi * BIRTH_SIGMA_M**2
)

CUTOFF_M = 10.0
RUNS = 100
AIM_M = 3.2


def scenario_meeting(seed: int) -> Scenario:
    """Paths and plots of one run, a step a second; truth (81, 4, 6), heights and climbs 0."""
    motion, sensing = (np.random.default_rng(s) for s in np.random.SeedSequence(seed).spawn(2))
    truth = np.zeros((STEPS, TARGETS, 6))
    truth[:, :, [0, 1, 3, 4]] = _paths(motion)
    truth[MIDDLE:, 0] = np.nan
    return Scenario(
        seed,
        truth,
        tuple(_see(sensing, now) for now in truth),
        SIDE_M,
        FALSE_DENSITY_PER_M3,
        sigmas_m=(SIGMA_M, SIGMA_M, HEIGHT_SIGMA_M),
        densities_m2ps3=(DENSITY_M2PS3, 0.0),
    )


def _paths(rng: np.random.Generator) -> F64:
    """East, north and their rates of all targets at all steps (steps, targets, 4)."""
    paths = np.empty((STEPS, TARGETS, 4))
    at = rng.normal(0.0, math.sqrt(MIDDLE_VARIANCE), (TARGETS, 4))
    at[:, :2] += SIDE_M / 2.0
    ahead = back = paths[MIDDLE] = at
    for step in range(1, MIDDLE + 1):
        ahead = paths[MIDDLE + step] = _moved(ahead) + _disturbance(rng)
        back = paths[MIDDLE - step] = _moved(back + _disturbance(rng), -1.0)
    return paths


def _moved(states: F64, by_s: float = 1.0) -> F64:
    return np.hstack([states[:, :2] + by_s * states[:, 2:], states[:, 2:]])


def _disturbance(rng: np.random.Generator) -> F64:
    """One second of white-noise acceleration: covariance q [[1/3, 1/2], [1/2, 1]] on each axis."""
    a, b = rng.standard_normal((2, TARGETS, 2)) * math.sqrt(DENSITY_M2PS3)
    # Given the change in speed, the step's mean is half of it and its variance q / 12.
    return np.hstack([a / 2.0 + b / math.sqrt(12.0), a])


def _see(rng: np.random.Generator, now: F64) -> F64:
    there = now[~np.isnan(now[:, 0]), :3]
    seen = there[rng.random(len(there)) < DETECTION_PROBABILITY]
    false = rng.random((rng.poisson(FALSE_PLOTS), 3)) * SIDE_M
    plots = np.vstack([seen + rng.normal(0.0, SIGMA_M, seen.shape), false])
    plots[:, 2] = 0.0
    rng.shuffle(plots)
    return plots


def measure(run: Callable[[Scenario], RunResult], runs: int = RUNS) -> list[Score]:
    """The score of each run, at the published cutoff."""
    made = map(scenario_meeting, range(1, runs + 1))
    return [score(m.truth, run(m).tracks, CUTOFF_M) for m in made]


def figure(scores: list[Score]) -> Figure:
    """GOSPA as the root of the mean square over all runs and steps."""
    missed, false = (np.mean([getattr(s, f"{k}_per_scan") for s in scores]) for k in _KINDS)
    return Figure(
        "four that meet and part: GOSPA",
        math.sqrt(sum(s.gospa_rms_m**2 for s in scores) / len(scores)),
        "m",
        AIM_M,
        less_is_better=True,
        note=f"root mean square over {len(scores)} runs and all steps, cutoff {CUTOFF_M:.0f} m;"
        f" {missed:.2f} missed and {false:.2f} false a step",
    )


_KINDS = ("missed", "false")


def figures() -> list[Figure]:
    """With Skykeep's tracker."""
    from bench.tracking import skykeep_tracker as ours

    return [figure(measure(lambda m: ours.run(m, ours.MEETING)))]
