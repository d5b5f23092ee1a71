"""KML, KMZ, OpenAir, facility maps and map servers' layers; and how large the real zones are."""

from __future__ import annotations

import io
import json
import math
import zipfile
from collections.abc import Iterator
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

import pytest
import shapely

from skykeep.codec.zones import ZoneFile, read_zones
from skykeep.core.event import Severity
from skykeep.core.geo import Circle, HeightAgl, HeightAmsl, HeightPressure, Polygon, Volume
from skykeep.core.zone import Authority, Period, Restriction

VECTORS = Path(__file__).parents[2] / "vectors" / "zones"
OFFICIAL = VECTORS / "ed318-official" / "examples"
LUXEMBOURG = resources.files("skykeep").joinpath("data", "luxembourg.geojson")
FEET = 0.3048


def read(text: str | bytes | dict[str, Any] | list[Any]) -> ZoneFile:
    if isinstance(text, dict | list):
        text = json.dumps(text)
    return read_zones(text.encode() if isinstance(text, str) else text, "f")


def grave(found: ZoneFile) -> list[tuple[str, str]]:
    return [(f.where, f.problem) for f in found.findings if f.severity is not Severity.NOTE]


def volumes(found: ZoneFile) -> list[Volume]:
    return [volume for zone in found.zones for volume in zone.volumes]


# ---- how large the real zones are


def strip_km2(lat_deg: float) -> float:
    """Square kilometres per radian of longitude from the equator to a latitude, on WGS84."""
    semi_major_km, flattening = 6378.137, 1.0 / 298.257_223_563
    e = math.sqrt(flattening * (2.0 - flattening))
    s = math.sin(math.radians(lat_deg))
    length = s / (1.0 - (e * s) ** 2) + math.atanh(e * s) / e
    return (semi_major_km * (1.0 - flattening)) ** 2 / 2.0 * length


def polygon_km2(rings: Any) -> float:
    """The area of rings of longitude and latitude; negative where the border turns right."""
    flat = [[(math.radians(lon), strip_km2(lat)) for lon, lat, *_ in ring] for ring in rings]
    shape = shapely.Polygon(flat[0], flat[1:])
    return shape.area if shape.exterior.is_ccw else -shape.area


def raw_areas_km2(value: object, feet: bool = False) -> Iterator[float]:
    """Areas of all geometries in a document as it stands, past all of our code."""
    if isinstance(value, dict):
        feet = feet or value.get("uomDimensions") == "FT"
        if value.get("type") == "Polygon" and "coordinates" in value:
            yield abs(polygon_km2(value["coordinates"]))
        radius = value.get("radius")
        if isinstance(radius, int | float):
            yield math.pi * (radius * (FEET if feet else 1.0) / 1000.0) ** 2
        for name, inner in value.items():
            if name != "coordinates":
                yield from raw_areas_km2(inner, feet)
    elif isinstance(value, list):
        for inner in value:
            yield from raw_areas_km2(inner, feet)


def area_km2(area: Circle | Polygon) -> float:
    if isinstance(area, Circle):
        return math.pi * (area.radius_m / 1000.0) ** 2
    return polygon_km2(area.rings)


@pytest.mark.parametrize(
    ("path", "zones", "findings", "total_km2"),
    [
        (LUXEMBOURG, 47, 166, 279.36487),
        (VECTORS / "finland.geojson", 723, 3806, 37702.427061),
        (VECTORS / "ed269-lu.json", 2, 6, 20.891605),
        (VECTORS / "ed269-fi.json", 2, 8, 34.508983),
        (VECTORS / "ed269-ch.json", 4, 12, 107.896334),
        (VECTORS / "ed318-se.json", 3, 14, 43.550016),
        (VECTORS / "faa-uasfm.json", 2, 1, 7.500456),
        (OFFICIAL / "Example_Collection.json", 2, 0, 99.958779),
    ],
    ids=lambda value: value.name if isinstance(value, Traversable) else "",
)
def test_counts_findings_and_areas_of_the_real_files(
    path: Path, zones: int, findings: int, total_km2: float
) -> None:
    data = path.read_bytes()
    found = read(data)
    assert len(found.zones) == zones
    assert len(found.findings) == findings
    ours = [area_km2(volume.area) for volume in volumes(found)]
    assert ours == pytest.approx(
        list(raw_areas_km2(json.loads(data.decode("utf-8-sig")))), rel=1e-9
    )
    assert sum(ours) == pytest.approx(total_km2, rel=1e-6)
    assert all(area > 0.0 for area in ours)  # every border turns left now


# ---- KML


def kml(*placemarks: str) -> str:
    return (
        f'<kml xmlns="http://www.opengis.net/kml/2.2"><Folder>{"".join(placemarks)}</Folder></kml>'
    )


def outline(inside: str = "", altitude: str = "") -> str:
    points = [(6.1, 49.6), (6.2, 49.6), (6.2, 49.7), (6.1, 49.7), (6.1, 49.6)]
    words = " ".join(f"{lon},{lat}{altitude}" for lon, lat in points)
    ring = f"<LinearRing><coordinates>{words}</coordinates></LinearRing>"
    return f"<Polygon>{inside}<outerBoundaryIs>{ring}</outerBoundaryIs></Polygon>"


def data(**members: str) -> str:
    inner = "".join(f'<Data name="{n}"><value>{v}</value></Data>' for n, v in members.items())
    return f"<ExtendedData>{inner}</ExtendedData>"


def test_a_placemark_says_what_its_data_say() -> None:
    members = data(
        Restriction="REQ_AUTHORISATION",
        Lower_Limit="30",
        Lower_Ref="AGL",
        Upper_Limit="120",
        Upper_Ref="AMSL",
        Unit="m",
        Reason="NATURE",
        Country="LUX",
        Authority="City",
        Email="sky@vdl.example",
        Message="Ask us",
    )
    found = read(kml(f"<Placemark id='A1'><name>Park</name>{members}{outline()}</Placemark>"))
    (zone,) = found.zones
    assert found.format == "kml"
    assert grave(found) == []
    assert (zone.zone_id, zone.name, zone.country) == ("A1", "Park", "LUX")
    assert zone.restriction is Restriction.REQ_AUTHORISATION
    assert zone.authorities == (Authority("City", email="sky@vdl.example"),)
    assert (zone.reasons, zone.message) == (("NATURE",), "Ask us")
    assert (zone.volumes[0].lower, zone.volumes[0].upper) == (HeightAgl(30.0), HeightAmsl(120.0))


@pytest.mark.parametrize(
    ("inside", "altitude", "upper", "words"),
    [
        ("", "", None, "does not say up to where"),
        ("", ",120", None, "does not say up to where"),  # clamped to the ground: not drawn
        ("<extrude>1</extrude><altitudeMode>relativeToGround</altitudeMode>", ",120",
         HeightAgl(120.0), "only drawn"),
        ("<extrude>1</extrude><altitudeMode>absolute</altitudeMode>", ",450",
         HeightAmsl(450.0), "only drawn"),
        ("<altitudeMode>absolute</altitudeMode>", ",450", None, "does not say up to where"),
    ],
)  # fmt: skip
def test_limits_that_are_only_drawn(inside: str, altitude: str, upper: object, words: str) -> None:
    placemark = f"<Placemark><name>A</name>{data(restriction='PROHIBITED')}"
    found = read(kml(placemark + outline(inside, altitude) + "</Placemark>"))
    assert found.zones[0].volumes[0].lower == HeightAgl(0.0)
    assert found.zones[0].volumes[0].upper == upper
    assert words in grave(found)[0][1]
    assert len(grave(found)) == 1


def test_the_top_of_a_slanted_outline_counts() -> None:
    inside = "<extrude>1</extrude><altitudeMode>relativeToGround</altitudeMode>"
    slanted = outline(inside, ",120").replace("6.2,49.6,120", "6.2,49.6,90")
    found = read(kml(f"<Placemark><name>A</name>{slanted}</Placemark>"))
    assert volumes(found)[0].upper == HeightAgl(120.0)


@pytest.mark.parametrize(
    ("words", "lower", "upper"),
    [
        ("Upper limit: 2000 FT MSL<br/>Lower limit: SFC", HeightAgl(0.0), HeightAmsl(2000 * FEET)),
        ("<b>Lower Limit:</b> 500 ft AGL, Upper Limit: FL 95",
         HeightAgl(500 * FEET), HeightPressure(9500 * FEET)),
        ("Upper: UNL Lower: GND", HeightAgl(0.0), None),
        ("<td>Upper Limit</td><td>300 M AGL</td><td>Lower Limit</td><td>SFC</td>",
         HeightAgl(0.0), HeightAgl(300.0)),
    ],
)  # fmt: skip
def test_limits_in_a_description(words: str, lower: object, upper: object) -> None:
    described = f"<description><![CDATA[{words}]]></description>"
    zone = read(kml(f"<Placemark><name>A</name>{described}{outline()}</Placemark>")).zones[0]
    assert (zone.volumes[0].lower, zone.volumes[0].upper) == (lower, upper)


def test_holes_and_several_outlines() -> None:
    hole = (
        "<innerBoundaryIs><LinearRing><coordinates>6.12,49.62 6.18,49.62 6.15,49.68 6.12,49.62"
        "</coordinates></LinearRing></innerBoundaryIs></Polygon>"
    )
    both = f"<MultiGeometry>{outline()}{outline().replace('</Polygon>', hole)}</MultiGeometry>"
    zone = read(kml(f"<Placemark><name>A</name>{both}</Placemark>")).zones[0]
    assert zone.readable
    assert [len(v.area.rings) for v in zone.volumes if isinstance(v.area, Polygon)] == [1, 2]


def test_what_kml_only_shows_is_said() -> None:
    line = outline().replace("<Polygon><outerBoundaryIs>", "").replace("</Polygon>", "")
    line = line.replace("</outerBoundaryIs>", "").replace("LinearRing", "LineString")
    hidden = "<visibility>0</visibility><TimeSpan><begin>2027</begin></TimeSpan>"
    found = read(kml(f"<Placemark id='A'>{hidden}{line}</Placemark>"))
    assert found.zones[0].readable
    assert found.zones[0].periods == ()
    said = {f.where.rpartition(".")[2]: f.problem for f in found.findings}
    assert said["LineString"] == "a closed line is no area"
    assert said["TimeSpan"] == "it says when to show the zone"
    assert said["visibility"] == "the zone is hidden for viewers"


def test_a_point_with_a_radius_is_a_circle() -> None:
    point = "<Point><coordinates>6.13,49.61</coordinates></Point>"
    found = read(kml(f"<Placemark id='A'>{data(radius='500')}{point}</Placemark>"))
    assert found.zones[0].volumes[0].area == Circle(49.61, 6.13, 500.0)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "iso-8859-1"])
def test_encodings_of_kml(encoding: str) -> None:
    name = {"utf-8-sig": "utf-8"}.get(encoding, encoding)
    text = f'<?xml version="1.0" encoding="{name}"?>' + kml(
        f"<Placemark id='A'><name>Aéroport</name>{outline()}</Placemark>"
    )
    assert read(text.encode(encoding)).zones[0].name == "Aéroport"


def test_a_kmz_is_read_by_its_doc_kml() -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("files/a.kml", "<kml/>")
        archive.writestr("doc.kml", kml(f"<Placemark id='A'>{outline()}</Placemark>"))
    found = read(packed.getvalue())
    assert (found.format, [z.zone_id for z in found.zones]) == ("kmz", ["A"])


# ---- OpenAir


def test_openair_in_full() -> None:
    found = read(
        "\r\n".join(
            [
                "* Luxembourg",
                "AC R * restricted",
                "AY P",
                "AN Palace",
                "AI LUX0007",
                "AL 1500 AGL",
                "AH FL 65",
                "AA 2026-08-01T06:00Z/2026-08-01T18:00Z",
                "AF 118.105",
                "SP 0,1,255,0,0",
                "DP 49:36.5 N 006:06:00 E",
                "DP 49:37:30N 006:06:00E",
                "DP 49:37:30 N 6:08:00 E",
            ]
        )
    )
    (zone,) = found.zones
    assert (found.format, zone.zone_id, zone.name) == ("openair", "LUX0007", "Palace")
    assert zone.restriction is Restriction.PROHIBITED
    (volume,) = zone.volumes
    assert (volume.lower, volume.upper) == (HeightAgl(1500 * FEET), HeightPressure(6500 * FEET))
    assert isinstance(volume.area, Polygon)
    north, south = 49 + 37.5 / 60, 49 + 36.5 / 60
    corners = {(6.1, south), (6.1, north), (6 + 8 / 60, north)}
    assert {(round(x, 9), round(y, 9)) for x, y in volume.area.rings[0]} == {
        (round(x, 9), round(y, 9)) for x, y in corners
    }
    start_ns = 1_785_564_000_000_000_000
    assert zone.periods == (Period(start_ns, start_ns + 12 * 3600 * 10**9),)


@pytest.mark.parametrize(
    ("words", "height"),
    [
        ("2500", HeightAmsl(2500 * FEET)),
        ("2500ft", HeightAmsl(2500 * FEET)),
        ("2500 ft MSL", HeightAmsl(2500 * FEET)),
        ("2500ALT", HeightAmsl(2500 * FEET)),
        ("300M AGL", HeightAgl(300.0)),
        ("FL120", HeightPressure(12_000 * FEET)),
        ("UNL", None),
    ],
)
def test_ceilings_of_openair(words: str, height: object) -> None:
    found = read(f"AC P\nAN A\nAL 0\nAH {words}\nV X=49:36:00 N 006:06:00 E\nDC 2\n")
    (volume,) = volumes(found)
    assert volume.area == Circle(49.6, 6.1, 3704.0)
    assert (volume.lower, volume.upper) == (HeightAgl(0.0), height)


def test_arcs_of_openair() -> None:
    """Half discs of one mile: south by DA clockwise, north by DB against the clock."""
    head = "AN A\nAL SFC\nAH UNL\nV X=49:36:00 N 006:06:00 E\n"
    west, east = "49:36:00 N 006:04:27.5 E", "49:36:00 N 006:07:32.5 E"
    found = read(f"AC P\n{head}DA 1,90,270\nAC P\n{head}V D=-\nDB {east},{west}\n")
    half_km2 = math.pi * 1.852**2 / 2.0
    below, above = (volume.area for volume in volumes(found))
    assert isinstance(below, Polygon)
    assert isinstance(above, Polygon)
    assert area_km2(below) == pytest.approx(half_km2, rel=2e-3)
    assert area_km2(above) == pytest.approx(half_km2 * (92.5 / 92.17) ** 2, rel=2e-3)
    assert max(lat for _, lat in below.rings[0]) == pytest.approx(49.6, abs=1e-6)
    assert min(lat for _, lat in above.rings[0]) == pytest.approx(49.6, abs=1e-6)
    assert [z.zone_id for z in found.zones] == ["A", "A~2"]


@pytest.mark.parametrize(
    ("words", "lon_deg", "lat_deg"),
    [
        ("49:36:00 N 006:06:36 E", 6.11, 49.6),
        ("33:51:30 S 151:12:36 E", 151.21, -33.8583333),
        ("40:46.5 N 073:52:12W", -73.87, 40.775),
        ("40.775 N, 73.87 W", -73.87, 40.775),
        ("40 46 30 N 073 52 12 W", -73.87, 40.775),
    ],
)
def test_points_of_openair(words: str, lon_deg: float, lat_deg: float) -> None:
    area = volumes(read(f"AC P\nAN A\nAL 0\nAH UNL\nV X={words}\nDC 1\n"))[0].area
    assert isinstance(area, Circle)
    assert (area.lon_deg, area.lat_deg) == pytest.approx((lon_deg, lat_deg), abs=1e-6)


@pytest.mark.parametrize("sense", ["+", "-"])
def test_an_arc_from_a_bearing_to_itself_is_the_whole_turn(sense: str) -> None:
    head = f"AC P\nAN A\nAL 0\nAH UNL\nV X=49:36:00 N 006:06:00 E\nV D={sense}\n"
    (volume,) = volumes(read(head + "DA 1,90,90\n"))
    assert isinstance(volume.area, Polygon)
    assert area_km2(volume.area) == pytest.approx(math.pi * 1.852**2, rel=2e-3)


def test_openair_in_latin_1() -> None:
    text = "AC P\nAN Aéroport\nAL SFC\nAH UNL\nV X=49:36:00 N 006:06:00 E\nDC 2\n"
    found = read(text.encode("latin-1"))
    assert found.zones[0].name == "Aéroport"
    assert any("not in UTF-8" in f.problem for f in found.findings)


# ---- facility maps and map servers


def test_a_facility_map_needs_authorisation_at_every_height() -> None:
    found = read((VECTORS / "faa-uasfm.json").read_bytes())
    assert found.format == "uasfm"
    assert [z.zone_id for z in found.zones] == ["KLGA-1", "KLGA-2"]
    assert {z.restriction for z in found.zones} == {Restriction.REQ_AUTHORISATION}
    assert {(v.lower, v.upper) for v in volumes(found)} == {(HeightAgl(0.0), None)}
    assert [z.conditions for z in found.zones] == [
        "Each flight is looked at by the controllers",
        "Up to 200 ft above ground an authorisation may be had at once; higher flights are looked "
        "at one by one",
    ]
    assert found.zones[0].authorities[0].service == "LGA ATCT"


@pytest.mark.parametrize("ceiling", [None, -1, 5_000, "Schedule", True])
def test_a_ceiling_that_is_none(ceiling: object) -> None:
    document = json.loads((VECTORS / "faa-uasfm.json").read_bytes())
    document["features"][1]["properties"]["CEILING"] = ceiling
    found = read(document)
    assert [where for where, _ in grave(found)] == ["$.features[1].properties.CEILING"]
    assert found.zones[1].readable


def esri(rings: object, reference: object, **attributes: object) -> dict[str, Any]:
    feature = {"attributes": {"id": "A", **attributes}, "geometry": {"rings": rings}}
    return {"spatialReference": reference, "features": [feature]}


def test_esri_json_in_degrees_and_in_metres() -> None:
    square = [[6.1, 49.6], [6.1, 49.7], [6.2, 49.7], [6.2, 49.6], [6.1, 49.6]]
    plain = read(esri([square], {"wkid": 4326}, restriction="PROHIBITED"))
    radius_m = 6_378_137.0
    metres = [
        [
            math.radians(lon) * radius_m,
            radius_m * math.log(math.tan(math.pi / 4 + math.radians(lat) / 2)),
        ]
        for lon, lat in square
    ]
    mercator = read(esri([metres], {"wkid": 102100, "latestWkid": 3857}, restriction="PROHIBITED"))
    assert plain.zones == mercator.zones
    hole = [[6.12, 49.62], [6.18, 49.62], [6.15, 49.68], [6.12, 49.62]]
    far = [[lon + 1, lat] for lon, lat in square]
    holed = volumes(read(esri([square, hole, far], None, restriction="PROHIBITED")))
    assert [len(v.area.rings) for v in holed if isinstance(v.area, Polygon)] == [2, 1]
    odd = read(esri([square], {"wkid": 2169}, restriction="PROHIBITED"))
    assert not odd.zones[0].readable
    assert "reference that is not known (2169)" in odd.findings[0].problem


SQUARE = {
    "type": "Polygon",
    "coordinates": [[[6.1, 49.6], [6.2, 49.6], [6.2, 49.7], [6.1, 49.7], [6.1, 49.6]]],
}
GERMAN = {
    "external_reference": "DE-1",
    "name": "Bahnanlage",
    "type_code": "BAHNANLAGE",
    "legal_ref": "§ 21h, Abs. 3 (5.) LuftVO",
    "lower_limit_altitude": "0",
    "lower_limit_unit": "m",
    "lower_limit_alt_ref": "AGL",
    "upper_limit_altitude": 2500,
    "upper_limit_unit": "ft",
    "upper_limit_alt_ref": "MSL",
}


def feature(properties: object, geometry: object = SQUARE, **more: object) -> dict[str, Any]:
    return {"type": "Feature", "properties": properties, "geometry": geometry, **more}


def test_the_german_map_layer() -> None:
    found = read({"type": "FeatureCollection", "features": [feature(GERMAN)]})
    (zone,) = found.zones
    assert (found.format, zone.readable, zone.zone_id) == ("geojson", True, "DE-1")
    assert (zone.volumes[0].lower, zone.volumes[0].upper) == (
        HeightAgl(0.0),
        HeightAmsl(2500 * FEET),
    )
    assert zone.legal_basis == "§ 21h, Abs. 3 (5.) LuftVO"
    assert zone.restriction is Restriction.PROHIBITED
    assert "does not say how strict" in grave(found)[-1][1]


def test_a_map_layer_that_says_nothing_is_the_strictest() -> None:
    found = read({"type": "FeatureCollection", "features": [feature({}, id="layer.7")]})
    (zone,) = found.zones
    assert (zone.zone_id, zone.readable) == ("layer.7", True)
    assert zone.restriction is Restriction.PROHIBITED
    assert (zone.volumes[0].lower, zone.volumes[0].upper) == (None, None)


def test_american_flight_levels_in_a_unit() -> None:
    limits = {"LOWER_VAL": 700, "LOWER_UOM": "FT", "LOWER_CODE": "SFC"}
    upper = {"UPPER_VAL": 180, "UPPER_UOM": "FL", "UPPER_CODE": "STD"}
    found = read({"features": [feature({"IDENT": "X", **limits, **upper})]})
    assert (volumes(found)[0].lower, volumes(found)[0].upper) == (
        HeightAgl(700 * FEET),
        HeightPressure(18_000 * FEET),
    )


ZONE = {
    "identifier": "LUX0001",
    "country": "LUX",
    "restriction": "PROHIBITED",
    "type": "COMMON",
    "applicability": [{"permanent": "YES"}],
    "geometry": [{"uomDimensions": "M", "horizontalProjection": SQUARE}],
}


@pytest.mark.parametrize(
    ("document", "where"),
    [
        ({"features": [ZONE]}, "$.features[0]"),
        ({"UASZoneList": [ZONE]}, "$.UASZoneList[0]"),
        ({"uasZones": [ZONE]}, "$.uasZones[0]"),
        ({"data": {"UASZoneList": [ZONE]}}, "$.data.UASZoneList[0]"),
        ({"data": [ZONE]}, "$.data[0]"),
        ([ZONE], "$[0]"),
        (ZONE, "$"),
        ({"features": [{**ZONE, "type": "Feature"}]}, "$.features[0]"),
    ],
)
def test_wrappings_of_ed269(document: Any, where: str) -> None:
    found = read(document)
    assert (found.format, [z.zone_id for z in found.zones]) == ("ed269", ["LUX0001"])
    assert found.zones[0].readable
    assert any(f.where.startswith(f"{where}.geometry[0].") for f in found.findings)


@pytest.mark.parametrize(
    "projection",
    [
        [SQUARE],
        {"type": "MultiPolygon", "coordinates": [SQUARE["coordinates"]]},
        {"type": "Polygon", "coordinates": SQUARE["coordinates"][0]},
    ],
)
def test_shapes_of_ed269(projection: object) -> None:
    geometry = [{"uomDimensions": "M", "horizontalProjection": projection}]
    found = read({"features": [{**ZONE, "geometry": geometry}]})
    ring = found.zones[0].volumes[0].area
    assert found.zones[0].readable
    assert isinstance(ring, Polygon)
    assert len(ring.rings[0]) == 5


def test_the_world_comes_in_two_halves() -> None:
    ring = [[180, -90], [180, 90], [-180, 90], [-180, -90], [180, -90]]
    world = {"type": "Polygon", "coordinates": [ring]}
    found = read({"features": [feature({"restriction": "CONDITIONAL", "hidden": True}, world)]})
    assert found.zones[0].readable
    assert len(found.zones[0].volumes) == 2
    total = sum(area_km2(v.area) for v in volumes(found))
    assert total == pytest.approx(510_065_622, rel=1e-3)  # the ellipsoid's surface
    assert any("hidden" in f.problem for f in found.findings)


def test_what_only_resembles_the_world_is_not_taken_for_it() -> None:
    ring = [[-180, -90], [0, 90], [180, -90], [180, 90], [-180, 90], [-180, -90]]
    zigzag = {"type": "Polygon", "coordinates": [ring]}
    found = read({"features": [feature({"restriction": "CONDITIONAL"}, zigzag)]})
    assert not found.zones[0].readable


def test_a_large_zone_is_worth_a_second_look() -> None:
    ring = [[-40, 20], [40, 20], [40, 60], [-40, 60], [-40, 20]]
    large = {"type": "Polygon", "coordinates": [ring]}
    found = read({"features": [feature({"restriction": "CONDITIONAL", "id": "A"}, large)]})
    assert found.zones[0].readable
    assert grave(found) == [
        (
            "$.features[0].geometry.coordinates",
            "the zone spans 80 degrees of longitude and 40 of latitude",
        )
    ]


def test_utf_16() -> None:
    found = read(json.dumps({"features": [ZONE]}).encode("utf-16"))
    assert found.zones[0].readable
    assert "UTF-16" in found.findings[0].problem
