"""Remote ID in Wi-Fi frames: beacons and neighbour awareness (NaN) service discovery.

Sources: ASTM F3411-22a 5.4.8 (Wi-Fi beacon: vendor element FA-0B-BC, type 0x0D) and 5.4.7
(NaN: service id 88-69-19-9D-92-09), IEEE 802.11-2020 9.3.3 and 9.4.2.25, Wi-Fi Aware 4.0
section 9.5.4.2 (service descriptor attribute), radiotap.org (capture header).

Whatever else is in the air is none of our business: it is neither decoded nor kept.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from skykeep.core.event import Finding, Severity

MANAGEMENT_HEADER_BYTES = 24
HT_CONTROL_BYTES = 4
BEACON_FIXED_BYTES = 12  # timestamp, interval, capabilities
FCS_BYTES = 4

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

_RADIOTAP_MORE = 0x8000_0000
_RADIOTAP_TSFT, _RADIOTAP_FLAGS = 0x01, 0x02
_FRAME_HAS_FCS, _FRAME_BAD_FCS = 0x10, 0x40


@dataclass(frozen=True, slots=True)
class Heard:
    """Remote ID bytes from one transmitter: its address, the message counter, the carrier.

    `carrier` is `beacon` or `nan`; `messages` is for `remote_id.decode`.
    """

    transmitter: str
    counter: int
    messages: bytes
    carrier: str


def find_remote_id(
    frame: bytes, *, radiotap: bool
) -> tuple[tuple[Heard, ...], tuple[Finding, ...]]:
    """The Remote ID in one 802.11 frame, usually none, and what was amiss with it.

    `radiotap` says that a capture header stands before the frame. Nothing is raised:
    a frame that is not Remote ID gives two empty tuples, whatever its bytes.
    """
    start, end = 0, len(frame)
    if radiotap:
        limits = _radiotap(frame)
        if isinstance(limits, Finding):
            return (), (limits,)
        start, end = limits
    body = _management_body(frame, start, end)
    if body is None:
        return (), ()
    findings: list[Finding] = []
    if frame[start] & _SUBTYPE_MASK == _BEACON:
        found = list(_in_beacon(frame, body + BEACON_FIXED_BYTES, end, findings))
        carrier = "beacon"
    elif frame[body : body + len(_NAN_ACTION)] == _NAN_ACTION:
        found = list(_in_service_discovery(frame, body + len(_NAN_ACTION), end, findings))
        carrier = "nan"
    else:
        return (), ()
    transmitter = frame[start + 10 : start + 16].hex(":")
    heard = tuple(Heard(transmitter, info[0], info[1:], carrier) for info in found)
    return heard, tuple(findings)


def _radiotap(frame: bytes) -> tuple[int, int] | Finding:
    """Where the 802.11 frame starts and ends, without its check sequence."""
    if len(frame) < 8:
        return _broken(0, "radiotap", "cut short")
    version, length, present = struct.unpack_from("<BxHI", frame)
    if version != 0:
        return _broken(0, "radiotap.version", f"version {version}")
    if not 8 <= length <= len(frame):
        return _broken(2, "radiotap.length", f"{length} of {len(frame)} bytes")
    at, word = 8, present
    while word & _RADIOTAP_MORE:
        if at + 4 > length:
            return _broken(4, "radiotap.present", "runs beyond the header")
        (word,) = struct.unpack_from("<I", frame, at)
        at += 4
    end = len(frame)
    if present & _RADIOTAP_FLAGS:
        if present & _RADIOTAP_TSFT:
            at = (at + 7) // 8 * 8 + 8  # eight bytes, aligned to eight
        if at >= length:
            return _broken(4, "radiotap.flags", "runs beyond the header")
        if frame[at] & _FRAME_BAD_FCS:
            return _broken(at, "radiotap.flags", "the frame's check sequence failed")
        if frame[at] & _FRAME_HAS_FCS:
            end = max(length, end - FCS_BYTES)
    return length, end


def _broken(offset: int, what: str, problem: str) -> Finding:
    return Finding(f"byte {offset}: {what}", problem, "the frame is left out", Severity.ERROR)


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


def _in_beacon(frame: bytes, at: int, end: int, findings: list[Finding]) -> Iterator[bytes]:
    """Counter and message bytes of each Remote ID element."""
    while at + 2 <= end:
        size = frame[at + 1]
        value = frame[at + 2 : min(at + 2 + size, end)]
        if frame[at] == _VENDOR_ELEMENT and value.startswith(_REMOTE_ID_VENDOR):
            if len(value) < size:
                findings.append(_cut(at + 1, "beacon.vendor_element", len(value), size))
            if len(value) > len(_REMOTE_ID_VENDOR):
                yield value[len(_REMOTE_ID_VENDOR) :]
            elif len(value) == size:
                findings.append(_broken(at + 1, "beacon.vendor_element", "no message"))
        at += 2 + size


def _in_service_discovery(
    frame: bytes, at: int, end: int, findings: list[Finding]
) -> Iterator[bytes]:
    """Counter and message bytes of each descriptor of the Remote ID service."""
    while at + 3 <= end:
        kind, size = struct.unpack_from("<BH", frame, at)
        value = frame[at + 3 : min(at + 3 + size, end)]
        if kind == _SERVICE_DESCRIPTOR and value.startswith(_SERVICE_ID):
            if len(value) < size:
                findings.append(_cut(at + 1, "nan.service_descriptor", len(value), size))
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
            findings.append(_broken(start + at, "nan.service_control", "no service info"))
        return b""
    at += 1 + (2 if control & _HAS_BITMAP else 0)
    for flag in (_HAS_FILTER, _HAS_RESPONSE_FILTER):
        if control & flag and at < len(value):
            at += 1 + value[at]
    if at >= len(value):
        findings.append(_broken(start + len(value), "nan.service_info", "not there"))
        return b""
    size = value[at]
    info = value[at + 1 : at + 1 + size]
    if len(info) < size:
        findings.append(_cut(start + at, "nan.service_info", len(info), size))
    elif not info:
        findings.append(_broken(start + at, "nan.service_info", "no message"))
    return info


def _cut(offset: int, what: str, there: int, size: int) -> Finding:
    return Finding(
        f"byte {offset}: {what}",
        f"ends after {there} of {size} bytes",
        "what is there is read",
        Severity.WARNING,
    )
