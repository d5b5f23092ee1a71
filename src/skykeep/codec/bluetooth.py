"""Remote ID in Bluetooth advertising: legacy (Bluetooth 4) and extended (Bluetooth 5).

Sources: ASTM F3411-22a 5.4.6 (service data of UUID FFFA, application code 0D), Bluetooth Core 5.3
vol. 6 part B section 2 (advertising PDUs, CRC), vol. 4 part E 7.7.65 (LE advertising reports) and
part A (UART transport, H4); tcpdump.org's link types 187, 201, 251, 256 and 272 (Nordic sniffer).

What is not advertising, above all what connected devices say to each other, is neither decoded
nor kept.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from skykeep.codec.radio import Heard, broken, cut
from skykeep.core.event import Finding

LINKTYPE_BLUETOOTH_HCI_H4 = 187
LINKTYPE_BLUETOOTH_HCI_H4_WITH_PHDR = 201
LINKTYPE_BLUETOOTH_LE_LL = 251
LINKTYPE_BLUETOOTH_LE_LL_WITH_PHDR = 256
LINKTYPE_NORDIC_BLE = 272

_SERVICE_DATA = 0x16
_REMOTE_ID = b"\xfa\xff\x0d"  # UUID FFFA, little endian, and the application code
_ADVERTISING_ACCESS = b"\xd6\xbe\x89\x8e"
_CRC_BYTES = 3
_ADV_IND, _ADV_NONCONN_IND, _SCAN_RSP, _ADV_SCAN_IND, _ADV_EXT_IND = 0, 2, 4, 6, 7
_LEGACY = frozenset({_ADV_IND, _ADV_NONCONN_IND, _SCAN_RSP, _ADV_SCAN_IND})

#: Pseudo header of link type 256: which of its fields hold, and what the receiver's check said.
_PHDR_SIGNAL_VALID, _PHDR_CRC_CHECKED, _PHDR_CRC_VALID = 0x0002, 0x0400, 0x0800
_PHDR_BYTES = 10

_EVENT, _LE_META, _REPORT, _EXTENDED_REPORT = 0x04, 0x3E, 0x02, 0x0D
_NO_RSSI = 127
_REPORT_BYTES, _EXTENDED_BYTES = 9, 24
_LEGACY_BIT, _STATUS_MASK = 0x10, 0x60


def find_in_bluetooth(
    linktype: int, packet: bytes
) -> tuple[tuple[Heard, ...], tuple[Finding, ...]]:
    """The Remote ID in one captured Bluetooth packet, usually none, and what was amiss with it.

    Nothing is raised: a packet that is not Remote ID gives two empty tuples, whatever its bytes.
    """
    findings: list[Finding] = []
    match linktype:
        case 251:
            heard = _link_layer(packet, 0, None, None, findings, check=True)
        case 256:
            heard = _with_header(packet, findings)
        case 272:
            heard = _nordic(packet, findings)
        case 187:
            heard = _hci(packet, 0, findings)
        case 201:
            heard = _hci(packet, 4, findings)
        case _:
            return (), ()
    return tuple(heard), tuple(findings)


def _with_header(packet: bytes, findings: list[Finding]) -> Iterator[Heard]:
    if len(packet) < _PHDR_BYTES:
        findings.append(broken(0, "pseudo_header", "cut short"))
        return
    channel, signal, flags = struct.unpack_from("<Bb6xH", packet)
    if flags & _PHDR_CRC_CHECKED and not flags & _PHDR_CRC_VALID:
        return  # broken on the way: much of what is in the air, so no finding
    rssi = signal if flags & _PHDR_SIGNAL_VALID else None
    checked = bool(flags & _PHDR_CRC_CHECKED)
    mhz = _rf_channel_mhz(channel)
    yield from _link_layer(packet, _PHDR_BYTES, rssi, mhz, findings, check=not checked)


def _nordic(packet: bytes, findings: list[Finding]) -> Iterator[Heard]:
    """nRF Sniffer: board, header of the serial protocol (1 to 3), what the radio measured."""
    if len(packet) < 17:
        return
    third = packet[3] == 3
    kind = packet[6]
    if kind not in ((0x02, 0x06) if third else (0x06,)):
        return
    size, flags, channel, rssi = packet[7:11]
    if size < 10 or not flags & 0x01:
        return  # the sniffer says that the check failed
    mhz = _index_mhz(channel)
    yield from _link_layer(packet, 7 + size, -rssi, mhz, findings, check=False)


def _rf_channel_mhz(channel: int) -> int | None:
    return 2402 + 2 * channel if channel <= 39 else None


def _index_mhz(index: int) -> int | None:
    """Advertising channels stand outside the order of the others (Core 5.3 vol. 6 B 1.4.1)."""
    special = {37: 2402, 38: 2426, 39: 2480}
    if index in special:
        return special[index]
    if index <= 36:
        return 2404 + 2 * index + (2 if index > 10 else 0)
    return None


def _link_layer(
    packet: bytes, at: int, rssi: int | None, mhz: int | None, findings: list[Finding], check: bool
) -> Iterator[Heard]:
    if packet[at : at + 4] != _ADVERTISING_ACCESS or len(packet) < at + 6:
        return
    kind, size = packet[at + 4] & 0x0F, packet[at + 5]
    start, end = at + 6, at + 6 + size
    if kind not in _LEGACY and kind != _ADV_EXT_IND:
        return
    whole = end + _CRC_BYTES <= len(packet)
    if check and whole and _crc24(packet[at + 4 : end]) != packet[end : end + _CRC_BYTES]:
        return
    end = min(end, len(packet))
    if kind == _ADV_EXT_IND:
        yield from _extended(packet, start, end, rssi, mhz, findings)
    elif start + 6 <= end:
        address = packet[start : start + 6][::-1].hex(":")
        yield from _in_advertising(packet, start + 6, end, address, "bt4", rssi, mhz, findings)


def _extended(
    packet: bytes, start: int, end: int, rssi: int | None, mhz: int | None, findings: list[Finding]
) -> Iterator[Heard]:
    """An extended PDU: its header says where the advertising data start."""
    if start >= end:
        return
    size = packet[start] & 0x3F
    data = start + 1 + size
    if data > end or size < 7 or not packet[start + 1] & 0x01:
        return  # no address: the pointer to where the data are sent, or a later piece of them
    address = packet[start + 2 : start + 8][::-1].hex(":")
    yield from _in_advertising(packet, data, end, address, "bt5", rssi, mhz, findings)


def _in_advertising(
    packet: bytes,
    at: int,
    end: int,
    address: str,
    carrier: str,
    rssi: int | None,
    mhz: int | None,
    findings: list[Finding],
) -> Iterator[Heard]:
    while at + 1 < end:
        size = packet[at]
        if size == 0:
            return
        value = packet[at + 1 : min(at + 1 + size, end)]
        if value[0] == _SERVICE_DATA and value[1:4] == _REMOTE_ID:
            if len(value) < size:
                findings.append(cut(at, f"{carrier}.service_data", len(value), size))
            if len(value) > 5:
                yield Heard(address, value[4], value[5:], carrier, rssi, mhz)
            else:
                findings.append(broken(at, f"{carrier}.service_data", "no message"))
        at += 1 + size


def _hci(packet: bytes, at: int, findings: list[Finding]) -> Iterator[Heard]:
    if len(packet) < at + 5 or packet[at] != _EVENT or packet[at + 1] != _LE_META:
        return
    end, kind, count = min(len(packet), at + 3 + packet[at + 2]), packet[at + 3], packet[at + 4]
    if kind == _REPORT:
        yield from _reports(packet, at + 5, end, count, findings)
    elif kind == _EXTENDED_REPORT:
        yield from _extended_reports(packet, at + 5, end, count, findings)


def _reports(
    packet: bytes, at: int, end: int, count: int, findings: list[Finding]
) -> Iterator[Heard]:
    """One after the other, as controllers send them (their events hold one report)."""
    for _ in range(count):
        if at + _REPORT_BYTES > end:
            return
        address = packet[at + 2 : at + 8][::-1].hex(":")
        start = at + _REPORT_BYTES
        at = start + packet[at + 8] + 1
        rssi = struct.unpack_from("<b", packet, at - 1)[0] if at <= end else _NO_RSSI
        known = None if rssi == _NO_RSSI else rssi
        last = min(at - 1, end)
        yield from _in_advertising(packet, start, last, address, "bt4", known, None, findings)


def _extended_reports(
    packet: bytes, at: int, end: int, count: int, findings: list[Finding]
) -> Iterator[Heard]:
    for _ in range(count):
        if at + _EXTENDED_BYTES > end:
            return
        kind, rssi = struct.unpack_from("<H11xb", packet, at)
        address = packet[at + 3 : at + 9][::-1].hex(":")
        start = at + _EXTENDED_BYTES
        at = start + packet[start - 1]
        if kind & _STATUS_MASK:
            findings.append(broken(start, "bt5.report", "a piece of longer data"))
            continue
        carrier = "bt4" if kind & _LEGACY_BIT else "bt5"
        known = None if rssi == _NO_RSSI else rssi
        last = min(at, end)
        yield from _in_advertising(packet, start, last, address, carrier, known, None, findings)


def _table() -> tuple[int, ...]:
    """CRC-24 of the link layer, x^24+x^10+x^9+x^6+x^4+x^3+x+1, least significant bit first."""
    made = []
    for byte in range(256):
        crc = byte
        for _ in range(8):
            crc = crc >> 1 ^ (0xDA6000 if crc & 1 else 0)
        made.append(crc)
    return tuple(made)


_CRC24 = _table()


def _crc24(data: bytes) -> bytes:
    """As sent: the register's preset is 0x555555 on advertising channels (vol. 6 B 3.1.1)."""
    crc = 0xAAAAAA
    for byte in data:
        crc = crc >> 8 ^ _CRC24[(crc ^ byte) & 0xFF]
    return crc.to_bytes(3, "little")
