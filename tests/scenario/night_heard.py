"""A desk that keeps what a record of the night would hold, for what is computed from records."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from skykeep.accounts.demo import propositions, statements
from skykeep.accounts.ledger import EnterProposition, EnterRow, KeepFinding, Ledger
from skykeep.accounts.reading import gather
from skykeep.codec import entries
from skykeep.core.airspace import RegisterSensor
from skykeep.core.casebook import CaseCommand
from skykeep.core.event import Actor, Tick
from skykeep.core.evidence import Evidence
from skykeep.core.finding import find
from skykeep.core.observation import Batch
from skykeep.core.proposition import Finding
from skykeep.feed.citadel_night import Night
from skykeep.runtime import Answer, Input, Unrecorded
from skykeep.units import NS_PER_S

HOUR_NS = 3_600 * NS_PER_S
#: What the twelve statements' propositions must come to, whatever the seed.
EXPECTED = {
    "P01": "supported", "P02": "supported", "P03": "supported", "P04": "contradicted",
    "P05": "contradicted", "P06": "not_measurable", "P07": "supported", "P08": "contradicted",
    "P09": "not_measurable", "P10": "supported", "P11": "outage", "P12": "not_measurable",
}  # fmt: skip


@dataclass
class Head:
    """As much of a leaf as is read."""

    kind: str
    at_ns: int
    source: str = ""


class Listening(Unrecorded):
    """Keeps each input's and answer's entry."""

    def __init__(self, night: Night) -> None:
        super().__init__(night.site)
        self.night = night
        self.heard: list[tuple[Head, list[bytes]]] = []

    def take(self, items: Sequence[Input | CaseCommand]) -> list[Answer]:
        answers = []
        for item in items:
            (answer,) = super().take([item])
            answers.append(answer)
            now = self.runtime.now_ns
            if isinstance(item, Batch):
                self.heard.append((Head(entries.BATCH, now, item.sensor_id), []))
            elif isinstance(item, Tick):
                self.heard.append((Head(entries.TICK, item.at_ns), []))
            elif isinstance(item, RegisterSensor):
                said = entries.command_entry(item, entries.COMMAND, now)
                self.heard.append((Head(said.kind, now), [f.data for f in said.facts]))
            for made in entries.output_entries(answer.events, now):
                self.heard.append((Head(made.kind, now), [f.data for f in made.facts]))
        return answers

    def evidence(self) -> Evidence:
        """What a dossier of the night, with the responders' report, would show."""
        start_ns, after = self.night.start_ns, self.night.aftermath
        assert after is not None
        span = start_ns, start_ns + HOUR_NS
        return gather(self.night.site, self.heard, span, (after.report,))  # type: ignore[arg-type]


def ledger_of(night: Night, evidence: Evidence) -> tuple[Ledger, dict[str, Finding]]:
    """The twelve rows in a ledger with the findings on what they say."""
    ledger, clerk = Ledger(), Actor("Ana", "statements_clerk")
    for p in propositions(night.site.frame, night.start_ns):
        ledger.apply(EnterProposition(p), clerk, 0)
        ledger.apply(KeepFinding(find(p, evidence), "00"), clerk, 0)
    for name, said in statements(night.start_ns):
        assert ledger.apply(EnterRow(said), clerk, said.recorded_ns) == name
    return ledger, {name: kept.finding for name, kept in ledger.findings.items()}
