from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from importlib import resources
from pathlib import Path

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from skykeep.codec.ed269_write import write_ed269
from skykeep.codec.zone_geojson_write import CIRCLE_CORNERS, write_geojson
from skykeep.codec.zones import read_zones
from skykeep.core.event import Severity
from skykeep.core.geo import Circle, HeightAgl, HeightAmsl, HeightPressure, Polygon, Volume, prepare
from skykeep.core.geo import depth_m as depth_in_m
from skykeep.core.zone import DailyPeriod, Period, Restriction, SunEvent, TimeOfDay, Zone
from skykeep.errors import InputError
from skykeep.units import ZoneId
from tests.unit.codec.zone_strategies import zones_of

VECTORS = Path(__file__).parents[2] / "vectors" / "zones"
LUXEMBOURG = resources.files("skykeep").joinpath("data", "luxembourg.geojson")
SCHEMA = jsonschema.Draft7Validator(
    json.loads((VECTORS / "ed269-schema.json").read_bytes()),
    format_checker=jsonschema.Draft7Validator.FORMAT_CHECKER,
)
REAL = [
    LUXEMBOURG,
    VECTORS / "finland.geojson",
    VECTORS / "ed269-lu.json",
    VECTORS / "ed269-fi.json",
    VECTORS / "ed269-ch.json",
    VECTORS / "ed318-se.json",
    VECTORS / "faa-uasfm.json",
    VECTORS / "ed318-official" / "examples" / "Example_Collection.json",
]

CITADEL = Zone(
    ZoneId("CITADEL-2026"),
    "Citadel of Luxembourg",
    "lux:ville-de-luxembourg",
    Restriction.PROHIBITED,
    (Volume(Circle(49.61, 6.1335, 500.0), HeightAgl(0.0), HeightAgl(300.0)),),
    country="LUX",
)


def problems_269(data: bytes) -> list[str]:
    return [error.message[:200] for error in SCHEMA.iter_errors(json.loads(data))]


def problems_geojson(data: bytes) -> list[str]:
    """What RFC 7946 demands of what we write."""
    found = []
    for i, feature in enumerate(json.loads(data)["features"]):
        geometry = feature["geometry"]
        polygons = geometry["coordinates"]
        polygons = polygons if geometry["type"] == "MultiPolygon" else [polygons]
        for polygon in polygons:
            found += [f"{i}: open" for ring in polygon if ring[0] != ring[-1]]
            found += [f"{i}: short" for ring in polygon if len(ring) < 4]
    return found


WRITERS = [
    (write_ed269, problems_269, "ed269"),
    (write_geojson, problems_geojson, "geojson"),
]
_Writer = Callable[..., bytes]
_Check = Callable[[bytes], list[str]]


def test_the_schema_is_in_force() -> None:
    assert problems_269((VECTORS / "ed269-ch.json").read_bytes().replace(b"\xef\xbb\xbf", b""))
    assert problems_269(write_ed269([CITADEL])) == []


@pytest.mark.parametrize(("write", "problems", "kind"), WRITERS, ids=["ed269", "geojson"])
@pytest.mark.parametrize("path", REAL, ids=lambda path: path.name)
def test_real_zones_validate_and_come_back_the_same(
    path: Path, write: _Writer, problems: _Check, kind: str
) -> None:
    zones = read_zones(path.read_bytes(), path.name).zones
    written = write(zones)
    assert problems(written) == []
    again = read_zones(written, "written")
    assert again.format == kind
    assert again.zones == zones
    assert not [f for f in again.findings if f.severity is Severity.ERROR]


@pytest.mark.parametrize(("write", "problems", "kind"), WRITERS, ids=["ed269", "geojson"])
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(zones=st.tuples(zones_of(0), zones_of(1)))
def test_any_zones_validate_and_come_back_the_same(
    write: _Writer, problems: _Check, kind: str, zones: tuple[Zone, ...]
) -> None:
    written = write(zones)
    assert problems(written) == []
    assert read_zones(written, "f").zones == zones


def test_what_ed269_cannot_say_is_written_wider() -> None:
    night = DailyPeriod((4,), SunEvent.SS, SunEvent.SR)
    office = DailyPeriod((0,), TimeOfDay(28_800, True), TimeOfDay(61_200, True))
    zone = replace(
        CITADEL,
        volumes=(Volume(CITADEL.volumes[0].area, HeightAgl(30.5), HeightPressure(1000.0)),),
        periods=(Period(windows=(night, office)),),
    )
    feature = json.loads(write_ed269([zone]))["features"][0]
    volume = feature["geometry"][0]
    assert (volume["lowerLimit"], volume["upperVerticalReference"]) == (30, "AMSL")
    assert volume["upperLimit"] > 1_400
    assert feature["applicability"][0]["schedule"] == [
        {"day": ["ANY"], "startTime": "00:00:00Z", "endTime": "23:59:59Z"},
        {"day": ["MON"], "startTime": "08:00:00Z", "endTime": "17:00:00Z"},
    ]
    assert len(feature["identifier"]) == 7
    extension = feature["extendedProperties"]["skykeep"]
    exact = {"zoneId", "pressureLimits", "geometry", "limitedApplicability"}
    assert exact <= extension.keys()
    assert read_zones(write_ed269([zone]), "f").zones == (zone,)


def test_local_times_are_the_whole_day_in_ed269() -> None:
    local = DailyPeriod((0,), TimeOfDay(28_800, False), TimeOfDay(61_200, False))
    zone = replace(CITADEL, time_zone="Europe/Luxembourg", periods=(Period(windows=(local,)),))
    written = write_ed269([zone])
    assert json.loads(written)["features"][0]["applicability"][0]["schedule"] == [
        {"day": ["ANY"], "startTime": "00:00:00Z", "endTime": "23:59:59Z"}
    ]
    assert read_zones(written, "f").zones == (zone,)


def test_a_circle_is_drawn_around_in_geojson() -> None:
    written = write_geojson([CITADEL])
    ring = json.loads(written)["features"][0]["geometry"]["coordinates"][0]
    assert len(ring) == CIRCLE_CORNERS + 1
    drawn = prepare(Polygon((tuple((lon, lat) for lon, lat in ring),)))
    centre_depth_m = depth_in_m(drawn, 49.61, 6.1335)
    assert 499.9 <= centre_depth_m <= 500.5  # none of the circle is left out
    assert read_zones(written, "f").zones == (CITADEL,)


def test_limits_of_several_volumes_are_the_outermost() -> None:
    low = Volume(Circle(49.61, 6.13, 500.0), HeightAgl(0.0), HeightAgl(50.0))
    high = Volume(Circle(49.61, 6.13, 900.0), HeightAgl(50.0), HeightAgl(120.0))
    sea = replace(high, upper=HeightAmsl(900.0))
    properties = json.loads(write_geojson([replace(CITADEL, volumes=(low, high))]))["features"][0][
        "properties"
    ]
    assert (properties["lowerLimit"], properties["upperLimit"]) == (0.0, 120.0)
    mixed = json.loads(write_geojson([replace(CITADEL, volumes=(low, sea))]))["features"][0]
    assert "upperLimit" not in mixed["properties"]


@pytest.mark.parametrize("write", [write_ed269, write_geojson])
@pytest.mark.parametrize(
    "changes",
    [
        {"readable": False},
        {"volumes": ()},
        {"volumes": (Volume(Circle(49.6, 6.1, -1.0), None, None),)},
        {"volumes": (Volume(Circle(49.6, 6.1, 5.0), HeightAgl(9.0), HeightAgl(3.0)),)},
        {"zone_id": ZoneId("CITADEL-2026")},
        {"time_zone": "Mars/Olympus"},
        {"periods": (Period(5 * 10**18, 4 * 10**18),)},
    ],
)
def test_what_must_not_be_published_is_refused(write: _Writer, changes: dict[str, object]) -> None:
    bad = replace(CITADEL, **{"zone_id": ZoneId("B"), **changes})
    with pytest.raises(InputError) as caught:
        write([CITADEL, bad])
    assert "zones[1]" in caught.value.where
    assert caught.value.mend
