"""The zones of a site at work: versions, who put each in force, what lapses.

A zone is never edited: each change is a new version with its own steps, and the one before it
is withdrawn the moment the new one enters into force, so that "what was in force at T" has one
answer. Everything enters as a command or with the clock, and all of it is state.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace

from skykeep.core.event import Actor, Event, ZoneChanged
from skykeep.core.zone import (
    PreparedZone,
    PublishZone,
    WithdrawZone,
    Zone,
    ZoneEvent,
    ZoneState,
    prepare_zone,
    transition,
)
from skykeep.errors import DecisionError
from skykeep.units import NS_PER_S, ZoneId

#: Who acts when nobody does.
LAPSE = Actor("an emergency ban's own time", "rule")
DUE = Actor("the date that was approved", "rule")
#: Versions of one zone that are held; older ones are in the record alone.
VERSIONS_HELD = 50
#: A document published in error names a zone over and over; no authority has so many.
ZONES_HELD = 200_000
_PENDING = frozenset({ZoneState.PROPOSED, ZoneState.APPROVED})


@dataclass(frozen=True, slots=True)
class ZonePolicy:
    """What a site asks of a ban.

    An emergency ban lapses `confirm_within_s` after it was declared unless it is confirmed.
    `approver_differs`: whoever proposed a zone does not approve it.
    """

    confirm_within_s: float = 24.0 * 3_600.0
    approver_differs: bool = True


@dataclass(frozen=True, slots=True)
class ProposeZone:
    """Command: a new version of a zone, to be approved; `effective_ns` is when it is to begin."""

    actor: Actor
    zone: Zone
    why: str
    effective_ns: int | None = None


@dataclass(frozen=True, slots=True)
class ChangeZone:
    """Command: one step of a version by a named person; None is the newest that it may be of."""

    actor: Actor
    zone_id: ZoneId
    event: ZoneEvent
    why: str
    version: int | None = None


@dataclass(frozen=True, slots=True)
class DeclareBan:
    """Command: an emergency ban, in force at once; it names its own legal basis."""

    actor: Actor
    zone: Zone
    why: str


ZoneCommand = PublishZone | WithdrawZone | ProposeZone | ChangeZone | DeclareBan


@dataclass(frozen=True, slots=True)
class ZoneStep:
    """One step of a version: what happened, when, by whom, why."""

    event: ZoneEvent
    at_ns: int
    actor: Actor
    why: str


@dataclass(frozen=True, slots=True)
class ZoneVersion:
    """One version of a zone: `zone` carries its present state.

    `effective_ns` is when it is to enter into force once approved, `confirm_by_ns` when it
    lapses; [`since_ns`, `until_ns`) is when it was in force.
    """

    number: int
    zone: Zone
    steps: tuple[ZoneStep, ...]
    effective_ns: int | None = None
    confirm_by_ns: int | None = None
    since_ns: int | None = None
    until_ns: int | None = None

    def was_in_force(self, at_ns: int) -> bool:
        """Whether it was in force at a moment; its times of applicability are its own matter."""
        if self.since_ns is None or at_ns < self.since_ns:
            return False
        return self.until_ns is None or at_ns < self.until_ns


@dataclass(frozen=True, slots=True)
class Difference:
    """One field in which two versions of a zone differ."""

    field: str
    before: object
    after: object


def differences(before: Zone, after: Zone) -> tuple[Difference, ...]:
    """The fields in which two versions differ, in the order of `Zone`; states are no content."""
    return tuple(
        Difference(f.name, getattr(before, f.name), getattr(after, f.name))
        for f in fields(Zone)
        if f.name != "state" and getattr(before, f.name) != getattr(after, f.name)
    )


class ZoneBook:
    """Zones by id, each with its versions, oldest first."""

    def __init__(self, authority_id: str, policy: ZonePolicy) -> None:
        self._authority_id, self._policy = authority_id, policy
        self._versions: dict[ZoneId, list[ZoneVersion]] = {}
        self._current: dict[ZoneId, PreparedZone] = {}
        self._due: dict[ZoneId, int] = {}

    # -- inputs ---------------------------------------------------------------------------

    def apply(self, command: ZoneCommand, now_ns: int) -> list[Event]:
        """Carry out a command; DecisionError leaves all as it was."""
        if not command.actor.name.strip():
            raise DecisionError("a zone is changed by a named person: the name is empty")
        match command:
            case PublishZone(actor, zone):
                return self._publish(zone, actor, now_ns)
            case WithdrawZone(actor, zone_id, why):
                version = self._in_force(zone_id)
                number = None if version is None else version.number
                step = ChangeZone(actor, zone_id, ZoneEvent.WITHDRAW, why, number)
                return self._change(step, now_ns)
            case ProposeZone():
                return self._propose(command, now_ns)
            case ChangeZone():
                return self._change(command, now_ns)
            case DeclareBan():
                return self._declare(command, now_ns)

    def advance(self, now_ns: int) -> list[Event]:
        """Let the clock reach `now_ns`: what was approved begins, what nobody confirmed lapses."""
        said: list[Event] = []
        for zone_id in [z for z, due_ns in self._due.items() if due_ns <= now_ns]:
            for version in list(self._versions[zone_id]):
                due_ns = _due_ns(version)
                if due_ns is None or now_ns < due_ns:
                    continue
                step = ZoneStep(ZoneEvent.ENTER_INTO_FORCE, now_ns, DUE, "")
                if version.zone.state is ZoneState.IN_FORCE:
                    why = "nobody confirmed it in time"
                    step = ZoneStep(ZoneEvent.LAPSE, now_ns, LAPSE, why)
                said += self._step(version, step)
        return said

    # -- looking --------------------------------------------------------------------------

    def prepared(self) -> Iterator[PreparedZone]:
        """Each zone's version in force, or its pending one where none is, ready to be asked."""
        return (self._current[z] for z in self._versions if z in self._current)

    def zones(self) -> tuple[Zone, ...]:
        """The same, as zones; one that is withdrawn is not among them."""
        return tuple(z.zone for z in self.prepared())

    def versions(self, zone_id: ZoneId) -> tuple[ZoneVersion, ...]:
        """The versions of a zone, oldest first; none where there is no such zone."""
        return tuple(self._versions.get(zone_id, ()))

    def all_versions(self) -> tuple[ZoneVersion, ...]:
        """Every version that is held, zone by zone."""
        return tuple(v for held in self._versions.values() for v in held)

    def in_force_at(self, at_ns: int) -> tuple[ZoneVersion, ...]:
        """What was in force at a moment."""
        return tuple(v for v in self.all_versions() if v.was_in_force(at_ns))

    @property
    def due_ns(self) -> int | None:
        """When the clock next changes anything here."""
        return min(self._due.values(), default=None)

    @staticmethod
    def restore(authority_id: str, policy: ZonePolicy, saved: Sequence[ZoneVersion]) -> ZoneBook:
        """A book that goes on exactly where `all_versions` was asked."""
        book = ZoneBook(authority_id, policy)
        for version in saved:
            book._versions.setdefault(version.zone.zone_id, []).append(version)
        for zone_id in book._versions:
            book._index(zone_id)
        return book

    # -- commands -------------------------------------------------------------------------

    def _publish(self, zone: Zone, actor: Actor, now_ns: int) -> list[Event]:
        """A zone in the state that its document says: others' zones, and the site's own file."""
        event = {
            ZoneState.PROPOSED: ZoneEvent.PROPOSE,
            ZoneState.APPROVED: ZoneEvent.APPROVE,
            ZoneState.IN_FORCE: ZoneEvent.ENTER_INTO_FORCE,
            ZoneState.WITHDRAWN: ZoneEvent.WITHDRAW,
        }[zone.state]
        if zone.state is ZoneState.IN_FORCE and zone.emergency:
            event = ZoneEvent.DECLARE_EMERGENCY
        step = ZoneStep(event, now_ns, actor, "published")
        return self._add(ZoneVersion(0, zone, ()), step, zone.state)

    def _propose(self, command: ProposeZone, now_ns: int) -> list[Event]:
        zone = replace(command.zone, emergency=False)
        effective_ns = command.effective_ns
        if effective_ns is not None and effective_ns < now_ns:
            raise DecisionError(f"{zone.zone_id} cannot enter into force in the past")
        step = ZoneStep(ZoneEvent.PROPOSE, now_ns, command.actor, command.why)
        version = ZoneVersion(0, zone, (), effective_ns)
        return self._add(version, step, ZoneState.PROPOSED)

    def _declare(self, command: DeclareBan, now_ns: int) -> list[Event]:
        zone = replace(command.zone, emergency=True)
        _check_basis(zone)
        if not command.why.strip():
            raise DecisionError("an emergency ban needs a reason in words")
        before = self._in_force(zone.zone_id)
        if before is not None and not before.zone.emergency:
            raise DecisionError(f"{zone.zone_id} is in force: give the emergency ban its own id")
        step = ZoneStep(ZoneEvent.DECLARE_EMERGENCY, now_ns, command.actor, command.why)
        return self._add(ZoneVersion(0, zone, ()), step, ZoneState.IN_FORCE)

    def _change(self, command: ChangeZone, now_ns: int) -> list[Event]:
        version = self._meant(command)
        event = command.event
        if event is ZoneEvent.APPROVE:
            self._check_approval(version, command.actor)
        if event is ZoneEvent.CONFIRM and version.confirm_by_ns is None:
            raise DecisionError(f"{command.zone_id} does not wait to be confirmed")
        if event is ZoneEvent.WITHDRAW and not command.why.strip():
            raise DecisionError(f"to withdraw {command.zone_id} needs a reason in words")
        step = ZoneStep(event, now_ns, command.actor, command.why.strip())
        said = self._step(version, step)
        return said + self.advance(now_ns)  # what was to begin before it was approved begins now

    def _meant(self, command: ChangeZone) -> ZoneVersion:
        held = self._versions.get(command.zone_id, [])
        if not held:
            raise DecisionError(f"there is no zone {command.zone_id}")
        if command.version is not None:
            named = [v for v in held if v.number == command.version]
            if not named:
                raise DecisionError(f"there is no version {command.version} of {command.zone_id}")
            return named[0]
        for version in reversed(held):
            try:
                transition(version.zone.state, command.event)
            except DecisionError:
                continue
            return version
        transition(held[-1].zone.state, command.event)  # says what is possible instead
        return held[-1]

    def _check_approval(self, version: ZoneVersion, actor: Actor) -> None:
        _check_basis(version.zone)
        proposed_by = next(
            (s.actor.name for s in version.steps if s.event is ZoneEvent.PROPOSE), None
        )
        if self._policy.approver_differs and actor.name == proposed_by:
            raise DecisionError(
                f"{actor.name} proposed {version.zone.zone_id}; another person approves it"
            )

    # -- versions -------------------------------------------------------------------------

    def _in_force(self, zone_id: ZoneId) -> ZoneVersion | None:
        held = self._versions.get(zone_id, [])
        return next((v for v in reversed(held) if v.zone.state is ZoneState.IN_FORCE), None)

    def _add(self, version: ZoneVersion, step: ZoneStep, state: ZoneState) -> list[Event]:
        """A new version; one that was still pending makes way for it."""
        zone_id = version.zone.zone_id
        if zone_id not in self._versions and len(self._versions) >= ZONES_HELD:
            raise DecisionError(f"there are {ZONES_HELD} zones already; withdraw some first")
        held = self._versions.setdefault(zone_id, [])
        number = held[-1].number + 1 if held else 1
        ends = state in (ZoneState.IN_FORCE, ZoneState.WITHDRAWN)
        said = self._make_way(zone_id, number, step, pending_only=not ends)
        zone = replace(version.zone, state=state)
        confirm_ns = step.at_ns + round(self._policy.confirm_within_s * NS_PER_S)
        in_force = state is ZoneState.IN_FORCE
        lapses = in_force and zone.emergency and zone.authority_id == self._authority_id
        held.append(
            replace(
                version,
                number=number,
                zone=zone,
                steps=(step,),
                confirm_by_ns=confirm_ns if lapses else None,
                since_ns=step.at_ns if in_force else None,
            )
        )
        del held[:-VERSIONS_HELD]
        self._index(zone_id)
        return [*said, _said(held[-1], step)]

    def _step(self, version: ZoneVersion, step: ZoneStep) -> list[Event]:
        """One step of a version by the table."""
        after = transition(version.zone.state, step.event)
        said: list[Event] = []
        changed = replace(
            version, zone=replace(version.zone, state=after), steps=(*version.steps, step)
        )
        if after is ZoneState.IN_FORCE and version.since_ns is None:
            said = self._make_way(version.zone.zone_id, version.number, step, pending_only=False)
            changed = replace(changed, since_ns=step.at_ns)
        if step.event is ZoneEvent.CONFIRM:
            changed = replace(changed, confirm_by_ns=None)
        if after is ZoneState.WITHDRAWN and version.since_ns is not None:
            changed = replace(changed, until_ns=step.at_ns)
        self._put_back(changed)
        return [*said, _said(changed, step)]

    def _make_way(
        self, zone_id: ZoneId, number: int, step: ZoneStep, pending_only: bool
    ) -> list[Event]:
        """Withdraw what version `number` takes the place of."""
        said: list[Event] = []
        for old in list(self._versions[zone_id]):
            state = old.zone.state
            ended = state in _PENDING or (state is ZoneState.IN_FORCE and not pending_only)
            if old.number == number or not ended or old.number > number:
                continue
            why = f"replaced by version {number}"
            change = ZoneStep(ZoneEvent.WITHDRAW, step.at_ns, step.actor, why)
            said += self._step(old, change)
        return said

    def _put_back(self, version: ZoneVersion) -> None:
        held = self._versions[version.zone.zone_id]
        held[next(i for i, v in enumerate(held) if v.number == version.number)] = version
        self._index(version.zone.zone_id)

    def _index(self, zone_id: ZoneId) -> None:
        """What is current of a zone, keeping what was prepared; when the clock acts next on it."""
        held = self._versions[zone_id]
        version = self._in_force(zone_id) or held[-1]
        known = self._current.pop(zone_id, None)
        if version.zone.state is not ZoneState.WITHDRAWN:
            same = known is not None and known.zone is version.zone
            self._current[zone_id] = known if known and same else prepare_zone(version.zone)
        due = [at for v in held if (at := _due_ns(v)) is not None]
        self._due.pop(zone_id, None)
        if due:
            self._due[zone_id] = min(due)


def _due_ns(version: ZoneVersion) -> int | None:
    if version.zone.state is ZoneState.APPROVED:
        return version.effective_ns
    return version.confirm_by_ns if version.zone.state is ZoneState.IN_FORCE else None


def _check_basis(zone: Zone) -> None:
    if not zone.legal_basis.strip():
        raise DecisionError(f"{zone.zone_id} names no legal basis: a ban rests on one")


def _said(version: ZoneVersion, step: ZoneStep) -> ZoneChanged:
    zone = version.zone
    return ZoneChanged(
        step.at_ns, zone.zone_id, zone.state.value, step.actor, version.number, step.why
    )
