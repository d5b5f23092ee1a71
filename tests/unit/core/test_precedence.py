from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skykeep.core.geo import (
    Circle,
    Fix,
    HeightAgl,
    HeightAmsl,
    HeightPressure,
    Polygon,
    Terrain,
    Tri,
    Volume,
    Volume4D,
)
from skykeep.core.permit import Permit, PermitState, prepare_permit
from skykeep.core.precedence import (
    HORIZON_NS,
    STRICTNESS,
    WORDS,
    Outcome,
    Ruling,
    outcome_of,
    ruling,
    strictest,
)
from skykeep.core.zone import (
    Authority,
    DailyPeriod,
    Period,
    Restriction,
    TimeOfDay,
    Zone,
    ZoneState,
    contains,
    prepare_zone,
)
from skykeep.units import PermitId, ZoneId, to_ns

R = Restriction
NOON = to_ns(datetime(2026, 8, 17, 12, tzinfo=UTC))  # a Monday
HOUR_NS = 3600 * 10**9
HERE = Fix(49.61, 6.13, 0.0, HeightAmsl(350.0), 0.0)
GROUND = Terrain(230.0, 240.0, 46.0, 48.0)
WIDE = Volume(Circle(49.61, 6.13, 5_000.0), None, None)
OFFICE = (Period(windows=(DailyPeriod((0,), TimeOfDay(28_800, True), TimeOfDay(64_800, True)),)),)


def zone(name: str, restriction: R, volume: Volume = WIDE, **changes: object) -> Zone:
    return replace(Zone(ZoneId(name), name, "city", restriction, (volume,)), **changes)


def rule(
    *zones: Zone, fix: Fix = HERE, at_ns: int = NOON, terrain: Terrain | None = GROUND,
    permits: tuple[Permit, ...] = (),
) -> Ruling:  # fmt: skip
    prepared = [prepare_zone(z) for z in zones]
    return ruling(prepared, fix, at_ns, terrain, [prepare_permit(p) for p in permits])


def permit(*zones: str, **changes: object) -> Permit:
    made = Permit(
        PermitId("P1"), "city", "a firm", ("1596F0123456789AB",), tuple(map(ZoneId, zones)),
        (Volume4D(WIDE, NOON - HOUR_NS, NOON + HOUR_NS),), PermitState.ACTIVATED,
    )  # fmt: skip
    return replace(made, **changes)


def test_nothing_is_open_and_says_so() -> None:
    found = rule()
    assert (found.outcome, found.zones, found.ask) == (Outcome.OPEN, (), ())
    assert found.next_change_ns is None


@pytest.mark.parametrize("order", list(itertools.permutations(STRICTNESS)))
def test_the_strictest_holds_in_whatever_order(order: tuple[R, ...]) -> None:
    found = rule(*(zone(r.value, r) for r in order))
    assert found.outcome is Outcome.PROHIBITED
    assert [h.restriction for h in found.zones] == list(reversed(STRICTNESS))
    assert {h.reason.code for h in found.zones} == {"inside"}


def test_a_lenient_zone_takes_nothing_away_and_a_hole_does() -> None:
    far = [(6.0, 49.5), (6.3, 49.5), (6.3, 49.7), (6.0, 49.7), (6.0, 49.5)]
    near = [(6.12, 49.6), (6.12, 49.62), (6.14, 49.62), (6.14, 49.6), (6.12, 49.6)]
    solid = zone("S", R.PROHIBITED, Volume(Polygon((tuple(far),)), None, None))
    lenient = zone("L", R.NO_RESTRICTION, Volume(Polygon((tuple(near),)), None, None))
    holed = replace(solid, volumes=(Volume(Polygon((tuple(far), tuple(near))), None, None),))
    assert rule(solid, lenient).outcome is Outcome.PROHIBITED
    assert rule(holed, lenient).outcome is Outcome.OPEN
    assert [h.zone_id for h in rule(holed, lenient).zones] == ["L"]


def test_a_permit_opens_what_it_names_and_the_rest_holds() -> None:
    ban, ask = zone("B", R.PROHIBITED), zone("A", R.REQ_AUTHORISATION)
    other = zone("O", R.CONDITIONAL, authority_id="airport")
    found = rule(ban, ask, other, permits=(permit("B", "A", "O"),))
    assert found.outcome is Outcome.CONDITIONS  # the airport's is not the city's to open
    assert [(h.zone_id, h.opened_by) for h in found.zones] == [
        ("B", "P1"), ("A", "P1"), ("O", None),
    ]  # fmt: skip
    assert found.zones[0].reason.code == "opened"
    assert [(a.authority_id, a.zones) for a in found.ask] == [("airport", ("O",))]
    assert rule(ban, ask, permits=(permit("A"),)).outcome is Outcome.PROHIBITED


@pytest.mark.parametrize(
    "changes",
    [
        {"state": PermitState.REVOKED},
        {"volumes": (Volume4D(WIDE, NOON + 1, None),)},
        {"volumes": (Volume4D(Volume(Circle(49.7, 6.13, 500.0), None, None), None, None),)},
        {"authority_id": "airport"},
        {"zones": ()},
    ],
)
def test_a_permit_that_does_not_hold_opens_nothing(changes: dict[str, object]) -> None:
    found = rule(zone("B", R.PROHIBITED), permits=(permit("B", **changes),))
    assert found.outcome is Outcome.PROHIBITED


def test_an_exemption_opens_all_zones_of_its_authority() -> None:
    zones = (zone("B", R.PROHIBITED), zone("A", R.REQ_AUTHORISATION))
    found = rule(*zones, permits=(permit(exemption_class="rescue"),))
    assert found.outcome is Outcome.OPEN
    assert found.ask == ()


def test_a_permit_on_its_own_border_opens_nothing_surely() -> None:
    vague = replace(HERE, sigma_horizontal_m=10_000.0)
    everywhere = zone("B", R.PROHIBITED, Volume(Circle(49.61, 6.13, 90_000.0), None, None))
    assert rule(everywhere, fix=vague, permits=(permit("B"),)).outcome is Outcome.PROHIBITED


@pytest.mark.parametrize(
    ("changes", "fix", "terrain", "code"),
    [
        ({"readable": False}, HERE, GROUND, "unreadable"),
        ({"periods": OFFICE, "time_zone": "Mars/Olympus"}, HERE, GROUND, ""),
        ({}, replace(HERE, lat_deg=49.655, sigma_horizontal_m=50.0), GROUND, "border"),
        (
            {"volumes": (Volume(WIDE.area, None, HeightAmsl(400.0)),)},
            replace(HERE, height=None),
            GROUND,
            "height_missing",
        ),
        ({"volumes": (Volume(WIDE.area, None, HeightAgl(120.0)),)}, HERE, None, "ground_unknown"),
        ({"volumes": (Volume(WIDE.area, None, HeightAgl(115.0)),)}, HERE, GROUND, "limit_near"),
        (
            {"volumes": (Volume(WIDE.area, None, HeightPressure(400.0)),)},
            HERE,
            None,
            "limit_near",
        ),
    ],
)
def test_what_cannot_be_told_is_undetermined_and_says_why(
    changes: dict[str, object], fix: Fix, terrain: Terrain | None, code: str
) -> None:
    found = rule(zone("Z", R.REQ_AUTHORISATION, **changes), fix=fix, terrain=terrain)
    if not code:  # UTC windows need no time zone
        assert found.outcome is Outcome.ASK
        return
    assert found.outcome is Outcome.UNDETERMINED
    assert [h.reason.code for h in found.zones] == [code]
    assert found.zones[0].reason.words == WORDS[code]
    assert found.surely is R.NO_RESTRICTION
    assert found.perhaps is (R.PROHIBITED if code == "unreadable" else R.REQ_AUTHORISATION)


def test_an_unknown_time_zone_is_undetermined() -> None:
    local = (Period(windows=(DailyPeriod((0,), TimeOfDay(0, False), TimeOfDay(3600, False)),)),)
    found = rule(zone("Z", R.PROHIBITED, periods=local, time_zone="Mars/Olympus"))
    assert [h.reason.code for h in found.zones] == ["time_unknown"]


def test_doubt_matters_only_where_it_could_change_the_answer() -> None:
    low = zone("L", R.REQ_AUTHORISATION, Volume(WIDE.area, None, HeightAgl(120.0)))
    ban = zone("B", R.PROHIBITED)
    assert rule(low, ban, terrain=None).outcome is Outcome.PROHIBITED
    assert rule(low, zone("A", R.REQ_AUTHORISATION), terrain=None).outcome is Outcome.ASK
    assert rule(low, zone("C", R.CONDITIONAL), terrain=None).outcome is Outcome.UNDETERMINED
    from_ground = zone("G", R.PROHIBITED, Volume(WIDE.area, HeightAgl(0.0), None))
    assert rule(from_ground, terrain=None).outcome is Outcome.PROHIBITED


def test_whom_to_ask_is_told_once_for_each_authority() -> None:
    office = Authority("City", contact="desk", email="desk@city.example", interval_before="P3D")
    zones = (
        zone("A1", R.REQ_AUTHORISATION, authorities=(office,)),
        zone("A2", R.PROHIBITED, authorities=(office,)),
        zone("N", R.NO_RESTRICTION, authorities=(office,)),
        zone("X", R.CONDITIONAL, authority_id="airport"),
    )
    assert [(a.authority_id, a.authority, a.zones) for a in rule(*zones).ask] == [
        ("city", office, ("A2", "A1")),
        ("airport", None, ("X",)),
    ]


def test_the_next_change_is_the_first_of_any_zone_or_permit() -> None:
    office = zone("O", R.PROHIBITED, periods=OFFICE)
    found = rule(office, zone("A", R.CONDITIONAL))
    assert (found.next_change_ns, found.next_outcome) == (NOON + 6 * HOUR_NS, Outcome.CONDITIONS)
    evening = rule(office, at_ns=NOON + 6 * HOUR_NS)
    assert evening.outcome is Outcome.OPEN
    assert evening.next_change_ns == NOON + (7 * 24 - 4) * HOUR_NS
    assert evening.next_outcome is Outcome.PROHIBITED
    flown = rule(office, permits=(permit("O"),))
    assert (flown.outcome, flown.next_change_ns, flown.next_outcome) == (
        Outcome.OPEN, NOON + HOUR_NS, Outcome.PROHIBITED,
    )  # fmt: skip
    later = zone("L", R.PROHIBITED, periods=(Period(NOON + HORIZON_NS, None),))
    assert rule(later).next_change_ns is None
    assert rule(later, at_ns=NOON + 1).next_change_ns == NOON + HORIZON_NS
    elsewhere = zone("E", R.PROHIBITED, Volume(Circle(50.0, 6.0, 10.0), None, None), periods=OFFICE)
    assert rule(elsewhere).next_change_ns is None


def test_what_is_not_in_force_does_not_hold() -> None:
    states = [s for s in ZoneState if s is not ZoneState.IN_FORCE]
    assert rule(*(zone("Z", R.PROHIBITED, state=s) for s in states)).zones == ()


_zones = st.lists(
    st.builds(
        lambda r, v, p, readable: zone("Z", r, v, periods=p, readable=readable),
        st.sampled_from(STRICTNESS),
        st.sampled_from(
            [
                WIDE,
                Volume(Circle(49.61, 6.13, 60.0), None, None),
                Volume(WIDE.area, HeightAgl(0.0), HeightAgl(115.0)),
                Volume(WIDE.area, HeightAmsl(300.0), None),
                Volume(Circle(50.0, 6.13, 60.0), None, None),
            ]
        ),
        st.sampled_from([(), OFFICE, (Period(NOON + 3 * HOUR_NS, None),)]),
        st.sampled_from([True, True, True, False]),
    ),
    max_size=5,
)


@settings(max_examples=150, deadline=None)
@given(_zones, st.sampled_from([0.0, 50.0]), st.integers(-30, 30), st.sampled_from([GROUND, None]))
def test_the_answer_is_that_of_every_way_the_doubts_can_fall(
    zones: list[Zone], sigma_m: float, hours: int, terrain: Terrain | None
) -> None:
    """Each doubtful zone is tried in and out; a zone that cannot be read as a ban too."""
    fix, at_ns = replace(HERE, sigma_horizontal_m=sigma_m), NOON + hours * HOUR_NS
    choices: list[tuple[R, ...]] = []
    for z in zones:
        answer = contains(prepare_zone(z), fix, at_ns, terrain)
        worst = z.restriction if z.readable else R.PROHIBITED
        if answer is Tri.YES:
            choices.append((z.restriction,))
        elif answer is Tri.MAYBE:
            choices.append((R.NO_RESTRICTION, worst))
    ways = {strictest(way) for way in itertools.product(*choices)}
    found = rule(*zones, fix=fix, at_ns=at_ns, terrain=terrain)
    assert {found.surely, found.perhaps} <= ways
    assert STRICTNESS.index(found.surely) == min(map(STRICTNESS.index, ways))
    assert STRICTNESS.index(found.perhaps) == max(map(STRICTNESS.index, ways))
    assert found.outcome is outcome_of(found.surely, found.perhaps)
    milder = rule(*zones, zone("N", R.NO_RESTRICTION), fix=fix, at_ns=at_ns, terrain=terrain)
    assert (milder.surely, milder.perhaps) == (found.surely, found.perhaps)
    end_ns = at_ns + 30 * HOUR_NS if found.next_change_ns is None else found.next_change_ns
    for step in range(1, 6):
        between = at_ns + (end_ns - 1 - at_ns) * step // 5
        same = rule(*zones, fix=fix, at_ns=between, terrain=terrain)
        assert same.zones == found.zones
    if found.next_change_ns is not None:
        then = rule(*zones, fix=fix, at_ns=found.next_change_ns, terrain=terrain)
        assert then.zones != found.zones
        assert then.outcome is found.next_outcome
