"""SAPIENT detections, from bytes to batches, beside the library's own models."""

from __future__ import annotations

import time

from sapient_msg.bsi_flex_335_v2_0.sapient_message_pb2 import SapientMessage
from sapient_msg_pydantic.bsi_flex_335_v2_0.sapient_message import SapientMessage as Model

from bench.figure import Figure
from skykeep.codec.sapient import faults
from skykeep.config import FeedSettings
from skykeep.core.observation import Coverage, Sensor, SensorKind
from skykeep.feed.inbox import Piece
from skykeep.feed.sapient import SapientDecoder
from skykeep.units import NS_PER_MS, SensorId
from tests.sapient_messages import NODE, detection, registration

AT_NS = 1_789_257_600_000_000_000
RADAR = Sensor(SensorId("radar"), SensorKind.RADAR, 49.6, 6.1, 350.0, Coverage(10.0, 6_000.0))
AIM_PER_S = 50_000
DETECTIONS, TURNS, AT_ONCE = 20_000, 3, 2_000


def messages() -> list[bytes]:
    made = []
    for number in range(DETECTIONS):
        one = detection(
            AT_NS + number * NS_PER_MS,
            range=500.0 + number % 5_000, azimuth=number % 360, elevation=3.0,
            range_error=5.0, azimuth_error=0.5, elevation_error=0.8,
        )  # fmt: skip
        one.detection_report.classification.add(type="UAV rotary wing", confidence=0.8)
        one.detection_report.enu_velocity.east_rate = 3.0
        one.detection_report.enu_velocity.north_rate = -4.0
        made.append(one.SerializeToString())
    return made


def figures() -> list[Figure]:
    """Detections a second of one core."""
    data = messages()
    settings = FeedSettings(
        "s", RADAR.sensor_id, "sapient", "", {"nodes": {NODE: "radar"}}, {"radar": RADAR}
    )
    best_s = float("inf")
    for _ in range(TURNS):
        decoder = SapientDecoder(settings)
        first = Piece(AT_NS, registration(AT_NS).SerializeToString(), "peer")
        list(decoder.push([first]))
        pieces = [Piece(AT_NS, one, "peer") for one in data]
        begun_s, rows = time.process_time(), 0
        for start in range(0, len(pieces), AT_ONCE):
            rows += sum(map(len, decoder.push(pieces[start : start + AT_ONCE])))
        best_s = min(best_s, time.process_time() - begun_s)
        assert rows == DETECTIONS
    peer = _rate(lambda one: Model.from_pb2(SapientMessage.FromString(one)), data)
    whole = _rate(lambda one: faults(SapientMessage.FromString(one)), data)
    note = f"{RADAR.kind} plots with class and velocity; sapient-pydantic validates {peer:,.0f}/s"
    return [
        Figure("SAPIENT detections", DETECTIONS / best_s, "1/s", AIM_PER_S, note=note),
        Figure("SAPIENT messages held against the whole ICD", whole, "1/s", note="on a sample"),
    ]


def _rate(do: object, data: list[bytes]) -> float:
    assert callable(do)
    some = data[:2_000]
    begun_s = time.process_time()
    for one in some:
        do(one)
    return len(some) / (time.process_time() - begun_s)
