"""ASTERIX: real radars' bytes, our own encoder's, and whatever else comes."""

from __future__ import annotations

import importlib
import math
import os
import random
import struct
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skykeep.codec.asterix import (
    EXPANSION,
    SPECIAL,
    TICKS_PER_DAY,
    Record,
    Splitter,
    callsign_bytes,
    callsign_of,
    join,
    moment_of,
    name_of,
    subfields,
)
from skykeep.codec.asterix_radar import (
    ANGLE_LSB_DEG,
    RANGE_LSB_M,
    Plot,
    Service,
    encode_plot,
    encode_service,
    plot_of,
    service_of,
)
from skykeep.codec.asterix_targets import (
    Target,
    adsb_of,
    encode_adsb,
    encode_track,
    track_of,
)
from skykeep.codec.pcap import Packet, read_packets
from skykeep.errors import InputError
from skykeep.units import NS_PER_S

SHARED = Path(os.environ.get("SKYKEEP_SHARED", Path(__file__).parents[4] / "shared"))
CAPTURE = SHARED / "data" / "asterix" / "cat_034_048.pcap"
DAY_NS = 86_400 * NS_PER_S
MIDNIGHT_NS = 20_000 * DAY_NS


def datagrams() -> Iterator[tuple[int, bytes]]:
    """Receipt and payload of each packet; skips where the capture is not."""
    if not CAPTURE.is_file():
        pytest.skip(f"{CAPTURE} is not here")
    for packet in read_packets(CAPTURE.read_bytes()):
        assert isinstance(packet, Packet)
        assert packet.at_ns is not None
        udp = packet.data[14 + (packet.data[14] & 15) * 4 :]
        yield packet.at_ns, udp[8 : struct.unpack(">H", udp[4:6])[0]]


def one(data: bytes) -> Record:
    (record,), found = Splitter().split(data)
    assert not found
    return record


def test_the_capture_decodes_fully() -> None:
    radars: Counter[tuple[int, int, int]] = Counter()
    late: Counter[bool] = Counter()
    kinds: Counter[tuple[bool, bool, str]] = Counter()
    splitter, places, ranges_nm = Splitter(), set(), []
    for at_ns, data in datagrams():
        records, found = splitter.split(data)
        assert not found
        for record in records:
            radars[record.category, record.items[10][0], record.items[10][1]] += 1
            if record.category == 48:
                plot = plot_of(record)
                kinds[plot.mode_s, plot.psr, plot.apart] += 1
                late[at_ns - moment_of(plot.ticks, at_ns) > 5 * NS_PER_S] += 1
                if plot.range_m is not None:
                    ranges_nm.append(plot.range_m / 1852.0)
            else:
                service = service_of(record)
                assert service.kind in (1, 2)
                assert service.nogo in (None, False)
                if service.lat_deg is not None:
                    places.add((service.sic, round(service.lat_deg, 3)))
    assert radars == {
        (34, 25, 11): 4, (34, 25, 12): 10, (34, 25, 13): 8, (34, 25, 14): 4, (34, 25, 201): 2,
        (34, 25, 204): 2, (34, 25, 205): 4, (48, 25, 11): 8, (48, 25, 12): 38, (48, 25, 13): 16,
        (48, 25, 14): 4, (48, 25, 201): 28, (48, 25, 204): 28, (48, 25, 205): 6,
    }  # fmt: skip
    assert (len(ranges_nm), round(min(ranges_nm)), round(max(ranges_nm))) == (126, 21, 245)
    assert len(places) == 1
    # By Mode S, half of them by primary radar too; two say only that a track is held.
    assert kinds == {
        (True, False, ""): 76, (True, True, ""): 48, (False, True, ""): 2, (False, False, ""): 2,
    }  # fmt: skip
    assert late == {False: 126, True: 2}


def test_every_item_is_what_libasterix_takes_it_for() -> None:
    base = pytest.importorskip("asterix.base", reason="libasterix is not installed")
    editions = importlib.import_module("asterix.generated")
    of = {34: editions.Cat_034_1_29, 48: editions.Cat_048_1_32}
    splitter = Splitter()
    for _, data in datagrams():
        ours = [
            {name_of(r.category, item): said for item, said in r.items.items()}
            for r in splitter.split(data)[0]
        ]
        theirs = []
        for block in base.RawDatablock.parse(base.Bits.from_bytes(data)):
            number = block.get_category()
            theirs += [
                {f"I{number:03d}/{k}": v.unparse().to_bytes() for k, v in r.items_regular.items()}
                for r in of[number].cv_uap.parse(block.get_raw_records())
            ]
        assert ours == theirs


def test_plots_are_what_aviconv_takes_them_for() -> None:
    decoder = pytest.importorskip("aviconv_asterix.decoder", reason="aviconv-asterix is missing")
    compared = 0
    for _, data in datagrams():
        plots = [r for r in Splitter().split(data)[0] if r.category == 48]
        block = join(48, [r.items for r in plots]) if plots else b""
        for record, other in zip(plots, decoder.iter_records(block), strict=True):
            plot = plot_of(record)
            assert (plot.sac, plot.sic) == (other.sac, other.sic)
            assert plot.ticks / 128 == other.time_of_day_s
            assert (plot.address or "").upper() == (other.aircraft_address or "")
            assert plot.callsign == (other.callsign or "").strip()
            assert plot.track_number == other.track_number
            if plot.range_m is not None:
                assert math.isclose(plot.range_m, other.rho_nm * 1852.0)
                assert plot.azimuth_deg == other.theta_deg
            if plot.flight_level_m is not None:
                assert math.isclose(plot.flight_level_m, other.flight_level * 30.48)
            if plot.mode_a is not None:
                assert plot.mode_a == other.mode3a
            compared += 1
    assert compared == 128


@pytest.mark.parametrize("category", [21, 34, 48, 62])
def test_items_of_every_kind_are_measured_as_libasterix_measures_them(category: int) -> None:
    """Each item of each profile, alone and filled with ones as far as it goes."""
    base = pytest.importorskip("asterix.base", reason="libasterix is not installed")
    editions = importlib.import_module("asterix.generated")
    name = {21: "021_2_6", 34: "034_1_29", 48: "048_1_32", 62: "062_1_20"}[category]
    uap = getattr(editions, f"Cat_{name}").cv_uap
    compared = 0
    for number in range(49):
        fspec = bytearray(number // 7 + 1)
        fspec[number // 7] |= 0x80 >> number % 7
        for octet in range(len(fspec) - 1):
            fspec[octet] |= 1
        # Octets with few bits set: repetitions of two or three, compounds of many subfields.
        for filling in (b"\x02", b"\x03\x04", b"\x81\x41\x20", b"\xff\xff\xff\xfe\x02", b"\x00"):
            body = bytes(fspec) + (filling + bytes(400))
            parsed = uap.cv_record.parse(base.ParsingMode.StrictParsing, base.Bits.from_bytes(body))
            whole = _first(category, body)
            if isinstance(parsed, ValueError):
                continue
            _, rest = parsed
            assert whole is not None, (category, number, filling)
            assert len(whole.raw) == len(body) - len(rest.to_bytes())
            compared += 1
    assert compared > 50


def _first(category: int, body: bytes) -> Record | None:
    """The first record of some octets, whatever follows."""
    try:
        return next(Splitter()._records(category, b"\x00\x00\x00" + body, 3, 3 + len(body)))
    except InputError:
        return None


@st.composite
def plots(draw: st.DrawFn) -> Plot:
    placed, psr, mode_s = draw(st.booleans()), draw(st.booleans()), draw(st.booleans())
    maybe = draw(st.booleans())
    return Plot(
        draw(st.integers(0, 255)), draw(st.integers(0, 255)),
        draw(st.integers(0, TICKS_PER_DAY - 1)),
        draw(st.integers(1, 0xFFFF)) * RANGE_LSB_M if placed else None,
        draw(st.integers(0, 0xFFFF)) * ANGLE_LSB_DEG if placed else None,
        psr, not mode_s and draw(st.booleans()), mode_s,
        draw(st.sampled_from(["", "simulated", "a field monitor", "a test target", "a ghost"])),
        f"{draw(st.integers(0, 4095)):04o}" if maybe else None,
        draw(st.integers(-60, 8_000)) * 7.62 if maybe else None,
        draw(st.integers(-60, 8_000)) * 7.62 if not maybe else None,
        f"{draw(st.integers(0, 0xFFFFFF)):06x}" if mode_s else None,
        draw(st.from_regex(r"[A-Z0-9]{0,8}", fullmatch=True)),
        draw(st.integers(0, 4095)) if maybe else None,
        draw(st.sampled_from([None, True, False])),
        frozenset(draw(st.sets(st.integers(0, 127), max_size=3))),
    )  # fmt: skip


@given(plots())
def test_a_plot_comes_back(plot: Plot) -> None:
    back = plot_of(one(encode_plot(plot)))
    for name in Plot.__slots__:
        said, read = getattr(plot, name), getattr(back, name)
        assert math.isclose(said, read) if isinstance(said, float) else said == read, name


@given(
    st.integers(0, 8), st.none() | st.integers(0, TICKS_PER_DAY), st.none() | st.integers(0, 255),
    st.none() | st.integers(0, 65_535), st.none() | st.booleans(), st.integers(-1_000, 8_000),
)  # fmt: skip
def test_a_service_message_comes_back(
    kind: int, ticks: int | None, sector: int | None, period: int | None, nogo: bool | None,
    height_m: int,
) -> None:  # fmt: skip
    said = Service(
        1, 2, kind, ticks, None if sector is None else sector * 360 / 256,
        None if period is None else period / 128, nogo, None if nogo is None else not nogo,
        -33.5 if ticks else None, 151.25 if ticks else None, float(height_m) if ticks else None,
    )  # fmt: skip
    back = service_of(one(encode_service(said)))
    assert back.lat_deg == pytest.approx(said.lat_deg, abs=3e-5)
    assert back.lon_deg == pytest.approx(said.lon_deg, abs=3e-5)
    names = ("kind", "ticks", "azimuth_deg", "period_s", "nogo", "overload", "height_m")
    assert [getattr(back, n) for n in names] == [getattr(said, n) for n in names]


@given(
    st.floats(-90, 90), st.floats(-180, 179.99), st.booleans(), st.floats(-300, 300),
    st.floats(-300, 300), st.floats(-400, 12_000), st.integers(0, 11),
    st.from_regex(r"[A-Z0-9]{0,8}", fullmatch=True),
)  # fmt: skip
def test_a_target_comes_back(
    lat: float, lon: float, flag: bool, east: float, north: float, height: float, nac: int,
    callsign: str,
) -> None:  # fmt: skip
    said = Target(
        9, 8, 77, lat, lon, "3c6dd2", flag, callsign, 4, height, height, east, north, 2.0, nac, 0,
        12.0, 30.0, None, None, None, 13, flag, "simulated" if flag else "", flag,
    )  # fmt: skip
    for encode, read, away in ((encode_adsb, adsb_of, 2e-7), (encode_track, track_of, 6e-6)):
        back = read(one(encode(said)))
        assert (back.lat_deg, back.lon_deg) == pytest.approx((lat, lon), abs=away)
        assert (back.hae_m, back.pressure_m) == pytest.approx((height, height), abs=4.0)
        assert (back.east_mps, back.north_mps) == pytest.approx((east, north), abs=0.2)
        assert (back.address, back.callsign, back.apart) == ("3c6dd2", callsign, said.apart)
    assert back.up_mps == pytest.approx(2.0, abs=0.02)
    assert (back.sigma_east_m, back.sigma_north_m) == (12.0, 30.0)
    assert (back.track_number, back.ended) == (4, flag)
    back = adsb_of(one(encode_adsb(said)))
    assert (back.nac_p, back.category, back.on_ground, back.anonymous) == (nac, 13, flag, flag)


def test_what_a_code_is_worth() -> None:
    """Codes that are garbled or not validated say nothing; a level may lie below zero."""
    items = {10: b"\x01\x02", 140: b"\x00\x00\x80", 20: b"\xa0", 40: b"\x01\x00\x40\x00"}
    plot = plot_of(one(join(48, [items | {70: b"\x4f\xff", 90: b"\x80\x10"}])))
    assert (plot.mode_a, plot.flight_level_m) == (None, None)
    plot = plot_of(one(join(48, [items | {70: b"\x2f\xff", 90: b"\x3f\xf8", 230: b"\x1c\x00"}])))
    assert (plot.mode_a, plot.flight_level_m) == ("7777", pytest.approx(-8 * 7.62))
    assert plot.on_ground is None  # not known
    assert (plot.range_m, plot.azimuth_deg) == (1852.0, 90.0)


@pytest.mark.parametrize(
    ("ticks_s", "receipt_s", "expected_s"),
    [
        (86_399, 1, -1),  # before midnight, heard after it
        (1, -1, 1),  # a clock that is ahead, over midnight
        (43_000, 43_020, 43_000),
        (0, 0, 0),
    ],
)
def test_a_time_of_day_finds_its_day(ticks_s: int, receipt_s: int, expected_s: int) -> None:
    at_ns = moment_of(ticks_s * 128, MIDNIGHT_NS + receipt_s * NS_PER_S)
    assert at_ns == MIDNIGHT_NS + expected_s * NS_PER_S


@given(st.integers(0, TICKS_PER_DAY - 1), st.integers(0, 3 * DAY_NS))
def test_no_time_of_day_is_further_than_half_a_day(ticks: int, receipt_ns: int) -> None:
    at_ns = moment_of(ticks, MIDNIGHT_NS + receipt_ns)
    assert abs(at_ns - MIDNIGHT_NS - receipt_ns) <= DAY_NS // 2
    assert at_ns % DAY_NS == ticks * NS_PER_S // 128


def test_a_day_has_no_more_than_its_seconds() -> None:
    with pytest.raises(InputError, match="time of day"):
        moment_of(TICKS_PER_DAY, MIDNIGHT_NS)


def test_a_broken_record_costs_its_block_alone() -> None:
    good = encode_plot(Plot(1, 2, 5, 1852.0, 90.0, False, False, True))
    broken = bytes([48, 0, 6, 0xC0, 1, 2])  # a time of day that is cut short
    records, (fault,) = Splitter().split(good + broken + good)
    assert len(records) == 2
    assert (fault.where, "I048/140" in fault.problem) == (f"octet {len(good)}: category 48", True)


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"\x30\x00\x02", "a length of 2"),
        (b"\x30\x00\x09\x80", "a length of 9"),
        (b"\x30", "a length of 0"),
        (b"\x30\x00\x04\x81", "does not end"),
        (b"\x30\x00\x04\x00", "names no item"),
        (b"\x3e\x00\x05\x40\x00", "spare field 2"),
        (b"\x30\x00\x0c" + b"\x01" * 8 + b"\x80", "9 octets"),
        (b"\x22\x00\x07\x01\x04\x00\x00", "I034/RE"),  # a length of 0 that counts itself
    ],
)
def test_what_makes_no_sense_is_said(data: bytes, problem: str) -> None:
    records, found = Splitter().split(data)
    assert not records
    assert problem in found[0].problem


def test_other_categories_are_passed_over() -> None:
    good = encode_plot(Plot(1, 2, 5, None, None, True, False, False))
    records, found = Splitter().split(b"\x02\x00\x05\xff\xff" + good)
    assert (len(records), found) == (1, [])


@given(st.text("ABCXYZ0189", max_size=8))
def test_a_callsign_comes_back(text: str) -> None:
    assert callsign_of(callsign_bytes(text)) == text


def test_a_callsign_that_does_not_fit() -> None:
    assert callsign_of(bytes(6)) == ""  # characters that are not assigned
    for text in ("abc", "TOOLONG12", "A?"):
        with pytest.raises(InputError):
            callsign_bytes(text)


def test_names_and_spare_subfields() -> None:
    assert [name_of(48, i) for i in (40, EXPANSION, SPECIAL)] == ["I048/040", "I048/RE", "I048/SP"]
    assert subfields(b"\x40", 0, (1, None)) is None
    assert subfields(b"\x80\x07", 0, (1, None)) == ({1: b"\x07"}, 2)
    with pytest.raises(InputError, match="no item 999"):
        join(48, [{999: b""}])


@given(st.binary(max_size=200))
def test_no_bytes_raise(data: bytes) -> None:
    _read(Splitter(), data)


def _read(splitter: Splitter, data: bytes) -> None:
    records, _ = splitter.split(data)
    readers = {21: adsb_of, 34: service_of, 48: plot_of, 62: track_of}
    for record in records:
        try:
            readers[record.category](record)
        except InputError:
            continue


def _mutated(n: int) -> Iterator[bytes]:
    """Good blocks with a few octets changed, cut or put in; the same each time."""
    draw = random.Random(7)
    plot = Plot(1, 2, 5, 1852.0, 90.0, True, False, True, "", "7000", 3000.0, None, "3c6dd2",
                "DLH1", 7, False, frozenset({1, 2}))  # fmt: skip
    target = Target(9, 8, 77, 49.0, 6.0, "3c6dd2", False, "DLH1", 4, 10.0, 20.0, 1.0, 2.0, 3.0, 8,
                    1, 12.0, 30.0, None, None, None, 13)  # fmt: skip
    good = [
        encode_plot(plot), encode_adsb(target), encode_track(target),
        encode_service(Service(1, 2, 1, 5, 90.0, 4.0, True, False, 49.0, 6.0, 300.0)),
    ]  # fmt: skip
    for _ in range(n):
        data = bytearray(b"".join(draw.sample(good, draw.randrange(1, 4))))
        for _ in range(draw.randrange(1, 5)):
            at, how = draw.randrange(len(data)), draw.randrange(4)
            if how == 0:
                data[at] = draw.randrange(256)
            elif how == 1:
                data[at] ^= 1 << draw.randrange(8)
            elif how == 2 and len(data) > 4:
                del data[at : at + draw.randrange(1, 4)]
            else:
                data[at:at] = draw.randbytes(draw.randrange(1, 4))
        yield bytes(data)


def test_mutated_blocks_raise_nothing() -> None:
    splitter = Splitter()
    for data in _mutated(5_000):
        _read(splitter, data)


@pytest.mark.soak
def test_millions_of_mutated_blocks_raise_nothing_and_are_not_remembered() -> None:
    splitter = Splitter()
    for data in _mutated(5_000_000):
        _read(splitter, data)
    assert len(splitter._plans) <= 1_024
