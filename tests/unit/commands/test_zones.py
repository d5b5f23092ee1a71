from __future__ import annotations

import json
from pathlib import Path

import pytest

from skykeep.codec.zones import read_zones
from skykeep.commands.zones import check, import_

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
