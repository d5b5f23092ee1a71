"""When a track will have entered a zone: a probability over a horizon, from its covariance.

The tracker's own model of motion is played forward: white-noise acceleration, from the state's
normal distribution. The plays are a fixed set of points, so that the same state gives the same
answer, bit for bit; what is known only by its bounds (ground, geoid) is drawn evenly between.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from statistics import NormalDist
from typing import Any

import numpy as np

from skykeep.core.event import Arrival
from skykeep.core.geo import (
    F64,
    Circle,
    Frame,
    Height,
    HeightAgl,
    HeightReference,
    PreparedArea,
    Terrain,
    Tri,
    height_span,
    kernel,
    metres_per_degree,
    reference_of,
)
from skykeep.core.observation import I64
from skykeep.core.track.kernels import predict
from skykeep.core.zone import PreparedZone, applies_until
from skykeep.units import NS_PER_S

#: As far as is foreseen; what a drone does after two minutes its present course does not tell.
HORIZON_S = 120.0
#: A rank-1 lattice of Korobov (Niederreiter 1992, 5.1): point i, coordinate j is the fraction
#: of i a^j / N. N is prime; of all a this one came closest to 20,000 random flights in each of
#: 30 random approaches (0.5 % in the mean, 2 % at most); the tests have others.
LATTICE, GENERATOR = 509, 110
POINTS = LATTICE - 1  # all but the origin: i and N - i mirror each other, odd moments vanish
#: White noise over the horizon as a sum of Legendre polynomials; of the doubly integrated noise
#: this many terms leave 0.1 % in the mean.
TERMS = 10
#: Moments at which a play is looked at, closer together at first; straight in between, which at
#: the tracker's noise is off by 4 m (an eighth of the step times the speed's change in it).
KNOTS = 16
KNOT_POWER = 1.5
#: No play leaves its mean by more; the farthest of the fixed points lies at 4.
REACH_SIGMAS = 5.0
#: Straight in longitude and latitude is not straight in metres; at this length, and 70 degrees
#: of latitude, the two part by 1.4 m.
LONGEST_EDGE_M = 5_000.0
#: Slices of a polygon from south to north, in each of which few edges are looked at.
MOST_SLICES = 64
SHARES = (0.1, 0.5, 0.9)


SURELY_INSIDE = Arrival(1.0, 0.0, 0.0, 0.0)
NEVER = Arrival(0.0, None, None, None)


@dataclass(frozen=True, slots=True, eq=False)
class Motion:
    """A state x (6,) with covariance p (6, 6) in the site's frame, `lag_s` ago.

    q in m^2/s^3 as in `track.kernels`.
    """

    x: F64
    p: F64
    lag_s: float
    q_horizontal: float
    q_vertical: float


@dataclass(frozen=True, slots=True, eq=False)
class LocalArea:
    """An area in the site's frame: box (4,) west south east north; circle (3,) or edges (n, 4).

    Slice k of the box, from south to north, meets edges `sliced[starts[k]:starts[k + 1]]`.
    """

    box: F64
    circle: F64  # east, north, radius; radius -1: a polygon
    edges: F64
    starts: I64
    sliced: I64


@dataclass(frozen=True, slots=True, eq=False)
class Target:
    """A zone ready to be foreseen in one site's frame."""

    zone: PreparedZone
    areas: tuple[LocalArea, ...]


def target_of(zone: PreparedZone, frame: Frame) -> Target:
    """A zone's areas in a site's frame."""
    return Target(zone, tuple(_local(area, frame) for area in zone.areas))


def _local(prepared: PreparedArea, frame: Frame) -> LocalArea:
    area = prepared.area
    if isinstance(area, Circle):
        east, north, _ = frame.to_enu(area.lat_deg, area.lon_deg, frame.hae_m)
        r = area.radius_m
        box = np.array([east - r, north - r, east + r, north + r])
        none = np.zeros(0, np.int64)
        return LocalArea(box, np.array([east, north, r]), np.empty((0, 4)), none, none)
    edges = _edges(prepared, frame)
    low, high = edges.reshape(-1, 2).min(axis=0), edges.reshape(-1, 2).max(axis=0)
    box = np.array([low[0], low[1], high[0], high[1]])
    count = min(MOST_SLICES, max(1, len(edges) // 2))
    slices: list[list[int]] = [[] for _ in range(count)]
    tall = max(float(box[3] - box[1]), 1e-9)
    for i, (_, n1, _, n2) in enumerate(edges.tolist()):
        first, last = (int(count * (n - box[1]) / tall) for n in (min(n1, n2), max(n1, n2)))
        for k in range(min(first, count - 1), min(last, count - 1) + 1):
            slices[k].append(i)
    starts = np.cumsum([0, *map(len, slices)], dtype=np.int64)
    sliced = np.array([i for one in slices for i in one], np.int64)
    return LocalArea(box, np.array([0.0, 0.0, -1.0]), edges, starts, sliced)


def _edges(prepared: PreparedArea, frame: Frame) -> F64:
    """The edges of all rings (n, 4) in metres, long ones cut."""
    found: list[tuple[float, float, float, float]] = []
    start = 0
    for end in prepared.ring_ends.tolist():
        ring = prepared.vertices[start:end].tolist()
        for (lon1, lat1), (lon2, lat2) in pairwise(ring):
            per_lon, per_lat = metres_per_degree(0.5 * (lat1 + lat2))
            long_m = math.hypot((lon2 - lon1) * per_lon, (lat2 - lat1) * per_lat)
            pieces = max(1, math.ceil(long_m / LONGEST_EDGE_M))
            points = [
                frame.to_enu(
                    lat1 + (lat2 - lat1) * k / pieces, lon1 + (lon2 - lon1) * k / pieces,
                    frame.hae_m,
                )[:2]
                for k in range(pieces + 1)
            ]  # fmt: skip
            found += [(*a, *b) for a, b in pairwise(points)]
        start = end
    return np.array(found, dtype=np.float64).reshape(-1, 4)


def foresee(
    motion: Motion,
    height: Height | None,
    target: Target,
    at_ns: int,
    terrain: Terrain | None,
    horizon_s: float = HORIZON_S,
) -> Arrival | None:
    """When a track will have entered a zone that applies, from `at_ns` over the horizon.

    `height` is the track's now, in the reference that it keeps. None where it cannot be told:
    whether the zone applies, or where a height lies. Of several spans in which the zone applies
    only the first counts.
    """
    span = _window(target.zone, at_ns, min(horizon_s, HORIZON_S))
    if span is None:
        return None
    if span[0] >= span[1]:
        return NEVER
    fixed = points()
    x, factor = begin(
        motion.x, motion.p, motion.lag_s, motion.q_horizontal, motion.q_vertical,
        0.0 if height is None else height.m,
    )  # fmt: skip
    entered = np.full(POINTS, np.inf)
    for volume, area in zip(target.zone.zone.volumes, target.areas, strict=True):
        limits = _limits(height, volume.lower, volume.upper, terrain)
        if limits is None:
            if reaches(x, factor, motion.q_horizontal, span[1], area.box):
                return None
            continue
        enter(
            entered, x, factor, motion.q_horizontal, motion.q_vertical, fixed.at_s, fixed.start,
            fixed.noise, fixed.even, area.box, area.circle, area.edges, area.starts, area.sliced,
            limits, span[0], span[1],
        )  # fmt: skip
    return _told(entered)


def _told(entered: F64) -> Arrival:
    times = np.sort(entered)
    count = int(np.count_nonzero(times < np.inf))
    if not count:
        return NEVER
    at = [math.ceil(share * POINTS) for share in SHARES]
    p10, p50, p90 = (round(float(times[n - 1]), 1) if n <= count else None for n in at)
    return Arrival(round(count / POINTS, 2), p10, p50, p90)


def _window(zone: PreparedZone, at_ns: int, horizon_s: float) -> tuple[float, float] | None:
    """From when until when the zone applies, in seconds from now; None: it cannot be told."""
    if not zone.zone.readable:
        return None
    now = applies_until(zone.zone, at_ns)
    begin_s = 0.0
    if now.answer is Tri.NO and now.until_ns is not None:
        begin_s = (now.until_ns - at_ns) / NS_PER_S
        if begin_s < horizon_s:
            now = applies_until(zone.zone, now.until_ns)
    if now.answer is Tri.MAYBE:
        return None
    if now.answer is Tri.NO:
        return 0.0, 0.0
    end_s = math.inf if now.until_ns is None else (now.until_ns - at_ns) / NS_PER_S
    return begin_s, min(end_s, horizon_s)


def _limits(
    height: Height | None, lower: Height | None, upper: Height | None, terrain: Terrain | None
) -> F64 | None:
    """The bounds (4,) of lower and upper limit in the track's own reference, or None.

    As in `geo.in_heights`, a lower limit at or below the ground holds for all that flies.
    """
    if isinstance(lower, HeightAgl) and lower.m <= 0.0:
        lower = None
    found = [-math.inf, -math.inf, math.inf, math.inf]
    for limit, place in ((lower, 0), (upper, 2)):
        if limit is None:
            continue
        own = reference_of(height)
        span = None if own is HeightReference.NONE else height_span(limit, 0.0, own, terrain)
        if span is None:
            return None
        found[place], found[place + 1] = span.low_m, span.high_m
    return np.array(found)


@dataclass(frozen=True, slots=True, eq=False)
class Points:
    """The fixed plays: knots (KNOTS + 1,) s; normals of the state at the start (n, 6); the noise's
    displacement in m at q = 1 (n, KNOTS + 1, 3); even shares in (0, 1) (n,).
    """

    at_s: F64
    start: F64
    noise: F64
    even: F64


@cache
def points() -> Points:
    """The plays, made once: lattice, normal, without correlation and with variance 1."""
    normal = NormalDist()
    inverse = np.array([0.0, *(normal.inv_cdf(i / LATTICE) for i in range(1, LATTICE))])
    at = np.arange(1, LATTICE)
    columns: list[F64] = []
    for j in range(6 + 3 * TERMS):
        column = inverse[at * pow(GENERATOR, j, LATTICE) % LATTICE]
        for other in columns:  # Gram-Schmidt: second moments exactly those of the normal
            column = column - other * (float((column * other).sum()) / POINTS)
        columns.append(column / math.sqrt(float((column * column).sum()) / POINTS))
    even = (at * pow(GENERATOR, 6 + 3 * TERMS, LATTICE) % LATTICE) / LATTICE
    share = (np.arange(KNOTS + 1) / KNOTS) ** KNOT_POWER
    basis = np.array([_twice_integrated(k, share) for k in range(TERMS)])
    # What the missing terms would add, so that the variance t^3/3 is exact at each knot.
    total = (basis * basis).sum(axis=0)
    basis[:, 1:] *= np.sqrt(share[1:] ** 3 / 3.0 / total[1:])
    noise = np.zeros((POINTS, KNOTS + 1, 3))
    for k in range(TERMS):
        for axis in range(3):
            noise[:, :, axis] += columns[6 + 3 * k + axis][:, None] * basis[k]
    noise *= HORIZON_S**1.5
    return Points(share * HORIZON_S, np.array(columns[:6]).T.copy(), noise, even)


def _twice_integrated(k: int, share: F64) -> F64:
    """The k-th orthonormal Legendre polynomial on (0, 1), integrated twice from 0.

    int P_k = (P_{k+1} - P_{k-1}) / (2 k + 1) on (-1, 1) (DLMF 18.17.1), with P_{-1} = -1.
    """
    y = 2.0 * share - 1.0
    legendre = [-np.ones_like(y), np.ones_like(y), y]  # P_{-1}, P_0, P_1
    for n in range(1, k + 2):
        legendre.append(((2 * n + 1) * y * legendre[-1] - n * legendre[-2]) / (n + 1))

    def once(n: int) -> F64:
        if n < 0:  # the P_{-1} above stands for the constant of integration
            return -(y + 1.0)
        found: F64 = (legendre[n + 2] - legendre[n]) / (2 * n + 1)
        return found

    twice: F64 = (once(k + 1) - once(k - 1)) / (2 * k + 1)
    return math.sqrt(2 * k + 1) * twice / 4.0  # dy = 2 d(share), twice


@kernel
def begin(
    x0: Any, p0: Any, lag_s: float, q_horizontal: float, q_vertical: float, height_m: float
) -> tuple[Any, Any]:
    """State (6,) now, its height as given, and a factor (6, 6) of its covariance.

    A covariance that is not positive loses the directions in which it is not.
    """
    x, p = x0.copy(), p0.copy()
    predict(x, p, max(lag_s, 0.0), q_horizontal, q_vertical)
    x[2] = height_m
    factor = np.zeros((6, 6))
    for c in range(6):
        pivot = p[c, c]
        for k in range(c):
            pivot -= factor[c, k] * factor[c, k]
        if not 1e-12 * p[c, c] < pivot < np.inf:
            continue
        factor[c, c] = math.sqrt(pivot)
        for r in range(c + 1, 6):
            total = p[r, c]
            for k in range(c):
                total -= factor[r, k] * factor[c, k]
            factor[r, c] = total / factor[c, c]
    return x, factor


@kernel
def reaches(x: Any, factor: Any, q: float, horizon_s: float, box: Any) -> bool:
    """Whether any play can come to a box within the horizon.

    The variance of a place is convex in time: it is largest at one end.
    """
    for a in range(2):
        now, then = 0.0, q * horizon_s * horizon_s * horizon_s / 3.0
        for k in range(6):
            now += factor[a, k] * factor[a, k]
            moved = factor[a, k] + horizon_s * factor[a + 3, k]
            then += moved * moved
        spread = REACH_SIGMAS * math.sqrt(max(now, then))
        end = x[a] + horizon_s * x[a + 3]
        if max(x[a], end) + spread < box[a] or min(x[a], end) - spread > box[a + 2]:
            return False
    return True


@kernel
def enter(
    entered: Any,
    x: Any,
    factor: Any,
    q_horizontal: float,
    q_vertical: float,
    at_s: Any,
    start: Any,
    noise: Any,
    even: Any,
    box: Any,
    circle: Any,
    edges: Any,
    starts: Any,
    sliced: Any,
    limits: Any,
    from_s: float,
    until_s: float,
) -> None:
    """When each play enters a volume (s), where sooner than `entered` (n,) has it; in place."""
    if not reaches(x, factor, q_horizontal, until_s, box):
        return
    g, g_up = math.sqrt(q_horizontal), math.sqrt(q_vertical)
    y = np.empty(6)
    for i in range(entered.shape[0]):
        for r in range(6):
            y[r] = x[r]
            for c in range(r + 1):
                y[r] += factor[r, c] * start[i, c]
        low = limits[0] + even[i] * (limits[1] - limits[0]) if limits[0] > -np.inf else -np.inf
        high = limits[2] + even[i] * (limits[3] - limits[2]) if limits[2] < np.inf else np.inf
        e1, n1, u1 = y[0], y[1], y[2]
        for j in range(1, at_s.shape[0]):
            t0, t1 = at_s[j - 1], at_s[j]
            if t0 > until_s or t0 >= entered[i]:
                break
            e0, n0, u0 = e1, n1, u1
            e1 = y[0] + t1 * y[3] + g * noise[i, j, 0]
            n1 = y[1] + t1 * y[4] + g * noise[i, j, 1]
            u1 = y[2] + t1 * y[5] + g_up * noise[i, j, 2]
            if (
                t1 < from_s
                or (e0 < box[0] and e1 < box[0])
                or (e0 > box[2] and e1 > box[2])
                or (n0 < box[1] and n1 < box[1])
                or (n0 > box[3] and n1 > box[3])
                or (u0 < low and u1 < low)
                or (u0 > high and u1 > high)
            ):
                continue
            first, last = _part(t0, t1, from_s, until_s)
            up_first, up_last = _part(u0, u1, low, high)
            first, last = max(first, up_first), min(last, up_last)
            if not first <= last:
                continue
            s = _meets(e0, n0, e1 - e0, n1 - n0, first, last, box, circle, edges, starts, sliced)
            if 0.0 <= s <= 1.0:
                entered[i] = min(entered[i], t0 + s * (t1 - t0))
                break


@kernel
def _part(a: float, b: float, low: float, high: float) -> tuple[float, float]:
    """From which to which share of the way from a to b it lies between; (1, 0) for none."""
    if a == b:
        return (0.0, 1.0) if low <= a <= high else (1.0, 0.0)
    one, two = (low - a) / (b - a), (high - a) / (b - a)
    if one > two:
        one, two = two, one
    return max(0.0, one), min(1.0, two)


@kernel
def _meets(
    e0: float,
    n0: float,
    de: float,
    dn: float,
    first: float,
    last: float,
    box: Any,
    circle: Any,
    edges: Any,
    starts: Any,
    sliced: Any,
) -> float:
    """The least s from `first` to `last` with (e0, n0) + s (de, dn) in the area; 2 for none."""
    e1, n1 = e0 + first * de, n0 + first * dn
    e2, n2 = e0 + last * de, n0 + last * dn
    if max(e1, e2) < box[0] or min(e1, e2) > box[2] or max(n1, n2) < box[1] or min(n1, n2) > box[3]:
        return 2.0
    if circle[2] >= 0.0:
        return _meets_circle(e0 - circle[0], n0 - circle[1], de, dn, first, last, circle[2])
    slices = starts.shape[0] - 1
    per_m = slices / max(box[3] - box[1], 1e-9)
    if box[0] <= e1 <= box[2] and box[1] <= n1 <= box[3]:
        at = min(slices - 1, int((n1 - box[1]) * per_m))
        if _is_in(e1, n1, edges, sliced, starts[at], starts[at + 1]):
            return first
    best = 2.0
    lowest = (min(max(min(n1, n2), box[1]), box[3]) - box[1]) * per_m
    highest = (min(max(n1, n2), box[3]) - box[1]) * per_m
    for j in range(starts[min(slices - 1, int(lowest))], starts[min(slices - 1, int(highest)) + 1]):
        k = sliced[j]
        fe, fn = edges[k, 2] - edges[k, 0], edges[k, 3] - edges[k, 1]
        cross = de * fn - dn * fe
        if cross == 0.0:
            continue
        oe, on = edges[k, 0] - e0, edges[k, 1] - n0
        s, along = (oe * fn - on * fe) / cross, (oe * dn - on * de) / cross
        if first <= s <= last and 0.0 <= along <= 1.0 and s < best:
            best = s
    return best


@kernel
def _is_in(e: float, n: float, edges: Any, sliced: Any, begin_at: int, end_at: int) -> bool:
    inside = False
    for j in range(begin_at, end_at):
        k = sliced[j]
        n1, n2 = edges[k, 1], edges[k, 3]
        if (n1 > n) == (n2 > n):
            continue
        if edges[k, 0] + (n - n1) * (edges[k, 2] - edges[k, 0]) / (n2 - n1) > e:
            inside = not inside
    return inside


@kernel
def _meets_circle(
    e: float, n: float, de: float, dn: float, first: float, last: float, radius: float
) -> float:
    """As `_meets`, for a circle around the origin."""
    c = e * e + n * n - radius * radius
    half_b, aa = e * de + n * dn, de * de + dn * dn
    if aa == 0.0:
        return first if c <= 0.0 else 2.0
    root = half_b * half_b - aa * c
    if not root >= 0.0:
        return 2.0
    wide = math.sqrt(root)
    near, far = (-half_b - wide) / aa, (-half_b + wide) / aa
    if near > last or far < first:
        return 2.0
    return max(near, first)
