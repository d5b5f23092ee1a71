"""The clock of a night that is played, and the officer who leaves a person the first word."""

from __future__ import annotations

from pathlib import Path

from skykeep.commands.demo_page import PEOPLE, PlayedClock, free_port, make_tokens
from skykeep.commands.story import ACKNOWLEDGE_AFTER_NS, HAND_OVER_AFTER_NS, Watch
from skykeep.core.alert import AcknowledgeAlert, HandOverAlert
from skykeep.core.event import Actor, AlertChanged, Permission
from skykeep.service.tokens import read_tokens
from skykeep.units import NS_PER_S, AlertId

START_NS = 1_000 * NS_PER_S


class Machine:
    """A monotonic clock that is set by hand."""

    def __init__(self) -> None:
        self.s = 50.0

    def __call__(self) -> float:
        return self.s


def test_the_night_runs_at_its_multiple_and_never_ahead_of_what_was_handed_in() -> None:
    machine = Machine()
    clock = PlayedClock(START_NS, 20.0, machine)
    machine.s += 3.0
    clock.begin()
    assert clock() == START_NS
    clock.reached_ns = START_NS + 60 * NS_PER_S
    machine.s += 1.0
    assert clock() == START_NS + 20 * NS_PER_S
    assert clock.wait_s(START_NS + 60 * NS_PER_S) == 2.0
    machine.s += 100.0
    assert clock() == clock.reached_ns
    assert clock.wait_s(START_NS) == 0.0


def raised(at_ns: int) -> AlertChanged:
    return AlertChanged(
        at_ns, AlertId("A1"), "raised", "raised", True, 1, (), (), Permission.NOT_PERMITTED, (),
        Actor("alert rule", "rule"), "",
    )  # fmt: skip


def test_the_officer_acknowledges_then_hands_over_each_once() -> None:
    watch = Watch(patience=2.0)
    watch.hear([raised(START_NS)])
    assert watch.due(START_NS + 2 * ACKNOWLEDGE_AFTER_NS - 1) == []
    (first,) = watch.due(START_NS + 2 * ACKNOWLEDGE_AFTER_NS)
    assert isinstance(first, AcknowledgeAlert)
    assert watch.due(START_NS + 2 * HAND_OVER_AFTER_NS - 1) == []
    (second,) = watch.due(START_NS + 2 * HAND_OVER_AFTER_NS)
    assert isinstance(second, HandOverAlert)
    assert watch.due(START_NS + 10**15) == []


def test_what_is_no_new_alert_calls_for_nothing(tmp_path: Path) -> None:
    watch = Watch()
    ended = AlertChanged(
        START_NS, AlertId("A1"), "ended", "raised", False, 1, (), (), Permission.NOT_PERMITTED,
        (), Actor("alert rule", "rule"), "",
    )  # fmt: skip
    watch.hear([ended])
    assert watch.due(START_NS + 10**15) == []


def test_tokens_are_new_each_time_and_for_their_owner_alone(tmp_path: Path) -> None:
    path, first = make_tokens(tmp_path)
    path, again = make_tokens(tmp_path)
    assert [(name, role) for name, role, _ in again] == list(PEOPLE)
    assert {t for *_, t in first}.isdisjoint({t for *_, t in again})
    assert [h.role for h in read_tokens(path)] == [role for _, role in PEOPLE]
    assert path.stat().st_mode & 0o077 == 0


def test_a_port_that_somebody_has_gives_any() -> None:
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert free_port(port) == 0
    assert free_port(port) == port
