"""A hand-over as it is told: the same fields by every channel, and the same in words.

The fields are those of the classes below and no others; a test reads them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from skykeep.codec.moment import format_moment
from skykeep.core.alert import Alert
from skykeep.core.handover import Handover, HandoverState
from skykeep.deliver.shared import SharedTrack
from skykeep.deliver.words import say


@dataclass(frozen=True, slots=True)
class HandoverMessage:
    """What a recipient is told. `message_id` stays the same when it is sent again.

    `state` is `handed_over` or `withdrawn`; `link` is where it is answered, if the site says where
    it is reached.
    """

    message_id: str
    handover_id: str
    state: str
    exercise: bool
    site: str
    authority: str
    at: str
    answer_by: str
    instruction: str | None
    note: str
    why: str
    alert: AlertTold | None
    tracks: tuple[dict[str, Any], ...]
    link: str | None
    words: str


@dataclass(frozen=True, slots=True)
class AlertTold:
    """An alert as it is told outside: no reasons, which may name an aircraft."""

    alert_id: str
    priority: int
    active: bool
    raised: str
    zones: tuple[str, ...]
    permission: str


def message_id_of(handover: Handover) -> str:
    """One name for one thing that is told, also when it is told again."""
    return f"{handover.handover_id}.{handover.revision}"


def message_of(
    handover: Handover,
    alert: Alert | None,
    tracks: Sequence[SharedTrack],
    site: tuple[str, str],
    link: str | None,
    languages: Sequence[str],
    exercise: bool,
) -> HandoverMessage:
    """The message of a hand-over at this moment; `site` is its name and its authority."""
    handover = replace(handover, exercise=exercise)
    over = handover.state is HandoverState.WITHDRAWN
    told = None if alert is None else _told(alert)
    return HandoverMessage(
        message_id_of(handover),
        handover.handover_id,
        "withdrawn" if over else "handed_over",
        handover.exercise,
        *site,
        format_moment(handover.at_ns),
        format_moment(handover.answer_by_ns),
        None if handover.instruction is None else handover.instruction.value,
        handover.note,
        handover.why if over else "",
        told,
        () if over else tuple(track_fields(t) for t in tracks),
        link,
        "\n\n".join(_words(handover, told, () if over else tracks, link, n) for n in languages),
    )


def subject_of(message: HandoverMessage) -> str:
    """The subject of an e-mail."""
    what = (message.instruction or message.state).replace("_", " ")
    alert = "" if message.alert is None else f" (alert {message.alert.alert_id})"
    mark = "EXERCISE: " if message.exercise else ""
    return f"{mark}{message.site}: {what} {message.handover_id}{alert}"


def encode(message: HandoverMessage) -> bytes:
    """The message as JSON."""
    return msgspec.json.encode(message)


def track_fields(track: SharedTrack) -> dict[str, Any]:
    """A track as JSON values, for messages and streams."""
    fields: dict[str, Any] = msgspec.to_builtins(track)
    fields["at"] = format_moment(fields.pop("at_ns"))
    return fields


def _told(alert: Alert) -> AlertTold:
    return AlertTold(
        alert.alert_id, alert.priority, alert.active, format_moment(alert.raised_ns),
        alert.zones, alert.permission.value,
    )  # fmt: skip


def _words(
    handover: Handover,
    alert: AlertTold | None,
    tracks: Sequence[SharedTrack],
    link: str | None,
    language: str,
) -> str:
    lines: list[str] = []
    if handover.exercise:
        lines.append(say(language, "exercise"))
    if handover.state is HandoverState.WITHDRAWN:
        lines.append(say(language, "withdrawn", id=handover.handover_id, why=handover.why))
        return "\n".join(lines)
    if handover.instruction is not None:
        lines.append(say(language, handover.instruction.value))
    elif alert is not None:
        lines.append(say(language, "handed_over", alert=alert.alert_id, priority=alert.priority))
    if alert is not None and alert.zones:
        lines.append(say(language, "zone", zones=", ".join(alert.zones)))
    if handover.instruction is None:
        lines += [
            say(
                language, "track", track=t.track_id, permission=say(language, t.permission.value),
                confirmation=say(language, t.confirmation), lat=f"{t.lat_deg:.5f}",
                lon=f"{t.lon_deg:.5f}", ce=f"{t.ce_m:.0f}",
            )
            for t in tracks
        ]  # fmt: skip
    if handover.note:
        lines.append(say(language, "note", note=handover.note))
    by = format_moment(handover.answer_by_ns)
    what = "answer_otherwise" if link is None else "answer"
    lines.append(say(language, what, by=by, link=link, id=handover.handover_id))
    if handover.exercise:
        lines.append(say(language, "exercise"))
    return "\n".join(lines)
