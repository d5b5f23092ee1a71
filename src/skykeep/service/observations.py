"""`GET /v1/observations`: what the sensors reported, read from the record, page by page."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Query, Request
from pydantic import BaseModel
from starlette.responses import Response

from skykeep.codec import entries
from skykeep.codec.moment import format_moment, parse_moment
from skykeep.core.geo import HeightReference
from skykeep.core.observation import PLACED, Batch, Form, Observation, Sensor, places_of
from skykeep.errors import InputError, RecordError
from skykeep.record.entry import Placed, read_leaf, sealed_hour, unseal
from skykeep.runtime import Recorded
from skykeep.service.desk import READS, needs, writer_of
from skykeep.service.looks import looked
from skykeep.service.rights import may
from skykeep.service.tokens import Holder
from skykeep.store.record_store import RecordStore
from skykeep.units import NS_PER_S, to_datetime

router = APIRouter(tags=["observations"])

#: What one call may cost: the site waits while the record is read.
SCAN_ENTRIES = 5_000
SCAN_S = 0.05
WINDOW = 250
ROWS_DEFAULT, ROWS_MOST = 200, 1_000
#: Without a start, so far back.
DEFAULT_SPAN_NS = 300 * NS_PER_S
#: An input may have waited this long while others, received later, were recorded.
DISORDER_NS = 60 * NS_PER_S
_BOX = "Give south,west,north,east in degrees"


class PlaceOut(BaseModel):
    """Where it was seen; of a bearing or a sighting where it was seen from."""

    lat_deg: float
    lon_deg: float
    height_m: float | None
    height_reference: str | None


class ObservationOut(BaseModel):
    """One report of one sensor: row `row` of a batch, which is entry `entry` of the record.

    `measured` is in the form that it was posted in. `place` is none where the sensor is not
    registered any more. Claimed identities, words and where an operator is said to be
    (`exact` false: known to a cell) are for officers only.
    """

    entry: int
    batch_id: str
    row: int
    sensor: str
    event_time: str
    receipt_time: str
    form: Form
    measured: dict[str, Any]
    place: PlaceOut | None
    kind: dict[str, float] | None
    claim: dict[str, Any] | None
    operator: dict[str, Any] | None
    claim_withheld: bool


class ObservationPage(BaseModel):
    """Observations in the order of the record; `next` is the cursor of what may follow."""

    observations: list[ObservationOut]
    next: str | None


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked for: received from `from_ns` until before `to_ns`, in the box, if any."""

    from_ns: int
    to_ns: int
    box: tuple[float, float, float, float] | None
    sensor: str | None
    limit: int
    named: bool


@router.get("/v1/observations", response_model=ObservationPage, responses=READS)
async def get_observations(
    request: Request,
    holder: Annotated[Holder, needs("observations.read")],
    from_: Annotated[
        str | None,
        Query(
            alias="from",
            max_length=40,
            description="received from then on; five minutes back",
            examples=["2026-09-12T00:25:00Z"],
        ),
    ] = None,
    to: Annotated[
        str | None,
        Query(max_length=40, description="and before then; now", examples=["2026-09-12T00:30:00Z"]),
    ] = None,
    box: Annotated[
        str | None,
        Query(
            max_length=100,
            description="south,west,north,east in degrees",
            examples=["49.59,6.10,49.63,6.16"],
        ),
    ] = None,
    sensor: Annotated[str | None, Query(max_length=100, description="of this one alone")] = None,
    limit: Annotated[int, Query(ge=1, le=ROWS_MOST, description="at most so many")] = ROWS_DEFAULT,
    cursor: Annotated[
        str | None,
        Query(pattern=r"^[0-9]{1,12}-[0-9]{1,6}$", description="`next` of the page before"),
    ] = None,
) -> Response:
    """What the sensors reported, by the time of receipt.

    A page may be short, or empty, although more follows: go on with `next` until it is null.
    """  # fmt: skip
    writer = writer_of(request)
    to_ns = writer.now_ns() if to is None else parse_moment(to, "query.to")
    from_ns = to_ns - DEFAULT_SPAN_NS if from_ is None else parse_moment(from_, "query.from")
    if from_ns >= to_ns:
        raise InputError("query.from", "is not before `to`", "Give a span of time")
    named = may(holder, "identity.read")
    if named:
        hours = f"{to_datetime(from_ns):%Y-%m-%d %H}h to {to_datetime(to_ns):%Y-%m-%d %H}h UTC"
        await looked(request, holder, f"observations of {sensor or 'all sensors'}, {hours}")
    wanted = Wanted(from_ns, to_ns, parse_box(box), sensor, limit, named)
    start = None if cursor is None else tuple(map(int, cursor.split("-")))

    def look(recorded: Recorded) -> dict[str, Any]:
        stations = recorded.runtime.airspace.stations()
        sensors = {s.sensor.sensor_id: s.sensor for s in stations}
        return page_of(recorded.store, sensors, wanted, start)

    found = await writer.ask(look)
    return Response(msgspec.json.encode(found), media_type="application/json")


def parse_box(text: str | None) -> tuple[float, float, float, float] | None:
    """South, west, north, east from a query, if it has them; InputError for what is no box."""
    if text is None:
        return None
    try:
        south, west, north, east = (float(part) for part in text.split(","))
    except ValueError:
        raise InputError("query.box", "is not four numbers", _BOX) from None
    if not (-90.0 <= south <= north <= 90.0 and abs(west) <= 180.0 and abs(east) <= 180.0):
        raise InputError("query.box", "is no part of the Earth", _BOX)
    return south, west, north, east


def first_index(store: RecordStore, at_ns: int) -> int:
    """An index before which no entry is as young as `at_ns`, found by halving."""
    low, high = 0, store.size
    while low < high:
        middle = (low + high) // 2
        (placed,) = store.entries(middle, middle + 1)
        if read_leaf(placed.leaf).at_ns < at_ns - DISORDER_NS:
            low = middle + 1
        else:
            high = middle
    return low


def page_of(
    store: RecordStore,
    sensors: Mapping[Any, Sensor],
    wanted: Wanted,
    start: tuple[int, ...] | None,
) -> dict[str, Any]:
    """One page from `start` (entry, row) on, within what a call may cost."""
    index, row = start if start is not None else (first_index(store, wanted.from_ns), 0)
    last, give_up_s = min(index + SCAN_ENTRIES, store.size), time.monotonic() + SCAN_S
    told: list[dict[str, Any]] = []
    while index < last and time.monotonic() < give_up_s:
        for placed in store.entries(index, min(index + WINDOW, last)):
            leaf = read_leaf(placed.leaf)
            if leaf.at_ns >= wanted.to_ns + DISORDER_NS:
                return {"observations": told, "next": None}
            right = leaf.kind == entries.BATCH and wanted.sensor in (None, leaf.source)
            if right and wanted.from_ns <= leaf.at_ns < wanted.to_ns:
                for said in _rows(store, placed, sensors, wanted, row):
                    if len(told) == wanted.limit:
                        return {"observations": told, "next": f"{index}-{said['row']}"}
                    told.append(said)
            index, row = placed.index + 1, 0
    return {"observations": told, "next": f"{index}-0" if index < store.size else None}


def _rows(
    store: RecordStore, placed: Placed, sensors: Mapping[Any, Sensor], wanted: Wanted, first: int
) -> Iterator[dict[str, Any]]:
    batch, withheld = _batch(store, placed, wanted.named)
    sensor = sensors.get(batch.sensor_id)
    spots = places_of(batch, sensor).tolist()
    for seen, spot in zip(batch.rows(), spots, strict=True):
        if seen.row < first:
            continue
        place = _place(seen, spot, sensor)
        if wanted.box is None or (place is not None and _in_box(place, wanted.box)):
            yield _told(placed.index, seen, place, wanted.named, withheld)


def _batch(store: RecordStore, placed: Placed, named: bool) -> tuple[Batch, bool]:
    """The batch of an entry, and whether it has claims that are not told."""
    sealed = any(sealed_hour(fact) is not None for fact in placed.stored)
    if named and sealed:
        try:
            return entries.batch_of(store.lasting(placed)), False
        except RecordError:  # retention has ended their keys
            sealed = True
    facts = [
        unseal(None, placed.index, place, fact)
        for place, fact in enumerate(placed.stored)
        if sealed_hour(fact) is None
    ]
    return entries.batch_of(facts), sealed


def _told(
    entry: int, seen: Observation, place: dict[str, Any] | None, named: bool, withheld: bool
) -> dict[str, Any]:
    kinds = seen.kind_likelihood
    return {
        "entry": entry,
        "batch_id": seen.batch_id,
        "row": seen.row,
        "sensor": seen.sensor_id,
        "event_time": format_moment(seen.event_time_ns),
        "receipt_time": format_moment(seen.receipt_time_ns),
        "form": seen.form,
        "measured": _measured(seen, named),
        "place": place,
        "kind": None
        if kinds is None
        else dict(zip(("drone", "bird", "aircraft", "clutter"), kinds, strict=True)),
        "claim": msgspec.to_builtins(seen.claim),
        "operator": msgspec.to_builtins(seen.operator),
        "claim_withheld": withheld,
    }


_VALUES = {
    Form.POLAR: ("range_m", "azimuth_deg", "elevation_deg"),
    Form.POSITION: ("lat_deg", "lon_deg", "height_m"),
    Form.TRACK: ("lat_deg", "lon_deg", "height_m"),
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


def _measured(seen: Observation, named: bool) -> dict[str, Any]:
    """The measurement under the names of its form; what was not measured is null."""
    said: dict[str, Any] = dict(zip(_VALUES[seen.form], map(_known, seen.values), strict=False))
    said |= dict(zip(_SIGMAS[seen.form], map(_known, seen.sigmas), strict=False))
    if seen.form in PLACED:
        said["height_reference"] = _reference(seen)
        moves = not math.isnan(seen.velocity_mps[0])
        said["velocity_mps"] = list(map(_known, seen.velocity_mps)) if moves else None
    if seen.form is Form.TRACK:
        said["id"] = seen.upstream_id
        known = not math.isnan(seen.velocity_sigmas_mps[0])
        said["sigma_velocity_mps"] = list(map(_known, seen.velocity_sigmas_mps)) if known else None
    if seen.form is Form.SIGHTING:
        said["words"] = seen.words if named else ""
    return said


def _known(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _reference(seen: Observation) -> str | None:
    reference = seen.height_reference
    return None if reference is HeightReference.NONE else reference.name


def _place(
    seen: Observation, at: tuple[float, float, float], sensor: Sensor | None
) -> dict[str, Any] | None:
    if seen.form in PLACED:
        return _point(*at[:2], _known(at[2]), _reference(seen))
    return None if sensor is None else _point(*at, "HAE")


def _point(lat: float, lon: float, height_m: float | None, reference: str | None) -> dict[str, Any]:
    return {
        "lat_deg": round(lat, 7),
        "lon_deg": round(lon, 7),
        "height_m": None if height_m is None else round(height_m, 3),
        "height_reference": reference,
    }


def _in_box(place: dict[str, Any], box: tuple[float, float, float, float]) -> bool:
    """Whether it lies in the box; one whose west is east of its east crosses the antimeridian."""
    south, west, north, east = box
    lat, lon = place["lat_deg"], place["lon_deg"]
    inside = west <= lon <= east if west <= east else (lon >= west or lon <= east)
    return bool(south <= lat <= north and inside)
