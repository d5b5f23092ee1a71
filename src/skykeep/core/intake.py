"""What comes in is looked at before it is used: one bad row never costs the good ones."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skykeep.core.event import ObservationRejected
from skykeep.core.geo import F64, HeightReference, kernel
from skykeep.core.observation import I64, Batch, Form
from skykeep.units import NS_PER_S, to_datetime

#: Clocks of sensors and host may differ by this much before an event is 'in the future'.
FUTURE_NS = 5 * NS_PER_S
#: Older than this at receipt an observation cannot be live; it belongs to a recording.
OLDEST_NS = 300 * NS_PER_S
#: People tell afterwards.
OLDEST_REPORT_NS = 86_400 * NS_PER_S
#: Rows named one by one in a batch that is all bad; the rest are summed up in one line.
REJECTIONS_NAMED = 100
#: More rows than this are shed: a radar turn has hundreds, not tens of thousands.
BATCH_LIMIT = 50_000
#: Nothing is measured to a millionth of a metre or degree, and what is known no better than
#: which quarter of the globe it is in is not known; squares of either stay finite.
LEAST_SIGMA, MOST_SIGMA = 1e-6, 1e7
#: Farther no sensor of a site sees (the horizon of something 80 km up), and higher nothing flies.
MOST_RANGE_M = 1_000_000.0
MOST_HEIGHT_M = 100_000.0
#: Faster than an orbit: a slip of a unit or a broken message.
MOST_SPEED_MPS = 10_000.0

_COLUMNS: dict[Form, tuple[str, ...]] = {
    Form.POLAR: ("range_m", "azimuth_deg", "elevation_deg"),
    Form.POSITION: ("lat_deg", "lon_deg"),
    Form.TRACK: ("lat_deg", "lon_deg"),
    Form.BEARING: ("azimuth_deg",),
    Form.SIGHTING: (),
}
_SIGMAS: dict[Form, tuple[str, ...]] = {
    Form.POLAR: ("sigma_range_m", "sigma_azimuth_deg", "sigma_elevation_deg"),
    Form.POSITION: ("sigma_east_m", "sigma_north_m"),
    Form.TRACK: ("sigma_east_m", "sigma_north_m"),
    Form.BEARING: ("sigma_azimuth_deg",),
    Form.SIGHTING: (),
}
#: The largest magnitude of each column.
_LIMITS: dict[Form, tuple[float, ...]] = {
    Form.POLAR: (MOST_RANGE_M, 360.0, 90.0),
    Form.POSITION: (90.0, 180.0),
    Form.TRACK: (90.0, 180.0),
    Form.BEARING: (360.0,),
    Form.SIGHTING: (360.0, 90.0, 180.0),
}
#: Forms whose values are a place, with a height and a velocity where they are known.
_PLACED = frozenset({Form.POSITION, Form.TRACK})
_REFERENCES = [int(reference) for reference in HeightReference]
_LAST_REFERENCE = max(_REFERENCES)
_NO_KINDS = np.empty((0, 4))


@dataclass(frozen=True, slots=True, eq=False)
class _Check:
    """Rows (n,) that one rule finds at fault, in which field, and what is wrong with it."""

    bad: NDArray[np.bool_]
    name: str
    values: F64 | I64 | NDArray[np.int8] | None
    problem: str  # with `{}` for the value


def usable_rows(batch: Batch, now_ns: int) -> tuple[I64, list[ObservationRejected]]:
    """Indices of the rows that can be used, and for every other row the field and why not."""
    n = len(batch)
    used = min(n, BATCH_LIMIT)
    if n == used and _quick_look(batch):
        return np.arange(n), []
    checks = list(_checks(batch, used))
    bad = np.zeros(used, np.bool_)
    for check in checks:
        bad |= check.bad
    faulty = np.flatnonzero(bad)
    events = []
    for row in faulty[:REJECTIONS_NAMED].tolist():
        first = next(check for check in checks if check.bad[row])
        events.append(_rejected(batch, now_ns, row, first.name, _words(batch, first, row)))
    more = faulty.shape[0] - len(events)
    if more:
        events.append(_rejected(batch, now_ns, -1, "rows", f"{more} more rows are unusable"))
    if n > used:
        words = f"{n - used} rows beyond the limit of {BATCH_LIMIT} were shed"
        events.append(_rejected(batch, now_ns, -1, "rows", words))
    return np.flatnonzero(~bad), events


def _oldest_ns(form: Form) -> int:
    return OLDEST_REPORT_NS if form is Form.SIGHTING else OLDEST_NS


def _quick_look(batch: Batch) -> bool:
    """Whether no rule finds a fault, without a word about it: most batches are good."""
    n = len(batch)
    return bool(
        _all_usable(
            batch.event_time_ns,
            batch.receipt_time_ns - _oldest_ns(batch.form),
            batch.receipt_time_ns + FUTURE_NS,
            batch.values,
            batch.sigmas,
            batch.velocities_mps,
            batch.height_references,
            _NO_KINDS if batch.kind_likelihood is None else batch.kind_likelihood,
            len(_COLUMNS[batch.form]),
            _LIMITS[batch.form] + (math.inf,) * (3 - len(_LIMITS[batch.form])),
            batch.form is Form.POLAR,
            batch.form in _PLACED,
        )
        and (batch.form is not Form.TRACK or not any(c.bad.any() for c in _track_checks(batch, n)))
    )


@kernel
def _all_usable(
    times: Any,
    early: int,
    late: int,
    values: Any,
    sigmas: Any,
    velocities: Any,
    references: Any,
    kinds: Any,
    columns: int,
    limits: Any,
    polar: bool,
    position: bool,
) -> bool:
    """The rules of `_checks` in one loop (see there)."""
    for i in range(times.shape[0]):
        if times[i] < early or times[i] > late:
            return False
        for k in range(columns):
            if not (math.isfinite(values[i, k]) and LEAST_SIGMA <= sigmas[i, k] <= MOST_SIGMA):
                return False
        for k in range(3):
            if abs(values[i, k]) > limits[k]:
                return False
            if position and abs(velocities[i, k]) > MOST_SPEED_MPS:
                return False
        if polar and values[i, 0] <= 0.0:
            return False
        if position:
            if references[i] < 0 or references[i] > _LAST_REFERENCE:
                return False
            if references[i] != 0 and math.isfinite(values[i, 2]):
                if abs(values[i, 2]) > MOST_HEIGHT_M:
                    return False
                if math.isfinite(sigmas[i, 2]) and sigmas[i, 2] > MOST_SIGMA:
                    return False
    for i in range(kinds.shape[0]):
        for k in range(kinds.shape[1]):
            if not (math.isfinite(kinds[i, k]) and kinds[i, k] >= 0.0):
                return False
    return True


def _rejected(batch: Batch, now_ns: int, row: int, name: str, problem: str) -> ObservationRejected:
    return ObservationRejected(now_ns, batch.batch_id, row, name, problem)


def _words(batch: Batch, check: _Check, row: int) -> str:
    if check.values is not None:
        return check.problem.format(check.values[row])
    if check.name != "event_time":
        return check.problem
    at_ns = int(batch.event_time_ns[row])
    off_s = (batch.receipt_time_ns - at_ns) / NS_PER_S
    side = "before" if off_s > 0 else "after"
    return f"{to_datetime(at_ns):%Y-%m-%dT%H:%M:%SZ} is {abs(off_s):.0f} s {side} its receipt"


def _checks(batch: Batch, used: int) -> Iterator[_Check]:
    """Every rule, the plainest fault of a row first."""
    times = batch.event_time_ns[:used]
    early, late = batch.receipt_time_ns - _oldest_ns(batch.form), batch.receipt_time_ns + FUTURE_NS
    yield _Check((times < early) | (times > late), "event_time", None, "")
    both = zip(_COLUMNS[batch.form], _SIGMAS[batch.form], strict=True)
    for column, (name, sigma_name) in enumerate(both):
        values, sigmas = batch.values[:used, column], batch.sigmas[:used, column]
        yield _Check(~np.isfinite(values), name, values, "is {}")
        wrong = ~(sigmas >= LEAST_SIGMA)
        yield _Check(wrong, sigma_name, sigmas, "is {}, must be above 0")
        wrong = ~(sigmas <= MOST_SIGMA)
        yield _Check(wrong, sigma_name, sigmas, "is {}: too much to say anything")
    names = _COLUMNS[batch.form] or ("azimuth_deg", "lat_deg", "lon_deg")
    for column, (name, limit) in enumerate(zip(names, _LIMITS[batch.form], strict=True)):
        values = batch.values[:used, column]
        yield _Check(np.abs(values) > limit, name, values, f"is {{}}, beyond {limit:.0f}")
    if batch.form is Form.POLAR:
        ranges = batch.values[:used, 0]
        yield _Check(ranges <= 0.0, "range_m", ranges, "is {}, must be above 0")
    elif batch.form in _PLACED:
        yield from _position_checks(batch, used)
    if batch.form is Form.TRACK:
        yield from _track_checks(batch, used)
    if batch.kind_likelihood is not None:
        kinds = batch.kind_likelihood[:used]
        usable = (np.isfinite(kinds) & (kinds >= 0.0)).all(axis=1)
        yield _Check(
            ~np.atleast_1d(usable), "kind_likelihood", None, "has a value that is not a likelihood"
        )


def _position_checks(batch: Batch, used: int) -> Iterator[_Check]:
    """Heights and velocities may be missing (NaN, or infinite for a height), not absurd."""
    references = batch.height_references[:used]
    yield _Check(~np.isin(references, _REFERENCES), "height_reference", references,
                 "is {}, no reference")  # fmt: skip
    heights, sigmas = batch.values[:used, 2], batch.sigmas[:used, 2]
    given = (references != HeightReference.NONE) & np.isfinite(heights)
    wrong = given & (np.abs(heights) > MOST_HEIGHT_M)
    yield _Check(wrong, "height_m", heights, f"is {{}}, beyond {MOST_HEIGHT_M:.0f}")
    wrong = given & np.isfinite(sigmas) & (sigmas > MOST_SIGMA)
    yield _Check(wrong, "sigma_height_m", sigmas, "is {}: too much to say anything")
    fastest = np.abs(batch.velocities_mps[:used])
    wrong = np.atleast_1d((fastest > MOST_SPEED_MPS).any(axis=1))
    yield _Check(wrong, "velocity_mps", None, f"has a part beyond {MOST_SPEED_MPS:.0f}")


def _track_checks(batch: Batch, used: int) -> Iterator[_Check]:
    """A track has the name that its system gave it; how well its velocity is known may miss."""
    names = batch.upstream_ids[:used]
    nameless = np.array([not name for name in names] + [True] * (used - len(names)), np.bool_)
    yield _Check(nameless, "id", None, "is missing: which track of the other system is it")
    if batch.velocity_sigmas_mps is None:
        return
    sigmas = batch.velocity_sigmas_mps[:used]
    wrong = ~np.isnan(sigmas) & ~((sigmas >= LEAST_SIGMA) & (sigmas <= MOST_SIGMA))
    yield _Check(np.atleast_1d(wrong.any(axis=1)), "sigma_velocity_mps", None,
                 f"has a part that is not between {LEAST_SIGMA} and {MOST_SIGMA}")  # fmt: skip


def known_or_none(value_deg: float) -> float | None:
    """A part of a person's report, where one was given."""
    return None if math.isnan(value_deg) else value_deg
