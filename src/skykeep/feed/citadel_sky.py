"""Who flies over the citadel in the night: paths, broadcasts and what is true of each.

Times are seconds since the night's start, places metres in the site's frame, bearings
degrees from the citadel's centre. What the seed changes: the intruders' bearings and
heights, the breaking up, the birds, and every sensor's errors.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from skykeep.core.event import Permission
from skykeep.core.observation import TargetKind
from skykeep.feed import citadel_site as site
from skykeep.feed.citadel_site import Place, at_bearing, up_of
from skykeep.feed.paths import ArcBuilder, Arcs, Falling, Path, Standing, Weaving
from skykeep.feed.simulated_broadcasts import AdsbEmitter, RemoteIdEmitter
from skykeep.feed.targets import Flock, Target, generator
from skykeep.units import seconds

FIRST_START_S, FIRST_ROOF_S = 150, 350
FIRST_DISTANCE_M, FIRST_SPEED_MPS = 3_600.0, 18.0
FIRST_BEARING_DEG, FIRST_SPREAD_DEG = 45.0, 8.0
#: The second comes 16 minutes after the first.
SECOND_ROOF_S = FIRST_ROOF_S + 16 * 60
SECOND_DISTANCE_M, SECOND_SPEED_MPS = 3_600.0, 20.0
SECOND_START_S = SECOND_ROOF_S - round(SECOND_DISTANCE_M / SECOND_SPEED_MPS)
SECOND_BEARING_DEG, SECOND_SPREAD_DEG = 225.0, 5.0
BAN_S = FIRST_ROOF_S + 60
NIGHT_S = SECOND_ROOF_S + 120

INTRUDER_AMSL_M, INTRUDER_AMSL_SPREAD_M = 430.0, 10.0
#: Above the roof: the first comes down over its last 400 m and breaks up here.
BREAK_UP_AMSL_M, DESCENT_M = 360.0, 400.0
PARTS = (3, 6)
PART_SPEED_MPS = 12.0  # with under 5 s of fall, all parts land within 60 m
PART_RISE_MPS = (-3.0, 6.0)  # makes a fall of 3 to 5 s from 70 m
PART_RADAR_SHARE = 0.5

SURVEY_AMSL_M, SURVEY_SPEED_MPS = 365.0, 6.0
SURVEY_LEG_M, SURVEY_LEGS, SURVEY_TURN_M = 170.0, 4, 25.0
POLICE_AMSL_M, POLICE_SPEED_MPS, POLICE_RADIUS_M = 430.0, 9.0, 300.0
#: So that the police drone is on the far side when the intruders come over its circle.
POLICE_BEARING_AT_START_DEG = 12.6

REVOKED_START_S, REVOKED_BEARING_DEG = 180, 120.0
REVOKED_HOME_M, REVOKED_HOVER_M, REVOKED_HOVER_S = 1_600.0, 380.0, 60.0
REVOKED_AMSL_M, REVOKED_SPEED_MPS = 410.0, 10.0
REVOKED_CLIMB_MPS, REVOKED_SINK_MPS = 5.0, 3.0
GAIN_MPS2 = 2.5  # how fast a drone gathers and loses way

HELICOPTER_S, HELICOPTER_SPAN_S = 660, 100  # nearest at, and seen this long before and after
HELICOPTER_COURSE_DEG, HELICOPTER_OFFSET_M = 315.0, 150.0
HELICOPTER_SPEED_MPS, HELICOPTER_AMSL_M = 60.0, 450.0
HELICOPTER_ICAO24, HELICOPTER_CALLSIGN = "4d03a1", "LAR1"

#: The false transmitter stands 2 km from the survey's volume.
FALSE_START_S, FALSE_BEARING_DEG, FALSE_DISTANCE_M = 120, 207.0, 2_130.0
FALSE_AMSL_M, FALSE_SPEED_MPS, FALSE_CIRCLE_M = 400.0, 6.0, 60.0
#: From here on it claims to fly beside the second intruder's way in.
LURE_S, LURE_SPEED_MPS = 1_180, 20.0

BIRDS, BIRD_RADIUS_M, BIRD_AMSL_M, BIRD_LIFE_S = 30, 2_500.0, (300.0, 420.0), (300.0, 900.0)

_SKY_KEY, _FLOCK_KEY = 1, 2  # random streams; a sensor's is the CRC of its id
_WALL_STEP_S = 0.01


@dataclass(frozen=True, slots=True, eq=False)
class TruthTarget:
    """What is true of one thing in the sky (or of one transmitter on the ground: no kind).

    `expected` is the permission it ought to be given in the site's zones, None where the
    question does not arise. `identity` is the serial number or address that it sends, and
    `transmitter` its radio's address. `wall_crossing_ns` is when an intruder first came
    within the citadel's wall. `claimed` is where a false transmitter says it flies.
    """

    label: str
    words: str
    kind: TargetKind | None
    identity: str | None
    transmitter: str
    expected: Permission | None
    start_ns: int
    end_ns: int
    scene_start_ns: int
    path: Path
    wall_crossing_ns: int | None = None
    claimed: Path | None = None

    def position_at(self, at_ns: int) -> Place:
        """East, north, up in metres in the site's frame; only its own times mean anything."""
        return self._place(self.path, at_ns)

    def claimed_at(self, at_ns: int) -> Place:
        """Where it says it is: the truth, but for a false transmitter."""
        return self._place(self.path if self.claimed is None else self.claimed, at_ns)

    def _place(self, path: Path, at_ns: int) -> Place:
        time_s = (at_ns - self.scene_start_ns) / 1e9
        east, north, up = path.states(np.array([time_s]))[0][0].tolist()
        return east, north, up


@dataclass(frozen=True, slots=True)
class Actors:
    """Everything in the sky of one night but the birds."""

    targets: tuple[Target, ...]
    remote_id: tuple[RemoteIdEmitter, ...]
    adsb: tuple[AdsbEmitter, ...]
    truth: tuple[TruthTarget, ...]
    fragments: tuple[Place, ...]  # where the parts of the first intruder came to lie


def flock(seed: int) -> Flock:
    """The birds of a night."""
    low, high = (up_of(m) for m in BIRD_AMSL_M)
    return Flock(seed, _FLOCK_KEY, BIRDS, BIRD_RADIUS_M, (low, high), BIRD_LIFE_S)


def bird_truth(bird: Target) -> TruthTarget:
    """A bird as a truth."""
    return _truth(bird, "a bird", None, "", None)


def _truth(
    target: Target,
    words: str,
    identity: str | None,
    transmitter: str,
    expected: Permission | None,
    wall_s: float | None = None,
) -> TruthTarget:
    return TruthTarget(
        target.label,
        words,
        target.kind,
        identity,
        transmitter,
        expected,
        site.START_NS + seconds(target.start_s),
        site.START_NS + seconds(target.end_s),
        site.START_NS,
        target.path,
        None if wall_s is None else site.START_NS + seconds(wall_s),
    )


def survey_path() -> Arcs:
    """A closed lawn-mower pattern in the middle of the survey's volume."""
    east, north = site.SURVEY_CENTRE_M
    swing = 2.0 * SURVEY_TURN_M
    height = (SURVEY_LEGS - 1) * swing
    start = (east - SURVEY_LEG_M / 2.0, north - height / 2.0, up_of(SURVEY_AMSL_M))
    builder = ArcBuilder(0.0, start, math.pi / 2.0)
    builder.speed_mps = SURVEY_SPEED_MPS
    for leg in range(SURVEY_LEGS):
        builder.straight(SURVEY_LEG_M)
        if leg < SURVEY_LEGS - 1:
            builder.turn(math.pi * (1.0 if leg % 2 else -1.0), SURVEY_TURN_M)
    builder.turn(-math.pi / 2.0, SURVEY_TURN_M).straight(height - swing)
    builder.turn(-math.pi / 2.0, SURVEY_TURN_M)
    return builder.path(repeat=True)


def police_path() -> Arcs:
    """A circle around the citadel, clockwise."""
    bearing = POLICE_BEARING_AT_START_DEG
    start = at_bearing(bearing, POLICE_RADIUS_M, up_of(POLICE_AMSL_M))
    builder = ArcBuilder(0.0, start, math.radians(bearing + 90.0))
    builder.speed_mps = POLICE_SPEED_MPS
    return builder.turn(2.0 * math.pi, POLICE_RADIUS_M).path()


def revoked_path() -> tuple[Arcs, float]:
    """Up, into the zone, a minute's hovering, back and down; and when it has landed."""
    bearing = REVOKED_BEARING_DEG
    rise = up_of(REVOKED_AMSL_M)
    builder = ArcBuilder(
        float(REVOKED_START_S),
        at_bearing(bearing, REVOKED_HOME_M, 0.0),
        math.radians(bearing + 180.0),
    )
    builder.leg(rise / REVOKED_CLIMB_MPS, climb_mps=REVOKED_CLIMB_MPS)
    _dash(builder, REVOKED_HOME_M - REVOKED_HOVER_M)
    builder.leg(REVOKED_HOVER_S).face(math.radians(bearing))
    _dash(builder, REVOKED_HOME_M - REVOKED_HOVER_M)
    builder.leg(rise / REVOKED_SINK_MPS, climb_mps=-REVOKED_SINK_MPS)
    return builder.path(), builder.at_s


def _dash(builder: ArcBuilder, distance_m: float) -> None:
    """From rest to rest over a distance."""
    gather_s = REVOKED_SPEED_MPS / GAIN_MPS2
    builder.leg(gather_s, speed_mps=0.0, gain_mps2=GAIN_MPS2)
    builder.straight(distance_m - REVOKED_SPEED_MPS * gather_s)
    builder.leg(gather_s, gain_mps2=-GAIN_MPS2)
    builder.speed_mps = 0.0


def _helicopter_path() -> Arcs:
    course = math.radians(HELICOPTER_COURSE_DEG)
    back = HELICOPTER_SPEED_MPS * HELICOPTER_SPAN_S
    left = (-HELICOPTER_OFFSET_M * math.cos(course), HELICOPTER_OFFSET_M * math.sin(course))
    start = (
        left[0] - back * math.sin(course),
        left[1] - back * math.cos(course),
        up_of(HELICOPTER_AMSL_M),
    )
    builder = ArcBuilder(float(HELICOPTER_S - HELICOPTER_SPAN_S), start, course)
    return builder.leg(1.0, speed_mps=HELICOPTER_SPEED_MPS).path()


def first_path(bearing_deg: float, amsl_m: float) -> Weaving:
    """Straight for the citadel with a slight weave, lower over the last stretch."""
    course = math.radians(bearing_deg + 180.0)
    start = at_bearing(bearing_deg, FIRST_DISTANCE_M, up_of(amsl_m))
    builder = ArcBuilder(float(FIRST_START_S), start, course)
    builder.speed_mps = FIRST_SPEED_MPS
    builder.straight(FIRST_DISTANCE_M - DESCENT_M)
    sink = (amsl_m - BREAK_UP_AMSL_M) * FIRST_SPEED_MPS / DESCENT_M
    builder.straight(DESCENT_M, climb_mps=-sink)
    return Weaving(builder.path(), course, 20.0, 25.0, float(FIRST_ROOF_S))


def second_path(bearing_deg: float, amsl_m: float) -> Weaving:
    """Straight over the citadel and on."""
    course = math.radians(bearing_deg + 180.0)
    start = at_bearing(bearing_deg, SECOND_DISTANCE_M, up_of(amsl_m))
    builder = ArcBuilder(float(SECOND_START_S), start, course)
    builder.leg(1.0, speed_mps=SECOND_SPEED_MPS)
    return Weaving(builder.path(), course, 15.0, 30.0, float(SECOND_ROOF_S))


def lure_path(second_bearing_deg: float) -> Arcs:
    """What the false transmitter claims: circles near it, then a way beside the second's."""
    centre = at_bearing(FALSE_BEARING_DEG, FALSE_DISTANCE_M, up_of(FALSE_AMSL_M))
    start = (centre[0], centre[1] + FALSE_CIRCLE_M, centre[2])
    builder = ArcBuilder(float(FALSE_START_S), start, math.pi / 2.0)
    builder.leg(
        float(LURE_S - FALSE_START_S),
        speed_mps=FALSE_SPEED_MPS,
        turn_radps=FALSE_SPEED_MPS / FALSE_CIRCLE_M,
    )
    builder.face(math.radians(second_bearing_deg + 180.0))
    return builder.leg(1.0, speed_mps=LURE_SPEED_MPS).path()


def wall_crossing_s(path: Path, start_s: float, end_s: float) -> float | None:
    """The first time within the citadel's wall, to a hundredth of a second; None if never."""
    times = np.arange(start_s, end_s, _WALL_STEP_S)
    position = path.states(times)[0]
    inside = np.flatnonzero(np.hypot(position[:, 0], position[:, 1]) < site.WALL_RADIUS_M)
    return float(times[inside[0]]) if len(inside) else None


def _parts(rng: np.random.Generator, first: Path) -> tuple[list[Target], tuple[Place, ...]]:
    at_s = float(FIRST_ROOF_S)
    from_m = first.states(np.array([at_s]))[0][0].tolist()
    targets, places = [], []
    for number in range(int(rng.integers(PARTS[0], PARTS[1] + 1))):
        angle, speed = rng.uniform(0.0, 2.0 * math.pi), PART_SPEED_MPS * math.sqrt(rng.uniform())
        velocity = (
            speed * math.sin(angle),
            speed * math.cos(angle),
            float(rng.uniform(*PART_RISE_MPS)),
        )
        path = Falling(at_s, (from_m[0], from_m[1], from_m[2]), velocity)
        end_s = at_s + path.duration_s(0.0)
        label = f"part-{number + 1}"
        share = PART_RADAR_SHARE
        targets.append(Target(label, TargetKind.CLUTTER, path, at_s, end_s, radar_share=share))
        east, north, up = path.states(np.array([end_s]))[0][0].tolist()
        places.append((east, north, up))
    return targets, tuple(places)


def _intruders(seed: int) -> tuple[list[Target], list[TruthTarget], tuple[Place, ...], float]:
    """Both intruders and the parts of the first; last the second's bearing."""
    rng = generator(seed, _SKY_KEY)
    spread = rng.uniform(-1.0, 1.0, 4)
    bearing = SECOND_BEARING_DEG + SECOND_SPREAD_DEG * float(spread[1])
    paths = (
        first_path(
            FIRST_BEARING_DEG + FIRST_SPREAD_DEG * float(spread[0]),
            INTRUDER_AMSL_M + INTRUDER_AMSL_SPREAD_M * float(spread[2]),
        ),
        second_path(bearing, INTRUDER_AMSL_M + INTRUDER_AMSL_SPREAD_M * float(spread[3])),
    )
    first = Target(
        "intruder-1",
        TargetKind.DRONE,
        paths[0],
        float(FIRST_START_S),
        float(FIRST_ROOF_S),
        control_link=True,
    )
    second = Target("intruder-2", TargetKind.DRONE, paths[1], float(SECOND_START_S), float(NIGHT_S))
    parts, places = _parts(rng, first.path)
    words = (
        "a drone without Remote ID, its control link can be heard; breaks up over the roof",
        "a silent drone without Remote ID; flies over the roof and on",
    )
    truth = [
        _truth(
            target,
            said,
            None,
            "",
            Permission.NOT_PERMITTED,
            wall_crossing_s(target.path, target.start_s, target.end_s),
        )
        for target, said in zip((first, second), words, strict=True)
    ]
    truth += [_truth(part, "a falling part of intruder-1", None, "", None) for part in parts]
    return [first, second, *parts], truth, places, bearing


@dataclass(frozen=True, slots=True)
class _Named:
    """A drone that broadcasts who it is."""

    label: str
    words: str
    serial: str
    transmitter: str
    expected: Permission
    phase_s: float
    home_m: Place


_NAMED = (
    _Named(
        "survey",
        "a survey drone with a permit",
        site.SURVEY_SERIAL,
        "02:5a:7c:10:00:11",
        Permission.PERMITTED,
        0.1,
        (-330.0, -20.0, 0.0),
    ),
    _Named(
        "police",
        "a police drone under a standing exemption",
        site.POLICE_SERIAL,
        "02:5a:7c:10:00:12",
        Permission.PERMITTED,
        0.4,
        (350.0, -60.0, 0.0),
    ),
    _Named(
        "revoked",
        "a drone whose permit was revoked in the afternoon",
        site.REVOKED_SERIAL,
        "02:5a:7c:10:00:13",
        Permission.NOT_PERMITTED,
        0.6,
        at_bearing(REVOKED_BEARING_DEG, REVOKED_HOME_M + 10.0, 0.0),
    ),
)
FALSE_TRANSMITTER = "02:5a:7c:66:06:66"


def _broadcasting() -> tuple[list[Target], list[RemoteIdEmitter], list[TruthTarget]]:
    revoked, landed_s = revoked_path()
    flights = (
        (survey_path(), 0.0, float(NIGHT_S)),
        (police_path(), 0.0, float(NIGHT_S)),
        (revoked, float(REVOKED_START_S), landed_s),
    )
    targets, emitters, truth = [], [], []
    for named, (path, start_s, end_s) in zip(_NAMED, flights, strict=True):
        target = Target(named.label, TargetKind.DRONE, path, start_s, end_s, control_link=True)
        targets.append(target)
        emitters.append(
            RemoteIdEmitter(
                named.transmitter,
                named.serial,
                path,
                path,
                start_s,
                end_s,
                named.phase_s,
                named.home_m,
            )
        )
        truth.append(_truth(target, named.words, named.serial, named.transmitter, named.expected))
    return targets, emitters, truth


def _false_transmitter(second_bearing_deg: float) -> tuple[RemoteIdEmitter, TruthTarget]:
    place = at_bearing(FALSE_BEARING_DEG, FALSE_DISTANCE_M, 0.0)
    claimed = lure_path(second_bearing_deg)
    start_s, end_s = float(FALSE_START_S), float(NIGHT_S)
    emitter = RemoteIdEmitter(
        FALSE_TRANSMITTER,
        site.SURVEY_SERIAL,
        Standing(place),
        claimed,
        start_s,
        end_s,
        0.8,
        place,
    )
    truth = TruthTarget(
        "false-transmitter",
        "a transmitter on the ground that broadcasts the survey drone's serial",
        None,
        site.SURVEY_SERIAL,
        FALSE_TRANSMITTER,
        None,
        site.START_NS + seconds(start_s),
        site.START_NS + seconds(end_s),
        site.START_NS,
        Standing(place),
        claimed=claimed,
    )
    return emitter, truth


def actors(seed: int) -> Actors:
    """All but the birds of the night with this seed."""
    targets, emitters, truth = _broadcasting()
    intruders, intruder_truth, fragments, bearing = _intruders(seed)
    liar, liar_truth = _false_transmitter(bearing)
    path = _helicopter_path()
    start_s = float(HELICOPTER_S - HELICOPTER_SPAN_S)
    end_s = float(HELICOPTER_S + HELICOPTER_SPAN_S)
    helicopter = Target("helicopter", TargetKind.AIRCRAFT, path, start_s, end_s)
    icao24 = HELICOPTER_ICAO24
    return Actors(
        (*targets, helicopter, *intruders),
        (*emitters, liar),
        (AdsbEmitter(icao24, HELICOPTER_CALLSIGN, path, start_s, end_s),),
        (
            *truth,
            liar_truth,
            _truth(helicopter, "a rescue helicopter", icao24, icao24, Permission.NOT_SUBJECT),
            *intruder_truth,
        ),
        fragments,
    )
