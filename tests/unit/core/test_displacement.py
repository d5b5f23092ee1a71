"""The windowed test: as the slow reference has it, as likely as it says, as keen as it says."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skykeep.core.displacement import (
    AGE_MOST_S,
    APART_S,
    DOUBTED,
    FITS,
    MEMORY_LEAST_S,
    MEMORY_MOST_S,
    PARTS,
    WINDOW_S,
    Comparison,
    comparison,
    noticeable_m,
    take,
    weigh,
)
from skykeep.units import NS_PER_S
from tests.reference import displaced as reference

PLAIN = Comparison(0, 0.0, 0.0, 0.0, 49.0, 0.0, 49.0, 49.0, 1.5, 0.0, 0.0, 0.0, 16.0, 36.0, False)

metres = st.floats(-200.0, 200.0)
speeds = st.floats(-40.0, 40.0)
variances = st.floats(1.0, 400.0)


@st.composite
def comparisons(draw: st.DrawFn) -> list[Comparison]:
    count = draw(st.integers(1, 12))
    at_ns, window = 0, []
    for _ in range(count):
        at_ns += draw(st.integers(NS_PER_S // 2, 3 * NS_PER_S))
        ee, nn = draw(variances), draw(variances)
        en = draw(st.floats(-0.9, 0.9)) * math.sqrt(ee * nn)
        window.append(
            Comparison(
                at_ns,
                draw(metres),
                draw(metres),
                draw(metres),
                ee,
                en,
                nn,
                draw(variances),
                draw(st.floats(MEMORY_LEAST_S, 5.0)),
                draw(speeds),
                draw(speeds),
                draw(speeds),
                draw(variances),
                draw(variances),
                draw(st.booleans()),
            )
        )
    return window


@settings(max_examples=60, deadline=None)
@given(comparisons())
def test_it_is_what_the_reference_says(window: list[Comparison]) -> None:
    found = weigh(window)
    assert found.surprise == pytest.approx(reference.surprise(window), rel=1e-5, abs=1e-6)
    assert found.comparisons == len(window)


@settings(max_examples=100, deadline=None)
@given(comparisons(), st.floats(1.0, 1e6))
def test_it_is_a_number_however_far_the_claim(window: list[Comparison], times: float) -> None:
    found = weigh([replace(c, east_m=times * c.east_m, up_m=times * c.up_m) for c in window])
    assert math.isfinite(found.surprise)
    assert found.surprise >= 0.0
    assert math.isfinite(found.noticeable_m)
    assert not (found.fits and found.parts)
    assert FITS < PARTS
    assert DOUBTED < FITS


def honest_window(rng: np.random.Generator) -> list[Comparison]:
    """A full window as the model has it: bias, age, correlated errors."""
    bias = rng.normal(0.0, 4.0, 2)
    age_s, speed = rng.uniform(0.0, AGE_MOST_S), rng.uniform(0.0, 25.0)
    course = rng.uniform(0.0, 2.0 * math.pi)
    velocity = speed * np.array([math.sin(course), math.cos(course)])
    keep = math.exp(-1.0 / PLAIN.memory_s)
    error = rng.normal(0.0, 7.0, 2)
    window: list[Comparison] = []
    for second in range(round(WINDOW_S) + 1):
        if second:
            error = keep * error + math.sqrt(1.0 - keep * keep) * rng.normal(0.0, 7.0, 2)
        off = bias - age_s * velocity + error
        window.append(
            replace(
                PLAIN,
                at_ns=second * NS_PER_S,
                east_m=float(off[0]),
                north_m=float(off[1]),
                v_east=float(velocity[0]),
                v_north=float(velocity[1]),
            )
        )
    return window


def test_honest_windows_are_as_unlikely_as_it_says_or_less() -> None:
    rng = np.random.default_rng(1)
    found = np.array([weigh(honest_window(rng)).surprise for _ in range(5_000)])
    for share in (1e-1, 1e-2):
        beyond = np.mean(found > -math.log(share))
        assert beyond <= share * 1.4  # 50 in 5,000 vary by a seventh
        assert beyond >= share / 10.0  # a bounded age costs some of its keenness, not all


def test_what_it_calls_noticeable_is_noticed() -> None:
    rng = np.random.default_rng(2)
    noticed = []
    for _ in range(500):
        plain = honest_window(rng)
        off_m = noticeable_m(plain[-1])
        angle = rng.uniform(0.0, 2.0 * math.pi)
        east_m, north_m = off_m * math.sin(angle), off_m * math.cos(angle)
        moved = [replace(c, east_m=c.east_m + east_m, north_m=c.north_m + north_m) for c in plain]
        noticed.append(weigh(moved).parts)
    assert np.mean(noticed) >= 0.95


def test_what_it_calls_noticeable_grows_with_speed_and_uncertainty() -> None:
    still = noticeable_m(PLAIN)
    assert 20.0 < still < 50.0
    fast = noticeable_m(replace(PLAIN, v_east=20.0))
    assert fast >= still + 20.0 * AGE_MOST_S
    assert noticeable_m(replace(PLAIN, claim_var=400.0)) > still
    assert noticeable_m(replace(PLAIN, var_nn=900.0)) > still
    assert noticeable_m(replace(PLAIN, memory_s=MEMORY_MOST_S)) > still


def test_a_constant_displacement_is_found_where_single_comparisons_would_not_tell() -> None:
    window = [replace(PLAIN, at_ns=k * NS_PER_S, east_m=28.0) for k in range(16)]
    assert weigh(window).parts
    assert weigh(window[:1]).surprise < FITS
    assert weigh(window).displacement_m == pytest.approx(28.0)


def test_a_claim_that_wanders_about_the_track_is_found() -> None:
    window = [
        replace(PLAIN, at_ns=k * NS_PER_S, east_m=60.0 * (-1) ** k) for k in range(16)
    ]  # fmt: skip
    assert weigh(window).displacement_m < 1.0
    assert weigh(window).parts


def test_more_of_the_same_second_proves_nothing() -> None:
    sparse = [replace(PLAIN, at_ns=k * NS_PER_S, east_m=20.0) for k in range(16)]
    dense = [replace(PLAIN, at_ns=k * NS_PER_S // 10, east_m=20.0) for k in range(151)]
    assert weigh(dense).surprise < 1.1 * weigh(sparse).surprise


def test_heights_count_alone_and_only_where_both_are_of_one_kind() -> None:
    window = [replace(PLAIN, at_ns=k * NS_PER_S, up_m=80.0) for k in range(5)]
    assert weigh(window).surprise < 1e-9
    assert weigh([replace(c, up_counts=True) for c in window]).parts
    far = [replace(c, up_counts=True, up_m=1e6) for c in window]
    assert weigh(far).surprise > 1e6


def test_the_window_forgets_and_takes_no_two_comparisons_of_one_moment() -> None:
    window: list[Comparison] = []
    assert take(window, PLAIN)
    assert not take(window, replace(PLAIN, at_ns=round(0.9 * APART_S * NS_PER_S)))
    for k in range(1, 60):
        assert take(window, replace(PLAIN, at_ns=k * NS_PER_S))
    assert len(window) == WINDOW_S + 1


def test_a_track_is_compared_at_the_time_of_the_claim_with_what_that_adds() -> None:
    p = np.diag([36.0, 49.0, 64.0, 4.0, 4.0, 1.0])
    p[0, 3] = p[3, 0] = p[1, 4] = p[4, 1] = 10.0
    x = [100.0, 0.0, 50.0, 10.0, -5.0, 1.0]
    args = (7, (100.0, 0.0, 50.0), (16.0, 25.0), True, x, p.tolist())
    now, later = comparison(*args, 0.0), comparison(*args, 2.0)
    assert (now.east_m, now.north_m, now.up_m) == (0.0, 0.0, 0.0)
    assert (later.east_m, later.north_m, later.up_m) == (-20.0, 10.0, -2.0)
    assert later.var_ee == pytest.approx(36.0 + 2 * 2 * 10.0 + 4 * 4.0 + 8.0 / 3.0)
    assert now.memory_s == pytest.approx(0.5 * 85.0 / 20.0)
    assert comparison(*args[:5], np.diag([36.0] * 6).tolist(), 0.0).memory_s == MEMORY_MOST_S
