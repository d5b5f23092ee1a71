from __future__ import annotations

import json
from dataclasses import replace
from importlib import resources
from pathlib import Path

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from referencing import Registry, Resource

from skykeep.codec.ed318_write import NO_COUNTRY, write_ed318
from skykeep.codec.zones import read_zones
from skykeep.core.event import Severity
from skykeep.core.geo import (
    Circle,
    HeightAgl,
    HeightPressure,
    Polygon,
    Volume,
)
from skykeep.core.zone import (
    Authority,
    DailyPeriod,
    Period,
    Restriction,
    SunEvent,
    TimeOfDay,
    Zone,
    ZoneState,
)
from skykeep.errors import InputError
from skykeep.units import ZoneId
from tests.unit.codec.zone_strategies import zones_of

VECTORS = Path(__file__).parents[2] / "vectors" / "zones"
SCHEMA = VECTORS / "ed318-official" / "schema"
LUXEMBOURG = resources.files("skykeep").joinpath("data", "luxembourg.geojson")

_BASE = "http://ed318.invalid/"
_REGISTRY = Registry().with_resources(
    [
        (_BASE + path.name, Resource.from_contents(json.loads(path.read_bytes())))
        for path in sorted(SCHEMA.iterdir())
    ]
)
VALIDATOR = jsonschema.Draft7Validator(
    {"$ref": _BASE + "Schema_GeoZones.json"},
    registry=_REGISTRY,
    format_checker=jsonschema.Draft7Validator.FORMAT_CHECKER,
)

NO_CONTACT = "an authorisation is required, but there is no contact to ask for it"

CITADEL = Zone(
    ZoneId("CITADEL-2026"),
    "Citadel of Luxembourg",
    "lux:ville-de-luxembourg",
    Restriction.PROHIBITED,
    (Volume(Circle(49.61, 6.1335, 500.0), HeightAgl(0.0), HeightAgl(300.0)),),
    country="LUX",
    reasons=("SENSITIVE",),
    authorities=(Authority("Ville de Luxembourg", "AUTHORIZATION", email="sky@vdl.example"),),
    legal_basis="Règlement grand-ducal, article 5",
    emergency=True,
    state=ZoneState.APPROVED,
)


def problems(data: bytes) -> list[str]:
    return [error.message[:200] for error in VALIDATOR.iter_errors(json.loads(data))]


def test_the_schema_is_in_force() -> None:
    official = VECTORS / "ed318-official" / "examples"
    assert problems((official / "Example_Collection.json").read_bytes()) == []
    assert problems((official / "InvalidExample_GeoZone_2_Layers.json").read_bytes()) != []
    assert problems((VECTORS / "ed318-se.json").read_bytes()) != []


@pytest.mark.parametrize(
    "path",
    [
        LUXEMBOURG,
        VECTORS / "finland.geojson",
        VECTORS / "ed269-lu.json",
        VECTORS / "ed269-fi.json",
        VECTORS / "ed269-ch.json",
        VECTORS / "ed318-se.json",
        VECTORS / "ed318-official" / "examples" / "Example_Collection.json",
        VECTORS / "ed318-official" / "examples" / "InvalidExample_GeoZone_2_Layers.json",
    ],
    ids=lambda path: path.name,
)
def test_real_zones_validate_and_come_back_the_same(path: Path) -> None:
    zones = read_zones(path.read_bytes(), path.name).zones
    written = write_ed318(zones, name="Zones", provider="Skykeep", issued_ns=1_786_968_000 * 10**9)
    assert problems(written) == []
    again = read_zones(written, "written")
    assert again.zones == zones
    assert again.format == "ed318"
    # An absent limit and an authority that cannot be asked are no fault, but are said.
    assert {f.where.rsplit(".", 1)[-1] for f in again.findings} <= {
        "upper",
        "lower",
        "zoneAuthority",
    }
    assert not [f for f in again.findings if f.severity is Severity.ERROR]


def test_what_the_format_has_no_room_for_stands_in_the_extension() -> None:
    written = json.loads(write_ed318([CITADEL]))
    properties = written["features"][0]["properties"]
    assert len(properties["identifier"]) == 7
    assert properties["identifier"] != "CITADEL"
    assert properties["extendedProperties"] == {
        "skykeep": {
            "zoneId": "CITADEL-2026",
            "legalBasis": "Règlement grand-ducal, article 5",
            "state": "approved",
            "emergency": True,
        }
    }
    plain = replace(
        CITADEL,
        zone_id=ZoneId("LUX0001"),
        legal_basis="",
        emergency=False,
        state=ZoneState.IN_FORCE,
    )
    assert "extendedProperties" not in json.loads(write_ed318([plain]))["features"][0]["properties"]


def test_a_zone_of_nowhere_still_validates() -> None:
    bare = Zone(ZoneId("Z"), "", "unknown", Restriction.CONDITIONAL, CITADEL.volumes)
    written = write_ed318([bare])
    assert problems(written) == []
    properties = json.loads(written)["features"][0]["properties"]
    assert properties["country"] == NO_COUNTRY
    assert read_zones(written, "f").zones == (bare,)


def test_flight_levels_are_written_wider_and_come_back_exact() -> None:
    level = Volume(Circle(49.6, 6.1, 900.0), HeightPressure(304.8), HeightPressure(2895.6))
    zone = replace(CITADEL, volumes=(level, CITADEL.volumes[0]))
    written = write_ed318([zone])
    assert problems(written) == []
    layer = json.loads(written)["features"][0]["geometry"]["geometries"][0]["layer"]
    assert (layer["lowerReference"], layer["upperReference"]) == ("AMSL", "AMSL")
    assert layer["lower"] < 304.8 - 400.0
    assert layer["upper"] > 2895.6 + 400.0
    assert read_zones(written, "f").zones == (zone,)


def test_local_times_keep_their_time_zone() -> None:
    office = DailyPeriod((0, 1), TimeOfDay(28_800, False), SunEvent.EECT)
    zone = replace(CITADEL, time_zone="Europe/Luxembourg", periods=(Period(windows=(office,)),))
    written = write_ed318([zone])
    feature = json.loads(written)["features"][0]
    assert feature["properties"]["limitedApplicability"] == [
        {"schedule": [{"day": ["MON", "TUE"], "startTime": "08:00:00", "endEvent": "EECT"}]}
    ]
    assert read_zones(written, "f").zones == (zone,)


def test_a_wrong_extension_makes_the_zone_unreadable_and_nothing_else() -> None:
    for member, value in (
        ("state", "open"),
        ("emergency", "no"),
        ("timeZone", "Europe/Lux"),
        ("authorities", [7]),
    ):
        document = json.loads(write_ed318([CITADEL, replace(CITADEL, zone_id=ZoneId("B"))]))
        document["features"][0]["properties"]["extendedProperties"]["skykeep"][member] = value
        found = read_zones(json.dumps(document).encode(), "f")
        assert [zone.readable for zone in found.zones] == [False, True]
        assert any(member in f.where for f in found.findings if f.severity is Severity.ERROR), (
            member
        )


_BOW_TIE = Polygon((((6, 49), (7, 50), (7, 49), (6, 50), (6, 49)),))


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"readable": False}, "zones[1]"),
        ({"volumes": ()}, "zones[1].volumes"),
        ({"volumes": (Volume(_BOW_TIE, None, None),)}, "zones[1].volumes[0].area[0][0]"),
        ({"volumes": (Volume(Circle(49.6, 6.1, -1.0), None, None),)}, "zones[1].volumes[0].area"),
        (
            {"volumes": (Volume(Circle(49.6, 6.1, 1.0), HeightAgl(9.0), HeightAgl(3.0)),)},
            "zones[1].geometry.layer.upper",
        ),
        ({"zone_id": ZoneId("CITADEL-2026")}, "zones[1].zone_id"),
        ({"zone_id": ZoneId("")}, "zones[1].zone_id"),
        ({"time_zone": "Mars/Olympus"}, "zones[1].time_zone"),
        ({"periods": (Period(start_ns=0),)}, "zones[1].periods[0].start_ns"),
        ({"periods": (Period(end_ns=10**30),)}, "zones[1].periods[0].end_ns"),
        ({"periods": (Period(5 * 10**18, 4 * 10**18),)}, "endDateTime"),
    ],
)
def test_what_must_not_be_published_is_refused(changes: dict[str, object], where: str) -> None:
    bad = replace(CITADEL, **{"zone_id": ZoneId("B"), **changes})
    with pytest.raises(InputError) as caught:
        write_ed318([CITADEL, bad])
    assert where in caught.value.where


# ---- any zone that may be published comes back


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.tuples(zones_of(0), zones_of(1)))
def test_any_zones_validate_and_come_back_the_same(zones: tuple[Zone, ...]) -> None:
    written = write_ed318(zones)
    assert problems(written) == []
    again = read_zones(written, "f")
    assert again.zones == zones
    grave = [f for f in again.findings if f.severity is not Severity.NOTE]
    assert {f.problem for f in grave} <= {NO_CONTACT}
