from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skykeep.codec.sbs1 import MAX_LINE_BYTES, Sbs1Message, encode_line
from skykeep.config import FeedSettings
from skykeep.core.geo import HeightReference
from skykeep.core.observation import Batch, Form, Scheme
from skykeep.errors import InputError
from skykeep.feed.inbox import Piece
from skykeep.feed.sbs1 import KIND, MAX_AGE_NS, MAX_AIRCRAFT, Sbs1Assembler, read_file
from skykeep.units import NS_PER_S, SensorId

T0 = 1_789_000_000 * NS_PER_S
SENSOR = SensorId("adsb-1")


def says(at_ns: int = T0, icao: str = "4d02a1", kind: int = 8, **values: Any) -> bytes:
    return encode_line(Sbs1Message(kind, icao, at_ns, at_ns, **values))


def position(at_ns: int = T0, icao: str = "4d02a1", lat: float = 49.61) -> bytes:
    return says(at_ns, icao, 3, altitude_ft=2000.0, lat_deg=lat, lon_deg=6.13, on_ground=False)


def velocity(at_ns: int = T0, icao: str = "4d02a1") -> bytes:
    return says(at_ns, icao, 4, ground_speed_kn=100.0, track_deg=90.0, vertical_rate_fpm=-600.0)


def one(batch: Batch | None) -> Batch:
    assert batch is not None
    return batch


def test_a_position_joins_callsign_and_velocity() -> None:
    a = Sbs1Assembler(SENSOR)
    assert a.push([says(kind=1, callsign="LXC21"), velocity()], T0) is None
    batch = one(a.push([position()], T0 + 5))
    assert (batch.form, batch.sensor_id, batch.receipt_time_ns) == (Form.POSITION, SENSOR, T0 + 5)
    (o,) = batch.rows()
    assert o.values == pytest.approx((49.61, 6.13, 609.6))
    assert o.height_reference is HeightReference.PRESSURE
    assert o.velocity_mps == pytest.approx((51.4444, 0.0, -3.048), abs=1e-3)
    assert o.claim is not None
    assert (o.claim.scheme, o.claim.identity, o.claim.transmitter, o.claim.category) == (
        Scheme.ADSB,
        "4d02a1",
        "4d02a1",
        "LXC21",
    )
    assert (o.claim.crewed, o.claim.airborne) == (True, True)
    assert o.sigmas[0] == pytest.approx(37.8, abs=0.1)
    assert o.event_time_ns == T0
    assert len(o.raw_sha256) == 64


def test_aircraft_are_kept_apart_and_one_push_is_one_batch() -> None:
    a = Sbs1Assembler(SENSOR)
    batch = one(a.push([velocity(), position(), position(icao="abcdef", lat=49.7)], T0))
    assert [c.identity for c in batch.claims if c] == ["4d02a1", "abcdef"]
    assert np_finite(batch) == [True, False]
    assert batch.values[1, 0] == pytest.approx(49.7)


def np_finite(batch: Batch) -> list[bool]:
    return [all(map(math.isfinite, o.velocity_mps)) for o in batch.rows()]


def test_a_row_holds_what_was_known_when_its_line_came() -> None:
    a = Sbs1Assembler(SENSOR)
    batch = one(a.push([position(), velocity(), position(T0 + NS_PER_S)], T0))
    assert np_finite(batch) == [False, True]


def test_old_velocity_and_altitude_are_not_joined() -> None:
    a = Sbs1Assembler(SENSOR)
    a.push([velocity(), says(kind=5, altitude_ft=3000.0)], T0)
    bare: dict[str, Any] = {"kind": 3, "lat_deg": 49.6, "lon_deg": 6.1}
    (o,) = one(a.push([says(T0 + MAX_AGE_NS, **bare)], T0 + MAX_AGE_NS)).rows()
    assert math.isfinite(o.velocity_mps[0])
    assert o.values[2] == pytest.approx(914.4)
    (o,) = one(a.push([says(T0 + MAX_AGE_NS + 10**6, **bare)], T0 + MAX_AGE_NS)).rows()
    assert math.isnan(o.velocity_mps[0])
    assert o.height_reference is HeightReference.NONE


def test_surface_position_is_on_the_ground() -> None:
    a = Sbs1Assembler(SENSOR)
    (o,) = one(a.push([says(kind=2, lat_deg=49.6, lon_deg=6.1)], T0)).rows()
    assert o.claim is not None
    assert o.claim.airborne is False


def test_broken_lines_beside_good_ones() -> None:
    a = Sbs1Assembler(SENSOR, "log.txt")
    bad = position().replace(b"49.61000", b"95.00000")
    batch = one(a.push([bad, b"STA,,5,179\r\n", position(), b"\xff\xfe\n"], T0))
    assert len(batch) == 1
    assert [f.where for f in batch.findings] == [
        "log.txt line 1: field 15 (latitude)",
        "log.txt line 4: line",
    ]
    only_bad = one(a.push([bad], T0 + 1))
    assert len(only_bad) == 0
    assert only_bad.values.shape == (0, 3)
    assert len(only_bad.findings) == 1


def test_local_time_is_said_once() -> None:
    a = Sbs1Assembler(SENSOR)
    two_hours = 7200 * NS_PER_S
    batch = one(a.push([position(T0 + two_hours)] * 3, T0))
    assert [int(t) for t in batch.event_time_ns] == [T0] * 3
    assert [f.problem for f in batch.findings] == ["local time, +2 h from UTC"]


def test_memory_is_bounded() -> None:
    a = Sbs1Assembler(SENSOR)
    a.push([says(icao="000001", kind=1, callsign="FIRST")], T0)
    for i in range(2, MAX_AIRCRAFT + 2):
        a.push([says(icao=f"{i:06x}")], T0)
    (o,) = one(a.push([position(icao="000001")], T0)).rows()
    assert o.claim is not None
    assert o.claim.category == ""  # forgotten


def test_a_flood_of_rubbish_is_counted_not_listed() -> None:
    a = Sbs1Assembler(SENSOR)
    batch = one(a.push([b"rubbish\n"] * 1000, T0))
    assert len(batch.findings) == 20
    last = one(a.close())
    assert "980 more" in last.findings[0].problem


def test_file(tmp_path: Path) -> None:
    path = tmp_path / "night.sbs"
    path.write_bytes(
        b"rubbish\n" + velocity() + b"x" * (3 * MAX_LINE_BYTES) + b"\n" + position()
        + position(T0 + NS_PER_S)
    )  # fmt: skip
    batches = list(read_file(path, SENSOR))
    assert [len(b) for b in batches] == [1, 1]
    assert [b.receipt_time_ns for b in batches] == [T0, T0 + NS_PER_S]
    assert len({b.batch_id for b in batches}) == 2
    wheres = [f.where for f in batches[0].findings]
    assert wheres == ["night.sbs line 1: field 1 (message type)", "night.sbs line 3: line",
                      "night.sbs"]  # fmt: skip
    with pytest.raises(InputError, match="No such file"):
        list(read_file(tmp_path / "none", SENSOR))


def test_file_of_rubbish_only(tmp_path: Path) -> None:
    path = tmp_path / "bad.sbs"
    path.write_bytes(position().replace(b"20", b"19"))
    (batch,) = read_file(path, SENSOR)
    assert len(batch) == 0
    assert batch.findings


@settings(max_examples=40, deadline=None)
@given(st.lists(st.binary(max_size=80) | st.just(position()), max_size=8))
def test_no_bytes_crash_the_assembler(lines: list[bytes]) -> None:
    a = Sbs1Assembler(SENSOR)
    for receipt in (None, T0):
        batch = a.push(lines, receipt)
        good = sum(line == position() for line in lines)
        assert (0 if batch is None else len(batch)) >= good
    a.close()


def test_the_decoder_makes_one_batch_of_what_came_together() -> None:
    decoder = KIND.decoder(FeedSettings("adsb", SENSOR, "sbs1", "tcp://127.0.0.1:1"))
    pieces = [Piece(T0, velocity()), Piece(T0 + 7, position()), Piece(T0 + 9, b"MSG,3,cut")]
    (batch,) = decoder.push(pieces)
    assert len(batch) == 1
    assert batch.receipt_time_ns == T0 + 9
    assert batch.findings[0].where.startswith("adsb line 3")
    assert decoder.close() is None
