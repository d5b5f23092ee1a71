"""Signed Remote ID through the assembler and the engine: what becomes of a good signature."""

from __future__ import annotations

from skykeep.codec.remote_id import SelfId, encode_pack
from skykeep.codec.remote_id_auth import AircraftKey, split_pages
from skykeep.core.claims import ClaimedState
from skykeep.core.event import Strength
from skykeep.core.geo import HeightHae
from skykeep.core.identity import SIGNED, ClaimBook, Outcome
from skykeep.core.observation import Claim
from skykeep.core.track.tracker import Tracker
from skykeep.feed.remote_id import MAX_CHECKS_PER_S, Assembler, Packet
from skykeep.units import NS_PER_S, SensorId
from tests.unit.codec.test_remote_id_auth import (
    AT_NS,
    BASIC,
    DRIP_KEY,
    ED_KEY,
    LOCATION,
    MESSAGES,
    RAW,
    drip,
    message_set,
    packed,
)

MAC = "02:00:00:00:00:01"


def assembler(*keys: AircraftKey) -> Assembler:
    return Assembler(SensorId("rid"), keys=keys)


def claim_of(made: Assembler, data: bytes, at_ns: int = AT_NS) -> Claim:
    batch = made.take((Packet(at_ns, MAC, data),))
    assert batch is not None
    (claim,) = batch.claims
    assert claim is not None
    return claim


def test_a_signed_pack_gives_a_signed_claim() -> None:
    pack = packed(message_set())
    assert claim_of(assembler(ED_KEY), pack).authenticated == "patrol 1"
    assert claim_of(assembler(), pack).authenticated == ""
    broken = pack[:20] + b"Z" + pack[21:]
    made = assembler(ED_KEY)
    assert claim_of(made, broken).authenticated == ""
    assert made.counts.authenticated == 0


def test_a_signature_for_another_aircraft_says_nothing_of_this_one() -> None:
    other = AircraftKey("other", ED_KEY.method, "ANOTHER-SERIAL", ED_KEY.material)
    assert claim_of(assembler(other), packed(message_set())).authenticated == ""


def test_an_unsigned_pack_after_a_signed_one_is_unsigned() -> None:
    made = assembler(ED_KEY)
    assert claim_of(made, packed(message_set())).authenticated == "patrol 1"
    moved = encode_pack([BASIC, LOCATION, SelfId(0, "y")])
    later = claim_of(made, moved, AT_NS + NS_PER_S)
    assert later.authenticated == ""


def test_single_pages_that_bring_their_evidence() -> None:
    """Bluetooth 4: page by page; the location that is signed is the one within."""
    made = assembler(DRIP_KEY)
    pages = split_pages(drip(RAW[2] + RAW[1]))
    found = [made.take((Packet(AT_NS, MAC, encode_pack([p])[3:], "bt4"),)) for p in pages]
    assert found[:-1] == [None] * (len(pages) - 1)
    assert found[-1] is not None
    claim = found[-1].claim_at(0)
    assert claim is not None
    assert (claim.authenticated, claim.identity) == ("patrol 3", BASIC.uas_id)


def test_a_flood_of_false_signatures_is_not_looked_at_for_ever() -> None:
    made = assembler(ED_KEY)
    pack = packed(message_set())
    broken = pack[:20] + b"Z" + pack[21:]
    made.take([Packet(AT_NS, f"{n}", broken) for n in range(MAX_CHECKS_PER_S + 50)])
    assert made.counts.unchecked == 50


def test_in_the_engine_a_signature_counts_unless_the_claim_contradicts_itself() -> None:
    book = ClaimBook()
    measured = Tracker().confirmed()
    claim = claim_of(assembler(ED_KEY), packed(message_set()))
    state = ClaimedState(
        AT_NS, 0.0, 0.0, 50.0, 49.6, 6.1, HeightHae(350.0), 5.0, 10.0, (0.0, 0.0, 0.0), AT_NS, "rid"
    )
    number = book.receive(claim, state, measured)
    book.settle(AT_NS, measured, {})
    track = book.tracks[number]
    assert track.identity().strength is Strength.AUTHENTICATED
    assert SIGNED in [r.code for r in track.reasons]
    track.outcome = Outcome.INCONSISTENT
    assert track.identity().strength is Strength.INCONSISTENT
    assert len(MESSAGES) == 3
