"""What is read out of an article, as values."""

from __future__ import annotations

from dataclasses import dataclass, field

from skykeep.accounts.statement import Speaker, Stance


@dataclass(frozen=True, slots=True)
class DraftRow:
    """A row to be confirmed. `position`: from and until which character of the source."""

    speaker: Speaker
    stance: Stance
    words: str
    position: tuple[int, int]
    quoted: bool
    hedges: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class NotUnderstood:
    """A sentence that seems to attribute, and why no row was made of it."""

    position: tuple[int, int]
    words: str
    why: str


@dataclass(slots=True)
class Draft:
    """What was read out of an article, and what was not."""

    rows: list[DraftRow] = field(default_factory=list)
    not_understood: list[NotUnderstood] = field(default_factory=list)
    not_listed: int = 0
    comments_left_out: int = 0
    private_left_out: int = 0
    parts_left_out: int = 0
