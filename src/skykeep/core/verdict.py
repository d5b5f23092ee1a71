"""The permission of a track in a zone, with reasons."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class VerdictPolicy:
    """What a site counts as enough."""

    broadcast_only_counts: bool = False
