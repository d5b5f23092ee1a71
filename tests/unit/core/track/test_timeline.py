"""Late and disordered data: the same tracks as in the right order, in the window."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skykeep.codec import wire
from skykeep.core.track.timeline import HeardBearings, HeardPlots, Timeline
from skykeep.core.track.tracker import TrackerConfig
from skykeep.units import NS_PER_S, BatchId
from tests.reference import radar
from tests.unit.core.track.test_tracker import a_night, now

CONFIG = TrackerConfig(coast_ns=8 * NS_PER_S)
VIEWS = (radar.view(), radar.view(replace(radar.RADAR, sensor_id="other")))
Heard = HeardPlots | HeardBearings


def inputs(seed: int, scans: int = 30) -> list[Heard]:
    """Two radars turn about, and a bearing between them now and then."""
    made: list[Heard] = []
    for k, (_, plots, _) in enumerate(a_night(seed, scans, 6, False)):
        rows, at_ns = tuple(range(len(plots.z))), k * NS_PER_S // 2
        given_in = np.zeros(len(rows), np.int64)
        made.append(HeardPlots(at_ns, BatchId(f"b{k}"), rows, VIEWS[k % 2], plots, given_in))
        if k % 4 == 3:
            azimuth = float(np.arctan2(plots.z[0, 0], plots.z[0, 1]))
            made.append(bearing(at_ns + NS_PER_S // 5, f"d{k}", azimuth))
    return made


def bearing(at_ns: int, name: str, azimuth_rad: float) -> HeardBearings:
    return HeardBearings(
        at_ns, BatchId(name), (0,), VIEWS[0], np.array([azimuth_rad]), np.array([0.05])
    )


def again(heard: list[Heard]) -> list[Heard]:
    """The same inputs, not yet taken by anybody."""
    return [
        replace(h, given=np.zeros_like(h.given)) if isinstance(h, HeardPlots) else h for h in heard
    ]


def fed(heard: list[Heard], looks: int = 1) -> Timeline:
    """A timeline that was looked at after each of so many inputs."""
    timeline = Timeline(CONFIG)
    for k, each in enumerate(heard):
        assert timeline.hear(each)
        if k % looks == 0:
            timeline.settle()
    timeline.settle()
    return timeline


def states(timeline: Timeline) -> list[bytes]:
    """Everything about the tracks but their numbers and their order."""
    held = now(timeline.tracker)[:-1]
    return sorted(b"".join(c[i].tobytes() for c in held) for i in range(timeline.tracker.count))


@given(st.integers(0, 50), st.integers(0, 2**32 - 1), st.integers(1, 5))
@settings(max_examples=12, deadline=None)
def test_in_whatever_order_the_tracks_are_the_same(seed: int, shuffle: int, looks: int) -> None:
    rng = np.random.default_rng(shuffle)
    heard = inputs(seed)
    late_ns = rng.uniform(0.0, 4.5, len(heard)) * NS_PER_S
    order = np.argsort([h.at_ns for h in heard] + late_ns, kind="stable")
    straight = fed(heard)
    mixed = fed([again(heard)[k] for k in order], looks)
    assert states(mixed) == states(straight)
    assert straight.tracker.count > 3


def test_a_track_keeps_its_number_when_what_was_late_comes_in() -> None:
    heard = inputs(3)
    straight = fed(heard[:-1])
    before = dict(zip(straight.numbers().tolist(), now(straight.tracker).first_ns, strict=True))
    late = replace(heard[-3], at_ns=heard[-1].at_ns - 2 * NS_PER_S)
    straight.hear(again([late])[0])
    straight.settle()
    after = dict(zip(straight.numbers().tolist(), now(straight.tracker).first_ns, strict=True))
    old = [n for n, first in before.items() if first < late.at_ns]
    assert len(old) > 3
    assert all(after[n] == before[n] for n in old if n in after)
    assert sum(n in after for n in old) >= len(old) - 1


def test_each_input_is_answered_once() -> None:
    heard = inputs(4)
    timeline, named = Timeline(CONFIG), []
    even = range(0, len(heard), 2)
    odd = [k for k in range(len(heard) - 9, len(heard)) if k % 2]
    for k in (*even, *odd):
        if timeline.hear(heard[k]) and k % 3 == 0:
            named += [t.heard.batch_id for t in timeline.settle()]
    named += [t.heard.batch_id for t in timeline.settle()]
    assert len(named) == len(set(named))
    assert timeline.settle() == []


def test_what_lies_before_the_window_is_not_taken() -> None:
    timeline = fed(inputs(5))
    newest_ns = timeline.newest_ns
    assert not timeline.hear(bearing(newest_ns - CONFIG.late_ns - 1, "x", 0.0))
    assert timeline.hear(bearing(newest_ns - CONFIG.late_ns, "y", 0.0))
    assert len(timeline.settle()) == 1


def test_only_the_window_is_kept() -> None:
    timeline = fed(inputs(6, 120))
    assert len(timeline._past) < 30
    assert len(timeline._marks) < 9


@pytest.mark.parametrize("cut", [0, 1, 9, 20, 33])
def test_a_restored_timeline_goes_on_byte_for_byte(cut: int) -> None:
    heard = inputs(7, 40)
    rng = np.random.default_rng(7)
    order = np.argsort([h.at_ns for h in heard] + rng.uniform(0, 3, len(heard)) * NS_PER_S)
    whole, first = Timeline(CONFIG), Timeline(CONFIG)
    for k, at in enumerate(order):
        if k == cut:
            saved = wire.encode(first.snapshot())
            first = Timeline.restore(CONFIG, wire.decode(saved), radar.SITE)
            assert wire.encode(first.snapshot()) == saved
        for timeline, item in ((whole, again(heard)[at]), (first, again(heard)[at])):
            timeline.hear(item)
            if k % 3 == 0:
                timeline.settle()
                timeline.prune(timeline.newest_ns)
            if k == 25:
                timeline.forget_kind(int(timeline.numbers()[0]))
    assert wire.encode(first.snapshot()) == wire.encode(whole.snapshot())
    assert now(first.tracker).number.tolist() == now(whole.tracker).number.tolist()


def test_a_turn_is_missed_in_the_order_of_its_time() -> None:
    """The scan that came first, and the late one before it, are both whole turns."""
    scans = [
        HeardPlots(
            k * NS_PER_S, BatchId(f"b{k}"), (0,), VIEWS[0], radar.plots_at(place),
            np.zeros(1, np.int64),
        )
        for k, place in enumerate(np.array([[[1000.0, 0.0, 100.0]]] * 3 + [[[3000.0, 0, 100]]] * 3))
    ]  # fmt: skip
    late = fed([scans[k] for k in (0, 1, 2, 3, 5, 4)])
    held = now(late.tracker)
    assert held.misses[held.number == 1].tolist() == [3]
