"""Skykeep's own JSON from a broker, a port or a page: what `POST /v1/batches` takes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from skykeep.codec.posted import decode_posted
from skykeep.config import FeedSettings
from skykeep.core.event import Finding
from skykeep.core.observation import Batch, Form, SensorKind
from skykeep.errors import InputError
from skykeep.feed.contract import FeedKind
from skykeep.feed.findings import FindingLog
from skykeep.feed.framers import Lines
from skykeep.feed.inbox import Piece
from skykeep.feed.lines import empty_batch
from skykeep.units import BatchId

#: A batch of 5,000 rows at 300 bytes each.
MAX_DOCUMENT_BYTES = 2_000_000


class JsonDecoder:
    """A document a piece, all of one sensor; see `feed.contract.Decoder`."""

    def __init__(self, settings: FeedSettings) -> None:
        self._sensor_id, self._where = settings.sensor_id, settings.feed_id
        self._log = FindingLog()
        self._empties = self._last_ns = 0

    def push(self, pieces: Sequence[Piece]) -> Iterable[Batch]:
        """A batch for each document, under the id that its sender gave it."""
        batches = []
        for piece in pieces:
            self._last_ns = piece.at_ns
            if not piece.data.strip():
                continue
            try:
                batches.append(self._batch(piece.data, piece.at_ns))
            except InputError as error:
                self._log.refuse(f"{self._where} {piece.origin}", error)
        findings = self._log.drain()
        return [*batches, self._empty(findings)] if findings else batches

    def _batch(self, data: bytes, at_ns: int) -> Batch:
        if len(data) > MAX_DOCUMENT_BYTES:
            problem = f"has {len(data)} bytes"
            raise InputError("$", problem, f"Send at most {MAX_DOCUMENT_BYTES}")
        batch = decode_posted(data, at_ns).batch
        if batch.sensor_id != self._sensor_id:
            problem = f"is of sensor {batch.sensor_id!r}"
            raise InputError("$.sensor", problem, f"This feed brings {self._sensor_id!r} alone")
        return batch

    def note(self, finding: Finding) -> None:
        """Add a finding about the stream itself to the next batch."""
        self._log.add(finding, finding.where)

    def close(self) -> Batch | None:
        """What is still to be said at the end."""
        findings = self._log.close(self._where)
        return self._empty(findings) if findings else None

    def _empty(self, findings: tuple[Finding, ...]) -> Batch:
        self._empties += 1
        batch_id = BatchId(f"{self._sensor_id}:{self._last_ns}:{self._empties}")
        return empty_batch(batch_id, self._sensor_id, self._last_ns, Form.POSITION, findings)


KIND = FeedKind(
    "json",
    "Skykeep's own JSON, as POST /v1/batches takes it: one document a message, datagram or line",
    ("mqtt", "mqtts", "tcp", "udp", "http", "https"),
    tuple(kind for kind in SensorKind if kind is not SensorKind.PERSON),
    JsonDecoder,
    framer=lambda: Lines(MAX_DOCUMENT_BYTES),
    options=("user", "password_file", "ca_file"),
    named_by_sender=True,
)
