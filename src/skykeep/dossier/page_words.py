"""The page's own words: what each code means to somebody who never heard of it.

A code that is not in these tables is shown as it is, with spaces for its underscores.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Look:
    """A permission on the page: its words, what it means, and its line on the map.

    `css` is a class; `dash` an SVG stroke-dasharray, so that nobody needs the colour.
    """

    words: str
    meaning: str
    css: str
    dash: str
    sign: str


LOOKS: dict[str, Look] = {
    "not_permitted": Look(
        "Not permitted",
        "a ban applied there and then, and nothing on record allowed this flight. "
        "It says nothing of anybody's intent",
        "banned",
        "",
        "■",
    ),
    "undetermined": Look(
        "Undetermined",
        "what was known did not suffice to say. It is never counted as allowed",
        "unsure",
        "9 5",
        "◆",
    ),
    "permitted": Look(
        "Permitted",
        "a permit or exemption that was valid there and then covered this aircraft",
        "allowed",
        "2 5",
        "●",
    ),
    "not_subject": Look(
        "Not subject to the ban",
        "an aircraft with people on board, to which a ban on drones does not apply",
        "exempt",
        "12 4 2 4",
        "▬",
    ),
}
UNJUDGED = Look("Not judged", "it came near no zone of this page", "unjudged", "1 4", "○")

#: Which of several permissions of one track its line shows: what it was found to be once it
#: was known; undetermined only where nothing else was ever said.
GRAVITY = ("not_permitted", "not_subject", "permitted", "undetermined")

PRESENCE = {
    "inside": "inside the zone",
    "maybe_inside": "perhaps inside: its place is not known well enough",
    "bound": "outside, and on its way in",
    "gone": "no longer inside or on its way in",
}

STRENGTH = {
    "none": "no identity: it said nothing of itself that was received",
    "broadcast_only": "broadcast only: it said so itself, nothing independent confirms it",
    "consistent": "consistent: what it said of its place fits an independent measurement",
    "authenticated": "authenticated: a signature proves who sent it",
    "inconsistent": "inconsistent: what it said does not fit what was measured",
}

SOURCE = {
    "measured": "Measured: sensors that need no help from the aircraft saw it.",
    "claimed": "Claimed: the aircraft (or somebody in its name) said that it was there. "
    "No sensor measured it.",
    "upstream": "Told by another system, as a track of its own. What that rests on is not known "
    "here.",
}

RESTRICTION = {
    "PROHIBITED": "Drones are forbidden, unless a permit or exemption says otherwise",
    "REQ_AUTHORISATION": "Drones only with an authorisation",
    "CONDITIONAL": "Drones only under conditions",
    "NO_RESTRICTION": "No restriction",
}

CONCLUSION = {
    "unverified": "Unverified: nothing supports it yet",
    "corroborated": "Corroborated: something independent supports it",
    "confirmed": "Confirmed: two or more pieces of evidence agree",
    "identified_as_other": "Identified as something else",
    "closed_undetermined": "Closed without an answer",
}

SENSOR_KIND = {
    "radar": "radar",
    "direction_finder": "radio direction finder",
    "remote_id": "Remote ID receiver",
    "adsb": "ADS-B receiver",
    "position": "position sensor",
    "upstream": "another system's tracks",
    "person": "person",
}

#: People are no sensors to a reader: what they said stays apart from what was detected.
PERSON = "person"

KINDS = {
    "observed": ("◉", "Observed", "by a sensor"),
    "decided": ("▶", "Decided", "by a person or a rule"),
    "reported": ("❝", "Reported", "by a person"),
    "assessed": ("⚖", "Assessed", "a named person's conclusion"),
    "declared": ("§", "Declared", "by an authority"),
}

#: How an alert stands after its last step.
STEPS = {
    "raised": "Raised; nobody has acted on it yet",
    "acknowledge": "Acknowledged",
    "acknowledged": "Acknowledged",
    "hand_over": "Handed over",
    "handed_over": "Handed over",
    "shelve": "Shelved until later",
    "shelved": "Shelved until later",
    "unshelve": "Raised again",
    "hand_back": "Raised again: nobody answered the hand-over",
    "close": "Closed",
    "closed": "Closed",
}

#: Steps of an alert that change nobody's duty: the rule's own.
RULE_STEPS = {
    "updated": "Now graver, or about more than before",
    "ended": "Its cause was over",
}

ZONE_STEPS = {
    "propose": "is proposed",
    "approve": "is approved",
    "enter_into_force": "enters into force",
    "declare_emergency": "is declared as an emergency",
    "confirm": "is confirmed",
    "lapse": "lapses",
    "withdraw": "is withdrawn",
}

HEALTH = {
    "working": "working",
    "silent": "silent: nothing was heard from it",
    "unknown": "not heard of yet",
}

GLOSSARY: tuple[tuple[str, str], ...] = (
    (
        "ADS-B",
        "Crewed aircraft broadcast who and where they are by this radio system. Anybody can "
        "send such messages, so a message alone is a claim.",
    ),
    (
        "Alert",
        "A call for a person's attention, raised by a rule of the site. Priority 1 is the most "
        "urgent. An alert is not a conclusion.",
    ),
    (
        "Assessment",
        "What a named person concluded afterwards, with the evidence for it. Several people may "
        "conclude differently; all of it stays.",
    ),
    (
        "Direction finder",
        "Hears a radio transmitter and tells in which direction it is, not how far.",
    ),
    ("Drone", "An aircraft without a pilot on board, whatever its size."),
    (
        "Exemption",
        "A standing permit for a class of flights, such as the police; bound to named aircraft, "
        "an area and a time.",
    ),
    (
        "Identity",
        "What an aircraft says of itself by radio, such as a serial number. Its strength tells "
        "how far that was checked.",
    ),
    (
        "Observation",
        "One report of one sensor: at this moment, something was in this place or direction.",
    ),
    (
        "Permission",
        "Whether a flight was allowed in a zone. It is worked out from zones, permits and "
        "measurements by fixed rules, and has four values: permitted, not permitted, "
        "undetermined, not subject.",
    ),
    (
        "Permit",
        "One authorisation of flight: who, which aircraft, where, when. It opens only the zones "
        "that it names.",
    ),
    ("Radar", "Sends radio pulses and measures where their echoes come from."),
    (
        "Record",
        "The list of everything that came in and was answered, in its order. Each entry is tied "
        "to the others by arithmetic and the whole is signed, so that a later change shows.",
    ),
    (
        "Remote ID",
        "A drone's electronic number plate: it broadcasts a serial number and its position. As "
        "with any broadcast, that is a claim until a measurement fits it.",
    ),
    (
        "Track",
        "What the system took for one aircraft: observations joined over time. One aircraft can "
        "leave several tracks if it was lost for a while.",
    ),
    ("Zone", "A part of the sky, with times, where flying drones is forbidden or restricted."),
)


def said(table: dict[str, str], code: str) -> str:
    """A code in words."""
    return table.get(code, code.replace("_", " "))


def look_of(permission: str) -> Look:
    """How a permission looks; an unknown one like one that was not judged, with its own name."""
    known = LOOKS.get(permission)
    if known is not None:
        return known
    words = permission.replace("_", " ") or UNJUDGED.words
    return Look(words, UNJUDGED.meaning, UNJUDGED.css, UNJUDGED.dash, UNJUDGED.sign)


def weightiest(permissions: tuple[str, ...]) -> str:
    """The permission that stands for all of a track's, or "" where it was never judged."""
    known = [p for p in GRAVITY if p in permissions]
    return known[0] if known else (permissions[0] if permissions else "")
