import itertools

import numpy as np

from skykeep.feed.targets import (
    BIRD_LATERAL_MPS2,
    BIRD_SPEED_MPS,
    SOARING_WIND_MPS,
    Flock,
    FlockCursor,
)

FLOCK = Flock(5, 2, 8, 2_500.0, (10.0, 130.0), (300.0, 900.0))
HOUR_S = 3_600.0


def test_there_are_always_as_many_birds() -> None:
    times = np.arange(0.0, HOUR_S, 1.0)
    count = sum(bird.alive(times).astype(int) for bird in FLOCK.until(HOUR_S))
    assert (np.asarray(count) == FLOCK.count).all()


def test_birds_live_as_long_as_said_and_have_names_of_their_own() -> None:
    birds = FLOCK.until(HOUR_S)
    lives = np.array([bird.end_s - bird.start_s for bird in birds])
    assert lives.min() >= 300.0
    assert lives.max() <= 900.0
    assert len({bird.label for bird in birds}) == len(birds)


def test_birds_fly_like_birds() -> None:
    soaring = 0
    birds = FLOCK.until(HOUR_S)
    for bird in birds:
        times = np.arange(bird.start_s, bird.end_s, 0.25)
        position, velocity = bird.path.states(times)
        speed = np.hypot(velocity[:, 0], velocity[:, 1])
        assert speed.min() >= BIRD_SPEED_MPS[0] - SOARING_WIND_MPS - 1e-6
        assert speed.max() <= BIRD_SPEED_MPS[1] + SOARING_WIND_MPS + 1e-6
        pull = np.linalg.norm(np.diff(velocity[:, :2], axis=0), axis=1) / 0.25
        assert pull.max() <= BIRD_LATERAL_MPS2 * 1.01
        # No jump: a step is never longer than the speed allows.
        step = np.linalg.norm(np.diff(position, axis=0), axis=1)
        assert step.max() <= 0.25 * (BIRD_SPEED_MPS[1] + SOARING_WIND_MPS + 0.1)
        assert np.hypot(position[:, 0], position[:, 1]).max() <= FLOCK.radius_m
        assert position[:, 2].min() >= FLOCK.up_range_m[0] - 1e-6
        assert position[:, 2].max() <= FLOCK.up_range_m[1] + 1e-6
        soaring += bool(np.ptp(pull) < 1e-6)
    assert 0 < soaring < len(birds) / 2


def test_the_cursor_shows_who_flies_and_forgets_the_rest() -> None:
    cursor = FlockCursor(FLOCK)
    birds = FLOCK.until(HOUR_S)
    for start_s in np.arange(0.0, HOUR_S, 60.0):
        end_s = start_s + 60.0
        shown = sorted(bird.label for bird in cursor.between(start_s, end_s))
        want = sorted(b.label for b in birds if b.start_s < end_s and b.end_s > start_s)
        assert shown == want
        assert len(shown) <= 2 * FLOCK.count


def test_a_bird_is_the_same_whenever_it_is_asked_for() -> None:
    again = list(itertools.islice(FLOCK.lives(3), 4))
    for one, other in zip(again, itertools.islice(FLOCK.lives(3), 4), strict=True):
        times = np.linspace(one.start_s, one.end_s, 50)
        np.testing.assert_array_equal(one.path.states(times)[0], other.path.states(times)[0])
    times = np.array([100.0])
    first = [next(FLOCK.lives(place)).path.states(times)[0].tolist() for place in range(8)]
    assert len({str(place) for place in first}) == 8
