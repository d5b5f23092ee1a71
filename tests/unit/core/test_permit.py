from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skykeep.core.geo import (
    Circle,
    Fix,
    HeightAgl,
    HeightAmsl,
    Terrain,
    Tri,
    Volume,
    Volume4D,
)
from skykeep.core.identifiers import serial_fault
from skykeep.core.permit import (
    LIVE_STATES,
    PERMIT_TRANSITIONS,
    Permit,
    PermitEvent,
    PermitState,
    covers,
    is_live,
    names_aircraft,
    opens_zone,
    prepare_permit,
    transition,
)
from skykeep.errors import DecisionError
from skykeep.units import PermitId, ZoneId

LAT, LON = 49.61, 6.13
HERE = Circle(LAT, LON, 300.0)
VOLUME = Volume4D(Volume(HERE, None, HeightAmsl(400.0)), 100, 200)
PERMIT = Permit(
    permit_id=PermitId("P1"),
    authority_id="city",
    holder="Survey Ltd",
    serials=(" 1ABC9d12345678 ",),
    zones=(ZoneId("Z1"),),
    volumes=(VOLUME,),
    state=PermitState.GRANTED,
)


def fix(dlat: float = 0.0, height_m: float = 300.0, sigma_m: float = 5.0) -> Fix:
    return Fix(LAT + dlat, LON, sigma_m, HeightAmsl(height_m), sigma_m)


def test_every_state_is_reached_and_every_event_used() -> None:
    reached = {PermitState.DRAFT}
    while True:
        more = {to for (s, _), to in PERMIT_TRANSITIONS.items() if s in reached} - reached
        if not more:
            break
        reached |= more
    assert reached == set(PermitState)
    assert {e for _, e in PERMIT_TRANSITIONS} == set(PermitEvent)


def test_the_diagram_in_the_docs_is_the_table() -> None:
    text = (Path(__file__).parents[3] / "docs" / "permits.md").read_text(encoding="utf-8")
    drawn = re.findall(r"^    (\w+) --> (\w+): (\w+)$", text, re.MULTILINE)
    table = [(s.value, to.value, e.value) for (s, e), to in PERMIT_TRANSITIONS.items()]
    assert sorted(drawn) == sorted(table)


def test_final_states_have_no_way_out() -> None:
    sources = {s for s, _ in PERMIT_TRANSITIONS}
    final = {PermitState.REFUSED, PermitState.ENDED, PermitState.REVOKED, PermitState.EXPIRED}
    assert set(PermitState) - sources == final
    assert not final & LIVE_STATES


def test_only_granting_makes_live() -> None:
    for (state, event), to in PERMIT_TRANSITIONS.items():
        if state not in LIVE_STATES and to in LIVE_STATES:
            assert event in {
                PermitEvent.GRANT,
                PermitEvent.RESUME,
                PermitEvent.DECLARE_EMERGENCY,
            }


@given(st.sampled_from(PermitState), st.sampled_from(PermitEvent))
def test_transition_follows_the_table(state: PermitState, event: PermitEvent) -> None:
    before = replace(PERMIT, state=state)
    if (state, event) in PERMIT_TRANSITIONS:
        after = transition(before, event, 77, " said so ")
        assert replace(after, procedure=before.procedure) == replace(
            before,
            state=PERMIT_TRANSITIONS[state, event],
            state_why="said so",
            state_since_ns=77,
        )
    else:
        with pytest.raises(DecisionError, match=f"is {state}; it cannot {event}"):
            transition(before, event, 77, "said so")


def test_taking_away_needs_a_reason() -> None:
    with pytest.raises(DecisionError, match="needs a reason"):
        transition(PERMIT, PermitEvent.REVOKE, 1, "  ")
    assert transition(PERMIT, PermitEvent.ACTIVATE, 1, "").state is PermitState.ACTIVATED


def test_live_states() -> None:
    live = {s for s in PermitState if is_live(replace(PERMIT, state=s))}
    assert live == {PermitState.GRANTED, PermitState.ACTIVATED, PermitState.PROVISIONAL}


def test_names_aircraft() -> None:
    assert names_aircraft(PERMIT, "1abc9D12345678")
    assert names_aircraft(PERMIT, " 1ABC9D12345678\n")
    assert not names_aircraft(PERMIT, "1ABC9D1234567")
    assert not names_aircraft(replace(PERMIT, serials=("",)), " ")


def test_opens_zone() -> None:
    assert opens_zone(PERMIT, ZoneId("Z1"), "city")
    assert not opens_zone(PERMIT, ZoneId("Z2"), "city")
    assert not opens_zone(PERMIT, ZoneId("Z1"), "airport")
    no_zone = replace(PERMIT, zones=())
    assert not opens_zone(no_zone, ZoneId("Z1"), "city")
    exemption = replace(no_zone, exemption_class="police")
    assert opens_zone(exemption, ZoneId("Z2"), "city")
    assert not opens_zone(exemption, ZoneId("Z2"), "airport")
    assert not opens_zone(replace(exemption, zones=(ZoneId("Z1"),)), ZoneId("Z2"), "city")


def test_covers_in_time_area_and_height() -> None:
    p = prepare_permit(PERMIT)
    assert covers(p, fix(), 100, None) is Tri.YES
    assert covers(p, fix(), 99, None) is Tri.NO
    assert covers(p, fix(), 200, None) is Tri.NO
    assert covers(p, fix(dlat=0.01), 150, None) is Tri.NO
    assert covers(p, fix(dlat=300.0 / 111_200.0), 150, None) is Tri.MAYBE
    assert covers(p, fix(height_m=420.0), 150, None) is Tri.NO
    assert covers(p, fix(height_m=399.0), 150, None) is Tri.MAYBE
    assert covers(p, replace(fix(), height=None), 150, None) is Tri.MAYBE
    # Outside the area no height can bring it in.
    assert covers(p, replace(fix(dlat=0.01), height=None), 150, None) is Tri.NO


def test_covers_any_volume_and_none() -> None:
    later = replace(VOLUME, start_ns=300, end_ns=None)
    p = prepare_permit(replace(PERMIT, volumes=(VOLUME, later)))
    assert covers(p, fix(), 350, None) is Tri.YES
    assert covers(p, fix(), 250, None) is Tri.NO
    far = replace(VOLUME, volume=replace(VOLUME.volume, area=Circle(LAT + 1.0, LON, 300.0)))
    p = prepare_permit(replace(PERMIT, volumes=(VOLUME, far)))
    assert covers(p, fix(height_m=399.0), 150, None) is Tri.MAYBE
    assert covers(prepare_permit(replace(PERMIT, volumes=())), fix(), 150, None) is Tri.NO


def test_height_above_ground_needs_terrain() -> None:
    low = Volume4D(Volume(HERE, HeightAgl(0.0), HeightAgl(120.0)), None, None)
    p = prepare_permit(replace(PERMIT, volumes=(low,)))
    assert covers(p, fix(height_m=330.0), 0, None) is Tri.MAYBE
    flat = Terrain(260.0, 270.0, 45.0, 46.0)
    assert covers(p, fix(height_m=330.0), 0, flat) is Tri.YES
    assert covers(p, fix(height_m=500.0), 0, flat) is Tri.NO


@pytest.mark.parametrize(
    ("serial", "fault"),
    [
        ("1596F3123456789012345", "states 15 characters"),
        ("1596FABCDEF1234567", "states 15 characters"),
        ("1596A0123456789", None),
        ("15961X", None),
        ("1596FABCDEFGH1234567"[:5] + "ABCDEFGH1234567", None),
        ("15960", "shorter"),
        ("", "shorter"),
        ("15960X", "length code '0'"),
        ("1596GX", "length code 'G'"),
        ("1596AO123456789", "without O and I"),
        ("1596a0123456789", "without O and I"),
        ("15961é", "without O and I"),
    ],
)
def test_serial_fault(serial: str, fault: str | None) -> None:
    found = serial_fault(serial)
    assert found is None if fault is None else found is not None and fault in found


@given(st.text(max_size=30))
def test_serial_fault_takes_any_text(serial: str) -> None:
    if serial_fault(serial) is None:
        assert 6 <= len(serial) <= 20
        assert not set("OI") & set(serial)
