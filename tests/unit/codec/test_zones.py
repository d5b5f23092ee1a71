from __future__ import annotations

import copy
import json
from collections import Counter
from contextlib import suppress
from importlib import resources
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from skykeep.codec.zone_parts import (
    MAX_FINDINGS,
    Notes,
    authority_id_of,
    require_time_zone,
    slug,
)
from skykeep.codec.zones import MAX_ZONES, ZoneFile, read_zones
from skykeep.core.event import Severity
from skykeep.core.geo import Circle, HeightAgl, HeightAmsl, Polygon
from skykeep.core.zone import (
    Authority,
    DailyPeriod,
    Period,
    Restriction,
    SunEvent,
    TimeOfDay,
    prepare_zone,
)
from skykeep.errors import InputError

VECTORS = Path(__file__).parents[2] / "vectors" / "zones"
OFFICIAL = VECTORS / "ed318-official" / "examples"
LUXEMBOURG = resources.files("skykeep").joinpath("data", "luxembourg.geojson")


def read(path: Path) -> ZoneFile:
    return read_zones(path.read_bytes(), path.name)


def read_json(document: object) -> ZoneFile:
    return read_zones(json.dumps(document).encode(), "f")


def last_step(where: str) -> str:
    return where.rsplit(".", 1)[-1].split("[", maxsplit=1)[0]


def counted(found: ZoneFile) -> Counter[tuple[str, str]]:
    return Counter((f.severity.value, last_step(f.where)) for f in found.findings)


# ---- the real files


def test_luxembourg() -> None:
    found = read_zones(LUXEMBOURG.read_bytes(), "luxembourg.geojson")
    assert found.format == "geojson"
    assert len(found.zones) == 47
    assert all(zone.readable and not zone.periods for zone in found.zones)
    assert Counter(str(zone.restriction) for zone in found.zones) == {
        "REQ_AUTHORISATION": 20,
        "CONDITIONAL": 16,
        "PROHIBITED": 11,
    }
    assert counted(found) == {
        ("note", "country"): 47,
        ("note", "applicability"): 47,
        ("note", "coordinates"): 47,
        ("note", "id"): 5,
        ("warning", "zoneAuthority"): 20,
    }
    assert len({zone.authority_id for zone in found.zones}) == 9
    zone = found.zones[0]
    assert (zone.zone_id, zone.name) == ("SPECI12", "EL-UAS-S12")
    assert zone.authority_id == "direction-de-l-aviation-civile"
    assert (zone.volumes[0].lower, zone.volumes[0].upper) == (HeightAgl(0.0), HeightAgl(120.0))
    assert isinstance(zone.volumes[0].area, Polygon)
    assert len(zone.volumes[0].area.rings[0]) == 65


def test_finland() -> None:
    found = read(VECTORS / "finland.geojson")
    assert found.format == "geojson"
    assert len(found.zones) == 723
    assert all(zone.readable for zone in found.zones)
    assert counted(found) == {
        ("note", "lowerLimit"): 679,
        ("note", "upperLimit"): 165,
        ("note", "coordinates"): 696,
        ("note", "identifier"): 91,
        ("note", "endTime"): 721,
        ("warning", "schedule"): 7,
        ("warning", "endDateTime"): 723,
        ("warning", "purpose"): 723,
        ("warning", "features"): 1,
    }
    assert len({zone.zone_id for zone in found.zones}) == 723
    twice = [z for z in found.zones if z.zone_id.startswith("EFUTUASC3")]
    assert [z.zone_id for z in twice] == ["EFUTUASC3", "EFUTUASC3~2"]
    assert twice[0].name != twice[1].name
    # From a start on, without an end, all day: but for the two, at weekends and on weekdays.
    assert {zone.periods[0].end_ns for zone in found.zones} == {None}
    assert [len(zone.periods[0].windows) for zone in found.zones if zone not in twice] == [0] * 721
    assert [{w.weekdays for w in z.periods[0].windows} for z in twice] == [
        {(5,), (6,)},
        {(0,), (1,), (2,), (3,), (4,)},
    ]
    assert all(zone.periods[0].start_ns for zone in found.zones)
    feet = [z for z in found.zones if isinstance(z.volumes[0].upper, HeightAmsl)]
    assert HeightAmsl(2000 * 0.3048) in {z.volumes[0].upper for z in feet}
    assert {zone.authority_id for zone in found.zones} == {"fin:traficom"}


@pytest.mark.parametrize(
    ("name", "kind", "zones", "findings"),
    [
        (
            "ed269-lu.json",
            "ed269",
            2,
            {
                ("note", "$"): 1,
                ("note", "identifier"): 2,
                ("note", "zoneAuthority"): 2,
                ("warning", "zoneAuthority"): 1,
            },
        ),
        (
            "ed269-fi.json",
            "ed269",
            2,
            {
                ("note", "$"): 1,
                ("note", "identifier"): 2,
                ("note", "zoneAuthority"): 2,
                ("note", "lowerLimit"): 1,
                ("note", "upperLimit"): 1,
                ("warning", "zoneAuthority"): 1,
            },
        ),
        (
            "ed269-ch.json",
            "ed269",
            4,
            {
                ("note", "identifier"): 4,
                ("note", "zoneAuthority"): 3,
                ("warning", "upperLimit"): 2,
                ("warning", "zoneAuthority"): 3,
            },
        ),
        (
            "ed318-se.json",
            "ed318",
            3,
            {
                ("warning", "purpose"): 3,
                ("note", "startDateTime"): 3,
                ("note", "endDateTime"): 2,
                ("note", "startTime"): 2,
                ("note", "endTime"): 2,
                ("warning", "zoneAuthority"): 2,
            },
        ),
        ("ed318-official/examples/Example_Collection.json", "ed318", 2, {}),
        ("ed318-official/examples/Example_GeoZone_2_Layers.json", "ed318", 1, {}),
        ("ed318-official/examples/Example_GeoZone_Circle.json", "ed318", 1, {}),
        ("ed318-official/examples/Example_GeoZone_with_extension.json", "ed318", 1, {}),
        (
            "ed318-official/examples/InvalidExample_GeoZone_2_Layers.json",
            "ed318",
            1,
            {("warning", "validFrom"): 1, ("note", "lang"): 1, ("note", "type"): 1},
        ),
        (
            "ed318-official/examples/PartialExample_featureGeoJSON.json",
            "ed318",
            1,
            {("note", "$"): 1},
        ),
    ],
)
def test_small_real_files(
    name: str, kind: str, zones: int, findings: dict[tuple[str, str], int]
) -> None:
    found = read(VECTORS / name)
    assert (found.format, len(found.zones)) == (kind, zones)
    assert all(zone.readable for zone in found.zones)
    assert counted(found) == findings


def test_the_official_collection_in_full() -> None:
    layers, circle = read(OFFICIAL / "Example_Collection.json").zones
    assert layers.restriction is Restriction.REQ_AUTHORISATION
    assert layers.authority_id == "fra:lfpg-uaszonemanager"
    assert [(v.lower, v.upper) for v in layers.volumes] == [
        (HeightAgl(50.0), HeightAgl(150.0)),
        (HeightAgl(0.0), HeightAgl(50.0)),
    ]
    assert layers.periods == (
        Period(
            1_546_271_999_000_000_000,
            1_577_807_999_000_000_000,
            (
                DailyPeriod(tuple(range(7)), TimeOfDay(57_600, True), TimeOfDay(61_200, True)),
                DailyPeriod((6,), TimeOfDay(36_000, True), TimeOfDay(43_200, True)),
            ),
        ),
    )
    assert circle.volumes[0].area == Circle(50.122901, 2.636866, 3500.0)
    assert circle.authorities[0] == Authority(
        "LFPG-UASZoneManager", "INFORMATION", email="UASZoneManager@lfpg.fr"
    )


def test_no_ceiling_is_none_and_feet_are_metres() -> None:
    assert read(VECTORS / "ed269-ch.json").zones[0].volumes[0].upper is None
    heliport = read(VECTORS / "ed318-se.json").zones[2].volumes[0]
    assert heliport.upper == HeightAmsl(1500 * 0.3048)
    assert heliport.area == Circle(58.90, 14.90, 1852.0)


# ---- faults, one by one


def ed269_zone(**changes: object) -> dict[str, object]:
    zone: dict[str, object] = {
        "identifier": "LUX0001",
        "country": "LUX",
        "name": "Citadel",
        "type": "COMMON",
        "restriction": "PROHIBITED",
        "reason": ["SENSITIVE"],
        "applicability": [{"permanent": "YES"}],
        "zoneAuthority": [{"name": "City", "purpose": "AUTHORIZATION", "phone": "+352 1"}],
        "geometry": [
            {
                "uomDimensions": "M",
                "lowerLimit": 0,
                "lowerVerticalReference": "AGL",
                "upperLimit": 120,
                "upperVerticalReference": "AGL",
                "horizontalProjection": {"type": "Circle", "center": [6.13, 49.61], "radius": 500},
            }
        ],
    }
    zone.update(changes)
    return zone


def with_volume(**changes: object) -> dict[str, object]:
    zone = ed269_zone()
    zone["geometry"][0].update(changes)  # type: ignore[index]
    return zone


def one(zone: dict[str, object]) -> ZoneFile:
    good = ed269_zone(identifier="GOOD")
    found = read_json({"features": [zone, good]})
    assert found.zones[1].readable  # what is good beside a fault stays good
    assert found.zones[1].zone_id == "GOOD"
    return found


def test_a_good_zone_has_no_findings() -> None:
    assert one(ed269_zone()).findings == ()


def polygon(*points: list[object]) -> dict[str, object]:
    return {"type": "Polygon", "coordinates": [list(points)]}


UNREADABLE = [
    (ed269_zone(restriction="FORBIDDEN"), "restriction"),
    (ed269_zone(restriction=None), "restriction"),
    (ed269_zone(restriction=["PROHIBITED"]), "restriction"),
    (ed269_zone(geometry=None), "geometry"),
    (ed269_zone(geometry=[7]), "geometry"),
    (ed269_zone(applicability=["always"]), "applicability"),
    (ed269_zone(applicability=[{"startDateTime": "soon"}]), "startDateTime"),
    (ed269_zone(applicability=[{"startDateTime": "2026-02-30T00:00:00Z"}]), "startDateTime"),
    (ed269_zone(applicability=[{"startDateTime": 1786968000}]), "startDateTime"),
    (ed269_zone(applicability=[{"startDateTime": "9999-12-31T23:59:59Z"}]), "startDateTime"),
    (
        ed269_zone(
            applicability=[
                {"startDateTime": "2026-08-02T00:00:00Z", "endDateTime": "2026-08-01T00:00:00Z"}
            ]
        ),
        "endDateTime",
    ),
    (ed269_zone(applicability=[{"schedule": [{"day": ["XMAS"]}]}]), "day"),
    (ed269_zone(applicability=[{"schedule": [{"day": "MON", "startTime": "8 am"}]}]), "startTime"),
    (ed269_zone(applicability=[{"schedule": [{"day": "MON", "endTime": "25:00Z"}]}]), "endTime"),
    (ed269_zone(applicability=[{"schedule": [{"startEvent": "NOON"}]}]), "startEvent"),
    (ed269_zone(applicability=[{"schedule": [8]}]), "schedule"),
    (with_volume(uomDimensions="FATHOM"), "uomDimensions"),
    (with_volume(lowerLimit=True), "lowerLimit"),
    (with_volume(lowerLimit="low"), "lowerLimit"),
    (with_volume(lowerLimit=99999), "lowerLimit"),
    (with_volume(upperLimit=float("nan")), "upperLimit"),
    (with_volume(upperLimit=float("inf")), "upperLimit"),
    (with_volume(upperLimit=0), "upperLimit"),
    (with_volume(upperLimit=-5000), "upperLimit"),
    (with_volume(lowerLimit=120), "upperLimit"),
    (with_volume(lowerVerticalReference="AMSL", upperLimit=0), "upperLimit"),
    (with_volume(upperVerticalReference=None), "upperVerticalReference"),
    (with_volume(horizontalProjection=None), "horizontalProjection"),
    (with_volume(horizontalProjection={"type": "Square"}), "type"),
    (
        with_volume(horizontalProjection={"type": "Circle", "center": [6.13, 49.61], "radius": -5}),
        "radius",
    ),
    (
        with_volume(horizontalProjection={"type": "Circle", "center": [6.13, 99], "radius": 5}),
        "center",
    ),
    (with_volume(horizontalProjection={"type": "Circle", "center": None, "radius": 5}), "center"),
    (with_volume(horizontalProjection={"type": "Polygon", "coordinates": []}), "coordinates"),
    (with_volume(horizontalProjection=polygon()), "coordinates"),
    (with_volume(horizontalProjection=polygon([6, 49], [7, 49])), "coordinates"),
    (with_volume(horizontalProjection=polygon([6, 49], [7, "x"], [7, 50])), "coordinates"),
    (with_volume(horizontalProjection=polygon([6, 49], [7, 95], [7, 50])), "coordinates"),
    (
        with_volume(horizontalProjection=polygon([6, 49], [7, 50], [7, 49], [6, 50], [6, 49])),
        "coordinates",
    ),
]


@pytest.mark.parametrize(("zone", "step"), UNREADABLE)
def test_a_zone_that_cannot_be_understood_is_kept_unreadable(
    zone: dict[str, object], step: str
) -> None:
    found = one(zone)
    assert not found.zones[0].readable
    assert found.zones[0].zone_id == "LUX0001"
    errors = [f for f in found.findings if f.severity is Severity.ERROR]
    assert errors
    assert {last_step(f.where) for f in errors} == {step}
    assert all(f.where.startswith("$.features[0].") for f in errors)
    prepare_zone(found.zones[0])


def test_the_place_of_a_crossing_is_exact() -> None:
    bow_tie = polygon([6, 49], [7, 50], [7, 49], [6, 50], [6, 49])
    found = one(with_volume(horizontalProjection=bow_tie))
    (error,) = (f for f in found.findings if f.severity is Severity.ERROR)
    assert error.where == "$.features[0].geometry[0].horizontalProjection.coordinates[0][0]"
    assert error.problem == "its edge meets the edge at [0][2]"


TOLERATED = [
    (ed269_zone(restriction="REQ_AUTHORIZATION"), "restriction", Severity.NOTE),
    (ed269_zone(restriction=" prohibited"), "restriction", Severity.NOTE),
    (ed269_zone(restriction="USPACE"), "restriction", Severity.WARNING),
    (ed269_zone(identifier="LUX-00001"), "identifier", Severity.NOTE),
    (ed269_zone(identifier=None), "identifier", Severity.WARNING),
    (ed269_zone(identifier=17), "identifier", Severity.WARNING),
    (ed269_zone(country="Luxembourg"), "country", Severity.NOTE),
    (ed269_zone(type="SPECIAL"), "type", Severity.NOTE),
    (ed269_zone(reason="SENSITIVE"), "reason", Severity.NOTE),
    (ed269_zone(reason=["UFO"]), "reason", Severity.NOTE),
    (ed269_zone(name={"text": "Citadel"}), "name", Severity.WARNING),
    (ed269_zone(name="Cita\ud800del"), "name", Severity.WARNING),
    (ed269_zone(message="x" * 20_000), "message", Severity.WARNING),
    (ed269_zone(zoneAuthority=None), "zoneAuthority", Severity.NOTE),
    (
        ed269_zone(zoneAuthority={"name": "City", "purpose": "AUTHORIZATION"}),
        "zoneAuthority",
        Severity.NOTE,
    ),
    (ed269_zone(zoneAuthority=[{"name": "City", "purpose": "RULE"}]), "purpose", Severity.WARNING),
    (
        ed269_zone(zoneAuthority=[{"name": "City", "purpose": "AUTHORISATION"}]),
        "purpose",
        Severity.NOTE,
    ),
    (ed269_zone(applicability=None), "applicability", Severity.WARNING),
    (ed269_zone(applicability={"permanent": "YES"}), "applicability", Severity.NOTE),
    (ed269_zone(applicability=[{"permanent": True}]), "permanent", Severity.NOTE),
    (ed269_zone(applicability=[{"permanent": "PERHAPS"}]), "permanent", Severity.WARNING),
    (ed269_zone(applicability=[{"permanent": "NO"}]), "applicability", Severity.WARNING),
    (
        ed269_zone(applicability=[{"permanent": "YES", "endDateTime": "2027-01-01T00:00:00Z"}]),
        "endDateTime",
        Severity.WARNING,
    ),
    (
        ed269_zone(applicability=[{"startDateTime": "1970-01-01T00:00:00Z"}]),
        "startDateTime",
        Severity.WARNING,
    ),
    (
        ed269_zone(applicability=[{"endDateTime": "1970-01-01T00:00:00Z"}]),
        "endDateTime",
        Severity.WARNING,
    ),
    (
        ed269_zone(applicability=[{"endDateTime": "9999-12-31T23:59:59Z"}]),
        "endDateTime",
        Severity.NOTE,
    ),
    (ed269_zone(applicability=[{"startDateTime": "2026-08-01"}]), "startDateTime", None),
    (with_volume(uomDimensions=None), "uomDimensions", Severity.WARNING),
    (with_volume(upperLimit=None), "upperLimit", Severity.NOTE),
    (with_volume(upperLimit="UNL"), "upperLimit", Severity.NOTE),
    (with_volume(upperLimit=99999), "upperLimit", Severity.WARNING),
    (with_volume(upperLimit="120"), "upperLimit", Severity.WARNING),
    (with_volume(lowerLimit="GND"), "lowerLimit", Severity.NOTE),
    (with_volume(upperLimit="FL 95"), "upperLimit", Severity.WARNING),
    (with_volume(upperVerticalReference="FL"), "upperLimit", Severity.WARNING),
    (with_volume(upperLimit="400 ft AGL"), "upperLimit", Severity.NOTE),
    (with_volume(uomDimensions="metres"), "uomDimensions", Severity.NOTE),
    (
        ed269_zone(applicability=[{"permanent": "YES", "endDateTime": " "}]),
        "endDateTime",
        Severity.NOTE,
    ),
    (ed269_zone(hidden=True), "hidden", Severity.NOTE),
    (
        ed269_zone(restriction="REQ_AUTHORISATION", zoneAuthority=[{"purpose": "AUTHORIZATION"}]),
        "zoneAuthority",
        Severity.WARNING,
    ),
    (with_volume(lowerVerticalReference=None), "lowerVerticalReference", Severity.WARNING),
    (with_volume(upperVerticalReference="agl"), "upperVerticalReference", Severity.NOTE),
    (with_volume(horizontalProjection=polygon([6, 49], [7, 49], [7, 50])), "coordinates", None),
    (
        with_volume(horizontalProjection=polygon([6, 49], [7, 50], [7, 49], [6, 49])),
        "coordinates",
        Severity.NOTE,
    ),
]


@pytest.mark.parametrize(("zone", "step", "severity"), TOLERATED)
def test_a_departure_is_read_as_meant_and_said(
    zone: dict[str, object], step: str, severity: Severity | None
) -> None:
    found = one(zone)
    assert found.zones[0].readable
    assert {last_step(f.where) for f in found.findings} == {step}
    if severity:
        assert {f.severity for f in found.findings} == {severity}
    assert all(f.assumed for f in found.findings)


@pytest.mark.parametrize(
    ("daily", "window"),
    [
        (
            {"day": ["MON", "sun"], "startTime": "08:00:00Z", "endTime": "17:30:00+00:00"},
            DailyPeriod((0, 6), TimeOfDay(28_800, True), TimeOfDay(63_000, True)),
        ),
        (
            {"day": "TUE", "startTime": "22:00Z", "endTime": "00:00Z"},
            DailyPeriod((1,), TimeOfDay(79_200, True), TimeOfDay(86_400, True)),
        ),
        (  # one o'clock on Monday at +02:00 is eleven on Sunday evening in UTC
            {"day": ["MON"], "startTime": "01:00:00+02:00", "endTime": "05:00:00+02:00"},
            DailyPeriod((6,), TimeOfDay(82_800, True), TimeOfDay(10_800, True)),
        ),
        (
            {"day": ["SAT"], "startTime": "00:00:00Z", "endTime": "00:00:00Z"},
            DailyPeriod((5,), TimeOfDay(0, True), TimeOfDay(86_400, True)),
        ),
        ({"day": ["SAT"]}, DailyPeriod((5,), TimeOfDay(0, True), TimeOfDay(86_400, True))),
        (
            {"day": ["SAT"], "startTime": "00:00:00Z", "endTime": "23:59:59Z"},
            DailyPeriod((5,), TimeOfDay(0, True), TimeOfDay(86_400, True)),
        ),
        (
            {"day": ["FRI"], "startEvent": "ss", "endEvent": "SR"},
            DailyPeriod((4,), SunEvent.SS, SunEvent.SR),
        ),
        (
            {"startTime": "09:00", "endEvent": "EECT"},
            DailyPeriod(tuple(range(7)), TimeOfDay(32_400, True), SunEvent.EECT),
        ),
        (
            {"day": ["FRI"], "startEvent": "SS"},
            DailyPeriod((4,), SunEvent.SS, TimeOfDay(86_400, True)),
        ),
    ],
)
def test_a_day_s_times(daily: dict[str, object], window: DailyPeriod) -> None:
    found = one(ed269_zone(applicability=[{"schedule": [daily]}]))
    assert found.zones[0].readable
    assert found.zones[0].periods == (Period(windows=(window,)),)


def test_whole_days_that_fill_the_week_are_no_windows() -> None:
    days = [{"day": [d]} for d in ("MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN")]
    assert one(ed269_zone(applicability=[{"schedule": days}])).zones[0].periods == ()
    six = one(ed269_zone(applicability=[{"schedule": days[:6]}])).zones[0].periods
    assert len(six[0].windows) == 6


@pytest.mark.parametrize(
    ("words", "expected_ns"),
    [
        ("2026-08-01T06:00:00Z", 0),
        ("2026-08-01T06:00Z", 0),
        ("2026-08-01 08:00:00+02:00", 0),
        ("2026-08-01T06:00:00.250Z", 250_000_000),
        ("2026-08-01T06:00:00", 0),
    ],
)
def test_moments(words: str, expected_ns: int) -> None:
    zone = one(ed269_zone(applicability=[{"startDateTime": words}])).zones[0]
    assert zone.readable
    assert zone.periods[0].start_ns == 1_785_564_000_000_000_000 + expected_ns


def test_a_second_use_of_an_identifier_gets_an_alias_that_is_free() -> None:
    zones = [ed269_zone(identifier=i) for i in ("A", "A", "A~2", "A", "B")]
    found = read_json({"features": zones})
    assert [z.zone_id for z in found.zones] == ["A", "A~3", "A~2", "A~4", "B"]
    assert [f.where for f in found.findings] == ["$.features[1]", "$.features[3]"]


def test_what_is_no_zone_is_kept_unreadable_and_its_neighbours_are_good() -> None:
    found = read_json({"features": [None, ed269_zone(), 7, "zone", []]})
    assert [z.readable for z in found.zones] == [False, True, False, False, False]
    assert [z.zone_id for z in found.zones] == ["zone-0", "LUX0001", "zone-2", "zone-3", "zone-4"]
    assert [f.where for f in found.findings] == [f"$.features[{i}]" for i in (0, 2, 3, 4)]
    assert {f.severity for f in found.findings} == {Severity.ERROR}


@pytest.mark.parametrize(
    ("document", "problem"),
    [
        ({"type": "FeatureCollection"}, "no list of features"),
        ({"features": "none"}, "no list of features"),
        (7, "no list of features"),
        (None, "no list of features"),
        ({"features": [{"properties": {"height": 3}}]}, "looks like"),
        ({"features": [1, 2]}, "looks like"),
        ({"features": [0] * (MAX_ZONES + 1)}, "more than"),
    ],
)
def test_what_is_no_zone_document_is_an_input_error(document: object, problem: str) -> None:
    with pytest.raises(InputError, match=problem):
        read_json(document)


def test_an_empty_collection_is_read_with_a_warning() -> None:
    found = read_json({"type": "FeatureCollection", "features": []})
    assert (found.zones, [f.severity for f in found.findings]) == ((), [Severity.WARNING])


def test_findings_have_a_budget_and_errors_beyond_it_still_count() -> None:
    notes = Notes()
    for i in range(MAX_FINDINGS + 5):
        notes.error(f"$[{i}]", "bad")
    assert notes.errors == MAX_FINDINGS + 5
    assert len(notes.findings()) == MAX_FINDINGS + 1
    assert notes.findings()[-1].problem.startswith("5 more findings")


def test_slugs_and_authority_ids() -> None:
    assert slug("Hôpitaux Robert Schuman") == "hopitaux-robert-schuman"
    assert slug(" ") == ""
    assert slug("Ώρα") == slug("Ώρα") != slug("Ωρα2")
    asks = Authority("Office", "INFORMATION"), Authority("City", "AUTHORIZATION")
    assert authority_id_of(asks, "LUX") == "lux:city"
    assert authority_id_of(asks[:1], "") == "office"
    assert authority_id_of((), "LUX") == "lux"
    assert authority_id_of((Authority(""),), "") == "unknown"


def test_a_time_zone_must_be_known() -> None:
    assert require_time_zone("Europe/Luxembourg", "site.time_zone") == "Europe/Luxembourg"
    with pytest.raises(InputError, match=r'site.time_zone: time zone "Europe/Lux" is not known'):
        require_time_zone("Europe/Lux", "site.time_zone")


# ---- no input crashes


_DOCUMENTS = [
    json.loads((OFFICIAL / "Example_Collection.json").read_bytes()),
    json.loads((VECTORS / "ed318-se.json").read_bytes()),
    json.loads((VECTORS / "ed269-ch.json").read_bytes()),
    {"features": [json.loads((VECTORS / "finland.geojson").read_bytes())["features"][5]]},
    {"features": json.loads(LUXEMBOURG.read_bytes())["features"][:1]},
]
_JUNK = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**25), 10**25),
    st.floats(),
    st.text(max_size=8),
    st.sampled_from(["", "YES", "MON", "24:00Z", "0000-01-01T00:00Z", "9999-12-31T23:59-14:00"]),
    st.sampled_from(["FeatureCollection", "MultiPolygon", "GeometryCollection", "Circle", "UNL"]),
    st.just([]),
    st.just({}),
    st.just([[[0, 0]] * 3]),
    st.just([[[[0, 0], [1, 1], [1, 0]]]]),
    st.just({"skykeep": {"state": 1, "authorities": [3], "timeZone": "X", "reasons": {}}}),
)


def _places(value: object) -> list[tuple[object, object]]:
    """Every (container, key) in a document."""
    found: list[tuple[object, object]] = []
    waiting = [value]
    while waiting:
        container = waiting.pop()
        items = (
            list(container.items())
            if isinstance(container, dict)
            else list(enumerate(container))
            if isinstance(container, list)
            else []
        )
        for key, inner in items:
            found.append((container, key))
            waiting.append(inner)
    return found


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_no_change_of_a_document_crashes(data: st.DataObject) -> None:
    document = copy.deepcopy(_DOCUMENTS[data.draw(st.integers(0, len(_DOCUMENTS) - 1))])
    for _ in range(data.draw(st.integers(1, 4))):
        places = _places(document)
        if not places:
            break
        container, key = places[data.draw(st.integers(0, len(places) - 1))]
        if isinstance(container, dict) and data.draw(st.booleans()):
            del container[key]
            container[data.draw(st.text(max_size=5))] = copy.deepcopy(data.draw(_JUNK))
        else:
            container[key] = copy.deepcopy(data.draw(_JUNK))  # type: ignore[index]
    try:
        found = read_zones(json.dumps(document).encode(), "f")
    except InputError:
        return
    for zone in found.zones:
        prepare_zone(zone)
        assert zone.zone_id
        assert zone.authority_id
    for finding in found.findings:
        assert finding.where.startswith("$")
        (finding.where + finding.problem + finding.assumed).encode("utf-8")


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_no_change_of_bytes_crashes(data: st.DataObject) -> None:
    raw = bytearray((VECTORS / "ed318-se.json").read_bytes())
    for _ in range(data.draw(st.integers(1, 5))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    with suppress(InputError):
        read_zones(bytes(raw), "f")
