"""Schedules over two years, in three time zones and at 70 degrees north, minute by minute."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache

import numpy as np
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
    spans_between,
    time_zone_of,
)
from skykeep.units import NS_PER_S, to_ns
from tests.reference.schedule_years import SUN, Moment, Years

START = datetime(2026, 1, 1, tzinfo=UTC)
DAYS = 731
MINUTE = timedelta(minutes=1)
MINUTE_NS = 60 * NS_PER_S
#: Summer time of an hour and of half an hour, a zone of half hours, the far north.
PLACES = {
    "Europe/Luxembourg": (49.61, 6.13),
    "Australia/Lord_Howe": (-31.55, 159.08),
    "America/St_Johns": (47.56, -52.71),
    "Europe/Oslo": (70.0, 25.0),
}
FARTHEST = "Europe/Oslo"  # the last: its years are still at hand
Window = tuple[tuple[int, ...], Moment, Moment]

_moments: st.SearchStrategy[Moment] = st.one_of(
    st.tuples(st.integers(0, 96).map(lambda quarters: quarters * 900), st.booleans()),
    st.sampled_from(list(SUN)),
)
_windows = st.lists(
    st.tuples(
        st.sets(st.integers(0, 6), min_size=1).map(lambda days: tuple(sorted(days))),
        _moments,
        _moments,
    ),
    min_size=1,
    max_size=2,
)


@lru_cache(maxsize=1)
def years(name: str) -> Years:
    return Years(START, DAYS, name, *PLACES[name])


def _moment(moment: Moment) -> TimeOfDay | SunEvent:
    return SunEvent(moment) if isinstance(moment, str) else TimeOfDay(*moment)


def _check(name: str, windows: list[Window], steps: int) -> None:
    clock = time_zone_of(name)
    assert clock is not None
    place = Place(*PLACES[name], clock)
    daily = tuple(DailyPeriod(days, _moment(a), _moment(b)) for days, a, b in windows)
    periods = (Period(windows=daily),)
    start_ns = to_ns(START)
    held = np.zeros(DAYS * 1440, np.bool_)
    for a_ns, b_ns in spans_between(periods, place, start_ns, start_ns + DAYS * 1440 * MINUTE_NS):
        first, last = (-((start_ns - e_ns) // MINUTE_NS) for e_ns in (a_ns, b_ns))
        held[first:last] = True
    surely, perhaps = years(name).held(windows)
    missing, extra = np.flatnonzero(surely & ~held), np.flatnonzero(held & ~perhaps)
    assert not len(missing), (len(missing), START + int(missing[0]) * MINUTE)
    assert not len(extra), (len(extra), START + int(extra[0]) * MINUTE)
    for minute in np.linspace(0, len(held) - 1, steps).astype(int).tolist():
        found = applicability(periods, place, start_ns + minute * MINUTE_NS)
        assert found.applies == held[minute]


@pytest.mark.parametrize("name", list(PLACES))
@settings(max_examples=4, deadline=None)
@given(_windows)
def test_two_years_are_those_of_clock_and_sky_minute_by_minute(
    name: str, windows: list[Window]
) -> None:
    _check(name, windows, steps=30)


@pytest.mark.soak
@pytest.mark.parametrize("name", list(PLACES))
@settings(max_examples=300, deadline=None)
@given(_windows)
def test_many_schedules_are_those_of_clock_and_sky_for_two_years(
    name: str, windows: list[Window]
) -> None:
    _check(name, windows, steps=5_000)


def test_the_reference_is_sure_of_nearly_all() -> None:
    """Else it would find nothing wrong, whatever was asked."""
    every_day = tuple(range(7))
    for opens, closes in (("SR", "SS"), ("BMCT", "EECT"), ((79_200, False), (21_600, False))):
        surely, perhaps = years(FARTHEST).held([(every_day, opens, closes)])
        assert np.mean(surely == perhaps) > 0.93
        assert 0.2 < np.mean(surely) < 0.8
