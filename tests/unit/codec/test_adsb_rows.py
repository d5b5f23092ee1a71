from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skykeep.codec.adsb_rows import decode_rows
from skykeep.core.event import Severity
from skykeep.errors import InputError
from skykeep.units import NS_PER_MS

T0 = 1_558_732_719_000
ROW: dict[str, Any] = {
    "icao24": "4B43AC",
    "callsign": "REGA1   ",
    "latitude": 47.3665,
    "longitude": 8.5007,
    "altitude": 1950.0,
    "geoaltitude": 2175.0,
    "groundspeed": 51.1,
    "track": 93.4,
    "vertical_rate": 768.0,
    "timestamp": T0,
    "onground": False,
}


def rows_of(*records: object) -> bytes:
    return json.dumps(list(records)).encode()


def test_one_record() -> None:
    (row,) = decode_rows(rows_of(ROW)).rows
    assert (row.at_ns, row.icao24, row.callsign) == (T0 * NS_PER_MS, "4b43ac", "REGA1")
    assert (row.lat_deg, row.lon_deg, row.altitude_ft) == (47.3665, 8.5007, 1950.0)
    assert (row.ground_speed_kn, row.track_deg, row.vertical_rate_fpm) == (51.1, 93.4, 768.0)
    assert row.on_ground is False


def test_sorted_stable_and_each_once() -> None:
    late, early = ROW | {"timestamp": T0 + 1000}, ROW | {"altitude": 1.0}
    result = decode_rows(rows_of(late, early, ROW, late, ROW))
    assert [(r.at_ns // NS_PER_MS - T0, r.altitude_ft) for r in result.rows] == [
        (0, 1.0),
        (0, 1950.0),
        (1000, 1950.0),
    ]
    (finding,) = result.findings
    assert finding.problem == "2 exact doubles"


def test_nulls_leave_out_positions_only() -> None:
    blank = ROW | {"altitude": None, "groundspeed": None, "track": None, "callsign": None}
    del blank["onground"]
    result = decode_rows(rows_of(ROW | {"latitude": None}, blank, ROW | {"latitude": None}))
    (row,) = result.rows
    assert (row.altitude_ft, row.ground_speed_kn, row.callsign, row.on_ground) == (
        None,
        None,
        "",
        None,
    )
    (finding,) = result.findings
    assert finding.where == "[0].latitude"
    assert "in 2 records" in finding.problem
    assert finding.severity is Severity.ERROR


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("latitude", "95"),
        ("latitude", "NaN"),
        ("longitude", "Infinity"),
        ("longitude", "true"),
        ("timestamp", "0"),
        ("timestamp", "1558732719"),
        ("timestamp", "1e999"),
        ("timestamp", '"2019"'),
        ("icao24", '"xyz"'),
        ("icao24", "null"),
    ],
)
def test_a_bad_record_costs_only_itself(field: str, text: str) -> None:
    bad = json.dumps(ROW | {field: "@"}).replace('"@"', text)
    result = decode_rows(f"[{bad},{json.dumps(ROW)}]".encode())
    assert len(result.rows) == 1
    assert [f.where for f in result.findings] == [f"[0].{field}"]


@pytest.mark.parametrize("field", ["altitude", "groundspeed", "track", "vertical_rate", "callsign"])
@pytest.mark.parametrize("text", ["NaN", "-Infinity", "1e7", "[]"])
def test_a_bad_value_is_taken_as_missing(field: str, text: str) -> None:
    bad = json.dumps(ROW | {field: "@"}).replace('"@"', text)
    result = decode_rows(f"[{bad}]".encode())
    assert len(result.rows) == 1
    assert [f.where for f in result.findings] == [f"[0].{field}"]


@pytest.mark.parametrize("data", [b"", b"{}", b"[", b"[" * 100_000, b"\xff", b"9" * 5000, b"null"])
def test_what_is_no_array_is_refused(data: bytes) -> None:
    with pytest.raises(InputError):
        decode_rows(data)


json_values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=6,
)


@given(st.lists(json_values | st.dictionaries(st.sampled_from(list(ROW)), json_values), max_size=5))
def test_no_records_crash_it(records: list[object]) -> None:
    result = decode_rows(rows_of(ROW, *records))
    assert result.rows
    assert len(result.rows) + len(result.findings) > 0


@given(st.sampled_from(list(ROW)), json_values)
def test_no_value_crashes_it(field: str, value: object) -> None:
    for row in decode_rows(rows_of(ROW | {field: value})).rows:
        assert -90.0 <= row.lat_deg <= 90.0


@given(st.binary(max_size=200))
def test_no_bytes_crash_it(data: bytes) -> None:
    try:
        decode_rows(data)
    except InputError:
        return
