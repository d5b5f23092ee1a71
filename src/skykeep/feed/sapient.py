"""SAPIENT nodes (BSI Flex 335 v2.0) that connect to us, as batches of their sensors.

A node is a sensor of the site (option `nodes`). What it measures are plots or bearings; what it
tracks comes as tracks of another system, and only where its sensor is of kind `upstream`. Its
alerts, warnings and refusals are kept as findings: they raise no alert of ours.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from skykeep.codec.sapient import content_of, faults, is_plain_detection, parse, uuid_of
from skykeep.codec.sapient_report import (
    Node,
    Place,
    Seen,
    Status,
    alert_words,
    node_of,
    seen_of,
    status_of,
)
from skykeep.config import FeedSettings
from skykeep.core.event import Finding, Severity
from skykeep.core.geo import F64, HeightReference, geodetic_of, metres_per_degree
from skykeep.core.observation import (
    CLAIMING_KINDS,
    Batch,
    Form,
    Sensor,
    SensorKind,
)
from skykeep.errors import InputError
from skykeep.feed.contract import FeedKind
from skykeep.feed.findings import FindingLog
from skykeep.feed.inbox import Piece
from skykeep.feed.lines import empty_batch
from skykeep.feed.sapient_nodes import OPTIONS, SIGMA_DEG, Nodes, nodes_of, sensors_of
from skykeep.feed.sapient_server import Server
from skykeep.feed.sources import host_and_port
from skykeep.units import BatchId, SensorId

NAN = math.nan
#: A node that stands farther than this from where the registry has it: a finding.
APART_M = 50.0
#: Alerts of one push that are kept word by word; the source lets no more through.
MOST_ALERTS = 1_000


@dataclass(slots=True)
class _Known:
    """A registered node, its mode, and what it said of its place."""

    sensor: Sensor
    node: Node
    mode: str
    apart_m: float = 0.0
    misfit: str = ""
    words: str = ""


@dataclass(slots=True)
class _Rows:
    """The rows of one batch to be."""

    sensor: Sensor
    form: Form
    seen: list[Seen] = field(default_factory=list)
    digests: list[str] = field(default_factory=list)


class SapientDecoder:
    """Messages of all nodes of one port; see `feed.contract.Decoder`."""

    def __init__(self, settings: FeedSettings) -> None:
        self._sensor_id, self._where = settings.sensor_id, settings.feed_id
        self._nodes: Nodes = nodes_of(settings)
        self._known: dict[str, _Known] = {}
        self._log = FindingLog()
        self._told: list[tuple[SensorId, Finding]] = []
        self._batches = 0
        self._last_ns = 0

    def push(self, pieces: Sequence[Piece]) -> Iterable[Batch]:
        """What some messages say: a batch for each sensor and form."""
        rows: dict[tuple[SensorId, Form], _Rows] = {}
        for piece in pieces:
            self._last_ns = piece.at_ns
            try:
                self._take(piece, rows)
            except InputError as error:
                self._log.refuse(f"{self._where} {piece.origin}", error)
        batches = [self._batch(group) for group in rows.values()]
        told: dict[SensorId, list[Finding]] = {}
        for sensor_id, finding in self._told:
            told.setdefault(sensor_id, []).append(finding)
        self._told.clear()
        told.setdefault(self._sensor_id, []).extend(self._log.drain())
        for sensor_id, findings in told.items():
            if findings:
                batches.append(self._empty(sensor_id, tuple(findings)))
        return batches

    def note(self, finding: Finding) -> None:
        """Add a finding about the stream itself to the next batch."""
        self._log.add(finding, finding.where)

    def close(self) -> Batch | None:
        """What is still to be said at the end."""
        findings = self._log.close(self._where)
        return self._empty(self._sensor_id, findings) if findings else None

    def _take(self, piece: Piece, rows: dict[tuple[SensorId, Form], _Rows]) -> None:
        message = parse(piece.data)
        content = content_of(message)
        if content != "detection_report" or not is_plain_detection(message):
            found = faults(message)
            if found:
                problem = "; ".join(found[:5])
                raise InputError(content or "message", problem, "Mend the node's message")
        node_id = uuid_of(message.node_id) or ""
        if content == "registration":
            self._register(node_id, node_of(message))
            return
        known = self._known.get(node_id)
        if known is None:
            raise InputError(content, f"node {node_id} is not registered", "Register first")
        if content == "detection_report":
            mode = known.node.modes.get(known.mode)
            seen = seen_of(message, mode, self._nodes.norths[node_id])
            self._keep(known, seen, hashlib.sha256(piece.data).hexdigest(), rows)
        elif content == "status_report":
            self._status(known, status_of(message))
        elif content == "alert":
            words = "kept; it raises no alert of ours"
            self._tell(known, f"alert {message.alert.alert_id}", alert_words(message), words)
        elif content == "error":
            words = "; ".join(message.error.error_message[:5])[:500]
            self._tell(known, "error", f"the node says: {words}", "nothing")
        else:
            raise InputError(content, "is nothing that a node sends to Skykeep", "Leave it out")

    def _register(self, node_id: str, node: Node) -> None:
        for reason in self._nodes.refusals(node_id, node):
            raise InputError(f"registration of {node.name!r}", reason, "It was refused")
        known = _Known(self._nodes.sensors[node_id], node, node.first_mode)
        self._known[node_id] = known
        if node.acts:
            words = "it is heard as a sensor, and asked for nothing"
            problem = f"the node can act on aircraft ({node.type_words})"
            self._tell(known, "registration", problem, words)

    def _status(self, known: _Known, status: Status) -> None:
        if status.mode and status.mode != known.mode and status.mode in known.node.modes:
            known.mode = status.mode
            misfits = self._nodes.misfits(known.sensor, known.node, known.mode)
            known.misfit = misfits[0] if misfits else ""
        if status.words != known.words:
            known.words = status.words
            self._tell(known, "status", status.words or "all is well again", "nothing")
        if status.place is not None:
            apart_m = _apart_m(known.sensor, status.place)
            if apart_m > APART_M and abs(apart_m - known.apart_m) > APART_M:
                problem = f"the node says that it stands {apart_m:.0f} m from its place here"
                self._tell(known, "status.node_location", problem, "it stands as registered here")
            known.apart_m = apart_m

    def _tell(self, known: _Known, where: str, problem: str, assumed: str) -> None:
        if len(self._told) < MOST_ALERTS:
            place = f"{self._where} {known.node.name or known.sensor.sensor_id}: {where}"
            finding = Finding(place, problem, assumed, Severity.WARNING)
            self._told.append((known.sensor.sensor_id, finding))

    def _keep(
        self, known: _Known, seen: Seen, digest: str,
        rows: dict[tuple[SensorId, Form], _Rows],
    ) -> None:  # fmt: skip
        sensor = known.sensor
        if known.misfit:
            raise InputError("detection_report", known.misfit, "Mend the site file")
        form = Form.TRACK if sensor.kind is SensorKind.UPSTREAM else Form.POSITION
        if seen.place is None:
            if math.isnan(seen.polar[0]):
                if form is Form.TRACK or sensor.kind in CLAIMING_KINDS:
                    problem = f"a bearing without a range is nothing that a {sensor.kind} tells"
                    raise InputError("range_bearing.range", problem, "Send a range")
                form = Form.BEARING
            elif form is not Form.TRACK and sensor.kind not in CLAIMING_KINDS:
                form = Form.POLAR
        group = rows.get((sensor.sensor_id, form))
        if group is None:
            group = rows[sensor.sensor_id, form] = _Rows(sensor, form)
        group.seen.append(seen)
        group.digests.append(digest)

    def _batch(self, group: _Rows) -> Batch:
        values, sigmas, references = self._columns(group)
        n = len(group.seen)
        placed = group.form in (Form.POSITION, Form.TRACK)
        velocities = np.array([s.velocity_mps for s in group.seen]) if placed else np.full(
            (n, 3), NAN
        )  # fmt: skip
        claims = tuple(s.claim for s in group.seen)
        kinds = [s.kinds for s in group.seen]
        tracks = group.form is Form.TRACK
        return Batch(
            self._next_id(group.sensor.sensor_id), group.sensor.sensor_id, self._last_ns,
            group.form, np.array([s.at_ns for s in group.seen], np.int64), values, sigmas,
            velocities, references,
            kind_likelihood=None if kinds.count(None) == n else np.array(
                [_EVEN if kind is None else kind for kind in kinds]
            ),
            claims=() if claims.count(None) == n else claims,
            raw_sha256=tuple(group.digests),
            upstream_ids=tuple(s.object_id for s in group.seen) if tracks else (),
            velocity_sigmas_mps=np.array([s.velocity_sigmas_mps for s in group.seen])
            if tracks else None,
        )  # fmt: skip

    def _columns(self, group: _Rows) -> tuple[F64, F64, NDArray[np.int8]]:
        """Values, sigmas and height references of the rows of a batch."""
        n = len(group.seen)
        if group.form in (Form.POLAR, Form.BEARING):
            values = np.array([s.polar for s in group.seen])
            sigmas = np.array([s.polar_sigmas for s in group.seen])
            if group.form is Form.BEARING:
                values = np.column_stack((values[:, 1:], np.full(n, NAN)))
                sigmas = np.column_stack((sigmas[:, 1:], np.full(n, NAN)))
                angles = sigmas[:, :2]
            else:
                angles = sigmas[:, 1:]
                _fill(sigmas[:, :1], self._nodes.sigma_m)
            _fill(angles, self._nodes.sigma_deg)
            if group.form is Form.POLAR:
                _fill_elevations(values, sigmas, group.sensor)
            return values, sigmas, np.zeros(n, np.int8)
        places = [s.place or _placed(s, group.sensor) for s in group.seen]
        values = np.array([(p.lat_deg, p.lon_deg, p.height_m) for p in places])
        sigmas = np.array([p.sigmas_m for p in places])
        _fill(sigmas, self._nodes.sigma_m)
        return values, sigmas, np.array([p.reference for p in places], np.int8)

    def _next_id(self, sensor_id: SensorId) -> BatchId:
        self._batches += 1
        return BatchId(f"{sensor_id}:{self._last_ns}:{self._batches}")

    def _empty(self, sensor_id: SensorId, findings: tuple[Finding, ...]) -> Batch:
        # POSITION: an empty POLAR batch is a radar's turn in which it saw nothing.
        batch_id = self._next_id(sensor_id)
        return empty_batch(batch_id, sensor_id, self._last_ns, Form.POSITION, findings)


_EVEN = (0.25, 0.25, 0.25, 0.25)


def _fill(sigmas: F64, default: float) -> None:
    """Put what is assumed where a node says nothing of its errors, or that it has none."""
    sigmas[~(np.isfinite(sigmas) & (sigmas > 0.0))] = default


def _fill_elevations(values: F64, sigmas: F64, sensor: Sensor) -> None:
    """A node that measures no elevation may see the target anywhere in its coverage."""
    flat = ~np.isfinite(values[:, 2])
    low, high = sensor.coverage.elevation_min_deg, sensor.coverage.elevation_max_deg
    values[flat, 2] = (low + high) / 2.0
    sigmas[flat, 2] = (high - low) / math.sqrt(12.0)  # of an even spread


def _placed(seen: Seen, sensor: Sensor) -> Place:
    """Where a node saw something, from where its sensor stands."""
    range_m, azimuth_deg, elevation_deg = seen.polar
    known = math.isfinite(elevation_deg)
    azimuth, elevation = math.radians(azimuth_deg), math.radians(elevation_deg if known else 0.0)
    level_m = range_m * math.cos(elevation)
    origin = (sensor.lat_deg, sensor.lon_deg, sensor.height_hae_m)
    lat, lon, hae_m = geodetic_of(
        origin, level_m * math.sin(azimuth), level_m * math.cos(azimuth),
        range_m * math.sin(elevation),
    )  # fmt: skip
    range_sigma, *angles = seen.polar_sigmas
    azimuth_sigma, elevation_sigma = (s if math.isfinite(s) else SIGMA_DEG for s in angles)
    across_m = range_m * math.radians(azimuth_sigma)
    side_m = max(across_m, range_sigma) if math.isfinite(range_sigma) else across_m
    up_m = max(range_m * math.radians(elevation_sigma), 1e-3)
    reference = HeightReference.HAE if known else HeightReference.NONE
    return Place(lat, lon, hae_m if known else NAN, reference, (side_m, side_m, up_m))


def _apart_m(sensor: Sensor, place: Place) -> float:
    per_lon, per_lat = metres_per_degree(sensor.lat_deg)
    off_lon = (place.lon_deg - sensor.lon_deg + 180.0) % 360.0 - 180.0
    return math.hypot(off_lon * per_lon, (place.lat_deg - sensor.lat_deg) * per_lat)


KIND = FeedKind(
    "sapient",
    "SAPIENT edge nodes (BSI Flex 335 v2.0) that connect here and register",
    ("listen",),
    (
        SensorKind.RADAR,
        SensorKind.DIRECTION_FINDER,
        SensorKind.REMOTE_ID,
        SensorKind.POSITION,
        SensorKind.UPSTREAM,
    ),
    SapientDecoder,
    source=lambda settings, clock: Server(*host_and_port(settings), nodes_of(settings), clock),
    options=OPTIONS,
    sensors=sensors_of,
)
