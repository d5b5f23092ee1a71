"""Scenarios' plots as the batches that a feed hands over."""

from __future__ import annotations

import numpy as np

from bench.tracking.scenario import F64
from skykeep.core.geo import Frame, HeightReference, geodetic_many
from skykeep.core.observation import Batch, Claim, Form
from skykeep.units import NS_PER_S, BatchId, SensorId

#: The scenarios' own frame; its place on Earth is of no account.
SITE = Frame(49.6, 6.1, 0.0)


def ns(at_s: float) -> int:
    """A scenario's time in nanoseconds."""
    return round(at_s * NS_PER_S)


def positions(
    sensor_id: SensorId,
    event_s: float,
    receipt_s: float,
    positions_m: F64,
    sigmas_m: tuple[float, float, float],
    claims: tuple[Claim | None, ...] = (),
) -> Batch:
    """Positions (n, 3) in the site's frame, as latitude, longitude and ellipsoid height."""
    values = geodetic_many(SITE.origin, np.ascontiguousarray(positions_m))
    return _batch(
        sensor_id, event_s, receipt_s, Form.POSITION, values, sigmas_m, HeightReference.HAE, claims
    )


def polar(
    sensor_id: SensorId,
    event_s: float,
    receipt_s: float,
    values: F64,
    sigmas: tuple[float, float, float],
) -> Batch:
    """Polar plots (n, 3): range in m, azimuth and elevation in degrees."""
    return _batch(
        sensor_id, event_s, receipt_s, Form.POLAR, values, sigmas, HeightReference.NONE, ()
    )


def _batch(
    sensor_id: SensorId,
    event_s: float,
    receipt_s: float,
    form: Form,
    values: F64,
    sigmas: tuple[float, float, float],
    reference: HeightReference,
    claims: tuple[Claim | None, ...],
) -> Batch:
    n = len(values)
    return Batch(
        BatchId(f"{sensor_id}:{ns(event_s)}"),
        sensor_id,
        ns(receipt_s),
        form,
        event_time_ns=np.full(n, ns(event_s), np.int64),
        values=values,
        sigmas=np.tile(np.array(sigmas), (n, 1)),
        velocities_mps=np.full((n, 3), np.nan),
        height_references=np.full(n, reference, np.int8),
        claims=claims,
    )
