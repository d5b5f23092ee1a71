"""The permits of a site at work: their steps, what lapses, who must be told, flights counted.

Everything enters as a command or with the clock, and all of it is state: a notice that was
not told yet is still there after a restart. Nothing here sends anything.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from skykeep.core.event import Actor, Event, NoticeDue, NoticeTold, PermitChanged
from skykeep.core.geo import BORDER_SIGMAS, F64, Fix, metres_per_degree
from skykeep.core.permit import (
    TOLD_TO_HOLDER,
    UNDECIDED_STATES,
    ChangePermit,
    ExemptionClass,
    Permit,
    PermitEvent,
    PermitPolicy,
    PermitState,
    PreparedPermit,
    PutPermit,
    ends_ns,
    handed_in,
    is_live,
    prepare_permit,
    transition,
)
from skykeep.errors import DecisionError
from skykeep.units import NS_PER_S, PermitId, to_datetime

#: The holder's own page, which tells without anybody sending anything.
PAGE = "page"
#: Who acts when nobody does.
LAPSE = Actor("a permit's own time", "rule")
#: An exempt aircraft that is permitted again after so long flies another time: batteries are
#: changed within minutes, and a gap in the watch is no new flight.
FLIGHT_GAP_NS = 600 * NS_PER_S
#: Beyond it a box and a fix may count their longitudes from different sides.
_FAR_LON_DEG = 170.0
#: Steps and tellings of one permit that are held; older ones are in the record alone.
STEPS_HELD = 50
#: States that time itself ends.
_LAPSING = frozenset(
    {
        *UNDECIDED_STATES,
        PermitState.GRANTED,
        PermitState.ACTIVATED,
        PermitState.SUSPENDED,
        PermitState.PROVISIONAL,
    }
)


@dataclass(frozen=True, slots=True)
class DeclareExemption:
    """Command: an exemption that holds at once and lapses unless it is confirmed in time.

    `permit` is a draft without an id of its own meaning: the engine gives the number.
    """

    actor: Actor
    permit: Permit


@dataclass(frozen=True, slots=True)
class ReportDelivery:
    """Command: what became of telling a holder by one channel; `detail` names nobody."""

    actor: Actor
    notice_id: str
    channel: str
    delivered: bool
    detail: str


PermitCommand = PutPermit | ChangePermit | DeclareExemption | ReportDelivery


@dataclass(frozen=True, slots=True)
class Notice:
    """What a holder is to be told; `waiting` are the channels that have not told it yet."""

    notice_id: str
    permit_id: PermitId
    at_ns: int
    state: PermitState
    why: str
    waiting: tuple[str, ...]
    failed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class StepTaken:
    """One step of a permit: which state it entered, when, by whom, why."""

    permit_id: PermitId
    at_ns: int
    state: PermitState
    actor: Actor
    why: str


@dataclass(frozen=True, slots=True)
class Telling:
    """What became of telling a holder of a state by one channel; `detail` names nobody."""

    permit_id: PermitId
    at_ns: int
    state: PermitState
    channel: str
    delivered: bool
    detail: str


@dataclass(frozen=True, slots=True)
class FlightCount:
    """Flights under the exemptions of a class in one month (UTC), without their places."""

    month: str  # "2026-09"
    exemption_class: str
    flights: int


@dataclass(frozen=True, slots=True)
class Due:
    """Something that an office must not forget: `what` is to be done with a permit by `at_ns`."""

    at_ns: int
    permit_id: PermitId
    what: str  # "decide", "confirm" or "tell"
    words: str


@dataclass(frozen=True, slots=True)
class BookSnapshot:
    """The book as values, but for the permits themselves."""

    notices: tuple[Notice, ...] = ()
    numbered: int = 0
    declared: int = 0
    counts: tuple[FlightCount, ...] = ()
    flying: tuple[tuple[PermitId, str, int], ...] = ()
    steps: tuple[StepTaken, ...] = ()
    tellings: tuple[Telling, ...] = ()


class PermitBook:
    """Permits and exemptions by id, with what follows from their steps."""

    def __init__(self, authority_id: str, policy: PermitPolicy) -> None:
        self._authority_id, self._policy = authority_id, policy
        self._permits: dict[PermitId, PreparedPermit] = {}
        self._notices: dict[str, Notice] = {}
        self._steps: dict[PermitId, tuple[StepTaken, ...]] = {}
        self._tellings: dict[PermitId, tuple[Telling, ...]] = {}
        self._numbered = self._declared = 0
        self._counts: dict[tuple[str, str], int] = {}
        self._flying: dict[tuple[PermitId, str], int] = {}
        self._prepared: tuple[PreparedPermit, ...] = ()
        self._live: tuple[PreparedPermit, ...] = ()
        self._boxes: F64 = np.empty((4, 0))
        self._naming: dict[str, tuple[PreparedPermit, ...]] = {}
        self._lapses_ns: int | None = None
        self._stale = True

    # -- inputs ---------------------------------------------------------------------------

    def apply(self, command: PermitCommand, now_ns: int) -> list[Event]:
        """Carry out a command; DecisionError leaves all as it was."""
        if not command.actor.name.strip():
            raise DecisionError("a permit is changed by a named person: the name is empty")
        match command:
            case PutPermit(actor, permit):
                return self._put(permit, actor, now_ns)
            case ChangePermit():
                return self._change(command, now_ns)
            case DeclareExemption(actor, permit):
                return self._declare(permit, actor, now_ns)
            case ReportDelivery():
                return self._delivered(command, now_ns)

    def advance(self, now_ns: int) -> list[Event]:
        """Let the clock reach `now_ns`: what is over expires, what nobody confirmed lapses."""
        self._index()
        if self._lapses_ns is None or now_ns < self._lapses_ns:
            return []
        said: list[Event] = []
        for prepared in list(self._permits.values()):
            permit = prepared.permit
            due_ns = _lapses_ns(permit)
            if due_ns is None or now_ns < due_ns:
                continue
            confirm_ns = permit.procedure.confirm_by_ns
            unconfirmed = permit.state is PermitState.PROVISIONAL and due_ns == confirm_ns
            why = "nobody confirmed it in time" if unconfirmed else "its time is over"
            after = transition(permit, PermitEvent.EXPIRE, now_ns, why, policy=self._policy)
            said += self._hold(after, LAPSE, why, now_ns, told=not _flown_out(permit))
        return said

    def fly(self, permit_id: PermitId | None, serial: str, now_ns: int) -> None:
        """An aircraft is in the air under a permit; flights under exemptions are counted."""
        known = None if permit_id is None else self._permits.get(permit_id)
        if known is None or not known.permit.exemption_class:
            return
        key = (known.permit.permit_id, serial.strip().upper())
        last_ns = self._flying.get(key)
        self._flying[key] = now_ns
        if last_ns is not None and now_ns - last_ns <= FLIGHT_GAP_NS:
            return
        count = (to_datetime(now_ns).strftime("%Y-%m"), known.permit.exemption_class)
        self._counts[count] = self._counts.get(count, 0) + 1

    # -- looking --------------------------------------------------------------------------

    def concerning(self, serial: str | None, fix: Fix) -> tuple[PreparedPermit, ...]:
        """Those that can bear on a drone at a fix: of a serial number all that name it, in any
        state; of a nameless one all that open something and whose box it may lie in. `judge`
        looks at no others.
        """
        self._index()
        if serial is not None:
            return self._naming.get(serial.strip().upper(), ())
        if not self._live:
            return ()
        margin_m = BORDER_SIGMAS * fix.sigma_horizontal_m
        per_lon, per_lat = metres_per_degree(fix.lat_deg)
        dlat, dlon = margin_m / per_lat, margin_m / max(per_lon, 1.0)
        south, west, north, east = self._boxes
        near = (south <= fix.lat_deg + dlat) & (north >= fix.lat_deg - dlat)
        near &= (west <= fix.lon_deg + dlon) & (east >= fix.lon_deg - dlon)
        return tuple(self._live[i] for i in np.flatnonzero(near).tolist())

    def permits(self) -> tuple[Permit, ...]:
        """All permits, each in its present state."""
        self._index()
        return tuple(p.permit for p in self._prepared)

    def notices(self) -> tuple[Notice, ...]:
        """What has not been told by every channel yet, oldest first."""
        return tuple(self._notices.values())

    def steps(self, permit_id: PermitId) -> tuple[StepTaken, ...]:
        """The steps of a permit, oldest first."""
        return self._steps.get(permit_id, ())

    def tellings(self, permit_id: PermitId) -> tuple[Telling, ...]:
        """What became of telling its holder, oldest first."""
        return self._tellings.get(permit_id, ())

    def counts(self) -> tuple[FlightCount, ...]:
        """Exemption flights by month and class."""
        return tuple(FlightCount(m, c, n) for (m, c), n in sorted(self._counts.items()))

    def snapshot(self) -> BookSnapshot:
        """What `restore` needs beside the permits."""
        flying = tuple((p, s, at) for (p, s), at in self._flying.items())
        counts = tuple(FlightCount(m, c, n) for (m, c), n in self._counts.items())
        steps = tuple(s for held in self._steps.values() for s in held)
        tellings = tuple(t for held in self._tellings.values() for t in held)
        return BookSnapshot(
            self.notices(), self._numbered, self._declared, counts, flying, steps, tellings
        )

    @staticmethod
    def restore(
        authority_id: str, policy: PermitPolicy, permits: Sequence[Permit], saved: BookSnapshot
    ) -> PermitBook:
        """A book that goes on exactly where `saved` was taken."""
        book = PermitBook(authority_id, policy)
        book._permits = {p.permit_id: prepare_permit(p) for p in permits}
        book._notices = {n.notice_id: n for n in saved.notices}
        book._numbered, book._declared = saved.numbered, saved.declared
        book._counts = {(c.month, c.exemption_class): c.flights for c in saved.counts}
        book._flying = {(p, s): at for p, s, at in saved.flying}
        for step in saved.steps:
            book._steps[step.permit_id] = (*book.steps(step.permit_id), step)
        for telling in saved.tellings:
            book._tellings[telling.permit_id] = (*book.tellings(telling.permit_id), telling)
        return book

    # -- commands -------------------------------------------------------------------------

    def _put(self, permit: Permit, actor: Actor, now_ns: int) -> list[Event]:
        if permit.state is PermitState.PROVISIONAL:
            raise DecisionError("an emergency exemption is declared, not entered: it must lapse")
        before = self._permits.get(permit.permit_id)
        if permit.state is PermitState.SUBMITTED:
            handed = handed_in(permit.procedure, now_ns, self._policy)
            permit = replace(permit, procedure=handed)
        told = before is not None and before.permit.state is not permit.state
        return self._hold(permit, actor, permit.state_why, now_ns, told)

    def _change(self, command: ChangePermit, now_ns: int) -> list[Event]:
        known = self._permits.get(command.permit_id)
        if known is None:
            raise DecisionError(f"there is no permit {command.permit_id}")
        event = command.event
        if event is PermitEvent.DECLARE_EMERGENCY:
            raise DecisionError("an emergency exemption is declared with aircraft, area and time")
        after = transition(
            known.permit, event, now_ns, command.why, command.terms, policy=self._policy
        )
        return self._hold(after, command.actor, command.why, now_ns, event in TOLD_TO_HOLDER)

    def _declare(self, draft: Permit, actor: Actor, now_ns: int) -> list[Event]:
        _check_emergency(draft, self._authority_id, self._policy, now_ns)
        declared = self._declared + 1
        while PermitId(f"E{declared:04d}") in self._permits:
            declared += 1
        draft = replace(draft, permit_id=PermitId(f"E{declared:04d}"), state=PermitState.DRAFT)
        why = draft.state_why
        step = PermitEvent.DECLARE_EMERGENCY
        permit = transition(draft, step, now_ns, why, policy=self._policy)
        self._declared = declared
        return self._hold(permit, actor, why, now_ns, told=False)

    def _delivered(self, command: ReportDelivery, now_ns: int) -> list[Event]:
        notice = self._notices.get(command.notice_id)
        if notice is None or command.channel not in (*notice.waiting, PAGE):
            raise DecisionError(f"no notice {command.notice_id} waits for {command.channel!r}")
        waiting = tuple(c for c in notice.waiting if c != command.channel)
        failed = notice.failed if command.delivered else (*notice.failed, command.channel)
        if waiting:
            self._notices[notice.notice_id] = replace(notice, waiting=waiting, failed=failed)
        else:
            del self._notices[notice.notice_id]
        known = self._permits.get(notice.permit_id)
        if command.delivered and known is not None and known.permit.state is notice.state:
            self._note_told(known.permit, now_ns)
        if not command.delivered and not waiting and command.channel != PAGE:
            self._notices[notice.notice_id] = replace(notice, waiting=(PAGE,), failed=failed)
        telling = Telling(
            notice.permit_id, now_ns, notice.state, command.channel, command.delivered,
            command.detail,
        )  # fmt: skip
        held = (*self.tellings(notice.permit_id), telling)
        self._tellings[notice.permit_id] = held[-STEPS_HELD:]
        return [
            NoticeTold(
                now_ns, notice.notice_id, notice.permit_id, command.channel, command.delivered,
                command.detail,
            )
        ]  # fmt: skip

    def _note_told(self, permit: Permit, now_ns: int) -> None:
        if permit.procedure.notified_ns is None:
            told = replace(permit, procedure=replace(permit.procedure, notified_ns=now_ns))
            self._permits[permit.permit_id] = prepare_permit(told)
            self._stale = True

    def _hold(self, permit: Permit, actor: Actor, why: str, now_ns: int, told: bool) -> list[Event]:
        """The permit's new version; its holder will be told by every channel that was given."""
        self._permits[permit.permit_id] = prepare_permit(permit)
        self._stale = True
        state = permit.state
        step = StepTaken(permit.permit_id, now_ns, state, actor, why.strip())
        self._steps[permit.permit_id] = (*self.steps(permit.permit_id), step)[-STEPS_HELD:]
        said: list[Event] = [PermitChanged(now_ns, permit.permit_id, state.value, actor, why)]
        if not told:
            return said
        for old in [n for n in self._notices.values() if n.permit_id == permit.permit_id]:
            if old.waiting == (PAGE,):  # the page shows the new state instead
                del self._notices[old.notice_id]
        self._numbered += 1
        kinds = tuple(dict.fromkeys(c.kind.value for c in permit.procedure.channels)) or (PAGE,)
        notice_id = f"N{self._numbered:05d}"
        self._notices[notice_id] = Notice(
            notice_id, permit.permit_id, now_ns, state, permit.state_why, kinds
        )
        said.append(NoticeDue(now_ns, notice_id, permit.permit_id, state.value, kinds))
        return said

    def _index(self) -> None:
        """What is looked up again and again; made when it is asked for, after any changes."""
        if not self._stale:
            return
        self._stale = False
        self._prepared = tuple(self._permits.values())
        self._live = tuple(p for p in self._prepared if is_live(p.permit))
        self._boxes = np.array([_box(p) for p in self._live]).reshape(-1, 4).T
        naming: dict[str, list[PreparedPermit]] = {}
        for prepared in self._prepared:
            for serial in dict.fromkeys(s.strip().upper() for s in prepared.permit.serials):
                naming.setdefault(serial, []).append(prepared)
        self._naming = {serial: tuple(found) for serial, found in naming.items()}
        due = [at for p in self._prepared if (at := _lapses_ns(p.permit)) is not None]
        self._lapses_ns = min(due, default=None)


def due(permits: Sequence[Permit], notices: Sequence[Notice], until_ns: int) -> tuple[Due, ...]:
    """What falls due by a moment or is overdue, the most urgent first.

    Decisions by their legal deadline, emergency exemptions to be confirmed, and notices that
    nobody has taken in yet, due since the moment of what they tell.
    """
    found: list[Due] = []
    for permit in permits:
        decide_ns, confirm_ns = permit.procedure.decide_by_ns, permit.procedure.confirm_by_ns
        if permit.state in UNDECIDED_STATES and decide_ns is not None:
            found.append(Due(decide_ns, permit.permit_id, "decide", f"it is {permit.state}"))
        elif permit.state is PermitState.PROVISIONAL and confirm_ns is not None:
            words = f"or the {permit.exemption_class} exemption lapses"
            found.append(Due(confirm_ns, permit.permit_id, "confirm", words))
    for notice in notices:
        words = f"that it is {notice.state}, by {', '.join(notice.waiting)}"
        if notice.failed:
            words += f" ({', '.join(notice.failed)} was given up)"
        found.append(Due(notice.at_ns, notice.permit_id, "tell", words))
    soon = [d for d in found if d.at_ns <= until_ns]
    return tuple(sorted(soon, key=lambda d: (d.at_ns, d.permit_id, d.what)))


def _box(prepared: PreparedPermit) -> tuple[float, float, float, float]:
    """South, west, north, east of all areas; near 180 degrees of longitude all round."""
    areas = prepared.areas
    if not areas:
        return math.inf, math.inf, -math.inf, -math.inf
    west, east = min(a.west_deg for a in areas), max(a.east_deg for a in areas)
    if west < -_FAR_LON_DEG or east > _FAR_LON_DEG:
        west, east = -math.inf, math.inf
    return min(a.south_deg for a in areas), west, max(a.north_deg for a in areas), east


def _lapses_ns(permit: Permit) -> int | None:
    """When time alone ends a permit, if it does."""
    if permit.state not in _LAPSING:
        return None
    ends = [ends_ns(permit)]
    if permit.state is PermitState.PROVISIONAL:
        ends.append(permit.procedure.confirm_by_ns)
    return min((at for at in ends if at is not None), default=None)


def _flown_out(permit: Permit) -> bool:
    """Whether only the time that was granted is over, of which nobody needs to be told."""
    return permit.state in (PermitState.GRANTED, PermitState.ACTIVATED, PermitState.SUSPENDED)


def _check_emergency(draft: Permit, authority_id: str, policy: PermitPolicy, now_ns: int) -> None:
    """DecisionError unless an emergency exemption is bound to aircraft, area and time."""
    end_ns = ends_ns(draft)
    longest_ns = now_ns + round(policy.longest_emergency_s * NS_PER_S)
    faults = (
        (draft.authority_id != authority_id, "is of another authority"),
        (draft.exemption_class not in list(ExemptionClass), "names no class of ours"),
        (not any(s.strip() for s in draft.serials),
         "names no aircraft: without its serial number any drone would be let in"),
        (not draft.volumes, "names no area"),
        (end_ns is None, "has no end"),
        (end_ns is not None and end_ns <= now_ns, "is over already"),
        (end_ns is not None and end_ns > longest_ns,
         f"lasts longer than {policy.longest_emergency_s / 60.0:g} minutes"),
    )  # fmt: skip
    for wrong, words in faults:
        if wrong:
            raise DecisionError(f"the emergency exemption {words}")
