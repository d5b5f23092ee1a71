"""The composition root: every input by one door, its events also to the casebook."""

from __future__ import annotations

import subprocess
import sys

import pytest

from skykeep.codec import wire
from skykeep.core.airspace import RegisterSensor
from skykeep.core.alert import AcknowledgeAlert
from skykeep.core.casebook import OpenIncident
from skykeep.core.event import AlertChanged, Event, Tick, VerdictChanged
from skykeep.core.zone import PublishZone
from skykeep.errors import DecisionError
from skykeep.runtime import Input, Runtime
from skykeep.units import AlertId
from tests.sky import OFFICER, RADAR, SITE, at, only, plots, zone_named


def inputs(seconds: range) -> list[Input]:
    """A drone that hovers in the zone."""
    items: list[Input] = []
    for second in seconds:
        items += [plots(second, (100.0, 0.0, 80.0)), Tick(at(second + 0.5))]
    return items


def at_work() -> Runtime:
    made = Runtime(SITE)
    for item in (Tick(at(0.0)), RegisterSensor(OFFICER, RADAR), PublishZone(OFFICER, zone_named())):
        made.take(item)
    return made


def events_of(made: Runtime, items: list[Input]) -> list[Event]:
    return [event for _, events in made.run(items) for event in events]


def test_what_comes_out_is_also_in_the_casebook() -> None:
    made = at_work()
    events = events_of(made, inputs(range(1, 8)))
    (alert,) = only(events, AlertChanged)
    assert made.casebook.alerts == {alert.alert_id: alert}
    incident = made.decide(OpenIncident(OFFICER, "x", (alert.alert_id,)), at(9.0)).incident
    assert incident.history[-1] == alert
    assert only(incident.history, VerdictChanged)
    assert made.now_ns == at(9.0)


def test_run_gives_each_input_with_its_events_as_they_come() -> None:
    items = inputs(range(1, 5))
    running = at_work().run(iter(items))
    assert next(running)[0] is items[0]
    assert [item for item, _ in running] == items[1:]


def test_a_command_happens_at_the_time_of_the_last_input() -> None:
    made = at_work()
    events_of(made, inputs(range(1, 8)))
    (event,) = made.take(AcknowledgeAlert(OFFICER, AlertId("A00001")))
    assert (event.at_ns, made.now_ns) == (at(7.5), at(7.5))
    made.take(plots(8.25, (100.0, 0.0, 80.0)))
    assert made.now_ns == at(8.25)
    made.take(Tick(at(2.0)))
    assert made.now_ns == at(8.25)


def test_a_refused_command_leaves_the_site_at_work() -> None:
    made = at_work()
    with pytest.raises(DecisionError):
        made.take(AcknowledgeAlert(OFFICER, AlertId("A9")))
    assert only(events_of(made, inputs(range(1, 8))), AlertChanged)


def test_it_goes_on_from_a_snapshot() -> None:
    straight = at_work()
    events_of(straight, inputs(range(1, 4)))
    saved = wire.decode(wire.encode(straight.airspace.snapshot()))
    resumed = Runtime(SITE, saved)
    assert resumed.now_ns == straight.now_ns
    first, second = [events_of(made, inputs(range(4, 9))) for made in (straight, resumed)]
    assert first == second
    assert only(first, AlertChanged)


def test_after_a_rehearsal_nothing_is_compiled_while_the_site_works() -> None:
    """In a process of its own: what other tests have compiled here would hide a lack."""
    done = subprocess.run(
        [sys.executable, "-c", _REHEARSED], check=False, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split("\n")[:2] == ["some before", "the same after"]


_REHEARSED = """
import sys
from skykeep.feed.citadel_night import citadel_night
from skykeep.runtime import Unrecorded, rehearse

def compiled():
    found = {}
    for name, module in sorted(sys.modules.items()):
        if name.startswith("skykeep.core"):
            for kernel in vars(module).values():
                if hasattr(kernel, "py_func"):
                    found[kernel.py_func.__qualname__] = len(kernel.signatures)
    return found

rehearse()
before = compiled()
print("some before" if sum(before.values()) > 10 else before)
night = citadel_night(seed=2)
desk = Unrecorded(night.site)
for item in night.items():
    desk.take([item])
    if getattr(item, "at_ns", 0) > night.start_ns + 600 * 10**9:
        break
after = compiled()
print("the same after" if after == before else {k: n for k, n in after.items() if n != before[k]})
"""
