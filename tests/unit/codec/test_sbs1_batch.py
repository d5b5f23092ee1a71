"""Every line that is read at once says what the literal decoder says of it, to the last bit."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skykeep.codec.sbs1 import Sbs1Message, decode_line, encode_line
from skykeep.codec.sbs1_batch import Sbs1Lines, read_lines
from skykeep.errors import InputError

T0 = 1_789_257_600_000_000_000
FULL = Sbs1Message(
    3, "4d0131", T0, T0, "LXC21", 2_500.0, 120.5, 270.0, 49.61052, -6.13021, -640.0, "7000", False
)


def same(lines: list[bytes]) -> Sbs1Lines:
    """Hold what is read against the literal decoder; it is returned."""
    found = read_lines(lines)
    for i, line in enumerate(lines):
        if not found.kind[i]:
            continue
        m = decode_line(line, None)
        begin, end = found.callsign[i].tolist()
        assert m.findings == ()
        assert found.kind[i] == m.transmission_type
        assert f"{found.icao24[i]:06x}" == m.icao24
        assert found.event_time_ns[i] == m.event_time_ns
        assert line[begin:end].decode() == (m.callsign or "")
        assert {-1: None, 0: False, 1: True}[int(found.on_ground[i])] == m.on_ground
        values = (
            m.altitude_ft, m.ground_speed_kn, m.track_deg, m.lat_deg, m.lon_deg,
            m.vertical_rate_fpm,
        )  # fmt: skip
        for mine, theirs in zip(found.numbers[i].tolist(), values, strict=True):
            assert math.isnan(mine) if theirs is None else mine == theirs
            assert theirs is None or math.copysign(1.0, mine) == math.copysign(1.0, theirs)
    return found


def test_what_we_write_is_read_at_once() -> None:
    lines = [encode_line(FULL), encode_line(Sbs1Message(8, "000001", T0, T0, on_ground=True))]
    assert same(lines).kind.tolist() == [3, 8]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"MSG", b"SEL"), (b",3,", b",9,"), (b"4D0131", b"FFFFFF"), (b"4D0131", b"4D013"),
        (b"2026/09/13", b"2026/9/13"), (b"2026/09/13", b"2026/02/30"), (b"LXC21", b"LXC 21"),
        (b"LXC21", b"TOOLONGNAME"), (b"2500", b"+2500"), (b"2500", b"9999999"), (b"2500", b"1e3"),
        (b"49.61052", b""), (b"49.61052", b"4..9"), (b"7000", b"8000"), (b",0\r", b",2\r"),
        (b"\r\n", b",\r\n"), (b"49.61052,-6.13021", b"0.0,0.0"), (b"120.5", b"."),
        (b"49.61052", b"4\xc3"), (b"270.0", b"1234567890.1234567"),
    ],
)  # fmt: skip
def test_what_is_unusual_is_left_to_the_literal_one(old: bytes, new: bytes) -> None:
    line = encode_line(FULL)
    assert old in line
    assert same([line.replace(old, new, 1), line]).kind.tolist() == [0, 3]


values = st.one_of(st.none(), st.floats(-200.0, 200.0, width=32))
messages = st.builds(
    Sbs1Message,
    st.integers(1, 8), st.from_regex(r"[0-9a-f]{6}", fullmatch=True),
    st.integers(946_684_800_000, 4_000_000_000_000).map(lambda ms: ms * 1_000_000), st.just(T0),
    st.one_of(st.none(), st.from_regex(r"[A-Z0-9]{1,8}", fullmatch=True)),
    values, values, values, values, values, values,
    st.one_of(st.none(), st.from_regex(r"[0-7]{4}", fullmatch=True)),
    st.sampled_from([None, True, False]),
)  # fmt: skip


@given(st.lists(messages, max_size=8))
def test_any_written_line(given_messages: list[Sbs1Message]) -> None:
    lines = []
    for message in given_messages:
        try:
            lines.append(encode_line(message))
        except InputError:
            continue
    assert all(same(lines).kind) if lines else True


bytes_ = st.sampled_from([b",", b"-", b".", b"0", b"9", b"A", b" ", b"\r", b"\n", b"/", b"\xff"])


@given(st.lists(st.tuples(st.integers(0, 120), bytes_, st.integers(0, 2)), max_size=6))
def test_any_change_of_a_line(changes: list[tuple[int, bytes, int]]) -> None:
    line = encode_line(FULL)
    for at, new, cut in changes:
        line = line[:at] + new + line[at + cut :]
    try:
        decode_line(line, None)
    except InputError:
        assert not read_lines([line]).kind[0]
    else:
        same([line, encode_line(FULL)])


@given(st.lists(st.binary(max_size=200), max_size=6))
def test_no_bytes_crash_it(lines: list[bytes]) -> None:
    assert read_lines([*lines, encode_line(FULL)]).kind[-1] == 3
