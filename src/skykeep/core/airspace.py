"""The live engine: zones, permits, sensors, tracks, verdicts, alerts, ticked by its inputs.

    receive(batch) -> events     apply(command) -> events     advance(now) -> events
    snapshot() / restore()

Live running, replay and simulation are this one code path. It asks no clock, rolls no dice
and iterates in defined order: the same inputs give the same events. It is longer than other
files because every input enters here, each in a few lines; the work is done below.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from skykeep.core.alarm import AlarmCommand, Alarms, AlarmsSnapshot
from skykeep.core.alert import Alert, AlertPolicy, HandOverAlert, concern_of
from skykeep.core.claims import ClaimedState
from skykeep.core.event import (
    Actor,
    AlertChanged,
    Event,
    InputFound,
    ObservationRejected,
    Permission,
    ReportKept,
    SensorChanged,
    SensorNumbered,
    VerdictChanged,
)
from skykeep.core.flood import AlertRate
from skykeep.core.foresight import Outlook, foreseen, outlook
from skykeep.core.geo import F64, Frame, HeightReference, Terrain, height_of
from skykeep.core.handover import (
    AcknowledgeHandover,
    HandoverCommand,
    Instruct,
    ReportSending,
    SetExercise,
    SetRecipients,
    WithdrawHandover,
)
from skykeep.core.handover_book import HandoverBook, HandoverSnapshot
from skykeep.core.identity import ClaimBook, ClaimBookSnapshot
from skykeep.core.intake import known_or_none, usable_rows
from skykeep.core.observation import (
    CLAIMING_KINDS,
    I64,
    Batch,
    Form,
    Sensor,
    SensorKind,
    places_of,
)
from skykeep.core.permit import ChangePermit, Permit, PermitPolicy, PutPermit
from skykeep.core.permit_book import (
    BookSnapshot,
    DeclareExemption,
    PermitBook,
    PermitCommand,
    ReportDelivery,
)
from skykeep.core.picture import Held, TrackView, view_of_held
from skykeep.core.stations import (
    SILENT,
    UNKNOWN,
    WORKING,
    Station,
    Stations,
    StationSnapshot,
    detections_s,
    seen_by,
)
from skykeep.core.subjects import Subjects, SubjectsSnapshot
from skykeep.core.track.arrival import Target, target_of
from skykeep.core.track.timeline import HeardBearings, HeardPlots, Timeline, TimelineSnapshot
from skykeep.core.track.tracker import TrackerConfig, hae_with_sigma, plots_of
from skykeep.core.track.upstream import NO_ROOM, UpstreamSnapshot, UpstreamTracks
from skykeep.core.verdict import (
    GONE,
    Presence,
    Subject,
    Verdict,
    VerdictPolicy,
    judge,
    presence,
    usable_identity,
)
from skykeep.core.warning import (
    CancelWarning,
    DraftWarning,
    ReleaseWarning,
    SetDrafting,
    WarningBook,
    WarningCommand,
    WarningSnapshot,
    Zones,
)
from skykeep.core.zone import PublishZone, WithdrawZone, Zone
from skykeep.core.zone_book import (
    ChangeZone,
    DeclareBan,
    ProposeZone,
    ZoneBook,
    ZoneCommand,
    ZonePolicy,
    ZoneVersion,
)
from skykeep.errors import DecisionError
from skykeep.units import NS_PER_S, SensorId, ZoneId

#: Bearings worse than this say nothing about one target among many.
MAX_BEARING_SIGMA_DEG = 45.0


@dataclass(frozen=True, slots=True)
class Site:
    """What one authority keeps: its name, its local frame, its ground, its policy.

    `also_judges` are other authorities whose zones it was asked to judge too; a permit
    still opens only the zones of the authority that issued it. `operator_basis` is the law by
    which operators' positions are kept at all; without one they are dropped as they come in.
    """

    authority_id: str
    name: str
    frame: Frame
    terrain: Terrain | None
    time_zone: str
    verdict_policy: VerdictPolicy = field(default_factory=VerdictPolicy)
    alert_policy: AlertPolicy = field(default_factory=AlertPolicy)
    tracker: TrackerConfig = field(default_factory=TrackerConfig)
    also_judges: tuple[str, ...] = ()
    permit_policy: PermitPolicy = field(default_factory=PermitPolicy)
    zone_policy: ZonePolicy = field(default_factory=ZonePolicy)
    operator_basis: str = ""


@dataclass(frozen=True, slots=True)
class RegisterSensor:
    """Command: enter a sensor or a new version of it."""

    actor: Actor
    sensor: Sensor


@dataclass(frozen=True, slots=True)
class MaintainSensor:
    """Command: somebody begins or ends to work on a sensor; meanwhile its silence is no alert."""

    actor: Actor
    sensor_id: SensorId
    begins: bool
    why: str


Command = (
    ZoneCommand
    | PermitCommand
    | RegisterSensor
    | MaintainSensor
    | AlarmCommand
    | HandoverCommand
    | WarningCommand
)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The whole engine as values; `restore` goes on from it exactly."""

    now_ns: int
    too_late: int
    timeline: TimelineSnapshot
    upstream: UpstreamSnapshot
    claims: ClaimBookSnapshot
    subjects: SubjectsSnapshot
    alarms: AlarmsSnapshot
    stations: tuple[StationSnapshot, ...]
    zones: tuple[ZoneVersion, ...]
    permits: tuple[Permit, ...]
    book: BookSnapshot
    handovers: HandoverSnapshot
    warnings: WarningSnapshot


class Airspace:
    """The live engine of one site."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self._now_ns = 0
        self._too_late = 0
        self._timeline = Timeline(site.tracker)
        self._upstream = UpstreamTracks()
        self._claims = ClaimBook()
        self._subjects = Subjects()
        self._alarms = Alarms(site.alert_policy, rate=AlertRate(site.alert_policy.flood))
        self._stations = Stations(site.frame)
        self.zone_book = ZoneBook(site.authority_id, site.zone_policy)
        self._enforced: list[Target] = []
        self.book = PermitBook(site.authority_id, site.permit_policy)
        self.handovers = HandoverBook()
        self.warnings = WarningBook()
        self._said: list[Event] = []

    # -- inputs ---------------------------------------------------------------------------

    def receive(self, batch: Batch) -> tuple[Event, ...]:
        """Take one batch; the tracks move now, verdicts follow with the next tick.

        DecisionError, and nothing of it is taken, where a sensor that signs did not, or its number
        was there before.
        """
        signer = self._stations.by_id.get(batch.sensor_id)
        numbered = () if signer is None else signer.counted(batch)
        self._now_ns = max(self._now_ns, batch.receipt_time_ns)
        for finding in batch.findings:
            self._say(InputFound(self._now_ns, batch.batch_id, batch.sensor_id, finding))
        station = signer
        if station is None:
            problem = f"{batch.sensor_id!r} is not a registered sensor; register it first"
            self._reject(batch, -1, "sensor_id", problem)
            return self._spoken()
        for n in numbered:
            said = SensorNumbered(self._now_ns, batch.sensor_id, n.what, n.session, n.first, n.last)
            self._say(said)
        self._heard(batch.sensor_id, station)
        rows, rejected = usable_rows(batch, self._now_ns)
        self._said.extend(rejected)
        batch, learnt = station.registered(batch, rows, self._claims, self._now_ns)
        self._said.extend(learnt)
        if Form.TRACK is batch.form or station.view.sensor.kind is SensorKind.UPSTREAM:
            self._take_upstream(batch, rows, station)
        elif batch.form is Form.SIGHTING:
            self._keep_reports(batch, rows)
        elif batch.form is Form.BEARING:
            self._take_bearings(batch, rows, station)
        elif station.view.sensor.kind in CLAIMING_KINDS:
            self._take_claims(batch, rows)
        else:
            self._take_plots(batch, rows, station)
            if batch.claims and batch.form is Form.POLAR:
                self._take_answers(batch, rows, station.view.sensor)
        return self._spoken()

    def apply(self, command: Command, at_ns: int) -> tuple[Event, ...]:
        """Carry out a command and judge anew at once; DecisionError leaves all as it was."""
        before_ns = self._now_ns
        self._now_ns = max(before_ns, at_ns)
        try:
            self._carry_out(command)
        except DecisionError:
            self._now_ns = before_ns
            raise
        if not isinstance(command, AlarmCommand | HandoverCommand | WarningCommand):
            self._judge_all()
        return self._spoken()

    def _carry_out(self, command: Command) -> None:
        match command:
            case PublishZone() | WithdrawZone() | ProposeZone() | ChangeZone() | DeclareBan():
                self._zones_changed(self.zone_book.apply(command, self._now_ns))
            case PutPermit() | ChangePermit() | DeclareExemption() | ReportDelivery():
                self._said.extend(self.book.apply(command, self._now_ns))
            case RegisterSensor(_, sensor):
                self._stations.register(sensor, self._now_ns)
                self._say(SensorChanged(self._now_ns, sensor.sensor_id, UNKNOWN))
            case MaintainSensor(_, sensor_id, begins):
                health = self._stations.maintain(sensor_id, begins, self._now_ns)
                self._say(SensorChanged(self._now_ns, sensor_id, health))
                self._said.extend(self._alarms.sensor(sensor_id, False, self._now_ns))
            case HandOverAlert():
                self._hand_over(command)
            case SetRecipients() | Instruct() | ReportSending() | AcknowledgeHandover():
                self._said.extend(self._promised(command))
            case WithdrawHandover() | SetExercise():
                self._said.extend(self._promised(command))
            case SetDrafting() | DraftWarning() | ReleaseWarning() | CancelWarning():
                self._said.extend(self.warnings.apply(command, *self._to_warn()))
            case _:
                self._said.extend(self._alarms.apply(command, self._now_ns))

    def advance(self, now_ns: int) -> tuple[Event, ...]:
        """Let the clock reach `now_ns`: sensors' health, tracks' ends, verdicts, alerts."""
        self._now_ns = max(self._now_ns, now_ns)
        self._look_at_sensors()
        self._settle_tracks()
        self._timeline.prune(self._now_ns)
        self._said.extend(self._alarms.advance(self._now_ns))
        self._said.extend(self.book.advance(self._now_ns))
        self._said.extend(self.warnings.advance(self._now_ns))
        told, unanswered = self.handovers.advance(self._now_ns)
        self._said.extend(told)
        for alert_id in unanswered:
            why = "a hand-over was not answered, and nobody is next"
            self._said.extend(self._alarms.hand_back(alert_id, why, self._now_ns))
        self._zones_changed(self.zone_book.advance(self._now_ns))
        self._judge_all()
        return self._spoken()

    # -- state ----------------------------------------------------------------------------

    def snapshot(self) -> Snapshot:
        """The whole state as values."""
        return Snapshot(
            self._now_ns,
            self._too_late,
            self._timeline.snapshot(),
            self._upstream.snapshot(),
            self._claims.snapshot(),
            self._subjects.snapshot(),
            self._alarms.snapshot(),
            self.stations(),
            self.zone_book.all_versions(),
            self.permits(),
            self.book.snapshot(),
            self.handovers.snapshot(),
            self.warnings.snapshot(),
        )

    @staticmethod
    def restore(site: Site, saved: Snapshot) -> Airspace:
        """An engine that goes on exactly where `saved` was taken."""
        engine = Airspace(site)
        engine._now_ns = saved.now_ns
        engine._too_late = saved.too_late
        engine._timeline = Timeline.restore(site.tracker, saved.timeline, site.frame)
        engine._upstream = UpstreamTracks.restore(saved.upstream)
        engine._claims = ClaimBook.restore(saved.claims)
        engine._subjects = Subjects.restore(saved.subjects)
        engine._alarms = Alarms.restore(site.alert_policy, saved.alarms)
        engine._stations = Stations.restore(site.frame, saved.stations)
        engine.zone_book = ZoneBook.restore(site.authority_id, site.zone_policy, saved.zones)
        engine.book = PermitBook.restore(
            site.authority_id, site.permit_policy, saved.permits, saved.book
        )
        engine.handovers = HandoverBook.restore(saved.handovers)
        engine.warnings = WarningBook.restore(saved.warnings)
        engine._choose_enforced()
        return engine

    # -- looking --------------------------------------------------------------------------

    def sensor(self, sensor_id: str) -> Sensor | None:
        """A registered sensor."""
        station = self._stations.by_id.get(SensorId(sensor_id))
        return None if station is None else station.view.sensor

    def stations(self) -> tuple[StationSnapshot, ...]:
        """The registered sensors at work, in the order of their registration."""
        return self._stations.snapshot()

    def zones(self) -> tuple[Zone, ...]:
        """Each zone's version in force, or its pending one, also those not enforced here."""
        return self.zone_book.zones()

    def permits(self) -> tuple[Permit, ...]:
        """The permits and exemptions, each in its present state."""
        return self.book.permits()

    def alerts(self) -> tuple[Alert, ...]:
        """The alerts that are held, oldest first; the record has them all."""
        return tuple(self._alarms.alerts.values())

    def tracks(self) -> tuple[TrackView, ...]:
        """The announced tracks as they were last judged, oldest first."""
        held = self._subjects.held.values()
        return tuple(view for h in held if (view := view_of_held(h)) is not None)

    @property
    def too_late(self) -> int:
        """Observations left aside because they came too long after newer ones."""
        return self._too_late

    def watches(self) -> bool:
        """Whether any track is held."""
        return bool(self._subjects.held)

    def flood(self) -> tuple[bool, int]:
        """Whether more alerts come than a person can answer, and how many came of late."""
        return self._alarms.rate.flood, len(self._alarms.rate.raised_ns)

    def due_ns(self) -> int | None:
        """The next moment at which a concern will have lasted: a tick then tells it in time."""
        due = [h.due_ns for h in self._subjects.held.values()]
        due += [self.zone_book.due_ns or 0, self._alarms.due_ns() or 0]
        return min((at for at in due if at > self._now_ns), default=None)

    # -- observations ---------------------------------------------------------------------

    def _take_plots(self, batch: Batch, rows: I64, station: Station) -> None:
        if not len(batch) and batch.form is Form.POLAR:
            # A turn in which a radar saw nothing at all: every track in its view was missed.
            self._hear_plots(batch, rows, batch.receipt_time_ns, station)
            return
        times = batch.event_time_ns[rows]
        late = times < self._timeline.newest_ns - self.site.tracker.late_ns
        if late.any():
            self._leave_late(batch, rows[late])
            rows, times = rows[~late], times[~late]
        for at_ns in map(int, np.unique(times)):
            self._hear_plots(batch, rows[times == at_ns], at_ns, station)

    def _hear_plots(self, batch: Batch, rows: I64, at_ns: int, station: Station) -> None:
        plots = plots_of(batch, rows, station.view, self.site.frame, self.site.terrain)
        given = np.zeros(len(rows), np.int64)
        names = tuple(rows.tolist())
        self._timeline.hear(HeardPlots(at_ns, batch.batch_id, names, station.view, plots, given))

    def _take_upstream(self, batch: Batch, rows: I64, station: Station) -> None:
        """Tracks of another system: held beside ours, never taken for plots."""
        if batch.form is not Form.TRACK or station.view.sensor.kind is not SensorKind.UPSTREAM:
            if len(batch):  # an empty one says that the system is there
                self._reject(batch, -1, "form", "an upstream system sends tracks, nobody else does")
            return
        plots = plots_of(batch, rows, station.view, self.site.frame, self.site.terrain)
        numbers = self._upstream.receive(batch, rows, plots)
        for row, number in zip(rows.tolist(), numbers, strict=True):
            if not number:
                self._reject(batch, row, "id", NO_ROOM)
                continue
            self._subjects.refer(f"u{number}", batch.sensor_id, f"{batch.batch_id}/{row}")

    def _take_bearings(self, batch: Batch, rows: I64, station: Station) -> None:
        vague = batch.sigmas[rows, 0] > MAX_BEARING_SIGMA_DEG
        for row in rows[vague].tolist():
            problem = f"{float(batch.sigmas[row, 0])} is no bearing"
            self._reject(batch, row, "sigma_azimuth_deg", problem)
        rows = rows[~vague]
        times = batch.event_time_ns[rows]
        for at_ns in map(int, np.unique(times)):
            frame = rows[times == at_ns]
            heard = HeardBearings(
                at_ns, batch.batch_id, tuple(frame.tolist()), station.view,
                np.radians(batch.values[frame, 0]), np.radians(batch.sigmas[frame, 0]),
            )  # fmt: skip
            if not self._timeline.hear(heard):
                self._leave_late(batch, frame)

    def _leave_late(self, batch: Batch, rows: I64) -> None:
        """Rows that came too long after newer ones: counted, and the first one named."""
        self._too_late += len(rows)
        row = int(rows[0])
        behind_s = (self._timeline.newest_ns - int(batch.event_time_ns[row])) / NS_PER_S
        problem = f"{behind_s:.1f} s behind the newest: {len(rows)} rows late"
        self._reject(batch, row, "event_time", problem)

    def _settle_tracks(self) -> None:
        """Let the tracks take what was heard since, in the order of its time."""
        for taken in self._timeline.settle():
            sensor_id = taken.heard.view.sensor.sensor_id
            if taken.ambiguous and sensor_id in self._stations.by_id:
                self._stations.by_id[sensor_id].ambiguous += taken.ambiguous
            for row, number in zip(taken.heard.rows, taken.numbers, strict=True):
                if number:
                    reference = f"{taken.heard.batch_id}/{row}"
                    self._subjects.refer(f"m{number}", sensor_id, reference)

    def _take_claims(self, batch: Batch, rows: I64) -> None:
        self._settle_tracks()
        measured = self._timeline.confirmed()
        for row in rows.tolist():
            claim = batch.claim_at(row)
            if claim is None:
                self._reject(batch, row, "claim", "a claiming sensor must say who claims")
                continue
            number = self._claims.receive(claim, self._claimed_state(batch, row), measured)
            if number:
                reference = f"{batch.batch_id}/{row}"
                self._subjects.refer(f"c{number}", batch.sensor_id, reference)

    def _take_answers(self, batch: Batch, rows: I64, radar: Sensor) -> None:
        """What transponders answered a radar, at the places of the plots that it came with."""
        said = np.array([r for r in rows.tolist() if batch.claim_at(r) is not None], np.int64)
        if not said.size:
            return
        # Nothing is computed with what could not be used.
        values, sigmas = np.zeros_like(batch.values), np.zeros_like(batch.sigmas)
        values[said], sigmas[said] = batch.values[said], batch.sigmas[said]
        batch = replace(batch, values=values, sigmas=sigmas)
        across_m = batch.values[:, 0] * np.radians(batch.sigmas[:, 1])
        level_m = np.maximum(batch.sigmas[:, 0], across_m)
        up_m = batch.values[:, 0] * np.radians(batch.sigmas[:, 2])
        placed = replace(
            batch,
            form=Form.POSITION,
            values=places_of(batch, radar),
            sigmas=np.column_stack((level_m, level_m, up_m)),
            height_references=np.full(len(batch), HeightReference.HAE, np.int8),
        )
        self._take_claims(placed, said)

    def _claimed_state(self, batch: Batch, row: int) -> ClaimedState:
        frame = self.site.frame
        lat, lon, height_m = (float(v) for v in batch.values[row])
        reference = HeightReference(int(batch.height_references[row]))
        sigma_m = float(batch.sigmas[row, 2])
        hae_m, sigma_up_m = hae_with_sigma(height_m, reference, sigma_m, frame, self.site.terrain)
        east, north, up = frame.to_enu(lat, lon, hae_m)
        v_east, v_north, v_up = (float(v) for v in batch.velocities_mps[row])
        return ClaimedState(
            int(batch.event_time_ns[row]), east, north, up, lat, lon,
            height_of(height_m, reference),
            float(np.hypot(batch.sigmas[row, 0], batch.sigmas[row, 1]) / np.sqrt(2.0)),
            sigma_up_m, (v_east, v_north, v_up), batch.receipt_time_ns, batch.sensor_id,
        )  # fmt: skip

    def _keep_reports(self, batch: Batch, rows: I64) -> None:
        for row in rows.tolist():
            self._say(
                ReportKept(
                    self._now_ns,
                    batch.batch_id,
                    row,
                    batch.sensor_id,
                    int(batch.event_time_ns[row]),
                    known_or_none(float(batch.values[row, 0])),
                    batch.words[row] if batch.words else "",
                    known_or_none(float(batch.values[row, 1])),
                    known_or_none(float(batch.values[row, 2])),
                )
            )

    # -- sensors --------------------------------------------------------------------------

    def _heard(self, sensor_id: SensorId, station: Station) -> None:
        if self._stations.heard(station, self._now_ns):
            self._say(SensorChanged(self._now_ns, sensor_id, WORKING))
            self._said.extend(self._alarms.sensor(sensor_id, False, self._now_ns))

    def _look_at_sensors(self) -> None:
        for sensor_id in self._stations.fallen_silent(self._now_ns):
            self._say(SensorChanged(self._now_ns, sensor_id, SILENT))
            self._said.extend(self._alarms.sensor(sensor_id, True, self._now_ns))

    # -- verdicts -------------------------------------------------------------------------

    def _judge_all(self) -> None:
        self._settle_tracks()
        tracks = self._timeline.confirmed()
        measuring, listening = self._stations.measuring(), self._stations.listening(self._now_ns)
        claims = list(self._claims.tracks.values())
        places = np.array([(c.state.east_m, c.state.north_m, c.state.up_m) for c in claims])
        waits_s = detections_s(measuring, places.reshape(-1, 3)).tolist()
        in_view = {c.number: s for c, s in zip(claims, waits_s, strict=True) if s < math.inf}
        parted = self._claims.settle(self._now_ns, tracks, in_view)
        for number in parted:
            self._timeline.forget_kind(number)
        if parted:
            tracks = self._timeline.confirmed()

        self._upstream.follow(self._now_ns, tracks, self.site.tracker)
        # Claims are held against our own tracks alone: another system's may be made of them.
        shown, upstream = self._upstream.shown(self._now_ns, tracks, self.site.tracker)

        def heard_here(places_m: F64) -> NDArray[np.bool_]:
            return seen_by(listening, places_m)

        judged = self._subjects.update(
            self._now_ns,
            self.site.frame,
            shown,
            self._claims,
            self._timeline.numbers().tolist(),
            in_view,
            heard_here,
            self._say,
            self.site.verdict_policy,
            upstream,
        )
        ahead = outlook(self._now_ns, self.site.terrain, self.site.tracker, shown)
        for held, subject in judged:
            found = self._judge_one(held, subject, ahead)
            concern = concern_of(subject, found, self.site.alert_policy)
            self._said.extend(self._alarms.consider(held, concern, self._now_ns))
        for held in self._subjects.lost:
            if held.concern_since_ns is not None:
                why = "the track is lost"
                self._said.extend(self._alarms.end(held, self._now_ns, why))

    def _judge_one(
        self, held: Held, subject: Subject, ahead: Outlook
    ) -> list[tuple[ZoneId, Presence, Verdict]]:
        policy, terrain = self.site.verdict_policy, self.site.terrain
        found: list[tuple[ZoneId, Presence, Verdict]] = []
        if subject.idle:
            return found
        serial = usable_identity(subject)
        for target in self._enforced:
            zone = target.zone
            zone_id = zone.zone.zone_id
            where = presence(subject, zone, self._now_ns, terrain, policy.bound_horizon_s)
            before = held.verdicts.get(zone_id)
            if where.what == GONE:
                if before is not None:
                    del held.verdicts[zone_id]
                    self._say(_changed(self._now_ns, held, zone_id, where, before[1]))
                continue
            where = foreseen(where, held, subject, target, ahead)
            permits = self.book.concerning(serial, where.fix)
            verdict = judge(subject, zone, where, permits, terrain, policy)
            if verdict.permission is Permission.PERMITTED and serial is not None:
                self.book.fly(verdict.permit_id, serial, self._now_ns)
            found.append((zone_id, where, verdict))
            held.verdicts[zone_id] = (where, verdict)
            if before is None or _gist(*before) != _gist(where, verdict):
                self._say(_changed(self._now_ns, held, zone_id, where, verdict))
        return found

    # -- commands -------------------------------------------------------------------------

    def _zones_changed(self, said: Sequence[Event]) -> None:
        """Judge by what is in force now; of a zone that is no more the verdicts are taken back."""
        if not said:
            return
        self._said.extend(said)
        self._choose_enforced()
        here = {t.zone.zone.zone_id for t in self._enforced}
        for held in self._subjects.held.values():
            for zone_id in [z for z in held.verdicts if z not in here]:
                where, verdict = held.verdicts.pop(zone_id)
                gone = replace(where, what=GONE, entry_in_s=None, arrival=None)
                self._say(_changed(self._now_ns, held, zone_id, gone, verdict))

    def _choose_enforced(self) -> None:
        """This site's own zones; those of other authorities are shown, not enforced."""
        own = {self.site.authority_id, *self.site.also_judges}
        zones = [z for z in self.zone_book.prepared() if z.zone.authority_id in own]
        known = {id(t.zone): t for t in self._enforced}
        self._enforced = [known.get(id(z)) or target_of(z, self.site.frame) for z in zones]

    # -- hand-over ------------------------------------------------------------------------

    def _hand_over(self, command: HandOverAlert) -> None:
        recipient = self.handovers.admit(command, self._alarms.alerts.get(command.alert_id))
        self._said.extend(self._alarms.apply(command, self._now_ns))
        if recipient is not None:
            alert = self._alarms.alerts[command.alert_id]
            self._said.extend(
                self.handovers.hand_over(
                    recipient, alert, command.actor, command.note, self._now_ns
                )
            )

    def _to_warn(self) -> tuple[Zones, bool, int]:
        """What a warning is drafted from: own zones, whether it is an exercise, the moment."""
        zones: Zones = {
            t.zone.zone.zone_id: (
                t.zone.zone.name, tuple(v.area for v in t.zone.zone.volumes),
            )
            for t in self._enforced
        }  # fmt: skip
        return zones, self.handovers.in_exercise(self._now_ns), self._now_ns

    def _promised(self, command: HandoverCommand) -> list[Event]:
        named = command.alert_id if isinstance(command, Instruct) else None
        alert = None if named is None else self._alarms.alerts.get(named)
        return self.handovers.apply(command, alert, self._now_ns)

    # -- speaking -------------------------------------------------------------------------

    def _say(self, event: Event) -> None:
        self._said.append(event)

    def _spoken(self) -> tuple[Event, ...]:
        self._said.extend(self.handovers.follow(self._said, self._now_ns))
        if self.warnings.drafting and any(isinstance(e, AlertChanged) for e in self._said):
            self._said.extend(self.warnings.follow(self._said, *self._to_warn()))
        said, self._said = tuple(self._said), []
        return said

    def _reject(self, batch: Batch, row: int, name: str, problem: str) -> None:
        self._say(ObservationRejected(self._now_ns, batch.batch_id, row, name, problem))


def _gist(where: Presence, verdict: Verdict) -> tuple[object, ...]:
    codes = tuple(r.code for r in verdict.reasons)
    return (where.what, verdict.permission, codes, verdict.strength, verdict.permit_id)


def _changed(
    now_ns: int, held: Held, zone_id: ZoneId, where: Presence, verdict: Verdict
) -> VerdictChanged:
    entry = None if where.entry_in_s is None else round(where.entry_in_s, 1)
    return VerdictChanged(
        now_ns, held.track_id, zone_id, where.what, verdict.permission, verdict.reasons,
        verdict.strength, verdict.permit_id, entry, where.arrival,
    )  # fmt: skip
