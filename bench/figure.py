"""One measured figure beside its aim."""

from __future__ import annotations

from dataclasses import dataclass

#: A figure below this share of its aim fails the run.
FLOOR = 0.5


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure: `measured` and `aim` in `unit`; no aim means it is only shown.

    `spoiled` says why the figure does not count although it was measured.
    """

    name: str
    measured: float
    unit: str
    aim: float | None = None
    less_is_better: bool = False
    note: str = ""
    spoiled: str = ""

    @property
    def ratio(self) -> float | None:
        """How far the aim is reached: 1 is just, 2 is twice as good."""
        if self.aim is None:
            return None
        return self.aim / self.measured if self.less_is_better else self.measured / self.aim

    @property
    def verdict(self) -> str:
        """`holds`, `below its aim`, `below half its aim`, `spoiled` or `shown only`."""
        if self.spoiled:
            return "spoiled"
        if self.ratio is None:
            return "shown only"
        if self.ratio >= 1.0:
            return "holds"
        return "below its aim" if self.ratio >= FLOOR else "below half its aim"

    @property
    def fails(self) -> bool:
        """Whether this figure alone makes the run fail."""
        return self.verdict in ("spoiled", "below half its aim")
