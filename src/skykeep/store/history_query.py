"""Questions to the history: by time, box, track, sensor and serial number, page by page.

The catalogue says which files can have an answer; in these, Parquet's own statistics and Bloom
filters say which row groups. A serial number is looked up by its pseudonyms, so only as long as
the keys of its hours are there; without a chest of keys it is not looked up at all.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from skykeep.codec.moment import format_moment
from skykeep.record.entry import hour_of
from skykeep.store.history import History
from skykeep.store.history_files import (
    COLUMNS,
    IDENTITIES,
    OBSERVATIONS,
    TRACKS,
    Box,
    HistoryFile,
    told,
)
from skykeep.store.pseudonym import KeyChest, Pseudonyms
from skykeep.units import NS_PER_S

if TYPE_CHECKING:
    import duckdb

#: What a question may take; an hour of a busy site takes milliseconds.
QUERY_S = 20.0
#: A track's observations happened before it was told of them: by less, or they came too late.
LATE_NS = 120 * NS_PER_S
#: Nothing is told of: what only finds the rows.
_INNER = frozenset({"cell", "pseudonym"})

#: Of single precision: seven digits of them are meant.
_SINGLE = frozenset(n for columns in COLUMNS.values() for n, t in columns.items() if t == "FLOAT")

Place = tuple[int, int, int]  # at_ns, entry, row: no two rows of a kind share it


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked for: from `from_ns` until before `to_ns` by the time of what happened.

    `pseudonyms` None: of any serial number or none. `after`: behind the last row of a page.
    """

    from_ns: int
    to_ns: int
    box: Box | None = None
    track: str | None = None
    sensor: str | None = None
    pseudonyms: tuple[bytes, ...] | None = None
    limit: int | None = None
    after: Place | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """Rows in order of time, and the place of the last, if more follow."""

    columns: tuple[str, ...]
    rows: list[tuple[Any, ...]]
    more: Place | None

    def dicts(self) -> Iterator[dict[str, Any]]:
        """Each row under its columns' names."""
        for row in self.rows:
            yield dict(zip(self.columns, row, strict=True))

    def told(self) -> Iterator[dict[str, Any]]:
        """The same for people and JSON: the time in words too, no more decimals than are meant."""
        for row in self.dicts():
            yield {"at": format_moment(row["at_ns"])} | {k: _plain(k, v) for k, v in row.items()}


def _plain(name: str, value: Any) -> Any:
    if not isinstance(value, float):
        return value
    if not math.isfinite(value):
        return None
    return float(f"{value:.7g}") if name in _SINGLE else round(value, 7)


def find_observations(history: History, wanted: Wanted) -> Found:
    """What the sensors reported. RecordError where it cannot be read, or takes too long."""
    with _asking(history) as db:
        narrow, extra = wanted, ""
        if wanted.track is not None:
            span = _refer(db, history, wanted)
            if span is None:
                return Found(_columns(OBSERVATIONS), [], None)
            narrow = replace(
                wanted, from_ns=max(wanted.from_ns, span[0] - LATE_NS),
                to_ns=min(wanted.to_ns, span[1] + 1),
            )  # fmt: skip
            extra = ' AND (batch_id, "row") IN (SELECT batch_id, "row" FROM refs)'
        if wanted.sensor is not None:
            extra += " AND sensor = $sensor"
        given: dict[str, Any] = {} if wanted.sensor is None else {"sensor": wanted.sensor}
        if wanted.pseudonyms is not None:
            extra += " AND pseudonym IN (SELECT unnest($names))"
            given["names"] = list(wanted.pseudonyms)
        return _select(db, history, OBSERVATIONS, narrow, extra, given)


def find_tracks(history: History, wanted: Wanted) -> Found:
    """The states of tracks, as they were told."""
    with _asking(history) as db:
        extra = ""
        given: dict[str, Any] = {}
        if wanted.track is not None:
            extra += " AND track_id = $track"
            given["track"] = wanted.track
        if wanted.sensor is not None:
            extra += " AND list_contains(sensors, $sensor)"
            given["sensor"] = wanted.sensor
        if wanted.pseudonyms is not None:
            named = _named(db, history, wanted)
            if not named:
                return Found(_columns(TRACKS), [], None)
            extra += " AND track_id IN (SELECT unnest($named))"
            given["named"] = named
        return _select(db, history, TRACKS, wanted, extra, given)


def _select(
    db: duckdb.DuckDBPyConnection, history: History, kind: str, wanted: Wanted, extra: str,
    given: dict[str, Any],
) -> Found:  # fmt: skip
    columns = _columns(kind)
    files = [f for f in history.files(kind) if _can_have(f, wanted)]
    if not files:
        return Found(columns, [], None)
    limit = "" if wanted.limit is None else f"LIMIT {wanted.limit + 1}"
    said = ", ".join(f'"{c}"' for c in columns)
    given = given | {"files": _paths(history, files), "low": wanted.from_ns, "high": wanted.to_ns}
    where = "at_ns >= $low AND at_ns < $high" + _box(wanted, given) + extra
    if wanted.after is not None:
        where += ' AND at_ns >= $a AND (at_ns, entry, "row") > ($a, $b, $c)'
        given |= dict(zip("abc", wanted.after, strict=True))
    rows = db.execute(
        f"SELECT {said} FROM read_parquet($files) WHERE {where} ORDER BY at_ns, entry, row {limit}",
        given,
    ).fetchall()
    more = None
    if wanted.limit is not None and len(rows) > wanted.limit:
        rows = rows[: wanted.limit]
        last = dict(zip(columns, rows[-1], strict=True))
        more = (last["at_ns"], last["entry"], last["row"])
    return Found(columns, rows, more)


def _box(wanted: Wanted, given: dict[str, Any]) -> str:
    if wanted.box is None:
        return ""
    given |= dict(zip(("south", "west", "north", "east"), wanted.box, strict=True))
    beside = "AND" if wanted.box[1] <= wanted.box[3] else "OR"  # across the antimeridian
    return (
        " AND lat_deg >= $south AND lat_deg <= $north"
        f" AND (lon_deg >= $west {beside} lon_deg <= $east)"
    )


def _can_have(file: HistoryFile, wanted: Wanted) -> bool:
    """Whether a file can hold an answer, by what the catalogue says of it."""
    foot = file.foot
    if foot.to_ns < wanted.from_ns or foot.from_ns >= wanted.to_ns:
        return False
    if wanted.after is not None and foot.to_ns < wanted.after[0]:
        return False
    if wanted.sensor is not None and foot.sensors and wanted.sensor not in foot.sensors:
        return False
    if wanted.box is None:
        return True
    if foot.box is None:
        return False
    south, west, north, east = wanted.box
    beside = (foot.box[3] >= west, foot.box[1] <= east)
    level = all(beside) if west <= east else any(beside)
    return foot.box[0] <= north and foot.box[2] >= south and level


def _refer(
    db: duckdb.DuckDBPyConnection, history: History, wanted: Wanted
) -> tuple[int, int] | None:
    """What a track's states rest on, as the table `refs`; returns their span of time."""
    files = [f for f in history.files(TRACKS) if f.foot.to_ns >= wanted.from_ns]
    if not files:
        return None
    db.execute(
        "CREATE OR REPLACE TEMP TABLE refs AS WITH said AS ("
        "  SELECT at_ns, unnest(observations) AS ref FROM read_parquet($files)"
        "  WHERE track_id = $track AND at_ns >= $low)"
        " SELECT regexp_replace(ref, '/[0-9]+$', '') AS batch_id,"
        """ CAST(regexp_extract(ref, '[0-9]+$') AS INTEGER) AS "row", at_ns FROM said""",
        {"files": _paths(history, files), "track": wanted.track, "low": wanted.from_ns},
    )
    first, last = db.execute("SELECT min(at_ns), max(at_ns) FROM refs").fetchall()[0]
    return None if first is None else (first, last)


def _named(db: duckdb.DuckDBPyConnection, history: History, wanted: Wanted) -> list[str]:
    """The tracks that were taken for a serial number within the hours of its pseudonyms."""
    files = history.files(IDENTITIES)
    if not files or not wanted.pseudonyms:
        return []
    rows = db.execute(
        "SELECT DISTINCT track_id FROM read_parquet($files) "
        "WHERE pseudonym IN (SELECT unnest($names)) ORDER BY track_id",
        {"files": _paths(history, files), "names": list(wanted.pseudonyms)},
    ).fetchall()
    return [track for (track,) in rows]


def looked_up(history: History, chest: KeyChest, wanted: Wanted, serial: str) -> Wanted:
    """The same question about one serial number, as far as its hours' keys are there.

    A track may have been taken for it long before the span that is asked for.
    """
    feet = [f.foot for f in history.files(IDENTITIES)]
    first_ns = min((f.from_ns for f in feet), default=wanted.from_ns)
    hours = range(hour_of(min(first_ns, wanted.from_ns)) - 1, hour_of(wanted.to_ns + LATE_NS) + 2)
    return replace(wanted, pseudonyms=tuple(Pseudonyms(chest).all_of(serial, hours)))


def _columns(kind: str) -> tuple[str, ...]:
    return tuple(c for c in COLUMNS[kind] if c not in _INNER)


def _paths(history: History, files: Sequence[HistoryFile]) -> list[str]:
    return [str(history.folder / f.path) for f in files]


@contextmanager
def _asking(history: History) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection of its own for one question, which is stopped when it takes too long."""
    with told():
        db = history.db.cursor()
        stop = threading.Timer(QUERY_S, db.interrupt)
        stop.daemon = True
        stop.start()
        try:
            yield db
        finally:
            stop.cancel()
            db.close()
