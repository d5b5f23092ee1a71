from __future__ import annotations

import pytest

from skykeep.store.geoid import ERROR_M, geoid_bounds_m, undulation_m

# INPUT.DAT and OUTPUT.DAT of NIMA's own EGM96 interpolation program (F477), 15-minute grid.
PUBLISHED = [
    (38.6281550, 269.7791550, -31.628),
    (-14.6212170, 305.0211140, -2.969),
    (46.8743190, 102.4487290, -43.575),
    (-23.6174460, 133.8747120, 15.871),
    (38.6254730, 359.9995000, 50.066),
    (-0.4667440, 0.0023000, 17.329),
]


@pytest.mark.parametrize(("lat", "lon", "expected_m"), PUBLISHED)
def test_undulations_are_those_published(lat: float, lon: float, expected_m: float) -> None:
    """NIMA's program puts splines through the points, ours straight lines."""
    assert undulation_m(lat, lon) == pytest.approx(expected_m, abs=0.3)
    assert undulation_m(lat, lon - 360.0) == pytest.approx(expected_m, abs=0.3)


@pytest.mark.parametrize(("lat", "lon", "expected_m"), PUBLISHED)
def test_bounds_hold_the_published_values_and_little_else(
    lat: float, lon: float, expected_m: float
) -> None:
    low, high = geoid_bounds_m(lat - 0.01, lon - 0.01, lat + 0.01, lon + 0.01)
    assert low < expected_m < high
    assert high - low < 2 * ERROR_M + 4.0


def test_poles_and_the_antimeridian_join() -> None:
    for lat in (-90.0, 90.0):
        assert undulation_m(lat, 10.0) == pytest.approx(undulation_m(lat, -170.0), abs=0.05)
    assert undulation_m(-17.0, 180.0) == undulation_m(-17.0, -180.0)
    over = geoid_bounds_m(-17.5, 179.6, -16.5, 180.4)
    assert over == geoid_bounds_m(-17.5, -180.4, -16.5, -179.6)
    assert over[0] < undulation_m(-17.0, 180.0) < over[1]
    assert geoid_bounds_m(-90.0, -180.0, 90.0, 180.0) == pytest.approx((-108.3, 86.7), abs=0.1)
