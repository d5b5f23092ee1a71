"""How long what points to a person is kept, and the command that ends it.

What is sealed is sealed under keys of a source and an hour (the record's format, decision 9);
ending retention destroys keys. The engine forgets what those hours said of identities too.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from skykeep.core.event import Actor
from skykeep.units import NS_PER_S

HOUR_NS = 3_600 * NS_PER_S
DAY_NS = 24 * HOUR_NS


@dataclass(frozen=True, slots=True)
class RetentionPolicy:
    """What a site keeps and how long; `permit_days` None keeps the office's files for ever.

    `identity_days`: claimed identities and what was concluded from them, of flights that
    belong to no incident under hold.
    """

    identity_days: float = 30.0
    permit_days: float | None = None


@dataclass(frozen=True, slots=True)
class EraseKeys:
    """Command: destroy keys, each (source, hour since 1970); what they seal is gone for ever."""

    actor: Actor
    keys: tuple[tuple[str, int], ...]
    why: str

    @property
    def before_ns(self) -> int:
        """The end of the last hour that it destroys."""
        return (max(hour for _, hour in self.keys) + 1) * HOUR_NS


def due(
    keys: Iterable[tuple[str, int]], permit_sources: frozenset[str], now_ns: int,
    policy: RetentionPolicy,
) -> tuple[tuple[str, int], ...]:  # fmt: skip
    """The keys whose time is over, in order: an hour counts from its end."""
    found = []
    for source, hour in keys:
        days = policy.permit_days if source in permit_sources else policy.identity_days
        if days is not None and (hour + 1) * HOUR_NS + round(days * DAY_NS) <= now_ns:
            found.append((source, hour))
    return tuple(sorted(found))
