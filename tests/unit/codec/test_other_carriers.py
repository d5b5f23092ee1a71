"""The French beacon and DJI's: hand-made vectors, round trips, captures, any bytes."""

from __future__ import annotations

import contextlib
import math
import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skykeep.codec.capture import find_remote_id
from skykeep.codec.dji_id import decode_dji, encode_dji
from skykeep.codec.french_id import decode_french, encode_french
from skykeep.codec.pcap import Packet, read_packets
from skykeep.codec.remote_id import (
    BasicId,
    HeightAboveTakeOff,
    IdType,
    Location,
    OperatorLocation,
    Status,
    System,
    UaType,
    encode_message,
)
from skykeep.core.geo import HeightAmsl
from skykeep.errors import InputError

VECTORS = Path(__file__).parents[2] / "vectors" / "remote_id"
FRENCH_ID = "ILLDEM000000000000000000000042"
FRENCH = (
    b"\x01\x01\x01"
    + b"\x02\x1e" + FRENCH_ID.encode()
    + b"\x04\x04" + struct.pack(">i", 4_885_660)
    + b"\x05\x04" + struct.pack(">i", -235_220)
    + b"\x06\x02" + struct.pack(">h", -12)
    + b"\x07\x02" + struct.pack(">h", 85)
    + b"\x08\x04" + struct.pack(">i", 4_885_000)
    + b"\x09\x04" + struct.pack(">i", -235_000)
    + b"\x0a\x01\x07"
    + b"\x0b\x02" + struct.pack(">H", 270)
)  # fmt: skip
LOCATION = Location(
    lat_deg=48.8566,
    lon_deg=-2.3522,
    altitude_amsl=HeightAmsl(-12.0),
    height=HeightAboveTakeOff(85.0),
    direction_deg=270.0,
    speed_mps=7.0,
)


def test_french_by_the_table() -> None:
    messages, findings = decode_french(FRENCH)
    assert findings == ()
    assert messages == (
        BasicId(IdType.FRENCH, UaType.NONE, FRENCH_ID),
        System(OperatorLocation.TAKE_OFF, 48.85, -2.35),
        LOCATION,
    )
    assert encode_french(LOCATION, FRENCH_ID, None, (48.85, -2.35)) == FRENCH


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (FRENCH[:-1], "length"),
        (FRENCH.replace(b"\x0b\x02", b"\x0b\x01"), "direction_deg"),
        (FRENCH[:-2] + struct.pack(">H", 361), "direction_deg"),
        (FRENCH.replace(b"ILL", b"\xff\xfe\xfd"), "french_id"),
        (FRENCH.replace(b"\x01\x01\x01", b"\x01\x01\x02"), "version"),
        (FRENCH.replace(struct.pack(">i", 4_885_660), struct.pack(">i", 9_000_001)), "lat_deg"),
    ],
)
def test_a_fault_costs_its_field(data: bytes, what: str) -> None:
    messages, findings = decode_french(data)
    assert [f.where.rpartition(".")[2] for f in findings][:1] == [what]
    assert isinstance(messages[-1], Location)
    assert messages[-1].speed_mps == 7.0


def test_nothing_french_to_read() -> None:
    for data in (b"", b"\x0c\x01\x00", b"\x04"):
        with pytest.raises(InputError, match="no field"):
            decode_french(data)


def test_a_place_of_zero_is_unknown() -> None:
    zero = b"\x04\x04\0\0\0\0\x05\x04\0\0\0\0\x0a\x01\x05"
    (location,), _ = decode_french(zero)
    assert location == Location(speed_mps=5.0)


WIDE = st.integers(-9_000_000, 9_000_000)


@given(
    st.tuples(WIDE, st.integers(-18_000_000, 18_000_000)).filter(any),
    st.none() | st.integers(-30_000, 30_000),
    st.none() | st.integers(0, 255),
    st.none() | st.integers(0, 359),
    st.none() | st.text("ABC0123", min_size=1, max_size=20),
)
def test_french_there_and_back(
    place: tuple[int, int],
    metres: int | None,
    speed: int | None,
    heading: int | None,
    serial: str | None,
) -> None:
    location = Location(
        lat_deg=place[0] / 1e5,
        lon_deg=place[1] / 1e5,
        altitude_amsl=None if metres is None else HeightAmsl(float(metres)),
        height=None if metres is None else HeightAboveTakeOff(float(metres)),
        direction_deg=None if heading is None else float(heading),
        speed_mps=None if speed is None else float(speed),
    )
    messages, findings = decode_french(encode_french(location, None, serial))
    assert (messages[-1], findings) == (location, ())
    assert len(messages) == 1 + (serial is not None)


def test_what_is_not_of_the_standard_has_no_place_in_its_messages() -> None:
    with pytest.raises(InputError, match="altitude_amsl"):
        encode_message(LOCATION)
    for kind in (IdType.FRENCH, IdType.MANUFACTURER):
        with pytest.raises(InputError, match="id_type"):
            encode_message(BasicId(kind, UaType.NONE, "x"))


# -- DJI ---------------------------------------------------------------------------------


def counts(degrees: float) -> int:
    return round(math.radians(degrees) * 1e7)


#: Written field by field: motors on, in the air, position and speeds hold.
DJI_2 = (
    struct.pack("<BHH", 2, 7, 0x0671)
    + b"0123456789ABCD\0\0"
    + struct.pack("<ii", counts(6.13), counts(49.61))
    + struct.pack("<hh", 300, 500)
    + struct.pack("<hhh", 300, 400, -150)
    + struct.pack("<hQ", 9_000, 1_600_000_000_000)
    + struct.pack("<iiii", counts(49.6), counts(6.1), counts(6.2), counts(49.7))
    + bytes(22)
)


def test_dji_by_its_layout() -> None:
    (serial, system, location), findings = decode_dji(DJI_2)
    assert findings == ()
    uas = UaType.HELICOPTER_OR_MULTIROTOR
    assert serial == BasicId(IdType.MANUFACTURER, uas, "0123456789ABCD")
    assert isinstance(system, System)
    assert isinstance(location, Location)
    assert system.operator_location is OperatorLocation.LIVE_GNSS
    assert (system.operator_lat_deg, system.operator_lon_deg) == pytest.approx(
        (49.6, 6.1), abs=1e-5
    )
    assert (location.lat_deg, location.lon_deg) == pytest.approx((49.61, 6.13), abs=1e-5)
    assert location.status is Status.AIRBORNE
    assert (location.speed_mps, location.vertical_speed_mps) == (5.0, -1.5)
    assert location.direction_deg == pytest.approx(math.degrees(math.atan2(4, 3)))
    # Nobody says for certain in which unit and from where.
    assert (location.altitude_geodetic, location.altitude_pressure, location.height) == (None,) * 3


def test_dji_says_where_it_took_off_only_if_it_knows() -> None:
    here = Location(lat_deg=49.6, lon_deg=6.1)
    home = encode_dji(here, "S", (49.5, 6.0), version=1)
    assert [type(m) for m in decode_dji(home)[0]] == [BasicId, System, Location]
    unknown = encode_dji(here, "S", None, version=1)
    assert [type(m) for m in decode_dji(unknown)[0]] == [BasicId, Location]


@given(
    st.integers(-89, 89), st.integers(1, 179), st.integers(0, 30), st.integers(0, 359),
    st.integers(-20, 20), st.sampled_from([1, 2]),
)  # fmt: skip
def test_dji_there_and_back(
    lat: int, lon: int, speed: int, heading: int, up: int, version: int
) -> None:
    location = Location(Status.AIRBORNE, float(lat), float(lon), speed_mps=float(speed),
                        direction_deg=float(heading), vertical_speed_mps=float(up))  # fmt: skip
    messages, findings = decode_dji(encode_dji(location, "SERIAL", (1.0, 2.0), version))
    back = messages[-1]
    assert findings == ()
    assert isinstance(back, Location)
    assert (back.lat_deg, back.lon_deg) == pytest.approx((lat, lon), abs=1e-5)
    assert back.speed_mps == pytest.approx(speed, abs=0.01)
    assert back.vertical_speed_mps == up
    if speed:
        off = (back.direction_deg or 0.0) - heading
        assert (off + 180) % 360 - 180 == pytest.approx(0, abs=1.0)


@pytest.mark.parametrize("data", [b"", b"\3" + bytes(80), DJI_2[:60]])
def test_dji_that_cannot_be_read(data: bytes) -> None:
    with pytest.raises(InputError):
        decode_dji(data)


def test_the_capture_of_invented_aircraft() -> None:
    packets = list(read_packets((VECTORS / "mavic_multiple_spoofed.pcapng").read_bytes()))
    off = [find_remote_id(p.linktype, p.data) for p in packets if isinstance(p, Packet)]
    assert off == [((), ())] * 239  # without a decision nothing of it is even looked at
    found = [
        h
        for p in packets
        if isinstance(p, Packet)
        for h in (find_remote_id(p.linktype, p.data, dji=True) or ((), ()))[0]
    ]
    assert {h.carrier for h in found} == {"dji"}
    assert len(found) == 77
    decoded = [decode_dji(h.messages) for h in found]
    serials = {m.uas_id for ms, _ in decoded for m in ms if isinstance(m, BasicId)}
    assert len(serials) == 15
    assert all(isinstance(ms[-1], Location) for ms, _ in decoded)
    places = [(m.lat_deg, m.lon_deg) for ms, _ in decoded for m in ms if isinstance(m, Location)]
    assert all(lat is not None and 46 < lat < 48 for lat, _ in places)
    assert {h.frequency_mhz for h in found} == {2412}
    assert all(h.rssi_dbm is None or -100 < h.rssi_dbm < 0 for h in found)


@given(
    st.sampled_from([decode_french, decode_dji]),
    st.sampled_from([FRENCH, DJI_2]),
    st.lists(st.tuples(st.integers(0, 90), st.integers(0, 255)), max_size=4),
    st.integers(0, 90),
)
def test_only_our_errors(decoder, start, changes, cut) -> None:  # type: ignore[no-untyped-def]
    data = bytearray(start)
    for at, value in changes:
        if at < len(data):
            data[at] = value
    with contextlib.suppress(InputError):
        decoder(bytes(data[:cut]))
