"""What every zone format has: identifier, texts, restriction, reasons, authorities.

Each function takes a value as it was found, its JSON path and the `Notes`, and gives what
makes sense of it. An ERROR finding means that the zone cannot be relied upon.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from skykeep.codec.json_doc import shown
from skykeep.core.event import Finding, Severity
from skykeep.core.schedule import time_zone_of
from skykeep.core.zone import Authority, Restriction, Zone
from skykeep.errors import InputError
from skykeep.units import ZoneId

#: Both standards: UASZone identifier, at most 7 characters.
MAX_IDENTIFIER = 7
#: What is kept of an identifier or a text; no law is longer.
MAX_KEPT_IDENTIFIER = 100
MAX_KEPT_TEXT = 10_000
#: More findings than a person will ever read; the rest is counted.
MAX_FINDINGS = 20_000

#: ED-269 and ED-318 zone reasons.
REASONS = frozenset(
    {
        "AIR_TRAFFIC",
        "SENSITIVE",
        "PRIVACY",
        "POPULATION",
        "NATURE",
        "NOISE",
        "EMERGENCY",
        "DAR",
        "FOREIGN_TERRITORY",
        "OTHER",
    }
)
PURPOSES = ("AUTHORIZATION", "NOTIFICATION", "INFORMATION")
VARIANTS = ("COMMON", "CUSTOMIZED")

_RESTRICTIONS = {
    "PROHIBITED": Restriction.PROHIBITED,
    "REQ_AUTHORISATION": Restriction.REQ_AUTHORISATION,
    "REQ_AUTHORIZATION": Restriction.REQ_AUTHORISATION,
    "CONDITIONAL": Restriction.CONDITIONAL,
    "NO_RESTRICTION": Restriction.NO_RESTRICTION,
}


_SAVE_ANEW = "Save the document anew with a program that writes the format"


@dataclass(frozen=True, slots=True)
class ZoneFinding(Finding):
    """A finding in a zone document, with what its publisher should do about it."""

    mend: str = ""


class Notes:
    """Gathers findings; counts the errors, also of those beyond the budget."""

    def __init__(self, findings: Iterable[Finding] = ()) -> None:
        self.errors = 0
        self._findings = [
            ZoneFinding(f.where, f.problem, f.assumed, f.severity, _SAVE_ANEW) for f in findings
        ]
        self._left_out = 0

    def note(self, where: str, problem: str, assumed: str, mend: str = "") -> None:
        """Read as meant; nothing assumed."""
        mend = mend or f"Nothing must be done; read as: {assumed}"
        self._add(ZoneFinding(where, problem, assumed, Severity.NOTE, mend))

    def warn(self, where: str, problem: str, assumed: str, mend: str = "") -> None:
        """Read with an assumption that could be wrong."""
        mend = mend or f"Write what is meant here; assumed was: {assumed}"
        self._add(ZoneFinding(where, problem, assumed, Severity.WARNING, mend))

    def error(
        self, where: str, problem: str, assumed: str = "the zone is unreadable", mend: str = ""
    ) -> None:
        """This part could not be used."""
        self.errors += 1
        mend = mend or "Write a value that the format knows, or ask the publisher for one"
        self._add(ZoneFinding(where, problem, assumed, Severity.ERROR, mend))

    def take(self, findings: Iterable[ZoneFinding]) -> None:
        """Findings of a part that was read on trial."""
        for finding in findings:
            self.errors += finding.severity is Severity.ERROR
            self._add(finding)

    def _add(self, finding: ZoneFinding) -> None:
        if len(self._findings) < MAX_FINDINGS:
            self._findings.append(finding)
        else:
            self._left_out += 1

    def findings(self) -> tuple[ZoneFinding, ...]:
        """All of them in order, and how many more there were."""
        if not self._left_out:
            return tuple(self._findings)
        more = f"{self._left_out} more findings, {self.errors} errors in all"
        last = ZoneFinding("$", more, "not listed", Severity.ERROR, "Mend the first ones and check")
        return (*self._findings, last)


def require_time_zone(name: str, where: str) -> str:
    """The name of a time zone that exists; raises InputError for any other."""
    if time_zone_of(name) is None:
        raise InputError(
            where, f"time zone {shown(name)} is not known", "Use an IANA name: Europe/Luxembourg"
        )
    return name


def as_object(value: object, where: str, notes: Notes) -> dict[str, object]:
    """An object, or an empty one with an error."""
    if isinstance(value, dict):
        return value
    notes.error(where, f"an object is needed, not {shown(value)}", mend="Write an object: {...}")
    return {}


def as_list(value: object, where: str, notes: Notes) -> list[object]:
    """A list; a lone value is taken for a list of one, null for an empty one."""
    if isinstance(value, list):
        return value
    if value is None:
        return []
    notes.note(where, "a list is needed, not a lone value", "a list of one")
    return [value]


def clean(value: str, where: str, notes: Notes, limit: int = MAX_KEPT_TEXT) -> str:
    """A string that can be written as UTF-8, trimmed, and no longer than `limit`."""
    words = value.strip()
    if any("\ud800" <= c <= "\udfff" for c in words):
        words = words.encode("utf-8", "replace").decode("utf-8")
        notes.warn(where, "the text holds half a character (a lone surrogate)", "a question mark")
    if len(words) > limit:
        notes.warn(where, f"the text has {len(words)} characters", f"its first {limit}")
        words = words[:limit]
    return words


def plain_text(value: object, where: str, notes: Notes, limit: int = MAX_KEPT_TEXT) -> str:
    """A bare string; null is empty, a number its digits."""
    if isinstance(value, str):
        return clean(value, where, notes, limit)
    if value is None:
        return ""
    if isinstance(value, int | float) and not isinstance(value, bool):
        notes.warn(where, "a text is needed, not a number", f"the text {shown(value)}")
        return str(value)[:limit]
    notes.warn(where, f"a text is needed, not {shown(value)}", "no text")
    return ""


def language_text(value: object, where: str, notes: Notes) -> str:
    """ED-318 text in languages: the first English one, else the first."""
    if isinstance(value, str):
        notes.note(where, "a list of texts with languages is needed, not a bare text", "the text")
        return clean(value, where, notes)
    chosen = ""
    english = False
    for i, entry in enumerate(as_list(value, where, notes)):
        place = f"{where}[{i}]"
        if isinstance(entry, str):
            notes.note(place, "the text has no language", "the text")
            words, language = clean(entry, place, notes), ""
        elif isinstance(entry, dict):
            words = plain_text(entry.get("text"), f"{place}.text", notes)
            found = entry.get("lang")
            language = found if isinstance(found, str) else ""
            if not language:
                notes.note(f"{place}.lang", "the text has no language", "any language")
        else:
            notes.warn(place, f"a text is needed, not {shown(entry)}", "no text")
            continue
        if words and (not chosen or (not english and language.lower().startswith("en"))):
            chosen, english = words, language.lower().startswith("en")
    return chosen


def read_identifier(value: object, index: int, where: str, notes: Notes) -> str:
    """A zone's identifier; `index` names one that has none."""
    identifier = plain_text(value, where, notes, MAX_KEPT_IDENTIFIER)
    if not identifier:
        identifier = f"zone-{index}"
        notes.warn(where, "the zone has no identifier", f"{identifier}, its place in the file")
    elif len(identifier) > MAX_IDENTIFIER:
        notes.note(
            where,
            f"the identifier is longer than {MAX_IDENTIFIER} characters",
            "kept; written under an alias of seven",
        )
    return identifier


def read_restriction(value: object, where: str, notes: Notes, british: bool) -> Restriction:
    """A restriction type; `british` says that the format spells REQ_AUTHORISATION with an S.

    An unknown one is an error; PROHIBITED stands in, which no reader may take for leave.
    """
    words = value.strip().upper() if isinstance(value, str) else ""
    if words == "USPACE":
        notes.warn(where, "a U-space airspace has rules of its own", "CONDITIONAL")
        return Restriction.CONDITIONAL
    restriction = _RESTRICTIONS.get(words)
    if restriction is None:
        mend = f"Write one of {', '.join(dict.fromkeys(_RESTRICTIONS))}"
        notes.error(where, f"{shown(value)} is no restriction type", mend=mend)
        return Restriction.PROHIBITED
    if value != words:
        notes.note(where, f"{shown(value)} is not written as the format has it", words)
    if restriction is Restriction.REQ_AUTHORISATION and ("ISATION" in words) != british:
        notes.note(where, f"the format does not spell it {words}", "the same is meant")
    return restriction


def read_variant(value: object, where: str, notes: Notes) -> str:
    """COMMON or CUSTOMIZED."""
    if isinstance(value, str) and value in VARIANTS:
        return value
    notes.note(where, f"{shown(value)} is neither COMMON nor CUSTOMIZED", "COMMON")
    return "COMMON"


def read_country(value: object, where: str, notes: Notes) -> str:
    """A country code of three letters (ISO 3166-1 alpha-3)."""
    country = plain_text(value, where, notes, MAX_KEPT_IDENTIFIER)
    if not re.fullmatch("[A-Z]{3}", country):
        notes.note(where, f"{shown(value)} is not a country code of three letters", "kept as it is")
    return country


def read_reasons(value: object, where: str, notes: Notes) -> tuple[str, ...]:
    """The reasons for a zone; unknown ones are kept."""
    reasons: list[str] = []
    for i, entry in enumerate(as_list(value, where, notes)):
        reason = plain_text(entry, f"{where}[{i}]", notes, MAX_KEPT_IDENTIFIER)
        if reason and reason not in REASONS:
            notes.note(f"{where}[{i}]", f"{shown(reason)} is no reason code", "kept as it is")
        if reason and reason not in reasons:
            reasons.append(reason)
    return tuple(reasons)


def read_purpose(value: object, where: str, notes: Notes) -> str:
    """An authority's role, spelled as ED-318 does; empty if there is none."""
    words = value.strip().upper() if isinstance(value, str) else ""
    if words == "AUTHORISATION":
        notes.note(where, "the format does not spell it AUTHORISATION", "AUTHORIZATION")
        return "AUTHORIZATION"
    if words in PURPOSES:
        return words
    if value is None:
        notes.warn(where, "the authority's purpose is missing", "no purpose")
    else:
        notes.warn(where, f"{shown(value)} is no purpose of an authority", "no purpose")
    return ""


def unreadable_zone(index: int) -> Zone:
    """What stands for an entry of which nothing can be understood: it is never dropped."""
    identifier = ZoneId(f"zone-{index}")
    return Zone(identifier, "", "unknown", Restriction.PROHIBITED, (), readable=False)


def check_contact(zone: Zone, where: str, notes: Notes) -> None:
    """Say so where an authorisation is required and nobody can be asked for it."""
    if zone.restriction is not Restriction.REQ_AUTHORISATION:
        return
    asked = [a for a in zone.authorities if a.purpose in ("AUTHORIZATION", "")]
    if not any(a.email or a.phone or a.site_url for a in asked):
        notes.warn(
            where,
            "an authorisation is required, but there is no contact to ask for it",
            "the authority is known otherwise",
            "Give an authority of purpose AUTHORIZATION with email, phone or siteURL",
        )


def note_hidden(found: Mapping[str, object], where: str, notes: Notes) -> None:
    """Say so where viewers are told not to show a zone: it holds nevertheless."""
    for name, hides in (("hidden", True), ("visible", False), ("visibility", False)):
        value = found.get(name)
        flag = {"true": True, "1": True, "false": False, "0": False}.get(str(value).lower())
        if flag is hides:
            notes.note(f"{where}.{name}", "the zone is hidden for viewers", "it holds all the same")


def read_conditions(value: object, where: str, notes: Notes) -> str:
    """Conditions in words; a list of them becomes lines."""
    if not isinstance(value, list):
        return plain_text(value, where, notes)
    lines = (plain_text(v, f"{where}[{i}]", notes) for i, v in enumerate(value))
    return clean("\n".join(line for line in lines if line), where, notes)


def slug(words: str) -> str:
    """Lower-case ASCII letters, digits and hyphens; a digest where no letter remains."""
    folded = unicodedata.normalize("NFKD", words).encode("ascii", "ignore").decode("ascii")
    plain = re.sub("[^a-z0-9]+", "-", folded.lower()).strip("-")
    if plain or not words.strip():
        return plain
    return hashlib.sha256(words.strip().encode("utf-8", "replace")).hexdigest()[:12]


def authority_id_of(authorities: tuple[Authority, ...], country: str) -> str:
    """A stable id of who enforces a zone: country and name of whoever authorises, as slugs.

    Without such an authority it is the first named one; without any, the country or "unknown".
    """
    named = [authority for authority in authorities if authority.name]
    first = next((a for a in named if a.purpose == "AUTHORIZATION"), named[0] if named else None)
    parts = [slug(country), slug(first.name) if first else ""]
    return ":".join(part for part in parts if part) or "unknown"


def tell_apart(
    zones: Iterable[Zone], wheres: Iterable[str], notes: Notes, taken: frozenset[str] = frozenset()
) -> tuple[Zone, ...]:
    """The zones with a second use of an identifier renamed `id~2`, a third `id~3` and so on.

    `taken` are identifiers in use elsewhere. Stable while the order in the file is.
    """
    zones = tuple(zones)
    used = {str(zone.zone_id) for zone in zones} | taken
    seen = set(taken)
    apart: list[Zone] = []
    for zone, where in zip(zones, wheres, strict=True):
        identifier, count = str(zone.zone_id), 1
        if identifier in seen:
            while identifier in used:
                count += 1
                identifier = f"{zone.zone_id}~{count}"
            used.add(identifier)
            problem = f"the identifier {shown(str(zone.zone_id))} is used more than once"
            mend = "Give every zone an identifier of its own"
            notes.warn(where, problem, f"{shown(identifier)} for this one", mend)
        seen.add(identifier)
        apart.append(replace(zone, zone_id=ZoneId(identifier)))
    return tuple(apart)
