"""What one transmitter says, held against itself: checks that need no measurement.

Each is a pure function over the stream of its claims, in the order in which they were heard.
Honest oddities are no lie: beacons repeat the last location several times a second, also while
the satellites are lost; a clock is set right once; positions jump when a fix is found again;
a second receiver may deliver late.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass, field, replace

from skykeep.core.event import Reason
from skykeep.core.geo import Height
from skykeep.units import NS_PER_S, SensorId

#: A stretch of flight over which declared velocity is held against the way that was flown:
#: long enough that a wrong speed outgrows the errors of its two ends.
COURSE_NS = 10 * NS_PER_S
COURSE_LEAST_NS = 5 * NS_PER_S
#: Positions further apart than this are no course: nobody knows what was flown between.
COURSE_GAP_NS = 3 * NS_PER_S
COURSE_APART_NS = NS_PER_S // 2
#: Speeds are declared to 1 m/s or better by satellite receivers in motion (F3411-22a table 9).
SPEED_SIGMA_MPS = 1.0
#: A drone brakes and turns with up to about this, which the trapezium between two velocities
#: does not see.
ACCELERATION_MPS2 = 5.0
#: Position and velocity in one message may differ in age by this much (F3411-22a 5.4.3).
VELOCITY_AGE_S = 1.0
COURSE_SIGMAS = 5.0
#: So many courses in a row, each with a new position: a misfit is a state, not an accident.
MISFITS = 5

#: The data in a message is at most a second old and sent at least every second (F3411-22a
#: 5.4.3): different places under one stamp for this long come from no clock that runs.
FROZEN_NS = 10 * NS_PER_S
FROZEN_PLACES = 3
#: One receiver hears in order; a clock may be set right once or twice, by the satellites and by
#: leap seconds. More steps back than that, each longer than any queue in a receiver, are a
#: recording that starts again, or two devices under one address.
BACK_NS = 5 * NS_PER_S
STEPS_BACK = 3
#: Receivers of one transmitter whose order is remembered.
RECEIVERS = 8

#: Satellite fixes are told to about a centimetre (1e-7 degrees) and wander by decimetres: who
#: says this many places in a row, over this way, that were all said long before, plays a record.
ECHO_PLACES = 10
ECHO_WAY_M = 30.0
ECHO_AFTER_NS = 30 * NS_PER_S
#: Places remembered, of all transmitters together: five hours of one drone.
TOLD_LIMIT = 20_000

SPEED_MISFIT = "declared_speed_misfits"
STAMPS_FROZEN = "stamps_frozen"
STAMPS_BACK = "stamps_go_back"
REPLAYED = "flight_replayed"


@dataclass(frozen=True, slots=True)
class ClaimedState:
    """Where an aircraft says it is: the site's frame, sigmas in metres, velocity or NaN.

    `at_ns` is the time that is claimed, `heard_ns` when it was received, `heard_by` by whom.
    """

    at_ns: int
    east_m: float
    north_m: float
    up_m: float
    lat_deg: float
    lon_deg: float
    height: Height | None
    sigma_horizontal_m: float
    sigma_vertical_m: float
    velocity_mps: tuple[float, float, float]
    heard_ns: int
    heard_by: SensorId

    def distance_m(self, other: ClaimedState) -> float:
        """Horizontal distance between two claimed places."""
        return math.hypot(self.east_m - other.east_m, self.north_m - other.north_m)

    def doubles(self, other: ClaimedState) -> bool:
        """Whether it is the same report again; velocities that are not known never equal."""
        return self.at_ns == other.at_ns and self.same_place(other)

    def same_place(self, other: ClaimedState) -> bool:
        """Whether it names the very same place: a fix that is new never does."""
        own = (self.east_m, self.north_m, self.up_m)
        return own == (other.east_m, other.north_m, other.up_m)


@dataclass(frozen=True, slots=True)
class Stamps:
    """The stamps of one transmitter: the newest, when it was heard, the places told under it.

    `by` holds the last stamp that each receiver heard.
    """

    newest_ns: int = 0
    heard_ns: int = 0
    places: int = 0
    frozen: bool = False
    steps_back: int = 0
    longest_back_ns: int = 0
    by: tuple[tuple[SensorId, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Course:
    """The last places of one transmitter, each new, oldest first, and how many misfitted."""

    states: tuple[ClaimedState, ...] = ()
    misfits: int = 0
    misfit_mps: float = 0.0


@dataclass(frozen=True, slots=True)
class Echo:
    """Places told that were told long before: how many in a row, over which way, how old."""

    places: int = 0
    way_m: float = 0.0
    age_ns: int = 0
    replayed: bool = False


@dataclass(frozen=True, slots=True)
class Habits:
    """What is remembered of one transmitter's stream of claims."""

    last: ClaimedState | None = None
    stamps: Stamps = Stamps()
    course: Course = Course()
    echo: Echo = Echo()


def listen(habits: Habits, state: ClaimedState, echo: Echo) -> Habits:
    """The habits after one more claim, whatever its stamp; `echo` is what `Told` made of it."""
    moved = habits.last is not None and not state.same_place(habits.last)
    return Habits(
        state, stamps_after(habits.stamps, state, moved), course_after(habits.course, state), echo
    )


def stamps_after(s: Stamps, state: ClaimedState, moved: bool) -> Stamps:
    """The stamps after one more; `moved` where it names another place than the one before."""
    steps_back, longest_ns = s.steps_back, s.longest_back_ns
    before_ns = next((ns for by, ns in s.by if by == state.heard_by), state.at_ns)
    if before_ns - state.at_ns > BACK_NS:
        steps_back, longest_ns = steps_back + 1, max(longest_ns, before_ns - state.at_ns)
    by = (*(b for b in s.by if b[0] != state.heard_by), (state.heard_by, state.at_ns))[-RECEIVERS:]
    if state.at_ns > s.newest_ns:
        return Stamps(state.at_ns, state.heard_ns, 1, False, steps_back, longest_ns, by)
    places, frozen = s.places, s.frozen
    if state.at_ns == s.newest_ns and moved:
        places += 1
        stands_ns = state.heard_ns - s.heard_ns
        frozen = frozen or (places >= FROZEN_PLACES and stands_ns >= FROZEN_NS)
    return Stamps(s.newest_ns, s.heard_ns, places, frozen, steps_back, longest_ns, by)


def course_after(c: Course, state: ClaimedState) -> Course:
    """The way flown against the velocity declared, over the last places that were new."""
    if c.states:
        newest = c.states[-1]
        if state.same_place(newest) or state.at_ns - newest.at_ns < COURSE_APART_NS:
            return c
    if not _known(state):
        return Course()
    states = tuple(s for s in c.states if state.at_ns - s.at_ns <= COURSE_NS)
    if states and state.at_ns - states[-1].at_ns > COURSE_GAP_NS:
        return Course((state,))
    if states:
        off_m, limit_m = misfit((states[-1], state))
        if off_m > limit_m:  # one leap is a fix that was found again; many are no flight
            step_s = (state.at_ns - states[-1].at_ns) / NS_PER_S
            return Course((state,), c.misfits + 1, off_m / step_s)
    states = (*states, state)
    elapsed_ns = state.at_ns - states[0].at_ns
    if elapsed_ns < COURSE_LEAST_NS:
        return Course(states, c.misfits, c.misfit_mps)
    off_m, limit_m = misfit(states)
    if off_m <= limit_m:
        return Course(states)
    return Course(states, c.misfits + 1, off_m / (elapsed_ns / NS_PER_S))


def _known(state: ClaimedState) -> bool:
    return not (math.isnan(state.velocity_mps[0]) or math.isnan(state.velocity_mps[1]))


def misfit(course: tuple[ClaimedState, ...]) -> tuple[float, float]:
    """How far the way along declared velocities misses the last place, and how far it may.

    Metres, horizontal; `course` holds two places or more in order of time, velocities known.
    The bound: the errors of both ends, of the speed, of the trapezium rule and of the
    velocity's age.
    """
    east = north = slack = 0.0
    for a, b in itertools.pairwise(course):
        dt = (b.at_ns - a.at_ns) / NS_PER_S
        east += 0.5 * dt * (a.velocity_mps[0] + b.velocity_mps[0])
        north += 0.5 * dt * (a.velocity_mps[1] + b.velocity_mps[1])
        slack += ACCELERATION_MPS2 * dt * dt / 8.0
    first, last = course[0], course[-1]
    turned = math.hypot(
        last.velocity_mps[0] - first.velocity_mps[0], last.velocity_mps[1] - first.velocity_mps[1]
    )
    elapsed_s = (last.at_ns - first.at_ns) / NS_PER_S
    sigma_m = math.sqrt(
        first.sigma_horizontal_m**2
        + last.sigma_horizontal_m**2
        + (SPEED_SIGMA_MPS * elapsed_s) ** 2
    )
    off_m = math.hypot(last.east_m - first.east_m - east, last.north_m - first.north_m - north)
    return off_m, COURSE_SIGMAS * sigma_m + slack + VELOCITY_AGE_S * turned


def contradictions(h: Habits) -> tuple[Reason, ...]:
    """What the claims say against themselves, in a fixed order."""
    found = []
    if h.echo.replayed:
        words = f"the flight was told before, {h.echo.age_ns / NS_PER_S:.0f} s earlier"
        found.append(Reason(REPLAYED, words))
    if h.stamps.frozen:
        words = "different places are told under one stamp that stands still"
        found.append(Reason(STAMPS_FROZEN, words))
    if h.stamps.steps_back >= STEPS_BACK:
        back_s = h.stamps.longest_back_ns / NS_PER_S
        words = f"the stamps went back {h.stamps.steps_back} times, by up to {back_s:.0f} s"
        found.append(Reason(STAMPS_BACK, words))
    if h.course.misfits >= MISFITS:
        words = f"declared speed and the way flown differ by {h.course.misfit_mps:.0f} m/s"
        found.append(Reason(SPEED_MISFIT, words))
    return tuple(found)


def place_key(state: ClaimedState) -> int:
    """A claimed place to 1e-7 degrees, as Remote ID sends it, in one signed 64-bit number."""
    return (round(state.lat_deg * 1e7) << 32) | (round(state.lon_deg * 1e7) & 0xFFFF_FFFF)


@dataclass(slots=True)
class Told:
    """The places that were claimed, by `place_key`, with when each was first heard."""

    first_ns: dict[int, int] = field(default_factory=dict)

    def hear(self, habits: Habits, state: ClaimedState) -> Echo:
        """Remember a place; what it echoes. To be called once for each new claim."""
        echo = habits.echo
        key = place_key(state)
        known_ns = self.first_ns.get(key)
        if known_ns is None:
            self.first_ns[key] = state.heard_ns
            if len(self.first_ns) > TOLD_LIMIT:
                del self.first_ns[next(iter(self.first_ns))]
        if habits.last is not None and state.same_place(habits.last):
            return echo  # said again, and known for that
        if known_ns is None or state.heard_ns - known_ns < ECHO_AFTER_NS:
            # One place that was missed the first time must not hide a whole record.
            return replace(echo, places=max(0, echo.places - 1)) if echo.places else echo
        step_m = state.distance_m(habits.last) if habits.last and echo.places else 0.0
        places, way_m = echo.places + 1, (echo.way_m if echo.places else 0.0) + step_m
        replayed = echo.replayed or (places >= ECHO_PLACES and way_m >= ECHO_WAY_M)
        return Echo(places, way_m, state.heard_ns - known_ns, replayed)

    def snapshot(self) -> tuple[bytes, bytes]:
        """Keys and times, oldest first, as little-endian 64-bit numbers."""
        keys = b"".join(k.to_bytes(8, "little", signed=True) for k in self.first_ns)
        times = b"".join(t.to_bytes(8, "little", signed=True) for t in self.first_ns.values())
        return keys, times

    @staticmethod
    def restore(saved: tuple[bytes, bytes]) -> Told:
        """The same memory again."""
        keys, times = (
            [int.from_bytes(raw[i : i + 8], "little", signed=True) for i in range(0, len(raw), 8)]
            for raw in saved
        )
        return Told(dict(zip(keys, times, strict=True)))
