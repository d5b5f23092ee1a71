from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest
import shapely
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from skykeep.core.application import Application, Category, Mode
from skykeep.core.geo import (
    Circle,
    HeightAgl,
    HeightAmsl,
    Polygon,
    Volume,
    Volume4D,
    metres_per_degree,
    prepare,
)
from skykeep.core.permit import Channel, ChannelKind, Permit, PermitState, Procedure
from skykeep.core.permit_conflicts import Conflicts, areas_meet, conflicts, gaps
from skykeep.core.zone import (
    Authority,
    Period,
    Restriction,
    Zone,
    prepare_zone,
)
from skykeep.units import PermitId, ZoneId
from tests.sky import COUNTRY, TERRAIN, at, permit_named, volume, zone_named

LAT, LON = 49.61, 6.13
APPLICATION = Application(
    Mode.VLOS, "", Category.OPEN, "C1", "direct remote id", "none", 1_500.0, "lands",
    "FIN87astrdge12k8", "", "P. Ilot", "+352 1",
)  # fmt: skip
PROCEDURE = Procedure(identity_proof="eID", channels=(Channel(ChannelKind.EMAIL, "a@b.example"),))


def asked(**changes: Any) -> Permit:
    """A complete application inside zone Z1, for an hour from the start."""
    here = Volume4D(volume(radius_m=100.0, top_m=60.0), at(0.0), at(3_600.0))
    plain = permit_named(
        "P1", state=PermitState.SUBMITTED, volumes=(here,), application=APPLICATION,
        procedure=PROCEDURE, serials=("1596A0123456789",),
    )  # fmt: skip
    return replace(plain, **changes)


def met(permit: Permit, *zones: Zone, permits: tuple[Permit, ...] = ()) -> Conflicts:
    return conflicts(permit, [prepare_zone(z) for z in zones], permits, TERRAIN, at(0.0))


def test_a_complete_application_meets_its_zone_alone() -> None:
    far = zone_named("Z9", volumes=(volume((9_000.0, 0.0, 0.0)),))
    found = met(asked(), zone_named(), far)
    assert [(z.zone_id, z.surely, z.named) for z in found.own_zones] == [("Z1", True, True)]
    assert (found.other_zones, found.overlaps, found.gaps) == ((), (), ())


def test_other_authorities_are_named_with_whom_to_ask() -> None:
    whom = Authority("CAA", email="uas@caa.example", interval_before="P3D")
    other = zone_named("Z2", authority_id=COUNTRY, authorities=(whom,))
    found = met(asked(), zone_named(), other)
    (zone,) = found.other_zones
    assert (zone.zone_id, zone.whom) == ("Z2", ("CAA, uas@caa.example (P3D before)",))
    assert found.gaps == ()


def test_zones_that_were_not_asked_for_and_not_reached() -> None:
    found = met(asked(zones=(ZoneId("Z7"),)), zone_named())
    assert [g.problem.split(" ")[0] for g in found.gaps] == ["Z1", "Z7"]
    exempt = asked(zones=(), exemption_class="police")
    assert met(exempt, zone_named()).gaps == ()  # it opens all of its authority's


def test_heights_and_times_keep_apart() -> None:
    above = Volume(volume().area, HeightAmsl(420.0), None)
    below = Volume(volume().area, HeightAmsl(300.0), HeightAmsl(359.0))
    assert met(asked(), zone_named(volumes=(above,))).own_zones == ()  # 60 m above 300 m
    assert met(asked(), zone_named(volumes=(below,))).own_zones[0].surely
    hole = conflicts(asked(), [prepare_zone(zone_named(volumes=(above,)))], (), None, at(0.0))
    assert not hole.own_zones[0].surely  # without terrain nobody can tell


def test_a_zone_of_certain_hours_counts_if_they_fall_into_the_flight() -> None:
    # The flight is 21:48 to 22:48 UTC.
    for start_s, end_s, reached in ((at(3_599.0), at(9e3), True), (at(3_600.0), at(9e3), False)):
        period = Period(start_s, end_s, ())
        zone = zone_named(periods=(period,))
        assert bool(met(asked(), zone).own_zones) == reached


def test_what_cannot_be_read_may_be_reached() -> None:
    (zone,) = met(asked(), zone_named(readable=False, volumes=())).own_zones
    assert not zone.surely
    free = zone_named(restriction=Restriction.NO_RESTRICTION)
    assert met(asked(zones=()), free).own_zones == ()


def test_permits_and_exemptions_in_the_same_place_and_time() -> None:
    (own,) = asked().volumes
    later = replace(own, start_ns=at(3_600.0), end_ns=at(7_200.0))
    higher = replace(own, volume=replace(own.volume, lower=HeightAgl(61.0), upper=None))
    others = (
        asked(permit_id=PermitId("P1")),  # an earlier version of itself
        asked(permit_id=PermitId("P2")),
        asked(permit_id=PermitId("P3"), volumes=(later,)),
        asked(permit_id=PermitId("P4"), volumes=(higher,)),
        asked(permit_id=PermitId("P5"), state=PermitState.REVOKED),
        asked(permit_id=PermitId("X1"), exemption_class="rescue", state=PermitState.GRANTED),
    )
    found = met(asked(), zone_named(), permits=others).overlaps
    assert [(o.permit_id, o.kind, o.state) for o in found] == [
        ("P2", "permit", "submitted"), ("X1", "rescue", "granted"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"serials": ()}, "serials"),
        ({"serials": ("ABC",)}, "serials[0]"),
        ({"volumes": ()}, "volumes"),
        ({"application": None}, "application"),
        ({"application": replace(APPLICATION, lost_link="")}, "application.lost_link"),
        ({"application": replace(APPLICATION, operator="FIN1")}, "application.operator"),
        ({"application": replace(APPLICATION, contact_phone="")}, "application.contact.phone"),
        (
            {"application": replace(APPLICATION, category=Category.SPECIFIC, aircraft_class="")},
            "application.aircraft_class",
        ),
        ({"procedure": replace(PROCEDURE, identity_proof="")}, "procedure.identity_proof"),
        ({"procedure": replace(PROCEDURE, channels=())}, "procedure.channels"),
    ],
)
def test_each_gap_is_named(changes: dict[str, Any], where: str) -> None:
    assert gaps(asked(), at(0.0)) == ()
    assert [g.where for g in gaps(asked(**changes), at(0.0))] == [where]


def test_times_and_limits_that_are_missing() -> None:
    (own,) = asked().volumes
    open_ended = replace(own, start_ns=None, end_ns=None, volume=replace(own.volume, upper=None))
    named = [g.where for g in gaps(asked(volumes=(open_ended,)), at(0.0))]
    assert named == ["volumes[0].start", "volumes[0].end", "volumes[0].upper"]
    assert [g.problem for g in gaps(asked(), at(3_600.0))] == ["is past"]


# -- areas against shapely, in a flat metric --------------------------------------------------

PER_LON, PER_LAT = metres_per_degree(LAT)
offset = st.floats(-900.0, 900.0)


@st.composite
def shapes(draw: st.DrawFn) -> tuple[Circle | Polygon, Any]:
    """An area and the same for shapely, in metres: a disc, or a star with a hole or none."""
    east, north = draw(offset), draw(offset)
    radius = draw(st.floats(50.0, 600.0))
    if draw(st.booleans()):
        circle = Circle(LAT + north / PER_LAT, LON + east / PER_LON, radius)
        return circle, shapely.Point(east, north).buffer(radius, 256)
    corners = draw(st.integers(3, 9))
    reach = draw(st.lists(st.floats(0.4, 1.0), min_size=corners, max_size=corners))
    rings = [
        [
            (
                east + radius * scale * r * math.cos(2 * math.pi * i / corners),
                north + radius * scale * r * math.sin(2 * math.pi * i / corners),
            )
            for i, r in enumerate(reach)
        ]
        for scale in ((1.0, 0.6) if draw(st.booleans()) else (1.0,))
    ]
    closed = tuple(
        tuple((LON + x / PER_LON, LAT + y / PER_LAT) for x, y in [*ring, ring[0]]) for ring in rings
    )
    return Polygon(closed), shapely.Polygon(rings[0], rings[1:])


@settings(deadline=None)  # the first question compiles a kernel
@given(shapes(), shapes())
def test_areas_meet_as_shapely_says(a: Any, b: Any) -> None:
    apart = a[1].distance(b[1])
    deep = a[1].buffer(-3.0).intersects(b[1].buffer(-3.0))
    assume(apart > 3.0 or deep)  # nearer than that the two metrics may differ
    assert areas_meet(prepare(a[0]), prepare(b[0])) == (apart == 0.0)
    assert areas_meet(prepare(b[0]), prepare(a[0])) == (apart == 0.0)
