"""Zones at work: each change a version, each step a named person's, emergencies that lapse."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skykeep.codec import wire
from skykeep.core.event import Actor, ZoneChanged
from skykeep.core.geo import Circle, Volume
from skykeep.core.zone import PublishZone, Restriction, WithdrawZone, Zone, ZoneEvent, ZoneState
from skykeep.core.zone_book import (
    DUE,
    LAPSE,
    VERSIONS_HELD,
    ChangeZone,
    DeclareBan,
    ProposeZone,
    ZoneBook,
    ZoneCommand,
    ZonePolicy,
    differences,
)
from skykeep.errors import DecisionError
from skykeep.units import NS_PER_S, ZoneId

ANNA, BORIS = Actor("Anna Weber", "permit_officer"), Actor("Boris Lang", "watch_officer")
S = NS_PER_S
POLICY = ZonePolicy(confirm_within_s=3_600.0)
Z = ZoneId("Z1")


def zone_of(name: str = "Citadel", **changes: object) -> Zone:
    volume = Volume(Circle(50.0, 8.0, 500.0), None, None)
    zone = Zone(Z, name, "city", Restriction.PROHIBITED, (volume,), legal_basis="Air Act, s. 12")
    return replace(zone, **changes)  # type: ignore[arg-type]


def book_with(*commands: ZoneCommand, policy: ZonePolicy = POLICY) -> ZoneBook:
    book = ZoneBook("city", policy)
    for k, command in enumerate(commands):
        book.apply(command, k * S)
    return book


def step(event: ZoneEvent, actor: Actor = BORIS, why: str = "so decided") -> ChangeZone:
    return ChangeZone(actor, Z, event, why)


def names(book: ZoneBook, at_ns: int) -> list[str]:
    return [v.zone.name for v in book.in_force_at(at_ns)]


def test_a_ban_is_proposed_approved_by_another_and_put_into_force() -> None:
    book = book_with(ProposeZone(ANNA, zone_of(), "a visit"))
    assert [z.state for z in book.zones()] == [ZoneState.PROPOSED]
    with pytest.raises(DecisionError, match="Anna Weber proposed Z1; another person approves it"):
        book.apply(step(ZoneEvent.APPROVE, ANNA), 5 * S)
    with pytest.raises(DecisionError, match="is proposed; it cannot enter_into_force"):
        book.apply(step(ZoneEvent.ENTER_INTO_FORCE), 5 * S)
    book.apply(step(ZoneEvent.APPROVE), 6 * S)
    (said,) = book.apply(step(ZoneEvent.ENTER_INTO_FORCE), 7 * S)
    assert said == ZoneChanged(7 * S, Z, "in_force", BORIS, 1, "so decided")
    (version,) = book.versions(Z)
    assert [(s.event, s.actor.name) for s in version.steps] == [
        (ZoneEvent.PROPOSE, "Anna Weber"),
        (ZoneEvent.APPROVE, "Boris Lang"),
        (ZoneEvent.ENTER_INTO_FORCE, "Boris Lang"),
    ]
    assert names(book, 7 * S - 1) == []
    assert names(book, 7 * S) == ["Citadel"]


def test_a_site_may_let_one_person_do_both() -> None:
    alone = replace(POLICY, approver_differs=False)
    book = book_with(ProposeZone(ANNA, zone_of(), ""), step(ZoneEvent.APPROVE, ANNA), policy=alone)
    assert book.zones()[0].state is ZoneState.APPROVED


@pytest.mark.parametrize("basis", ["", "  "])
def test_nothing_is_banned_without_a_legal_basis(basis: str) -> None:
    book = book_with(ProposeZone(ANNA, zone_of(legal_basis=basis), ""))
    with pytest.raises(DecisionError, match="Z1 names no legal basis"):
        book.apply(step(ZoneEvent.APPROVE), S)
    with pytest.raises(DecisionError, match="Z1 names no legal basis"):
        ZoneBook("city", POLICY).apply(DeclareBan(ANNA, zone_of(legal_basis=basis), "now"), S)


def test_what_is_approved_for_a_date_begins_on_it() -> None:
    book = book_with(ProposeZone(ANNA, zone_of(), "", effective_ns=100 * S))
    assert book.due_ns is None
    book.apply(step(ZoneEvent.APPROVE), 5 * S)
    assert book.due_ns == 100 * S
    assert book.advance(100 * S - 1) == []
    (said,) = book.advance(100 * S)
    assert (said.state, said.actor) == ("in_force", DUE)  # type: ignore[attr-defined]
    assert book.due_ns is None


def test_what_is_approved_after_its_date_begins_at_once() -> None:
    book = book_with(ProposeZone(ANNA, zone_of(), "", effective_ns=10 * S))
    said = book.apply(step(ZoneEvent.APPROVE), 20 * S)
    assert [e.state for e in said] == ["approved", "in_force"]  # type: ignore[attr-defined]
    with pytest.raises(DecisionError, match="cannot enter into force in the past"):
        book.apply(ProposeZone(ANNA, zone_of(), "", effective_ns=10 * S), 21 * S)


def test_a_change_is_a_new_version_and_the_old_one_holds_until_it_begins() -> None:
    book = book_with(PublishZone(ANNA, zone_of()))
    wider = zone_of("Citadel and park")
    book.apply(ProposeZone(ANNA, wider, "the park too", effective_ns=50 * S), 10 * S)
    book.apply(step(ZoneEvent.APPROVE), 11 * S)
    assert [z.name for z in book.zones()] == ["Citadel"]
    said = book.advance(50 * S)
    assert [(e.version, e.state) for e in said if isinstance(e, ZoneChanged)] == [
        (1, "withdrawn"),
        (2, "in_force"),
    ]
    assert [z.name for z in book.zones()] == ["Citadel and park"]
    assert names(book, 50 * S - 1) == ["Citadel"]
    assert names(book, 50 * S) == ["Citadel and park"]
    (change,) = differences(zone_of(), wider)
    assert (change.field, change.before, change.after) == ("name", "Citadel", "Citadel and park")


def test_a_second_proposal_takes_the_place_of_the_first() -> None:
    book = book_with(
        PublishZone(ANNA, zone_of("old")),
        ProposeZone(ANNA, zone_of("first"), ""),
        ProposeZone(ANNA, zone_of("second"), ""),
    )
    states = [(v.zone.name, v.zone.state.value) for v in book.versions(Z)]
    assert states == [("old", "in_force"), ("first", "withdrawn"), ("second", "proposed")]
    book.apply(ChangeZone(BORIS, Z, ZoneEvent.WITHDRAW, "not needed", version=3), 9 * S)
    assert [z.name for z in book.zones()] == ["old"]


def test_an_emergency_ban_holds_at_once_and_lapses_unless_it_is_confirmed() -> None:
    book = book_with(DeclareBan(BORIS, zone_of(), "two drones over the citadel"))
    assert [(z.state, z.emergency) for z in book.zones()] == [(ZoneState.IN_FORCE, True)]
    assert book.due_ns == 3_600 * S
    (said,) = book.advance(3_600 * S)
    assert isinstance(said, ZoneChanged)
    assert (said.state, said.actor, said.why) == ("withdrawn", LAPSE, "nobody confirmed it in time")
    assert book.zones() == ()
    assert names(book, 3_600 * S - 1) == ["Citadel"]
    assert names(book, 3_600 * S) == []


def test_a_confirmed_emergency_ban_stays_until_it_is_withdrawn() -> None:
    book = book_with(DeclareBan(BORIS, zone_of(), "drones"), step(ZoneEvent.CONFIRM, ANNA))
    assert book.due_ns is None
    assert book.advance(10**6 * S) == []
    with pytest.raises(DecisionError, match="does not wait to be confirmed"):
        book.apply(step(ZoneEvent.CONFIRM), 8 * S)
    with pytest.raises(DecisionError, match="needs a reason"):
        book.apply(WithdrawZone(ANNA, Z, " "), 9 * S)
    book.apply(WithdrawZone(ANNA, Z, "over"), 10 * S)
    assert book.zones() == ()


def test_an_emergency_ban_replaces_no_ordinary_zone() -> None:
    book = book_with(PublishZone(ANNA, zone_of()))
    with pytest.raises(DecisionError, match="give the emergency ban its own id"):
        book.apply(DeclareBan(BORIS, zone_of("drawn at night"), "drones"), 5 * S)


def test_an_emergency_that_another_authority_published_is_not_ours_to_confirm() -> None:
    theirs = zone_of(emergency=True, authority_id="airport")
    assert book_with(PublishZone(ANNA, theirs)).due_ns is None
    assert book_with(PublishZone(ANNA, replace(theirs, authority_id="city"))).due_ns == 3_600 * S


def test_nobody_does_nothing_to_a_zone() -> None:
    with pytest.raises(DecisionError, match="named person"):
        book_with(ProposeZone(Actor(" ", "watch_officer"), zone_of(), ""))
    with pytest.raises(DecisionError, match="there is no zone Z1"):
        book_with(step(ZoneEvent.APPROVE))
    with pytest.raises(DecisionError, match="there is no version 7 of Z1"):
        book_with(PublishZone(ANNA, zone_of())).apply(
            ChangeZone(ANNA, Z, ZoneEvent.WITHDRAW, "x", version=7), S
        )


def test_old_versions_are_let_go() -> None:
    many = [PublishZone(ANNA, zone_of(str(k))) for k in range(VERSIONS_HELD + 5)]
    held = book_with(*many).versions(Z)
    assert [v.number for v in held] == list(range(6, VERSIONS_HELD + 6))


steps = st.one_of(
    st.builds(
        ProposeZone, st.just(ANNA), st.sampled_from([zone_of(n) for n in "ab"]), st.just("p"),
        st.one_of(st.none(), st.integers(0, 40).map(lambda s: s * S)),
    ),
    st.builds(PublishZone, st.just(ANNA), st.sampled_from(
        [zone_of(state=state, emergency=e) for state in ZoneState for e in (True, False)]
    )),
    st.builds(ChangeZone, st.just(BORIS), st.just(Z), st.sampled_from(ZoneEvent), st.just("why"),
              st.one_of(st.none(), st.integers(1, 4))),
    st.builds(DeclareBan, st.just(BORIS), st.just(zone_of("e", zone_id=ZoneId("E"))), st.just("w")),
    st.builds(WithdrawZone, st.just(BORIS), st.just(Z), st.just("over")),
    st.just(None),
)  # fmt: skip


@given(st.lists(steps, max_size=14))
def test_at_each_moment_one_version_of_a_zone_is_in_force_at_most(
    commands: list[ZoneCommand | None],
) -> None:
    book = ZoneBook("city", ZonePolicy(confirm_within_s=7.0))
    for k, command in enumerate(commands):
        book.advance(k * 3 * S)
        if command is None:
            saved = wire.decode(wire.encode(book.all_versions()))
            again = ZoneBook.restore("city", ZonePolicy(confirm_within_s=7.0), saved)
            assert (again.zones(), again.due_ns) == (book.zones(), book.due_ns)
            book = again
            continue
        before = book.all_versions()
        try:
            book.apply(command, k * 3 * S)
        except DecisionError:
            assert book.all_versions() == before
    for at_s in range(3 * len(commands) + 9):
        found = [v.zone.zone_id for v in book.in_force_at(at_s * S)]
        assert len(found) == len(set(found))
    now_ns = 3 * max(len(commands) - 1, 0) * S
    in_force = [z for z in book.zones() if z.state is ZoneState.IN_FORCE]
    assert [v.zone for v in book.in_force_at(now_ns)] == in_force
