"""How long what points to a person is kept, and the command that ends it.

What is sealed is sealed under keys of a source and an hour (the record's format, decision 9);
ending retention destroys keys. The engine forgets what those hours said of identities too.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from skykeep.core.event import Actor
from skykeep.record.entry import BRIEF
from skykeep.units import NS_PER_S

HOUR_NS = 3_600 * NS_PER_S
DAY_NS = 24 * HOUR_NS
#: An operator's position is kept to a cell of 0.01 degrees of latitude, 1.1 km, and about as
#: wide: it tells the part of a town from which somebody flew, not the garden.
CELL_DEG = 0.01
_CELLS_ROUND = 36_000  # of that size around the equator


@dataclass(frozen=True, slots=True)
class RetentionPolicy:
    """What a site keeps and how long; `permit_days` None keeps the office's files for ever.

    `identity_days`: claimed identities and what was concluded from them, of flights that
    belong to no incident under hold. `operator_days`: where exactly an operator stood, and the
    hash of the bytes that said so; what is known to a cell (`coarse_place`) is kept on.
    """

    identity_days: float = 30.0
    permit_days: float | None = None
    operator_days: float = 1.0


@dataclass(frozen=True, slots=True)
class EraseKeys:
    """Command: destroy keys, each (source, hour since 1970); what they seal is gone for ever."""

    actor: Actor
    keys: tuple[tuple[str, int], ...]
    why: str

    @property
    def before_ns(self) -> int:
        """The end of the last hour whose identities it destroys; 0 if it leaves them all."""
        hours = (hour + 1 for source, hour in self.keys if not source.endswith(BRIEF))
        return max(hours, default=0) * HOUR_NS


def coarse_place(lat_deg: float, lon_deg: float) -> tuple[float, float]:
    """The middle of the cell that a place lies in, degrees to 4 decimals; a middle's is itself."""
    lat = (math.floor(lat_deg / CELL_DEG) + 0.5) * CELL_DEG
    lat = round(min(max(lat, -90.0 + CELL_DEG / 2), 90.0 - CELL_DEG / 2), 4)
    width_deg = 360.0 / max(1, round(_CELLS_ROUND * math.cos(math.radians(lat))))
    lon = (math.floor(lon_deg / width_deg) + 0.5) * width_deg
    return lat, round(lon, 4)


def due(
    keys: Iterable[tuple[str, int]], permit_sources: frozenset[str], now_ns: int,
    policy: RetentionPolicy,
) -> tuple[tuple[str, int], ...]:  # fmt: skip
    """The keys whose time is over, in order: an hour counts from its end."""
    found = []
    for source, hour in keys:
        days = policy.permit_days if source in permit_sources else policy.identity_days
        if source.endswith(BRIEF):
            days = min(policy.operator_days, policy.identity_days)
        if days is not None and (hour + 1) * HOUR_NS + round(days * DAY_NS) <= now_ns:
            found.append((source, hour))
    return tuple(sorted(found))
