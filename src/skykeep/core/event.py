"""What crosses rooms as plain values: who acts, what was found amiss, what happened.

Commands live with the noun they change (zone, permit, alert, casebook); each names its
`Actor`. Events are what the live engine says; they hold ids, words and numbers only.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass

from skykeep.units import AlertId, BatchId, PermitId, SensorId, TrackId, ZoneId


@dataclass(frozen=True, slots=True)
class Actor:
    """The person (or, for automatic acts, the rule) behind an action, and in which role."""

    name: str
    role: str


@dataclass(frozen=True, slots=True)
class Tick:
    """The clock's own input: nothing else happened until now."""

    at_ns: int


@dataclass(frozen=True, slots=True)
class Looked:
    """Somebody saw a subject that points to a person, so many times from one moment to another.

    An input that changes nothing: it is there to be recorded. `purpose` is what they said that
    it was for; empty where their role is all the grounds there are.
    """

    actor: Actor
    subject: str
    purpose: str
    from_ns: int
    until_ns: int
    times: int


@dataclass(frozen=True, slots=True)
class AccountActed:
    """Something was done with somebody's account: signed in, invited, disabled.

    An input that changes nothing: it is there to be recorded.
    """

    actor: Actor
    act: str
    login: str
    at_ns: int


class Severity(enum.StrEnum):
    """How grave a finding is."""

    NOTE = "note"  # read as meant, nothing assumed
    WARNING = "warning"  # read, with an assumption that could be wrong
    ERROR = "error"  # this part could not be used


@dataclass(frozen=True, slots=True)
class Finding:
    """One fault in something that came in: where, what, and what was assumed instead."""

    where: str
    problem: str
    assumed: str
    severity: Severity


class Permission(enum.StrEnum):
    """The permission of a track in a zone."""

    PERMITTED = "permitted"
    NOT_PERMITTED = "not_permitted"
    UNDETERMINED = "undetermined"
    NOT_SUBJECT = "not_subject"


class Strength(enum.StrEnum):
    """How far a claimed identity has been checked."""

    NONE = "none"
    BROADCAST_ONLY = "broadcast_only"
    CONSISTENT = "consistent"
    AUTHENTICATED = "authenticated"
    INCONSISTENT = "inconsistent"


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a verdict is what it is: a stable code and the same in words."""

    code: str
    words: str


@dataclass(frozen=True, slots=True)
class ObservationRejected:
    """One row of a batch was not used; the rows beside it were."""

    at_ns: int
    batch_id: BatchId
    row: int
    field: str
    problem: str


@dataclass(frozen=True, slots=True)
class InputFound:
    """A feed's finding about bytes that it read as far as they made sense."""

    at_ns: int
    batch_id: BatchId
    sensor_id: SensorId
    finding: Finding


@dataclass(frozen=True, slots=True)
class ReportKept:
    """A person's report, kept as a report: it starts no track and raises no alert.

    The place is where the person stood, rounded, where that is known.
    """

    at_ns: int
    batch_id: BatchId
    row: int
    sensor_id: SensorId
    seen_at_ns: int
    azimuth_deg: float | None
    words: str
    lat_deg: float | None = None
    lon_deg: float | None = None


@dataclass(frozen=True, slots=True)
class SensorChanged:
    """A sensor's health: `unknown`, `working`, `silent` or `maintenance`."""

    at_ns: int
    sensor_id: SensorId
    health: str


@dataclass(frozen=True, slots=True)
class SensorNumbered:
    """What the numbers on a sensor's signed batches say: `gap`, `filled` or `restarted`.

    Numbers `first` to `last` of a session did not come, came late, or are the first of it.
    """

    at_ns: int
    sensor_id: SensorId
    what: str
    session: int
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Bias:
    """How far a sensor is off: measured minus true; its time stamp minus the moment."""

    range_m: float
    azimuth_deg: float
    elevation_deg: float
    time_s: float


@dataclass(frozen=True, slots=True)
class RegistrationChanged:
    """What is known of a sensor's bias changed materially.

    From here on `bias` is taken away from what it measures, in the parts that are `applied`
    (`range`, `azimuth`, `elevation`, `time`), and `sigma` joins its uncertainty. It rests on
    so many aircraft that agree and comparisons since the sensor was entered; one that is entered
    anew begins with nothing taken away.
    """

    at_ns: int
    sensor_id: SensorId
    applied: tuple[str, ...]
    bias: Bias
    sigma: Bias
    aircraft: int
    comparisons: int


@dataclass(frozen=True, slots=True)
class TrackStarted:
    """A track was confirmed; its first observation lies at `first_seen_ns`."""

    at_ns: int
    track_id: TrackId
    first_seen_ns: int
    source: str  # "measured", "upstream" (another system's track) or "claimed"


@dataclass(frozen=True, slots=True)
class TrackUpdated:
    """A confirmed track's state as it is judged: quantised to 1 mm and 1 mm/s."""

    at_ns: int
    track_id: TrackId
    state_at_ns: int
    east_mm: int
    north_mm: int
    up_mm: int
    velocity_east_mmps: int
    velocity_north_mmps: int
    velocity_up_mmps: int
    sigma_horizontal_mm: int
    sigma_up_mm: int
    height_reference: str  # of the height that is judged; `up_mm` is always in the frame
    height_mm: int | None
    sensors: tuple[SensorId, ...]
    observations: tuple[str, ...]  # "batch/row", since the last update
    probability_drone: float
    taken_for_drone: bool  # with hysteresis: from the policy's probability until an even chance


@dataclass(frozen=True, slots=True)
class TrackEnded:
    """A confirmed track is no longer held; `last_seen_ns` is its last observation."""

    at_ns: int
    track_id: TrackId
    last_seen_ns: int


@dataclass(frozen=True, slots=True)
class TrackContinued:
    """A new track is taken for an earlier one after a gap, with what that rests on."""

    at_ns: int
    track_id: TrackId
    earlier: TrackId
    gap_s: float
    basis: str


@dataclass(frozen=True, slots=True)
class IdentityChanged:
    """What a track is said to be and how far that was checked."""

    at_ns: int
    track_id: TrackId
    scheme: str
    identity: str | None
    transmitter: str
    strength: Strength
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class ZoneChanged:
    """A version of a zone took a step by somebody's act, or because its time had come."""

    at_ns: int
    zone_id: ZoneId
    state: str
    actor: Actor
    version: int
    why: str


@dataclass(frozen=True, slots=True)
class PermitChanged:
    """A permit or exemption entered a new state by somebody's act."""

    at_ns: int
    permit_id: PermitId
    state: str
    actor: Actor
    why: str


@dataclass(frozen=True, slots=True)
class NoticeDue:
    """A permit's holder must be told of its new state, by these channels (`page`: its own page).

    Addresses stand in the permit alone: events are open in the record.
    """

    at_ns: int
    notice_id: str
    permit_id: PermitId
    state: str
    channels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NoticeTold:
    """One channel of a notice is done with: it was `delivered`, or given up, with `detail`."""

    at_ns: int
    notice_id: str
    permit_id: PermitId
    channel: str
    delivered: bool
    detail: str


@dataclass(frozen=True, slots=True)
class Arrival:
    """Whether and when a track enters a zone, within `track.arrival.HORIZON_S`.

    `probability` in hundredths, of having entered by the horizon; `p10_s` is the least time,
    to 0.1 s, by which it has entered with 10 %; None where that is not reached.
    """

    probability: float
    p10_s: float | None
    p50_s: float | None
    p90_s: float | None


@dataclass(frozen=True, slots=True)
class VerdictChanged:
    """The permission of a track in a zone, with its reasons.

    `presence` is `inside`, `bound` (will enter), `maybe_inside` or `gone`; `arrival` is
    as it was when the verdict changed.
    """

    at_ns: int
    track_id: TrackId
    zone_id: ZoneId
    presence: str
    permission: Permission
    reasons: tuple[Reason, ...]
    strength: Strength
    permit_id: PermitId | None
    entry_in_s: float | None
    arrival: Arrival | None = None


@dataclass(frozen=True, slots=True)
class AlertChanged:
    """An alert entered a new state or changed in weight; `actor` is who or which rule."""

    at_ns: int
    alert_id: AlertId
    event: str
    state: str
    active: bool
    priority: int
    tracks: tuple[TrackId, ...]
    zones: tuple[ZoneId, ...]
    permission: Permission
    reasons: tuple[Reason, ...]
    actor: Actor
    why: str


@dataclass(frozen=True, slots=True)
class FloodChanged:
    """More alerts come than a person can answer, or no longer: so many in the last `window_s`."""

    at_ns: int
    flood: bool
    raised: int
    window_s: float


@dataclass(frozen=True, slots=True)
class HandoverChanged:
    """A hand-over took a step: `revision` 1 is the hand-over, 2 that it was taken back.

    `event` is a step of its lifecycle, or `hand_over` (begun) or `fail` (a channel was given up).
    """

    at_ns: int
    handover_id: str
    alert_id: AlertId | None
    recipient: str
    event: str
    state: str
    revision: int
    exercise: bool
    actor: Actor
    why: str


@dataclass(frozen=True, slots=True)
class WarningChanged:
    """A warning of the public was drafted, or took a step of its lifecycle."""

    at_ns: int
    warning_id: str
    zone_id: ZoneId
    event: str
    state: str
    exercise: bool
    actor: Actor


@dataclass(frozen=True, slots=True)
class ExerciseChanged:
    """Until a moment what goes out is marked as an exercise."""

    at_ns: int
    until_ns: int
    actor: Actor
    why: str


Event = (
    ObservationRejected
    | InputFound
    | ReportKept
    | SensorChanged
    | SensorNumbered
    | RegistrationChanged
    | TrackStarted
    | TrackUpdated
    | TrackEnded
    | TrackContinued
    | IdentityChanged
    | ZoneChanged
    | PermitChanged
    | NoticeDue
    | NoticeTold
    | VerdictChanged
    | AlertChanged
    | FloodChanged
    | HandoverChanged
    | ExerciseChanged
    | WarningChanged
)
