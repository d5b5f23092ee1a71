"""What a way out that stays open does: a TAK server, a broker. It is tried again until it is there.

Nobody waits for a slow one: of each track it holds only the newest state, what it could not send is
counted, and a hand-over is taken only when the other side has said so.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from skykeep.core.casebook import ReportedOutcome
from skykeep.deliver.message import HandoverMessage
from skykeep.deliver.shared import SharedTrack

#: Seconds until the next try to connect; behind the last it stays so.
BACK_OFF_S = (0.5, 1.0, 2.0, 5.0, 10.0, 30.0)
#: A peer that takes nothing for so long has gone.
STUCK_S = 10.0


@dataclass(slots=True)
class LinkState:
    """How a link does; `shed` counts states of tracks that were replaced before they were sent."""

    connected: bool = False
    problem: str = "not connected yet"
    connects: int = 0
    sent: int = 0
    shed: int = 0
    refused: int = 0


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back over a link: an acknowledgement, or a report, or both.

    `who` is the sender's own name there; `answer_id` names it, so that a repeat is known.
    """

    handover_id: str
    who: str
    acknowledged: bool
    outcomes: tuple[ReportedOutcome, ...]
    words: str
    lat_deg: float | None
    lon_deg: float | None
    answer_id: str


#: Hears what came back, on the event loop; quick, and may not fail.
Hear = Callable[[Answer], None]


class Link(Protocol):
    """A way out that stays open; `run` it until `stop`."""

    state: LinkState

    async def run(self) -> None:
        """Connect, send, and connect again."""

    def stop(self) -> None:
        """Send nothing more."""

    def push(self, tracks: Sequence[SharedTrack], now_ns: int) -> None:
        """The tracks as they are now; they replace those that are not sent yet."""

    async def deliver(self, message: HandoverMessage, now_ns: int) -> str:
        """Send a hand-over; empty once the other side has it for certain, else why not."""


Links = Mapping[tuple[str, str], Link]
