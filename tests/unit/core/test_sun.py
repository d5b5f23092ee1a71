from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

import pytest

from skykeep.core.sun import (
    CIVIL_TWILIGHT_ALTITUDE_DEG,
    DAY_NS,
    SUNRISE_ALTITUDE_DEG,
    solar_noon_ns,
    sun_crossing_ns,
    sun_position,
)
from skykeep.units import NS_PER_S, to_datetime, to_ns

LUXEMBOURG = (49.6117, 6.1300)
HELSINKI = (60.1699, 24.9384)
LONDON = (51.5074, -0.1278)
NEW_YORK = (40.7128, -74.0060)
SYDNEY = (-33.8688, 151.2093)
NORTH_CAPE = (71.17, 25.78)


def noon(year: int, month: int, day: int) -> int:
    return to_ns(datetime(year, month, day, 12, tzinfo=UTC))


def test_meeus_examples_25a_and_28a() -> None:
    declination_deg, equation_s = sun_position(to_ns(datetime(1992, 10, 13, tzinfo=UTC)))
    assert declination_deg == pytest.approx(-7.78507, abs=0.001)
    assert equation_s == pytest.approx(13 * 60 + 42.6, abs=2.0)


@pytest.mark.parametrize(
    ("place", "near", "offset_h", "rise", "sets"),
    [
        (LUXEMBOURG, noon(2024, 12, 21), 1, "08:29", "16:38"),
        (HELSINKI, noon(2024, 6, 21), 3, "03:54", "22:50"),
        (HELSINKI, noon(2024, 12, 21), 2, "09:24", "15:13"),
        (LONDON, noon(2024, 6, 20), 1, "04:43", "21:21"),
        (NEW_YORK, noon(2024, 3, 20) + 5 * 3600 * NS_PER_S, -4, "06:59", "19:08"),
        (SYDNEY, noon(2024, 12, 21) - 10 * 3600 * NS_PER_S, 11, "05:41", "20:05"),
    ],
)
def test_sunrise_and_sunset_are_the_almanac_s(
    place: tuple[float, float], near: int, offset_h: int, rise: str, sets: str
) -> None:
    for morning, expected in ((True, rise), (False, sets)):
        at = to_datetime(sun_crossing_ns(near, *place, SUNRISE_ALTITUDE_DEG, morning))
        local = at + timedelta(hours=offset_h)
        minutes = local.hour * 60 + local.minute + local.second / 60
        hours, wanted = expected.split(":")
        assert minutes == pytest.approx(int(hours) * 60 + int(wanted), abs=1.5)


def test_civil_twilight_surrounds_the_day() -> None:
    near = noon(2026, 3, 20)
    dawn, rise, sets, dusk = (
        sun_crossing_ns(near, *LUXEMBOURG, altitude, morning)
        for altitude, morning in (
            (CIVIL_TWILIGHT_ALTITUDE_DEG, True),
            (SUNRISE_ALTITUDE_DEG, True),
            (SUNRISE_ALTITUDE_DEG, False),
            (CIVIL_TWILIGHT_ALTITUDE_DEG, False),
        )
    )
    assert dawn < rise < solar_noon_ns(near, LUXEMBOURG[1]) < sets < dusk
    assert 30 * 60 < (rise - dawn) / NS_PER_S < 35 * 60


def test_polar_night_has_no_length() -> None:
    near = noon(2026, 12, 21)
    rise = sun_crossing_ns(near, *NORTH_CAPE, SUNRISE_ALTITUDE_DEG, True)
    sets = sun_crossing_ns(near, *NORTH_CAPE, SUNRISE_ALTITUDE_DEG, False)
    assert rise == sets == solar_noon_ns(near, NORTH_CAPE[1])
    dawn = sun_crossing_ns(near, *NORTH_CAPE, CIVIL_TWILIGHT_ALTITUDE_DEG, True)
    assert 60 * 60 < (rise - dawn) / NS_PER_S < 3 * 3600


def test_the_midnight_sun_leaves_no_gap_between_days() -> None:
    near = noon(2026, 6, 21)
    sets = sun_crossing_ns(near, *NORTH_CAPE, SUNRISE_ALTITUDE_DEG, False)
    rise = sun_crossing_ns(near + DAY_NS, *NORTH_CAPE, SUNRISE_ALTITUDE_DEG, True)
    assert sets == rise
    assert sets - sun_crossing_ns(near, *NORTH_CAPE, SUNRISE_ALTITUDE_DEG, True) == pytest.approx(
        DAY_NS, abs=60 * NS_PER_S
    )


@pytest.mark.parametrize("month", range(1, 13))
@pytest.mark.parametrize("morning", [True, False])
def test_the_sun_stands_at_the_altitude_when_it_is_said_to(month: int, morning: bool) -> None:
    lat_deg, lon_deg = LUXEMBOURG
    at_ns = sun_crossing_ns(noon(2026, month, 20), lat_deg, lon_deg, -6.0, morning)
    declination_deg, equation_s = sun_position(at_ns)
    sundial_s = at_ns / NS_PER_S % 86_400 + lon_deg * 240 + equation_s
    angle = math.radians((sundial_s - 43_200) / 240)
    lat, declination = math.radians(lat_deg), math.radians(declination_deg)
    altitude = math.asin(
        math.sin(lat) * math.sin(declination)
        + math.cos(lat) * math.cos(declination) * math.cos(angle)
    )
    assert math.degrees(altitude) == pytest.approx(-6.0, abs=0.006)  # two seconds at the equator
