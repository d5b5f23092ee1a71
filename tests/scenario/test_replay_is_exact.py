"""The same inputs give the same bytes, also through a snapshot anywhere on the way."""

from __future__ import annotations

import hashlib
import random

from skykeep.codec import wire
from skykeep.core.airspace import Airspace, Snapshot
from skykeep.core.event import Tick
from skykeep.core.observation import Batch
from skykeep.feed.citadel_night import Night, citadel_night
from skykeep.runtime import Input

SEED = 4
#: Through the start, the first intrusion, the ban, and on to the second intruder's alert.
UNTIL_S = 1_150
RESTARTS = 40


def until(night: Night, end_s: int) -> list[Input]:
    items: list[Input] = []
    for item in night.items():
        if isinstance(item, Tick) and item.at_ns > night.start_ns + end_s * 1_000_000_000:
            break
        items.append(item)
    return items


def step(engine: Airspace, item: Input, now_ns: int) -> tuple[int, bytes]:
    if isinstance(item, Batch):
        events = engine.receive(item)
    elif isinstance(item, Tick):
        now_ns = item.at_ns
        events = engine.advance(item.at_ns)
    else:
        events = engine.apply(item, now_ns)
    return now_ns, b"".join(wire.encode_event(event) + b"\n" for event in events)


def play(night: Night, items: list[Input], restart_before: set[int]) -> list[str]:
    """A digest of the events of each input; restarted from bytes before some of them."""
    engine, now_ns, said = Airspace(night.site), 0, []
    for index, item in enumerate(items):
        if index in restart_before:
            saved = wire.decode(wire.encode(engine.snapshot()))
            assert isinstance(saved, Snapshot)
            engine = Airspace.restore(night.site, saved)
        now_ns, events = step(engine, item, now_ns)
        said.append(hashlib.sha256(events).hexdigest())
    return said


def test_a_night_twice_and_through_restarts_gives_the_same_bytes() -> None:
    night = citadel_night(SEED)
    items = until(night, UNTIL_S)
    once = play(night, items, set())
    anywhere = set(random.Random(9).sample(range(len(items)), RESTARTS))
    again = play(citadel_night(SEED), items, anywhere)
    assert len(set(once)) > 1_000  # the events do differ from each other
    first = next((i for i, (a, b) in enumerate(zip(once, again, strict=True)) if a != b), None)
    assert first is None, f"input {first} of {len(items)} differs: {items[first or 0]}"


def test_another_seed_is_another_night() -> None:
    first, second = (until(citadel_night(s), 30) for s in (1, 2))
    assert play(citadel_night(1), first, set()) != play(citadel_night(2), second, set())
