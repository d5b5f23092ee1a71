"""Lines of a file, bounded in length, and the small things that line feeds share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from skykeep.core.event import Finding
from skykeep.core.observation import Batch, Form
from skykeep.errors import InputError
from skykeep.units import BatchId, SensorId


def read_lines(path: Path, max_bytes: int) -> Iterator[tuple[int, bytes | None]]:
    """Number (from 1) and bytes of each line with its end; None for one over `max_bytes`.

    Raises InputError when the file cannot be read.
    """
    try:
        with path.open("rb") as file:
            number = 0
            while line := file.readline(max_bytes + 1):
                number += 1
                if len(line) <= max_bytes:
                    yield number, line
                    continue
                while line and not line.endswith(b"\n"):
                    line = file.readline(max_bytes + 1)
                yield number, None
    except OSError as e:
        raise unreadable(path, e) from e


def unreadable(path: Path, error: OSError) -> InputError:
    """An operating system's refusal, as an error that its receiver can mend."""
    return InputError(str(path), error.strerror or "cannot be read", "Give a readable file.")


def too_long(max_bytes: int) -> InputError:
    """The error for a line that was skipped for its length."""
    return InputError("line", f"over {max_bytes} bytes long", "Send one message a line.")


def empty_batch(
    batch_id: BatchId,
    sensor_id: SensorId,
    receipt_time_ns: int,
    form: Form,
    findings: tuple[Finding, ...],
) -> Batch:
    """A batch of no rows, that carries findings which belong to no row."""
    return Batch(
        batch_id,
        sensor_id,
        receipt_time_ns,
        form,
        event_time_ns=np.empty(0, np.int64),
        values=np.empty((0, 3)),
        sigmas=np.empty((0, 3)),
        velocities_mps=np.empty((0, 3)),
        height_references=np.empty(0, np.int8),
        findings=findings,
    )
