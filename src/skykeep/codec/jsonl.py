"""Skykeep's own JSON-lines format: one observation a line.

    {"sensor": "radar-1", "time": "2026-09-12T00:27:00.250Z", "received": ...,
     "polar":    {"range_m", "azimuth_deg", "elevation_deg",
                  "sigma_range_m", "sigma_azimuth_deg", "sigma_elevation_deg"}
   | "position": {"lat_deg", "lon_deg", "sigma_east_m", "sigma_north_m",
                  "height_m"?, "height_reference"?: "AMSL" | "HAE" | "AGL" | "PRESSURE",
                  "sigma_height_m"?, "velocity_mps"?: [east, north, up or null]}
   | "track":    as "position", and {"id", "sigma_velocity_mps"?: [east, north, up]}
   | "bearing":  {"azimuth_deg", "sigma_azimuth_deg",
                  "elevation_deg"?, "sigma_elevation_deg"?}
   | "sighting": {"words", "azimuth_deg"?, "sigma_azimuth_deg"?},
     "claim"?:   {"scheme": "remote_id" | "adsb" | "mode_s", "identity", "transmitter",
                  "identity_type"?, "operator_id"?, "category"?, "crewed"?, "airborne"?,
                  "operator"?: {"lat_deg", "lon_deg", "source"?}},
     "kind"?:    {"drone", "bird", "aircraft", "clutter"}}

`time` (of the event) and `received` are RFC 3339 with a zone, or integer UTC nanoseconds;
`received` may be missing in a recording. Azimuth is from true north, clockwise; each sigma
is one standard deviation; `kind` is the likelihood of the measurement under each kind.
A `track` is one that another system made of what it heard; `id` is its own name there.
Unknown fields are refused, so that a misspelt one is not lost.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated, Literal, NamedTuple

import msgspec

from skykeep.codec.moment import (
    EARLIEST_NS,
    LATEST_NS,
    check_moment,
    format_moment,
    parse_moment,
)
from skykeep.core.geo import HeightReference
from skykeep.core.observation import Claim, Form, Observation, OperatorPosition, Scheme
from skykeep.errors import InputError
from skykeep.units import NS_PER_S, BatchId, SensorId

#: Several times the longest line that keeps the limits below.
MAX_LINE_BYTES = 16_384
#: An event may seem to lie after its receipt by this: two clocks kept by NTP differ by less.
MAX_AHEAD_NS = 5 * NS_PER_S

NAN = math.nan

# Limits of the possible: no sensor for drones reaches 1000 km, nothing that flies in air is
# higher than 100 km or faster than 2000 m/s; the lowest land lies at -430 m.
Azimuth = Annotated[float, msgspec.Meta(ge=0.0, le=360.0)]
Elevation = Annotated[float, msgspec.Meta(ge=-90.0, le=90.0)]
Range = Annotated[float, msgspec.Meta(ge=0.0, le=1e6)]
Latitude = Annotated[float, msgspec.Meta(ge=-90.0, le=90.0)]
Longitude = Annotated[float, msgspec.Meta(ge=-180.0, le=180.0)]
HeightM = Annotated[float, msgspec.Meta(ge=-1_000.0, le=100_000.0)]
SigmaM = Annotated[float, msgspec.Meta(gt=0.0, le=1e6)]
SigmaDeg = Annotated[float, msgspec.Meta(gt=0.0, le=360.0)]
SigmaMps = Annotated[float, msgspec.Meta(gt=0.0, le=2_000.0)]
Velocity = Annotated[float, msgspec.Meta(ge=-2_000.0, le=2_000.0)]
Likelihood = Annotated[float, msgspec.Meta(ge=0.0, le=1e9)]
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
Text = Annotated[str, msgspec.Meta(max_length=100)]
Words = Annotated[str, msgspec.Meta(min_length=1, max_length=2_000)]


class _Strict(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    pass


class _Polar(_Strict):
    range_m: Range
    azimuth_deg: Azimuth
    elevation_deg: Elevation
    sigma_range_m: SigmaM
    sigma_azimuth_deg: SigmaDeg
    sigma_elevation_deg: SigmaDeg


class _Position(_Strict):
    lat_deg: Latitude
    lon_deg: Longitude
    sigma_east_m: SigmaM
    sigma_north_m: SigmaM
    height_m: HeightM | None = None
    height_reference: Literal["AMSL", "HAE", "AGL", "PRESSURE"] | None = None
    sigma_height_m: SigmaM | None = None
    velocity_mps: tuple[Velocity, Velocity, Velocity | None] | None = None


class _Track(_Position, kw_only=True):
    id: Name
    sigma_velocity_mps: tuple[SigmaMps, SigmaMps, SigmaMps | None] | None = None


class _Bearing(_Strict):
    azimuth_deg: Azimuth
    sigma_azimuth_deg: SigmaDeg
    elevation_deg: Elevation | None = None
    sigma_elevation_deg: SigmaDeg | None = None


class _Sighting(_Strict):
    words: Words
    azimuth_deg: Azimuth | None = None
    sigma_azimuth_deg: SigmaDeg | None = None


class _Operator(_Strict):
    lat_deg: Latitude
    lon_deg: Longitude
    source: Text = ""


class _Claim(_Strict):
    scheme: Scheme
    identity: Name | None
    transmitter: Text
    identity_type: Text = ""
    operator_id: Text | None = None
    category: Text = ""
    crewed: bool | None = None
    airborne: bool | None = None
    operator: _Operator | None = None


class _Kind(_Strict):
    drone: Likelihood
    bird: Likelihood
    aircraft: Likelihood
    clutter: Likelihood


class Line(_Strict):
    """One line as it was written: fields and ranges checked, not yet how they fit together."""

    sensor: Name
    time: int | str
    received: int | str | None = None
    polar: _Polar | None = None
    position: _Position | None = None
    track: _Track | None = None
    bearing: _Bearing | None = None
    sighting: _Sighting | None = None
    claim: _Claim | None = None
    kind: _Kind | None = None


@dataclass(frozen=True, slots=True)
class JsonlLine:
    """One line: the observation, still without batch and hash, and whether `received` was there.

    Without it the receipt time is the event time.
    """

    observation: Observation
    has_receipt: bool


_DECODER = msgspec.json.Decoder(Line)
_Three = tuple[float, float, float]
_NOWHERE = (NAN, NAN, NAN)
_FORMS = (Form.POLAR, Form.POSITION, Form.TRACK, Form.BEARING, Form.SIGHTING)


class Row(NamedTuple):
    """What a line says, column by column (see `Batch`); without `received` it is the event's."""

    event_ns: int
    receipt_ns: int
    form: Form
    values: _Three
    sigmas: _Three
    velocity_mps: _Three
    reference: HeightReference
    kind: tuple[float, ...] | None
    claim: Claim | None
    words: str
    upstream_id: str
    velocity_sigmas_mps: _Three
    operator: OperatorPosition | None = None


def decode_line(line: bytes, line_number: int) -> JsonlLine:
    """One line to its observation; InputError names the line and the JSON path."""
    where = f"line {line_number}: "
    if len(line) > MAX_LINE_BYTES:
        problem = f"over {MAX_LINE_BYTES} bytes long"
        raise InputError(f"{where}$", problem, "Send one observation a line.")
    try:
        parsed = _DECODER.decode(line)
    except msgspec.ValidationError as e:
        problem, _, path = str(e).partition(" - at `")
        mend = "See the format's fields and limits."
        raise InputError(where + (path.rstrip("`") or "$"), problem, mend) from None
    except (msgspec.DecodeError, UnicodeError, RecursionError) as e:
        raise InputError(f"{where}$", str(e)[:200], "Send one JSON object a line.") from None
    return _line_of(parsed, where)


def encode_observation(observation: Observation) -> bytes:
    r"""The line of an observation, ending in \n, times exact.

    Batch, row and hash are not written: they belong to a reading, not to the report. Raises
    InputError for what the format cannot say.
    """
    o = observation
    likelihood = o.kind_likelihood
    if likelihood is not None and len(likelihood) != 4:
        raise InputError("kind_likelihood", f"has {len(likelihood)} values", "Give four.")
    if o.form not in (Form.POSITION, Form.TRACK) and not all(map(math.isnan, o.velocity_mps)):
        raise InputError("velocity_mps", f"not in the form {o.form}", "Give NaN.")
    if o.form is not Form.TRACK and o.upstream_id:
        raise InputError("upstream_id", f"not in the form {o.form}", "Give none.")
    if o.form is not Form.SIGHTING and o.words:
        raise InputError("words", f"not in the form {o.form}", "Give none.")
    line = Line(
        sensor=o.sensor_id,
        time=format_moment(o.event_time_ns),
        received=format_moment(o.receipt_time_ns),
        polar=_polar(o) if o.form is Form.POLAR else None,
        position=_position(o) if o.form is Form.POSITION else None,
        track=_track(o) if o.form is Form.TRACK else None,
        bearing=_bearing(o) if o.form is Form.BEARING else None,
        sighting=_sighting(o) if o.form is Form.SIGHTING else None,
        claim=None if o.claim is None else _claim(o.claim, o.operator),
        kind=None if likelihood is None else _Kind(*likelihood),
    )
    encoded = msgspec.json.encode(line) + b"\n"
    decode_line(encoded, 0)  # strict writer: what would not be read never leaves
    return encoded


def row_of(line: Line, where: str) -> Row:
    """The columns of a line; InputError, at `where` and its JSON path, for what does not fit."""
    event_ns = _moment(line.time, where, "time")
    receipt_ns = event_ns
    if line.received is not None:
        receipt_ns = _moment(line.received, where, "received")
        if event_ns - receipt_ns > MAX_AHEAD_NS:
            problem = f"{(event_ns - receipt_ns) / NS_PER_S:g} s after it was received"
            raise InputError(f"{where}$.time", problem, "Set the sensor's clock.")
    kind = None if line.kind is None else msgspec.structs.astuple(line.kind)
    if kind is not None and not any(kind):
        raise InputError(f"{where}$.kind", "all likelihoods are 0", "Leave it out if unknown.")
    form, values, sigmas = _measurement(line, where)
    position, claim = line.position or line.track, line.claim
    slack = None if line.track is None else line.track.sigma_velocity_mps
    if slack is not None and (position is None or position.velocity_mps is None):
        problem = "sigma_velocity_mps without velocity_mps"
        raise InputError(f"{where}$.track", problem, "Give both or leave it out.")
    velocity = None if position is None else position.velocity_mps
    reference = None if position is None else position.height_reference
    return Row(
        event_ns,
        receipt_ns,
        form,
        values,
        sigmas,
        _components(velocity),
        HeightReference.NONE if reference is None else HeightReference[reference],
        kind,
        None if claim is None else Claim(*msgspec.structs.astuple(claim)[:-1]),
        line.sighting.words if line.sighting else "",
        "" if line.track is None else line.track.id,
        _components(slack),
        _operator_of(claim),
    )


def _operator_of(claim: _Claim | None) -> OperatorPosition | None:
    if claim is None or claim.operator is None:
        return None
    return OperatorPosition(*msgspec.structs.astuple(claim.operator))


def _line_of(line: Line, where: str) -> JsonlLine:
    row = row_of(line, where)
    observation = Observation(
        batch_id=BatchId(""),
        row=0,
        sensor_id=SensorId(line.sensor),
        event_time_ns=row.event_ns,
        receipt_time_ns=row.receipt_ns,
        form=row.form,
        values=row.values,
        sigmas=row.sigmas,
        velocity_mps=row.velocity_mps,
        height_reference=row.reference,
        kind_likelihood=row.kind,
        claim=row.claim,
        words=row.words,
        raw_sha256="",
        upstream_id=row.upstream_id,
        velocity_sigmas_mps=row.velocity_sigmas_mps,
        operator=row.operator,
    )
    return JsonlLine(observation, line.received is not None)


def _moment(value: int | str, where: str, name: str) -> int:
    if isinstance(value, str):
        return parse_moment(value, f"{where}$.{name}")
    if EARLIEST_NS <= value < LATEST_NS:
        return value
    return check_moment(value, f"{where}$.{name}", str(value))


def _measurement(line: Line, where: str) -> tuple[Form, _Three, _Three]:
    measurements = (line.polar, line.position, line.track, line.bearing, line.sighting)
    given = [f for f, m in zip(_FORMS, measurements, strict=True) if m is not None]
    if len(given) != 1:
        problem = f"has {' and '.join(given) or 'no measurement'}"
        raise InputError(f"{where}$", problem, f"Give exactly one of {', '.join(Form)}.")
    if (m := line.polar) is not None:
        return (
            Form.POLAR,
            (m.range_m, m.azimuth_deg, m.elevation_deg),
            (m.sigma_range_m, m.sigma_azimuth_deg, m.sigma_elevation_deg),
        )
    if (p := line.position or line.track) is not None:
        form = Form.POSITION if line.track is None else Form.TRACK
        if len({p.height_m is None, p.height_reference is None, p.sigma_height_m is None}) > 1:
            problem = "height_m, height_reference and sigma_height_m are not all there"
            raise InputError(f"{where}$.{form}", problem, "Give all three or none.")
        return (
            form,
            (p.lat_deg, p.lon_deg, _or_nan(p.height_m)),
            (p.sigma_east_m, p.sigma_north_m, _or_nan(p.sigma_height_m)),
        )
    if (b := line.bearing) is not None:
        if (b.elevation_deg is None) != (b.sigma_elevation_deg is None):
            problem = "elevation_deg and sigma_elevation_deg are not both there"
            raise InputError(f"{where}$.bearing", problem, "Give both or none.")
        return (
            Form.BEARING,
            (b.azimuth_deg, _or_nan(b.elevation_deg), NAN),
            (b.sigma_azimuth_deg, _or_nan(b.sigma_elevation_deg), NAN),
        )
    s = line.sighting
    azimuth, sigma = (None, None) if s is None else (s.azimuth_deg, s.sigma_azimuth_deg)
    return Form.SIGHTING, (_or_nan(azimuth), NAN, NAN), (_or_nan(sigma), NAN, NAN)


def _components(given: tuple[float, float, float | None] | None) -> _Three:
    return _NOWHERE if given is None else (given[0], given[1], _or_nan(given[2]))


def _or_nan(value: float | None) -> float:
    return NAN if value is None else value


def _or_none(value: float) -> float | None:
    return None if math.isnan(value) else value


def _polar(o: Observation) -> _Polar:
    return _Polar(*o.values, *o.sigmas)


def _position(o: Observation) -> _Position:
    has_height = o.height_reference is not HeightReference.NONE
    east, north, up = o.velocity_mps
    return _Position(
        lat_deg=o.values[0],
        lon_deg=o.values[1],
        sigma_east_m=o.sigmas[0],
        sigma_north_m=o.sigmas[1],
        height_m=o.values[2] if has_height else None,
        height_reference=_REFERENCE_WORDS[o.height_reference],
        sigma_height_m=o.sigmas[2] if has_height else None,
        velocity_mps=None if math.isnan(east) else (east, north, _or_none(up)),
    )


def _track(o: Observation) -> _Track:
    east, north, up = o.velocity_sigmas_mps
    slack = None if math.isnan(east) else (east, north, _or_none(up))
    place = msgspec.structs.asdict(_position(o))
    return _Track(**place, id=o.upstream_id, sigma_velocity_mps=slack)


_REFERENCE_WORDS: dict[HeightReference, Literal["AMSL", "HAE", "AGL", "PRESSURE"] | None] = {
    HeightReference.NONE: None,
    HeightReference.AMSL: "AMSL",
    HeightReference.HAE: "HAE",
    HeightReference.AGL: "AGL",
    HeightReference.PRESSURE: "PRESSURE",
}


def _bearing(o: Observation) -> _Bearing:
    return _Bearing(o.values[0], o.sigmas[0], _or_none(o.values[1]), _or_none(o.sigmas[1]))


def _sighting(o: Observation) -> _Sighting:
    return _Sighting(o.words, _or_none(o.values[0]), _or_none(o.sigmas[0]))


def _claim(c: Claim, operator: OperatorPosition | None) -> _Claim:
    return _Claim(
        c.scheme,
        c.identity,
        c.transmitter,
        c.identity_type,
        c.operator_id,
        c.category,
        c.crewed,
        c.airborne,
        None
        if operator is None
        else _Operator(operator.lat_deg, operator.lon_deg, operator.source),
    )
