import math

import numpy as np
import pytest

from skykeep.feed.paths import GRAVITY_MPS2, ArcBuilder, Arcs, Falling, Path, Standing, Weaving


def slope_error(path: Path, start_s: float, end_s: float, step_s: float = 0.01) -> float:
    """The largest difference between the velocity stated and the one the positions show."""
    times = np.arange(start_s, end_s, step_s)
    position, velocity = path.states(times)
    shown = np.diff(position, axis=0) / step_s
    return float(np.abs(shown - 0.5 * (velocity[1:] + velocity[:-1])).max())


def built() -> Arcs:
    builder = ArcBuilder(10.0, (1.0, 2.0, 3.0), math.radians(30.0))
    builder.leg(4.0, speed_mps=2.0, gain_mps2=1.0)
    builder.turn(math.pi, 40.0).straight(100.0, climb_mps=1.0).turn(-math.pi / 2.0, 25.0)
    return builder.path()


def test_arcs_keep_position_and_velocity_together() -> None:
    path = built()
    assert slope_error(path, 10.0, 60.0) < 0.51  # half the step of 1 m/s in the climb
    assert slope_error(path, 10.0, 30.0) < 1e-3


def test_arcs_match_a_stepwise_integration() -> None:
    # The literal reference: small steps along the heading.
    east, north, heading, speed = 0.0, 0.0, 0.5, 12.0
    rate, steps, duration = -0.08, 200_000, 25.0
    dt = duration / steps
    for _ in range(steps):
        heading += 0.5 * rate * dt
        east += speed * math.sin(heading) * dt
        north += speed * math.cos(heading) * dt
        heading += 0.5 * rate * dt
    builder = ArcBuilder(0.0, (0.0, 0.0, 0.0), 0.5)
    builder.leg(duration, speed_mps=speed, turn_radps=rate)
    end = builder.path().states(np.array([duration]))[0][0]
    np.testing.assert_allclose(end, (east, north, 0.0), atol=1e-6)
    np.testing.assert_allclose(builder.position_m, end, atol=1e-9)


def test_wind_carries_an_arc_along() -> None:
    builder = ArcBuilder(5.0, (0.0, 0.0, 0.0), 0.0).leg(60.0, speed_mps=9.0, turn_radps=0.1)
    still, windy = builder.path(), builder.path(wind_mps=(1.0, -2.0))
    times = np.array([5.0, 20.0, 65.0])
    gone = windy.states(times)[0] - still.states(times)[0]
    np.testing.assert_allclose(gone, [[0, 0, 0], [15, -30, 0], [60, -120, 0]])
    assert slope_error(windy, 5.0, 65.0) < 1e-3


def test_a_repeating_path_comes_round() -> None:
    builder = ArcBuilder(0.0, (50.0, 0.0, 9.0), 0.0)
    builder.speed_mps = 5.0
    builder.turn(2.0 * math.pi, 50.0)
    path = builder.path(repeat=True)
    period = 2.0 * math.pi * 50.0 / 5.0
    times = np.array([1.0, 17.0])
    np.testing.assert_allclose(
        path.states(times + 1000 * period)[0], path.states(times)[0], atol=1e-6
    )


def test_a_leg_that_turns_keeps_its_speed() -> None:
    builder = ArcBuilder(0.0, (0.0, 0.0, 0.0), 0.0)
    with pytest.raises(ValueError, match="keeps its speed"):
        builder.leg(1.0, speed_mps=1.0, gain_mps2=1.0, turn_radps=1.0)


def test_weaving_is_still_when_it_should_be() -> None:
    base = ArcBuilder(0.0, (0.0, 0.0, 5.0), 1.0).leg(1.0, speed_mps=18.0).path()
    path = Weaving(base, 1.0, 20.0, 25.0, still_s=40.0)
    at = np.array([40.0])
    np.testing.assert_allclose(path.states(at)[0], base.states(at)[0])
    assert slope_error(path, 0.0, 80.0) < 1e-3
    times = np.arange(0.0, 100.0, 0.1)
    away = np.linalg.norm(path.states(times)[0] - base.states(times)[0], axis=1)
    assert away.max() == pytest.approx(20.0, abs=0.01)


def test_falling_reaches_the_ground_when_it_says() -> None:
    path = Falling(7.0, (3.0, 4.0, 70.0), (2.0, -1.0, 5.0))
    duration = path.duration_s(0.0)
    position, velocity = path.states(np.array([7.0, 7.0 + duration]))
    np.testing.assert_allclose(position[0], (3.0, 4.0, 70.0))
    assert position[1, 2] == pytest.approx(0.0, abs=1e-9)
    assert velocity[1, 2] == pytest.approx(5.0 - GRAVITY_MPS2 * duration)
    assert slope_error(path, 7.0, 7.0 + duration) < 1e-6


def test_standing_stands() -> None:
    position, velocity = Standing((1.0, 2.0, 3.0)).states(np.array([0.0, 9.0]))
    np.testing.assert_array_equal(position, [[1, 2, 3], [1, 2, 3]])
    assert not velocity.any()
