from __future__ import annotations

import importlib.util
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skykeep.core.schedule import (
    DailyPeriod,
    Period,
    Place,
    SunEvent,
    TimeOfDay,
    applicability,
    needs_clock,
    time_zone_of,
)
from skykeep.units import NS_PER_S, to_ns

_PATH = Path(__file__).parents[2] / "reference" / "schedule_minutes.py"
_SPEC = importlib.util.spec_from_file_location("schedule_minutes", _PATH)
assert _SPEC is not None
assert _SPEC.loader is not None
reference = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(reference)

MINUTE_NS = 60 * NS_PER_S
HOUR_S = 3600
ALL_DAYS = tuple(range(7))


def zone(name: str) -> ZoneInfo:
    found = time_zone_of(name)
    assert found is not None
    return found


def place(name: str = "UTC", lat_deg: float = 49.61, lon_deg: float = 6.13) -> Place:
    return Place(lat_deg, lon_deg, zone(name))


def local(hours: float) -> TimeOfDay:
    return TimeOfDay(round(hours * HOUR_S), utc=False)


def utc(hours: float) -> TimeOfDay:
    return TimeOfDay(round(hours * HOUR_S), utc=True)


def holds(windows: tuple[DailyPeriod, ...], where: Place, at: datetime) -> bool:
    return applicability((Period(windows=windows),), where, to_ns(at)).applies


def held_minutes(
    windows: tuple[DailyPeriod, ...], where: Place, asked: list[datetime]
) -> set[datetime]:
    """The minutes at which windows hold; each answer says for how long, which is walked."""
    at_ns, end_ns, held = to_ns(asked[0]), to_ns(asked[-1]), set()
    while at_ns <= end_ns:
        found = applicability((Period(windows=windows),), where, at_ns)
        assert found.until_ns is not None
        assert found.until_ns > at_ns
        if found.applies:
            held.update(m for m in asked if at_ns <= to_ns(m) < found.until_ns)
        at_ns = found.until_ns
    return held


# Each week holds a switch: Luxembourg and Lord Howe (half an hour) to and from summer time.
WEEKS = [
    ("Europe/Luxembourg", datetime(2026, 3, 26, tzinfo=UTC)),
    ("Europe/Luxembourg", datetime(2026, 10, 22, tzinfo=UTC)),
    ("Australia/Lord_Howe", datetime(2026, 4, 2, tzinfo=UTC)),
    ("Australia/Lord_Howe", datetime(2026, 10, 1, tzinfo=UTC)),
    ("America/New_York", datetime(2026, 3, 5, tzinfo=UTC)),
    ("America/New_York", datetime(2026, 10, 29, tzinfo=UTC)),
    ("Asia/Kolkata", datetime(2026, 7, 2, tzinfo=UTC)),
]
WINDOWS = [
    ((0, 1, 2, 3, 4), 8.0, 17.5),
    (ALL_DAYS, 22.0, 6.0),
    ((5, 6), 0.0, 24.0),
    ((6,), 2.25, 2.75),  # within the hour that is skipped or shown twice
    ((6,), 1.0, 2.5),
    ((6,), 2.5, 4.0),
    ((6,), 1.75, 2.0),
    ((5,), 20.0, 2.25),  # over midnight into the switch
    (ALL_DAYS, 7.0, 7.0),
]


@pytest.mark.parametrize(("name", "start"), WEEKS)
def test_clock_windows_are_those_read_off_a_clock_minute_by_minute(
    name: str, start: datetime
) -> None:
    minutes = reference.minutes_of(start, 9)
    asked = minutes[3 * 1440 : 6 * 1440]
    for weekdays, opens, closes in WINDOWS:
        window = (DailyPeriod(weekdays, local(opens), local(closes)),)
        expected = reference.clock_window_minutes(
            weekdays, round(opens * HOUR_S), round(closes * HOUR_S), name, minutes
        )
        held = held_minutes(window, place(name), asked)
        assert held == expected & set(asked), (weekdays, opens, closes)


@pytest.mark.parametrize(
    ("lat_deg", "lon_deg", "name", "start"),
    [
        (49.61, 6.13, "Europe/Luxembourg", datetime(2026, 3, 26, tzinfo=UTC)),
        (60.17, 24.94, "UTC", datetime(2026, 6, 19, tzinfo=UTC)),
        (-36.85, 174.76, "Pacific/Auckland", datetime(2026, 12, 20, tzinfo=UTC)),
        (1.87, -157.4, "Pacific/Kiritimati", datetime(2026, 9, 20, tzinfo=UTC)),
        (71.0, 25.8, "Europe/Oslo", datetime(2026, 12, 20, tzinfo=UTC)),  # polar night
        (71.0, 25.8, "Europe/Oslo", datetime(2026, 6, 20, tzinfo=UTC)),  # midnight sun
    ],
)
def test_sun_windows_follow_the_sun_s_altitude(
    lat_deg: float, lon_deg: float, name: str, start: datetime
) -> None:
    where = place(name, lat_deg, lon_deg)
    for opens, closes, altitude_deg, above in (
        (SunEvent.SR, SunEvent.SS, -50 / 60, True),
        (SunEvent.BMCT, SunEvent.EECT, -6.0, True),
        (SunEvent.SS, SunEvent.SR, -50 / 60, False),
        (SunEvent.EECT, SunEvent.BMCT, -6.0, False),
    ):
        windows = (DailyPeriod(ALL_DAYS, opens, closes),)
        asked = reference.minutes_of(start, 2)
        held = held_minutes(windows, where, asked)
        checked = 0
        for at in asked:
            over_deg = reference.sun_altitude_deg(at, lat_deg, lon_deg) - altitude_deg
            if abs(over_deg) > 0.25:  # a minute of time is 0.25 degrees of hour angle
                assert (at in held) == ((over_deg > 0) == above), (opens, at)
                checked += 1
        assert checked > 2500


def test_start_is_included_and_end_is_not() -> None:
    windows = (DailyPeriod((0,), utc(8), utc(9)),)
    monday = datetime(2026, 8, 17, 8, tzinfo=UTC)
    assert holds(windows, place(), monday)
    assert not holds(windows, place(), monday - timedelta(microseconds=1))
    assert holds(windows, place(), monday + timedelta(hours=1, microseconds=-1))
    assert not holds(windows, place(), monday + timedelta(hours=1))


def test_the_weekday_is_that_of_the_start_on_its_own_clock() -> None:
    night = (DailyPeriod((4,), local(22), local(6)),)  # Friday night
    where = place("Pacific/Auckland", -36.8, 174.8)
    friday_23 = datetime(2026, 8, 21, 23, tzinfo=ZoneInfo("Pacific/Auckland"))
    assert holds(night, where, friday_23.astimezone(UTC))
    assert holds(night, where, (friday_23 + timedelta(hours=6)).astimezone(UTC))
    assert not holds(night, where, (friday_23 + timedelta(hours=24)).astimezone(UTC))
    assert not holds(night, where, (friday_23 - timedelta(hours=24)).astimezone(UTC))


def test_a_window_that_the_season_turns_round_is_empty() -> None:
    windows = (DailyPeriod(ALL_DAYS, SunEvent.SS, utc(18)),)
    for at in reference.minutes_of(datetime(2026, 6, 21, tzinfo=UTC), 1)[::10]:
        assert not holds(windows, place(), at)
    assert holds(windows, place(), datetime(2026, 12, 21, 17, 0, tzinfo=UTC))
    assert not holds(windows, place(), datetime(2026, 12, 21, 18, 0, tzinfo=UTC))


@pytest.mark.parametrize("month", range(1, 13))
def test_a_window_with_the_sun_means_the_same_all_year(month: int) -> None:
    """Sunset is at 18:36 standard time in the mean: 19:00 is after it, 18:00 on the next day."""
    where = place("Europe/Luxembourg")
    noon = datetime(2026, month, 10, 12, tzinfo=UTC)
    evening = (DailyPeriod(ALL_DAYS, SunEvent.SS, local(19)),)
    assert not any(holds(evening, where, noon + timedelta(hours=h)) for h in (-9, -3, 0, 3))
    round_the_clock = (DailyPeriod(ALL_DAYS, SunEvent.SS, local(18)),)
    assert all(holds(round_the_clock, where, noon + timedelta(hours=h)) for h in (-9, -3, 0, 3))
    to_sunrise = (DailyPeriod(ALL_DAYS, local(7), SunEvent.SR),)
    assert all(holds(to_sunrise, where, noon + timedelta(hours=h)) for h in (-10, 0, 5, 11))


def test_a_clock_window_until_sunrise_runs_over_midnight() -> None:
    windows = (DailyPeriod((0,), utc(20), SunEvent.SR),)
    monday = datetime(2026, 8, 17, tzinfo=UTC)
    assert holds(windows, place(), monday + timedelta(hours=27))
    assert not holds(windows, place(), monday + timedelta(hours=3))
    assert not holds(windows, place(), monday + timedelta(hours=30))


def test_periods_are_joined_and_their_bounds_cut_the_windows() -> None:
    windows = (DailyPeriod(ALL_DAYS, utc(8), utc(20)),)
    noon = datetime(2026, 8, 17, 12, tzinfo=UTC)
    morning = Period(None, to_ns(noon), windows)
    later = Period(to_ns(noon + timedelta(days=1)), None)
    found = applicability((morning, later), place(), to_ns(noon) - 1)
    assert found.applies
    assert found.until_ns == to_ns(noon)
    assert applicability((later, morning), place(), to_ns(noon) - 1) == found
    gap = applicability((morning, later), place(), to_ns(noon))
    assert (gap.applies, gap.from_ns, gap.until_ns) == (False, to_ns(noon), later.start_ns)
    assert applicability((later,), place(), to_ns(noon + timedelta(days=400))).until_ns is None


_moments = st.one_of(
    st.builds(TimeOfDay, st.integers(0, 86400), st.booleans()), st.sampled_from(list(SunEvent))
)
_windows = st.lists(
    st.builds(
        DailyPeriod, st.sets(st.integers(0, 6)).map(lambda d: tuple(sorted(d))), _moments, _moments
    ),
    min_size=1,
    max_size=3,
).map(tuple)


@settings(max_examples=60, deadline=None)
@given(
    _windows,
    st.sampled_from(["UTC", "Europe/Luxembourg", "Pacific/Kiritimati", "America/St_Johns"]),
    st.floats(-89, 89),
    st.floats(-180, 180),
    st.integers(to_ns(datetime(2026, 1, 1, tzinfo=UTC)), to_ns(datetime(2027, 1, 1, tzinfo=UTC))),
)
def test_an_answer_holds_for_as_long_as_it_says(
    windows: tuple[DailyPeriod, ...], name: str, lat: float, lon: float, at_ns: int
) -> None:
    where = place(name, lat, lon)
    periods = (Period(windows=windows),)
    found = applicability(periods, where, at_ns)
    assert found.from_ns is not None
    assert found.until_ns is not None
    assert found.from_ns <= at_ns < found.until_ns
    for step in range(5):
        within = found.from_ns + (found.until_ns - 1 - found.from_ns) * step // 4
        assert applicability(periods, where, within).applies == found.applies


@pytest.mark.parametrize("name", ["Pacific/Kiritimati", "Pacific/Pago_Pago"])  # +14 h, -11 h
def test_a_short_window_is_seen_from_a_day_away(name: str) -> None:
    windows = (DailyPeriod(ALL_DAYS, local(0), local(1)),)
    where = place(name)
    for at in reference.minutes_of(datetime(2026, 8, 17, tzinfo=UTC), 1)[::37]:
        found = applicability((Period(windows=windows),), where, to_ns(at))
        assert found.from_ns is not None
        assert found.until_ns is not None
        length_ns = HOUR_S * NS_PER_S * (1 if found.applies else 23)
        assert found.until_ns - found.from_ns == length_ns


def test_only_utc_clock_windows_need_no_time_zone() -> None:
    assert not needs_clock((Period(), Period(windows=(DailyPeriod((0,), utc(1), utc(2)),))))
    assert needs_clock((Period(windows=(DailyPeriod((0,), utc(1), local(2)),)),))
    assert needs_clock((Period(windows=(DailyPeriod((0,), SunEvent.SR, utc(2)),)),))


@pytest.mark.parametrize("name", ["", "Europe/Luxemburg", "../UTC", "localtime", "/etc/localtime"])
def test_an_unknown_time_zone_is_none(name: str) -> None:
    assert time_zone_of(name) is None


def test_time_zones_are_those_of_the_package() -> None:
    assert time_zone_of("Europe/Luxembourg") is time_zone_of("Europe/Luxembourg")
    offsets = [
        datetime(2026, month, 1, tzinfo=zone("Europe/Luxembourg")).utcoffset() for month in (1, 7)
    ]
    assert [a < b for a, b in pairwise(o for o in offsets if o is not None)] == [True]
