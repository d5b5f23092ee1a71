from __future__ import annotations

from dataclasses import replace
from typing import Any

import cbor2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skykeep.codec.permit_card import (
    MAX_CHARACTERS,
    PREFIX,
    STATUS_VALID_S,
    Answer,
    Card,
    Gone,
    StatusList,
    base45,
    card_text,
    check,
    from_base45,
    key_id,
    read_card,
    read_status,
    signed,
    status_list,
)
from skykeep.core.geo import Circle, Polygon, Volume, Volume4D
from skykeep.core.permit import Permit, PermitState
from skykeep.errors import DecisionError, InputError
from skykeep.service.permits_card import card_key, verifier_of
from skykeep.units import NS_PER_S
from tests.reference.ed25519 import sign as slow_sign
from tests.sky import CITY, SERIAL, at, permit_named

KEY, OTHER = card_key(bytes(range(32))), card_key(bytes(32))
VERIFY = verifier_of(KEY.public)
NOW_NS = at(60.0)
NOW_S = NOW_NS / NS_PER_S


def text_of(permit: Permit, volume: int = 0, key: Any = KEY) -> str:
    return card_text(permit, volume, NOW_NS, key.public, key.sign)


def square(corners: int, **changes: Any) -> Permit:
    """A permit over a many-cornered outline."""
    ring = [(6.1 + i * 1e-4, 49.6) for i in range(corners - 1)] + [(6.1, 49.7)]
    area = Polygon(((*ring, ring[0]),))
    volume = Volume4D(Volume(area, None, None), None, at(3_600.0))
    return permit_named(volumes=(volume,), **changes)


def listed(*permits: Permit) -> StatusList:
    return read_status(status_list(CITY, permits, NOW_NS, KEY.public, KEY.sign), VERIFY)


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"AB", "BB8"), (b"Hello!!", "%69 VD92EX0"), (b"base-45", "UJCLQE7W581"),
        (b"ietf!", "QED8WEX0"),
    ],
)  # fmt: skip
def test_base45_of_rfc_9285(data: bytes, text: str) -> None:
    assert base45(data) == text
    assert from_base45(text) == data


@given(st.binary(max_size=300))
def test_base45_there_and_back(data: bytes) -> None:
    assert from_base45(base45(data)) == data


@pytest.mark.parametrize("text", ["A", "GGW", "ab8", "BBB8", ":::", "::"])
def test_garbled_base45(text: str) -> None:
    with pytest.raises(InputError, match="garbled"):
        from_base45(text)


def test_a_card_says_what_is_needed_and_no_more() -> None:
    permit = permit_named(holder="Survey Ltd, 1 Main Street")
    text = text_of(permit)
    assert len(text) <= MAX_CHARACTERS
    card = read_card(text, VERIFY)
    assert isinstance(card.area, Circle)
    assert (card.issuer, card.permit_id, card.serial_ends) == (CITY, "P1", ("0017",))
    assert (card.start_s, card.end_s) == (at(0.0) // NS_PER_S, at(3_600.0) // NS_PER_S)
    assert (card.area.radius_m, card.top) == (5_000.0, (1_000.0, 3))
    raw = from_base45(text[len(PREFIX) :])
    assert b"Survey" not in raw
    assert SERIAL.encode() not in raw


def test_a_card_is_a_cose_sign1_that_a_literal_reference_accepts() -> None:
    outer = cbor2.loads(from_base45(text_of(permit_named())[len(PREFIX) :]))
    protected, unprotected, payload, signature = outer.value
    assert (outer.tag, cbor2.loads(protected), unprotected) == (
        18, {1: -8, 4: key_id(KEY.public)}, {},
    )  # fmt: skip
    message = cbor2.dumps(["Signature1", protected, b"", payload])
    assert signature == slow_sign(bytes(range(32)), message)


def test_valid_not_now_not_here_revoked_unknown() -> None:
    permit = permit_named()
    card, status = read_card(text_of(permit), VERIFY), listed(permit)
    here = (49.61, 6.13)
    assert check(card, status, NOW_S, here) == (Answer.VALID, "")
    assert check(card, status, NOW_S, None) == (Answer.VALID, "the place was not checked")
    assert check(card, status, card.start_s - 1, here)[0] is Answer.NOT_NOW
    assert check(card, status, card.end_s, here)[0] is Answer.NOT_NOW
    assert check(card, status, NOW_S, (49.7, 6.13))[0] is Answer.NOT_HERE
    assert check(card, None, NOW_S, here)[0] is Answer.UNKNOWN
    assert check(card, replace(status, issuer="country"), NOW_S, here)[0] is Answer.UNKNOWN
    old = replace(status, until_s=int(NOW_S) - 1)
    assert check(card, old, NOW_S, here)[0] is Answer.UNKNOWN
    for state, words in (
        (PermitState.REVOKED, "it was revoked"),
        (PermitState.SUSPENDED, "it was suspended"),
        (PermitState.ENDED, "it was ended"),
    ):
        gone = listed(replace(permit, state=state))
        assert check(card, gone, NOW_S, here) == (Answer.REVOKED, words)


def test_what_is_not_signed_by_the_authority_is_nothing() -> None:
    text = text_of(permit_named())
    with pytest.raises(InputError, match="not signed"):
        read_card(text_of(permit_named(), key=OTHER), VERIFY)
    raw = bytearray(from_base45(text[len(PREFIX) :]))
    for i in range(len(raw)):
        raw[i] ^= 1
        with pytest.raises(InputError):
            read_card(PREFIX + base45(bytes(raw)), VERIFY)
        raw[i] ^= 1
    assert read_card(text, VERIFY).permit_id == "P1"


@settings(max_examples=40)
@given(st.text(max_size=40) | st.binary(max_size=120).map(base45))
def test_no_text_crashes_it(text: str) -> None:
    with pytest.raises(InputError):
        read_card(PREFIX + text, VERIFY)


@given(
    st.recursive(
        st.none() | st.integers(-5, 5) | st.text(max_size=3) | st.binary(max_size=3),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.integers(-2, 8), inner),
        max_leaves=8,
    )
)
def test_no_signed_nonsense_crashes_it(value: Any) -> None:
    readers = (lambda d: read_card(PREFIX + base45(d), VERIFY), lambda d: read_status(d, VERIFY))
    for whole in (value, {1: "a", 4: 5, 6: 4, 7: "x", -65_537: value}):
        data = signed(cbor2.dumps(whole), KEY.public, KEY.sign)
        for read in readers:
            try:
                assert isinstance(read(data), Card | StatusList)
            except InputError:
                continue


def test_an_outline_that_does_not_fit_is_never_made_wider() -> None:
    card = read_card(text_of(square(4)), VERIFY)
    assert isinstance(card.area, Polygon)
    assert card.area.rings[0][0] == pytest.approx((6.1, 49.6))
    card = read_card(text_of(square(80)), VERIFY)
    assert card.area is None
    status = listed()
    assert check(card, status, NOW_S, (49.65, 6.101))[0] is Answer.UNKNOWN
    assert check(card, status, NOW_S, (49.5, 6.101))[0] is Answer.NOT_HERE
    outer, hole = square(4).volumes[0].volume.area, ((6.1001, 49.61),) * 4
    assert isinstance(outer, Polygon)
    holed = Polygon((*outer.rings, hole))
    volume = replace(square(4).volumes[0], volume=Volume(holed, None, None))
    assert read_card(text_of(replace(square(4), volumes=(volume,))), VERIFY).area is None


def test_what_gets_no_card() -> None:
    for state in (PermitState.REVOKED, PermitState.SUBMITTED, PermitState.PROVISIONAL):
        with pytest.raises(DecisionError, match="gets no card"):
            text_of(permit_named(state=state))
    endless = replace(permit_named().volumes[0], end_ns=None)
    with pytest.raises(InputError, match="no end"):
        text_of(permit_named(volumes=(endless,)))
    with pytest.raises(InputError, match="characters"):
        text_of(permit_named(serials=tuple(f"SKV18SRV{i:05d}" for i in range(40))))
    with pytest.raises(InputError, match="the permit has 1"):
        text_of(permit_named(), 1)


def test_the_status_list_names_what_a_card_may_still_claim() -> None:
    over = replace(permit_named().volumes[0], end_ns=NOW_NS)
    status = listed(
        permit_named("A", state=PermitState.REVOKED),
        permit_named("B"),
        permit_named("C", state=PermitState.REVOKED, volumes=(over,)),
        permit_named("D", state=PermitState.REFUSED),
        permit_named("E", state=PermitState.EXPIRED),
    )
    assert status.gone == {"A": Gone.REVOKED, "E": Gone.EXPIRED}
    assert status.until_s - status.issued_s == STATUS_VALID_S
