"""The gate against trying every pair."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skykeep.core.observation import TargetKind
from skykeep.core.track import gate
from skykeep.core.track.tracker import KIND_PRIOR
from tests.reference import kalman
from tests.reference.tracking import kind_fit, mixture
from tests.unit.core.track.test_kernels import F64, random_covariance, random_state

LOG_PRIOR = np.log([KIND_PRIOR[k] for k in TargetKind])
LOG_PD, GATE2 = math.log(0.9), 16.0
Pairs = dict[tuple[int, int], tuple[float, ...]]


class Tracks:
    """Random tracks of M models within a room of some size."""

    def __init__(self, rng: np.random.Generator, count: int, models: int, room_m: float) -> None:
        self.x_of, self.p_of = np.zeros((count, models, 6)), np.zeros((count, models, 6, 6))
        self.share_of = rng.dirichlet(np.ones(models), count)
        self.x, self.p = np.zeros((count, 6)), np.zeros((count, 6, 6))
        for i in range(count):
            at = rng.uniform(-room_m, room_m, 3)
            for m in range(models):
                self.x_of[i, m], self.p_of[i, m] = random_state(rng)
                self.x_of[i, m, :3] = at + rng.normal(0.0, 3.0, 3)
            self.x[i], self.p[i] = mixture(self.share_of[i], [*self.x_of[i]], [*self.p_of[i]])
        self.lag_s = np.where(rng.random(count) < 0.5, 0.0, -rng.uniform(0.0, 5.0, count))
        self.kinds = -rng.uniform(0.0, 8.0, (count, 4))

    def pairs(self, z: F64, r: F64, log_null: F64, kinds: F64) -> tuple[Pairs, list[int]]:
        """Each pair's likelihood by model and its fit; and the finite plots in their order."""
        start, plot, like, fit, seen, order = gate.pairs_in_gate(
            len(self.x), self.x, self.x_of, self.p_of, self.share_of, self.lag_s, z, r,
            log_null, self.kinds, kinds, LOG_PRIOR, LOG_PD, GATE2,
        )  # fmt: skip
        assert start[0] == 0
        assert start[-1] == len(plot) == len(like) == len(fit)
        assert (seen[:, :3] == z[order]).all()
        found = {
            (i, int(order[plot[e]])): (*like[e].tolist(), float(fit[e]))
            for i in range(len(self.x))
            for e in range(start[i], start[i + 1])
        }
        assert len(found) == len(plot)
        return found, order.tolist()

    def tried(self, z: F64, r: F64, log_null: F64, kinds: F64) -> Pairs:
        found = {}
        for i, j in itertools.product(range(len(self.x)), range(len(z))):
            h = kalman.position_model(float(self.lag_s[i]))
            like, inside = [], False
            for x, p in zip(self.x_of[i], self.p_of[i], strict=True):
                _, _, d2, log_det = kalman.innovation(x, p, h, z[j], r[j])
                density = -0.5 * (d2 + log_det + 3.0 * math.log(2.0 * math.pi))
                like.append(math.exp(LOG_PD + density - log_null[j]))
                inside |= d2 <= GATE2
            if not inside:
                continue
            found[i, j] = (*like, math.exp(kind_fit(self.kinds[i], kinds[j])))
        return found


def plots(rng: np.random.Generator, count: int, room_m: float) -> tuple[F64, F64, F64, F64]:
    r = [random_covariance(rng, [*rng.uniform(5.0, 150.0, 3)]) for _ in range(count)]
    kinds = -rng.uniform(0.0, 4.8, (count, 4)) * (rng.random((count, 1)) < 0.7)
    z = rng.uniform(-room_m, room_m, (count, 3))
    return z, np.reshape(r, (-1, 3, 3)), rng.uniform(-24.0, -12.0, count), kinds


@given(
    st.integers(0, 2**32 - 1), st.integers(0, 12), st.integers(0, 40), st.integers(1, 2),
    st.floats(50.0, 30_000.0),
)  # fmt: skip
@settings(max_examples=60, deadline=None)
def test_the_pairs_are_those_that_trying_all_finds(
    seed: int, tracks: int, count: int, models: int, room_m: float
) -> None:
    rng = np.random.default_rng(seed)
    held, given_in = Tracks(rng, tracks, models, room_m), plots(rng, count, room_m)
    found, order = held.pairs(*given_in)
    wanted = held.tried(*given_in)
    assert found.keys() == wanted.keys()
    for pair, values in found.items():
        assert values == pytest.approx(wanted[pair], rel=1e-8)
    assert sorted(order) == list(range(count))


@pytest.mark.parametrize("wide_m", [30.0, 5_000.0])
def test_a_gate_as_wide_as_all_cells_finds_all(wide_m: float) -> None:
    """One narrow gate among wide ones: beyond a number of cells every plot is looked at."""
    rng = np.random.default_rng(3)
    held, given_in = Tracks(rng, 40, 1, 3_000.0), plots(rng, 300, 3_000.0)
    held.p[0] = held.p_of[0, 0] = np.diag([wide_m**2] * 3 + [1.0] * 3)
    found, _ = held.pairs(*given_in)
    assert found.keys() == held.tried(*given_in).keys()


def test_the_order_of_the_plots_does_not_matter() -> None:
    rng = np.random.default_rng(5)
    held, given_in = Tracks(rng, 10, 2, 200.0), plots(rng, 60, 200.0)
    first, first_order = held.pairs(*given_in)
    for _ in range(5):
        mixed = rng.permutation(60)
        found, order = held.pairs(*(column[mixed] for column in given_in))
        assert [int(mixed[j]) for j in order] == first_order
        assert {(i, int(mixed[j])): v for (i, j), v in found.items()} == first


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize(("off_m", "found"), [(95.0, 1), (-95.0, 1), (115.0, 0), (-115.0, 0)])
def test_a_late_plot_is_gated_where_the_target_then_was(
    axis: int, off_m: float, found: int
) -> None:
    """3 s ago, 300 m back; 9 m/s of doubt make 27 m of it, times four: 108 m."""
    held, z = one_track(), np.zeros((1, 3))
    held.x[0, axis + 3], held.p[0, axis + 3, axis + 3] = 100.0, 81.0
    held.lag_s[0] = -3.0
    z[0, axis] = -300.0 + off_m
    assert len(held.pairs(z, np.eye(3)[None], np.full(1, -40.0), np.zeros((1, 4)))[0]) == found


def one_track() -> Tracks:
    """At the origin, 1 m wide."""
    held = Tracks(np.random.default_rng(0), 1, 1, 1.0)
    held.x, held.p = held.x_of.reshape(1, 6), held.p_of.reshape(1, 6, 6)
    held.x[:], held.p[:], held.lag_s[:] = 0.0, np.eye(6), 0.0
    return held


def test_pairs_grow_beyond_their_first_room() -> None:
    """One track and 200 plots on one spot: 200 pairs, where 20 have room at first."""
    z, r = np.zeros((200, 3)), np.array([np.eye(3)] * 200)
    z[:, 0] = np.arange(200) * 0.01
    found, _ = one_track().pairs(z, r, np.full(200, -20.0), np.zeros((200, 4)))
    assert found.keys() == {(0, j) for j in range(200)}


@pytest.mark.parametrize("sigma2", [1e200, 1e300, math.inf, math.nan])
def test_an_overflow_is_no_pair(sigma2: float) -> None:
    r = np.diag([sigma2] * 3)[None]
    assert not one_track().pairs(np.zeros((1, 3)), r, np.full(1, -20.0), np.zeros((1, 4)))[0]


@pytest.mark.parametrize("away_m", [1e12, 1e160, 1e308, math.inf, math.nan])
@pytest.mark.parametrize("axis", [0, 1, 2])
def test_an_absurd_place_is_no_pair(away_m: float, axis: int) -> None:
    z = np.zeros((1, 3))
    z[0, axis] = away_m
    found, order = one_track().pairs(z, np.eye(3)[None], np.full(1, -20.0), np.zeros((1, 4)))
    assert not found
    assert order == ([0] if math.isfinite(away_m) else [])


def test_a_density_that_is_no_number_is_no_pair_and_none_at_all_is_certain() -> None:
    for log_null, wanted in ((-20.0, None), (-math.inf, gate.MOST_LIKELIHOOD), (math.nan, 0)):
        found, _ = one_track().pairs(
            np.zeros((1, 3)), np.eye(3)[None], np.full(1, log_null), np.zeros((1, 4))
        )
        assert len(found) == (wanted != 0)
        if wanted:
            assert found[0, 0][0] == wanted
