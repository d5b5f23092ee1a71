"""What comes in is looked at before it is used: one bad row never costs the good ones."""

from __future__ import annotations

import math

import numpy as np

from skykeep.core.event import ObservationRejected
from skykeep.core.observation import I64, Batch, Form
from skykeep.units import NS_PER_S, to_datetime

#: Clocks of sensors and host may differ by this much before an event is 'in the future'.
FUTURE_NS = 5 * NS_PER_S
#: Older than this at receipt an observation cannot be live; it belongs to a recording.
OLDEST_NS = 300 * NS_PER_S
#: Rows named one by one in a batch that is all bad; the rest are summed up in one line.
REJECTIONS_NAMED = 100
#: More rows than this are shed: a radar turn has hundreds, not tens of thousands.
BATCH_LIMIT = 50_000

_COLUMNS: dict[Form, tuple[str, str, str]] = {
    Form.POLAR: ("range_m", "azimuth_deg", "elevation_deg"),
    Form.POSITION: ("lat_deg", "lon_deg", "height_m"),
    Form.BEARING: ("azimuth_deg", "elevation_deg", ""),
    Form.SIGHTING: ("azimuth_deg", "", ""),
}
_NEEDED: dict[Form, tuple[int, ...]] = {
    Form.POLAR: (0, 1, 2),
    Form.POSITION: (0, 1),
    Form.BEARING: (0,),
    Form.SIGHTING: (),
}


def usable_rows(batch: Batch, now_ns: int) -> tuple[I64, list[ObservationRejected]]:
    """Indices of the rows that can be used, and for every other row the field and why not."""
    n = len(batch)
    used = min(n, BATCH_LIMIT)
    faults: dict[int, tuple[str, str]] = {}
    _time_faults(batch, used, faults)
    _value_faults(batch, used, faults)
    rows = np.array([i for i in range(used) if i not in faults], np.int64)
    named = sorted(faults)[:REJECTIONS_NAMED]
    events = [_rejected(batch, now_ns, row, *faults[row]) for row in named]
    more = len(faults) - len(named)
    if more:
        events.append(_rejected(batch, now_ns, -1, "rows", f"{more} more rows are unusable"))
    if n > used:
        words = f"{n - used} rows beyond the limit of {BATCH_LIMIT} were shed"
        events.append(_rejected(batch, now_ns, -1, "rows", words))
    return rows, events


def _rejected(batch: Batch, now_ns: int, row: int, name: str, problem: str) -> ObservationRejected:
    return ObservationRejected(now_ns, batch.batch_id, row, name, problem)


def _time_faults(batch: Batch, used: int, faults: dict[int, tuple[str, str]]) -> None:
    age = batch.receipt_time_ns - batch.event_time_ns[:used]
    for i in map(int, np.flatnonzero((age < -FUTURE_NS) | (age > OLDEST_NS))):
        at = f"{to_datetime(int(batch.event_time_ns[i])):%Y-%m-%dT%H:%M:%SZ}"
        side = "before" if age[i] > 0 else "after"
        off_s = abs(int(age[i])) / NS_PER_S
        faults[i] = ("event_time", f"{at} is {off_s:.0f} s {side} its receipt")


def _value_faults(batch: Batch, used: int, faults: dict[int, tuple[str, str]]) -> None:
    names = _COLUMNS[batch.form]
    for column in _NEEDED[batch.form]:
        bad = ~np.isfinite(batch.values[:used, column])
        for i in map(int, np.flatnonzero(bad)):
            faults.setdefault(i, (names[column], f"is {batch.values[i, column]}"))
        sigma = batch.sigmas[:used, column]
        for i in map(int, np.flatnonzero(~(np.isfinite(sigma) & (sigma > 0.0)))):
            faults.setdefault(i, (f"sigma_{names[column]}", f"is {sigma[i]}, must be above 0"))
    if batch.form is Form.POSITION:
        _out_of_range(batch, used, 0, 90.0, faults)
        _out_of_range(batch, used, 1, 180.0, faults)
    elif batch.form is Form.POLAR:
        _out_of_range(batch, used, 2, 90.0, faults)
        for i in map(int, np.flatnonzero(batch.values[:used, 0] <= 0.0)):
            faults.setdefault(i, ("range_m", f"is {batch.values[i, 0]}, must be above 0"))
    if batch.kind_likelihood is not None:
        kinds = batch.kind_likelihood[:used]
        wrong = ~(np.isfinite(kinds) & (kinds >= 0.0)).all(axis=1)
        for i in map(int, np.flatnonzero(wrong)):
            faults.setdefault(i, ("kind_likelihood", "has a value that is not a likelihood"))


def _out_of_range(
    batch: Batch, used: int, column: int, limit: float, faults: dict[int, tuple[str, str]]
) -> None:
    values = batch.values[:used, column]
    for i in map(int, np.flatnonzero(np.abs(values) > limit)):
        name = _COLUMNS[batch.form][column]
        faults.setdefault(i, (name, f"is {values[i]}, beyond {limit:.0f}"))


def azimuth_or_none(value_deg: float) -> float | None:
    """A person's bearing, where one was given."""
    return None if math.isnan(value_deg) else value_deg
