"""When the sun rises and sets, after J. Meeus, Astronomical Algorithms (2nd ed., 1998), ch. 25.

The low-accuracy series as used by NOAA's solar calculator: within about a minute of the
almanac between the polar circles for 1900 to 2100, worse within a day or two of the dates on
which the sun starts or stops rising, where a tenth of a degree is worth many minutes.

Where the sun does not cross an altitude on a day, its crossing is put where it vanished to:
if it stays above, morning is the lower transit before noon and evening the one after, so
that day lasts around the clock and night is empty; if it stays below, both are noon, so that
day is empty and night lasts around the clock.
"""

from __future__ import annotations

import math

from skykeep.units import NS_PER_S

#: Upper limb on a level horizon: 34' refraction and 16' semi-diameter (almanac convention).
SUNRISE_ALTITUDE_DEG = -50.0 / 60.0
#: Centre of the sun at the limit of civil twilight (ICAO Annex 2; Regulation (EU) 923/2012).
CIVIL_TWILIGHT_ALTITUDE_DEG = -6.0

DAY_NS = 86_400 * NS_PER_S
_J2000_NS = 946_728_000 * NS_PER_S  # 2000-01-01 12:00
_CENTURY_NS = 36_525 * DAY_NS
#: Each round cuts the error at least tenfold away from the polar circles; the first is < 10 min.
_ROUNDS = 5


def sun_position(at_ns: int) -> tuple[float, float]:
    """Declination (degrees) and equation of time (seconds, sundial minus clock) at a moment."""
    t = (at_ns - _J2000_NS) / _CENTURY_NS
    mean_longitude = math.radians((280.46646 + t * (36000.76983 + 0.0003032 * t)) % 360.0)
    anomaly = math.radians((357.52911 + t * (35999.05029 - 0.0001537 * t)) % 360.0)
    eccentricity = 0.016708634 - t * (0.000042037 + 0.0000001267 * t)
    centre_deg = (
        math.sin(anomaly) * (1.914602 - t * (0.004817 + 0.000014 * t))
        + math.sin(2.0 * anomaly) * (0.019993 - 0.000101 * t)
        + math.sin(3.0 * anomaly) * 0.000289
    )
    node = math.radians(125.04 - 1934.136 * t)
    longitude = mean_longitude + math.radians(centre_deg - 0.00569 - 0.00478 * math.sin(node))
    obliquity_arcsec = 84381.448 - t * (46.8150 + t * (0.00059 - t * 0.001813))
    obliquity = math.radians(obliquity_arcsec / 3600.0 + 0.00256 * math.cos(node))
    declination = math.asin(math.sin(obliquity) * math.sin(longitude))
    y = math.tan(0.5 * obliquity) ** 2
    equation = (
        y * math.sin(2.0 * mean_longitude)
        - 2.0 * eccentricity * math.sin(anomaly)
        + 4.0 * eccentricity * y * math.sin(anomaly) * math.cos(2.0 * mean_longitude)
        - 0.5 * y * y * math.sin(4.0 * mean_longitude)
        - 1.25 * eccentricity * eccentricity * math.sin(2.0 * anomaly)
    )
    return math.degrees(declination), equation * 43_200.0 / math.pi


def mean_noon_ns(near_ns: int, lon_deg: float) -> int:
    """Noon of the mean sun nearest to a moment, at a longitude; UTC ns, to whole seconds."""
    local_noon_ns = DAY_NS // 2 - round(lon_deg * 240.0) * NS_PER_S
    return local_noon_ns + round((near_ns - local_noon_ns) / DAY_NS) * DAY_NS


def solar_noon_ns(near_ns: int, lon_deg: float) -> int:
    """The sun's upper transit nearest to a moment, at a longitude; UTC ns, to whole seconds."""
    mean_ns = mean_noon_ns(near_ns, lon_deg)
    noon_ns = mean_ns
    for _ in range(2):
        noon_ns = mean_ns - round(sun_position(noon_ns)[1]) * NS_PER_S
    return noon_ns


def sun_crossing_ns(
    near_ns: int, lat_deg: float, lon_deg: float, altitude_deg: float, morning: bool
) -> int:
    """When the sun crosses an altitude, before (`morning`) or after the noon nearest `near_ns`.

    UTC nanoseconds, to whole seconds. See the module's text for days without a crossing.
    """
    noon_ns = solar_noon_ns(near_ns, lon_deg)
    sign = -1 if morning else 1
    crossing_ns = noon_ns
    lat = math.radians(max(-89.99, min(89.99, lat_deg)))
    noon_equation_s = sun_position(noon_ns)[1]
    for _ in range(_ROUNDS):
        declination_deg, equation_s = sun_position(crossing_ns)
        declination = math.radians(declination_deg)
        cosine = (math.sin(math.radians(altitude_deg)) - math.sin(lat) * math.sin(declination)) / (
            math.cos(lat) * math.cos(declination)
        )
        if cosine <= -1.0:
            return _lower_transit_ns(noon_ns, lon_deg, sign)
        half_day_s = math.acos(min(1.0, cosine)) * 43_200.0 / math.pi
        moved_s = sign * half_day_s - (equation_s - noon_equation_s)
        crossing_ns = noon_ns + round(moved_s) * NS_PER_S if cosine < 1.0 else noon_ns
    return crossing_ns


def _lower_transit_ns(noon_ns: int, lon_deg: float, sign: int) -> int:
    """Half-way to the neighbouring noon, so that one day's end is the next day's start."""
    neighbour_ns = solar_noon_ns(noon_ns + sign * DAY_NS, lon_deg)
    return (noon_ns + neighbour_ns) // (2 * NS_PER_S) * NS_PER_S
