"""ADS-B from a receiver's Beast port or readsb's page, as batches of claimed positions.

Of a stream of single messages a place is known once two of them, an even and an odd one, agree
(global decode), or one lies near a place that is known (local decode). A surface position needs a
place within 45 NM to begin with: the receiver's own.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from skykeep.codec.aircraft_json import Aircraft
from skykeep.codec.aircraft_json import decode as decode_page
from skykeep.codec.beast import Frames, read_frame
from skykeep.codec.mode_s import Cpr, Squitter, decode, global_position, local_position
from skykeep.config import FeedSettings
from skykeep.core.event import Finding
from skykeep.core.geo import HeightReference
from skykeep.core.observation import Batch, Claim, Form, Observation, SensorKind, batch_of
from skykeep.errors import InputError
from skykeep.feed.adsb import (
    NAN,
    SIGMA_PRESSURE_ALTITUDE_M,
    SIGMAS,
    claim_of,
    height_of_feet,
    sigma_of_nac_p,
    velocity_of,
)
from skykeep.feed.contract import FeedKind
from skykeep.feed.findings import FindingLog
from skykeep.feed.inbox import Piece
from skykeep.feed.lines import empty_batch
from skykeep.units import (
    METRES_PER_FOOT,
    MPS_PER_FOOT_PER_MINUTE,
    MPS_PER_KNOT,
    NS_PER_S,
    BatchId,
)

#: Aircraft remembered between messages; one receiver sees some hundreds at most.
MOST_AIRCRAFT = 2_000
#: An even and an odd report further apart may lie in different zones (DO-260B, 2.2.10.3.1).
PAIR_NS = 10 * NS_PER_S
#: A place this old is none to decode by: an airliner crosses no half of a zone in it.
PLACE_NS = 180 * NS_PER_S
#: Velocity and height are sent twice a second; see feed/sbs1.
MAX_AGE_NS = 10 * NS_PER_S
#: Faster than anything with ADS-B, and what position and stamp may be off beside: a report further
#: from the last place belongs to another zone, or to nobody.
MOST_SPEED_MPS, SLACK_M = 400.0, 2_000.0
#: Farther than this a receiver on the ground hears nothing that flies.
MOST_RANGE_M = 600_000.0
_METRES_PER_DEG = 111_320.0
#: A drone's emitter category, by its letter and number (DO-260B, table 2-21).
UNMANNED = "B6"
#: One sigma of a position by multilateration: some hundred metres where receivers stand well.
SIGMA_MLAT_M = 150.0


@dataclass(slots=True)
class _Known:
    even: Cpr | None = None
    even_ns: int = 0
    odd: Cpr | None = None
    odd_ns: int = 0
    place: tuple[float, float] | None = None
    place_ns: int = 0
    doubted: int = 0
    callsign: str = ""
    category: str = ""
    velocity: tuple[float, float, float] = (NAN, NAN, NAN)
    velocity_ns: int = 0


class _Batches:
    """Rows to batches, findings with them."""

    def __init__(self, settings: FeedSettings) -> None:
        self.settings, self.log = settings, FindingLog()
        self._count, self._last_ns = 0, 0

    def made(self, rows: list[Observation], at_ns: int) -> Iterable[Batch]:
        self._last_ns = at_ns
        findings = self.log.drain()
        if not rows and not findings:
            return ()
        batch_id = self._next()
        if not rows:
            return (self._empty(batch_id, findings),)
        whole = [
            replace(o, batch_id=batch_id, row=k, receipt_time_ns=at_ns) for k, o in enumerate(rows)
        ]
        return (batch_of(whole, findings),)

    def last(self) -> Batch | None:
        findings = self.log.close(self.settings.feed_id)
        return self._empty(self._next(), findings) if findings else None

    def _next(self) -> BatchId:
        self._count += 1
        return BatchId(f"{self.settings.sensor_id}:{self._last_ns}:{self._count}")

    def _empty(self, batch_id: BatchId, findings: tuple[Finding, ...]) -> Batch:
        sensor_id = self.settings.sensor_id
        return empty_batch(batch_id, sensor_id, self._last_ns, Form.POSITION, findings)

    def row(
        self, at_ns: int, place: tuple[float, float], height: tuple[float, HeightReference],
        sigma_m: float, velocity: tuple[float, float, float], claim: Claim, digest: str,
    ) -> Observation:  # fmt: skip
        sigmas = (sigma_m, sigma_m, SIGMA_PRESSURE_ALTITUDE_M)
        return Observation(
            BatchId(""), 0, self.settings.sensor_id, at_ns, at_ns, Form.POSITION,
            (*place, height[0]), sigmas, velocity, height[1], None, claim, "", digest,
        )  # fmt: skip


class BeastDecoder:
    """Frames of a receiver's Beast port; see `feed.contract.Decoder`."""

    def __init__(self, settings: FeedSettings) -> None:
        self._out = _Batches(settings)
        self._known: dict[str, _Known] = {}
        self._frames = 0
        sensor = settings.sensors.get(settings.sensor_id)
        self._home = None if sensor is None else (sensor.lat_deg, sensor.lon_deg)

    def push(self, pieces: Sequence[Piece]) -> Iterable[Batch]:
        """The positions in some frames, as one batch, received when the last of them was."""
        rows: list[Observation] = []
        for piece in pieces:
            self._frames += 1
            frame = read_frame(piece.data)
            if frame is None or frame.kind not in (2, 3):
                continue
            try:
                said = decode(frame.data)
            except InputError as error:
                self._out.log.refuse(f"{self._out.settings.feed_id} frame {self._frames}", error)
                continue
            if said is not None and (row := self._take(said, piece, frame.is_mlat)) is not None:
                rows.append(row)
        return self._out.made(rows, pieces[-1].at_ns)

    def note(self, finding: Finding) -> None:
        """Add a finding about the stream itself to the next batch."""
        self._out.log.add(finding, finding.where)

    def close(self) -> Batch | None:
        """What is still to be said at the end."""
        return self._out.last()

    def _take(self, said: Squitter, piece: Piece, mlat: bool) -> Observation | None:
        known = self._known.pop(said.address, None) or _Known()
        self._known[said.address] = known  # the dictionary keeps the order of hearing
        if len(self._known) > MOST_AIRCRAFT:
            del self._known[next(iter(self._known))]
        if said.callsign is not None:
            known.callsign, known.category = said.callsign, said.category
        if said.east_kn is not None and said.north_kn is not None:
            up = said.vertical_rate_fpm
            known.velocity = (
                said.east_kn * MPS_PER_KNOT, said.north_kn * MPS_PER_KNOT,
                NAN if up is None else up * MPS_PER_FOOT_PER_MINUTE,
            )  # fmt: skip
            known.velocity_ns = piece.at_ns
        if said.position is None:
            return None
        place = self._place(known, said.position, piece.at_ns)
        if place is None:
            return None
        fresh = piece.at_ns - known.velocity_ns <= MAX_AGE_NS
        height = height_of_feet(said.pressure_ft)
        if said.hae_ft is not None:
            height = (said.hae_ft * METRES_PER_FOOT, HeightReference.HAE)
        crewed = None if said.anonymous else known.category != UNMANNED
        claim = claim_of(said.address, known.callsign, not said.on_ground)
        digest = hashlib.sha256(piece.data).hexdigest()
        sigma_m = SIGMA_MLAT_M if mlat or said.rebroadcast else SIGMAS[0]
        return self._out.row(
            piece.at_ns, place, height, sigma_m, known.velocity if fresh else (NAN, NAN, NAN),
            replace(claim, crewed=crewed), digest,
        )  # fmt: skip

    def _place(self, known: _Known, cpr: Cpr, at_ns: int) -> tuple[float, float] | None:
        """Where a report lies, where that is beyond doubt; what is known then is renewed."""
        if cpr.odd:
            known.odd, known.odd_ns = cpr, at_ns
        else:
            known.even, known.even_ns = cpr, at_ns
        found = None
        age_ns = at_ns - known.place_ns
        if known.place is not None and age_ns <= PLACE_NS:
            found = local_position(cpr, *known.place)
            reach_m = MOST_SPEED_MPS * age_ns / NS_PER_S + SLACK_M
            if found is not None and _apart_m(found, known.place) > reach_m:
                known.doubted += 1
                if known.doubted < 3:
                    return None
                known.place = found = None  # it is where the reports say, thrice
        if found is None and cpr.surface:
            found = None if self._home is None else local_position(cpr, *self._home)
        elif found is None:
            found = self._paired(known, cpr)
        if found is None or (self._home and _apart_m(found, self._home) > MOST_RANGE_M):
            return None
        known.place, known.place_ns, known.doubted = found, at_ns, 0
        return found

    def _paired(self, known: _Known, cpr: Cpr) -> tuple[float, float] | None:
        even, odd = known.even, known.odd
        if even is None or odd is None or abs(known.even_ns - known.odd_ns) > PAIR_NS:
            return None
        if even.surface or odd.surface:
            return None
        return global_position(even, odd, cpr.odd)


def _apart_m(one: tuple[float, float], other: tuple[float, float]) -> float:
    east = ((one[1] - other[1] + 180.0) % 360.0 - 180.0) * math.cos(math.radians(one[0]))
    return math.hypot(one[0] - other[0], east) * _METRES_PER_DEG


class PageDecoder:
    """Answers of readsb's page; each position once; see `feed.contract.Decoder`."""

    def __init__(self, settings: FeedSettings) -> None:
        self._out = _Batches(settings)
        self._said: dict[str, int] = {}

    def push(self, pieces: Sequence[Piece]) -> Iterable[Batch]:
        """The positions that some answers tell anew, as one batch."""
        rows = []
        for piece in pieces:
            try:
                aircraft, found = decode_page(piece.data)
            except InputError as error:
                self._out.log.refuse(self._out.settings.feed_id, error)
                continue
            for finding in found:
                self._out.log.add(finding, "aircraft")
            digest = hashlib.sha256(piece.data).hexdigest()
            for one in aircraft:
                # `now` and `seen_pos` are rounded to 0.1 s each: the same position moves a little.
                if one.at_ns <= self._said.get(one.icao24, 0) + NS_PER_S // 4:
                    continue
                self._said.pop(one.icao24, None)
                self._said[one.icao24] = one.at_ns
                if len(self._said) > MOST_AIRCRAFT:
                    del self._said[next(iter(self._said))]
                rows.append(self._row(one, digest))
        return self._out.made(rows, pieces[-1].at_ns)

    def note(self, finding: Finding) -> None:
        """Add a finding about the stream itself to the next batch."""
        self._out.log.add(finding, finding.where)

    def close(self) -> Batch | None:
        """What is still to be said at the end."""
        return self._out.last()

    def _row(self, one: Aircraft, digest: str) -> Observation:
        height = height_of_feet(one.pressure_ft)
        if one.pressure_ft is None and one.hae_ft is not None:
            height = (one.hae_ft * METRES_PER_FOOT, HeightReference.HAE)
        if one.is_mlat or one.kind.startswith("tisb"):
            sigma_m = SIGMA_MLAT_M
        else:
            sigma_m = sigma_of_nac_p(one.nac_p)
        claim = claim_of(one.icao24, one.callsign, not one.on_ground)
        crewed = None if one.anonymous else one.category != UNMANNED
        return self._out.row(
            one.at_ns, (one.lat_deg, one.lon_deg), height, sigma_m,
            velocity_of(one.ground_speed_kn, one.track_deg, one.vertical_rate_fpm),
            replace(claim, crewed=crewed), digest,
        )  # fmt: skip


KIND = FeedKind(
    "beast",
    "ADS-B as Beast binary, as dump1090 and readsb give it on port 30005",
    ("tcp",),
    (SensorKind.ADSB,),
    BeastDecoder,
    framer=Frames,
)
PAGE = FeedKind(
    "aircraft_json",
    "ADS-B as readsb's aircraft.json, asked for again and again",
    ("http", "https"),
    (SensorKind.ADSB,),
    PageDecoder,
    most_per_s=20,
    most_waiting=20,
    most_bytes=32_000_000,
)
