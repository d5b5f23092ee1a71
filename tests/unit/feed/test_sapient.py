"""SAPIENT nodes as sensors of the site: who registers, what becomes of what they send."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from sapient_msg.bsi_flex_335_v2_0.sapient_message_pb2 import SapientMessage

from skykeep.config import FeedSettings, Option
from skykeep.core.geo import HeightReference
from skykeep.core.observation import Batch, Form, SensorKind
from skykeep.errors import InputError
from skykeep.feed.inbox import Piece
from skykeep.feed.kinds import kind_of
from skykeep.feed.sapient import KIND, SapientDecoder
from skykeep.feed.sapient_nodes import nodes_of
from skykeep.units import NS_PER_S, SensorId
from tests import sapient_messages as made
from tests.sky import FRAME, RADAR, at

TRACKER = replace(RADAR, sensor_id=SensorId("tracks-1"), kind=SensorKind.UPSTREAM)
FINDER = replace(RADAR, sensor_id=SensorId("rf-1"), kind=SensorKind.DIRECTION_FINDER)
SITE = {str(s.sensor_id): s for s in (RADAR, TRACKER, FINDER)}


def settings(**options: Option) -> FeedSettings:
    given: dict[str, Option] = {"nodes": {made.NODE: "radar", made.OTHER: "tracks-1"}, **options}
    return FeedSettings("s", RADAR.sensor_id, "sapient", "listen://127.0.0.1:0", given, SITE)


def told(decoder: SapientDecoder, *messages: SapientMessage) -> list[Batch]:
    pieces = [Piece(at(2), m.SerializeToString(), "peer") for m in messages]
    return list(decoder.push(pieces))


def test_plots_of_a_radar() -> None:
    decoder = SapientDecoder(settings())
    first, second = made.detection(at(1)), made.detection(at(1.5), range=500.0, azimuth=90.0)
    first.detection_report.range_bearing.range_error = 4.0
    first.detection_report.classification.add(type="Drone", confidence=0.8)
    (batch,) = told(decoder, made.registration(at(0)), first, second)
    assert (batch.sensor_id, batch.form, batch.receipt_time_ns) == ("radar", Form.POLAR, at(2))
    assert batch.event_time_ns.tolist() == [at(1), at(1.5)]
    assert batch.values[0].tolist() == [900.0, 45.0, 5.0]
    assert batch.sigmas[0].tolist() == [4.0, 1.0, 1.0]
    cover = RADAR.coverage
    assert batch.values[1, 2] == (cover.elevation_min_deg + cover.elevation_max_deg) / 2.0
    assert batch.sigmas[1].tolist() == [
        10.0, 1.0, pytest.approx((cover.elevation_max_deg - cover.elevation_min_deg) / 12**0.5),
    ]  # fmt: skip
    assert batch.kind_likelihood is not None
    assert batch.kind_likelihood[0].tolist() == pytest.approx([0.85, 0.05, 0.05, 0.05])
    assert batch.kind_likelihood[1].tolist() == [0.25] * 4
    assert len(set(batch.raw_sha256)) == 2
    assert batch.upstream_ids == ()


def test_tracks_of_a_node_that_tracks() -> None:
    decoder = SapientDecoder(settings())
    track = made.detection(at(1), made.OTHER, range=1_000.0, azimuth=90.0, elevation=0.0)
    placed = made.located(at(1), made.OTHER, x=6.14, datum=2, x_error=0.001)
    placed.detection_report.enu_velocity.east_rate = 36.0
    placed.detection_report.enu_velocity.north_rate = 0.0
    (batch,) = told(decoder, made.registration(at(0), made.OTHER, tracking=3), track, placed)
    assert (batch.sensor_id, batch.form) == ("tracks-1", Form.TRACK)
    assert batch.upstream_ids == (made.OBJECT,) * 2
    east, north, up = FRAME.to_enu(*batch.values[0].tolist())
    there = FRAME.to_enu(TRACKER.lat_deg, TRACKER.lon_deg, TRACKER.height_hae_m)
    assert (east - there[0], north - there[1]) == pytest.approx((1_000.0, 0.0), abs=0.5)
    assert batch.height_references.tolist() == [HeightReference.HAE, HeightReference.AMSL]
    assert batch.velocities_mps[1, 0] == pytest.approx(10.0)
    assert batch.sigmas[1, 0] == pytest.approx(72.3, rel=1e-3)
    assert math.isnan(up) is False


def test_bearings_of_a_direction_finder() -> None:
    decoder = SapientDecoder(settings(nodes={made.NODE: "rf-1"}, sigma_deg=3.0))
    message = made.detection(at(1), azimuth=350.0)
    (batch,) = told(decoder, made.registration(at(0), types=(8,)), message)
    assert batch.form is Form.BEARING
    assert batch.values[0, 0] == 350.0
    assert np.isnan(batch.values[0, 1:]).all()
    assert batch.sigmas[0, 0] == 3.0


@pytest.mark.parametrize(
    ("messages", "words"),
    [
        ((made.detection(at(1)),), "is not registered"),
        ((made.registration(at(0), "00000000-0000-4000-8000-000000000000"),), "not known here"),
        ((made.registration(at(0), tracking=3),), "make it of kind upstream"),
        ((made.registration(at(0), made.OTHER),), "give it the kind of sensor"),
        ((made.registration(at(0)), made.status(at(1), mode="Other"), made.detection(at(1))),
         "make it of kind upstream"),
        ((made.registration(at(0), made.OTHER, tracking=3),
          made.detection(at(1), made.OTHER, azimuth=3.0)), "a bearing without a range"),
        ((made.registration(at(0), types=(2, 14)),), "the node can act on aircraft"),
        ((made.registration(at(0)), made.alert(at(1))), "clutter over the river"),
        ((made.registration(at(0)), made.status(at(1), system=2)), "the node says warning"),
    ],
)  # fmt: skip
def test_what_is_found(messages: tuple[SapientMessage, ...], words: str) -> None:
    batches = told(SapientDecoder(settings()), *messages)
    (finding,) = [f for batch in batches for f in batch.findings]
    assert words in finding.problem
    assert sum(len(batch) for batch in batches) == 0
    assert {batch.form for batch in batches} == {Form.POSITION}  # POLAR were an empty turn


def test_a_node_elsewhere_than_registered_is_found_once_and_stays_where_the_site_has_it() -> None:
    decoder = SapientDecoder(settings())
    told(decoder, made.registration(at(0)))
    message = made.status(at(1))
    place = message.status_report.node_location
    place.x, place.y, place.coordinate_system, place.datum = RADAR.lon_deg, RADAR.lat_deg, 1, 1
    assert told(decoder, message) == []
    place.y = RADAR.lat_deg + 0.001
    (batch,) = told(decoder, message)
    assert batch.sensor_id == RADAR.sensor_id
    assert batch.findings[0].problem == "the node says that it stands 111 m from its place here"
    assert told(decoder, message) == []


def test_options_that_do_not_fit_are_named() -> None:
    for options, where in (
        ({"nodes": {"one": "radar"}}, "feeds[s].options.nodes"),
        ({"nodes": {made.NODE: "nobody"}}, f"feeds[s].options.nodes[{made.NODE}]"),
        ({"node_id": "x"}, "feeds[s].options.node_id"),
        ({"headings": {made.NODE: "north"}}, f"feeds[s].options.headings[{made.NODE}]"),
        ({"sigma_m": 0.0}, "feeds[s].options.sigma_m"),
        ({"sigma_deg": math.nan}, "feeds[s].options.sigma_deg"),
    ):
        with pytest.raises(InputError) as caught:
            nodes_of(settings(**options))  # type: ignore[arg-type]
        assert caught.value.where == where
    with pytest.raises(InputError, match="has no sensor 'nobody'"):
        kind_of(settings(nodes={made.NODE: "nobody"}), SITE)
    assert kind_of(settings(), SITE) is KIND
    ours = nodes_of(settings()).ours
    assert ours == nodes_of(settings()).ours
    assert nodes_of(settings(node_id=made.OTHER)).ours == made.OTHER


def test_a_heading_turns_what_the_platform_sees() -> None:
    decoder = SapientDecoder(settings(headings={made.NODE: 30.0}))
    message = made.detection(at(1), range=500.0, azimuth=350.0)
    message.detection_report.range_bearing.datum = 4
    (batch,) = told(decoder, made.registration(at(0)), message)
    assert batch.values[0, 1] == pytest.approx(20.0)


def test_times_are_the_messages() -> None:
    decoder = SapientDecoder(settings())
    (batch,) = told(decoder, made.registration(at(0)), made.detection(at(1) + 7))
    assert batch.event_time_ns[0] == at(1) + 7
    assert batch.receipt_time_ns - NS_PER_S == at(1)
