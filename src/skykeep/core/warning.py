"""Warnings of the public: drafted by rule or person, released by a named person, cancelled.

What was told stays as it was told: each release, update and cancellation is a message of its own.
Nothing here sends anything, and nothing is told that nobody released.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from skykeep.core.event import Actor, AlertChanged, Event, WarningChanged
from skykeep.core.geo import Area
from skykeep.errors import DecisionError
from skykeep.units import AlertId, ZoneId, seconds

RULE = Actor("warning rule", "rule")
CLOCK = Actor("a warning's own time", "rule")
#: An alert of this priority is drafted about, where the site wants drafts.
DRAFT_PRIORITY = 1
#: Roles that may not release: a warning is a person's decision.
NOBODY = frozenset({"rule", "service", "configuration"})
#: A warning that nobody renews lapses; longer ones would be forgotten.
LONGEST_S = 24 * 3_600.0
#: Those that are over and still held for look-up; the record keeps them all.
OVER_LIMIT = 500


class WarningState(enum.StrEnum):
    """Where a warning stands."""

    DRAFTED = "drafted"
    RELEASED = "released"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    DISCARDED = "discarded"


class WarningStep(enum.StrEnum):
    """What can happen to a warning."""

    RELEASE = "release"
    UPDATE = "update"
    CANCEL = "cancel"
    EXPIRE = "expire"
    DISCARD = "discard"


_S, _E = WarningState, WarningStep
WARNING_TRANSITIONS: dict[tuple[WarningState, WarningStep], WarningState] = {
    (_S.DRAFTED, _E.RELEASE): _S.RELEASED,
    (_S.DRAFTED, _E.DISCARD): _S.DISCARDED,
    (_S.RELEASED, _E.UPDATE): _S.RELEASED,
    (_S.RELEASED, _E.CANCEL): _S.CANCELLED,
    (_S.RELEASED, _E.EXPIRE): _S.EXPIRED,
}
OPEN_STATES = frozenset({_S.DRAFTED, _S.RELEASED})


@dataclass(frozen=True, slots=True)
class WarningText:
    """A warning in one language (ISO 639-1)."""

    language: str
    headline: str
    description: str
    instruction: str


@dataclass(frozen=True, slots=True)
class WarningMessage:
    """One thing that was told, as it was told; `number` counts from 1 within its warning."""

    number: int
    step: WarningStep
    at_ns: int
    expires_ns: int
    texts: tuple[WarningText, ...]
    by: Actor


@dataclass(frozen=True, slots=True)
class PublicWarning:
    """A warning about a zone, with the area that it is for as it was when it was drafted."""

    warning_id: str
    state: WarningState
    zone_id: ZoneId
    area_name: str
    areas: tuple[Area, ...]
    drafted_ns: int
    by: Actor
    exercise: bool
    texts: tuple[WarningText, ...] = ()
    alert_id: AlertId | None = None
    messages: tuple[WarningMessage, ...] = ()


@dataclass(frozen=True, slots=True)
class SetDrafting:
    """Command: whether the system drafts warnings by itself."""

    actor: Actor
    drafting: bool


@dataclass(frozen=True, slots=True)
class DraftWarning:
    """Command: draft a warning about a zone; without texts whoever releases it gives them."""

    actor: Actor
    zone_id: ZoneId
    texts: tuple[WarningText, ...] = ()
    exercise: bool = False


@dataclass(frozen=True, slots=True)
class ReleaseWarning:
    """Command: tell the public, or tell it anew if it was told before; for `lasts_s`."""

    actor: Actor
    warning_id: str
    texts: tuple[WarningText, ...]
    lasts_s: float


@dataclass(frozen=True, slots=True)
class CancelWarning:
    """Command: it is over, or the draft is not needed; with what the public is told."""

    actor: Actor
    warning_id: str
    texts: tuple[WarningText, ...]


WarningCommand = SetDrafting | DraftWarning | ReleaseWarning | CancelWarning
#: Name and areas of the zones that can be warned about.
Zones = Mapping[ZoneId, tuple[str, tuple[Area, ...]]]


@dataclass(frozen=True, slots=True)
class WarningSnapshot:
    """The book as values."""

    next_number: int = 1
    drafting: bool = False
    warnings: tuple[PublicWarning, ...] = ()


@dataclass(slots=True)
class WarningBook:
    """All warnings, oldest first."""

    next_number: int = 1
    drafting: bool = False
    warnings: dict[str, PublicWarning] = field(default_factory=dict)

    def apply(
        self, command: WarningCommand, zones: Zones, exercise: bool, now_ns: int
    ) -> list[Event]:
        """Carry out a command; DecisionError leaves all as it was."""
        match command:
            case SetDrafting(_, drafting):
                self.drafting = drafting
                return []
            case DraftWarning(actor, zone_id, texts, marked):
                if zone_id not in zones:
                    raise DecisionError(f"there is no zone {zone_id} in force here")
                return [self._draft(actor, zone_id, zones, texts, exercise or marked, None, now_ns)]
            case ReleaseWarning():
                return [self._release(command, now_ns)]
            case CancelWarning(actor, warning_id, texts):
                known = self._known(warning_id)
                if known.state is WarningState.DRAFTED:
                    discarded = _moved(known, WarningStep.DISCARD)
                    return [self._put(discarded, WarningStep.DISCARD, actor, now_ns)]
                _check(actor, texts)
                moved = _moved(known, WarningStep.CANCEL)
                expires_ns = known.messages[-1].expires_ns
                return [self._say(moved, WarningStep.CANCEL, texts, expires_ns, actor, now_ns)]

    def follow(
        self, said: Iterable[Event], zones: Zones, exercise: bool, now_ns: int
    ) -> list[Event]:
        """Drafts about alerts of the highest priority: one a zone, until it is over."""
        told: list[Event] = []
        for event in said if self.drafting else ():
            if not isinstance(event, AlertChanged) or event.event not in ("raised", "updated"):
                continue
            if event.priority > DRAFT_PRIORITY:
                continue
            for zone_id in event.zones:
                open_ = any(
                    w.zone_id == zone_id and w.state in OPEN_STATES for w in self.warnings.values()
                )
                if zone_id in zones and not open_:
                    told.append(
                        self._draft(RULE, zone_id, zones, (), exercise, event.alert_id, now_ns)
                    )
        return told

    def advance(self, now_ns: int) -> list[Event]:
        """Let the clock reach `now_ns`: what nobody renewed is over."""
        said: list[Event] = []
        for known in list(self.warnings.values()):
            if known.state is WarningState.RELEASED and now_ns >= known.messages[-1].expires_ns:
                moved = _moved(known, WarningStep.EXPIRE)
                said.append(self._put(moved, WarningStep.EXPIRE, CLOCK, now_ns))
        return said

    def snapshot(self) -> WarningSnapshot:
        """The book as values."""
        return WarningSnapshot(self.next_number, self.drafting, tuple(self.warnings.values()))

    @staticmethod
    def restore(saved: WarningSnapshot) -> WarningBook:
        """A book that goes on exactly where `saved` was taken."""
        warnings = {w.warning_id: w for w in saved.warnings}
        return WarningBook(saved.next_number, saved.drafting, warnings)

    def _known(self, warning_id: str) -> PublicWarning:
        known = self.warnings.get(warning_id)
        if known is None:
            raise DecisionError(f"there is no warning {warning_id}")
        return known

    def _draft(
        self,
        actor: Actor,
        zone_id: ZoneId,
        zones: Zones,
        texts: tuple[WarningText, ...],
        exercise: bool,
        alert_id: AlertId | None,
        now_ns: int,
    ) -> Event:
        name, areas = zones[zone_id]
        draft = PublicWarning(
            f"W{self.next_number:05d}", WarningState.DRAFTED, zone_id, name, areas, now_ns, actor,
            exercise, texts, alert_id,
        )  # fmt: skip
        self.next_number += 1
        return self._put(draft, "draft", actor, now_ns)

    def _release(self, command: ReleaseWarning, now_ns: int) -> Event:
        known = self._known(command.warning_id)
        _check(command.actor, command.texts)
        if not 0.0 < command.lasts_s <= LONGEST_S:
            raise DecisionError(f"a warning lasts up to {LONGEST_S / 3_600:g} hours, not longer")
        again = known.state is WarningState.RELEASED
        step = WarningStep.UPDATE if again else WarningStep.RELEASE
        moved = replace(_moved(known, step), texts=command.texts)
        expires_ns = now_ns + seconds(command.lasts_s)
        return self._say(moved, step, command.texts, expires_ns, command.actor, now_ns)

    def _say(
        self,
        moved: PublicWarning,
        step: WarningStep,
        texts: tuple[WarningText, ...],
        expires_ns: int,
        actor: Actor,
        now_ns: int,
    ) -> Event:
        message = WarningMessage(len(moved.messages) + 1, step, now_ns, expires_ns, texts, actor)
        return self._put(replace(moved, messages=(*moved.messages, message)), step, actor, now_ns)

    def _put(self, warning: PublicWarning, step: str, actor: Actor, now_ns: int) -> Event:
        self.warnings[warning.warning_id] = warning
        over = [w.warning_id for w in self.warnings.values() if w.state not in OPEN_STATES]
        for warning_id in over[: max(0, len(over) - OVER_LIMIT)]:
            del self.warnings[warning_id]
        return WarningChanged(
            now_ns, warning.warning_id, warning.zone_id, str(step), warning.state.value,
            warning.exercise, actor,
        )  # fmt: skip


def _moved(warning: PublicWarning, step: WarningStep) -> PublicWarning:
    following = WARNING_TRANSITIONS.get((warning.state, step))
    if following is None:
        raise DecisionError(
            f"warning {warning.warning_id} is {warning.state}: {step} is not possible from there"
        )
    return replace(warning, state=following)


def _check(actor: Actor, texts: tuple[WarningText, ...]) -> None:
    if not actor.name.strip() or actor.role in NOBODY:
        raise DecisionError("the public is told by a named person, not by a rule")
    if not texts or not all(t.headline.strip() and t.description.strip() for t in texts):
        raise DecisionError("a warning needs a headline and a description in each language")
