"""SAPIENT messages, BSI Flex 335 v2.0: read, held against the ICD, and the three that we answer.

A message is a protobuf `SapientMessage`; on TCP its length stands before it, 4 bytes,
little-endian. The ICD's rules (what is mandatory, what is a UUID or a ULID) are options in the
descriptors of `sapient-proto`, and read from there, so that they cannot drift from it.

Only a registration ack, an alert ack and an error can be written here. There is no way to
write a task: Skykeep asks nothing of a node, least of all of one that acts on aircraft.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

from google.protobuf.descriptor import Descriptor
from google.protobuf.message import DecodeError
from sapient_msg import proto_options_pb2
from sapient_msg.bsi_flex_335_v2_0.alert_ack_pb2 import AlertAck
from sapient_msg.bsi_flex_335_v2_0.sapient_message_pb2 import SapientMessage

from skykeep.errors import InputError
from skykeep.units import NS_PER_S

#: A registration with every mode spelled out takes some kilobytes; a detection some hundred bytes.
MAX_MESSAGE_BYTES = 256_000
LENGTH_BYTES = 4
#: Faults of one message that are named; a registration with none of its fields has ten.
MOST_FAULTS = 20
#: Of a message that is sent back with an error.
MOST_PACKET_BYTES = 4_096
#: Node types that act on what they see (`Registration.NodeType`): kinetic, jammer, cyber,
#: laser and radio-frequency directed energy.
EFFECTORS = frozenset({13, 14, 15, 16, 17})
#: Nodes that join what others see; what they send are tracks.
FUSION_NODE = 20
#: `Registration.TrackingType`: tracklets, tracks, tracks with re-identification.
TRACKING = frozenset({2, 3, 4})

_ULID = re.compile(r"[0-7][0-9A-HJKMNP-TV-Za-hjkmnp-tv-z]{25}", re.ASCII)
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.ASCII)
_HEX = re.compile(r"[0-9a-fA-F]{32}", re.ASCII)
#: 0001-01-01 to 9999-12-31 (google.protobuf.Timestamp).
_EARLIEST_S, _LATEST_S = -62_135_596_800, 253_402_300_799


def parse(data: bytes) -> SapientMessage:
    """A message as it stands; InputError where the bytes are none."""
    if len(data) > MAX_MESSAGE_BYTES:
        raise InputError("message", f"has {len(data)} bytes", f"At most {MAX_MESSAGE_BYTES}")
    try:
        message: SapientMessage = SapientMessage.FromString(data)
    except DecodeError:
        problem = "is no SapientMessage of BSI Flex 335 v2.0"
        raise InputError("message", problem, "Check version and lengths") from None
    return message


def content_of(message: SapientMessage) -> str:
    """Which message it is (`detection_report`, ...); empty where it is none."""
    return message.WhichOneof("content") or ""


def uuid_of(text: str) -> str | None:
    """A UUID in its usual form (RFC 9562 section 4); None where it is none."""
    if _UUID.fullmatch(text):
        return text
    digits = text.replace("urn:", "").replace("uuid:", "").strip("{}").replace("-", "")
    if not _HEX.fullmatch(digits):
        return None
    d = digits.lower()
    return f"{d[:8]}-{d[8:12]}-{d[12:16]}-{d[16:20]}-{d[20:]}"


def is_ulid(text: str) -> bool:
    """Whether a text is a ULID: 26 characters of Crockford's base 32, in 128 bits."""
    return _ULID.fullmatch(text) is not None


def time_ns(seconds: int, nanos: int) -> int | None:
    """A protobuf timestamp in ns since 1970; None where it is out of its range."""
    if not (_EARLIEST_S <= seconds <= _LATEST_S and 0 <= nanos < NS_PER_S):
        return None
    return seconds * NS_PER_S + nanos


# -- the ICD --------------------------------------------------------------------------------


def faults(message: SapientMessage) -> list[str]:
    """What breaks the ICD in a message, a line each with the field's path; empty for none."""
    found: list[str] = []
    if not content_of(message):
        found.append("content: none of the messages is set")
    for fault in _faults(message, ""):
        found.append(fault)
        if len(found) >= MOST_FAULTS:
            break
    return found


@cache
def _rules(descriptor: Descriptor) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    """Names of the fields that must be there, and of those that are UUIDs and ULIDs."""
    of = {f.name: f.GetOptions().Extensions[proto_options_pb2.field_options]
          for f in descriptor.fields}  # fmt: skip
    return (
        tuple(name for name, rule in of.items() if rule.is_mandatory),
        tuple(name for name, rule in of.items() if rule.is_uuid),
        tuple(name for name, rule in of.items() if rule.is_ulid),
    )


@cache
def _oneofs(descriptor: Descriptor) -> tuple[str, ...]:
    return tuple(
        one.name
        for one in descriptor.oneofs
        if one.GetOptions().Extensions[proto_options_pb2.oneof_options].is_mandatory
    )


def _faults(message: Any, path: str) -> Iterator[str]:
    descriptor = message.DESCRIPTOR
    if descriptor.full_name == "google.protobuf.Timestamp":
        if time_ns(message.seconds, message.nanos) is None:
            yield f"{path}: is no time"
        return
    present = {field.name: (field, value) for field, value in message.ListFields()}
    mandatory, uuids, ulids = _rules(descriptor)
    for name in mandatory:
        if name not in present or present[name][1] == "":
            yield f"{_under(path, name)}: is mandatory and missing"
        elif present[name][0].enum_type and present[name][1] == 0:
            yield f"{_under(path, name)}: is UNSPECIFIED"
    for name in _oneofs(descriptor):
        if message.WhichOneof(name) is None:
            choices = ", ".join(f.name for f in descriptor.oneofs_by_name[name].fields)
            yield f"{_under(path, name)}: one of {choices} is mandatory"
    for name in uuids:
        if name in present and uuid_of(present[name][1]) is None:
            yield f"{_under(path, name)}: {present[name][1][:60]!r} is no UUID"
    for name in ulids:
        if name in present and not is_ulid(present[name][1]):
            yield f"{_under(path, name)}: {present[name][1][:60]!r} is no ULID"
    for name, (field, value) in present.items():
        if field.message_type is None:
            continue
        for index, one in enumerate(value if field.is_repeated else (value,)):
            place = f"{name}[{index}]" if field.is_repeated else name
            yield from _faults(one, _under(path, place))


def _under(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def is_plain_detection(message: SapientMessage) -> bool:
    """Whether a message is a detection report that holds the ICD, by a quick look.

    False where it breaks it, and where it has parts that this does not look at: ask `faults`.
    """
    report, at = message.detection_report, message.timestamp
    for one in report.classification:
        if not one.type or one.sub_class:
            return False
    return (
        _UUID.fullmatch(message.node_id) is not None
        and message.HasField("timestamp")
        and time_ns(at.seconds, at.nanos) is not None
        and not message.destination_id
        and _ULID.fullmatch(report.report_id) is not None
        and _ULID.fullmatch(report.object_id) is not None
        and (not report.HasField("task_id") or _ULID.fullmatch(report.task_id) is not None)
        and _is_placed(report)
        and _is_moving(report)
        and not (report.object_info and any(not i.type or not i.value for i in report.object_info))
        and not (report.track_info and any(not i.type or not i.value for i in report.track_info))
        and not report.behaviour
        and not report.HasField("prediction_location")
        and not report.associated_file
        and not report.signal
        and not report.associated_detection
        and not report.derived_detection
    )


def _is_placed(report: Any) -> bool:
    which = report.WhichOneof("location_oneof")
    if which == "range_bearing":
        place = report.range_bearing
    elif which == "location":
        place = report.location
        if not (place.HasField("x") and place.HasField("y")):
            return False
    else:
        return False
    return bool(place.coordinate_system and place.datum)


def _is_moving(report: Any) -> bool:
    if not report.HasField("enu_velocity"):
        return True
    velocity = report.enu_velocity
    return bool(velocity.HasField("east_rate") and velocity.HasField("north_rate"))


# -- what we answer -------------------------------------------------------------------------


def registration_ack(ours: str, node: str, reasons: Sequence[str], at_ns: int) -> bytes:
    """Yes to a registration, or no where there are reasons against it; with its length."""
    message = _answer(ours, node, at_ns)
    message.registration_ack.acceptance = not reasons
    message.registration_ack.ack_response_reason.extend(reasons)
    return framed(message)


def alert_ack(ours: str, node: str, alert_id: str, reasons: Sequence[str], at_ns: int) -> bytes:
    """That an alert is in the record, or why it is not; with its length."""
    message = _answer(ours, node, at_ns)
    message.alert_ack.alert_id = alert_id
    message.alert_ack.alert_ack_status = (
        AlertAck.ALERT_ACK_STATUS_REJECTED if reasons else AlertAck.ALERT_ACK_STATUS_ACCEPTED
    )
    message.alert_ack.reason.extend(reasons)
    return framed(message)


def error(ours: str, node: str, packet: bytes, words: Sequence[str], at_ns: int) -> bytes:
    """What is wrong with a message, with its beginning; with its length."""
    message = _answer(ours, node, at_ns)
    message.error.packet = packet[:MOST_PACKET_BYTES]
    message.error.error_message.extend(words)
    return framed(message)


def _answer(ours: str, node: str, at_ns: int) -> SapientMessage:
    message = SapientMessage(node_id=ours)
    if node:
        message.destination_id = node
    message.timestamp.seconds, message.timestamp.nanos = divmod(at_ns, NS_PER_S)
    return message


def framed(message: SapientMessage) -> bytes:
    """A message behind its length, as it goes on the wire."""
    data: bytes = message.SerializeToString()
    return len(data).to_bytes(LENGTH_BYTES, "little") + data
