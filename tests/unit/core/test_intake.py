"""Intake: every fault is named with its field, and the good rows beside it are kept."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skykeep.core.event import ObservationRejected
from skykeep.core.geo import HeightReference
from skykeep.core.intake import (
    BATCH_LIMIT,
    FUTURE_NS,
    LEAST_SIGMA,
    MOST_HEIGHT_M,
    MOST_RANGE_M,
    MOST_SIGMA,
    MOST_SPEED_MPS,
    OLDEST_NS,
    REJECTIONS_NAMED,
    known_or_none,
    usable_rows,
)
from skykeep.core.observation import Batch, Form
from skykeep.units import to_ns
from tests.sky import FINDER, GUARD, NOWHERE, RADAR, Place, at, batch

NAN, INF = float("nan"), float("inf")
ROWS, MIDDLE = 3, 1
GOOD: dict[Form, tuple[Place, Place]] = {
    Form.POLAR: ((900.0, 45.0, 5.0), (10.0, 0.4, 1.0)),
    Form.POSITION: ((49.61, 6.13, 400.0), (5.0, 5.0, 8.0)),
    Form.TRACK: ((49.61, 6.13, 400.0), (5.0, 5.0, 8.0)),
    Form.BEARING: ((123.0, NAN, NAN), (3.0, NAN, NAN)),
    Form.SIGHTING: ((NAN, NAN, NAN), (NAN, NAN, NAN)),
}
SENSOR = {Form.BEARING: FINDER, Form.SIGHTING: GUARD}
JULY_1970 = to_ns(datetime(1970, 7, 1, tzinfo=UTC))


def good(form: Form, rows: int = ROWS) -> Batch:
    values, sigmas = GOOD[form]
    tracks = form is Form.TRACK
    return batch(
        SENSOR.get(form, RADAR), 10.0, form, [values] * rows, sigmas,
        kind_likelihood=np.full((rows, 4), 0.25),
        upstream_ids=tuple(f"t{i}" for i in range(rows)) if tracks else (),
        velocity_sigmas_mps=np.full((rows, 3), NAN) if tracks else None,
    )  # fmt: skip


def spoilt(plain: Batch, row: int, column: str, place: int | None, value: Any) -> Batch:
    """The same batch with one value of one row replaced."""
    array = getattr(plain, column).copy()
    if place is None:
        array[row] = value
    else:
        array[row, place] = value
    return replace(plain, **{column: array})


def looked_at(plain: Batch) -> tuple[list[int], list[tuple[int, str, str]]]:
    rows, rejected = usable_rows(plain, at(10.0))
    assert all(isinstance(e, ObservationRejected) and e.at_ns == at(10.0) for e in rejected)
    return rows.tolist(), [(e.row, e.field, e.problem) for e in rejected]


@pytest.mark.parametrize("form", list(Form))
def test_good_rows_are_all_used(form: Form) -> None:
    assert looked_at(good(form)) == ([0, 1, 2], [])
    assert looked_at(replace(good(form), kind_likelihood=None)) == ([0, 1, 2], [])
    assert looked_at(good(form, 0)) == ([], [])


NUMBERS = [NAN, INF, -INF]
FAULTS: list[tuple[Form, str, int | None, Any, str]] = [
    *((form, "event_time_ns", None, JULY_1970, "event_time") for form in Form),
    (Form.POLAR, "event_time_ns", None, 0, "event_time"),
    (Form.POLAR, "event_time_ns", None, np.iinfo(np.int64).min, "event_time"),
    (Form.POLAR, "event_time_ns", None, np.iinfo(np.int64).max, "event_time"),
    (Form.POLAR, "event_time_ns", None, at(10.0) - OLDEST_NS - 1, "event_time"),
    (Form.POLAR, "event_time_ns", None, at(10.0) + FUTURE_NS + 1, "event_time"),
    *((Form.POLAR, "values", 0, v, "range_m") for v in (*NUMBERS, 0.0, -1.0, 1e300)),
    *((Form.POLAR, "values", 1, v, "azimuth_deg") for v in (*NUMBERS, 361.0, 1e300)),
    *((Form.POLAR, "values", 2, v, "elevation_deg") for v in (*NUMBERS, 90.1, -90.1)),
    *((Form.POSITION, "values", 0, v, "lat_deg") for v in (*NUMBERS, 95.0, -90.1)),
    *((Form.POSITION, "values", 1, v, "lon_deg") for v in (*NUMBERS, 180.1, -181.0)),
    *((Form.POSITION, "values", 2, v, "height_m") for v in (1e300, -1.01 * MOST_HEIGHT_M)),
    *((Form.BEARING, "values", 0, v, "azimuth_deg") for v in (*NUMBERS, -361.0)),
    *((Form.SIGHTING, "values", 0, v, "azimuth_deg") for v in (INF, -INF, 400.0)),
    *((Form.POLAR, "sigmas", 0, v, "sigma_range_m") for v in (*NUMBERS, 0.0, -5.0, 1e200, 1e-200)),
    (Form.POLAR, "sigmas", 1, 0.0, "sigma_azimuth_deg"),
    (Form.POLAR, "sigmas", 2, -1.0, "sigma_elevation_deg"),
    *((Form.POSITION, "sigmas", 0, v, "sigma_east_m") for v in (0.0, NAN, 1e200)),
    (Form.POSITION, "sigmas", 1, 0.0, "sigma_north_m"),
    (Form.POSITION, "sigmas", 2, 1e200, "sigma_height_m"),
    (Form.BEARING, "sigmas", 0, 0.0, "sigma_azimuth_deg"),
    (Form.POSITION, "height_references", None, 9, "height_reference"),
    (Form.POSITION, "height_references", None, -1, "height_reference"),
    *((Form.POSITION, "velocities_mps", k, v, "velocity_mps")
      for k, v in ((0, INF), (1, -INF), (2, 1e300), (2, -1.01 * MOST_SPEED_MPS))),
    *((Form.TRACK, "velocities_mps", k, v, "velocity_mps")
      for k in range(3) for v in (INF, -INF, 1e300)),
    *((Form.TRACK, "velocity_sigmas_mps", k, v, "sigma_velocity_mps")
      for k in range(3) for v in (0.0, -1.0, INF, 1e200)),
    *((Form.TRACK, "values", 0, v, "lat_deg") for v in (*NUMBERS, 95.0)),
    (Form.TRACK, "sigmas", 0, 0.0, "sigma_east_m"),
    *((Form.POLAR, "kind_likelihood", k, v, "kind_likelihood")
      for k, v in ((0, NAN), (1, INF), (2, -0.1), (3, -INF))),
]  # fmt: skip


@pytest.mark.parametrize(("form", "column", "place", "value", "name"), FAULTS)
def test_a_fault_is_named_and_costs_only_its_row(
    form: Form, column: str, place: int | None, value: Any, name: str
) -> None:
    rows, rejected = looked_at(spoilt(good(form), MIDDLE, column, place, value))
    assert rows == [0, 2]
    ((row, named, problem),) = rejected
    assert (row, named) == (MIDDLE, name)
    assert problem


@pytest.mark.parametrize(
    ("form", "column", "place", "value"),
    [
        (Form.POLAR, "event_time_ns", None, at(10.0) - OLDEST_NS),
        (Form.POLAR, "event_time_ns", None, at(10.0) + FUTURE_NS),
        (Form.POLAR, "values", 0, MOST_RANGE_M),
        (Form.POLAR, "values", 1, 360.0),
        (Form.POLAR, "values", 1, -180.0),
        (Form.POLAR, "values", 2, -90.0),
        (Form.POLAR, "sigmas", 0, LEAST_SIGMA),
        (Form.POLAR, "sigmas", 0, MOST_SIGMA),
        (Form.POSITION, "values", 0, -90.0),
        (Form.POSITION, "values", 1, 180.0),
        (Form.POSITION, "values", 2, MOST_HEIGHT_M),
        (Form.POSITION, "values", 2, NAN),
        (Form.POSITION, "values", 2, INF),
        (Form.POSITION, "sigmas", 2, NAN),
        (Form.POSITION, "sigmas", 2, INF),
        (Form.POSITION, "sigmas", 2, 0.0),
        (Form.POSITION, "height_references", None, int(HeightReference.NONE)),
        (Form.POSITION, "velocities_mps", 0, -MOST_SPEED_MPS),
        (Form.BEARING, "values", 1, INF),
        (Form.SIGHTING, "values", 0, 359.0),
        (Form.SIGHTING, "sigmas", 0, 0.0),
        (Form.POLAR, "velocities_mps", 0, INF),
        (Form.POLAR, "kind_likelihood", 0, 0.0),
    ],
)
def test_the_edge_of_the_possible_is_used(
    form: Form, column: str, place: int | None, value: Any
) -> None:
    assert looked_at(spoilt(good(form), MIDDLE, column, place, value)) == ([0, 1, 2], [])


def test_a_height_in_no_reference_means_nothing_and_harms_nothing() -> None:
    plain = spoilt(good(Form.POSITION), MIDDLE, "values", 2, 1e300)
    plain = spoilt(plain, MIDDLE, "height_references", None, int(HeightReference.NONE))
    assert looked_at(plain) == ([0, 1, 2], [])


@pytest.mark.parametrize(
    ("at_ns", "words"),
    [
        (JULY_1970, "1970-07-01T00:00:00Z is 1773"),
        (np.iinfo(np.int64).min, "before its receipt"),
        (np.iinfo(np.int64).max, "after its receipt"),
        (at(10.0) + 7 * 10**9, "2026-09-12T21:48:17Z is 7 s after its receipt"),
    ],
)
def test_a_wrong_time_is_told_in_words(at_ns: int, words: str) -> None:
    _, ((_, _, problem),) = looked_at(
        spoilt(good(Form.POLAR), MIDDLE, "event_time_ns", None, at_ns)
    )
    assert words in problem


def test_each_bad_row_is_told_once_by_its_plainest_fault() -> None:
    plain = spoilt(good(Form.POLAR), 0, "values", 0, NAN)
    plain = spoilt(plain, 0, "sigmas", 2, 0.0)
    plain = spoilt(plain, 2, "event_time_ns", None, 0)
    plain = spoilt(plain, 2, "values", 1, INF)
    rows, rejected = looked_at(plain)
    assert rows == [1]
    assert [(row, name) for row, name, _ in rejected] == [(0, "range_m"), (2, "event_time")]


def test_many_faults_are_summed_up() -> None:
    n = REJECTIONS_NAMED + 7
    plain = good(Form.BEARING, n + 1)
    values = plain.values.copy()
    values[:n, 0] = NAN
    rows, rejected = looked_at(replace(plain, values=values))
    assert rows == [n]
    assert [row for row, _, _ in rejected] == [*range(REJECTIONS_NAMED), -1]
    assert rejected[-1][1:] == ("rows", "7 more rows are unusable")


def test_rows_beyond_the_limit_are_shed_and_counted() -> None:
    rows, rejected = looked_at(good(Form.BEARING, BATCH_LIMIT + 3))
    assert rows == list(range(BATCH_LIMIT))
    assert rejected == [(-1, "rows", f"3 rows beyond the limit of {BATCH_LIMIT} were shed")]


numbers = st.one_of(
    st.sampled_from([NAN, INF, -INF, 0.0, 1e-300, 1e300, 90.0, 180.0, 360.0, 5.0]),
    st.floats(-400.0, 400.0),
)


@settings(max_examples=150, deadline=None)
@given(
    form=st.sampled_from(list(Form)),
    values=st.tuples(numbers, numbers, numbers),
    sigmas=st.tuples(numbers, numbers, numbers),
    velocity=st.tuples(numbers, numbers, numbers),
    kind=st.tuples(*[numbers] * 4),
    reference=st.integers(-2, 6),
    at_ns=st.one_of(
        st.integers(-(2**63), 2**63 - 1), st.integers(at(10.0) - 400 * 10**9, at(20.0))
    ),
)
def test_the_quick_look_agrees_with_the_rules(
    form: Form,
    values: Place,
    sigmas: Place,
    velocity: Place,
    kind: tuple[float, ...],
    reference: int,
    at_ns: int,
) -> None:
    lone = good(form, 1)
    for column, value in (
        ("values", values), ("sigmas", sigmas), ("velocities_mps", velocity),
        ("kind_likelihood", kind), ("height_references", reference), ("event_time_ns", at_ns),
    ):  # fmt: skip
        lone = spoilt(lone, 0, column, None, value)
    rows, rejected = looked_at(lone)
    assert len(rows) + len(rejected) == 1
    beside = good(form, 2)
    for column in ("values", "sigmas", "velocities_mps", "kind_likelihood", "height_references"):
        beside = spoilt(beside, 0, column, None, getattr(lone, column)[0])
    beside = spoilt(beside, 0, "event_time_ns", None, at_ns)
    beside = spoilt(beside, 1, "event_time_ns", None, 0)  # so that the rules are asked
    both, faults = looked_at(beside)
    assert both == rows
    assert faults[:-1] == rejected


def test_a_bearing_of_a_person_is_optional() -> None:
    assert known_or_none(NOWHERE) is None
    assert known_or_none(0.0) == 0.0
