"""CAP 1.2 by the letter: the order, number and values of elements as the standard's schema has
them (OASIS CAP-v1.2-os, section 3.4), slow and literal."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

SPACE = "{urn:oasis:names:tc:emergency:cap:1.2}"
MANY = 10**9
#: Name, least, most; in the schema's order.
ALERT = [
    ("identifier", 1, 1), ("sender", 1, 1), ("sent", 1, 1), ("status", 1, 1), ("msgType", 1, 1),
    ("source", 0, 1), ("scope", 1, 1), ("restriction", 0, 1), ("addresses", 0, 1),
    ("code", 0, MANY), ("note", 0, 1), ("references", 0, 1), ("incidents", 0, 1),
    ("info", 0, MANY),
]  # fmt: skip
INFO = [
    ("language", 0, 1), ("category", 1, MANY), ("event", 1, 1), ("responseType", 0, MANY),
    ("urgency", 1, 1), ("severity", 1, 1), ("certainty", 1, 1), ("audience", 0, 1),
    ("eventCode", 0, MANY), ("effective", 0, 1), ("onset", 0, 1), ("expires", 0, 1),
    ("senderName", 0, 1), ("headline", 0, 1), ("description", 0, 1), ("instruction", 0, 1),
    ("web", 0, 1), ("contact", 0, 1), ("parameter", 0, MANY), ("resource", 0, MANY),
    ("area", 0, MANY),
]  # fmt: skip
AREA = [
    ("areaDesc", 1, 1), ("polygon", 0, MANY), ("circle", 0, MANY), ("geocode", 0, MANY),
    ("altitude", 0, 1), ("ceiling", 0, 1),
]  # fmt: skip
VALUES = {
    "status": {"Actual", "Exercise", "System", "Test", "Draft"},
    "msgType": {"Alert", "Update", "Cancel", "Ack", "Error"},
    "scope": {"Public", "Restricted", "Private"},
    "category": {"Geo", "Met", "Safety", "Security", "Rescue", "Fire", "Health", "Env",
                 "Transport", "Infra", "CBRNE", "Other"},
    "responseType": {"Shelter", "Evacuate", "Prepare", "Execute", "Avoid", "Monitor", "Assess",
                     "AllClear", "None"},
    "urgency": {"Immediate", "Expected", "Future", "Past", "Unknown"},
    "severity": {"Extreme", "Severe", "Moderate", "Minor", "Unknown"},
    "certainty": {"Observed", "Likely", "Possible", "Unlikely", "Unknown"},
}  # fmt: skip
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[-+]\d\d:\d\d")
_PAIR = r"-?\d+(\.\d+)?,-?\d+(\.\d+)?"
PATTERNS = {
    "sent": _TIME,
    "expires": _TIME,
    "identifier": re.compile(r"[^\s,<&]+"),
    "sender": re.compile(r"[^\s,<&]+"),
    "polygon": re.compile(rf"{_PAIR}( {_PAIR}){{3,}}"),
    "circle": re.compile(rf"{_PAIR} \d+(\.\d+)?"),
    "references": re.compile(r"[^\s,]+,[^\s,]+,[^\s,]+( [^\s,]+,[^\s,]+,[^\s,]+)*"),
}


def faults(data: bytes) -> list[str]:
    """What does not hold of a message."""
    root = ET.fromstring(data)
    found = [] if root.tag == f"{SPACE}alert" else [f"root is {root.tag}"]
    found += _sequence(root, ALERT)
    for info in root.findall(f"{SPACE}info"):
        found += _sequence(info, INFO)
        for area in info.findall(f"{SPACE}area"):
            found += _sequence(area, AREA)
    for node in root.iter():
        name, text = node.tag.removeprefix(SPACE), (node.text or "").strip()
        if name in VALUES and text not in VALUES[name]:
            found.append(f"{name} is {text}")
        if name in PATTERNS and not PATTERNS[name].fullmatch(text):
            found.append(f"{name} is {text}")
        if name == "polygon" and text.split()[0] != text.split()[-1]:
            found.append("polygon is open")
    kind = root.findtext(f"{SPACE}msgType")
    if (kind in ("Update", "Cancel")) != (root.find(f"{SPACE}references") is not None):
        found.append(f"{kind} and its references do not fit")
    return found


def _sequence(node: ET.Element, model: list[tuple[str, int, int]]) -> list[str]:
    names = [child.tag.removeprefix(SPACE) for child in node]
    order = [name for name, _, _ in model]
    found = [f"{name} is no element of {node.tag}" for name in names if name not in order]
    known = [order.index(name) for name in names if name in order]
    if known != sorted(known):
        found.append(f"the order is {names}")
    for name, least, most in model:
        if not least <= names.count(name) <= most:
            found.append(f"{name} is there {names.count(name)} times")
    return found
