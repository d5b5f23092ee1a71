"""Recorded input through the whole line: what a user of `skykeep replay` gets."""

from __future__ import annotations

import gzip
import json
import random
from pathlib import Path
from typing import Any

import pytest

from skykeep.cli import main
from skykeep.codec.ed318_write import write_ed318
from skykeep.codec.permits import encode_permits
from skykeep.core.geo import Circle, HeightAgl, HeightAmsl, Volume, Volume4D
from skykeep.core.permit import Permit, PermitState
from skykeep.core.zone import Authority, Restriction, Zone
from skykeep.units import PermitId, ZoneId, to_datetime

VECTORS = Path(__file__).parents[1] / "vectors"
RECORDINGS = sorted((VECTORS / "adsb").glob("*.json.gz"))
GAP_MS = 60_000


def replay(capsys: pytest.CaptureFixture[str], *words: object) -> dict[str, Any]:
    assert main(["replay", *map(str, words), "--json"]) == 0
    document: dict[str, Any] = json.loads(capsys.readouterr().out)
    return document


def test_a_beacon_capture_is_one_track_with_its_serial(
    capsys: pytest.CaptureFixture[str],
) -> None:
    found = replay(capsys, VECTORS / "remote_id" / "odid_wifi_bcn_sample.pcap")
    (track,) = found["tracks"]
    assert track["identity"] == "MFG1A0123456789"
    assert track["strength"] == "broadcast_only"
    assert track["first_seen"].startswith("2021-05-21T21:52:11")  # received, not the hour's start
    problems = {f["where"] for f in found["findings"]}
    assert any("location.time_tenths" in where for where in problems)


def test_a_capture_without_basic_id_is_one_unidentified_track(
    capsys: pytest.CaptureFixture[str],
) -> None:
    found = replay(capsys, VECTORS / "remote_id" / "odid_wifi_sample.pcap")
    (track,) = found["tracks"]
    assert track["identity"] is None
    assert track["scheme"] == "remote_id"


def test_a_capture_of_other_beacons_is_no_track(capsys: pytest.CaptureFixture[str]) -> None:
    found = replay(capsys, VECTORS / "remote_id" / "mavic_multiple_spoofed.pcapng")
    assert found["tracks"] == []


def stretches(rows: list[dict[str, Any]]) -> list[tuple[str, int, int]]:
    """Literally: each aircraft's times in order, cut where more than 60 s are missing."""
    found = []
    for icao24 in sorted({r["icao24"] for r in rows}):
        times = sorted(
            {
                r["timestamp"]
                for r in rows
                if r["icao24"] == icao24 and None not in (r["latitude"], r["longitude"])
            }
        )
        start = times[0]
        for before, after in zip(times, [*times[1:], None], strict=True):
            if after is None or after - before > GAP_MS:
                found.append((icao24, start, before))
                start = after
    return sorted(found)


def _marks(recording: Path) -> list[pytest.MarkDecorator]:
    """The long one is played in the long runs alone; the short one each time, both ways."""
    return [pytest.mark.soak] if "zurich" in recording.name else []


@pytest.mark.parametrize(
    ("recording", "mixed"),
    [
        pytest.param(r, mixed, id=f"{r.name}, {words}", marks=_marks(r))
        for r in RECORDINGS
        for mixed, words in ((False, "as it is"), (True, "shuffled and doubled"))
    ],
)
def test_adsb_gives_one_track_an_aircraft_and_stretch(
    recording: Path, mixed: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = json.loads(gzip.decompress(recording.read_bytes()))
    path = recording
    if mixed:
        shuffled = [*rows, *rows[::3]]
        random.Random(4).shuffle(shuffled)
        path = tmp_path / "mixed.json.gz"
        path.write_bytes(gzip.compress(json.dumps(shuffled).encode(), 1))
    found = replay(capsys, path)
    seen = sorted((t["identity"], t["first_seen"]) for t in found["tracks"])
    expected = [(icao24, _stamp(first)) for icao24, first, _ in stretches(rows)]
    assert seen == expected


def _stamp(ms: int) -> str:
    text = to_datetime(ms * 1_000_000).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")


AROUND = Circle(45.546, -122.967, 3_000.0)
CITY = "city"


def test_a_zone_and_a_permit_decide_over_a_recorded_drone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The captured drone in a zone of ours: not permitted, until a permit names its serial."""
    zones, permits, site = (tmp_path / f"{n}.json" for n in ("zones", "permits", "site"))
    volume = Volume(AROUND, HeightAgl(0.0), HeightAmsl(9_000.0))
    zone = Zone(
        ZoneId("ZONE1"), "Test", CITY, Restriction.PROHIBITED, (volume,), country="USA",
        authorities=(Authority("City", "AUTHORIZATION", email="a@city.example"),),
        reasons=("SENSITIVE",),
    )  # fmt: skip
    zones.write_bytes(write_ed318((zone,)))
    place = {"lat_deg": 45.546, "lon_deg": -122.967, "height_hae_m": 0.0}
    # Nothing else measures it here: the site says that a broadcast identity counts.
    policy = {"broadcast_only_counts": True}
    known = {"authority": CITY, "name": "Test site", "origin": place, "policy": policy}
    ground = {"lowest_amsl_m": 0, "highest_amsl_m": 500, "geoid_low_m": -30, "geoid_high_m": -10}
    site.write_text(json.dumps(known | {"terrain": ground}))
    capture = VECTORS / "remote_id" / "odid_wifi_bcn_sample.pcap"

    def verdict(serial: str, state: PermitState) -> str:
        permit = Permit(
            PermitId("P1"), CITY, "A pilot", (serial,), (ZoneId("ZONE1"),),
            (Volume4D(volume, None, None),), state,
        )  # fmt: skip
        permits.write_bytes(encode_permits(CITY, (permit,)))
        found = replay(capsys, capture, "--zones", zones, "--permits", permits, "--site", site)
        (track,) = found["tracks"]
        return str(track["verdicts"]["ZONE1"])

    other = verdict("SOMEONE0ELSE", PermitState.GRANTED)
    assert other.startswith("not_permitted (inside): no permit or exemption names")
    revoked = verdict("MFG1A0123456789", PermitState.REVOKED)
    assert revoked.startswith("not_permitted (inside): its permit was revoked")
    granted = verdict("MFG1A0123456789", PermitState.GRANTED)
    assert granted.startswith("permitted (inside): a permit or exemption covers")


GOOD = {
    "lat_deg": 49.6, "lon_deg": 6.1, "height_m": 400, "height_reference": "AMSL",
    "sigma_east_m": 5, "sigma_north_m": 5, "sigma_height_m": 5,
}  # fmt: skip


def line(second: int, **position: Any) -> str:
    when = f"2026-09-12T00:27:{second:02d}Z"
    return json.dumps({"sensor": "s1", "time": when, "position": GOOD | position})


def test_bad_lines_are_named_and_the_good_ones_beside_them_tracked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    old = {"sensor": "s1", "time": "1970-01-01T00:00:00Z", "position": GOOD}
    lines = [line(s, lat_deg=49.6 + s * 1e-5) for s in range(20)]
    bad = ["{broken", json.dumps(old), line(3, lat_deg=95.0), line(4).replace("49.6", "NaN"),
           line(5).replace("400", "1e999")]  # fmt: skip
    for at, text in enumerate(bad):
        lines.insert(3 * at + 2, text)
    path = tmp_path / "mixed.jsonl"
    path.write_text("\n".join(lines))
    found = replay(capsys, path)
    assert found["observations"] == 20
    assert len(found["tracks"]) == 1
    assert found["tracks"][0]["observations"] == 20
    errors = [f for f in found["findings"] if f["severity"] == "error"]
    assert len(errors) == len(bad)
    assert {f"line {3 * at + 3}" in "".join(f["where"] for f in errors) for at in range(5)} == {
        True
    }


def test_a_cut_capture_gives_what_is_good(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = (VECTORS / "remote_id" / "odid_wifi_bcn_sample.pcap").read_bytes()
    path = tmp_path / "cut.pcap"
    path.write_bytes(whole[: len(whole) // 2])
    found = replay(capsys, path)
    (track,) = found["tracks"]
    assert track["identity"] == "MFG1A0123456789"
    assert any("byte" in f["where"] and f["severity"] != "note" for f in found["findings"])


@pytest.mark.parametrize("content", [b"", b"nonsense", b"\x1f\x8b\x08\x00cut"])
def test_what_is_no_recording_is_refused_in_words(
    content: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "what.bin"
    path.write_bytes(content)
    assert main(["replay", str(path)]) == 2
    said = capsys.readouterr().err
    assert "what.bin" in said
    assert "Traceback" not in said
