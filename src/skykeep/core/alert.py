"""An alert: something a person must act on, with its lifecycle.

One alert an intrusion: it may gather several tracks (after a gap) and several zones.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from skykeep.core.event import Actor, Permission, Reason
from skykeep.core.verdict import BOUND, INSIDE, Presence, Subject, Verdict
from skykeep.errors import DecisionError
from skykeep.units import AlertId, TrackId, ZoneId


class AlertState(enum.StrEnum):
    """Where an alert stands with the people who deal with it."""

    RAISED = "raised"
    ACKNOWLEDGED = "acknowledged"
    HANDED_OVER = "handed_over"
    SHELVED = "shelved"
    CLOSED = "closed"


class AlertEvent(enum.StrEnum):
    """What can happen to an alert."""

    ACKNOWLEDGE = "acknowledge"
    HAND_OVER = "hand_over"
    HAND_BACK = "hand_back"
    SHELVE = "shelve"
    UNSHELVE = "unshelve"
    CLOSE = "close"


_A, _E = AlertState, AlertEvent

#: An alert that comes back from the shelf, or that nobody answered, wants a new look: it is
#: raised again.
ALERT_TRANSITIONS: dict[tuple[AlertState, AlertEvent], AlertState] = {
    (_A.RAISED, _E.ACKNOWLEDGE): _A.ACKNOWLEDGED,
    (_A.RAISED, _E.HAND_OVER): _A.HANDED_OVER,
    (_A.RAISED, _E.SHELVE): _A.SHELVED,
    (_A.RAISED, _E.CLOSE): _A.CLOSED,
    (_A.ACKNOWLEDGED, _E.HAND_OVER): _A.HANDED_OVER,
    (_A.ACKNOWLEDGED, _E.SHELVE): _A.SHELVED,
    (_A.ACKNOWLEDGED, _E.CLOSE): _A.CLOSED,
    (_A.ACKNOWLEDGED, _E.HAND_BACK): _A.RAISED,
    (_A.HANDED_OVER, _E.HAND_OVER): _A.HANDED_OVER,
    (_A.HANDED_OVER, _E.HAND_BACK): _A.RAISED,
    (_A.HANDED_OVER, _E.CLOSE): _A.CLOSED,
    (_A.SHELVED, _E.UNSHELVE): _A.RAISED,
    (_A.SHELVED, _E.CLOSE): _A.CLOSED,
}

#: Reasons that are a matter of seconds or centimetres: they wait, they do not wake anybody.
QUIET_REASONS = frozenset(
    {"identity_pending", "permit_border", "identity_broadcast_only", "crewed_claim_unchecked"}
)


@dataclass(frozen=True, slots=True)
class FloodPolicy:
    """When alerts come too fast for a person: in `window_s` more than `above` begin a flood, fewer
    than `below` end it."""

    window_s: float = 600.0
    above: int = 10
    below: int = 5


@dataclass(frozen=True, slots=True)
class AlertPolicy:
    """When a site wants to be alerted.

    A concern must last `raise_after_s` (two looks at 1 Hz) and ends `clear_after_s` after it
    was last there. `undetermined_drone_probability`: from here on a track that nobody could
    judge may well be a drone; so may one of which no sensor says what it is.
    `near_s`: an entry so soon is as urgent as an intrusion. An alert of priority n that nobody
    has looked at is told anew each `escalate_after_s[n - 1]`, `most_escalations` times.
    """

    raise_after_s: float = 1.0
    clear_after_s: float = 10.0
    undetermined_drone_probability: float = 0.9
    undetermined_after_s: float = 6.0
    alert_unclassified: bool = True
    near_s: float = 30.0
    continue_within_s: float = 30.0
    escalate_after_s: tuple[float, ...] = (30.0, 60.0, 300.0)
    most_escalations: int = 3
    flood: FloodPolicy = field(default_factory=FloodPolicy)


@dataclass(frozen=True, slots=True)
class Alert:
    """One alert. `priority` 1 is the highest; `active` says whether the cause goes on.

    `unseen_since_ns` is when it last became one that wants a look, `escalations` how often it
    has been told anew since, because nobody looked. `test`: nothing is there, the line is tried.
    """

    alert_id: AlertId
    state: AlertState
    active: bool
    priority: int
    tracks: tuple[TrackId, ...]
    zones: tuple[ZoneId, ...]
    permission: Permission
    reasons: tuple[Reason, ...]
    raised_ns: int
    shelved_until_ns: int | None = None
    unseen_since_ns: int = 0
    escalations: int = 0
    test: bool = False


@dataclass(frozen=True, slots=True)
class Concern:
    """Why a track wants attention now: the gravest of its verdicts."""

    priority: int
    zones: tuple[ZoneId, ...]
    permission: Permission
    reasons: tuple[Reason, ...]
    after_s: float


def transition(alert: Alert, event: AlertEvent, at_ns: int, until_ns: int | None = None) -> Alert:
    """One step of the lifecycle; DecisionError where the table has none."""
    following = ALERT_TRANSITIONS.get((alert.state, event))
    if following is None:
        raise DecisionError(
            f"alert {alert.alert_id} is {alert.state}: {event} is not possible from there"
        )
    again = following is AlertState.RAISED
    return replace(
        alert,
        state=following,
        shelved_until_ns=until_ns,
        unseen_since_ns=at_ns if again else alert.unseen_since_ns,
        escalations=0,
    )


def concern_of(
    subject: Subject,
    judged: Sequence[tuple[ZoneId, Presence, Verdict]],
    policy: AlertPolicy,
) -> Concern | None:
    """The gravest thing about a track over all zones, or None."""
    found: list[tuple[int, ZoneId, Verdict]] = []
    for zone_id, where, verdict in judged:
        priority = _priority(subject, where, verdict, policy)
        if priority is not None:
            found.append((priority, zone_id, verdict))
    if not found:
        return None
    gravest = min(found, key=lambda f: (f[0], f[1]))
    zones = tuple(sorted(z for _, z, v in found if v.permission is gravest[2].permission))
    after_s = policy.raise_after_s
    if gravest[2].permission is Permission.UNDETERMINED:
        after_s = policy.undetermined_after_s
    return Concern(gravest[0], zones, gravest[2].permission, gravest[2].reasons, after_s)


def _priority(
    subject: Subject, where: Presence, verdict: Verdict, policy: AlertPolicy
) -> int | None:
    if verdict.permission is Permission.NOT_PERMITTED:
        if where.what == INSIDE:
            return 1
        entry = where.entry_in_s
        return 1 if where.what == BOUND and entry is not None and entry <= policy.near_s else 2
    if verdict.permission is not Permission.UNDETERMINED:
        return None
    if verdict.reasons[0].code in QUIET_REASONS:
        return None
    unclassified = policy.alert_unclassified and not subject.kind_known
    if unclassified or subject.probability_drone >= policy.undetermined_drone_probability:
        return 3
    return None


@dataclass(frozen=True, slots=True)
class RaiseTestAlert:
    """Command: try the whole line by an alert that is marked as a test.

    It is told and escalated as any other, is over once somebody has acknowledged it, goes to no
    recipient and into no warning, and is not counted among the alerts of late.
    """

    actor: Actor
    why: str


@dataclass(frozen=True, slots=True)
class AcknowledgeAlert:
    """Command: a named person has seen the alert."""

    actor: Actor
    alert_id: AlertId


@dataclass(frozen=True, slots=True)
class HandOverAlert:
    """Command: hand the alert to whoever may respond.

    One of the site's recipients is sent it until it answers (handover); anybody else was told by
    voice, which is noted.
    """

    actor: Actor
    alert_id: AlertId
    recipient: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class CloseAlert:
    """Command: nothing is left to do about the alert."""

    actor: Actor
    alert_id: AlertId
    why: str


@dataclass(frozen=True, slots=True)
class ShelveAlert:
    """Command: be quiet about the alert until a moment."""

    actor: Actor
    alert_id: AlertId
    until_ns: int
    why: str


@dataclass(frozen=True, slots=True)
class UnshelveAlert:
    """Command: bring a shelved alert back."""

    actor: Actor
    alert_id: AlertId
