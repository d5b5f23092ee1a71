"""No bytes crash a reader of zones: an InputError, or zones and findings, and within budgets."""

from __future__ import annotations

import io
import json
import struct
import zipfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from skykeep.codec import kml_tree, openair, zones
from skykeep.codec.zones import ZoneFile, read_zones
from skykeep.core.zone import prepare_zone
from skykeep.errors import InputError
from tests.unit.codec.test_zones_broken import KML, OPENAIR

VECTORS = Path(__file__).parents[2] / "vectors" / "zones"
UASFM: dict[str, Any] = json.loads((VECTORS / "faa-uasfm.json").read_bytes())
ESRI: dict[str, Any] = {
    "spatialReference": {"wkid": 102100},
    "features": [
        {
            "attributes": feature["properties"],
            "geometry": {"rings": feature["geometry"]["coordinates"]},
        }
        for feature in UASFM["features"]
    ],
}


def kmz(*members: tuple[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", method) as archive:
        for name, data in members:
            archive.writestr(name, data)
    return packed.getvalue()


def read_any(data: bytes) -> ZoneFile | None:
    """What is read, with what must hold of anything that is."""
    found, refusal = None, None
    try:
        found = read_zones(data, "f")
    except InputError as error:
        refusal = error
    if found is None:
        assert refusal is not None
        assert refusal.where.startswith("f")
        assert refusal.mend
        str(refusal).encode("utf-8")
        return None
    for zone in found.zones:
        prepare_zone(zone)
        assert zone.zone_id
        assert zone.authority_id
        assert zone.volumes or not zone.readable
    for finding in found.findings:
        (finding.where + finding.problem + finding.assumed + finding.mend).encode("utf-8")
        assert finding.where
        assert finding.mend
    return found


BYTES = {
    "kml": KML.encode(),
    "kmz": kmz(("doc.kml", KML.encode())),
    "openair": OPENAIR.encode(),
    "uasfm": json.dumps(UASFM).encode(),
    "esri": json.dumps(ESRI).encode(),
}


@pytest.mark.parametrize("kind", BYTES)
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_no_change_of_bytes_crashes(kind: str, data: st.DataObject) -> None:
    raw = bytearray(BYTES[kind])
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(raw) - 1))
        raw[place : place + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
        if not raw:
            return
    read_any(bytes(raw))


@settings(max_examples=60, deadline=None)
@given(
    head=st.sampled_from(
        [b"", b"<kml>", b"AC P\n", b"PK\x03\x04", b"{", b"\xff\xfe", b"\xef\xbb\xbf"]
    ),
    tail=st.binary(max_size=60),
)
def test_no_bytes_crash(head: bytes, tail: bytes) -> None:
    read_any(head + tail)


_WORDS = st.one_of(
    st.sampled_from(["", "-5", "1e999", "NaN", "FL 999", "FL65", "9" * 400, "120 ft AGL", "SFC"]),
    st.sampled_from(["49:99:00 N 006:06:00 E", "49:36:00 S 006:06:00 W", "X=1", "D=-", "2,0,1e9"]),
    st.text(max_size=6),
)
_CODES = st.sampled_from(
    ["AC", "AN", "AL", "AH", "AY", "AI", "AA", "V", "DP", "DA", "DB", "DC", "DY", "ZZ"]
)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(_CODES, _WORDS), max_size=12))
def test_no_lines_of_openair_crash(lines: list[tuple[str, str]]) -> None:
    read_any(("AC P\n" + "\n".join(f"{code} {words}" for code, words in lines)).encode())


_HALF = "na\ud800me"  # half a character, which JSON can hold and UTF-8 cannot
_VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**25), 10**25),
    st.floats(),
    _WORDS,
    st.lists(st.integers(-200, 200), max_size=3),
)


@settings(max_examples=60, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(
            [
                "id",
                "name",
                "upper_limit_altitude",
                "upper_limit_unit",
                "upper_ref",
                "ceiling",
                "floor",
                "radius",
                "unit",
                "restriction",
                "hidden",
                "skykeep",
                "CEILING",
                "MAP_EFF",
                "UNIT",
                "OBJECTID",
                "na�me",
            ]
        ),
        _VALUES,
    ),
    st.booleans(),
)
def test_no_properties_of_a_map_crash(properties: dict[str, object], esri: bool) -> None:
    square = [[[6, 49], [7, 49], [7, 50], [6, 49]]]
    feature: dict[str, object] = {
        "type": "Feature",
        "properties": properties,
        "geometry": {"type": "Polygon", "coordinates": square},
    }
    if esri:
        feature = {"attributes": properties, "geometry": {"rings": square}}
    found = read_any(json.dumps({"features": [feature]}).encode())
    assert found is not None
    assert len(found.zones) == 1


# ---- attacks


def refused(data: bytes) -> InputError:
    with pytest.raises(InputError) as caught:
        read_zones(data, "f")
    assert caught.value.where.startswith("f")
    return caught.value


@pytest.mark.parametrize("inside", ["kml", "kmz"])
def test_entities_are_refused_before_they_grow(inside: str) -> None:
    lines = "".join(f'<!ENTITY l{i} "{f"&l{i - 1};" * 10}">' for i in range(1, 10))
    bomb = f'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY l0 "lol">{lines}]><kml>&l9;</kml>'.encode()
    outside = b'<!DOCTYPE x SYSTEM "file:///etc/passwd"><kml/>'
    for attack in (bomb, outside):
        data = attack if inside == "kml" else kmz(("doc.kml", attack))
        assert "document type" in refused(data).problem


def test_deep_nesting_is_refused() -> None:
    assert "nested" in refused(b"<kml>" + b"<a>" * 100_000).problem
    assert "nested" in refused(b"[" * 100_000).problem
    assert "nested" in refused(b'{"features":' * 100_000).problem
    rings = b'{"features":[{"restriction":"PROHIBITED","geometry":' + b"[" * 900 + b"]" * 900
    assert read_zones(rings + b"}]}", "f").zones[0].readable is False


def test_too_many_elements_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kml_tree, "MAX_ELEMENTS", 1_000)
    assert "more than 1000 elements" in refused(b"<kml>" + b"<a/>" * 1_000 + b"</kml>").problem


def test_a_zip_that_unpacks_without_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kml_tree, "MAX_DOCUMENT_BYTES", 1_000_000)
    bomb = kmz(("doc.kml", b" " * 1_000_001))
    assert len(bomb) < 2_000
    assert "unpacks to more than" in refused(bomb).problem


def test_a_zip_whose_directory_lies_is_refused() -> None:
    honest = kmz(("doc.kml", KML.encode()), method=zipfile.ZIP_STORED)
    size = struct.pack("<I", len(KML.encode()))
    for lie in (b"\xff\xff\xff\x7f", b"\x01\x00\x00\x00"):
        refused(honest.replace(size, lie))
    assert "more than 1000 files" in refused(honest + b"PK\x01\x02" * 1_001).problem
    assert "no .kml" in refused(kmz(("a.txt", b""))).problem
    assert "unusual" in refused(kmz(("doc.kml", b"<kml/>"), method=zipfile.ZIP_LZMA)).problem
    assert "broken ZIP" in refused(honest[:-30]).problem


def test_arcs_do_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    head = "AC P\nAN A\nV X=49:36:00 N 006:06:00 E\n"
    found = read_zones((head + "DA 1,0,359\n" * 400).encode(), "f")
    assert [z.readable for z in found.zones] == [False]
    assert any("more than 60000 points" in f.problem for f in found.findings)
    monkeypatch.setattr(openair, "MAX_POINTS_IN_ALL", 1_000)
    many = "".join(head + "DA 1,0,359\n" for _ in range(10)).encode()
    assert "points" in refused(many).problem


def test_too_many_vertices_are_not_even_read() -> None:
    ring = "<LinearRing><coordinates>" + "1,1 " * 60_000 + "</coordinates></LinearRing>"
    document = f"<kml><Placemark><Polygon><outerBoundaryIs>{ring}</outerBoundaryIs></Polygon>"
    found = read_zones(f"{document}</Placemark></kml>".encode(), "f")
    assert [z.readable for z in found.zones] == [False]
    square = {"type": "Polygon", "coordinates": [[[1, 1]] * 60_000]}
    features = [
        {"type": "Feature", "properties": {"restriction": "PROHIBITED"}, "geometry": square}
    ]
    more = read_zones(json.dumps({"features": features}).encode(), "f")
    assert [z.readable for z in more.zones] == [False]
    for file in (found, more):
        assert any("more than 50000 vertices" in f.problem for f in file.findings)


def test_too_many_lines_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(openair, "MAX_LINES", 100)
    assert "100 lines" in refused(b"AC P\n" + b"ZZ\n" * 101).problem


def test_too_many_zones_are_refused_in_each_format(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zones, "MAX_ZONES", 50)
    assert "more than 50" in refused(b"AC P\n" * 51).problem
    placemarks = b"<kml>" + b"<Placemark/>" * 51 + b"</kml>"
    assert "more than 50" in refused(placemarks).problem
