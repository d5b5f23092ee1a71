"""Remote ID in Wi-Fi frames: beacons and neighbour awareness (NaN) service discovery.

Sources: ASTM F3411-22a 5.4.8 (Wi-Fi beacon: vendor element FA-0B-BC, type 0x0D) and 5.4.7
(NaN: service id 88-69-19-9D-92-09), IEEE 802.11-2020 9.3.3 and 9.4.2.25, Wi-Fi Aware 4.0
section 9.5.4.2 (service descriptor attribute). The French element: arrêté du 27 décembre 2019.

Whatever else is in the air is none of our business: it is neither decoded nor kept.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from skykeep.codec.radio import (
    LINKTYPE_IEEE802_11,
    LINKTYPE_IEEE802_11_RADIOTAP,
    Heard,
    broken,
    cut,
    wifi_frame,
)
from skykeep.core.event import Finding

MANAGEMENT_HEADER_BYTES = 24
HT_CONTROL_BYTES = 4
BEACON_FIXED_BYTES = 12  # timestamp, interval, capabilities

_TYPE_AND_VERSION_MASK, _SUBTYPE_MASK = 0x0F, 0xF0
_BEACON, _ACTION = 0x80, 0xD0
_FLAG_PROTECTED, _FLAG_HT_CONTROL = 0x40, 0x80
_VENDOR_ELEMENT = 221
_REMOTE_ID_VENDOR = bytes.fromhex("fa0bbc0d")  # ASD-STAN's OUI and the type
#: Public action, vendor specific, Wi-Fi Alliance's OUI, NaN service discovery.
_NAN_ACTION = bytes.fromhex("0409506f9a13")
_SERVICE_DESCRIPTOR = 0x03
_SERVICE_ID = bytes.fromhex("8869199d9209")  # SHA-256 of "org.opendroneid.remoteid"
_HAS_FILTER, _HAS_RESPONSE_FILTER, _HAS_INFO, _HAS_BITMAP = 0x04, 0x08, 0x10, 0x40

#: DJI's vendor element with its flight telemetry (kind 0x10); 0x11 is what the pilot wrote.
_DJI_VENDOR = bytes.fromhex("263712586213")
_DJI_FLIGHT = 0x10
#: French electronic signalling: arrêté du 27 décembre 2019 (NOR ECOI1934044A), annex.
_FRENCH_VENDOR = bytes.fromhex("6a5c3501")
_MARKS = (_REMOTE_ID_VENDOR, _SERVICE_ID, _FRENCH_VENDOR, _DJI_VENDOR)


def speaker_of(linktype: int, packet: bytes) -> str | None:
    """Whose Remote ID a packet may hold, at a glance: empty for nobody's, None if not to be told.

    Who has to choose among thousands of frames chooses by this before any is decoded. Of link
    types 105 and 127 alone; what it takes for nobody's, `find_in_wifi` finds nothing in.
    """
    if linktype == LINKTYPE_IEEE802_11_RADIOTAP and len(packet) >= 4:
        start = packet[2] | packet[3] << 8
    elif linktype == LINKTYPE_IEEE802_11:
        start = 0
    else:
        return None
    if not any(mark in packet for mark in _MARKS):
        return ""
    return packet[start + 10 : start + 16].hex(":")


def find_in_wifi(
    linktype: int, packet: bytes, *, dji: bool = False
) -> tuple[tuple[Heard, ...], tuple[Finding, ...]]:
    """The Remote ID in one captured Wi-Fi packet, usually none, and what was amiss with it.

    DJI's own elements are passed over unless `dji`. Nothing is raised: a packet that is not
    Remote ID gives two empty tuples, whatever its bytes.
    """
    framed = wifi_frame(linktype, packet)
    if framed is None:
        return (), ()
    if isinstance(framed, Finding):
        return (), (framed,)
    body = _management_body(packet, framed.start, framed.end)
    if body is None:
        return (), ()
    findings: list[Finding] = []
    if packet[framed.start] & _SUBTYPE_MASK == _BEACON:
        found = list(_in_beacon(packet, body + BEACON_FIXED_BYTES, framed.end, findings, dji))
    elif packet[body : body + len(_NAN_ACTION)] == _NAN_ACTION:
        at = body + len(_NAN_ACTION)
        infos = _in_service_discovery(packet, at, framed.end, findings)
        found = [(info[0], info[1:], "nan") for info in infos]
    else:
        return (), ()
    transmitter = packet[framed.start + 10 : framed.start + 16].hex(":")
    heard = tuple(
        Heard(transmitter, counter, messages, carrier, framed.rssi_dbm, framed.frequency_mhz)
        for counter, messages, carrier in found
    )
    return heard, tuple(findings)


def _management_body(frame: bytes, start: int, end: int) -> int | None:
    """Where the body of a readable beacon or action frame starts."""
    if end - start < MANAGEMENT_HEADER_BYTES:
        return None
    control, flags = frame[start], frame[start + 1]
    if control & _TYPE_AND_VERSION_MASK or control & _SUBTYPE_MASK not in (_BEACON, _ACTION):
        return None
    if flags & _FLAG_PROTECTED:
        return None
    return start + MANAGEMENT_HEADER_BYTES + (HT_CONTROL_BYTES if flags & _FLAG_HT_CONTROL else 0)


def _in_beacon(
    frame: bytes, at: int, end: int, findings: list[Finding], dji: bool
) -> Iterator[tuple[int, bytes, str]]:
    """Counter, messages and carrier of each element that is ours."""
    while at + 2 <= end:
        size = frame[at + 1]
        value = frame[at + 2 : min(at + 2 + size, end)]
        vendor, carrier = _vendor(value, dji) if frame[at] == _VENDOR_ELEMENT else (0, "")
        if vendor:
            if len(value) < size:
                findings.append(cut(at + 1, "beacon.vendor_element", len(value), size))
            counted = carrier == "beacon"
            if len(value) > vendor:
                yield value[vendor] if counted else 0, value[vendor + counted :], carrier
            elif len(value) == size:
                findings.append(broken(at + 1, "beacon.vendor_element", "no message"))
        at += 2 + size


def _vendor(value: bytes, dji: bool) -> tuple[int, str]:
    """How many bytes of a vendor element say whose it is, and whose; 0 for somebody else's."""
    if value.startswith(_REMOTE_ID_VENDOR):
        return len(_REMOTE_ID_VENDOR), "beacon"
    if value.startswith(_FRENCH_VENDOR):
        return len(_FRENCH_VENDOR), "french"
    if dji and value.startswith(_DJI_VENDOR) and value[6:7] == bytes((_DJI_FLIGHT,)):
        return len(_DJI_VENDOR) + 1, "dji"
    return 0, ""


def _in_service_discovery(
    frame: bytes, at: int, end: int, findings: list[Finding]
) -> Iterator[bytes]:
    """Counter and message bytes of each descriptor of the Remote ID service."""
    while at + 3 <= end:
        kind, size = struct.unpack_from("<BH", frame, at)
        value = frame[at + 3 : min(at + 3 + size, end)]
        if kind == _SERVICE_DESCRIPTOR and value.startswith(_SERVICE_ID):
            if len(value) < size:
                findings.append(cut(at + 1, "nan.service_descriptor", len(value), size))
            info = _service_info(value, at + 3, findings)
            if info:
                yield info
        at += 3 + size


def _service_info(value: bytes, start: int, findings: list[Finding]) -> bytes:
    """The service info behind the optional fields that the control byte announces."""
    at = len(_SERVICE_ID) + 2  # instance and requestor instance
    control = value[at] if at < len(value) else 0
    if not control & _HAS_INFO:
        if at < len(value):
            findings.append(broken(start + at, "nan.service_control", "no service info"))
        return b""
    at += 1 + (2 if control & _HAS_BITMAP else 0)
    for flag in (_HAS_FILTER, _HAS_RESPONSE_FILTER):
        if control & flag and at < len(value):
            at += 1 + value[at]
    if at >= len(value):
        findings.append(broken(start + len(value), "nan.service_info", "not there"))
        return b""
    size = value[at]
    info = value[at + 1 : at + 1 + size]
    if len(info) < size:
        findings.append(cut(start + at, "nan.service_info", len(info), size))
    elif not info:
        findings.append(broken(start + at, "nan.service_info", "no message"))
    return info
