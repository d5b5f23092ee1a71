"""Claims against measurements: what becomes consistent, what is contradicted, what is ignored."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skykeep.core.claims import REPLAYED, SPEED_MISFIT
from skykeep.core.displacement import AGE_MOST_S, FITS, MEMORY_MOST_S, PARTS, WINDOW_S
from skykeep.core.event import Strength
from skykeep.core.geo import HeightAmsl
from skykeep.core.identity import (
    CLAIM_DISPLACED,
    CLAIM_LIMIT,
    CLAIM_UNMATCHED,
    COMPARE_SIGMA_M,
    COMPARE_WITHIN_M,
    ENOUGH,
    MATCHES,
    STRETCH_NS,
    TWO_PLACES,
    TWO_PLACES_NS,
    UNCHECKED,
    UNMATCHED_NS,
    ClaimBook,
    ClaimTrack,
    Outcome,
    is_twin,
)
from skykeep.core.observation import Claim, Scheme
from skykeep.core.track.tracker import Confirmed
from skykeep.units import NS_PER_S
from tests.sky import NOWHERE, SERIAL, Place, at, claim_of, claimed_at, confirmed, engine, plots
from tests.sky import claims as broadcast

HONEST, SPOOF = claim_of(transmitter="aa"), claim_of(transmitter="bb")
NOTHING = confirmed(0.0, [])


def hear(
    book: ClaimBook,
    second: float,
    place: Place,
    measured: Confirmed = NOTHING,
    claim: Claim = HONEST,
    **changes: Any,
) -> int:
    changes = {"velocity_mps": (NOWHERE,) * 3, **changes}
    return book.receive(claim, claimed_at(second, place, **changes), measured)


def settle(
    book: ClaimBook, second: float, measured: Confirmed = NOTHING, *, viewed: bool = True
) -> list[int]:
    return book.settle(at(second), measured, dict.fromkeys(book.tracks, 1.0) if viewed else {})


def codes(track: ClaimTrack) -> list[str]:
    return [reason.code for reason in track.reasons]


def drone_at(second: float) -> Place:
    """Flies east at 10 m/s, 100 m up."""
    return (10.0 * second, 200.0, 100.0)


def measured_at(second: float, *more: Place) -> Confirmed:
    return confirmed(second, [drone_at(second), *more], velocity=(10.0, 0.0, 0.0))


def shifted(place: Place, east_m: float = 0.0, north_m: float = 0.0, up_m: float = 0.0) -> Place:
    return (place[0] + east_m, place[1] + north_m, place[2] + up_m)


def fly(
    book: ClaimBook, seconds: range, east_m: float = 0.0, claim: Claim = HONEST, up_m: float = 0.0
) -> ClaimTrack:
    """Claims off by so much each second beside a measured track; the last one heard."""
    number = 0
    for second in seconds:
        measured = measured_at(second)
        place = shifted(drone_at(second), east_m, up_m=up_m)
        number = hear(book, second, place, measured, claim)
        settle(book, second, measured)
    return book.tracks[number]


# -- held against measurements -------------------------------------------------------------


def test_an_honest_claim_is_consistent_after_enough_comparisons_and_not_before() -> None:
    book = ClaimBook()
    early = fly(book, range(1, ENOUGH))
    assert (early.strength, codes(early)) == (Strength.BROADCAST_ONLY, [UNCHECKED])
    track = fly(book, range(ENOUGH, ENOUGH + 1))
    assert (track.strength, codes(track), track.bound) == (Strength.CONSISTENT, [MATCHES], 1)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_honest_errors_stay_consistent(seed: int) -> None:
    rng = np.random.default_rng(seed)
    book, strengths = ClaimBook(), []
    for second in range(1, 31):
        measured = measured_at(second)
        measured.x[0, :3] += rng.normal(0.0, 6.0, 3)
        off = rng.normal(0.0, 4.0, 3)
        place = shifted(drone_at(second), *(float(v) for v in off))
        number = hear(book, second, place, measured)
        settle(book, second, measured)
        strengths.append(book.tracks[number].strength)
    assert set(strengths[ENOUGH:]) == {Strength.CONSISTENT}


def test_a_claim_75_m_beside_its_track_is_found_inconsistent() -> None:
    book = ClaimBook()
    track = fly(book, range(1, 11), 75.0)
    assert track.strength is Strength.BROADCAST_ONLY
    track = fly(book, range(11, 13), 75.0)
    assert (track.strength, codes(track)) == (Strength.INCONSISTENT, [CLAIM_DISPLACED])
    assert "75 m" in track.reasons[0].words
    assert track.bound == 0


def test_a_height_that_does_not_fit_counts_only_where_both_are_above_the_ellipsoid() -> None:
    book = ClaimBook()
    assert fly(book, range(1, 15), up_m=80.0).strength is Strength.INCONSISTENT
    book = ClaimBook()
    for second in range(1, 6):
        measured = measured_at(second)
        place = shifted(drone_at(second), up_m=80.0)
        number = hear(book, second, place, measured, height=HeightAmsl(99.0))
        settle(book, second, measured)
    assert book.tracks[number].strength is Strength.CONSISTENT


def test_a_claim_is_compared_at_its_own_time() -> None:
    book = ClaimBook()
    for second in range(1, 6):  # heard 1.5 s after the track's last plot
        measured = measured_at(second)
        number = hear(book, second + 1.5, drone_at(second + 1.5), measured)
        settle(book, second + 1.5, measured)
    assert book.tracks[number].strength is Strength.CONSISTENT


def test_a_claim_may_lag_behind_by_its_age_and_no_more_and_never_run_ahead() -> None:
    for speed, off_m, strength in (
        (60.0, -60.0, Strength.CONSISTENT),
        (60.0, -100.0, Strength.BROADCAST_ONLY),
        (60.0, 60.0, Strength.BROADCAST_ONLY),
        (0.0, -60.0, Strength.BROADCAST_ONLY),
    ):
        book = ClaimBook()
        for second in range(1, 6):
            place = (speed * second, 0.0, 100.0)
            measured = confirmed(second, [place], velocity=(speed, 0.0, 0.0))
            number = hear(book, second, shifted(place, off_m), measured)
            settle(book, second, measured)
        assert book.tracks[number].strength is strength


def test_in_view_without_any_track_it_is_contradicted_and_out_of_view_it_is_not() -> None:
    book, blind = ClaimBook(), ClaimBook()
    for second in range(1, 13):
        for each, viewed in ((book, True), (blind, False)):
            number = hear(each, second, drone_at(second))
            settle(each, second, viewed=viewed)
        waited = at(second) - at(1) >= UNMATCHED_NS
        expected = Strength.INCONSISTENT if waited else Strength.BROADCAST_ONLY
        assert book.tracks[number].strength is expected
    assert codes(book.tracks[1]) == [CLAIM_UNMATCHED]
    assert codes(blind.tracks[1]) == [UNCHECKED]


def test_what_was_contradicted_stays_so_out_of_view_until_something_fits() -> None:
    book = ClaimBook()
    fly(book, range(1, 13), 75.0)
    for second in range(13, 20):
        hear(book, second, drone_at(second))
        settle(book, second, viewed=False)
        assert book.tracks[1].strength is Strength.INCONSISTENT
    track = fly(book, range(20, 36))
    assert track.strength is Strength.CONSISTENT
    assert not track.contradicted


def test_silence_about_a_claim_is_no_contradiction() -> None:
    book = ClaimBook()
    hear(book, 1.0, drone_at(1))
    settle(book, 40.0)  # nothing was claimed meanwhile that could have been missed
    assert book.tracks[1].strength is Strength.BROADCAST_ONLY


def test_after_a_silence_a_track_that_fits_so_far_is_waited_for() -> None:
    book = ClaimBook()
    hear(book, 1.0, drone_at(1), measured_at(1))
    for second in (30, 31, 32):
        measured = measured_at(second)
        hear(book, second, drone_at(second), measured)
        settle(book, second, measured)
        assert book.tracks[1].strength is not Strength.INCONSISTENT
    assert book.tracks[1].strength is Strength.CONSISTENT


def test_a_bond_breaks_when_the_two_part_and_the_track_is_named() -> None:
    book = ClaimBook()
    assert fly(book, range(1, 6)).bound == 1
    parted: list[int] = []
    for second in range(6, 16):
        measured = measured_at(second)
        away = shifted(drone_at(second), north_m=20.0 * (second - 5))
        hear(book, second, away, measured)
        parted += settle(book, second, measured)
    assert parted == [1]
    assert book.tracks[1].bound == 0
    assert book.tracks[1].broke


def test_a_bond_breaks_later_than_it_is_made() -> None:
    def off_by(off_m: float, bonded: bool) -> ClaimTrack:
        """Off by so much, hovering, from the start or after ten seconds of truth."""
        book = ClaimBook()
        for second in range(1, 40):
            exact = second <= 10 and bonded
            measured = confirmed(second, [(0.0, 0.0, 100.0)])
            number = hear(book, second, (0.0 if exact else off_m, 0.0, 100.0), measured)
            settle(book, second, measured)
        return book.tracks[number]

    # A covariance that does not tell how long errors last: 20 s, so that 16 comparisons a
    # second apart are worth 1.37.
    keep = math.exp(-1.0 / MEMORY_MOST_S)
    worth = 1.0 + 15.0 * (1.0 - keep) / (1.0 + keep)
    sigma_m = math.hypot(6.0 / math.sqrt(worth), 4.0)
    between = 30.8  # three comparisons are worth 1.05, and then it is beyond what fits
    assert math.hypot(6.0 / math.sqrt(1.05), 4.0) * math.sqrt(2.0 * FITS) < between
    assert between < sigma_m * math.sqrt(2.0 * PARTS)
    assert off_by(between, bonded=True).strength is Strength.CONSISTENT
    assert off_by(between, bonded=False).bound == 0
    assert off_by(0.9 * between, bonded=False).bound == 1


def test_a_lost_track_frees_its_claim_and_breaks_nothing() -> None:
    book = ClaimBook()
    fly(book, range(1, 6))
    assert settle(book, 6.0) == [1]
    track = book.tracks[1]
    assert (track.bound, track.broke, track.windows) == (0, False, {})
    assert track.strength is Strength.BROADCAST_ONLY


def test_vague_tracks_and_far_ones_are_not_compared() -> None:
    vague = confirmed(1.0, [drone_at(1)], sigma_m=COMPARE_SIGMA_M * 1.01)
    clear = confirmed(1.0, [drone_at(1)], sigma_m=COMPARE_SIGMA_M * 0.99)
    for measured, compared in ((vague, False), (clear, True)):
        book = ClaimBook()
        hear(book, 1.0, drone_at(1), measured)
        assert bool(book.tracks[1].windows) is compared
    for off_m, compared in ((COMPARE_WITHIN_M + 1, False), (COMPARE_WITHIN_M - 1, True)):
        book = ClaimBook()
        hear(book, 1.0, shifted(drone_at(1), north_m=off_m), measured_at(1))
        assert bool(book.tracks[1].windows) is compared


def test_a_bond_is_watched_also_while_its_track_is_vague() -> None:
    for north_m, bound in ((0.0, 1), (60.0, 0)):
        book = ClaimBook()
        assert fly(book, range(1, 6)).bound == 1
        for second in range(6, 16):
            vague = confirmed(second, [drone_at(second)], sigma_m=COMPARE_SIGMA_M * 1.1)
            away = shifted(drone_at(second), north_m=north_m * (second - 5))
            hear(book, second, away, vague)
            settle(book, second, vague)
        assert book.tracks[1].bound == bound


def test_the_window_forgets() -> None:
    book = ClaimBook()
    for second in range(1, 41):
        hear(book, second, drone_at(second), measured_at(second))
    assert len(book.tracks[1].windows[1]) == WINDOW_S + 1


def test_of_two_near_tracks_the_better_fit_is_bound_and_one_serial_holds_a_track() -> None:
    book = ClaimBook()
    other = claim_of("SKV28PLC00007", "cc")
    for second in range(1, 6):
        own = drone_at(second)
        measured = measured_at(second, shifted(own, north_m=20.0))
        first = hear(book, second, shifted(own, north_m=3.0), measured)
        second_number = hear(book, second, shifted(own, north_m=4.0), measured, other)
        settle(book, second, measured)
    assert book.tracks[first].bound == 1
    assert book.tracks[second_number].bound != 1


# -- one serial in two places ---------------------------------------------------------------


def two_transmitters(spoofed: Place, seconds: range, measured_too: bool = False) -> ClaimBook:
    """The honest one beside its track, a second transmitter with the same serial elsewhere."""
    book = ClaimBook()
    for second in seconds:
        measured = measured_at(second, *([spoofed] if measured_too else []))
        measured.x[1:, 3:] = 0.0
        hear(book, second, drone_at(second), measured)
        hear(book, second, spoofed, measured, SPOOF)
        settle(book, second, measured)
        assert measured_too or book.tracks[2].strength is not Strength.CONSISTENT
    return book


def test_a_serial_in_two_places_is_flagged_on_both_and_only_the_measured_one_is_consistent() -> (
    None
):
    book = two_transmitters((2_000.0, 0.0, 100.0), range(1, 14))
    honest, spoofed = book.tracks[1], book.tracks[2]
    assert (honest.strength, codes(honest)) == (Strength.CONSISTENT, [MATCHES, TWO_PLACES])
    assert (spoofed.strength, codes(spoofed)) == (
        Strength.INCONSISTENT,
        [CLAIM_UNMATCHED, TWO_PLACES],
    )
    assert "1881 m" in spoofed.reasons[-1].words


def test_where_both_fit_a_track_neither_is_more_than_broadcast() -> None:
    book = two_transmitters((2_000.0, 0.0, 100.0), range(1, 8), measured_too=True)
    assert [t.bound for t in book.tracks.values()] == [1, 2]
    for track in book.tracks.values():
        assert track.strength is Strength.BROADCAST_ONLY
        assert codes(track) == [MATCHES, TWO_PLACES]


def test_the_flag_ends_when_the_other_place_has_long_been_silent() -> None:
    book = two_transmitters((2_000.0, 0.0, 100.0), range(1, 6))
    last = 5 + TWO_PLACES_NS // NS_PER_S
    for second in range(6, last + 2):
        measured = measured_at(second)
        hear(book, second, drone_at(second), measured)
        settle(book, second, measured)
        flagged = TWO_PLACES in codes(book.tracks[1])
        assert flagged is (second <= last)


def test_the_same_serial_close_by_is_one_aircraft_heard_twice() -> None:
    book = ClaimBook()
    for second in range(1, 6):
        measured = measured_at(second)
        hear(book, second, drone_at(second), measured)
        hear(book, second, shifted(drone_at(second), 5.0), measured, SPOOF)
        settle(book, second, measured)
    first, twin = book.tracks.values()
    assert (first.strength, twin.strength) == (Strength.CONSISTENT, Strength.CONSISTENT)
    assert codes(first) == [MATCHES]
    named = book.by_identity()
    assert is_twin(twin, named)
    assert not is_twin(first, named)


def test_nameless_transmitters_are_never_two_places_or_twins() -> None:
    book = ClaimBook()
    for second in range(1, 4):
        hear(book, second, drone_at(second), claim=claim_of(None, "aa"))
        hear(book, second, shifted(drone_at(second), 2_000.0), claim=claim_of(None, "bb"))
    settle(book, 3.0)
    assert [codes(t) for t in book.tracks.values()] == [[UNCHECKED], [UNCHECKED]]
    named = book.by_identity()
    assert not any(is_twin(t, named) for t in book.tracks.values())


# -- which claims belong together -----------------------------------------------------------


def test_the_static_part_may_come_later_and_stays() -> None:
    book = ClaimBook()
    hear(book, 1.0, drone_at(1), claim=claim_of(None))
    hear(book, 2.0, drone_at(2), claim=claim_of(operator_id="OP1", category="open"))
    hear(book, 3.0, drone_at(3), claim=claim_of(None, airborne=True))
    (track,) = book.tracks.values()
    known = track.claim
    assert (known.identity, known.operator_id, known.category) == (SERIAL, "OP1", "open")
    assert known.airborne is True


def test_another_serial_transmitter_or_scheme_is_another_aircraft() -> None:
    book = ClaimBook()
    numbers = [
        hear(book, 1.0, drone_at(1), claim=claim)
        for claim in (
            HONEST,
            claim_of("SKV28PLC00007", "aa"),
            SPOOF,
            claim_of(transmitter="aa", scheme=Scheme.ADSB),
        )
    ]
    assert numbers == [1, 2, 3, 4]


def test_late_and_doubled_claims_are_ignored() -> None:
    book = ClaimBook()
    measured = measured_at(2)
    assert hear(book, 2.0, drone_at(2), measured) == 1
    before = book.snapshot()
    assert hear(book, 1.0, drone_at(1), measured) == 0
    for _ in range(10):
        assert hear(book, 2.0, drone_at(2), measured) == 0
    book.tracks[1].habits = before.tracks[0].habits
    assert book.snapshot() == before


def test_a_doubled_claim_without_a_velocity_is_still_the_same_claim() -> None:
    book = ClaimBook()
    measured = measured_at(2)
    for expected in (1, 0, 0, 0):
        unknown = (float("nan"), float("nan"), float("nan"))
        assert hear(book, 2.0, drone_at(2), measured, velocity_mps=unknown) == expected
    assert len(book.tracks[1].windows[1]) == 1


def test_silence_of_a_minute_starts_a_new_stretch() -> None:
    book = ClaimBook()
    hear(book, 1.0, drone_at(1))
    assert hear(book, 1.0 + STRETCH_NS / NS_PER_S, drone_at(1)) == 1
    assert hear(book, 2.0 + 2 * STRETCH_NS / NS_PER_S, drone_at(1)) == 2
    settle(book, 2.0 + 2 * STRETCH_NS / NS_PER_S)
    assert list(book.tracks) == [2]


def far(second: float) -> Place:
    return shifted(drone_at(second), 3_000.0)


def test_a_single_jump_is_rejected() -> None:
    book = ClaimBook()
    for second in range(1, 10):
        hear(book, second, far(second) if second in (4, 7) else drone_at(second))
    (track,) = book.tracks.values()
    assert track.state.east_m == 90.0
    settle(book, 9.0)
    assert codes(track) == [UNCHECKED]


def test_a_jump_is_what_no_aircraft_of_the_kind_can_fly() -> None:
    for scheme, fast, too_fast in ((Scheme.REMOTE_ID, 95.0, 160.0), (Scheme.ADSB, 320.0, 400.0)):
        for speed, stays in ((fast, True), (too_fast, False)):
            book = ClaimBook()
            claim = claim_of(scheme=scheme)
            hear(book, 0.0, (0.0, 0.0, 100.0), claim=claim)
            hear(book, 10.0, (10.0 * speed, 0.0, 100.0), claim=claim)
            assert (book.tracks[1].state.east_m != 0.0) is stays


def test_a_jump_that_goes_on_is_where_it_is_now() -> None:
    book = ClaimBook()
    fly(book, range(1, 6))
    assert book.tracks[1].bound == 1
    for second in range(6, 9):
        hear(book, second, far(second), measured_at(second))
        settle(book, second, measured_at(second))
    (track,) = book.tracks.values()
    assert track.state.east_m == far(8)[0]
    assert track.bound == 0  # what held there says nothing of here


def test_two_places_told_in_turn_become_two_tracks() -> None:
    book = ClaimBook()
    for second in range(1, 8):
        hear(book, second, drone_at(second))
        hear(book, second + 0.5, far(second))
    settle(book, 8.0)
    one, other = book.tracks.values()
    assert one.state.east_m == drone_at(7)[0]
    assert other.state.east_m == far(7)[0]
    assert TWO_PLACES in codes(one)
    assert TWO_PLACES in codes(other)


def test_one_jump_told_thrice_is_still_one_jump() -> None:
    book = ClaimBook()
    hear(book, 1.0, drone_at(1))
    for _ in range(5):
        hear(book, 2.0, far(2))
    (track,) = book.tracks.values()
    assert track.state.east_m == drone_at(1)[0]


def test_more_claims_than_the_limit_shed_the_longest_silent() -> None:
    book = ClaimBook()
    for i in range(CLAIM_LIMIT):
        hear(book, 1.0 if i == 7 else 2.0, drone_at(1), claim=claim_of(f"S{i}", f"t{i}"))
    assert (len(book.tracks), book.shed) == (CLAIM_LIMIT, 0)
    hear(book, 3.0, drone_at(1), claim=claim_of("NEW", "new"))
    assert (len(book.tracks), book.shed) == (CLAIM_LIMIT, 1)
    assert 8 not in book.tracks


# -- the book as values -----------------------------------------------------------------------


def test_a_snapshot_shares_nothing_with_the_book() -> None:
    book = ClaimBook()
    fly(book, range(1, 6))
    hear(book, 6.0, far(6), measured_at(6))
    saved = book.snapshot()
    kept = ClaimBook.restore(saved).snapshot()
    restored = ClaimBook.restore(saved)
    for each in (book, restored):
        for second in range(7, 12):
            hear(each, second, far(second), measured_at(second))
            settle(each, second, measured_at(second))
    assert saved == kept
    assert book.snapshot() == restored.snapshot()
    assert book.snapshot() != saved


@settings(max_examples=25, deadline=None)
@given(
    offsets=st.lists(
        st.tuples(st.floats(-3e3, 3e3), st.floats(-3e3, 3e3), st.floats(-100.0, 500.0)),
        min_size=6,
        max_size=6,
    ),
    scheme=st.sampled_from(list(Scheme)),
)
def test_claims_never_move_measured_tracks(offsets: list[Place], scheme: Scheme) -> None:
    with_claims, without = engine(), engine()
    for second, off in enumerate(offsets, start=1):
        place = (500.0 + 5.0 * second, 0.0, 100.0)
        for each in (with_claims, without):
            each.receive(plots(second, place))
        said = (claim_of(scheme=scheme), shifted(place, *off))
        with_claims.receive(broadcast(second, said))
        for each in (with_claims, without):
            each.advance(at(second))
    moved, plain = with_claims.snapshot().timeline, without.snapshot().timeline
    assert moved == plain
    assert len(without.tracks()) == 1


def test_velocity_is_not_needed() -> None:
    book = ClaimBook()
    for second in range(1, 5):
        hear(book, second, drone_at(second), measured_at(second))
        settle(book, second, measured_at(second))
    assert book.tracks[1].strength is Strength.CONSISTENT
    known = replace(book.tracks[1].state, velocity_mps=(0.0, 0.0, 0.0))
    assert known == claimed_at(4, drone_at(4))


@pytest.mark.parametrize("scheme", list(Scheme))
def test_an_address_is_one_airframe_and_a_serial_can_be_copied(scheme: Scheme) -> None:
    book = ClaimBook()
    claim = claim_of(scheme=scheme)
    for second in range(1, 9):
        hear(book, second, drone_at(second), claim=claim)
        hear(book, second + 0.5, shifted(drone_at(second), 30_000.0), claim=claim)
    assert len(book.tracks) == (2 if scheme is Scheme.REMOTE_ID else 1)


# -- whatever is claimed ------------------------------------------------------------------------

offsets = st.floats(-300.0, 300.0)


@settings(max_examples=40, deadline=None)
@given(
    heard=st.lists(st.lists(st.tuples(offsets, offsets), min_size=3, max_size=3), max_size=8),
    turned=st.permutations(range(3)),
)
def test_the_order_in_which_transmitters_are_heard_does_not_matter(
    heard: list[list[tuple[float, float]]], turned: list[int]
) -> None:
    said = [claim_of(f"S{i}", f"t{i}") for i in range(3)]
    plain, other = ClaimBook(), ClaimBook()
    for second, places in enumerate(heard, start=1):
        measured = measured_at(second, shifted(drone_at(second), 250.0))
        for book, order in ((plain, range(3)), (other, turned)):
            for i in order:
                place = shifted(drone_at(second), *places[i])
                hear(book, second, place, measured, said[i])
            settle(book, second, measured)
    found = [
        {t.claim.identity: (t.outcome, t.reasons, t.noticeable_m) for t in book.tracks.values()}
        for book in (plain, other)
    ]
    bound = [{t.bound for t in book.tracks.values()} for book in (plain, other)]
    if bound[0] == bound[1]:  # of two that fit alike the one heard first is bound
        assert found[0] == found[1]


@settings(max_examples=40, deadline=None)
@given(
    offs=st.lists(st.tuples(offsets, offsets, st.floats(-50.0, 50.0)), min_size=1, max_size=25),
    viewed=st.booleans(),
)
def test_nothing_is_consistent_that_nobody_measured(
    offs: list[tuple[float, float, float]], viewed: bool
) -> None:
    book = ClaimBook()
    for second, (east, north, speed) in enumerate(offs, start=1):
        place = shifted(drone_at(second), east, north)
        hear(book, second, place, velocity_mps=(speed, 0.0, 0.0))
        settle(book, second, viewed=viewed)
        for track in book.tracks.values():
            assert track.outcome is not Outcome.CONSISTENT
            assert track.strength is not Strength.CONSISTENT
            assert track.noticeable_m == math.inf


@settings(max_examples=40, deadline=None)
@given(offs=st.lists(st.tuples(offsets, offsets), min_size=1, max_size=25))
def test_each_outcome_says_what_would_have_been_noticed(offs: list[tuple[float, float]]) -> None:
    book = ClaimBook()
    for second, (east, north) in enumerate(offs, start=1):
        measured = measured_at(second)
        hear(book, second, shifted(drone_at(second), east, north), measured)
        settle(book, second, measured)
        for track in book.tracks.values():
            assert track.noticeable_m > 10.0 * AGE_MOST_S  # at 10 m/s, whatever else is known
            assert track.strength is track.outcome.strength
            if math.isfinite(track.noticeable_m):
                assert f"{math.ceil(track.noticeable_m)} m or more" in track.reasons[0].words


def test_a_contradiction_of_its_own_outweighs_no_measurement_but_a_record_does() -> None:
    book = ClaimBook()
    for second in range(1, 31):
        measured = measured_at(second)
        hear(book, second, drone_at(second), measured, velocity_mps=(40.0, 0.0, 0.0))
        settle(book, second, measured)
    assert codes(book.tracks[1]) == [MATCHES, SPEED_MISFIT]
    assert book.tracks[1].outcome is Outcome.CONSISTENT
    lone = ClaimBook()
    for second in range(1, 31):
        hear(lone, second, drone_at(second), velocity_mps=(40.0, 0.0, 0.0))
        settle(lone, second, viewed=False)
    assert codes(lone.tracks[1]) == [UNCHECKED, SPEED_MISFIT]
    assert lone.tracks[1].outcome is Outcome.INCONSISTENT
    for second in range(101, 131):  # the places of the first flight, and a drone that flies there
        measured = confirmed(second, [drone_at(second - 100)], velocity=(10.0, 0.0, 0.0))
        hear(book, second, drone_at(second - 100), measured)
        settle(book, second, measured)
    (again,) = book.tracks.values()
    assert codes(again) == [MATCHES, REPLAYED]
    assert again.outcome is Outcome.INCONSISTENT
