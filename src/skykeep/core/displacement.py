"""Whether what is claimed lies where something is measured: one claim track, one measured track.

Comparisons of the last seconds form a window. Under honesty their displacements d_k are

    d_k = b - L v_k + e_k,    e_k = rho_k e_(k-1) + w_k,    rho_k = exp(-dt / memory)

with b the satellite bias of the claim (it wanders over a minute and more, so it is one value
in a window, of the variance declared), L the age of the claimed position in [0, `AGE_MOST_S`],
v_k the measured velocity and e_k the track's error, correlated over the memory of its filter;
w_k has what variance leaves e_k its P_k. A lie is a displacement of any size and direction.
What decides is the least likely of three, each as -ln of its probability under honesty:

- the generalised likelihood ratio of b free against b honest, L at its best in either
  (Kay 1998, Fundamentals of Statistical Signal Processing II, 6.4): chi-square with two degrees
  of freedom. Correlated comparisons count for what they are worth. It finds a small constant
  displacement;
- the mean of the normalised innovation squared (Bar-Shalom, Li and Kirubarajan 2001, 5.4.2),
  held to the bound of a single one, which holds however correlated they are. It finds a claim
  that wanders about the measured track;
- the mean height, where both heights are above the ellipsoid: normal.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from skykeep.core.geo import kernel

#: Long enough for the track's error to average out below the satellite bias, which no window
#: averages; short enough that a lie which begins in flight fills it well within 30 s.
WINDOW_S = 15.0
#: Comparisons closer than this add nothing: a track's error lasts seconds. Bounds the window.
APART_S = 0.5
#: A position may be this old when it is sent (ASTM F3411-22a 5.4.3, 14 CFR 89.310(h)).
AGE_MOST_S = 1.0
#: Clocks of sensor and transmitter, and the tenths in which a location is stamped.
STAMP_SIGMA_S = 0.1
#: Half the ratio of position variance to position-velocity covariance is the time for which
#: the error of a constant-velocity filter lasts (its integral; steady state, continuous time).
#: A covariance that does not tell it is taken for the slowest that counts.
MEMORY_LEAST_S, MEMORY_MOST_S = 0.5, 20.0
#: Acceleration noise of the time between a track's last plot and the claim, m^2/s^3: a drone
#: changes speed by about 1 m/s in a second.
DRIFT_M2PS3 = 1.0
#: -ln of probability. A bond is made within the first (an honest claim is outside once in 10^4)
#: and parts beyond the second (10^5); then ten seconds must pass before anything is said.
FITS = -math.log(1e-4)
PARTS = -math.log(1e-5)
#: A bond less likely than this (once in a hundred windows) may be passing to another track.
DOUBTED = -math.log(1e-2)
#: Beyond so many sigmas the tail of the normal distribution is taken from its asymptote.
FAR_SIGMAS = 30.0
#: What would have been noticed is what 95 % of the time would have been.
POWER_SIGMAS = 1.645


@dataclass(frozen=True, slots=True)
class Comparison:
    """A claimed place less the measured one at the claim's time; site's frame, metres, seconds.

    `var_*` are the track's variances there, `claim_var*` the claim's as declared, horizontal
    (each axis) and vertical; `memory_s` is how long the track's error lasts; `up_counts`
    whether both heights are above the ellipsoid.
    """

    at_ns: int
    east_m: float
    north_m: float
    up_m: float
    var_ee: float
    var_en: float
    var_nn: float
    var_up: float
    memory_s: float
    v_east: float
    v_north: float
    v_up: float
    claim_var: float
    claim_var_up: float
    up_counts: bool


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a window says.

    `surprise` is -ln of the probability of the least likely statistic if the claim is honest,
    held against `FITS` and `PARTS`; `displacement_m` is the horizontal length of the mean
    displacement, `noticeable_m` what would part a bond 95 % of the time, in the worst
    direction, from the present uncertainty.
    """

    comparisons: int
    surprise: float
    displacement_m: float
    noticeable_m: float

    @property
    def fits(self) -> bool:
        """Whether a bond may be made."""
        return self.surprise <= FITS

    @property
    def doubted(self) -> bool:
        """Whether a bond may soon be another track's."""
        return self.surprise > DOUBTED

    @property
    def parts(self) -> bool:
        """Whether a bond must end."""
        return self.surprise > PARTS


def comparison(
    at_ns: int,
    claimed: tuple[float, float, float],
    claim_var: tuple[float, float],
    up_counts: bool,
    x: Sequence[float],
    p: Sequence[Sequence[float]],
    dt_s: float,
) -> Comparison:
    """A claim at `at_ns` against a track's state x (6,) and covariance p (6, 6) `dt_s` before.

    `claimed` east, north, up in metres; `claim_var` horizontal and vertical in m^2. The track
    is moved by `dt_s` (of either sign) with what that adds to its uncertainty.
    """
    drift = DRIFT_M2PS3 * abs(dt_s) ** 3 / 3.0

    def var(a: int, b: int) -> float:
        cross = p[a][b + 3] + p[a + 3][b]
        return p[a][b] + dt_s * cross + dt_s * dt_s * p[a + 3][b + 3]

    place = p[0][0] + p[1][1]
    pull = p[0][3] + p[1][4]
    memory_s = MEMORY_MOST_S
    if pull > 0.0:
        memory_s = min(MEMORY_MOST_S, max(MEMORY_LEAST_S, 0.5 * place / pull))
    return Comparison(
        at_ns,
        claimed[0] - x[0] - dt_s * x[3],
        claimed[1] - x[1] - dt_s * x[4],
        claimed[2] - x[2] - dt_s * x[5],
        var(0, 0) + drift, var(0, 1), var(1, 1) + drift, var(2, 2) + drift,
        memory_s, x[3], x[4], x[5], *claim_var, up_counts,
    )  # fmt: skip


def take(window: list[Comparison], new: Comparison) -> bool:
    """Put a comparison into a window, in place, and let the old ones go; False if too close."""
    if window and abs(new.at_ns - window[-1].at_ns) < APART_S * 1e9:
        return False
    window.append(new)
    oldest_ns = new.at_ns - WINDOW_S * 1e9
    while window[0].at_ns < oldest_ns:
        del window[0]
    return True


def weigh(window: Sequence[Comparison]) -> Evidence:
    """The evidence of a window of one comparison or more, in the order of time."""
    newest_ns = window[-1].at_ns
    rows = np.array(
        [
            (
                (c.at_ns - newest_ns) * 1e-9, c.east_m, c.north_m, c.up_m, c.var_ee, c.var_en,
                c.var_nn, c.var_up, c.memory_s, c.v_east, c.v_north, c.v_up, c.claim_var,
                c.claim_var_up,
            )
            for c in window
        ]
    )  # fmt: skip
    surprise, displacement_m = surprise_of(rows, all(c.up_counts for c in window))
    return Evidence(len(window), surprise, displacement_m, noticeable_m(window[-1]))


def noticeable_m(now: Comparison) -> float:
    """The horizontal displacement that a full window with this uncertainty would notice."""
    memory_s, span_s = now.memory_s, WINDOW_S
    decay = 1.0 - math.exp(-span_s / memory_s)
    share = 2.0 * memory_s / span_s * (1.0 - memory_s / span_s * decay)
    half = 0.5 * (now.var_ee + now.var_nn)
    largest = half + math.hypot(0.5 * (now.var_ee - now.var_nn), now.var_en)
    speed = math.hypot(now.v_east, now.v_north)
    variance = share * largest + now.claim_var + (STAMP_SIGMA_S * speed) ** 2
    bound = math.sqrt(2.0 * PARTS)  # chi-square with two degrees of freedom
    return (bound + POWER_SIGMAS) * math.sqrt(variance) + AGE_MOST_S * speed


@kernel
def surprise_of(rows: Any, up_counts: bool) -> tuple[float, float]:
    """-ln of the probability of a window's least likely statistic, and its mean displacement.

    rows (n, 14): seconds; displacement east, north, up m; the track's variances ee, en, nn, up
    m^2; its memory s; its velocity east, north, up m/s; the claim's variances, horizontal and
    vertical m^2; in order of time. The displacement is horizontal, in metres.
    """
    mean = np.zeros(14)
    for k in range(14):
        mean[k] = rows[:, k].mean()
    bias = bias_of(rows, mean)
    ratio, age_s = likelihood_ratio(whitened_sums(rows), bias)
    surprise = 0.5 * max(ratio, mean_nis(rows, age_s, bias))
    if up_counts:
        # The heights of a window are taken as one: its length says nothing against them.
        climb = AGE_MOST_S * np.abs(rows[:, 11]).max()
        z = abs(mean[3]) / math.sqrt(mean[7] + mean[13] + climb * climb)
        if z > FAR_SIGMAS:  # erfc would be lost to rounding (Abramowitz and Stegun 7.1.23)
            surprise = max(surprise, 0.5 * z * z + math.log(z * math.sqrt(0.5 * math.pi)))
        else:
            surprise = max(surprise, -math.log(math.erfc(z / math.sqrt(2.0))))
    return surprise, math.hypot(mean[1], mean[2])


@kernel
def bias_of(rows: Any, mean: Any) -> tuple[float, float, float]:
    """Covariance (ee, en, nn) of what an honest claim may be off by throughout a window.

    The satellite bias; the stamp's error along the mean velocity; and the lag of the filter: a
    constant-velocity filter whose error lasts for T follows a steady acceleration 2 T^2 behind,
    and the measured change of velocity over the window gives the mean acceleration.
    """
    stamp_e, stamp_n = STAMP_SIGMA_S * mean[9], STAMP_SIGMA_S * mean[10]
    lag_e = lag_n = 0.0
    elapsed_s = rows[-1, 0] - rows[0, 0]
    if elapsed_s > 0.0:
        memory_s = min(elapsed_s, mean[8])
        factor = 2.0 * memory_s * memory_s / elapsed_s
        lag_e = factor * (rows[-1, 9] - rows[0, 9])
        lag_n = factor * (rows[-1, 10] - rows[0, 10])
    return (
        mean[12] + stamp_e * stamp_e + lag_e * lag_e,
        stamp_e * stamp_n + lag_e * lag_n,
        mean[12] + stamp_n * stamp_n + lag_n * lag_n,
    )


@kernel
def whitened_sums(rows: Any) -> Any:
    """Sums (9,) for the estimate of a bias b and an age L from a window.

    Each comparison less what the one before foretells of it (a b = u + L w + noise), weighed by
    the variance of that: a'a (ee, en, nn), a'u, a'w (east, north each), u'w and w'w.
    """
    sums = np.zeros(9)
    for i in range(rows.shape[0]):
        keep = 0.0
        if i > 0:
            keep = math.exp((rows[i - 1, 0] - rows[i, 0]) / (0.5 * (rows[i - 1, 8] + rows[i, 8])))
        de = rows[i, 1] - (keep * rows[i - 1, 1] if i > 0 else 0.0)
        dn = rows[i, 2] - (keep * rows[i - 1, 2] if i > 0 else 0.0)
        ve = rows[i, 9] - (keep * rows[i - 1, 9] if i > 0 else 0.0)
        vn = rows[i, 10] - (keep * rows[i - 1, 10] if i > 0 else 0.0)
        fresh = (1.0 - keep * keep) * (rows[i, 4] * rows[i, 6] - rows[i, 5] * rows[i, 5])
        iee, ien, inn = rows[i, 6] / fresh, -rows[i, 5] / fresh, rows[i, 4] / fresh
        a = 1.0 - keep
        sums[0] += a * a * iee
        sums[1] += a * a * ien
        sums[2] += a * a * inn
        sums[3] += a * (iee * de + ien * dn)
        sums[4] += a * (ien * de + inn * dn)
        sums[5] += a * (iee * ve + ien * vn)
        sums[6] += a * (ien * ve + inn * vn)
        sums[7] += ve * (iee * de + ien * dn) + vn * (ien * de + inn * dn)
        sums[8] += ve * (iee * ve + ien * vn) + vn * (ien * ve + inn * vn)
    return sums


@kernel
def likelihood_ratio(sums: Any, bias: Any) -> tuple[float, float]:
    """Twice the log-likelihood ratio of any displacement against honesty, and honesty's age.

    With the estimate of the bias at age L, b(L) = A^-1 (u + L w), both likelihoods are
    quadratic in L: their minima within the bounds are exact.
    """
    det = sums[0] * sums[2] - sums[1] * sums[1]
    cee, cen, cnn = sums[2] / det, -sums[1] / det, sums[0] / det  # the estimate's covariance
    ue, un = cee * sums[3] + cen * sums[4], cen * sums[3] + cnn * sums[4]
    we, wn = cee * sums[5] + cen * sums[6], cen * sums[5] + cnn * sums[6]
    free1 = sums[7] - sums[5] * ue - sums[6] * un
    free2 = sums[8] - sums[5] * we - sums[6] * wn
    see, sen, snn = cee + bias[0], cen + bias[1], cnn + bias[2]
    det = see * snn - sen * sen
    iee, ien, inn = snn / det, -sen / det, see / det
    honest0 = ue * (iee * ue + ien * un) + un * (ien * ue + inn * un)
    honest1 = free1 + we * (iee * ue + ien * un) + wn * (ien * ue + inn * un)
    honest2 = free2 + we * (iee * we + ien * wn) + wn * (ien * we + inn * wn)
    honest, age_s = least_over_age(honest0, honest1, honest2)
    free, _ = least_over_age(0.0, free1, free2)
    return max(0.0, honest - free), age_s


@kernel
def least_over_age(q0: float, q1: float, q2: float) -> tuple[float, float]:
    """The least of q0 + 2 q1 L + q2 L^2 over L in [0, AGE_MOST_S], and where it lies."""
    age_s = min(AGE_MOST_S, max(0.0, -q1 / q2)) if q2 > 0.0 else 0.0
    return q0 + (2.0 * q1 + q2 * age_s) * age_s, age_s


@kernel
def mean_nis(rows: Any, age_s: float, bias: Any) -> float:
    """Mean normalised innovation squared of a window at an age of the claims."""
    total = 0.0
    for i in range(rows.shape[0]):
        see, sen, snn = rows[i, 4] + bias[0], rows[i, 5] + bias[1], rows[i, 6] + bias[2]
        re = rows[i, 1] + age_s * rows[i, 9]
        rn = rows[i, 2] + age_s * rows[i, 10]
        total += (re * re * snn - 2.0 * re * rn * sen + rn * rn * see) / (see * snn - sen * sen)
    return float(total / rows.shape[0])
