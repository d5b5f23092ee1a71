"""Who was looking, from what a record says, in spans without a hole."""

from __future__ import annotations

from dataclasses import replace

from skykeep.core.coverage import SITE_AWAY_NS, Span, WatchBook, in_view
from skykeep.core.event import SensorChanged, SensorNumbered
from skykeep.core.observation import Coverage
from tests.sky import FRAME, RADAR, RECEIVER, at

EVENTS = replace(RECEIVER, period_s=None)


def ticked(book: WatchBook, first_s: int, last_s: int) -> None:
    for second in range(first_s, last_s):
        book.written(at(second))


def seconds(spans: tuple[Span, ...]) -> list[tuple[float, float, str]]:
    return [((s.from_ns - at(0)) / 1e9, (s.to_ns - at(0)) / 1e9, s.state) for s in spans]


def test_up_silent_maintenance_and_the_sites_own_absence() -> None:
    book = WatchBook(at(0), at(100))
    ticked(book, 0, 60)
    book.registered(RADAR, at(2))
    for second in range(5, 21):
        book.heard("radar", at(second))
    book.changed(SensorChanged(at(5), RADAR.sensor_id, "working"))
    book.changed(SensorChanged(at(24), RADAR.sensor_id, "silent"))  # told when it was noticed
    book.heard("radar", at(30))
    book.changed(SensorChanged(at(30), RADAR.sensor_id, "working"))
    book.changed(SensorChanged(at(40), RADAR.sensor_id, "maintenance"))
    book.changed(SensorChanged(at(50), RADAR.sensor_id, "unknown"))
    book.heard("radar", at(52))
    book.changed(SensorChanged(at(52), RADAR.sensor_id, "working"))
    ticked(book, 80, 90)
    book.numbered(SensorNumbered(at(31), RADAR.sensor_id, "gap", 1, 2, 3))
    book.numbered(SensorNumbered(at(131), RADAR.sensor_id, "gap", 1, 2, 3))
    (one,) = book.sensors()
    assert seconds(one.spans) == [
        (0, 2, "not_registered"), (2, 5, "unknown"), (5, 20, "up"), (20, 30, "silent"),
        (30, 40, "up"), (40, 50, "maintenance"), (50, 52, "unknown"), (52, 59, "up"),
        (59, 80, "not_recorded"), (80, 89, "up"), (89, 100, "not_recorded"),
    ]  # fmt: skip
    assert (one.batches, len(one.numbered)) == (18, 1)
    assert one.share("up") == 0.41
    assert [one.state_at(at(s)) for s in (19.9, 20, 70, 100)] == [
        "up", "silent", "not_recorded", "not_recorded",
    ]  # fmt: skip


def test_a_sensor_without_a_period_is_up_only_near_its_words() -> None:
    book = WatchBook(at(0), at(60))
    ticked(book, 0, 60)
    book.registered(EVENTS, at(0))
    for second in (10, 12, 15, 40):
        book.heard("rid", at(second))
        book.changed(SensorChanged(at(second), EVENTS.sensor_id, "working"))
    (one,) = book.sensors()
    assert seconds(one.spans) == [
        (0, 10, "unknown"), (10, 25, "up"), (25, 40, "unknown"), (40, 50, "up"),
        (50, 60, "unknown"),
    ]  # fmt: skip


def test_what_was_before_the_time_counts_for_its_beginning() -> None:
    book = WatchBook(at(50), at(60))
    ticked(book, 0, 61)
    book.registered(RADAR, at(0))
    book.heard("radar", at(1))
    book.changed(SensorChanged(at(1), RADAR.sensor_id, "working"))
    (one,) = book.sensors()
    assert seconds(one.spans) == [(50, 60, "up")]
    assert one.batches == 0


def test_nothing_written_is_nobody_looking() -> None:
    book = WatchBook(at(0), at(60))
    book.registered(RADAR, at(0))
    (one,) = book.sensors()
    assert {s.state for s in one.spans} == {"not_recorded"}
    edge = WatchBook(at(0), at(10))
    edge.registered(RADAR, at(0))
    for moment in (at(0), at(0) + SITE_AWAY_NS, at(10)):
        edge.written(moment)
    assert {s.state for s in edge.sensors()[0].spans} == {"unknown"}


def test_unknown_sensors_say_nothing() -> None:
    book = WatchBook(at(0), at(60))
    book.heard("x", at(1))
    book.changed(SensorChanged(at(1), RADAR.sensor_id, "working"))
    book.numbered(SensorNumbered(at(1), RADAR.sensor_id, "gap", 1, 2, 3))
    assert book.sensors() == ()


def test_a_place_is_covered_within_range_and_sector_alone() -> None:
    sensor = replace(RADAR, coverage=Coverage(0.0, 1_000.0, 0.0, 90.0, 0.0, 60.0))
    inside = {(500.0, 500.0): True, (-500.0, 500.0): False, (900.0, 900.0): False}
    inside[-90.0, 10.0] = False  # right above the sensor, too high for its elevation
    for (east, north), covered in inside.items():
        place = (east, north, 100.0)
        lat, lon, hae = FRAME.to_geodetic(*place)
        assert in_view(sensor, FRAME, lat, lon, hae) == covered, place
