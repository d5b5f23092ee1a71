"""Coverage over time, read from the record: who was looking, and who would have seen a place."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict

from skykeep.codec import entries, wire
from skykeep.codec.moment import format_moment, parse_moment
from skykeep.core.airspace import MaintainSensor, RegisterSensor, Site
from skykeep.core.coverage import SensorTime, WatchBook, in_view
from skykeep.core.event import SensorChanged, SensorNumbered
from skykeep.errors import InputError
from skykeep.record.entry import OPEN, leaf_time, read_leaf, unpack_facts
from skykeep.service.desk import COMMANDS, READS, Done, done, needs, writer_of
from skykeep.service.examples import shown
from skykeep.service.tokens import Holder
from skykeep.service.zones import Id, Text
from skykeep.store.record_store import RecordStore
from skykeep.units import NS_PER_S, SensorId

router = APIRouter(tags=["sensors"])

#: So high above the site's origin a place is looked at, unless it is said otherwise: a drone's.
USUAL_HEIGHT_M = 100.0
#: A clock that was set back may have put entries of the span behind later ones: read on so far.
DISORDER_NS = 3_600 * NS_PER_S
#: What an entry must hold to be looked into: most hold none of it.
_REGISTERED, _SENSOR, _BATCH = b'{"is":"RegisterSensor"', b'["Sensor', b'"kind":"batch"'


@dataclass(frozen=True, slots=True)
class Spot:
    """A place, its height above the ellipsoid."""

    lat_deg: float
    lon_deg: float
    hae_m: float


def coverage_in(store: RecordStore, from_ns: int, to_ns: int) -> tuple[SensorTime, ...]:
    """Each sensor's time in a span; the record is read from its beginning to the span's end."""
    book = WatchBook(from_ns, to_ns)
    for index, leaf, packed in store.packed():
        at_ns = leaf_time(leaf)
        if at_ns >= to_ns + DISORDER_NS:
            break
        if at_ns >= to_ns or index == 0:  # the first was written before the clock was asked
            continue
        book.written(at_ns)
        if _BATCH in leaf:
            said = read_leaf(leaf)
            if said.kind == entries.BATCH:
                book.heard(said.source, at_ns)
        elif _REGISTERED in packed or _SENSOR in packed:
            _hear(book, at_ns, unpack_facts(index, packed))
    return book.sensors()


def _hear(book: WatchBook, at_ns: int, stored: tuple[bytes, ...]) -> None:
    for fact in stored:
        said = fact[1:]
        if fact[:1] != OPEN:
            continue
        if said.startswith(_REGISTERED):
            command: RegisterSensor = wire.decode(said)
            book.registered(command.sensor, at_ns)
        elif said.startswith(b'["SensorChanged"'):
            book.changed(msgspec.convert(msgspec.json.decode(said)[1], SensorChanged))
        elif said.startswith(b'["SensorNumbered"'):
            book.numbered(msgspec.convert(msgspec.json.decode(said)[1], SensorNumbered))


class SpanOut(BaseModel):
    """From a moment until before another: up, silent, maintenance, unknown, not_recorded."""

    since: str
    until: str
    state: str


class NumberedOut(BaseModel):
    """`gap`: numbers `first` to `last` never came; `filled`: one came late; `restarted`."""

    at: str
    what: str
    session: int
    first: int
    last: int


class SensorTimeOut(BaseModel):
    """One sensor in the span; `covers`: whether its stated coverage takes in the place.

    `watched` are the spans in which it was up and covered the place. Terrain and houses in
    between are not looked at.
    """

    sensor: str
    kind: str
    signs: bool
    batches: int
    up_share: float
    spans: list[SpanOut]
    numbered: list[NumberedOut]
    covers: bool | None
    watched: list[SpanOut]


class CoverageList(BaseModel):
    """Who was looking, when, and where to."""

    model_config = ConfigDict(
        json_schema_extra=shown(
            {
                "since": "2026-09-12T00:00:00Z",
                "until": "2026-09-12T00:01:00Z",
                "height_hae_m": 437.0,
                "sensors": [
                    {
                        "sensor": "radar-1",
                        "kind": "radar",
                        "signs": True,
                        "batches": 41,
                        "up_share": 0.75,
                        "spans": [
                            {
                                "since": "2026-09-12T00:00:00Z",
                                "until": "2026-09-12T00:00:45Z",
                                "state": "up",
                            },
                            {
                                "since": "2026-09-12T00:00:45Z",
                                "until": "2026-09-12T00:01:00Z",
                                "state": "silent",
                            },
                        ],
                        "numbered": [
                            {
                                "at": "2026-09-12T00:00:20Z",
                                "what": "gap",
                                "session": 3,
                                "first": 18,
                                "last": 21,
                            }
                        ],
                        "covers": True,
                        "watched": [
                            {
                                "since": "2026-09-12T00:00:00Z",
                                "until": "2026-09-12T00:00:45Z",
                                "state": "up",
                            }
                        ],
                    }
                ],
            }
        )
    )
    since: str
    until: str
    height_hae_m: float | None
    sensors: list[SensorTimeOut]


def told(
    times: tuple[SensorTime, ...], site: Site, span: tuple[int, int], spot: Spot | None
) -> CoverageList:
    """Coverage as it is told."""
    return CoverageList(
        since=format_moment(span[0]),
        until=format_moment(span[1]),
        height_hae_m=None if spot is None else spot.hae_m,
        sensors=[_sensor(t, site, spot) for t in times],
    )


def _sensor(time: SensorTime, site: Site, spot: Spot | None) -> SensorTimeOut:
    covers = None
    if spot is not None:
        covers = in_view(time.sensor, site.frame, spot.lat_deg, spot.lon_deg, spot.hae_m)
    spans = [
        SpanOut(since=format_moment(s.from_ns), until=format_moment(s.to_ns), state=s.state)
        for s in time.spans
    ]
    return SensorTimeOut(
        sensor=time.sensor.sensor_id,
        kind=time.sensor.kind,
        signs=bool(time.sensor.key),
        batches=time.batches,
        up_share=round(time.share("up"), 6),
        spans=spans,
        numbered=[
            NumberedOut(
                at=format_moment(n.at_ns), what=n.what, session=n.session, first=n.first,
                last=n.last,
            )
            for n in time.numbered
        ],
        covers=covers,
        watched=[s for s in spans if s.state == "up"] if covers else [],
    )  # fmt: skip


def spot_at(site: Site, lat: float | None, lon: float | None, hae_m: float | None) -> Spot | None:
    """The place that is asked about, at the usual height unless one is given."""
    if (lat is None) != (lon is None):
        raise InputError("query.lat", "one of lat and lon is missing", "Give both or none")
    if lat is None or lon is None:
        return None
    return Spot(lat, lon, site.frame.hae_m + USUAL_HEIGHT_M if hae_m is None else hae_m)


def span_of(from_: str, to: str) -> tuple[int, int]:
    """Both ends in nanoseconds; InputError where there is nothing in between."""
    from_ns, to_ns = parse_moment(from_, "query.from"), parse_moment(to, "query.to")
    if from_ns >= to_ns:
        raise InputError("query.from", "is not before `to`", "Give a span of time")
    return from_ns, to_ns


_MOMENT: Any = {"max_length": 40, "examples": ["2026-09-12T00:25:00Z"]}


@router.get("/v1/coverage", responses=READS)
async def get_coverage(
    request: Request,
    holder: Annotated[Holder, needs("coverage.read")],
    from_: Annotated[str, Query(alias="from", description="from then on", **_MOMENT)],
    to: Annotated[str, Query(description="and before then", **_MOMENT)],
    lat: Annotated[float | None, Query(ge=-90.0, le=90.0, description="of a place")] = None,
    lon: Annotated[float | None, Query(ge=-180.0, le=180.0, description="of it")] = None,
    height_hae_m: Annotated[
        float | None,
        Query(ge=-1_000.0, le=100_000.0, description="of it; 100 m above the site's origin"),
    ] = None,
) -> CoverageList:
    """Which sensors were up when, from the record, and which of them covered a place.

    The record is read from its beginning, so that a long one takes a while.
    """
    span, writer = span_of(from_, to), writer_of(request)
    spot = spot_at(writer.site, lat, lon, height_hae_m)
    store = await writer.ask(lambda recorded: recorded.store.as_it_is())
    async with request.app.state.reading_coverage:  # one at a time: it is the whole record
        found = await asyncio.to_thread(coverage_in, store, *span)
    return told(found, writer.site, span, spot)


class Maintenance(BaseModel):
    """Work on a sensor begins, or ends, and why."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra=shown({"sensor": "radar-1", "begins": True, "why": "a new antenna"}),
    )
    sensor: Id
    begins: bool
    why: Text


@router.post("/v1/commands/maintain_sensor", responses=COMMANDS)
async def maintain_sensor(
    request: Request, body: Maintenance, holder: Annotated[Holder, needs("sensors.maintain")]
) -> Done:
    """While somebody works on a sensor its silence is no alert, and it counts as seeing nothing."""
    command = MaintainSensor(holder.actor, SensorId(body.sensor), body.begins, body.why)
    return await done(writer_of(request), [command])
