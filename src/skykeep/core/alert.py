"""An alert: something a person must act on, with its lifecycle."""

from __future__ import annotations

from dataclasses import dataclass

from skykeep.core.event import Actor
from skykeep.units import AlertId


@dataclass(frozen=True, slots=True)
class AlertPolicy:
    """When a site wants to be alerted."""

    bound_horizon_s: float = 60.0


@dataclass(frozen=True, slots=True)
class AcknowledgeAlert:
    """Command: a named person has seen the alert."""

    actor: Actor
    alert_id: AlertId


@dataclass(frozen=True, slots=True)
class HandOverAlert:
    """Command: the alert was handed to whoever may respond."""

    actor: Actor
    alert_id: AlertId
    recipient: str


@dataclass(frozen=True, slots=True)
class CloseAlert:
    """Command: nothing is left to do about the alert."""

    actor: Actor
    alert_id: AlertId
    why: str


@dataclass(frozen=True, slots=True)
class ShelveAlert:
    """Command: be quiet about the alert until a moment."""

    actor: Actor
    alert_id: AlertId
    until_ns: int
    why: str


@dataclass(frozen=True, slots=True)
class UnshelveAlert:
    """Command: bring a shelved alert back."""

    actor: Actor
    alert_id: AlertId
