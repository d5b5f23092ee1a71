"""Remote ID messages: hand-made vectors from the field tables, round trips, any bytes."""

from __future__ import annotations

import dataclasses
import string
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skykeep.codec.remote_id import (
    AuthenticationPage,
    AuthType,
    BasicId,
    CategoryEu,
    Classification,
    HeightAboveTakeOff,
    IdType,
    Location,
    Message,
    OperatorId,
    OperatorLocation,
    SelfId,
    Status,
    System,
    UaType,
    decode,
    encode_message,
    encode_pack,
    resolve_time,
)
from skykeep.codec.remote_id_messages import HORIZONTAL_BOUND_M, TIME_BOUND_S, VERTICAL_BOUND_M
from skykeep.core.event import Severity
from skykeep.core.geo import HeightAgl, HeightHae, HeightPressure
from skykeep.errors import InputError
from skykeep.units import NS_PER_S

HOUR_NS = 3600 * NS_PER_S
YEAR_2019_NS = 1_546_300_800 * NS_PER_S


def one(data: bytes) -> tuple[Message, list[str]]:
    """The one message, and where each finding lies."""
    (message,), findings = decode(data)
    return message, [f.where for f in findings]


def location_bytes(**patch: int) -> bytes:
    """A Location written byte by byte; `bN` sets byte N."""
    data = bytearray(
        bytes((0x12, 0x20 | 0x04 | 0x02, 45, 40, 3))
        + struct.pack("<ii", 496_116_000, 61_300_000)
        + struct.pack("<HHH", 2 * (312 + 1000), 2 * (355 + 1000), 2 * (100 + 1000))
        + bytes((0x4B, 0x53))
        + struct.pack("<H", 17_996)
        + bytes((0x02, 0x00))
    )
    for name, value in patch.items():
        data[int(name[1:])] = value
    return bytes(data)


LOCATION = Location(
    status=Status.AIRBORNE,
    lat_deg=49.6116,
    lon_deg=6.13,
    altitude_geodetic=HeightHae(355.0),
    altitude_pressure=HeightPressure(312.0),
    height=HeightAgl(100.0),
    direction_deg=225.0,
    speed_mps=10.0,
    vertical_speed_mps=1.5,
    accuracy_horizontal_m=3.0,
    accuracy_vertical_m=10.0,
    accuracy_pressure_m=3.0,
    accuracy_speed_mps=1.0,
    accuracy_time_s=0.2,
    time_tenths=17_996,
)


def test_location_by_the_field_table() -> None:
    assert one(location_bytes()) == (LOCATION, [])
    assert encode_message(LOCATION) == location_bytes()
    assert LOCATION.sigma_horizontal_m == 1.5
    assert LOCATION.sigma_vertical_m == 5.0
    assert LOCATION.sigma_pressure_m == 1.5
    assert LOCATION.sigma_speed_mps == 0.5
    assert LOCATION.sigma_time_s == 0.1


def test_unknown_codes_are_none_and_never_numbers() -> None:
    unknown = b"\x12\x03" + bytes((181, 255, 126)) + bytes(8 + 6 + 2) + b"\xff\xff" + bytes(2)
    assert one(unknown) == (Location(), [])
    assert encode_message(Location()) == unknown
    for f in dataclasses.fields(Location):
        if f.name != "status":
            assert getattr(Location(), f.name) is None
    assert Location().sigma_horizontal_m is None


@pytest.mark.parametrize(
    ("patch", "field", "expected", "where"),
    [
        ({"b1": 0x50}, "status", Status.UNDECLARED, "byte 1: location.status"),
        ({"b2": 182}, "direction_deg", None, "byte 2: location.direction_deg"),
        ({"b2": 180}, "direction_deg", 0.0, "byte 2: location.direction_deg"),
        ({"b1": 0x20, "b2": 200}, "direction_deg", 200.0, "byte 2: location.direction_deg"),
        ({"b1": 0x21, "b3": 254}, "speed_mps", None, "byte 3: location.speed_mps"),
        ({"b4": 124}, "vertical_speed_mps", None, "byte 4: location.vertical_speed_mps"),
        ({"b4": 256 - 124}, "vertical_speed_mps", None, "byte 4: location.vertical_speed_mps"),
        ({"b4": 128}, "vertical_speed_mps", None, "byte 4: location.vertical_speed_mps"),
        ({"b8": 0x7F}, "lat_deg", None, "byte 5: location.lat_deg"),
        ({"b12": 0x80}, "lon_deg", None, "byte 5: location.lat_deg"),
        ({"b19": 0x4D}, "accuracy_horizontal_m", None, "byte 19: location.accuracy_horizontal_m"),
        ({"b19": 0x7B}, "accuracy_vertical_m", None, "byte 19: location.accuracy_vertical_m"),
        ({"b20": 0x73}, "accuracy_pressure_m", None, "byte 20: location.accuracy_pressure_m"),
        ({"b20": 0x55}, "accuracy_speed_mps", None, "byte 20: location.accuracy_speed_mps"),
        ({"b21": 0xA1, "b22": 0x8C}, "time_tenths", None, "byte 21: location.time_tenths"),
        ({"b0": 0x13}, "speed_mps", 10.0, "byte 0: location.version"),
    ],
)
def test_a_fault_in_a_location_costs_that_field_only(
    patch: dict[str, int], field: str, expected: object, where: str
) -> None:
    message, places = one(location_bytes(**patch))
    assert isinstance(message, Location)
    assert getattr(message, field) == expected
    assert places == [where]
    assert message.altitude_geodetic == HeightHae(355.0)


def test_edges_of_the_scales() -> None:
    assert one(location_bytes(b1=0x20, b2=179))[0] == dataclasses.replace(
        LOCATION, direction_deg=179.0, height=HeightAboveTakeOff(100.0)
    )
    for code, coarse, mps in [(255, 0, 63.75), (0, 1, 63.75), (1, 1, 64.5), (253, 1, 253.5)]:
        message, places = one(location_bytes(b1=0x20 | coarse, b3=code))
        assert isinstance(message, Location)
        assert (message.speed_mps, places) == (mps, [])
    hour, places = one(location_bytes(b21=0xA0, b22=0x8C))
    assert isinstance(hour, Location)
    assert (hour.time_tenths, places) == (36_000, [])
    # One of two zero angles is a real place; both are unknown.
    greenwich, _ = one(location_bytes(b9=0, b10=0, b11=0, b12=0))
    assert isinstance(greenwich, Location)
    assert (greenwich.lat_deg, greenwich.lon_deg) == (49.6116, 0.0)


def test_reserved_bytes_are_not_looked_at() -> None:
    assert one(location_bytes(b1=0x2E, b23=0xF2, b24=0xFF)) == (LOCATION, [])
    data = bytearray(encode_message(OperatorId(0, "LUX-OP-1")))
    data[22:] = b"\xff\xff\xff"
    assert one(bytes(data)) == (OperatorId(0, "LUX-OP-1"), [])


def test_basic_id_by_the_field_table() -> None:
    data = b"\x02\x12MFG1A0123456789" + bytes(8)
    basic = BasicId(IdType.SERIAL_NUMBER, UaType.HELICOPTER_OR_MULTIROTOR, "MFG1A0123456789")
    assert one(data) == (basic, [])
    assert encode_message(basic) == data
    full = BasicId(IdType.CAA_REGISTRATION, UaType.OTHER, "A" * 20)
    assert one(encode_message(full)) == (full, [])


def test_session_ids() -> None:
    uuid = "3b241101-e2bb-4255-8caf-4136c566a962"
    data = b"\x02\x31" + bytes.fromhex(uuid.replace("-", "")) + bytes(7)
    assert one(data) == (BasicId(IdType.UTM_UUID, UaType.AEROPLANE, uuid), [])
    assert encode_message(BasicId(IdType.UTM_UUID, UaType.AEROPLANE, uuid)) == data
    session = "01" + "20010030" + "00" * 14 + "ff"
    data = b"\x02\x40" + bytes.fromhex(session) + bytes(3)
    assert one(data) == (BasicId(IdType.SPECIFIC_SESSION, UaType.NONE, session), [])
    assert encode_message(BasicId(IdType.SPECIFIC_SESSION, UaType.NONE, session)) == data


def test_an_identity_without_its_type_is_kept_with_a_finding() -> None:
    (basic,), (finding,) = decode(b"\x00\x00MFG1A0123456789" + bytes(8))
    assert basic == BasicId(IdType.NONE, UaType.NONE, "MFG1A0123456789")
    assert finding.where == "byte 1: basic_id.id_type"
    assert finding.severity is Severity.WARNING
    assert "MFG1" not in str(finding)  # findings reach logs, identities must not


@pytest.mark.parametrize(
    ("raw", "text", "where"),
    [
        (b"AB\0CD", "AB", "byte 2: basic_id.uas_id"),
        (b"AB  ", "AB", "byte 2: basic_id.uas_id"),
        (b"A\x1b[2J", "A\\x1b[2J", "byte 2: basic_id.uas_id"),
        (b"A\xff", "A\\xff", "byte 2: basic_id.uas_id"),
        (b"", None, "byte 2: basic_id.uas_id"),
    ],
)
def test_faulty_text(raw: bytes, text: str | None, where: str) -> None:
    message, places = one(b"\x02\x10" + raw.ljust(23, b"\0"))
    assert isinstance(message, BasicId)
    assert (message.uas_id, places) == (text, [where])


def test_reserved_id_type_keeps_the_text() -> None:
    message, places = one(b"\x02\x90XYZ" + bytes(20))
    assert message == BasicId(IdType.NONE, UaType.NONE, "XYZ")
    assert places == ["byte 1: basic_id.id_type"]


def test_authentication_by_the_field_table() -> None:
    first = b"\x22\x10" + bytes((1, 40)) + struct.pack("<I", 86_400) + bytes(range(17))
    page = AuthenticationPage(
        AuthType.UAS_ID_SIGNATURE, 0, bytes(range(17)), 1, 40, YEAR_2019_NS + 86_400 * NS_PER_S
    )
    assert one(first) == (page, [])
    assert encode_message(page) == first
    second = b"\x22\x11" + bytes(range(23))
    later = AuthenticationPage(AuthType.UAS_ID_SIGNATURE, 1, bytes(range(23)))
    assert one(second) == (later, [])
    assert encode_message(later) == second
    assert one(b"\x22\x10\x00\x12" + bytes(21))[1] == ["byte 3: authentication.length_bytes"]
    assert one(b"\x22\x10\x10\x12" + bytes(21))[1] == ["byte 2: authentication.last_page"]


def test_self_id_by_the_field_table() -> None:
    data = b"\x32\x00Recreational" + bytes(11)
    assert one(data) == (SelfId(0, "Recreational"), [])
    assert encode_message(SelfId(0, "Recreational")) == data
    assert one(encode_message(SelfId(201, "x" * 23))) == (SelfId(201, "x" * 23), [])


def test_system_by_the_field_table() -> None:
    data = (
        b"\x42\x05"
        + struct.pack("<ii", -450_000_000, 1_700_000_000)
        + struct.pack("<HBHH", 3, 25, 2 * 1120, 2 * 1000)
        + b"\x23"
        + struct.pack("<HI", 2 * 1010, 100)
        + b"\0"
    )
    system = System(
        operator_location=OperatorLocation.LIVE_GNSS,
        operator_lat_deg=-45.0,
        operator_lon_deg=170.0,
        operator_altitude=HeightHae(10.0),
        area_count=3,
        area_radius_m=250.0,
        area_ceiling=HeightHae(120.0),
        area_floor=HeightHae(0.0),
        classification=Classification.EUROPEAN_UNION,
        category_eu=CategoryEu.SPECIFIC,
        class_eu=2,
        at_ns=YEAR_2019_NS + 100 * NS_PER_S,
    )
    assert one(data) == (system, [])
    assert encode_message(system) == data
    # Before F3411-22a the last bytes were reserved: garbage there is no time.
    assert one(b"\x40" + data[1:])[0] == dataclasses.replace(system, at_ns=None)


def test_faults_in_a_system() -> None:
    data = bytearray(encode_message(System()))
    data[1], data[17] = 0x0B, 0x4F
    message, places = one(bytes(data))
    assert message == System()
    assert places == [
        "byte 17: system.class_eu",
        "byte 1: system.operator_location",
        "byte 1: system.classification",
        "byte 17: system.category_eu",
    ]


def test_operator_id_by_the_field_table() -> None:
    data = b"\x52\x00GBR-OP-123ABCD" + bytes(9)
    assert one(data) == (OperatorId(0, "GBR-OP-123ABCD"), [])
    assert encode_message(OperatorId(0, "GBR-OP-123ABCD")) == data


def test_pack_and_its_faults() -> None:
    pack = encode_pack([OperatorId(0, "A"), LOCATION, SelfId(0, "hello")])
    assert pack[:3] == bytes((0xF2, 25, 3))
    assert decode(pack) == ((OperatorId(0, "A"), LOCATION, SelfId(0, "hello")), ())
    messages, (finding,) = decode(pack[:-1])
    assert messages == (OperatorId(0, "A"), LOCATION)
    assert finding.where == f"byte {len(pack) - 1}: pack.messages"
    messages, (finding,) = decode(pack + b"\1\2")
    assert len(messages) == 3
    assert finding.where == f"byte {len(pack)}: message.end"
    inner = bytearray(pack)
    inner[28] = 0x92  # the Location's type becomes 9
    messages, (finding,) = decode(bytes(inner))
    assert messages == (OperatorId(0, "A"), SelfId(0, "hello"))
    assert finding.where == "byte 28: message.type"
    assert decode(b"\xf2\x19\x00")[1][0].where == "byte 2: pack.count"
    messages, (finding,) = decode(b"\xf2\x19\x0a" + pack[3:28] * 10)
    assert len(messages) == 10
    assert finding.where == "byte 2: pack.count"


@pytest.mark.parametrize(
    ("data", "where"),
    [
        (b"", "byte 0"),
        (b"\x12" * 24, "byte 24"),
        (b"\xf2\x19", "byte 2"),
        (b"\xf2\x18\x01" + bytes(25), "byte 1"),
        (b"\x62" + bytes(24), "byte 0"),
    ],
)
def test_nothing_to_read(data: bytes, where: str) -> None:
    with pytest.raises(InputError) as caught:
        decode(data)
    assert caught.value.where.startswith(where)


@pytest.mark.parametrize(
    ("message", "field"),
    [
        (Location(lat_deg=91.0, lon_deg=0.0), "location.lat_deg"),
        (Location(lat_deg=1.0, lon_deg=float("nan")), "location.lon_deg"),
        (Location(lat_deg=1.0), "location.lat_deg"),
        (Location(lat_deg=0.0, lon_deg=0.0), "location.lat_deg"),
        (Location(altitude_geodetic=HeightHae(-1000.0)), "location.altitude_geodetic"),
        (Location(altitude_pressure=HeightPressure(40_000.0)), "location.altitude_pressure"),
        (Location(height=HeightAgl(float("inf"))), "location.height"),
        (Location(direction_deg=361.0), "location.direction_deg"),
        (Location(speed_mps=-1.0), "location.speed_mps"),
        (Location(speed_mps=float("inf")), "location.speed_mps"),
        (Location(vertical_speed_mps=float("nan")), "location.vertical_speed_mps"),
        (Location(accuracy_horizontal_m=-3.0), "location.accuracy_horizontal_m"),
        (Location(time_tenths=36_001), "location.time_tenths"),
        (BasicId(IdType.SERIAL_NUMBER, UaType.NONE, "x" * 21), "basic_id.uas_id"),
        (BasicId(IdType.SERIAL_NUMBER, UaType.NONE, "é"), "basic_id.uas_id"),
        (BasicId(IdType.UTM_UUID, UaType.NONE, "no uuid"), "basic_id.uas_id"),
        (AuthenticationPage(1, 0, bytes(16), 0, 0), "authentication.data"),
        (AuthenticationPage(1, 0, bytes(17)), "authentication.last_page"),
        (AuthenticationPage(16, 1, bytes(23)), "authentication.auth_type"),
        (System(area_radius_m=2600.0), "system.area_radius_m"),
        (System(class_eu=7), "system.class_eu"),
        (System(at_ns=0), "at_ns since 2019"),
        (SelfId(256, None), "self_id.description_type"),
    ],
)
def test_the_encoder_names_what_the_wire_cannot_say(message: Message, field: str) -> None:
    with pytest.raises(InputError) as caught:
        encode_message(message)
    assert caught.value.where == field


def test_pack_needs_one_to_nine_messages() -> None:
    for count in (0, 10):
        with pytest.raises(InputError, match=f"{count} messages"):
            encode_pack([LOCATION] * count)
    assert len(encode_pack([LOCATION] * 9)) == 3 + 9 * 25


def test_the_encoder_rounds_to_the_wire() -> None:
    given_values = dataclasses.replace(
        LOCATION,
        direction_deg=359.7,
        speed_mps=300.0,
        vertical_speed_mps=-99.0,
        accuracy_horizontal_m=4.0,
        accuracy_vertical_m=200.0,
        accuracy_time_s=0.15,
    )
    (back,), findings = decode(encode_message(given_values))
    assert isinstance(back, Location)
    assert back.direction_deg == 0.0
    assert back.accuracy_horizontal_m == 10.0  # the tightest class that covers 4 m
    assert back.accuracy_vertical_m is None  # no class covers 200 m
    assert back.accuracy_time_s == 0.2
    assert (back.speed_mps, back.vertical_speed_mps) == (None, None)  # caps are no measurements
    assert {f.where for f in findings} == {
        "byte 3: location.speed_mps",
        "byte 4: location.vertical_speed_mps",
    }


@pytest.mark.parametrize(
    ("tenths", "receipt_s", "expected_s"),
    [
        (None, 100.0, None),
        (1000, 100.0, 100.0),
        (35_999, 3600.2, 3599.9),  # sent before the hour, heard after it
        (1, 3599.8, 3600.1),  # the sender's clock is ahead over the border
        (0, 3599.9, 3600.0),
        (36_000, 3600.5, 3600.0),
        (0, 3600 + 1900.0, 7200.0),
        (0, 3600 + 1700.0, 3600.0),
    ],
)
def test_location_time_around_the_hour(
    tenths: int | None, receipt_s: float, expected_s: float | None
) -> None:
    base = 450_000 * HOUR_NS
    resolved = resolve_time(tenths, base + round(receipt_s * NS_PER_S))
    assert resolved == (None if expected_s is None else base + round(expected_s * NS_PER_S))


@given(st.integers(0, 35_999), st.integers(-17_999, 17_999), st.integers(440_000, 500_000))
def test_resolved_time_is_the_time_that_was_sent(tenths: int, late: int, hour: int) -> None:
    sent_ns = hour * HOUR_NS + tenths * NS_PER_S // 10
    assert resolve_time(tenths, sent_ns + late * NS_PER_S // 10) == sent_ns


TEXT = st.text(string.ascii_letters + string.digits + "-_/.", min_size=1)
BOUNDS_V = st.sampled_from([None, *VERTICAL_BOUND_M.values()])


def halves(low: float, high: float) -> st.SearchStrategy[float]:
    return st.integers(round(low * 2), round(high * 2)).map(lambda n: n / 2)


def maybe(strategy: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
    return st.none() | strategy


HAE = halves(-999.5, 31_767.5).map(HeightHae)
POSITIONS = st.tuples(
    st.integers(-900_000_000, 900_000_000), st.integers(-1_800_000_000, 1_800_000_000)
).map(lambda p: (None, None) if p == (0, 0) else (p[0] / 1e7, p[1] / 1e7))
SPEEDS = st.integers(0, 255).map(lambda n: n / 4) | st.integers(1, 253).map(
    lambda n: 63.75 + 0.75 * n
)


@st.composite
def locations(draw: st.DrawFn) -> Location:
    lat_deg, lon_deg = draw(POSITIONS)
    return Location(
        draw(st.sampled_from(Status)),
        lat_deg,
        lon_deg,
        draw(maybe(HAE)),
        draw(maybe(halves(-999.5, 31_767.5).map(HeightPressure))),
        draw(maybe(halves(-999.5, 31_767.5).map(HeightAboveTakeOff)))
        or draw(maybe(halves(-999.5, 31_767.5).map(HeightAgl))),
        draw(maybe(st.integers(0, 359).map(float))),
        draw(maybe(SPEEDS)),
        draw(maybe(halves(-61.5, 61.5))),
        draw(st.sampled_from([None, *HORIZONTAL_BOUND_M.values()])),
        draw(BOUNDS_V),
        draw(BOUNDS_V),
        draw(st.sampled_from([None, 10.0, 3.0, 1.0, 0.3])),
        draw(st.sampled_from([None, *TIME_BOUND_S.values()])),
        draw(maybe(st.integers(0, 36_000))),
    )


@st.composite
def systems(draw: st.DrawFn) -> System:
    lat_deg, lon_deg = draw(POSITIONS)
    return System(
        draw(st.sampled_from(OperatorLocation)),
        lat_deg,
        lon_deg,
        draw(maybe(HAE)),
        draw(st.integers(0, 0xFFFF)),
        draw(st.integers(0, 255)) * 10.0,
        draw(maybe(HAE)),
        draw(maybe(HAE)),
        draw(st.sampled_from(Classification)),
        draw(st.sampled_from(CategoryEu)),
        draw(maybe(st.integers(0, 6))),
        draw(maybe(st.integers(1, 2**32 - 1).map(lambda s: YEAR_2019_NS + s * NS_PER_S))),
    )


MESSAGES = st.one_of(
    locations(),
    systems(),
    st.builds(
        BasicId,
        st.sampled_from([IdType.SERIAL_NUMBER, IdType.CAA_REGISTRATION]),
        st.sampled_from(UaType),
        TEXT.filter(lambda t: len(t) <= 20),
    ),
    st.builds(
        BasicId,
        st.just(IdType.SPECIFIC_SESSION),
        st.sampled_from(UaType),
        st.binary(min_size=20, max_size=20).filter(any).map(bytes.hex),
    ),
    st.builds(SelfId, st.integers(0, 255), st.none() | TEXT.filter(lambda t: len(t) <= 23)),
    st.builds(OperatorId, st.integers(0, 255), st.none() | TEXT.filter(lambda t: len(t) <= 20)),
    st.builds(
        AuthenticationPage,
        st.integers(0, 15),
        st.integers(1, 15),
        st.binary(min_size=23, max_size=23),
    ),
)


@given(st.lists(MESSAGES, min_size=1, max_size=9))
def test_what_is_encoded_is_decoded(messages: list[Message]) -> None:
    assert decode(encode_pack(messages)) == (tuple(messages), ())
    assert decode(encode_message(messages[0])) == ((messages[0],), ())


LIKE_MESSAGES = st.builds(
    lambda kind, body: bytes((kind,)) + body,
    st.sampled_from([0x02, 0x12, 0x22, 0x32, 0x42, 0x52, 0x10, 0x4F]),
    st.binary(min_size=24, max_size=24),
)
LIKE_PACKS = st.builds(
    lambda count, parts, rest: bytes((0xF2, 25, count)) + b"".join(parts) + rest,
    st.integers(0, 12),
    st.lists(LIKE_MESSAGES, max_size=10),
    st.binary(max_size=30),
)


@given(st.binary(max_size=300) | LIKE_MESSAGES | LIKE_PACKS)
def test_any_bytes_give_messages_findings_or_an_input_error(data: bytes) -> None:
    try:
        messages, findings = decode(data)
    except InputError:
        return
    assert messages or findings
    for message in messages:
        if isinstance(message, Location):
            assert message.lat_deg is None or abs(message.lat_deg) <= 90
            assert message.speed_mps is None or 0 <= message.speed_mps < 254.25
            assert message.direction_deg is None or 0 <= message.direction_deg < 360


@given(LIKE_MESSAGES)
def test_whatever_was_read_can_be_written_and_read_again(data: bytes) -> None:
    (message,), _ = decode(data)
    try:
        again = encode_message(message)
    except InputError:  # e.g. an escaped text that is longer than its field
        return
    (back,), _ = decode(again)
    assert back == message
