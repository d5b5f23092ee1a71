"""Another system's tracks as Cursor on Target (XML or TAK protobuf), as upstream tracks.

What flies (types `a-?-A...`) is a track of that system, fused as one and never as a plot; its
affiliation says nothing here. Other events are passed over, and so are those whose uid begins as
the option `own_uid` says: what Skykeep itself sent must not come back as evidence.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Sequence

from skykeep.codec.cot import MAGIC, UNKNOWN_M, CotEvent, CotSplitter, decode_xml
from skykeep.codec.cot_protobuf import decode_protobuf
from skykeep.config import FeedSettings
from skykeep.core.event import Finding
from skykeep.core.geo import HeightReference
from skykeep.core.observation import Batch, Form, Observation, SensorKind, batch_of
from skykeep.errors import InputError
from skykeep.feed.contract import FeedKind, option
from skykeep.feed.findings import FindingLog
from skykeep.feed.inbox import Piece
from skykeep.feed.lines import empty_batch
from skykeep.units import BatchId

NAN = math.nan
#: Where an event does not say how good its place is: the order of a tracker of small drones.
SIGMA_M, SIGMA_HEIGHT_M = 50.0, 100.0
#: Faster than this a `speed` is a slip of a unit.
MOST_SPEED_MPS = 1_000.0
_FRAME = bytes([MAGIC])
#: A datagram of protocol 1 begins so: magic, version, magic.
_MESH = bytes([MAGIC, 1, MAGIC])


class Events:
    """Cuts a TAK stream into events; a protobuf one keeps one byte that says so."""

    def __init__(self) -> None:
        self._splitter = CotSplitter()

    def push(self, data: bytes) -> Sequence[bytes]:
        """The events that are whole now; InputError for a stream that is none."""
        return [_FRAME + part if binary else part for binary, part in self._splitter.feed(data)]


class CotDecoder:
    """Events of a TAK stream or mesh, as batches; see `feed.contract.Decoder`."""

    def __init__(self, settings: FeedSettings) -> None:
        self._settings, self._log = settings, FindingLog()
        self._own = str(option(settings, "own_uid", "", str) or "")
        self._batches, self._events, self._last_ns = 0, 0, 0

    def push(self, pieces: Sequence[Piece]) -> Iterable[Batch]:
        """The tracks in some events, as one batch, received when the last of them was."""
        rows: list[Observation] = []
        self._last_ns = pieces[-1].at_ns
        for piece in pieces:
            self._events += 1
            try:
                event = _event(piece.data)
            except InputError as error:
                self._log.refuse(f"{self._settings.feed_id} event {self._events}", error)
                continue
            if event is not None and self._flies(event):
                rows.append(self._row(len(rows), event, piece.data))
        findings = self._log.drain()
        if not rows and not findings:
            return ()
        return (batch_of(rows, findings),) if rows else (self._empty(findings),)

    def note(self, finding: Finding) -> None:
        """Add a finding about the stream itself to the next batch."""
        self._log.add(finding, finding.where)

    def close(self) -> Batch | None:
        """What is still to be said at the end."""
        findings = self._log.close(self._settings.feed_id)
        return self._empty(findings) if findings else None

    def _flies(self, event: CotEvent) -> bool:
        parts = event.type.split("-")
        if len(parts) < 3 or parts[0] != "a" or parts[2] != "A" or not event.uid:
            return False
        return not (self._own and event.uid.startswith(self._own))

    def _row(self, row: int, event: CotEvent, raw: bytes) -> Observation:
        if not row:
            self._batches += 1
        level_m = event.ce_m if 0.0 < event.ce_m < UNKNOWN_M else SIGMA_M
        up_m = event.le_m if 0.0 < event.le_m < UNKNOWN_M else SIGMA_HEIGHT_M
        known = event.hae_m < UNKNOWN_M
        return Observation(
            self._batch_id(), row, self._settings.sensor_id, event.time_ns, self._last_ns,
            Form.TRACK,
            (event.lat_deg, event.lon_deg, event.hae_m if known else NAN),
            (level_m, level_m, up_m if known else NAN),
            _velocity(event),
            HeightReference.HAE if known else HeightReference.NONE,
            None, None, "", hashlib.sha256(raw).hexdigest(), event.uid[:200],
        )  # fmt: skip

    def _batch_id(self) -> BatchId:
        return BatchId(f"{self._settings.sensor_id}:{self._last_ns}:{self._batches}")

    def _empty(self, findings: tuple[Finding, ...]) -> Batch:
        self._batches += 1
        sensor_id = self._settings.sensor_id
        return empty_batch(self._batch_id(), sensor_id, self._last_ns, Form.TRACK, findings)


def _event(data: bytes) -> CotEvent | None:
    if data.startswith(_MESH):
        return decode_protobuf(data[len(_MESH) :])
    return decode_protobuf(data[1:]) if data.startswith(_FRAME) else decode_xml(data)


def _velocity(event: CotEvent) -> tuple[float, float, float]:
    """East, north, up in m/s of the detail's `track`; NaN where it says nothing usable."""
    track = event.find("track")
    try:
        course = math.radians(float(track.get("course"))) if track is not None else NAN
        speed = float(track.get("speed")) if track is not None else NAN
    except ValueError:
        return NAN, NAN, NAN
    if not (math.isfinite(course) and 0.0 <= speed <= MOST_SPEED_MPS):
        return NAN, NAN, NAN
    return speed * math.sin(course), speed * math.cos(course), NAN


KIND = FeedKind(
    "cot",
    "another system's tracks as Cursor on Target, XML or TAK protobuf",
    ("tcp", "udp"),
    (SensorKind.UPSTREAM,),
    CotDecoder,
    framer=Events,
    options=("own_uid",),
)
