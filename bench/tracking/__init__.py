"""Tracking scenarios, one scorer, and a runner for each tracker that is compared."""

from __future__ import annotations

from collections.abc import Callable

from bench.figure import Figure
from bench.tracking import clutter, compare, crowded, large, late, meeting, registration

#: What is measured, by the name of the part.
PARTS: dict[str, Callable[[], list[Figure]]] = {
    "compare": compare.figures,
    "large": large.figures,
    "clutter": clutter.figures,
    "crowded": crowded.figures,
    "meeting": meeting.figures,
    "late": late.figures,
    "registration": registration.figures,
}
