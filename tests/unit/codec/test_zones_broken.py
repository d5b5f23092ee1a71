"""Broken documents, one fault each: `zones check` names the fault, its place and the mend.

Each is a good document with one change. The good ones have no fault at all, so that a fault
which is found is the one that was put in.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from skykeep.commands.zones import check
from tests.unit.codec.test_ed318_write import VALIDATOR

SQUARE = [[6.10, 49.60], [6.12, 49.60], [6.12, 49.62], [6.10, 49.62], [6.10, 49.60]]

ED318: dict[str, Any] = {
    "type": "FeatureCollection",
    "features": [
        {
            "type": "Feature",
            "geometry": {
                "type": "Polygon",
                "coordinates": [SQUARE],
                "layer": {
                    "lower": 0,
                    "lowerReference": "AGL",
                    "upper": 120,
                    "upperReference": "AGL",
                    "uom": "m",
                },
            },
            "properties": {
                "identifier": "LUX0001",
                "country": "LUX",
                "type": "REQ_AUTHORIZATION",
                "variant": "COMMON",
                "reason": ["SENSITIVE"],
                "zoneAuthority": [{"purpose": "AUTHORIZATION", "email": "sky@vdl.example"}],
                "limitedApplicability": [
                    {
                        "startDateTime": "2026-01-01T00:00:00Z",
                        "endDateTime": "2026-12-31T00:00:00Z",
                        "schedule": [
                            {"day": ["MON"], "startTime": "08:00:00Z", "endTime": "17:00:00Z"}
                        ],
                    }
                ],
            },
        },
        {
            "type": "Feature",
            "geometry": {
                "type": "Point",
                "coordinates": [6.13, 49.61],
                "extent": {"subType": "Circle", "radius": 500},
                "layer": {
                    "lower": 0,
                    "lowerReference": "AGL",
                    "upper": 50,
                    "upperReference": "AGL",
                },
            },
            "properties": {
                "identifier": "LUX0002",
                "country": "LUX",
                "type": "PROHIBITED",
                "variant": "COMMON",
                "zoneAuthority": [{"purpose": "INFORMATION"}],
            },
        },
    ],
}
ED269: dict[str, Any] = {
    "features": [
        {
            "identifier": "LUX0001",
            "country": "LUX",
            "name": "Citadel",
            "type": "COMMON",
            "restriction": "REQ_AUTHORISATION",
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
                    "horizontalProjection": {"type": "Polygon", "coordinates": [SQUARE]},
                }
            ],
        }
    ]
}
KML = """<?xml version="1.0" encoding="UTF-8"?>
<kml xmlns="http://www.opengis.net/kml/2.2">
<Document>
<Placemark id="LUX0001">
<name>Citadel</name>
<ExtendedData>
<Data name="restriction"><value>PROHIBITED</value></Data>
<Data name="upperLimit"><value>120</value></Data>
<Data name="upperVerticalReference"><value>AGL</value></Data>
<Data name="uomDimensions"><value>M</value></Data>
</ExtendedData>
<Polygon>
<outerBoundaryIs><LinearRing><coordinates>
6.10,49.60 6.12,49.60 6.12,49.62 6.10,49.62 6.10,49.60
</coordinates></LinearRing></outerBoundaryIs>
</Polygon>
</Placemark>
</Document>
</kml>
"""
OPENAIR = """* Luxembourg
AC P
AN Citadel
AL SFC
AH 2500 ft AGL
DP 49:36:00 N 006:06:00 E
DP 49:36:00 N 006:07:00 E
DP 49:37:00 N 006:07:00 E
DP 49:37:00 N 006:06:00 E
*
AC P
AN Round
AL SFC
AH UNL
V X=49:36:30 N 006:08:00 E
DC 1.5
"""
GOOD = {"ed318": ED318, "ed269": ED269, "kml": KML, "openair": OPENAIR}


def put(*path: str | int) -> Callable[[Any, Any], None]:
    """A change of the member at a path; the last argument is the new value."""

    def change(document: Any, value: Any) -> None:
        for step in path[:-1]:
            document = document[step]
        if value is MISSING:
            del document[path[-1]]
        else:
            document[path[-1]] = value

    return change


MISSING = object()
_ONE, _TWO = ("features", 0), ("features", 1)
_SCHEDULE = (*_ONE, "properties", "limitedApplicability", 0, "schedule", 0)
BOW_TIE = [SQUARE[0], SQUARE[2], SQUARE[1], SQUARE[3], SQUARE[0]]
NORTH = [[6.10, 95.0] if point == SQUARE[2] else point for point in SQUARE]


@dataclass(frozen=True, slots=True)
class Case:
    """One fault: the change, where it must be found, in which words, and the exit code."""

    kind: str
    name: str
    change: tuple[str, str] | tuple[Callable[[Any, Any], None], Any]
    where: str
    words: str
    exit_code: int
    in_schema: bool = False  # ED-318: the official schema lets it pass

    def document(self) -> bytes:
        good, (what, value) = GOOD[self.kind], self.change
        if isinstance(good, str):
            assert good.count(what) >= 1, what
            return good.replace(what, value, 1).encode()
        document = copy.deepcopy(good)
        what(document, value)
        return json.dumps(document).encode()


_F0, _F1 = "$.features[0]", "$.features[1]"
_DAY = f"{_F0}.properties.limitedApplicability[0].schedule[0]"
_V0 = f"{_F0}.geometry[0]"

ED318_CASES = [
    Case("ed318", "negative radius", (put(*_TWO, "geometry", "extent", "radius"), -5),
         f"{_F1}.geometry.extent.radius", "the radius -5 m is not positive", 1, True),
    Case("ed318", "no extent", (put(*_TWO, "geometry", "extent"), MISSING),
         f"{_F1}.geometry.extent", "a point without an extent is no area", 1, True),
    Case("ed318", "latitude 95", (put(*_ONE, "geometry", "coordinates"), [NORTH]),
         f"{_F0}.geometry.coordinates[0][2]", "latitude 95 is outside -90 to 90 degrees", 1, True),
    Case("ed318", "latitude 95 of a circle", (put(*_TWO, "geometry", "coordinates"), [6.1, 95]),
         f"{_F1}.geometry.coordinates", "latitude 95 is outside", 1, True),
    Case("ed318", "open ring", (put(*_ONE, "geometry", "coordinates"), [SQUARE[:4]]),
         f"{_F0}.geometry.coordinates[0]", "the ring is not closed", 0, True),
    Case("ed318", "bow-tie", (put(*_ONE, "geometry", "coordinates"), [BOW_TIE]),
         f"{_F0}.geometry.coordinates[0][0]", "its edge meets the edge at [0][2]", 1, True),
    Case("ed318", "lower above upper", (put(*_ONE, "geometry", "layer", "lower"), 200),
         f"{_F0}.geometry.layer.upper", "is not above the lower limit 200 m", 1, True),
    Case("ed318", "no layer", (put(*_ONE, "geometry", "layer"), MISSING),
         f"{_F0}.geometry.layer", "the layer is missing", 0, True),
    Case("ed318", "time and event", (put(*_SCHEDULE, "startEvent"), "SR"),
         f"{_DAY}.startEvent", "startTime is given as well", 1, True),
    Case("ed318", "ends before it starts",
         (put(*_ONE, "properties", "limitedApplicability", 0, "endDateTime"),
          "2025-12-31T00:00:00Z"),
         f"{_F0}.properties.limitedApplicability[0].endDateTime", "not after the start", 1, True),
    Case("ed318", "25:99", (put(*_SCHEDULE, "startTime"), "25:99"),
         f"{_DAY}.startTime", '"25:99" is no time of day', 1, True),
    Case("ed318", "identifier twice", (put(*_TWO, "properties", "identifier"), "LUX0001"),
         _F1, 'the identifier "LUX0001" is used more than once', 0, True),
    Case("ed318", "null geometry", (put(*_ONE, "geometry"), None),
         f"{_F0}.geometry", "a geometry is needed, not null", 1, True),
    Case("ed318", "nobody to ask",
         (put(*_ONE, "properties", "zoneAuthority", 0), {"purpose": "AUTHORIZATION"}),
         f"{_F0}.properties.zoneAuthority", "there is no contact to ask for it", 0, True),
    Case("ed318", "null properties", (put(*_ONE, "properties"), None),
         f"{_F0}.properties", "an object is needed, not null", 1, True),
    Case("ed318", "unknown type", (put(*_ONE, "properties", "type"), "FORBIDDEN"),
         f"{_F0}.properties.type", '"FORBIDDEN" is no restriction type', 1),
    Case("ed318", "day of the week", (put(*_SCHEDULE, "day"), ["LUN"]),
         f"{_DAY}.day[0]", '"LUN" is no day of the week', 1),
    Case("ed318", "unit of the layer", (put(*_ONE, "geometry", "layer", "uom"), "yd"),
         f"{_F0}.geometry.layer.uom", '"yd" is neither metres nor feet', 1),
    Case("ed318", "line", (put(*_ONE, "geometry", "type"), "LineString"),
         f"{_F0}.geometry.type", '"LineString" is no area', 1),
    Case("ed318", "no purpose", (put(*_TWO, "properties", "zoneAuthority", 0), {"name": []}),
         f"{_F1}.properties.zoneAuthority[0].purpose", "the authority's purpose is missing", 0),
    Case("ed318", "date", (put(*_ONE, "properties", "limitedApplicability", 0, "startDateTime"),
                           "2026-02-30T00:00:00Z"),
         f"{_F0}.properties.limitedApplicability[0].startDateTime", "is no date and time", 1),
]  # fmt: skip
ED269_CASES = [
    Case("ed269", "restriction", (put(*_ONE, "restriction"), None),
         f"{_F0}.restriction", "null is no restriction type", 1),
    Case("ed269", "99999", (put(*_ONE, "geometry", 0, "upperLimit"), 99999),
         f"{_V0}.upperLimit", "stands for no ceiling", 0),
    Case("ed269", "flight level", (put(*_ONE, "geometry", 0, "upperLimit"), "FL 95"),
         f"{_V0}.upperLimit", "is a flight level", 0),
    Case("ed269", "text as number", (put(*_ONE, "geometry", 0, "upperLimit"), "120"),
         f"{_V0}.upperLimit", "the upper limit is a text", 0),
    Case("ed269", "infinite", (put(*_ONE, "geometry", 0, "upperLimit"), float("inf")),
         f"{_V0}.upperLimit", "is not a finite number", 1),
    Case("ed269", "reference", (put(*_ONE, "geometry", 0, "upperVerticalReference"), "QNH"),
         f"{_V0}.upperVerticalReference", '"QNH" is no reference of heights', 1),
    Case("ed269", "no unit", (put(*_ONE, "geometry", 0, "uomDimensions"), MISSING),
         f"{_V0}.uomDimensions", "the unit is missing", 0),
    Case("ed269", "no applicability", (put(*_ONE, "applicability"), MISSING),
         f"{_F0}.applicability", "the times of applicability are missing", 0),
    Case("ed269", "permanent with an end",
         (put(*_ONE, "applicability", 0, "endDateTime"), "2027-01-01T00:00:00Z"),
         f"{_F0}.applicability[0].endDateTime", "a permanent zone has an end date", 0),
    Case("ed269", "no outline", (put(*_ONE, "geometry", 0, "horizontalProjection"), None),
         f"{_V0}.horizontalProjection", "the volume has no outline", 1),
    Case("ed269", "no volume", (put(*_ONE, "geometry"), []),
         f"{_F0}.geometry", "the zone has no geometry", 1),
    Case("ed269", "around the globe",
         (put(*_ONE, "geometry", 0, "horizontalProjection", "coordinates"),
          [[[-180, -90], [180, -90], [180, 90], [-180, 90], [-180, -90]]]),
         f"{_V0}.horizontalProjection.coordinates", "the zone goes around the globe", 0),
    Case("ed269", "not a zone", (put("features", 0), "LUX0001"),
         "$", "no feature in it looks like", 1),
]  # fmt: skip
KML_CASES = [
    Case("kml", "no restriction", ('<Data name="restriction"><value>PROHIBITED</value></Data>', ""),
         "line 4: Placemark[0].restriction", "does not say how strict", 0),
    Case("kml", "restriction", ("PROHIBITED", "BANNED"),
         "line 4: Placemark[0].restriction", '"BANNED" is no restriction type', 1),
    Case("kml", "open ring", (" 6.10,49.60\n", "\n"),
         "line 12: Placemark[0].Polygon.coordinates[0]", "the ring is not closed", 0),
    Case("kml", "bow-tie", ("6.12,49.60 6.12,49.62", "6.12,49.62 6.12,49.60"),
         "line 12: Placemark[0].Polygon.coordinates[0][0]", "its edge meets the edge", 1),
    Case("kml", "position", ("6.12,49.62", "6.12,north"),
         "line 13: Placemark[0].Polygon.coordinates[2]", '"6.12,north" is no position', 1),
    Case("kml", "latitude", ("6.12,49.62", "6.12,95"),
         "line 12: Placemark[0].Polygon.coordinates[0][2]", "latitude 95 is outside", 1),
    Case("kml", "no area", ("<Polygon>", "<Model>"), "line 16", "broken XML", 1),
    Case("kml", "two borders", ("<Polygon>\n", "<Polygon>\n<outerBoundaryIs/>\n"),
         "line 12: Placemark[0].Polygon", "it has 2 outer boundaries", 1),
    Case("kml", "point", ("</Placemark>", "</Placemark><Placemark id='B'><Point/></Placemark>"),
         "line 17: Placemark[1]", "the placemark has no area", 1),
    Case("kml", "entity", ("<kml", '<!DOCTYPE kml [<!ENTITY a "b">]>\n<kml'),
         "line 2", "it declares a document type", 1),
    Case("kml", "link", ("</Document>", "<NetworkLink/></Document>"),
         "line 18: NetworkLink", "the document links to another one", 0),
    Case("kml", "reference", (">AGL<", ">QNH<"),
         "line 4: Placemark[0].upperVerticalReference", '"QNH" is no reference', 1),
]  # fmt: skip
OPENAIR_CASES = [
    Case("openair", "point", ("DP 49:36:00 N 006:07:00 E", "DP 49:36:00 006:07:00"),
         "line 7", "is no point", 1),
    Case("openair", "latitude", ("DP 49:36:00 N 006:07:00 E", "DP 95:36:00 N 006:07:00 E"),
         "line 7", "is no point", 1),
    Case("openair", "ceiling", ("AH 2500 ft AGL", "AH high"),
         "line 5", 'the upper limit "high" is no number', 1),
    Case("openair", "ceiling below the floor", ("AL SFC", "AL 3000 ft AGL"),
         "line 5", "is not above the lower limit", 1),
    Case("openair", "class", ("AC P", "AC XYZ"), "line 2", 'what class "XYZ" means', 0),
    Case("openair", "no centre", ("V X=49:36:30 N 006:08:00 E\n", ""),
         "line 15", "there is no centre for it", 1),
    Case("openair", "radius", ("DC 1.5", "DC -1.5"), "line 16", "is not positive", 1),
    Case("openair", "radius in words", ("DC 1.5", "DC wide"), "line 16", "is no number", 1),
    Case("openair", "record", ("DC 1.5", "DC 1.5\nQQ 7"),
         "line 17", "the record QQ is not known", 0),
    Case("openair", "bow-tie",
         ("DP 49:36:00 N 006:07:00 E\nDP 49:37:00 N 006:07:00 E",
          "DP 49:37:00 N 006:07:00 E\nDP 49:36:00 N 006:07:00 E"),
         "line 6", "its edge meets the edge that starts in line 8", 1),
    Case("openair", "name twice", ("AN Round", "AN Citadel"),
         "line 11", "is used more than once", 0),
    Case("openair", "no outline", ("DC 1.5", ""), "line 11", "the airspace has no outline", 1),
]  # fmt: skip
CASES = [*ED318_CASES, *ED269_CASES, *KML_CASES, *OPENAIR_CASES]


def test_there_are_enough_and_each_is_another() -> None:
    assert len(CASES) >= 40
    assert len({(case.kind, case.name) for case in CASES}) == len(CASES)
    assert {case.kind for case in CASES} == set(GOOD)


@pytest.mark.parametrize("kind", GOOD)
def test_the_good_document_has_no_fault(
    kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good = GOOD[kind]
    path = tmp_path / "good"
    path.write_text(good if isinstance(good, str) else json.dumps(good), encoding="utf-8")
    assert check([str(path)], as_json=True) == 0
    said = json.loads(capsys.readouterr().out)
    assert [f for f in said["findings"] if f["severity"] != "note"] == []
    assert [(f["format"], f["unreadable"]) for f in said["files"]] == [(kind, 0)]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.kind}: {case.name}")
def test_the_fault_is_named_with_its_place_and_its_mend(
    case: Case, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "broken"
    path.write_bytes(case.document())
    assert check([str(path)], as_json=True) == case.exit_code
    said = json.loads(capsys.readouterr().out)
    grave = "error" if case.exit_code else "warning"
    faults = [f for f in said["findings"] if f["severity"] != "note"]
    assert [(f["severity"], f["where"]) for f in faults if case.words in f["problem"]] == [
        (grave, case.where)
    ], faults
    assert all(f["mend"] and f["assumed"] for f in faults)
    # One change, one fault; a place that cannot be read may leave the zone without an outline.
    beside = {f["where"] for f in faults if not f["where"].startswith(case.where)}
    assert beside <= {"line 11"}, faults
    assert len(faults) == 1 or case.kind in ("kml", "openair"), faults
    unreadable = [f["unreadable"] for f in said["files"]]  # none of a document that is broken
    assert unreadable == [1 if case.exit_code else 0] or len(said["failures"]) == 1


@pytest.mark.parametrize(
    "case", [c for c in ED318_CASES if c.in_schema], ids=lambda case: case.name
)
def test_the_official_schema_lets_it_pass(case: Case) -> None:
    plain = jsonschema.Draft7Validator(VALIDATOR.schema, registry=VALIDATOR._registry)
    assert list(plain.iter_errors(json.loads(case.document()))) == []


def test_many_findings_of_one_file_are_shown_in_words(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "broken"
    path.write_bytes(ED318_CASES[0].document())
    assert check([str(path)], as_json=False) == 1
    assert "not positive" in capsys.readouterr().out
