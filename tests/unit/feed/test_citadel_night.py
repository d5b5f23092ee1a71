"""The scenario: is the sky what it is said to be, and do all places and times agree?"""

import hashlib
import itertools
import math
import time
from collections import Counter
from collections.abc import Iterable
from functools import cache

import numpy as np
import pytest

from skykeep.core.airspace import RegisterSensor
from skykeep.core.event import Permission, Tick
from skykeep.core.geo import (
    Fix,
    HeightAgl,
    HeightAmsl,
    HeightReference,
    Tri,
    depth_m,
    height_span,
    in_area,
    in_heights,
    prepare,
)
from skykeep.core.observation import Batch, Form, Sensor, SensorKind, TargetKind
from skykeep.core.permit import ChangePermit, Permit, PermitEvent, PutPermit
from skykeep.core.zone import PublishZone, Restriction, Zone
from skykeep.feed import citadel_site as site
from skykeep.feed import citadel_sky as sky
from skykeep.feed.citadel_night import Night, citadel_night, quiet_hours
from skykeep.feed.citadel_sky import TruthTarget
from skykeep.feed.simulator import Input, PersonModel
from skykeep.units import NS_PER_S

SEEDS = range(20)


@cache
def night(seed: int = 1) -> Night:
    return citadel_night(seed)


@cache
def items(seed: int = 1) -> tuple[Input, ...]:
    return tuple(night(seed).items())


def truth(label: str, seed: int = 1) -> TruthTarget:
    return next(t for t in night(seed).truth if t.label == label)


def places(target: TruthTarget, from_s: float, to_s: float, step_s: float = 0.5) -> np.ndarray:
    return np.asarray(target.path.states(np.arange(from_s, to_s, step_s))[0])


def scene_s(at_ns: int) -> float:
    return (at_ns - site.START_NS) / NS_PER_S


def level(position: np.ndarray) -> np.ndarray:
    return np.hypot(position[:, 0], position[:, 1])


def digest(stream: Iterable[Input]) -> str:
    total = hashlib.sha256()
    for item in stream:
        if isinstance(item, Batch):
            total.update(f"{item.batch_id} {item.receipt_time_ns} {item.form}".encode())
            for column in (item.event_time_ns, item.values, item.sigmas, item.velocities_mps):
                total.update(column.tobytes())
            if item.kind_likelihood is not None:
                total.update(item.kind_likelihood.tobytes())
            total.update(repr((item.claims, item.words, item.raw_sha256)).encode())
        else:
            total.update(repr(item).encode())
    return total.hexdigest()


def test_the_same_seed_gives_the_same_bytes() -> None:
    some = 2_000
    first = digest(itertools.islice(night().items(), some))
    assert digest(itertools.islice(citadel_night(1).items(), some)) == first
    assert digest(itertools.islice(citadel_night(2).items(), some)) != first
    assert night().truth[5].position_at(truth("intruder-1").start_ns) != truth(
        "intruder-1", 2
    ).position_at(truth("intruder-1").start_ns)


def test_everything_comes_in_order_of_receipt_between_its_ticks() -> None:
    now = site.START_NS - NS_PER_S
    last = 0
    for item in items():
        if isinstance(item, Tick):
            assert item.at_ns == now + NS_PER_S
            now = item.at_ns
        elif isinstance(item, Batch):
            assert now < item.receipt_time_ns <= now + NS_PER_S
            assert item.receipt_time_ns >= last
            assert (item.event_time_ns <= item.receipt_time_ns).all()
            last = item.receipt_time_ns
    assert scene_s(now) == night().duration_s == sky.NIGHT_S


def test_every_sensor_reports_in_its_own_form_under_its_registered_name() -> None:
    sensors: dict[str, Sensor] = {
        i.sensor.sensor_id: i.sensor for i in items() if isinstance(i, RegisterSensor)
    }
    forms = {
        SensorKind.RADAR: Form.POLAR,
        SensorKind.DIRECTION_FINDER: Form.BEARING,
        SensorKind.REMOTE_ID: Form.POSITION,
        SensorKind.ADSB: Form.POSITION,
        SensorKind.PERSON: Form.SIGHTING,
    }
    count: Counter[str] = Counter()
    for item in items():
        if isinstance(item, Batch):
            assert item.form is forms[sensors[item.sensor_id].kind]
            assert not item.findings
            count[item.sensor_id] += 1
    assert set(count) == set(sensors)
    assert count["radar"] == sky.NIGHT_S
    assert count["guard"] + count["resident"] == 5


def test_a_scan_holds_at_least_twenty_false_plots_and_the_birds() -> None:
    sizes = [len(i) for i in items() if isinstance(i, Batch) and i.sensor_id == "radar"]
    assert min(sizes) >= 20 + 15
    # 22 false plots, 30 birds and two drones at 0.9 at the least.
    assert np.mean(sizes) == pytest.approx(22 + 0.9 * 33, abs=2.5)


def test_the_sky_holds_who_is_said_to_be_there() -> None:
    want = {
        "survey": (Permission.PERMITTED, site.SURVEY_SERIAL),
        "police": (Permission.PERMITTED, site.POLICE_SERIAL),
        "revoked": (Permission.NOT_PERMITTED, site.REVOKED_SERIAL),
        "false-transmitter": (None, site.SURVEY_SERIAL),
        "helicopter": (Permission.NOT_SUBJECT, sky.HELICOPTER_ICAO24),
        "intruder-1": (Permission.NOT_PERMITTED, None),
        "intruder-2": (Permission.NOT_PERMITTED, None),
    }
    others = [t for t in night().truth if t.kind not in (TargetKind.BIRD, TargetKind.CLUTTER)]
    assert {t.label: (t.expected, t.identity) for t in others} == want
    birds = [t for t in night().truth if t.kind is TargetKind.BIRD]
    at = site.START_NS + np.arange(0, sky.NIGHT_S, 10) * NS_PER_S
    alive = sum((at >= b.start_ns) & (at < b.end_ns) for b in birds)
    assert (np.asarray(alive) == 30).all()


@pytest.mark.parametrize("label", ["survey", "police", "revoked", "helicopter", "intruder-1"])
def test_nothing_jumps(label: str) -> None:
    target = truth(label)
    times = np.arange(scene_s(target.start_ns), scene_s(target.end_ns), 0.1)
    position, velocity = target.path.states(times)
    step = np.linalg.norm(np.diff(position, axis=0), axis=1)
    fastest = np.linalg.norm(velocity, axis=1).max()
    assert step.max() <= 0.1 * fastest * 1.001
    at_ns = site.START_NS + round(times[50] * NS_PER_S)
    assert target.position_at(at_ns) == pytest.approx(tuple(position[50]), abs=1e-5)


def test_the_survey_drone_stays_well_inside_its_permit() -> None:
    permits = [i.permit for i in items() if isinstance(i, PutPermit)]
    mine = [p for p in permits if p.permit_id == site.SURVEY_PERMIT]
    assert [p.zones for p in mine] == [
        (site.CITADEL_ZONE,),
        (site.CITADEL_ZONE, site.BAN_ZONE),
    ]
    (volume,) = mine[0].volumes
    assert volume.start_ns is not None
    assert volume.end_ns is not None
    assert volume.start_ns < site.START_NS
    assert volume.end_ns > site.START_NS + sky.NIGHT_S * NS_PER_S
    area = prepare(volume.volume.area)
    path = places(truth("survey"), 0.0, sky.NIGHT_S, 1.0)
    depths = []
    for east, north, up in path:
        lat, lon, hae = site.FRAME.to_geodetic(east, north, up)
        depths.append(depth_m(area, lat, lon))
        amsl = HeightAmsl(hae - site.GEOID_M)
        fix = Fix(lat, lon, 5.0, amsl, 15.0)
        inside = in_heights(fix, volume.volume.lower, volume.volume.upper, site.TERRAIN)
        assert inside is Tri.YES
    assert min(depths) >= 60.0
    # It covers ground, and the whole volume lies within 450 m of the centre.
    assert np.ptp(path[:, 0]) > 150.0
    assert np.ptp(path[:, 1]) > 120.0
    corners = [site.FRAME.to_enu(lat, lon, 337.5) for lon, lat in _ring(mine[0])]
    assert max(math.hypot(e, n) for e, n, _ in corners) < 450.0


def _ring(permit: Permit) -> tuple[tuple[float, float], ...]:
    area = permit.volumes[0].volume.area
    rings: tuple[tuple[tuple[float, float], ...], ...] = getattr(area, "rings", ())
    return rings[0]


def test_the_police_drone_stays_inside_its_exemption() -> None:
    (permit,) = [i.permit for i in items() if isinstance(i, PutPermit) and i.permit.exemption_class]
    assert permit.zones == ()
    assert permit.must_broadcast
    volume = permit.volumes[0].volume
    for east, north, up in places(truth("police"), 0.0, sky.NIGHT_S, 5.0):
        lat, lon, hae = site.FRAME.to_geodetic(east, north, up)
        fix = Fix(lat, lon, 10.0, HeightAmsl(hae - site.GEOID_M), 15.0)
        assert in_area(prepare(volume.area), fix) is Tri.YES
        assert in_heights(fix, volume.lower, volume.upper, site.TERRAIN) is Tri.YES


def test_the_revoked_drone_goes_in_hovers_and_lands() -> None:
    target = truth("revoked")
    start_s, end_s = scene_s(target.start_ns), scene_s(target.end_ns)
    assert start_s == 180.0
    path = places(target, start_s, end_s, 0.5)
    away = level(path)
    assert away[0] == pytest.approx(1_600.0, abs=1.0)
    assert away[-1] == pytest.approx(1_600.0, abs=1.0)
    assert path[-1, 2] < 3.0
    assert 60.0 <= 0.5 * (np.abs(away - sky.REVOKED_HOVER_M) < 0.1).sum() <= 62.0
    revoking = [i for i in items() if isinstance(i, ChangePermit)]
    assert [(i.permit_id, i.event) for i in revoking] == [(site.REVOKED_PERMIT, PermitEvent.REVOKE)]


def test_the_helicopter_crosses_the_zone() -> None:
    path = places(truth("helicopter"), 600.0, 720.0, 0.5)
    assert level(path)[0] > 3_000.0
    assert level(path)[-1] > 3_000.0
    assert level(path).min() == pytest.approx(sky.HELICOPTER_OFFSET_M, abs=5.0)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_intruders_come_as_they_are_said_to(seed: int) -> None:
    actors = sky.actors(seed)
    one, two = (
        next(t for t in actors.truth if t.label == label) for label in ("intruder-1", "intruder-2")
    )
    links = {t.label: t.control_link for t in actors.targets}
    assert links["intruder-1"]
    assert not links["intruder-2"]
    bearings = []
    for target, roof_s in ((one, sky.FIRST_ROOF_S), (two, sky.SECOND_ROOF_S)):
        start_s = scene_s(target.start_ns)
        first = places(target, start_s, start_s + 1.0)[0]
        assert math.hypot(first[0], first[1]) > 3_400.0
        bearings.append(math.degrees(math.atan2(first[0], first[1])) % 360.0)
        times = np.arange(start_s, roof_s, 0.1)
        position, velocity = target.path.states(times)
        assert np.hypot(velocity[:, 0], velocity[:, 1]).min() >= 15.0
        over = places(target, roof_s, roof_s + 0.1)[0]
        assert math.hypot(over[0], over[1]) < 1.0
        assert target.wall_crossing_ns is not None
        wall_s = scene_s(target.wall_crossing_ns)
        before, after = places(target, wall_s - 0.02, wall_s + 0.01, 0.02)
        assert math.hypot(before[0], before[1]) > site.WALL_RADIUS_M - 1e-6
        assert math.hypot(after[0], after[1]) < site.WALL_RADIUS_M
        assert (level(position[times < wall_s]) > site.WALL_RADIUS_M - 0.5).all()
    assert scene_s(one.end_ns) == 350.0
    assert sky.SECOND_ROOF_S - sky.FIRST_ROOF_S == 960
    assert 120.0 < abs(bearings[0] - bearings[1]) < 240.0


@pytest.mark.parametrize("seed", SEEDS)
def test_the_first_breaks_up_over_the_roof(seed: int) -> None:
    actors = sky.actors(seed)
    parts = [t for t in actors.truth if t.kind is TargetKind.CLUTTER]
    assert 3 <= len(parts) <= 6
    for part in parts:
        assert scene_s(part.start_ns) == 350.0
        fall_s = scene_s(part.end_ns) - 350.0
        assert 3.0 <= fall_s <= 5.0
        path = places(part, 350.0, 350.0 + fall_s, 0.1)
        assert level(path).max() <= 60.0
    for place in actors.fragments:
        assert place[2] == pytest.approx(0.0, abs=1e-6)
        assert math.hypot(place[0], place[1]) <= 60.0


@pytest.mark.parametrize("seed", SEEDS)
def test_the_false_transmitter_lies_where_it_can_be_found_out(seed: int) -> None:
    actors = sky.actors(seed)
    liar = next(t for t in actors.truth if t.label == "false-transmitter")
    second = next(t for t in actors.truth if t.label == "intruder-2")
    survey = next(t for t in actors.truth if t.label == "survey")
    emitters = {e.transmitter: e for e in actors.remote_id}
    assert emitters[liar.transmitter].serial == emitters[survey.transmitter].serial
    area = prepare(site.survey_permit(()).volumes[0].volume.area)
    lat, lon, _ = site.FRAME.to_geodetic(*liar.position_at(liar.start_ns))
    assert -depth_m(area, lat, lon) == pytest.approx(2_000.0, abs=20.0)
    assert liar.claimed is not None
    times = np.arange(scene_s(liar.start_ns), sky.NIGHT_S, 0.5)
    claimed = liar.claimed.states(times)[0]
    assert np.linalg.norm(np.diff(claimed, axis=0), axis=1).max() <= 0.5 * sky.LURE_SPEED_MPS + 0.01
    early = times < sky.LURE_S
    here = np.array(liar.position_at(liar.start_ns))
    assert level(claimed[early] - here).max() < 100.0
    for other, from_s in ((second, sky.SECOND_START_S), (survey, 0.0)):
        both = times >= from_s
        gap = np.linalg.norm(claimed[both] - other.path.states(times[both])[0], axis=1)
        assert gap.min() >= 300.0
    late = (times > sky.LURE_S) & (times < sky.SECOND_ROOF_S)
    course = np.diff(claimed[late], axis=0)[:, :2].mean(axis=0)
    way = np.diff(second.path.states(times[late])[0], axis=0)[:, :2].mean(axis=0)
    cosine = course @ way / np.linalg.norm(course) / np.linalg.norm(way)
    assert cosine > math.cos(math.radians(5.0))


def test_the_aircraft_are_surely_below_the_zones_ceiling() -> None:
    for label in ("survey", "police", "revoked", "intruder-1", "intruder-2", "helicopter"):
        target = truth(label)
        path = places(target, scene_s(target.start_ns), scene_s(target.end_ns), 1.0)
        hae = [site.FRAME.to_geodetic(*place)[2] for place in path]
        amsl = np.array(hae) - site.GEOID_M
        span = height_span(HeightAmsl(amsl.max()), 0.0, HeightReference.AGL, site.TERRAIN)
        assert span is not None
        assert span.high_m < site.ZONE_TOP_AGL_M - 20.0


def test_the_zones_of_the_night() -> None:
    published: list[tuple[int, Zone]] = []
    permits: list[tuple[int, Permit]] = []
    second = -1
    for item in items():
        if isinstance(item, Tick):
            second += 1
        elif isinstance(item, PublishZone):
            published.append((second, item.zone))
        elif isinstance(item, PutPermit):
            permits.append((second, item.permit))
    own = [(at, zone) for at, zone in published if zone.authority_id == site.AUTHORITY_ID]
    assert [(at, zone.zone_id) for at, zone in own] == [
        (0, site.CITADEL_ZONE),
        (sky.FIRST_ROOF_S + 60, site.BAN_ZONE),
    ]
    citadel, ban = own[0][1], own[1][1]
    assert citadel.restriction is ban.restriction is Restriction.PROHIBITED
    assert citadel.periods == ()
    assert ban.emergency
    assert citadel.volumes[0].upper == HeightAgl(300.0)
    assert getattr(citadel.volumes[0].area, "radius_m", 0.0) == 500.0
    assert permits[-1][0] == sky.BAN_S
    assert len(published) == 2 + 47
    assert all(at == 0 for at, zone in published if zone.authority_id != site.AUTHORITY_ID)


def test_one_person_saw_the_first_intruder_and_the_others_were_mistaken() -> None:
    told = [i for i in items() if isinstance(i, Batch) and i.form is Form.SIGHTING]
    assert all(len(batch.words) == 1 and batch.words[0] for batch in told)
    (saw,) = [batch for batch in told if "towards the citadel" in batch.words[0]]
    off = []
    for seed in SEEDS:
        here = site.FRAME.to_enu(
            site.RESIDENT.lat_deg, site.RESIDENT.lon_deg, site.RESIDENT.height_hae_m
        )
        place = places(truth("intruder-1", seed), 322.0, 322.1)[0]
        want = math.degrees(math.atan2(place[0] - here[0], place[1] - here[1]))
        (person,) = [m for m in night(seed).scene.sensors if m.sensor.sensor_id == "resident"]
        assert isinstance(person, PersonModel)
        said = person.sightings[0].azimuth_deg
        assert said is not None
        off.append((said - want + 180.0) % 360.0 - 180.0)
    assert 8.0 < np.std(off) < 24.0
    assert scene_s(int(saw.event_time_ns[0])) % 60.0 == 0.0
    assert saw.receipt_time_ns > truth("intruder-1").end_ns


def test_the_aftermath_says_where_the_parts_fell() -> None:
    after = night().aftermath
    assert after is not None
    parts = [t for t in night().truth if t.kind is TargetKind.CLUTTER]
    assert len(after.report.parts) == len(parts)
    for found, part in zip(after.report.parts, parts, strict=True):
        east, north, up = part.position_at(part.end_ns)
        e, n, _ = site.FRAME.to_enu(found.lat_deg, found.lon_deg, 337.5)
        assert math.hypot(e - east, n - north) < 1.0
        assert abs(up) < 0.01
    assert after.report.injuries == after.report.damage == "none"
    assert after.report.at_ns > site.START_NS + sky.NIGHT_S * NS_PER_S
    assert {label for a in after.assessments for label in a.about} <= {
        t.label for t in night().truth
    }


def test_quiet_hours_hold_no_drone_and_come_as_a_stream() -> None:
    quiet = quiet_hours(4, 24.0)
    assert quiet.duration_s == 86_400
    began = time.perf_counter()
    seconds = 0
    seen: Counter[str] = Counter()
    for item in quiet.items():
        if isinstance(item, Batch):
            seen[item.sensor_id] += 1
            assert not item.claims
        elif isinstance(item, Tick):
            seconds += 1
            if seconds > 5_000:
                break
        else:
            assert isinstance(item, (RegisterSensor, PublishZone))
    spent_ms = 1e3 * (time.perf_counter() - began) / seconds
    print(f"quiet hours: {spent_ms:.3f} ms for each simulated second")
    assert set(seen) == {"radar", "guard", "resident"}
    assert seen["radar"] == 5_000
    assert seen["guard"] == 2
    assert quiet.truth == ()
