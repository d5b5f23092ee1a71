"""The book of alerts: raised, renewed and ended by rule, moved on by named persons."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from skykeep.core.alert import (
    ALERT_TRANSITIONS,
    AcknowledgeAlert,
    Alert,
    AlertEvent,
    AlertPolicy,
    AlertState,
    CloseAlert,
    Concern,
    FloodPolicy,
    HandOverAlert,
    RaiseTestAlert,
    ShelveAlert,
    UnshelveAlert,
    transition,
)
from skykeep.core.event import Actor, AlertChanged, FloodChanged, Permission, Reason
from skykeep.core.flood import AlertRate, FloodSnapshot
from skykeep.core.picture import Held
from skykeep.errors import DecisionError
from skykeep.units import NS_PER_S, AlertId, SensorId, seconds, to_datetime

RULE = Actor("alert rule", "rule")
SHELF = Actor("shelf timer", "rule")
#: A silent sensor is not an intrusion, but it blinds the watch.
SENSOR_PRIORITY = 2
#: Closed alerts that have ended and are still held for look-up; the record keeps them all.
CLOSED_LIMIT = 1_000

AlertStep = AcknowledgeAlert | HandOverAlert | CloseAlert | ShelveAlert | UnshelveAlert
AlarmCommand = AlertStep | RaiseTestAlert
#: Not `raised`: whoever counts or hands over what was raised does not count or hand over this.
TEST_RAISED = "test_raised"
#: What can be done about a test: it is nobody's to respond to.
TEST_STEPS = frozenset({AlertEvent.ACKNOWLEDGE, AlertEvent.CLOSE})

AlarmSaid = AlertChanged | FloodChanged

_EVENT_OF: dict[type, AlertEvent] = {
    AcknowledgeAlert: AlertEvent.ACKNOWLEDGE,
    HandOverAlert: AlertEvent.HAND_OVER,
    CloseAlert: AlertEvent.CLOSE,
    ShelveAlert: AlertEvent.SHELVE,
    UnshelveAlert: AlertEvent.UNSHELVE,
}


@dataclass(frozen=True, slots=True)
class AlarmsSnapshot:
    """All alerts as values."""

    next_number: int
    alerts: tuple[Alert, ...]
    sensors: tuple[tuple[SensorId, AlertId], ...]
    rate: FloodSnapshot = field(default_factory=FloodSnapshot)


@dataclass(slots=True)
class Alarms:
    """All alerts, oldest first."""

    policy: AlertPolicy
    next_number: int = 1
    alerts: dict[AlertId, Alert] = field(default_factory=dict)
    sensors: dict[SensorId, AlertId] = field(default_factory=dict)
    rate: AlertRate = field(default_factory=lambda: AlertRate(FloodPolicy()))

    def consider(self, held: Held, concern: Concern | None, now_ns: int) -> list[AlarmSaid]:
        """Raise, renew or end the alert of one track, with hysteresis both ways."""
        if concern is None:
            return self._quieten(held, now_ns)
        if held.concern_since_ns is None:
            held.concern_since_ns = now_ns
        held.concern_last_ns = now_ns
        alert = None if held.alert_id is None else self.alerts.get(held.alert_id)
        if alert is None or (alert.state is AlertState.CLOSED and not alert.active):
            held.due_ns = held.concern_since_ns + seconds(concern.after_s)
            if now_ns < held.due_ns:
                return []
            alert = self._new(now_ns, concern)
            alert = replace(alert, tracks=(held.track_id,))
            held.alert_id = alert.alert_id
            return [self._put(alert, now_ns, "raised", RULE, ""), *self.rate.raised(now_ns)]
        return self._renew(alert, held, concern, now_ns)

    def _renew(self, alert: Alert, held: Held, concern: Concern, now_ns: int) -> list[AlarmSaid]:
        """An alert holds the gravest that its cause has been; only what is graver is told."""
        tracks = alert.tracks if held.track_id in alert.tracks else (*alert.tracks, held.track_id)
        zones = tuple(sorted({*alert.zones, *concern.zones}))
        renewed = replace(alert, active=True, tracks=tracks, zones=zones)
        graver = concern.priority < alert.priority
        if graver or not alert.active:
            renewed = replace(
                renewed,
                priority=concern.priority,
                permission=concern.permission,
                reasons=concern.reasons,
            )
        if renewed == alert:
            return []
        return [self._put(renewed, now_ns, "updated", RULE, "")]

    def _new(self, now_ns: int, concern: Concern) -> Alert:
        alert = Alert(
            AlertId(f"A{self.next_number:05d}"),
            AlertState.RAISED,
            True,
            concern.priority,
            (),
            concern.zones,
            concern.permission,
            concern.reasons,
            now_ns,
            unseen_since_ns=now_ns,
        )
        self.next_number += 1
        return alert

    def _quieten(self, held: Held, now_ns: int) -> list[AlarmSaid]:
        if held.concern_since_ns is None:
            return []
        if now_ns - held.concern_last_ns < seconds(self.policy.clear_after_s):
            return []
        return self.end(held, now_ns, "the cause has gone")

    def end(self, held: Held, now_ns: int, why: str) -> list[AlarmSaid]:
        """The cause is over; what people have to do about the alert is not."""
        held.concern_since_ns = None
        alert = None if held.alert_id is None else self.alerts.get(held.alert_id)
        if alert is None:
            return []
        if alert.state is AlertState.CLOSED:
            held.alert_id = None
        if not alert.active:
            return []
        return [self._put(replace(alert, active=False), now_ns, "ended", RULE, why)]

    def sensor(self, sensor_id: SensorId, silent: bool, now_ns: int) -> list[AlarmSaid]:
        """A sensor fell silent or works again."""
        known = self.sensors.get(sensor_id)
        alert = None if known is None else self.alerts.get(known)
        if silent:
            if alert is not None and alert.active:
                return []
            reason = Reason("sensor_silent", f"sensor {sensor_id} has stopped reporting")
            concern = Concern(SENSOR_PRIORITY, (), Permission.UNDETERMINED, (reason,), 0.0)
            alert = self._new(now_ns, concern)
            self.sensors[sensor_id] = alert.alert_id
            return [self._put(alert, now_ns, "raised", RULE, ""), *self.rate.raised(now_ns)]
        if alert is None or not alert.active:
            return []
        del self.sensors[sensor_id]
        ended = replace(alert, active=False)
        return [self._put(ended, now_ns, "ended", RULE, "the sensor reports again")]

    def apply(self, command: AlarmCommand, now_ns: int) -> list[AlertChanged]:
        """A person's step; DecisionError where there is no such alert or no such step."""
        if isinstance(command, RaiseTestAlert):
            return [self._test(command, now_ns)]
        alert = self.alerts.get(command.alert_id)
        if alert is None:
            raise DecisionError(f"there is no alert {command.alert_id}")
        until_ns, why = None, ""
        if isinstance(command, ShelveAlert):
            if command.until_ns <= now_ns:
                raise DecisionError(
                    f"alert {command.alert_id} cannot be shelved until "
                    f"{to_datetime(command.until_ns):%Y-%m-%d %H:%M:%S} UTC: that is past"
                )
            until_ns, why = command.until_ns, command.why
        elif isinstance(command, CloseAlert):
            why = command.why
        elif isinstance(command, HandOverAlert):
            why = f"to {command.recipient}"
        event = _EVENT_OF[type(command)]
        if alert.test and event not in TEST_STEPS:
            raise DecisionError(f"alert {alert.alert_id} is a test: acknowledge or close it")
        moved = transition(alert, event, now_ns, until_ns)
        moved = replace(moved, active=moved.active and not alert.test)
        told = [self._put(moved, now_ns, event.value, command.actor, why)]
        if alert.test and event is AlertEvent.ACKNOWLEDGE:
            over = transition(moved, AlertEvent.CLOSE, now_ns)
            why = f"the test was answered by {command.actor.name}"
            told.append(self._put(over, now_ns, AlertEvent.CLOSE.value, RULE, why))
        return told

    def _test(self, command: RaiseTestAlert, now_ns: int) -> AlertChanged:
        for known in self.alerts.values():
            if known.test and known.state is not AlertState.CLOSED:
                raise DecisionError(f"a test is under way, as {known.alert_id}: acknowledge it")
        words = f"a test of the alarm by {command.actor.name}: nothing is there"
        reason = Reason("test_alarm", words)
        alert = self._new(now_ns, Concern(1, (), Permission.UNDETERMINED, (reason,), 0.0))
        return self._put(replace(alert, test=True), now_ns, TEST_RAISED, command.actor, command.why)

    def hand_back(self, alert_id: AlertId, why: str, now_ns: int) -> list[AlertChanged]:
        """Nobody answered a hand-over: the alert wants a new look where it had had one."""
        alert = self.alerts.get(alert_id)
        if alert is None or (alert.state, AlertEvent.HAND_BACK) not in ALERT_TRANSITIONS:
            return []
        moved = transition(alert, AlertEvent.HAND_BACK, now_ns)
        return [self._put(moved, now_ns, AlertEvent.HAND_BACK.value, RULE, why)]

    def advance(self, now_ns: int) -> list[AlarmSaid]:
        """Bring back what was shelved until now; tell anew what nobody has looked at."""
        told: list[AlarmSaid] = [*self._unshelved(now_ns)]
        told += self._escalated(now_ns)
        return told + self.rate.advance(now_ns)

    def _escalated(self, now_ns: int) -> list[AlertChanged]:
        """Alerts that nobody has looked at for too long, each a few times."""
        told = []
        for alert in tuple(self.alerts.values()):
            due_ns = self._escalation_ns(alert)
            if due_ns is not None and due_ns <= now_ns:
                louder = replace(alert, escalations=alert.escalations + 1)
                waited_s = (now_ns - alert.unseen_since_ns) // NS_PER_S
                why = f"nobody has looked at it for {waited_s} s"
                told.append(self._put(louder, now_ns, "escalated", RULE, why))
        return told

    def _escalation_ns(self, alert: Alert) -> int | None:
        after_s = self.policy.escalate_after_s
        if alert.state is not AlertState.RAISED or not after_s:
            return None
        if alert.escalations >= self.policy.most_escalations:
            return None
        each_s = after_s[min(alert.priority, len(after_s)) - 1]
        since_ns = max(alert.unseen_since_ns, alert.raised_ns)
        return since_ns + seconds(each_s) * (alert.escalations + 1)

    def due_ns(self) -> int | None:
        """When the clock alone changes something here next, if it does."""
        due = [self._escalation_ns(a) for a in self.alerts.values()]
        due += [a.shelved_until_ns for a in self.alerts.values() if a.state is AlertState.SHELVED]
        due.append(self.rate.due_ns())
        return min((d for d in due if d is not None), default=None)

    def _unshelved(self, now_ns: int) -> list[AlertChanged]:
        due = [
            a
            for a in self.alerts.values()
            if a.state is AlertState.SHELVED
            and a.shelved_until_ns is not None
            and a.shelved_until_ns <= now_ns
        ]
        return [
            self._put(
                transition(a, AlertEvent.UNSHELVE, now_ns),
                now_ns,
                AlertEvent.UNSHELVE.value,
                SHELF,
                "its time on the shelf is over",
            )
            for a in due
        ]

    def _put(self, alert: Alert, now_ns: int, event: str, actor: Actor, why: str) -> AlertChanged:
        self.alerts[alert.alert_id] = alert
        if alert.state is AlertState.CLOSED and not alert.active:
            self._forget()
        return AlertChanged(
            now_ns,
            alert.alert_id,
            event,
            alert.state.value,
            alert.active,
            alert.priority,
            alert.tracks,
            alert.zones,
            alert.permission,
            alert.reasons,
            actor,
            why,
        )

    def _forget(self) -> None:
        over = [a for a in self.alerts.values() if a.state is AlertState.CLOSED and not a.active]
        for alert in over[: max(0, len(over) - CLOSED_LIMIT)]:
            del self.alerts[alert.alert_id]

    def snapshot(self) -> AlarmsSnapshot:
        """All alerts as values."""
        return AlarmsSnapshot(
            self.next_number, tuple(self.alerts.values()), tuple(self.sensors.items()),
            self.rate.snapshot(),
        )  # fmt: skip

    @staticmethod
    def restore(policy: AlertPolicy, saved: AlarmsSnapshot) -> Alarms:
        """A book that goes on exactly where `saved` was taken."""
        alerts = {a.alert_id: a for a in saved.alerts}
        rate = AlertRate.restore(policy.flood, saved.rate)
        return Alarms(policy, saved.next_number, alerts, dict(saved.sensors), rate)
