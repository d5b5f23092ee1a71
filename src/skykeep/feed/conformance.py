"""What every decoder has to stand, as a function: for ours and for plugins' own tests."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterator, Sequence

from skykeep.config import FeedSettings
from skykeep.core.observation import Batch
from skykeep.feed.contract import FeedKind
from skykeep.feed.inbox import Piece
from skykeep.units import NS_PER_MS, SensorId

#: A day in 2026, on which samples are received where they say nothing else.
AT_NS = 1_789_257_600_000_000_000
SENSOR = SensorId("conformance")
#: Broken pieces made of each sample, and pieces of noise beside them.
BROKEN_OF_EACH = 40


def faults_of(
    kind: FeedKind, samples: Sequence[bytes], settings: FeedSettings | None = None,
    at_ns: int = AT_NS,
) -> list[str]:  # fmt: skip
    """What a kind's decoder does not hold of its contract, in words; empty for one that does.

    `samples` are good pieces, as they come, of which at least one gives an observation.
    """
    settings = settings or FeedSettings("conformance", SENSOR, kind.name, "")
    good = [Piece(at_ns + i * NS_PER_MS, data, "peer") for i, data in enumerate(samples)]
    found: list[str] = []
    once, again = _told(kind, settings, [good]), _told(kind, settings, [good])
    if isinstance(once, str) or isinstance(again, str):
        return [f"it raises on its own samples: {once if isinstance(once, str) else again}"]
    if not any(len(batch) for batch in once):
        found.append("no sample gives an observation")
    if list(map(_words, once)) != list(map(_words, again)):
        found.append("the same pieces give other batches the second time")
    more = () if kind.sensors is None else kind.sensors(settings)
    if any(batch.sensor_id not in (settings.sensor_id, *more) for batch in once):
        found.append("a batch is not of the sensor that it was made for")
    ids = [batch.batch_id for batch in once]
    if len(set(ids)) != len(ids):
        found.append("two batches have the same id")
    later = [Piece(p.at_ns + 3_600 * 1_000 * NS_PER_MS, p.data, p.origin) for p in good]
    after = _told(kind, settings, [later])
    again_ids = set() if isinstance(after, str) else {batch.batch_id for batch in after}
    if isinstance(after, str) or (set(ids) & again_ids and not kind.named_by_sender):
        found.append("batch ids come again after a restart: put the receipt time into them")
    broken = [Piece(at_ns, data, "peer") for data in itertools.chain(_broken(samples), _noise())]
    raised = _told(kind, settings, [[piece] for piece in broken])
    if isinstance(raised, str):
        found.append(f"it raises on broken bytes: {raised}")
    return found


def _told(
    kind: FeedKind, settings: FeedSettings, pushes: Sequence[Sequence[Piece]]
) -> list[Batch] | str:
    """All batches, or the exception that should not have come."""
    pieces: Sequence[Piece] = ()
    try:
        decoder = kind.decoder(settings)
        batches = []
        for pieces in pushes:
            batches += list(decoder.push(pieces))
        last = decoder.close()
    except Exception as error:  # noqa: BLE001 - that is what is looked for
        return f"{error!r} on {pieces[0].data[:60]!r}" if pieces else repr(error)
    return batches if last is None else [*batches, last]


def _words(batch: Batch) -> str:
    return "\n".join([str(batch.batch_id), *map(repr, batch.rows()), *map(repr, batch.findings)])


def _random(seed: bytes) -> Iterator[int]:
    """Bytes that are the same on every machine."""
    for number in itertools.count():
        yield from hashlib.sha256(seed + number.to_bytes(8, "big")).digest()


def _broken(samples: Sequence[bytes]) -> Iterator[bytes]:
    for index, sample in enumerate(samples):
        given = _random(b"broken" + index.to_bytes(4, "big"))
        for turn in range(BROKEN_OF_EACH):
            data = bytearray(sample or b"\x00")
            at = (next(given) << 8 | next(given)) % len(data)
            if turn % 4 == 0:
                data[at] = next(given)
            elif turn % 4 == 1:
                data[at] ^= 1 << next(given) % 8
            elif turn % 4 == 2:
                del data[at:]
            else:
                data[at:at] = bytes(next(given) for _ in range(next(given) % 16))
            yield bytes(data)


def _noise() -> Iterator[bytes]:
    given = _random(b"noise")
    for length in (0, 1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 144, 1_500, 65_507):
        yield bytes(next(given) for _ in range(length))
        yield b"\x00" * length
        yield b"\xff" * length
