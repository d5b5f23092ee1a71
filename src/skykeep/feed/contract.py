"""What a feed is made of: a source that brings bytes, a decoder that makes batches of them.

A source blocks in a thread of its own and puts what arrives into an inbox; a decoder does no
input or output, is told the time with each piece, and never raises, whatever the bytes. The
service joins the two (service/feeds.py), connects again when a source is lost, and keeps the
books. A kind of feed names both; others come as plugins (docs/feeds.md).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from skykeep.config import FeedSettings
from skykeep.core.event import Finding
from skykeep.core.observation import Batch, SensorKind
from skykeep.errors import InputError
from skykeep.feed.inbox import Inbox, Piece
from skykeep.units import SensorId


class Decoder(Protocol):
    """One source's bytes in, batches out; bounded in memory."""

    def push(self, pieces: Sequence[Piece]) -> Iterable[Batch]:
        """What some pieces, in their order, say; faults become findings of a batch.

        The same pieces after the same beginning give the same batches, but that a batch's id
        must not come again after a restart: it holds the receipt time. Only a kind that is
        `named_by_sender` gives batches the ids that their sender gave, under which the record
        knows what it is sent again.
        """

    def note(self, finding: Finding) -> None:
        """Add a finding about the stream itself to the next batch."""

    def close(self) -> Batch | None:
        """What is still to be said at the end."""


class Source(Protocol):
    """Where a feed's bytes come from."""

    def run(self, inbox: Inbox, stop: threading.Event) -> None:
        """Bring bytes until `stop`, then return; look at it at least every second.

        `inbox.connected()` says that the source is there, `inbox.peer()` who speaks to it. A
        piece that must be acknowledged is put with what is to be called when all that it said
        is durable, or refused for good (from another thread). InputError where it is lost or cannot
        be had: it is tried again, with a back-off.
        """


class Framer(Protocol):
    """Cuts a stream of bytes into messages."""

    def push(self, data: bytes) -> Sequence[bytes]:
        """The messages that are whole now; InputError where the stream makes no sense."""


@dataclass(frozen=True, slots=True)
class FeedKind:
    """A kind of feed: how it is called, what it may read from, and what decodes it.

    `schemes` are those of the addresses that it understands; `framer` cuts a TCP stream;
    `source` makes a source of its own, where bytes alone do not do (a protocol that answers).
    `sensors` names the sensors that a feed brings beside its own, where it brings several.
    `most_per_s` is what the fastest honest source of the kind brings; `most_waiting` pieces and
    `most_bytes` may wait for the decoder. What is more is shed, counted and shown.
    """

    name: str
    words: str
    schemes: tuple[str, ...]
    sensor_kinds: tuple[SensorKind, ...]
    decoder: Callable[[FeedSettings], Decoder]
    framer: Callable[[], Framer] | None = None
    source: Callable[[FeedSettings, Callable[[], int]], Source] | None = None
    options: tuple[str, ...] = ()
    sensors: Callable[[FeedSettings], tuple[SensorId, ...]] | None = None
    named_by_sender: bool = False
    most_per_s: int = 20_000
    most_waiting: int = 20_000
    most_bytes: int = 16_000_000


def option(settings: FeedSettings, name: str, default: Any, kind: type | tuple[type, ...]) -> Any:
    """One of a feed's options; InputError where it is of another type."""
    value = settings.options.get(name, default)
    wrong = not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool)
    if wrong and value is not None:
        where = f"feeds[{settings.feed_id}].options.{name}"
        wanted = kind.__name__ if isinstance(kind, type) else " or ".join(k.__name__ for k in kind)
        raise InputError(where, f"is {value!r}", f"Give a value of type {wanted}")
    return value
