"""A figure holds, falls short or fails by its ratio to the aim."""

from __future__ import annotations

import sys

import pytest

from bench.figure import Figure
from bench.startup import median_wall_s


@pytest.mark.parametrize(
    ("figure", "verdict", "fails"),
    [
        (Figure("speed", 500.0, "times", 500.0), "holds", False),
        (Figure("speed", 499.0, "times", 500.0), "below its aim", False),
        (Figure("speed", 249.0, "times", 500.0), "below half its aim", True),
        (Figure("start", 0.3, "s", 0.3, less_is_better=True), "holds", False),
        (Figure("start", 0.59, "s", 0.3, less_is_better=True), "below its aim", False),
        (Figure("start", 0.61, "s", 0.3, less_is_better=True), "below half its aim", True),
        (Figure("seen", 7.0, "ms"), "shown only", False),
        (Figure("speed", 900.0, "times", 500.0, spoiled="worse"), "spoiled", True),
    ],
)
def test_verdict(figure: Figure, verdict: str, fails: bool) -> None:
    assert (figure.verdict, figure.fails) == (verdict, fails)


def test_wall_time_is_that_of_the_command() -> None:
    nap = [sys.executable, "-S", "-c", "import time; time.sleep(0.1)"]
    assert 0.1 <= median_wall_s(nap, runs=1) < 5.0
