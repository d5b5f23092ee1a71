"""ADS-B recordings (JSON records, plain or gzip) as batches of positions."""

from __future__ import annotations

import gzip
import hashlib
import itertools
import zlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from skykeep.codec.adsb_rows import AdsbRow, decode_rows
from skykeep.core.event import Finding, Severity
from skykeep.core.observation import Batch, Form, Observation, batch_of
from skykeep.errors import InputError
from skykeep.feed.adsb import SIGMAS, claim_of, height_of_feet, velocity_of
from skykeep.feed.lines import empty_batch, unreadable
from skykeep.units import BatchId, SensorId

#: A JSON array is read as a whole; this is some 500,000 records, about 10 times that in memory.
MAX_FILE_BYTES = 128 * 1024 * 1024
_GZIP_MAGIC = b"\x1f\x8b"


def read_rows(path: Path, sensor_id: SensorId) -> Iterator[Batch]:
    """A recording's positions in order of time, one batch for each distinct time.

    The first batch carries all findings; a recording without a usable record is one batch
    without rows, received at 0. `raw_sha256` is that of the whole decompressed file.
    Raises InputError when the file cannot be read.
    """
    data = _bytes_of(path)
    recording = decode_rows(data)
    digest = hashlib.sha256(data).hexdigest()
    del data
    assumed = "received when stamped"
    findings = (
        *(replace(f, where=f"{path.name}: {f.where}") for f in recording.findings),
        Finding(path.name, "a recording has no receipt time", assumed, Severity.NOTE),
    )
    if not recording.rows:
        yield empty_batch(BatchId(f"{sensor_id}:0:0"), sensor_id, 0, Form.POSITION, findings)
    groups = itertools.groupby(recording.rows, key=lambda r: r.at_ns)
    for n, (at_ns, rows) in enumerate(groups, 1):
        batch_id = BatchId(f"{sensor_id}:{at_ns}:{n}")
        observations = [
            _observation(batch_id, i, sensor_id, row, digest) for i, row in enumerate(rows)
        ]
        yield batch_of(observations, findings)
        findings = ()  # said once


def _bytes_of(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            zipped = file.read(2) == _GZIP_MAGIC
            file.seek(0)
            if not zipped:
                data = file.read(MAX_FILE_BYTES + 1)
            else:
                with gzip.open(file) as unzipped:
                    data = unzipped.read(MAX_FILE_BYTES + 1)
    except (EOFError, zlib.error, gzip.BadGzipFile) as e:
        raise InputError(str(path), f"broken gzip ({e})", "Send the whole file again.") from e
    except OSError as e:
        raise unreadable(path, e) from e
    if len(data) > MAX_FILE_BYTES:
        raise InputError(str(path), f"over {MAX_FILE_BYTES} bytes", "Split the recording.")
    return data


def _observation(
    batch_id: BatchId, i: int, sensor_id: SensorId, row: AdsbRow, digest: str
) -> Observation:
    height_m, reference = height_of_feet(row.altitude_ft)
    airborne = None if row.on_ground is None else not row.on_ground
    return Observation(
        batch_id=batch_id,
        row=i,
        sensor_id=sensor_id,
        event_time_ns=row.at_ns,
        receipt_time_ns=row.at_ns,
        form=Form.POSITION,
        values=(row.lat_deg, row.lon_deg, height_m),
        sigmas=SIGMAS,
        velocity_mps=velocity_of(row.ground_speed_kn, row.track_deg, row.vertical_rate_fpm),
        height_reference=reference,
        kind_likelihood=None,
        claim=claim_of(row.icao24, row.callsign, airborne),
        words="",
        raw_sha256=digest,
    )
