from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skykeep.codec.moment import EARLIEST_NS, LATEST_NS, format_moment, parse_moment
from skykeep.errors import InputError
from skykeep.units import to_ns

NS = to_ns(datetime(2026, 9, 12, 0, 27, tzinfo=UTC))


@pytest.mark.parametrize(
    ("text", "ns"),
    [
        ("2026-09-12T00:27:00Z", NS),
        ("2026-09-12t00:27:00.250z", NS + 250_000_000),
        ("2026-09-12T02:27:00+02:00", NS),
        ("2026-09-11 18:57:00.000000001-05:30", NS + 1),
    ],
)
def test_parse(text: str, ns: int) -> None:
    assert parse_moment(text, "here") == ns


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026-09-12T00:27:00",
        "2026-09-12",
        "2026-02-30T00:27:00Z",
        "2026-09-12T24:27:00Z",
        "2026-09-12T00:27:00+99:00",
        "2026-09-12T00:27:00.0000000001Z",
        "1970-01-01T00:00:00Z",
        "1999-12-31T23:59:59Z",
        "2200-01-01T00:00:00Z",
        "0001-01-01T00:00:00+14:00",
        "٢٠٢٦-09-12T00:27:00Z",
    ],
)
def test_refused(text: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_moment(text, "here")
    assert caught.value.where == "here"


def test_format_is_short() -> None:
    assert format_moment(NS) == "2026-09-12T00:27:00Z"
    assert format_moment(NS + 250_000_000) == "2026-09-12T00:27:00.250Z"
    assert format_moment(NS + 1_000) == "2026-09-12T00:27:00.000001Z"
    assert format_moment(NS + 1) == "2026-09-12T00:27:00.000000001Z"


@given(st.integers(EARLIEST_NS, LATEST_NS - 1))
def test_round_trip(ns: int) -> None:
    assert parse_moment(format_moment(ns), "x") == ns


@given(st.text(max_size=40))
def test_no_text_crashes_it(text: str) -> None:
    try:
        parse_moment(text, "x")
    except InputError:
        return
