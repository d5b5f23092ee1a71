"""How many alerts a person is given: the rate, when it is a flood, and what is then shown as one.

ANSI/ISA-18.2-2016, 16.5, and EEMUA 191 (3rd ed.): a person can answer about one alarm in ten
minutes for long; more than ten in ten minutes is a flood, which is over when fewer than five
come in ten minutes.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from skykeep.core.alert import Alert, AlertState, FloodPolicy
from skykeep.core.event import FloodChanged
from skykeep.units import AlertId, seconds


@dataclass(frozen=True, slots=True)
class FloodSnapshot:
    """The alerts of late and whether they are a flood."""

    raised_ns: tuple[int, ...] = ()
    flood: bool = False


@dataclass(slots=True)
class AlertRate:
    """The alerts that were raised of late, oldest first."""

    policy: FloodPolicy
    raised_ns: deque[int] = field(default_factory=deque)
    flood: bool = False

    def raised(self, now_ns: int) -> list[FloodChanged]:
        """One more was raised."""
        self.raised_ns.append(now_ns)
        return self.advance(now_ns)

    def advance(self, now_ns: int) -> list[FloodChanged]:
        """Let the clock reach `now_ns`; tells that a flood begins or ends."""
        window_ns = seconds(self.policy.window_s)
        while self.raised_ns and now_ns - self.raised_ns[0] >= window_ns:
            self.raised_ns.popleft()
        count = len(self.raised_ns)
        flood = count > self.policy.above or (self.flood and count >= self.policy.below)
        if flood == self.flood:
            return []
        self.flood = flood
        return [FloodChanged(now_ns, flood, count, self.policy.window_s)]

    def due_ns(self) -> int | None:
        """When a flood may be over, if there is one and no more comes."""
        if not self.flood:
            return None
        return self.raised_ns[-self.policy.below] + seconds(self.policy.window_s)

    def snapshot(self) -> FloodSnapshot:
        """The same as values."""
        return FloodSnapshot(tuple(self.raised_ns), self.flood)

    @staticmethod
    def restore(policy: FloodPolicy, saved: FloodSnapshot) -> AlertRate:
        """One that goes on where `saved` was taken."""
        return AlertRate(policy, deque(saved.raised_ns), saved.flood)


@dataclass(frozen=True, slots=True)
class AlertGroup:
    """Alerts that are shown as one: the worst of them, and all in their order."""

    worst: AlertId
    alerts: tuple[AlertId, ...]


def groups_of(alerts: Sequence[Alert], flood: bool) -> tuple[AlertGroup, ...]:
    """Alerts that want an answer, the worst first: each alone, or in a flood like ones as one.

    Like are those of one permission and first reason. The worst is the gravest; among equals one
    that nobody has seen yet, and then the oldest, which has waited longest.
    """
    open_alerts = sorted((a for a in alerts if a.state is not AlertState.CLOSED), key=_rank)
    if not flood:
        return tuple(AlertGroup(a.alert_id, (a.alert_id,)) for a in open_alerts)
    like: dict[tuple[str, str], list[AlertId]] = {}
    for alert in open_alerts:
        code = alert.reasons[0].code if alert.reasons else ""
        like.setdefault((alert.permission.value, code), []).append(alert.alert_id)
    return tuple(AlertGroup(group[0], tuple(group)) for group in like.values())


def _rank(alert: Alert) -> tuple[int, bool, int, AlertId]:
    unseen = alert.state is AlertState.RAISED
    return alert.priority, not unseen, alert.raised_ns, alert.alert_id
