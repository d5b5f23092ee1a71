"""The live engine: zones, permits, sensors, tracks, verdicts, alerts, ticked by its inputs."""

from __future__ import annotations

from dataclasses import dataclass, field

from skykeep.core.alert import (
    AcknowledgeAlert,
    AlertPolicy,
    CloseAlert,
    HandOverAlert,
    ShelveAlert,
    UnshelveAlert,
)
from skykeep.core.event import Actor
from skykeep.core.geo import Frame, Terrain
from skykeep.core.observation import Sensor
from skykeep.core.permit import ChangePermit, PutPermit
from skykeep.core.verdict import VerdictPolicy
from skykeep.core.zone import PublishZone, WithdrawZone


@dataclass(frozen=True, slots=True)
class Site:
    """What one authority keeps: its name, its local frame, its ground, its policy."""

    authority_id: str
    name: str
    frame: Frame
    terrain: Terrain | None
    time_zone: str
    verdict_policy: VerdictPolicy = field(default_factory=VerdictPolicy)
    alert_policy: AlertPolicy = field(default_factory=AlertPolicy)


@dataclass(frozen=True, slots=True)
class RegisterSensor:
    """Command: enter a sensor or a new version of it."""

    actor: Actor
    sensor: Sensor


Command = (
    PublishZone
    | WithdrawZone
    | PutPermit
    | ChangePermit
    | RegisterSensor
    | AcknowledgeAlert
    | HandOverAlert
    | CloseAlert
    | ShelveAlert
    | UnshelveAlert
)
