"""Twelve statements of six invented speakers about the demo's night, and what they assert.

They assert, deny, hedge, withdraw and copy. Times are seconds after the night's start, places
metres east and north of the citadel.
"""

from __future__ import annotations

from skykeep.accounts.statement import (
    Basis,
    Speaker,
    SpeakerKind,
    Stance,
    Statement,
)
from skykeep.core.geo import Frame
from skykeep.core.proposition import Place, Predicate, Proposition, Sector, check
from skykeep.units import NS_PER_S

_O, _P, _ORG = SpeakerKind.OFFICE_HOLDER, SpeakerKind.PROFESSIONAL, SpeakerKind.ORGANISATION
KEEPER = Speaker(_O, "Ines Faber", "spokeswoman", "Citadel Keepers")
OFFICE = Speaker(_ORG, "Office of the Neighbouring Canton", "", "Office of the Neighbouring Canton")
MINISTER = Speaker(_O, "Paul Reding", "interior minister", "Government")
AIRPORT = Speaker(_ORG, "Findel Watch Centre", "", "Findel Watch Centre")
ANALYST = Speaker(_P, "Greta Moll", "analyst", "Institute for Quiet Skies")
AGENCY = Speaker(_ORG, "Northline News Agency", "", "Northline News Agency")


def propositions(frame: Frame, start_ns: int) -> tuple[Proposition, ...]:
    """What the twelve statements are about, each as one checkable sentence."""

    def place(east_m: float, north_m: float, radius_m: float, words: str) -> Place:
        lat, lon, _ = frame.to_geodetic(east_m, north_m, 0.0)
        return Place(round(lat, 6), round(lon, 6), radius_m, words)

    def say(
        name: str, words: str, predicate: Predicate, where: Place, span_s: tuple[int, int],
        negated: bool = False, origin: Place | None = None, sector: Sector | None = None,
        least: int = 1, most: int | None = None,
    ) -> Proposition:  # fmt: skip
        from_ns, to_ns = (start_ns + s * NS_PER_S for s in span_s)
        return check(Proposition(name, words, predicate, where, from_ns, to_ns, negated,
                                 origin, sector, least, most))  # fmt: skip

    roof = place(0.0, 0.0, 60.0, "the citadel's roof")
    west = place(-2_000.0, 1_500.0, 300.0, "the western plateau")
    canton = place(90_000.0, 60_000.0, 20_000.0, "the neighbouring canton")
    p, first = Predicate, (300, 380)
    return (
        say("P01", "A drone was over the roof at about 21:54 UTC", p.PRESENT, roof, first),
        say("P02", "No drone was over the western plateau between 21:58 and 22:03 UTC", p.PRESENT,
            west, (600, 900), negated=True),
        say("P03", "It came from the north-east", p.CAME_FROM, roof, first, sector=Sector(0, 90)),
        say("P04", "It came from the neighbouring canton", p.CAME_FROM, roof, first, origin=canton),
        say("P05", "There were three drones over the roof", p.HOW_MANY, roof, first, least=3,
            most=3),
        say("P06", "The guard's device brought it down", p.BROUGHT_DOWN, roof, first),
        say("P07", "It fell on the roof", p.FELL_AT, roof, first),
        say("P08", "The flight was permitted", p.PERMITTED, roof, first),
        say("P09", "People were hurt by it", p.CAUSED_HARM, roof, first),
        say("P10", "A warning was given before it reached the roof", p.WARNED, roof, (240, 340)),
        say("P11", "A drone was over the roof at 22:30 UTC", p.AT_TIME, roof, (2_400, 2_640)),
        say("P12", "The flight was meant to frighten the council", p.MOTIVE, roof, first),
    )  # fmt: skip


def statements(start_ns: int) -> tuple[tuple[str, Statement], ...]:
    """The twelve rows with their ids, in the order in which they were said."""

    def row(
        number: int, who: Speaker, stance: Stance, words: str, about: str, hours: float,
        basis: Basis = Basis.NONE_GIVEN, hedges: tuple[str, ...] = (),
        derives: tuple[str, ...] = (), supersedes: str = "",
    ) -> tuple[str, Statement]:  # fmt: skip
        at_ns = start_ns + round(hours * 3_600) * NS_PER_S
        told = "Northline News Agency (invented)"
        return f"S{number:05d}", Statement(
            who, told, words, "en", stance, at_ns + 60 * NS_PER_S, at_ns,
            f"https://northline.example/citadel/{number}", "", None, basis, hedges, derives,
            supersedes, (about,),
        )  # fmt: skip

    a, d, c = Stance.ASSERTS, Stance.DENIES, Stance.CANNOT_CONFIRM
    return (
        row(1, KEEPER, a, "A drone was over our roof shortly before midnight.", "P01", 2.0,
            Basis.SAW_IT),
        row(2, AIRPORT, a, "Our people saw no drone over the western plateau.", "P02", 3.0,
            Basis.OWN_MEASUREMENT),
        row(3, KEEPER, a, "It came from the north-east, over the valley.", "P03", 3.5,
            Basis.SAW_IT),
        row(4, MINISTER, a, "The aircraft was launched from the neighbouring canton.", "P04", 8.0),
        row(5, OFFICE, d, "No aircraft of ours was anywhere near the citadel.", "P04", 9.0),
        row(6, MINISTER, a, "There were three drones over the roof.", "P05", 8.1),
        row(7, MINISTER, Stance.WITHDRAWS, "I take back the number three.", "P05", 20.0,
            supersedes="S00006"),
        row(8, KEEPER, a, "It fell on the roof; the guard's device apparently brought it down.",
            "P06", 4.0, hedges=("apparently",)),
        row(9, ANALYST, Stance.QUESTIONS, "Who says that the flight was not permitted?", "P08",
            12.0),
        row(10, AIRPORT, c, "We cannot confirm that anybody was hurt.", "P09", 10.0),
        row(11, AGENCY, a, "A drone was over the roof of the citadel shortly before midnight.",
            "P01", 2.5, Basis.CITES_ANOTHER, derives=("S00001",)),
        row(12, ANALYST, a, "It was perhaps meant to frighten the council.", "P12", 12.1,
            hedges=("perhaps",)),
    )  # fmt: skip
