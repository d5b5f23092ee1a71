"""DroneScout receivers' MQTT messages: JSON around a base64 `ODID_UAS_Data`.

    {"protocol": 1.0, "data": {"sensor ID": "ds-1", "RSSI": -67, "channel": 6,
     "timestamp": 1757640000123, "MAC address": "AA:BB:CC:DD:EE:FF", "type": "WLAN beacon",
     "UASdata": "..."}}
    {"protocol": 1.0, "status": {"sensor ID": "ds-1", ...}}

Source: BlueMark's manual and reference subscriber (MIT) for ds230, ds240 and others. A message
may be compressed (xz or LZMA) and end with a zero byte or a line feed. The timestamp is the
receiver's own clock, in milliseconds since 1970.
"""

from __future__ import annotations

import base64
import binascii
import lzma
from dataclasses import dataclass

import msgspec

from skykeep.codec.odid_struct import decode_struct
from skykeep.codec.remote_id_messages import Message
from skykeep.errors import InputError

#: A data message has some 1,600 bytes; what unpacks to more is none.
MAX_JSON_BYTES = 65_536
_MEMORY_BYTES = 16_000_000
_XZ, _LZMA = b"\xfd7zXZ\0", b"\x5d\0\0"


class _Data(msgspec.Struct, kw_only=True):
    uas_data: str = msgspec.field(name="UASdata")
    mac: str = msgspec.field(name="MAC address")
    sensor: str = msgspec.field(name="sensor ID", default="")
    rssi: float | None = msgspec.field(name="RSSI", default=None)
    timestamp: float | None = None
    type: str = ""


class _Status(msgspec.Struct, kw_only=True):
    sensor: str = msgspec.field(name="sensor ID", default="")
    status: str = ""


class _Message(msgspec.Struct, kw_only=True):
    protocol: float = 1.0
    data: _Data | None = None
    status: _Status | None = None


@dataclass(frozen=True, slots=True)
class Scouted:
    """What one receiver heard from one transmitter; no messages in a status report.

    `at_ns` is the receiver's own time (UTC), None where it states none.
    """

    receiver: str
    transmitter: str
    messages: tuple[Message, ...]
    rssi_dbm: int | None
    at_ns: int | None
    carrier: str


def decode_scouted(payload: bytes) -> Scouted:
    """One MQTT message; InputError where it is none, or its structure of unknown size."""
    text = _unpacked(payload).rstrip(b"\0\n\r ")
    try:
        said = msgspec.json.decode(text, type=_Message)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InputError("message", str(error), "Send DroneScout's JSON.") from None
    if not 1.0 <= said.protocol < 2.0:
        raise InputError("protocol", f"is {said.protocol}", "Protocol 1.0 is known.")
    if said.data is None:
        if said.status is None:
            raise InputError("message", "neither data nor status", "Send one of the two.")
        return Scouted(said.status.sensor[:100], "", (), None, None, "")
    d = said.data
    try:
        raw = base64.b64decode(d.uas_data, validate=True)
    except (binascii.Error, ValueError):
        raise InputError("data.UASdata", "is no base64", "Send it whole.") from None
    if not d.mac or len(d.mac) > 60 or not d.mac.isprintable():
        raise InputError("data.MAC address", "is no address", "Send the transmitter's.")
    rssi = None if d.rssi is None or not -200.0 <= d.rssi <= 50.0 else round(d.rssi)
    at_ns = None
    if d.timestamp is not None and 0.0 < d.timestamp < 7e12:
        at_ns = round(d.timestamp) * 1_000_000
    return Scouted(d.sensor[:100], d.mac.lower(), decode_struct(raw), rssi, at_ns, d.type[:40])


def _unpacked(payload: bytes) -> bytes:
    if payload.startswith((_XZ, _LZMA)):
        try:
            unpacker = lzma.LZMADecompressor(lzma.FORMAT_AUTO, _MEMORY_BYTES)
            payload = unpacker.decompress(payload, MAX_JSON_BYTES + 1)
        except (lzma.LZMAError, EOFError, MemoryError):
            raise InputError("message", "cannot be unpacked", "Send it whole.") from None
    if len(payload) > MAX_JSON_BYTES:
        raise InputError("message", f"over {MAX_JSON_BYTES} bytes", "Send one aircraft a message.")
    return payload
