"""What people do in the simulated night: an officer on watch, and what comes in afterwards.

No I/O and no clock, so that the night can be played at once or before somebody's eyes.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Sequence

from skykeep.commands.scorer import Scorer
from skykeep.core.alert import AcknowledgeAlert, HandOverAlert
from skykeep.core.casebook import (
    Assess,
    CaseCommand,
    Conclusion,
    FileReport,
    Incident,
    OpenIncident,
)
from skykeep.core.event import Actor, AlertChanged, Event, Tick
from skykeep.errors import RecordError
from skykeep.feed.citadel_night import Night
from skykeep.runtime import Answer, Input
from skykeep.units import NS_PER_S

#: The officer on watch in the story reads an alert and presses a key; then calls the patrol.
ACKNOWLEDGE_AFTER_NS = 8 * NS_PER_S
HAND_OVER_AFTER_NS = 25 * NS_PER_S
OFFICER = Actor("C. Weber", "watch officer")
PATROL = "police patrol 4"
DOSSIER_FILE = "dossier-i0001.zip"

#: Inputs to hand in; what comes back is the incident as they left it.
Steps = Generator[list[Input | CaseCommand], Incident, Incident | None]


def seconds_of(night: Night) -> Iterator[tuple[int, list[Input]]]:
    """The night's inputs a second at a time, each with the moment of the tick that ends it."""
    group: list[Input] = []
    for item in night.items():
        group.append(item)
        if isinstance(item, Tick):
            yield item.at_ns, group
            group = []


class Watch:
    """The officer on watch: acknowledges each alert that is raised, then hands it over.

    `patience` stretches both delays: where a person sits before the page, that person is to
    come first.
    """

    def __init__(self, patience: float = 1.0) -> None:
        self._acknowledge_ns = round(patience * ACKNOWLEDGE_AFTER_NS)
        self._hand_over_ns = round(patience * HAND_OVER_AFTER_NS)
        self._to_do: list[tuple[int, AcknowledgeAlert | HandOverAlert]] = []

    def hear(self, events: Iterable[Event]) -> None:
        """Note what was raised."""
        for event in events:
            if isinstance(event, AlertChanged) and event.event == "raised":
                at_ns, alert_id = event.at_ns, event.alert_id
                acknowledge = AcknowledgeAlert(OFFICER, alert_id)
                self._to_do.append((at_ns + self._acknowledge_ns, acknowledge))
                over = HandOverAlert(OFFICER, alert_id, PATROL)
                self._to_do.append((at_ns + self._hand_over_ns, over))

    def due(self, at_ns: int) -> list[Input]:
        """What is to be done by now; it is done once."""
        self._to_do.sort(key=lambda due: due[0])
        now: list[Input] = [command for due_ns, command in self._to_do if due_ns <= at_ns]
        del self._to_do[: len(now)]
        return now


def aftermath(night: Night, scorer: Scorer) -> Steps:
    """What came in afterwards: the incident, the responders' report, the assessments."""
    after = night.aftermath
    intruders = ("intruder-1", "intruder-2")
    alerts = tuple(
        alert_id
        for alert_id, tracks in scorer.alert_tracks.items()
        if any(scorer.label_of(t) in intruders for t in tracks)
    )
    if after is None or not alerts:
        return None
    incident = yield [OpenIncident(OFFICER, "Two drones over the citadel", alerts)]
    number = incident.incident_id
    report = after.report
    filed = FileReport(
        report.author, number, report.words, report.parts, report.injuries, report.damage
    )
    incident = yield [Tick(report.at_ns), filed]
    for assessment in after.assessments:
        tracks = tuple(t for t in incident.tracks if scorer.label_of(t) in assessment.about)
        mine = tuple(a for a in alerts if scorer.alert_tracks[a] & set(tracks))
        reports = ("report 1",) if assessment.about == ("intruder-1",) else ()
        conclusion = Conclusion(assessment.conclusion)
        command = Assess(
            assessment.author, number, conclusion, assessment.words, (*mine, *tracks, *reports)
        )
        incident = yield [Tick(assessment.at_ns), command]
    return incident


def incident_after(answers: Sequence[Answer]) -> Incident:
    """What the last of some steps made of the incident; its refusal is raised."""
    answer = answers[-1]
    if answer.refused is not None:
        raise answer.refused
    if answer.incident is None:
        raise RecordError("a casebook command changed no incident")
    return answer.incident.incident
