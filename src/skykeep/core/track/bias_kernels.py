"""Numeric kernels of registration: what a sensor measured against what aircraft say.

A measurement is polar: range m, azimuth rad, elevation rad, NaN where not measured. The bias
b = (range m, azimuth rad, elevation rad, time s) is what a sensor says minus what is true; its
time stamp is late by the last. All claims may be too high by the same c (m): devices that give
a height over the sea for one over the ellipsoid. Each aircraft brings errors of its own: its
claims are late by tau (s) and displaced by o = (east, north, up) m. With h the polar place of the
claim, J its derivative by place and v the velocity, to first order

    z - h = b[:3] - (J v) b[3] - J[:, 2] c + (J v) tau - J o + noise

Information about (b, c, tau, o) is kept an aircraft each, and the aircraft's own part is
eliminated where several are put together (least squares with an arrowhead matrix).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from skykeep.core.geo import kernel

#: What aircraft have in common: the four parts of the bias, then c; what each has of its own.
SHARED, OWN = 5, 4
STATES = SHARED + OWN
#: Plots that may be an aircraft's, kept a turn: a wide gate of 0.3 km2 over five targets a km2
#: holds one or two, and as many false ones in a cluttered sky.
CANDIDATES = 8
#: Closer to the vertical a degree of azimuth is less than a third of a degree of arc.
MOST_ELEVATION_RAD = math.radians(70.0)
#: A claim is moved on by its velocity for no longer than this.
MOST_LAG_S = 2.0
#: Of that motion: a drone changes its speed by about 1 m/s in a second (as the tracker has it),
#: and what it says of its speed has a variance of its own.
ACCELERATION_M2PS3 = 1.0
#: Beyond so many sigmas a comparison weighs less, in proportion (Huber 1964): one in 35 true
#: ones of three parts is.
HUBER_SIGMAS = 3.0


@kernel
def look(
    claimed: Any,
    velocity: Any,
    lag_s: float,
    place: Any,
    axes: Any,
    polar: Any,
    rate: Any,
    jac: Any,
) -> None:
    """How a claim (3,), moved on by `lag_s`, is seen from a sensor.

    Fills polar (3,), its derivative by time, rate (3,), and by place in the site's frame,
    jac (3, 3).
    """
    for b in range(3):
        polar[b] = 0.0
        for a in range(3):
            polar[b] += axes[a, b] * (claimed[a] + lag_s * velocity[a] - place[a])
    e, n, u = polar[0], polar[1], polar[2]
    level2 = max(e * e + n * n, 1.0)  # straight above, azimuth means nothing: see the gate
    range2 = level2 + u * u
    level, rng = math.sqrt(level2), math.sqrt(range2)
    polar[0], polar[1], polar[2] = rng, math.atan2(e, n), math.atan2(u, level)
    for a in range(3):
        east, north, up = axes[a, 0], axes[a, 1], axes[a, 2]
        jac[0, a] = (e * east + n * north + u * up) / rng
        jac[1, a] = (n * east - e * north) / level2
        jac[2, a] = (level * up - u * (e * east + n * north) / level) / range2
    for k in range(3):
        rate[k] = 0.0
        for a in range(3):
            rate[k] += jac[k, a] * velocity[a]


@kernel
def differ(z: Any, polar: Any, nu: Any) -> None:
    """Measured minus seen (3,), azimuth wrapped to [-pi, pi); NaN where not measured."""
    for k in range(3):
        nu[k] = z[k] - polar[k]
    nu[1] -= 2.0 * math.pi * math.floor((nu[1] + math.pi) / (2.0 * math.pi))


@kernel
def white_variance(s: Any, jac: Any, spread: Any, lag_s: float, k: int) -> float:
    """Variance of one part of a comparison that is new each time: plot, claim, motion."""
    moved = abs(lag_s) ** 3 * ACCELERATION_M2PS3 / 3.0 + lag_s * lag_s * spread[2]
    total = s[k] * s[k]
    for a in range(3):
        total += jac[k, a] * jac[k, a] * ((spread[1] if a == 2 else spread[0]) + moved)
    return float(total)


@kernel
def lasting_variance(jac: Any, rate: Any, spread: Any, late_s: float, k: int) -> float:
    """Variance of one part of a comparison that stays: the aircraft's own errors."""
    total = rate[k] * rate[k] * late_s * late_s
    for a in range(3):
        total += jac[k, a] * jac[k, a] * (spread[1] if a == 2 else spread[0])
    return float(total)


@kernel
def too_far(
    z: Any,
    s: Any,
    j: int,
    claimed: Any,
    velocity: Any,
    spread: Any,
    i: int,
    lag_s: float,
    place: Any,
    late_s: float,
    reach_m: float,
    sigmas: float,
) -> bool:
    """Whether the range alone rules out plot j for claim i, by a bound that is never too narrow.

    Cheap: of a thousand plots a few dozen pass. `reach_m` is added to `sigmas` times the sum of
    all that may be wrong with a range.
    """
    e = claimed[i, 0] + lag_s * velocity[i, 0] - place[0]
    n = claimed[i, 1] + lag_s * velocity[i, 1] - place[1]
    u = claimed[i, 2] + lag_s * velocity[i, 2] - place[2]
    off_m = abs(z[j, 0] - math.sqrt(e * e + n * n + u * u)) - reach_m
    if not off_m > sigmas * s[j, 0]:
        return False
    speed = abs(velocity[i, 0]) + abs(velocity[i, 1]) + abs(velocity[i, 2])
    moved_m = abs(lag_s) * (math.sqrt(abs(lag_s) * ACCELERATION_M2PS3) + math.sqrt(spread[i, 2]))
    wrong_m = s[j, 0] + 2.0 * (math.sqrt(spread[i, 0]) + math.sqrt(spread[i, 1])) + moved_m
    wrong_m += late_s * speed + 1.0  # and one for what is straight above: see look
    return bool(off_m > sigmas * wrong_m)


@kernel
def candidates(
    z: Any,
    s: Any,
    plot_ns: Any,
    claim_ns: Any,
    claimed: Any,
    velocity: Any,
    spread: Any,
    place: Any,
    axes: Any,
    reach: Any,
    late_s: float,
) -> tuple[Any, Any]:
    """Which plots may be each aircraft's under any bias within `reach` (3,).

    z, s (m, 3) plots and their sigmas; claimed, velocity (n, 3), spread (n, 3) variances of the
    claims: horizontal, vertical, of each part of the velocity. Returns differences
    (n, CANDIDATES, 3), NaN where there are fewer and 0 in a part that is not measured, and how
    far two that agree may differ, (n, 3).
    """
    n, m = claimed.shape[0], z.shape[0]
    found, tolerance = np.full((n, CANDIDATES, 3), np.nan), np.zeros((n, 3))
    polar, rate, jac, nu = np.empty(3), np.empty(3), np.empty((3, 3)), np.empty(3)
    limit = np.empty(3)
    for i in range(n):
        count = 0
        for j in range(m):
            lag_s = (plot_ns[j] - claim_ns[i]) * 1e-9
            if abs(lag_s) > MOST_LAG_S or count == CANDIDATES:
                continue
            if too_far(z, s, j, claimed, velocity, spread, i, lag_s, place, late_s, reach[0], 3.0):
                continue
            look(claimed[i], velocity[i], lag_s, place, axes, polar, rate, jac)
            differ(z[j], polar, nu)
            near = abs(polar[2]) <= MOST_ELEVATION_RAD
            for k in range(3):
                white = white_variance(s[j], jac, spread[i], lag_s, k)
                more = lasting_variance(jac, rate, spread[i], late_s, k)
                limit[k] = 3.0 * math.sqrt(white + more)
                near = near and not abs(nu[k]) > reach[k] + limit[k]
            if not near:
                continue
            for k in range(3):
                found[i, count, k] = 0.0 if math.isnan(nu[k]) else nu[k]
                tolerance[i, k] = limit[k] if limit[k] == limit[k] else 0.0
            count += 1
    return found, tolerance


@kernel
def support(
    windows: Any, turns: Any, tolerance: Any, enough: int, centre: Any, mean: Any
) -> tuple[int, int]:
    """How many aircraft (and comparisons) agree with a bias `centre` (3,).

    windows (n, turns, CANDIDATES, 3) hold the last turns of each aircraft; it agrees when more
    than half of them have a plot within its tolerance. Fills mean (3,), that of those plots.
    """
    aircraft, hits = 0, 0
    mean[:] = 0.0
    part = np.empty(3)
    for i in range(windows.shape[0]):
        held = min(turns[i], windows.shape[1])
        own = 0
        part[:] = 0.0
        for t in range(held):
            best, chosen = np.inf, -1
            for c in range(CANDIDATES):
                furthest = 0.0
                for k in range(3):
                    away = abs(windows[i, t, c, k] - centre[k])
                    if tolerance[i, k] > 0.0:
                        furthest = max(furthest, away / tolerance[i, k])
                if furthest <= 1.0 and furthest < best and not math.isnan(windows[i, t, c, 1]):
                    best, chosen = furthest, c
            if chosen >= 0:
                own += 1
                for k in range(3):
                    part[k] += windows[i, t, chosen, k]
        if held >= enough and 2 * own > held:
            aircraft += 1
            hits += own
            for k in range(3):
                mean[k] += part[k]
    for k in range(3):
        mean[k] /= max(hits, 1)
    return aircraft, hits


@kernel
def vote(windows: Any, turns: Any, tolerance: Any, enough: int, newest: Any) -> tuple[int, Any]:
    """The bias that most aircraft agree with, and how many: (n, (3,)).

    Each difference in the newest turn of each aircraft stands for election; of equals the one
    with more comparisons, then the one that stood first.
    """
    best, best_hits = 0, 0
    centre, mean = np.zeros(3), np.empty(3)
    for i in range(windows.shape[0]):
        if turns[i] < enough:
            continue
        for c in range(CANDIDATES):
            at = windows[i, newest[i], c]
            if math.isnan(at[1]):
                continue
            aircraft, hits = support(windows, turns, tolerance, enough, at, mean)
            if aircraft == 0:
                continue
            again = mean.copy()
            aircraft, hits = support(windows, turns, tolerance, enough, again, mean)
            if aircraft > best or (aircraft == best and hits > best_hits):
                best, best_hits = aircraft, hits
                centre[:] = mean
    return best, centre


@kernel
def pairs(
    z: Any,
    s: Any,
    plot_ns: Any,
    claim_ns: Any,
    claimed: Any,
    velocity: Any,
    spread: Any,
    place: Any,
    axes: Any,
    bias: Any,
    variance: Any,
    late_s: float,
    gate2: float,
) -> tuple[Any, Any, Any, Any, Any]:
    """The one plot that fits each aircraft under what is shared, known to `variance` (SHARED,).

    Returns the plot (n,) or -1 for none or more than one; coefficients (n, 3, STATES),
    differences (n, 3) and their white variances (n, 3), infinite where not measured; and
    robust weights (n,). A plot that fits several aircraft is the nearest one's.
    """
    n, m = claimed.shape[0], z.shape[0]
    chosen, fit, weight = np.full(n, -1, np.int64), np.full(n, np.inf), np.ones(n)
    rows, nus, noise = np.zeros((n, 3, STATES)), np.zeros((n, 3)), np.full((n, 3), np.inf)
    polar, rate, jac, nu = np.empty(3), np.empty(3), np.empty((3, 3)), np.empty(3)
    white = np.empty(3)
    gate, late = math.sqrt(gate2), late_s + abs(bias[3]) + math.sqrt(variance[3])
    off_m = abs(bias[0]) + abs(bias[4]) + gate * (math.sqrt(variance[0]) + math.sqrt(variance[4]))
    for i in range(n):
        rivals = 0
        for j in range(m):
            lag_s = (plot_ns[j] - claim_ns[i]) * 1e-9
            if abs(lag_s) > MOST_LAG_S:
                continue
            if too_far(z, s, j, claimed, velocity, spread, i, lag_s, place, late, off_m, gate):
                continue
            look(claimed[i], velocity[i], lag_s, place, axes, polar, rate, jac)
            differ(z[j], polar, nu)
            d2 = 0.0 if abs(polar[2]) <= MOST_ELEVATION_RAD else np.inf
            for k in range(3):
                if math.isnan(nu[k]):
                    white[k] = np.inf
                    continue
                white[k] = white_variance(s[j], jac, spread[i], lag_s, k)
                total = white[k] + lasting_variance(jac, rate, spread[i], late_s, k)
                total += variance[k] + rate[k] * rate[k] * variance[3]
                total += jac[k, 2] * jac[k, 2] * variance[4]
                off = nu[k] - bias[k] + rate[k] * bias[3] + jac[k, 2] * bias[4]
                d2 += off * off / total
            if not d2 <= gate2:
                continue
            rivals += 1
            if d2 >= fit[i]:
                continue
            fit[i], chosen[i] = d2, j
            weight[i] = min(1.0, HUBER_SIGMAS / math.sqrt(max(d2, 1e-12)))
            for k in range(3):
                nus[i, k] = 0.0 if math.isnan(nu[k]) else nu[k]
                noise[i, k] = white[k]
                coefficients(rate, jac, k, rows[i, k])
        if rivals > 1:
            chosen[i] = -1
    one_owner(chosen, fit, m)
    return chosen, rows, nus, noise, weight


@kernel
def coefficients(rate: Any, jac: Any, k: int, row: Any) -> None:
    """How part k of a difference depends on bias, lateness and displacement, into row (STATES,)."""
    row[:] = 0.0
    row[k] = 1.0
    row[3], row[4], row[SHARED] = -rate[k], -jac[k, 2], rate[k]
    for a in range(3):
        row[SHARED + 1 + a] = -jac[k, a]


@kernel
def one_owner(chosen: Any, fit: Any, plots: int) -> None:
    """Leave each plot to the aircraft that it fits best, in place; -1 for the others."""
    owner = np.full(plots, -1, np.int64)
    for i in range(chosen.shape[0]):
        j = chosen[i]
        if j >= 0 and (owner[j] < 0 or fit[i] < fit[owner[j]]):
            owner[j] = i
    for i in range(chosen.shape[0]):
        if chosen[i] >= 0 and owner[chosen[i]] != i:
            chosen[i] = -1


@kernel
def absorb(info: Any, rhs: Any, rows: Any, nu: Any, noise: Any, weight: float) -> None:
    """Add one comparison to an aircraft's information and right side, in place."""
    for k in range(3):
        if not noise[k] < np.inf:
            continue
        w = weight / noise[k]
        for a in range(STATES):
            rhs[a] += w * rows[k, a] * nu[k]
            for b in range(STATES):
                info[a, b] += w * rows[k, a] * rows[k, b]


@kernel
def inverse(a: Any) -> Any:
    """Of a small symmetric positive definite matrix: Gauss-Jordan, without need of pivots."""
    n = a.shape[0]
    left, right = a.copy(), np.eye(n)
    for p in range(n):
        scale = 1.0 / left[p, p]
        for c in range(n):
            left[p, c] *= scale
            right[p, c] *= scale
        for r in range(n):
            if r == p:
                continue
            share = left[r, p]
            for c in range(n):
                left[r, c] -= share * left[p, c]
                right[r, c] -= share * right[p, c]
    return right


@kernel
def put_together(info: Any, rhs: Any, own: Any, live: Any, known: Any) -> tuple[Any, Any]:
    """Information (SHARED, SHARED) and right side (SHARED,) from the aircraft that are live.

    own (n, OWN): what is known beforehand of each aircraft's lateness and displacement, and
    known (SHARED,) of the bias and the common height, as inverse variances around 0.
    """
    matrix, vector = np.zeros((SHARED, SHARED)), np.zeros(SHARED)
    for a in range(SHARED):
        matrix[a, a] = known[a]
    for i in range(info.shape[0]):
        if not live[i]:
            continue
        d_inverse = inverse(own_part(info[i], own[i]))
        for a in range(SHARED):
            vector[a] += rhs[i, a]
            for b in range(SHARED):
                matrix[a, b] += info[i, a, b]
            for b in range(OWN):
                share = 0.0
                for c in range(OWN):
                    share += info[i, a, SHARED + c] * d_inverse[c, b]
                vector[a] -= share * rhs[i, SHARED + b]
                for e in range(SHARED):
                    matrix[a, e] -= share * info[i, SHARED + b, e]
    return matrix, vector


@kernel
def own_part(info: Any, own: Any) -> Any:
    """What is known of an aircraft's own errors (OWN, OWN), beforehand and by comparisons."""
    d = np.empty((OWN, OWN))
    for a in range(OWN):
        for b in range(OWN):
            d[a, b] = info[SHARED + a, SHARED + b] + (own[a] if a == b else 0.0)
    return d


@kernel
def misfit(info: Any, rhs: Any, own: Any, shared: Any) -> float:
    """How improbable the errors are that one aircraft would need, given what is shared: chi2."""
    e = np.empty(OWN)
    for a in range(OWN):
        e[a] = rhs[SHARED + a]
        for b in range(SHARED):
            e[a] -= info[SHARED + a, b] * shared[b]
    needed = times(inverse(own_part(info, own)), e)
    total = 0.0
    for a in range(OWN):
        total += own[a] * needed[a] * needed[a]
    return total


@kernel
def agreed(
    info: Any, rhs: Any, own: Any, live: Any, known: Any, most_misfit: float
) -> tuple[Any, Any, Any]:
    """The bias on which the live aircraft agree: information, right side, who was kept (n,).

    While any would need improbable errors of its own, the worst of them is left out.
    """
    kept = live.copy()
    matrix, vector = put_together(info, rhs, own, kept, known)
    for _ in range(info.shape[0]):
        bias = times(inverse(matrix), vector)
        worst, at = most_misfit, -1
        for i in range(info.shape[0]):
            if kept[i]:
                much = misfit(info[i], rhs[i], own[i], bias)
                if much > worst:
                    worst, at = much, i
        if at < 0:
            break
        kept[at] = False
        matrix, vector = put_together(info, rhs, own, kept, known)
    return matrix, vector, kept


@kernel
def times(a: Any, x: Any) -> Any:
    """A small matrix times a vector, in a fixed order of sums."""
    out = np.zeros(a.shape[0])
    for r in range(a.shape[0]):
        for c in range(a.shape[1]):
            out[r] += a[r, c] * x[c]
    return out


@kernel
def estimate(matrix: Any, vector: Any, held: Any) -> tuple[Any, Any]:
    """What is shared with the parts in `held` kept at 0, and sigmas with none held: (SHARED,)."""
    covariance = inverse(matrix)
    sigma = np.empty(SHARED)
    left, right = matrix.copy(), vector.copy()
    for a in range(SHARED):
        sigma[a] = math.sqrt(covariance[a, a])
        if held[a]:
            right[a] = 0.0
            for b in range(SHARED):
                left[a, b] = left[b, a] = 1.0 if a == b else 0.0
    return times(inverse(left), right), sigma
