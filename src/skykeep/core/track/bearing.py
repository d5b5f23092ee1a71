"""Bearings: a frame of one sensor against all confirmed tracks, by probability.

What a finder or camera errs lasts: for seconds its bearings of one target are off to the same
side. Taken for independent, ten a second soon outvote the radar. So each track learns, for each
sensor, how far off it is (calibration); a frame counts by the time since the last one that was
used (tempering); a sensor that has not seen a track is not soon believed to (sight); what stands
in the same direction for minutes is remembered as false (map); and a bearing that may well be of
either of two tracks moves neither. Measured in bench.autoferry. Bearings change neither whether
a track exists nor begin one.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from skykeep.core.geo import kernel
from skykeep.core.track.columns import CONFIRMED
from skykeep.core.track.ear import (
    BIAS,
    MAP_BINS,
    NEVER_NS,
    PRIOR,
    SIGHT,
    UNSPENT_S,
    VARIANCE,
)
from skykeep.core.track.kernels import bearing_distance, covered, kind_shares
from skykeep.core.track.motion import combine, move_on
from skykeep.core.track.share import share

TURN = 2.0 * math.pi
#: What is believed of a sensor's sight of a track without evidence, and how soon again: cameras
#: lose a boat for whole half-minutes, a drone's link is silent while it flies by itself.
SIGHT_PRIOR, SIGHT_S = 0.2, 10.0
LEAST_SIGHT, MOST_SIGHT = 0.02, 0.98
#: What is no longer seen is forgotten in this time.
MAP_S = 20.0
#: A bearing counts as used for a track, and is named among its evidence, from this probability.
USED = 0.1
#: A bearing that is more probably a track's than not keeps it alive.
KEEPS_ALIVE = 0.5
#: No finder is better than this (0.2 arc seconds), whatever it says; beyond half a turn a sigma
#: says nothing.
LEAST_SIGMA_RAD, MOST_SIGMA_RAD = 1e-6, math.pi
#: A target that is nearer than its extent fills the view: no more is known of it than this.
MOST_EXTENT_RAD2 = 1.0
#: In correlation times; then the error is another one, and a bearing counts in full.
LONG_SILENCE = 20.0
#: What became of a bearing.
OUTSIDE, IN_GATE, AMBIGUOUS, TAKEN = range(4)


@kernel
def _wrapped(angle_rad: float) -> float:
    return angle_rad - TURN * math.floor((angle_rad + math.pi) / TURN)


@kernel
def _usable(azimuth_rad: Any, sigma_rad: Any) -> tuple[Any, Any, Any]:
    """The bearings that can be, in an order that does not depend on how they came.

    Returns their places in the frame, azimuths in [0, 2 pi) and sigmas, (m,) each.
    """
    m = azimuth_rad.shape[0]
    turned, sigma, good = np.empty(m), np.empty(m), np.zeros(m, np.bool_)
    for j in range(m):
        turned[j] = azimuth_rad[j] - TURN * math.floor(azimuth_rad[j] / TURN)
        good[j] = 0.0 <= turned[j] <= TURN and 0.0 < sigma_rad[j] < MOST_SIGMA_RAD
        sigma[j] = max(sigma_rad[j], LEAST_SIGMA_RAD)
    order = np.flatnonzero(good)
    order = order[np.argsort(sigma[order], kind="mergesort")]
    order = order[np.argsort(turned[order], kind="mergesort")]
    return order, turned[order], sigma[order]


@kernel
def _bin(azimuth_rad: float) -> int:
    return int(azimuth_rad / TURN * MAP_BINS) % MAP_BINS


@kernel
def _false_density(azimuth: Any, rate: Any, habits: Any) -> Any:
    """False bearings per rad and frame around each azimuth (m,), the map's from three bins.

    A direction finder reports what it knows for a drone's link: what it hears where no track
    is will be a drone that the radar has not found yet, and no house.
    """
    density = np.full(azimuth.shape[0], habits.false_per_rad)
    if habits.transmitters:
        return density
    for j in range(azimuth.shape[0]):
        b = _bin(azimuth[j])
        near = rate[b - 1] + rate[b] + rate[(b + 1) % MAP_BINS]
        density[j] += near * MAP_BINS / (3.0 * TURN)
    return density


@kernel
def _choose(
    c: Any, n: int, at_ns: int, place: Any, axes: Any, limits: Any, late_ns: int, q: Any,
    leave_s: Any,
) -> tuple[Any, Any]:  # fmt: skip
    """The confirmed tracks in coverage (t,), moved on to `at_ns`, and how far it lies behind."""
    rows, lag_s = np.empty(n, np.int64), np.zeros(n)
    t = 0
    for i in range(n):
        if c.status[i] != CONFIRMED or c.time_ns[i] > at_ns + late_ns:
            continue
        if not covered(c.x[i], place, axes, limits):
            continue
        dt_s = (at_ns - c.time_ns[i]) * 1e-9
        if dt_s > 0.0:
            move_on(c.x_of[i], c.p_of[i], c.share_of[i], c.x[i], c.p[i], dt_s, q, leave_s)
            c.time_ns[i] = at_ns
        rows[t], lag_s[t] = i, min(dt_s, 0.0)
        t += 1
    return rows[:t], lag_s[:t]


@kernel
def _recall(c: Any, rows: Any, ear: Any, habits: Any) -> tuple[Any, Any]:
    """What the ear holds of the tracks (t,): last_ns (t,), NEVER_NS where nothing, and link."""
    t = rows.shape[0]
    last_ns, link = np.full(t, NEVER_NS), np.zeros((t, 5))
    for k in range(t):
        at = np.searchsorted(ear.number, c.number[rows[k]])
        if at < ear.number.shape[0] and ear.number[at] == c.number[rows[k]]:
            last_ns[k] = ear.last_ns[at]
            link[k] = ear.link[at]
        else:
            link[k, SIGHT] = SIGHT_PRIOR
            link[k, UNSPENT_S] = LONG_SILENCE * habits.correlation_s
    return last_ns, link


@kernel
def _age(link: Any, first: bool, dt_s: float, prior: float, habits: Any) -> None:
    """One link, in place, on by `dt_s` since its last frame (`first`: there was none)."""
    if first:
        link[VARIANCE] = link[PRIOR] = prior
        return
    kept = math.exp(-dt_s / habits.bias_s)
    link[BIAS] *= kept
    for k in (VARIANCE, PRIOR):
        link[k] = kept * kept * link[k] + (1.0 - kept * kept) * prior
    link[SIGHT] = SIGHT_PRIOR + (link[SIGHT] - SIGHT_PRIOR) * math.exp(-dt_s / SIGHT_S)
    most_s = LONG_SILENCE * habits.correlation_s
    link[UNSPENT_S] = min(link[UNSPENT_S] + dt_s, most_s)


@kernel
def _look(
    c: Any, rows: Any, lag_s: Any, place: Any, at_ns: int, last_ns: Any, link: Any, sigma: Any,
    habits: Any,
) -> tuple[Any, Any]:  # fmt: skip
    """How each track (t,) would be seen: look (t, 3) and the weight of this frame (t,).

    look: minus the azimuth, its variance, and the variance that the target's extent adds; the
    variance is infinite where a bearing says nothing. Links are aged in place.
    """
    t = rows.shape[0]
    look, weight = np.empty((t, 3)), np.ones(t)
    least = sigma.min() if sigma.shape[0] else 0.0
    for k in range(t):
        i = rows[k]
        off, variance, range_m = bearing_distance(
            c.x[i], c.p[i], lag_s[k], place[0], place[1], 0.0, 0.0
        )
        first = last_ns[k] == NEVER_NS
        look[k, 0], look[k, 1], look[k, 2] = off, max(variance, 0.0), MOST_EXTENT_RAD2
        if not variance < np.inf:
            look[k, 1] = np.inf
        else:
            look[k, 2] = min((habits.extent_m / range_m) ** 2, MOST_EXTENT_RAD2)
        dt_s = 0.0 if first else max((at_ns - last_ns[k]) * 1e-9, 0.0)
        prior = (1.0 - habits.white_share) * least * least + look[k, 2]
        if sigma.shape[0] == 0:  # nobody said how good it is
            prior = link[k, PRIOR]
        _age(link[k], first, dt_s, prior, habits)
        if not first:
            weight[k] = 1.0 - math.exp(-dt_s / (2.0 * habits.correlation_s))
    return look, weight


@kernel
def _fits(look: Any, link: Any, azimuth: float, sigma: float, habits: Any) -> tuple[Any, Any, Any]:
    """A bearing against a track: innovation, white variance, density per rad (0: not in gate).

    The gate holds twice, with the learned bias and without: else a bias that something passing
    by has taught would follow it. What a bearing is worse than those that taught the bias
    counts for white.
    """
    nu = _wrapped(azimuth + look[0] - link[BIAS])
    white = habits.white_share * sigma * sigma
    whole = (1.0 - habits.white_share) * sigma * sigma + look[2]
    noise = white + max(whole - link[PRIOR], 0.0)
    s = look[1] + link[VARIANCE] + noise
    away = _wrapped(nu + link[BIAS])
    inside = nu * nu < habits.gate2 * s and away * away < habits.gate2 * (look[1] + whole + white)
    if not (inside and s < np.inf):
        return 0.0, noise, 0.0
    return nu, noise, math.exp(-0.5 * nu * nu / s) / math.sqrt(TURN * s)


@kernel
def _pairs(
    look: Any, link: Any, azimuth: Any, sigma: Any, density: Any, habits: Any
) -> tuple[Any, Any, Any, Any, Any]:
    """Pairs in gate, grouped by track: start (t + 1,), bearing, innovation, noise, ratio (k,).

    The ratio is of the densities of the track's and of false bearings.
    """
    t, m = look.shape[0], azimuth.shape[0]
    start = np.zeros(t + 1, np.int64)
    for k in range(t):
        start[k + 1] = start[k]
        for j in range(m):
            _, _, fit = _fits(look[k], link[k], azimuth[j], sigma[j], habits)
            if fit > 0.0:
                start[k + 1] += 1
    bearing = np.empty(start[t], np.int64)
    nu, noise, ratio = np.empty(start[t]), np.empty(start[t]), np.empty(start[t])
    e = 0
    for k in range(t):
        for j in range(m):
            off, rough, fit = _fits(look[k], link[k], azimuth[j], sigma[j], habits)
            if fit > 0.0:
                bearing[e], nu[e], noise[e], ratio[e] = j, off, rough, fit / density[j]
                e += 1
    return start, bearing, nu, noise, ratio


@kernel
def _believe(
    c: Any, rows: Any, link: Any, start: Any, bearing: Any, ratio: Any, m: int, habits: Any,
    log_prior: Any,
) -> tuple[Any, Any, Any]:  # fmt: skip
    """Probability of each pair given that the track is there (k,), messages (k,), seen (t,).

    seen: the probability that this sensor reports the track in a frame.
    """
    t = rows.shape[0]
    weight, none, seen = np.empty(ratio.shape[0]), np.empty(t), np.empty(t)
    kinds = np.empty(4)
    for k in range(t):
        i = rows[k]
        seen[k] = habits.detection * link[k, SIGHT]
        if habits.transmitters:
            kind_shares(c.kinds[i], log_prior, kinds)
            seen[k] *= kinds[0]
        exists = 1.0 / (1.0 + math.exp(-c.score[i]))
        none[k] = 1.0 - exists * seen[k]
        for e in range(start[k], start[k + 1]):
            weight[e] = exists * seen[k] * ratio[e]
    message, _, _, _ = share(start, bearing, weight, none, m)
    beta = np.empty(ratio.shape[0])
    for k in range(t):
        whole = 1.0 - seen[k]
        for e in range(start[k], start[k + 1]):
            beta[e] = seen[k] * ratio[e] * message[e]
            whole += beta[e]
        for e in range(start[k], start[k + 1]):
            beta[e] /= whole
    return beta, message, seen


@kernel
def _judge(start: Any, bearing: Any, beta: Any, m: int, ambiguity: float) -> tuple[Any, Any, Any]:
    """Fate (m,), likeliest track (m,) or -1, and how free each bearing is of tracks (m,).

    The probabilities of ambiguous bearings become nought, in place.
    """
    fate, owner = np.full(m, OUTSIDE), np.full(m, -1)
    best, rivals, free = np.zeros(m), np.zeros(m, np.int64), np.ones(m)
    for k in range(start.shape[0] - 1):
        for e in range(start[k], start[k + 1]):
            j = bearing[e]
            fate[j] = max(fate[j], IN_GATE)
            free[j] = max(free[j] - beta[e], 0.0)
            rivals[j] += beta[e] > ambiguity
            if beta[e] > best[j]:
                best[j], owner[j] = beta[e], k
    for j in range(m):
        if rivals[j] > 1:
            fate[j], owner[j] = AMBIGUOUS, -1
        elif best[j] >= USED:
            fate[j] = TAKEN
        else:
            owner[j] = -1
    for e in range(beta.shape[0]):
        if fate[bearing[e]] == AMBIGUOUS:
            beta[e] = 0.0
    return fate, owner, free


@kernel
def _turn_model(
    x: Any, p: Any, lag_s: float, place: Any, azimuth: Any, density: Any, link: Any, first: int,
    last: int, bearing: Any, noise: Any, beta: Any, message: Any, seen: float, weight: float,
    ph: Any,
) -> float:  # fmt: skip
    """One motion model of a track to the mean over its bearings, in place; how well they fit.

    Soft update (Bar-Shalom, Willett and Tian 2011, 3.4): as each bearing moves the state along
    the same P H', the sums are of scalars. `weight` tempers the noise; ph (6,) is filled.
    """
    off, variance, _ = bearing_distance(x, p, lag_s, place[0], place[1], 0.0, 0.0)
    if not variance < np.inf:
        return 1.0
    de, dn = x[0] + lag_s * x[3] - place[0], x[1] + lag_s * x[4] - place[1]
    range2 = de * de + dn * dn
    he, hn = dn / range2, -de / range2
    for r in range(6):
        ph[r] = (p[r, 0] + lag_s * p[r, 3]) * he + (p[r, 1] + lag_s * p[r, 4]) * hn
    fits = 1.0 - seen
    shift = shrink = spread = 0.0
    for e in range(first, last):
        nu = _wrapped(azimuth[bearing[e]] + off - link[BIAS])
        error = link[VARIANCE] + noise[e]
        s = max(variance, 0.0) + error
        like = math.exp(-0.5 * nu * nu / s) / math.sqrt(TURN * s)
        fits += seen * like / density[bearing[e]] * message[e]
        s += error / weight - error
        shift += beta[e] * nu / s
        shrink += beta[e] / s
        spread += beta[e] * (nu / s) ** 2
    change = spread - shift * shift - shrink
    for r in range(6):
        x[r] += ph[r] * shift
        for k in range(r, 6):
            p[r, k] += ph[r] * ph[k] * change
            p[k, r] = p[r, k]
    return float(fits**weight)


@kernel
def _turn_track(
    c: Any, i: int, lag_s: float, place: Any, azimuth: Any, density: Any, link: Any,
    first: int, last: int, bearing: Any, noise: Any, beta: Any, message: Any, seen: float,
    weight: float,
) -> None:  # fmt: skip
    """All models of track i to its bearings; the models that fit better gain."""
    ph = np.empty(6)
    total = 0.0
    for m in range(c.share_of.shape[1]):
        c.share_of[i, m] *= _turn_model(
            c.x_of[i, m], c.p_of[i, m], lag_s, place, azimuth, density, link, first, last,
            bearing, noise, beta, message, seen, weight, ph,
        )  # fmt: skip
        total += c.share_of[i, m]
    for m in range(c.share_of.shape[1]):
        c.share_of[i, m] /= total
    combine(c.x_of[i], c.p_of[i], c.share_of[i], c.x[i], c.p[i])


@kernel
def _learn(
    link: Any, variance: float, first: int, last: int, nu: Any, noise: Any, ratio: Any,
    beta: Any, spent: float, frame: float, detection: float, transmitters: bool,
) -> None:  # fmt: skip
    """One link from its pairs, in place: bias, sight, and what they use up.

    Sight by Bayes, tempered by `frame`: frames that err alike are no independent witnesses.
    """
    step = shrink = taken = 0.0
    fit = 1.0 - detection
    for e in range(first, last):
        fit += detection * ratio[e]
        if beta[e] > 0.0:
            gain = link[VARIANCE] / (link[VARIANCE] + variance + noise[e] / spent)
            step += gain * beta[e] * nu[e]
            shrink += gain * beta[e]
            taken += beta[e]
    link[BIAS] += step
    link[VARIANCE] *= max(1.0 - shrink, 0.0)
    if first < last or not transmitters:
        link[UNSPENT_S] = 0.0
    odds = fit**frame
    sight = link[SIGHT] * odds / (1.0 - link[SIGHT] + link[SIGHT] * odds)
    link[SIGHT] = min(max(sight, LEAST_SIGHT), MOST_SIGHT)


@kernel
def _keep(c: Any, n: int, rows: Any, at_ns: int, link: Any, ear: Any) -> tuple[Any, Any, Any]:
    """The links of these tracks, and the old ones of other tracks that still live, by number."""
    t, held = rows.shape[0], ear.number.shape[0]
    number, last_ns = np.empty(t + held, np.int64), np.full(t + held, at_ns)
    links = np.empty((t + held, 5))
    for k in range(t):
        number[k], links[k] = c.number[rows[k]], link[k]
    live, now = np.sort(c.number[:n]), np.sort(number[:t])
    count = t
    for k in range(held):
        here, there = np.searchsorted(now, ear.number[k]), np.searchsorted(live, ear.number[k])
        if here < t and now[here] == ear.number[k]:
            continue
        if there < n and live[there] == ear.number[k]:
            number[count], last_ns[count] = ear.number[k], ear.last_ns[k]
            links[count] = ear.link[k]
            count += 1
    order = np.argsort(number[:count], kind="mergesort")
    return number[order], last_ns[order], links[order]


@kernel
def _mapped(azimuth: Any, free: Any, rate: Any, map_ns: int, at_ns: int) -> Any:
    """The map (MAP_BINS,) after a frame; `free` (m,): how probably each is no track's."""
    kept = 1.0 if map_ns == NEVER_NS else math.exp(-max((at_ns - map_ns) * 1e-9, 0.0) / MAP_S)
    after = rate * kept
    for j in range(azimuth.shape[0]):
        after[_bin(azimuth[j])] += (1.0 - kept) * free[j]
    return after


@kernel
def hear_frame(
    c: Any, n: int, at_ns: int, azimuth_rad: Any, sigma_rad: Any, ear: Any, habits: Any,
    place: Any, axes: Any, limits: Any, log_prior: Any, q: Any, leave_s: Any,
) -> tuple[Any, Any, Any, Any, Any, Any, Any]:  # fmt: skip
    """One frame of bearings (m,) from `place` against the first n tracks of `c`.

    Returns the number of the track that each is used for (m,), 0 for none, what became of it
    (m,), and the ear as it is afterwards: number, last_ns, link, rate, map_ns.
    """
    order, azimuth, sigma = _usable(azimuth_rad, sigma_rad)
    m = order.shape[0]
    density = _false_density(azimuth, ear.rate, habits)
    rows, lag_s = _choose(c, n, at_ns, place, axes, limits, habits.late_ns, q, leave_s)
    last_ns, link = _recall(c, rows, ear, habits)
    look, frame = _look(c, rows, lag_s, place, at_ns, last_ns, link, sigma, habits)
    start, bearing, nu, noise, ratio = _pairs(look, link, azimuth, sigma, density, habits)
    beta, message, seen = _believe(c, rows, link, start, bearing, ratio, m, habits, log_prior)
    fate, owner, free = _judge(start, bearing, beta, m, habits.ambiguity)
    for k in range(rows.shape[0]):
        i, first, last = rows[k], start[k], start[k + 1]
        taken = beta[first:last].sum()
        spent = 1.0 - math.exp(-link[k, UNSPENT_S] / (2.0 * habits.correlation_s))
        if taken > 0.0 and spent > 0.0:
            _turn_track(
                c, i, lag_s[k], place, azimuth, density, link[k], first, last, bearing, noise,
                beta, message, seen[k], spent,
            )  # fmt: skip
            if taken > KEEPS_ALIVE:
                c.last_ns[i] = max(c.last_ns[i], at_ns)
        else:
            beta[first:last] = 0.0
        _learn(
            link[k], look[k, 1], first, last, nu, noise, ratio, beta, spent, frame[k],
            habits.detection, habits.transmitters,
        )  # fmt: skip
    numbers, fates = np.zeros(azimuth_rad.shape[0], np.int64), np.full(azimuth_rad.shape[0], 0)
    for j in range(m):
        fates[order[j]] = fate[j]
        if owner[j] >= 0:
            numbers[order[j]] = c.number[rows[owner[j]]]
    number, last_ns, link = _keep(c, n, rows, at_ns, link, ear)
    rate = _mapped(azimuth, free, ear.rate, ear.map_ns[0], at_ns)
    return numbers, fates, number, last_ns, link, rate, np.full(1, max(at_ns, ear.map_ns[0]))
