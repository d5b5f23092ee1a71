"""Reports of one event: suggested where time, place and direction agree."""

from __future__ import annotations

import pytest

from skykeep.core.event import ReportKept
from skykeep.core.sightings import may_be_one
from skykeep.units import BatchId, SensorId
from tests.sky import FRAME, at


def report(
    second: float, east_m: float | None, north_m: float, azimuth: float | None
) -> ReportKept:
    lat = lon = None
    if east_m is not None:
        lat, lon, _ = FRAME.to_geodetic(east_m, north_m, 0.0)
    who = (BatchId("b"), 0, SensorId("people"))
    return ReportKept(at(second), *who, at(second), azimuth, "a drone", lat, lon)


@pytest.mark.parametrize(
    ("a", "b", "words"),
    [
        # At (0, 0) looking north-east, at (1000, 0) looking north-west: they cross at (500, 500).
        ((0, 0.0, 0.0, 45.0), (30, 1_000.0, 0.0, 315.0),
         "30 s apart, their directions cross 707 m from the one and 707 m from the other"),
        ((0, 0.0, 0.0, 225.0), (30, 1_000.0, 0.0, 315.0), ""),  # the one looks away
        ((0, 0.0, 0.0, 45.0), (30, 1_000.0, 0.0, 135.0), ""),  # the other does
        ((0, 0.0, 0.0, 89.0), (0, 1_000.0, 0.0, 90.0), ""),  # as good as parallel
        ((0, 0.0, 0.0, 80.0), (0, 1_000.0, 0.0, 0.0),
         "0 s apart, their directions cross 1015 m from the one and 176 m from the other"),
        ((0, 0.0, 0.0, 45.0), (0, 5_000.0, 0.0, 315.0), ""),  # 3.5 km away nobody sees it
        ((0, 0.0, 0.0, 45.0), (601, 1_000.0, 0.0, 315.0), ""),
        ((0, 0.0, 0.0, 350.0), (9, 100.0, 0.0, 10.0),
         "100 m and 9 s apart, looking the same way"),
        ((0, 0.0, 0.0, 350.0), (9, 100.0, 0.0, 30.0), ""),
        ((0, 0.0, 0.0, None), (9, 2_000.0, 0.0, 10.0), "2000 m and 9 s apart"),
        ((0, 0.0, 0.0, None), (9, 3_100.0, 0.0, 10.0), ""),
        ((0, None, 0.0, 10.0), (9, 0.0, 0.0, 10.0), ""),
    ],
)  # fmt: skip
def test_two_reports(
    a: tuple[float, float | None, float, float | None],
    b: tuple[float, float | None, float, float | None],
    words: str,
) -> None:
    for first, second in ((a, b), (b, a)):
        found = may_be_one([report(*first), report(*second)])
        assert len(found) == bool(words)
        if words and first is a:
            assert (found[0].first, found[0].second, found[0].words) == (0, 1, words)
