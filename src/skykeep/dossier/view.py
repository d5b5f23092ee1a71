"""What the reader's page shows, as plain values: the record in words, metres and clock times.

Every text is shown as it is given; times of day are texts in the view's `time_zone`. Places
are metres east, north and up in the site's frame. Codes such as a permission or a conclusion
are those of the core's enumerations; a code that the page does not know is shown as it is.
"""

from __future__ import annotations

from dataclasses import dataclass

Span = tuple[float, float]
"""From and until, in seconds since the dossier's first point."""

Reasons = tuple[tuple[str, str], ...]
"""(code, words) each: why a permission is what it is."""


@dataclass(frozen=True, slots=True)
class ZoneView:
    """A zone: `outline` is its border, (east, north) in metres, closed or not.

    `spans` are when it applied, (from, until) in the dossier's seconds.
    """

    zone_id: str
    name: str
    restriction: str
    authority: str
    legal_basis: str
    in_force: str
    outline: tuple[tuple[float, float], ...]
    heights: str
    emergency: bool
    spans: tuple[Span, ...] = ()


@dataclass(frozen=True, slots=True)
class PermitView:
    """A permit or exemption, in words."""

    permit_id: str
    words: str


@dataclass(frozen=True, slots=True)
class VerdictView:
    """The permission of a track in a zone from `at` on, until the next one about that zone."""

    at: str
    zone_id: str
    presence: str
    permission: str
    reasons: Reasons
    strength: str
    at_s: float = 0.0


@dataclass(frozen=True, slots=True)
class TrackView:
    """One track: `points` are (seconds since the dossier's first point, east, north, up m).

    `source` is "measured", "upstream" or "claimed"; `sensors` are (sensor id, number of
    observations); `strength` says how far its `identity` was checked. `sigmas_m` is one
    standard deviation of the place, horizontally, for each of the points.
    """

    track_id: str
    label_words: str
    first_seen: str
    last_seen: str
    source: str
    points: tuple[tuple[float, float, float, float], ...]
    sensors: tuple[tuple[str, int], ...]
    identity: str
    strength: str
    verdicts: tuple[VerdictView, ...]
    sigmas_m: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class CoverageView:
    """Where a sensor can see, from where it stands; clockwise from north, 0 to 360 all round."""

    range_min_m: float
    range_max_m: float
    azimuth_from_deg: float = 0.0
    azimuth_to_deg: float = 360.0


@dataclass(frozen=True, slots=True)
class SensorView:
    """A sensor: where it stands (m), what it is, and how many observations it gave.

    `corrections` are (at, how far it was found to be off), in their order; `health` are
    (from s, until s, `working`, `silent` or `unknown`); `seen_s` is when it saw one of the
    dossier's tracks; `withheld` says in words what of it is not shown.
    """

    sensor_id: str
    kind: str
    east: float
    north: float
    words: str
    observations: int
    corrections: tuple[tuple[str, str], ...] = ()
    coverage: CoverageView | None = None
    health: tuple[tuple[float, float, str], ...] = ()
    seen_s: tuple[float, ...] = ()
    withheld: str = ""


@dataclass(frozen=True, slots=True)
class AlertView:
    """An alert: `steps` are (at, what, who, role, why) in their order.

    `tracks` names the tracks that it is about; without them the page cannot say which
    track was handled how, and says so. `steps_s` is when each step was.
    """

    alert_id: str
    raised: str
    priority: int
    permission: str
    reasons: Reasons
    steps: tuple[tuple[str, str, str, str, str], ...]
    tracks: tuple[str, ...] = ()
    steps_s: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class SightingView:
    """What a person on the spot said: seen `at`, told when, in which direction."""

    at: str
    told: str
    azimuth: str
    words: str


@dataclass(frozen=True, slots=True)
class ReportView:
    """What responders reported; `parts` are (east m, north m, words), `place` where it was."""

    at: str
    author: str
    role: str
    words: str
    parts: tuple[tuple[float, float, str], ...]
    injuries: str
    damage: str
    outcomes: tuple[str, ...] = ()
    place: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class AssessmentView:
    """A named person's conclusion and the evidence that it rests on."""

    at: str
    author: str
    role: str
    conclusion: str
    words: str
    evidence: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TimelineItem:
    """One line of the timeline.

    `kind` is "observed", "decided", "reported", "assessed" or "declared".
    """

    at: str
    kind: str
    words: str
    at_s: float = 0.0


@dataclass(frozen=True, slots=True)
class WithheldView:
    """Facts that are not shown: `words` say how many of how many, by whom and why.

    `decided` tells that somebody decided it for this dossier; `commitments` are the first of
    the salted hashes that stand for the facts, out of `count`.
    """

    words: str
    by: str
    why: str
    count: int
    commitments: tuple[str, ...]
    decided: bool


@dataclass(frozen=True, slots=True)
class ProofView:
    """How to check the dossier: `lines` say what was withheld, by whom and why.

    `checks` are what the verifier looks at, each with what it tells.
    """

    lines: tuple[str, ...]
    verify_command: str
    cannot_know: tuple[str, ...]
    checks: tuple[tuple[str, str], ...] = ()
    head: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class ClockView:
    """The dossier's seconds as times of day: `zero_s` since 1970 UTC is second 0.

    `offsets` are (from s, local time minus UTC in s), the first one from the start on.
    """

    zero_s: float
    offsets: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class FigureView:
    """A key figure for the head of the page: "Warning", "83 s", "before it crossed the wall"."""

    label: str
    value: str
    words: str


@dataclass(frozen=True, slots=True)
class DossierView:
    """Everything that the reader's page shows of an incident.

    `figures` follow those that the page finds itself (alerts, first detection, first alert).
    `minute_marks` are (seconds since the dossier's first point, "23:51") for the map; where
    there are none it counts the minutes from the first point.
    """

    incident_id: str
    title: str
    site_name: str
    authority: str
    time_zone: str
    opened: str
    produced_from: str
    summary: tuple[str, ...]
    zones: tuple[ZoneView, ...]
    permits: tuple[PermitView, ...]
    tracks: tuple[TrackView, ...]
    sensors: tuple[SensorView, ...]
    alerts: tuple[AlertView, ...]
    sightings: tuple[SightingView, ...]
    reports: tuple[ReportView, ...]
    assessments: tuple[AssessmentView, ...]
    timeline: tuple[TimelineItem, ...]
    proof: ProofView
    figures: tuple[FigureView, ...] = ()
    minute_marks: tuple[tuple[float, str], ...] = ()
    withheld: tuple[WithheldView, ...] = ()
    clock: ClockView | None = None
