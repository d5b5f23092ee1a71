"""What receivers hand on: the C structure, DroneScout's JSON, MAVLink."""

from __future__ import annotations

import base64
import contextlib
import ctypes
import json
import lzma
import math
import os
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skykeep.codec import mavlink
from skykeep.codec.dronescout import MAX_JSON_BYTES, decode_scouted
from skykeep.codec.mavlink import Framer, encode_frame, frames_of, remote_id_of, vehicle_of
from skykeep.codec.odid_struct import LAYOUTS, decode_struct, encode_struct
from skykeep.codec.remote_id import (
    AuthenticationPage,
    BasicId,
    HeightAboveTakeOff,
    IdType,
    Location,
    OperatorId,
    OperatorLocation,
    SelfId,
    Status,
    System,
    UaType,
    encode_pack,
)
from skykeep.core.geo import HeightAgl, HeightHae, HeightPressure
from skykeep.errors import InputError
from tests.unit.codec.test_remote_id import MESSAGES


def c_struct(basics: int, timed: bool) -> Any:
    """The header's structures by the platform's own C rules, as an independent layout."""
    i, f, d, u8, u16, u32 = (ctypes.c_int32, ctypes.c_float, ctypes.c_double, ctypes.c_uint8,
                             ctypes.c_uint16, ctypes.c_uint32)  # fmt: skip

    def made(name: str, **fields: Any) -> Any:
        return type(name, (ctypes.LittleEndianStructure,), {"_fields_": list(fields.items())})

    basic = made("B", UAType=i, IDType=i, UASID=u8 * 21)
    location = made("L", Status=i, Direction=f, SpeedH=f, SpeedV=f, Lat=d, Lon=d, Baro=f, Geo=f,
                    HeightType=i, Height=f, H=i, V=i, B=i, S=i, T=i, TimeStamp=f)  # fmt: skip
    auth = made("A", DataPage=u8, AuthType=i, Last=u8, Length=u8, Timestamp=u32, Data=u8 * 24)
    self_id = made("S", DescType=i, Desc=u8 * 24)
    more = {"Timestamp": u32} if timed else {}
    system = made("Y", Source=i, Class=i, Lat=d, Lon=d, Count=u16, Radius=u16, Ceiling=f, Floor=f,
                  Category=i, ClassEU=i, OperatorAlt=f, **more)  # fmt: skip
    operator = made("O", Type=i, Id=u8 * 21)
    return made("U", Basic=basic * basics, Location=location, Auth=auth * 16, SelfID=self_id,
                System=system, Operator=operator, BasicValid=u8 * basics, LocationValid=u8,
                AuthValid=u8 * 16, SelfValid=u8, SystemValid=u8, OperatorValid=u8)  # fmt: skip


def test_layouts_are_those_of_the_compiler() -> None:
    for basics, timed, size in ((2, True, 920), (1, True, 888), (1, False, 880)):
        c, layout = c_struct(basics, timed), LAYOUTS[size]
        assert ctypes.sizeof(c) == size
        assert (c.Location.offset, c.Auth.offset, c.SelfID.offset) == (
            layout.location, layout.pages, layout.self_id,
        )  # fmt: skip
        assert (c.System.offset, c.Operator.offset) == (layout.system, layout.operator)
        assert c.BasicValid.offset == layout.valid


def test_a_structure_filled_member_by_member() -> None:
    u = c_struct(2, True)()
    u.Basic[1].UAType, u.Basic[1].IDType = 2, 1
    u.Basic[1].UASID[:4] = b"MFG1"
    u.BasicValid[1] = 1
    u.Location.Status, u.Location.Direction, u.Location.SpeedH, u.Location.SpeedV = 2, 361, 255, 63
    u.Location.Lat, u.Location.Lon, u.Location.Baro, u.Location.Geo = 49.5, 6.25, -1000.0, 350.5
    u.Location.HeightType, u.Location.Height, u.Location.H, u.Location.T = 1, 80.0, 11, 3
    u.Location.TimeStamp = 1_799.5
    u.LocationValid = 1
    u.System.Lat, u.System.Lon, u.System.Source, u.System.Count = 49.0, 6.0, 2, 1
    u.System.Ceiling, u.System.Floor, u.System.OperatorAlt = -1000.0, -1000.0, 300.0
    u.SystemValid = 1
    assert decode_struct(bytes(u)) == (
        BasicId(IdType.SERIAL_NUMBER, UaType.HELICOPTER_OR_MULTIROTOR, "MFG1"),
        Location(
            Status.AIRBORNE, 49.5, 6.25, HeightHae(350.5), height=HeightAgl(80.0),
            accuracy_horizontal_m=3.0, accuracy_time_s=0.3, time_tenths=17_995,
        ),
        System(OperatorLocation.FIXED, 49.0, 6.0, HeightHae(300.0)),
    )  # fmt: skip


@settings(max_examples=60)
@given(MESSAGES)
def test_a_structure_there_and_back(message: Any) -> None:
    (back,) = decode_struct(encode_struct((message,)))
    assert type(back) is type(message)
    if isinstance(message, Location):
        assert (back.lat_deg, back.lon_deg) == (message.lat_deg, message.lon_deg)
        assert (back.height, back.altitude_geodetic) == (message.height, message.altitude_geodetic)
        assert (back.speed_mps, back.direction_deg) == (message.speed_mps, message.direction_deg)
        assert back == message
    elif not isinstance(message, BasicId) or message.id_type is not IdType.NONE:
        assert back == message


@pytest.mark.parametrize("size", [0, 919, 921, 4_096])
def test_structures_of_other_sizes_are_refused(size: int) -> None:
    with pytest.raises(InputError, match=f"{size} bytes"):
        decode_struct(bytes(size))


@given(st.binary(min_size=920, max_size=920))
def test_any_structure_is_read(data: bytes) -> None:
    for message in decode_struct(data[:892] + b"\1" * 22 + data[914:]):
        if isinstance(message, Location):
            for value in (message.lat_deg, message.speed_mps, message.direction_deg):
                assert value is None or math.isfinite(value)


# -- DroneScout ----------------------------------------------------------------------------

HERE = Location(Status.AIRBORNE, 49.5, 6.25, HeightHae(350.5), speed_mps=5.0, direction_deg=90.0)
SERIAL = BasicId(IdType.SERIAL_NUMBER, UaType.HELICOPTER_OR_MULTIROTOR, "MFG1A0123456789")


def scouted(**changes: Any) -> bytes:
    data = {
        "sensor ID": "ds230-1", "RSSI": -67, "channel": 6, "timestamp": 1_757_640_000_123,
        "MAC address": "AA:BB:CC:DD:EE:FF", "type": "WLAN beacon",
        "UASdata": base64.b64encode(encode_struct((SERIAL, HERE))).decode(),
    }  # fmt: skip
    return json.dumps({"protocol": 1.0, "data": data | changes}).encode()


@pytest.mark.parametrize("end", [b"", b"\0", b"\n"])
@pytest.mark.parametrize("pack", [bytes, lzma.compress, lambda d: lzma.compress(d, 2)])
def test_a_scouted_message(end: bytes, pack: Any) -> None:
    found = decode_scouted(pack(scouted() + end))
    assert found.messages == (SERIAL, HERE)
    assert (found.receiver, found.transmitter) == ("ds230-1", "aa:bb:cc:dd:ee:ff")
    assert (found.rssi_dbm, found.at_ns) == (-67, 1_757_640_000_123_000_000)


def test_a_status_report_has_no_messages() -> None:
    status = {"sensor ID": "ds230-1", "status": "online", "model": "ds230"}
    found = decode_scouted(json.dumps({"protocol": 1.0, "status": status}).encode())
    assert (found.receiver, found.messages) == ("ds230-1", ())


@pytest.mark.parametrize(
    ("payload", "where"),
    [
        (b"", "message"),
        (b"[]", "message"),
        (b"{}", "message"),
        (b"[" * 100_000, "message"),
        (scouted(UASdata="%%"), "data.UASdata"),
        (scouted(UASdata="AAAA"), "UASdata"),
        (scouted(**{"MAC address": ""}), "data.MAC address"),
        (b'{"protocol": 2.0, "status": {}}', "protocol"),
        (lzma.compress(scouted())[:40], "message"),
        (lzma.compress(b" " * 10_000_000), "message"),
    ],
)
def test_what_is_no_scouted_message(payload: bytes, where: str) -> None:
    with pytest.raises(InputError) as caught:
        decode_scouted(payload)
    assert caught.value.where == where


def test_a_message_that_unpacks_to_more_costs_no_more_memory() -> None:
    with pytest.raises(InputError, match=f"over {MAX_JSON_BYTES} bytes"):
        decode_scouted(lzma.compress(b" " * 50_000_000))


@given(st.binary(max_size=300) | st.text(max_size=100).map(str.encode))
def test_only_our_errors(payload: bytes) -> None:
    with contextlib.suppress(InputError):
        decode_scouted(payload)


# -- MAVLink ---------------------------------------------------------------------------------


def payload(message_id: int, *values: Any) -> bytes:
    return mavlink.MESSAGES[message_id][0].pack(*values)


MAC = bytes.fromhex("aabbccddeeff").ljust(20, b"\0")
FRAMES: dict[str, tuple[int, bytes, Any]] = {
    "basic": (12_900, payload(12_900, 0, 0, MAC, 1, 2, b"MFG1A0123456789".ljust(20, b"\0")),
              SERIAL),
    "location": (12_901, payload(12_901, 495_000_000, 62_500_000, -1000.0, 350.5, 80.0, 1_799.5,
                                 9_000, 500, 6_300, 0, 0, MAC, 2, 0, 11, 0, 0, 0, 3),
                 Location(Status.AIRBORNE, 49.5, 6.25, HeightHae(350.5), None,
                          HeightAboveTakeOff(80.0), 90.0, 5.0, None, 3.0, accuracy_time_s=0.3,
                          time_tenths=17_995)),
    "unknown": (12_901, payload(12_901, 0, 0, -1000.0, -1000.0, -1000.0, 65_535.0, 36_100, 25_500,
                                6_300, 0, 0, MAC, 0, 0, 0, 0, 0, 0, 0), Location()),
    "page": (12_902, payload(12_902, 7, 0, 0, MAC, 3, 0, 1, 30, bytes(range(23))),
             AuthenticationPage(3, 0, bytes(range(17)), 1, 30, 1_546_300_807 * 10**9)),
    "self": (12_903, payload(12_903, 0, 0, MAC, 0, b"survey".ljust(23, b"\0")),
             SelfId(0, "survey")),
    "system": (12_904, payload(12_904, 490_000_000, 60_000_000, -1000.0, -1000.0, 300.0, 9, 1, 0,
                               0, 0, MAC, 1, 1, 1, 5),
               System(OperatorLocation.LIVE_GNSS, 49.0, 6.0, HeightHae(300.0), 1, 0.0,
                      classification=1, category_eu=1, class_eu=4,  # type: ignore[arg-type]
                      at_ns=1_546_300_809 * 10**9)),
    "operator": (12_905, payload(12_905, 0, 0, MAC, 0, b"LUX-OP-1".ljust(20, b"\0")),
                 OperatorId(0, "LUX-OP-1")),
    "update": (12_919, payload(12_919, 490_000_000, 60_000_000, 300.0, 9, 0, 0),
               System(OperatorLocation.LIVE_GNSS, 49.0, 6.0, HeightHae(300.0),
                      at_ns=1_546_300_809 * 10**9)),
}  # fmt: skip


@pytest.mark.parametrize("name", list(FRAMES))
def test_open_drone_id_in_mavlink(name: str) -> None:
    message_id, data, expected = FRAMES[name]
    (frame,) = frames_of(encode_frame(message_id, data))
    transmitter, messages, findings = remote_id_of(frame)
    assert messages == (expected,)
    assert not findings
    assert transmitter == ("mavlink/1/236" if name == "update" else "aa:bb:cc:dd:ee:ff")


def test_a_pack_in_mavlink() -> None:
    pack = encode_pack([SERIAL, HERE])
    data = payload(12_915, 0, 0, bytes(20), 25, 2, pack[3:].ljust(225, b"\0"))
    (frame,) = frames_of(encode_frame(12_915, data, system=7, component=8))
    assert remote_id_of(frame) == ("mavlink/7/8", (SERIAL, HERE), ())
    none = payload(12_915, 0, 0, bytes(20), 25, 0, bytes(225))
    (frame,) = frames_of(encode_frame(12_915, none))
    with pytest.raises(InputError, match="0 messages"):
        remote_id_of(frame)


VEHICLE = payload(246, 0x3C65AC, 495_000_000, 62_500_000, 350_500, 9_000, 500, -150, 0x9F, 0, 1,
                  b"DLH1AB\0\0\0", 3, 1)  # fmt: skip


@pytest.mark.parametrize("version", [1, 2])
def test_adsb_in_mavlink(version: int) -> None:
    (frame,) = frames_of(encode_frame(246, VEHICLE, version=version))
    found = vehicle_of(frame)
    assert (found.icao24, found.callsign, found.unmanned) == ("3c65ac", "DLH1AB", False)
    assert (found.lat_deg, found.lon_deg, found.altitude_m) == (49.5, 6.25, 350.5)
    assert (found.heading_deg, found.speed_mps, found.vertical_mps) == (90.0, 5.0, -1.5)
    assert found.geometric


def test_invalid_fields_of_a_vehicle_are_absent() -> None:
    values = list(mavlink.MESSAGES[246][0].unpack(VEHICLE))
    values[7] = 0x01
    (frame,) = frames_of(encode_frame(246, payload(246, *values)))
    found = vehicle_of(frame)
    assert (found.altitude_m, found.heading_deg, found.speed_mps, found.callsign) == (
        None, None, None, "",
    )  # fmt: skip
    for flags, why in ((0x41, "simulated"), (0x00, "no place")):
        values[7] = flags
        (frame,) = frames_of(encode_frame(246, payload(246, *values)))
        with pytest.raises(InputError, match=why):
            vehicle_of(frame)


def test_frames_by_another_implementation() -> None:
    """The same bytes as pymavlink makes, in both versions."""
    pymavlink = pytest.importorskip("pymavlink", reason="pymavlink is not installed")
    assert pymavlink
    os.environ["MAVLINK20"] = "1"
    from pymavlink.dialects.v10 import common as v10
    from pymavlink.dialects.v20 import common as v20

    sender = v20.MAVLink(None, srcSystem=1, srcComponent=236)
    _, location, _ = FRAMES["location"]
    packed = v20.MAVLink_open_drone_id_location_message(
        0, 0, list(MAC), 2, 9_000, 500, 6_300, 495_000_000, 62_500_000, -1000.0, 350.5, 0, 80.0,
        11, 0, 0, 0, 1_799.5, 3,
    ).pack(sender)  # fmt: skip
    assert bytes(packed) == encode_frame(12_901, location)
    for version, made in ((1, v10), (2, v20)):
        sender = made.MAVLink(None, srcSystem=1, srcComponent=236)
        packed = made.MAVLink_adsb_vehicle_message(
            0x3C65AC, 495_000_000, 62_500_000, 1, 350_500, 9_000, 500, -150, b"DLH1AB", 3, 1,
            0x9F, 0,
        ).pack(sender)  # fmt: skip
        assert bytes(packed) == encode_frame(246, VEHICLE, version=version)
    known = {m: v20.mavlink_map[m].crc_extra for m in mavlink.MESSAGES}
    assert known == {m: extra for m, (_, extra) in mavlink.MESSAGES.items()}


@given(st.lists(st.integers(1, 60), max_size=30), st.binary(max_size=20))
def test_a_stream_in_pieces_gives_the_same_frames(cuts: list[int], noise: bytes) -> None:
    noise = noise.replace(b"\xfd", b"").replace(b"\xfe", b"")
    frames = [encode_frame(i, data) for i, data, _ in FRAMES.values()]
    frames.append(encode_frame(246, VEHICLE, version=1))
    stream = noise + noise.join(frames)
    framer, found, at = Framer(), [], 0
    for size in [*cuts, len(stream)]:
        found += framer.push(stream[at : at + size])
        at += size
    assert found == frames
    assert framer.noise == len(noise) * len(frames)


def test_a_broken_frame_costs_no_other() -> None:
    one, other = encode_frame(12_900, FRAMES["basic"][1]), encode_frame(246, VEHICLE)
    for at in range(10, len(one)):
        broken = one[:at] + bytes((one[at] ^ 0x55,)) + one[at + 1 :]
        assert Framer().push(broken + other)[-1:] == [other]
        assert [f.message_id for f in frames_of(broken + other)] == [246]
    heartbeat = b"\xfd\x09\0\0\0\1\1\0\0\0" + bytes(11)
    assert next(iter(frames_of(heartbeat + other))).message_id == 246


@given(st.binary(max_size=400))
def test_any_bytes_in_mavlink(data: bytes) -> None:
    for frame in frames_of(data):
        with contextlib.suppress(InputError):
            vehicle_of(frame) if frame.message_id == 246 else remote_id_of(frame)


def test_heights_keep_their_kinds() -> None:
    heights = Location(altitude_pressure=HeightPressure(10.0), height=HeightAboveTakeOff(5.0))
    assert decode_struct(encode_struct((heights,))) == (heights,)
