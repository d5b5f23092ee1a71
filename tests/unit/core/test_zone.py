from __future__ import annotations

import math
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
import shapely
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from skykeep.core.geo import (
    BORDER_SIGMAS,
    Area,
    Circle,
    Fix,
    HeightAgl,
    HeightAmsl,
    Polygon,
    Terrain,
    Tri,
    Volume,
    metres_per_degree,
)
from skykeep.core.geometry import geometry_faults
from skykeep.core.zone import (
    ZONE_TRANSITIONS,
    DailyPeriod,
    Period,
    Restriction,
    SunEvent,
    TimeOfDay,
    Zone,
    ZoneEvent,
    ZoneState,
    applies,
    applies_until,
    contains,
    distance_to_zone_m,
    prepare_zone,
    sun_place,
    transition,
)
from skykeep.errors import DecisionError
from skykeep.units import ZoneId, to_ns

CITADEL = Circle(49.6100, 6.1335, 500.0)
NOON = to_ns(datetime(2026, 8, 17, 12, tzinfo=UTC))  # a Monday
HOUR_NS = 3600 * 10**9
TERRAIN = Terrain(230.0, 400.0, 46.0, 48.0)


def zone_of(*volumes: Volume, **changes: object) -> Zone:
    zone = Zone(ZoneId("Z"), "a zone", "lux:city", Restriction.PROHIBITED, volumes)
    return replace(zone, **changes)


def fix(lat_deg: float, lon_deg: float, amsl_m: float | None = 350.0, sigma_m: float = 5.0) -> Fix:
    height = None if amsl_m is None else HeightAmsl(amsl_m)
    return Fix(lat_deg, lon_deg, sigma_m, height, sigma_m)


GROUND_TO_300 = Volume(CITADEL, HeightAgl(0.0), HeightAgl(300.0))
AT_CITADEL = fix(49.6100, 6.1335)


@pytest.mark.parametrize("state", list(ZoneState))
@pytest.mark.parametrize("event", list(ZoneEvent))
def test_lifecycle_is_the_table(state: ZoneState, event: ZoneEvent) -> None:
    if (state, event) in ZONE_TRANSITIONS:
        assert transition(state, event) is ZONE_TRANSITIONS[state, event]
    else:
        with pytest.raises(DecisionError, match=f"is {state}; it cannot {event}"):
            transition(state, event)


def test_only_an_emergency_skips_the_approval() -> None:
    into_force = {pair for pair, after in ZONE_TRANSITIONS.items() if after is ZoneState.IN_FORCE}
    assert into_force == {
        (ZoneState.APPROVED, ZoneEvent.ENTER_INTO_FORCE),
        (ZoneState.PROPOSED, ZoneEvent.DECLARE_EMERGENCY),
        (ZoneState.IN_FORCE, ZoneEvent.CONFIRM),
    }
    assert all((state, ZoneEvent.WITHDRAW) in ZONE_TRANSITIONS for state in list(ZoneState)[:3])


def test_the_drawing_in_the_documents_is_the_table() -> None:
    drawn = (Path(__file__).parents[3] / "docs" / "zones.md").read_text(encoding="utf-8")
    arrows = re.findall(r"^    (\w+) --> (\w+): (\w+)$", drawn, re.MULTILINE)
    table = [(s.value, to.value, e.value) for (s, e), to in ZONE_TRANSITIONS.items()]
    assert sorted(arrows) == sorted(table)


@pytest.mark.parametrize("state", [ZoneState.PROPOSED, ZoneState.APPROVED, ZoneState.WITHDRAWN])
@pytest.mark.parametrize("readable", [True, False])
def test_what_is_not_in_force_never_applies(state: ZoneState, readable: bool) -> None:
    zone = zone_of(GROUND_TO_300, state=state, readable=readable)
    assert applies(zone, NOON) is Tri.NO
    assert contains(prepare_zone(zone), AT_CITADEL, NOON, TERRAIN) is Tri.NO


def test_an_unreadable_zone_in_force_is_maybe_everywhere() -> None:
    bow_tie = Volume(Polygon((((0, 0), (1, 1), (1, 0), (0, 1), (0, 0)),)), None, None)
    for zone in (zone_of(bow_tie, readable=False), zone_of(readable=False)):
        prepared = prepare_zone(zone)
        assert applies(zone, NOON) is Tri.MAYBE
        assert contains(prepared, AT_CITADEL, NOON, TERRAIN) is Tri.MAYBE
        assert distance_to_zone_m(prepared, AT_CITADEL) == math.inf


def test_no_periods_is_always_and_open_ends_are_open() -> None:
    assert applies_until(zone_of(GROUND_TO_300), NOON).until_ns is None
    future = zone_of(GROUND_TO_300, periods=(Period(start_ns=NOON),))
    assert applies(future, NOON - 1) is Tri.NO
    assert applies(future, NOON) is Tri.YES
    past = zone_of(GROUND_TO_300, periods=(Period(end_ns=NOON),))
    assert applies(past, NOON - 1) is Tri.YES
    assert applies(past, NOON) is Tri.NO


def test_an_unknown_time_zone_matters_only_where_it_is_needed() -> None:
    office = DailyPeriod((0,), TimeOfDay(8 * 3600, False), TimeOfDay(18 * 3600, False))
    local = zone_of(GROUND_TO_300, time_zone="Mars/Olympus", periods=(Period(windows=(office,)),))
    assert applies(local, NOON) is Tri.MAYBE
    assert contains(prepare_zone(local), AT_CITADEL, NOON, TERRAIN) is Tri.MAYBE
    assert applies(replace(local, periods=(Period(NOON),)), NOON) is Tri.YES
    assert applies(replace(local, time_zone="Europe/Luxembourg"), NOON) is Tri.YES


def test_the_sun_is_looked_at_in_the_zone() -> None:
    east = Polygon((((20.0, 60.0), (22.0, 60.0), (22.0, 61.0), (20.0, 61.0), (20.0, 60.0)),))
    assert sun_place(zone_of(GROUND_TO_300)) == (49.6100, 6.1335)
    assert sun_place(zone_of(Volume(east, None, None), GROUND_TO_300)) == (60.5, 21.0)
    day = Period(windows=(DailyPeriod(tuple(range(7)), SunEvent.SR, SunEvent.SS),))
    night = to_ns(datetime(2026, 6, 21, 2, 0, tzinfo=UTC))
    assert applies(zone_of(GROUND_TO_300, periods=(day,)), night) is Tri.NO
    assert applies(zone_of(Volume(east, None, None), periods=(day,)), night) is Tri.YES


def test_space_height_and_time_must_all_hold() -> None:
    window = DailyPeriod((0,), TimeOfDay(8 * 3600, True), TimeOfDay(18 * 3600, True))
    prepared = prepare_zone(zone_of(GROUND_TO_300, periods=(Period(windows=(window,)),)))
    assert contains(prepared, AT_CITADEL, NOON, TERRAIN) is Tri.YES
    assert contains(prepared, AT_CITADEL, NOON + 7 * HOUR_NS, TERRAIN) is Tri.NO
    assert contains(prepared, fix(49.62, 6.1335), NOON, TERRAIN) is Tri.NO
    assert contains(prepared, fix(49.6100, 6.1335, amsl_m=1000.0), NOON, TERRAIN) is Tri.NO
    assert contains(prepared, fix(49.6100, 6.1335, amsl_m=600.0), NOON, TERRAIN) is Tri.MAYBE
    assert contains(prepared, fix(49.6100, 6.1335, amsl_m=600.0), NOON, None) is Tri.MAYBE
    assert contains(prepared, fix(49.6100, 6.1335, amsl_m=None), NOON, TERRAIN) is Tri.MAYBE
    border_lat = 49.6100 + 500.0 / metres_per_degree(49.61)[1]
    assert contains(prepared, fix(border_lat, 6.1335), NOON, TERRAIN) is Tri.MAYBE


def test_any_volume_is_enough() -> None:
    low = Volume(CITADEL, HeightAmsl(0.0), HeightAmsl(400.0))
    elsewhere = Volume(Circle(49.70, 6.20, 300.0), None, None)
    prepared = prepare_zone(zone_of(low, elsewhere))
    assert contains(prepared, AT_CITADEL, NOON, None) is Tri.YES
    assert contains(prepared, fix(49.70, 6.20, None), NOON, None) is Tri.YES
    assert contains(prepared, fix(49.65, 6.16, None), NOON, None) is Tri.NO
    assert contains(prepare_zone(zone_of()), AT_CITADEL, NOON, None) is Tri.NO


def test_the_remembered_answer_ends_when_the_window_does() -> None:
    window = DailyPeriod((0,), TimeOfDay(8 * 3600, True), TimeOfDay(18 * 3600, True))
    zone = zone_of(GROUND_TO_300, periods=(Period(windows=(window,)),))
    prepared = prepare_zone(zone)
    start = to_ns(datetime(2026, 8, 16, tzinfo=UTC))
    for hours in (*range(60), *range(59, -1, -1)):
        for nudge in (-1, 0):
            at_ns = start + hours * HOUR_NS + nudge
            assert contains(prepared, AT_CITADEL, at_ns, TERRAIN) is applies(zone, at_ns)


def test_distance_is_negative_inside_the_deepest_volume() -> None:
    prepared = prepare_zone(
        zone_of(GROUND_TO_300, Volume(replace(CITADEL, radius_m=200.0), None, None))
    )
    assert distance_to_zone_m(prepared, AT_CITADEL) == pytest.approx(-500.0, abs=0.5)
    north = 49.6100 + 2000.0 / metres_per_degree(49.61)[1]
    assert distance_to_zone_m(prepared, fix(north, 6.1335)) == pytest.approx(1500.0, rel=1e-3)


_angles = st.lists(
    st.tuples(st.floats(0.0, 359.0), st.floats(0.2, 1.0)), min_size=3, max_size=9, unique=True
)


@st.composite
def _stars(draw: st.DrawFn) -> Polygon:
    """A star-shaped polygon of about 1 km near Luxembourg."""
    corners = sorted(draw(_angles))
    assume(all(b[0] - a[0] > 1.0 for a, b in pairwise(corners)))
    points = [
        (
            6.13 + 0.014 * share * math.cos(math.radians(angle)),
            49.61 + 0.009 * share * math.sin(math.radians(angle)),
        )
        for angle, share in corners
    ]
    polygon = Polygon(((*points, points[0]),))
    assume(not geometry_faults(polygon))
    return polygon


def _expected_area(area: Area, at: Fix) -> Tri | None:
    """What shapely says in the local flat metric; None within 0.5 % of a border of the answer."""
    per_lon, per_lat = metres_per_degree(at.lat_deg)
    if isinstance(area, Circle):
        centre = shapely.Point(
            (area.lon_deg - at.lon_deg) * per_lon, (area.lat_deg - at.lat_deg) * per_lat
        )
        inside = centre.distance(shapely.Point(0.0, 0.0)) < area.radius_m
        distance = abs(area.radius_m - centre.distance(shapely.Point(0.0, 0.0)))
    else:
        flat = shapely.Polygon(
            [
                ((lon - at.lon_deg) * per_lon, (lat - at.lat_deg) * per_lat)
                for lon, lat in area.rings[0]
            ]
        )
        inside = flat.contains(shapely.Point(0.0, 0.0))
        distance = flat.exterior.distance(shapely.Point(0.0, 0.0))
    margin = BORDER_SIGMAS * at.sigma_horizontal_m
    if abs(distance - margin) < 0.5 + 0.005 * distance:
        return None
    return Tri.of(inside) if distance > margin else Tri.MAYBE


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.one_of(
                _stars(),
                st.builds(
                    Circle, st.floats(49.60, 49.62), st.floats(6.12, 6.14), st.floats(50.0, 900.0)
                ),
            ),
            st.floats(0.0, 300.0),
            st.floats(10.0, 300.0),
        ),
        min_size=1,
        max_size=3,
    ),
    st.floats(49.595, 49.625),
    st.floats(6.11, 6.15),
    st.floats(0.0, 700.0),
    st.floats(0.0, 60.0),
)
def test_containment_is_what_shapely_and_plain_arithmetic_say(
    found: list[tuple[Area, float, float]], lat: float, lon: float, amsl_m: float, sigma_m: float
) -> None:
    at = fix(lat, lon, amsl_m, sigma_m)
    expected = Tri.NO
    volumes = []
    for area, lower_m, thick_m in found:
        volumes.append(Volume(area, HeightAmsl(lower_m), HeightAmsl(lower_m + thick_m)))
        low, high = amsl_m - BORDER_SIGMAS * sigma_m, amsl_m + BORDER_SIGMAS * sigma_m
        if low >= lower_m and high < lower_m + thick_m:
            vertical = Tri.YES
        elif high < lower_m or low >= lower_m + thick_m:
            vertical = Tri.NO
        else:
            vertical = Tri.MAYBE
        horizontal = _expected_area(area, at)
        assume(horizontal is not None)
        assert horizontal is not None
        expected |= horizontal & vertical
    prepared = prepare_zone(zone_of(*volumes))
    assert contains(prepared, at, NOON, None) is expected


def test_a_year_of_answers_is_walked_without_a_gap() -> None:
    window = DailyPeriod((4, 5), TimeOfDay(22 * 3600, False), SunEvent.SR)
    zone = zone_of(
        GROUND_TO_300, periods=(Period(windows=(window,)),), time_zone="Europe/Luxembourg"
    )
    at_ns = start = to_ns(datetime(2026, 1, 1, tzinfo=UTC))
    held_ns = 0
    while at_ns < start + 365 * 24 * HOUR_NS:
        found = applies_until(zone, at_ns)
        assert found.until_ns is not None
        held_ns += (found.until_ns - at_ns) * (found.answer is Tri.YES)
        at_ns = found.until_ns
    nights = held_ns / (104 * HOUR_NS)  # 22:00 until sunrise, 7 to 10 hours
    assert 8.0 < nights < 9.5
    assert timedelta(hours=nights) > timedelta(hours=8)
