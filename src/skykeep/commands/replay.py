"""`skykeep replay FILE...`: recorded input through the same line as everything else."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any

import msgspec
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from skykeep.codec.permits import decode_permits
from skykeep.codec.wire import encode_event
from skykeep.codec.zones import read_zones
from skykeep.core.airspace import RegisterSensor, Site
from skykeep.core.event import (
    Actor,
    AlertChanged,
    Event,
    Finding,
    IdentityChanged,
    InputFound,
    ObservationRejected,
    ReportKept,
    Severity,
    Tick,
    TrackEnded,
    TrackStarted,
    TrackUpdated,
    VerdictChanged,
)
from skykeep.core.geo import Frame
from skykeep.core.observation import Batch, Coverage, Form, Sensor, SensorKind
from skykeep.core.permit import PutPermit
from skykeep.core.zone import PublishZone, Zone
from skykeep.errors import InputError
from skykeep.feed.recording import Recording, merged
from skykeep.runtime import Input, Runtime, read_grounded_site
from skykeep.units import SensorId, TrackId, to_datetime

OPERATOR = Actor("replay", "operator")
#: The largest file of zones or permits that is taken.
MAX_FILE_BYTES = 200_000_000
#: Sensors of a recording whose place nobody stated see everything and say so.
EVERYWHERE = Coverage(0.0, 1_000_000.0)
FINDINGS_SHOWN = 25
AUTHORITIES_NAMED = 30


@dataclass(slots=True)
class TrackLine:
    """One track of a replay."""

    track_id: TrackId
    source: str
    first_seen: str
    last_seen: str = ""
    observations: int = 0
    scheme: str = ""
    identity: str | None = None
    transmitter: str = ""
    strength: str = "none"
    verdicts: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Tally:
    """What a replay found."""

    tracks: dict[TrackId, TrackLine] = field(default_factory=dict)
    alerts: dict[str, dict[str, Any]] = field(default_factory=dict)
    findings: Counter[Finding] = field(default_factory=Counter)
    rejected: list[dict[str, Any]] = field(default_factory=list)
    reports: int = 0
    observations: int = 0

    def take(self, events: tuple[Event, ...]) -> None:
        """Add what the engine said."""
        for event in events:
            match event:
                case TrackStarted():
                    first = _when(event.first_seen_ns)
                    self.tracks[event.track_id] = TrackLine(event.track_id, event.source, first)
                case TrackUpdated():
                    line = self.tracks[event.track_id]
                    line.observations += len(event.observations)
                    line.last_seen = _when(event.state_at_ns)
                case TrackEnded():
                    self.tracks[event.track_id].last_seen = _when(event.last_seen_ns)
                case IdentityChanged():
                    line = self.tracks[event.track_id]
                    if event.scheme:
                        line.scheme, line.identity = event.scheme, event.identity
                        line.transmitter = event.transmitter
                    line.strength = event.strength.value
                case VerdictChanged():
                    words = "; ".join(r.words for r in event.reasons)
                    said = f"{event.permission.value} ({event.presence}): {words}"
                    if event.presence != "gone":
                        self.tracks[event.track_id].verdicts[event.zone_id] = said
                case AlertChanged():
                    self.alerts[event.alert_id] = msgspec.to_builtins(event)
                case InputFound():
                    self.findings[event.finding] += 1
                case ObservationRejected():
                    self.rejected.append(msgspec.to_builtins(event))
                case ReportKept():
                    self.reports += 1


def run(
    files: list[Path],
    zones: list[Path],
    permits: Path | None,
    site_file: Path | None,
    authority: str | None,
    events_out: Path | None,
    as_json: bool,
) -> int:
    """Replay and print what was found; 0, or 2 where an input cannot be used."""
    recordings = [Recording(path) for path in files]
    streams = [recording.batches() for recording in recordings]
    items = merged(streams)
    head = _first_with_rows(items)
    zone_values, permit_values, noted = _documents(zones, permits)
    site, sensors = _site(site_file, authority, head, zone_values, permits)
    setup: list[Input] = [RegisterSensor(OPERATOR, s) for s in sensors]
    known = {s.sensor_id for s in sensors}
    setup += [
        RegisterSensor(OPERATOR, _sensor(r.sensor_id, r.kind, site.frame))
        for r in recordings
        if r.kind is not None and r.sensor_id not in known
    ]
    known |= {r.sensor_id for r in recordings if r.kind is not None}
    setup += [PublishZone(OPERATOR, zone) for zone in zone_values]
    setup += [PutPermit(OPERATOR, permit) for permit in permit_values]
    tally = Tally()
    tally.findings.update(noted)
    runtime = Runtime(site)
    start: list[Input] = [] if not head else [Tick(head[-1].receipt_time_ns)]
    stream: Iterator[Input] = chain(start, setup, head, items)
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    out = None if events_out is None else events_out.open("wb")
    try:
        with Progress(*columns, console=Console(stderr=True), disable=as_json) as progress:
            bar = progress.add_task("replay", total=None)
            for item in stream:
                if isinstance(item, Batch):
                    _introduce(runtime, item, known, site)
                    tally.observations += len(item)
                    words = f"{tally.observations} observations, {len(tally.tracks)} tracks"
                    progress.update(bar, description=words)
                events = runtime.take(item)
                tally.take(events)
                if out is not None:
                    out.writelines(encode_event(event) + b"\n" for event in events)
    finally:
        if out is not None:
            out.close()
    _show(tally, as_json)
    return 0


def _first_with_rows(items: Iterator[Batch | Tick]) -> list[Batch]:
    """The stream's beginning up to the first batch that holds an observation."""
    head: list[Batch] = []
    for item in items:
        if isinstance(item, Batch):
            head.append(item)
            if len(item):
                break
    return head


def _documents(
    zones: list[Path], permits: Path | None
) -> tuple[list[Zone], list[Any], list[Finding]]:
    found: list[Zone] = []
    noted: list[Finding] = []
    for path in zones:
        document = read_zones(_read(path), str(path))
        found += document.zones
        noted += document.findings
    if permits is None:
        return found, [], noted
    file = decode_permits(_read(permits), str(permits))
    return found, list(file.permits), [*noted, *file.findings]


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise InputError(
            str(path), f"cannot be read ({error.strerror})", "Check the path"
        ) from None
    if len(data) > MAX_FILE_BYTES:
        raise InputError(str(path), f"is over {MAX_FILE_BYTES} bytes", "Split it")
    return data


def _site(
    site_file: Path | None,
    authority: str | None,
    head: list[Batch],
    zones: list[Zone],
    permits: Path | None,
) -> tuple[Site, tuple[Sensor, ...]]:
    """The site as configured, or one around the first position; it judges all zones given.

    With `authority`, only that authority's zones are judged.
    """
    if site_file is not None:
        return read_grounded_site(site_file)
    own = sorted({zone.authority_id for zone in zones})
    if authority is not None and own and authority not in own:
        raise InputError(
            "--authority",
            f"{authority!r} has none of the zones; theirs are {', '.join(own[:AUTHORITIES_NAMED])}",
            "Name one of these",
        )
    others = () if authority is not None else tuple(own)
    if authority is None and permits is not None:
        authority = decode_permits(_read(permits), str(permits)).authority_id
    name = authority or (own[0] if own else "nobody")
    frame = Frame(0.0, 0.0, 0.0)
    if head and len(head[-1]) and head[-1].form is Form.POSITION:
        lat, lon = (float(v) for v in head[-1].values[0, :2])
        frame = Frame(lat, lon, 0.0)
    return Site(name, "replay", frame, None, "UTC", also_judges=others), ()


def _sensor(sensor_id: SensorId, kind: SensorKind, frame: Frame) -> Sensor:
    return Sensor(
        sensor_id, kind, frame.lat_deg, frame.lon_deg, frame.hae_m, EVERYWHERE,
        words="its place was not stated",
    )  # fmt: skip


def _introduce(runtime: Runtime, batch: Batch, known: set[SensorId], site: Site) -> None:
    """Register what a recording's own lines name, where a place is not needed to use it."""
    if batch.sensor_id in known:
        return
    known.add(batch.sensor_id)
    if batch.form is Form.POSITION:
        claims = any(claim is not None for claim in batch.claims)
        kind = SensorKind.REMOTE_ID if claims else SensorKind.POSITION
    elif batch.form is Form.SIGHTING:
        kind = SensorKind.PERSON
    else:
        return
    runtime.take(RegisterSensor(OPERATOR, _sensor(batch.sensor_id, kind, site.frame)))


def _when(at_ns: int) -> str:
    return to_datetime(at_ns).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _show(tally: Tally, as_json: bool) -> None:
    if as_json:
        document = {
            "observations": tally.observations,
            "tracks": [asdict(line) for line in tally.tracks.values()],
            "alerts": list(tally.alerts.values()),
            "reports_kept": tally.reports,
            "rejected": tally.rejected,
            "findings": [{**msgspec.to_builtins(f), "times": n} for f, n in tally.findings.items()],
        }
        print(msgspec.json.encode(document).decode())
        return
    console = Console()
    table = Table(title=f"{tally.observations} observations, {len(tally.tracks)} tracks")
    for heading in ("track", "identity", "strength", "first seen", "last seen", "obs.", "verdicts"):
        table.add_column(heading, overflow="fold")
    for line in tally.tracks.values():
        who = (
            f"{line.scheme} {line.identity or 'without serial'}" if line.scheme else "unidentified"
        )
        verdicts = "\n".join(f"{zone}: {said}" for zone, said in line.verdicts.items())
        table.add_row(
            line.track_id, who, line.strength, line.first_seen, line.last_seen,
            str(line.observations), verdicts or "-",
        )  # fmt: skip
    console.print(table)
    for alert in tally.alerts.values():
        reasons = "; ".join(r["words"] for r in alert["reasons"])
        console.print(f"alert {alert['alert_id']}: {alert['permission']}: {reasons}")
    if tally.reports:
        console.print(f"{tally.reports} reports by people kept as reports")
    for row in tally.rejected[:FINDINGS_SHOWN]:
        console.print(
            f"not used: {row['batch_id']} row {row['row']}: {row['field']} {row['problem']}"
        )
    _show_findings(console, tally)


def _show_findings(console: Console, tally: Tally) -> None:
    grave = [f for f in tally.findings.items() if f[0].severity is not Severity.NOTE]
    grave.sort(key=lambda f: f[0].severity is not Severity.ERROR)
    for finding, times in grave[:FINDINGS_SHOWN]:
        more = f" ({times} times)" if times > 1 else ""
        console.print(
            f"{finding.severity.value}: {finding.where}: {finding.problem}; "
            f"{finding.assumed}{more}",
            highlight=False,
            soft_wrap=True,
        )
    left = len(grave) - len(grave[:FINDINGS_SHOWN])
    notes = len(tally.findings) - len(grave)
    if left or notes:
        console.print(f"{left} more findings and {notes} notes: see --json")
