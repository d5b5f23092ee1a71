"""What an evidence officer withholds from a dossier: by sensor or by kind, with name and reason.

Withheld is what a sensor handed in, and what the engine repeats of its words. That the sensor
was there, how often it reported and which tracks its reports went into stays to be seen: leaves
are never left out, and every fact that is withheld leaves its salted commitment.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

import msgspec

from skykeep.codec import entries
from skykeep.core.casebook import Incident
from skykeep.core.event import Actor, IdentityChanged
from skykeep.core.observation import Sensor, SensorKind
from skykeep.errors import InputError
from skykeep.record.entry import Leaf
from skykeep.units import SensorId

#: Beside the kinds of sensors: every fact that names a person or an aircraft by its serial.
IDENTITY = "identity"
KINDS = (*(kind.value for kind in SensorKind), IDENTITY)
WHY_ERASED = "its key was destroyed when its time was over: nobody can read it any more"
WHY_PRIVATE = "it names a person, or an aircraft by its serial, and is not part of this incident"
WHY_RAW = "it is a hash over all that a sensor sent at once: whom that names could be guessed"
#: Reasons that nobody decides upon for one dossier: they hold for all.
STANDING = frozenset({WHY_ERASED, WHY_PRIVATE, WHY_RAW})
#: Events that repeat what a sensor handed in.
_REPEATING = (b'["ReportKept"', b'["InputFound"', b'["ObservationRejected"')


@dataclass(frozen=True, slots=True)
class Withholding:
    """One decision: everything of a `sensor`, or of a `kind` of sensor (or `identity`)."""

    actor: Actor
    why: str
    sensor: str = ""
    kind: str = ""

    @property
    def by(self) -> str:
        """Who decided, in words."""
        return f"{self.actor.name}, {self.actor.role}" if self.actor.role else self.actor.name


@dataclass(slots=True)
class Veil:
    """The decisions on one dossier, held against each fact as it goes in."""

    decisions: Sequence[Withholding]
    sensors: dict[SensorId, Sensor]
    hidden: dict[str, Withholding] = field(default_factory=dict)
    batches: dict[str, Withholding] = field(default_factory=dict)
    identity: Withholding | None = None

    def __post_init__(self) -> None:
        for one in self.decisions:
            _require(one, self.sensors)
            if one.kind == IDENTITY:
                self.identity = one
            for sensor in self.sensors.values():
                if one.sensor == sensor.sensor_id or one.kind == sensor.kind.value:
                    self.hidden.setdefault(sensor.sensor_id, one)

    def over(self, leaf: Leaf, fact: bytes, private: bool) -> Withholding | None:
        """The decision that withholds a fact, if one does."""
        if leaf.kind == entries.BATCH and leaf.source in self.hidden:
            decision = self.hidden[leaf.source]
            if fact.startswith(b'{"batch":'):
                self.batches[msgspec.json.decode(fact)["batch"]] = decision
            return decision
        if leaf.kind == entries.TRACKS and self.hidden and fact.startswith(_REPEATING):
            said = msgspec.json.decode(fact)[1]
            by_sensor = self.hidden.get(said.get("sensor_id", ""))
            return by_sensor or self.batches.get(said["batch_id"])
        return self.identity if private else None

    def shown(self, incident: Incident) -> Incident:
        """The incident without what is withheld."""
        sightings = tuple(s for s in incident.sightings if s.sensor_id not in self.hidden)
        history = incident.history
        if self.identity is not None:
            history = tuple(e for e in history if not isinstance(e, IdentityChanged))
        return replace(incident, sightings=sightings, history=history)


def _require(one: Withholding, sensors: Iterable[str]) -> None:
    if not one.why.strip():
        raise InputError("reason", "is empty", "Say why it is withheld: the dossier shows it.")
    if not one.actor.name.strip():
        raise InputError("by", "is empty", "Withholding needs the name of who decides it.")
    if one.sensor and one.sensor not in sensors:
        known = ", ".join(sensors) or "none"
        raise InputError("withhold", f"there is no sensor {one.sensor!r}", f"Name one of: {known}.")
    if not one.sensor and one.kind not in KINDS:
        kinds = ", ".join(KINDS)
        raise InputError("withhold_kind", f"{one.kind!r} is no kind", f"Name one of: {kinds}.")
