"""Mode S, Beast and readsb's page: published examples, our own encoder's, whatever else comes."""

from __future__ import annotations

import json
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skykeep.codec import aircraft_json
from skykeep.codec.beast import MLAT_TICKS, Beast, Frames, encode, read_frame
from skykeep.codec.mode_s import (
    altitude_of,
    decode,
    encode_cpr,
    encode_extended,
    global_position,
    local_position,
    parity_of,
    zones_at,
)
from skykeep.errors import InputError

# Messages off the air, as tutorials on Mode S have published them with their meaning.
IDENTIFICATION = bytes.fromhex("8D4840D6202CC371C32CE0576098")
EVEN = bytes.fromhex("8D40621D58C382D690C8AC2863A7")
ODD = bytes.fromhex("8D40621D58C386435CC412692AD6")
VELOCITY = bytes.fromhex("8D485020994409940838175B284F")
SURFACE = bytes.fromhex("8C4841753A9A153237AEF0F275BE")


def test_what_has_been_published() -> None:
    said = decode(IDENTIFICATION)
    assert said is not None
    assert (said.address, said.callsign, said.category) == ("4840d6", "KLM1023", "A0")
    even, odd, speed, taxi = map(decode, (EVEN, ODD, VELOCITY, SURFACE))
    assert even is not None
    assert odd is not None
    assert speed is not None
    assert taxi is not None
    assert even.position is not None
    assert odd.position is not None
    assert (even.pressure_ft, even.on_ground) == (38_000.0, False)
    place = global_position(even.position, odd.position, newest_is_odd=False)
    assert place == pytest.approx((52.25720, 3.91937), abs=1e-5)
    assert local_position(even.position, 52.258, 3.918) == pytest.approx(place)
    assert (speed.east_kn, speed.north_kn, speed.vertical_rate_fpm) == (-8.0, -159.0, -832.0)
    assert taxi.on_ground
    assert taxi.position is not None
    assert local_position(taxi.position, 51.990, 4.375) == pytest.approx(
        (52.32056, 4.73574), abs=1e-5
    )


@pytest.mark.parametrize("message", [IDENTIFICATION, EVEN, VELOCITY])
def test_any_bit_that_is_hurt_is_found(message: bytes) -> None:
    assert parity_of(message) == 0
    for bit in range(5, 112):  # beyond the format itself
        hurt = (int.from_bytes(message, "big") ^ 1 << 111 - bit).to_bytes(14, "big")
        with pytest.raises(InputError, match="parity"):
            decode(hurt)


@pytest.mark.parametrize(
    ("code", "feet"),
    [(0, None), (0x010, -1_000.0), (0xC38, 38_000.0), (0x008, None)],
)
def test_altitudes(code: int, feet: float | None) -> None:
    assert altitude_of(code) == feet


def test_gillhams_code_climbs_by_hundreds() -> None:
    """Each altitude of the code once, in steps of 100 ft from -1200, as the standard's table."""
    said = sorted(
        feet
        for code in range(1, 4_096)
        if not code & 0x10 and (feet := altitude_of(code)) is not None
    )
    assert said[0] == -1_200.0
    assert said == [-1_200.0 + 100.0 * k for k in range(len(said))]
    assert len(said) == 1_280


@pytest.mark.parametrize(
    ("lat", "zones"),
    [(0.0, 59), (10.0, 59), (10.5, 58), (52.0, 36), (-52.0, 36), (86.9, 2), (87.0, 2), (88.0, 1)],
)
def test_longitude_zones(lat: float, zones: int) -> None:
    assert zones_at(lat) == zones


@given(st.floats(-86.0, 86.0), st.floats(-180.0, 179.99))
def test_a_place_comes_back(lat: float, lon: float) -> None:
    even, odd = encode_cpr(lat, lon, False), encode_cpr(lat, lon, True)
    for newest_is_odd in (False, True):
        place = global_position(even, odd, newest_is_odd)
        if place is not None:  # None: a zone's border lies between the two
            assert place[0] == pytest.approx(lat, abs=5e-5)
            assert (place[1] - lon + 180.0) % 360.0 - 180.0 == pytest.approx(0.0, abs=2e-3)
    for odd_one in (False, True):
        for surface in (False, True):
            cpr = encode_cpr(lat, lon, odd_one, surface)
            near = local_position(cpr, lat + 0.1, lon)
            if near is not None and zones_at(near[0]) == zones_at(lat):
                assert near[0] == pytest.approx(lat, abs=5e-5)
                assert (near[1] - lon + 180.0) % 360.0 - 180.0 == pytest.approx(0.0, abs=2e-3)


def test_two_reports_across_a_border_of_zones_say_nothing() -> None:
    even, odd = encode_cpr(10.46, 6.0, False), encode_cpr(10.48, 6.0, True)
    assert zones_at(10.46) != zones_at(10.48)
    assert global_position(even, odd, newest_is_odd=True) is None


def test_all_calls_and_other_formats() -> None:
    reply = bytes([11 << 3 | 5]) + bytes.fromhex("4d0131")
    whole = parity_of(reply + bytes(3))
    said = decode(reply + (whole ^ 5).to_bytes(3, "big"))  # asked by interrogator 5
    assert said is not None
    assert (said.address, said.on_ground) == ("4d0131", False)
    with pytest.raises(InputError, match="parity"):
        decode(reply + (whole ^ 0x80).to_bytes(3, "big"))
    assert decode(bytes(7)) is None
    with pytest.raises(InputError, match="6 octets"):
        decode(bytes(6))
    with pytest.raises(InputError, match="format 17 in 7"):
        decode(bytes([0x8D]) + bytes(6))


@pytest.mark.parametrize(
    ("subtype", "anonymous", "rebroadcast"),
    [(0, False, False), (1, True, False), (2, False, True), (5, True, True), (6, False, True)],
)
def test_who_says_it(subtype: int, anonymous: bool, rebroadcast: bool) -> None:
    said = decode(encode_extended("4d0131", 4 << 51, 18, subtype))
    assert said is not None
    assert (said.anonymous, said.rebroadcast) == (anonymous, rebroadcast)
    assert decode(encode_extended("4d0131", 4 << 51, 18, 3)) is None


@given(
    st.lists(
        st.tuples(
            st.integers(0, 2**48 - 1), st.integers(0, 255), st.binary(min_size=14, max_size=14)
        ),
        max_size=6,
    ),
    st.integers(1, 40),
)  # fmt: skip
def test_frames_come_back_however_the_stream_is_cut(
    said: list[tuple[int, int, bytes]], step: int
) -> None:
    beasts = [Beast(3, *one) for one in said]
    stream, frames, found = b"".join(map(encode, beasts)), Frames(), []
    for at in range(0, len(stream), step):
        found += frames.push(stream[at : at + step])
    assert [read_frame(f) for f in found] == beasts
    assert frames.dropped == 0


def test_a_frame_that_is_cut_short_costs_itself_alone() -> None:
    good = encode(Beast(2, MLAT_TICKS, 26, bytes(6) + b"\x1a"))
    frames = Frames()
    found = [read_frame(f) for f in frames.push(b"noise" + good[:8] + good + b"\x1ax" + good)]
    assert [f is not None and f.is_mlat for f in found] == [True, True]
    assert frames.dropped == 2
    assert read_frame(b"3short") is None


@given(st.lists(st.binary(max_size=60), max_size=10))
def test_no_stream_raises_or_is_kept(parts: list[bytes]) -> None:
    frames = Frames()
    for part in parts:
        for frame in frames.push(part):
            one = read_frame(frame)
            assert one is not None
            if one.kind in (2, 3):
                _decode(one.data)
        assert len(frames._rest) <= 46


def _decode(data: bytes) -> None:
    try:
        decode(data)
    except InputError:
        return


def _mutated(n: int) -> None:
    """Good messages with bits changed and the parity made good again, so that all is read."""
    draw = random.Random(11)
    for _ in range(n):
        message = draw.choice((IDENTIFICATION, EVEN, ODD, VELOCITY, SURFACE))
        me = int.from_bytes(message[4:11], "big") ^ 1 << draw.randrange(56) ^ draw.getrandbits(56)
        said = decode(encode_extended("4d0131", me, draw.choice((17, 18)), draw.randrange(8)))
        if said is not None and said.position is not None:
            local_position(said.position, draw.uniform(-90, 90), draw.uniform(-180, 180))
            global_position(said.position, said.position, draw.random() < 0.5)


def test_mutated_messages_raise_nothing() -> None:
    _mutated(5_000)


@pytest.mark.soak
def test_millions_of_mutated_messages_raise_nothing() -> None:
    _mutated(5_000_000)


def page(*aircraft: dict[str, object], now: float = 1_789_257_600.0) -> bytes:
    return json.dumps({"now": now, "messages": 1, "aircraft": list(aircraft)}).encode()


GOOD: dict[str, object] = {
    "hex": "4D0131", "type": "adsb_icao", "flight": "LGL1  ", "lat": 49.61, "lon": 6.13,
    "seen_pos": 1.5, "alt_baro": 2500, "alt_geom": 2700, "gs": 120.5, "track": 270, "nac_p": 9,
    "baro_rate": -64, "category": "A1", "rssi": -3.4, "mlat": [],
}  # fmt: skip


def test_a_page_of_aircraft() -> None:
    (one, drone), found = aircraft_json.decode(
        page(
            GOOD,
            {"hex": "4d0132"},  # heard, not placed
            {"hex": "~4d0133", "lat": 1, "lon": 2, "type": "mlat", "alt_baro": "ground"},
            {"hex": "4d0134", "lat": 91, "lon": 2},
            {"hex": "x", "lat": 1, "lon": 2},
            {"hex": 5},
        )
    )
    assert one.at_ns == 1_789_257_598_500_000_000
    assert (one.icao24, one.callsign, one.pressure_ft, one.hae_ft) == ("4d0131", "LGL1", 2500, 2700)
    assert (one.ground_speed_kn, one.vertical_rate_fpm, one.nac_p) == (120.5, -64, 9)
    assert (drone.anonymous, drone.is_mlat, drone.on_ground) == (True, True, True)
    assert [f.where for f in found] == ["aircraft[3]", "aircraft[4]", "aircraft[5]"]


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b'{"now": 5, "aircraft": []}', b"\xff"])
def test_a_page_that_is_none(data: bytes) -> None:
    with pytest.raises(InputError):
        aircraft_json.decode(data)


@given(st.binary(max_size=60))
def test_no_page_raises_anything_else(data: bytes) -> None:
    for document in (data, page(GOOD)[:-20] + data, b'{"now": 1789257600, "aircraft": [' + data):
        try:
            aircraft_json.decode(document)
        except InputError:
            continue
