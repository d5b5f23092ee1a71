"""Two radars, one of them askew, and drones that say where they are: the whole engine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from bench.tracking import registration as scenario
from bench.tracking.registration import NO_BIAS, SITE, START_NS, at_ns, make, run, sensors
from skykeep.codec import wire
from skykeep.core.airspace import Airspace, RegisterSensor
from skykeep.core.event import Actor, Bias, Event, RegistrationChanged, TrackUpdated
from skykeep.core.observation import Batch

DRONES, SCANS, SETTLED = 40, 50, 20
ASKEW = Bias(0.0, 3.0, 0.0, 0.0)
OFFICER = Actor("A. Weber", "watch_officer")
TURNED = "radar-2"


def engine() -> Airspace:
    made = Airspace(SITE)
    for sensor in sensors():
        made.apply(RegisterSensor(OFFICER, sensor), START_NS)
    return made


def play(made: Airspace, given: Sequence[list[Batch]], first: int = 0) -> list[Event]:
    """These seconds through an engine."""
    events: list[Event] = []
    for scan, (*seen, said) in enumerate(given, first):
        for batch in seen:
            events += made.receive(batch)
        events += made.advance(at_ns(scan))
        events += made.receive(said)
    return events


@pytest.fixture(scope="module")
def seconds() -> list[list[Batch]]:
    return list(scenario.batches(make(DRONES, SCANS, bias=ASKEW)))


def told(events: Sequence[Event]) -> list[RegistrationChanged]:
    return [e for e in events if isinstance(e, RegistrationChanged)]


@pytest.mark.parametrize("azimuth_deg", [0.5, 3.0])
def test_a_radar_that_is_askew_tracks_as_well_as_one_that_is_not(azimuth_deg: float) -> None:
    plain = run(make(DRONES, SCANS)).settled_gospa_m(SETTLED)
    done = run(make(DRONES, SCANS, bias=replace(NO_BIAS, azimuth_deg=azimuth_deg)))
    assert done.settled_gospa_m(SETTLED) <= scenario.AIM_SHARE * plain
    last = [s for s in done.said if s.sensor_id == TURNED][-1]
    assert abs(last.bias.azimuth_deg - azimuth_deg) <= 3.0 * last.sigma.azimuth_deg


def test_replay_says_the_same_bytes(seconds: list[list[Batch]]) -> None:
    once = [wire.encode_event(e) for e in play(engine(), seconds[:30])]
    assert once == [wire.encode_event(e) for e in play(engine(), seconds[:30])]
    assert any(line.startswith(b'["RegistrationChanged"') for line in once)


def test_a_snapshot_carries_what_is_known_of_the_radar(seconds: list[list[Batch]]) -> None:
    whole, cut = engine(), engine()
    play(whole, seconds[:18])
    play(cut, seconds[:18])
    saved = wire.decode(wire.encode(cut.snapshot()))
    restored = Airspace.restore(SITE, saved)
    after = [wire.encode_event(e) for e in play(restored, seconds[18:28], 18)]
    assert after == [wire.encode_event(e) for e in play(whole, seconds[18:28], 18)]
    assert wire.encode(restored.snapshot()) == wire.encode(whole.snapshot())


def test_a_radar_that_is_entered_anew_begins_anew(seconds: list[list[Batch]]) -> None:
    made = engine()
    assert TURNED in {s.sensor_id for s in told(play(made, seconds[:20]))}
    known = {s.sensor.sensor_id: s.registration.said for s in made.stations()}
    assert known[TURNED] is not None
    assert known["rid"] is None
    again = next(s for s in sensors() if s.sensor_id == TURNED)
    made.apply(RegisterSensor(OFFICER, again), at_ns(20))
    (station,) = (s for s in made.stations() if s.sensor.sensor_id == TURNED)
    assert station.registration.said is None
    later = [s for s in told(play(made, seconds[21:45], 21)) if s.sensor_id == TURNED]
    assert later[0].at_ns >= at_ns(24)
    assert later[0].comparisons < 100


def test_without_broadcasts_nothing_is_applied(seconds: list[list[Batch]]) -> None:
    made = engine()
    events = [e for batch in seconds[:10] for b in batch[:2] for e in made.receive(b)]
    assert told(events) == []
    assert all(s.registration.said is None for s in made.stations())


def test_the_observation_stays_as_it_came_and_the_track_does_not(
    seconds: list[list[Batch]],
) -> None:
    before = [batch.values.copy() for second in seconds[:25] for batch in second]
    events = play(engine(), seconds[:25])
    after = [batch.values for second in seconds[:25] for batch in second]
    assert all((a == b).all() for a, b in zip(before, after, strict=True))
    assert any(isinstance(e, TrackUpdated) for e in events)
