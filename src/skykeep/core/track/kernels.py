"""Numeric kernels of the tracker: plain SI arrays in, arrays out.

State x = (east, north, up, v_east, v_north, v_up) in metres and metres a second; motion is
constant velocity with white-noise acceleration (Bar-Shalom, Li and Kirubarajan 2001, 6.3.2).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from skykeep.core.geo import enu_of, kernel

LOG_2PI = math.log(2.0 * math.pi)
#: det S over the product of its diagonal, below which rounding (1e-16) would decide the sign;
#: a range good to 0.1 m beside 350 m across gives 1e-7.
LEAST_DETERMINANT_SHARE = 1e-12


@kernel
def predict(x: Any, p: Any, dt_s: float, q_horizontal: float, q_vertical: float) -> None:
    """Move one state (6,) and covariance (6, 6) on by `dt_s` >= 0, in place.

    q in m^2/s^3: the spectral density of the acceleration noise.
    """
    for a in range(3):
        x[a] += dt_s * x[a + 3]
    for r in range(3):
        for c in range(6):
            p[r, c] += dt_s * p[r + 3, c]
    for r in range(6):
        for c in range(3):
            p[r, c] += dt_s * p[r, c + 3]
    for a in range(3):
        q = q_vertical if a == 2 else q_horizontal
        p[a, a] += q * dt_s * dt_s * dt_s / 3.0
        p[a, a + 3] += q * dt_s * dt_s / 2.0
        p[a + 3, a] += q * dt_s * dt_s / 2.0
        p[a + 3, a + 3] += q * dt_s


@kernel
def innovation(x: Any, p: Any, i: int, lag_s: float, seen: Any, k: int) -> tuple[Any, ...]:
    """Plot k of `seen` (m, PLOT_WIDTH; see gate) against state i of x (n, 6), p (n, 6, 6).

    `lag_s` <= 0 is how much older the plot is than the state: the plot is compared with where
    the target then was. Returns the squared Mahalanobis distance, log det S, the innovation's
    three parts and the upper triangle of S^-1 row by row; (inf, 0, ...) where S is not positive
    definite. Indices and scalars instead of slices: a slice costs as much as the arithmetic.
    """
    n0, n1, n2 = seen[k, 0] - x[i, 0], seen[k, 1] - x[i, 1], seen[k, 2] - x[i, 2]
    s00, s01, s02 = seen[k, 3] + p[i, 0, 0], seen[k, 4] + p[i, 0, 1], seen[k, 5] + p[i, 0, 2]
    s11, s12, s22 = seen[k, 6] + p[i, 1, 1], seen[k, 7] + p[i, 1, 2], seen[k, 8] + p[i, 2, 2]
    if lag_s != 0.0:
        n0, n1, n2 = n0 - lag_s * x[i, 3], n1 - lag_s * x[i, 4], n2 - lag_s * x[i, 5]
        s00 += lag_s * (2.0 * p[i, 0, 3] + lag_s * p[i, 3, 3])
        s11 += lag_s * (2.0 * p[i, 1, 4] + lag_s * p[i, 4, 4])
        s22 += lag_s * (2.0 * p[i, 2, 5] + lag_s * p[i, 5, 5])
        s01 += lag_s * (p[i, 0, 4] + p[i, 3, 1] + lag_s * p[i, 3, 4])
        s02 += lag_s * (p[i, 0, 5] + p[i, 3, 2] + lag_s * p[i, 3, 5])
        s12 += lag_s * (p[i, 1, 5] + p[i, 4, 2] + lag_s * p[i, 4, 5])
    c00, c01, c02 = s11 * s22 - s12 * s12, s12 * s02 - s01 * s22, s01 * s12 - s11 * s02
    det = s00 * c00 + s01 * c01 + s02 * c02
    least, minor = LEAST_DETERMINANT_SHARE * s00 * s11 * s22, s00 * s11 - s01 * s01
    if not (s00 > 0.0 and minor > 0.0 and least > 0.0 and det > least and det < np.inf):
        return np.inf, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    inv = 1.0 / det
    i00, i01, i02 = c00 * inv, c01 * inv, c02 * inv
    i11, i12, i22 = (s00 * s22 - s02 * s02) * inv, (s02 * s01 - s00 * s12) * inv, minor * inv
    g0, g1 = i00 * n0 + i01 * n1 + i02 * n2, i01 * n0 + i11 * n1 + i12 * n2
    g2 = i02 * n0 + i12 * n1 + i22 * n2
    d2 = n0 * g0 + n1 * g1 + n2 * g2
    return d2, math.log(det), n0, n1, n2, i00, i01, i02, i11, i12, i22


@kernel
def update(x: Any, p: Any, i: int, lag_s: float, fit: Any, ph: Any) -> None:
    """Kalman update of state i with a position, in place; P stays symmetric.

    `fit` is what `innovation` gave at the same lag; ph (6, 3) is room to work in.
    """
    _, _, n0, n1, n2, i00, i01, i02, i11, i12, i22 = fit
    for row in range(6):
        for c in range(3):
            ph[row, c] = p[i, row, c] + lag_s * p[i, row, c + 3]
    for row in range(6):
        h0, h1, h2 = ph[row, 0], ph[row, 1], ph[row, 2]
        g0, g1 = h0 * i00 + h1 * i01 + h2 * i02, h0 * i01 + h1 * i11 + h2 * i12
        g2 = h0 * i02 + h1 * i12 + h2 * i22
        x[i, row] += g0 * n0 + g1 * n1 + g2 * n2
        for c in range(row, 6):
            p[i, row, c] -= g0 * ph[c, 0] + g1 * ph[c, 1] + g2 * ph[c, 2]
            p[i, c, row] = p[i, row, c]


@kernel
def kind_shares(kinds: Any, log_prior: Any, share: Any) -> None:
    """Posterior over the four kinds (4,) from log likelihoods and log prior, into `share`."""
    top = -np.inf
    for k in range(4):
        share[k] = kinds[k] + log_prior[k]
        top = max(top, share[k])
    total = 0.0
    for k in range(4):
        share[k] = math.exp(share[k] - top)
        total += share[k]
    for k in range(4):
        share[k] /= total


@kernel
def is_classified(plot_kinds: Any, j: int) -> bool:
    """Whether anything is known of plot j's class; its log likelihoods are all 0 if not."""
    known = False
    for k in range(4):
        known = known or plot_kinds[j, k] != 0.0
    return known


@kernel
def kind_fit(share: Any, plot_kinds: Any) -> float:
    """Log-likelihood ratio of a plot's class: from a target of these kinds, or clutter."""
    total = 0.0
    for k in range(4):
        total += share[k] * math.exp(plot_kinds[k])
    return math.log(total) - float(plot_kinds[3])


@kernel
def bearing_distance(
    x: Any, p: Any, dt_s: float, east_m: float, north_m: float, azimuth_rad: float, sigma_rad: float
) -> tuple[float, float, float]:
    """A bearing from (east, north) against a state: innovation, its variance, range.

    `dt_s` moves the target, without noise, to where it then was; an angle is wrapped to
    [-pi, pi).
    """
    de = x[0] + dt_s * x[3] - east_m
    dn = x[1] + dt_s * x[4] - north_m
    range2 = de * de + dn * dn
    if range2 < 1.0:
        return np.inf, np.inf, 0.0
    nu = azimuth_rad - math.atan2(de, dn)
    nu -= 2.0 * math.pi * math.floor((nu + math.pi) / (2.0 * math.pi))
    he, hn = dn / range2, -de / range2
    variance = 0.0
    for a in range(2):
        for b in range(2):
            moved = p[a, b] + dt_s * (p[a, b + 3] + p[a + 3, b]) + dt_s * dt_s * p[a + 3, b + 3]
            variance += (he if a == 0 else hn) * (he if b == 0 else hn) * moved
    return nu, variance + sigma_rad * sigma_rad, math.sqrt(range2)


@kernel
def polar_to_enu(values: Any, sigmas: Any, place: Any, axes: Any) -> tuple[Any, Any, Any]:
    """Polar plots to the site's frame with their covariances.

    values, sigmas (n, 3): range m, azimuth deg, elevation deg; `place` (3,) the sensor in the
    site's frame; `axes` (3, 3) rotates the sensor's east-north-up into the site's. Returns
    positions (n, 3), covariances (n, 3, 3) and log |d(position)/d(polar)| (n,), angles in
    radians. First-order conversion: at 6 km and 1 degree the neglected bias is below 1 m.
    """
    n = values.shape[0]
    z, r, log_jacobian = np.empty((n, 3)), np.empty((n, 3, 3)), np.empty(n)
    local, jac = np.empty(3), np.empty((3, 3))
    for i in range(n):
        rng = values[i, 0]
        az, el = math.radians(values[i, 1]), math.radians(values[i, 2])
        saz, caz, sel, cel = math.sin(az), math.cos(az), math.sin(el), math.cos(el)
        local[0], local[1], local[2] = rng * cel * saz, rng * cel * caz, rng * sel
        d_rng = sigmas[i, 0]
        d_az = rng * cel * math.radians(sigmas[i, 1])
        d_el = rng * math.radians(sigmas[i, 2])
        jac[0, 0], jac[1, 0], jac[2, 0] = cel * saz * d_rng, cel * caz * d_rng, sel * d_rng
        jac[0, 1], jac[1, 1], jac[2, 1] = caz * d_az, -saz * d_az, 0.0
        jac[0, 2], jac[1, 2], jac[2, 2] = -sel * saz * d_el, -sel * caz * d_el, cel * d_el
        for a in range(3):
            z[i, a] = place[a]
            for k in range(3):
                z[i, a] += axes[a, k] * local[k]
        turned = np.zeros((3, 3))
        for a in range(3):
            for b in range(3):
                for k in range(3):
                    turned[a, b] += axes[a, k] * jac[k, b]
        for a in range(3):
            for b in range(3):
                total = 0.0
                for k in range(3):
                    total += turned[a, k] * turned[b, k]
                r[i, a, b] = total
        log_jacobian[i] = math.log(max(rng * rng * cel, 1e-9))
    return z, r, log_jacobian


@kernel
def position_to_enu(
    values: Any, sigmas: Any, hae_m: Any, sigma_up_m: Any, origin: Any
) -> tuple[Any, Any]:
    """Positions (n, 3: lat, lon deg; sigma east, north m) to the frame at `origin`: z, r."""
    n = values.shape[0]
    z, r = np.empty((n, 3)), np.zeros((n, 3, 3))
    for i in range(n):
        z[i, 0], z[i, 1], z[i, 2] = enu_of(origin, values[i, 0], values[i, 1], hae_m[i])
        r[i, 0, 0], r[i, 1, 1] = sigmas[i, 0] * sigmas[i, 0], sigmas[i, 1] * sigmas[i, 1]
        r[i, 2, 2] = sigma_up_m[i] * sigma_up_m[i]
    return z, r


@kernel
def plain_positions(
    values: Any, sigmas: Any, references: Any, plain: int, rows: Any, origin: Any
) -> tuple[Any, Any, bool]:
    """`position_to_enu` of some rows, values and sigmas (n, 3), in one go; and whether it may be.

    It may not where a height of these rows is missing, has no sigma, or is of another reference
    than `plain`: such heights have to be converted first.
    """
    n = rows.shape[0]
    z, r = np.empty((n, 3)), np.zeros((n, 3, 3))
    for i in range(n):
        j = rows[i]
        sound = references[j] == plain and math.isfinite(values[j, 2])
        if not (sound and 0.0 < sigmas[j, 2] < np.inf):
            return z, r, False
        z[i, 0], z[i, 1], z[i, 2] = enu_of(origin, values[j, 0], values[j, 1], values[j, 2])
        for a in range(3):
            r[i, a, a] = sigmas[j, a] * sigmas[j, a]
    return z, r, True


@kernel
def covered(x: Any, place: Any, axes: Any, limits: Any) -> bool:
    """Whether a position in the site's frame lies in a sensor's coverage.

    limits (6,): range min and max in m, azimuth from and to, elevation min and max in
    degrees; azimuths clockwise from true north at the sensor.
    """
    de, dn, du = x[0] - place[0], x[1] - place[1], x[2] - place[2]
    e = axes[0, 0] * de + axes[1, 0] * dn + axes[2, 0] * du
    n = axes[0, 1] * de + axes[1, 1] * dn + axes[2, 1] * du
    u = axes[0, 2] * de + axes[1, 2] * dn + axes[2, 2] * du
    rng = math.sqrt(e * e + n * n + u * u)
    if rng < limits[0] or rng > limits[1] or rng == 0.0:
        return False
    elevation = math.degrees(math.asin(min(1.0, max(-1.0, u / rng))))
    if elevation < limits[4] or elevation > limits[5]:
        return False
    width = limits[3] - limits[2]
    if width >= 360.0:
        return True
    offset = math.degrees(math.atan2(e, n)) - limits[2]
    offset -= 360.0 * math.floor(offset / 360.0)
    return bool(offset <= width - 360.0 * math.floor(width / 360.0))


@kernel
def covered_many(points: Any, place: Any, axes: Any, limits: Any) -> Any:
    """`covered` for each of the points (n, 3)."""
    out = np.empty(points.shape[0], np.bool_)
    for i in range(points.shape[0]):
        out[i] = covered(points[i], place, axes, limits)
    return out


@kernel
def claim_distances(
    x: Any, p: Any, time_ns: Any, at_ns: int, claimed: Any, spread: Any, late_s: float, use_up: bool
) -> Any:
    """How far a claim lies from each track: horizontal metres, NIS, track variance (n, 3).

    `claimed` (3,) is the claimed place, `spread` (2,) its horizontal and vertical variance;
    `late_s` times the track's speed is added to the horizontal one. The vertical counts
    where `use_up`.
    """
    out = np.empty((x.shape[0], 3))
    for i in range(x.shape[0]):
        dt = (at_ns - time_ns[i]) * 1e-9
        de = claimed[0] - x[i, 0] - dt * x[i, 3]
        dn = claimed[1] - x[i, 1] - dt * x[i, 4]
        du = claimed[2] - x[i, 2] - dt * x[i, 5]
        more = spread[0] + late_s * late_s * (x[i, 3] * x[i, 3] + x[i, 4] * x[i, 4])
        see, snn, sen = p[i, 0, 0] + more, p[i, 1, 1] + more, p[i, 0, 1]
        nis = (de * de * snn - 2.0 * de * dn * sen + dn * dn * see) / (see * snn - sen * sen)
        if use_up:
            nis += du * du / (p[i, 2, 2] + spread[1])
        out[i, 0] = math.sqrt(de * de + dn * dn)
        out[i, 1] = nis
        out[i, 2] = p[i, 0, 0] + p[i, 1, 1]
    return out
