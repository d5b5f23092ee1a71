"""SBS-1 lines from a file or a receiver's TCP port 30003, as batches of positions."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from skykeep.codec.sbs1 import MAX_LINE_BYTES, Sbs1Message, decode_line, is_other_line
from skykeep.config import FeedSettings
from skykeep.core.event import Finding, Severity
from skykeep.core.observation import Batch, Form, Observation, SensorKind, batch_of
from skykeep.errors import InputError
from skykeep.feed.adsb import NAN, SIGMAS, claim_of, height_of_feet, velocity_of
from skykeep.feed.contract import FeedKind
from skykeep.feed.findings import FindingLog
from skykeep.feed.framers import Lines
from skykeep.feed.inbox import Piece
from skykeep.feed.lines import empty_batch, read_lines, too_long
from skykeep.units import NS_PER_S, BatchId, SensorId

#: Aircraft remembered between messages; one receiver sees some hundreds at most.
MAX_AIRCRAFT = 2_000
#: Velocity and altitude are sent twice a second (ICAO Doc 9871); ten seconds bridge bad
#: reception, longer would join a position to a velocity from before a turn.
MAX_AGE_NS = 10 * NS_PER_S
#: An extended squitter takes 120 microseconds (ICAO Annex 10 vol. IV, 3.1.2.3): a channel full of
#: them from end to end carries this many a second, and no receiver can hear more.
MAX_LINES_PER_S = 8_333


@dataclass(slots=True)
class _Aircraft:
    callsign: str = ""
    on_ground: bool | None = None
    altitude_ft: float | None = None
    altitude_at_ns: int = 0
    ground_speed_kn: float | None = None
    track_deg: float | None = None
    vertical_rate_fpm: float | None = None
    velocity_at_ns: int = 0

    def learn(self, m: Sbs1Message) -> None:
        if m.callsign is not None:
            self.callsign = m.callsign
        if m.on_ground is not None:
            self.on_ground = m.on_ground
        elif m.transmission_type == 2:  # a surface position says so by its kind
            self.on_ground = True
        if m.altitude_ft is not None:
            self.altitude_ft, self.altitude_at_ns = m.altitude_ft, m.event_time_ns
        if m.ground_speed_kn is not None and m.track_deg is not None:
            self.ground_speed_kn, self.track_deg = m.ground_speed_kn, m.track_deg
            self.vertical_rate_fpm = m.vertical_rate_fpm
            self.velocity_at_ns = m.event_time_ns


class Sbs1Assembler:
    """Joins the lines of one receiver: each position with what was last said of its aircraft.

    Bounded: the aircraft that was heard longest ago is forgotten at `MAX_AIRCRAFT`.
    """

    def __init__(self, sensor_id: SensorId, where: str = "") -> None:
        self._sensor_id = sensor_id
        self._where = where or str(sensor_id)
        self._aircraft: dict[str, _Aircraft] = {}
        self._log = FindingLog()
        self._lines = 0
        self._batches = 0
        self._last_ns: int | None = None

    def push(self, lines: Iterable[bytes], receipt_time_ns: int | None) -> Batch | None:
        """The positions in some lines, and what was found amiss; None if there is neither.

        `receipt_time_ns` None means a recording: each time in it is taken as it stands.
        Lines that cannot be read become findings.
        """
        rows: list[Observation] = []
        for line in lines:
            self._lines += 1
            message = self._decode(line, receipt_time_ns)
            if message is None:
                continue
            aircraft = self._heard(message.icao24)
            aircraft.learn(message)
            if message.lat_deg is not None:
                digest = hashlib.sha256(line).hexdigest()
                rows.append(_observation(len(rows), self._sensor_id, message, aircraft, digest))
        if receipt_time_ns is None and rows:
            self._log.once(
                Finding(
                    self._where,
                    "a recording has no receipt time",
                    "received when generated, times in UTC",
                    Severity.NOTE,
                )
            )
            receipt_time_ns = max(o.event_time_ns for o in rows)
        self._last_ns = receipt_time_ns or self._last_ns
        if self._last_ns is None:
            return None  # a recording's findings wait for its first time
        return self._batch(rows, self._last_ns, self._log.drain())

    def note(self, finding: Finding) -> None:
        """Add a finding about the stream itself to the next batch."""
        self._log.add(finding, finding.where)

    def skip(self, error: InputError) -> None:
        """Count a line that the source did not keep, with the reason as a finding."""
        self._lines += 1
        self._log.refuse(f"{self._where} line {self._lines}", error)

    def close(self) -> Batch | None:
        """What is still to be said at the end of the stream, in a batch without rows."""
        return self._batch([], self._last_ns or 0, self._log.close(self._where))

    def _decode(self, line: bytes, receipt_time_ns: int | None) -> Sbs1Message | None:
        if is_other_line(line):
            return None
        where = f"{self._where} line {self._lines}"
        try:
            message = decode_line(line, receipt_time_ns)
        except InputError as e:
            self._log.refuse(where, e)
            return None
        for f in message.findings:
            placed = Finding(f"{where}: {f.where}", f.problem, f.assumed, f.severity)
            self._log.once(placed)
        return message

    def _heard(self, icao24: str) -> _Aircraft:
        aircraft = self._aircraft.pop(icao24, None) or _Aircraft()
        self._aircraft[icao24] = aircraft  # the dictionary keeps the order of hearing
        if len(self._aircraft) > MAX_AIRCRAFT:
            del self._aircraft[next(iter(self._aircraft))]
            problem = f"over {MAX_AIRCRAFT} aircraft at once"
            self._log.once(
                Finding(self._where, problem, "those longest unheard forgotten", Severity.WARNING)
            )
        return aircraft

    def _batch(
        self,
        rows: list[Observation],
        receipt_time_ns: int,
        findings: tuple[Finding, ...],
    ) -> Batch | None:
        if not rows and not findings:
            return None
        self._batches += 1
        batch_id = BatchId(f"{self._sensor_id}:{receipt_time_ns}:{self._batches}")
        if not rows:
            return empty_batch(batch_id, self._sensor_id, receipt_time_ns, Form.POSITION, findings)
        whole = [replace(o, batch_id=batch_id, receipt_time_ns=receipt_time_ns) for o in rows]
        return batch_of(whole, findings)


def _observation(
    row: int, sensor_id: SensorId, m: Sbs1Message, aircraft: _Aircraft, raw_sha256: str
) -> Observation:
    """A row as known when its line came; the batch's own id and time follow when it is whole."""
    fresh = abs(m.event_time_ns - aircraft.velocity_at_ns) <= MAX_AGE_NS
    velocity = (
        velocity_of(aircraft.ground_speed_kn, aircraft.track_deg, aircraft.vertical_rate_fpm)
        if fresh
        else (NAN, NAN, NAN)
    )
    known = abs(m.event_time_ns - aircraft.altitude_at_ns) <= MAX_AGE_NS
    height_m, reference = height_of_feet(aircraft.altitude_ft if known else None)
    airborne = None if aircraft.on_ground is None else not aircraft.on_ground
    lat = NAN if m.lat_deg is None else m.lat_deg
    lon = NAN if m.lon_deg is None else m.lon_deg
    return Observation(
        batch_id=BatchId(""),
        row=row,
        sensor_id=sensor_id,
        event_time_ns=m.event_time_ns,
        receipt_time_ns=m.receipt_time_ns,
        form=Form.POSITION,
        values=(lat, lon, height_m),
        sigmas=SIGMAS,
        velocity_mps=velocity,
        height_reference=reference,
        kind_likelihood=None,
        claim=claim_of(m.icao24, aircraft.callsign, airborne),
        words="",
        raw_sha256=raw_sha256,
    )


def read_file(path: Path, sensor_id: SensorId) -> Iterator[Batch]:
    """A recording's positions in its own order, one batch a line; findings beside them.

    Raises InputError when the file cannot be read. A last batch without rows carries what
    was left to say; its receipt time is 0 if the recording held no position at all.
    """
    assembler = Sbs1Assembler(sensor_id, path.name)
    for _, line in read_lines(path, MAX_LINE_BYTES):
        if line is None:
            assembler.skip(too_long(MAX_LINE_BYTES))
        elif (batch := assembler.push([line], None)) is not None:
            yield batch
    if (last := assembler.close()) is not None:
        yield last


class Sbs1Decoder:
    """What a receiver's port says, as batches; see `feed.contract.Decoder`."""

    def __init__(self, settings: FeedSettings) -> None:
        self._assembler = Sbs1Assembler(settings.sensor_id, settings.feed_id)

    def push(self, pieces: Sequence[Piece]) -> Iterable[Batch]:
        """The positions in some lines, as one batch, received when the last of them was."""
        batch = self._assembler.push([piece.data for piece in pieces], pieces[-1].at_ns)
        return () if batch is None else (batch,)

    def note(self, finding: Finding) -> None:
        """Add a finding about the stream itself to the next batch."""
        self._assembler.note(finding)

    def close(self) -> Batch | None:
        """What is still to be said at the end."""
        return self._assembler.close()


KIND = FeedKind(
    "sbs1",
    "ADS-B as SBS-1 lines (BaseStation), as dump1090 and readsb give them on port 30003",
    ("tcp",),
    (SensorKind.ADSB,),
    Sbs1Decoder,
    framer=lambda: Lines(MAX_LINE_BYTES),
    most_per_s=MAX_LINES_PER_S,
)
