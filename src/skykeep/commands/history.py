"""`skykeep history query|list|rebuild`: of a folder, or asked of a running site."""

from __future__ import annotations

import csv
import json
import math
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from rich.console import Console
from rich.table import Table

from skykeep.codec.moment import EARLIEST_NS, format_moment, parse_moment
from skykeep.commands import remote
from skykeep.commands.incident import note_look, open_desk
from skykeep.errors import DecisionError, InputError, RecordError
from skykeep.store.history import HISTORY_FOLDER, Follower, History
from skykeep.store.history_catalogue import CATALOGUE_FILE
from skykeep.store.history_files import KINDS
from skykeep.store.history_query import Wanted, find_observations, find_tracks, looked_up
from skykeep.store.record_files import RECORD_FILE
from skykeep.store.record_store import RecordStore

#: Of DuckDB: a command has the machine to itself.
THREADS = 2
#: A running site gives so many rows at a time.
PAGE_ROWS = 1_000
#: Entries between two joinings of small parts.
STEP = 20_000
#: Who waits for longer is told how far it is.
TELL_S = 2.0
ALL_NS = 2**62
_EARLIEST = format_moment(EARLIEST_NS)

#: SQLite's word for what another process has.
_LOCKED, _BY_URL = "locked", "ask it by its address"

#: What a terminal has room for; the other formats have all.
_SHOWN = {
    False: ("at", "sensor", "form", "lat_deg", "lon_deg", "height_m", "entry", "row"),
    True: ("at", "track_id", "lat_deg", "lon_deg", "height_hae_m", "taken_for_drone", "sensors"),
}


@dataclass(frozen=True, slots=True)
class Wish:
    """What was asked for on the command line; `box` is west, south, east, north."""

    tracks: bool
    from_: str | None
    to: str | None
    box: tuple[float, ...] | None
    track: str | None
    sensor: str | None
    serial: str | None
    limit: int


def query(source: str, wish: Wish, form: str, token_file: Path | None) -> int:
    """Print what is found; 0 also where that is nothing."""
    if wish.limit < 1:
        raise InputError("--limit", f"{wish.limit} is less than 1", "Leave it out, or give more")
    if remote.is_remote(source):
        rows, more = _asked(source, wish, remote.read_token(token_file))
    else:
        rows, more = _found(Path(source), wish)
    _print(rows, wish.tracks, form)
    if more:
        words = f"there is more than {len(rows)} rows: narrow it, or give a greater --limit"
        print(words, file=sys.stderr)
    elif not rows and form == "table":
        print("nothing is found", file=sys.stderr)
    return 0


def _found(folder: Path, wish: Wish) -> tuple[list[dict[str, Any]], bool]:
    wanted = _wanted(wish)
    if wish.serial is not None and (folder / RECORD_FILE).exists():
        try:
            desk = open_desk(folder)
        except RecordError as error:
            if _LOCKED not in str(error):
                raise
            raise InputError("--serial", "a service holds the record's keys", _BY_URL) from None
        try:
            note_look(desk, "history of one serial number")
        finally:
            desk.close()
    with _opened(folder) as (history, store):
        if wish.serial is not None:
            if store is None:
                problem = "needs the record's keys, which are not here"
                raise InputError("--serial", problem, "Ask a record, or a running site")
            wanted = looked_up(history, store, wanted, wish.serial)
        found = (find_tracks if wish.tracks else find_observations)(history, wanted)
        return list(found.told()), found.more is not None


def _wanted(wish: Wish) -> Wanted:
    from_ns = 0 if wish.from_ is None else parse_moment(wish.from_, "--from")
    to_ns = ALL_NS if wish.to is None else parse_moment(wish.to, "--to")
    if from_ns >= to_ns:
        raise InputError("--from", "is not before --to", "Give a span of time")
    box = None
    if wish.box is not None:
        west, south, east, north = wish.box
        level = -90.0 <= south <= north <= 90.0
        if not (level and abs(west) <= 180.0 and abs(east) <= 180.0):
            mend = "Give west, south, east, north in degrees"
            raise InputError("--box", "is no part of the Earth", mend)
        box = (south, west, north, east)
    return Wanted(from_ns, to_ns, box, wish.track, wish.sensor, None, wish.limit)


def _asked(url: str, wish: Wish, token: str) -> tuple[list[dict[str, Any]], bool]:
    """Page after page of a running site, until there is enough."""
    asked = {"from": wish.from_ or _EARLIEST, "to": wish.to, "track": wish.track,
             "sensor": wish.sensor}  # fmt: skip
    _wanted(wish)
    if wish.box is not None:
        west, south, east, north = wish.box
        asked["box"] = f"{south},{west},{north},{east}"
    given = {k: v for k, v in asked.items() if v is not None}
    kind = "tracks" if wish.tracks else "observations"
    headers = {} if wish.serial is None else {"Serial": wish.serial}
    rows: list[dict[str, Any]] = []
    while len(rows) < wish.limit:
        given["limit"] = str(min(PAGE_ROWS, wish.limit - len(rows)))
        path = f"/v1/history/{kind}?{urlencode(given)}"
        page = json.loads(remote.ask(url, path, token, headers=headers))
        rows += page["rows"]
        if page["next"] is None:
            return rows, False
        given["cursor"] = page["next"]
    return rows, True


@contextmanager
def _opened(folder: Path) -> Iterator[tuple[History, RecordStore | None]]:
    """The history of a record, brought up to it if no service holds it; or one by itself."""
    if not (folder / RECORD_FILE).exists():
        own = folder if _is_history(folder) else folder / HISTORY_FOLDER
        if not _is_history(own):
            raise InputError(str(folder), "holds no record and no history", "Name its folder")
        history = History(own, THREADS)
        try:
            yield history, None
        finally:
            history.close()
        return
    store, why = _record(folder)
    history = History(folder / HISTORY_FOLDER, THREADS)
    try:
        if store is not None:
            bring_up(history, store)
        else:
            print(f"as far as it is written: {why}", file=sys.stderr)
        yield history, store
    finally:
        history.close()
        if store is not None:
            store.close()


def _is_history(folder: Path) -> bool:
    return (folder / CATALOGUE_FILE).exists() or any((folder / kind).is_dir() for kind in KINDS)


def _record(folder: Path) -> tuple[RecordStore | None, str]:
    """The record to be read; None where a service holds it, and that in words."""
    try:
        return RecordStore(folder, "", audit=True), ""
    except RecordError as error:
        if _LOCKED not in str(error):
            raise
        return None, f"a service holds the record; {_BY_URL}"


def bring_up(history: History, store: RecordStore) -> None:
    """Continue a history to the end of its record, and tell of the progress if it takes long."""
    follower, told_s = Follower(history, store), time.monotonic()
    while follower.follow(store, STEP):
        history.join(0.0)
        if time.monotonic() - told_s > TELL_S:
            told_s = time.monotonic()
            print(f"history: entry {follower.next} of {store.size}", file=sys.stderr)
    follower.close_part()
    history.join(0.0)
    history.sweep(math.inf)


def _print(rows: list[dict[str, Any]], tracks: bool, form: str) -> None:
    if form == "json":
        print(json.dumps(rows, ensure_ascii=False))
    elif form == "geojson":
        print(json.dumps(geojson(rows), ensure_ascii=False))
    elif form == "csv":
        _csv(rows)
    elif rows:
        table = Table(*_SHOWN[tracks], box=None)
        for row in rows:
            table.add_row(*(_cell(row[name]) for name in _SHOWN[tracks]))
        Console(width=None if sys.stdout.isatty() else 140).print(table, highlight=False)


def _csv(rows: list[dict[str, Any]]) -> None:
    if not rows:
        return
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(rows[0])
    for row in rows:
        writer.writerow([" ".join(v) if isinstance(v, list) else v for v in row.values()])


def geojson(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """RFC 7946: a point each, its height only where it is above the ellipsoid (section 4)."""
    features = []
    for row in rows:
        rest = {k: v for k, v in row.items() if k not in ("lat_deg", "lon_deg")}
        geometry = None
        if row["lat_deg"] is not None and row["lon_deg"] is not None:
            above = row.get("height_hae_m")
            if above is None and row.get("height_reference") == "HAE":
                above = row.get("height_m")
            spot = [row["lon_deg"], row["lat_deg"], *([] if above is None else [above])]
            geometry = {"type": "Point", "coordinates": spot}
        features.append({"type": "Feature", "geometry": geometry, "properties": rest})
    return {"type": "FeatureCollection", "features": features}


def _cell(value: Any) -> str:
    if isinstance(value, list):
        return " ".join(value)
    if isinstance(value, float):
        return f"{value:.5f}".rstrip("0").rstrip(".")
    return "" if value is None else str(value)


def list_(folder: Path, check: bool, as_json: bool) -> int:
    """Print the files; 1 where entries are missing, or with `check` a file was altered."""
    own = folder if _is_history(folder) else folder / HISTORY_FOLDER
    if not _is_history(own):
        mend = "`skykeep history rebuild` makes one from a record"
        raise InputError(str(folder), "holds no history", mend)
    history = History(own, THREADS)
    try:
        files = [f for part in history.parts for f in part.files]
        faults = [f"entries {a} to {b - 1} are missing" for a, b in history.gaps()]
        faults += list(history.faults()) if check else []
    finally:
        history.close()
    if as_json:
        rows = [
            {"path": f.path, "entries": [f.foot.first, f.foot.end], "rows": f.foot.rows,
             "from": format_moment(f.foot.from_ns), "to": format_moment(f.foot.to_ns),
             "box": f.foot.box, "sensors": f.foot.sensors, "bytes": f.size, "sha256": f.sha256}
            for f in files
        ]  # fmt: skip
        print(json.dumps({"files": rows, "faults": faults}, ensure_ascii=False))
    else:
        for f in files:
            span = f"{format_moment(f.foot.from_ns)} to {format_moment(f.foot.to_ns)}"
            print(f"{f.path}  {f.foot.rows} rows  {span}  {f.size} bytes")
        print(f"{len(files)} files, {sum(f.foot.rows for f in files)} rows, "
              f"to entry {history.end - 1}" if files else "no file")  # fmt: skip
        for fault in faults:
            print(f"does not hold: {fault}", file=sys.stderr)
    return 1 if faults else 0


def rebuild(folder: Path) -> int:
    """Make the history of a record again from nothing."""
    if not (folder / RECORD_FILE).exists():
        raise RecordError(f"there is no record in {folder}")
    store, why = _record(folder)
    if store is None:
        raise DecisionError(f"the history cannot be rebuilt now: {why}")
    try:
        shutil.rmtree(folder / HISTORY_FOLDER, ignore_errors=True)
        history = History(folder / HISTORY_FOLDER, THREADS)
        try:
            bring_up(history, store)
            rows = {k: sum(f.foot.rows for f in history.files(k)) for k in KINDS}
        finally:
            history.close()
    finally:
        store.close()
    print(", ".join(f"{n} {kind}" for kind, n in rows.items()))
    return 0
