"""Common Alerting Protocol 1.2 (OASIS CAP-v1.2-os, 2010): one message of a warning as XML.

Elements stand in the order of the standard's schema. Times have no fraction and an offset in
figures, "-00:00" for UTC (section 3.3.2); polygons are "lat,lon" pairs, closed; circles "lat,lon
km". `severity` is Moderate and `certainty` Likely: what a drone wants is not known; that one is
there was established by a sensor and a person.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

from skykeep.core.geo import Area, Circle
from skykeep.core.warning import PublicWarning, WarningMessage, WarningStep, WarningText
from skykeep.units import to_datetime

NAMESPACE = "urn:oasis:names:tc:emergency:cap:1.2"
MESSAGE_TYPES = {
    WarningStep.RELEASE: "Alert",
    WarningStep.UPDATE: "Update",
    WarningStep.CANCEL: "Cancel",
}
#: What identifier and sender must not hold (section 3.2.1).
_BARRED = str.maketrans(dict.fromkeys(" ,<&\t\n\r", "-"))


@dataclass(frozen=True, slots=True)
class CapSender:
    """Who warns: `sender` is its name in messages, `name` for people, `web` where more is said."""

    sender: str
    name: str
    authority_id: str
    event: tuple[tuple[str, str], ...]  # by language, what the message is about
    web: str | None = None


def identifier_of(sender: CapSender, warning: PublicWarning, message: WarningMessage) -> str:
    """The name of a message, the same for ever."""
    named = f"skykeep.{sender.authority_id}.{warning.warning_id}.{message.number}"
    return named.translate(_BARRED)


def encode_cap(sender: CapSender, warning: PublicWarning, message: WarningMessage) -> bytes:
    """One message of a warning."""
    before = [m for m in warning.messages if m.number < message.number]
    references = " ".join(
        f"{sender.sender},{identifier_of(sender, warning, m)},{cap_moment(m.at_ns)}" for m in before
    )
    parts = [
        _element("identifier", identifier_of(sender, warning, message)),
        _element("sender", sender.sender),
        _element("sent", cap_moment(message.at_ns)),
        _element("status", "Exercise" if warning.exercise else "Actual"),
        _element("msgType", MESSAGE_TYPES[message.step]),
        _element("scope", "Public"),
        # Of an exercise the standard wants its name here (section 3.2.1, note).
        _element("note", "EXERCISE EXERCISE EXERCISE" if warning.exercise else ""),
        _element("references", references),
        *(_info(sender, warning, message, text) for text in message.texts),
    ]
    head = f'<?xml version="1.0" encoding="UTF-8"?>\n<alert xmlns="{NAMESPACE}">\n'
    return f"{head}{''.join(parts)}</alert>\n".encode()


def cap_moment(at_ns: int) -> str:
    """A moment as the standard writes it, to the second."""
    return f"{to_datetime(at_ns):%Y-%m-%dT%H:%M:%S}-00:00"


def _info(
    sender: CapSender, warning: PublicWarning, message: WarningMessage, text: WarningText
) -> str:
    over = message.step is WarningStep.CANCEL
    mark = "EXERCISE: " if warning.exercise else ""
    parts = [
        _element("language", text.language),
        _element("category", "Safety"),
        _element("event", mark + dict(sender.event).get(text.language, "")),
        _element("responseType", "AllClear" if over else "Shelter"),
        _element("urgency", "Past" if over else "Immediate"),
        _element("severity", "Moderate"),
        _element("certainty", "Likely"),
        _element("expires", cap_moment(message.expires_ns)),
        _element("senderName", sender.name),
        _element("headline", mark + text.headline),
        _element("description", mark + text.description),
        _element("instruction", text.instruction),
        _element("web", sender.web or ""),
        _area(warning.area_name, warning.areas),
    ]
    return f"<info>\n{''.join(parts)}</info>\n"


def _area(name: str, areas: Sequence[Area]) -> str:
    """Polygons before circles, as the schema has them; holes are not known to it."""
    polygons = [
        " ".join(f"{lat:.6f},{lon:.6f}" for lon, lat in a.rings[0])
        for a in areas
        if not isinstance(a, Circle)
    ]
    circles = [
        f"{a.lat_deg:.6f},{a.lon_deg:.6f} {a.radius_m / 1e3:.3f}"
        for a in areas
        if isinstance(a, Circle)
    ]
    parts = [_element("areaDesc", name), *(_element("polygon", p) for p in polygons)]
    parts += [_element("circle", c) for c in circles]
    return f"<area>\n{''.join(parts)}</area>\n"


def _element(name: str, text: str) -> str:
    clean = "".join(c for c in text if c >= " " or c in "\t\n")
    return f"<{name}>{escape(clean)}</{name}>\n" if text else ""
