"""SAPIENT: what breaks the ICD is named, as the library's own models name it; what is read fits."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from typing import Any

import pytest
from sapient_msg.bsi_flex_335_v2_0.sapient_message_pb2 import SapientMessage
from sapient_msg_pydantic.bsi_flex_335_v2_0.sapient_message import SapientMessage as Model

from skykeep.codec import sapient
from skykeep.codec.sapient import faults, is_plain_detection, is_ulid, parse, uuid_of
from skykeep.codec.sapient_report import (
    North,
    alert_words,
    claim_of,
    grid_convergence_deg,
    kinds_of,
    node_of,
    place_of,
    seen_of,
    status_of,
)
from skykeep.core.geo import HeightReference
from skykeep.core.observation import Scheme
from skykeep.errors import InputError
from tests import sapient_messages as made

AT = 1_789_257_600_000_000_000


def oracle(message: SapientMessage) -> bool:
    """Whether the library's models take a message."""
    try:
        Model.from_pb2(message)
    except ValueError:
        return False
    return True


@pytest.mark.parametrize(
    "message",
    [made.registration(AT), made.detection(AT), made.located(AT), made.status(AT), made.alert(AT)],
    ids=sapient.content_of,
)
def test_a_good_message_holds_and_each_loss_is_named_as_the_oracle_does(
    message: SapientMessage,
) -> None:
    assert faults(message) == []
    assert oracle(message)
    count = 0
    for path, broken in broken_ones(message):
        count += 1
        taken = oracle(broken)
        found = faults(broken)
        assert not found or not taken, (path, found)
        assert found or taken, path
        plain = is_plain_detection(broken)
        assert not (plain and found), path
    assert count > 3


def broken_ones(message: SapientMessage) -> list[tuple[str, SapientMessage]]:
    """The message with each of its fields left out, and each text made another one."""
    found = []

    def walk(get: Callable[[SapientMessage], Any], path: str) -> None:
        for field, value in get(message).ListFields():
            copy = SapientMessage.FromString(message.SerializeToString())
            get(copy).ClearField(field.name)
            found.append((f"{path}.{field.name}", copy))
            if field.type == field.TYPE_STRING and not field.is_repeated:
                copy = SapientMessage.FromString(message.SerializeToString())
                setattr(get(copy), field.name, "I" * 26)
                found.append((f"{path}.{field.name} as text", copy))
                copy = SapientMessage.FromString(message.SerializeToString())
                setattr(get(copy), field.name, "")
                found.append((f"{path}.{field.name} empty", copy))
            if field.message_type is None:
                continue
            name = field.name
            if field.is_repeated:
                for i in range(len(value)):
                    walk(lambda m, i=i, name=name: getattr(get(m), name)[i], f"{path}.{name}[{i}]")
            else:
                walk(lambda m, name=name: getattr(get(m), name), f"{path}.{name}")

    walk(lambda m: m, "")
    return found


def test_what_is_unspecified_or_out_of_time_is_a_fault_too() -> None:
    message = made.detection(AT)
    message.detection_report.range_bearing.datum = 0
    assert faults(message) == ["detection_report.range_bearing.datum: is UNSPECIFIED"]
    assert not is_plain_detection(message)
    message = made.detection(AT)
    message.timestamp.nanos = -1
    assert faults(message) == ["timestamp: is no time"]
    assert not is_plain_detection(message)
    assert faults(SapientMessage())[0] == "content: none of the messages is set"


@pytest.mark.parametrize(
    ("text", "good"),
    [
        ("01GGYFBAXGDG7AGAHRZ6XSNY12", True),
        ("01ggyfbaxgdg7agahrz6xsny12", True),
        ("7ZZZZZZZZZZZZZZZZZZZZZZZZZ", True),
        ("8ZZZZZZZZZZZZZZZZZZZZZZZZZ", False),  # over 128 bits
        ("01GGYFBAXGDG7AGAHRZ6XSNY1", False),
        ("01GGYFBAXGDG7AGAHRZ6XSNY1U", False),
        ("01GGYFBAXGDG7AGAHRZ6XSNY12\n", False),
    ],
)
def test_ulids(text: str, good: bool) -> None:
    assert is_ulid(text) is good


def test_uuids_in_all_their_forms() -> None:
    plain = made.NODE
    assert uuid_of(plain) == plain
    assert uuid_of(plain.upper()) == plain
    assert uuid_of("{" + plain + "}") == plain
    assert uuid_of("urn:uuid:" + plain) == plain
    assert uuid_of(plain.replace("-", "")) == plain
    assert uuid_of(plain[:-1]) is None
    assert uuid_of(plain[:-1] + "g") is None


def test_a_place_in_degrees_radians_and_utm_is_the_same() -> None:
    message = made.located(AT, x_error=1e-4, y_error=1e-4, z_error=3.0)
    degrees = place_of(message.detection_report.location)
    assert (degrees.lat_deg, degrees.lon_deg, degrees.height_m) == (49.61, 6.13, 400.0)
    assert degrees.reference is HeightReference.HAE
    # 1e-4 degrees: 111,199 m in one of latitude, 72,300 m in one of longitude at 49.61 N
    assert degrees.sigmas_m == pytest.approx((7.23, 11.12, 3.0), rel=1e-3)
    radians = made.located(
        AT, x=math.radians(6.13), y=math.radians(49.61), coordinate_system=2, datum=2
    )
    place = place_of(radians.detection_report.location)
    assert (place.lat_deg, place.lon_deg) == pytest.approx((49.61, 6.13), abs=1e-12)
    assert place.reference is HeightReference.AMSL
    # The Eiffel tower: 448,252 E, 5,411,932 N in 31U is 48.8582 N 2.2945 E.
    for zone in ("31N", "31U", "31u"):
        tower = made.located(AT, x=448_252.0, y=5_411_932.0, coordinate_system=5, utm_zone=zone)
        place = place_of(tower.detection_report.location)
        assert (place.lat_deg, place.lon_deg) == pytest.approx((48.8582, 2.2945), abs=1e-4)
    south = made.located(AT, x=334_786.0, y=6_252_080.0, coordinate_system=5, utm_zone="56S")
    place = place_of(south.detection_report.location)  # Sydney
    assert (place.lat_deg, place.lon_deg) == pytest.approx((-33.857, 151.214), abs=2e-3)


@pytest.mark.parametrize(
    "where",
    [
        {"y": 91.0}, {"x": math.nan}, {"x": 181.0}, {"coordinate_system": 3}, {"datum": 0},
        {"coordinate_system": 5}, {"coordinate_system": 5, "utm_zone": "99N"},
        {"coordinate_system": 5, "utm_zone": "é2N"}, {"coordinate_system": 5, "utm_zone": "32é"},
        {"coordinate_system": 5, "utm_zone": "31N", "x": 1e300},
    ],
)  # fmt: skip
def test_no_place(where: dict[str, Any]) -> None:
    with pytest.raises(InputError):
        place_of(made.located(AT, **where).detection_report.location)


def test_a_bearing_is_turned_to_true_north() -> None:
    north = North(2.0, -0.5, 30.0)
    for datum, azimuth in ((1, 350.0), (2, 352.0), (3, 349.5), (4, 20.0)):
        message = made.detection(AT, range=0.9, azimuth=350.0)
        message.detection_report.range_bearing.datum = datum
        message.detection_report.range_bearing.coordinate_system = 3
        seen = seen_of(message, None, north)
        assert seen.polar[:2] == pytest.approx((900.0, azimuth))
        assert math.isnan(seen.polar[2])
    message.detection_report.range_bearing.coordinate_system = 2
    message.detection_report.range_bearing.azimuth = math.pi / 2
    assert seen_of(message, None, north).polar[:2] == pytest.approx((0.9, 120.0))
    with pytest.raises(InputError, match="no north is known"):
        seen_of(message, None, North())
    # One degree east of the central meridian (9 E) at 45 N: sin 45 = 0.707 degrees.
    assert grid_convergence_deg(45.0, 10.0) == pytest.approx(0.7072, abs=1e-3)


def test_speeds_come_in_the_units_of_the_mode() -> None:
    node = node_of(made.registration(AT))
    message = made.detection(AT)
    message.detection_report.enu_velocity.east_rate = 36.0
    message.detection_report.enu_velocity.north_rate = -72.0
    seen = seen_of(message, node.modes["Default"], North())
    assert seen.velocity_mps[:2] == pytest.approx((10.0, -20.0))
    assert math.isnan(seen.velocity_mps[2])


def test_classes_and_identities() -> None:
    report = made.detection(AT).detection_report
    one = report.classification.add(type="Air vehicle", confidence=0.9)
    assert kinds_of(report.classification) is None
    one.sub_class.add(type="UAV rotary wing", confidence=0.8, level=1)
    assert kinds_of(report.classification) == pytest.approx((0.925, 0.025, 0.025, 0.025))
    report.classification.add(type="sapient_core:Bird", confidence=0.5)
    assert kinds_of(report.classification) == pytest.approx((0.9, 0.1, 0.0, 0.0))
    manned = made.detection(AT).detection_report
    manned.classification.add(type="Manned rotary wing", confidence=1.0)
    assert kinds_of(manned.classification) == pytest.approx((0.0, 0.0, 1.0, 0.0))
    assert claim_of(report) is None
    report.id = "4d0131"
    told = claim_of(report)
    assert told is not None
    assert (told.scheme, told.identity) == (Scheme.ADSB, "4D0131")
    report.object_info.add(type="Serial number", value="1581F5FH123456")
    told = claim_of(report)
    assert told is not None
    assert (told.scheme, told.identity, told.transmitter) == (
        Scheme.REMOTE_ID, "1581F5FH123456", made.OBJECT,
    )  # fmt: skip


def test_a_node_says_what_it_is() -> None:
    node = node_of(made.registration(AT, types=(2, 14), tracking=3))
    assert (node.acts, node.type_words, node.model) == (True, "radar, jammer", "Acme Radar 3")
    assert (node.status_s, node.first_mode) == (5.0, "Default")
    assert node.tracks_in("Default")
    assert not node.tracks_in("Other")
    assert node.tracks_in("never heard of")  # as in its first
    assert node_of(made.registration(AT, types=(20,))).tracks_in("Default")
    message = made.status(AT, system=3)
    message.status_report.status.add(status_level=4, status_type=4, status_value="rain")
    said = status_of(message)
    assert (said.words, said.goodbye) == ("the node says error; weather: rain", False)
    assert status_of(made.status(AT, system=5)).goodbye
    assert alert_words(made.alert(AT)) == "warning active: clutter over the river"


def test_only_three_messages_can_be_written() -> None:
    ours = made.OTHER
    packets = [
        sapient.registration_ack(ours, made.NODE, (), AT),
        sapient.registration_ack(ours, made.NODE, ("no",), AT),
        sapient.alert_ack(ours, made.NODE, made.REPORT, (), AT),
        sapient.error(ours, made.NODE, b"x" * 9_999, ("no",), AT),
    ]
    for packet in packets:
        assert int.from_bytes(packet[:4], "little") == len(packet) - 4
        message = parse(packet[4:])
        assert faults(message) == []
        assert oracle(message)
    told = [parse(packet[4:]) for packet in packets]
    assert [m.registration_ack.acceptance for m in told[:2]] == [True, False]
    assert list(told[1].registration_ack.ack_response_reason) == ["no"]
    assert told[2].alert_ack.alert_ack_status == 1
    assert len(told[3].error.packet) == 4_096


def fuzzed(turns: int, seed: int) -> None:
    """Broken messages: only our own errors leave, and the quick look never says yes to a fault."""
    chance = random.Random(seed)
    good = [m(AT).SerializeToString() for m in (
        made.registration, made.detection, made.located, made.status, made.alert,
    )]  # fmt: skip
    for _ in range(turns):
        data = bytearray(chance.choice(good))
        for _ in range(chance.randrange(1, 5)):
            at = chance.randrange(len(data))
            how = chance.randrange(4)
            if how == 0:
                data[at] = chance.randrange(256)
            elif how == 1:
                data[at] ^= 1 << chance.randrange(8)
            elif how == 2:
                del data[at : at + chance.randrange(1, 9)]
            else:
                data[at:at] = chance.randbytes(chance.randrange(1, 9))
            data = data or bytearray(1)
        try:
            message = parse(bytes(data))
            found = faults(message)
            plain = is_plain_detection(message)
            assert not (plain and found), bytes(data)
            if message.HasField("detection_report"):
                seen_of(message, None, North(1.0, 1.0, 1.0))
            elif message.HasField("registration"):
                node_of(message)
            elif message.HasField("status_report"):
                status_of(message)
            elif message.HasField("alert"):
                alert_words(message)
        except InputError:
            pass


def test_broken_messages() -> None:
    fuzzed(8_000, 1)


@pytest.mark.soak
def test_millions_of_broken_messages() -> None:
    fuzzed(5_000_000, 2)
