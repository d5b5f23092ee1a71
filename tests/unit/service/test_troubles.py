"""Each trouble of the watch in words and since when, and nothing where all is well."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from skykeep.core.stations import StationSnapshot
from skykeep.service import troubles as room
from skykeep.service.troubles import Disk, DiskState, Trouble, Troubles, disk_trouble
from skykeep.units import NS_PER_S, seconds
from tests.desk import Desk
from tests.sky import at, plots
from tests.unit.service.line import Line
from tests.unit.service.watched import beats, watched

__all__ = ["watched"]


class Rooms:
    """The rooms beside the writer, saying what a test wants."""

    def __init__(self) -> None:
        self.said: dict[str, str] = {"adsb": ""}
        self.problem, self.lag = "", 0.0

    def troubles(self) -> dict[str, str]:
        return self.said

    def lag_s(self) -> float:
        return self.lag


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path)
    yield made
    made.close()


@pytest.fixture
def rooms() -> Rooms:
    return Rooms()


@pytest.fixture
def troubles(desk: Desk, rooms: Rooms) -> Troubles:
    class Quiet:
        def troubles(self) -> dict[str, str]:
            return {}

    return Troubles(desk.writer, rooms, rooms, Quiet())


def stations_of(desk: Desk) -> tuple[StationSnapshot, ...]:
    recorded = desk.writer.look()
    assert recorded is not None
    return recorded.runtime.airspace.stations()


def words_of(found: tuple[Trouble, ...]) -> list[tuple[str, str]]:
    return [(t.what, t.name) for t in found]


def test_all_is_well(desk: Desk, troubles: Troubles) -> None:
    stations = stations_of(desk)
    assert troubles.now(stations) == ()


def test_a_trouble_keeps_its_beginning_and_begins_anew(
    desk: Desk, troubles: Troubles, rooms: Rooms
) -> None:
    rooms.said["adsb"] = "ended"
    (first,) = troubles.now(())
    assert (first.what, first.name, first.words, first.grave) == (
        "feed",
        "adsb",
        "feed adsb: ended",
        True,
    )
    desk.clock.on(60.0)
    rooms.said["adsb"] = "ended again"
    (still,) = troubles.now(())
    assert (still.since_ns, still.words) == (first.since_ns, "feed adsb: ended again")
    rooms.said["adsb"] = ""
    assert troubles.now(()) == ()
    rooms.said["adsb"] = "ended"
    (anew,) = troubles.now(())
    assert anew.since_ns == first.since_ns + seconds(60.0)


def test_the_grave_come_first_and_their_number_is_bounded(troubles: Troubles, rooms: Rooms) -> None:
    rooms.problem = "1 of 2 witnesses cosigned: w2: it does not answer"
    rooms.said = {f"feed-{n:03d}": "x" * 1_000 for n in range(room.TROUBLES_TOLD + 5)}
    found = troubles.now(())
    assert len(found) == room.TROUBLES_TOLD
    assert all(t.grave and len(t.words) <= 300 for t in found)
    rooms.said = {"adsb": "lost"}
    assert words_of(troubles.now(())) == [("feed", "adsb"), ("witnesses", "")]


def test_witnesses_are_grave_once_nothing_is_published(troubles: Troubles, rooms: Rooms) -> None:
    rooms.problem = "none answers"
    assert [t.grave for t in troubles.now(())] == [False]
    rooms.lag = room.WITNESS_LAG_S + 1.0
    assert [t.grave for t in troubles.now(())] == [True]
    rooms.problem = ""
    (behind,) = troubles.now(())
    assert "61 s old" in behind.words


def test_a_clock_that_was_set_back_is_told(desk: Desk, troubles: Troubles) -> None:
    desk.clock.on(-room.CLOCK_OFF_S)
    assert troubles.now(()) == ()
    desk.clock.on(-3_600.0)
    (found,) = troubles.now(())
    assert found.what == "clock"
    assert "60 min behind the record" in found.words


@pytest.mark.parametrize(
    ("delay_s", "words"),
    [(0.2, None), (-0.9, None), (-2.0, "2.0 s ahead of ours"), (9.0, None), (12.0, "is 12 s old")],
)
def test_a_sensors_clock_is_held_against_ours(
    desk: Desk, troubles: Troubles, delay_s: float, words: str | None
) -> None:
    for n in range(room.ENOUGH_DELAYS):
        desk.clock.on(1.0)
        assert troubles.now(stations_of(desk)) == ()
        moment_s = (desk.clock.now_ns - at(0.0)) / NS_PER_S - delay_s
        seen = plots(moment_s, (500.0, 0.0, 60.0), batch_id=f"b{n}")
        assert desk.send(seen).status_code == 200
    found = troubles.now(stations_of(desk))
    if words is None:
        assert found == ()
    else:
        assert words_of(found) == [("sensor_clock", "radar")]
        assert words in found[0].words


def test_a_disk_is_measured_and_warned_of(tmp_path: Path) -> None:
    (tmp_path / "record.sqlite").write_bytes(bytes(1_000))
    disk = Disk(tmp_path)
    disk.look()
    assert disk.state is not None
    assert disk.state.free_bytes > 0
    assert disk.state.growth_bytes_s is None  # one look is no growth
    disk = Disk(tmp_path)
    disk.note(0.0, 10**12, 1_000)
    disk.note(room.GROWTH_OVER_S, 10**12, 1_000 + int(room.GROWTH_OVER_S) * 5)
    assert disk.state == DiskState(10**12, 5.0)


@pytest.mark.parametrize(
    ("free_bytes", "growth_bytes_s", "grave"),
    [
        (room.DISK_LOW_BYTES, None, None),
        (room.DISK_LOW_BYTES, 0.0, None),
        (room.DISK_LOW_BYTES - 1, None, False),
        (room.DISK_LEAST_BYTES - 1, None, True),
        (10**12, 10**12 / room.DISK_LOW_S, None),
        (10**12, 10**12 / room.DISK_LOW_S + 10.0, False),
    ],
)
def test_a_disk_that_fills_is_told_before_it_is_full(
    free_bytes: int, growth_bytes_s: float | None, grave: bool | None
) -> None:
    found = disk_trouble(DiskState(free_bytes, growth_bytes_s))
    assert (None if found is None else found.grave) is grave
    if found is not None:
        assert f"{free_bytes / 1e9:.1f} GB free" in found.words
        assert ("record's growth" in found.words) is (growth_bytes_s is not None)


def test_a_silent_sensor_is_on_the_stream_and_at_health(watched: Desk) -> None:
    watched.send(plots(0.5, (500.0, 0.0, 60.0)))
    heard_ns = watched.clock.now_ns
    with Line(watched, "/v1/live", "officer") as line:
        first = line.opened().topic("troubles")
        assert first["troubles"] == []
        watched.clock.on(60.0)
        told = line.topic("troubles")
    (trouble,) = told["troubles"]
    assert trouble["words"] == "sensor radar is silent"
    assert trouble["grave"] is True
    assert trouble["since_ms"] == heard_ns / 1e6
    beats(watched)
    (same,) = watched.get("/health", None).json()["troubles"]
    assert (same["what"], same["name"]) == ("sensor", "radar")


def test_a_record_that_is_away_is_told(desk: Desk, troubles: Troubles) -> None:
    assert words_of(troubles.now((), "the record has not answered for 2 s")) == [("record", "")]
    desk.writer.problem = "no room on the disk"
    (found,) = troubles.now(())
    assert "no room on the disk" in found.words
    desk.writer.problem = ""
