"""A made-up incident to draw, and a reader of pages that notices what is out of order."""

from __future__ import annotations

import math
from html.parser import HTMLParser

from skykeep.dossier.markup import VOID
from skykeep.dossier.view import (
    AlertView,
    AssessmentView,
    DossierView,
    FigureView,
    PermitView,
    ProofView,
    ReportView,
    SensorView,
    SightingView,
    TimelineItem,
    TrackView,
    VerdictView,
    ZoneView,
)

SILENT = ("not_broadcasting", "permits here require Remote ID, and it is not broadcasting")
UNSURE = ("presence_uncertain", "its position is not known well enough")


def ring(radius_m: float) -> tuple[tuple[float, float], ...]:
    turns = [2.0 * math.pi * n / 48 for n in range(48)]
    return tuple((radius_m * math.sin(a), radius_m * math.cos(a)) for a in turns)


def straight(
    start_s: int, start: tuple[float, float], end: tuple[float, float], seconds: int
) -> tuple[tuple[float, float, float, float], ...]:
    shares = [n / seconds for n in range(seconds + 1)]
    return tuple(
        (
            start_s + share * seconds,
            start[0] + share * (end[0] - start[0]),
            start[1] + share * (end[1] - start[1]),
            140.0,
        )
        for share in shares
    )


FIRST = TrackView(
    "T0003",
    "a drone without Remote ID",
    "23:50:33",
    "23:53:50",
    "measured",
    straight(0, (2500.0, 2500.0), (5.0, 20.0), 197),
    (("radar", 176), ("df-west", 120)),
    "",
    "none",
    (
        VerdictView("23:52:10", "CITADEL-500", "maybe_inside", "undetermined", (UNSURE,), "none"),
        VerdictView("23:52:21", "CITADEL-500", "inside", "not_permitted", (SILENT,), "none"),
    ),
)
SECOND = TrackView(
    "T0041",
    "a police drone",
    "00:06:53",
    "00:10:50",
    "claimed",
    straight(980, (-2400.0, -2300.0), (900.0, 900.0), 237),
    (("remote-id", 203),),
    "Remote ID serial SKV28PLC00007",
    "consistent",
    (VerdictView("00:06:55", "CITADEL-500", "bound", "permitted", (), "consistent"),),
)
VIEW = DossierView(
    "I0001",
    "Two drones over the citadel",
    "Citadel of Luxembourg (invented)",
    "lux-citadel-authority",
    "Europe/Luxembourg",
    "2026-09-12 23:52:48",
    "From the record example/citadel, entries 312 to 2874 of 3120, key citadel-2026.",
    ("Two drones flew into the zone.", "One was not permitted."),
    (
        ZoneView(
            "CITADEL-500",
            "Citadel, 500 m",
            "PROHIBITED",
            "lux-citadel-authority",
            "Regulation (invented)",
            "since 2026-01-01",
            ring(500.0),
            "ground to 300 m",
            False,
        ),
        ZoneView(
            "CITY-BAN",
            "City-wide ban",
            "PROHIBITED",
            "lux-citadel-authority",
            "",
            "from 23:54:50",
            ring(5000.0),
            "ground to 500 m",
            True,
        ),
    ),
    (PermitView("E-POLICE", "Standing exemption for police drone SKV28PLC00007."),),
    (FIRST, SECOND),
    (
        SensorView("radar", "radar", 156.0, -886.0, "on a roof", 379),
        SensorView("df-west", "direction_finder", -705.0, 189.0, "on a mast", 120),
    ),
    (
        AlertView(
            "A0001",
            "23:52:22",
            1,
            "not_permitted",
            (SILENT,),
            (
                ("23:52:22", "raised", "alert rule", "rule", ""),
                ("23:52:30", "acknowledge", "C. Weber", "watch officer", ""),
                ("23:52:47", "hand_over", "C. Weber", "watch officer", "police patrol 4"),
                ("23:53:01", "weight", "alert rule", "rule", "now inside"),
            ),
            ("T0003",),
        ),
    ),
    (SightingView("23:53:00", "23:54:31", "31°", "A buzzing thing went over.\nThen a bang."),),
    (
        ReportView(
            "01:18:00",
            "B. Klein",
            "team leader",
            "Two parts secured.",
            ((12.0, 31.0, "part 1, plastic"), (-20.0, 14.0, "part 2, carbon")),
            "none",
            "none",
        ),
    ),
    (
        AssessmentView("09:48", "A. Weber", "duty officer", "confirmed", "It was.", ("T0003",)),
        AssessmentView("10:33", "D. Roth", "analyst", "unverified", "Not yet.", ("T0003",)),
    ),
    (
        TimelineItem("23:50:33", "observed", "Track T0003 starts."),
        TimelineItem("23:52:30", "decided", "C. Weber acknowledged A0001."),
        TimelineItem("23:54:50", "declared", "City-wide ban."),
    ),
    ProofView(
        ("12 of 2563 entries are withheld by lux-citadel-authority: other aircraft.",),
        "skykeep verify I0001.zip --key citadel.key",
        ("Whether a sensor told the truth.",),
    ),
    (FigureView("Warning", "83 s", "before it crossed the wall"),),
)


class Page(HTMLParser):
    """A page as a browser's parser would first see it, with everything that must be in order."""

    def __init__(self, html: bytes) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.shape: list[str] = []
        self.texts: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.faults: list[str] = []
        self.feed(html.decode())
        self.close()
        self.faults += [f"{tag} stays open" for tag in self.open]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.shape.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        self.shape.append(f"/{tag}")
        if not self.open or self.open.pop() != tag:
            self.faults.append(f"{tag} closes something else")

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] != "style":
            self.texts.append(data)

    def handle_comment(self, data: str) -> None:
        self.faults.append(f"a comment: {data}")

    def handle_pi(self, data: str) -> None:
        self.faults.append(f"an instruction: {data}")

    @property
    def text(self) -> str:
        return " ".join("".join(self.texts).split())

    def all_of(self, name: str) -> list[str]:
        return [value for _, n, value in self.attributes if n == name]
