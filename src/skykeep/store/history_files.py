"""One Parquet file of the history: its columns, how it is written, what its foot says.

Three kinds. `cell` is a place on a Hilbert curve over the Earth (history_rows.py); rows lie in
its order, so that the least and greatest latitude and longitude of a row group, which Parquet
keeps, say for a box whether the group need be read. Times are UTC nanoseconds. A `pseudonym`
is what stands for a serial number (pseudonym.py).
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import file_digest
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from skykeep.errors import RecordError

if TYPE_CHECKING:  # it takes a quarter of a second to import, and most commands need none of it
    import duckdb

OBSERVATIONS, TRACKS, IDENTITIES = "observations", "tracks", "identities"
KINDS = (OBSERVATIONS, TRACKS, IDENTITIES)

_PLACE = {"cell": "UBIGINT", "lat_deg": "DOUBLE", "lon_deg": "DOUBLE"}
_SPEED = {
    "velocity_east_mps": "FLOAT", "velocity_north_mps": "FLOAT", "velocity_up_mps": "FLOAT",
}  # fmt: skip
#: Of each kind: its columns and their types, in order.
COLUMNS: dict[str, dict[str, str]] = {
    OBSERVATIONS: {
        "entry": "BIGINT", "row": "INTEGER", "at_ns": "BIGINT", "received_ns": "BIGINT",
        "sensor": "VARCHAR", "batch_id": "VARCHAR", "form": "VARCHAR", **_PLACE,
        "height_m": "DOUBLE", "height_reference": "VARCHAR",
        "range_m": "DOUBLE", "azimuth_deg": "DOUBLE", "elevation_deg": "DOUBLE",
        "sigma_range_m": "FLOAT", "sigma_azimuth_deg": "FLOAT", "sigma_elevation_deg": "FLOAT",
        "sigma_east_m": "FLOAT", "sigma_north_m": "FLOAT", "sigma_height_m": "FLOAT", **_SPEED,
        "kind_drone": "FLOAT", "kind_bird": "FLOAT", "kind_aircraft": "FLOAT",
        "kind_clutter": "FLOAT", "pseudonym": "BLOB",
    },
    TRACKS: {
        "entry": "BIGINT", "row": "INTEGER", "at_ns": "BIGINT", "told_ns": "BIGINT",
        "track_id": "VARCHAR", **_PLACE, "height_hae_m": "DOUBLE", "height_m": "DOUBLE",
        "height_reference": "VARCHAR", **_SPEED, "sigma_horizontal_m": "FLOAT",
        "sigma_up_m": "FLOAT", "probability_drone": "FLOAT", "taken_for_drone": "BOOLEAN",
        "sensors": "VARCHAR[]", "observations": "VARCHAR[]",
    },
    IDENTITIES: {
        "entry": "BIGINT", "row": "INTEGER", "at_ns": "BIGINT", "track_id": "VARCHAR",
        "scheme": "VARCHAR", "strength": "VARCHAR", "pseudonym": "BLOB",
    },
}  # fmt: skip
_ORDER = {
    OBSERVATIONS: "cell, at_ns, entry, row", TRACKS: "cell, at_ns, entry, row",
    IDENTITIES: "at_ns, entry, row",
}  # fmt: skip
#: A box is answered by whole groups: fewer rows are read from small ones, at more footing.
#: Measured in bench/history.py; four of DuckDB's vectors.
ROW_GROUP_ROWS = 8_192
#: What one query, or the joining of files, may take; more goes to a file beside the history.
MEMORY = "1GB"
FORMAT = 1
_KEY = "skykeep"

Box = tuple[float, float, float, float]  # south, west, north, east in degrees


class Foot(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a file says of itself: enough to make the catalogue, and to go on, from it.

    `kinds`: the files that together hold the rows of entries `first` until before `end`.
    `stations`: the sensors as they were registered then, as the record has them.
    """

    v: int
    record: str
    kind: str
    kinds: tuple[str, ...]
    first: int
    end: int
    rows: int
    from_ns: int
    to_ns: int
    box: Box | None
    sensors: tuple[str, ...]
    stations: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class HistoryFile:
    """A file of the history, as the catalogue has it; `path` is relative to its folder."""

    path: str
    foot: Foot
    size: int
    sha256: str


def connect(folder: Path, threads: int) -> duckdb.DuckDBPyConnection:
    """A database in memory that reads and writes the files; it fetches nothing from anywhere."""
    import duckdb

    with told():
        db = duckdb.connect(
            ":memory:",
            config={
                "threads": threads,
                "memory_limit": MEMORY,
                "temp_directory": str(folder / "spill"),
                "autoinstall_known_extensions": False,
                "autoload_known_extensions": False,
            },
        )
        # Reading a file's foot anew takes half as long as the rest of a box's answer.
        db.execute("SET GLOBAL parquet_metadata_cache = true")
        return db


@contextmanager
def told() -> Iterator[None]:
    """DuckDB's and the disk's errors as ours."""
    import duckdb

    try:
        yield
    except duckdb.InterruptException:
        problem = "the history took too long to answer: ask for less time, or a smaller box"
        raise RecordError(problem) from None
    except duckdb.Error as error:
        words = str(error).partition("\n")[0]
        raise RecordError(f"the history cannot be read or written: {words}") from None
    except OSError as error:
        raise RecordError(f"the history cannot be read or written: {error}") from None


def write_columns(
    db: duckdb.DuckDBPyConnection, path: Path, foot: Foot, columns: Mapping[str, Any]
) -> None:
    """Rows given as arrays, one a column, as a whole file that is on the disk when it returns."""
    db.register("part", dict(columns))
    try:
        _copy(db, path, foot, "part", [])
    finally:
        db.unregister("part")


def join_files(
    db: duckdb.DuckDBPyConnection, path: Path, foot: Foot, sources: Sequence[Path]
) -> None:
    """The rows of some files as one file."""
    _copy(db, path, foot, "read_parquet(?)", [[str(s) for s in sources]])


def _copy(
    db: duckdb.DuckDBPyConnection, path: Path, foot: Foot, source: str, given: list[Any]
) -> None:
    columns = ", ".join(f'CAST("{c}" AS {t}) AS "{c}"' for c, t in COLUMNS[foot.kind].items())
    said = _quoted(msgspec.json.encode(foot).decode())
    part = path.with_name(path.name + ".part")
    path.parent.mkdir(parents=True, exist_ok=True)
    db.execute(
        f"COPY (SELECT {columns} FROM {source} ORDER BY {_ORDER[foot.kind]}) "
        f"TO {_quoted(str(part))} (FORMAT parquet, COMPRESSION zstd, PARQUET_VERSION v2, "
        f"ROW_GROUP_SIZE {ROW_GROUP_ROWS}, KV_METADATA {{{_KEY}: {said}}})",
        given,
    )
    put_in_place(part, path)


def put_in_place(part: Path, path: Path) -> None:
    """Sync a file that is written, then give it its name: whatever happens, it is whole."""
    for target in (part, path):
        if target is path:
            part.replace(path)
        descriptor = os.open(part if target is part else path.parent, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def read_foot(db: duckdb.DuckDBPyConnection, path: Path) -> Foot | None:
    """What a file says of itself; None for one that is not ours, or not whole."""
    import duckdb

    try:
        rows = db.execute("SELECT key, value FROM parquet_kv_metadata(?)", [str(path)]).fetchall()
        (said,) = [value for key, value in rows if bytes(key) == _KEY.encode()]
        foot = msgspec.json.decode(said, type=Foot)
    except (duckdb.Error, ValueError, msgspec.DecodeError):
        return None
    return foot if foot.v == FORMAT and foot.kind in KINDS else None


def described(folder: Path, path: Path, foot: Foot) -> HistoryFile:
    """A file that is there, with its size and its hash."""
    with path.open("rb") as file:
        digest = file_digest(file, "sha256").hexdigest()
    return HistoryFile(path.relative_to(folder).as_posix(), foot, path.stat().st_size, digest)


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
