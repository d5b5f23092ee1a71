"""Verdicts, rule by rule through their reason codes, and that no data is never permission."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from skykeep.core.event import Permission, Strength
from skykeep.core.geo import HeightAgl, HeightAmsl, HeightHae, Terrain, Tri, Volume4D
from skykeep.core.observation import Scheme
from skykeep.core.permit import Permit, PermitState, prepare_permit
from skykeep.core.verdict import (
    BOUND,
    BOUND_LEAST_DRONE_PROBABILITY,
    BOUND_LEAST_SPEED_MPS,
    GONE,
    INSIDE,
    MAYBE_INSIDE,
    WORDS,
    Presence,
    Subject,
    Verdict,
    VerdictPolicy,
    judge,
    moved,
    presence,
)
from skykeep.core.zone import Period, Restriction, Zone, contains, prepare_zone
from skykeep.units import ZoneId, seconds
from tests.sky import (
    COUNTRY,
    SERIAL,
    TERRAIN,
    Place,
    at,
    fix_at,
    identity_of,
    permit_named,
    subject_at,
    volume,
    zone_named,
)

NOW = at(60.0)
POLICY = VerdictPolicy()
HORIZON_S = POLICY.bound_horizon_s
YES, NO, OPEN, OUT = (
    Permission.PERMITTED,
    Permission.NOT_PERMITTED,
    Permission.UNDETERMINED,
    Permission.NOT_SUBJECT,
)
ADSB = Scheme.ADSB
LIKELY = {
    "kind_drone_likely": (0.6, 0.1, 0.2, 0.1),
    "kind_bird_likely": (0.1, 0.7, 0.1, 0.1),
    "kind_aircraft_likely": (0.1, 0.1, 0.7, 0.1),
    "kind_clutter_likely": (0.1, 0.1, 0.1, 0.7),
}


def judged(
    subject: Subject | None = None,
    *permits: Permit,
    zone: Zone | None = None,
    policy: VerdictPolicy = POLICY,
    terrain: Terrain | None = TERRAIN,
    at_ns: int = NOW,
) -> Verdict:
    """The verdict with the presence that goes with it."""
    subject = subject or subject_at()
    prepared = prepare_zone(zone or zone_named())
    where = presence(subject, prepared, at_ns, terrain, HORIZON_S)
    assert where.what != GONE
    own = [prepare_permit(p) for p in permits]
    return judge(subject, prepared, where, own, terrain, policy)


def codes(verdict: Verdict) -> list[str]:
    return [reason.code for reason in verdict.reasons]


def says(verdict: Verdict, permission: Permission, *expected: str) -> bool:
    assert (verdict.permission, codes(verdict)) == (permission, list(expected))
    return True


def named(strength: Strength = Strength.CONSISTENT, **more: Any) -> Subject:
    return subject_at(identity=identity_of(SERIAL, strength), **more)


def crewed(strength: Strength = Strength.CONSISTENT, **more: Any) -> Subject:
    plain = {"kinds": (0.01, 0.0, 0.99, 0.0)} | more
    claimed = {"scheme": ADSB, "crewed": plain.pop("crewed", None)}
    return subject_at(identity=identity_of("4D0123", strength, **claimed), **plain)


# -- what it is ---------------------------------------------------------------------------


@pytest.mark.parametrize("stated", [None, True])
@pytest.mark.parametrize("strength", [Strength.CONSISTENT, Strength.AUTHENTICATED])
def test_a_crewed_aircraft_that_was_checked_is_not_subject(
    strength: Strength, stated: bool | None
) -> None:
    verdict = judged(crewed(strength, crewed=stated))
    assert says(verdict, OUT, "crewed_aircraft")
    assert verdict.strength is strength


def test_a_crewed_claim_that_nothing_confirms_decides_only_by_the_sites_policy() -> None:
    unchecked = crewed(Strength.BROADCAST_ONLY)
    assert says(judged(unchecked), OPEN, "crewed_claim_unchecked")
    lax = replace(POLICY, broadcast_only_counts=True)
    assert says(judged(unchecked, policy=lax), OUT, "crewed_aircraft")
    lies = crewed(Strength.INCONSISTENT)
    assert says(judged(lies, policy=lax), OPEN, "crewed_claim_unchecked")


@pytest.mark.parametrize("strength", [Strength.BROADCAST_ONLY, Strength.CONSISTENT])
def test_adsb_on_a_thing_measured_to_be_a_drone_is_a_conflict(strength: Strength) -> None:
    odds = (0.6, 0.0, 0.4, 0.0)
    assert says(judged(crewed(strength, kinds=odds, taken_for_drone=True)), OPEN, "kind_conflict")
    quiet = judged(crewed(Strength.CONSISTENT, kinds=odds, taken_for_drone=False))
    assert says(quiet, OUT, "crewed_aircraft")


def test_adsb_that_says_it_is_uncrewed_is_judged_as_a_drone() -> None:
    drone = crewed(crewed=False, kinds=(0.99, 0.0, 0.01, 0.0))
    assert says(judged(drone), NO, "no_permit_for_aircraft")
    assert says(judged(drone, permit_named(serials=("4d0123",))), YES, "permit_holds")


def test_remote_id_never_makes_a_crewed_aircraft() -> None:
    posing = subject_at(identity=identity_of(SERIAL, crewed=True))
    assert says(judged(posing), NO, "no_permit_for_aircraft")


@pytest.mark.parametrize(("code", "kinds"), LIKELY.items())
def test_what_is_not_surely_a_drone_is_undetermined(
    code: str, kinds: tuple[float, float, float, float]
) -> None:
    assert says(judged(subject_at(kinds=kinds)), OPEN, code)
    assert says(judged(named(kinds=kinds), permit_named()), OPEN, code)
    assert says(judged(subject_at(kinds=kinds, kind_known=False)), OPEN, "kind_unknown")


def test_a_drone_is_what_is_taken_for_one_whatever_the_odds_of_the_moment() -> None:
    odds = (0.6, 0.4, 0.0, 0.0)
    assert says(judged(subject_at(kinds=odds, taken_for_drone=True)), NO, "no_permit_here")
    assert says(judged(subject_at(kinds=odds, taken_for_drone=False)), OPEN, "kind_drone_likely")


def test_a_contradicted_claim_alone_proves_nothing() -> None:
    phantom = named(Strength.INCONSISTENT, measured=False)
    assert says(judged(phantom, permit_named()), OPEN, "claim_inconsistent")
    ghost_plane = crewed(Strength.INCONSISTENT, measured=False)
    assert says(judged(ghost_plane), OPEN, "claim_inconsistent")


def test_an_open_zone_permits_whatever_it_is_but_a_crewed_aircraft_stays_not_subject() -> None:
    free = zone_named(restriction=Restriction.NO_RESTRICTION)
    assert says(judged(zone=free), YES, "zone_open")
    for kinds in LIKELY.values():
        assert says(judged(subject_at(kinds=kinds), zone=free), YES, "zone_open")
    unknown = subject_at(kinds=(0.1, 0.4, 0.1, 0.4), kind_known=False)
    assert says(judged(unknown, zone=free), YES, "zone_open")
    assert says(judged(crewed(), zone=free), OUT, "crewed_aircraft")


# -- permits ------------------------------------------------------------------------------


def test_a_permit_that_names_it_here_and_now_holds() -> None:
    verdict = judged(named(), permit_named())
    assert says(verdict, YES, "permit_holds")
    assert (verdict.permit_id, verdict.strength) == ("P1", Strength.CONSISTENT)
    assert says(judged(named(), permit_named(state=PermitState.ACTIVATED)), YES, "permit_holds")
    assert says(judged(named(Strength.AUTHENTICATED), permit_named()), YES, "permit_holds")


def test_an_identity_that_is_only_broadcast_counts_by_the_sites_policy() -> None:
    verdict = judged(named(Strength.BROADCAST_ONLY), permit_named())
    assert says(verdict, OPEN, "identity_broadcast_only")
    assert verdict.permit_id == "P1"
    lax = replace(POLICY, broadcast_only_counts=True)
    assert says(judged(named(Strength.BROADCAST_ONLY), permit_named(), policy=lax), YES,
                "permit_holds")  # fmt: skip


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"authority_id": COUNTRY}, "permit_not_for_zone"),
        ({"zones": (ZoneId("Z2"),)}, "permit_not_for_zone"),
        ({"zones": ()}, "permit_not_for_zone"),
        ({"authority_id": COUNTRY, "zones": (), "exemption_class": "police"},
         "permit_not_for_zone"),
        ({"zones": (ZoneId("Z2"),), "exemption_class": "police"}, "permit_not_for_zone"),
        ({"serials": ("ANOTHER",)}, "no_permit_for_aircraft"),
        ({"state": PermitState.REVOKED}, "permit_revoked"),
        ({"state": PermitState.SUSPENDED}, "permit_suspended"),
        ({"state": PermitState.ENDED}, "permit_ended"),
        ({"state": PermitState.EXPIRED}, "permit_ended"),
        ({"state": PermitState.SUBMITTED}, "permit_not_granted"),
        ({"state": PermitState.DRAFT}, "permit_not_granted"),
        ({"state": PermitState.REFUSED}, "permit_not_granted"),
        ({"volumes": ()}, "permit_outside"),
        ({"volumes": (Volume4D(volume((900.0, 0.0, 0.0)), None, None),)}, "permit_outside"),
        ({"volumes": (Volume4D(volume(top_m=50.0), None, None),)}, "permit_outside"),
        ({"volumes": (Volume4D(volume(), NOW + 1, None),)}, "permit_outside"),
        ({"volumes": (Volume4D(volume(), None, NOW),)}, "permit_outside"),
    ],
)  # fmt: skip
def test_a_permit_opens_nothing_else(change: dict[str, Any], code: str) -> None:
    assert says(judged(named(), permit_named(**change)), NO, code)


def test_an_exemption_without_named_zones_opens_its_authoritys() -> None:
    exemption = permit_named(zones=(), exemption_class="police")
    assert says(judged(named(), exemption), YES, "permit_holds")
    other = zone_named("Z9", authority_id=COUNTRY)
    assert says(judged(named(), exemption, zone=other), NO, "permit_not_for_zone")


def test_a_permits_border_is_not_told_inside_from_outside() -> None:
    narrow = permit_named(volumes=(Volume4D(volume(radius_m=8.0), None, None),))
    verdict = judged(named(), narrow)  # sigma 5 m: two of them are 10 m
    assert says(verdict, OPEN, "permit_border")
    assert verdict.permit_id == "P1"
    flat = permit_named(volumes=(Volume4D(volume(top_m=105.0), None, None),))
    assert says(judged(named(), flat), OPEN, "permit_border")


def test_the_words_of_a_revoked_permit_say_which_and_why() -> None:
    revoked = permit_named(state=PermitState.REVOKED, state_why="flew over the crowd")
    words = judged(named(), revoked).reasons[0].words
    assert "P1" in words
    assert "flew over the crowd" in words


def test_the_permit_that_does_most_for_it_counts_whatever_the_order() -> None:
    far = Volume4D(volume((900.0, 0.0, 0.0)), None, None)
    ranked = [
        permit_named("P-holds"),
        permit_named("P-border", volumes=(Volume4D(volume(radius_m=8.0), None, None),)),
        permit_named("P-revoked", state=PermitState.REVOKED),
        permit_named("P-outside", volumes=(far,)),
        permit_named("P-zone", zones=(ZoneId("Z2"),)),
        permit_named("P-other", serials=("ANOTHER",)),
    ]
    wanted = ["permit_holds", "permit_border", "permit_revoked", "permit_outside",
              "permit_not_for_zone", "no_permit_for_aircraft"]  # fmt: skip
    for i, code in enumerate(wanted):
        assert codes(judged(named(), *ranked[i:])) == [code]
        assert codes(judged(named(), *reversed(ranked[i:]))) == [code]
    weak = judged(named(Strength.BROADCAST_ONLY), *ranked)
    assert codes(weak) == ["identity_broadcast_only"]
    assert codes(judged(named(Strength.BROADCAST_ONLY), *reversed(ranked))) == codes(weak)


def test_serials_are_told_apart_but_for_case_and_blanks() -> None:
    lower = subject_at(identity=identity_of(f" {SERIAL.lower()} "))
    assert says(judged(lower, permit_named()), YES, "permit_holds")
    longer = subject_at(identity=identity_of(SERIAL + "X"))
    assert says(judged(longer, permit_named()), NO, "no_permit_for_aircraft")


# -- nobody knows who it is ----------------------------------------------------------------


def test_without_a_permit_that_could_be_meant_the_name_does_not_matter() -> None:
    assert says(judged(), NO, "no_permit_here")
    young = subject_at(age_s=0.0, claim_near=True)
    assert says(judged(young), NO, "no_permit_here")
    useless = [
        permit_named(state=PermitState.REVOKED),
        permit_named(zones=(ZoneId("Z2"),)),
        permit_named(authority_id=COUNTRY),
        permit_named(volumes=(Volume4D(volume((900.0, 0.0, 0.0)), None, None),)),
        permit_named(volumes=(Volume4D(volume(), None, NOW),)),
    ]
    assert says(judged(subject_at(), *useless), NO, "no_permit_here")


def test_identity_is_pending_during_grace_and_while_a_claim_is_near() -> None:
    grace = POLICY.identity_grace_s
    young = subject_at(age_s=grace - 0.01)
    assert says(judged(young, permit_named()), OPEN, "identity_pending")
    old = subject_at(age_s=grace)
    assert says(judged(old, permit_named()), NO, "not_broadcasting")
    beside = subject_at(claim_near=True)
    assert says(judged(beside, permit_named()), OPEN, "identity_pending")


def test_silence_is_told_only_where_a_receiver_hears_and_every_permit_demands_broadcast() -> None:
    deaf = subject_at(remote_id_heard_here=False)
    assert says(judged(deaf, permit_named()), OPEN, "identity_unknown")
    mixed = (permit_named(), permit_named("P2", must_broadcast=False))
    assert says(judged(subject_at(), *mixed), OPEN, "identity_unknown")
    elsewhere = permit_named("P2", must_broadcast=False, zones=(ZoneId("Z2"),))
    assert says(judged(subject_at(), permit_named(), elsewhere), NO, "not_broadcasting")


def test_broadcasting_without_a_serial_is_not_silence() -> None:
    nameless = subject_at(identity=identity_of(None, Strength.CONSISTENT))
    assert says(judged(nameless, permit_named()), OPEN, "broadcast_without_serial")
    assert says(judged(nameless), NO, "no_permit_here")


def test_a_contradicted_identity_names_nobody() -> None:
    liar = named(Strength.INCONSISTENT)  # a measured track
    assert says(judged(liar, permit_named()), NO, "not_broadcasting")
    assert judged(liar, permit_named()).strength is Strength.INCONSISTENT


# -- the zone -----------------------------------------------------------------------------


def test_a_conditional_zone_without_a_permit_is_undetermined() -> None:
    maybe = zone_named(restriction=Restriction.CONDITIONAL)
    assert says(judged(zone=maybe), OPEN, "conditions_unmet", "no_permit_here")
    assert says(judged(named(), zone=maybe), OPEN, "conditions_unmet", "no_permit_for_aircraft")
    assert says(judged(named(), permit_named(), zone=maybe), YES, "permit_holds")


def test_authorisation_is_needed_like_a_prohibition() -> None:
    asks = zone_named(restriction=Restriction.REQ_AUTHORISATION)
    assert says(judged(zone=asks), NO, "no_permit_here")
    assert says(judged(named(), permit_named(), zone=asks), YES, "permit_holds")


def test_where_presence_is_not_known_nothing_is_forbidden_yet() -> None:
    at_border = subject_at((505.0, 0.0, 100.0))
    assert says(judged(at_border), OPEN, "presence_uncertain", "no_permit_here")
    assert says(judged(named(fix=at_border.fix), permit_named()), YES, "permit_holds")


@pytest.mark.parametrize(
    ("height", "terrain"), [(None, TERRAIN), (HeightHae(447.5), None), (HeightAmsl(400.0), None)]
)
def test_a_height_that_cannot_be_told_leaves_presence_open(
    height: HeightHae | HeightAmsl | None, terrain: Terrain | None
) -> None:
    subject = subject_at()
    blind = replace(subject, fix=replace(subject.fix, height=height))
    verdict = judged(blind, terrain=terrain)
    assert says(verdict, OPEN, "presence_uncertain", "no_permit_here")


def test_every_reason_has_words_and_every_word_a_reason() -> None:
    assert all(len(words) > 10 and words == words.strip() for words in WORDS.values())


# -- presence -----------------------------------------------------------------------------


def seen(
    place: Place, velocity: Place = (0.0, 0.0, 0.0), zone: Zone | None = None, **changes: Any
) -> Presence:
    subject = subject_at(place, velocity_mps=velocity, **changes)
    return presence(subject, prepare_zone(zone or zone_named()), NOW, TERRAIN, HORIZON_S)


def test_presence_inside_maybe_and_gone() -> None:
    assert seen((489.0, 0.0, 100.0)).what == INSIDE
    assert seen((489.0, 0.0, 100.0)).entry_in_s == 0.0
    for east in (491.0, 509.0):
        assert seen((east, 0.0, 100.0)).what == MAYBE_INSIDE
        assert seen((east, 0.0, 100.0)).entry_in_s is None
    assert seen((511.0, 0.0, 100.0)).what == GONE
    assert seen((0.0, 0.0, 289.0)).what == INSIDE
    assert seen((0.0, 0.0, 305.0)).what == MAYBE_INSIDE
    assert seen((0.0, 0.0, 311.0)).what == GONE


def test_bound_only_within_the_horizon_and_only_when_on_its_way() -> None:
    towards = seen((1_500.0, 0.0, 100.0), (-20.0, 0.0, 0.0))
    assert towards.what == BOUND
    assert towards.entry_in_s == pytest.approx(50.0, abs=1.0)
    assert towards.at_ns == NOW + seconds(towards.entry_in_s)
    assert towards.fix.sigma_horizontal_m == 0.0
    assert seen((1_500.0, 0.0, 100.0), (20.0, 0.0, 0.0)).what == GONE
    assert seen((1_500.0, 0.0, 100.0), (0.0, 20.0, 0.0)).what == GONE
    assert seen((1_740.0, 0.0, 100.0), (-20.0, 0.0, 0.0)).what == GONE
    aslant = (-20.0 * math.cos(0.262), 20.0 * math.sin(0.262), 0.0)  # near, but a long way round
    assert seen((1_600.0, 0.0, 100.0), aslant).what == GONE
    assert seen((1_480.0, 0.0, 100.0), aslant).what == BOUND
    drift = BOUND_LEAST_SPEED_MPS
    assert seen((515.0, 0.0, 100.0), (-drift, 0.0, 0.0)).what == BOUND
    assert seen((515.0, 0.0, 100.0), (-0.99 * drift, 0.0, 0.0)).what == GONE


def test_nobody_waits_for_a_bird() -> None:
    def towards(drone: float, *, known: bool = True) -> str:
        rest = 1.0 - drone
        kinds = (drone, rest, 0.0, 0.0)
        return seen((800.0, 0.0, 100.0), (-12.0, 0.0, 0.0), kinds=kinds, kind_known=known).what

    least = BOUND_LEAST_DRONE_PROBABILITY
    assert [towards(least), towards(least - 0.01)] == [BOUND, GONE]
    assert towards(0.0, known=False) == BOUND
    inside = seen((100.0, 0.0, 100.0), kinds=(0.0, 1.0, 0.0, 0.0))
    assert inside.what == INSIDE


def test_bound_beats_maybe_and_not_inside() -> None:
    assert seen((505.0, 0.0, 100.0), (-10.0, 0.0, 0.0)).what == BOUND
    assert seen((450.0, 0.0, 100.0), (10.0, 0.0, 0.0)).what == INSIDE


def test_what_may_be_inside_already_is_judged_here_and_now() -> None:
    small = Volume4D(volume(radius_m=200.0), None, None)
    later = Volume4D(volume(), NOW + seconds(1.0), None)
    subject = named(velocity_mps=(-30.0, 0.0, 0.0), fix=fix_at((220.0, 0.0, 100.0)))
    lost = replace(subject, fix=replace(subject.fix, sigma_horizontal_m=400.0))
    assert presence(lost, prepare_zone(zone_named()), NOW, TERRAIN, HORIZON_S).what == BOUND
    assert says(judged(subject, permit_named(volumes=(small,))), NO, "permit_outside")
    assert says(judged(lost, permit_named(volumes=(small,))), OPEN, "permit_border")
    assert says(judged(subject, permit_named(volumes=(later,))), NO, "permit_outside")
    assert says(judged(lost, permit_named(volumes=(later,))), NO, "permit_outside")


def test_it_may_pass_above_or_come_down_into_the_zone() -> None:
    assert seen((700.0, 0.0, 400.0), (-20.0, 0.0, 0.0)).what == GONE
    descending = seen((700.0, 0.0, 400.0), (-20.0, 0.0, -6.0))
    assert descending.what == BOUND
    assert descending.entry_in_s == pytest.approx(100.0 / 6.0, abs=1.1)


def test_a_zone_that_begins_meanwhile_counts_at_the_moment_of_entry() -> None:
    def starting(after_s: float) -> Zone:
        return zone_named(periods=(Period(NOW + seconds(after_s), None),))

    place, velocity = (700.0, 0.0, 100.0), (-20.0, 0.0, 0.0)
    assert seen(place, velocity, starting(9.0)).entry_in_s == pytest.approx(10.0, abs=1.0)
    late = seen(place, velocity, starting(15.0))
    assert late.what == BOUND
    assert late.entry_in_s == pytest.approx(15.0, abs=1.1)
    over = zone_named(periods=(Period(None, NOW + seconds(9.0)),))
    assert seen(place, velocity, over).what == GONE


def test_a_fix_moves_in_metres_and_keeps_its_reference() -> None:
    start = fix_at((0.0, 0.0, 100.0))
    there = moved(start, (300.0, -400.0, 50.0))
    true = fix_at((300.0, -400.0, 150.0))
    assert there.lat_deg == pytest.approx(true.lat_deg, abs=1e-6)  # the earth curves 3 cm
    assert there.lon_deg == pytest.approx(true.lon_deg, abs=1e-6)
    assert isinstance(there.height, HeightHae)
    assert there.height.m == pytest.approx(start.height.m + 50.0)
    assert (there.sigma_horizontal_m, there.sigma_height_m) == (0.0, 0.0)
    agl = moved(replace(start, height=HeightAgl(10.0)), (0.0, 0.0, 5.0))
    assert agl.height == HeightAgl(15.0)
    assert moved(replace(start, height=None), (0.0, 0.0, 5.0)).height is None


LITERAL_STEP_S = 0.2


def literal_entry_s(subject: Subject, zone: Zone) -> list[float]:
    """Every step of a fifth of a second at which the course lies in the zone."""
    prepared = prepare_zone(zone)
    steps = range(1, round(HORIZON_S / LITERAL_STEP_S) + 1)
    found = []
    for step in steps:
        t = step * LITERAL_STEP_S
        fix = moved(subject.fix, tuple(v * t for v in subject.velocity_mps))
        if contains(prepared, fix, NOW + seconds(t), TERRAIN) is Tri.YES:
            found.append(t)
    return found


@settings(max_examples=40, deadline=None)
@given(
    distance_m=st.floats(520.0, 2_000.0),
    bearing=st.floats(-1.0, 1.0),
    speed_mps=st.floats(3.0, 40.0),
    up_m=st.floats(20.0, 500.0),
    climb_mps=st.floats(-5.0, 5.0),
)
def test_the_entry_is_that_of_a_literal_walk(
    distance_m: float, bearing: float, speed_mps: float, up_m: float, climb_mps: float
) -> None:
    east = -speed_mps * (1.0 - bearing * bearing) ** 0.5
    subject = subject_at(
        (distance_m, 0.0, up_m), velocity_mps=(east, speed_mps * bearing, climb_mps)
    )
    subject = replace(subject, fix=replace(subject.fix, sigma_height_m=0.0))
    zone = zone_named()
    found = presence(subject, prepare_zone(zone), NOW, TERRAIN, HORIZON_S)
    literal = literal_entry_s(subject, zone)
    if found.what == BOUND:
        assert literal, "bound for a zone that it never enters"
        assert found.entry_in_s is not None
        assert -LITERAL_STEP_S <= found.entry_in_s - literal[0] <= 1.0 + LITERAL_STEP_S
    else:
        # a corner cut in less than a second, or an entry later than the search looks
        # while it flies above the zone, may go unseen; a plain entry may not
        level = climb_mps == 0.0 or (up_m < 290.0 and up_m + 60.0 * climb_mps > 10.0)
        assume(level)
        assert len(literal) * LITERAL_STEP_S <= 1.0 + LITERAL_STEP_S


# -- no data is never permission ------------------------------------------------------------

#: Anywhere, and often near the borders of the zone and of the small permit.
easts = st.one_of(st.floats(-520.0, 520.0), st.floats(190.0, 215.0), st.floats(480.0, 515.0))
places = st.tuples(easts, st.floats(-5.0, 5.0), st.floats(5.0, 320.0))
kinds = st.sampled_from([(0.99, 0.0, 0.01, 0.0), (0.96, 0.04, 0.0, 0.0), *LIKELY.values()])
permit_sets = st.lists(
    st.sampled_from(
        [
            permit_named(),
            permit_named("P2", must_broadcast=False),
            permit_named("P3", serials=("ANOTHER",)),
            permit_named(
                "P4", volumes=(Volume4D(volume(radius_m=200.0, top_m=120.0), None, None),)
            ),
            permit_named("P5", zones=(), exemption_class="police"),
            permit_named("P6", state=PermitState.REVOKED),
            permit_named("P7", volumes=(Volume4D(volume(), NOW + seconds(5.0), None),)),
        ]
    ),
    max_size=4,
    unique_by=lambda p: p.permit_id,
)
identities = st.sampled_from([None, SERIAL, "ANOTHER", "NOBODY", ""]).flatmap(
    lambda serial: st.sampled_from(list(Strength)).map(
        lambda strength: None if serial is None else identity_of(serial or None, strength)
    )
)


@settings(max_examples=200, deadline=None)
@given(
    place=places,
    kind=kinds,
    permits=permit_sets,
    identity=identities,
    scheme=st.sampled_from(list(Scheme)),
    restriction=st.sampled_from([r for r in Restriction if r is not Restriction.NO_RESTRICTION]),
    lax=st.booleans(),
    flags=st.tuples(*[st.booleans()] * 4),
    velocity=st.sampled_from([(0.0, 0.0, 0.0), (-10.0, 0.0, 0.0), (5.0, 0.0, -2.0)]),
    loss=st.sampled_from(
        ["identity", "serial", "sigma", "sigma_up", "height", "terrain", "permits", "kind",
         "strength"]
    ),
    kept=st.integers(0, 3),
)  # fmt: skip
def test_losing_information_never_makes_it_permitted(
    place: Place,
    kind: tuple[float, float, float, float],
    permits: list[Permit],
    identity: Any,
    scheme: Scheme,
    restriction: Restriction,
    lax: bool,
    flags: tuple[bool, bool, bool, bool],
    velocity: Place,
    loss: str,
    kept: int,
) -> None:
    if identity is not None:
        identity = replace(identity, claim=replace(identity.claim, scheme=scheme))
    heard, near, measured, old = flags
    full = subject_at(
        place, kinds=kind, identity=identity, remote_id_heard_here=heard, claim_near=near,
        measured=measured, age_s=60.0 if old else 1.0, velocity_mps=velocity,
    )  # fmt: skip
    poor, terrain, fewer = full, TERRAIN, permits
    if loss == "identity":
        poor = replace(full, identity=None)
    elif loss == "serial" and identity is not None:
        poor = replace(
            full, identity=replace(identity, claim=replace(identity.claim, identity=None))
        )
    elif loss == "strength" and identity is not None:
        weaker = Strength.NONE if kept % 2 else Strength.BROADCAST_ONLY
        poor = replace(full, identity=replace(identity, strength=weaker))
    elif loss == "sigma":
        poor = replace(full, fix=replace(full.fix, sigma_horizontal_m=10.0 ** (kept + 1)))
    elif loss == "sigma_up":
        poor = replace(full, fix=replace(full.fix, sigma_height_m=10.0 ** (kept + 1)))
    elif loss == "height":
        poor = replace(full, fix=replace(full.fix, height=None))
    elif loss == "terrain":
        terrain = None  # type: ignore[assignment]
    elif loss == "permits":
        fewer = permits[:kept]
    elif loss == "kind":
        poor = replace(full, kind_known=False)
    policy = replace(POLICY, broadcast_only_counts=lax)
    zone = prepare_zone(zone_named(restriction=restriction))

    def verdict(subject: Subject, ground: Any, own: list[Permit]) -> Verdict | None:
        where = presence(subject, zone, NOW, ground, HORIZON_S)
        if where.what == GONE:
            return None
        return judge(subject, zone, where, [prepare_permit(p) for p in own], ground, policy)

    before, after = verdict(full, TERRAIN, permits), verdict(poor, terrain, fewer)
    if loss == "strength" and identity is not None and identity.strength in (
        Strength.NONE, Strength.INCONSISTENT,
    ):  # fmt: skip
        return  # not a loss: nothing weaker is left
    if before is not None and before.permission is not YES:
        assert after is None or after.permission is not YES


@settings(max_examples=100, deadline=None)
@given(place=places, kind=kinds, permits=permit_sets, identity=identities, lax=st.booleans())
def test_a_permit_always_stands_behind_permitted(
    place: Place,
    kind: tuple[float, float, float, float],
    permits: list[Permit],
    identity: Any,
    lax: bool,
) -> None:
    subject = subject_at(place, kinds=kind, identity=identity)
    zone = prepare_zone(zone_named())
    where = presence(subject, zone, NOW, TERRAIN, HORIZON_S)
    assume(where.what != GONE)
    policy = replace(POLICY, broadcast_only_counts=lax)
    verdict = judge(subject, zone, where, [prepare_permit(p) for p in permits], TERRAIN, policy)
    assert verdict.reasons
    assert all(reason.code in WORDS for reason in verdict.reasons)
    if verdict.permission is YES:
        permit = next(p for p in permits if p.permit_id == verdict.permit_id)
        assert identity is not None
        assert identity.claim.identity in permit.serials
        counted = {Strength.CONSISTENT, Strength.AUTHENTICATED}
        assert verdict.strength in (counted | {Strength.BROADCAST_ONLY} if lax else counted)
