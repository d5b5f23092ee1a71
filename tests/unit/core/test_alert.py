"""The alert's lifecycle as a table, and what of all the verdicts is worth an alert."""

from __future__ import annotations

from dataclasses import replace

import pytest

from skykeep.core.alert import (
    ALERT_TRANSITIONS,
    QUIET_REASONS,
    Alert,
    AlertEvent,
    AlertPolicy,
    AlertState,
    Concern,
    concern_of,
    transition,
)
from skykeep.core.event import Permission, Reason, Strength
from skykeep.core.geo import Fix
from skykeep.core.verdict import BOUND, INSIDE, MAYBE_INSIDE, WORDS, Presence, Subject, Verdict
from skykeep.errors import DecisionError
from skykeep.units import AlertId, ZoneId
from tests.sky import subject_at

POLICY = AlertPolicy()
NOWHERE = Fix(0.0, 0.0, 1.0, None, 1.0)


def alert_in(state: AlertState) -> Alert:
    return Alert(AlertId("A1"), state, True, 1, (), (), Permission.NOT_PERMITTED, (), 0)


@pytest.mark.parametrize("state", list(AlertState))
@pytest.mark.parametrize("event", list(AlertEvent))
def test_the_lifecycle_is_the_table(state: AlertState, event: AlertEvent) -> None:
    following = ALERT_TRANSITIONS.get((state, event))
    alert = alert_in(state)
    if following is None:
        with pytest.raises(DecisionError, match=f"alert A1 is {state}: {event} is not possible"):
            transition(alert, event, 5)
    else:
        since_ns = 5 if following is AlertState.RAISED else alert.unseen_since_ns
        moved = replace(alert, state=following, unseen_since_ns=since_ns)
        assert transition(replace(alert, escalations=2), event, 5) == moved
        assert transition(alert, event, 5, 7).shelved_until_ns == 7


def test_every_state_is_reached_every_event_used_and_only_closed_is_final() -> None:
    reached = {AlertState.RAISED}
    for _ in AlertState:
        reached |= {to for (s, _), to in ALERT_TRANSITIONS.items() if s in reached}
    assert reached == set(AlertState)
    assert {e for _, e in ALERT_TRANSITIONS} == set(AlertEvent)
    assert set(AlertState) - {s for s, _ in ALERT_TRANSITIONS} == {AlertState.CLOSED}


def test_from_anywhere_it_can_be_closed_and_the_shelf_gives_it_back_as_raised() -> None:
    for state in set(AlertState) - {AlertState.CLOSED}:
        assert ALERT_TRANSITIONS[state, AlertEvent.CLOSE] is AlertState.CLOSED
    assert ALERT_TRANSITIONS[AlertState.SHELVED, AlertEvent.UNSHELVE] is AlertState.RAISED


# -- concerns ---------------------------------------------------------------------------------


def found(
    permission: Permission = Permission.NOT_PERMITTED,
    code: str = "no_permit_here",
    zone: str = "Z1",
    what: str = INSIDE,
    entry_in_s: float | None = 0.0,
) -> tuple[ZoneId, Presence, Verdict]:
    where = Presence(what, entry_in_s, NOWHERE, 0)
    return ZoneId(zone), where, Verdict(permission, (Reason(code, "words"),), Strength.NONE, None)


def concern(
    *judged: tuple[ZoneId, Presence, Verdict],
    subject: Subject | None = None,
    policy: AlertPolicy = POLICY,
) -> Concern | None:
    return concern_of(subject or subject_at(), judged, policy)


OPEN = Permission.UNDETERMINED


def test_what_is_permitted_or_not_subject_concerns_nobody() -> None:
    assert concern() is None
    assert concern(found(Permission.PERMITTED), found(Permission.NOT_SUBJECT)) is None


@pytest.mark.parametrize(
    ("what", "entry_in_s", "priority"),
    [
        (INSIDE, 0.0, 1),
        (BOUND, 0.0, 1),
        (BOUND, POLICY.near_s, 1),
        (BOUND, POLICY.near_s + 0.1, 2),
        (MAYBE_INSIDE, None, 2),
    ],
)
def test_how_near_an_intruder_is_decides_its_priority(
    what: str, entry_in_s: float | None, priority: int
) -> None:
    seen = concern(found(what=what, entry_in_s=entry_in_s))
    assert seen is not None
    assert (seen.priority, seen.after_s) == (priority, POLICY.raise_after_s)


def test_an_undetermined_track_that_may_well_be_a_drone_is_the_third_priority() -> None:
    def drone(probability: float, known: bool = True) -> Subject:
        rest = 1.0 - probability
        return subject_at(kinds=(probability, rest, 0.0, 0.0), kind_known=known)

    verdict = found(OPEN, "identity_unknown")
    limit = POLICY.undetermined_drone_probability
    seen = concern(verdict, subject=drone(limit))
    assert seen is not None
    assert (seen.priority, seen.after_s) == (3, POLICY.undetermined_after_s)
    assert concern(verdict, subject=drone(limit - 0.01)) is None
    assert concern(verdict, subject=drone(0.0, known=False)) is not None
    lax = replace(POLICY, alert_unclassified=False)
    assert concern(verdict, subject=drone(0.0, known=False), policy=lax) is None


@pytest.mark.parametrize("code", sorted(QUIET_REASONS))
def test_what_settles_itself_wakes_nobody(code: str) -> None:
    assert code in WORDS
    assert concern(found(OPEN, code)) is None
    assert concern(found(Permission.NOT_PERMITTED, code)) is not None


def test_the_gravest_of_the_zones_speaks_with_all_zones_that_say_the_same() -> None:
    seen = concern(
        found(OPEN, "conditions_unmet", "A"),
        found(zone="C", what=BOUND, entry_in_s=50.0),
        found(zone="B", code="permit_revoked"),
        found(Permission.PERMITTED, "permit_holds", "D"),
    )
    assert seen is not None
    assert (seen.priority, seen.zones) == (1, ("B", "C"))
    assert seen.permission is Permission.NOT_PERMITTED
    assert seen.reasons[0].code == "permit_revoked"
    assert seen.after_s == POLICY.raise_after_s


def test_of_two_equally_grave_zones_the_first_by_name_speaks() -> None:
    zones = [found(zone="B", code="no_permit_here"), found(zone="A", code="permit_ended")]
    for order in (zones, zones[::-1]):
        seen = concern(*order)
        assert seen is not None
        assert seen.reasons[0].code == "permit_ended"
