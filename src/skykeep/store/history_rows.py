"""Entries of the record as rows of the history: arrays, one a column.

Left out, beside what is sealed: words that people typed, other systems' names for their tracks,
and hashes of raw bytes, which cover claims too.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain
from typing import Any

import numpy as np

from skykeep.codec import entries, wire
from skykeep.core.airspace import RegisterSensor, Site
from skykeep.core.geo import F64, HeightReference, geodetic_many
from skykeep.core.observation import Batch, Form, Sensor, places_of
from skykeep.errors import RecordError
from skykeep.record.entry import Leaf, Placed, hour_of, sealed_hour, unseal
from skykeep.store.history_files import IDENTITIES, OBSERVATIONS, TRACKS
from skykeep.store.pseudonym import Pseudonyms
from skykeep.store.record_store import RecordStore
from skykeep.units import SensorId

Columns = dict[str, Any]

#: Bits of the curve in each of the two directions: cells of 19 m by at most 38 m.
CELL_BITS = 20
#: Rows without a place lie before all others.
NOWHERE = 0

_REFERENCES = np.array([None, *(r.name for r in HeightReference if r)], object)
#: Which columns of the history the three columns of a form are.
_VALUES = {
    Form.POLAR: ("range_m", "azimuth_deg", "elevation_deg"),
    Form.BEARING: ("azimuth_deg", "elevation_deg"),
    Form.SIGHTING: ("azimuth_deg",),
}
_SIGMAS = {
    Form.POLAR: ("sigma_range_m", "sigma_azimuth_deg", "sigma_elevation_deg"),
    Form.POSITION: ("sigma_east_m", "sigma_north_m", "sigma_height_m"),
    Form.TRACK: ("sigma_east_m", "sigma_north_m", "sigma_height_m"),
    Form.BEARING: ("sigma_azimuth_deg", "sigma_elevation_deg"),
    Form.SIGHTING: ("sigma_azimuth_deg",),
}
_MEASURED = ("range_m", "azimuth_deg", "elevation_deg")
_UNSURE = tuple(f"sigma_{n}" for n in (*_MEASURED, "east_m", "north_m", "height_m"))
_VELOCITY = ("velocity_east_mps", "velocity_north_mps", "velocity_up_mps")
_KINDS = ("kind_drone", "kind_bird", "kind_aircraft", "kind_clutter")


def cells_of(lat_deg: F64, lon_deg: F64) -> Any:
    """Places on a Hilbert curve over latitude and longitude, (n,) uint64; 0 where not known.

    Points that are near each other on it are near on the ground (D. Hilbert, Mathematische
    Annalen 38 (1891), page 459).
    """
    known = np.isfinite(lat_deg) & np.isfinite(lon_deg)
    side = 1 << CELL_BITS
    x = _steps(np.where(known, lon_deg, 0.0), -180.0, 360.0, side)
    y = _steps(np.where(known, lat_deg, 0.0), -90.0, 180.0, side)
    cell = np.zeros(len(x), np.uint64)
    for bit in range(CELL_BITS - 1, -1, -1):
        right, up = x >> bit & 1, y >> bit & 1
        cell = cell << np.uint64(2) | ((3 * right) ^ up).astype(np.uint64)
        turned = up == 0
        mirrored = turned & (right == 1)
        x, y = np.where(mirrored, side - 1 - x, x), np.where(mirrored, side - 1 - y, y)
        x, y = np.where(turned, y, x), np.where(turned, x, y)
    return np.where(known, cell + np.uint64(1), np.uint64(NOWHERE))


def _steps(values: F64, low: float, span: float, side: int) -> Any:
    return np.clip(((values - low) * (side / span)).astype(np.int64), 0, side - 1)


class Gathered:
    """Rows of entries that follow one another, and the sensors as they are registered by then."""

    def __init__(self, site: Site, stations: Iterable[Sensor] = ()) -> None:
        self._frame = site.frame
        self.stations: dict[SensorId, Sensor] = {s.sensor_id: s for s in stations}
        self.clear()

    def clear(self) -> None:
        """Begin anew, with the same sensors."""
        self.rows = 0
        self._batches: list[tuple[int, Batch, F64, list[bytes | None] | None]] = []
        self._states: list[list[Any]] = []
        self._identities: list[tuple[Any, ...]] = []

    def take(self, store: RecordStore, names: Pseudonyms, placed: Placed, leaf: Leaf) -> None:
        """One more entry, with what its leaf says; RecordError where it cannot be read."""
        if leaf.kind == entries.BATCH:
            self._batch(store, names, placed, leaf)
        elif leaf.kind == entries.TRACKS:
            self._tracks(store, names, placed, leaf)
        elif leaf.kind == entries.COMMAND and sealed_hour(placed.stored[0]) is None:
            command = wire.decode(placed.stored[0][1:])
            if isinstance(command, RegisterSensor):
                self.stations[command.sensor.sensor_id] = command.sensor

    def _batch(self, store: RecordStore, names: Pseudonyms, placed: Placed, leaf: Leaf) -> None:
        batch = _batch_of(store, placed)
        if not len(batch):
            return
        spots = places_of(batch, self.stations.get(batch.sensor_id))
        said: list[bytes | None] | None = None
        if any(c is not None and c.identity for c in batch.claims):
            hour = hour_of(leaf.at_ns)
            said = [
                names.of(leaf.source, hour, c.scheme, c.identity)
                if c is not None and c.identity
                else None
                for c in batch.claims
            ]
        self._batches.append((placed.index, batch, spots, said))
        self.rows += len(batch)

    def _tracks(self, store: RecordStore, names: Pseudonyms, placed: Placed, leaf: Leaf) -> None:
        for place, stored in enumerate(placed.stored):
            if sealed_hour(stored) is None:
                values = entries.state_values(stored[1:])
                if values is not None:
                    self._states.append([placed.index, place, *values])
                    self.rows += 1
                continue
            key = store.sealing_key(leaf.source, hour_of(leaf.at_ns))
            if key is None:
                continue
            said = entries.identity_of(unseal(key, placed.index, place, stored))
            if said is None or not said.identity:
                continue
            known = names.of(leaf.source, hour_of(leaf.at_ns), said.scheme, said.identity)
            self._identities.append(
                (placed.index, place, said.at_ns, said.track_id, said.scheme,
                 said.strength.value, known)
            )  # fmt: skip

    def columns(self) -> dict[str, Columns]:
        """What was gathered, by kind; a kind without a row is left out."""
        made = {
            OBSERVATIONS: self._observation_columns,
            TRACKS: self._track_columns,
            IDENTITIES: self._identity_columns,
        }
        there = {OBSERVATIONS: self._batches, TRACKS: self._states, IDENTITIES: self._identities}
        return {kind: make() for kind, make in made.items() if there[kind]}

    def _observation_columns(self) -> Columns:
        batches = [b for _, b, _, _ in self._batches]
        counts = np.array([len(b) for b in batches])
        spots = np.concatenate([s for _, _, s, _ in self._batches])
        spots[~np.isfinite(spots)] = np.nan
        codes = np.concatenate([_references(b) for b in batches])
        codes[np.isnan(spots[:, 2])] = int(HeightReference.NONE)
        speeds = np.concatenate([b.velocities_mps for b in batches])
        kinds = [b.kind_likelihood for b in batches]
        unknown = np.full((counts.max(), len(_KINDS)), np.nan)
        likely = np.concatenate(
            [unknown[:n] if k is None else k for n, k in zip(counts, kinds, strict=True)]
        )
        said: list[bytes | None] = list(
            chain.from_iterable(
                [None] * n if p is None else p
                for n, (*_, p) in zip(counts, self._batches, strict=True)
            )
        )
        return {
            "entry": np.repeat(np.array([i for i, *_ in self._batches], np.int64), counts),
            "row": np.concatenate([np.arange(n, dtype=np.int32) for n in counts]),
            "at_ns": np.concatenate([b.event_time_ns for b in batches]),
            "received_ns": np.repeat(np.array([b.receipt_time_ns for b in batches]), counts),
            "sensor": _repeated([str(b.sensor_id) for b in batches], counts),
            "batch_id": _repeated([str(b.batch_id) for b in batches], counts),
            "form": _repeated([b.form.value for b in batches], counts),
            "cell": cells_of(spots[:, 0], spots[:, 1]),
            "lat_deg": spots[:, 0].copy(), "lon_deg": spots[:, 1].copy(),
            "height_m": spots[:, 2].copy(), "height_reference": _REFERENCES[codes],
            **_measured(batches, counts),
            **{name: speeds[:, i].copy() for i, name in enumerate(_VELOCITY)},
            **{name: likely[:, i].copy() for i, name in enumerate(_KINDS)},
            "pseudonym": _objects(said),
        }  # fmt: skip

    def _track_columns(self) -> Columns:
        columns = list(zip(*self._states, strict=True))
        entry, row = columns[:2]
        by_name = dict(zip(entries.STATE_FIELDS, columns[2:], strict=True))
        metres = {n: np.array(by_name[n], np.float64) / 1e3 for n in _MILLIMETRES}
        enu = np.column_stack([metres[n] for n in ("east_mm", "north_mm", "up_mm")])
        placed = geodetic_many(self._frame.origin, enu)
        heights = [np.nan if h is None else h / 1e3 for h in by_name["height_mm"]]
        return {
            "entry": np.array(entry, np.int64), "row": np.array(row, np.int32),
            "at_ns": np.array(by_name["state_at_ns"], np.int64),
            "told_ns": np.array(by_name["at_ns"], np.int64),
            "track_id": _objects(by_name["track_id"]),
            "cell": cells_of(placed[:, 0], placed[:, 1]),
            "lat_deg": placed[:, 0].copy(), "lon_deg": placed[:, 1].copy(),
            "height_hae_m": placed[:, 2].copy(), "height_m": np.array(heights, np.float64),
            "height_reference": _objects(by_name["height_reference"]),
            "velocity_east_mps": metres["velocity_east_mmps"],
            "velocity_north_mps": metres["velocity_north_mmps"],
            "velocity_up_mps": metres["velocity_up_mmps"],
            "sigma_horizontal_m": metres["sigma_horizontal_mm"],
            "sigma_up_m": metres["sigma_up_mm"],
            "probability_drone": np.array(by_name["probability_drone"], np.float64),
            "taken_for_drone": np.array(by_name["taken_for_drone"], np.bool_),
            "sensors": _objects(by_name["sensors"]),
            "observations": _objects(by_name["observations"]),
        }  # fmt: skip

    def _identity_columns(self) -> Columns:
        entry, row, at_ns, track, scheme, strength, said = zip(*self._identities, strict=True)
        return {
            "entry": np.array(entry, np.int64), "row": np.array(row, np.int32),
            "at_ns": np.array(at_ns, np.int64), "track_id": _objects(track),
            "scheme": _objects(scheme), "strength": _objects(strength),
            "pseudonym": _objects(said),
        }  # fmt: skip


def _batch_of(store: RecordStore, placed: Placed) -> Batch:
    """The batch of an entry with the claims that can be read, or without any."""
    opened = [fact[1:] for fact in placed.stored if sealed_hour(fact) is None]
    if len(opened) == len(placed.stored):
        return entries.batch_of(opened)
    try:
        return entries.batch_of(store.readable(placed))
    except RecordError:  # of what belongs together one key is gone
        return entries.batch_of(opened)


_MILLIMETRES = (
    "east_mm", "north_mm", "up_mm", "velocity_east_mmps", "velocity_north_mmps",
    "velocity_up_mmps", "sigma_horizontal_mm", "sigma_up_mm",
)  # fmt: skip


def _references(batch: Batch) -> Any:
    """Codes of what the rows' heights are above: those of a place that was worked out are HAE."""
    if batch.form in (Form.POSITION, Form.TRACK):
        return batch.height_references
    return np.full(len(batch), int(HeightReference.HAE), np.int8)


def _measured(batches: list[Batch], counts: Any) -> Columns:
    """Values and sigmas, each under the name that it has in its form; NaN in the others."""
    made = {name: np.full(int(counts.sum()), np.nan) for name in (*_MEASURED, *_UNSURE)}
    start = 0
    for batch, n in zip(batches, counts, strict=True):
        for i, name in enumerate(_VALUES.get(batch.form, ())):
            made[name][start : start + n] = batch.values[:, i]
        for i, name in enumerate(_SIGMAS[batch.form]):
            made[name][start : start + n] = batch.sigmas[:, i]
        start += n
    return made


def _repeated(values: list[str], counts: Any) -> Any:
    return np.repeat(_objects(values), counts)


def _objects(values: Any) -> Any:
    """An array of objects, also where they are lists."""
    return np.fromiter(values, object, count=len(values))
