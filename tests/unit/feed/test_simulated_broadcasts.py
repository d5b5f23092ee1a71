import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from skykeep.codec.remote_id import BasicId, Location, System, decode, resolve_time
from skykeep.core.geo import Frame, HeightReference
from skykeep.core.observation import Batch, Coverage, Form, Scheme, Sensor, SensorKind
from skykeep.feed import simulated_broadcasts
from skykeep.feed.paths import ArcBuilder, Path, Standing
from skykeep.feed.simulated_broadcasts import (
    AdsbEmitter,
    AdsbModel,
    RemoteIdEmitter,
    RemoteIdModel,
    pressure_altitude_m,
    reception,
)
from skykeep.feed.simulator import Scene, SensorModel, simulate
from skykeep.units import NS_PER_S, SensorId

START_NS = 1_789_249_680 * NS_PER_S  # 2026-09-12T21:48:00Z: the hour ends in the scene
FRAME = Frame(49.6083, 6.1337, 337.5)
GEOID_M, QNH_HPA = 47.5, 1008.0
DURATION_S = 1_000


def sensor(kind: SensorKind, range_max_m: float, **more: Any) -> Sensor:
    lat, lon, hae = FRAME.to_geodetic(0.0, 0.0, 20.0)
    return Sensor(SensorId(kind.value), kind, lat, lon, hae, Coverage(0.0, range_max_m), **more)


def circle(radius_m: float, speed_mps: float, up_m: float) -> Path:
    builder = ArcBuilder(0.0, (radius_m, 0.0, up_m), 0.0)
    return builder.leg(1.0, speed_mps=speed_mps, turn_radps=speed_mps / radius_m).path()


def emitter(path: Path, **more: Any) -> RemoteIdEmitter:
    bare = RemoteIdEmitter(
        "02:00:00:00:00:01",
        "SKV18SRV00017",
        path,
        path,
        0.0,
        float(DURATION_S),
        0.4,
        (50.0, 60.0, 0.0),
    )
    return replace(bare, **more)


def remote_id(*emitters: RemoteIdEmitter) -> RemoteIdModel:
    return RemoteIdModel(sensor(SensorKind.REMOTE_ID, 3_000.0), emitters, GEOID_M, QNH_HPA)


def batches(model: SensorModel, seed: int = 5) -> list[Batch]:
    scene = Scene(seed, START_NS, DURATION_S, FRAME, (), None, (model,), ())
    return [item for item in simulate(scene) if isinstance(item, Batch)]


def errors(found: list[Batch], path: Path) -> np.ndarray:
    """East, north, up of what was reported minus the truth at the reported time."""
    rows = []
    for batch in found:
        for row in batch.rows():
            place = FRAME.to_enu(*row.values)
            time_s = (row.event_time_ns - START_NS) / NS_PER_S
            rows.append(np.array(place) - path.states(np.array([time_s]))[0][0])
    return np.array(rows)


def test_remote_id_bytes_say_the_truth_within_the_stated_accuracy(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sent: list[tuple[int, str, bytes]] = []
    feed = simulated_broadcasts.Assembler.feed

    def listen(self: Any, receipt_ns: int, transmitter: str, data: bytes) -> Batch | None:
        sent.append((receipt_ns, transmitter, data))
        return feed(self, receipt_ns, transmitter, data)

    monkeypatch.setattr(simulated_broadcasts.Assembler, "feed", listen)
    path = circle(400.0, 9.0, 140.0)
    found = batches(remote_id(emitter(path)))
    assert len(sent) == len(found)
    inside = 0
    for receipt_ns, _, data in sent:
        (identity, location, system), findings = decode(data)
        assert not findings
        assert isinstance(identity, BasicId)
        assert isinstance(location, Location)
        assert isinstance(system, System)
        assert identity.uas_id == "SKV18SRV00017"
        at_ns = resolve_time(location.time_tenths, receipt_ns)
        assert at_ns is not None
        assert 0 <= receipt_ns - at_ns < NS_PER_S // 10
        position, velocity = path.states(np.array([(at_ns - START_NS) / NS_PER_S]))
        assert location.altitude_geodetic is not None
        assert location.lat_deg is not None
        assert location.lon_deg is not None
        place = FRAME.to_enu(location.lat_deg, location.lon_deg, location.altitude_geodetic.m)
        gap = np.array(place) - position[0]
        assert location.accuracy_horizontal_m == 10.0
        assert location.accuracy_vertical_m == 10.0
        inside += bool(math.hypot(gap[0], gap[1]) <= 10.0) + bool(abs(gap[2]) <= 10.0)
        assert location.speed_mps == pytest.approx(9.0, abs=0.13)
        course = math.degrees(math.atan2(velocity[0, 0], velocity[0, 1]))
        assert location.direction_deg is not None
        assert abs((location.direction_deg - course + 180.0) % 360.0 - 180.0) <= 0.51
        assert location.altitude_pressure is not None
        amsl_m = location.altitude_geodetic.m - GEOID_M
        want = pressure_altitude_m(amsl_m, QNH_HPA)
        assert location.altitude_pressure.m == pytest.approx(want, abs=0.6)
    # The bounds are of 95 %; the errors wander, so the sample counts for a few dozen.
    assert inside / (2 * len(sent)) > 0.85


def test_remote_id_errors_are_as_large_as_said_and_wander() -> None:
    model = remote_id(*(emitter(circle(400.0, 9.0, 140.0), transmitter=f"{i}") for i in range(12)))
    found = batches(model)
    path = model.emitters[0].claimed
    gaps = errors(found, path)
    # 12 transmitters x 1000 s over a correlation time of twice 30 s: some 200 samples.
    np.testing.assert_allclose(gaps.std(axis=0), (3.0, 3.0, 5.0), rtol=0.2)
    assert (np.abs(gaps.mean(axis=0)) < np.array([3.0, 3.0, 5.0]) * 4 / math.sqrt(200)).all()
    one = errors([b for b in found if b.claims[0] and b.claims[0].transmitter == "3"], path)
    assert np.corrcoef(one[1:, 0], one[:-1, 0])[0, 1] > 0.85


def test_each_transmitter_is_heard_once_a_second_with_its_own_name() -> None:
    path = circle(300.0, 9.0, 140.0)
    model = remote_id(
        emitter(path),
        emitter(path, transmitter="02:00:00:00:00:02", serial="SKV28PLC00007", phase_s=0.7),
    )
    found = batches(model)
    names = [(b.claims[0].transmitter, b.claims[0].identity) for b in found if b.claims[0]]
    assert set(names) == {
        ("02:00:00:00:00:01", "SKV18SRV00017"),
        ("02:00:00:00:00:02", "SKV28PLC00007"),
    }
    for name in set(names):
        assert names.count(name) / DURATION_S == pytest.approx(0.97, abs=0.022)
    for batch in found:
        assert batch.form is Form.POSITION
        assert batch.height_references[0] == HeightReference.HAE
        assert batch.claims[0] is not None
        assert batch.claims[0].scheme is Scheme.REMOTE_ID
        assert batch.receipt_time_ns - int(batch.event_time_ns[0]) == 2_000_000
        assert not batch.findings


def test_reception_falls_with_range() -> None:
    chance = reception(np.array([0.0, 1_000.0, 2_400.0, 2_999.0, 3_001.0]), 3_000.0)
    assert (np.diff(chance) < 0.0).all()
    assert chance[1] > 0.96
    assert chance[2] == pytest.approx(0.97 / 2)
    assert chance[3] > 0.1
    assert chance[4] == 0.0
    far = batches(remote_id(emitter(Standing((2_400.0, 0.0, 20.0)))))
    assert len(far) / DURATION_S == pytest.approx(0.485, abs=4 * math.sqrt(0.25 / DURATION_S))


def test_a_lie_is_heard_from_where_the_radio_is() -> None:
    lie = Standing((2_000.0, 2_000.0, 100.0))
    far = emitter(lie, radio=Standing((9_000.0, 0.0, 0.0)))
    assert not batches(remote_id(far))
    near = emitter(lie, radio=Standing((500.0, 0.0, 0.0)))
    gaps = errors(batches(remote_id(near)), lie)
    assert len(gaps) > 900
    assert np.abs(gaps).max() < 30.0


def test_a_transmitter_is_heard_only_while_it_is_on() -> None:
    found = batches(remote_id(emitter(circle(400.0, 9.0, 99.0), start_s=75.0, end_s=130.0)))
    times = [(int(b.event_time_ns[0]) - START_NS) / 1e9 for b in found]
    assert min(times) >= 75.0
    assert max(times) < 130.0
    assert len(times) > 45


def test_adding_a_transmitter_leaves_the_first_as_it_was() -> None:
    path = circle(400.0, 9.0, 140.0)
    other = emitter(path, transmitter="02:00:00:00:00:02", phase_s=0.7)
    alone = batches(remote_id(emitter(path)))
    both = [
        b
        for b in batches(remote_id(emitter(path), other))
        if b.claims[0] and b.claims[0].transmitter == "02:00:00:00:00:01"
    ]
    assert [b.values.tobytes() for b in alone] == [b.values.tobytes() for b in both]
    assert [b.raw_sha256 for b in alone] == [b.raw_sha256 for b in both]


def adsb(path: Path, start_s: float = 100.0, end_s: float = 400.0) -> AdsbModel:
    station = sensor(SensorKind.ADSB, 100_000.0, detection_probability=0.95)
    flight = AdsbEmitter("4d03a1", "LAR1", path, start_s, end_s)
    return AdsbModel(station, (flight,), GEOID_M, QNH_HPA)


def test_adsb_lines_say_the_truth() -> None:
    builder = ArcBuilder(100.0, (-6_000.0, 500.0, 160.0), math.radians(80.0))
    path = builder.leg(1.0, speed_mps=60.0).path()
    found = batches(adsb(path))
    assert len(found) / 300 == pytest.approx(0.95, abs=4 * math.sqrt(0.05 / 300))
    gaps, heights = [], []
    for batch in found:
        (row,) = batch.rows()
        assert row.claim is not None
        assert row.claim.identity == "4d03a1"
        assert row.claim.crewed
        assert row.height_reference is HeightReference.PRESSURE
        time_s = (row.event_time_ns - START_NS) / NS_PER_S
        east, north, up = path.states(np.array([time_s]))[0][0].tolist()
        hae = FRAME.to_geodetic(east, north, up)[2]
        place = FRAME.to_enu(row.values[0], row.values[1], hae)
        gaps.append((place[0] - east, place[1] - north))
        heights.append(row.values[2] - pressure_altitude_m(hae - GEOID_M, QNH_HPA))
        assert math.hypot(*row.velocity_mps[:2]) == pytest.approx(60.0, abs=0.1)
        assert not batch.findings
    np.testing.assert_allclose(np.std(gaps, axis=0), 3.0, rtol=0.2)
    assert np.abs(heights).max() <= 12.5 * 0.3048 + 0.01  # half a step of 25 ft
    assert any(b.claims[0] and b.claims[0].category == "LAR1" for b in found)


def test_pressure_altitude_is_that_of_the_standard_atmosphere() -> None:
    # ICAO Doc 7488: 1000 hPa stands at 110.9 m, and 898.75 hPa at 1000 m.
    assert pressure_altitude_m(0.0, 1000.0) == pytest.approx(110.9, abs=0.2)
    assert pressure_altitude_m(450.0, 1013.25) == pytest.approx(450.0)
    # 1008 hPa is 5.25 below the standard; 8.3 m a hectopascal near the ground.
    assert pressure_altitude_m(450.0, 1008.0) - 450.0 == pytest.approx(5.25 * 8.3, rel=0.03)
