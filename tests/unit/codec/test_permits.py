from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skykeep.codec.permits import decode_permits, encode_permits
from skykeep.core.event import Severity
from skykeep.core.geo import (
    Circle,
    HeightAgl,
    HeightAmsl,
    HeightHae,
    HeightPressure,
    Polygon,
    Volume,
    Volume4D,
)
from skykeep.core.permit import Permit, PermitState
from skykeep.errors import InputError
from skykeep.units import PermitId, ZoneId

SQUARE = [[6.1, 49.6], [6.2, 49.6], [6.2, 49.7], [6.1, 49.7], [6.1, 49.6]]
VOLUME: dict[str, Any] = {
    "area": {"type": "Polygon", "coordinates": [SQUARE]},
    "lower": {"m": 0, "reference": "AGL"},
    "upper": {"m": 450, "reference": "AMSL"},
    "start": "2026-09-12T00:00:00+02:00",
    "end": None,
}
CIRCLE = VOLUME | {"area": {"circle": {"lat_deg": 49.6, "lon_deg": 6.1, "radius_m": 300}}}
PERMIT: dict[str, Any] = {
    "id": "P-1",
    "holder": "Survey Ltd",
    "serials": ["1596A0123456789"],
    "zones": ["Z1"],
    "volumes": [VOLUME, CIRCLE],
    "state": "granted",
    "conditions": ["by day"],
    "state_since": "2026-09-11T10:00:00Z",
}
EXEMPTION: dict[str, Any] = {k: v for k, v in PERMIT.items() if k != "zones"} | {
    "id": "E-1",
    "class": "police",
    "must_broadcast": False,
}


def file_of(*permits: object, exemptions: tuple[object, ...] = (), **more: object) -> bytes:
    document = {"authority": "city", "permits": permits, "exemptions": exemptions} | more
    return json.dumps(document).encode()


def test_a_good_file() -> None:
    file = decode_permits(file_of(PERMIT, exemptions=(EXEMPTION,)), "f")
    assert file.findings == ()
    exemption, permit = file.permits
    assert (permit.permit_id, permit.authority_id, permit.holder) == ("P-1", "city", "Survey Ltd")
    assert permit.state is PermitState.GRANTED
    assert permit.must_broadcast is True
    assert permit.exemption_class == ""
    assert permit.volumes[0].volume.area == Polygon((tuple((a, b) for a, b in SQUARE),))
    assert permit.volumes[0].volume.lower == HeightAgl(0.0)
    assert permit.volumes[0].volume.upper == HeightAmsl(450.0)
    assert permit.volumes[0].start_ns == 1_789_164_000 * 10**9
    assert permit.volumes[0].end_ns is None
    assert permit.volumes[1].volume.area == Circle(49.6, 6.1, 300.0)
    assert (exemption.exemption_class, exemption.zones) == ("police", ())
    assert exemption.must_broadcast is False


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("id", None),
        ("id", " "),
        ("holder", 5),
        ("serials", "1596A0123456789"),
        ("serials", [1]),
        ("zones", None),
        ("zones", ["Z1", 2]),
        ("volumes", None),
        ("state", "ok"),
        ("state", ["granted"]),
        ("must_broadcast", "no"),
        ("conditions", [[]]),
        ("state_since", 5),
        ("state_since", "1970-01-01T00:00:00Z"),
        ("holder", "\ud800"),
    ],
)
def test_a_bad_permit_costs_only_itself(field: str, value: object) -> None:
    file = decode_permits(file_of(PERMIT | {field: value}, PERMIT | {"id": "P-2"}), "f")
    assert [p.permit_id for p in file.permits] == ["P-2"]
    (finding,) = file.findings
    assert finding.where.startswith(f"$.permits[0].{field}")
    assert finding.severity is Severity.ERROR


@pytest.mark.parametrize("zones", [[1], "Z1", [""], {}])
def test_a_broken_zone_list_does_not_open_all_zones(zones: object) -> None:
    file = decode_permits(file_of(exemptions=(EXEMPTION | {"zones": zones},)), "f")
    assert file.permits == ()
    assert file.findings[0].where.startswith("$.exemptions[0].zones")


def test_an_exemption_needs_a_class() -> None:
    file = decode_permits(file_of(exemptions=(EXEMPTION | {"class": ""},)), "f")
    assert file.permits == ()


BOW_TIE = [[6.1, 49.6], [6.2, 49.7], [6.2, 49.6], [6.1, 49.7], [6.1, 49.6]]


@pytest.mark.parametrize(
    ("field", "value", "where"),
    [
        ("area", {"type": "Polygon", "coordinates": [BOW_TIE]}, "area.coordinates[0][0]"),
        ("area", {"type": "Polygon", "coordinates": [SQUARE[:-1]]}, "area.coordinates[0]"),
        ("area", {"type": "Polygon", "coordinates": []}, "area.coordinates"),
        ("area", {"type": "Polygon", "coordinates": [[[6.1, 95]]]}, "area.coordinates[0][0][1]"),
        ("area", {"type": "Point", "coordinates": [6, 49]}, "area"),
        ("area", {"circle": {"lat_deg": 95, "lon_deg": 6, "radius_m": 1}}, "area.circle.lat_deg"),
        ("area", {"circle": {"lat_deg": 9, "lon_deg": 6, "radius_m": 0}}, "area.circle.radius"),
        ("area", {"circle": {"lat_deg": 9, "lon_deg": 6}}, "area.circle.radius_m"),
        ("area", None, "area"),
        ("lower", {"m": 0, "reference": "MSL"}, "lower"),
        ("lower", {"m": 1e9, "reference": "AMSL"}, "lower.m"),
        ("lower", {"m": 450, "reference": "AMSL"}, "upper"),
        ("upper", 450, "upper"),
        ("start", "2026-09-12", "start"),
        ("start", 5, "start"),
        ("end", "2026-09-11T22:00:00Z", "end"),
    ],
)
def test_a_bad_volume_is_not_opened(field: str, value: object, where: str) -> None:
    file = decode_permits(file_of(PERMIT | {"volumes": [VOLUME | {field: value}, CIRCLE]}), "f")
    assert len(file.permits[0].volumes) == 1
    assert file.findings[0].where == f"$.permits[0].volumes[0].{where}"


@pytest.mark.parametrize("field", ["lower", "upper", "start", "end"])
def test_no_limit_must_be_said(field: str) -> None:
    missing = {k: v for k, v in VOLUME.items() if k != field}
    file = decode_permits(file_of(PERMIT | {"volumes": [missing]}), "f")
    assert file.permits[0].volumes == ()
    assert [f.where for f in file.findings] == [
        f"$.permits[0].volumes[0].{field}",
        "$.permits[0].volumes",
    ]
    nothing = decode_permits(file_of(PERMIT | {"volumes": [VOLUME | {field: None}]}), "f")
    assert nothing.findings == ()


def test_not_a_number_is_caught() -> None:
    for text in (b"NaN", b"Infinity", b"1e999"):
        file = decode_permits(file_of(PERMIT).replace(b"450", text), "f")
        assert file.permits[0].volumes == ()
        assert file.findings[0].where == "$.permits[0].volumes[0].upper.m"


def test_doubled_ids_and_unknown_fields() -> None:
    file = decode_permits(file_of(PERMIT, PERMIT, exemptions=(EXEMPTION | {"id": "P-1"},)), "f")
    assert file.permits == ()
    assert len(file.findings) == 3
    file = decode_permits(file_of(PERMIT | {"serial": "x"}, extra=1), "f")
    assert [f.where for f in file.findings] == ["$", "$.permits[0]"]
    assert '"serial"' in file.findings[1].problem
    assert len(file.permits) == 1


def test_serials_that_break_the_standard_are_kept() -> None:
    file = decode_permits(file_of(PERMIT | {"serials": ["drone O"]}), "f")
    assert file.permits[0].serials == ("drone O",)
    (finding,) = file.findings
    assert finding.severity is Severity.NOTE
    assert finding.where == "$.permits[0].serials[0]"


def test_a_permit_that_opens_nothing_is_said() -> None:
    file = decode_permits(file_of(PERMIT | {"serials": [], "zones": []}), "f")
    assert [f.where for f in file.findings] == ["$.permits[0].serials", "$.permits[0].zones"]
    assert {f.severity for f in file.findings} == {Severity.WARNING}


@pytest.mark.parametrize(
    "data",
    [b"", b"[]", b"{}", b'{"authority": " "}', b'{"authority": "a", "permits": {}}', b"\xff"],
)
def test_what_is_no_permits_file(data: bytes) -> None:
    with pytest.raises(InputError, match=r"^f"):
        decode_permits(data, "f")


heights = st.none() | st.builds(
    lambda kind, m: kind(m),
    st.sampled_from([HeightAgl, HeightAmsl, HeightHae, HeightPressure]),
    st.floats(-100.0, 500.0),
)
areas = st.builds(
    Circle, st.floats(-89.0, 89.0), st.floats(-179.0, 179.0), st.floats(1.0, 5000.0)
) | st.just(Polygon((tuple((a, b) for a, b in SQUARE),)))
moments = st.integers(946_684_800 * 10**9, 4_000_000_000 * 10**9)


@st.composite
def volumes(draw: st.DrawFn) -> Volume4D:
    lower, upper = draw(heights), draw(heights)
    if lower is not None and type(lower) is type(upper):
        upper = type(lower)(lower.m + 1.0)
    start = draw(st.none() | moments)
    end = None if draw(st.booleans()) else draw(moments if start is None else st.just(start + 1))
    return Volume4D(Volume(draw(areas), lower, upper), start, end)


texts = st.text(st.characters(codec="utf-8"), max_size=12).map(str.strip)
names = texts.filter(bool)


@st.composite
def permits(draw: st.DrawFn) -> Permit:
    return Permit(
        permit_id=PermitId(draw(names)),
        authority_id="city",
        holder=draw(texts),
        serials=tuple(draw(st.lists(names, max_size=2))),
        zones=tuple(ZoneId(z) for z in draw(st.lists(names, max_size=2))),
        volumes=tuple(draw(st.lists(volumes(), max_size=2))),
        state=draw(st.sampled_from(PermitState)),
        exemption_class=draw(texts),
        must_broadcast=draw(st.booleans()),
        conditions=tuple(draw(st.lists(names, max_size=2))),
        state_why=draw(texts),
        state_since_ns=draw(st.just(0) | moments),
    )


@settings(max_examples=60, deadline=None)
@given(st.lists(permits(), max_size=3, unique_by=lambda p: p.permit_id))
def test_round_trip(given_permits: list[Permit]) -> None:
    data = encode_permits("city", given_permits)
    file = decode_permits(data, "f")
    assert file.permits == tuple(sorted(given_permits, key=lambda p: p.permit_id))
    assert encode_permits("city", reversed(file.permits)) == data


def test_the_writer_is_strict() -> None:
    (permit,) = decode_permits(file_of(PERMIT), "f").permits
    high = replace(permit.volumes[0].volume, upper=HeightAmsl(float("nan")))
    for broken in (
        replace(permit, permit_id=PermitId(" P-1")),
        replace(permit, authority_id="airport"),
        replace(permit, volumes=(replace(permit.volumes[0], volume=high),)),
        replace(permit, state_since_ns=5),
    ):
        with pytest.raises(InputError):
            encode_permits("city", [broken])
    with pytest.raises(InputError, match="occurs 2 times"):
        encode_permits("city", [permit, permit])


json_values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)


@settings(deadline=None)
@given(st.sampled_from(sorted(EXEMPTION)), st.sampled_from(sorted(VOLUME)), json_values)
def test_no_value_crashes_it(field: str, part: str, value: object) -> None:
    records = (
        EXEMPTION | {field: value},
        EXEMPTION | {"id": "E-2", "volumes": [VOLUME | {part: value}]},
        value,
    )
    file = decode_permits(file_of(PERMIT, exemptions=records), "f")
    assert "P-1" in [p.permit_id for p in file.permits] or value == "P-1"


@given(st.binary(max_size=100))
def test_no_bytes_crash_it(data: bytes) -> None:
    try:
        decode_permits(data, "f")
    except InputError:
        return
