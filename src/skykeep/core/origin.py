"""Where it came from: the ground it can have been launched from, given how it was first seen.

A flight is taken to rise straight up, then to go on level at one speed with now and then a turn.
Backward from the first detection every such flight is played, weighed by how likely the sensors
in watch would have missed it until then: what lies below a radar's lower edge, beyond its range
or in its blind sector is unseen. Launches are equally likely everywhere, moments too.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from skykeep.core.geo import F64, kernel
from skykeep.core.region import SIDE, Region, grid_for, next_even, next_normal, ranked
from skykeep.core.track.arrival import begin
from skykeep.core.track.kernels import covered
from skykeep.core.track.tracker import SensorView

#: Plays of each way to be first seen, climbing and level.
PLAYS = 4_096
#: A play this unlikely to have stayed unseen is given up.
LEAST_WEIGHT = 1e-4
#: Where a sensor names no period: a look a second, as Remote ID and ADS-B are heard.
PERIOD_S = 1.0
#: Velocities ten sigmas from what a way demands speak for neither (log of a density).
LEAST_EVIDENCE = -50.0
#: The grid is made coarser until no more than this lies beyond it.
MOST_BEYOND = 0.02
MOST_COARSER = 6
#: A level flight may have begun so often on its way back; no farther than half a cell.
LEAST_STEP_M, MOST_STEP_M = 10.0, 100.0
#: Of the plays that choose the cells and of those that say what they hold: any two.
SEEDS = (20_260_912, 91_250_741)


@dataclass(frozen=True, slots=True)
class FlightModel:
    """How drones fly, as far as it matters here. Assumptions: no published statistics exist.

    Speed over ground: multirotors on the market go 3 to 25 m/s (DJI Mavic 3: 21 m/s, Matrice
    350: 23 m/s), most people fly them near 12 m/s. Climb: 1 to 6 m/s, evenly (Mavic 3: 6 to
    8 m/s at most). Height above ground of the level part: 20 to 150 m, evenly (120 m is the
    open category's limit, Regulation (EU) 2019/947, UAS.OPEN.010). Flight time: nobody is sure
    to be up longer than 10 minutes or able to beyond 40 (Mavic 3: 46 min hovering, new). Turns:
    one in five minutes in the mean, by 40 degrees one sigma.
    """

    speed_mean_mps: float = 12.0
    speed_sigma_mps: float = 5.0
    speed_least_mps: float = 3.0
    speed_most_mps: float = 25.0
    climb_least_mps: float = 1.0
    climb_most_mps: float = 6.0
    height_least_m: float = 20.0
    height_most_m: float = 150.0
    endurance_least_s: float = 600.0
    endurance_most_s: float = 2_400.0
    turns_per_s: float = 1.0 / 300.0
    turn_sigma_rad: float = math.radians(40.0)

    def as_row(self) -> F64:
        """The fields in their order (12,), as the kernels take them."""
        return np.array([getattr(self, name) for name in self.__slots__], np.float64)

    def words(self) -> tuple[str, ...]:
        """What is assumed, in words."""
        low, high = self.speed_least_mps, self.speed_most_mps
        return (
            "launches are equally likely everywhere on flat ground",
            f"a straight climb at {self.climb_least_mps:g} to {self.climb_most_mps:g} m/s to "
            f"{self.height_least_m:g} to {self.height_most_m:g} m above ground",
            f"then level flight at one speed of {low:g} to {high:g} m/s with few turns",
            f"no longer than {self.endurance_most_s / 60.0:g} min",
        )


@dataclass(frozen=True, slots=True, eq=False)
class Watch:
    """The sensors that were in watch; `by` is the index of the one that detected first.

    place (s, 3), axes (s, 3, 3), limits (s, 6) as in `tracker.SensorView`; period_s (s,) and
    detection (s,), the probability of a detection per turn.
    """

    place: F64
    axes: F64
    limits: F64
    period_s: F64
    detection: F64
    by: int
    names: tuple[str, ...] = field(default=())


def watch_of(views: Sequence[SensorView], by: int) -> Watch:
    """Registered sensors as a watch."""
    return Watch(
        np.array([v.place for v in views]).reshape(-1, 3),
        np.array([v.axes for v in views]).reshape(-1, 3, 3),
        np.array([v.limits for v in views]).reshape(-1, 6),
        np.array([v.sensor.period_s or PERIOD_S for v in views]),
        np.array([v.sensor.detection_probability for v in views]),
        by,
        tuple(v.sensor.sensor_id for v in views),
    )


def launch_region(
    x: F64, p: F64, watch: Watch, ground_up_m: float = 0.0, model: FlightModel | None = None
) -> Region | None:
    """Where a flight was launched whose first detection gave a state x (6,), p (6, 6).

    `ground_up_m` is the ground's height in the frame. None where no flight of the model can have
    been seen so: it is none that starts from the ground here as these do.
    """
    model = FlightModel() if model is None else model
    row = model.as_row()
    arguments = (*_two_ways(x, p), watch.place, watch.axes, watch.limits, watch.period_s,
                 watch.detection, watch.by, ground_up_m, row)  # fmt: skip
    sums, cells = np.zeros(6), np.zeros((1, 1))
    for plays in (PLAYS // 8, PLAYS):  # few will do to see how far apart the launches lie
        if not sums[0] > 0.0:
            trace(cells, 0.0, 0.0, 0.0, sums, *arguments, SEEDS[0], plays)
    if not sums[0] > 0.0:
        return None
    mean = sums[1:3] / sums[0]
    second = np.array([[sums[3], sums[5]], [sums[5], sums[4]]]) / sums[0]
    spread = second - mean[:, None] * mean[None, :]
    for coarser in range(MOST_COARSER + 1):
        west, south, cell = grid_for(mean + x[:2], spread, coarser)
        sums, cells = np.zeros(6), np.zeros((SIDE, SIDE))
        trace(cells, west, south, cell, sums, *arguments, SEEDS[0], PLAYS)
        if cells.sum() >= (1.0 - MOST_BEYOND) * sums[0]:
            break
    rank, cells, sums = ranked(cells), np.zeros((SIDE, SIDE)), np.zeros(6)
    trace(cells, west, south, cell, sums, *arguments, SEEDS[1], PLAYS)
    share = cells / sums[0]
    seen = ", ".join(watch.names) or f"{len(watch.place)} sensors"
    return Region(
        west, south, cell, share, rank, max(0.0, 1.0 - float(share.sum())),
        (*model.words(), f"in watch: {seen}"),
    )  # fmt: skip


def _two_ways(x: F64, p: F64) -> tuple[F64, F64, F64]:
    """States (2, 6), factors (2, 6, 6) and evidence (2,): first seen on level, or climbing.

    Level flight does not climb and a climb goes nowhere: each is the state given that.
    """
    level, climbing = _given(x, p, (5,)), _given(x, p, (3, 4))
    states = np.array([level[0], climbing[0]])
    factors = np.array([level[1], climbing[1]])
    logs = (level[2], climbing[2])
    evidence = np.array([math.exp(log) if log > LEAST_EVIDENCE else 0.0 for log in logs])
    return states, factors, evidence


def _given(x: F64, p: F64, still: tuple[int, ...]) -> tuple[F64, F64, float]:
    """A state whose velocities `still` are nought: mean, factor, log density of that."""
    x, p, log = x.copy(), p.copy(), 0.0
    for k in still:
        s = max(float(p[k, k]), 1e-6)
        log -= 0.5 * (float(x[k]) ** 2 / s + math.log(2.0 * math.pi * s))
        gain = p[:, k] / s
        x, p = x - gain * x[k], p - gain[:, None] * p[None, k, :]
    x, factor = begin(x, p, 0.0, 0.0, 0.0, float(x[2]))
    return x, factor, log


@kernel
def trace(
    cells: Any,
    west_m: float,
    south_m: float,
    cell_m: float,
    sums: Any,
    states: Any,
    factors: Any,
    evidence: Any,
    place: Any,
    axes: Any,
    limits: Any,
    period_s: Any,
    detection: Any,
    by: int,
    ground_m: float,
    model: Any,
    first: int,
    plays: int,
) -> None:
    """Play flights backward into `cells` and `sums`, in place.

    sums (6,): weight; its moments east, north, east2, north2, east north about the state.
    cell_m 0: no cells. `first` begins the sequence of the plays.
    """
    seed = np.array([first], np.uint64)
    y, phase = np.empty(6), np.empty(place.shape[0])
    for i in range(2 * plays):
        way = i % 2
        for r in range(6):
            y[r] = states[way, r]
        for c in range(6):
            z = next_normal(seed)
            for r in range(c, 6):
                y[r] += factors[way, r, c] * z
        for s in range(place.shape[0]):
            phase[s] = period_s[s] if s == by else period_s[s] * next_even(seed)
        if not covered(y, place[by], axes[by], limits[by]):
            continue
        height, speed = y[2] - ground_m, math.hypot(y[3], y[4])
        if way == 1:
            climb = y[5]
            share = _higher(height, model)
            if share <= 0.0 or climb < model[4] or climb > model[5]:
                continue
            weight = evidence[1] * share / (climb * (model[5] - model[4]))
            weight *= _unseen_climb(
                y, height, climb, phase, place, axes, limits, period_s, detection
            )
            _add(cells, west_m, south_m, cell_m, sums, y[0], y[1], weight, states[0])
            continue
        if height < model[6] or height > model[7]:
            continue
        weight = evidence[0] * _speed_density(speed, model) / (2.0 * math.pi * speed)
        weight /= model[7] - model[6]
        if weight > 0.0:
            _trace_level(
                cells, west_m, south_m, cell_m, sums, y, height, weight, phase, place, axes,
                limits, period_s, detection, model, states[0], seed,
            )  # fmt: skip


@kernel
def _trace_level(
    cells: Any,
    west_m: float,
    south_m: float,
    cell_m: float,
    sums: Any,
    y: Any,
    height: float,
    weight: float,
    due: Any,
    place: Any,
    axes: Any,
    limits: Any,
    period_s: Any,
    detection: Any,
    model: Any,
    about: Any,
    seed: Any,
) -> None:
    """One level flight backward from y: at each step it may have been launched below.

    `due` (s,) is how long before the first detection each sensor last looked; it is used up.
    """
    climb = model[4] + (model[5] - model[4]) * next_even(seed)
    speed, heading = math.hypot(y[3], y[4]), math.atan2(y[3], y[4])
    step = min(MOST_STEP_M, max(LEAST_STEP_M, 0.5 * cell_m)) / speed
    turn = -math.log(next_even(seed)) / model[10]
    at, unseen = y.copy(), 1.0
    t = step * next_even(seed)
    y[0] -= t * speed * math.sin(heading)
    y[1] -= t * speed * math.cos(heading)
    while t + height / climb < model[9] and unseen > LEAST_WEIGHT:
        for s in range(place.shape[0]):
            while due[s] <= t:
                back = (t - due[s]) * speed
                at[0] = y[0] + back * math.sin(heading)
                at[1] = y[1] + back * math.cos(heading)
                if covered(at, place[s], axes[s], limits[s]):
                    unseen *= 1.0 - detection[s]
                due[s] += period_s[s]
        if t >= turn:
            heading += model[11] * next_normal(seed)
            turn = t - math.log(next_even(seed)) / model[10]
        up = t + height / climb
        still = 1.0 if up < model[8] else (model[9] - up) / (model[9] - model[8])
        missed = _unseen_below(y, height, climb, place, axes, limits, period_s, detection)
        _add(
            cells, west_m, south_m, cell_m, sums, y[0], y[1],
            weight * unseen * missed * still * step, about,
        )  # fmt: skip
        t += step
        y[0] -= step * speed * math.sin(heading)
        y[1] -= step * speed * math.cos(heading)


@kernel
def _add(
    cells: Any,
    west_m: float,
    south_m: float,
    cell_m: float,
    sums: Any,
    east: float,
    north: float,
    weight: float,
    about: Any,
) -> None:
    e, n = east - about[0], north - about[1]
    sums[0] += weight
    sums[1] += weight * e
    sums[2] += weight * n
    sums[3] += weight * e * e
    sums[4] += weight * n * n
    sums[5] += weight * e * n
    if cell_m <= 0.0:
        return
    r, c = math.floor((north - south_m) / cell_m), math.floor((east - west_m) / cell_m)
    if 0 <= r < cells.shape[0] and 0 <= c < cells.shape[1]:
        cells[int(r), int(c)] += weight


@kernel
def _higher(height: float, model: Any) -> float:
    """The share of flights that go on level above a height."""
    if height < 0.0:
        return 0.0
    return float(min(1.0, max(0.0, (model[7] - height) / (model[7] - model[6]))))


@kernel
def _speed_density(speed: float, model: Any) -> float:
    """Of the speed of level flight: normal between its limits."""
    if speed < model[2] or speed > model[3]:
        return 0.0
    off = (speed - model[0]) / model[1]
    low = math.erf((model[2] - model[0]) / model[1] / math.sqrt(2.0))
    high = math.erf((model[3] - model[0]) / model[1] / math.sqrt(2.0))
    whole = 0.5 * (high - low) * model[1] * math.sqrt(2.0 * math.pi)
    return float(math.exp(-0.5 * off * off) / whole)


@kernel
def _unseen_climb(
    y: Any,
    height: float,
    climb: float,
    due: Any,
    place: Any,
    axes: Any,
    limits: Any,
    period_s: Any,
    detection: Any,
) -> float:
    """How likely a climb stayed unseen until it had reached y, looked at by each sensor's turns.

    `due` as in `_trace_level`.
    """
    at, unseen = y.copy(), 1.0
    for s in range(place.shape[0]):
        t = due[s]
        while t < height / climb and unseen > LEAST_WEIGHT:
            at[2] = y[2] - climb * t
            if covered(at, place[s], axes[s], limits[s]):
                unseen *= 1.0 - detection[s]
            t += period_s[s]
    return unseen


@kernel
def _unseen_below(
    y: Any,
    height: float,
    climb: float,
    place: Any,
    axes: Any,
    limits: Any,
    period_s: Any,
    detection: Any,
) -> float:
    """How likely a climb from the ground to y stayed unseen, the sensors' turns being anywhere.

    The part of the climb that a sensor covers is one span of heights; of a span that takes n
    turns it looks n rounded down or up, as the turns fall.
    """
    at, unseen = y.copy(), 1.0
    for s in range(place.shape[0]):
        across = math.hypot(y[0] - place[s, 0], y[1] - place[s, 1])
        if across > limits[s, 1]:
            continue
        low = max(y[2] - height, place[s, 2] + across * math.tan(math.radians(limits[s, 4])))
        high = y[2]
        if limits[s, 5] < 90.0:
            high = min(high, place[s, 2] + across * math.tan(math.radians(limits[s, 5])))
        if high <= low:
            continue
        at[2] = 0.5 * (low + high)
        if not covered(at, place[s], axes[s], limits[s]):
            continue
        turns = (high - low) / (climb * period_s[s])
        whole = math.floor(turns)
        miss = 1.0 - detection[s]
        unseen *= miss**whole * (1.0 - (turns - whole) * detection[s])
    return unseen
