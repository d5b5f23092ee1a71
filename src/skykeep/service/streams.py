"""Streams of tracks to recipients, and what comes back over them.

Once a second each recipient's share of the picture is made: which tracks, how finely and how often
its caps say. TAK servers and brokers are pushed to; whoever has a recipient's token may read the
same over HTTP as GeoJSON or CSV. Nobody waits for a slow reader: it misses looks, and they are
counted.
"""

from __future__ import annotations

import asyncio
import contextlib
import csv
import io
import logging
from collections import Counter
from collections.abc import AsyncIterator
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Query, Request
from starlette.responses import StreamingResponse

from skykeep.core.airspace import Site
from skykeep.core.alert import AlertState
from skykeep.core.casebook import ReportBack, ResponderReport
from skykeep.core.event import Actor
from skykeep.core.handover import (
    OPEN_STATES,
    AcknowledgeHandover,
    Handover,
    HandoverState,
    may_have,
)
from skykeep.deliver.link import Answer
from skykeep.deliver.message import track_fields
from skykeep.deliver.mqtt import MqttLink
from skykeep.deliver.settings import MqttChannel, RecipientSettings, Shows, TakChannel
from skykeep.deliver.shared import (
    SharedTrack,
    confirmation_of,
    confirmations,
    gravest_first,
    shared,
    uid_of,
)
from skykeep.deliver.tak import TakLink
from skykeep.runtime import Recorded
from skykeep.service import log
from skykeep.service.desk import READS, needs
from skykeep.service.dispatch import Dispatcher
from skykeep.service.hub import Hub
from skykeep.service.moment import Moment
from skykeep.service.problems import Refused
from skykeep.service.tokens import Holder
from skykeep.service.writer import Item, UnavailableError
from skykeep.units import NS_PER_S

router = APIRouter(tags=["hand-over"])

LOOK_S = 1.0
#: Answers over links that wait to be recorded; a person types none of them so fast.
ANSWERS_WAITING = 100
CSV_COLUMNS = (
    "at", "uid", "track_id", "lat_deg", "lon_deg", "height_hae_m", "ce_m", "le_m", "speed_mps",
    "course_deg", "permission", "confirmation", "zones", "exercise",
)  # fmt: skip


class Streams:
    """What recipients see now; `run` it beside the writer."""

    def __init__(self, dispatcher: Dispatcher, hub: Hub) -> None:
        self.dispatcher, self.hub, self.writer = dispatcher, hub, dispatcher.writer
        #: Each recipient's newest look, and how many there were.
        self.tracks: dict[str, tuple[SharedTrack, ...]] = {}
        self.looks: Counter[str] = Counter()
        #: Tracks that were not told because there were too many; looks that a reader missed.
        self.left_out: Counter[str] = Counter()
        self.missed: Counter[str] = Counter()
        self.answers_shed = 0
        self.stopping = self.leaving = False
        self._due_ns: dict[str, int] = {}
        self._connected: set[tuple[str, str]] = set()
        self._answers: asyncio.Queue[tuple[str, str, Answer]] = asyncio.Queue(ANSWERS_WAITING)
        self._new = asyncio.Condition()
        self._wake = asyncio.Event()
        self._make_links()

    def _make_links(self) -> None:
        site, links = self.writer.site, self.dispatcher.links
        place = (site.frame.lat_deg, site.frame.lon_deg, site.frame.hae_m)
        for name, settings in self.dispatcher.settings.items():
            for channel, way in settings.channels.items():
                if isinstance(way, TakChannel):

                    def hear(answer: Answer, name: str = name, channel: str = channel) -> None:
                        self._heard(name, channel, answer)

                    uid = uid_of(site.authority_id, f"site.{name.replace(' ', '-')}")
                    links[name, channel] = TakLink(
                        way, uid, site.name, place, self.writer.now_ns, hear
                    )
                elif isinstance(way, MqttChannel):
                    links[name, channel] = MqttLink(way, f"skykeep.{site.authority_id}.{name}")

    def stop(self) -> None:
        """Tell nothing more."""
        self.stopping = True
        for link in self.dispatcher.links.values():
            link.stop()
        self._wake.set()

    def leave(self) -> None:
        """End what is read over HTTP, without waiting for its readers."""
        self.leaving = True
        self._wake.set()

    async def run(self) -> None:
        """Keep the links and tell the tracks until `stop`."""
        tasks = [asyncio.ensure_future(link.run()) for link in self.dispatcher.links.values()]
        tasks.append(asyncio.ensure_future(self._record()))
        try:
            while not self.stopping:
                await self.look()
                self._wake.clear()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(LOOK_S):
                        await self._wake.wait()
        finally:
            async with self._new:
                self._new.notify_all()
            tasks[-1].cancel()
            await asyncio.wait(tasks)

    async def look(self) -> None:
        """Each recipient's share of the newest moment, where its turn has come."""
        moment = self.hub.moment
        if moment is not None:
            for name, settings in self.dispatcher.settings.items():
                if moment.at_ns >= self._due_ns.get(name, 0):
                    every_ns = round(NS_PER_S / settings.caps.rate_hz)
                    self._due_ns[name] = moment.at_ns + every_ns - NS_PER_S // 10
                    self._tell(name, settings, moment)
        up = {way for way, link in self.dispatcher.links.items() if link.state.connected}
        if up - self._connected:
            self.dispatcher.wake()  # what waited for the connection need not wait for its turn
        self._connected = up
        async with self._new:
            self._new.notify_all()

    def _tell(self, name: str, settings: RecipientSettings, moment: Moment) -> None:
        exercise = moment.exercise_until_ns > moment.at_ns or self.writer.simulation is not None
        told = gravest_first(share_of(settings, moment, exercise, self.writer.site))
        most = settings.caps.most_tracks
        self.left_out[name] += max(0, len(told) - most)
        self.tracks[name] = tuple(told[:most])
        self.looks[name] += 1
        for (recipient, _), link in self.dispatcher.links.items():
            if recipient == name:
                link.push(self.tracks[name], moment.at_ns)

    # -- what comes back ------------------------------------------------------------------

    def _heard(self, name: str, channel: str, answer: Answer) -> None:
        try:
            self._answers.put_nowait((name, channel, answer))
        except asyncio.QueueFull:
            self.answers_shed += 1

    async def _record(self) -> None:
        while True:
            name, channel, answer = await self._answers.get()
            try:
                await self.take(name, channel, answer)
            except UnavailableError as error:
                log.event(
                    logging.WARNING, "handover.answer_lost", recipient=name,
                    handover=answer.handover_id, why=str(error),
                )  # fmt: skip

    async def take(self, name: str, channel: str, answer: Answer) -> None:
        """Record an answer, if it is about something that this recipient was handed."""

        def known(recorded: Recorded) -> Handover | None:
            return recorded.runtime.airspace.handovers.handovers.get(answer.handover_id)

        handover = await self.writer.ask(known)
        if handover is None or handover.recipient != name:
            return
        actor = Actor(answer.who, f"recipient {name}, by {channel}")
        items: list[Item] = []
        # Whoever reports has it, whatever else is said.
        if handover.state in OPEN_STATES:
            items.append(AcknowledgeHandover(actor, answer.handover_id, answer.words))
        if handover.alert_id is not None and (answer.outcomes or answer.lat_deg is not None):
            report = ResponderReport(
                0, actor, answer.words, (), "", "", answer.outcomes, answer.lat_deg,
                answer.lon_deg, answer.handover_id, answer.answer_id,
            )  # fmt: skip
            items.append(ReportBack(actor, handover.alert_id, report))
        if items:
            await self.writer.submit(items)

    # -- over HTTP ------------------------------------------------------------------------

    async def looks_of(self, name: str, most: int | None) -> AsyncIterator[tuple[SharedTrack, ...]]:
        """The looks of a recipient from now on, the newest each time."""
        seen, told = self.looks[name], 0
        while most is None or told < most:
            async with self._new:
                while self.looks[name] == seen and not (self.stopping or self.leaving):
                    await self._new.wait()
            if self.stopping or self.leaving:
                return
            self.missed[name] += self.looks[name] - seen - 1
            seen, told = self.looks[name], told + 1
            yield self.tracks[name]


def share_of(
    settings: RecipientSettings, moment: Moment, exercise: bool, site: Site
) -> list[SharedTrack]:
    """The tracks that a recipient may know of at a moment, on its grid."""
    recipient, shows = settings.recipient, settings.caps.shows
    if shows is Shows.NOTHING:
        return []
    own = {
        h.alert_id: h.exercise
        for h in moment.handovers
        if h.recipient == recipient.name and h.state is not HandoverState.WITHDRAWN
    }
    marked: dict[str, bool] = {}
    for alert in moment.alerts:
        handed = alert.alert_id in own
        open_ = alert.state is not AlertState.CLOSED
        if handed or (
            shows is Shows.ALERTS and open_ and may_have(recipient, alert.priority, alert.zones)
        ):
            for track_id in alert.tracks:
                marked[track_id] = marked.get(track_id, False) or own.get(alert.alert_id, False)
    if shows is Shows.ZONES:
        for view in moment.tracks:
            zones = {zone_id for zone_id, _, _ in view.verdicts}
            if zones and (not recipient.zones or zones & set(recipient.zones)):
                marked.setdefault(view.track_id, False)
    concluded = confirmations(moment.incidents)
    return [
        shared(
            view, site.frame, site.authority_id, settings.caps.precision_m,
            confirmation_of(view.track_id, concluded), exercise or marked[view.track_id],
        )
        for view in moment.tracks
        if view.track_id in marked
    ]  # fmt: skip


Looks = Annotated[
    int | None, Query(description="end after so many looks; without it, never", ge=1, le=100_000)
]


@router.get("/v1/stream/tracks.geojson", responses=READS, include_in_schema=False)
async def stream_geojson(
    request: Request, holder: Annotated[Holder, needs("stream.read")], looks: Looks = None
) -> StreamingResponse:
    """The recipient's tracks as a GeoJSON text sequence (RFC 8142): a collection for each look."""
    streams, name = _of(request, holder)

    async def lines() -> AsyncIterator[bytes]:
        async for tracks in streams.looks_of(name, looks):
            yield b"\x1e" + msgspec.json.encode(collection(tracks)) + b"\n"

    return StreamingResponse(lines(), media_type="application/geo+json-seq")


@router.get("/v1/stream/tracks.csv", responses=READS, include_in_schema=False)
async def stream_csv(
    request: Request, holder: Annotated[Holder, needs("stream.read")], looks: Looks = None
) -> StreamingResponse:
    """The recipient's tracks as CSV (RFC 4180): a header, then a row for each track and look."""
    streams, name = _of(request, holder)

    async def lines() -> AsyncIterator[bytes]:
        yield _row(CSV_COLUMNS)
        async for tracks in streams.looks_of(name, looks):
            rows = (track_fields(t) | {"zones": " ".join(t.zones)} for t in tracks)
            yield b"".join(_row([r[c] for c in CSV_COLUMNS]) for r in rows)

    return StreamingResponse(lines(), media_type="text/csv; charset=utf-8")


def _of(request: Request, holder: Holder) -> tuple[Streams, str]:
    streams: Streams = request.app.state.streams
    name = holder.recipient or ""
    if name not in streams.dispatcher.settings:
        words = f"{name[:40]} is no recipient of this site"
        raise Refused(403, request.url.path, words, "Ask the site for a token of a recipient")
    return streams, name


def collection(tracks: tuple[SharedTrack, ...]) -> dict[str, Any]:
    """Tracks as a GeoJSON FeatureCollection (RFC 7946); heights above the ellipsoid."""
    return {
        "type": "FeatureCollection",
        "features": [
            {
                "type": "Feature",
                "id": t.uid,
                "geometry": {
                    "type": "Point",
                    "coordinates": [t.lon_deg, t.lat_deg]
                    + ([] if t.height_hae_m is None else [t.height_hae_m]),
                },
                "properties": {
                    name: value
                    for name, value in track_fields(t).items()
                    if name not in ("lat_deg", "lon_deg", "height_hae_m")
                },
            }
            for t in tracks
        ],
    }


def _row(values: Any) -> bytes:
    out = io.StringIO()
    csv.writer(out).writerow("" if v is None else v for v in values)
    return out.getvalue().encode()
