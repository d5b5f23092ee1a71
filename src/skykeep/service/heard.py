"""What the live stream tells beside the site's state: kept from the durable groups, bounded."""

from __future__ import annotations

import math
from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import dataclass, field

from skykeep.core.event import (
    AccountActed,
    AlertChanged,
    Event,
    Looked,
    ObservationRejected,
    ReportKept,
    Severity,
    Tick,
)
from skykeep.core.observation import Batch, Form
from skykeep.service.live_columns import Ray
from skykeep.service.writer import Group
from skykeep.units import NS_PER_S

#: A bearing is shown so long: about three turns of a direction finder.
RAYS_NS = 5 * NS_PER_S
#: A finder in a busy band gives some hundred a second; more cannot be told apart on a map.
RAYS_LIMIT = 2_000
REPORTS_LIMIT = 50
#: An alert has a handful of steps by people and one for each track that joins it.
STEPS_LIMIT = 100


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happened to an alert, and by whom."""

    event: str
    at_ns: int
    by: str
    role: str
    why: str


@dataclass(slots=True)
class Heard:
    """Steps of alerts, bearings and reports, as the groups told them.

    `taken` and `refused` count observations by sensor since the start, `batches` their batches.
    `changed` says that something was heard that must not wait for the next beat, `judged` that
    people changed what tracks are judged by.
    """

    steps: dict[str, deque[Step]] = field(default_factory=dict)
    rays: deque[Ray] = field(default_factory=lambda: deque(maxlen=RAYS_LIMIT))
    reports: deque[ReportKept] = field(default_factory=lambda: deque(maxlen=REPORTS_LIMIT))
    taken: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    batches: Counter[str] = field(default_factory=Counter)
    changed: bool = False
    judged: bool = False

    def take(self, group: Group) -> None:
        """One durable group."""
        for item, answer in zip(group.items, group.answers, strict=True):
            if answer.refused is not None or answer.repeated:
                continue
            if isinstance(item, Batch):
                unused = {e.row for e in answer.events if isinstance(e, ObservationRejected)}
                self._count(item, unused)
                self._see(item, unused)
            elif not isinstance(item, Tick | Looked | AccountActed):
                self.changed = self.judged = True
            self._events(answer.events)

    def _count(self, batch: Batch, unused: set[int]) -> None:
        """Rows used and not used, those among them that could not be read."""
        refused = len(batch) if -1 in unused else len(unused)
        unread = sum(f.severity is Severity.ERROR for f in batch.findings)
        self.batches[batch.sensor_id] += 1
        self.taken[batch.sensor_id] += len(batch) - refused
        self.refused[batch.sensor_id] += refused + unread

    def _events(self, events: Iterable[Event]) -> None:
        for event in events:
            if isinstance(event, AlertChanged):
                self.changed = True
                steps = self.steps.setdefault(event.alert_id, deque(maxlen=STEPS_LIMIT))
                by = event.actor
                steps.append(Step(event.event, event.at_ns, by.name, by.role, event.why))
            elif isinstance(event, ReportKept):
                self.changed = True
                self.reports.append(event)

    def _see(self, batch: Batch, unused: set[int]) -> None:
        """The directions in which a batch says that something was seen."""
        if batch.form not in (Form.BEARING, Form.SIGHTING) or -1 in unused:
            return
        person = batch.form is Form.SIGHTING
        for row in range(len(batch)):
            azimuth_deg = float(batch.values[row, 0])
            if row not in unused and math.isfinite(azimuth_deg):
                sigma_deg = float(batch.sigmas[row, 0])
                at_ns = int(batch.event_time_ns[row])
                self.rays.append(Ray(at_ns, batch.sensor_id, azimuth_deg, sigma_deg, person))

    def rays_at(self, now_ns: int) -> list[Ray]:
        """The bearings of the last seconds; older ones are forgotten."""
        fresh = [r for r in self.rays if now_ns - r.at_ns <= RAYS_NS]
        if len(fresh) < len(self.rays):
            self.rays = deque(fresh, maxlen=RAYS_LIMIT)
        return fresh

    def forget_alerts(self, held: Iterable[str]) -> None:
        """Keep the steps of these alerts alone."""
        known = set(held)
        for alert_id in [a for a in self.steps if a not in known]:
            del self.steps[alert_id]
