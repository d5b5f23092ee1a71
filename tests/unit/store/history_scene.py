"""A small night in a record, and what a history of it must say, read from the record itself."""

from __future__ import annotations

import math
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from skykeep.codec import entries
from skykeep.core.airspace import RegisterSensor
from skykeep.core.event import IdentityChanged, Tick, TrackUpdated
from skykeep.core.geo import Frame, HeightReference
from skykeep.core.observation import Form
from skykeep.core.zone import PublishZone
from skykeep.record.entry import read_leaf
from skykeep.runtime import Recorded
from skykeep.store.history import Follower, History
from skykeep.store.record_store import RecordStore
from tests.sky import (
    C2,
    FINDER,
    GUARD,
    NOWHERE,
    OFFICER,
    RADAR,
    RECEIVER,
    SITE,
    at,
    batch,
    claim_of,
    claims,
    plots,
    sighting,
    tracks,
    zone_named,
)  # fmt: skip

INTRUDER, PASSER = (100.0, 0.0, 80.0), (3_000.0, 2_500.0, 80.0)
OTHER = "SKV18OTHER7777777"
SENSORS = (RADAR, RECEIVER, FINDER, GUARD, C2)
HISTORY = "history"


def play(folder: Path, seconds: int = 14) -> None:
    """A record of an intruder and a passer-by with serials, seen by sensors of all forms."""
    desk = Recorded(folder, SITE)
    desk.take([Tick(at(0.0)), *(RegisterSensor(OFFICER, s) for s in SENSORS)])
    desk.take([PublishZone(OFFICER, zone_named())])
    for second in range(1, seconds):
        moved = tuple(p + 10.0 * second for p in PASSER)
        items: list[Any] = [
            plots(second, INTRUDER, moved),
            claims(second, (claim_of(), INTRUDER), (claim_of(OTHER, transmitter="bb"), moved)),
        ]
        if second % 3 == 0:
            items += [
                batch(RADAR, second + 0.2, Form.POLAR, [(1_500.0, 90.0 + second, 10.0)],
                      (5.0, 0.4, 0.6), reference=HeightReference.NONE),
                batch(FINDER, second, Form.BEARING, [(30.0, NOWHERE, NOWHERE)],
                      (4.0, NOWHERE, NOWHERE), reference=HeightReference.NONE),
                sighting(second, "Anna saw it", 210.0),
                tracks(second, ("a-7", INTRUDER)),
            ]  # fmt: skip
        for item in items:
            desk.take([item])
        desk.take([Tick(at(second + 0.5))])
    desk.take([Tick(at(7_200.0))])
    desk.close()


@contextmanager
def opened(folder: Path) -> Iterator[tuple[RecordStore, History]]:
    """A record to be read, with its history."""
    store = RecordStore(folder, "", audit=True)
    history = History(folder / HISTORY)
    try:
        yield store, history
    finally:
        history.close()
        store.close()


def written(store: RecordStore, history: History, every: int | None = None) -> None:
    """Follow to the record's end, closing a part every so many entries."""
    follower = Follower(history, store)
    while follower.follow(store, every):
        follower.close_part()
    follower.close_part()


def copy_of(folder: Path, to: Path) -> Path:
    """The folder once more."""
    shutil.copytree(folder, to)
    return to


Seen = dict[str, Any]


def observations_in(store: RecordStore) -> list[Seen]:
    """Every observation with what a question can be about, row by row, in order of time."""
    sensors = {s.sensor_id: s for s in SENSORS}
    found = []
    for placed in store.entries():
        if read_leaf(placed.leaf).kind != entries.BATCH:
            continue
        whole = entries.batch_of([f for f in store.readable(placed) if f is not None])
        for seen in whole.rows():
            sensor = sensors[seen.sensor_id]
            frame = Frame(sensor.lat_deg, sensor.lon_deg, sensor.height_hae_m)
            lat, lon = seen.values[:2] if whole.form in (Form.POSITION, Form.TRACK) else (
                frame.origin[:2]
            )  # fmt: skip
            if whole.form is Form.POLAR:
                range_m, azimuth, elevation = seen.values
                level = range_m * math.cos(math.radians(elevation))
                east = level * math.sin(math.radians(azimuth))
                north = level * math.cos(math.radians(azimuth))
                up = range_m * math.sin(math.radians(elevation))
                lat, lon, _ = frame.to_geodetic(east, north, up)
            serial = None if seen.claim is None else seen.claim.identity
            found.append(
                {"at_ns": seen.event_time_ns, "entry": placed.index, "row": seen.row, "lat": lat,
                 "lon": lon, "sensor": str(seen.sensor_id), "serial": serial,
                 "ref": f"{seen.batch_id}/{seen.row}", "form": seen.form.value}
            )  # fmt: skip
    return sorted(found, key=lambda o: (o["at_ns"], o["entry"], o["row"]))


def states_in(store: RecordStore) -> list[tuple[int, int, TrackUpdated]]:
    """Every track state: entry, place, state; in order of time."""
    found = []
    for placed in store.entries():
        if read_leaf(placed.leaf).kind == entries.TRACKS:
            for place, fact in enumerate(store.readable(placed)):
                state = None if fact is None else entries.state_of(fact)
                if state is not None:
                    found.append((placed.index, place, state))
    return sorted(found, key=lambda s: (s[2].state_at_ns, s[0], s[1]))


def identities_in(store: RecordStore) -> list[IdentityChanged]:
    """What the engine said of who tracks are."""
    found = []
    for placed in store.entries():
        if read_leaf(placed.leaf).kind == entries.TRACKS:
            said = (entries.identity_of(f) for f in store.readable(placed) if f is not None)
            found += [s for s in said if s is not None]
    return found


def keys_of(rows: list[Seen], like: Callable[[Seen], bool]) -> list[tuple[int, int]]:
    """Entry and row of those that are like this."""
    return [(r["entry"], r["row"]) for r in rows if like(r)]
