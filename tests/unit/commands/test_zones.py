from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import pytest

from skykeep.codec.zones import read_zones
from skykeep.commands.zones import check, import_
from skykeep.core.geo import HeightPressure
from tests.desk import OFFICER, Desk

VECTORS = Path(__file__).parents[2] / "vectors" / "zones"
SWISS = str(VECTORS / "ed269-ch.json")
FINNISH = str(VECTORS / "ed269-fi.json")


@pytest.fixture
def faulty(tmp_path: Path) -> str:
    """Switzerland with a negative height unit in its second zone."""
    document = json.loads(Path(SWISS).read_bytes())
    document["features"][1]["geometry"][0]["uomDimensions"] = "[FATHOM]"
    path = tmp_path / "faulty [1].json"
    path.write_text(json.dumps(document), encoding="utf-8")
    return str(path)


def test_check_gives_every_finding_with_its_file(
    faulty: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert check([FINNISH, faulty], as_json=True) == 1
    out = json.loads(capsys.readouterr().out)
    assert out["files"] == [
        {"file": FINNISH, "format": "ed269", "zones": 2, "unreadable": 0},
        {"file": faulty, "format": "ed269", "zones": 4, "unreadable": 1},
    ]
    assert out["failures"] == []
    assert [f for f in out["findings"] if f["severity"] == "error"] == [
        {
            "file": faulty,
            "where": "$.features[1].geometry[0].uomDimensions",
            "problem": '"[FATHOM]" is neither metres nor feet',
            "assumed": "the zone is unreadable",
            "mend": "Write M or FT",
            "severity": "error",
        }
    ]


def test_exit_codes_tell_good_faulty_and_unusable(
    faulty: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stranger = tmp_path / "stranger.json"
    stranger.write_text('{"features": [{"properties": {"height": 3}}]}', encoding="utf-8")
    broken = tmp_path / "broken.json"
    broken.write_bytes(b'{"features": [\n}')
    assert check([str(broken)], as_json=True) == 1
    assert [f["where"] for f in json.loads(capsys.readouterr().out)["findings"]] == [
        "line 2, column 1"
    ]
    assert check([FINNISH], as_json=False) == 0
    assert check([faulty], as_json=False) == 1
    assert check([faulty, str(stranger), str(broken), str(tmp_path / "none")], as_json=False) == 2
    captured = capsys.readouterr()
    assert "[FATHOM]" in captured.out  # not taken for markup
    assert "no feature in it looks like" in captured.err
    assert f"{broken}: line 2, column 1: broken JSON" in captured.err
    assert "No such file" in captured.err


def test_findings_of_a_kind_are_counted_together(capsys: pytest.CaptureFixture[str]) -> None:
    assert check([str(VECTORS / "finland.geojson")], as_json=False) == 0
    out = capsys.readouterr().out
    assert "723" in out
    assert len(out.splitlines()) < 80


def test_import_writes_what_is_readable(
    faulty: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "zones.json"
    assert import_([SWISS, FINNISH], str(out), as_json=False) == 0
    assert "6 zones written" in capsys.readouterr().out
    assert len(read_zones(out.read_bytes(), "out").zones) == 6
    assert import_([faulty], str(out), as_json=True) == 1
    said = json.loads(capsys.readouterr().out)
    assert (said["written"], said["out"]) == (3, str(out))
    found = read_zones(out.read_bytes(), "out").zones
    assert [z.zone_id for z in found] == ["CH-GT9990", "CH-ZH-120", "CH-MV-2VOL"]


@pytest.mark.parametrize("form", ["ed318", "ed269", "geojson"])
def test_import_writes_each_form(
    form: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "zones"
    assert import_([SWISS, FINNISH], str(out), as_json=True, form=form) == 0
    again = read_zones(out.read_bytes(), "out")
    assert (again.format, len(again.zones)) == (form, 6)
    assert check([str(out)], as_json=True) == 0


def test_import_tells_the_same_identifier_in_two_files_apart(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "zones.json"
    assert import_([FINNISH, FINNISH], str(out), as_json=True) == 0
    said = json.loads(capsys.readouterr().out)
    assert sum("used more than once" in f["problem"] for f in said["findings"]) == 2
    found = read_zones(out.read_bytes(), "out").zones
    assert [z.zone_id for z in found] == [
        "FI-R-EFHK",
        "FI-N-KESKUSPUISTO",
        "FI-R-EFHK~2",
        "FI-N-KESKUSPUISTO~2",
    ]


def test_import_writes_nothing_if_a_file_cannot_be_read_or_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "zones.json"
    assert import_([SWISS, str(tmp_path / "absent")], str(out), as_json=False) == 2
    assert not out.exists()
    assert import_([SWISS], str(tmp_path / "none" / "zones.json"), as_json=False) == 2
    captured = capsys.readouterr()
    assert captured.out.count("Nothing was written.") == 2
    assert "cannot be written" in captured.err
    assert list(tmp_path.iterdir()) == []


KML_ZONE = """<kml><Placemark id="KML1"><name>Palace</name><Polygon><outerBoundaryIs><LinearRing>
<coordinates>6.1,49.6 6.2,49.6 6.2,49.7 6.1,49.6</coordinates></LinearRing></outerBoundaryIs>
</Polygon></Placemark></kml>"""
OPENAIR_ZONE = "AC P\nAN AIR1\nAL SFC\nAH FL 65\nV X=49:36:00 N 006:06:00 E\nDC 2\n"


def test_a_running_site_takes_what_is_published_in_any_format(tmp_path: Path) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("doc.kml", KML_ZONE.replace("KML1", "KMZ1"))
    facility_map = (VECTORS / "faa-uasfm.json").read_bytes()
    desk = Desk(tmp_path)
    try:
        for document in (KML_ZONE.encode(), packed.getvalue(), OPENAIR_ZONE.encode(), facility_map):
            answer = desk.command("publish_zone", document)
            assert answer.status_code == 200, answer.text
            assert all(finding["mend"] for finding in answer.json()["findings"])
        refused = desk.command("publish_zone", KML_ZONE.replace("6.2,49.7", "6.2,95").encode())
        assert (refused.status_code, refused.json()["where"]) == (
            422,
            "line 1: Placemark[0].Polygon.coordinates[0][2]",
        )
        held = desk.request("GET", "/v1/zones", OFFICER).content
    finally:
        desk.close()
    zones = {str(z.zone_id): z for z in read_zones(held, "held").zones}
    assert {"KML1", "KMZ1", "AIR1", "KLGA-1", "KLGA-2"} <= zones.keys()
    assert zones["AIR1"].volumes[0].upper == HeightPressure(65 * 100.0 * 0.3048)
