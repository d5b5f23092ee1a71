"""What the engine said of a simulated night, held against what was true.

Tracks are matched to the truth by place, second by second; a track that comes from claims
alone by the transmitter. Nothing here is known to the engine.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from skykeep.core.event import (
    AlertChanged,
    Event,
    IdentityChanged,
    ObservationRejected,
    Permission,
    ReportKept,
    Strength,
    TrackContinued,
    TrackStarted,
    TrackUpdated,
    VerdictChanged,
)
from skykeep.core.geo import F64
from skykeep.core.verdict import BOUND, INSIDE
from skykeep.feed.citadel_night import Night
from skykeep.feed.citadel_sky import TruthTarget
from skykeep.units import NS_PER_S, AlertId, TrackId

#: A track further than this from every truth is nobody's: three sigma of the worst plot.
MATCH_WITHIN_M = 120.0
#: What the night demands of the warning before the wall, by intruder.
WARNING_LEAST_S = {"intruder-1": 20.0, "intruder-2": 60.0}
#: An alert follows its reason within this.
ALERT_WITHIN_S = 5.0

#: Which verdict sums an aircraft up: what it was once it was known, the gravest first.
GRAVITY = (
    Permission.NOT_PERMITTED,
    Permission.NOT_SUBJECT,
    Permission.PERMITTED,
    Permission.UNDETERMINED,
)
#: The reason codes that say of an intruder what it is: nobody permitted it.
INTRUDER_REASONS = frozenset({"no_permit_here", "not_broadcasting"})


@dataclass(frozen=True, slots=True)
class Row:
    """One aircraft (or transmitter) of the night, as it was seen and judged.

    `permission` is the gravest that it was given once it was known, with its `reasons`;
    `permissions` are all, `passing` the codes of the others on the way.
    """

    label: str
    words: str
    permission: str
    permissions: tuple[str, ...]
    reasons: tuple[tuple[str, str], ...]
    passing: tuple[str, ...]
    strengths: tuple[str, ...]
    first_seen_s: float | None
    due_s: float | None
    alert_s: float | None
    warning_s: float | None
    tracks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Summary:
    """The night in a table, and everything in it that is not as it must be."""

    rows: tuple[Row, ...]
    birds: int
    bird_verdicts: int
    reports_kept: int
    rejected: int
    alerts: int
    stray_alerts: tuple[str, ...]
    failures: tuple[str, ...]


@dataclass(slots=True)
class Scorer:
    """Collects events; `summary` says how the night went."""

    night: Night
    votes: defaultdict[TrackId, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    transmitters: dict[TrackId, str] = field(default_factory=dict)
    claimed: set[TrackId] = field(default_factory=set)
    continued: dict[TrackId, TrackId] = field(default_factory=dict)
    started: dict[TrackId, TrackStarted] = field(default_factory=dict)
    verdicts: list[VerdictChanged] = field(default_factory=list)
    identities: list[IdentityChanged] = field(default_factory=list)
    raised: dict[AlertId, AlertChanged] = field(default_factory=dict)
    alert_tracks: dict[AlertId, set[TrackId]] = field(default_factory=dict)
    reports: int = 0
    rejected: int = 0
    _flying: tuple[str, ...] = ()
    _places: F64 = field(default_factory=lambda: np.empty((0, 0, 2)))  # seconds, targets, EN

    def __post_init__(self) -> None:
        times_s = np.arange(self.night.duration_s + 1, dtype=np.float64)
        flying = [t for t in self.night.truth if t.kind is not None]
        self._flying = tuple(t.label for t in flying)
        self._places = np.full((times_s.shape[0], len(flying), 2), np.inf)
        for column, target in enumerate(flying):
            first = (target.start_ns - self.night.start_ns) / NS_PER_S
            last = (target.end_ns - self.night.start_ns) / NS_PER_S
            alive = (times_s >= first) & (times_s <= last)
            self._places[alive, column] = target.path.states(times_s[alive])[0][:, :2]

    def take(self, events: Iterable[Event]) -> None:
        """Everything the engine said, in its order."""
        for event in events:
            match event:
                case TrackUpdated():
                    self._vote(event)
                case TrackStarted(_, track_id, _, source):
                    self.started[track_id] = event
                    if source == "claimed":
                        self.claimed.add(track_id)
                case TrackContinued(_, track_id, earlier):
                    self.continued[track_id] = earlier
                case VerdictChanged():
                    self.verdicts.append(event)
                case IdentityChanged():
                    self.identities.append(event)
                    if event.transmitter:
                        self.transmitters[event.track_id] = event.transmitter
                case AlertChanged():
                    self.raised.setdefault(event.alert_id, event)
                    self.alert_tracks.setdefault(event.alert_id, set()).update(event.tracks)
                case ReportKept():
                    self.reports += 1
                case ObservationRejected():
                    self.rejected += 1

    def _vote(self, event: TrackUpdated) -> None:
        if event.track_id in self.claimed and event.track_id not in self.votes:
            return
        at = round((event.at_ns - self.night.start_ns) / NS_PER_S)
        if not 0 <= at <= self.night.duration_s:
            return
        if not self._flying:
            return
        off = self._places[at] - (event.east_mm / 1000.0, event.north_mm / 1000.0)
        distance_m = np.hypot(off[:, 0], off[:, 1])
        closest = int(distance_m.argmin())
        nearest = self._flying[closest] if distance_m[closest] < MATCH_WITHIN_M else ""
        self.votes[event.track_id][nearest] += 1

    def label_of(self, track_id: TrackId) -> str:
        """Whose track it was: by place, or by its transmitter where only claims made it."""
        by_radio = {t.transmitter: t.label for t in self.night.truth if t.transmitter}
        if track_id in self.claimed:
            return by_radio.get(self.transmitters.get(track_id, ""), "")
        votes = self.votes[track_id].most_common(1)
        return votes[0][0] if votes else ""

    def summary(self) -> Summary:
        """The night in a table, with what does not hold."""
        tracks: dict[str, set[TrackId]] = defaultdict(set)
        for track_id in self.started:
            tracks[self.label_of(track_id)].add(track_id)
        cast = [t for t in self.night.truth if not _of_the_crowd(t)]
        rows = tuple(self._row(target, tracks[target.label]) for target in cast)
        crowd = [t.label for t in self.night.truth if _of_the_crowd(t)]
        crowd_tracks = {t for label in crowd for t in tracks[label]} | tracks[""]
        cast_tracks = {t for target in cast for t in tracks[target.label]}
        stray = tuple(
            f"{alert_id}: {', '.join(r.words for r in alert.reasons)}"
            for alert_id, alert in self.raised.items()
            if not self.alert_tracks[alert_id] & cast_tracks
        )
        bird_verdicts = len({v.track_id for v in self.verdicts if v.track_id in crowd_tracks})
        failures = [f"an alert without cause: {s}" for s in stray]
        for row in rows:
            failures += [f"{row.label}: {fault}" for fault in self._faults(row)]
        said = sum(1 for _ in self._told())
        if self.reports != said:
            failures.append(f"{said} reports by people came in, {self.reports} were kept")
        return Summary(
            rows,
            sum(1 for t in self.night.truth if t.label.startswith("bird")),
            bird_verdicts,
            self.reports,
            self.rejected,
            len(self.raised),
            stray,
            tuple(failures),
        )

    def _told(self) -> Iterable[object]:
        from skykeep.core.observation import Batch, Form

        for item in self.night.items():
            if isinstance(item, Batch) and item.form is Form.SIGHTING:
                yield from item.rows()

    def _row(self, target: TruthTarget, tracks: set[TrackId]) -> Row:
        mine = [v for v in self.verdicts if v.track_id in tracks and v.presence != "gone"]
        alerts = [a for i, a in self.raised.items() if self.alert_tracks[i] & tracks]
        alert_ns = min((a.at_ns for a in alerts), default=None)
        first_ns = min((self.started[t].first_seen_ns for t in tracks), default=None)
        due = [v.at_ns for v in mine if v.presence in (INSIDE, BOUND)]
        gravest = next((p for p in GRAVITY if any(v.permission == p for v in mine)), "")
        final = [v for v in mine if v.permission == gravest]
        codes = dict.fromkeys(r.code for v in mine for r in v.reasons)
        warning_s = None
        if alert_ns is not None and target.wall_crossing_ns is not None:
            warning_s = (target.wall_crossing_ns - alert_ns) / NS_PER_S
        return Row(
            target.label,
            target.words,
            gravest,
            tuple(dict.fromkeys(v.permission.value for v in mine)),
            tuple(dict.fromkeys((r.code, r.words) for v in final for r in v.reasons)),
            tuple(c for c in codes if c not in {r.code for v in final for r in v.reasons}),
            tuple(dict.fromkeys(i.strength.value for i in self.identities if i.track_id in tracks)),
            self._seconds(first_ns),
            self._seconds(min(due, default=None)),
            self._seconds(alert_ns),
            warning_s,
            tuple(sorted(tracks)),
        )

    def _seconds(self, at_ns: int | None) -> float | None:
        return None if at_ns is None else (at_ns - self.night.start_ns) / NS_PER_S

    def _faults(self, row: Row) -> list[str]:
        """What does not hold of one aircraft."""
        codes = {code for code, _ in row.reasons} | set(row.passing)
        if row.label.startswith("intruder"):
            return self._intruder_faults(row, codes)
        if row.label == "revoked":
            faults = [] if row.alert_s is not None else ["no alert"]
            if "permit_revoked" not in codes:
                faults.append("was not found to have a revoked permit")
            if Permission.PERMITTED.value in row.permissions:
                faults.append("was found permitted")
            return faults
        if row.label == "false-transmitter":
            return self._liar_faults(row)
        expected = "not_subject" if row.label == "helicopter" else "permitted"
        faults = [] if row.alert_s is None else ["raised an alert"]
        if expected not in row.permissions:
            faults.append(f"was never found {expected}")
        if Permission.NOT_PERMITTED.value in row.permissions:
            faults.append("was found not_permitted")
        return faults

    def _intruder_faults(self, row: Row, codes: set[str]) -> list[str]:
        faults = []
        if Permission.NOT_PERMITTED.value not in row.permissions or not codes & INTRUDER_REASONS:
            faults.append("was not found not_permitted")
        if Permission.PERMITTED.value in row.permissions:
            faults.append("was found permitted")
        if row.alert_s is None or row.due_s is None:
            return [*faults, "no alert"]
        if row.alert_s - row.due_s > ALERT_WITHIN_S:
            faults.append(f"alert {row.alert_s - row.due_s:.0f} s after it was due")
        least_s = WARNING_LEAST_S[row.label]
        if row.warning_s is None or row.warning_s < least_s:
            faults.append(f"warning of {row.warning_s} s, at least {least_s:.0f} s are needed")
        return faults

    def _liar_faults(self, row: Row) -> list[str]:
        faults = []
        if Strength.INCONSISTENT.value not in row.strengths:
            faults.append("its claims were not found inconsistent")
        if Strength.CONSISTENT.value in row.strengths:
            faults.append("its claims were found consistent")
        if Permission.PERMITTED.value in row.permissions:
            faults.append("its claims opened a zone")
        return faults


def _of_the_crowd(target: TruthTarget) -> bool:
    return target.label.startswith(("bird", "part"))
