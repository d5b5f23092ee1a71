"""Sensors and what they report.

One `Observation` is one immutable report. They travel as a `Batch`: the same reports from
one sensor as columns, kinematics apart from claimed identity, so that a radar scan of a
thousand plots costs a few arrays.
"""

from __future__ import annotations

import enum
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from skykeep.core.event import Finding
from skykeep.core.geo import F64, HeightReference, geodetic_many
from skykeep.units import BatchId, SensorId

I64 = NDArray[np.int64]


class SensorKind(enum.StrEnum):
    """What a sensor is."""

    RADAR = "radar"
    DIRECTION_FINDER = "direction_finder"
    REMOTE_ID = "remote_id"
    ADSB = "adsb"
    POSITION = "position"  # any other source of measured positions
    UPSTREAM = "upstream"  # somebody else's system, with tracks of its own
    PERSON = "person"


#: Kinds whose positions are what the aircraft says of itself, not an independent measurement.
CLAIMING_KINDS = frozenset({SensorKind.REMOTE_ID, SensorKind.ADSB})


class Form(enum.StrEnum):
    """The measurement model of a batch: what the three columns of `values` mean."""

    POLAR = "polar"  # range_m, azimuth_deg (true north, clockwise), elevation_deg
    POSITION = "position"  # lat_deg, lon_deg, height_m in the row's own reference
    BEARING = "bearing"  # azimuth_deg, elevation_deg or NaN, NaN
    TRACK = "track"  # as POSITION, of a track that somebody else's system made
    SIGHTING = "sighting"  # azimuth_deg, lat_deg, lon_deg of who saw it, or NaN; with words


class TargetKind(enum.IntEnum):
    """What a target is; the integer is the column in `kind_likelihood`."""

    DRONE = 0
    BIRD = 1
    AIRCRAFT = 2
    CLUTTER = 3


@dataclass(frozen=True, slots=True)
class Coverage:
    """Where a sensor can see what it is built for, seen from its own place.

    `azimuth_from_deg` to `azimuth_to_deg` clockwise; 0 to 360 is all round.
    """

    range_min_m: float
    range_max_m: float
    azimuth_from_deg: float = 0.0
    azimuth_to_deg: float = 360.0
    elevation_min_deg: float = -90.0
    elevation_max_deg: float = 90.0


@dataclass(frozen=True, slots=True)
class Sensor:
    """A thing or a person that observes.

    `period_s` is how often it reports when all is well (None: only when there is something),
    `detection_probability` per turn for a target in coverage, `false_per_turn` the expected
    number of false plots over the whole coverage in one turn. `key`: its Ed25519 public key
    (32 bytes, base64), if it signs what it sends; then nothing else of it is taken.
    """

    sensor_id: SensorId
    kind: SensorKind
    lat_deg: float
    lon_deg: float
    height_hae_m: float
    coverage: Coverage
    period_s: float | None = None
    detection_probability: float = 0.9
    false_per_turn: float = 0.0
    words: str = ""
    key: str = ""


class Scheme(enum.StrEnum):
    """The system in which an identity is claimed."""

    REMOTE_ID = "remote_id"
    ADSB = "adsb"
    MODE_S = "mode_s"  # what a transponder answers a radar, Mode A codes too


#: Who flies with these is taken as crewed, unless the claim says otherwise.
CREWED_SCHEMES = frozenset({Scheme.ADSB, Scheme.MODE_S})


@dataclass(frozen=True, slots=True)
class Claim:
    """An identity as broadcast, apart from the kinematics it came with.

    `identity` is the serial number, session id or 24-bit address, None where the message
    carries none; `transmitter` the radio's own address. `crewed` is None where not stated.
    `authenticated` names the key under which a signature over identity and position held; only
    a feed that checks signatures sets it.
    """

    scheme: Scheme
    identity: str | None
    transmitter: str
    identity_type: str = ""
    operator_id: str | None = None
    category: str = ""
    crewed: bool | None = None
    airborne: bool | None = None
    authenticated: str = ""


@dataclass(frozen=True, slots=True)
class OperatorPosition:
    """Where an operator is said to be, and what that rests on (ASTM F3411-22a, System message).

    `exact` is False where only the cell is known any more (`retention.coarse_place`).
    """

    lat_deg: float
    lon_deg: float
    source: str = ""
    exact: bool = True


@dataclass(frozen=True, slots=True)
class Signature:
    """A sensor's signature over a batch: public key and value in base64, session and number.

    `value` is empty where it is gone with the hash that it was made over.
    """

    key: str
    session: int
    sequence: int
    value: str


@dataclass(frozen=True, slots=True)
class Observation:
    """One report of one sensor: a row of a batch, as a value."""

    batch_id: BatchId
    row: int
    sensor_id: SensorId
    event_time_ns: int
    receipt_time_ns: int
    form: Form
    values: tuple[float, float, float]
    sigmas: tuple[float, float, float]
    velocity_mps: tuple[float, float, float]
    height_reference: HeightReference
    kind_likelihood: tuple[float, ...] | None
    claim: Claim | None
    words: str
    raw_sha256: str
    upstream_id: str = ""
    velocity_sigmas_mps: tuple[float, float, float] = (math.nan, math.nan, math.nan)
    operator: OperatorPosition | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Reports of one sensor in one form, as columns over n rows; arrays are not to be written.

    event_time_ns (n,) int64; values and sigmas (n, 3) as `form` says, sigma one standard
    deviation in the same unit (for POSITION, TRACK: east m, north m, height m); velocities_mps
    (n, 3) east, north, up or NaN; height_references (n,) codes of `HeightReference`;
    kind_likelihood (n, 4) over `TargetKind` or None; claims and words one a row or empty;
    raw_sha256 hex, one for all rows or one a row. Of a TRACK also upstream_ids (n), the other
    system's own names, and velocity_sigmas_mps (n, 3), NaN where not known, or None. `operators`,
    one a row or empty, stand beside a claim.
    """

    batch_id: BatchId
    sensor_id: SensorId
    receipt_time_ns: int
    form: Form
    event_time_ns: I64
    values: F64
    sigmas: F64
    velocities_mps: F64
    height_references: NDArray[np.int8]
    kind_likelihood: F64 | None = None
    claims: tuple[Claim | None, ...] = ()
    words: tuple[str, ...] = ()
    raw_sha256: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = field(default=())
    upstream_ids: tuple[str, ...] = ()
    velocity_sigmas_mps: F64 | None = None
    operators: tuple[OperatorPosition | None, ...] = ()
    signed: Signature | None = None

    def __len__(self) -> int:
        return int(self.event_time_ns.shape[0])

    def claim_at(self, row: int) -> Claim | None:
        """The claim of a row, if any."""
        return self.claims[row] if self.claims else None

    def raw_at(self, row: int) -> str:
        """The hash of the raw bytes behind a row; empty where none was given."""
        if not self.raw_sha256:
            return ""
        return self.raw_sha256[row if len(self.raw_sha256) > 1 else 0]

    def rows(self) -> Iterator[Observation]:
        """Each report as a value of its own."""
        for i in range(len(self)):
            likelihood, slack = self.kind_likelihood, self.velocity_sigmas_mps
            yield Observation(
                self.batch_id,
                i,
                self.sensor_id,
                int(self.event_time_ns[i]),
                self.receipt_time_ns,
                self.form,
                _three(self.values, i),
                _three(self.sigmas, i),
                _three(self.velocities_mps, i),
                HeightReference(int(self.height_references[i])),
                None if likelihood is None else tuple(float(v) for v in likelihood[i]),
                self.claim_at(i),
                self.words[i] if self.words else "",
                self.raw_at(i),
                self.upstream_ids[i] if self.upstream_ids else "",
                _UNKNOWN if slack is None else _three(slack, i),
                self.operators[i] if self.operators else None,
            )


#: Forms whose values are a place already.
PLACED = (Form.POSITION, Form.TRACK)


def places_of(batch: Batch, sensor: Sensor | None) -> F64:
    """Where each row was seen, (n, 3): latitude, longitude (degrees), height (m); NaN: not known.

    Of a bearing or a sighting, where it was seen from. The height is in the row's own reference
    for the forms in `PLACED`, else above the ellipsoid. `sensor` None: one not known any more.
    """
    if batch.form in PLACED:
        return batch.values.copy()
    if sensor is None:
        return np.full((len(batch), 3), math.nan)
    origin = (sensor.lat_deg, sensor.lon_deg, sensor.height_hae_m)
    if batch.form is not Form.POLAR:
        places = np.tile(np.array(origin), (len(batch), 1))
        if batch.form is Form.SIGHTING:
            told = np.isfinite(batch.values[:, 1:]).all(axis=1)
            places[told, :2], places[told, 2] = batch.values[told, 1:], math.nan
        return places
    range_m, azimuth, elevation = batch.values[:, 0], *np.radians(batch.values[:, 1:]).T
    level_m = range_m * np.cos(elevation)
    enu = (level_m * np.sin(azimuth), level_m * np.cos(azimuth), range_m * np.sin(elevation))
    placed: F64 = geodetic_many(origin, np.column_stack(enu))
    return placed


_UNKNOWN = (math.nan, math.nan, math.nan)


def _three(columns: F64, row: int) -> tuple[float, float, float]:
    return float(columns[row, 0]), float(columns[row, 1]), float(columns[row, 2])


def batch_of(observations: list[Observation], findings: tuple[Finding, ...] = ()) -> Batch:
    """Columns from reports of one batch: same batch, sensor, receipt time and form.

    Raises ValueError for an empty list or reports that do not belong together.
    """
    if not observations:
        raise ValueError("a batch needs at least one observation")
    first = observations[0]
    head = (first.batch_id, first.sensor_id, first.receipt_time_ns, first.form)
    for o in observations:
        if (o.batch_id, o.sensor_id, o.receipt_time_ns, o.form) != head:
            raise ValueError("observations of different batches, sensors or forms")
    likelihoods = [o.kind_likelihood for o in observations]
    tracks, slack = first.form is Form.TRACK, [o.velocity_sigmas_mps for o in observations]
    return Batch(
        *head,
        event_time_ns=np.array([o.event_time_ns for o in observations], np.int64),
        values=np.array([o.values for o in observations], np.float64),
        sigmas=np.array([o.sigmas for o in observations], np.float64),
        velocities_mps=np.array([o.velocity_mps for o in observations], np.float64),
        height_references=np.array([o.height_reference for o in observations], np.int8),
        kind_likelihood=None if None in likelihoods else np.array(likelihoods, np.float64),
        claims=tuple(o.claim for o in observations),
        words=tuple(o.words for o in observations),
        raw_sha256=tuple(o.raw_sha256 for o in observations),
        findings=findings,
        upstream_ids=tuple(o.upstream_id for o in observations) if tracks else (),
        velocity_sigmas_mps=np.array(slack, np.float64) if tracks else None,
        operators=operators_of([o.operator for o in observations]),
    )


def operators_of(
    places: Sequence[OperatorPosition | None],
) -> tuple[OperatorPosition | None, ...]:
    """One a row, or nothing where no row has one."""
    return () if places.count(None) == len(places) else tuple(places)
