"""SBS-1 lines from a file or a receiver's TCP port 30003, as batches of positions."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from skykeep.codec.sbs1 import (
    MAX_CLOCK_DIFFERENCE_NS,
    MAX_LINE_BYTES,
    decode_line,
    is_other_line,
)
from skykeep.codec.sbs1_batch import read_lines as read_usual
from skykeep.config import FeedSettings
from skykeep.core.event import Finding, Severity
from skykeep.core.observation import Batch, Claim, Form, SensorKind
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
    """What was last said of an aircraft, and the claim that it makes by it."""

    icao24: str
    callsign: str = ""
    on_ground: bool | None = None
    altitude_ft: float | None = None
    altitude_at_ns: int = 0
    velocity_mps: tuple[float, float, float] = (NAN, NAN, NAN)
    velocity_at_ns: int = 0
    claim: Claim | None = None

    def learn(self, m: _Said) -> None:
        callsign = self.callsign if m.callsign is None else m.callsign
        on_ground = self.on_ground if m.on_ground is None else m.on_ground
        if m.on_ground is None and m.kind == 2:  # a surface position says so by its kind
            on_ground = True
        if self.claim is None or (callsign, on_ground) != (self.callsign, self.on_ground):
            self.callsign, self.on_ground = callsign, on_ground
            airborne = None if on_ground is None else not on_ground
            self.claim = claim_of(self.icao24, callsign, airborne)
        if m.altitude_ft is not None:
            self.altitude_ft, self.altitude_at_ns = m.altitude_ft, m.at_ns
        if m.ground_speed_kn is not None and m.track_deg is not None:
            self.velocity_mps = velocity_of(m.ground_speed_kn, m.track_deg, m.vertical_rate_fpm)
            self.velocity_at_ns = m.at_ns


class _Said(NamedTuple):
    """A line's values, None for what it does not say."""

    kind: int
    icao24: str
    at_ns: int
    altitude_ft: float | None
    ground_speed_kn: float | None
    track_deg: float | None
    lat_deg: float | None
    lon_deg: float | None
    vertical_rate_fpm: float | None
    on_ground: bool | None
    callsign: str | None


@dataclass(slots=True)
class _Rows:
    """The positions of a batch while it grows, as columns."""

    times_ns: list[int] = field(default_factory=list)
    values: list[tuple[float, float, float]] = field(default_factory=list)
    velocities_mps: list[tuple[float, float, float]] = field(default_factory=list)
    references: list[int] = field(default_factory=list)
    claims: list[Claim | None] = field(default_factory=list)
    raw_sha256: list[str] = field(default_factory=list)

    def add(self, m: _Said, aircraft: _Aircraft, line: bytes) -> None:
        fresh = abs(m.at_ns - aircraft.velocity_at_ns) <= MAX_AGE_NS
        known = abs(m.at_ns - aircraft.altitude_at_ns) <= MAX_AGE_NS
        height_m, reference = height_of_feet(aircraft.altitude_ft if known else None)
        self.times_ns.append(m.at_ns)
        self.values.append((m.lat_deg or 0.0, m.lon_deg or 0.0, height_m))
        self.velocities_mps.append(aircraft.velocity_mps if fresh else _NO_VELOCITY)
        self.references.append(reference)
        self.claims.append(aircraft.claim)
        self.raw_sha256.append(hashlib.sha256(line).hexdigest())


_NO_VELOCITY = (NAN, NAN, NAN)


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
        rows = _Rows()
        lines = list(lines)
        for line, said in zip(lines, _usual(lines, receipt_time_ns), strict=True):
            self._lines += 1
            message = said or self._decode(line, receipt_time_ns)
            if message is None:
                continue
            aircraft = self._heard(message.icao24)
            aircraft.learn(message)
            if message.lat_deg is not None:
                rows.add(message, aircraft, line)
        if receipt_time_ns is None and rows.times_ns:
            self._log.once(
                Finding(
                    self._where,
                    "a recording has no receipt time",
                    "received when generated, times in UTC",
                    Severity.NOTE,
                )
            )
            receipt_time_ns = max(rows.times_ns)
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
        return self._batch(_Rows(), self._last_ns or 0, self._log.close(self._where))

    def _decode(self, line: bytes, receipt_time_ns: int | None) -> _Said | None:
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
        m = message
        return _Said(
            m.transmission_type, m.icao24, m.event_time_ns, m.altitude_ft, m.ground_speed_kn,
            m.track_deg, m.lat_deg, m.lon_deg, m.vertical_rate_fpm, m.on_ground, m.callsign,
        )  # fmt: skip

    def _heard(self, icao24: str) -> _Aircraft:
        aircraft = self._aircraft.pop(icao24, None) or _Aircraft(icao24)
        self._aircraft[icao24] = aircraft  # the dictionary keeps the order of hearing
        if len(self._aircraft) > MAX_AIRCRAFT:
            del self._aircraft[next(iter(self._aircraft))]
            problem = f"over {MAX_AIRCRAFT} aircraft at once"
            self._log.once(
                Finding(self._where, problem, "those longest unheard forgotten", Severity.WARNING)
            )
        return aircraft

    def _batch(
        self, rows: _Rows, receipt_time_ns: int, findings: tuple[Finding, ...]
    ) -> Batch | None:
        n = len(rows.times_ns)
        if not n and not findings:
            return None
        self._batches += 1
        batch_id = BatchId(f"{self._sensor_id}:{receipt_time_ns}:{self._batches}")
        if not n:
            return empty_batch(batch_id, self._sensor_id, receipt_time_ns, Form.POSITION, findings)
        return Batch(
            batch_id,
            self._sensor_id,
            receipt_time_ns,
            Form.POSITION,
            event_time_ns=np.array(rows.times_ns, np.int64),
            values=np.array(rows.values, np.float64),
            sigmas=np.tile(np.array(SIGMAS, np.float64), (n, 1)),
            velocities_mps=np.array(rows.velocities_mps, np.float64),
            height_references=np.array(rows.references, np.int8),
            claims=tuple(rows.claims),
            words=("",) * n,
            raw_sha256=tuple(rows.raw_sha256),
            findings=findings,
        )


def _usual(lines: Sequence[bytes], receipt_time_ns: int | None) -> list[_Said | None]:
    """What the usual lines say; None for those that the literal decoder has to look at."""
    read = read_usual(lines)
    kinds, times = read.kind.tolist(), read.event_time_ns.tolist()
    icao24, ground = read.icao24.tolist(), read.on_ground.tolist()
    callsigns = read.callsign.tolist()
    values: Any = read.numbers.astype(object)
    values[np.isnan(read.numbers)] = None
    numbers = values.tolist()
    found: list[_Said | None] = []
    for i, kind in enumerate(kinds):
        off_ns = 0 if receipt_time_ns is None else abs(receipt_time_ns - times[i])
        if not kind or off_ns > MAX_CLOCK_DIFFERENCE_NS:
            found.append(None)
            continue
        begin, end = callsigns[i]
        callsign = lines[i][begin:end].decode("ascii") if end > begin else None
        altitude_ft, speed_kn, track_deg, lat_deg, lon_deg, rate_fpm = numbers[i]
        found.append(
            _Said(
                kind, f"{icao24[i]:06x}", times[i], altitude_ft, speed_kn, track_deg, lat_deg,
                lon_deg, rate_fpm, _ON_GROUND[ground[i]], callsign,
            )
        )  # fmt: skip
    return found


_ON_GROUND = {-1: None, 0: False, 1: True}


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
