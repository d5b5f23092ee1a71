"""Tracks and hand-overs as Cursor on Target, and what comes back.

The affiliation says permission, and nothing more:

| permission | affiliation | why |
|---|---|---|
| permitted, not_subject | `n` neutral | it may be there; that does not make it one of ours (`f`) |
| not_permitted | `u` unknown | nothing covers it; what it wants is not known |
| undetermined | `u` unknown | it cannot be told |

`s` (suspect), `j`, `k` and `h` are conclusions about intent, which no field here draws; `p`
(pending) would promise that one follows. The type is `A`, an air track, and `A-C` where it is a
crewed aircraft (`not_subject`): the only drones of the CoT tables are military ones, which would
say more than is known.
"""

from __future__ import annotations

import re

from skykeep.codec.cot import UNKNOWN_M, CotEvent, Element
from skykeep.codec.moment import format_moment
from skykeep.core.casebook import ReportedOutcome
from skykeep.core.event import Permission
from skykeep.deliver.link import Answer
from skykeep.deliver.message import HandoverMessage
from skykeep.deliver.shared import SharedTrack
from skykeep.units import NS_PER_S

AFFILIATION: dict[Permission, str] = {
    Permission.PERMITTED: "n",
    Permission.NOT_SUBJECT: "n",
    Permission.NOT_PERMITTED: "u",
    Permission.UNDETERMINED: "u",
}
#: Fused by a machine.
HOW = "m-f"
#: A track that is not told again has gone from a map after this; three looks may be lost.
TRACK_STALE_NS = 10 * NS_PER_S
#: A message about a hand-over is worth reading for a watch's first hour.
CHAT_STALE_NS = 3_600 * NS_PER_S
SELF_STALE_NS = 120 * NS_PER_S
CHAT_ROOM = "All Chat Rooms"
#: A hand-over is named in what people type by its number.
_NAMED = re.compile(r"\bH(\d{5,})\b", re.IGNORECASE)
_ACK = re.compile(r"\b(ack|acknowledged?|ok|roger|copy|bestätigt|reçu)\b", re.IGNORECASE)
_OUTCOMES = {
    ReportedOutcome.NOT_FOUND: re.compile(r"\bnot[ _]found\b", re.IGNORECASE),
    ReportedOutcome.SEEN: re.compile(r"\bseen\b", re.IGNORECASE),
    ReportedOutcome.LANDED: re.compile(r"\blanded\b", re.IGNORECASE),
    ReportedOutcome.FELL: re.compile(r"\b(fell|fallen)\b", re.IGNORECASE),
    ReportedOutcome.SEIZED: re.compile(r"\bseized\b", re.IGNORECASE),
    ReportedOutcome.INJURIES: re.compile(r"\binjur(y|ies|ed)\b", re.IGNORECASE),
    ReportedOutcome.DAMAGE: re.compile(r"\bdamaged?\b", re.IGNORECASE),
}
_MOST_WORDS = 2_000


def track_event(track: SharedTrack, now_ns: int) -> CotEvent:
    """A track; its uid stays the same, and it goes stale by itself."""
    crewed = "-C" if track.permission is Permission.NOT_SUBJECT else ""
    mark = "EXERCISE " if track.exercise else ""
    words = f"{mark}permission: {track.permission.value}; confirmation: {track.confirmation}"
    detail = (
        _element("contact", callsign=f"{'EX ' if track.exercise else ''}{track.track_id}"),
        _element("track", speed=f"{track.speed_mps:.1f}", course=f"{track.course_deg:.0f}"),
        Element("remarks", (), words),
        _element(
            "skykeep",
            permission=track.permission.value,
            confirmation=track.confirmation,
            zones=" ".join(track.zones),
            exercise=str(track.exercise).lower(),
        ),
    )
    return CotEvent(
        track.uid,
        f"a-{AFFILIATION[track.permission]}-A{crewed}",
        HOW,
        now_ns,
        track.at_ns,
        now_ns + TRACK_STALE_NS,
        track.lat_deg,
        track.lon_deg,
        UNKNOWN_M if track.height_hae_m is None else track.height_hae_m,
        track.ce_m,
        UNKNOWN_M if track.le_m is None else track.le_m,
        detail,
    )


def chat_event(message: HandoverMessage, sender_uid: str, now_ns: int) -> CotEvent:
    """A hand-over as a chat to everybody on the server; its uid names it, also when repeated."""
    uid = f"GeoChat.{sender_uid}.{CHAT_ROOM}.{message.message_id}"
    group = _element("chatgrp", uid0=sender_uid, uid1=CHAT_ROOM, id=CHAT_ROOM)
    chat = Element(
        "__chat",
        (
            ("parent", "RootContactGroup"),
            ("groupOwner", "false"),
            ("messageId", message.message_id),
            ("chatroom", CHAT_ROOM),
            ("id", CHAT_ROOM),
            ("senderCallsign", callsign_of(message.site)),
        ),
        "",
        (group,),
    )
    link = _element("link", uid=sender_uid, type="a-n-G-I", relation="p-p")
    remarks = Element(
        "remarks",
        (
            ("source", f"BAO.F.Skykeep.{sender_uid}"),
            ("to", CHAT_ROOM),
            ("time", format_moment(now_ns)),
        ),
        f"{message.handover_id}\n{message.words}",
    )
    stale_ns = now_ns + CHAT_STALE_NS
    return CotEvent(
        uid, "b-t-f", "h-g-i-g-o", now_ns, now_ns, stale_ns, detail=(chat, link, remarks)
    )


def callsign_of(site: str) -> str:
    """What the site is called on a server."""
    return f"Skykeep {site}"


def self_event(uid: str, site: str, place: tuple[float, float, float], now_ns: int) -> CotEvent:
    """The site itself, so that others on the server know who speaks: a neutral installation."""
    lat, lon, hae = place
    detail = (
        _element("takv", device="server", platform="Skykeep", os="any", version="1"),
        _element("contact", callsign=callsign_of(site), endpoint="*:-1:stcp"),
        _element("__group", name="White", role="HQ"),
        _element("uid", Droid=callsign_of(site)),
    )
    return CotEvent(
        uid, "a-n-G-I", "h-e", now_ns, now_ns, now_ns + SELF_STALE_NS, lat, lon, hae, 10.0, 10.0,
        detail,
    )  # fmt: skip


def plain_event(uid: str, kind: str, now_ns: int, stale_s: int = 20) -> CotEvent:
    """An event of the protocol itself: a ping, a request."""
    return CotEvent(uid, kind, HOW, now_ns, now_ns, now_ns + stale_s * NS_PER_S)


def answer_of(event: CotEvent) -> Answer | None:
    """What somebody says about a hand-over, or None.

    Taken are a chat (`b-t-f`) and a marker that a person set (any `a-`, `b-m-p` or `u-` event with
    `how` of `h-`), if words in them name a hand-over. A chat whose words acknowledge does that;
    one that names an outcome is a report, and so is every marker, with its place. That a device
    showed a message (`b-t-f-d`, `b-t-f-r`) is no person's answer.
    """
    chat = event.type == "b-t-f"
    marker = event.how.startswith("h-") and event.type.startswith(("a-", "b-m-p", "u-"))
    if not (chat or marker):
        return None
    remarks, contact, group = (event.find(tag) for tag in ("remarks", "contact", "__chat"))
    words = "" if remarks is None else remarks.text.strip()
    callsign = "" if contact is None else contact.get("callsign")
    sender = "" if group is None else group.get("senderCallsign")
    named = _NAMED.search(words) or (_NAMED.search(callsign) if marker else None)
    if named is None:
        return None
    creator = event.find("creator")
    who = sender if chat else ("" if creator is None else creator.get("callsign")) or callsign
    outcomes = tuple(o for o, said in _OUTCOMES.items() if said.search(words))
    if ReportedOutcome.NOT_FOUND in outcomes:
        outcomes = tuple(o for o in outcomes if o is not ReportedOutcome.SEEN)
    acknowledged = chat and _ACK.search(words) is not None
    if chat and not acknowledged and not outcomes:
        return None
    placed = marker or (event.lat_deg, event.lon_deg) != (0.0, 0.0)
    told = (bool(outcomes) and placed) or marker
    return Answer(
        f"H{int(named[1]):05d}",
        who.strip()[:100] or event.uid[:100],
        acknowledged,
        outcomes,
        words[:_MOST_WORDS],
        event.lat_deg if told else None,
        event.lon_deg if told else None,
        event.uid[:200],
    )


def _element(tag: str, **attributes: str) -> Element:
    return Element(tag, tuple(attributes.items()))
