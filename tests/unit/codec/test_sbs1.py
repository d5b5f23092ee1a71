from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skykeep.codec.sbs1 import (
    MAX_CLOCK_DIFFERENCE_NS,
    Sbs1Message,
    decode_line,
    encode_line,
    is_other_line,
)
from skykeep.errors import InputError
from skykeep.units import NS_PER_MS, NS_PER_S, to_ns

AT = to_ns(datetime(2008, 11, 28, 14, 53, 50, 594_000, tzinfo=UTC))
MSG3 = (
    "MSG,3,5,211,4CA2D6,10057,2008/11/28,14:53:50.594,2008/11/28,14:58:51.153,"
    ",37000,,,51.45735,-1.02826,,,0,0,0,0"
)
MSG4 = (
    "MSG,4,5,211,4CA2D6,10057,2008/11/28,14:53:50.391,2008/11/28,14:58:51.153,"
    ",,408.3,146.4,,,64,,,,,"
)
MSG1 = (
    "MSG,1,145,256,7404F2,11267,2008/11/28,23:48:18.611,2008/11/28,23:53:19.161,RJA1118,,,,,,,,,,,"
)


def with_field(number: int, text: str, line: str = MSG3) -> str:
    fields = line.split(",")
    fields[number - 1] = text
    return ",".join(fields)


def test_position_message() -> None:
    m = decode_line(MSG3 + "\r\n", AT + 1)
    assert (m.transmission_type, m.icao24, m.event_time_ns) == (3, "4ca2d6", AT)
    assert (m.lat_deg, m.lon_deg, m.altitude_ft) == (51.45735, -1.02826, 37000.0)
    assert m.on_ground is False
    assert m.callsign is None
    assert m.findings == ()


def test_velocity_and_callsign_messages() -> None:
    m = decode_line(MSG4.encode(), None)
    assert (m.ground_speed_kn, m.track_deg, m.vertical_rate_fpm) == (408.3, 146.4, 64.0)
    assert m.lat_deg is None
    assert m.on_ground is None
    assert m.receipt_time_ns == m.event_time_ns
    assert decode_line(MSG1, None).callsign == "RJA1118"


@pytest.mark.parametrize("kind", "12345678")
def test_all_transmission_types(kind: str) -> None:
    assert decode_line(with_field(2, kind), AT).transmission_type == int(kind)


@pytest.mark.parametrize("text", ["-1", "1"])
def test_both_spellings_of_on_ground(text: str) -> None:
    assert decode_line(with_field(22, text), AT).on_ground is True


def test_short_line_is_read() -> None:
    line = "MSG,8,5,812,ABBEE3,10095,2008/11/28,14:53:50.594,2008/11/28,14:58:51.153"
    assert decode_line(line, AT).icao24 == "abbee3"


@pytest.mark.parametrize(
    ("number", "text", "name"),
    [
        (2, "9", "transmission type"),
        (2, "", "transmission type"),
        (5, "4CA2D", "hex ident"),
        (5, "000000", "hex ident"),
        (5, "~4CA2D6", "hex ident"),
        (7, "2008-11-28", "generated date"),
        (7, "2008/02/30", "generated date"),
        (8, "14:53", "generated time"),
        (8, "25:00:00.000", "generated date"),
        (12, "nan", "altitude"),
        (12, "inf", "altitude"),
        (12, "1e9", "altitude"),
        (12, "999999", "altitude"),
        (13, "-3", "ground speed"),
        (14, "361", "track"),
        (15, "95", "latitude"),
        (15, "NaN", "latitude"),
        (15, "", "latitude"),
        (16, "-180.1", "longitude"),
        (16, "", "longitude"),
        (17, "99999", "vertical rate"),
        (18, "7800", "squawk"),
        (22, "yes", "on ground"),
    ],
)
def test_a_bad_field_is_named(number: int, text: str, name: str) -> None:
    with pytest.raises(InputError) as caught:
        decode_line(with_field(number, text), AT)
    assert name in caught.value.where


@pytest.mark.parametrize("line", ["", "SEL,,1", "MSG", "MSG,3," + "," * 30, "x" * 600, "MSG,3,é"])
def test_what_is_no_message_is_refused(line: str) -> None:
    with pytest.raises(InputError):
        decode_line(line, AT)


def test_a_clock_never_set() -> None:
    line = with_field(7, "1970/01/01")
    with pytest.raises(InputError, match="generated date"):
        decode_line(line, None)
    m = decode_line(line, AT)
    assert m.event_time_ns == AT
    assert "generated date" in m.findings[0].where
    assert "never set" in m.findings[0].problem


@pytest.mark.parametrize(("hours", "words"), [(2.0, "+2 h"), (-5.0, "-5 h"), (5.75, "+5.75 h")])
def test_local_time_is_corrected(hours: float, words: str) -> None:
    utc_ns = AT - round(hours * 3600) * NS_PER_S
    m = decode_line(MSG3, utc_ns + 2 * NS_PER_S)
    assert m.event_time_ns == utc_ns
    assert words in m.findings[0].problem


def test_a_wrong_clock_falls_back_to_receipt_time() -> None:
    edge = AT + MAX_CLOCK_DIFFERENCE_NS
    at_edge = decode_line(MSG3, edge)
    assert (at_edge.event_time_ns, at_edge.findings) == (AT, ())
    m = decode_line(MSG3, edge + 1)
    assert m.event_time_ns == edge + 1
    assert m.findings[0].assumed == "receipt time"
    blank = with_field(8, "", with_field(7, ""))
    assert decode_line(blank, AT).event_time_ns == AT
    with pytest.raises(InputError, match="generated date"):
        decode_line(blank, None)


def test_odd_callsign_and_null_island_are_findings() -> None:
    m = decode_line(with_field(11, "AB\x01"), AT)
    assert m.callsign is None
    assert "callsign" in m.findings[0].where
    m = decode_line(with_field(15, "0.0", with_field(16, "0")), AT)
    assert m.lat_deg is None
    assert m.findings


def test_other_lines() -> None:
    assert is_other_line(b"STA,,5,179,400AE7")
    assert is_other_line(b"\r\n")
    assert not is_other_line(MSG3.encode())
    assert not is_other_line(b"\xff\xfe")


@given(st.binary(max_size=600), st.none() | st.integers(0, 2**62))
def test_no_bytes_crash_it(data: bytes, receipt: int | None) -> None:
    is_other_line(data)
    for line in (data, b"MSG,3,1,1,4CA2D6,1," + data):
        try:
            decode_line(line, receipt)
        except InputError:
            continue


@given(st.integers(3, 22), st.text(max_size=12), st.sampled_from([MSG1, MSG3, MSG4]), st.booleans())
def test_no_field_crashes_it(number: int, text: str, line: str, live: bool) -> None:
    try:
        m = decode_line(with_field(number, text, line), AT if live else None)
    except InputError:
        return
    for value in (m.lat_deg, m.lon_deg, m.altitude_ft, m.track_deg, m.ground_speed_kn):
        assert value is None or math.isfinite(value)


def tenths(low: int, high: int) -> st.SearchStrategy[float | None]:
    return st.none() | st.integers(low * 10, high * 10).map(lambda v: v / 10)


positions = st.none() | st.tuples(
    st.integers(-9_000_000, 9_000_000), st.integers(-18_000_000, 18_000_000)
).filter(lambda p: p != (0, 0)).map(lambda p: (p[0] / 1e5, p[1] / 1e5))


@st.composite
def messages(draw: st.DrawFn) -> Sbs1Message:
    at_ns = draw(st.integers(946_684_800_000, 7_258_118_399_999)) * NS_PER_MS
    lat, lon = draw(positions) or (None, None)
    return Sbs1Message(
        transmission_type=draw(st.integers(1, 8)),
        icao24=f"{draw(st.integers(1, 0xFFFFFE)):06x}",
        event_time_ns=at_ns,
        receipt_time_ns=at_ns,
        callsign=draw(st.none() | st.from_regex(r"[A-Z0-9]{1,8}", fullmatch=True)),
        altitude_ft=draw(st.none() | st.integers(-1000, 126_700).map(float)),
        ground_speed_kn=draw(tenths(0, 4086)),
        track_deg=draw(tenths(0, 360)),
        lat_deg=lat,
        lon_deg=lon,
        vertical_rate_fpm=draw(st.none() | st.integers(-32_608, 32_608).map(float)),
        squawk=draw(st.none() | st.from_regex(r"[0-7]{4}", fullmatch=True)),
        on_ground=draw(st.sampled_from([None, True, False])),
    )


@given(messages())
def test_round_trip(m: Sbs1Message) -> None:
    assert decode_line(encode_line(m), m.receipt_time_ns) == m


def test_the_writer_is_strict() -> None:
    m = decode_line(MSG3, AT)
    assert encode_line(m).endswith(b"\r\n")
    for broken in (
        replace(m, lat_deg=95.0),
        replace(m, altitude_ft=math.nan),
        replace(m, event_time_ns=0),
        replace(m, icao24="xyz"),
        replace(m, callsign="A,B"),
        replace(m, callsign="AB@"),
        replace(m, lat_deg=0.0, lon_deg=0.0),
        replace(m, transmission_type=9),
    ):
        with pytest.raises(InputError):
            encode_line(broken)
