from __future__ import annotations

import contextlib
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skykeep.codec.csv_exemptions import ExemptionLines, decode_exemptions
from skykeep.codec.permits import decode_permits, encode_permits
from skykeep.core.event import Severity
from skykeep.core.geo import Circle, HeightAgl
from skykeep.core.permit import PermitState
from skykeep.errors import InputError
from skykeep.units import to_ns

HEAD = "id,class,holder,serials,zones,lat_deg,lon_deg,radius_m,upper_agl_m,start,end,must_broadcast"
LINE = (
    "POL-7,police,City Police,1596A0123456789 1596B01234567890X,Z1;Z2,49.61,6.13,3000,120,"
    "2026-01-01T00:00:00Z,2027-01-01T00:00:00Z,no"
)


def read(*lines: str, head: str = HEAD) -> ExemptionLines:
    return decode_exemptions("\n".join([head, *lines]).encode(), "x.csv", "city")


def test_a_line_is_an_exemption() -> None:
    found = read(LINE)
    (permit,) = found.permits
    assert (permit.permit_id, permit.exemption_class, permit.holder) == (
        "POL-7", "police", "City Police",
    )  # fmt: skip
    assert permit.serials == ("1596A0123456789", "1596B01234567890X")
    assert (permit.zones, permit.must_broadcast) == (("Z1", "Z2"), False)
    (volume,) = permit.volumes
    assert volume.volume.area == Circle(49.61, 6.13, 3_000.0)
    assert volume.volume.upper == HeightAgl(120.0)
    assert volume.end_ns == to_ns(datetime(2027, 1, 1, tzinfo=UTC))
    assert (permit.state, permit.authority_id) == (PermitState.GRANTED, "city")
    (note,) = found.findings
    assert (note.where, note.severity) == ("line 2, serials", Severity.NOTE)
    file = encode_permits("city", found.permits)
    assert decode_permits(file, "f").permits == found.permits


@pytest.mark.parametrize(
    ("old", "new", "where"),
    [
        ("police", "friend", "line 3, class"),
        ("49.61", "91", "line 3, centre"),
        ("49.61", "north", "line 3, lat_deg"),
        ("3000", "-5", "line 3, radius"),
        ("3000", "nan", "line 3, radius_m"),
        (",120,", ",0,", "line 3, upper_agl_m"),
        ("2027-01-01T00:00:00Z", "2027-01-01", "line 3, end"),
        ("2027-", "2025-", "line 3, end"),
        ("1596A0123456789 1596B01234567890X", " ", "line 3, serials"),
        (",no", ",maybe", "line 3, must_broadcast"),
        ("POL-7", "", "line 3, id"),
    ],
)
def test_a_faulty_line_is_left_out_and_the_others_hold(old: str, new: str, where: str) -> None:
    good = LINE.replace("POL-7", "POL-6").replace("0X", "0")
    bad = LINE if old.startswith("1596") else LINE.replace("0X", "0")
    found = read(good, bad.replace(old, new, 1), good.replace("POL-6", "POL-8"))
    assert [p.permit_id for p in found.permits] == ["POL-6", "POL-8"]
    errors = [f for f in found.findings if f.severity is Severity.ERROR]
    assert [f.where for f in errors] == [where]
    assert "left out" in errors[0].assumed


def test_doubles_are_all_left_out() -> None:
    found = read(LINE, LINE)
    assert found.permits == ()
    assert [f.where for f in found.findings if f.severity is Severity.ERROR] == [
        "line 2, id", "line 3, id",
    ]  # fmt: skip


def test_a_spreadsheet_with_semicolons_commas_and_a_byte_order_mark() -> None:
    head = "id;class;holder;serials;lat_deg;lon_deg;radius_m;start;end;colour"
    line = 'F-1;FIRE;"Fire; Brigade";1596A0123456789;49,61;6,13;500;2026-01-01T00:00:00Z;'
    data = f"\ufeff{head}\r\n\r\n{line}2027-01-01T00:00:00Z;red\r\n".encode()
    found = decode_exemptions(data, "x.csv", "city")
    (permit,) = found.permits
    assert (permit.holder, permit.exemption_class) == ("Fire; Brigade", "fire")
    assert permit.volumes[0].volume.area == Circle(49.61, 6.13, 500.0)
    assert [f.where for f in found.findings] == ["line 1"]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "lacks id"),
        (b"id,class\n", "lacks holder"),
        (HEAD.encode() + b",id\n", "names id twice"),
        (HEAD.encode() + b'\n"open', "is no CSV"),
        (b"\xff\xfe", "no UTF-8"),
    ],
)
def test_what_is_no_table(data: bytes, words: str) -> None:
    with pytest.raises(InputError, match=words):
        decode_exemptions(data, "x.csv", "city")


tables = st.text(max_size=200).map(lambda t: f"{HEAD}\n{t}".encode("utf-8", "replace"))


@given(st.binary(max_size=200) | tables)
def test_no_table_crashes_it(data: bytes) -> None:
    with contextlib.suppress(InputError):
        assert decode_exemptions(data, "x.csv", "city").permits == ()
