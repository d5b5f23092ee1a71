from __future__ import annotations

import json
import math
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skykeep.codec.jsonl import MAX_AHEAD_NS, decode_line, encode_observation
from skykeep.core.geo import HeightReference
from skykeep.core.observation import Claim, Form, Observation, OperatorPosition, Scheme
from skykeep.errors import InputError
from skykeep.units import BatchId, SensorId

NAN = math.nan
T = 1_789_172_820_000_000_000
POLAR: dict[str, Any] = {
    "sensor": "radar-1",
    "time": "2026-09-12T00:27:00.250Z",
    "received": "2026-09-12T02:27:00.500+02:00",
    "polar": {
        "range_m": 3000,
        "azimuth_deg": 271.5,
        "elevation_deg": 2.5,
        "sigma_range_m": 10,
        "sigma_azimuth_deg": 0.4,
        "sigma_elevation_deg": 1,
    },
    "kind": {"drone": 0.8, "bird": 0.1, "aircraft": 0.05, "clutter": 0.05},
}
POSITION: dict[str, Any] = {
    "sensor": "tracker",
    "time": T,
    "position": {
        "lat_deg": 49.61,
        "lon_deg": 6.13,
        "sigma_east_m": 5,
        "sigma_north_m": 6,
        "height_m": 400,
        "height_reference": "AMSL",
        "sigma_height_m": 10,
        "velocity_mps": [1, -2, None],
    },
    "claim": {"scheme": "adsb", "identity": "4d02a1", "transmitter": "4d02a1", "crewed": True},
}
TRACK: dict[str, Any] = {
    "sensor": "c2",
    "time": T,
    "track": {**POSITION["position"], "id": "a-7", "sigma_velocity_mps": [0.5, 0.6, None]},
}
BEARING: dict[str, Any] = {
    "sensor": "df-1",
    "time": T,
    "bearing": {"azimuth_deg": 12, "sigma_azimuth_deg": 4},
}
SIGHTING: dict[str, Any] = {
    "sensor": "person-1",
    "time": T,
    "sighting": {"words": "a light over the roofs"},
}


def line_of(value: object) -> bytes:
    return json.dumps(value).encode()


def decode(value: object) -> Observation:
    return decode_line(line_of(value), 7).observation


def test_polar() -> None:
    result = decode_line(line_of(POLAR), 1)
    o = result.observation
    assert result.has_receipt
    assert (o.event_time_ns, o.receipt_time_ns) == (T + 250_000_000, T + 500_000_000)
    assert (o.form, o.sensor_id) == (Form.POLAR, "radar-1")
    assert o.values == (3000.0, 271.5, 2.5)
    assert o.sigmas == (10.0, 0.4, 1.0)
    assert o.kind_likelihood == (0.8, 0.1, 0.05, 0.05)
    assert all(map(math.isnan, o.velocity_mps))
    assert o.height_reference is HeightReference.NONE


def test_position() -> None:
    result = decode_line(line_of(POSITION), 1)
    o = result.observation
    assert not result.has_receipt
    assert o.receipt_time_ns == o.event_time_ns == T
    assert (o.form, o.values, o.sigmas) == (Form.POSITION, (49.61, 6.13, 400.0), (5.0, 6.0, 10.0))
    assert o.height_reference is HeightReference.AMSL
    assert o.velocity_mps[:2] == (1.0, -2.0)
    assert math.isnan(o.velocity_mps[2])
    assert o.claim == Claim(Scheme.ADSB, "4d02a1", "4d02a1", crewed=True)


def test_track() -> None:
    o = decode(TRACK)
    assert (o.form, o.values, o.sigmas) == (Form.TRACK, (49.61, 6.13, 400.0), (5.0, 6.0, 10.0))
    assert (o.upstream_id, o.velocity_sigmas_mps[:2]) == ("a-7", (0.5, 0.6))
    assert math.isnan(o.velocity_sigmas_mps[2])
    assert o.height_reference is HeightReference.AMSL
    assert decode(POSITION).upstream_id == ""


def test_bearing_and_sighting() -> None:
    o = decode(BEARING)
    assert (o.form, o.values[0], o.sigmas[0]) == (Form.BEARING, 12.0, 4.0)
    assert all(map(math.isnan, (*o.values[1:], *o.sigmas[1:])))
    o = decode(SIGHTING)
    assert (o.form, o.words) == (Form.SIGHTING, "a light over the roofs")
    assert math.isnan(o.values[0])


def changed(base: dict[str, Any], path: str, value: object) -> dict[str, Any]:
    out: dict[str, Any] = json.loads(json.dumps(base))
    *parents, name = path.split(".")
    inner = out
    for parent in parents:
        inner = inner[parent]
    inner[name] = value
    return out


@pytest.mark.parametrize(
    ("base", "path", "value", "where"),
    [
        (POLAR, "polar.range_m", -1, "$.polar.range_m"),
        (POLAR, "polar.range_m", "3000", "$.polar.range_m"),
        (POLAR, "polar.azimuth_deg", 360.5, "$.polar.azimuth_deg"),
        (POLAR, "polar.elevation_deg", 90.5, "$.polar.elevation_deg"),
        (POLAR, "polar.elevation_deg", None, "$.polar.elevation_deg"),
        (POLAR, "polar.sigma_range_m", -10, "$.polar.sigma_range_m"),
        (POLAR, "polar.sigma_range_m", 0, "$.polar.sigma_range_m"),
        (POLAR, "polar.range", 1, "$.polar"),
        (POLAR, "kind.drone", -0.1, "$.kind.drone"),
        (POLAR, "kind", {"drone": 0, "bird": 0, "aircraft": 0, "clutter": 0}, "$.kind"),
        (POLAR, "time", "1970-01-01T00:00:00Z", "$.time"),
        (POLAR, "time", 1_789_172_820, "$.time"),
        (POLAR, "time", "2026-09-12T00:27:00", "$.time"),
        (POLAR, "time", 1.5, "$.time"),
        (POLAR, "received", 0, "$.received"),
        (POLAR, "sensor", "", "$.sensor"),
        (POLAR, "bearing", BEARING["bearing"], "$"),
        (POSITION, "position.lat_deg", 95, "$.position.lat_deg"),
        (POSITION, "position.lon_deg", -181, "$.position.lon_deg"),
        (POSITION, "position.height_reference", "MSL", "$.position.height_reference"),
        (POSITION, "position.height_m", None, "$.position"),
        (POSITION, "position.velocity_mps", [1, 2], "$.position.velocity_mps"),
        (POSITION, "claim.scheme", "radio", "$.claim.scheme"),
        (BEARING, "bearing.elevation_deg", 5, "$.bearing"),
        (SIGHTING, "sighting.words", "", "$.sighting.words"),
        (SIGHTING, "sighting", None, "$"),
    ],
)
def test_a_bad_field_is_named(base: dict[str, Any], path: str, value: object, where: str) -> None:
    with pytest.raises(InputError) as caught:
        decode(changed(base, path, value))
    assert caught.value.where == f"line 7: {where}"


@pytest.mark.parametrize("text", ["NaN", "Infinity", "-Infinity", "1e999", "nul"])
def test_what_is_not_finite_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="line 3"):
        decode_line(line_of(POSITION).replace(b"49.61", text.encode()), 3)


def test_event_after_receipt() -> None:
    edge = POSITION | {"time": T + MAX_AHEAD_NS, "received": T}
    assert decode(edge).event_time_ns == T + MAX_AHEAD_NS
    with pytest.raises(InputError, match=r"\$\.time"):
        decode(edge | {"time": T + MAX_AHEAD_NS + 1})


@pytest.mark.parametrize(
    "data", [b"", b"{", b"[]", b"null", b"\xff\xfe", b"[" * 10_000, b" " * 20_000, b'{"sensor":1}']
)
def test_what_is_no_object_is_refused(data: bytes) -> None:
    with pytest.raises(InputError, match="line 1"):
        decode_line(data, 1)


def floats(low: float, high: float) -> st.SearchStrategy[float]:
    return st.floats(low, high)


sigmas = floats(1e-6, 100.0)
azimuths = floats(0.0, 360.0)
texts = st.text(st.characters(codec="utf-8"), max_size=20)
claims = st.none() | st.builds(
    Claim,
    st.sampled_from(Scheme),
    st.none() | texts.filter(bool),
    texts,
    texts,
    st.none() | texts,
    texts,
    st.none() | st.booleans(),
    st.none() | st.booleans(),
)
kinds = st.none() | st.tuples(*[floats(0.0, 1.0)] * 4).filter(any)


@st.composite
def observations(draw: st.DrawFn) -> Observation:
    form = draw(st.sampled_from(Form))
    reference = HeightReference.NONE
    velocity = spread = (NAN, NAN, NAN)
    words = name = ""
    if form is Form.POLAR:
        values = (draw(floats(0, 1e6)), draw(azimuths), draw(floats(-90, 90)))
        sigma = (draw(sigmas), draw(sigmas), draw(sigmas))
    elif form in (Form.POSITION, Form.TRACK):
        reference = draw(st.sampled_from(HeightReference))
        up = reference is not HeightReference.NONE
        values = (
            draw(floats(-90, 90)),
            draw(floats(-180, 180)),
            draw(floats(-1000, 1e5)) if up else NAN,
        )
        sigma = (draw(sigmas), draw(sigmas), draw(sigmas) if up else NAN)
        speed = floats(-300, 300)
        velocity = draw(st.tuples(speed, speed, speed | st.just(NAN)) | st.just((NAN, NAN, NAN)))
        if form is Form.TRACK:
            name, slack = draw(texts.filter(bool)), floats(0.01, 300.0)
            if not math.isnan(velocity[0]) and draw(st.booleans()):
                spread = draw(st.tuples(slack, slack, slack | st.just(NAN)))
    elif form is Form.BEARING:
        el = draw(st.booleans())
        values = (draw(azimuths), draw(floats(-90, 90)) if el else NAN, NAN)
        sigma = (draw(sigmas), draw(sigmas) if el else NAN, NAN)
    else:
        words = draw(texts.filter(bool))
        values = (draw(azimuths | st.just(NAN)), NAN, NAN)
        sigma = (draw(sigmas | st.just(NAN)), NAN, NAN)
    at_ns = draw(st.integers(946_684_800 * 10**9, 4_000_000_000 * 10**9))
    claim = draw(claims)
    stood = st.builds(OperatorPosition, floats(-90, 90), floats(-180, 180), texts)
    return Observation(
        batch_id=BatchId(""),
        row=0,
        sensor_id=SensorId(draw(texts.filter(bool))),
        event_time_ns=at_ns,
        receipt_time_ns=at_ns + draw(st.integers(-MAX_AHEAD_NS, 10**12)),
        form=form,
        values=values,
        sigmas=sigma,
        velocity_mps=velocity,
        height_reference=reference,
        kind_likelihood=draw(kinds),
        claim=claim,
        words=words,
        raw_sha256="",
        upstream_id=name,
        velocity_sigmas_mps=spread,
        operator=None if claim is None else draw(st.none() | stood),
    )


@settings(max_examples=200)
@given(observations().filter(lambda o: o.receipt_time_ns > 946_684_800 * 10**9))
def test_round_trip(o: Observation) -> None:
    line = encode_observation(o)
    assert line.endswith(b"}\n")
    assert line.count(b"\n") == 1
    back = decode_line(line, 1)
    assert back.has_receipt
    assert repr(back.observation) == repr(o)  # repr, since NaN is not equal to itself


def test_the_writer_is_strict() -> None:
    good = decode(POSITION)
    for broken in (
        replace(good, values=(95.0, 6.0, 1.0)),
        replace(good, values=(49.0, math.inf, 1.0)),
        replace(good, values=(49.0, NAN, 1.0)),
        replace(good, sigmas=(1.0, -1.0, 1.0)),
        replace(good, words="words"),
        replace(good, event_time_ns=0),
        replace(good, kind_likelihood=(0.5, 0.5)),
        replace(decode(BEARING), velocity_mps=(1.0, 1.0, 1.0)),
        replace(good, upstream_id="a"),
        replace(decode(TRACK), upstream_id=""),
        replace(decode(TRACK), velocity_sigmas_mps=(0.0, 1.0, 1.0)),
        replace(decode(TRACK), velocity_mps=(NAN, NAN, NAN)),
    ):
        with pytest.raises(InputError):
            encode_observation(broken)


json_values = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | st.integers() | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=5,
)


@given(st.sampled_from([POLAR, POSITION, TRACK, BEARING, SIGHTING]), st.data())
def test_no_value_crashes_it(base: dict[str, Any], data: st.DataObject) -> None:
    line = changed(base, data.draw(st.sampled_from(sorted(base))), data.draw(json_values))
    where = "line 7: $"
    try:
        decode(line)
    except InputError as e:
        where = e.where
    assert where.startswith("line 7: $")


@given(st.binary(max_size=200))
def test_no_bytes_crash_it(data: bytes) -> None:
    try:
        decode_line(data, 1)
    except InputError:
        return
