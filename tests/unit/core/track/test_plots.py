"""What a sensor covers, and how its reports become plots."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skykeep.core.geo import Frame, HeightReference, Terrain
from skykeep.core.observation import Coverage, Form
from skykeep.core.track.kernels import covered
from skykeep.core.track.tracker import (
    KIND_FLOOR,
    KIND_TEMPER,
    UNKNOWN_HEIGHT_SIGMA_M,
    hae_with_sigma,
    plots_of,
    view_of,
)
from tests.reference import radar

VIEW = radar.view()


@pytest.mark.parametrize(
    ("limits", "inside"),
    [
        ((350.0, 10.0), {0.0, 5.0, 355.0, 350.0, 10.0}),
        ((10.0, 350.0), {10.0, 350.0, 45.0, 90.0, 180.0, 270.0}),
        ((0.0, 360.0), {0.0, 5.0, 10.0, 45.0, 90.0, 180.0, 270.0, 350.0, 355.0}),
        ((-180.0, 180.0), {0.0, 5.0, 10.0, 45.0, 90.0, 180.0, 270.0, 350.0, 355.0}),
        ((45.0, 45.0), {0.0, 5.0, 10.0, 45.0, 90.0, 180.0, 270.0, 350.0, 355.0}),
        ((-90.0, 90.0), {0.0, 5.0, 10.0, 45.0, 90.0, 270.0, 350.0, 355.0}),
    ],
)
def test_coverage_goes_clockwise(limits: tuple[float, float], inside: set[float]) -> None:
    seen_by = radar.looking(Coverage(100.0, 5000.0, *limits))
    found = set()
    for azimuth in (0.0, 5.0, 10.0, 45.0, 90.0, 180.0, 270.0, 350.0, 355.0):
        # A hair inwards, where the azimuth is itself a limit.
        turned = azimuth + {limits[0] % 360.0: 1e-9, limits[1] % 360.0: -1e-9}.get(azimuth, 0.0)
        a = math.radians(turned)
        x = np.array([1000.0 * math.sin(a), 1000.0 * math.cos(a), 0.0, 0.0, 0.0, 0.0])
        if covered(x, seen_by.place, seen_by.axes, seen_by.limits):
            found.add(azimuth)
    assert found == inside


def test_coverage_is_seen_from_the_sensor_not_the_site() -> None:
    """A sensor 3 degrees east: its horizon is tilted, its north turned against the site's."""
    far = replace(radar.RADAR, lon_deg=9.13, coverage=Coverage(900.0, 1100.0, 80.0, 100.0, -1, 1))
    seen_by, own = view_of(far, radar.SITE), Frame(far.lat_deg, far.lon_deg, far.height_hae_m)

    def sees(east: float, north: float, up: float) -> bool:
        there = radar.SITE.to_enu(*own.to_geodetic(east, north, up))
        return bool(covered(np.array(there), seen_by.place, seen_by.axes, seen_by.limits))

    assert sees(1000.0, 0.0, 0.0)
    assert sees(1000.0, 170.0, 0.0)
    assert sees(1000.0, -170.0, 15.0)
    assert not sees(1000.0, 185.0, 0.0)
    assert not sees(1000.0, -185.0, 0.0)
    assert not sees(1000.0, 0.0, 20.0)
    assert not sees(1000.0, 0.0, -20.0)
    assert not sees(890.0, 0.0, 0.0)
    assert not sees(1110.0, 0.0, 0.0)
    assert not sees(0.0, 0.0, 0.0)


@given(*[st.floats(-1500.0, 1500.0)] * 3, st.floats(-60.0, 60.0), st.floats(-140.0, 140.0))
@settings(max_examples=100, deadline=None)
def test_coverage_of_a_sensor_anywhere_is_the_literal_one(
    east: float, north: float, up: float, dlat: float, dlon: float
) -> None:
    c = Coverage(300.0, 1700.0, 250.0, 40.0, -20.0, 50.0)
    sensor = replace(radar.RADAR, lat_deg=10.0 + dlat, lon_deg=dlon, coverage=c)
    seen_by = view_of(sensor, radar.SITE)
    there = seen_by.axes @ np.array([east, north, up]) + seen_by.place
    distance, azimuth, elevation = radar.polar_of(np.array([east, north, up]) + 1e-6)
    clear = min(
        abs(distance - 300.0), abs(distance - 1700.0), abs(elevation + 20.0),
        abs(elevation - 50.0), abs(azimuth - 250.0), abs(azimuth - 40.0),
    )  # fmt: skip
    if clear > 1e-3:
        inside = 300.0 < distance < 1700.0 and -20.0 < elevation < 50.0
        inside = inside and not 40.0 < azimuth < 250.0
        assert covered(there, seen_by.place, seen_by.axes, seen_by.limits) == inside


def test_no_sensor_covers_its_own_place() -> None:
    seen_by = radar.looking(Coverage(0.0, 5000.0))
    assert not covered(seen_by.place, seen_by.place, seen_by.axes, seen_by.limits)
    above = seen_by.place + np.array([0.0, 0.0, 1e-3])
    assert covered(above, seen_by.place, seen_by.axes, seen_by.limits)


def test_false_plots_have_the_density_that_the_sensor_states() -> None:
    """Over the coverage, the density per m^3 adds up to the false plots of a turn."""
    seen_by = radar.looking(Coverage(500.0, 3000.0, 30.0, 150.0, -5.0, 40.0))
    rng = np.random.default_rng(2)
    values = rng.uniform([500.0, 30.0, -5.0], [3000.0, 150.0, 40.0], (20_000, 3))
    density = np.exp(radar.polar_plots(values, seen_by).log_clutter)
    jacobian = values[:, 0] ** 2 * np.cos(np.radians(values[:, 2]))
    polar_volume = 2500.0 * math.radians(120.0) * math.radians(45.0)
    assert np.mean(density * jacobian) * polar_volume == pytest.approx(20.0, rel=1e-9)
    volume = np.mean(jacobian) * polar_volume
    assert math.exp(seen_by.log_false_volume) * volume == pytest.approx(20.0, rel=0.02)


def test_kinds_are_tempered_and_never_outlaw_one() -> None:
    batch = replace(
        radar.polar_batch(np.array([[1000.0, 0.0, 0.0], [1000.0, 9.0, 0.0], [900.0, 0.0, 0.0]])),
        kind_likelihood=np.array([[0.7, 0.2, 0.1, 0.0], [0.0] * 4, [0.1, 0.2, 0.3, 0.4]]),
    )
    kinds = plots_of(batch, np.array([2, 0]), VIEW, radar.SITE, None).kinds
    expected = KIND_TEMPER * np.log([[0.1, 0.2, 0.3, 0.4], [0.7, 0.2, 0.1, KIND_FLOOR]])
    assert kinds == pytest.approx(expected)
    plain = replace(batch, kind_likelihood=None)
    assert (plots_of(plain, np.array([1]), VIEW, radar.SITE, None).kinds == 0.0).all()


def test_positions_become_plots_in_the_sites_frame() -> None:
    places = [(300.0, -400.0, 50.0), (-2000.0, 1500.0, 120.0)]
    values = np.array([radar.SITE.to_geodetic(*place) for place in places])
    values[1, 2] -= 47.0  # the second above the geoid
    batch = replace(
        radar.polar_batch(values, (3.0, 4.0, 5.0)),
        form=Form.POSITION,
        height_references=np.array([HeightReference.HAE, HeightReference.AMSL], np.int8),
    )
    plots = plots_of(batch, np.array([1, 0]), VIEW, radar.SITE, TERRAIN)
    assert plots.z == pytest.approx(np.array(places[::-1]), abs=1e-3)
    assert plots.r[0] == pytest.approx(np.diag([9.0, 16.0, 25.25]))
    assert plots.r[1] == pytest.approx(np.diag([9.0, 16.0, 25.0]))
    assert plots.log_clutter == pytest.approx(VIEW.log_false_volume)


TERRAIN = Terrain(200.0, 300.0, 46.0, 48.0)


@pytest.mark.parametrize(
    ("height_m", "reference", "sigma_m", "terrain", "expected"),
    [
        (400.0, HeightReference.HAE, 7.0, None, (400.0, 7.0)),
        (400.0, HeightReference.AMSL, 3.0, TERRAIN, (447.0, math.hypot(3.0, 0.5))),
        (100.0, HeightReference.AGL, 3.0, TERRAIN, (397.0, math.hypot(3.0, 25.5))),
        (400.0, HeightReference.AMSL, 3.0, None, (350.0, UNKNOWN_HEIGHT_SIGMA_M)),
        (math.nan, HeightReference.HAE, 3.0, TERRAIN, (350.0, UNKNOWN_HEIGHT_SIGMA_M)),
        (400.0, HeightReference.NONE, 3.0, TERRAIN, (350.0, UNKNOWN_HEIGHT_SIGMA_M)),
        (400.0, HeightReference.HAE, math.nan, None, (400.0, UNKNOWN_HEIGHT_SIGMA_M)),
        (400.0, HeightReference.HAE, 0.0, None, (400.0, UNKNOWN_HEIGHT_SIGMA_M)),
        (400.0, HeightReference.HAE, math.inf, None, (400.0, UNKNOWN_HEIGHT_SIGMA_M)),
    ],
)
def test_a_plots_height_and_its_sigma(
    height_m: float,
    reference: HeightReference,
    sigma_m: float,
    terrain: Terrain | None,
    expected: tuple[float, float],
) -> None:
    found = hae_with_sigma(height_m, reference, sigma_m, radar.SITE, terrain)
    assert found == pytest.approx(expected)
