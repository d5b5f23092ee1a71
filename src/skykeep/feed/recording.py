"""Recorded files of any kind that we read, as one stream in order of receipt, with ticks."""

from __future__ import annotations

import gzip
import heapq
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from skykeep.core.event import Tick
from skykeep.core.observation import Batch, SensorKind
from skykeep.errors import InputError
from skykeep.feed import adsb_rows, jsonl, pcap, sbs1
from skykeep.units import NS_PER_S, SensorId

#: The clock ticks once a second; while nothing comes in it stops after this long, when
#: every track has ended, and goes on with the next input.
QUIET_TICKS_S = 75

_PCAP_MAGICS = (
    bytes.fromhex("d4c3b2a1"),
    bytes.fromhex("a1b2c3d4"),
    bytes.fromhex("4d3cb2a1"),
    bytes.fromhex("a1b23c4d"),
    bytes.fromhex("0a0d0d0a"),
)


class Recording:
    """One recorded file: its kind, found from its content, and its batches."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.sensor_id = SensorId(path.name)
        self.kind, self.form = _recognise(path)

    def batches(self) -> Iterator[Batch]:
        """The file's batches; InputError when it cannot be read at all."""
        if self.form == "pcap":
            return pcap.read_pcap(self.path, self.sensor_id)
        if self.form == "adsb":
            return adsb_rows.read_rows(self.path, self.sensor_id)
        if self.form == "sbs1":
            return sbs1.read_file(self.path, self.sensor_id)
        return jsonl.read_file(self.path)


def _recognise(path: Path) -> tuple[SensorKind | None, str]:
    """What a file is. JSON lines name their own sensors, so they have no kind."""
    try:
        with path.open("rb") as file:
            head = file.read(4096)
        if head[:2] == b"\x1f\x8b":
            with gzip.open(path) as unpacked:
                head = unpacked.read(4096)
    except (OSError, EOFError) as error:
        reason = getattr(error, "strerror", None) or "it is cut short or not gzip"
        raise InputError(str(path), f"cannot be read ({reason})", "Check the file") from None
    if head[:4] in _PCAP_MAGICS:
        return SensorKind.REMOTE_ID, "pcap"
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n")
    if text.startswith(b"["):
        return SensorKind.ADSB, "adsb"
    if text.startswith((b"MSG,", b"SEL,", b"ID,", b"AIR,", b"STA,", b"CLK,")):
        return SensorKind.ADSB, "sbs1"
    if text.startswith(b"{") or path.suffix in (".jsonl", ".ndjson"):
        return None, "jsonl"
    raise InputError(
        str(path),
        "is no recording that Skykeep knows",
        "Give a pcap, an ADS-B recording (JSON array, .json.gz), SBS-1 or JSON lines",
    )


def merged(streams: Sequence[Iterator[Batch]]) -> Iterator[Batch | Tick]:
    """All batches in order of receipt, each second of the recordings ended by a tick.

    Within a stream the order of the file holds; a batch without a receipt time (a feed's
    last word on a file) comes where it stands.
    """
    last_ns = 0
    for batch in heapq.merge(*map(_in_order, streams), key=_receipt):
        now_ns = max(last_ns, _receipt(batch))
        if last_ns:
            yield from _ticks(last_ns, now_ns)
        yield batch
        last_ns = now_ns
    if last_ns:
        yield from _ticks(last_ns, last_ns + (QUIET_TICKS_S + 1) * NS_PER_S)


def _receipt(batch: Batch) -> int:
    return batch.receipt_time_ns


def _in_order(stream: Iterator[Batch]) -> Iterator[Batch]:
    """A stream whose times never go back: what a file holds late was received late."""
    newest_ns = 0
    for batch in stream:
        newest_ns = max(newest_ns, batch.receipt_time_ns)
        yield batch if batch.receipt_time_ns == newest_ns else _received(batch, newest_ns)


def _received(batch: Batch, at_ns: int) -> Batch:
    return replace(batch, receipt_time_ns=at_ns)


def _ticks(from_ns: int, to_ns: int) -> Iterator[Tick]:
    """The whole seconds after `from_ns` up to `to_ns`, but not through a long silence."""
    first = from_ns // NS_PER_S + 1
    last = min(to_ns // NS_PER_S, first + QUIET_TICKS_S)
    for second in range(first, last + 1):
        yield Tick(second * NS_PER_S)
