"""ADS-B from Beast and readsb's page: a place once it is beyond doubt, each once."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from skykeep.codec.beast import MLAT_TICKS
from skykeep.codec.mode_s import Cpr, encode_cpr, encode_extended
from skykeep.config import FeedSettings
from skykeep.core.geo import HeightReference
from skykeep.core.observation import Batch, Observation, SensorKind
from skykeep.feed.beast import MOST_AIRCRAFT, SIGMA_MLAT_M, BeastDecoder, PageDecoder
from skykeep.feed.inbox import Piece
from skykeep.units import NS_PER_S
from tests.sky import RECEIVER

AT_NS = 1_789_257_600_000_000_000
ADSB = replace(RECEIVER, kind=SensorKind.ADSB, lat_deg=49.6, lon_deg=6.1)
SETTINGS = FeedSettings("f", ADSB.sensor_id, "beast", "", {}, {str(ADSB.sensor_id): ADSB})
CPR_PAIR = (encode_cpr(49.61, 6.13, False), encode_cpr(49.61, 6.13, True))
#: 2500 ft with the Q bit.
FEET_2500 = (140 & 0xFF0) << 1 | 0x10 | 140 & 0xF


def squitter(cpr: Cpr, altitude: int = FEET_2500, code: int = 11) -> int:
    """The 56 bits of a position."""
    if cpr.surface:
        return 6 << 51 | cpr.odd << 34 | cpr.lat << 17 | cpr.lon
    return code << 51 | altitude << 36 | cpr.odd << 34 | cpr.lat << 17 | cpr.lon


def piece(me: int, second: float, address: str = "4d0131", ticks: int = 0) -> Piece:
    frame = b"3" + ticks.to_bytes(6, "big") + b"\x20" + encode_extended(address, me)
    return Piece(AT_NS + round(second * NS_PER_S), frame, "peer")


def rows(batches: list[Batch]) -> list[Observation]:
    return [row for batch in batches for row in batch.rows()]


def heard(*pieces: Piece, decoder: BeastDecoder | None = None) -> list[Observation]:
    made = decoder or BeastDecoder(SETTINGS)
    return rows([b for p in pieces for b in made.push([p])])


def test_two_reports_make_a_place_and_each_more_its_own() -> None:
    even, odd = CPR_PAIR
    name = 4 << 51 | 1 << 48 | int.from_bytes(b"\x30\xc3\x0c\x30\xc3\x0c", "big")
    later = encode_cpr(49.612, 6.131, False)
    found = heard(
        piece(name, 0),
        piece(squitter(even), 0.5),
        piece(squitter(odd), 1),
        piece(squitter(later), 2),
    )
    assert [row.values[:2] for row in found] == [
        pytest.approx((49.61, 6.13), abs=5e-5),
        pytest.approx((49.612, 6.131), abs=5e-5),
    ]
    assert found[0].values[2] == pytest.approx(2500 * 0.3048)
    assert found[0].height_reference is HeightReference.PRESSURE
    claim = found[0].claim
    assert claim is not None
    assert (claim.identity, claim.category, claim.crewed, claim.airborne) == (
        "4d0131", "LLLLLLLL", True, True,
    )  # fmt: skip


def test_a_pair_that_is_too_old_says_nothing() -> None:
    even, odd = CPR_PAIR
    assert heard(piece(squitter(even), 0), piece(squitter(odd), 10.5)) == []
    assert len(heard(piece(squitter(even), 0), piece(squitter(odd), 9.5))) == 1


def test_a_jump_is_doubted_until_it_has_been_said_three_times() -> None:
    decoder = BeastDecoder(SETTINGS)
    even, odd = CPR_PAIR
    assert len(heard(piece(squitter(even), 0), piece(squitter(odd), 1), decoder=decoder)) == 1
    far = [squitter(encode_cpr(50.4, 7.5, odd)) for odd in (False, True, False, True)]
    found = [heard(piece(me, 2 + k), decoder=decoder) for k, me in enumerate(far)]
    assert [len(f) for f in found] == [0, 0, 1, 1]
    assert found[2][0].values[:2] == pytest.approx((50.4, 7.5), abs=1e-4)


def test_what_no_receiver_can_hear_is_left() -> None:
    pair = [squitter(encode_cpr(-20.0, 100.0, odd)) for odd in (False, True)]
    assert heard(*(piece(me, k) for k, me in enumerate(pair))) == []


def test_on_the_ground_the_receivers_own_place_is_what_begins() -> None:
    (found,) = heard(piece(squitter(encode_cpr(49.62, 6.2, False, surface=True)), 0))
    assert found.values[:2] == pytest.approx((49.62, 6.2), abs=5e-5)
    assert found.claim is not None
    assert found.claim.airborne is False
    assert heard(piece(squitter(encode_cpr(49.62, 6.2, False, surface=True)), 0),
                 decoder=BeastDecoder(replace(SETTINGS, sensors={}))) == []  # fmt: skip


def test_velocity_is_joined_while_it_is_fresh() -> None:
    speed = 19 << 51 | 1 << 48 | 101 << 32 | 201 << 21
    even, odd = map(squitter, CPR_PAIR)
    (found,) = heard(piece(speed, 0), piece(even, 1), piece(odd, 2))
    assert found.velocity_mps[:2] == pytest.approx((100 * 0.514444, 200 * 0.514444), abs=1e-3)
    (found,) = heard(piece(speed, 0), piece(even, 9), piece(odd, 11))
    assert found.velocity_mps[0] != found.velocity_mps[0]


def test_drones_and_computed_places_are_known_for_what_they_are() -> None:
    even, odd = map(squitter, CPR_PAIR)
    drone = 3 << 51 | 6 << 48 | int.from_bytes(b"\x30\xc3\x0c\x30\xc3\x0c", "big")
    *_, last = heard(piece(drone, 0), piece(even, 1), piece(odd, 2, ticks=MLAT_TICKS))
    assert last.claim is not None
    assert last.claim.crewed is False
    assert last.sigmas[0] == SIGMA_MLAT_M


def test_hurt_messages_are_findings_and_memory_is_bounded() -> None:
    decoder = BeastDecoder(SETTINGS)
    hurt = Piece(AT_NS, b"3" + bytes(7) + b"\x8d" + bytes(13))
    (batch,) = decoder.push([hurt])
    assert (len(batch), batch.findings[0].problem) == (0, "does not hold")
    for k in range(MOST_AIRCRAFT + 5):
        heard(piece(squitter(CPR_PAIR[0]), 0, f"{k + 1:06x}"), decoder=decoder)
    assert len(decoder._known) == MOST_AIRCRAFT


def answer(now: float, seen_pos: float, **more: object) -> Piece:
    one = {"hex": "4d0131", "lat": 49.61, "lon": 6.13, "seen_pos": seen_pos} | more
    return Piece(AT_NS + NS_PER_S, json.dumps({"now": now, "aircraft": [one]}).encode())


def test_a_page_tells_each_position_once() -> None:
    decoder, at = PageDecoder(SETTINGS), AT_NS // NS_PER_S
    first = rows(list(decoder.push([answer(at, 0.5, nac_p=10, alt_geom=1000)])))
    again = rows(list(decoder.push([answer(at + 1, 1.4)])))
    fresh = rows(list(decoder.push([answer(at + 2, 0.2, type="mlat", alt_baro=900.0)])))
    assert [len(found) for found in (first, again, fresh)] == [1, 0, 1]
    assert first[0].event_time_ns == AT_NS - NS_PER_S // 2
    assert first[0].sigmas[0] == pytest.approx(10 / 2.448)
    assert first[0].height_reference is HeightReference.HAE
    assert (fresh[0].sigmas[0], fresh[0].height_reference) == (
        SIGMA_MLAT_M, HeightReference.PRESSURE,
    )  # fmt: skip


def test_a_page_that_cannot_be_read_is_a_finding() -> None:
    (batch,) = PageDecoder(SETTINGS).push([Piece(AT_NS, b"<html>")])
    assert (len(batch), batch.findings[0].where) == (0, "f: document")
