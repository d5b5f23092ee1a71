"""ASTERIX feeds: plots where the radar saw them, answers as claims, strangers told of."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from skykeep.codec.asterix_radar import Plot, Service, encode_plot, encode_service
from skykeep.codec.asterix_targets import Target, encode_adsb, encode_track
from skykeep.config import FeedSettings, Option
from skykeep.core.airspace import Airspace, RegisterSensor
from skykeep.core.event import Actor, IdentityChanged
from skykeep.core.geo import HeightReference
from skykeep.core.observation import (
    Batch,
    Coverage,
    Form,
    Scheme,
    Sensor,
    SensorKind,
    places_of,
)
from skykeep.errors import InputError
from skykeep.feed.asterix import AsterixDecoder, sources_of
from skykeep.feed.inbox import Piece
from skykeep.units import NS_PER_S, SensorId
from tests.sky import SITE

AT_NS = 1_789_257_600_000_000_000  # midnight
RADAR = Sensor(SensorId("radar"), SensorKind.RADAR, 49.6, 6.1, 400.0, Coverage(0.0, 450_000.0), 4.0)
STATION = replace(RADAR, sensor_id=SensorId("station"), kind=SensorKind.ADSB)
TRACKER = replace(RADAR, sensor_id=SensorId("tracker"), kind=SensorKind.UPSTREAM)
SENSORS = {str(s.sensor_id): s for s in (RADAR, STATION, TRACKER)}
SOURCES: dict[str, Option] = {
    "sources": {"25/1": "radar", "25/2": "station", "25/3": "tracker"},
    "sigma_azimuth_deg": {"radar": 0.2},
}
PLOT = Plot(25, 1, 100 * 128, 40 * 1852.0, 90.0, False, False, True, "", "1000", 3048.0, None,
            "3c6dd2", "DLH1", 7, False)  # fmt: skip
TARGET = Target(25, 2, 100 * 128, 49.7, 6.2, "3c6dd2", False, "DLH1", 7, 3100.0, 3048.0,
                10.0, 20.0, None, 9, 1)  # fmt: skip


def settings(**options: Option) -> FeedSettings:
    return FeedSettings("f", RADAR.sensor_id, "asterix", "", SOURCES | options, SENSORS)


def heard(*datagrams: bytes, after_s: float = 101.0, **options: Option) -> list[Batch]:
    at_ns = AT_NS + round(after_s * NS_PER_S)
    decoder = AsterixDecoder(settings(**options))
    return list(decoder.push([Piece(at_ns, data, "peer") for data in datagrams]))


def test_a_plot_lies_where_range_azimuth_and_height_say() -> None:
    (batch,) = heard(encode_plot(PLOT))
    assert (batch.sensor_id, batch.form, len(batch)) == ("radar", Form.POLAR, 1)
    assert batch.event_time_ns[0] == AT_NS + 100 * NS_PER_S
    assert batch.values[0, :2] == pytest.approx((40 * 1852.0, 90.0), abs=0.01)
    assert batch.sigmas[0, :2].tolist() == [70.0, 0.2]
    lat, lon, height_m = places_of(batch, RADAR)[0]
    assert height_m == pytest.approx(3048.0, abs=20.0)  # the ellipsoid is not quite the sphere
    assert (lat, lon) == pytest.approx((49.5955, 7.1238), abs=0.0002)  # by the parallel's curvature
    spread_m = batch.values[0, 0] * math.radians(batch.sigmas[0, 2])
    assert spread_m == pytest.approx(335.0, abs=10.0)  # pressure against the ellipsoid
    assert batch.words == ("pressure altitude 3048 m (Mode C)",)


def test_a_3d_radars_height_comes_before_the_transponders() -> None:
    (batch,) = heard(encode_plot(replace(PLOT, height_m=6096.0)))
    assert places_of(batch, RADAR)[0, 2] == pytest.approx(6096.0, abs=20.0)


def test_a_plot_without_a_height_lies_where_something_may_fly() -> None:
    bare = replace(PLOT, flight_level_m=None, mode_a=None, address=None, callsign="", psr=True)
    (batch,) = heard(encode_plot(bare))
    top_m = math.degrees(math.asin(14_600.0 / (40 * 1852.0)))
    assert batch.values[0, 2] == pytest.approx(top_m / 2.0, abs=0.3)
    assert batch.sigmas[0, 2] == pytest.approx(top_m / math.sqrt(12.0), abs=0.2)
    assert batch.claims == ()
    # A height that cannot be at that range is none.
    (batch,) = heard(encode_plot(replace(PLOT, range_m=1852.0)))
    assert batch.values[0, 2] == 45.0


def test_what_a_transponder_answers_is_a_claim() -> None:
    (batch,) = heard(
        encode_plot(PLOT), encode_plot(replace(PLOT, address=None, ssr=True, mode_s=False))
    )
    mode_s, mode_a = batch.claims
    assert mode_s is not None
    assert mode_a is not None
    assert (mode_s.scheme, mode_s.identity, mode_s.category) == (Scheme.MODE_S, "3c6dd2", "DLH1")
    assert (mode_s.crewed, mode_s.airborne) == (True, True)
    assert (mode_a.identity, mode_a.transmitter) == (None, "25/1/7/1000")


def test_the_engine_takes_an_answer_for_an_identity() -> None:
    engine = Airspace(SITE)
    radar = replace(RADAR, lat_deg=SITE.frame.lat_deg, lon_deg=SITE.frame.lon_deg)
    engine.apply(RegisterSensor(Actor("x", "operator"), radar), AT_NS)
    decoder, said = AsterixDecoder(settings()), []
    for turn in range(6):
        at_s = 100 + 4 * turn
        plot = replace(PLOT, ticks=at_s * 128, range_m=8_000.0 + 400.0 * turn)
        for batch in decoder.push([Piece(AT_NS + (at_s + 1) * NS_PER_S, encode_plot(plot))]):
            engine.receive(batch)
        said += engine.advance(AT_NS + (at_s + 1) * NS_PER_S)
    named = [e for e in said if isinstance(e, IdentityChanged)]
    assert {(e.scheme, e.identity) for e in named} == {("mode_s", "3c6dd2")}


def test_ads_b_and_system_tracks() -> None:
    track = replace(TARGET, sic=3, sigma_east_m=12.0, sigma_north_m=30.0)
    adsb, upstream = heard(encode_adsb(TARGET), encode_track(track))
    assert (adsb.sensor_id, adsb.form) == ("station", Form.POSITION)
    assert adsb.height_references[0] == HeightReference.PRESSURE
    assert adsb.sigmas[0, 0] == pytest.approx(30.0 / 2.448)
    assert adsb.velocities_mps[0, :2] == pytest.approx((10.0, 20.0), abs=0.1)
    assert (upstream.sensor_id, upstream.form) == ("tracker", Form.TRACK)
    assert upstream.upstream_ids == ("25/3/7",)
    assert upstream.height_references[0] == HeightReference.HAE
    assert upstream.sigmas[0, :2].tolist() == [12.0, 30.0]
    schemes = [batch.claims[0].scheme for batch in (adsb, upstream) if batch.claims[0]]
    assert schemes == [Scheme.ADSB, Scheme.MODE_S]
    (drone,) = heard(encode_adsb(replace(TARGET, category=13)))
    assert drone.claims[0] is not None
    assert drone.claims[0].crewed is False


@pytest.mark.parametrize("why", ["simulated", "a field monitor", "a test target", "a ghost"])
def test_what_is_no_aircraft_is_left_out(why: str) -> None:
    (batch,) = heard(encode_plot(replace(PLOT, apart=why)))
    assert (len(batch), batch.findings[0].problem) == (0, f"a report of 25/1 is {why}")


def test_strangers_are_told_of_once_each() -> None:
    foreign, misplaced = replace(PLOT, sic=9), replace(PLOT, sic=2)
    later = replace(foreign, ticks=5)
    (batch,) = heard(*map(encode_plot, (foreign, misplaced, later)))
    assert len(batch) == 0
    assert [f.problem for f in batch.findings] == [
        "SAC/SIC 25/9 (category 48) is none of this feed's sources",
        "category 48 of 25/2 does not fit a sensor that is adsb",
    ]


def test_what_comes_over_two_networks_counts_once() -> None:
    (batch,) = heard(encode_plot(PLOT), encode_plot(PLOT))
    assert (len(batch), [f.assumed for f in batch.findings]) == (1, ["counted once"])


def test_a_clock_that_is_off_is_told() -> None:
    (batch,) = heard(encode_plot(PLOT), after_s=120.0)
    assert batch.findings[0].problem == "25/1 is more than 5 s behind receipt"
    assert "20.0 s" in batch.findings[0].assumed
    assert batch.event_time_ns[0] == AT_NS + 100 * NS_PER_S


def test_a_radar_tells_of_itself() -> None:
    north = Service(25, 1, 1, 100 * 128, None, 4.0, False, False, 49.6, 6.1, 350.0)
    (batch,) = heard(encode_service(north))
    assert (len(batch), batch.findings) == (0, ())  # heard, and all is well
    ill = replace(north, kind=4, nogo=True, overload=True, lat_deg=49.7)
    (batch,) = heard(encode_service(ill))
    assert [f.problem.partition(" ")[2] for f in batch.findings] == [
        "25/1 says that it is not to be used",
        "25/1 says that it is overloaded",
        "25/1 reports a jamming strobe",
        "25/1 places itself elsewhere than the site file",
    ]


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"sources": None}, "sources: is missing"),
        ({"sources": {"25-1": "radar"}}, "25-1: is no SAC/SIC"),
        ({"sources": {"25/256": "radar"}}, "25/256: is no SAC/SIC"),
        ({"sources": {"25/1": 4}}, "25/1: is 4"),
        ({"sigma_range_m": -1}, "sigma_range_m: is -1"),
        ({"sigma_range_m": {"radar": "x"}}, "sigma_range_m: is 'x'"),
    ],
)
def test_options_that_make_no_sense(options: dict[str, Option], field: str) -> None:
    with pytest.raises(InputError, match=field):
        AsterixDecoder(settings(**options))


def test_sources_name_their_sensors() -> None:
    assert sources_of(settings()) == {(25, 1): "radar", (25, 2): "station", (25, 3): "tracker"}
