"""Captured Wi-Fi and Bluetooth with Remote ID, from a file, as batches of claimed positions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from skykeep.codec.capture import find_remote_id
from skykeep.codec.pcap import Packet, read_packets
from skykeep.codec.remote_id_auth import AircraftKey
from skykeep.core.event import Finding, Severity
from skykeep.core.observation import Batch
from skykeep.errors import InputError
from skykeep.feed.lines import unreadable
from skykeep.feed.remote_id import Assembler, Counts
from skykeep.feed.remote_id import Packet as Sent
from skykeep.units import SensorId


@dataclass(slots=True)
class CaptureCounts:
    """What a capture held so far: `frames` = `ours` + `not_ours` + `no_radio` + `undated`."""

    frames: int = 0
    ours: int = 0  # frames with Remote ID
    not_ours: int = 0  # other Wi-Fi or Bluetooth, neither decoded nor kept
    no_radio: int = 0  # packets of another link type
    undated: int = 0  # frames with Remote ID but without a time, left out
    findings: int = 0  # faults of the file and its frames, before like ones are merged
    #: Of what was heard, by `Heard.carrier`.
    carriers: Counter[str] = field(default_factory=Counter, compare=False)


class CaptureFeed(Iterator[Batch]):
    """The batches of one capture, read as they are asked for.

    `counts` (of frames) and `remote_id` (of messages) grow as the file is read;
    `bytes_read` of `bytes_total` tells how far.
    """

    def __init__(
        self,
        path: Path,
        sensor_id: SensorId,
        *,
        operator_positions: bool,
        dji: bool,
        keys: Sequence[AircraftKey],
    ) -> None:
        self.counts = CaptureCounts()
        self.bytes_read = 0
        self._path = path
        self._dji = dji
        self._assembler = Assembler(sensor_id, operator_positions=operator_positions, keys=keys)
        self._linktypes: set[int] = set()
        try:
            self.bytes_total = path.stat().st_size
        except OSError as e:
            raise unreadable(path, e) from e
        self._batches = self._read()

    @property
    def remote_id(self) -> Counts:
        """What the messages in the capture held so far."""
        return self._assembler.counts

    def __iter__(self) -> Iterator[Batch]:
        return self

    def __next__(self) -> Batch:
        return next(self._batches)

    def _read(self) -> Iterator[Batch]:
        try:
            with self._path.open("rb") as file:
                for item in read_packets(file):
                    if isinstance(item, Finding):
                        self._note(item)
                    else:
                        self.bytes_read = item.offset
                        yield from self._packet(item)
        except OSError as e:
            raise unreadable(self._path, e) from e
        except InputError as e:
            raise InputError(f"{self._path}: {e.where}", e.problem, e.mend) from e
        self.bytes_read = self.bytes_total
        last = self._assembler.close()
        if last is not None:
            yield last

    def _packet(self, packet: Packet) -> Iterator[Batch]:
        self.counts.frames += 1
        found = find_remote_id(packet.linktype, packet.data, dji=self._dji)
        if found is None:
            self.counts.no_radio += 1
            if packet.linktype not in self._linktypes:
                self._linktypes.add(packet.linktype)
                self._note(
                    Finding(
                        f"byte {packet.offset}: packet.linktype",
                        f"link type {packet.linktype} is no radio that is known",
                        "these packets are left out",
                        Severity.WARNING,
                    )
                )
            return
        heard, findings = found
        for f in findings:
            where = f"packet at byte {packet.offset}, {f.where}"
            self._note(Finding(where, f.problem, f.assumed, f.severity))
        if not heard:
            self.counts.not_ours += 1
        elif packet.at_ns is None:
            self.counts.undated += 1
        else:
            self.counts.ours += 1
            for h in heard:
                self.counts.carriers[h.carrier] += 1
                packed = Sent(packet.at_ns, h.transmitter, h.messages, h.carrier)
                batch = self._assembler.take((packed,))
                if batch is not None:
                    yield batch

    def _note(self, finding: Finding) -> None:
        self.counts.findings += 1
        placed = f"{self._path.name}: {finding.where}"
        self._assembler.note(Finding(placed, finding.problem, finding.assumed, finding.severity))


def read_pcap(
    path: Path,
    sensor_id: SensorId,
    *,
    operator_positions: bool = False,
    dji: bool = False,
    keys: Sequence[AircraftKey] = (),
) -> CaptureFeed:
    """The Remote ID in a pcap or pcapng of Wi-Fi or Bluetooth packets, in the file's order.

    `operator_positions` and `dji` (DJI's own beacons) are for sites with a legal basis for them.

    The capture's times are the receipt times. Raises InputError when the file cannot be
    read (at once) or is no capture at all (at the first batch); a file that is broken
    further on gives what stands before and a finding.
    """
    return CaptureFeed(path, sensor_id, operator_positions=operator_positions, dji=dji, keys=keys)
