"""The rate of alerts against a literal count; what a flood shows as one."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from skykeep.core.alert import Alert, AlertState, FloodPolicy
from skykeep.core.event import Permission, Reason
from skykeep.core.flood import AlertRate, groups_of
from skykeep.units import NS_PER_S, AlertId

POLICY = FloodPolicy()


def alert(
    number: int, priority: int = 1, code: str = "no_permit_here",
    state: AlertState = AlertState.RAISED, permission: Permission = Permission.NOT_PERMITTED,
) -> Alert:  # fmt: skip
    reasons = (Reason(code, ""),)
    return Alert(AlertId(f"A{number}"), state, True, priority, (), (), permission, reasons, number)


def test_the_eleventh_in_ten_minutes_is_a_flood_and_four_are_none() -> None:
    rate = AlertRate(POLICY)
    told = [rate.raised(i * NS_PER_S) for i in range(12)]
    assert [bool(t) for t in told] == [False] * 10 + [True, False]
    (begun,) = told[10]
    assert (begun.flood, begun.raised) == (True, 11)
    due_ns = rate.due_ns()
    assert due_ns == (7 + 600) * NS_PER_S
    assert rate.advance(due_ns - 1) == []
    (over,) = rate.advance(due_ns)
    assert (over.flood, over.raised) == (False, 4)
    assert rate.due_ns() is None


@given(st.lists(st.integers(0, 3_000), max_size=80))
def test_it_is_what_counting_says(times_s: list[int]) -> None:
    rate, flood = AlertRate(POLICY), False
    for turn, at_s in enumerate(sorted(times_s)):
        told = rate.raised(at_s * NS_PER_S)
        rate = AlertRate.restore(POLICY, rate.snapshot())
        count = sum(at_s - 600 < t <= at_s for t in sorted(times_s)[: turn + 1])
        was, flood = flood, count > 10 or (flood and count >= 5)
        assert rate.flood == flood
        assert [(e.flood, e.raised) for e in told] == ([(flood, count)] if flood != was else [])


def test_without_a_flood_each_stands_alone_the_worst_first() -> None:
    alerts = [
        alert(1, 2), alert(2, 1, state=AlertState.ACKNOWLEDGED), alert(3, 1), alert(4, 3),
        alert(5, 1, state=AlertState.CLOSED), alert(6, 1),
    ]  # fmt: skip
    said = groups_of(alerts, flood=False)
    assert [g.worst for g in said] == ["A3", "A6", "A2", "A1", "A4"]
    assert all(g.alerts == (g.worst,) for g in said)


def test_in_a_flood_like_ones_are_one_and_the_worst_stays_on_top() -> None:
    alerts = [alert(n, 2) for n in range(1, 9)]
    alerts += [alert(9, 3, "kind_unknown", permission=Permission.UNDETERMINED)]
    alerts += [replace(alert(10), priority=1)]
    first, second = groups_of(alerts, flood=True)
    assert (first.worst, len(first.alerts)) == ("A10", 9)
    assert second.alerts == ("A9",)


@given(
    st.lists(
        st.builds(
            alert, st.integers(1, 10**6), st.integers(1, 3),
            st.sampled_from(["no_permit_here", "permit_over", "sensor_silent"]),
            st.sampled_from(list(AlertState)), st.sampled_from(list(Permission)),
        ),
        unique_by=lambda a: a.alert_id,
        max_size=40,
    ),
    st.booleans(),
)  # fmt: skip
def test_nothing_open_is_lost_and_nothing_graver_stands_below(
    alerts: list[Alert], flood: bool
) -> None:
    groups = groups_of(alerts, flood)
    shown = [a for group in groups for a in group.alerts]
    assert sorted(shown) == sorted(a.alert_id for a in alerts if a.state is not AlertState.CLOSED)
    priority = {a.alert_id: a.priority for a in alerts}
    tops = [priority[group.worst] for group in groups]
    assert tops == sorted(tops)
    for group in groups:
        assert priority[group.worst] == min(priority[a] for a in group.alerts)
    assert groups == groups_of(alerts[::-1], flood)
