"""Where parts fall: against the closed form, and the share that the region says it holds."""

from __future__ import annotations

import math

import numpy as np
import pytest

from skykeep.core.debris import GRAVITY_MPS2, FallModel, fall_one, fall_region

STATE = np.array([100.0, -50.0, 120.0, 12.0, 3.0, -1.0])
SIGMAS = np.array([8.0, 8.0, 10.0, 1.5, 1.5, 1.0])
P = np.diag(SIGMAS**2)


@pytest.mark.parametrize("terminal", [5.0, 12.0, 40.0])
@pytest.mark.parametrize("height", [10.0, 120.0, 400.0])
def test_a_drop_through_still_air_takes_as_long_as_the_closed_form_says(
    terminal: float, height: float
) -> None:
    part = np.array([0.0, 0.0, height, 0.0, 0.0, 0.0])
    took = fall_one(part, terminal, 0.0, 0.0, 0.0)
    # z(t) = v^2 / g ln cosh(g t / v)
    literal = terminal / GRAVITY_MPS2 * math.acosh(math.exp(GRAVITY_MPS2 * height / terminal**2))
    assert took == pytest.approx(literal, rel=2e-3, abs=0.01)
    assert part[:3] == pytest.approx([0.0, 0.0, 0.0], abs=1e-9)


def test_a_heavy_part_flies_on_and_a_light_one_goes_with_the_wind() -> None:
    def ends(terminal: float, wind: float) -> float:
        part = np.array([0.0, 0.0, 100.0, 15.0, 0.0, 0.0])
        fall_one(part, terminal, wind, 0.0, 0.0)
        return float(part[0])

    assert ends(1_000.0, 0.0) == pytest.approx(15.0 * math.sqrt(200.0 / GRAVITY_MPS2), rel=0.01)
    assert ends(5.0, -8.0) < -100.0 < 0.0 < ends(5.0, 0.0) < ends(40.0, 0.0)


@pytest.mark.parametrize(
    "model", [FallModel(), FallModel(wind_mps=(6.0, -2.0)), FallModel(wind_bound_mps=5.0)]
)
def test_the_region_holds_what_it_says(model: FallModel) -> None:
    region = fall_region(STATE, P, 0.0, model)
    assert region is not None
    dice = np.random.default_rng(4)
    held = {0.5: 0, 0.9: 0}
    sets = {share: region.smallest(share) for share in held}
    for _ in range(2_000):
        part = STATE + dice.standard_normal(6) * SIGMAS
        low, high = np.log([model.terminal_least_mps, model.terminal_most_mps])
        terminal = math.exp(dice.uniform(low, high))
        if model.wind_mps is None:
            much, way = model.wind_bound_mps * math.sqrt(dice.random()), dice.uniform(0.0, 7.0)
            wind = much * np.array([math.sin(way), math.cos(way)])
        else:
            wind = np.array(model.wind_mps) + model.wind_sigma_mps * dice.standard_normal(2)
        fall_one(part, terminal, wind[0], wind[1], 0.0)
        for share in held:
            row = math.floor((part[1] - region.south_m) / region.cell_m)
            column = math.floor((part[0] - region.west_m) / region.cell_m)
            held[share] += bool(sets[share][row, column])
    assert held[0.5] / 2_000 == pytest.approx(0.5, abs=0.04)
    assert held[0.9] / 2_000 == pytest.approx(0.9, abs=0.02)
    assert 0.0 < region.area_m2(0.5) < region.area_m2(0.9)
    assert region.beyond < 0.01


def test_it_is_said_what_is_assumed_and_said_again_the_same() -> None:
    one, two = fall_region(STATE, P), fall_region(STATE, P)
    assert one is not None
    assert two is not None
    assert one.probability.tobytes() == two.probability.tobytes()
    assert one.rank.tobytes() == two.rank.tobytes()
    assert "wind unknown, up to 12 m/s" in one.words(0.9)
    known = fall_region(STATE, P, 0.0, FallModel(wind_mps=(6.0, -2.0)))
    assert known is not None
    assert known.area_m2(0.9) < one.area_m2(0.9)
    assert "wind of 6 m/s to the east and -2 m/s to the north" in known.words(0.9)
    assert fall_region(STATE - np.array([0, 0, 1e4, 0, 0, 0]), P) is None
