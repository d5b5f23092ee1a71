"""The hub of the live stream: once a second it looks at the site and makes each message once.

It looks between two groups of the writer, so that nobody is shown what is not yet durable. A
message is encoded once for each audience; listeners share its bytes and take the newest of
each topic when they can. What people change is told at once, all else at the next beat.
"""

from __future__ import annotations

import asyncio
import base64
import logging
import math
import time
from collections.abc import Coroutine, Generator, Iterable
from typing import TYPE_CHECKING, Any

import msgspec

from skykeep import __version__
from skykeep.core.alert import AlertState
from skykeep.core.picture import TrackView
from skykeep.errors import SkykeepError
from skykeep.service import log
from skykeep.service.card import cards_of
from skykeep.service.heard import Heard
from skykeep.service.incidents import short
from skykeep.service.live_columns import (
    Message,
    Trails,
    nothing_seen,
    rays_message,
    tracks_message,
)
from skykeep.service.live_topics import (
    ZoneBoard,
    alert_message,
    alerts_told,
    handovers_message,
    ms,
    permits_message,
    reports_message,
    sensors_message,
    troubles_message,
)
from skykeep.service.looks import Looks
from skykeep.service.moment import Moment, moment_of
from skykeep.service.tokens import Holder, Role
from skykeep.service.troubles import Troubles
from skykeep.service.web_page import Page
from skykeep.service.web_socket import Frame, Sockets
from skykeep.service.writer import Group, UnavailableError, Writer, error_of, told

if TYPE_CHECKING:
    from skykeep.service.live import Listener

#: Whoever watches sees the site once a second, whatever pace its own clock has.
BEAT_S = 1.0
#: What people change is told at once, but not more often than this.
PUSH_GAP_S = 0.1
#: A record that has not answered for so long is said to be slow.
SLOW_S = 2.0
#: When a sensor was last heard is told this often, its health at once.
HEARD_EVERY_S = 5.0
#: A listener that has taken nothing for so long has gone.
STUCK_S = 30.0

#: Requests wait no longer than this for the hub.
TURN_S = 0.01

OFFICER, READER, OFFICE = Role.WATCH_OFFICER, Role.VIEWER, Role.PERMIT_OFFICER
WATCHERS, EVERYBODY = (OFFICER, READER), (OFFICER, READER, OFFICE)
#: In the order in which they are sent.
TOPICS = (
    "site", "zones", "sensors", "tracks", "trails", "alerts", "rays", "reports", "permits",
    "incidents", "handovers", "service", "troubles",
)  # fmt: skip
#: What names persons or their aircraft, and to whom: that they look is written down.
PERSONAL = frozenset(
    {(OFFICER, "alerts"), (OFFICER, "permits"), (OFFICE, "permits"), (OFFICER, "reports")}
)
#: Incidents told at once, the newest.
INCIDENTS_TOLD = 500


class Hub:
    """What is told to the listeners of one site; `run` keeps it up to date."""

    def __init__(self, writer: Writer, sockets: Sockets, page: Page, looks: Looks) -> None:
        self.writer, self.sockets, self.page, self.looks = writer, sockets, page, looks
        self.frames: dict[tuple[Role, str], Frame] = {}
        self.listeners: dict[Listener, None] = {}
        self.sent = self.skipped = 0
        #: Grows when what `site` tells has changed.
        self.site_version = 0
        self.tracks_seq = 0
        self.heard = Heard()
        #: What is wrong with the watch; without it nothing of that is told.
        self.troubles: Troubles | None = None
        #: When the site was last told as it is, by the monotonic clock.
        self.told_s = -math.inf
        #: The site as it was seen last.
        self.moment: Moment | None = None
        self._trails, self._trails_frame = Trails(), Frame.of(0, b"")
        self._trails_due = True
        self._zones = ZoneBoard(writer.site)
        self._identities: dict[str, tuple[str, ...]] = {}
        self._told: dict[str, Any] = {}
        self._simulation = writer.simulation
        self._sensors_s = 0.0
        self._number = self._shed = 0
        self._asked: asyncio.Future[Moment] | None = None
        self._wake = asyncio.Event()
        self._stopping = False
        writer.listeners.append(self.hear)

    # -- at work --------------------------------------------------------------------------

    def hear(self, group: Group) -> None:
        """A group has become durable."""
        self.heard.take(group)
        if self.heard.changed:
            self._wake.set()

    async def run(self) -> None:
        """Look and tell until `stop`."""
        beat_s, pushed_s = time.monotonic(), 0.0
        while not self._stopping:
            now_s = time.monotonic()
            if now_s >= beat_s:
                beat_s = max(beat_s + BEAT_S, now_s)  # a beat that was missed is not made up for
                await self._safely(self._beat())
            elif self.heard.changed and now_s >= pushed_s + PUSH_GAP_S:
                await self._safely(self._refresh(beat=False))
                pushed_s = time.monotonic()
            else:
                due_s = min(beat_s, pushed_s + PUSH_GAP_S) if self.heard.changed else beat_s
                await self._sleep(due_s - now_s)

    def stop(self) -> None:
        """Tell nothing more."""
        self._stopping = True
        self._wake.set()

    async def _safely(self, work: Coroutine[Any, Any, None]) -> None:
        """A fault that nobody foresaw costs one look, not the stream."""
        error = await error_of(work)
        if error is not None:
            told(error)

    async def _sleep(self, for_s: float) -> None:
        self._wake.clear()
        try:
            async with asyncio.timeout(for_s):
                await self._wake.wait()
        except TimeoutError:
            return

    async def _beat(self) -> None:
        self.sockets.check()
        self._log_shed()
        now_s = time.monotonic()
        for listener in tuple(self.listeners):
            if listener.stuck_since_s is not None and now_s - listener.stuck_since_s > STUCK_S:
                listener.socket.abort()
        await self._refresh(beat=True)

    def _log_shed(self) -> None:
        shed = self.writer.shed_jobs
        if shed > self._shed:
            log.event(logging.WARNING, "load.shed", requests=shed - self._shed)
            self._shed = shed

    async def _refresh(self, beat: bool) -> None:
        """Look at the site and make anew what has changed; then wake the listeners."""
        judged = self.heard.judged
        self.heard.changed = self.heard.judged = False
        moment = await self._look()
        if moment is not None:
            self.moment = moment
            if beat or judged:
                self._tell_tracks(moment, beat)
            self._tell_alerts(moment, beat)
            if await _in_turns(self._zones.update(moment.zones, moment.at_ns)):
                self._put("zones", EVERYBODY, self._zones.message(moment.at_ns))
            self._tell_sensors(moment)
            self._tell_papers(moment)
            self.told_s = time.monotonic()
        self._tell_service(moment)
        self._tell_troubles()
        if self.writer.simulation != self._simulation:
            self._simulation = (
                None if self.writer.simulation is None else {**self.writer.simulation}
            )
            self.site_version += 1
        for listener in self.listeners:
            listener.wake.set()

    async def _look(self) -> Moment | None:
        """The site between two groups; None while the record is away or slow."""
        if self._asked is None:
            writer = self.writer
            try:
                self._asked = writer.ask(lambda recorded: moment_of(recorded, writer.now_ns()))
            except UnavailableError:
                return None
        await asyncio.wait([self._asked], timeout=SLOW_S)
        if not self._asked.done():
            return None
        asked, self._asked = self._asked, None
        try:
            return asked.result()
        except SkykeepError:
            return None

    # -- what is told ---------------------------------------------------------------------

    def _put(self, topic: str, roles: Iterable[Role], message: Message) -> None:
        self._number += 1
        frame = Frame.of(self._number, msgspec.msgpack.encode(message))
        for role in roles:
            self.frames[role, topic] = frame

    def _is_new(self, topic: str, said: Any) -> bool:
        if topic in self._told and self._told[topic] == said:
            return False
        self._told[topic] = said
        return True

    def _tell_tracks(self, moment: Moment, beat: bool) -> None:
        for listener in self.listeners:
            self.skipped += bool(listener.behind)
            listener.behind = None if listener.behind is None else True
        self.tracks_seq += 1
        counts = (self.tracks_seq, self.skipped)
        frame, at_ns = self.writer.site.frame, moment.at_ns
        message, places = tracks_message(at_ns, moment.tracks, moment.alerts, frame, counts)
        self._put("tracks", WATCHERS, message)
        self._put("tracks", (OFFICE,), nothing_seen(at_ns, counts, frame))
        if beat:
            self._trails.add(places)
            self._trails_due = True

    def _tell_alerts(self, moment: Moment, beat: bool) -> None:
        alerts = moment.alerts
        told = alerts_told(alerts)
        self.heard.forget_alerts(a.alert_id for a in alerts)
        views: dict[str, TrackView] = {t.track_id: t for t in moment.tracks}
        for alert in told:
            for track_id in reversed(alert.tracks):
                if track_id in views and views[track_id].identity:
                    self._identities[alert.alert_id] = views[track_id].identity
                    break
        self._identities = {
            a.alert_id: self._identities[a.alert_id] for a in told if a.alert_id in self._identities
        }
        counted = {alert_id: len(steps) for alert_id, steps in self.heard.steps.items()}
        new = self._is_new("alerts", (alerts, counted, self._identities, moment.flood))
        near = any(t in views for a in told if a.state is not AlertState.CLOSED for t in a.tracks)
        if not new and not (beat and near):
            return
        cards = cards_of(told, moment, self.writer.site.frame)
        for role, named in ((OFFICER, True), (READER, False)):
            message = alert_message(
                moment.at_ns, alerts, views, self.heard.steps, self._identities, named,
                moment.flood, cards,
            )  # fmt: skip
            self._put("alerts", (role,), message)

    def _tell_sensors(self, moment: Moment) -> None:
        now_s = time.monotonic()
        health = tuple((s.sensor, s.health) for s in moment.stations)
        changed = self._is_new("sensors", health)
        if changed or now_s >= self._sensors_s + HEARD_EVERY_S:
            heard = self._is_new("last heard", tuple(s.last_ns for s in moment.stations))
            if changed or heard:
                self._sensors_s = now_s
                self._put("sensors", EVERYBODY, sensors_message(moment.at_ns, moment.stations))
        rays = self.heard.rays_at(moment.at_ns)
        if self._is_new("rays", len(rays)) or rays:
            self._put("rays", WATCHERS, rays_message(moment.at_ns, rays))

    def _tell_papers(self, moment: Moment) -> None:
        at_ns = moment.at_ns
        if self._is_new("permits", moment.permits):
            message = permits_message(at_ns, self.writer.site, moment.permits)
            self._put("permits", (OFFICER, OFFICE), message)
        reports = tuple(self.heard.reports)
        for role, named in ((OFFICER, True), (READER, False)):
            if self._is_new(f"reports {role}", reports):
                self._put("reports", (role,), reports_message(at_ns, reports, named))

        exercise = moment.exercise_until_ns > at_ns
        if self._is_new("handovers", (moment.handovers, exercise)):
            message = handovers_message(at_ns, moment.handovers, exercise)
            self._put("handovers", (OFFICER,), message)
        if not self._is_new("incidents grown", moment.incidents):
            return
        for role, named in ((OFFICER, True), (READER, False)):
            newest = moment.incidents[-INCIDENTS_TOLD:]
            said = [short(i, named).model_dump() for i in newest]
            if self._is_new(f"incidents {role}", said):
                head = {"topic": "incidents", "at_ms": ms(at_ns)}
                self._put("incidents", (role,), head | {"incidents": said})

    def _tell_service(self, moment: Moment | None) -> None:
        writer = self.writer
        problem = writer.problem or self.sockets.tokens.problem or self._slow()
        too_late = 0 if moment is None else moment.too_late
        said = {
            "ok": not problem,
            "problem": problem,
            "entries": writer.size,
            "root": base64.b64encode(writer.root).decode("ascii"),
            "waiting": writer.waiting,
            "shed_requests": writer.shed_jobs,
            "shed_observations": writer.shed_rows,
            "too_late": too_late,
            "listeners": len(self.listeners),
            "rejected": self.heard.refused.total(),
        }
        if self._is_new("service", said):
            head = {"topic": "service", "at_ms": ms(writer.now_ns())}
            self._put("service", EVERYBODY, head | said)

    def _tell_troubles(self) -> None:
        if self.troubles is None:
            return
        stations = () if self.moment is None else self.moment.stations
        found = self.troubles.now(stations, self._slow())
        if self._is_new("troubles", found):
            message = troubles_message(self.writer.now_ns(), found)
            self._put("troubles", EVERYBODY, message)

    def _slow(self) -> str:
        return f"the record has not answered for {SLOW_S:.0f} s" if self._asked is not None else ""

    # -- for listeners --------------------------------------------------------------------

    def trails(self) -> Frame:
        """Where the tracks were, made once a beat for all who come."""
        if self._trails_due:
            self._trails_due = False
            message = self._trails.message(self.writer.now_ns())
            self._number += 1
            self._trails_frame = Frame.of(self._number, msgspec.msgpack.encode(message))
        return self._trails_frame

    def site(self, holder: Holder) -> Frame:
        """The topic `site` for one listener."""
        site, page = self.writer.site, self.page
        message = {
            "topic": "site",
            "at_ms": ms(self.writer.now_ns()),
            "name": site.name,
            "authority": site.authority_id,
            "version": __version__,
            "lat_deg": site.frame.lat_deg,
            "lon_deg": site.frame.lon_deg,
            "height_hae_m": site.frame.hae_m,
            "time_zone": site.time_zone,
            "role": holder.role,
            "holder": holder.name,
            "simulation": self._simulation,
            "basemap": page.basemap_url,
            "glyphs": page.glyphs,
            "procedure": page.procedure,
        }
        self._number += 1
        return Frame.of(self._number, msgspec.msgpack.encode(message))


async def _in_turns(work: Generator[None, None, bool]) -> bool:
    """Long work in short turns, so that what else is to be done is done between them."""
    begun_s = time.monotonic()
    while True:
        try:
            next(work)
        except StopIteration as end:
            return bool(end.value)
        if time.monotonic() - begun_s > TURN_S:
            await asyncio.sleep(0)
            begun_s = time.monotonic()
